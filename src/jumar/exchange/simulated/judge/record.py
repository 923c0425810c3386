"""Reading single fields of ledger records, strictly.

Promises: a missing field, a binary number where money is due or a wrong type is refused with the record's
number and the field's name. Knows nothing of what the fields mean.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Record = Mapping[str, Any]


class LedgerError(ValueError):
    """The ledger is malformed or contradicts itself; no verdict can be built on it."""


def integer(record: Record, field: str) -> int:
    """Return an integer field."""
    value = _present(record, field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(record, field, "an integer")
    return value


def text(record: Record, field: str) -> str:
    """Return a text field."""
    value = _present(record, field)
    if not isinstance(value, str):
        raise _wrong(record, field, "text")
    return value


def flag(record: Record, field: str) -> bool:
    """Return a true-or-false field."""
    value = _present(record, field)
    if not isinstance(value, bool):
        raise _wrong(record, field, "true or false")
    return value


def money(record: Record, field: str) -> Decimal:
    """Return a price, quantity or amount from its decimal text; a binary number is refused."""
    value = _present(record, field)
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = None
        if number is not None and number.is_finite():
            return number
    raise _wrong(record, field, "decimal text")


def _present(record: Record, field: str) -> Any:
    try:
        return record[field]
    except KeyError:
        raise LedgerError(f"{_where(record)}: field {field!r} is missing") from None


def _wrong(record: Record, field: str, wanted: str) -> LedgerError:
    return LedgerError(f"{_where(record)}: {field!r} must be {wanted}, it is {record[field]!r}")


def _where(record: Record) -> str:
    return f"ledger record {record.get('seq', '?')} ({record.get('kind', 'no kind')})"
