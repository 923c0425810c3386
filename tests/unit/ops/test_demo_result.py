"""The result of a demo: the contract's keys, and where each figure comes from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jumar.audit import AuditVerdict, Violation
from jumar.ops.demo.result import combine, holds, violations
from jumar.store.journal import SqlStore

CONTRACT = {
    "trades", "entries_armed", "entries_filled", "entries_refused", "exits", "unprotected_ms_max",
    "unprotected_excused_ms", "cover_gap_events", "stop_widened", "orders_sent", "orphan_orders",
    "unresolved_intents", "pnl_usdt", "checks", "promises", "restarts",
}  # fmt: skip
EXITS = {"tp1", "tp2", "stop", "backstop", "liq_zone", "opposite", "flat", "emergency"}
VERDICT: dict[str, Any] = {
    "trades": 1,
    "entries_armed": 2,
    "entries_filled": 1,
    "exits": dict.fromkeys(EXITS, 0) | {"stop": 1},
    "initial_stop_outs": 1,
    "unprotected_ms_max": 0,
    "unprotected_excused_ms": 0,
    "cover_gap_events": 0,
    "stop_widened": 0,
    "orders_sent": 5,
    "orphan_orders": 0,
    "pnl_usdt": "-1.5",
    "checks": {"P-1": 1, "P-8": 0},
    "promises": {"P-1": True},
    "violations": [],
}
AUDITED = AuditVerdict(
    promises={"P-3": True, "P-10": True},
    checks={"P-3": 2, "P-4": 0, "P-10": 2},
    violations=(),
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An empty journal."""

    async def make() -> None:
        store = SqlStore(f"sqlite:///{tmp_path / 'jumar.db'}")
        await store.open()
        await store.close()

    asyncio.run(make())
    return tmp_path / "jumar.db"


def test_the_result_has_exactly_the_keys_of_the_contract(database: Path) -> None:
    """Other programs rely on the names."""
    result = combine(VERDICT, AUDITED, database, restarts=2)
    assert set(result) == CONTRACT
    assert result["restarts"] == 2
    assert set(result["exits"]) == EXITS
    assert result["exits"]["stop"] == 1
    assert result["unresolved_intents"] == 0


def test_a_promise_that_was_not_checked_is_absent(database: Path) -> None:
    """Not checked is never true."""
    result = combine(VERDICT, AUDITED, database, restarts=0)
    assert list(result["promises"].items()) == [("P-1", True), ("P-3", True), ("P-10", True)]
    assert result["checks"] == {"P-1": 1, "P-3": 2, "P-4": 0, "P-8": 0, "P-10": 2}


@pytest.mark.parametrize(
    ("exchange", "audit", "expected"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_a_promise_that_both_judge_holds_only_if_both_say_so(
    database: Path, exchange: bool, audit: bool, expected: bool
) -> None:
    """The checks of both are added up."""
    verdict = VERDICT | {"promises": {"P-4": exchange}, "checks": {"P-4": 3}}
    audited = AuditVerdict(promises={"P-4": audit}, checks={"P-4": 2}, violations=())
    result = combine(verdict, audited, database, restarts=0)
    assert result["promises"] == {"P-4": expected}
    assert result["checks"] == {"P-4": 5}


def test_what_both_judges_found_is_told_in_the_order_of_time() -> None:
    """A person reads one list."""
    verdict = VERDICT | {"violations": [{"promise": "P-1", "t": 5, "message": "bare for 3 ms"}]}
    violation = Violation(promise="P-9", t=4, what="jm-a-S1", message="its rule is ''")
    audited = AuditVerdict(promises={"P-9": False}, checks={"P-9": 1}, violations=(violation,))
    told = [(each["promise"], each["message"]) for each in violations(verdict, audited)]
    assert told == [("P-9", "jm-a-S1: its rule is ''"), ("P-1", "bare for 3 ms")]


def test_a_full_exit_that_the_journal_cannot_explain_is_an_emergency(database: Path) -> None:
    """The engine's silence never hides what the exchange saw."""
    verdict = VERDICT | {"exits": VERDICT["exits"] | {"emergency": 2}}
    assert combine(verdict, AUDITED, database, restarts=0)["exits"]["emergency"] == 2


@pytest.mark.parametrize(
    ("promises", "expected"), [({"P-1": True}, True), ({"P-1": True, "P-2": False}, False)]
)
def test_one_broken_promise_fails_the_run(promises: dict[str, bool], expected: bool) -> None:
    """The exit code depends on every promise."""
    assert holds({"promises": promises}) is expected
