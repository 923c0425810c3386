"""Conditional orders: the whole life, the order within a step, and every early end."""

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, statuses, step


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


def test_a_triggered_stop_lives_through_every_status_and_closes(floor: Floor) -> None:
    """NEW, TRIGGERING, TRIGGERED with its child, FINISHED; the child carries the parent's client id."""
    floor.buy("0.010")
    floor.ok(
        "POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s1")
    )
    floor.advance(at("89499.9"))
    assert statuses(floor, "s1") == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
    row = floor.ok("GET", "algoOrder", clientAlgoId="s1")
    child = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="s1")
    assert row["actualOrderId"] == str(child["orderId"])
    assert (row["algoStatus"], row["actualQty"], row["actualPrice"]) == (
        "FINISHED",
        "0.01",
        "89499.8",
    )
    assert (child["type"], child["origType"], child["status"]) == (
        "MARKET",
        "STOP_MARKET",
        "FILLED",
    )
    assert floor.position()["positionAmt"] == "0"


def test_the_child_is_alive_before_its_parent_says_triggered(floor: Floor) -> None:
    """In the ledger cover never has a hole: the child's NEW precedes the parent's TRIGGERED."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010"))
    seen = len(floor.records)
    floor.advance(at("89499.9"))
    told = [(r["kind"], r.get("status")) for r in floor.records[seen:] if r["kind"] != "market"]
    assert told == [
        ("conditional", "TRIGGERING"),
        ("order", "NEW"),
        ("conditional", "TRIGGERED"),
        ("fill", None),
        ("position", None),
        ("order", "FILLED"),
        ("conditional", "FINISHED"),
    ]
    assert len({record["t"] for record in floor.records[seen:]}) == 1


def test_the_stream_tells_the_life_with_the_fields_of_each_status(floor: Floor) -> None:
    """`ai` is empty until TRIGGERED, `aq` and `ap` are known at FINISHED, `tt` from TRIGGERING on."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010"))
    floor.events.clear()
    floor.advance(at("89499.9"))
    updates = [event["o"] for event in floor.events if event["e"] == "ALGO_UPDATE"]
    assert [update["X"] for update in updates] == ["TRIGGERING", "TRIGGERED", "FINISHED"]
    assert "act" not in updates[0]
    assert [bool(update["ai"]) for update in updates] == [False, True, True]
    assert (updates[2]["aq"], updates[2]["ap"], updates[2]["act"]) == ("0.01", "89499.8", "MARKET")
    assert {update["tt"] for update in updates} == {floor.now_ms}


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "before"),
    [
        ("STOP_MARKET", "SELL", "89500.0", "89500.1"),
        ("STOP_MARKET", "BUY", "90500.0", "90499.9"),
        ("TAKE_PROFIT_MARKET", "SELL", "90500.0", "90499.9"),
        ("TAKE_PROFIT_MARKET", "BUY", "89500.0", "89500.1"),
    ],
)
def test_each_kind_fires_at_its_trigger_and_not_before(
    floor: Floor, kind: str, side: str, trigger: str, before: str
) -> None:
    """A tick before the trigger nothing happens, at the trigger the order fires."""
    opening = "BUY" if side == "SELL" else "SELL"
    floor.ok("POST", "order", **floor.market(opening, "0.010"))
    floor.ok(
        "POST",
        "algoOrder",
        **floor.stop(side, trigger, quantity="0.010", type=kind, clientAlgoId="c"),
    )
    floor.advance(at(before))
    assert statuses(floor, "c") == ["NEW"]
    floor.advance(at(trigger))
    assert statuses(floor, "c")[-1] == "FINISHED"


def test_each_working_type_watches_its_own_price(floor: Floor) -> None:
    """A mark stop ignores the last price, a contract stop ignores the mark but sees every trade."""
    floor.buy("0.010")
    mark = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="mark")
    last = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="last")
    floor.ok("POST", "algoOrder", **mark)
    floor.ok("POST", "algoOrder", **{**last, "workingType": "CONTRACT_PRICE"})
    floor.advance(step(last="90000.0", mark="90000.0", prints=(("89400.0", "1"), ("90000.0", "1"))))
    assert statuses(floor, "last")[-1] == "FINISHED"
    assert statuses(floor, "mark") == ["NEW"]


def test_a_stop_takes_precedence_over_a_target_and_the_twin_is_rejected(floor: Floor) -> None:
    """Both fire in one step: the stop closes, the target finds nothing and is rejected, no position turns."""
    floor.buy("0.010")
    target = floor.stop("SELL", "90500", quantity="0.010", clientAlgoId="target")
    floor.ok(
        "POST",
        "algoOrder",
        **{**target, "type": "TAKE_PROFIT_MARKET", "workingType": "CONTRACT_PRICE"},
    )
    floor.ok(
        "POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="stop")
    )
    floor.advance(step(last="90600.0", mark="89400.0"))
    assert statuses(floor, "stop")[-1] == "FINISHED"
    assert statuses(floor, "target") == ["NEW", "TRIGGERING", "REJECTED"]
    rejected = floor.kinds("conditional")[-1]
    assert (rejected["reason"], rejected["by"]) == ("Reduce Only reject", "exchange")
    assert floor.events[-1]["o"]["rm"] == "Reduce Only reject"
    assert floor.position()["positionAmt"] == "0"


def test_stops_of_one_step_fire_by_trigger_and_then_by_age(floor: Floor) -> None:
    """A falling price meets the higher trigger first; equal triggers go by age."""
    floor.buy("0.010")
    for name, trigger in (("low", "89000"), ("high", "89500"), ("twin", "89500")):
        order = floor.stop("SELL", trigger, quantity="0.003", clientAlgoId=name)
        floor.ok("POST", "algoOrder", **order)
    floor.advance(at("88000.0"))
    fired = [r["client_id"] for r in floor.kinds("conditional") if r["status"] == "TRIGGERING"]
    assert fired == ["high", "twin", "low"]


def test_resting_orders_match_before_stops_fire(floor: Floor) -> None:
    """One step through entry and stop: the entry fills first, so the stop has something to close."""
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0", timeInForce="GTX"))
    floor.advance(at("89000.0"))
    assert statuses(floor, "s")[-1] == "FINISHED"
    assert [fill["side"] for fill in floor.kinds("fill")] == ["BUY", "SELL"]
    assert floor.position()["positionAmt"] == "0"


def test_a_reduce_only_stop_rests_without_a_position_and_is_rejected_when_it_fires_flat(
    floor: Floor,
) -> None:
    """The armed stop needs no position; triggered while flat it ends as REJECTED and nothing is traded."""
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    floor.advance(at("89000.0"))
    assert statuses(floor, "s") == ["NEW", "TRIGGERING", "REJECTED"]
    assert not floor.kinds("fill")


def test_an_oversize_stop_is_cut_to_the_position(floor: Floor) -> None:
    """A stop larger than the position closes it and never reverses it."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.050", clientAlgoId="s"))
    floor.advance(at("89000.0"))
    assert statuses(floor, "s")[-1] == "FINISHED"
    assert floor.position()["positionAmt"] == "0"
    assert floor.ok("GET", "algoOrder", clientAlgoId="s")["actualQty"] == "0.01"


def test_a_close_position_stop_sizes_itself_when_it_fires(floor: Floor) -> None:
    """It closes what is there at the trigger, not what was there at placement."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    floor.buy("0.020")
    floor.advance(at("89000.0"))
    child = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="b")
    assert (child["origQty"], child["closePosition"], child["reduceOnly"]) == ("0.03", True, True)
    assert floor.position()["positionAmt"] == "0"


def test_close_position_orders_expire_with_the_position_and_quantity_stops_stay(
    floor: Floor,
) -> None:
    """Closed otherwise: the backstop is expired by the exchange at once, the quantity stop is an orphan."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    floor.ok("POST", "order", **floor.market("SELL", "0.010", reduceOnly="true"))
    last = floor.kinds("conditional")[-1]
    assert (last["client_id"], last["status"], last["by"]) == ("b", "EXPIRED", "exchange")
    (orphan,) = floor.ok("GET", "openAlgoOrders")
    assert orphan["clientAlgoId"] == "s"


def test_one_close_position_order_of_a_kind_and_direction(floor: Floor) -> None:
    """A second closePosition stop is -4130; a closePosition target beside it is not."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500"))
    assert floor.code("POST", "algoOrder", **floor.stop("SELL", "89400")) == -4130
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "90500", type="TAKE_PROFIT_MARKET"))
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89400", quantity="0.010"))


def test_a_close_position_order_needs_a_position(floor: Floor) -> None:
    """Flat, or on the side that would not close, it is -4509."""
    assert floor.code("POST", "algoOrder", **floor.stop("SELL", "89500")) == -4509
    floor.buy("0.010")
    assert floor.code("POST", "algoOrder", **floor.stop("BUY", "90500")) == -4509


def test_a_trigger_that_has_been_reached_is_refused(floor: Floor) -> None:
    """A selling stop at the mark would fire at once: -2021; a tick below it rests."""
    order = floor.stop("SELL", "90000.0", quantity="0.010")
    assert floor.code("POST", "algoOrder", **order) == -2021
    floor.ok("POST", "algoOrder", **{**order, "triggerPrice": "89999.9"})


def test_price_protect_holds_a_stop_back_while_mark_and_last_differ(floor: Floor) -> None:
    """Beyond `triggerProtect` (5 %) a protected stop stays NEW; an unprotected one fires."""
    floor.buy("0.010")
    guarded = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="guarded")
    floor.ok("POST", "algoOrder", **guarded, priceProtect="true")
    floor.advance(step(last="90000.0", mark="85000.0"))
    assert statuses(floor, "guarded") == ["NEW"]
    floor.advance(step(last="89000.0", mark="89000.0"))
    assert statuses(floor, "guarded")[-1] == "FINISHED"


def test_cancelled_and_unknown_conditional_orders(floor: Floor) -> None:
    """A cancel answers code "200" as text; again it is -2011; a query of nothing is -2013."""
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    answer = floor.ok("DELETE", "algoOrder", clientAlgoId="s")
    assert (answer["code"], answer["msg"]) == ("200", "success")
    assert floor.code("DELETE", "algoOrder", clientAlgoId="s") == -2011
    assert floor.code("GET", "algoOrder", clientAlgoId="none") == -2013
    assert floor.code("GET", "order", symbol=SYMBOL, origClientOrderId="s") == -2013
    assert statuses(floor, "s") == ["NEW", "CANCELED"]
    assert floor.kinds("conditional")[-1]["by"] == "client"


def test_a_client_id_may_be_used_again_only_after_its_order_ended(floor: Floor) -> None:
    """Duplicates among open orders are -4116, regular and conditional alike."""
    stop = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="same")
    floor.ok("POST", "algoOrder", **stop)
    assert floor.code("POST", "algoOrder", **stop) == -4116
    floor.ok("DELETE", "algoOrder", clientAlgoId="same")
    floor.ok("POST", "algoOrder", **stop)
    entry = floor.limit("BUY", "0.010", "89000.0", newClientOrderId="entry")
    floor.ok("POST", "order", **entry)
    assert floor.code("POST", "order", **entry) == -4116


def test_two_hundred_conditional_orders_are_the_limit(floor: Floor) -> None:
    """The account-wide limit of open conditional orders is 200; the next is -4045."""
    for number in range(200):
        order = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId=f"s{number}")
        floor.ok("POST", "algoOrder", **order)
    assert floor.code("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010")) == -4045
    floor.ok("DELETE", "algoOpenOrders", symbol=SYMBOL)
    assert floor.ok("GET", "openAlgoOrders") == []


def test_a_stop_without_reduce_only_opens_as_the_real_exchange_would(floor: Floor) -> None:
    """Quantity without reduce-only may open a position; without margin it is rejected at the trigger."""
    opening = {
        **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="o"),
        "reduceOnly": "false",
    }
    floor.ok("POST", "algoOrder", **opening)
    floor.ok("POST", "algoOrder", **{**opening, "quantity": "5", "clientAlgoId": "huge"})
    floor.advance(at("89000.0"))
    assert floor.position()["positionAmt"] == "-0.01"
    assert statuses(floor, "huge")[-1] == "REJECTED"
    assert "Margin is insufficient." in {row["reason"] for row in floor.kinds("conditional")}


def test_a_persons_cancel_is_recorded_as_a_fault(floor: Floor) -> None:
    """The control surface removes either kind of order; the ledger says it was not the client."""
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0", newClientOrderId="e"))
    assert floor.exchange.remove(SYMBOL, "s", floor.now_ms) == "conditional"
    assert floor.exchange.remove(SYMBOL, "e", floor.now_ms) == "order"
    assert floor.exchange.remove(SYMBOL, "e", floor.now_ms) is None
    assert {row["by"] for row in floor.records if row.get("status") == "CANCELED"} == {"fault"}


def test_a_backstop_beside_the_stop_that_closed_expires_without_firing(floor: Floor) -> None:
    """Stop and backstop at one trigger, in one step: the older one closes, the other is expired, unfired."""
    floor.buy("0.010")
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s"))
    floor.ok("POST", "algoOrder", **floor.stop("SELL", "89500", clientAlgoId="b"))
    target = floor.stop("SELL", "91000", type="TAKE_PROFIT_MARKET", clientAlgoId="t")
    floor.ok("POST", "algoOrder", **target)
    floor.advance(at("89000.0"))
    assert statuses(floor, "s")[-1] == "FINISHED"
    assert statuses(floor, "b") == statuses(floor, "t") == ["NEW", "EXPIRED"]
    assert len([fill for fill in floor.kinds("fill") if fill["side"] == "SELL"]) == 1
