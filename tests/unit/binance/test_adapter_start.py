"""Starting and closing: what is asked, what is refused and that nothing stays behind."""

import asyncio

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import (
    KEYS,
    LISTEN_KEY,
    MARKET,
    PRIVATE,
    PUBLIC,
    SOCKET_API,
    TIME,
    Listener,
    PatientClock,
    Reset,
    Venue,
    error,
)

from jumar.exchange.binance import BinanceExchange, Endpoints
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.ports.clock import SystemClock
from jumar.ports.exchange import Exchange, StreamEvent


@pytest.mark.rule("W-2", "M-3")
async def test_a_start_tells_how_far_exchange_time_may_be_off(
    exchange: BinanceExchange, heard: Listener
) -> None:
    """Half of the best round trip, as soon as it is measured."""
    (event,) = heard.measured
    assert (
        0 <= exchange.clock_uncertainty_ms - event.off_ms + 1 < 20
    )  # it grows with every moment since


def _adapter(venue: Venue, clock: PatientClock) -> Exchange:
    return BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)


@pytest.mark.rule("W-3")
async def test_a_start_loads_filters_and_opens_the_routed_streams(
    exchange: BinanceExchange, venue: Venue, heard: Listener
) -> None:
    """After the start the instruments are known and each stream is on its own path."""
    assert set(await exchange.instruments()) == {"BTCUSDT"}
    (private,) = venue.requests("GET", PRIVATE)
    (public,) = venue.requests("GET", PUBLIC)
    (market,) = venue.requests("GET", MARKET)
    assert private.query == {"listenKey": "first"}
    assert public.raw_query == "streams=btcusdt@bookTicker"
    assert market.raw_query == "streams=btcusdt@markPrice@1s/btcusdt@aggTrade"
    first = heard.events[0]
    assert isinstance(first, StreamEvent)
    assert first.connected


@pytest.mark.rule("W-2")
async def test_exchange_time_is_the_venues(venue: Venue, clock: PatientClock) -> None:
    """The clock is set to the venue's time, within half a round trip, and requests are signed with it."""
    machine = SystemClock()
    venue.route("GET", TIME, lambda _: {"serverTime": machine.now_ms() - 7000})
    adapter = BinanceExchange(endpoints=venue.endpoints, credentials=KEYS, clock=clock)
    try:
        await adapter.start(["BTCUSDT"], Listener())
        assert abs(clock.offset_ms + 7000) <= adapter.clock_uncertainty_ms + 2
        stamp = int(venue.requests("GET", "/fapi/v1/accountConfig")[-1].query["timestamp"])
        assert abs(stamp - (machine.now_ms() - 7000)) < 5000
    finally:
        await adapter.close()


@pytest.mark.rule("W-2")
async def test_a_refused_timestamp_measures_the_clock_again(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """-1021 makes the read fail for now and sets the clock right for the next one."""
    machine = SystemClock()
    venue.route("GET", TIME, lambda _: {"serverTime": machine.now_ms() + 60_000})
    venue.route("GET", "/fapi/v3/account", error(400, -1021))
    before = len(venue.requests("GET", TIME))
    with pytest.raises(VenueUnavailable):
        await exchange.balance()
    await venue.until(lambda: len(venue.requests("GET", TIME)) >= before + 5)
    await clock.changed.until(lambda: clock.offset_ms > 50_000)


@pytest.mark.rule("W-3")
async def test_a_filter_error_reloads_the_filters(exchange: BinanceExchange, venue: Venue) -> None:
    """After a filter error the next question reads exchangeInfo again; without one it does not."""
    path = "/fapi/v1/exchangeInfo"
    await exchange.instruments()
    assert len(venue.requests("GET", path)) == 1
    venue.on_frame = lambda frame: {
        "id": frame["id"],
        "status": 400,
        "error": {"code": -4014, "msg": "Price not increased by tick size."},
    }
    await exchange.place(samples.ENTRY_REQUEST, timestamp_ms=1, timeout_ms=2000)
    await exchange.instruments()
    assert len(venue.requests("GET", path)) == 2


async def test_an_unlisted_symbol_is_a_configuration_error(
    venue: Venue, clock: PatientClock
) -> None:
    """A symbol that the venue does not list stops the start and is named."""
    with pytest.raises(ConfigError, match=r"symbols: .*DOGEUSD"):
        await _adapter(venue, clock).start(["BTCUSDT", "DOGEUSD"], Listener())


@pytest.mark.rule("W-7")
@pytest.mark.parametrize("code", [-2014, -2015, -1022])
async def test_refused_keys_are_a_configuration_error(
    venue: Venue, clock: PatientClock, code: int
) -> None:
    """Keys that the venue refuses stop the start, without being shown."""
    venue.route("GET", "/fapi/v1/accountConfig", error(401, code, "Invalid API-key."))
    with pytest.raises(ConfigError, match="API key") as caught:
        await _adapter(venue, clock).start(["BTCUSDT"], Listener())
    assert KEYS.key not in str(caught.value)
    assert KEYS.secret not in str(caught.value)


@pytest.mark.parametrize("reply", [web.Response(status=404, text="<html>"), {"hello": "world"}])
async def test_a_wrong_address_is_a_configuration_error(
    venue: Venue, clock: PatientClock, reply: web.Response
) -> None:
    """A server that is no futures exchange stops the start and names the address."""
    venue.route("GET", TIME, lambda _: reply)
    with pytest.raises(ConfigError, match="rest_url"):
        await _adapter(venue, clock).start(["BTCUSDT"], Listener())


@pytest.mark.parametrize(
    ("path", "field"),
    [(PRIVATE, "stream_url"), (MARKET, "stream_url"), (SOCKET_API, "ws_api_url")],
)
async def test_a_wrong_stream_address_is_a_configuration_error(
    venue: Venue, clock: PatientClock, path: str, field: str
) -> None:
    """A socket address that answers with 404 stops the start and is named."""
    venue.route("WS", path, lambda _: web.Response(status=404))
    with pytest.raises(ConfigError, match=field):
        await _adapter(venue, clock).start(["BTCUSDT"], Listener())


def _reset(_: object) -> web.Response:
    raise Reset


@pytest.mark.parametrize(
    ("method", "path"), [("GET", TIME), ("GET", "/fapi/v1/accountConfig"), ("POST", LISTEN_KEY)]
)
async def test_a_venue_that_is_away_may_be_asked_again(
    venue: Venue, clock: PatientClock, heard: Listener, method: str, path: str
) -> None:
    """A start that got no answer says so, leaves nothing open and succeeds when the venue is back."""
    answer = venue.routes[method, path]
    venue.route(method, path, _reset)
    adapter = _adapter(venue, clock)
    with pytest.raises(VenueUnavailable):
        await adapter.start(["BTCUSDT"], heard)
    assert _own_tasks() == []
    venue.route(method, path, answer)
    await adapter.start(["BTCUSDT"], heard)
    await adapter.close()


async def test_orders_can_wait_for_the_order_socket(venue: Venue, clock: PatientClock) -> None:
    """A start does not fail because the order socket is not up yet: REST carries the orders."""
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    venue.route("POST", "/fapi/v1/order", samples.ORDER_ANSWER)
    adapter = _adapter(venue, clock)
    await adapter.start(["BTCUSDT"], Listener())
    await adapter.place(samples.ENTRY_REQUEST, timestamp_ms=1, timeout_ms=2000)
    await adapter.close()
    assert venue.frames == []
    assert len(venue.requests("POST", "/fapi/v1/order")) == 1


def _own_tasks() -> list[str]:
    return [
        task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("binance-")
    ]


async def test_close_leaves_nothing_behind(
    venue: Venue, clock: PatientClock, heard: Listener
) -> None:
    """After close no task of the adapter lives and the listen key is left alone; closing twice is fine."""
    adapter = _adapter(venue, clock)
    await adapter.start(["BTCUSDT"], heard)
    assert len(_own_tasks()) == 6
    await adapter.close()
    await adapter.close()
    assert _own_tasks() == []
    assert venue.requests("DELETE", LISTEN_KEY) == []
    with pytest.raises(VenueUnavailable, match="closed"):
        await adapter.balance()


@pytest.mark.rule("W-7")
async def test_the_adapter_shows_its_address_and_no_keys(exchange: BinanceExchange) -> None:
    """The adapter's own text is its address."""
    shown = repr(exchange)
    assert "127.0.0.1" in shown
    assert KEYS.key not in shown
    assert KEYS.secret not in shown


@pytest.mark.parametrize(
    ("field", "value"),
    [("rest_url", "fapi.binance.com"), ("stream_url", "https://x"), ("ws_api_url", "wss://")],
)
def test_an_address_with_another_scheme_is_refused(field: str, value: str) -> None:
    """Each address must begin with its own scheme; the error names the field."""
    good = {"rest_url": "https://a", "stream_url": "wss://b", "ws_api_url": "wss://c"}
    with pytest.raises(ConfigError, match=field):
        Endpoints(**good | {field: value})
