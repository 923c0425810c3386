"""Limits as values, under the names of the specification.

Floors (`min_stop_pct`, `min_rr`) may only be set stricter; everything else is a default that a configuration
may change within the range that `config.py` states. Percentages are written as percent: 0.35 means 0.35 %.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.account import MarginMode
from jumar.model.order import WorkingType

MIN_STOP_PCT_FLOOR = Decimal("0.35")
MIN_RR_FLOOR = Decimal("2.0")


class MinStopPolicy(StrEnum):
    """What happens when the band is empty for distance alone (E-1)."""

    REFUSE = "refuse"
    WIDEN_AND_SHRINK = "widen_and_shrink"


class OrphanPolicy(StrEnum):
    """What happens to a position that is found without a trade of ours (Y-1)."""

    PROTECT = "protect"
    CLOSE = "close"


class OnFlat(StrEnum):
    """What a flat decision does to a position (C-1)."""

    HOLD = "hold"
    TIGHTEN = "tighten"
    CLOSE = "close"


class OnOpposite(StrEnum):
    """What a decision of the other side does to a position (C-2)."""

    CLOSE = "close"
    HOLD = "hold"


class OnDailyLoss(StrEnum):
    """What the day's drawdown limit does to open positions (M-2)."""

    HOLD = "hold"
    CLOSE = "close"


class ForeignOrders(StrEnum):
    """What happens to somebody else's order on a managed symbol (Y-7)."""

    LEAVE = "leave"
    CANCEL = "cancel"


class BackstopKind(StrEnum):
    """What the second layer is made of: a closePosition order, or one of a quantity (S-2, V-3, V-4)."""

    CLOSE_POSITION = "close_position"
    QUANTITY = "quantity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every limit of one symbol.

    Attributes:
        max_notional_usdt: must be set by the user.
        recv_window_ms: how long a signed request may be underway; also bounds what a lost one can still do.
        lease_ttl_s: how long an engine owns a server's database without a sign of life (X-7).
        arm_margin_pct: an entry is alive only while mark is further from the stop than this share of the distance.
        min_stop_gap_pct: a moved stop keeps at least this distance from mark (R-4).
        protect_deadline_s: a position whose stop cannot be restored for so long is closed (S-7).
        stop_fail_bps, stop_fail_s: mark this far beyond the stop for so long means that the stop failed (S-8).
        orphan_stop_pct: distance of the emergency stop of a position that was found without one (Y-1).
        backstop: a quantity one where closePosition could reverse a position, or rests beside no quantity stop.
        chase_after_s, chase_min_pct, chase_max_pct, max_chases: an unfilled entry follows the touch (E-5).
        fallback_confidence: least confidence for a bounded taker entry once the chases are used up (E-6).
        dead_man_s: an entry left by a dead engine is cancelled by the venue after this; zero for never (E-7).
        liquidation_buffer_pct: the estimated liquidation price lies beyond the stop by this share of the stop's
            distance (G-9).
        daily_drawdown_pct, weekly_drawdown_pct: no entry once equity has fallen so much since the UTC day, the ISO
            week, began (G-10).
        max_open_positions, max_total_risk_pct: over all symbols of the account (G-17).
        trail_activate_r: trailing begins at this many R; zero: at TP1 (R-1).
        liq_exit_fraction: how much of the remainder a bound zone closes after TP1 (L-1).
        delist_close_before_s: a position is closed this long before the symbol is delivered (M-2).
        invisible_replaced_max: so many invisible stops are replaced at once, then one per `invisible_pause_s`;
            never more than `stops_presumed_max` are alive or invisible (S-13).
    """

    max_notional_usdt: Decimal
    max_age_s: int = 600
    future_skew_s: int = 5
    min_stop_pct: Decimal = MIN_STOP_PCT_FLOOR
    min_rr: Decimal = MIN_RR_FLOOR
    min_stop_policy: MinStopPolicy = MinStopPolicy.REFUSE
    max_zone_distance_pct: Decimal = Decimal("1.0")
    max_spread_pct: Decimal = Decimal("0.05")
    max_mark_divergence_pct: Decimal = Decimal("0.3")
    max_quote_age_s: int = 5
    max_leverage: int = 5
    max_risk_pct: Decimal = Decimal("1.0")
    margin_reserve_pct: Decimal = Decimal(10)
    equity_min_usdt: Decimal = Decimal(0)
    margin_mode: MarginMode = MarginMode.ISOLATED
    max_truth_age_s: int = 3
    arm_margin_pct: Decimal = Decimal(25)
    max_entry_orders: int = 20
    max_rearms: int = 2
    on_flat: OnFlat = OnFlat.HOLD
    backstop: BackstopKind = BackstopKind.CLOSE_POSITION
    target_working_type: WorkingType = WorkingType.CONTRACT_PRICE
    target_resize_interval_s: int = 15
    max_slippage_pct: Decimal = Decimal("0.05")
    min_stop_gap_pct: Decimal = Decimal("0.1")
    protect_timeout_ms: int = 800
    protect_deadline_s: int = 3
    flat_margin_s: int = 2
    recv_window_ms: int = 3000
    lease_ttl_s: int = 15
    clock_uncertainty_ms: int = 500
    loop_interval_s: Decimal = Decimal("1.0")
    reconcile_open_s: int = 3
    reconcile_interval_s: int = 30
    stops_alive_max: int = 3
    stops_presumed_max: int = 8
    invisible_replaced_max: int = 3
    invisible_pause_s: int = 60
    stop_fail_bps: Decimal = Decimal(5)
    stop_fail_s: int = 2
    orphan_stop_pct: Decimal = Decimal("1.0")
    orphan_policy: OrphanPolicy = OrphanPolicy.PROTECT
    stop_step_pct: Decimal = Decimal("0.05")
    stop_interval_s: int = 5
    chase_after_s: int = 10
    chase_min_pct: Decimal = Decimal("0.02")
    chase_max_pct: Decimal = Decimal("0.25")
    max_chases: int = 5
    fallback_confidence: Decimal = Decimal("0.75")
    dead_man_s: int = 60
    on_opposite: OnOpposite = OnOpposite.CLOSE
    on_daily_loss: OnDailyLoss = OnDailyLoss.HOLD
    foreign_orders: ForeignOrders = ForeignOrders.LEAVE
    liquidation_buffer_pct: Decimal = Decimal(25)
    daily_drawdown_pct: Decimal = Decimal("2.0")
    weekly_drawdown_pct: Decimal = Decimal("5.0")
    max_trades_per_day: int = 3
    cooldown_after_loss_s: int = 900
    max_open_positions: int = 3
    max_total_risk_pct: Decimal = Decimal("3.0")
    levels_max_age_s: int = 1800
    structure_timeframe: str = "15m"
    structure_buffer_pct: Decimal = Decimal("0.05")
    liq_near_pct: Decimal = Decimal("1.0")
    liq_strength_min: Decimal = Decimal("0.6")
    liq_trail_pct: Decimal = Decimal("0.3")
    liq_exit_fraction: Decimal = Decimal("1.0")
    trail_pct: Decimal = Decimal("0.5")
    trail_activate_r: Decimal = Decimal(0)
    delist_close_before_s: int = 3600
