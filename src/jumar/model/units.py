"""Decimal arithmetic on grids: ticks for prices, steps for quantities.

Promises exact results: everything is `Decimal`, nothing passes through a binary float. Knows nothing of
which direction is safe; the caller says so by choosing `floor_to` or `ceil_to`.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
PERCENT = Decimal("0.01")


def floor_to(value: Decimal, grid: Decimal) -> Decimal:
    """Return the largest multiple of `grid` that is not above `value`."""
    return (value / grid).to_integral_value(rounding=ROUND_FLOOR) * grid


def ceil_to(value: Decimal, grid: Decimal) -> Decimal:
    """Return the smallest multiple of `grid` that is not below `value`."""
    return (value / grid).to_integral_value(rounding=ROUND_CEILING) * grid


def text(value: Decimal) -> str:
    """Return plain decimal text without exponent or trailing zeros: `0.0130` is `0.013`."""
    if value == ZERO:
        return "0"
    return format(value.normalize(), "f")


def percent_of(part: Decimal, whole: Decimal) -> Decimal:
    """Return `part` as a percentage of `whole`, with four decimals, for messages."""
    return (part / whole * 100).quantize(Decimal("0.0001"))
