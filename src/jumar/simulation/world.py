"""A world in virtual time: one exchange with its market, one engine on its machine, and whoever else acts on them.

`World` puts the parts together and lets time go on; what happens in it is the user's: decisions are written to the
disk, people act on the exchange's core, the weather befalls the wire, the engine is killed. Promises that everything
that happens follows from the seed and from what the user did, and that `log` tells it: two runs of one seed have the
same log.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jumar.audit import AuditVerdict, audit
from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.core.readings import DEFAULT_READINGS, Readings
from jumar.exchange.simulated.judge import judge
from jumar.model.policy import Policy
from jumar.ports.observer import Observer
from jumar.reports import ticks
from jumar.simulation.clock import VirtualClock
from jumar.simulation.host import Disk, Host
from jumar.simulation.line import Calm, Weather
from jumar.simulation.loop import Life, VirtualLoop
from jumar.simulation.venue import Venue
from jumar.store.migrate import blank_database

ORIGIN_MS = 1_764_929_090_000  # 2025-12-05T10:04:50Z
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


class World:
    """One run; use as a context manager: its folder is removed at the end.

    Args:
        seed: dice of the order of events; what else is drawn from it is the user's.
        market: where prices come from.
        policies: of the symbols that the engine manages.
        weather: what befalls the wire.
        speed: path seconds per virtual second.
        ahead_ms, drift: of the engine's clock.
        observers: who hears of the engine's ticks and incidents.
        folder: where the disk is kept; by default one that is removed at the end, in memory where there is such a place.
    """

    def __init__(
        self,
        *,
        seed: int,
        market: MarketSource,
        policies: Mapping[str, Policy],
        weather: Weather | None = None,
        speed: float = 1.0,
        origin_ms: int = ORIGIN_MS,
        ahead_ms: int = 0,
        drift: float = 0.0,
        observers: Sequence[Observer] = (),
        folder: Path | None = None,
        readings: Readings = DEFAULT_READINGS,
    ) -> None:
        self.loop = VirtualLoop(seed)  # type: ignore[abstract]  # sockets, threads and signals do not exist here
        self.clock = VirtualClock(self.loop, origin_ms)
        self.log: list[str] = []
        self.on_point: Callable[[str], bool] = lambda _: False
        self._own_folder = folder is None
        self._stores = 0
        self.disk = Disk(folder=folder or _new_folder())
        if not self.disk.database.exists():
            self.disk.database.write_bytes(blank_database())
        self.venue = Venue(
            loop=self.loop,
            clock=self.clock,
            market=market,
            weather=weather or Calm(),
            speed=speed,
            readings=readings,
        )
        self.host = Host(
            loop=self.loop,
            venue=self.venue,
            disk=self.disk,
            policies=policies,
            clock=VirtualClock(self.loop, origin_ms, ahead_ms=ahead_ms, drift=drift),
            reach=self._reached,
            new_store_id=self._new_store_id,
            observers=observers,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.close()
            else:
                self.loop.close()
        finally:
            if self._own_folder:
                shutil.rmtree(self.disk.folder, ignore_errors=True)

    def close(self) -> None:
        """End everything that still runs; closing again does nothing more.

        Raises:
            BaseException: what a task raised and nobody ever heard.
        """
        self.loop.close()
        errors, self.loop.errors = self.loop.errors, []
        _raise_first(errors)

    @property
    def now_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.time()

    def note(self, words: str) -> None:
        """Remember what happened, with its time."""
        self.log.append(f"{self.now_s:10.3f} {words}")

    def run(self, seconds: float) -> None:
        """Let time go on.

        Raises:
            BaseException: what the engine or the world raised and must not.
        """
        self.loop.run(until_s=self.now_s + seconds)
        if self.host.failures:
            raise self.host.failures[0]
        _raise_first(self.loop.errors)

    def after(self, seconds: float, work: Callable[..., object], *arguments: object) -> None:
        """Have something happen later, as part of the world."""
        self.loop.call_for(self.loop.world, seconds, work, *arguments)

    def decide(self, content: bytes, *, whole: bool = True) -> None:
        """Write a decision for the engine.

        Args:
            content: JSON.
            whole: in one move, and into the writer's own record; a part of one is written as it is.
        """
        if not whole:
            self.disk.decision.write_bytes(content)
            return
        with self.disk.decisions.open("ab") as record:
            record.write(content + b"\n")
        _write(self.disk.decision, content)

    def set_levels(self, content: bytes, *, whole: bool = True) -> None:
        """Write a levels file for the engine: in one move, or a part of one as it is."""
        if whole:
            _write(self.disk.levels, content)
        else:
            self.disk.levels.write_bytes(content)

    def judge(self) -> dict[str, Any]:
        """The exchange judge's verdict on everything so far."""
        return judge(self.venue.core.ledger.records, until_ms=self.clock.now_ms())

    def audit(self, verdict: Mapping[str, Any]) -> AuditVerdict:
        """The verdict of the audit on the exchange's ledger, the decisions and the engine's disk."""
        written = self.disk.decisions
        lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
        database = self.disk.database
        return audit(
            self.venue.core.ledger.records,
            lines,
            database,
            ticks.record_files(database),
            gaps=verdict["gaps"],
        )

    def fingerprint(self) -> str:
        """What two runs of one seed have in common: the log, the ledger and the tick record, hashed."""
        digest = hashlib.sha256("\n".join(self.log).encode())
        for record in self.venue.core.ledger.records:
            digest.update(json.dumps(record).encode())
        for path in ticks.record_files(self.disk.database):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _reached(self, life: Life, point: str) -> None:
        if self.on_point(point) and life.alive:
            self.note(f"killed {point}")
            self.host.kill()

    def _new_store_id(self) -> str:
        self._stores += 1
        return f"{self._stores:032x}"


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)


def _new_folder() -> Path:
    place = _MEMORY if _MEMORY.is_dir() else None
    return Path(tempfile.mkdtemp(prefix="jumar-simulation-", dir=place))


def _raise_first(errors: Sequence[Mapping[str, Any]]) -> None:
    for context in errors:
        raise context.get("exception") or RuntimeError(str(context))
