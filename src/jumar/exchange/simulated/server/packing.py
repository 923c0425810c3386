"""Where the older rows of shelves lie: packed, in memory or in a file that has no name.

Packed means MessagePack, compressed; rows come back equal to the last digit. The file is made with the first block and
gone with the process, however that ends. What cannot be written, because the disk is full, stays in memory.
"""

import os
import tempfile
import weakref
import zlib
from array import array
from pathlib import Path
from typing import Any

import msgspec

from jumar.exchange.simulated.core.shelf import Packer

_FAST = 1
_DECODERS: dict[type[Any], msgspec.msgpack.Decoder[Any]] = {}


class InMemory:
    """Keeps rows in memory, packed."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def keep(self, rows: list[Any]) -> int:
        """Pack rows."""
        self._blocks.append(_packed(rows))
        return len(self._blocks) - 1

    def find[T](self, number: int, kind: type[T]) -> list[T]:
        """Unpack rows."""
        return _unpacked(self._blocks[number], kind)


class Spill:
    """Keeps rows in a file of its own, packed."""

    def __init__(self) -> None:
        self._file: int | None = None
        self._ends = array("Q", [0])  # where each block ends in the file, and the next begins
        self._unwritten: dict[int, bytes] = {}

    def keep(self, rows: list[Any]) -> int:
        """Write rows to the file."""
        number, end = len(self._ends) - 1, self._ends[-1]
        data = _packed(rows)
        try:
            written = os.pwrite(self._opened(), data, end)
        except OSError:
            written = 0
        if written < len(data):
            self._unwritten[number] = data
        self._ends.append(end if number in self._unwritten else end + written)
        return number

    def find[T](self, number: int, kind: type[T]) -> list[T]:
        """Read rows from the file."""
        data = self._unwritten.get(number)
        if data is None:
            begin, end = self._ends[number], self._ends[number + 1]
            data = os.pread(self._opened(), end - begin, begin)
        return _unpacked(data, kind)

    def _opened(self) -> int:
        if self._file is None:
            self._file, path = tempfile.mkstemp(prefix="jumar-exchange-")
            Path(path).unlink()
            weakref.finalize(self, os.close, self._file)
        return self._file


def packer() -> Packer:
    """A packer for one exchange: a file where the system can keep one without a name, else memory."""
    return Spill() if hasattr(os, "pread") else InMemory()


def _packed(rows: list[Any]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(rows), _FAST)


def _unpacked[T](data: bytes, kind: type[T]) -> list[T]:
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]  # known at run time
    rows: list[T] = decoder.decode(zlib.decompress(data))
    return rows
