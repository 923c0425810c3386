"""Streams: events in order, reconnects for every reason, and nothing that is fatal."""

import copy
from decimal import Decimal

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import (
    KEYS,
    LISTEN_KEY,
    MARKET,
    PRIVATE,
    PUBLIC,
    Asked,
    Listener,
    PatientClock,
    Reset,
    Venue,
    error,
)

from jumar.exchange.binance import BinanceExchange, sockets, streams
from jumar.exchange.binance.rest import open_session
from jumar.exchange.binance.streams import FrameReader, MarketStreams
from jumar.ports.exchange import (
    BalanceEvent,
    LastPriceEvent,
    MarkEvent,
    OrderEvent,
    PositionEvent,
    QuoteEvent,
    SettingsEvent,
    StreamEvent,
    VenueEvent,
)


def _kinds(heard: Listener) -> list[type[VenueEvent]]:
    return [type(event) for event in heard.events if not isinstance(event, StreamEvent)]


def _connections(heard: Listener) -> list[bool]:
    return [event.connected for event in heard.events if isinstance(event, StreamEvent)]


def _listen_keys(venue: Venue) -> list[str]:
    return [asked.query["listenKey"] for asked in venue.requests("GET", PRIVATE)]


async def test_user_events_come_in_the_order_of_their_frames(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """Each frame of the user stream becomes its events; unknown kinds are passed over."""
    for frame in (
        samples.ACCOUNT_UPDATE,
        samples.ORDER_TRADE_UPDATE,
        {"e": "TRADE_LITE"},
        samples.ALGO_UPDATE,
        samples.LEVERAGE_UPDATE,
    ):
        await venue.push(PRIVATE, frame)
    await heard.until(lambda: len(_kinds(heard)) == 5)
    assert _kinds(heard) == [PositionEvent, BalanceEvent, OrderEvent, OrderEvent, SettingsEvent]


async def test_market_events_come_from_both_paths(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """Best prices come from the public path, mark and last price from the market path."""
    await venue.push(PUBLIC, samples.BOOK_EVENT)
    await venue.push(MARKET, samples.MARK_EVENT)
    await venue.push(MARKET, samples.TRADE_EVENT)
    await heard.until(lambda: len(_kinds(heard)) == 3)
    assert set(_kinds(heard)) == {QuoteEvent, MarkEvent, LastPriceEvent}


async def test_other_symbols_are_left_out(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """Events of a symbol that is not managed do not reach the engine."""
    foreign = copy.deepcopy(samples.ORDER_TRADE_UPDATE)
    foreign["o"]["s"] = "XRPUSDT"
    await venue.push(PRIVATE, foreign)
    await venue.push(PRIVATE, samples.LEVERAGE_UPDATE)
    await heard.until(lambda: _kinds(heard))
    assert _kinds(heard) == [SettingsEvent]


async def test_an_unreadable_frame_is_counted_and_passed_over(
    exchange: BinanceExchange, venue: Venue, heard: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    """Broken frames are logged with their number and do not disturb the next one."""
    for broken in ("no json", '{"e":"ORDER_TRADE_UPDATE"}', '{"e":"ACCOUNT_UPDATE","T":1,"a":7}'):
        await venue.push(PRIVATE, broken)
    await venue.push(PRIVATE, samples.ALGO_UPDATE)
    await heard.until(lambda: _kinds(heard))
    assert _kinds(heard) == [OrderEvent]
    assert _connections(heard) == [True]
    assert exchange.unreadable_frames == 3
    assert "frame_unreadable" in capsys.readouterr().out


@pytest.mark.rule("W-1")
async def test_a_closed_user_stream_comes_back_and_says_so(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """A close is reported, and so is the new connection: everything must be read again."""
    await venue.opened(PRIVATE)[-1].close()
    await heard.until(lambda: _connections(heard) == [True, False, True])
    assert len(venue.requests("POST", LISTEN_KEY)) == 2


@pytest.mark.rule("W-1")
async def test_an_expired_key_is_replaced(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """ListenKeyExpired leads to a new key and a new connection although the socket is still open."""
    venue.route("POST", LISTEN_KEY, {"listenKey": "second"})
    await venue.push(PRIVATE, samples.KEY_EXPIRED)
    await heard.until(lambda: _connections(heard) == [True, False, True])
    assert _listen_keys(venue) == ["first", "second"]


async def test_a_key_is_kept_alive(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """After twenty minutes the key is extended, and nothing else happens."""
    assert streams.KEEPALIVE_S in clock.slept
    clock.release()
    await venue.until(lambda: venue.requests("PUT", LISTEN_KEY))
    assert _listen_keys(venue) == ["first"]


def _unknown_key(_: Asked) -> web.Response:
    return error(400, -1125, "This listenKey does not exist.")


def _other_key(_: Asked) -> dict[str, str]:
    return {"listenKey": "other"}


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("reply", [_unknown_key, _other_key])
async def test_a_lost_key_is_noticed_at_the_extension(
    exchange: BinanceExchange,
    venue: Venue,
    clock: PatientClock,
    heard: Listener,
    reply: object,
) -> None:
    """A key that the venue no longer knows, or another one in its place, means a new connection."""
    assert callable(reply)
    venue.route("PUT", LISTEN_KEY, reply)
    venue.route("POST", LISTEN_KEY, {"listenKey": "second"})
    clock.release()
    await heard.until(lambda: _connections(heard) == [True, False, True])
    assert _listen_keys(venue) == ["first", "second"]


async def test_a_failed_extension_is_tried_again_soon(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """Without an answer the key is extended again after a minute; the stream stays."""

    def reset(_: Asked) -> web.Response:
        raise Reset

    venue.route("PUT", LISTEN_KEY, reset)
    clock.release()
    await venue.until(lambda: venue.requests("PUT", LISTEN_KEY))
    venue.route("PUT", LISTEN_KEY, {"listenKey": "first"})
    clock.release()
    await venue.until(lambda: len(venue.requests("PUT", LISTEN_KEY)) == 2)
    assert streams.KEEPALIVE_RETRY_S in clock.slept
    assert _listen_keys(venue) == ["first"]


async def test_a_listener_that_fails_costs_a_reconnect_and_not_the_stream(
    venue: Venue, clock: PatientClock, heard: Listener
) -> None:
    """A bug in whoever listens leads to a new connection, after which events flow again."""
    failures = [RuntimeError("a bug")]

    def sink(event: VenueEvent) -> None:
        if isinstance(event, OrderEvent) and failures:
            raise failures.pop()
        heard(event)

    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)
    try:
        await adapter.start(["BTCUSDT"], sink)
        await venue.push(PRIVATE, samples.ALGO_UPDATE)
        await heard.until(lambda: _connections(heard) == [True, False, True])
        await venue.push(PRIVATE, samples.ALGO_UPDATE)
        await heard.until(lambda: _kinds(heard) == [OrderEvent])
    finally:
        await adapter.close()


@pytest.mark.rule("W-1")
async def test_a_user_stream_that_is_dead_without_a_word_is_reported_and_replaced(
    venue: Venue, clock: PatientClock, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No close, no reset, no event to miss: pings that nobody answers tell, long before the venue's three minutes."""
    assert sockets.HEARTBEAT_S * 1.5 < 180
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 0.05)
    venue.answers_pings = False
    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)
    try:
        await adapter.start(["BTCUSDT"], heard)
        await heard.until(lambda: _connections(heard)[:3] == [True, False, True])
        assert len(venue.requests("POST", LISTEN_KEY)) >= 2
    finally:
        await adapter.close()


@pytest.mark.rule("W-1")
async def test_doubled_frames_are_told_as_they_come(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """The adapter drops nothing and reorders nothing: what is older or told twice is the engine's to see."""
    newer = copy.deepcopy(samples.ORDER_TRADE_UPDATE)
    newer["E"] += 5
    newer["T"] += 5
    for frame in (newer, samples.ORDER_TRADE_UPDATE, samples.ORDER_TRADE_UPDATE):
        await venue.push(PRIVATE, frame)
    await heard.until(lambda: len(_kinds(heard)) == 3)
    first, second, third = (event for event in heard.events if isinstance(event, OrderEvent))
    assert second == third
    assert first.at_ms == second.at_ms + 5


@pytest.mark.rule("W-1")
async def test_silent_market_data_is_reconnected(
    venue: Venue, clock: PatientClock, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A market socket that opens and stays silent, as on an unrouted path, is replaced."""
    monkeypatch.setattr(streams, "MARKET_SILENCE_S", 0.02)
    reader = FrameReader(heard, symbols=["BTCUSDT"], quote_asset="USDT")
    url = venue.endpoints.stream_url
    markets = MarketStreams(url=url, symbols=["BTCUSDT"], clock=clock, reader=reader)
    session = open_session()
    try:
        markets.start(session)
        await venue.until(lambda: len(venue.opened(MARKET)) >= 3)
        assert len(venue.opened(PUBLIC)) == 1
    finally:
        await markets.close()
        await session.close()


async def test_a_mark_price_is_exact(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """Prices keep their text's value from the frame to the event."""
    await venue.push(MARKET, samples.MARK_EVENT)
    await heard.until(lambda: _kinds(heard))
    mark = heard.events[-1]
    assert isinstance(mark, MarkEvent)
    assert mark.mark == Decimal("11794.15000000")
