"""Levels: swings and liquidation zones that the decision system found (D-10). The engine never looks for any.

Prices are quote currency, times exchange milliseconds. Frozen; standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Self

from jumar.model.moments import iso
from jumar.model.order import Side
from jumar.model.units import text

#: Zones that are named where levels are told in words.
ZONES_TOLD_MAX = 12

_MINUTE_MS = 60_000
_DAY = 24 * 60
TIMEFRAMES: Mapping[str, int] = {
    name: minutes * _MINUTE_MS
    for name, minutes in {
        "1m": 1,
        "3m": 3,
        "5m": 5,
        "15m": 15,
        "30m": 30,
        "1h": 60,
        "2h": 120,
        "4h": 240,
        "6h": 360,
        "8h": 480,
        "12h": 720,
        "1d": _DAY,
        "3d": 3 * _DAY,
        "1w": 7 * _DAY,
    }.items()
}
"""The timeframes that a swing may be of, as the venue names its bars, and their length in milliseconds."""


class SwingKind(StrEnum):
    """Which way the market turned."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """A turning point.

    Attributes:
        timeframe: of the bars it was found on, such as `15m`.
        time_ms: of the bar that holds it.
        confirmed: later bars have proven it; an unconfirmed one moves no stop (R-2).
    """

    timeframe: str
    kind: SwingKind
    price: Decimal
    time_ms: int
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidationZone:
    """A range of prices where many positions would be liquidated.

    Attributes:
        id: as written, or `cluster_N` by strength, strongest first, from 1.
        explicit: the file names it; a derived name moves no bound zone (L-3).
        side: of the positions that would be liquidated, None where it is not told.
        low, high: inclusive, `low <= high`.
        price: its centre of gravity.
        strength: 0 to 1.
    """

    id: str
    explicit: bool
    side: Side | None
    low: Decimal
    high: Decimal
    price: Decimal
    strength: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLevels:
    """One content of the levels file; how old it may be is the planner's to judge.

    Attributes:
        as_of_ms: when its writer made it.
        swings: by time, oldest first.
        zones: strongest first.
    """

    as_of_ms: int
    swings: tuple[Swing, ...] = ()
    zones: tuple[LiquidationZone, ...] = ()

    def zone(self, zone_id: str) -> LiquidationZone | None:
        """Return the zone of that id, None without one."""
        return next((zone for zone in self.zones if zone.id == zone_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundZone:
    """The zone that a decision named, as it was when it was bound (L-3).

    Attributes:
        used: an exit was made in it; it makes no other (L-1).
        explicit: its id was written, not derived: the same id is the same zone wherever it moves.
    """

    id: str
    low: Decimal
    high: Decimal
    used: bool = False
    explicit: bool = False

    def is_same(self, other: Self) -> bool:
        """Whether an exit in one was an exit in the other: one explicit id, or prices in common (L-3)."""
        by_name = self.explicit and other.explicit and self.id == other.id
        return by_name or (self.low <= other.high and other.low <= self.high)


def in_words(levels: MarketLevels) -> str:
    """Return levels as one line: when they were made, the last confirmed swings, the strongest zones."""
    last = {(swing.timeframe, swing.kind): swing for swing in levels.swings if swing.confirmed}
    swings = [f"{timeframe} {kind} {text(last[timeframe, kind].price)}" for timeframe, kind in last]
    zones = [
        f"{zone.id} [{text(zone.low)}, {text(zone.high)}] {text(zone.strength)}"
        for zone in levels.zones[:ZONES_TOLD_MAX]
    ]
    more = len(levels.zones) - len(zones)
    zones += [f"and {more} more"] if more else []
    return (
        f"levels of {iso(levels.as_of_ms)}: {len(levels.swings)} swings (last confirmed: "
        f"{', '.join(sorted(swings)) or 'none'}), {len(levels.zones)} zones ({', '.join(zones) or 'none'})"
    )
