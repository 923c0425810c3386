"""The limits: one table of names, types, ranges and meanings, and how a file's values become a `Policy`.

Promises that the floors (`min_stop_pct`, `min_rr`) can only be set stricter and that every other limit stays
inside the range stated here. docs/reference/config.md shows this table; a test keeps them equal.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from typing import Any

from jumar.config.problems import Problems, listed, named, shown
from jumar.model.account import MarginMode
from jumar.model.order import WorkingType
from jumar.model.policy import (
    MIN_RR_FLOOR,
    MIN_STOP_PCT_FLOOR,
    BackstopKind,
    ForeignOrders,
    MinStopPolicy,
    OnDailyLoss,
    OnFlat,
    OnOpposite,
    OrphanPolicy,
    Policy,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The numbers a limit may take; `above` excludes the lower end itself."""

    low: Decimal
    high: Decimal | None = None
    above: bool = False
    whole: bool = False

    def __contains__(self, value: Decimal) -> bool:
        """Whether a number is allowed."""
        if not value.is_finite() or value < self.low or (self.above and value == self.low):
            return False
        return self.high is None or value <= self.high

    def __str__(self) -> str:
        """`0.5 to 3`, `above 0`, `above 0, at most 10`, `at least 0`."""
        if self.above:
            return f"above {self.low}" + (f", at most {self.high}" if self.high else "")
        return f"{self.low} to {self.high}" if self.high else f"at least {self.low}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One configurable limit.

    Attributes:
        key: its name in the file.
        field: its name in `Policy`.
        allowed: a range of numbers, or the words it may be and what they stand for.
        meaning: one line for the reference.
        account_wide: one value for the whole engine; a symbol cannot override it.
    """

    key: str
    allowed: Range | Mapping[str, Any]
    meaning: str
    field: str = ""
    account_wide: bool = False

    @property
    def name(self) -> str:
        """The field of `Policy`."""
        return self.field or self.key

    @property
    def allowed_text(self) -> str:
        """The allowed values for people."""
        return str(self.allowed) if isinstance(self.allowed, Range) else listed(self.allowed)

    @property
    def default_text(self) -> str:
        """The default as it would stand in the file, `(none)` when the user must set it."""
        default = _DEFAULTS[self.name]
        if default is MISSING:
            return "(none)"
        if isinstance(self.allowed, Range):
            return str(default)
        return next(f'"{word}"' for word, value in self.allowed.items() if value == default)


_DEFAULTS = {field.name: field.default for field in fields(Policy)}


def _range(low: str, high: str | None = None, *, above: bool = False) -> Range:
    return Range(low=Decimal(low), high=Decimal(high) if high else None, above=above)


def _whole(low: str, high: str) -> Range:
    return Range(low=Decimal(low), high=Decimal(high), whole=True)


def _words(*values: Any) -> Mapping[str, Any]:
    return {str(value).lower(): value for value in values}


LIMITS: tuple[Limit, ...] = (
    Limit(
        key="max_notional_usdt",
        allowed=_range("0", above=True),
        meaning="largest notional of one position, USDT; must be set by you",
    ),
    Limit(
        key="min_stop_pct",
        allowed=Range(low=MIN_STOP_PCT_FLOOR, high=Decimal(20)),
        meaning="smallest distance of the stop, % of the entry price; a floor: only stricter",
    ),
    Limit(
        key="min_rr",
        allowed=Range(low=MIN_RR_FLOOR, high=Decimal(20)),
        meaning="smallest reward to risk to TP1; a floor: only stricter",
    ),
    Limit(
        key="min_stop_policy",
        allowed=_words(*MinStopPolicy),
        meaning="what happens when no price of the zone keeps the stop's distance",
    ),
    Limit(
        key="max_risk_pct",
        allowed=_range("0", "10", above=True),
        meaning="largest loss at the stop, % of equity, taker fee included",
    ),
    Limit(key="max_leverage", allowed=_whole("1", "50"), meaning="cap on the decision's leverage"),
    Limit(
        key="margin_mode", allowed=_words(*MarginMode), meaning="margin mode set before the entry"
    ),
    Limit(
        key="equity_min_usdt",
        allowed=_range("0"),
        meaning="no entry while equity is below this, USDT",
    ),
    Limit(
        key="max_age_s",
        allowed=_whole("1", "3600"),
        meaning="a decision older than this is stale, exchange time",
    ),
    Limit(
        key="future_skew_s",
        allowed=_whole("0", "60"),
        meaning="a decision further ahead than this is refused",
    ),
    Limit(
        key="max_zone_distance_pct",
        allowed=_range("0", "10", above=True),
        meaning="no entry while last or mark is further from the zone, %",
    ),
    Limit(
        key="max_spread_pct",
        allowed=_range("0", "1", above=True),
        meaning="no entry above this spread, %",
    ),
    Limit(
        key="max_mark_divergence_pct",
        allowed=_range("0", "5", above=True),
        meaning="no entry while mark and last differ by more, %",
    ),
    Limit(
        key="max_quote_age_s",
        allowed=_whole("1", "60"),
        meaning="no entry on a quote or mark older than this",
    ),
    Limit(
        key="max_truth_age_s",
        allowed=_whole("1", "10"),
        meaning="no entry on a position or order list read longer ago",
    ),
    Limit(
        key="arm_margin",
        field="arm_margin_pct",
        allowed=_range("5", "90"),
        meaning="an entry lives only while mark is further from the stop than this, % of its distance",
    ),
    Limit(
        key="max_entry_orders",
        allowed=_whole("1", "20"),
        meaning="entry orders per decision, post-only rejections included",
    ),
    Limit(
        key="on_flat",
        allowed=_words(*OnFlat),
        meaning="what a flat decision does to a position",
    ),
    Limit(
        key="backstop",
        allowed=_words(*BackstopKind),
        meaning="what the second stop is made of; quantity where a closePosition order could reverse a position",
    ),
    Limit(
        key="targets.working_type",
        field="target_working_type",
        allowed={"last": WorkingType.CONTRACT_PRICE, "mark": WorkingType.MARK_PRICE},
        meaning="the price that triggers targets; stops always use mark",
    ),
    Limit(
        key="max_slippage_pct",
        allowed=_range("0", "1", above=True),
        meaning="a reached target is first sold by a limit order at most this far from the touch, %",
    ),
    Limit(
        key="min_stop_gap_pct",
        allowed=_range("0.02", "5"),
        meaning="a moved stop keeps this distance from mark, %",
    ),
    Limit(
        key="protect_timeout_ms",
        allowed=_whole("200", "5000"),
        meaning="after this a protective request's outcome is unknown",
    ),
    Limit(
        key="protect_deadline_s",
        allowed=_whole("1", "10"),
        meaning="a lost stop is restored or the position closed within this",
    ),
    Limit(
        key="stop_fail_bps",
        allowed=_range("1", "100"),
        meaning="mark this far beyond the stop, in basis points, means that the stop failed",
    ),
    Limit(
        key="stop_fail_s",
        allowed=_whole("1", "10"),
        meaning="for so long, in two readings at least; then the position is closed",
    ),
    Limit(
        key="orphan_policy",
        allowed=_words(*OrphanPolicy),
        meaning="what happens to a position that no trade of ours explains",
    ),
    Limit(
        key="orphan_stop_pct",
        allowed=_range("0.1", "10"),
        meaning="its emergency stop: this far from mark or entry, the tighter one, %",
    ),
    Limit(
        key="flat_margin_s",
        allowed=_whole("2", "30"),
        meaning="a read proves flat only when requested this long after the last fill",
    ),
    Limit(
        key="chase_after_s",
        allowed=_whole("1", "300"),
        meaning="an entry unfilled for so long may follow the touch",
    ),
    Limit(
        key="chase_min_pct",
        allowed=_range("0", "1", above=True),
        meaning="a touch that moved away by less is not followed, %",
    ),
    Limit(
        key="chase_max_pct",
        allowed=_range("0", "2", above=True),
        meaning="a touch that moved away by more is not followed, %",
    ),
    Limit(
        key="max_chases",
        allowed=_whole("0", "20"),
        meaning="how often an entry follows the touch",
    ),
    Limit(
        key="fallback_confidence",
        allowed=_range("0.75", "1"),
        meaning="least confidence for a bounded taker entry after the chases; a floor: only stricter",
    ),
    Limit(
        key="dead_man_s",
        allowed=Range(low=Decimal(0), high=Decimal(600), whole=True),
        meaning="the venue cancels an entry that its engine left for so long; 0: never asked for",
    ),
    Limit(
        key="on_opposite",
        allowed=_words(*OnOpposite),
        meaning="what a decision of the other side does to a position",
    ),
    Limit(
        key="foreign_orders",
        allowed=_words(*ForeignOrders),
        meaning="what happens to somebody else's order on a managed symbol",
    ),
    Limit(
        key="liquidation_buffer",
        field="liquidation_buffer_pct",
        allowed=_range("5", "200"),
        meaning="the liquidation price lies beyond the stop by this, % of the stop's distance",
    ),
    Limit(
        key="daily_drawdown_pct",
        allowed=_range("0", "20", above=True),
        meaning="no entry once equity fell so much in a UTC day, %",
        account_wide=True,
    ),
    Limit(
        key="weekly_drawdown_pct",
        allowed=_range("0", "40", above=True),
        meaning="no entry once equity fell so much in an ISO week, %",
        account_wide=True,
    ),
    Limit(
        key="on_daily_loss",
        allowed=_words(*OnDailyLoss),
        meaning="what the daily drawdown limit does to open positions",
        account_wide=True,
    ),
    Limit(
        key="max_trades_per_day",
        allowed=_whole("1", "100"),
        meaning="trades of the account with a first fill in one UTC day",
        account_wide=True,
    ),
    Limit(
        key="cooldown_after_loss_s",
        allowed=_whole("0", "86400"),
        meaning="no entry for so long after a trade that lost",
        account_wide=True,
    ),
    Limit(
        key="max_open_positions",
        allowed=_whole("1", "33"),
        meaning="open positions of the account, resting entries included",
        account_wide=True,
    ),
    Limit(
        key="max_total_risk",
        field="max_total_risk_pct",
        allowed=_range("0", "20", above=True),
        meaning="loss at the stops of all positions, % of equity",
        account_wide=True,
    ),
    Limit(
        key="stop_step_pct",
        allowed=_range("0.01", "2"),
        meaning="a trailing stop moves by at least this, %",
    ),
    Limit(
        key="stop_interval_s",
        allowed=_whole("1", "300"),
        meaning="and not sooner than this after the last move",
    ),
    Limit(
        key="levels_max_age_s",
        allowed=_whole("10", "86400"),
        meaning="a levels file older than this is ignored",
    ),
    Limit(
        key="structure_timeframe",
        allowed=_words("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "1d"),
        meaning="timeframe of the swings that a stop trails behind",
    ),
    Limit(
        key="structure_buffer_pct",
        allowed=_range("0", "2"),
        meaning="a stop lies this far behind the swing, %",
    ),
    Limit(
        key="liq_near_pct",
        allowed=_range("0", "5", above=True),
        meaning="mark within this of a liquidation zone tightens the stop, %",
    ),
    Limit(
        key="liq_strength_min",
        allowed=_range("0", "1"),
        meaning="weaker zones are ignored, unless the decision names them",
    ),
    Limit(
        key="liq_trail_pct",
        allowed=_range("0.1", "5"),
        meaning="distance of the stop from mark near a liquidation zone, %",
    ),
    Limit(
        key="liq_exit_fraction",
        allowed=_range("0", "1", above=True),
        meaning="share of the remainder that a bound zone closes after TP1",
    ),
    Limit(
        key="trail_pct",
        allowed=_range("0.1", "20"),
        meaning="distance of the stop from the best mark in trail mode percent, %",
    ),
    Limit(
        key="trail_activate_r",
        allowed=_range("0", "20"),
        meaning="trailing begins at this many R; 0: at TP1",
    ),
    Limit(
        key="delist_close_before_s",
        allowed=_whole("60", "604800"),
        meaning="a position is closed this long before the symbol is delivered",
    ),
    Limit(
        key="loop_interval_s",
        allowed=_range("0.5", "3"),
        meaning="time between ticks; events wake the loop at once",
        account_wide=True,
    ),
    Limit(
        key="reconcile_open_s",
        allowed=_whole("1", "10"),
        meaning="interval of full reads while a position is open",
    ),
    Limit(
        key="reconcile_interval_s",
        allowed=_whole("5", "300"),
        meaning="interval of full reads while idle",
    ),
    Limit(
        key="recv_window_ms",
        allowed=_whole("1000", "7000"),
        meaning="how long a signed request may be underway",
        account_wide=True,
    ),
    Limit(
        key="lease_ttl_s",
        allowed=_whole("5", "120"),
        meaning="on a PostgreSQL server: after so long without a sign of life another engine may take over",
        account_wide=True,
    ),
)

BY_KEY = {limit.key: limit for limit in LIMITS}


def flattened(table: Mapping[str, Any]) -> dict[str, Any]:
    """Write a sub-table as dotted keys: `targets = {working_type = …}` is `targets.working_type`."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": item for inner, item in value.items()}
        else:
            flat[key] = value
    return flat


def read_limits(
    problems: Problems, section: str, table: Mapping[str, Any], *, of_symbol: bool
) -> dict[str, Any]:
    """Return the fields of `Policy` that a table sets; what is wrong with it is noted."""
    values: dict[str, Any] = {}
    for key, raw in table.items():
        limit = BY_KEY.get(key)
        if limit is None:
            problems.unknown(section, key, BY_KEY)
        elif of_symbol and limit.account_wide:
            advice = "one value for the whole engine; move it to [limits]"
            problems.add(named(section, key), advice)
        else:
            value = _value(problems, named(section, key), limit, raw)
            if value is not None:
                values[limit.name] = value
    return values


def _value(problems: Problems, where: str, limit: Limit, raw: Any) -> Any:
    if isinstance(limit.allowed, Range):
        return _number(problems, where, limit, raw)
    if isinstance(raw, str) and raw in limit.allowed:
        return limit.allowed[raw]
    problems.add(f"{where} = {shown(raw)}", f"must be {limit.allowed_text}")
    return None


def _number(problems: Problems, where: str, limit: Limit, raw: Any) -> Any:
    kind = int if isinstance(limit.allowed, Range) and limit.allowed.whole else Decimal
    value = problems.convert(where, raw, kind)
    if value is None or Decimal(value) in limit.allowed:
        return value
    advice = f"outside the allowed range: {limit.allowed_text}"
    if limit.default_text != "(none)":
        advice += f"; default {limit.default_text}"
    problems.add(f"{where} = {shown(raw)}", f"{advice} ({limit.meaning})")
    return None


def make_policy(problems: Problems, section: str, values: Mapping[str, Any]) -> Policy | None:
    """Return the policy of one symbol, or None with a problem noted when limits contradict one another."""
    if "max_notional_usdt" not in values:
        advice = "missing: set the largest notional of one position, for example 1000, there or in [limits]"
        problems.add(named(section, "max_notional_usdt"), advice)
        return None
    if values["max_notional_usdt"] is None:  # given, but wrong: said where it stands
        return None
    policy = Policy(**values)
    if policy.protect_deadline_s * 1000 <= policy.protect_timeout_ms:
        advice = f"must be longer than protect_timeout_ms ({policy.protect_timeout_ms} ms)"
        problems.add(
            named(section, "protect_deadline_s") + f" = {policy.protect_deadline_s}", advice
        )
    if policy.lease_ttl_s * 1000 <= 2 * policy.recv_window_ms:
        advice = f"must be longer than twice recv_window_ms ({policy.recv_window_ms} ms)"
        problems.add(named(section, "lease_ttl_s") + f" = {policy.lease_ttl_s}", advice)
    if policy.reconcile_open_s > policy.reconcile_interval_s:
        advice = f"must not be longer than reconcile_interval_s ({policy.reconcile_interval_s} s)"
        problems.add(named(section, "reconcile_open_s") + f" = {policy.reconcile_open_s}", advice)
    return policy
