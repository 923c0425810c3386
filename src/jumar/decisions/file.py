"""One watched decision file.

Promises that `poll` never raises and reports each content once. A content that is not JSON may be half written: it
is read again, and reported only when it was the same at three polls in a row (D-5). An absent file is no decision.

The file is read at every poll: file times are too coarse to show a second write of the same size, and one small
read costs less than a missed decision.
"""

import hashlib
import stat
from collections.abc import Collection
from pathlib import Path

from jumar.decisions.decode import interpret, unreadable
from jumar.decisions.parse import SIZE_MAX, WHOLE, Unparsed, kept, parse
from jumar.model.decision import FieldError
from jumar.ports.decisions import Received

PATIENCE_POLLS = 3


class FileDecisions:
    """The decisions that somebody writes to one file (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(self, path: Path, *, account: str, symbols: Collection[str]) -> None:
        """Watch `path`; `account` and `symbols` are the configured ones."""
        self._path = path
        self._account = account
        self._symbols = frozenset(symbols)
        self._reported: bytes | None = None
        self._doubted: bytes | None = None
        self._doubts = 0

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll: nothing, or one content."""
        try:
            data = self._read()
        except FileNotFoundError:
            self._doubted = None
            return ()
        except (OSError, ValueError) as error:  # ValueError: a path that no file can have
            message = f"cannot be read: {getattr(error, 'strerror', None) or error}"
            failure = FieldError(field=WHOLE, value=str(self._path), message=message, rule="D-5")
            return self._doubt(message.encode(), failure, raw="")
        mark = hashlib.sha256(data).digest()
        if mark == self._reported:
            self._doubted = None
            return ()
        parsed = parse(data)
        if isinstance(parsed, Unparsed):
            return self._doubt(mark, parsed.error, raw=kept(data))
        self._reported, self._doubted = mark, None
        return (
            interpret(parsed.value, raw=kept(data), account=self._account, symbols=self._symbols),
        )

    def _read(self) -> bytes:
        # A pipe would block the loop for ever, a device has no end.
        if not stat.S_ISREG(self._path.stat().st_mode):
            raise OSError(0, "it is not a regular file")
        with self._path.open("rb") as file:
            return file.read(SIZE_MAX + 1)

    def _doubt(self, mark: bytes, error: FieldError, *, raw: str) -> tuple[Received, ...]:
        if mark == self._reported:
            return ()
        self._doubts = self._doubts + 1 if mark == self._doubted else 1
        self._doubted = mark
        if self._doubts < PATIENCE_POLLS:
            return ()
        self._reported, self._doubted = mark, None
        return (unreadable(error, raw=raw),)
