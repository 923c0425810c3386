"""The audit's own reading of the exchange's ledger: who placed what, what filled, what was held when.

Promises that an order counts once, as it was when it was accepted, and that the child of a triggered conditional
order is told by its parent. The records are described in docs/reference/ledger.md.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from jumar.audit.text import Record, amount, amount_or_none, side, whole, words
from jumar.model.ids import PREFIX, parse_client_id
from jumar.model.order import Role, Side
from jumar.model.units import ONE, ZERO, text

_NOT_THE_CLIENT = frozenset({"exchange", "fault"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order of ours as the exchange accepted it.

    Attributes:
        key: the trade key in its client id; empty where the id has our prefix and not our form. `role` likewise.
        quantity: None for closePosition. price: None for a market or conditional order. trigger: None for a regular one.
    """

    seq: int
    t: int
    symbol: str
    client_id: str
    key: str
    role: Role | None
    side: Side
    quantity: Decimal | None
    price: Decimal | None
    trigger: Decimal | None

    @property
    def sign(self) -> Decimal:
        """Plus one for a buy."""
        return ONE if self.side is Side.BUY else -ONE

    def __str__(self) -> str:
        """`SELL 0.013 at 90380`."""
        size = "all" if self.quantity is None else text(self.quantity)
        price = self.trigger if self.price is None else self.price
        return f"{self.side} {size} at {'market' if price is None else text(price)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A fill of an order of ours; `order` is the client id that we gave."""

    t: int
    symbol: str
    trade_id: int
    order: str
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position from `t` on.

    Attributes:
        quantity: signed base currency.
        keys: the groups whose entries filled since it was last zero, or turned through zero.
    """

    t: int
    quantity: Decimal
    keys: frozenset[str]


_FLAT = Holding(t=0, quantity=ZERO, keys=frozenset())


@dataclass(slots=True)
class LedgerReading:
    """What the ledger says of our orders.

    Attributes:
        placed: in the order of acceptance; `doubled` are those whose client id had been accepted before.
        amended: each of our orders again as it stood after a client changed its price or quantity.
        fills: of our orders, by symbol and trade id.
    """

    placed: list[Placed] = field(default_factory=list)
    doubled: list[Placed] = field(default_factory=list)
    amended: list[Placed] = field(default_factory=list)
    fills: dict[tuple[str, int], Execution] = field(default_factory=dict)
    _holdings: dict[str, list[Holding]] = field(default_factory=lambda: defaultdict(list))

    def of_role(self, *roles: Role) -> list[Placed]:
        """Our orders of some roles."""
        return [order for order in self.placed if order.role in roles]

    def initial_stops(self) -> Mapping[str, Placed]:
        """The first working stop of each group."""
        found: dict[str, Placed] = {}
        for order in self.of_role(Role.STOP):
            found.setdefault(order.key, order)
        return found

    def holding_at(self, symbol: str, t: int) -> Holding:
        """The position at a moment, changes of that millisecond included."""
        holdings = self._holdings.get(symbol, [])
        place = bisect_right(holdings, t, key=lambda holding: holding.t)
        return holdings[place - 1] if place else _FLAT


def read_ledger(records: Iterable[Record]) -> LedgerReading:
    """Read a ledger from its first record.

    Raises:
        EvidenceError: a record has not the form of docs/reference/ledger.md.
    """
    return _Reader().read(records)


class _Reader:
    """Reads records one after the other."""

    def __init__(self) -> None:
        self._reading = LedgerReading()
        self._names: dict[tuple[str, str, int], str] = {}
        self._taken: set[str] = set()
        self._standing: dict[tuple[str, str, int], Placed] = {}
        self._entered: dict[str, set[str]] = defaultdict(set)
        self._filled_by: dict[str, set[str]] = {}

    def read(self, records: Iterable[Record]) -> LedgerReading:
        ledger = list(records)
        for record in ledger:  # a fill may stand before the order that it filled
            if words(record, "kind") in {"order", "conditional"}:
                self._meet(record)
        for record in ledger:
            if record["kind"] == "fill":
                self._fill(record)
            elif record["kind"] == "position":
                self._position(record)
        return self._reading

    def _meet(self, record: Record) -> None:
        kind, symbol = words(record, "kind"), words(record, "symbol")
        name = (kind, symbol, whole(record, "order_id" if kind == "order" else "algo_id"))
        if name in self._names:
            if name in self._standing:
                self._change(record, name)
            return
        parent = record.get("parent_algo_id")
        if parent is not None:
            self._names[name] = self._names.get(("conditional", symbol, parent), "")
            return
        self._names[name] = client_id = words(record, "client_id")
        foreign = not client_id.startswith(PREFIX) or words(record, "by") in _NOT_THE_CLIENT
        if not foreign and words(record, "status") != "REJECTED":
            self._accept(record, client_id)

    def _accept(self, record: Record, client_id: str) -> None:
        parsed = parse_client_id(client_id)
        conditional = record["kind"] == "conditional"
        order = Placed(
            seq=whole(record, "seq"),
            t=whole(record, "t"),
            symbol=words(record, "symbol"),
            client_id=client_id,
            key="" if parsed is None else parsed.key,
            role=None if parsed is None else parsed.role,
            side=side(record),
            quantity=amount_or_none(record, "quantity"),
            price=None if conditional else amount_or_none(record, "price"),
            trigger=amount(record, "trigger") if conditional else None,
        )
        reading = self._reading
        (reading.doubled if client_id in self._taken else reading.placed).append(order)
        self._taken.add(client_id)
        if not conditional:
            self._standing["order", order.symbol, whole(record, "order_id")] = order

    def _change(self, record: Record, name: tuple[str, str, int]) -> None:
        """A later record of a regular order that stands at another price, or for another quantity, than before."""
        before = self._standing[name]
        price, quantity = amount_or_none(record, "price"), amount_or_none(record, "quantity")
        if (price, quantity) == (before.price, before.quantity):
            return
        seq, t = whole(record, "seq"), whole(record, "t")
        order = replace(before, seq=seq, t=t, price=price, quantity=quantity)
        self._standing[name] = order
        self._reading.amended.append(order)

    def _fill(self, record: Record) -> None:
        symbol = words(record, "symbol")
        order = self._names.get(("order", symbol, whole(record, "order_id")), "")
        parsed = parse_client_id(order)
        entered = parsed is not None and parsed.role is Role.ENTRY
        self._filled_by[symbol] = {parsed.key} if parsed is not None and entered else set()
        if parsed is None:
            return
        fill = Execution(
            t=whole(record, "t"),
            symbol=symbol,
            trade_id=whole(record, "trade_id"),
            order=order,
            side=side(record),
            price=amount(record, "price"),
            quantity=amount(record, "quantity"),
        )
        self._reading.fills[symbol, fill.trade_id] = fill
        self._entered[symbol] |= self._filled_by[symbol]

    def _position(self, record: Record) -> None:
        symbol, quantity = words(record, "symbol"), amount(record, "quantity")
        before = self._reading.holding_at(symbol, whole(record, "t")).quantity
        if quantity == ZERO:
            self._entered[symbol].clear()
        elif quantity * before < ZERO:  # through zero: what held it until now has ended
            self._entered[symbol] = set(self._filled_by.get(symbol, ()))
        keys = frozenset(self._entered[symbol])
        holding = Holding(t=whole(record, "t"), quantity=quantity, keys=keys)
        self._reading._holdings[symbol].append(holding)  # noqa: SLF001 - the reader fills what it returns
