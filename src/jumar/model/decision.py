"""The decision: the target from outside. Direction, zone and levels are its, never ours (P-10).

A `Decision` that exists has the right shape and geometry (D-4); prices are as written, not yet on a tick.
"""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.order import Side
from jumar.model.units import ONE, ZERO, text


class Action(StrEnum):
    """What the decision wants."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class TrailMode(StrEnum):
    """How the stop follows after the first target."""

    STRUCTURE_PLUS_LIQ = "structure_plus_liq"
    STRUCTURE = "structure"
    PERCENT = "percent"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The prices of an entry decision, in quote currency, checked by `geometry_errors`."""

    zone_min: Decimal
    zone_max: Decimal
    stop: Decimal
    tp1: Decimal
    tp2: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One accepted decision.

    Attributes:
        id: derived from account, symbol, timestamp and content, see `decision_id`.
        timestamp_ms: its own time.
        levels: None exactly when `action` is flat.
        notional: `position_size_usdt`, quote currency.
        leverage: as written; it is floored where it is used.
        risk_checks: name and verdict of each, None when the block is missing.
        risk_level: recorded and shown, without effect.
    """

    id: str
    symbol: str
    timestamp_ms: int
    action: Action
    reason: str
    levels: Levels | None
    notional: Decimal
    leverage: Decimal
    confidence: Decimal
    risk_checks: tuple[tuple[str, bool], ...] | None
    tp1_fraction: Decimal = Decimal("0.5")
    enable_trailing: bool = False
    trail_mode: TrailMode = TrailMode.NONE
    liq_tp_zone_id: str | None = None
    risk_level: int | None = None

    @property
    def side(self) -> Side | None:
        """The entry's side, None when flat."""
        match self.action:
            case Action.LONG:
                return Side.BUY
            case Action.SHORT:
                return Side.SELL
            case Action.FLAT:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing wrong with a decision: the field, the value as written, and what would be right."""

    field: str
    value: str
    message: str
    rule: str = "D-4"

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.field} = {self.value}: {self.message} ({self.rule})"


def geometry_errors(levels: Levels, side: Side) -> tuple[FieldError, ...]:
    """Check `sl < zone_min <= zone_max < tp1 <= tp2` for a long, mirrored for a short (D-4)."""
    sign = ONE if side is Side.BUY else -ONE
    near, far = (
        (levels.zone_min, levels.zone_max)
        if side is Side.BUY
        else (levels.zone_max, levels.zone_min)
    )
    below, above = ("below", "above") if side is Side.BUY else ("above", "below")
    errors = []
    if levels.zone_min > levels.zone_max:
        zone = f"[{text(levels.zone_min)}, {text(levels.zone_max)}]"
        errors.append(FieldError(field="entry_zone", value=zone, message="must be [min, max]"))
    if (near - levels.stop) * sign <= ZERO:
        message = f"the stop of a {_word(side)} must be {below} the zone's edge {text(near)}"
        errors.append(FieldError(field="sl", value=text(levels.stop), message=message))
    if (levels.tp1 - far) * sign <= ZERO:
        message = f"the first target of a {_word(side)} must be {above} the zone's edge {text(far)}"
        errors.append(FieldError(field="tp1", value=text(levels.tp1), message=message))
    if levels.tp2 is not None and (levels.tp2 - levels.tp1) * sign < ZERO:
        message = f"the second target of a {_word(side)} must not be {below} tp1 {text(levels.tp1)}"
        errors.append(FieldError(field="tp2", value=text(levels.tp2), message=message))
    return tuple(errors)


def _word(side: Side) -> str:
    return "long" if side is Side.BUY else "short"


def decision_id(account: str, symbol: str, timestamp_ms: int, content: dict[str, object]) -> str:
    """Return the id of a decision: same content, same id, whatever the spelling (D-2).

    Args:
        account: the account's configured name.
        symbol: as in the decision.
        timestamp_ms: the decision's own time.
        content: the fields that matter to execution; `Decimal` values are written in canonical text.
    """
    canonical = json.dumps(
        [account, symbol, timestamp_ms, _canonical(content)],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _canonical(value: object) -> object:
    match value:
        case Decimal():
            return text(value)
        case dict():
            return {str(key): _canonical(item) for key, item in value.items()}
        case list() | tuple():
            return [_canonical(item) for item in value]
        case _:
            return value
