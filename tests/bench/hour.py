"""One virtual hour of a busy account: five drawn markets, an order cycle every second, all in process.

A cycle is one of four, in turn, on one symbol after another: an order that rests and is cancelled; one that takes and
is closed again; a stop that fires and is closed again; an entry with a stop and a target, of which one or neither fires
before the next cycle of the symbol clears up.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import count

from jumar.bootstrap.serving import START_PRICES
from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import SyntheticMarket
from jumar.exchange.simulated.server.packing import packer
from jumar.simulation.clock import VirtualClock
from jumar.simulation.line import Calm, Request
from jumar.simulation.loop import VirtualLoop
from jumar.simulation.venue import Venue
from jumar.simulation.world import ORIGIN_MS

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "DOGEUSDT")
NOTIONAL = Decimal(120)
ORDER, CONDITIONAL = "/fapi/v1/order", "/fapi/v1/algoOrder"
ALL_ORDERS, ALL_CONDITIONALS = "/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders"


class Hour:
    """The exchange, its markets and one busy client."""

    def __init__(self, seed: int = 1) -> None:
        self._loop = VirtualLoop(seed)  # type: ignore[abstract]  # sockets, threads and signals do not exist here
        self._clock = VirtualClock(self._loop, ORIGIN_MS)
        ticks = {symbol: INSTRUMENTS[symbol].tick_size for symbol in SYMBOLS}
        market = SyntheticMarket(SYMBOLS, seed=seed, start_prices=START_PRICES, tick_sizes=ticks)
        self.venue = Venue(
            loop=self._loop, clock=self._clock, market=market, weather=Calm(), pack=packer()
        )
        self._numbers = count(1)
        self.cycles = 0
        self.venue.open()
        self._loop.create_task(self._work()).add_done_callback(asyncio.Task.result)

    def run(self, until_s: float) -> None:
        """Let time go on; whatever went wrong meanwhile is raised."""
        self._loop.run(until_s=until_s)
        for error in self._loop.errors:
            raise error["exception"]

    def close(self) -> None:
        """End."""
        self._loop.close()

    async def _work(self) -> None:
        cycles: tuple[Callable[[str], None], ...] = (
            self._rests,
            self._takes,
            self._fires,
            self._brackets,
        )
        while True:
            await self._clock.sleep(1.0)
            symbol = SYMBOLS[self.cycles % len(SYMBOLS)]
            self._clear(symbol)
            cycles[self.cycles % len(cycles)](symbol)
            self.cycles += 1

    def _rests(self, symbol: str) -> None:
        step = self._step(symbol)
        name = self._name()
        self._limit(symbol, "BUY", step.bids[0].price * Decimal("0.98"), name)
        self._ask("DELETE", ORDER, {"symbol": symbol, "origClientOrderId": name})

    def _takes(self, symbol: str) -> None:
        self._limit(symbol, "BUY", self._step(symbol).asks[-1].price, self._name())
        self._market(symbol, "SELL")

    def _fires(self, symbol: str) -> None:
        self._conditional(symbol, "BUY", "STOP_MARKET", Decimal("1.0001"), reduces=False)

    def _brackets(self, symbol: str) -> None:
        self._market(symbol, "BUY", reduces=False)
        self._conditional(symbol, "SELL", "STOP_MARKET", Decimal("0.9995"))
        self._conditional(symbol, "SELL", "TAKE_PROFIT_MARKET", Decimal("1.0005"))

    def _clear(self, symbol: str) -> None:
        """What the symbol's last cycle left."""
        self._ask("DELETE", ALL_ORDERS, {"symbol": symbol})
        self._ask("DELETE", ALL_CONDITIONALS, {"symbol": symbol})
        if self.venue.core.position(symbol):
            self._market(symbol, "SELL")

    def _limit(self, symbol: str, side: str, price: Decimal, name: str) -> None:
        tick = INSTRUMENTS[symbol].tick_size
        terms = {"type": "LIMIT", "timeInForce": "GTC", "price": str(price // tick * tick)}
        self._order(symbol, side, {**terms, "newClientOrderId": name})

    def _market(self, symbol: str, side: str, *, reduces: bool = True) -> None:
        terms = {"type": "MARKET", "newClientOrderId": self._name()}
        self._order(symbol, side, {**terms, "reduceOnly": "true"} if reduces else terms)

    def _order(self, symbol: str, side: str, terms: dict[str, str]) -> None:
        params = {"symbol": symbol, "side": side, "quantity": self._quantity(symbol)}
        self._ask("POST", ORDER, {**params, **terms})

    def _conditional(
        self, symbol: str, side: str, kind: str, away: Decimal, *, reduces: bool = True
    ) -> None:
        tick = INSTRUMENTS[symbol].tick_size
        trigger = (self._step(symbol).mark * away // tick + (away > 1)) * tick
        params = {
            "algoType": "CONDITIONAL",
            "symbol": symbol,
            "side": side,
            "type": kind,
            "triggerPrice": str(trigger),
            "workingType": "MARK_PRICE",
            "quantity": self._quantity(symbol),
            "reduceOnly": "true" if reduces else "false",
            "clientAlgoId": self._name(),
        }
        self._ask("POST", CONDITIONAL, params)

    def _quantity(self, symbol: str) -> str:
        step = INSTRUMENTS[symbol].step_size
        return str((NOTIONAL / START_PRICES[symbol] // step + 1) * step)

    def _step(self, symbol: str) -> MarketStep:
        step = self.venue.core.step(symbol)
        if step is None:
            raise RuntimeError(f"{symbol} has no market")
        return step

    def _name(self) -> str:
        return f"busy-{next(self._numbers):08d}"

    def _ask(self, method: str, path: str, params: dict[str, str]) -> Reply:
        stamped = {**params, "timestamp": str(self._clock.now_ms())}
        reply = self.venue.execute(Request(method=method, path=path, params=stamped))
        # A reduce-only order may come when a stop was there first (-2022), a trigger may be passed by (-2021).
        if reply.status != 200 and reply.body["code"] not in (-2021, -2022):
            raise RuntimeError(f"{method} {path} {params}: {reply.body}")
        return reply
