"""Conditional orders of every type: limit children, trailing stops, GTE_GTC, price protection, and the readings."""

from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, statuses, step


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000, long 0.010."""
    floor = Floor()
    floor.buy("0.010")
    return floor


def read_as(reading: str) -> Floor:
    """The same under a reading."""
    floor = Floor(reading=reading)
    floor.buy("0.010")
    return floor


def stop(floor: Floor, name: str = "s", trigger: str = "89500", /, **params: str) -> Any:
    """Place a reduce-only stop of 0.010 unless told otherwise."""
    order = {"quantity": "0.010", "clientAlgoId": name, **params}
    return floor.ok("POST", "algoOrder", **floor.stop("SELL", trigger, **order))


def close(floor: Floor) -> None:
    """Go flat at market."""
    floor.ok("POST", "order", **floor.market("SELL", "0.010", reduceOnly="true"))


# limit children


def test_a_stop_limit_rests_in_the_book_until_its_order_ends(floor: Floor) -> None:
    """Triggered it is a limit order among the open ones; FINISHED comes with that order's fill."""
    placed = stop(floor, type="STOP", price="89600")
    assert (placed["price"], placed["orderType"]) == ("89600", "STOP")
    floor.advance(at("89499.9"))
    assert statuses(floor, "s") == ["NEW", "TRIGGERING", "TRIGGERED"]
    (row,) = floor.ok("GET", "openOrders")
    assert (row["clientOrderId"], row["type"], row["origType"]) == ("s", "LIMIT", "STOP")
    assert (row["stopPrice"], row["price"], row["reduceOnly"]) == ("89500", "89600", True)
    assert floor.ok("GET", "openAlgoOrders") == []
    found = floor.ok("GET", "algoOrder", clientAlgoId="s")
    assert (found["actualOrderId"], found["actualType"]) == (str(row["orderId"]), "LIMIT")
    assert floor.code("DELETE", "algoOrder", clientAlgoId="s") == -2011
    floor.advance(at("89700.0"))
    assert statuses(floor, "s")[-1] == "FINISHED"
    assert floor.ok("GET", "algoOrder", clientAlgoId="s")["actualPrice"] == "89600"
    assert floor.position()["positionAmt"] == "0"


def test_a_limit_child_that_is_cancelled_finishes_its_parent(floor: Floor) -> None:
    """FINISHED with nothing executed: cancelled through the regular endpoint by its order id."""
    stop(floor, "t", "90500", type="TAKE_PROFIT", price="90600")
    floor.advance(at("90500.0"))
    (row,) = floor.ok("GET", "openOrders")
    floor.ok("DELETE", "order", symbol=SYMBOL, orderId=str(row["orderId"]))
    assert statuses(floor, "t")[-1] == "FINISHED"
    assert floor.events[-1]["o"]["aq"] == "0"


@pytest.mark.parametrize(
    ("kind", "price", "reason"),
    [("GTX", "89400", "Post Only"), ("FOK", "89600", "FOK order")],
)
def test_a_limit_child_the_book_refuses_is_rejected_with_the_reason(
    floor: Floor, kind: str, price: str, reason: str
) -> None:
    """The engine's own text stands in `rm`."""
    stop(floor, type="STOP", price=price, timeInForce=kind)
    floor.advance(at("89500.0"))
    assert statuses(floor, "s")[-1] == "REJECTED"
    assert reason in floor.events[-1]["o"]["rm"]


def test_a_price_matched_child_takes_its_price_when_it_fires(floor: Floor) -> None:
    """OPPONENT means the best bid of that moment."""
    stop(floor, type="STOP", priceMatch="OPPONENT", price="")
    floor.advance(at("89499.0"))
    child = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="s")
    assert (child["price"], child["status"], child["priceMatch"]) == (
        "89498.9",
        "FILLED",
        "OPPONENT",
    )


def test_a_conditional_gtd_expires_before_it_fired(floor: Floor) -> None:
    """Its date ends it, waiting or resting."""
    due = str(floor.now_ms + 700_000)
    stop(floor, type="STOP", price="89600", timeInForce="GTD", goodTillDate=due)
    stop(floor, "later", "89000", type="STOP", price="89600", timeInForce="GTD", goodTillDate=due)
    floor.advance(at("89499.9"))
    floor.advance(at("89499.9"), ms=700_000)
    assert statuses(floor, "later") == ["NEW", "EXPIRED"]
    assert statuses(floor, "s")[-1] == "FINISHED"
    assert floor.ok("GET", "openOrders") == []


# trailing stops


def trail(floor: Floor, **params: str) -> Any:
    """A selling trailing stop of one percent on the mark price."""
    kind = {"algoType": "CONDITIONAL", "type": "TRAILING_STOP_MARKET", "workingType": "MARK_PRICE"}
    size = {"symbol": SYMBOL, "side": "SELL", "quantity": "0.010", "reduceOnly": "true"}
    terms = {"callbackRate": "1", "clientAlgoId": "t"}
    return floor.ok("POST", "algoOrder", **{**kind, **size, **terms, **params})


def test_a_trailing_stop_follows_the_best_price_and_fires_on_the_way_back(floor: Floor) -> None:
    """From 90000 to 91000: the trigger is 90090 then, a tick above it nothing happens."""
    placed = trail(floor)
    assert (placed["callbackRate"], placed["activatePrice"]) == ("1", "0")
    floor.advance(at("91000.0"))
    floor.advance(at("90090.1"))
    assert statuses(floor, "t") == ["NEW"]
    floor.advance(at("90090.0"))
    assert statuses(floor, "t")[-1] == "FINISHED"
    child = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="t")
    assert (child["origType"], child["stopPrice"]) == ("TRAILING_STOP_MARKET", "90090")


def test_a_trailing_stop_waits_for_its_activation_and_says_new_twice(floor: Floor) -> None:
    """NEW with `ia` false, then with `ia` true once the price was there; before that it does not follow."""
    trail(floor, activatePrice="91000")
    floor.advance(at("90900.0"))
    floor.advance(at("89000.0"))
    assert statuses(floor, "t") == ["NEW"]
    floor.advance(at("91000.0"))
    told = [e["o"] for e in floor.events if e["e"] == "ALGO_UPDATE"]
    assert [(o["X"], o["ia"]) for o in told] == [("NEW", False), ("NEW", True)]
    floor.advance(at("90090.0"))
    assert statuses(floor, "t")[-1] == "FINISHED"


def test_the_order_a_trailing_stop_became_keeps_its_terms(floor: Floor) -> None:
    """`AP` and `cr` of its events, `activatePrice` and `priceRate` of queries; other orders have none of them."""
    trail(floor, activatePrice="91000", callbackRate="0.5")
    floor.advance(at("91000.0"))
    floor.advance(at("90000.0"))
    told = [e["o"] for e in floor.events if e["e"] == "ORDER_TRADE_UPDATE"]
    assert [(o.get("AP"), o.get("cr")) for o in told if o["c"] == "t"] == [("91000", "0.5")] * 2
    rows = {row["clientOrderId"]: row for row in floor.ok("GET", "allOrders", symbol=SYMBOL)}
    child = rows.pop("t")
    assert (child["activatePrice"], child["priceRate"]) == ("91000", "0.5")
    (entry,) = rows.values()
    assert not {"activatePrice", "priceRate"} & entry.keys()
    assert not {"AP", "cr"} & told[0].keys()


def test_a_buying_trailing_stop_is_the_mirror() -> None:
    """It follows the lowest price and fires on the way up."""
    floor = Floor()
    floor.ok("POST", "order", **floor.market("SELL", "0.010"))
    trail(floor, side="BUY", activatePrice="89000")
    floor.advance(at("88000.0"))
    floor.advance(at("88879.9"))
    assert statuses(floor, "t") == ["NEW", "NEW"]
    floor.advance(at("88880.0"))
    assert statuses(floor, "t")[-1] == "FINISHED"


# what needs a position


def test_gte_gtc_needs_a_position_and_expires_with_it(floor: Floor) -> None:
    """A quantity order of that kind goes when the position does; a plain one stays an orphan."""
    placed = stop(floor, "gte", timeInForce="GTE_GTC")
    assert placed["timeInForce"] == "GTE_GTC"
    stop(floor, "gtc")
    close(floor)
    assert statuses(floor, "gte") == ["NEW", "EXPIRED"]
    assert statuses(floor, "gtc") == ["NEW"]
    order = floor.stop("SELL", "89500", quantity="0.010", timeInForce="GTE_GTC")
    assert floor.code("POST", "algoOrder", **order) == -4509


def test_the_algo_service_may_learn_of_a_position_late() -> None:
    """Under gte_lag_ms a closePosition order right after the fill is -4509, and later accepted."""
    floor = read_as("gte_lag_ms=300")
    assert floor.code("POST", "algoOrder", **floor.stop("SELL", "89500")) == -4509
    floor.now_ms += 300
    floor.buy("0.010")  # adding to a position does not begin one
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500"))


@pytest.mark.parametrize("reopened", [False, True])
def test_the_expiry_of_a_close_position_order_may_come_late(*, reopened: bool) -> None:
    """After closeposition_expiry_ms it goes; a position opened meanwhile keeps it."""
    floor = read_as("closeposition_expiry_ms=500")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    close(floor)
    assert statuses(floor, "b") == ["NEW"]
    if reopened:
        floor.buy("0.010")
    floor.advance(at("90000.0"), ms=500)
    assert statuses(floor, "b") == (["NEW"] if reopened else ["NEW", "EXPIRED"])


# the moment of firing


def test_an_order_that_is_triggering_cannot_be_cancelled() -> None:
    """Under triggering_ms it is TRIGGERING for that long: a cancel is -4117, then it executes."""
    floor = read_as("triggering_ms=100")
    stop(floor)
    floor.advance(at("89499.9"))
    assert floor.ok("GET", "algoOrder", clientAlgoId="s")["algoStatus"] == "TRIGGERING"
    assert floor.code("DELETE", "algoOrder", clientAlgoId="s") == -4117
    floor.advance(at("89400.0"), ms=100)
    assert statuses(floor, "s") == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    assert floor.kinds("fill")[-1]["price"] == "89499.8"


def test_a_stop_that_fires_into_a_closed_position_is_rejected_when_it_arrives() -> None:
    """Closed while it was on its way: REJECTED, nothing turns."""
    floor = read_as("triggering_ms=100")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    floor.advance(at("89499.9"))
    close(floor)
    floor.advance(at("89499.9"), ms=100)
    assert statuses(floor, "b") == ["NEW", "TRIGGERING", "REJECTED"]
    assert floor.position()["positionAmt"] == "0"


@pytest.mark.parametrize(("word", "end"), [("trim", "FINISHED"), ("reject", "REJECTED")])
def test_whether_an_oversize_stop_is_cut_is_a_reading(word: str, end: str) -> None:
    """Larger than the position: cut to it, or rejected; one of exact size executes either way."""
    floor = read_as(f"oversize_stop={word}")
    stop(floor, quantity="0.020")
    floor.advance(at("89499.9"))
    assert statuses(floor, "s")[-1] == end
    exact = read_as(f"oversize_stop={word}")
    stop(exact)
    exact.advance(at("89499.9"))
    assert statuses(exact, "s")[-1] == "FINISHED"


@pytest.mark.parametrize(("word", "amount"), [("no", "0"), ("yes", "-0.01")])
def test_whether_close_position_orders_may_reverse_is_a_reading(word: str, amount: str) -> None:
    """Stop and backstop fired by one step: the backstop expires, or closes what was there before the stop."""
    floor = read_as(f"closeposition_may_reverse={word}")
    stop(floor)
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    floor.advance(at("89499.9"))
    assert floor.position()["positionAmt"] == amount


@pytest.mark.parametrize(("word", "code"), [("accept", None), ("reject", -4130)])
def test_whether_a_quantity_stop_rests_beside_a_close_position_stop_is_a_reading(
    word: str, code: int | None
) -> None:
    """Same type and side, either order of placement; another type is never in the way."""
    floor = read_as(f"quantity_stop_beside_closeposition={word}")
    stop(floor)
    backstop = floor.stop("SELL", "89000")
    if code is None:
        floor.ok("POST", "algoOrder", **backstop)
        stop(floor, "second", "89400")
        return
    assert floor.code("POST", "algoOrder", **backstop) == code
    stop(floor, "second", "89400")
    target = {"type": "TAKE_PROFIT_MARKET", "triggerPrice": "91000"}
    floor.ok("POST", "algoOrder", **{**backstop, **target})


@pytest.mark.parametrize("word", ["same", "own"])
def test_whose_id_the_child_carries_is_a_reading(word: str) -> None:
    """The parent's, or one of the exchange's; `ai` links them either way."""
    floor = read_as(f"child_client_id={word}")
    stop(floor)
    floor.advance(at("89499.9"))
    row = floor.ok("GET", "algoOrder", clientAlgoId="s")
    child = floor.ok("GET", "order", symbol=SYMBOL, orderId=row["actualOrderId"])
    assert (child["clientOrderId"] == "s") == (word == "same")
    assert floor.kinds("order")[-1]["parent_algo_id"] == row["algoId"]


@pytest.mark.parametrize(
    ("word", "order"),
    [
        ("algo_first", ["TRIGGERING", "NEW", "TRIGGERED", "FILLED", "FINISHED"]),
        ("trade_first", ["TRIGGERING", "NEW", "FILLED", "TRIGGERED", "FINISHED"]),
    ],
)
def test_which_event_comes_first_is_a_reading(word: str, order: list[str]) -> None:
    """The stream's order changes, the ledger's never does."""
    floor = read_as(f"event_order={word}")
    stop(floor)
    floor.events.clear()
    seen = len(floor.records)
    floor.advance(at("89499.9"))
    told = [e["o"]["X"] for e in floor.events if e["e"] != "ACCOUNT_UPDATE"]
    assert told == order
    recorded = [r["status"] for r in floor.records[seen:] if "status" in r]
    assert recorded == ["TRIGGERING", "NEW", "TRIGGERED", "FILLED", "FINISHED"]


def test_reduce_only_may_be_unwanted_on_conditional_orders() -> None:
    """Under the reading it is -1106, whatever its value; without it the order is accepted."""
    floor = read_as("algo_reduce_only=-1106")
    order = floor.stop("SELL", "89500", quantity="0.010")
    assert floor.code("POST", "algoOrder", **order) == -1106
    floor.ok("POST", "algoOrder", **{**order, "reduceOnly": ""})


@pytest.mark.parametrize(("word", "end"), [("wait", "NEW"), ("expire", "EXPIRED")])
def test_what_becomes_of_a_protected_order_is_a_reading(word: str, end: str) -> None:
    """Mark and last 6 % apart at the trigger."""
    floor = read_as(f"priceprotect={word}")
    stop(floor, priceProtect="true")
    floor.advance(step(last="90000.0", mark="84600.0"))
    assert statuses(floor, "s")[-1] == end


def test_a_finished_conditional_orders_id_may_be_spent() -> None:
    """Under dup_id_after_fill=reject an id that executed is -4116, a cancelled one is free."""
    floor = read_as("dup_id_after_fill=reject")
    stop(floor)
    floor.ok("DELETE", "algoOrder", clientAlgoId="s")
    stop(floor)
    floor.advance(at("89499.9"))
    order = floor.stop("SELL", "88000", quantity="0.010", clientAlgoId="s")
    assert floor.code("POST", "algoOrder", **order) == -4116


def test_a_stop_whose_counterpart_is_outside_the_band_is_rejected(floor: Floor) -> None:
    """Best bid 6 % below the mark: the market child is refused, the reason is told, the position stays."""
    stop(floor, workingType="CONTRACT_PRICE")
    floor.advance(step(bids=(("84500.0", "9"),), asks=(("84500.1", "9"),), last="84500.0"))
    assert statuses(floor, "s")[-1] == "REJECTED"
    assert "PERCENT_PRICE" in floor.events[-1]["o"]["rm"]


def test_a_limit_child_outside_the_band_is_rejected(floor: Floor) -> None:
    """Fired by the last price while the mark is far above its limit: the filter applies at the trigger too."""
    stop(floor, type="STOP", price="86000", workingType="CONTRACT_PRICE")
    floor.advance(step(last="89500.0", mark="91000.0"))
    assert statuses(floor, "s")[-1] == "REJECTED"
    assert "lower than 86450" in floor.events[-1]["o"]["rm"]
