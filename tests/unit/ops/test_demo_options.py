"""The demo's options: refused with the option's name and the fix."""

from pathlib import Path
from typing import Any

import pytest

from jumar.model.errors import ConfigError
from jumar.ops.demo.options import DemoOptions, Files

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
        ({"speed": float("nan")}, "--speed: nan"),
        ({"seed": -1}, "--seed: -1 is below zero"),
        ({"restarts": -1}, "--restarts: -1 is below zero"),
        ({"seconds": 30, "restarts": 4}, "--restarts: 4 need 5 s each; use --seconds 34 or more"),
        ({"seconds": 6, "restarts": 1}, "--restarts: 1 need 5 s each; use --seconds 19 or more"),
        ({"market": "manual"}, "--market: a manual market stands still"),
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
