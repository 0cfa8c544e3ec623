"""RemoteSandbox and its server through their public interfaces: real servers, and fake ones that are hostile."""

import contextlib
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from urllib.parse import urlsplit

import pytest
import servers

pytest.importorskip("fastapi", reason="the sandbox server needs fastapi: pip install 'sdpo-gym[serve]'")
pytest.importorskip("uvicorn", reason="the sandbox server needs uvicorn: pip install 'sdpo-gym[serve]'")

from sandbox.serving import TOKEN, served, start_server

from sdpo_gym.sandbox import Limits, LocalSandbox, Program, SandboxError
from sdpo_gym.sandbox.chunks import answer_chunk
from sdpo_gym.sandbox.remote import RemoteSandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server's LocalSandbox needs Linux")

NAMED = "import ctypes, time\nctypes.CDLL(None).prctl(15, b'asleep', 0, 0, 0)\n"
SLEEP = Program(NAMED + "time.sleep(float(input()))\nprint('slept')", "stdin")
PRINT = Program("print(input())", "stdin")
LIMITS = Limits(cpu_seconds=0.5, wall_seconds=5.0, memory_mb=256, output_bytes=20_000)
NUMBERS = [f"{number}\n" for number in range(20)]


@pytest.fixture(scope="module")
def url():
    with served("--kind", "local", "--workers", "2") as address:
        yield address


@pytest.fixture
def sandbox(url):
    with contextlib.closing(RemoteSandbox(url, TOKEN)) as made:
        yield made


@pytest.fixture(scope="module")
def local():
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


def ask(url, body=b"", *, method="POST", path="/v1/run", token=TOKEN, headers=None):
    """Status, headers and body of one bare request."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    with contextlib.closing(connection):
        all_headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection.request(method, path, body, all_headers | (headers or {}))
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())


def request_body(program=PRINT, inputs=("x",), limits=None, **changes):
    message = {
        "program": program if isinstance(program, dict) else asdict(program),
        "inputs": inputs if isinstance(inputs, str) else list(inputs),
        "limits": asdict(Limits()) | (limits or {}),
        "share": False,
    }
    return json.dumps(message | changes).encode()


class TestResults:
    @pytest.mark.parametrize(
        ("source", "mode"),
        [
            ("print(int(input()) * 2 + 1000)", "stdin"),
            ("n = int(input())\nprint(10 // (n - 7))", "stdin"),
            ("import builtins\nbuiltins.seen = getattr(builtins, 'seen', 0) + 1\nprint(builtins.seen)", "stdin"),
            ("x = (", "stdin"),
            ("n = int(input())\nif n == 3: import os; os._exit(5)\nprint(n)", "stdin"),
            ("n = int(input())\nif n == 3: import os; os.kill(os.getpid(), 9)\nprint(n)", "stdin"),
            ("n = int(input())\nif n == 3:\n    while True: pass\nprint(n)", "stdin"),
            ("n = int(input())\nif n == 3:\n    while True: print('x' * 100)\nprint(n)", "stdin"),
            ("n = int(input())\nx = [0] * 10 ** (9 if n == 3 else 1)\nprint(n)", "stdin"),
            (
                "import socket\ntry: socket.create_connection(('127.0.0.1', 22), 1)\nexcept OSError: print(1)",
                "stdin",
            ),
            ("import os\nprint(dict(os.environ))", "stdin"),
            ("import os\nwhile True: os.fork()", "stdin"),
            ("print('\\0é🙂' * 3000, end='')", "stdin"),
            ("import sys\nsys.stdout.buffer.write(b'\\xff' * 20_000)", "stdin"),
            ("def f(n): return (n, [2 ** 70, float('inf'), {'a': b'x', 1: {n}}], None)", "function"),
            ("def f(n): return object()", "function"),
            ("def f(n): return '\\ud800'", "function"),
            ("class Solution:\n    def f(self, n): return [0] * (10 ** 6 if n == 5 else 3)", "function"),
            ("def f(n): raise ValueError('no ' * 1000 + '\\ud800')", "function"),
            ("class Text(str):\n    def __eq__(self, other): return True\ndef f(n): return Text()", "function"),
        ],
    )
    def test_are_those_of_a_local_sandbox(self, sandbox, local, source, mode):
        program = Program(source, mode, "f" if mode == "function" else None)
        inputs = NUMBERS[:8]

        def facts(results):
            return [(r.status, r.stdout, repr(r.value), r.exception, r.signal) for r in results]

        def accept(index, result):
            return result.stdout in (f"{2 * index + 1000}\n", "1\n") and index != 5

        there, here = (facts(each.run(program, inputs, LIMITS)) for each in (sandbox, local))
        assert there == here
        there, here = (facts(each.run(program, inputs, LIMITS, accept=accept)) for each in (sandbox, local))
        assert there == here

    def test_stop(self, sandbox):
        results = sandbox.run(PRINT, NUMBERS, stop=lambda index, result: index == 11, accept=lambda i, r: True)
        assert [result.stdout for result in results] == NUMBERS[:12]

    def test_total_wall_time(self, sandbox):
        limits = Limits(wall_seconds=0.2, total_wall_seconds=0.3)
        statuses = [result.status for result in sandbox.run(SLEEP, ["9"] * 4, limits)]
        assert statuses == ["timeout", "timeout", "not_run", "not_run"]

    def test_large_inputs_and_outputs(self, sandbox):
        texts = ["7 é🙂\n" * 200_000] * 5
        program = Program("print(sys.stdin.read(), end='')", "stdin")
        for options in ({}, {"accept": lambda index, result: True}):
            results = sandbox.run(program, texts, Limits(output_bytes=4 << 20), **options)
            assert [result.stdout for result in results] == texts

    def test_what_makes_no_sense_is_a_value_error(self, sandbox):
        with pytest.raises(ValueError, match="entry_point"):
            sandbox.run(Program("", "function"), [""])
        with pytest.raises(ValueError, match="input 0"):
            sandbox.run(Program("", "function", "f"), ["[1"])

    def test_workers_and_isolation(self, sandbox, local):
        assert sandbox.workers == 2
        assert sandbox.isolation == local.isolation

    def test_many_threads(self, url):
        with contextlib.closing(RemoteSandbox(url, TOKEN)) as sandbox, ThreadPoolExecutor(24) as pool:

            def double(number):
                program = Program(f"print(int(input()) * {number})", "stdin")
                return [r.stdout for r in sandbox.run(program, NUMBERS, accept=lambda i, r: True)]

            found = list(pool.map(double, range(60)))
        assert found == [[f"{i * number}\n" for i in range(20)] for number in range(60)]

    def test_a_forked_process_has_connections_of_its_own(self, sandbox):
        assert sandbox.run(PRINT, ["1"])[0].stdout == "1\n"
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                if sandbox.run(PRINT, ["2"])[0].stdout == "2\n":
                    os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert sandbox.run(PRINT, ["3"])[0].stdout == "3\n"


class TestServer:
    @pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "é" * 20])
    def test_only_the_token_opens_it(self, url, token):
        headers = {} if token != "é" * 20 else {"Authorization": "Bearer é".encode("latin-1")}
        for method, path in (("POST", "/v1/run"), ("GET", "/v1/info")):
            status, _, answer = ask(
                url, request_body(), method=method, path=path, token=None if headers else token, headers=headers
            )
            assert (status, answer) == (401, {"error": "wrong or missing token"})

    def test_a_wrong_token_is_a_sandbox_error(self, url):
        with contextlib.closing(RemoteSandbox(url, "x" * 20)) as sandbox, pytest.raises(SandboxError, match="token"):
            sandbox.run(PRINT, [""])

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff\xff",
            b"[]",
            b"[" * 100_000,
            request_body(inputs=[]),
            request_body(inputs=[1]),
            request_body(inputs=["x"] * 257),
            request_body(inputs="x"),
            request_body(share=1),
            request_body(more=1),
            request_body(program={"source": "", "mode": "other", "entry_point": None}),
            request_body(program={"source": "", "mode": "function", "entry_point": None}),
            request_body(program={"source": 1, "mode": "stdin", "entry_point": None}),
            request_body(program={"source": "", "mode": "stdin"}),
            request_body(Program("", "function", "f"), ["[1"]),
            *(
                request_body(limits={name: value})
                for name, value in [
                    ("cpu_seconds", 0),
                    ("cpu_seconds", float("nan")),
                    ("cpu_seconds", "1"),
                    ("cpu_seconds", 1e6),
                    ("wall_seconds", -1),
                    ("total_wall_seconds", 1e6),
                    ("memory_mb", 1),
                    ("memory_mb", 10**6),
                    ("memory_mb", 1.5),
                    ("output_bytes", -1),
                    ("output_bytes", 1 << 40),
                    ("more", 1),
                ]
            ),
        ],
    )
    def test_requests_that_make_no_sense(self, url, body):
        status, _, answer = ask(url, body)
        assert status == 422
        assert isinstance(answer["error"], str) and answer["error"]

    def test_other_paths_and_methods(self, url):
        assert ask(url, path="/docs", method="GET")[0] == 404
        assert ask(url, path="/openapi.json", method="GET")[0] == 404
        assert ask(url, path="/v1/run", method="GET")[0] == 405

    def test_a_refusal_reaches_the_client(self, sandbox):
        with pytest.raises(SandboxError, match="this server allows 8192"):
            sandbox.run(PRINT, [""], Limits(memory_mb=100_000))

    def test_bodies_are_bounded(self):
        with served("--kind", "local", "--workers", "1", "--max-body-mb", "16") as url:
            status, _, answer = ask(url, b"x" * (16 << 20) + b"x")
            assert (status, "16777216" in answer["error"]) == (413, True)
            sent = 0

            def endless():
                nonlocal sent
                while True:
                    sent += 1 << 16
                    yield b"x" * (1 << 16)

            with contextlib.suppress(OSError):  # it may hang up before the answer can be read
                assert ask(url, endless())[0] == 413
            assert sent < 128 << 20
            with contextlib.closing(RemoteSandbox(url, TOKEN)) as sandbox:
                with pytest.raises(SandboxError, match="--max-body-mb"):
                    sandbox.run(PRINT, ["x" * (17 << 20)])
                texts = ["\0" * 900_000] * 20  # each small enough, but not all together
                results = sandbox.run(PRINT, texts, accept=lambda index, result: True)
                assert [result.stdout for result in results] == [text + "\n" for text in texts]

    def test_the_queue_is_bounded(self):
        with served("--kind", "local", "--workers", "1", "--queue", "1") as url, ThreadPoolExecutor(8) as pool:
            body = request_body(SLEEP, ["1.5"])
            first = [pool.submit(ask, url, body) for _ in range(6)]
            statuses = sorted(answer.result()[0] for answer in first)
            assert statuses == [200, 200, 503, 503, 503, 503]
            refused = next(answer.result() for answer in first if answer.result()[0] == 503)
            assert refused[1]["Retry-After"] == "1"

            # The client waits for its turn, unless that takes too long.
            with contextlib.closing(RemoteSandbox(url, TOKEN)) as sandbox:
                waiting = [pool.submit(sandbox.run, SLEEP, ["0.2"]) for _ in range(6)]
                assert [run.result()[0].stdout for run in waiting] == ["slept\n"] * 6

    def test_a_full_queue_is_a_sandbox_error_in_the_end(self):
        refusal = b"HTTP/1.1 503 No\r\nContent-Length: 2\r\nRetry-After: 1\r\n\r\n{}"
        with fake_server(refusal) as url:
            sandbox = RemoteSandbox(url, TOKEN, patience_seconds=0.5)
            sandbox._ask_chunk = lambda body, most, deadline: RemoteSandbox._ask_chunk(
                sandbox, body, most, time.monotonic() + 0.5
            )
            with contextlib.closing(sandbox), pytest.raises(SandboxError, match="too long"):
                sandbox.run(PRINT, [""])

    def test_clients_that_leave_in_the_middle_of_a_request_are_no_error_of_the_server(self, capfd):
        with served("--kind", "local", "--workers", "1") as url:
            for _ in range(3):
                with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as client:
                    head = f"POST /v1/run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                    client.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
                    time.sleep(0.2)
            assert ask(url, request_body())[0] == 200
        assert capfd.readouterr().err == ""

    def test_it_ends_with_its_workers(self):
        process, url = start_server("--kind", "local", "--workers", "1")
        with process.stdout:
            assert ask(url, request_body())[0] == 200
            [worker] = children(process.pid)
            process.terminate()
            assert process.wait(30) in (0, -signal.SIGTERM)
        deadline = time.monotonic() + 30
        while os.path.exists(f"/proc/{worker}") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not os.path.exists(f"/proc/{worker}")

    def test_tls(self, tmp_path):
        key, certificate = tmp_path / "key", tmp_path / "certificate"
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=test"
        try:
            subprocess.run(
                [*command.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"cannot make a certificate: {error}")
        options = ("--kind", "local", "--workers", "1", "--certificate", str(certificate), "--key", str(key))
        with served(*options) as url:
            assert url.startswith("https://")
            with contextlib.closing(RemoteSandbox(url, TOKEN, certificate=str(certificate))) as sandbox:
                texts = ["1", "2" * 1_000_000, "3"]
                results = sandbox.run(PRINT, texts, accept=lambda index, result: True)
                assert [result.stdout.strip() for result in results] == texts
            stranger = RemoteSandbox(url, TOKEN, attempts=1)
            with contextlib.closing(stranger), pytest.raises(SandboxError, match="CERTIFICATE_VERIFY_FAILED"):
                stranger.run(PRINT, ["1"])


class TestLoss:
    def test_a_server_that_dies_and_comes_back_too_late(self):
        process, url = start_server("--kind", "local", "--workers", "2")
        with contextlib.closing(RemoteSandbox(url, TOKEN, patience_seconds=2.0)) as sandbox:
            with process.stdout, ThreadPoolExecutor(1) as pool:
                assert sandbox.run(PRINT, ["1"])[0].stdout == "1\n"
                running = pool.submit(sandbox.run, SLEEP, ["60"], Limits(wall_seconds=90))
                while busy(process.pid) < 1:
                    time.sleep(0.05)
                process.kill()
                process.wait()
                with pytest.raises(SandboxError, match=url):
                    running.result(60)
            with pytest.raises(SandboxError):
                sandbox.run(PRINT, ["2"])
            again, same = start_server("--kind", "local", "--workers", "2", port=urlsplit(url).port)
            try:
                assert same == url
                assert sandbox.run(PRINT, ["3"])[0].stdout == "3\n"
            finally:
                again.terminate()
                again.wait(30)
                again.stdout.close()

    def test_a_server_that_has_answered_may_come_back(self):
        process, url = start_server("--kind", "local", "--workers", "1")
        with contextlib.closing(RemoteSandbox(url, TOKEN, attempts=1)) as sandbox, ThreadPoolExecutor(1) as pool:
            with process.stdout:
                assert sandbox.run(PRINT, ["1"])[0].stdout == "1\n"
                process.kill()
                process.wait()
            running = pool.submit(sandbox.run, PRINT, ["2"])
            time.sleep(0.5)
            again, _ = start_server("--kind", "local", "--workers", "1", port=urlsplit(url).port)
            with servers.ended(again):
                assert running.result(60)[0].stdout == "2\n"

    def test_a_worker_that_dies_is_not_noticed(self):
        process, url = start_server("--kind", "local", "--workers", "1")
        with contextlib.closing(RemoteSandbox(url, TOKEN)) as sandbox, process.stdout, ThreadPoolExecutor(1) as pool:
            running = pool.submit(sandbox.run, SLEEP, ["1", "0", "0"])
            while busy(process.pid) < 1:
                time.sleep(0.05)
            for worker in children(process.pid):
                os.kill(worker, signal.SIGKILL)
            assert [result.stdout for result in running.result()] == ["slept\n"] * 3
            process.terminate()
            process.wait(30)

    def test_closing_ends_runs_of_other_threads(self, url):
        sandbox = RemoteSandbox(url, TOKEN)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(sandbox.run, SLEEP, ["2"])
            time.sleep(0.3)
            sandbox.close()
            with pytest.raises(SandboxError, match="closed"):
                running.result(30)
        assert sandbox.closed
        with pytest.raises(SandboxError, match="closed"):
            sandbox.run(PRINT, ["1"])
        sandbox.close()

    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_a_load_balancer_that_has_lost_a_machine_asks_another(self, local, status):
        answers = []

        class Balancer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers.append(status if not answers else 200)
                data = b"<html>" if answers[-1] != 200 else answer_chunk(local, body)
                self.send_response(answers[-1])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        with (
            servers.answering(Balancer) as address,
            contextlib.closing(RemoteSandbox(f"http://{address}", TOKEN)) as sandbox,
        ):
            assert sandbox.run(PRINT, ["1"])[0].stdout == "1\n"
        assert answers == [status, 200]

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        sandbox = RemoteSandbox(f"http://127.0.0.1:{port}", TOKEN, attempts=2)
        with contextlib.closing(sandbox), pytest.raises(SandboxError, match="ConnectionRefusedError"):
            sandbox.run(PRINT, [""])


def answer_with(body, status=b"200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def endless(start, part):
    yield start
    while True:
        yield part


def slowly(data):
    for i in range(len(data)):
        time.sleep(0.2)
        yield data[i : i + 1]


@contextlib.contextmanager
def fake_server(answer):
    """The address of a server that takes one request per connection and answers with these bytes."""

    def talk(connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(1 << 20)
            for part in [answer] if isinstance(answer, bytes) else answer():
                connection.sendall(part)
                if ended.is_set():
                    return

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(30)
                thread = threading.Thread(target=talk, args=(connection,), daemon=True)
                thread.start()

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)


class TestHostileServer:
    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"\0" * 1000,
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08",
            answer_with(b"<html>"),
            answer_with(b"{}"),
            answer_with(b"[" * 100_000),
            answer_with(b"\x80\x04\x95cos\nsystem\n(S'true'\ntR."),
            answer_with(b"", b"500 No"),
            answer_with(b"\xff", b"418 Teapot"),
            answer_with(b"{}", b"999999 No"),
            lambda: endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * (1 << 16)),
            lambda: endless(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * (1 << 16) + b"\r\n"
            ),
            lambda: endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"x" * (1 << 16)),
        ],
    )
    def test_answers_that_are_none(self, answer):
        with fake_server(answer) as url, contextlib.closing(RemoteSandbox(url, TOKEN, attempts=2)) as sandbox:
            with pytest.raises(SandboxError):
                sandbox.run(PRINT, [""])
            with pytest.raises(SandboxError):
                assert sandbox.isolation

    @pytest.mark.parametrize(
        "answer",
        [
            lambda: slowly(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 10_000),
            lambda: slowly(answer_with(b" " * 10_000)),
            lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            lambda: endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
            lambda: slowly(b""),
        ],
    )
    def test_an_answer_that_does_not_end_in_time(self, answer):
        with (
            fake_server(answer) as url,
            contextlib.closing(RemoteSandbox(url, TOKEN, patience_seconds=1.0, attempts=1)) as sandbox,
            pytest.raises(SandboxError),
        ):
            assert sandbox.isolation


class TestArguments:
    @pytest.mark.parametrize("url", ["", "localhost:80", "ftp://x", "http://", "http://x?y=1", "http://x#y"])
    def test_addresses(self, url):
        with pytest.raises(ValueError, match="https://host:port"):
            RemoteSandbox(url, TOKEN)

    @pytest.mark.parametrize("token", ["", "short", "with spaces in it here", "line\nbreak" * 3, "é" * 20])
    def test_tokens(self, token):
        with pytest.raises(ValueError, match="token"):
            RemoteSandbox("http://127.0.0.1:1", token)

    def test_numbers(self):
        for options in ({"attempts": 0}, {"patience_seconds": 0}, {"connect_seconds": -1}):
            with pytest.raises(ValueError):
                RemoteSandbox("http://127.0.0.1:1", TOKEN, **options)

    def test_a_warning_where_the_token_travels_unencrypted(self, caplog):
        for url, warned in [
            ("http://127.0.0.1:1", False),
            ("http://[::1]:1", False),
            ("http://localhost", False),
            ("https://graders.example", False),
            ("http://graders.example", True),
        ]:
            caplog.clear()
            RemoteSandbox(url, TOKEN)
            assert ("unencrypted" in caplog.text) == warned


def children(pid):
    """The direct children of a process."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
            found += map(int, file.read().split())
    return found


def busy(pid):
    """How many of SLEEP's processes the workers of a server have."""
    count = 0
    waiting = children(pid)
    while waiting:
        child = waiting.pop()
        waiting += children(child)
        with contextlib.suppress(OSError), open(f"/proc/{child}/comm") as file:
            count += file.read() == "asleep\n"
    return count
