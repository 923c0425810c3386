"""What markets do: gaps through the stop, stop and targets in one step, a mark that leaves the last price, a halt.

Each story ends with the word of both judges. What a stop promises is its trigger, never its price (P-1).
"""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from tests.simulation.storyboard import LONG, SHORT, Scene, scene
from tests.simulation.ways import (
    LONG_ROAD,
    Road,
    armed,
    both_sides,
    held,
    into,
    result_is_true,
    twice,
)

from jumar.model.trade import TradeSummary
from jumar.store import queries

HALTED = (-4141, "Symbol is closed.")
NO_POSITION = (
    -4509,
    "TIF GTE can only be used with open positions. Please ensure that positions are available.",
)


def summary(s: Scene) -> TradeSummary:
    """What the journal says of the only trade."""
    (found,) = [row.summary for row in queries.trades(s.database) if row.summary is not None]
    return found


def never_turned(s: Scene, road: Road) -> None:
    """The position was never on the other side."""
    held_then = [Decimal(move["quantity"]) * road.sign for move in s.book.moves()]
    assert min(held_then) == 0, held_then


# a flash crash


@pytest.mark.rule("P-1", "T-4", "S-9")
@both_sides
def test_a_gap_through_the_stop(seed: int, road: Road) -> None:
    """Two percent in one step: sold once where the market is, and how much worse than the trigger stands in the summary."""
    with scene(seed) as s:
        held(s, road)
        trigger = s.book.stops()[0]
        s.price_to(trigger - 1800 * road.sign)
        s.expect_home()
        found = s.verdict("P-1", "P-2", "P-4", "P-5", "P-8")
        assert (found.trades, found.gaps, sum(found.exits.values())) == (1, 0, 1)
        told = summary(s)
        assert told.exit_reason in {"stop", "backstop"}
        assert told.slippage == (trigger - told.average_exit) * road.sign
        assert told.slippage >= 1800
        assert told.r_net < -1
        result_is_true(s)
        never_turned(s, road)


@pytest.mark.rule("P-5", "S-9", "P-1")
@pytest.mark.parametrize("reached", ["tp1", "tp2"])
@both_sides
def test_stop_and_targets_in_one_step(seed: int, road: Road, reached: str) -> None:
    """The last price touches the targets while the mark fires the stops: everything is sold once, nothing turned round."""
    with scene(seed) as s:
        held(s, road)
        s.price_to(getattr(road, reached), mark=road.stopped)
        s.expect_home()
        found = s.verdict("P-1", "P-4", "P-5", "P-8")
        assert found.trades == 1
        assert summary(s).quantity == Decimal("0.013")
        result_is_true(s)
        never_turned(s, road)


@pytest.mark.rule("P-1", "S-1", "P-8")
@both_sides
def test_a_spike_through_the_stop_and_back(seed: int, road: Road) -> None:
    """A step beyond the stop and one back: out, once; the decision does not enter at the price that it liked before."""
    with scene(seed) as s:
        held(s, road)
        s.price_to(road.stopped)
        s.price_to(road.quiet)
        s.expect_home()
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.entries, found.gaps) == (1, 0)


# mark and last


@pytest.mark.rule("G-5")
@both_sides
def test_the_mark_leaves_the_last_price_while_an_entry_rests(seed: int, road: Road) -> None:
    """Beyond 0.3 % the entry goes and says why; once they meet again it rests again."""
    away = str(Decimal(road.quiet) * (1 + Decimal("0.0032") * road.sign))
    with scene(seed) as s:
        armed(s, road)
        s.price_to(road.quiet, mark=away)
        s.until("no entry rests", lambda: not s.book.resting("E"), within_ticks=3)
        s.expect_outcome("refused", "mark_diverged")
        s.expect_no_entry()
        s.price_to(road.quiet)
        s.expect_armed()
        s.price_to(road.enter)
        s.expect_position(str(Decimal("0.013") * road.sign))
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-4", "P-8").trades == 1


@pytest.mark.rule("G-5", "P-1")
@both_sides
def test_the_mark_leaves_the_last_price_under_a_position(seed: int, road: Road) -> None:
    """It is no reason to touch anything: nothing is sent, stops and targets stay."""
    away = str(road.average * (1 + Decimal("0.004") * road.sign))
    with scene(seed) as s:
        held(s, road)
        s.wait(1)
        sent, before = len(s.script.sent), s.book.slots
        s.price_to(road.quiet, mark=away)
        s.ticks(5)
        assert (len(s.script.sent), s.book.slots) == (sent, before)
        s.price_to(road.quiet)
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-8").gaps == 0


# a backstop that is refused


@pytest.mark.rule("S-2", "S-7")
@twice
def test_a_backstop_is_refused_and_then_placed(seed: int) -> None:
    """-4509: again after 250 ms, eight times, then every 5 s; the working stop covers, nobody closes, in the end it rests."""
    with scene(seed) as s:
        armed(s)
        s.every("POST /fapi/v1/algoOrder", of="B").refused(*NO_POSITION)
        s.price_to(LONG_ROAD.enter)
        s.until("both targets rest", lambda: s.book.roles == "PQS")
        s.expect_stays_protected(for_s=14)
        tried = [sent.at_ms for sent in s.script.sent if sent.slot.startswith("B")]
        waits = [after - before for before, after in pairwise(tried)]
        assert all(250 <= wait < 400 for wait in waits[:8]), waits
        assert all(5000 <= wait < 5400 for wait in waits[8:]), waits
        assert len(waits) >= 10
        s.clear_weather()
        s.expect_roles("BPQS", within_s=6)
        assert not s.incidents("S-7")
        s.price_to(LONG_ROAD.stopped)
        found = s.verdict("P-1", "P-2", "P-8")
        assert (found.gaps, found.reasons) == (0, ["stop"])


# a halt


@pytest.mark.rule("S-8", "C-2", "P-1")
@twice
def test_a_halt_while_the_position_must_be_closed(seed: int) -> None:
    """No exit is taken: every stop stays, one alarm, tried again every 2 s; when the halt is over it closes and is swept."""
    opposite: dict[str, Any] = SHORT
    with scene(seed) as s:
        held(s)
        s.every("POST /fapi/v1/order").refused(*HALTED)
        s.decision(opposite)
        s.until("an exit was tried", lambda: any(sent.slot == "X1" for sent in s.script.sent))
        s.always("every stop stays", lambda: s.book.size("S") == Decimal("0.013"), for_s=9)
        assert s.book.resting("B")
        assert s.book.position == Decimal("0.013")
        tried = [sent.at_ms for sent in s.script.sent if sent.slot.startswith("X")]
        assert all(after - before >= 2000 for before, after in pairwise(tried)), tried
        assert len(tried) >= 4
        assert len([each for each in s.incidents("S-8") if "every stop is kept" in each]) == 1
        s.decision(LONG, action="flat", entry_zone=[], sl=None, tp1=None, tp2=None)
        s.clear_weather()
        s.expect_home()
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.reasons, found.gaps) == (["opposite"], 0)
        assert s.book.told("X", "FILLED")[0]["side"] != into(LONG_ROAD)
