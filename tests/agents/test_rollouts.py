"""Groups of attempts, one turn and several."""

import pytest
import toy_env  # noqa: F401

from agents.environments import Environments, Start
from agents.errors import UsageError, warn_once
from agents.rollouts import collect_groups
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine


class RecordingEngine(TransformersEngine):
    """Keeps what it was asked and what it drew."""

    def sample(self, prompts, group_size, parameters, seeds):
        groups = super().sample(prompts, group_size, parameters, seeds)
        self.__dict__.setdefault("seeds", []).extend(seeds)
        calls = self.__dict__.setdefault("calls", [])
        calls += [
            (tuple(prompt), response) for prompt, group in zip(prompts, groups, strict=True) for response in group
        ]
        return groups


def collect(policy, env_id="toy/Even-v0", max_turns=None, max_new_tokens=6, seed=0):
    arguments = {} if max_turns is None else {"max_turns": max_turns}
    environments = Environments(env_id, arguments, 8)
    engine = RecordingEngine(policy)
    tasks = environments.num_tasks
    starts = [Start(1, task=0), Start(2, task=3 % tasks)] if tasks else [Start(1), Start(2)]
    try:
        groups = collect_groups(
            policy,
            engine,
            environments,
            starts,
            4,
            SamplingParameters(max_new_tokens),
            [seed, seed + 1],
        )
    finally:
        environments.close()
    return groups, engine


def test_groups_share_a_task(policy):
    groups, _ = collect(policy)
    assert [[episode.task for episode in group] for group in groups] == [["alpha"] * 4, ["delta"] * 4]
    for episode in (episode for group in groups for episode in group):
        assert len(episode.turns) == 1
        assert episode.success == (len(episode.response) % 2 == 0)
        assert episode.reward == float(episode.success)
        assert (episode.feedback == "") == episode.success
        assert episode.stop_reason in ("success", "max_turns")


def test_every_turn_of_every_attempt_has_a_seed_of_its_own(policy):
    _, engine = collect(policy, "toy/Echo-v0", max_turns=3)
    assert len(engine.seeds) == 2 + 8 + 8 == len(set(engine.seeds))


def test_response_tokens_are_never_retokenised(policy):
    """The learner reads, token by token, what the engine drew, and each later turn was drawn after just that."""
    groups, engine = collect(policy, max_turns=3)
    drawn = {(prompt, tuple(response.token_ids)): response for prompt, response in engine.calls}
    turns = 0
    for episode in (episode for group in groups for episode in group):
        history = list(episode.prompt_ids)
        for number, turn in enumerate(episode.turns):
            if number:
                history += turn.context_ids
            response = drawn[tuple(history), tuple(turn.response_ids)]
            assert turn.logprobs == response.logprobs
            history += turn.response_ids
            turns += 1
        assert history == episode.prompt_ids + episode.continuation_ids
        own = [t for t, sampled in zip(episode.continuation_ids, episode.loss_mask, strict=True) if sampled]
        assert own == [token for turn in episode.turns for token in turn.response_ids]
        assert len(episode.logprobs) == len(own) == episode.num_response_tokens
    assert turns > 8  # some went on


def test_later_turns_read_the_feedback(policy):
    groups, _ = collect(policy, max_turns=3)
    longest = max((episode for group in groups for episode in group), key=lambda episode: len(episode.turns))
    assert longest.turns[0].feedback in policy.tokenizer.decode(longest.turns[1].context_ids)


def test_equal_seeds_give_equal_rollouts(policy):
    first, _ = collect(policy, max_turns=2)
    again, _ = collect(policy, max_turns=2)
    other, _ = collect(policy, max_turns=2, seed=1)
    assert [[e.to_json() for e in g] for g in first] == [[e.to_json() for e in g] for g in again]
    assert [[e.to_json() for e in g] for g in first] != [[e.to_json() for e in g] for g in other]


def test_environments_of_others(policy):
    groups, _ = collect(policy, "toy/Plain-v0")
    assert [group[0].task for group in groups] == ["seed 1", "seed 2"]


def test_an_environment_that_ignores_the_seed_is_refused(policy):
    with pytest.raises(UsageError, match="different prompts for equal seeds"):
        collect(policy, "toy/Unseeded-v0")


def test_a_prompt_that_leaves_no_room_ends_its_attempts_only(policy, caplog):
    warn_once.cache_clear()
    (fits, long), engine = collect(policy, "toy/Long-v0")
    assert all(len(episode.turns) == 1 and episode.stop_reason != "context_length" for episode in fits)
    for episode in long:
        assert (episode.turns, episode.success, episode.reward) == ([], False, 0.0)
        assert episode.stop_reason == "context_length" and episode.task == "delta"
    assert len(engine.calls) == 4
    others, _ = collect(policy)
    assert [episode.response for episode in fits] == [episode.response for episode in others[0]]
    collect(policy, "toy/Long-v0")
    (warning,) = caplog.messages
    assert "'delta'" in warning and "no room for 6 new ones" in warning and "--max-new-tokens" in warning


def test_an_episode_ends_when_its_context_is_full(policy):
    room = 2048 - len(policy.render([{"role": "user", "content": "Say delta."}]))
    groups, _ = collect(policy, max_turns=5, max_new_tokens=room - 10)
    reasons = {episode.stop_reason for group in groups for episode in group}
    assert "context_length" in reasons


def test_a_later_turn_needs_room_for_what_comes_before_it_and_a_whole_response(policy):
    groups, _ = collect(policy, "toy/Echo-v0", max_turns=2)
    episodes = [episode for group in groups for episode in group]
    needed = [
        len(first.context_ids) + len(first.response_ids) + len(second.context_ids) + 6
        for first, second in (episode.turns for episode in episodes)
    ]
    assert len(set(needed)) > 2
    for length in {*needed, *(need - 1 for need in needed)}:
        policy.model.config.max_position_embeddings = length
        groups, _ = collect(policy, "toy/Echo-v0", max_turns=2)
        found = [(len(episode.turns), episode.stop_reason) for group in groups for episode in group]
        assert found == [(2, "max_turns") if need <= length else (1, "context_length") for need in needed]
