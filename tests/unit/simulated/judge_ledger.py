"""A small hand for writing ledgers: the records of one account, in the order in which the exchange writes them.

It keeps just enough state to write consistent records (positions, statuses). It promises no plausible market and
judges nothing; the tests say what happened and the judge must find out.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from jumar.exchange.simulated.judge import judge

START_MS = 1_764_929_090_000
GROUP = "jm-0123456789"
OTHER = "jm-abcdefghij"
SYMBOL = "BTCUSDT"

type Fields = dict[str, Any]


@dataclass(slots=True, eq=False)
class Placed:
    """An order or conditional order as its latest record shows it."""

    kind: str
    fields: Fields
    child: "Placed | None" = None


class Story:
    """Writes records one event after the other; `at` and `wait` move the time."""

    def __init__(self, symbol: str = SYMBOL) -> None:
        self.symbol = symbol
        self.records: list[Fields] = []
        self.positions: dict[str, Decimal] = {}
        self.t = START_MS
        self._ids = 0
        self.write(
            "opened", schema=1, account="main", balance="10000", symbols=[symbol], origin_ms=self.t
        )
        self.write("serving", on=True)

    @property
    def position(self) -> Decimal:
        """The signed position of the story's symbol."""
        return self.positions.get(self.symbol, Decimal(0))

    def write(self, kind: str, **fields: Any) -> None:
        """Append one raw record."""
        self.records.append({"seq": len(self.records) + 1, "t": self.t, "kind": kind, **fields})

    def wait(self, ms: int) -> Self:
        """Let time pass."""
        self.t += ms
        return self

    def serving(self, *, on: bool) -> None:
        """The server begins or ceases to answer."""
        self.write("serving", on=on)

    def order(
        self,
        client_id: str,
        side: str,
        quantity: str,
        *,
        kind: str = "LIMIT",
        reduce_only: bool = False,
        by: str = "client",
    ) -> Placed:
        """Accept a regular order."""
        placed = Placed("order", self._order_fields(client_id, side, quantity, kind))
        placed.fields.update(reduce_only=reduce_only)
        self._state(placed, "NEW", by)
        return placed

    def stop(
        self,
        client_id: str,
        side: str,
        quantity: str | None,
        trigger: str,
        *,
        kind: str = "STOP_MARKET",
        reduce_only: bool | None = None,
        by: str = "client",
    ) -> Placed:
        """Accept a conditional order; without a quantity it is closePosition."""
        fields = {
            "symbol": self.symbol,
            "algo_id": self._next_id(),
            "client_id": client_id,
            "side": side,
            "type": kind,
            "trigger": trigger,
            "working_type": "MARK_PRICE",
            "quantity": quantity,
            "reduce_only": quantity is not None if reduce_only is None else reduce_only,
            "close_position": quantity is None,
            "child_order_id": None,
            "reason": "",
        }
        placed = Placed("conditional", fields)
        self._state(placed, "NEW", by)
        return placed

    def cancel(self, placed: Placed, by: str = "client", status: str = "CANCELED") -> None:
        """End an order or an untriggered conditional order."""
        self._state(placed, status, by)

    def fill(self, placed: Placed, *quantities: str, realized: str = "0", fee: str = "0") -> None:
        """Execute a regular order: for each quantity a fill, the position, the order."""
        for quantity in quantities:
            self._fill(placed, Decimal(quantity), realized, fee)

    def trigger(self, placed: Placed) -> Placed:
        """Fire a conditional order; returns its child order, accepted and untouched."""
        self._state(placed, "TRIGGERING", "market")
        fields = placed.fields
        quantity = fields["quantity"] or str(abs(self.position))
        child = Placed(
            "order", self._order_fields(fields["client_id"], fields["side"], quantity, "MARKET")
        )
        child.fields.update(
            reduce_only=fields["reduce_only"],
            close_position=fields["close_position"],
            parent_algo_id=fields["algo_id"],
        )
        self._state(child, "NEW", "market")
        fields["child_order_id"] = child.fields["order_id"]
        placed.child = child
        self._state(placed, "TRIGGERED", "market")
        return child

    def finish(self, placed: Placed, by: str = "exchange") -> None:
        """End a triggered conditional order, whatever its child has left."""
        child = placed.child
        assert child is not None
        if child.fields["status"] != "FILLED":
            self._state(child, "EXPIRED", by)
        self._state(placed, "FINISHED", "market")

    def execute(self, placed: Placed, realized: str = "0") -> None:
        """Fire a conditional order and let its child close what there is."""
        child = self.trigger(placed)
        left = min(Decimal(child.fields["quantity"]), abs(self.position))
        self.fill(child, str(left), realized=realized)
        self.finish(placed)

    def enter(self, quantity: str, *, client_id: str = f"{GROUP}-E1", side: str = "BUY") -> Placed:
        """Accept an entry and fill all of it."""
        entry = self.order(client_id, side, quantity)
        self.fill(entry, quantity)
        return entry

    def leave(self, client_id: str = f"{GROUP}-X1", *, realized: str = "0", fee: str = "0") -> None:
        """Close the whole position at market, reduce-only."""
        side = "SELL" if self.position > 0 else "BUY"
        exit_ = self.order(
            client_id, side, str(abs(self.position)), kind="MARKET", reduce_only=True
        )
        self.fill(exit_, str(abs(self.position)), realized=realized, fee=fee)

    def verdict(self, until_ms: int | None = None) -> Fields:
        """Judge the story so far."""
        return judge(self.records, until_ms=until_ms)

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _order_fields(self, client_id: str, side: str, quantity: str, kind: str) -> Fields:
        return {
            "symbol": self.symbol,
            "order_id": self._next_id(),
            "client_id": client_id,
            "side": side,
            "type": kind,
            "time_in_force": "GTX" if kind == "LIMIT" else "GTC",
            "price": "50000" if kind == "LIMIT" else None,
            "quantity": quantity,
            "filled": "0",
            "reduce_only": False,
            "close_position": False,
            "parent_algo_id": None,
        }

    def _state(self, placed: Placed, status: str, by: str) -> None:
        placed.fields.update(status=status, by=by)
        self.write(placed.kind, **placed.fields)

    def _fill(self, placed: Placed, quantity: Decimal, realized: str, fee: str) -> None:
        fields = placed.fields
        sign = 1 if fields["side"] == "BUY" else -1
        self.positions[self.symbol] = self.position + sign * quantity
        self.write(
            "fill",
            symbol=self.symbol,
            trade_id=self._next_id(),
            order_id=fields["order_id"],
            client_id=fields["client_id"],
            side=fields["side"],
            price="50000",
            quantity=str(quantity),
            maker=True,
            fee=fee,
            fee_asset="USDT",
            realized_pnl=realized,
        )
        self.write("position", symbol=self.symbol, quantity=str(self.position), entry_price="50000")
        fields["filled"] = str(Decimal(fields["filled"]) + quantity)
        done = Decimal(fields["filled"]) >= Decimal(fields["quantity"])
        self._state(placed, "FILLED" if done else "PARTIALLY_FILLED", "market")
