"""Full exits: what is left of a closing trade is sold reduce-only, until it is proven flat (S-8).

Promises: no stop is cancelled before the proof of flat; an exit never exceeds what the venue cuts to the
position (it is reduce-only). Unknown exits are not waited for: a new one with a new id only reduces. Where the
venue takes no market order of that size, slices at the price band follow; where it takes none at all, every stop
stays and the next try waits.
"""

from decimal import Decimal

from jumar.model.command import Alarm, Cause, Command
from jumar.model.instrument import Instrument
from jumar.model.order import (
    STOP_ROLES,
    TARGET_ROLES,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    TimeInForce,
)
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, ZERO, text
from jumar.model.world import World
from jumar.planner.facts import Facts, by_role
from jumar.planner.position import newest_position
from jumar.planner.slots import (
    alive,
    attempts,
    cancel,
    last,
    may_cancel,
    on_step,
    regular,
    since_journaled,
)

#: S-8's rhythm, and the slower one after so many tries that a budget could run out.
EXIT_REPEAT_MS, EXIT_QUICK_TRIES, EXIT_SLOW_MS = 250, 20, 1000
#: The venue takes no orders now: maintenance, bans, halted symbols, order limits.
HALTED = frozenset({-1003, -1015, -1016, -4088, -4141})
HALTED_WAIT_MS = 2000
#: Resting reduce-only orders keep the exit out.
BLOCKED_BY_ORDERS = -4118
#: Nothing is held that the exit would reduce.
NOT_REDUCING = -2022
#: The opposite side of the book lies outside the price band: market orders are refused.
OUTSIDE_BAND = frozenset({-4131, -4113})
#: How much of the price band a slice uses, because mark moves while it is on its way.
BAND_SHARE = Decimal("0.9")


def exit_commands(world: World, trade: Trade, facts: Facts, policy: Policy) -> tuple[Command, ...]:
    """Close what is left of a closing trade."""
    instrument = world.instrument
    if trade.closing is None or facts.flat or facts.cover_size <= ZERO or instrument is None:
        return ()
    if facts.fills_pending or _stop_is_executing(world, policy) or _just_tried(world):
        return ()
    if _nothing_to_reduce(world, trade):
        return ()
    blocking = _blocking_targets(world)
    if blocking:
        cause = Cause(rule="S-8", text="reduce-only orders keep the exit out: targets go first")
        return tuple(cancel(order, cause) for order in blocking if may_cancel(world, order))
    return (_exit(world, trade, facts, instrument),)


def exit_wait_ms(world: World) -> int:
    """How long until the next exit may be tried: 250 ms, slower after many, slower still where all is halted."""
    newest = last(world, Role.FULL_EXIT)
    if newest is None:
        return 0
    pause = EXIT_REPEAT_MS if newest.attempt < EXIT_QUICK_TRIES else EXIT_SLOW_MS
    if newest.end_code in HALTED:
        pause = HALTED_WAIT_MS
    return max(pause - since_journaled(world, newest), 0)


def exit_alarms(world: World, trade: Trade) -> tuple[Alarm, ...]:
    """S-8: a venue that takes no orders while something must be closed; every stop stays meanwhile."""
    newest = last(world, Role.FULL_EXIT)
    if trade.closing is None or newest is None or newest.end_code not in HALTED:
        return ()
    words = f"the venue takes no exit ({newest.end_code}: {newest.end_reason}); every stop is kept"
    return (Alarm(rule="S-8", subject=f"{trade.key} halted", text=words),)


def _exit(world: World, trade: Trade, facts: Facts, instrument: Instrument) -> Command:
    wanted = on_step(world, facts.cover_size)
    sliced = _market_is_refused(world) or wanted > instrument.market_max_quantity
    price = _band_price(world, trade, instrument) if sliced else None
    most = instrument.market_max_quantity if price is None else instrument.max_quantity
    quantity = min(wanted, most)
    how = "at market" if price is None else f"at {text(price)} or better, immediate or cancel"
    left = "" if quantity == wanted else f" of {text(wanted)}"
    words = f"{trade.closing}: {text(quantity)}{left} {how}, reduce-only"
    return regular(
        world,
        trade,
        Role.FULL_EXIT,
        quantity=quantity,
        side=trade.side.opposite,
        cause=Cause(rule=trade.closing_rule or "S-8", text=words),
        price=price,
        time_in_force=None if price is None else TimeInForce.IOC,
    )


def _market_is_refused(world: World) -> bool:
    """Whether a market exit was refused at the band, or its rest cancelled there: slices follow (S-8)."""
    return any(
        order.end_code in OUTSIDE_BAND or _rest_was_cancelled(order)
        for order in attempts(world, Role.FULL_EXIT)
    )


def _rest_was_cancelled(order: OwnOrder) -> bool:
    ended_early = order.end_status in {OrderStatus.EXPIRED, OrderStatus.CANCELED}
    asked = order.request.quantity or ZERO
    return (
        order.request.type is OrderType.MARKET
        and ended_early
        and ZERO < order.filled_quantity < asked
    )


def _band_price(world: World, trade: Trade, instrument: Instrument) -> Decimal | None:
    """The worst price that the venue's band around mark allows, a little inside it."""
    if world.mark is None:
        return None
    selling = trade.sign > ZERO
    multiplier = instrument.multiplier_down if selling else instrument.multiplier_up
    price = world.mark.value * (ONE + (multiplier - ONE) * BAND_SHARE)
    return instrument.ceil_price(price) if selling else instrument.floor_price(price)


def _blocking_targets(world: World) -> tuple[OwnOrder, ...]:
    newest = last(world, Role.FULL_EXIT)
    if newest is None or newest.end_code != BLOCKED_BY_ORDERS:
        return ()
    return tuple(order for role in sorted(TARGET_ROLES) for order in alive(world, role))


def _stop_is_executing(world: World, policy: Policy) -> bool:
    """A triggered stop sells by itself; after `protect_deadline_s` it is no longer waited for."""
    deadline_ms = policy.protect_deadline_s * 1000
    for order in by_role(world, *STOP_ROLES):
        fills = [fill.time_ms for fill in world.fills if fill.client_id == order.client_id]
        selling = order.executing or (bool(fills) and not order.ended)
        since_ms = min([order.triggered_ms or world.now_ms, *fills])
        if selling and world.now_ms - since_ms < deadline_ms:
            return True
    return False


def _just_tried(world: World) -> bool:
    """One exit per pause, and after one that was answered not before the position was read again."""
    newest = last(world, Role.FULL_EXIT)
    if newest is None:
        return False
    if exit_wait_ms(world) > 0:
        return True
    if newest.unresolved:
        return False
    seen = newest_position(world)
    return seen is None or seen.at_ms < _answered_ms(newest)


def _nothing_to_reduce(world: World, trade: Trade) -> bool:
    """S-8: an exit was refused as not reducing, and the position as read since is zero: it is done."""
    newest, seen = last(world, Role.FULL_EXIT), newest_position(world)
    if newest is None or newest.end_code != NOT_REDUCING or seen is None:
        return False
    return seen.at_ms >= _answered_ms(newest) and seen.value.quantity * trade.sign <= ZERO


def _answered_ms(order: OwnOrder) -> int:
    return order.ended_ms or order.updated_ms
