"""What follows from the world about the open trade: sizes, cover, proof of flat.

Everything here is derived from orders, fills and position reads, so that nothing can be forgotten over a
restart. Where sources disagree the larger position is believed (Y-11): too much cover only reduces.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.account import PositionReport
from jumar.model.order import EXIT_ROLES, STOP_ROLES, Fill, OrderStatus, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World
from jumar.planner.position import TWO_READS_MS, told_positions

#: How long a reported but not yet itemised fill is waited for before acting as if it had not happened.
FILL_LAG_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The open trade, assessed.

    Attributes:
        entered: base currency bought in (for a long) by entry orders: the larger of fills and reports.
        remaining: position by fills and reports, unsigned, never below zero.
        own_remaining: what is left of what our entries bought, or of what was adopted; increases by hand are not
            in it (Y-3), nor what an exit or a later look at the position says is sold: targets go by it.
        seems_gone: the newest look says that nothing is held; only Y-2 or Y-11 proves it.
        oversold: what exits sold beyond all that we know was bought, base currency: a hand was there (Y-3).
        foreign_size: what a hand added to the position, base currency (Y-3).
        cover_size: largest position that any source not older than the last fill reports, unsigned.
        may_fill: what alive or unknown entries may still add.
        average_entry: quote currency, None before the first entry fill.
        last_fill_ms: exchange time of the newest fill, None without one.
        had_fill: whether any entry lot is known to have filled, by fill or by report, or something is held now or
            was sold by an exit, whoever bought it.
        entry_alive: whether an entry order is alive or unknown.
        exit_filled: whether any exit of the trade, or a hand, reduced the position.
        stop_triggered: whether a stop's trigger fired (S-9).
        tp1_hit: whether TP1 has a fill, or the zone exit that took its place (T-3, L-1).
        fills_pending: a report says more was filled than the fills seen so far, for less than `FILL_LAG_MS`.
        flat: proven flat (Y-11), or proven never filled.
    """

    entered: Decimal
    remaining: Decimal
    own_remaining: Decimal
    seems_gone: bool
    oversold: Decimal
    foreign_size: Decimal
    cover_size: Decimal
    may_fill: Decimal
    average_entry: Decimal | None
    last_fill_ms: int | None
    had_fill: bool
    entry_alive: bool
    exit_filled: bool
    stop_triggered: bool
    tp1_hit: bool
    fills_pending: bool
    flat: bool


def by_role(world: World, *roles: Role) -> tuple[OwnOrder, ...]:
    """Return the trade's orders of some roles, in the order of their attempts."""
    return tuple([order for order in world.orders if order.request.role in roles])


def filled_by(world: World, order: OwnOrder) -> Decimal:
    """Return what the fills by trade id say an order has filled, base currency."""
    name = order.client_id
    return sum([fill.quantity for fill in world.fills if fill.client_id == name], start=ZERO)


def filled_of(world: World, order: OwnOrder) -> Decimal:
    """Return what an order has filled, base currency: the larger of fills and report."""
    return max(filled_by(world, order), order.filled_quantity)


def filled_of_role(world: World, role: Role) -> Decimal:
    """Return what all orders of a role have filled."""
    return sum((filled_of(world, order) for order in by_role(world, role)), start=ZERO)


def assess(world: World, trade: Trade, policy: Policy) -> Facts:
    """Derive the facts of the open trade."""
    entries = by_role(world, Role.ENTRY)
    entry_fills = _fills_of(world, entries)
    entered = filled_of_role(world, Role.ENTRY)
    signed = sum((fill.signed_quantity for fill in world.fills), start=ZERO)
    by_fills = trade.adopted_quantity + signed * trade.sign
    lag = entered - sum((fill.quantity for fill in entry_fills), start=ZERO)
    last_fill_ms = max((fill.time_ms for fill in world.fills), default=None)
    exits = _exit_filled(world, trade)
    entry_alive = any(order.alive_or_unknown for order in entries)
    remaining = max(by_fills + lag, ZERO)
    added = foreign_size(world, trade)
    cover_size = _cover_size(world, trade, remaining, last_fill_ms)
    had_fill = cover_size > ZERO or exits  # whatever was bought is held still, or was sold
    own = max(remaining - added - _sold_unitemised(world), ZERO)
    late_size = _late_size(world, trade, policy, last_fill_ms)
    stop_orders = by_role(world, *STOP_ROLES)
    complete = lag == ZERO and not entry_alive
    return Facts(
        oversold=max(-by_fills, ZERO) if complete else ZERO,
        entered=entered,
        remaining=remaining,
        own_remaining=min(own, late_size) if late_size else own,
        seems_gone=late_size == ZERO,
        foreign_size=added,
        cover_size=cover_size,
        may_fill=max(trade.planned_quantity - entered, ZERO) if entry_alive else ZERO,
        average_entry=_average_entry(trade, entry_fills),
        last_fill_ms=last_fill_ms,
        had_fill=had_fill,
        entry_alive=entry_alive,
        exit_filled=exits,
        stop_triggered=any(_triggered(world, order) for order in stop_orders) and had_fill,
        tp1_hit=any(filled_of_role(world, role) > ZERO for role in (Role.TP1, Role.ZONE_EXIT)),
        fills_pending=_fills_pending(world),
        flat=not entry_alive
        and (not had_fill or _flat(world, trade, policy, by_fills + lag, last_fill_ms)),
    )


def _fills_of(world: World, orders: tuple[OwnOrder, ...]) -> tuple[Fill, ...]:
    names = {order.client_id for order in orders}
    return tuple([fill for fill in world.fills if fill.client_id in names])


def _exit_filled(world: World, trade: Trade) -> bool:
    exits = any(order.role in EXIT_ROLES and order.filled_quantity > ZERO for order in world.orders)
    return exits or any(fill.side is not trade.side for fill in world.fills)


def _late_size(
    world: World, trade: Trade, policy: Policy, last_fill_ms: int | None
) -> Decimal | None:
    """The position on the trade's side as told after the last fill, None where nothing is as young."""
    since_ms = max(last_fill_ms or 0, trade.armed_ms)
    event, read = world.position_event, world.position
    late = [event] if event is not None and event.at_ms >= since_ms else []
    if read is not None and read.at_ms >= since_ms + policy.flat_margin_s * 1000:
        late.append(read)
    latest = max(late, key=lambda seen: seen.at_ms, default=None)
    return None if latest is None else max(latest.value.quantity * trade.sign, ZERO)


def _sold_unitemised(world: World) -> Decimal:
    """What exits report as filled beyond the fills seen so far, base currency."""
    exits = (order for order in world.orders if order.role in EXIT_ROLES)
    return sum(
        (max(order.filled_quantity - filled_by(world, order), ZERO) for order in exits), start=ZERO
    )


def are_itemised(world: World) -> bool:
    """Whether every execution that our orders report is among the fills."""
    return all(order.filled_quantity <= filled_by(world, order) for order in world.orders)


def _triggered(world: World, order: OwnOrder) -> bool:
    """Whether its trigger fired, by its own word or because it has executions."""
    return (
        order.executing
        or filled_by(world, order) > ZERO
        or order.triggered_ms is not None
        or (order.end_status is OrderStatus.FINISHED)
    )


def foreign_size(world: World, trade: Trade) -> Decimal:
    """What fills of nobody's order of ours added in the trade's direction."""
    ours = {order.client_id for order in world.orders}
    added = [f for f in world.fills if f.side is trade.side and f.client_id not in ours]
    return sum((fill.quantity for fill in added), start=ZERO)


def _average_entry(trade: Trade, fills: tuple[Fill, ...]) -> Decimal | None:
    if trade.adopted_price is not None:
        return trade.adopted_price
    quantity = sum((fill.quantity for fill in fills), start=ZERO)
    if quantity == ZERO:
        return None
    return sum((fill.quantity * fill.price for fill in fills), start=ZERO) / quantity


def _cover_size(
    world: World, trade: Trade, remaining: Decimal, last_fill_ms: int | None
) -> Decimal:
    """The largest size that any source not older than the last fill reports (Y-11)."""
    oldest = max(last_fill_ms or 0, trade.armed_ms)
    seen = [part for part in (world.position, world.position_event) if part is not None]
    reported = [part.value.quantity * trade.sign for part in seen if part.at_ms >= oldest]
    return max([remaining, *reported])


def _fills_pending(world: World) -> bool:
    return any(
        world.now_ms - max(order.updated_ms, order.ended_ms or 0) < FILL_LAG_MS
        and order.filled_quantity > filled_by(world, order)
        for order in world.orders
    )


def _flat(
    world: World, trade: Trade, policy: Policy, by_fills: Decimal, last_fill_ms: int | None
) -> bool:
    """Y-11: nothing of the trade's side is held any more, proven in one of two ways; asked while no entry may fill.

    Either the fills explain it, and an event or a later read says so; or two reads apart say so, and executions
    and liquidations were asked for since. A position on the other side is not ours: ours is over (Y-3).
    """
    if _an_event_says_held(world, trade, policy):
        return False
    since_ms = trade.armed_ms if last_fill_ms is None else last_fill_ms
    margin_ms = policy.flat_margin_s * 1000
    if by_fills <= ZERO and last_fill_ms is not None:
        event, read = world.position_event, world.position
        turned = by_fills < ZERO and _says_turned(read, trade, since_ms)
        by_event = turned or _says_gone(event, trade, since_ms)
        return by_event or _says_gone(read, trade, since_ms + margin_ms)
    return _vanished(world, trade, since_ms + margin_ms)


def _an_event_says_held(world: World, trade: Trade, policy: Policy) -> bool:
    """Whether the newest event tells of a position of the trade's side, and no read is young enough to refute it."""
    return any(
        seen.source is Source.STREAM and seen.value.quantity * trade.sign > ZERO
        for seen in told_positions(world, policy)
    )


def _says_gone(seen: Observed[PositionReport] | None, trade: Trade, not_before_ms: int) -> bool:
    return (
        seen is not None
        and seen.at_ms >= not_before_ms
        and seen.value.quantity * trade.sign <= ZERO
    )


def _says_turned(seen: Observed[PositionReport] | None, trade: Trade, not_before_ms: int) -> bool:
    """A read of the other side is no late or empty answer: after the fills that explain it, it is the truth."""
    gone = _says_gone(seen, trade, not_before_ms)
    return gone and seen is not None and seen.value.quantity != ZERO


def _vanished(world: World, trade: Trade, not_before_ms: int) -> bool:
    """Without fills that explain it: two reads at least 2 s apart, and everything was asked for (Y-2)."""
    read, first_ms = world.position, world.position_since_ms
    if read is None or first_ms is None or not _says_gone(read, trade, not_before_ms):
        return False
    asked = min(world.fills_read_ms, world.forced_read_ms)
    first_ms = max(first_ms, not_before_ms)
    return read.at_ms - first_ms >= TWO_READS_MS and asked >= first_ms
