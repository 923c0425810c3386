"""Faults between engine, venue and store: what protects goes on, nothing is doubled, nothing is forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, Watcher, moment, staged

from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import EventSeen, Incident, Intent, Record, TradeEnded
from jumar.model.order import OrderRequest, OrderState, Role
from jumar.model.outcome import Outcome
from jumar.ports.decisions import Answer, Received
from jumar.ports.exchange import Exchange, StreamEvent
from jumar.ports.store import Store
from jumar.reconciler.supervise import Engine
from jumar.store import queries

#: A short receive window, so that a lost request is dead soon.
QUICK = replace(POLICY, recv_window_ms=500, clock_uncertainty_ms=100)
READS = frozenset(
    {
        "positions",
        "open_orders",
        "open_conditional_orders",
        "order",
        "fills",
        "balance",
        "account_settings",
        "symbol_settings",
        "instruments",
        "quote",
        "mark",
        "last",
    }
)


def running(stage: Stage) -> Engine:
    """The engine of a stage."""
    assert stage.engine is not None
    return stage.engine


async def open_position(stage: Stage) -> dict[str, dict[str, Any]]:
    """Have the example entered and filled."""
    stage.decide()
    await stage.until_alive("S1", "E1")
    await stage.price("90786.5")
    return await stage.until_alive("S1", "B1", "P1", "Q1")


async def crash(stage: Stage) -> None:
    """End the engine without giving it a chance to tidy up."""
    assert stage._task is not None
    stage._task.cancel()
    await asyncio.gather(stage._task, return_exceptions=True)
    stage._task = None


class Hung:
    """A real venue that never answers the placement of one role."""

    def __init__(self, real: Exchange, role: Role) -> None:
        self._real = real
        self._role = role
        self.reached = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def place(self, request: OrderRequest, **rest: Any) -> Outcome:
        """Hang before anything is sent."""
        if request.role is self._role:
            self.reached.set()
            await asyncio.Event().wait()
        return await self._real.place(request, **rest)


class Reads:
    """A real venue whose reads can be made to fail in some way; orders and streams go on."""

    def __init__(self, real: Exchange) -> None:
        self._real = real
        self.names: frozenset[str] = frozenset()
        self.fault: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in READS:
            return real

        async def read(*args: Any) -> Any:
            if name in self.names:
                if self.fault is None:
                    await asyncio.Event().wait()
                else:
                    raise self.fault
            return await real(*args)

        return read


@pytest.mark.rule("X-1", "X-2", "D-7")
async def test_a_set_up_taken_back_at_a_stop_is_made_again_under_new_ids(tmp_path: Path) -> None:
    """An entry that ended unfilled spends nothing: after a restart the same decision arms S2 and E2."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.stop_engine()
        assert await stage.alive() == {}
        await stage.start_engine()
        await stage.until_alive("S2", "E2")


@pytest.mark.rule("X-4", "S-2")
async def test_an_intent_that_a_crash_left_unsent_is_settled(tmp_path: Path) -> None:
    """Journaled, then the process died before the socket: presumed dead by id, another backstop rests."""
    venues: list[Hung] = []

    def wrap(real: Exchange) -> Exchange:
        venues.append(Hung(real, Role.BACKSTOP))
        return venues[0]

    async with staged(tmp_path, QUICK) as stage:
        await stage.start_engine(wrap)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await venues[0].reached.wait()
        await crash(stage)
        await stage.start_engine()
        await stage.until_alive("S1", "B2", "P1", "Q1")
        assert all((await stage.verdict())["promises"].values())


class DyingDisk:
    """A real store that dies at the moment a trade's end would be written."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self.died = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Write until a trade ends."""
        if self.died.is_set() or any(isinstance(record, TradeEnded) for record in records):
            self.died.set()
            raise StoreUnavailable("jumar.db: no space left on the device")
        await self._real.write(records)


@pytest.mark.rule("P-4", "D-7")
async def test_a_crash_at_a_trades_end_leaves_its_decision_spent(tmp_path: Path) -> None:
    """The end and what it spends are one transaction: after a crash there the decision never enters again."""
    disks: list[DyingDisk] = []

    def wrap(real: Store) -> Store:
        disks.append(DyingDisk(real))
        return disks[0]

    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap_store=wrap)
        await open_position(stage)
        await stage.price("90379")
        await disks[0].died.wait()
        await crash(stage)
        await stage.price("90820")
        stage.watcher.ticks.clear()
        await stage.start_engine()

        async def spent() -> bool:
            seen = [r.code for tick in stage.watcher.ticks for r in tick.plan.refusals]
            return "spent" in seen

        await stage.until(spent)
        assert [row.summary is not None for row in queries.trades(str(tmp_path / "jumar.db"))] == [
            True
        ]


@pytest.mark.rule("P-1", "P-7", "O-1")
@pytest.mark.parametrize("fault", [None, ValueError("a number nobody expected")])
async def test_failing_reads_do_not_delay_protection(
    tmp_path: Path, fault: Exception | None
) -> None:
    """Every read hangs, or raises something unforeseen: a lost stop is back within the deadline."""
    venues: list[Reads] = []

    def wrap(real: Exchange) -> Exchange:
        venues.append(Reads(real))
        return venues[0]

    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap)
        resting = await open_position(stage)
        venues[0].fault, venues[0].names = fault, READS
        ticks = len(stage.watcher.ticks)
        began = running(stage).loops["BTCUSDT"].state.orders[resting["S1"]["client_id"]]
        assert began.state is OrderState.OPEN
        # Wait until the loop is inside a read of what grew old.
        await asyncio.sleep(POLICY.reconcile_open_s)
        await stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": resting["S1"]["client_id"]}
        )
        await stage.until_alive("S2", "B1", "P1", "Q1")
        records = await stage.ledger()
        gone = min(r["t"] for r in records if _is(r, "-S1") and r["status"] == "CANCELED")
        back = min(r["t"] for r in records if _is(r, "-S2"))
        assert back - gone <= POLICY.protect_deadline_s * 1000
        assert len(stage.watcher.ticks) > ticks


def _is(record: dict[str, Any], name: str) -> bool:
    return record["kind"] == "conditional" and str(record["client_id"]).endswith(name)


@pytest.mark.rule("W-1")
async def test_a_reconnect_during_a_read_is_read_for_again(tmp_path: Path) -> None:
    """What was asked before the stream came back does not count as the reading that it calls for."""

    class Flapping(Reads):
        """The user stream comes back while the positions are being read."""

        asked = 0

        def __getattr__(self, name: str) -> Any:
            real = super().__getattr__(name)
            if name != "positions":
                return real

            async def positions() -> Any:
                self.asked += 1
                if self.asked == 1:
                    event = StreamEvent(connected=True, at_ms=0, reason="connected")
                    running(stage)._sink(event)
                return await real()

            return positions

    venues: list[Flapping] = []

    def wrap(real: Exchange) -> Exchange:
        venues.append(Flapping(real))
        return venues[0]

    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap)

        async def again() -> bool:
            return venues[0].asked >= 2

        await stage.until(again, seconds=5)


class Deaf(Watcher):
    """An observer that breaks its promise not to raise."""

    def incident(self, incident: Incident) -> None:
        """Remember, and raise."""
        super().incident(incident)
        raise RuntimeError("the alarm is broken")


@pytest.mark.rule("O-1", "P-1")
async def test_a_broken_observer_does_not_end_the_engine(tmp_path: Path) -> None:
    """Whoever is told of an incident may fail: the loop goes on, the stop is restored."""
    async with staged(tmp_path) as stage:
        stage.watcher = Deaf()
        await stage.start_engine()
        resting = await open_position(stage)
        running(stage).loops["BTCUSDT"].report_incident(
            Incident(symbol="BTCUSDT", severity="info", rule="O-4", message="a test", at_ms=1)
        )
        assert stage.watcher.incidents
        await stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": resting["S1"]["client_id"]}
        )
        await stage.until_alive("S2", "B1", "P1", "Q1")


class Failing:
    """A source that breaks its promise not to raise."""

    def __init__(self) -> None:
        self.polls = 0

    def poll(self) -> tuple[Received, ...]:
        """Raise."""
        self.polls += 1
        raise RecursionError("a file nobody foresaw")

    def answer(self, answer: Answer) -> None:
        """Nothing is answered: nothing was ever brought."""


@pytest.mark.rule("D-5", "P-1")
async def test_a_source_that_raises_does_not_end_the_engine(tmp_path: Path) -> None:
    """No input stops the loops: an open position is managed on, the source is asked again."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        resting = await open_position(stage)
        source = Failing()
        running(stage)._source = source

        async def asked_twice() -> bool:
            return source.polls >= 2

        await stage.until(asked_twice)
        await stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": resting["S1"]["client_id"]}
        )
        await stage.until_alive("S2", "B1", "P1", "Q1")


class Refusing:
    """A real store that refuses the intents of some roles."""

    def __init__(self, real: Store, role: Role) -> None:
        self._real = real
        self._role = role

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Refuse the transaction that holds such an intent."""
        if any(isinstance(r, Intent) and r.order.role is self._role for r in records):
            raise StoreUnavailable("jumar.db: no space left on the device")
        await self._real.write(records)


@pytest.mark.rule("X-2")
async def test_an_armed_stop_that_cannot_be_journaled_is_not_sent(tmp_path: Path) -> None:
    """Before an entry there is nothing to protect: a stop nobody remembers would outlive its trade."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap_store=lambda real: Refusing(real, Role.STOP))
        stage.decide()

        async def told() -> bool:
            return len([i for i in stage.watcher.incidents if i.rule == "X-2"]) >= 2

        await stage.until(told)
        assert not [r for r in await stage.ledger() if r["kind"] == "conditional"]


class Poisoned:
    """A real store in which one record is refused for ever, and which is away for one write after that."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self.away = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Refuse the poison; be away once for the intent of a target that stood beside it."""
        if any(isinstance(r, EventSeen) and r.message == "poison" for r in records):
            raise InvariantBroken("X-2", "poison")
        if self.away == 0 and any(
            isinstance(r, EventSeen) and r.message == "away" for r in records
        ):
            self.away = 1
            raise StoreUnavailable("jumar.db: locked")
        await self._real.write(records)


@pytest.mark.rule("X-2")
async def test_records_kept_for_another_try_are_written_once(tmp_path: Path) -> None:
    """Of records written one by one only those that failed are kept: no intent is journaled twice."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(wrap_store=Poisoned)
        state = running(stage).loops["BTCUSDT"].state
        for word in ("first", "poison", "away", "last"):
            state.add_record(
                EventSeen(symbol="BTCUSDT", trade_key="k", rule="X-2", message=word, at_ms=1)
            )
        running(stage).loops["BTCUSDT"].wake()

        def told() -> list[str]:
            return [e.message for e in queries.events(str(tmp_path / "jumar.db"), "k")]

        async def all_told() -> bool:
            return {"first", "away", "last"} <= set(told())

        await stage.until(all_told)
        assert sorted(told()) == ["away", "first", "last"]


@pytest.mark.rule("D-7")
async def test_a_restart_remembers_that_a_refused_decision_superseded(tmp_path: Path) -> None:
    """The older decision was superseded by a readable one that was refused: it stays so after a restart."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await stage.until_alive("S1", "E1")
        stage.decide(timestamp_iso=moment(4), sl=None)
        await stage.until_alive()
        await stage.stop_engine()
        (tmp_path / "decision.json").unlink()
        stage.watcher.ticks.clear()
        await stage.start_engine()

        async def refused() -> bool:
            seen = [r.code for tick in stage.watcher.ticks for r in tick.plan.refusals]
            return "superseded" in seen

        await stage.until(refused)
        assert await stage.alive() == {}
