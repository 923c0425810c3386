"""What a client shows, in the exchange's own words, and what every row of the table can be asked to do.

A row is one surface of one client. It calls the client's ordinary functions and translates the client's OWN parsed
objects into the types here; it never looks at the exchange. A capability a client does not have is left out, and
`table.py` says why.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

#: What a cell does while a client listens.
type Act = Callable[[], Awaitable[None]]
#: Everything a third-party object holds is untyped here: what it says is asserted, not its type.
type Foreign = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An order as a client shows it; `price` is the trigger price of a conditional order."""

    id: str
    side: str = ""
    price: Decimal | None = None
    quantity: Decimal | None = None
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMarket:
    """A contract as a client shows it."""

    tick: Decimal
    step: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPrices:
    """What a client says the market is."""

    bid: Decimal
    ask: Decimal
    last: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPosition:
    """A position as a client shows it, signed."""

    quantity: Decimal
    entry: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTrade:
    """One execution as a client shows it."""

    order_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a user stream told of one fill: the order, the position after it, and a conditional order."""

    order_id: str
    status: str
    position: Decimal | None
    conditional: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """What market streams told."""

    bid: Decimal
    ask: Decimal
    mark: Decimal


#: Which way an order goes that opens a side of hedge mode, and one that closes it.
OPENS = {"LONG": "BUY", "SHORT": "SELL"}
CLOSES = {"LONG": "SELL", "SHORT": "BUY"}


def number(value: Foreign) -> Decimal:
    """A client's number, whatever type it chose."""
    return Decimal(str(value))


def maybe(value: Foreign) -> Decimal | None:
    """A client's number that may be absent; nought counts as absent."""
    return None if value is None or not number(value) else number(value)
