"""Programs on another machine: what is asked for, and that it makes no difference to the results."""

import contextlib
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdpo_gym.sandbox import (
    OPAQUE,
    ExceptionInfo,
    Frame,
    IsolationReport,
    Limits,
    Program,
    RunResult,
    SandboxError,
    messages,
)
from sdpo_gym.sandbox.chunks import ChunkedSandbox, answer_chunk
from sdpo_gym.sandbox.messages import Chunk, Info
from sdpo_gym.sandbox.protocol import Sandbox

PROGRAM = Program("x = 1\ny = 2", "stdin")
FUNCTION = Program("def f(): pass", "function", "f")
GOOD_RESULT = {
    "status": "ok",
    "stdout": "x",
    "value": None,
    "opaque": False,
    "exception": None,
    "signal": None,
    "cpu_seconds": 0.5,
    "wall_seconds": 0.5,
    "waited_seconds": 0.25,
    "fresh": True,
}
ERROR = {"type": "E", "message": "", "frames": []}


class Scripted(Sandbox):
    """A sandbox whose programs say whether they came to the input in a fresh process, after the rules of `run`."""

    workers = 1
    isolation = IsolationReport()
    closed = False

    def __init__(self, good_when_shared, seconds):
        self.good_when_shared = good_when_shared
        self.seconds = seconds

    def run(self, program, inputs, limits=Limits(), *, stop=None, accept=None):
        results = []
        share, ran_before, left = accept is not None, False, limits.total_wall_seconds
        for index, text in enumerate(inputs):
            for again in (False, True):
                fresh = again or not share or not ran_before
                if left <= 0:
                    result = RunResult("not_run")
                    break
                said = "fresh" if fresh or self.good_when_shared[int(text)] else "stale"
                result = RunResult("ok", f"{text} {said}", wall_seconds=self.seconds[int(text)], fresh=fresh)
                left -= result.wall_seconds
                ran_before = True
                if accept is None or accept(index, result) or fresh:
                    break
            results.append(result)
            if stop is not None and stop(index, result):
                break
        return results

    def close(self): ...


class Direct(ChunkedSandbox):
    """Asks a sandbox in this process, and notes what it asked."""

    closed = False

    def __init__(self, sandbox):
        super().__init__(patience_seconds=1.0)
        self.sandbox = sandbox
        self.asked = []

    def _ask_info(self, deadline):
        return messages.encode_info(Info(self.sandbox.workers, self.sandbox.isolation))

    def _ask_chunk(self, request, max_bytes, deadline):
        self.asked.append(json.loads(request))
        answer = answer_chunk(self.sandbox, request)
        assert len(answer) <= max_bytes
        return answer

    def close(self): ...


@given(st.data())
@settings(max_examples=200)
def test_results_are_those_of_fresh_processes(data):
    count = data.draw(st.integers(1, 80))
    flags = st.lists(st.booleans(), min_size=count, max_size=count)
    good, good_when_shared = data.draw(flags), data.draw(flags)
    seconds = data.draw(st.lists(st.sampled_from([0.001, 0.1, 0.3]), min_size=count, max_size=count))
    ends = data.draw(st.sampled_from([None, *range(count)]))
    calls = []

    def accept(index, result):
        calls.append(("accept", index))
        return result.stdout == f"{index} fresh" and good[index]

    def stop(index, result):
        calls.append(("stop", index))
        return index == ends

    direct = Direct(Scripted(good_when_shared, seconds))
    inputs = list(map(str, range(count)))
    for callback in (accept, None):
        calls.clear()
        results = direct.run(PROGRAM, inputs, Limits(total_wall_seconds=1e6), stop=stop, accept=callback)
        expected = count if ends is None else ends + 1
        stops = [index for name, index in calls if name == "stop"]
        assert stops[-expected:] == list(range(expected)) == list(range(len(results)))
        earlier = stops[:-expected]  # until it was seen that the program does not bear sharing
        assert earlier == list(range(len(earlier)))
        assert not earlier or all(result.fresh for result in results)
        for index, result in enumerate(results):
            assert result.stdout == f"{index} fresh"
            assert result.fresh or (callback is not None and good[index] and good_when_shared[index])
        if callback is not None:  # a result is judged right before the runs are ended or go on
            assert all(calls[i - 1] == ("accept", index) for i, (name, index) in enumerate(calls) if name == "stop")
    for request in direct.asked:
        assert set(request) == {"program", "inputs", "limits", "share"}


def test_a_good_program_takes_few_requests():
    direct = Direct(Scripted([True] * 100, [0.0] * 100))
    assert len(direct.run(PROGRAM, list(map(str, range(100))), accept=lambda index, result: True)) == 100
    assert [len(request["inputs"]) for request in direct.asked] == [1, 32, 67]


def test_slow_inputs_are_not_run_in_vain():
    direct = Direct(Scripted([True] * 100, [1.0] * 100))
    direct.run(PROGRAM, list(map(str, range(100))), stop=lambda index, result: index == 2)
    assert len(direct.asked) == 3


def test_total_wall_time_is_kept_over_all_requests():
    class Slow(Scripted):
        def run(self, *arguments, **options):
            time.sleep(0.4)
            return super().run(*arguments, **options)

    direct = Direct(Slow([True] * 6, [1.0] * 6))
    results = direct.run(PROGRAM, list("012345"), Limits(total_wall_seconds=1.0))
    assert [result.status for result in results] == ["ok"] * 3 + ["not_run"] * 3
    totals = [request["limits"]["total_wall_seconds"] for request in direct.asked]
    assert totals[0] == 1.0 and totals == sorted(totals, reverse=True)


def test_runs_that_begin_anew_have_all_the_time_again():
    """Each request takes a second. By the third it is seen that the program does not bear sharing."""

    class Timed(Direct):
        def _ask_chunk(self, *arguments):
            return json.dumps(json.loads(super()._ask_chunk(*arguments)) | {"seconds": 1.0}).encode()

    direct = Timed(Scripted([False] * 4, [0.0] * 4))
    limits = Limits(total_wall_seconds=3.5)
    results = direct.run(PROGRAM, list("0123"), limits, accept=lambda index, result: "fresh" in result.stdout)
    assert [result.stdout for result in results] == [f"{n} fresh" for n in range(4)]
    totals = [request["limits"]["total_wall_seconds"] for request in direct.asked]
    assert totals == [3.5, 2.5, 1.5, 3.5]


@pytest.mark.parametrize("ran_before", [0, 10])
def test_an_answer_has_room_for_so_many_results(ran_before):
    """Each takes 60,000 bytes, and the answer to a chunk up to 1.2 million and one result. Runs that do not count, as
    all begin anew, take none of it."""

    class Wordy(Scripted):
        def run(self, program, inputs, limits=Limits(), *, stop=None, accept=None):
            results = [RunResult("ok", text + " \0".ljust(9_990, "\0")) for text in inputs]
            for index, result in enumerate(results[:ran_before]):
                assert not stop(index, result)
            ended = next((index for index, result in enumerate(results, 1) if stop(index - 1, result)), len(results))
            return results[:ended]

    direct = Direct(Wordy([], []))
    results = direct.run(PROGRAM, list(map(str, range(100))), Limits(output_bytes=10_000), accept=lambda *_: True)
    assert [int(result.stdout.rstrip("\0")) for result in results] == list(range(100))
    assert [len(request["inputs"]) for request in direct.asked] == [1, 32, 78, 57, 36, 15]  # 21 of them are answered


@pytest.mark.parametrize(("count", "not_run"), [(6, False), (60, True)])
def test_waiting_for_a_cpu_is_not_charged_but_bounded(count, not_run):
    """Each run takes 0.1 seconds, of which it says that it waited far longer: the limit holds tenfold."""

    class Waiting(Scripted):
        def run(self, program, inputs, *arguments, stop, **options):
            time.sleep(0.1)
            result = RunResult("ok", wall_seconds=1.0, waited_seconds=1.0)
            stop(0, result)
            return [result]

    direct = Direct(Waiting([], []))
    results = direct.run(PROGRAM, ["0"] * count, Limits(total_wall_seconds=0.4))
    assert (results[-1].status == "not_run") is not_run


def test_a_bad_input_is_found_when_its_turn_comes():
    direct = Direct(Scripted([True] * 3, [0.0] * 3))
    inputs = ["0", "1", "2", "no json"]
    assert len(direct.run(FUNCTION, inputs, stop=lambda index, result: index == 2)) == 3
    with pytest.raises(ValueError, match="input 3"):
        direct.run(FUNCTION, inputs)
    with pytest.raises(ValueError, match="entry_point"):
        direct.run(Program("", "function"), [])


def test_what_the_other_side_says_about_itself():
    direct = Direct(Scripted([], []))
    assert (direct.workers, direct.isolation) == (1, IsolationReport())


class TestMessages:
    results = st.builds(
        RunResult,
        status=st.just("ok"),
        stdout=st.text(max_size=50),
        value=st.one_of(
            st.none(), st.integers(), st.text(), st.just(OPAQUE), st.lists(st.binary()), st.sets(st.booleans())
        ),
        cpu_seconds=st.floats(0, 1e6),
        wall_seconds=st.floats(0, 1e6),
        waited_seconds=st.floats(0, 1e6),
        fresh=st.booleans(),
    )

    @given(st.lists(results, min_size=1, max_size=3), st.floats(0, 1e6))
    def test_results_come_back(self, results, seconds):
        chunk = Chunk(FUNCTION, [""] * len(results), Limits(), True)
        answer = messages.encode_answer([messages.encode_result(result) for result in results], seconds)
        decoded = messages.decode_answer(answer, chunk)
        assert (list(decoded.results), decoded.seconds) == (results, seconds)
        assert all(type(a.value) is type(b.value) for a, b in zip(results, decoded.results, strict=True))

    def test_failures_come_back(self):
        error = ExceptionInfo("ValueError", "no", (Frame(2, "<module>"),))
        for result in (
            RunResult("exception", "x", exception=error),
            RunResult("syntax_error", exception=error),
            RunResult("memory", exception=error),
            RunResult("memory"),
            RunResult("crashed", signal=11),
            RunResult("not_run"),
        ):
            answer = messages.encode_answer([messages.encode_result(result)], 0.0)
            assert messages.decode_answer(answer, Chunk(PROGRAM, [""], Limits(), False)).results == [result]

    @given(st.text(), st.lists(st.text(), min_size=1), st.booleans())
    def test_requests_come_back(self, source, inputs, share):
        chunk = Chunk(Program(source, "stdin"), inputs, Limits(1.5, None, 3.0, 100, 7), share)
        assert messages.decode_chunk(messages.encode_chunk(chunk)) == chunk

    def test_the_largest_results_are_short_enough(self):
        limits = Limits(output_bytes=100_000)
        for result in (
            RunResult("ok", "\0" * 100_000, value="\ud800" * 100_000),
            RunResult("ok", "🙂" * 25_000, value=[1.0] * 100_000),
            RunResult("ok", "é" * 50_000, value=b"\0" * 100_000),
        ):
            assert len(messages.encode_result(result)) <= messages.max_result_bytes(limits)

    @pytest.mark.parametrize(
        "change",
        [
            {"status": "great"},
            {"status": ["ok"]},
            {"stdout": "x" * 11},
            {"stdout": "\ud800"},
            {"stdout": None},
            {"value": 1},
            {"opaque": True},
            {"exception": ERROR},
            {"status": "exception"},
            {"status": "exception", "exception": ERROR | {"frames": [{"line": 3, "function": "f"}]}},
            {"status": "exception", "exception": ERROR | {"frames": [{"line": 1, "function": "f" * 1000}]}},
            {"status": "exception", "exception": ERROR | {"frames": [{"line": 1, "function": "f"}] * 1000}},
            {"status": "exception", "exception": ERROR | {"message": "x" * 10_000}},
            {"status": "exception", "exception": ERROR | {"more": 1}},
            {"signal": 9},
            {"status": "crashed", "signal": 10**9},
            {"status": "crashed", "signal": True},
            {"cpu_seconds": -1.0},
            {"cpu_seconds": math.nan},
            {"wall_seconds": math.inf},
            {"wall_seconds": "1"},
            {"wall_seconds": True},
            {"waited_seconds": -1.0},
            {"waited_seconds": math.nan},
            {"fresh": 1},
            {"more": 1},
        ],
    )
    def test_results_that_no_honest_sandbox_sends(self, change):
        def answer(result):
            return json.dumps({"seconds": 1.0, "results": [result]}).encode()

        chunk = Chunk(PROGRAM, [""], Limits(output_bytes=10), False)
        assert messages.decode_answer(answer(GOOD_RESULT), chunk).results == [
            RunResult("ok", "x", cpu_seconds=0.5, wall_seconds=0.5, waited_seconds=0.25)
        ]
        with pytest.raises(ValueError):
            messages.decode_answer(answer(GOOD_RESULT | change), chunk)

    @pytest.mark.parametrize(
        "answer",
        [b"", b"{", b"\xff", b"null", b"[]", b"{}", b'{"seconds": 1, "results": []}', b"[" * 100_000, b"1" * 10_000]
        + [b'{"seconds": -1, "results": [%s]}' % json.dumps(GOOD_RESULT).encode()]
        + [b'{"seconds": 1, "results": [%s, %s]}' % ((json.dumps(GOOD_RESULT).encode(),) * 2)],
    )
    def test_answers_that_no_honest_sandbox_sends(self, answer):
        with pytest.raises(ValueError):
            messages.decode_answer(answer, Chunk(PROGRAM, [""], Limits(), False))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from([*GOOD_RESULT, *ERROR]), part),
            max_leaves=20,
        )
    )
    def test_anything_at_all(self, data):
        text = json.dumps(data).encode()
        result = json.dumps(GOOD_RESULT | (data if isinstance(data, dict) else {"value": data})).encode()
        for answer in (text, b'{"seconds": 1, "results": [%s]}' % result):
            with contextlib.suppress(ValueError):
                messages.decode_answer(answer, Chunk(FUNCTION, [""], Limits(), False))
        for decode in (messages.decode_chunk, messages.decode_info):
            with contextlib.suppress(ValueError):
                decode(text)
        assert isinstance(messages.decode_error(text), str)

    def test_errors(self):
        assert messages.decode_error(messages.encode_error("too hot")) == "too hot"
        assert len(messages.decode_error(messages.encode_error("x" * 100_000))) <= 1000
        assert messages.decode_error(b"<html>") == "no reason given"

    @pytest.mark.parametrize("change", [{"workers": 0}, {"workers": True}, {"workers": 10**9}, {"isolation": {}}])
    def test_accounts_that_no_honest_sandbox_gives(self, change):
        good = json.loads(messages.encode_info(Info(2, IsolationReport())))
        with pytest.raises(ValueError):
            messages.decode_info(json.dumps(good | change).encode())

    def test_nonsense_is_a_sandbox_error(self):
        direct = Direct(Scripted([True], [0.0]))
        direct._ask_chunk = lambda request, max_bytes, deadline: b"{}"
        direct._ask_info = lambda deadline: b"{}"
        with pytest.raises(SandboxError, match="no sense"):
            direct.run(PROGRAM, ["0"])
        with pytest.raises(SandboxError, match="no sense"):
            assert direct.workers
