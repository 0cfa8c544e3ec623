"""Groups of attempts at the same task, sampled from a policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.environments import Environments, Opening, Outcome, Start
from agents.episode import Episode, Turn
from agents.errors import UsageError, warn_once
from agents.policy.policy import Policy
from agents.policy.sharding import gathered
from agents.processes import ALONE, Processes
from agents.runs.seeds import derived_seed
from agents.sampling.engine import Response, SamplingEngine, SamplingParameters

Group = list[Episode]
"""Attempts at the same task, from equal prompts; where these leave no room for a response, none has a turn."""

WAYS_OUT = "lower --max-new-tokens, leave the task out, or take a model with a longer context"
"""What helps where a prompt leaves no room for a response."""


@dataclass(frozen=True)
class Collector:
    """What it takes to attempt tasks; several processes share the work."""

    policy: Policy
    engine: SamplingEngine
    environments: Environments
    parameters: SamplingParameters
    processes: Processes = ALONE

    def groups_at_once(self, group_size: int) -> int:
        """How many groups are attempted at the same time. Each process attempts whole ones."""
        return max(1, len(self.environments) // group_size) * self.processes.count

    def collect(
        self,
        starts: Sequence[Start],
        group_size: int,
        seeds: Sequence[int],
        prompts: Sequence[list[int]] | None = None,
    ) -> list[Group]:
        """All groups, in the order of the starts, in every process. See `collect_groups`."""
        mine = self.processes.mine
        groups = []
        with gathered(self.policy.model):
            if starts[mine]:
                groups = collect_groups(
                    self.policy,
                    self.engine,
                    self.environments,
                    starts[mine],
                    group_size,
                    self.parameters,
                    seeds[mine],
                    prompts and prompts[mine],
                )
        return self.processes.interleave(groups)


def collect_groups(
    policy: Policy,
    engine: SamplingEngine,
    environments: Environments,
    starts: Sequence[Start],
    group_size: int,
    parameters: SamplingParameters,
    seeds: Sequence[int],
    prompts: Sequence[list[int]] | None = None,
) -> list[Group]:
    """Let the policy attempt each start `group_size` times.

    All attempts run side by side. Those whose environment goes on after a turn get another, in which the policy reads
    its own tokens as it sampled them, then the environment's reply. Where the context has no room for a response of
    `max_new_tokens`, attempts end with the stop reason `context_length`; if that is so at the start, without a turn,
    and with a warning.

    Args:
        environments: At least `len(starts) * group_size` of them.
        seeds: One per start; with the weights, it decides what is sampled there.
        prompts: Token ids that the policy reads in place of the environments' own prompts, one list per start.

    Raises:
        UsageError: equal starts gave different prompts.
    """
    openings = environments.reset([start for start in starts for _ in range(group_size)])
    _check_equal_openings(openings, group_size, environments.env_id)
    if prompts is None:
        prompts = [policy.render(opening.messages) for opening in openings[::group_size]]
    episodes = [
        Episode(opening.task, start.seed, opening.messages, metadata=opening.metadata)
        for opening, start in zip(openings, (s for s in starts for _ in range(group_size)), strict=True)
    ]
    turns = _first_turns(policy, engine, episodes, prompts, group_size, parameters, seeds)
    while turns:
        outcomes = environments.step({i: turn.text for i, turn in turns.items()})
        contexts: dict[int, list[int]] = {}
        for i, turn in turns.items():
            _record(episodes[i], turn, outcomes[i])
            if not outcomes[i].done:
                contexts[i] = policy.render_continuation(
                    {"role": "user", "content": outcomes[i].observation}, turn.response_ids
                )
                if _length(episodes[i]) + len(contexts[i]) + parameters.max_new_tokens > policy.context_length:
                    episodes[i].stop_reason = "context_length"
                    del contexts[i]
        histories = [episodes[i].prompt_ids + episodes[i].continuation_ids + ids for i, ids in contexts.items()]
        turn_seeds = [derived_seed(seeds[i // group_size], i % group_size, len(episodes[i].turns)) for i in contexts]
        responses = [group[0] for group in engine.sample(histories, 1, parameters, turn_seeds)] if histories else []
        turns = {i: _turn(policy, contexts[i], response) for i, response in zip(contexts, responses, strict=True)}
    return [episodes[i : i + group_size] for i in range(0, len(episodes), group_size)]


def _first_turns(
    policy: Policy,
    engine: SamplingEngine,
    episodes: Sequence[Episode],
    prompts: Sequence[list[int]],
    group_size: int,
    parameters: SamplingParameters,
    seeds: Sequence[int],
) -> dict[int, Turn]:
    """The first turn of each episode, by its place; where a prompt leaves no room, none, and the stop reason is set."""
    sampled = []  # numbers of the groups whose prompt leaves room for a response
    for number, prompt in enumerate(prompts):
        if has_room(policy, prompt, parameters):
            sampled.append(number)
            continue
        group = episodes[number * group_size : (number + 1) * group_size]
        for episode in group:
            episode.stop_reason = "context_length"
        warn_once(f"{no_room(policy, prompt, parameters, group[0].task)}. Attempts at it fail; {WAYS_OUT}")
    responses = []
    if sampled:
        own_prompts, own_seeds = ([each[number] for number in sampled] for each in (prompts, seeds))
        responses = engine.sample(own_prompts, group_size, parameters, own_seeds)
    return {
        number * group_size + i: _turn(policy, prompts[number], response)
        for number, group in zip(sampled, responses, strict=True)
        for i, response in enumerate(group)
    }


def has_room(policy: Policy, prompt: Sequence[int], parameters: SamplingParameters) -> bool:
    """Whether the policy's context has room for the longest response to a prompt."""
    return len(prompt) + parameters.max_new_tokens <= policy.context_length


def no_room(policy: Policy, prompt: Sequence[int], parameters: SamplingParameters, task: str) -> str:
    """The same in words, where it has not."""
    return (
        f"the prompt of task {task!r} has {len(prompt)} tokens, which leaves no room for "
        f"{parameters.max_new_tokens} new ones: the model reads at most {policy.context_length} in all"
    )


def check_room(attempts: Iterable[Any]) -> None:
    """Raise UsageError if none of these attempts, as learners or evaluations record them, has a turn."""
    if not any(attempt.turns for attempt in attempts):
        raise UsageError(f"the prompt of every task leaves no room for a response: {WAYS_OUT}")


def _turn(policy: Policy, context_ids: list[int], response: Response) -> Turn:
    return Turn(
        context_ids, response.token_ids, response.logprobs, response.truncated, policy.decode(response.token_ids)
    )


def _record(episode: Episode, turn: Turn, outcome: Outcome) -> None:
    turn.reward, turn.feedback, turn.feedback_kinds = outcome.reward, outcome.feedback, outcome.feedback_kinds
    episode.turns.append(turn)
    episode.success, episode.metrics, episode.stop_reason = outcome.success, outcome.metrics, outcome.stop_reason


def _length(episode: Episode) -> int:
    return len(episode.prompt_ids) + len(episode.continuation_ids)


def _check_equal_openings(openings: Sequence[Opening], group_size: int, env_id: str) -> None:
    for first in range(0, len(openings), group_size):
        if any(opening.messages != openings[first].messages for opening in openings[first : first + group_size]):
            raise UsageError(
                f"{env_id!r} gives different prompts for equal seeds, so attempts at the same task cannot be grouped; "
                "its reset(seed=…) must decide the task"
            )
