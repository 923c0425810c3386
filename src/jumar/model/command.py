"""Commands: everything that may leave for the venue, each with the rule and the numbers that led to it.

`Approved` is the ticket to the socket: only `planner/approve.py` makes one (a test reads the sources), so that
mypy proves that nothing unapproved is sent.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.account import MarginMode
from jumar.model.amendment import Amendment
from jumar.model.ids import parse_client_id
from jumar.model.mode import ModeState
from jumar.model.order import Channel, OrderRequest, OwnOrder, Role, Side
from jumar.model.trade import Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why: a rule id and a sentence with the numbers."""

    rule: str
    text: str

    def __str__(self) -> str:
        """`S-1: armed stop 0.013 at 90380 …`."""
        return f"{self.rule}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Place one order.

    Attributes:
        attempt: counts from 1 within trade and role; must match the request's client id.
        ratchet: the trade's ratchet price at planning; a stop may not be looser (S-3).
    """

    request: OrderRequest
    trade_key: str
    attempt: int
    cause: Cause
    ratchet: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse to exist as an unsafe order (P-5, S-3)."""
        request = self.request
        if (request.role is Role.ENTRY) == request.only_reduces:
            raise ValueError(f"P-5: role {request.role} with only_reduces={request.only_reduces}")
        if request.role is Role.STOP and self.ratchet is not None:
            if request.trigger_price is None:
                raise ValueError("S-3: a stop without a trigger price")
            sign = 1 if request.side is Side.SELL else -1
            if (request.trigger_price - self.ratchet) * sign < 0:
                raise ValueError(f"S-3: stop {request.trigger_price} is looser than {self.ratchet}")

    def journaled(self, now_ms: int) -> OwnOrder:
        """Return the order as it goes into the journal; the same moment is signed into the request (X-2, X-7)."""
        return OwnOrder(
            trade_key=self.trade_key,
            attempt=self.attempt,
            request=self.request,
            rule=self.cause.rule,
            cause=self.cause.text,
            journaled_ms=now_ms,
            timestamp_ms=now_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendRequest:
    """A resting regular order as it should stand; conditional ones cannot be amended.

    Attributes:
        side: the order's own; it cannot be changed.
        price: limit price, quote currency.
        quantity: the *total* quantity, what has filled included, base currency.
        number: counts from 1 within the order.
    """

    symbol: str
    client_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder:
    """Re-price a resting entry (E-5); it loses its place in the queue."""

    request: AmendRequest
    trade_key: str
    cause: Cause

    def __post_init__(self) -> None:
        """Refuse to exist for anything but an entry (P-5)."""
        parsed = parse_client_id(self.request.client_id)
        if parsed is None or parsed.role is not Role.ENTRY:
            raise ValueError(f"E-5: {self.request.client_id} is no entry: only entries are amended")

    @property
    def client_id(self) -> str:
        """The order's."""
        return self.request.client_id

    def journaled(self, now_ms: int) -> Amendment:
        """Return the amendment as it goes into the journal; the same moment is signed into the request (X-2)."""
        request = self.request
        return Amendment(
            number=request.number,
            price=request.price,
            quantity=request.quantity,
            rule=self.cause.rule,
            cause=self.cause.text,
            timestamp_ms=now_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel one order by its client id: one of ours, or somebody else's where that is wanted (Y-7).

    Attributes:
        child_venue_id: for a triggered conditional order, the regular order it became.
        foreign: it is somebody else's; no journal knows it.
    """

    symbol: str
    channel: Channel
    client_id: str
    cause: Cause
    child_venue_id: str | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMarginMode:
    """Set the symbol's margin mode (E-4)."""

    symbol: str
    mode: MarginMode
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLeverage:
    """Set the symbol's leverage (E-4)."""

    symbol: str
    leverage: int
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCountdown:
    """Have the venue cancel the symbol's regular orders after a while, unless it is told again (E-7).

    Attributes:
        countdown_ms: zero takes the countdown away.
    """

    symbol: str
    countdown_ms: int
    cause: Cause


type Command = PlaceOrder | AmendOrder | CancelOrder | SetMarginMode | SetLeverage | SetCountdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved[T]:
    """A command that passed the planner's approval; made only in `planner/approve.py`."""

    command: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an entry was refused: a guard's code, the rule, and a message with the numbers."""

    code: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that holds now and that a person must hear of, once while it lasts.

    Attributes:
        subject: what it is about; with the rule it says whether two alarms are the same one.
        severity: `warning` or `critical`.
    """

    rule: str
    subject: str
    text: str
    severity: str = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one tick wants to happen.

    Attributes:
        trade: the trade as it must be recorded before anything is sent; None when there is none.
        commands: in the order in which they must leave: protect, cancel, exit, enter.
        refusals: every guard that refuses an entry now; empty when none is wanted or all hold.
        entry_wanted: whether an entry is wanted so that order books and position are read every tick.
        notes: what else happened that a person may ask for, each with its rule.
        wake_in_ms: plan again no later than this, None where the loop's interval is soon enough.
        adopted: orders found on the exchange that belong to the trade from now on; journaled with it (Y-1).
        alarms: what a person must hear of.
        mode: the mode to keep from now on, None where it stays as it is (M-1).
        passing: the modes that hold only as long as their cause does, each with it (M-3).
        uncovered: whether the position has no confirmed stop that covers it (S-7).
    """

    trade: Trade | None = None
    commands: tuple[Approved[Command], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    entry_wanted: bool = False
    notes: tuple[Cause, ...] = ()
    wake_in_ms: int | None = None
    adopted: tuple[OwnOrder, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    mode: ModeState | None = None
    passing: tuple[ModeState, ...] = ()
    uncovered: bool = False
