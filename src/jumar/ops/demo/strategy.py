"""A small decision system: looks at public prices, decides every five minutes of the price path.

It stands for anybody's system: it knows nothing of the engine, of orders or of the account, only how the prices
of a symbol went. It follows the last minutes' direction, bets on a return when there was none, now and then makes
a decision that must be refused, repeats itself while its idea is still running (now and then with fresh levels), turns
when the last minutes went far against it, and says flat when it has none.
Promises the same decisions for the same seed and the same prices; prices stay `Decimal`.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from random import Random  # noqa: TID251 - the demo's dice, with the run's seed
from typing import Any

LOOK_BACK_MS = 20 * 60_000
TREND = Decimal("0.0006")
TURN = Decimal("0.0025")
GIVE_UP_DECISIONS = 20
INTERVAL_MS = 5_000.0
RISKY_SHARE = 0.15
ZONE_DEPTH = Decimal("0.0003")
STOP_DISTANCE = (Decimal("0.0036"), Decimal("0.0038"))
REWARD = (Decimal("2.02"), Decimal("2.1"))
#: The far target of an idea that names a zone, and of one that waits for its targets.
FAR_REWARD, NEAR_REWARD = Decimal("3.5"), Decimal("2.6")
TOO_CLOSE = Decimal("0.0020")
POOR_REWARD = Decimal("1.3")
FRESH_SHARE = 0.2
#: How sure it is: only the surer one lets an entry take what it could not wait for.
CONFIDENCES = (Decimal("0.6"), Decimal("0.8"))
NAMES_ZONE_SHARE = 0.5
#: How an idea's stop follows the price when it names a zone, and when it does not.
ZONE_TRAIL, OTHER_TRAILS = "structure_plus_liq", ("structure", "percent", "none")
NOTIONAL = 1200
RISK_CHECKS = ("daily_dd_ok", "weekly_dd_ok", "max_trades_per_day_ok", "session_ok", "no_major_news")  # fmt: skip


class Flaw(StrEnum):
    """What makes a decision one that must be refused."""

    RISK_CHECK = "risk_check"
    STOP_TOO_CLOSE = "stop_too_close"
    POOR_REWARD = "poor_reward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask at a moment of the path (milliseconds) and of the exchange's clock (milliseconds)."""

    path_ms: float
    at_ms: int
    bid: Decimal
    ask: Decimal

    @property
    def digits(self) -> Decimal:
        """One unit of the last decimal in which prices are written."""
        return Decimal(1).scaleb(self.bid.as_tuple().exponent)  # type: ignore[arg-type]  # finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """One trade as the system wants it; `sign` is 1 for a long and -1 for a short."""

    sign: int
    zone_min: Decimal
    zone_max: Decimal
    stop: Decimal
    tp1: Decimal
    tp2: Decimal
    since_ms: int
    confidence: Decimal = CONFIDENCES[0]
    names_zone: bool = False
    trail: str = ZONE_TRAIL
    flaw: Flaw | None = None
    entered: bool = False


@dataclass(slots=True)
class SymbolView:
    """What the system knows of one symbol, and what it wants there.

    Attributes:
        interval_ms: between two decisions of the system; an idea is given up after so many of them as `GIVE_UP_DECISIONS`.
    """

    dice: Random
    interval_ms: float = INTERVAL_MS
    history: deque[Quote] = field(default_factory=deque)
    idea: Idea | None = None
    gave_up: bool = False

    def see(self, quote: Quote) -> None:
        """Take a quote in; note whether the idea's price was reached, and when prices or time ended it."""
        self.history.append(quote)
        while self.history[0].path_ms < quote.path_ms - LOOK_BACK_MS:
            self.history.popleft()
        idea = self.idea
        if idea is None:
            return
        if quote.at_ms - idea.since_ms > GIVE_UP_DECISIONS * self.interval_ms:
            self.idea, self.gave_up = None, True
        elif idea.entered:
            self.idea = None if _is_over(idea, quote) else idea
        elif _is_reached(idea, quote):
            self.idea = replace(idea, entered=True)

    def decide(self) -> Idea | None:
        """The idea to write now: a new one, perhaps against the running one, that with fresh levels, or None for flat."""
        quote = self.history[-1]
        if self.gave_up:
            self.gave_up = False
            return None
        idea = self.idea
        if idea is not None and idea.entered and self._change(quote) * idea.sign > -TURN:
            fresh = self.dice.random() < FRESH_SHARE
            return self._idea(quote, idea.sign, None) if fresh else idea
        flaw = self.dice.choice(list(Flaw)) if self.dice.random() < RISKY_SHARE else None
        sign = self._direction(quote)
        idea = self._idea(quote, sign, flaw) if sign else None
        self.idea = idea if flaw is None else None
        return idea

    def _change(self, quote: Quote) -> Decimal:
        """How far the price went in the last minutes, as a share."""
        return quote.bid / self.history[0].bid - 1

    def _direction(self, quote: Quote) -> int:
        change = self._change(quote)
        if abs(change) >= TREND:
            return 1 if change > 0 else -1
        against = -1 if change > 0 else 1
        return self.dice.choice((against, against, -against, 0))

    def _idea(self, quote: Quote, sign: int, flaw: Flaw | None) -> Idea:
        touch = quote.bid if sign > 0 else quote.ask
        deep = touch * (1 - sign * ZONE_DEPTH)
        middle = (touch + deep) / 2
        distance = TOO_CLOSE if flaw is Flaw.STOP_TOO_CLOSE else self._between(STOP_DISTANCE)
        reward = POOR_REWARD if flaw is Flaw.POOR_REWARD else self._between(REWARD)
        risk = sign * middle * distance
        names_zone = self.dice.random() < NAMES_ZONE_SHARE
        far = FAR_REWARD if names_zone else NEAR_REWARD
        digits = quote.digits
        return Idea(
            sign=sign,
            zone_min=min(touch, deep).quantize(digits),
            zone_max=max(touch, deep).quantize(digits),
            stop=(middle - risk).quantize(digits),
            tp1=(middle + risk * reward).quantize(digits),
            tp2=(middle + risk * far).quantize(digits),
            since_ms=quote.at_ms,
            confidence=self.dice.choice(CONFIDENCES),
            names_zone=names_zone,
            trail=ZONE_TRAIL if names_zone else self.dice.choice(OTHER_TRAILS),
            flaw=flaw,
        )

    def _between(self, limits: tuple[Decimal, Decimal]) -> Decimal:
        low, high = limits
        return low + (high - low) * self.dice.randrange(1001) / 1000


def _is_reached(idea: Idea, quote: Quote) -> bool:
    """Whether the price came to the middle of the zone: somebody who waited there has a position."""
    price = quote.bid if idea.sign > 0 else quote.ask
    return (price - (idea.zone_min + idea.zone_max) / 2) * idea.sign <= 0


def _is_over(idea: Idea, quote: Quote) -> bool:
    """Whether the price reached the stop or the far target."""
    price = quote.bid if idea.sign > 0 else quote.ask
    return (price - idea.stop) * idea.sign <= 0 or (price - idea.tp2) * idea.sign >= 0


def written(
    symbol: str, timestamp_iso: str, idea: Idea | None, zone_id: str | None = None
) -> dict[str, Any]:
    """Return a decision as it stands in the file; None is flat. `zone_id` is the liquidation zone it names."""
    if idea is None:
        levels: dict[str, Any] = {"entry_zone": [], "sl": None, "tp1": None, "tp2": None}
        action, reason, notional, leverage = "flat", "no_view", 0, 0
    else:
        zone = [idea.zone_min, idea.zone_max]
        levels = {"entry_zone": zone, "sl": idea.stop, "tp1": idea.tp1, "tp2": idea.tp2}
        action = "long" if idea.sign > 0 else "short"
        reason, notional, leverage = "demo", NOTIONAL, 3
    trail = "none" if idea is None else idea.trail
    failed = idea is not None and idea.flaw is Flaw.RISK_CHECK
    return {
        "symbol": symbol,
        "timestamp_iso": timestamp_iso,
        "action": action,
        "reason": reason,
        **levels,
        "risk_level": 2,
        "position_size_usdt": notional,
        "leverage": leverage,
        "confidence": CONFIDENCES[0] if idea is None else idea.confidence,
        "risk_checks": {name: not (failed and name == "no_major_news") for name in RISK_CHECKS},
        "position_management": {
            "tp1_fraction": Decimal("0.5"),
            "enable_trailing": trail != "none",
            "trail_mode": trail,
            "liq_tp_zone_id": zone_id,
        },
    }
