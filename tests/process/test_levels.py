"""Levels as a person makes them and an engine reads them: real processes, recorded bars, a watched folder."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.process.test_cli import command, wait_for
from tests.process.test_shutdown import Run, run

from jumar.model.levels import BoundZone
from jumar.store import queries

__all__ = ["run"]
BARS = "usdm_BTCUSDT_1m_20250504_20250603.csv.gz"


@pytest.fixture
def bars(recorded_data: Path) -> str:
    """A recorded month of BTCUSDT in minutes."""
    return str(recorded_data / BARS)


@pytest.mark.rule("D-10", "H-1")
def test_a_recorded_month_becomes_a_levels_file(bars: str, tmp_path: Path) -> None:
    """Swings of the newest bars, none confirmed later than `--as-of`; what is written passes the check."""
    out, as_of = tmp_path / "levels.json", "2025-05-20T12:07:30Z"
    made = command("levels", "from-klines", bars, "--as-of", as_of, "--out", str(out), "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    content = json.loads(out.read_text())
    assert (told["symbol"], told["as_of"]) == ("BTCUSDT", "2025-05-20T12:07:30.000Z")
    assert content["symbol"] == "BTCUSDT"
    (frame,) = content["swings"].values()
    assert {field: len(found) for field, found in frame.items()} == {
        field: told["timeframes"]["15m"][field] for field in ("lows", "highs")
    }
    latest = max(swing["time"] for found in frame.values() for swing in found)
    assert "2025-05-20T08:00" < latest <= "2025-05-20T11:15:00.000Z"
    checked = command("levels", "check", str(out))
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("BTCUSDT: accepted: levels of 2025-05-20T12:07:30.000Z: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["levels.json"]


def _events(run: Run, rule: str) -> list[str]:
    with closing(sqlite3.connect(run.folder / "jumar.db")) as connection:
        found = connection.execute(
            "SELECT message FROM events WHERE rule = ? ORDER BY seq", (rule,)
        )
        return [message for (message,) in found]


@pytest.mark.rule("D-10", "L-3")
def test_an_engine_watches_a_folder_of_levels(run: Run, bars: str) -> None:
    """Old levels bind nothing and that is written down; a zone with its own id is bound as soon as it comes."""
    folder = run.folder / "levels"
    folder.mkdir()
    run.more_config = '[levels]\npath = "levels"\n'
    file = folder / "BTCUSDT.levels.json"
    made = command("levels", "from-klines", bars, "--out", str(file))
    assert made.returncode == 0, made.stderr
    engine = run.start()
    run.decide()
    run.until_alive("S1", "E1")
    (taken,) = _events(run, "D-10")
    assert "levels of 2025-06-03T" in taken
    (unbound,) = _events(run, "L-3")
    assert unbound.endswith("are too old")
    zone = {"id": "cluster_1", "zone": ["91700", "91750"], "strength": 1}
    now = datetime.fromtimestamp(run.now_ms / 1000, tz=UTC).isoformat()
    draft = folder / "draft"
    draft.write_text(json.dumps({"as_of": now, "liquidation_zones": [zone]}))
    draft.replace(file)
    database = run.folder / "jumar.db"
    wait_for(lambda: queries.trades(database)[0].trade.zone is not None, engine)
    assert queries.trades(database)[0].trade.zone == BoundZone(
        id="cluster_1",
        low=Decimal(91700),
        high=Decimal(91750),
        explicit=True,
    )
