"""The agents' view of environments: ours and other people's."""

import threading
from collections import Counter

import numpy as np
import pytest
import toy_env
from hypothesis import given
from hypothesis import strategies as st
from training import records, run

from agents.environments import Environments, Start, TaskSchedule, parse_env_args
from agents.errors import UsageError
from agents.evaluate.__main__ import main as evaluate
from agents.evaluate.config import EvaluateConfig


def test_an_environment_of_this_project():
    environments = Environments("toy/Even-v0", {"max_turns": 2}, 2)
    assert environments.num_tasks == 4
    openings = environments.reset([Start(0, task=1), Start(0, task=1)])
    assert [opening.task for opening in openings] == ["beta", "beta"]
    assert openings[0].messages == ({"role": "user", "content": "Say beta."},)
    outcomes = environments.step({0: "odd", 1: "even"})
    assert not outcomes[0].done and "odd number" in outcomes[0].feedback and not outcomes[0].success
    assert outcomes[1].done and outcomes[1].success and outcomes[1].stop_reason == "success"
    assert environments.step({0: "again!"})[0].success  # only the one that goes on
    environments.close()


def test_an_environment_that_says_nothing_in_info():
    environments = Environments("toy_env:toy/Plain-v0", {}, 2)
    assert environments.num_tasks is None
    first, second = environments.reset([Start(5), Start(5)])
    assert first == second and first.messages[0]["content"].startswith("Number")
    outcomes = environments.step({0: "odd", 1: "even"})
    assert outcomes[0].feedback == "odd" and not outcomes[0].success
    assert outcomes[1].feedback == "" and outcomes[1].success
    environments.close()


def test_an_episode_that_a_time_limit_cuts_is_over():
    environments = Environments("toy/Endless-v0", {}, 1)
    try:
        environments.reset([Start(0)])
        assert not environments.step({0: "a"})[0].done
        outcome = environments.step({0: "b"})[0]
    finally:
        environments.close()
    assert outcome.done and outcome.stop_reason == "truncated" and not outcome.success


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), np.float32("-inf")])
def test_a_reward_that_is_no_finite_number_is_refused(reward, monkeypatch):
    monkeypatch.setattr(toy_env.PlainEnv, "step", lambda self, action: ("", reward, True, False, {}))
    environments = Environments("toy_env:toy/Plain-v0", {}, 1)
    environments.reset([Start(5)])
    with pytest.raises(UsageError, match=r"'toy/Plain-v0': the reward .* must be a finite number, not "):
        environments.step({0: "even"})
    environments.close()


def test_what_return_is_a_success_can_be_said(tiny_model, tmp_path, monkeypatch):
    """Of a game that pays for the solution and takes for each step."""
    monkeypatch.setattr(toy_env.PlainEnv, "step", lambda self, action: ("", len(action) % 2 - 0.01, True, False, {}))
    settings = {"env": "toy/Plain-v0", "steps": 1, "eval_tasks": 0}
    solved = []
    for success_return in (1.0, 0.9):
        folder = run("sdpo", tiny_model, tmp_path / str(success_return), success_return=success_return, **settings)
        rollouts = records(folder, "rollouts.jsonl")
        assert all(r["success"] == (r["reward"] >= success_return) for r in rollouts)
        solved.append(sum(r["success"] for r in rollouts))
    assert solved[0] == 0 < solved[1]
    with pytest.raises(UsageError, match="says itself what a success is; leave out --success-return"):
        Environments("toy/Even-v0", {}, 1, success_return=0.9)


@pytest.mark.parametrize("algorithm", ["grpo", "sdpo"])
def test_numbers_of_numpy_are_written_down(algorithm, tiny_model, tmp_path):
    folder = run(algorithm, tiny_model, tmp_path / "run", env="toy/NumPy-v0", steps=1)
    for rollout in records(folder, "rollouts.jsonl"):
        characters = len(rollout["turns"][0]["response"])
        even = characters % 2 == 0
        assert rollout["metrics"] == {"share": 0.5, "characters": characters, "even": even}
        assert rollout["success"] is even and rollout["reward"] == even


def test_metadata_that_json_cannot_hold_are_left_out(tiny_model, tmp_path, monkeypatch):
    """Else they could not be written down, or would be something else when they are read again."""

    def reset(self, *, seed=None, options=None):
        return "Go.", {"metadata": {"level": np.int64(seed % 2), ("a", 1): 2, "lock": threading.Lock()}}

    monkeypatch.setattr(toy_env.PlainEnv, "reset", reset)
    environments = Environments("toy/Plain-v0", {}, 1)
    assert environments.reset([Start(3)])[0].metadata == {"level": 1, "('a', 1)": 2}
    environments.close()
    settings = {"env": "toy/Plain-v0", "num_tasks": 6, "samples": 1, "max_new_tokens": 4, "device": "cpu"}
    [result] = evaluate(EvaluateConfig(model=(str(tiny_model),), output=tmp_path / "evaluation", **settings))
    assert set(result["by"]["level"]) == {"0", "1"}


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        ("sdpo/Nothing-v0", {}, "sdpo/LiveCodeBench-v0"),
        ("no_such_module:x/Y-v0", {}, "no_such_module"),
        ("toy/Numbers-v0", {}, "not a text environment"),
        (
            "toy/SeedOnly-v0",
            {},
            r"'toy/SeedOnly-v0': its reset must take \(\*, seed=None, options=None\), not \(seed=None\)",
        ),
        ("toy/Even-v0", {"colour": 1}, "colour"),
        ("toy/Even-v0", {"max_turns": 0}, "max_turns"),
        ("sdpo/LiveCodeBench-v0", {"data": "/no/such/file.jsonl"}, "/no/such/file.jsonl"),
    ],
)
def test_clear_refusals(env_id, arguments, message):
    with pytest.raises(UsageError, match=message):
        Environments(env_id, arguments, 1)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("reset", r"^'toy/Failing-v0': reset must return \(observation, info\), not 'prompt alone'$"),
        ("step", r"^'toy/Failing-v0': step must return .*, not 4 values$"),
        ("data", "^'toy/Failing-v0': the data are damaged$"),
        ("connection", "^'toy/Failing-v0': the server is gone$"),
        ("code", r"^'toy/Failing-v0' failed at the response 'seven':\n(.*\n)+.*int\(action\)\n(.*\n)*ValueError: "),
    ],
)
def test_failures_name_the_environment(where, message):
    environments = Environments("toy/Failing-v0", {"where": where}, 1)
    with pytest.raises(UsageError, match=message) as raised:
        environments.reset([Start(0)])
        environments.step({0: "seven"})
    assert isinstance(raised.value.__cause__, (ValueError, ConnectionError))
    environments.close()


def test_one_that_cannot_be_closed_leaves_no_other_open(monkeypatch):
    closed = []

    def close(self):
        closed.append(self)
        raise RuntimeError("it cannot be closed")

    monkeypatch.setattr(toy_env.PlainEnv, "close", close)
    environments = Environments("toy/Plain-v0", {}, 3)
    with pytest.raises(RuntimeError, match="it cannot be closed"):
        environments.close()
    assert len(set(map(id, closed))) == 3


def test_every_pass_over_the_tasks_holds_each_once():
    schedule = TaskSchedule(num_tasks=5, seed=1)
    tasks = [start.task for start in schedule.starts(0, 15)]
    for epoch in range(3):
        assert sorted(tasks[5 * epoch : 5 * epoch + 5]) == list(range(5))
    assert tasks[:5] != tasks[5:10] or tasks[5:10] != tasks[10:]
    assert [start.task for start in schedule.starts(7, 3)] == tasks[7:10]
    assert TaskSchedule(5, seed=2).starts(0, 15) != schedule.starts(0, 15)


def test_without_indexed_tasks_seeds_differ():
    starts = TaskSchedule(num_tasks=None, seed=1).starts(0, 50)
    assert len({start.seed for start in starts}) == 50
    assert all(start.task is None for start in starts)


class TestCurriculum:
    def test_weights_are_those_of_the_success_rates(self):
        schedule = TaskSchedule(4, seed=0, curriculum=True)
        assert schedule.probabilities().tolist() == [0.25] * 4
        schedule.record([Start(0, 1), Start(0, 2)], [1.0, 0.25])
        schedule.record([Start(0, 1)], [1.0])
        rates = np.array([0.5, 0.875, 0.375, 0.5])  # halfway from the last value, at first ½, to the latest success
        weights = np.sqrt(rates * (1 - rates))
        np.testing.assert_allclose(schedule.probabilities(), weights / weights.sum())

    @given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0])), max_size=200))
    def test_no_task_is_starved(self, attempts):
        schedule = TaskSchedule(5, seed=0, curriculum=True)
        for task, rate in attempts * 3:
            schedule.record([Start(0, task)], [rate])
        probabilities = schedule.probabilities()
        assert probabilities.sum() == pytest.approx(1)
        assert probabilities.min() > 0.0999 * probabilities.max()

    def test_draws_follow_the_weights_and_hold_a_task_once(self):
        schedule = TaskSchedule(6, seed=3, curriculum=True)
        for _ in range(50):
            schedule.record([Start(0, 0), Start(0, 1)], [0.0, 1.0])
        batches = [schedule.starts(position, 3) for position in range(0, 3000, 3)]
        assert all(len({start.task for start in batch}) == 3 for batch in batches)
        counts = Counter(start.task for batch in batches for start in batch)
        assert set(counts) == set(range(6))
        assert max(counts[0], counts[1]) < 0.4 * min(counts[task] for task in (2, 3, 4, 5))
        assert len({start.seed for batch in batches for start in batch}) == 3000
        singles = Counter(schedule.starts(position, 1)[0].task for position in range(5000))
        found = np.array([singles[task] / 5000 for task in range(6)])
        np.testing.assert_allclose(found, schedule.probabilities(), atol=0.02)

    def test_a_batch_larger_than_the_tasks_repeats_some(self):
        assert len(TaskSchedule(2, seed=0, curriculum=True).starts(0, 7)) == 7

    def test_is_decided_by_seed_position_and_record(self):
        one, same, other = (TaskSchedule(50, seed, curriculum=True) for seed in (1, 1, 2))
        assert one.starts(8, 8) == same.starts(8, 8) != other.starts(8, 8)
        one.record([Start(0, task) for task in range(25)], [1.0] * 25)
        assert one.starts(8, 8) != same.starts(8, 8)
        same.load_state(one.state())
        assert one.starts(8, 8) == same.starts(8, 8)

    def test_a_run_draws_by_the_success_of_its_attempts(self, tiny_model, tmp_path):
        settings = {"curriculum": "uncertain", "tasks_per_step": 1, "group_size": 2, "eval_tasks": 0, "steps": 16}
        folder = run("grpo", tiny_model, tmp_path / "run", **settings)
        schedule = TaskSchedule(len(toy_env.WORDS), seed=0, curriculum=True)
        attempts = records(folder, "rollouts.jsonl")
        for position in range(16):
            pair = attempts[2 * position : 2 * position + 2]
            [start] = schedule.starts(position, 1)
            assert [attempt["task"] for attempt in pair] == [toy_env.WORDS[start.task]] * 2
            schedule.record([start], [np.mean([attempt["success"] for attempt in pair])])

    def test_needs_tasks_that_come_again(self, tiny_model, tmp_path):
        with pytest.raises(
            UsageError, match="--curriculum uncertain needs an environment with a fixed number of tasks"
        ):
            run("grpo", tiny_model, tmp_path / "run", env="toy_env:toy/Plain-v0", curriculum="uncertain")


def test_env_args():
    parsed = parse_env_args(["a=1", "b=true", "c=text", 'd=["x"]', "e=a=b", "f="])
    assert parsed == {"a": 1, "b": True, "c": "text", "d": ["x"], "e": "a=b", "f": ""}
    assert parse_env_args(["a=True", "b=False", "c=None", "d=none", 'e="True"']) == {
        "a": True, "b": False, "c": None, "d": "none", "e": "True"
    }  # fmt: skip
    with pytest.raises(UsageError, match="key=value"):
        parse_env_args(["nothing"])
