"""What the exchange holds at this moment, read from its own ledger as it grows."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from tests.lives import OVER, Look

from jumar.model.ids import parse_client_id

type Order = dict[str, Any]


class Book:
    """Position and live orders of one symbol; the children of conditional orders are left out.

    Attributes:
        records: the whole ledger, of every symbol.
        position: signed.
        alive: by client id.
    """

    def __init__(self, records: Sequence[Any], symbol: str) -> None:
        self.records = records
        self.symbol = symbol
        self.position = Decimal(0)
        self.alive: dict[str, Order] = {}
        self._read = 0

    def refresh(self) -> bool:
        """Read what is new; says whether anything is."""
        news = self.records[self._read :]
        self._read += len(news)
        for record in news:
            self._take(record)
        return bool(news)

    def _take(self, record: Order) -> None:
        if record.get("symbol") != self.symbol:
            return
        if record["kind"] == "position":
            self.position = Decimal(record["quantity"])
        elif record["kind"] in {"order", "conditional"} and record.get("parent_algo_id") is None:
            self.alive.pop(record["client_id"], None)
            if record["status"] not in OVER:
                self.alive[record["client_id"]] = record

    @property
    def covered(self) -> bool:
        """Whether there is no position, or one live stop of its full size against it."""
        return Look(t=0, position=self.position, alive=self.alive).covered

    @property
    def slots(self) -> str:
        """`B1 P1 Q1 S1`: what rests, sorted; orders of hands by their whole name."""
        return " ".join(sorted(short(name) for name in self.alive))

    @property
    def roles(self) -> str:
        """`BPQS`: the roles of our orders that rest, sorted, as often as they do."""
        ours = [name for name in self.alive if parse_client_id(name)]
        return "".join(sorted(short(name)[0] for name in ours))

    def resting(self, of: str) -> list[Order]:
        """Our live orders of a role or a slot, oldest first."""
        return [o for name, o in self.alive.items() if parse_client_id(name) and _is(name, of)]

    def one(self, slot: str) -> Order:
        """The live order of a slot."""
        (order,) = self.resting(slot)
        return order

    def stops(self) -> list[Decimal]:
        """The triggers of the working stops."""
        return [Decimal(order["trigger"]) for order in self.resting("S")]

    def size(self, roles: str) -> Decimal:
        """What our live orders of some roles would trade together."""
        sizes = [Decimal(o["quantity"]) for role in roles for o in self.resting(role)]
        return sum(sizes, start=Decimal(0))

    def told(self, of: str, status: str | None = None) -> list[Order]:
        """The records of our orders of a role or slot, in some status, oldest first."""
        return [
            r for r in self._orders() if _is(r["client_id"], of) and status in {None, r["status"]}
        ]

    def entries(self) -> list[str]:
        """The client ids of all entries that the exchange has ever seen."""
        return sorted({record["client_id"] for record in self.told("E")})

    def fills(self) -> list[Order]:
        """Every execution."""
        return [record for record in self._own() if record["kind"] == "fill"]

    def moves(self) -> list[Order]:
        """Every change of the position."""
        return [record for record in self._own() if record["kind"] == "position"]

    def _own(self) -> Iterator[Order]:
        return (record for record in self.records if record.get("symbol") == self.symbol)

    def _orders(self) -> Iterator[Order]:
        for record in self._own():
            ours = (
                record["kind"] in {"order", "conditional"} and record.get("parent_algo_id") is None
            )
            if ours and parse_client_id(record["client_id"] or ""):
                yield record


def short(client_id: str) -> str:
    """`S1` of one of our client ids, a hand's name whole."""
    return client_id.rpartition("-")[2] if parse_client_id(client_id) else client_id


def spoken(record: Order) -> str:
    """One record of the ledger for people: `10.791 order E1 BUY LIMIT 90786.6 0.013 FILLED (market)`."""
    name = short(record["client_id"]) if record.get("client_id") else ""
    fields = ("side", "type", "price", "trigger", "quantity", "status", "code", "message", "reason")
    words = [str(record[field]) for field in fields if record.get(field) is not None]
    by = f"({record['by']})" if "by" in record else ""
    return " ".join(
        filter(None, [f"{record['t'] % 60_000 / 1000:06.3f}", record["kind"], name, *words, by])
    )


def _is(client_id: str, of: str) -> bool:
    return short(client_id) == of if len(of) > 1 else short(client_id).startswith(of)
