"""The whole engine in a swarm: hundreds of seeded runs of two virtual minutes with faults, and no promise breaks in any.

The seeds are fixed here, so that a failure is the change's and not the dice's; `make sim` draws its own. They are lived
in two halves, one for each core. `JUMAR_SEEDS` scales their number: 10 means ten times as many.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.simulation.sim import add_up, quiet, story

from jumar.exchange.simulated.core.readings import ALLOWED, DEFAULT_READINGS
from jumar.simulation.faults import Fault, FaultPlan
from jumar.simulation.leeway import LONGEST_MS, NO_ENTRIES
from jumar.simulation.swarm import Report, live

SCALE = float(os.environ.get("JUMAR_SEEDS") or 1)
SEEDS = int(520 * SCALE)
CHUNK = 20
HALVES = 2
KNOWN = Path(__file__).with_name("seeds.txt")
PROMISES = {f"P-{number}" for number in range(1, 11)}

#: Paths that each half must have walked; a path that was never walked proves nothing.
SOMETIMES = (
    "long trade",
    "short trade",
    "entry executed",
    "entry filled in part",
    "entry re-priced",
    "entry for E-6",
    "stop executed",
    "backstop executed",
    "target executed",
    "full exit executed",
    "stop rejected at its trigger",
    "armed stop taken away",
    "stop of a position taken away",
    "backstop of a position taken away",
    "lost request: entry that never was",
    "lost request: stop that never was",
    "lost answer: entry that executed",
    "lost answer: entry that was accepted",
    "lost answer: stop that was accepted",
    "unknown but executed: entry that was accepted",
    "unknown but executed: stop that was accepted",
    "unknown and not executed: entry that never was",
    "unknown and not executed: stop that never was",
    "slow request: stop that was accepted",
    "lost answer: cancel",
    "lost request: cancel",
    "stop executed while no engine ran",
    "killed step",
    "killed before POST /fapi/v1/order",
    "killed after POST /fapi/v1/order",
    "killed before POST /fapi/v1/algoOrder",
    "killed after POST /fapi/v1/algoOrder",
    "killed before DELETE /fapi/v1/algoOrder",
    "killed before commit OrderChanged",
    "killed after commit OrderChanged",
    "killed after commit TradeChanged",
    "incident S-7",
    "incident D-5",
    "stop for E-9",
    "stop for L-2",
    "stop for R-2",
    "stop for R-3",
    "stop for R-5",
    "told of M-6",
    "closed: flat",
    "closed: flatten",
    "closed: opposite",
    "closed: stop",
    "decision refused: spent",
    "decision refused: malformed",
    "decision refused: rr_below_min",
)

#: Every answer to what Binance leaves open that is not the usual one, except where nothing is entered at all.
READINGS = {
    f"reading {name}={word}"
    for name, words in ALLOWED.items()
    for word in words
    if word != getattr(DEFAULT_READINGS, name) and (name, word) != NO_ENTRIES
} | {f"reading {name}=some ms" for name in LONGEST_MS}

_lived: dict[int, Report] = {}


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """The engine's own log would tell every fault of every run."""
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


def report_of(seed: int) -> Report:
    """The run of a seed; lived once however many tests ask. One in a hundred is lived twice."""
    if seed not in _lived:
        report = _lived[seed] = live(FaultPlan.drawn(seed))
        if seed % 100 == 0:
            again = live(report.plan)
            assert again.fingerprint == report.fingerprint, f"seed {seed} was two different runs"
    return _lived[seed]


def chunks() -> list[object]:
    """The seeds in chunks, dealt to the halves, each of which stays on one worker."""
    found: list[object] = []
    for number, first in enumerate(range(0, SEEDS, CHUNK)):
        seeds = range(first, min(first + CHUNK, SEEDS))
        mark = pytest.mark.xdist_group(f"swarm {number % HALVES}")
        found.append(pytest.param(seeds, marks=mark, id=f"{seeds.start}-{seeds.stop - 1}"))
    return found


def half(number: int) -> range:
    """The chunks' first seeds of one half."""
    return range(number * CHUNK, SEEDS, CHUNK * HALVES)


@pytest.mark.rule("P-1", "P-2", "P-3", "P-4", "P-5", "P-6", "P-7", "P-8", "P-9", "P-10")
@pytest.mark.rule(
    "S-7", "S-9", "S-13", "X-1", "X-2", "X-4", "X-9", "Y-4", "Y-5", "Y-8", "W-1", "W-2"
)
@pytest.mark.parametrize("seeds", chunks())
def test_no_promise_breaks_in_any_run(seeds: range) -> None:
    """Whatever is lost, late, doubled, forgotten, killed or taken away: no judge complains, and all come home."""
    failed = [report for report in map(report_of, seeds) if report.failures]
    if failed:
        pytest.fail("\n\n".join(story(report) for report in failed), pytrace=False)


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=pytest.mark.xdist_group(f"swarm {n}")) for n in range(HALVES)],
)
@pytest.mark.timeout(max(60, SEEDS))  # alone on its worker it lives every run itself
def test_every_fault_happened_and_every_rare_path_was_walked(number: int) -> None:
    """A fault that never happened, or a path that nobody walked, would make the swarm's silence worthless."""
    reports = [
        report_of(seed)
        for first in half(number)
        for seed in range(first, min(first + CHUNK, SEEDS))
    ]
    faults, sights, checks = add_up(reports)
    assert [fault for fault in Fault if faults[fault] == 0] == []
    assert [path for path in SOMETIMES if sights[path] == 0] == []
    assert {name for name in sights if name.startswith("reading ")} == READINGS
    assert {promise for promise, count in checks.items() if count} == PROMISES


def known() -> list[tuple[int, str]]:
    """Every seed that ever failed, with what it found."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    entries = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(int(seed), what) for seed, _, what in entries]


def test_every_seed_that_once_failed_holds() -> None:
    """What a seed found stays found."""
    for seed, what in known():
        report = live(FaultPlan.drawn(seed))
        assert not report.failures, f"{what}\n{story(report)}"


def test_a_run_is_the_same_whatever_the_order_of_hashes() -> None:
    """The fingerprint of a seed does not depend on the process that lived it."""
    seed = 7
    code = (
        "from tests.simulation.sim import quiet; quiet()\n"
        "from jumar.simulation.faults import FaultPlan\n"
        "from jumar.simulation.swarm import live\n"
        f"print(live(FaultPlan.drawn({seed})).fingerprint)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": order},
            cwd=KNOWN.parent.parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for order in ("1", "2")
    }
    assert found == {live(FaultPlan.drawn(seed)).fingerprint}


def test_a_failing_plan_is_made_small_and_tells_how_to_replay_it() -> None:
    """Only the kinds that a failure needs remain, and a person learns seed, commit, plan and command."""
    from jumar.simulation.shrink import shrunk

    plan = FaultPlan.drawn(3)
    needed = set(list(plan.strengths)[:2])
    small = shrunk(plan, lambda candidate: needed <= set(candidate.strengths))
    assert set(small.strengths) == needed
    assert small.strengths == {fault: plan.strengths[fault] for fault in small.strengths}
