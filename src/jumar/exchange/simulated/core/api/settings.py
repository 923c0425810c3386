"""Requests about settings: leverage, margin mode, isolated margin, position mode, asset mode, fees in BNB.

Margin mode and leverage are settings of a symbol; a new account is crossed at 20x, one-way, single-asset, as a new
account of the real exchange is. In hedge mode LONG and SHORT of a symbol share both. Multi-assets mode can be switched on likewise; margin stays in USDT, the one asset that carries it here.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.account import MarginMove
from jumar.exchange.simulated.core.api import checks
from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.dialect import account as dialect
from jumar.exchange.simulated.core.dialect import events
from jumar.exchange.simulated.core.dialect.account import Json
from jumar.exchange.simulated.core.dialect.money import moved
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.margin import exposure, order_margin, position_margin
from jumar.exchange.simulated.core.position import Position, money
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.text import ZERO
from jumar.exchange.simulated.core.usage import rate_limits

SUCCESS: Json = {"code": 200, "msg": "success"}


class SettingsApi:
    """Settings and their queries."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set_leverage(self, params: Params, now_ms: int) -> Json:
        """POST leverage."""
        instrument, leverage = instrument_of(self._engine, params), params.integer("leverage")
        sides = self._engine.account.sides(instrument.symbol)
        if not 1 <= leverage <= instrument.max_leverage:
            raise Refusal(-4028, leverage=str(leverage))
        if any(p.isolated and p.quantity and leverage < p.leverage for p in sides):
            raise Refusal(-4161)
        if leverage != sides[0].leverage:
            self._affordable(sides, instrument, leverage)
        for position in sides:
            position.leverage = leverage
        self._engine.chronicle.emit(events.leverage_update(instrument.symbol, leverage, now_ms))
        cap = str(instrument.max_notional(leverage))
        return {"symbol": instrument.symbol, "leverage": leverage, "maxNotionalValue": cap}

    def set_margin_type(self, params: Params, now_ms: int) -> Json:
        """POST marginType."""
        symbol, value = instrument_of(self._engine, params).symbol, params.text("marginType")
        if value not in ("ISOLATED", "CROSSED"):
            raise Refusal(-1102, name="margintype")
        sides = self._engine.account.sides(symbol)
        if sides[0].isolated == (value == "ISOLATED"):
            raise Refusal(-4046)
        if self._engine.account.multi_assets:
            raise Refusal(-4168)
        if self._engine.orders.open(symbol):
            raise Refusal(-4047)
        if any(position.quantity for position in sides):
            raise Refusal(-4048)
        for position in sides:
            position.isolated = value == "ISOLATED"
        step = self._engine.markets.get(symbol)
        updates = [
            events.account_update(self._engine.account, each, step.mark if step else ZERO, now_ms)
            for each in sides
        ]
        update = moved(updates[0], "MARGIN_TYPE_CHANGE", ZERO, isolated=True)
        update["a"]["P"] = [row for each in updates for row in each["a"]["P"]]
        self._engine.chronicle.emit(update)
        return SUCCESS

    def move_margin(self, params: Params, now_ms: int) -> Json:
        """POST positionMargin: 1 adds to an isolated position, 2 takes out."""
        symbol, amount = instrument_of(self._engine, params).symbol, params.decimal("amount")
        kind = params.text("type")
        if kind not in ("1", "2"):
            raise Refusal(-1130, name="type")
        side = checks.position_side(params, hedge_mode=self._engine.account.hedge_mode)
        position, amount = self._engine.account.position(symbol, side), money(amount)
        if amount <= 0:
            raise Refusal(-4055)
        if not position.isolated:
            raise Refusal(-4049)
        if not position.quantity:
            raise Refusal(-4054)
        change = amount if kind == "1" else -amount
        self._movable(position, change)
        position.isolated_wallet += change
        position.updated_ms = self._engine.account.updated_ms = now_ms
        move = MarginMove(time_ms=now_ms, symbol=symbol, position_side=position.side, amount=change)
        self._engine.account.margin_moves.append(move)
        mark = self._engine.market(symbol).mark
        update = events.account_update(self._engine.account, position, mark, now_ms)
        self._engine.chronicle.emit(moved(update, "MARGIN_TRANSFER", ZERO, isolated=True))
        message = "Successfully modify position margin."
        return {"amount": float(amount), "code": 200, "msg": message, "type": int(kind)}

    def position_mode(self, _params: Params, _now_ms: int) -> Json:
        """GET positionSide/dual."""
        return {"dualSidePosition": self._engine.account.hedge_mode}

    def set_position_mode(self, params: Params, _now_ms: int) -> Json:
        """POST positionSide/dual."""
        hedge = params.boolean("dualSidePosition")
        account = self._engine.account
        if hedge == account.hedge_mode:
            raise Refusal(-4059)
        conditionals = self._engine.conditionals
        if self._engine.orders.open() or conditionals.open() or conditionals.triggering():
            raise Refusal(-4067)
        if self._held():
            raise Refusal(-4068)
        account.set_hedge_mode(on=hedge)
        return SUCCESS

    def multi_assets(self, _params: Params, _now_ms: int) -> Json:
        """GET multiAssetsMargin."""
        return {"multiAssetsMargin": self._engine.account.multi_assets}

    def set_multi_assets(self, params: Params, now_ms: int) -> Json:
        """POST multiAssetsMargin."""
        joint = params.boolean("multiAssetsMargin")
        account = self._engine.account
        if joint == account.multi_assets:
            raise Refusal(-4171)
        if joint and any(position.isolated for position in account.every()):
            raise Refusal(-4167)
        if self._engine.orders.open():
            raise Refusal(-4170)
        account.multi_assets = joint
        update = {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ai": {"j": joint}}
        self._engine.chronicle.emit(update)
        return SUCCESS

    def fee_burn(self, _params: Params, _now_ms: int) -> Json:
        """GET feeBurn: whether fees are paid in BNB while there is some."""
        return {"feeBurn": self._engine.account.fee_burn}

    def set_fee_burn(self, params: Params, _now_ms: int) -> Json:
        """POST feeBurn."""
        self._engine.account.fee_burn = params.boolean("feeBurn")
        return SUCCESS

    def account_config(self, _params: Params, _now_ms: int) -> Json:
        """GET accountConfig."""
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": self._engine.account.hedge_mode,
            "updateTime": 0,
            "multiAssetsMargin": self._engine.account.multi_assets,
            "tradeGroupId": -1,
        }

    def symbol_config(self, params: Params, _now_ms: int) -> list[Json]:
        """GET symbolConfig."""
        return [self._config(instrument) for instrument in self._chosen(params)]

    def leverage_brackets(self, params: Params, _now_ms: int) -> list[Json]:
        """GET leverageBracket."""
        return [dialect.brackets(instrument) for instrument in self._chosen(params)]

    def order_limits(self, _params: Params, _now_ms: int) -> list[Json]:
        """GET rateLimit/order."""
        return [dict(row) for row in rate_limits() if row["rateLimitType"] == "ORDERS"]

    def trading_status(self, params: Params, now_ms: int) -> Json:
        """GET apiTradingStatus: no quantitative rule was ever broken here."""
        self._chosen(params)
        return {"indicators": {}, "updateTime": now_ms}

    def _affordable(
        self, sides: tuple[Position, ...], instrument: Instrument, leverage: int
    ) -> None:
        """What is held and open must fit the new leverage: its notional (-2027) and its margin (-2028)."""
        step = self._engine.markets.get(instrument.symbol)
        if step is None:
            return
        more, orders = ZERO, self._engine.orders.open(instrument.symbol)
        for position in sides:
            shown = exposure(position, orders, step.mark)
            if shown.largest > instrument.max_notional(leverage):
                raise Refusal(-2027)
            more += order_margin(shown, leverage) - order_margin(shown, position.leverage)
            if not position.isolated:
                more += position_margin(position, step.mark, leverage)
                more -= position_margin(position, step.mark)
        if more > 0 and more > self._engine.available():
            raise Refusal(-2028)

    def _movable(self, position: Position, change: Decimal) -> None:
        """What is added must be free (-4050); what is taken out must leave the initial margin (-4051)."""
        if change > 0:
            if change > self._engine.available():
                raise Refusal(-4050)
            return
        mark = self._engine.market(position.symbol).mark
        margin = position.isolated_wallet + min(ZERO, position.unrealized(mark))
        if margin + change < position_margin(position, mark):
            raise Refusal(-4051)

    def _held(self) -> bool:
        return any(position.quantity for position in self._engine.account.every())

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
