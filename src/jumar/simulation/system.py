"""A decision system for runs in which much happens: it bets this way and that, and is not always right about anything.

It sees public prices and writes decisions, as anybody's system would; it knows nothing of the engine or the account.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed
from typing import Any

_CHECKS = ("daily_dd_ok", "weekly_dd_ok", "max_trades_per_day_ok", "session_ok", "no_major_news")
_TENTH = Decimal("0.1")


@dataclass(slots=True)
class Restless:
    """Decides by dice; keeps its side for a while."""

    dice: Random
    symbol: str
    sign: int = 0

    def decide(self, price: Decimal, now_ms: int) -> bytes:
        """The next decision at this price and moment of exchange time."""
        dice = self.dice
        if dice.random() < 0.2 or self.sign == 0:
            self.sign = dice.choice((-1, 1))
        if dice.random() < 0.05:
            return self.flat(now_ms)
        return _encode(self._directed(price, now_ms))

    def flat(self, now_ms: int) -> bytes:
        """The decision to hold nothing."""
        content = self._common(now_ms, "flat", "no_view")
        levels: dict[str, Any] = {"entry_zone": [], "sl": None, "tp1": None, "tp2": None}
        return _encode({**content, **levels, "position_size_usdt": 0, "leverage": 0})

    def _directed(self, price: Decimal, now_ms: int) -> dict[str, Any]:
        dice, sign = self.dice, self.sign
        near = price * (1 + sign * _share(dice, -0.0003, 0.0002))
        far = near * (1 - sign * _share(dice, 0.0002, 0.0006))
        middle = (near + far) / 2
        risk = middle * _share(dice, 0.0036, 0.0055)
        reward = _share(dice, 1.9, 2.6)  # now and then too little for the guards
        far_reward = None if dice.random() < 0.15 else _share(dice, 2.8, 4.0)
        content = self._common(now_ms, "long" if sign > 0 else "short", "restless")
        content["risk_checks"]["no_major_news"] = dice.random() > 0.02
        content["position_management"]["tp1_fraction"] = dice.choice((0.3, 0.5, 0.5, 0.7, 1.0))
        content["position_management"]["enable_trailing"] = dice.random() < 0.7
        return {
            **content,
            "entry_zone": sorted((_price(near), _price(far))),
            "sl": _price(middle - sign * risk),
            "tp1": _price(middle + sign * risk * reward),
            "tp2": None if far_reward is None else _price(middle + sign * risk * far_reward),
            "position_size_usdt": dice.choice((300, 900, 1200, 4000)),
            "leverage": dice.choice((2, 3, 5)),
        }

    def _common(self, now_ms: int, action: str, reason: str) -> dict[str, Any]:
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "symbol": self.symbol,
            "timestamp_iso": moment.replace("+00:00", "Z"),
            "action": action,
            "reason": reason,
            "risk_level": 2,
            "confidence": 0.6,
            "risk_checks": dict.fromkeys(_CHECKS, True),
            "position_management": {
                "tp1_fraction": 0.5,
                "enable_trailing": True,
                "trail_mode": "structure_plus_liq",
                "liq_tp_zone_id": None,
            },
        }


def _share(dice: Random, low: float, high: float) -> Decimal:
    return Decimal(str(round(dice.uniform(low, high), 6)))


def _price(price: Decimal) -> float:
    return float(price.quantize(_TENTH))


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
