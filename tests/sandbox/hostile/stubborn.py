"""Programs that do not want to end, and programs that end too early."""

from sandbox.hostile.program import Family

stubborn = Family("does not end")
leaving = Family("early exit")

SPIN = "\nwhile True: pass\n"

stubborn.stdin("spin", "loop for ever", SPIN, "timeout")
stubborn.stdin(
    "all_signals_ignored",
    "ignore every signal",
    """
    import signal
    for number in signal.valid_signals():
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    while True: pass
    """,
    "timeout",
)
stubborn.stdin(
    "all_signals_blocked",
    "block every signal",
    "import signal\nsignal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())" + SPIN,
    "timeout",
)
stubborn.stdin(
    "bare_except",
    "catch everything for ever",
    "while True:\n    try:\n        while True: pass\n    except: pass",
    "timeout",
)
stubborn.stdin("loop_in_c", "compute a number that does not fit the universe", "x = 9 ** 9 ** 9", "timeout", "memory")
stubborn.stdin("sum_in_c", "loop in C without a look at signals", "sum(range(10 ** 15))", "timeout")
stubborn.stdin(
    "regular_expression",
    "a catastrophic regular expression",
    "import re\nre.match(r'(a|a)*$', 'a' * 60 + 'b')",
    "timeout",
)
stubborn.stdin("sleep", "sleep for ever", "time.sleep(10 ** 6)", "timeout")
stubborn.stdin(
    "pause",
    "wait for a signal, with an alarm that begins anew",
    "import signal\nsignal.signal(14, lambda *_: signal.alarm(1))\nsignal.alarm(1)\nwhile True: signal.pause()",
    "timeout",
)
stubborn.stdin("stop_itself", "stop, as by SIGSTOP", "os.kill(os.getpid(), 19)", "timeout")
stubborn.stdin(
    "waits_for_more_input", "wait for input on a pipe of its own", "r, w = os.pipe()\nos.read(r, 1)", "timeout"
)
stubborn.stdin(
    "deadlock",
    "wait for a lock that is held",
    "import threading\nl = threading.Lock()\nl.acquire()\nl.acquire()",
    "timeout",
)
stubborn.stdin(
    "loop_at_exit",
    "loop in an exit handler",
    "import atexit\n@atexit.register\ndef spin():\n    while True: pass",
    "timeout",
)
stubborn.stdin(
    "loop_in_destructor",
    "loop when its namespace is taken down",
    "class D:\n    def __del__(self):\n        while True: pass\nd = D()",
    "timeout",
)
stubborn.stdin(
    "loop_in_stream",
    "loop when its standard output is flushed",
    "class S:\n    def write(self, text): pass\n    def flush(self):\n        while True: pass\nsys.stdout = S()",
    "timeout",
)
stubborn.stdin(
    "loop_in_tracer",
    "loop in a trace function",
    "def t(*_):\n    while True: pass\nsys.settrace(t)\nsys.setprofile(t)",
    "timeout",
)
stubborn.function(
    "loop_in_iteration",
    "loop when its value is looked at",
    "class L(list):\n    def __iter__(self):\n        while True: pass\n    __len__ = __iter__\ndef f(x): return L([2 * x])",
)
stubborn.stdin(
    "compiler",
    "take the compiler for ever",
    "x = " + "(" * 80 + "1" + ",)" * 80 + "\ncompile('(' * 10 ** 6, 'x', 'exec')",
    "exception",
    "memory",
    "timeout",
    "crashed",
)
stubborn.stdin(
    "own_clock",
    "make its clocks stand still",
    "time.time = time.perf_counter = time.process_time = time.monotonic = lambda: 0.0" + SPIN,
    "timeout",
)
stubborn.stdin(
    "cpu_signal_handled",
    "handle SIGXCPU and lower the limit to get it",
    """
    import resource, signal
    signal.signal(signal.SIGXCPU, lambda *_: None)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (0, hard))
    while True: pass
    """,
    "timeout",
)

leaving.stdin("exit_at_once", "leave with status 0 before anything is printed", "os._exit(0)")
leaving.stdin("exit_with_failure", "leave with status 3", "os._exit(3)", "no_result")
leaving.function("exit_in_function", "leave with status 0", "def f(x): os._exit(0)", "no_result")
leaving.function("sys_exit_in_function", "raise SystemExit", "def f(x): sys.exit(0)", "exception")
leaving.function("exit_on_import", "leave before there is a function", "raise SystemExit", "exception")
leaving.stdin("abort", "abort", "os.abort()", "crashed")
leaving.stdin("kill_itself", "kill itself", "os.kill(os.getpid(), 9)", "crashed")
leaving.stdin("segmentation_fault", "read address 0", "ctypes.string_at(0)", "crashed")
leaving.stdin(
    "file_size_signal", "end by the signal of the output limit", "os.kill(os.getpid(), 25)", "output_limit", "crashed"
)
leaving.stdin("cpu_signal", "end by the signal of the time limit", "os.kill(os.getpid(), 24)", "timeout", "crashed")
leaving.stdin(
    "exit_in_thread",
    "leave from a thread",
    "import threading\nthreading.Thread(target=os._exit, args=(0,)).start()\ntime.sleep(9)",
)
leaving.stdin("exit_in_handler", "leave in an exit handler", "import atexit\natexit.register(os._exit, 0)")
leaving.function("memory_error", "raise MemoryError", "def f(x): raise MemoryError('none left')", "memory")
leaving.function("keyboard_interrupt", "raise KeyboardInterrupt", "def f(x): raise KeyboardInterrupt", "exception")
leaving.stdin(
    "exit_through_the_worker",
    "unwind into the frames below it",
    "sys._getframe(1).f_globals['_run_as_main'] = sys._getframe(1).f_globals['_compile'] = None",
    *("ok", "no_result", "exception"),
)
