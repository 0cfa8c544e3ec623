"""The teacher's prompt: the question again, with what the student did not have when it answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from agents.episode import Episode
from agents.policy.policy import Policy
from sdpo_gym.tasks import Message

RepromptStyle = Literal["paper", "chat", "repeat"]
ContextKind = Literal["demonstration", "feedback", "both", "demonstration-else-feedback"]

CUT = " … (cut)"
_THINKING = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class TeacherContext:
    """What the teacher is shown besides the question; one of the two may be empty."""

    demonstration: str = ""
    """A successful response to the same question."""

    feedback: str = ""
    """What the environment said to the response that the teacher scores."""


class TeacherPrompt(NamedTuple):
    """A question with a context."""

    ids: list[int]
    context: TeacherContext
    """What is shown: the given one, as far as it fits."""


def paper_messages(messages: Sequence[Message], context: TeacherContext) -> list[Message]:
    """The question with demonstration, feedback and a closing line in one message (SDPO paper, Table 2)."""
    parts = [messages[-1]["content"]]
    if context.demonstration:
        parts.append(f"Correct solution:\n\n{context.demonstration}")
    if context.feedback:
        parts.append(f"Feedback on an earlier attempt of yours, which failed:\n\n{context.feedback}")
    parts.append("Now solve the original question correctly.")
    return [*messages[:-1], {"role": "user", "content": "\n\n".join(parts)}]


def chat_messages(messages: Sequence[Message], context: TeacherContext) -> list[Message]:
    """The demonstration as an earlier turn of the assistant's, confirmed before the question is asked again.

    Small models seldom make use of a solution quoted in the question, but do repeat what a chat shows as said by them.
    """
    question = messages[-1]["content"]
    if context.feedback:
        again = f"{question}\n\nAn earlier attempt failed:\n\n{context.feedback}\n\nAvoid that, and answer correctly."
    else:
        again = question
    if not context.demonstration:
        return [*messages[:-1], {"role": "user", "content": again}]
    return [
        *messages,
        {"role": "assistant", "content": context.demonstration},
        {"role": "user", "content": f"That is correct. Please answer the same question again.\n\n{again}"},
    ]


def repeat_messages(messages: Sequence[Message], context: TeacherContext) -> list[Message]:
    """The demonstration as an earlier turn of the assistant's, which is asked for the same answer once more.

    The question stands there once, so that the teacher's prompt is shorter.
    """
    if not context.demonstration:
        return chat_messages(messages, context)
    failed = f"An earlier attempt failed:\n\n{context.feedback}\n\n" if context.feedback else ""
    return [
        *messages,
        {"role": "assistant", "content": context.demonstration},
        {"role": "user", "content": f"That is correct. {failed}Please give the same answer again."},
    ]


BUILDERS: dict[RepromptStyle, Callable[[Sequence[Message], TeacherContext], list[Message]]] = {
    "paper": paper_messages,
    "chat": chat_messages,
    "repeat": repeat_messages,
}


def choose_contexts(
    group: Sequence[Episode],
    kind: ContextKind,
    *,
    exclude_own_success: bool,
    rng: np.random.Generator,
    past_success: str = "",
) -> list[TeacherContext | None]:
    """What the teacher is shown for each attempt of a group; None where there is nothing to show.

    One success, drawn at random, is the demonstration for the whole group, so that the teacher too reads one prompt.
    (The shortest success, if always chosen, would teach ever shorter responses.)

    Args:
        group: Attempts at one task.
        exclude_own_success: Whether that success itself gets another one instead, or nothing.
        rng: Draws the demonstrations.
        past_success: The demonstration for a group without one.
    """
    shown = demonstrations(group)
    order = [int(i) for i in rng.permutation(list(shown))]
    contexts: list[TeacherContext | None] = []
    for i, episode in enumerate(group):
        candidates = [j for j in order if not (exclude_own_success and j == i)]
        demonstration = feedback = ""
        if kind != "feedback" and not shown:
            demonstration = past_success
        elif kind != "feedback" and candidates:
            demonstration = shown[candidates[0]]
        if kind in ("feedback", "both") or (kind == "demonstration-else-feedback" and not demonstration):
            feedback = "" if episode.success else episode.feedback
        contexts.append(TeacherContext(demonstration, feedback) if demonstration or feedback else None)
    return contexts


def demonstrations(group: Sequence[Episode]) -> dict[int, str]:
    """What can be shown of a group's successes, by their places; of one that is nothing but thinking, nothing can."""
    texts = {i: strip_thinking(episode.response) for i, episode in enumerate(group) if episode.success}
    return {i: text for i, text in texts.items() if text}


def strip_thinking(response: str) -> str:
    """The response without its `<think>` blocks, the first of which the chat template may have opened."""
    before, closed, after = response.partition("</think>")
    if closed and "<think>" not in before:
        response = after
    return _THINKING.sub("", response).strip()


def teacher_prompt(
    policy: Policy,
    style: RepromptStyle,
    messages: Sequence[Message],
    context: TeacherContext,
    max_tokens: int,
) -> TeacherPrompt | None:
    """The teacher's prompt, of at most `max_tokens` tokens; None if nothing of the context fits.

    Feedback, then demonstration, are cut at their ends to fit, visibly. Question, closing line and the assistant's
    header always stay whole.
    """
    build = BUILDERS[style]
    while True:
        ids = policy.render(build(messages, context))
        excess = len(ids) - max_tokens
        if excess <= 0:
            return TeacherPrompt(ids, context)
        if context.feedback:
            context = replace(context, feedback=_shorten(policy, context.feedback, excess))
        elif context.demonstration:
            context = replace(context, demonstration=_shorten(policy, context.demonstration, excess))
        else:
            return None
        if not (context.feedback or context.demonstration):
            return None


def _shorten(policy: Policy, text: str, excess: int) -> str:
    """The text less at least `excess` tokens and one, marked as cut; empty if nothing would be left."""
    ids = policy.tokenizer(text.removesuffix(CUT), add_special_tokens=False)["input_ids"]
    room = len(ids) - excess - len(policy.tokenizer(CUT, add_special_tokens=False)["input_ids"]) - 1
    return policy.tokenizer.decode(ids[:room]) + CUT if room > 0 else ""
