"""Requests that modify resting orders, and the history of modifications."""

from dataclasses import replace

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.order_terms import instrument_of, price_of, side_of
from jumar.exchange.simulated.core.api.orders import find_order
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.modify import Modifier, Wish
from jumar.exchange.simulated.core.orders import Order, OrderType
from jumar.exchange.simulated.core.refusal import Refusal

ROWS, MOST_ROWS = 50, 100


class ModifyApi:
    """Modification of regular limit orders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._modifier = Modifier(engine)

    def modify(self, params: Params, now_ms: int) -> Json:
        """PUT order: quantity and price are both needed; a side that is not the order's is -1117."""
        order, wish = self._parse(params)
        self._check(order, wish)
        self._modifier.admit(order, wish)
        self._modifier.modify(order, wish, now_ms)
        answer = dialect.modified(order, wish.modify_id)
        if order.alive:
            self._engine.execute(order, now_ms)
            self._engine.sweep(order.symbol, now_ms)
        return answer

    def history(self, params: Params, now_ms: int) -> list[Json]:
        """GET orderAmendment."""
        symbol = instrument_of(self._engine, params).symbol
        wanted = None
        if params.has("orderId") or params.has("origClientOrderId"):
            found = find_order(self._engine, params)
            wanted = found.order_id if found is not None else 0
        limit = min(params.integer("limit", ROWS), MOST_ROWS)
        page = window(params, now_ms, everything=not params.has("startTime"))
        rows = [
            row
            for row in self._engine.amendments.rows
            if row.symbol == symbol and wanted in (None, row.order_id) and page.holds(row.time_ms)
        ]
        return [dialect.amendment(row) for row in reversed(rows[-limit:])]

    def _parse(self, params: Params) -> tuple[Order, Wish]:
        order, side = find_order(self._engine, params), side_of(params)
        if order is None or not order.alive:
            raise Refusal(-2013)
        if order.type is not OrderType.LIMIT:
            raise Refusal(-5025)
        if side is not order.side:
            raise Refusal(-1117)
        if params.boolean("reduceOnly", default=False) and not order.reduce_only:
            raise Refusal(-5047)
        match = checks.price_match(params, allowed=True)
        return order, Wish(
            quantity=params.decimal("quantity"),
            price=price_of(self._engine, params, side, match),
            price_match=match,
            modify_id=params.optional_integer("modifyId"),
        )

    def _check(self, order: Order, wish: Wish) -> None:
        instrument = self._engine.instruments[order.symbol]
        wished = replace(order, quantity=wish.quantity, price=wish.price)
        mark = self._engine.market(order.symbol).mark
        checks.order(wished, instrument, mark, small=-5029)
