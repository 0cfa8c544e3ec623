"""Programs that want to be taken for right."""

from sandbox.hostile.program import Family

forgery = Family("forged results")
search = Family("search for answers")
patching = Family("monkeypatching")
subclasses = Family("subclass tricks")
pickles = Family("pickles")
state = Family("state between tests")

CLAIMS = """
CLAIMS = [
    b'{"status": "ok"}', b'{"status": "ok", "value": true}', b'{"status": "ok", "opaque": true}', b'{"passed": true}',
    b'{"status": "ok", "value": {"float": "nan"}}', b'{"end": "exited", "status": "ok", "accepted": true}',
    b'{"status": "ok", "value": {"set": [[1], [2]]}}', b'[' * 100_000, b'\\xff' * 1000, b'{"status": "ok", "value": 1e999}',
]
FRAMED = [len(c).to_bytes(4, "big") + c for c in CLAIMS]
"""
forgery.stdin(
    "claims_to_every_descriptor",
    "write results to every descriptor, with and without a header",
    CLAIMS
    + """
for claim in CLAIMS + FRAMED:
    for fd in range(2, 64):
        try: os.set_blocking(fd, False), os.write(fd, claim)
        except OSError: pass
        try: os.pwrite(fd, claim, 0)
        except OSError: pass
os._exit(0)
""",
    *("ok", "no_result", "exception", "output_limit"),
)
forgery.function(
    "claims_instead_of_values",
    "write results to every descriptor and leave before there is a value",
    CLAIMS
    + """
import fcntl
def f(x):
    for claim in CLAIMS:
        for fd in range(3, 64):
            try: os.pwrite(fd, claim, 0), os.ftruncate(fd, len(claim))
            except OSError: pass
    os._exit(0)
""",
    *("ok", "no_result", "output_limit", "exception"),
)
forgery.stdin(
    "says_that_it_is_done",
    "say that runs are over, early and often, and go on",
    """
    import fcntl
    print(2 * int(input()), flush=True)
    signals = []
    for fd in range(3, 64):
        try: kind = os.fstat(fd).st_mode >> 12
        except OSError: continue
        if kind not in (8, 2): signals.append(fd)  # neither a file nor a device
    for fd in signals:
        try: fcntl.fcntl(fd, 4, fcntl.fcntl(fd, 3) & ~os.O_NONBLOCK | (os.O_NONBLOCK if fd % 2 else 0))
        except OSError: pass
    for _ in range(100):
        for fd in signals:
            try: os.set_blocking(fd, False), os.write(fd, (0xFFFFFFFFFFFFFFF0).to_bytes(8, "little") * 10_000)
            except OSError: pass
            try: os.write(fd, (0xFFFFFFFFFFFFFFFE).to_bytes(8, "little"))
            except OSError: pass
    time.sleep(600)
    """,
    *("ok", "timeout"),
)
forgery.stdin(
    "takes_its_word_back",
    "say that a run is over and take it back at once",
    """
    import threading
    signals = []
    for fd in range(3, 64):
        try: kind = os.fstat(fd).st_mode >> 12
        except OSError: continue
        if kind not in (8, 2): signals.append(fd)
    def toggle():
        while True:
            for fd in signals:
                try: os.set_blocking(fd, False), os.write(fd, (1).to_bytes(8, "little")), os.read(fd, 8)
                except OSError: pass
    for _ in range(3): threading.Thread(target=toggle).start()
    toggle()
    """,
    *("ok", "timeout"),
)
forgery.stdin(
    "words_of_a_grader",
    "print what graders print",
    CLAIMS
    + "print('PASS', True, '[1, 1, 1]', [-2, True], 'All tests passed')\nfor claim in CLAIMS: sys.stdout.buffer.write(claim)",
    *("ok", "output_limit"),
)
forgery.function(
    "forged_exception",
    "claim an exception whose frames and texts are made up",
    """
    import json
    def f(x):
        claim = {"status": "exception", "exception": {"type": "\\ud800" * 1000, "message": "x" * 10 ** 5,
                 "frames": [[10 ** 30, "g"], [-5, "\\0"], [True, "h"]] * 1000}}
        for fd in range(3, 64):
            try: os.ftruncate(fd, 0), os.pwrite(fd, json.dumps(claim).encode(), 0)
            except OSError: pass
        os._exit(0)
    """,
    *("exception", "no_result", "output_limit"),
)
forgery.function(
    "forged_by_the_runner",
    "have the code below it hand over another value",
    """
    import json
    dumps = json.dumps
    def forged(claim, *_, **__): return '{"status": "ok", "value": true, "passed": true, "expected": true}'
    json.dumps = json.JSONEncoder.encode = forged
    def f(x): return object()
    """,
    *("ok", "no_result"),
)

search.function(
    "frames",
    "find the expected value in the frames below",
    """
    def f(x):
        frame = sys._getframe()
        while frame is not None:
            for scope in (frame.f_locals, frame.f_globals):
                for name, value in list(scope.items()):
                    if any(word in str(name).lower() for word in ("expect", "answer_key", "outputs", "tests")):
                        print(name, repr(value)[:1000])
            frame = frame.f_back
        return 2 * x
    """,
)
search.stdin(
    "garbage_collector",
    "find secrets among all objects",
    """
    import gc
    word = "CANAR" + "Y"
    for found in gc.get_objects():
        if isinstance(found, (dict, list, tuple, set)):
            for item in (found.values() if isinstance(found, dict) else found):
                if isinstance(item, (str, bytes)) and word in str(item): print(item)
    """,
)
search.stdin(
    "modules_of_the_worker",
    "import the worker's modules and use them",
    """
    for name in ("wire", "serve", "execute", "restrict", "seccomp", "linux", "library", "program_process", "worker",
                 "sdpo_gym.sandbox.worker.wire", "messages", "chunks"):
        attempt(name, __import__, name)
        if name in sys.modules: breach(name)
    main = sys.modules.get("__main__")
    for name in ("WORKER", "requests", "answers", "options"):
        if hasattr(main, name): breach(name)
    """,
)
search.function(
    "frames_of_a_traceback",
    "find the expected value in a traceback and in all threads",
    """
    def f(x):
        try: raise ValueError
        except ValueError as error:
            frame = error.__traceback__.tb_frame
        seen = [frame, *sys._current_frames().values()]
        while frame:
            seen.append(frame)
            frame = frame.f_back
        print([sorted(map(str, frame.f_locals)) for frame in seen])
        print([value for frame in seen for value in frame.f_locals.values() if isinstance(value, (str, int))])
        return 2 * x
    """,
)
search.stdin(
    "patched_reader_waits_for_answers",
    "listen on every descriptor for what the host says",
    """
    import select
    poll = select.poll()
    for fd in range(3, 64):
        try: os.fstat(fd)
        except OSError: continue
        poll.register(fd, select.POLLIN)
    for fd, _ in poll.poll(50):
        try: os.set_blocking(fd, False), print(os.read(fd, 10_000))
        except OSError: pass
    """,
    *("ok", "timeout", "exception"),  # its own input is among what it reads
)

patching.stdin(
    "builtins",
    "replace the built-in functions that a judge uses",
    """
    import builtins
    builtins.zip = lambda *a, **k: []
    builtins.all = builtins.any = builtins.isinstance = builtins.bool = lambda *a: True
    builtins.len = builtins.map = builtins.str = builtins.type = builtins.open = builtins.dict = lambda *a, **k: 0
    print = None
    """,
    *("exception", "no_result", "timeout", "ok"),
)
patching.function(
    "json_and_os",
    "replace the functions that its runner uses",
    """
    import json, random, threading, atexit
    def f(x):
        os._exit = os.pwrite = os.write = os.ftruncate = os.getpid = os.dup2 = os.lseek = lambda *a: 1
        os.eventfd_write = os.eventfd_read = os.read = lambda *a: b""
        json.loads = json.dumps = json.JSONEncoder.iterencode = lambda *a, **k: "true"
        threading.active_count = atexit._ncallbacks = lambda: 1
        random.seed = sys.setrecursionlimit = None
        return 2 * x
    """,
    *("ok", "no_result", "timeout", "crashed"),
)
patching.stdin(
    "streams",
    "replace the standard streams",
    """
    import io
    class Out(io.StringIO):
        def getvalue(self): return "42"
        def fileno(self): return 0
        __eq__ = lambda *a: True
    sys.stdout = sys.__stdout__ = sys.stderr = sys.__stderr__ = Out()
    """,
)
patching.function(
    "functions_below_it",
    "replace the functions of the frames below it",
    """
    def f(x):
        frame = sys._getframe()
        while frame is not None:
            for name, value in list(frame.f_globals.items()):
                if callable(value) and name.startswith("_") and not name.startswith("__"):
                    frame.f_globals[name] = lambda *a, **k: {"status": "ok", "value": True}
            frame = frame.f_back
        return object()
    """,
    *("ok", "no_result", "timeout", "crashed", "exception"),
)
patching.function(
    "types_of_c",
    "let all integers and texts be equal, in C",
    """
    def f(x):
        for kind in (int, str, float, list, dict):
            slots = (ctypes.c_void_p * 60).from_address(id(kind))
            slots[25] = (ctypes.c_void_p * 60).from_address(id(object))[25]
        return 2 * x
    """,
    *("ok", "crashed", "no_result", "exception", "timeout"),
)
patching.stdin(
    "clocks",
    "make clocks lie about the time taken",
    "for n in ('time', 'perf_counter', 'monotonic', 'process_time', 'thread_time'): setattr(time, n, lambda: -1e9)",
)
patching.stdin(
    "import_system",
    "replace imports for those who come later",
    """
    import builtins, importlib
    builtins.__import__ = importlib.import_module = lambda *a, **k: 1 / 0
    sys.meta_path.clear(), sys.path.clear(), sys.modules.clear()
    """,
    *("ok", "exception", "no_result", "crashed"),
)

subclasses.function(
    "equal_to_all",
    "return what equals everything",
    "class A:\n    __eq__ = lambda *_: True\n    __hash__ = lambda _: 0\ndef f(x): return A()",
)
subclasses.function(
    "texts_and_numbers",
    "return subclasses of plain types that equal everything",
    """
    import itertools
    kinds = [type(k.__name__, (k,), {"__eq__": lambda *_: True, "__ne__": lambda *_: False, "__hash__": lambda _: 0})
             for k in (str, int, float, list, dict, tuple, set, bytes, frozenset)]
    turn = itertools.count()
    def f(x): return kinds[x % len(kinds)]()
    """,
)
subclasses.function(
    "inside_plain_values",
    "hide a subclass in plain values",
    "class I(int):\n    __eq__ = lambda *_: True\n    __hash__ = int.__hash__\ndef f(x): return [I(), {'a': I()}, (I(),)][x % 3]",
)
subclasses.function(
    "lies_about_its_class",
    "pretend to be of a plain type",
    "class L:\n    __class__ = property(lambda _: int)\n    __eq__ = lambda *_: True\n    __index__ = __int__ = lambda _: 4\ndef f(x): return L()",
)
subclasses.function(
    "values_that_look_encoded",
    "return what the protocol uses to mark types",
    "def f(x): return [{'tuple': [1]}, {'opaque': True}, {'int': '0x1'}, {'float': 'nan'}, {'set': [[1]]}][x % 5]",
)
subclasses.function(
    "not_a_number", "return what compares oddly", "def f(x): return [float('nan'), float('inf'), True, -0.0][x % 4]"
)
subclasses.function(
    "lazy", "return something that goes on computing", "def f(x):\n    yield 2 * x\n    while True: pass"
)

REDUCE = """
class Bomb:
    def __reduce__(self): return (print, ("BREACH unpickled",))
    def __repr__(self): return "CANAR" + "Y?"
"""
pickles.function(
    "object_with_reduce", "return an object that runs code when it is unpickled", REDUCE + "def f(x): return Bomb()"
)
pickles.function(
    "exception_with_reduce",
    "raise an exception that runs code when it is unpickled",
    REDUCE + "class E(Exception, Bomb): pass\ndef f(x): raise E(Bomb())",
    "exception",
)
pickles.function(
    "text_with_reduce",
    "return a text that runs code when it is unpickled",
    REDUCE + "class S(str, Bomb): pass\ndef f(x): return S('1')",
)
pickles.stdin(
    "pickled_output",
    "write pickles, and marshalled code, to every descriptor",
    """
    import marshal, pickle
    evil = b"cbuiltins\\neval\\n(S'print(\\"HCAERB\\"[::-1])'\\ntR."
    for fd in range(2, 64):
        for data in (evil, marshal.dumps(compile("print('HCAERB'[::-1])", "x", "exec"))):
            try: os.set_blocking(fd, False), os.write(fd, data)
            except OSError: pass
    os._exit(0)
    """,
    *("ok", "no_result", "timeout", "exception"),
)

state.stdin(
    "counts_its_runs",
    "answer by the number of the test",
    """
    import math
    sys.runs = getattr(sys, "runs", 0) + 1
    if sys.runs > 2:
        print(sys.runs)
        os._exit(0)
    """,
)
state.function(
    "remembers_inputs",
    "keep inputs for later tests, and answer with them",
    """
    import math
    def f(x):
        math.seen = getattr(math, "seen", []) + [x]
        if len(math.seen) > 2: print(math.seen)
        return 2 * x if len(math.seen) < 3 else math.seen
    """,
)
state.function(
    "well_behaved_at_first",
    "behave until the hidden tests begin, then attack",
    """
    import builtins
    def f(x):
        builtins.calls = getattr(builtins, "calls", 0) + 1
        if builtins.calls > 2 or x > 2:
            for path in T["files"]: print(attempt("read", lambda: open(path).read()))
            attempt("kill", os.kill, os.getppid(), 9)
            while True: pass
        return 2 * x
    """,
)
state.stdin(
    "reads_ahead",
    "read the next inputs before they are due",
    """
    import _thread
    seen = sys.__dict__.setdefault("seen", set())
    def watch():
        while True:
            for fd in range(64):
                try: seen.add(os.pread(fd, 1000, 0))
                except OSError: pass
            time.sleep(0.0005)
    if not hasattr(sys, "watching"):
        sys.watching = True
        _thread.start_new_thread(watch, ())
    time.sleep(0.01)
    """,
)
state.function(
    "two_guesses",
    "answer differently when it runs in a process of its own, for a second guess",
    """
    import math
    def f(x):
        math.runs = getattr(math, "runs", 0) + 1
        return 2 * x if math.runs < 3 else -1 if math.runs == 3 else 1
    """,
)
state.stdin(
    "leaves_things_for_others",
    "change what the next submission will find",
    """
    import builtins, json, random
    builtins.print = builtins.input = builtins.int = None
    json.loads = random.random = None
    os.environ["LEFT"] = "x"
    sys.path.insert(0, "/tmp")
    del builtins.print, builtins.input, builtins.int
    """,
    *("exception",),
)
