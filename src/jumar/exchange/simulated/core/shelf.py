"""A shelf: an append-only sequence for what a long run leaves behind, in little room.

The newest rows are kept as they are; older ones are handed in blocks to a packer, which gives them back when somebody
reads so far back. Without a packer a shelf is a list. Rows on a shelf are never changed: one that was packed comes
back as an equal one, not as the same object. Knows nothing of what a row means, nor where packed ones lie.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, overload

BLOCK = 256


class Packer(Protocol):
    """Keeps rows in little room."""

    def keep(self, rows: list[Any]) -> int:
        """Pack rows; the number under which they are found again."""
        ...

    def find[T](self, number: int, kind: type[T]) -> list[T]:
        """Rows equal to those that were packed, which were of that kind; may be asked in any thread, again and again."""
        ...


class Shelf[T](Sequence[T]):
    """Rows in the order in which they came.

    Args:
        kind: what a row is.
        pack: keeps the older ones.
    """

    def __init__(self, kind: type[T], pack: Packer | None = None) -> None:
        self._kind = kind
        self._pack = pack
        # The packer's numbers, one a block: not a list, for there may be very many.
        self._packed = array("Q")
        self._loose: list[T] = []
        self._opened: tuple[int, list[T]] = (-1, [])

    def append(self, row: T) -> None:
        """Put one behind the others."""
        self._loose.append(row)
        if self._pack is not None and len(self._loose) == 2 * BLOCK:
            # Of the loose ones at least a block stays: what is asked for is nearly always new.
            self._packed.append(self._pack.keep(self._loose[:BLOCK]))
            del self._loose[:BLOCK]

    def until_now(self) -> "Shelf[T]":
        """The rows so far, for a reader in another thread; what is appended later is not in it."""
        rows = Shelf(self._kind, self._pack)
        rows._packed, rows._loose = self._packed[:], list(self._loose)
        return rows

    def __len__(self) -> int:
        """How many there are."""
        return len(self._packed) * BLOCK + len(self._loose)

    def __iter__(self) -> Iterator[T]:
        """From the first to the last, a block at a time."""
        number = 0
        while number < len(self._packed):
            yield from self._unpacked(number)
            number += 1
        for place in range(number * BLOCK, len(self)):
            yield self[place]

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> list[T]: ...

    def __getitem__(self, place: int | slice) -> T | list[T]:
        """One row, or a list of some."""
        packed = len(self._packed) * BLOCK
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if start >= packed and step == 1:
                return self._loose[start - packed : max(stop - packed, 0)]
            return [self[each] for each in range(start, stop, step)]
        place = place + len(self) if place < 0 else place
        loose = place - packed
        if loose >= 0:
            return self._loose[loose]
        if place < 0:
            raise IndexError(f"there is no row {place} before the first")
        return self._block(place // BLOCK)[place % BLOCK]

    def _block(self, number: int) -> list[T]:
        """A packed block; the last one stays open, because whoever reads one row reads its neighbours, too."""
        if self._opened[0] != number:
            self._opened = (number, self._unpacked(number))
        return self._opened[1]

    def _unpacked(self, number: int) -> list[T]:
        if self._pack is None:
            raise IndexError(f"there is no block {number} without a packer")
        return self._pack.find(self._packed[number], self._kind)
