import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envs.tool_use.parsing import MAX_CALLS, PARSERS, parse
from envs.tool_use.prompt import show_answer, show_call
from envs.tool_use.world import Call

NAMES = st.text("abcdefghij_", min_size=1, max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('abAction: {}"\n', max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
ARGUMENTS = st.dictionaries(st.text('ab{}:" ', max_size=8), JSON, max_size=4)
CALLS = st.builds(Call, NAMES, ARGUMENTS)


@given(st.lists(CALLS, min_size=1, max_size=3), st.sampled_from(sorted(PARSERS)))
def test_what_is_shown_is_read_again(calls, call_format):
    """Also nested objects, and texts that look like labels."""
    response = "\n".join(show_call(call, call_format) for call in calls)
    assert parse(response, call_format).calls == tuple(calls)


@given(st.integers() | st.text("abcdefg 123", min_size=1).filter(str.strip), st.sampled_from(sorted(PARSERS)))
def test_answers_are_read_again(answer, call_format):
    assert parse(show_answer(answer, call_format), call_format).answer == str(answer).strip()


PIECES = [
    "Action: ",
    "Action Input: ",
    "Final Answer: ",
    "Observation: ",
    "\n",
    '{"name":',
    "{",
    "}",
    '"a"',
    ":",
    "[",
    "\\",
]


@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.sampled_from(sorted(PARSERS)))
@example("{" * 50_000, "json")
@example('{"' * 25_000, "json")
@example("{a" * 25_000, "json")
@example("{" + " " * 49_999, "json")
@example('{"a":' * 10_000, "json")
@example('{"a":' * 10_000, "react")
@example("Action: a\nAction Input: " + "[" * 40_000, "react")
@example('Action: a\nAction Input: {"n": ' + "9" * 5000 + "}", "react")
@example("Action:\n" * 5000, "react")
@example('{"name": "a", "arguments": {"b": ' + "[" * 900 + "]" * 900 + "}}", "json")
@example('{"name": "a", "arguments": {}}' * 1000, "json")
def test_any_text_is_read(response, call_format):
    reply = parse(response, call_format)
    outcomes = (bool(reply.calls), reply.answer is not None, bool(reply.problem))
    assert sum(outcomes) == 1
    assert len(reply.calls) <= MAX_CALLS
    reply.problem.encode()


@pytest.mark.parametrize(
    "response",
    [
        'Action: get_stock\nAction Input: {"product_id": "A1"}',
        'Thought: I need it.\nAction: get_stock\nAction Input: {"product_id": "A1"}',
        'action : `get_stock`\naction input :\n```json\n{"product_id":\n "A1"}\n```\n',
        '**Action:** get_stock\n**Action Input:** {"product_id": "A1"} and that is it',
        'Action: get_stock\nAction Input: {"product_id": "A1"}\nObservation: {"stock": 3}\nFinal Answer: 3',
        'Action: get_stock\nAction Input: {"product_id": "A1"}\nFinal Answer: 3',
    ],
)
def test_forms_of_a_call(response):
    reply = parse(response, "react")
    assert reply.calls == (Call("get_stock", {"product_id": "A1"}),) and reply.answer is None


THOUGHT = """<think>
The format is
Action: the tool's name
Action Input: its arguments as a JSON object
so it is {"name": "get_stock", "arguments": {}}, or {"answer": 1}.
Observation: nothing yet
Final Answer: the value
</think>

"""


@pytest.mark.parametrize("call_format", sorted(PARSERS))
@pytest.mark.parametrize("thought", [THOUGHT, THOUGHT.removeprefix("<think>"), THOUGHT + THOUGHT])
def test_thoughts_are_not_read(thought, call_format):
    """Chat templates may open the thought in the prompt."""
    call = Call("get_stock", {"product_id": "A1"})
    shown = show_call(call, call_format)
    for response in (thought + shown, f"{shown}\n<think>{THOUGHT[:200]}"):
        assert parse(response, call_format).calls == (call,)
    assert parse(thought + show_answer(57, call_format), call_format).answer == "57"
    assert parse(thought, call_format).problem.startswith("The response has n")


@pytest.mark.parametrize("call_format", sorted(PARSERS))
def test_an_unfinished_thought_is_a_problem_of_form(call_format):
    problem = "The response ends before its thinking does. Think less, so that the call or answer fits."
    for response in (THOUGHT.removesuffix("</think>\n\n"), THOUGHT + THOUGHT[:200], "<think>"):
        assert parse(response, call_format).problem == problem


def test_as_much_as_may_be_is_read():
    assert len(parse("Action: a\nAction Input: {}\n" * 8, "react").calls) == 8
    assert len(parse('{"name": "a", "arguments": {}} ' * 8, "json").calls) == 8
    assert parse("Final Answer: 5".rjust(50_000), "react").answer == "5"
    assert parse("{x: 1} " * 20 + '{"answer": 5}', "json").answer == "5"


def test_an_answer_is_one_line():
    assert parse("Thought: done\nFinal Answer: 57\n\nI hope that helps.", "react").answer == "57"


def test_made_up_results_are_not_read():
    assert parse("Observation: 5\nFinal Answer: 5", "react").problem.startswith("The response has neither")


@pytest.mark.parametrize(
    "response",
    [
        '{"name": "get_stock", "arguments": {"product_id": "A1"}}',
        'I call:\n```json\n{"name": "get_stock", "arguments": {"product_id": "A1"}}\n```',
        '<tool_call>\n{"name": "get_stock", "arguments": {"product_id": "A1"}}\n</tool_call>',
        '{"thought": "hm"} [{"name": "get_stock", "arguments": {"product_id": "A1"}}]',
        '{broken {"name": "get_stock", "arguments": {"product_id": "A1"}} {"answer": 3}',
        "$\\frac{1}{2}$ " * 50 + "{x | x > 0} {} f{a}" + '{"name": "get_stock", "arguments": {"product_id": "A1"}}',
    ],
)
def test_forms_of_a_call_in_json(response):
    reply = parse(response, "json")
    assert reply.calls == (Call("get_stock", {"product_id": "A1"}),) and reply.answer is None


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("", "The response is empty."),
        ("Hello", "The response has neither an 'Action:' with its 'Action Input:' nor a 'Final Answer:'."),
        ("Final Answer:  \n", "Nothing stands after 'Final Answer:'."),
        ("Action: a", "'Action: a' has no 'Action Input:' after it."),
        ("Action: a\nAction: b\nAction Input: {}", "'Action: a' has no 'Action Input:' after it."),
        ("Action Input: {}", "'Action Input:' comes without the name of a tool after 'Action:' before it."),
        ("Action: a\nAction Input:", "The Action Input of 'a' is not a JSON object: it is empty."),
        (
            'Action: a\nAction Input: {"b" 1}',
            "The Action Input of 'a' is not a JSON object: Expecting ':' delimiter at character 6.",
        ),
        (
            "Action: a\nAction Input: [1]",
            "The Action Input of 'a' is not a JSON object: it must begin with '{', but is [1].",
        ),
        (
            'Action: a\nAction Input: {"b": NaN}',
            "The Action Input of 'a' is not a JSON object: NaN is no number in JSON.",
        ),
        (
            'Action: a\nAction Input: {"b": 1e999}',
            "The Action Input of 'a' is not a JSON object: the number 1e999 is too large.",
        ),
        (
            'Action: a\nAction Input: {"b": 1, "b": 2}',
            "The Action Input of 'a' is not a JSON object: the key 'b' is there twice.",
        ),
        (
            'Action: a\nAction Input: {"b": "\\ud800"}',
            "The Action Input of 'a' is not a JSON object: it has half of a surrogate pair.",
        ),
        (
            'Action: a\nAction Input: {"b": ' + "[" * 40 + "]" * 40 + "}",
            "The Action Input of 'a' is not a JSON object: it is nested too deeply.",
        ),
        ("Action: a\nAction Input: {}\n" * 9, "The response has 9 calls; at most 8 can be made at once."),
        ("x" * 50_001, "The response has 50001 characters; at most 50000 are read."),
        ("x" * 50_001 + "</think>Final Answer:", "Nothing stands after 'Final Answer:'."),
    ],
)
def test_problems_say_what_is_wrong(response, problem):
    assert parse(response, "react").problem == problem


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("Hello", "The response has no JSON object with a 'name' and 'arguments', or with an 'answer'."),
        ('{"name": "a"}', "The response has no JSON object with a 'name' and 'arguments', or with an 'answer'."),
        ("{'name': 'a', 'arguments': {}}", "The response's JSON cannot be read: Expecting property name"),
        ("{name: 'a', arguments: {}}", "The response's JSON cannot be read: Expecting property name"),
        ('{"name": "a", "arguments": "b"}', "The 'arguments' of 'a' must be a JSON object."),
        ('{"name": "a", "arguments": {', "The response's JSON cannot be read: Expecting property name"),
        ('{"answer": [1]}', "The 'answer' must be a text or a number."),
        ('{"answer": true}', "The 'answer' must be a text or a number."),
    ],
)
def test_problems_of_json_say_what_is_wrong(response, problem):
    assert parse(response, "json").problem.startswith(problem)


def test_nothing_is_evaluated(tmp_path):
    trap = f"__import__('pathlib').Path({str(tmp_path / 'trap')!r}).touch()"
    for response in (
        f"Action: a\nAction Input: {trap}",
        f"Action: {trap}\nAction Input: {json.dumps({'a': trap})}",
        trap,
    ):
        for call_format in PARSERS:
            parse(response, call_format)
    assert not (tmp_path / "trap").exists()
