"""One watched decision file.

Promises that `poll` and `answer` never raise and that each content is reported once, as long as no other content
came between. A content that is not JSON may be half written: it is read again, and reported only when it was the
same through three ticks, or when nothing readable came for twenty (D-5). An absent file is no decision.

The file is read at every poll: file times are too coarse to show a second write of the same size, and one small
read costs less than a missed decision.
"""

import hashlib
import stat
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import structlog

from jumar.decisions.beside import QUARANTINE, outcome_path, put_aside, write_answer
from jumar.decisions.decode import interpret, unreadable
from jumar.decisions.parse import SIZE_MAX, WHOLE, Unparsed, kept, parse
from jumar.model.decision import FieldError
from jumar.ports.decisions import Answer, Received

#: More than any decision has. Room for the largest file, taken and given back at every poll, costs more than reading.
SIZE_USUAL = 16 * 1024
PATIENCE_TICKS = 3
#: A file that is being written all the time never rests for three ticks; that it is never readable is said, too.
PATIENCE_UNRESTING_TICKS = 20

_log = structlog.get_logger("jumar.decisions")


class FileDecisions:
    """The decisions that somebody writes to one file (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(
        self, path: Path, *, account: str, symbols: Collection[str], polls_per_tick: int = 1
    ) -> None:
        """Watch `path`; `account` and `symbols` are the configured ones.

        Args:
            path: the file.
            account: part of every decision's id.
            symbols: decisions for others are refused.
            polls_per_tick: how often the engine looks within one tick.
        """
        self._patience_polls = PATIENCE_TICKS * polls_per_tick
        self._unresting_polls = PATIENCE_UNRESTING_TICKS * polls_per_tick
        self._path = path
        self._account = account
        self._symbols = frozenset(symbols)
        self._reported: bytes | None = None
        self._doubted: bytes | None = None
        self._doubts = 0
        self._unreadable_polls = 0
        self._complained = False
        self._answers_fail = False

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll: nothing, or one content."""
        try:
            data = self._read()
        except FileNotFoundError:
            self._trust()
            return ()
        except (OSError, ValueError) as error:  # ValueError: a path that no file can have
            message = f"cannot be read: {_words(error)}"
            failure = FieldError(field=WHOLE, value=str(self._path), message=message, rule="D-5")
            return self._doubt(message.encode(errors="replace"), failure, None)
        mark = hashlib.sha256(data).digest()
        if mark == self._reported:
            self._trust()
            return ()
        parsed = parse(data)
        if isinstance(parsed, Unparsed):
            return self._doubt(mark, parsed.error, data)
        self._trust()
        self._reported = mark
        return (
            interpret(parsed.value, raw=kept(data), account=self._account, symbols=self._symbols),
        )

    def answer(self, answer: Answer) -> None:
        """Write what was done beside the file (D-8); the first of several failures in a row is logged."""
        try:
            write_answer(self._path, answer)
        except (OSError, ValueError) as error:
            if not self._answers_fail:
                place = str(outcome_path(self._path))
                _log.warning("the answer cannot be written", path=place, error=_words(error))
            self._answers_fail = True
        else:
            self._answers_fail = False

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

    def _doubt(self, mark: bytes, error: FieldError, data: bytes | None) -> tuple[Received, ...]:
        if mark == self._reported:
            return ()
        self._doubts = self._doubts + 1 if mark == self._doubted else 1
        self._doubted = mark
        self._unreadable_polls += 1
        unresting = self._unreadable_polls >= self._unresting_polls and not self._complained
        if self._doubts < self._patience_polls and not unresting:
            return ()
        self._reported, self._doubted, self._complained = mark, None, True
        if data is None:
            return (unreadable(error, raw=""),)
        return (self._put_aside(error, data),)

    def _put_aside(self, error: FieldError, data: bytes) -> Received:
        """Keep a copy; that there is none is said, and is no reason to stop."""
        try:
            copy = put_aside(self._path, data)
        except (OSError, ValueError) as failure:
            message = f"{error.message}; no copy in {QUARANTINE}/: {_words(failure)}"
            return unreadable(replace(error, message=message), raw=kept(data))
        message = f"{error.message}; a copy is kept as {QUARANTINE}/{copy.name}"
        received = unreadable(replace(error, message=message), raw=kept(data))
        return replace(received, quarantine=str(copy))


def _words(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
