"""The demo's options: refused with the option's name and the fix."""

from pathlib import Path
from typing import Any

import pytest

from jumar.model.errors import ConfigError
from jumar.ops.demo.options import (
    MAX,
    WHOLE,
    DemoOptions,
    Files,
    files_of,
    seconds_of,
    speed_of,
)

GOOD: dict[str, Any] = {
    "seconds": 60,
    "seed": 1,
    "market": "synthetic",
    "begin": None,
    "end": None,
    "speed": 60,
    "symbols": (),
    "restarts": 0,
    "state_dir": None,
    "json": False,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seconds": 1}, "--seconds: 1 is not between 2 and"),
        ({"seconds": float("nan")}, "--seconds: nan"),
        ({"speed": 0}, "--speed: 0 is not above 0"),
        ({"speed": 1001}, "--speed: 1001 is not above 0 and at most 1000, or max"),
        ({"speed": MAX, "seconds": 4e7}, "--seconds: 4e.07 is not between 2 and 31622400"),
        ({"speed": MAX, "seconds": WHOLE}, "--seconds: inf is not between"),
        ({"speed": 60, "seconds": WHOLE, "market": __file__}, "--seconds: inf is not between"),
        ({"speed": float("nan")}, "--speed: nan"),
        ({"seed": -1}, "--seed: -1 is below zero"),
        ({"restarts": -1}, "--restarts: -1 is below zero"),
        ({"seconds": 30, "restarts": 4}, "--restarts: 4 need 5 s each; use --seconds 34 or more"),
        ({"seconds": 6, "restarts": 1}, "--restarts: 1 need 5 s each; use --seconds 19 or more"),
        ({"market": "manual"}, "--market: a manual market stands still"),
        (
            {"market": "synthetic:crash"},
            "--market synthetic:crash: there is no scenario 'crash'; known: calm, ",
        ),
        ({"market": "nowhere.csv"}, "--market: nowhere.csv is neither synthetic nor a file"),
    ],
)
def test_an_option_that_cannot_work_is_named(change: dict[str, Any], said: str) -> None:
    """The message names the option and what would be right."""
    with pytest.raises(ConfigError, match=said):
        DemoOptions(**GOOD | change)


@pytest.mark.parametrize(("seconds", "flat_s"), [(60, 10), (20, 10), (8, 4)])
def test_the_last_ten_seconds_are_flat(seconds: float, flat_s: float) -> None:
    """A run too short for ten seconds of flat is flat for half of it."""
    assert DemoOptions(**GOOD | {"seconds": seconds}).flat_s == flat_s


def test_what_the_message_recommends_is_accepted() -> None:
    """The fix that an error names must work."""
    for seconds, restarts in ((34, 4), (19, 1)):
        assert DemoOptions(**GOOD | {"seconds": seconds, "restarts": restarts}).trading_s >= 5


def test_a_seed_is_drawn_only_when_none_was_given() -> None:
    """The drawn seed is part of the options from then on."""
    assert DemoOptions(**GOOD).seeded()[1] == 1
    options, seed = DemoOptions(**GOOD | {"seed": None}).seeded()
    assert options.seed == seed >= 0


def test_a_folder_of_an_earlier_run_is_refused(tmp_path: Path) -> None:
    """Two runs never share a journal."""
    files = Files(folder=tmp_path / "run")
    files.claim()
    files.database.touch()
    with pytest.raises(ConfigError, match="holds an earlier run"):
        files.claim()


# virtual time


@pytest.mark.parametrize(
    ("text", "speed"), [("60", 60), ("0.5", 0.5), ("max", MAX), (" MAX ", MAX), ("nan", None)]
)
def test_a_speed_is_a_number_or_max(text: str, speed: float | None) -> None:
    """What is not a number at all is refused here, a number that cannot be played by the options."""
    assert speed_of(text) == speed or speed is None


@pytest.mark.parametrize("text", ["fast", "", "inf", "-inf", "1e999"])
def test_what_is_neither_is_refused(text: str) -> None:
    """There is one word for as fast as it can."""
    with pytest.raises(ConfigError, match=r"^--speed: '.*' is neither a number nor max$"):
        speed_of(text)


@pytest.mark.parametrize(
    ("given", "speed", "market", "seconds"),
    [
        (None, 60, "synthetic", 60),
        (None, 60, "file.csv", 60),
        (None, MAX, "synthetic", 3600),
        (None, MAX, "synthetic:chop", 3600),
        (None, MAX, "file.csv", WHOLE),
        (7, 60, "synthetic", 7),
        (7, MAX, "file.csv", 7),
    ],
)
def test_how_long_a_run_is_without_being_told(
    given: float | None, speed: float, market: str, seconds: float
) -> None:
    """A minute of a person's time; in virtual time the hour that it would show, or the whole file."""
    assert seconds_of(given, speed, market) == seconds


@pytest.mark.parametrize("speed", [60, MAX])
def test_the_shortest_run_needs_no_room_for_restarts(speed: float) -> None:
    """Two seconds without a restart are allowed, with one they are not."""
    shortest = GOOD | {"speed": speed, "seconds": 2}
    assert DemoOptions(**shortest | {"restarts": 0}).flat_s == 1
    with pytest.raises(ConfigError, match=r"^--restarts: 1 need 5 s each; use --seconds 19"):
        DemoOptions(**shortest | {"restarts": 1})


def test_a_whole_file_gets_its_length(tmp_path: Path) -> None:
    """Only then is it known whether there is room for the restarts, and when flat begins."""
    market = tmp_path / "market.csv"
    market.touch()
    changes = {"speed": MAX, "seconds": WHOLE, "market": str(market), "restarts": 4}
    options = DemoOptions(**GOOD | changes)
    assert options.lasting(3599).seconds == 3599
    assert options.lasting(3599).flat_s == 10
    with pytest.raises(ConfigError, match=r"^--restarts: 4 need 5 s each; use --seconds 34"):
        options.lasting(0.25)


@pytest.mark.parametrize(
    ("speed", "interval_s"), [(1000, 5), (60, 5), (30, 10), (20, 15), (1, 15), (MAX, 300)]
)
def test_decisions_come_every_five_minutes_of_the_path(speed: float, interval_s: float) -> None:
    """Where a person waits, within 5 to 15 s; in virtual time exactly."""
    options = DemoOptions(**GOOD | {"speed": speed})
    assert options.interval_s == interval_s
    assert options.path_speed == (1 if speed == MAX else speed)


@pytest.mark.parametrize("speed", [60, MAX])
def test_a_folder_nobody_asked_for_is_removed(speed: float) -> None:
    """Files of a run are kept only where somebody asked for them."""
    with files_of(DemoOptions(**GOOD | {"speed": speed})) as files:
        files.config.touch()
        folder = files.folder
    assert not folder.exists()


def test_a_folder_that_was_asked_for_is_kept(tmp_path: Path) -> None:
    """What stood in it belongs to that run."""
    with files_of(DemoOptions(**GOOD | {"state_dir": tmp_path / "run"})) as files:
        files.config.touch()
    assert (tmp_path / "run" / "jumar.toml").exists()
