"""Two engines on one PostgreSQL database: one owns it, one follows, and the one that was followed does nothing (X-7).

Real processes, a real server, the simulated exchange on loopback; what was executed is the exchange's own record.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests import postgres
from tests.databases import rows, server
from tests.engines import Stage, staged
from tests.life import Life, Understudy
from tests.lives import POLICY

from jumar.model.errors import ConfigError
from jumar.store.journal import SqlStore
from jumar.store.place import Place, parse

__all__ = ["server"]

TTL_S, RECV_WINDOW_MS = 3, 1000


@dataclass
class Pair:
    """Engines that share one database and have a folder each."""

    stage: Stage
    place: Place
    url: str
    lives: list[Life] = field(default_factory=list)

    async def begin(self) -> Life:
        """Begin another engine."""
        number = len(self.lives)
        folder = self.stage.folder / f"engine{number}"
        folder.mkdir()
        (folder / "decision.json").symlink_to(self.stage.folder / "decision.json")
        config = folder / "life.json"
        own = {"lease_ttl_s": str(TTL_S), "recv_window_ms": str(RECV_WINDOW_MS)}
        told = {
            "urls": dict(self.stage.server.urls),
            "database": self.url,
            "decision": str(folder / "decision.json"),
            "policy": {**POLICY, **own},
            "recv_window_ms": RECV_WINDOW_MS,
            "marker": str(folder / "marker"),
        }
        config.write_text(json.dumps(told))
        understudy = await Understudy.called(folder / "log")
        await understudy.ready()
        life = understudy.begin(config, None, folder / "marker")
        self.lives.append(life)
        return life

    def log(self, number: int) -> str:
        """What an engine complained of."""
        return (self.stage.folder / f"engine{number}" / "log").read_text()


@asynccontextmanager
async def pair(folder: Path, server: postgres.Server) -> AsyncIterator[Pair]:
    """A stage and a database on which nobody runs yet."""
    url = server.fresh(template="blank")
    async with staged(folder) as stage:
        both = Pair(stage, parse(url, folder), url)
        try:
            yield both
        finally:
            for life in both.lives:
                await life.kill()


@pytest.mark.rule("X-7", "P-1", "P-3")
async def test_an_engine_that_stood_still_is_followed_and_does_nothing_any_more(
    server: postgres.Server, tmp_path: Path
) -> None:
    """Frozen with a position for longer than its lease; the next one protects at once; thawed, nothing is executed."""
    async with pair(tmp_path, server) as both:
        stage = both.stage
        first = await both.begin()

        async def reads() -> bool:
            return bool(first.readable)

        await stage.until(reads)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        first.freeze()
        with pytest.raises(
            ConfigError, match=r"is in use by process \d+ .*whose lease lasts until"
        ):
            await SqlStore(both.place).open()
        await cancelled_by_hand(stage, "S1")
        await stage.until(lambda: lease_is_over(both.place))
        second = await both.begin()
        await stage.until_alive("S2", "B1", "P1", "Q1")
        (lease,) = rows(both.place, "SELECT epoch FROM lease")
        assert lease == (2,)
        settled = len(second.ticks) + 3

        async def looked() -> bool:
            return len(second.ticks) >= settled

        await stage.until(looked)
        before = await done(stage)
        first.thaw()
        assert await first.ended() == 1
        assert "has taken over" in both.log(0)
        assert await done(stage) == before
        await stage.price("91600.0")
        await stage.until_alive("S3", "B1", "Q1")
        verdict = await stage.verdict()
        assert all(verdict["promises"].values()), verdict


async def moved_on(stage: Stage) -> bool:
    """Whether half is sold and the stop is tighter; by how much, and in how many steps, is the market's affair."""
    resting = set(await stage.alive())
    stops = {name for name in resting if name.startswith("S")}
    return resting - stops == {"B1", "Q1"} and len(stops) == 1 and stops.isdisjoint({"S1", "S2"})


async def done(stage: Stage) -> list[dict[str, Any]]:
    """All that anybody did at the exchange; the market goes on by itself."""
    return [record for record in await stage.ledger() if record["kind"] != "market"]


async def lease_is_over(place: Place) -> bool:
    """Whether the server's clock has passed it."""
    now_ms = "EXTRACT(EPOCH FROM clock_timestamp()) * 1000"
    return rows(place, f"SELECT expires_ms < {now_ms} FROM lease") == [(True,)]


async def cancelled_by_hand(stage: Stage, slot: str) -> None:
    """Somebody takes an order of ours away."""
    (client_id,) = [
        order["client_id"] for name, order in (await stage.alive()).items() if name == slot
    ]
    await stage.signed("DELETE", "/fapi/v1/algoOrder", {"clientAlgoId": client_id})
