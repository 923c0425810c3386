"""The account at Binance as requests: reads that answer or raise, writes that return an outcome (X-3).

Promises what `jumar.ports.exchange.Exchange` promises of reads and writes, whatever carries them: everything is sent
once, and what a failure means is decided by whoever sent it. Knows no sockets and no streams.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from jumar.exchange.binance import errors, outcomes, params, translate, wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import Caller, Security
from jumar.exchange.binance.history import (
    read_fills,
    read_forced_orders,
    read_funding,
    read_orders,
    read_transfers,
)
from jumar.exchange.binance.instruments import InstrumentBook
from jumar.exchange.binance.lanes import Lane, lane_of
from jumar.exchange.binance.signing import Params
from jumar.exchange.binance.timesync import TimeSync
from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
    Transfer,
)
from jumar.model.command import AmendRequest
from jumar.model.errors import VenueRefused, VenueUnavailable
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument
from jumar.model.order import Channel, Fill, OrderReport, OrderRequest
from jumar.model.outcome import Outcome, Rejected
from jumar.model.standing import VenueBudget
from jumar.model.world import Quote
from jumar.ports.clock import Clock

SETTINGS_TIMEOUT_MS = 5000
START_TRIES = 4
NO_SUCH_ORDER = -2013
#: What must be known before a position can be protected: asked for the first time it goes before all other questions.
_TO_PROTECT = frozenset(
    {
        "/fapi/v1/accountConfig",
        "/fapi/v3/positionRisk",
        "/fapi/v1/openOrders",
        "/fapi/v1/openAlgoOrders",
    }
)


class SocketCaller(Protocol):
    """The quick way for writes: the WebSocket API."""

    async def request(
        self, method: str, params: Params, *, timestamp_ms: int, timeout_ms: int, lane: Lane
    ) -> outcomes.Reply | None:
        """Send one request once and wait for its answer; None when this way cannot take it."""
        ...


class BinanceAccount:
    """Reads and writes of one account; the part of the port that needs no stream.

    Args:
        caller: carries requests over HTTP.
        socket: carries writes as long as it takes them.
        clock: exchange time.
        quote_asset: what the account is counted in.
        counters: what the ways to the venue note of its limits.
    """

    def __init__(
        self,
        *,
        caller: Caller,
        socket: SocketCaller,
        clock: Clock,
        quote_asset: str,
        counters: Budget,
    ) -> None:
        self.counters = counters
        self._caller = caller
        self._socket = socket
        self._clock = clock
        self._quote_asset = quote_asset
        self._symbols: tuple[str, ...] = ()
        self._answered: set[tuple[str, object]] = set()
        self._time = TimeSync(caller, clock)
        self._book = InstrumentBook(caller, clock, (), counters)

    @property
    def clock_uncertainty_ms(self) -> float:
        """How far exchange time may be off."""
        return self._time.uncertainty_ms

    async def _learn(self, symbols: Sequence[str]) -> None:
        """Measure the clock, see that the keys work, load the instruments; raises as `start` of the port does.

        A position may wait for this start: what one lost answer cost is asked for again at once.
        """
        self._symbols = tuple(symbols)
        self._book = InstrumentBook(self._caller, self._clock, self._symbols, self.counters)
        await self._insist(self._time.measure)
        await self._insist(self.account_settings)
        await self._insist(self._book.current)

    @staticmethod
    async def _insist[T](ask: Callable[[], Awaitable[T]]) -> T:
        """Ask up to `START_TRIES` times, unless the venue itself says how long it wants to hear nothing.

        Raises:
            VenueUnavailable: no usable answer to any of the tries.
            VenueRefused: the venue answered with a code.
        """
        for _ in range(START_TRIES - 1):
            try:
                return await ask()
            except VenueUnavailable as error:
                if error.retry_after_s is not None:
                    raise
        return await ask()

    async def instruments(self) -> Mapping[str, Instrument]:
        """Filters and brackets of the started symbols, never older than ten minutes."""
        return await self._book.current()

    async def account_settings(self) -> AccountSettings:
        """Position mode, multi-assets mode, permission to trade."""
        return await self._ask(
            "/fapi/v1/accountConfig", {}, wire.AccountConfig, translate.account_settings
        )

    async def symbol_settings(self, symbol: str) -> SymbolSettings:
        """Leverage and margin mode, read back."""
        return await self._ask(
            "/fapi/v1/symbolConfig",
            {"symbol": symbol},
            list[wire.SymbolConfig],
            lambda rows: translate.symbol_settings(rows, symbol),
        )

    async def balance(self) -> Balance:
        """The account's money in the quote asset."""
        return await self._ask(
            "/fapi/v3/account",
            {},
            wire.Account,
            lambda account: translate.balance(account, self._quote_asset),
        )

    async def positions(self) -> Mapping[str, PositionReport]:
        """All started symbols, flat ones included, and others of the account that hold something."""
        return await self._ask(
            "/fapi/v3/positionRisk",
            {},
            list[wire.PositionRow],
            lambda rows: translate.positions(rows, self._symbols),
        )

    async def open_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The regular list."""
        return await self._ask(
            "/fapi/v1/openOrders",
            {"symbol": symbol},
            list[wire.Order],
            lambda rows: tuple(map(translate.regular_order, rows)),
        )

    async def open_conditional_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The conditional list."""
        return await self._ask(
            "/fapi/v1/openAlgoOrders",
            {"algoType": "CONDITIONAL", "symbol": symbol},
            list[wire.AlgoOrder],
            lambda rows: tuple(map(translate.conditional_order, rows)),
        )

    async def order(self, symbol: str, channel: Channel, client_id: str) -> OrderReport | None:
        """One order by its client id, finished or not; None when the venue says it does not exist."""
        try:
            if channel is Channel.CONDITIONAL:
                return await self._ask(
                    "/fapi/v1/algoOrder",
                    {"clientAlgoId": client_id},
                    wire.AlgoOrder,
                    translate.conditional_order,
                )
            return await self._ask(
                "/fapi/v1/order",
                {"symbol": symbol, "origClientOrderId": client_id},
                wire.Order,
                translate.regular_order,
            )
        except VenueRefused as error:
            if error.code == NO_SUCH_ORDER:
                return None
            raise

    async def fills(self, symbol: str, since_ms: int) -> tuple[Fill, ...]:
        """Executions of the account since a moment, oldest first, without client ids."""
        return await read_fills(self._ask, symbol, since_ms=since_ms, now_ms=self._clock.now_ms())

    async def orders_since(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Regular orders of the account made since a moment, ended or not, oldest first."""
        return await read_orders(self._ask, symbol, since_ms=since_ms, now_ms=self._clock.now_ms())

    async def forced_orders(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """Liquidations and auto-deleveragings of the account since a moment, oldest first."""
        now_ms = self._clock.now_ms()
        return await read_forced_orders(self._ask, symbol, since_ms=since_ms, now_ms=now_ms)

    async def funding(self, symbol: str, since_ms: int) -> tuple[FundingPayment, ...]:
        """What a symbol's position paid and was paid at funding times since a moment, oldest first."""
        return await read_funding(
            self._ask,
            symbol,
            quote_asset=self._quote_asset,
            since_ms=since_ms,
            now_ms=self._clock.now_ms(),
        )

    async def transfers(self, since_ms: int) -> tuple[Transfer, ...]:
        """Money moved into or out of the account's quote asset since a moment, oldest first."""
        return await read_transfers(
            self._ask,
            quote_asset=self._quote_asset,
            since_ms=since_ms,
            now_ms=self._clock.now_ms(),
        )

    def budget(self) -> VenueBudget:
        """What the venue has said of its limits so far."""
        return self.counters.value()

    async def quote(self, symbol: str) -> Quote:
        """Best bid and ask, by REST."""
        return await self._ask(
            "/fapi/v1/ticker/bookTicker",
            {"symbol": symbol},
            wire.BookTicker,
            translate.quote,
            security=Security.NONE,
        )

    async def mark(self, symbol: str) -> Decimal:
        """The mark price, by REST."""
        return await self._ask(
            "/fapi/v1/premiumIndex",
            {"symbol": symbol},
            wire.PremiumIndex,
            lambda row: translate.positive(row.mark_price, "markPrice"),
            security=Security.NONE,
        )

    async def last(self, symbol: str) -> Decimal:
        """The price of the latest public trade, by REST."""
        return await self._ask(
            "/fapi/v1/ticker/price",
            {"symbol": symbol},
            wire.TickerPrice,
            lambda row: translate.positive(row.price, "price"),
            security=Security.NONE,
        )

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send one order once. `timestamp_ms` is signed; after `timeout_ms` the outcome is unknown."""
        try:
            call = params.placement(request)
        except ValueError as error:
            return Rejected(code=errors.NOT_SENT, message=f"not sent: {error}")
        judge, lane = outcomes.placed(request), lane_of(request.role)
        return await self._write(call, judge, timeout_ms, timestamp_ms, lane)

    async def amend(self, request: AmendRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Change the price of a resting regular order, once; it keeps its id and loses its place in the queue."""
        call = params.amendment(request)
        judge = outcomes.amended(request)
        return await self._write(call, judge, timeout_ms, timestamp_ms, Lane.ENTRY)

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
        call = params.cancellation(symbol, channel, client_id)
        if channel is Channel.CONDITIONAL:
            judge = outcomes.conditional_cancelled(client_id)
        else:
            judge = outcomes.cancelled(symbol, client_id=client_id)
        return await self._write(call, judge, timeout_ms, timestamp_ms, Lane.CANCEL)

    async def cancel_by_venue_id(
        self, symbol: str, venue_id: str, *, timestamp_ms: int, timeout_ms: int
    ) -> Outcome:
        """Cancel a regular order by the venue's id: the child of a triggered conditional order."""
        try:
            call = params.cancellation_by_venue_id(symbol, venue_id)
        except ValueError as error:
            return Rejected(code=errors.NOT_SENT, message=f"not sent: {error}")
        judge = outcomes.cancelled(symbol, venue_id=venue_id)
        return await self._write(call, judge, timeout_ms, timestamp_ms, Lane.CANCEL)

    async def set_leverage(self, symbol: str, leverage: int, *, timestamp_ms: int) -> Outcome:
        """Set the leverage; "already set" is accepted."""
        call = params.leverage(symbol, leverage)
        judge = outcomes.leverage_set(symbol, leverage)
        return await self._write(call, judge, SETTINGS_TIMEOUT_MS, timestamp_ms, Lane.ENTRY)

    async def set_margin_mode(self, symbol: str, mode: MarginMode, *, timestamp_ms: int) -> Outcome:
        """Set the margin mode; "already set" is accepted."""
        call = params.margin_mode(symbol, mode)
        judge = outcomes.done
        return await self._write(call, judge, SETTINGS_TIMEOUT_MS, timestamp_ms, Lane.ENTRY)

    async def set_countdown(
        self, symbol: str, countdown_ms: int, *, timestamp_ms: int, timeout_ms: int
    ) -> Outcome:
        """Have the venue cancel the symbol's regular orders after a while, unless it is told again; zero: never."""
        call = params.countdown(symbol, countdown_ms)
        judge = outcomes.countdown_set(symbol, countdown_ms)
        return await self._write(call, judge, timeout_ms, timestamp_ms, Lane.CANCEL)

    async def _ask[W, T](
        self,
        path: str,
        query: Params,
        shape: type[W],
        translated: Callable[[W], T],
        *,
        security: Security = Security.SIGNED,
    ) -> T:
        question = (path, query.get("symbol"))
        first = path in _TO_PROTECT and question not in self._answered
        lane = Lane.CANCEL if first else Lane.READ
        content = await self._caller.read(path, query, shape, security=security, lane=lane)
        self._answered.add(question)
        try:
            return translated(content)
        except wire.WireError as error:
            raise VenueUnavailable(f"{path}: answer cannot be understood: {error}") from None

    async def _write(
        self,
        call: params.Call,
        judge: outcomes.Judge,
        timeout_ms: int,
        timestamp_ms: int,
        lane: Lane,
    ) -> Outcome:
        """Send one write once, or not at all where its lane has no room (W-4): over the socket, or over REST when the socket took nothing.

        Both ways sign the caller's timestamp: a request that was held up must not become young again (X-7).
        """
        reply: outcomes.Reply | None = None
        if call.socket_method is not None:
            reply = await self._socket.request(
                call.socket_method,
                call.params,
                timestamp_ms=timestamp_ms,
                timeout_ms=timeout_ms,
                lane=lane,
            )
        if reply is None:
            reply = await self._caller.call(
                call.http_method,
                call.path,
                call.params,
                timestamp_ms=timestamp_ms,
                timeout_ms=timeout_ms,
                lane=lane,
            )
        return outcomes.outcome_of(reply, judge)

    def _on_code(self, code: int) -> None:
        """Do the adapter's own part about an error: the clock (W-2) and the filters (W-3)."""
        match errors.row_for(code).remedy:
            case errors.Remedy.MEASURE_CLOCK:
                self._time.request()
            case errors.Remedy.RELOAD_FILTERS:
                self._book.invalidate()
            case None:
                return
