"""Matching: who fills, at which price, how much, and what the ledger and the stream say about it."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.simulated.floor import SYMBOL, Floor, at, levels, step

from jumar.exchange.simulated.core.matching import Liquidity, walk
from jumar.exchange.simulated.core.orders import Order, OrderType, Side, TimeInForce


@pytest.fixture
def floor() -> Floor:
    """A fresh exchange at 90000."""
    return Floor()


def test_a_resting_limit_fills_at_its_own_price_when_the_ask_comes_to_it(floor: Floor) -> None:
    """A buy at 89990 fills there, as maker, once the best ask is not above it."""
    floor.ok("POST", "order", **floor.limit("BUY", "0.013", "89990.0"))
    floor.advance(at("89991.0"))
    assert not floor.kinds("fill")
    floor.advance(at("89985.0"))
    (fill,) = floor.kinds("fill")
    assert (fill["price"], fill["quantity"], fill["maker"]) == ("89990", "0.013", True)


def test_a_resting_limit_fills_partially_by_the_crossing_levels(floor: Floor) -> None:
    """Only the levels that cross the limit count; the rest of the order waits for the next step."""
    order = floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0"))
    crossing = step(
        bids=(("89980.0", "1"),),
        asks=(("89988.0", "0.002"), ("89990.0", "0.001"), ("89990.1", "5")),
    )
    floor.advance(crossing)
    assert [fill["quantity"] for fill in floor.kinds("fill")] == ["0.003"]
    answer = floor.ok("GET", "order", symbol=SYMBOL, orderId=str(order["orderId"]))
    assert (answer["status"], answer["executedQty"]) == ("PARTIALLY_FILLED", "0.003")
    floor.advance(crossing)
    assert [fill["quantity"] for fill in floor.kinds("fill")] == ["0.003", "0.003"]


def test_a_print_at_the_limit_proves_nothing_while_the_queue_is_unknown(floor: Floor) -> None:
    """A limit deeper than the shown book: trades at its price may be others', a trade beyond it is not."""
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0"))
    floor.advance(step(prints=(("89990.0", "3"),)))
    assert not floor.kinds("fill")
    floor.advance(step(prints=(("89989.9", "0.004"),)))
    assert [fill["quantity"] for fill in floor.kinds("fill")] == ["0.004"]


def test_orders_share_a_step_by_price_and_then_age(floor: Floor) -> None:
    """One unit of the book is never sold twice: the better price first, then the older order."""
    for name, price in (("old", "89990.0"), ("young", "89990.0"), ("better", "89995.0")):
        order = floor.limit("BUY", "0.002", price, newClientOrderId=name)
        floor.ok("POST", "order", **order)
    floor.advance(step(bids=(("89980.0", "1"),), asks=(("89985.0", "0.003"), ("90100.0", "9"))))
    fills = [(fill["client_id"], fill["quantity"]) for fill in floor.kinds("fill")]
    assert fills == [("better", "0.002"), ("old", "0.001")]


def test_a_market_order_walks_the_levels_and_finds_the_last_one_unlimited(floor: Floor) -> None:
    """Each level is one execution; what the book does not hold is taken at its last price."""
    floor.advance(step(asks=(("90000.1", "0.002"), ("90005.0", "0.003"), ("90010.0", "0.001"))))
    order = floor.market("BUY", "0.010", newOrderRespType="RESULT")
    assert floor.ok("POST", "order", **order)["status"] == "FILLED"
    fills = [(fill["price"], fill["quantity"]) for fill in floor.kinds("fill")]
    assert fills == [("90000.1", "0.002"), ("90005", "0.003"), ("90010", "0.005")]


def test_an_ioc_takes_what_its_limit_allows_and_expires(floor: Floor) -> None:
    """An IOC never pays more than its limit and leaves nothing behind."""
    floor.advance(step(asks=(("90000.1", "0.002"), ("90005.0", "5"))))
    order = floor.limit("BUY", "0.010", "90001.0", timeInForce="IOC", newOrderRespType="RESULT")
    answer = floor.ok("POST", "order", **order)
    assert (answer["status"], answer["executedQty"]) == ("EXPIRED", "0.002")
    assert floor.events[-1]["o"]["er"] == "2"
    assert floor.ok("GET", "openOrders", symbol=SYMBOL) == []


def test_a_crossing_gtc_takes_and_rests_with_the_remainder(floor: Floor) -> None:
    """A GTC limit beyond the touch takes the level and rests with what is left."""
    floor.advance(step(asks=(("90000.1", "0.002"), ("90005.0", "5"))))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "90001.0"))
    (row,) = floor.ok("GET", "openOrders", symbol=SYMBOL)
    assert (row["status"], row["executedQty"], row["avgPrice"]) == (
        "PARTIALLY_FILLED",
        "0.002",
        "90000.1",
    )


def test_a_post_only_order_that_would_take_is_refused(floor: Floor) -> None:
    """GTX at the ask is -5022 and nothing rests; a tick below it rests."""
    refused = floor.limit("BUY", "0.010", "90000.1", timeInForce="GTX")
    assert floor.code("POST", "order", **refused) == -5022
    assert floor.ok("GET", "openOrders", symbol=SYMBOL) == []
    floor.ok("POST", "order", **{**refused, "price": "90000.0"})
    assert len(floor.ok("GET", "openOrders", symbol=SYMBOL)) == 1


def test_an_oversize_reduce_only_order_is_cut_to_the_position(floor: Floor) -> None:
    """Twice the position, reduce-only: flat afterwards, never short; the rest expires with er 4."""
    floor.buy("0.010")
    exit_order = floor.market("SELL", "0.020", reduceOnly="true", newOrderRespType="RESULT")
    answer = floor.ok("POST", "order", **exit_order)
    assert (answer["status"], answer["executedQty"], answer["origQty"]) == (
        "EXPIRED",
        "0.01",
        "0.02",
    )
    assert floor.position()["positionAmt"] == "0"
    last = floor.kinds("order")[-1]
    assert (last["status"], last["filled"], last["by"]) == ("EXPIRED", "0.01", "exchange")
    assert floor.events[-1]["o"]["er"] == "4"


def test_a_resting_reduce_only_order_ends_with_its_position(floor: Floor) -> None:
    """What has nothing left to reduce is expired by the exchange in the same step."""
    floor.buy("0.010")
    floor.ok("POST", "order", **floor.limit("SELL", "0.010", "90500.0", reduceOnly="true"))
    floor.ok("POST", "order", **floor.market("SELL", "0.010", reduceOnly="true"))
    last = floor.kinds("order")[-1]
    assert (last["status"], last["by"], last["price"]) == ("EXPIRED", "exchange", "90500")


def test_an_execution_is_told_in_the_order_of_the_ledger_document(floor: Floor) -> None:
    """Market, fill, position, order in the ledger; ACCOUNT_UPDATE before ORDER_TRADE_UPDATE, same T."""
    floor.ok("POST", "order", **floor.limit("BUY", "0.013", "89990.0"))
    floor.events.clear()
    floor.advance(at("89985.0"))
    tail = floor.records[-4:]
    assert [record["kind"] for record in tail] == ["market", "fill", "position", "order"]
    assert len({record["t"] for record in tail}) == 1
    assert tail[-1]["status"] == "FILLED"
    assert [event["e"] for event in floor.events] == ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
    assert len({event["T"] for event in floor.events}) == 1


def test_the_market_is_recorded_once_a_second_and_before_what_it_causes(floor: Floor) -> None:
    """Quiet steps leave one record a second; a step that fills records its own market first."""
    for _ in range(30):
        floor.advance(at("90000.0"), ms=100)
    times = [record["t"] for record in floor.kinds("market")]
    assert all(later - earlier >= 1000 for earlier, later in pairwise(times))
    floor.buy("0.010")
    assert [record["kind"] for record in floor.records[-5:-3]] == ["market", "order"]


def test_the_immediate_answer_knows_no_price_and_the_query_does(floor: Floor) -> None:
    """Placements and cancels lack avgPrice and cumQuote; GET order has them."""
    placed = floor.ok("POST", "order", **floor.market("BUY", "0.010"))
    assert (placed["status"], placed["executedQty"]) == ("NEW", "0")
    assert not {"avgPrice", "cumQuote"} & placed.keys()
    queried = floor.ok("GET", "order", symbol=SYMBOL, orderId=str(placed["orderId"]))
    assert (queried["avgPrice"], queried["cumQuote"]) == ("90000.1", "900.001")


@given(
    offers=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=8).map(
        lambda rows: sorted(set(rows))
    ),
    wanted=st.integers(1, 99),
    limit=st.integers(1, 50),
)
def test_a_limited_taker_never_pays_more_nor_gets_more(
    offers: list[tuple[int, int]], wanted: int, limit: int
) -> None:
    """Whatever the book, a taker with a limit stays inside it, its wish and what is offered."""
    asks = tuple((str(price), str(quantity)) for price, quantity in offers)
    market = step(bids=(("0.1", "1"),), asks=asks)
    got = walk(Side.BUY, Decimal(wanted), Decimal(limit), market)
    offered = sum(quantity for price, quantity in offers if price <= limit)
    assert sum(execution.quantity for execution in got) == min(wanted, offered)
    assert all(execution.price <= limit for execution in got)


def resting() -> Order:
    """A resting buy at 50; how much it wants is said elsewhere."""
    return Order(
        order_id=1,
        client_id="r",
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        price=Decimal(50),
        quantity=Decimal(1),
        reduce_only=False,
        created_ms=0,
        updated_ms=0,
    )


@given(
    quantities=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    wishes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_liquidity_is_given_once(quantities: list[int], wishes: list[int]) -> None:
    """All resting orders together get no more than the step offers."""
    asks = tuple((str(10 + index), str(quantity)) for index, quantity in enumerate(quantities))
    liquidity = Liquidity(step(bids=(("1", "1"),), asks=asks))
    given_away = sum(liquidity.take(resting(), Decimal(wish)) for wish in wishes)
    assert given_away == min(sum(quantities), sum(wishes))


def test_levels_of_the_helper_are_what_they_say() -> None:
    """The table's own helper keeps price and quantity apart."""
    (level,) = levels(("1.5", "2"))
    assert (level.price, level.quantity) == (Decimal("1.5"), Decimal(2))
