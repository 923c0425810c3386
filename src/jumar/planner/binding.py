"""Which liquidation zone a decision means by `liq_tp_zone_id`, and what may move it afterwards (L-3).

    accepted          bound to the zone of that id in fresh levels; without one it stays unbound, and that is noted
    explicit ids      a fresh levels file whose zones carry their own ids moves it, or binds it later
    derived names     `cluster_N` is a rank that changes with every file: it never moves a zone, nor binds one later
    a newer decision  brings its own

Pure. Promises that an exit already made stays made: `used` survives whatever moves the zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jumar.model.command import Cause
from jumar.model.decision import Decision
from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels
from jumar.model.moments import iso
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.model.world import DecisionState, World

NAMES_TOLD_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What became of a named zone.

    Attributes:
        zone: None while it is unbound.
        cause: why, with the numbers.
    """

    zone: BoundZone | None
    cause: Cause


def fresh_levels(levels: MarketLevels | None, now_ms: int, policy: Policy) -> MarketLevels | None:
    """Return the levels while they are at most `levels_max_age_s` old, None otherwise (D-10)."""
    if levels is None or now_ms - levels.as_of_ms > policy.levels_max_age_s * 1000:
        return None
    return levels


def bind(
    decision: Decision, levels: MarketLevels | None, now_ms: int, policy: Policy
) -> Binding | None:
    """Bind the zone that a decision names, at the moment when it is accepted; None when it names none."""
    named = decision.liq_tp_zone_id
    if named is None or decision.side is None:
        return None
    fresh = fresh_levels(levels, now_ms, policy)
    found = None if fresh is None else fresh.zone(named)
    if fresh is None or found is None:
        return Binding(zone=None, cause=_cause(f"{named} stays unbound: {_why(levels, fresh)}"))
    zone = _bound(found)
    return Binding(zone=zone, cause=_cause(f"{_where(zone)}, by the levels of {_made(fresh)}"))


def moved(named: str | None, zone: BoundZone | None, levels: MarketLevels | None) -> Binding | None:
    """Return where fresh levels put a named zone by its explicit id; None where it stays as it is."""
    found = None if named is None or levels is None else levels.zone(named)
    if found is None or levels is None or not found.explicit:
        return None
    goal = _bound(found, used=zone is not None and zone.used)
    if goal == zone:
        return None
    before = "it was unbound" if zone is None else f"it was [{text(zone.low)}, {text(zone.high)}]"
    return Binding(
        zone=goal, cause=_cause(f"{_where(goal)}, by the levels of {_made(levels)}; {before}")
    )


def taken_over(zone: BoundZone) -> Cause:
    """Return why a trade that is opened has its zone."""
    return _cause(f"{_where(zone)}, as its decision has it")


def follow_levels(world: World, trade: Trade, policy: Policy) -> tuple[Trade, tuple[Cause, ...]]:
    """Let the zone of an open trade follow explicit ids."""
    found = moved(
        trade.guiding.liq_tp_zone_id,
        trade.zone,
        fresh_levels(world.levels, world.now_ms, policy),
    )
    return (trade, ()) if found is None else (replace(trade, zone=found.zone), (found.cause,))


def handed_over(trade: Trade, newer: DecisionState) -> tuple[Trade, tuple[Cause, ...]]:
    """Give an open trade the zone of a newer decision of its side (E-9): its own, or none if it names none.

    A zone that it names as the older one did, and that was not to be found when it came, stays where it was. One that
    had its exit is remembered when it goes: should another decision bind it again, that exit is not repeated (L-3).
    """
    old = trade.zone
    made = (*trade.left_zones, *(() if old is None or not old.used else (old,)))
    zone = _of_newer(old, newer, made)
    if zone == old:
        return trade, ()
    words = "is bound no more" if zone is None else _where(zone)
    cause = _cause(f"{words}, by the decision of {iso(newer.decision.timestamp_ms)}")
    stays = zone is not None and old is not None and old.is_same(zone)
    left = trade.left_zones if stays else made
    return replace(trade, zone=zone, left_zones=left), (cause,)


def _of_newer(
    old: BoundZone | None, newer: DecisionState, made: Sequence[BoundZone]
) -> BoundZone | None:
    named, zone = newer.decision.liq_tp_zone_id, newer.zone
    if zone is None:
        return old if old is not None and old.id == named else None
    return replace(zone, used=any(each.is_same(zone) for each in made))


def _bound(zone: LiquidationZone, *, used: bool = False) -> BoundZone:
    return BoundZone(id=zone.id, low=zone.low, high=zone.high, used=used, explicit=zone.explicit)


def _cause(words: str) -> Cause:
    return Cause(rule="L-3", text=f"liquidation zone {words}")


def _where(zone: BoundZone) -> str:
    return f"{zone.id} is bound to [{text(zone.low)}, {text(zone.high)}]"


def _made(levels: MarketLevels) -> str:
    return iso(levels.as_of_ms)


def _why(levels: MarketLevels | None, fresh: MarketLevels | None) -> str:
    """Why a named zone was not found."""
    if levels is None:
        return "no levels have come yet"
    if fresh is None:
        return f"the levels of {_made(levels)} are too old"
    names = ", ".join(zone.id for zone in fresh.zones[:NAMES_TOLD_MAX])
    return f"the levels of {_made(fresh)} name {names or 'no zone'}"
