"""A person as the agent: `sdpo-gym play` and `sdpo-gym grade`."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium

from sdpo_gym.arguments import make_text_env
from sdpo_gym.markdown import fenced
from sdpo_gym.sandbox import SandboxError
from sdpo_gym.wrappers import ContractError

END = "."
"""A line that ends an answer."""


class JudgingError(Exception):
    """An environment's own code failed, as its cause tells."""


def play(env_id: str, env_args: Mapping[str, Any], *, task: str | None, seed: int | None, editor: bool) -> int:
    """Let the person at the terminal attempt a task. Returns the exit code: 0 if it was solved, else 1.

    Raises:
        ValueError: the environment or the task is unknown, the seed is negative, or there is no editor.
        JudgingError: the environment failed to judge an answer.
    """
    if seed is not None and seed < 0:
        raise ValueError(f"the seed must be 0 or more, not {seed}")
    env = make_text_env(env_id, env_args)
    ask = Editor() if editor else _read_lines
    try:
        prompt, info = _reset(env, seed, task)
        print(f"[{info['task_id']}]\n\n{_shown(prompt)}\n", flush=True)
        done = False
        while not done:
            answer = ask()
            if answer is None:
                print("No answer: the end.", file=sys.stderr)
                return 1
            observation, reward, terminated, truncated, info = _step(env, answer, info["task_id"])
            done = terminated or truncated
            print(f"\n{_shown(_said(observation, info))}\n[{_verdict(reward, info, done)}]\n", flush=True)
        return 0 if info["success"] else 1
    finally:
        env.close()


def grade(env_id: str, env_args: Mapping[str, Any], *, task: str, file: Path) -> int:
    """Judge the response in a file (`-`: standard input), and print the feedback. Returns 0 if it is right, else 1.

    A file called `….py` is a program: it is put into a fenced code block, as a model would write it.

    Raises:
        ValueError: the environment or the task is unknown.
        OSError: the file cannot be read.
        JudgingError: the environment failed to judge the response.
    """
    response = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig", errors="replace")
    if file.suffix.lower() == ".py":
        response = fenced(response) + "\n"
    env = make_text_env(env_id, env_args)
    try:
        _reset(env, 0, task)
        observation, reward, _, _, info = _step(env, response, task)
    finally:
        env.close()
    feedback = _said(observation, info)
    if feedback:
        print(_shown(feedback), flush=True)
    print(f"[{_verdict(reward, info, done=True)}]", file=sys.stderr)
    return 0 if info["success"] else 1


class Editor:
    """Asks for an answer with `$VISUAL` or `$EDITOR`, beginning with the previous answer.

    Raises:
        ValueError: neither is set.
    """

    def __init__(self) -> None:
        self._command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not self._command:
            raise ValueError("--editor needs $VISUAL or $EDITOR, the command of a text editor")
        self._previous = ""

    def __call__(self) -> str | None:
        """The answer; None if it is empty or was not changed."""
        if sys.stdin.isatty():
            input("Enter to open the editor … ")
        with tempfile.TemporaryDirectory(prefix="sdpo-gym-") as folder:
            file = Path(folder) / "answer.md"
            file.write_text(self._previous, encoding="utf-8")
            done = subprocess.run([*self._command, str(file)], check=False)
            if done.returncode:
                raise ValueError(f"the editor {self._command[0]!r} ended with code {done.returncode}")
            answer = file.read_text(encoding="utf-8-sig", errors="replace")
        if not answer.strip() or answer == self._previous:
            return None
        self._previous = answer
        return answer


def _read_lines() -> str | None:
    """Lines up to one that is `.`, or to Ctrl-D; None for Ctrl-D without an answer."""
    print(f"Your answer; a line '{END}', or Ctrl-D, ends it:", file=sys.stderr, flush=True)
    lines: list[str] = []
    for line in sys.stdin:
        if line.rstrip("\r\n") == END:
            return "".join(lines)
        lines.append(line)
    return "".join(lines) or None


def _reset(env: gymnasium.Env, seed: int | None, task: str | None) -> tuple[str, dict[str, Any]]:
    if task is not None and not env.has_wrapper_attr("num_tasks"):
        raise ValueError(f"{env.spec.id!r} has no tasks that could be named; leave out --task")
    try:
        return env.reset(seed=seed, options=None if task is None else {"task": task})
    except ValueError:
        if task is not None and task.isdecimal():
            with contextlib.suppress(ValueError):  # what is wrong with it as an id says more
                return env.reset(seed=seed, options={"task": int(task)})
        raise


def _step(env: gymnasium.Env, response: str, task: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
    try:
        return env.step(response)
    except (ConnectionError, ContractError, SandboxError):
        raise
    except Exception as error:  # not what the command answers in one line: its author needs the place
        raise JudgingError(f"{env.spec.id!r} failed to judge the response to task {task!r}") from error


def _said(observation: str, info: Mapping[str, Any]) -> str:
    """What the environment says to a response: its feedback, or what a step on the way led to."""
    return info["feedback"] or observation


def _verdict(reward: Any, info: Mapping[str, Any], done: bool) -> str:
    state = "solved" if info["success"] else "not solved" if done else "not solved yet"
    metrics = "".join(f", {name} {value:g}" for name, value in info["metrics"].items())
    return f"{state}, reward {float(reward):g}{metrics}"


def _shown(text: str) -> str:
    """Text that cannot command the terminal: feedback may quote what a model wrote."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
