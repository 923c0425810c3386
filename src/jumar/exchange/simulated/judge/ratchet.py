"""P-2: no command of the client makes the effective stop looser.

The effective stop is the tightest live stop that alone covers the position. Promises: only a client's record
can break it; what others loosened is the client's affair again only when it puts a stop back looser than the
trade ever had; one excursion below the best is counted once, unless a further command loosens it again.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.judge.replay import Step
from jumar.exchange.simulated.judge.state import Book, Trade
from jumar.exchange.simulated.judge.verdict import Verdicts


@dataclass(slots=True, kw_only=True)
class _Ratchet:
    """One trade's stop.

    Attributes:
        effective: trigger price now, None while nothing covers.
        best: the tightest it ever was.
        charged: the present excursion below the best is already counted.
    """

    trade: Trade
    effective: Decimal | None = None
    best: Decimal | None = None
    charged: bool = False


class RatchetWatch:
    """Follows the effective stop of every trade from its first fill on."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._ratchets: dict[str, _Ratchet] = {}
        self.widened = 0

    def see(self, step: Step) -> None:
        """Take one change into account."""
        book, trade = step.book, step.book.trade
        if trade is None:
            return
        ratchet = self._ratchets.get(book.symbol)
        if ratchet is None or ratchet.trade is not trade:
            ratchet = self._ratchets[book.symbol] = _Ratchet(trade=trade)
        effective = _effective(book)
        if effective == ratchet.effective:
            return
        self._move(ratchet, effective, step)

    def _move(self, ratchet: _Ratchet, effective: Decimal | None, step: Step) -> None:
        before, ratchet.effective = ratchet.effective, effective
        if effective is None:
            return
        if ratchet.best is None:
            self._verdicts.check("P-2")
        sign = ratchet.trade.sign
        if ratchet.best is None or (effective - ratchet.best) * sign >= 0:
            ratchet.best, ratchet.charged = effective, False
            return
        loosened = before is not None and (effective - before) * sign < 0
        if step.by_client and (loosened or not ratchet.charged):
            ratchet.charged = True
            self._charge(ratchet, before, step)

    def _charge(self, ratchet: _Ratchet, before: Decimal | None, step: Step) -> None:
        self.widened += 1
        was = "nothing" if before is None else f"{before}"
        self._verdicts.broken(
            "P-2",
            t=step.t,
            seq=step.seq,
            symbol=step.book.symbol,
            client_id=step.order.owner.client_id,
            message=f"effective stop from {was} to {ratchet.effective}; the trade already had {ratchet.best}",
        )


def _effective(book: Book) -> Decimal | None:
    triggers = [stop.trigger for stop in book.full_size_stops()]
    if not triggers:
        return None
    return max(triggers) if book.sign > 0 else min(triggers)
