"""An endless drawn market: a seed in, quotes, trades and marks out.

Promises: the same seed gives the same path, byte for byte, in every process; each symbol has dice of its
own, so that adding a symbol leaves the others' paths as they were; every step is valid (prices on the
tick, bid below ask, quantities of at least one unit). Does not know orders: nobody moves this market.
How it compares with recorded markets stands in docs/concepts/market-paths.md.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random  # noqa: TID251 - this source is the door: dice with the run's seed

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market.drawn import (
    BOOK_VALUES,
    CRUMB_VALUES,
    LOWEST_BID_TICKS,
    STEP_MS,
    BookDice,
    DrawnMarket,
    dice_seed,
)
from jumar.exchange.simulated.market.grid import nearest_tick
from jumar.exchange.simulated.market.mark import MarkPrice
from jumar.exchange.simulated.market.walk import PriceWalk

_SIGMA_PER_MINUTE = {"BTCUSDT": 0.0009, "ETHUSDT": 0.0011}
_SIGMA_OF_OTHERS = 0.0013

_THIN_PER_STEP = 0.004  # a thin moment begins: the book holds crumbs only
_THIN_STEPS = (4, 40)
_WIDEN_PER_STEP = 0.003
_WIDEN_JUMPING = 0.5
_WIDEN_DECAY = 0.5  # of a widening is left at the next step


class SyntheticMarket(DrawnMarket):
    """Drawn paths of one or several symbols, independent of one another."""

    def _path(self, symbol: str, start_price: Decimal, tick_size: Decimal) -> Iterator[MarketStep]:
        dice = Random(dice_seed(f"{self._seed}:{symbol}"))  # noqa: S311 - a market, not a secret
        return _Path(symbol, dice=dice, start_price=start_price, tick_size=tick_size).steps()


class _Path:
    """The market of one symbol around its price walk."""

    def __init__(
        self, symbol: str, *, dice: Random, start_price: Decimal, tick_size: Decimal
    ) -> None:
        self._symbol = symbol
        self._dice = dice
        start = nearest_tick(start_price, tick_size)
        self._book = BookDice(dice, start=start, tick_size=tick_size)
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
        low, high = STEP_MS
        while True:
            yield self._step(path_ms, price, rising=price >= before)
            elapsed_ms = low + int((high - low + 1) * draw())
            path_ms += elapsed_ms
            before, price = price, self._walk.advance(elapsed_ms)

    def _step(self, path_ms: int, price: float, *, rising: bool) -> MarketStep:
        self._draw_mood(price)
        spread = 1 + int(self._extra_ticks)
        bid_ticks = max(int(price / self._tick_float - (spread - 1) / 2), LOWEST_BID_TICKS)
        values = CRUMB_VALUES if self._thin_steps else BOOK_VALUES
        bids = self._book.side(bid_ticks, -1, price, values)
        asks = self._book.side(bid_ticks + spread, 1, price, values)
        prints = self._book.prints(bids[0].price, asks[0].price, price, rising=rising)
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
