"""Tasks of the package reasoning-gym as an environment."""

from __future__ import annotations

import ast
import cmath
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from sdpo_gym import Task, TextEnv, Verdict, Verifier
from sdpo_gym.extras import needs

EVALUATORS = frozenset({"eval", "exec", "parse_expr", "sympify"})
"""Functions that run what they are given as a program."""

FORMAT = "Give the final answer, and nothing else, between <answer> and </answer>."
_UNANSWERED = "The response gives no answer between <answer> and </answer>."


class ReasoningGymEnv(TextEnv):
    """
    ## Description
    The puzzles that the package reasoning-gym (extra `[reasoning-gym]`) generates and scores: more than ninety kinds,
    from arithmetic to graphs. The question is the package's, followed by how to give the answer. How strict the scores
    are differs from kind to kind.

    ## Action Space
    A text (`UnicodeText`): the response. What is between the last `<answer>` and `</answer>` is scored.

    ## Observation Space
    A text (`UnicodeText`): at the start the question, later the feedback on the failed attempt.

    ## Rewards
    The package's score of the answer, between 0.0 and 1.0. Most kinds give a little for a wrong answer. 1.0 is success.

    ## Starting State
    One question, drawn with the seed, or chosen with `reset(options={"task": index or id})`. Ids are the kind, the seed
    and the index, such as `"chain_sum-0-17"`.

    ## Episode End
    The episode terminates with a score of 1.0, or after `max_turns` responses.

    ## Arguments
    ```python
    gymnasium.make("sdpo/ReasoningGym-v0", dataset="chain_sum", size=500, dataset_seed=0, config=None,
                   allow_unsafe=False, max_turns=1, render_mode=None)
    ```

    * `dataset`: The kind of puzzle: a name in `reasoning_gym.factory.DATASETS`.
    * `size`: How many there are.
    * `dataset_seed`: Decides which.
    * `config`: The kind's own settings, such as `{"min_terms": 2}`.
    * `allow_unsafe`: Some kinds are scored by running the answer as a Python expression, in this process. They are
      refused unless this is true; it must not be where a model's answers are not trusted.

    ## Version History
    * v0: first version, with reasoning-gym 0.1.25.

    Raises:
        ImportError: reasoning-gym is not installed.
        ValueError: there is no such kind, its settings make no sense, or it would run answers as programs.
    """

    def __init__(
        self,
        dataset: str = "chain_sum",
        *,
        size: int = 500,
        dataset_seed: int = 0,
        config: Mapping[str, Any] | None = None,
        allow_unsafe: bool = False,
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        with needs("sdpo-gym[reasoning-gym]"):
            import reasoning_gym
            from reasoning_gym.factory import DATASETS

        if dataset not in DATASETS:
            raise ValueError(f"reasoning-gym has no dataset {dataset!r}; it has {', '.join(sorted(DATASETS))}")
        if not allow_unsafe and (evaluators := _evaluators(DATASETS[dataset][0])):
            raise ValueError(
                f"reasoning-gym scores {dataset!r} with {', '.join(evaluators)}, which runs a model's answer as a "
                "program in this process. Choose another dataset, or allow_unsafe=True where you trust the answers"
            )
        try:
            entries = reasoning_gym.create_dataset(dataset, size=size, seed=dataset_seed, **(config or {}))
        except (AssertionError, TypeError) as error:  # how the package refuses settings
            raise ValueError(f"reasoning-gym refuses these settings of {dataset!r}: {error}") from error
        tasks = _Entries(f"{dataset}-{dataset_seed}", entries)
        super().__init__(tasks, _Scorer(entries), max_turns=max_turns, render_mode=render_mode)


class _Entries:
    """The task set: an entry of the package's data set is made when it is asked for."""

    def __init__(self, name: str, entries: Any):
        self._name = name
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Task:
        entry = self._entries[index]
        message = {"role": "user", "content": f"{entry['question']}\n\n{FORMAT}"}
        return Task(f"{self._name}-{index}", (message,), answer_key=entry)

    def find(self, task_id: str) -> Task:
        name, _, index = task_id.rpartition("-")
        if name != self._name or not (index.isascii() and index.isdecimal()) or int(index) >= len(self):
            raise KeyError(task_id)
        return self[int(index)]


class _Scorer(Verifier):
    def __init__(self, entries: Any):
        self._entries = entries

    def verify(self, task: Task, response: str) -> Verdict:
        before, closed, _ = response.rpartition("</answer>")
        _, opened, answer = before.rpartition("<answer>")
        if not (closed and opened):
            return _failure(_UNANSWERED, "format", 0.0)
        said, right = _number(answer), _number(str(task.answer_key["answer"]))
        if said is not None and right is not None and not cmath.isfinite(said):  # some scorers take nan for a hit
            return _failure("The answer is not a finite number.", "wrong_answer", 0.0)
        try:
            score = float(self._entries.score_answer(answer.strip(), task.answer_key))
        except Exception as error:  # a scorer that stumbles over the answer has not accepted it
            return _failure(f"The answer cannot be read ({type(error).__name__}).", "format", 0.0)
        if score >= 1.0:
            return Verdict(score, True, metrics={"score": score})
        return _failure(f"The answer is wrong. It scores {score:.2g} of 1.", "wrong_answer", score)


def _number(text: str) -> complex | None:
    """The number that a text is; `i` is the imaginary unit. None: it is none."""
    text = text.replace(" ", "").strip("()\n").lower()
    try:
        return complex(text[:-1] + "j" if text.endswith("i") else text)
    except ValueError:
        return None


def _failure(feedback: str, kind: str, score: float) -> Verdict:
    return Verdict(score, False, feedback, ({"kind": kind, "visibility": "visible"},), {"score": score})


def _evaluators(dataset_class: type) -> list[str]:
    """The functions in a data set's class that run text as a program. It may be that they run no answers."""
    called = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(dataset_class)))):
        if isinstance(node, ast.Call):
            called.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    return sorted(called & EVALUATORS)
