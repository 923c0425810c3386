"""A watched file, whatever it holds: each of its contents is told once, a broken one only when it stays broken.

Promises that `poll` never raises and that each content is reported once, as long as no other content came between. A
content that is not JSON may be half written: it is read again, and reported only when it was the same through three
ticks, or when nothing readable came for twenty (D-5). An absent file is no content. Knows nothing of fields.

The file is read at every poll: file times are too coarse to show a second write of the same size, and one small
read costs less than a missed decision.
"""

import hashlib
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from jumar.decisions.beside import QUARANTINE, put_aside
from jumar.decisions.parse import SIZE_MAX, WHOLE, Unparsed, parse
from jumar.model.decision import FieldError

#: More than any decision has. Room for the largest file, taken and given back at every poll, costs more than reading.
SIZE_USUAL = 16 * 1024
PATIENCE_TICKS = 3
#: A file that is being written all the time never rests for three ticks; that it is never readable is said, too.
PATIENCE_UNRESTING_TICKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A new content that is JSON.

    Attributes:
        data: the bytes.
        value: what they say, of any shape.
    """

    data: bytes
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A content that stayed unreadable.

    Attributes:
        error: why, and where the copy is, or why there is none.
        data: the bytes; empty where none could be read.
        quarantine: path of the copy, None when there is none.
    """

    error: FieldError
    data: bytes = b""
    quarantine: str | None = None


class WatchedFile:
    """One file that somebody else writes."""

    def __init__(self, path: Path, *, polls_per_tick: int = 1) -> None:
        """Watch `path`; `polls_per_tick` says how often the engine looks within one tick."""
        self._path = path
        self._patience_polls = PATIENCE_TICKS * polls_per_tick
        self._unresting_polls = PATIENCE_UNRESTING_TICKS * polls_per_tick
        self._reported: bytes | None = None
        self._doubted: bytes | None = None
        self._doubts = 0
        self._unreadable_polls = 0
        self._complained = False

    def poll(self) -> Readable | Broken | None:
        """What is new since the last poll."""
        try:
            data = self._read()
        except FileNotFoundError:
            self._trust()
            return None
        except (OSError, ValueError) as error:  # ValueError: a path that no file can have
            message = f"cannot be read: {words_of(error)}"
            failure = FieldError(field=WHOLE, value=str(self._path), message=message, rule="D-5")
            said = self._is_told(message.encode(errors="replace"))
            return Broken(error=failure) if said else None
        mark = hashlib.sha256(data).digest()
        if mark == self._reported:
            self._trust()
            return None
        parsed = parse(data)
        if isinstance(parsed, Unparsed):
            return self._put_aside(parsed.error, data) if self._is_told(mark) else None
        self._trust()
        self._reported = mark
        return Readable(data=data, value=parsed.value)

    def _read(self) -> bytes:
        # A pipe would block the loop for ever, a device has no end.
        if not stat.S_ISREG(self._path.stat().st_mode):
            raise OSError(0, "it is not a regular file")
        with self._path.open("rb") as file:
            data = file.read(SIZE_USUAL)
            return data if len(data) < SIZE_USUAL else data + file.read(SIZE_MAX + 1 - SIZE_USUAL)

    def _trust(self) -> None:
        """Begin anew: what comes next may be half written again."""
        self._doubted, self._unreadable_polls, self._complained = None, 0, False

    def _is_told(self, mark: bytes) -> bool:
        """Whether a doubtful content has been so for long enough to be told, now."""
        if mark == self._reported:
            return False
        self._doubts = self._doubts + 1 if mark == self._doubted else 1
        self._doubted = mark
        self._unreadable_polls += 1
        unresting = self._unreadable_polls >= self._unresting_polls and not self._complained
        if self._doubts < self._patience_polls and not unresting:
            return False
        self._reported, self._doubted, self._complained = mark, None, True
        return True

    def _put_aside(self, error: FieldError, data: bytes) -> Broken:
        """Keep a copy; that there is none is said, and is no reason to stop."""
        try:
            copy = put_aside(self._path, data)
        except (OSError, ValueError) as failure:
            message = f"{error.message}; no copy in {QUARANTINE}/: {words_of(failure)}"
            return Broken(error=replace(error, message=message), data=data)
        message = f"{error.message}; a copy is kept as {QUARANTINE}/{copy.name}"
        told = replace(error, message=message)
        return Broken(error=told, data=data, quarantine=str(copy))


def words_of(error: OSError | ValueError) -> str:
    """What a person reads of a failure."""
    return getattr(error, "strerror", None) or str(error)
