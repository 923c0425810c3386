"""Amendments: a resting order that is asked to stand at another price, and what became of the wish (E-5, X-4 e).

An amendment names the *total* quantity of its order, what has filled included, and moves only its price. It is kept
with its order for good, so that the number of chases, the price that rests and the one that is only asked for can be
told after any restart.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class AmendmentState(StrEnum):
    """What became of it.

    ASKED: journaled, perhaps sent, outcome not known. DONE: the venue has shown its price. REFUSED: the venue answered
    with a code that means "not executed". ABSENT: never sent, or read with the old price after it could not be executed
    any more.
    """

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    ABSENT = "absent"


#: It did not move its order: it is no chase.
WITHOUT_EFFECT = frozenset({AmendmentState.REFUSED, AmendmentState.ABSENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One change of one order's price, as it is journaled.

    Attributes:
        number: counts from 1 within the order; the venue is told it.
        price: the limit price asked for, quote currency.
        quantity: the order's total quantity, base currency.
        rule, cause: the rule id and the sentence with the numbers that led to it.
        timestamp_ms: the signed timestamp of the request; it dies at the venue `recvWindow` later.
        code: the venue's error code when it was refused.
        told_ms: exchange time at which its state was known, None while it is asked.
    """

    number: int
    price: Decimal
    quantity: Decimal
    rule: str
    cause: str
    timestamp_ms: int
    state: AmendmentState = AmendmentState.ASKED
    code: int | None = None
    told_ms: int | None = None
