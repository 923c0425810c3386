"""Exits in the bound liquidation zone: TP1 gives way to one, or it takes what TP1 left (L-1).

    mark enters the zone      zone.used, durable          TP1's end is proven, none of it filled     role L at market
    TP1 executes meanwhile, or has executed as far as the zone           that was the exit; T-3 and L-2 apply

Promises: one exit a zone; nothing is sent while TP1, TP2 or an earlier zone exit may still execute; what is sent only
reduces. An exit that ended without a fill gives TP1 back and is tried again after half a minute (X-4 d).
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.model.command import Cause, Command
from jumar.model.instrument import Instrument
from jumar.model.levels import BoundZone
from jumar.model.mode import Mode
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts, by_role
from jumar.planner.ladder import may_place
from jumar.planner.slots import alive, cancel, may_cancel, regular
from jumar.planner.targets import wanted_targets
from jumar.planner.zone import is_pending


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneExit:
    """The trade with what became of its zone, what to send for it, and what a person may ask later."""

    trade: Trade
    commands: tuple[Command, ...] = ()
    notes: tuple[Cause, ...] = ()


def zone_exit(world: World, trade: Trade, facts: Facts, policy: Policy, mode: Mode) -> ZoneExit:
    """Take the exit that the mark's being inside the bound zone asks for, where the mode lets it leave (M-1)."""
    zone, instrument = trade.zone, world.instrument
    if zone is None or instrument is None or not may_place(mode, Role.ZONE_EXIT):
        return ZoneExit(trade=trade)
    if not zone.used and (price := _tp1_reached(world, trade, zone)) is not None:
        words = (
            f"TP1 executed at {text(price)}, as far as the zone {_named(zone)}: that was its exit"
        )
        return ZoneExit(trade=_used(trade, zone), notes=(Cause(rule="L-1", text=words),))
    if not is_pending(world, trade, facts, policy):
        return ZoneExit(trade=trade)
    tp1 = alive(world, Role.TP1)
    if tp1:
        cause = Cause(rule="L-1", text=f"{_entered(world, zone)}: its exit takes TP1's place")
        resting = [order for order in tp1 if not order.executing and may_cancel(world, order)]
        cancels = tuple(cancel(order, cause) for order in resting)
        return ZoneExit(trade=_used(trade, zone), commands=cancels, notes=_news(zone, cause))
    if _may_still_execute(world, facts):
        return ZoneExit(trade=trade)
    quantity = _quantity(world, trade, facts, policy, instrument)
    if quantity <= ZERO:
        return ZoneExit(trade=trade)
    why = f"{text(quantity)} of {text(facts.own_remaining)} at market, {_share(facts, policy)}"
    cause = Cause(rule="L-1", text=f"{_entered(world, zone)}: {why}")
    side = trade.side.opposite
    command = regular(world, trade, Role.ZONE_EXIT, quantity=quantity, side=side, cause=cause)
    return ZoneExit(trade=_used(trade, zone), commands=(command,), notes=_news(zone, cause))


def _used(trade: Trade, zone: BoundZone) -> Trade:
    return replace(trade, zone=replace(zone, used=True))


def _news(zone: BoundZone, cause: Cause) -> tuple[Cause, ...]:
    """Told once a zone: a second look says nothing new."""
    return () if zone.used else (cause,)


def _tp1_reached(world: World, trade: Trade, zone: BoundZone) -> Decimal | None:
    """The price of an execution of TP1 inside the zone or past it: whoever was first, there is one exit a zone."""
    names = {order.client_id for order in by_role(world, Role.TP1)}
    near = zone.low if trade.sign > ZERO else zone.high
    prices = (fill.price for fill in world.fills if fill.client_id in names)
    return next((price for price in prices if (price - near) * trade.sign >= ZERO), None)


def _may_still_execute(world: World, facts: Facts) -> bool:
    """Whether TP2 or an earlier zone exit may still sell something: what is left is not known then."""
    executing = any(order.executing for order in alive(world, Role.TP2))
    return executing or bool(alive(world, Role.ZONE_EXIT)) or facts.fills_pending


def _quantity(
    world: World, trade: Trade, facts: Facts, policy: Policy, instrument: Instrument
) -> Decimal:
    """What TP1 would have sold, else its share of what is left, floored to the step."""
    if facts.tp1_hit:
        wanted = instrument.floor_quantity(policy.liq_exit_fraction * facts.own_remaining)
    else:
        wanted = wanted_targets(world, trade, facts, instrument).tp1
    return min(wanted, instrument.floor_quantity(instrument.market_max_quantity))


def _share(facts: Facts, policy: Policy) -> str:
    if not facts.tp1_hit:
        return "in TP1's place"
    return f"{text(policy.liq_exit_fraction)} of what is left after TP1"


def _entered(world: World, zone: BoundZone) -> str:
    mark = "" if world.mark is None else f" {text(world.mark.value)}"
    return f"mark{mark} is inside the zone {_named(zone)}"


def _named(zone: BoundZone) -> str:
    return f"{zone.id} [{text(zone.low)}, {text(zone.high)}]"
