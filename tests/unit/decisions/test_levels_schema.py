"""The schema of levels and their decoder agree: what is accepted is valid, what has a wrong shape is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from tests.unit.decisions.test_levels_decode import EXAMPLE, JSON, MAPPED, SWING, ZONE, without
from tests.unit.decisions.validator import is_valid

from jumar.decisions.levels import decode_levels
from jumar.decisions.levels_schema import levels_schema

SCHEMA = levels_schema()
BARE = without(EXAMPLE, "liquidation_zones")


def accepted(content: object) -> bool:
    """Whether the decoder takes all of it."""
    found = decode_levels(json.dumps(content).encode(), symbols=("BTCUSDT",))
    return bool(found) and all(received.levels is not None for received in found)


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    "content",
    [
        EXAMPLE,
        without(EXAMPLE, "symbol"),
        EXAMPLE | {"swings": None, "new": 1},
        EXAMPLE | {"swings": {"1h": {"lows": None}, "1w": None}},
        EXAMPLE
        | {"liquidation_zones": [{**ZONE, "side": "LONG", "price": None, "zone": ["1", "1e2"]}]},
        BARE | {"above_price": [MAPPED], "below_price": []},
        BARE | {"liquidation_map": {"above_price": [MAPPED]}},
        {"as_of": EXAMPLE["as_of"], "symbols": {"BTCUSDT": {"swings": None}}},
        {"symbols": {"BTCUSDT": EXAMPLE}},
    ],
)
def test_good_levels_are_valid(content: object) -> None:
    """Both shapes of zones, one symbol or several, what may be left out."""
    assert accepted(content)
    assert is_valid(json.dumps(content), SCHEMA)


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    "content",
    [
        [],
        without(EXAMPLE, "as_of"),
        EXAMPLE | {"as_of": "2025-12-05T10:04:00"},
        EXAMPLE | {"swings": {"7m": {}}},
        EXAMPLE | {"swings": {"15m": {"lows": [{**SWING, "confirmed": 1}]}}},
        EXAMPLE | {"swings": {"15m": {"lows": [{**SWING, "price": 0}]}}},
        EXAMPLE | {"liquidation_zones": [MAPPED]},
        EXAMPLE | {"liquidation_zones": [{**ZONE, "strength": 1.1}]},
        EXAMPLE | {"liquidation_zones": [{**ZONE, "side": "buy"}]},
        EXAMPLE | {"liquidation_zones": [{**ZONE, "zone": [1, 2, 3]}]},
        {"symbols": {"BTCUSDT": []}, "as_of": EXAMPLE["as_of"]},
    ],
)
def test_what_has_a_wrong_shape_is_not(content: Any) -> None:
    """What the decoder refuses for its shape is refused by a validator, too."""
    assert not accepted(content)
    assert not is_valid(json.dumps(content), SCHEMA)


@given(content=JSON)
def test_what_is_accepted_is_valid(content: object) -> None:
    """A validator never refuses good levels."""
    if accepted(content):
        assert is_valid(json.dumps(content), SCHEMA)
