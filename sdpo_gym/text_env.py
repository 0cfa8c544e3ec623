"""The Gymnasium environment that poses tasks as text and answers with verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from sdpo_gym.spaces import UnicodeText
from sdpo_gym.tasks import EndlessTaskSet, Message, Task, TaskList, TaskSet, Verifier, chat_text
from sdpo_gym.verdict import Verdict

ENDLESS = 1 << 31
"""Indexes of endless tasks are drawn from 0 … ENDLESS − 1."""

NO_FEEDBACK = "That is not correct."
"""The observation after a failed attempt about which the verifier says nothing."""


class TextEpisode:
    """One task being worked on: the chat so far, and the rules of when it ends. Judges nothing itself."""

    def __init__(self, task: Task, max_turns: int):
        self.task = task
        self.max_turns = max_turns
        self.turn = 0
        self.done = False
        self.messages: list[Message] = [dict(message) for message in task.messages]

    @property
    def text(self) -> str:
        """The chat so far as one text."""
        return chat_text(self.messages)

    def info(self) -> dict[str, Any]:
        return {
            "task_id": self.task.id,
            "metadata": dict(self.task.metadata),
            "messages": [dict(message) for message in self.messages],
            "turn": self.turn,
        }

    def advance(self, response: str, verdict: Verdict) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take the verdict on the next response; returns what `Env.step` returns."""
        self.turn += 1
        self.task = verdict.next_task or self.task
        self.done = verdict.success or verdict.final or self.turn >= self.max_turns
        self.messages.append({"role": "assistant", "content": response})
        observation = ""
        if not self.done:
            observation = verdict.feedback or NO_FEEDBACK if verdict.observation is None else verdict.observation
            self.messages.append({"role": "user", "content": observation})
        info = self.info() | {
            "success": verdict.success,
            "feedback": verdict.feedback,
            "feedback_items": [dict(item) for item in verdict.feedback_items],
            "metrics": dict(verdict.metrics),
            "stop_reason": _stop_reason(verdict) if self.done else "",
        }
        return observation, verdict.reward, self.done, False, info


class TextEnv(gymnasium.Env[str, str]):
    """A text environment: tasks and a verifier behind Gymnasium's interface.

    An episode poses one task. Each step takes a response and has it judged. It ends with a success, with a verdict that
    is final, or after `max_turns` responses. In between, the observation is the feedback on the failed attempt; or, if
    the response was no attempt but a step on the way (see `Verdict`), what it led to.

    `reset` takes the options `{"task": index or id}`. Without them the seed decides the task; without a seed the
    environment's own random numbers go on.

    `info` always holds `task_id`, `metadata` (the task's), `messages` (the chat so far) and `turn`; after a step also
    `success`, `feedback`, `feedback_items`, `metrics` and `stop_reason` (`"success"`, `"final"`, `"max_turns"`, or
    `""` while the episode goes on). The feedback on the last attempt is only in `info`, not in the observation.

    Args:
        tasks: The tasks, in order, as a list or a `TaskSet`; or endless ones.
        verifier: Judges the responses. It may be shared by several environments and is not closed by this one.
        max_turns: How many responses an episode allows.
        render_mode: None or `"ansi"` (the chat as text).

    Raises:
        TypeError: the tasks are nothing of that kind, or the verifier is no `Verifier`.
        ValueError: a list of tasks is empty or repeats an id; `max_turns` or `render_mode` makes no sense.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        tasks: TaskSet | EndlessTaskSet | Sequence[Task],
        verifier: Verifier,
        *,
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        if not isinstance(verifier, Verifier):
            raise TypeError(
                f"the verifier must be an object of a class derived from sdpo_gym.Verifier, not {verifier!r:.100}"
                + (f": call the class, {verifier.__name__}(…)" if isinstance(verifier, type) else "")
            )
        if isinstance(max_turns, bool) or not isinstance(max_turns, int) or max_turns < 1:
            raise ValueError(f"max_turns must be a whole number of at least 1, not {max_turns!r}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode must be None or one of {self.metadata['render_modes']}, not {render_mode!r}")
        self.tasks = _task_set(tasks)
        self.verifier = verifier
        self.max_turns = max_turns
        self.render_mode = render_mode
        self.observation_space = UnicodeText()
        self.action_space = UnicodeText()
        self._episode: TextEpisode | None = None

    @property
    def num_tasks(self) -> int | None:
        """How many tasks there are; `options={"task": i}` takes 0 … num_tasks − 1. None: they are endless."""
        return len(self.tasks) if isinstance(self.tasks, Sized) else None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self._episode = self.begin(self.np_random, options)
        return self._episode.task.prompt, self._episode.info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        response = self.check_action(self._episode, action)
        return self._episode.advance(response, self.judge([self._episode.task], [response])[0])

    def render(self) -> str | None:
        if self.render_mode is None:
            return None
        if self._episode is None:
            raise ResetNeeded("call reset() before render(): no episode has begun")
        return self._episode.text

    # The parts that TextVectorEnv shares, so that N episodes at once behave as N environments.

    def begin(self, rng: np.random.Generator, options: Mapping[str, Any] | None) -> TextEpisode:
        """Begin an episode on the task that `options` name, else on one drawn with `rng`."""
        options = copy_options(options)
        choice = options.pop("task", None)
        if options:
            raise ValueError(
                f"unknown reset options {sorted(options, key=str)}; there is 'task' (an index or a task id), "
                "and for vector environments 'reset_mask'"
            )
        index = rng.integers(self.num_tasks or ENDLESS) if choice is None else choice
        return TextEpisode(self._task(index), self.max_turns)

    def check_action(self, episode: TextEpisode | None, action: Any) -> str:
        """Return the action as a response that can be encoded; raise on misuse by the caller."""
        if episode is None:
            raise ResetNeeded("call reset() before step(): no episode has begun")
        if episode.done:
            raise ResetNeeded("the episode is over; call reset() to begin the next one")
        if not isinstance(action, str):
            raise TypeError(f"an action is the response as a str, not {type(action).__name__}: {action!r:.100}")
        return action.encode("utf-8", "replace").decode("utf-8")

    def judge(self, tasks: list[Task], responses: list[str]) -> list[Verdict]:
        """Verdicts on responses, pairwise. A response beyond the action space's length fails unread."""
        longest = self.action_space.max_length
        fits = [len(response) <= longest for response in responses]
        kept = [i for i, fit in enumerate(fits) if fit]
        judged = self.verifier.verify_many([tasks[i] for i in kept], [responses[i] for i in kept]) if kept else []
        _check_verdicts(self.verifier, judged, len(kept))
        verdicts = dict(zip(kept, judged, strict=True))
        return [verdicts.get(i) or _too_long(response, longest) for i, response in enumerate(responses)]

    def _task(self, choice: int | str) -> Task:
        if isinstance(choice, str):
            try:
                return self.tasks.find(choice)
            except KeyError:
                number = "they are endless" if self.num_tasks is None else f"there are {self.num_tasks}"
                raise ValueError(
                    f"unknown task id {choice!r}; ids look like {self.tasks[0].id!r}, and {number}"
                ) from None
        if isinstance(choice, (int, np.integer)) and not isinstance(choice, bool):
            if choice < 0 or (self.num_tasks is not None and choice >= self.num_tasks):
                number = "the tasks are numbered" if self.num_tasks is None else f"there are {self.num_tasks} tasks,"
                raise ValueError(f"task index {choice} is out of range: {number} from 0")
            return self.tasks[int(choice)]
        raise ValueError(f"options['task'] must be an index or a task id, not {choice!r:.100}")


def copy_options(options: Any) -> dict[str, Any]:
    """The options of a reset, to take out of; raise TypeError if they are none."""
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"reset options must be a dict such as {{'task': 3}}, not {options!r:.100}")
    return dict(options or {})


def _task_set(tasks: Any) -> TaskSet | EndlessTaskSet:
    if isinstance(tasks, (list, tuple)):
        return TaskList(tasks)
    # A str has both methods too.
    if isinstance(tasks, str) or not (hasattr(tasks, "__getitem__") and hasattr(tasks, "find")):
        raise TypeError(
            "tasks must be a list of Tasks or an object with __getitem__(index) and find(task_id), such as a "
            f"sdpo_gym.TaskList, not {tasks!r:.100}"
        )
    return tasks


def _stop_reason(verdict: Verdict) -> str:
    if verdict.success:
        return "success"
    return "final" if verdict.final else "max_turns"


def _check_verdicts(verifier: Verifier, verdicts: Any, number: int) -> None:
    """Raise TypeError unless a verifier returned what it should: a forgotten `return` is not a wrong answer."""
    name = type(verifier).__name__
    if not isinstance(verdicts, Sequence) or len(verdicts) != number:
        raise TypeError(f"{name}.verify_many returned {verdicts!r:.100}; return a list of {number} Verdict(s)")
    for verdict in verdicts:
        if not isinstance(verdict, Verdict):
            raise TypeError(f"{name}.verify returned {verdict!r:.100}; return a Verdict")


def _too_long(response: str, longest: int) -> Verdict:
    text = f"The response has {len(response)} characters, but at most {longest} are read. Give a shorter answer."
    item = {"kind": "format", "visibility": "visible", "problem": "too_long"}
    return Verdict(reward=0.0, success=False, feedback=text, feedback_items=(item,))
