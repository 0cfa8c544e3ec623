"""TRL: its GRPO and SDPO trainers learn from any text environment (extra `[trl]`).

* `make_dataset` and `EnvironmentReward`: single responses, for every trainer that takes reward functions. For SDPO's
  feedback see `trl_sdpo`.
* `make_environment_factory`: episodes of several attempts, for `GRPOTrainer(environment_factory=…)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sdpo_gym.arguments import make_text_env
from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import Judge, begin, episode_reward, list_questions, step
from sdpo_gym.text_env import NO_FEEDBACK

with needs("sdpo-gym[trl]"):
    from datasets import Dataset


def make_dataset(
    env_id: str, env_args: Mapping[str, Any] | None = None, *, count: int | None = None, first: int = 0
) -> Dataset:
    """A data set of an environment's questions: `prompt` (messages), `task_id` and `seed`.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment.
        count: How many questions; needed where they are endless. None: all.
        first: The number of the first one.
    """
    questions = list_questions(env_id, env_args, count, first=first)
    return Dataset.from_list([{"prompt": list(q.messages), "task_id": q.task_id, "seed": q.seed} for q in questions])


class EnvironmentReward:
    """A reward function: the environment's reward of each completion, judged concurrently.

    `feedback` holds the environment's words on the completions of the last call, in their order. Where the trainer logs
    completions, it logs them too, and the success rate as `success`.

    A failure of the judging itself is raised and stops the training; it is never a reward of 0.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment; those that the data set was made with.
        concurrency: How many completions are judged at the same time.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any] | None = None, *, concurrency: int = 8):
        self._judge = Judge(env_id, env_args, concurrency=concurrency)
        self.__name__ = env_id.rpartition("/")[2]  # TRL names the metric by it
        self.feedback: list[str] = []

    def __call__(
        self,
        completions: Sequence[Any],
        task_id: Sequence[str],
        seed: Sequence[int],
        log_extra: Callable[[str, list], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float]:
        """Rewards of completions: texts, or lists of messages of which the last is the response."""
        verdicts = self._judge.verdicts(task_id, seed, [_response(completion) for completion in completions])
        self.feedback = [verdict.feedback for verdict in verdicts]
        if log_extra is not None:
            log_extra("feedback", self.feedback)
        if log_metric is not None:
            log_metric("success", sum(verdict.success for verdict in verdicts) / len(verdicts))
        return [verdict.reward for verdict in verdicts]

    def close(self) -> None:
        """Close the environments."""
        self._judge.close()


class Attempts:
    """An episode as TRL plays it: the model hands in responses by a tool, and reads the feedback in the tool's result.

    Made by `make_environment_factory`. Its reward is the sum of the responses'; 0.0 if none was handed in.
    """

    def __init__(self, env_id: str, env_args: Mapping[str, Any] | None = None):
        self._env = make_text_env(env_id, env_args)
        self._failure: Exception | None = None
        self._rewards: list[float] = []
        self._done = False

    def reset(self, task_id: str, seed: int, **_: Any) -> None:
        begin(self._env, task_id, seed)
        self._failure = None
        self._rewards = []
        self._done = False

    def submit(self, response: str) -> str:
        """Hand in a response to the task, as complete as if it were your final answer, and read what is wrong with it.

        Args:
            response: The whole response.

        Returns:
            What is wrong with it, or that it is right, or that no attempt is left.
        """
        if self._done:
            return "The task is over; no further response is taken."
        if not isinstance(response, str):  # the model's call decides the type
            return "The response must be a text."
        try:
            observation, self._done, verdict = step(self._env, response)
        except Exception as error:
            self._failure = error  # TRL would take it for the model's mistake; `get_reward` raises it again.
            raise
        self._rewards.append(verdict.reward)
        if verdict.success:
            return "That is correct."
        return observation or verdict.feedback or NO_FEEDBACK

    def get_reward(self) -> float:
        if self._failure is not None:
            raise RuntimeError("a response could not be judged") from self._failure
        return episode_reward(self._rewards)


def make_environment_factory(env_id: str, env_args: Mapping[str, Any] | None = None) -> Callable[[], Attempts]:
    """What `GRPOTrainer(environment_factory=…)` takes, together with `make_dataset` and no reward function.

    The model needs a chat template with tools. The environment's `max_turns` says how many responses are taken. TRL
    runs the tools of a batch one after another, so that responses are not judged concurrently.
    """
    return lambda: Attempts(env_id, env_args)


def _response(completion: str | Sequence[Mapping[str, str]]) -> str:
    return completion if isinstance(completion, str) else completion[-1].get("content") or ""
