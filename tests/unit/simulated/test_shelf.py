"""The shelf: a list whose older part is packed away."""

from dataclasses import dataclass
from typing import Any

import pytest

from jumar.exchange.simulated.core.shelf import BLOCK, Shelf


class Box:
    """A packer that counts what is asked of it."""

    def __init__(self) -> None:
        self.blocks: list[list[Any]] = []
        self.opened = 0

    def keep(self, rows: list[Any]) -> int:
        """Keep a copy."""
        self.blocks.append(list(rows))
        return len(self.blocks) - 1

    def find[T](self, number: int, kind: type[T]) -> list[T]:
        """Give another one back."""
        assert all(isinstance(row, kind) for row in self.blocks[number])
        self.opened += 1
        return list(self.blocks[number])


@dataclass(frozen=True)
class Filled:
    """A shelf of the numbers from zero on, and what packs them."""

    shelf: Shelf[int]
    box: Box


SIZES = (0, 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, 2 * BLOCK + 1, 5 * BLOCK + 7)


def filled(size: int) -> Filled:
    """So many numbers."""
    box = Box()
    shelf = Shelf(int, box)
    for number in range(size):
        shelf.append(number)
    return Filled(shelf, box)


@pytest.mark.parametrize("size", SIZES)
def test_it_reads_like_the_list_of_what_was_appended(size: int) -> None:
    """Length, order, places from either end, slices of all kinds."""
    shelf, rows = filled(size).shelf, list(range(size))
    assert len(shelf) == size
    assert list(shelf) == rows
    assert list(reversed(shelf)) == rows[::-1]
    for place in {0, 1, size // 2, size - 1} & set(rows):
        assert shelf[place] == rows[place]
        assert shelf[place - size] == rows[place - size]
    for start in (None, 0, 3, size // 2, size - 3, size, size + 9):
        for stop in (None, 0, size // 2, -2, size + 9):
            assert shelf[start:stop] == rows[start:stop]
            assert shelf[start:stop:3] == rows[start:stop:3]
    for beyond in (size, -size - 1):
        with pytest.raises(IndexError):
            shelf[beyond]


def test_what_is_old_is_packed_and_what_is_new_is_not() -> None:
    """At least a block stays loose, less than two do."""
    for size in SIZES:
        loose = size - len(filled(size).box.blocks) * BLOCK
        assert min(size, BLOCK) <= loose < 2 * BLOCK


def test_without_a_packer_the_same_objects_come_back() -> None:
    """It is a list then."""
    shelf = Shelf(list[int])
    rows = [[number] for number in range(3 * BLOCK)]
    for row in rows:
        shelf.append(row)
    assert all(mine is theirs for mine, theirs in zip(rows, shelf, strict=True))


def test_reading_on_unpacks_each_block_once() -> None:
    """Neighbours are read together, and new rows cost nothing."""
    full = filled(5 * BLOCK)
    assert full.shelf[-1] == 5 * BLOCK - 1
    assert full.shelf[-BLOCK:] == list(range(4 * BLOCK, 5 * BLOCK))
    assert full.box.opened == 0
    assert full.shelf[: 2 * BLOCK] == list(range(2 * BLOCK))
    assert full.box.opened == 2


def test_a_view_until_now_does_not_grow() -> None:
    """What another thread reads is what there was, although packing goes on meanwhile."""
    full = filled(3 * BLOCK)
    view = full.shelf.until_now()
    reading = iter(view)
    assert next(reading) == 0
    for number in range(3 * BLOCK, 6 * BLOCK):
        full.shelf.append(number)
    assert list(view) == list(range(3 * BLOCK))
    assert [0, *reading] == list(range(3 * BLOCK))


def test_a_reader_is_not_confused_by_what_is_appended_meanwhile() -> None:
    """Rows that are packed while somebody reads them are read once, too."""
    full = filled(3 * BLOCK)
    read = []
    for row in full.shelf:
        read.append(row)
        if row < BLOCK:
            full.shelf.append(3 * BLOCK + row)
    assert read[: 3 * BLOCK] == list(range(3 * BLOCK))
    assert read == list(range(len(read)))
