"""Writes over real sockets: sent once, one way, and classified."""

import asyncio
import json
from decimal import Decimal

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import (
    KEYS,
    ORDER,
    SOCKET_API,
    TIME,
    Asked,
    Frame,
    Listener,
    PatientClock,
    Reset,
    Silence,
    Venue,
    error,
)

from jumar.exchange.binance import BinanceExchange
from jumar.exchange.binance.signing import Signer
from jumar.model.account import MarginMode
from jumar.model.order import Channel, OrderRequest, Role, Side
from jumar.model.order import OrderType as Type
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.ports.clock import SystemClock

STAMP = 1_764_929_100_000
SERVER_ERRORS = [
    (-1000, "Unknown error, please check your request or try again later.", "execution unknown"),
    (-1016, "Service Unavailable.", "service unavailable"),
    (-1001, "Internal error; unable to process your request.", "internal error"),
    (-1008, "Request throttled by system-level protection.", "throttled by system protection"),
]


def _answer(result: object) -> Frame:
    return {"status": 200, "result": result, "rateLimits": []}


def _play(venue: Venue, answer: Frame | None) -> None:
    venue.on_frame = lambda frame: None if answer is None else answer | {"id": frame["id"]}


async def _place(exchange: BinanceExchange, timeout_ms: int = 5000) -> Outcome:
    return await exchange.place(samples.ENTRY_REQUEST, timestamp_ms=STAMP, timeout_ms=timeout_ms)


async def _without_socket(exchange: BinanceExchange, venue: Venue, clock: PatientClock) -> None:
    """Break the order socket and keep it broken."""
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    before = len(clock.slept)
    await venue.opened(SOCKET_API)[-1].close()
    await clock.changed.until(lambda: len(clock.slept) > before)


@pytest.mark.rule("X-3", "W-2")
async def test_an_order_goes_over_the_socket_once(exchange: BinanceExchange, venue: Venue) -> None:
    """A placement is one signed frame with integers as numbers and decimals as text, and no HTTP request."""
    _play(venue, _answer(samples.ORDER_ANSWER))
    outcome = await _place(exchange)
    assert isinstance(outcome, Accepted)
    assert outcome.report is not None
    assert outcome.report.client_id == samples.ENTRY_ID
    (frame,) = venue.frames
    params = frame["params"]
    assert frame["method"] == "order.place"
    assert (params["timestamp"], params["recvWindow"]) == (STAMP, 3000)
    assert (params["quantity"], params["price"]) == ("0.013", "90786.6")
    unsigned = {name: value for name, value in params.items() if name != "signature"}
    payload = "&".join(f"{name}={unsigned[name]}" for name in sorted(unsigned))
    assert params["signature"] == Signer(KEYS).sign(payload)
    assert not venue.requests("POST", ORDER)


@pytest.mark.rule("S-11")
async def test_a_stop_goes_to_the_conditional_method(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A stop is placed by algoOrder.place and its echo comes back."""
    _play(venue, _answer(samples.ALGO_PLACED))
    outcome = await exchange.place(samples.STOP_REQUEST, timestamp_ms=STAMP, timeout_ms=5000)
    assert isinstance(outcome, Accepted)
    assert outcome.report is not None
    assert outcome.report.channel is Channel.CONDITIONAL
    assert [frame["method"] for frame in venue.frames] == ["algoOrder.place"]


@pytest.mark.rule("X-3")
async def test_answers_are_matched_by_id(exchange: BinanceExchange, venue: Venue) -> None:
    """Two requests under way get their own answers, in whatever order these come."""
    first = asyncio.create_task(_place(exchange))
    second = asyncio.create_task(
        exchange.place(samples.STOP_REQUEST, timestamp_ms=STAMP, timeout_ms=5000)
    )
    await venue.until(lambda: len(venue.frames) == 2)
    by_method = {frame["method"]: frame["id"] for frame in venue.frames}
    stop = _answer(samples.ALGO_PLACED) | {"id": by_method["algoOrder.place"]}
    refusal = {
        "id": by_method["order.place"],
        "status": 400,
        "error": {"code": -5022, "msg": "Post Only order will be rejected."},
    }
    await venue.push(SOCKET_API, {"id": "999", "status": 200, "result": {}})
    await venue.push(SOCKET_API, "no json")
    await venue.push(SOCKET_API, stop)
    await venue.push(SOCKET_API, refusal)
    assert isinstance(await second, Accepted)
    assert await first == Rejected(code=-5022, message="Post Only order will be rejected.")


@pytest.mark.rule("X-3")
async def test_no_answer_in_time_is_unknown(exchange: BinanceExchange, venue: Venue) -> None:
    """After its timeout a request is unknown, is not repeated, and its late answer disturbs nobody."""
    _play(venue, None)
    outcome = await _place(exchange, timeout_ms=30)
    assert isinstance(outcome, Unknown)
    assert "30 ms" in outcome.reason
    late = _answer(samples.ORDER_ANSWER) | {"id": venue.frames[0]["id"]}
    await venue.push(SOCKET_API, late)
    await venue.until(lambda: len(venue.opened(SOCKET_API)) == 2)
    assert len(venue.frames) == 1
    assert not venue.requests("POST", ORDER)


@pytest.mark.rule("X-3", "P-1")
async def test_after_an_unanswered_request_the_next_goes_over_rest(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A socket may be dead for long before it is found out: a stop does not wait for that."""
    _play(venue, None)
    venue.route("POST", ORDER, samples.ORDER_ANSWER)
    assert isinstance(await _place(exchange, timeout_ms=30), Unknown)
    assert isinstance(await _place(exchange), Accepted)
    assert len(venue.frames) == 1
    assert len(venue.requests("POST", ORDER)) == 1
    await venue.until(lambda: len(venue.opened(SOCKET_API)) == 2)


@pytest.mark.rule("X-3")
async def test_a_socket_lost_after_the_send_is_unknown(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A socket that breaks after the send leaves the outcome unknown; nothing is sent again, no other way."""

    def reset(_: Frame) -> Frame:
        raise Reset

    venue.on_frame = reset
    outcome = await _place(exchange)
    assert isinstance(outcome, Unknown)
    assert "lost" in outcome.reason
    await venue.until(lambda: len(venue.opened(SOCKET_API)) == 2)
    assert len(venue.frames) == 1
    assert not venue.requests("POST", ORDER)


@pytest.mark.rule("X-3")
async def test_without_a_socket_the_order_goes_over_rest(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """When the socket is down before the send, REST carries the same order with the same timestamp."""
    venue.route("POST", ORDER, samples.ORDER_ANSWER)
    await _without_socket(exchange, venue, clock)
    assert isinstance(await _place(exchange), Accepted)
    (asked,) = venue.requests("POST", ORDER)
    assert asked.query["timestamp"] == str(STAMP)
    assert asked.query["newClientOrderId"] == samples.ENTRY_ID
    assert not venue.frames


def _raise(wish: type[Exception]) -> web.Response:
    raise wish


SERVICE = "Service Unavailable."


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(
    "reply",
    [
        lambda: error(503, -1000, "Unknown error, please check your request or try again later."),
        lambda: error(503, -1016, SERVICE),
        lambda: web.Response(status=503, text=SERVICE),
        lambda: error(503, -1001, "Internal error; unable to process your request."),
        lambda: error(503, -1008, "Request throttled by system-level protection."),
        lambda: error(408, -1007),
        lambda: web.Response(status=403, text="<html>"),
        lambda: web.Response(text="<html>"),
        lambda: web.Response(status=307, headers={"Location": "/elsewhere"}),
        lambda: _raise(Reset),
        lambda: _raise(Silence),
    ],
    ids=["503A", "503B", "503B text", "503C", "503D", "408", "403", "html", "307", "reset", "slow"],
)
async def test_over_rest_every_unclear_end_is_unknown(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, reply: object
) -> None:
    """Each kind of server error, a reset, silence and a redirect leave the order unknown and sent once."""
    assert callable(reply)
    venue.route("POST", ORDER, lambda _: reply())
    await _without_socket(exchange, venue, clock)
    assert isinstance(await _place(exchange, timeout_ms=200), Unknown)
    assert len(venue.requests("POST", ORDER)) == 1
    assert not venue.requests("GET", "/elsewhere")


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(("status", "code"), [(400, -2019), (429, -1015), (418, -1003)])
async def test_over_rest_a_clear_refusal_is_rejected(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, status: int, code: int
) -> None:
    """A 4xx with a code that excludes an execution is a rejection."""
    venue.route("POST", ORDER, lambda _: error(status, code, "words"))
    await _without_socket(exchange, venue, clock)
    assert await _place(exchange) == Rejected(code=code, message="words")


@pytest.mark.rule("X-3")
async def test_a_cancel_that_breaks_is_not_sent_again(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """A reset DELETE is unknown: a second one would say "unknown order" about a cancel that worked."""

    def reset(_: Asked) -> web.Response:
        raise Reset

    venue.route("DELETE", ORDER, reset)
    await _without_socket(exchange, venue, clock)
    outcome = await exchange.cancel(
        "BTCUSDT", Channel.REGULAR, samples.ENTRY_ID, timestamp_ms=STAMP, timeout_ms=2000
    )
    assert isinstance(outcome, Unknown)
    assert len(venue.requests("DELETE", ORDER)) == 1


@pytest.mark.rule("X-3", "X-7")
async def test_cancels_name_the_order_and_prove_its_end(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Each kind of cancel goes by its own method, signed with the caller's time; "unknown order" is a rejection."""

    def play(frame: Frame) -> Frame:
        result: dict[str, object] = samples.ORDER_ANSWER | {"status": "CANCELED"}
        if frame["method"] == "algoOrder.cancel":
            result = {"algoId": 1, "clientAlgoId": samples.STOP_ID, "code": "200", "msg": "success"}
        return _answer(result) | {"id": frame["id"]}

    venue.on_frame = play
    outcomes = [
        await exchange.cancel(
            "BTCUSDT", Channel.REGULAR, samples.ENTRY_ID, timestamp_ms=STAMP, timeout_ms=2000
        ),
        await exchange.cancel(
            "BTCUSDT", Channel.CONDITIONAL, samples.STOP_ID, timestamp_ms=STAMP, timeout_ms=2000
        ),
        await exchange.cancel_by_venue_id(
            "BTCUSDT", "22542179", timestamp_ms=STAMP, timeout_ms=2000
        ),
    ]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    methods = [frame["method"] for frame in venue.frames]
    assert methods == ["order.cancel", "algoOrder.cancel", "order.cancel"]
    assert {frame["params"]["timestamp"] for frame in venue.frames} == {STAMP}
    assert venue.frames[2]["params"]["orderId"] == 22542179
    _play(venue, {"status": 400, "error": {"code": -2011, "msg": "Unknown order sent."}})
    outcome = await exchange.cancel(
        "BTCUSDT", Channel.REGULAR, samples.ENTRY_ID, timestamp_ms=STAMP, timeout_ms=2000
    )
    assert outcome == Rejected(code=-2011, message="Unknown order sent.")


async def test_settings_are_set_and_already_set_is_accepted(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Leverage and margin mode go over REST; "no need to change" is success."""
    venue.route("POST", "/fapi/v1/leverage", {"leverage": 5, "symbol": "BTCUSDT"})
    venue.route("POST", "/fapi/v1/marginType", error(400, -4046, "No need to change margin type."))
    assert await exchange.set_leverage("BTCUSDT", 5, timestamp_ms=STAMP) == Accepted()
    outcome = await exchange.set_margin_mode("BTCUSDT", MarginMode.ISOLATED, timestamp_ms=STAMP)
    assert outcome == Accepted(already=True)
    venue.route("POST", "/fapi/v1/marginType", {"code": 200, "msg": "success"})
    assert (
        await exchange.set_margin_mode("BTCUSDT", MarginMode.ISOLATED, timestamp_ms=STAMP)
        == Accepted()
    )


@pytest.mark.rule("E-7", "X-7")
async def test_a_countdown_goes_over_rest_and_its_answer_must_be_its_own(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Another symbol's, or another time, proves nothing."""
    path = "/fapi/v1/countdownCancelAll"
    venue.route("POST", path, {"symbol": "BTCUSDT", "countdownTime": "60000"})
    assert (
        await exchange.set_countdown("BTCUSDT", 60_000, timestamp_ms=STAMP, timeout_ms=2000)
        == Accepted()
    )
    (asked,) = venue.requests("POST", path)
    assert "symbol=BTCUSDT&countdownTime=60000" in str(asked)
    assert f"timestamp={STAMP}" in str(asked)
    for symbol, lasts_ms in (("ETHUSDT", 60_000), ("BTCUSDT", 0)):
        outcome = await exchange.set_countdown(
            symbol, lasts_ms, timestamp_ms=STAMP, timeout_ms=2000
        )
        assert isinstance(outcome, Unknown)
    venue.route("POST", path, error(400, -1121, "Invalid symbol."))
    outcome = await exchange.set_countdown("BTCUSDT", 60_000, timestamp_ms=STAMP, timeout_ms=2000)
    assert outcome == Rejected(code=-1121, message="Invalid symbol.")


@pytest.mark.rule("S-11")
async def test_what_contradicts_itself_is_refused_unsent(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A request that cannot be written is rejected with code 0 and never leaves."""
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=samples.STOP_ID,
        role=Role.STOP,
        side=Side.SELL,
        type=Type.STOP_MARKET,
        quantity=Decimal(1),
        reduce_only=True,
    )
    outcome = await exchange.place(request, timestamp_ms=STAMP, timeout_ms=1000)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, "trigger_price" in outcome.message) == (0, True)
    child = await exchange.cancel_by_venue_id("BTCUSDT", "abc", timestamp_ms=STAMP, timeout_ms=1000)
    assert isinstance(child, Rejected)
    assert not venue.frames


async def test_the_counters_of_socket_answers_are_kept(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Order counts and weight of the WebSocket API are read from its answers."""
    limits = [
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": 300,
            "count": 3,
        },
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": 2400,
            "count": 9,
        },
    ]
    _play(venue, _answer(samples.ORDER_ANSWER) | {"rateLimits": limits})
    await _place(exchange)
    assert exchange.counters.orders["10s"] == 3
    assert exchange.counters.socket_weight == {"1m": 9}
    until_ms = SystemClock().now_ms() + 300_000
    banned = {"code": -1003, "msg": f"Way too many requests; IP banned until {until_ms}."}
    _play(venue, {"status": 418, "error": banned})
    assert isinstance(await _place(exchange), Rejected)
    assert exchange.counters.banned_until_ms == until_ms


@pytest.mark.rule("X-3")
async def test_an_announced_shutdown_moves_orders_to_rest(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """After the venue's announcement nothing new is sent on that socket, and a new one is opened."""
    pending = asyncio.create_task(_place(exchange))
    await venue.until(lambda: venue.frames)
    venue.route("POST", ORDER, samples.ORDER_ANSWER)
    await venue.push(SOCKET_API, {"event": {"e": "serverShutdown", "E": 1}})
    measured = len(venue.requests("GET", TIME))
    # A refused timestamp makes the adapter measure its clock: by then it has read what came before.
    refusal = {"id": "0", "status": 400, "error": {"code": -1021, "msg": "outside recvWindow"}}
    await venue.push(SOCKET_API, refusal)
    await venue.until(lambda: len(venue.requests("GET", TIME)) > measured)
    assert isinstance(await _place(exchange), Accepted)
    assert len(venue.requests("POST", ORDER)) == 1
    await venue.push(SOCKET_API, _answer(samples.ORDER_ANSWER) | {"id": venue.frames[0]["id"]})
    assert isinstance(await pending, Accepted)
    await venue.until(lambda: len(venue.opened(SOCKET_API)) == 2)


async def test_a_caller_that_is_cancelled_leaves_nothing_waiting(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Cancelling a request under way does not disturb the next one."""
    pending = asyncio.create_task(_place(exchange))
    await venue.until(lambda: venue.frames)
    pending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pending
    _play(venue, _answer(json.loads(json.dumps(samples.ORDER_ANSWER))))
    assert isinstance(await _place(exchange), Accepted)


@pytest.mark.rule("X-3")
@pytest.mark.parametrize("kind", SERVER_ERRORS)
async def test_a_server_error_is_unknown_and_says_its_kind(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock, kind: tuple[int, str, str]
) -> None:
    """The four kinds of 503 leave an order unknown over socket and REST, sent once, and the reason tells which."""
    code, msg, words = kind
    _play(venue, {"status": 503, "error": {"code": code, "msg": msg}})
    over_socket = await _place(exchange)
    assert len(venue.frames) == 1
    await _without_socket(exchange, venue, clock)
    venue.route("POST", ORDER, lambda _: error(503, code, msg))
    over_rest = await _place(exchange)
    assert len(venue.requests("POST", ORDER)) == 1
    for outcome in (over_socket, over_rest):
        assert isinstance(outcome, Unknown)
        assert outcome.reason == f"HTTP 503 ({words}), {code}: {msg}"
