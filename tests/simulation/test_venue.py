"""The exchange port in process: clocks and windows, streams that break, parts that must not fall silent."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.simulation.loops import born, forever, virtual

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketSource, MarketStep
from jumar.exchange.simulated.market import ManualMarket
from jumar.model.errors import VenueUnavailable
from jumar.model.order import OrderReport, OrderRequest, OrderType, Role, Side, TimeInForce
from jumar.model.outcome import Accepted, Outcome, Rejected
from jumar.ports.exchange import OrderEvent, QuoteEvent, StreamEvent, VenueEvent
from jumar.simulation.clock import VirtualClock
from jumar.simulation.line import Calm, Request, Trip, Weather
from jumar.simulation.loop import Life, VirtualLoop
from jumar.simulation.venue import InProcessExchange, Venue
from jumar.simulation.world import ORIGIN_MS

SYMBOL = "BTCUSDT"
PRICE = Decimal(90820)


class Slow(Calm):
    """Requests that change something are on their way for so long."""

    def __init__(self, there_s: float) -> None:
        self.there_s = there_s

    def trip(self, request: Request) -> Trip:
        """Slow for a change."""
        return Trip(there_s=self.there_s) if request.changes else Trip()


class Rig:
    """One venue and the port of one life after another."""

    def __init__(
        self,
        loop: VirtualLoop,
        *,
        weather: Weather | None = None,
        market: MarketSource | None = None,
        ahead_ms: int = 0,
    ) -> None:
        self.loop = loop
        self.right = VirtualClock(loop, ORIGIN_MS)
        self.clock = VirtualClock(loop, ORIGIN_MS, ahead_ms=ahead_ms)
        self.venue = Venue(
            loop=loop,
            clock=self.right,
            market=market or _quiet(),
            weather=Calm(),
        )
        self.heard: list[VenueEvent] = []
        self.life, self.port = self.begin(1)
        self.venue.open()
        self.do(self.port.start((SYMBOL,), self.heard.append))
        self.venue.weather = weather or Calm()

    def begin(self, number: int) -> tuple[Life, InProcessExchange]:
        """A life and its port."""
        life = born(self.loop, forever(), number)
        port = InProcessExchange(
            loop=self.loop,
            venue=self.venue,
            life=life,
            clock=self.clock,
            reach=lambda *_: None,
        )
        return life, port

    def do(self, work: Any) -> Any:
        """Do something with a port and let it come to its end."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float) -> None:
        """Let time go on."""
        self.loop.run(until_s=self.loop.time() + seconds)

    def place(self, client_id: str = "jm-aaaaaaaaaa-E1", timeout_ms: int = 9000) -> Outcome:
        """A limit order far below the market."""
        request = OrderRequest(
            symbol=SYMBOL,
            client_id=client_id,
            role=Role.ENTRY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=Decimal("0.01"),
            price=Decimal(90000),
            time_in_force=TimeInForce.GTC,
        )
        now_ms = self.clock.now_ms()
        outcome: Outcome = self.do(
            self.port.place(request, timestamp_ms=now_ms, timeout_ms=timeout_ms)
        )
        return outcome

    def kinds(self, kind: type[VenueEvent]) -> list[VenueEvent]:
        """What was heard of one kind."""
        return [event for event in self.heard if isinstance(event, kind)]


def _quiet() -> ManualMarket:
    ticks = {SYMBOL: INSTRUMENTS[SYMBOL].tick_size}
    return ManualMarket((SYMBOL,), start_prices={SYMBOL: PRICE}, tick_sizes=ticks)


@pytest.mark.parametrize(
    ("there_s", "kind"), [(0.0, Accepted), (2.9, Accepted), (3.1, Rejected), (8.0, Rejected)]
)
def test_what_arrives_late_is_refused(there_s: float, kind: type[Outcome]) -> None:
    """The receive window of three seconds counts from the stamp to the arrival: what is later is not executed."""
    with virtual() as loop:
        rig = Rig(loop, weather=Slow(there_s))
        outcome = rig.place()
        assert isinstance(outcome, kind), outcome
        if isinstance(outcome, Rejected):
            assert outcome.code == -1021
        assert len(rig.venue.core.orders(SYMBOL)) == (kind is Accepted)


def test_what_comes_from_the_future_is_refused() -> None:
    """A stamp a second or more ahead of the exchange is refused too."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.clock.step(1050)
        outcome = rig.place()
        assert isinstance(outcome, Rejected) and outcome.code == -1021
        assert rig.venue.core.orders(SYMBOL) == ()


@pytest.mark.parametrize("ahead_ms", [0, 2500, -40_000])
def test_a_start_puts_the_clock_right(ahead_ms: int) -> None:
    """However far a machine's clock is off, its port knows exchange time after the start."""
    with virtual() as loop:
        rig = Rig(loop, ahead_ms=ahead_ms)
        assert abs(rig.clock.now_ms() - rig.right.now_ms()) <= 10


@pytest.mark.rule("W-2")
def test_a_refused_stamp_has_the_clock_measured() -> None:
    """After -1021 the clock is measured again, and the next request is right: the line heeds codes as the wire does."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.wait(20)
        rig.clock.step(-7000)
        with pytest.raises(VenueUnavailable, match="-1021"):
            rig.do(rig.port.balance())
        rig.wait(6)
        assert abs(rig.clock.now_ms() - rig.right.now_ms()) <= 10
        assert isinstance(rig.place(), Accepted)


def test_the_adapter_hears_the_exchange() -> None:
    """Quotes and one's own orders come over the streams as the events of the port."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.wait(3)
        placed = rig.place("jm-aaaaaaaaaa-E1")
        assert isinstance(placed, Accepted)
        rig.wait(1)
        quotes, orders = rig.kinds(QuoteEvent), rig.kinds(OrderEvent)
        assert quotes
        reports = [event.report for event in orders if isinstance(event, OrderEvent)]
        assert [report.client_id for report in reports] == ["jm-aaaaaaaaaa-E1"]
        assert isinstance(reports[0], OrderReport)


def test_streams_break_and_come_back() -> None:
    """A port whose streams broke is told so, hears nothing while they are away, and everything afterwards."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.wait(3)
        rig.heard.clear()
        rig.port.drop_streams("the network is away", 5.0)
        rig.wait(4.5)
        assert [type(event) for event in rig.heard] == [StreamEvent]
        rig.place()
        rig.wait(2)
        flags = [event.connected for event in rig.heard if isinstance(event, StreamEvent)]
        assert flags == [False, True]
        assert rig.kinds(QuoteEvent)


def test_a_closed_port_hears_nothing() -> None:
    """A port that was closed while its streams were on their way back hears nothing any more."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.port.drop_streams("the network is away", 2.0)
        rig.do(rig.port.close())
        rig.heard.clear()
        rig.wait(10)
        assert rig.heard == []


def test_connections_of_the_dead_are_gone() -> None:
    """The exchange keeps no connection of lives that ended, and the last life alone hears."""
    with virtual() as loop:
        rig = Rig(loop)
        for number in range(2, 12):
            loop.kill(rig.life)
            rig.heard = []
            rig.life, rig.port = rig.begin(number)
            rig.do(rig.port.start((SYMBOL,), rig.heard.append))
        rig.wait(2)
        assert rig.kinds(QuoteEvent)
        assert len(rig.venue._ears) == len(rig.venue._private) == 1


class _Broken:
    """A market that ends by an error."""

    symbols = (SYMBOL,)

    def steps(self) -> Iterator[MarketStep]:
        """Two steps, then a fault."""
        first = next(_quiet().steps())
        yield first
        yield replace(first, path_ms=4000)
        raise ArithmeticError("no more path")


def test_a_market_that_breaks_is_heard() -> None:
    """A part of the exchange that ends by an error ends not in silence: it is among the loop's errors."""
    with virtual() as loop:
        Rig(loop, market=_Broken()).wait(10)
        assert [str(each["exception"]) for each in loop.errors] == ["no more path"]


def test_prices_that_an_engine_caused_outlive_it() -> None:
    """What the exchange has planned about a price goes on when the life in whose callback it was set has ended."""
    with virtual() as loop:
        rig = Rig(loop)
        rig.wait(1)
        step = rig.venue.core.step(SYMBOL)
        assert step is not None
        for _ in range(2):
            loop.call_for(rig.life, 0, rig.venue.set_market, step)
        rig.wait(0)
        loop.kill(rig.life)
        rig.heard = []
        rig.life, rig.port = rig.begin(2)
        rig.do(rig.port.start((SYMBOL,), rig.heard.append))
        rig.wait(5)
        assert len(rig.kinds(QuoteEvent)) >= 4
