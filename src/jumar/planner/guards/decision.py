"""The decision by itself: is it in force, fresh, unspent, checked, with a leverage that may be used (G-1, G-2, G-7)?"""

from collections.abc import Iterator
from decimal import Decimal

from jumar.model.command import Refusal
from jumar.model.decision import Decision
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.band import bracket_cap
from jumar.planner.holding import planned_band


def standing_refusals(world: World, policy: Policy) -> tuple[Refusal, ...]:
    """Judge the decision by itself: is it in force, fresh, unspent (G-1)?"""
    state = world.decision
    if state is None:
        return ()
    refusals = [refuse(code, "G-1", message) for code, message in state.refusals]
    age_ms = world.now_ms - state.decision.timestamp_ms
    if age_ms > policy.max_age_s * 1000:
        refusals.append(
            refuse(
                "stale",
                "D-3",
                f"decision is {age_ms / 1000:.1f} s old, {policy.max_age_s} s are allowed",
            )
        )
    if age_ms < -policy.future_skew_s * 1000:
        refusals.append(
            refuse(
                "future",
                "D-3",
                f"decision is {-age_ms / 1000:.1f} s ahead of the exchange's clock, "
                f"{policy.future_skew_s} s are allowed: check the clock of the decision system",
            )
        )
    if state.spent is not None:
        refusals.append(refuse("spent", "D-7", f"decision is spent: {state.spent}"))
    return tuple(refusals)


def is_fresh(decision: Decision, world: World, policy: Policy) -> bool:
    """Whether a decision is neither stale nor from the future (D-3)."""
    age_ms = world.now_ms - decision.timestamp_ms
    return -policy.future_skew_s * 1000 <= age_ms <= policy.max_age_s * 1000


def risk_checks(decision: Decision) -> Iterator[Refusal]:
    """G-2: the block is there and every check of it is true (D-6)."""
    if decision.risk_checks is None:
        yield refuse("risk_checks_missing", "D-6", "the decision has no risk_checks block")
        return
    failed = [name for name, passed in decision.risk_checks if not passed]
    if failed:
        yield refuse("risk_check_failed", "D-6", f"risk_checks say no: {', '.join(failed)}")


def leverage_refusal(
    decision: Decision, instrument_max: int | None, policy: Policy
) -> Refusal | None:
    """G-7: the decision's leverage against the configured and the instrument's limit, the stricter counts."""
    limit = (
        policy.max_leverage if instrument_max is None else min(policy.max_leverage, instrument_max)
    )
    if decision.leverage <= Decimal(limit):
        return None
    return refuse(
        "leverage_too_high", "G-7", f"leverage {text(decision.leverage)} is above {limit}"
    )


def notional_refusals(
    world: World, policy: Policy, trade: Trade, leverage: int | None
) -> Iterator[Refusal]:
    """G-7: the planned notional is not beyond the configured limit, nor beyond the brackets at its leverage.

    E-3 cuts to both. What rests is judged again: a restart may bring other limits, the venue other brackets.
    """
    instrument = world.instrument
    if instrument is None or trade.planned_quantity <= ZERO:
        return
    band = planned_band(world, trade, policy)
    notional = trade.planned_quantity * (trade.limit_price if band is None else band.high)
    limits = {"max_notional_usdt": policy.max_notional_usdt}
    if leverage is None and world.settings is not None:
        leverage = world.settings.value.leverage
    if leverage is not None:
        limits[f"the exchange's limit at leverage {leverage}"] = bracket_cap(instrument, leverage)
    name, limit = min(limits.items(), key=lambda item: item[1])
    if notional > limit:
        words = f"notional {text(notional)} is above {text(limit)}, {name}"
        yield refuse("notional_too_high", "G-7", words)
