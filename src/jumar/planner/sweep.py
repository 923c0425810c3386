"""Ends: sweeping what a trade leaves behind, and settling orders whose outcome is not known (X-4, X-9).

Promises: sweeping goes by the journal's ids, never by a list; every order is cancelled by id until its end is
proven. Nothing here cancels a stop before the trade is proven flat.
"""

from jumar.model.command import Cause, Command
from jumar.model.order import STOP_ROLES, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner.facts import Facts, are_itemised
from jumar.planner.position import newest_position
from jumar.planner.slots import alive, cancel, may_cancel
from jumar.planner.stop import covered_at_ratchet

#: Reads by id that did not find a stop before it may give way to another one.
MISSES = 2
#: How long the end of a swept trade waits for executions that its orders report and no list has told yet.
FILLS_WAIT_MS = 10_000


def is_over(world: World, trade: Trade, facts: Facts) -> bool:
    """Whether nothing of the trade is needed any more: proven flat, or never filled and never to be.

    Nothing is over before the position was read once: after a restart a hand's may lean on our stops.
    """
    if facts.had_fill:
        return trade.proven_flat_ms is not None and facts.flat
    given_up = trade.entry_over is not None or trade.voided is not None
    read = world.position is not None
    return given_up and read and not facts.entry_alive and not facts.fills_pending


def sweep_commands(world: World) -> tuple[Command, ...]:
    """Cancel by id every order of the ended trade whose end is not proven (X-9)."""
    cause = Cause(rule="X-9", text="the trade is over")
    return tuple(cancel(order, cause) for order in world.orders if may_cancel(world, order))


def stray_commands(world: World, *, covered: bool) -> tuple[Command, ...]:
    """Y-6: cancel by id what our journal knows, is not proven ended and belongs to no open trade.

    A stray stop of a position may be the one that protects it: it goes only when another one covers.
    """
    cause = Cause(rule="Y-6", text="an order of ours that fits no open trade")
    return tuple(
        cancel(order, cause)
        for order in world.strays
        if may_cancel(world, order) and (covered or order.role not in STOP_ROLES)
    )


def is_swept(world: World) -> bool:
    """Whether the end of every order of the trade is proven."""
    return all(order.ended for order in world.orders)


def awaits_fills(world: World, trade: Trade) -> bool:
    """Whether the summary of an ended trade would lack executions or funding that are still being read (T-4, Y-2).

    For funding nobody waits while something is held: it is another's, and bare until this trade has ended (Y-3).
    """
    if trade.proven_flat_ms is None or trade.adopted:
        return False
    told = are_itemised(world) and not _sold_what_nobody_bought(world, trade)
    if told and (world.funding is not None or _is_held(world)):
        return False
    return world.now_ms - trade.proven_flat_ms < FILLS_WAIT_MS


def _sold_what_nobody_bought(world: World, trade: Trade) -> bool:
    """Whether an exit closed what a hand had added, and that hand's execution has not been told yet."""
    signed = sum((fill.signed_quantity for fill in world.fills), start=ZERO) * trade.sign
    return signed < ZERO and not _is_held(world)


def _is_held(world: World) -> bool:
    held = newest_position(world)
    return held is not None and held.value.quantity != ZERO


def settle_commands(
    world: World, trade: Trade, facts: Facts, policy: Policy
) -> tuple[Command, ...]:
    """X-4: an order unknown for longer than its request can live is cancelled by id (the write path).

    Success proves that it existed; "unknown order" leads to reads by id, and only then to absence. One in
    flight that long was cut off by a crash.
    """
    return tuple(
        cancel(order, Cause(rule="X-4", text="outcome unknown after its receive window"))
        for order in world.orders
        if order.unresolved
        and world.now_ms > dead_after_ms(order, policy)
        and may_cancel(world, order)
        and _may_be_settled(world, trade, facts, policy, order)
    )


def _may_be_settled(
    world: World, trade: Trade, facts: Facts, policy: Policy, order: OwnOrder
) -> bool:
    """A stop of a position may be the one that protects: it is asked for first, and needs another one that covers.

    One that nobody finds must not keep the last place from a new one, though (S-4): the oldest gives way.
    """
    if order.role not in STOP_ROLES or facts.cover_size <= ZERO:
        return True
    if covered_at_ratchet(world, trade, facts):
        # a read that missed it while it could still be on its way says nothing: it may be the tighter one by now
        return any(at > dead_after_ms(order, policy) for at in order.misses)
    resting = alive(world, Role.STOP)
    lost = [stop for stop in resting if stop.unresolved and len(stop.misses) >= MISSES]
    return len(resting) >= policy.stops_alive_max and order in lost[:1]


def dead_after_ms(order: OwnOrder, policy: Policy) -> int:
    """Exchange time after which a lost request can no longer be executed: timestamp + recvWindow + 1 s + doubt."""
    signed = order.timestamp_ms if order.timestamp_ms is not None else order.journaled_ms
    return request_dead_ms(signed, policy)


def request_dead_ms(timestamp_ms: int, policy: Policy) -> int:
    """The same for any request with that signed timestamp."""
    return timestamp_ms + policy.recv_window_ms + 1000 + policy.clock_uncertainty_ms
