"""E-9, C-2: a newer decision while an entry rests, is half filled, or a position is open; judged by all judges."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.simulation.storyboard import FLAT, LONG, Scene, scene
from tests.simulation.ways import (
    LONG_ROAD,
    SHORT_ROAD,
    Road,
    armed,
    both_sides,
    held,
    runner,
    signed,
)

from jumar.model.policy import OnOpposite
from jumar.store import queries


def mirrored(road: Road, price: str) -> float:
    """A price of the long example, or its mirror image at 90 800."""
    return float(price) if road.sign > 0 else 181600 - float(price)


def decide(s: Scene, road: Road, **prices: Any) -> None:
    """A newer decision of the road's side; prices are those of the long example."""
    changes = {
        name: [mirrored(road, each) for each in value][:: int(road.sign)]
        if isinstance(value, tuple)
        else mirrored(road, value)
        for name, value in prices.items()
    }
    s.decision(LONG, **{**road.decision, **changes})


def half(s: Scene, road: Road) -> None:
    """Some of the entry has filled; the rest goes on resting."""
    armed(s, road)
    s.fill("0.005")
    s.expect_position(signed(road, "0.005"))
    s.expect_roles("BEPQS")


def owner(s: Scene) -> tuple[str, str | None]:
    """The decision that owns the newest trade of the journal, and the one that guides it."""
    trade = queries.trades(s.database)[-1].trade
    return trade.decision.id, None if trade.guide is None else trade.guide.id


def passed(s: Scene, road: Road) -> None:
    """A newer decision of the same plan comes and owns the trade."""
    before = owner(s)[0]
    decide(s, road)
    s.until("passed", lambda: owner(s)[0] != before)


def guided(s: Scene, road: Road, **prices: Any) -> None:
    """A newer decision comes and is taken as the guide of the position."""
    before = owner(s)
    s.wait(1)
    decide(s, road, **prices)
    s.until("guided", lambda: owner(s)[1] not in {None, before[1]})
    assert owner(s)[0] == before[0]


def events(s: Scene, words: str) -> int:
    """How often something stands in the story of the journal."""
    with closing(sqlite3.connect(s.database)) as database:
        (found,) = database.execute(
            "select count(*) from events where rule = 'E-9' and message like ?", (f"%{words}%",)
        ).fetchone()
    return int(found)


@both_sides
@pytest.mark.rule("E-9", "P-4")
def test_the_same_plan_keeps_its_order(road: Road, seed: int) -> None:
    """Decision after decision: one entry order in the whole run, and the newest is spent afterwards."""
    with scene(seed) as s:
        armed(s, road)
        for _ in range(3):
            s.wait(20)
            passed(s, road)
            s.expect_rests("E1 S1")
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.expect_outcome("accepted")
        s.price_to(road.stopped)
        s.expect_outcome("spent", "spent")
        s.price_to(road.quiet)
        s.expect_no_entry(for_ticks=3)
        found = s.verdict("P-3", "P-4", "P-9", "P-10")
        assert (found.trades, found.entries) == (1, 1)


@both_sides
@pytest.mark.rule("E-9", "P-4", "P-6")
def test_the_same_plan_keeps_its_trade_over_a_restart(road: Road, seed: int) -> None:
    """The newer decision is written while nobody lives: it owns the trade that the next life finds, and only that one."""
    with scene(seed) as s:
        armed(s, road)
        first = owner(s)[0]
        s.kill()
        s.wait(1)
        decide(s, road)
        s.restart(after_s=0.5)
        s.until("passed", lambda: owner(s)[0] != first)
        s.expect_armed()
        s.kill()
        s.restart()
        s.expect_armed()
        assert len(queries.trades(s.database)) == 1
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.price_to(road.stopped)
        s.expect_outcome("spent", "spent")
        s.kill()
        s.restart()
        s.price_to(road.quiet)
        s.expect_no_entry(for_ticks=3)
        assert s.verdict("P-4", "P-6").trades == 1


@both_sides
@pytest.mark.rule("E-9", "X-9")
def test_another_zone_starts_anew(road: Road, seed: int) -> None:
    """Entry and stop of the old trade are gone before the new stop is armed."""
    with scene(seed) as s:
        armed(s, road)
        s.wait(5)
        decide(s, road, entry_zone=("90700", "90760"))
        s.until("anew", lambda: len(queries.trades(s.database)) == 2)
        entry = s.expect_armed()
        assert float(entry["price"]) == mirrored(road, "90730")
        s.wait(1)
        s.decision(FLAT)
        found = s.verdict("P-3", "P-4", "P-10")
        assert (found.trades, found.entries) == (0, 2)


@both_sides
@pytest.mark.rule("E-9", "P-4")
def test_half_filled_it_goes_on_for_the_newer_decision(road: Road, seed: int) -> None:
    """The same order, beyond the owner's age; neither decision trades again."""
    with scene(seed) as s:
        half(s, road)
        s.wait(400)
        guided(s, road)
        s.wait(300)
        assert [order["client_id"][-2:] for order in s.book.resting("E")] == ["E1"]
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.price_to(road.stopped)
        s.expect_outcome("spent", "spent")
        s.price_to(road.quiet)
        s.expect_no_entry(for_ticks=3)
        found = s.verdict("P-1", "P-4", "P-10")
        assert (found.trades, found.entries) == (1, 1)


@both_sides
@pytest.mark.rule("E-9", "P-3")
def test_half_filled_it_ends_where_the_newer_band_ends(road: Road, seed: int) -> None:
    """TP1 is nearer by a little: the resting price is not worth it any more; what is held is kept."""
    with scene(seed) as s:
        half(s, road)
        guided(s, road, tp1="91599")
        s.expect_roles("BPQS")
        s.expect_position(signed(road, "0.005"))
        assert events(s, "outside the newer band") == 1
        assert events(s, "tp1 %is refused") == 1
        s.expect_stays_protected(for_s=3)
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-4", "P-10").trades == 1


@both_sides
@pytest.mark.rule("E-9", "D-3")
def test_half_filled_it_ends_when_the_newer_decision_is_stale(road: Road, seed: int) -> None:
    """Ten minutes after the newest of its side; the position stays managed."""
    with scene(seed) as s:
        half(s, road)
        s.wait(200)
        guided(s, road)
        s.wait(590)
        s.expect_roles("BEPQS")
        s.until("the rest is over", lambda: not s.book.resting("E"), within_s=15)
        s.expect_held(signed(road, "0.005"))
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-4").trades == 1


@both_sides
@pytest.mark.rule("E-9", "P-2")
def test_a_newer_decision_tightens_and_never_loosens(road: Road, seed: int) -> None:
    """Tighter: the stop moves. Looser again: it stays, over a restart too. The backstop never moves."""
    with scene(seed) as s:
        held(s, road)
        tight = str(mirrored(road, "90500"))
        guided(s, road, sl="90500")
        s.expect_stop_at(tight)
        guided(s, road, sl="90400")
        s.ticks(3)
        s.expect_stop_at(tight)
        s.kill()
        s.restart()
        s.expect_recovered()
        s.expect_stop_at(tight)
        (backstop,) = s.book.resting("B")
        assert float(backstop["trigger"]) == mirrored(road, "90380")
        s.price_to(road.stopped)
        found = s.verdict("P-1", "P-2", "P-9")
        assert found.reasons == ["stop"]


@both_sides
@pytest.mark.rule("E-9", "T-2")
def test_targets_move_one_legal_one_illegal(road: Road, seed: int) -> None:
    """TP2 goes where the newer decision has it, TP1 stays where it is worth the risk; then each is hit."""
    with scene(seed) as s:
        held(s, road)
        guided(s, road, tp1="91500", tp2="92500")
        s.expect_rests("B1 P1 Q2 S1")
        (tp1,), (tp2,) = s.book.resting("P"), s.book.resting("Q")
        assert float(tp1["trigger"]) == mirrored(road, "91600")
        assert float(tp2["trigger"]) == mirrored(road, "92500")
        assert events(s, "tp1 %is refused") == 1
        s.price_to(road.tp1)
        s.expect_roles("BQS")
        s.price_to(str(mirrored(road, "92510")))
        found = s.verdict("P-1", "P-5", "P-9", "P-10")
        assert found.reasons == ["tp2"]


@both_sides
@pytest.mark.rule("E-9", "T-3")
def test_after_tp1_the_rest_is_guided(road: Road, seed: int) -> None:
    """TP1 is past; TP2 moves out and the stop comes nearer than breakeven."""
    with scene(seed) as s:
        stop = runner(s, road)
        guided(s, road, sl="91000", entry_zone=("91200", "91300"), tp1="92000", tp2="93500")
        s.expect_stop_at(str(mirrored(road, "91000")))
        assert (s.book.stops()[0] - stop) * road.sign > 0
        s.expect_roles("BQS")
        assert float(s.book.resting("Q")[0]["trigger"]) == mirrored(road, "93500")
        s.price_to(str(mirrored(road, "93510")))
        found = s.verdict("P-1", "P-2", "P-10")
        assert found.reasons == ["tp2"]


@both_sides
@pytest.mark.rule("C-2", "X-9")
def test_half_filled_then_the_other_side(road: Road, seed: int) -> None:
    """The rest is cancelled, what is held is closed, and only after the proof of flat the other side arms."""
    other = SHORT_ROAD if road is LONG_ROAD else LONG_ROAD
    with scene(seed) as s:
        half(s, road)
        s.price_to(other.quiet)
        s.wait(1)
        s.decision(LONG, **{"action": "long", **other.decision})
        s.expect_flat()
        s.until("the other side", lambda: len(queries.trades(s.database)) == 2)
        s.expect_armed()
        s.wait(1)
        s.decision(FLAT)
        found = s.verdict("P-1", "P-4", "P-8")
        assert found.reasons == ["opposite"]


@both_sides
@pytest.mark.rule("C-2")
def test_the_other_side_may_be_held_out(road: Road, seed: int) -> None:
    """`on_opposite = "hold"`: nothing of the position moves, its writer is told why, and it never trades."""
    other = SHORT_ROAD if road is LONG_ROAD else LONG_ROAD
    with scene(seed, on_opposite=OnOpposite.HOLD) as s:
        half(s, road)
        s.wait(1)
        s.decision(LONG, **{"action": "long", **other.decision})
        s.expect_outcome("refused", "position_held")
        s.expect_held(signed(road, "0.005"))
        s.expect_stays_protected(for_s=5)
        s.price_to(road.stopped)
        s.expect_outcome("spent", "spent")
        s.expect_no_entry(for_ticks=3)
        assert s.verdict("P-1", "P-4").trades == 1
