"""A look that never ends without a plan: the protector stands in where the planner or a promise breaks (O-4, M-4)."""

import pytest
from tests.worlds import POLICY, opened, roles

from jumar.model.errors import InvariantBroken
from jumar.planner import invariants
from jumar.planner import plan as planning
from jumar.planner.plan import plan
from jumar.planner.protector import AGAIN_MS
from jumar.planner.safely import plan_or_protect


def broken(*_: object) -> None:
    """A step that fails."""
    raise ZeroDivisionError("planted")


@pytest.mark.rule("O-4")
def test_a_planner_that_works_is_all_there_is() -> None:
    """Its own plan, and no failure."""
    story = opened().later(1000).bare()
    planned, failure = plan_or_protect(story.world, POLICY)
    assert failure is None and planned == plan(story.world, POLICY)
    assert planned.alarms  # the protector has none


@pytest.mark.rule("O-4", "S-7")
@pytest.mark.parametrize("step", ["advance", "target_commands", "passing"])
def test_any_step_that_fails_leaves_the_protector(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop comes back, and is looked after again soon; the failure is handed on."""
    story, calm = opened().later(1000).bare(), opened()
    monkeypatch.setattr(planning, step, broken)
    planned, failure = plan_or_protect(story.world, POLICY)
    assert isinstance(failure, ZeroDivisionError)
    assert (roles(planned), planned.uncovered, planned.wake_in_ms) == (["+S"], True, AGAIN_MS)
    covered, _ = plan_or_protect(calm.world, POLICY)
    assert (roles(covered), covered.uncovered, covered.wake_in_ms) == ([], False, None)


@pytest.mark.rule("M-4", "O-4")
def test_a_plan_that_breaks_a_promise_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check refuses leaves only the protector's plan, even where the plan itself came about."""

    def refuses(*_: object) -> None:
        raise InvariantBroken("P-5", "planted")

    story = opened().later(1000).bare()
    monkeypatch.setattr(invariants, "check", refuses)
    planned, failure = plan_or_protect(story.world, POLICY)
    assert isinstance(failure, InvariantBroken) and roles(planned) == ["+S"]
