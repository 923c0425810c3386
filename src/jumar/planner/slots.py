"""Small tools the steps share: attempts of a slot, and commands with their causes."""

from decimal import Decimal
from operator import attrgetter

from jumar.model.command import CancelOrder, Cause, PlaceOrder
from jumar.model.ids import client_id
from jumar.model.order import (
    OrderRequest,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.trade import Trade
from jumar.model.units import ceil_to
from jumar.model.world import World
from jumar.planner.facts import by_role

#: The venue's "would trigger immediately" (-2021; -4142 is its newer spelling for stops and targets).
WOULD_TRIGGER = frozenset({-2021, -4142})
CANCEL_REPEAT_MS = 500


def attempts(world: World, role: Role) -> tuple[OwnOrder, ...]:
    """Return all orders of a role in the open trade, oldest attempt first."""
    found = by_role(world, role)
    return found if len(found) < 2 else tuple(sorted(found, key=attrgetter("attempt")))


def next_attempt(world: World, role: Role) -> int:
    """Return the number of the next attempt: one id, one order, never reused (X-1)."""
    return max((order.attempt for order in by_role(world, role)), default=0) + 1


def alive(world: World, role: Role) -> tuple[OwnOrder, ...]:
    """Return the orders of a role that are not proven ended."""
    return tuple([order for order in attempts(world, role) if order.alive_or_unknown])


def last(world: World, role: Role) -> OwnOrder | None:
    """Return the newest attempt of a role, None without one."""
    tried = attempts(world, role)
    return tried[-1] if tried else None


def since_journaled(world: World, order: OwnOrder) -> int:
    """Milliseconds since an order was journaled."""
    return world.now_ms - order.journaled_ms


def conditional(
    world: World,
    trade: Trade,
    role: Role,
    *,
    quantity: Decimal | None,
    trigger: Decimal,
    cause: Cause,
    working_type: WorkingType = WorkingType.MARK_PRICE,
) -> PlaceOrder:
    """A stop or target with every flag stated (S-11); without a quantity it is closePosition."""
    attempt = next_attempt(world, role)
    stop = role in {Role.STOP, Role.BACKSTOP}
    request = OrderRequest(
        symbol=trade.symbol,
        client_id=client_id(key=trade.key, role=role, attempt=attempt),
        role=role,
        side=trade.side.opposite,
        type=OrderType.STOP_MARKET if stop else OrderType.TAKE_PROFIT_MARKET,
        quantity=quantity,
        trigger_price=trigger,
        time_in_force=TimeInForce.GTC,
        reduce_only=quantity is not None,
        close_position=quantity is None,
        working_type=working_type,
    )
    ratchet = trade.tightest(trade.ratchet_price) if role is Role.STOP else None
    return PlaceOrder(
        request=request, trade_key=trade.key, attempt=attempt, cause=cause, ratchet=ratchet
    )


def regular(
    world: World,
    trade: Trade,
    role: Role,
    *,
    quantity: Decimal,
    side: Side,
    cause: Cause,
    price: Decimal | None = None,
    time_in_force: TimeInForce | None = None,
) -> PlaceOrder:
    """A limit order where a price is given, a market order otherwise; only an entry is not reduce-only."""
    attempt = next_attempt(world, role)
    request = OrderRequest(
        symbol=trade.symbol,
        client_id=client_id(key=trade.key, role=role, attempt=attempt),
        role=role,
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=quantity,
        price=price,
        time_in_force=time_in_force,
        reduce_only=role is not Role.ENTRY,
    )
    return PlaceOrder(request=request, trade_key=trade.key, attempt=attempt, cause=cause)


def on_step(world: World, quantity: Decimal) -> Decimal:
    """Round a reduce-only quantity up to the step, after a step that changed or fills off it (W-3).

    What is more than the position the venue cuts; what is less would leave a rest without cover.
    """
    if world.instrument is None:
        return quantity
    return ceil_to(quantity, world.instrument.step_size)


def cancel(order: OwnOrder, cause: Cause) -> CancelOrder:
    """Cancel one order; of a triggered conditional order the child it became."""
    return CancelOrder(
        symbol=order.request.symbol,
        channel=order.request.channel,
        client_id=order.client_id,
        cause=cause,
        child_venue_id=order.child_venue_id if order.executing else None,
    )


def may_cancel(world: World, order: OwnOrder) -> bool:
    """Whether a cancel is due: it is alive or unknown, and the last cancel is not just being answered.

    Cancels are repeated until the end is proven (X-4 f), but an event may wake the loop many times a second. An id
    that the venue calls taken may be somebody else's order: it is read first (X-7).
    """
    if order.ended or order.duplicate:
        return False
    sent = order.cancel_sent_ms
    return sent is None or world.now_ms - sent >= CANCEL_REPEAT_MS
