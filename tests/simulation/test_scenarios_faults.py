"""Scenarios of faults: answers that are lost, engines that die, databases, reads, streams and clocks that fail.

As in `test_scenarios.py`: told step by step, judged at the end, true under every seed.
"""

from decimal import Decimal

import pytest
from tests.simulation.storyboard import LONG, SEEDS, scene

many = pytest.mark.parametrize("seed", SEEDS)


# lost and unknown answers


@pytest.mark.rule("X-3", "X-4", "P-1", "P-4", "E-10")
@many
def test_the_entrys_answer_is_lost_though_it_filled(seed: int) -> None:
    """Nobody said that it rests, then it fills: covered, managed, and never sent again."""
    with scene(seed) as s:
        s.at("10:05")
        s.next("POST /fapi/v1/order", of="E").answer_lost()
        s.decision(LONG)
        s.until("the entry rests", lambda: bool(s.book.resting("E")))
        s.price_to("90786.5")
        s.expect_position("0.013")
        s.expect_protected(within_ticks=1)
        s.expect_held()
        s.wait(8)
        s.price_to("90370")
        found = s.verdict("P-1", "P-4")
        assert (found.entries, found.gaps, found.exits) == (1, 0, {"stop": 1})


@pytest.mark.rule("X-3", "X-4", "P-4")
@many
def test_the_entry_never_arrived(seed: int) -> None:
    """Lost on the way: proven absent by a cancel by id before the second id is sent; one position in the end."""
    with scene(seed) as s:
        s.at("10:05")
        s.next("POST /fapi/v1/order", of="E").lost()
        s.decision(LONG)
        s.expect_rests("E2 S1", within_s=15)
        sent = [(each.request, each.slot) for each in s.script.sent if each.slot in {"E1", "E2"}]
        assert sent[0] == ("POST /fapi/v1/order", "E1")
        assert sent[-1] == ("POST /fapi/v1/order", "E2")
        assert set(sent[1:-1]) == {("DELETE /fapi/v1/order", "E1")}
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        found = s.verdict("P-1", "P-4")
        assert (found.entries, found.trades) == (1, 1)


@pytest.mark.rule("S-1", "X-3", "X-4")
@many
@pytest.mark.parametrize("mute", [False, True], ids=["told", "untold"])
def test_the_armed_stops_answer_is_lost(seed: int, mute: bool) -> None:
    """The entry waits until the stop is confirmed by event or by id; no second stop is sent for it."""
    with scene(seed) as s:
        s.at("10:05")
        if mute:
            s.mute_stream()
        s.next("POST /fapi/v1/algoOrder", of="S").answer_lost()
        s.decision(LONG)
        s.expect_rests("E1 S1")
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        found = s.verdict("P-1", "P-4")
        assert (found.gaps, found.exits) == (0, {"stop": 1})
        assert {short["client_id"][-2:] for short in s.book.told("S")} == {"S1"}


@pytest.mark.rule("X-3", "X-4", "S-7", "S-4", "P-1")
@many
def test_unknown_is_said_of_a_restored_stop_that_was_executed(seed: int) -> None:
    """-1007 on the stop that restores cover, though it rests: cover counts, nothing is left over at the end."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.next("POST /fapi/v1/algoOrder", of="S2").unknown(executed=True)
        s.cancel_stops_by_hand()
        s.expect_protected(within_ticks=1)
        s.expect_stays_protected(for_s=10)
        assert set(s.book.stops()) == {Decimal(90380)}
        s.price_to("90370")
        found = s.verdict("P-1", "P-2", "P-8")
        assert found.exits == {"stop": 1}
        assert 0 < found.excused_ms < 500


@pytest.mark.rule("S-4", "S-7", "X-4", "P-1", "P-8")
@many
@pytest.mark.parametrize("late_s", [1.5, 2.9])
def test_the_stop_that_restores_cover_is_late(seed: int, late_s: float) -> None:
    """Another one covers at once; when the first arrives after all, one of them goes, and nothing is left at the end."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.next("POST /fapi/v1/algoOrder", of="S2").late(there_s=late_s)
        s.cancel_stops_by_hand()
        s.until("protected", lambda: s.book.covered, within_s=1.5)
        s.expect_stays_protected(for_s=3)
        s.expect_roles("BPQS")
        s.price_to("90370")
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, sum(found.exits.values())) == (1, 1)


# deaths


@pytest.mark.rule("P-6", "P-1", "P-4", "X-2", "X-4")
@many
def test_killed_after_the_entry_left_and_filled_while_dead(seed: int) -> None:
    """Sent, dead before the answer, filled with nobody there: the next life finds it behind its armed stop."""
    with scene(seed) as s:
        s.at("10:05")
        s.dies("after POST /fapi/v1/order")
        s.decision(LONG)
        s.expect_dead()
        s.until("the entry rests", lambda: bool(s.book.resting("E")))
        s.price_to("90786.5", over_s=1)
        s.expect_position("0.013")
        s.restart(after_s=2)
        s.expect_held()
        s.price_to("91600")
        s.expect_stop_at("90841.1")
        s.price_to("92900")
        found = s.verdict("P-1", "P-4", "P-6", "P-8")
        assert (found.entries, found.gaps, found.exits) == (1, 0, {"tp1": 1, "tp2": 1})


@pytest.mark.rule("P-4", "X-1", "X-2", "X-4")
@many
def test_killed_between_journal_and_send(seed: int) -> None:
    """The intent is durable and nothing left: settled as absent, then entered once under a new id."""
    with scene(seed) as s:
        s.at("10:05")
        s.dies("before POST /fapi/v1/order")
        s.decision(LONG)
        s.expect_dead()
        assert s.book.slots == "S1"
        s.restart(after_s=2)
        s.expect_rests("E2 S1", within_s=15)
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        found = s.verdict("P-1", "P-4")
        assert (found.entries, found.trades) == (1, 1)


@pytest.mark.rule("P-1", "P-2", "P-6", "S-3", "S-4")
@many
@pytest.mark.parametrize(
    "point",
    [
        "before POST /fapi/v1/algoOrder",
        "after POST /fapi/v1/algoOrder",
        "before DELETE /fapi/v1/algoOrder",
        "after DELETE /fapi/v1/algoOrder",
    ],
)
def test_killed_during_the_move_to_breakeven(seed: int, point: str) -> None:
    """At any step between the new stop and the old one's cancel: one stop at breakeven afterwards, never bare."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.ticks(2)
        s.dies(point)
        s.price_to("91600")
        s.expect_dead()
        s.restart(after_s=2)
        s.expect_protected(within_ticks=1)
        s.expect_stop_at("90841.1")
        s.expect_roles("BQS")
        s.price_to("90840")
        found = s.verdict("P-1", "P-2", "P-6", "P-8")
        assert (found.gaps, found.exits) == (0, {"tp1": 1, "stop": 1})


@pytest.mark.rule("P-6", "P-8", "Y-2", "Y-11")
@many
def test_the_stop_fires_while_the_engine_is_dead(seed: int) -> None:
    """Closed with nobody there: the next life proves it, sweeps the rest and enters no second time."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.kill()
        s.price_to("90370", over_s=2)
        s.expect_flat()
        s.price_to("90820")
        s.restart(after_s=3)
        s.expect_home()
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        found = s.verdict("P-1", "P-4")
        assert (found.reasons, found.gaps, found.entries) == (["stop"], 0, 1)


@pytest.mark.rule("P-1", "P-4", "P-6", "P-8", "X-7", "Y-1", "Y-12", "D-7")
@many
def test_the_database_is_replaced_under_a_position(seed: int) -> None:
    """The empty journal adopts position and orders, brings them home, and the old decision never enters again."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        before = {order["client_id"] for order in s.book.resting("S") + s.book.resting("B")}
        s.kill()
        s.lose_database()
        s.restart(after_s=1)
        s.expect_stays_protected(for_s=5)
        assert before <= set(s.book.alive)
        s.price_to("90370")
        s.expect_home()
        s.price_to("90820")
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.exits, found.entries, found.gaps) == ({"stop": 1}, 1, 0)


# reads and streams that lie


@pytest.mark.rule("Y-11", "P-1", "P-8")
@many
@pytest.mark.parametrize("whole", [False, True], ids=["part", "whole"])
def test_the_position_list_is_empty_right_after_the_fill(seed: int, whole: bool) -> None:
    """For seconds the list says zero, whatever else is known: no stop is cancelled and the trade goes on.

    What two reads 2 s apart say, the first 2 s after the last fill, is a proof (Y-11): the lie must be over by then.
    """
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        lie = s.position_list_says("0")
        if whole:
            s.price_to("90786.5")
        else:
            s.fill("0.004")
        roles = "BPQS" if whole else "BEPQS"
        s.expect_roles(roles)
        s.expect_stays_protected(for_s=3.9 if whole else 3.5)
        assert s.book.roles == roles
        assert lie.met >= (1 if whole else 3)
        s.clear_weather()
        s.price_to("90786.5")
        s.expect_held()
        s.ticks(5)
        s.expect_held()
        s.price_to("91600")
        s.expect_stop_at("90841.1")
        s.price_to("92900")
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, found.exits) == (0, {"tp1": 1, "tp2": 1})


@pytest.mark.rule("S-13", "P-1")
@many
def test_the_conditional_list_forgets_the_stop_for_a_while(seed: int) -> None:
    """Invisible is not dead: one replacement at the same price, never a close; one stop is left once it is seen."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.ticks(2)
        s.conditional_orders_forgotten("S1")
        s.expect_rests("B1 P1 Q1 S1 S2", within_s=8)
        assert s.book.stops() == [Decimal(90380), Decimal(90380)]
        s.expect_stays_protected(for_s=3)
        s.clear_weather()
        s.expect_roles("BPQS")
        s.price_to("90370")
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, found.exits) == (0, {"backstop": 1})  # the older of two at one price
        assert (found.incidents["S-13"], found.incidents["S-7"]) == (1, 0)


@pytest.mark.rule("W-1", "X-6", "Y-11", "P-1")
@many
@pytest.mark.parametrize("way", ["silent", "dropped", "late"])
def test_the_user_stream_says_nothing_while_the_entry_fills(seed: int, way: str) -> None:
    """Fill, stop-out and end are found by reading: it costs time, never cover."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        if way == "silent":
            s.mute_stream()
        elif way == "dropped":
            s.drop_streams(away_s=4)
        else:
            s.script.event_delay_s = 3
        s.price_to("90786.5")
        s.expect_position("0.013")
        s.expect_protected(within_ticks=1)
        s.expect_held()
        s.price_to("90370")
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.exits, found.entries) == (0, {"stop": 1}, 1)


@pytest.mark.rule("W-2", "D-3")
@many
@pytest.mark.parametrize(
    ("ahead_ms", "drift"), [(800, 0.0), (-800, 0.0), (0, 0.0002), (0, -0.0002)]
)
def test_the_engines_clock_is_off(seed: int, ahead_ms: int, drift: float) -> None:
    """800 ms ahead or behind, or drifting: requests are signed with the exchange's time, and all goes its way."""
    with scene(seed, ahead_ms=ahead_ms, drift=drift) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.at("10:09")
        s.price_to("91600")
        s.expect_stop_at("90841.1")
        s.price_to("92900")
        found = s.verdict("P-1", "P-2", "P-7", "P-8", "P-9")
        assert found.exits == {"tp1": 1, "tp2": 1}
        assert not [r for r in s.book.records if r.get("code") == -1021]
