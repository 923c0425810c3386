"""The working stop, armed before the entry (S-1, S-3, S-4, S-6); the second layer is in `backstop.py`.

Promises: a new stop is placed and confirmed before the old one is cancelled; no stop is ever planned looser
than the tightest one confirmed; a missing stop is restored at that price.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.command import Cause, Command
from jumar.model.order import STOP_ROLES, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts
from jumar.planner.moves import best_move
from jumar.planner.slots import (
    alive,
    attempts,
    cancel,
    conditional,
    last,
    may_cancel,
    on_step,
    since_journaled,
)
from jumar.planner.trailing import CANDIDATES

#: After a refused working stop: lost cover is tried again soon, everything else after another look.
RESTORE_RETRY_MS, MOVE_RETRY_MS = 250, 1000
#: The venue has no place for another stop: too many conditional orders, or too many orders lately (S-7).
NO_ROOM = frozenset({-4045, -2025, -1015})
#: The trigger is too far from mark: price multipliers and price filters (S-7).
TOO_FAR = frozenset({-4013, -4016, -4024, -4151, -4152, -4154, -4155, -4183, -4184, -4210, -4211})
#: How much of the allowed distance from mark is used when the venue says "too far".
TOO_FAR_SHARE = Decimal("0.9")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedStop:
    """The working stop that should rest: trigger, the least quantity, and why."""

    trigger: Decimal
    quantity: Decimal
    cause: Cause


def stop_commands(world: World, trade: Trade, facts: Facts, policy: Policy) -> tuple[Command, ...]:
    """Place, move or restore the working stop; tidy away what a confirmed better one made superfluous."""
    if trade.closing is not None:
        return ()
    wanted = wanted_stop(world, trade, facts, policy)
    if wanted is None:
        return ()
    fitting = [order for order in alive(world, Role.STOP) if _fits(order, wanted, trade)]
    confirmed = [order for order in fitting if order.confirmed and not order.invisible]
    if confirmed:
        return _tidy(world, trade, policy, confirmed)
    if not _may_place(world, trade, facts, policy):
        return _make_place(world, trade, facts, policy, wanted)
    command = conditional(
        world,
        trade,
        Role.STOP,
        quantity=wanted.quantity,
        trigger=wanted.trigger,
        cause=wanted.cause,
    )
    return (command,)


def covering(world: World, trade: Trade, facts: Facts) -> tuple[OwnOrder, ...]:
    """Return the full-size working stops presumed alive at the ratchet price or tighter (S-7, S-13).

    One that no list tells any more is among them: invisible is not dead.
    """
    floor = trade.tightest(trade.ratchet_price)
    return tuple(
        order
        for order in alive(world, Role.STOP)
        if order.confirmed
        and order.request.trigger_price is not None
        and not trade.is_tighter(floor, than=order.request.trigger_price)
        and (order.request.quantity or ZERO) >= facts.cover_size
    )


def covered_at_ratchet(world: World, trade: Trade, facts: Facts) -> bool:
    """Whether any stop presumed alive covers the position at the ratchet price: the backstop too, while none moved (S-7)."""
    floor = trade.tightest(trade.ratchet_price)
    return bool(covering(world, trade, facts)) or any(
        order.confirmed
        and (order.request.close_position or (order.request.quantity or ZERO) >= facts.cover_size)
        and order.request.trigger_price is not None
        and not trade.is_tighter(floor, than=order.request.trigger_price)
        for order in alive(world, Role.BACKSTOP)
    )


def wanted_stop(world: World, trade: Trade, facts: Facts, policy: Policy) -> WantedStop | None:
    """Return the working stop that should rest now, None when none should.

    Lost cover is restored at the ratchet price first; only what covers is moved (P-2, S-6 c).
    """
    if not facts.had_fill and (trade.entry_over is not None or trade.voided is not None):
        return None
    floor = trade.tightest(trade.ratchet_price)
    quantity = _quantity(world, trade, facts)
    if quantity <= ZERO:
        return None
    if not facts.had_fill:
        words = (
            f"armed before the entry of {text(trade.planned_quantity)} at {text(trade.limit_price)}"
        )
        cause = Cause(rule="S-1", text=f"stop {text(floor)} for {text(quantity)}, {words}")
        return WantedStop(trigger=floor, quantity=quantity, cause=cause)
    cover = covering(world, trade, facts)
    if cover and all(order.invisible for order in cover):
        names = ", ".join(order.client_id for order in cover)
        cause = Cause(
            rule="S-13", text=f"no list tells {names} any more: one more at {text(floor)}"
        )
        return WantedStop(trigger=floor, quantity=quantity, cause=cause)
    wishes = (candidate(world, trade, facts, policy) for candidate in CANDIDATES)
    move = best_move(world, trade, policy, wishes) if cover else None
    if move is not None:
        return WantedStop(trigger=move.price, quantity=quantity, cause=move.cause)
    if cover:
        words = f"the working stop at {text(floor)} for {text(quantity)}"
        return WantedStop(trigger=floor, quantity=quantity, cause=Cause(rule="S-4", text=words))
    return _restored(world, trade, facts, floor, quantity)


def _restored(
    world: World, trade: Trade, facts: Facts, floor: Decimal, quantity: Decimal
) -> WantedStop:
    """S-7: back at the ratchet price, or at the nearest tighter one that the venue allows."""
    covered = covered_at_ratchet(world, trade, facts)
    price = floor if covered else _nearest_allowed(world, trade, floor)
    words = f"no working stop covers {text(facts.cover_size)} at the ratchet price {text(floor)}"
    if price != floor:
        words += f", which the venue refused as too far from mark: {text(price)} is the nearest"
    return WantedStop(trigger=price, quantity=quantity, cause=Cause(rule="S-7", text=words))


def _nearest_allowed(world: World, trade: Trade, floor: Decimal) -> Decimal:
    newest, instrument = last(world, Role.STOP), world.instrument
    if newest is None or newest.end_code not in TOO_FAR or instrument is None:
        return floor
    if world.mark is None:
        return floor
    multiplier = instrument.multiplier_down if trade.sign > ZERO else instrument.multiplier_up
    # a little inside, because mark moves while the order is on its way
    inside = ONE + (multiplier - ONE) * TOO_FAR_SHARE
    price = world.mark.value * inside
    rounded = instrument.ceil_price(price) if trade.sign > ZERO else instrument.floor_price(price)
    return rounded if trade.is_tighter(rounded, than=floor) else floor


def _quantity(world: World, trade: Trade, facts: Facts) -> Decimal:
    """Position plus what may still fill: sized from the plan, never from what has filled (S-1, S-4)."""
    entry_may_go_on = trade.entry_over is None and trade.voided is None and not facts.exit_filled
    if entry_may_go_on:
        return on_step(world, max(trade.planned_quantity, facts.cover_size + facts.may_fill))
    return on_step(world, facts.cover_size + facts.may_fill)


def _fits(order: OwnOrder, wanted: WantedStop, trade: Trade) -> bool:
    trigger = order.request.trigger_price
    return (
        order.echo_error is None
        and not order.executing
        and trigger is not None
        and not trade.is_tighter(wanted.trigger, than=trigger)
        and (order.request.quantity or ZERO) >= wanted.quantity
    )


def _tidy(
    world: World, trade: Trade, policy: Policy, confirmed: list[OwnOrder]
) -> tuple[Command, ...]:
    """S-4: the new stop is confirmed, so every other working stop goes; the tightest, newest one stays.

    One that was not seen lately, or that the newest look lacks, may be gone (a person, a start after a crash): nothing
    goes on its strength until it is seen again (P-2, S-13).
    """
    seen = [order for order in confirmed if _seen_lately(world, policy, order)]
    if not seen:
        return ()
    keep = max(
        seen,
        key=lambda order: ((order.request.trigger_price or ZERO) * trade.sign, order.attempt),
    )
    cause = Cause(rule="S-4", text=f"{keep.client_id} is confirmed and covers all")
    return tuple(
        cancel(order, cause)
        for order in alive(world, Role.STOP)
        if order is not keep
        and not order.executing
        and not order.invisible
        and not (order.unresolved and _may_be_tighter(order, keep, trade))
        and may_cancel(world, order)
    )


def _seen_lately(world: World, policy: Policy, order: OwnOrder) -> bool:
    """Whether the order was acknowledged or listed within the age that truth may have, and not missed since."""
    listed = world.conditional_orders
    seen_ms = order.acked_ms or 0
    if listed is not None and any(row.client_id == order.client_id for row in listed.value):
        seen_ms = max(seen_ms, listed.at_ms)
    return not order.in_doubt and world.now_ms - seen_ms <= policy.max_truth_age_s * 1000


def _make_place(
    world: World, trade: Trade, facts: Facts, policy: Policy, wanted: WantedStop
) -> tuple[Command, ...]:
    """S-4: stops that came to light again must not keep a better one out: of those that cover one stays.

    Where none covers, because a hand made the position larger than they are, the loosest of them goes.
    """
    seen = [order for order in alive(world, Role.STOP) if not order.invisible]
    if len(seen) < policy.stops_alive_max:
        return ()
    cover = [order for order in covering(world, trade, facts) if not order.invisible]
    whole = [order for order in cover if (order.request.quantity or ZERO) >= wanted.quantity]
    if cover:
        return _tidy(world, trade, policy, whole or cover)
    cause = Cause(rule="S-4", text=f"{len(seen)} stops, none for {text(wanted.quantity)}: room")
    outgrown = sorted(
        (order for order in seen if order.confirmed),
        key=lambda order: ((order.request.trigger_price or ZERO) * trade.sign, order.attempt),
    )
    loosest = outgrown[:1] if len(outgrown) > 1 else ()
    return tuple(cancel(order, cause) for order in loosest if may_cancel(world, order))


def _may_be_tighter(order: OwnOrder, keep: OwnOrder, trade: Trade) -> bool:
    """An unknown stop that may rest closer to the market is asked for, not cancelled: it may protect (P-2)."""
    kept, other = keep.request.trigger_price, order.request.trigger_price
    return kept is not None and other is not None and trade.is_tighter(other, than=kept)


def _may_place(world: World, trade: Trade, facts: Facts, policy: Policy) -> bool:
    """Whether another working stop may be placed now (S-1, S-4, S-6 b)."""
    resting = alive(world, Role.STOP)
    seen = [order for order in resting if not order.invisible]
    if len(seen) >= policy.stops_alive_max or refused_wait_ms(world, trade, facts) > 0:
        return False
    waiting = any(order.unresolved for order in resting)
    if not facts.had_fill:
        spare = len(attempts(world, Role.STOP)) <= policy.max_rearms
        return spare and not waiting and not _is_hedged(world)
    cover = covering(world, trade, facts)
    if not cover:
        # cover is missing: do not wait for an unknown one (S-4), unless the backstop stands at the same price
        wait = waiting and covered_at_ratchet(world, trade, facts)
        return not facts.fills_pending and not wait
    if waiting:
        return False  # while the old one covers, an unknown new one is resolved first (S-4)
    if len(seen) < len(resting):
        return _may_replace(world, policy, resting, cover)
    return True


def _is_hedged(world: World) -> bool:
    """Whether the venue would refuse the armed stop for its position side: no attempt is spent on that (E-4)."""
    return world.account_settings is not None and world.account_settings.value.hedge_mode


def _may_replace(
    world: World, policy: Policy, resting: tuple[OwnOrder, ...], cover: tuple[OwnOrder, ...]
) -> bool:
    """S-13: one replacement for invisible cover; three at once, then one a minute, eight in all."""
    if not all(order.invisible for order in cover) or len(resting) >= policy.stops_presumed_max:
        return False
    invisible = sum(order.invisible for order in resting)
    newest = max(since_journaled(world, order) for order in resting[-1:])
    pause_over = newest >= policy.invisible_pause_s * 1000
    return invisible <= policy.invisible_replaced_max or pause_over


def refused_wait_ms(world: World, trade: Trade, facts: Facts) -> int:
    """How long until a working stop may be tried again after a refused one, or one with a wrong echo."""
    newest = last(world, Role.STOP)
    if newest is None or (newest.end_code is None and newest.echo_error is None):
        return 0
    missing = facts.cover_size > ZERO and not covered_at_ratchet(world, trade, facts)
    pause = RESTORE_RETRY_MS if missing else MOVE_RETRY_MS
    return max(pause - since_journaled(world, newest), 0)


def stop_needs_room(world: World, trade: Trade, facts: Facts) -> bool:
    """Whether the stop of a position without any cover was refused for want of room (S-7)."""
    newest = last(world, Role.STOP)
    refused = newest is not None and newest.end_code in NO_ROOM
    return refused and facts.cover_size > ZERO and not covered_at_ratchet(world, trade, facts)


def echo_cancels(world: World, trade: Trade, facts: Facts) -> tuple[Command, ...]:
    """S-11: an order whose echo differs from what was asked is cancelled.

    A stop of an open position goes only once another one covers: what rests may still protect.
    """
    wrong = [order for order in world.orders if order.echo_error is not None]
    if not wrong:
        return ()
    cover = [order for order in covering(world, trade, facts) if not order.in_doubt]
    covered = facts.cover_size <= ZERO or bool(cover)
    return tuple(
        cancel(order, Cause(rule="S-11", text=f"echo differs: {order.echo_error}"))
        for order in wrong
        if (covered or order.role not in STOP_ROLES) and may_cancel(world, order)
    )
