"""Text environments as the agents see them: any registered Gymnasium environment with texts in and texts out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from agents.errors import UsageError
from sdpo_gym import arguments
from sdpo_gym.tasks import Message

SUCCESS_RETURN = 1.0
"""An episode whose rewards sum to this counts as solved where the environment does not say so itself."""


@dataclass(frozen=True)
class Start:
    """How an episode begins. Equal starts pose equal tasks."""

    seed: int
    task: int | str | None = None
    """Index or id of the task, where the environment has addressable tasks; else the seed decides."""


@dataclass(frozen=True)
class Opening:
    """What an environment said at the reset."""

    task: str
    messages: tuple[Message, ...]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What an environment said to a response."""

    observation: str
    reward: float
    done: bool
    success: bool
    feedback: str
    feedback_kinds: tuple[str, ...]
    metrics: Mapping[str, float]
    stop_reason: str


class Environments:
    """Instances of one environment, stepped concurrently.

    Each is made with `gymnasium.make`, so that environments of other packages work: the prompt is `info["messages"]`,
    else the observation as a user's message; the feedback is `info["feedback"]`, else the observation after a step that
    did not succeed; success is `info["success"]`, else a return of `SUCCESS_RETURN` at the end.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment.
        count: How many episodes run at the same time.

    Raises:
        UsageError: the environment is unknown, refuses the arguments, or is not a text environment.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any], count: int):
        self.env_id = env_id
        self.step_seconds = 0.0  # spent in `step` so far: the judging of responses
        self._envs: list[gymnasium.Env] = []
        self._returns = [0.0] * count
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="environment")
        try:
            for _ in range(count):
                self._envs.append(_make(env_id, env_args))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._envs)

    @property
    def num_tasks(self) -> int | None:
        """How many indexed tasks there are; None where they are endless or only the seed decides."""
        return self._envs[0].get_wrapper_attr("num_tasks") if self.names_tasks else None

    @property
    def names_tasks(self) -> bool:
        """Whether a start may name its task, by id or index."""
        return self._envs[0].has_wrapper_attr("num_tasks")

    def reset(self, starts: Sequence[Start]) -> list[Opening]:
        """Begin one episode per start, in the first environments."""
        return list(self._threads.map(self.reset_one, range(len(starts)), starts))

    def step(self, responses: Mapping[int, str]) -> dict[int, Outcome]:
        """Hand responses to the environments with these indices. What a model wrote is never an error."""
        started = time.monotonic()
        outcomes = dict(zip(responses, self._threads.map(self.step_one, responses, responses.values()), strict=True))
        self.step_seconds += time.monotonic() - started
        return outcomes

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        for env in self._envs:
            env.close()

    def reset_one(self, index: int, start: Start) -> Opening:
        """Begin an episode in one environment."""
        options = None if start.task is None else {"task": start.task}
        observation, info = self._envs[index].reset(seed=start.seed, options=options)
        self._returns[index] = 0.0
        messages = info.get("messages") or [{"role": "user", "content": observation}]
        task = info.get("task_id", f"seed {start.seed}" if start.task is None else start.task)
        return Opening(str(task), tuple(dict(message) for message in messages), info.get("metadata", {}))

    def step_one(self, index: int, response: str) -> Outcome:
        """Hand a response to one environment."""
        observation, reward, terminated, truncated, info = self._envs[index].step(response)
        done = bool(terminated or truncated)
        self._returns[index] += float(reward)
        success = bool(info.get("success", done and self._returns[index] >= SUCCESS_RETURN))
        feedback = info.get("feedback", "" if success else observation)
        stop_reason = info.get("stop_reason", "terminated" if terminated else "truncated" if truncated else "")
        kinds = tuple(item["kind"] for item in info.get("feedback_items", ()))
        return Outcome(observation, float(reward), done, success, feedback, kinds, info.get("metrics", {}), stop_reason)


class TaskSchedule:
    """Which tasks come when: reshuffled passes over the indexed tasks, else fresh seeds. A function of the position.

    Args:
        num_tasks: Number of indexed tasks, or None.
        seed: Decides the order.
    """

    def __init__(self, num_tasks: int | None, seed: int):
        self.num_tasks = num_tasks
        self.seed = seed

    def starts(self, position: int, count: int) -> list[Start]:
        """The starts at `position` … `position + count − 1` of the endless list."""
        return [self._start(i) for i in range(position, position + count)]

    def _start(self, position: int) -> Start:
        seed = int(np.random.SeedSequence([self.seed, position]).generate_state(1)[0])
        if self.num_tasks is None:
            return Start(seed)
        epoch, place = divmod(position, self.num_tasks)
        order = np.random.default_rng([self.seed, epoch]).permutation(self.num_tasks)
        return Start(seed, int(order[place]))


def parse_env_args(pairs: Sequence[str]) -> dict[str, Any]:
    """Turn `--env-arg key=value` into keyword arguments. Raises UsageError where there is no `=`."""
    try:
        return arguments.parse_env_args(pairs)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _make(env_id: str, env_args: Mapping[str, Any]) -> gymnasium.Env:
    try:
        return arguments.make_text_env(env_id, env_args)
    except ValueError as error:
        raise UsageError(str(error)) from error
