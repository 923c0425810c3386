"""A lost database: what an engine with an empty journal makes of the position and the orders of its former life.

Whatever is asserted is asserted of the exchange's own record.
"""

from decimal import Decimal

import pytest
from tests.simulation.storyboard import LONG, scene
from tests.simulation.ways import (
    LONG_ROAD,
    Road,
    armed,
    both_sides,
    enters_no_second_time,
    held,
    reborn,
    runner,
    signed,
    twice,
)

from jumar.store import queries

#: A decision may be dated a little ahead: a newer one must be further ahead than the one that led to an entry could be.
AHEAD_S = 4.5
#: Where journal and stops are lost together nobody knows the ratchet price any more.
FORGOTTEN = frozenset({"P-2"})


# a position


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "X-7", "Y-1", "Y-12", "D-7")
@pytest.mark.parametrize("way", ["stop", "targets"])
@both_sides
def test_a_position_without_a_journal_keeps_its_orders_and_comes_home_once(
    seed: int, road: Road, way: str
) -> None:
    """Same orders before and after; home by them; all of the old life swept; its decision never enters again."""
    with scene(seed) as s:
        held(s, road)
        before = {order["client_id"] for order in s.book.resting("S") + s.book.resting("B")}
        reborn(s)
        s.ticks(3)
        assert before <= set(s.book.alive)
        if way == "stop":
            s.price_to(road.stopped)
        else:
            s.price_to(road.tp1)
            s.until("TP1 has filled", lambda: abs(s.book.position) < Decimal("0.013"))
            s.price_to(road.tp2)
        s.expect_home()
        enters_no_second_time(s, road)
        assert queries.refusal_counts(s.database).get("spent", 0) >= 1
        found = s.verdict("P-1", "P-2", "P-4", "P-8")
        assert found.reasons == ["stop" if way == "stop" else "tp2"]
        assert (found.gaps, found.entries) == (0, 1)


@pytest.mark.rule("P-2", "P-6", "Y-1", "S-3")
@both_sides
def test_a_runner_without_a_journal_keeps_its_tight_stop(seed: int, road: Road) -> None:
    """The stop beyond the entry stays the effective one; the old backstop is no reason to loosen it."""
    with scene(seed) as s:
        stop = runner(s, road)
        reborn(s)
        s.ticks(3)
        assert s.book.stops() == [stop]
        s.price_to(stop - road.sign)
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.reasons, found.gaps) == (["stop"], 0)


@pytest.mark.rule("P-2", "P-6", "S-4", "S-7", "Y-1", "Y-4")
@twice
def test_a_stop_lost_after_the_journal_is_restored_where_it_was(seed: int) -> None:
    """Adopted at the ratchet price of the stop found: when a person cancels that one, it is back there."""
    with scene(seed) as s:
        stop = runner(s)
        reborn(s)
        s.cancel_stop_by_hand()
        assert s.book.stops() == []
        s.expect_stop_at(str(stop), within_ticks=3)
        s.price_to(stop - 1)
        s.verdict("P-1", "P-2", "P-8")


@pytest.mark.rule("P-6", "Y-1", "Y-4")
@both_sides
def test_neither_journal_nor_stop(seed: int, road: Road) -> None:
    """Database and stops are gone together: an emergency stop rests within three ticks, and all comes home."""
    with scene(seed) as s:
        held(s, road)
        s.kill()
        s.cancel_stops_by_hand()
        s.lose_database()
        s.restart()
        s.expect_recovered()
        s.expect_stays_protected(for_s=2)
        sizes = [order["quantity"] or "0.013" for role in "SB" for order in s.book.resting(role)]
        assert set(sizes) == {"0.013"}
        s.price_to(s.book.stops()[0] - road.sign)
        found = s.verdict("P-1", "P-8", but=FORGOTTEN)
        assert found.excused_ms > 0


@pytest.mark.rule("P-4", "P-6", "P-8", "Y-1", "Y-12")
@both_sides
def test_an_entry_that_filled_in_part_is_ended_with_the_journal(seed: int, road: Road) -> None:
    """The remainder of an adopted entry is cancelled; what had filled stays covered and comes home."""
    with scene(seed) as s:
        armed(s, road)
        s.fill("0.004")
        s.kill()
        s.expect_position(signed(road, "0.004"))
        s.lose_database()
        s.restart()
        s.expect_recovered()
        s.until("no entry rests", lambda: not s.book.resting("E"))
        s.price_to(road.enter)
        s.ticks(3)
        s.expect_position(signed(road, "0.004"))
        s.price_to(road.stopped)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.trades) == (0, 1)


@pytest.mark.rule("P-1", "P-4", "P-6", "P-8", "Y-1")
@pytest.mark.parametrize("record", ["TradeChanged", "Intent"])
@twice
def test_killed_in_the_middle_of_an_adoption(seed: int, record: str) -> None:
    """A crash right behind the first record of an adoption: the third life goes on with the same position."""
    with scene(seed) as s:
        held(s)
        s.kill()
        s.cancel_stops_by_hand()
        s.lose_database()
        s.dies("after commit", of=record)
        s.restart(after_s=0.2)
        s.expect_dead()
        s.restart(after_s=0.2)
        s.expect_recovered()
        s.price_to(s.book.stops()[0] - 1)
        s.expect_home()
        enters_no_second_time(s)
        s.verdict("P-1", "P-4", "P-8", but=FORGOTTEN)


# a set-up


@pytest.mark.rule("P-4", "P-8", "X-7", "Y-1", "Y-12", "D-7")
@both_sides
def test_a_resting_entry_without_a_journal_is_taken_back(seed: int, road: Road) -> None:
    """Nothing is left alive and nothing entered by the old decision; a newer one may enter and comes home."""
    with scene(seed) as s:
        armed(s, road)
        before = s.book.entries()
        s.kill()
        s.lose_database()
        s.restart()
        s.expect_rests("")
        s.price_to(road.enter)
        s.ticks(2)
        assert not s.book.position
        assert s.book.entries() == before
        s.expect_outcome("spent", "spent")
        s.price_to(road.quiet)
        s.decision(LONG, dated_s=AHEAD_S, **road.decision)
        s.expect_armed()
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.price_to(road.stopped)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.trades, found.entries) == (0, 1, 2)


@pytest.mark.rule("P-4", "Y-12", "D-7")
@twice
def test_a_decision_dated_ahead_does_not_enter_a_second_time_without_a_journal(seed: int) -> None:
    """Filled and stopped out before its own date, journal lost, begun before that date: it is spent all the same."""
    with scene(seed) as s:
        s.wait(1)
        s.decision(LONG, dated_s=AHEAD_S)
        dated_ms = s.now_ms + AHEAD_S * 1000
        s.expect_armed()
        s.price_to("90370")
        s.until("stopped out", lambda: bool(s.book.fills()) and not s.book.position)
        s.kill()
        s.lose_database()
        s.price_to("90820")
        s.restart(after_s=0.2)
        assert s.now_ms < dated_ms
        before = s.book.entries()
        s.expect_home()
        s.expect_no_entry(for_ticks=8)
        assert s.now_ms > dated_ms
        assert s.book.entries() == before
        s.expect_outcome("spent", "spent")
        s.verdict("P-1", "P-4", "P-8")


@pytest.mark.rule("P-1", "P-4", "P-8", "Y-1")
@both_sides
def test_an_entry_that_fills_after_everything_was_lost(seed: int, road: Road) -> None:
    """Filled while nobody was there: the armed stop is adopted with the position, nothing else enters."""
    with scene(seed) as s:
        armed(s, road)
        s.kill()
        s.lose_database()
        s.price_to(road.enter)
        s.restart()
        s.expect_recovered()
        s.ticks(3)
        s.price_to(road.stopped)
        s.expect_home()
        enters_no_second_time(s, road)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.entries) == (0, 1)


@pytest.mark.rule("Y-12", "Y-9")
@twice
def test_no_entry_before_the_exchanges_history_was_read(seed: int) -> None:
    """With an empty journal the orders of the last days are asked for; while that fails nothing enters."""
    with scene(seed) as s:
        history = s.every("GET /fapi/v1/allOrders")
        history.refused(-1000, "the history is being rebuilt", status=503)
        s.decision(LONG, dated_s=4)
        s.until("the history was asked for", lambda: history.met >= 3, within_s=30)
        assert s.book.slots == ""
        assert s.book.entries() == []
        s.clear_weather()
        s.expect_armed(within_s=15)
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        s.price_to(LONG_ROAD.stopped)
        s.verdict("P-1", "P-4")
