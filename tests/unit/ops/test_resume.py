"""Asking the engine to trade again: a row in the database, and the word of what happens next."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.journals import CONFIG, write
from tests.worlds import NOW
from typer.testing import CliRunner, Result

from jumar.model.journal import ModeChanged, OperatorRequest
from jumar.model.mode import Mode, ModeState
from jumar.ops.cli.app import app
from jumar.store.asked import present
from jumar.store.lock import WriterLock

HELD = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed at market", since_ms=NOW)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A journal in which one symbol may not enter, beside its configuration."""
    (tmp_path / "jumar.toml").write_text(CONFIG)
    asyncio.run(write(tmp_path / "jumar.db", ModeChanged(symbol="BTCUSDT", state=HELD)))
    return tmp_path / "jumar.db"


def resume(database: Path, *arguments: str) -> Result:
    """Run the command."""
    config = str(database.with_name("jumar.toml"))
    return CliRunner().invoke(app, ["resume", "--config", config, *arguments])


def test_the_request_is_left_for_the_engine(database: Path) -> None:
    """One row, nothing else; the mode is still there, because only the engine clears it."""
    result = resume(database, "--symbol", "btcusdt")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "BTCUSDT: NO_ENTRIES (S-8: closed at market)" in result.stdout
    assert "no engine is running: it is obeyed at its next start" in result.stdout
    now = present(database)
    assert now.requests == (
        OperatorRequest(seq=1, symbol="BTCUSDT", request="resume", asked_by="cli"),
    )
    assert now.modes == {"BTCUSDT": HELD}


def test_while_an_engine_runs_it_is_obeyed_at_once(database: Path) -> None:
    """Written beside the process that holds the database, which is named; without a symbol it is for all."""
    lock = WriterLock(database)
    lock.take()
    result = resume(database)
    lock.release()
    assert f"the engine (process {os.getpid()}) clears the mode at its next tick" in result.stdout
    assert [request.symbol for request in present(database).requests] == [None]


def test_a_symbol_without_a_mode_is_said_to_have_none(database: Path) -> None:
    """The request is left all the same: the engine knows best."""
    assert "ETHUSDT: no mode is kept" in resume(database, "--symbol", "ETHUSDT").stdout


def test_an_unknown_symbol_is_refused(database: Path) -> None:
    """Exit code 2, and nothing is written."""
    result = resume(database, "--symbol", "XRPUSDT")
    assert result.exit_code == 2
    assert "XRPUSDT is not configured; known here: BTCUSDT, ETHUSDT" in result.stderr
    assert present(database).requests == ()


def test_a_missing_database_is_never_made(tmp_path: Path) -> None:
    """Exit code 2, and the folder stays as it is."""
    (tmp_path / "jumar.toml").write_text(CONFIG)
    result = resume(tmp_path / "jumar.db")
    assert result.exit_code == 2
    assert "there is no database" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["jumar.toml"]


@pytest.mark.rule("M-6")
@pytest.mark.parametrize(
    ("arguments", "symbol"), [((), None), (("--symbol", "btcusdt"), "BTCUSDT")]
)
def test_a_pause_is_left_for_the_engine(
    database: Path, arguments: tuple[str, ...], symbol: str | None
) -> None:
    """One row, for the account or for one symbol; what happens next is said."""
    config = str(database.with_name("jumar.toml"))
    result = CliRunner().invoke(app, ["pause", "--config", config, *arguments])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "asked to pause; no engine is running: it is obeyed at its next start" in result.stdout
    (left,) = present(database).requests
    assert (left.request, left.symbol) == ("pause", symbol)


@pytest.mark.rule("M-6")
def test_a_resume_of_everything_names_what_holds_the_account(database: Path) -> None:
    """Beside the symbols; a resume of one symbol does not speak of it."""
    held = ModeState(mode=Mode.NO_ENTRIES, rule="M-6", cause="paused by 1 person", since_ms=NOW)
    asyncio.run(write(database, ModeChanged(symbol=None, state=held)))
    assert "account: NO_ENTRIES (M-6: paused by 1 person)" in resume(database).stdout
    assert "account" not in resume(database, "--symbol", "BTCUSDT").stdout


@pytest.mark.rule("M-6")
def test_flatten_refuses_an_unknown_symbol_before_it_asks(database: Path) -> None:
    """Exit code 2, the known ones named, nothing left behind."""
    config = str(database.with_name("jumar.toml"))
    result = CliRunner().invoke(
        app, ["flatten", "--config", config, "--symbol", "xrpusdt", "--yes"]
    )
    assert result.exit_code == 2
    assert "XRPUSDT is not configured; known here: BTCUSDT, ETHUSDT" in result.stderr
    assert present(database).requests == ()
