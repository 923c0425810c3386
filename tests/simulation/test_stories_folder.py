"""D-8: a folder with one decision file for each symbol, each answered beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.storyboard import FLAT, LONG, Scene, scene
from tests.simulation.test_stories_symbols import ETH, OF_ETH, QUIET
from tests.simulation.ways import twice

from jumar.store import queries


def write(s: Scene, name: str, content: dict[str, Any], **changes: Any) -> None:
    """Write a decision of now into the folder, in one move, and into its writer's own record."""
    whole = {**content, "timestamp_iso": s.moment(), **changes}
    written = json.dumps(whole)
    with s.world.disk.decisions.open("a") as record:
        record.write(written + "\n")
    draft = s.world.disk.decision / f".{name}.draft"
    draft.write_text(written)
    draft.replace(s.world.disk.decision / f"{name}.json")


def told(folder: Path, symbol: str) -> dict[str, Any]:
    """The answer beside a symbol's file."""
    path = folder / f"{symbol}.outcome.json"
    answer: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"outcome": None}
    return answer


def both_armed(s: Scene) -> Path:
    """Two decisions, written to one folder in the same moment, have armed; returns the folder."""
    folder = s.world.disk.decision
    folder.mkdir()
    s.start()
    s.wait(3)
    write(s, "BTCUSDT", LONG)
    write(s, ETH, OF_ETH, symbol=ETH)
    s.expect_armed()
    with s.on(ETH):
        s.expect_armed()
    return folder


def accepted(s: Scene, symbol: str) -> None:
    """The answer beside the symbol's file says so."""
    folder = s.world.disk.decision
    s.until("accepted", lambda: told(folder, symbol)["outcome"] == "accepted")
    assert told(folder, symbol)["symbol"] == symbol


@twice
@pytest.mark.rule("D-8", "O-3")
def test_two_symbols_are_decided_in_one_folder(seed: int) -> None:
    """Written in the same moment: both arm, each answer stands beside its own file; over a restart as well."""
    with scene(seed, engine=False, others={ETH: QUIET}) as s:
        both_armed(s)
        for symbol in ("BTCUSDT", ETH):
            accepted(s, symbol)
        s.kill()
        s.restart()
        s.expect_armed()
        s.wait(1)
        write(s, ETH, {**FLAT, "symbol": ETH})
        with s.on(ETH):
            s.expect_rests("")
        s.expect_armed()
        write(s, "BTCUSDT", FLAT)
        s.expect_rests("")
        s.verdict("P-4")


@twice
@pytest.mark.rule("D-8", "D-7")
def test_a_file_of_another_symbol_ends_nothing(seed: int) -> None:
    """ETHUSDT's decision in BTCUSDT's file is refused there; neither resting entry is touched."""
    with scene(seed, engine=False, others={ETH: QUIET}) as s:
        folder = both_armed(s)
        s.wait(1)
        (folder / "BTCUSDT.json").write_text(
            json.dumps({**FLAT, "symbol": ETH, "timestamp_iso": s.moment()})
        )
        s.until("refused", lambda: told(folder, "BTCUSDT")["outcome"] == "refused")
        (reason,) = told(folder, "BTCUSDT")["reasons"]
        assert (
            "must be BTCUSDT, as the file is named: write it to ETHUSDT.json" in reason["message"]
        )
        s.ticks(3)
        s.expect_rests("E1 S1")
        with s.on(ETH):
            s.expect_rests("E1 S1")
        assert queries.refusal_counts(s.database)["malformed"] == 1
        write(s, "BTCUSDT", FLAT)
        write(s, ETH, {**FLAT, "symbol": ETH})
        s.verdict("P-4")
