"""countdownCancelAll: a symbol's orders are cancelled by the exchange unless the client puts it off in time.

One countdown a symbol; each request replaces it. Whether conditional orders go too is a reading: the page does not
say. What it cancels is recorded as the exchange's work.
"""

from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import Cause, OrderStatus
from jumar.exchange.simulated.core.triggers import Triggers


class Countdown:
    """The countdowns of the account."""

    def __init__(self, engine: Engine, triggers: Triggers) -> None:
        self._engine = engine
        self._triggers = triggers
        self._due: dict[str, int] = {}

    def set(self, symbol: str, countdown_ms: int, now_ms: int) -> None:
        """Cancel the symbol's orders in so many ms; zero takes the countdown away."""
        self._due.pop(symbol, None)
        if countdown_ms:
            due_ms = self._due[symbol] = now_ms + countdown_ms
            self._engine.deadlines.at(
                due_ms,
                lambda now: self._run(symbol, due_ms, now),
                lambda: self._due.get(symbol) != due_ms,
            )

    def _run(self, symbol: str, due_ms: int, now_ms: int) -> None:
        if self._due.get(symbol) != due_ms:
            return
        del self._due[symbol]
        for order in self._engine.orders.open(symbol):
            self._engine.end(order, OrderStatus.CANCELED, Cause.EXCHANGE, now_ms)
        if self._engine.readings.countdown_cancels_conditional == "yes":
            for conditional in self._engine.conditionals.open(symbol):
                self._triggers.cancel(conditional, Cause.EXCHANGE, now_ms)
