"""The world of an enumerated state: what the planner would see in it.

Orders and executions of one state agree with each other: what is held is what the entry bought, and the rest was
traded by a hand. Reads and events tell the truth, or are missing.
"""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from tests.properties.planner_states import (
    ENTRY,
    INITIAL,
    MARK,
    MOVED,
    PLANNED,
    REPORTED,
    Asked,
    Backstop,
    Entry,
    Held,
    State,
    Stop,
    Unread,
    mirrored,
)
from tests.worlds import NOW, D, decision, seen, short_decision, world

from jumar.model.account import PositionReport
from jumar.model.decision import Action, Decision
from jumar.model.ids import client_id, trade_key
from jumar.model.mode import Mode, ModeState
from jumar.model.order import (
    Channel,
    Fill,
    OrderReport,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ZERO
from jumar.model.world import DecisionState, Observed, Quote, Source, World

TP1, TP2 = D(91600), D(92900)
ARMED_MS, SENT_MS, FILLED_MS = NOW - 31_000, NOW - 20_000, NOW - 10_000
#: Sent so lately that nobody wonders yet.
LATELY_MS = NOW - 300
KEY = trade_key(account="main", store_id="store", decision_id="d1")


def world_of(state: State) -> World:
    """What the planner would see."""
    orders = own_orders(state) if state.has_trade else ()
    return replace(
        _market(state.side, state.unread),
        decision=_decision_state(state.side, state.asked),
        trade=_trade(state) if state.has_trade else None,
        orders=orders,
        fills=_fills(state),
        mode=_mode(state.mode),
        **_position(state),  # type: ignore[arg-type]  # parts by name
        **_lists(state, orders),  # type: ignore[arg-type]  # parts by name
    )


@cache
def _market(side: Side, unread: Unread) -> World:
    """Prices and settings, the same in every state but for what is missing."""
    price = mirrored(MARK, side)
    bid = price if side is Side.BUY else price - D("0.1")
    quote = Quote(bid=bid, ask=bid + D("0.1"), bid_quantity=D(5), ask_quantity=D(5))
    mark = seen(price, source=Source.STREAM)
    missing: tuple[str, ...] = ()
    if unread is Unread.PRICES:
        missing = ("mark", "last", "quote")
    elif unread is Unread.SETTINGS:
        missing = ("settings", "account_settings", "balance")
    given = world(
        mark=mark,
        marks=() if missing[:1] == ("mark",) else (mark,),
        last=mark,
        quote=seen(quote, source=Source.STREAM),
    )
    return replace(given, **dict.fromkeys(missing))  # type: ignore[arg-type]  # parts by name


@cache
def _decision_state(side: Side, asked: Asked) -> DecisionState | None:
    opposite = Side.SELL if side is Side.BUY else Side.BUY
    newer = {"id": "d2", "timestamp_ms": NOW - 5000}
    match asked:
        case Asked.NOTHING:
            return None
        case Asked.SAME | Asked.STALE:
            return DecisionState(decision=_own_decision(side, stale=asked is Asked.STALE))
        case Asked.FLAT:
            flat = decision(**newer, action=Action.FLAT, levels=None, notional=ZERO)
            return DecisionState(decision=flat)
        case Asked.OPPOSITE:
            return DecisionState(decision=_made(opposite, **newer))
        case Asked.REFUSED:
            return DecisionState(
                decision=_own_decision(side, stale=False), refusals=(("malformed", "unreadable"),)
            )


def _own_decision(side: Side, *, stale: bool) -> Decision:
    return _made(side, timestamp_ms=NOW - 601_000 if stale else NOW - 35_000)


def _made(side: Side, **changes: object) -> Decision:
    make = decision if side is Side.BUY else short_decision
    return make(**changes)


@cache
def _mode(mode: Mode) -> ModeState | None:
    if mode is Mode.NORMAL:
        return None
    rule = "S-7" if mode is Mode.FLATTENING else "Y-7"
    return ModeState(mode=mode, rule=rule, cause="enumerated", since_ms=NOW - 8000)


def _trade(state: State) -> Trade:
    return _trade_of(
        state.side,
        adopted=state.bought if state.adopted else None,
        flattening=state.mode is Mode.FLATTENING,
        stale=state.asked is Asked.STALE,
        ratchet=None if state.stop is Stop.NONE else state.ratchet,
        unacked=state.stop is Stop.UNKNOWN and not _was_armed(state),
    )


@cache
def _trade_of(
    side: Side,
    *,
    adopted: Decimal | None,
    flattening: bool,
    stale: bool,
    ratchet: Decimal | None,
    unacked: bool,
) -> Trade:
    over = "closing: emergency" if flattening else None
    found = adopted is not None
    return Trade(
        key=KEY,
        symbol="BTCUSDT",
        side=side,
        decision=_own_decision(side, stale=stale),
        planned_quantity=ZERO if found else PLANNED,
        limit_price=mirrored(ENTRY, side),
        initial_stop=mirrored(INITIAL, side),
        tp1=ZERO if found else mirrored(TP1, side),
        tp2=None if found else mirrored(TP2, side),
        armed_ms=ARMED_MS,
        ratchet_price=None if unacked else ratchet,
        closing=CloseReason.EMERGENCY if flattening else None,
        closing_rule="S-7" if flattening else None,
        entry_over="adopted: no entry of ours" if found else over,
        adopted_price=mirrored(ENTRY, side) if found else None,
        adopted_quantity=adopted or ZERO,
    )


# orders


def _was_armed(state: State) -> bool:
    """Whether a stop was confirmed once: before every entry, and where something is held."""
    return state.entry is not Entry.NONE or state.ever_held


def own_orders(state: State) -> tuple[OwnOrder, ...]:
    """The journal's orders of the trade."""
    return (
        *_stops(state.side, state.stop, state.stop_size, armed=_was_armed(state)),
        *_backstops(state.side, state.backstop),
        *_entries(state.side, state.entry, state.bought),
    )


@cache
def _stops(side: Side, stop: Stop, size: Decimal, *, armed: bool) -> tuple[OwnOrder, ...]:
    first = _order(side, Role.STOP, 1, size, trigger=INITIAL)
    ended = _ended(first, OrderStatus.CANCELED)
    match stop:
        case Stop.NONE:
            return ()
        case Stop.RATCHET:
            return (first,)
        case Stop.LOOSER:
            moved = _order(side, Role.STOP, 2, size, trigger=MOVED)
            return (first, _ended(moved, OrderStatus.CANCELED))
        case Stop.UNKNOWN if armed:
            return (ended, _unknown(_order(side, Role.STOP, 2, size, trigger=INITIAL)))
        case Stop.UNKNOWN:
            return (_unknown(first),)
        case Stop.ENDED:
            return (ended,)
        case Stop.INVISIBLE:
            return (replace(first, unlisted=(NOW - 6000, NOW - 3000)),)


@cache
def _backstops(side: Side, backstop: Backstop) -> tuple[OwnOrder, ...]:
    if backstop is Backstop.NONE:
        return ()
    order = _order(side, Role.BACKSTOP, 1, None, trigger=INITIAL)
    return (order if backstop is Backstop.CONFIRMED else _unknown(order),)


@cache
def _entries(side: Side, entry: Entry, bought: Decimal) -> tuple[OwnOrder, ...]:
    order = _order(side, Role.ENTRY, 1, PLANNED, price=ENTRY)
    filled = replace(order, filled_quantity=REPORTED[entry])
    match entry:
        case Entry.NONE:
            return ()
        case Entry.UNKNOWN:
            return (_unknown(order),)
        case Entry.RESTING | Entry.PART:
            return (filled,)
        case Entry.FILLED:
            return (_ended(filled, OrderStatus.FILLED),)
        case Entry.ENDED:
            return (_ended(replace(order, filled_quantity=bought), OrderStatus.CANCELED),)


def _order(
    side: Side,
    role: Role,
    attempt: int,
    quantity: Decimal | None,
    *,
    trigger: Decimal | None = None,
    price: Decimal | None = None,
) -> OwnOrder:
    """An order that rests, acknowledged long ago."""
    stop = trigger is not None
    sent_ms = ARMED_MS + 1000 * attempt if stop else SENT_MS
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id(key=KEY, role=role, attempt=attempt),
        role=role,
        side=side.opposite if stop else side,
        type=OrderType.STOP_MARKET if stop else OrderType.LIMIT,
        quantity=quantity,
        price=None if price is None else mirrored(price, side),
        trigger_price=None if trigger is None else mirrored(trigger, side),
        time_in_force=TimeInForce.GTC if stop else TimeInForce.GTX,
        reduce_only=stop and quantity is not None,
        close_position=quantity is None,
        working_type=WorkingType.MARK_PRICE if stop else None,
    )
    return OwnOrder(
        trade_key=KEY,
        attempt=attempt,
        request=request,
        rule="S-1",
        cause="enumerated",
        journaled_ms=sent_ms,
        timestamp_ms=sent_ms,
        state=OrderState.OPEN,
        venue_id=f"{role.value}{attempt}",
        acked_ms=sent_ms + 50,
        updated_ms=sent_ms + 50,
    )


def _ended(order: OwnOrder, status: OrderStatus) -> OwnOrder:
    return replace(
        order, state=OrderState.ENDED, end_status=status, ended_ms=FILLED_MS, updated_ms=FILLED_MS
    )


def _unknown(order: OwnOrder) -> OwnOrder:
    return replace(
        order,
        state=OrderState.UNKNOWN,
        journaled_ms=LATELY_MS,
        timestamp_ms=LATELY_MS,
        acked_ms=None,
        updated_ms=0,
        venue_id=None,
    )


# what was executed and read


def _filled_ms(state: State) -> int:
    """When the entry filled: an unknown one was sent just now."""
    return LATELY_MS + 50 if state.entry is Entry.UNKNOWN else FILLED_MS


def _fills(state: State) -> tuple[Fill, ...]:
    if not state.has_trade:
        return ()
    bought = ZERO if state.adopted else state.bought
    return _fills_of(state.side, bought, state.by_hand, _filled_ms(state))


@cache
def _fills_of(side: Side, bought: Decimal, by_hand: Decimal, at_ms: int) -> tuple[Fill, ...]:
    name = _order(side, Role.ENTRY, 1, PLANNED, price=ENTRY).client_id
    ours = (_fill(side, bought, name, at_ms),) if bought > ZERO else ()
    if by_hand == ZERO:
        return ours
    hand_side = side if by_hand > ZERO else side.opposite
    return (*ours, _fill(hand_side, abs(by_hand), None, at_ms + 20))


def _fill(side: Side, quantity: Decimal, name: str | None, at_ms: int) -> Fill:
    return Fill(
        symbol="BTCUSDT",
        trade_id=at_ms,
        venue_order_id=name or "hand",
        client_id=name,
        side=side,
        price=mirrored(ENTRY, side),
        quantity=quantity,
        maker=True,
        fee=D("0.1"),
        fee_asset="USDT",
        realized_pnl=ZERO,
        time_ms=at_ms,
    )


def _position(state: State) -> dict[str, object]:
    """The read and the last event; both tell the truth."""
    if state.held is Held.UNREAD:
        return {"position": None}
    report = PositionReport(
        symbol="BTCUSDT", quantity=state.size * state.sign, entry_price=mirrored(ENTRY, state.side)
    )
    fills = _fills(state)
    event = None
    if fills:
        at_ms = fills[-1].time_ms
        event = Observed(value=report, at_ms=at_ms, source=Source.STREAM)
    unread = state.unread is Unread.POSITION
    return {
        "position": None if unread else seen(report),
        "position_since_ms": None if unread else NOW - 5000,
        "position_event": event,
    }


def _lists(state: State, orders: tuple[OwnOrder, ...]) -> dict[str, object]:
    """Both lists hold what rests and can be seen."""
    reports = _reports(orders)
    lists = {
        "open_orders": (Channel.REGULAR, Unread.REGULAR),
        "conditional_orders": (Channel.CONDITIONAL, Unread.CONDITIONAL),
    }
    return {
        name: None
        if state.unread is unread
        else seen(tuple(report for report in reports if report.channel is channel))
        for name, (channel, unread) in lists.items()
    }


@cache
def _reports(orders: tuple[OwnOrder, ...]) -> tuple[OrderReport, ...]:
    return tuple(
        report_of(order, OrderStatus.NEW)
        for order in orders
        if order.state is OrderState.OPEN and not order.invisible
    )


def report_of(order: OwnOrder, status: OrderStatus) -> OrderReport:
    """What a list or a read by id says of an order of ours."""
    request = order.request
    return OrderReport(
        symbol=request.symbol,
        channel=request.channel,
        client_id=request.client_id,
        venue_id=order.venue_id or request.client_id,
        side=request.side,
        type=request.type.value,
        status=status,
        quantity=request.quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        filled_quantity=order.filled_quantity,
        reduce_only=request.only_reduces,
        close_position=request.close_position,
        updated_ms=order.updated_ms,
    )
