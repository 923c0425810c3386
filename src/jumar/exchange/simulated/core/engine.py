"""The engine: regular orders from acceptance to their end, against the current step of the market.

Within one step resting limit orders are matched first; `triggers.py` then fires conditional orders through the same
engine. A reduce-only order is cut to the position when it executes; what is left of it expires (`er` 4). When the
position is gone or turned, resting reduce-only orders and closePosition orders of the old direction expire, in the
same step (`by: exchange`). An order that would meet another of the account's is judged by its own self-trade
prevention mode (`meeting.py`). Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core import admission
from jumar.exchange.simulated.core.conditional import (
    Conditional,
    ConditionalStatus,
)
from jumar.exchange.simulated.core.desk import Desk
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import (
    Liquidity,
    join_queue,
    priority,
    walk,
)
from jumar.exchange.simulated.core.meeting import Maker, Meeting, stages
from jumar.exchange.simulated.core.orders import (
    FIRST_TRADE_ID,
    Cause,
    Expiry,
    Order,
    OrderStatus,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
    Trade,
)


class Engine(Desk):
    """Moves orders; every method acts at the given exchange time."""

    def accept(self, order: Order, cause: Cause, now_ms: int) -> None:
        """Take an admitted order into the book; reduce-only orders that have no room beside it go first."""
        if order.reduce_only and order.forced is None:
            for rival in self.crowded_out(order):
                self.end(rival, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        taking = self.would_take(order)
        if taking:
            self.chronicle.market(self.market(order.symbol), now_ms)
        self.orders.add(order)
        self.chronicle.order(order, "NEW", cause, now_ms, resting=not taking)
        if order.good_till_ms:
            self.deadlines.at(order.good_till_ms, lambda now: self._till(order, now))

    def execute(self, order: Order, now_ms: int) -> None:
        """Let a fresh order take what it may from the book; one that may not rest ends here."""
        if self.would_take(order):
            self._take(order, now_ms)
        if order.alive and order.type is OrderType.MARKET:
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        elif order.alive and order.time_in_force.immediate:
            cut = order.reduce_only and not self.account.position(order.symbol).closable(order.side)
            reason = Expiry.REDUCE_ONLY if cut else Expiry.IOC_REMAINDER
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, reason)
        elif order.alive:
            join_queue(order, self.market(order.symbol))

    def end(
        self,
        order: Order,
        status: OrderStatus,
        cause: Cause,
        now_ms: int,
        expiry: Expiry = Expiry.NONE,
    ) -> None:
        """End an order that will execute no more."""
        order.status, order.expiry = status, expiry
        self.orders.retire(order)
        execution = "CANCELED" if status is OrderStatus.CANCELED else "EXPIRED"
        self.chronicle.order(order, execution, cause, now_ms)
        self._finish_parent(order, now_ms)

    def match_resting(self, step: MarketStep, now_ms: int) -> None:
        """Fill resting limit orders of the step's symbol."""
        resting = self.orders.open(step.symbol)
        if not resting:
            return
        liquidity = Liquidity(step)
        for side in Side:
            for order in sorted((o for o in resting if o.side is side), key=priority):
                if not order.alive:
                    continue
                quantity = liquidity.take(order, self.wanted(order))
                if quantity:
                    self.chronicle.market(step, now_ms)
                    self._fill(order, order.price, quantity, maker=True, now_ms=now_ms)
                    self.sweep(step.symbol, now_ms)
                elif order.ahead is None:
                    join_queue(order, step)

    def sweep(self, symbol: str, now_ms: int) -> None:
        """Expire what can no longer reduce: resting reduce-only orders, and orders that need a position."""
        position = self.account.position(symbol)
        for order in self.orders.open(symbol):
            if order.reduce_only and not position.closable(order.side):
                self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        if self.readings.reduce_only_total != "rest":
            self._sweep_outgrown(symbol, now_ms)
        for conditional in self.conditionals.open(symbol):
            if conditional.needs_position and not position.closable(conditional.side):
                self._expire_later(conditional, now_ms)

    def expire(self, conditional: Conditional, now_ms: int) -> None:
        """End a waiting conditional order by the exchange's own rule."""
        conditional.status = ConditionalStatus.EXPIRED
        self.conditionals.retire(conditional)
        self.chronicle.conditional(conditional, Cause.EXCHANGE, now_ms)

    def _sweep_outgrown(self, symbol: str, now_ms: int) -> None:
        resting = self.orders.open(symbol)
        if len(resting) < 2:
            return
        for side in Side:
            closable = self.account.position(symbol).closable(side)
            for order in admission.outgrown(resting, side, closable):
                if order.alive:
                    self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)

    def _expire_later(self, conditional: Conditional, now_ms: int) -> None:
        delay_ms = self.readings.closeposition_expiry_ms
        if not delay_ms:
            self.expire(conditional, now_ms)
        elif not conditional.expiring:
            conditional.expiring = True
            self.deadlines.at(now_ms + delay_ms, lambda now: self._expire_if_flat(conditional, now))

    def _expire_if_flat(self, conditional: Conditional, now_ms: int) -> None:
        conditional.expiring = False
        position = self.account.position(conditional.symbol)
        if conditional.waiting and not position.closable(conditional.side):
            self.expire(conditional, now_ms)

    def _till(self, order: Order, now_ms: int) -> None:
        if order.alive:
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms)

    def _take(self, order: Order, now_ms: int) -> None:
        limit = None if order.type is OrderType.MARKET else order.price
        executions = walk(order.side, self.wanted(order), limit, self.market(order.symbol))
        makers = [o for o in self.orders.open(order.symbol) if o.side is order.side.other]
        for stage in stages(executions, makers, order.side, limit):
            if not order.alive or not self.wanted(order):
                return
            if isinstance(stage, Maker):
                self._meet(order, stage.order, now_ms)
            else:
                quantity = min(stage.quantity, self.wanted(order))
                self._fill(order, stage.price, quantity, maker=False, now_ms=now_ms)

    def _meet(self, taker: Order, maker: Order, now_ms: int) -> None:
        """Two orders of the account meet at the maker's price."""
        if not maker.alive:
            return
        outcome = Meeting.of(taker.self_trade_prevention)
        if outcome.maker_expires:
            self._expire_in_match(maker, now_ms)
        if outcome.taker_expires:
            self._expire_in_match(taker, now_ms)
        if taker.self_trade_prevention is SelfTrade.NONE:
            quantity = min(self.wanted(taker), self.wanted(maker))
            if quantity:
                self._fill(maker, maker.price, quantity, maker=True, now_ms=now_ms)
                self._fill(taker, maker.price, quantity, maker=False, now_ms=now_ms)

    def _expire_in_match(self, order: Order, now_ms: int) -> None:
        immediate = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.IOC
        reason = Expiry.IOC_SELF_TRADE if immediate else Expiry.SELF_TRADE
        self.end(order, OrderStatus.EXPIRED_IN_MATCH, Cause.EXCHANGE, now_ms, reason)

    def _fill(
        self, order: Order, price: Decimal, quantity: Decimal, *, maker: bool, now_ms: int
    ) -> None:
        before = self.account.position(order.symbol).quantity
        settled = self.account.settle(
            order.symbol, order.side, price, quantity, maker=maker, now_ms=now_ms
        )
        after = self.account.position(order.symbol).quantity
        if after and before * after <= 0:
            self.opened_ms[order.symbol] = now_ms
        trade = Trade(
            trade_id=FIRST_TRADE_ID + len(self.trades),
            order_id=order.order_id,
            symbol=order.symbol,
            side=order.side,
            price=price,
            quantity=quantity,
            maker=maker,
            fee=settled.fee,
            fee_asset=settled.fee_asset,
            realized=settled.realized,
            time_ms=now_ms,
        )
        self.trades.append(trade)
        order.filled += quantity
        order.paid += price * quantity
        order.status = OrderStatus.PARTIALLY_FILLED if order.remaining else OrderStatus.FILLED
        if not order.remaining:
            self.orders.retire(order)
        self.chronicle.fill(order, trade, self.market(order.symbol).mark, now_ms)
        if not order.alive:
            self._finish_parent(order, now_ms)

    def _finish_parent(self, order: Order, now_ms: int) -> None:
        """The order that a conditional order became has ended: so has the conditional order."""
        if order.parent_algo_id is None:
            return
        parent = self.conditionals.get(order.parent_algo_id)
        parent.executed, parent.average = order.filled, order.average
        parent.status = ConditionalStatus.FINISHED
        self.chronicle.conditional(parent, Cause.MARKET, now_ms)
