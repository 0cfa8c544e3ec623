"""Inspect AI: any text environment as a task, whose scores are our verdicts.

    inspect eval sdpo_gym/text_env -T env=sdpo/LiveCodeBench-v0 -T count=16 --model openai/NAME

A score is correct where the environment says success, and its explanation is the feedback. Where the judging itself
failed, a sample is unscored: it counts in no metric.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import Judge, episode_reward, list_questions, start, step
from sdpo_gym.json_values import as_json

with needs("sdpo-gym[inspect]"):
    from anyio import CancelScope, to_thread
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver

CHAT = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
VERDICT, FAILURE = "sdpo_gym:verdict", "sdpo_gym:failure"

_log = logging.getLogger("sdpo_gym")


@task
def text_env(
    env: str = "sdpo/LiveCodeBench-v0",
    env_args: Mapping[str, Any] | str | None = None,
    count: int | None = None,
    first: int = 0,
) -> Task:
    """A registered text environment as an Inspect task.

    Args:
        env: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment, or their JSON.
        count: How many of its questions. None: all; endless ones have to be counted.
        first: The number of the first question.

    Raises:
        ValueError: it is no text environment, its arguments are no JSON object, or there are not so many questions.
    """
    arguments = _parse(env_args) if isinstance(env_args, str) else dict(env_args or {})
    return Task(
        dataset=questions(env, arguments, count, first=first),
        solver=episode(env, arguments),
        scorer=verdict(env, arguments),
        name=env.rpartition("/")[2],
    )


def questions(env: str, env_args: Mapping[str, Any], count: int | None = None, *, first: int = 0) -> MemoryDataset:
    """The environment's questions as samples. They hold no answer: only the environment knows it."""
    samples = [
        Sample(
            id=question.task_id,
            input=[CHAT[message["role"]](content=message["content"]) for message in question.messages],
            metadata={**as_json(question.metadata), "task_id": question.task_id, "seed": question.seed},
        )
        for question in list_questions(env, env_args, count, first=first)
    ]
    return MemoryDataset(samples, name=env)


@solver
def episode(env: str, env_args: Mapping[str, Any]) -> Solver:
    """Plays a whole episode: the model responds, and while the episode goes on, sees what the environment says."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        gym_env = None
        rewards = []
        try:
            task_id, seed = state.metadata["task_id"], state.metadata["seed"]
            gym_env = await _judging(state, start, env, env_args, task_id, seed)
            done = gym_env is None
            while not done:
                state = await generate(state)
                judged = await _judging(state, step, gym_env, state.output.completion)
                if judged is None:
                    break
                observation, done, verdict = judged
                rewards.append(verdict.reward)
                state.store.set(VERDICT, asdict(replace(verdict, reward=episode_reward(rewards))))
                if not done:
                    if state.completed:  # Inspect has ended it, at a limit of messages or tokens
                        break
                    state.messages.append(ChatMessageUser(content=observation))
        finally:
            if gym_env is not None:
                with CancelScope(shield=True):  # also at a time limit
                    await to_thread.run_sync(gym_env.close)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def verdict(env: str, env_args: Mapping[str, Any]) -> Scorer:
    """The environment's last verdict, with the episode's reward; after another solver, its verdict on the output."""
    judges: list[Judge] = []

    def judge_output(task_id: str, seed: int, response: str) -> dict[str, Any]:
        if not judges:
            judges.append(Judge(env, env_args))
        return asdict(judges[0].verdict(task_id, seed, response))

    async def score(state: TaskState, target: Target) -> Score:
        answer = state.output.completion
        found = state.store.get(VERDICT)
        if found is None and state.store.get(FAILURE) is None:
            found = await _judging(state, judge_output, state.metadata["task_id"], state.metadata["seed"], answer)
        if (failure := state.store.get(FAILURE)) is not None:
            return Score.unscored(reason="scoring_failed", answer=answer, explanation=failure)
        about = {key: as_json(found[key]) for key in ("reward", "metrics", "feedback_items")}
        value = CORRECT if found["success"] else INCORRECT
        return Score(value=value, answer=answer, explanation=found["feedback"], metadata=about)

    return score


def _parse(env_args: str) -> dict[str, Any]:
    try:
        arguments = json.loads(env_args)
    except ValueError as error:
        arguments = error
    if not isinstance(arguments, dict):
        raise ValueError(f'env_args must be a JSON object such as {{"max_turns": 3}}, not {env_args!r}')
    return arguments


async def _judging(state: TaskState, function: Any, *arguments: Any) -> Any:
    """What the function returns, from a thread; None if the judging failed, which is noted."""
    try:
        return await to_thread.run_sync(function, *arguments)
    except Exception as error:  # nothing that a model wrote raises
        _log.exception("a response could not be judged")
        state.store.set(FAILURE, f"The response could not be judged: {type(error).__name__}: {error}")
        return None
