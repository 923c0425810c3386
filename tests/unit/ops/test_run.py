"""`jumar run` around its engine: what a start on real money says, and which kind of engine is built."""

import asyncio
from pathlib import Path

import pytest
import structlog

from jumar.model.errors import ConfigError
from jumar.ops.cli import run as command
from jumar.ops.cli.init import configuration
from jumar.reports.formats import LogFormat

DEMO = configuration()
LIVE = DEMO.replace('"demo"', '"live"\nlive_confirmed = "main"', 1)


class Ended:
    """An engine that has nothing to do."""

    settled = True

    async def run(self, stop: asyncio.Event) -> None:
        """End at once."""


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which engines were built; none of them does anything."""
    kinds: list[str] = []

    def build(kind: str) -> Ended:
        kinds.append(kind)
        return Ended()

    monkeypatch.setattr(command, "build_engine", lambda *_: build("trading"))
    monkeypatch.setattr(command, "build_dry_engine", lambda *_: build("dry"))
    monkeypatch.setattr(command, "configure", lambda *_, **__: None)
    monkeypatch.setenv("JUMAR_KEY", "k")
    monkeypatch.setenv("JUMAR_SECRET", "s")
    return kinds


def started(folder: Path, config: str, *, dry_run: bool = False) -> list[str]:
    """Start and end; returns what was logged."""
    path = folder / "jumar.toml"
    path.write_text(config, encoding="utf-8")
    with structlog.testing.capture_logs() as said:
        assert command.run(path, LogFormat.JSON, dry_run=dry_run, as_json=False) == 0
    return [str(each["event"]) for each in said]


@pytest.mark.parametrize("dry_run", [False, True])
def test_every_start_on_real_money_says_so(
    tmp_path: Path, built: list[str], *, dry_run: bool
) -> None:
    """The log names it at every start, of an engine as of a dry run; a start on the demo exchange does not."""
    assert "LIVE: real money of this account" in started(tmp_path, LIVE, dry_run=dry_run)
    assert not [each for each in started(tmp_path, DEMO, dry_run=dry_run) if "LIVE" in each]
    assert built == ["dry" if dry_run else "trading"] * 2


@pytest.mark.usefixtures("built")
def test_a_dry_run_says_that_it_is_one(tmp_path: Path) -> None:
    """Nobody who reads the log takes a wish for an order."""
    assert any(
        each.startswith("DRY RUN: nothing is sent")
        for each in started(tmp_path, DEMO, dry_run=True)
    )
    assert not any("DRY RUN" in each for each in started(tmp_path, DEMO))


def test_json_without_a_dry_run_is_refused(tmp_path: Path) -> None:
    """The message names the option that is missing."""
    with pytest.raises(ConfigError, match="add --dry-run"):
        command.run(tmp_path / "none.toml", LogFormat.JSON, dry_run=False, as_json=True)
