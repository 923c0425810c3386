"""The world: everything one tick of one symbol may know, and how old and whose each part is.

Frozen. The world is the last REST snapshot with every later stream event applied; a part nobody has read yet is
None, never a guess.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.account import (
    AccountSettings,
    Balance,
    Liquidation,
    PositionReport,
    SymbolSettings,
)
from jumar.model.countdown import NOT_PROBED, Countdown
from jumar.model.decision import Decision
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument
from jumar.model.levels import BoundZone, MarketLevels
from jumar.model.mode import HEALTHY, Health, ModeState
from jumar.model.order import Fill, OrderReport, OwnOrder, Side
from jumar.model.standing import NOTHING_KNOWN, Standing
from jumar.model.trade import Trade


class Source(StrEnum):
    """Who told."""

    REST = "rest"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed[T]:
    """A value, who told it, and for which exchange time it holds.

    Attributes:
        at_ms: for a read, the exchange time at which it was *requested*; for an event, its transaction time.
    """

    value: T
    at_ms: int
    source: Source


def newest[T](read: Observed[T] | None, event: Observed[T] | None) -> Observed[T] | None:
    """Return the younger of a read and an event, None without either; of two with one time the event.

    A read requested in the millisecond of an event may have been answered before it.
    """
    if read is None or event is None:
        return event if read is None else read
    return event if event.at_ms >= read.at_ms else read


def newer[T](old: Observed[T] | None, new: Observed[T]) -> Observed[T]:
    """Keep the newer by its own time: a late event or answer never replaces a newer one (W-1)."""
    return new if old is None or new.at_ms >= old.at_ms else old


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask with their sizes."""

    bid: Decimal
    ask: Decimal
    bid_quantity: Decimal
    ask_quantity: Decimal

    @property
    def mid(self) -> Decimal:
        """The middle of bid and ask."""
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionState:
    """The newest readable decision of the symbol and why it may not enter, if so.

    Attributes:
        refusals: code and message for `malformed`, `conflict` or `symbol_not_managed` of a newer file that
            could be read in part; such a decision still supersedes (D-7).
        spent: why the decision is spent for entry, None while it is not.
        zone: the liquidation zone that it names, as bound when it was accepted or moved since; None while unbound (L-3).
    """

    decision: Decision
    refusals: tuple[tuple[str, str], ...] = ()
    spent: str | None = None
    zone: BoundZone | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One symbol's world at one moment.

    Attributes:
        now_ms: exchange time.
        store_id: the identity made with the database; part of every trade key.
        last: price of the latest public trade, quote currency.
        position: newest REST read. position_event: newest ACCOUNT_UPDATE. Both are kept: cover is planned for the
            largest size that any source not older than the last fill reports (Y-11).
        open_orders, conditional_orders: the two order lists; open orders are always their union.
        trade: the open trade, None when idle.
        orders: all orders of the open trade; without one, those of earlier set-ups still remembered.
        fills: all fills of the open trade by trade id, oldest first.
        draining: the engine is being stopped: entries are cancelled, positions keep their orders (M-5).
        setup_error: why margin mode or leverage could not be set lately, None otherwise (E-4).
        ready: whether one reconciliation has completed since the start (Y-9, Y-12).
        mode: the mode that is kept until an operator or its own end changes it, None for NORMAL (M-1).
        account_mode: the same for the whole account; the stricter counts.
        health: what the engine knows of its own senses and memory.
        liquidations: the venue's liquidation prices of the last position reads that told one, oldest first (M-2).
        marks: the mark prices of the last seconds by their own time, oldest first; the last one is `mark` (S-8).
        uncovered_ms: exchange time since which the position has been seen without a confirmed stop, None while it
            is covered. Forgotten over a restart and while the venue cannot be reached, so that the deadline of S-7
            counts from where something could be done.
        strays: orders of our journal that are not proven ended and belong to no open trade (Y-6).
        position_since_ms: when the first of the newest unbroken run of position reads with the same answer was
            asked; the last of them is `position` (Y-2). None before the first read.
        fills_read_ms, forced_read_ms: when executions, and liquidations, were last asked for; zero for never (Y-2).
        journal_fresh: the journal was empty at the start: orders with our prefix may be ours (X-7, Y-1).
        known_keys: keys of the trades that the journal knows: a list that was read before the end of one still
            shows its orders.
        last_end_ms: exchange time of the last fill of the symbol's last filled trade, None without one.
        last_end_side: the side of that trade, None where it is not known any more.
        levels: the newest content of the levels file, whatever its age; None before the first (D-10).
        best_mark: the best mark price for the open trade since its first fill, or since the start of the engine where
            that is later; None before a fill (R-5).
        funding: the payments of the open trade's position, oldest first; None while they are not known (T-3).
        bare_ms: when the last look found the position without a stop, None where it found cover; unlike `uncovered_ms`
            it goes on while the venue cannot be reached (T-4).
        standing: how the account stands: equity, trades, the other symbols, the venue's counts.
        countdown: what was asked of the venue's dead man's switch last in this process, None before the first time.
        no_dead_man: why that switch may not be used on this account, None where V-6 is proven (E-7).
    """

    now_ms: int
    account: str
    store_id: str
    symbol: str
    ready: bool
    draining: bool = False
    setup_error: str | None = None
    instrument: Instrument | None = None
    account_settings: Observed[AccountSettings] | None = None
    settings: Observed[SymbolSettings] | None = None
    balance: Observed[Balance] | None = None
    quote: Observed[Quote] | None = None
    mark: Observed[Decimal] | None = None
    last: Observed[Decimal] | None = None
    position: Observed[PositionReport] | None = None
    position_event: Observed[PositionReport] | None = None
    open_orders: Observed[tuple[OrderReport, ...]] | None = None
    conditional_orders: Observed[tuple[OrderReport, ...]] | None = None
    decision: DecisionState | None = None
    trade: Trade | None = None
    orders: tuple[OwnOrder, ...] = ()
    fills: tuple[Fill, ...] = ()
    mode: ModeState | None = None
    account_mode: ModeState | None = None
    health: Health = HEALTHY
    liquidations: tuple[Observed[Liquidation], ...] = ()
    marks: tuple[Observed[Decimal], ...] = ()
    uncovered_ms: int | None = None
    strays: tuple[OwnOrder, ...] = ()
    position_since_ms: int | None = None
    fills_read_ms: int = 0
    forced_read_ms: int = 0
    journal_fresh: bool = False
    known_keys: frozenset[str] = frozenset()
    last_end_ms: int | None = None
    last_end_side: Side | None = None
    levels: MarketLevels | None = None
    best_mark: Decimal | None = None
    funding: tuple[FundingPayment, ...] | None = None
    bare_ms: int | None = None
    standing: Standing = NOTHING_KNOWN
    countdown: Countdown | None = None
    no_dead_man: str | None = NOT_PROBED
