"""Attempts at tasks, by a model in this process or behind a server; what is in the journal is not made again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

from agents.environments import Environments, Start
from agents.errors import UsageError, warn_once
from agents.evaluate.attempts import Attempt, AttemptTurn
from agents.evaluate.chat_client import ChatClient, ContextLengthExceeded, ServerError
from agents.evaluate.config import SERVER_PREFIX, EvaluateConfig
from agents.evaluate.tasks import check_same_tasks
from agents.policy.load import load_policy
from agents.rollouts import WAYS_OUT, check_room, collect_groups
from agents.runs.resumable import Journal
from agents.runs.seeds import derived_seed
from agents.sampling.factory import make_engine

Progress = Callable[[int, int], None]
"""Called with the number of attempts made so far and their total."""


def sample_model(
    model: str,
    config: EvaluateConfig,
    environments: Environments,
    starts: Sequence[Start],
    journal: Journal,
    progress: Progress,
) -> list[Attempt]:
    """Attempt each start `config.samples` times, as far as the journal does not hold the attempts yet.

    Returns:
        All attempts, by task.

    Raises:
        UsageError: the journal's attempts are at other tasks, the model cannot be loaded, all prompts are too long for
            it, or the server failed. The attempts made so far are in the journal.
    """
    check_same_tasks(environments, starts, journal.records)
    sample = _sample_server if model.startswith(SERVER_PREFIX) else _sample_policy
    total = len(starts) * config.samples
    progress(len(journal.records), total)
    if len(journal.records) < total:
        for attempts in sample(model, config, environments, starts, journal):
            journal.append(attempt.to_json() for attempt in attempts)
            progress(len(journal.records), total)
    attempts = sorted(map(Attempt.from_json, journal.records), key=lambda attempt: (attempt.position, attempt.sample))
    check_room(attempts)
    return attempts


def _recorded(journal: Journal) -> set[tuple[int, int]]:
    return {(record["position"], record["sample"]) for record in journal.records}


def _sample_policy(
    model: str, config: EvaluateConfig, environments: Environments, starts: Sequence[Start], journal: Journal
) -> Iterator[list[Attempt]]:
    policy = load_policy(model, device=config.device, precision=config.precision, template_args=config.template_args)
    done = _recorded(journal)
    with contextlib.closing(make_engine(policy, config)) as engine:
        journal.start_clock()
        for positions, samples in _batches(len(starts), config.samples, config.sampling_rows):
            missing = {(position, sample) for position in positions for sample in samples} - done
            if not missing:
                continue
            # A batch that was recorded in part is drawn again as it was.
            seeds = [derived_seed("evaluate", config.seed, position, samples[0]) for position in positions]
            batch = [starts[position] for position in positions]
            groups = collect_groups(policy, engine, environments, batch, len(samples), config.sampling, seeds)
            yield [
                Attempt.from_episode(episode, position, sample)
                for position, group in zip(positions, groups, strict=True)
                for sample, episode in zip(samples, group, strict=True)
                if (position, sample) in missing
            ]


def _batches(tasks: int, samples: int, rows: int) -> Iterator[tuple[range, range]]:
    """Tasks and samples that are drawn at once: whole groups of several tasks, or a part of one task's group."""
    at_once = max(1, rows // samples)
    for task in range(0, tasks, at_once):
        for sample in range(0, samples, rows):
            yield range(task, min(task + at_once, tasks)), range(sample, min(sample + rows, samples))


def _sample_server(
    model: str, config: EvaluateConfig, environments: Environments, starts: Sequence[Start], journal: Journal
) -> Iterator[list[Attempt]]:
    client = ChatClient(model.removeprefix(SERVER_PREFIX), config.server, config.sampling, config.template_args)
    done = _recorded(journal)
    every = [(position, sample) for sample in range(config.samples) for position in range(len(starts))]
    jobs: SimpleQueue[tuple[int, int] | None] = SimpleQueue()
    results: SimpleQueue[Attempt | BaseException | None] = SimpleQueue()
    for job in [job for job in every if job not in done] + [None] * config.server.concurrency:
        jobs.put(job)

    def work(index: int) -> None:
        try:
            while (job := jobs.get()) is not None and not client.stopped:
                results.put(_attempt(client, environments, index, starts[job[0]], *job))
        except BaseException as error:
            results.put(error)
        results.put(None)

    journal.start_clock()
    # Daemons: Ctrl-C does not wait for replies.
    for index in range(config.server.concurrency):
        threading.Thread(target=work, args=(index,), name=f"request-{index}", daemon=True).start()
    working = config.server.concurrency
    failure: BaseException | None = None
    try:
        while working:
            result = results.get()
            if result is None:
                working -= 1
            elif isinstance(result, Attempt):
                yield [result]
            elif failure is None:
                failure = result
                client.stop()
    finally:
        client.stop()
        client.close()
    if isinstance(failure, ServerError):
        raise UsageError(f"{failure}. No attempt was counted as failed for it") from failure
    if failure is not None:
        raise failure


def _attempt(
    client: ChatClient, environments: Environments, index: int, start: Start, position: int, sample: int
) -> Attempt:
    opening = environments.reset_one(index, start)
    messages = list(opening.messages)
    turns: list[AttemptTurn] = []
    success, metrics, stop_reason, done = False, {}, "", False
    while not done:
        try:
            completion = client.complete(messages)
        except ContextLengthExceeded as error:
            if not turns:
                warn_once(
                    f"the prompt of task {opening.task!r} is too long for the model: {error}. Attempts at it fail; "
                    f"{WAYS_OUT}"
                )
            stop_reason = "context_length"
            break
        outcome = environments.step_one(index, completion.text)
        turns.append(
            AttemptTurn(
                response=completion.text,
                tokens=completion.tokens,
                prompt_tokens=completion.prompt_tokens,
                logprob=completion.logprob,
                logprob_tokens=completion.logprob_tokens,
                truncated=completion.truncated,
                reward=outcome.reward,
                feedback=outcome.feedback,
                feedback_kinds=outcome.feedback_kinds,
            )
        )
        success, metrics, stop_reason, done = outcome.success, outcome.metrics, outcome.stop_reason, outcome.done
        messages += [
            {"role": "assistant", "content": completion.text},
            {"role": "user", "content": outcome.observation},
        ]
    return Attempt(
        position=position,
        sample=sample,
        task=opening.task,
        metadata=opening.metadata,
        messages=opening.messages,
        success=success,
        stop_reason=stop_reason,
        metrics=metrics,
        turns=turns,
    )
