"""The table of requests: method and path to handler, security, weight and order count.

Weights as published for Binance USDⓈ-M (official connector, 2026-08); two numbers mean with and without `symbol`.
The WebSocket API uses the same handlers under its own names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from jumar.exchange.simulated.core.api.account import AccountApi, SettingsApi
from jumar.exchange.simulated.core.api.conditional import ConditionalApi
from jumar.exchange.simulated.core.api.market import MarketApi
from jumar.exchange.simulated.core.api.orders import OrdersApi
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.triggers import Triggers

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
        orders: what it adds to the order counts.
        changes: whether it would change the account's book (its refusals are recorded).
    """

    handler: Handler
    security: Security
    weights: tuple[int, int]
    orders: int = 0
    changes: bool = False

    def weight(self, params: Params) -> int:
        """The weight of one request."""
        return self.weights[0] if params.has("symbol") else self.weights[1]


def _public(handler: Handler, weight: int, without: int | None = None) -> Route:
    weights = (weight, weight if without is None else without)
    return Route(handler=handler, security=Security.PUBLIC, weights=weights)


def _read(handler: Handler, weight: int, without: int | None = None) -> Route:
    weights = (weight, weight if without is None else without)
    return Route(handler=handler, security=Security.SIGNED, weights=weights)


def _change(handler: Handler, weight: int, orders: int = 0) -> Route:
    weights = (weight, weight)
    return Route(
        handler=handler, security=Security.SIGNED, weights=weights, orders=orders, changes=True
    )


def routes(engine: Engine, triggers: Triggers, alias: str) -> dict[tuple[str, str], Route]:
    """The table, keyed by HTTP method and path."""
    market, orders = MarketApi(engine), OrdersApi(engine)
    conditional = ConditionalApi(engine, triggers)
    account, settings = AccountApi(engine, alias), SettingsApi(engine)
    return {
        **_public_routes(market),
        **_order_routes(orders),
        **_conditional_routes(conditional),
        **_account_routes(account),
        **_settings_routes(settings),
    }


def _public_routes(market: MarketApi) -> dict[tuple[str, str], Route]:
    return {
        ("GET", "/fapi/v1/ping"): _public(market.ping, 1),
        ("GET", "/fapi/v1/time"): _public(market.time, 1),
        ("GET", "/fapi/v1/exchangeInfo"): _public(market.exchange_info, 1),
        ("GET", "/fapi/v1/premiumIndex"): _public(market.premium_index, 1, 10),
        ("GET", "/fapi/v1/ticker/bookTicker"): _public(market.book_ticker, 2, 5),
        ("GET", "/fapi/v1/ticker/price"): _public(market.price, 1, 2),
        ("GET", "/fapi/v2/ticker/price"): _public(market.price, 1, 2),
    }


def _order_routes(orders: OrdersApi) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/order"): _change(orders.place, 0, 1),
        ("DELETE", "/fapi/v1/order"): _change(orders.cancel, 1),
        ("DELETE", "/fapi/v1/allOpenOrders"): _change(orders.cancel_all, 1),
        ("GET", "/fapi/v1/order"): _read(orders.query, 1),
        ("GET", "/fapi/v1/openOrder"): _read(orders.query_open, 1),
        ("GET", "/fapi/v1/openOrders"): _read(orders.list_open, 1, 40),
        ("GET", "/fapi/v1/allOrders"): _read(orders.list_all, 5),
        ("GET", "/fapi/v1/userTrades"): _read(orders.list_trades, 5),
    }


def _conditional_routes(conditional: ConditionalApi) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/algoOrder"): _change(conditional.place, 0, 1),
        ("DELETE", "/fapi/v1/algoOrder"): _change(conditional.cancel, 1),
        ("DELETE", "/fapi/v1/algoOpenOrders"): _change(conditional.cancel_all, 1),
        ("GET", "/fapi/v1/algoOrder"): _read(conditional.query, 1),
        ("GET", "/fapi/v1/openAlgoOrders"): _read(conditional.list_open, 1, 40),
        ("GET", "/fapi/v1/allAlgoOrders"): _read(conditional.list_all, 5),
    }


def _account_routes(account: AccountApi) -> dict[tuple[str, str], Route]:
    return {
        ("GET", "/fapi/v2/positionRisk"): _read(account.positions_v2, 5),
        ("GET", "/fapi/v3/positionRisk"): _read(account.positions_v3, 5),
        ("GET", "/fapi/v2/account"): _read(account.account_v2, 5),
        ("GET", "/fapi/v3/account"): _read(account.account_v3, 5),
        ("GET", "/fapi/v2/balance"): _read(account.balance, 5),
        ("GET", "/fapi/v3/balance"): _read(account.balance, 5),
        ("GET", "/fapi/v1/commissionRate"): _read(account.commission_rate, 20),
        ("GET", "/fapi/v1/forceOrders"): _read(account.force_orders, 20, 50),
        ("GET", "/fapi/v1/income"): _read(account.income, 30),
    }


def _settings_routes(settings: SettingsApi) -> dict[tuple[str, str], Route]:
    return {
        ("POST", "/fapi/v1/leverage"): _change(settings.set_leverage, 1),
        ("POST", "/fapi/v1/marginType"): _change(settings.set_margin_type, 1),
        ("GET", "/fapi/v1/positionSide/dual"): _read(settings.position_mode, 30),
        ("POST", "/fapi/v1/positionSide/dual"): _change(settings.set_position_mode, 1),
        ("GET", "/fapi/v1/multiAssetsMargin"): _read(settings.multi_assets, 30),
        ("GET", "/fapi/v1/accountConfig"): _read(settings.account_config, 5),
        ("GET", "/fapi/v1/symbolConfig"): _read(settings.symbol_config, 5),
        ("GET", "/fapi/v1/leverageBracket"): _read(settings.leverage_brackets, 1),
    }
