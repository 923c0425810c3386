"""A decision system for runs in which much happens: it bets this way and that, and is not always right about anything.

It sees public prices and writes decisions and levels, as anybody's system would; it knows nothing of the engine or the
account. Now and then it says the same again, moves its stop or its targets, or names a zone that is not there.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed
from typing import Any

_CHECKS = ("daily_dd_ok", "weekly_dd_ok", "max_trades_per_day_ok", "session_ok", "no_major_news")
_TENTH = Decimal("0.1")
_TRAILS = ("structure_plus_liq", "structure_plus_liq", "structure", "percent", "none")
_OWN_ZONE = "own-1"
_ZONES = (None, "cluster_1", "cluster_2", _OWN_ZONE)
#: Of what is told of the market: nothing, half a file, levels that are old, a swing nobody has confirmed.
_NONSENSE, _OLD, _UNCONFIRMED = 0.04, 0.08, 0.15
_OLD_MS = 3_600_000


@dataclass(slots=True)
class Restless:
    """Decides by dice; keeps its side for a while."""

    dice: Random
    symbol: str
    sign: int = 0
    _last: dict[str, Any] | None = None

    def decide(self, price: Decimal, now_ms: int) -> bytes:
        """The next decision at this price and moment of exchange time."""
        dice = self.dice
        if dice.random() < 0.2 or self.sign == 0:
            self.sign = dice.choice((-1, 1))
        if dice.random() < 0.05:
            return self.flat(now_ms)
        content = self._again(now_ms) or self._directed(price, now_ms)
        self._last = content
        return _encode(content)

    def _again(self, now_ms: int) -> dict[str, Any] | None:
        """What was said before, now: the same, or with its stop or its targets moved; None to think anew."""
        dice, last = self.dice, self._last
        if last is None or dice.random() < 0.55:
            return None
        content = {**last, "timestamp_iso": _stamp(now_ms)}
        if dice.random() < 0.6:
            return content
        zone, sign = content["entry_zone"], 1 if content["action"] == "long" else -1
        near = zone[0] if sign > 0 else zone[1]
        closer = float(_share(dice, 0.0, 0.9))
        content["sl"] = round(content["sl"] + (near - content["sl"]) * closer, 1)
        for name in ("tp1", "tp2"):
            if content[name] is not None and dice.random() < 0.5:
                content[name] = round(
                    content[name] * (1 + sign * float(_share(dice, -0.001, 0.002))), 1
                )
        return content

    def levels(self, price: Decimal, now_ms: int) -> bytes:
        """What the system says of the market: swings and zones around this price."""
        dice = self.dice
        if dice.random() < _NONSENSE:
            return dice.choice((b"", b"{", b"[]", b'{"as_of": 5}'))
        as_of_ms = now_ms - (_OLD_MS if dice.random() < _OLD else 0)
        zones = [self._zone(price, side) for side in (1, -1) for _ in range(dice.choice((0, 1, 2)))]
        if dice.random() < 0.5:
            named = [{"id": f"own-{n}", **zone} for n, zone in enumerate(zones, 1)]
            told: dict[str, Any] = {"liquidation_zones": named}
        else:
            above = [zone for zone in zones if zone["price"] > price]
            below = [zone for zone in zones if zone["price"] <= price]
            told = {"liquidation_map": {"below_price": below, "above_price": above}}
        frame = {
            "lows": self._swings(price, -1, as_of_ms),
            "highs": self._swings(price, 1, as_of_ms),
        }
        return _encode(
            {"symbol": self.symbol, "as_of": _stamp(as_of_ms), "swings": {"15m": frame}, **told}
        )

    def _zone(self, price: Decimal, sign: int) -> dict[str, Any]:
        dice = self.dice
        near = price * (1 + sign * _share(dice, 0.001, 0.009))
        far = near * (1 + sign * _share(dice, 0.0003, 0.0015))
        low, high = sorted((_price(near), _price(far)))
        strength = round(dice.uniform(0.3, 1.0), 3)
        return {"zone": [low, high], "price": (low + high) / 2, "strength": strength}

    def _swings(self, price: Decimal, sign: int, as_of_ms: int) -> list[dict[str, Any]]:
        dice = self.dice
        return [
            {
                "price": _price(price * (1 + sign * _share(dice, 0.0005, 0.006))),
                "time": _stamp(as_of_ms - ago * 900_000),
                "confirmed": dice.random() > _UNCONFIRMED,
            }
            for ago in range(dice.choice((0, 1, 3)), 0, -1)
        ]

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
        content["position_management"]["trail_mode"] = dice.choice(_TRAILS)
        content["position_management"]["liq_tp_zone_id"] = dice.choice(_ZONES)
        content["confidence"] = dice.choice((0.6, 0.8))
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
        return {
            "symbol": self.symbol,
            "timestamp_iso": _stamp(now_ms),
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


def _stamp(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def _share(dice: Random, low: float, high: float) -> Decimal:
    return Decimal(str(round(dice.uniform(low, high), 6)))


def _price(price: Decimal) -> float:
    return float(price.quantize(_TENTH))


def _encode(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()
