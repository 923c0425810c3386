"""The instrument table: six USDⓈ-M perpetuals with the filters the exchange enforces.

Sources. BTCUSDT: Binance's live `exchangeInfo` as published on 2026-09-30. The others: price filter, lot step and
minimum notional from the test network's `exchangeInfo` of 2025-11-26; largest quantities, `triggerProtect` and
`liquidationFee` from the main network's of 2021-07-21 (the test network's are not the market's). They change on the
real exchange; nothing outside this module may rely on a value. Knows nothing of prices.
"""

from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.brackets import BRACKETS, Bracket


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One contract and its filters. Prices in quote currency, quantities in base currency."""

    symbol: str
    base: str
    price_precision: int
    quantity_precision: int
    min_price: Decimal
    max_price: Decimal
    tick_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    step_size: Decimal
    market_max_quantity: Decimal
    min_notional: Decimal
    trigger_protect: Decimal
    liquidation_fee: Decimal
    market_take_bound: Decimal
    brackets: tuple[Bracket, ...]
    quote: str = "USDT"
    onboard_ms: int = 1569398400000
    price_up: Decimal = Decimal("1.0500")
    price_down: Decimal = Decimal("0.9500")
    max_orders: int = 200

    @property
    def max_leverage(self) -> int:
        """The highest leverage of the first bracket."""
        return self.brackets[0].leverage

    def max_notional(self, leverage: int) -> int:
        """The largest position (USDT) that may be held at `leverage`."""
        return max(bracket.cap for bracket in self.brackets if bracket.leverage >= leverage)

    def bracket(self, notional: Decimal) -> Bracket:
        """The bracket that holds a position of `notional` USDT (the last one beyond the table)."""
        return next((row for row in self.brackets if notional <= row.cap), self.brackets[-1])


def _instrument(
    symbol: str, digits: tuple[int, int], prices: str, quantities: str, other: str
) -> Instrument:
    low, high, tick = map(Decimal, prices.split())
    smallest, largest, step, market = map(Decimal, quantities.split())
    notional, protect, liquidation, bound = map(Decimal, other.split())
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        price_precision=digits[0],
        quantity_precision=digits[1],
        min_price=low,
        max_price=high,
        tick_size=tick,
        min_quantity=smallest,
        max_quantity=largest,
        step_size=step,
        market_max_quantity=market,
        min_notional=notional,
        trigger_protect=protect,
        liquidation_fee=liquidation,
        market_take_bound=bound,
        brackets=BRACKETS[symbol],
    )


# digits (price, quantity) · min price, max price, tick · min, max, step, market max · min notional, trigger
# protect, liquidation fee, market take bound
_TABLE = (
    _instrument(
        "BTCUSDT", (2, 3), "556.80 4529764 0.10", "0.001 1000 0.001 120", "50 0.0500 0.0125 0.05"
    ),
    _instrument(
        "ETHUSDT", (2, 3), "39.86 306177 0.01", "0.001 10000 0.001 10000", "20 0.0500 0.0050 0.10"
    ),
    _instrument(
        "BNBUSDT", (3, 2), "6.600 100000 0.010", "0.01 100000 0.01 20000", "5 0.0500 0.0050 0.10"
    ),
    _instrument(
        "SOLUSDT", (4, 0), "0.4200 6857 0.0100", "1 10000000 1 20000", "5 0.1500 0.0075 0.10"
    ),
    _instrument(
        "AVAXUSDT", (4, 0), "0.3500 2403 0.0010", "1 10000000 1 25000", "5 0.1500 0.0075 0.10"
    ),
    _instrument(
        "DOGEUSDT", (6, 0), "0.002440 30 0.000010", "1 10000000 1 5000000", "5 0.1500 0.0075 0.10"
    ),
)
INSTRUMENTS: dict[str, Instrument] = {instrument.symbol: instrument for instrument in _TABLE}
