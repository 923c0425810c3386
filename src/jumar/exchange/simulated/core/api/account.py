"""Requests about positions and balances.

Every version tells the same account; they differ in spelling and in which symbols they show. In hedge mode, in which
nothing can be traded here, a symbol has a flat row for each side.
"""

from collections.abc import Iterable

from jumar.exchange.simulated.core.account import MAKER_FEE, TAKER_FEE
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.dialect import account as dialect
from jumar.exchange.simulated.core.dialect.account import BalanceView, Json, PositionView
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.margin import (
    exposure,
    liquidation_price,
    maintenance_margin,
    order_margin,
    position_margin,
)
from jumar.exchange.simulated.core.text import ZERO, text


class AccountApi:
    """Queries of positions and balances."""

    def __init__(self, engine: Engine, alias: str) -> None:
        self._engine = engine
        self._alias = alias

    def positions_v2(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, versions 1 and 2: every symbol."""
        views = [self._view(symbol) for symbol in self._symbols(params)]
        return self._sided([dialect.position_v2(view) for view in views])

    def positions_v3(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, version 3: symbols with a position or a regular open order."""
        return [dialect.position_v3(self._view(symbol)) for symbol in self._active(params)]

    def account_v2(self, _params: Params, _now_ms: int) -> Json:
        """GET account, version 2: every symbol."""
        views = [self._view(symbol) for symbol in self._engine.instruments]
        answer = dialect.account(self._sums(), views, 2)
        return {**answer, "positions": self._sided(answer["positions"])}

    def account_v3(self, _params: Params, _now_ms: int) -> Json:
        """GET account, version 3: symbols with a position or a regular open order."""
        views = [self._view(symbol) for symbol in self._active(Params({}))]
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
        views = [self._view(symbol) for symbol in self._symbols(params)]
        return [dialect.adl_quantile(view) for view in views if view.position.quantity]

    def adl_risk(self, params: Params, now_ms: int) -> Json | list[Json]:
        """GET symbolAdlRisk: an object for one symbol, else a list; always low, nobody else trades here."""
        rows: list[Json] = [
            {"symbol": symbol, "adlRisk": "low", "updateTime": now_ms}
            for symbol in self._symbols(params)
        ]
        return rows[0] if params.has("symbol") else rows

    def _sided(self, rows: list[Json]) -> list[Json]:
        if not self._engine.account.hedge_mode:
            return rows
        return [{**row, "positionSide": side} for row in rows for side in ("LONG", "SHORT")]

    def _symbols(self, params: Params) -> Iterable[str]:
        if params.has("symbol"):
            return [instrument_of(self._engine, params).symbol]
        return self._engine.instruments

    def _active(self, params: Params) -> list[str]:
        return [
            symbol
            for symbol in self._symbols(params)
            if self._engine.account.position(symbol).quantity or self._engine.orders.open(symbol)
        ]

    def _view(self, symbol: str) -> PositionView:
        engine, position = self._engine, self._engine.account.position(symbol)
        instrument, step = engine.instruments[symbol], engine.markets.get(symbol)
        mark = step.mark if step else ZERO
        shown = exposure(position, engine.orders.open(symbol), mark)
        account = engine.account
        wallet = position.isolated_wallet if position.isolated else account.cross_wallet
        return PositionView(
            position=position,
            mark=mark,
            liquidation=liquidation_price(position, instrument, wallet, mark),
            initial=position_margin(position, mark),
            maintenance=maintenance_margin(position, instrument, mark),
            order_margin=order_margin(shown, position.leverage),
            bids=shown.bids,
            asks=shown.asks,
            max_notional=instrument.max_notional(position.leverage),
        )

    def _sums(self) -> BalanceView:
        views = [self._view(symbol) for symbol in self._engine.instruments]
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
