"""An endless drawn market: a seed in, quotes, trades and marks out.

Promises: the same seed gives the same path, byte for byte, in every process; each symbol has dice of its
own, so that adding a symbol leaves the others' paths as they were; every step is valid (prices on the
tick, bid below ask, quantities of at least one unit). Does not know orders: nobody moves this market.
How it compares with recorded markets stands in docs/concepts/market-paths.md.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from random import Random  # noqa: TID251 - this source is the door: dice with the run's seed

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.market.grid import nearest_tick, quantity_unit
from jumar.exchange.simulated.market.mark import MarkPrice
from jumar.exchange.simulated.market.walk import PriceWalk

_SIGMA_PER_MINUTE = {"BTCUSDT": 0.0009, "ETHUSDT": 0.0011}
_SIGMA_OF_OTHERS = 0.0013

_STEP_MS = (200, 300)
_LEVELS = 4
_GAP_TICKS_MAX = 8

# Sizes in quote currency at evenly spaced quantiles (0 %, 10 %, … 100 %), read off a recorded BTCUSDT book and
# its trades (raw stream, 2024-08-08): crumbs are as real as walls.
_BOOK_VALUES = (60, 5e3, 2.5e4, 6e4, 1.1e5, 1.65e5, 2.2e5, 2.8e5, 3.7e5, 5.2e5, 1.5e6)
_CRUMB_VALUES = (60, 120, 200, 350, 500, 850, 1.2e3, 1.8e3, 2.8e3, 5e3, 1e4)
_TRADE_VALUES = (60, 120, 160, 250, 500, 1e3, 1.6e3, 3e3, 7e3, 1.6e4, 1.5e5)
_TRADES_PER_STEP = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3)

_THIN_PER_STEP = 0.004  # a thin moment begins: the book holds crumbs only
_THIN_STEPS = (4, 40)
_WIDEN_PER_STEP = 0.003
_WIDEN_JUMPING = 0.5
_WIDEN_DECAY = 0.5  # of a widening is left at the next step
_FOLLOW = 0.8  # of the trades after a move go with it


class SyntheticMarket:
    """Drawn paths of one or several symbols, independent of one another."""

    def __init__(
        self,
        symbols: Sequence[str],
        *,
        seed: int,
        start_prices: Mapping[str, Decimal],
        tick_sizes: Mapping[str, Decimal],
    ) -> None:
        self._symbols = tuple(symbols)
        self._seed = seed
        self._start_prices = {symbol: start_prices[symbol] for symbol in symbols}
        self._tick_sizes = {symbol: tick_sizes[symbol] for symbol in symbols}

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order they were given."""
        return self._symbols

    def steps(self) -> Iterator[MarketStep]:
        """The path from its beginning, without end: per symbol a step about every 250 ms of path time."""
        paths = [self._path(symbol) for symbol in self._symbols]
        return heapq.merge(*paths, key=lambda step: step.path_ms)

    def _path(self, symbol: str) -> Iterator[MarketStep]:
        return _Path(
            symbol,
            dice=Random(_sub_seed(self._seed, symbol)),  # noqa: S311 - a market, not a secret
            start_price=self._start_prices[symbol],
            tick_size=self._tick_sizes[symbol],
        ).steps()


def _sub_seed(seed: int, symbol: str) -> int:
    """Distinct dice per symbol; not `hash()`, which differs from process to process."""
    return int.from_bytes(sha256(f"{seed}:{symbol}".encode()).digest()[:8], "big")


class _Path:
    """The market of one symbol around its price walk."""

    def __init__(
        self, symbol: str, *, dice: Random, start_price: Decimal, tick_size: Decimal
    ) -> None:
        self._symbol = symbol
        self._dice = dice
        self._tick = tick_size
        start = nearest_tick(start_price, tick_size)
        self._unit = quantity_unit(start)
        self._unit_float = float(self._unit)
        self._tick_float = float(tick_size)
        self._walk = PriceWalk(
            dice,
            start=float(start),
            sigma_per_minute=_SIGMA_PER_MINUTE.get(symbol, _SIGMA_OF_OTHERS),
        )
        self._mark = MarkPrice()
        self._last = start
        self._extra_ticks = 0.0
        self._thin_steps = 0

    def steps(self) -> Iterator[MarketStep]:
        path_ms = 0
        price = before = self._walk.price
        draw = self._dice.random
        low, high = _STEP_MS
        while True:
            yield self._step(path_ms, price, rising=price >= before)
            elapsed_ms = low + int((high - low + 1) * draw())
            path_ms += elapsed_ms
            before, price = price, self._walk.advance(elapsed_ms)

    def _step(self, path_ms: int, price: float, *, rising: bool) -> MarketStep:
        self._draw_mood(price)
        spread = 1 + int(self._extra_ticks)
        bid_ticks = max(int(price / self._tick_float - (spread - 1) / 2), _LEVELS * _GAP_TICKS_MAX)
        bids = self._side(bid_ticks, -1, price)
        asks = self._side(bid_ticks + spread, 1, price)
        prints = self._prints(bids[0].price, asks[0].price, price, rising=rising)
        if prints:
            self._last = prints[-1].price
        bid, ask = bids[0].price, asks[0].price
        mark = self._mark.update(path_ms=path_ms, bid=bid, ask=ask, last=self._last)
        return MarketStep(
            symbol=self._symbol,
            path_ms=path_ms,
            bids=bids,
            asks=asks,
            last=self._last,
            mark=mark,
            prints=prints,
        )

    def _draw_mood(self, price: float) -> None:
        """Widenings and thin moments come at random, and with every jump."""
        draw = self._dice.random
        self._extra_ticks *= _WIDEN_DECAY
        jumping = self._walk.is_jumping
        if draw() < (_WIDEN_JUMPING if jumping else _WIDEN_PER_STEP):
            # 0.002 % of the price as a rule, 0.067 % at the worst
            self._extra_ticks += 0.00002 / (draw() + 0.03) * price / self._tick_float
        if self._thin_steps:
            self._thin_steps -= 1
        elif jumping or draw() < _THIN_PER_STEP:
            low, high = _THIN_STEPS
            self._thin_steps = low + int((high - low + 1) * draw())

    def _side(self, best_ticks: int, direction: int, price: float) -> tuple[Level, ...]:
        draw = self._dice.random
        values = _CRUMB_VALUES if self._thin_steps else _BOOK_VALUES
        levels = []
        ticks = best_ticks
        for _ in range(_LEVELS):
            levels.append(Level(price=self._tick * ticks, quantity=self._quantity(values, price)))
            near = draw()
            ticks += direction * (1 + int((_GAP_TICKS_MAX - 1) * near * near))
        return tuple(levels)

    def _prints(
        self, bid: Decimal, ask: Decimal, price: float, *, rising: bool
    ) -> tuple[Print, ...]:
        draw = self._dice.random
        count = _TRADES_PER_STEP[int(len(_TRADES_PER_STEP) * draw())]
        prints = []
        for _ in range(count):
            buys = rising if draw() < _FOLLOW else not rising
            quantity = self._quantity(_TRADE_VALUES, price)
            side = "BUY" if buys else "SELL"
            prints.append(Print(price=ask if buys else bid, quantity=quantity, taker_side=side))
        return tuple(prints)

    def _quantity(self, values: tuple[float, ...], price: float) -> Decimal:
        """A quantity whose value follows the quantiles `values`, on the unit, at least one unit."""
        place = (len(values) - 1) * self._dice.random()
        index = int(place)
        value = values[index] + (values[index + 1] - values[index]) * (place - index)
        return self._unit * max(1, int(value / price / self._unit_float))
