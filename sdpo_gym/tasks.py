"""Tasks, ordered sets of tasks, and the verifier that judges responses to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sdpo_gym.verdict import Verdict

ROLES = ("system", "user", "assistant")
MAX_NAMED = 5
"""So many repeated ids are named in a message."""

Message = Mapping[str, str]
"""One chat message: `{"role": "system" | "user" | "assistant", "content": text}`."""


@dataclass(frozen=True)
class Task:
    """One question. Immutable; everything in it is JSON-able.

    Raises:
        TypeError: the id is no str, the messages are no sequence of messages, or the metadata no mapping.
        ValueError: there is no message, or the last one is not the user's.
    """

    id: str
    messages: tuple[Message, ...]
    """The chat that poses the question, ready for a chat template. The last message is the user's."""

    answer_key: Any = None
    """What the verifier needs to judge a response. Never shown to a model."""

    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str):  # a reset would take an int for an index
            raise TypeError(f"the id of a Task must be a str, not {self.id!r:.100}: give str(…) of it")
        if not isinstance(self.metadata, Mapping):
            raise TypeError(f"task {self.id!r}: metadata must be a mapping such as a dict, not {self.metadata!r:.100}")
        if not isinstance(self.messages, Sequence) or isinstance(self.messages, str):
            raise TypeError(f"task {self.id!r}: messages must be a tuple of messages, not {self.messages!r:.100}")
        if not self.messages:
            raise ValueError(f"task {self.id!r}: there is no message; give at least the user's")
        for message in self.messages:
            if not is_message(message):
                raise TypeError(
                    f"task {self.id!r}: a message is {{'role': one of {ROLES}, 'content': a str}}, not {message!r:.200}"
                )
        if self.messages[-1]["role"] != "user":
            raise ValueError(
                f"task {self.id!r}: the last message must be the user's, to which the model responds, "
                f"not {self.messages[-1]!r:.200}"
            )

    @property
    def prompt(self) -> str:
        """The question as one text: the contents of all messages, separated by blank lines."""
        return "\n\n".join(message["content"] for message in self.messages)


def is_message(value: Any) -> bool:
    """Whether this is a chat message."""
    return isinstance(value, Mapping) and value.get("role") in ROLES and isinstance(value.get("content"), str)


def chat_text(messages: Sequence[Message]) -> str:
    """A chat as one text, in which each message stands beneath its role."""
    return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in messages)


class EndlessTaskSet(Protocol):
    """Tasks without end, made when they are asked for. It has no length: every index from 0 on is a task."""

    def __getitem__(self, index: int) -> Task: ...

    def find(self, task_id: str) -> Task:
        """Return the task with this id. Raises KeyError when there is none."""
        ...


class TaskSet(EndlessTaskSet, Protocol):
    """An ordered, addressable collection of tasks."""

    def __len__(self) -> int: ...


class TaskList(Sequence[Task]):
    """A `TaskSet` that holds its tasks in memory.

    Raises:
        ValueError: if there are no tasks or two share an id.
    """

    def __init__(self, tasks: Sequence[Task]):
        if not tasks:
            raise ValueError("a task set needs at least one task, but none is left after filtering")
        self._tasks = tuple(tasks)
        self._by_id = {task.id: task for task in self._tasks}
        check_unique("task ids", [task.id for task in self._tasks])

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, index):
        return self._tasks[index]

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)

    def find(self, task_id: str) -> Task:
        return self._by_id[task_id]


def check_unique(what: str, ids: Sequence[str]) -> None:
    """Raise ValueError if ids are repeated; it names the first few."""
    repeated = [repeated_id for repeated_id, count in Counter(ids).items() if count > 1]
    if repeated:
        more = f" and {len(repeated) - MAX_NAMED} more" if len(repeated) > MAX_NAMED else ""
        raise ValueError(f"{what} must be unique, but these are repeated: {repeated[:MAX_NAMED]}{more}")


class Verifier(ABC):
    """Judges responses. The same task and response always give the same verdict.

    Whatever a model wrote gets a verdict. An exception means that the judging itself failed (for example, the sandbox
    was lost), and is never to be read as a wrong answer.
    """

    @abstractmethod
    def verify(self, task: Task, response: str) -> Verdict:
        """Judge one response."""

    def verify_many(self, tasks: Sequence[Task], responses: Sequence[str]) -> list[Verdict]:
        """Judge responses to tasks, pairwise, at least one. Override it where a batch can be judged concurrently."""
        return [self.verify(task, response) for task, response in zip(tasks, responses, strict=True)]

    def prepare(self) -> None:  # noqa: B027 (few need it)
        """Start what judging needs, such as a sandbox, and raise if it does not work; by default nothing is needed.

        Commands call it before long work, so that it does not fail at the first response.
        """
