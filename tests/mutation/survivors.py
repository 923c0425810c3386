"""What a mutation run came to: a table by module, and each mutant that no test noticed in one line.

Reads what `mutmut run` left in `mutants/`; run by `make mutation`. Exit code 1 when less than `KILLED_MIN` of all that were
generated are killed, or some were never tried.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KILLED_MIN = 0.90
#: What ended a mutant: a failing test, a test that never ended, or a type checker.
KILLED = frozenset({"killed", "timeout", "caught by type check", "segfault", "suspicious"})


def verdicts(mutants: Path = ROOT / "mutants") -> Iterator[tuple[str, str, str]]:
    """Yield module, mutant and status of every mutant that was generated."""
    from mutmut.stats import status_by_exit_code  # it has an environment of its own

    for path in sorted(mutants.rglob("*.meta")):
        module = path.relative_to(mutants / "src").as_posix().removesuffix(".py.meta")
        for mutant, code in json.loads(path.read_bytes())["exit_code_by_key"].items():
            yield module, mutant, status_by_exit_code[code]


def table(counts: Mapping[str, Counter[str]]) -> str:
    """The figures by module as Markdown."""
    lines = [
        "| module | mutants | killed | survived | not tried | killed % |",
        "|---|---|---|---|---|---|",
    ]
    total: Counter[str] = Counter()
    for module, counter in counts.items():
        lines.append(_row(module.removeprefix("jumar/"), counter))
        total += counter
    return "\n".join([*lines, _row("all", total)])


def _row(name: str, counter: Counter[str]) -> str:
    killed = sum(count for status, count in counter.items() if status in KILLED)
    untried, survived = counter["not checked"], counter["survived"] + counter["no tests"]
    share = 100 * killed / counter.total()
    return f"| {name} | {counter.total()} | {killed} | {survived} | {untried} | {share:.1f} |"


def _line(mutant: str) -> str:
    """A survivor in one line: what was there, and what was put in its place."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    changed = [
        line
        for line in get_diff_for_mutant(mutant).splitlines()
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]
    before = " ".join(line[1:].strip() for line in changed if line[0] == "-")
    after = " ".join(line[1:].strip() for line in changed if line[0] == "+")
    return f"{mutant.removeprefix('jumar.planner.')}: `{before}` became `{after}`"


def main() -> int:
    """Print survivors and table; return the exit code."""
    counts: dict[str, Counter[str]] = {}
    for module, mutant, status in verdicts():
        counts.setdefault(module, Counter())[status] += 1
        if status in {"survived", "no tests"}:
            print(_line(mutant))
    if not counts:
        print("no mutants were made: run `make mutation`", file=sys.stderr)
        return 1
    print(table(counts))
    total: Counter[str] = sum(counts.values(), start=Counter())
    killed = sum(count for status, count in total.items() if status in KILLED)
    return 0 if killed >= KILLED_MIN * total.total() and not total["not checked"] else 1


if __name__ == "__main__":
    sys.exit(main())
