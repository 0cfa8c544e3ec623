"""The tool-use environment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envs.arguments import check_choice, check_n_shots
from envs.tool_use.questions import LEVELS
from envs.tool_use.recorded import RecordedCallsVerifier, load_recorded
from envs.tool_use.tasks import MAX_SHOTS, SPLITS, ToolTasks
from envs.tool_use.verifier import ToolUseVerifier
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv

__all__ = ["ToolUseEnv", "ToolUseVectorEnv"]


class ToolUseEnv(TextEnv):
    """
    ## Description

    Questions that are answered by calling tools: twelve, of four APIs on weather, a library, trains and a shop. A call
    is really executed, on data that is drawn anew for every question, and its result is the next observation. The
    questions are made with seeds, endlessly, on five levels.

    With `data`, recorded calls are asked for instead, as in the third domain of the SDPO paper (arXiv 2601.20802):
    nothing is executed, and a response is right if its calls are the recorded ones.

    ## Action Space

    A text (`UnicodeText`): the response. It has one or several calls, or the final answer. Arguments are parsed as JSON
    and checked against the tool's parameters; nothing is evaluated. Any text is a valid action; one that is neither is
    a failed attempt, after which the episode goes on.

    ## Observation Space

    A text (`UnicodeText`): at the start the instructions and the question; later the results of the calls, or the
    errors of those that were refused, or the feedback on a response that could not be read. After the last response it
    is empty.

    ## Rewards

    1.0 for a final answer with the right value, if the calls also changed what the question asks to change (a
    reservation, a booking, an order) and nothing else. Else 0.0.

    ## Starting State

    One task, drawn with the seed, or chosen with `reset(options={"task": index or id})`. There is no last index. An id
    is such as `"level2-train-17"`.

    ## Episode End

    The episode terminates with a final answer, right or wrong, or after `max_turns` responses. It is never truncated.

    ## Arguments

    ```python
    gymnasium.make("sdpo/ToolUse-v0", levels=(0, 1, 2, 3, 4), split="train", call_format="react", n_shots=0,
                   data=None, grader=None, feedback="standard", max_turns=None, render_mode=None)
    ```

    * `levels`: A level or several, from which tasks come in turn. 0: one call with arguments that the question gives,
      of the only tool there is. 1: one call with nested arguments, or whose result has to be searched. 2: an id has to
      be looked up first. 3: several look-ups, or one and a change, among all twelve tools. 4: results decide which call
      comes next.
    * `split`: `"train"` or `"test"`. They share no question.
    * `call_format`: `"react"`, lines with `Action:`, `Action Input:` and `Final Answer:`; or `"json"`, a JSON object.
    * `n_shots`: How many solved examples precede the question, as earlier turns of the chat, at most 8. They are
      different questions of the same template.
    * `data`: A file of recorded calls, rows of the SDPO authors' ToolAlpaca data. The arguments above have no meaning
      then.
    * `grader`: For `data`: `"calls"`, the default, compares each call; `"paper"`, as the paper does, the names of all
      calls and all of their arguments thrown together.
    * `feedback`: `"none"`; `"verdict"`, what kind of mistake it was; `"standard"`, also why; `"full"`, also, at the end
      of an episode, what became of each call. The right answer and the calls that lead to it are never said.
    * `max_turns`: How many responses an episode allows. None: 10; with `data` 1.
    * `render_mode`: None, or `"ansi"` for the chat as text.

    ## Info

    `task_id`, `metadata`, `messages` and `turn`; after a step also `success`, `feedback`, `feedback_items`, `metrics`
    and `stop_reason` (see `TextEnv`), which is `"final"` after a wrong answer. The feedback on calls that succeeded is
    empty. The metrics are those of `ToolUseVerifier`.

    ## Version History

    * v0: First version.

    Raises:
        FileNotFoundError: there is no file `data`.
        ValueError: an argument has no meaning, or a row is malformed.
    """

    def __init__(
        self,
        *,
        levels: int | Iterable[int] | None = None,
        split: str | None = None,
        call_format: str | None = None,
        n_shots: int | None = None,
        data: str | Path | None = None,
        grader: str | None = None,
        feedback: str = "standard",
        max_turns: int | None = None,
        render_mode: str | None = None,
    ):
        generated = {
            "levels": levels,
            "split": split,
            "call_format": call_format,
            "n_shots": n_shots,
        }
        if data is not None:
            given = [name for name, value in generated.items() if value is not None]
            if given:
                raise ValueError(f"with data, {', '.join(given)} has no meaning; leave it out")
            tasks = load_recorded(data)
            verifier = RecordedCallsVerifier(grader="calls" if grader is None else grader, feedback=feedback)
            max_turns = 1 if max_turns is None else max_turns
        else:
            if grader is not None:
                raise ValueError("grader has a meaning for data only; leave it out, or give a file of recorded calls")
            max_turns = 10 if max_turns is None else max_turns
            call_format = "react" if call_format is None else call_format
            verifier = ToolUseVerifier(call_format=call_format, feedback=feedback, max_turns=max_turns)
            levels = _levels(levels)
            split = "train" if split is None else split
            check_choice("split", split, SPLITS)
            n_shots = 0 if n_shots is None else n_shots
            check_n_shots(n_shots, MAX_SHOTS)
            tasks = ToolTasks(levels, split, n_shots, call_format)
        super().__init__(tasks, verifier, max_turns=max_turns, render_mode=render_mode)


class ToolUseVectorEnv(TextVectorEnv):
    """Several `ToolUseEnv` at once. Keyword arguments are those of the single environment."""

    env_type = ToolUseEnv


def _levels(levels: int | Iterable[int] | None) -> tuple[int, ...]:
    known = range(len(LEVELS))
    chosen = tuple(known) if levels is None else (levels,) if isinstance(levels, int) else tuple(levels)
    if not chosen or not set(chosen) <= set(known) or len(set(chosen)) < len(chosen):
        raise ValueError(f"levels must be one or more different ones of {list(known)}, not {levels!r}")
    return chosen
