"""What a fault may strike, and whether it is in a rule's scope: requests, rows and events, and the orders they are about.

The role says what an order is for, as far as an exchange can see it: `entry` (regular, not reduce-only), `close`
(regular, reduce-only), `stop`, `backstop` (a stop with closePosition), `target` (a take profit). An order that a
conditional order became has its parent's role.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jumar.exchange.simulated.core.conditional import Conditional
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.orders import Order
from jumar.exchange.simulated.server.faults.rule import Rule

_BATCH = "/fapi/v1/batchOrders"
_OWN_ID = ("newClientOrderId", "clientAlgoId", "origClientOrderId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An order, or as much of one as is known; None: not known, or about none.

    Attributes:
        closing: it can only close a position.
    """

    symbol: str | None = None
    side: str | None = None
    role: str | None = None
    client_id: str | None = None
    closing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: HTTP method and path, the WebSocket API's name if it came there, and the orders it is about."""

    method: str
    path: str
    name: str | None
    params: Mapping[str, str]
    subjects: tuple[Subject, ...]

    @property
    def places(self) -> bool:
        """Whether it would place orders."""
        return self.method == "POST" and self.path.rpartition("/")[2] in (
            "order",
            "algoOrder",
            "batchOrders",
        )


def role_of(kind: str, *, closes: bool, close_position: bool) -> str:
    """The role of an order of a type; `closes`: it is reduce-only."""
    if kind.startswith("TAKE_PROFIT"):
        return "target"
    if kind.startswith(("STOP", "TRAILING")):
        return "backstop" if close_position else "stop"
    return "close" if closes else "entry"


def ask_of(
    exchange: Exchange, method: str, path: str, params: Mapping[str, str], name: str | None = None
) -> Ask:
    """Understand a request; orders that it names by an id are looked up."""
    rows = _batch(params) if path == _BATCH else [params]
    subjects = tuple(_asked(exchange, {"symbol": params.get("symbol", ""), **row}) for row in rows)
    return Ask(method=method, path=path, name=name, params=params, subjects=subjects)


def order_subject(order: Order | Conditional) -> Subject:
    """An order of the exchange's books."""
    close_position = order.close_position
    kind = order.type.value
    if isinstance(order, Order):
        kind = order.orig_type or kind
    return _subject(
        symbol=order.symbol,
        side=order.side.value,
        kind=kind,
        closes=_closes(order.position_side, order.side, reduce_only=order.reduce_only),
        close_position=close_position,
        client_id=order.client_id,
    )


def row_subject(row: Mapping[str, Any]) -> Subject:
    """An order as answers tell it."""
    return _subject(
        symbol=row["symbol"],
        side=row["side"],
        kind=row.get("orderType") or row.get("origType") or "",
        closes=_closes(row.get("positionSide"), row["side"], reduce_only=row["reduceOnly"]),
        close_position=row["closePosition"],
        client_id=row.get("clientAlgoId") or row.get("clientOrderId"),
    )


def event_subjects(event: Mapping[str, Any]) -> tuple[Subject, ...]:
    """What a user event or a market event is about; of an account update every position."""
    order = event.get("o")
    if isinstance(order, Mapping) and "S" in order and "R" in order:
        return (
            _subject(
                symbol=order["s"],
                side=order["S"],
                kind=order.get("ot") or order["o"],
                closes=_closes(order.get("ps"), order["S"], reduce_only=order["R"]),
                close_position=order["cp"],
                client_id=order.get("caid") or order.get("c"),
            ),
        )
    rows = event.get("a")
    if isinstance(rows, Mapping) and rows.get("P"):
        return tuple(Subject(symbol=row["s"]) for row in rows["P"])
    symbol = event.get("s") or event.get("ac", {}).get("s")
    return (Subject(symbol=symbol),)


def in_scope(rule: Rule, subject: Subject) -> bool:
    """Whether symbol, side and role of a subject are those of the rule; what is not known is not."""
    scope = rule.scope
    return (
        scope.get("symbol", subject.symbol) == subject.symbol
        and scope.get("side", subject.side) == subject.side
        and scope.get("role", subject.role) == subject.role
    )


def at_endpoint(rule: Rule, ask: Ask) -> bool:
    """Whether a request goes where the rule strikes: a path, a method and path, or a WebSocket API method."""
    wanted = rule.scope.get("endpoint")
    return wanted is None or wanted in (ask.path, f"{ask.method} {ask.path}", ask.name)


def _subject(
    *,
    symbol: str,
    side: str,
    kind: str,
    closes: bool,
    close_position: bool,
    client_id: str | None,
) -> Subject:
    return Subject(
        symbol=symbol,
        side=side,
        role=role_of(kind, closes=closes, close_position=close_position),
        client_id=client_id,
        closing=closes or close_position,
    )


def _asked(exchange: Exchange, params: Mapping[str, str]) -> Subject:
    kind, side = params.get("type"), params.get("side")
    if kind and side:
        reduce_only = params.get("reduceOnly") == "true"
        return _subject(
            symbol=params["symbol"],
            side=side,
            kind=kind,
            closes=_closes(params.get("positionSide"), side, reduce_only=reduce_only),
            close_position=params.get("closePosition") == "true",
            client_id=next(_ids(params), None),
        )
    known = exchange.named(params)
    if known is not None:
        return order_subject(known)
    return Subject(
        symbol=params.get("symbol") or None, side=side or None, client_id=next(_ids(params), None)
    )


def _closes(position_side: str | None, side: str, *, reduce_only: bool) -> bool:
    """Whether an order can only close: as it says in one-way mode, as its sides say in hedge mode."""
    return reduce_only or (position_side, side) in (("LONG", "SELL"), ("SHORT", "BUY"))


def _ids(params: Mapping[str, str]) -> Iterator[str]:
    return (params[name] for name in _OWN_ID if params.get(name))


def _batch(params: Mapping[str, str]) -> list[Mapping[str, str]]:
    """The orders of a batch, as far as they can be read; the exchange refuses what cannot."""
    for name in ("batchOrders", "orderIdList", "origClientOrderIdList"):
        try:
            rows = json.loads(params.get(name) or "null", parse_float=str)
        except (ValueError, RecursionError):
            continue
        if not isinstance(rows, list):
            continue
        field = {"orderIdList": "orderId", "origClientOrderIdList": "origClientOrderId"}.get(name)
        wanted = [{field: row} if field else row for row in rows]
        return [_texts(row) for row in wanted if isinstance(row, dict)] or [params]
    return [params]


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in row.items()
    }
