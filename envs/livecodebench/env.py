"""The LiveCodeBench environment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from envs.livecodebench.loading.files import find_file
from envs.livecodebench.loading.hub import release_files
from envs.livecodebench.loading.index import DataFile
from envs.livecodebench.presets import PRESETS
from envs.livecodebench.prompt import Rules
from envs.livecodebench.selection import make_selection
from envs.livecodebench.tasks import Posing, make_task, task_set
from envs.livecodebench.verifier import LiveCodeBenchVerifier
from sdpo_gym.sandbox import Sandbox
from sdpo_gym.text_env import TextEnv
from sdpo_gym.vector import TextVectorEnv

__all__ = ["PROBLEMS", "LiveCodeBenchEnv", "LiveCodeBenchVectorEnv", "make_task"]

PROBLEMS = Path(__file__).parent / "problems.jsonl"


class LiveCodeBenchEnv(TextEnv):
    """
    ## Description

    Programming problems, to be solved in Python. A response is judged by running its program, in a sandbox, on tests,
    by LiveCodeBench's rules of comparison. The problems are LiveCodeBench's own (`release`), those of a file in its row
    format (`data`), or small ones that come with the package.

    ## Action Space

    A text (`UnicodeText`): the response. The program in it is its last fenced code block (see `extraction`). A problem
    with starter code asks for a function or for a method of a class `Solution`; any other asks for a program that reads
    standard input and writes standard output. Any text is a valid action; one without code is a failed attempt.

    ## Observation Space

    A text (`UnicodeText`): at the start the problem, later the feedback on the failed attempt. After the last attempt
    it is empty; the feedback on that attempt is in `info`.

    ## Rewards

    `reward="binary"`: 1.0 if the program passes all tests that count, else 0.0. `reward="dense"`: the fraction of these
    tests that it passes.

    A test is visible or hidden. Visible are a problem's public tests and a fraction of its private ones
    (`visible_fraction`): feedback may quote them. Hidden are the others: nothing of them is ever quoted. `split` says
    which tests count: in `"test"` all of them, in `"train"` the visible ones only, and hidden ones are not run at all.
    So a training run with `split="train"` is rewarded for what it may see, and evaluation with `split="test"` shows by
    `hidden_passed_fraction` what it has not seen.

    ## Starting State

    One problem, drawn with the seed, or chosen with `reset(options={"task": index or id})`. Its private tests are read
    and decoded then.

    ## Episode End

    The episode terminates when the program passes all tests that count, or after `max_turns` responses. It is never
    truncated.

    ## Arguments

    ```python
    gymnasium.make("sdpo/LiveCodeBench-v0", data=None, release=None, preset=None, since=None, until=None,
                   difficulty=None, platform=None, exclude="errata", split="test", visible_fraction=0.5,
                   visible_seed=0, prompt="plain", extraction="last", reward="binary", feedback="standard",
                   echo_response=False, time_limit=6.0, memory_mb=1024, max_failures=None, sandbox="auto",
                   max_turns=1, render_mode=None)
    ```

    Problems:

    * `data`: A file of rows in LiveCodeBench's format: `.jsonl`, `.jsonl.gz`, `.json` (a list) or `.parquet`. Large
      ones are best as `.jsonl`, of which private tests are read only when they are used.
    * `release`: `"v1"` … `"v6"`: LiveCodeBench's release from the Hugging Face hub (extra `[hub]`), downloaded once.
      With neither, the problems that come with the package.
    * `preset`: `"sdpo-paper"`: the 131 questions of release v6 from 2025-02-01 until 2025-05-01, judged by their
      private tests only. With `data`, it applies to that file.
    * `since`, `until`: Only problems with a contest date from `since` on and before `until`, such as `"2025-02-01"`.
    * `difficulty`, `platform`: Only problems of this difficulty or platform, or of one of these.
    * `exclude`: `"errata"` leaves out the problems that LiveCodeBench's authors know to be unfit; or an id or a list of
      ids (of LeetCode's problems also their names such as `"two-sum"`), among which may be `"errata"`; None for none.

    Tests:

    * `split`: `"test"` or `"train"`, see Rewards.
    * `visible_fraction`: This fraction of a problem's private tests is visible, rounded down, but at least one of them
      unless it is 0.
    * `visible_seed`: Picks which ones, together with the problem's id.
    * `time_limit`: CPU seconds for each test.
    * `memory_mb`: Memory for each test.
    * `max_failures`: After how many tests that fail to run no more; visible ones are run first. Wrong programs then
      cost a fraction, and the rewards are the same; `tests_passed_fraction` and its like become lower bounds. Not with
      `reward="dense"`.
    * `sandbox`: What runs the programs: a kind of sandbox, such as `"local"`, `"docker"` or a server's address (see
      `sdpo_gym.sandbox.make_sandbox`). `"auto"` takes the strongest that works here. Environments of one process share
      it. Or a sandbox, such as `make_sandbox("local", workers=4)`, which is yours to close.

    Texts:

    * `prompt`: `"plain"`, short and without limits, for small models; `"livecodebench"`, in the style of that
      benchmark; `"sdpo"`, in that of the SDPO paper. The latter two state the limits that are enforced.
    * `extraction`: The program is the `"last"` or the `"longest"` of the closed fenced blocks. Only if there is none, a
      block that the response leaves open is taken, and feedback on its failure says so.
    * `reward`: `"binary"` or `"dense"`, see Rewards.
    * `feedback`: `"none"`, nothing; `"verdict"`, what kind of failure it was; `"standard"`, one failure with its place
      or input, or up to two wrong answers; `"full"`, each kind of failure, up to five wrong answers, longer quotations,
      and how many visible and hidden tests passed.
    * `echo_response`: Whether feedback quotes the wrong output of the program. If not, it says how the output differs.
    * `max_turns`: How many responses an episode allows.
    * `render_mode`: None, or `"ansi"` for the chat as text.

    ## Info

    `task_id`, `messages` and `turn`; after a step also `success`, `feedback`, `feedback_items`, `metrics` and
    `stop_reason` (see `TextEnv`). The metrics are those of `LiveCodeBenchVerifier`: among them `solved`, which is 1.0
    or 0.0, and `tests_passed_fraction`, which is not the same.

    ## Version History

    * v0: First version.

    Raises:
        ConnectionError: a release is not cached and cannot be downloaded.
        FileNotFoundError: there is no file `data`.
        ImportError: a release or a Parquet file needs a package that is not installed.
        ValueError: an argument has no meaning, no problem is left, or a row is malformed. Private tests that are
            malformed are found when `reset` needs them; `python -m envs.livecodebench.validate` checks all.
    """

    def __init__(
        self,
        *,
        data: str | Path | None = None,
        release: str | None = None,
        preset: str | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        difficulty: str | Iterable[str] | None = None,
        platform: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = "errata",
        split: str = "test",
        visible_fraction: float = 0.5,
        visible_seed: int = 0,
        prompt: str = "plain",
        extraction: str = "last",
        reward: str = "binary",
        feedback: str = "standard",
        echo_response: bool = False,
        time_limit: float = 6.0,
        memory_mb: int = 1024,
        max_failures: int | None = None,
        sandbox: Sandbox | str = "auto",
        max_turns: int = 1,
        render_mode: str | None = None,
    ):
        private_only = False
        if preset is not None:
            if preset not in PRESETS:
                raise ValueError(f"preset must be None or one of {list(PRESETS)}, not {preset!r}")
            if (release, since, until) != (None, None, None):
                raise ValueError(f"preset {preset!r} decides release, since and until; leave these out")
            chosen = PRESETS[preset]
            release = chosen.release if data is None else None
            since, until, private_only = chosen.since, chosen.until, chosen.private_only
        verifier = LiveCodeBenchVerifier(
            sandbox,
            time_limit=time_limit,
            memory_mb=memory_mb,
            reward=reward,
            max_failures=max_failures,
            extraction=extraction,
            feedback=feedback,
            echo_response=echo_response,
        )
        rules = Rules(time_limit, memory_mb, extraction)
        posing = Posing(prompt, rules, split, visible_fraction, visible_seed, private_only)
        selection = make_selection(since, until, difficulty, platform, exclude)
        tasks = task_set(_files(data, release), selection, posing)
        super().__init__(tasks, verifier, max_turns=max_turns, render_mode=render_mode)


class LiveCodeBenchVectorEnv(TextVectorEnv):
    """Several `LiveCodeBenchEnv` at once. Keyword arguments are those of the single environment."""

    env_type = LiveCodeBenchEnv


def _files(data: str | Path | None, release: str | None) -> tuple[DataFile, ...]:
    if data is not None and release is not None:
        raise ValueError(f"give either data or release, not both: data={str(data)!r}, release={release!r}")
    if release is not None:
        return release_files(release)
    return (find_file(PROBLEMS if data is None else data),)
