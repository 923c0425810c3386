"""Every rule that is due has a test that names it."""

import re
import runpy
from collections.abc import Mapping
from pathlib import Path

LISTS = runpy.run_path(str(Path(__file__).parents[1] / "rules_due.py"))
DUE: tuple[str, ...] = LISTS["DUE"]
NOT_YET_DUE: tuple[str, ...] = LISTS["NOT_YET_DUE"]


def test_every_due_rule_is_named_by_a_test(collected_rules: Mapping[str, list[str]]) -> None:
    """A rule without a test is a promise without proof."""
    missing = [rule for rule in DUE if not collected_rules.get(rule)]
    assert not missing, f'no test carries @pytest.mark.rule("…") for: {", ".join(missing)}'


def test_every_named_rule_exists(collected_rules: Mapping[str, list[str]]) -> None:
    """A misspelt rule id proves nothing."""
    unknown = sorted(collected_rules.keys() - set(DUE) - set(NOT_YET_DUE))
    assert not unknown, {rule: collected_rules[rule] for rule in unknown}


def test_a_rule_is_due_or_not_yet_due() -> None:
    """The two lists name each rule once."""
    rules = [*DUE, *NOT_YET_DUE]
    assert len(rules) == len(set(rules))
    assert all(re.fullmatch(r"[A-Z]-[1-9][0-9]?", rule) for rule in rules)
