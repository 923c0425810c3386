"""Conditional orders from acceptance to their end: NEW, TRIGGERING, TRIGGERED, FINISHED, or an early end.

A fired order becomes a regular order of its own, with its own order id: a market order that executes at once against
the step's book, or the limit order of a STOP or TAKE_PROFIT, which may rest; the conditional order is FINISHED when
that order has ended. Reduce-only without anything to reduce is rejected at the trigger with the reason "Reduce Only
reject"; quantity orders outlive the position they were meant for. No margin is checked before the trigger (Binance
derivatives change log 2025-11-06). Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.admission import limit_band
from jumar.exchange.simulated.core.conditional import (
    OPEN_LIMIT,
    Conditional,
    ConditionalStatus,
    ConditionalType,
    activate,
    fires_at_once,
    firing_order,
    follow,
    held_back,
    price_now,
    reached,
)
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import matched_price
from jumar.exchange.simulated.core.orders import (
    Cause,
    Order,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from jumar.exchange.simulated.core.refusal import Refusal

REDUCE_ONLY_REJECT = "Reduce Only reject"
SPOILED = "Margin is insufficient."


class Triggers:
    """The conditional side of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def place(self, order: Conditional, now_ms: int) -> None:
        """Accept a conditional order.

        Raises:
            Refusal: -4116 or what a reading says instead, -4045, -2025, -4130, -4509, -2021.
        """
        self._admit(order, now_ms)
        if order.trails and not order.activate_price:
            activate(order, price_now(order, self._engine.market(order.symbol)))
        self._engine.conditionals.add(order)
        self._engine.chronicle.conditional(order, Cause.CLIENT, now_ms)
        if order.good_till_ms:
            self._engine.deadlines.at(
                order.good_till_ms, lambda now: self._till(order, now), lambda: not order.waiting
            )

    def cancel(self, order: Conditional, cause: Cause, now_ms: int) -> None:
        """Remove a waiting order."""
        self._end(order, ConditionalStatus.CANCELED, cause, now_ms)

    def run(self, step: MarketStep, now_ms: int) -> None:
        """Fire what the step fires, in the order in which the prices were reached."""
        waiting = self._engine.conditionals.open(step.symbol)
        if not waiting:
            return
        for order in waiting:
            if order.trails and follow(order, step):
                self._engine.chronicle.conditional(order, Cause.MARKET, now_ms)
        fired = [order for order in waiting if reached(order, step)]
        if fired:
            self._run(self._unprotected(fired, step, now_ms), step, now_ms)

    def _run(self, fired: list[Conditional], step: MarketStep, now_ms: int) -> None:
        fired.sort(key=firing_order)
        if self._engine.readings.closeposition_may_reverse == "yes":
            for order in fired:
                self._size(order)
        for order in fired:
            # An earlier one of this step may have closed the position and thereby ended this one.
            if order.waiting or order.closes:
                self._engine.chronicle.market(step, now_ms)
                self._fire(order, now_ms)

    def _size(self, order: Conditional) -> None:
        """A closePosition order looks at the position now, and nothing that follows ends it."""
        if order.close_position:
            order.closes = self._engine.closable(order)
            if order.closes:
                self._engine.conditionals.retire(order)

    def _unprotected(
        self, fired: list[Conditional], step: MarketStep, now_ms: int
    ) -> list[Conditional]:
        protect = self._engine.instruments[step.symbol].trigger_protect
        free = list[Conditional]()
        for order in fired:
            if not held_back(order, step, protect):
                free.append(order)
            elif self._engine.readings.priceprotect == "expire":
                self._engine.expire(order, now_ms)
        return free

    def _admit(self, order: Conditional, now_ms: int) -> None:
        book = self._engine.conditionals
        waiting = book.open()
        if any(other.client_id == order.client_id for other in waiting):
            raise Refusal(int(self._engine.readings.dup_algo_id))
        if self._engine.readings.id_namespace == "shared" and any(
            other.client_id == order.client_id for other in self._engine.orders.open()
        ):
            raise Refusal(-4116)
        if self._engine.readings.dup_id_after_fill == "reject":
            before = book.find(algo_id=None, client_id=order.client_id)
            if before is not None and before.executed:
                raise Refusal(-4116)
        if len(waiting) >= OPEN_LIMIT:
            raise Refusal(-4045)
        if self._engine.readings.conditional_counts_as_order == "yes":
            self._engine.admit_one_more(order.symbol)
        self._admit_beside(order)
        if order.needs_position:
            self._admit_position(order, now_ms)
        self._admit_price(order)

    def _admit_beside(self, order: Conditional) -> None:
        strict = self._engine.readings.quantity_stop_beside_closeposition == "reject"
        for twin in self._engine.conditionals.open(order.symbol):
            if _place(twin) != _place(order):
                continue
            closing = (twin.close_position, order.close_position)
            if all(closing) or (strict and any(closing)):
                raise Refusal(-4130)

    def _admit_position(self, order: Conditional, now_ms: int) -> None:
        position = self._engine.account.position(order.symbol, order.position_side)
        if not position.closable(order.side):
            raise Refusal(-4509)
        if now_ms < position.opened_ms + self._engine.readings.gte_lag_ms:
            raise Refusal(-4509)

    def _admit_price(self, order: Conditional) -> None:
        step = self._engine.market(order.symbol)
        if not order.trails:
            if fires_at_once(order, step):
                raise Refusal(-2021)
        elif order.activate_price and order.side.reaches(
            order.activate_price, price_now(order, step)
        ):
            raise Refusal(-2021)

    def _fire(self, order: Conditional, now_ms: int) -> None:
        order.triggered_ms = now_ms
        order.status = ConditionalStatus.TRIGGERING
        self._engine.conditionals.retire(order)
        self._engine.chronicle.conditional(order, Cause.MARKET, now_ms)
        delay_ms = self._engine.readings.triggering_ms
        if delay_ms:
            self._engine.deadlines.at(now_ms + delay_ms, lambda now: self._send(order, now))
        else:
            self._send(order, now_ms)

    def _send(self, order: Conditional, now_ms: int) -> None:
        """The fired order reaches the engine."""
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
        with self._engine.chronicle.algo_last(
            on=self._engine.readings.event_order == "trade_first"
        ):
            self._engine.chronicle.conditional(order, Cause.MARKET, now_ms)
            self._engine.execute(child, now_ms)
        self._engine.sweep(order.symbol, now_ms)

    def _child(self, order: Conditional, now_ms: int) -> Order:
        closable = self._engine.closable(order)
        quantity = (order.closes or closable) if order.quantity is None else order.quantity
        strict = self._engine.readings.oversize_stop == "reject" and not order.close_position
        if strict and order.reduce_only and quantity > closable:
            raise Refusal(-2022)
        order_id = self._engine.orders.next_id()
        own_id = self._engine.readings.child_client_id == "own"
        price = order.price
        if order.price_match != "NONE":
            step = self._engine.market(order.symbol)
            price = matched_price(order.side, order.price_match, step)
        child = Order(
            order_id=order_id,
            client_id=f"sim-{order_id}" if own_id else order.client_id,
            symbol=order.symbol,
            side=order.side,
            type=order.type.child,
            time_in_force=_time_in_force(order),
            price=price,
            quantity=quantity,
            most=None if order.part is None else self._part(order, quantity),
            reduce_only=order.reduce_only and not (order.closes and _may_turn(order)),
            created_ms=now_ms,
            updated_ms=now_ms,
            position_side=order.position_side,
            self_trade_prevention=order.self_trade_prevention,
            close_position=order.close_position,
            price_protect=order.price_protect,
            price_match=order.price_match,
            good_till_ms=order.good_till_ms,
            parent_algo_id=order.algo_id,
            orig_type=order.type.value,
            activate_price=order.activate_price,
            callback_rate=order.callback_rate,
            trigger=order.trigger,
            working_type=order.working_type.value,
        )
        if child.type is OrderType.LIMIT:
            instrument = self._engine.instruments[order.symbol]
            limit_band(child, instrument, self._engine.market(order.symbol).mark)
        self._engine.admit(child)
        return child

    def _part(self, order: Conditional, quantity: Decimal) -> Decimal:
        """What a starved order may execute, at least one step."""
        step = self._engine.instruments[order.symbol].step_size
        wanted = quantity * (order.part or 1)
        return max(step, wanted - wanted % step)

    def _till(self, order: Conditional, now_ms: int) -> None:
        if order.waiting:
            self._engine.expire(order, now_ms)

    def _end(
        self, order: Conditional, status: ConditionalStatus, cause: Cause, now_ms: int
    ) -> None:
        order.status = status
        self._engine.conditionals.retire(order)
        self._engine.chronicle.conditional(order, cause, now_ms)


def _place(order: Conditional) -> tuple[ConditionalType, Side, PositionSide]:
    """What two orders have in common that stand in each other's way."""
    return order.type, order.side, order.position_side


def _may_turn(order: Conditional) -> bool:
    """Whether its position could be turned to the other side: hedge mode's cannot."""
    return order.position_side is PositionSide.BOTH


def _time_in_force(order: Conditional) -> TimeInForce:
    """The child's: what only a conditional order can have becomes GTC."""
    bound = order.time_in_force is TimeInForce.GTE_GTC or order.type.child is OrderType.MARKET
    return TimeInForce.GTC if bound else order.time_in_force
