"""The exchange of the swarm: one symbol's orders, position and price, and nothing else.

Promises: it does at once what it is told, refuses what a real one refuses, and never lies about itself. Faults
are not its business: whoever drives it loses requests and answers. It knows no planner and no journal.
"""

from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal

from jumar.model.account import PositionReport
from jumar.model.command import AmendRequest
from jumar.model.order import (
    TARGET_ROLES,
    Channel,
    Fill,
    OrderReport,
    OrderRequest,
    OrderStatus,
    OrderType,
    Role,
    Side,
    TimeInForce,
)
from jumar.model.units import ZERO

SYMBOL = "BTCUSDT"
STEP = Decimal("0.001")
TICK = Decimal("0.1")
MAKER_FEE = Decimal("0.0002")
#: How far from mark a trigger may be while the venue says "too far".
FAR = Decimal("0.004")
WOULD_TRIGGER, NO_POSITION, CLOSE_EXISTS, NOT_REDUCING = -2021, -4509, -4130, -2022


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """One order as it truly is.

    Attributes:
        believed: whether the engine was told that it rests and was not told that it ended.
        hidden_until: exchange time until which lists and reads by id do not know it.
        deaf_until: exchange time until which its trigger does not fire.
        moves: how often it was amended, or cancelled instead.
    """

    request: OrderRequest
    trade_key: str
    venue_id: str
    alive: bool = True
    triggered: bool = False
    filled: Decimal = ZERO
    end: OrderStatus = OrderStatus.CANCELED
    believed: bool = False
    hidden_until: int = 0
    deaf_until: int = 0
    moves: int = 0

    @property
    def status(self) -> OrderStatus:
        """The venue's word for it."""
        if not self.alive:
            return self.end
        if self.triggered:
            return OrderStatus.TRIGGERED
        return OrderStatus.PARTIALLY_FILLED if self.filled > ZERO else OrderStatus.NEW

    @property
    def left(self) -> Decimal:
        """What it may still fill, base currency; of a closePosition order zero."""
        return max((self.request.quantity or ZERO) - self.filled, ZERO)

    def finish(self, status: OrderStatus) -> None:
        """It ends."""
        self.alive, self.end = False, status


def sign_of(side: Side) -> int:
    """Plus one for a buy."""
    return 1 if side is Side.BUY else -1


def half(quantity: Decimal) -> Decimal:
    """About half of it, on the step."""
    return (quantity / 2).quantize(STEP, rounding=ROUND_FLOOR)


@dataclass(slots=True, kw_only=True)
class Venue:
    """The truth. `position` is signed; prices are last and mark in one.

    Attributes:
        told: how many of the fills were told as they happened.
        moved_ms: exchange time of the newest execution, trigger, or order taken away by a person.
        vanished_ms: when the position last went without an execution, zero for never in this trade.
        history: a report of every entry that was ever accepted.
    """

    now_ms: int
    price: Decimal
    position: Decimal = ZERO
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    next_id: int = 1
    told: int = 0
    moved_ms: int = 0
    vanished_ms: int = 0
    history: list[OrderReport] = field(default_factory=list)

    def reason(self, code: int, request: OrderRequest) -> int | None:
        """An injected refusal where it can be meant: None where the request gives no reason for it."""
        trigger = request.trigger_price
        match code:
            case -4211:
                far = trigger is not None and abs(trigger - self.price) > self.price * FAR
                return code if far else None
            case -4131:
                return code if request.type is OrderType.MARKET else None
            case -4118 if request.role is Role.FULL_EXIT:
                return code if any(o.alive for o in self.of_role(*TARGET_ROLES)) else None
        return code

    def refusal(self, request: OrderRequest) -> int | None:
        """The code with which a placement is refused now, None when it is accepted."""
        if request.channel is Channel.CONDITIONAL:
            return self._refused_trigger(request)
        if request.reduce_only and self.position * sign_of(request.side) >= ZERO:
            return NOT_REDUCING
        return None

    def _refused_trigger(self, request: OrderRequest) -> int | None:
        if self._reached(request):
            return WOULD_TRIGGER
        if not request.close_position:
            return None
        if self.position == ZERO:
            return NO_POSITION
        resting = (order for order in self.orders.values() if order.alive)
        return CLOSE_EXISTS if any(order.request.close_position for order in resting) else None

    def accept(self, request: OrderRequest, trade_key: str) -> VenueOrder:
        """Let an order rest."""
        order = VenueOrder(request=request, trade_key=trade_key, venue_id=str(self._id()))
        self.orders[request.client_id] = order
        if request.role is Role.ENTRY:
            self.history.append(self.report(order))
        return order

    def cancel(self, order: VenueOrder) -> None:
        """End an order that rests."""
        order.finish(OrderStatus.CANCELED)

    def amend(self, asked: AmendRequest) -> VenueOrder | None:
        """A resting order stands at another price, or ends where it would take; None when it rests no more."""
        order = self.orders.get(asked.client_id)
        if order is None or not order.alive:
            return None
        order.moves += 1
        if self._takes(asked.side, asked.price):
            order.finish(OrderStatus.CANCELED)
        else:
            order.request = replace(order.request, price=asked.price)
        return order

    def _takes(self, side: Side, price: Decimal) -> bool:
        """Whether a limit price meets the touch of the other side; the spread is a tick."""
        return price >= self.price + TICK if side is Side.BUY else price <= self.price

    def is_hidden(self, order: VenueOrder) -> bool:
        """Whether nobody is told of it now."""
        return self.now_ms < order.hidden_until

    def listed(self, channel: Channel) -> list[VenueOrder]:
        """What the list of a channel holds now."""
        return [
            order
            for order in self.orders.values()
            if order.alive
            and not order.triggered
            and order.request.channel is channel
            and not self.is_hidden(order)
        ]

    def take(self, order: VenueOrder, share: Decimal | None = None) -> None:
        """An order that does not rest executes, whole or a share of it, and ends."""
        request, share = order.request, order.left if share is None else share
        if request.role is Role.ENTRY and not self._takes(request.side, request.price or ZERO):
            share = ZERO  # the touch has gone beyond its limit meanwhile
        self.execute(order, share, self.price)
        whole = order.filled >= (request.quantity or ZERO)
        order.finish(OrderStatus.FILLED if whole else OrderStatus.EXPIRED)

    def fill(self, order: VenueOrder, quantity: Decimal) -> None:
        """A resting limit order fills at its price."""
        self.execute(order, min(order.left, quantity), order.request.price or self.price)
        if order.left == ZERO:
            order.finish(OrderStatus.FILLED)

    def reject(self, order: VenueOrder) -> None:
        """The child of a triggered order is refused."""
        order.finish(OrderStatus.REJECTED)
        self.moved_ms = self.now_ms

    def run(self, order: VenueOrder, *, whole: bool) -> None:
        """The child of a triggered order executes; a reduce-only one is cut to the position."""
        quantity = order.request.quantity
        wanted = abs(self.position) if quantity is None else quantity
        self.execute(order, wanted if whole else half(wanted), self.price)
        order.finish(OrderStatus.FINISHED)
        self.moved_ms = self.now_ms

    def execute(self, order: VenueOrder, quantity: Decimal, price: Decimal) -> None:
        """Book an execution; what only reduces is cut to the position."""
        request, sign = order.request, sign_of(order.request.side)
        if request.only_reduces:
            quantity = min(quantity, abs(self.position)) if self.position * sign < ZERO else ZERO
        if quantity > ZERO:
            order.filled += quantity
            self._book(sign * quantity, price, order)

    def trade_by_hand(self, quantity: Decimal) -> None:
        """A person buys (plus) or sells on the same position."""
        self._book(quantity, self.price, None)

    def vanish(self) -> None:
        """The position is gone, and no list of executions ever says how."""
        self.position = ZERO
        self.moved_ms = self.vanished_ms = self.now_ms

    def _book(self, quantity: Decimal, price: Decimal, order: VenueOrder | None) -> None:
        self.position += quantity
        self.moved_ms = self.now_ms
        size = abs(quantity)
        self.fills.append(
            Fill(
                symbol=SYMBOL,
                trade_id=self._id(),
                venue_order_id="hand" if order is None else order.venue_id,
                client_id=None if order is None else order.request.client_id,
                side=Side.BUY if quantity > ZERO else Side.SELL,
                price=price,
                quantity=size,
                maker=True,
                fee=price * size * MAKER_FEE,
                fee_asset="USDT",
                realized_pnl=ZERO,
                time_ms=self.now_ms,
            )
        )

    def reached(self) -> list[VenueOrder]:
        """The resting conditional orders whose trigger the price has reached."""
        return [
            order
            for order in self.orders.values()
            if order.alive
            and not order.triggered
            and self.now_ms >= order.deaf_until
            and self._reached(order.request)
        ]

    def _reached(self, request: OrderRequest) -> bool:
        trigger = request.trigger_price
        if trigger is None:
            return False
        upward = (request.side is Side.BUY) == (request.type is OrderType.STOP_MARKET)
        return self.price >= trigger if upward else self.price <= trigger

    def resting_entry(self) -> VenueOrder | None:
        """The first entry that may still fill."""
        return next((o for o in self.of_role(Role.ENTRY) if o.alive), None)

    def of_role(self, *roles: Role) -> list[VenueOrder]:
        """All orders of some roles, oldest first."""
        return [order for order in self.orders.values() if order.request.role in roles]

    def position_report(self) -> PositionReport:
        """What a position read answers."""
        return PositionReport(symbol=SYMBOL, quantity=self.position, entry_price=self.price)

    def report(self, order: VenueOrder) -> OrderReport:
        """What a read of the order by its id answers."""
        request = order.request
        return OrderReport(
            symbol=request.symbol,
            channel=request.channel,
            client_id=request.client_id,
            venue_id=order.venue_id,
            side=request.side,
            type=request.type.value,
            status=order.status,
            quantity=request.quantity,
            price=request.price,
            trigger_price=request.trigger_price,
            filled_quantity=order.filled,
            reduce_only=request.only_reduces,
            close_position=request.close_position,
            updated_ms=self.now_ms,
            working_type=request.working_type,
            time_in_force=request.time_in_force,
            price_protect=False,
        )

    def forget(self) -> None:
        """Close the book of a trade that has ended; what still rests stays."""
        self.orders = {name: order for name, order in self.orders.items() if order.alive}
        self.fills.clear()
        self.told = self.vanished_ms = 0

    def _id(self) -> int:
        self.next_id += 1
        return self.next_id


def rests(request: OrderRequest) -> bool:
    """Whether an accepted order waits in a book instead of executing at once."""
    return request.type is not OrderType.MARKET and request.time_in_force is not TimeInForce.IOC
