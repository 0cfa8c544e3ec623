"""Values and messages between host and worker."""

import contextlib
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdpo_gym.sandbox.worker import wire

MAX_SIZE = 1_000_000

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
hashables = st.recursive(scalars, lambda part: st.lists(part, max_size=4).map(tuple), max_leaves=8)
plain = st.recursive(
    scalars | st.sets(hashables, max_size=5),
    lambda part: (
        st.lists(part, max_size=4)
        | st.lists(part, max_size=4).map(tuple)
        | st.dictionaries(hashables, part, max_size=4)
    ),
    max_leaves=20,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: (
        st.lists(part, max_size=4)
        | st.dictionaries(st.sampled_from(["tuple", "set", "dict", "int", "float", "bytes", "other"]), part, max_size=2)
    ),
    max_leaves=20,
)


def over_the_wire(value):
    message = wire.pack({"value": wire.encode(value, MAX_SIZE)})
    return wire.decode(wire.read_message(io.BytesIO(message).read, len(message))["value"])


def same(left, right):
    """Equal, and of equal types throughout."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(map(same, left.items(), right.items()))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


@given(plain)
def test_plain_values_come_back_with_their_types(value):
    assert same(over_the_wire(value), value)


def test_nan_comes_back():
    assert math.isnan(over_the_wire(math.nan))


class Text(str):
    pass


class Items(list):
    pass


@pytest.mark.parametrize("value", [object(), Text("a"), Items(), {"a": Text("b")}, 1j, range(3), frozenset(), len, int])
def test_anything_else_is_not_plain(value):
    with pytest.raises(wire.NotPlain):
        wire.encode(value, MAX_SIZE)


def test_endless_values_are_not_plain():
    endless: list = []
    endless.append(endless)
    with pytest.raises(wire.NotPlain):
        wire.encode(endless, MAX_SIZE)


@pytest.mark.parametrize("value", [[0] * 10, ["a"] * 5, "a" * 10, {b"aa": ("b", 1), "c": None}])
def test_values_that_are_too_large_are_refused(value):
    wire.encode(value, 11)
    with pytest.raises(wire.TooLarge):
        wire.encode(value, 10)


@given(json_values)
def test_decoding_what_nobody_encoded_gives_plain_data_or_a_value_error(data):
    with contextlib.suppress(ValueError):
        wire.encode(wire.decode(data), MAX_SIZE)


def test_deep_data_is_refused():
    data: list = []
    for _ in range(100):
        data = [data]
    with pytest.raises(ValueError, match="deep"):
        wire.decode(data)
    with pytest.raises(ValueError, match="deep"):
        wire.parse(b"[" * 100_000)


def test_sets_of_equal_hashes_are_refused():
    period = (1 << 61) - 1  # integers repeat their hash after this many
    items = [{"int": hex(index * period)} for index in range(2000)]
    with pytest.raises(ValueError, match="hashes"):
        wire.decode({"set": items})
    with pytest.raises(ValueError, match="hashes"):
        wire.decode({"dict": [[item, None] for item in items]})


def test_messages_that_are_too_long_are_refused_before_they_are_read():
    message = io.BytesIO(wire.pack({"text": "x" * 100}))
    with pytest.raises(wire.TooLarge):
        wire.read_message(message.read, 50)
    assert message.tell() == wire.HEADER


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\5{}"])
def test_a_broken_connection_is_noticed(data):
    with pytest.raises(EOFError):
        wire.read_message(io.BytesIO(data).read, 100)


def test_many_keys_are_refused_before_a_table_is_built():
    texts = {str(n): n for n in range(10_000)}
    assert wire.decode(wire.encode(texts, 1 << 20)) == texts
    parts = [set(range(n * 1000, n * 1000 + 1000)) for n in range(5)]
    assert wire.decode(wire.encode(parts[:4], 1 << 20)) == parts[:4]
    with pytest.raises(wire.TooLarge, match="keys"):
        wire.decode(wire.encode(parts, 1 << 20))
