"""What a finished trade was: result, R multiple, slippage, from its fills alone (T-4)."""

from collections.abc import Iterable
from decimal import Decimal

from jumar.model.funding import total
from jumar.model.order import Fill, Role
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner.chase import chases_of
from jumar.planner.facts import by_role, filled_by, filled_of_role

BY_HAND = "manual"
#: Client ids of orders that the venue itself makes (Binance USDⓈ-M "Order Update" event page, read 2026-09).
_VENUES_OWN = (
    ("autoclose-", "liquidation"),
    ("adl_autoclose", "adl"),
    ("settlement_autoclose-", "settlement"),
)
_REASONS = {
    Role.STOP: "stop",
    Role.BACKSTOP: "backstop",
    Role.TP1: "tp1",
    Role.TP2: "tp2",
    Role.ZONE_EXIT: "liq_zone",
}


def summarize(world: World, trade: Trade) -> TradeSummary | None:
    """Return the summary of a trade, None when nothing ever filled. A fill is never invented.

    What entries only report as filled counts at their price: such a trade has traded all the same (P-4).
    """
    entries = [fill for fill in world.fills if fill.side is trade.side]
    exits = [fill for fill in world.fills if fill.side is not trade.side]
    reported = max(filled_of_role(world, Role.ENTRY) - _by_entries(world), ZERO)
    quantity = trade.adopted_quantity + reported + _quantity(entries)
    if quantity == ZERO:
        return None
    average_entry = _average_entry(trade, entries, reported, quantity)
    average_exit = _average(exits) if exits else average_entry
    realized = sum((fill.realized_pnl for fill in world.fills), start=ZERO)
    fees = sum((fill.fee for fill in world.fills), start=ZERO)
    risk = abs(average_entry - trade.initial_stop) * quantity
    funding = None if world.funding is None else total(world.funding)
    return TradeSummary(
        key=trade.key,
        quantity=quantity,
        average_entry=average_entry,
        average_exit=average_exit,
        exit_reason=_exit_reason(world, trade, exits),
        realized_pnl=realized,
        fees=fees,
        r_gross=_in_r(realized, risk),
        r_net=_in_r(realized - fees + (funding or ZERO), risk),
        slippage=_slippage(world, trade),
        stop_moves=_stop_moves(world),
        funding=funding,
        chases=chases_of(world),
        unprotected_ms=trade.unprotected_ms,
        first_fill_ms=min((fill.time_ms for fill in world.fills), default=trade.armed_ms),
        last_fill_ms=max((fill.time_ms for fill in world.fills), default=world.now_ms),
    )


def _average_entry(
    trade: Trade, entries: list[Fill], reported: Decimal, quantity: Decimal
) -> Decimal:
    """What was adopted counts at the price the venue states for it."""
    found = (trade.adopted_quantity + reported) * (trade.adopted_price or trade.limit_price)
    return (found + sum((f.quantity * f.price for f in entries), start=ZERO)) / quantity


def _by_entries(world: World) -> Decimal:
    entries = by_role(world, Role.ENTRY)
    return sum((filled_by(world, order) for order in entries), start=ZERO)


def _quantity(fills: Iterable[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), start=ZERO)


def _average(fills: list[Fill]) -> Decimal:
    return sum((fill.quantity * fill.price for fill in fills), start=ZERO) / _quantity(fills)


def _in_r(result: Decimal, risk: Decimal) -> Decimal:
    return (result / risk).quantize(Decimal("0.001")) if risk > ZERO else ZERO


def _exit_reason(world: World, trade: Trade, exits: list[Fill]) -> str:
    """The exit that closed the last lot; a full exit is named by why the trade was closing."""
    if not exits:
        return BY_HAND
    newest = max(exits, key=lambda fill: (fill.time_ms, fill.trade_id))
    order = next((o for o in world.orders if o.client_id == newest.client_id), None)
    if order is None:
        return _foreign_reason(newest.client_id or "")
    if order.role is Role.FULL_EXIT:
        reason = trade.closing or CloseReason.EMERGENCY
        return str(reason.value)
    return _REASONS[order.role]


def forced_by(world: World) -> Fill | None:
    """Return the newest execution that the venue itself forced, None without one: liquidation, ADL, settlement."""
    forced = (fill for fill in world.fills if _foreign_reason(fill.client_id or "") != BY_HAND)
    ours = {order.client_id for order in world.orders}
    return max(
        (fill for fill in forced if fill.client_id not in ours),
        key=lambda fill: (fill.time_ms, fill.trade_id),
        default=None,
    )


def _foreign_reason(client_id: str) -> str:
    """Who closed it when it was none of our orders, by the names that the venue gives its own (Y-2)."""
    for prefix, reason in _VENUES_OWN:
        if client_id.startswith(prefix):
            return reason
    return BY_HAND


def _slippage(world: World, trade: Trade) -> Decimal | None:
    """How much worse than its trigger a stop was filled, quote currency per unit."""
    for order in by_role(world, Role.STOP, Role.BACKSTOP):
        fills = [fill for fill in world.fills if fill.client_id == order.client_id]
        if fills and order.request.trigger_price is not None:
            return (order.request.trigger_price - _average(fills)) * trade.sign
    return None


def _stop_moves(world: World) -> int:
    prices = {
        order.request.trigger_price
        for order in by_role(world, Role.STOP)
        if order.acked_ms is not None
    }
    return max(len(prices) - 1, 0)
