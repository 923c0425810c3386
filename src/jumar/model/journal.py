"""What the store keeps: records that are durable together, before a socket is touched (X-2).

`Intent` goes in before an order leaves; the others say what became of it. A list of records is one transaction.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from jumar.model.decision import Decision
from jumar.model.levels import BoundZone
from jumar.model.mode import ModeState
from jumar.model.order import Fill, OwnOrder
from jumar.model.standing import TradeBegun, TradeLost
from jumar.model.trade import Trade, TradeSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An order about to be sent. A second intent of the same client id is refused by the store.

    Attributes:
        tightness: for a working stop: the trigger price times the trade's sign (larger is tighter); the database
            refuses one below the tightest confirmed of the trade (S-3). None for every other order.
    """

    order: OwnOrder
    tightness: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendIntent:
    """An order whose newest amendment is about to be sent; one that was never journaled is refused by the store."""

    order: OwnOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAdopted:
    """An order found on the exchange, alive, that belongs to an adopted trade from now on (Y-1).

    Attributes:
        tightness: as in `Intent`; None for every order but a working stop.
    """

    order: OwnOrder
    tightness: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """The present state of an order of ours."""

    order: OwnOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class StopConfirmed:
    """A working stop rests at the venue: from now on the database refuses looser ones (S-3)."""

    trade_key: str
    client_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeChanged:
    """The present state of a trade, written before the commands that follow from it."""

    trade: Trade


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeEnded:
    """A trade is over; `summary` is None when it never had a fill."""

    trade: Trade
    summary: TradeSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSeen:
    """A fill, counted once by symbol and trade id; a second record of it changes nothing (X-6)."""

    trade_key: str
    client_id: str
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSeen:
    """A decision file and what was done with it.

    Attributes:
        decision: None when it could not be understood.
        outcome: `accepted`, `refused`, `superseded` or `spent`.
        reasons: one line each, with field, value and rule.
        raw: the text as read, for the person who asks later.
        zone: the liquidation zone that it names, as it was bound (L-3); None without one.
    """

    symbol: str | None
    decision_id: str | None
    timestamp_ms: int | None
    outcome: str
    reasons: tuple[str, ...]
    raw: str
    at_ms: int
    decision: Decision | None = None
    zone: BoundZone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneBound:
    """The zone that an accepted decision names was bound later, or moved, before a trade took it over (L-3)."""

    decision_id: str
    zone: BoundZone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalSeen:
    """A guard began to refuse an entry, recorded once per change (section 2)."""

    symbol: str
    decision_id: str
    code: str
    rule: str
    message: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that must not be overlooked.

    Attributes:
        severity: `info`, `warning` or `critical`.
        rule: the rule it touches.
    """

    symbol: str | None
    severity: str
    rule: str
    message: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EquitySeen:
    """The account's equity at one moment, quote currency."""

    equity: Decimal
    wallet: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeen:
    """A line of the trade's story: set-up, wake, note; each with its rule."""

    symbol: str | None
    trade_key: str | None
    rule: str
    message: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged:
    """The mode of a symbol, or of the account where no symbol is named, from now on; the newest one is kept (M-1)."""

    symbol: str | None
    state: ModeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a person sees of one symbol now; the newest one is kept.

    Attributes:
        content: one JSON object, see `jumar.reconciler.snapshot`.
    """

    symbol: str
    content: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDone:
    """An operator's request was obeyed, or why not."""

    seq: int
    outcome: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRequest:
    """What a person asked for, left in the store by a command; the next tick obeys.

    Attributes:
        symbol: None for all symbols of the account.
        request: `pause`, `resume` or `flatten`.
    """

    seq: int
    symbol: str | None
    request: str
    asked_by: str


def cancel_note(client_id: str, cause: str) -> str:
    """Return the message of the event that records why one of our orders is cancelled."""
    return f"cancel {client_id}: {cause}"


def cancelled_in(event: EventSeen) -> tuple[str, str] | None:
    """Return client id and cause of a cancel's event, None for every other one."""
    head, found, cause = event.message.partition(": ")
    return (head.removeprefix("cancel "), cause) if found and head.startswith("cancel ") else None


type Record = (
    Intent
    | AmendIntent
    | OrderAdopted
    | OrderChanged
    | StopConfirmed
    | TradeChanged
    | TradeEnded
    | FillSeen
    | DecisionSeen
    | ZoneBound
    | RefusalSeen
    | Incident
    | EquitySeen
    | EventSeen
    | ModeChanged
    | Snapshot
    | RequestDone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolMemory:
    """What the store remembers of one symbol at start.

    Attributes:
        trade: the trade that has not ended, None when idle.
        orders: its orders, those of unfilled set-ups of `decision`, and every order of the symbol that is not
            proven ended.
        fills: its fills.
        decision: the newest accepted decision of the symbol.
        zone: the liquidation zone that it names, as bound by then (L-3).
        superseded_ms: timestamp of a newer readable one that was refused or spent, None without one (D-7).
        last_end_ms: exchange time of the last fill of the symbol's last *filled* trade, None without one.
        ended_by: id of the opposite decision that ended it (C-2), None otherwise.
        spent: ids of decisions that are spent (filled trades, voided set-ups).
        mode: the mode that was kept, None for NORMAL.
        flattened_ms: exchange time at which the last `flatten` was obeyed, None without one (D-7).
        entry_ids: client ids of the symbol's journaled entries, the newest ones (Y-12).
        watched: orders whose end was only presumed, of any trade, over the last day or a little more (X-4 c).
    """

    symbol: str
    trade: Trade | None = None
    orders: tuple[OwnOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    decision: Decision | None = None
    zone: BoundZone | None = None
    superseded_ms: int | None = None
    last_end_ms: int | None = None
    ended_by: str | None = None
    spent: frozenset[str] = field(default=frozenset())
    mode: ModeState | None = None
    flattened_ms: int | None = None
    entry_ids: frozenset[str] = field(default=frozenset())
    watched: tuple[OwnOrder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMemory:
    """What the store remembers of the account at start, over all symbols.

    Attributes:
        equity: the last record before the UTC day began and the first after, and the same of the ISO week.
        begun: the trades whose first fill lies in the last two days.
        lost: the newest end of a trade that lost after fees, None without one in the last two days.
    """

    equity: tuple[EquitySeen, ...] = ()
    begun: tuple[TradeBegun, ...] = ()
    lost: TradeLost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """Who this store is.

    Attributes:
        store_id: made once with the database.
        fresh: it was made by this start, or holds no journal: older decisions are spent (D-7).
        mode: what is kept of M-1 for the account, None for NORMAL.
    """

    store_id: str
    fresh: bool
    mode: ModeState | None = None
