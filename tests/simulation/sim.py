"""Many seeds of the swarm: `make sim SEEDS=5000`, and one of them again: `make sim ARGS="--seed 123"`.

Prints where it is, then what was visited. The first seed is drawn when none is given, and printed. A failing seed is
told with its commit, its plan of faults, the smallest plan that still fails, and the command that replays it.
"""

import argparse
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import structlog

from jumar.ports.clock import SystemClock, new_identity
from jumar.simulation.faults import Fault, FaultPlan
from jumar.simulation.leeway import told_readings
from jumar.simulation.shrink import shrunk
from jumar.simulation.swarm import Report, live

ROOT = Path(__file__).resolve().parent.parent.parent


def quiet() -> None:
    """Keep the engine's log lines away: thousands of lives would fill the screen with their faults."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def commit() -> str:
    """What is checked out, `+` when files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def story(report: Report) -> str:
    """What a person must know of a run that failed."""
    plan = report.plan
    small = shrunk(plan, lambda candidate: bool(live(candidate).failures))
    only = ",".join(fault.value for fault in small.strengths)
    return "\n".join(
        [
            f"seed {plan.seed} at commit {commit()} failed:",
            *(f"    {failure}" for failure in report.failures),
            f"plan of faults: {plan.told()}",
            f"readings: {told_readings(plan.readings) or 'the usual ones'}",
            f"needed of them: {only or 'none'}",
            f"""replay: make sim ARGS='--seed {plan.seed} --only "{only}"'""",
        ]
    )


def add_up(reports: Iterable[Report]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Faults, sights and checks over many runs."""
    faults, sights, checks = Counter[str](), Counter[str](), Counter[str]()
    for report in reports:
        faults.update({fault.value: count for fault, count in report.faults.items()})
        sights.update(report.sights)
        checks.update(report.checks)
    return faults, sights, checks


def _lived(seed: int) -> Report:
    report = live(FaultPlan.drawn(seed))
    if seed % 100 == 0 and live(report.plan).fingerprint != report.fingerprint:
        raise AssertionError(f"seed {seed} lived twice has two fingerprints")
    return report


def _reports(seeds: range, jobs: int) -> Iterator[Report]:
    if jobs == 1:
        yield from map(_lived, seeds)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=quiet) as pool:
        yield from pool.map(_lived, seeds, chunksize=4)


def _many(base: int, count: int, jobs: int) -> int:
    clock = SystemClock()
    began = clock.monotonic()
    reports: list[Report] = []
    failed = 0
    for number, report in enumerate(_reports(range(base, base + count), jobs), start=1):
        reports.append(report)
        if report.failures:
            failed += 1
            print(f"\n{story(report)}", flush=True)
        if number % 25 == 0 or number == count:
            sys.stderr.write(f"\r{number} of {count} seeds, {failed} failed ")
            sys.stderr.flush()
    wall_s = clock.monotonic() - began
    simulated_s = sum(report.simulated_s for report in reports)
    held_s = sum(report.held_s for report in reports)
    sys.stderr.write("\n")
    for title, found in zip(("faults", "seen", "checks"), add_up(reports), strict=True):
        print(f"{title}:")
        for name, times in sorted(found.items(), key=lambda each: (-each[1], each[0])):
            print(f"    {times:8d}  {name}")
    print(
        f"seeds {base} to {base + count - 1}: {failed} failed; {simulated_s / 3600:.1f} simulated hours, "
        f"{held_s / simulated_s:.0%} of them with a position; {wall_s:.0f} s, "
        f"{simulated_s / wall_s:.0f} simulated seconds a second"
    )
    return 1 if failed else 0


def _one(seed: int, only: str | None) -> int:
    plan = FaultPlan.drawn(seed)
    if only is not None:
        plan = plan.only({Fault(name.strip()) for name in only.split(",") if name.strip()})
    report = live(plan)
    print("\n".join(report.log))
    print(f"plan of faults: {plan.told()}")
    print(f"readings: {told_readings(plan.readings) or 'the usual ones'}")
    print("\n".join(report.failures) or "all promises held")
    return 1 if report.failures else 0


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--base", type=int, help="the first one; drawn when absent")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, help="live one seed again and tell what happened")
    parser.add_argument("--only", help="with --seed: the kinds of faults that take part, by comma")
    options = parser.parse_args()
    quiet()
    if options.seed is not None:
        return _one(options.seed, options.only)
    base = int(new_identity()[:7], 16) if options.base is None else options.base
    print(f"seeds from {base}")
    return _many(base, options.seeds, options.jobs)


if __name__ == "__main__":
    raise SystemExit(main())
