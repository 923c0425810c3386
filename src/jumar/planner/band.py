"""Band, entry price and quantity of a decision: what may be asked for, and at which price (E-1, E-2, E-3).

Pure arithmetic on one decision and one instrument. Promises: at every price of the band the initial stop is
at least `min_stop_pct` away and the reward to TP1 is at least `min_rr` times the risk, to the tick (P-3).
"""

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from jumar.model.decision import Levels
from jumar.model.instrument import Instrument
from jumar.model.order import Side
from jumar.model.policy import MinStopPolicy, Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, ZERO, text
from jumar.model.world import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The enterable prices of a zone, on the tick, with the levels they were computed from.

    Attributes:
        low, high: inclusive, `low <= high`.
        levels: rounded: zone inwards, targets toward the entry, stop away from it (S-10).
        widened_from: the decision's own stop when `widen_and_shrink` moved it, None otherwise.
    """

    low: Decimal
    high: Decimal
    levels: Levels
    side: Side
    widened_from: Decimal | None = None

    @property
    def worst(self) -> Decimal:
        """The price of the band with the most risk: its top for a long, its bottom for a short."""
        return self.high if self.side is Side.BUY else self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyBand:
    """No price of the zone may be entered; `message` holds the numbers that would pass."""

    code: str
    message: str


def round_levels(levels: Levels, side: Side, instrument: Instrument) -> Levels:
    """Round to the tick: zone inwards, targets toward the entry, stop away from it (D-4, S-10)."""
    up, down = instrument.ceil_price, instrument.floor_price
    toward, away = (down, down) if side is Side.BUY else (up, up)
    return Levels(
        zone_min=up(levels.zone_min),
        zone_max=down(levels.zone_max),
        stop=away(levels.stop),
        tp1=toward(levels.tp1),
        tp2=None if levels.tp2 is None else toward(levels.tp2),
    )


def compute_band(
    levels: Levels, side: Side, instrument: Instrument, policy: Policy
) -> Band | EmptyBand:
    """Return the band of a decision, or why it is empty (E-1)."""
    rounded = round_levels(levels, side, instrument)
    band = _band(rounded, side, instrument, policy)
    if (
        isinstance(band, EmptyBand)
        and band.code == "stop_too_close"
        and policy.min_stop_policy is MinStopPolicy.WIDEN_AND_SHRINK
    ):
        widened = replace(rounded, stop=_widened_stop(rounded, side, instrument, policy))
        again = _band(widened, side, instrument, policy)
        return again if isinstance(again, EmptyBand) else replace(again, widened_from=rounded.stop)
    return band


def _band(levels: Levels, side: Side, instrument: Instrument, policy: Policy) -> Band | EmptyBand:
    share, ratio = policy.min_stop_pct * PERCENT, policy.min_rr
    if levels.zone_min > levels.zone_max:
        return EmptyBand(code="rr_below_min", message="no price of the zone lies on the tick")
    by_reward = (levels.tp1 + ratio * levels.stop) / (ONE + ratio)
    if side is Side.BUY:
        by_distance = instrument.ceil_price(levels.stop / (ONE - share))
        by_reward = instrument.floor_price(by_reward)
        low, high = max(levels.zone_min, by_distance), min(levels.zone_max, by_reward)
        distance_empties = by_distance > levels.zone_max
        reward_empties = by_reward < levels.zone_min
    else:
        by_distance = instrument.floor_price(levels.stop / (ONE + share))
        by_reward = instrument.ceil_price(by_reward)
        low, high = max(levels.zone_min, by_reward), min(levels.zone_max, by_distance)
        distance_empties = by_distance < levels.zone_min
        reward_empties = by_reward > levels.zone_max
    if low <= high:
        return Band(low=low, high=high, levels=levels, side=side)
    if distance_empties and not reward_empties:
        return _stop_too_close(levels, side, instrument, policy)
    return _rr_below_min(levels, side, instrument, policy, by_distance)


def _widened_stop(levels: Levels, side: Side, instrument: Instrument, policy: Policy) -> Decimal:
    """`min_stop_pct` from the zone's edge furthest from the stop, rounded away from the entry."""
    share = policy.min_stop_pct * PERCENT
    if side is Side.BUY:
        return instrument.floor_price(levels.zone_max * (ONE - share))
    return instrument.ceil_price(levels.zone_min * (ONE + share))


def _stop_too_close(
    levels: Levels, side: Side, instrument: Instrument, policy: Policy
) -> EmptyBand:
    edge = levels.zone_max if side is Side.BUY else levels.zone_min
    would_pass = replace(levels, stop=_widened_stop(levels, side, instrument, policy))
    fix = f"sl {text(would_pass.stop)} would pass"
    if isinstance(_band(would_pass, side, instrument, policy), EmptyBand):
        needed = edge + policy.min_rr * (edge - would_pass.stop)
        tp1 = instrument.ceil_price(needed) if side is Side.BUY else instrument.floor_price(needed)
        fix = f"sl {text(would_pass.stop)} with tp1 {text(tp1)} would pass"
    return EmptyBand(
        code="stop_too_close",
        message=(
            f"sl {text(levels.stop)} is {_pct(abs(edge - levels.stop), edge)} % from the zone's far edge "
            f"{text(edge)}, at least {text(policy.min_stop_pct)} % is needed: {fix}"
        ),
    )


def _rr_below_min(
    levels: Levels, side: Side, instrument: Instrument, policy: Policy, by_distance: Decimal
) -> EmptyBand:
    """Judge at the zone's best price that keeps the stop's distance."""
    sign = ONE if side is Side.BUY else -ONE
    near, far = (
        (levels.zone_min, levels.zone_max)
        if side is Side.BUY
        else (levels.zone_max, levels.zone_min)
    )
    best = near if (near - by_distance) * sign >= ZERO else by_distance
    risk = (best - levels.stop) * sign
    needed = best + sign * policy.min_rr * risk
    tp1 = instrument.ceil_price(needed) if side is Side.BUY else instrument.floor_price(needed)
    reward = (levels.tp1 - best) * sign
    inside = (far - best) * sign >= ZERO
    where = "the zone's best price" if inside else "the nearest price with room for the stop"
    return EmptyBand(
        code="rr_below_min",
        message=(
            f"at {where} {text(best)} the reward to tp1 {text(levels.tp1)} is "
            f"{_ratio(reward, risk)} times the risk to sl {text(levels.stop)}, at least "
            f"{text(policy.min_rr)} is needed: tp1 {text(tp1)} would pass"
            + ("" if inside else f" with a zone that reaches {text(best)}")
        ),
    )


def is_worth_it(price: Decimal, trade: Trade, policy: Policy) -> bool:
    """Whether P-3 holds at a limit price for the levels as the trade was armed with them.

    They differ from the band's only when the tick has changed since (W-3).
    """
    risk, reward = (price - trade.initial_stop) * trade.sign, (trade.tp1 - price) * trade.sign
    return risk >= price * policy.min_stop_pct * PERCENT and reward >= policy.min_rr * risk


def entry_price(band: Band, quote: Quote, instrument: Instrument) -> Decimal | None:
    """Return the post-only limit price, None when nothing may rest now (E-2).

    The zone's middle clamped into the band, rounded toward more reward; where that would cross, the touch on
    our side, as long as it lies inside the band.
    """
    middle = (band.levels.zone_min + band.levels.zone_max) / 2
    price = min(max(middle, band.low), band.high)
    if band.side is Side.BUY:
        price = instrument.floor_price(price)
        price = quote.bid if price >= quote.ask else price
    else:
        price = instrument.ceil_price(price)
        price = quote.ask if price <= quote.bid else price
    return price if band.low <= price <= band.high else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """The planned quantity and how it came about (E-3).

    Attributes:
        quantity: base currency, on the step; may be zero.
        cuts: what made it smaller than the decision asked for, in words.
        binding: the name of the cap that decided: `decision`, `max_notional_usdt`, `max_risk_pct`, `margin`,
            `bracket`, `lot_size`, `widen_and_shrink`.
    """

    quantity: Decimal
    cuts: tuple[str, ...]
    binding: str


def size(
    band: Band,
    *,
    notional: Decimal,
    leverage: int,
    equity: Decimal,
    available: Decimal,
    instrument: Instrument,
    policy: Policy,
) -> Sizing:
    """Return the planned quantity: size over the band's worst price, cut by every cap (E-3)."""
    worst, stop = band.worst, band.levels.stop
    wanted = notional / worst
    loss = abs(worst - stop) + stop * instrument.taker_fee
    reserve = ONE + policy.margin_reserve_pct * PERCENT
    caps = {
        # the largest price of the band, so that no fill inside it can exceed the limit, short or long
        "max_notional_usdt": policy.max_notional_usdt / band.high,
        "max_risk_pct": equity * policy.max_risk_pct * PERCENT / loss,
        "margin": available * leverage / reserve / band.high,
        "bracket": bracket_cap(instrument, leverage) / band.high,
        "lot_size": min(instrument.max_quantity, instrument.market_max_quantity),
    }
    if band.widened_from is not None:
        caps["widen_and_shrink"] = wanted * abs(worst - band.widened_from) / abs(worst - stop)
    quantity, binding, cuts = wanted, "decision", []
    for name, cap in caps.items():
        if cap < wanted:
            cuts.append(f"{name}: {text(instrument.floor_quantity(max(cap, ZERO)))}")
        if cap < quantity:
            quantity, binding = cap, name
    floored = instrument.floor_quantity(max(quantity, ZERO))
    return Sizing(quantity=floored, cuts=tuple(cuts), binding=binding)


def bracket_cap(instrument: Instrument, leverage: int) -> Decimal:
    """The largest notional at which the brackets allow a leverage; zero when none does."""
    allowed = [b.notional_cap for b in instrument.brackets if b.max_leverage >= leverage]
    return max(allowed, default=ZERO)


def _pct(part: Decimal, whole: Decimal) -> str:
    """Rounded down, as the ratio: what is too little must not read as enough."""
    return text((part / whole / PERCENT).quantize(Decimal("0.0001"), rounding=ROUND_FLOOR))


def _ratio(reward: Decimal, risk: Decimal) -> str:
    return text((reward / risk).quantize(Decimal("0.01"), rounding=ROUND_FLOOR))
