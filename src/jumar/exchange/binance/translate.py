"""From the wire to the model: answers to reads and echoes of writes. Pure.

Promises a value or `WireError`, nothing else. An unknown status word of a conditional order is a `WireError`: what
protects a position is not guessed, the slow path reads it again. Of a regular order it means alive, never ended: a
new word must neither hide the fill that came with it nor the other orders of a list.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

from jumar.exchange.binance import wire
from jumar.exchange.binance.wire import WireError
from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
    Transfer,
)
from jumar.model.funding import FundingPayment
from jumar.model.instrument import Instrument, LeverageBracket
from jumar.model.order import Channel, Fill, OrderReport, OrderStatus, Side
from jumar.model.units import ZERO
from jumar.model.world import Quote

MAGNITUDE_MAX = 40
"""Decimal exponent beyond which a number is a broken payload, and arithmetic on it a trap."""

ONE_WAY = "BOTH"
FUNDING_FEE = "FUNDING_FEE"
TRANSFERS = frozenset(
    {
        "TRANSFER",
        "INTERNAL_TRANSFER",
        "CROSS_COLLATERAL_TRANSFER",
        "COIN_SWAP_DEPOSIT",
        "COIN_SWAP_WITHDRAW",
        "STRATEGY_UMFUTURES_TRANSFER",
        "AUTO_EXCHANGE",
    }
)
"""Kinds of income that are money moved, not earned (Binance USDⓈ-M "Get Income History", read 2026-09)."""
REGULAR_STATUSES = {
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    # Liquidation and ADL orders that the venue itself makes.
    "NEW_INSURANCE": OrderStatus.NEW,
    "NEW_ADL": OrderStatus.NEW,
}
CONDITIONAL_STATUSES = {
    word.value: word
    for word in (
        OrderStatus.NEW,
        OrderStatus.CANCELED,
        OrderStatus.TRIGGERING,
        OrderStatus.TRIGGERED,
        OrderStatus.FINISHED,
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    )
}
_MARGIN_MODES = {
    "ISOLATED": MarginMode.ISOLATED,
    "CROSSED": MarginMode.CROSSED,
    "CROSS": MarginMode.CROSSED,
}


def number(value: Decimal, name: str) -> Decimal:
    """Return `value` if it is a finite number of sane size."""
    if not value.is_finite() or not -MAGNITUDE_MAX <= value.adjusted() <= MAGNITUDE_MAX:
        raise WireError(f"{name}: not a usable number")
    return value


def not_negative(value: Decimal, name: str) -> Decimal:
    """Return `value` if it is a usable number and not below zero."""
    if number(value, name) < ZERO:
        raise WireError(f"{name}: {value} is negative")
    return value


def positive(value: Decimal, name: str) -> Decimal:
    """Return `value` if it is a usable number above zero."""
    if number(value, name) <= ZERO:
        raise WireError(f"{name}: {value} is not above zero")
    return value


def loose(value: wire.Loose, name: str) -> Decimal | None:
    """Return the number in a text; None when the text is missing or empty."""
    if value is None or value == "":
        return None
    try:
        parsed = Decimal(value)
    except InvalidOperation:
        raise WireError(f"{name}: not a number") from None
    return not_negative(parsed, name)


def non_zero(value: Decimal | None) -> Decimal | None:
    """Return None for zero: Binance writes "0" where a field does not apply."""
    return value or None


def side(word: str) -> Side:
    """Return the side of an order."""
    if word not in Side:
        raise WireError(f"side: {word!r} is neither BUY nor SELL")
    return Side(word)


def regular_status(word: str, filled: Decimal) -> OrderStatus:
    """Return the model's status of a regular order; an unknown word is alive, so that its end must be proven."""
    alive = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.NEW
    return REGULAR_STATUSES.get(word, alive)


def conditional_status(word: str) -> OrderStatus:
    """Return the model's status of a conditional order; raises WireError for an unknown word."""
    found = CONDITIONAL_STATUSES.get(word)
    if found is None:
        raise WireError(f"status: {word!r} is not known")
    return found


def child_id(value: wire.Loose) -> str | None:
    """Return the order a conditional order became; empty text and "0" mean none yet."""
    return None if value in {None, "", "0"} else value


def regular_order(row: wire.Order) -> OrderReport:
    """Translate one order of the regular list."""
    filled = not_negative(row.executed_qty, "executedQty")
    return OrderReport(
        symbol=row.symbol,
        channel=Channel.REGULAR,
        client_id=row.client_order_id,
        venue_id=str(row.order_id),
        side=side(row.side),
        type=row.type,
        status=regular_status(row.status, filled),
        quantity=not_negative(row.orig_qty, "origQty"),
        price=non_zero(not_negative(row.price, "price")),
        trigger_price=non_zero(loose(row.stop_price, "stopPrice")),
        filled_quantity=filled,
        reduce_only=row.reduce_only,
        close_position=row.close_position,
        updated_ms=row.update_time,
        time_in_force=row.time_in_force,
        working_type=row.working_type,
        price_protect=row.price_protect,
        average_price=non_zero(loose(row.avg_price, "avgPrice")),
    )


def conditional_order(row: wire.AlgoOrder) -> OrderReport:
    """Translate one order of the conditional list.

    `actualQty` repeats the order's own quantity while there is no child (official sample of GET algoOrder,
    read 2026-05), so that it counts as filled only for a finished order that has one.
    """
    word = conditional_status(row.algo_status)
    child = child_id(row.actual_order_id)
    executed = child is not None and word is OrderStatus.FINISHED
    return OrderReport(
        symbol=row.symbol,
        channel=Channel.CONDITIONAL,
        client_id=row.client_algo_id,
        venue_id=str(row.algo_id),
        side=side(row.side),
        type=row.order_type,
        status=word,
        quantity=loose(row.quantity, "quantity"),
        price=non_zero(loose(row.price, "price")),
        trigger_price=non_zero(loose(row.trigger_price, "triggerPrice")),
        filled_quantity=(loose(row.actual_qty, "actualQty") or ZERO) if executed else ZERO,
        reduce_only=row.reduce_only,
        close_position=row.close_position,
        updated_ms=row.update_time,
        time_in_force=row.time_in_force,
        working_type=row.working_type,
        price_protect=row.price_protect,
        average_price=non_zero(loose(row.actual_price, "actualPrice")),
        child_venue_id=child,
        reject_reason=row.reject_reason or None,
    )


def fill(row: wire.UserTrade) -> Fill:
    """Translate one execution; the list carries no client id."""
    return Fill(
        symbol=row.symbol,
        trade_id=row.id,
        venue_order_id=str(row.order_id),
        client_id=None,
        side=side(row.side),
        price=positive(row.price, "price"),
        quantity=positive(row.qty, "qty"),
        maker=row.maker,
        fee=number(row.commission, "commission"),
        fee_asset=row.commission_asset,
        realized_pnl=number(row.realized_pnl, "realizedPnl"),
        time_ms=row.time,
    )


def funding(
    rows: Iterable[wire.Income], symbol: str, quote_asset: str
) -> tuple[FundingPayment, ...]:
    """Translate the income history; what is not funding of that symbol in the quote asset is left out."""
    return tuple(
        FundingPayment(
            payment_id=row.tran_id, amount=number(row.income, "income"), time_ms=row.time
        )
        for row in rows
        if (row.income_type, row.symbol, row.asset) == (FUNDING_FEE, symbol, quote_asset)
    )


def transfers(rows: Iterable[wire.Income], quote_asset: str) -> tuple[Transfer, ...]:
    """Translate the income history; what trading earned and cost, and other assets, are left out."""
    return tuple(
        Transfer(
            id=f"{row.income_type} {row.tran_id}",
            amount=number(row.income, "income"),
            time_ms=row.time,
        )
        for row in rows
        if row.income_type in TRANSFERS and row.asset == quote_asset
    )


def positions(
    rows: Iterable[wire.PositionRow], symbols: Sequence[str]
) -> dict[str, PositionReport]:
    """Translate the position list; a started symbol without a row is flat, others count when they hold something.

    Raises:
        WireError: a hedge-mode position, which has no signed size.
    """
    found = {name: PositionReport(symbol=name, quantity=ZERO, entry_price=ZERO) for name in symbols}
    for row in rows:
        quantity = number(row.position_amt, "positionAmt")
        if row.symbol not in symbols and not quantity:
            continue
        if row.position_side != ONE_WAY:
            if quantity:
                raise WireError(
                    f"positionSide: {row.symbol} {row.position_side}, the account is in hedge mode"
                )
            continue
        found[row.symbol] = PositionReport(
            symbol=row.symbol,
            quantity=quantity,
            entry_price=not_negative(row.entry_price, "entryPrice"),
            liquidation_price=non_zero(loose(row.liquidation_price, "liquidationPrice")),
        )
    return found


def balance(account: wire.Account, asset: str) -> Balance:
    """Translate the account's money in one asset; an asset without a row was never held."""
    for row in account.assets:
        if row.asset == asset:
            return Balance(
                wallet=number(row.wallet_balance, "walletBalance"),
                equity=number(row.margin_balance, "marginBalance"),
                available=number(row.available_balance, "availableBalance"),
                cross_wallet=_told(row.cross_wallet_balance, "crossWalletBalance"),
                cross_unrealized=_told(row.cross_un_pnl, "crossUnPnl"),
                maintenance=_told(row.maint_margin, "maintMargin"),
            )
    return Balance(wallet=ZERO, equity=ZERO, available=ZERO)


def _told(value: Decimal | None, name: str) -> Decimal | None:
    return None if value is None else number(value, name)


def account_settings(config: wire.AccountConfig) -> AccountSettings:
    """Translate the account-wide modes."""
    return AccountSettings(
        hedge_mode=config.dual_side_position,
        multi_assets=config.multi_assets_margin,
        can_trade=config.can_trade,
    )


def symbol_settings(rows: Iterable[wire.SymbolConfig], symbol: str) -> SymbolSettings:
    """Translate leverage and margin mode of one symbol."""
    for row in rows:
        if row.symbol == symbol:
            mode = _MARGIN_MODES.get(row.margin_type.upper())
            if mode is None:
                raise WireError(f"marginType: {row.margin_type!r} is not known")
            return SymbolSettings(leverage=row.leverage, margin_mode=mode)
    raise WireError(f"symbolConfig: no row for {symbol}")


def quote(row: wire.BookTicker) -> Quote:
    """Translate best bid and ask."""
    return Quote(
        bid=positive(row.bid_price, "bidPrice"),
        ask=positive(row.ask_price, "askPrice"),
        bid_quantity=not_negative(row.bid_qty, "bidQty"),
        ask_quantity=not_negative(row.ask_qty, "askQty"),
    )


def instrument(
    info: wire.SymbolInfo, brackets: wire.SymbolBrackets, fees: wire.CommissionRate
) -> Instrument:
    """Translate filters, brackets and fees of one symbol.

    The tick is PRICE_FILTER.tickSize and never `pricePrecision`. A zero bound is a disabled one. The step is the
    coarser one of limit and market orders, so that every quantity is valid for both.

    Raises:
        WireError: a filter or one of its fields is missing, or a grid is zero.
    """
    price, lot, market, notional, percent = (
        _filter(info, name)
        for name in ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "MIN_NOTIONAL", "PERCENT_PRICE")
    )
    step = positive(_stated(lot.step_size, info, "LOT_SIZE.stepSize"), "stepSize")
    market_step = _stated(market.step_size, info, "MARKET_LOT_SIZE.stepSize")
    return Instrument(
        symbol=info.symbol,
        status=info.status,
        quote_asset=info.quote_asset,
        tick_size=positive(_stated(price.tick_size, info, "PRICE_FILTER.tickSize"), "tickSize"),
        step_size=max(step, market_step),
        min_price=non_zero(_stated(price.min_price, info, "PRICE_FILTER.minPrice")),
        max_price=non_zero(_stated(price.max_price, info, "PRICE_FILTER.maxPrice")),
        min_quantity=_stated(lot.min_qty, info, "LOT_SIZE.minQty"),
        max_quantity=_stated(lot.max_qty, info, "LOT_SIZE.maxQty"),
        market_min_quantity=_stated(market.min_qty, info, "MARKET_LOT_SIZE.minQty"),
        market_max_quantity=_stated(market.max_qty, info, "MARKET_LOT_SIZE.maxQty"),
        min_notional=_stated(notional.notional, info, "MIN_NOTIONAL.notional"),
        multiplier_up=_stated(percent.multiplier_up, info, "PERCENT_PRICE.multiplierUp"),
        multiplier_down=_stated(percent.multiplier_down, info, "PERCENT_PRICE.multiplierDown"),
        brackets=tuple(
            sorted(map(_bracket, brackets.brackets), key=lambda row: row.notional_floor)
        ),
        maker_fee=number(fees.maker_commission_rate, "makerCommissionRate"),
        taker_fee=number(fees.taker_commission_rate, "takerCommissionRate"),
        delivery_ms=info.delivery_date or None,
    )


def _filter(info: wire.SymbolInfo, name: str) -> wire.Filter:
    for row in info.filters:
        if row.filter_type == name:
            return row
    raise WireError(f"exchangeInfo: {info.symbol} has no filter {name}")


def _stated(value: wire.Loose, info: wire.SymbolInfo, name: str) -> Decimal:
    parsed = loose(value, f"{info.symbol} {name}")
    if parsed is None:
        raise WireError(f"exchangeInfo: {info.symbol} does not state {name}")
    return parsed


def _bracket(row: wire.Bracket) -> LeverageBracket:
    return LeverageBracket(
        bracket=row.bracket,
        max_leverage=row.initial_leverage,
        notional_floor=not_negative(row.notional_floor, "notionalFloor"),
        notional_cap=not_negative(row.notional_cap, "notionalCap"),
        maintenance_margin_rate=not_negative(row.maint_margin_ratio, "maintMarginRatio"),
        cumulative=not_negative(row.cum, "cum"),
    )
