"""The exchange port on Binance USDⓈ-M futures.

Promises what `jumar.ports.exchange.Exchange` promises. Orders go over the WebSocket API; when its socket is not
connected, nothing was sent there and they go over REST. Everything is sent once: what a failure means is decided
by whoever sent it. Knows nothing of plans, trades or roles.
"""

import asyncio
from collections.abc import Callable, Sequence

import aiohttp
import structlog

from jumar.exchange.binance import errors, outcomes, wire
from jumar.exchange.binance.account import BinanceAccount
from jumar.exchange.binance.budget import Budget, CommonCount
from jumar.exchange.binance.caller import Security
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.rest import Rest, open_session
from jumar.exchange.binance.signing import Credentials, Signer
from jumar.exchange.binance.sockets import FirstFailure
from jumar.exchange.binance.streams import FrameReader, MarketStreams, UserStream
from jumar.exchange.binance.ws_api import WsApi
from jumar.model.errors import ConfigError, VenueRefused, VenueUnavailable
from jumar.ports.clock import Clock
from jumar.ports.exchange import ClockEvent, EventSink

log = structlog.get_logger(__name__)


class BinanceExchange(BinanceAccount):
    """One Binance USDⓈ-M account; satisfies `jumar.ports.exchange.Exchange`.

    Args:
        host_quota: what all engines of this machine use of their common address; None where this one is alone.

    Attributes:
        counters: the budget of weight and orders, as last told.
    """

    def __init__(
        self,
        *,
        endpoints: Endpoints,
        credentials: Credentials,
        clock: Clock,
        recv_window_ms: int = 3000,
        quote_asset: str = "USDT",
        host_quota: CommonCount | None = None,
    ) -> None:
        counters = Budget(host=host_quota)
        self._endpoints = endpoints
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
            budget=counters,
            on_code=self._on_code,
        )
        self._ws_api = WsApi(
            url=endpoints.ws_api_url,
            signer=signer,
            clock=clock,
            recv_window_ms=recv_window_ms,
            budget=counters,
            on_code=self._on_code,
        )
        super().__init__(
            caller=self._rest,
            socket=self._ws_api,
            clock=clock,
            quote_asset=quote_asset,
            counters=counters,
        )

    def __repr__(self) -> str:
        """Show the address, never the keys."""
        return f"BinanceExchange({self._endpoints.rest_url})"

    @property
    def unreadable_frames(self) -> int:
        """How many stream frames could not be read since the start."""
        return 0 if self._reader is None else self._reader.unreadable

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
        self._session = self._rest.session = open_session()
        self._time.on_measured = self._tell_of_clock(sink)
        await self._insist(self._greet)
        await self._learn(symbols)
        self._time.start()
        await self._open_sockets(self._session, sink)

    def _tell_of_clock(self, sink: EventSink) -> Callable[[float], None]:
        def measured(off_ms: float) -> None:
            sink(ClockEvent(off_ms=round(off_ms), at_ms=self._clock.now_ms()))

        return measured

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
            url=stream_url, caller=self._rest, clock=self._clock, reader=reader, sink=sink
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
        if self.counters.host is not None:
            self.counters.host.close()


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
