"""Books kept beside an exchange: what its ledger and its stream say, folded as it is said, and what must then be true.

Each look costs what happened since the last one, not what happened at all, so that it can be afforded after every
single request.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.ledger import Record
from jumar.exchange.simulated.core.usage import Counts, OrderCount

type Json = dict[str, Any]

ORDER_ENDS = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})
CONDITIONAL_ENDS = frozenset({"FINISHED", "CANCELED", "EXPIRED", "REJECTED"})
#: What may follow what in the life of a conditional order.
FOLLOWS = {
    "NEW": {"NEW", "TRIGGERING", "CANCELED", "EXPIRED"},
    "TRIGGERING": {"TRIGGERED", "REJECTED"},
    "TRIGGERED": {"FINISHED"},
}
#: LONG is never short, nor SHORT long.
SIGNS = {"BOTH": 0, "LONG": 1, "SHORT": -1}
MINUTE_MS, TEN_SECONDS_MS = 60_000, 10_000


@dataclass
class Books:
    """What is true of one exchange, by its own records.

    Attributes:
        fresh: the kinds of records since the last look.
        kinds: how often each kind of record was written.
        visited: statuses that orders went through, kinds of events and of executions.
    """

    exchange: Exchange
    wallets: dict[str, Decimal]
    positions: defaultdict[tuple[str, str], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    orders: dict[int, Record] = field(default_factory=dict)
    filled: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    conditionals: dict[int, Record] = field(default_factory=dict)
    open_orders: dict[int, str] = field(default_factory=dict)
    waiting: dict[int, str] = field(default_factory=dict)
    told: dict[tuple[str, int], str] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    kinds: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    visited: set[str] = field(default_factory=set)
    _touched: set[tuple[str, int]] = field(default_factory=set)
    _used: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Listen from now on."""
        self.exchange.ledger.subscribe(self.take)
        self.exchange.subscribe(self.hear)

    def take(self, record: Record) -> None:
        """Fold one record of the ledger."""
        kind = str(record["kind"])
        self.fresh.append(kind)
        self.kinds[kind] += 1
        match kind:
            case "fill":
                self._fill(record)
            case "money":
                self.wallets[str(record["asset"])] += Decimal(str(record["amount"]))
                assert Decimal(str(record["wallet"])) == self.wallets["USDT"]
            case "order":
                self._order(record)
            case "conditional":
                self._conditional(record)

    def hear(self, event: Json) -> None:
        """Fold one event of the stream: the last word about each order."""
        self.visited.add(event["e"])
        match event["e"]:
            case "ORDER_TRADE_UPDATE":
                self.told["order", event["o"]["i"]] = event["o"]["X"]
                self.visited.add(f"execution {event['o']['x']}")
            case "ALGO_UPDATE":
                self.told["conditional", event["o"]["aid"]] = event["o"]["X"]

    @property
    def two_sided(self) -> bool:
        """Whether the account ever traded in hedge mode."""
        return any("position_side" in record for record in self.orders.values()) or any(
            "position_side" in record for record in self.conditionals.values()
        )

    def check(self) -> None:
        """All that must be true now.

        Raises:
            AssertionError: something is not.
        """
        account = self.exchange._engine.account
        assert {"USDT": account.wallet, "BNB": account.bnb} == self.wallets
        for symbol in self.exchange.symbols:
            for held in account.sides(symbol):
                assert held.quantity == self.positions[symbol, held.side.value]
                assert held.quantity * SIGNS[held.side.value] >= 0
            numbers = [order.order_id for order in self.exchange.orders(symbol)]
            assert numbers == [n for n, s in sorted(self.open_orders.items()) if s == symbol]
            algo_ids = [order.algo_id for order in self.exchange.conditionals(symbol)]
            assert algo_ids == [n for n, s in sorted(self.waiting.items()) if s == symbol]
        for kind, number in self._touched:
            book = self.orders if kind == "order" else self.conditionals
            assert self.told[kind, number] == book[number]["status"]
        self._touched.clear()

    def counted(
        self, said: Counts, weight: int, orders: OrderCount, now_ms: int, *, socket: bool
    ) -> None:
        """What the limiter says after a request is what it said before and what the request costs.

        Over the WebSocket API weight may have a counter of its own; orders never have.

        Raises:
            AssertionError: it is not.
        """
        apart = self.exchange._engine.readings.ws_weight == "separate" and socket
        name = "weight over sockets" if apart else "weight"
        self._window(name, MINUTE_MS, weight, said.weight_1m, now_ms)
        self._window("orders 10s", TEN_SECONDS_MS, orders[0], said.orders_10s, now_ms)
        self._window("orders 1m", MINUTE_MS, orders[1], said.orders_1m, now_ms)

    def _window(self, name: str, length_ms: int, more: int, said: int, now_ms: int) -> None:
        number = now_ms // length_ms
        known = self._used.get(name, (number, 0))
        before = known[1] if known[0] == number else 0
        assert said == before + more, (name, said, before, more)
        self._used[name] = (number, said)

    def _fill(self, record: Record) -> None:
        quantity = Decimal(str(record["quantity"]))
        assert quantity > 0
        signed = quantity if record["side"] == "BUY" else -quantity
        self.positions[str(record["symbol"]), str(record.get("position_side", "BOTH"))] += signed
        self.wallets["USDT"] += Decimal(str(record["realized_pnl"]))
        self.wallets[str(record["fee_asset"])] -= Decimal(str(record["fee"]))
        self.filled[_number(record, "order_id")] += quantity

    def _order(self, record: Record) -> None:
        number, status = _number(record, "order_id"), str(record["status"])
        before = self.orders.get(number)
        if before is None:
            assert status == "NEW", record
        else:
            assert before["status"] not in ORDER_ENDS, (before, record)
        quantity, filled = Decimal(str(record["quantity"])), self.filled[number]
        assert Decimal(str(record["filled"])) == filled <= quantity, record
        assert (status == "FILLED") == (filled == quantity), record
        self.orders[number] = record
        self.open_orders[number] = str(record["symbol"])
        if status in ORDER_ENDS:
            del self.open_orders[number]
        self.visited.add(f"order {status}")
        self._touched.add(("order", number))

    def _conditional(self, record: Record) -> None:
        number, status = _number(record, "algo_id"), str(record["status"])
        before = self.conditionals.get(number)
        if before is None:
            assert status == "NEW", record
        else:
            assert status in FOLLOWS[str(before["status"])], (before, record)
        self.conditionals[number] = record
        self.waiting[number] = str(record["symbol"])
        if status != "NEW":
            self.waiting.pop(number)
        self.visited.add(f"conditional {status}")
        self._touched.add(("conditional", number))


def _number(record: Mapping[str, Any], name: str) -> int:
    return int(record[name])
