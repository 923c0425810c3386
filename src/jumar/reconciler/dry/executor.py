"""An executor that sends nothing: what a plan wants stays a wish.

The trade of a plan is taken into the process's memory, so that a later tick plans on from it; its orders are not,
because none exists. Promises that no write of the exchange is called.
"""

from jumar.model.command import Command, Plan, SetLeverage, SetMarginMode
from jumar.model.outcome import Outcome
from jumar.ports.observer import Executed
from jumar.reconciler.dry.exchange import ExchangeWithoutWrites
from jumar.reconciler.execute import Executor


class DryExecutor(Executor):
    """Takes the approved commands of one symbol and lets none of them leave."""

    async def run(self, plan: Plan) -> tuple[Executed, ...]:
        """Record the trade in memory; a stop that was never sent is no reason to close the position (S-7)."""
        executed = await super().run(plan)
        self._state.saw_cover(uncovered=False, now_ms=self._clock.now_ms())
        return executed

    async def _send(self, command: Command) -> Outcome | None:
        """Send nothing; a setting is taken as set, so that the plan goes on to its first order (E-4)."""
        if isinstance(self._exchange, ExchangeWithoutWrites):
            match command:
                case SetLeverage():
                    self._exchange.suppose(command.symbol, leverage=command.leverage)
                case SetMarginMode():
                    self._exchange.suppose(command.symbol, margin_mode=command.mode)
                case _:
                    return None
            self._state.settings_due = True
            self._state.settings = None
        return None
