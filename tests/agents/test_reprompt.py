"""What the teacher is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.episode import Episode, Turn
from agents.sdpo.reprompt import (
    BUILDERS,
    CUT,
    TeacherContext,
    chat_messages,
    choose_contexts,
    paper_messages,
    repeat_messages,
    strip_thinking,
    teacher_prompt,
)

SYSTEM = {"role": "system", "content": "Be exact."}
QUESTION = {"role": "user", "content": "What is 1 + 1?"}
MESSAGES = (SYSTEM, QUESTION)


def episode(response: str, success: bool, feedback: str = "") -> Episode:
    turn = Turn([1], [2], [-1.0], False, response, float(success), feedback)
    return Episode("t", 0, MESSAGES, [turn], success)


def rng():
    return np.random.default_rng(0)


def test_paper_style_puts_everything_into_the_question():
    for demonstration in ("", "It is 2."):
        for feedback in ("", "3 is wrong."):
            system, user = paper_messages(MESSAGES, TeacherContext(demonstration, feedback))
            assert system == SYSTEM and user["role"] == "user"
            text = user["content"]
            assert text.startswith("What is 1 + 1?") and text.endswith("Now solve the original question correctly.")
            assert ("Correct solution:\n\nIt is 2." in text) == bool(demonstration)
            assert ("3 is wrong." in text) == bool(feedback)
            if demonstration and feedback:
                assert text.index("It is 2.") < text.index("3 is wrong.")


def test_chat_style_shows_the_demonstration_as_an_earlier_turn():
    messages = chat_messages(MESSAGES, TeacherContext("It is 2.", ""))
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[:2] == list(MESSAGES) and messages[2]["content"] == "It is 2."
    assert messages[3]["content"].endswith("What is 1 + 1?")


def test_chat_style_with_feedback():
    alone = chat_messages(MESSAGES, TeacherContext("", "3 is wrong."))
    assert [message["role"] for message in alone] == ["system", "user"]
    both = chat_messages(MESSAGES, TeacherContext("It is 2.", "3 is wrong."))
    assert [message["role"] for message in both] == ["system", "user", "assistant", "user"]
    for messages in (alone, both):
        assert "What is 1 + 1?" in messages[-1]["content"] and "3 is wrong." in messages[-1]["content"]


def test_repeat_style_asks_for_the_same_answer_and_says_the_question_once():
    plain = repeat_messages(MESSAGES, TeacherContext("It is 2.", ""))
    assert [message["role"] for message in plain] == ["system", "user", "assistant", "user"]
    assert plain[:2] == list(MESSAGES) and plain[2]["content"] == "It is 2."
    both = repeat_messages(MESSAGES, TeacherContext("It is 2.", "3 is wrong."))
    assert both[:3] == plain[:3] and "3 is wrong." in both[3]["content"]
    for messages in (plain, both):
        assert sum(message["content"].count("What is 1 + 1?") for message in messages) == 1
        assert messages[-1]["content"].endswith("Please give the same answer again.")


def test_repeat_style_without_a_demonstration_asks_the_question():
    context = TeacherContext("", "3 is wrong.")
    assert repeat_messages(MESSAGES, context) == chat_messages(MESSAGES, context)


@pytest.mark.parametrize("style", BUILDERS)
def test_builders_leave_their_input_alone(style):
    BUILDERS[style](MESSAGES, TeacherContext("a", "b"))
    assert MESSAGES == (SYSTEM, QUESTION) and QUESTION == {"role": "user", "content": "What is 1 + 1?"}


GROUP = [
    episode("good", True, "well done"),
    episode("bad", False, "why bad"),
    episode("worse", False),
    episode("fine", True),
]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("demonstration", [(True, ""), (True, ""), (True, ""), (True, "")]),
        ("feedback", [None, (False, "why bad"), None, None]),
        ("both", [(True, ""), (True, "why bad"), (True, ""), (True, "")]),
        ("demonstration-else-feedback", [(True, ""), (True, ""), (True, ""), (True, "")]),
    ],
)
def test_kinds_of_context(kind, shown):
    contexts = choose_contexts(GROUP, kind, exclude_own_success=False, rng=rng())
    assert [context and (bool(context.demonstration), context.feedback) for context in contexts] == shown


def test_feedback_where_nobody_succeeded():
    group = GROUP[1:3]
    contexts = choose_contexts(group, "demonstration-else-feedback", exclude_own_success=False, rng=rng())
    assert contexts == [TeacherContext("", "why bad"), None]
    assert choose_contexts(group, "demonstration", exclude_own_success=False, rng=rng()) == [None, None]


def test_one_demonstration_serves_the_group_and_is_drawn_at_random():
    seen = set()
    for seed in range(20):
        contexts = choose_contexts(GROUP, "demonstration", exclude_own_success=False, rng=np.random.default_rng(seed))
        assert len({context.demonstration for context in contexts}) == 1
        seen.add(contexts[0].demonstration)
    assert seen == {"good", "fine"}


def test_own_success_can_be_excluded():
    contexts = choose_contexts(GROUP, "demonstration", exclude_own_success=True, rng=rng())
    assert contexts[0].demonstration == "fine" and contexts[3].demonstration == "good"
    lone = choose_contexts(GROUP[:3], "demonstration", exclude_own_success=True, rng=rng())
    assert lone[0] is None and lone[1].demonstration == "good"


@pytest.mark.parametrize("exclude_own_success", [True, False])
def test_a_success_that_is_all_thinking_is_no_demonstration(exclude_own_success):
    thought = episode("<think>only that", True)
    group = [thought, episode("answer", True), episode("bad", False, "why bad")]
    for seed in range(10):
        settings = {"exclude_own_success": exclude_own_success, "rng": np.random.default_rng(seed)}
        settings["past_success"] = "before"
        shown = [c and c.demonstration for c in choose_contexts(group, "demonstration", **settings)]
        assert shown == ["answer", None if exclude_own_success else "answer", "answer"]
        alone = choose_contexts([thought, group[2]], "both", **settings)
        assert alone == [TeacherContext("before"), TeacherContext("before", "why bad")]
    settings["past_success"] = ""
    contexts = choose_contexts([thought, group[2]], "demonstration-else-feedback", **settings)
    assert contexts == [None, TeacherContext("", "why bad")]


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("<think>hm\nhm</think>\nanswer", "answer"),
        ("a <think>x</think> b <think>y</think>c", "a  b c"),
        ("answer <think>never closed", "answer"),
        ("plain", "plain"),
        ("hm\nhm\n</think>\n\nanswer", "answer"),  # the chat template opened it
        ("</think>answer", "answer"),
        ("hm</think>a <think>x</think>b", "a b"),
        ("hm</think>answer <think>never closed", "answer"),
        ("a <think>x</think> b </think> c", "a  b </think> c"),
    ],
)
def test_thinking_is_stripped(text, stripped):
    assert strip_thinking(text) == stripped


TEXT = st.text(st.sampled_from("ab<>/\n "))


@given(thought=TEXT, answer=TEXT)
def test_the_template_may_have_opened_the_thinking(thought, answer):
    assert strip_thinking(f"{thought}</think>{answer}") == strip_thinking(f"<think>{thought}</think>{answer}")
    assert strip_thinking(answer) == answer.strip()


@pytest.mark.parametrize("style", BUILDERS)
def test_long_contexts_are_cut_to_fit_and_nothing_else_is(policy, style):
    context = TeacherContext("demo " * 200, "feedback " * 200)
    full = teacher_prompt(policy, style, MESSAGES, context, 100_000).ids
    header = full[-len("<|im_start|>assistant\n") + len("<|im_start|>") - 1 :]  # a token a byte, but for the marker
    for budget in (len(full) - 1, len(full) - 1500, 700):
        ids, shown = teacher_prompt(policy, style, MESSAGES, context, budget)
        text = policy.tokenizer.decode(ids)
        assert len(ids) <= budget and CUT in text
        assert bool(shown.feedback) == ("feedback feedback" in text)
        assert bool(shown.demonstration) == ("demo demo" in text)
        assert "What is 1 + 1?" in text and "Be exact." in text
        assert ids[-len(header) :] == header
        last = text.rpartition("user\n")[2]
        closing = {
            "paper": ["What is 1 + 1?", "Now solve the original question correctly."],
            "chat": ["What is 1 + 1?", "That is correct."],
            "repeat": ["That is correct.", "Please give the same answer again."],
        }
        assert all(words in last for words in closing[style])


def test_a_question_that_does_not_fit_has_no_teacher(policy):
    assert teacher_prompt(policy, "chat", MESSAGES, TeacherContext("demo", ""), 20) is None
