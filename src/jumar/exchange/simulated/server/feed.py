"""Market streams that follow the market step by step: best bid and ask, mark price, public trades.

Best bid and ask go out at most every 20 ms per symbol, the newest state each time, so that a compressed path does
not flood its readers; the mark price goes out once a second of exchange time whatever the speed (every third time on
the slower stream). Trades are not thinned, and those of the account are among them.
"""

import asyncio
from itertools import count
from typing import Any, Protocol

from jumar.exchange.simulated.core.dialect import market as dialect
from jumar.exchange.simulated.core.dialect.history import agg_trade_event
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.tape import TapeReader
from jumar.ports.clock import Clock

QUOTE_INTERVAL_S = 0.02
MARK_INTERVAL_MS = 1000
SLOW_MARK = 3


class Publisher(Protocol):
    """Where messages go out: the server's hub, or a simulation's."""

    def wanted(self, stream: str) -> bool:
        """Whether anybody hears a market stream."""
        ...

    def publish(self, stream: str, event: dict[str, Any]) -> None:
        """Send a market event to all who hear the stream."""
        ...


class MarketFeed:
    """Turns market steps into stream messages."""

    def __init__(self, exchange: Exchange, hub: Publisher, clock: Clock) -> None:
        self._exchange = exchange
        self._hub = hub
        self._clock = clock
        self._quoted_s: dict[str, float] = {}
        self._planned: dict[str, asyncio.TimerHandle] = {}
        self._readers = {s: TapeReader(exchange.tape(s)) for s in exchange.symbols}
        exchange.subscribe(self._told)

    def stepped(self, step: MarketStep) -> None:
        """Publish what the step brought."""
        self._trades(step.symbol)
        if step.symbol in self._planned:
            return
        wait = self._quoted_s.get(step.symbol, -1.0) + QUOTE_INTERVAL_S - self._clock.monotonic()
        if wait <= 0:
            self._quote(step.symbol)
        else:
            loop = asyncio.get_running_loop()
            self._planned[step.symbol] = loop.call_later(wait, self._quote, step.symbol)

    async def run(self) -> None:
        """Publish the mark prices, for ever."""
        for turn in count():
            await self._clock.sleep(
                (MARK_INTERVAL_MS - self._clock.now_ms() % MARK_INTERVAL_MS) / 1000
            )
            for symbol in self._exchange.symbols:
                self._mark(symbol, slow=turn % SLOW_MARK == 0)

    def close(self) -> None:
        """Forget planned messages."""
        for handle in self._planned.values():
            handle.cancel()
        self._planned.clear()

    def _quote(self, symbol: str) -> None:
        self._planned.pop(symbol, None)
        self._quoted_s[symbol] = self._clock.monotonic()
        step = self._exchange.step(symbol)
        stream = f"{symbol.lower()}@bookTicker"
        if step is not None and self._hub.wanted(stream):
            update_id = self._exchange.tape(symbol).final_id
            event = dialect.book_ticker_event(step, update_id, self._clock.now_ms())
            self._hub.publish(stream, event)

    def _mark(self, symbol: str, *, slow: bool) -> None:
        step = self._exchange.step(symbol)
        if step is None:
            return
        event = dialect.mark_price_event(step, self._exchange.funding_rate, self._clock.now_ms())
        self._hub.publish(f"{symbol.lower()}@markPrice@1s", event)
        if slow:
            self._hub.publish(f"{symbol.lower()}@markPrice", event)

    def _told(self, event: dict[str, Any]) -> None:
        """Hear a user event: what the account traded is public at once."""
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["t"]:
            self._trades(event["o"]["s"])

    def _trades(self, symbol: str) -> None:
        stream, reader = f"{symbol.lower()}@aggTrade", self._readers[symbol]
        if not self._hub.wanted(stream):
            reader.skip()
            return
        now_ms = self._clock.now_ms()
        for trade in reader.read():
            self._hub.publish(stream, agg_trade_event(symbol, trade, now_ms))
