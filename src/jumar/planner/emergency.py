"""Full exits: what is left of a closing trade is sold at market, reduce-only, until it is proven flat.

Promises: no stop is cancelled before the proof of flat; an exit never exceeds what the venue cuts to the
position (it is reduce-only). Unknown exits are not waited for: a new one with a new id only reduces.
"""

from jumar.model.command import Cause, Command
from jumar.model.order import STOP_ROLES, Role
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts, by_role
from jumar.planner.slots import last, on_step, regular, since_journaled

EXIT_REPEAT_MS = 250

_RULES = {
    CloseReason.FLAT: "C-1",
    CloseReason.OPPOSITE: "C-2",
    CloseReason.STOP: "S-9",
    CloseReason.EMERGENCY: "S-6",
}


def exit_commands(world: World, trade: Trade, facts: Facts, policy: Policy) -> tuple[Command, ...]:
    """Close what is left of a closing trade."""
    instrument = world.instrument
    if trade.closing is None or facts.flat or facts.cover_size <= ZERO or instrument is None:
        return ()
    if facts.fills_pending or _stop_is_executing(world, policy) or _just_tried(world):
        return ()
    quantity = min(on_step(world, facts.cover_size), instrument.market_max_quantity)
    words = f"{trade.closing}: {text(quantity)} at market, reduce-only"
    cause = Cause(rule=_RULES[trade.closing], text=words)
    return (
        regular(
            world,
            trade,
            Role.FULL_EXIT,
            quantity=quantity,
            side=trade.side.opposite,
            cause=cause,
        ),
    )


def _stop_is_executing(world: World, policy: Policy) -> bool:
    """A triggered stop sells by itself; after `protect_deadline_s` it is no longer waited for."""
    return any(
        order.executing
        and world.now_ms - (order.triggered_ms or world.now_ms) < policy.protect_deadline_s * 1000
        for order in by_role(world, *STOP_ROLES)
    )


def _just_tried(world: World) -> bool:
    """One exit every 250 ms, and after one that was answered not before the position was read again."""
    newest = last(world, Role.FULL_EXIT)
    if newest is None:
        return False
    if since_journaled(world, newest) < EXIT_REPEAT_MS:
        return True
    if newest.unresolved:
        return False
    answered = newest.ended_ms or newest.updated_ms
    read = max(
        world.position.at_ms if world.position is not None else 0,
        world.position_event.at_ms if world.position_event is not None else 0,
    )
    return read < answered
