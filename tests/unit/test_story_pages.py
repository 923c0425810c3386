"""The pages that tell what happens say nothing that no storyboard shows.

Method: every row of their tables names storyboards and rules. The storyboards must exist, be judged by both judges, and
between them be marked with every rule of the row; every storyboard that was written for the page about hands must be named on it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONCEPTS = ROOT / "docs" / "concepts"
HANDS, SCENARIOS = CONCEPTS / "what-if-i-touch-it.md", CONCEPTS / "scenarios.md"
STORIES = ROOT / "tests" / "simulation"
OF_THE_PAGE = ("test_stories_touched.py", "test_stories_by_hand.py")
#: Stories beside the page: what a lost database or a journal says of strangers' orders.
BESIDE = {"test_an_entry_that_the_journal_misses_says_that_it_was_replaced"}


def stories(*names: str) -> dict[str, set[str]]:
    """Every storyboard of some files, by name, with the rules that it is marked with."""
    found: dict[str, set[str]] = {}
    for path in sorted(STORIES.glob("test_*.py")):
        if names and path.name not in names:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = set(_marked(node))
    return found


def _marked(test: ast.FunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.rule":
            yield from (
                str(each.value) for each in decorator.args if isinstance(each, ast.Constant)
            )


def rows(text: str) -> list[list[str]]:
    """The cells of every row, heads and rules left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[-1] != "stories" and set(row[0]) != {"-"}]


def unshown(text: str, known: dict[str, set[str]]) -> list[str]:
    """Rows without a storyboard, with one that does not exist, or with a rule that none of theirs is marked with."""
    wrong = []
    for row in rows(text):
        named = re.findall(r"`(test_\w+)`", row[-1])
        wrong += [f"{row[0]}: no story"] if not named else []
        wrong += [f"{row[0]}: {name} does not exist" for name in named if name not in known]
        marked = set().union(*(known.get(name, set()) for name in named))
        rules = set(re.findall(r"[A-Z]-\d+", row[-2]))
        wrong += [f"{row[0]}: no rule"] if not rules else []
        wrong += [f"{row[0]}: no story is marked {rule}" for rule in sorted(rules - marked)]
    return wrong


def judged() -> set[str]:
    """Every storyboard that asks both judges in the end, itself or by a step of its file."""
    found: set[str] = set()
    for path in STORIES.glob("test_*.py"):
        steps = {
            node.name: node
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        found |= {name for name in steps if _asks(name, steps, set())}
    return found


def _asks(name: str, steps: dict[str, ast.FunctionDef], seen: set[str]) -> bool:
    if name not in steps or name in seen:
        return False
    seen.add(name)
    calls = [node.func for node in ast.walk(steps[name]) if isinstance(node, ast.Call)]
    asked = any(isinstance(call, ast.Attribute) and call.attr == "verdict" for call in calls)
    return asked or any(isinstance(c, ast.Name) and _asks(c.id, steps, seen) for c in calls)


@pytest.mark.parametrize("page", [HANDS, SCENARIOS], ids=["hands", "scenarios"])
def test_every_row_is_shown_by_a_storyboard(page: Path) -> None:
    """Each row names storyboards that exist and are marked with its rules."""
    text = page.read_text(encoding="utf-8")
    assert len(rows(text)) > 20
    assert unshown(text, stories()) == []


def test_every_scenario_ends_with_the_verdict_of_both_judges() -> None:
    """The exchange's own judge and the audit of the engine's journal."""
    named = set(re.findall(r"`(test_\w+)`", SCENARIOS.read_text(encoding="utf-8")))
    assert named - judged() == set()


def test_every_storyboard_of_a_hand_is_on_the_page() -> None:
    """What is shown and not told would be found by nobody who is about to touch something."""
    told = set(re.findall(r"`(test_\w+)`", HANDS.read_text(encoding="utf-8")))
    assert stories(*OF_THE_PAGE).keys() - told == BESIDE


def test_the_check_sees_what_is_missing() -> None:
    """A row without a story, with an unknown one or with a rule that nothing shows is found."""
    page = "| you | x | rules | stories |\n|---|---|---|---|\n| a | b | Y-1 | `test_a` |\n"
    assert unshown(page, {"test_a": {"Y-1"}}) == []
    assert unshown(page, {"test_a": {"Y-2"}}) == ["a: no story is marked Y-1"]
    assert unshown(page, {}) == ["a: test_a does not exist", "a: no story is marked Y-1"]
    assert unshown("| a | b | Y-1 | none |\n", {})[0] == "a: no story"
