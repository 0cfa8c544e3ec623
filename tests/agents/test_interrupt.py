"""Ctrl-C and SIGTERM at any moment."""

import itertools
import signal
import sys
import threading

import pytest

from agents.environments import Environments, Start
from agents.runs.interrupt import held, interruptible
from agents.trackers import Trackers


def interrupted(act, opcode):
    """Call `act`, with SIGTERM at its n-th opcode; whether there are so many."""
    count = 0

    def each(frame, event, argument):
        nonlocal count
        count += event == "opcode"
        if count == opcode:
            sys.settrace(None)
            count += 1
            signal.raise_signal(signal.SIGTERM)
        return each

    def call(frame, event, argument):
        frame.f_trace_opcodes = True
        return each

    before = sys.gettrace()
    with interruptible():
        try:
            sys.settrace(call)
            act()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
    return False


def ends(act):
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


def test_tensorboard_can_be_closed_after_an_interrupt(tmp_path):
    """Its thread reads a queue, whose lock an interrupt at the wrong moment leaves locked."""
    record = {"step": 1, "phase": "train", "loss": 1.0, "reward": 0.5}
    for opcode in itertools.count(1, 5):
        trackers = Trackers(["tensorboard"])
        trackers.start(tmp_path / str(opcode), {}, 1)
        there = interrupted(lambda trackers=trackers: trackers.log(record), opcode)
        assert ends(trackers.close), opcode
        if not there:
            break
    assert opcode > 500


@pytest.mark.parametrize("act", ["reset", "step"])
def test_environments_can_be_closed_after_an_interrupt(act):
    starts = [Start(i, i) for i in range(2)]
    for opcode in itertools.count(1, 5):
        environments = Environments("toy_env:toy/Even-v0", {}, 2)
        if act == "step":
            environments.reset(starts)
        there = interrupted(
            lambda environments=environments: (
                environments.reset(starts) if act == "reset" else environments.step({0: "a", 1: "b"})
            ),
            opcode,
        )
        assert ends(environments.close), opcode
        if not there:
            break
    assert opcode > 500


def test_an_interrupt_does_not_wait_for_environments(monkeypatch):
    environments = Environments("toy_env:toy/Even-v0", {}, 1)
    environments.reset([Start(0, 0)])
    finish, ended = threading.Event(), []
    monkeypatch.setattr(Environments, "step_one", lambda *_: ended.append(finish.wait(60)))
    threading.Timer(0.5, signal.raise_signal, [signal.SIGTERM]).start()
    with interruptible(), pytest.raises(KeyboardInterrupt):
        environments.step({0: "a"})
    assert not ended
    finish.set()
    environments.close()


def test_what_an_environment_raises_comes_through(monkeypatch):
    environments = Environments("toy_env:toy/Even-v0", {}, 2)

    def fail(self, index, start):
        raise ValueError(f"start {index}")

    monkeypatch.setattr(Environments, "reset_one", fail)
    with pytest.raises(ValueError, match="start"):
        environments.reset([Start(0, 0), Start(1, 1)])
    environments.close()


class TestHeld:
    def test_an_interrupt_comes_at_the_end(self):
        done = []
        with interruptible(), pytest.raises(KeyboardInterrupt):
            with held():
                with held():
                    signal.raise_signal(signal.SIGTERM)
                    done.append(1)
                signal.raise_signal(signal.SIGINT)
                done.append(2)
            done.append(3)
        assert done == [1, 2]
        with interruptible(), held():  # nothing is left over
            done.append(4)

    def test_it_is_not_lost_where_something_fails(self):
        with interruptible(), pytest.raises(KeyboardInterrupt) as raised, held():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("a reason")
        assert isinstance(raised.value.__context__, ValueError)

    def test_the_handlers_are_given_back(self):
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with pytest.raises(ZeroDivisionError), interruptible():
            assert signal.getsignal(signal.SIGTERM) is not before[1]
            raise ZeroDivisionError
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before

    def test_other_threads_hold_nothing(self):
        inside, leave = threading.Event(), threading.Event()

        def work():
            with interruptible(), held():
                inside.set()
                leave.wait(60)

        thread = threading.Thread(target=work)
        thread.start()
        inside.wait(60)
        with interruptible(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        leave.set()
        thread.join(60)
