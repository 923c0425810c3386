"""One symbol as a person sees it: the world and the plan of one tick, as plain values ready for JSON.

Promises that a price under `stops` or `orders` is one that the venue confirmed, and that whatever is only wished
(in flight, unknown, or echoed differently) stands under `wished`, or `asked_price`, instead (H-6); that a part nobody has read yet is
None, never a guess; that amounts are decimal text and times ISO text in UTC. Pure: knows no clock and no store.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from jumar.model.account import PositionReport
from jumar.model.command import Plan
from jumar.model.levels import BoundZone
from jumar.model.mode import ModeState
from jumar.model.moments import iso
from jumar.model.order import (
    STOP_ROLES,
    Fill,
    OrderState,
    OwnOrder,
    Role,
    Side,
)
from jumar.model.trade import Trade
from jumar.model.units import ZERO, text
from jumar.model.world import DecisionState, Observed, World, newest
from jumar.planner.dead_man import why_not

_EXECUTING = frozenset({OrderState.OPEN, OrderState.TRIGGERED})
_ROLES = tuple(Role)
_TRADE_FIELDS = ("key", "side", "planned_quantity", "limit_price", "initial_stop", "ratchet_price")


def snapshot(world: World, plan: Plan, passing: Sequence[ModeState] = ()) -> dict[str, object]:
    """Return what a person asks of one symbol; `passing` is what holds it back and heals by itself, since it began.

    Members: `symbol`, `as_of`, `position` (None while unread), `cover` (`flat`, `stop`, `closing`, `naked`, or
    `unknown` while the position is unread), `protected` (None while unknown), `unrealised` (quote currency, at
    mark), `stops`, `orders`, `wished`, `mode` (the strictest), `passing`, `dead_man`, `ages_s`, `prices`, `decision`, `outcome`, `trade`, `equity`.
    """
    position = newest(world.position, world.position_event)
    held = _held(world, position)
    cover = _cover(world, held)
    acked = [order for order in _alive(world) if _acknowledged(order)]
    return {
        "symbol": world.symbol,
        "as_of": iso(world.now_ms),
        "position": None if position is None else _position(position.value),
        "cover": cover,
        "protected": None if held is None else cover != "naked",
        "unrealised": _unrealised(world, position),
        "stops": [_stop(order) for order in acked if order.role in STOP_ROLES],
        "orders": [_order(order) for order in acked if order.role not in STOP_ROLES],
        "wished": [_wish(order) for order in _alive(world) if not _acknowledged(order)],
        "mode": _strictest(world, passing),
        "passing": [_mode(state) for state in passing],
        "dead_man": _dead_man(world),
        "ages_s": _ages(world, position),
        "prices": _prices(world),
        "decision": _decision(world.decision),
        "outcome": _outcome(world.decision, plan),
        "trade": _trade(world, plan),
        "equity": None if world.balance is None else text(world.balance.value.equity),
    }


def grounds(world: World, plan: Plan) -> object:
    """Return all that `material` follows from, without spelling it; as long as it stays equal, so does that."""
    position = newest(world.position, world.position_event)
    return (
        None if position is None else position.value,
        _held(world, position),
        world.orders,
        world.strays,
        world.fills,
        world.mode,
        world.account_mode,
        tuple(state.code for state in plan.passing),
        world.decision,
        plan.trade or world.trade,
        tuple(refusal.code for refusal in plan.refusals),
    )


def material(content: dict[str, object]) -> object:
    """Return the part of a snapshot whose change is worth writing at once; compare it with `==`.

    Ages, prices and the moving numbers inside messages are left out: they change with every tick.
    """
    outcome: Any = content["outcome"]
    codes = None if outcome is None else [reason["code"] for reason in outcome["reasons"]]
    said = None if outcome is None else (outcome["outcome"], codes)
    names = ("position", "cover", "stops", "orders", "wished", "mode", "decision", "trade")
    return (*(content[name] for name in names), said)


# the position and its cover


def _held(world: World, position: Observed[PositionReport] | None) -> Decimal | None:
    """The signed quantity that must be covered: what the exchange says, or our fills where they are newer."""
    newest = max((fill.time_ms for fill in world.fills), default=None)
    if newest is None or world.trade is None:
        return None if position is None else position.value.quantity
    if position is not None and position.at_ms >= newest:
        return position.value.quantity
    found = world.trade.adopted_quantity * world.trade.sign
    return sum((fill.signed_quantity for fill in world.fills), start=found)


def _cover(world: World, held: Decimal | None) -> str:
    if held is None:
        return "unknown"
    if held == ZERO:
        return "flat"
    exit_side = Side.SELL if held > ZERO else Side.BUY
    exits = [order for order in _alive(world) if order.request.side is exit_side]
    if any(_is_closing(order) for order in exits):
        return "closing"
    return "stop" if any(_covers(order, abs(held)) for order in exits) else "naked"


def _is_closing(order: OwnOrder) -> bool:
    """A triggered stop or an acknowledged full exit is executing (P-1)."""
    full_exit = order.role is Role.FULL_EXIT and order.state in _EXECUTING
    return full_exit or (order.role in STOP_ROLES and order.executing)


def _covers(order: OwnOrder, held: Decimal) -> bool:
    """One confirmed full-size stop is cover; partial ones are never summed."""
    request = order.request
    full = request.close_position or (request.quantity is not None and request.quantity >= held)
    return order.role in STOP_ROLES and order.confirmed and full


def _position(report: PositionReport) -> dict[str, object]:
    quantity = report.quantity
    side = "flat" if quantity == ZERO else "long" if quantity > ZERO else "short"
    return {
        "side": side,
        "quantity": text(abs(quantity)),
        "entry_price": text(report.entry_price),
    }


def _unrealised(world: World, position: Observed[PositionReport] | None) -> str | None:
    if position is None or world.mark is None:
        return None
    report = position.value
    return text((world.mark.value - report.entry_price) * report.quantity)


# orders


def _alive(world: World) -> list[OwnOrder]:
    """Our orders that are not proven ended, by role; those that belong to no open trade included."""
    known = {order.client_id: order for order in (*world.strays, *world.orders)}
    return sorted(
        (order for order in known.values() if order.alive_or_unknown),
        key=lambda order: (_ROLES.index(order.role), order.journaled_ms, order.client_id),
    )


def _acknowledged(order: OwnOrder) -> bool:
    return not order.unresolved and order.echo_error is None


def _role(order: OwnOrder) -> str:
    return order.role.name.lower()


def _stop(order: OwnOrder) -> dict[str, object]:
    request = order.request
    return {
        "client_id": order.client_id,
        "role": _role(order),
        "price": _amount(request.trigger_price),
        "quantity": _amount(request.quantity),
        "confirmed": order.confirmed,
        "visible": not order.invisible,
        "state": order.state.value,
    }


def _order(order: OwnOrder) -> dict[str, object]:
    request, amending = order.request, order.amending
    return {
        "client_id": order.client_id,
        "role": _role(order),
        "side": request.side.value.lower(),
        "price": _amount(order.price),
        "asked_price": None if amending is None else _amount(amending.price),
        "trigger": _amount(request.trigger_price),
        "quantity": _amount(request.quantity),
        "filled": text(order.filled_quantity),
        "state": order.state.value,
    }


def _wish(order: OwnOrder) -> dict[str, object]:
    echo = order.echo_error
    return {**_order(order), "why": order.state.value if echo is None else f"echo differs: {echo}"}


# what led here


def _strictest(world: World, passing: Sequence[ModeState]) -> dict[str, object]:
    """The mode that counts; of equally strict ones the symbol's own, because it says most."""
    states = [state for state in (world.mode, world.account_mode, *passing) if state is not None]
    if not states:
        return {"mode": "NORMAL", "rule": None, "cause": None, "since": None}
    return _mode(max(states, key=lambda state: state.mode.strictness))


def _mode(state: ModeState) -> dict[str, object]:
    return {
        "mode": state.mode.value,
        "rule": state.rule,
        "cause": state.cause,
        "since": iso(state.since_ms),
    }


def _dead_man(world: World) -> dict[str, object]:
    """Whether the venue is told to cancel the entry without us, and why it is not (E-7)."""
    asked = world.countdown
    on = asked is not None and asked.ms > 0 and asked.accepted and asked.until_ms > world.now_ms
    refused = None if asked is None else asked.refused
    return {"on": on, "why_not": None if on else why_not(world) or refused}


def _ages(world: World, position: Observed[PositionReport] | None) -> dict[str, object]:
    parts: dict[str, Observed[Any] | None] = {
        "position": position,
        "order_list": world.open_orders,
        "conditional_list": world.conditional_orders,
        "quote": world.quote,
        "mark": world.mark,
        "last": world.last,
    }
    ages: dict[str, object] = {
        name: None if part is None else (world.now_ms - part.at_ms) / 1000
        for name, part in parts.items()
    }
    made = world.levels
    return {**ages, "levels": None if made is None else (world.now_ms - made.as_of_ms) / 1000}


def _prices(world: World) -> dict[str, object]:
    quote = None if world.quote is None else world.quote.value
    return {
        "bid": None if quote is None else text(quote.bid),
        "ask": None if quote is None else text(quote.ask),
        "last": None if world.last is None else text(world.last.value),
        "mark": None if world.mark is None else text(world.mark.value),
    }


def _decision(state: DecisionState | None) -> dict[str, object] | None:
    """The levels as the decision wrote them: wishes, not orders."""
    if state is None:
        return None
    decision, levels = state.decision, state.decision.levels
    targets = [] if levels is None else [levels.tp1, levels.tp2]
    return {
        "id": decision.id,
        "timestamp": iso(decision.timestamp_ms),
        "action": decision.action.value,
        "reason": decision.reason,
        "zone": None if levels is None else [text(levels.zone_min), text(levels.zone_max)],
        "stop": None if levels is None else text(levels.stop),
        "targets": [text(target) for target in targets if target is not None],
        "spent": state.spent,
        "refusals": [{"code": code, "message": message} for code, message in state.refusals],
    }


def _outcome(state: DecisionState | None, plan: Plan) -> dict[str, object] | None:
    """What was done with the decision: `accepted`, `refused`, `spent` or `superseded`, with every reason."""
    if state is None:
        return None
    reasons: list[dict[str, object]] = [
        {"code": refusal.code, "rule": refusal.rule, "message": refusal.message}
        for refusal in plan.refusals
    ]
    if state.refusals:
        word = "superseded"
        reasons = reasons or [
            {"code": code, "rule": "G-1", "message": message} for code, message in state.refusals
        ]
    elif state.spent is not None:
        word = "spent"
        reasons = reasons or [{"code": "spent", "rule": "D-7", "message": state.spent}]
    else:
        word = "refused" if reasons else "accepted"
    return {"outcome": word, "reasons": reasons}


def _trade(world: World, plan: Plan) -> dict[str, object] | None:
    trade = plan.trade or world.trade
    if trade is None or trade.ended_ms is not None:
        return None
    filled, average = _entered(world, trade)
    values = {name: getattr(trade, name) for name in _TRADE_FIELDS}
    values["side"] = "long" if trade.side is Side.BUY else "short"
    return {
        **{name: _amount(v) if isinstance(v, Decimal) else v for name, v in values.items()},
        "decision": trade.decision.id,
        "guide": None if trade.guide is None else trade.guide.id,
        "armed_at": iso(trade.armed_ms),
        "closing": None if trade.closing is None else trade.closing.value,
        "entry_over": trade.entry_over,
        "filled": text(filled),
        "average_entry": _amount(average),
        "zone": _zone(trade.zone),
    }


def _zone(zone: BoundZone | None) -> dict[str, object] | None:
    if zone is None:
        return None
    return {"id": zone.id, "min": text(zone.low), "max": text(zone.high), "used": zone.used}


def _entered(world: World, trade: Trade) -> tuple[Decimal, Decimal | None]:
    """What was bought in (for a long) and at what average, the found position of an adopted trade included."""
    lots = [(fill.quantity, fill.price) for fill in _entry_fills(world, trade)]
    if trade.adopted_price is not None:
        lots.append((trade.adopted_quantity, trade.adopted_price))
    filled = sum((quantity for quantity, _ in lots), start=ZERO)
    if filled == ZERO:
        return ZERO, None
    return filled, sum((quantity * price for quantity, price in lots), start=ZERO) / filled


def _entry_fills(world: World, trade: Trade) -> Iterable[Fill]:
    own = {order.client_id for order in world.orders if order.role is Role.ENTRY}
    return (f for f in world.fills if f.client_id in own and f.side is trade.side)


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else text(value)
