"""What the decision system wrote, from its own record: the only source of levels that the audit believes.

Promises that amounts come from their text, never through a binary float. A text that is no decision with the fields
that matter is left out: the engine must not have entered on it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from jumar.model.order import Side

_SIDES = {"long": Side.BUY, "short": Side.SELL}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One decision as it was written; prices as they stand there, not on any tick.

    Attributes:
        side: None for flat, which has none of the levels below either.
        size: notional in quote currency.
        trails, trail_mode: whether the stop may follow, and how. zone_id: the liquidation zone that it names.
    """

    symbol: str
    timestamp_ms: int
    side: Side | None
    zone: tuple[Decimal, Decimal] | None
    stop: Decimal | None
    tp1: Decimal | None
    tp2: Decimal | None
    size: Decimal
    trails: bool = False
    trail_mode: str = "none"
    zone_id: str | None = None


class DecisionRecord:
    """The decisions by symbol and their own time, which name one decision (D-7)."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._written: dict[tuple[str, int], list[Written]] = defaultdict(list)
        for text in texts:
            written = _read(text)
            if written is not None:
                self._written[written.symbol, written.timestamp_ms].append(written)

    def find(self, symbol: str, timestamp_ms: int) -> Written | None:
        """The decision of a symbol and time; of two, the first (D-7: the first valid one stays)."""
        found = self._written.get((symbol, timestamp_ms))
        return found[0] if found else None

    def between(self, symbol: str, from_ms: int, to_ms: int) -> list[Written]:
        """The decisions of a symbol whose own time lies between two moments, both included, oldest first."""
        times = sorted(
            time for name, time in self._written if name == symbol and from_ms <= time <= to_ms
        )
        return [self._written[symbol, time][0] for time in times]


def _read(text: str) -> Written | None:
    try:
        content = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        return _written(content)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None  # no decision: whoever entered on it has no decision to show


def _written(content: Mapping[str, Any]) -> Written:
    side = _SIDES.get(content["action"])
    moment = datetime.fromisoformat(content["timestamp_iso"])
    levels: dict[str, Decimal | None] = dict.fromkeys(("stop", "tp1", "tp2"))
    zone = None
    if side is not None:
        low, high = content["entry_zone"]
        zone = (Decimal(low), Decimal(high))
        tp2 = content.get("tp2")
        levels = {
            "stop": Decimal(content["sl"]),
            "tp1": Decimal(content["tp1"]),
            "tp2": None if tp2 is None else Decimal(tp2),
        }
    management = content.get("position_management") or {}
    zone_id = management.get("liq_tp_zone_id")
    return Written(
        symbol=content["symbol"],
        timestamp_ms=(moment - _EPOCH) // timedelta(milliseconds=1),
        side=side,
        zone=zone,
        size=Decimal(content["position_size_usdt"]),
        trails=management.get("enable_trailing") is True,
        trail_mode=str(management.get("trail_mode", "none")),
        zone_id=None if zone_id is None else str(zone_id),
        **levels,
    )
