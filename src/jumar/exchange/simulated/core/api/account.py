"""Requests about positions and balances.

Every version tells the same account; they differ in spelling and in which positions they show. In hedge mode a
symbol has a row for LONG and one for SHORT, never one for BOTH.
"""

from collections.abc import Iterable
from decimal import Decimal

from jumar.exchange.simulated.core.account import MAKER_FEE, TAKER_FEE
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.conditional import Conditional
from jumar.exchange.simulated.core.dialect import account as dialect
from jumar.exchange.simulated.core.dialect.account import BalanceView, Json, PositionView
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.margin import (
    exposure,
    liquidation_price,
    maintenance_margin,
    order_margin,
    position_margin,
)
from jumar.exchange.simulated.core.orders import Order
from jumar.exchange.simulated.core.position import Position
from jumar.exchange.simulated.core.text import ZERO, text


class AccountApi:
    """Queries of positions and balances."""

    def __init__(self, engine: Engine, alias: str) -> None:
        self._engine = engine
        self._alias = alias

    def positions_v2(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, versions 1 and 2: every position."""
        return [dialect.position_v2(view) for view in self._views(self._symbols(params))]

    def positions_v3(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, version 3: what is held, or has a regular open order."""
        return [dialect.position_v3(self._view(position)) for position in self._active(params)]

    def account_v2(self, _params: Params, _now_ms: int) -> Json:
        """GET account, version 2: every position."""
        return dialect.account(self._sums(), self._views(self._engine.instruments), 2)

    def account_v3(self, _params: Params, _now_ms: int) -> Json:
        """GET account, version 3: what is held, or has a regular open order."""
        views = [self._view(position) for position in self._active(Params({}))]
        return dialect.account(self._sums(), views, 3)

    def balance(self, _params: Params, _now_ms: int) -> list[Json]:
        """GET balance."""
        return dialect.balance(self._sums(), self._alias)

    def commission_rate(self, params: Params, _now_ms: int) -> Json:
        """GET commissionRate."""
        return {
            "symbol": instrument_of(self._engine, params).symbol,
            "makerCommissionRate": text(MAKER_FEE),
            "takerCommissionRate": text(TAKER_FEE),
            "rpiCommissionRate": "0.00005",
        }

    def adl_quantiles(self, params: Params, _now_ms: int) -> list[Json]:
        """GET adlQuantile: symbols with a position."""
        sided = [self._views([symbol]) for symbol in self._symbols(params)]
        return [
            dialect.adl_quantile(views)
            for views in sided
            if any(v.position.quantity for v in views)
        ]

    def adl_risk(self, params: Params, now_ms: int) -> Json | list[Json]:
        """GET symbolAdlRisk: an object for one symbol, else a list; always low, nobody else trades here."""
        rows: list[Json] = [
            {"symbol": symbol, "adlRisk": "low", "updateTime": now_ms}
            for symbol in self._symbols(params)
        ]
        return rows[0] if params.has("symbol") else rows

    def _symbols(self, params: Params) -> Iterable[str]:
        if params.has("symbol"):
            return [instrument_of(self._engine, params).symbol]
        return self._engine.instruments

    def _active(self, params: Params) -> list[Position]:
        return [
            position
            for symbol in self._symbols(params)
            for position in self._engine.account.sides(symbol)
            if position.quantity or self._ordered(position)
        ]

    def _ordered(self, position: Position) -> bool:
        """Whether an order is open that gives a flat position a row."""
        orders: list[Order | Conditional] = [*self._engine.orders.open(position.symbol)]
        if self._engine.readings.conditional_position_row == "yes":
            orders += self._engine.conditionals.open(position.symbol)
        return any(order.position_side is position.side for order in orders)

    def _views(self, symbols: Iterable[str]) -> list[PositionView]:
        sides = self._engine.account.sides
        return [self._view(position) for symbol in symbols for position in sides(symbol)]

    def _view(self, position: Position) -> PositionView:
        engine, symbol = self._engine, position.symbol
        instrument, step = engine.instruments[symbol], engine.markets.get(symbol)
        mark = step.mark if step else ZERO
        shown = exposure(position, engine.orders.open(symbol), mark)
        return PositionView(
            position=position,
            mark=mark,
            liquidation=self._liquidation(position, instrument, mark),
            initial=position_margin(position, mark),
            maintenance=maintenance_margin(position, instrument, mark),
            order_margin=order_margin(shown, position.leverage),
            bids=shown.bids,
            asks=shown.asks,
            max_notional=instrument.max_notional(position.leverage),
        )

    def _liquidation(self, position: Position, instrument: Instrument, mark: Decimal) -> Decimal:
        """Where the position is lost; in a cross wallet both sides of the symbol are lost together."""
        account = self._engine.account
        if not position.quantity:
            return ZERO
        if position.isolated:
            return liquidation_price([position], instrument, position.isolated_wallet, mark)
        sides = account.sides(position.symbol)
        return liquidation_price(sides, instrument, account.cross_wallet, mark)

    def _sums(self) -> BalanceView:
        views = self._views(self._engine.instruments)
        crossed = [view for view in views if not view.position.isolated]
        account = self._engine.account
        return BalanceView(
            wallet=account.wallet,
            cross_wallet=account.cross_wallet,
            profit=sum((view.profit for view in views), ZERO),
            cross_profit=sum((view.profit for view in crossed), ZERO),
            initial=sum((view.initial for view in views), ZERO),
            order_margin=sum((view.order_margin for view in views), ZERO),
            maintenance=sum((view.maintenance for view in views), ZERO),
            available=max(ZERO, self._engine.available()),
            updated_ms=account.updated_ms,
            multi_assets=account.multi_assets,
            fee_burn=account.fee_burn,
            bnb=account.bnb if account.terms.bnb else None,
        )
