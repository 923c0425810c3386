"""Decimals as text, the only form in which money leaves the exchange. Knows nothing of meaning or precision."""

from decimal import Decimal

ZERO = Decimal(0)


def text(value: Decimal) -> str:
    """Plain decimal text: no exponent, no trailing zeros, never `-0`."""
    if not value:
        return "0"
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def padded(value: Decimal, places: int) -> str:
    """Plain decimal text with exactly `places` digits after the point."""
    return format(value, f".{places}f")
