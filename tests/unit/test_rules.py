"""Every rule that is due has a test that names it, and the page of the rules says so."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests import rules

from jumar.model.rules import RULES, SECTIONS

DUE, WAITING = rules.lists((rules.ROOT / rules.LISTS).read_text(encoding="utf-8"))
PLANNER = """\
\"\"\"About S-3.\"\"\"


def move() -> None:
    \"\"\"S-3 and S-4, never X-99.\"\"\"
"""


def test_every_due_rule_is_named_by_a_test(collected_rules: Mapping[str, list[str]]) -> None:
    """A rule without a test is a promise without proof."""
    missing = [rule for rule in DUE if not collected_rules.get(rule)]
    assert not missing, f'no test carries @pytest.mark.rule("…") for: {", ".join(missing)}'


def test_the_page_names_only_tests_that_are_run(collected_rules: Mapping[str, list[str]]) -> None:
    """What is read from the sources is collected by pytest; marks that a table makes are run and not on the page."""
    collected = {
        rule: {node.partition("::")[0] for node in nodes} for rule, nodes in collected_rules.items()
    }
    read = {rule: set(files) for rule, files in rules.tests_of_rules(rules.ROOT / "tests").items()}
    assert {rule: files - collected.get(rule, set()) for rule, files in read.items()} == {
        rule: set() for rule in read
    }


def test_each_rule_has_one_sentence() -> None:
    """Ids are well formed, stand in the order of their sections, and say something in one sentence."""
    letters = [letter for letter, _ in SECTIONS]
    order = [letters.index(rule[0]) for rule in RULES]
    assert order == sorted(order)
    for rule, sentence in RULES.items():
        assert re.fullmatch(r"[A-Z]-[1-9][0-9]?", rule)
        assert sentence.endswith(".") and sentence.count(". ") == 0


def test_what_is_wrong_is_told() -> None:
    """A due rule without a test, a test of no rule, a rule in no list and a list that grew are each named."""
    tests = dict.fromkeys(RULES, ("tests/test_all.py",))
    due = [rule for rule in RULES if rule != "H-3"]
    assert rules.complaints(due, ["H-3"], tests, [["H-3"]]) == []
    untested = {rule: files for rule, files in tests.items() if rule != "S-3"}
    assert rules.complaints(due, ["H-3"], untested, []) == ["S-3 is due and no test names it"]
    (strange,) = rules.complaints(due, ["H-3"], {**tests, "S-99": ("tests/test_x.py",)}, [])
    assert strange == "S-99 does not exist and is named by tests/test_x.py"
    assert rules.complaints(due, [], tests, []) == ["H-3 stands in both lists or in none"]
    assert rules.complaints([*due, "H-3"], ["H-3"], tests, []) == [
        "H-3 stands in both lists or in none"
    ]
    (grown,) = rules.complaints(due, ["H-3"], tests, [["H-3"], []])
    assert grown.startswith("H-3 was due and is not any more")


def test_places_are_found_by_function(tmp_path: Path) -> None:
    """A mention is told with the function that holds it; one in the module's head with the file alone."""
    (tmp_path / "planner").mkdir()
    (tmp_path / "planner" / "stop.py").write_text(PLANNER)
    (tmp_path / "simulation").mkdir()
    (tmp_path / "simulation" / "world.py").write_text(PLANNER)
    found = rules.places_of_rules(tmp_path)
    assert found.keys() == {"S-3", "S-4"}
    assert found["S-4"] == (rules.Place("planner/stop.py", ("move",)),)
