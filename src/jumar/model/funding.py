"""Funding: what a position pays, or is paid, at the venue's funding times."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from jumar.model.units import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingPayment:
    """One payment for one symbol's position.

    Attributes:
        payment_id: the venue's own number; a payment told twice counts once.
        amount: quote currency; negative when it was paid, positive when it was received.
        time_ms: exchange time of the payment.
    """

    payment_id: int
    amount: Decimal
    time_ms: int


def total(payments: Iterable[FundingPayment]) -> Decimal:
    """Return the sum, quote currency: negative when more was paid than received."""
    return sum((payment.amount for payment in payments), start=ZERO)
