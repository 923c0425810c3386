"""Tables of trades, bars and marks that were put together from recordings: one line in, one record out.

Pure. Each reader is made once a file, for the symbol it is played as. Quantities leave here in base currency, times in
milliseconds of the *exchange's* clock (a recorder's own clock may be seconds off). Binance's own archive is read in
`archived.py`.
"""

from collections.abc import Callable
from decimal import Decimal

from jumar.exchange.simulated.market.fields import (
    not_negative,
    positive,
    quote,
    rate,
    side,
    split,
    time_ms,
)
from jumar.exchange.simulated.market.records import (
    MINUTE_MS,
    Bar,
    Funding,
    MarkBar,
    Record,
    Trade,
)

type ReadLine = Callable[[str], Record | None]
"""Turns one line after the other into what it says, None for a line that says nothing."""

_EIGHT_PLACES = Decimal("0.00000001")
_MARK_MS = 5 * MINUTE_MS


def coin_margined(symbol: str | None) -> ReadLine:
    """COIN-M trades: quantity in contracts of 10 USD (BTC: 100 USD, Binance COIN-M contract specifications)."""
    contract = Decimal(100 if symbol == "BTCUSDT" else 10)  # USD a contract

    def read(line: str) -> Trade:
        time, _, _, taker, price_text, contracts = split(line, 6)
        price = positive(price_text, "price")
        quantity = (positive(contracts, "qty") * contract / price).quantize(_EIGHT_PLACES)
        return Trade(
            time_ms(time, "ts_ms"),
            price,
            quantity,
            side(taker, "taker_side", buy="buy", sell="sell"),
        )

    return read


def spot_aggregate(_: str | None) -> ReadLine:
    """Spot aggTrades with times in microseconds."""

    def read(line: str) -> Trade:
        _, time, price, quantity, _, buyer_is_maker = split(line, 6)
        return Trade(
            time_ms(time, "ts_us", per_ms=1_000),
            positive(price, "price"),
            positive(quantity, "qty"),
            side(buyer_is_maker, "buyer_is_maker", buy="0", sell="1"),
        )

    return read


def top_and_trades(_: str | None) -> ReadLine:
    """Top of book (kind B) and trades (kind T) in one table."""

    def read(line: str) -> Record:
        kind, _, time, _, _, p1, q1, third, fourth = split(line, 9)
        at_ms = time_ms(time, "transact_ms")
        if kind == "B":
            return quote(at_ms, p1, q1, third, fourth)
        if kind == "T":
            taker = side(third, "p2_or_m", buy="0", sell="1")
            return Trade(at_ms, positive(p1, "p1"), positive(q1, "q1"), taker)
        raise ValueError(f"kind {kind!r} is neither B nor T")

    return read


def minute_bars(_: str | None) -> ReadLine:
    """Bars of one minute in rising order."""
    before: list[int] = []  # when the bars above open

    def read(line: str) -> Bar:
        time, *prices, volume = split(line, 6)
        at_ms = time_ms(time, "open_time_ms")
        _follows(before, at_ms)
        before[:] = [*before[-1:], at_ms]
        opened, high, low, close = _prices(prices)
        return Bar(at_ms, opened, high, low, close, not_negative(volume, "volume"))

    return read


def mark_bars(_: str | None) -> ReadLine:
    """Mark prices of five minutes; the last column counts the seconds that were seen."""

    def read(line: str) -> MarkBar:
        time, *prices, samples = split(line, 6)
        not_negative(samples, "samples")
        return mark_bar(time_ms(time, "open_time_ms"), _MARK_MS, prices)

    return read


def funding_rates(_: str | None) -> ReadLine:
    """Funding rates, each with the time it was paid."""

    def read(line: str) -> Funding:
        time, paid = split(line, 2)
        return Funding(time_ms(time, "funding_time_ms"), rate(paid, "funding_rate"))

    return read


def mark_bar(at_ms: int, length_ms: int, prices: list[str]) -> MarkBar:
    """A bar of mark prices from its open, high, low and close.

    Raises:
        ValueError: it does not begin on a multiple of its length, or its prices are no bar.
    """
    if length_ms <= 0 or length_ms % MINUTE_MS or at_ms % length_ms:
        raise ValueError(f"open_time {at_ms} and a length of {length_ms} ms make no bar")
    opened, high, low, _ = _prices(prices)
    return MarkBar(at_ms, length_ms, opened, high, low)


def _prices(texts: list[str]) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    opened, high, low, close = map(positive, texts, ("open", "high", "low", "close"))
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError(f"open {opened} and close {close} are not between {low} and {high}")
    return opened, high, low, close


def _follows(before: list[int], at_ms: int) -> None:
    """Minutes may be missing further down; the first two rows must be neighbours, which tells a bar's length."""
    if at_ms % MINUTE_MS:
        raise ValueError(f"open_time_ms {at_ms} is not a whole minute")
    if before and at_ms <= before[-1]:
        raise ValueError(f"open_time_ms {at_ms} is not after {before[-1]}, the bar above")
    if len(before) == 1 and at_ms - before[0] != MINUTE_MS:
        seconds = (at_ms - before[0]) // 1_000
        raise ValueError(f"bars of {seconds} s; only bars of one minute (1m) are played")
