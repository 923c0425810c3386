"""What the engine asks of a venue.

Reads return values or raise `VenueUnavailable` / `VenueRefused`. Writes never raise: they return an `Outcome`
(accepted, rejected, unknown; X-3). Nothing here retries: what a failure means depends on the order.

Every write is signed with the caller's `timestamp_ms`, exchange time, taken before anything else was looked at and
never renewed: what a frozen process sends late is refused by the receive window (X-7). After `timeout_ms` its
outcome is unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
    Transfer,
)
from jumar.model.command import AmendRequest
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument
from jumar.model.order import Channel, Fill, OrderReport, OrderRequest
from jumar.model.outcome import Outcome
from jumar.model.standing import VenueBudget
from jumar.model.world import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """An order changed; `fill` is set when the change was an execution."""

    report: OrderReport
    at_ms: int
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEvent:
    """A position changed; `at_ms` is the transaction time."""

    report: PositionReport
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceEvent:
    """The wallet changed; equity and availability must be read.

    Attributes:
        traded: whether an execution or funding changed it; else money may have been moved in or out.
    """

    wallet: Decimal
    at_ms: int
    traded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsEvent:
    """Leverage of a symbol changed."""

    symbol: str
    leverage: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteEvent:
    """Best bid and ask changed."""

    symbol: str
    quote: Quote
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEvent:
    """The mark price was published; `next_funding_ms` is the next funding time, None where there is none."""

    symbol: str
    mark: Decimal
    at_ms: int
    next_funding_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPriceEvent:
    """A public trade."""

    symbol: str
    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """Exchange time was measured; it may still be off by so much (M-3)."""

    off_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """The user stream came up (everything must be read again) or went down."""

    connected: bool
    at_ms: int
    reason: str


type VenueEvent = (
    OrderEvent
    | PositionEvent
    | BalanceEvent
    | SettingsEvent
    | QuoteEvent
    | MarkEvent
    | LastPriceEvent
    | StreamEvent
    | ClockEvent
)
type EventSink = Callable[[VenueEvent], None]


class Exchange(Protocol):
    """One account at one venue."""

    async def start(self, symbols: Sequence[str], sink: EventSink) -> None:
        """Measure the clock, load instruments, open the streams; events go to `sink` from then on.

        Raises:
            ConfigError: keys refused, a symbol the venue does not list, a wrong address.
            VenueUnavailable: no answer; the caller may start again.
        """
        ...

    async def close(self) -> None:
        """Close every socket; leaves all orders as they are."""
        ...

    async def instruments(self) -> Mapping[str, Instrument]:
        """Filters and brackets of the started symbols."""
        ...

    async def account_settings(self) -> AccountSettings:
        """Position mode, multi-assets mode, permission to trade."""
        ...

    async def symbol_settings(self, symbol: str) -> SymbolSettings:
        """Leverage and margin mode, read back."""
        ...

    async def balance(self) -> Balance:
        """The account's money in the quote asset."""
        ...

    async def positions(self) -> Mapping[str, PositionReport]:
        """All started symbols, flat ones included, and others of the account that hold something."""
        ...

    async def transfers(self, since_ms: int) -> tuple[Transfer, ...]:
        """Money moved into or out of the account's quote asset since a moment, oldest first."""
        ...

    def budget(self) -> VenueBudget:
        """What the venue has said of its limits so far; asks nothing."""
        ...

    async def open_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The regular list."""
        ...

    async def open_conditional_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The conditional list."""
        ...

    async def order(self, symbol: str, channel: Channel, client_id: str) -> OrderReport | None:
        """One order by its client id, finished or not; None when the venue says it does not exist."""
        ...

    async def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """Executions of the account since a moment, oldest first, without client ids."""
        ...

    async def orders_since(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Regular orders of the account made since a moment, whoever made them and ended or not, oldest first.

        Venues forget: an order that ended without a fill may be missing after three days.
        """
        ...

    async def forced_orders(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Liquidations and auto-deleveragings of the account since a moment, oldest first."""
        ...

    async def funding(self, symbol: str, since_ms: int) -> tuple[FundingPayment, ...]:
        """What a symbol's position paid and was paid at funding times since a moment, oldest first."""
        ...

    async def quote(self, symbol: str) -> Quote:
        """Best bid and ask, by REST, for when the stream is silent."""
        ...

    async def mark(self, symbol: str) -> Decimal:
        """The mark price, by REST."""
        ...

    async def last(self, symbol: str) -> Decimal:
        """The price of the latest public trade, by REST: a quiet symbol may send none for long."""
        ...

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send one order once."""
        ...

    async def amend(self, request: AmendRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Change the price of a resting regular order, once.

        Accepted with a report: the order stands as asked, or has ended instead (a post-only order that would take, a
        quantity that has filled by now). Accepted without one: it stood so already.
        """
        ...

    async def cancel(
        self,
        symbol: str,
        channel: Channel,
        client_id: str,
        *,
        timestamp_ms: int,
        timeout_ms: int,
    ) -> Outcome:
        """Cancel one order by its client id. Accepted means that its end is proven."""
        ...

    async def cancel_by_venue_id(
        self, symbol: str, venue_id: str, *, timestamp_ms: int, timeout_ms: int
    ) -> Outcome:
        """Cancel a regular order by the venue's id: the child of a triggered conditional order."""
        ...

    async def set_leverage(self, symbol: str, leverage: int, *, timestamp_ms: int) -> Outcome:
        """Set the leverage; "already set" is accepted."""
        ...

    async def set_margin_mode(self, symbol: str, mode: MarginMode, *, timestamp_ms: int) -> Outcome:
        """Set the margin mode; "already set" is accepted."""
        ...

    async def set_countdown(
        self, symbol: str, countdown_ms: int, *, timestamp_ms: int, timeout_ms: int
    ) -> Outcome:
        """Have the venue cancel the symbol's regular orders after a while, unless it is told again; zero: never."""
        ...
