"""The schema and the decoder agree: what is accepted is valid, and what has a wrong shape is not."""

import json
from collections.abc import Iterator

import pytest
from tests.hostile import EXAMPLE, HAND_MADE, SHORT, STRANGE, changed, drawn
from tests.unit.decisions import validator

from jumar.decisions.decode import decode
from jumar.decisions.schema import schema
from jumar.decisions.shape import OF_ENTRY, OF_FLAT, PRICES
from jumar.model.decision import Action, TrailMode

SCHEMA = schema()


def is_valid(text: bytes | str) -> bool:
    """Whether a JSON text is valid."""
    return validator.is_valid(text, SCHEMA)


def contents() -> Iterator[bytes]:
    """Everything at hand, good and bad."""
    yield EXAMPLE.encode()
    yield changed(**SHORT).encode()
    yield from STRANGE
    yield from (data for _, data in HAND_MADE)
    yield from drawn(7, 1500)


@pytest.mark.rule("D-9")
@pytest.mark.parametrize(
    "content",
    [
        EXAMPLE,
        changed(**SHORT),
        changed(tp2=None, reason=..., risk_level=..., risk_checks=..., position_management=...),
        changed(sl="90380.00", position_size_usdt="1.2e3", entry_zone=["90700", 90900]),
        changed(action="flat", entry_zone=[], sl=None, tp1=None, tp2=None, leverage=0),
        changed(action="flat", entry_zone=..., sl=..., tp1=..., tp2=..., confidence=...),
        changed(weather={"wind": 3}, position_management={"trail_mode": None}),
    ],
)
def test_a_good_decision_is_valid(content: str) -> None:
    """The specification's example and its variants are valid, and the decoder accepts them."""
    assert is_valid(content)
    assert decode(content.encode(), account="main", symbols=("BTCUSDT",)).errors == ()


@pytest.mark.rule("D-9")
@pytest.mark.parametrize(
    "fields",
    [
        {"symbol": ...},
        {"timestamp_iso": "2025-12-05T10:05:00"},
        {"timestamp_iso": 1764929100},
        {"action": "buy"},
        {"entry_zone": [90700]},
        {"entry_zone": [90700, 90800, 90900]},
        {"entry_zone": []},
        {"sl": None},
        {"sl": True},
        {"sl": "90,380"},
        {"sl": 0},
        {"tp2": ...},
        {"position_size_usdt": 0},
        {"leverage": 0.5},
        {"confidence": 1.1},
        {"risk_level": 2.5},
        {"risk_checks": {"session_ok": 1}},
        {"risk_checks": {str(n): True for n in range(33)}},
        {"position_management": {"tp1_fraction": 0}},
        {"position_management": {"trail_mode": "atr"}},
        {"position_management": []},
        {"action": "flat", "entry_zone": [1]},
        {"action": "flat", "position_size_usdt": -1},
    ],
)
def test_a_wrong_shape_is_not_valid(fields: dict[str, object]) -> None:
    """What has a wrong shape is refused by the schema as by the decoder."""
    assert not is_valid(changed(**fields))
    assert decode(changed(**fields).encode(), account="main", symbols=("BTCUSDT",)).errors


@pytest.mark.rule("D-9")
def test_what_the_decoder_accepts_is_valid() -> None:
    """The schema never refuses a good decision: shown by everything at hand that the decoder accepts."""
    accepted = 0
    for data in contents():
        received = decode(data, account="main", symbols=("BTCUSDT", "DOGEUSDT"))
        if received.decision is not None:
            accepted += 1
            assert is_valid(data.decode("utf-8-sig")), data[:500]
    assert accepted > 100


@pytest.mark.rule("D-9")
def test_the_schema_has_every_field() -> None:
    """Amounts, prices, actions and modes are the decoder's own; a new one appears by itself."""
    properties = SCHEMA["properties"]
    assert set(properties) >= {*OF_ENTRY, *OF_FLAT, *PRICES}
    assert properties["action"]["enum"] == [action.value for action in Action]
    modes = properties["position_management"]["properties"]["trail_mode"]["enum"]
    assert modes == [*(mode.value for mode in TrailMode), None]
    assert all(shape["description"] for shape in properties.values())
    json.dumps(SCHEMA)
