"""E-9, C-1, C-2: a newer decision while something has filled: what it may do to a position, and to the rest of the entry."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import (
    POLICY,
    SIDES,
    armed,
    guide_of,
    made,
    mirrored,
    newer,
    partly,
    told,
)
from tests.worlds import (
    D,
    Storyboard,
    cancels,
    decision,
    opened,
    places,
    roles,
    seen,
    world,
)

from jumar.model.account import PositionReport
from jumar.model.decision import Action
from jumar.model.order import Role, Side
from jumar.model.policy import MinStopPolicy, OnFlat, OnOpposite, Policy
from jumar.model.trade import CloseReason
from jumar.model.units import ZERO
from jumar.planner.plan import plan

# something has filled: it guides


@SIDES
@pytest.mark.rule("E-9", "P-4")
def test_after_a_fill_the_newer_decision_guides_and_owns_nothing(side: Side) -> None:
    """Owner, plan and initial stop stay; what is left of the entry goes on."""
    board = partly(side)
    before, chosen = board.trade, newer(board, side)
    (note,) = told(board, chosen)
    assert note.startswith("E-9 the decision of ")
    assert note.endswith(" guides 0.005 from now on")
    assert replace(board.trade, guide=None) == before
    assert board.trade.guide is chosen
    assert board.trade.guiding is chosen
    assert board.run(2) == []
    assert "E1" in board.alive()


@SIDES
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(
    ("tp1", "goes_on"),
    [("91600", True), ("91599.8", True), ("91599.7", False)],
)
def test_the_rest_goes_on_only_inside_the_newer_band(
    side: Side, tp1: str, *, goes_on: bool
) -> None:
    """The newer band ends at (tp1 + 2 stop) / 3: the resting price is inside it, or it is over for good."""
    board = partly(side)
    found = told(board, newer(board, side, tp1=tp1))
    board.run(2)
    assert ("E1" in board.alive()) is goes_on
    assert (board.trade.entry_over is None) is goes_on
    if not goes_on:
        assert any("is outside the newer band" in note for note in found)
        told(board.later(2000), newer(board, side))
        board.run(2)
        assert "E2" not in board.alive()


@SIDES
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(("low", "goes_on"), [("90786.6", True), ("90786.7", False)])
def test_one_common_price_is_enough(side: Side, low: str, *, goes_on: bool) -> None:
    """The newer zone begins where the owner's band ends."""
    board = partly(side)
    told(board, newer(board, side, low=low, high="90900", tp1="92500"))
    board.run(2)
    assert ("E1" in board.alive()) is goes_on


@SIDES
@pytest.mark.rule("E-9", "P-3")
def test_without_a_common_price_the_rest_is_over(side: Side) -> None:
    """A zone that the owner's band does not reach; what is held stays as it is."""
    board = partly(side)
    found = told(board, newer(board, side, low="90500", high="90600"))
    assert any("the newer decision leaves no price" in note for note in found)
    board.tick()
    assert {"S1", "B1", "P1"} <= board.alive().keys()
    assert "E1" not in board.alive()


@SIDES
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize("widens", list(MinStopPolicy))
def test_a_stop_that_came_near_ends_the_rest(side: Side, widens: MinStopPolicy) -> None:
    """The resting price is 0.35 % away from 90 468.8; a stop nearer than that ends it, and nothing is widened for it."""
    policy = Policy(max_notional_usdt=D(5000), min_stop_policy=widens)
    for stop, goes_on in (("90468", True), ("90470", False)):
        board = partly(side, policy)
        told(board, newer(board, side, stop=stop))
        board.run(2)
        assert ("E1" in board.alive()) is goes_on
        assert board.alive()["S2"].request.trigger_price == mirrored(side, stop)


@SIDES
@pytest.mark.rule("E-9", "P-3")
def test_a_looser_newer_stop_does_not_excuse_the_one_that_is(side: Side) -> None:
    """The stop stays where an earlier newer decision brought it: the rest must keep its distance from that one."""
    board = partly(side)
    told(board, newer(board, side, stop="90468"))
    board.run(3)
    stop = board.trade.tightest(board.trade.ratchet_price)
    assert stop == mirrored(side, "90468")
    later = newer(board.later(2000), side, stop="90400")
    board.world = replace(
        board.world, trade=replace(board.trade, ratchet_price=mirrored(side, "90475"))
    )
    told(board, later)
    assert "E1" not in board.alive()


@SIDES
@pytest.mark.rule("E-9", "P-3")
def test_a_farther_target_makes_no_further_price_enterable(side: Side) -> None:
    """TP1 moves out, the entry was taken back by a guard meanwhile: it comes back inside the owner's band."""
    board = partly(side)
    told(board, replace(newer(board, side, tp1="92500"), risk_checks=None))
    board.run(3)
    assert board.trade.tp1 == mirrored(side, "92500")
    told(board.later(2000), newer(board, side, tp1="92500"))
    board.run(3)
    assert board.alive()["E2"].request.price == mirrored(side, "90786.6")


@pytest.mark.rule("E-9", "Y-1")
def test_nothing_guides_an_adopted_position() -> None:
    """Nobody decided it: there is no owner, no plan and no side of anybody's."""
    held = PositionReport(symbol="BTCUSDT", quantity=D("0.01"), entry_price=D(90800))
    board = Storyboard(world=world(decision=None, position=seen(held)), policy=POLICY)
    board.run(2)
    assert board.trade.adopted
    chosen = newer(board.later(1000), stop="90700", low="90750")
    told(board, chosen)
    assert board.trade.guide is None


@pytest.mark.rule("E-9", "G-2")
def test_the_guards_judge_the_newer_decision() -> None:
    """Its checks say no: the rest does not stay; a still newer one whose checks say yes lets it go on."""
    board = partly()
    told(board, replace(newer(board), risk_checks=(("session_ok", False),)))
    assert "E1" not in board.alive()
    assert board.trade.entry_over is None
    told(board.later(2000), newer(board))
    board.run(2)
    assert "E2" in board.alive()


@pytest.mark.rule("E-9", "D-3")
def test_staleness_counts_for_the_newer_decision() -> None:
    """The rest outlives the owner's age, and ends with the guide's; the position stays managed."""
    board = partly()
    board.later(500_000)
    told(board, newer(board))
    board.later(599_000).run(2)
    assert "E1" in board.alive()
    assert board.trade.entry_over is None
    found = board.later(1001).tick()
    assert [note.rule for note in found.notes] == ["D-3"]
    board.run(2)
    assert "E1" not in board.alive()
    assert {"S1", "B1", "P1"} <= board.alive().keys()


@pytest.mark.rule("E-9", "G-6")
@pytest.mark.parametrize("unknown", ["mark", "instrument"])
def test_a_guide_waits_until_its_wishes_can_be_judged(unknown: str) -> None:
    """Targets are judged by mark and average, once: without them nothing is taken yet, and nothing ends."""
    board = partly()
    known = getattr(board.world, unknown)
    chosen = newer(board, tp2="93000")
    board.world = replace(board.world, **{unknown: None})  # type: ignore[arg-type]  # one part of the world
    told(board, chosen)
    assert guide_of(board) is None
    assert board.trade.entry_over is None
    board.world = replace(board.world, **{unknown: known})
    board.tick()
    assert guide_of(board) is chosen
    assert board.trade.tp2 == D(93000)


@pytest.mark.rule("E-9", "D-3")
def test_a_guide_from_the_future_waits_for_its_time() -> None:
    """Six seconds ahead: refused as `future`, then taken."""
    board = partly()
    chosen = newer(board)
    chosen = replace(chosen, timestamp_ms=chosen.timestamp_ms + 6000)
    told(board, chosen)
    assert guide_of(board) is None
    assert board.trade.entry_over is None
    board.later(1000).tick()
    assert guide_of(board) is chosen


@pytest.mark.rule("E-9", "D-3")
def test_a_stale_newer_decision_ends_the_rest_and_guides_nothing() -> None:
    """Written long ago and read only now: newest wins, and the newest is stale."""
    board = partly()
    board.later(400_000)
    late = replace(newer(board, stop="90500"), timestamp_ms=board.world.now_ms - 300_000)
    board.later(300_001)
    told(board, late)
    assert board.trade.guide is None
    assert board.trade.entry_over is not None


@SIDES
@pytest.mark.rule("E-9", "S-3")
def test_a_newer_decision_tightens_the_stop(side: Side) -> None:
    """The new stop is confirmed before the old one goes; the backstop and the initial stop stay."""
    board = opened(side)
    board.later(1000)
    told(board, newer(board, side, stop="90500"))
    board.run(2)
    assert board.alive()["S2"].request.trigger_price == mirrored(side, "90500")
    assert board.alive()["S2"].rule == "E-9"
    assert "S1" not in board.alive()
    assert board.alive()["B1"].request.trigger_price == mirrored(side, "90380")
    assert board.trade.initial_stop == mirrored(side, "90380")


@SIDES
@pytest.mark.rule("E-9", "S-3")
@pytest.mark.parametrize("stop", ["90380", "90379", "90000"])
def test_a_looser_stop_moves_nothing(side: Side, stop: str) -> None:
    """No note, no order: the ratchet holds."""
    board = opened(side)
    board.later(1000)
    told(board, newer(board, side, stop=stop, tp1="91600"))
    assert [word for word in board.run(3) if "S" in word] == []


@SIDES
@pytest.mark.rule("E-9", "R-4")
def test_a_stop_nearer_than_the_gap_comes_as_near_as_it_may(side: Side) -> None:
    """The newer stop lies beyond mark less 0.1 %: that is where the stop goes, rounded away from mark."""
    board = opened(side)
    mark = mirrored(side, "90820")
    board.later(1000).mark(str(mark))
    told(board, newer(board, side, low="90850", high="90900", stop="90800", tp1="91600"))
    board.run(2)
    nearest = D("90729.1") if side is Side.BUY else D("90870.8")
    assert board.alive()["S2"].request.trigger_price == nearest


# targets


@SIDES
@pytest.mark.rule("E-9", "T-2")
def test_targets_move_and_never_exceed_the_position(side: Side) -> None:
    """Each is withdrawn, and comes back at its new price once its end is proven."""
    board = opened(side)
    board.later(1000)
    chosen = newer(board, side, tp1="91700", tp2="93000")
    notes = told(board, chosen)
    assert [n for n in notes if "->" in n] == [
        f"E-9 tp1 {mirrored(side, '91600')} -> {mirrored(side, '91700')}, as the newer decision says",
        f"E-9 tp2 {mirrored(side, '92900')} -> {mirrored(side, '93000')}, as the newer decision says",
    ]
    assert "P1" not in board.alive()
    assert roles(board.tick()) == ["+P", "+Q"]
    assert board.alive()["P2"].request.trigger_price == mirrored(side, "91700")
    assert board.alive()["Q2"].request.trigger_price == mirrored(side, "93000")
    assert board.run(2) == []


@SIDES
@pytest.mark.rule("E-9")
@pytest.mark.parametrize(
    ("prices", "tp1", "tp2", "why"),
    [
        # 2 R from 90 786.6 are 91 599.8
        ({"tp1": "91599.8"}, "91599.8", "92900", None),
        ({"tp1": "91599.7"}, "91600", "92900", "2 times the initial risk"),
        ({"tp2": "91600"}, "91600", "91600", None),
        ({"tp1": "91900", "tp2": "92000"}, "91900", "92000", None),
        ({"tp1": "93000", "tp2": "93100"}, "93000", "93100", None),
        ({"tp1": "91500", "tp2": "91599"}, "91600", "92900", "2 times the initial risk"),
        # one is refused, the other would cross it
        ({"tp1": "91599", "tp2": "91599.9"}, "91600", "92900", "would lie beyond tp2"),
        ({"tp2": None}, "91600", "92900", None),
    ],
)
def test_a_target_moves_only_to_where_it_is_one(
    side: Side, prices: dict[str, str | None], tp1: str, tp2: str, why: str | None
) -> None:
    """Beyond mark by the gap, 2 R from the average entry, tp1 no further than tp2; else the old one stays, with why."""
    board = opened(side)
    board.later(1000)
    notes = told(board, newer(board, side, **prices))
    assert (board.trade.tp1, board.trade.tp2) == (mirrored(side, tp1), mirrored(side, tp2))
    refused = [note for note in notes if "is refused" in note]
    assert bool(refused) is (why is not None)
    assert all(note.startswith("E-9 tp") and note.endswith(" stays") for note in refused)
    assert why is None or any(why in note for note in refused)


@pytest.mark.rule("E-9", "R-4")
@pytest.mark.parametrize(
    ("side", "wanted", "moves"),
    [
        (Side.BUY, "91691.6", True),
        (Side.BUY, "91691.5", False),
        (Side.SELL, "89910", True),
        (Side.SELL, "89910.1", False),
    ],
)
def test_a_target_keeps_the_gap_to_mark(side: Side, wanted: str, *, moves: bool) -> None:
    """Mark has reached the old target's price, 91 600 or 90 000, and nothing was triggered yet."""
    board = opened(side)
    old = board.trade.tp1
    board.later(1000).mark(str(old))
    chosen = newer(board, side)
    assert chosen.levels is not None
    notes = told(board, replace(chosen, levels=replace(chosen.levels, tp1=D(wanted))))
    assert board.trade.tp1 == (D(wanted) if moves else old)
    assert any("or beyond is a target" in note for note in notes) is not moves


@pytest.mark.rule("E-9", "P-9")
def test_each_refused_target_says_why_with_its_numbers() -> None:
    """One note each: too near mark, not worth the risk, or beyond the other one."""
    board = opened()
    board.later(1000).mark("91600")
    poor = told(board, newer(board, tp1="91550", tp2="91690"))
    assert poor[1:] == [
        "E-9 tp1 91550 is refused: mark is 91600, 91691.6 or beyond is a target; 91600 stays",
        "E-9 tp2 91690 is refused: mark is 91600, 91691.6 or beyond is a target; 92900 stays",
    ]
    board = opened()
    board.later(1000)
    crossed = told(board, newer(board, tp1="91599", tp2="91599.9"))
    assert crossed[1:] == [
        "E-9 tp1 91599 is refused: 2 times the initial risk from the average entry 90786.6 is 91599.8; 91600 stays",
        "E-9 tp2 91599.9 is refused: tp1 91600 would lie beyond tp2 91599.9; 92900 stays",
    ]


@SIDES
@pytest.mark.rule("E-9", "T-3")
def test_after_tp1_only_tp2_moves(side: Side) -> None:
    """TP1 was hit: what a newer decision says of it is past."""
    board = opened(side)
    board.mark(str(mirrored(side, "91600"))).trigger(Role.TP1)
    board.fill(Role.TP1, "0.006", str(mirrored(side, "91600")))
    board.later(6000).run(3)
    tp1 = board.trade.tp1
    told(board, newer(board, side, tp1="91900", tp2="93500"))
    board.run(3)
    assert board.trade.tp1 == tp1
    assert board.alive()["Q2"].request.trigger_price == mirrored(side, "93500")
    assert not [name for name in board.alive() if name[0] == "P"]


@pytest.mark.rule("E-9", "T-2")
def test_a_target_that_is_triggering_does_not_move() -> None:
    """Its trigger fired: that is the hit, whatever the newer decision wants."""
    board = opened()
    board.trigger(Role.TP1)
    board.later(1000)
    told(board, newer(board, tp1="91700"))
    assert board.trade.tp1 == D(91600)
    assert "P1" in board.alive()


@pytest.mark.rule("E-9")
def test_the_same_decision_is_taken_once() -> None:
    """A second look, and a process that remembers only the trade, ask nothing again."""
    board = opened()
    board.later(1000)
    told(board, newer(board, tp1="91000", stop="90500"))
    board.run(3)
    assert plan(board.world, board.policy).notes == ()
    assert board.run(2) == []


@pytest.mark.rule("E-9", "Y-11")
def test_nothing_guides_a_position_that_is_gone() -> None:
    """It came after the stop had closed everything: it is free to start a trade of its own."""
    board = opened()
    board.trigger(Role.STOP, "90380")
    board.later(500)
    told(board, newer(board))
    assert board.trade.guide is None
    assert board.trade.proven_flat_ms is not None


# the other side, and flat


@SIDES
@pytest.mark.rule("C-2")
def test_an_opposite_decision_closes_after_the_rest_was_cancelled(side: Side) -> None:
    """The entry's cancel leaves first, then the exit; the newer side arms nothing yet."""
    board = partly(side)
    other = made(side.opposite, id="d2", timestamp_ms=board.world.now_ms)
    done = board.decide(other).tick()
    assert roles(done)[:2] == ["-E", "+X"]
    assert board.trade.closing is CloseReason.OPPOSITE
    assert board.trade.closed_by == "d2"


@SIDES
@pytest.mark.rule("C-2")
def test_an_opposite_decision_may_be_held_out(side: Side) -> None:
    """`on_opposite = "hold"`: the rest of the entry goes, the position and all its orders stay, and it is said why."""
    board = partly(side, Policy(max_notional_usdt=D(5000), on_opposite=OnOpposite.HOLD))
    other = made(side.opposite, id="d2", timestamp_ms=board.world.now_ms)
    done = board.decide(other).tick()
    assert [c.cause.rule for c in cancels(done)] == ["E-7"]
    assert [note.rule for note in done.notes] == ["C-2"]
    assert [(r.code, r.rule) for r in done.refusals] == [("position_held", "C-2")]
    assert not places(done)
    board.later(20_000).run(3)
    assert {"S1", "B1"} <= board.alive().keys()
    assert "E1" not in board.alive()
    assert board.trade.closing is None
    assert board.trade.guide is None


@SIDES
@pytest.mark.rule("C-2", "D-7")
@pytest.mark.parametrize("on_opposite", list(OnOpposite))
def test_without_a_fill_an_opposite_decision_starts_anew(
    side: Side, on_opposite: OnOpposite
) -> None:
    """There is no position to hold or close."""
    board = armed(side, Policy(max_notional_usdt=D(5000), on_opposite=on_opposite))
    done = board.decide(made(side.opposite, id="d2", timestamp_ms=board.world.now_ms)).tick()
    assert roles(done) == ["-E"]
    assert [note.rule for note in done.notes] == ["D-7"]
    assert not done.refusals


@SIDES
@pytest.mark.rule("C-1")
@pytest.mark.parametrize("on_flat", list(OnFlat))
def test_flat_cancels_the_rest_in_every_case(side: Side, on_flat: OnFlat) -> None:
    """Whatever becomes of the position."""
    board = partly(side, Policy(max_notional_usdt=D(5000), on_flat=on_flat))
    flat = decision(
        id="d2", timestamp_ms=board.world.now_ms, action=Action.FLAT, levels=None, notional=ZERO
    )
    board.decide(flat).tick()
    assert "E1" not in board.alive()
    board.decide(newer(board.later(2000), side)).run(3)
    assert "E2" not in board.alive()
