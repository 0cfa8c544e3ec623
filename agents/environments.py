"""Text environments as the agents see them: any registered Gymnasium environment with texts in and texts out."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import gymnasium
import numpy as np

from agents.errors import UsageError
from agents.runs.interrupt import held
from sdpo_gym import arguments
from sdpo_gym.json_values import as_json
from sdpo_gym.sandbox import SandboxError
from sdpo_gym.tasks import Message
from sdpo_gym.text_env import TextEnv
from sdpo_gym.wrappers import SUCCESS_RETURN, ContractError

UNKNOWN_RATE = 0.5
"""A curriculum's success rate of tasks that did not come up yet: they come first."""

RECENCY = 0.5
"""The share of the latest attempts in a task's recent success rate."""

LEAST_WEIGHT = 0.05
"""Of a task that is always or never solved; the largest weight is ½."""

SECONDS_HELD = 0.2
"""How long Ctrl-C waits at most while environments work."""

Result = TypeVar("Result")


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

    Each is made with `gymnasium.make`, so that environments of other packages work: `CompleteInfo` says how.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment.
        count: How many episodes run at the same time.
        success_return: Rewards of an episode that sum to this are a success, where the environment does not say.

    Raises:
        UsageError: the environment is unknown, refuses the arguments, or is not a text environment; or it always says
            what a success is, so that another `success_return` would be ignored.
        SandboxError: it needs a sandbox, which does not work.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any], count: int, success_return: float = SUCCESS_RETURN):
        self.env_id = env_id
        self._envs: list[gymnasium.Env] = []
        self.judging_seconds = 0.0
        """Wall time that `step` has taken so far."""
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="environment")
        try:
            for _ in range(count):
                self._envs.append(_make(env_id, env_args, success_return))
            if isinstance(env := self._envs[0].unwrapped, TextEnv):
                if success_return != SUCCESS_RETURN:
                    raise UsageError(f"{env_id!r} says itself what a success is; leave out --success-return")
                env.verifier.prepare()
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
        """Begin one episode per start, in the first environments. See `reset_one`."""
        return self._side_by_side(self.reset_one, range(len(starts)), starts)

    def step(self, responses: Mapping[int, str]) -> dict[int, Outcome]:
        """Hand responses to the environments with these indices. See `step_one`."""
        started = time.monotonic()
        outcomes = self._side_by_side(self.step_one, responses, responses.values())
        self.judging_seconds += time.monotonic() - started
        return dict(zip(responses, outcomes, strict=True))

    def close(self) -> None:
        """Close the environments, all of them even if one raises."""
        self._threads.shutdown(wait=True)
        with contextlib.ExitStack() as stack:
            for env in self._envs:
                stack.callback(env.close)

    def reset_one(self, index: int, start: Start) -> Opening:
        """Begin an episode in one environment.

        Raises:
            UsageError: the environment refuses the start, or fails.
        """
        options = None if start.task is None else {"task": start.task}
        with self._failing(f"in reset(seed={start.seed}, options={options})", expected=ValueError):
            info = self._envs[index].reset(seed=start.seed, options=options)[1]
        messages = tuple(dict(message) for message in info["messages"])
        # Other packages' environments may say what no file of records holds, such as NumPy's numbers.
        return Opening(str(info["task_id"]), messages, as_json(info["metadata"]))

    def step_one(self, index: int, response: str) -> Outcome:
        """Hand a response to one environment. What a model wrote is never an error.

        Raises:
            UsageError: the environment fails.
        """
        with self._failing(f"at the response {response!r:.200}", expected=ContractError):
            observation, reward, terminated, truncated, info = self._envs[index].step(response)
        return Outcome(
            observation=observation,
            reward=float(reward),
            done=bool(terminated or truncated),
            success=info["success"],
            feedback=info["feedback"],
            feedback_kinds=tuple(item["kind"] for item in info["feedback_items"]),
            metrics=as_json(info["metrics"]),
            stop_reason=info["stop_reason"],
        )

    @contextlib.contextmanager
    def _failing(self, when: str, expected: type[Exception]) -> Iterator[None]:
        """Names the environment in what it raises; where that is not `expected`, its code is wrong somewhere."""
        try:
            yield
        except (expected, ConnectionError, SandboxError) as error:
            prefix = "" if isinstance(error, ContractError) else f"{self.env_id!r}: "
            raise UsageError(f"{prefix}{error}") from error
        except Exception as error:
            raise UsageError(f"{self.env_id!r} failed {when}:\n{traceback.format_exc()}") from error

    def _side_by_side(self, act: Callable[..., Result], *arguments: Iterable[Any]) -> list[Result]:
        """What `act` returns for each tuple of arguments, in their order."""
        with held():
            futures = [self._threads.submit(act, *each) for each in zip(*arguments, strict=True)]
        while True:
            with held():
                done, waiting = wait(futures, SECONDS_HELD, FIRST_EXCEPTION)
                for future in done:
                    future.result()  # or what it raised
                if not waiting:
                    return [future.result() for future in futures]


class TaskSchedule:
    """Which tasks come when: reshuffled passes over the indexed tasks, else fresh seeds. A function of the position.

    With a curriculum, indexed tasks are drawn instead, those of a batch without replacement, with the weights
    √(p(1 − p)) of their recent success rates p (as arXiv 2605.27765 weights its losses), at least `LEAST_WEIGHT`; a
    function of the position and of what was recorded.

    Args:
        num_tasks: Number of indexed tasks, or None.
        seed: Decides the order.
        curriculum: Whether tasks are drawn by their success; needs indexed tasks.
    """

    def __init__(self, num_tasks: int | None, seed: int, *, curriculum: bool = False):
        self.num_tasks = num_tasks
        self.seed = seed
        self.rates = np.full(num_tasks, UNKNOWN_RATE) if curriculum else None  # recent success of each task

    def starts(self, position: int, count: int) -> list[Start]:
        """The starts at `position` … `position + count − 1` of the endless list."""
        positions = range(position, position + count)
        seeds = [int(np.random.SeedSequence([self.seed, i]).generate_state(1)[0]) for i in positions]
        if self.num_tasks is None:
            return [Start(seed) for seed in seeds]
        if self.rates is None:
            tasks = [self._task_in_pass(i) for i in positions]
        else:
            rng = np.random.default_rng([self.seed, position])
            tasks = rng.choice(self.num_tasks, count, replace=count > self.num_tasks, p=self.probabilities())
        return [Start(seed, int(task)) for seed, task in zip(seeds, tasks, strict=True)]

    def probabilities(self) -> np.ndarray:
        """With which a curriculum draws each task next, (num_tasks,)."""
        weights = np.maximum(np.sqrt(self.rates * (1 - self.rates)), LEAST_WEIGHT)
        return weights / weights.sum()

    def record(self, starts: Sequence[Start], success_rates: Sequence[float]) -> None:
        """Take note of the success at these starts, for a curriculum."""
        if self.rates is not None:
            for start, rate in zip(starts, success_rates, strict=True):
                self.rates[start.task] += RECENCY * (rate - self.rates[start.task])

    def state(self) -> dict[str, Any]:
        return {"rates": None if self.rates is None else self.rates.tolist()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.rates = None if state["rates"] is None else np.array(state["rates"])

    def _task_in_pass(self, position: int) -> int:
        epoch, place = divmod(position, self.num_tasks)
        return np.random.default_rng([self.seed, epoch]).permutation(self.num_tasks)[place]


def parse_env_args(pairs: Sequence[str], flag: str = "--env-arg") -> dict[str, Any]:
    """Turn `--env-arg key=value` into keyword arguments. Raises UsageError where there is no `=`."""
    try:
        return arguments.parse_env_args(pairs, flag)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _make(env_id: str, env_args: Mapping[str, Any], success_return: float) -> gymnasium.Env:
    try:
        return arguments.make_text_env(env_id, env_args, success_return)
    except ValueError as error:
        raise UsageError(str(error)) from error
