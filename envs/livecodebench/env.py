"""The LiveCodeBench environment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from envs.livecodebench.prompt import PROMPTS
from envs.livecodebench.rows import Problem, Test, read_problems
from envs.livecodebench.verifier import LiveCodeBenchVerifier, make_answer_key
from sdpo_gym.tasks import Task, TaskList
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv

PROBLEMS = Path(__file__).parent / "problems.jsonl"


class LiveCodeBenchEnv(TextEnv):
    """
    ## Description

    Programming problems, to be solved in Python. A response is judged by running its program, in a sandbox, on tests.
    The problems that come with the package are small and made for it; files with LiveCodeBench's own rows are read as
    they are (`data`), and judged by its rules of comparison.

    ## Action Space

    A text (`UnicodeText`): the response. The program in it is its longest fenced code block. A problem with starter
    code asks for a function or for a method of a class `Solution`; any other asks for a program that reads standard
    input and writes standard output. Any text is a valid action; one without code is a failed attempt.

    ## Observation Space

    A text (`UnicodeText`): at the start the problem, later the feedback on the failed attempt. After the last attempt
    it is empty; the feedback on that attempt is in `info`.

    ## Rewards

    1.0 if the program passes all tests, visible and hidden, else 0.0.

    ## Starting State

    One problem, drawn with the seed, or chosen with `reset(options={"task": index or id})`.

    ## Episode End

    The episode terminates when the program passes all tests, or after `max_turns` responses. It is never truncated.

    ## Arguments

    ```python
    gymnasium.make("sdpo/LiveCodeBench-v0", data=None, difficulty=None, prompt="plain", visible_fraction=0.5,
                   time_limit=6.0, max_turns=1, render_mode=None)
    ```

    * `data`: A `.jsonl` or `.jsonl.gz` file of rows in LiveCodeBench's format; None for the problems that come with
      the package. A file is read once per process.
    * `difficulty`: Only problems of this difficulty, or of one of these.
    * `prompt`: `"plain"`, short, for small models; or `"livecodebench"`, a fuller instruction.
    * `visible_fraction`: Feedback may quote public tests and this fraction of a problem's private tests, picked by the
      problem's id. The others are hidden: they count for the reward, but are never quoted.
    * `time_limit`: CPU seconds for each test.
    * `max_turns`: How many responses an episode allows.
    * `render_mode`: None, or `"ansi"` for the chat as text.

    ## Info

    `task_id`, `messages` and `turn`; after a step also `success`, `feedback`, `feedback_items`, `metrics` and
    `stop_reason` (see `TextEnv`). The feedback tells of one thing: a syntax or runtime error with its place, an
    exceeded limit with the input, up to two wrong answers with input, output and expected output, missing code, or,
    when only hidden tests fail, how many do. The metrics are those of `LiveCodeBenchVerifier`.

    ## Version History

    * v0: First version.

    Raises:
        FileNotFoundError: there is no file `data`.
        ValueError: an argument has no meaning, no problem is left, or a row of `data` is malformed.
    """

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        difficulty: str | Sequence[str] | None = None,
        prompt: str = "plain",
        visible_fraction: float = 0.5,
        time_limit: float = 6.0,
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        problems = _of_difficulty(read_problems(PROBLEMS if data is None else data), difficulty)
        tasks = TaskList([make_task(problem, prompt, visible_fraction) for problem in problems])
        verifier = LiveCodeBenchVerifier(time_limit=time_limit)
        super().__init__(tasks, verifier, max_turns=max_turns, render_mode=render_mode)


class LiveCodeBenchVectorEnv(TextVectorEnv):
    """Several `LiveCodeBenchEnv` at once. Keyword arguments are those of the single environment."""

    env_type = LiveCodeBenchEnv


def make_task(problem: Problem, prompt: str = "plain", visible_fraction: float = 0.5) -> Task:
    """A problem as a task for `LiveCodeBenchVerifier`. The arguments are those of the environment.

    Raises:
        ValueError: an argument has no meaning.
    """
    if prompt not in PROMPTS:
        raise ValueError(f"prompt must be one of {sorted(PROMPTS)}, not {prompt!r}")
    if not isinstance(visible_fraction, (int, float)) or not 0 <= visible_fraction <= 1:
        raise ValueError(f"visible_fraction must be a number from 0 to 1, not {visible_fraction!r}")
    return Task(
        id=problem.id,
        messages=PROMPTS[prompt](problem),
        answer_key=make_answer_key(problem.entry_point, _reveal(problem, visible_fraction)),
        metadata={
            "title": problem.title,
            "difficulty": problem.difficulty,
            "platform": problem.platform,
            "contest_date": problem.contest_date,
        },
    )


def _reveal(problem: Problem, fraction: float) -> list[Test]:
    """The tests, of which this fraction of the private ones is made visible.

    Which ones depends on hashes of the problem's id and the test's position alone, not on a process or a Python
    version, and a larger fraction adds to those of a smaller one.
    """
    private = [i for i, test in enumerate(problem.tests) if not test.visible]
    private.sort(key=lambda i: hashlib.sha256(f"{problem.id}/{i}".encode()).digest())
    revealed = set(private[: round(fraction * len(private))])
    return [replace(test, visible=test.visible or i in revealed) for i, test in enumerate(problem.tests)]


def _of_difficulty(problems: Sequence[Problem], difficulty: str | Sequence[str] | None) -> Sequence[Problem]:
    if difficulty is None:
        return problems
    wanted = {difficulty} if isinstance(difficulty, str) else set(difficulty)
    known = sorted({problem.difficulty for problem in problems})
    if not wanted or not wanted <= set(known):
        raise ValueError(f"difficulty must be one or more of {known}, which the data file has, not {difficulty!r}")
    return [problem for problem in problems if problem.difficulty in wanted]
