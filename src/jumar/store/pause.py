"""A pause that outlives its database: one small file beside it, read by every start (M-6).

Written where a flatten could not open the database; only a `resume` that the engine obeyed removes it. Promises that a
file which is there and cannot be understood is a pause as well.
"""

import os
from pathlib import Path

import msgspec

from jumar.model.mode import Mode, ModeState

#: Of a file whose content tells nothing.
_UNREADABLE = "a pause file that cannot be read lies beside the database"


def pause_file(database: Path) -> Path:
    """Return where the pause of a database stands."""
    place = database.resolve()
    return place.with_name(f"{place.name}.paused")


def leave(database: Path, *, cause: str, at_ms: int) -> Path:
    """Leave a pause; durable on return.

    Args:
        database: beside which it stands; it need not exist.
        cause: who wanted it and why, for whoever reads it later.
        at_ms: exchange time.

    Raises:
        OSError: it cannot be written.
    """
    place = pause_file(database)
    content = msgspec.json.encode({"cause": cause, "at_ms": at_ms})
    with place.open("wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return place


def read(database: Path | None) -> ModeState | None:
    """Return the pause that stands beside a database, None without one, or where nothing can stand beside it."""
    if database is None:
        return None
    try:
        content = pause_file(database).read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    try:
        told = msgspec.json.decode(content)
        cause, at_ms = str(told["cause"]), int(told["at_ms"])
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        cause, at_ms = _UNREADABLE, 0
    return ModeState(
        mode=Mode.NO_ENTRIES, rule="M-6", cause=cause, since_ms=at_ms, code="all_paused"
    )


def remove(database: Path) -> None:
    """Take the pause away; one that is not there stays so.

    Raises:
        OSError: it cannot be removed.
    """
    pause_file(database).unlink(missing_ok=True)
