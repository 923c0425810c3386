"""The ways to one exchange: REST, WebSocket API and user stream, built from the adapter's own parts.

Promises that `close` leaves no task and no connection behind. Knows nothing of questions.
"""

import asyncio
from typing import Any

import aiohttp

from jumar.exchange.binance import wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import Security
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.probe.ear import Ear
from jumar.exchange.binance.rest import Rest, open_session
from jumar.exchange.binance.signing import Credentials, Signer
from jumar.exchange.binance.streams import LISTEN_KEY_PATH, UserStream
from jumar.exchange.binance.timesync import TimeSync
from jumar.exchange.binance.ws_api import WsApi
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.ports.clock import Clock

RECV_WINDOW_MS = 5000


class Lines:
    """The connections of one probe.

    Attributes:
        budget: what the exchange counted of its limits.
        ear: what the user stream said; None while only REST is open.
    """

    def __init__(self, *, endpoints: Endpoints, credentials: Credentials, clock: Clock) -> None:
        self.endpoints = endpoints
        self.clock = clock
        self.signer = Signer(credentials)
        self.budget = Budget()
        self.ear: Ear | None = None
        terms: dict[str, Any] = {
            "signer": self.signer,
            "clock": clock,
            "recv_window_ms": RECV_WINDOW_MS,
            "budget": self.budget,
            "on_code": lambda _: None,
        }
        self.rest = Rest(base_url=endpoints.rest_url, **terms)
        self.ws_api = WsApi(url=endpoints.ws_api_url, **terms)
        self._time = TimeSync(self.rest, clock)
        self._user: UserStream | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open HTTP session.

        Raises:
            VenueUnavailable: nothing is open.
        """
        if self.rest.session is None:
            raise VenueUnavailable("the probe is not connected")
        return self.rest.session

    async def open(self) -> None:
        """Open REST and measure the exchange's clock.

        Raises:
            VenueUnavailable, VenueRefused: it does not answer as it should.
        """
        self.rest.session = open_session()
        await self._time.measure()

    async def listen(self, symbol: str, quote_asset: str) -> Ear:
        """Open the user stream, and try the WebSocket API, which one question alone needs.

        Raises:
            ConfigError: the stream's address is no such socket.
            VenueUnavailable: the user stream did not open.
        """
        ear = self.ear = Ear(symbol, quote_asset)
        self._user = UserStream(
            url=self.endpoints.stream_url,
            caller=self.rest,
            clock=self.clock,
            reader=ear,
            sink=ear.hear,
        )
        self._user.start(self.session)
        self.ws_api.start(self.session)
        self._time.start()
        failure = await self._user.first_attempt()
        await self.ws_api.first_attempt()
        if failure is None:
            return ear
        if failure.refused:
            raise ConfigError(f"the user stream: {failure.reason}; check the address")
        raise VenueUnavailable(f"the user stream did not open: {failure.reason}")

    async def listen_key(self) -> str:
        """The account's listen key: asking for it again gives the same one.

        Raises:
            VenueUnavailable, VenueRefused: as a read.
        """
        reply = await self.rest.call("POST", LISTEN_KEY_PATH, {}, security=Security.KEY)
        return self.rest.unwrap(reply, LISTEN_KEY_PATH, wire.ListenKey).listen_key

    async def close(self) -> None:
        """Close everything; the listen key is left to expire, because other programs may share it."""
        parts = (self._time, self.ws_api, self._user)
        await asyncio.gather(*(part.close() for part in parts if part is not None))
        self._user = None
        if self.rest.session is not None:
            await self.rest.session.close()
        self.rest.session = None
