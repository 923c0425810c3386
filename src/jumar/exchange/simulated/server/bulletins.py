"""Market streams that are made at fixed intervals: the book's changes, bars, tickers, liquidations, all-market lists.

Nothing is made for a stream that nobody hears. A book or a bar is sent again when the market has made a step since,
even if the step changed nothing: a quiet market (one step a second) is told from a dead one. The event that closes a
bar is sent when its time is over, before the first one of the next bar.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from jumar.exchange.simulated.core.book import Chain
from jumar.exchange.simulated.core.candles import next_ms, opens_ms
from jumar.exchange.simulated.core.dialect import history as dialect
from jumar.exchange.simulated.core.dialect.market import book_ticker_event, mark_price_event
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.tape import TapeReader
from jumar.exchange.simulated.core.text import ZERO
from jumar.exchange.simulated.server.topics import Topic, topic_of
from jumar.ports.clock import Clock

TURN_MS = 50
#: How the client ids of the exchange's own closing orders begin: of a liquidation, of auto-deleveraging.
FORCED = ("autoclose-", "adl_autoclose")

type Json = dict[str, Any]


class Board(Protocol):
    """Where bulletins go out."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that somebody hears."""
        ...

    def wanted(self, stream: str) -> bool:
        """Whether anybody hears a stream."""
        ...

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Tell of every stream that somebody begins to hear."""
        ...

    def publish(self, stream: str, event: Json | list[Json]) -> None:
        """Send an event to all who hear the stream."""
        ...


class Bulletins:
    """Makes what is heard when it is due."""

    def __init__(self, exchange: Exchange, board: Board, clock: Clock) -> None:
        self._exchange = exchange
        self._board = board
        self._clock = clock
        self._slots: dict[str, int] = {}
        self._chains: dict[str, tuple[str, Chain]] = {}
        self._bars: dict[str, tuple[int, int]] = {}
        self._forced: dict[str, dict[str, Json]] = {}
        self._kinds: dict[str, Callable[[str, Topic, int], None]] = {
            "depth": self._depth,
            "levels": self._depth,
            "kline": self._kline,
            "continuousKline": self._kline,
            "ticker": self._ticker,
            "miniTicker": self._ticker,
            "tickers": self._tickers,
            "miniTickers": self._tickers,
            "quotes": self._quotes,
            "marks": self._marks,
            "forceOrder": self._liquidations,
        }
        self._readers = {s: TapeReader(exchange.tape(s)) for s in exchange.symbols}
        board.watch(self._begin)

    def stepped(self, step: MarketStep) -> None:
        """Follow the book where somebody hears its changes; send trades to those who want them one by one."""
        for symbol, chain in self._chains.values():
            if symbol == step.symbol:
                chain.note(step)
        self._trades(step.symbol)

    def told(self, event: Json) -> None:
        """Hear a user event: trades become public, and an order by which the exchange closed a position when it ends."""
        if event["e"] != "ORDER_TRADE_UPDATE":
            return
        order = event["o"]
        if order["t"]:
            self._trades(order["s"])
        if not order["c"].startswith(FORCED) or order["X"] in ("NEW", "PARTIALLY_FILLED"):
            return
        for stream in self._board.streams:
            topic = topic_of(stream)
            if topic is None or topic.kind != "forceOrder" or topic.symbol not in ("", order["s"]):
                continue
            largest = self._forced.setdefault(stream, {})
            known = largest.get(order["s"])
            if known is None or _value(order) > _value(known):
                largest[order["s"]] = order

    async def run(self) -> None:
        """Work for ever."""
        while True:
            await self._clock.sleep((TURN_MS - self._clock.now_ms() % TURN_MS) / 1000)
            self.turn()

    def turn(self) -> None:
        """Send what is due now."""
        now_ms, streams = self._clock.now_ms(), self._board.streams
        for stream in streams:
            topic = topic_of(stream)
            if topic is None or topic.every_ms == 0 or not self._known(topic.symbol):
                continue
            slot = now_ms // topic.every_ms
            if self._slots.get(stream) != slot:
                self._slots[stream] = slot
                self._kinds[topic.kind](stream, topic, now_ms)
        for stream in self._slots.keys() - set(streams):
            self._forget(stream)

    def _trades(self, symbol: str) -> None:
        stream, reader = f"{symbol.lower()}@trade", self._readers[symbol]
        if not self._board.wanted(stream):
            reader.skip()
            return
        now_ms = self._clock.now_ms()
        for trade in reader.read():
            self._board.publish(stream, dialect.trade_event(symbol, trade, now_ms))

    def _begin(self, stream: str) -> None:
        topic = topic_of(stream)
        if topic is not None and topic.kind in ("depth", "levels") and self._known(topic.symbol):
            tape, step = self._exchange.tape(topic.symbol), self._exchange.step(topic.symbol)
            self._chains[stream] = (topic.symbol, Chain(tape, step))

    def _forget(self, stream: str) -> None:
        del self._slots[stream]
        self._chains.pop(stream, None)
        self._bars.pop(stream, None)
        self._forced.pop(stream, None)

    def _known(self, symbol: str) -> bool:
        return not symbol or symbol in self._exchange.symbols

    def _steps(self) -> list[MarketStep]:
        steps = (self._exchange.step(symbol) for symbol in self._exchange.symbols)
        return [step for step in steps if step is not None]

    def _depth(self, stream: str, topic: Topic, now_ms: int) -> None:
        step = self._exchange.step(topic.symbol)
        change = self._chains[stream][1].advance()
        if step is None or change is None:
            return
        sides = (dialect.rows(change.bids), dialect.rows(change.asks))
        if topic.kind == "levels":
            most = int(topic.detail)
            sides = (dialect.rows(step.bids[:most]), dialect.rows(step.asks[:most]))
        ids = (change.first_id, change.final_id, change.previous_id)
        self._board.publish(stream, dialect.depth_event(topic.symbol, ids, sides, now_ms))

    def _kline(self, stream: str, topic: Topic, now_ms: int) -> None:
        if self._exchange.step(topic.symbol) is None:
            return
        tape, interval = self._exchange.tape(topic.symbol), topic.detail
        open_ms = opens_ms(interval, now_ms)
        sent = self._bars.get(stream)
        self._bars[stream] = (open_ms, tape.steps)
        due = [open_ms] if sent != (open_ms, tape.steps) else []
        if sent is not None and sent[0] != open_ms:
            due = [sent[0], open_ms]
        for begins_ms in due:
            bar, close_ms = tape.bar(interval, begins_ms), next_ms(interval, begins_ms) - 1
            event = dialect.kline_event(
                topic.symbol, interval, bar, close_ms, closed=now_ms > close_ms, now_ms=now_ms
            )
            if topic.kind == "continuousKline":
                event = dialect.continuous_kline_event(event)
            self._board.publish(stream, event)

    def _ticker(self, stream: str, topic: Topic, now_ms: int) -> None:
        if self._exchange.step(topic.symbol) is not None:
            self._board.publish(stream, self._day(topic.symbol, topic.kind, now_ms))

    def _tickers(self, stream: str, topic: Topic, now_ms: int) -> None:
        kind = topic.kind.removesuffix("s")
        rows = [self._day(step.symbol, kind, now_ms) for step in self._steps()]
        self._board.publish(stream, rows)

    def _day(self, symbol: str, kind: str, now_ms: int) -> Json:
        tape = self._exchange.tape(symbol)
        day = tape.day(now_ms)
        if kind == "miniTicker":
            return dialect.mini_ticker_event(symbol, day, now_ms)
        latest = next(tape.trades(), None)
        quantity = ZERO if latest is None else latest.quantity
        return dialect.ticker_event(symbol, day, quantity, now_ms)

    def _quotes(self, stream: str, topic: Topic, now_ms: int) -> None:  # noqa: ARG002 - one shape for all kinds
        for step in self._steps():
            update_id = self._exchange.tape(step.symbol).final_id
            self._board.publish(stream, book_ticker_event(step, update_id, now_ms))

    def _marks(self, stream: str, topic: Topic, now_ms: int) -> None:  # noqa: ARG002 - one shape for all kinds
        rate = self._exchange.funding_rate
        events = [mark_price_event(step, rate, now_ms) for step in self._steps()]
        self._board.publish(stream, events)

    def _liquidations(self, stream: str, topic: Topic, now_ms: int) -> None:  # noqa: ARG002 - one shape for all kinds
        for order in self._forced.pop(stream, {}).values():
            self._board.publish(stream, dialect.force_order_event(order, now_ms))


def _value(order: Json) -> Decimal:
    return Decimal(order["z"]) * Decimal(order["ap"])
