"""What every market that is drawn from a seed has: paths side by side, and book and trades around a price.

Pure but for its dice, which are handed in. Promises prices on the tick, best first, and quantities of at least one
unit; the same dice draw the same book. Does not know what moves the price.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from random import Random  # noqa: TID251 - the type only: the seeded dice come from the caller

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.market.grid import quantity_unit

STEP_MS = (200, 300)
"""Shortest and longest path time between two steps of a symbol."""

# Sizes in quote currency at evenly spaced quantiles (0 %, 10 %, … 100 %), read off a recorded BTCUSDT book and
# its trades (raw stream, 2024-08-08): crumbs are as real as walls.
BOOK_VALUES = (60, 5e3, 2.5e4, 6e4, 1.1e5, 1.65e5, 2.2e5, 2.8e5, 3.7e5, 5.2e5, 1.5e6)
"""Values of a book's levels, quote currency, at evenly spaced quantiles."""
CRUMB_VALUES = (60, 120, 200, 350, 500, 850, 1.2e3, 1.8e3, 2.8e3, 5e3, 1e4)
"""The same of a thin book."""
_TRADE_VALUES = (60, 120, 160, 250, 500, 1e3, 1.6e3, 3e3, 7e3, 1.6e4, 1.5e5)
_TRADES_PER_STEP = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3)

_LEVELS = 4
_GAP_TICKS_MAX = 8
LOWEST_BID_TICKS = _LEVELS * _GAP_TICKS_MAX
"""A best bid so low, in ticks, still leaves room for the levels below it."""
_FOLLOW = 0.8  # of the trades after a move go with it


def dice_seed(text: str) -> int:
    """Distinct dice per text; not `hash()`, which differs from process to process."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


class DrawnMarket(ABC):
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
        paths = [
            self._path(symbol, self._start_prices[symbol], self._tick_sizes[symbol])
            for symbol in self._symbols
        ]
        return heapq.merge(*paths, key=lambda step: step.path_ms)

    @abstractmethod
    def _path(self, symbol: str, start_price: Decimal, tick_size: Decimal) -> Iterator[MarketStep]:
        """The path of one symbol, which has dice of its own."""


class BookDice:
    """Draws the levels and trades of one symbol."""

    def __init__(self, dice: Random, *, start: Decimal, tick_size: Decimal) -> None:
        self._dice = dice
        self._tick = tick_size
        self._unit = quantity_unit(start)
        self._unit_float = float(self._unit)

    def side(
        self, best_ticks: int, direction: int, price: float, values: tuple[float, ...]
    ) -> tuple[Level, ...]:
        """Four levels from `best_ticks` on, downwards (-1) or upwards (1), of the values' quantiles."""
        draw = self._dice.random
        levels = []
        ticks = best_ticks
        for _ in range(_LEVELS):
            levels.append(self.level(ticks, price, values))
            near = draw()
            ticks += direction * (1 + int((_GAP_TICKS_MAX - 1) * near * near))
        return tuple(levels)

    def level(self, ticks: int, price: float, values: tuple[float, ...]) -> Level:
        """One level at a price of so many ticks, of the values' quantiles."""
        return Level(price=self._tick * ticks, quantity=self._quantity(values, price))

    def prints(
        self, bid: Decimal, ask: Decimal, price: float, *, rising: bool, at_least: int = 0
    ) -> tuple[Print, ...]:
        """Up to three trades at the best prices, most of them in the direction of the move."""
        draw = self._dice.random
        count = max(at_least, _TRADES_PER_STEP[int(len(_TRADES_PER_STEP) * draw())])
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
