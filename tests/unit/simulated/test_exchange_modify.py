"""Modification, batches, countdown, test orders and how long a query remembers."""

import json
from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, step

from jumar.exchange.simulated.core import modify

DAY_MS = 86_400_000


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


def put(floor: Floor, price: str, quantity: str = "0.010", /, **params: str) -> dict[str, str]:
    """Parameters of a modification of the order `e`."""
    wish = {"symbol": SYMBOL, "side": "BUY", "price": price, "quantity": quantity}
    return {"origClientOrderId": "e", **wish, **params}


def enter(floor: Floor, price: str = "89990.0", **params: str) -> dict[str, Any]:
    """A resting buy of 0.010 named `e`."""
    order = floor.limit("BUY", "0.010", price, newClientOrderId="e", **params)
    answer: dict[str, Any] = floor.ok("POST", "order", **order)
    return answer


def test_a_modification_changes_price_and_quantity_and_is_told(floor: Floor) -> None:
    """The answer has `pair` and the echoed `modifyId`; the stream an AMENDMENT with `M`; the id stays."""
    placed = enter(floor)
    floor.events.clear()
    answer = floor.ok("PUT", "order", **put(floor, "89980.0", "0.020", modifyId="44"))
    assert (answer["orderId"], answer["price"], answer["origQty"]) == (
        placed["orderId"],
        "89980",
        "0.02",
    )
    assert (answer["pair"], answer["modifyId"], answer["status"]) == (SYMBOL, 44, "NEW")
    (event,) = floor.events
    assert (event["o"]["x"], event["o"]["X"], event["o"]["M"]) == ("AMENDMENT", "NEW", "44")
    last = floor.kinds("order")[-1]
    assert (last["price"], last["quantity"], last["by"]) == ("89980", "0.02", "client")


def test_the_history_of_modifications_is_newest_first(floor: Floor) -> None:
    """Before and after of price and quantity, and the number of the modification."""
    enter(floor)
    floor.ok("PUT", "order", **put(floor, "89980.0"))
    floor.ok("PUT", "order", **put(floor, "89980.0", "0.020", modifyId="7"))
    second, first = floor.ok("GET", "orderAmendment", symbol=SYMBOL, origClientOrderId="e")
    assert first["amendment"]["price"] == {"before": "89990", "after": "89980"}
    assert second["amendment"]["origQty"] == {"before": "0.01", "after": "0.02"}
    assert (second["amendment"]["count"], second["amendment"]["modifyId"]) == (2, 7)
    assert "modifyId" not in first["amendment"]
    assert floor.ok("GET", "orderAmendment", symbol=SYMBOL, orderId="5") == []
    assert len(floor.ok("GET", "orderAmendment", symbol=SYMBOL, limit="1")) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"price": ""}, -1102),
        ({"quantity": ""}, -1102),
        ({"side": "SELL"}, -1117),
        ({"origClientOrderId": "none"}, -2013),
        ({"origClientOrderId": ""}, -1102),
        ({"price": "89990.0"}, -5027),
        ({"price": "89980.05"}, -4014),
        ({"price": "94600.0"}, -4016),
        ({"quantity": "0.0005"}, -1111),
        ({"price": "45000.0", "quantity": "0.001"}, -5029),
        ({"quantity": "5"}, -2027),
        ({"quantity": "1"}, -2019),
        ({"reduceOnly": "true"}, -5047),
        ({"priceMatch": "QUEUE"}, -1106),
        ({"price": "", "priceMatch": "OPPONENT_20"}, -5037),
    ],
)
def test_a_refused_modification_leaves_the_order_as_it_was(
    floor: Floor, change: dict[str, str], code: int
) -> None:
    """Each fault has its code; price and quantity stay."""
    enter(floor)
    if code == -2027:
        floor.ok("POST", "leverage", symbol=SYMBOL, leverage="125")
    assert floor.code("PUT", "order", **{**put(floor, "89980.0"), **change}) == code
    (row,) = floor.ok("GET", "openOrders")
    assert (row["price"], row["origQty"]) == ("89990", "0.01")


def test_only_a_modification_beyond_the_limit_is_refused(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last allowed modification the next is -5026."""
    monkeypatch.setattr(modify, "MOST", 2)
    enter(floor)
    floor.ok("PUT", "order", **put(floor, "89980.0"))
    floor.ok("PUT", "order", **put(floor, "89970.0"))
    assert floor.code("PUT", "order", **put(floor, "89960.0")) == -5026


def test_a_post_only_order_that_would_take_is_cancelled_by_its_modification(floor: Floor) -> None:
    """GTX moved to the ask: cancelled, not executed."""
    enter(floor, timeInForce="GTX")
    assert floor.ok("PUT", "order", **put(floor, "90000.1"))["status"] == "CANCELED"
    assert not floor.kinds("fill")


def test_a_resting_order_moved_across_the_book_takes(floor: Floor) -> None:
    """A GTC moved beyond the ask executes at the ask."""
    enter(floor)
    floor.ok("PUT", "order", **put(floor, "90010.0"))
    (fill,) = floor.kinds("fill")
    assert (fill["price"], fill["maker"]) == ("90000.1", False)


def test_a_modification_may_take_its_price_from_the_book(floor: Floor) -> None:
    """A price match stands in place of the price and is echoed."""
    enter(floor)
    answer = floor.ok("PUT", "order", **put(floor, "", priceMatch="QUEUE"))
    assert (answer["price"], answer["priceMatch"]) == ("89999.9", "QUEUE")


def test_a_partly_filled_order_cut_to_what_it_filled_is_cancelled(floor: Floor) -> None:
    """New quantity at or below the executed one ends the order; above it the rest goes on."""
    enter(floor)
    floor.advance(step(bids=(("89980.0", "1"),), asks=(("89990.0", "0.004"), ("90000.0", "9"))))
    floor.ok("PUT", "order", **put(floor, "89980.0", "0.008"))
    (row,) = floor.ok("GET", "openOrders")
    assert (row["origQty"], row["executedQty"], row["status"]) == (
        "0.008",
        "0.004",
        "PARTIALLY_FILLED",
    )
    answer = floor.ok("PUT", "order", **put(floor, "89980.0", "0.004"))
    assert (answer["status"], answer["executedQty"]) == ("CANCELED", "0.004")


def test_a_modified_order_loses_its_place(floor: Floor) -> None:
    """Of two orders at one price the one that was modified comes last."""
    enter(floor)
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0", newClientOrderId="f"))
    floor.ok("PUT", "order", **put(floor, "89990.0", "0.012"))
    floor.advance(step(bids=(("89980.0", "1"),), asks=(("89990.0", "0.005"), ("90000.0", "9"))))
    assert [fill["client_id"] for fill in floor.kinds("fill")] == ["f"]


def test_a_market_orders_child_cannot_be_modified_and_reduce_only_may_be_said(
    floor: Floor,
) -> None:
    """A reduce-only order may be modified as such, below the minimum notional too."""
    floor.buy("0.010")
    order = floor.limit("SELL", "0.010", "90500.0", newClientOrderId="e", reduceOnly="true")
    floor.ok("POST", "order", **order)
    wish = put(floor, "45000.0", "0.001", side="SELL", reduceOnly="true")
    floor.advance(at("45000.0"))
    assert floor.code("PUT", "order", **{**wish, "quantity": "0"}) == -4003
    floor.ok("PUT", "order", **{**wish, "price": "45010.0"})


def batch(*orders: dict[str, Any]) -> str:
    """The JSON text of a batch."""
    return json.dumps(orders)


def test_a_batch_is_answered_in_its_order_with_errors_in_their_places(floor: Floor) -> None:
    """One refused element of three: 200, the other two rest, the refusal is recorded."""
    good = floor.limit("BUY", "0.010", "89000.0")
    rows = batch(
        {**good, "newClientOrderId": "a"},
        {**good, "price": "89000.05", "newClientOrderId": "b"},
        {**good, "newClientOrderId": "c", "reduceOnly": False, "quantity": 0.01},
    )
    first, second, third = floor.ok("POST", "batchOrders", batchOrders=rows)
    assert (first["clientOrderId"], third["clientOrderId"]) == ("a", "c")
    assert (second["code"], "msg" in second) == (-4014, True)
    assert first["selfTradePreventionMode"] == "NONE"
    (refused,) = floor.kinds("refused")
    assert (refused["client_id"], refused["code"]) == ("b", -4014)
    assert [row["clientOrderId"] for row in floor.ok("GET", "openOrders")] == ["a", "c"]


def test_a_batch_modifies_and_cancels(floor: Floor) -> None:
    """PUT takes elements like those of a single modification, DELETE a list of ids or client ids."""
    good = floor.limit("BUY", "0.010", "89000.0")
    rows = batch(*({**good, "newClientOrderId": name} for name in "abc"))
    placed = floor.ok("POST", "batchOrders", batchOrders=rows)
    wish = {"symbol": SYMBOL, "side": "BUY", "price": "88000.0", "quantity": "0.010"}
    moved = floor.ok(
        "PUT",
        "batchOrders",
        batchOrders=batch({**wish, "orderId": placed[0]["orderId"]}, {**wish, "orderId": 5}),
    )
    assert (moved[0]["price"], moved[1]["code"]) == ("88000", -2013)
    ids = json.dumps([placed[0]["orderId"], 5])
    gone = floor.ok("DELETE", "batchOrders", symbol=SYMBOL, orderIdList=ids)
    assert (gone[0]["status"], gone[1]["code"]) == ("CANCELED", -2011)
    names = json.dumps(["b", "c"])
    gone = floor.ok("DELETE", "batchOrders", symbol=SYMBOL, origClientOrderIdList=names)
    assert [row["status"] for row in gone] == ["CANCELED", "CANCELED"]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("POST", {"batchOrders": "[]"}, -4082),
        ("POST", {"batchOrders": json.dumps([{}] * 6)}, -4082),
        ("POST", {"batchOrders": "{}"}, -1102),
        ("POST", {"batchOrders": "[1]"}, -1102),
        ("POST", {"batchOrders": "no json"}, -1102),
        ("POST", {}, -1102),
        ("DELETE", {"symbol": SYMBOL}, -1102),
        ("DELETE", {"symbol": SYMBOL, "orderIdList": json.dumps(list(range(11)))}, -1102),
    ],
)
def test_a_batch_that_is_none_is_refused_whole(
    floor: Floor, method: str, params: dict[str, str], code: int
) -> None:
    """Wrong number, wrong form, nothing at all."""
    assert floor.code(method, "batchOrders", **params) == code


def count_down(floor: Floor, ms: int) -> Any:
    """Start the countdown of the symbol."""
    return floor.ok("POST", "countdownCancelAll", symbol=SYMBOL, countdownTime=str(ms))


def test_a_countdown_cancels_the_symbols_orders_once_it_is_over(floor: Floor) -> None:
    """By the exchange, at the first step or request after its time; another countdown replaces it."""
    enter(floor)
    assert count_down(floor, 1000) == {"symbol": SYMBOL, "countdownTime": "1000"}
    floor.advance(at("90000.0"), ms=900)
    count_down(floor, 1000)
    floor.advance(at("90000.0"), ms=990)
    assert len(floor.ok("GET", "openOrders")) == 1
    floor.now_ms += 10
    assert floor.ok("GET", "openOrders") == []
    last = floor.kinds("order")[-1]
    assert (last["status"], last["by"]) == ("CANCELED", "exchange")


def test_a_countdown_of_zero_disarms(floor: Floor) -> None:
    """After 0 nothing is cancelled, and a later countdown counts from its own request."""
    enter(floor)
    count_down(floor, 1000)
    count_down(floor, 0)
    floor.advance(at("90000.0"), ms=5000)
    assert len(floor.ok("GET", "openOrders")) == 1


@pytest.mark.parametrize(("word", "left"), [("no", 1), ("yes", 0)])
def test_whether_a_countdown_takes_conditional_orders_is_a_reading(word: str, left: int) -> None:
    """By default the stop stays."""
    floor = Floor(reading=f"countdown_cancels_conditional={word}")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010"))
    count_down(floor, 1000)
    floor.advance(at("90000.0"), ms=1000)
    assert len(floor.ok("GET", "openAlgoOrders")) == left


def test_a_test_order_is_checked_and_leaves_nothing(floor: Floor) -> None:
    """Filters apply, margin does not; no order, no id is used up, no order count."""
    order = floor.limit("BUY", "100", "89000.0")
    answer = floor.request("POST", "order/test", **order)
    assert (answer.status, answer.body["orderId"], answer.body["status"]) == (200, 0, "NEW")
    assert not answer.counts.ordered
    assert floor.code("POST", "order/test", **{**order, "price": "89000.05"}) == -4014
    assert not floor.kinds("order", "refused")


def test_a_query_forgets_empty_orders_after_three_days_and_all_after_ninety(floor: Floor) -> None:
    """Cancelled without a fill: three days; filled: ninety; what rests is listed for ever."""
    enter(floor)
    floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="e")
    floor.ok("POST", "order", **floor.market("BUY", "0.010", newClientOrderId="filled"))
    stop = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s")
    floor.ok("POST", "algoOrder", **stop)
    floor.ok("DELETE", "algoOrder", clientAlgoId="s")
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0", newClientOrderId="rests"))
    floor.now_ms += 3 * DAY_MS - 5_000
    assert len(floor.ok("GET", "allOrders")) == 3
    floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="e")
    floor.ok("GET", "algoOrder", clientAlgoId="s")
    floor.now_ms += 6_000
    assert floor.code("GET", "order", symbol=SYMBOL, origClientOrderId="e") == -2013
    assert floor.code("GET", "algoOrder", clientAlgoId="s") == -2013
    assert floor.ok("GET", "allAlgoOrders", symbol=SYMBOL) == []
    named = [row["clientOrderId"] for row in floor.ok("GET", "allOrders", symbol=SYMBOL)]
    assert named == ["filled", "rests"]
    assert len(floor.ok("GET", "userTrades", symbol=SYMBOL, fromId="1")) == 1
    floor.now_ms += 87 * DAY_MS
    assert floor.code("GET", "order", symbol=SYMBOL, origClientOrderId="filled") == -2013
    assert floor.ok("GET", "userTrades", symbol=SYMBOL, fromId="1") == []
    assert [row["clientOrderId"] for row in floor.ok("GET", "openOrders")] == ["rests"]
    floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="rests")
