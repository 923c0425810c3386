"""Modifications of resting orders: the record of each. Pure values; `modify.py` makes them."""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.shelf import Packer, Shelf

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

    def __init__(self, pack: Packer | None = None) -> None:
        self.rows: Shelf[Amendment] = Shelf(Amendment, pack)

    def next_id(self) -> int:
        """The id of the next one."""
        return FIRST_AMENDMENT_ID + len(self.rows)
