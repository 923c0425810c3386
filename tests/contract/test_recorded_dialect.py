"""The dialect against what the real exchange sent: the same fields with the same kinds of values.

Whatever differs is in the list of changes, and everything in that list really differs.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.contract.wire_changes import CHANGES, Change, differences, shape_of, written
from tests.unit.simulated.floor import SYMBOL, Floor, at

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "wire-changes.md"
EXCHANGE_INFO = {
    2021: "fapi_exchangeInfo_20210721_mainnet_full",
    2025: "fapi_exchangeInfo_20251126_testnet_full",
}

type Json = dict[str, Any]


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


def recorded_events(folder: Path, name: str) -> list[Json]:
    """The user-stream records of one event."""
    files = sorted((folder / "user_stream").glob("seq-*.jsonl"))
    events = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    found = [event for event in events if event["e"] == name]
    assert found
    return found


def by_filter(info: Json) -> Json:
    """The answer with the filters of each symbol named by their type."""
    symbols = [
        symbol | {"filters": {row["filterType"]: row for row in symbol["filters"]}}
        for symbol in info["symbols"]
    ]
    return info | {"symbols": symbols}


@pytest.mark.parametrize("execution", ["NEW", "TRADE", "CANCELED"])
def test_order_events_differ_as_written(
    floor: Floor, recorded_payloads: Path, execution: str
) -> None:
    """Each kind of order event has the recorded fields, but for the written changes."""
    real = recorded_events(recorded_payloads, "ORDER_TRADE_UPDATE")
    ours = [event for event in floor.events if event["e"] == "ORDER_TRADE_UPDATE"]
    found = differences(
        "ORDER_TRADE_UPDATE",
        2022,
        real=shape_of(event for event in real if event["o"]["x"] == execution),
        ours=shape_of(event for event in ours if event["o"]["x"] == execution),
    )
    assert found == written("ORDER_TRADE_UPDATE", 2022)


def test_only_executions_have_a_commission(floor: Floor, recorded_payloads: Path) -> None:
    """An order event without an execution has no commission fields, on both sides."""
    real = recorded_events(recorded_payloads, "ORDER_TRADE_UPDATE")
    for event in (*real, *(event for event in floor.events if "o" in event)):
        if event["o"].get("x") in {"NEW", "CANCELED"}:
            assert not event["o"].keys() & {"n", "N"}


def test_account_events_differ_as_written(floor: Floor, recorded_payloads: Path) -> None:
    """Balance and position rows have the recorded fields, but for the written changes."""
    real = recorded_events(recorded_payloads, "ACCOUNT_UPDATE")
    ours = [event for event in floor.events if event["e"] == "ACCOUNT_UPDATE"]
    found = differences("ACCOUNT_UPDATE", 2022, real=shape_of(real), ours=shape_of(ours))
    assert found == written("ACCOUNT_UPDATE", 2022)


@pytest.mark.parametrize("status", ["TRIGGERING", "TRIGGERED", "FINISHED"])
def test_conditional_events_have_exactly_the_recorded_fields(
    floor: Floor, recorded_payloads: Path, status: str
) -> None:
    """Each status of the recorded stop has the same fields as ours, no more and no fewer."""
    path = recorded_payloads / "algo_update" / f"ws_futures_algo_update_{status.lower()}.json"
    real = json.loads(path.read_text())["data"]
    ours = next(e for e in floor.events if e["e"] == "ALGO_UPDATE" and e["o"]["X"] == status)
    found = differences("ALGO_UPDATE", 2025, real=shape_of([real]), ours=shape_of([ours]))
    assert found == written("ALGO_UPDATE", 2025) == set()


@pytest.mark.parametrize("year", EXCHANGE_INFO)
def test_exchange_info_differs_as_written(floor: Floor, recorded_payloads: Path, year: int) -> None:
    """Top level, symbols and every filter of the real reply are ours too, but for the written changes."""
    path = recorded_payloads / "exchange_info" / f"{EXCHANGE_INFO[year]}.json.gz"
    real = shape_of([by_filter(json.loads(gzip.decompress(path.read_bytes())))])
    ours = shape_of([by_filter(floor.ok("GET", "exchangeInfo"))])
    # Ours is an empty list, which says nothing about what stands in it.
    for shape in (real, ours):
        shape.pop("symbols[].underlyingSubType[]", None)
    found = differences("exchangeInfo", year, real=real, ours=ours)
    assert found == written("exchangeInfo", year)


def test_leverage_brackets_differ_as_written(floor: Floor, recorded_payloads: Path) -> None:
    """The rows of the leverage table have the recorded fields, but for the written changes."""
    path = recorded_payloads / "binance_leverage_tiers_20241024.json.gz"
    tiers = json.loads(gzip.decompress(path.read_bytes()))
    real = [{"brackets": [row["info"] for row in rows]} for rows in tiers.values()]
    ours = [{"brackets": row["brackets"]} for row in floor.ok("GET", "leverageBracket")]
    found = differences("leverageBracket", 2024, real=shape_of(real), ours=shape_of(ours))
    assert found == written("leverageBracket", 2024)


def test_the_page_of_changes_is_the_list() -> None:
    """docs/reference/wire-changes.md shows every written change, and no other."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("| `")]
    expected = [change.line for change in sorted(CHANGES)]
    assert shown == expected, "the table should read:\n" + "\n".join(expected)


def test_every_change_has_a_source_and_stands_once() -> None:
    """A change says where it is known from, differs, and is not written twice."""
    assert all(change.source and change.was != change.now for change in CHANGES)
    fields = [(change.message, change.field, change.year) for change in CHANGES]
    assert len(fields) == len(set(fields))


def test_differences_are_found_both_ways() -> None:
    """A field that is new, gone or of another kind is found; the same shapes differ in nothing."""
    real = shape_of([{"a": "1", "b": [{"c": True}], "d": None}, {"a": "2", "e": [{"g": 1}]}])
    ours = shape_of([{"a": 1, "b": [{"c": False, "f": 1.5}], "d": None}])
    found = {(one.field, one.was, one.now) for one in differences("m", 1, real=real, ours=ours)}
    assert found == {
        ("a", "text", "number"),
        ("b[].f", "absent", "number"),
        ("e", "list", "absent"),
    }
    assert differences("m", 1, real=real, ours=real) == set()
    assert Change(message="m", field="a", year=1, was="x", now="y", source="s").line == (
        "| `m` | `a` | 1 | x | y | s |"
    )
