"""Lanes and costs, and the adapter that heeds them: what has no room is not sent, and nothing of it is unknown."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import (
    KEYS,
    LISTEN_KEY,
    ORDER,
    SOCKET_API,
    Listener,
    PatientClock,
    Silence,
    Venue,
    error,
)

from jumar.exchange.binance import BinanceExchange, lanes, rest
from jumar.exchange.binance.lanes import UNLISTED, Cost, Lane, cost_of, lane_of, socket_cost_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.server.ws_api import METHODS
from jumar.model.errors import VenueUnavailable
from jumar.model.order import Channel, OrderRequest, Role
from jumar.model.outcome import Accepted, Outcome, Rejected

pytestmark = pytest.mark.rule("W-4")

ACCOUNT = "/fapi/v3/account"
CONDITIONAL = "/fapi/v1/algoOrder"
LISTED = {"symbol": "BTCUSDT"}
STAMP = 1_764_929_100_000


def test_a_role_has_its_lane() -> None:
    """Stops and the full exit protect, targets and the zone exit are exits, an entry is an entry."""
    found = {role: lane_of(role) for role in Role}
    assert found == {
        Role.ENTRY: Lane.ENTRY,
        Role.STOP: Lane.PROTECT,
        Role.BACKSTOP: Lane.PROTECT,
        Role.FULL_EXIT: Lane.PROTECT,
        Role.TP1: Lane.EXIT,
        Role.TP2: Lane.EXIT,
        Role.ZONE_EXIT: Lane.EXIT,
    }


def test_the_costs_are_those_of_the_exchange() -> None:
    """Every request of the table costs what the simulated exchange, which shares no code, counts for it."""
    routes = Exchange(symbols=["BTCUSDT"], balance=Decimal(1000), account="a", now_ms=0)._routes
    compared = 0
    for request, cost in lanes._COSTS.items():
        if "listenKey" in request[1]:
            continue  # the simulated one has it elsewhere, for nothing
        route = routes[request]
        assert (request, cost) == (request, Cost(route.weight(Params(LISTED)), route.orders[0]))
        compared += 1
    assert compared > 20


def test_both_ways_cost_the_same() -> None:
    """A request of the WebSocket API costs what its twin over HTTP does."""
    for method, cost in lanes._SOCKET_COSTS.items():
        assert cost == cost_of(*METHODS[method])


def test_what_is_not_listed_costs_something() -> None:
    """A request that nobody put into the table is not free."""
    assert cost_of("GET", "/fapi/v1/new") == socket_cost_of("new") == UNLISTED


async def _place(
    exchange: BinanceExchange, request: OrderRequest = samples.ENTRY_REQUEST
) -> Outcome:
    return await exchange.place(request, timestamp_ms=STAMP, timeout_ms=5000)


async def _cancel(exchange: BinanceExchange) -> Outcome:
    return await exchange.cancel(
        "BTCUSDT", Channel.REGULAR, samples.ENTRY_ID, timestamp_ms=STAMP, timeout_ms=5000
    )


def _used(exchange: BinanceExchange, clock: PatientClock, **headers: int) -> None:
    """Have the venue state its limits and counts."""
    exchange.counters._limit("REQUEST_WEIGHT", "1m", 2400)
    exchange.counters._limit("ORDERS", "1m", 1200)
    names = {"weight": "X-MBX-USED-WEIGHT-1M", "orders": "X-MBX-ORDER-COUNT-1M"}
    told = {names[name]: str(count) for name, count in headers.items()}
    exchange.counters.read_headers(told, clock.now_ms())


def _answers(venue: Venue) -> None:
    def answer(frame: dict[str, object]) -> dict[str, object]:
        conditional = str(frame["method"]).startswith("algo")
        result = samples.ALGO_PLACED if conditional else samples.ORDER_ANSWER
        return {"id": frame["id"], "status": 200, "result": result, "rateLimits": []}

    venue.on_frame = answer


async def test_a_read_without_room_is_not_asked(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """It is raised at once, says until when, and reaches nobody; what protects is sent."""
    _answers(venue)
    _used(exchange, clock, weight=2300)
    with pytest.raises(VenueUnavailable, match="not sent: 2300 of 2400") as caught:
        await exchange.balance()
    assert 0 < (caught.value.retry_after_s or 0) <= 60
    assert not venue.requests("GET", ACCOUNT)
    assert isinstance(await _place(exchange, samples.STOP_REQUEST), Accepted)


@pytest.mark.rule("X-3")
async def test_a_write_without_room_is_rejected_and_sent_by_no_way(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Neither over the socket nor over REST, and never unknown: entries end first, then cancels."""
    _answers(venue)
    _used(exchange, clock, weight=2376, orders=800)
    for outcome in (await _place(exchange), await _cancel(exchange)):
        assert isinstance(outcome, Rejected)
        assert outcome.code == -1003
        assert outcome.message.startswith("not sent: ")
    assert not venue.frames
    assert not venue.requests("POST", ORDER) + venue.requests("DELETE", ORDER)


def _too_many(**headers: str) -> Callable[[object], web.Response]:
    return lambda _: error(429, -1003, "Too many requests.", **headers)


async def test_after_a_429_only_what_protects_is_sent(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """One refused read silences reads and entries for as long as the venue says; the stop goes out."""
    _answers(venue)
    venue.route("GET", ACCOUNT, _too_many(**{"Retry-After": "30"}))
    for _ in range(3):
        with pytest.raises(VenueUnavailable):
            await exchange.balance()
    assert len(venue.requests("GET", ACCOUNT)) == 1
    assert isinstance(await _place(exchange), Rejected)
    assert not venue.frames
    assert isinstance(await _place(exchange, samples.STOP_REQUEST), Accepted)
    assert exchange.budget().silent_until_ms == exchange.counters.silent_until_ms > 0


async def test_after_a_418_nothing_is_sent(exchange: BinanceExchange, venue: Venue) -> None:
    """A ban told over either way holds for both, what protects included, which is told what it is."""
    _answers(venue)
    venue.on_frame = lambda frame: {
        "id": frame["id"],
        "status": 418,
        "error": {"code": -1003, "msg": "Way too many requests; IP banned."},
    }
    assert isinstance(await _place(exchange), Rejected)
    sent = len(venue.asked), len(venue.frames)
    outcome = await _place(exchange, samples.STOP_REQUEST)
    assert isinstance(outcome, Rejected)
    assert "this address is banned until" in outcome.message
    with pytest.raises(VenueUnavailable, match="banned"):
        await exchange.open_orders("BTCUSDT")
    assert (len(venue.asked), len(venue.frames)) == sent


async def test_a_banned_address_does_not_knock_either(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A socket that ends during a ban is opened again after it, not before; the engine's tasks live on."""
    opened, keys = len(venue.opened(SOCKET_API)), len(venue.requests("POST", LISTEN_KEY))
    exchange.counters._ban(clock.now_ms() + 60_000)
    for path in (SOCKET_API, "/private/ws"):
        await venue.opened(path)[-1].close()
    before = len(clock.slept)
    await clock.changed.until(lambda: len(clock.slept) > before + 20)
    assert len(venue.opened(SOCKET_API)) == opened
    assert len(venue.requests("POST", LISTEN_KEY)) == keys
    exchange.counters.banned_until_ms = 0
    await venue.until(lambda: len(venue.opened(SOCKET_API)) > opened)
    await venue.until(lambda: len(venue.requests("POST", LISTEN_KEY)) > keys)


async def test_questions_without_an_answer_leave_a_connection_to_what_protects(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """More of them than there are connections hang, the socket is away: the stop goes out over REST at once."""

    def silent(_: object) -> web.Response:
        raise Silence

    venue.route("GET", ACCOUNT, silent)
    venue.route("POST", CONDITIONAL, samples.ALGO_PLACED)
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    before = len(clock.slept)
    await venue.opened(SOCKET_API)[-1].close()
    await clock.changed.until(lambda: len(clock.slept) > before)
    hanging = [asyncio.create_task(exchange.balance()) for _ in range(2 * rest.CONNECTIONS_MAX)]
    await venue.until(lambda: len(venue.requests("GET", ACCOUNT)) >= rest.QUESTIONS_MAX)
    placed = await exchange.place(samples.STOP_REQUEST, timestamp_ms=STAMP, timeout_ms=800)
    assert isinstance(placed, Accepted)
    assert len(venue.requests("GET", ACCOUNT)) == rest.QUESTIONS_MAX
    for question in hanging:
        question.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_without_a_socket_the_lanes_are_the_same(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Over REST an entry is kept back as well, and counted once."""
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    before = len(clock.slept)
    await venue.opened(SOCKET_API)[-1].close()
    await clock.changed.until(lambda: len(clock.slept) > before)
    venue.route("POST", ORDER, samples.ORDER_ANSWER)
    _used(exchange, clock, orders=719)
    assert isinstance(await _place(exchange), Accepted)
    assert isinstance(await _place(exchange), Rejected)
    assert len(venue.requests("POST", ORDER)) == 1


async def test_prices_of_the_book_correct_no_weight(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """The venue tells a wrong used weight with them."""
    _used(exchange, clock, weight=10)
    path = "/fapi/v1/ticker/bookTicker"
    headers = {"X-MBX-USED-WEIGHT-1M": "2399"}
    venue.route("GET", path, lambda _: web.json_response(samples.BOOK_TICKER, headers=headers))
    await exchange.quote("BTCUSDT")
    assert exchange.counters.rest_weight["1m"] != 2399


@pytest.mark.rule("Y-9")
async def test_a_start_in_a_minute_that_is_used_up_begins(
    venue: Venue, clock: PatientClock, heard: Listener
) -> None:
    """Restarts and others behind the address have used what questions may: a position waits for none of it."""
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400}
    ]
    info = {"symbols": [samples.SYMBOL_INFO], "rateLimits": limits}
    used = {"X-MBX-USED-WEIGHT-1M": "2300"}
    path = "/fapi/v1/exchangeInfo"
    venue.route("GET", path, lambda _: web.json_response(info, headers=used))
    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)
    try:
        await adapter.start(["BTCUSDT"], heard)
        assert (await adapter.instruments())["BTCUSDT"].taker_fee == Decimal("0.0005")
        assert not venue.requests("GET", "/fapi/v1/commissionRate")
        for lists in (adapter.open_orders, adapter.open_conditional_orders):
            venue.route("GET", "/fapi/v1/openOrders", [])
            venue.route("GET", "/fapi/v1/openAlgoOrders", [])
            assert await lists("BTCUSDT") == ()
            with pytest.raises(VenueUnavailable, match="read may use 2160"):
                await lists("BTCUSDT")
    finally:
        await adapter.close()
