"""Conditional orders in hedge mode: each belongs to LONG or SHORT, fires for it and goes with it."""

from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, at, statuses
from tests.unit.simulated.hedged import HedgedFloor


def both(reading: str = "") -> HedgedFloor:
    """0.010 LONG and 0.020 SHORT from about 90000."""
    floor = HedgedFloor(reading=reading)
    floor.open("LONG", "0.010")
    floor.open("SHORT", "0.020")
    return floor


def sided(of: str, trigger: str, name: str, /, **params: str) -> dict[str, str]:
    """Parameters of a mark-price stop that closes (part of) a side."""
    wish = {
        "symbol": SYMBOL,
        "algoType": "CONDITIONAL",
        "type": "STOP_MARKET",
        "workingType": "MARK_PRICE",
        "side": "SELL" if of == "LONG" else "BUY",
        "positionSide": of,
        "triggerPrice": trigger,
        "clientAlgoId": name,
    }
    size = {} if "quantity" in params else {"closePosition": "true"}
    return {**wish, **size, **params}


def test_a_stop_reduces_its_own_side() -> None:
    """A fall fires LONG's stop, which sells its quantity; SHORT and its stop stay."""
    floor = both()
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "long", quantity="0.004"))
    floor.ok("POST", "algoOrder", **sided("SHORT", "91000.0", "short", quantity="0.020"))
    floor.advance(at("88900.0"))
    assert floor.held() == {"LONG": "0.006", "SHORT": "-0.02"}
    (row,) = floor.ok("GET", "openAlgoOrders")
    assert (row["positionSide"], row["reduceOnly"]) == ("SHORT", True)
    child = floor.ok("GET", "allOrders", symbol=SYMBOL)[-1]
    assert (child["positionSide"], child["side"], child["status"]) == ("LONG", "SELL", "FILLED")
    floor.advance(at("91500.0"))
    assert floor.held() == {"LONG": "0.006", "SHORT": "0"}


def test_a_stop_may_open_a_side() -> None:
    """BUY for LONG opens when the price rises; it is told as not reduce-only."""
    floor = both()
    answer = floor.ok(
        "POST", "algoOrder", **sided("LONG", "91000.0", "more", side="BUY", quantity="0.010")
    )
    assert answer["reduceOnly"] is False
    floor.advance(at("91000.0"))
    assert floor.held() == {"LONG": "0.02", "SHORT": "-0.02"}


def test_each_side_has_its_own_close_position() -> None:
    """One stop and one take profit a side; a second one of the same kind is -4130, the other side's is not."""
    floor = both()
    for side, stop, profit in (("LONG", "89000.0", "91000.0"), ("SHORT", "92000.0", "88000.0")):
        floor.ok("POST", "algoOrder", **sided(side, stop, f"s-{side}"))
        profits = sided(side, profit, f"p-{side}", type="TAKE_PROFIT_MARKET")
        floor.ok("POST", "algoOrder", **profits)
    assert floor.code("POST", "algoOrder", **sided("LONG", "88500.0", "again")) == -4130
    floor.advance(at("91100.0"))
    assert floor.held() == {"LONG": "0", "SHORT": "-0.02"}
    assert statuses(floor, "p-LONG")[-1] == "FINISHED"
    assert statuses(floor, "s-LONG")[-1] == "EXPIRED"
    waiting = floor.ok("GET", "openAlgoOrders")
    assert {row["clientAlgoId"] for row in waiting} == {"s-SHORT", "p-SHORT"}


@pytest.mark.parametrize(
    "terms", [{"side": "BUY"}, {"side": "BUY", "quantity": "0.010", "timeInForce": "GTE_GTC"}]
)
def test_what_needs_a_position_cannot_open_one(terms: dict[str, str]) -> None:
    """A closePosition or GTE_GTC order that buys LONG has no position to close: -4509."""
    assert both().code("POST", "algoOrder", **sided("LONG", "91000.0", "odd", **terms)) == -4509


def test_what_needs_a_position_goes_with_its_side() -> None:
    """Closing LONG by hand expires its GTE_GTC stop; SHORT's stays, and LONG takes no new one (-4509)."""
    floor = both()
    bound: dict[str, Any] = {"quantity": "0.010", "timeInForce": "GTE_GTC"}
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "long", **bound))
    floor.ok("POST", "algoOrder", **sided("SHORT", "91000.0", "short", **bound))
    floor.close("LONG", "0.010")
    assert statuses(floor, "long")[-1] == "EXPIRED"
    assert statuses(floor, "short") == ["NEW"]
    assert floor.code("POST", "algoOrder", **sided("LONG", "89000.0", "late", **bound)) == -4509


@pytest.mark.parametrize(
    ("reading", "held", "end"),
    [("", "0", "FINISHED"), ("oversize_stop=reject", "0.01", "REJECTED")],
)
def test_a_stop_larger_than_its_side(reading: str, held: str, end: str) -> None:
    """It is cut to the position or rejected when it fires, as the reading says; it never turns the side."""
    floor = both(reading)
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "large", quantity="0.015"))
    floor.advance(at("88900.0"))
    assert floor.held() == {"LONG": held, "SHORT": "-0.02"}
    assert statuses(floor, "large")[-1] == end


def test_a_stop_without_its_side_is_rejected() -> None:
    """It waits on when the position has gone, and finds nothing to reduce when it fires."""
    floor = both()
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "orphan", quantity="0.010"))
    floor.close("LONG", "0.010")
    floor.advance(at("88900.0"))
    assert statuses(floor, "orphan")[-1] == "REJECTED"
    assert floor.kinds("conditional")[-1]["reason"] == "Reduce Only reject"


def test_two_closing_orders_of_one_step_never_turn_a_side() -> None:
    """Where one-way mode may turn a position, the second one finds LONG closed and is rejected."""
    floor = both("closeposition_may_reverse=yes")
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "first", quantity="0.010"))
    floor.ok("POST", "algoOrder", **sided("LONG", "88900.0", "second"))
    floor.advance(at("88000.0"))
    assert floor.held() == {"LONG": "0", "SHORT": "-0.02"}
    assert (statuses(floor, "first")[-1], statuses(floor, "second")[-1]) == (
        "FINISHED",
        "REJECTED",
    )


def test_a_stop_that_opens_a_side_stands_beside_one_that_closes_the_other() -> None:
    """Selling LONG and selling SHORT are no rivals, not even where a closePosition order tolerates none beside it."""
    floor = both("quantity_stop_beside_closeposition=reject")
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "close"))
    more = sided("SHORT", "89000.0", "more", side="SELL", quantity="0.010")
    floor.ok("POST", "algoOrder", **more)
    part = sided("LONG", "88000.0", "part", quantity="0.005")
    assert floor.code("POST", "algoOrder", **part) == -4130


def test_a_side_is_seen_some_time_after_it_opened() -> None:
    """The lag of the conditional orders' service counts from the opening of the side that is meant."""
    floor = both("gte_lag_ms=100")
    floor.advance(at("90000.0"), ms=200)
    floor.close("LONG", "0.010")
    floor.open("LONG", "0.010")
    assert floor.code("POST", "algoOrder", **sided("LONG", "89000.0", "early")) == -4509
    floor.ok("POST", "algoOrder", **sided("SHORT", "91000.0", "other"))
    floor.advance(at("90000.0"), ms=200)
    floor.ok("POST", "algoOrder", **sided("LONG", "89000.0", "late"))


def test_a_trailing_stop_follows_the_price_for_its_side() -> None:
    """SHORT's trails the lowest price and buys it back; LONG is not touched."""
    floor = both()
    trail = sided("SHORT", "", "trail", quantity="0.020", type="TRAILING_STOP_MARKET")
    floor.ok("POST", "algoOrder", **trail, callbackRate="1")
    floor.advance(at("89000.0"))
    assert floor.held() == {"LONG": "0.01", "SHORT": "-0.02"}
    floor.advance(at("89900.0"))
    assert floor.held() == {"LONG": "0.01", "SHORT": "0"}
