"""The table of requests: method and path to handler, security, weight and order count.

Weights as published for Binance USDⓈ-M (official connector, 2026-08); two numbers mean with and without `symbol`.
The WebSocket API uses the same handlers under its own names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jumar.exchange.simulated.core.api.account import AccountApi
from jumar.exchange.simulated.core.api.batch import BatchApi
from jumar.exchange.simulated.core.api.conditional import ConditionalApi
from jumar.exchange.simulated.core.api.history import HistoryApi, depth_weight, klines_weight
from jumar.exchange.simulated.core.api.income import IncomeApi
from jumar.exchange.simulated.core.api.market import MarketApi
from jumar.exchange.simulated.core.api.modify import ModifyApi
from jumar.exchange.simulated.core.api.orders import OrdersApi
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.api.settings import SettingsApi
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.tape import Tape
from jumar.exchange.simulated.core.triggers import Triggers
from jumar.exchange.simulated.core.usage import NO_ORDER, OrderCount

type Handler = Callable[[Params, int], Any]


class Security(Enum):
    """What a request must prove: nothing, or key and signature."""

    PUBLIC = "public"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One request.

    Attributes:
        weights: request weight with and without a symbol.
        orders: what it adds to the order counts of ten seconds and of a minute.
        changes: whether it would change the account's book (its refusals are recorded).
        timed: whether the receive window counts once more where orders are matched.
        weigh: the weight where it depends on more than the symbol; never refuses.
    """

    handler: Handler
    security: Security
    weights: tuple[int, int]
    orders: OrderCount = NO_ORDER
    changes: bool = False
    timed: bool = False
    weigh: Callable[[Params], int] | None = None

    def weight(self, params: Params) -> int:
        """The weight of one request."""
        if self.weigh is not None:
            return self.weigh(params)
        return self.weights[0] if params.has("symbol") else self.weights[1]


def _public(handler: Handler, weight: int, without: int | None = None) -> Route:
    weights = (weight, weight if without is None else without)
    return Route(handler=handler, security=Security.PUBLIC, weights=weights)


def _weighed(handler: Handler, weigh: Callable[[Params], int]) -> Route:
    return Route(handler=handler, security=Security.PUBLIC, weights=(0, 0), weigh=weigh)


def _read(handler: Handler, weight: int, without: int | None = None) -> Route:
    weights = (weight, weight if without is None else without)
    return Route(handler=handler, security=Security.SIGNED, weights=weights)


def _change(
    handler: Handler, weight: int, orders: OrderCount = NO_ORDER, *, timed: bool | None = None
) -> Route:
    return Route(
        handler=handler,
        security=Security.SIGNED,
        weights=(weight, weight),
        orders=orders,
        changes=True,
        timed=orders != NO_ORDER if timed is None else timed,
    )


def routes(
    engine: Engine, triggers: Triggers, alias: str, tapes: Mapping[str, Tape]
) -> dict[tuple[str, str], Route]:
    """The table, keyed by HTTP method and path."""
    market, orders = MarketApi(engine), OrdersApi(engine, triggers)
    modify = ModifyApi(engine)
    conditional = ConditionalApi(engine, triggers)
    account, settings = AccountApi(engine, alias), SettingsApi(engine)
    return {
        **_public_routes(market, HistoryApi(engine, tapes)),
        **_order_routes(orders, modify),
        **_batch_routes(BatchApi(engine, orders, modify)),
        **_conditional_routes(conditional, timed=engine.readings.algo_recv_window == "check"),
        **_account_routes(account),
        **_income_routes(IncomeApi(engine)),
        **_settings_routes(settings),
    }


def _public_routes(market: MarketApi, history: HistoryApi) -> dict[tuple[str, str], Route]:
    return {
        ("GET", "/fapi/v1/ping"): _public(market.ping, 1),
        ("GET", "/fapi/v1/time"): _public(market.time, 1),
        ("GET", "/fapi/v1/exchangeInfo"): _public(market.exchange_info, 1),
        ("GET", "/fapi/v1/premiumIndex"): _public(market.premium_index, 1, 10),
        ("GET", "/fapi/v1/ticker/bookTicker"): _public(market.book_ticker, 2, 5),
        ("GET", "/fapi/v1/ticker/price"): _public(market.price, 1, 2),
        ("GET", "/fapi/v2/ticker/price"): _public(market.price, 1, 2),
        ("GET", "/fapi/v1/ticker/24hr"): _public(history.ticker, 1, 40),
        ("GET", "/fapi/v1/depth"): _weighed(history.depth, depth_weight),
        ("GET", "/fapi/v1/klines"): _weighed(history.klines, klines_weight),
        ("GET", "/fapi/v1/continuousKlines"): _weighed(history.continuous_klines, klines_weight),
        # counted apart, 500 in five minutes (not simulated); no symbol has a cap, floor or interval of its own
        ("GET", "/fapi/v1/fundingRate"): _public(history.funding_rates, 0),
        ("GET", "/fapi/v1/fundingInfo"): _public(market.nothing, 0),
        ("GET", "/fapi/v1/trades"): _public(history.trades, 5),
        ("GET", "/fapi/v1/historicalTrades"): _public(history.old_trades, 200),
        ("GET", "/fapi/v1/aggTrades"): _public(history.agg_trades, 20),
        # What clients of the whole exchange ask when they connect: spot's clock, and wallets that are not simulated.
        ("GET", "/api/v3/ping"): _public(market.ping, 1),
        ("GET", "/api/v3/time"): _public(market.time, 1),
        ("GET", "/sapi/v1/capital/config/getall"): _public(market.nothing, 1),
        ("GET", "/sapi/v1/margin/allPairs"): _public(market.nothing, 1),
        ("GET", "/sapi/v1/system/status"): _public(market.normal, 1),
    }


def _order_routes(orders: OrdersApi, modify: ModifyApi) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/order"): _change(orders.place, 0, (1, 1)),
        ("POST", "/fapi/v1/order/test"): _read(orders.test, 0),
        ("PUT", "/fapi/v1/order"): _change(modify.modify, 0, (1, 1)),
        ("DELETE", "/fapi/v1/order"): _change(orders.cancel, 1),
        ("DELETE", "/fapi/v1/allOpenOrders"): _change(orders.cancel_all, 1),
        ("POST", "/fapi/v1/countdownCancelAll"): _change(orders.count_down, 10),
        ("GET", "/fapi/v1/order"): _read(orders.query, 1),
        ("GET", "/fapi/v1/openOrder"): _read(orders.query_open, 1),
        ("GET", "/fapi/v1/openOrders"): _read(orders.list_open, 1, 40),
        ("GET", "/fapi/v1/allOrders"): _read(orders.list_all, 5),
        ("GET", "/fapi/v1/orderAmendment"): _read(modify.history, 1),
        ("GET", "/fapi/v1/userTrades"): _read(orders.list_trades, 5),
    }


def _batch_routes(batch: BatchApi) -> dict[tuple[str, str], Route]:
    path = "/fapi/v1/batchOrders"
    return {
        ("POST", path): _change(batch.place, 5, (5, 1)),
        ("PUT", path): _change(batch.modify, 5, (5, 1)),
        ("DELETE", path): _change(batch.cancel, 1),
    }


def _conditional_routes(
    conditional: ConditionalApi, *, timed: bool
) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/algoOrder"): _change(conditional.place, 0, (1, 1), timed=timed),
        ("DELETE", "/fapi/v1/algoOrder"): _change(conditional.cancel, 1),
        ("DELETE", "/fapi/v1/algoOpenOrders"): _change(conditional.cancel_all, 1),
        ("GET", "/fapi/v1/algoOrder"): _read(conditional.query, 1),
        ("GET", "/fapi/v1/openAlgoOrders"): _read(conditional.list_open, 1, 40),
        ("GET", "/fapi/v1/allAlgoOrders"): _read(conditional.list_all, 5),
    }


def _account_routes(account: AccountApi) -> dict[tuple[str, str], Route]:
    return {
        ("GET", "/fapi/v1/positionRisk"): _read(account.positions_v2, 5),
        ("GET", "/fapi/v2/positionRisk"): _read(account.positions_v2, 5),
        ("GET", "/fapi/v3/positionRisk"): _read(account.positions_v3, 5),
        ("GET", "/fapi/v2/account"): _read(account.account_v2, 5),
        ("GET", "/fapi/v3/account"): _read(account.account_v3, 5),
        ("GET", "/fapi/v2/balance"): _read(account.balance, 5),
        ("GET", "/fapi/v3/balance"): _read(account.balance, 5),
        ("GET", "/fapi/v1/commissionRate"): _read(account.commission_rate, 20),
        ("GET", "/fapi/v1/adlQuantile"): _read(account.adl_quantiles, 5),
        ("GET", "/fapi/v1/symbolAdlRisk"): _public(account.adl_risk, 1),
    }


def _income_routes(income: IncomeApi) -> dict[tuple[str, str], Route]:
    return {
        ("GET", "/fapi/v1/income"): _read(income.income, 30),
        ("GET", "/fapi/v1/forceOrders"): _read(income.force_orders, 20, 50),
        ("GET", "/fapi/v1/positionMargin/history"): _read(income.margin_history, 1),
    }


def _settings_routes(settings: SettingsApi) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/leverage"): _change(settings.set_leverage, 1),
        ("POST", "/fapi/v1/marginType"): _change(settings.set_margin_type, 1),
        ("POST", "/fapi/v1/positionMargin"): _change(settings.move_margin, 1),
        ("GET", "/fapi/v1/positionSide/dual"): _read(settings.position_mode, 30),
        ("POST", "/fapi/v1/positionSide/dual"): _change(settings.set_position_mode, 1),
        ("GET", "/fapi/v1/multiAssetsMargin"): _read(settings.multi_assets, 30),
        ("POST", "/fapi/v1/multiAssetsMargin"): _change(settings.set_multi_assets, 1),
        ("GET", "/fapi/v1/feeBurn"): _read(settings.fee_burn, 30),
        ("POST", "/fapi/v1/feeBurn"): _change(settings.set_fee_burn, 1),
        ("GET", "/fapi/v1/accountConfig"): _read(settings.account_config, 5),
        ("GET", "/fapi/v1/symbolConfig"): _read(settings.symbol_config, 5),
        ("GET", "/fapi/v1/leverageBracket"): _read(settings.leverage_brackets, 1),
        ("GET", "/fapi/v1/rateLimit/order"): _read(settings.order_limits, 1),
        ("GET", "/fapi/v1/apiTradingStatus"): _read(settings.trading_status, 1, 10),
    }
