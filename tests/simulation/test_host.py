"""One engine that is killed and begun again: what its death leaves on the disk and on the wire, and what it does not.

Everything is looked at from outside: the files of the disk, the requests that the exchange executed, what observers
heard. A death is compared with what follows it: nothing may.
"""

import gc
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engines import EXAMPLE
from tests.simulation.loops import virtual

from jumar.decisions.file import FileDecisions
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.market import ManualMarket
from jumar.model.journal import Incident, Record
from jumar.model.policy import Policy
from jumar.ports.observer import TickReport
from jumar.simulation.faults import STRENGTHS, Fault, FaultPlan
from jumar.simulation.host import MortalSource, MortalStore
from jumar.simulation.line import Calm, Fate, Request, Trip
from jumar.simulation.loop import Life, VirtualLoop
from jumar.simulation.swarm import live
from jumar.simulation.world import World
from jumar.store.journal import SqlStore
from jumar.store.lock import holder
from jumar.store.writer import InlineExecutor

ROOT = Path(__file__).resolve().parents[2]
SYMBOL = "BTCUSDT"
POLICIES = {
    SYMBOL: Policy(max_notional_usdt=Decimal(5000), max_trades_per_day=100, cooldown_after_loss_s=0)
}
POINTS = ("before commit", "after commit", "before POST", "after POST")


@dataclass
class Watcher:
    """Hears of ticks and incidents, and may do something about one."""

    ticks: int = 0
    incidents: int = 0
    on_tick: Callable[[], None] = lambda: None
    on_incident: Callable[[], None] = lambda: None

    def tick(self, report: TickReport) -> None:
        """Count and act."""
        self.ticks += 1
        self.on_tick()

    def incident(self, incident: Incident) -> None:
        """Count and act."""
        self.incidents += 1
        self.on_incident()


@dataclass
class Evidence:
    """What the world can see of the engine.

    Attributes:
        executed: requests that the exchange executed, in order.
    """

    world: World
    watcher: Watcher
    second: Watcher
    executed: list[Request] = field(default_factory=list)

    def now(self) -> Mapping[str, Any]:
        """The disk, file by file, what the exchange was asked, and what observers heard."""
        files = sorted(path for path in self.world.disk.folder.rglob("*") if path.is_file())
        return {
            **{path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
            "executed": len(self.executed),
            "heard": [(each.ticks, each.incidents) for each in (self.watcher, self.second)],
        }


def _world(seed: int = 1, **options: Any) -> Evidence:
    """A world with a quiet market in which an engine has begun."""
    ticks = {SYMBOL: INSTRUMENTS[SYMBOL].tick_size}
    market = ManualMarket((SYMBOL,), start_prices={SYMBOL: Decimal(90820)}, tick_sizes=ticks)
    watchers = (Watcher(), Watcher())
    world = World(seed=seed, market=market, policies=POLICIES, observers=watchers, **options)
    seen = Evidence(world, *watchers)
    execute = world.venue.execute

    def counted(request: Request) -> Any:
        seen.executed.append(request)
        return execute(request)

    world.venue.execute = counted  # type: ignore[method-assign]  # what a life's line is given
    world.venue.open()
    world.host.start()
    return seen


def _decide(world: World) -> None:
    moment = datetime.fromtimestamp(world.clock.now_ms() / 1000, UTC).isoformat()
    world.decide(json.dumps({**EXAMPLE, "timestamp_iso": moment}).encode())


def _rows(world: World, query: str) -> list[Any]:
    with closing(sqlite3.connect(world.disk.database)) as database:
        return database.execute(query).fetchall()


def _dump(database: Path) -> str:
    with closing(sqlite3.connect(database)) as opened:
        return "\n".join(opened.iterdump())


def _at_death(seen: Evidence) -> list[Mapping[str, Any]]:
    """The evidence as it is in the moment of the present life's death, after what the system does about one."""
    process = seen.world.host.process
    assert process is not None
    found: list[Mapping[str, Any]] = []
    process.life.on_death(lambda: found.append(seen.now()))
    return found


def _on_the_wire(point: str) -> int:
    return int(point == "after POST")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_nothing_follows_a_death_at_a_point(point: str, number: int) -> None:
    """A kill in the middle of a step stops every later commit, send, answer and tick; what was sent is executed."""
    with (seen := _world()).world as world:
        world.run(3)
        found, left = _at_death(seen), [number]

        def reached(name: str) -> bool:
            left[0] -= name.startswith(point)
            return left[0] == 0

        world.on_point = reached
        _decide(world)
        world.run(20)
        assert world.host.process is None
        [before] = found
        after = seen.now()
        sent = [request for request in seen.executed[before["executed"] :] if request.changes]
        assert len(sent) <= _on_the_wire(point) + 1  # another may have been on its way
        if number == 1:
            assert len(sent) == _on_the_wire(point)
        assert {**after, "executed": 0} == {**before, "executed": 0}


def test_nothing_follows_a_death_at_any_step() -> None:
    """A kill before any callback of the engine stops everything: disk, wire, observers stand as they stood."""
    deaths = 0
    for nth in range(0, 600, 20):
        with (seen := _world()).world as world:
            world.run(2.5)
            found, left = _at_death(seen), [nth]

            def before_step(life: Life, world: World = world, left: list[int] = left) -> bool:
                if life.name == "engine":
                    left[0] -= 1
                    if left[0] < 0:
                        world.host.kill()
                return True

            world.loop.before_step = before_step
            _decide(world)
            world.run(12)
            if world.host.process is not None:
                break
            deaths += 1
            [before] = found
            gc.collect()
            world.run(12)
            after = seen.now()
            assert after["executed"] - before["executed"] <= 2  # on the wire
            assert {**after, "executed": 0} == {**before, "executed": 0}
    assert deaths > 12


def test_nothing_follows_a_death_in_a_callback() -> None:
    """A kill by somebody who is told of a tick stops what the same callback would do next."""
    with (seen := _world()).world as world:
        world.run(3)
        _decide(world)
        found = _at_death(seen)
        seen.watcher.on_tick = world.host.kill
        world.run(10)
        assert [seen.now()] == found
        [(first, _), (second, _)] = found[0]["heard"]
        assert first == second + 1  # whoever is told after the killer is not told


class _Journal:
    """A store that counts."""

    def __init__(self) -> None:
        self.writes = 0

    async def write(self, records: Sequence[Record]) -> None:
        """Count."""
        self.writes += 1


@pytest.mark.parametrize(("point", "writes"), [("before commit", 0), ("after commit", 1)])
def test_a_write_of_the_dead_has_no_end(point: str, writes: int) -> None:
    """A write in which its life ends neither returns nor fails: the code behind it never learns of anything."""
    journal, came_back = _Journal(), list[BaseException | None]()
    with virtual() as loop:
        life = Life("engine")

        def reach(of: Life, name: str) -> None:
            if name.startswith(point):
                loop.kill(of)

        store = MortalStore(cast(SqlStore, journal), life, loop, reach)

        async def work() -> None:
            try:
                await store.write(())
            except Exception as error:  # noqa: BLE001 - none may be heard
                came_back.append(error)
            came_back.append(None)

        loop.spawn(life, work())
        loop.run(until_s=5)
        assert (journal.writes, came_back) == (writes, [])


def test_the_dead_read_no_decision(tmp_path: Path) -> None:
    """A dead life's look at the decision file finds nothing and puts nothing aside, be there what may."""
    path = tmp_path / "decision.json"
    path.write_bytes(b"no JSON")
    life = Life("engine")
    source = MortalSource(FileDecisions(path, account="main", symbols=(SYMBOL,)), life)
    assert source.poll() == ()
    life.die()
    assert [source.poll() for _ in range(30)] == [()] * 30
    assert list(tmp_path.iterdir()) == [path]


def test_no_answer_follows_a_death() -> None:
    """A kill by somebody who is told of an incident keeps the answer that the same callback would write away."""
    with (seen := _world()).world as world:
        world.run(3)
        world.decide(b"no JSON")
        found = _at_death(seen)
        seen.watcher.on_incident = world.host.kill
        world.run(30)
        assert [seen.now()] == found
        assert "outcome.json" not in found[0]
    with _world().world as world:
        world.run(3)
        world.decide(b"no JSON")
        world.run(30)
        assert (world.disk.folder / "outcome.json").exists()


def test_the_dead_leave_their_lock() -> None:
    """In the moment of a death nobody holds the database, and the next life opens it and works."""
    with (seen := _world()).world as world:
        world.run(3)
        assert holder(world.disk.database) == os.getpid()
        world.host.kill()
        assert holder(world.disk.database) is None
        store = SqlStore(f"sqlite:///{world.disk.database}", executor=InlineExecutor())
        opened = world.loop.run_until_complete(store.open())
        store.abandon()
        assert opened.store_id == f"{1:032x}"
        ticks = seen.watcher.ticks
        world.host.start()
        world.run(5)
        assert seen.watcher.ticks > ticks
        assert world.host.lives == 2


@pytest.mark.parametrize(("point", "rows"), [("before", 0), ("after", 1)])
def test_only_what_was_committed_stays(point: str, rows: int) -> None:
    """A record is on the disk when the engine died after its commit and not when before; the next life has it once."""
    with _world().world as world:
        world.run(3)
        world.on_point = lambda name: name.startswith(f"{point} commit DecisionSeen")
        _decide(world)
        world.run(20)
        assert world.host.process is None
        query = "SELECT count(*) FROM decisions"
        assert _rows(world, query) == [(rows,)]
        world.on_point = lambda _: False
        world.host.start()
        world.run(10)
        assert _rows(world, query) == [(1,)]


def test_a_new_life_measures_the_clock_anew() -> None:
    """What one life measured is gone with it: the next one starts with the machine's clock and puts it right again."""
    with _world(ahead_ms=2500).world as world:
        for _ in range(3):
            world.run(4)
            assert abs(world.host.clock.now_ms() - world.clock.now_ms()) <= 10
            world.host.kill()
            world.host.start()
            assert world.host.clock.now_ms() - world.clock.now_ms() == 2500


def test_an_engine_ends_when_it_is_asked() -> None:
    """An engine that is asked to stop ends in an orderly way, and only then."""
    with _world().world as world:
        world.run(5)
        process = world.host.process
        assert process is not None
        before = process.ended
        world.host.ask_to_stop()
        world.run(10)
        assert (before, process.ended) == (False, True)
        assert process.life.alive
        assert holder(world.disk.database) is None


class _Silence(Calm):
    """No request arrives until some moment."""

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.loop: VirtualLoop | None = None

    def trip(self, request: Request) -> Trip:
        """Lost, until then."""
        early = self.loop is not None and self.loop.time() < self.until_s
        return Trip(fate=Fate.LOST) if early else Trip()


def test_an_engine_that_finds_nobody_is_started_again() -> None:
    """While the exchange does not answer an engine ends at its start and is started again, until it is answered."""
    weather = _Silence(50.0)
    with (seen := _world(weather=weather)).world as world:
        weather.loop = world.loop
        world.run(50)
        assert world.host.lives >= 3
        assert seen.watcher.ticks == 0
        world.run(30)
        assert seen.watcher.ticks > 3
        lives = world.host.lives
        world.run(30)
        assert world.host.lives == lives


def test_a_burial_writes_nothing(tmp_path: Path) -> None:
    """What a dead engine's blocks do at the end of the loop reaches no file, nor do its objects when they go."""
    (tmp_path / "dead").mkdir()
    with (seen := _world(folder=tmp_path / "dead")).world as world:
        world.run(3)
        _decide(world)
        world.run(20)
        assert [request for request in seen.executed if request.path == "/fapi/v1/order"]
        world.host.kill()
        before = seen.now()
    gc.collect()
    assert seen.now() == before
    assert {"jumar.db", "outcome.json", "jumar.db.ticks.jsonl"} < set(before)


def test_an_end_in_the_middle_writes_nothing(tmp_path: Path) -> None:
    """An engine that is alive when the loop is closed dies before its blocks run: they write nothing either."""
    with (seen := _world(folder=tmp_path)).world as world:
        world.run(3)
        _decide(world)
        world.run(20)
        found = _at_death(seen)
    gc.collect()
    assert [seen.now()] == found


def worst(seed: int) -> FaultPlan:
    """Every kind of fault, each as strong as it gets, and an engine that dies every few seconds."""
    strengths = {fault: highest for fault, (_, highest) in STRENGTHS.items()}
    kills = {fault: 8.0 for fault in Fault if fault.name.startswith("KILL")}
    return FaultPlan(seed=seed, strengths={**strengths, **kills})


def test_a_world_is_a_function_of_its_seed(tmp_path: Path) -> None:
    """Two runs of one seed with faults and kills agree in log, ledger, tick record, journal and answers."""
    for seed in (1, 2):
        runs = []
        for turn in range(2):
            folder = tmp_path / f"{seed}-{turn}"
            folder.mkdir()
            report = live(worst(seed), seconds=20, folder=folder)
            assert report.kills
            answer = folder / "outcome.json"
            runs.append(
                (
                    report.fingerprint,
                    report.log,
                    _dump(folder / "jumar.db"),
                    answer.read_text() if answer.exists() else "",
                )
            )
        assert runs[0] == runs[1]


_TELL = """
import sys, tempfile
import structlog
from pathlib import Path
from jumar.simulation.swarm import live
from tests.simulation.test_host import _dump, worst
structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
for seed in map(int, sys.argv[1:]):
    with tempfile.TemporaryDirectory() as folder:
        report = live(worst(seed), seconds=20, folder=Path(folder))
        print(report.fingerprint, *report.log, sep="\\n")
        print(_dump(Path(folder) / "jumar.db"))
"""


def _elsewhere(hash_seed: str, seeds: tuple[int, ...]) -> str:
    """What some seeds come to in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _TELL, *map(str, seeds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_world_is_the_same_in_every_process() -> None:
    """Processes that lay out sets and dictionaries differently come to the same runs and the same journals."""
    seeds = (3, 5)
    first, second = _elsewhere("0", seeds), _elsewhere("1", seeds)
    assert first.count("CREATE TABLE") > 10
    assert first == second


def test_closed_worlds_are_free() -> None:
    """Two hundred worlds with an engine that died and one that lived leave nothing behind, in memory or open."""
    loops: list[weakref.ref[VirtualLoop]] = []
    objects: list[int] = []
    gc.freeze()
    for turn in range(200):
        with _world(turn).world as world:
            world.run(0.5)
            world.host.kill()
            world.host.start()
            world.run(0.5)
            loops.append(weakref.ref(world.loop))
        del world
        if turn in (99, 199):
            gc.collect()
            objects.append(len(gc.get_objects()))
    gc.unfreeze()
    assert not any(loop() for loop in loops)
    assert abs(objects[1] - objects[0]) < 500
