"""Levels files in virtual time: what the engine takes in, what it refuses, and where a named zone stays (D-10, L-3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from tests.simulation.storyboard import FLAT, LONG, SEEDS, Scene, scene

from jumar.model.levels import BoundZone, MarketLevels
from jumar.store import queries
from jumar.store.reading import rows
from jumar.store.schema import events

seeds = pytest.mark.parametrize("seed", SEEDS)
LOW = {"price": "90560.1", "time": "2025-12-05T09:15:00Z", "confirmed": True}
NEAR: dict[str, Any] = {"zone": ["91500", "91650"], "strength": "0.8"}
FAR: dict[str, Any] = {"zone": ["92300", "92450"], "strength": "0.6"}
MAP: dict[str, Any] = {"liquidation_map": {"above_price": [NEAR, FAR]}}
#: The same zones, the other way round in strength.
TURNED: dict[str, Any] = {"liquidation_map": {"above_price": [NEAR, {**FAR, "strength": "0.9"}]}}
NAMING = {"liq_tp_zone_id": "cluster_1"}
BOUND = BoundZone(id="cluster_1", low=Decimal(91500), high=Decimal(91650))


def enter(s: Scene, zone: str | None = "cluster_1") -> None:
    """A long that names a zone is decided, and its entry rests."""
    management = {"tp1_fraction": 0.5, "liq_tp_zone_id": zone}
    s.decision(LONG, position_management=management)
    s.expect_armed()


def experienced(s: Scene) -> None:
    """An entry was placed and taken back: with orders in the journal a start spends no decision."""
    enter(s, None)
    s.decision(FLAT)
    s.expect_home()


@contextmanager
def bound(seed: int) -> Iterator[Scene]:
    """A part of a position is held, by a decision whose `cluster_1` is bound."""
    with scene(seed) as s:
        taken_in(s, MAP)
        enter(s)
        s.fill("0.004")
        yield s


@contextmanager
def waiting(seed: int) -> Iterator[Scene]:
    """A decision whose `cluster_1` is bound is in force, and the price is too far away to enter."""
    with scene(seed) as s:
        taken_in(s, MAP)
        experienced(s)
        s.price_to("92000")
        s.decision(LONG, position_management=NAMING)
        s.expect_outcome("refused", "price_too_far", "price_too_far")
        yield s


def lives_on(s: Scene) -> None:
    """The engine dies and begins again."""
    s.kill()
    s.restart()
    s.expect_recovered()


def explicit(low: str, high: str, name: str = "cluster_1") -> dict[str, Any]:
    """Levels of one zone with its own id."""
    return {"liquidation_zones": [{"id": name, "zone": [low, high], "strength": 1}]}


MOVED = BoundZone(id="cluster_1", low=Decimal(91900), high=Decimal(91950), explicit=True)


def in_force(s: Scene) -> MarketLevels | None:
    """The levels that the newest tick knew."""
    return s.witness.ticks[-1].report.world.levels if s.witness.ticks else None


def zone_of(s: Scene) -> BoundZone | None:
    """The zone of the newest trade, as the database has it."""
    return queries.trades(s.database)[-1].trade.zone


def said(s: Scene, rule: str) -> list[str]:
    """What the journal tells of a rule, oldest first."""
    told = select(events.c.message).where(events.c.rule == rule).order_by(events.c.seq)
    return [row[0] for row in rows(s.database, told)]


def taken_in(s: Scene, content: dict[str, Any], **how: Any) -> None:
    """Write levels and wait until a tick knows them."""
    before = in_force(s)
    s.levels(content, **how)
    s.until("levels taken in", lambda: in_force(s) != before, within_s=2)


@pytest.mark.rule("D-10")
@seeds
def test_levels_reach_the_world(seed: int) -> None:
    """What stands in the file is what the next tick knows, and the journal tells what came when."""
    with scene(seed) as s:
        taken_in(s, {"swings": {"15m": {"lows": [LOW]}}, **MAP})
        levels = in_force(s)
        assert levels is not None
        assert [swing.price for swing in levels.swings] == [Decimal("90560.1")]
        assert [zone.id for zone in levels.zones] == ["cluster_1", "cluster_2"]
        (line,) = said(s, "D-10")
        assert "last confirmed: 15m low 90560.1" in line
        assert "cluster_1 [91500, 91650] 0.8" in line


@pytest.mark.rule("L-3")
@seeds
def test_changed_ranks_do_not_move_a_bound_zone(seed: int) -> None:
    """`cluster_1` is another zone by now; the trade keeps the one that was meant, over a restart as well."""
    with bound(seed) as s:
        assert zone_of(s) == BOUND
        taken_in(s, TURNED)
        levels = in_force(s)
        assert levels is not None
        assert levels.zones[0].low == 92300
        s.ticks(2)
        assert zone_of(s) == BOUND
        lives_on(s)
        assert zone_of(s) == BOUND
        s.expect_protected()
        accepted, opened = said(s, "L-3")
        words = "liquidation zone cluster_1 is bound to [91500, 91650], "
        assert accepted.startswith(f"{words}by the levels of 2025-12-05T10:04:")
        assert opened == f"{words}as its decision has it"
        s.price_to("90300")
        s.verdict("P-1")


@pytest.mark.rule("L-3")
@seeds
def test_explicit_ids_move_a_bound_zone(seed: int) -> None:
    """A file whose zones carry their own ids moves the zone; derived names after it move nothing."""
    with bound(seed) as s:
        taken_in(s, explicit("91900", "91950"))
        s.until("the zone moved", lambda: zone_of(s) == MOVED)
        taken_in(s, TURNED)
        lives_on(s)
        s.ticks(2)
        assert zone_of(s) == MOVED
        assert "it was [91500, 91650]" in said(s, "L-3")[2]


@pytest.mark.rule("L-3", "D-10")
@seeds
def test_levels_that_are_too_old_bind_nothing(seed: int) -> None:
    """A named zone that is not found stays unbound and that is noted; a derived name never binds it later."""
    with scene(seed) as s:
        taken_in(s, MAP, dated_s=-1801)
        enter(s)
        s.fill("0.004")
        assert zone_of(s) is None
        (why,) = said(s, "L-3")
        assert "cluster_1 stays unbound: the levels of" in why
        assert "are too old" in why
        taken_in(s, MAP)
        s.ticks(2)
        assert zone_of(s) is None
        taken_in(s, explicit("91900", "91950"))
        s.until("the zone was bound", lambda: zone_of(s) is not None)
        assert "it was unbound" in said(s, "L-3")[1]
        s.price_to("90000")
        s.verdict("P-1", "P-8")


@pytest.mark.rule("L-3")
@seeds
def test_levels_just_young_enough_bind(seed: int) -> None:
    """1 800 s are not too old."""
    with scene(seed) as s:
        taken_in(s, MAP, dated_s=-1790)
        enter(s)
        assert zone_of(s) == BOUND


@pytest.mark.rule("L-3")
@seeds
def test_a_zone_that_moved_before_the_trade_is_remembered(seed: int) -> None:
    """The decision cannot enter yet; its zone moves; the engine dies, the file is gone: the trade has the moved zone."""
    with waiting(seed) as s:
        taken_in(s, explicit("91900", "91950"))
        s.until("the zone moved", lambda: len(said(s, "L-3")) == 2)
        s.kill()
        s.world.disk.levels.unlink()
        s.restart()
        s.price_to("90820")
        s.expect_armed()
        assert zone_of(s) == MOVED


@pytest.mark.rule("L-3", "E-9")
@seeds
def test_a_newer_decision_brings_its_own_zone(seed: int) -> None:
    """By the levels of its own acceptance: what it calls `cluster_1` is another zone than before."""
    with bound(seed) as s:
        taken_in(s, TURNED)
        s.decision(LONG, position_management=NAMING)
        other = BoundZone(id="cluster_1", low=Decimal(92300), high=Decimal(92450))
        s.until("handed over", lambda: zone_of(s) == other)
        taken_in(s, MAP)
        lives_on(s)
        s.ticks(2)
        assert zone_of(s) == other
        s.decision(LONG, position_management={})
        s.until("no zone any more", lambda: zone_of(s) is None)


@pytest.mark.rule("L-3", "P-6")
@seeds
def test_a_death_right_after_acceptance_keeps_the_zone(seed: int) -> None:
    """What was bound is durable with the decision: the next life finds other levels and binds nothing anew."""
    with scene(seed) as s:
        taken_in(s, MAP)
        experienced(s)
        s.dies("after commit", of="DecisionSeen")
        s.decision(LONG, position_management=NAMING)
        s.expect_dead()
        s.levels(TURNED)
        s.restart()
        s.expect_armed()
        assert zone_of(s) == BOUND


@pytest.mark.rule("L-3", "P-6")
@seeds
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_death_while_a_zone_moves_changes_nothing(seed: int, moment: str) -> None:
    """The file is still there: the next life reads it and comes to the same zone."""
    with waiting(seed) as s:
        s.dies(f"{moment} commit", of="ZoneBound")
        s.levels(explicit("91900", "91950"))
        s.expect_dead()
        s.restart()
        s.price_to("90820")
        s.expect_armed()
        assert zone_of(s) == MOVED


@pytest.mark.rule("D-5", "D-10")
@seeds
def test_refused_levels_replace_nothing(seed: int) -> None:
    """Half written, wrong, or from the future: recorded each time, alerted once, and the last valid ones stand."""
    with scene(seed) as s:
        taken_in(s, MAP)
        good = in_force(s)
        s.rubbish_levels(b'{"as_of": "2025')
        s.until("alerted", lambda: len(s.incidents("D-10")) == 1)
        s.levels({"liquidation_map": {"above_price": [{"zone": [2, 1], "strength": 1}]}})
        s.until("refused", lambda: "write [1, 2]" in said(s, "D-10")[-1])
        s.levels(MAP, dated_s=8)
        s.until("refused", lambda: "ahead of the exchange's time" in said(s, "D-10")[-1])
        assert in_force(s) == good
        taken_in(s, TURNED)
        s.rubbish_levels(b"[]")
        s.until("alerted again", lambda: len(s.incidents("D-10")) == 3)
