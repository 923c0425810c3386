"""How large and where: the smallest order that a symbol's filters allow, and prices near to and far from the mark. Pure.

Promises prices on the tick and quantities on the step, the smallest at or above the minimum notional.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from jumar.exchange.binance import wire
from jumar.model.errors import ConfigError
from jumar.model.units import ceil_to, floor_to

SPARE = Decimal("1.1")
"""The smallest order stays above the minimum notional while the price falls by less than a tenth."""

NEAR = Decimal("0.00005")
"""So near to the mark, as a part of it, that a market which is alive soon gets there."""

FAR = Decimal("0.02")
"""So far that it is not reached within seconds, and inside the price band of every contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The grids of one symbol.

    Attributes:
        smallest: what the probe trades at a time, base currency.
        protect: how far mark and last may be apart for a protected order to fire, as a part of the mark.
        orders_max: how many open orders the symbol takes, None where it does not say.
        row: the symbol's row of exchangeInfo as it came.
    """

    symbol: str
    quote_asset: str
    tick: Decimal
    step: Decimal
    smallest: Decimal
    protect: Decimal
    orders_max: int | None
    row: dict[str, Any]

    def below(self, price: Decimal, part: Decimal) -> Decimal:
        """A price on the tick, at least two ticks and `part` below."""
        return floor_to(min(price * (1 - part), price - 2 * self.tick), self.tick)

    def above(self, price: Decimal, part: Decimal) -> Decimal:
        """A price on the tick, at least two ticks and `part` above."""
        return ceil_to(max(price * (1 + part), price + 2 * self.tick), self.tick)


def row_of(rows: list[dict[str, Any]], symbol: str) -> dict[str, Any]:
    """The row of a symbol that can be traded.

    Raises:
        ConfigError: it is not listed, or not trading.
    """
    row = next((row for row in rows if row.get("symbol") == symbol), None)
    if row is None:
        raise ConfigError(f"--symbol: the exchange does not list {symbol}; try BTCUSDT")
    if row.get("status") != "TRADING":
        raise ConfigError(f"--symbol: {symbol} is {row.get('status')} and cannot be traded now")
    return row


def sizes_of(row: dict[str, Any], mark: Decimal) -> Sizes:
    """Read a symbol's filters at the present mark.

    Raises:
        ConfigError: a filter is missing.
    """
    info = msgspec.convert(row, wire.SymbolInfo, strict=False)
    filters = {each.filter_type: each for each in info.filters}
    try:
        lot, market = filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
        step = max(_number(lot.step_size), _number(market.step_size))
        least = max(_number(lot.min_qty), _number(market.min_qty), step)
        notional = _number(filters["MIN_NOTIONAL"].notional)
        tick = _number(filters["PRICE_FILTER"].tick_size)
    except KeyError as missing:
        raise ConfigError(f"--symbol: {info.symbol} has no filter {missing}; try another") from None
    return Sizes(
        symbol=info.symbol,
        quote_asset=info.quote_asset,
        tick=tick,
        step=step,
        smallest=ceil_to(max(least, notional * SPARE / mark), step),
        protect=_number(str(row.get("triggerProtect") or 0)),
        orders_max=_orders_max(row),
        row=row,
    )


def _number(text: str | None) -> Decimal:
    return Decimal(text or 0)


def _orders_max(row: dict[str, Any]) -> int | None:
    for each in row["filters"]:
        if each["filterType"] == "MAX_NUM_ORDERS":
            return int(each["limit"])
    return None
