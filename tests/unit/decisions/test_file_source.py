"""The watched file: each content is reported once, half-written ones are read again, nothing raises."""

import json
import os
from pathlib import Path

import pytest

from jumar.decisions.file import FileDecisions

FLAT = {"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:05:00Z", "action": "flat"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the decision is written; nothing is there yet."""
    return tmp_path / "decision.json"


@pytest.fixture
def source(path: Path) -> FileDecisions:
    """The source that watches it."""
    return FileDecisions(path, account="main", symbols=["BTCUSDT"])


def text(**fields: object) -> str:
    """A flat decision with some fields replaced."""
    return json.dumps(FLAT | fields)


def test_an_absent_file_is_no_decision(source: FileDecisions, path: Path) -> None:
    """Nothing is reported before the file exists, nor because it was deleted and came back the same."""
    assert source.poll() == ()
    path.write_text(text())
    assert len(source.poll()) == 1
    path.unlink()
    assert source.poll() == ()
    path.write_text(text())
    assert source.poll() == ()


def test_a_content_is_reported_once(source: FileDecisions, path: Path) -> None:
    """A content is reported when it is new, once; touching the file does not make it new."""
    path.write_text(text())
    (received,) = source.poll()
    assert received.decision is not None
    assert received.decision.symbol == "BTCUSDT"
    os.utime(path, ns=(1, 1))
    assert source.poll() == ()
    path.write_text(text(reason="again"))
    assert len(source.poll()) == 1


def test_a_change_of_the_same_size_and_time_is_seen(source: FileDecisions, path: Path) -> None:
    """A second write within the file time's grain and of equal size is not missed."""
    path.write_text(text(reason="a"))
    before = path.stat()
    assert len(source.poll()) == 1
    path.write_text(text(reason="b"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (received,) = source.poll()
    assert received.decision is not None
    assert received.decision.reason == "b"


@pytest.mark.rule("D-4")
def test_a_refused_content_is_reported_at_once(source: FileDecisions, path: Path) -> None:
    """A content that is JSON but no decision needs no second look."""
    path.write_text(text(action="up"))
    (received,) = source.poll()
    assert (received.code, received.symbol) == ("malformed", "BTCUSDT")
    assert source.poll() == ()


@pytest.mark.rule("D-5")
def test_a_half_written_file_is_read_again(source: FileDecisions, path: Path) -> None:
    """A file that is completed before the third poll is an ordinary decision."""
    path.write_text(text()[:30])
    assert source.poll() == ()
    assert source.poll() == ()
    path.write_text(text())
    (received,) = source.poll()
    assert received.errors == ()


@pytest.mark.rule("D-5")
@pytest.mark.parametrize("content", ["", '{"symbol": ', "\ufeff", "not json"])
def test_a_broken_file_is_refused_at_the_third_poll(
    source: FileDecisions, path: Path, content: str
) -> None:
    """The same broken content is refused at the third poll in a row, once, with the position."""
    path.write_text(content)
    assert source.poll() == ()
    assert source.poll() == ()
    (received,) = source.poll()
    assert (received.code, received.decision, received.raw) == ("malformed", None, content)
    assert received.errors[0].field == "(file)"
    assert source.poll() == ()


@pytest.mark.rule("D-5")
def test_only_polls_in_a_row_count(source: FileDecisions, path: Path) -> None:
    """A broken content that changes, or that a good one or an absence interrupts, starts anew."""
    for interruption in (lambda: path.write_text("{other"), path.unlink):
        for _ in range(2):
            path.write_text("{broken")
            assert source.poll() == ()
            assert source.poll() == ()
            interruption()
            assert source.poll() == ()
    path.write_text(text())
    assert len(source.poll()) == 1
    path.write_text("{broken")
    assert source.poll() == ()


@pytest.mark.rule("D-5")
def test_an_unreadable_place_is_refused_at_the_third_poll(
    source: FileDecisions, path: Path
) -> None:
    """A folder, a pipe or a path through a file is refused at the third poll, once, and never blocks."""
    path.mkdir()
    assert source.poll() == ()
    assert source.poll() == ()
    (received,) = source.poll()
    assert received.code == "malformed"
    assert "not a regular file" in str(received.errors[0])
    assert source.poll() == ()
    path.rmdir()
    os.mkfifo(path)
    assert [len(source.poll()) for _ in range(4)] == [0, 0, 0, 0]


@pytest.mark.rule("D-5")
def test_a_forbidden_file_is_refused_with_its_reason(
    source: FileDecisions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read is refused with the system's own words, and read as soon as it may be."""
    path.write_text(text())

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", forbidden)
        polls = [source.poll() for _ in range(4)]
    assert [len(poll) for poll in polls] == [0, 0, 1, 0]
    assert "cannot be read: Permission denied" in str(polls[2][0].errors[0])
    assert len(source.poll()) == 1


@pytest.mark.rule("D-5")
@pytest.mark.parametrize("place", ["\x00", "x" * 5_000, "file/below"])
def test_no_path_raises(tmp_path: Path, place: str) -> None:
    """A path that cannot exist is a refusal or an absence, never an exception."""
    (tmp_path / "file").write_text("x")
    source = FileDecisions(tmp_path / place, account="main", symbols=[])
    found = [received for _ in range(3) for received in source.poll()]
    assert [received.code for received in found] == ["malformed"]


@pytest.mark.rule("D-5")
def test_a_huge_file_is_not_read_whole(source: FileDecisions, path: Path) -> None:
    """A file beyond the limit is refused by its size, however large it is."""
    with path.open("wb") as file:
        file.truncate(10**12)
    found = [received for _ in range(3) for received in source.poll()]
    assert "must not be larger than 1048576 bytes" in str(found[0].errors[0])


@pytest.mark.rule("D-5")
def test_garbage_is_put_aside_once(source: FileDecisions, path: Path) -> None:
    """Garbage is refused once with its position and a copy that only its owner can read."""
    path.write_bytes(b'{"symbol": \xff')
    found = [received for _ in range(6) for received in source.poll()]
    assert len(found) == 1
    assert "byte 0xff at position 11" in str(found[0].errors[0])
    (copy,) = (path.parent / "quarantine").iterdir()
    assert found[0].quarantine == str(copy)
    assert copy.name in str(found[0].errors[0])
    assert copy.read_bytes() == path.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.rule("D-5")
def test_garbage_that_comes_back_after_a_decision_is_told_again(
    source: FileDecisions, path: Path
) -> None:
    """It is a new event; its copy is the one that is there already."""
    for turn in range(2):
        path.write_text("{broken")
        assert [len(source.poll()) for _ in range(4)] == [0, 0, 1, 0]
        path.write_text(text(reason=str(turn)))
        assert [len(source.poll()) for _ in range(2)] == [1, 0]
    assert len(list((path.parent / "quarantine").iterdir())) == 1


@pytest.mark.rule("D-5")
def test_a_file_that_never_rests_is_told_once(source: FileDecisions, path: Path) -> None:
    """Garbage that is another one at every poll is refused after twenty, not before and not again."""
    polls = []
    for turn in range(60):
        path.write_text("{broken" + "x" * turn)
        polls.append(len(source.poll()))
    assert polls.index(1) == 19
    assert sum(polls) == 1
    path.write_text(text())
    assert len(source.poll()) == 1


@pytest.mark.rule("D-5")
def test_a_decision_written_slowly_is_never_refused(source: FileDecisions, path: Path) -> None:
    """Fifteen polls see fifteen different halves; the whole is an ordinary decision."""
    whole = text(reason="slowly")
    for end in range(1, 16):
        path.write_text(whole[: end * 4])
        assert source.poll() == ()
    path.write_text(whole)
    (received,) = source.poll()
    assert (received.errors, received.quarantine) == ((), None)


@pytest.mark.rule("D-5")
def test_a_copy_that_cannot_be_made_is_said(source: FileDecisions, path: Path) -> None:
    """Something in the quarantine's place costs the copy, not the refusal."""
    (path.parent / "quarantine").write_text("a file")
    path.write_text("{broken")
    found = [received for _ in range(3) for received in source.poll()]
    assert found[0].quarantine is None
    assert "no copy in quarantine/" in str(found[0].errors[0])
    assert "line 1, column 2" in str(found[0].errors[0])


@pytest.mark.rule("D-5")
def test_patience_is_counted_in_ticks(tmp_path: Path) -> None:
    """An engine that looks twice a tick refuses a broken content at its sixth look: after three ticks."""
    path = tmp_path / "decision.json"
    path.write_text("{half")
    source = FileDecisions(path, account="main", symbols=["BTCUSDT"], polls_per_tick=2)
    assert [len(source.poll()) for _ in range(8)] == [0, 0, 0, 0, 0, 1, 0, 0]
