"""What becomes durable on a trade, when exactly, and in which words: closing, void, entry over, proof of flat."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, ended, held, own, position, trade_of
from tests.worlds import NOW, POLICY, D, decision, short_decision, world

from jumar.model.command import Cause
from jumar.model.decision import Action, Decision
from jumar.model.levels import LiquidationZone, MarketLevels
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.policy import OnFlat, OnOpposite, Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import DecisionState, World
from jumar.planner.approve import refuse
from jumar.planner.facts import assess
from jumar.planner.lifecycle import Advance, advance

both = pytest.mark.parametrize("side", list(Side))
OLD_MS = NOW - 600_000
CLOSES = replace(POLICY, on_flat=OnFlat.CLOSE)
HOLDS = replace(POLICY, on_opposite=OnOpposite.HOLD)
FULL = "the planned 0.013 have filled"


def looked(found: World, trade: Trade, policy: Policy = POLICY) -> Advance:
    """One look at the trade."""
    return advance(found, trade, assess(found, trade, policy), policy)


def told(found: World, trade: Trade, policy: Policy = POLICY) -> list[str]:
    """What that look notes."""
    return [f"{note.rule} {note.text}" for note in looked(found, trade, policy).notes]


def decided(side: Side, **changes: object) -> Decision:
    """A decision of another file than the trade's, of this moment."""
    made = decision if side is Side.BUY else short_decision
    return made(**{"id": "d2", "timestamp_ms": NOW, **changes})


def flat(**changes: object) -> Decision:
    """A flat decision of this moment."""
    return decided(Side.BUY, **{"action": Action.FLAT, "levels": None, **changes})


def in_force(chosen: Decision, **changes: object) -> DecisionState:
    """The decision as the newest one."""
    return replace(DecisionState(decision=chosen), **changes)  # type: ignore[arg-type]  # a test states only what differs


def bought(side: Side, *orders: OwnOrder, **changes: object) -> tuple[World, Trade]:
    """The whole plan is held behind its stop; the entry is known to be over."""
    base = trade_of(side, entry_over=FULL, ratchet_price=trade_of(side).initial_stop)
    own_decision = {"decision": in_force(base.decision)}
    return held(own("S1", side), *orders, side=side, **{**own_decision, **changes}), base


def armed(side: Side, *orders: OwnOrder, **changes: object) -> tuple[World, Trade]:
    """The entry rests behind its stop, nothing has filled."""
    base = trade_of(side)
    resting = orders or (own("S1", side), own("E1", side))
    return world(**{"orders": resting, "decision": in_force(base.decision), **changes}), base


@both
@pytest.mark.rule("P-9")
def test_a_trade_that_goes_its_way_is_left_as_it_is(side: Side) -> None:
    """Nothing is noted and nothing changes while it waits, and while it is held."""
    found, trade = bought(side)
    assert looked(found, trade) == Advance(trade=trade, notes=(), refusals=())
    waiting, trade = armed(side)
    same = replace(trade, ratchet_price=trade.initial_stop)
    assert looked(waiting, trade) == Advance(trade=same, notes=(), refusals=())
    assert looked(waiting, same).trade is same


# the ratchet


@both
@pytest.mark.rule("S-3", "S-11")
def test_the_ratchet_is_the_tightest_stop_that_was_ever_confirmed(side: Side) -> None:
    """Whether it rests still or has ended; not one that was never acknowledged, nor one with a wrong echo."""
    trade = trade_of(side)
    tighter = trade.initial_stop + 120 * trade.sign
    tightest = trade.initial_stop + 150 * trade.sign
    second = own("S2", side, trigger_price=tighter)
    cases = (
        (trade, (own("S1", side), second), tighter),
        (trade, (second, own("S1", side)), tighter),
        (trade, (own("S1", side), ended(second)), tighter),
        (trade, (own("S1", side), replace(second, acked_ms=None)), trade.initial_stop),
        (trade, (own("S1", side), replace(second, echo_error="other")), trade.initial_stop),
        (replace(trade, ratchet_price=tightest), (second,), tightest),
        (replace(trade, ratchet_price=tighter), (), tighter),
        (trade, (replace(second, acked_ms=None),), None),
        (trade, (own("B1", side, trigger_price=tighter),), None),
    )
    for known, orders, expected in cases:
        found = held(*orders, side=side)
        assert looked(found, known).trade.ratchet_price == expected


# closing


@both
@pytest.mark.rule("S-9")
def test_a_triggered_stop_closes_the_rest(side: Side) -> None:
    """The reason, its rule and a note; no decision is obeyed by it, and the entry is over with it."""
    trade = trade_of(side)
    found = held(own("S1", side, state=OrderState.TRIGGERED, triggered_ms=NOW - 100), side=side)
    after = looked(found, trade)
    assert after.trade == replace(
        trade,
        ratchet_price=trade.initial_stop,
        closing=CloseReason.STOP,
        closing_rule="S-9",
        entry_over="closing: stop",
    )
    assert after.notes == (
        Cause(rule="S-9", text="a stop was triggered: the rest is closed"),
        Cause(rule="S-9", text="closing: stop"),
    )
    assert after.refusals == ()


@both
@pytest.mark.rule("S-7", "M-6", "P-9")
def test_what_closes_comes_in_its_order(side: Side) -> None:
    """A triggered stop before a missing one, that before an operator, an operator before a decision."""
    asked = ModeState(
        mode=Mode.FLATTENING, rule="M-6", cause="asked by an operator", since_ms=NOW, code="flatten"
    )
    opposite = in_force(decided(side.opposite))
    found, trade = bought(side, mode=asked, decision=opposite, uncovered_ms=OLD_MS)
    gone = replace(found, orders=(found.orders[0],))
    fired = replace(found, orders=(found.orders[0], own("S1", side, state=OrderState.TRIGGERED)))
    calm = replace(found, mode=None)
    expected = (
        (fired, CloseReason.STOP, "S-9", None),
        (gone, CloseReason.EMERGENCY, "S-7", None),
        (found, CloseReason.FLATTEN, "M-6", None),
        (calm, CloseReason.OPPOSITE, "C-2", "d2"),
    )
    for each, reason, rule, obeyed in expected:
        after = looked(each, trade).trade
        assert (after.closing, after.closing_rule, after.closed_by) == (reason, rule, obeyed)
    assert told(found, trade)[0] == "M-6 asked by an operator"


@both
@pytest.mark.rule("S-9")
def test_a_close_that_is_under_way_keeps_its_reason(side: Side) -> None:
    """What would close it for another reason changes nothing any more."""
    found, trade = bought(side, decision=in_force(decided(side.opposite)))
    closing = replace(trade, closing=CloseReason.FLATTEN, closing_rule="M-6")
    assert looked(found, closing).trade == closing
    assert told(found, closing) == []


@both
@pytest.mark.rule("Y-11", "C-2")
def test_nothing_is_closed_where_nothing_is_held(side: Side) -> None:
    """An opposite decision over a set-up without a fill, and over one proven flat."""
    waiting, trade = armed(side, decision=in_force(decided(side.opposite)))
    assert looked(waiting, trade).trade.closing is None
    sold = ended(own("P1", side), filled_quantity=D("0.013"))
    home = held(
        own("S1", side),
        sold,
        side=side,
        position=position("0"),
        decision=in_force(decided(side.opposite)),
    )
    after = looked(home, trade).trade
    assert (after.closing, after.proven_flat_ms) == (None, NOW)


@pytest.mark.rule("S-8")
@pytest.mark.parametrize(("closing_rule", "becomes"), [("S-9", "S-8"), ("M-6", "M-6")])
def test_a_stop_that_left_a_rest_has_failed(closing_rule: str, becomes: str) -> None:
    """It triggered, ended, and 0.005 are still there: the rule of the close is S-8 from then on, told once."""
    stop = ended(
        own("S1", filled_quantity=D("0.008"), updated_ms=NOW - 3000), triggered_ms=NOW - 3600
    )
    found = held(stop, position=position("0.005"))
    trade = trade_of(
        closing=CloseReason.STOP,
        closing_rule=closing_rule,
        entry_over="over",
        ratchet_price=D(90380),
    )
    after = looked(found, trade)
    assert after.trade == replace(trade, closing_rule=becomes)
    words = "S-8 jm-abcdefghij-S1 ended with 0.005 left: the rest is closed"
    assert told(found, trade) == ([words] if becomes == "S-8" else [])
    assert told(found, after.trade) == []


# closing by a decision


@both
@pytest.mark.rule("C-1")
@pytest.mark.parametrize("on_flat", list(OnFlat))
def test_flat_closes_only_where_that_is_wanted(side: Side, on_flat: OnFlat) -> None:
    """And the trade remembers which decision it obeys."""
    found, trade = bought(side, decision=in_force(flat()))
    after = looked(found, trade, replace(POLICY, on_flat=on_flat))
    if on_flat is OnFlat.CLOSE:
        closed = {"closing": CloseReason.FLAT, "closing_rule": "C-1", "closed_by": "d2"}
        assert after.trade == replace(trade, **closed)  # type: ignore[arg-type]  # three fields of it
        assert after.notes == (Cause(rule="C-1", text="flat decision, on_flat = close"),)
    else:
        assert after == Advance(trade=trade, notes=())


@both
@pytest.mark.rule("C-2")
def test_an_opposite_decision_closes_or_is_held_out(side: Side) -> None:
    """By configuration; held out, it is told what is held and why it may not enter."""
    found, trade = bought(side, decision=in_force(decided(side.opposite)))
    here, there = ("long", "short") if side is Side.BUY else ("short", "long")
    after = looked(found, trade)
    assert after.trade.closing is CloseReason.OPPOSITE
    assert after.notes == (Cause(rule="C-2", text=f"{there} decision against the {here} position"),)
    assert after.refusals == ()
    kept = looked(found, trade, HOLDS)
    words = f"a {here} position of 0.013 is held: on_opposite = hold"
    assert kept == Advance(trade=trade, notes=(), refusals=(refuse("position_held", "C-2", words),))


@both
@pytest.mark.rule("C-2")
def test_what_is_held_out_by_a_position_and_what_is_not(side: Side) -> None:
    """Not where the trade is closing, nothing is held, or no decision is known."""
    found, trade = bought(side, decision=in_force(decided(side.opposite)))
    closing = replace(trade, closing=CloseReason.FLATTEN, closing_rule="M-6")
    assert looked(found, closing, HOLDS).refusals == ()
    waiting, unfilled = armed(side, decision=in_force(decided(side.opposite)))
    assert looked(waiting, unfilled, HOLDS).refusals == ()
    assert looked(replace(found, decision=None), trade, HOLDS).refusals == ()
    assert looked(replace(found, decision=in_force(decided(side))), trade, HOLDS).refusals == ()
    assert len(looked(found, trade, HOLDS).refusals) == 1


@both
@pytest.mark.rule("C-1", "C-2", "D-3", "D-7")
@pytest.mark.parametrize(
    ("age_ms", "refused", "obeyed"),
    [
        (0, False, True),
        (600_000, False, True),
        (600_001, False, False),
        (-5000, False, True),
        (-5001, False, False),
        (0, True, False),
    ],
)
def test_only_a_fresh_and_readable_decision_closes(
    side: Side, age_ms: int, *, refused: bool, obeyed: bool
) -> None:
    """A stale one, one from the future and one that was refused close nothing and are held out by nothing."""
    refusals = (("malformed", "sl is missing"),) if refused else ()
    for chosen in (flat(), decided(side.opposite)):
        state = in_force(replace(chosen, timestamp_ms=NOW - age_ms), refusals=refusals)
        found, trade = bought(side, decision=state)
        assert (looked(found, trade, CLOSES).trade.closing is not None) is obeyed
        held_out = looked(found, trade, HOLDS).refusals
        assert (len(held_out) == 1) is (obeyed and chosen.action is not Action.FLAT)


@both
@pytest.mark.rule("Y-1", "C-1", "C-2")
@pytest.mark.parametrize(("after_ms", "obeyed"), [(0, False), (1, True)])
def test_an_adopted_position_obeys_only_what_came_after_it(
    side: Side, after_ms: int, *, obeyed: bool
) -> None:
    """A decision from before it was found did not know of it."""
    for chosen in (
        flat(timestamp_ms=BEFORE + after_ms),
        decided(side.opposite, timestamp_ms=BEFORE + after_ms),
    ):
        signed = "0.013" if side is Side.BUY else "-0.013"
        trade = trade_of(
            side,
            adopted_price=D(90800),
            adopted_quantity=D("0.013"),
            entry_over="adopted",
            ratchet_price=trade_of(side).initial_stop,
        )
        found = world(
            orders=(own("S1", side),), position=position(signed), decision=in_force(chosen)
        )
        assert (looked(found, trade, CLOSES).trade.closing is not None) is obeyed
        opposite = chosen.action is not Action.FLAT
        assert (len(looked(found, trade, HOLDS).refusals) == 1) is (obeyed and opposite)


# proof of flat


@both
@pytest.mark.rule("Y-11", "Y-3", "Y-2")
def test_the_proof_of_flat_says_what_proves_it(side: Side) -> None:
    """Fills that sum to zero, two reads without them, or a position on the other side; once."""
    trade = trade_of(side, entry_over=FULL, ratchet_price=trade_of(side).initial_stop)
    sold = ended(own("P1", side), filled_quantity=D("0.013"))
    home = held(own("S1", side), sold, side=side, position=position("0"))
    after = looked(home, trade)
    assert after.trade == replace(trade, proven_flat_ms=NOW)
    assert after.notes == (
        Cause(rule="Y-11", text="fills sum to zero and the position is read as zero"),
    )
    assert told(home, after.trade) == []
    gone = held(
        own("S1", side),
        side=side,
        position=position("0"),
        position_since_ms=NOW - 2900,
        fills_read_ms=NOW - 50,
        forced_read_ms=NOW - 50,
    )
    assert told(gone, trade) == [
        "Y-2 0.013 are gone without fills that explain it: two reads say so"
    ]
    turned = "-0.004" if side is Side.BUY else "0.004"
    over = replace(home, position=position(turned))
    assert told(over, trade) == [f"Y-3 the position is {turned}, on the other side: ours is over"]


@pytest.mark.rule("Y-11")
def test_a_set_up_without_a_fill_needs_no_proof() -> None:
    """Flat it is, but nothing was ever held."""
    found, trade = armed(Side.BUY, own("S1"), ended(own("E1")))
    assert assess(found, trade, POLICY).flat
    assert looked(found, trade).trade.proven_flat_ms is None


@pytest.mark.rule("L-3", "E-9", "D-10", "P-9")
@pytest.mark.parametrize(("age_ms", "moves"), [(1_800_000, True), (1_800_001, False)])
def test_what_a_newer_decision_and_fresh_levels_say_is_noted_in_one_look(
    age_ms: int, *, moves: bool
) -> None:
    """The decision guides first, then its zone is bound by the levels, as long as they are young enough."""
    zone = LiquidationZone(
        id="above",
        explicit=True,
        side=None,
        low=D(92300),
        high=D(92450),
        price=D(92300),
        strength=D(1),
    )
    chosen = decided(Side.BUY, liq_tp_zone_id="above")
    known = MarketLevels(as_of_ms=NOW - age_ms, zones=(zone,))
    found, trade = bought(Side.BUY, decision=in_force(chosen), levels=known)
    guides = "E-9 the decision of 2025-12-05T10:05:05.000Z guides 0.013 from now on"
    binds = (
        "L-3 liquidation zone above is bound to [92300, 92450], "
        "by the levels of 2025-12-05T09:35:05.000Z; it was unbound"
    )
    assert told(found, trade) == [guides, *([binds] if moves else [])]
