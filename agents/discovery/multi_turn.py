"""The model is shown what came of its earlier attempts; its weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.discovery.attempts import Batch, Bench, Record
from agents.discovery.config import History
from agents.episode import Episode
from agents.policy.policy import Policy
from agents.runs.seeds import derived_seed
from sdpo_gym.tasks import Message
from sdpo_gym.text_env import NO_FEEDBACK


def multi_turn(bench: Bench, record: Record, finished: Callable[[str, int], None]) -> None:
    """Make the attempts that the record lacks, one by one in each run; all runs go on side by side.

    Args:
        finished: Called with task and seed of each run that is complete.
    """
    config = bench.config
    runs = [(task, seed) for task in bench.tasks for seed in config.run_seeds]
    messages: dict[str, Sequence[Message]] = {}
    room = bench.policy.context_length - config.max_new_tokens
    room = min(room, config.window or room)
    dropped = dict.fromkeys(runs, 0)  # failures that the window no longer holds
    for number in range(config.budget):
        going_on = [key for key in runs if not _solved_before(record, key, number)]
        for place in range(0, len(going_on), config.sampling_rows):
            keys = going_on[place : place + config.sampling_rows]
            # A kill may have cut the record within these runs: then all are drawn again as they were.
            missing = [key for key in keys if record.run(*key).attempts <= number]
            if not missing:
                continue
            prompts = []
            for key in keys:
                task = key[0]
                if task not in messages:
                    (opening,) = bench.environments.reset([bench.tasks[task]])
                    messages[task] = opening.messages
                failures = record.run(*key).episodes[:number]
                prompt, dropped[key] = windowed_prompt(
                    bench.policy, messages[task], failures, config.history, room, dropped[key]
                )
                prompts.append(prompt)
            starts = [bench.tasks[task] for task, _ in keys]
            seeds = [derived_seed("multi_turn", seed, task, number) for task, seed in keys]
            groups = bench.attempt(starts, 1, seeds, prompts)
            attempts = dict(zip(keys, groups, strict=True))
            record.add([Batch(*key, number, attempts[key]) for key in missing])
        for key in going_on:
            if record.run(*key).time == number + 1 or number + 1 == config.budget:
                finished(*key)


def windowed_prompt(
    policy: Policy,
    messages: Sequence[Message],
    failures: Sequence[Episode],
    history: History,
    room: int,
    dropped: int = 0,
) -> tuple[list[int], int]:
    """Token ids of the question with its history, and how many of the oldest failures are left out to fit.

    Args:
        messages: The question.
        failures: The earlier attempts, oldest first.
        room: Most tokens of the prompt. The question alone may have more.
        dropped: So many are known not to fit.
    """
    low, high = min(dropped, len(failures)), len(failures)
    while low < high:  # the fewest that have to go
        middle = (low + high) // 2
        if len(policy.render(with_history(messages, failures[middle:], history))) <= room:
            high = middle
        else:
            low = middle + 1
    return policy.render(with_history(messages, failures[low:], history)), low


def with_history(messages: Sequence[Message], failures: Sequence[Episode], history: History) -> list[Message]:
    """The chat that asks again: the question with all feedback in one message, or attempts and feedback as turns."""
    if not failures:
        return list(messages)
    if history == "attempts":
        chat = list(messages)
        for episode in failures:
            chat += [
                {"role": "assistant", "content": episode.response},
                {"role": "user", "content": episode.feedback or NO_FEEDBACK},
            ]
        return chat
    feedback = "\n\n".join(f"{i}. {episode.feedback or NO_FEEDBACK}" for i, episode in enumerate(failures, 1))
    text = (
        f"{messages[-1]['content']}\n\nFeedback on your earlier attempts, which failed:\n\n{feedback}\n\n"
        "Avoid these failures, and answer correctly."
    )
    return [*messages[:-1], {"role": "user", "content": text}]


def _solved_before(record: Record, key: tuple[str, int], number: int) -> bool:
    time = record.run(*key).time
    return time is not None and time <= number
