"""The shape of a decision: which numbers, words and sizes its fields may have.

One table, read by the decoder and by the schema that is made from it, so that the two cannot differ (D-9). Knows
nothing of how fields depend on one another, such as the order of the levels.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.units import ONE, ZERO

NUMBER_LENGTH_MAX = 64
DIGITS_MAX = 28  # what `Decimal` keeps in arithmetic
EXPONENT_MIN, EXPONENT_MAX = -18, 14
WORD_LENGTH_MAX = 64
RISK_CHECKS_MAX = 32
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?"
MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
ZONE = r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a number must be beyond a number.

    Attributes:
        above: excluded lower end. least, most: included ends.
        whole: whether it must be a whole number.
        message: what to write instead.
    """

    message: str
    above: Decimal | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    whole: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a finite number is allowed."""
        return (
            (self.above is None or value > self.above)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (not self.whole or value == value.to_integral_value())
        )


ABOVE_ZERO = Limit(above=ZERO, message="must be above 0")
NOT_NEGATIVE = Limit(least=ZERO, message="must not be below 0")
LEVERAGE = Limit(least=ONE, message="must be at least 1")
CONFIDENCE = Limit(least=ZERO, most=ONE, message="must be between 0 and 1")
FRACTION = Limit(above=ZERO, most=ONE, message="must be above 0, at most 1")
RISK_LEVEL = Limit(
    least=Decimal(-(10**6)), most=Decimal(10**6), whole=True, message="must be a whole number"
)

#: The amounts of an entry, each of which must be there; a flat decision may leave them out.
OF_ENTRY = {"position_size_usdt": ABOVE_ZERO, "leverage": LEVERAGE, "confidence": CONFIDENCE}
OF_FLAT = {"position_size_usdt": NOT_NEGATIVE, "leverage": NOT_NEGATIVE, "confidence": CONFIDENCE}
PRICES = ("sl", "tp1", "tp2")
