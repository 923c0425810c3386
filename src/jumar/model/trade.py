"""A trade: the life of one position, from arming to all its orders proven ended."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.decision import Decision
from jumar.model.levels import BoundZone
from jumar.model.order import Side
from jumar.model.units import ONE, ZERO


class CloseReason(StrEnum):
    """Why what is left of a position is being closed at market."""

    FLAT = "flat"
    OPPOSITE = "opposite"
    STOP = "stop"
    EMERGENCY = "emergency"
    FLATTEN = "flatten"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """The durable part of a trade; everything else is derived from its orders and fills.

    Attributes:
        key: the ten characters its orders share.
        decision: the decision that owns it; its levels are rounded to the tick in the fields below.
        planned_quantity: base currency; entry fills never exceed it (P-4).
        limit_price: the entry's limit price at arming; later attempts may join the touch inside the band.
        initial_stop: rounded away from the entry; the backstop never leaves it.
        tp1, tp2: rounded toward the entry; tp2 None when the decision has none. tp1 of an adopted trade is zero:
            nobody decided one.
        ratchet_price: the tightest stop price ever confirmed, None before the first.
        armed_ms: exchange time at which the trade was opened.
        closing: set, durably, before the first full exit is sent (C-1, C-2, S-6 c, S-7, S-8, S-9).
        closing_rule: the rule that led to `closing`, None while it is not set.
        closed_by: id of the decision that `closing` obeys (flat, opposite), None otherwise: it is not spent (D-7).
        entry_over: set when the entry must never be placed again (S-9, expiry, newer decision).
        voided: why the set-up ended without a fill and spent its decision (S-1), None otherwise.
        proven_flat_ms: exchange time at which Y-11 was satisfied after a fill.
        ended_ms: exchange time at which all its orders were proven ended.
        adopted_price: average entry of a position that was found without a trade of ours (Y-1), None for a trade
            that we armed. An adopted trade has no entry, and no targets but those that were found.
        adopted_quantity: what was found, base currency; zero when only orders of ours were.
        unprotected_ms: for how long it was seen without a stop that covers it, up to the last look (T-4).
        zone: the liquidation zone that the decision named, as it was bound (L-3); None without one.
        left_zones: those that had their exit before a newer decision took them away (E-9, L-3).
        origin_ms: time of the decision that it was armed for, once the trade has passed to a newer one; None before.
        guide: the newest decision of the same side that came after a fill (E-9), None before the first. It owns
            nothing: it may end what is left of the entry, tighten the stop and move targets.
    """

    key: str
    symbol: str
    side: Side
    decision: Decision
    planned_quantity: Decimal
    limit_price: Decimal
    initial_stop: Decimal
    tp1: Decimal
    tp2: Decimal | None
    armed_ms: int
    ratchet_price: Decimal | None = None
    closing: CloseReason | None = None
    closing_rule: str | None = None
    closed_by: str | None = None
    entry_over: str | None = None
    voided: str | None = None
    proven_flat_ms: int | None = None
    ended_ms: int | None = None
    adopted_price: Decimal | None = None
    adopted_quantity: Decimal = ZERO
    zone: BoundZone | None = None
    left_zones: tuple[BoundZone, ...] = ()
    origin_ms: int | None = None
    guide: Decision | None = None
    unprotected_ms: int = 0

    @property
    def guiding(self) -> Decision:
        """The decision by which what is left of the entry is judged: the newest of its own side (E-9)."""
        return self.decision if self.guide is None else self.guide

    @property
    def adopted(self) -> bool:
        """Whether the position was found, not made by us (Y-1)."""
        return self.adopted_price is not None

    @property
    def sign(self) -> Decimal:
        """Plus one for a long, minus one for a short."""
        return ONE if self.side is Side.BUY else -ONE

    @property
    def stop_distance(self) -> Decimal:
        """|limit price - initial stop|, quote currency (G-16's distance)."""
        return abs(self.limit_price - self.initial_stop)

    def is_tighter(self, price: Decimal, than: Decimal) -> bool:
        """Whether a stop price lies closer to the market than another on the losing side."""
        return price > than if self.side is Side.BUY else price < than

    def tightest(self, *prices: Decimal | None) -> Decimal:
        """Return the tightest of the given stop prices and the initial stop."""
        tightest = self.initial_stop
        for price in prices:
            if price is not None and self.is_tighter(price, than=tightest):
                tightest = price
        return tightest


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSummary:
    """What a finished trade was, from its fills.

    Attributes:
        exit_reason: `tp1`, `tp2`, `stop`, `backstop`, `liq_zone`, `opposite`, `flat`, `emergency`, `flatten`,
            `orphan`, `liquidation`, `adl`, `settlement` or `manual`: the exit that closed the last lot.
        realized_pnl, fees: quote currency; fees positive when paid.
        r_gross, r_net: result in units of initial risk (|average entry - initial stop| times quantity).
        slippage: how much worse the exit by stop was than its trigger, quote currency per unit; None without one.
        funding: quote currency, negative when more was paid than received; None where it is not known.
        chases: how often its entry was re-priced. unprotected_ms: as the trade's.
    """

    key: str
    quantity: Decimal
    average_entry: Decimal
    average_exit: Decimal
    exit_reason: str
    realized_pnl: Decimal
    fees: Decimal
    r_gross: Decimal
    r_net: Decimal
    slippage: Decimal | None
    stop_moves: int
    first_fill_ms: int
    last_fill_ms: int
    funding: Decimal | None = None
    chases: int = 0
    unprotected_ms: int = 0

    @property
    def net(self) -> Decimal:
        """The result after fees, and after funding as far as it is known; quote currency."""
        return self.realized_pnl - self.fees + (self.funding or ZERO)
