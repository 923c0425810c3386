"""What the writer of a decision is told, and when nothing can be said yet (D-8)."""

from dataclasses import replace

import pytest
from tests.worlds import NOW, POLICY, decision, opened, short_decision, world

from jumar.model.command import Plan, Refusal
from jumar.model.decision import Action
from jumar.model.journal import DecisionSeen, RefusalSeen
from jumar.model.policy import OnOpposite
from jumar.model.world import DecisionState
from jumar.planner.plan import plan
from jumar.reconciler.answer import answer_of, answer_on_arrival

FAR = Refusal(code="price_too_far", rule="G-4", message="mark 92500 is 1.7 % from the zone")
UNREAD = Refusal(code="truth_incomplete", rule="G-13", message="the position has not been read")


def arrived(outcome: str, *reasons: str) -> DecisionSeen:
    """What the desk recorded."""
    return DecisionSeen(
        symbol="BTCUSDT",
        decision_id="d1",
        timestamp_ms=NOW - 5000,
        outcome=outcome,
        reasons=reasons,
        raw="{}",
        at_ms=NOW,
    )


def refusal(code: str, rule: str) -> RefusalSeen:
    """The desk's refusal beside it."""
    return RefusalSeen(
        symbol="BTCUSDT", decision_id="d1", code=code, rule=rule, message="why", at_ms=NOW
    )


@pytest.mark.rule("D-8")
def test_nothing_is_said_without_a_decision_or_before_the_world_is_read() -> None:
    """No decision; or only reads that are missing, which are no verdict on the decision."""
    assert answer_of(world(decision=None), Plan()) is None
    assert answer_of(world(), Plan(refusals=(UNREAD,))) is None
    assert answer_of(world(), Plan()) is None


@pytest.mark.rule("D-8")
def test_an_armed_decision_is_accepted() -> None:
    """Its trade is opened: the answer carries the decision's own id and time."""
    seen = world()
    answer = answer_of(seen, plan(seen, POLICY))
    assert answer is not None
    assert (answer.outcome, answer.reasons) == ("accepted", ())
    assert (answer.decision_id, answer.timestamp_ms) == ("d1", NOW - 5000)


@pytest.mark.rule("D-8")
def test_a_guard_refuses_with_its_code_and_numbers() -> None:
    """Reads that are missing beside it are left out: they pass by themselves."""
    answer = answer_of(world(), Plan(refusals=(UNREAD, FAR)))
    assert answer is not None
    assert answer.outcome == "refused"
    assert [(r.code, r.rule, r.message) for r in answer.reasons] == [
        (FAR.code, FAR.rule, FAR.message)
    ]


@pytest.mark.rule("D-8", "P-4")
def test_a_decision_with_a_position_stays_accepted() -> None:
    """Guards that begin to refuse say nothing about a decision that has filled."""
    board = opened()
    answer = answer_of(board.world, replace(board.tick(), refusals=(FAR,)))
    assert answer is not None
    assert (answer.outcome, answer.reasons) == ("accepted", ())


@pytest.mark.rule("D-8", "E-9")
def test_a_decision_that_guides_a_position_is_accepted() -> None:
    """What it may not do is recorded; the position is managed by it."""
    board = opened()
    board.later(1000).decide(decision(id="d2", timestamp_ms=board.world.now_ms, risk_checks=None))
    answer = answer_of(board.world, board.tick())
    assert answer is not None
    assert (answer.decision_id, answer.outcome, answer.reasons) == ("d2", "accepted", ())


@pytest.mark.rule("D-8", "C-2")
def test_an_opposite_decision_that_is_held_out_is_refused() -> None:
    """With the size that is held and the word that says so."""
    board = opened(policy=replace(POLICY, on_opposite=OnOpposite.HOLD))
    board.later(1000).decide(short_decision(id="d2", timestamp_ms=board.world.now_ms))
    answer = answer_of(board.world, board.tick())
    assert answer is not None
    assert answer.outcome == "refused"
    assert [(r.code, r.rule, r.message) for r in answer.reasons] == [
        ("position_held", "C-2", "a long position of 0.013 is held: on_opposite = hold")
    ]


@pytest.mark.rule("D-8", "D-7")
def test_a_spent_decision_is_told_why() -> None:
    """The sentence of the desk, whatever the guards say beside it."""
    state = DecisionState(decision=decision(), spent="its trade is over")
    answer = answer_of(world(decision=state), Plan(refusals=(FAR,)))
    assert answer is not None
    assert answer.outcome == "spent"
    assert [(r.code, r.message) for r in answer.reasons] == [("spent", "its trade is over")]


@pytest.mark.rule("D-8", "C-3")
def test_a_flat_decision_is_accepted_even_when_it_is_spent() -> None:
    """It wants nothing that could be refused."""
    flat = decision(action=Action.FLAT, levels=None)
    state = DecisionState(decision=flat, spent="it is not newer than the end of the last trade")
    answer = answer_of(world(decision=state), Plan())
    assert answer is not None
    assert (answer.outcome, answer.reasons) == ("accepted", ())


@pytest.mark.rule("D-8", "D-7")
def test_a_superseded_decision_is_not_answered_again() -> None:
    """The refused one that superseded it has been answered when it came."""
    state = DecisionState(decision=decision(), refusals=(("malformed", "sl: must be a number"),))
    assert answer_of(world(decision=state), Plan(refusals=(FAR,))) is None


@pytest.mark.rule("D-8")
def test_what_is_accepted_on_arrival_waits_for_the_guards() -> None:
    """Accepted is only the word of the desk: the tick answers. Nothing recorded is nothing new."""
    assert answer_on_arrival((arrived("accepted"),)) is None
    assert answer_on_arrival(()) is None


@pytest.mark.rule("D-8")
@pytest.mark.parametrize(
    ("outcome", "beside", "expected"),
    [
        ("superseded", (), ("superseded", "D-7")),
        ("spent", (), ("spent", "D-7")),
        ("refused", (("conflict", "D-7"),), ("conflict", "D-7")),
        ("refused", (("malformed", "D-4"),), ("malformed", "D-4")),
        ("refused", (("symbol_not_managed", "D-4"),), ("symbol_not_managed", "D-4")),
    ],
)
def test_what_is_turned_away_is_answered_at_once(
    outcome: str, beside: tuple[tuple[str, str], ...], expected: tuple[str, str]
) -> None:
    """With the code and the rule under which it is counted, one reason for each sentence."""
    refusals = [refusal(code, rule) for code, rule in beside]
    answer = answer_on_arrival((arrived(outcome, "one", "two"), *refusals))
    assert answer is not None
    assert answer.outcome == outcome
    assert [(r.code, r.rule) for r in answer.reasons] == [expected, expected]
    assert [r.message for r in answer.reasons] == ["one", "two"]
