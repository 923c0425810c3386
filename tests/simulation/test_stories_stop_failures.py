"""Stops that are removed, refused, lost, forgotten or deaf: restored where they were, or the position is closed.

Whatever is asserted of orders is asserted of the exchange's own record.
"""

from decimal import Decimal
from itertools import pairwise

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import PROTECT_DEADLINE_MS, held, runner, twice

from jumar.model.mode import Mode
from jumar.store import requests

STOP_FAIL_MS = 2000
PLACE_STOP = "POST /fapi/v1/algoOrder"
NO_ROOM = (-4045, "Reach max stop order limit.")
#: A stop may be away for so long in an unfair exchange: closing takes the engine a moment more.
UNFAIR = frozenset({"P-1"})


def no_room(s: Scene) -> None:
    """The exchange takes no stop any more."""
    s.every(PLACE_STOP, of="SB").refused(*NO_ROOM)


def closed_after_ms(s: Scene) -> int:
    """How long after the last stop was gone the full exit was accepted."""
    gone = [r["t"] for r in s.book.told("S", "CANCELED") + s.book.told("B", "CANCELED")[:1]]
    closed = s.book.told("X", "NEW")[0]["t"]
    return int(closed - max(gone))


# removed


@pytest.mark.rule("S-7", "P-1", "P-2")
@twice
def test_stops_removed_by_a_person_are_back_at_once(seed: int) -> None:
    """Stop and backstop cancelled by hand: both are back at the same price, one critical alarm, an excused gap only."""
    with scene(seed) as s:
        held(s)
        s.cancel_stops_by_hand()
        gone_ms = s.now_ms
        s.expect_rests("B2 P1 Q1 S2")
        stop = s.expect_stop_at("90380")
        assert stop["t"] - gone_ms <= 500
        told = [i.severity for i in s.witness.incidents if i.rule == "S-7"]
        assert told == ["critical"]
        s.price_to("90370")
        found = s.verdict("P-1", "P-2")
        assert 0 < found.excused_ms <= 500


@pytest.mark.rule("S-7", "P-2")
@twice
def test_a_stop_at_breakeven_is_restored_there_first(seed: int) -> None:
    """After TP1: the first stop that is back stands at breakeven, the looser backstop comes after it."""
    with scene(seed) as s:
        moved = runner(s)
        s.cancel_stops_by_hand()
        s.expect_roles("BQS")
        stop = s.expect_stop_at(str(moved))
        assert stop["t"] <= s.book.resting("B")[0]["t"]
        assert len(s.incidents("S-7")) == 1
        s.price_to(moved - 1)
        s.verdict("P-1", "P-2")


# refused


@pytest.mark.rule("S-7")
@twice
def test_targets_give_way_to_a_stop_that_has_no_room(seed: int) -> None:
    """The venue takes no further conditional order: the targets go, the stop is back, then the targets are."""
    with scene(seed) as s:
        held(s)
        no_room(s)
        s.cancel_stops_by_hand()
        s.expect_rests("")
        s.clear_weather()
        s.expect_roles("BPQS")
        assert len(s.incidents("S-7")) == 1
        assert not s.book.told("X")
        s.price_to("90370")
        s.verdict("P-1", "P-2", "P-8")


@pytest.mark.rule("S-7", "M-1", "M-2", "P-6", "G-12")
@twice
def test_a_position_whose_stops_are_refused_is_closed_and_the_mode_outlives_a_restart(
    seed: int,
) -> None:
    """Refused beyond the deadline: FLATTENING, closed at market, NO_ENTRIES until somebody resumes."""
    with scene(seed) as s:
        held(s)
        no_room(s)
        s.cancel_stops_by_hand()
        s.expect_home()
        assert PROTECT_DEADLINE_MS <= closed_after_ms(s) <= PROTECT_DEADLINE_MS + 1000
        modes = [words.split(":")[0] for words in s.incidents("M-1")]
        assert modes == ["mode FLATTENING", "mode NO_ENTRIES"]
        s.expect_stopped()
        s.price_to("90820")
        s.decision(LONG)
        s.start()
        s.expect_outcome("refused", "mode")
        s.expect_no_entry()
        s.expect_mode(Mode.NO_ENTRIES)
        found = s.verdict("P-4", "P-8", but=UNFAIR)
        assert found.exits == {"emergency": 1}


@pytest.mark.rule("M-1", "G-12")
@twice
def test_a_request_in_the_store_resumes(seed: int) -> None:
    """NO_ENTRIES refuses a newer decision with the code `mode`; the request that a command left clears it."""
    with scene(seed, protect_deadline_s=1) as s:
        held(s)
        no_room(s)
        s.cancel_stops_by_hand()
        s.expect_home()
        assert 1000 <= closed_after_ms(s) <= 2000
        s.clear_weather()
        s.price_to("90820")
        s.decision(LONG)
        s.expect_outcome("refused", "mode")
        requests.ask(s.database, request="resume", symbol=None, asked_by="test", at_ms=1)
        s.expect_armed()
        s.expect_mode(Mode.NORMAL)
        s.price_to("90786.5")
        s.expect_held()
        s.price_to("90370")
        assert s.verdict("P-4", "P-8").trades == 2


# unknown


@pytest.mark.rule("S-7", "X-4")
@pytest.mark.parametrize("way", ["lost", "unknown"])
@twice
def test_a_position_whose_stops_are_never_heard_of_is_closed(seed: int, way: str) -> None:
    """Every placement of a stop is lost: another is tried, after the deadline the position is closed at market."""
    with scene(seed) as s:
        held(s)
        fault = s.every(PLACE_STOP, of="SB")
        if way == "lost":
            fault.lost()
        else:
            fault.unknown(executed=False)
        s.cancel_stops_by_hand()
        s.expect_flat()
        tried = {each.slot for each in s.script.sent if each.slot[:1] == "S"}
        assert len(tried) >= 3
        assert PROTECT_DEADLINE_MS <= closed_after_ms(s) <= PROTECT_DEADLINE_MS + 1500
        s.clear_weather()
        s.expect_mode(Mode.NO_ENTRIES)
        s.verdict("P-4", "P-8", but=UNFAIR)


# forgotten


@pytest.mark.rule("S-13", "G-12")
@twice
def test_a_stop_that_nobody_tells_any_more_is_replaced_once(seed: int) -> None:
    """Lists and reads forget it: alarm, one replacement, never closed; seen again it is tidied away."""
    with scene(seed) as s:
        held(s)
        s.conditional_orders_forgotten("S1")
        s.expect_rests("B1 P1 Q1 S1 S2")
        assert s.book.stops() == [Decimal(90380), Decimal(90380)]
        s.wait(4)
        assert s.book.slots == "B1 P1 Q1 S1 S2"
        s.clear_weather()
        s.expect_rests("B1 P1 Q1 S2")
        assert len(s.incidents("S-13")) == 1
        assert not s.incidents("S-7")
        s.price_to("90370")
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, found.exits) == (0, {"backstop": 1})


# deaf


@pytest.mark.rule("S-8")
@twice
def test_a_stop_that_does_not_trigger_is_stood_in_for_by_a_market_exit(seed: int) -> None:
    """The venue shows stops that do nothing: mark beyond them for `stop_fail_s` closes the position."""
    with scene(seed) as s:
        held(s)
        s.ticks(1)
        s.stops_go_deaf()
        s.wait(1)
        s.price_to("90300")
        seen_ms = -(-s.now_ms // 1000) * 1000  # marks are published at whole seconds
        s.expect_flat()
        (closed,) = s.book.told("X", "NEW")
        assert STOP_FAIL_MS <= closed["t"] - seen_ms <= STOP_FAIL_MS + 1500
        assert all("(S-8)" in words for words in s.incidents("M-1"))
        s.expect_mode(Mode.NO_ENTRIES)
        s.clear_weather()
        s.verdict("P-4", but=UNFAIR, bare_ms_max=6000)


@pytest.mark.rule("S-8")
@twice
def test_exits_of_unknown_outcome_are_repeated_every_quarter_of_a_second(seed: int) -> None:
    """Full exits that nobody answers do not wait for one another: a new id about every 250 ms."""
    with scene(seed, protect_deadline_s=1) as s:
        held(s)
        no_room(s)
        s.every("POST /fapi/v1/order", of="X").unknown(executed=False)
        s.cancel_stops_by_hand()

        def exits() -> list[int]:
            return [each.at_ms for each in s.script.sent if each.slot[:1] == "X"]

        s.until("five exits", lambda: len(exits()) >= 5)
        pauses = [after - before for before, after in pairwise(exits())]
        assert all(230 <= pause <= 350 for pause in pauses), pauses
        assert len({each.slot for each in s.script.sent if each.slot[:1] == "X"}) == len(exits())
        s.clear_weather()
        s.expect_flat()
        s.verdict("P-4", "P-8", but=UNFAIR)
