"""The audit of an entry that chased: judged at every price it had, as the journal and the tick record know it."""

import asyncio
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.honest import FLAT_MS, Run
from tests.unit.audit.test_audit import Case, copied
from tests.worlds import amends, decision, world

from jumar.model.command import Plan
from jumar.model.decision import Action
from jumar.model.order import Role
from jumar.model.world import World


@dataclass
class Chased(Run):
    """The same run with an entry that joins the touch at 90 760 and follows it to 90 780."""

    def _journal(self, seen: World, planned: Plan, known: set[str]) -> None:
        super()._journal(seen, planned, known)
        for amend in amends(planned):
            before = next(r for r in self.ledger if r.get("client_id") == amend.client_id)
            changed = {k: v for k, v in before.items() if k not in {"seq", "t", "kind"}}
            self.write("order", **{**changed, "price": str(amend.request.price)})

    def play(self) -> None:
        """Armed, chased, filled, and closed because the decision says flat."""
        self.board.world = world()
        self.board.mark("90760")
        self.tick(2)
        self.board.later(10_000).mark("90780")
        self.tick(2)
        self.fill(Role.ENTRY, "0.013", "90780")
        self.tick(4)
        self.board.decide(decision(id="d2", action=Action.FLAT, levels=None, timestamp_ms=FLAT_MS))
        self.tick()
        self.fill(Role.FULL_EXIT, "0.013", "90780")
        self.board.later(3000)
        self.tick(4)
        assert self.board.world.trade is None, "the story has no end"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Chased:
    """The honest run."""
    run = Chased(tmp_path_factory.mktemp("chased"))
    run.play()
    asyncio.run(run.keep())
    return run


@pytest.fixture
def case(told: Chased, tmp_path: Path) -> Case:
    """A copy of it."""
    return copied(told, tmp_path)


def amended(case: Case) -> dict[str, Any]:
    """The ledger's record of the entry at its second price."""
    return next(r for r in case.ledger if r.get("price") == "90780" and r["kind"] == "order")


def broken(case: Case) -> set[tuple[str, str]]:
    """What is broken, and of which order."""
    return {(v.promise, v.what[-2:]) for v in case.judged().violations}


@pytest.mark.rule("P-3", "P-4", "P-7", "P-9", "P-10")
def test_an_honest_chase_passes_at_every_price(case: Case) -> None:
    """Both prices are judged, and everything about them was checked."""
    verdict = case.judged()
    assert verdict.violations == ()
    assert (verdict.checks["P-3"], verdict.checks["P-7"]) == (2, 2)


@pytest.mark.rule("P-3")
@pytest.mark.parametrize("price", ["90786.7", "90697.4"])
def test_a_price_outside_the_band_is_seen(case: Case, price: str) -> None:
    """What the first price was does not excuse the second one, though journal and tick record agree with it."""
    amended(case)["price"] = price
    case.sql(f"update orders set amendments = replace(amendments, '90780', '{price}')")
    found = {promise for promise, _ in broken(case)}
    assert "P-3" in found
    assert "P-4" not in found


@pytest.mark.rule("P-4")
def test_a_price_that_was_never_asked_for_is_seen(case: Case) -> None:
    """The exchange shows a price inside the band that the journal has not: nobody of ours asked for it."""
    amended(case)["price"] = "90781"
    assert ("P-4", "E1") in broken(case)
    assert ("P-3", "E1") not in broken(case)


@pytest.mark.rule("P-4")
def test_another_quantity_is_seen(case: Case) -> None:
    """An amendment never resizes."""
    amended(case)["quantity"] = "0.012"
    assert broken(case) == {("P-4", "E1")}


@pytest.mark.rule("P-4")
def test_an_amended_exit_is_seen(case: Case) -> None:
    """Only entries are re-priced."""
    exit_ = next(r for r in case.ledger if r.get("client_id", "").endswith("-X1"))
    case.add({**exit_, "price": "90700"})
    assert ("P-4", "X1") in broken(case)


@pytest.mark.rule("P-9")
def test_an_amendment_without_numbers_is_seen(case: Case) -> None:
    """Each has its cause with the numbers."""
    case.sql(
        "update orders set amendments = json_set(amendments, '$[0].cause', 'because') "
        "where amendments != '[]'"
    )
    (violation,) = case.judged().violations
    assert (violation.promise, violation.what.startswith("amendment 1")) == ("P-9", True)


@pytest.mark.rule("P-7")
def test_an_amendment_of_no_recorded_tick_is_seen(case: Case) -> None:
    """The tick that sent it must be in the record."""
    lines = [raw for raw in case.raw() if b'"amend"' not in _commands(raw)]
    assert len(lines) == len(case.raw()) - 1
    case.rewrite(lines)
    assert broken(case) == {("P-7", "E1")}


@pytest.mark.rule("P-7", "P-9")
def test_an_amendment_on_old_truth_is_seen(case: Case) -> None:
    """An engine that amends though the position was not read in time breaks P-7."""
    changed = []
    for raw in case.raw():
        line = json.loads(raw)
        if b'"amend"' in _commands(raw):
            line["world"]["position"]["at_ms"] -= 60_000
        changed.append(json.dumps(line).encode())
    case.rewrite(changed)
    assert ("P-7", "E1") in broken(case)


def _commands(raw: bytes) -> bytes:
    return json.dumps(json.loads(raw).get("plan", {}).get("commands", [])).encode()


def test_prices_are_compared_as_numbers(case: Case) -> None:
    """A ledger that writes trailing zeros tells of no amendment."""
    order = case.order(amended(case)["client_id"])
    case.add({**order, "price": f"{Decimal(amended(case)['price'])}.00"})
    assert case.judged().violations == ()
