"""Requests about positions, balances, settings and history of money.

Margin mode and leverage are settings of a symbol; a new account is crossed at 20x, one-way, single-asset, as a new
account of the real exchange is. Hedge mode can be switched on, so that a client can meet it; orders are then
refused (-4061).
"""

from collections.abc import Iterable

from jumar.exchange.simulated.core.account import ASSET, MAKER_FEE, TAKER_FEE, Position
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.window import window
from jumar.exchange.simulated.core.dialect import account as dialect
from jumar.exchange.simulated.core.dialect import events
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
from jumar.exchange.simulated.core.orders import Trade
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO, text

SUCCESS: Json = {"code": 200, "msg": "success"}


class AccountApi:
    """Queries of positions, balances and income."""

    def __init__(self, engine: Engine, alias: str) -> None:
        self._engine = engine
        self._alias = alias

    def positions_v2(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, version 2: every symbol."""
        return [dialect.position_v2(self._view(symbol)) for symbol in self._symbols(params)]

    def positions_v3(self, params: Params, _now_ms: int) -> list[Json]:
        """GET positionRisk, version 3: symbols with a position or a regular open order."""
        return [dialect.position_v3(self._view(symbol)) for symbol in self._active(params)]

    def account_v2(self, _params: Params, _now_ms: int) -> Json:
        """GET account, version 2: every symbol."""
        views = [self._view(symbol) for symbol in self._engine.instruments]
        return dialect.account(self._sums(), views, 2)

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
        }

    def force_orders(self, _params: Params, _now_ms: int) -> list[Json]:
        """GET forceOrders: nothing is ever liquidated here."""
        return []

    def income(self, params: Params, now_ms: int) -> list[Json]:
        """GET income: realized profit and commission of every trade."""
        symbol = instrument_of(self._engine, params).symbol if params.has("symbol") else None
        kind, page = params.optional("incomeType"), window(params, now_ms)
        rows = [
            row
            for trade in self._engine.trades
            if symbol in (None, trade.symbol) and page.holds(trade.time_ms)
            for row in _income(trade)
            if kind in (None, row["incomeType"])
        ]
        return rows[-page.limit :]

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
        )


class SettingsApi:
    """Leverage, margin mode, position mode and their queries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set_leverage(self, params: Params, now_ms: int) -> Json:
        """POST leverage."""
        instrument, leverage = instrument_of(self._engine, params), params.integer("leverage")
        position = self._engine.account.position(instrument.symbol)
        if not 1 <= leverage <= instrument.max_leverage:
            raise Refusal(-4028, leverage=str(leverage))
        if position.isolated and position.quantity and leverage < position.leverage:
            raise Refusal(-4161)
        position.leverage = leverage
        self._engine.chronicle.emit(events.leverage_update(instrument.symbol, leverage, now_ms))
        cap = str(instrument.max_notional(leverage))
        return {"symbol": instrument.symbol, "leverage": leverage, "maxNotionalValue": cap}

    def set_margin_type(self, params: Params, _now_ms: int) -> Json:
        """POST marginType."""
        symbol, value = instrument_of(self._engine, params).symbol, params.text("marginType")
        if value not in ("ISOLATED", "CROSSED"):
            raise Refusal(-1102, name="margintype")
        position = self._engine.account.position(symbol)
        if position.isolated == (value == "ISOLATED"):
            raise Refusal(-4046)
        if self._engine.orders.open(symbol):
            raise Refusal(-4047)
        if position.quantity:
            raise Refusal(-4048)
        position.isolated = value == "ISOLATED"
        return SUCCESS

    def position_mode(self, _params: Params, _now_ms: int) -> Json:
        """GET positionSide/dual."""
        return {"dualSidePosition": self._engine.account.hedge_mode}

    def set_position_mode(self, params: Params, _now_ms: int) -> Json:
        """POST positionSide/dual."""
        hedge = params.boolean("dualSidePosition")
        account = self._engine.account
        if hedge == account.hedge_mode:
            raise Refusal(-4059)
        if self._engine.orders.open() or self._engine.conditionals.open():
            raise Refusal(-4067)
        if any(position.quantity for position in account.positions.values()):
            raise Refusal(-4068)
        account.hedge_mode = hedge
        return SUCCESS

    def multi_assets(self, _params: Params, _now_ms: int) -> Json:
        """GET multiAssetsMargin."""
        return {"multiAssetsMargin": False}

    def account_config(self, _params: Params, _now_ms: int) -> Json:
        """GET accountConfig."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": self._engine.account.hedge_mode,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def symbol_config(self, params: Params, _now_ms: int) -> list[Json]:
        """GET symbolConfig."""
        return [self._config(instrument) for instrument in self._chosen(params)]

    def leverage_brackets(self, params: Params, _now_ms: int) -> list[Json]:
        """GET leverageBracket."""
        return [dialect.brackets(instrument) for instrument in self._chosen(params)]

    def _chosen(self, params: Params) -> list[Instrument]:
        if params.has("symbol"):
            return [instrument_of(self._engine, params)]
        return list(self._engine.instruments.values())

    def _config(self, instrument: Instrument) -> Json:
        position: Position = self._engine.account.position(instrument.symbol)
        return {
            "symbol": instrument.symbol,
            "marginType": "ISOLATED" if position.isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": position.leverage,
            "maxNotionalValue": str(instrument.max_notional(position.leverage)),
        }


def _income(trade: Trade) -> Iterable[Json]:
    amounts = (("REALIZED_PNL", trade.realized), ("COMMISSION", -trade.fee))
    for kind, amount in amounts:
        if amount:
            yield {
                "symbol": trade.symbol,
                "incomeType": kind,
                "income": text(amount),
                "asset": ASSET,
                "info": str(trade.trade_id),
                "time": trade.time_ms,
                "tranId": trade.trade_id,
                "tradeId": str(trade.trade_id),
            }
