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
from jumar.model.world import Observed, World

#: How long a reported but not yet itemised fill is waited for before acting as if it had not happened.
FILL_LAG_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The open trade, assessed.

    Attributes:
        entered: base currency bought in (for a long) by entry orders: the larger of fills and reports.
        remaining: position by fills and reports, unsigned, never below zero.
        cover_size: largest position that any source not older than the last fill reports, unsigned.
        may_fill: what alive or unknown entries may still add.
        average_entry: quote currency, None before the first entry fill.
        last_fill_ms: exchange time of the newest fill, None without one.
        had_fill: whether any entry lot is known to have filled, by fill or by report.
        entry_alive: whether an entry order is alive or unknown.
        exit_filled: whether any exit of the trade, or a hand, reduced the position.
        stop_triggered: whether a stop's trigger fired (S-9).
        tp1_hit: whether TP1 has a fill (T-3).
        fills_pending: a report says more was filled than the fills seen so far, for less than `FILL_LAG_MS`.
        flat: proven flat (Y-11), or proven never filled.
    """

    entered: Decimal
    remaining: Decimal
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
    return tuple(order for order in world.orders if order.role in roles)


def filled_by(world: World, order: OwnOrder) -> Decimal:
    """Return what the fills by trade id say an order has filled, base currency."""
    return sum((f.quantity for f in world.fills if f.client_id == order.client_id), start=ZERO)


def filled_of_role(world: World, role: Role) -> Decimal:
    """Return what all orders of a role have filled: per order the larger of fills and report."""
    return sum(
        (max(filled_by(world, order), order.filled_quantity) for order in by_role(world, role)),
        start=ZERO,
    )


def assess(world: World, trade: Trade, policy: Policy) -> Facts:
    """Derive the facts of the open trade."""
    entries = by_role(world, Role.ENTRY)
    entered = filled_of_role(world, Role.ENTRY)
    by_fills = sum((fill.signed_quantity for fill in world.fills), start=ZERO) * trade.sign
    lag = entered - sum((f.quantity for f in world.fills if _is_entry(f, entries)), start=ZERO)
    last_fill_ms = max((fill.time_ms for fill in world.fills), default=None)
    had_fill = entered > ZERO or bool(world.fills)
    entry_alive = any(order.alive_or_unknown for order in entries)
    remaining = max(by_fills + lag, ZERO)
    stop_orders = by_role(world, *STOP_ROLES)
    return Facts(
        entered=entered,
        remaining=remaining,
        cover_size=_cover_size(world, trade, remaining, last_fill_ms),
        may_fill=_may_fill(trade, entries, entered),
        average_entry=_average_entry(world, entries),
        last_fill_ms=last_fill_ms,
        had_fill=had_fill,
        entry_alive=entry_alive,
        exit_filled=_exit_filled(world, trade),
        stop_triggered=any(_triggered(order) for order in stop_orders) and had_fill,
        tp1_hit=filled_of_role(world, Role.TP1) > ZERO,
        fills_pending=_fills_pending(world),
        flat=_flat(world, policy, by_fills + lag, last_fill_ms, entry_alive=entry_alive)
        if had_fill
        else not entry_alive,
    )


def _is_entry(fill: Fill, entries: tuple[OwnOrder, ...]) -> bool:
    return any(fill.client_id == order.client_id for order in entries)


def _exit_filled(world: World, trade: Trade) -> bool:
    exits = any(order.role in EXIT_ROLES and order.filled_quantity > ZERO for order in world.orders)
    return exits or any(fill.side is not trade.side for fill in world.fills)


def _triggered(order: OwnOrder) -> bool:
    return (
        order.executing
        or order.triggered_ms is not None
        or (order.end_status is OrderStatus.FINISHED)
    )


def _may_fill(trade: Trade, entries: tuple[OwnOrder, ...], entered: Decimal) -> Decimal:
    if not any(order.alive_or_unknown for order in entries):
        return ZERO
    return max(trade.planned_quantity - entered, ZERO)


def _average_entry(world: World, entries: tuple[OwnOrder, ...]) -> Decimal | None:
    fills = [fill for fill in world.fills if _is_entry(fill, entries)]
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
        order.filled_quantity > filled_by(world, order)
        and world.now_ms - max(order.updated_ms, order.ended_ms or 0) < FILL_LAG_MS
        for order in world.orders
    )


def _flat(
    world: World,
    policy: Policy,
    by_fills: Decimal,
    last_fill_ms: int | None,
    *,
    entry_alive: bool,
) -> bool:
    """Y-11: fills sum to zero, and an event or a later read says zero; no entry may fill any more."""
    if entry_alive or by_fills != ZERO or last_fill_ms is None:
        return False
    event, read = world.position_event, world.position
    return _says_zero(event, last_fill_ms) or _says_zero(
        read, last_fill_ms + policy.flat_margin_s * 1000
    )


def _says_zero(seen: Observed[PositionReport] | None, not_before_ms: int) -> bool:
    return seen is not None and seen.at_ms >= not_before_ms and seen.value.quantity == ZERO
