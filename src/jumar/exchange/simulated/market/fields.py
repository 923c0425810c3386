"""Fields of a recorded line: text in, checked numbers and times out.

Pure. Promises that whatever cannot be meant is refused with the field's name. Does not know formats.
"""

from decimal import Decimal, InvalidOperation

from jumar.exchange.simulated.market.records import Quote

_YEAR_10000_MS = 253_402_300_800_000


def positive(text: str | Decimal, field: str) -> Decimal:
    """A finite number above zero.

    Raises:
        ValueError: it is none; names the field.
    """
    value = _number(text, field)
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{field} {text} is not a finite number above zero")
    return value


def not_negative(text: str, field: str) -> Decimal:
    """A finite number of at least zero.

    Raises:
        ValueError: it is none; names the field.
    """
    value = _number(text, field)
    if not value.is_finite() or value < 0:
        raise ValueError(f"{field} {text} is not a finite number of at least zero")
    return value


def rate(text: str, field: str) -> Decimal:
    """A part of a notional, between -1 and 1.

    Raises:
        ValueError: it is none; names the field.
    """
    value = _number(text, field)
    if not value.is_finite() or abs(value) > 1:
        raise ValueError(f"{field} {text} is no rate; 0.0001 is one")
    return value


def _number(text: str | Decimal, field: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{field} {text!r} is not a number") from None


def time_ms(text: str, field: str, *, per_ms: int = 1) -> int:
    """A time in milliseconds since 1970, from text that counts `per_ms` to the millisecond.

    Raises:
        ValueError: it is none; names the field.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{field} {text!r} is not a time")
    return moment(int(text) // per_ms, field)


def moment(at_ms: int, field: str) -> int:
    """A time in milliseconds between 1970 and 9999.

    Raises:
        ValueError: it is none; names the field.
    """
    if not 0 < at_ms < _YEAR_10000_MS:
        raise ValueError(f"{field} {at_ms} ms is not a time between 1970 and 9999")
    return at_ms


def split(line: str, count: int) -> list[str]:
    """The fields of a line of comma-separated values.

    Raises:
        ValueError: there are more or fewer than `count`.
    """
    fields = line.split(",")
    if len(fields) != count:
        raise ValueError(f"{len(fields)} fields where {count} belong")
    return fields


def side(text: str, field: str, *, buy: str, sell: str) -> str:
    """`BUY` or `SELL`, from what a format writes for either.

    Raises:
        ValueError: it is neither; names the field.
    """
    if text == buy:
        return "BUY"
    if text == sell:
        return "SELL"
    raise ValueError(f"{field} {text!r} is neither {buy} nor {sell}")


def quote(
    at_ms: int,
    bid: str | Decimal,
    bid_quantity: str | Decimal,
    ask: str | Decimal,
    ask_quantity: str | Decimal,
) -> Quote:
    """A best bid and ask that make a market.

    Raises:
        ValueError: a number is not above zero, or the bid not below the ask.
    """
    found = Quote(
        at_ms,
        positive(bid, "bid"),
        positive(bid_quantity, "bid quantity"),
        positive(ask, "ask"),
        positive(ask_quantity, "ask quantity"),
    )
    if found.bid >= found.ask:
        raise ValueError(f"bid {bid} is not below ask {ask}")
    return found
