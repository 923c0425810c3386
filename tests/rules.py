"""docs/rules.md: every rule with its sentence, the tests that name it and its places in the code.

`python -m tests.rules` writes the page; `--check` writes nothing and fails when the page is not as it would be
written, when a due rule has no test, when a test names a rule that does not exist, or when the list of rules that
are not yet due has grown. Everything is read from the sources, nothing is run.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jumar.model.rules import RULES, SECTIONS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rules.md"
LISTS = Path("tests/rules_due.py")
PLACES_MAX, NAMES_MAX = 4, 3
#: Where a rule lives, the most telling place first; whatever stands in none of them comes after.
_LAYERS = (
    "planner",
    "reconciler",
    "model",
    "decisions",
    "store",
    "exchange/binance",
    "config",
    "ops",
)
_ID = re.compile(r"\b[A-Z]-[1-9]\d?\b")
_HEAD = """\
# The rules

What the engine promises and how it keeps it, one line a rule. Orders, refusals, stop moves and incidents point here by their rule id; `jumar explain` prints
the sentences of the rules that a trade's story names. This page is written by `make rules` from [model/rules.py](../src/jumar/model/rules.py), from the
tests that carry `@pytest.mark.rule("…")`, and from where the sources name the rule; `make check` fails when a due rule has no test.

A long is meant; a short mirrors it. A rule in *italics* is not due yet: what exists of it is not claimed to be whole.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sources name a rule: a file under `src/jumar`, and the functions or classes in it, most mentions first."""

    file: str
    names: tuple[str, ...]


def lists(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the due and the not yet due rules of a version of `rules_due.py`."""
    space: dict[str, tuple[str, ...]] = {}
    exec(text, space)
    return space["DUE"], space["NOT_YET_DUE"]


def tests_of_rules(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the test files that name each rule, by path from the project's root."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("test_*.py")):
        for rule in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            found[rule].add(path.relative_to(folder.parent).as_posix())
    return {rule: tuple(sorted(files)) for rule, files in found.items()}


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule":
            for value in node.args:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def places_of_rules(folder: Path) -> Mapping[str, tuple[Place, ...]]:
    """Return where the engine's sources name each rule; the simulated exchange and the judges are not the engine."""
    counts: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if name == "model/rules.py" or name.startswith(
            ("exchange/simulated", "simulation", "audit")
        ):
            continue
        for rule, place in _named(path.read_text(encoding="utf-8")):
            counts[rule][name][place] += 1
    return {rule: _best(files) for rule, files in counts.items()}


def _named(source: str) -> Iterator[tuple[str, str]]:
    """Yield each mention with the function or class that holds it; empty for the module itself."""
    spans = [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    for number, line in enumerate(source.splitlines(), 1):
        for rule in _ID.findall(line):
            if rule in RULES:
                yield rule, next((n for low, high, n in spans if low <= number <= high), "")


def _best(files: Mapping[str, Counter[str]]) -> tuple[Place, ...]:
    def rank(name: str) -> tuple[int, int, str]:
        layer = next((i for i, each in enumerate(_LAYERS) if name.startswith(f"{each}/")), 99)
        return layer, -files[name].total(), name

    return tuple(
        Place(file, tuple(n for n, _ in files[file].most_common() if n)[:NAMES_MAX])
        for file in sorted(files, key=rank)[:PLACES_MAX]
    )


def page(not_yet_due: Sequence[str]) -> str:
    """Return docs/rules.md as it should be."""
    tests = tests_of_rules(ROOT / "tests")
    places = places_of_rules(ROOT / "src" / "jumar")
    lines = [_HEAD]
    for letter, title in SECTIONS:
        lines += [f"## {title}", "", "| rule | says | tests | in the code |", "|---|---|---|---|"]
        for rule in (rule for rule in RULES if rule.startswith(f"{letter}-")):
            name = f"*{rule}*" if rule in not_yet_due else f"**{rule}**"
            cells = (name, RULES[rule], _tests(tests.get(rule, ())), _code(places.get(rule, ())))
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _tests(files: Sequence[str]) -> str:
    return (
        "<br>".join(f"[{Path(file).stem.removeprefix('test_')}](../{file})" for file in files)
        or "none"
    )


def _code(places: Sequence[Place]) -> str:
    cells = []
    for place in places:
        names = ", ".join(f"`{name}`" for name in place.names)
        cells.append(f"[{place.file}](../src/jumar/{place.file}) {names}".strip())
    return "<br>".join(cells) or "none"


def complaints(
    due: Sequence[str],
    waiting: Sequence[str],
    tests: Mapping[str, Sequence[str]],
    earlier: Iterable[Sequence[str]],
) -> list[str]:
    """Return what is wrong with the lists, one sentence each; empty when all is well.

    `waiting` are the rules that are not yet due, `earlier` the same of every committed version.
    """
    before = tuple(earlier)
    found = [f"{rule} is due and no test names it" for rule in due if rule not in tests]
    found += [
        f"{rule} does not exist and is named by {', '.join(tests[rule])}"
        for rule in sorted(tests.keys() - RULES.keys())
    ]
    found += [
        f"{rule} stands in both lists or in none"
        for rule in RULES
        if (rule in due) == (rule in waiting)
    ]
    found += [
        f"{rule} was due and is not any more: the list may only shrink"
        for rule in waiting
        if any(rule not in version for version in before)
    ]
    return found


def problems() -> list[str]:
    """Return what is wrong with lists and page, one sentence each; empty when all is well."""
    due, waiting = lists((ROOT / LISTS).read_text(encoding="utf-8"))
    found = complaints(due, waiting, tests_of_rules(ROOT / "tests"), _earlier_lists())
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page(waiting):
        found.append("docs/rules.md is not as it would be written: run `make rules`")
    return found


def _earlier_lists() -> Iterator[tuple[str, ...]]:
    """Yield the rules that were not yet due in each committed version of the lists; none without a history."""
    commits = _git("log", "--format=%H", "--", str(LISTS)).split()
    for commit in commits:
        yield lists(_git("show", f"{commit}:{LISTS}"))[1]


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, say what is wrong")
    if parser.parse_args(arguments).check:
        found = problems()
        for problem in found:
            print(problem, file=sys.stderr)
        print(f"rules: {len(RULES)}, problems: {len(found)}")
        return 1 if found else 0
    _, waiting = lists((ROOT / LISTS).read_text(encoding="utf-8"))
    PAGE.write_text(page(waiting), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
