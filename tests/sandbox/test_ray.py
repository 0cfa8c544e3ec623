"""RaySandbox on a real local Ray."""

import contextlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("ray", reason="RaySandbox needs ray: pip install 'sdpo-gym[ray]'")

import ray

from sdpo_gym.sandbox import Limits, LocalSandbox, Program, SandboxError, make_sandbox
from sdpo_gym.sandbox.ray_cluster import RaySandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the actors' LocalSandbox needs Linux")

NUMBERS = [f"{number}\n" for number in range(20)]
PRINT = Program("print(input())", "stdin")
SLEEP = Program("import time\ntime.sleep(float(input()))\nprint('slept')", "stdin")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))  # Ray keeps a token there
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def sandbox(cluster):
    with contextlib.closing(make_sandbox("ray", node_kind="local")) as made:
        yield made


def facts(results):
    return [(r.status, r.stdout, repr(r.value), r.exception, r.signal) for r in results]


@pytest.mark.parametrize(
    ("source", "mode"),
    [
        ("print(int(input()) * 2 + 1000)", "stdin"),
        ("n = int(input())\nprint(10 // (n - 7))", "stdin"),
        ("import builtins\nbuiltins.seen = getattr(builtins, 'seen', 0) + 1\nprint(builtins.seen)", "stdin"),
        ("n = int(input())\nif n == 3:\n    while True: pass\nprint(n)", "stdin"),
        ("import os\nwhile True: os.fork()", "stdin"),
        ("def f(n): return (n, [2 ** 70, float('inf'), {'a': b'x', 1: {n}}], None)", "function"),
        ("def f(n): return object()", "function"),
    ],
)
def test_results_are_those_of_a_local_sandbox(sandbox, source, mode):
    program = Program(source, mode, "f" if mode == "function" else None)
    limits = Limits(cpu_seconds=0.5, wall_seconds=5.0, memory_mb=256)

    def accept(index, result):
        return result.stdout in (f"{2 * index + 1000}\n", "1\n") and index != 5

    with contextlib.closing(LocalSandbox(workers=1)) as local:
        for options in ({}, {"accept": accept}):
            there, here = (facts(each.run(program, NUMBERS[:8], limits, **options)) for each in (sandbox, local))
            assert there == here


def test_workers_and_isolation(sandbox):
    assert sandbox.workers == 2
    with contextlib.closing(LocalSandbox(workers=1)) as local:
        assert sandbox.isolation == local.isolation


def test_many_threads(sandbox):
    def double(number):
        program = Program(f"print(int(input()) * {number})", "stdin")
        return [result.stdout for result in sandbox.run(program, NUMBERS, accept=lambda index, result: True)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(double, range(24)))
    assert found == [[f"{i * number}\n" for i in range(20)] for number in range(24)]


def test_mistakes_of_the_caller(sandbox):
    with pytest.raises(ValueError, match="input 0"):
        sandbox.run(Program("", "function", "f"), ["[1"])
    with pytest.raises(ValueError, match="workers_per_node"):
        RaySandbox(workers_per_node=0)


def test_a_lost_actor_is_replaced_in_the_middle_of_a_run(sandbox):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sandbox.run, SLEEP, ["1.5", "0"])
        time.sleep(0.7)
        ray.kill(sandbox._hosts[0].actor)
        assert [result.stdout for result in running.result(120)] == ["slept\n"] * 2
    assert sandbox.run(PRINT, ["x"])[0].stdout == "x\n"


def test_actors_that_are_lost_again_and_again(sandbox):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sandbox.run, SLEEP, ["60"], Limits(wall_seconds=90))
        while not running.done():
            time.sleep(0.5)
            ray.kill(sandbox._hosts[0].actor)
        with pytest.raises(SandboxError, match="lost"):
            running.result()
    assert sandbox.run(PRINT, ["x"])[0].stdout == "x\n"


def test_what_goes_wrong_in_an_actor_is_told(cluster):
    with pytest.raises(SandboxError, match="unknown kind"):
        RaySandbox(node_kind="no such kind")


def test_closing_ends_runs_and_workers(cluster):
    sandbox = RaySandbox(workers_per_node=1, node_kind="local")
    assert sandbox.run(Program("import os\nprint(os.getppid() >= 0)", "stdin"), [""])[0].stdout == "True\n"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sandbox.run, SLEEP, ["60"], Limits(wall_seconds=90))
        time.sleep(0.5)
        sandbox.close()
        with pytest.raises(SandboxError, match="closed"):
            running.result(60)
    assert sandbox.closed
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run(PRINT, [""])
    sandbox.close()
