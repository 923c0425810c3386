"""Amendments over real sockets: the total quantity and the price, sent once, and what each answer proves."""

import json
from decimal import Decimal

import pytest
from aiohttp import web
from tests.unit.binance import samples
from tests.unit.binance.venue import ORDER, SOCKET_API, PatientClock, Venue, error

from jumar.exchange.binance import BinanceExchange, outcomes, params
from jumar.exchange.binance.outcomes import Answer
from jumar.model.command import AmendRequest
from jumar.model.order import OrderStatus, Side
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown

STAMP = 1_764_929_100_000
AMEND = AmendRequest(
    symbol="BTCUSDT",
    client_id=samples.ENTRY_ID,
    side=Side.BUY,
    price=Decimal("90790.10"),
    quantity=Decimal("0.0130"),
    number=2,
)
AMENDED = {**samples.ORDER_ANSWER, "price": "90790.10", "pair": "BTCUSDT", "modifyId": 2}


async def _amend(exchange: BinanceExchange, timeout_ms: int = 5000) -> Outcome:
    return await exchange.amend(AMEND, timestamp_ms=STAMP, timeout_ms=timeout_ms)


def _play(venue: Venue, **answer: object) -> None:
    venue.on_frame = lambda frame: {"id": frame["id"], "rateLimits": [], **answer}


def _judged(**changes: object) -> Outcome:
    body = json.dumps({**AMENDED, **changes}).encode()
    return outcomes.outcome_of(Answer(status=200, body=body), outcomes.amended(AMEND))


@pytest.mark.rule("E-5")
def test_both_numbers_and_the_side_are_stated() -> None:
    """Plain text, the order by our id, and the amendment's own number; nothing else."""
    call = params.amendment(AMEND)
    assert (call.socket_method, call.http_method, call.path) == ("order.modify", "PUT", ORDER)
    assert call.params == {
        "symbol": "BTCUSDT",
        "origClientOrderId": samples.ENTRY_ID,
        "side": "BUY",
        "quantity": "0.013",
        "price": "90790.1",
        "modifyId": 2,
    }


@pytest.mark.rule("E-5", "X-3")
async def test_an_amendment_goes_over_the_socket_once(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """One signed frame with the given timestamp, and no HTTP request; the echo comes back."""
    _play(venue, status=200, result=AMENDED)
    outcome = await _amend(exchange)
    assert isinstance(outcome, Accepted)
    assert outcome.report is not None
    assert (outcome.report.price, outcome.report.status) == (AMEND.price, OrderStatus.NEW)
    (frame,) = venue.frames
    assert (frame["method"], frame["params"]["timestamp"]) == ("order.modify", STAMP)
    assert not venue.requests("PUT", ORDER)


@pytest.mark.rule("E-5", "X-3")
async def test_without_the_socket_it_goes_over_rest(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """The same request as PUT, when the socket took nothing."""
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    venue.route("PUT", ORDER, AMENDED)
    before = len(clock.slept)
    await venue.opened(SOCKET_API)[-1].close()
    await clock.changed.until(lambda: len(clock.slept) > before)
    assert isinstance(await _amend(exchange), Accepted)
    (asked,) = venue.requests("PUT", ORDER)
    assert asked.query["quantity"] == "0.013"
    assert asked.query["price"] == "90790.1"
    assert not venue.frames


@pytest.mark.rule("X-3")
async def test_no_answer_to_an_amendment_is_unknown(
    exchange: BinanceExchange, venue: Venue
) -> None:
    """It is not repeated, over neither way."""
    venue.on_frame = lambda _: None
    assert isinstance(await _amend(exchange, timeout_ms=30), Unknown)
    assert len(venue.frames) == 1
    assert not venue.requests("PUT", ORDER)


@pytest.mark.rule("X-3", "W-6", "E-5")
@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, -5027, Accepted(already=True)),  # no need to modify the order
        (400, -5024, Rejected(code=-5024, message="text")),  # the symbol's status
        (400, -5025, Rejected(code=-5025, message="text")),  # no limit order
        (400, -5026, Rejected(code=-5026, message="text")),  # ten thousand times
        (400, -5028, Rejected(code=-5028, message="text")),  # too late at the engine
        (400, -5029, Rejected(code=-5029, message="text")),  # too small
        (400, -5047, Rejected(code=-5047, message="text")),
        (400, -5043, Rejected(code=-5043, message="text")),  # another one is pending
        (400, -2013, Rejected(code=-2013, message="text")),  # it is over: the order's own end tells
        (400, -4014, Rejected(code=-4014, message="text")),
        (400, -1021, Rejected(code=-1021, message="text")),
        (429, -1015, Rejected(code=-1015, message="text")),
    ],
)
async def test_what_a_code_says_about_an_amendment(
    exchange: BinanceExchange, venue: Venue, status: int, code: int, outcome: Outcome
) -> None:
    """A code for "nothing to change" is success, one that means "not executed" is a refusal."""
    _play(venue, status=status, error={"code": code, "msg": "text"})
    assert await _amend(exchange) == outcome


@pytest.mark.rule("X-3", "X-4")
@pytest.mark.parametrize(
    ("status", "code"),
    [(408, -1007), (400, -1007), (400, -1006), (503, -1008), (503, -1001), (400, -99999)],
)
async def test_what_says_nothing_about_an_amendment(
    exchange: BinanceExchange, venue: Venue, status: int, code: int
) -> None:
    """A timeout behind the gateway, a server error, an undocumented code: the order must be read."""
    _play(venue, status=status, error={"code": code, "msg": "text"})
    assert isinstance(await _amend(exchange), Unknown)


@pytest.mark.rule("E-5", "E-10")
def test_the_venue_may_end_the_order_instead() -> None:
    """A post-only order that would take, or a quantity that has filled: cancelled, which is an answer."""
    outcome = _judged(status="CANCELED", price="90786.60")
    assert isinstance(outcome, Accepted)
    assert outcome.report is not None
    assert outcome.report.status is OrderStatus.CANCELED


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(
    "changes",
    [
        {"price": "90786.60"},
        {"origQty": "0.012"},
        {"clientOrderId": "jm-abcdefghij-E2"},
        {"symbol": "ETHUSDT"},
        {"price": "much"},
    ],
)
def test_an_answer_about_something_else_is_none(changes: dict[str, object]) -> None:
    """Another price, quantity, order or symbol than asked proves nothing."""
    assert isinstance(_judged(**changes), Unknown)


@pytest.mark.rule("X-3")
async def test_a_refusal_over_rest_is_read_alike(
    exchange: BinanceExchange, venue: Venue, clock: PatientClock
) -> None:
    """The code counts, whichever way it came."""
    venue.route("WS", SOCKET_API, lambda _: web.Response(status=503))
    venue.route("PUT", ORDER, error(400, -5026))
    before = len(clock.slept)
    await venue.opened(SOCKET_API)[-1].close()
    await clock.changed.until(lambda: len(clock.slept) > before)
    assert await _amend(exchange) == Rejected(code=-5026, message="text")
