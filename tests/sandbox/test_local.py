"""LocalSandbox through its public interface, with real processes."""

import asyncio
import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sandbox.running import call, output, run

from sdpo_gym.sandbox import OPAQUE, Frame, Limits, LocalSandbox, Program, SandboxError, shared_sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

QUICK = Limits(cpu_seconds=0.2, wall_seconds=20.0)
SPIN = "\nwhile True: pass\n"


@pytest.fixture(scope="module")
def sandbox():
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


@pytest.fixture(scope="module")
def unconfined():
    """Without the layers that keep programs from starting processes: what is left must still clean up after them."""
    with contextlib.closing(LocalSandbox(workers=1, namespaces=False, landlock=False, seccomp=False)) as made:
        yield made


@pytest.fixture
def own_sandbox():
    """For tests that harm it."""
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


def processes(marker):
    """The processes that show this text as a name or in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as comm, open(f"/proc/{pid}/cmdline") as cmdline:
            if marker in comm.read() + cmdline.read():
                found.append(int(pid))
    return found


def freeze(pid):
    """Stop a process and all that it has started; return them."""
    os.kill(pid, signal.SIGSTOP)
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [pid, *(process for child in file.read().split() for process in freeze(int(child)))]


def workers_of(pid):
    """The worker processes of a host."""
    found = []
    for child in processes("sandbox/worker"):
        with contextlib.suppress(OSError), open(f"/proc/{child}/stat") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == pid:
                found.append(child)
    return found


SET_NAME = "import ctypes\ndef set_name(name): ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)\n"
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    os.fork()
    os.execv("/bin/sleep", ["{name}", "600"])
"""


class TestStandardInput:
    def test_reads_input_and_prints(self, sandbox):
        assert output(sandbox, "print('Hello,', input() + '!')", "Ada\n") == "Hello, Ada!\n"

    @pytest.mark.parametrize(
        "source",
        [
            "for line in sys.stdin: print(line.strip())",
            "print(sys.stdin.read(), end='')",
            "print(*map(str.strip, sys.stdin.readlines()), sep='\\n')",
            "for _ in range(3): print(sys.stdin.buffer.readline().decode(), end='')",
            "input = sys.stdin.buffer.readline\nfor _ in range(3): print(int(input()))",
            "print(open(0).read(), end='')",
            "import os\nprint(os.read(0, 100).decode(), end='')",
            "print(input())\nprint(sys.stdin.read(), end='')",
            "print(input())\nprint(*sys.stdin, sep='', end='')",
            "print(stdin.readline(), end='')\nstdout.write(input() + '\\n')\nprint(input())",
            "from sys import stdin, stdout\nstdout.write(stdin.read())",
            "import os\nos.write(1, os.read(sys.stdin.fileno(), 100))",
            "sys.stdout.buffer.write(sys.stdin.buffer.read())",
            "sys.__stdout__.write(sys.__stdin__.read())",
            "out = open(1, 'w')\nout.write(open(0).read())",
            "import io\nout = io.TextIOWrapper(sys.stdout.buffer)\nsys.stdout = out\nprint(open(0).read(), end='')",
            "import atexit\natexit.register(lambda: print(open(0).read(), end=''))",
            "import threading\nthreading.Thread(target=lambda: print(open(0).read(), end='')).start()",
            "open('/dev/stdout', 'w').write(open('/dev/stdin').read())",
            "print(open('/dev/fd/0').read(), end='')\nopen('/dev/stderr', 'w').write('x')",
            "print(open(0).read(), end='')\nsys.exit()",
            "print(open(0).read(), end='')\nexit(1)",
            "print(open(0).read(), end='', flush=True)\nimport os\nos._exit(0)",
        ],
    )
    def test_every_way_to_read_and_write(self, sandbox, source):
        assert output(sandbox, source, "1\n2\n3\n") == "1\n2\n3\n"

    @pytest.mark.parametrize("guard", ["__name__ == '__main__'", "'__main__' == __name__"])
    def test_runs_as_main(self, sandbox, guard):
        source = f"def main():\n    print(total)\ntotal = 1\nif {guard}:\n    main()\nprint('after')"
        assert output(sandbox, source) == "1\nafter\n"

    def test_names_of_the_usual_modules_are_defined(self, sandbox):
        source = "print(deque([gcd(4, 6)]), Counter('a'), inf, heappop([1]), bisect_left([1], 1), math.pi > 3, List)"
        assert output(sandbox, source) == "deque([2]) Counter({'a': 1}) inf 1 0 True typing.List\n"

    def test_the_standard_library_can_be_imported(self, sandbox):
        source = "import asyncio, concurrent.futures, decimal, fractions, sqlite3, unittest, xml.dom.minidom"
        assert output(sandbox, source) == ""

    @pytest.mark.parametrize("module", ["gymnasium", "sdpo_gym", "wire"])
    def test_other_modules_cannot_be_imported(self, sandbox, module):
        result = run(sandbox, f"import {module}")
        assert result.status == "exception"
        assert result.exception.type == "ModuleNotFoundError"

    @pytest.mark.parametrize(
        "source",
        [
            "from __future__ import annotations\ndef f(x: Missing): pass\nprint(1)",
            "exec('y = 1')\nprint(y)",
            "x = 1\nprint(globals()['x'])",
            "global n\nn = 1\nprint(n)",
            "try:\n    input()\nexcept EOFError:\n    print(1)",
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\nprint(A().x)",
            "import pickle\nclass A: pass\npickle.loads(pickle.dumps(A()))\nprint(1)",
            "print(len(str(10 ** 40_000)) - 40_000)",
        ],
    )
    def test_what_a_real_main_module_can_do(self, sandbox, source):
        assert output(sandbox, source) == "1\n"

    def test_deep_recursion(self, sandbox):
        assert output(sandbox, "def f(n): return n and 1 + f(n - 1)\nprint(f(20_000))") == "20000\n"

    def test_large_input_and_output(self, sandbox):
        text = "7 é🙂\n" * 500_000
        source = "text = sys.stdin.read()\nprint(len(text))\nprint(text, end='')"
        result = run(sandbox, source, text, Limits(output_bytes=16 << 20))
        assert result.stdout == f"{len(text)}\n{text}"

    def test_bytes_that_are_not_utf8(self, sandbox):
        assert output(sandbox, "sys.stdout.buffer.write(b'a\\xff\\0b')") == "a\ufffd\0b"

    def test_surrogates_pass_through(self, sandbox):
        assert output(sandbox, "print(len(input()), end='')", "\udc80\n") == "3"  # bytes that are not UTF-8

    def test_carriage_returns_are_left_alone(self, sandbox):
        assert output(sandbox, "print(repr(input()), end='\\r\\n')", "1\r\n") == "'1\\r'\r\n"


class TestFunction:
    def test_plain_function(self, sandbox):
        result = call(sandbox, "def f(a, b): return a + b", "[1, 2]\n[3]")
        assert (result.status, result.value) == ("ok", [1, 2, 3])

    def test_method_of_solution(self, sandbox):
        source = """
            class Solution:
                def f(self, words: List[str]) -> int:
                    print("seen")
                    return max(map(len, words))
        """
        result = call(sandbox, source, '["a b", "c"]')
        assert (result.status, result.value, result.stdout) == ("ok", 3, "seen\n")

    @pytest.mark.parametrize(
        "value",
        ["(1, [2, (3,)])", "[True, 1, 1.0, None]", "10 ** 4000", "-(2 ** 53)", "b'\\xff'", "{1, (2, 'a')}", "-0.0"]
        + ["float('inf')", "{1: 'a', '1': ()}", "''", "'\\ud800'", "[[]]", "set()"],
    )
    def test_plain_values_keep_their_types(self, sandbox, value):
        result = call(sandbox, f"def f(): return {value}")
        assert (result.status, repr(result.value)) == ("ok", repr(eval(value)))

    def test_a_long_name_in_any_script(self, sandbox):
        name = "𝕗" * 1000
        [result] = sandbox.run(Program(f"globals()[{name!r}] = lambda: 1", "function", name), [""])
        assert (result.status, result.value) == ("ok", 1)

    def test_nan(self, sandbox):
        assert math.isnan(call(sandbox, "def f(): return float('nan')").value)

    @pytest.mark.parametrize(
        "source",
        [
            "class Text(str):\n    def __eq__(self, other): return True\ndef f(): return Text()",
            "class Int(int): pass\ndef f(): return [Int(3)]",
            "class Any:\n    def __eq__(self, other): return True\ndef f(): return Any()",
            "def f(): return (x for x in [1])",
            "def f(): return Counter()",
            "def f():\n    a = []\n    a.append(a)\n    return a",
        ],
    )
    def test_other_values_are_opaque(self, sandbox, source):
        result = call(sandbox, source)
        assert (result.status, result.value) == ("ok", OPAQUE)

    @pytest.mark.parametrize("source", ["f = 3", "class Solution: pass", "print('f')"])
    def test_a_missing_function(self, sandbox, source):
        result = call(sandbox, source)
        assert (result.status, result.exception.type) == ("exception", "NameError")
        assert "'f'" in result.exception.message

    def test_a_name_of_the_preamble_is_not_the_programs_function(self, sandbox):
        for source, status in [("", "exception"), ("from math import gcd", "ok"), ("gcd = math.gcd", "ok")]:
            [result] = sandbox.run(Program(source, "function", "gcd"), ["4\n6"])
            assert result.status == status

    def test_arguments_that_are_not_json_are_the_callers_mistake(self, sandbox):
        for arguments in ("[1", "[" * 100_000):
            with pytest.raises(ValueError, match="input 0"):
                call(sandbox, "def f(x): pass", arguments)

    def test_huge_results(self, sandbox):
        assert call(sandbox, "def f(): return [0] * 3_000_000").status == "output_limit"
        assert call(sandbox, "def f(): return ['a' * 1000] * 1_000_000").status in ("output_limit", "memory")

    def test_leaving_is_no_result(self, sandbox):
        assert call(sandbox, "import os\ndef f(): os._exit(0)").status == "no_result"
        assert call(sandbox, "def f(): exit()").exception.type == "SystemExit"


class TestFailures:
    def test_exception_with_frames(self, sandbox):
        result = run(sandbox, "def f(x):\n    return 1 // x\n\nprint('before')\nf(0)\n")
        assert (result.status, result.stdout) == ("exception", "before\n")
        assert result.exception.type == "ZeroDivisionError"
        assert "division" in result.exception.message
        assert result.exception.frames == (Frame(5, "<module>"), Frame(2, "f"))

    def test_exception_in_a_method(self, sandbox):
        result = call(sandbox, "class Solution:\n    def f(self):\n        return json.loads('x')")
        assert (result.status, result.exception.type) == ("exception", "JSONDecodeError")
        assert result.exception.frames == (Frame(3, "f"),)

    def test_exception_in_a_thread(self, sandbox):
        result = run(sandbox, "import threading\ndef main(): [][0]\nthreading.Thread(target=main).start()")
        assert (result.status, result.exception.type) == ("exception", "IndexError")

    def test_endless_recursion(self, sandbox):
        result = run(sandbox, "def f(): f()\nf()")
        assert (result.status, result.exception.type) == ("exception", "RecursionError")
        assert len(result.exception.frames) <= 100

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            ("x = 1\ny = (\n", "SyntaxError"),
            ("x = 1\nif x:\ny = 2", "IndentationError"),
            ("x = 1\nreturn 3", "SyntaxError"),
            ("try:\n    pass\n", "SyntaxError"),
            ("x = 1\nwrong words", "SyntaxError"),
        ],
    )
    def test_syntax_error(self, sandbox, source, kind):
        for result in (run(sandbox, source), call(sandbox, source)):
            assert (result.status, result.exception.type) == ("syntax_error", kind)
            assert result.exception.frames[0].line in (2, 3)

    @pytest.mark.parametrize("source", ["\0", "x = '\ud800'", "(" * 500 + ")" * 500, "-" * 200_000 + "1"])
    def test_what_the_compiler_cannot_take(self, sandbox, source):
        assert run(sandbox, source).status in ("syntax_error", "crashed")

    def test_what_an_exception_says_is_tamed(self, sandbox):
        source = """
            class Odd(Exception):
                def __str__(self): return "\\ud800" + "x" * 10_000_000
            raise Odd
        """
        result = run(sandbox, source)
        assert result.exception.type == "Odd"
        assert 1 < len(result.exception.message) <= 1000
        result.exception.message.encode()

        result = run(sandbox, "class Odd(Exception):\n    def __str__(self): return 1 // 0\nraise Odd")
        assert (result.status, result.exception.type) == ("exception", "Odd")

    @pytest.mark.parametrize(
        ("source", "number"),
        [
            ("import ctypes; ctypes.string_at(0)", signal.SIGSEGV),
            ("import os; os.abort()", signal.SIGABRT),
            ("import os; os.kill(os.getpid(), 9)", signal.SIGKILL),
            ("import os; os.kill(os.getpid(), 15)", signal.SIGTERM),
        ],
    )
    def test_crash(self, sandbox, source, number):
        result = run(sandbox, "print('before', flush=True)\n" + source)
        assert (result.status, result.signal, result.stdout) == ("crashed", number, "before\n")

    @pytest.mark.parametrize("source", ["import os; os._exit(3)", "import os; os.closerange(0, 99); [][0]"])
    def test_no_result(self, sandbox, source):
        assert run(sandbox, source).status == "no_result"

    @pytest.mark.parametrize("source", ["import os; os.closerange(0, 99)", "sys.stdout = sys.stdin = None"])
    def test_closed_streams_are_survived(self, sandbox, source):
        assert output(sandbox, source) == ""


class TestLimits:
    @pytest.mark.parametrize(
        "source",
        [
            SPIN,
            "import signal\nfor n in (14, 15, 24): signal.signal(n, signal.SIG_IGN)" + SPIN,
            "while True:\n    try:\n        while True: pass\n    except: pass",
            "x = 9 ** 9 ** 9",
            "import threading\nfor _ in range(3): threading.Thread(target=lambda: exec('while True: pass')).start()",
        ],
    )
    def test_cpu_time(self, sandbox, source):
        result = run(sandbox, source, limits=QUICK)
        assert result.status == "timeout"
        assert result.cpu_seconds >= QUICK.cpu_seconds

    def test_wall_time(self, sandbox):
        result = run(sandbox, "print('x', flush=True)\nimport time\ntime.sleep(600)", limits=Limits(wall_seconds=0.2))
        assert (result.status, result.stdout) == ("timeout", "x\n")
        assert result.cpu_seconds < 0.2 <= result.wall_seconds

    def test_total_wall_time(self, sandbox):
        program = Program("import time\ntime.sleep(600)", "stdin")
        limits = Limits(wall_seconds=0.2, total_wall_seconds=0.3)
        statuses = [result.status for result in sandbox.run(program, ["", "", "", ""], limits)]
        assert statuses == ["timeout", "timeout", "not_run", "not_run"]

    def test_total_wall_time_ends_a_single_run(self, sandbox):
        limits = Limits(wall_seconds=60, total_wall_seconds=0.3)
        assert run(sandbox, "import time\ntime.sleep(3)", limits=limits).status == "timeout"

    @pytest.mark.parametrize(
        "source",
        ["x = [0] * 10 ** 10", "x = []\nwhile True: x.append('a' * 10 ** 6)", "x = 'a'\nwhile True: x += x"],
    )
    def test_memory(self, sandbox, source):
        for result in (
            run(sandbox, "\n" + source, limits=Limits(memory_mb=128)),
            call(sandbox, "\n" + source, limits=Limits(memory_mb=128)),
        ):
            assert result.status == "memory"
            assert result.exception.frames[0].line >= 2

    @pytest.mark.parametrize(
        "source",
        [
            "while True: print('x' * 1000)",
            "import os\nwhile True: os.write(1, b'x' * 1000)",
            "import os, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "while True:\n    try: os.write(1, b'x' * 1000)\n    except OSError: pass",
            "import os\nos.ftruncate(1, 10_001)",
            "print('x' * 10_000)",
        ],
    )
    def test_output(self, sandbox, source):
        result = run(sandbox, source, limits=Limits(output_bytes=10_000))
        assert result.status == "output_limit"
        assert len(result.stdout) == 10_000

    def test_output_of_just_the_limit(self, sandbox):
        result = run(sandbox, "print('x' * 9_999)", limits=Limits(output_bytes=10_000))
        assert (result.status, len(result.stdout)) == ("ok", 10_000)

    def test_threads(self, sandbox):
        source = """
            import threading, time
            try:
                for _ in range(3000):
                    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
            except RuntimeError:
                print("refused")
        """
        assert output(sandbox, source) == "refused\n"

    def test_arguments_that_do_not_fit(self, sandbox):
        program = Program("def f(text): return len(text)", "function", "f")
        [result] = sandbox.run(program, ['"' + "x" * 150_000_000 + '"'], Limits(memory_mb=256))
        assert result.status == "memory"

    @pytest.mark.parametrize(
        "limits",
        [
            {"cpu_seconds": 0},
            {"cpu_seconds": math.nan},
            {"cpu_seconds": math.inf},
            {"wall_seconds": -1},
            {"wall_seconds": math.inf},
            {"total_wall_seconds": math.nan},
            {"memory_mb": 1},
            {"memory_mb": 512.5},
            {"output_bytes": 1e6},
        ],
    )
    def test_limits_that_make_no_sense(self, sandbox, limits):
        with pytest.raises(ValueError, match=f"{next(iter(limits))}|limits must be positive"):
            run(sandbox, "", limits=Limits(**limits))

    def test_programs_that_make_no_sense(self, sandbox):
        for program in (Program("", "other"), Program("", "function"), Program("", "function", "f" * 100_000)):
            with pytest.raises(ValueError):
                sandbox.run(program, [""])
        with pytest.raises(TypeError, match=r"given as Program\(source, 'stdin'\), not 'print\(1\)'"):
            sandbox.run("print(1)", [""])
        with pytest.raises(TypeError, match="source is a text, not None"):
            sandbox.run(Program(None, "stdin"), [""])
        with pytest.raises(TypeError, match="input 0 is not a text: b'1'"):
            sandbox.run(Program("", "stdin"), [b"1"])
        with pytest.raises(TypeError, match="input 0 is not a text: 3"):
            sandbox.run(Program("", "stdin"), [3])


class TestSeparation:
    def test_environment_is_empty(self, sandbox, monkeypatch):
        monkeypatch.setenv("SECRET", "hunter2")
        with contextlib.closing(LocalSandbox(workers=1)) as started_now:
            for each in (sandbox, started_now):
                assert output(each, "import os\nprint(dict(os.environ), os.getenv('PATH'))") == "{} None\n"

    @pytest.mark.skipif(os.geteuid() != 0, reason="programs run as another user only when the host is root")
    def test_other_processes_and_private_files_are_out_of_reach(self, own_sandbox, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("hunter2")
        secret.chmod(0o600)
        others = set(workers_of(os.getpid()))
        assert output(own_sandbox, "print(1)") == "1\n"
        [worker] = set(workers_of(os.getpid())) - others
        source = f"""
            import os
            tries = [lambda: open({str(secret)!r})]
            for pid in ({os.getpid()}, {worker}, os.getppid()):
                tries.append(lambda pid=pid: os.kill(pid, 9))
                tries.append(lambda pid=pid: os.listdir(f"/proc/{{pid}}/fd"))
                tries.append(lambda pid=pid: open(f"/proc/{{pid}}/environ"))
                tries.append(lambda pid=pid: open(f"/proc/{{pid}}/mem", "wb"))
            for index, attempt in enumerate(tries):
                try:
                    attempt()
                    print("succeeded", index)
                except OSError:
                    pass
        """
        assert output(own_sandbox, source) == ""
        assert set(workers_of(os.getpid())) - others == {worker}

    def test_only_its_own_files_are_open(self, sandbox, unconfined):
        source = """
            import os
            for fd in range(1024):
                try: print(os.readlink(f"/proc/self/fd/{fd}"))
                except FileNotFoundError: pass
        """
        for each in (sandbox, unconfined):
            names = output(each, source).splitlines()
            assert len(names) >= 6
            for name in names:
                allowed = (
                    name.startswith("/memfd:")
                    or name in ("/dev/null", "anon_inode:[eventfd]")
                    or name.startswith("pipe:")
                )
                assert allowed or os.path.isdir(name), name

    @pytest.mark.parametrize(
        "claim",
        [
            b'{"stdout_end": 0, "status": "ok"}',
            b'{"stdout_end": 0, "status": "ok", "value": {"tuple": 3}}',
            b'{"stdout_end": 0, "status": "ok", "value": {"object": []}}',
            b'{"stdout_end": 0, "status": "ok", "value": %s}' % (b"[" * 5000 + b"]" * 5000),
            b'{"stdout_end": 0, "status": "timeout"}',
            b'{"status": "ok", "value": 1}',
            b'{"stdout_end": 1, "status": "ok", "value": 1}',
            b'{"stdout_end": "0", "status": "ok", "value": 1}',
            b'{"stdout_end": 0, "status": ["ok"]}',
            b'{"stdout_end": 0, "status": "exception", "exception": null}',
            b'{"stdout_end": 0, "status": "exception", "exception": {"type": "", "message": "", "frames": [["", ""]]}}',
            b"\xff",
            b"[" * 50_000,
            b"3",
        ],
    )
    def test_false_claims_are_no_result(self, sandbox, claim):
        result = call(sandbox, FORGE.format(claim=claim))
        assert (result.status, result.value, result.exception) == ("no_result", None, None)

    def test_forged_claims_give_nothing_that_returning_would_not(self, sandbox):
        result = call(sandbox, FORGE.format(claim=b'{"stdout_end": 0, "status": "ok", "value": {"tuple": [1]}}'))
        assert (result.status, result.value) == ("ok", (1,))

        frames = b'[[1, "f"], [0, "g"], [999, "h"]]'
        claim = (
            b'{"stdout_end": 0, "status": "exception", "exception": {"type": "\\ud800", "message": "", "frames": %s}}'
            % frames
        )
        result = call(sandbox, FORGE.format(claim=claim))
        assert result.status == "exception"
        last_line = len(FORGE.splitlines())
        assert result.exception.frames == (Frame(1, "f"), Frame(1, "g"), Frame(last_line, "h"))
        result.exception.type.encode()

    def test_a_process_that_it_forks_is_as_python_leaves_it(self, unconfined):
        """Its other threads are gone, and `random` goes its own way."""
        source = """
            import os, random, threading, time
            thread = threading.Thread(target=time.sleep, args=(0.2,))
            thread.start()
            known = random.getstate()
            pid = os.fork()
            if pid == 0:
                os._exit(10 * threading.active_count() + (random.getstate() == known))
            thread.join()
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """
        assert output(unconfined, source) == "10\n"

    def test_later_writers_do_not_reach_the_output(self, unconfined):
        source = """
            import os, time
            if os.fork() == 0:
                os.setsid()
                while True: print("late", flush=True)
        """
        first = run(unconfined, source)
        assert first.status == "ok"
        assert output(unconfined, "print(1)") == "1\n"

    @pytest.mark.parametrize(
        "leave",
        [
            "os.fork()\nos.fork()\nset_name('{name}')\nif os.getpid() != first: time.sleep(600)",
            DAEMON,
            "if os.fork() == 0:\n    os.fork()\n    os.setpgid(0, 0)\n    os.execv('/bin/sleep', ['{name}', '600'])\n"
            "time.sleep(600)",
        ],
    )
    def test_processes_left_behind_are_ended(self, unconfined, leave):
        name = f"left{os.getpid()}"
        source = SET_NAME + "import os, time\nfirst = os.getpid()\n" + leave.format(name=name)
        result = run(unconfined, source, limits=Limits(wall_seconds=0.5))
        assert result.status in ("ok", "timeout")
        assert processes(name) == []

    def test_fork_bomb(self, sandbox, unconfined):
        name = f"bomb{os.getpid()}"
        source = f"""
            set_name("{name}")
            import os
            while True:
                try:
                    os.fork()
                    os.setsid()
                except BaseException: pass
        """
        for each in (sandbox, unconfined):
            result = run(each, SET_NAME + textwrap.dedent(source), limits=Limits(wall_seconds=0.3))
            assert result.status == "timeout"
            assert processes(name) == []

    def test_each_input_gets_fresh_state(self, sandbox):
        source = """
            seen = []
            class Solution:
                def f(self, x, known=[]):
                    import builtins
                    known.append(x)
                    seen.append(x)
                    builtins.total = getattr(builtins, "total", 0) + 1
                    builtins.sorted = None
                    return [known, seen, builtins.total]
        """
        results = sandbox.run(Program(textwrap.dedent(source), "function", "f"), ["1", "2", "3"])
        assert [result.value for result in results] == [[[x], [x], 1] for x in (1, 2, 3)]

    def test_results_are_the_same_each_time(self, sandbox):
        source = """
            print(random.random(), sample(range(100), 5), {"a", "b", "c", "d"}, hash("x"))
            raise ValueError(object())
        """
        results = [run(sandbox, source)]
        with contextlib.closing(LocalSandbox(workers=1)) as other:
            results += [run(other, source), run(other, source)]
        assert len({(result.stdout, result.exception) for result in results}) == 1
        assert results[0].exception.message == "<object object at 0x…>"

    def test_isolation_is_reported_as_it_is(self, sandbox, unconfined):
        attempts = {
            "filesystem": "open('/etc/passwd')",
            "network": "import socket\nsocket.socket()",
            "processes": "import os\nos.fork()",
        }
        for each in (sandbox, unconfined):
            report = each.isolation
            assert (report.memory, report.kernel) == ("rlimit", "shared")
            for kind, attempt in attempts.items():
                kept = run(each, attempt).status == "exception"
                assert kept == any(means in getattr(report, kind) for means in ("landlock", "seccomp", "namespaces"))
            uid = int(output(each, "import os\nprint(os.getuid())"))
            assert ("own user" in report.processes) == (uid != os.getuid())
        report = unconfined.isolation
        assert report.missing({"filesystem", "network", "memory"}) == ["filesystem", "network"]
        with pytest.raises(ValueError, match="flying"):
            report.missing({"flying"})


FORGE = """
def f():
    import os
    for fd in range(3, 99):
        try:
            if "claim" in os.readlink(f"/proc/self/fd/{{fd}}"):
                os.pwrite(fd, {claim!r}, 0)
        except OSError:
            pass
    os._exit(0)
"""


class TestHost:
    def test_several_inputs_in_order(self, sandbox):
        results = sandbox.run(Program("print(int(input()) * 2)", "stdin"), ["1", "2", "x"])
        assert [result.stdout for result in results] == ["2\n", "4\n", ""]
        assert [result.status for result in results] == ["ok", "ok", "exception"]
        assert sandbox.run(Program("", "stdin"), []) == []

    def test_stop(self, sandbox):
        seen = []

        def stop(index, result):
            seen.append((index, result.stdout))
            return index == 1

        results = sandbox.run(Program("print(input())", "stdin"), ["a", "b", "c"], stop=stop)
        assert seen == [(0, "a\n"), (1, "b\n")]
        assert [result.stdout for result in results] == ["a\n", "b\n"]

    def test_threads(self):
        others = set(workers_of(os.getpid()))
        with (
            contextlib.closing(LocalSandbox(workers=2)) as sandbox,
            ThreadPoolExecutor(8) as pool,
        ):
            program = Program("print(int(input()) ** 2)", "stdin")
            results = list(pool.map(lambda n: sandbox.run(program, [str(n)])[0].stdout, range(40)))
            assert results == [f"{n**2}\n" for n in range(40)]
            assert len(set(workers_of(os.getpid())) - others) == 2

    def test_asyncio(self):
        """Several runs at once give what they give one by one, and here wait for what the event loop does meanwhile."""
        released = threading.Event()
        program, limits = Program("print('x' * int(input()))", "stdin"), Limits(output_bytes=100)

        def stop(index, result):
            return not released.wait(10) or index == 2

        async def release():
            released.set()

        def arguments(n):
            return (program, [str(n), "1", "200", "1"], limits), {"stop": stop, "accept": lambda i, r: r.status == "ok"}

        async def main():
            runs = [sandbox.arun(*positional, **named) for positional, named in map(arguments, range(6))]
            return (await asyncio.gather(*runs, release()))[:-1]

        def seen(results):
            return [(result.status, result.stdout, result.fresh) for result in results]

        with contextlib.closing(LocalSandbox(workers=2)) as sandbox:
            found = asyncio.run(main())
            for n, results in enumerate(found):
                positional, named = arguments(n)
                assert [result.status for result in results] == ["ok", "ok", "output_limit"]
                assert seen(results) == seen(sandbox.run(*positional, **named))

    def test_cancelling_leaves_it_usable(self, own_sandbox):
        began = threading.Event()
        sleep = Program("import time\ntime.sleep(float(input()))", "stdin")

        async def main():
            limits = Limits(wall_seconds=1.0)
            task = asyncio.create_task(
                own_sandbox.arun(sleep, ["0", "600"], limits, stop=lambda index, result: began.set())
            )
            await asyncio.to_thread(began.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            [result] = await own_sandbox.arun(Program("print(1)", "stdin"), [""])
            return result.stdout

        assert asyncio.run(main()) == "1\n"

    def test_a_worker_that_died_between_runs_is_replaced(self, own_sandbox):
        before = workers_of(os.getpid())
        assert output(own_sandbox, "print(1)") == "1\n"
        [worker] = set(workers_of(os.getpid())) - set(before)
        os.kill(worker, signal.SIGKILL)
        assert output(own_sandbox, "print(1)") == "1\n"

    @pytest.mark.parametrize("deaths", [1, 2])
    def test_a_worker_that_dies_during_a_run(self, own_sandbox, deaths):
        others = set(workers_of(os.getpid()))
        name = f"death{os.getpid()}"
        source = SET_NAME + f"set_name('{name}')\nimport time\ntime.sleep(float(input()))"
        killed: set[int] = set()
        programs: set[int] = set()
        with ThreadPoolExecutor(1) as pool:
            text = "600" if deaths == 2 else "2"
            running = pool.submit(run, own_sandbox, source, text, limits=Limits(wall_seconds=60))
            while len(killed) < deaths and not running.done():
                time.sleep(0.01)
                alive = set(processes(name)) - programs  # that of a killed worker may still be there
                if alive and (found := set(workers_of(os.getpid())) - others - killed):
                    os.kill(min(found), signal.SIGKILL)
                    killed |= found
                    programs |= alive
            if deaths == 2:
                with pytest.raises(SandboxError, match="two sandbox workers"):
                    running.result()
            else:
                assert running.result().status == "ok"
        assert len(killed) == deaths
        deadline = time.monotonic() + 10  # what a worker ran dies with it, but not in the same moment
        while processes(name) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert processes(name) == []
        assert output(own_sandbox, "print(1)") == "1\n"

    def test_only_the_time_of_runs_counts_to_the_total(self, own_sandbox):
        """Not the start of the worker, nor the judge."""
        limits = Limits(total_wall_seconds=1.0)

        def stop(index, result):
            time.sleep(0.6)

        results = own_sandbox.run(Program("print(input())", "stdin"), ["a", "b", "c"], limits, stop=stop)
        assert [result.stdout for result in results] == ["a\n", "b\n", "c\n"]

    def test_a_worker_that_hangs_costs_the_program_nothing(self, own_sandbox, monkeypatch):
        monkeypatch.setattr("sdpo_gym.sandbox.worker_process.GRACE_SECONDS", 0.5)
        monkeypatch.setattr("sdpo_gym.sandbox.local.END_SECONDS", 0.1)
        before = set(workers_of(os.getpid()))
        limits = Limits(wall_seconds=0.2, total_wall_seconds=1.0)

        def stop(index, result):
            if index == 0:
                [worker] = set(workers_of(os.getpid())) - before
                freeze(worker)

        results = own_sandbox.run(Program("print(input())", "stdin"), ["a", "b"], limits, stop=stop)
        assert [result.stdout for result in results] == ["a\n", "b\n"]

    def test_an_interrupt_while_a_worker_ends_a_program(self, own_sandbox):
        before = set(workers_of(os.getpid()))
        frozen = []

        def interrupt(number, frame):
            for process in frozen:
                with contextlib.suppress(OSError):  # a program's process ends by itself
                    os.kill(process, signal.SIGCONT)
            raise KeyboardInterrupt

        def stop(index, result):
            [worker] = set(workers_of(os.getpid())) - before
            frozen.extend(freeze(worker))
            signal.setitimer(signal.ITIMER_REAL, 0.3)

        handler = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                own_sandbox.run(Program("print(input())", "stdin"), ["a"], stop=stop)
        finally:
            signal.signal(signal.SIGALRM, handler)
        assert set(workers_of(os.getpid())) == before
        assert output(own_sandbox, "print(1)") == "1\n"

    def test_an_interrupt_while_a_worker_starts(self, tmp_path):
        name = f"start{os.getpid()}"
        shutil.copy(shutil.which("cat"), tmp_path / name)  # says nothing, and ends when its input does

        def interrupt(number, frame):
            raise KeyboardInterrupt

        handler = signal.signal(signal.SIGALRM, interrupt)
        waiting = tmp_path / "python"
        waiting.write_text(f"#!/bin/sh\nexec {tmp_path / name}\n")
        waiting.chmod(0o700)
        try:
            with contextlib.closing(LocalSandbox(workers=1, python=str(waiting))) as sandbox:
                signal.setitimer(signal.ITIMER_REAL, 1.0)
                with pytest.raises(KeyboardInterrupt):
                    run(sandbox, "")
            assert processes(name) == []
        finally:
            signal.signal(signal.SIGALRM, handler)

    def test_closing(self):
        sandbox = LocalSandbox(workers=1)
        before = workers_of(os.getpid())
        assert output(sandbox, "print(1)") == "1\n"
        sandbox.close()
        sandbox.close()
        assert sandbox.closed
        assert workers_of(os.getpid()) == before
        with pytest.raises(SandboxError, match="closed"):
            run(sandbox, "print(1)")

    def test_closing_ends_runs_of_other_threads(self):
        name = f"close{os.getpid()}"
        source = SET_NAME + f"set_name('{name}')\nimport time\ntime.sleep(600)"
        sandbox = LocalSandbox(workers=1)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run, sandbox, source, limits=Limits(wall_seconds=60))
            while not processes(name) and not running.done():
                time.sleep(0.01)
            sandbox.close()
            with pytest.raises(SandboxError, match="closed"):
                running.result()
        assert processes(name) == []

    def test_closing_while_a_run_ends(self, monkeypatch):
        others = set(workers_of(os.getpid()))
        workers = set()
        sandbox = LocalSandbox(workers=1)
        close_workers = sandbox._close_workers
        ended = threading.Event()

        def close_late():  # as where its thread has to wait for a CPU
            assert ended.wait(30)
            close_workers()

        monkeypatch.setattr(sandbox, "_close_workers", close_late)
        with ThreadPoolExecutor(1) as pool:

            def stop(index, result):
                workers.update(set(workers_of(os.getpid())) - others)
                pool.submit(sandbox.close)
                while not sandbox.closed:
                    time.sleep(0.01)

            assert [r.stdout for r in sandbox.run(Program("print(1)", "stdin"), [""], stop=stop)] == ["1\n"]
            try:
                with pytest.raises(ChildProcessError):  # it has ended, and was waited for
                    os.waitpid(workers.pop(), os.WNOHANG)
            finally:
                ended.set()

    def test_errors_of_the_stop_callback_leave_it_usable(self, sandbox):
        def stop(index, result):
            raise KeyError

        with pytest.raises(KeyError):
            sandbox.run(Program("", "stdin"), [""], stop=stop)
        assert output(sandbox, "print(1)") == "1\n"

    def test_a_forked_process_has_workers_of_its_own(self, sandbox):
        assert output(sandbox, "print(1)") == "1\n"
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                if output(sandbox, "print(2)") == "2\n":
                    sandbox.close()
                    os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert output(sandbox, "print(3)") == "3\n"

    def test_packages_that_other_programs_use_take_none_of_the_memory(self):
        """A worker loads numpy once for all."""
        limits = Limits(memory_mb=64)
        half = "x = bytearray(32 << 20)\nprint('kept')"
        with contextlib.closing(LocalSandbox(workers=1)) as sandbox:
            for source in (half, f"import numpy\n{half}", half, f"{half}\ny = bytearray(48 << 20)"):
                result = run(sandbox, source, limits=limits)
                assert result.status == ("memory" if "y" in source.split() else "ok"), source

    def test_a_busy_machine_condemns_nobody(self, sandbox):
        """The program gets a tenth of a CPU, so that its 0.3 seconds take longer than its limits of wall time."""
        source = """
            import os, time
            while time.process_time() < 0.3: pass
            print('done', flush=True)
            if input() == "leave": os._exit(0)
        """
        program = Program(textwrap.dedent(source), "stdin")
        limits = Limits(cpu_seconds=1.0, wall_seconds=0.5, total_wall_seconds=3.0)
        assert sandbox.isolation  # its worker has started
        burners = [
            subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
            for _ in range(10 * len(os.sched_getaffinity(0)))
        ]
        try:
            results = sandbox.run(program, ["stay", "leave", "leave"], limits)
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
        assert [(result.status, result.stdout) for result in results] == [("ok", "done\n")] * 3
        assert all(0 < result.waited_seconds < result.wall_seconds for result in results)

    def test_shared_sandbox(self):
        sandbox = shared_sandbox()
        assert shared_sandbox() is sandbox
        sandbox.close()
        assert shared_sandbox() is not sandbox

    def test_an_interpreter_that_does_not_start(self):
        with pytest.raises(SandboxError, match="cannot start"):
            run(LocalSandbox(python="/nowhere/python"), "")
        with pytest.raises(SandboxError, match="did not start"):
            run(LocalSandbox(python="/bin/false"), "")

    def test_a_worker_that_talks_nonsense(self, tmp_path):
        liar = tmp_path / "python"
        for words in ("hello", r"\0\0\0\2{}", r'\0\0\0\043{"isolation": {"filesystem": "none"}}\0\0\0\002[]'):
            liar.write_text(f"#!/bin/sh\nprintf '{words}'\nsleep 1\n")
            liar.chmod(0o700)
            with contextlib.closing(LocalSandbox(workers=1, python=str(liar))) as sandbox, pytest.raises(SandboxError):
                run(sandbox, "")

    def test_at_least_one_worker(self):
        with pytest.raises(ValueError, match="workers"):
            LocalSandbox(workers=0)

    def test_a_script_that_turns_warnings_into_errors(self):
        script = """
            from sdpo_gym.sandbox import LocalSandbox, Program

            def once():
                return LocalSandbox().run(Program("print(1)", "stdin"), [""])[0].stdout

            once()  # its sandbox is collected while it is open
            kept = LocalSandbox()
            kept.run(Program("print(1)", "stdin"), [""])
        """
        command = [sys.executable, "-W", "error", "-X", "dev", "-c", textwrap.dedent(script)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.skipif(os.geteuid() != 0, reason="the other tests do this already")
    def test_a_host_that_is_not_root(self):
        if (python := unprivileged_python()) is None:
            pytest.skip("no interpreter that everybody may run")
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                sandbox = LocalSandbox(workers=1, python=python)
                name = f"left{os.getpid()}"
                unconfined = LocalSandbox(workers=1, python=python, namespaces=False, landlock=False, seccomp=False)
                run(unconfined, DAEMON.format(name=name))
                left = processes(name)
                uid = output(sandbox, "import os\nprint(os.getuid())")
                os.write(write_end, f"{uid}{left} {unconfined.isolation.processes}".encode())
                for each in (sandbox, unconfined):
                    each.close()
            os._exit(0)
        os.close(write_end)
        os.waitpid(pid, 0)
        assert os.read(read_end, 1000) == b"65534\n[] none"
        os.close(read_end)


def unprivileged_python():
    """An interpreter, new enough for a worker, that the user `nobody` may run."""
    probe = "import os, sys; os.setuid(65534); os.execv(sys.argv[1], [sys.argv[1], '-c', sys.argv[2]])"
    check = "import sys; sys.exit(sys.version_info < (3, 10))"
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([sys.executable, "-c", probe, python, check], capture_output=True).returncode == 0:
            return python
    return None
