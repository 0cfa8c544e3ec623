"""Recorded calls. The rows here are our own, in the format of the SDPO authors' ToolAlpaca-derived data."""

import json

import gymnasium
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import sdpo_gym  # noqa: F401  (registers the environment)
from envs.tool_use.env import ToolUseEnv
from envs.tool_use.recorded import GRADERS, grade_calls, grade_paper
from envs.tool_use.world import Call


def recorded(*calls, index=1, **changes):
    answer = [{"Action": name, "Action_Input": json.dumps(arguments)} for name, arguments in calls]
    row = {"idx": index, "kind": "tooluse", "dataset": "tooluse", "answer": json.dumps(answer), "elo": 1500}
    return row | {"prompt": "Tools: …\n\nBegin!\nQuestion: Which holidays?", "system": "", "tests": "-"} | changes


@pytest.fixture
def write(tmp_path):
    def write(*rows, as_list=False):
        path = tmp_path / "test.json"
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(json.dumps(rows) if as_list else "".join(lines), encoding="utf-8")
        return path

    return write


def response(*calls):
    lines = ["Thought: I should look it up."]
    for name, arguments in calls:
        lines += [f"Action: {name}", f"Action Input: {json.dumps(arguments)}"]
    return "\n".join(lines)


HOLIDAYS = ("getHolidays", {"country": "FR", "year": 2023})
FILTER = ("search", {"filter": {"type": "bank", "tags": ["a", "b"]}, "limit": 5})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("as_list", [False, True])
def test_an_episode(write, as_list):
    path = write(recorded(HOLIDAYS), recorded(FILTER, HOLIDAYS, index=2), as_list=as_list)
    env = gymnasium.make("sdpo/ToolUse-v0", data=str(path))
    prompt, info = env.reset(options={"task": "recorded-2"})
    assert prompt.endswith("Question: Which holidays?") and [m["role"] for m in info["messages"]] == ["user"]
    _, reward, terminated, _, info = env.step(response(HOLIDAYS, FILTER))
    assert (reward, terminated, info["feedback"]) == (1.0, True, "")
    assert info["metrics"] == {"solved": 1.0, "format_error": 0.0, "right_names": 1.0}


def test_texts_may_hold_any_line_break(write):
    prompt = "Question:\u2028Which\x85holidays?"
    env = ToolUseEnv(data=write(recorded(HOLIDAYS, prompt=prompt), recorded(HOLIDAYS, index=2)))
    assert env.reset(options={"task": 0})[0] == prompt


@pytest.mark.parametrize("grader", sorted(GRADERS))
def test_any_number_of_calls_may_be_recorded(write, grader):
    calls = [("getDay", {f"day{i}": i}) for i in range(20)]
    env = ToolUseEnv(data=write(recorded(*calls)), grader=grader)
    env.reset(seed=0)
    assert env.step(response(*calls))[1] == 1.0


@pytest.mark.parametrize("grader", sorted(GRADERS))
def test_thoughts_are_not_graded(write, grader):
    env = ToolUseEnv(data=write(recorded(HOLIDAYS)), grader=grader)
    draft = response(HOLIDAYS)

    def step(text):
        env.reset(seed=0)
        _, reward, _, _, info = env.step(text)
        return reward, info["feedback"]

    assert step(f"<think>\n{draft}\n</think>\n\n{draft}") == (1.0, "")
    assert step(f"<think>\n{draft}\n</think>\n\nI do not know.")[0] == 0.0
    assert step(f"<think>\n{draft}") == (
        0.0,
        "The response has no calls that can be read: The response ends before its thinking does. Think less, so that "
        "the call or answer fits.",
    )


def test_both_graders_agree_on_flat_arguments():
    expected = [Call(*HOLIDAYS), Call("getDay", {"date": "2023-01-01"})]
    right = response(HOLIDAYS, ("getDay", {"date": "2023-01-01"}))
    for grade in GRADERS.values():
        assert grade(right, expected) == (True, "")
        assert grade(response(HOLIDAYS), expected) == (False, "names")
        assert grade(response(HOLIDAYS, HOLIDAYS), expected) == (False, "names")
        assert grade(response(HOLIDAYS, ("getDay", {"date": "2023-01-02"})), expected) == (False, "arguments")
        assert grade("I do not know.", expected)[0] is False


def test_what_the_papers_rule_gets_wrong():
    """Nested objects cannot be right, and arguments may be swapped between calls."""
    nested = [Call(*FILTER)]
    assert grade_calls(response(FILTER), nested) == (True, "")
    assert grade_paper(response(FILTER), nested)[0] is False
    expected = [Call("a", {"x": 1}), Call("b", {"y": 2})]
    swapped = response(("a", {"y": 2}), ("b", {"x": 1}))
    assert grade_paper(swapped, expected) == (True, "")
    assert grade_calls(swapped, expected) == (False, "arguments")


@pytest.mark.parametrize("grade", [grade_calls, grade_paper])
def test_calls_and_arguments_too_many_are_wrong(grade):
    expected = [Call("a", {"x": 1})]
    assert grade(response(("a", {"x": 1})), expected) == (True, "")
    assert grade(response(("a", {"x": 1}), ("a", {"x": 1})), expected) == (False, "names")
    assert grade(response(("a", {"x": 1, "y": 2})), expected) == (False, "arguments")
    assert grade(response(("a", {})), expected) == (False, "arguments")


@pytest.mark.parametrize("grade", [grade_calls, grade_paper])
def test_the_order_of_arguments_and_the_form_of_numbers_do_not_matter(grade):
    given = response(("a", {"x": 2.0, "y": 1}), ("b", {}))
    assert grade(given, [Call("b", {}), Call("a", {"y": 1, "x": 2})]) == (True, "")


def test_an_answer_without_calls_is_a_mistake_of_form():
    assert grade_calls("Final Answer: 5", [Call("a", {})]) == (False, "There is a final answer, but no call.")


CALLS = st.lists(
    st.tuples(st.sampled_from(["getA", "getB"]), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2))),
    min_size=1,
    max_size=3,
)


@given(CALLS, CALLS)
def test_what_is_right_by_call_is_right_by_the_papers_rule_unless_keys_collide(given_calls, expected_calls):
    expected = [Call(*call) for call in expected_calls]
    keys = [key for _, arguments in expected_calls for key in arguments]
    if grade_calls(response(*given_calls), expected)[0] and len(keys) == len(set(keys)):
        assert grade_paper(response(*given_calls), expected)[0]


@given(
    st.text() | st.lists(st.sampled_from(["Action:", "Action Input:", "{", "}", "\n", " a", '"x"', ":"])).map("".join)
)
@example("Action: a\n" + "Action Input: {" * 60_000)
@example("Action: a\nAction Input: {" + "\t" * 900_000)
def test_any_text_is_graded(text):
    for grade in GRADERS.values():
        success, mistake = grade(text, [Call(*HOLIDAYS)])
        assert not success and mistake


def test_feedback_does_not_give_the_calls_away(write):
    path = write(recorded(HOLIDAYS))

    def say(text, **arguments):
        env = ToolUseEnv(data=path, **arguments)
        env.reset(seed=0)
        return env.step(text)[4]["feedback"]

    wrong = {
        "names": response(("getDay", {"a": 1})),
        "arguments": response(("getHolidays", {"country": "DE"})),
        "format": "Action: getHolidays\nAction Input: {",
    }
    for grader in GRADERS:
        assert say(wrong["names"], grader=grader) == "The tools that are called are not the right ones."
        assert say(wrong["arguments"], grader=grader) == (
            "The right tools are called, but the arguments are not right."
        )
        for kind, text in wrong.items():
            assert say(text, grader=grader, feedback="none") == ""
            short = "The response has no calls that can be read." if kind == "format" else "The calls are not right."
            if kind != "format" or grader == "calls":
                assert say(text, grader=grader, feedback="verdict") == short
            for secret in ("FR", "2023", "year"):
                assert secret not in say(text, grader=grader, feedback="full")
    assert say(wrong["format"]).startswith("The response has no calls that can be read: The Action Input of")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1], "row 1: a row must be a JSON object"),
        (recorded(HOLIDAYS, prompt=""), "row 1: field 'prompt' must be a text, not ''"),
        (recorded(HOLIDAYS, idx=None), "row 1: field 'idx' must be a whole number, not None"),
        (recorded(HOLIDAYS, answer="A"), "row 1: field 'answer' must be a list of objects with 'Action'"),
        (recorded(HOLIDAYS, answer="[]"), "row 1: field 'answer' must hold calls with names"),
        (recorded(HOLIDAYS, answer='[{"Action": "a", "Action_Input": "5"}]'), "row 1: field 'answer' must be a list"),
    ],
)
def test_malformed_rows(write, row, message):
    with pytest.raises(ValueError, match=message):
        ToolUseEnv(data=write(row))


def test_files_that_hold_something_else(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        ToolUseEnv(data=tmp_path / "none.json")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match="neither JSON lines nor a JSON list"):
        ToolUseEnv(data=tmp_path / "x.json")
