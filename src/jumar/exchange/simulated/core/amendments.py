"""Modifications of resting orders: the record of each. Pure values; `modify.py` makes them."""

from dataclasses import dataclass
from decimal import Decimal

FIRST_AMENDMENT_ID = 5_001
MOST = 10_000  # per order: Binance, Modify Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One modification; `price` and `quantity` are (before, after), `count` its number among the order's own."""

    amendment_id: int
    symbol: str
    order_id: int
    client_id: str
    time_ms: int
    price: tuple[Decimal, Decimal]
    quantity: tuple[Decimal, Decimal]
    count: int
    modify_id: int | None
    price_match: str


class Amendments:
    """Every modification of the account's orders, oldest first."""

    def __init__(self) -> None:
        self.rows: list[Amendment] = []
        self._counts: dict[int, int] = {}

    def count(self, order_id: int) -> int:
        """How often an order was modified."""
        return self._counts.get(order_id, 0)

    def add(self, row: Amendment) -> None:
        """Keep one."""
        self.rows.append(row)
        self._counts[row.order_id] = row.count

    def next_id(self) -> int:
        """The id of the next one."""
        return FIRST_AMENDMENT_ID + len(self.rows)
