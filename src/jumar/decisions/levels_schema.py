"""The JSON Schema of a levels file, made from the tables that the decoder reads (D-10).

Promises that what the decoder accepts of managed symbols is valid. The other way round it cannot hold: the order of a zone's prices, ids
that are used twice and times after `as_of` are beyond a schema; `jumar levels check` judges them.
"""

from jumar.decisions.levels import KINDS, MAP, MAPPED, SIDES, ZONES
from jumar.decisions.schema import Json, number, or_null
from jumar.decisions.shape import ABOVE_ZERO, CONFIDENCE, MOMENT, WORD_LENGTH_MAX
from jumar.decisions.shape import ZONE as OFFSET
from jumar.model.levels import TIMEFRAMES

_NAME: Json = {"type": "string", "minLength": 1, "maxLength": WORD_LENGTH_MAX}
_MOMENT: Json = {"type": "string", "pattern": f"^{MOMENT}{OFFSET}$"}


def levels_schema() -> Json:
    """Return the schema (2020-12) as JSON values."""
    levels = _levels()
    blocks: Json = {"type": "object", "additionalProperties": levels}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Levels",
        "description": "Swings and liquidation zones of one symbol, or of several in `symbols`. Unknown fields are ignored.",
        "type": "object",
        "if": {"required": ["symbols"]},
        "then": {"properties": {"symbols": blocks, "as_of": or_null(_MOMENT)}},
        "else": {"required": ["as_of"], **levels},
    }


def _levels() -> Json:
    zones = _list(_zone(named=False))
    mapped: Json = dict.fromkeys(MAPPED, zones)
    frame: Json = {"type": "object", "properties": dict.fromkeys(KINDS, _list(_swing()))}
    frames: Json = {
        "type": "object",
        "propertyNames": {"enum": list(TIMEFRAMES)},
        "additionalProperties": or_null(frame),
    }
    return {
        "type": "object",
        "properties": {
            "symbol": or_null(_NAME),
            "as_of": or_null(_MOMENT),
            "swings": or_null(frames),
            ZONES: _list(_zone(named=True)),
            MAP: or_null({"type": "object", "properties": mapped}),
            **mapped,
        },
    }


def _swing() -> Json:
    fields = {"price": number(ABOVE_ZERO), "time": _MOMENT, "confirmed": {"type": "boolean"}}
    return {"type": "object", "required": list(fields), "properties": fields}


def _zone(*, named: bool) -> Json:
    pair = {"type": "array", "items": number(ABOVE_ZERO), "minItems": 2, "maxItems": 2}
    words = "|".join("".join(f"[{c}{c.upper()}]" for c in side) for side in SIDES)
    whose: Json = {"type": "string", "pattern": f"^({words})$"}
    needed: Json = {"id": _NAME} if named else {}
    needed |= {"zone": pair, "strength": number(CONFIDENCE)}
    return {
        "type": "object",
        "required": list(needed),
        "properties": {**needed, "price": or_null(number(ABOVE_ZERO)), "side": or_null(whose)},
    }


def _list(items: Json) -> Json:
    return or_null({"type": "array", "items": items})
