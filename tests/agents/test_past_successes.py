"""Successes of earlier steps as demonstrations."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from training import contents, make_groups, records, run

from agents.episode import Episode, Turn
from agents.errors import UsageError
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig
from agents.sdpo.reprompt import TeacherContext, choose_contexts
from agents.sdpo.successes import PastSuccesses


def episode(response, success, task="t", feedback=""):
    turn = Turn([1], [2], [-1.0], False, response, float(success), feedback)
    return Episode(task, 0, ({"role": "user", "content": "?"},), [turn], success)


def known(memory, task="t"):
    """All that may be drawn, in a hundred draws."""
    return {memory.draw(task, np.random.default_rng(seed)) for seed in range(100)}


def test_the_latest_are_kept_each_once():
    memory = PastSuccesses(2)
    assert memory.draw("t", np.random.default_rng(0)) == ""
    memory.add([[episode("a", True), episode("wrong", False), episode("b", True)], [episode("x", True, "other")]])
    assert known(memory) == {"a", "b"} and known(memory, "other") == {"x"}
    memory.add([[episode("a", True)]])  # again: b is now the oldest
    memory.add([[episode("<think>hm</think>c", True), episode("<think>only that", True)]])
    assert known(memory) == {"a", "c"}


def test_none_are_kept_by_default():
    memory = PastSuccesses(0)
    memory.add([[episode("a", True)]])
    assert known(memory) == {""} and memory.state() == {}


@given(st.integers(1, 3), st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.sampled_from("tu"))))
def test_it_is_bounded_and_holds_the_latest_successes(size, attempts):
    memory = PastSuccesses(size)
    for response, success, task in attempts:
        memory.add([[episode(response, success, task)]])
    for task in "tu":
        successes = [response for response, success, other in attempts if success and other == task]
        latest = list(dict.fromkeys(reversed(successes)))[:size]
        assert memory.state().get(task, []) == latest[::-1]


def test_it_is_saved_and_draws_the_same_afterwards():
    memory, again = PastSuccesses(5), PastSuccesses(5)
    memory.add([[episode(response, True) for response in "abcde"]])
    file = io.BytesIO()
    torch.save(memory.state(), file)
    file.seek(0)
    again.load_state(torch.load(file, weights_only=True))
    for seed in range(20):
        rngs = (np.random.default_rng(seed) for _ in range(2))
        assert memory.draw("t", next(rngs)) == again.draw("t", next(rngs)) != ""


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("demonstration", TeacherContext("before")),
        ("both", TeacherContext("before", "why")),
        ("demonstration-else-feedback", TeacherContext("before")),
        ("feedback", TeacherContext("", "why")),
    ],
)
@pytest.mark.parametrize("exclude_own_success", [True, False])
def test_it_serves_groups_without_a_success(kind, shown, exclude_own_success):
    settings = {"exclude_own_success": exclude_own_success, "rng": np.random.default_rng(0), "past_success": "before"}
    assert choose_contexts([episode("bad", False, feedback="why")] * 2, kind, **settings) == [shown] * 2
    group = [episode("good", True), episode("bad", False)]
    assert not any(c and c.demonstration == "before" for c in choose_contexts(group, kind, **settings))


def test_a_later_group_learns_from_it(policy):
    config = SDPOConfig(past_successes=3, teacher="live")
    algorithm = make_sdpo(config, policy, Console(quiet=True))
    solved, unsolved = make_groups(policy, ({0}, set()))
    rows, metrics = algorithm.assign([unsolved], step=1)
    assert rows == [] and metrics["past_success_fraction"] == 0.0
    algorithm.assign([solved], step=2)
    assert algorithm.assign([unsolved], step=2)[0] == []
    algorithm.remember([solved])
    for attempt in solved:
        attempt.success = False
    rows, metrics = algorithm.assign([solved, unsolved], step=3)
    assert [row.episode for row in rows] == solved
    assert all(solved[0].response in policy.tokenizer.decode(row.signal) for row in rows)
    assert metrics["past_success_fraction"] == metrics["demonstration_fraction"] == metrics["learned_fraction"] == 0.5


def test_it_serves_a_group_whose_only_success_is_all_thinking(policy):
    algorithm = make_sdpo(SDPOConfig(past_successes=3, teacher="live"), policy, Console(quiet=True))
    (group, _) = make_groups(policy, ({0}, set()))
    algorithm.remember([group])
    group[0].turns[-1].text = "<think>so it is"
    _, metrics = algorithm.assign([group], step=1)
    assert metrics["past_success_fraction"] == metrics["demonstration_fraction"] == 1.0


def test_endless_tasks_have_no_past(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="--past-successes needs an environment with a fixed number of tasks"):
        run("sdpo", tiny_model, tmp_path / "run", env="toy_env:toy/Plain-v0", past_successes=2)


@pytest.mark.parametrize("lora_rank", [0, 2])
def test_a_run_with_all_that_remembers_goes_on_bit_for_bit(lora_rank, tiny_model, tmp_path):
    """Past successes, a curriculum's success rates, the number of updates since the teacher was copied."""
    settings = {"env": "toy/Rare-v0", "env_arg": ["modulus=4", "max_turns=2"], "tasks_per_step": 3, "group_size": 2}
    settings |= {"past_successes": 2, "curriculum": "uncertain", "teacher": "periodic", "teacher_refresh": 3}
    settings |= {"context": "both", "save_every": 1, "eval_tasks": 0, "lora_rank": lora_rank, "lr": 1e-2}
    weights = "adapter_model.safetensors" if lora_rank else "model.safetensors"
    whole = run("sdpo", tiny_model, tmp_path / "whole", **settings | {"steps": 8})
    parts = run("sdpo", tiny_model, tmp_path / "parts", **settings | {"steps": 4})
    state = torch.load(parts / "checkpoint" / "training_state.pt", weights_only=True)
    teacher, successes = state["algorithm"]
    assert teacher["updates"] % 3 and successes and len(set(state["schedule"]["rates"])) > 1
    run("sdpo", tiny_model, parts, **settings | {"steps": 8, "resume": True})
    assert contents(parts, weights) == contents(whole, weights)
    late = [r for r in records(whole, "metrics.jsonl") if r["step"] > 4]
    assert any(r["past_success_fraction"] > 0 for r in late)
    assert any(len(r["turns"]) == 2 for r in records(whole, "rollouts.jsonl"))
