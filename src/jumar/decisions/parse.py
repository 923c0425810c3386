"""Bytes to JSON, or why not: the part of reading that a half-written file can fail (D-5).

Promises that no bytes raise, that numbers keep their text (`NumberText`) and that a key given twice has no value. Knows nothing of fields.
"""

import json
from collections import Counter
from dataclasses import dataclass

from jumar.model.decision import FieldError

SIZE_MAX = 1024 * 1024
RAW_KEPT_MAX = 16 * 1024
VALUE_SHOWN_MAX = 60
WHOLE = "(file)"


class NumberText(str):
    """A JSON number as it was written; a JSON string is a plain `str`."""

    __slots__ = ()


class GivenTwice:
    """Stands for the value of a key that was given more than once: whoever reads the key refuses it."""

    def __repr__(self) -> str:
        """What a person reads in the refusal."""
        return "(given more than once)"


class JsonObject(dict[str, object]):
    """A JSON object in which a contradiction does not silently become its last word."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        if len(self) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            self |= {name: GivenTwice() for name, count in counts.items() if count > 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsed:
    """A content that is not JSON, at least not yet."""

    error: FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A JSON value of any shape."""

    value: object


def parse(data: bytes) -> Parsed | Unparsed:
    """Parse a decision file's bytes; never raises."""
    if len(data) > SIZE_MAX:
        return _unparsed("(too large)", f"must not be larger than {SIZE_MAX} bytes")
    if not data.strip():
        return _unparsed("(empty)", "must be a JSON object")
    try:
        # Some systems begin a UTF-8 file with a byte order mark.
        text = data.decode("utf-8-sig")
        value = json.loads(
            text,
            parse_int=NumberText,
            parse_float=NumberText,
            parse_constant=NumberText,
            object_pairs_hook=JsonObject,
        )
    except UnicodeDecodeError as error:
        return _unparsed(
            f"byte 0x{data[error.start]:02x} at position {error.start}", "must be UTF-8 text"
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        rest = error.doc[error.pos :]
        found = shown(rest) if rest.strip() else "(the file ends)"
        return _unparsed(found, f"is not JSON at {where}: {error.msg}")
    except RecursionError:
        return _unparsed("(deep)", "is nested too deeply: must be one JSON object")
    return Parsed(value=value)


def kept(data: bytes) -> str:
    """Return the text for the record: readable whatever the bytes were, cut to a sane length."""
    text = data[:RAW_KEPT_MAX].decode("utf-8", errors="backslashreplace").replace("\x00", "\\x00")
    return text[:RAW_KEPT_MAX]


def shown(value: object) -> str:
    """Return a value as written, short and on one line, for a message to a person."""
    match value:
        case NumberText():
            written = str(value)
        case str() | bool() | None:
            written = json.dumps(value[:VALUE_SHOWN_MAX] if isinstance(value, str) else value)
        case dict():
            written = "{…}" if value else "{}"
        case list():
            written = "[…]" if value else "[]"
        case _:
            written = repr(value)
    return written if len(written) <= VALUE_SHOWN_MAX else written[: VALUE_SHOWN_MAX - 1] + "…"


def _unparsed(value: str, message: str) -> Unparsed:
    return Unparsed(error=FieldError(field=WHOLE, value=value, message=message, rule="D-5"))
