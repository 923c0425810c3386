"""Requests about conditional orders: STOP_MARKET and TAKE_PROFIT_MARKET, good till cancelled.

The other conditional types of the real exchange are refused (-1116). A closePosition order is echoed as reduce-only,
which it is. MARKET_LOT_SIZE bounds the quantity, because the order will execute at market.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.orders import instrument_of, side_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalType, WorkingType
from jumar.exchange.simulated.core.dialect import orders as dialect
from jumar.exchange.simulated.core.dialect.orders import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.orders import Cause
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.triggers import Triggers


class ConditionalApi:
    """Placement, cancel and queries of conditional orders."""

    def __init__(self, engine: Engine, triggers: Triggers) -> None:
        self._engine = engine
        self._triggers = triggers

    def place(self, params: Params, now_ms: int) -> Json:
        """POST algoOrder."""
        order = self._parse(params, now_ms)
        self._triggers.place(order, now_ms)
        return dialect.conditional_placed(order)

    def cancel(self, params: Params, now_ms: int) -> Json:
        """DELETE algoOrder."""
        order = self._find(params)
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

    def query(self, params: Params, _now_ms: int) -> Json:
        """GET algoOrder."""
        order = self._find(params)
        if order is None:
            raise Refusal(-2013)
        return dialect.conditional_queried(order)

    def list_open(self, params: Params, _now_ms: int) -> list[Json]:
        """GET openAlgoOrders."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        wanted = params.optional_integer("algoId")
        rows = self._engine.conditionals.open(symbol)
        return [dialect.conditional_listed(row) for row in rows if wanted in (None, row.algo_id)]

    def list_all(self, params: Params, now_ms: int) -> list[Json]:
        """GET allAlgoOrders."""
        symbol = instrument_of(self._engine, params).symbol
        first = params.optional_integer("algoId")
        page = window(params, now_ms, everything=first is not None)
        rows = [
            order
            for order in self._engine.conditionals.all(symbol)
            if page.holds(order.created_ms) and order.algo_id >= (first or 0)
        ]
        chosen = rows[: page.limit] if first is not None else rows[-page.limit :]
        return [dialect.conditional_queried(order) for order in chosen]

    def _find(self, params: Params) -> Conditional | None:
        algo_id, client_id = params.optional_integer("algoId"), params.optional("clientAlgoId")
        if algo_id is None and client_id is None:
            message = "Param 'clientAlgoId' or 'algoId' must be sent, but both were empty/null!"
            raise Refusal(-1102, message=message)
        return self._engine.conditionals.find(algo_id=algo_id, client_id=client_id)

    def _parse(self, params: Params, now_ms: int) -> Conditional:
        if params.text("algoType") != "CONDITIONAL":
            raise Refusal(-4500)
        instrument = instrument_of(self._engine, params)
        side, kind = side_of(params), _type(params)
        if (params.optional("timeInForce") or "GTC") != "GTC":
            raise Refusal(-1115)
        checks.common(params, hedge_mode=self._engine.account.hedge_mode)
        trigger = params.decimal("triggerPrice")
        checks.price(trigger, instrument)
        quantity, reduce_only = _size(params, instrument, trigger)
        algo_id = self._engine.conditionals.next_id()
        return Conditional(
            algo_id=algo_id,
            client_id=checks.client_id(params, "clientAlgoId", f"sim-{algo_id}"),
            symbol=instrument.symbol,
            side=side,
            type=kind,
            trigger=trigger,
            working_type=_working_type(params),
            quantity=quantity,
            reduce_only=reduce_only,
            price_protect=params.boolean("priceProtect", default=False),
            created_ms=now_ms,
            updated_ms=now_ms,
            self_trade_prevention=checks.self_trade_prevention(params),
        )


def _size(params: Params, instrument: Instrument, trigger: Decimal) -> tuple[Decimal | None, bool]:
    """Quantity (None for closePosition) and whether the order only reduces."""
    if params.boolean("closePosition", default=False):
        params.forbid("reduceOnly")
        if params.has("quantity"):
            raise Refusal(-4137)
        return None, True
    quantity = params.decimal("quantity")
    checks.quantity(quantity, instrument, at_market=True)
    reduce_only = params.boolean("reduceOnly", default=False)
    if not reduce_only:
        checks.minimum_notional(quantity * trigger, instrument)
    return quantity, reduce_only


def _type(params: Params) -> ConditionalType:
    value = params.text("type")
    if value not in ConditionalType:
        raise Refusal(-1116)
    return ConditionalType(value)


def _working_type(params: Params) -> WorkingType:
    value = params.optional("workingType") or WorkingType.CONTRACT_PRICE.value
    if value not in WorkingType:
        raise Refusal(-1102, name="workingtype")
    return WorkingType(value)
