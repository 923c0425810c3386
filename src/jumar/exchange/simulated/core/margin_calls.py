"""Margin calls: the account is told when a margin is nearly used up, once each time it comes to that.

The real exchange says no more than that the risk is "too high" and that nobody should rely on being told (page "Event:
Margin Call", read 2026-09). Here it is when the maintenance margin has come to `CALL_SHARE` of the margin. It moves nothing.
"""

from collections.abc import Iterable
from decimal import Decimal

from jumar.exchange.simulated.core.account import Account
from jumar.exchange.simulated.core.chronicle import Chronicle
from jumar.exchange.simulated.core.dialect.events import margin_call, margin_call_row
from jumar.exchange.simulated.core.position import Position

CALL_SHARE = Decimal("0.8")
CROSSED = ("crossed", "")

#: A position with its mark price and the maintenance margin it must have.
type Needy = tuple[Position, Decimal, Decimal]


class MarginCalls:
    """Remembers who was told."""

    def __init__(self, account: Account, chronicle: Chronicle) -> None:
        self._account = account
        self._chronicle = chronicle
        #: When the newest of the positions began that somebody was last told about.
        self._called: dict[tuple[str, str], int] = {}

    def isolated(self, of: Needy, margin: Decimal, now_ms: int) -> None:
        """Look at an isolated position that has so much margin, unrealized profit included."""
        position, _, needed = of
        who = (position.symbol, position.side.value)
        if self._passed(who, position.opened_ms, needed, margin):
            row = margin_call_row(*of)
            self._chronicle.emit(margin_call([row], None, now_ms))

    def crossed(self, held: Iterable[Needy], margin: Decimal, now_ms: int) -> None:
        """Look at the crossed positions, which have so much margin together."""
        rows = list(held)
        began_ms = max(position.opened_ms for position, _, _ in rows)
        needed = sum((row[2] for row in rows), Decimal(0))
        if self._passed(CROSSED, began_ms, needed, margin):
            wallet = self._account.cross_wallet
            told = [margin_call_row(*row) for row in rows]
            self._chronicle.emit(margin_call(told, wallet, now_ms))

    def _passed(
        self, who: tuple[str, str], began_ms: int, needed: Decimal, margin: Decimal
    ) -> bool:
        """Whether the threshold was passed since the last look, or by another position than the one called before."""
        if needed <= CALL_SHARE * margin:
            self._called.pop(who, None)
            return False
        fresh = self._called.get(who) != began_ms
        self._called[who] = began_ms
        return fresh
