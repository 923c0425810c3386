"""The search for planted bugs: `make planted`, or some of them: `make planted ARGS="one-list --base 123"`.

Each bug is planted in a copy of the sources and hunted with seeds of the general swarm, which knows nothing of it: from
a base drawn anew (and printed) one seed after the other, until a run reports failures. A seed counts only if the
engine without the bug lives it clean. Prints a Markdown table; ends with 1 when a due bug was not found.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from tests.planted.bugs import BUGS, Bug, keep
from tests.planted.copies import SOURCES, Verdict, copied, tried

from jumar.ports.clock import new_identity

SEEDS = 300
WORDS_MAX = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What a hunt came to.

    Attributes:
        verdict: on the bug's copy; over all seeds of the hunt.
        unsound: seeds at which the engine without the bug fails too: they tell nothing about the bug.
    """

    bug: Bug
    verdict: Verdict
    unsound: tuple[int, ...] = ()


def hunt(bug: Bug, base: int, count: int, sources: Path = SOURCES) -> Catch:
    """Look for one bug with at most `count` seeds.

    Raises:
        PatchError: its patch does not apply.
        TrialError: a run ended without a verdict.
    """
    total = Verdict(seed=None, tried=0, cpu_s=0.0, failures=())
    unsound: list[int] = []
    with copied(bug.patch, sources) as planted, copied(None, sources) as sound:
        while total.seed is None and total.tried < count:
            part = tried(planted, base + total.tried, count - total.tried)
            spent_s, lived = total.cpu_s + part.cpu_s, total.tried + part.tried
            if part.seed is not None and tried(sound, part.seed, 1).seed is not None:
                unsound.append(part.seed)
                part = replace(part, seed=None, failures=())
            total = replace(part, tried=lived, cpu_s=spent_s)
    return Catch(bug=bug, verdict=total, unsound=tuple(unsound))


def row(catch: Catch) -> str:
    """One line of the table."""
    bug, verdict = catch.bug, catch.verdict
    if verdict.seed is None:
        seed, words = "not found", bug.undue or "**due, and not found**"
    else:
        seed, words = str(verdict.seed), verdict.failures[0][:WORDS_MAX].replace("|", "\\|")
    cells = (bug.name, bug.mistake, seed, str(verdict.tried), f"{verdict.cpu_s:.1f}", words)
    return f"| {' | '.join(cells)} |"


def table(catches: Sequence[Catch]) -> str:
    """All of them as Markdown."""
    head = ("patch", "bug", "seed", "seeds tried", "CPU s", "first failure")
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *map(row, catches)])


def _chosen(names: Sequence[str], *, undue: bool) -> list[Bug]:
    if not names:
        return [bug for bug in BUGS if undue or bug.undue is None]
    unknown = set(names) - {bug.name for bug in BUGS}
    if unknown:
        known = ", ".join(bug.name for bug in BUGS)
        raise SystemExit(f"no planted bug is named {', '.join(sorted(unknown))}; there are {known}")
    return [bug for bug in BUGS if bug.name in names]


def main() -> int:
    """Read the command line and hunt."""
    parser = argparse.ArgumentParser(prog="make planted", description=__doc__)
    parser.add_argument("bugs", nargs="*", help="names of bugs; all due ones when absent")
    parser.add_argument("--base", type=int, help="the first seed; drawn when absent")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many at most, for each bug")
    parser.add_argument("--jobs", type=int, default=2, help="bugs that are hunted at a time")
    parser.add_argument("--undue", action="store_true", help="those that no judge notices yet too")
    parser.add_argument("--keep", action="store_true", help="write the seeds found to seeds.json")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="where bugs are planted")
    options = parser.parse_args()
    bugs = _chosen(options.bugs, undue=options.undue)
    base = int(new_identity()[:7], 16) if options.base is None else options.base
    print(f"seeds from {base}, at most {options.seeds} for each bug\n", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        hunts = [pool.submit(hunt, bug, base, options.seeds, options.sources) for bug in bugs]
        catches = []
        for number, each in enumerate(hunts, start=1):
            catches.append(each.result())
            sys.stderr.write(f"\r{number} of {len(bugs)} bugs hunted ")
            sys.stderr.flush()
    sys.stderr.write("\n")
    print(table(catches))
    unsound = sorted({seed for catch in catches for seed in catch.unsound})
    if unsound:
        print(f"\nwithout any bug these seeds fail too: {', '.join(map(str, unsound))}")
    if options.keep:
        found = {catch.bug.name: catch.verdict.seed for catch in catches}
        keep({name: seed for name, seed in found.items() if seed is not None})
    missed = [c.bug.name for c in catches if c.verdict.seed is None and c.bug.undue is None]
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
