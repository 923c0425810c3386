"""A register: everything of one kind by its number and by its name, what has ended in little room.

Numbers are given without a gap. What has ended stays as it is for a while, because whoever ended it may still have
something to write down, and then goes to a shelf; it is found there as before. Knows nothing of orders.
"""

from array import array
from collections.abc import Callable, Iterator
from zlib import crc32

from jumar.exchange.simulated.core.shelf import Packer, Shelf

LINGERING = 256  # far more than end before the first of them is written down
_MARK_BYTES = 4


class Register[T]:
    """What was ever entered.

    Args:
        kind: what an entry is.
        first: the first number.
        name: an entry's name; several may share one, but no two that have not ended.
        ended: whether an entry will never change again.
        pack: keeps what has ended.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        first: int,
        name: Callable[[T], str],
        ended: Callable[[T], bool],
        pack: Packer | None = None,
    ) -> None:
        self._first = first
        self._name = name
        self._ended = ended
        self._live: dict[int, T] = {}
        self._named: dict[str, T] = {}
        self._lingering: dict[int, None] = {}  # a queue in which each stands once
        self._shelf: Shelf[T] = Shelf(kind, pack)
        # Of what lies on the shelf: where, by number, and four bytes of each name, by place. Nothing here is an object
        # of its own: a million entries take eight megabytes.
        self._places: array[int] = array("I")
        self._marks = bytearray()

    @property
    def next_number(self) -> int:
        """The number of the next entry."""
        return self._first + len(self._places)

    def enter(self, number: int, entry: T) -> None:
        """Enter a new one under the next number.

        Raises:
            ValueError: it is another number.
        """
        if number != self.next_number:
            raise ValueError(f"number {number} is not the next, which is {self.next_number}")
        self._live[number] = entry
        self._named[self._name(entry)] = entry
        self._places.append(0)

    def leave(self, number: int) -> None:
        """An entry is about to end, or has ended."""
        self._lingering[number] = None
        for _ in range(2):  # one more than joins, so that those who must wait do not add up
            if len(self._lingering) <= LINGERING:
                return
            oldest = next(iter(self._lingering))
            del self._lingering[oldest]
            if self._ended(self._live[oldest]):
                self._put_away(oldest)
            else:
                self._lingering[oldest] = None

    def get(self, number: int) -> T | None:
        """By number; None when there is none."""
        entry = self._live.get(number)
        if entry is None and self._first <= number < self.next_number:
            return self._shelf[self._places[number - self._first]]
        return entry

    def named(self, name: str) -> T | None:
        """The newest of a name; None when there is none."""
        entry = self._named.get(name)
        if entry is not None:
            return entry
        mark, end = _mark(name), len(self._marks)
        while (at := self._marks.rfind(mark, 0, end)) >= 0:
            # Found between two marks: the search goes on before the byte at which this one ends.
            end = at + _MARK_BYTES - 1
            if at % _MARK_BYTES == 0:
                found = self._shelf[at // _MARK_BYTES]
                if self._name(found) == name:
                    return found
        return None

    def live(self) -> list[T]:
        """What has not ended, and what ended of late, in the order of their numbers."""
        return list(self._live.values())

    def since(self, number: int | None = None) -> Iterator[T]:
        """All from a number on, in the order of their numbers."""
        for each in range(max(number or 0, self._first), self.next_number):
            entry = self.get(each)
            if entry is not None:
                yield entry

    def newest_first(self) -> Iterator[T]:
        """All, against the order of their numbers."""
        for each in range(self.next_number - 1, self._first - 1, -1):
            entry = self.get(each)
            if entry is not None:
                yield entry

    def _put_away(self, number: int) -> None:
        entry = self._live.pop(number)
        name = self._name(entry)
        if self._named.get(name) is entry:
            del self._named[name]
        self._places[number - self._first] = len(self._shelf)
        self._shelf.append(entry)
        self._marks += _mark(name)


def _mark(name: str) -> bytes:
    return crc32(name.encode("utf-8", "surrogatepass")).to_bytes(_MARK_BYTES, "big")
