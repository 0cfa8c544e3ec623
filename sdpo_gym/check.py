"""Looks for mistakes in an environment, for those who write one: `sdpo-gym check`."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

from sdpo_gym.arguments import make_bare_text_env
from sdpo_gym.sandbox import SandboxError
from sdpo_gym.tasks import is_message
from sdpo_gym.verdict import is_feedback_items
from sdpo_gym.wrappers import CompleteInfo, ContractError, finite_numbers, is_task_id

SEEDS = (0, 1, 2)
MOST_TASKS = 1000
MOST_STEPS = 3

RESPONSES = (
    "",
    " \n\t",
    "word",
    "-1",
    "1e999",
    "9" * 5000,  # more digits than int() takes
    "x" * 200_000,
    "[" * 20_000,
    "naïve 世界 🎉 ² ٣ \u202e \x00 \x1b[2J",
    "lone surrogate \ud800",
    "```python\nprint(1)\n```",
    "```python\ndef f(",
    '{"answer": [1, null, {"a": NaN}]}',
    "<think>\n<answer></answer> \\boxed{} {0} %s",
)
"""What models write, of which nothing may be more than a failed attempt."""

KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "messages": (
        lambda value: isinstance(value, (list, tuple)) and len(value) > 0 and all(map(is_message, value)),
        "a list of {'role': …, 'content': str}",
    ),
    "task_id": (is_task_id, "a str"),
    "metadata": (lambda value: isinstance(value, Mapping), "a dict"),
    "success": (lambda value: isinstance(value, (bool, np.bool_)), "True or False"),
    "feedback": (lambda value: isinstance(value, str), "a str"),
    "feedback_items": (is_feedback_items, "a list of dicts, each with a str 'kind'"),
    "metrics": (
        lambda value: isinstance(value, Mapping) and len(finite_numbers(value)) == len(value),
        "a dict of finite numbers",
    ),
    "stop_reason": (lambda value: isinstance(value, str), "a str"),
}
"""Of `info`: what is read there if it is there, and what it has to be."""


def check(env_id: str, env_args: Mapping[str, Any]) -> int:
    """Print what is wrong with an environment, and what to do. Returns the exit code: 0 if nothing was found, else 1.

    Raises:
        ValueError: the environment is unknown, refuses the arguments, or is not a text environment.
    """
    found = list(problems(env_id, env_args))
    for problem in found:
        print(f"* {problem}")
    print(
        f"{len(found)} problem{'s' * (len(found) > 1)} found"
        if found
        else f"no problem found, with {len(RESPONSES)} responses to the tasks of {len(SEEDS)} seeds"
    )
    return 1 if found else 0


def problems(env_id: str, env_args: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an environment, as `check` prints it. Where resets are wrong, nothing else is looked at."""
    env, twin = (CompleteInfo(make_bare_text_env(env_id, env_args)) for _ in range(2))
    try:
        found = list(_resets(env, twin))
        if not found:
            found = [*_tasks(env), *_responses(env), *_keys(env)]
        yield from found or (*_thread(env), *_gymnasium(env))
    finally:
        env.close()
        twin.close()


def _resets(env: gymnasium.Env, twin: gymnasium.Env) -> Iterator[str]:
    for seed in SEEDS:
        try:
            first, *others = [each.reset(seed=seed) for each in (env, env, twin)]
        except ContractError as error:
            yield str(error)
            return
        except Exception as error:
            yield f"reset(seed={seed}) fails:\n{_traceback(error)}"
            return
        for what, name in (("task_id", "tasks"), ("messages", "prompts")):
            told = [info[what] for _, info in (first, *others)]
            if told[1:] != told[:-1]:
                other = next(each for each in told if each != told[0])
                yield (
                    f"reset(seed={seed}) gives different {name}, {_short(told[0])} and then {_short(other)}: call "
                    "super().reset(seed=seed) and draw with self.np_random only, so that attempts can be compared"
                )
                return


def _tasks(env: gymnasium.Env) -> Iterator[str]:
    if not env.has_wrapper_attr("num_tasks"):
        return
    number = env.get_wrapper_attr("num_tasks")
    if number is not None and not (isinstance(number, int) and number > 0):
        yield f"num_tasks must be an int, how many tasks there are, or None where endless, not {_short(number)}"
        return
    places: dict[str, int] = {}
    for index in range(MOST_TASKS if number is None else min(number, MOST_TASKS)):
        try:
            prompt, info = env.reset(seed=0, options={"task": index})
            task = str(info["task_id"])
            again = env.reset(seed=0, options={"task": task})[0] if index in SEEDS else prompt
        except Exception as error:
            yield (
                f"num_tasks is {number}, but reset to task {index}, by its index or its id, fails:\n{_traceback(error)}"
            )
            return
        if places.setdefault(task, index) != index:
            yield f"tasks {places[task]} and {index} have the same id, {task!r}: records could not tell them apart"
            return
        if again != prompt:
            yield f"options {{'task': {index}}} and {{'task': {task!r}}}, its id, pose different tasks"
            return


def _responses(env: gymnasium.Env) -> Iterator[str]:
    failures: dict[Any, tuple[str, list[str]]] = {}
    for seed in SEEDS:
        for response in RESPONSES:
            try:
                verdicts = [_attempt(env, seed, response) for _ in range(2)]
            except (ConnectionError, SandboxError):
                raise
            except ContractError as error:
                key, problem = str(error), str(error)
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                key = (type(error), last.filename, last.lineno)
                problem = f"step fails, but any text is at worst a failed attempt:\n{_traceback(error)}"
            else:
                if verdicts[0] == verdicts[1]:
                    continue
                key = "verdicts"
                problem = (
                    "equal responses to a task get different verdicts (reward, success, feedback): "
                    f"{_short(verdicts[0])} and {_short(verdicts[1])}; judge by task and response alone"
                )
            failures.setdefault(key, (problem, []))[1].append(response)
    for problem, responses in failures.values():
        others = f" and {len(responses) - 1} others" if len(responses) > 1 else ""
        yield f"at the response {_short(responses[0])}{others}: {problem}"


def _attempt(env: gymnasium.Env, seed: int, response: str) -> list[tuple[float, bool, str]]:
    env.reset(seed=seed)
    verdicts = []
    for _ in range(MOST_STEPS):
        _, reward, terminated, truncated, info = env.step(response)
        verdicts.append((float(reward), info["success"], info["feedback"]))
        if terminated or truncated:
            break
    return verdicts


def _keys(env: CompleteInfo) -> Iterator[str]:
    try:
        infos = {"reset": env.env.reset(seed=SEEDS[0])[1], "step": env.env.step("word")[4]}
    except Exception:  # of which `_responses` tells
        return
    for method, info in infos.items():
        for key, (is_right, expected) in KEYS.items():
            if key in info and not is_right(info[key]):
                yield (
                    f"info[{key!r}] of {method} must be {expected}, not {_short(info[key])}: as it is, it counts as "
                    "absent; mend it, or give it another name"
                )


def _thread(env: gymnasium.Env) -> Iterator[str]:
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_attempt, env, SEEDS[0], "word").result()
    except Exception as error:
        yield (
            "an episode fails in another thread than the one that made the environment, but that is where agents play "
            "it (SQLite's connect takes check_same_thread=False; signals and their alarms are the main thread's "
            f"alone):\n{_traceback(error)}"
        )


def _gymnasium(env: gymnasium.Env) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_env(env.unwrapped, skip_render_check=True)
    except Exception as error:
        yield f"gymnasium.utils.env_checker.check_env: {error} (a space of all texts is sdpo_gym.UnicodeText())"


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error)).rstrip()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "…"
