"""Regular orders and the book that keeps them.

An order is mutable, because it has a life; only `engine.py` moves it. The book answers by id, by client id and by
symbol, and keeps finished orders for ever, the older ones as equal copies (`register.py`). Knows nothing of prices, money or conditional orders.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.exchange.simulated.core.register import Register
from jumar.exchange.simulated.core.shelf import Packer
from jumar.exchange.simulated.core.text import ZERO

FIRST_ORDER_ID = 8_000_000_001
FIRST_TRADE_ID = 700_000_001


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buyer, -1 for a seller: the direction in which a fill moves the position."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    def reaches(self, limit: Decimal, price: Decimal) -> bool:
        """Whether an order of this side with `limit` may trade at `price`."""
        return price <= limit if self is Side.BUY else price >= limit

    def closes(self, quantity: Decimal) -> bool:
        """Whether this side reduces a (signed) position of `quantity`."""
        return quantity * self.sign < 0


class PositionSide(StrEnum):
    """Which position an order trades: BOTH is the only one of one-way mode, LONG and SHORT are those of hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"

    def reduced_by(self, side: Side) -> bool:
        """Whether orders of `side` can only reduce this position; one-way mode's has no such side."""
        if self is PositionSide.BOTH:
            return False
        return (side is Side.SELL) == (self is PositionSide.LONG)


class OrderType(StrEnum):
    """Types of regular orders."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long an order lives.

    GTC rests, IOC takes what is there and ends, FOK takes all or is refused, GTX and RPI rest or are refused
    (post-only), GTD rests until its date, GTE_GTC (conditional orders only) rests as long as the position lives.
    """

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"
    RPI = "RPI"
    GTE_GTC = "GTE_GTC"

    @property
    def post_only(self) -> bool:
        """Whether an order that would take is refused."""
        return self in (TimeInForce.GTX, TimeInForce.RPI)

    @property
    def immediate(self) -> bool:
        """Whether nothing of the order may rest."""
        return self in (TimeInForce.IOC, TimeInForce.FOK)


class OrderStatus(StrEnum):
    """The exchange's statuses of a regular order."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


class SelfTrade(StrEnum):
    """What becomes of two orders of the account that would trade with each other; the taker's mode decides."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class Cause(StrEnum):
    """Who caused a change (the ledger's `by`)."""

    CLIENT = "client"
    MARKET = "market"
    EXCHANGE = "exchange"
    FAULT = "fault"


class Expiry(StrEnum):
    """Why an order expired: the `er` of ORDER_TRADE_UPDATE (Binance, Event: Order Update)."""

    NONE = "0"
    SELF_TRADE = "1"
    IOC_REMAINDER = "2"
    IOC_SELF_TRADE = "3"
    REDUCE_ONLY = "4"
    LIQUIDATION = "5"


class Forced(StrEnum):
    """Why the exchange made an order of its own: the `autoCloseType` of forceOrders."""

    LIQUIDATION = "LIQUIDATION"
    ADL = "ADL"


@dataclass(slots=True, kw_only=True)
class Order:
    """One regular order. Prices in quote currency, quantities in base currency, times in ms.

    Attributes:
        price: the limit; zero for a market order.
        reduce_only: it never opens anything; in hedge mode its two sides say so, and real answers show it as true.
        filled: executed quantity; `paid` is the quote amount of these executions.
        close_position: the child of a closePosition order.
        parent_algo_id: the conditional order that became this one.
        most: what it may execute at most, when that is less than its quantity.
        orig_type: the type the client once asked for (a stop's child is a MARKET order).
        activate_price, callback_rate: of the trailing stop it was, else zero.
        trigger: the trigger price of the parent, else zero.
        price_match: the mode that set the price, else NONE.
        good_till_ms: when a GTD order expires, else zero.
        ahead: the public volume that trades before this order at its price; None while the book does not show it.
        rank: place in the sequence of arrivals; a modified order arrives again.
        forced: why the exchange made it; None for a client's.
        amendments: how often it was modified.
    """

    order_id: int
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    reduce_only: bool
    created_ms: int
    updated_ms: int
    position_side: PositionSide = PositionSide.BOTH
    self_trade_prevention: SelfTrade = SelfTrade.EXPIRE_MAKER
    close_position: bool = False
    price_protect: bool = False
    price_match: str = "NONE"
    good_till_ms: int = 0
    ahead: Decimal | None = None
    rank: int = 0
    parent_algo_id: int | None = None
    most: Decimal | None = None
    orig_type: str = ""
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    trigger: Decimal = ZERO
    working_type: str = "CONTRACT_PRICE"
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    paid: Decimal = ZERO
    expiry: Expiry = Expiry.NONE
    forced: Forced | None = None
    amendments: int = 0

    @property
    def remaining(self) -> Decimal:
        """What has not executed."""
        return self.quantity - self.filled

    @property
    def alive(self) -> bool:
        """Whether the order may still execute."""
        return self.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)

    @property
    def ended_empty(self) -> bool:
        """Whether the order ended without an execution."""
        return not self.alive and not self.filled

    @property
    def average(self) -> Decimal:
        """Average execution price, zero without an execution."""
        return self.paid / self.filled if self.filled else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One execution of the account's. `fee` is in `fee_asset`, `realized` in the quote currency."""

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    maker: bool
    fee: Decimal
    realized: Decimal
    time_ms: int
    fee_asset: str = "USDT"
    position_side: PositionSide = PositionSide.BOTH


def notionals(orders: Iterable[Order], side: PositionSide) -> tuple[Decimal, Decimal]:
    """What the bids and the asks may add to a position of that side; reduce-only orders add nothing.

    Asked for several times in every request about an order, over all that rest: hence no look-up by an enumeration's
    member here, whose hash costs more than the arithmetic.
    """
    bids = asks = ZERO
    for order in orders:
        if order.reduce_only or order.position_side is not side:
            continue
        if order.side is Side.BUY:
            bids += (order.quantity - order.filled) * order.price
        else:
            asks += (order.quantity - order.filled) * order.price
    return bids, asks


class OrderBook:
    """All regular orders of the account, open and finished."""

    def __init__(self, pack: Packer | None = None) -> None:
        self._all = Register(
            Order,
            first=FIRST_ORDER_ID,
            name=lambda order: _name(order.symbol, order.client_id),
            ended=lambda order: not order.alive,
            pack=pack,
        )
        self._open: dict[str, dict[int, Order]] = {}
        self._forced: list[int] = []
        self._arrivals = 0

    def next_id(self) -> int:
        """The id of the next order."""
        return self._all.next_number

    def arrive(self, order: Order) -> None:
        """Put the order behind all others of its price."""
        self._arrivals += 1
        order.rank = self._arrivals

    def add(self, order: Order) -> None:
        """Take a new, alive order into the book."""
        self.arrive(order)
        self._all.enter(order.order_id, order)
        self._open.setdefault(order.symbol, {})[order.order_id] = order
        if order.forced is not None:
            self._forced.append(order.order_id)

    def retire(self, order: Order) -> None:
        """The order is finished: it stays known but is no longer open."""
        del self._open[order.symbol][order.order_id]
        self._all.leave(order.order_id)

    def find(self, symbol: str, *, order_id: int | None, client_id: str | None) -> Order | None:
        """By id, else by client id (the newest of that name); None when unknown on `symbol`."""
        if order_id is not None:
            order = self._all.get(order_id)
            return order if order and order.symbol == symbol else None
        return self._all.named(_name(symbol, client_id or ""))

    def oldest(self, symbol: str, client_id: str) -> Order | None:
        """The oldest order of that name; None when unknown on `symbol`."""
        named = (o for o in self.since(FIRST_ORDER_ID) if o.client_id == client_id)
        return next((order for order in named if order.symbol == symbol), None)

    def open(self, symbol: str | None = None) -> list[Order]:
        """Open orders, oldest first."""
        if symbol is not None:
            return list(self._open.get(symbol, {}).values())
        rows = [order for orders in self._open.values() for order in orders.values()]
        return sorted(rows, key=lambda order: order.order_id)

    def since(self, order_id: int) -> Iterator[Order]:
        """Every order from an id on, oldest first."""
        return self._all.since(order_id)

    def newest_first(self) -> Iterator[Order]:
        """Every order, newest first."""
        return self._all.newest_first()

    def forced(self) -> Iterator[Order]:
        """The orders that the exchange made, oldest first."""
        return (order for order in map(self._all.get, self._forced) if order is not None)


def _name(symbol: str, client_id: str) -> str:
    return f"{symbol} {client_id}"
