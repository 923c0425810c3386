"""The bench measures what it says: real processes, every request answered, every kind of order."""

import json
import subprocess
import sys

from tests.bench.hour import Hour
from tests.bench.requests import LANES

PAIRS = 40
MINUTES = 3


def test_the_requests_bench_counts_answered_requests_beside_a_server_that_does_nothing() -> None:
    """One JSON object; both ways, without and with a user stream, and the ratio to the floor."""
    command = [sys.executable, "-m", "tests.bench", "requests", "--pairs", str(PAIRS), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    figures = {each["name"]: each for each in json.loads(done.stdout)["figures"]}
    floors = [name for name in figures if name.startswith("a server that does nothing")]
    assert len(floors) == 2
    assert len(figures) == 6
    for name, figure in figures.items():
        values = figure["values"]
        assert values["requests/s"] > 0
        assert (figure["reached"] is None) == (name in floors or "heard" in name)
        assert ("of a server that does nothing" in values) == (name not in floors)
        if "heard" in name:
            assert (
                2 * (PAIRS - LANES) <= values["events heard"] <= 2 * PAIRS
            )  # the last are not awaited


def test_the_hour_sees_every_kind_of_end() -> None:
    """Orders that rest, fill and are cancelled; stops that fire, finish and are cancelled; nothing fails unseen."""
    hour = Hour()
    hour.run(until_s=60 * MINUTES)
    records = hour.venue.core.ledger.records
    hour.close()
    seen = {(record["kind"], record.get("status")) for record in records}
    assert hour.cycles in (60 * MINUTES - 1, 60 * MINUTES)
    assert {("order", "CANCELED"), ("order", "FILLED"), ("fill", None)} <= seen
    assert {("conditional", status) for status in ("CANCELED", "TRIGGERED", "FINISHED")} <= seen
    assert {record["symbol"] for record in records if record["kind"] == "fill"} == {
        "BTCUSDT",
        "ETHUSDT",
        "BNBUSDT",
        "SOLUSDT",
        "DOGEUSDT",
    }
