"""P-4, its quantity: a group's entries never fill more than its first entry order asked for.

Knows no plan but that first order; how many orders, retries or amendments led there makes no difference.
"""

from decimal import Decimal

from jumar.exchange.simulated.judge.replay import Fill, Step
from jumar.exchange.simulated.judge.state import ENTRY, ZERO
from jumar.exchange.simulated.judge.verdict import Verdicts


class QuantityWatch:
    """Adds up the entry fills of every group."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._planned: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}

    def see(self, step: Step) -> None:
        """Take one change into account."""
        owner = step.order.owner
        if owner.role != ENTRY:
            return
        # A fill may stand before the first record of its order; the quantity asked for is the same.
        self._planned.setdefault(owner.group, owner.quantity or ZERO)
        if step.fill is not None:
            self._add(step, step.fill)

    def _add(self, step: Step, fill: Fill) -> None:
        group = fill.order.group
        planned, before = self._planned[group], self._filled.get(group)
        if before is None:
            self._verdicts.check("P-4")
        filled = self._filled[group] = (before or ZERO) + fill.quantity
        if filled > planned >= (before or ZERO):
            self._verdicts.broken(
                "P-4",
                t=step.t,
                seq=step.seq,
                symbol=step.book.symbol,
                client_id=fill.order.client_id,
                message=f"entries of {group} filled {filled}, its first entry order asked for {planned}",
            )
