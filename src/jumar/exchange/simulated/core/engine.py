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
    in_pieces,
    join_queue,
    priority,
    walk,
    within_reach,
)
from jumar.exchange.simulated.core.meeting import Maker, Meeting, stages
from jumar.exchange.simulated.core.orders import (
    FIRST_TRADE_ID,
    Cause,
    Expiry,
    Forced,
    Order,
    OrderStatus,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
    Trade,
)
from jumar.exchange.simulated.core.text import ZERO


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
            self.deadlines.at(
                order.good_till_ms, lambda now: self._till(order, now), lambda: not order.alive
            )

    def execute(self, order: Order, now_ms: int) -> None:
        """Let a fresh order take what it may from the book; one that may not rest ends here."""
        if self.would_take(order):
            self._take(order, now_ms)
        if order.alive and order.type is OrderType.MARKET:
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        elif order.alive and order.time_in_force.immediate:
            cut = order.reduce_only and not self.closable(order)
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
        if resting:
            resting = within_reach(resting, step)
        if not resting:
            return
        liquidity = Liquidity(step)
        for side in Side:
            for order in sorted((o for o in resting if o.side is side), key=priority):
                if not order.alive:
                    continue
                wanted = self.wanted(order)
                if self.pieces:
                    wanted = min(wanted, self._piece(order, now_ms) or wanted)
                quantity = liquidity.take(order, wanted)
                if quantity:
                    self.chronicle.market(step, now_ms)
                    self._fill(
                        order,
                        order.price,
                        quantity,
                        maker=True,
                        on_tape=liquidity.untold,
                        now_ms=now_ms,
                    )
                    self.sweep(step.symbol, now_ms)
                elif order.ahead is None:
                    join_queue(order, step)

    def sweep(self, symbol: str, now_ms: int) -> None:
        """Expire what can no longer reduce: resting reduce-only orders, and orders that need a position."""
        for order in self.orders.open(symbol):
            if order.reduce_only and not self.closable(order):
                self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.REDUCE_ONLY)
        if self.readings.reduce_only_total != "rest":
            self._sweep_outgrown(symbol, now_ms)
        for conditional in self.conditionals.open(symbol):
            if conditional.needs_position and not self.closable(conditional):
                self._expire_later(conditional, now_ms)

    def expire(self, conditional: Conditional, now_ms: int) -> None:
        """End a waiting conditional order by the exchange's own rule."""
        conditional.status = ConditionalStatus.EXPIRED
        self.conditionals.retire(conditional)
        self.chronicle.conditional(conditional, Cause.EXCHANGE, now_ms)

    def _sweep_outgrown(self, symbol: str, now_ms: int) -> None:
        resting = [order for order in self.orders.open(symbol) if order.reduce_only]
        if len(resting) < 2:
            return
        for side in Side:
            reducing = [order for order in resting if order.side is side]
            if len(reducing) < 2:
                continue
            for order in admission.outgrown(reducing, self.closable(reducing[0])):
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
        if conditional.waiting and not self.closable(conditional):
            self.expire(conditional, now_ms)

    def _piece(self, order: Order, now_ms: int) -> Decimal | None:
        """The most that an order gets at once, None when the market alone decides."""
        most, until_ms = self.pieces.get(order.symbol, (None, 0))
        return most if now_ms < until_ms else None

    def _till(self, order: Order, now_ms: int) -> None:
        if order.alive:
            self.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms)

    def _take(self, order: Order, now_ms: int) -> None:
        limit = None if order.type is OrderType.MARKET else order.price
        executions = walk(order.side, self.wanted(order), limit, self.market(order.symbol))
        if self.pieces:
            executions = in_pieces(executions, self._piece(order, now_ms))
        makers = [o for o in self.orders.open(order.symbol) if o.side is order.side.other]
        for stage in stages(executions, makers, order.side, limit):
            if not order.alive or not self.wanted(order):
                return
            if isinstance(stage, Maker):
                self._meet(order, stage.order, now_ms)
            else:
                quantity = min(stage.quantity, self.wanted(order))
                self._fill(
                    order, stage.price, quantity, maker=False, on_tape=quantity, now_ms=now_ms
                )

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
                price = maker.price
                self._fill(maker, price, quantity, maker=True, on_tape=ZERO, now_ms=now_ms)
                self._fill(taker, price, quantity, maker=False, on_tape=quantity, now_ms=now_ms)

    def _expire_in_match(self, order: Order, now_ms: int) -> None:
        immediate = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.IOC
        reason = Expiry.IOC_SELF_TRADE if immediate else Expiry.SELF_TRADE
        self.end(order, OrderStatus.EXPIRED_IN_MATCH, Cause.EXCHANGE, now_ms, reason)

    def _fill(
        self,
        order: Order,
        price: Decimal,
        quantity: Decimal,
        *,
        maker: bool,
        on_tape: Decimal,
        now_ms: int,
    ) -> None:
        """One execution; `on_tape` of it is a public trade that the market's own prints do not hold."""
        if on_tape and order.forced is not Forced.ADL:  # no trade of the book (page of old trades)
            taker = order.side.other if maker else order.side
            self.tapes[order.symbol].own(price, on_tape, taker.value, now_ms)
        position = self.account.position(order.symbol, order.position_side)
        before = position.quantity
        settled = self.account.settle(
            order.symbol,
            order.side,
            price,
            quantity,
            maker=maker,
            now_ms=now_ms,
            position_side=order.position_side,
        )
        if position.quantity and before * position.quantity <= 0:
            position.opened_ms = now_ms
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
            position_side=order.position_side,
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
