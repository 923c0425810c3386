"""What is written beside a decision file: the answer to it, and copies of what could not be read (D-5, D-8).

Promises that a reader sees an old file or a new one, never half of one, and that a link in the place of a file is
replaced, not followed. Nothing is forced to the disk: an answer is a courtesy to the writer, the record of it
stands in the database. Raises `OSError` or `ValueError` where a place cannot be written.
"""

import hashlib
import json
import os
from pathlib import Path

from jumar.model.moments import iso
from jumar.ports.decisions import Answer

QUARANTINE = "quarantine"
COPIES_MAX = 100
_FOR_OWNER, _FOR_READERS = 0o600, 0o644
_HASH_SHOWN = 32


def outcome_path(decision: Path) -> Path:
    """Where the answer stands: `outcome.json` for `decision.json`, else `<stem>.outcome.json`."""
    name = "outcome.json" if decision.name == "decision.json" else f"{decision.stem}.outcome.json"
    return decision.with_name(name)


def write_answer(decision: Path, answer: Answer) -> None:
    """Replace the answer beside a decision file in one move.

    Raises:
        OSError, ValueError: it cannot be written.
    """
    content = {
        "symbol": answer.symbol,
        "decision_id": answer.decision_id,
        "timestamp_iso": _iso(answer.timestamp_ms),
        "outcome": answer.outcome,
        "reasons": [
            {"code": reason.code, "rule": reason.rule, "message": reason.message}
            for reason in answer.reasons
        ],
        "at_iso": _iso(answer.at_ms),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # broken text of the decision itself becomes an escape, which is JSON as well
    write_whole(outcome_path(decision), text.encode(errors="backslashreplace"))


def _iso(moment_ms: int | None) -> str | None:
    if moment_ms is None:
        return None
    try:
        return iso(moment_ms)
    except OverflowError:
        return None  # no moment of the calendar


def put_aside(decision: Path, data: bytes) -> Path:
    """Keep a copy of a content that could not be read; the same bytes are kept once, and the oldest make room.

    Raises:
        OSError, ValueError: no copy could be made.
    """
    folder = decision.parent / QUARANTINE
    folder.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(data).hexdigest()[:_HASH_SHOWN] + (decision.suffix or ".txt")
    copy = folder / name
    write_whole(copy, data, _FOR_OWNER)
    _make_room(folder, copy)
    return copy


def _make_room(folder: Path, newest: Path) -> None:
    """Remove the oldest copies; only files that carry a name of ours, so that nobody's notes are lost."""
    copies = [path for path in folder.iterdir() if _is_copy(path)]
    copies.sort(key=lambda path: (path == newest, path.lstat().st_mtime_ns))
    for old in copies[:-COPIES_MAX]:
        old.unlink(missing_ok=True)


def _is_copy(path: Path) -> bool:
    is_hash = len(path.stem) == _HASH_SHOWN and set(path.stem) <= set("0123456789abcdef")
    return is_hash and path.is_file() and not path.is_symlink()


def write_whole(path: Path, data: bytes, mode: int = _FOR_READERS) -> None:
    """Put a file in its place in one move, so that nobody reads half of it.

    Raises:
        OSError, ValueError: it cannot be written; what stood there stays.
    """
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)  # of a process that died between the two moves
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
