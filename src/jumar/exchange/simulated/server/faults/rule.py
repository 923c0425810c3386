"""Rules: which fault, how probable, how often, where. From JSON fields, with errors that name the field and the fix.

Numbers may be JSON numbers or text. A rule never changes; how often it was tried and struck is the register's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from jumar.exchange.simulated.core.refusal import TEXTS
from jumar.exchange.simulated.server.faults.kinds import (
    FORMS,
    LONGEST_MS,
    ROLES,
    SIDES,
    Form,
    Kind,
    Parameter,
    Place,
    Sort,
)

type Value = str | int | bool | Decimal | None

_COMMON = ("kind", "probability", "count", "seed", "after_ms", "scope")
_SEEDS = 2**63


class RuleError(ValueError):
    """A rule that makes no sense; the message names the field and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault on order.

    Attributes:
        probability: of a strike at each try.
        count: how often it strikes at most; None: without end.
        seed: of its dice.
        after_ms: how long after it was set it begins, exchange time.
        scope: `endpoint`, `symbol`, `side`, `role`, as far as they are narrowed.
        parameters: those of the kind, defaults filled in.
        fields: as it was given, to be shown again.
        origin: how messages about it begin: its file and its number there.
    """

    kind: Kind
    probability: float
    count: int | None
    seed: int
    after_ms: int
    scope: Mapping[str, str]
    parameters: Mapping[str, Value]
    fields: Mapping[str, Any] = field(compare=False)
    origin: str = field(default="", compare=False)

    @property
    def place(self) -> Place:
        """When it is tried."""
        return FORMS[self.kind].place

    def whole(self, name: str) -> int:
        """A parameter that is a whole number; 0 when it was not given."""
        value = self.parameters[name]
        return value if isinstance(value, int) else 0

    def word(self, name: str) -> str:
        """A parameter that is text."""
        return str(self.parameters[name])

    def decimal(self, name: str) -> Decimal | None:
        """A parameter that is a decimal number; None when it was not given."""
        value = self.parameters[name]
        return value if isinstance(value, Decimal) else None


def rules_from_file(path: Path) -> list[Rule]:
    """The rules of a JSON file: one rule, or a list of them.

    Raises:
        RuleError: the message names the file, the rule's number in it and the field.
        OSError: the file cannot be read.
    """
    try:
        rules = rules_from(decoded(path.read_bytes().decode(errors="replace")))
    except RuleError as error:
        raise RuleError(f"{path}: {error}") from None
    return [replace(rule, origin=f"{path}: {rule.origin}") for rule in rules]


def decoded(text: str) -> Any:
    """JSON whose fractions keep their decimal text.

    Raises:
        RuleError: not JSON.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise RuleError(f"not JSON ({error.msg} at character {error.pos})") from None
    except (ValueError, RecursionError):  # a number without end, or brackets without end
        raise RuleError("not JSON that can be read") from None


def rules_from(content: Any) -> list[Rule]:
    """The rules of decoded JSON: one rule, or a list of them; a rule's place in it is its usual seed.

    Raises:
        RuleError: of a list the message names the rule's number.
    """
    if not isinstance(content, list):
        return [rule_from(content)]
    if not content:
        raise RuleError("no rule; give at least one, e.g. " + EXAMPLE)
    rules = []
    for number, each in enumerate(content, start=1):
        try:
            rules.append(replace(rule_from(each, seed=number), origin=f"rule {number}: "))
        except RuleError as error:
            raise RuleError(f"rule {number}: {error}") from None
    return rules


EXAMPLE = '{"kind": "lost_answer", "probability": 0.1}'


def rule_from(fields: Any, *, seed: int = 1) -> Rule:
    """One rule; `seed` holds when it names none.

    Raises:
        RuleError: the message names the field and the fix.
    """
    if not isinstance(fields, dict):
        raise RuleError(f"not a JSON object; a rule looks like {EXAMPLE}")
    kind = _kind(fields.get("kind"))
    form = FORMS[kind]
    known = {each.name: each for each in form.parameters}
    for name in fields:
        if name not in known and name not in _COMMON:
            raise RuleError(f"{name}: unknown field; {kind} knows {', '.join((*_COMMON, *known))}")
    parameters = {name: _parameter(each, fields.get(name)) for name, each in known.items()}
    _check(kind, parameters)
    return Rule(
        kind=kind,
        probability=_probability(fields.get("probability")),
        count=_whole("count", fields.get("count"), form.count, low=1),
        seed=_whole("seed", fields.get("seed"), seed) or 0,
        after_ms=_whole("after_ms", fields.get("after_ms"), 0, high=LONGEST_MS) or 0,
        scope=_scope(kind, form, fields.get("scope")),
        parameters=parameters,
        fields=fields,
    )


def _kind(value: Any) -> Kind:
    if isinstance(value, str) and value in Kind:
        return Kind(value)
    what = "missing" if value is None else f"{value!r} is unknown"
    raise RuleError(f"kind: {what}; choose among {', '.join(Kind)}")


def _probability(value: Any) -> float:
    number = Decimal(1) if value is None else _number("probability", value)
    if not 0 < number <= 1:
        raise RuleError(f"probability: {number} is not above 0 and at most 1; 0.1 is one in ten")
    return float(number)


def _scope(kind: Kind, form: Form, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RuleError('scope: not a JSON object; write it like {"role": "stop"}')
    for name, given in value.items():
        if name not in form.scopes:
            there = f"knows {', '.join(form.scopes)}" if form.scopes else "has no scope"
            raise RuleError(f"scope.{name}: makes no sense here; {kind} {there}")
        allowed = {"side": SIDES, "role": ROLES}.get(name)
        if allowed and given not in allowed:
            raise RuleError(
                f"scope.{name}: {given!r} is unknown; choose among {', '.join(allowed)}"
            )
        if not isinstance(given, str) or not given:
            raise RuleError(f"scope.{name}: {given!r} is not text; leave it out for all")
    return dict(value)


def _parameter(form: Parameter, value: Any) -> Value:
    name = form.name
    if value is None:
        if form.required:
            raise RuleError(f"{name}: missing; give {form.sort.value}")
        return form.default
    match form.sort:
        case Sort.MS:
            return _whole(name, value, None, high=LONGEST_MS)
        case Sort.CODE:
            return _whole(name, value, None, low=-99_999, high=-1)
        case Sort.STATUS:
            return _whole(name, value, None, low=400, high=599)
        case Sort.DECIMAL:
            return _decimal(form, value)
        case Sort.FLAG if isinstance(value, bool):
            return value
        case Sort.TEXT if isinstance(value, str) and value:
            return value
        case Sort.WORD if value in form.words:
            return str(value)
    words = f": {', '.join(form.words)}" if form.words else ""
    raise RuleError(f"{name}: {value!r} is not {form.sort.value}{words}")


def _decimal(form: Parameter, value: Any) -> Decimal:
    number = _number(form.name, value)
    if not form.low < number < form.high or not number:
        between = f"between {form.low} and {form.high}, and not zero"
        raise RuleError(f"{form.name}: {number} is not {between}")
    return number


def _number(name: str, value: Any) -> Decimal:
    if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return number
    raise RuleError(f"{name}: {value!r} is not a number")


def _whole(
    name: str, value: Any, default: int | None, *, low: int = 0, high: int = _SEEDS
) -> int | None:
    if value is None:
        return default
    number = _number(name, value)
    if number != number.to_integral_value() or not low <= number <= high:
        most = "" if high == _SEEDS else f" and at most {high}"
        raise RuleError(f"{name}: {value} is not a whole number of at least {low}{most}")
    return int(number)


def _check(kind: Kind, parameters: Mapping[str, Value]) -> None:
    """What parameters must be together."""
    code = parameters.get("code")
    if kind is Kind.REFUSE and parameters["message"] is None:
        usual = TEXTS.get(code) if isinstance(code, int) else None
        if usual is None:
            raise RuleError(f"message: missing; this exchange has no text of its own for {code}")
        if "{" in usual:
            raise RuleError(f"message: missing; the text of {code} has blanks to fill: {usual}")
    if kind is Kind.CHANGED_FILTERS and not any(
        isinstance(value, Decimal) for value in parameters.values()
    ):
        raise RuleError("tick_size: nothing to change; give tick_size, step_size or min_notional")


def _no_number(name: str) -> Decimal:
    raise RuleError(f"{name} is not a number")
