"""Stream frames as Binance sends them: one Struct per event, the one-letter names spelled out.

Promises what `wire` promises: exact numbers, unknown fields ignored, `WireError` and nothing else. Source: Binance
USDⓈ-M user data stream and market stream pages, read 2026-09.
"""

from decimal import Decimal

from msgspec import Raw, Struct, field

from jumar.exchange.binance.wire import Count, Loose, decode


class Event(Struct):
    """Base of stream events."""


class Frame(Event):
    """What is common to all frames: a combined stream's wrapping, or the event's own name."""

    data: Raw = field(default_factory=Raw)
    event: str = field(name="e", default="")


class OrderUpdate(Event):
    """ORDER_TRADE_UPDATE.o."""

    symbol: str = field(name="s")
    client_id: str = field(name="c")
    side: str = field(name="S")
    type: str = field(name="o")
    quantity: Decimal = field(name="q")
    price: Decimal = field(name="p")
    execution: str = field(name="x")
    status: str = field(name="X")
    order_id: Count = field(name="i")
    last_quantity: Decimal = field(name="l")
    filled: Decimal = field(name="z")
    last_price: Decimal = field(name="L")
    trade_id: Count = field(name="t")
    maker: bool = field(name="m")
    reduce_only: bool = field(name="R")
    time: Count | None = field(name="T", default=None)
    realized: Loose = field(name="rp", default=None)
    time_in_force: str | None = field(name="f", default=None)
    average: Loose = field(name="ap", default=None)
    stop_price: Loose = field(name="sp", default=None)
    fee: Loose = field(name="n", default=None)
    fee_asset: str | None = field(name="N", default=None)
    working_type: str | None = field(name="wt", default=None)
    close_position: bool = field(name="cp", default=False)
    price_protect: bool | None = field(name="pP", default=None)
    expiry_reason: str | int | None = field(name="er", default=None)


class OrderTradeUpdate(Event):
    """ORDER_TRADE_UPDATE."""

    order: OrderUpdate = field(name="o")
    transaction_ms: Count = field(name="T")


class AlgoUpdate(Event):
    """ALGO_UPDATE.o; `ai` is text, and empty until the order was placed in the engine."""

    symbol: str = field(name="s")
    client_id: str = field(name="caid")
    algo_id: Count = field(name="aid")
    algo_type: str = field(name="at")
    type: str = field(name="o")
    side: str = field(name="S")
    status: str = field(name="X")
    reduce_only: bool = field(name="R")
    close_position: bool = field(name="cp")
    quantity: Loose = field(name="q", default=None)
    price: Loose = field(name="p", default=None)
    trigger_price: Loose = field(name="tp", default=None)
    time_in_force: str | None = field(name="f", default=None)
    working_type: str | None = field(name="wt", default=None)
    price_protect: bool | None = field(name="pP", default=None)
    child_id: Loose = field(name="ai", default=None)
    child_average: Loose = field(name="ap", default=None)
    child_filled: Loose = field(name="aq", default=None)
    reject_reason: str | None = field(name="rm", default=None)


class AlgoOrderUpdate(Event):
    """ALGO_UPDATE."""

    order: AlgoUpdate = field(name="o")
    transaction_ms: Count = field(name="T")


class BalanceChange(Event):
    """ACCOUNT_UPDATE.a.B[]."""

    asset: str = field(name="a")
    wallet: Decimal = field(name="wb")


class PositionChange(Event):
    """ACCOUNT_UPDATE.a.P[]."""

    symbol: str = field(name="s")
    amount: Decimal = field(name="pa")
    entry_price: Decimal = field(name="ep")
    side: str = field(name="ps")


class AccountChange(Event):
    """ACCOUNT_UPDATE.a: only what changed, and why."""

    reason: str = field(name="m", default="")
    balances: list[BalanceChange] = field(name="B", default_factory=list)
    positions: list[PositionChange] = field(name="P", default_factory=list)


class AccountUpdate(Event):
    """ACCOUNT_UPDATE."""

    account: AccountChange = field(name="a")
    transaction_ms: Count = field(name="T")


class LeverageChange(Event):
    """ACCOUNT_CONFIG_UPDATE.ac."""

    symbol: str = field(name="s")
    leverage: Count = field(name="l")


class AccountConfigUpdate(Event):
    """ACCOUNT_CONFIG_UPDATE: of a symbol (`ac`) or of the account (`ai`, left to the slow path)."""

    transaction_ms: Count = field(name="T")
    leverage: LeverageChange | None = field(name="ac", default=None)


class ListenKeyExpired(Event):
    """The user stream is dead although its socket stays open."""


class BookTickerEvent(Event):
    """`<symbol>@bookTicker`."""

    symbol: str = field(name="s")
    transaction_ms: Count = field(name="T")
    bid: Decimal = field(name="b")
    bid_quantity: Decimal = field(name="B")
    ask: Decimal = field(name="a")
    ask_quantity: Decimal = field(name="A")


class MarkPriceEvent(Event):
    """`<symbol>@markPrice`; `T` is the next funding time, zero where there is none: its moment is the event time."""

    symbol: str = field(name="s")
    event_ms: Count = field(name="E")
    mark: Decimal = field(name="p")
    next_funding_ms: Count = field(name="T", default=0)


class AggTradeEvent(Event):
    """`<symbol>@aggTrade`."""

    symbol: str = field(name="s")
    trade_ms: Count = field(name="T")
    price: Decimal = field(name="p")


type Message = (
    OrderTradeUpdate
    | AlgoOrderUpdate
    | AccountUpdate
    | AccountConfigUpdate
    | ListenKeyExpired
    | BookTickerEvent
    | MarkPriceEvent
    | AggTradeEvent
)
EVENTS: dict[str, type[Message]] = {
    "ORDER_TRADE_UPDATE": OrderTradeUpdate,
    "ALGO_UPDATE": AlgoOrderUpdate,
    "ACCOUNT_UPDATE": AccountUpdate,
    "ACCOUNT_CONFIG_UPDATE": AccountConfigUpdate,
    "listenKeyExpired": ListenKeyExpired,
    "bookTicker": BookTickerEvent,
    "markPriceUpdate": MarkPriceEvent,
    "aggTrade": AggTradeEvent,
}


def decode_frame(payload: bytes | str) -> Message | None:
    """Read one stream frame, wrapped or bare; None for events that are of no use here.

    Raises:
        WireError: not JSON, or a known event of another shape.
    """
    frame = decode(payload, Frame)
    inner = bytes(frame.data)
    if inner and inner != b"null":
        payload, frame = inner, decode(inner, Frame)
    shape = EVENTS.get(frame.event)
    return None if shape is None else decode(payload, shape)
