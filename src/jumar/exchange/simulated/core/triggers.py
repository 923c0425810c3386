"""Conditional orders from acceptance to their end: NEW, TRIGGERING, TRIGGERED, FINISHED, or an early end.

A fired order becomes a market order of its own, with its own order id and the client id of its parent, and executes
at once against the step's book. Reduce-only without anything to reduce is rejected at the trigger with the reason
"Reduce Only reject"; quantity orders outlive the position they were meant for. No margin is checked before the trigger
(Binance derivatives change log 2025-11-06). Knows no wire and no request.
"""

from jumar.exchange.simulated.core.conditional import (
    OPEN_LIMIT,
    Conditional,
    ConditionalStatus,
    fires,
    fires_at_once,
    firing_order,
)
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.orders import Cause, Order, OrderType, TimeInForce
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO

REDUCE_ONLY_REJECT = "Reduce Only reject"
SPOILED = "Margin is insufficient."


class Triggers:
    """The conditional side of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, order: Conditional, now_ms: int) -> None:
        """Accept a conditional order.

        Raises:
            Refusal: -4116, -4045, -4130, -4509, -2021.
        """
        self._admit(order)
        self._engine.conditionals.add(order)
        self._engine.chronicle.conditional(order, Cause.CLIENT, now_ms)

    def cancel(self, order: Conditional, cause: Cause, now_ms: int) -> None:
        """Remove a waiting order."""
        self._end(order, ConditionalStatus.CANCELED, cause, now_ms)

    def run(self, step: MarketStep, now_ms: int) -> None:
        """Fire what the step fires, in the order in which the prices were reached."""
        waiting = self._engine.conditionals.open(step.symbol)
        if not waiting:
            return
        protect = self._engine.instruments[step.symbol].trigger_protect
        fired = [order for order in waiting if fires(order, step, protect)]
        for order in sorted(fired, key=firing_order):
            # An earlier one of this step may have closed the position and thereby ended this one.
            if order.waiting:
                self._engine.chronicle.market(step, now_ms)
                self._fire(order, now_ms)

    def _admit(self, order: Conditional) -> None:
        book = self._engine.conditionals
        waiting = book.open()
        if any(other.client_id == order.client_id for other in waiting):
            raise Refusal(-4116)
        if len(waiting) >= OPEN_LIMIT:
            raise Refusal(-4045)
        if order.close_position:
            self._admit_close_position(order)
        if fires_at_once(order, self._engine.market(order.symbol)):
            raise Refusal(-2021)

    def _admit_close_position(self, order: Conditional) -> None:
        twins = self._engine.conditionals.open(order.symbol)
        if any(t.close_position and t.type is order.type and t.side is order.side for t in twins):
            raise Refusal(-4130)
        if not self._engine.account.position(order.symbol).closable(order.side):
            raise Refusal(-4509)

    def _fire(self, order: Conditional, now_ms: int) -> None:
        order.triggered_ms = now_ms
        order.status = ConditionalStatus.TRIGGERING
        self._engine.conditionals.retire(order)
        self._engine.chronicle.conditional(order, Cause.MARKET, now_ms)
        if order.spoiled:
            order.reason = SPOILED
            self._end(order, ConditionalStatus.REJECTED, Cause.FAULT, now_ms)
            return
        try:
            child = self._child(order, now_ms)
        except Refusal as refusal:
            order.reason = REDUCE_ONLY_REJECT if refusal.code == -2022 else refusal.message
            self._end(order, ConditionalStatus.REJECTED, Cause.EXCHANGE, now_ms)
            return
        self._engine.accept(child, Cause.MARKET, now_ms)
        order.child_order_id = child.order_id
        order.status = ConditionalStatus.TRIGGERED
        self._engine.chronicle.conditional(order, Cause.MARKET, now_ms)
        self._engine.execute(child, now_ms)
        order.executed, order.average = child.filled, child.average
        self._end(order, ConditionalStatus.FINISHED, Cause.MARKET, now_ms)
        self._engine.sweep(order.symbol, now_ms)

    def _child(self, order: Conditional, now_ms: int) -> Order:
        closable = self._engine.account.position(order.symbol).closable(order.side)
        quantity = closable if order.quantity is None else order.quantity
        child = Order(
            order_id=self._engine.orders.next_id(),
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
            price=ZERO,
            quantity=quantity,
            reduce_only=order.reduce_only,
            created_ms=now_ms,
            updated_ms=now_ms,
            self_trade_prevention=order.self_trade_prevention,
            close_position=order.close_position,
            parent_algo_id=order.algo_id,
            orig_type=order.type.value,
            trigger=order.trigger,
            working_type=order.working_type.value,
        )
        self._engine.admit(child)
        return child

    def _end(
        self, order: Conditional, status: ConditionalStatus, cause: Cause, now_ms: int
    ) -> None:
        order.status = status
        self._engine.conditionals.retire(order)
        self._engine.chronicle.conditional(order, cause, now_ms)
