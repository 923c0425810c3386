"""A venue that can be read and not be written to.

Promises that every write of the port is refused here, before anything reaches the venue's adapter. Two things are told
otherwise than the venue tells them, and only to a plan: margin mode and leverage that the plan would have set are taken
as set, so that it goes on to its first order; and a key that may only read is taken as one that may trade.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import structlog

from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
    Transfer,
)
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument
from jumar.model.order import Channel, Fill, OrderReport
from jumar.model.outcome import Outcome, Rejected
from jumar.model.standing import VenueBudget
from jumar.model.world import Quote
from jumar.ports.exchange import EventSink, Exchange

_log = structlog.get_logger("jumar.dry")
_REFUSED = Rejected(code=0, message="dry run: nothing is sent")


class ExchangeWithoutWrites:
    """Reads of one account at one venue (see `jumar.ports.exchange.Exchange`)."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._leverage: dict[str, int] = {}
        self._margin_mode: dict[str, MarginMode] = {}
        self._may_trade_said = False

    def suppose(
        self, symbol: str, *, leverage: int | None = None, margin_mode: MarginMode | None = None
    ) -> None:
        """Have a setting read back from now on as if it had been set."""
        if leverage is not None:
            self._leverage[symbol] = leverage
        if margin_mode is not None:
            self._margin_mode[symbol] = margin_mode

    # what is read

    async def start(self, symbols: Sequence[str], sink: EventSink) -> None:
        """Begin to listen; raises as the port says."""
        await self._exchange.start(symbols, sink)

    async def close(self) -> None:
        """Close every socket."""
        await self._exchange.close()

    async def instruments(self) -> Mapping[str, Instrument]:
        """Filters and brackets."""
        return await self._exchange.instruments()

    async def account_settings(self) -> AccountSettings:
        """Position mode and multi-assets mode; that trading is not permitted is said once and set aside."""
        settings = await self._exchange.account_settings()
        if not settings.can_trade and not self._may_trade_said:
            self._may_trade_said = True
            _log.warning("canTrade = false: enough for a dry run, not for an engine that trades")
        return replace(settings, can_trade=True)

    async def symbol_settings(self, symbol: str) -> SymbolSettings:
        """Leverage and margin mode, with what `suppose` says."""
        real = await self._exchange.symbol_settings(symbol)
        return replace(
            real,
            leverage=self._leverage.get(symbol, real.leverage),
            margin_mode=self._margin_mode.get(symbol, real.margin_mode),
        )

    async def balance(self) -> Balance:
        """The account's money."""
        return await self._exchange.balance()

    async def positions(self) -> Mapping[str, PositionReport]:
        """All started symbols."""
        return await self._exchange.positions()

    async def open_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The regular list."""
        return await self._exchange.open_orders(symbol)

    async def open_conditional_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The conditional list."""
        return await self._exchange.open_conditional_orders(symbol)

    async def order(self, symbol: str, channel: Channel, client_id: str) -> OrderReport | None:
        """One order by its client id."""
        return await self._exchange.order(symbol, channel, client_id)

    async def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """Executions since a moment."""
        return await self._exchange.fills(symbol, since_ms)

    async def orders_since(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Regular orders made since a moment."""
        return await self._exchange.orders_since(symbol, since_ms)

    async def forced_orders(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Liquidations and auto-deleveragings since a moment."""
        return await self._exchange.forced_orders(symbol, since_ms)

    async def funding(self, symbol: str, since_ms: int) -> tuple[FundingPayment, ...]:
        """What a position paid and was paid at funding times since a moment."""
        return await self._exchange.funding(symbol, since_ms)

    async def transfers(self, since_ms: int) -> tuple[Transfer, ...]:
        """Money moved into or out of the account."""
        return await self._exchange.transfers(since_ms)

    def budget(self) -> VenueBudget:
        """What the exchange has said of its limits."""
        return self._exchange.budget()

    async def quote(self, symbol: str) -> Quote:
        """Best bid and ask."""
        return await self._exchange.quote(symbol)

    async def mark(self, symbol: str) -> Decimal:
        """The mark price."""
        return await self._exchange.mark(symbol)

    async def last(self, symbol: str) -> Decimal:
        """The price of the latest public trade."""
        return await self._exchange.last(symbol)

    # what is refused, whatever it is about

    async def place(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def amend(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def cancel(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def cancel_by_venue_id(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def set_countdown(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def set_leverage(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED

    async def set_margin_mode(self, *_: object, **__: object) -> Outcome:
        """Refuse."""
        return _REFUSED
