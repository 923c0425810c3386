"""A drawn market in which a named scenario happens: a seed and a script in, quotes, trades and marks out.

Promises what the synthetic market promises: the same seed gives the same path of a scenario, byte for byte, in every
process; each symbol has dice of its own; every step is valid (prices on the tick, bid below ask, quantities of at
least one unit). Does not know orders: nobody moves this market.

The script leads the price; a little noise that is always pulled back lies on it. Only arithmetic that IEEE 754
defines exactly moves the price.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import sqrt
from random import Random  # noqa: TID251 - this source is the door: dice with the run's seed

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
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
from jumar.exchange.simulated.market.scenarios import Depth, Phase, Scenario, scenario_of

_MINUTE_MS = 60_000
_PULL_PER_MINUTE = 2.0  # share of the noise that is taken back
_FAST = 0.001  # share of the price: a step that moves so far is one in which somebody traded
_THIN_SPREAD = (0.0001, 0.0010)  # share of the price
_HOLE_EDGES = (0.0045, 0.006, 0.009, 0.014)  # how far from the price a hole's levels stand at least
_HOLE_RAGGED = 0.1  # part of that which the dice may add
_PUBLISHED = Decimal("0.00000001")  # the venue publishes eight decimals of a mark price


class StagedMarket(DrawnMarket):
    """Paths of one or several symbols on which the scenario `market` names happens, independent of one another.

    Raises:
        ValueError: there is no such scenario; lists those there are.
    """

    def __init__(
        self,
        market: str,
        symbols: Sequence[str],
        *,
        seed: int,
        start_prices: Mapping[str, Decimal],
        tick_sizes: Mapping[str, Decimal],
    ) -> None:
        super().__init__(symbols, seed=seed, start_prices=start_prices, tick_sizes=tick_sizes)
        self._market = market
        self._scenario = scenario_of(market)

    def _path(self, symbol: str, start_price: Decimal, tick_size: Decimal) -> Iterator[MarketStep]:
        seed = dice_seed(f"{self._seed}:{self._market}:{symbol}")
        return _Path(
            symbol,
            self._scenario,
            dice=Random(seed),  # noqa: S311 - a market, not a secret
            start_price=start_price,
            tick_size=tick_size,
        ).steps()


class _Stage:
    """Where a script is at each moment: asked in the order of path time."""

    def __init__(self, script: Iterator[Phase]) -> None:
        self._script = script
        self._before = Phase(0, 0.0)
        self._phase = next(script)
        self._begun_ms = 0.0

    def at(self, path_ms: int) -> Phase:
        """Price, mark and book at `path_ms`."""
        while path_ms >= self._begun_ms + self._phase.seconds * 1000:
            self._begun_ms += self._phase.seconds * 1000
            self._before, self._phase = self._phase, next(self._script)
        before, phase = self._before, self._phase
        share = (path_ms - self._begun_ms) / (phase.seconds * 1000)
        return Phase(
            phase.seconds,
            before.level + (phase.level - before.level) * share,
            before.mark + (phase.mark - before.mark) * share,
            phase.depth,
        )


class _Path:
    """The market of one symbol around its script."""

    def __init__(
        self,
        symbol: str,
        scenario: Scenario,
        *,
        dice: Random,
        start_price: Decimal,
        tick_size: Decimal,
    ) -> None:
        self._symbol = symbol
        self._dice = dice
        self._noise = scenario.noise
        self._stage = _Stage(scenario.script(dice))
        self._last = nearest_tick(start_price, tick_size)
        self._start = float(self._last)
        self._tick = float(tick_size)
        self._book = BookDice(dice, start=self._last, tick_size=tick_size)
        self._mark = MarkPrice()

    def steps(self) -> Iterator[MarketStep]:
        path_ms, stray, before = 0, 0.0, self._start
        low, high = STEP_MS
        while True:
            now = self._stage.at(path_ms)
            price = self._start * (1.0 + now.level) * (1.0 + stray)
            yield self._step(path_ms, price, now, move=price / before - 1.0)
            before = price
            elapsed_ms = low + int((high - low + 1) * self._dice.random())
            path_ms += elapsed_ms
            stray = self._strayed(stray, elapsed_ms / _MINUTE_MS)

    def _strayed(self, stray: float, minutes: float) -> float:
        """The noise a moment later; four uniform draws have the variance 1/3."""
        draw = self._dice.random
        noise = (draw() + draw() + draw() + draw() - 2.0) * 1.7320508075688772
        return stray * (1.0 - _PULL_PER_MINUTE * minutes) + self._noise * sqrt(minutes) * noise

    def _step(self, path_ms: int, price: float, now: Phase, *, move: float) -> MarketStep:
        bids, asks = self._sides(price, now.depth)
        bid, ask = bids[0].price, asks[0].price
        prints: tuple[Print, ...] = ()
        if now.depth is not Depth.HOLE:
            prints = self._book.prints(
                bid, ask, price, rising=move >= 0.0, at_least=int(abs(move) > _FAST)
            )
        if prints:
            self._last = prints[-1].price
        mark = self._mark.update(path_ms=path_ms, bid=bid, ask=ask, last=self._last)
        if now.mark:
            mark = (mark * Decimal(1.0 + now.mark)).quantize(_PUBLISHED)
        return MarketStep(
            symbol=self._symbol,
            path_ms=path_ms,
            bids=bids,
            asks=asks,
            last=self._last,
            mark=mark,
            prints=prints,
        )

    def _sides(self, price: float, depth: Depth) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        if depth is Depth.HOLE:
            return self._far(price, -1), self._far(price, 1)
        spread, values = 1, BOOK_VALUES
        if depth is Depth.THIN:
            low, high = _THIN_SPREAD
            spread += int((low + (high - low) * self._dice.random()) * price / self._tick)
            values = CRUMB_VALUES
        best = max(int(price / self._tick - (spread - 1) / 2), LOWEST_BID_TICKS)
        bids = self._book.side(best, -1, price, values)
        return bids, self._book.side(best + spread, 1, price, values)

    def _far(self, price: float, direction: int) -> tuple[Level, ...]:
        """What a hole leaves of a side: crumbs, and an ordinary level behind them."""
        middle = max(price / self._tick, LOWEST_BID_TICKS)
        levels = []
        ticks = int(middle)
        for place, edge in enumerate(_HOLE_EDGES, start=1):
            away = int(middle * edge * (1.0 + _HOLE_RAGGED * self._dice.random()))
            ticks = _beyond(ticks, int(middle) + direction * away, direction)
            values = BOOK_VALUES if place == len(_HOLE_EDGES) else CRUMB_VALUES
            levels.append(self._book.level(ticks, price, values))
        return tuple(levels)


def _beyond(ticks: int, wanted: int, direction: int) -> int:
    """The wanted place, or the next one behind `ticks` where a coarse tick leaves no room between them."""
    return min(wanted, ticks - 1) if direction < 0 else max(wanted, ticks + 1)
