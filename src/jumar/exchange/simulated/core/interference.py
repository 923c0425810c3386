"""What befalls orders and symbols by nobody's request: faults on order, beside what people do by the control surface.

It changes how the exchange behaves from now on: in which pieces orders fill, which filters hold, how much a conditional
order will execute. Nothing happens at once, so it needs no time. Knows no rule and no dice.
"""

from dataclasses import replace
from decimal import Decimal

from jumar.exchange.simulated.core.engine import Engine


class Interference:
    """The hand that reaches into one exchange."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def crumble(self, symbol: str, quantity: Decimal, until_ms: int) -> None:
        """Have a symbol's orders fill in pieces of at most `quantity`, one a step for resting ones, until a time."""
        step = self._engine.instruments[symbol].step_size
        self._engine.pieces[symbol] = (max(step, quantity - quantity % step), until_ms)

    def mend(self, symbol: str) -> None:
        """Have a symbol's orders fill as the market lets them."""
        self._engine.pieces.pop(symbol, None)

    def starve(self, symbol: str, client_id: str, part: Decimal) -> bool:
        """Have a waiting conditional order execute only a part when it fires; says whether there is one."""
        order = self._engine.conditionals.waiting(symbol, client_id)
        if order is not None:
            order.part = part
        return order is not None

    def refit(
        self,
        symbol: str,
        *,
        tick_size: Decimal | None = None,
        step_size: Decimal | None = None,
        min_notional: Decimal | None = None,
    ) -> bool:
        """Change filters of a symbol for all further requests; None keeps one. Resting orders stay as they are.

        Says whether it could: a grid must be a whole multiple of the present one.
        """
        now = self._engine.instruments[symbol]
        tick, step = tick_size or now.tick_size, step_size or now.step_size
        if tick % now.tick_size or step % now.step_size:
            return False
        # Filters count from the smallest value: it has to lie on the new grid.
        self._engine.instruments[symbol] = replace(
            now,
            tick_size=tick,
            step_size=step,
            min_price=_up(now.min_price, tick),
            min_quantity=_up(now.min_quantity, step),
            min_notional=min_notional or now.min_notional,
        )
        return True


def _up(value: Decimal, grid: Decimal) -> Decimal:
    return value if not value % grid else value - value % grid + grid
