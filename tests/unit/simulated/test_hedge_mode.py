"""Hedge mode: LONG and SHORT of one symbol at once, each with orders, prices and margin of its own."""

import json
from decimal import Decimal

import pytest
from tests.unit.simulated.floor import SYMBOL, at
from tests.unit.simulated.hedged import HedgedFloor

from jumar.exchange.simulated.core.orders import PositionSide
from jumar.exchange.simulated.judge import LedgerError, judge


@pytest.fixture
def floor() -> HedgedFloor:
    """A fresh exchange in hedge mode at 90000; BTCUSDT isolated at 3x."""
    return HedgedFloor()


@pytest.fixture
def both(floor: HedgedFloor) -> HedgedFloor:
    """The same with 0.010 LONG from 90000.1 and 0.020 SHORT from 90999.9, at 91000."""
    floor.open("LONG", "0.010")
    floor.advance(at("91000.0"))
    floor.open("SHORT", "0.020")
    return floor


def test_both_sides_are_held_at_once(both: HedgedFloor) -> None:
    """Each has its own quantity, entry and profit; every version lists LONG and SHORT and never BOTH."""
    both.advance(at("91500.0"))
    sides = both.sides()
    assert sides.keys() == {"LONG", "SHORT"}
    assert (sides["LONG"]["positionAmt"], sides["SHORT"]["positionAmt"]) == ("0.01", "-0.02")
    assert (sides["LONG"]["entryPrice"], sides["SHORT"]["entryPrice"]) == ("90000.1", "90999.9")
    assert Decimal(sides["LONG"]["unRealizedProfit"]) == Decimal("14.999")
    assert Decimal(sides["SHORT"]["unRealizedProfit"]) == Decimal("-10.002")
    assert both.exchange.position(SYMBOL) == Decimal("-0.010")
    held = [("LONG", "0.01"), ("SHORT", "-0.02")]
    rows = both.ok("GET", "/fapi/v3/positionRisk")
    assert [(row["positionSide"], row["positionAmt"]) for row in rows] == held
    for version, symbols in ((2, 2), (3, 1)):
        answer = both.ok("GET", f"/fapi/v{version}/account")
        rows = [(row["positionSide"], row["positionAmt"]) for row in answer["positions"]]
        assert rows == [*held, *[("LONG", "0"), ("SHORT", "0")] * (symbols - 1)]
        assert Decimal(answer["totalUnrealizedProfit"]) == Decimal("4.997")


def test_a_side_without_position_has_a_row_while_it_has_orders(floor: HedgedFloor) -> None:
    """Version 3 shows a flat side for its open order, and only that side."""
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "91000.0", positionSide="SHORT"))
    (row,) = floor.ok("GET", "/fapi/v3/positionRisk")
    assert (row["positionSide"], row["positionAmt"]) == ("SHORT", "0")
    assert (row["askNotional"], row["bidNotional"]) == ("910", "0")
    assert Decimal(row["openOrderInitialMargin"]) == Decimal("303.33333333")
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0", positionSide="LONG"))
    rows = floor.ok("GET", "/fapi/v3/positionRisk")
    assert [(row["bidNotional"], row["askNotional"]) for row in rows] == [
        ("890", "0"),
        ("0", "910"),
    ]
    new = [event["o"] for event in floor.events if event["e"] == "ORDER_TRADE_UPDATE"]
    assert [(order["b"], order["a"]) for order in new] == [("0", "910"), ("890", "0")]


def test_a_side_is_reduced_by_the_opposite_order(both: HedgedFloor) -> None:
    """Selling LONG realizes its profit and leaves SHORT alone; what is sold beyond it is refused."""
    short = both.sides()["SHORT"]
    both.close("LONG", "0.004")
    assert both.held() == {"LONG": "0.006", "SHORT": "-0.02"}
    assert both.sides()["SHORT"] == short
    trade = both.ok("GET", "userTrades", symbol=SYMBOL)[-1]
    assert (trade["side"], trade["positionSide"], trade["realizedPnl"]) == (
        "SELL",
        "LONG",
        "3.9992",
    )
    sell = both.market("SELL", "0.007", positionSide="LONG")
    assert both.code("POST", "order", **sell) == -2022
    both.close("LONG", "0.006")
    assert both.held() == {"LONG": "0", "SHORT": "-0.02"}
    assert both.code("POST", "order", **{**sell, "quantity": "0.001"}) == -2022


@pytest.mark.parametrize("side", ["", "BOTH", "NET"])
@pytest.mark.parametrize("name", ["order", "order/test", "algoOrder", "positionMargin"])
def test_hedge_mode_asks_for_a_side(both: HedgedFloor, name: str, side: str) -> None:
    """-4061 without LONG or SHORT."""
    requests = {
        "order": both.market("BUY", "0.010"),
        "order/test": both.market("BUY", "0.010"),
        "algoOrder": both.stop("SELL", "89000.0"),
        "positionMargin": {"symbol": SYMBOL, "type": "1", "amount": "5"},
    }
    assert both.code("POST", name, **requests[name], positionSide=side) == -4061


@pytest.mark.parametrize("value", ["true", "false"])
def test_hedge_mode_takes_no_reduce_only(both: HedgedFloor, value: str) -> None:
    """-1106 with the parameter's name, on orders and conditional orders; in a batch as one of its answers."""
    close = {**both.market("SELL", "0.010", positionSide="LONG"), "reduceOnly": value}
    stop = both.stop("SELL", "89000.0", quantity="0.010", positionSide="LONG", reduceOnly=value)
    for name, wish in (("order", close), ("algoOrder", stop)):
        reply = both.request("POST", name, **wish)
        assert reply.body["code"] == -1106
        assert reply.body["msg"] == "Parameter 'reduceonly' sent when not required."
    (answer,) = both.ok("POST", "batchOrders", batchOrders=json.dumps([close]))
    assert answer["code"] == -1106


def test_what_reduces_says_so(both: HedgedFloor) -> None:
    """`reduceOnly` is told as true of an order that closes, as real answers show, and as false of one that opens."""
    close = both.ok("POST", "order", **both.limit("SELL", "0.010", "92000.0", positionSide="LONG"))
    more = both.ok("POST", "order", **both.limit("BUY", "0.010", "90000.0", positionSide="LONG"))
    assert [(row["reduceOnly"], row["positionSide"]) for row in (close, more)] == [
        (True, "LONG"),
        (False, "LONG"),
    ]


def test_resting_closes_share_their_position(both: HedgedFloor) -> None:
    """Together they are no larger than it: the new one is -4118, and both go with the position; SHORT's stay."""
    both.ok("POST", "order", **both.limit("SELL", "0.006", "92000.0", positionSide="LONG"))
    worse = both.limit("SELL", "0.006", "93000.0", positionSide="LONG")
    assert both.code("POST", "order", **worse) == -4118
    fitting = {**worse, "quantity": "0.004"}
    number = str(both.ok("POST", "order", **fitting)["orderId"])
    larger = {"symbol": SYMBOL, "side": "SELL", "orderId": number, "price": "93000.0"}
    assert both.code("PUT", "order", **larger, quantity="0.011") == -2022
    both.ok("POST", "order", **both.limit("BUY", "0.020", "90000.0", positionSide="SHORT"))
    both.close("LONG", "0.010")
    (left,) = both.ok("GET", "openOrders")
    assert (left["positionSide"], left["side"]) == ("SHORT", "BUY")


def test_the_mode_is_changed_while_nothing_is_held_or_waits(floor: HedgedFloor) -> None:
    """-4067 with an order or a conditional order, -4068 with a position of either side; settings outlive the change."""
    back = {"dualSidePosition": "false"}
    assert floor.code("POST", "positionSide/dual", dualSidePosition="true") == -4059
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "91000.0", positionSide="SHORT"))
    assert floor.code("POST", "positionSide/dual", **back) == -4067
    floor.ok("DELETE", "allOpenOrders", symbol=SYMBOL)
    stop = floor.stop("BUY", "92000.0", quantity="0.010", positionSide="LONG")
    del stop["reduceOnly"]
    floor.ok("POST", "algoOrder", **stop)
    assert floor.code("POST", "positionSide/dual", **back) == -4067
    floor.ok("DELETE", "algoOpenOrders", symbol=SYMBOL)
    floor.open("SHORT", "0.010")
    assert floor.code("POST", "positionSide/dual", **back) == -4068
    floor.close("SHORT", "0.010")
    floor.ok("POST", "positionSide/dual", **back)
    row = floor.position()
    assert (row["positionSide"], row["marginType"], row["leverage"]) == ("BOTH", "isolated", "3")
    floor.buy("0.010")
    assert floor.position()["positionAmt"] == "0.01"


def test_the_mode_waits_for_what_is_on_its_way() -> None:
    """-4067 while a fired order has not reached the engine: it would meet another mode."""
    floor = HedgedFloor(reading="triggering_ms=1000")
    stop = floor.stop("BUY", "92000.0", quantity="0.010", positionSide="LONG")
    del stop["reduceOnly"]
    floor.ok("POST", "algoOrder", **stop)
    floor.advance(at("92500.0"))
    assert floor.ok("GET", "openAlgoOrders") == []
    assert floor.code("POST", "positionSide/dual", dualSidePosition="false") == -4067


def test_settings_are_shared_by_both_sides(both: HedgedFloor) -> None:
    """Leverage is one for the symbol and does not fall while either is isolated; the margin mode waits for both."""
    both.close("LONG", "0.010")
    assert both.code("POST", "leverage", symbol=SYMBOL, leverage="2") == -4161
    assert both.code("POST", "marginType", symbol=SYMBOL, marginType="CROSSED") == -4048
    both.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
    assert [row["leverage"] for row in both.sides().values()] == ["5", "5"]
    both.close("SHORT", "0.020")
    both.ok("POST", "marginType", symbol=SYMBOL, marginType="CROSSED")
    assert [row["marginType"] for row in both.sides().values()] == ["cross", "cross"]


def test_margin_is_moved_to_the_side_that_is_named(both: HedgedFloor) -> None:
    """Each side has its own isolated wallet; the history says whose it was."""
    before = {side: Decimal(row["isolatedWallet"]) for side, row in both.sides().items()}
    move = {"symbol": SYMBOL, "type": "1", "amount": "50"}
    both.ok("POST", "positionMargin", **move, positionSide="SHORT")
    after = {side: Decimal(row["isolatedWallet"]) for side, row in both.sides().items()}
    assert after == {"LONG": before["LONG"], "SHORT": before["SHORT"] + 50}
    (row,) = both.ok("GET", "positionMargin/history", symbol=SYMBOL)
    assert (row["positionSide"], row["amount"]) == ("SHORT", "50")


def test_orders_of_both_sides_meet(both: HedgedFloor) -> None:
    """A LONG buy and a SHORT sell are orders of one account: the taker's mode decides, and with NONE both are filled."""
    rest = both.limit("SELL", "0.010", "91000.0", positionSide="SHORT")
    both.ok("POST", "order", **rest)
    take = both.limit("BUY", "0.010", "91000.0", positionSide="LONG", timeInForce="IOC")
    none = {**take, "selfTradePreventionMode": "NONE"}
    answer = both.ok("POST", "order", **none, newOrderRespType="RESULT")
    assert answer["status"] == "FILLED"
    assert both.held() == {"LONG": "0.02", "SHORT": "-0.03"}
    both.ok("POST", "order", **rest)
    both.ok("POST", "order", **take)
    assert both.held() == {"LONG": "0.02", "SHORT": "-0.03"}
    assert both.ok("GET", "openOrders") == []


def test_a_countdown_takes_orders_of_both_sides(both: HedgedFloor) -> None:
    """It is the symbol's, as is the cancel of all."""
    both.ok("POST", "order", **both.limit("BUY", "0.010", "80000.0", positionSide="LONG"))
    both.ok("POST", "order", **both.limit("SELL", "0.010", "95000.0", positionSide="SHORT"))
    both.ok("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime="50")
    both.advance(at("91000.0"), ms=100)
    assert both.ok("GET", "openOrders") == []


def test_the_stream_names_the_side(both: HedgedFloor) -> None:
    """ORDER_TRADE_UPDATE, ACCOUNT_UPDATE and ALGO_UPDATE carry it as `ps`."""
    both.events.clear()
    both.ok("POST", "algoOrder", **both.stop("BUY", "92000.0", positionSide="SHORT"))
    both.close("LONG", "0.010")
    algo, new, account, fill = both.events
    assert (algo["o"]["ps"], new["o"]["ps"], fill["o"]["ps"]) == ("SHORT", "LONG", "LONG")
    assert [(row["ps"], row["pa"]) for row in account["a"]["P"]] == [("LONG", "0")]


def test_records_name_the_side_in_hedge_mode_only(both: HedgedFloor) -> None:
    """Orders, fills and positions carry `position_side`; nothing of one-way mode does, and the judge refuses to judge."""
    both.ok("POST", "algoOrder", **both.stop("BUY", "92000.0", positionSide="SHORT"))
    told = {record["kind"] for record in both.records if "position_side" in record}
    assert told == {"order", "fill", "position", "conditional"}
    (stop,) = both.kinds("conditional")
    assert stop["position_side"] == "SHORT"
    with pytest.raises(LedgerError, match="hedge mode"):
        judge(both.records)


def test_auto_deleveraging_takes_the_side_that_is_named(both: HedgedFloor) -> None:
    """Nothing when no side is named; the quantiles tell of both."""
    assert not both.exchange.deleverage(SYMBOL, None, both.now_ms)
    taken = both.exchange.deleverage(SYMBOL, Decimal("0.005"), both.now_ms, PositionSide.SHORT)
    assert taken == Decimal("0.005")
    assert both.held() == {"LONG": "0.01", "SHORT": "-0.015"}
    (row,) = both.ok("GET", "forceOrders", autoCloseType="ADL")
    assert (row["positionSide"], row["side"]) == ("SHORT", "BUY")
    (told,) = both.ok("GET", "adlQuantile")
    assert told["adlQuantile"].keys() == {"LONG", "SHORT", "BOTH"}
    assert told["adlQuantile"]["LONG"] > told["adlQuantile"]["SHORT"] > 0
