"""Modification of a resting order: its price and quantity change, its place in the queue is lost.

Binance, Modify Order: at most 10000 times; a partially filled order whose new quantity has executed already, and a
post-only order whose new price would take, are cancelled. The instrument's filters were checked before.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.amendments import MOST, Amendment
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import Cause, Order, OrderStatus
from jumar.exchange.simulated.core.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an order is to become; `modify_id` is the client's own number for it."""

    quantity: Decimal
    price: Decimal
    price_match: str
    modify_id: int | None


class Modifier:
    """Modifies resting limit orders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def admit(self, order: Order, wish: Wish) -> None:
        """Check what does not depend on the instrument's filters; the order stays as it is.

        Raises:
            Refusal: -5026, -5027, -2022, -2027, -2019.
        """
        if order.amendments >= MOST:
            raise Refusal(-5026)
        if (wish.quantity, wish.price) == (order.quantity, order.price):
            raise Refusal(-5027)
        left = wish.quantity - order.filled
        if order.reduce_only:
            self._engine.admit_reducing(order, left)
        elif left > 0:
            self._engine.afford(order, left, wish.price, instead_of=order)

    def modify(self, order: Order, wish: Wish, now_ms: int) -> None:
        """Change an order, or cancel it where the rules say so; what takes now is executed."""
        spent = order.filled and wish.quantity <= order.filled
        if spent or (
            order.time_in_force.post_only and self._engine.would_take(order, at=wish.price)
        ):
            self._engine.end(order, OrderStatus.CANCELED, Cause.CLIENT, now_ms)
            return
        if self._engine.would_take(order, at=wish.price):
            self._engine.chronicle.market(self._engine.market(order.symbol), now_ms)
        self._record(order, wish, now_ms)
        order.quantity, order.price = wish.quantity, wish.price
        order.price_match, order.ahead = wish.price_match, None
        self._engine.orders.arrive(order)
        self._engine.chronicle.amended(order, wish.modify_id, now_ms)

    def _record(self, order: Order, wish: Wish, now_ms: int) -> None:
        amendments = self._engine.amendments
        order.amendments += 1
        amendments.rows.append(
            Amendment(
                amendment_id=amendments.next_id(),
                symbol=order.symbol,
                order_id=order.order_id,
                client_id=order.client_id,
                time_ms=now_ms,
                price=(order.price, wish.price),
                quantity=(order.quantity, wish.quantity),
                count=order.amendments,
                modify_id=wish.modify_id,
                price_match=wish.price_match,
            )
        )
