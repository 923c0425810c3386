"""The flight recorder: ticks that mattered, as lines from which they can be planned again (H-4).

Promises: a tick with a command is always written, and reaches the operating system before the next tick begins; a
file can be read by itself; the record never grows past its limit; a disk that refuses is said once and asked again
at the next line. What is written holds no secret, for a world has none. Decides nothing and never raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from jumar import __version__
from jumar.model.command import Plan
from jumar.model.journal import Incident
from jumar.model.policy import Policy
from jumar.ports.observer import TickReport
from jumar.reports import ticks

FILE_BYTES_MAX = 8 * 1024 * 1024
FILES_MAX = 8
QUIET_MS = 10_000
FIRST_TICKS = 5


@dataclass(slots=True)
class _Seen:
    """What was last written of one symbol.

    Attributes:
        first: how many of the next ticks are written whatever they hold.
        what: trade, refusals, notes, mode and alarms, by which a change is noticed.
    """

    first: int = FIRST_TICKS
    readable: bool = False
    at_ms: int | None = None
    what: object = None


class TickRecorder:
    """Writes `<database>.ticks.jsonl`, and the full files before it as `<database>.ticks.N.jsonl`.

    A tick gets a line when it has commands; when the trade, the refusals, the notes, the mode or the alarms changed
    since the symbol's last line; when that is 10 s old; and in any case the first five since the start, and since the position
    became readable.
    """

    def __init__(
        self,
        database: Path,
        *,
        account: str,
        policies: Mapping[str, Policy],
        file_bytes_max: int = FILE_BYTES_MAX,
        files_max: int = FILES_MAX,
    ) -> None:
        """Name the record; no file is touched before the first tick, when the database is known to be ours."""
        self._database = database
        self._path = ticks.record_file(database)
        self._account = account
        self._policies = dict(policies)
        self._file_bytes_max = file_bytes_max
        self._files_max = files_max
        self._seen: dict[str, _Seen] = {}
        self._begun = False
        self._number = 0
        self._started = False
        self._failing = False
        self._log = structlog.get_logger("jumar.recorder")

    def tick(self, report: TickReport) -> None:
        """Hear of a tick."""
        if not self._matters(report):
            return
        line = ticks.encode_tick(
            tick=report.tick,
            duration_ms=report.duration_ms,
            world=report.world,
            plan=report.plan,
        )
        try:
            self._write(line, report.world.now_ms)
        except OSError as error:
            self._failed(error)
        else:
            if self._failing:
                self._failing = False
                self._log.info("ticks are recorded again", file=str(self._path), rule="H-4")

    def incident(self, incident: Incident) -> None:
        """Incidents stand in the database."""

    def _matters(self, report: TickReport) -> bool:
        world, plan = report.world, report.plan
        seen = self._seen.get(world.symbol)
        if seen is None:
            seen = self._seen[world.symbol] = _Seen()
        if world.position is not None and not seen.readable:
            seen.readable, seen.first = True, FIRST_TICKS
        what = (*_told(plan), world.mode)
        quiet = seen.at_ms is not None and world.now_ms - seen.at_ms < QUIET_MS
        if quiet and not seen.first and not plan.commands and what == seen.what:
            return False
        seen.first = max(seen.first - 1, 0)
        seen.at_ms, seen.what = world.now_ms, what
        return True

    def _write(self, line: bytes, now_ms: int) -> None:
        """Append one line. The file is opened for each: nothing is held that must be given back."""
        if self._begun and self._path.stat().st_size > self._file_bytes_max:
            self._rotate()
        begun, self._begun = self._begun, False
        with self._path.open("ab", buffering=0) as file:
            if not begun:
                self._begin(file, now_ms)
            _whole(file, line + b"\n")
        self._begun = True

    def _begin(self, file: BinaryIO, now_ms: int) -> None:
        """Begin a file, or this process's part of it, with a start line."""
        self._number = max(ticks.older_files(self._database), default=0) + 1
        start = ticks.encode_start(
            version=__version__,
            account=self._account,
            policies=self._policies,
            at_ms=now_ms,
            file=self._number,
            continued=self._started,
        )
        # an empty line ends what an earlier write may have left torn; readers pass over it
        _whole(file, (b"\n" if file.tell() else b"") + start + b"\n")
        self._started = True

    def _rotate(self) -> None:
        """Put the full file aside and remove the oldest; the next line begins a new one."""
        self._begun = False
        self._path.rename(ticks.older_file(self._database, self._number))
        older = list(ticks.older_files(self._database).values())
        for path in older[: max(len(older) - self._files_max + 1, 0)]:
            path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> None:
        """Say it once; the next line begins anew, behind whatever was torn."""
        if not self._failing:
            self._failing = True
            self._log.warning(
                "ticks are not recorded", file=str(self._path), error=str(error), rule="H-4"
            )


def _told(plan: Plan) -> tuple[object, ...]:
    """What of a plan is news when it changes; a refusal or an alarm whose numbers move is the same one."""
    refusals = tuple(refusal.code for refusal in plan.refusals)
    alarms = tuple((alarm.rule, alarm.subject) for alarm in plan.alarms)
    return plan.trade, refusals, plan.notes, plan.mode, alarms, plan.uncovered, plan.adopted


def _whole(file: BinaryIO, data: bytes) -> None:
    """Write all of it.

    Raises:
        OSError: it could not be written whole.
    """
    while data:
        data = data[file.write(data) :]
