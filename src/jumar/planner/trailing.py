"""Trailing: every reason to move the working stop, one small function each (R-1 … R-5, L-2).

`CANDIDATES` is the whole list; `moves.best_move` takes the tightest of those that are due. Each is pure, looks at the
world alone and returns None where it has no wish. Without fresh levels structure and zones wish nothing: the stop
holds (R-5). Prices that follow the best mark begin anew after a restart; what they reached is kept by the ratchet.
"""

from collections.abc import Callable
from decimal import Decimal

from jumar.model.command import Cause
from jumar.model.decision import TrailMode
from jumar.model.levels import MarketLevels, Swing, SwingKind
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, ZERO, percent_of, text
from jumar.model.world import World
from jumar.planner import breakeven
from jumar.planner.binding import fresh_levels
from jumar.planner.facts import Facts, filled_of_role
from jumar.planner.guided import tightened_stop
from jumar.planner.moves import Move, has_moved, nearest_to_mark

type Candidate = Callable[[World, Trade, Facts, Policy], Move | None]

_BY_STRUCTURE = frozenset({TrailMode.STRUCTURE, TrailMode.STRUCTURE_PLUS_LIQ})


def structure(world: World, trade: Trade, facts: Facts, policy: Policy) -> Move | None:
    """R-2: beyond the last confirmed swing that lies behind mark by at least the gap."""
    levels = fresh_levels(world.levels, world.now_ms, policy)
    if levels is None or trade.decision.trail_mode not in _BY_STRUCTURE:
        return None
    if not is_trailing(world, trade, facts, policy):
        return None
    swing = _last_swing(levels, world, trade, policy)
    if swing is None:
        return None
    buffer = policy.structure_buffer_pct
    price = swing.price * (ONE - buffer * PERCENT * trade.sign)
    words = f"{swing.timeframe} swing {swing.kind.value} {text(swing.price)}, {text(buffer)} % beyond it"
    return Move(price=price, cause=Cause(rule="R-2", text=words))


def liquidation(world: World, trade: Trade, facts: Facts, policy: Policy) -> Move | None:
    """R-3: near the bound zone, or a strong one ahead, a fixed share behind mark."""
    levels = fresh_levels(world.levels, world.now_ms, policy)
    if levels is None or trade.decision.trail_mode is not TrailMode.STRUCTURE_PLUS_LIQ:
        return None
    if world.mark is None or not is_trailing(world, trade, facts, policy):
        return None
    near = _near_zone(levels, world.mark.value, trade, policy)
    if near is None:
        return None
    name, distance = near
    away = percent_of(distance, world.mark.value)
    return _behind_mark(world, trade, policy, "R-3", f"mark is {away} % from the zone {name}")


def after_zone_exit(world: World, trade: Trade, facts: Facts, policy: Policy) -> Move | None:
    """L-2: what a zone exit left trails with `liq_trail_pct`, whatever zone a newer decision has brought since (E-9)."""
    zone = trade.zone
    used = zone is not None and zone.used
    if not used and filled_of_role(world, Role.ZONE_EXIT) == ZERO:
        return None
    if not facts.tp1_hit or not _may_trail(trade):
        return None
    where = f"the zone {zone.id}" if used and zone is not None else "a zone that was replaced"
    return _behind_mark(world, trade, policy, "L-2", f"after the exit in {where}")


def percent(world: World, trade: Trade, facts: Facts, policy: Policy) -> Move | None:
    """R-5: a fixed share behind the best mark since the entry; after a restart since then, and the ratchet holds."""
    best = world.best_mark
    if best is None or trade.decision.trail_mode is not TrailMode.PERCENT:
        return None
    if not is_trailing(world, trade, facts, policy):
        return None
    price = best * (ONE - policy.trail_pct * PERCENT * trade.sign)
    words = f"{text(policy.trail_pct)} % behind the best mark {text(best)}"
    return Move(price=price, cause=Cause(rule="R-5", text=words))


CANDIDATES: tuple[Candidate, ...] = (
    breakeven.after_tp1,
    breakeven.on_flat_decision,
    tightened_stop,
    structure,
    liquidation,
    after_zone_exit,
    percent,
)


def is_trailing(world: World, trade: Trade, facts: Facts, policy: Policy) -> bool:
    """R-1: from TP1 on, or once the gain was `trail_activate_r` R, and only where the decision enables it."""
    if not _may_trail(trade):
        return False
    if facts.tp1_hit:
        return True
    best, average = world.best_mark, facts.average_entry
    if policy.trail_activate_r <= ZERO or best is None or average is None:
        return False
    risk = abs(average - trade.initial_stop)
    return (best - average) * trade.sign >= policy.trail_activate_r * risk


def _may_trail(trade: Trade) -> bool:
    return trade.decision.enable_trailing and trade.decision.trail_mode is not TrailMode.NONE


def _behind_mark(world: World, trade: Trade, policy: Policy, rule: str, why: str) -> Move | None:
    """`liq_trail_pct` behind mark; the first step goes at once, the next ones only follow (S-5)."""
    if world.mark is None:
        return None
    price = world.mark.value * (ONE - policy.liq_trail_pct * PERCENT * trade.sign)
    words = f"{why}: {text(policy.liq_trail_pct)} % behind mark"
    return Move(price=price, cause=Cause(rule=rule, text=words), throttled=has_moved(world, rule))


def _last_swing(levels: MarketLevels, world: World, trade: Trade, policy: Policy) -> Swing | None:
    nearest = nearest_to_mark(world, trade, policy)
    if nearest is None:
        return None
    kind = SwingKind.LOW if trade.sign > ZERO else SwingKind.HIGH
    behind = [
        swing
        for swing in levels.swings
        if swing.confirmed
        and swing.kind is kind
        and swing.timeframe == policy.structure_timeframe
        and not trade.is_tighter(swing.price, than=nearest)
    ]
    return max(behind, key=lambda swing: swing.time_ms, default=None)


def _near_zone(
    levels: MarketLevels, mark: Decimal, trade: Trade, policy: Policy
) -> tuple[str, Decimal] | None:
    """Name and distance of the zone that mark is near: the bound one, else the nearest strong one ahead."""
    near = mark * policy.liq_near_pct * PERCENT
    bound = trade.zone
    if bound is not None and (distance := _distance(bound.low, bound.high, mark)) <= near:
        return bound.id, distance
    ahead = [
        (_distance(zone.low, zone.high, mark), zone.id)
        for zone in levels.zones
        if zone.strength >= policy.liq_strength_min
        and ((zone.high if trade.sign > ZERO else zone.low) - mark) * trade.sign >= ZERO
    ]
    nearest = min(ahead, default=None)
    return None if nearest is None or nearest[0] > near else (nearest[1], nearest[0])


def _distance(low: Decimal, high: Decimal, mark: Decimal) -> Decimal:
    """How far mark is from a range; zero inside it."""
    return max(low - mark, mark - high, ZERO)
