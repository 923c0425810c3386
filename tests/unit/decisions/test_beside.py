"""The answer and the copies beside a decision file: whole or not at all, nothing followed, nothing raised."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jumar.decisions import beside
from jumar.decisions.file import FileDecisions
from jumar.ports.decisions import Answer, Reason

ANSWER = Answer(
    symbol="BTCUSDT",
    decision_id="29a05c63",
    timestamp_ms=1_764_929_100_000,
    outcome="refused",
    reasons=(Reason(code="rr_below_min", rule="E-1", message="tp1 91340 would pass"),),
    at_ms=1_764_929_101_250,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the decision is written."""
    return tmp_path / "decision.json"


@pytest.fixture
def source(path: Path) -> FileDecisions:
    """The source that watches it."""
    return FileDecisions(path, account="main", symbols=["BTCUSDT"])


@pytest.fixture
def impossible(path: Path) -> Path:
    """A folder in which nothing can be written, also for a superuser: its parent is a file."""
    path.parent.joinpath("file").write_text("x")
    return path.parent / "file" / "decision.json"


@pytest.mark.rule("D-8")
def test_the_answer_stands_beside_the_file(source: FileDecisions, path: Path) -> None:
    """Outcome, reasons and both moments, readable by people and programs; no draft is left."""
    source.answer(ANSWER)
    written = path.with_name("outcome.json").read_text()
    assert json.loads(written) == {
        "symbol": "BTCUSDT",
        "decision_id": "29a05c63",
        "timestamp_iso": "2025-12-05T10:05:00.000Z",
        "outcome": "refused",
        "reasons": [{"code": "rr_below_min", "rule": "E-1", "message": "tp1 91340 would pass"}],
        "at_iso": "2025-12-05T10:05:01.250Z",
    }
    assert '\n  "outcome": "refused",\n' in written
    assert [each.name for each in path.parent.iterdir()] == ["outcome.json"]


@pytest.mark.rule("D-8")
@pytest.mark.parametrize(
    ("decision", "outcome"),
    [("decision.json", "outcome.json"), ("btc.json", "btc.outcome.json"), ("d", "d.outcome.json")],
)
def test_each_file_has_an_answer_of_its_own(tmp_path: Path, decision: str, outcome: str) -> None:
    """Two engines that watch two files of one folder do not overwrite each other's answers."""
    source = FileDecisions(tmp_path / decision, account="main", symbols=[])
    source.answer(ANSWER)
    assert [each.name for each in tmp_path.iterdir()] == [outcome]


@pytest.mark.rule("D-8")
def test_a_reader_sees_the_old_answer_or_the_new_one(source: FileDecisions, path: Path) -> None:
    """The answer is replaced in one move: who has opened the old one reads it to its end."""
    source.answer(ANSWER)
    outcome = path.with_name("outcome.json")
    with outcome.open() as reader:
        before = os.fstat(reader.fileno()).st_ino
        source.answer(replace(ANSWER, outcome="accepted", reasons=()))
        assert json.loads(reader.read())["outcome"] == "refused"
    assert outcome.stat().st_ino != before
    assert json.loads(outcome.read_text())["outcome"] == "accepted"


@pytest.mark.rule("D-8")
def test_a_link_is_replaced_not_followed(source: FileDecisions, path: Path) -> None:
    """Neither the answer nor its draft is written through a link to another file."""
    notes = path.with_name("notes.txt")
    notes.write_text("mine")
    path.with_name("outcome.json").symlink_to(notes)
    path.with_name(".outcome.json.draft").symlink_to(notes)
    source.answer(ANSWER)
    assert notes.read_text() == "mine"
    assert not path.with_name("outcome.json").is_symlink()


@pytest.mark.rule("D-8")
def test_an_answer_that_cannot_be_written_is_logged_once(source: FileDecisions, path: Path) -> None:
    """The first of several failures is said, with the place; after a success the next one again."""
    obstacle = path.with_name("outcome.json")
    with capture_logs() as logs:
        for _ in range(2):
            obstacle.mkdir()
            for _ in range(3):
                source.answer(ANSWER)
            obstacle.rmdir()
            source.answer(ANSWER)
            obstacle.unlink()
    assert [entry["path"] for entry in logs] == [str(obstacle)] * 2
    assert all(entry["error"] for entry in logs)


@pytest.mark.rule("D-8")
def test_no_answer_raises(tmp_path: Path, impossible: Path) -> None:
    """Impossible places, broken text and moments beyond the calendar cost the answer at most."""
    strange = replace(ANSWER, symbol="\ud800", timestamp_ms=10**18, at_ms=-(10**18))
    for place in (
        impossible,
        tmp_path / "no" / "folder.json",
        tmp_path / "\x00",
        tmp_path / "d.json",
    ):
        source = FileDecisions(place, account="main", symbols=[])
        source.answer(ANSWER)
        source.answer(strange)
    written = json.loads((tmp_path / "d.outcome.json").read_text())
    assert (written["symbol"], written["timestamp_iso"]) == ("\ud800", None)


@pytest.mark.rule("D-8", "D-5")
def test_a_full_disk_costs_the_answer_and_the_copy(
    source: FileDecisions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last answer stays whole, the refusal is reported without a copy, and nothing raises."""
    source.answer(ANSWER)
    before = path.with_name("outcome.json").read_text()
    path.write_text("{broken")

    def full(handle: int, _mode: str) -> None:
        os.close(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fdopen", full)
    source.answer(replace(ANSWER, outcome="accepted"))
    found = [received for _ in range(3) for received in source.poll()]
    assert "no copy in quarantine/: No space left on device" in str(found[0].errors[0])
    assert path.with_name("outcome.json").read_text() == before
    assert not list(path.parent.rglob("*.draft"))


@pytest.mark.rule("D-5")
def test_the_quarantine_has_an_end(path: Path) -> None:
    """The oldest copies make room, the same bytes are kept once, and nobody's own files are touched."""
    folder = path.parent / "quarantine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    for number in range(beside.COPIES_MAX):
        copy = beside.put_aside(path, str(number).encode())
        os.utime(copy, (number, number))
    beside.put_aside(path, b"1")
    newest = beside.put_aside(path, b"newest")
    contents = {each.read_text() for each in folder.iterdir() if each.suffix == ".json"}
    assert len(contents) == beside.COPIES_MAX
    assert "0" not in contents
    assert {"1", "newest"} <= contents
    assert newest.read_text() == "newest"
    assert (folder / "notes.txt").read_text() == "mine"
