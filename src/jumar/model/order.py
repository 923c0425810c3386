"""Orders: what we ask for, what the venue says, and our own record of one order's life.

`OrderRequest` is the wish, `OrderReport` one observation of either order list, `OwnOrder` the journaled life.
An own order only moves forward: a final state is never left, whatever a late or repeated observation says.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.amendment import WITHOUT_EFFECT, Amendment, AmendmentState
from jumar.model.units import ZERO


class Side(StrEnum):
    """The side of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Role(StrEnum):
    """What an order is for; its letter is part of the client order id."""

    ENTRY = "E"
    STOP = "S"
    BACKSTOP = "B"
    TP1 = "P"
    TP2 = "Q"
    ZONE_EXIT = "L"
    FULL_EXIT = "X"


STOP_ROLES = frozenset({Role.STOP, Role.BACKSTOP})
TARGET_ROLES = frozenset({Role.TP1, Role.TP2})
#: Orders that only end or bound a position; they leave in every mode (M-1).
PROTECTIVE_ROLES = STOP_ROLES | {Role.FULL_EXIT}
EXIT_ROLES = frozenset(Role) - {Role.ENTRY}


class Channel(StrEnum):
    """The list an order rests in: open orders are always the union of both."""

    REGULAR = "regular"
    CONDITIONAL = "conditional"


class OrderType(StrEnum):
    """The order types in use."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"


CONDITIONAL_TYPES = frozenset({OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})


class TimeInForce(StrEnum):
    """How long an order may rest; GTX is post-only."""

    GTC = "GTC"
    IOC = "IOC"
    GTX = "GTX"


class WorkingType(StrEnum):
    """The price that triggers a conditional order."""

    MARK_PRICE = "MARK_PRICE"
    CONTRACT_PRICE = "CONTRACT_PRICE"


class OrderStatus(StrEnum):
    """The venue's word for an order, both channels together."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    FINISHED = "FINISHED"


FINAL_STATUSES = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.FINISHED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """One order as we ask for it, every flag stated.

    Attributes:
        quantity: base currency; None only for a closePosition order.
        price: limit price in quote currency; None for market and conditional orders.
        trigger_price: trigger of a conditional order; None for a regular one.
        working_type: stated for every conditional order, None for a regular one.
    """

    symbol: str
    client_id: str
    role: Role
    side: Side
    type: OrderType
    quantity: Decimal | None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: bool = False
    close_position: bool = False
    working_type: WorkingType | None = None

    @property
    def channel(self) -> Channel:
        """The list this order will rest in."""
        return Channel.CONDITIONAL if self.type in CONDITIONAL_TYPES else Channel.REGULAR

    @property
    def only_reduces(self) -> bool:
        """Whether the venue itself keeps this order from adding exposure."""
        return self.reduce_only or self.close_position


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """One observation of one order, from an answer, an event or a list.

    Attributes:
        venue_id: `orderId` or `algoId` as text.
        quantity: base currency; None or zero for a closePosition order.
        filled_quantity: cumulative, base currency; of a conditional order what its child filled, where told.
        child_venue_id: the `orderId` a triggered conditional order became, None before.
        updated_ms: the venue's own time of the change, exchange time.
    """

    symbol: str
    channel: Channel
    client_id: str
    venue_id: str
    side: Side
    type: str
    status: OrderStatus
    quantity: Decimal | None
    price: Decimal | None
    trigger_price: Decimal | None
    filled_quantity: Decimal
    reduce_only: bool
    close_position: bool
    updated_ms: int
    time_in_force: str | None = None
    working_type: str | None = None
    price_protect: bool | None = None
    average_price: Decimal | None = None
    child_venue_id: str | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution, counted once by `trade_id` (unique within a symbol).

    Attributes:
        client_id: as the event says; None when it came from a list that has none (then `venue_order_id` links).
        fee: commission in `fee_asset`; positive is paid.
        realized_pnl: quote currency, before fees.
    """

    symbol: str
    trade_id: int
    venue_order_id: str
    client_id: str | None
    side: Side
    price: Decimal
    quantity: Decimal
    maker: bool
    fee: Decimal
    fee_asset: str
    realized_pnl: Decimal
    time_ms: int

    @property
    def signed_quantity(self) -> Decimal:
        """Base currency; buys are positive."""
        return self.quantity if self.side is Side.BUY else -self.quantity


class OrderState(StrEnum):
    """Where one of our orders stands, as far as is proven.

    IN_FLIGHT: journaled, being sent. UNKNOWN: sent or perhaps sent, outcome not known. OPEN: acknowledged and
    not proven ended (a stop stays OPEN when lists forget it). TRIGGERED: its trigger fired, its child may be
    executing. ENDED: a final status by event or by id, a successful cancel, a refusal, or proven absent.
    """

    IN_FLIGHT = "in_flight"
    UNKNOWN = "unknown"
    OPEN = "open"
    TRIGGERED = "triggered"
    ENDED = "ended"


TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.IN_FLIGHT: frozenset(OrderState) - {OrderState.IN_FLIGHT},
    OrderState.UNKNOWN: frozenset({OrderState.OPEN, OrderState.TRIGGERED, OrderState.ENDED}),
    OrderState.OPEN: frozenset({OrderState.TRIGGERED, OrderState.ENDED}),
    OrderState.TRIGGERED: frozenset({OrderState.ENDED}),
    OrderState.ENDED: frozenset(),
}


#: How long an order whose end is only presumed may still turn out to be alive, by the exchange's time (X-4 c).
WATCH_MS = 24 * 60 * 60 * 1000

#: The venue's "client id duplicated": an order of this id is alive, ours or somebody else's (X-4).
DUPLICATE_ID = -4116

#: How long after the acknowledgement, and how far apart, two looks must miss an order before it is invisible (S-13).
INVISIBLE_MS = 2000


def _apart(times: tuple[int, ...], from_ms: int) -> bool:
    late = [at for at in times if at >= from_ms]
    return bool(late) and late[-1] - late[0] >= INVISIBLE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """The journaled life of one of our orders.

    Attributes:
        attempt: counts from 1 within trade and role; part of the client order id.
        rule, cause: the rule id and the sentence with the numbers that led to it.
        journaled_ms: exchange time of the intent.
        timestamp_ms: the signed timestamp of the request; it dies at the venue `recvWindow` later.
        acked_ms: exchange time of the first observation, None while in flight or unknown.
        filled_quantity: cumulative as reported (fills by trade id are counted apart and win).
        end_status: the final status, None while not ended or when refused or absent.
        end_code: the venue's error code when the placement was refused; -4116 alone leaves it open what there is.
        echo_error: what in the venue's echo differs from the request; such a stop is never confirmed (S-11).
        cancel_sent_ms: exchange time of the latest cancel, None when none was sent.
        cancel_unknown_ms: exchange time at which a cancel was answered "unknown order", None otherwise.
        misses: exchange times at which a read by id that did not find the order was asked.
        unlisted: exchange times at which an order list that lacks the order was asked.
        amendments: every change of its price that was asked for, oldest first (E-5).
    """

    trade_key: str
    attempt: int
    request: OrderRequest
    rule: str
    cause: str
    journaled_ms: int
    timestamp_ms: int | None = None
    state: OrderState = OrderState.IN_FLIGHT
    venue_id: str | None = None
    child_venue_id: str | None = None
    acked_ms: int | None = None
    updated_ms: int = 0
    filled_quantity: Decimal = ZERO
    end_status: OrderStatus | None = None
    end_code: int | None = None
    end_reason: str | None = None
    ended_ms: int | None = None
    triggered_ms: int | None = None
    echo_error: str | None = None
    cancel_sent_ms: int | None = None
    cancel_unknown_ms: int | None = None
    misses: tuple[int, ...] = ()
    unlisted: tuple[int, ...] = ()
    amendments: tuple[Amendment, ...] = ()

    @property
    def client_id(self) -> str:
        """The client order id."""
        return self.request.client_id

    @property
    def role(self) -> Role:
        """What the order is for."""
        return self.request.role

    @property
    def ended(self) -> bool:
        """Whether the end is proven."""
        return self.state is OrderState.ENDED

    @property
    def alive_or_unknown(self) -> bool:
        """Not proven ended."""
        return self.state is not OrderState.ENDED

    @property
    def unresolved(self) -> bool:
        """Whether it is not known if the order exists."""
        return self.state in {OrderState.IN_FLIGHT, OrderState.UNKNOWN}

    @property
    def duplicate(self) -> bool:
        """Whether the venue said that its id is taken: until it is read nobody knows by whom, and it is not cancelled."""
        return self.unresolved and self.end_code == DUPLICATE_ID

    @property
    def taken(self) -> bool:
        """Whether its id turned out to be somebody else's order, with other numbers (X-4, X-7)."""
        return self.ended and self.end_code == DUPLICATE_ID and self.echo_error is not None

    @property
    def presumed_dead(self) -> bool:
        """Whether it ended without a word of the venue, only because a cancel and later looks found nothing (X-4)."""
        silent = self.end_status is None and self.end_code is None and self.acked_ms is None
        return self.ended and silent and self.cancel_unknown_ms is not None

    @property
    def end_presumed(self) -> bool:
        """Whether nothing but a cancel and looks that found nothing ended it: absence is never proven (X-4 c)."""
        silent = self.ended and self.end_status is None and self.end_code is None
        conditional = self.request.channel is Channel.CONDITIONAL
        return conditional and silent and self.cancel_unknown_ms is not None

    def is_watched(self, now_ms: int) -> bool:
        """Whether it stays on the watch list at that exchange time (X-4 c)."""
        since_ms = self.ended_ms if self.end_presumed else None
        return since_ms is not None and now_ms - since_ms < WATCH_MS

    @property
    def confirmed(self) -> bool:
        """Whether the venue acknowledged it as resting, with an echo equal to the request."""
        return self.state is OrderState.OPEN and self.echo_error is None

    @property
    def price(self) -> Decimal | None:
        """The last confirmed limit price (H-6); what an amendment only asks for does not count."""
        done = [each.price for each in self.amendments if each.state is AmendmentState.DONE]
        return done[-1] if done else self.request.price

    @property
    def prices(self) -> frozenset[Decimal | None]:
        """Every limit price that it may have had: an observation of any of them is no error (S-11)."""
        return frozenset({self.request.price, *(each.price for each in self.amendments)})

    @property
    def amending(self) -> Amendment | None:
        """The amendment whose outcome is not known, None without one: only a cancel may follow (X-4 e)."""
        newest = self.amendments[-1] if self.amendments else None
        unknown = newest is not None and newest.state is AmendmentState.ASKED and not self.ended
        return newest if unknown else None

    @property
    def chases(self) -> int:
        """How often it was re-priced, or was cancelled by the venue instead; what had no effect does not count."""
        return sum(each.state not in WITHOUT_EFFECT for each in self.amendments)

    @property
    def invisible(self) -> bool:
        """Whether an acknowledged order is told by nobody: absent from two lists or missed by id twice (S-13).

        Both asked at least 2 s after its acknowledgement and 2 s apart. It is presumed alive all the same.
        """
        if self.state is not OrderState.OPEN or self.acked_ms is None:
            return False
        from_ms = self.acked_ms + INVISIBLE_MS
        return any(_apart(times, from_ms) for times in (self.misses, self.unlisted))

    @property
    def in_doubt(self) -> bool:
        """Whether a look has missed it since it was last seen: nothing else is given up on its strength (S-13)."""
        return bool(self.misses or self.unlisted)

    @property
    def executing(self) -> bool:
        """Whether its trigger fired and its end is not proven."""
        return self.state is OrderState.TRIGGERED
