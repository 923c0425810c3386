"""Whether a probe may begin: no production host, one-way mode, a symbol without position and orders, enough balance.

Promises to change nothing. Everything that is refused is refused with a `ConfigError` that names it and the fix.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from jumar.exchange.binance import wire
from jumar.exchange.binance.caller import Caller, Security
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.instruments import INFO_TIMEOUT_MS
from jumar.exchange.binance.probe.cleaning import LARGEST
from jumar.exchange.binance.probe.sizes import Sizes, row_of, sizes_of
from jumar.model.errors import ConfigError
from jumar.model.units import text

PRODUCTION = ("binance.com", "binance.us")
DEMO_BEGINS = "demo-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The account and the symbol as they are before the probe.

    Attributes:
        wallet: balance of the quote asset.
        needed: the margin that the largest position of a probe takes.
    """

    sizes: Sizes
    mark: Decimal
    margin_type: str
    leverage: int
    wallet: Decimal
    needed: Decimal


def refuse_production(endpoints: Endpoints) -> None:
    """Refuse addresses of real money.

    Raises:
        ConfigError: an address that belongs to a production host.
    """
    for url in (endpoints.rest_url, endpoints.stream_url, endpoints.ws_api_url):
        host = urlsplit(url).hostname or ""
        belongs = any(host == name or host.endswith(f".{name}") for name in PRODUCTION)
        if belongs and not host.startswith(DEMO_BEGINS):
            raise ConfigError(
                f"{host} is a production host: a probe trades, and it does so with play money only; use the demo"
            )


async def look(caller: Caller, symbol: str) -> Situation:
    """Read account and symbol.

    Raises:
        ConfigError: the probe must not begin.
        VenueUnavailable, VenueRefused: as a read.
    """
    config = await caller.read("/fapi/v1/accountConfig", {}, wire.AccountConfig)
    if config.dual_side_position:
        raise ConfigError("the account is in hedge mode; switch it to one-way mode first")
    if not config.can_trade:
        raise ConfigError("the account may not trade; look at its state and the key's permissions")
    info = await caller.read(
        "/fapi/v1/exchangeInfo",
        {},
        dict[str, Any],
        security=Security.NONE,
        timeout_ms=INFO_TIMEOUT_MS,
    )
    row = row_of(info["symbols"], symbol)
    index = await caller.read(
        "/fapi/v1/premiumIndex", {"symbol": symbol}, wire.PremiumIndex, security=Security.NONE
    )
    await _refuse_anything_there(caller, symbol)
    return await _situation(caller, sizes_of(row, index.mark_price), index.mark_price)


async def _refuse_anything_there(caller: Caller, symbol: str) -> None:
    query = {"symbol": symbol}
    rows = await caller.read("/fapi/v3/positionRisk", query, list[wire.PositionRow])
    orders = await caller.read("/fapi/v1/openOrders", query, list[wire.Order])
    waiting = await caller.read("/fapi/v1/openAlgoOrders", query, list[wire.AlgoOrder])
    there = [
        *(f"a position of {text(row.position_amt)}" for row in rows if row.position_amt),
        *(f"order {order.client_order_id}" for order in orders),
        *(f"conditional order {order.client_algo_id}" for order in waiting),
    ]
    if there:
        raise ConfigError(
            f"{symbol} is in use: {', '.join(there)}; close it, or choose another --symbol"
        )


async def _situation(caller: Caller, sizes: Sizes, mark: Decimal) -> Situation:
    rows = await caller.read(
        "/fapi/v1/symbolConfig", {"symbol": sizes.symbol}, list[wire.SymbolConfig]
    )
    account = await caller.read("/fapi/v3/account", {}, wire.Account)
    asset = next((row for row in account.assets if row.asset == sizes.quote_asset), None)
    free = asset.available_balance if asset else Decimal(0)
    needed = LARGEST * sizes.smallest * mark / rows[0].leverage
    if free < needed:
        raise ConfigError(
            f"the account has {text(free)} {sizes.quote_asset} free and a probe of {sizes.symbol} needs "
            f"{needed:.2f}; fund it, or choose a cheaper --symbol"
        )
    return Situation(
        sizes=sizes,
        mark=mark,
        margin_type=rows[0].margin_type,
        leverage=rows[0].leverage,
        wallet=asset.wallet_balance if asset else Decimal(0),
        needed=needed,
    )
