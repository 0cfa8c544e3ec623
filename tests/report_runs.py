"""Folders of training runs with made-up numbers and texts, written as the learner writes them."""

from __future__ import annotations

import math
import random
from pathlib import Path

from agents.episode import Episode, Turn
from agents.runs.folder import RunFolder

SETTINGS = {"env": "toy/Even-v0", "model": "tiny", "lr": 1e-5, "advantage_clip": math.inf}

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "<svg/onload=window.hacked=1>",
    "${window.hacked = 1} `+(window.hacked=1)+`",
    '"><a href="javascript:window.hacked=1">click</a>',
    "line\u2028separator\u2029 and \u202eright to left, a NUL \x00, half a pair \ud800",
    "<!-- <style>* { display: none }</style>",
    "&lt;b&gt; stays as it is",
)
"""What a model might write to be run, shown as markup, or to break the page."""

KINDS = ("wrong_answer", "runtime_error", "format")


def make_run(
    path: Path,
    program: str = "agents.sdpo",
    *,
    seed: int = 0,
    steps: int = 4,
    attempts: int = 6,
    credits: int = 2,
    hostile: bool = False,
    words: int = 12,
    **settings,
) -> Path:
    """A finished run: an evaluation before and after, `steps` steps of `attempts` attempts."""
    rng = random.Random(seed)
    own = {"context": "demonstration"} if program == "agents.sdpo" else {"clip_low": 0.2}
    folder = RunFolder(
        path, SETTINGS | own | {"steps": steps, "seed": seed, "output": str(path)} | settings, program=program
    )
    for step in range(steps + 1):
        if step in (0, steps):
            rate = 0.2 + 0.5 * step / steps + 0.02 * seed
            numbers = {"success_rate": rate, "standard_error": 0.05, "pass@4": min(1.0, rate + 0.2), "tasks": 4}
            folder.log_metrics({"step": step, "phase": "evaluation"} | numbers | {"response_tokens": 20.0 - step})
            folder.log_rollouts(step, "evaluation", [_episode(rng, step, i, hostile, words) for i in range(2)])
        if step:
            episodes = [_episode(rng, step, i, hostile, words) for i in range(attempts)]
            rate = sum(episode.success for episode in episodes) / attempts
            seconds = {"sample_seconds": 3.0, "grade_seconds": 1.0, "update_seconds": 4.0}
            numbers = {
                "success_rate": rate,
                "reward": rate,
                "response_tokens": 12.0,
                "loss": float("nan"),
                "entropy": 1.0,
            }
            folder.log_metrics({"step": step, "phase": "train"} | numbers | seconds)
            records = {i: _credit(rng, program, episode, hostile) for i, episode in enumerate(episodes[:credits])}
            folder.log_rollouts(step, "train", episodes, records)
    return path


def _episode(rng: random.Random, step: int, place: int, hostile: bool, words: int) -> Episode:
    success = rng.random() < 0.4
    said = [rng.choice(("def", "return", "x + 1", "for", "print(x)", "if\n    ")) for _ in range(words - 2)]
    text = " ".join([*said, f"needle-{step}-{place}"])
    if hostile:
        text = f"{text} {HOSTILE[place % len(HOSTILE)]}"
    tokens = pieces(text)
    kind = rng.choice(KINDS) if not hostile else HOSTILE[(place + 1) % len(HOSTILE)]
    turn = Turn([1], [1] * (len(tokens) + 1), [-1.0] * (len(tokens) + 1), False, text, float(success))
    if not success:
        turn.feedback = f"line {place}: it failed {HOSTILE[place % len(HOSTILE)] if hostile else ''}"
        turn.feedback_kinds = (kind, "hint")
    task = HOSTILE[place % len(HOSTILE)] if hostile else f"task-{place % 5}"
    prompt = f"Solve {task}."
    return Episode(task, place, ({"role": "user", "content": prompt},), [turn], success, {"tests": 1.0}, "final")


def pieces(text: str) -> list[str]:
    """The text in tokens of up to four characters."""
    return [text[i : i + 4] for i in range(0, len(text), 4)]


def _credit(rng: random.Random, program: str, episode: Episode, hostile: bool) -> dict:
    tokens = [*pieces(episode.response), ""]  # and the end of the turn
    student = [-round(rng.random() * 3, 4) for _ in tokens]
    names = {str(len(tokens) - 1): "<|im_end|>"}
    record = {"tokens": tokens, "student": student, "names": names}
    if program == "agents.grpo":
        return record | {"advantage": 0.5 if episode.success else -0.5}
    other = HOSTILE[0] if hostile else "other"
    teacher = [round(min(0.0, p + rng.gauss(0, 1)), 4) for p in student]
    alternatives = [
        [(token, round(math.exp(p), 4), round(math.exp(q), 4)), (other, 0.05, 0.01)]
        for token, p, q in zip(tokens, student, teacher, strict=True)
    ]
    context = f"<|im_start|>user\nwhat the teacher reads {other}<|im_end|>"
    return record | {"context": context, "teacher": teacher, "alternatives": alternatives}
