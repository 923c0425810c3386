"""The server: an exchange, its sockets and its pace, from start to orderly end.

Promises: `ready_file` appears only once every address answers; the ledger says when serving began and ended; a failure
of the market's path ends the server loudly instead of leaving a frozen market.
"""

import asyncio
import errno
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from jumar.exchange.simulated.core.dialect.events import listen_key_expired, trade_lite
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import LiveMarket, ManualMarket
from jumar.exchange.simulated.server.auth import (
    Ed25519Verifier,
    Gate,
    HmacVerifier,
    Verifier,
    key_pair,
)
from jumar.exchange.simulated.server.bulletins import Bulletins
from jumar.exchange.simulated.server.config import PortInUseError, Ready, ServeConfig
from jumar.exchange.simulated.server.control import Control
from jumar.exchange.simulated.server.faults.control import FaultControl
from jumar.exchange.simulated.server.faults.faults import Faults, Machinery
from jumar.exchange.simulated.server.feed import MarketFeed
from jumar.exchange.simulated.server.framing import server_logger
from jumar.exchange.simulated.server.gateway import Gateway
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.pacer import Pacer
from jumar.exchange.simulated.server.packing import packer
from jumar.exchange.simulated.server.rest import Rest
from jumar.exchange.simulated.server.streams import PREFIXES, Hub
from jumar.exchange.simulated.server.unknown import Unknown
from jumar.exchange.simulated.server.ws_api import WsApi
from jumar.ports.clock import new_identity

EXPIRY_CHECK_S = 1.0
SHUTDOWN_S = 1.0


class SimulatedServer:
    """One exchange on one port. Use as an async context manager, or `start` and `stop`."""

    def __init__(self, config: ServeConfig) -> None:
        self._config = config
        self._clock = config.clock
        self._key = config.api_key or new_identity() + new_identity()
        self._secret = config.api_secret or new_identity() + new_identity()
        self._ed25519_key = new_identity() + new_identity()
        self._ed25519 = key_pair(new_identity() + new_identity())
        if config.start_ms is not None:
            self._clock.set_offset(0)
            self._clock.set_offset(config.start_ms - self._clock.now_ms())
        self.exchange = Exchange(
            symbols=config.symbols or config.market.symbols,
            balance=config.balance,
            account=config.account,
            now_ms=self._clock.now_ms(),
            limits=config.limits,
            terms=config.terms,
            readings=config.readings,
            pack=packer(),
        )
        self._listen_keys = ListenKeys(lambda: new_identity() + new_identity())
        self.unknown = Unknown(config.tell)
        self._hub = Hub(
            lambda key: self._listen_keys.valid(key, self._clock.now_ms()),
            self._clock,
            config.routes,
            limits=config.limits,
            unknown=self.unknown,
            everything=config.readings.user_events_default == "all",
        )
        self.exchange.subscribe(self._publish_user)
        self._feed = MarketFeed(self.exchange, self._hub, self._clock)
        self._bulletins = Bulletins(self.exchange, self._hub, self._clock)
        self.exchange.subscribe(self._bulletins.told)
        self._pacer = Pacer(config.market, self._advance, self._clock, config.speed)
        gateway = Gateway(self.exchange, self._gate(), self._listen_keys, self._clock, self.unknown)
        machinery = Machinery(
            exchange=self.exchange,
            clock=self._clock,
            hub=self._hub,
            listen_keys=self._listen_keys,
            pacer=self._pacer,
            manual=config.market if isinstance(config.market, ManualMarket) else None,
        )
        self.faults = Faults(machinery)
        self.faults.check(config.faults)
        gateway.faults = self.faults.requests
        self._ws_api = WsApi(gateway, limits=config.limits)
        self._runner = web.AppRunner(
            self._application(gateway),
            access_log=None,
            logger=server_logger(),
            shutdown_timeout=SHUTDOWN_S,
            auto_decompress=False,  # a body counts as it was sent and signed
        )
        self._live = config.market if isinstance(config.market, LiveMarket) else None
        self._tasks: list[asyncio.Task[None]] = []
        self._port = config.port

    @property
    def urls(self) -> Ready:
        """Where the exchange answers, and the key; valid after `start`."""
        host = f"{self._config.host}:{self._port}"
        return Ready(
            rest=f"http://{host}",
            stream=f"ws://{host}",
            ws_api=f"ws://{host}/ws-fapi/v1",
            api_key=self._key,
            api_secret=self._secret,
            ed25519_api_key=self._ed25519_key,
            ed25519_private_key=self._ed25519.private,
        )

    async def start(self) -> None:
        """Listen, give every symbol its first price, start the pace, write the ready file.

        Raises:
            PortInUseError: somebody else listens there.
            ValueError: the market has no beginning for a symbol.
            NoPricesError: the real market, which it is to follow, says nothing.
            OSError: the ready file cannot be written; everything is stopped again.
        """
        await self._runner.setup()
        try:
            if self._live is not None:
                await self._live.begin()
            await self._listen()
            self._pacer.prime()
        except BaseException:
            await self._forget_live()
            await self._runner.cleanup()
            raise
        self.exchange.serving(on=True, now_ms=self._clock.now_ms())
        self.faults.add(self._config.faults)
        feeds = (self._feed.run(), self._bulletins.run(), self.faults.run())
        jobs = (self._pacer.run(), self._pacer.repeat(), *feeds, self._expire())
        self._tasks = [asyncio.create_task(job) for job in jobs]
        if self._live is not None:
            self._tasks.append(asyncio.create_task(self._live.follow(self._pacer.apply)))
        if self._config.ready_file is not None:
            try:
                _write_ready(self._config.ready_file, self.urls)
            except OSError:
                await self.stop()
                raise

    async def stop(self) -> None:
        """End in order: no more steps, sockets closed, the ledger closed."""
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._forget_live()
        self._feed.close()
        self.faults.close()
        self.exchange.serving(on=False, now_ms=self._clock.now_ms())
        await self._hub.close()
        await self._ws_api.close()
        await self._runner.cleanup()
        self.exchange.close(self._clock.now_ms())
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def wait(self) -> None:
        """Return when a task of the server has failed; `stop` then raises its error."""
        running = set(self._tasks)
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() for task in done):
                return

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _forget_live(self) -> None:
        if self._live is not None:
            await self._live.close()

    def _advance(self, step: MarketStep) -> None:
        if step.symbol in self.exchange.symbols:
            if self.faults.stepping:
                step = self.faults.step(step)
            self.exchange.advance(step, self._clock.now_ms())
            self._feed.stepped(step)
            self._bulletins.stepped(step)
            if self.faults.stepping:
                self.faults.stepped()

    def _publish_user(self, event: dict[str, Any]) -> None:
        """Send a user event, an execution in its short form too."""
        if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["x"] == "TRADE":
            self._hub.publish_user(trade_lite(event))
        self._hub.publish_user(event)

    async def _listen(self) -> None:
        site = web.TCPSite(self._runner, self._config.host, self._config.port)
        try:
            await site.start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(self._config.host, self._config.port) from None
            raise
        self._port = self._runner.addresses[0][1]

    async def _expire(self) -> None:
        while True:
            await self._clock.sleep(EXPIRY_CHECK_S)
            now_ms = self._clock.now_ms()
            expired = self._listen_keys.expired(now_ms)
            if expired is not None:
                self._hub.publish_expiry(expired, listen_key_expired(expired, now_ms))

    def _gate(self) -> Gate:
        verifiers: dict[str, Verifier] = {self._key: HmacVerifier(self._secret)}
        keys = {self._ed25519_key: self._ed25519.public, **self._config.ed25519_keys}
        for key, pem in keys.items():
            verifiers[key] = Ed25519Verifier(pem)
        return Gate(verifiers)

    def _application(self, gateway: Gateway) -> web.Application:
        market = self._config.market
        control = Control(self.exchange, self._clock, market, self._pacer.apply, self.unknown)
        application = web.Application()
        router = application.router
        rest = Rest(gateway).handle
        router.add_route("*", "/fapi/{rest:.*}", rest)
        router.add_get("/ws-fapi/v1", self._ws_api.handle)
        router.add_get("/sim/judge", control.judge)
        router.add_get("/sim/ledger", control.ledger)
        router.add_get("/sim/unknown", control.unknown)
        router.add_get("/sim/market", control.market)
        router.add_post("/sim/price", control.price)
        router.add_post("/sim/cancel", control.cancel)
        router.add_post("/sim/adl", control.deleverage)
        faults = FaultControl(self.faults)
        router.add_post("/sim/faults", faults.add)
        router.add_get("/sim/faults", faults.show)
        router.add_delete("/sim/faults", faults.remove)
        for prefix in ("", *(f"/{prefix}" for prefix in PREFIXES)):
            router.add_get(prefix + "/ws", self._hub.handle)
            router.add_get(prefix + "/ws/{streams:.*}", self._hub.handle)
            router.add_get(prefix + "/stream", self._hub.handle)
            router.add_get(prefix + "/stream/{streams:.*}", self._hub.handle)
        router.add_route("*", "/{rest:.*}", rest)
        return application


async def serve(config: ServeConfig, greet: Callable[[Mapping[str, object]], None]) -> None:
    """Serve until SIGINT or SIGTERM, or until the market's path fails; `greet` is told the addresses.

    Raises:
        PortInUseError: somebody else listens there.
        ValueError: bad input; the message names the setting.
    """
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with SimulatedServer(config) as server:
        greet(server.urls)
        waits = [asyncio.create_task(stopped.wait()), asyncio.create_task(server.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


def _write_ready(path: Path, urls: Ready) -> None:
    """Write the ready file in one move; it holds a secret, so only its owner may read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(urls))
    draft.replace(path)
