"""The planner's state machine, run from a fixed seed: no promise breaks, every path is walked, every fault is seen.

`JUMAR_SEEDS` scales the number of runs: 10 means ten times as many. Hypothesis makes a failing run smaller only when
`JUMAR_SHRINK` is set, because that may take minutes:

    JUMAR_SHRINK=1 .venv/bin/pytest -n 0 --timeout 0 tests/properties/test_planner_machine.py
"""

import os
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.properties.planner_machine import PlannerMachine
from tests.properties.planner_machine_faults import COMMON, RARE, Fault, without_own_checks
from tests.properties.swarm_oracles import PromiseBroken

RUNS = int(300 * float(os.environ.get("JUMAR_SEEDS") or 1))
STEPS = 50
#: So many runs each from so many seeds until the witness must have named a faulty planner's rule; most need a few.
RUNS_TO_CONVICT, STARTS = 40, 40
SHRINKS = bool(os.environ.get("JUMAR_SHRINK"))

#: Paths that a run of any size must have walked; one that was never visited proves nothing.
SOMETIMES = (
    "opened BUY",
    "opened SELL",
    "adopted",
    "entry again",
    "entry filled partly",
    "entry filled wholly",
    "stop moved",
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
    "decision same",
    "decision flat",
    "decision opposite",
    "decision refused",
    "decision older",
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


def run(runs: int, machine: type[PlannerMachine] = PlannerMachine) -> Counter[str]:
    """Let the machine run, always the same way; what it visited.

    Raises:
        PromiseBroken: with the last steps as a note; any other error is the planner's.
    """
    PlannerMachine.seen.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            derandomize=machine is PlannerMachine,
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
    """What the whole run visited; run once however many tests ask."""
    return run(RUNS)


@pytest.mark.rule(
    *("P-1", "P-2", "P-4", "P-5", "P-6", "P-7", "P-8", "P-10", "E-10", "S-1", "S-2", "S-3", "S-4"),
    *("S-9", "D-3", "D-7", "G-15", "M-1", "X-1", "X-4", "X-9", "T-4", "O-1"),
)
@pytest.mark.xdist_group("planner machine")
@pytest.mark.timeout(max(60, RUNS // 3))
def test_no_promise_breaks_whatever_happens() -> None:
    """Whatever happens in whatever order: no rule is broken, planning never fails, and all comes home."""
    assert visited()


@pytest.mark.xdist_group("planner machine")
@pytest.mark.timeout(max(60, RUNS // 3))
def test_every_path_was_walked() -> None:
    """A path that no run ever visited would make the machine's silence worthless."""
    seen = visited()
    assert [path for path in SOMETIMES if seen[path] == 0] == []


@pytest.mark.parametrize(("fault", "rules"), COMMON)
def test_the_search_convicts_a_planted_fault(
    fault: Fault, rules: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A witness that notices nothing would let everything pass: the search names the rule that a fault breaks."""
    without_own_checks(monkeypatch)
    fault(monkeypatch)
    verdicts = Counter[str]()
    for start in range(STARTS):
        verdicts[verdict(start)] += 1
        if any(verdicts[rule] for rule in rules):
            return
    pytest.fail(f"{sorted(rules)} were never named: {verdicts}")


def verdict(start: int) -> str:
    """Which rule some runs from a seed break, `kept` when none."""
    try:
        run(RUNS_TO_CONVICT, seed(start)(type("Seeded", (PlannerMachine,), {})))
    except PromiseBroken as error:
        return str(error).split(":")[0]
    return "kept"


@pytest.mark.parametrize(("fault", "rule", "story"), RARE)
def test_the_witness_convicts_a_planted_fault_in_its_story(
    fault: Fault,
    rule: str,
    story: Callable[[PlannerMachine], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rarer fault is convicted where it shows; without it the same story keeps every promise."""
    tell(story)
    without_own_checks(monkeypatch)
    fault(monkeypatch)
    with pytest.raises(PromiseBroken, match=f"^{rule}:"):
        tell(story)


def tell(story: Callable[[PlannerMachine], None]) -> None:
    """Tell one story to a machine, to its end: rest and home."""
    machine = PlannerMachine()
    story(machine)
    machine.teardown()
