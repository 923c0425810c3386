"""What outlives a start of modes, pauses and flattens, and a database that is not ours alone any more (M-1, M-6, X-7)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jumar.model.errors import StoreUnavailable, WriterLost
from jumar.model.journal import ModeChanged, RequestDone
from jumar.model.mode import Mode, ModeState
from jumar.store import asked, pause, requests
from jumar.store.journal import SqlStore
from jumar.store.lock import lock_file
from jumar.store.records import ACCOUNT

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
HELD = ModeState(mode=Mode.NO_ENTRIES, rule="M-6", cause="for 1 test", since_ms=7, code="paused")
NORMAL = ModeState(mode=Mode.NORMAL, rule="M-1", cause="resumed", since_ms=9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "jumar.db"


def store(path: Path) -> SqlStore:
    """The store, not opened yet."""
    return SqlStore(f"sqlite:///{path}")


async def made(path: Path) -> None:
    """A database that was opened once."""
    one = store(path)
    await one.open()
    await one.close()


# modes


@pytest.mark.rule("M-1", "Q-2")
async def test_modes_of_symbol_and_account_stand_in_rows_of_their_own(path: Path) -> None:
    """Each is read back equal, its cause's name included; the account's comes with the identity."""
    one = store(path)
    assert (await one.open()).mode is None
    await one.write([ModeChanged(symbol=SYMBOL, state=HELD), ModeChanged(symbol=None, state=HELD)])
    assert (await one.load(SYMBOL)).mode == HELD
    assert (await one.load(OTHER)).mode is None
    await one.close()
    again = store(path)
    assert (await again.open()).mode == HELD
    await again.write([ModeChanged(symbol=None, state=NORMAL)])
    await again.close()
    assert asked.present(path).modes == {SYMBOL: HELD, ACCOUNT: NORMAL}


# flattens


@pytest.mark.rule("D-7", "M-6")
async def test_the_last_flatten_of_a_symbol_is_remembered(path: Path) -> None:
    """Its own or one of everything, the newest that was obeyed; other requests are none."""
    await made(path)
    one = store(path)
    await one.open()
    for what, symbol, done_ms in (
        ("flatten", SYMBOL, 100),
        ("flatten", None, 200),
        ("flatten", OTHER, 300),
        ("pause", SYMBOL, 400),
    ):
        number = requests.ask(path, request=what, symbol=symbol, asked_by="cli", at_ms=1)
        await one.write([RequestDone(seq=number, outcome="done", at_ms=done_ms)])
        assert asked.obeyed_ms(path, number) == done_ms
    left = requests.ask(path, request="flatten", symbol=SYMBOL, asked_by="cli", at_ms=500)
    assert asked.obeyed_ms(path, left) is None and asked.obeyed_ms(path, 99) is None
    assert (await one.load(SYMBOL)).flattened_ms == 200
    assert (await one.load(OTHER)).flattened_ms == 300
    assert (await one.load("XRPUSDT")).flattened_ms == 200
    await one.close()


# a pause beside the database


@pytest.mark.rule("M-6")
@pytest.mark.parametrize("before", [True, False])
async def test_a_pause_file_is_read_by_every_start_until_a_resume(path: Path, before: bool) -> None:
    """Beside a new database and an old one; what it says is what is kept; a resume of the account removes it."""
    if before:
        await made(path)
    place = pause.leave(path, cause="flattened by 1 person", at_ms=70)
    assert place == path.with_name("jumar.db.paused") == pause.pause_file(path)
    for _ in range(2):
        one = store(path)
        mode = (await one.open()).mode
        assert mode is not None and (mode.mode, mode.code) == (Mode.NO_ENTRIES, "all_paused")
        assert (mode.cause, mode.since_ms) == ("flattened by 1 person", 70)
        assert (await one.load(SYMBOL)).flattened_ms == 70
        await one.write([ModeChanged(symbol=SYMBOL, state=NORMAL)])
        await one.close()
    assert place.exists()
    one = store(path)
    await one.open()
    await one.write([ModeChanged(symbol=None, state=NORMAL)])
    await one.close()
    assert not place.exists()
    again = store(path)
    mode = (await again.open()).mode
    assert mode is not None and mode.mode is Mode.NORMAL
    assert (await again.load(SYMBOL)).flattened_ms == 70
    await again.close()


@pytest.mark.rule("M-6")
@pytest.mark.parametrize("content", [b"", b"rubbish", b"[]", b'{"cause": 1}', b'{"at_ms": "x"}'])
def test_a_pause_that_cannot_be_understood_is_a_pause(path: Path, content: bytes) -> None:
    """Whatever it says."""
    pause.pause_file(path).write_bytes(content)
    left = pause.read(path)
    assert left is not None and left.mode is Mode.NO_ENTRIES
    assert "cannot be read" in left.cause


@pytest.mark.rule("M-6")
def test_no_pause_is_none(path: Path) -> None:
    """And removing it is no mistake."""
    assert pause.read(path) is None
    pause.remove(path)


@pytest.mark.rule("M-6")
async def test_a_pause_that_cannot_be_removed_is_said(path: Path) -> None:
    """The resume is written, and whoever resumed hears that the next start is paused."""
    await made(path)
    pause.pause_file(path).mkdir()  # a folder in its place
    one = store(path)
    mode = (await one.open()).mode
    assert mode is not None and mode.mode is Mode.NO_ENTRIES
    with pytest.raises(StoreUnavailable, match="cannot be removed"):
        await one.write([ModeChanged(symbol=None, state=NORMAL)])
    await one.close()
    assert asked.present(path).modes[ACCOUNT] == NORMAL


# not ours alone


def _replace(path: Path) -> None:
    copy = path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def _remove(path: Path) -> None:
    path.unlink()


def _replace_lock(path: Path) -> None:
    place = lock_file(path)
    place.unlink()
    place.write_text("1\n")


def _remove_lock(path: Path) -> None:
    lock_file(path).unlink()


@pytest.mark.rule("X-7")
@pytest.mark.parametrize("harm", [_replace, _remove, _replace_lock, _remove_lock])
async def test_a_database_or_lock_that_was_replaced_is_noticed(
    path: Path, harm: Callable[[Path], None]
) -> None:
    """When requests are looked for, once a second; the message names the file."""
    one = store(path)
    await one.open()
    assert await one.requests() == ()
    harm(path)
    with pytest.raises(WriterLost, match=r"jumar\.db.*another engine may be writing"):
        await one.requests()
    await one.close()
