"""What people do past an engine, under it and while it is dead: positions made, closed, turned round, sizes changed.

Whatever is asserted is asserted of the exchange's own record. A position that a hand makes is bare until the engine
hears of it: the exchange's judge counts that time, and each story says how long it may last.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import (
    FLAT_MARGIN_MS,
    PROTECT_DEADLINE_MS,
    Road,
    armed,
    both_sides,
    enters_no_second_time,
    held,
    into,
    out_of,
    result_is_true,
    signed,
    twice,
)

from jumar.model.mode import Mode

TICK = Decimal("0.1")
#: What a hand opened was bare before anybody could cover it.
HANDMADE = frozenset({"P-1"})


# a position made by hand


@pytest.mark.rule("Y-1", "Y-2", "P-6", "P-8")
@pytest.mark.parametrize("bought_at", ["same", "better", "worse"])
@both_sides
def test_a_position_made_by_hand_gets_an_emergency_stop(
    seed: int, road: Road, bought_at: str
) -> None:
    """1 % from mark or entry, whichever is tighter; closed by hand it is swept and called manual."""
    start = Decimal(road.quiet)
    moved = {"same": start, "better": start + 500 * road.sign, "worse": start - 500 * road.sign}
    mark = moved[bought_at]
    with scene(seed, engine=False) as s:
        s.price_to(start)
        s.by_hand(into(road), "0.020")
        s.price_to(mark)
        s.start()
        s.expect_recovered()
        entry = start + TICK if road.sign > 0 else start
        away = 1 - Decimal("0.01") * road.sign
        expected = max(entry * away, mark * away, key=lambda price: price * road.sign)
        assert any(abs(trigger - expected) <= 2 * TICK for trigger in s.book.stops())
        s.ticks(3)
        assert not s.book.size("PQ")
        s.by_hand(out_of(road), "0.020")
        found = s.verdict(but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)
        assert found.reasons == ["manual"]


@pytest.mark.rule("Y-1", "P-1")
@both_sides
def test_a_position_made_by_hand_under_a_running_engine_is_covered_in_time(
    seed: int, road: Road
) -> None:
    """From the hand's fill to the stop at most the protect deadline; the stop closes it."""
    with scene(seed) as s:
        s.price_to(road.quiet)
        s.ticks(2)
        s.by_hand(into(road), "0.020")
        s.expect_protected(within_ticks=1)
        s.wait(1)
        s.price_to(s.book.stops()[0] - road.sign)
        found = s.verdict("P-8", but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)
        assert found.reasons[0] in {"stop", "backstop"}


@pytest.mark.rule("Y-1", "C-2")
@twice
def test_a_position_by_hand_keeps_decisions_from_entering(seed: int) -> None:
    """While somebody's position is open no entry is sent."""
    with scene(seed) as s:
        s.wait(1)
        s.by_hand("BUY", "0.020")
        s.expect_protected(within_ticks=1)
        s.decision(LONG)
        s.expect_no_entry()
        assert s.book.entries() == []
        s.by_hand("SELL", "0.020")
        found = s.verdict(but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)
        assert found.reasons == ["manual"]


# a position that vanished


@pytest.mark.rule("Y-2", "Y-11", "P-4", "P-8", "X-6")
@both_sides
def test_a_position_closed_by_hand_while_dead(seed: int, road: Road) -> None:
    """No stop is cancelled before the proof of flat; then all is swept, called manual, no fill is invented."""
    with scene(seed) as s:
        held(s, road)
        s.kill()
        s.by_hand(out_of(road), "0.013")
        flat_ms = s.now_ms
        s.restart(after_s=0.5)
        s.expect_home()
        swept = [r["t"] for r in s.book.told("S", "CANCELED") + s.book.told("B", "CANCELED")]
        assert min(swept) >= flat_ms + FLAT_MARGIN_MS
        enters_no_second_time(s, road)
        found = s.verdict("P-1", "P-4")
        assert (found.reasons, found.gaps) == (["manual"], 0)
        result_is_true(s)


@pytest.mark.rule("Y-2", "Y-11", "P-8")
@twice
def test_a_position_closed_by_hand_under_a_running_engine(seed: int) -> None:
    """Swept after the proof, called manual, with the exchange's own numbers."""
    with scene(seed) as s:
        held(s)
        s.by_hand("SELL", "0.013")
        s.expect_home()
        enters_no_second_time(s)
        found = s.verdict("P-1", "P-4")
        assert (found.reasons, found.gaps) == (["manual"], 0)
        result_is_true(s)


@pytest.mark.rule("Y-2", "Y-1", "P-6")
@pytest.mark.parametrize("dead_s", [0.05, 0.2, 0.5])
@both_sides
def test_a_position_turned_round_by_hand_while_dead(seed: int, road: Road, dead_s: float) -> None:
    """The other side: our trade ended, and what is there now is adopted with a stop of its own side."""
    with scene(seed) as s:
        held(s, road)
        s.kill()
        s.by_hand(out_of(road), "0.033")
        s.restart(after_s=dead_s)
        s.expect_recovered()
        s.expect_position(signed(road, "-0.020"))
        s.until("only the new side's orders rest", lambda: _turned(s, road))
        s.by_hand(into(road), "0.020")
        found = s.verdict("P-4", but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)
        assert found.reasons == ["manual", "manual"]


def _turned(s: Scene, road: Road) -> bool:
    """Whether all that rests closes the new side."""
    resting = s.book.alive.values()
    return bool(resting) and {order["side"] for order in resting} == {into(road)}


@pytest.mark.rule("Y-2", "Y-1", "Y-3", "P-1")
@both_sides
def test_a_position_turned_round_by_hand_under_a_running_engine(seed: int, road: Road) -> None:
    """The other side, seen as it happens: covered within the deadline, the old trade ended and swept."""
    with scene(seed) as s:
        held(s, road)
        s.by_hand(out_of(road), "0.033")
        turned_ms = s.now_ms
        s.expect_protected(within_ticks=4)
        assert s.now_ms - turned_ms <= PROTECT_DEADLINE_MS
        s.until("only the new side's orders rest", lambda: _turned(s, road))
        s.by_hand(into(road), "0.020")
        found = s.verdict("P-4", but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)
        assert found.reasons == ["manual", "manual"]


# a size changed by hand

type Change = Callable[[Scene, Road], None]


def halved(s: Scene, road: Road) -> None:
    """Somebody sells a part."""
    s.by_hand(out_of(road), "0.006")


def raised(s: Scene, road: Road) -> None:
    """Somebody adds to it."""
    s.by_hand(into(road), "0.010")


def changed(s: Scene, road: Road, change: Change, *, dead: bool) -> None:
    """The size changes under the engine, or while it is dead and begun again."""
    held(s, road)
    if dead:
        s.kill()
    change(s, road)
    if dead:
        s.restart(after_s=0.5)
        s.expect_recovered()


WHILE = pytest.mark.parametrize("dead", [False, True], ids=["running", "dead"])


@pytest.mark.rule("Y-3", "P-1", "T-2")
@WHILE
@both_sides
def test_a_part_sold_by_hand_resizes_the_targets(seed: int, road: Road, dead: bool) -> None:
    """Targets shrink to what is left, cover stays full-size, the rest comes home by the stop."""
    with scene(seed) as s:
        changed(s, road, halved, dead=dead)
        s.until(
            "targets for the rest",
            lambda: s.book.size("PQ") == Decimal("0.007"),
            within_ticks=4,
        )
        s.ticks(2)
        assert s.book.size("PQ") == Decimal("0.007")
        assert s.book.size("S") >= Decimal("0.007")
        s.price_to(road.stopped)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.reasons, found.gaps) == (["stop"], 0)


@pytest.mark.rule("Y-3", "P-1", "T-2", "P-5")
@WHILE
@both_sides
def test_a_part_added_by_hand_is_covered_and_has_no_target(
    seed: int, road: Road, dead: bool
) -> None:
    """Cover grows to the whole, targets stay the trade's own; what is left after them comes home by the stop."""
    with scene(seed) as s:
        changed(s, road, raised, dead=dead)
        s.until("a stop for all", lambda: _largest_stop(s) >= Decimal("0.023"))
        s.ticks(2)
        assert s.book.size("PQ") <= Decimal("0.013")
        s.price_to(road.tp1)
        s.until("TP1 has filled", lambda: abs(s.book.position) < Decimal("0.023"))
        s.price_to(road.tp2)
        s.expect_position(signed(road, "0.010"))
        s.ticks(2)
        assert s.book.covered
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-4", "P-8").gaps == 0


def _largest_stop(s: Scene) -> Decimal:
    return max((Decimal(o["quantity"]) for o in s.book.resting("S")), default=Decimal(0))


@pytest.mark.rule("Y-3", "G-12")
@twice
def test_a_part_added_by_hand_keeps_the_next_entry_away(seed: int) -> None:
    """Foreign activity on the symbol: after the trade is home a newer decision does not enter by itself."""
    with scene(seed) as s:
        held(s)
        s.by_hand("BUY", "0.010")
        s.until("a stop for all", lambda: _largest_stop(s) >= Decimal("0.023"))
        s.price_to("90370")
        s.expect_home()
        s.price_to("90820")
        s.decision(LONG)
        s.expect_outcome("refused", "mode")
        s.expect_no_entry()
        s.expect_mode(Mode.NO_ENTRIES)
        assert s.verdict("P-1").entries == 1


@pytest.mark.rule("Y-3", "P-6", "S-2", "S-7")
@both_sides
def test_a_part_added_by_hand_without_a_backstop_is_covered_in_three_ticks(
    seed: int, road: Road
) -> None:
    """While nobody was there somebody cancelled the backstop and added: the whole is covered in three ticks."""
    with scene(seed) as s:
        held(s, road)
        s.kill()
        s.cancel_by_hand("B")
        raised(s, road)
        assert not s.book.covered
        s.restart(after_s=0.5)
        s.expect_recovered()
        s.expect_stays_protected(for_s=2)
        s.price_to(road.stopped)
        s.verdict("P-4", "P-6", but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)


@pytest.mark.rule("Y-1", "Y-3", "P-1", "P-4")
@pytest.mark.parametrize("way", ["same", "against"])
@both_sides
def test_a_hand_trades_while_our_entry_rests(seed: int, road: Road, way: str) -> None:
    """A position that the resting entry did not make: the entry goes, a stop of its side covers it in time."""
    with scene(seed) as s:
        armed(s, road)
        s.by_hand(into(road) if way == "same" else out_of(road), "0.020")
        since_ms = s.now_ms
        s.until("covered", lambda: s.book.covered)
        assert s.now_ms - since_ms <= PROTECT_DEADLINE_MS
        s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=4)
        s.ticks(2)
        left = s.book.position  # zero where the decision's side closed what stood against it (C-2)
        if left:
            s.by_hand("SELL" if left > 0 else "BUY", str(abs(left)))
        s.verdict(but=HANDMADE, bare_ms_max=PROTECT_DEADLINE_MS)


# orders of others


def unknown_order_at_the_second_start(s: Scene, client_id: str) -> None:
    """A trade came home; while nobody was there an order appeared that its journal does not know."""
    held(s)
    s.price_to("90370")
    s.expect_home()
    s.kill()
    s.price_to("90820")
    s.rest_by_hand(client_id)
    s.restart(
        after_s=3
    )  # while a read may be older than the last trade's end, nothing is done for it alone


def statuses(s: Scene, client_id: str) -> list[str]:
    """What became of an order."""
    return [r["status"] for r in s.book.records if r.get("client_id") == client_id]


@pytest.mark.rule("Y-7", "X-7")
@twice
def test_an_order_of_somebody_else_is_left_alone_and_keeps_entries_away(seed: int) -> None:
    """With a journal in place an order that it does not know is never cancelled by us, and nothing enters."""
    with scene(seed) as s:
        unknown_order_at_the_second_start(s, "web_1")
        before = s.book.entries()
        s.decision(LONG)
        s.ticks(4)
        assert s.book.entries() == before
        assert statuses(s, "web_1") == ["NEW"]
        assert s.outcome()["outcome"] == "refused"


@pytest.mark.rule("X-7", "Y-12")
@twice
def test_an_entry_that_the_journal_misses_says_that_it_was_replaced(seed: int) -> None:
    """At a start an entry with our prefix that the journal does not know is ours from a lost one: taken back, alerted."""
    name = "jm-aaaaaaaaaa-E1"
    with scene(seed) as s:
        unknown_order_at_the_second_start(s, name)
        s.until("taken back", lambda: statuses(s, name) == ["NEW", "CANCELED"])
        s.ticks(2)
        s.expect_home()
        assert len(s.book.entries()) == 2
        (alarm,) = s.incidents("Y-1")
        assert name in alarm
