"""Requests about several regular orders at once: each is answered for itself, in the order of the request.

A refused element is an answer with code and message among the others, and leaves a `refused` record of its own.
Without a self-trade prevention mode a batch's orders have NONE, unlike a single order (user observation).
"""

import json
from collections.abc import Callable
from typing import Any

from jumar.exchange.simulated.core.api.modify import ModifyApi
from jumar.exchange.simulated.core.api.orders import OrdersApi
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.orders import SelfTrade
from jumar.exchange.simulated.core.refusal import Refusal

PATH = "/fapi/v1/batchOrders"
MOST_ORDERS = 5
MOST_CANCELS = 10


class BatchApi:
    """Placement, modification and cancel in batches."""

    def __init__(self, engine: Engine, orders: OrdersApi, modify: ModifyApi) -> None:
        self._engine = engine
        self._orders = orders
        self._modify = modify

    def place(self, params: Params, now_ms: int) -> list[Json]:
        """POST batchOrders."""
        wanted = _orders(params)
        return [self._one("POST", each, now_ms, self._place) for each in wanted]

    def modify(self, params: Params, now_ms: int) -> list[Json]:
        """PUT batchOrders."""
        wanted = _orders(params)
        return [self._one("PUT", each, now_ms, self._modify.modify) for each in wanted]

    def cancel(self, params: Params, now_ms: int) -> list[Json]:
        """DELETE batchOrders."""
        wanted = _cancels(params)
        return [self._one("DELETE", each, now_ms, self._orders.cancel) for each in wanted]

    def _place(self, params: Params, now_ms: int) -> Json:
        return self._orders.place(params, now_ms, SelfTrade.NONE)

    def _one(
        self, method: str, params: Params, now_ms: int, work: Callable[[Params, int], Json]
    ) -> Json:
        try:
            return work(params, now_ms)
        except Refusal as refusal:
            client_id = params.optional("newClientOrderId") or params.optional("origClientOrderId")
            subject = (client_id, params.optional("symbol"))
            self._engine.chronicle.refused((method, PATH), subject, refusal, now_ms)
            return {"code": refusal.code, "msg": refusal.message}


def _orders(params: Params) -> list[Params]:
    rows = _list(params, "batchOrders")
    if not 0 < len(rows) <= MOST_ORDERS:
        raise Refusal(-4082)
    if not all(isinstance(row, dict) for row in rows):
        raise Refusal(-1102, name="batchorders")
    return [Params({name: _text(value) for name, value in row.items()}) for row in rows]


def _cancels(params: Params) -> list[Params]:
    symbol = params.text("symbol")
    by_id = params.has("orderIdList")
    name = "orderIdList" if by_id else "origClientOrderIdList"
    rows = _list(params, name)
    if not 0 < len(rows) <= MOST_CANCELS:
        raise Refusal(-1102, name=name.lower())
    field = "orderId" if by_id else "origClientOrderId"
    return [Params({"symbol": symbol, field: _text(row)}) for row in rows]


def _list(params: Params, name: str) -> list[Any]:
    try:
        rows = json.loads(params.text(name), parse_float=str)
    except ValueError:
        raise Refusal(-1102, name=name.lower()) from None
    if not isinstance(rows, list):
        raise Refusal(-1102, name=name.lower())
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
