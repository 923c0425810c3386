"""Journal before send: what the store cannot keep is not sent, unless it protects (X-2, Q-1)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, staged

from jumar.model.errors import StoreUnavailable
from jumar.model.journal import Intent, Record
from jumar.model.order import Role
from jumar.ports.exchange import Exchange
from jumar.ports.store import Store
from jumar.store import queries


class BrokenDisk:
    """A real store whose disk refuses the intents of some roles."""

    def __init__(self, real: Store, roles: set[Role]) -> None:
        self._real = real
        self.roles = roles

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Refuse the transaction that holds such an intent."""
        if any(isinstance(r, Intent) and r.order.role in self.roles for r in records):
            raise StoreUnavailable("jumar.db: no space left on the device")
        await self._real.write(records)


class Ordered:
    """A real venue that notes what was durable when an order left."""

    def __init__(self, real: Exchange, database: Path) -> None:
        self._real = real
        self._database = database
        self.journaled: dict[str, bool] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def place(self, request: Any, **rest: Any) -> Any:
        """Look into the database file before sending."""
        events = queries.journaled_ids(str(self._database))
        self.journaled[request.client_id] = request.client_id in events
        return await self._real.place(request, **rest)


@pytest.mark.rule("X-2")
async def test_every_order_is_durable_before_it_leaves(tmp_path: Path) -> None:
    """At the moment of sending, another connection already reads the intent."""
    venue: list[Ordered] = []

    def wrap(real: Exchange) -> Exchange:
        venue.append(Ordered(real, tmp_path / "jumar.db"))
        return venue[0]

    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        assert len(venue[0].journaled) == 5
        assert all(venue[0].journaled.values())


@pytest.mark.rule("X-2", "P-4")
async def test_an_entry_that_cannot_be_journaled_is_not_sent(tmp_path: Path) -> None:
    """The disk is full: it is told, what is left may only protect, and no entry ever reaches the exchange."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap_store=lambda real: BrokenDisk(real, {Role.ENTRY}))
        stage.decide()

        async def told() -> bool:
            incidents = stage.watcher.incidents
            modes = [i for i in incidents if i.rule == "M-1" and "PROTECT_ONLY" in i.message]
            return bool(modes) and any(i.rule == "X-2" for i in incidents)

        await stage.until(told)
        assert set(await stage.alive()) == {"S1"}
        assert not [r for r in await stage.ledger() if r["kind"] == "order"]


@pytest.mark.rule("X-2", "P-1")
async def test_a_stop_is_placed_even_when_the_disk_is_full(tmp_path: Path) -> None:
    """Protection does not wait for the database; when it can be written again it learns of everything."""
    disks: list[BrokenDisk] = []

    def wrap(real: Store) -> Store:
        disks.append(BrokenDisk(real, set()))
        return disks[0]

    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap_store=wrap)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        resting = await stage.until_alive("S1", "B1", "P1", "Q1")
        disks[0].roles = {Role.STOP}
        await stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": resting["S1"]["client_id"]}
        )
        await stage.until_alive("S2", "B1", "P1", "Q1")
        disks[0].roles = set()
        await stage.until(lambda: journaled(stage, "-S2"))
        assert all((await stage.verdict())["promises"].values())


async def journaled(stage: Stage, name: str) -> bool:
    """Whether the database knows an order."""
    ids = queries.journaled_ids(str(stage.folder / "jumar.db"))
    return any(client_id.endswith(name) for client_id in ids)


@pytest.mark.rule("O-1", "O-2")
async def test_ticks_go_on_without_events_and_their_time_is_told(tmp_path: Path) -> None:
    """An idle market: the loop looks every interval, numbers its ticks, and no tick overran."""
    async with staged(tmp_path, replace(POLICY)) as stage:
        await stage.start_engine()

        async def three() -> bool:
            return len(stage.watcher.ticks) >= 3

        await stage.until(three)
        numbers = [report.tick for report in stage.watcher.ticks]
        assert numbers == list(range(1, len(numbers) + 1))
        assert all(report.duration_ms >= 0 for report in stage.watcher.ticks)
        assert not stage.watcher.incidents
