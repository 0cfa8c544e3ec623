import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.tool_use.apis import TOOLS
from envs.tool_use.schema import problems, signature

ITEM = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "n": {"type": "integer", "minimum": 1}},
    "required": ["id"],
}
SCHEMA = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": ITEM, "minItems": 1, "maxItems": 2},
        "price": {"type": "number", "minimum": 0, "maximum": 9.5},
        "fast": {"type": "boolean"},
        "day": {"type": "string", "enum": ["Monday", "Friday"]},
    },
    "required": ["items"],
}


@pytest.mark.parametrize(
    "value",
    [
        {"items": [{"id": "a"}]},
        {"items": [{"id": "a", "n": 3}, {"id": "", "n": 1.0}], "price": 9.5, "fast": False, "day": "Friday"},
        {"items": [{"id": "a"}], "price": 0},
    ],
)
def test_what_fits(value):
    assert list(problems(value, SCHEMA)) == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "the arguments must be an object, not []"),
        ({}, "argument 'items' is missing"),
        ({"items": []}, "argument 'items' must have 1 to 2 items, not 0"),
        ({"items": [{"id": "a"}] * 3}, "argument 'items' must have 1 to 2 items, not 3"),
        ({"items": [{"n": 1}]}, "argument 'items[0].id' is missing"),
        ({"items": [{"id": 5}]}, "argument 'items[0].id' must be a text, not 5"),
        ({"items": [{"id": "a", "n": 0}]}, "argument 'items[0].n' must be at least 1, not 0"),
        ({"items": [{"id": "a", "n": 1.5}]}, "argument 'items[0].n' must be a whole number, not 1.5"),
        ({"items": [{"id": "a", "n": True}]}, "argument 'items[0].n' must be a whole number, not true"),
        ({"items": [{"id": "a"}], "price": 10}, "argument 'price' must be at least 0 and at most 9.5, not 10"),
        ({"items": [{"id": "a"}], "fast": "yes"}, "argument 'fast' must be true or false, not 'yes'"),
        ({"items": [{"id": "a"}], "day": "Fri"}, "argument 'day' must be one of 'Monday', 'Friday', not 'Fri'"),
        ({"items": [{"id": "a"}], "dya": "x"}, "argument 'dya' is unknown; did you mean 'day'?"),
        ({"items": [{"id": "a"}], "q": None}, "argument 'q' is unknown; there is only items, price, fast, day"),
        ({"items": [{"id": "x" * 201}]}, "argument 'items[0].id' must have at most 200 characters, not 201"),
        ({"items": None}, "argument 'items' must be an array, not null"),
    ],
)
def test_what_does_not_fit(value, problem):
    assert list(problems(value, SCHEMA)) == [problem]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.floats(-2, 12) | st.sampled_from(["Monday", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["items", "price", "fast", "day", "id", "n"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(JSON)
def test_agrees_with_jsonschema(value):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema, the oracle, is not installed")

    def closed(schema):
        schema = {key: closed(item) if isinstance(item, dict) else item for key, item in schema.items()}
        return schema | {"additionalProperties": False} if schema.get("type") == "object" else schema

    assert (not list(problems(value, SCHEMA))) == jsonschema.Draft202012Validator(closed(SCHEMA)).is_valid(value)


def test_signatures():
    assert signature(SCHEMA) == (
        '{"items": [{"id": text, "n"?: integer}, …], "price"?: number, "fast"?: boolean, "day"?: "Monday" | "Friday"}'
    )
    for tool in TOOLS.values():
        assert signature(tool.parameters).startswith('{"')
