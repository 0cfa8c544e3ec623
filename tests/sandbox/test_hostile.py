"""Hostile programs, graded as a model's responses are: none is taken for right, harms anything or leaves anything."""

import contextlib
import itertools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sandbox.docker_engine import running_engine
from sandbox.hostile import PROGRAMS
from sandbox.hostile.world import World

from envs.livecodebench import rows
from envs.livecodebench.judge import judge
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym import Task
from sdpo_gym.sandbox import Limits, LocalSandbox, Program, docker_engine
from sdpo_gym.sandbox.docker_image import build_image
from sdpo_gym.sandbox.docker_pool import DockerSandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")

UNPOSED = ({"role": "user", "content": ""},)
CPU_SECONDS = 0.15
MEMORY_MB = 256
LIMITS = Limits(cpu_seconds=CPU_SECONDS, wall_seconds=0.5, total_wall_seconds=20.0, memory_mb=MEMORY_MB)
HONEST_LIMITS = Limits(cpu_seconds=5.0, wall_seconds=60.0, memory_mb=MEMORY_MB)

SOLVED = 2
"""So many tests have the answer that hostile programs give; the answers to the others cannot be known."""

SEE_THE_IMAGE = {
    *("open_files", "open_in_c", "folders", "devices", "magic_links", "well_behaved_at_first"),
    *("memory_of_others", "itself_in_proc", "copy_memory"),
}
"""Without Landlock, which gVisor's kernel lacks, these read what the image holds and how /proc describes processes."""


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
    landlock: bool = True

    def workers(self):
        """The workers' processes; unknown where they are not this process's children."""
        if not self.local:
            return None
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return {pid for pid in children if b"sandbox/worker" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@contextlib.contextmanager
def docker(runtime=None):
    with running_engine() as base_url:
        with contextlib.closing(docker_engine.connect(base_url)) as client:
            if runtime is not None and runtime not in client.info()["Runtimes"]:
                pytest.skip(f"the engine has no runtime {runtime}")
        build_image(base_url=base_url)
        with contextlib.closing(DockerSandbox(workers=1, runtime=runtime, base_url=base_url)) as sandbox:
            yield Backend(sandbox, local=False, landlock=runtime != "runsc")


@contextlib.contextmanager
def local(namespaces):
    with contextlib.closing(LocalSandbox(workers=1, namespaces=namespaces)) as sandbox:
        yield Backend(sandbox, local=True)


BACKENDS = {
    "local": lambda: local(True),
    "local-without-namespaces": lambda: local(False),
    "docker": docker,
    "gvisor": lambda: docker("runsc"),
}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request, world):
    if request.param == "gvisor" and not os.environ.get("SDPO_GYM_TEST_GVISOR"):
        pytest.skip("takes several minutes; set SDPO_GYM_TEST_GVISOR=1")
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
    tests = known + unknown
    return Task("twice", UNPOSED, make_answer_key("f" if mode == "function" else None, tests)), tests


def honest_passes(sandbox, world):
    """Whether an honest program is graded right. Its source, inputs and outputs hold the canary."""
    texts = [f"{world.canary} {word}" for word in ("one", "two", "three")]
    tests = [rows.Test(text, text[::-1], visible=text.endswith("one")) for text in texts]
    task = Task("reversed", UNPOSED, make_answer_key(None, tests))
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
    sees_image = not backend.landlock and program.name in SEE_THE_IMAGE

    verifier = LiveCodeBenchVerifier(
        backend.sandbox, time_limit=CPU_SECONDS, memory_mb=MEMORY_MB, feedback="full", echo_response=True
    )
    verdict = verifier.verify(task, f"```python\n{source}\n```")
    assert not verdict.success
    assert verdict.reward == 0.0
    assert verdict.metrics["tests_passed_fraction"] <= SOLVED / len(tests)
    world.check_text(f"{verdict.feedback}{verdict.feedback_items}".replace(source, ""), breaches=sees_image)

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
        world.check_text(f"{result.stdout}{text_of(result.value)}{result.exception}", breaches=sees_image)
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


REMEMBERING = """
import fcntl, os
word = 0  #MARK
seen = [word]
for fd in range(3, 64):
    try: text = os.pread(fd, 100_000, 0)
    except OSError: continue
    seen.append(b"left" b"over" in text)
    if b"#" b"MARK" in text:
        try: os.pwrite(fd, text.replace(b"word = 0", b"word = 1"), 0)
        except OSError: pass
for fd in range(64):
    try:
        seen += [os.lseek(fd, 0, os.SEEK_CUR) == 1234567, fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND]
    except OSError: pass
for fd in range(64):
    try:
        os.lseek(fd, 1234567, os.SEEK_SET)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_APPEND)
    except OSError: pass
for fd in range(64):
    try: os.pwrite(fd, b"left" b"over", 50_000)
    except OSError: pass
os.lseek(1, 0, os.SEEK_SET)
os.ftruncate(1, 0)
os.write(1, str(any(seen)).encode())
os._exit(0)
"""


def test_nothing_is_kept_from_one_process_to_the_next(backend):
    """What a program does to the descriptors that it is given is gone with it: its text, offsets and flags."""
    for _ in range(2):
        results = backend.sandbox.run(Program(REMEMBERING, "stdin"), ["1", "2"], HONEST_LIMITS)
        assert [(result.status, result.stdout) for result in results] == [("ok", "False")] * 2


MARKING = """
import os, _thread
most, lock = os.getpid() + 150, _thread.allocate_lock()
def note():
    global most
    most = 0 if _thread.get_native_id() >= most else most
    lock.release()
while most:
    lock.acquire()
    _thread.start_new_thread(note, ())
print("marked")
"""


def test_numbers_of_processes_say_nothing_about_others(backend):
    if backend.local and "namespaces" not in backend.sandbox.isolation.processes:
        pytest.skip("processes have the machine's numbers")
    if not backend.local:
        pytest.skip("the container's numbers of processes cannot be chosen from within")
    ask = Program("import os\nprint(os.getpid())", "stdin")
    before = backend.sandbox.run(ask, [""])[0].stdout
    assert backend.sandbox.run(Program(MARKING, "stdin"), [""], HONEST_LIMITS)[0].stdout == "marked\n"
    assert backend.sandbox.run(ask, [""])[0].stdout == before


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
