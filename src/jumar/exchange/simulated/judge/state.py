"""What is known of each order, each symbol's book and each trade while the ledger is replayed.

Mutable on purpose: one replay owns them and the watches only read. An order's identity (whose it is, what it
is for) is fixed by its first record, so that a fill which stands before its order's record is understood at once.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

ALIVE_ORDER = frozenset({"NEW", "PARTIALLY_FILLED"})
WAITING = frozenset({"NEW", "TRIGGERING"})
ROLES = frozenset("ESBPQLX")
ENTRY = "E"
ZERO = Decimal(0)

_GROUP_LENGTH = 13  # "jm-" and ten more


class Badge(NamedTuple):
    """What a client id says of its order; both are empty where the id is not of the form."""

    group: str
    role: str


def badge(client_id: str) -> Badge:
    """Read group and role from a client id: `jm-`, ten characters, a hyphen, the role's letter."""
    if not client_id.startswith("jm-") or len(client_id) < _GROUP_LENGTH:
        return Badge("", "")
    role = client_id[_GROUP_LENGTH + 1 : _GROUP_LENGTH + 2]
    known = role in ROLES and client_id[_GROUP_LENGTH] == "-"
    return Badge(client_id[:_GROUP_LENGTH], role if known else "")


@dataclass(slots=True, kw_only=True, eq=False)
class Conditional:
    """A conditional order.

    Attributes:
        sign: +1 buys, -1 sells.
        quantity: base quantity, None for closePosition.
        closes: reduce-only or closePosition.
        by_client: a client asked for it (neither the exchange itself nor an injected fault).
        triggered: it was seen leaving NEW for the market.
    """

    symbol: str
    number: int
    client_id: str
    group: str
    role: str
    sign: int
    is_stop: bool
    trigger: Decimal
    quantity: Decimal | None
    closes: bool
    close_position: bool
    by_client: bool
    status: str = ""
    triggered: bool = False
    child: "Order | None" = None

    @property
    def owner(self) -> "Conditional":
        """Itself: the order that the client named."""
        return self

    @property
    def seen(self) -> bool:
        """Its first record has been reached."""
        return self.status != ""

    @property
    def alive(self) -> bool:
        """It waits, triggers, or its child order is in the book."""
        if self.child is not None and self.child.seen:
            return self.child.alive and (self.status in WAITING or self.status == "TRIGGERED")
        return self.status in WAITING

    def covers(self, quantity: Decimal, sign: int) -> bool:
        """Whether this stop, while alive, closes by itself a position of `quantity` base units and `sign`."""
        if self.sign != -sign:
            return False
        if self.close_position:
            return True
        left = self.child.left if self.child is not None and self.child.seen else self.quantity
        return left is not None and left >= quantity


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """A regular order; the child of a conditional order has group, role and client id of its parent.

    Attributes:
        sign: +1 buys, -1 sells.
        quantity: base quantity as of the latest record.
        filled: the sum of its fills, which are ahead of its own records.
        closes: reduce-only or closePosition.
        by_client: a client asked for it; for a child, ask its owner.
    """

    symbol: str
    number: int
    client_id: str
    group: str
    role: str
    sign: int
    is_market: bool
    quantity: Decimal
    closes: bool
    by_client: bool
    parent: Conditional | None
    status: str = ""
    filled: Decimal = ZERO

    @property
    def owner(self) -> "Order | Conditional":
        """The order that the client named: the parent where there is one."""
        return self if self.parent is None else self.parent

    @property
    def seen(self) -> bool:
        """Its first record has been reached."""
        return self.status != ""

    @property
    def alive(self) -> bool:
        """It is in the book."""
        return self.status in ALIVE_ORDER

    @property
    def left(self) -> Decimal:
        """What may still fill."""
        return self.quantity - self.filled

    @property
    def is_full_exit(self) -> bool:
        """A reduce-only market order sent as such, not a triggered conditional order."""
        return self.is_market and self.closes and self.parent is None

    def covers(self, quantity: Decimal, sign: int) -> bool:
        """Whether this full exit, while alive, closes a position of `quantity` base units and `sign`."""
        return self.sign == -sign and self.left >= quantity


type AnyOrder = Order | Conditional


@dataclass(slots=True, kw_only=True, eq=False)
class Trade:
    """One life of one symbol's position, from zero to zero.

    Attributes:
        sign: +1 long, -1 short.
        by_client: the order that opened it was asked for by a client.
        groups: every group with a fill in it.
    """

    symbol: str
    sign: int
    by_client: bool
    groups: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True, eq=False)
class Book:
    """One symbol: the position and what is alive; an order that ends leaves its shelf with its last record.

    Attributes:
        position: signed base quantity, long > 0.
        trade: None while the position is zero.
        stops: reduce-only or closePosition STOP_MARKET orders.
        exits: full exits.
        entries: regular orders that may open or add to a position.
    """

    symbol: str
    position: Decimal = ZERO
    trade: Trade | None = None
    stops: dict[int, Conditional] = field(default_factory=dict)
    exits: dict[int, Order] = field(default_factory=dict)
    entries: dict[int, Order] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """+1 long, -1 short, 0 flat."""
        return sign_of(self.position)

    def full_size_stops(self) -> list[Conditional]:
        """The stops of which each alone covers the position."""
        size, sign = abs(self.position), self.sign
        return [stop for stop in self.stops.values() if stop.covers(size, sign)]

    def covering_exit(self) -> Order | None:
        """A full exit that is executing on at least the whole position."""
        size, sign = abs(self.position), self.sign
        return next((exit_ for exit_ in self.exits.values() if exit_.covers(size, sign)), None)

    def refresh(self, order: AnyOrder) -> None:
        """File an order, whose state changed, where it belongs."""
        if isinstance(order, Conditional):
            if order.is_stop and order.closes:
                _file(self.stops, order, alive=order.alive)
        elif order.is_full_exit:
            _file(self.exits, order, alive=order.alive)
        elif not order.closes:
            _file(self.entries, order, alive=order.alive)


def sign_of(number: Decimal) -> int:
    """+1, 0 or -1."""
    return (number > 0) - (number < 0)


def _file[T: AnyOrder](shelf: dict[int, T], order: T, *, alive: bool) -> None:
    if alive:
        shelf[order.number] = order
    else:
        shelf.pop(order.number, None)
