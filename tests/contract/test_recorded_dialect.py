"""The dialect against what the real exchange sent: same fields, same kinds of values.

Superseded fields of the old records (`AP`, `cr` of an order are trailing-stop fields; MAX_NUM_ALGO_ORDERS is gone) are
named here and nowhere else.
"""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, at

type Json = dict[str, Any]

TRAILING_ONLY = {"AP", "cr"}
SUPERSEDED_FILTERS = {"MAX_NUM_ALGO_ORDERS"}
SUPERSEDED_FIELDS = {"settlePlan", "permissionSets"}


@pytest.fixture
def floor() -> Floor:
    """An exchange after a full story: resting entry, fill, stop, exit, a cancelled order."""
    floor = Floor()
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89990.0"))
    stop = floor.stop("SELL", "89500", quantity="0.010", clientAlgoId="s")
    floor.ok("POST", "algoOrder", **stop)
    floor.advance(at("89985.0"))
    floor.advance(at("89400.0"))
    floor.ok("POST", "order", **floor.limit("BUY", "0.010", "89000.0", newClientOrderId="c"))
    floor.ok("DELETE", "order", symbol=SYMBOL, origClientOrderId="c")
    return floor


def shape(value: Any) -> str:
    """The kind of a JSON value; null fits anything."""
    return type(value).__name__


def recorded_events(folder: Path) -> list[Json]:
    """The user-stream records."""
    files = sorted((folder / "user_stream").glob("seq-*.jsonl"))
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def assert_like(ours: Json, real: Json, *, without: Iterable[str] = ()) -> None:
    """Every field of the record is there, with the same kind of value."""
    for name, value in real.items():
        if name in without or value is None:
            continue
        assert name in ours, name
        assert shape(ours[name]) == shape(value), name


def test_order_events_have_the_recorded_fields(floor: Floor, recorded_payloads: Path) -> None:
    """Each kind of event carries every field of the recorded ones; a NEW one has no fee, as there."""
    events = [event for event in recorded_events(recorded_payloads) if "o" in event]
    ours = {e["o"]["x"]: e["o"] for e in floor.events if e["e"] == "ORDER_TRADE_UPDATE"}
    for real in events:
        kind = real["o"]["x"]
        assert_like(ours[kind], real["o"], without=TRAILING_ONLY)
    assert "n" not in ours["NEW"]
    assert all("n" not in event["o"] for event in events if event["o"]["x"] == "NEW")


def test_account_events_have_the_recorded_fields(floor: Floor, recorded_payloads: Path) -> None:
    """Balance and position rows carry every recorded field."""
    ours = next(event["a"] for event in floor.events if event["e"] == "ACCOUNT_UPDATE")
    for event in recorded_events(recorded_payloads):
        if event["e"] == "ACCOUNT_UPDATE":
            assert_like(ours["B"][0], event["a"]["B"][0])
            for row in event["a"]["P"]:
                assert_like(ours["P"][0], row)


@pytest.mark.parametrize("status", ["TRIGGERING", "TRIGGERED", "FINISHED"])
def test_conditional_events_have_exactly_the_recorded_fields(
    floor: Floor, recorded_payloads: Path, status: str
) -> None:
    """Each status of the recorded stop has the same fields as ours, no more and no fewer."""
    path = recorded_payloads / "algo_update" / f"ws_futures_algo_update_{status.lower()}.json"
    real = json.loads(path.read_text())["data"]
    ours = next(e for e in floor.events if e["e"] == "ALGO_UPDATE" and e["o"]["X"] == status)
    assert ours.keys() == real.keys()
    assert ours["o"].keys() == real["o"].keys()
    assert_like(ours["o"], real["o"])


@pytest.mark.parametrize(
    "name",
    ["fapi_exchangeInfo_20251126_testnet_full", "fapi_exchangeInfo_20210721_mainnet_full"],
)
def test_exchange_info_has_the_recorded_fields(
    floor: Floor, recorded_payloads: Path, name: str
) -> None:
    """Top level, symbol and every filter of the real reply are ours too."""
    path = recorded_payloads / "exchange_info" / f"{name}.json.gz"
    real = json.loads(gzip.decompress(path.read_bytes()))
    ours = floor.ok("GET", "exchangeInfo")
    assert_like(ours, real)
    theirs = next(row for row in real["symbols"] if row["symbol"] == SYMBOL)
    mine = ours["symbols"][0]
    assert_like(mine, theirs, without=SUPERSEDED_FIELDS)
    filters = {row["filterType"]: row for row in mine["filters"]}
    for row in theirs["filters"]:
        if row["filterType"] not in SUPERSEDED_FILTERS:
            assert_like(filters[row["filterType"]], row)
