"""Checks the arguments of a call against the parameters of a tool, given as a JSON Schema.

A small part of JSON Schema is enough here: `type`, `properties`, `required`, `items`, `enum`, `minimum`, `maximum`,
`minItems`, `maxItems` and `maxLength`. An object allows no other than the named properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

Schema = Mapping[str, Any]

_NAMES = {
    "object": "an object",
    "array": "an array",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def problems(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """What is wrong with a value, in words; nothing if it fits.

    Args:
        value: Parsed JSON.
        schema: What it must be.
        path: Where it is, such as `query.year`; empty for the arguments as a whole.
    """
    kind = schema["type"]
    if not _is_a(value, kind):
        yield f"{_named(path)} must be {_NAMES[kind]}, not {_shown(value)}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{_named(path)} must be one of {', '.join(map(_shown, schema['enum']))}, not {_shown(value)}"
    elif kind == "object":
        yield from _object_problems(value, schema, path)
    elif kind == "array":
        yield from _array_problems(value, schema, path)
    elif kind == "string":
        if len(value) > schema.get("maxLength", 200):
            yield f"{_named(path)} must have at most {schema.get('maxLength', 200)} characters, not {len(value)}"
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        lowest, highest = schema.get("minimum"), schema.get("maximum")
        limits = [f"at least {lowest}"] * (lowest is not None) + [f"at most {highest}"] * (highest is not None)
        yield f"{_named(path)} must be {' and '.join(limits)}, not {_shown(value)}"


def _object_problems(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[str]:
    properties = schema["properties"]
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_named(_join(path, name))} is missing"
    for name, item in value.items():
        if name in properties:
            yield from problems(item, properties[name], _join(path, name))
        else:
            close = get_close_matches(name[:100], properties, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there is only {', '.join(properties)}"
            yield f"{_named(_join(path, name))} is unknown; {hint}"


def _array_problems(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    lowest, highest = schema.get("minItems", 0), schema.get("maxItems", 20)
    if not lowest <= len(value) <= highest:
        yield f"{_named(path)} must have {lowest} to {highest} items, not {len(value)}"
        return
    for i, item in enumerate(value):
        yield from problems(item, schema["items"], f"{path}[{i}]")


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, (int, float))
    return isinstance(value, {"object": dict, "array": list, "string": str, "boolean": bool}[kind])


def _join(path: str, name: str) -> str:
    return f"{path}.{name[:100]}" if path else name[:100]


def _named(path: str) -> str:
    return f"argument {path!r}" if path else "the arguments"


def _shown(value: Any) -> str:
    text = (
        repr(value)
        if not isinstance(value, bool) and value is not None
        else {True: "true", False: "false"}.get(value, "null")
    )
    return text if len(text) <= 60 else f"{text[:57]}…"


def signature(schema: Schema) -> str:
    """A schema in one line: `{query: {author?: text, year?: integer}, limit: integer}`."""
    match schema["type"]:
        case "object":
            required = schema.get("required", ())
            fields = (
                f'"{name}"{"" if name in required else "?"}: {signature(item)}'
                for name, item in schema["properties"].items()
            )
            return "{" + ", ".join(fields) + "}"
        case "array":
            return f"[{signature(schema['items'])}, …]"
        case "string" if "enum" in schema:
            return " | ".join(f'"{value}"' for value in schema["enum"])
        case "string":
            return "text"
        case kind:
            return kind
