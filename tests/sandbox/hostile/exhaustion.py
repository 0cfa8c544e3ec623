"""Programs that use up memory, output, descriptors or threads."""

from sandbox.hostile.program import Family

memory = Family("memory bomb")
output = Family("output bomb")
threads = Family("thread storm")
descriptors = Family("descriptors")

memory.stdin("list_that_grows", "append for ever", "x = []\nwhile True: x.append('a' * 100_000)", "memory")
memory.stdin("one_huge_block", "a terabyte at once", "x = bytearray(10 ** 12)", "memory")
memory.stdin("string_that_doubles", "double a text for ever", "x = 'ab'\nwhile True: x += x", "memory")
memory.stdin(
    "memory_error_is_swallowed",
    "go on after each MemoryError",
    """
    x = []
    while True:
        try:
            while True: x.append(bytearray(1 << 20))
        except MemoryError: pass
    """,
    "timeout",
)
memory.stdin(
    "malloc_behind_pythons_back",
    "allocate and touch with the C library",
    """
    LIBC.malloc.restype = ctypes.c_void_p
    LIBC.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    got = 0
    while got < 1 << 30:
        block = LIBC.malloc(ctypes.c_size_t(1 << 22))
        if not block: break
        LIBC.memset(block, 1, 1 << 22)
        got += 1 << 22
    else:
        breach("a gigabyte")
    """,
    "ok",
    "memory",
)
memory.stdin(
    "shared_mappings",
    "map shared anonymous memory, which is not the process's own",
    """
    import mmap
    kept = []
    try:
        while len(kept) < 100:
            kept.append(mmap.mmap(-1, 10 << 20))
            kept[-1].write(b"x" * (10 << 20))
        breach("a gigabyte")
    except (OSError, MemoryError): kept.clear()
    """,
    *("ok", "timeout"),
)
memory.stdin(
    "memory_in_own_descriptors",
    "grow every writable descriptor far beyond the limit",
    """
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for fd in range(64):
        if fd != 1: attempt(f"descriptor {fd}", os.ftruncate, fd, 1 << 34)
    """,
)
memory.stdin(
    "memory_in_pipes_and_sockets",
    "fill the kernel's buffers",
    """
    import socket
    kept, total = [], 0
    try:
        while True:
            ends = socket.socketpair()
            kept.append(ends)
            ends[0].setblocking(False)
            try:
                while True: total += ends[0].send(b"x" * 65536)
            except BlockingIOError: pass
    except OSError: pass
    for ends in kept: ends[0].close(), ends[1].close()
    if total > 128 << 20: breach(f"{total} bytes")
    """,
)
memory.stdin(
    "bottomless_recursion",
    "recurse without a limit",
    "sys.setrecursionlimit(10 ** 9)\ndef f(n): return [f(n + 1)]\nf(0)",
    *("crashed", "memory", "exception", "timeout"),
)
memory.stdin(
    "recursion_in_c",
    "overflow the C stack",
    "x = None\nfor _ in range(10 ** 6): x = [x]\nrepr(x)\ndel x",
    *("crashed", "exception", "memory", "ok", "timeout"),
)
memory.function(
    "huge_argument_kept", "keep all arguments for ever", "def f(x, kept=[]): kept.append([x] * 10 ** 9)", "memory"
)
memory.stdin(
    "limits_raised",
    "raise the resource limits",
    """
    import resource
    for kind in range(16):
        soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            attempt(f"limit {kind}", resource.setrlimit, kind, (soft, hard + 1))
            attempt(f"no limit {kind}", resource.setrlimit, kind, (soft, resource.RLIM_INFINITY))
    for pid in (T["host"], T["victim"], os.getppid(), 1):
        attempt(f"limits of {pid}", resource.prlimit, pid, resource.RLIMIT_NOFILE, (1, 1))
    """,
)

output.stdin("print_for_ever", "print without end", "while True: print('x' * 10_000)", "output_limit")
output.stdin("write_for_ever", "write without end", "while True: os.write(1, b'x' * 10_000)", "output_limit")
output.stdin(
    "ignores_the_file_size_signal",
    "write on when the kernel objects",
    """
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    while True:
        try: os.write(1, b"x" * 100_000)
        except OSError: pass
    """,
    "output_limit",
)
output.stdin("sparse_output", "make the output a huge hole", "os.ftruncate(1, 1 << 40)", "output_limit", "exception")
output.stdin(
    "output_far_away",
    "write at an offset of a terabyte",
    "os.pwrite(1, b'x', 1 << 40)",
    *("output_limit", "exception"),
)
output.stdin(
    "flood_of_errors", "flood standard error", "while True: os.write(2, b'x' * 100_000)", "timeout", "exception"
)
output.function("huge_list", "return 3 million values", "def f(x): return [0] * 3_000_000", "output_limit", "memory")
output.function("huge_text", "return 100 MB of text", "def f(x): return 'a' * 100_000_000", "output_limit", "memory")
output.function(
    "one_text_many_times", "return 1 GB by repetition", "def f(x): return ['a' * 10 ** 6] * 1000", "output_limit"
)
output.function(
    "exponential_value",
    "return a value that is small in memory and exponential in JSON",
    "def f(x):\n    v = []\n    for _ in range(60): v = [v, v]\n    return v",
    *("output_limit", "timeout", "memory"),
)
output.function(
    "deep_value",
    "return a list nested a million times",
    "def f(x):\n    v = []\n    for _ in range(10 ** 5): v = [v]\n    return v",
    "ok",
    "crashed",
)
output.function(
    "huge_integer",
    "return an integer of 10 MB",
    "def f(x): return 1 << 80_000_000",
    "output_limit",
    "no_result",
    "memory",
)
output.function(
    "integer_for_decimal", "return an integer whose decimal form takes minutes", "def f(x): return 1 << 3_000_000"
)
output.function(
    "equal_hashes",
    "return a set whose items all have one hash, which takes its reader quadratic time",
    "def f(x): return {i * (2 ** 61 - 1) for i in range(3_000)}",
    *("no_result", "ok", "output_limit"),
)
output.function(
    "cyclic_value", "return a value that holds itself", "def f(x):\n    v = {}\n    v[1] = [v]\n    return v"
)
output.function(
    "enormous_exception",
    "raise an exception with a huge name and text",
    "def f(x): raise type('E' * 10 ** 6, (Exception,), {})('m' * 10 ** 7 + '\\ud800\\0')",
    *("exception",),
)
output.stdin(
    "exception_that_does_not_end",
    "loop in the exception's __str__",
    "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    "timeout",
)
output.stdin(
    "text_that_harms_terminals",
    "print escape sequences, NULs and what is not UTF-8",
    "sys.stdout.buffer.write(bytes(range(256)) * 20 + b'\\x1b]0;owned\\x07\\x1b[2J')\nprint()",
)

threads.stdin(
    "storm_of_threads",
    "start 3000 threads",
    """
    import threading
    count = 0
    try:
        while count < 3000:
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
            count += 1
        breach("3000 threads")
    except RuntimeError: pass
    """,
)
threads.stdin(
    "threads_that_spin",
    "burn CPU time in many threads",
    """
    import threading
    def spin():
        while True: pass
    for _ in range(8): threading.Thread(target=spin).start()
    """,
    "timeout",
)
threads.stdin(
    "thread_that_never_ends",
    "leave a thread that sleeps for ever",
    "import threading\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    "timeout",
)
threads.stdin(
    "daemon_threads",
    "leave daemon threads behind",
    "import threading\nfor _ in range(8): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
)
threads.function(
    "uncounted_threads",
    "leave threads that the module threading does not know, which answer for later inputs",
    """
    import _thread
    def spin():
        while True: time.sleep(0.001)
    def f(x):
        for _ in range(8): _thread.start_new_thread(spin, ())
        return 2 * x
    """,
)
threads.stdin(
    "thread_that_writes_between_runs",
    "write output and input while no run is on",
    """
    import _thread
    def scribble():
        while True:
            for fd in range(3):
                try: os.pwrite(fd, b"7\\n", 0)
                except OSError: pass
            time.sleep(0)
    _thread.start_new_thread(scribble, ())
    """,
    *("ok", "timeout", "exception"),
)
threads.stdin(
    "main_thread_leaves",
    "end the main thread and go on in another",
    """
    import _thread
    _thread.start_new_thread(time.sleep, (600,))
    syscall(60, 0)
    """,
    "timeout",
    x86_64_only=True,
)
threads.stdin(
    "shutdown_is_patched",
    "hide threads from the module that waits for them",
    """
    import threading
    threading._shutdown = threading.active_count = lambda: 1
    threading.Thread(target=time.sleep, args=(600,)).start()
    """,
)
threads.stdin(
    "exit_handlers_without_end",
    "register an exit handler in each exit handler",
    "import atexit\ndef again(): atexit.register(again)\nagain()",
    *("ok", "timeout"),
)

descriptors.stdin("all_closed", "close all descriptors", "os.closerange(0, 256)", "exception", "no_result", "ok")
descriptors.function(
    "all_closed_in_a_function",
    "close all descriptors",
    "def f(x):\n    os.closerange(0, 256)\n    return 2 * x",
    "no_result",
)
descriptors.stdin(
    "swapped", "swap standard input and output", "os.dup2(0, 9); os.dup2(1, 0); os.dup2(9, 1)", "exception", "ok"
)
descriptors.stdin(
    "one_over_all",
    "put standard output over all descriptors",
    "for fd in range(2, 128): os.dup2(1, fd)",
    "ok",
    "no_result",
    "timeout",
)
descriptors.stdin(
    "null_over_all",
    "put /dev/null over all descriptors",
    "n = os.open('/dev/null', os.O_RDWR)\nfor fd in range(128):\n    if fd != n: os.dup2(n, fd)",
    "exception",
    "no_result",
    "timeout",
)
descriptors.stdin(
    "exhausted",
    "open descriptors until there are no more",
    "try:\n    while True: os.dup(0)\nexcept OSError: pass",
    *("ok", "no_result", "exception"),
)
descriptors.stdin(
    "input_read_twice",
    "read standard input, seek back and read again",
    "text = input()\nos.lseek(0, 0, 0)\nsys.stdin = open(0, closefd=False)",
)
descriptors.stdin("input_closed", "close standard input", "sys.stdin.close()\nos.close(0)", "exception")
descriptors.function(
    "output_closed", "close standard output", "def f(x):\n    sys.stdout.close()\n    os.close(1)\n    return 2 * x"
)
