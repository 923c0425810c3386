"""What each of Binance's error codes means for the request that got it: one table.

`table` holds the rows, `rows` what a row says, `outage` the kinds of server errors, `page` the table as people read
it. A code without a row is *ask* and proves nothing.
"""

from jumar.exchange.binance.errors.outage import Outage, outage_of
from jumar.exchange.binance.errors.rows import Action, Remedy, Row
from jumar.exchange.binance.errors.table import (
    KEY_CODES,
    TABLE,
    TRANSIENT_CODES,
    banned_until_ms,
    row_for,
)

NOT_SENT = 0
"""The code of a `Rejected` that never left this machine; the venue's own codes are never zero."""

__all__ = [
    "KEY_CODES",
    "NOT_SENT",
    "TABLE",
    "TRANSIENT_CODES",
    "Action",
    "Outage",
    "Remedy",
    "Row",
    "banned_until_ms",
    "outage_of",
    "row_for",
]
