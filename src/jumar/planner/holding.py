"""What one symbol holds or may come to hold, as the other symbols of the account must count it (G-14, G-17, W-5).

Pure. Where it is not known how much is lost at a stop, that is said; it is never taken for nothing.
"""

from decimal import Decimal

from jumar.model.ids import parse_client_id
from jumar.model.order import STOP_ROLES, OrderReport
from jumar.model.policy import Policy
from jumar.model.standing import CONDITIONAL_ORDERS_OF_A_TRADE, Holding
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner.band import Band, compute_band
from jumar.planner.facts import Facts, assess
from jumar.planner.position import newest_position


def holding_of(world: World, trade: Trade | None, policy: Policy) -> Holding:
    """Return what a symbol counts for after a look: its position, its resting entry as filled, its conditional orders."""
    strange = strange_conditional_orders(world, trade)
    if trade is None:
        seen = newest_position(world)
        held = seen is None or bool(seen.value.quantity)
        risk = None if held else ZERO  # nobody's position, or not read yet
        return Holding(symbol=world.symbol, occupied=held, risk=risk, conditional=strange)
    facts = assess(world, trade, policy)
    occupied = facts.cover_size > ZERO or trade.entry_over is None or facts.entry_alive
    risk = _risk(world, trade, facts, policy) if occupied else ZERO
    own = len(_listed(world)) - strange
    reserved = max(own, CONDITIONAL_ORDERS_OF_A_TRADE) + strange
    return Holding(symbol=world.symbol, occupied=occupied, risk=risk, conditional=reserved)


def strange_conditional_orders(world: World, trade: Trade | None) -> int:
    """How many conditional orders of the symbol are listed that are none of the trade's (W-5)."""
    return sum(not _is_of(report.client_id, trade) for report in _listed(world))


def _listed(world: World) -> tuple[OrderReport, ...]:
    return () if world.conditional_orders is None else world.conditional_orders.value


def _is_of(client_id: str, trade: Trade | None) -> bool:
    parsed = parse_client_id(client_id)
    return parsed is not None and trade is not None and parsed.key == trade.key


def _risk(world: World, trade: Trade, facts: Facts, policy: Policy) -> Decimal | None:
    """The loss at the stop: of what is held from its average entry, of what may still fill from its worst price."""
    may_fill = trade.entry_over is None or facts.entry_alive
    waits = max(trade.planned_quantity - facts.entered, ZERO) if may_fill else ZERO
    risk = loss_at_stop(world, trade, waits, worst_entry(world, trade, policy))
    if facts.cover_size == ZERO:
        return risk
    entry = facts.average_entry
    bare = not any(order.confirmed and order.role in STOP_ROLES for order in world.orders)
    if bare or entry is None:
        return None
    return risk + loss_at_stop(world, trade, facts.cover_size, entry)


def loss_at_stop(world: World, trade: Trade, quantity: Decimal, entry: Decimal) -> Decimal:
    """What a quantity bought (for a long) at a price loses at the trade's stop, taker fee included; never below zero."""
    stop = trade.tightest(trade.ratchet_price)
    fee = ZERO if world.instrument is None else stop * world.instrument.taker_fee
    return max(quantity * ((entry - stop) * trade.sign + fee), ZERO)


def worst_entry(world: World, trade: Trade, policy: Policy) -> Decimal:
    """The price with the most risk at which the trade's entry may fill: of its band, or where it was planned."""
    band = planned_band(world, trade, policy)
    return trade.limit_price if band is None else band.worst


def planned_band(world: World, trade: Trade, policy: Policy) -> Band | None:
    """The prices that the trade was planned for, None where there are none any more (filters change)."""
    levels, instrument = trade.decision.levels, world.instrument
    if levels is None or instrument is None:
        return None
    band = compute_band(levels, trade.side, instrument, policy)
    return band if isinstance(band, Band) else None
