"""Scenarios: what happens to one position, told step by step, and the judges' word at the end.

The example of the specification: zone 90 700 to 90 900, stop 90 380, targets 91 600 and 92 900; the entry rests at
90 786.6 with 0.013. Every scenario holds under every seed. Lost answers, deaths and lies: `test_scenarios_faults.py`.
"""

from decimal import Decimal

import pytest
from tests.simulation.storyboard import FLAT, LONG, SEEDS, SHORT, scene

from jumar.model.policy import OnFlat
from jumar.store import asked

many = pytest.mark.parametrize("seed", SEEDS)


# the ways home


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-8", "P-9", "P-10", "S-1", "T-3", "T-4")
@many
def test_home_by_breakeven_and_both_targets(seed: int) -> None:
    """TP1, stop to breakeven, TP2: the whole way, with the exact orders of the specification's example."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        entry = s.expect_armed()
        assert (Decimal(entry["price"]), entry["quantity"]) == (Decimal("90786.6"), "0.013")
        s.price_to("90786.5", over_s=2)
        s.expect_protected(within_ticks=1)
        s.expect_held()
        s.expect_stop_at("90380")
        s.price_to("91600", over_s=5)
        s.expect_position("0.007")
        s.expect_stop_at("90841.1")
        s.price_to("92900", over_s=5)
        found = s.verdict("P-1", "P-2", "P-3", "P-4", "P-5", "P-7", "P-8", "P-9", "P-10")
        assert found.exits == {"tp1": 1, "tp2": 1}
        assert found.reasons == ["tp2"]
        assert (found.gaps, found.entries) == (0, 1)


@pytest.mark.rule("S-1", "S-9", "P-1", "P-8", "D-7")
@many
def test_stopped_out_and_spent(seed: int) -> None:
    """The price falls through the stop: sold once, everything swept, and the decision never enters again."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370", over_s=3)
        s.expect_flat()
        s.expect_home()
        s.price_to("90820")
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        found = s.verdict("P-1", "P-2", "P-8")
        assert found.exits == {"stop": 1}
        assert found.reasons == ["stop"]
        assert (found.gaps, found.entries, found.trades) == (0, 1, 1)


@pytest.mark.rule("E-8", "S-1", "S-2", "S-9", "P-1", "P-4")
@many
def test_crumbs_and_then_the_stop(seed: int) -> None:
    """Two crumbs are covered from the first lot; the mark fires the stop: the remainder goes in the same tick."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.002")
        s.expect_position("0.002")
        s.expect_protected(within_ticks=1)
        s.wait(2)
        s.fill("0.003")
        s.expect_position("0.005")
        s.expect_stays_protected(for_s=3)
        assert s.book.resting("E")
        s.price_to("90820", mark="90370")
        s.expect_flat()
        s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=1)
        s.price_to("90820")
        found = s.verdict("P-1", "P-4", "P-5")
        assert found.exits in ({"stop": 1}, {"backstop": 1})  # of two at one price the older one
        assert found.gaps == 0
        filled = [Decimal(fill["quantity"]) for fill in s.book.fills() if fill["side"] == "BUY"]
        assert sum(filled) == Decimal("0.005")


@pytest.mark.rule("S-9", "E-8", "T-3", "P-4")
@many
def test_the_target_is_hit_while_a_remainder_rests(seed: int) -> None:
    """Any exit ends the entry: the remainder goes in the next tick and never fills, wherever the price goes."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.006")
        s.expect_roles("BEPQS")
        s.price_to("91600", over_s=6)
        s.until("TP1 has filled", lambda: s.book.position == Decimal("0.003"))
        s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=1)
        s.expect_stop_at("90841.1")
        s.price_to("90900")
        s.wait(2)
        assert s.book.entries() == s.book.entries()[:1]
        s.price_to("90786.5")
        found = s.verdict("P-1", "P-2", "P-4")
        assert (found.gaps, found.exits, found.entries) == (0, {"tp1": 1, "stop": 1}, 1)
        bought = sum(Decimal(f["quantity"]) for f in s.book.fills() if f["side"] == "BUY")
        assert bought == Decimal("0.006")


@pytest.mark.rule("P-1", "S-1")
@many
def test_a_gap_through_zone_and_stop_in_one_step(seed: int) -> None:
    """One step fills the entry and fires the stop: the position is never without cover."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90300")
        found = s.verdict("P-1", "P-4")
        assert found.exits == {"stop": 1}
        assert (found.gaps, found.trades) == (0, 1)


# hands


@pytest.mark.rule("S-1", "E-10", "P-1")
@many
def test_a_person_cancels_the_armed_stop(seed: int) -> None:
    """The entry goes in the next tick and comes back behind a new stop; the third time it stays away."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        for attempt in ("1", "2"):
            s.expect_rests(f"E{attempt} S{attempt}")
            s.cancel_stop_by_hand()
            s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=1)
        s.expect_rests("E3 S3")
        s.cancel_stop_by_hand()
        s.expect_rests("")
        s.expect_no_entry()
        found = s.verdict()
        assert (found.trades, found.entries) == (0, 3)


@pytest.mark.rule("S-4", "S-7", "P-1", "P-2")
@many
def test_a_person_cancels_the_working_stop(seed: int) -> None:
    """The backstop holds meanwhile; the stop is back at the ratchet price within a tick."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.004")
        s.expect_roles("BEPQS")
        s.cancel_stop_by_hand()
        s.expect_protected(within_ticks=1)
        s.expect_stop_at("90380", within_ticks=2)
        s.expect_stays_protected(for_s=3)
        s.price_to("90370")
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, found.excused_ms) == (0, 0)
        assert found.exits == {"backstop": 1}  # of two stops at one price the older one is executed


@pytest.mark.rule("P-2", "S-13")
@many
def test_a_stop_that_a_person_removed_is_an_incident(seed: int) -> None:
    """Even while the other layer covers: who asks later finds in the journal that a stop was taken away."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.cancel_stop_by_hand()
        s.expect_rests("B1 P1 Q1 S2")
        s.ticks(2)
        told = asked.incidents_since(s.database, 0)
        assert any("S1" in incident.message for incident in told), told


@pytest.mark.rule("S-7", "P-1", "P-2")
@many
def test_a_person_cancels_both_layers(seed: int) -> None:
    """Nothing covers: one tick later a stop rests at the ratchet price; one critical alarm."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.cancel_stops_by_hand()
        s.expect_protected(within_ticks=1)
        s.expect_stop_at("90380")
        s.expect_held()
        s.price_to("91600")
        s.expect_stop_at("90841.1")
        s.price_to("90800")
        found = s.verdict("P-1", "P-2", "P-8")
        assert found.gaps == 1
        assert 0 < found.excused_ms < 500
        assert found.incidents["S-7"] == 1
        assert found.exits == {"tp1": 1, "stop": 1}


@pytest.mark.rule("Y-3", "P-1", "T-2", "P-5")
@many
def test_a_person_adds_to_the_position(seed: int) -> None:
    """The whole is covered within two ticks, the targets stay the trade's own, and no newer decision enters."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.by_hand("BUY", "0.010")
        s.expect_position("0.023")
        s.expect_protected(within_ticks=1)
        s.until("a stop for all", lambda: s.book.size("S") == Decimal("0.023"), within_ticks=3)
        s.ticks(3)
        assert s.book.size("PQ") == Decimal("0.013")
        s.price_to("90370")
        s.expect_home()
        s.price_to("90820")
        s.decision(LONG)
        s.expect_outcome("refused", "mode")
        s.expect_no_entry()
        assert s.verdict("P-1", "P-8").entries == 1


@pytest.mark.rule("Y-2", "Y-11", "P-4", "P-8")
@many
@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_a_person_closes_the_position(seed: int, told: bool) -> None:
    """No stop goes before the proof of flat; then all is swept, called manual, and never entered again."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90900")
        if not told:
            s.mute_stream()
        s.by_hand("SELL", "0.013")
        flat_ms = s.now_ms
        s.expect_home()
        (swept,) = s.book.told("S", "CANCELED")
        assert swept["t"] - flat_ms >= (0 if told else 2000)
        s.price_to("90820")
        s.expect_no_entry()
        found = s.verdict("P-1", "P-4")
        assert (found.reasons, found.gaps, found.entries) == (["manual"], 0, 1)


# decisions


@pytest.mark.rule("D-5", "D-8")
@many
def test_half_a_decision_and_then_the_whole(seed: int) -> None:
    """What is still being written is no decision; the whole one enters, and nothing was alerted."""
    with scene(seed) as s:
        s.at("10:05")
        s.rubbish(b'{"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:05:00Z", "act')
        s.wait(1)
        s.expect_no_entry(for_ticks=1)
        s.decision(LONG)
        s.expect_armed()
        s.expect_outcome("accepted")
        assert not s.incidents("D-5")
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        assert s.verdict("P-1", "P-10").trades == 1


@pytest.mark.rule("C-1", "Y-11")
@many
@pytest.mark.parametrize("on_flat", list(OnFlat))
def test_flat_under_a_position(seed: int, on_flat: OnFlat) -> None:
    """`hold` and `tighten` keep every role and cancel only the remainder; `close` sells and sweeps after the proof."""
    with scene(seed, on_flat=on_flat) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.fill("0.004")
        s.expect_roles("BEPQS")
        s.wait(1)
        s.decision(FLAT)
        s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=2)
        if on_flat is not OnFlat.CLOSE:
            s.ticks(3)
            s.expect_held("0.004")
            s.expect_stop_at("90380" if on_flat is OnFlat.HOLD else "90729.1")
            s.price_to("90370")
        found = s.verdict("P-1", "P-4", "P-8")
        assert found.exits == ({"emergency": 1} if on_flat is OnFlat.CLOSE else {"stop": 1})
        assert (found.gaps, found.entries) == (0, 1)


@pytest.mark.rule("C-2", "X-9", "Y-11")
@many
def test_the_opposite_decision_under_a_position(seed: int) -> None:
    """Closed, proven flat, swept; only then the short's stop is armed above, and it comes home on its own."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90790")
        s.decision(SHORT)
        s.expect_flat()
        s.expect_rests("E1 S1")
        armed = s.book.one("S1")
        (swept,) = s.book.told("S", "CANCELED")
        assert armed["side"] == "BUY"
        assert swept["t"] <= armed["t"]
        s.price_to("90813.6")
        s.expect_held("-0.013")
        s.price_to("90000")
        s.price_to("88700")
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.trades, found.entries, found.gaps) == (2, 2, 0)
        assert found.exits["emergency"] == 1
        assert found.reasons[0] == "opposite"


@pytest.mark.rule("D-7", "D-8", "P-4")
@many
def test_a_second_decision_of_the_same_timestamp(seed: int) -> None:
    """The first valid one stays in force; the other is told `conflict` and changes nothing."""
    with scene(seed) as s:
        s.at("10:05")
        stamp = s.moment()
        s.decision(LONG, timestamp_iso=stamp)
        s.expect_armed()
        s.wait(1)
        s.decision(LONG, timestamp_iso=stamp, sl=90300, position_size_usdt=4000)
        s.expect_outcome("refused", "conflict")
        s.ticks(3)
        s.expect_rests("E1 S1")
        s.price_to("90786.5")
        s.expect_held()
        s.expect_stop_at("90380")
        s.price_to("90370")
        assert s.verdict("P-1", "P-4").entries == 1


@pytest.mark.rule("C-2", "M-2", "P-1")
@many
def test_turned_between_two_ticks(seed: int) -> None:
    """No read sees the position flat in between: where the long would have been liquidated says nothing of the short."""
    with scene(seed, loop_interval_s=Decimal(3)) as s:
        s.at("10:05")
        s.decision(LONG)
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90790")
        s.wait(7)
        s.decision(SHORT)
        s.expect_rests("E1 S1")
        s.price_to("90813.6")
        s.expect_held("-0.013")
        s.wait(7)
        s.price_to("90000")
        s.price_to("88700")
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.trades, found.entries, found.gaps) == (2, 2, 0)
        assert found.reasons == ["opposite", "tp2"]


@pytest.mark.rule("G-1", "D-3", "D-7", "P-10")
@many
def test_a_stale_decision_never_enters(seed: int) -> None:
    """Eleven minutes old at arrival: refused; one that grows stale while its entry rests loses the entry."""
    with scene(seed) as s:
        s.at("10:16:00")
        s.decision(LONG, dated_s=-660)
        s.expect_outcome("refused", "stale")
        s.expect_no_entry()
        s.decision(LONG, dated_s=-590)
        s.expect_armed()
        s.wait(9)
        s.expect_armed()
        s.expect_rests("", within_s=4)
        s.expect_outcome("refused", "stale")
        s.price_to("90786.5")
        s.expect_no_entry()
        found = s.verdict()
        assert (found.trades, found.entries) == (0, 1)
