"""Rules of faults: every field has a form, every mistake is told with its field and the fix."""

import json
from pathlib import Path
from typing import Any

import pytest

from jumar.exchange.simulated.server.faults.kinds import FORMS, Kind, Parameter, Sort
from jumar.exchange.simulated.server.faults.rule import (
    RuleError,
    decoded,
    rule_from,
    rules_from,
    rules_from_file,
)

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/faults.md"


def example(parameter: Parameter) -> Any:
    """A value that a parameter may have."""
    match parameter.sort:
        case Sort.MS:
            return 5
        case Sort.CODE:
            return -2019
        case Sort.STATUS:
            return 504
        case Sort.FLAG:
            return True
        case Sort.TEXT:
            return "words"
        case Sort.WORD:
            return parameter.words[-1]
    return "0.5"


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_takes_its_parameters_and_scopes(kind: Kind) -> None:
    """A rule with everything that its kind knows is a rule, whether numbers are text or not."""
    form = FORMS[kind]
    scope = {"symbol": "BTCUSDT", "side": "BUY", "role": "stop", "endpoint": "/fapi/v1/order"}
    fields = {
        "kind": kind.value,
        "probability": 0.25,
        "count": 3,
        "seed": "7",
        "after_ms": 10,
        "scope": {name: scope[name] for name in form.scopes},
        **{each.name: example(each) for each in form.parameters},
    }
    rule = rule_from(decoded(json.dumps(fields)))
    assert (rule.kind, rule.probability, rule.count, rule.seed) == (kind, 0.25, 3, 7)
    assert rule.parameters.keys() == {each.name for each in form.parameters}


def test_what_is_not_given_has_its_default() -> None:
    """Certain, without end, from now on, everywhere; a moment's rule strikes once."""
    rule = rule_from({"kind": "lost_answer"})
    assert (rule.probability, rule.count, rule.after_ms, rule.scope) == (1.0, None, 0, {})
    assert rule.word("how") == "silence"
    assert rule_from({"kind": "cancelled_order"}).count == 1


def test_a_rules_place_in_the_list_is_its_usual_seed() -> None:
    """Two rules of a kind in one list throw different dice."""
    rules = rules_from([{"kind": "lost_answer"}, {"kind": "lost_answer"}])
    assert [rule.seed for rule in rules] == [1, 2]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (7, "not a JSON object"),
        ({}, "kind: missing; choose among lost_request, "),
        ({"kind": "lost"}, "kind: 'lost' is unknown; choose among lost_request, "),
        ({"kind": ["lost"]}, "kind: ['lost'] is unknown"),
        ({"kind": "lost_answer", "howe": "x"}, "howe: unknown field; lost_answer knows kind, "),
        ({"kind": "lost_answer", "delay_ms": 5}, "delay_ms: unknown field"),
        ({"kind": "lost_answer", "how": "loud"}, "how: 'loud' is not one of its words: silence, "),
        ({"kind": "lost_answer", "how": ["x"]}, "how: ['x'] is not one of its words"),
        ({"kind": "lost_answer", "probability": 0}, "probability: 0 is not above 0 and at most 1"),
        ({"kind": "lost_answer", "probability": 1.5}, "probability: 1.5 is not above 0"),
        ({"kind": "lost_answer", "probability": "often"}, "probability: 'often' is not a number"),
        ({"kind": "lost_answer", "probability": True}, "probability: True is not a number"),
        ({"kind": "lost_answer", "count": 0}, "count: 0 is not a whole number of at least 1"),
        ({"kind": "lost_answer", "count": 1.5}, "count: 1.5 is not a whole number"),
        ({"kind": "lost_answer", "seed": -1}, "seed: -1 is not a whole number of at least 0"),
        ({"kind": "lost_answer", "after_ms": 10**9}, "after_ms: 1000000000 is not a whole number"),
        ({"kind": "lost_answer", "scope": "stop"}, "scope: not a JSON object"),
        ({"kind": "lost_answer", "scope": {"who": "x"}}, "scope.who: makes no sense here"),
        ({"kind": "lost_answer", "scope": {"side": "LONG"}}, "scope.side: 'LONG' is unknown"),
        ({"kind": "lost_answer", "scope": {"side": ["BUY"]}}, "scope.side: ['BUY'] is unknown"),
        ({"kind": "lost_answer", "scope": {"role": "tp"}}, "scope.role: 'tp' is unknown; choose"),
        ({"kind": "lost_answer", "scope": {"symbol": 5}}, "scope.symbol: 5 is not text"),
        ({"kind": "mark_dip", "percent": 1, "scope": {"role": "stop"}}, "scope.role: makes no"),
        ({"kind": "dropped_stream", "scope": {"symbol": "X"}}, "scope.symbol: makes no sense here"),
        ({"kind": "mark_dip"}, "percent: missing; give a decimal number"),
        ({"kind": "mark_dip", "percent": -100}, "percent: -100 is not between -100 and 100"),
        ({"kind": "mark_dip", "percent": 0}, "percent: 0 is not between"),
        ({"kind": "late_event", "delay_ms": -5}, "delay_ms: -5 is not a whole number"),
        ({"kind": "late_event", "delay_ms": "soon"}, "delay_ms: 'soon' is not a number"),
        ({"kind": "refuse"}, "code: missing; give an error code of the exchange"),
        ({"kind": "refuse", "code": 5}, "code: 5 is not a whole number"),
        ({"kind": "refuse", "code": -9999}, "message: missing; this exchange has no text"),
        ({"kind": "refuse", "code": -1102}, "message: missing; the text of -1102 has blanks"),
        ({"kind": "refuse", "code": -2019, "message": ""}, "message: '' is not text"),
        ({"kind": "refuse", "code": -2019, "status": 200}, "status: 200 is not a whole number"),
        ({"kind": "proxy_error", "executed": 1}, "executed: 1 is not true or false"),
        ({"kind": "changed_filters"}, "tick_size: nothing to change"),
        ({"kind": "changed_filters", "tick_size": "NaN"}, "tick_size: 'NaN' is not a number"),
    ],
)
def test_a_mistake_is_told_with_its_field_and_the_fix(fields: Any, message: str) -> None:
    """The message begins with the field."""
    with pytest.raises(RuleError) as told:
        rule_from(fields)
    assert str(told.value).startswith(message)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "1e999999999999", '{"probability": NaN}', ""])
def test_what_is_no_json_is_told(text: str) -> None:
    """Never anything but a RuleError."""
    with pytest.raises(RuleError):
        rules_from(decoded(text))


def test_a_file_is_named_with_the_number_of_the_rule(tmp_path: Path) -> None:
    """File, number, field."""
    path = tmp_path / "faults.json"
    path.write_text('[{"kind": "lost_answer"}, {"kind": "lost_answer", "count": "x"}]')
    with pytest.raises(RuleError) as told:
        rules_from_file(path)
    assert str(told.value) == f"{path}: rule 2: count: 'x' is not a number"
    path.write_text('[{"kind": "halted"}, {"kind": "halted", "scope": {"symbol": "XYZ"}}]')
    assert rules_from_file(path)[1].origin == f"{path}: rule 2: "


def test_every_kind_and_parameter_is_in_the_reference() -> None:
    """docs/reference/faults.md names each kind, and each of its parameters in the kind's row."""
    rows = {
        line.split("|")[1].strip().strip("`"): line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    }
    for kind, form in FORMS.items():
        row = rows[kind.value]
        missing = [each.name for each in form.parameters if f"`{each.name}`" not in row]
        assert not [name for name in missing if name != "every_ms"], kind
