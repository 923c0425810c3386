"""How well one symbol is seen: since when no read is answered, and what the last reads said of liquidation (M-2, M-3).

Fed by whoever reads; no I/O, no clock. Forgotten over a restart: it is found anew by the next reads.
"""

from jumar.model.account import Liquidation, PositionReport
from jumar.model.order import Side
from jumar.model.units import ZERO
from jumar.model.world import Observed

#: How many readings of the liquidation price are kept.
LIQUIDATIONS_KEPT = 3


class Senses:
    """One symbol's.

    Attributes:
        unanswered_ms: exchange time of the first read since the last answered one that got no answer.
        liquidations: the venue's liquidation prices in an unbroken run of reads of an open position, oldest first.
    """

    def __init__(self) -> None:
        self.unanswered_ms: int | None = None
        self.liquidations: tuple[Observed[Liquidation], ...] = ()

    def saw_answer(self) -> None:
        """A read was answered, with whatever."""
        self.unanswered_ms = None

    def saw_silence(self, now_ms: int) -> None:
        """A read got no answer."""
        if self.unanswered_ms is None:
            self.unanswered_ms = now_ms

    def saw_position(self, seen: Observed[PositionReport]) -> None:
        """Take in a position read, newer than the last one."""
        price, held = seen.value.liquidation_price, seen.value.quantity
        if price is None or not held:
            self.liquidations = ()
            return
        side = Side.BUY if held > ZERO else Side.SELL
        value = Liquidation(side=side, price=price)
        told = Observed(value=value, at_ms=seen.at_ms, source=seen.source)
        self.liquidations = (*self.liquidations, told)[-LIQUIDATIONS_KEPT:]
