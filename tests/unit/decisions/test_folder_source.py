"""The watched folder: one file for each symbol, named after it; everything else is left alone and said once."""

import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jumar.decisions.folder import LOOK_EVERY_POLLS, SAID_MAX, FolderDecisions
from jumar.ports.decisions import Answer

FLAT = {"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:05:00Z", "action": "flat"}


@pytest.fixture
def source(tmp_path: Path) -> FolderDecisions:
    """The source that watches the folder for two symbols."""
    return FolderDecisions(tmp_path, account="main", symbols=["ETHUSDT", "BTCUSDT"])


def write(folder: Path, name: str, **fields: object) -> None:
    """A flat decision with some fields replaced."""
    (folder / name).write_text(json.dumps(FLAT | fields))


def answered(symbol: str | None) -> Answer:
    """What is told to the writer of a symbol."""
    return Answer(
        symbol=symbol, decision_id="d", timestamp_ms=0, outcome="accepted", reasons=(), at_ms=0
    )


@pytest.mark.rule("D-8")
def test_each_symbol_has_its_own_file(source: FolderDecisions, tmp_path: Path) -> None:
    """Both are told by one poll, each content once."""
    write(tmp_path, "BTCUSDT.json")
    write(tmp_path, "ETHUSDT.json", symbol="ETHUSDT")
    found = [each.decision.symbol for each in source.poll() if each.decision is not None]
    assert found == ["BTCUSDT", "ETHUSDT"]
    assert source.poll() == ()
    write(tmp_path, "ETHUSDT.json", symbol="ETHUSDT", reason="again")
    (received,) = source.poll()
    assert received.symbol == "ETHUSDT"


@pytest.mark.rule("D-8")
def test_the_answer_stands_beside_the_symbols_own_file(
    source: FolderDecisions, tmp_path: Path
) -> None:
    """One file of answers a symbol; an answer to nobody is written nowhere."""
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", None):
        source.answer(answered(symbol))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "BTCUSDT.outcome.json",
        "ETHUSDT.outcome.json",
    ]
    told = json.loads((tmp_path / "ETHUSDT.outcome.json").read_text())
    assert (told["symbol"], told["outcome"]) == ("ETHUSDT", "accepted")


@pytest.mark.rule("D-8", "D-7")
def test_a_file_that_names_another_symbol_is_refused_for_its_own(
    source: FolderDecisions, tmp_path: Path
) -> None:
    """It is no decision of either: the field and the fix are told, and it supersedes nothing."""
    write(tmp_path, "BTCUSDT.json", symbol="ETHUSDT")
    (received,) = source.poll()
    assert (received.symbol, received.timestamp_ms, received.decision) == ("BTCUSDT", None, None)
    assert received.code == "malformed"
    (error,) = received.errors
    assert str(error) == (
        "symbol = ETHUSDT: must be BTCUSDT, as the file is named: write it to ETHUSDT.json (D-8)"
    )


@pytest.mark.rule("D-5")
def test_a_broken_file_is_its_symbols(source: FolderDecisions, tmp_path: Path) -> None:
    """Read three times, put aside beside it, and told for the symbol that it is named after."""
    (tmp_path / "ETHUSDT.json").write_text("{")
    assert [source.poll(), source.poll()] == [(), ()]
    (received,) = source.poll()
    assert (received.symbol, received.code) == ("ETHUSDT", "malformed")
    assert received.quarantine is not None
    assert Path(received.quarantine).parent == tmp_path / "quarantine"
    assert source.poll() == ()


@pytest.mark.rule("D-8")
def test_what_is_named_otherwise_is_left_alone_and_said_once(
    source: FolderDecisions, tmp_path: Path
) -> None:
    """Not answers, levels, drafts and copies: those belong there."""
    source.answer(answered("BTCUSDT"))
    (tmp_path / "quarantine").mkdir()
    for name in (".BTCUSDT.json.draft", "BTCUSDT.levels.json", "levels.json"):
        (tmp_path / name).write_text("{}")
    write(tmp_path, "btcusdt.json")
    write(tmp_path, "SOLUSDT.json", symbol="SOLUSDT")
    with capture_logs() as said:
        for _ in range(2 * LOOK_EVERY_POLLS + 1):
            assert source.poll() == ()
    assert [line["name"] for line in said] == ["SOLUSDT.json", "btcusdt.json"]
    assert {line["why"] for line in said} == {"a decision belongs in BTCUSDT.json or ETHUSDT.json"}


def test_a_folder_full_of_other_things_is_not_said_for_ever(
    source: FolderDecisions, tmp_path: Path
) -> None:
    """After the first names it is clear."""
    for number in range(SAID_MAX + 5):
        (tmp_path / f"note{number:02}").touch()
    with capture_logs() as said:
        source.poll()
    assert len(said) == SAID_MAX


@pytest.mark.rule("D-5")
def test_a_folder_that_goes_away_is_no_decision(tmp_path: Path) -> None:
    """Nothing raises while it is gone; what stands in it when it is back is read."""
    folder = tmp_path / "inbox"
    source = FolderDecisions(folder, account="main", symbols=["BTCUSDT"])
    assert source.poll() == ()
    source.answer(answered("BTCUSDT"))
    folder.mkdir()
    write(folder, "BTCUSDT.json")
    assert len(source.poll()) == 1
