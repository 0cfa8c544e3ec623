"""Whatever a program is, whatever a worker says: the host ends each run with a result that it has checked, or an error.

A compromised worker is played by a connection that says what hypothesis makes up.
"""

import contextlib
import json
import math
import sys
import time
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from envs.livecodebench.rows import Test as Case
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym import Task
from sdpo_gym.sandbox import OPAQUE, IsolationReport, Limits, LocalSandbox, Program, RunResult, SandboxError
from sdpo_gym.sandbox.pool import WorkerPool
from sdpo_gym.sandbox.protocol import Status
from sdpo_gym.sandbox.worker import wire
from sdpo_gym.sandbox.worker_process import WorkerLost, WorkerProcess

UNPOSED = ({"role": "user", "content": ""},)
LIMITS = Limits(cpu_seconds=0.3, wall_seconds=0.6, memory_mb=256, output_bytes=2_000)
STDIN = Program("print(input())\n", "stdin")
FUNCTION = Program("def f(x):\n    return x\n", "function", "f")
GREETING = wire.pack({"isolation": {"filesystem": "none", "notes": []}})
ANSWER = {
    "end": "exited",
    "code": 0,
    "cpu_seconds": 0.1,
    "wall_seconds": 0.1,
    "waited_seconds": 0.05,
    "stdout_bytes": 0,
    "claim_bytes": 0,
    "fresh": True,
}
SOURCES = (
    "n = int(input())\nfor i in range(n):\n    print(i, end=' ')\n",
    "class Solution:\n    def f(self, x):\n        return [x, (x,), {x: {1, 2}}, b'', 1.5, None, 'é']\n",
    "import sys\ndef f(x):\n    raise ValueError(x)\ntry: f(sys.stdin.read())\nexcept ValueError as e: print(e)\n",
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -1, 2**31, 2**63]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
"""All that JSON can say, and the constants that Python's reader lets pass."""

statuses = st.sampled_from([*get_args(Status), "", "done", "OK"])
tags = st.sampled_from(["int", "float", "bytes", "tuple", "set", "dict", "frozenset", "opaque", "object"])
texts = (
    st.text()
    | st.text(st.characters(categories=["Cs", "Cc", "Lu"]))
    | st.text(min_size=1).map(lambda text: text * 2000)
)
"""Short and long ones, some of which cannot be encoded."""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from(["0x1f", "nan", "-inf", "ff"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda tag, content: {tag: content}, tags, inner | st.lists(inner, max_size=3))
        | st.builds(lambda pairs: {"dict": pairs}, st.lists(st.tuples(inner, inner), max_size=3))
        | st.dictionaries(tags, inner, min_size=2, max_size=2)
    ),
    max_leaves=25,
)
"""Encoded values, and what looks like them."""

exceptions = st.fixed_dictionaries(
    {
        "type": texts | anything,
        "message": texts | anything,
        "frames": st.lists(st.tuples(st.integers(), st.text(max_size=150)), max_size=150)
        | st.lists(anything, max_size=3)
        | anything,
    }
)
claim_lines = st.binary(max_size=300) | st.tuples(
    st.one_of(
        anything,
        st.fixed_dictionaries({"status": st.just("ok"), "value": values}),
        st.fixed_dictionaries(
            {"status": st.sampled_from(["exception", "syntax_error", "memory"]), "exception": exceptions}
        ),
        st.fixed_dictionaries(
            {"status": statuses | anything}, optional={"value": values, "exception": exceptions | anything}
        ),
        st.fixed_dictionaries({"status": st.just("ok"), "opaque": anything}),
    ),
    st.fixed_dictionaries({"stdout_end": st.integers(0, 40) | anything}, optional={"last": anything}),
).map(lambda parts: json.dumps(parts[0] | parts[1] if isinstance(parts[0], dict) else parts[0]).encode())
claims = claim_lines | st.lists(claim_lines, max_size=5).map(b"\n".join)


@st.composite
def answers(draw):
    """An answer of a worker: right in parts, or in none, whole or cut short."""
    output, claim = draw(st.binary(max_size=300)), draw(claims)
    header = ANSWER | {
        "end": draw(st.sampled_from(["done", "done", "exited", "timeout", "output_limit", "crashed"])),
        "code": draw(st.integers(-70, 260)),
        "stdout_bytes": len(output),
        "claim_bytes": len(claim),
        "fresh": draw(st.booleans()),
    }
    for key in draw(st.lists(st.sampled_from(list(header)), max_size=1)):
        header[key] = draw(anything)
    header |= draw(st.dictionaries(st.text() | st.just("error"), anything, max_size=1))
    message = draw(st.just(header) | st.just(header) | st.just(header) | anything)
    data = bytearray(wire.pack(message) + output + claim)
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.just(len(data)) | st.integers(0, len(data)))])


class Liar:
    """A connection at whose other end something else than a worker sits. It says what it has to say, and is gone."""

    def __init__(self, words, step=1 << 20):
        self._words = words
        self._step = step
        self.closed = False

    def send(self, data, deadline):
        assert isinstance(data, bytes)

    def receive(self, count, deadline):
        assert count > 0
        part, self._words = self._words[: min(count, self._step)], self._words[min(count, self._step) :]
        return part

    def close(self):
        self.closed = True

    forget = close

    def last_words(self):
        return ""


class LyingPool(WorkerPool):
    """A pool all of whose workers are liars, with something to say each."""

    def __init__(self, words):
        super().__init__(workers=1)
        self._words = list(words)
        self.liars = []

    def _start_worker(self):
        self.liars.append(Liar(self._words.pop(0) if self._words else b""))
        return WorkerProcess(self.liars[-1])


def check_plain(value):
    """Fail unless all of it is plain data, of exactly these types."""
    assert value is OPAQUE or type(value) in (type(None), bool, int, float, str, bytes, list, tuple, set, dict)
    if type(value) in (list, tuple, set):
        for item in value:
            check_plain(item)
    if type(value) is dict:
        for key, item in value.items():
            check_plain(key)
            check_plain(item)


def check_result(result, program, limits=LIMITS):
    """Fail unless a result is one that a program may have: right types, within bounds."""
    assert type(result) is RunResult
    assert result.status in get_args(Status)
    assert type(result.stdout) is str and len(result.stdout) <= limits.output_bytes
    result.stdout.encode()
    check_plain(result.value)
    assert result.value is None or (result.status == "ok" and program.mode == "function")
    assert result.signal is None or (type(result.signal) is int and result.status == "crashed")
    assert type(result.cpu_seconds) is type(result.wall_seconds) is type(result.waited_seconds) is float
    assert 0 <= result.waited_seconds <= result.wall_seconds
    assert type(result.fresh) is bool
    if (error := result.exception) is not None:
        assert result.status in ("exception", "syntax_error", "memory")
        f"{error.type}{error.message}".encode()
        assert len(error.type) <= 100 and len(error.message) <= 1000 and len(error.frames) <= 100
        lines = max(len(program.source.splitlines()), 1)
        for frame in error.frames:
            assert 1 <= frame.line <= lines and len(frame.function.encode()) <= 400


def check_results(results, most, program):
    """Fail unless these are results of a batch of at most so many runs."""
    assert 1 <= len(results) <= most
    for result in results:
        check_result(result, program)


class TestWorkersThatLie:
    @given(answer=answers(), program=st.sampled_from([STDIN, FUNCTION]), step=st.sampled_from([1, 7, 1 << 20]))
    @settings(max_examples=600)
    def test_an_answer_is_checked_or_the_worker_is_lost(self, answer, program, step):
        worker = WorkerProcess(Liar(GREETING + answer, step))
        worker.begin_program(program, LIMITS)
        with contextlib.suppress(WorkerLost):
            check_results(worker.run(["1", "2", "3"], 1.0, fresh=True), 3, program)

    @given(claim=claims, program=st.sampled_from([FUNCTION, FUNCTION, STDIN]), code=st.sampled_from([0, 1]))
    @example(claim=b'{"stdout_end": 0, "status": "ok", "value": {"set": [[]]}}', program=FUNCTION, code=0)
    @example(
        claim=b'{"stdout_end": 0, "status": "ok", "value": {"dict": [[{"set": []}, 1]]}}', program=FUNCTION, code=0
    )
    @settings(max_examples=600)
    def test_a_claim_is_checked_or_is_none(self, claim, program, code):
        answer = wire.pack(ANSWER | {"claim_bytes": len(claim), "code": code}) + claim
        worker = WorkerProcess(Liar(GREETING + answer))
        worker.begin_program(program, LIMITS)
        check_results(worker.run(["1", "2", "3"], 1.0, fresh=True), 3, program)

    @given(
        greeting=st.binary(max_size=100) | anything.map(lambda x: wire.pack({"isolation": x})) | anything.map(wire.pack)
    )
    @settings(max_examples=300)
    def test_a_greeting_is_understood_or_refused(self, greeting):
        liar = Liar(greeting)
        try:
            report = WorkerProcess(liar).isolation
        except SandboxError:
            assert liar.closed
            return
        assert type(report) is IsolationReport
        assert all(type(text) is str for text in (report.filesystem, report.network, report.processes, *report.notes))

    @given(
        fields=st.dictionaries(st.sampled_from(["filesystem", "network", "kernel", "notes", "x", "missing"]), anything)
    )
    @settings(max_examples=200)
    def test_the_fields_of_a_greeting(self, fields):
        with contextlib.suppress(SandboxError):
            report = WorkerProcess(Liar(wire.pack({"isolation": fields}))).isolation
            assert all(type(text) is str for text in (report.filesystem, report.network, report.kernel, *report.notes))

    @given(
        words=st.lists(st.lists(answers(), max_size=4).map(lambda parts: GREETING + b"".join(parts)), max_size=3),
        program=st.sampled_from([STDIN, FUNCTION]),
        accepted=st.booleans(),
    )
    @settings(max_examples=400)
    def test_a_pool_of_liars(self, words, program, accepted):
        pool = LyingPool(words)
        with contextlib.closing(pool):
            try:
                results = pool.run(program, ["1", "2"], LIMITS, accept=lambda _, result: accepted)
            except SandboxError:
                pass
            else:
                assert len(results) == 2
                for result in results:
                    check_result(result, program)
        assert all(liar.closed for liar in pool.liars)

    @pytest.mark.parametrize("waited", [0.5, -1.0, math.nan, math.inf])
    def test_time_that_is_said_to_be_waiting_is_bounded(self, waited):
        class SlowLiar(Liar):
            def send(self, data, deadline):
                time.sleep(0.01)

        class SlowPool(LyingPool):
            def _start_worker(self):
                return WorkerProcess(SlowLiar(GREETING + answer * 1000))

        answer = wire.pack(ANSWER | {"wall_seconds": 0.5, "waited_seconds": waited})
        with contextlib.closing(SlowPool([])) as pool:
            if waited != 0.5:
                with pytest.raises(SandboxError, match="no sense"):
                    pool.run(STDIN, ["1"])
            else:
                results = pool.run(STDIN, ["1"] * 200, Limits(total_wall_seconds=0.1))
                assert (results[0].status, results[-1].status) == ("ok", "not_run")

    @given(
        words=st.lists(st.lists(answers(), max_size=6).map(lambda parts: GREETING + b"".join(parts)), max_size=3),
        functional=st.booleans(),
    )
    @settings(max_examples=300)
    def test_a_judge_of_liars(self, words, functional):
        secret = "8239172391" if functional else "never said"
        tests = [Case("1", "1", visible=True), Case("2", secret, visible=False)]
        task = Task("t", UNPOSED, make_answer_key("f" if functional else None, tests))
        with contextlib.closing(LyingPool(words)) as pool, contextlib.suppress(SandboxError):
            verdict = LiveCodeBenchVerifier(pool, feedback="full", echo_response=True).verify(task, "```python\nx\n```")
            assert not verdict.success
            assert secret not in verdict.feedback
            verdict.feedback.encode()
            json.dumps(verdict.feedback_items)
            assert all(math.isfinite(number) for number in verdict.metrics.values())


@pytest.fixture(scope="module")
def sandbox():
    with contextlib.closing(LocalSandbox(workers=1)) as made:
        yield made


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
class TestPrograms:
    broken = st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))
    mutated = st.tuples(
        st.sampled_from(SOURCES), st.integers(0, 150), st.integers(0, 20), st.text(max_size=5) | broken
    ).map(lambda parts: parts[0][: parts[1]] + parts[3] + parts[0][parts[1] + parts[2] :])
    sources = st.text(max_size=100) | broken | mutated

    @given(source=sources, text=st.text(max_size=50) | broken, shared=st.booleans())
    @settings(max_examples=120)
    def test_for_standard_input(self, sandbox, source, text, shared):
        program = Program(source, "stdin")
        accept = (lambda _, result: result.status == "ok") if shared else None
        results = sandbox.run(program, [text, "3"], LIMITS, accept=accept)
        assert len(results) == 2
        for result in results:
            check_result(result, program)

    @given(source=sources, name=st.text(min_size=1, max_size=10) | st.just("f"), argument=anything | sources)
    @settings(max_examples=120)
    def test_for_functions(self, sandbox, source, name, argument):
        program = Program(source, "function", name)
        text = argument if isinstance(argument, str) else json.dumps(argument)
        try:
            [result] = sandbox.run(program, [text], LIMITS)
        except ValueError as error:
            assert "input 0" in str(error)
        else:
            check_result(result, program)

    def test_honest_programs_are_still_right(self, sandbox):
        [result] = sandbox.run(STDIN, ["still here"])
        assert result.stdout == "still here\n"
