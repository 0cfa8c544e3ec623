"""Questions and verdicts of any text environment, for trainers that do the sampling and the stepping themselves.

A trainer's data set holds questions; later it asks what a response to one of them is worth. A question is known by two
plain values that fit in every data set's row, `task_id` and `seed`, so that no answer key ever leaves the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import gymnasium

import sdpo_gym  # noqa: F401  (registers the environments)
from sdpo_gym.arguments import make_text_env
from sdpo_gym.tasks import Message
from sdpo_gym.verdict import Verdict


@dataclass(frozen=True)
class Question:
    """A task as a trainer's data set holds it. `task_id` and `seed` are what a verdict is asked by."""

    task_id: str
    seed: int
    messages: tuple[Message, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def begin(env: gymnasium.Env, task_id: str, seed: int) -> Question:
    """Begin an episode on a question's task, in an environment that `make_text_env` made.

    Raises:
        ValueError: the environment poses another task than the question's, or has no such task.
    """
    # Where the environment names no tasks, the name is the task's number, which `Judge.questions` made the seed, too.
    question = _pose(env, seed if task_id == str(seed) else task_id, seed)
    if question.task_id != task_id:
        spec = env.unwrapped.spec
        raise ValueError(
            f"the data set asks for task {task_id!r}, but seed {seed} of {spec.id!r} with the arguments {spec.kwargs} "
            f"poses {question.task_id!r}; was the data set made with other arguments?"
        )
    return question


def _pose(env: gymnasium.Env, task: str | int, seed: int) -> Question:
    """Begin an episode on a task. Without addressable tasks, the seed alone decides."""
    options = {"task": task} if env.has_wrapper_attr("num_tasks") else None
    info = env.reset(seed=seed, options=options)[1]
    messages = tuple(dict(message) for message in info["messages"])
    return Question(str(info["task_id"]), seed, messages, info["metadata"])


def start(env_id: str, env_args: Mapping[str, Any], task_id: str, seed: int) -> gymnasium.Env:
    """Make an environment and begin an episode on a question's task; see `begin`."""
    env = make_text_env(env_id, env_args)
    try:
        begin(env, task_id, seed)
    except BaseException:
        env.close()
        raise
    return env


@contextlib.asynccontextmanager
async def started(
    env_id: str, env_args: Mapping[str, Any], task_id: str, seed: int
) -> AsyncIterator[Callable[[str], Awaitable[tuple[str, bool, Verdict]]]]:
    """The same for asyncio; yields `step` for this episode, to be awaited. A cancelled task leaves no environment open.

    All calls of the environment run in one thread, so that none begins before the previous one has ended, even if the
    task that awaited that one was cancelled.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="episode")
    loop = asyncio.get_running_loop()
    starting = loop.run_in_executor(thread, start, env_id, env_args, task_id, seed)

    async def respond(response: str) -> tuple[str, bool, Verdict]:
        return await loop.run_in_executor(thread, step, starting.result(), response)

    async def close() -> None:
        await asyncio.wait([starting])  # a thread goes on, whoever is cancelled
        if starting.exception() is None:
            await loop.run_in_executor(thread, starting.result().close)
        thread.shutdown(wait=False)

    try:
        await asyncio.shield(starting)
        yield respond
    finally:
        await asyncio.shield(close())


def step(env: gymnasium.Env, response: str) -> tuple[str, bool, Verdict]:
    """Hand a response to such an environment: the observation, whether the episode is over, and the verdict."""
    observation, reward, terminated, truncated, info = env.step(response)
    items = tuple(info["feedback_items"])
    verdict = Verdict(float(reward), info["success"], info["feedback"], items, info["metrics"])
    return observation, bool(terminated or truncated), verdict


def episode_reward(rewards: Iterable[float]) -> float:
    """The reward of an episode: the sum of its steps' rewards, as our agents take it. 0.0 without a step."""
    return float(sum(rewards))


class Judge:
    """Lists an environment's questions and judges single responses to them, several at the same time.

    What is judged is the first response of an episode. Calls from several threads are safe: each takes an instance of
    the environment that is free, and waits when `concurrency` of them are busy.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment.
        concurrency: How many responses are judged at the same time.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any] | None = None, *, concurrency: int = 8):
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self.env_id = env_id
        self.env_args = dict(env_args or {})
        self._idle = [make_text_env(env_id, self.env_args)]
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="judge")

    @property
    def num_tasks(self) -> int | None:
        """How many tasks the environment lists. None: they are endless, or decided by seeds."""
        with self._env() as env:
            return env.get_wrapper_attr("num_tasks") if env.has_wrapper_attr("num_tasks") else None

    def questions(self, count: int | None = None, *, first: int = 0) -> list[Question]:
        """The questions number `first` … `first + count − 1`; without `count`, all that are left.

        A number is the task's index, or where tasks have none, the seed.

        Raises:
            ValueError: there are not so many, or they are endless and `count` is not given.
        """
        total = self.num_tasks
        if count is None and total is None:
            raise ValueError(f"the tasks of {self.env_id!r} are endless; say how many you want (count)")
        stop = total if count is None else first + count
        if first < 0 or stop <= first or (total is not None and stop > total):
            number = "endless tasks" if total is None else f"{total} tasks"
            raise ValueError(f"first={first}, count={count} is no part of the {number} of {self.env_id!r}")
        with self._env() as env:
            return [_pose(env, number, number) for number in range(first, stop)]

    def verdict(self, task_id: str, seed: int, response: str) -> Verdict:
        """Judge a response to a question.

        Raises:
            ValueError: the environment has no such task, or poses another one.
            Exception: whatever the environment raises when the judging itself failed. It says nothing of the response.
        """
        with self._env() as env:
            begin(env, task_id, seed)
            return step(env, response)[2]

    def verdicts(self, task_ids: Sequence[str], seeds: Sequence[int], responses: Sequence[str]) -> list[Verdict]:
        """Judge responses to questions, pairwise and concurrently."""
        jobs = zip(task_ids, seeds, responses, strict=True)
        return list(self._threads.map(lambda job: self.verdict(*job), jobs))

    def close(self) -> None:
        """Close the environments. No call may be under way."""
        self._threads.shutdown(wait=True)
        while self._idle:
            self._idle.pop().close()

    @contextlib.contextmanager
    def _env(self) -> Iterator[gymnasium.Env]:
        """An environment that nobody else has meanwhile."""
        with self._places:
            with self._lock:
                env = self._idle.pop() if self._idle else None
            env = env or make_text_env(self.env_id, self.env_args)
            try:
                yield env
            finally:
                with self._lock:
                    self._idle.append(env)


def list_questions(
    env_id: str, env_args: Mapping[str, Any] | None = None, count: int | None = None, *, first: int = 0
) -> list[Question]:
    """Questions of an environment that is made for this alone; see `Judge.questions`."""
    with contextlib.closing(Judge(env_id, env_args)) as judge:
        return judge.questions(count, first=first)


def shared_judge(env_id: str, env_args: str = "{}") -> Judge:
    """The process's one judge of an environment, for trainers that know nothing but a function to call, in any thread.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment, as JSON.
    """
    with _sharing:  # else threads that come first together make one each
        return _shared_judge(env_id, env_args)


_sharing = threading.Lock()


@functools.cache
def _shared_judge(env_id: str, env_args: str) -> Judge:
    return Judge(env_id, json.loads(env_args))
