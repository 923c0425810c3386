"""Single fields of foreign records, read strictly: amounts from decimal text, times as whole numbers."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from jumar.model.errors import JumarError
from jumar.model.order import Side

type Record = Mapping[str, Any]


class EvidenceError(JumarError):
    """What should be judged cannot be read; the message names the record and the field."""


def words(record: Record, field: str) -> str:
    """Return a text.

    Raises:
        EvidenceError: it is missing or something else.
    """
    value = record.get(field)
    if not isinstance(value, str):
        raise _wrong(record, field, "text")
    return value


def whole(record: Record, field: str) -> int:
    """Return a whole number.

    Raises:
        EvidenceError: it is missing or something else.
    """
    value = record.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(record, field, "a whole number")
    return value


def amount(record: Record, field: str) -> Decimal:
    """Return an amount from its decimal text.

    Raises:
        EvidenceError: it is missing or something else.
    """
    value = record.get(field)
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("nan")
        if number.is_finite():
            return number
    raise _wrong(record, field, "decimal text")


def amount_or_none(record: Record, field: str) -> Decimal | None:
    """Return an amount, None where the record has null.

    Raises:
        EvidenceError: it is something else.
    """
    return None if record.get(field) is None else amount(record, field)


def side(record: Record) -> Side:
    """Return the side of an order or fill.

    Raises:
        EvidenceError: it is neither BUY nor SELL.
    """
    value = words(record, "side")
    if value not in set(Side):
        raise _wrong(record, "side", "BUY or SELL")
    return Side(value)


def _wrong(record: Record, field: str, wanted: str) -> EvidenceError:
    name = f"ledger record {record.get('seq', '?')} ({record.get('kind', 'no kind')})"
    return EvidenceError(f"{name}: {field!r} must be {wanted}, it is {record.get(field)!r}")
