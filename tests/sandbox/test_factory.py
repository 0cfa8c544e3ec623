"""make_sandbox: the strongest that works, a refusal that says what to do, and the one that isolates nothing."""

import contextlib
import logging
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sdpo_gym.sandbox import OPAQUE, Limits, LocalSandbox, Program, SandboxError, factory, make_sandbox
from sdpo_gym.sandbox.unsafe import UnsafeSandbox

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")


@linux_only
def test_auto_is_local_where_that_provides_what_is_required():
    with contextlib.closing(make_sandbox(workers=1)) as sandbox:
        assert isinstance(sandbox, LocalSandbox)
        assert sandbox.isolation.missing(factory.REQUIRED) == []
        assert sandbox.run(Program("print(1)", "stdin"), [""])[0].stdout == "1\n"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_auto_refuses_rather_than_take_less(monkeypatch, platform):
    def make_named(kind, options):
        if kind == "docker":
            raise SandboxError("no engine")
        return LocalSandbox(workers=1, namespaces=False, landlock=False, seccomp=False)

    monkeypatch.setattr(factory, "_make_named", make_named)
    monkeypatch.setattr(factory.sys, "platform", platform)
    with pytest.raises(SandboxError) as error:
        make_sandbox()
    message = str(error.value)
    assert ("Landlock" in message) == (platform == "linux")
    for text in ("no engine", "build-image", "sandbox serve", "unsafe", "doctor"):
        assert text in message


@linux_only
def test_local_by_name_takes_what_there_is_and_says_what_is_missing(caplog):
    with caplog.at_level(logging.WARNING, "sdpo_gym"), contextlib.closing(make_sandbox("local", seccomp=False)):
        pass
    missing = "namespaces" not in LocalSandbox(workers=1, seccomp=False).isolation.network
    assert ("network" in caplog.text) == missing
    with pytest.raises(SandboxError, match="gVisor"):
        make_sandbox("local", require={"kernel"})


@linux_only
@pytest.mark.parametrize("make", [LocalSandbox, UnsafeSandbox])
@pytest.mark.parametrize("python", ["my-python", "./bin/my-python"])
def test_an_interpreter_is_found_as_the_caller_would_find_it(make, python, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "my-python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(make(workers=1, python=python)) as sandbox:
        monkeypatch.chdir("/")
        assert sandbox.run(Program("print(1)", "stdin"), [""])[0].stdout == "1\n"


def test_misuse_is_told():
    with pytest.raises(ValueError, match="banana"):
        make_sandbox("banana")
    with pytest.raises(ValueError, match="flying"):
        make_sandbox(require={"flying"})


def test_a_server_needs_an_address_and_a_token(monkeypatch):
    monkeypatch.delenv(factory.TOKEN_VARIABLE, raising=False)
    monkeypatch.delenv(factory.URL_VARIABLE, raising=False)
    with pytest.raises(SandboxError, match=factory.URL_VARIABLE):
        make_sandbox("remote")
    with pytest.raises(SandboxError, match=factory.TOKEN_VARIABLE):
        make_sandbox("https://127.0.0.1:1")
    monkeypatch.setenv(factory.TOKEN_VARIABLE, "short")
    with pytest.raises(ValueError, match="16"):
        make_sandbox("https://127.0.0.1:1")


class TestUnsafe:
    @pytest.fixture(scope="class")
    def unsafe(self):
        with contextlib.closing(make_sandbox("unsafe", workers=1)) as sandbox:
            yield sandbox

    def test_it_warns_and_reports_nothing(self, caplog):
        with caplog.at_level(logging.WARNING, "sdpo_gym"), contextlib.closing(UnsafeSandbox(workers=1)) as sandbox:
            assert sandbox.isolation.missing(factory.REQUIRED) == sorted(
                factory.REQUIRED, key=["filesystem", "network", "processes", "memory"].index
            )
        assert "isolates nothing" in caplog.text
        with pytest.raises(SandboxError, match="closed"):
            sandbox.run(Program("", "stdin"), [""])

    @pytest.mark.parametrize(
        ("source", "status", "stdout"),
        [
            ("print(int(input()) + 1)", "ok", "4\n"),
            ("import sys\nprint(1)\nsys.exit(1)", "ok", "1\n"),
            ("print(1 / 0)", "exception", ""),
            ("print(", "syntax_error", ""),
            ("while True: pass", "timeout", ""),
            ("while True: print('x' * 1000)", "output_limit", "x" * 1000),
            ("x = [0] * 10 ** 10", "memory", ""),
            ("import os\nos.abort()", "crashed", ""),
        ],
    )
    def test_programs(self, unsafe, source, status, stdout):
        limits = Limits(cpu_seconds=1.0, wall_seconds=2.0, output_bytes=10_000)
        [result] = unsafe.run(Program(source, "stdin"), ["3"], limits)
        assert result.status == status
        assert result.stdout.startswith(stdout)

    def test_functions(self, unsafe):
        program = Program("class Solution:\n    def f(self, a, b): return (a, b)", "function", "f")
        assert unsafe.run(program, ["1\n[2]"])[0].value == (1, [2])
        [result] = unsafe.run(Program("f = lambda: (x for x in '')", "function", "f"), [""])
        assert result.value is OPAQUE
        [result] = unsafe.run(Program("", "function", "f"), [""])
        assert (result.status, result.exception.type) == ("exception", "NameError")

    @linux_only
    def test_failures_read_as_those_of_a_local_sandbox(self, unsafe):
        sources = [
            "def f():\n    raise ValueError(object())\nf()",
            "raise ValueError('\ud800' + 'x' * 9_000)",
            "raise type('E' * 500, (Exception,), {})",
            "exec(compile('\\n' * 99 + '1 / 0', 'Solution.py', 'exec'))",  # a line that the program does not have
            "def f(n): return f(n - 1) if n else 1 / 0\nf(200)",
            "print(",
        ]
        with contextlib.closing(LocalSandbox(workers=1)) as local:
            for source in sources:
                there, here = (s.run(Program(source, "stdin"), [""])[0] for s in (unsafe, local))
                assert (there.status, there.exception) == (here.status, here.exception) and there.exception, source

    def test_stop_ends_the_runs(self, unsafe):
        results = unsafe.run(Program("print(input())", "stdin"), ["a", "b", "c"], stop=lambda i, result: i == 1)
        assert [result.stdout for result in results] == ["a\n", "b\n"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
    def test_a_process_forked_during_a_run_has_a_turn_of_its_own(self, unsafe):
        sleep = Program("import time\ntime.sleep(2)\nprint('slept')", "stdin")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(unsafe.run, sleep, [""])
            time.sleep(0.5)
            pid = os.fork()
            if pid == 0:
                with contextlib.suppress(BaseException):
                    signal.alarm(20)
                    if unsafe.run(Program("print(1)", "stdin"), [""])[0].stdout == "1\n":
                        unsafe.close()
                        os._exit(0)
                os._exit(1)
            assert os.waitpid(pid, 0)[1] == 0
            assert running.result()[0].stdout == "slept\n"
