"""P-5: nothing but an entry can open, add to or reverse a position, and every exit can only reduce.

Two looks at it: what an order *could* do, when it is accepted, and what its fill *did*. Orders that the exchange
or an injected fault brought in are not the client's.
"""

from jumar.exchange.simulated.judge.replay import Fill, Step
from jumar.exchange.simulated.judge.state import ENTRY, AnyOrder
from jumar.exchange.simulated.judge.verdict import Verdicts


class ExposureWatch:
    """Looks at every order and every fill of the client."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._sides: dict[str, int] = {}

    def see(self, step: Step) -> None:
        """Take one change into account."""
        owner = step.order.owner
        if not owner.by_client:
            return
        if step.accepted:
            self._verdicts.check("P-5")
            self._accepted(step, owner)
        if step.fill is not None:
            self._filled(step, step.fill)

    def _accepted(self, step: Step, order: AnyOrder) -> None:
        if order.closes:
            return
        if order.role != ENTRY:
            self._broken(
                step,
                f"order of {order.quantity} is neither reduce-only nor closePosition, and no entry",
            )
        elif self._sides.setdefault(order.group, order.sign) != order.sign:
            self._broken(
                step, f"entry of {order.quantity} on the side against its group's first entry"
            )

    def _filled(self, step: Step, fill: Fill) -> None:
        moved = f"fill of {fill.quantity} took the position from {fill.before} to {fill.after}"
        if fill.order.role != ENTRY:
            if fill.adds:
                self._broken(step, f"{moved}, by an order that is no entry")
        elif fill.reduces and (fill.ended or fill.trade).by_client:
            self._broken(step, f"{moved}, by an entry: an exit must be reduce-only")

    def _broken(self, step: Step, message: str) -> None:
        self._verdicts.broken(
            "P-5",
            t=step.t,
            seq=step.seq,
            symbol=step.book.symbol,
            client_id=step.order.owner.client_id,
            message=message,
        )
