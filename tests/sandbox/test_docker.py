"""DockerSandbox through its public interface, with a real engine."""

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import servers
from sandbox.docker_engine import running_engine
from sandbox.running import call, output, run

from sdpo_gym.sandbox import OPAQUE, Limits, LocalSandbox, Program, SandboxError, docker_engine, docker_image
from sdpo_gym.sandbox.docker_image import build_image, default_tag
from sdpo_gym.sandbox.docker_pool import DockerSandbox

QUICK = Limits(cpu_seconds=0.3, wall_seconds=20.0)


@pytest.fixture(scope="module")
def engine():
    with running_engine() as base_url:
        import docker

        with contextlib.closing(docker_engine.connect(base_url)) as client:
            before = client.images.list(default_tag())
            assert build_image(base_url=base_url) == default_tag()
            for image in before:
                with contextlib.suppress(docker.errors.APIError):  # somebody uses it
                    client.images.remove(image.id)
        yield base_url


@pytest.fixture(scope="module")
def client(engine):
    import docker

    with contextlib.closing(docker.DockerClient(engine) if engine else docker.from_env()) as made:
        yield made


@pytest.fixture(scope="module")
def sandbox(engine):
    with contextlib.closing(DockerSandbox(workers=1, base_url=engine)) as made:
        yield made


@pytest.fixture(scope="module")
def gvisor(client, engine):
    if "runsc" not in client.info()["Runtimes"]:
        pytest.skip("the engine has no runtime runsc")
    with contextlib.closing(DockerSandbox(workers=1, runtime="runsc", base_url=engine)) as made:
        yield made


@pytest.fixture(scope="module")
def local():
    if sys.platform != "linux":
        pytest.skip("LocalSandbox needs Linux")
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


@pytest.fixture
def own_sandbox(engine):
    """For tests that harm it."""
    with contextlib.closing(DockerSandbox(workers=1, base_url=engine)) as made:
        yield made


def comparable(result):
    """All but the times."""
    return (result.status, result.stdout, result.value, result.exception, result.signal, result.fresh)


def containers(client):
    """The ids of the containers of workers."""
    return {container["Id"] for container in client.api.containers(all=True, filters={"label": "sdpo-gym.owner"})}


@contextlib.contextmanager
def new_container(client, sandbox):
    """The container that a sandbox starts meanwhile."""
    before = containers(client)
    output(sandbox, "")
    [new] = containers(client) - before
    yield client.containers.get(new)


def wait_until(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class TestSameResultsAsLocal:
    @pytest.mark.parametrize(
        "source",
        [
            "print('Hello,', input() + '!')",
            "import sys\nsys.stdout.buffer.write(b'a\\xff' + sys.stdin.buffer.read())",
            "print(int(input()))",
            "print(1)\nraise ValueError(object())",
            "def f(:",
            "def f(n): return n and 1 + f(n - 1)\nprint(f(20_000))",
            "print(random.random(), hash('x'), {'a', 'b', 'c'})",
            "print(deque([gcd(4, 6)]), math.pi > 3)",
            "import asyncio, decimal, fractions, sqlite3, zoneinfo\nprint(zoneinfo.ZoneInfo('UTC'))",
            "import os\nprint(dict(os.environ), os.path.exists('/tmp/x'), sys.flags)",
            "import os\nos._exit(3)",
            "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
            "import threading\nthreading.Thread(target=lambda: print(input())).start()",
            "print('x' * (2 << 20))",
            "while True: pass",
            "x = [0] * (1 << 31)",
            "import numpy\nprint(numpy.arange(3) @ numpy.arange(3), numpy.__version__)",
            "import wire",
            "import gymnasium",
            "import os\nprint(os.fork())",
            "import socket\nsocket.create_connection(('127.0.0.1', 80))",
            "try: open('/etc/passwd')\nexcept OSError: print('none')",
            "try: open('/tmp/x', 'w')\nexcept OSError: print('none')",
            "import os\nos.kill(1, 9)",
        ],
    )
    def test_standard_input(self, sandbox, local, source):
        results = [run(tested, source, "Ada\n", QUICK) for tested in (sandbox, local)]
        assert comparable(results[0]) == comparable(results[1])

    @pytest.mark.parametrize(
        "source",
        [
            "def f(a, b): return a + b",
            "class Solution:\n    def f(self, a, b): return {(len(a), 1.5): {None, True, b'x'}, '': 10 ** 400}",
            "def f(a, b): return Counter(a)",
            "def f(a, b): return f(a, b)",
            "def g(): pass",
        ],
    )
    def test_function(self, sandbox, local, source):
        results = [call(tested, source, "[1, 2]\n[3]") for tested in (sandbox, local)]
        assert comparable(results[0]) == comparable(results[1])
        if "Counter" in source:
            assert results[0].value is OPAQUE

    @pytest.mark.parametrize(
        "source",
        [
            "print(int(input()) * 2)",
            "import sys\nsys.seen = getattr(sys, 'seen', 0) + 1\nprint(int(input()) * 2)\nif sys.seen > 2: print('!')",
            "n = int(input())\nprint(n * 2 if n < 4 else 0)",
            "n = int(input())\nif n == 3: raise KeyError(n)\nprint(n * 2)",
        ],
    )
    def test_accepting_and_stopping(self, sandbox, local, source):
        def judged(tested):
            asked = []

            def accept(index, result):
                asked.append((index, result.stdout, result.fresh))
                return result.stdout == f"{index * 2}\n"

            def stop(index, result):
                return not accept(index, result)

            texts = [f"{n}\n" for n in range(8)]
            results = tested.run(Program(source, "stdin"), texts, accept=accept, stop=stop)
            return list(map(comparable, results)), asked

        assert judged(sandbox) == judged(local)

    def test_large_input_and_output(self, sandbox):
        text = "7 é🙂\n" * 300_000
        result = run(sandbox, "text = sys.stdin.read()\nprint(len(text), text)", text, Limits(output_bytes=16 << 20))
        assert result.stdout == f"{len(text)} {text}\n"


# What the container itself forbids: asked by a process that the worker did not start.
PROBE = """
import os, socket

def error(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.strerror

with open("/proc/self/status") as file:
    status = dict(line.rstrip().split(":\\t") for line in file if ":\\t" in line)
limits = []
for path in ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"):
    if os.path.exists(path):
        limits.append(int(open(path).read()))
print(os.getuid(), os.getgid(), status["CapBnd"], status["NoNewPrivs"], status["Seccomp"], sep="|", end="|")
print(limits, os.listdir("/sys/class/net"), sep="|", end="|")
print(*(error(os.mkdir, path) for path in ("/x", "/tmp/x", "/dev/shm/x")), sep="|")
"""


class TestIsolation:
    def test_the_container_without_the_worker(self, client, own_sandbox):
        with new_container(client, own_sandbox) as container:
            code, said = container.exec_run(["python3", "-c", PROBE])
        *facts, memory, interfaces, root, tmp, shm = said.decode().strip().split("|")
        assert (code, facts) == (0, ["65534", "65534", "0000000000000000", "1", "2"])
        assert (memory, interfaces) == (f"[{2048 << 20}]", "['lo']")
        assert (root, tmp) == ("Read-only file system",) * 2
        assert shm in ("Read-only file system", "No such file or directory")

    def test_programs_are_unprivileged_and_find_nothing(self, sandbox):
        source = """
            import os
            def tell(function, *arguments):
                try:
                    return function(*arguments)
                except OSError as error:
                    return type(error).__name__
            print(os.getuid() != 0, os.environ, tell(os.listdir, "/"))
            print(tell(open, "/proc/1/environ"), tell(os.listdir, "/proc/1/fd"))
        """
        assert output(sandbox, source) == "True environ({}) PermissionError\nPermissionError PermissionError\n"

    def test_more_memory_than_a_container_has(self, sandbox):
        with pytest.raises(ValueError, match="1536 in containers of 2048 MB"):
            run(sandbox, "", limits=Limits(memory_mb=1537))
        result = run(sandbox, "x = bytearray(1700 << 20)", limits=Limits(memory_mb=1536))
        assert result.status == "memory"

    def test_the_report(self, sandbox):
        report = sandbox.isolation
        assert report.missing({"filesystem", "network", "processes", "memory"}) == []
        assert report.network.startswith("container without network")
        assert report.filesystem.startswith("read-only container")
        assert "cgroup" in report.memory
        assert report.kernel == "shared"


class TestGvisor:
    def test_its_kernel(self, gvisor):
        assert gvisor.isolation.kernel == "gvisor"
        assert os.uname().version not in output(gvisor, "import os\nprint(os.uname())")

    @pytest.mark.parametrize(
        "source", ["print(input())", "1 / 0", "x = [0] * (1 << 31)", "while True: pass", "import os\nos.fork()"]
    )
    def test_same_results_as_local(self, gvisor, local, source):
        results = [run(tested, source, "Ada\n", QUICK) for tested in (gvisor, local)]
        assert comparable(results[0]) == comparable(results[1])

    def test_programs_cannot_speak_for_the_worker(self, gvisor):
        source = """
            import os
            for fd in map(int, os.listdir("/proc/1/fd")):
                name = os.readlink(f"/proc/1/fd/{fd}")
                if name.startswith(("pipe", "host", "socket")):
                    try:
                        os.write(os.open(f"/proc/1/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK), bytes(100))
                    except PermissionError:
                        continue
                    print(name)
        """
        assert output(gvisor, source) == ""

    def test_programs_leave_nothing_for_later_ones(self, gvisor):
        assert run(gvisor, "open('/tmp/x', 'w')").status == "exception"


class TestLife:
    def test_a_container_that_is_killed_during_a_run(self, client, own_sandbox):
        with new_container(client, own_sandbox) as container, ThreadPoolExecutor(1) as pool:
            running = pool.submit(run, own_sandbox, "import time\ntime.sleep(1)\nprint(input())", "a")
            time.sleep(0.3)
            container.kill()
            assert running.result().stdout == "a\n"
        assert output(own_sandbox, "print(1)") == "1\n"

    def test_a_container_that_was_killed_between_runs(self, client, own_sandbox):
        with new_container(client, own_sandbox) as container:
            container.kill()
        assert output(own_sandbox, "print(1)") == "1\n"

    @pytest.mark.parametrize("seconds", [0.5, 1.0, 0.5])  # from before the program runs to well into it
    def test_closing(self, client, engine, seconds):
        before = containers(client)
        sandbox = DockerSandbox(workers=1, base_url=engine)
        assert containers(client) == before
        limits = Limits(wall_seconds=20.0)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(run, sandbox, "import time\ntime.sleep(600)", limits=limits)
            wait_until(lambda: containers(client) != before or running.done())
            time.sleep(seconds)
            sandbox.close()
            with pytest.raises(SandboxError, match="closed"):
                running.result()
        sandbox.close()
        assert containers(client) == before
        with pytest.raises(SandboxError, match="closed"):
            run(sandbox, "")

    def test_a_process_that_forgets_to_close(self, client, engine):
        before = containers(client)
        script = """
            from sdpo_gym.sandbox import Program
            from sdpo_gym.sandbox.docker_pool import DockerSandbox

            def once():
                return DockerSandbox(workers=1).run(Program("print(1)", "stdin"), [""])[0].stdout

            once()  # its sandbox is collected while it is open
            kept = DockerSandbox(workers=1)
            print(kept.run(Program("print(1)", "stdin"), [""])[0].stdout)
        """
        done = subprocess.run(
            [sys.executable, "-W", "error", "-X", "dev", "-c", textwrap.dedent(script)],
            env=environment(engine),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n\n", "")
        assert containers(client) == before

    def test_containers_of_a_killed_process(self, client, engine, sandbox):
        output(sandbox, "")  # its container belongs to a live process
        before = containers(client)
        script = """
            import sys, time
            from sdpo_gym.sandbox import Program
            from sdpo_gym.sandbox.docker_pool import DockerSandbox
            kept = DockerSandbox(workers=1)
            kept.run(Program("", "stdin"), [""])
            print("ready", flush=True)
            time.sleep(600)
        """
        owners = [
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(script)], env=environment(engine), stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        try:
            assert [owner.stdout.readline() for owner in owners] == [b"ready\n"] * 2
            frozen, free = containers(client) - before
            client.containers.get(frozen).pause()  # it does not notice that its owner is gone
            for owner in owners:
                owner.send_signal(signal.SIGKILL)
            wait_until(lambda: free not in containers(client))
            assert frozen in containers(client)
            DockerSandbox(workers=1, base_url=engine).close()
            assert containers(client) == before
            assert output(sandbox, "print(1)") == "1\n"
        finally:
            for owner in owners:
                owner.kill()
                owner.wait()
                owner.stdout.close()

    def test_a_forked_process_has_containers_of_its_own(self, sandbox):
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

    def test_threads(self, client, engine):
        before = containers(client)
        program = Program("print(int(input()) ** 2)", "stdin")
        with contextlib.closing(DockerSandbox(workers=2, base_url=engine)) as sandbox, ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda n: sandbox.run(program, [str(n)])[0].stdout, range(40)))
            assert results == [f"{n**2}\n" for n in range(40)]
            assert len(containers(client) - before) == 2


def environment(engine):
    return os.environ | ({"DOCKER_HOST": engine} if engine else {})


class TestRefusals:
    def test_no_engine(self):
        pytest.importorskip("docker")
        with pytest.raises(SandboxError, match=r"unix:///nowhere/docker.sock.*DOCKER_HOST"):
            DockerSandbox(base_url="unix:///nowhere/docker.sock")

    def test_no_package(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "docker", None)
        with pytest.raises(SandboxError, match=r"pip install 'sdpo-gym\[docker\]'"):
            DockerSandbox()
        with pytest.raises(SandboxError, match=r"pip install 'sdpo-gym\[docker\]'"):
            build_image()

    def test_no_image(self, engine, monkeypatch):
        with pytest.raises(SandboxError, match="no image nobody/nothing:1; run: docker pull nobody/nothing:1"):
            DockerSandbox("nobody/nothing:1", base_url=engine)
        monkeypatch.setattr(docker_image, "REPOSITORY", "sdpo-gym-absent")
        with pytest.raises(SandboxError, match=r"no image sdpo-gym-absent:.*; run: sdpo-gym sandbox build-image"):
            DockerSandbox(base_url=engine)

    def test_no_runtime(self, engine):
        with pytest.raises(SandboxError, match=r"no runtime 'none-such'; it has .*runc"):
            DockerSandbox(runtime="none-such", base_url=engine)

    @pytest.mark.parametrize("arguments", [{"workers": 0}, {"memory_mb": 512}, {"cpus": 0.0}])
    def test_arguments_that_make_no_sense(self, engine, arguments):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            DockerSandbox(base_url=engine, **arguments)

    def test_an_image_without_digest(self):
        with pytest.raises(ValueError, match="digest"):
            build_image(base="python:3.12-slim")


class TestImage:
    def test_it_says_what_it_holds(self, client, sandbox):
        labels = client.images.get(default_tag()).labels
        assert labels["sdpo-gym.python"] == output(sandbox, "import platform\nprint(platform.python_version())").strip()
        assert labels["sdpo-gym.numpy"] == output(sandbox, "import numpy\nprint(numpy.__version__)").strip()

    def test_an_image_by_digest(self, engine, client):
        with registry() as base:
            try:
                assert build_image("sdpo-gym-test:tiny", base, engine) == "sdpo-gym-test:tiny"
                before = containers(client)
                with (
                    contextlib.closing(DockerSandbox("sdpo-gym-test:tiny", 1, base_url=engine)) as sandbox,
                    pytest.raises(SandboxError, match="python3"),  # it has none
                ):
                    run(sandbox, "")
                assert containers(client) == before
            finally:
                client.images.remove("sdpo-gym-test:tiny")
                client.images.remove(base)

    def test_a_registry_that_has_no_such_image(self, engine):
        with registry() as base, pytest.raises(SandboxError, match="cannot build the image sdpo-gym-test:none"):
            build_image("sdpo-gym-test:none", base[:-64] + "0" * 64, engine)


@contextlib.contextmanager
def registry():
    """The full name of a small image in a registry on this machine."""

    def digest(data):
        return "sha256:" + hashlib.sha256(data).hexdigest()

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    layer = gzip.compress(file.getvalue(), mtime=0)
    rootfs = {"type": "layers", "diff_ids": [digest(file.getvalue())]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    kind = "application/vnd.docker."
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}distribution.manifest.v2+json",
            "config": {"mediaType": f"{kind}container.image.v1+json", "size": len(config), "digest": digest(config)},
            "layers": [{"mediaType": f"{kind}image.rootfs.diff.tar.gzip", "size": len(layer), "digest": digest(layer)}],
        }
    ).encode()
    answers = {f"/v2/tiny/blobs/{digest(data)}": (f"{kind}blob", data) for data in (config, layer)}
    answers[f"/v2/tiny/manifests/{digest(manifest)}"] = (f"{kind}distribution.manifest.v2+json", manifest)
    answers["/v2/"] = ("application/json", b"{}")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            kind, data = answers.get(self.path, ("text/plain", b""))
            self.send_response(200 if data else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", digest(data))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

    with servers.answering(Handler) as address:
        yield f"{address}/tiny@{digest(manifest)}"
