"""The audit of a trade that passed to a newer decision and was guided by another one (E-9)."""

import asyncio
import copy
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.honest import FLAT, LONG, Run, texts
from tests.worlds import NOW, D, decision, world

from jumar.audit import AuditVerdict, audit
from jumar.model.decision import Action
from jumar.model.order import Role
from jumar.reports import ticks

KEY = "y7l4jkn5eq"
OWNER: dict[str, Any] = {**LONG, "timestamp_iso": "2025-12-05T10:05:07Z", "tp2": 93000}
GUIDE: dict[str, Any] = {
    **LONG,
    "timestamp_iso": "2025-12-05T10:05:12Z",
    "sl": 90400,
    "tp1": 91700,
    "tp2": 92950,
}
OWNER_MS, GUIDE_MS, FLAT_MS = NOW + 2000, NOW + 7000, NOW + 15_000


class Followed(Run):
    """Armed for one decision, passed to another, half filled, guided by a third, and closed."""

    def play(self) -> None:
        """Tell it."""
        levels = decision().levels
        assert levels is not None
        self.tick()
        self.board.world = replace(self.board.world, position=world().position)
        self.tick(2)
        self._until(OWNER_MS)
        owner = replace(levels, tp2=D(93000))
        self.board.decide(decision(id="d2", timestamp_ms=OWNER_MS, levels=owner))
        self.tick(2)
        self.fill(Role.ENTRY, "0.005", "90786.6")
        self.tick(4)
        self._until(GUIDE_MS)
        guide = replace(levels, stop=D(90400), tp1=D(91700), tp2=D(92950))
        self.board.decide(decision(id="d3", timestamp_ms=GUIDE_MS, levels=guide))
        self.tick(4)
        self.fill(Role.ENTRY, "0.008", "90786.6")
        self.tick(4)
        self._until(FLAT_MS)
        self.board.decide(decision(id="d4", action=Action.FLAT, levels=None, timestamp_ms=FLAT_MS))
        self.tick()
        self.fill(Role.FULL_EXIT, "0.013", "90800")
        self.board.later(3000)
        self.tick(4)
        assert self.board.world.trade is None, "the story has no end"

    def _until(self, at_ms: int) -> None:
        self.board.later(at_ms - self.board.world.now_ms)


@dataclass
class Case:
    """A copy of the run that a test may falsify."""

    ledger: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    database: Path

    def judged(self) -> AuditVerdict:
        """What the audit says."""
        files = ticks.record_files(self.database)
        return audit(self.ledger, texts(self.decisions), self.database, files)

    def orders(self, role: str) -> list[dict[str, Any]]:
        """The ledger's records of a role's orders."""
        return [r for r in self.ledger if f"-{role}" in str(r.get("client_id"))]

    def sql(self, statement: str) -> None:
        """Change the database."""
        with sqlite3.connect(self.database) as connection:
            assert connection.execute(statement).rowcount > 0
        connection.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The honest run."""
    run = Followed(tmp_path_factory.mktemp("followed"))
    run.play()
    asyncio.run(run.keep())
    return run


@pytest.fixture
def case(told: Run, tmp_path: Path) -> Case:
    """A copy of it."""
    for path in told.folder.iterdir():
        shutil.copy(path, tmp_path)
    written = copy.deepcopy([LONG, OWNER, GUIDE, FLAT])
    return Case(
        ledger=copy.deepcopy(told.ledger), decisions=written, database=tmp_path / "jumar.db"
    )


@pytest.mark.rule("E-9", "P-3", "P-4", "P-9", "P-10")
def test_a_followed_trade_is_honest(case: Case) -> None:
    """The entry is the first decision's, the first targets the second's, the moved ones the third's."""
    verdict = case.judged()
    assert verdict.violations == ()
    assert [order["trigger"] for order in case.orders("P")] == ["91600", "91700", "91700"]
    assert [order["trigger"] for order in case.orders("Q")][:2] == ["93000", "92950"]
    assert [order["trigger"] for order in case.orders("S")] == ["90380", "90400"]
    assert verdict.checks["P-3"] == 1


def never_wrote_the_guide(case: Case) -> None:
    """Nobody decided the moved targets."""
    del case.decisions[2]


def the_guide_is_of_the_other_side(case: Case) -> None:
    """A short guides no long."""
    case.decisions[2]["action"] = "short"


def the_guide_came_later(case: Case) -> None:
    """The targets moved before anybody had decided so."""
    case.decisions[2]["timestamp_iso"] = "2025-12-05T10:05:19Z"


def the_guides_stop_is_further(case: Case) -> None:
    """The stop moved nearer than anybody had decided."""
    case.decisions[2]["sl"] = 90399.8


def the_target_was_not_worth_it(case: Case) -> None:
    """2 R from the average entry are 91 599.8."""
    case.decisions[2]["tp1"] = 91599.7
    for order in case.orders("P")[1:]:
        order["trigger"] = "91599.7"


def the_owner_has_another_stop(case: Case) -> None:
    """An order never passes to a decision of another plan."""
    case.decisions[1]["sl"] = 90381


def the_owners_target_is_elsewhere(case: Case) -> None:
    """After the order has passed the newer decision's targets count."""
    case.decisions[1]["tp2"] = 93100


def neither_owner_has_the_zone(case: Case) -> None:
    """Outside the zone of every decision that the trade belonged to."""
    for written in case.decisions[:2]:
        written["entry_zone"] = [90800, 90900]


@pytest.mark.rule("E-9", "P-10")
@pytest.mark.parametrize(
    "falsify",
    [
        never_wrote_the_guide,
        the_guide_is_of_the_other_side,
        the_guide_came_later,
        the_guides_stop_is_further,
        the_target_was_not_worth_it,
        the_owner_has_another_stop,
        the_owners_target_is_elsewhere,
        neither_owner_has_the_zone,
    ],
    ids=lambda lie: lie.__name__,
)
def test_each_lie_is_seen(case: Case, falsify: Callable[[Case], None]) -> None:
    """Only what was decided by those that the trade followed may rest."""
    falsify(case)
    verdict = case.judged()
    assert {v.promise for v in verdict.violations} == {"P-10"}, verdict.violations


@pytest.mark.rule("E-9", "P-3")
def test_an_entry_beside_a_nearer_target_is_judged_by_it(case: Case) -> None:
    """The rest of the entry was sent after TP1 had come nearer than the price is worth."""
    (entry,) = case.orders("E")
    case.ledger.remove(entry)
    case.ledger.append({**entry, "t": case.ledger[-1]["t"], "seq": len(case.ledger) + 1})
    assert case.judged().violations == ()
    for order in case.orders("P"):
        order["trigger"] = "91599"
    assert "P-3" in {v.promise for v in case.judged().violations}


@pytest.mark.rule("E-9", "P-4")
def test_a_decision_that_guided_and_traded_is_seen(case: Case) -> None:
    """It opens a trade of its own after it has guided another one."""
    (entry,) = case.orders("E")
    fill = next(
        r for r in case.ledger if r["kind"] == "fill" and r["order_id"] == entry["order_id"]
    )
    other = {**entry, "client_id": "jm-bbbbbbbbbb-E1", "order_id": 70}
    for record in (other, {**fill, "trade_id": 90, "order_id": 70}):
        case.ledger.append({**record, "seq": len(case.ledger) + 1})
    columns = (
        "symbol, side, planned_quantity, limit_price, initial_stop, tp1, tp2, armed_ms, ended_ms"
    )
    case.sql(
        f"insert into trades (key, {columns}, decision_id, decision) "
        f"select 'bbbbbbbbbb', {columns}, guide_id, guide from trades"
    )
    found = [v.message for v in case.judged().violations if v.promise == "P-4" and v.what == KEY]
    assert found == ["decision d3 guided this trade and was traded by group bbbbbbbbbb"]
