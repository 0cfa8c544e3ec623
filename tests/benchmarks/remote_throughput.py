"""A server that is asked twice per submission, beside one asked once per test.

    python tests/benchmarks/remote_throughput.py

The problems, solutions and tests of sandbox_throughput.py. The other server is written here, after the process model of
graders that offer one test per call: it puts the program into a file and starts an interpreter for it. It isolates
nothing. Both servers run on this machine, in processes of their own, and as many submissions are under way as it has
CPUs.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from sandbox_throughput import TESTS, Problem, answers, make_problems, ours  # noqa: E402

from envs.livecodebench.verifier import LiveCodeBenchVerifier  # noqa: E402
from sdpo_gym.sandbox import LocalSandbox  # noqa: E402
from sdpo_gym.sandbox.remote import RemoteSandbox  # noqa: E402

TOKEN = "benchmark-token-on-loopback-only"
ONE_PER_CALL = """
import http.server, json, subprocess, sys, tempfile
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(job["code"]); file.flush()
            command = [sys.executable, "-I", file.name]
            done = subprocess.run(command, input=job["stdin"], capture_output=True, text=True, timeout=10)
        body = json.dumps({"stdout": done.stdout, "code": done.returncode}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("serving on http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def server(command: list[str], **environment: str) -> Iterator[int]:
    """A server process; its port."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait()


def as_program(problem: Problem) -> str:
    """A solution that reads standard input, whatever the problem asks for."""
    if problem.entry_point is None:
        return problem.code
    call = f"Solution().{problem.entry_point}(*map(json.loads, sys.stdin.read().splitlines()))"
    return f"import json, sys\n{problem.code}\nprint(json.dumps({call}))"


def one_call_per_test(port: int, jobs: list[tuple[Problem, list[str]]], at_once: int) -> float:
    """Submissions per second."""
    connections = threading.local()

    def grade(job: tuple[Problem, list[str]]) -> bool:
        problem, expected = job
        if not hasattr(connections, "own"):
            connections.own = http.client.HTTPConnection("127.0.0.1", port)
        code = as_program(problem)
        for text, output in zip(problem.inputs, expected, strict=True):
            connections.own.request("POST", "/run", json.dumps({"code": code, "stdin": text}))
            answer = json.loads(connections.own.getresponse().read())
            if answer["stdout"].split() != output.split():
                return False
        return True

    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as threads:
        assert all(threads.map(grade, jobs))
    return len(jobs) / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=20, help="of each problem, in each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cpus = len(os.sched_getaffinity(0))
    with contextlib.closing(LocalSandbox()) as local:
        problems = [(problem, answers(local, problem)) for problem in make_problems()]
    serve = [sys.executable, "-m", "sdpo_gym.cli", "sandbox", "serve", "--port", "0"]
    with (
        server([sys.executable, "-c", ONE_PER_CALL]) as plain_port,
        server(serve, SDPO_GYM_SANDBOX_TOKEN=TOKEN, PYTHONPATH=str(ROOT)) as port,
        contextlib.closing(RemoteSandbox(f"http://127.0.0.1:{port}", TOKEN)) as remote,
    ):
        verifier = LiveCodeBenchVerifier(remote)
        print(f"{cpus} CPUs, {TESTS} tests; submissions per second, median of {options.rounds}")
        print(f"{'':24}{'a call per test':>18}{'RemoteSandbox':>16}{'ratio':>8}")
        for name, jobs in (("the four light ones", [job for job in problems if job[0].light]), ("all five", problems)):
            theirs, mine = [], []
            for _ in range(options.rounds):
                theirs.append(one_call_per_test(plain_port, jobs, cpus))
                mine.append(ours(verifier, jobs * options.submissions))
            a, b = statistics.median(theirs), statistics.median(mine)
            print(f"{name:24}{a:18.2f}{b:16.1f}{b / a:8.1f}")


if __name__ == "__main__":
    main()
