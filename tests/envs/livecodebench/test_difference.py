import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.difference import output_difference, value_difference
from envs.livecodebench.judge import same_output, same_value
from sdpo_gym.sandbox import OPAQUE


@pytest.mark.parametrize(
    ("output", "expected", "text"),
    [
        ("\n", "1", "The program printed nothing."),
        ("1\n2", "3", "The program printed 2 lines, but 1 line is expected."),
        ("1", "1\n2\n3", "The program printed 1 line, but 3 lines are expected."),
        ("1\n2\n4", "1\n2\n3", "Line 3 of the output is wrong."),
        ("4", "3", "The output is wrong."),
        ("a  b", "a b", "The output is wrong: only in the spaces within it."),
        ("x\nYES", "x\nYes", "Line 2 of the output is wrong: only in upper and lower case."),
        ("1 2", "1", "The output is wrong: it has 2 words, but 1 word is expected."),
        ("5.0\n8", "5\n9", "Line 2 of the output is wrong."),
    ],
)
def test_wrong_outputs(output, expected, text):
    assert output_difference(output, expected) == text


@pytest.mark.parametrize(
    ("value", "expected", "text"),
    [
        (None, "[1]", "The function returned None."),
        (OPAQUE, "[1]", "not plain data, such as an iterator"),
        ("1", "1", "returned a value of type str, not int."),
        ((1, 2), "1", "returned a value of type tuple, not int."),
        ({1}, "[1]", "returned a value of type set, not list."),
        (1, "null", "returned a value of type int, not None."),
        (1.5, "1", "The returned value is wrong."),
        (True, "0", "The returned value is wrong."),
        ([1], "[1, 2]", "returned 1 item, but 2 items are expected."),
        ("abc", '"a"', "returned 3 characters, but 1 character is expected."),
        ({"a": 1}, "{}", "returned 1 item, but 0 items are expected."),
        ((1, 3), "[1, 2]", "The returned list is wrong at index 1."),
        ([(1, 2)], "[[1, 2]]", "The returned list is wrong at index 0."),
        ({"a": 1}, '{"a": 2}', "The returned value is wrong."),
    ],
)
def test_wrong_values(value, expected, text):
    assert text in value_difference(value, expected)


def test_hostile_values_are_compared():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert value_difference(deep, "[" * 500 + "]" * 500) == "The returned list is wrong at index 0."
    assert value_difference(10**100_000, "1.5") == "The returned value is wrong."


@given(st.text("01 aA\n.\r"), st.text("01 aA\n."))
def test_every_wrong_output_is_described(output, expected):
    if not same_output(output, expected):
        assert output_difference(output, expected).endswith(".")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.tuples(inner)
)


@given(values, values)
def test_every_wrong_value_is_described(value, right):
    if not same_value(value, json.dumps(right)):
        assert value_difference(value, json.dumps(right)).endswith(".")
