"""Reads over real HTTP: values, refusals, silence and the counters that come along."""

import logging
import traceback

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import KEYS, Asked, Reset, Silence, Venue, error

from jumar.exchange.binance import BinanceExchange
from jumar.model.errors import VenueError, VenueRefused, VenueUnavailable
from jumar.model.order import Channel, OrderStatus

ACCOUNT = "/fapi/v3/account"


def _reset(_: Asked) -> web.Response:
    raise Reset


def _silent(_: Asked) -> web.Response:
    raise Silence


async def test_reads_are_signed_and_translated(exchange: BinanceExchange, venue: Venue) -> None:
    """Each read asks its own path, with key, window, timestamp and the signature last."""
    venue.route("GET", ACCOUNT, samples.ACCOUNT)
    venue.route("GET", "/fapi/v3/positionRisk", [samples.POSITION])
    venue.route("GET", "/fapi/v1/symbolConfig", [samples.SYMBOL_CONFIG])
    venue.route("GET", "/fapi/v1/openOrders", [samples.ORDER_READ])
    venue.route("GET", "/fapi/v1/openAlgoOrders", [samples.ALGO_PLACED])
    venue.route("GET", "/fapi/v1/ticker/bookTicker", samples.BOOK_TICKER)
    venue.route("GET", "/fapi/v1/ticker/price", {"symbol": "BTCUSDT", "price": "11790.1"})
    venue.route("GET", "/fapi/v1/premiumIndex", {"symbol": "BTCUSDT", "markPrice": "11793.63"})
    assert str((await exchange.balance()).available) == "20.5"
    assert str((await exchange.positions())["BTCUSDT"].quantity) == "-0.013"
    assert (await exchange.symbol_settings("BTCUSDT")).leverage == 21
    assert not (await exchange.account_settings()).hedge_mode
    assert len(await exchange.open_orders("BTCUSDT")) == 1
    assert len(await exchange.open_conditional_orders("BTCUSDT")) == 1
    assert str((await exchange.quote("BTCUSDT")).ask_quantity) == "9.00000000"
    assert str(await exchange.mark("BTCUSDT")) == "11793.63"
    assert str(await exchange.last("BTCUSDT")) == "11790.1"
    (asked,) = venue.requests("GET", ACCOUNT)
    assert asked.headers["X-MBX-APIKEY"] == KEYS.key
    assert asked.query["recvWindow"] == "3000"
    assert asked.raw_query.rpartition("&")[2].startswith("signature=")


@pytest.mark.parametrize("channel", list(Channel))
async def test_an_order_that_does_not_exist_is_none(
    exchange: BinanceExchange, venue: Venue, channel: Channel
) -> None:
    """-2013 is the venue's "no such order"; other refusals are raised with their code."""
    path = "/fapi/v1/order" if channel is Channel.REGULAR else "/fapi/v1/algoOrder"
    venue.route("GET", path, error(400, -2013, "Order does not exist."))
    assert await exchange.order("BTCUSDT", channel, "jm-abcdefghij-E1") is None
    venue.route("GET", path, error(400, -1121, "Invalid symbol."))
    with pytest.raises(VenueRefused) as caught:
        await exchange.order("BTCUSDT", channel, "jm-abcdefghij-E1")
    assert caught.value.code == -1121


async def test_an_order_is_read_from_its_own_list(exchange: BinanceExchange, venue: Venue) -> None:
    """Regular and conditional orders are asked at different paths by their client ids."""
    venue.route("GET", "/fapi/v1/order", samples.ORDER_READ)
    venue.route("GET", "/fapi/v1/algoOrder", samples.ALGO_READ)
    regular = await exchange.order("BTCUSDT", Channel.REGULAR, samples.ENTRY_ID)
    conditional = await exchange.order("BTCUSDT", Channel.CONDITIONAL, samples.STOP_ID)
    assert regular is not None
    assert conditional is not None
    assert (regular.channel, conditional.channel) == (Channel.REGULAR, Channel.CONDITIONAL)
    assert venue.requests("GET", "/fapi/v1/order")[0].query["origClientOrderId"] == samples.ENTRY_ID
    assert venue.requests("GET", "/fapi/v1/algoOrder")[0].query["clientAlgoId"] == samples.STOP_ID


@pytest.mark.parametrize(
    "reply",
    [
        error(503, -1000),
        error(400, -1007),
        web.Response(status=502, text="<html>"),
        web.Response(text="{}"),
        web.json_response({"assets": [{"asset": "USDT", "walletBalance": "NaN"}]}),
    ],
    ids=["503", "-1007", "html", "empty", "broken"],
)
async def test_a_read_without_a_usable_answer_is_raised_at_once(
    exchange: BinanceExchange, venue: Venue, reply: web.Response
) -> None:
    """Nothing is retried: one question, one error that may be asked again."""
    venue.route("GET", ACCOUNT, lambda _: reply)
    with pytest.raises(VenueUnavailable):
        await exchange.balance()
    assert len(venue.requests("GET", ACCOUNT)) == 1


async def test_a_new_status_word_of_one_order_does_not_hide_the_others(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A regular order with a word nobody knows is listed as alive, beside the others."""
    strange = samples.ORDER_READ | {"orderId": 1, "status": "SUSPENDED", "executedQty": "0"}
    venue.route("GET", "/fapi/v1/openOrders", [strange, samples.ORDER_READ])
    found = await exchange.open_orders("BTCUSDT")
    assert [order.status for order in found] == [OrderStatus.NEW, OrderStatus.FILLED]


async def test_a_broken_connection_is_not_asked_twice(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """A reset is raised at once, although the HTTP library would like to send the question again."""
    venue.route("GET", ACCOUNT, _reset)
    with pytest.raises(VenueUnavailable, match="connection failed"):
        await exchange.balance()
    assert len(venue.requests("GET", ACCOUNT)) == 1


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (lambda: error(429, -1003, "Too many requests.", **{"Retry-After": "7"}), 7),
        (lambda: error(418, -1003, "IP banned until 9999999999999."), 3 * 86400),
        (lambda: error(429, -1003, "Too many requests."), 2),
    ],
    ids=["header", "text", "nothing"],
)
@pytest.mark.rule("W-4")
async def test_a_rate_limit_says_how_long_to_wait(
    exchange: BinanceExchange,
    venue: Venue,
    clock: object,
    reply: object,
    seconds: int,
) -> None:
    """The wait comes from the header, else from the text (no ban lasts above three days), else it begins small."""
    assert callable(reply)
    answer = reply()
    venue.route("GET", ACCOUNT, lambda _: answer)
    with pytest.raises(VenueUnavailable) as caught:
        await exchange.balance()
    assert caught.value.retry_after_s == seconds


async def test_the_counters_of_the_answers_are_kept(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """Used weight and order counts are read from the headers, whatever their case."""
    headers = {
        "X-MBX-USED-WEIGHT-1M": "41",
        "x-mbx-order-count-10s": "2",
        "X-Mbx-Order-Count-1m": "5",
        "X-MBX-USED-WEIGHT-1D": "many",
    }
    venue.route("GET", ACCOUNT, lambda _: web.json_response(samples.ACCOUNT, headers=headers))
    await exchange.balance()
    assert exchange.counters.rest_weight == {"1m": 41}
    assert exchange.counters.orders == {"10s": 2, "1m": 5}
    assert exchange.counters.updated_ms > 0


@pytest.mark.rule("W-7")
@pytest.mark.parametrize("way", [_reset, lambda _: error(400, -1022), lambda _: error(503, -1000)])
async def test_errors_and_logs_show_neither_keys_nor_signatures(
    exchange: BinanceExchange,
    venue: Venue,
    way: object,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failed request tells its path; its key, secret, signature and query never appear."""
    assert callable(way)
    caplog.set_level(logging.DEBUG)
    venue.route("GET", ACCOUNT, way)
    with pytest.raises(VenueError) as caught:
        await exchange.balance()
    printed = capsys.readouterr()
    shown = (
        "".join(traceback.format_exception(caught.value)) + printed.out + printed.err + caplog.text
    )
    signature = venue.requests("GET", ACCOUNT)[0].query["signature"]
    assert ACCOUNT in shown
    assert not [word for word in (KEYS.key, KEYS.secret, signature, "timestamp=") if word in shown]
