"""Hostile programs, graded as a model's responses are: none is taken for right, harms anything or leaves anything."""

import contextlib
import glob
import itertools
import os
import secrets
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from sandbox.hostile import PROGRAMS

from envs.livecodebench import rows
from envs.livecodebench.judge import judge
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym import Task
from sdpo_gym.sandbox import Limits, LocalSandbox, Program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

REPOSITORY = Path(__file__).parents[2]
CPU_SECONDS = 0.15
MEMORY_MB = 256
LIMITS = Limits(cpu_seconds=CPU_SECONDS, wall_seconds=0.5, total_wall_seconds=20.0, memory_mb=MEMORY_MB)
HONEST_LIMITS = Limits(cpu_seconds=5.0, wall_seconds=60.0, memory_mb=MEMORY_MB)
END_SECONDS = 10.0
FIRST_PRIVATE_UID = 1_900_000_000
"""From here on are the users that only programs run as."""

SOLVED = 2
"""So many tests have the answer that hostile programs give; the answers to the others cannot be known."""


def numbers(count):
    return [secrets.randbelow(10**9) + 10**17 for _ in range(count)]


class World:
    """What programs could read, change, reach or kill; and how to see whether they did."""

    def __init__(self) -> None:
        self.token = f"sdpo{secrets.token_hex(6)}"
        self.canary = f"CANARY{secrets.token_hex(6)}"
        self.variable = f"SECRET_{self.token.upper()}"
        self.folder = Path(tempfile.mkdtemp(prefix="hostile-", dir="/tmp"))
        self.folder.chmod(0o777)
        self._stack = contextlib.ExitStack()
        self._stack.callback(shutil.rmtree, self.folder)
        self.answers = numbers(2)
        self._files = [self._write("open.txt", 0o644), self._write("closed.txt", 0o600), self._write("any.txt", 0o777)]
        self._listen()
        self.victim = subprocess.Popen(["sleep", "3600"])
        self._stack.callback(self.victim.wait)
        self._stack.callback(self.victim.kill)
        self._before = self._contents()

    def close(self) -> None:
        self._stack.close()

    def _write(self, name: str, mode: int) -> str:
        path = self.folder / name
        path.write_text(f"{self.canary} {self.answers}\n")
        path.chmod(mode)
        return str(path)

    def _listen(self) -> None:
        self.listeners = {}
        for name, kind, address in (
            ("tcp", socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("udp", socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.SOCK_STREAM, str(self.folder / "socket")),
            ("abstract", socket.SOCK_STREAM, f"\0{self.token}"),
            ("abstract-datagram", socket.SOCK_DGRAM, f"\0{self.token}-datagram"),
        ):
            family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
            listener = self._stack.enter_context(socket.socket(family, kind))
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
            self.listeners[name] = listener
        (self.folder / "socket").chmod(0o777)

    @property
    def targets(self):
        """What the programs are told, which is more than a real one could know."""
        home = os.path.expanduser("~")
        return {
            "marker": self.token[:15],
            "token": self.token,
            "variable": self.variable,
            "host": os.getpid(),
            "victim": self.victim.pid,
            "uid": os.getuid(),
            "port": self.listeners["tcp"].getsockname()[1],
            "udp_port": self.listeners["udp"].getsockname()[1],
            "unix": str(self.folder / "socket"),
            "abstract": self.token,
            "files": [
                *self._files,
                str(REPOSITORY / "envs/livecodebench/problems.jsonl"),
                str(REPOSITORY / "sdpo_gym/sandbox/pool.py"),
                *("/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/1/environ", f"/proc/{os.getpid()}/environ"),
                *(f"{home}/{name}" for name in (".ssh/id_rsa", ".netrc", ".bash_history", ".cache/huggingface/token")),
            ],
            "folders": [
                str(self.folder),
                "/",
                "/tmp",
                "/var/tmp",
                "/dev/shm",
                home,
                f"{home}/.ssh",
                os.getcwd(),
                "/etc",
            ],
            "packages": [str(REPOSITORY), str(REPOSITORY / "tests"), *site.getsitepackages()],
        }

    def _contents(self):
        return {path.name: (path.stat().st_mode, path.stat().st_size) for path in self.folder.iterdir()}

    def check(self) -> None:
        """Fail if anything was changed, reached, killed or left behind."""
        assert self._contents() == self._before
        targets = self.targets
        for folder in {*targets["folders"], *targets["packages"], *sys.path, os.path.dirname(os.__file__)}:
            assert glob.glob(f"{folder}/*{self.token}*") == []
        assert glob.glob(f"{os.path.dirname(os.__file__)}/__pycache__/*{self.token}*") == []
        for name, listener in self.listeners.items():
            with pytest.raises(BlockingIOError):
                print(name, listener.recv(100) if listener.type == socket.SOCK_DGRAM else listener.accept())
        assert self.victim.poll() is None
        assert Path(f"/proc/{self.victim.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
        assert os.getpriority(os.PRIO_PROCESS, self.victim.pid) == 0
        deadline = time.monotonic() + END_SECONDS
        while left := self.left_behind():
            assert time.monotonic() < deadline, f"left running: {left}"
            time.sleep(0.01)

    def left_behind(self) -> list[str]:
        """Threads that bear the programs' name, or belong to a user that only programs of this process run as."""
        found = []
        for path in glob.glob("/proc/[0-9]*/task/[0-9]*/status"):
            with contextlib.suppress(OSError):
                fields = dict(line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
                uid = int(fields["Uid"].split()[0])
                private = uid >= FIRST_PRIVATE_UID and os.getpid() in ancestors(int(fields["Pid"]))
                if fields["Name"].strip() == self.token[:15] or private:
                    found.append(f"{path} {fields['Name']} {fields['State']}")
        return found

    def check_text(self, text: str) -> None:
        """Fail if a secret stands in what came out of a program, or the program says that it got through."""
        assert "BREACH" not in text
        assert self.canary not in text
        assert not [answer for answer in self.answers if str(answer) in text]


def ancestors(pid):
    found = []
    while pid > 1:
        found.append(pid)
        with contextlib.suppress(OSError):
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            continue
        break
    return found


@pytest.fixture(scope="module")
def world():
    with contextlib.closing(World()) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv(made.variable, made.canary)
        yield made


@dataclass
class Backend:
    """A sandbox with one worker."""

    sandbox: object
    local: bool

    def workers(self):
        """The workers' processes; unknown where they are not this process's children."""
        if not self.local:
            return None
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return {pid for pid in children if b"sandbox/worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@contextlib.contextmanager
def docker():
    engine = pytest.importorskip("sandbox.docker_engine")
    pool = pytest.importorskip("sdpo_gym.sandbox.docker_pool", reason="there is no DockerSandbox")
    image = pytest.importorskip("sdpo_gym.sandbox.docker_image")
    with engine.running_engine() as base_url:
        image.build_image(base_url=base_url)
        with contextlib.closing(pool.DockerSandbox(workers=1, base_url=base_url)) as sandbox:
            yield Backend(sandbox, local=False)


@contextlib.contextmanager
def local(namespaces):
    with contextlib.closing(LocalSandbox(workers=1, namespaces=namespaces)) as sandbox:
        yield Backend(sandbox, local=True)


BACKENDS = {"local": lambda: local(True), "local-without-namespaces": lambda: local(False), "docker": docker}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request, world):
    with BACKENDS[request.param]() as made:
        assert honest_passes(made.sandbox, world)
        yield made


def text_of(value):
    try:
        return repr(value)
    except ValueError:  # an integer too long to be written in decimal
        return hex(value)


def make_task(world, mode):
    """Twice a number, but for the hidden tests, which only who sees the answer key can pass."""
    known = [rows.Test(str(x), str(2 * x), visible=x == 1) for x in range(1, SOLVED + 1)]
    unknown = [rows.Test(str(x), str(answer), visible=False) for x, answer in enumerate(world.answers, SOLVED + 1)]
    return Task("twice", "", make_answer_key("f" if mode == "function" else None, known + unknown)), known + unknown


def honest_passes(sandbox, world):
    """Whether an honest program is graded right. Its source, inputs and outputs hold the canary."""
    texts = [f"{world.canary} {word}" for word in ("one", "two", "three")]
    tests = [rows.Test(text, text[::-1], visible=text.endswith("one")) for text in texts]
    task = Task("reversed", "", make_answer_key(None, tests))
    verifier = LiveCodeBenchVerifier(sandbox, time_limit=HONEST_LIMITS.cpu_seconds, memory_mb=MEMORY_MB)
    right = verifier.verify(task, f"```python\nprint(input()[::-1])  # {world.canary}\n```")
    wrong = verifier.verify(task, f"```python\nprint(input())  # {world.canary}\n```")
    return right.success and not wrong.success


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_hostile_program(backend, world, program):
    if program.x86_64_only and os.uname().machine != "x86_64":
        pytest.skip("makes system calls by their numbers on x86-64")
    source = program.text(world.targets)
    task, tests = make_task(world, program.mode)
    workers = backend.workers()

    verifier = LiveCodeBenchVerifier(
        backend.sandbox, time_limit=CPU_SECONDS, memory_mb=MEMORY_MB, feedback="full", echo_response=True
    )
    verdict = verifier.verify(task, f"```python\n{source}\n```")
    assert not verdict.success
    assert verdict.reward == 0.0
    assert verdict.metrics["tests_passed_fraction"] <= SOLVED / len(tests)
    world.check_text(f"{verdict.feedback}{verdict.feedback_items}".replace(source, ""))

    raw = Program(source, program.mode, "f" if program.mode == "function" else None)
    functional = program.mode == "function"
    shared = backend.sandbox.run(
        raw,
        [test.input for test in tests],
        LIMITS,
        accept=lambda index, result: judge(tests[index], result, functional=functional).passed,
        stop=lambda _, result: result.status != "ok",
    )
    alone = backend.sandbox.run(raw, [test.input for test in tests], LIMITS) if shared[0].status == "ok" else []
    for result in shared + alone:
        world.check_text(f"{result.stdout}{text_of(result.value)}{result.exception}")
    assert shared[0].status in (*program.observed, "timeout")  # a slow machine may come to the time limit first
    for results in (shared, alone):
        assert (
            not all(
                judge(test, result, functional=functional).passed for test, result in zip(tests, results, strict=False)
            )
            or not results
        )

    assert honest_passes(backend.sandbox, world)
    world.check()
    assert backend.workers() == workers


def test_the_suite_is_large_and_varied():
    names = [program.name for program in PROGRAMS]
    assert len(names) == len(set(names)) >= 64
    assert len({program.family for program in PROGRAMS}) >= 16


def test_breaches_would_be_seen(world):
    """The checks of this file fail when a program without a sandbox does what hostile ones try."""
    targets = world.targets
    for text in (f"BREACH {targets['port']}", world.canary, str(world.answers[1])):
        with pytest.raises(AssertionError):
            world.check_text(text)
    for program in itertools.chain(p for p in PROGRAMS if p.name in ("open_files", "connect")):
        done = subprocess.run(
            [sys.executable, "-c", program.text(targets)], input=b"1", capture_output=True, timeout=60, cwd=world.folder
        )
        assert b"BREACH" in done.stdout, program.name
        with pytest.raises(AssertionError):
            world.check_text(done.stdout.decode("utf-8", "replace"))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        world.check()
