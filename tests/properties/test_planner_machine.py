"""The planner's state machine, run from a fixed seed: no promise breaks, every path is walked, every fault is seen.

`JUMAR_SEEDS` scales the number of runs: 10 means ten times as many. Hypothesis makes a failing run smaller only when
`JUMAR_SHRINK` is set, because that may take minutes:

    JUMAR_SHRINK=1 .venv/bin/pytest -n 0 --timeout 0 tests/properties/test_planner_machine.py
"""

import os
from collections import Counter
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.properties.planner_machine import PlannerMachine
from tests.properties.planner_machine_faults import COMMON, RARE, Fault, without_own_checks
from tests.properties.planner_machine_stories import ONCE_BROKEN, STORIES, Story, tell
from tests.properties.swarm_oracles import PromiseBroken

#: So many seeds, and so many runs from each: neighbours in a search resemble each other, seeds do not.
STARTS, RUNS, STEPS = int(30 * float(os.environ.get("JUMAR_SEEDS") or 1)), 10, 50
#: Seeds until the witness must have named a faulty planner's rule; most need a few.
STARTS_TO_CONVICT = 100
SHRINKS = bool(os.environ.get("JUMAR_SHRINK"))

#: Paths that a run of any size must have walked; one that was never visited proves nothing.
SOMETIMES = (
    "opened BUY",
    "opened SELL",
    "adopted",
    "entry again",
    "entry takes",
    "amendment answered",
    "amendment refused",
    "amendment never came",
    "amendment arrived late",
    "ended instead of amended",
    "entry filled partly",
    "entry filled wholly",
    "stop moved",
    "stop moved by R-2",
    "stop moved by R-3",
    "stop moved by R-5",
    "stop moved by L-2",
    "stop moved by T-3",
    "stop moved by C-1",
    "zone exit",
    "funding read",
    "stop restored",
    "invisible stop replaced",
    "reached target sold",
    "STOP triggered",
    "BACKSTOP triggered",
    "TP1 triggered",
    "TP2 triggered",
    "triggered stop rejected",
    "STOP taken away",
    "ENTRY taken away",
    "both layers taken away",
    "order forgotten",
    "position read lags",
    "executions not told",
    "no position",
    "no regular",
    "no conditional",
    "no by id",
    "no stream",
    "no prices",
    "refused ENTRY",
    "refused STOP",
    "refused BACKSTOP",
    "refused TP1",
    "refused FULL_EXIT",
    "executed, no answer STOP",
    "executed later, no answer STOP",
    "never arrives STOP",
    "cancel without an answer",
    "arrived late",
    "unknown found",
    "proven absent",
    "presumed dead",
    "restart with a position",
    "restart with an unknown order",
    "died between two instructions",
    "added by hand",
    "reduced by hand",
    "turned by hand",
    "resumed",
    "kept paused",
    "kept flatten",
    "kept invariant",
    "decision same",
    "decision flat",
    "decision opposite",
    "decision refused",
    "decision older",
    "decision other plan",
    "decision other levels",
    "passed",
    "guided",
    "nobody looked for ten minutes",
    "mode NO_ENTRIES",
    "mode FLATTENING",
    "closed by S-6",
    "closed by S-9",
    "closed by C-1",
    "closed by C-2",
    "flat by Y-11",
    "flat by Y-3",
    "ended unfilled",
    "ended stop",
    "ended flat",
    "ended opposite",
    "ended emergency",
)


def run(start: int, runs: int) -> Counter[str]:
    """Let the machine run from a seed, always the same way; what it visited.

    Raises:
        PromiseBroken: with the last steps as a note; any other error is the planner's.
    """
    PlannerMachine.seen.clear()
    machine = seed(start)(type("Seeded", (PlannerMachine,), {}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink) if SHRINKS else (Phase.generate,),
        ),
    )
    return Counter(PlannerMachine.seen)


@cache
def visited() -> Counter[str]:
    """What all runs visited; run once however many tests ask."""
    return sum((run(start, RUNS) for start in range(STARTS)), start=Counter[str]())


@pytest.mark.rule(
    *("P-1", "P-2", "P-4", "P-5", "P-6", "P-7", "P-8", "P-10", "E-10", "S-1", "S-2", "S-3", "S-4"),
    *("S-9", "D-3", "D-7", "G-15", "M-1", "X-1", "X-4", "X-9", "T-4", "O-1"),
)
@pytest.mark.xdist_group("planner machine")
@pytest.mark.timeout(max(60, STARTS * 3))
def test_no_promise_breaks_whatever_happens() -> None:
    """Whatever happens in whatever order: no rule is broken, planning never fails, and all comes home."""
    assert visited()


@pytest.mark.xdist_group("planner machine")
@pytest.mark.timeout(max(60, STARTS * 3))
def test_every_path_was_walked() -> None:
    """A path that no run ever visited would make the machine's silence worthless; the rare ones are told as stories."""
    seen = visited() + sum((told(story) for story in STORIES), start=Counter[str]())
    assert [path for path in SOMETIMES if seen[path] == 0] == []


def told(story: Story) -> Counter[str]:
    """What a story visited."""
    return tell(story).engine.seen


@pytest.mark.rule("Y-3", "Y-4", "Y-11", "G-15", "S-4", "D-7")
@pytest.mark.parametrize("story", ONCE_BROKEN)
def test_a_story_that_once_broke_a_promise_holds(story: Story) -> None:
    """Whatever the search ever found stays a test."""
    tell(story)


@pytest.mark.parametrize(("fault", "rules"), COMMON)
def test_the_search_convicts_a_planted_fault(
    fault: Fault, rules: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness that notices nothing would let everything pass: the search names the rule that a fault breaks."""
    without_own_checks(monkeypatch)
    fault(monkeypatch)
    verdicts = Counter[str]()
    for start in range(STARTS_TO_CONVICT):
        verdicts[verdict(start)] += 1
        if any(verdicts[rule] for rule in rules):
            return
    pytest.fail(f"{sorted(rules)} were never named: {verdicts}")


def verdict(start: int) -> str:
    """Which rule some runs from a seed break, `kept` when none."""
    try:
        run(start, RUNS)
    except PromiseBroken as error:
        return str(error).split(":")[0]
    return "kept"


@pytest.mark.parametrize(("fault", "rule", "story"), RARE)
def test_the_witness_convicts_a_planted_fault_in_its_story(
    fault: Fault,
    rule: str,
    story: Story,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rarer fault is convicted where it shows; without it the same story keeps every promise."""
    tell(story)
    without_own_checks(monkeypatch)
    fault(monkeypatch)
    with pytest.raises(PromiseBroken, match=f"^{rule}:"):
        tell(story)
