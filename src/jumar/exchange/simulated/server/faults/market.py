"""Prices that are displaced: a mark that dips, a market that jumps. Steps in, steps out; the source stays as it is.

A displacement is a fixed amount on the tick, so that the book keeps its form. Pure but for what it remembers.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep, Print

FOR_EVER_MS = 2**62
ONE_STEP_MS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How much is added to mark and to all other prices of a symbol, and until when; `ONE_STEP_MS`: for one step."""

    mark: Decimal
    price: Decimal
    until_ms: int


class Displacement:
    """What is added to each symbol's prices.

    Attributes:
        active: whether steps must come here.
    """

    def __init__(self) -> None:
        self._shifts: dict[str, dict[int, Shift]] = {}

    @property
    def active(self) -> bool:
        """Whether any symbol's prices are displaced."""
        return bool(self._shifts)

    def set(self, symbol: str, number: int, shift: Shift) -> None:
        """Displace a symbol's prices by the rule of a number."""
        self._shifts.setdefault(symbol, {})[number] = shift

    def end(self, number: int) -> None:
        """Take back what the rule of a number did."""
        for symbol in list(self._shifts):
            self._shifts[symbol].pop(number, None)
            if not self._shifts[symbol]:
                del self._shifts[symbol]

    def shifted(self, step: MarketStep, now_ms: int) -> MarketStep:
        """A step as it is seen."""
        for number, shift in list(self._shifts.get(step.symbol, {}).items()):
            if shift.until_ms == ONE_STEP_MS or now_ms < shift.until_ms:
                step = _moved(step, shift)
            if shift.until_ms <= now_ms:
                self.end(number)
        return step


def amount(price: Decimal, percent: Decimal, tick_size: Decimal) -> Decimal:
    """So many percent of a price, on the tick, at least one."""
    ticks = max(1, int(abs(price * percent) / 100 / tick_size))
    return (ticks if percent > 0 else -ticks) * tick_size


def _moved(step: MarketStep, shift: Shift) -> MarketStep:
    """The step with all its prices moved; one that no price above zero would be left of stays as it is."""
    if min(step.mark + shift.mark, step.bids[-1].price + shift.price) <= 0:
        return step
    if not shift.price:
        return replace(step, mark=step.mark + shift.mark)
    return replace(
        step,
        mark=step.mark + shift.mark,
        last=step.last + shift.price,
        bids=_levels(step.bids, shift.price),
        asks=_levels(step.asks, shift.price),
        prints=tuple(
            Print(
                price=each.price + shift.price, quantity=each.quantity, taker_side=each.taker_side
            )
            for each in step.prints
        ),
    )


def _levels(levels: tuple[Level, ...], by: Decimal) -> tuple[Level, ...]:
    return tuple(Level(price=each.price + by, quantity=each.quantity) for each in levels)
