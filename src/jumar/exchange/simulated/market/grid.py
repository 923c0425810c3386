"""The grids of an instrument: prices on its tick, quantities on a step that every instrument takes.

Pure. Promises that a price leaves here as a whole number of ticks and that a quantity leaves here as a
whole number of units, at least one. Does not know the instrument's real step size: the unit is coarse
enough to be a multiple of it for every listed symbol that is worth trading.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

UNIT_VALUE_MAX = Decimal(200)
"""A unit of quantity is worth at most this much quote currency (BTC at 100,000: 0.001)."""


def floor_to_tick(price: Decimal, tick_size: Decimal) -> Decimal:
    """The highest price on the grid that is not above `price`."""
    return _multiple(price, tick_size, ROUND_FLOOR)


def ceil_to_tick(price: Decimal, tick_size: Decimal) -> Decimal:
    """The lowest price on the grid that is not below `price`."""
    return _multiple(price, tick_size, ROUND_CEILING)


def nearest_tick(price: Decimal, tick_size: Decimal) -> Decimal:
    """The nearest price on the grid, at least one tick."""
    return max(_multiple(price, tick_size, ROUND_HALF_EVEN), tick_size)


def quantity_unit(price: Decimal) -> Decimal:
    """The largest power of ten, at most 1, of base currency worth at most `UNIT_VALUE_MAX`."""
    unit = Decimal(1)
    while unit * price > UNIT_VALUE_MAX:
        unit = unit.scaleb(-1)
    return unit


def nearest_unit(quantity: Decimal, unit: Decimal) -> Decimal:
    """The nearest whole number of units, at least one: a crumb stays a crumb, never nothing."""
    return max(_multiple(quantity, unit, ROUND_HALF_EVEN), unit)


def _multiple(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    """A whole number of steps, written with the step's own decimals."""
    return ((value / step).to_integral_value(rounding) * step).quantize(step)
