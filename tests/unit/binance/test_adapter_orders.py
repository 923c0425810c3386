"""Orders since a moment and forced orders: windows, full pages, what the venue itself made."""

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.binance import samples
from tests.unit.binance.venue import Asked, PatientClock, Reply, Venue, error

from jumar.exchange.binance import BinanceExchange
from jumar.model.errors import VenueUnavailable
from jumar.model.order import OrderReport, OrderStatus, OrderType, Side

ORDERS = "/fapi/v1/allOrders"
FORCED = "/fapi/v1/forceOrders"
DAY_MS = 24 * 60 * 60 * 1000

type Row = dict[str, Any]
type Cut = Callable[[list[Row], int], list[Row]]


def _order(number: int, time_ms: int, **changed: object) -> Row:
    return (
        samples.ORDER_READ | {"orderId": number, "time": time_ms, "updateTime": time_ms} | changed
    )


def _oldest(rows: list[Row], limit: int) -> list[Row]:
    return rows[:limit]


def _newest(rows: list[Row], limit: int) -> list[Row]:
    return rows[-limit:]


def _book(rows: list[Row], cut: Cut) -> Callable[[Asked], list[Row]]:
    """Answer like the venue: rows of the window, one end left out when they are too many."""

    def play(asked: Asked) -> list[Row]:
        start, end = int(asked.query["startTime"]), int(asked.query["endTime"])
        assert start < end
        assert end - start <= 7 * DAY_MS
        return cut([row for row in rows if start <= row["time"] <= end], int(asked.query["limit"]))

    return play


def _numbers(found: tuple[OrderReport, ...]) -> list[int]:
    return [int(report.venue_id) for report in found]


async def test_recent_orders_take_one_question(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A short span is one window; orders come back oldest first, ended ones and other people's included."""
    now = clock.now_ms()
    rows = [
        _order(9, now, clientOrderId="web_1", status="CANCELED"),
        _order(8, now - 5, status="NEW", executedQty="0"),
    ]
    venue.route("GET", ORDERS, rows)
    found = await exchange.orders_since("BTCUSDT", now - 1000)
    assert [(order.client_id, order.status) for order in found] == [
        (samples.ENTRY_ID, OrderStatus.NEW),
        ("web_1", OrderStatus.CANCELED),
    ]
    (asked,) = venue.requests("GET", ORDERS)
    assert (asked.query["symbol"], asked.query["limit"]) == ("BTCUSDT", "1000")
    assert int(asked.query["startTime"]) == now - 1000
    assert int(asked.query["endTime"]) >= now
    assert "orderId" not in asked.query


@pytest.mark.parametrize("path", [ORDERS, FORCED])
async def test_a_long_span_is_asked_in_windows(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, path: str
) -> None:
    """No window is longer than seven days, none is left out, and three months are the most."""
    now = clock.now_ms()
    venue.route("GET", path, [])
    read = exchange.orders_since if path == ORDERS else exchange.forced_orders
    assert await read("BTCUSDT", now - 400 * DAY_MS) == ()
    spans = [
        (int(one.query["startTime"]), int(one.query["endTime"]))
        for one in venue.requests("GET", path)
    ]
    assert all(0 < end - start <= 7 * DAY_MS for start, end in spans)
    pairs = itertools.pairwise(spans)
    assert all(following == end + 1 for (_, end), (following, _) in pairs)
    assert 88 * DAY_MS < now - spans[0][0] < 90 * DAY_MS
    assert spans[-1][1] >= now


@pytest.mark.parametrize("cut", [_oldest, _newest])
async def test_full_pages_of_orders_lose_nothing(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, cut: Cut
) -> None:
    """Whichever end of a window a full page leaves out, every order is found once."""
    start = clock.now_ms() - 6 * DAY_MS
    burst = [_order(number, start + number * 40) for number in range(1, 2401)]
    later = [_order(9000 + number, start + DAY_MS * number) for number in range(1, 6)]
    venue.route("GET", ORDERS, _book(burst + later, cut))
    found = await exchange.orders_since("BTCUSDT", start)
    assert _numbers(found) == [*range(1, 2401), *range(9001, 9006)]
    assert len(venue.requests("GET", ORDERS)) < 40


@pytest.mark.parametrize("cut", [_oldest, _newest])
async def test_full_pages_of_forced_orders_lose_nothing(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, cut: Cut
) -> None:
    """The smaller page of forced orders is continued in the same way; one client id may name them all."""
    start = clock.now_ms() - 6 * DAY_MS
    rows = [
        _order(number, start + number * 1000, clientOrderId="adl_autoclose")
        for number in range(1, 251)
    ]
    venue.route("GET", FORCED, _book(rows, cut))
    assert _numbers(await exchange.forced_orders("BTCUSDT", start)) == list(range(1, 251))
    assert {one.query["limit"] for one in venue.requests("GET", FORCED)} == {"100"}


@pytest.mark.parametrize("path", [ORDERS, FORCED])
async def test_a_venue_that_does_not_heed_the_times_is_no_answer(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, path: str
) -> None:
    """The same full page for every window ends in an error after a bounded number of questions."""
    now = clock.now_ms()
    venue.route("GET", path, [_order(number, now) for number in range(1, 1001)])
    read = exchange.orders_since if path == ORDERS else exchange.forced_orders
    with pytest.raises(VenueUnavailable, match="cannot be completed"):
        await read("BTCUSDT", now - DAY_MS)
    assert len(venue.requests("GET", path)) <= 100


@pytest.mark.rule("Y-2")
async def test_forced_orders_are_known_by_their_client_ids(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A liquidation and an auto-deleveraging come back as orders with the venue's own client ids."""
    now = clock.now_ms()
    forced = {
        "type": "LIMIT",
        "side": "SELL",
        "timeInForce": "IOC",
        "avgPrice": "10913.21000",
        "executedQty": "0.001",
        "reduceOnly": False,
    }
    rows = [
        _order(6072734303, now, **forced | {"clientOrderId": "adl_autoclose"}),
        _order(6071832819, now - 9, **forced | {"clientOrderId": "autoclose-1596107620040000020"}),
    ]
    for row in rows:
        del row["priceProtect"]
    venue.route("GET", FORCED, rows)
    liquidated, deleveraged = await exchange.forced_orders("BTCUSDT", now - 1000)
    assert liquidated.client_id == "autoclose-1596107620040000020"
    assert deleveraged.client_id == "adl_autoclose"
    assert (liquidated.type, liquidated.side) == (OrderType.LIMIT, Side.SELL)
    assert (liquidated.average_price, liquidated.filled_quantity) == (
        Decimal("10913.21"),
        Decimal("0.001"),
    )


@pytest.mark.parametrize("path", [ORDERS, FORCED])
async def test_a_failed_page_fails_the_whole_list(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, path: str
) -> None:
    """A list with a hole is never returned: the error of any window is the error of the reading."""
    replies: Iterator[Reply] = iter([[_order(1, 1)], error(503, -1001)])
    venue.route("GET", path, lambda _: next(replies))
    read = exchange.orders_since if path == ORDERS else exchange.forced_orders
    with pytest.raises(VenueUnavailable, match="-1001"):
        await read("BTCUSDT", clock.now_ms() - 10 * DAY_MS)
