"""Turns the condition of every planner rule round, one at a time, and runs only the tests that name the rule.

`python -m tests.mutation.rules [S-4 R-2 …] [--jobs N]`: each inversion must make one of them fail. Prints one line for each that
nobody noticed, then a table; exit code 1 when a rule's branch could be turned round unnoticed, or a due planner rule has no branch.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutation.branches import Branch, ByHand, branches

ROOT = Path(__file__).resolve().parents[2]
#: Suites without sockets and processes; what is pure is tried first.
SUITES = (("tests/unit/planner",), ("tests/simulation", "tests/properties"))
FAILED, NO_TESTS = 1, 5
TIMEOUT_S = 600
BY_HAND: tuple[ByHand, ...] = ()
#: Conditions whose inversion changes nothing that anybody could see, each with the reason.
EQUIVALENT: dict[tuple[str, str, str], str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one inversion.

    Attributes:
        noticed: a test that names the rule failed.
        why: in which suites, or why it was not noticed.
    """

    branch: Branch
    noticed: bool
    why: str


def tried(branch: Branch) -> Trial:
    """Run the rule's tests against the inverted branch, the cheap ones first."""
    ran = False
    for suites in SUITES:
        code, words = _run(branch, suites)
        if code == FAILED:
            return Trial(branch=branch, noticed=True, why=", ".join(suites))
        if code not in {0, NO_TESTS}:  # it cannot even be imported, or hangs
            return Trial(branch=branch, noticed=True, why=words)
        ran = ran or code == 0
    return Trial(branch=branch, noticed=False, why="all pass" if ran else "no test names it here")


def _run(branch: Branch, suites: Sequence[str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutation.planted", "-n0", "-q", "-x"]
    command += ["--no-header", "--tb=no", "-p", "no:cacheprovider", *suites]
    told = {"JUMAR_MUTANT": json.dumps(asdict(branch)), "JUMAR_RULE": branch.rule}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **told, "CI": "", "HYPOTHESIS_MAX_EXAMPLES": ""},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 2, "it never ended"
    lines = done.stdout.strip().splitlines()
    return done.returncode, lines[-1] if lines else f"exit code {done.returncode}"


def _chosen(wanted: Sequence[str]) -> tuple[Branch, ...]:
    found = branches(by_hand=BY_HAND)
    return tuple(
        each
        for each in found
        if (not wanted or each.rule in wanted)
        and (each.rule, each.place, each.text) not in EQUIVALENT
    )


def _told(trials: Sequence[Trial]) -> Iterator[str]:
    """A table of the rules: branches and how many were noticed."""
    by_rule: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_rule[trial.branch.rule].append(trial)
    yield "| rule | branches | noticed |"
    yield "|---|---|---|"
    for rule, each in sorted(by_rule.items()):
        yield f"| {rule} | {len(each)} | {sum(trial.noticed for trial in each)} |"


def main(arguments: Sequence[str]) -> int:
    """Try all, or the rules that are named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.rules", description=__doc__)
    parser.add_argument("rules", nargs="*", help="only these, such as S-4")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(arguments)
    chosen = _chosen(asked.rules)
    trials: list[Trial] = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for trial in pool.map(tried, chosen):
            trials.append(trial)
            if not trial.noticed:
                each = trial.branch
                print(f"{each.rule}: {each.place}: `{each.text}`: {trial.why}", flush=True)
            elif sys.stderr.isatty():
                print(f"{len(trials)} of {len(chosen)}", end="\r", file=sys.stderr, flush=True)
    print("\n".join(_told(trials)))
    unnoticed = sum(not trial.noticed for trial in trials)
    print(
        f"{len(trials)} branches of {len({t.branch.rule for t in trials})} rules, {unnoticed} turned round unnoticed"
    )
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
