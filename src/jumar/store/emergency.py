"""The emergency file: what protects a position is durable here while the database cannot be written (M-4, X-2).

Promises that a batch is on the disk when `write` returns, that its room was reserved when the file was made, so that
a full disk refuses nothing that fits, that a line that was never finished is cut, and that damage is told and hides
nothing that stands before it. Nothing waits for a disk in the event loop's thread. Knows of the database only which
orders stand in it: the records of a batch precede its intents, there as here, so that a batch whose last intent the
database knows, and whatever a symbol wrote before it, is in the database (the records of a symbol go in in order).

A line is `length crc32 json`, both numbers as eight hexadecimal digits; each checksum goes on from the one before.
"""

import asyncio
import os
import zlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from jumar.model.errors import StoreUnavailable
from jumar.model.journal import (
    AmendIntent,
    FillSeen,
    Intent,
    ModeChanged,
    OrderAdopted,
    OrderChanged,
    Record,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
)
from jumar.ports.store import Rescued

#: Room that is taken on the disk when the file is made; beyond it the file grows while the disk has room.
RESERVED_BYTES = 256 * 1024
#: How long a write may take before whoever protects a position goes on without it.
PATIENCE_S = 0.3
type Batches = tuple[tuple[str, tuple[Record, ...]], ...]

_HEAD = len("00000000 00000000 ")
#: What is kept: records of which writing one twice changes nothing once its order is known. What is only told (events,
#: incidents, refusals, pictures) waits for the database in memory.
_KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (
        Intent,
        AmendIntent,
        OrderAdopted,
        OrderChanged,
        StopConfirmed,
        FillSeen,
        TradeChanged,
        TradeEnded,
        ModeChanged,
    )
}


class Medium(Protocol):
    """Where the bytes of an emergency file stand."""

    def open(self) -> bytes:
        """Make it, with its room reserved, where there is none; return its content.

        Raises:
            OSError: it cannot be made or read.
        """
        ...

    def write(self, at: int, content: bytes) -> None:
        """Write at a position; durable on return.

        Raises:
            OSError: it is not durable; what stands there now is not known.
        """
        ...

    def set_aside(self) -> str:
        """Keep the content under another name for a person, begin an empty one, and return that name.

        Raises:
            OSError: it could not be done.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class ReservedFile:
    """A file of this machine that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def open(self) -> bytes:
        """Make it, with its room reserved, where there is none; return its content.

        Zeros are written instead of asking the file system for room: on every one of them writing over written blocks
        is what a full disk has the least reason to refuse.
        """
        if self._file is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(self._path, flags, 0o600)
            os.fchmod(self._file, 0o600)
        size = os.fstat(self._file).st_size
        if size < RESERVED_BYTES:
            self._put(size, bytes(RESERVED_BYTES - size))
            os.fsync(self._file)
            _make_name_durable(self._path.parent)
        return os.pread(self._file, os.fstat(self._file).st_size, 0)

    def write(self, at: int, content: bytes) -> None:
        """Write at a position; durable on return."""
        self._put(at, content)
        os.fdatasync(self._opened())

    def set_aside(self) -> str:
        """Keep the content under another name for a person, begin an empty one, and return that name."""
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.damaged-{number}")).exists():
            number += 1
        self.close()
        self._path.rename(aside)
        self.open()
        return str(aside)

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is None:
            raise OSError(f"{self._path} is not open")
        return self._file

    def _put(self, at: int, content: bytes) -> None:
        written = os.pwrite(self._opened(), content, at)
        if written != len(content):
            raise OSError(f"only {written} of {len(content)} bytes were written")


def _make_name_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class _Line(msgspec.Struct):
    symbol: str
    records: list[tuple[str, msgspec.Raw]]


@dataclass(slots=True, kw_only=True)
class Content:
    """What stands in an emergency file.

    Attributes:
        batches: symbol and records of each readable line, in the order in which they were written.
        end: where the next line belongs.
        checksum: from which the next line's goes on.
        torn: whether the last line was never finished, so that nothing was sent for it.
        damage: what cannot be read although something stands behind it, None without any.
    """

    batches: list[tuple[str, tuple[Record, ...]]] = field(default_factory=list)
    end: int = 0
    checksum: int = 0
    torn: bool = False
    damage: str | None = None


def line_of(symbol: str, records: Sequence[Record], checksum: int) -> tuple[bytes, int]:
    """Return a batch as one line, and the checksum from which the next one goes on."""
    kept = [(type(record).__name__, record) for record in records]
    # canonical by construction: the records are frozen values, amounts go as text
    text = msgspec.json.encode({"symbol": symbol, "records": kept}) + b"\n"
    following = zlib.crc32(text, checksum)
    return b"%08x %08x " % (len(text), following) + text, following


def read(content: bytes) -> Content:
    """Understand an emergency file as far as it can be; zeros end it."""
    found = Content()
    while found.end < len(content) and content[found.end]:
        start = found.end + _HEAD
        length, checksum = _head(content[found.end : start])
        text = content[start : start + length]
        if length and zlib.crc32(text, found.checksum) == checksum and len(text) == length:
            try:
                found.batches.append(_batch(text))
            except (msgspec.MsgspecError, KeyError) as error:
                found.damage = f"byte {found.end}: a whole line is not understood: {error}"
                return found
            found.end, found.checksum = start + length, checksum
            continue
        if not _is_last(content, found.end, start + length):
            found.damage = f"byte {found.end}: a line is damaged, and something stands behind it"
        else:
            found.torn = True
        return found
    if content[found.end :].strip(b"\0"):
        found.damage = f"byte {found.end}: a line is missing before others"
    return found


def _head(head: bytes) -> tuple[int, int]:
    try:
        return int(head[:8], 16), int(head[9:17], 16)
    except ValueError:
        return 0, 0


def _is_last(content: bytes, start: int, end: int) -> bool:
    """Whether nothing stands behind a broken line: neither where it says that it ends, nor where a line does end."""
    ends = content.find(b"\n", start) + 1
    knows_its_end = end > start + _HEAD
    behind = min(end, ends or end) if knows_its_end else ends or end
    return not content[behind:].strip(b"\0")


def _batch(text: bytes) -> tuple[str, tuple[Record, ...]]:
    line = msgspec.json.decode(text, type=_Line)
    return line.symbol, tuple(_record(kind, raw) for kind, raw in line.records)


def _record(kind: str, raw: msgspec.Raw) -> Record:
    # `Any`: the decoder is asked for one of the kinds, which the type checker cannot follow
    wanted: Any = _KINDS[kind]
    record: Record = msgspec.json.decode(raw, type=wanted)
    return record


def lacking(batches: Batches, journaled: Collection[str]) -> Batches:
    """Return what a database lacks that knows these orders: each symbol's records after its last known intent.

    A batch that was written late, by a disk that hung, may stand in the next one once more: its intents count once.
    """
    missing: dict[str, list[tuple[Record, ...]]] = {}
    for symbol, records in batches:
        earlier = missing.setdefault(symbol, [])
        known = [number for number, record in enumerate(records) if _client_id(record) in journaled]
        if known:
            earlier.clear()
            records = records[known[-1] + 1 :]  # noqa: PLW2901 - what is left of the batch
        seen = {_client_id(record) for batch in earlier for record in batch}
        earlier.append(
            tuple(r for r in records if _client_id(r) is None or _client_id(r) not in seen)
        )
    return tuple((symbol, batch) for symbol, kept in missing.items() for batch in kept if batch)


def _client_id(record: Record) -> str | None:
    """The id that an intent journals, None for every other record."""
    return record.order.client_id if isinstance(record, Intent) else None


class EmergencyFile:
    """The emergency file of one database (see `jumar.ports.store.EmergencyLog`)."""

    def __init__(
        self,
        medium: Medium,
        *,
        name: str,
        journaled: Callable[[], Collection[str]],
        executor: Executor | None = None,
    ) -> None:
        """Name it; nothing is opened yet.

        Args:
            medium: where its bytes stand; used by one engine at a time, which holds the database's lock.
            name: what people call it.
            journaled: asks the database for the client ids of the orders that it knows.
            executor: where the disk is waited for, one at a time; by default a thread of its own.
        """
        self.name = name
        self._medium = medium
        self._journaled = journaled
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="jumar-emergency")
        self._owing: set[str] = set()
        self._end = self._checksum = 0
        self._touched = 0
        self._open = False

    async def open(self) -> Rescued:
        """Reserve its room and read what an earlier life left; see `EmergencyLog.open`."""
        content: Content = await self._done(self._read, patience_s=None)
        batches: Batches = tuple(content.batches)
        if batches:
            batches = lacking(batches, await self._done(self._journaled, patience_s=None))
        self._owing = {symbol for symbol, _ in batches}
        return Rescued(batches=batches, torn=content.torn, damage=content.damage)

    async def write(self, symbol: str, records: Sequence[Record]) -> None:
        """Make a batch durable; see `EmergencyLog.write`."""
        kept = [record for record in records if type(record).__name__ in _KINDS]
        self._owing.add(symbol)
        await self._done(lambda: self._append(symbol, kept), patience_s=PATIENCE_S)

    async def committed(self, symbol: str) -> None:
        """Make room again once no symbol needs it; see `EmergencyLog.committed`."""
        self._owing.discard(symbol)
        if not self._owing:
            await self._done(self._clear, patience_s=PATIENCE_S)

    async def set_aside(self) -> str:
        """Keep it for a person and begin an empty one; see `EmergencyLog.set_aside`."""
        self._owing.clear()
        return await self._done(self._put_aside, patience_s=None)

    async def close(self) -> None:
        """Let go of it; see `EmergencyLog.close`."""
        self._executor.submit(self._medium.close)
        self._executor.shutdown(wait=False)

    async def _done[T](self, work: Any, *, patience_s: float | None) -> T:
        """Run something where the disk is waited for.

        A disk that hangs is left to itself: what was asked of it may still be done, which does no harm.
        """
        try:
            running: Future[T] = self._executor.submit(work)
            if not running.done():
                waiting = asyncio.wrap_future(running)
                await asyncio.wait({waiting}, timeout=patience_s)
                if not waiting.done():
                    raise StoreUnavailable(f"{self.name}: no answer within {patience_s} s")
            result = running.result()
        except (OSError, RuntimeError) as error:
            raise StoreUnavailable(f"{self.name}: {error}") from error
        return result

    # in the disk's thread

    def _read(self) -> Content:
        raw = self._medium.open()
        content = read(raw)
        self._end, self._checksum, self._open = content.end, content.checksum, True
        self._touched = len(raw.rstrip(b"\0"))
        return content

    def _append(self, symbol: str, records: Sequence[Record]) -> None:
        if not self._open:
            self._read()
        line, checksum = line_of(symbol, records, self._checksum)
        end = self._end + len(line)
        # what an attempt that failed may have left behind this line must not look like one
        rest = bytes(max(self._touched - end, 0))
        self._touched = max(self._touched, end)
        self._medium.write(self._end, line + rest)
        self._end, self._checksum, self._touched = end, checksum, end

    def _clear(self) -> None:
        if self._touched:
            self._medium.write(0, bytes(self._touched))
        self._end = self._checksum = self._touched = 0

    def _put_aside(self) -> str:
        aside = self._medium.set_aside()
        self._end = self._checksum = self._touched = 0
        return aside


def emergency_file(base: Path, journaled: Callable[[], Collection[str]]) -> EmergencyFile:
    """Return the emergency file beside a database's file, or beside what stands in for it in a server's folder.

    Args:
        base: what the names of the files beside the database begin with.
        journaled: asks the database for the client ids of the orders that it knows.
    """
    place = base.resolve()
    path = place.with_name(f"{place.name}.emergency")
    return EmergencyFile(ReservedFile(path), name=str(path), journaled=journaled)
