"""The audit: an honest run passes, and each lie breaks exactly the promise that it is about.

One run is told once; every test takes a copy of its ledger, decisions, database and tick record, and changes one
thing.
"""

import asyncio
import copy
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.audit.honest import FLAT, LONG, Run, texts
from tests.worlds import POLICY, opened, world

from jumar.audit import AuditVerdict, EvidenceError, audit, flight
from jumar.audit.truth import why_not_known
from jumar.model import fold
from jumar.model.command import Plan
from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.order import OrderState
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner import plan as planning
from jumar.reports import ticks

KEY = "y7l4jkn5eq"
E1, S1, B1, P1, X1 = (f"jm-{KEY}-{name}" for name in ("E1", "S1", "B1", "P1", "X1"))


@dataclass
class Case:
    """A copy of the run that a test may falsify."""

    ledger: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    database: Path
    restarted_ms: int
    gaps: list[dict[str, Any]]

    @property
    def record(self) -> Path:
        """The tick record's file."""
        return ticks.record_file(self.database)

    def judged(self) -> AuditVerdict:
        """What the audit says."""
        return audit(
            self.ledger,
            texts(self.decisions),
            self.database,
            ticks.record_files(self.database),
            gaps=self.gaps,
        )

    def order(self, client_id: str) -> dict[str, Any]:
        """The ledger's record of an order."""
        return next(r for r in self.ledger if r.get("client_id") == client_id)

    def add(self, record: dict[str, Any]) -> None:
        """Append to the ledger."""
        self.ledger.append({**record, "seq": len(self.ledger) + 1})

    def sql(self, statement: str) -> None:
        """Change the database."""
        with sqlite3.connect(self.database) as connection:
            assert connection.execute(statement).rowcount > 0
        connection.close()

    def lines(self) -> list[dict[str, Any]]:
        """The tick record as plain values."""
        return [json.loads(line) for line in self.record.read_text().splitlines() if line]

    def rewrite(self, lines: list[bytes]) -> None:
        """Write the tick record anew."""
        self.record.write_bytes(b"\n".join(lines) + b"\n")

    def raw(self) -> list[bytes]:
        """The tick record's lines as they are."""
        return [line for line in self.record.read_bytes().splitlines() if line]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The honest run."""
    run = Run(tmp_path_factory.mktemp("honest"))
    run.play()
    asyncio.run(run.keep())
    return run


def copied(told: Run, folder: Path) -> Case:
    """A copy of a run, for a test to falsify."""
    for path in told.folder.iterdir():
        shutil.copy(path, folder)
    return Case(
        ledger=copy.deepcopy(told.ledger),
        decisions=copy.deepcopy([LONG, FLAT]),
        database=folder / "jumar.db",
        restarted_ms=told.restarted_ms,
        gaps=[],
    )


@pytest.fixture
def case(told: Run, tmp_path: Path) -> Case:
    """A copy of it."""
    return copied(told, tmp_path)


@pytest.mark.rule("P-3", "P-4", "P-6", "P-7", "P-9", "P-10")
def test_an_honest_run_passes_with_everything_checked(case: Case) -> None:
    """All six promises are checked and none is broken."""
    verdict = case.judged()
    assert verdict.violations == ()
    assert all(verdict.promises.values())
    assert {p: n for p, n in verdict.checks.items() if p != "P-9"} == {
        "P-3": 1,
        "P-4": 1,
        "P-6": 1,
        "P-7": 1,
        "P-10": 4,
    }
    orders, refusals, moves, replayed = 6, 1, 1, len(case.raw()) - 2
    assert verdict.checks["P-9"] == orders + refusals + moves + replayed


def price_outside_the_band(case: Case) -> None:
    """In the zone, but the reward is too small for the risk."""
    case.order(E1)["price"] = "90800"


def price_too_near_the_stop(case: Case) -> None:
    """The zone would allow it, the stop's distance does not."""
    case.decisions[0]["entry_zone"] = [90600, 90900]
    case.order(E1)["price"] = "90600"


def client_id_taken_twice(case: Case) -> None:
    """A resend had an effect of its own."""
    case.add({**case.order(E1), "order_id": 77})


def order_without_intent(case: Case) -> None:
    """An order left without being journaled."""
    case.sql(f"delete from orders where client_id = '{B1}'")


def order_of_another_trade(case: Case) -> None:
    """An order is counted for a trade that is not the one in its name."""
    case.sql(f"update orders set trade_key = 'bbbbbbbbbb' where client_id = '{B1}'")


def group_of_nobody(case: Case) -> None:
    """Orders of a trade that no journal knows."""
    case.add({**case.order(S1), "client_id": "jm-aaaaaaaaaa-S1", "algo_id": 77})


def fill_not_journaled(case: Case) -> None:
    """A fill was lost."""
    case.sql(f"delete from fills where order_client_id = '{E1}'")


def fill_of_another_size(case: Case) -> None:
    """A fill was counted wrongly."""
    case.sql(f"update fills set quantity = '0.012' where order_client_id = '{X1}'")


def fill_invented(case: Case) -> None:
    """The journal knows a fill that the exchange does not."""
    case.sql(
        "insert into fills select symbol, 99, trade_key, order_client_id, venue_order_id, client_id,"
        " side, price, quantity, maker, fee, fee_asset, realized_pnl, time_ms from fills"
        f" where order_client_id = '{X1}'"
    )


def more_filled_than_planned(case: Case) -> None:
    """The plan was smaller."""
    case.sql("update trades set planned_quantity = '0.012'")


def uncovered_after_the_restart(case: Case) -> None:
    """No stop until long after the third tick."""
    at = case.restarted_ms
    case.gaps = [{"symbol": "BTCUSDT", "from_ms": at - 10, "to_ms": at + 2000, "excused": False}]


def entry_in_no_tick(case: Case) -> None:
    """The tick that sent the entry is not in the record."""
    case.rewrite([line for line in case.raw() if b'"role":"E"' not in _commands(line)])


def _commands(line: bytes) -> bytes:
    return json.dumps(
        json.loads(line).get("plan", {}).get("commands"), separators=(",", ":")
    ).encode()


def other_commands(case: Case) -> None:
    """The record shows another order than the same world gives."""
    stop = b'"commands":[{"place":{"request":{"symbol":"BTCUSDT","client_id":"' + S1.encode()
    lines = case.raw()
    assert any(stop in line for line in lines)
    case.rewrite([x.replace(b'"attempt":1', b'"attempt":2') if stop in x else x for x in lines])


def order_without_rule(case: Case) -> None:
    """Nobody knows why."""
    case.sql(f"update orders set rule = '' where client_id = '{P1}'")


def cause_without_numbers(case: Case) -> None:
    """A sentence that shows no number."""
    case.sql(f"update orders set cause = 'because' where client_id = '{P1}'")


def silent_refusal(case: Case) -> None:
    """A refusal without a message."""
    case.sql("update refusals set message = ' '")


def measured_refusal_without_numbers(case: Case) -> None:
    """A number decided, and it is not shown."""
    case.sql("update refusals set code = 'stale', message = 'too old'")


def stop_move_of_nobody(case: Case) -> None:
    """A stop move that belongs to no order."""
    case.sql("update stop_moves set client_id = 'jm-aaaaaaaaaa-S9'")


def zone_elsewhere(case: Case) -> None:
    """The decision wanted to enter lower."""
    case.decisions[0]["entry_zone"] = [90700, 90780]


def other_side(case: Case) -> None:
    """The decision was a short one."""
    case.decisions[0]["action"] = "short"


def other_stop(case: Case) -> None:
    """The decision's stop was a tick away from the one armed."""
    case.decisions[0]["sl"] = 90380.1


def other_first_target(case: Case) -> None:
    """The decision's first target was further away."""
    case.decisions[0]["tp1"] = 91700


def no_second_target(case: Case) -> None:
    """The decision had one target."""
    case.decisions[0]["tp2"] = None


def smaller_size(case: Case) -> None:
    """The decision was for less than what was asked for."""
    case.decisions[0]["position_size_usdt"] = 1180


def never_decided(case: Case) -> None:
    """Nobody wrote the decision."""
    del case.decisions[0]


def decided_flat(case: Case) -> None:
    """The decision of that time was flat."""
    case.decisions[0] = {**FLAT, "timestamp_iso": LONG["timestamp_iso"]}


def unreadable_decision(case: Case) -> None:
    """What was written is no decision."""
    case.decisions[0]["entry_zone"] = "low"


def exit_without_reason(case: Case) -> None:
    """The journal does not know why the trade was closed."""
    case.sql("update trades set closing = null")


BREAKERS: tuple[tuple[str, Callable[[Case], None]], ...] = (
    ("P-3", price_outside_the_band),
    ("P-3", price_too_near_the_stop),
    ("P-4", client_id_taken_twice),
    ("P-4", order_without_intent),
    ("P-4", order_of_another_trade),
    ("P-4", group_of_nobody),
    ("P-4", fill_not_journaled),
    ("P-4", fill_of_another_size),
    ("P-4", fill_invented),
    ("P-4", more_filled_than_planned),
    ("P-6", uncovered_after_the_restart),
    ("P-7", entry_in_no_tick),
    ("P-9", other_commands),
    ("P-9", order_without_rule),
    ("P-9", cause_without_numbers),
    ("P-9", silent_refusal),
    ("P-9", measured_refusal_without_numbers),
    ("P-9", stop_move_of_nobody),
    ("P-10", zone_elsewhere),
    ("P-10", other_side),
    ("P-10", other_stop),
    ("P-10", other_first_target),
    ("P-10", no_second_target),
    ("P-10", smaller_size),
    ("P-10", never_decided),
    ("P-10", decided_flat),
    ("P-10", unreadable_decision),
    ("P-10", exit_without_reason),
)


@pytest.mark.rule("P-3", "P-4", "P-6", "P-7", "P-9", "P-10")
@pytest.mark.parametrize(
    ("promise", "falsify"), BREAKERS, ids=lambda value: getattr(value, "__name__", value)
)
def test_one_lie_breaks_exactly_its_own_promise(
    case: Case, promise: str, falsify: Callable[[Case], None]
) -> None:
    """A judge that sees too little or too much is no judge."""
    falsify(case)
    verdict = case.judged()
    assert {v.promise for v in verdict.violations} == {promise}, verdict.violations
    assert [p for p, held in verdict.promises.items() if not held] == [promise]
    for violation in verdict.violations:
        assert violation.what and violation.t > 0
        assert any(sign.isdigit() for sign in violation.message) or promise == "P-9"


@pytest.mark.rule("P-4")
def test_a_decision_that_was_traded_twice_is_seen(case: Case) -> None:
    """Two groups with an entry fill name the same decision."""
    other = "jm-bbbbbbbbbb-E1"
    case.add({**case.order(E1), "client_id": other, "order_id": 70})
    case.add({**case.ledger[3], "trade_id": 90, "order_id": 70})
    columns = "symbol, side, decision_id, decision, planned_quantity, limit_price, initial_stop, tp1, tp2, armed_ms, ended_ms"
    case.sql(f"insert into trades (key, {columns}) select 'bbbbbbbbbb', {columns} from trades")
    found = [v for v in case.judged().violations if v.promise == "P-4" and v.what == "bbbbbbbbbb"]
    assert len(found) == 1 and "already traded by group " + KEY in found[0].message


def test_a_fill_on_its_way_to_the_journal_is_not_lost(case: Case) -> None:
    """What filled as the engine was ended may reach the journal of the open trade at the next start."""
    case.sql("update trades set ended_ms = null")
    case.sql(f"delete from fills where order_client_id = '{X1}'")
    newest = max(r["t"] for r in case.ledger)
    for record in case.ledger[-2:]:
        record["t"] = newest + 10_000
    assert case.judged().violations == ()


@pytest.mark.rule("P-6")
def test_a_restart_that_goes_on_with_another_trade_is_seen(case: Case) -> None:
    """The position belongs to a trade of the journal: a second one must not be made for it."""
    _second_life(case, lambda seen: replace(seen, trade=None, orders=(), fills=()))
    broken = [v for v in case.judged().violations if v.promise == "P-6"]
    assert len(broken) == 1 and f"belongs to {KEY}" in broken[0].message


def _second_life(case: Case, change: Callable[[World], World]) -> None:
    """Have the second engine see other worlds, and plan honestly from them."""
    lines, starts = [], 0
    for raw in case.raw():
        line = json.loads(raw)
        starts += line["kind"] == "start"
        if line["kind"] == "tick" and starts == 2:
            seen = change(ticks.decode_world(json.dumps(line["world"]).encode()))
            plan = planning.plan(seen, POLICY)
            lines.append(ticks.encode_tick(tick=line["tick"], duration_ms=5, world=seen, plan=plan))
        else:
            lines.append(raw)
    case.rewrite(lines)


@pytest.mark.rule("P-6")
def test_a_gap_that_ends_within_three_ticks_is_allowed(case: Case) -> None:
    """Three ticks of being able to read; a restart that did not live so long is not judged."""
    at = case.restarted_ms
    case.gaps = [{"symbol": "BTCUSDT", "from_ms": at - 10, "to_ms": at + 600, "excused": False}]
    assert case.judged().promises["P-6"]
    second = [n for n, raw in enumerate(case.raw()) if b'"kind":"start"' in raw][1]
    case.rewrite(case.raw()[: second + 3])
    assert "P-6" not in case.judged().promises


def test_a_single_start_is_no_restart(case: Case) -> None:
    """What was not checked is absent."""
    first, *rest = case.raw()
    case.rewrite([first, *(x for x in rest if b'"kind":"start"' not in x)])
    assert "P-6" not in case.judged().promises


@pytest.mark.rule("P-7")
def test_an_engine_that_enters_on_stale_truth_is_seen(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its planner would do it again, so only the truth's own check can tell."""

    def reckless(seen: World, policy: Policy) -> tuple[Plan, None]:
        return planning.plan(_fresh(seen), policy), None

    monkeypatch.setattr(flight, "plan_or_protect", reckless)
    lines = []
    for raw in case.raw():
        line = json.loads(raw)
        if b'"role":"E"' in _commands(raw):
            line["world"]["position"]["at_ms"] -= 4000
        lines.append(json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode())
    case.rewrite(lines)
    (violation,) = case.judged().violations
    assert violation.promise == "P-7"
    assert "the position was 4050 ms old, 3 s are allowed" in violation.message


def _fresh(seen: World) -> World:
    if seen.position is None or seen.trade is None:
        return seen
    return replace(seen, position=replace(seen.position, at_ms=seen.now_ms - 50))


@pytest.mark.rule("P-7")
def test_each_part_of_the_truth_is_asked_for() -> None:
    """Unread, too old, not ready, an outcome that is not known."""
    assert list(why_not_known(world(), POLICY)) == []
    bare = world(ready=False, position=None, open_orders=None, conditional_orders=None)
    assert len(list(why_not_known(bare, POLICY))) == 4
    late = replace(world(), now_ms=world().now_ms + 3000)
    assert len(list(why_not_known(late, POLICY))) == 3
    board = opened().later(1000)
    unknown = replace(
        board.world,
        orders=tuple(
            fold.mark_unknown(replace(order, state=OrderState.IN_FLIGHT))
            for order in board.world.orders
        ),
    )
    said = " ".join(why_not_known(unknown, POLICY))
    assert [name for name in ("E1", "P1", "Q1", "S1", "B1") if name in said] == ["E1", "P1", "Q1"]


@pytest.mark.rule("P-7")
def test_an_entry_whose_tick_the_kill_cut_off_is_no_breach(case: Case) -> None:
    """A tick is recorded when it is over; one in which the engine died is not."""
    lines = case.raw()
    entry = next(n for n, raw in enumerate(lines) if b'"role":"E"' in _commands(raw))
    second = next(n for n, raw in enumerate(lines) if n and b'"kind":"start"' in raw)
    case.rewrite([*lines[:entry], *lines[second:]])
    verdict = case.judged()
    assert verdict.violations == ()
    assert "P-7" not in verdict.promises


@pytest.mark.rule("P-7")
def test_what_was_rotated_away_is_not_missed(case: Case) -> None:
    """A record that lost its beginning is judged from where it begins."""
    lines = case.raw()
    entry = next(n for n, raw in enumerate(lines) if b'"role":"E"' in _commands(raw))
    start = json.loads(lines[0]) | {"file": 5, "continued": True}
    start["at_ms"] = json.loads(lines[entry + 1])["now_ms"]
    case.rewrite([json.dumps(start).encode(), *lines[entry + 1 :]])
    assert case.judged().violations == ()


@pytest.mark.rule("P-9")
def test_a_planner_that_no_longer_agrees_is_seen_and_another_version_is_not_judged(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same recorded input yields the same commands: of the version that recorded it."""

    def broken(seen: World, policy: Policy) -> Plan:
        raise InvariantBroken("P-1", "no")

    monkeypatch.setattr(flight, "plan_or_protect", broken)
    assert not case.judged().promises["P-9"]
    monkeypatch.setattr(flight, "__version__", "other")
    assert case.judged().promises["P-9"]


@pytest.mark.rule("P-9", "O-4")
def test_a_tick_in_which_the_planner_fails_is_planned_again_as_it_was(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protector's plan counts then: the recorded commands of a healthy planner are not reproduced."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("jumar.planner.safely.plan", fails)
    (first, *_) = case.judged().violations
    assert first.promise == "P-9" and "planned again it gives []" in first.message


@pytest.mark.rule("P-10")
def test_an_adopted_trade_may_not_enter(case: Case) -> None:
    """It has no decision: neither stop nor targets are compared, and an entry is a breach."""
    case.sql("update trades set adopted_price = '90786.6'")
    verdict = case.judged()
    assert {v.promise for v in verdict.violations} == {"P-10"}
    assert verdict.violations[0].what == E1
    assert "P-3" not in verdict.promises
    assert verdict.checks["P-10"] == 2


@pytest.mark.rule("P-10")
@pytest.mark.parametrize("may_widen", [True, False])
def test_a_wider_stop_is_as_decided_only_where_the_policy_says_so(
    case: Case, may_widen: bool
) -> None:
    """`widen_and_shrink` puts the stop further away, never nearer."""
    case.decisions[0]["sl"] = 90500
    if may_widen:
        lines = [x.replace(b'"refuse"', b'"widen_and_shrink"') for x in case.raw()]
        case.rewrite(lines)
    assert case.judged().promises["P-10"] is may_widen
    case.decisions[0]["sl"] = 90300
    assert not case.judged().promises["P-10"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("side", None, "'side'"),
        ("price", 5.0, "'price' must be decimal text"),
        ("order_id", "1", "'order_id'"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_named(
    case: Case, field: str, value: object, said: str
) -> None:
    """No verdict is built on what was not understood."""
    case.order(E1)[field] = value
    with pytest.raises(EvidenceError, match=said):
        case.judged()


def test_a_record_or_database_that_cannot_be_read_is_named(case: Case) -> None:
    """The message names the file."""
    lines = case.raw()
    case.rewrite(lines[1:])
    with pytest.raises(EvidenceError, match="no limits for BTCUSDT"):
        case.judged()
    case.rewrite([b'{"kind":"start"}'])
    with pytest.raises(EvidenceError, match="line 1"):
        case.judged()
    case.database.write_bytes(b"no database")
    with pytest.raises(StoreUnavailable, match=r"jumar\.db"):
        case.judged()


def test_prices_off_the_tick_are_judged_on_it(case: Case) -> None:
    """Zone inwards, stop away, targets toward the entry."""
    case.decisions[0] |= {"sl": 90380.04, "tp1": 91600.09, "tp2": 92900.01}
    case.decisions[0]["entry_zone"] = [90699.96, 90786.69]
    verdict = case.judged()
    assert verdict.violations == ()
    assert Decimal(case.order(E1)["price"]) == Decimal("90786.6")


@pytest.mark.rule("P-7")
@pytest.mark.parametrize(
    ("sent_ms", "is_excused"),
    [
        (1000, False),
        (1900, False),
        (2000, True),
        (4000, True),
        (5900, True),
        (6100, False),
        (9000, True),
    ],
)
def test_only_a_tick_in_which_a_life_ended_may_lack_in_the_record(
    sent_ms: int, *, is_excused: bool
) -> None:
    """Between the last tick of a life and the first of the next, whose clock may have been corrected; or at the end."""
    record = flight.Flight()
    record.moments["BTCUSDT"] += [(1000, 1), (2000, 1), (5000, 2), (7000, 2), (8000, 2)]
    assert record.cut_short("BTCUSDT", sent_ms) is is_excused
