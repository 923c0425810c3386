"""One field at a time: a JSON value becomes a value of ours, or one `FieldError` that says what to write instead.

Promises that every error is collected, that amounts are exact (D-1) and that none of them can make later arithmetic
slow or inexact. A field that was refused reads as a harmless value: its decision is refused anyway.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from jumar.decisions.parse import JsonObject, shown
from jumar.decisions.shape import (
    DIGITS_MAX,
    EXPONENT_MAX,
    EXPONENT_MIN,
    MOMENT,
    NUMBER,
    NUMBER_LENGTH_MAX,
    WORD_LENGTH_MAX,
    ZONE,
    Limit,
)
from jumar.model.decision import FieldError
from jumar.model.units import ZERO

_NUMBER = re.compile(NUMBER)
_TIMESTAMP = re.compile(f"{MOMENT}{ZONE}?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decimal_from(value: object) -> Decimal | str:
    """Return the exact number, or what is wrong with it (D-1). Text is accepted, booleans are not numbers."""
    if not isinstance(value, str):
        return "must be a number"
    if len(value) > NUMBER_LENGTH_MAX:
        return f"must not have more than {NUMBER_LENGTH_MAX} characters"
    if value.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        return "must be a finite number"
    if not _NUMBER.fullmatch(value):
        return "must be a number, such as 90380.5"
    number = Decimal(value)
    if number == ZERO:
        return ZERO
    if not EXPONENT_MIN <= number.adjusted() <= EXPONENT_MAX:
        return f"must be between 1e{EXPONENT_MIN} and 1e{EXPONENT_MAX + 1}"
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if len(digits) > DIGITS_MAX:
        return f"must not have more than {DIGITS_MAX} significant digits"
    return number


def timestamp_from(value: object) -> int | str:
    """Return milliseconds since 1970 of an ISO 8601 time with a zone, or what is wrong with it."""
    example = "such as 2025-12-05T10:05:00Z"
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return f"must be an ISO 8601 time with a zone, {example}"
    try:
        moment = datetime.fromisoformat(value.upper())
        if moment.tzinfo is None:
            return f"has no zone: end it with Z or an offset, {example}"
        # astimezone: an offset may lead out of the calendar, where no text could name the moment
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return f"is no moment of the calendar: write a time {example}"


class Reader:
    """Reads the fields of one JSON object and collects what is wrong with them."""

    def __init__(
        self,
        content: JsonObject,
        errors: list[FieldError],
        prefix: str = "",
        *,
        rule: str = "D-4",
    ) -> None:
        """Read `content`; errors name fields behind `prefix`, and `rule` where nothing else is said."""
        self.content = content
        self.errors = errors
        self._prefix = prefix
        self._rule = rule

    def refuse(self, name: str, message: str, rule: str | None = None) -> None:
        """Note that a field is wrong."""
        if name in self.content:
            self.refuse_value(name, self.content[name], message, rule)
        else:
            self._append(name, "(missing)", message, rule)

    def given(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.content.get(name) is not None

    def number(self, name: str, limit: Limit | None, *, default: Decimal | None = None) -> Decimal:
        """Read a number; without a default the field must be there."""
        if self.given(name):
            return self.as_number(name, self.content[name], limit)
        if default is None:
            self.refuse(name, "must be a number" if limit is None else limit.message)
        return default or ZERO

    def as_number(self, name: str, value: object, limit: Limit | None) -> Decimal:
        """Read a value as a number; `name` is the field it came from."""
        number = decimal_from(value)
        if isinstance(number, str):
            self.refuse_value(name, value, number, "D-1")
            return ZERO
        if limit is not None and not limit.holds(number):
            self.refuse_value(name, value, limit.message)
        return number

    def boolean(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        if not self.given(name):
            return default
        value = self.content[name]
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
            return default
        return value

    def word(self, name: str) -> str | None:
        """Read a short printable word, None when absent."""
        if not self.given(name):
            return None
        value = self.content[name]
        if not is_word(value):
            self.refuse(name, f"must be a word of at most {WORD_LENGTH_MAX} characters, or null")
            return None
        return str(value)

    def choice[T: StrEnum](self, name: str, kind: type[T]) -> T | None:
        """Read one of an enumeration's words; the field must be there."""
        value = self.content.get(name)
        known = [member.value for member in kind]
        if type(value) is str and value in known:
            return kind(value)
        self.refuse(name, f"must be one of {', '.join(known)}")
        return None

    def block(self, name: str) -> "Reader | None":
        """Read an object within this one, None when absent or no object."""
        if not self.given(name):
            return None
        value = self.content[name]
        if not isinstance(value, JsonObject):
            self.refuse(name, "must be an object, or left out")
            return None
        return Reader(value, self.errors, f"{self._prefix}{name}.", rule=self._rule)

    def items(self, name: str) -> "tuple[Reader, ...]":
        """Read a list of objects within this one, empty when absent; what is no object is refused and left out."""
        value = self.content.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(name, "must be a list, or left out")
            return ()
        found = []
        for index, item in enumerate(value):
            if isinstance(item, JsonObject):
                prefix = f"{self._prefix}{name}[{index}]."
                found.append(Reader(item, self.errors, prefix, rule=self._rule))
            else:
                self.refuse_value(f"{name}[{index}]", item, "must be an object: {…}")
        return tuple(found)

    def refuse_value(self, name: str, value: object, message: str, rule: str | None = None) -> None:
        """Note that a value is wrong that came from a field, or is part of it."""
        self._append(name, shown(value), message, rule)

    def _append(self, name: str, value: str, message: str, rule: str | None) -> None:
        field = self._prefix + name
        error = FieldError(field=field, value=value, message=message, rule=rule or self._rule)
        self.errors.append(error)


def is_word(value: object) -> bool:
    """Say whether a value is short printable text, and not a number."""
    return type(value) is str and 0 < len(value) <= WORD_LENGTH_MAX and value.isprintable()
