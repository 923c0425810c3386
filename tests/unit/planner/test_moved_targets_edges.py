"""Where a newer decision may move the targets of what is held, in which words (E-9)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, lot, own
from tests.unit.planner.superseding import both, holding, levels_of, newer
from tests.worlds import NOW, POLICY, D, seen

from jumar.model.command import Cause
from jumar.model.order import OrderState, Side
from jumar.model.world import World
from jumar.planner.facts import Facts
from jumar.planner.moved_targets import move_targets

# targets


def shifted(
    side: Side, prices: dict[str, str], mark: str = "90820", **of_trade: object
) -> tuple[Decimal, Decimal | None, list[str]]:
    """Both targets after a wish, and what is noted; prices are those of the long example."""
    found, trade, facts = holding(side, newer(side), mark=seen(mirrored(side, mark)))
    trade = replace(trade, **of_trade)  # type: ignore[arg-type]  # a test states only what differs
    after, notes = move_targets(found, trade, facts, newer(side, prices), POLICY)
    assert replace(after, tp1=trade.tp1, tp2=trade.tp2) == trade
    assert {note.rule for note in notes} <= {"E-9"}
    return after.tp1, after.tp2, [note.text for note in notes]


@both
@pytest.mark.rule("E-9", "P-9")
def test_targets_that_move_are_told_one_by_one(side: Side) -> None:
    """From where to where; one that is wanted where it stands is not told."""

    def at(price: str) -> Decimal:
        return mirrored(side, price)

    as_said = "as the newer decision says"
    first = f"tp1 {at('91600')} -> {at('91700')}, {as_said}"
    second = f"tp2 {at('92900')} -> {at('93000')}, {as_said}"
    old_1, old_2, new_1, new_2 = at("91600"), at("92900"), at("91700"), at("93000")
    assert shifted(side, {}) == (old_1, old_2, [])
    assert shifted(side, {"tp1": "91700"}) == (new_1, old_2, [first])
    assert shifted(side, {"tp2": "93000"}) == (old_1, new_2, [second])
    assert shifted(side, {"tp1": "91700", "tp2": "93000"}) == (new_1, new_2, [first, second])


@both
@pytest.mark.rule("E-9", "S-10")
def test_a_target_between_two_ticks_moves_to_the_nearer_one(side: Side) -> None:
    """Rounded toward the entry, as targets always are; what rounds to where it stands is no wish."""
    assert shifted(side, {"tp1": "91700.05"})[:2] == (
        mirrored(side, "91700"),
        mirrored(side, "92900"),
    )
    assert shifted(side, {"tp1": "91600.05"}) == shifted(side, {})


@both
@pytest.mark.rule("E-9", "P-9")
def test_a_wish_that_is_refused_does_not_keep_the_other_one_back(side: Side) -> None:
    """TP1 is not worth the risk and stays; TP2 moves."""
    needed = mirrored(side, "91599.8")
    entry, wanted, old = mirrored(side, "90786.6"), mirrored(side, "91599"), mirrored(side, "91600")
    poor, rich = mirrored(side, "92900"), mirrored(side, "93000")
    fills = {"fills": (lot(ended(own("E1", side)), "0.013", str(entry), time_ms=BEFORE),)}
    found, trade, facts = holding(side, newer(side), **fills)
    after, notes = move_targets(
        found, trade, facts, newer(side, {"tp1": "91599", "tp2": "93000"}), POLICY
    )
    assert (after.tp1, after.tp2) == (old, rich)
    assert [note.text for note in notes] == [
        f"tp1 {wanted} is refused: 2 times the initial risk from the average entry {entry} is {needed}; {old} stays",
        f"tp2 {poor} -> {rich}, as the newer decision says",
    ]


@both
@pytest.mark.rule("E-9", "P-9")
def test_targets_that_would_cross_stay_both(side: Side) -> None:
    """TP1 may meet TP2, not pass it; then every wish is refused, with both prices."""
    meet, pass_, old = mirrored(side, "92900"), mirrored(side, "92900.1"), mirrored(side, "91600")
    assert shifted(side, {"tp1": "92900"})[:2] == (meet, meet)
    assert shifted(side, {"tp1": "92900.1"}) == (
        old,
        meet,
        [f"tp1 {pass_} is refused: tp1 {pass_} would lie beyond tp2 {meet}; {old} stays"],
    )


@both
@pytest.mark.rule("E-9", "T-1")
def test_no_target_is_added_or_taken_away(side: Side) -> None:
    """A trade without TP2 gets none, one with TP2 keeps it; and without TP2 nothing can be crossed."""
    farther = mirrored(side, "93000")
    assert shifted(side, {"tp2": "93000"}, tp2=None) == (mirrored(side, "91600"), None, [])
    assert shifted(side, {"tp1": "93000"}, tp2=None)[:2] == (farther, None)
    found, trade, facts = holding(side, newer(side))
    bare = newer(side, levels=replace(levels_of(side), tp2=None))
    assert move_targets(found, trade, facts, bare, POLICY) == (trade, ())
    assert move_targets(found, trade, facts, newer(side, levels=None), POLICY) == (trade, ())
    unread = replace(found, instrument=None)
    assert move_targets(unread, trade, facts, newer(side, {"tp1": "91700"}), POLICY) == (trade, ())


@both
@pytest.mark.rule("E-9", "T-3")
def test_a_target_that_was_reached_does_not_move(side: Side) -> None:
    """TP1 hit, or its trigger fired; the same for TP2, each by itself."""
    wish = newer(side, {"tp1": "91700", "tp2": "93000"})
    found, trade, facts = holding(side, wish)
    new_1, new_2 = mirrored(side, "91700"), mirrored(side, "93000")

    def moved_by(each: World, judged: Facts) -> tuple[bool, bool]:
        after, _ = move_targets(each, trade, judged, wish, POLICY)
        return after.tp1 == new_1, after.tp2 == new_2

    assert moved_by(found, facts) == (True, True)
    assert moved_by(found, replace(facts, tp1_hit=True)) == (False, True)
    for name, expected in (("P1", (False, True)), ("Q1", (True, False))):
        fired = own(name, side, state=OrderState.TRIGGERED, triggered_ms=NOW - 100)
        assert moved_by(replace(found, orders=(*found.orders, fired)), facts) == expected


@pytest.mark.rule("E-9", "R-4", "P-9")
@pytest.mark.parametrize(
    ("side", "tp1", "words"),
    [
        (Side.BUY, "91691.6", None),
        (Side.BUY, "91691.5", "mark is 91600, 91691.6 or beyond is a target"),
        (Side.SELL, "91690", None),
        (Side.SELL, "91689.9", "mark is 90000, 89910 or beyond is a target"),
    ],
)
def test_a_target_stays_the_gap_away_from_mark(side: Side, tp1: str, words: str | None) -> None:
    """0.1 % of mark: 91.6 of 91 600, 90 of 90 000."""
    wanted = mirrored(side, tp1)
    after, _, notes = shifted(side, {"tp1": tp1}, mark="91600")
    old = mirrored(side, "91600")
    if words is None:
        assert after == wanted
    else:
        assert notes == [f"tp1 {wanted} is refused: {words}; {old} stays"]


@both
@pytest.mark.rule("E-9", "G-6")
def test_a_target_is_not_moved_by_guesswork(side: Side) -> None:
    """Without mark or without an average entry its place cannot be judged."""
    wish = newer(side, {"tp1": "91700"})
    found, trade, facts = holding(side, wish)
    old, wanted = mirrored(side, "91600"), mirrored(side, "91700")
    words = f"tp1 {wanted} is refused: neither mark nor the average entry is known; {old} stays"
    for each, judged in (
        (replace(found, mark=None), facts),
        (found, replace(facts, average_entry=None)),
    ):
        after, notes = move_targets(each, trade, judged, wish, POLICY)
        assert (after, notes) == (trade, (Cause(rule="E-9", text=words),))


@pytest.mark.rule("E-9", "P-9")
def test_an_average_is_told_with_four_decimals() -> None:
    """A third of the position came cheaper: 90 783.2667 and what twice the risk from there is."""
    entry = ended(own("E1"), filled_quantity=D("0.013"))
    fills = (
        lot(entry, "0.008", "90786.6", time_ms=BEFORE),
        lot(entry, "0.005", "90780", time_ms=BEFORE),
    )
    found, trade, facts = holding(Side.BUY, newer(Side.BUY), fills=fills)
    _, notes = move_targets(found, trade, facts, newer(Side.BUY, {"tp1": "91500"}), POLICY)
    assert [note.text for note in notes] == [
        "tp1 91500 is refused: 2 times the initial risk from the average entry 90784.0615 is 91592.1846; 91600 stays"
    ]
