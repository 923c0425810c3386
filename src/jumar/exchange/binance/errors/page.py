"""The error table as people read it: the text of docs/reference/errors.md."""

from collections.abc import Iterable, Mapping

from jumar.exchange.binance.errors.outage import Outage
from jumar.exchange.binance.errors.rows import Action, Remedy, Row
from jumar.exchange.binance.errors.table import TABLE

_INTRODUCTION = """\
# Error codes of Binance USDⓈ-M futures

Written by `python -m jumar.exchange.binance.errors > docs/reference/errors.md`; change the table, not this page.

Every code has one row. A code that is not listed is *ask* and proves nothing. A refusal counts as "not executed" only
with a client error (4xx) and a code that proves it; every server error (5xx) leaves an order's fate unknown."""

_ACTIONS = {
    Action.RETRY: "the same wish may be sent again, after a wait or a correction of the clock",
    Action.ASK: "the truth is read first: the order by its id, the position, the other list",
    Action.REFUSE: "never sent again unchanged",
    Action.SUCCESS: "it was so already",
    Action.HALT: "stop, wait or call a person",
}
_REMEDIES = {
    None: "",
    Remedy.MEASURE_CLOCK: "the clock is measured again",
    Remedy.RELOAD_FILTERS: "filters are loaded again",
}


def page() -> str:
    """Return the whole page, with a line break at its end."""
    parts = (_INTRODUCTION, _legend(), _outages(), _codes(TABLE))
    return "\n\n".join(parts) + "\n"


def _legend() -> str:
    return _table(
        ("action", "what is done"),
        ((f"*{action}*", _ACTIONS[action]) for action in Action),
    )


def _outages() -> str:
    rows = (
        (kind.words, "" if kind.backoff_s is None else f"{kind.backoff_s:g} s") for kind in Outage
    )
    return "## Server errors\n\n" + _table(("kind", "first wait before a read is repeated"), rows)


def _codes(table: Mapping[int, Row]) -> str:
    rows = (
        (
            str(row.code),
            row.action.value,
            "yes" if row.not_executed else "no",
            row.meaning,
            _REMEDIES[row.remedy],
        )
        for _, row in sorted(table.items(), reverse=True)
    )
    heads = ("code", "action", "proves that nothing was done", "meaning", "what the adapter does")
    return f"## Codes\n\n{len(table)} codes are known.\n\n{_table(heads, rows)}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (heads, ("---",) * len(heads), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
