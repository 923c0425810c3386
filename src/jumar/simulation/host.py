"""The machine of the engine: a disk that outlives every process, and one engine that is killed and started again.

A kill is a power cut of the process: nothing of it runs any more, its database lock is free as the operating system
would free it, what was not committed is gone. Promises that no effect of a dead life reaches the disk or the exchange.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jumar.decisions.file import FileDecisions
from jumar.decisions.folder import FolderDecisions
from jumar.decisions.levels_file import FileLevels
from jumar.decisions.silence import NoDecisions
from jumar.model.countdown import NOT_PROBED
from jumar.model.errors import StoreUnavailable, VenueUnavailable
from jumar.model.journal import (
    AccountMemory,
    Incident,
    OperatorRequest,
    Record,
    StoreIdentity,
    SymbolMemory,
)
from jumar.model.policy import Policy
from jumar.ports.decisions import POLLS_PER_TICK, Answer, DecisionSource, Received
from jumar.ports.levels import LevelsReceived
from jumar.ports.observer import Observer, TickReport
from jumar.ports.store import Store, WriterState
from jumar.reconciler.flatten import Flattening
from jumar.reconciler.supervise import Engine
from jumar.reports.recorder import TickRecorder
from jumar.simulation.clock import VirtualClock
from jumar.simulation.loop import Life, VirtualLoop
from jumar.simulation.venue import InProcessExchange, Venue
from jumar.store import queries
from jumar.store.emergency import EmergencyFile, Medium
from jumar.store.journal import SqlStore
from jumar.store.writer import InlineExecutor

ACCOUNT = "main"
START_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The files of the engine's machine."""

    folder: Path

    @property
    def decision(self) -> Path:
        """Written by the decision system, read by the engine: a file, or a folder if one is made in its place."""
        return self.folder / "decision.json"

    @property
    def levels(self) -> Path:
        """Written by the decision system too: swings and liquidation zones."""
        return self.folder / "levels.json"

    @property
    def decisions(self) -> Path:
        """The decision system's own record, one decision a line."""
        return self.folder / "decisions.jsonl"

    @property
    def database(self) -> Path:
        """The engine's journal."""
        return self.folder / "jumar.db"


@dataclass(slots=True, kw_only=True)
class Process:
    """One life of the engine and what belongs to it."""

    life: Life
    clock: VirtualClock
    exchange: InProcessExchange
    engine: Engine
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False


class Host:
    """Runs one engine.

    Args:
        reach: told before and after every commit and every send; may kill the life.
        clock: the machine's, which goes on while its processes die.
        new_store_id: draws the identity of a new database.
        observers: who else hears of ticks and incidents, besides the tick record; one list for all lives.

    Attributes:
        process: the life that runs, None while none does.
        lives: how many there were.
        clock: the machine's.
        failures: what an engine raised that it must not raise.
        no_dead_man: why the engines of the lives to come may not use the dead man's switch, None where they may.
        wrap_store: puts something between the engines of the lives to come and their database.
        emergency: the bytes of the emergency file, which outlive every process.
    """

    def __init__(
        self,
        *,
        loop: VirtualLoop,
        venue: Venue,
        disk: Disk,
        policies: Mapping[str, Policy],
        clock: VirtualClock,
        reach: Callable[[Life, str], None],
        new_store_id: Callable[[], str],
        observers: Sequence[Observer] = (),
    ) -> None:
        self.process: Process | None = None
        self.lives = 0
        self.failures: list[BaseException] = []
        self.no_dead_man: str | None = NOT_PROBED
        self.wrap_store: Callable[[Store], Store] = lambda store: store
        self.emergency: Medium = RamFile()
        self._loop = loop
        self._venue = venue
        self._disk = disk
        self._policies = dict(policies)
        self.clock = clock
        self._reach = reach
        self._new_store_id = new_store_id
        self._observers = tuple(observers)

    def start(self) -> None:
        """Start the engine on what the disk holds."""
        self.clock.set_offset(0)  # what the last process measured was in its memory
        self.lives += 1
        life = Life("engine", self.lives)
        self.process = process = self._build(life)
        self._loop.spawn(life, self._live(process))

    def kill(self) -> None:
        """End the engine at once, without a word."""
        if self.process is not None:
            self._loop.kill(self.process.life)
            self.process = None

    def ask_to_stop(self) -> None:
        """Ask the engine to end, as SIGTERM does."""
        if self.process is not None:
            self._loop.call_for(self.process.life, 0, self.process.stop.set)

    def drop_streams(self, reason: str, away_s: float) -> None:
        """Break the engine's stream connections; they come back after a while."""
        if self.process is not None:
            process = self.process
            self._loop.call_for(process.life, 0, process.exchange.drop_streams, reason, away_s)

    def flatten(self, *, wait_s: float) -> Flattening:
        """Run what `jumar flatten` runs where no engine does; what was asked stands in the database."""
        self.clock.set_offset(0)
        self.lives += 1
        life = Life("flatten", self.lives)
        self.process = process = self._build(life, decides=False)
        flattening = Flattening(process.engine, self.clock)
        self._loop.spawn(life, self._come_home(process, flattening, wait_s))
        return flattening

    async def _come_home(self, process: Process, flattening: Flattening, wait_s: float) -> None:
        try:
            await flattening.run(wait_s=wait_s)
        except Exception as error:  # noqa: BLE001 - kept for whoever judges the run
            self.failures.append(error)
        process.ended = True

    def _build(self, life: Life, *, decides: bool = True) -> Process:
        exchange = InProcessExchange(
            loop=self._loop, venue=self._venue, life=life, clock=self.clock, reach=self._reach
        )
        store = SqlStore(
            f"sqlite:///{self._disk.database}",
            executor=InlineExecutor(),
            new_store_id=self._new_store_id,
        )
        life.on_death(store.abandon)
        recorder = TickRecorder(self._disk.database, account=ACCOUNT, policies=self._policies)
        kind = FolderDecisions if self._disk.decision.is_dir() else FileDecisions
        source = kind(
            self._disk.decision,
            account=ACCOUNT,
            symbols=tuple(self._policies),
            polls_per_tick=POLLS_PER_TICK,
        )
        levels = FileLevels(
            self._disk.levels, symbols=tuple(self._policies), polls_per_tick=POLLS_PER_TICK
        )
        engine = Engine(
            account=ACCOUNT,
            policies=self._policies,
            exchange=exchange,
            store=self.wrap_store(MortalStore(store, life, self._loop, self._reach)),
            source=MortalSource(source, life) if decides else NoDecisions(),
            levels=MortalLevels(levels, life),
            no_dead_man=self.no_dead_man,
            emergency=EmergencyFile(
                MortalFile(self.emergency, life, self._reach),
                name="jumar.db.emergency",
                journaled=lambda: queries.journaled_ids(self._disk.database),
                executor=InlineExecutor(),
            ),
            clock=self.clock,
            observers=[MortalObserver(each, life) for each in (recorder, *self._observers)],
        )
        return Process(life=life, clock=self.clock, exchange=exchange, engine=engine)

    async def _live(self, process: Process) -> None:
        try:
            await process.engine.run(process.stop)
        except (VenueUnavailable, StoreUnavailable):
            # At a start it is said and the process ends; whoever runs it starts it again.
            self._loop.call_for(self._loop.world, START_AGAIN_S, self._start_again, process)
        except Exception as error:  # noqa: BLE001 - kept for whoever judges the run
            self.failures.append(error)
        process.ended = True

    def _start_again(self, process: Process) -> None:
        if self.process is process:
            self.kill()
            self.start()


class RamFile:
    """A file that is as durable as the machine (see `jumar.store.emergency.Medium`)."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.aside: list[bytes] = []

    def open(self) -> bytes:
        """Its content."""
        return bytes(self.content)

    def write(self, at: int, content: bytes) -> None:
        """Write at a position."""
        self.content[at : at + len(content)] = content

    def set_aside(self) -> str:
        """Keep what there is and begin anew."""
        self.aside.append(bytes(self.content))
        self.content.clear()
        return f"jumar.db.emergency.damaged-{len(self.aside)}"

    def close(self) -> None:
        """Nothing to let go of."""


class MortalFile:
    """A life's way to its emergency file: before and after each write it may die."""

    def __init__(self, medium: Medium, life: Life, reach: Callable[[Life, str], None]) -> None:
        self._medium = medium
        self._life = life
        self._reach = reach

    def open(self) -> bytes:
        """Its content."""
        return self._medium.open()

    def write(self, at: int, content: bytes) -> None:
        """Write at a position, unless the life ends before."""
        self._point("before emergency write")
        self._medium.write(at, content)
        self._point("after emergency write")

    def set_aside(self) -> str:
        """Keep what there is and begin anew."""
        return self._medium.set_aside()

    def close(self) -> None:
        """Let go of it."""
        self._medium.close()

    def _point(self, name: str) -> None:
        if self._life.alive:
            self._reach(self._life, name)
        if not self._life.alive:
            raise StoreUnavailable("the process has ended")


class MortalStore:
    """A life's way to its database (see `jumar.ports.store.Store`): every commit is a moment at which it may die."""

    def __init__(
        self, store: SqlStore, life: Life, loop: VirtualLoop, reach: Callable[[Life, str], None]
    ) -> None:
        self._store = store
        self._life = life
        self._loop = loop
        self._reach = reach

    def writing(self) -> WriterState:
        """How sure it is that this engine alone writes."""
        return self._store.writing()

    async def renew(self) -> None:
        """Make sure of it again."""
        await self._store.renew()

    async def open(self) -> StoreIdentity:
        """Open the database."""
        return await self._store.open()

    async def load(self, symbol: str) -> SymbolMemory:
        """What is known of a symbol."""
        return await self._store.load(symbol)

    async def load_account(self, now_ms: int) -> AccountMemory:
        """What is known of the account."""
        return await self._store.load_account(now_ms)

    async def write(self, records: Sequence[Record]) -> None:
        """Write records as one transaction, unless the life ends before."""
        names = "+".join(dict.fromkeys(type(record).__name__ for record in records))
        await self._point(f"before commit {names}")
        await self._store.write(records)
        await self._point(f"after commit {names}")

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for and nobody has done yet."""
        return await self._store.requests()

    async def close(self) -> None:
        """Flush and close."""
        await self._store.close()

    async def _point(self, name: str) -> None:
        if self._life.alive:
            self._reach(self._life, name)
        if not self._life.alive:
            await self._loop.create_future()


class MortalSource:
    """A life's way to its decisions (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(self, source: DecisionSource, life: Life) -> None:
        self._source = source
        self._life = life

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll."""
        return self._source.poll() if self._life.alive else ()

    def answer(self, answer: Answer) -> None:
        """Write the answer beside the decision."""
        if self._life.alive:
            self._source.answer(answer)


class MortalLevels:
    """A life's way to its levels (see `jumar.ports.levels.LevelsSource`)."""

    def __init__(self, source: FileLevels, life: Life) -> None:
        self._source = source
        self._life = life

    def poll(self) -> tuple[LevelsReceived, ...]:
        """What is new since the last poll."""
        return self._source.poll() if self._life.alive else ()


class MortalObserver:
    """A life's way to somebody who is told (see `jumar.ports.observer.Observer`)."""

    def __init__(self, observer: Observer, life: Life) -> None:
        self._observer = observer
        self._life = life

    def tick(self, report: TickReport) -> None:
        """Hear of a tick."""
        if self._life.alive:
            self._observer.tick(report)

    def incident(self, incident: Incident) -> None:
        """Hear of an incident."""
        if self._life.alive:
            self._observer.incident(incident)
