"""A newer decision of the same side: what becomes of the trade that is open (E-9).

    nothing filled, the same plan     the trade passes to it: same key, same orders, and only it can be spent
    nothing filled, another plan      the trade ends; the newer decision starts at S-1
    something filled                  it guides: fewer prices for the rest of the entry, a tighter stop, other targets

Promises: size, initial stop and key never change; a target that may not move stays, with the numbers why. Taken once
for each decision and durable, so that a restart asks nothing again. Knows nothing of flat and opposite decisions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from jumar.model.command import Cause
from jumar.model.decision import Decision
from jumar.model.instrument import Instrument
from jumar.model.moments import iso
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.band import EmptyBand, compute_band, round_levels
from jumar.planner.binding import handed_over
from jumar.planner.entry import propose
from jumar.planner.facts import Facts
from jumar.planner.guards.decision import is_fresh, risk_checks
from jumar.planner.guided import entry_band
from jumar.planner.moved_targets import move_targets
from jumar.planner.slots import alive


class Stance(StrEnum):
    """What a newer decision of the same side is to the open trade."""

    NONE = "there is none"
    WAITS = "not enough is known yet"
    OWNS = "the trade passes to it"
    GUIDES = "it guides the position"
    REPLACES = "the trade makes room for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The trade after it took in what a newer decision says, and what of it was taken or refused."""

    trade: Trade
    notes: tuple[Cause, ...] = ()


def follow(world: World, trade: Trade, facts: Facts, policy: Policy) -> Followed:
    """Let the trade pass to a newer decision of its plan, or be guided by one (E-9)."""
    state = world.decision
    if state is None or world.instrument is None:
        return Followed(trade=trade)
    match stance(world, trade, facts, policy):
        case Stance.OWNS:
            followed = _passed(trade, state.decision, world.instrument)
        case Stance.GUIDES:
            followed = _guided(world, trade, facts, state.decision, policy)
        case _:
            return Followed(trade=trade)
    with_zone, bound = handed_over(followed.trade, state)
    return Followed(trade=with_zone, notes=(*followed.notes, *bound))


def newer_of(world: World, trade: Trade) -> Decision | None:
    """Return the readable decision of the trade's side that is newer than what it follows, None without one."""
    state = world.decision
    if state is None or state.refusals or trade.adopted:
        return None
    newer = state.decision
    known = trade.guiding
    is_newer = newer.timestamp_ms >= known.timestamp_ms and newer.id != known.id
    return newer if is_newer and newer.side is trade.side else None


def stance(world: World, trade: Trade, facts: Facts, policy: Policy) -> Stance:
    """Say what the newer decision of the same side, if there is one, is to the trade."""
    newer = newer_of(world, trade)
    if newer is None or trade.closing is not None:
        return Stance.NONE
    if facts.had_fill:
        held = facts.entered > ZERO and facts.remaining > ZERO and not facts.seems_gone
        if not held:
            return Stance.REPLACES
        known = world.mark is not None and facts.average_entry is not None
        ready = known and world.instrument is not None and is_fresh(newer, world, policy)
        return Stance.GUIDES if ready else Stance.WAITS
    if trade.entry_over is not None or trade.voided is not None:
        return Stance.NONE
    if not is_fresh(newer, world, policy) or any(risk_checks(newer)):
        return Stance.REPLACES
    if world.balance is None or world.instrument is None:
        return Stance.WAITS
    return Stance.OWNS if _is_same_plan(world, trade, newer, policy) else Stance.REPLACES


def remainder_ends(world: World, trade: Trade, policy: Policy) -> Cause | None:
    """E-9: why what is left of a guided entry is over: its price is not inside the newer band any more."""
    instrument = world.instrument
    if trade.guide is None or instrument is None:
        return None
    band = entry_band(trade, instrument, policy)
    if isinstance(band, EmptyBand):
        return Cause(rule="E-9", text=f"the newer decision leaves no price: {band.message}")
    for price in _resting_prices(world):
        if not band.low <= price <= band.high:
            words = f"{text(price)} is outside the newer band [{text(band.low)}, {text(band.high)}]"
            return Cause(rule="E-9", text=f"what is left of the entry is over: {words}")
    return None


# nothing has filled


def _is_same_plan(world: World, trade: Trade, newer: Decision, policy: Policy) -> bool:
    """Same rounded price, stop and quantity, and the same leverage, which is set before arming (E-4).

    What rests must be inside the newer band, too: a chase may have moved it away from the planned price.
    """
    instrument, levels = world.instrument, newer.levels
    if instrument is None or levels is None:
        return False
    proposal = propose(_without_the_entry(world, trade), policy)
    planned = proposal.trade
    if planned is None or int(newer.leverage) != int(trade.decision.leverage):
        return False
    band = compute_band(levels, trade.side, instrument, policy)
    inside = not isinstance(band, EmptyBand) and all(
        band.low <= price <= band.high for price in _resting_prices(world)
    )
    return inside and (planned.limit_price, planned.initial_stop, planned.planned_quantity) == (
        trade.limit_price,
        trade.initial_stop,
        trade.planned_quantity,
    )


def _without_the_entry(world: World, trade: Trade) -> World:
    """The world as if the trade's own entry reserved no margin (section 2)."""
    if world.balance is None:
        return world
    leverage = max(int(trade.decision.leverage), 1)
    reserved = sum(
        (
            (order.request.quantity or ZERO) * (order.price or ZERO)
            for order in alive(world, Role.ENTRY)
        ),
        start=ZERO,
    )
    balance = world.balance.value
    freed = replace(balance, available=balance.available + reserved / leverage)
    return replace(world, balance=replace(world.balance, value=freed))


def _resting_prices(world: World) -> Iterator[Decimal]:
    """Every limit price that an alive or unknown entry may have."""
    for order in alive(world, Role.ENTRY):
        amended = () if order.amending is None else (order.amending.price,)
        yield from (price for price in (order.price, *amended) if price is not None)


def _passed(trade: Trade, newer: Decision, instrument: Instrument) -> Followed:
    """The trade is the newer decision's from now on; its targets too, because nothing is held yet."""
    if newer.levels is None:
        return Followed(trade=trade)
    levels = round_levels(newer.levels, trade.side, instrument)
    older = trade.decision
    origin_ms = older.timestamp_ms if trade.origin_ms is None else trade.origin_ms
    words = (
        f"{text(trade.planned_quantity)} at {text(trade.limit_price)} with stop {text(trade.initial_stop)}: the order "
        f"passes from the decision of {iso(older.timestamp_ms)} to that of {iso(newer.timestamp_ms)}"
    )
    passed = replace(trade, decision=newer, origin_ms=origin_ms, tp1=levels.tp1, tp2=levels.tp2)
    return Followed(trade=passed, notes=(Cause(rule="E-9", text=words),))


# something has filled


def _guided(world: World, trade: Trade, facts: Facts, newer: Decision, policy: Policy) -> Followed:
    words = f"the decision of {iso(newer.timestamp_ms)} guides {text(facts.remaining)} from now on"
    moved, notes = move_targets(world, replace(trade, guide=newer), facts, newer, policy)
    return Followed(trade=moved, notes=(Cause(rule="E-9", text=words), *notes))
