"""The common count of one address: added to by all, broken by nothing."""

import fcntl
import os
import stat
from pathlib import Path

import pytest

from jumar.exchange.binance.host_quota import HostQuota

pytestmark = pytest.mark.rule("W-4")
MINUTE = 29_415_000


def _take(quota: HostQuota, weight: int, ceiling: int | None = None, **more: int) -> int | None:
    return quota.take(
        weight, minute=more.get("minute", MINUTE), known=more.get("known", 0), ceiling=ceiling
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "weight"


def test_two_engines_never_pass_the_ceiling_together(place: Path) -> None:
    """Whoever asks, what both used counts; what does not fit is not added."""
    engines = (HostQuota(place), HostQuota(place))
    sent = 0
    for turn in range(1000):
        used = _take(engines[turn % 2], 5, 1440)
        assert used is not None
        sent += 5 if used + 5 <= 1440 else 0
    assert sent == 1440
    assert _take(engines[0], 1, None) == 1440  # what protects is counted and never closed
    assert _take(engines[1], 1, None) == 1441


def test_a_minute_begins_empty(place: Path) -> None:
    """The minute is the exchange's, as the engine says it."""
    quota = HostQuota(place)
    _take(quota, 700)
    assert _take(quota, 1) == 700
    assert _take(quota, 1, minute=MINUTE + 1) == 0


def test_a_clock_a_little_behind_does_not_forget(place: Path) -> None:
    """One engine has begun the new minute, the other one's clock has not: the new one's count stands."""
    ahead, behind = HostQuota(place), HostQuota(place)
    _take(ahead, 300, minute=MINUTE + 1)
    assert _take(behind, 5) == 300
    assert _take(ahead, 5, minute=MINUTE + 1) == 305


def test_what_one_engine_was_told_is_known_to_all(place: Path) -> None:
    """The venue's own count, which includes strangers behind the address, raises the common one."""
    assert _take(HostQuota(place), 5, known=2000) == 2000
    assert _take(HostQuota(place), 5, 1440) == 2005


def test_the_file_is_private(place: Path) -> None:
    """Mode 0600 whatever the umask, also where it stood with another."""
    place.touch(0o666)
    place.chmod(0o666)
    _take(HostQuota(place), 5)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"garbage", b"\x00" * 22, b"9" * 500, b"000029415000 -00000005\n"]
)
def test_a_corrupt_file_is_replaced(
    place: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts as nothing, is said once, and is right afterwards."""
    place.write_bytes(content)
    quota = HostQuota(place)
    assert _take(quota, 5, known=3) == 3
    assert _take(quota, 5) == 8
    assert _take(HostQuota(place), 5) == 13
    assert capsys.readouterr().out.count("common_weight_not_counted") == 1


def test_a_count_of_a_far_minute_counts_nothing(place: Path) -> None:
    """Whoever wrote a minute that lies far ahead must not close the lanes until then."""
    _take(HostQuota(place), 2400, minute=MINUTE + 500)
    assert _take(HostQuota(place), 5) == 0


@pytest.mark.parametrize("kind", ["folder", "missing folder", "link", "pipe"])
def test_what_cannot_be_used_stops_nothing(
    place: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Own counting only, one warning, nothing raised and nothing waited for."""
    target = place.with_name("target")
    quota = HostQuota(place / "x" if kind == "missing folder" else place)
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        target.write_text("mine")
        place.symlink_to(target)
    elif kind == "pipe":
        os.mkfifo(place)
    assert [_take(quota, 5, 1440) for _ in range(3)] == [None] * 3
    assert capsys.readouterr().out.count("common_weight_not_counted") == 1
    if kind == "link":
        assert target.read_text() == "mine"


def test_a_lock_that_somebody_keeps_is_not_waited_for(place: Path) -> None:
    """An engine that stands still with the lock stops nobody; what was sent meanwhile is added later."""
    quota = HostQuota(place)
    _take(quota, 10)
    with place.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert _take(quota, 5) is None
        assert _take(quota, 7) is None
    assert _take(quota, 1) == 22


def test_a_file_that_was_tidied_away_is_made_again(place: Path) -> None:
    """Engines that held the old one meet in the new one."""
    first, second = HostQuota(place), HostQuota(place)
    _take(first, 5)
    _take(second, 5)
    place.unlink()
    assert _take(first, 5, known=10) == 10
    assert _take(second, 5) == 15


def test_engines_that_ask_one_host_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever their configuration; those of another host have one of their own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    address = "https://fapi.binance.com"
    first, second = HostQuota.of_address(address), HostQuota.of_address(address + "/")
    other = HostQuota.of_address("https://demo-fapi.binance.com")
    assert [_take(first, 30), _take(second, 5), _take(other, 1)] == [0, 30, 0]
    assert first.path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_place_for_it_nothing_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine without temporary files: own counting, said once."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    quota = HostQuota.of_address("https://fapi.binance.com")
    assert _take(quota, 30) is None
    assert capsys.readouterr().out.count("common_weight_not_counted") == 1
