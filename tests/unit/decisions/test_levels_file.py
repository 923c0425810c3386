"""Watched levels: a file, or a folder with a file for each symbol; each content is told once, nothing raises."""

import json
from pathlib import Path

import pytest

from jumar.decisions.levels_file import FileLevels
from jumar.decisions.watch import PATIENCE_TICKS

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def text(minute: int = 4, **fields: object) -> str:
    """Levels of one minute."""
    return json.dumps({"as_of": f"2025-12-05T10:{minute:02}:00Z", **fields})


@pytest.mark.rule("D-10")
def test_one_file_of_one_symbol(tmp_path: Path) -> None:
    """Told once; a deleted file tells nothing; what replaces it is told."""
    path = tmp_path / "levels.json"
    source = FileLevels(path, symbols=SYMBOLS)
    assert source.poll() == ()
    path.write_text(text(symbol="BTCUSDT"))
    (received,) = source.poll()
    assert received.symbol == "BTCUSDT"
    assert received.levels is not None
    assert source.poll() == ()
    path.unlink()
    assert source.poll() == ()
    path.write_text(text(5, symbol="BTCUSDT"))
    assert len(source.poll()) == 1


@pytest.mark.rule("D-10")
def test_one_file_of_several_symbols(tmp_path: Path) -> None:
    """Each managed symbol gets its own, at once."""
    path = tmp_path / "levels.json"
    path.write_text(text(symbols={"ETHUSDT": {}, "BTCUSDT": {}, "SOLUSDT": {}}))
    found = FileLevels(path, symbols=SYMBOLS).poll()
    assert {received.symbol for received in found} == set(SYMBOLS)


@pytest.mark.rule("D-10")
def test_a_folder_of_files(tmp_path: Path) -> None:
    """`BTCUSDT.levels.json` is BTCUSDT's, even where it does not say so; files of others are not looked at."""
    source = FileLevels(tmp_path, symbols=SYMBOLS)
    assert source.poll() == ()
    (tmp_path / "BTCUSDT.levels.json").write_text(text())
    (tmp_path / "SOLUSDT.levels.json").write_text("{")
    (received,) = source.poll()
    assert (received.symbol, received.errors) == ("BTCUSDT", ())
    (tmp_path / "ETHUSDT.levels.json").write_text(text(symbol="BTCUSDT"))
    (received,) = source.poll()
    assert received.symbol == "ETHUSDT"
    assert [error.field for error in received.errors] == ["symbol"]


@pytest.mark.rule("D-5", "D-10")
def test_a_half_written_file_is_read_again(tmp_path: Path) -> None:
    """Only what stays broken is refused, once, and a copy is kept."""
    path = tmp_path / "levels.json"
    source = FileLevels(path, symbols=SYMBOLS, polls_per_tick=2)
    path.write_text(text(symbol="BTCUSDT")[:-3])
    for _ in range(2 * PATIENCE_TICKS - 1):
        assert source.poll() == ()
    (received,) = source.poll()
    assert received.symbol is None
    (error,) = received.errors
    assert "quarantine/" in error.message
    assert source.poll() == ()
    path.write_text(text(symbol="BTCUSDT"))
    (received,) = source.poll()
    assert received.levels is not None


@pytest.mark.rule("D-5", "D-10")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder that appears in the file's place is said after three ticks; it stops nothing."""
    path = tmp_path / "levels.json"
    source = FileLevels(path, symbols=SYMBOLS)
    path.mkdir()
    found = [received for _ in range(5) for received in source.poll()]
    assert [received.errors[0].message for received in found] == [
        "cannot be read: it is not a regular file"
    ]
