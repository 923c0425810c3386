"""G-7 and G-15 where only other limits or another exchange show them, and that every code is told to people."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.worlds import BTC, NOW, POLICY, D, Storyboard, codes, places, roles, seen, world

from jumar.model.account import MarginMode, SymbolSettings
from jumar.planner.judgements import JUDGED, UNJUDGED
from jumar.planner.plan import plan

HOUR_MS = 3_600_000
LAST_MS = 25 * HOUR_MS


def resting() -> Storyboard:
    """An entry of 0.013 that rests behind its stop; the band ends at 90 786.6."""
    story = Storyboard(world=world())
    story.run(2)
    assert set(story.alive()) == {"E1", "S1"}
    return story


@pytest.mark.rule("G-7")
def test_a_resting_entry_beyond_a_new_limit_is_cancelled() -> None:
    """A restart with a smaller max_notional_usdt: exactly the planned notional passes, a cent less does not."""
    story = resting()
    exact = D("0.013") * D("90786.6")
    story.policy = replace(story.policy, max_notional_usdt=exact)
    assert codes(story.tick()) == []
    story.policy = replace(story.policy, max_notional_usdt=exact - D("0.01"))
    result = story.tick()
    assert codes(result) == ["notional_too_high"]
    assert result.refusals[0].rule == "G-7"
    assert "1180.2258" in result.refusals[0].message
    assert "max_notional_usdt" in result.refusals[0].message
    assert set(story.alive()) == {"S1"}


@pytest.mark.rule("G-7")
def test_a_resting_entry_beyond_new_brackets_is_cancelled() -> None:
    """The exchange allows less at the leverage as read back; a leverage that it allows passes."""
    story = resting()
    row = replace(BTC.brackets[0], max_leverage=3, notional_cap=D(1180))
    story.world = replace(story.world, instrument=replace(BTC, brackets=(row,)))
    result = story.tick()
    assert codes(result) == ["notional_too_high"]
    assert "leverage 3" in result.refusals[0].message
    wider = replace(row, bracket=2, max_leverage=2, notional_cap=D(5000))
    story.world = replace(
        story.world,
        instrument=replace(BTC, brackets=(row, wider)),
        settings=seen(SymbolSettings(leverage=2, margin_mode=MarginMode.ISOLATED)),
    )
    assert codes(story.tick()) == []


@pytest.mark.rule("G-15")
def test_nothing_is_begun_in_the_last_day_of_a_contract() -> None:
    """A day and the hour in which positions are closed: one millisecond more passes; a far date and none do, too."""
    for delivery_ms, code in (
        (NOW + LAST_MS, ["symbol_delisting"]),
        (NOW + LAST_MS + 1, []),
        (NOW - 1, ["symbol_delisting"]),
        (4_133_404_800_000, []),
        (None, []),
    ):
        result = plan(world(instrument=replace(BTC, delivery_ms=delivery_ms)), POLICY)
        assert codes(result) == code
        assert bool(places(result)) == (code == [])
    told = plan(world(instrument=replace(BTC, delivery_ms=NOW + 2 * HOUR_MS)), POLICY)
    assert "2.0 h" in told.refusals[0].message
    assert told.refusals[0].rule == "G-15"


@pytest.mark.rule("G-15")
def test_the_last_day_is_longer_where_closing_begins_earlier() -> None:
    """`delist_close_before_s` is added to the day."""
    ending = world(instrument=replace(BTC, delivery_ms=NOW + LAST_MS + HOUR_MS))
    assert codes(plan(ending, POLICY)) == []
    assert codes(plan(ending, replace(POLICY, delist_close_before_s=7200))) == ["symbol_delisting"]


@pytest.mark.rule("G-15")
def test_a_delisting_cancels_a_resting_entry() -> None:
    """The date is announced while it rests."""
    story = resting()
    ending = replace(BTC, delivery_ms=NOW + 20 * HOUR_MS)
    story.world = replace(story.world, instrument=ending)
    assert roles(story.tick()) == ["-E"]


def test_every_code_stands_in_the_reference() -> None:
    """docs/reference/refusals.md knows each code under its rule, and no other one."""
    page = Path(__file__).resolve().parents[3] / "docs" / "reference" / "refusals.md"
    rows = [line.split("|") for line in page.read_text(encoding="utf-8").splitlines()]
    told = {
        (cells[1].strip(), code)
        for cells in rows
        if len(cells) > 3 and cells[1].strip().startswith("G-")
        for code in cells[2].replace("`", "").replace(" ", "").split(",")
    }
    known = {(row.rule, code) for row in JUDGED for code in row.codes}
    known |= {(rule, code) for rule, codes_, _ in UNJUDGED for code in codes_}
    assert told == known
