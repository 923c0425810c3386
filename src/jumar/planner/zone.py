"""Whether an exit in the bound liquidation zone is due, under way or made (L-1). Knows nothing of how it is sent."""

from jumar.model.levels import BoundZone
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner.breakeven import breakeven_price
from jumar.planner.facts import Facts, filled_by
from jumar.planner.slots import WOULD_TRIGGER, alive, attempts, last, since_journaled

#: How long after a zone exit that sold nothing the next one may be tried (X-4 d).
RETRY_MS = 30_000


def is_pending(world: World, trade: Trade, facts: Facts, policy: Policy) -> bool:
    """Whether a zone exit is under way or should be made now: TP1 is not placed meanwhile."""
    if alive(world, Role.ZONE_EXIT):
        return True
    zone = trade.zone
    if zone is None or trade.closing is not None or trade.adopted or world.draining:
        return False
    held = facts.own_remaining > ZERO and not facts.seems_gone and not facts.flat
    if not held or _sells_reached_tp1(world, facts) or _was_made(world, trade, zone, facts):
        return False
    return _is_inside(world, zone, policy) and _is_beyond_entry(world, trade, facts, zone)


def _was_made(world: World, trade: Trade, zone: BoundZone, facts: Facts) -> bool:
    """Whether the zone has had its exit: an order of its own, or TP1 that executed while it was being cancelled.

    One that ended without a fill sold nothing: it may be tried again after a while, unless another zone was bound since.
    """
    if any(each.is_same(zone) for each in trade.left_zones):
        return True
    newest = last(world, Role.ZONE_EXIT)
    if not zone.used:
        return False
    if newest is None:
        return facts.tp1_hit
    sold = max(newest.filled_quantity, filled_by(world, newest)) > ZERO
    return sold or since_journaled(world, newest) < RETRY_MS


def _sells_reached_tp1(world: World, facts: Facts) -> bool:
    """T-5: a TP1 that was refused because it is reached is being sold already."""
    return not facts.tp1_hit and any(
        order.end_code in WOULD_TRIGGER for order in attempts(world, Role.TP1)
    )


def _is_inside(world: World, zone: BoundZone, policy: Policy) -> bool:
    """Whether a mark that is not old lies in the zone, its edges included."""
    mark = world.mark
    fresh = mark is not None and world.now_ms - mark.at_ms <= policy.max_quote_age_s * 1000
    return mark is not None and fresh and zone.low <= mark.value <= zone.high


def _is_beyond_entry(world: World, trade: Trade, facts: Facts, zone: BoundZone) -> bool:
    """Whether all of the zone lies in profit: beyond the average entry plus fees, and the funding that is known."""
    paid_for = breakeven_price(world, trade, facts)
    near_edge = zone.low if trade.sign > ZERO else zone.high
    return paid_for is not None and (near_edge - paid_for) * trade.sign > ZERO
