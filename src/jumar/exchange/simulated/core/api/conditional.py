"""Requests about conditional orders: placement, cancel, queries."""

from jumar.exchange.simulated.core.api.conditional_terms import parse
from jumar.exchange.simulated.core.api.order_terms import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalStatus
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import Cause
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.retention import remembered
from jumar.exchange.simulated.core.triggers import Triggers


class ConditionalApi:
    """Placement, cancel and queries of conditional orders."""

    def __init__(self, engine: Engine, triggers: Triggers) -> None:
        self._engine = engine
        self._triggers = triggers

    def place(self, params: Params, now_ms: int) -> Json:
        """POST algoOrder."""
        order = parse(self._engine, params, now_ms)
        self._triggers.place(order, now_ms)
        return dialect.conditional_placed(order)

    def cancel(self, params: Params, now_ms: int) -> Json:
        """DELETE algoOrder."""
        order = self._find(params)
        if order is not None and order.status is ConditionalStatus.TRIGGERING:
            raise Refusal(-4117)
        if order is None or not order.waiting:
            raise Refusal(-2011)
        self._triggers.cancel(order, Cause.CLIENT, now_ms)
        return dialect.conditional_cancelled(order)

    def cancel_all(self, params: Params, now_ms: int) -> Json:
        """DELETE algoOpenOrders."""
        symbol = instrument_of(self._engine, params).symbol
        for order in self._engine.conditionals.open(symbol):
            self._triggers.cancel(order, Cause.CLIENT, now_ms)
        return dialect.CANCELLED_ALL

    def query(self, params: Params, now_ms: int) -> Json:
        """GET algoOrder."""
        order = self._find(params)
        if order is None or not _remembered(order, now_ms):
            raise Refusal(-2013)
        return dialect.conditional_queried(order)

    def list_open(self, params: Params, _now_ms: int) -> list[Json]:
        """GET openAlgoOrders."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        wanted = params.optional_integer("algoId")
        if (params.optional("algoType") or "CONDITIONAL") != "CONDITIONAL":
            raise Refusal(-4500)
        rows = self._engine.conditionals.open(symbol)
        return [dialect.conditional_listed(row) for row in rows if wanted in (None, row.algo_id)]

    def list_all(self, params: Params, now_ms: int) -> list[Json]:
        """GET allAlgoOrders."""
        symbol = instrument_of(self._engine, params).symbol
        first = params.optional_integer("algoId")
        page = window(params, now_ms, everything=first is not None)
        chosen = page.rows(
            self._engine.conditionals,
            first,
            lambda order: order.symbol == symbol and _remembered(order, now_ms),
        )
        return [dialect.conditional_listed(order) for order in chosen]

    def _find(self, params: Params) -> Conditional | None:
        algo_id, client_id = params.optional_integer("algoId"), params.optional("clientAlgoId")
        if algo_id is None and client_id is None:
            message = "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!"
            raise Refusal(-1102, message=message)
        return self._engine.conditionals.find(algo_id=algo_id, client_id=client_id)


def _remembered(order: Conditional, now_ms: int) -> bool:
    return remembered(order.created_ms, now_ms, ended_empty=order.ended_empty)
