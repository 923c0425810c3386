"""Whatever is asked in hedge mode and whatever the market does: two positions a symbol, and all the truths of one-way mode."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from tests.unit.simulated.floor import SYMBOL, Floor
from tests.unit.simulated.test_exchange_truth import (
    CONDITIONAL_ENDS,
    ORDER_ENDS,
    OTHER,
    SCALES,
    STORIES,
    Act,
    Story,
    agree,
    conserved,
    explained,
    folded,
    played,
)

HEDGED = STORIES.map(lambda story: replace(story, hedged=True))


@settings(max_examples=80, derandomize=True)
@given(story=HEDGED)
def test_the_stream_tells_what_rest_tells(story: Story) -> None:
    """Events taken together are the orders, both positions of each symbol and the balances that queries answer."""
    agree(played(story))


@settings(max_examples=80, derandomize=True)
@given(story=HEDGED)
def test_money_is_conserved_and_each_side_is_its_fills(story: Story) -> None:
    """To the last digit; LONG is never below zero, SHORT never above, and the two make up what the exchange holds."""
    floor = played(story)
    conserved(floor, story)
    explained(floor)
    for symbol in SCALES:
        rows = floor.ok("GET", "/fapi/v2/positionRisk", symbol=symbol)
        amounts = {row["positionSide"]: Decimal(row["positionAmt"]) for row in rows}
        assert amounts.keys() == {"LONG", "SHORT"}
        assert amounts["LONG"] >= 0 >= amounts["SHORT"]
        assert sum(amounts.values()) == floor.exchange.position(symbol)


@settings(max_examples=80, derandomize=True)
@given(story=HEDGED)
def test_what_reduces_never_waits_for_nothing(story: Story) -> None:
    """No reducing order rests without a position; every order ends once."""
    floor = played(story)
    held = {(symbol, side): amount for symbol in SCALES for side, amount in sides(floor, symbol)}
    for order in floor.ok("GET", "openOrders"):
        closes = (order["side"] == "SELL") == (order["positionSide"] == "LONG")
        assert order["reduceOnly"] == closes
        assert held[order["symbol"], order["positionSide"]] or not closes
    for (kind, _), states in folded(floor).lives.items():
        ends = ORDER_ENDS if kind == "order" else CONDITIONAL_ENDS
        assert states[0] == "NEW"
        assert not any(state in ends for state in states[:-1])


def sides(floor: Floor, symbol: str) -> list[tuple[str, Decimal]]:
    """Both positions of a symbol."""
    rows = floor.ok("GET", "/fapi/v2/positionRisk", symbol=symbol)
    return [(row["positionSide"], Decimal(row["positionAmt"])) for row in rows]


@pytest.mark.parametrize("account", ["plain", "usual", "small"])
def test_the_acts_reach_what_they_are_meant_to_reach(account: str) -> None:
    """A story of every act holds both sides at once, reduces both and fires for both, so that nothing above is empty."""
    acts: list[Act] = [
        ("market", SYMBOL, 0, 0, 1),
        ("market", SYMBOL, 1, 0, 1),
        ("market", OTHER, 0, 0, 2),  # the third: it would reduce, and there is nothing yet
        ("market", OTHER, 0, 0, 2),
        ("close", SYMBOL, 1, -2, 1),
        ("close", SYMBOL, 0, 2, 1),
        ("exit", OTHER, 1, 2, 1),
        ("step", SYMBOL, 1, 3, 9),
        ("step", SYMBOL, 1, -3, 9),
        ("step", OTHER, 1, 3, 9),
    ]
    floor = played(Story(acts, account, hedged=True))
    traded = {
        (trade["symbol"], trade["positionSide"], trade["side"])
        for symbol in SCALES
        for trade in floor.ok("GET", "userTrades", symbol=symbol)
    }
    assert {(SYMBOL, "LONG", "BUY"), (SYMBOL, "SHORT", "SELL"), (OTHER, "LONG", "SELL")} <= traded
    assert {(SYMBOL, "LONG", "SELL"), (SYMBOL, "SHORT", "BUY")} <= traded
