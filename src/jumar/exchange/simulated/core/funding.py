"""The rates that were paid: one row a symbol and funding time, since the exchange began. Pure."""

from collections import deque
from decimal import Decimal
from typing import NamedTuple

ROWS_KEPT = 10_000  # at three a day more than nine years of a symbol


class Funded(NamedTuple):
    """One funding: what longs paid shorts as a part of the notional at the mark price, due at a time (Unix ms)."""

    symbol: str
    due_ms: int
    rate: Decimal
    mark: Decimal


type Fundings = deque[Funded]


def no_fundings() -> Fundings:
    """The history of an exchange that has just begun."""
    return deque(maxlen=ROWS_KEPT)
