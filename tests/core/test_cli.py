"""The command `sdpo-gym`, as its users run it."""

import http.server
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import pytest

import sdpo_gym


def command(*words, text=""):
    return subprocess.run(
        [sys.executable, "-m", "sdpo_gym.cli", *map(str, words)],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_list():
    lines = [line.split() for line in command("list").stdout.splitlines()]
    ids = {env_id for env_id in gymnasium.registry if env_id.startswith("sdpo/")}
    assert len(lines) == len(ids) and {line[0] for line in lines} == ids >= set(sdpo_gym.ENVIRONMENTS)
    assert ["sdpo/Gem-v0", "needs", "[gem]"] in lines and ["sdpo/ToolUse-v0"] in lines


def test_an_unknown_id_is_answered_with_those_that_there_are():
    error = command("play", "sdpo/Nothing-v0").stderr
    assert "sdpo/Nothing-v0" in error and "sdpo/Gem-v0" in error and "sdpo/ToolUse-v0" in error


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
class TestSandboxRun:
    def test_a_program(self, tmp_path):
        file = tmp_path / "program.py"
        file.write_text("print(int(input()) * 2)")
        done = command("sandbox", "run", file, text="21\n")
        assert (done.returncode, done.stdout) == (0, "42\n")
        assert done.stderr.startswith("[ok, ")

    def test_a_program_with_a_byte_order_mark(self, tmp_path):
        file = tmp_path / "program.py"
        file.write_text("print(1)", encoding="utf-8-sig")
        assert command("sandbox", "run", file).stdout == "1\n"

    def test_a_function(self, tmp_path):
        file = tmp_path / "program.py"
        file.write_text("def f(a, b): return a + b")
        done = command("sandbox", "run", file, "--function", "f", text="[1]\n[2]")
        assert (done.returncode, done.stdout) == (0, "[1, 2]\n")

    def test_a_failure(self, tmp_path):
        file = tmp_path / "program.py"
        file.write_text("x = 1\nprint(x / 0)")
        done = command("sandbox", "run", file)
        assert (done.returncode, done.stdout) == (1, "")
        assert f'File "{file}", line 2, in <module>\nZeroDivisionError: division by zero' in done.stderr

    def test_without_standard_input(self, tmp_path):
        file = tmp_path / "program.py"
        file.write_text("print(repr(sys.stdin.read()))")
        words = [sys.executable, "-m", "sdpo_gym.cli", "sandbox", "run", str(file)]
        done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh", *words], capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout) == (0, "''\n"), done.stderr

    def test_a_long_limit_of_cpu_time_is_kept(self, tmp_path, monkeypatch):
        """It is what the sandbox is asked for, here a server that notes it and fails."""
        asked = []

        class Server(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["limits"])
                self.send_error(500)

            def log_message(self, *args):
                pass

        file = tmp_path / "program.py"
        file.write_text("print(1)")
        monkeypatch.setenv("SDPO_GYM_SANDBOX_TOKEN", "a-token-for-tests-alone")
        with http.server.HTTPServer(("127.0.0.1", 0), Server) as server, ThreadPoolExecutor(1) as pool:
            pool.submit(server.handle_request)
            url = f"http://127.0.0.1:{server.server_port}"
            command("sandbox", "run", file, "--kind", url, "--cpu-seconds", "100")
        [limits] = asked
        assert limits["cpu_seconds"] == 100 and limits["total_wall_seconds"] >= 200

    def test_doctor(self):
        done = command("doctor")
        assert done.returncode == 0, done.stdout
        for text in ("gymnasium", "local sandbox", "filesystem", "seccomp", "docker sandbox"):
            assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sandbox", "run", "/nowhere.py"], "/nowhere.py: No such file or directory"),
        (["sandbox", "run", __file__, "--kind", "banana"], "unknown kind of sandbox 'banana'"),
        (["sandbox", "run", __file__, "--memory-mb", "1"], "memory_mb must be at least 64, not 1"),
        (["sandbox", "serve", "--kind", "remote", "--workers", "2"], "--workers is of no use with --kind remote"),
        (["sandbox", "build-image", "--base", "python"], "must end in a digest"),
        (["dataset", "build", "/nowhere", "--output", "rows.jsonl"], "no folder in it holds a problem.json"),
        (["dataset", "build", "/nowhere"], "--output FILE"),
        (["fly"], "invalid choice: 'fly'"),
    ],
)
def test_misuse_is_one_line_and_an_exit_code(words, message):
    done = command(*words)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_version():
    assert command("--version").stdout == f"sdpo-gym {sdpo_gym.__version__}\n"


@pytest.mark.parametrize(
    ("words", "variable"),
    [
        (["serve", "sdpo/ToolUse-v0", "--port", "0"], "SDPO_GYM_SERVE_TOKEN"),
        (["sandbox", "serve", "--port", "0"], "SDPO_GYM_SANDBOX_TOKEN"),
        (["sandbox", "run", __file__, "--kind", "http://127.0.0.1:1"], "SDPO_GYM_SANDBOX_TOKEN"),
    ],
)
def test_a_short_token_is_named(words, variable, monkeypatch):
    pytest.importorskip("uvicorn", reason="the server needs the extra [serve]")
    monkeypatch.setenv(variable, "secret")
    done = command(*words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f"{variable} must have 16 or more" in done.stderr and "it has 6 characters" in done.stderr


def test_a_server_needs_a_token(monkeypatch):
    monkeypatch.delenv("SDPO_GYM_SANDBOX_TOKEN", raising=False)
    pytest.importorskip("uvicorn", reason="the server needs the extra [serve]")
    done = command("sandbox", "serve", "--port", "0")
    assert done.returncode == 2
    assert "SDPO_GYM_SANDBOX_TOKEN" in done.stderr and "--new-token" in done.stderr
