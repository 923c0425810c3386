"""What changed on the wire since the records were made, as data; docs/reference/wire-changes.md shows the same.

A change names one field of one message by its path: `a.P[].bep`, lists marked by `[]`. Filters of a symbol are named
by their type. What the records have and what the exchange sends now are kinds of JSON values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ABSENT = "absent"
KINDS = {
    dict: "object",
    list: "list",
    str: "text",
    int: "number",
    float: "number",
    bool: "yes/no",
    type(None): "null",
}

type Shape = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """One field that differs.

    Attributes:
        year: of the record.
        was: the kind of value in the record, or absent.
        now: the kind of value that is sent now, or absent.
    """

    message: str
    field: str
    year: int
    was: str
    now: str
    source: str = ""

    @property
    def line(self) -> str:
        """The row of the page."""
        cells = (f"`{self.message}`", f"`{self.field}`", str(self.year), self.was, self.now)
        return f"| {' | '.join((*cells, self.source))} |"


def _changes(message: str, year: int, source: str, **fields: tuple[str, str]) -> tuple[Change, ...]:
    return tuple(
        Change(message=message, field=field, year=year, was=was, now=now, source=source)
        for field, (was, now) in fields.items()
    )


_ORDER = "ORDER_TRADE_UPDATE"
_ALGO_FILTER = "symbols[].filters.MAX_NUM_ALGO_ORDERS"
_RISK_FILTER = "symbols[].filters.POSITION_RISK_CONTROL"
_GONE_FILTER = "change log of 2025-12-29: one limit of 200 over all symbols instead"
CHANGES: tuple[Change, ...] = (
    *_changes(
        _ORDER,
        2022,
        'page "Event: Order Update" (2026-09): sent for trailing stops only',
        **{"o.AP": ("null", ABSENT), "o.cr": ("null", ABSENT)},
    ),
    *_changes(
        _ORDER,
        2022,
        'page "Event: Order Update" (2026-09)',
        **{
            "o.V": (ABSENT, "text"),
            "o.er": (ABSENT, "text"),
            "o.gtd": (ABSENT, "number"),
            "o.pP": (ABSENT, "yes/no"),
            "o.pm": (ABSENT, "text"),
            "o.si": (ABSENT, "number"),
            "o.ss": (ABSENT, "number"),
        },
    ),
    *_changes(
        "ACCOUNT_UPDATE",
        2022,
        'page "Event: Balance and Position Update" (2026-09): the break-even price',
        **{"a.P[].bep": (ABSENT, "text")},
    ),
    *(
        change
        for year in (2021, 2025)
        for change in _changes(
            "exchangeInfo",
            year,
            _GONE_FILTER,
            **{
                _ALGO_FILTER: ("object", ABSENT),
            },
        )
    ),
    *_changes(
        "exchangeInfo",
        2021,
        "record of 2025 and live answers (2026-09)",
        **{
            _RISK_FILTER: (ABSENT, "object"),
            "symbols[].maxMoveOrderLimit": (ABSENT, "number"),
            "symbols[].permissionSets": (ABSENT, "list"),
            "symbols[].settlePlan": ("number", ABSENT),
        },
    ),
    *_changes(
        "leverageBracket",
        2024,
        "official SDK 18.0.1 (2026): bare numbers; the record's writer made texts of them",
        **{
            f"brackets[].{field}": ("text", "number")
            for field in (
                "bracket",
                "cum",
                "initialLeverage",
                "maintMarginRatio",
                "notionalCap",
                "notionalFloor",
            )
        },
    ),
)


def shape_of(messages: Iterable[Any]) -> Shape:
    """The kinds of value of every field that any of the messages has."""
    kinds: dict[str, set[str]] = {}
    for message in messages:
        _look(message, "", kinds)
    return {path: " or ".join(sorted(found)) for path, found in kinds.items()}


def _look(value: Any, path: str, kinds: dict[str, set[str]]) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            deeper = f"{path}.{name}" if path else name
            kinds.setdefault(deeper, set()).add(KINDS[type(inner)])
            _look(inner, deeper, kinds)
    elif isinstance(value, list):
        for inner in value:
            kinds.setdefault(f"{path}[]", set()).add(KINDS[type(inner)])
            _look(inner, f"{path}[]", kinds)


def differences(message: str, year: int, *, real: Shape, ours: Shape) -> set[Change]:
    """Every field whose kind is not the same, without a source; of what is absent the whole, not each part."""
    return {
        Change(message=message, field=field, year=year, was=was, now=now)
        for field in real.keys() | ours.keys()
        if (was := real.get(field, ABSENT)) != (now := ours.get(field, ABSENT))
        and (_parent(field) in real) == (_parent(field) in ours)
    }


def _parent(field: str) -> str:
    """The path of the object or list that the field stands in, empty for a field of the message itself."""
    if field.endswith("[]"):
        return field.removesuffix("[]")
    return field.rpartition(".")[0]


def written(message: str, year: int) -> set[Change]:
    """What is written down about one record, without the sources."""
    return {
        Change(message=one.message, field=one.field, year=one.year, was=one.was, now=one.now)
        for one in CHANGES
        if (one.message, one.year) == (message, year)
    }
