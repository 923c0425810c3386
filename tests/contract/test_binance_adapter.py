"""The Binance adapter against the simulated exchange over real sockets, as against any venue.

The exchange is a black box here: it is started, its prices are moved through its control surface, and everything
else is seen through the port.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import aiohttp
import pytest
from tests.contract import wire
from tests.unit.binance.samples import BACKSTOP_REQUEST as BACKSTOP
from tests.unit.binance.samples import ENTRY_REQUEST as ENTRY
from tests.unit.binance.samples import STOP_REQUEST as STOP

from jumar.exchange.binance import BinanceExchange, Credentials, Endpoints
from jumar.exchange.simulated.server.config import Ready, parse_start
from jumar.model.account import MarginMode
from jumar.model.command import AmendRequest
from jumar.model.errors import ConfigError
from jumar.model.order import (
    Channel,
    Fill,
    OrderReport,
    OrderRequest,
    OrderStatus,
)
from jumar.model.outcome import Accepted, Outcome, Rejected
from jumar.ports.clock import SystemClock
from jumar.ports.exchange import (
    Exchange,
    MarkEvent,
    OrderEvent,
    PositionEvent,
    QuoteEvent,
    StreamEvent,
    VenueEvent,
)

SYMBOL = "BTCUSDT"
PATIENCE_S = 40.0
TIMEOUT_MS = 20_000
LOTS = ENTRY.quantity or Decimal(0)


@dataclass(eq=False)
class Listener:
    """A sink that keeps the events and lets a test wait for one."""

    events: list[VenueEvent] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: VenueEvent) -> None:
        """Keep one event."""
        self.events.append(event)
        self._changed.set()

    async def until(self, wanted: Callable[[VenueEvent], bool]) -> VenueEvent:
        """Return the first event that is wanted, waiting for it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = next((event for event in self.events if wanted(event)), None)
                if found is not None:
                    return found
                self._changed.clear()
                await self._changed.wait()

    async def order(self, client_id: str, channel: Channel, status: OrderStatus) -> OrderReport:
        """Return the report of one order in one state, waiting for its event."""
        key = (client_id, channel, status)
        event = await self.until(
            lambda one: (
                isinstance(one, OrderEvent)
                and (one.report.client_id, one.report.channel, one.report.status) == key
            )
        )
        assert isinstance(event, OrderEvent)
        return event.report

    @property
    def fills(self) -> list[Fill]:
        """The executions heard so far."""
        found = [event.fill for event in self.events if isinstance(event, OrderEvent)]
        return [fill for fill in found if fill is not None]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A started adapter, what it heard, and the hand on the prices."""

    venue: Exchange
    heard: Listener
    clock: SystemClock
    rest_url: str

    async def send(self, request: OrderRequest) -> Outcome:
        """Place one order now."""
        stamp = self.clock.now_ms()
        return await self.venue.place(request, timestamp_ms=stamp, timeout_ms=TIMEOUT_MS)

    async def amend(self, request: AmendRequest) -> Outcome:
        """Amend one order now."""
        stamp = self.clock.now_ms()
        return await self.venue.amend(request, timestamp_ms=stamp, timeout_ms=TIMEOUT_MS)

    async def part_fill(self, quantity: str) -> None:
        """Let so much of the entry fill; prices are above it again at once."""
        price = str(ENTRY.price)
        level = {"bid": str(Decimal(price) - Decimal("0.1")), "ask": price}
        await self._prices(last=price, mark=price, ask_quantity=quantity, **level)
        await self.price("90820.0")

    async def price(self, last: str) -> None:
        """Move all prices to one place."""
        await self._prices(last=last, mark=last, bid=last, ask=str(Decimal(last) + Decimal("0.1")))

    async def _prices(self, **prices: str) -> None:
        body = {"symbol": SYMBOL, **prices}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.rest_url}/sim/price", json=body) as answer,
        ):
            assert answer.status == 200


def _endpoints(urls: Ready) -> Endpoints:
    return Endpoints(rest_url=urls["rest"], stream_url=urls["stream"], ws_api_url=urls["ws_api"])


@pytest.fixture
async def urls() -> AsyncIterator[Ready]:
    """A running exchange with its market in the test's hand."""
    async with wire.exchange() as client:
        yield client.server.urls


@pytest.fixture
async def scene(urls: Ready) -> AsyncIterator[Scene]:
    """A started adapter on that exchange."""
    clock, heard = SystemClock(), Listener()
    keys = Credentials(key=urls["api_key"], secret=urls["api_secret"])
    venue = BinanceExchange(endpoints=_endpoints(urls), credentials=keys, clock=clock)
    await venue.start([SYMBOL], heard)
    yield Scene(venue=venue, heard=heard, clock=clock, rest_url=urls["rest"])
    await venue.close()


def _report(outcome: Outcome) -> OrderReport:
    assert isinstance(outcome, Accepted), outcome
    assert outcome.report is not None
    return outcome.report


@pytest.mark.rule("W-2", "W-3")
async def test_a_fresh_account_is_read(scene: Scene) -> None:
    """After the start filters, modes, money and an empty position are there, on the venue's clock."""
    (instrument,) = (await scene.venue.instruments()).values()
    assert instrument.tick_size == Decimal("0.1")
    assert instrument.brackets
    account = await scene.venue.account_settings()
    assert (account.hedge_mode, account.multi_assets, account.can_trade) == (False, False, True)
    balance = await scene.venue.balance()
    assert balance.cross_wallet == balance.wallet
    assert balance.cross_unrealized == balance.maintenance == Decimal(0)
    assert await scene.venue.transfers(scene.clock.now_ms() - 1000) == ()
    (weight,) = scene.venue.budget().reads
    assert (weight.name, weight.limit) == ("1m", 2400)
    assert weight.used > 0
    assert balance.wallet == balance.equity == balance.available > 0
    assert (await scene.venue.positions())[SYMBOL].quantity == 0
    assert await scene.venue.open_orders(SYMBOL) == ()
    assert await scene.venue.open_conditional_orders(SYMBOL) == ()
    assert abs(scene.clock.now_ms() - parse_start(wire.START)) < 60_000


async def test_settings_are_written_and_read_back(scene: Scene) -> None:
    """Leverage and margin mode take effect; setting the mode twice is accepted."""
    assert isinstance(
        await scene.venue.set_leverage(SYMBOL, 7, timestamp_ms=scene.clock.now_ms()), Accepted
    )
    assert isinstance(
        await scene.venue.set_margin_mode(
            SYMBOL, MarginMode.ISOLATED, timestamp_ms=scene.clock.now_ms()
        ),
        Accepted,
    )
    again = await scene.venue.set_margin_mode(
        SYMBOL, MarginMode.ISOLATED, timestamp_ms=scene.clock.now_ms()
    )
    assert again == Accepted(already=True)
    settings = await scene.venue.symbol_settings(SYMBOL)
    assert (settings.leverage, settings.margin_mode) == (7, MarginMode.ISOLATED)


@pytest.mark.rule("E-7")
async def test_a_countdown_takes_the_entry_and_leaves_the_stop(scene: Scene) -> None:
    """It runs out over an order of each kind: the regular one is cancelled, the stop rests; zero takes one away."""
    _report(await scene.send(STOP))
    _report(await scene.send(ENTRY))
    for lasts_ms in (60_000, 0, 1):
        outcome = await scene.venue.set_countdown(
            SYMBOL, lasts_ms, timestamp_ms=scene.clock.now_ms(), timeout_ms=TIMEOUT_MS
        )
        assert outcome == Accepted()
    await scene.heard.order(ENTRY.client_id, Channel.REGULAR, OrderStatus.CANCELED)
    (left,) = await scene.venue.open_conditional_orders(SYMBOL)
    assert left.client_id == STOP.client_id


async def test_prices_are_streamed_and_read(scene: Scene) -> None:
    """Best prices and the mark price come by stream and by question."""
    await scene.price("90850.0")
    mark = await scene.heard.until(
        lambda event: isinstance(event, MarkEvent) and event.mark == Decimal(90850)
    )
    assert isinstance(mark, MarkEvent)
    assert (mark.next_funding_ms or 1) % 28_800_000 == 0
    await scene.heard.until(
        lambda event: isinstance(event, QuoteEvent) and event.quote.bid == Decimal(90850)
    )
    assert await scene.venue.mark(SYMBOL) == Decimal(90850)
    assert (await scene.venue.quote(SYMBOL)).ask == Decimal("90850.1")


@pytest.mark.rule("S-11", "X-6")
async def test_a_stopped_trade_is_seen_from_end_to_end(scene: Scene) -> None:
    """Stop, entry, backstop, fill, trigger: every step is acknowledged, echoed and heard."""
    await scene.venue.set_margin_mode(
        SYMBOL, MarginMode.ISOLATED, timestamp_ms=scene.clock.now_ms()
    )
    stop = _report(await scene.send(STOP))
    assert (stop.trigger_price, stop.quantity) == (STOP.trigger_price, STOP.quantity)
    assert (stop.working_type, stop.reduce_only, stop.price_protect) == ("MARK_PRICE", True, False)
    assert _report(await scene.send(ENTRY)).status is OrderStatus.NEW
    assert len(await scene.venue.open_orders(SYMBOL)) == 1

    await scene.price("90700.0")
    await scene.heard.order(ENTRY.client_id, Channel.REGULAR, OrderStatus.FILLED)
    await scene.heard.until(
        lambda event: isinstance(event, PositionEvent) and event.report.quantity == ENTRY.quantity
    )
    backstop = _report(await scene.send(BACKSTOP))
    assert backstop.close_position
    resting = await scene.venue.open_conditional_orders(SYMBOL)
    assert {row.client_id for row in resting} == {STOP.client_id, BACKSTOP.client_id}

    await scene.price("90379.0")
    done = await scene.heard.order(STOP.client_id, Channel.CONDITIONAL, OrderStatus.FINISHED)
    child = await scene.heard.order(STOP.client_id, Channel.REGULAR, OrderStatus.FILLED)
    assert done.child_venue_id == child.venue_id
    await scene.heard.until(
        lambda event: isinstance(event, PositionEvent) and event.report.quantity == 0
    )
    assert (await scene.venue.positions())[SYMBOL].quantity == 0

    listed = await scene.venue.fills(SYMBOL, 0)
    assert [fill.trade_id for fill in listed] == [fill.trade_id for fill in scene.heard.fills]
    assert sum(fill.signed_quantity for fill in listed) == 0
    known = await scene.venue.order(SYMBOL, Channel.CONDITIONAL, STOP.client_id)
    assert known is not None
    assert (known.status, known.child_venue_id) == (OrderStatus.FINISHED, child.venue_id)


@pytest.mark.rule("X-3")
async def test_refusals_and_cancels_are_told_apart(scene: Scene) -> None:
    """A cancel proves the end, a second one is refused as unknown; bad orders are refused with their code."""
    taking = replace(ENTRY, client_id="jm-abcdefghij-E2", price=Decimal(99_000))
    refused = await scene.send(taking)
    assert isinstance(refused, Rejected)
    triggered = await scene.send(replace(STOP, trigger_price=Decimal(95_000)))
    assert isinstance(triggered, Rejected)
    assert triggered.code == -2021
    for request in (ENTRY, STOP):
        _report(await scene.send(request))
        cancel = (SYMBOL, request.channel, request.client_id)
        assert isinstance(
            await scene.venue.cancel(
                *cancel, timestamp_ms=scene.clock.now_ms(), timeout_ms=TIMEOUT_MS
            ),
            Accepted,
        )
        again = await scene.venue.cancel(
            *cancel, timestamp_ms=scene.clock.now_ms(), timeout_ms=TIMEOUT_MS
        )
        assert isinstance(again, Rejected)
        assert again.code == -2011
        ended = await scene.venue.order(SYMBOL, request.channel, request.client_id)
        assert ended is not None
        assert ended.status is OrderStatus.CANCELED
    for channel in Channel:
        assert await scene.venue.order(SYMBOL, channel, "jm-abcdefghij-X9") is None


def _amendment(price: str, *, number: int = 1, quantity: Decimal = LOTS) -> AmendRequest:
    return AmendRequest(
        symbol=SYMBOL,
        client_id=ENTRY.client_id,
        side=ENTRY.side,
        price=Decimal(price),
        quantity=quantity,
        number=number,
    )


@pytest.mark.rule("E-5", "X-4")
async def test_an_entry_is_amended(scene: Scene) -> None:
    """The answer, the event, the list and a read by id show the new price under the same id; twice is success."""
    placed = _report(await scene.send(ENTRY))
    amended = _report(await scene.amend(_amendment("90790.0")))
    assert (amended.venue_id, amended.price) == (placed.venue_id, Decimal(90790))
    assert (amended.quantity, amended.filled_quantity) == (LOTS, Decimal(0))
    await scene.heard.until(
        lambda one: isinstance(one, OrderEvent) and one.report.price == Decimal(90790)
    )
    (listed,) = await scene.venue.open_orders(SYMBOL)
    read = await scene.venue.order(SYMBOL, Channel.REGULAR, ENTRY.client_id)
    assert read is not None
    assert (listed.price, read.price, read.status) == (
        Decimal(90790),
        Decimal(90790),
        OrderStatus.NEW,
    )
    again = await scene.amend(_amendment("90790.0", number=2))
    assert again == Accepted(already=True)


@pytest.mark.rule("E-5", "E-10")
async def test_an_amendment_that_would_take_ends_the_order(scene: Scene) -> None:
    """A post-only entry asked to cross is cancelled by the venue instead, and says so."""
    _report(await scene.send(ENTRY))
    ended = _report(await scene.amend(_amendment("90999.0")))
    assert ended.status is OrderStatus.CANCELED
    gone = await scene.amend(_amendment("90790.0", number=2))
    assert isinstance(gone, Rejected)
    assert gone.code == -2013


@pytest.mark.rule("E-5")
async def test_an_amendment_names_the_total_quantity(scene: Scene) -> None:
    """What has filled is part of it: a partly filled order keeps its rest, one asked for no more is cancelled."""
    _report(await scene.send(ENTRY))
    await scene.part_fill("0.005")
    await scene.heard.order(ENTRY.client_id, Channel.REGULAR, OrderStatus.PARTIALLY_FILLED)
    amended = _report(await scene.amend(_amendment("90790.0")))
    assert (amended.quantity, amended.filled_quantity) == (ENTRY.quantity, Decimal("0.005"))
    assert amended.status is OrderStatus.PARTIALLY_FILLED
    spent = _report(await scene.amend(_amendment("90791.0", number=2, quantity=Decimal("0.005"))))
    assert spent.status is OrderStatus.CANCELED


@pytest.mark.rule("E-5", "W-3")
async def test_a_wrong_amendment_leaves_the_order_as_it_is(scene: Scene) -> None:
    """A price off the tick is refused with its code, and what rests stays."""
    _report(await scene.send(ENTRY))
    refused = await scene.amend(_amendment("90790.05"))
    assert isinstance(refused, Rejected)
    assert refused.code == -4014
    (listed,) = await scene.venue.open_orders(SYMBOL)
    assert listed.price == ENTRY.price


async def test_a_regular_order_is_cancelled_by_its_number(scene: Scene) -> None:
    """The venue's own number cancels a regular order."""
    report = _report(await scene.send(ENTRY))
    outcome = await scene.venue.cancel_by_venue_id(
        SYMBOL, report.venue_id, timestamp_ms=scene.clock.now_ms(), timeout_ms=TIMEOUT_MS
    )
    assert _report(outcome).status is OrderStatus.CANCELED


async def test_the_orders_of_the_account_are_listed_since_a_moment(scene: Scene) -> None:
    """Resting, cancelled and filled orders are listed in the order they came; nothing was ever forced."""
    begun_ms = scene.clock.now_ms()
    cancelled = _report(await scene.send(ENTRY))
    resting = _report(await scene.send(replace(ENTRY, client_id="jm-abcdefghij-E2")))
    await scene.venue.cancel_by_venue_id(
        SYMBOL, cancelled.venue_id, timestamp_ms=scene.clock.now_ms(), timeout_ms=TIMEOUT_MS
    )
    stop = _report(await scene.send(replace(STOP, trigger_price=Decimal(90000))))
    listed = await scene.venue.orders_since(SYMBOL, begun_ms - 1000)
    assert [(one.venue_id, one.status) for one in listed] == [
        (cancelled.venue_id, OrderStatus.CANCELED),
        (resting.venue_id, OrderStatus.NEW),
    ]
    assert stop.client_id not in {one.client_id for one in listed}
    await scene.price("90700.0")
    await scene.heard.order(resting.client_id, Channel.REGULAR, OrderStatus.FILLED)
    listed = await scene.venue.orders_since(SYMBOL, begun_ms - 1000)
    assert [one.status for one in listed] == [OrderStatus.CANCELED, OrderStatus.FILLED]
    assert await scene.venue.forced_orders(SYMBOL, begun_ms - 1000) == ()
    assert await scene.venue.funding(SYMBOL, begun_ms - 1000) == ()


async def test_the_user_stream_says_when_it_is_up(scene: Scene) -> None:
    """The first event of a start is the connection."""
    first = await scene.heard.until(lambda event: isinstance(event, StreamEvent))
    assert isinstance(first, StreamEvent)
    assert first.connected


@pytest.mark.rule("W-7")
async def test_wrong_keys_stop_the_start(urls: Ready) -> None:
    """A wrong secret is one clear error that does not show it."""
    keys = Credentials(key=urls["api_key"], secret="wrong-secret-of-nobody")
    venue = BinanceExchange(endpoints=_endpoints(urls), credentials=keys, clock=SystemClock())
    with pytest.raises(ConfigError, match="API key") as caught:
        await venue.start([SYMBOL], Listener())
    assert "wrong-secret" not in str(caught.value)
