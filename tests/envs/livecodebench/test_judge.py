import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.livecodebench.judge import judge, same_output, same_value
from envs.livecodebench.rows import Test as Case
from sdpo_gym.sandbox import OPAQUE, RunResult


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("1 2 \n3\t", "1 2\n3"),
        ("\n\n1\n2\n\n\n", "1\n2"),
        ("1\r\n2\r\n", "1\n2\n"),
        ("1   2", "1 2"),
        ("x\n  a", "x\na"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("007", "7"),
        ("+7", "7"),
        ("1_000", "1000"),
        ("７", "7"),
        ("-0", "0"),
        ("inf", "Infinity"),
        ("nan", "nan"),
        ("a-", "a-"),
        ("", "\n"),
        ("1e999999999", "10e999999998"),
    ],
)
def test_equal_outputs(output, expected):
    assert same_output(output, expected)
    assert same_output(expected, output)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("a  b", "a b"),
        ("1\n\n2", "1\n2"),
        ("1 2 3", "1\n2\n3"),
        ("1\n2\n3", "1\n2"),
        ("a\x0bb", "a\nb"),
        ("1 2", "1 2 3"),
        ("YES", "Yes"),
        ("0.30000000000000004", "0.3"),
        ("0.333333333", "0.33333333333"),
        ("NaN", "nan"),
        ("sNaN", "1"),
        ("", "0"),
        ("a", "a-"),
        ("x 1.0", "x 1"),
        ("0x10", "16"),
        ("1e999999999", "1"),
    ],
)
def test_unequal_outputs(output, expected):
    assert not same_output(output, expected)
    assert not same_output(expected, output)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], "[1, 2]"),
        ((1, 2), "[1,2]"),
        (2.0, "2"),
        (2, "2.0"),
        (True, "1"),
        (1, "true"),
        (None, "null"),
        ("a b", '"a b"'),
        ({"a": [1]}, '{"a": [1]}'),
        (float("inf"), "Infinity"),
    ],
)
def test_equal_values(value, expected):
    assert same_value(value, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([(1, 2)], "[[1, 2]]"),
        ({1, 2}, "[1, 2]"),
        ({1: 2}, '{"1": 2}'),
        (OPAQUE, "null"),
        ([OPAQUE], "[1]"),
        (None, "0"),
        ("1", "1"),
        (b"a", '"a"'),
        (0.1 + 0.2, "0.3"),
        (float("nan"), "NaN"),
    ],
)
def test_unequal_values(value, expected):
    assert not same_value(value, expected)


def test_hostile_outputs_are_compared_at_once():
    assert not same_output("1e" + "9" * 1000, "1")
    assert not same_output("9" * 1_000_000, "1")
    assert not same_output("1e999999999 " * 10_000, "1e999999998 " * 10_000)
    assert same_output("0" * 1_000_000 + "1", "1")


def test_hostile_values_are_compared_at_once():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert not same_value(deep, "[[[[1]]]]")
    assert not same_value(deep, "[" * 500 + "]" * 500)
    for value in (10**100_000, -(10**400), [10**400]):
        for expected in ("1", "0.5", "1e300", "1e400", "[1e300]"):
            assert not same_value(value, expected)


@given(st.text())
def test_output_equals_itself(text):
    assert same_output(text, text)
    assert same_output(text + "\n", text)


@given(st.text(string.digits + "eE+-_.naif \n７\x00"), st.text(string.digits + "eE+-_.naif \n"))
def test_comparing_outputs_never_fails_and_takes_no_side(one, other):
    assert same_output(one, other) == same_output(other, one)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_value_equals_itself(value):
    assert same_value(value, json.dumps(value))


@pytest.mark.parametrize("status", ["exception", "timeout", "memory", "no_result", "not_run"])
def test_only_runs_that_ended_well_can_pass(status):
    case = Case("", "null", visible=True)
    assert judge(case, RunResult("ok", value=None), functional=True).passed
    assert not judge(case, RunResult(status, value=None, stdout="null"), functional=True).passed
    assert not judge(case, RunResult(status, value=None, stdout="null"), functional=False).passed
