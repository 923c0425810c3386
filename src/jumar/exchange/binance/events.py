"""From stream messages to the port's events. Pure.

Promises events or `WireError`, nothing else. Times are the transaction's where the venue gives one, because
ACCOUNT_UPDATE may arrive before the ORDER_TRADE_UPDATE of the same fill. The child of a triggered conditional
order is reported as the regular order it is; who it belongs to is for the reader to link.
"""

from decimal import Decimal, InvalidOperation
from typing import assert_never

from jumar.exchange.binance import frames, wire
from jumar.exchange.binance.translate import (
    ONE_WAY,
    child_id,
    conditional_status,
    loose,
    non_zero,
    not_negative,
    number,
    positive,
    regular_status,
    side,
)
from jumar.exchange.binance.wire import WireError
from jumar.model.account import PositionReport
from jumar.model.order import Channel, Fill, OrderReport
from jumar.model.units import ZERO
from jumar.model.world import Quote
from jumar.ports.exchange import (
    BalanceEvent,
    LastPriceEvent,
    MarkEvent,
    OrderEvent,
    PositionEvent,
    QuoteEvent,
    SettingsEvent,
    VenueEvent,
)

EXECUTIONS = frozenset({"TRADE", "CALCULATED"})
"""Execution types that carry a fill; CALCULATED is the venue's liquidation."""

TRADED = frozenset({"ORDER", "FUNDING_FEE", "INSURANCE_CLEAR"})
"""Reasons of a wallet's change that are trading's own result."""


def events_of(message: frames.Message, quote_asset: str) -> tuple[VenueEvent, ...]:
    """Translate one message.

    Args:
        message: see `frames.decode_frame`.
        quote_asset: the one asset whose wallet is reported.

    Raises:
        WireError: a word or a number that cannot be understood.
    """
    match message:
        case frames.OrderTradeUpdate():
            return (_order(message),)
        case frames.AlgoOrderUpdate():
            return _conditional(message)
        case frames.AccountUpdate():
            return _account(message, quote_asset)
        case frames.AccountConfigUpdate():
            return _settings(message)
        case frames.ListenKeyExpired():
            return ()
        case frames.BookTickerEvent():
            return (_quote(message),)
        case frames.MarkPriceEvent():
            return (_mark(message),)
        case frames.AggTradeEvent():
            price = positive(message.price, "p")
            return (LastPriceEvent(symbol=message.symbol, price=price, at_ms=message.trade_ms),)
        case _:
            assert_never(message)


def _mark(message: frames.MarkPriceEvent) -> MarkEvent:
    return MarkEvent(
        symbol=message.symbol,
        mark=positive(message.mark, "p"),
        at_ms=message.event_ms,
        next_funding_ms=message.next_funding_ms or None,
    )


def _order(message: frames.OrderTradeUpdate) -> OrderEvent:
    row, at_ms = message.order, message.transaction_ms
    filled = not_negative(row.filled, "z")
    reason = str(row.expiry_reason or "0")
    report = OrderReport(
        symbol=row.symbol,
        channel=Channel.REGULAR,
        client_id=row.client_id,
        venue_id=str(row.order_id),
        side=side(row.side),
        type=row.type,
        status=regular_status(row.status, filled),
        quantity=not_negative(row.quantity, "q"),
        price=non_zero(not_negative(row.price, "p")),
        trigger_price=non_zero(loose(row.stop_price, "sp")),
        filled_quantity=filled,
        reduce_only=row.reduce_only,
        close_position=row.close_position,
        updated_ms=at_ms if row.time is None else row.time,
        time_in_force=row.time_in_force,
        working_type=row.working_type,
        price_protect=row.price_protect,
        average_price=non_zero(loose(row.average, "ap")),
        reject_reason=None if reason == "0" else f"expiry reason {reason}",
    )
    return OrderEvent(report=report, at_ms=at_ms, fill=_fill(row, report.updated_ms))


def _fill(row: frames.OrderUpdate, time_ms: int) -> Fill | None:
    quantity = not_negative(row.last_quantity, "l")
    if row.execution not in EXECUTIONS or quantity == ZERO or row.trade_id == 0:
        return None
    return Fill(
        symbol=row.symbol,
        trade_id=row.trade_id,
        venue_order_id=str(row.order_id),
        client_id=row.client_id,
        side=side(row.side),
        price=positive(row.last_price, "L"),
        quantity=quantity,
        maker=row.maker,
        # Both are left out when there is no commission (Binance "Event: Order Update", read 2026-09).
        fee=_signed(row.fee, "n"),
        fee_asset=row.fee_asset or "",
        realized_pnl=_signed(row.realized, "rp"),
        time_ms=time_ms,
    )


def _conditional(message: frames.AlgoOrderUpdate) -> tuple[VenueEvent, ...]:
    row = message.order
    if row.algo_type != "CONDITIONAL":
        return ()
    child = child_id(row.child_id)
    report = OrderReport(
        symbol=row.symbol,
        channel=Channel.CONDITIONAL,
        client_id=row.client_id,
        venue_id=str(row.algo_id),
        side=side(row.side),
        type=row.type,
        status=conditional_status(row.status),
        quantity=loose(row.quantity, "q"),
        price=non_zero(loose(row.price, "p")),
        trigger_price=non_zero(loose(row.trigger_price, "tp")),
        filled_quantity=(loose(row.child_filled, "aq") or ZERO) if child else ZERO,
        reduce_only=row.reduce_only,
        close_position=row.close_position,
        updated_ms=message.transaction_ms,
        time_in_force=row.time_in_force,
        working_type=row.working_type,
        price_protect=row.price_protect,
        average_price=non_zero(loose(row.child_average, "ap")),
        child_venue_id=child,
        reject_reason=row.reject_reason or None,
    )
    return (OrderEvent(report=report, at_ms=message.transaction_ms),)


def _account(message: frames.AccountUpdate, quote_asset: str) -> tuple[VenueEvent, ...]:
    at_ms = message.transaction_ms
    found: list[VenueEvent] = []
    for change in message.account.positions:
        quantity = number(change.amount, "pa")
        if change.side != ONE_WAY:
            if quantity:
                raise WireError(f"ps: {change.symbol} {change.side}, the account is in hedge mode")
            continue
        report = PositionReport(
            symbol=change.symbol,
            quantity=quantity,
            entry_price=not_negative(change.entry_price, "ep"),
        )
        found.append(PositionEvent(report=report, at_ms=at_ms))
    found.extend(
        BalanceEvent(
            wallet=number(change.wallet, "wb"),
            at_ms=at_ms,
            traded=message.account.reason in TRADED,
        )
        for change in message.account.balances
        if change.asset == quote_asset
    )
    return tuple(found)


def _settings(message: frames.AccountConfigUpdate) -> tuple[VenueEvent, ...]:
    change = message.leverage
    if change is None:
        return ()
    at_ms = message.transaction_ms
    return (SettingsEvent(symbol=change.symbol, leverage=change.leverage, at_ms=at_ms),)


def _quote(message: frames.BookTickerEvent) -> QuoteEvent:
    quote = Quote(
        bid=positive(message.bid, "b"),
        ask=positive(message.ask, "a"),
        bid_quantity=not_negative(message.bid_quantity, "B"),
        ask_quantity=not_negative(message.ask_quantity, "A"),
    )
    return QuoteEvent(symbol=message.symbol, quote=quote, at_ms=message.transaction_ms)


def _signed(value: wire.Loose, name: str) -> Decimal:
    if value is None or value == "":
        return ZERO
    try:
        return number(Decimal(value), name)
    except InvalidOperation:
        raise WireError(f"{name}: not a number") from None
