"""Time in force, price match, self-trade prevention, reduce-only room and the price band."""

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at, step

DEEP = step(
    bids=tuple((f"8999{tenth}.0", "1") for tenth in range(9, 3, -1)),
    asks=tuple((f"9000{tenth}.0", "1") for tenth in range(1, 7)),
)


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


def test_a_fok_takes_all_or_is_refused(floor: Floor) -> None:
    """What its limit reaches decides; a refused one leaves no order."""
    floor.advance(step(asks=(("90000.1", "0.002"), ("90005.0", "0.008"), ("90010.0", "9"))))
    order = floor.limit("BUY", "0.010", "90004.0", timeInForce="FOK", newOrderRespType="RESULT")
    assert floor.code("POST", "order", **order) == -5021
    assert not floor.kinds("order")
    answer = floor.ok("POST", "order", **{**order, "price": "90005.0"})
    assert (answer["status"], answer["executedQty"]) == ("FILLED", "0.01")


def test_a_gtd_order_expires_at_its_second(floor: Floor) -> None:
    """The date is cut to seconds and echoed; the order expires by the exchange, filled or not."""
    due = floor.now_ms + 700_000
    order = floor.limit("BUY", "0.010", "89000.0", timeInForce="GTD", goodTillDate=str(due))
    answer = floor.ok("POST", "order", **order, newClientOrderId="e")
    assert answer["goodTillDate"] == due - due % 1000
    floor.now_ms = due - due % 1000 - 2
    assert len(floor.ok("GET", "openOrders")) == 1
    assert floor.ok("GET", "openOrders") == []
    last = floor.kinds("order")[-1]
    assert (last["status"], last["by"]) == ("EXPIRED", "exchange")
    assert floor.events[-1]["o"]["gtd"] == answer["goodTillDate"]


def test_a_gtd_order_that_has_ended_does_not_expire(floor: Floor) -> None:
    """Its date finds nothing to do."""
    due = str(floor.now_ms + 700_000)
    order = floor.limit("BUY", "0.010", "89000.0", timeInForce="GTD", goodTillDate=due)
    floor.ok("POST", "order", **order)
    floor.ok("DELETE", "allOpenOrders", symbol=SYMBOL)
    floor.advance(at("90000.0"), ms=800_000)
    assert floor.kinds("order")[-1]["status"] == "CANCELED"


@pytest.mark.parametrize("kind", ["GTX", "RPI"])
def test_post_only_never_takes(floor: Floor, kind: str) -> None:
    """GTX and RPI alike: -5022 at the ask, resting below it."""
    order = floor.limit("BUY", "0.010", "90000.1", timeInForce=kind)
    assert floor.code("POST", "order", **order) == -5022
    answer = floor.ok("POST", "order", **{**order, "price": "90000.0"})
    assert (answer["timeInForce"], answer["status"]) == (kind, "NEW")


@pytest.mark.parametrize(
    ("mode", "price"),
    [("OPPONENT", "90001"), ("OPPONENT_5", "90005"), ("QUEUE", "89999"), ("QUEUE_5", "89995")],
)
def test_a_price_match_takes_its_price_from_the_book(floor: Floor, mode: str, price: str) -> None:
    """Best or fifth, of the other side or the own; the mode is echoed."""
    floor.advance(DEEP)
    order = {k: v for k, v in floor.limit("BUY", "0.010", "1").items() if k != "price"}
    answer = floor.ok("POST", "order", **order, priceMatch=mode)
    assert (answer["price"], answer["priceMatch"]) == (price, mode)
    assert floor.events[-1]["o"]["pm"] == mode
    assert floor.code("POST", "order", **order, priceMatch="QUEUE_10") == -5041


def test_a_result_answer_tells_the_end(floor: Floor) -> None:
    """RESULT waits for what happens at once, ACK does not."""
    assert floor.ok("POST", "order", **floor.market("BUY", "0.010"))["status"] == "NEW"
    order = floor.market("BUY", "0.010", newOrderRespType="RESULT")
    assert floor.ok("POST", "order", **order)["status"] == "FILLED"


def facing(floor: Floor, mode: str, **taker: str) -> dict[str, str]:
    """A resting sell at 90000, inside the spread, meets a buyer of twice its size; the statuses of both."""
    floor.advance(step(bids=(("89990.0", "5"),), asks=(("90010.0", "5"),)))
    floor.events.clear()
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90000.0", newClientOrderId="maker"))
    order = floor.limit("BUY", "0.020", "90000.0", newClientOrderId="taker", **taker)
    floor.ok("POST", "order", **order, **({"selfTradePreventionMode": mode} if mode else {}))
    names = ("maker", "taker")
    return {
        name: floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId=name)["status"]
        for name in names
    }


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "NEW"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        ("NONE", "FILLED", "PARTIALLY_FILLED"),
    ],
)
def test_own_orders_that_meet_end_as_the_taker_says(
    floor: Floor, mode: str, maker: str, taker: str
) -> None:
    """Who expires by mode; NONE trades with itself and leaves the position as it was."""
    assert facing(floor, mode) == {"maker": maker, "taker": taker}
    assert floor.position()["positionAmt"] == "0"
    reasons = {e["o"]["c"]: e["o"]["er"] for e in floor.events if e["e"] == "ORDER_TRADE_UPDATE"}
    expected = {"maker": maker, "taker": taker}
    assert reasons == {
        name: "1" if status == "EXPIRED_IN_MATCH" else "0" for name, status in expected.items()
    }
    told = [e["o"] for e in floor.events if e.get("o", {}).get("X") == "EXPIRED_IN_MATCH"]
    assert all(o["x"] == "EXPIRED" for o in told)


def test_an_ioc_stopped_by_self_trade_prevention_says_both(floor: Floor) -> None:
    """`er` 3: IOC and self-trade prevention."""
    assert facing(floor, "EXPIRE_TAKER", timeInForce="IOC")["taker"] == "EXPIRED_IN_MATCH"
    assert floor.events[-1]["o"]["er"] == "3"


def test_a_market_order_passes_better_levels_before_it_meets_its_own(floor: Floor) -> None:
    """The public ask first, then the own sell (expired), then the next public ask."""
    floor.advance(step(bids=(("89990.0", "5"),), asks=(("90010.0", "0.004"), ("90020.0", "5"))))
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90015.0", newClientOrderId="own"))
    floor.ok("POST", "order", **floor.market("BUY", "0.010"))
    assert [row["price"] for row in floor.kinds("fill")] == ["90010", "90020"]
    answer = floor.ok("GET", "order", symbol=SYMBOL, origClientOrderId="own")
    assert answer["status"] == "EXPIRED_IN_MATCH"


def test_a_post_only_order_does_not_meet_its_own(floor: Floor) -> None:
    """GTX at an own sell inside the spread would take: -5022."""
    floor.advance(step(bids=(("89990.0", "5"),), asks=(("90010.0", "5"),)))
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90000.0"))
    order = floor.limit("BUY", "0.010", "90000.0", timeInForce="GTX")
    assert floor.code("POST", "order", **order) == -5022


@pytest.mark.parametrize(
    ("side", "mark", "code"),
    [("BUY", "85714.0", -4131), ("SELL", "94800.0", -4131), ("BUY", "94800.0", None)],
)
def test_a_market_order_needs_its_counterpart_inside_the_band(
    floor: Floor, side: str, mark: str, code: int | None
) -> None:
    """Best ask above mark + 5 % for a buyer, best bid below mark - 5 % for a seller."""
    floor.advance(step(mark=mark))
    order = floor.market(side, "0.010")
    if code is None:
        floor.ok("POST", "order", **order)
    else:
        assert floor.code("POST", "order", **order) == code


def test_a_symbol_takes_so_many_open_orders(floor: Floor) -> None:
    """The two hundred and first is -2025."""
    for _ in range(200):
        floor.ok("POST", "order", **floor.limit("BUY", "0.001", "86000.0"))
    assert floor.code("POST", "order", **floor.limit("BUY", "0.001", "86000.0")) == -2025


def reduce(floor: Floor, price: str, quantity: str = "0.010", name: str = "r") -> dict[str, str]:
    """Parameters of a reduce-only limit sell."""
    return floor.limit("SELL", quantity, price, reduceOnly="true", newClientOrderId=name)


def test_reduce_only_orders_beyond_the_position_push_each_other_out(floor: Floor) -> None:
    """A better-priced one knocks the other out (`er` 4), a worse-priced one is -4118."""
    floor.buy("0.010")
    floor.ok("POST", "order", **reduce(floor, "90500.0", name="first"))
    assert floor.code("POST", "order", **reduce(floor, "90600.0")) == -4118
    assert floor.code("POST", "order", **reduce(floor, "90500.0")) == -4118
    floor.ok("POST", "order", **reduce(floor, "90400.0", name="better"))
    assert [row["clientOrderId"] for row in floor.ok("GET", "openOrders")] == ["better"]
    gone = next(e["o"] for e in floor.events if e.get("o", {}).get("X") == "EXPIRED")
    assert (gone["c"], gone["er"]) == ("first", "4")


def test_reduce_only_orders_that_fit_together_rest_together(floor: Floor) -> None:
    """Parts of the position need no order among themselves."""
    floor.buy("0.010")
    floor.ok("POST", "order", **reduce(floor, "90500.0", "0.006", "a"))
    floor.ok("POST", "order", **reduce(floor, "90600.0", "0.004", "b"))
    assert floor.code("POST", "order", **reduce(floor, "90700.0", "0.001", "c")) == -4118


def test_a_market_exit_goes_before_resting_reduce_only_orders(floor: Floor) -> None:
    """It executes; what has nothing left to reduce is knocked out, the worst price first."""
    floor.buy("0.010")
    floor.ok("POST", "order", **reduce(floor, "90500.0", "0.005", "near"))
    floor.ok("POST", "order", **reduce(floor, "90600.0", "0.005", "far"))
    floor.ok("POST", "order", **floor.market("SELL", "0.005", reduceOnly="true"))
    assert [row["clientOrderId"] for row in floor.ok("GET", "openOrders")] == ["near"]
    floor.ok("POST", "order", **floor.market("SELL", "0.005", reduceOnly="true"))
    assert floor.ok("GET", "openOrders") == []


def test_the_strict_reading_refuses_whatever_exceeds_the_position() -> None:
    """A resting full-size reduce-only limit blocks even a market close: -4118."""
    floor = Floor(reading="reduce_only_total=reject")
    floor.buy("0.010")
    floor.ok("POST", "order", **reduce(floor, "90500.0"))
    assert floor.code("POST", "order", **floor.market("SELL", "0.010", reduceOnly="true")) == -4118
    assert floor.code("POST", "order", **reduce(floor, "90400.0", name="better")) == -4118


def test_the_loose_reading_lets_all_rest() -> None:
    """Reduce-only orders are only cut when they execute."""
    floor = Floor(reading="reduce_only_total=rest")
    floor.buy("0.010")
    floor.ok("POST", "order", **reduce(floor, "90500.0", name="a"))
    floor.ok("POST", "order", **reduce(floor, "90600.0", name="b"))
    assert len(floor.ok("GET", "openOrders")) == 2


@pytest.mark.parametrize(("word", "code"), [("accept", None), ("reject", -4116)])
def test_whether_a_filled_orders_id_may_be_used_again_is_a_reading(
    word: str, code: int | None
) -> None:
    """By default the id of a filled order is free again; a cancelled one's always is."""
    floor = Floor(reading=f"dup_id_after_fill={word}")
    order = floor.market("BUY", "0.010", newClientOrderId="same")
    rests = floor.limit("BUY", "0.010", "89000.0", newClientOrderId="other")
    floor.ok("POST", "order", **rests)
    floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="other")
    floor.ok("POST", "order", **rests)
    floor.ok("POST", "order", **order)
    if code is None:
        floor.ok("POST", "order", **order)
    else:
        assert floor.code("POST", "order", **order) == code
