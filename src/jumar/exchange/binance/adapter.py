"""The exchange port on Binance USDⓈ-M futures.

Promises what `jumar.ports.exchange.Exchange` promises. Orders go over the WebSocket API; when its socket is not
connected, nothing was sent there and they go over REST. Everything is sent once: what a failure means is decided
by whoever sent it. Knows nothing of plans, trades or roles.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import aiohttp
import structlog

from jumar.exchange.binance import errors, outcomes, params, translate, wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.history import read_fills, read_forced_orders, read_orders
from jumar.exchange.binance.instruments import InstrumentBook
from jumar.exchange.binance.rest import Rest, Security, open_session
from jumar.exchange.binance.signing import Credentials, Params, Signer
from jumar.exchange.binance.sockets import FirstFailure
from jumar.exchange.binance.streams import FrameReader, MarketStreams, UserStream
from jumar.exchange.binance.timesync import TimeSync
from jumar.exchange.binance.ws_api import WsApi
from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
)
from jumar.model.errors import ConfigError, VenueRefused, VenueUnavailable
from jumar.model.instrument import Instrument
from jumar.model.order import Channel, Fill, OrderReport, OrderRequest
from jumar.model.outcome import Outcome, Rejected
from jumar.model.world import Quote
from jumar.ports.clock import Clock
from jumar.ports.exchange import EventSink

SETTINGS_TIMEOUT_MS = 5000
NO_SUCH_ORDER = -2013
log = structlog.get_logger(__name__)


class BinanceExchange:
    """One Binance USDⓈ-M account; satisfies `jumar.ports.exchange.Exchange`.

    Attributes:
        budget: the venue's counters of weight and orders, as last told.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        credentials: Credentials,
        clock: Clock,
        recv_window_ms: int = 3000,
        quote_asset: str = "USDT",
    ) -> None:
        self.budget = Budget()
        self._endpoints = endpoints
        self._clock = clock
        self._quote_asset = quote_asset
        self._symbols: tuple[str, ...] = ()
        self._session: aiohttp.ClientSession | None = None
        self._reader: FrameReader | None = None
        self._user: UserStream | None = None
        self._markets: MarketStreams | None = None
        signer = Signer(credentials)
        self._rest = Rest(
            base_url=endpoints.rest_url,
            signer=signer,
            clock=clock,
            recv_window_ms=recv_window_ms,
            budget=self.budget,
            on_code=self._on_code,
        )
        self._ws_api = WsApi(
            url=endpoints.ws_api_url,
            signer=signer,
            clock=clock,
            recv_window_ms=recv_window_ms,
            budget=self.budget,
            on_code=self._on_code,
        )
        self._time = TimeSync(self._rest, clock)
        self._book = InstrumentBook(self._rest, clock, ())

    def __repr__(self) -> str:
        """Show the address, never the keys."""
        return f"BinanceExchange({self._endpoints.rest_url})"

    @property
    def unreadable_frames(self) -> int:
        """How many stream frames could not be read since the start."""
        return 0 if self._reader is None else self._reader.unreadable

    @property
    def clock_uncertainty_ms(self) -> float:
        """How far exchange time may be off."""
        return self._time.uncertainty_ms

    async def start(self, symbols: Sequence[str], sink: EventSink) -> None:
        """Measure the clock, load instruments, open the streams.

        Raises:
            ConfigError: keys refused, a symbol the venue does not list, a wrong address.
            VenueUnavailable: no answer; may be called again.
        """
        await self.close()
        try:
            await self._start(tuple(symbols), sink)
        except VenueRefused as error:
            await self.close()
            raise _as_config_error(error) from None
        except BaseException:
            await self.close()
            raise

    async def _start(self, symbols: tuple[str, ...], sink: EventSink) -> None:
        self._symbols = symbols
        self._session = self._rest.session = open_session()
        await self._greet()
        await self._time.measure()
        await self.account_settings()
        self._book = InstrumentBook(self._rest, self._clock, symbols)
        await self._book.current()
        self._time.start()
        await self._open_sockets(self._session, sink)

    async def _greet(self) -> None:
        """Ask something that needs no key, to tell a wrong address from a venue that is away."""
        path = "/fapi/v1/time"
        reply = await self._rest.call("GET", path, {}, security=Security.NONE)
        wrong = isinstance(reply, outcomes.Answer) and reply.status < 500 and reply.error() is None
        try:
            self._rest.unwrap(reply, path, wire.ServerTime)
        except VenueUnavailable as error:
            if not wrong:
                raise
            raise ConfigError(
                f"rest_url: {self._endpoints.rest_url} does not answer as Binance futures do "
                f"({error}); check the address"
            ) from None

    async def _open_sockets(self, session: aiohttp.ClientSession, sink: EventSink) -> None:
        stream_url = self._endpoints.stream_url
        reader = self._reader = FrameReader(
            sink, symbols=self._symbols, quote_asset=self._quote_asset
        )
        self._user = UserStream(
            url=stream_url, rest=self._rest, clock=self._clock, reader=reader, sink=sink
        )
        self._markets = MarketStreams(
            url=stream_url, symbols=self._symbols, clock=self._clock, reader=reader
        )
        for part in (self._ws_api, self._user, self._markets):
            part.start(session)
        _require("ws_api_url", await self._ws_api.first_attempt(), optional=True)
        _require("stream_url", await self._user.first_attempt())
        _require("stream_url", await self._markets.first_attempt())

    async def close(self) -> None:
        """Close every socket; leaves all orders as they are."""
        parts = (self._time, self._ws_api, self._user, self._markets)
        await asyncio.gather(*(part.close() for part in parts if part is not None))
        self._user = self._markets = None
        if self._session is not None:
            await self._session.close()
        self._session = self._rest.session = None

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
        """All started symbols, flat ones included."""
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
        return await self._write(call, outcomes.placed(request), timeout_ms, timestamp_ms)

    async def cancel(
        self, symbol: str, channel: Channel, client_id: str, *, timeout_ms: int
    ) -> Outcome:
        """Cancel one order by its client id. Accepted means that its end is proven."""
        call = params.cancellation(symbol, channel, client_id)
        if channel is Channel.CONDITIONAL:
            judge = outcomes.conditional_cancelled(client_id)
        else:
            judge = outcomes.cancelled(symbol, client_id=client_id)
        return await self._write(call, judge, timeout_ms)

    async def cancel_by_venue_id(self, symbol: str, venue_id: str, *, timeout_ms: int) -> Outcome:
        """Cancel a regular order by the venue's id: the child of a triggered conditional order."""
        try:
            call = params.cancellation_by_venue_id(symbol, venue_id)
        except ValueError as error:
            return Rejected(code=errors.NOT_SENT, message=f"not sent: {error}")
        return await self._write(call, outcomes.cancelled(symbol, venue_id=venue_id), timeout_ms)

    async def set_leverage(self, symbol: str, leverage: int) -> Outcome:
        """Set the leverage; "already set" is accepted."""
        call = params.leverage(symbol, leverage)
        judge = outcomes.leverage_set(symbol, leverage)
        return await self._write(call, judge, SETTINGS_TIMEOUT_MS)

    async def set_margin_mode(self, symbol: str, mode: MarginMode) -> Outcome:
        """Set the margin mode; "already set" is accepted."""
        return await self._write(
            params.margin_mode(symbol, mode), outcomes.done, SETTINGS_TIMEOUT_MS
        )

    async def _ask[W, T](
        self,
        path: str,
        query: Params,
        shape: type[W],
        translated: Callable[[W], T],
        *,
        security: Security = Security.SIGNED,
    ) -> T:
        content = await self._rest.read(path, query, shape, security=security)
        try:
            return translated(content)
        except wire.WireError as error:
            raise VenueUnavailable(f"{path}: answer cannot be understood: {error}") from None

    async def _write(
        self,
        call: params.Call,
        judge: outcomes.Judge,
        timeout_ms: int,
        timestamp_ms: int | None = None,
    ) -> Outcome:
        """Send one write once: over the socket, or over REST when the socket took nothing."""
        stamp = self._clock.now_ms() if timestamp_ms is None else timestamp_ms
        reply: outcomes.Reply | None = None
        if call.socket_method is not None:
            reply = await self._ws_api.request(
                call.socket_method, call.params, timestamp_ms=stamp, timeout_ms=timeout_ms
            )
        if reply is None:
            reply = await self._rest.call(
                call.http_method, call.path, call.params, timestamp_ms=stamp, timeout_ms=timeout_ms
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


def _require(field: str, failure: FirstFailure | None, *, optional: bool = False) -> None:
    if failure is None:
        return
    if failure.refused:
        raise ConfigError(f"{field}: {failure.reason}; check the address")
    if optional:
        log.warning("socket_not_up_yet", field=field, reason=failure.reason)
        return
    raise VenueUnavailable(f"{field}: {failure.reason}")


def _as_config_error(error: VenueRefused) -> ConfigError:
    if error.code in errors.KEY_CODES:
        return ConfigError(
            f"API key: the venue refused it ({error}); check key and secret, the permission for "
            "futures and the allowed IP addresses"
        )
    return ConfigError(f"the venue refuses the account: {error}")
