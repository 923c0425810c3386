"""What is known of one symbol's market after each record, on the instrument's grids.

Promises prices on the tick, quantities of whole units, the bid below the ask. Pure; does not know where the records come
from.

A market without quotes gets one around its trades: a buyer hit the ask, so the ask is the last price and the bid one tick
below; a seller the other way round. Its size is the mean of the latest trades. The same where quotes have ceased for a
minute and trades have not. Levels behind the best ones are those of the latest depth, where there is any. The mark price is the recorded one, is led by the bars of it, or is made: see mark.py.
"""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep, Print
from jumar.exchange.simulated.market.grid import (
    ceil_to_tick,
    floor_to_tick,
    nearest_tick,
    nearest_unit,
    quantity_unit,
)
from jumar.exchange.simulated.market.mark import LedMark
from jumar.exchange.simulated.market.records import (
    MINUTE_MS,
    Depth,
    Mark,
    MarkBar,
    Moment,
    Quote,
    Trade,
)

_SIZE_TRADES = 64  # latest trades whose mean size a built quote carries
_QUOTE_MS_MAX = MINUTE_MS  # a quote changes with nearly every trade: one that is older has ceased

type RateAt = Callable[[int], Decimal | None]
"""The rate of the next funding at a moment of exchange time; None where it is not known."""


def _unknown(_: int) -> None:
    return None


class Book:
    """The market of one symbol, record by record."""

    def __init__(
        self, symbol: str, tick_size: Decimal, price: Decimal, *, rate_at: RateAt = _unknown
    ) -> None:
        """Begin at a price: until the first trade it is the last one.

        Args:
            symbol: whose market.
            tick_size: its price step.
            price: near the first trades; it also says how coarse quantities are.
            rate_at: rates of funding, where they are recorded.
        """
        self._symbol = symbol
        self._tick = tick_size
        self._rate_at = rate_at
        self._unit = quantity_unit(price)
        self._mark = LedMark()
        self._given: Mark | None = None
        self._last = nearest_tick(price, tick_size)
        self._bid = Level(price=self._last, quantity=self._unit)
        self._ask = Level(price=self._last + tick_size, quantity=self._unit)
        self._behind: tuple[tuple[Level, ...], tuple[Level, ...]] = ((), ())
        self._quoted_ms: int | None = None
        self._sizes: deque[Decimal] = deque(maxlen=_SIZE_TRADES)
        self._sizes_sum = Decimal(0)

    def step(self, at_ms: int, path_ms: int, run: Sequence[Moment]) -> MarketStep:
        """Take the records of one moment and return the market after them."""
        prints = []
        for record in run:
            match record:
                case Quote():
                    self._take_quote(record)
                case Trade():
                    prints.append(self._take_trade(record))
                case MarkBar():
                    self._mark.follow(record)
                case Mark():
                    self._given = record
                case Depth():
                    self._take_depth(record)
        mark = self._mark.update(
            path_ms=at_ms, bid=self._bid.price, ask=self._ask.price, last=self._last
        )
        rate = self._rate_at(at_ms)
        if self._given is not None:
            mark, rate = self._given.price, self._given.funding_rate
        bids, asks = self._behind
        return MarketStep(
            symbol=self._symbol,
            path_ms=path_ms,
            bids=(self._bid, *(each for each in bids if each.price < self._bid.price)),
            asks=(self._ask, *(each for each in asks if each.price > self._ask.price)),
            last=self._last,
            mark=mark,
            prints=tuple(prints),
            funding_rate=rate,
        )

    def _take_quote(self, quote: Quote) -> None:
        """Rounded outwards: a coarser tick than the recorded one must not cross the book."""
        self._quoted_ms = quote.time_ms
        bid = max(floor_to_tick(quote.bid, self._tick), self._tick)
        ask = max(ceil_to_tick(quote.ask, self._tick), bid + self._tick)
        self._bid = Level(price=bid, quantity=nearest_unit(quote.bid_quantity, self._unit))
        self._ask = Level(price=ask, quantity=nearest_unit(quote.ask_quantity, self._unit))

    def _take_depth(self, depth: Depth) -> None:
        """What stands behind the best prices, which a quote knows better; off a coarser tick it is left out."""
        bids, asks = (
            tuple(
                Level(
                    price=nearest_tick(price, self._tick), quantity=nearest_unit(size, self._unit)
                )
                for price, size in side
                if price % self._tick == 0
            )
            for side in (depth.bids, depth.asks)
        )
        self._behind = (bids, asks)

    def _take_trade(self, trade: Trade) -> Print:
        price = nearest_tick(trade.price, self._tick)
        self._last = price
        if self._quoted_ms is None or trade.time_ms - self._quoted_ms > _QUOTE_MS_MAX:
            self._quote_around(price, trade)
        quantity = nearest_unit(trade.quantity, self._unit)
        return Print(price=price, quantity=quantity, taker_side=trade.taker_side)

    def _quote_around(self, price: Decimal, trade: Trade) -> None:
        size = self._mean_size(trade.quantity)
        bid = price - self._tick if trade.taker_side == "BUY" else price
        bid = max(bid, self._tick)
        self._bid = Level(price=bid, quantity=size)
        self._ask = Level(price=bid + self._tick, quantity=size)

    def _mean_size(self, quantity: Decimal) -> Decimal:
        if len(self._sizes) == _SIZE_TRADES:
            self._sizes_sum -= self._sizes[0]
        self._sizes.append(quantity)
        self._sizes_sum += quantity
        return nearest_unit(self._sizes_sum / len(self._sizes), self._unit)
