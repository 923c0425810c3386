"""What closes a position although nobody decided so: an operator, a liquidation price, a delivery date, a day's loss.

Promises that each closes through the one way out (`emergency.py`), with its rule and the numbers (M-2). Closes
because a stop is missing or has failed are found in `failure.py`.
"""

from jumar.model.command import Cause
from jumar.model.mode import Mode, ModeState
from jumar.model.policy import OnDailyLoss, Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.drawdown import daily_loss

#: So many readings in a row must say that liquidation comes before the stop.
READINGS = 2


def why_flatten(world: World, trade: Trade, policy: Policy) -> tuple[CloseReason, Cause] | None:
    """Return why the position must be closed although its stop stands, None while it may stay."""
    asked = asked_to_flatten(world)
    if asked is not None:
        return CloseReason.FLATTEN, Cause(rule=asked.rule, text=asked.cause)
    if (liquidation := _liquidation_comes_first(world, trade)) is not None:
        return CloseReason.EMERGENCY, liquidation
    if (delivery := _delivery_is_near(world, policy)) is not None:
        return CloseReason.FLATTEN, delivery
    if policy.on_daily_loss is OnDailyLoss.CLOSE:
        loss = daily_loss(world, policy)
        if loss is not None:
            return CloseReason.FLATTEN, Cause(rule=loss.rule, text=loss.message)
    return None


def asked_to_flatten(world: World) -> ModeState | None:
    """Return the mode by which an operator wants everything closed, None without one (M-6)."""
    for kept in (world.mode, world.account_mode):
        if kept is not None and kept.mode is Mode.FLATTENING and kept.code == "flatten":
            return kept
    return None


def _liquidation_comes_first(world: World, trade: Trade) -> Cause | None:
    """M-2: the venue's own liquidation price lies inside the effective stop, in two readings.

    What was read before the trade was armed is about another position, whatever its side: none may have been read in
    between when one trade follows another within a tick.
    """
    stop = trade.tightest(trade.ratchet_price)
    told = [
        seen.value.price
        for seen in world.liquidations[-READINGS:]
        if seen.value.side is trade.side and seen.at_ms > trade.armed_ms
    ]
    if len(told) < READINGS or any(trade.is_tighter(stop, than=price) for price in told):
        return None
    words = f"the liquidation price {text(told[-1])} comes before the stop {text(stop)}"
    return Cause(rule="M-2", text=f"{words} in {READINGS} readings: margin or leverage was changed")


def _delivery_is_near(world: World, policy: Policy) -> Cause | None:
    """M-2: the contract ends within `delist_close_before_s`."""
    left_s = seconds_to_delivery(world)
    if left_s is None or left_s > policy.delist_close_before_s:
        return None
    words = f"{world.symbol} is delivered in {left_s} s"
    return Cause(
        rule="G-15", text=f"{words}, positions are closed {policy.delist_close_before_s} s before"
    )


def seconds_to_delivery(world: World) -> int | None:
    """Return how long the contract still lives, whole seconds rounded up, None where the venue does not say."""
    instrument = world.instrument
    if instrument is None or instrument.delivery_ms is None:
        return None
    return -((world.now_ms - instrument.delivery_ms) // 1000)
