"""Everything the checks look at, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from jumar.audit.decisions import DecisionRecord, Written
from jumar.audit.flight import Flight
from jumar.audit.journal import Journal
from jumar.audit.ledger import LedgerReading
from jumar.model.trade import Trade
from jumar.model.units import ceil_to, floor_to

#: A decision may be dated so much ahead of the moment at which it counts (D-3).
AHEAD_MS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interval in which the exchange's judge saw nothing cover a position, exchange time."""

    symbol: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The ledger, the decisions as written, the engine's journal, its tick record, and the gaps in cover."""

    ledger: LedgerReading
    decisions: DecisionRecord
    journal: Journal
    flight: Flight
    gaps: tuple[Gap, ...]

    def decided(self, trade: Trade) -> Written | None:
        """The decision that a trade obeys, as it was written."""
        return self.decisions.find(trade.symbol, trade.decision.timestamp_ms)

    def owners(self, trade: Trade) -> list[Written]:
        """The decisions that a trade belonged to, one after the other, the last one last (E-9)."""
        last_ms = trade.decision.timestamp_ms
        if trade.origin_ms is None:
            return self.decisions.between(trade.symbol, last_ms, last_ms)
        found = self.decisions.between(trade.symbol, trade.origin_ms, last_ms)
        return [each for each in found if each.side is trade.side]

    def guides(self, trade: Trade, until_ms: int) -> list[Written]:
        """The decisions of a trade's side that are newer than its owner, up to a moment: they may move targets (E-9)."""
        first_ms = trade.decision.timestamp_ms + 1
        found = self.decisions.between(trade.symbol, first_ms, until_ms + AHEAD_MS)
        return [each for each in found if each.side is trade.side]

    def grid(self, symbol: str) -> "Grid":
        """The price grid of a symbol, as the engine read it."""
        return Grid(self.flight.tick_sizes, symbol)


class Grid:
    """Prices onto the tick; left as they are where no tick was ever recorded."""

    def __init__(self, tick_sizes: Mapping[str, Decimal], symbol: str) -> None:
        self._tick = tick_sizes.get(symbol)

    def below(self, price: Decimal) -> Decimal:
        """The nearest price on the tick that is not above."""
        return price if self._tick is None else floor_to(price, self._tick)

    def above(self, price: Decimal) -> Decimal:
        """The nearest price on the tick that is not below."""
        return price if self._tick is None else ceil_to(price, self._tick)

    def against(self, price: Decimal, sign: Decimal) -> Decimal:
        """Rounded in the losing direction of a long (sign +1) or short: a stop away, a target toward the entry."""
        return self.below(price) if sign > 0 else self.above(price)
