"""What the demo's decision system sees in past prices: swings, and where it supposes that others are liquidated.

It stands for anybody's analysis: the engine has none, and knows nothing of this one but the levels file that comes
out. Bars are made of the price path, whatever its speed; moments in the file are the exchange's. Promises the same
levels for the same prices; prices stay `Decimal`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from jumar.decisions.swings import MINUTE_MS, SwingFinder
from jumar.model.levels import Swing, SwingKind
from jumar.ops.demo.strategy import Idea, Quote

TIMEFRAMES = ("1m", "15m")
#: The zones are supposed behind the swings of these bars: those that ran away from a swing had their stops there.
ZONES_OF = "15m"
SWINGS_KEPT = 12
ZONES_MAX = 5
ZONE_BEGINS, ZONE_ENDS = Decimal("0.0002"), Decimal("0.0010")
STRONGEST, WEAKER_BY = Decimal("0.95"), Decimal("0.06")


class Chart:
    """The past of one symbol.

    Args:
        speed: path seconds per second of the exchange's clock.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._finders = {
            timeframe: SwingFinder(timeframe, kept=SWINGS_KEPT) for timeframe in TIMEFRAMES
        }
        self._minute_ms = -1
        self._high = self._low = Decimal(0)

    def see(self, quote: Quote) -> None:
        """Take a quote in; a minute of the path that is over becomes a bar."""
        minute_ms = int(quote.path_ms) // MINUTE_MS * MINUTE_MS
        if minute_ms != self._minute_ms:
            if self._minute_ms >= 0:
                for finder in self._finders.values():
                    finder.add(self._minute_ms, self._high, self._low)
            self._minute_ms, self._high, self._low = minute_ms, quote.ask, quote.bid
        self._high, self._low = max(self._high, quote.ask), min(self._low, quote.bid)

    def levels(self, quote: Quote, as_of: str) -> dict[str, Any]:
        """Return the symbol's block of a levels file.

        Args:
            quote: the present.
            as_of: its time as it stands in the file.
        """
        frames = {
            timeframe: {
                "lows": [self._written(swing, quote) for swing in _of(finder, SwingKind.LOW)],
                "highs": [self._written(swing, quote) for swing in _of(finder, SwingKind.HIGH)],
            }
            for timeframe, finder in self._finders.items()
        }
        below, above = self._zones(quote)
        clusters = {"below_price": below, "above_price": above}
        return {"as_of": as_of, "swings": frames, "liquidation_map": clusters}

    def zone_ahead(self, quote: Quote, idea: Idea) -> str | None:
        """Return the name of the nearest zone between an idea's entry and its last target, None without one."""
        below, above = self._zones(quote)
        ranked = sorted((*below, *above), key=lambda zone: -zone["strength"])
        ahead = [
            (abs(zone["price"] - idea.zone_max), f"cluster_{rank}")
            for rank, zone in enumerate(ranked, 1)
            if zone in (above if idea.sign > 0 else below)
            and (idea.tp2 - zone["price"]) * idea.sign > 0
        ]
        return min(ahead)[1] if ahead else None

    def _zones(self, quote: Quote) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The zones below and above the present price, the newest swing's the strongest."""
        swings = self._finders[ZONES_OF].swings
        found = list(_supposed(swings, quote))[:ZONES_MAX]
        below: list[dict[str, Any]] = []
        above: list[dict[str, Any]] = []
        for rank, (kind, zone) in enumerate(found):
            zone["strength"] = STRONGEST - WEAKER_BY * rank
            (below if kind is SwingKind.LOW else above).append(zone)
        return below, above

    def _written(self, swing: Swing, quote: Quote) -> dict[str, Any]:
        ago_ms = (quote.path_ms - swing.time_ms) / self._speed
        moment = datetime.fromtimestamp((quote.at_ms - ago_ms) / 1000, UTC)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"price": swing.price, "time": stamp, "confirmed": swing.confirmed}


def _of(finder: SwingFinder, kind: SwingKind) -> list[Swing]:
    return [swing for swing in finder.swings if swing.kind is kind]


def _supposed(swings: Sequence[Swing], quote: Quote) -> Iterator[tuple[SwingKind, dict[str, Any]]]:
    """A zone behind each swing that the price has not passed, the newest first."""
    for swing in reversed(swings):
        sign = 1 if swing.kind is SwingKind.HIGH else -1
        edges = [swing.price * (1 + sign * share) for share in (ZONE_BEGINS, ZONE_ENDS)]
        low, high = sorted(edge.quantize(quote.digits) for edge in edges)
        if low > quote.ask if sign > 0 else high < quote.bid:
            side = "short" if sign > 0 else "long"
            centre = ((low + high) / 2).quantize(quote.digits)
            yield swing.kind, {"zone": [low, high], "price": centre, "side": side}
