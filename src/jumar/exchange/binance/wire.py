"""Binance's answers as Binance spells them: one Struct per answer. Stream events are in `frames`.

Promises: numbers in text become `Decimal` without passing a binary float; unknown fields are ignored; whatever
is not of the expected shape raises `WireError` and nothing else. Knows no meaning: see `translate`.
Shapes: Binance USDⓈ-M official SDK 18.0.1 (2026).
"""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Raw, Struct, field
from msgspec.json import Decoder

INT64_MAX = 2**63 - 1
Count = Annotated[int, Meta(ge=0, le=INT64_MAX)]
type Loose = str | None
"""A number in text that may be missing, null or empty."""


class WireError(ValueError):
    """A payload that cannot be read; the message names the field."""


_decoders: dict[object, Decoder[Any]] = {}


def decode[T](payload: bytes | str, shape: type[T]) -> T:
    """Read one JSON text as `shape`.

    Raises:
        WireError: not JSON, or not of this shape.
    """
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = Decoder(shape, strict=False)
    try:
        found: T = decoder.decode(payload)
    except (ValueError, RecursionError) as error:
        raise WireError(f"{getattr(shape, '__name__', shape)}: {error}") from None
    return found


class Rest(Struct, rename="camel"):
    """Base of REST and WebSocket API shapes: camelCase on the wire."""


class ErrorBody(Rest):
    """Every refusal: `{"code": -1121, "msg": "Invalid symbol."}`."""

    code: int
    msg: str = ""


class ErrorText(Rest):
    """A server error that states no code: `{"msg": "Service Unavailable."}`."""

    msg: str


class Done(Rest):
    """`{"code": 200, "msg": "success"}`; a conditional order's cancel writes the code as text."""

    code: int
    msg: str = ""
    client_algo_id: str | None = None


class ServerTime(Rest):
    """GET /fapi/v1/time."""

    server_time: Count


class Filter(Rest):
    """One filter; which fields are set depends on `filter_type`."""

    filter_type: str
    min_price: Loose = None
    max_price: Loose = None
    tick_size: Loose = None
    min_qty: Loose = None
    max_qty: Loose = None
    step_size: Loose = None
    notional: Loose = None
    multiplier_up: Loose = None
    multiplier_down: Loose = None


class SymbolInfo(Rest):
    """One row of exchangeInfo. `pricePrecision` is left out on purpose: it is not the tick."""

    symbol: str
    status: str
    quote_asset: str
    filters: list[Filter]
    delivery_date: Count | None = None


class ExchangeInfo(Rest):
    """GET /fapi/v1/exchangeInfo."""

    symbols: list[SymbolInfo]
    rate_limits: list["RateLimit"] | None = None


class Bracket(Rest):
    """One row of the leverage table; numbers stand bare here."""

    bracket: Count
    initial_leverage: Count
    notional_cap: Decimal
    notional_floor: Decimal
    maint_margin_ratio: Decimal
    cum: Decimal


class SymbolBrackets(Rest):
    """GET /fapi/v1/leverageBracket, for one symbol; comes bare or in a list."""

    symbol: str
    brackets: list[Bracket]


class CommissionRate(Rest):
    """GET /fapi/v1/commissionRate."""

    symbol: str
    maker_commission_rate: Decimal
    taker_commission_rate: Decimal


class AccountConfig(Rest):
    """GET /fapi/v1/accountConfig."""

    can_trade: bool
    dual_side_position: bool
    multi_assets_margin: bool


class SymbolConfig(Rest):
    """One row of GET /fapi/v1/symbolConfig."""

    symbol: str
    margin_type: str
    leverage: Count


class AssetRow(Rest):
    """One asset of GET /fapi/v3/account."""

    asset: str
    wallet_balance: Decimal
    margin_balance: Decimal
    available_balance: Decimal
    cross_wallet_balance: Decimal | None = None
    cross_un_pnl: Decimal | None = None
    maint_margin: Decimal | None = None


class Account(Rest):
    """GET /fapi/v3/account; its positions are read elsewhere."""

    assets: list[AssetRow]


class PositionRow(Rest):
    """One row of GET /fapi/v3/positionRisk."""

    symbol: str
    position_side: str
    position_amt: Decimal
    entry_price: Decimal
    liquidation_price: Loose = None


class Order(Rest):
    """A regular order in answers and lists.

    `avgPrice` is gone from immediate answers since 2026-06 (Binance CM-UM integration notice, appendix D).
    """

    symbol: str
    order_id: Count
    client_order_id: str
    side: str
    type: str
    status: str
    orig_qty: Decimal
    executed_qty: Decimal
    price: Decimal
    update_time: Count
    reduce_only: bool
    close_position: bool = False
    stop_price: Loose = None
    avg_price: Loose = None
    time_in_force: str | None = None
    working_type: str | None = None
    price_protect: bool | None = None


class AlgoOrder(Rest):
    """A conditional order in answers and lists."""

    symbol: str
    algo_id: Count
    client_algo_id: str
    order_type: str
    side: str
    algo_status: str
    update_time: Count
    reduce_only: bool
    close_position: bool
    quantity: Loose = None
    trigger_price: Loose = None
    price: Loose = None
    time_in_force: str | None = None
    working_type: str | None = None
    price_protect: bool | None = None
    actual_order_id: Loose = None
    actual_price: Loose = None
    actual_qty: Loose = None
    reject_reason: str | None = None


class UserTrade(Rest):
    """One row of GET /fapi/v1/userTrades."""

    symbol: str
    id: Count
    order_id: Count
    side: str
    price: Decimal
    qty: Decimal
    maker: bool
    commission: Decimal
    commission_asset: str
    realized_pnl: Decimal
    time: Count


class Income(Rest):
    """One row of GET /fapi/v1/income; a `tranId` is unique within its type."""

    symbol: str
    income_type: str
    income: Decimal
    asset: str
    time: Count
    tran_id: Count


class BookTicker(Rest):
    """GET /fapi/v1/ticker/bookTicker."""

    symbol: str
    bid_price: Decimal
    bid_qty: Decimal
    ask_price: Decimal
    ask_qty: Decimal


class PremiumIndex(Rest):
    """GET /fapi/v1/premiumIndex."""

    symbol: str
    mark_price: Decimal


class TickerPrice(Rest):
    """GET /fapi/v1/ticker/price."""

    symbol: str
    price: Decimal


class CountdownSet(Rest):
    """POST /fapi/v1/countdownCancelAll; the page shows the time as text."""

    symbol: str
    countdown_time: Decimal


class LeverageSet(Rest):
    """POST /fapi/v1/leverage."""

    symbol: str
    leverage: Count


class ListenKey(Rest):
    """POST and PUT /fapi/v1/listenKey."""

    listen_key: str


class RateLimit(Rest):
    """One limit of exchangeInfo, or one with its counter in a WebSocket API answer."""

    rate_limit_type: str
    interval: str
    interval_num: Count
    limit: Count | None = None
    count: Count | None = None


class ApiAnswer(Rest):
    """One frame of the WebSocket API: an answer, or a notice under `event`."""

    id: str | int | None = None
    status: int = 0
    result: Raw = field(default_factory=Raw)
    error: Raw = field(default_factory=Raw)
    event: Raw = field(default_factory=Raw)
    rate_limits: list[RateLimit] = []
