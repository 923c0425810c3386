"""Who every order of the ledger is, collected before the replay begins.

A fill stands before the record of the order that it filled, and a child order may stand before its parent's
change; with the identities known beforehand the replay never has to guess or to wait. Only what cannot change
is taken from here; status and quantities are replayed.
"""

from collections.abc import Sequence
from decimal import Decimal

from jumar.exchange.simulated.judge.record import (
    LedgerError,
    Record,
    flag,
    integer,
    money,
    text,
)
from jumar.exchange.simulated.judge.state import Conditional, Order, badge

type Key = tuple[str, int]

_SIGNS = {"BUY": 1, "SELL": -1}
_OTHERS = frozenset(
    {"exchange", "fault"}
)  # whoever else moved an order first, a client had asked for it


class Registry:
    """Every order and conditional order by symbol and number."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._conditionals: dict[Key, Conditional] = {}
        self._orders: dict[Key, Order] = {}
        for record in records:
            if record.get("kind") == "conditional":
                self._meet_conditional(record)
        for record in records:
            if record.get("kind") == "order":
                self._meet_order(record)

    def order(self, record: Record) -> Order:
        """The regular order that a record (an order or a fill) speaks of."""
        key = (text(record, "symbol"), integer(record, "order_id"))
        order = self._orders.get(key)
        if order is None:
            raise LedgerError(
                f"ledger record {record.get('seq', '?')}: order {key[1]} of {key[0]} has no record of its own"
            )
        return order

    def conditional(self, record: Record) -> Conditional:
        """The conditional order that a record speaks of."""
        return self._conditionals[text(record, "symbol"), integer(record, "algo_id")]

    def _meet_conditional(self, record: Record) -> None:
        key = (text(record, "symbol"), integer(record, "algo_id"))
        if key in self._conditionals:
            return
        client_id = text(record, "client_id")
        group, role = badge(client_id)
        close_position = flag(record, "close_position")
        self._conditionals[key] = Conditional(
            symbol=key[0],
            number=key[1],
            client_id=client_id,
            group=group,
            role=role,
            sign=_sign(record),
            is_stop=text(record, "type") == "STOP_MARKET",
            trigger=money(record, "trigger"),
            quantity=optional_money(record, "quantity"),
            closes=close_position or flag(record, "reduce_only"),
            close_position=close_position,
            by_client=text(record, "by") not in _OTHERS,
        )

    def _meet_order(self, record: Record) -> None:
        key = (text(record, "symbol"), integer(record, "order_id"))
        if key in self._orders:
            return
        parent = self._parent(record)
        client_id = text(record, "client_id") if parent is None else parent.client_id
        group, role = badge(client_id)
        order = Order(
            symbol=key[0],
            number=key[1],
            client_id=client_id,
            group=group,
            role=role,
            sign=_sign(record),
            is_market=text(record, "type") == "MARKET",
            quantity=money(record, "quantity"),
            closes=flag(record, "reduce_only") or flag(record, "close_position"),
            by_client=text(record, "by") not in _OTHERS,
            parent=parent,
        )
        if parent is not None:
            parent.child = order
        self._orders[key] = order

    def _parent(self, record: Record) -> Conditional | None:
        if record.get("parent_algo_id") is None:
            return None
        key = (text(record, "symbol"), integer(record, "parent_algo_id"))
        parent = self._conditionals.get(key)
        if parent is None:
            raise LedgerError(
                f"ledger record {record.get('seq', '?')}: its parent, conditional order {key[1]} of {key[0]}, has no record"
            )
        return parent


def optional_money(record: Record, field: str) -> Decimal | None:
    """A decimal, or None where the ledger has null."""
    return None if record.get(field) is None else money(record, field)


def _sign(record: Record) -> int:
    side = text(record, "side")
    if side not in _SIGNS:
        raise LedgerError(
            f"ledger record {record.get('seq', '?')}: 'side' must be BUY or SELL, it is {side!r}"
        )
    return _SIGNS[side]
