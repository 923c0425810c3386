"""Samples of the exchange's messages, made from the official SDK's models: every declared field, each with its own value.

A number stands where a text may hold one, so that a field read from the wrong place shows. Where a text must be a
word of the exchange, the word stands here.
"""

import copy
from collections.abc import Iterator
from itertools import count
from typing import Any, get_args

from tests.peers.oracle import Model, models_in

type Json = dict[str, Any]
type Path = tuple[str, ...]

#: By the field's path; its last name is enough for a REST answer.
WORDS = {
    **dict.fromkeys(("symbol", "s", "o.s", "ac.s", "a.P.s"), "BTCUSDT"),
    **dict.fromkeys(("side", "o.S"), "BUY"),
    **dict.fromkeys(("positionSide", "o.ps", "a.P.ps"), "BOTH"),
    **dict.fromkeys(("type", "origType", "orderType", "o.o", "o.ot"), "LIMIT"),
    **dict.fromkeys(("status", "algoStatus", "o.X"), "NEW"),
    **dict.fromkeys(("timeInForce", "o.f"), "GTC"),
    **dict.fromkeys(("workingType", "o.wt"), "MARK_PRICE"),
    **dict.fromkeys(("asset", "a.B.a"), "USDT"),
    **dict.fromkeys(("algoType", "o.at"), "CONDITIONAL"),
    "o.x": "TRADE",
    "marginType": "CROSSED",
    "filterType": "PRICE_FILTER",
    "code": "200",
}


def sample_of(model: Model) -> Json:
    """One message with every field that the model declares."""
    return _sample(model, count(1), ())


def paths(sample: Json, above: Path = ()) -> Iterator[Path]:
    """Where a sample's fields stand; lists are walked through."""
    for name, value in sample.items():
        yield (*above, name)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from paths(inner, (*above, name))


def without(sample: Json, path: Path) -> Json:
    """The sample without one field."""
    return _changed(sample, path, lambda row, name: row.pop(name, None))


def instead(sample: Json, path: Path, value: object) -> Json:
    """The sample with another value in one field."""
    return _changed(sample, path, lambda row, name: row.update({name: value}))


def _changed(sample: Json, path: Path, change: Any) -> Json:
    changed = copy.deepcopy(sample)
    rows = [changed]
    for name in path[:-1]:
        found = [row[name] for row in rows]
        rows = [inner for each in found for inner in (each if isinstance(each, list) else [each])]
    for row in rows:
        change(row, path[-1])
    return changed


def _sample(model: Model, numbers: Iterator[int], above: Path) -> Json:
    return {
        name: _value(field.annotation, numbers, (*above, name))
        for attribute, field in model.model_fields.items()
        if attribute != "additional_properties"
        for name in [field.alias or attribute]
    }


def _value(annotation: Any, numbers: Iterator[int], path: Path) -> Any:
    kinds = set(_kinds(annotation))
    if list in kinds:
        return [_value(_within(annotation), numbers, path)]
    for model in models_in(annotation):
        return _sample(model, numbers, path)
    number = next(numbers)
    if bool in kinds:
        return True
    if int in kinds:
        return number
    if float in kinds:
        return number + 0.5
    return WORDS.get(
        ".".join(path), WORDS.get(path[-1] if len(path[-1]) > 2 else "", f"{number}.5")
    )


def _within(annotation: Any) -> Any:
    """What a list holds, however it is wrapped."""
    if getattr(annotation, "__origin__", None) is list:
        return get_args(annotation)[0]
    return next(_within(each) for each in get_args(annotation) if list in set(_kinds(each)))


def _kinds(annotation: Any) -> Iterator[Any]:
    """The plain types of an annotation, down to the first list or model."""
    origin = getattr(annotation, "__origin__", annotation)
    if origin is list or not get_args(annotation):
        yield origin
        return
    for argument in get_args(annotation):
        yield from _kinds(argument)
