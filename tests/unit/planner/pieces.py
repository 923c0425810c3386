"""One trade, its orders and its fills, each made by one line: for tests of a single step of the planner."""

from dataclasses import fields, replace
from itertools import count

from tests.worlds import NOW, D, decision, short_decision, world

from jumar.model.account import PositionReport
from jumar.model.ids import client_id
from jumar.model.order import (
    Fill,
    OrderRequest,
    OrderState,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import Observed, Source, World

KEY = "abcdefghij"
#: When everything here was journaled and acknowledged.
BEFORE = NOW - 5000
_REQUEST = {each.name for each in fields(OrderRequest)}
_STOPS, _TARGETS = (Role.STOP, Role.BACKSTOP), (Role.TP1, Role.TP2)
_trade_ids = count(1)


def trade_of(side: Side = Side.BUY, **changes: object) -> Trade:
    """The trade of the specification's example, or of its mirror: 0.013 with the stop 90 380 or 91 220."""
    long = side is Side.BUY
    base = Trade(
        key=KEY,
        symbol="BTCUSDT",
        side=side,
        decision=decision() if long else short_decision(),
        planned_quantity=D("0.013"),
        limit_price=D("90786.6") if long else D("90813.4"),
        initial_stop=D(90380) if long else D(91220),
        tp1=D(91600) if long else D(90000),
        tp2=D(92900) if long else D(88700),
        armed_ms=BEFORE,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def own(name: str, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """An acknowledged order of that trade by role and attempt, `S1`; changes go to the request or the order."""
    role, attempt = Role(name[0]), int(name[1:])
    long, stop, target = side is Side.BUY, role in _STOPS, role in _TARGETS
    asked: dict[str, object] = {
        "symbol": "BTCUSDT",
        "client_id": client_id(key=KEY, role=role, attempt=attempt),
        "role": role,
        "side": side if role is Role.ENTRY else side.opposite,
        "type": OrderType.MARKET,
        "quantity": D("0.013"),
        "reduce_only": role is not Role.ENTRY,
    }
    if role is Role.ENTRY:
        price = D("90786.6") if long else D("90813.4")
        asked |= {"type": OrderType.LIMIT, "price": price, "time_in_force": TimeInForce.GTX}
    elif stop or target:
        given = trade_of(side)
        asked |= {
            "type": OrderType.STOP_MARKET if stop else OrderType.TAKE_PROFIT_MARKET,
            "trigger_price": given.initial_stop if stop else given.tp1,
            "time_in_force": TimeInForce.GTC,
            "working_type": WorkingType.MARK_PRICE,
        }
    request = OrderRequest(**{**asked, **{k: v for k, v in changes.items() if k in _REQUEST}})  # type: ignore[arg-type]  # as above
    base = OwnOrder(
        trade_key=KEY,
        attempt=attempt,
        request=request,
        rule="S-1",
        cause="a test",
        journaled_ms=BEFORE,
        state=OrderState.OPEN,
        venue_id=f"id of {name}",
        acked_ms=BEFORE,
        updated_ms=BEFORE,
    )
    return replace(base, **{k: v for k, v in changes.items() if k not in _REQUEST})  # type: ignore[arg-type]  # as above


def ended(order: OwnOrder, **changes: object) -> OwnOrder:
    """The same order, proven ended when it was last told of."""
    done = replace(order, state=OrderState.ENDED, ended_ms=order.updated_ms)
    return replace(done, **changes)  # type: ignore[arg-type]  # a test states only what differs


def lot(by: OwnOrder | None, quantity: str, price: str = "90786.6", **changes: object) -> Fill:
    """An execution of one of our orders, without one a hand's purchase; told a second ago."""
    base = Fill(
        symbol="BTCUSDT",
        trade_id=next(_trade_ids),
        venue_order_id="1",
        client_id=None if by is None else by.client_id,
        side=Side.BUY if by is None else by.request.side,
        price=D(price),
        quantity=D(quantity),
        maker=False,
        fee=ZERO,
        fee_asset="USDT",
        realized_pnl=ZERO,
        time_ms=NOW - 1000,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def position(quantity: str, at_ms: int = NOW - 100) -> Observed[PositionReport]:
    """The position as a list tells it."""
    report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90000))
    return Observed(value=report, at_ms=at_ms, source=Source.REST)


def held(*orders: OwnOrder, side: Side = Side.BUY, **changes: object) -> World:
    """0.013 were bought (sold, for a short) some time ago; these orders beside it."""
    entry = ended(own("E1", side), filled_quantity=D("0.013"))
    signed = "0.013" if side is Side.BUY else "-0.013"
    fills = (lot(entry, "0.013", time_ms=BEFORE), *_sold(orders))
    base: dict[str, object] = {"orders": (entry, *orders), "fills": fills}
    return world(**{**base, "position": position(signed), **changes})


def _sold(orders: tuple[OwnOrder, ...]) -> list[Fill]:
    """What the exits among them have filled, as executions of 3.5 s ago."""
    return [
        lot(each, str(each.filled_quantity), time_ms=NOW - 3500)
        for each in orders
        if each.filled_quantity
    ]
