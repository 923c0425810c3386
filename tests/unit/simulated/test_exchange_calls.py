"""Events that only tell: margin calls, the change of a margin mode, executions in short; trades of the account in public."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, step

from jumar.exchange.simulated.core.dialect.events import trade_lite
from jumar.exchange.simulated.core.terms import USUAL_TERMS

OTHER = "ETHUSDT"


def calls(floor: Floor) -> list[dict[str, Any]]:
    """The margin calls so far."""
    return [event for event in floor.events if event["e"] == "MARGIN_CALL"]


def crossed() -> Floor:
    """A small crossed account at 20x that is long 0.020."""
    floor = Floor(balance="120", terms=USUAL_TERMS)
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="20")
    floor.buy("0.020")
    floor.events.clear()
    return floor


def test_a_crossed_margin_call_names_the_wallet_and_every_position() -> None:
    """When four fifths of the margin must be there: once, with balance, mark, loss and what must be there."""
    floor = crossed()
    floor.advance(at("85000"))
    assert calls(floor) == []
    floor.advance(at("84440"))
    (call,) = calls(floor)
    (row,) = call["p"]
    assert (row["s"], row["ps"], row["pa"], row["mt"]) == (SYMBOL, "BOTH", "0.02", "CROSSED")
    assert (row["iw"], row["mp"]) == ("0", "84440")
    margin = Decimal(call["cw"]) + Decimal(row["up"])
    assert Decimal("0.8") < Decimal(row["mm"]) / margin < 1
    floor.advance(at("84430"))
    assert len(calls(floor)) == 1


def test_a_margin_call_is_repeated_after_relief() -> None:
    """Whoever came back below the threshold is told anew."""
    floor = crossed()
    for price in ("84440", "88000", "84440"):
        floor.advance(at(price))
    assert len(calls(floor)) == 2
    assert floor.position()["positionAmt"] == "0.02"


def test_another_position_is_called_anew() -> None:
    """A fall may liquidate in the step that calls; the call of the next position is another one."""
    floor = Floor(terms=USUAL_TERMS)
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="50")
    for number in (1, 2):
        floor.advance(at("90000"))
        floor.buy("0.020")
        floor.advance(at("88400"))
        assert floor.position()["positionAmt"] == "0"
        assert len(calls(floor)) == number
    told = [event.get("o", {}).get("x", event["e"]) for event in floor.events]
    assert told.index("MARGIN_CALL") < told.index("CALCULATED")


def test_an_isolated_margin_call_is_about_its_position_alone() -> None:
    """No cross wallet, and nothing of other symbols; each position is told for itself."""
    floor = Floor(terms=USUAL_TERMS)
    floor.advance(step(symbol=OTHER, bids=(("2999", "9"),), asks=(("3001", "9"),), mark="3000"))
    floor.ok("POST", "order", **{**floor.market("BUY", "0.100"), "symbol": OTHER})
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="50")
    floor.buy("0.020")
    floor.events.clear()
    floor.advance(at("88400"))
    (call,) = calls(floor)
    assert "cw" not in call
    (row,) = call["p"]
    assert (row["s"], row["mt"]) == (SYMBOL, "ISOLATED")
    assert Decimal(row["iw"]) > 0


def test_nobody_is_called_where_nobody_is_liquidated() -> None:
    """Plain terms do without."""
    floor = Floor()
    floor.ok("POST", "leverage", symbol=SYMBOL, leverage="50")
    floor.buy("0.020")
    floor.advance(at("80000"))
    assert calls(floor) == []


def test_a_change_of_margin_mode_is_told_with_its_reason() -> None:
    """ACCOUNT_UPDATE with MARGIN_TYPE_CHANGE, the balance as it is and the symbol's row in its new mode."""
    floor = Floor()
    floor.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    (event,) = floor.events
    assert (event["e"], event["a"]["m"]) == ("ACCOUNT_UPDATE", "MARGIN_TYPE_CHANGE")
    (balance,), (row,) = event["a"]["B"], event["a"]["P"]
    assert (balance["wb"], balance["cw"], balance["bc"]) == ("10000", "10000", "0")
    assert (row["s"], row["mt"], row["pa"], row["ps"]) == (SYMBOL, "cross", "0", "BOTH")


def test_in_hedge_mode_both_sides_change_their_margin_mode() -> None:
    """One event with a row for each side, before the symbol has a market too."""
    floor = Floor()
    floor.ok("POST", "positionSide/dual", dualSidePosition="true")
    floor.ok("POST", "marginType", symbol=OTHER, marginType="ISOLATED")
    rows = floor.events[-1]["a"]["P"]
    assert [(row["ps"], row["mt"]) for row in rows] == [("LONG", "isolated"), ("SHORT", "isolated")]


def test_the_short_form_of_an_execution() -> None:
    """TRADE_LITE has the execution's own fields and no others."""
    floor = Floor()
    floor.buy("0.020")
    update = next(event for event in floor.events if event.get("o", {}).get("x") == "TRADE")
    lite = trade_lite(update)
    assert lite["e"] == "TRADE_LITE"
    assert lite.keys() == {*"eETsqpmcSLlti"}
    assert {name: lite[name] for name in "sqpmcSLlti"} == {n: update["o"][n] for n in "sqpmcSLlti"}


def public(floor: Floor) -> list[tuple[str, str, bool]]:
    """The public trades: price, quantity, whether a seller took."""
    rows = floor.ok("GET", "trades", symbol=SYMBOL)
    return [(row["price"], row["qty"], row["isBuyerMaker"]) for row in rows]


def test_what_the_account_takes_is_public() -> None:
    """A market order that walks two levels is two public trades; volume and range know them, the last price does not."""
    floor = Floor()
    floor.advance(step(asks=(("90000.1", "0.005"), ("90005", "9"))))
    floor.buy("0.020")
    assert public(floor) == [("90000.1", "0.005", False), ("90005", "0.015", False)]
    (bar,) = floor.ok("GET", "klines", symbol=SYMBOL, interval="1m")
    assert (bar[2], bar[4], bar[5], bar[8]) == ("90005", "90000", "0.02", 2)
    assert floor.ok("GET", "ticker/price", symbol=SYMBOL)["price"] == "90000"


@pytest.mark.parametrize(
    ("prints", "seen"),
    [
        ((), [("89000", "0.01", True)]),
        ((("89000", "0.500"),), [("89000", "0.5", True), ("89000", "0.01", True)]),
    ],
)
def test_what_takes_from_a_resting_order_is_public(
    prints: tuple[tuple[str, str], ...], seen: list[tuple[str, str, bool]]
) -> None:
    """A book that crosses an order has traded with it, although no print told so."""
    floor = Floor()
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0"))
    crossing = step(bids=(("88000", "9"),), asks=(("88001", "9"),), prints=prints, last="89000")
    floor.advance(crossing)
    assert floor.position()["positionAmt"] == "0.01"
    assert public(floor) == seen


def test_a_print_that_fills_a_resting_order_is_one_trade() -> None:
    """What the market's own print gave is not told a second time."""
    floor = Floor()
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0"))
    floor.advance(step(prints=(("89980.0", "0.300"),)))
    assert floor.position()["positionAmt"] == "0.01"
    assert public(floor) == [("89980", "0.3", True)]


def test_what_auto_deleveraging_takes_is_no_trade_of_the_book() -> None:
    """It is told as a forced order, not among the trades."""
    floor = Floor()
    floor.buy("0.020")
    before = public(floor)
    floor.exchange.deleverage(SYMBOL, None, floor.now_ms)
    assert floor.position()["positionAmt"] == "0"
    assert public(floor) == before


def test_two_orders_of_the_account_that_meet_are_one_trade() -> None:
    """By the taker's side, at the maker's price."""
    floor = Floor()
    floor.advance(step(bids=(("89000", "9"),), asks=(("91000", "9"),)))
    none = {"selfTradePreventionMode": "NONE"}
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90500", **none))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "90600", **none))
    assert public(floor) == [("90500", "0.01", False)]
