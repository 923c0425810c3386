"""A JSON Schema validator of the keywords that our schemas use; any other keyword is an error."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, Decimal),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_OF_NUMBERS: dict[str, Callable[[Decimal, Any], bool]] = {
    "minimum": lambda value, end: value >= end,
    "maximum": lambda value, end: value <= end,
    "exclusiveMinimum": lambda value, end: value > end,
    "exclusiveMaximum": lambda value, end: value < end,
    "multipleOf": lambda value, step: value % step == 0,
}
_OF_TEXT: dict[str, Callable[[str, Any], bool]] = {
    "minLength": lambda value, end: len(value) >= end,
    "maxLength": lambda value, end: len(value) <= end,
    "pattern": lambda value, pattern: re.search(pattern, value) is not None,
}
_OF_ARRAYS: dict[str, Callable[[list[Any], Any], bool]] = {
    "minItems": lambda value, end: len(value) >= end,
    "maxItems": lambda value, end: len(value) <= end,
    "items": lambda value, shape: all(valid(item, shape) for item in value),
}
_OF_OBJECTS: dict[str, Callable[[dict[str, Any], Any], bool]] = {
    "required": lambda value, names: set(names) <= set(value),
    "maxProperties": lambda value, end: len(value) <= end,
    "propertyNames": lambda value, shape: all(valid(name, shape) for name in value),
    "additionalProperties": lambda value, shape: all(valid(item, shape) for item in value.values()),
    "properties": lambda value, shapes: all(
        valid(value[name], shape) for name, shape in shapes.items() if name in value
    ),
}
_GROUPS: tuple[tuple[type, dict[str, Callable[[Any, Any], bool]]], ...] = (
    (Decimal, _OF_NUMBERS),
    (str, _OF_TEXT),
    (list, _OF_ARRAYS),
    (dict, _OF_OBJECTS),
)
_APART = {"$schema", "title", "description", "type", "enum", "const", "anyOf", "if", "then", "else"}


def valid(value: Any, shape: dict[str, Any]) -> bool:
    """Judge a value by the keywords of 2020-12 that the schema uses; any other keyword is an error."""
    known = _APART.union(*(group for _, group in _GROUPS))
    assert set(shape) <= known, set(shape) - known
    types = shape.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_TYPES[name](value) for name in types):
        return False
    if "enum" in shape and value not in shape["enum"]:
        return False
    if "const" in shape and value != shape["const"]:
        return False
    if "anyOf" in shape and not any(valid(value, each) for each in shape["anyOf"]):
        return False
    for kind, group in _GROUPS:
        if isinstance(value, kind):
            rules = [(group[word], shape[word]) for word in group if word in shape]
            if not all(holds(value, end) for holds, end in rules):
                return False
    if "if" in shape:
        branch = "then" if valid(value, shape["if"]) else "else"
        return valid(value, shape[branch])
    return True


def is_valid(text: bytes | str, shape: dict[str, Any]) -> bool:
    """Whether a JSON text is valid; numbers are exact."""
    value = json.loads(
        text, parse_int=Decimal, parse_float=Decimal, parse_constant=lambda _: Decimal("1e400")
    )
    return valid(value, shape)
