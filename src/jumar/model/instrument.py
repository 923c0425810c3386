"""Instruments: the filters and brackets of one symbol, as the venue states them.

Promises nothing about freshness: whoever loads them refreshes them (exchangeInfo changes without notice).
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.units import ceil_to, floor_to


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageBracket:
    """One row of the leverage table: notional range in quote currency and what it allows."""

    bracket: int
    max_leverage: int
    notional_floor: Decimal
    notional_cap: Decimal
    maintenance_margin_rate: Decimal
    cumulative: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The filters of one symbol.

    Attributes:
        status: `TRADING` is the only one in which entries are sent.
        tick_size, step_size: grids of price (quote currency) and quantity (base currency).
        min_price, max_price: bounds of prices and triggers; None where the venue disables one.
        max_quantity: LOT_SIZE.maxQty, for limit orders.
        market_max_quantity: MARKET_LOT_SIZE.maxQty; stops and exits are market orders.
        min_notional: quote currency; reduce-only orders are exempt.
        multiplier_up, multiplier_down: a buy may not be above mark times up, a sell not below mark times down.
        brackets: ascending by notional.
        maker_fee, taker_fee: fractions.
        delivery_ms: exchange time at which the contract is delivered and ends; far ahead for perpetuals, None where
            the venue does not say.
    """

    symbol: str
    status: str
    quote_asset: str
    tick_size: Decimal
    step_size: Decimal
    min_price: Decimal | None
    max_price: Decimal | None
    min_quantity: Decimal
    max_quantity: Decimal
    market_min_quantity: Decimal
    market_max_quantity: Decimal
    min_notional: Decimal
    multiplier_up: Decimal
    multiplier_down: Decimal
    brackets: tuple[LeverageBracket, ...] = ()
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    delivery_ms: int | None = None

    def floor_price(self, price: Decimal) -> Decimal:
        """Round a price down to the tick."""
        return floor_to(price, self.tick_size)

    def ceil_price(self, price: Decimal) -> Decimal:
        """Round a price up to the tick."""
        return ceil_to(price, self.tick_size)

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Round a quantity down to the step."""
        return floor_to(quantity, self.step_size)

    def leverage_for(self, notional: Decimal) -> int | None:
        """Return the highest leverage the brackets allow for a notional, None beyond the last one."""
        for bracket in self.brackets:
            if notional <= bracket.notional_cap:
                return bracket.max_leverage
        return None
