"""A demo in virtual time: one market from its first price on, an engine, and a decision system beside them.

Promises that memory and disk do not grow with the run's length by more than the orders that were made: the ledger
holds the market once a minute, and what the engine's tick record forgets when it is full has been audited before.
Knows nothing of what is decided: the decision system is the caller's, hears public prices and writes a file.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jumar.audit import Auditor, AuditVerdict
from jumar.exchange.simulated.core.ledger import Record
from jumar.exchange.simulated.core.market import MarketSource, MarketStep
from jumar.exchange.simulated.market import RecordedMarket
from jumar.model.errors import ConfigError, JumarError
from jumar.model.policy import Policy
from jumar.ports.clock import Clock
from jumar.ports.observer import Observer
from jumar.reports import ticks
from jumar.simulation.line import Calm, Ear
from jumar.simulation.loop import Life
from jumar.simulation.world import ORIGIN_MS, World

MARKET_RECORD_MS = 60_000
#: A full file of the tick record is read long before the engine removes it: seven more fill up before that.
AUDIT_EVERY_S = 300.0
START_S = 1.0
STOP_S = 5.0
QUOTES = "bookTicker"


class NotSettled(JumarError):  # noqa: N818 - the name says what happened
    """The engine ended without proving that no entry of its is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Prices from their first to their last."""

    market: MarketSource

    @property
    def begin_ms(self) -> int:
        """Exchange time of the first; a recorded file keeps its own."""
        return self.market.origin_ms if isinstance(self.market, RecordedMarket) else ORIGIN_MS

    def measured_s(self) -> float:
        """How long they last, infinite for a drawn market; a recorded file is read once for that.

        Raises:
            ConfigError: a row of the file cannot be read.
        """
        if not isinstance(self.market, RecordedMarket):
            return math.inf
        try:
            return math.ceil(self.market.last_ms() / 1000)
        except ValueError as error:
            raise ConfigError(str(error)) from error

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded."""
        return self.market.symbols

    def steps(self) -> Iterator[MarketStep]:
        """The market's steps.

        Raises:
            ConfigError: a row of a recorded file cannot be read.
        """
        if not isinstance(self.market, RecordedMarket):
            yield from once_a_second(self.market.steps())
            return
        try:
            yield from self.market.steps()
        except ValueError as error:
            raise ConfigError(str(error)) from error


def once_a_second(steps: Iterable[MarketStep]) -> Iterator[MarketStep]:
    """The first step in each second of a symbol's path: as fine as recorded bars are played."""
    seconds: dict[str, int] = {}
    for step in steps:
        second = step.path_ms // 1000
        if seconds.get(step.symbol) != second:
            seconds[step.symbol] = second
            yield step


class DemoWorld:
    """One run; use as a context manager.

    Args:
        folder: where the decision file, its record, the database and the tick record are kept.
        observers: who hears of the engine's ticks and incidents.
    """

    def __init__(
        self,
        course: Course,
        *,
        seed: int,
        policies: Mapping[str, Policy],
        folder: Path,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._world = World(
            seed=seed,
            market=course,
            policies=policies,
            origin_ms=course.begin_ms,
            observers=observers,
            folder=folder,
        )
        self._world.venue.core.record_market_every(MARKET_RECORD_MS)
        self._writer = Life("writer")
        self._auditor = Auditor()
        self._audited: set[Path] = set()
        self._audit_due_s = AUDIT_EVERY_S

    def __enter__(self) -> Self:
        self._world.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._world.__exit__(kind, error, traceback)

    @property
    def clock(self) -> Clock:
        """Virtual time, as the exchange has it."""
        return self._world.clock

    @property
    def now_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self._world.now_s

    def on_record(self, listener: Callable[[Record], None]) -> None:
        """Have a listener hear every further record of the exchange's ledger."""
        self._world.venue.core.ledger.subscribe(listener)

    def start(self, writer: Coroutine[Any, Any, None]) -> None:
        """Start exchange, engine and decision system.

        Raises:
            ConfigError: the market has no beginning for a symbol.
        """
        world = self._world
        world.venue.open()
        world.host.start()
        # What it raises ends the run.
        world.loop.spawn(self._writer, writer).add_done_callback(asyncio.Task.result)

    async def listen(self, take: Callable[[str], None]) -> None:
        """Hear best bid and ask of every symbol, as frames of the exchange's combined stream, until the run ends."""
        venue, loop = self._world.venue, self._world.loop
        ear = _QuoteEar(loop=loop, life=self._writer, hear=take, private=False, weather=Calm)
        venue.connect([ear])
        await loop.create_future()

    def after(self, seconds: float, work: Callable[[], object]) -> None:
        """Have something done later."""
        self._world.after(seconds, work)

    def restart(self) -> None:
        """Kill the engine; it is started again after a moment."""
        self._world.host.kill()
        self._world.after(START_S, self._world.host.start)

    def run(self, seconds: float) -> None:
        """Let time go on.

        Raises:
            ConfigError: a row of a recorded file cannot be read, or the engine refuses to start.
            EvidenceError: the tick record cannot be read.
        """
        self._world.run(seconds)
        if self.now_s >= self._audit_due_s:
            self._audit_due_s = self.now_s + AUDIT_EVERY_S
            older = ticks.older_files(self._world.disk.database)
            self._auditor.read_ticks(self._fresh(older.values()))

    def stop(self) -> None:
        """End the decision system, and the engine as SIGTERM does.

        Raises:
            NotSettled: the engine did not end, or could not prove that no entry is left.
        """
        world = self._world
        world.loop.kill(self._writer)
        world.run(START_S)  # an engine that was just killed is started again first
        process = world.host.process
        world.host.ask_to_stop()
        world.run(STOP_S)
        if process is None or not process.ended or not process.engine.settled:
            raise NotSettled("the engine could not prove at its end that no entry is left")

    def judge(self) -> tuple[dict[str, Any], AuditVerdict]:
        """The verdict of the exchange's judge, and that of the audit.

        Raises:
            EvidenceError: some of what the engine wrote cannot be understood.
            StoreUnavailable: its database cannot be read.
        """
        disk, records = self._world.disk, self._world.venue.core.ledger.records
        verdict = self._world.judge()
        fresh = self._fresh(ticks.record_files(disk.database))
        written = disk.decisions
        lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
        audited = self._auditor.verdict(records, lines, disk.database, fresh, gaps=verdict["gaps"])
        return verdict, audited

    def _fresh(self, files: Iterable[Path]) -> list[Path]:
        """Those files of the tick record that were not audited before; they are from now on."""
        fresh = [path for path in files if path not in self._audited]
        self._audited.update(fresh)
        return fresh


class _QuoteEar(Ear):
    """Hears nothing but best bid and ask."""

    def tell(self, event: str, frame: str) -> None:
        """Send one frame of an event of that name."""
        if event == QUOTES:
            super().tell(event, frame)
