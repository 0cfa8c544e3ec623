"""The SciKnowEval environment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envs.sciknoweval.loading import load_questions
from envs.sciknoweval.molecules import require_rdkit
from envs.sciknoweval.questions import PROMPTS, Question
from envs.sciknoweval.verifier import SciKnowEvalVerifier, make_answer_key
from sdpo_gym.tasks import Task, TaskList
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv

__all__ = ["SciKnowEvalEnv", "SciKnowEvalVectorEnv"]


class SciKnowEvalEnv(TextEnv):
    """
    ## Description

    Multiple-choice questions on chemistry, physics, biology or materials: those of level 3 of SciKnowEval (arXiv
    2406.09098), as the SDPO paper (arXiv 2601.20802) uses them. No question comes with this package: they are loaded
    from the Hugging Face hub or from a file.

    Many of the questions can be answered without any science. The metric `shortcut` says how often, and `python -m
    envs.sciknoweval.shortcut` prints it: on the test questions on chemistry such rules score 0.648.

    ## Action Space

    A text (`UnicodeText`): the response, with the letter of an option. Any text is a valid action; one without a letter
    that can be read is a failed attempt.

    ## Observation Space

    A text (`UnicodeText`): at the start the question, later the feedback on the failed attempt. After the last attempt
    it is empty; the feedback on that attempt is in `info`.

    ## Rewards

    1.0 for the right letter, else 0.0.

    ## Starting State

    One question, drawn with the seed, or chosen with `reset(options={"task": index or id})`. Ids are the subtask's name
    and the question's place among its domain's, such as `"solubility/1033"`.

    ## Episode End

    The episode terminates with the right letter, or after `max_turns` responses. It is never truncated.

    ## Arguments

    ```python
    gymnasium.make("sdpo/SciKnowEval-v0", domain="chemistry", data=None, split=None, subtasks=None, prompt="paper",
                   grader="lenient", feedback="standard", echo_response=False, max_turns=1, render_mode=None)
    ```

    * `domain`: `"chemistry"`, `"physics"`, `"biology"` or `"materials"`.
    * `data`: A file of SciKnowEval's rows; or a file of the SDPO authors', or the folder that holds their `train.json`
      and `test.json`, or one such folder for each domain. None: SciKnowEval's file from the Hugging Face hub (extra
      `[hub]`), downloaded once.
    * `split`: `"train"`, the default, or `"test"`, a tenth of the questions: the paper's split. Leave it out for a
      single file of the SDPO authors', which is one split already.
    * `subtasks`: Only questions of this subtask, or of one of these; see `subtasks`.
    * `prompt`: `"paper"`, with reasoning and answer between tags; `"plain"`, a short one that asks for the letter
      alone, for small models.
    * `grader`: `"paper"` takes the letter alone, in `<answer>` tags or as the whole response. `"lenient"` takes it also
      as `(B)`, `**B**`, `Option B`, `B: the option's text`, or at the end of the last line, and not in a thought.
    * `feedback`: `"none"`; `"verdict"`, whether the option was wrong or no letter could be read; `"standard"`, also how
      questions of this kind are answered; `"full"`, also, for chemistry, what RDKit (extra `[chem]`) says of the
      molecules in question. It never names the right option or a quantity that is asked for.
    * `echo_response`: Whether feedback names the letter that the response chose.
    * `max_turns`: How many responses an episode allows.
    * `render_mode`: None, or `"ansi"` for the chat as text.

    ## Info

    `task_id`, `messages` and `turn`; after a step also `success`, `feedback`, `feedback_items`, `metrics` and
    `stop_reason` (see `TextEnv`). The metrics are those of `SciKnowEvalVerifier`: among them `solved`, `solved_SUBTASK`
    and `shortcut`.

    ## Version History

    * v0: First version.

    Raises:
        ConnectionError: the questions are not cached and cannot be downloaded.
        FileNotFoundError: there is no file or folder `data`.
        ImportError: the hub needs huggingface_hub, or `feedback="full"` RDKit, which is not installed.
        ValueError: an argument has no meaning, no question is left, or a row is malformed.
    """

    def __init__(
        self,
        *,
        domain: str = "chemistry",
        data: str | Path | None = None,
        split: str | None = None,
        subtasks: str | Iterable[str] | None = None,
        prompt: str = "paper",
        grader: str = "lenient",
        feedback: str = "standard",
        echo_response: bool = False,
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        verifier = SciKnowEvalVerifier(grader=grader, feedback=feedback, prompt=prompt, echo_response=echo_response)
        questions = _selected(load_questions(data, domain, split), subtasks)
        if feedback == "full" and domain == "chemistry":
            require_rdkit()
        tasks = TaskList([_task(question, prompt) for question in questions])
        super().__init__(tasks, verifier, max_turns=max_turns, render_mode=render_mode)


class SciKnowEvalVectorEnv(TextVectorEnv):
    """Several `SciKnowEvalEnv` at once. Keyword arguments are those of the single environment."""

    env_type = SciKnowEvalEnv


def _task(question: Question, prompt: str) -> Task:
    return Task(
        id=f"{question.subtask.name}/{question.index}",
        messages=PROMPTS[prompt](question),
        answer_key=make_answer_key(question),
        metadata={"domain": question.subtask.domain, "subtask": question.subtask.name},
    )


def _selected(questions: tuple[Question, ...], subtasks: str | Iterable[str] | None) -> list[Question]:
    if subtasks is None:
        return list(questions)
    wanted = {subtasks} if isinstance(subtasks, str) else set(subtasks)
    known = sorted({question.subtask.name for question in questions})
    if not wanted or not wanted <= set(known):
        raise ValueError(f"subtasks must be one or more of {known}, which the questions have, not {sorted(wanted)}")
    return [question for question in questions if question.subtask.name in wanted]
