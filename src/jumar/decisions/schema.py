"""The JSON Schema of a decision, made from the table that the decoder reads (D-9).

Promises that what the decoder accepts is valid, so that a validator never refuses a good decision. The other way
round it cannot hold: the order of the levels, the range of a number that is written as text and the freshness are
beyond a schema; `jumar decision check` judges them.
"""

from typing import Any

from jumar.decisions.shape import (
    ABOVE_ZERO,
    EXPONENT_MAX,
    FRACTION,
    MOMENT,
    NUMBER,
    NUMBER_LENGTH_MAX,
    OF_ENTRY,
    OF_FLAT,
    PRICES,
    RISK_CHECKS_MAX,
    RISK_LEVEL,
    WORD_LENGTH_MAX,
    ZONE,
    Limit,
)
from jumar.model.decision import Action, TrailMode

type Json = dict[str, Any]

_NULL: Json = {"type": "null"}
_WORD: Json = {"type": "string", "minLength": 1, "maxLength": WORD_LENGTH_MAX}
_REQUIRED = ("symbol", "timestamp_iso", "action")
_MEANING = {
    "symbol": "as the venue spells it, such as BTCUSDT",
    "timestamp_iso": "when the decision was taken, with a zone; the newest per symbol wins",
    "action": "flat closes nothing by itself unless the engine is told so (on_flat)",
    "reason": "for people; no effect",
    "entry_zone": "[min, max]; the entry rests where stop and reward allow it",
    "sl": "the initial stop",
    "tp1": "the first target; must pay at least twice the risk at the entry",
    "tp2": "the second target, or null for one target",
    "risk_level": "recorded and shown; no effect",
    "position_size_usdt": "notional of the position in the quote asset, not its margin",
    "leverage": "rounded down to a whole number where it is used",
    "confidence": "how sure the system is",
    "risk_checks": "each must be true; without the block no entry is placed",
    "position_management": "what happens once the position is open",
}


def schema() -> Json:
    """Return the schema (2020-12) as JSON values."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Decision",
        "description": "What a decision system writes. Numbers may be written as text. Unknown fields are ignored.",
        "type": "object",
        "required": list(_REQUIRED),
        "properties": {name: _told(name, shape) for name, shape in _always().items()},
        "if": {"properties": {"action": {"const": Action.FLAT.value}}},
        "then": {"properties": _of_flat()},
        "else": _of_entry(),
    }


def _told(name: str, shape: Json) -> Json:
    return {"description": _MEANING[name], **shape}


def _always() -> dict[str, Json]:
    """What holds for every action; the rest says only what it means here."""
    depends: dict[str, Json] = {name: {} for name in ("entry_zone", *PRICES, *OF_ENTRY)}
    return {
        "symbol": _WORD,
        "timestamp_iso": {"type": "string", "pattern": f"^{MOMENT}{ZONE}$"},
        "action": {"enum": [action.value for action in Action]},
        "reason": {"type": ["string", "null"]},
        **depends,
        "risk_level": or_null(number(RISK_LEVEL)),
        "risk_checks": {
            "type": ["object", "null"],
            "maxProperties": RISK_CHECKS_MAX,
            "propertyNames": _WORD,
            "additionalProperties": {"type": "boolean"},
        },
        "position_management": {
            "type": ["object", "null"],
            "properties": {
                "tp1_fraction": or_null(number(FRACTION)),
                "enable_trailing": {"type": ["boolean", "null"]},
                "trail_mode": {"enum": [*(mode.value for mode in TrailMode), None]},
                "liq_tp_zone_id": or_null(_WORD),
            },
        },
    }


def _of_entry() -> Json:
    amounts = {name: number(limit) for name, limit in OF_ENTRY.items()}
    prices = {name: number(ABOVE_ZERO) for name in PRICES}
    return {
        "required": ["entry_zone", *prices, *amounts],
        "properties": {
            "entry_zone": _zone(),
            **prices,
            "tp2": or_null(prices["tp2"]),
            **amounts,
        },
    }


def _of_flat() -> dict[str, Json]:
    amounts = {name: or_null(number(limit)) for name, limit in OF_FLAT.items()}
    prices = {name: or_null(number(None)) for name in PRICES}
    empty: Json = {"type": "array", "maxItems": 0}
    return {"entry_zone": {"anyOf": [_NULL, empty, _zone()]}, **prices, **amounts}


def _zone() -> Json:
    price = number(ABOVE_ZERO)
    return {"type": "array", "items": price, "minItems": 2, "maxItems": 2}


def number(limit: Limit | None) -> Json:
    """Return a number within its limit, or digits as text, whose value a schema cannot judge."""
    bound = 10 ** (EXPONENT_MAX + 1)
    written: Json = {"type": "number", "exclusiveMinimum": -bound, "exclusiveMaximum": bound}
    if limit is not None:
        written |= _ends(limit)
    text: Json = {"type": "string", "pattern": f"^{NUMBER}$", "maxLength": NUMBER_LENGTH_MAX}
    return {"anyOf": [written, text]}


def _ends(limit: Limit) -> Json:
    ends: Json = {"multipleOf": 1} if limit.whole else {}
    for name, end in (
        ("exclusiveMinimum", limit.above),
        ("minimum", limit.least),
        ("maximum", limit.most),
    ):
        if end is not None:
            ends[name] = int(end)
    return ends


def or_null(shape: Json) -> Json:
    """Return a shape that may also be null."""
    return {"anyOf": [_NULL, *shape.get("anyOf", [shape])]}
