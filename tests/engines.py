"""A whole engine against the simulated exchange over real sockets, in one event loop, for story tests.

Real adapter, real wire, real SQLite; prices move only when the test moves them. Tests wait for states, never
for a time.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from jumar.decisions.file import FileDecisions
from jumar.exchange.binance.adapter import BinanceExchange
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.signing import Credentials
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.config import ServeConfig, parse_start
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.model.journal import Incident
from jumar.model.policy import Policy
from jumar.ports.clock import SystemClock
from jumar.ports.decisions import POLLS_PER_TICK
from jumar.ports.exchange import Exchange
from jumar.ports.observer import TickReport
from jumar.ports.store import Store
from jumar.reconciler.supervise import Engine
from jumar.store.journal import SqlStore

START = "2025-12-05T10:04:50Z"
#: How long a state may take to come. No promise, only the end of hope: a slow machine may need most of it.
PATIENCE_S = 45.0
#: What is tried here may trade and lose more often than a day's limits allow.
POLICY = Policy(
    max_notional_usdt=Decimal(5000),
    loop_interval_s=Decimal("0.5"),
    max_trades_per_day=100,
    cooldown_after_loss_s=0,
)
EXAMPLE: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "timestamp_iso": "2025-12-05T10:04:52Z",
    "action": "long",
    "reason": "trend_up",
    "entry_zone": [90700, 90900],
    "sl": 90380,
    "tp1": 91600,
    "tp2": 92900,
    "risk_level": 2,
    "position_size_usdt": 1200,
    "leverage": 3,
    "confidence": 0.74,
    "risk_checks": {
        "daily_dd_ok": True,
        "weekly_dd_ok": True,
        "max_trades_per_day_ok": True,
        "session_ok": True,
        "no_major_news": True,
    },
    "position_management": {
        "tp1_fraction": 0.5,
        "enable_trailing": True,
        "trail_mode": "structure_plus_liq",
        "liq_tp_zone_id": "cluster_1",
    },
}


@dataclass
class Watcher:
    """Collects what the engine reports."""

    ticks: list[TickReport] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)

    def tick(self, report: TickReport) -> None:
        """Remember a tick."""
        self.ticks.append(report)

    def incident(self, incident: Incident) -> None:
        """Remember an incident."""
        self.incidents.append(incident)


class Stage:
    """The simulated exchange, the decision file and the engine of one test.

    Attributes:
        dated: the time of the example, once it was written: decisions of one time are one decision.
    """

    def __init__(self, folder: Path, server: SimulatedServer, policy: Policy) -> None:
        self.folder = folder
        self.server = server
        self.policy = policy
        self.watcher = Watcher()
        self.dated: str | None = None
        self.engine: Engine | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._session = aiohttp.ClientSession()

    async def start_engine(
        self,
        wrap: Callable[[Exchange], Exchange] = lambda real: real,
        *,
        wrap_store: Callable[[Store], Store] = lambda real: real,
    ) -> None:
        """Start an engine on this stage's database and decision file.

        Args:
            wrap: may put a fault between engine and adapter; the venue behind stays real.
            wrap_store: the same for the store.
        """
        clock = SystemClock()
        self.engine = Engine(
            account="main",
            policies={"BTCUSDT": self.policy},
            exchange=wrap(self._adapter(clock)),
            store=wrap_store(SqlStore(f"sqlite:///{self.folder / 'jumar.db'}")),
            source=FileDecisions(
                self.folder / "decision.json",
                account="main",
                symbols=("BTCUSDT",),
                polls_per_tick=POLLS_PER_TICK,
            ),
            clock=clock,
            observers=(self.watcher,),
        )
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self.engine.run(self._stop))
        await self.until(self._is_ready)

    def _adapter(self, clock: SystemClock) -> BinanceExchange:
        urls = self.server.urls
        return BinanceExchange(
            endpoints=Endpoints(
                rest_url=urls["rest"], stream_url=urls["stream"], ws_api_url=urls["ws_api"]
            ),
            credentials=Credentials(key=urls["api_key"], secret=urls["api_secret"]),
            clock=clock,
        )

    async def stop_engine(self) -> None:
        """Stop it in an orderly way."""
        if self._task is not None:
            self._stop.set()
            await self._task
            self._task = None

    async def close(self) -> None:
        """Stop the engine and free the sockets."""
        await self.stop_engine()
        await self._session.close()

    async def _is_ready(self) -> bool:
        if self._task is not None and self._task.done():
            ended, self._task = self._task, None
            await ended
        engine = self.engine
        return engine is not None and bool(engine.loops) and engine.loops["BTCUSDT"].state.ready

    def idle(self) -> bool:
        """Whether the engine has no open trade."""
        return self.engine is not None and self.engine.loops["BTCUSDT"].state.trade is None

    @property
    def now_ms(self) -> int:
        """The exchange's clock."""
        return self.server._clock.now_ms()

    def decide(self, **changes: Any) -> None:
        """Write the decision file, as anybody's system would: the example, dated when it is first written."""
        now = datetime.fromtimestamp(self.now_ms / 1000, tz=UTC)
        self.dated = self.dated or now.isoformat()
        part = self.folder / "decision.json.part"
        part.write_text(json.dumps({**EXAMPLE, "timestamp_iso": self.dated, **changes}))
        part.replace(self.folder / "decision.json")

    async def price(self, last: str, *, spread: str = "0.1") -> None:
        """Move last, mark and quote together."""
        body = {
            "symbol": "BTCUSDT",
            "last": last,
            "mark": last,
            "bid": last,
            "ask": str(Decimal(last) + Decimal(spread)),
        }
        await self.control("price", body)

    async def control(self, name: str, body: Mapping[str, Any] | list[Any]) -> Any:
        """POST to the exchange's control surface."""
        url = f"{self.server.urls['rest']}/sim/{name}"
        async with self._session.post(url, json=body) as answer:
            text = await answer.text()
            assert answer.status == 200, text
            return json.loads(text) if text else None

    async def signed(self, method: str, path: str, params: dict[str, str]) -> Any:
        """A signed request of the account's owner, past the engine."""
        urls = self.server.urls
        sent = {**params, "recvWindow": "60000", "timestamp": str(self.now_ms)}
        query = "&".join(f"{name}={value}" for name, value in sent.items())
        secret = urls["api_secret"].encode()
        signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        url = f"{urls['rest']}{path}?{query}&signature={signature}"
        headers = {"X-MBX-APIKEY": urls["api_key"]}
        async with self._session.request(method, url, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def ledger(self) -> list[dict[str, Any]]:
        """The truth so far."""
        async with self._session.get(f"{self.server.urls['rest']}/sim/ledger") as answer:
            return [json.loads(line) for line in (await answer.text()).splitlines()]

    async def verdict(self) -> dict[str, Any]:
        """The judge's word."""
        async with self._session.get(f"{self.server.urls['rest']}/sim/judge") as answer:
            result: dict[str, Any] = await answer.json()
            return result

    async def alive(self) -> dict[str, dict[str, Any]]:
        """What rests on the exchange by role and attempt, from its own ledger."""
        orders: dict[str, dict[str, Any]] = {}
        for record in await self.ledger():
            if record["kind"] in {"order", "conditional"} and record.get("client_id"):
                name = record["client_id"].split("-")[-1]
                if record.get("parent_algo_id") is None:
                    orders[name] = record
        over = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "FINISHED"}
        return {name: record for name, record in orders.items() if record["status"] not in over}

    async def position(self) -> Decimal:
        """The position on the exchange."""
        moves = [r for r in await self.ledger() if r["kind"] == "position"]
        return Decimal(moves[-1]["quantity"]) if moves else Decimal(0)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a state; fails with what the exchange saw when it does not come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await holds():  # noqa: ASYNC110 - the state is in the exchange's hands
                    await asyncio.sleep(0.02)
        except TimeoutError:
            tail = [r for r in await self.ledger() if r["kind"] != "market"][-12:]
            incidents = [str(i) for i in self.watcher.incidents[-5:]]
            refusals = [r.plan.refusals for r in self.watcher.ticks[-2:]]
            raise AssertionError(
                "the state did not come\n" + "\n".join(map(str, [*tail, *incidents, *refusals]))
            ) from None

    async def until_alive(self, *names: str) -> dict[str, dict[str, Any]]:
        """Wait until exactly these rest."""

        async def holds() -> bool:
            return set(await self.alive()) == set(names)

        await self.until(holds)
        return await self.alive()


@asynccontextmanager
async def staged(
    folder: Path, policy: Policy = POLICY, readings: Readings = DEFAULT_READINGS
) -> AsyncIterator[Stage]:
    """An exchange at the example's hour with a quiet price of 90 820, and a stage on it."""
    market = ManualMarket(
        ("BTCUSDT",),
        tick_sizes={"BTCUSDT": Decimal("0.10")},
        start_prices={"BTCUSDT": Decimal(90820)},
    )
    config = ServeConfig(market=market, start_ms=parse_start(START), readings=readings)
    async with SimulatedServer(config) as server:
        stage = Stage(folder, server, policy)
        try:
            yield stage
        finally:
            await stage.close()
