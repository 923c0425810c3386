"""The register: everything by number and by name, for ever, in little room."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - the order of endings is drawn from the test's seed
from zlib import crc32

import pytest

from jumar.exchange.simulated.core import register as module
from jumar.exchange.simulated.core.register import LINGERING, Register
from jumar.exchange.simulated.core.shelf import BLOCK
from jumar.exchange.simulated.server.packing import InMemory

FIRST = 1000


@dataclass
class Row:
    """Something that ends."""

    number: int
    name: str
    ended: bool = False


def register(name: Callable[[Row], str] = lambda row: row.name) -> Register[Row]:
    """An empty one."""
    return Register(Row, first=FIRST, name=name, ended=lambda row: row.ended, pack=InMemory())


def enter(book: Register[Row], name: str) -> Row:
    """Enter a row under the next number."""
    row = Row(book.next_number, name)
    book.enter(row.number, row)
    return row


def end(book: Register[Row], row: Row) -> None:
    """Leave first, end afterwards, as orders do."""
    book.leave(row.number)
    row.ended = True


def test_what_has_ended_is_found_as_before() -> None:
    """By number and by name, in whatever order it ended; walks are in the order of the numbers."""
    book, dice = register(), Random(7)
    rows = [enter(book, f"row-{number}") for number in range(3000)]
    alive = set(range(0, 3000, 97))
    ending = [number for number in range(3000) if number not in alive]
    dice.shuffle(ending)
    for number in ending:
        end(book, rows[number])
    assert len(book.live()) == LINGERING + len(alive)
    for number in (*alive, *dice.sample(ending, 60)):
        assert book.get(FIRST + number) == rows[number]
        assert book.named(f"row-{number}") == rows[number]
    assert list(book.since()) == rows
    assert list(book.since(FIRST + 2990)) == rows[2990:]
    assert list(book.newest_first()) == rows[::-1]


def test_what_is_not_there_is_none() -> None:
    """A number outside, a name that nobody has."""
    book = register()
    for number in range(LINGERING + 3 * BLOCK):
        end(book, enter(book, f"row-{number}"))
    for number in (FIRST - 1, book.next_number, 0, -5):
        assert book.get(number) is None
    assert book.named("row") is None
    assert book.named("") is None


def test_of_one_name_the_newest_is_found() -> None:
    """While it lives, while it lingers, and from the shelf."""
    book = register()
    for round_ in range(3):
        row = enter(book, "same")
        assert book.named("same") is row
        end(book, row)
        for number in range(LINGERING + 3 * BLOCK):
            end(book, enter(book, f"other-{round_}-{number}"))
        found = book.named("same")
        assert found == row
        assert found is not row


def test_names_with_the_same_mark_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark is four bytes: two names may share one, and a mark may seem to stand across two others."""
    monkeypatch.setattr(module, "_mark", lambda name: bytes(4) if name[0] == "a" else b"\0\0\0\1")
    book = register()
    rows = [enter(book, f"{'ab'[number % 2]}{number}") for number in range(LINGERING + 3 * BLOCK)]
    for row in rows:
        end(book, row)
    for row in rows[:: BLOCK // 3]:
        assert book.named(row.name) == row
    assert book.named("a") is None
    assert book.named("b1000000") is None


def test_marks_are_the_same_in_every_process() -> None:
    """Not Python's own hash, which differs from process to process."""
    assert module._mark("BTCUSDT x") == crc32(b"BTCUSDT x").to_bytes(4, "big")


def test_what_left_without_an_end_waits_for_it() -> None:
    """A conditional order that fired lives on until its child has ended; they do not pile up either."""
    book = register()
    waiting = [enter(book, f"fired-{number}") for number in range(20)]
    for row in waiting:
        book.leave(row.number)
    for number in range(20 * LINGERING):
        end(book, enter(book, f"row-{number}"))
        assert len(book.live()) <= LINGERING + 2 * len(waiting)
    for row in waiting:
        assert book.get(row.number) is row
        row.ended = True
    for number in range(2 * LINGERING):
        end(book, enter(book, f"late-{number}"))
    assert all(book.get(row.number) == row for row in waiting)
    assert len(book.live()) == LINGERING


def test_numbers_have_no_gap() -> None:
    """Any other number than the next is refused."""
    book = register()
    enter(book, "a")
    for number in (FIRST, FIRST + 2):
        with pytest.raises(ValueError, match=f"number {number} is not the next"):
            book.enter(number, Row(number, "b"))


def test_leaving_twice_is_leaving_once() -> None:
    """An order can be taken from the book when it fires and again when it ends."""
    book = register()
    for number in range(3 * LINGERING):
        row = enter(book, f"row-{number}")
        book.leave(row.number)
        end(book, row)
    assert len(book.live()) == LINGERING
    assert len(list(book.since())) == 3 * LINGERING
