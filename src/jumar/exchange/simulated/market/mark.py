"""The mark price of a path that has none of its own.

Pure. Promises a price between the lowest and the highest of three: the last price, the middle of the
best bid and ask, and an exponential average of that middle over 5 s of path time. One wild print or one
hollow quote is outvoted by the other two.

A median of three because the venue's own mark price is one, of two prices made from its index and of the
contract's own (Binance support, "What Are Mark Price and Price Index in USDⓈ-Margined Futures", article
360033525071). Those two come from an index over several spot exchanges and from the funding
rate; a recorded file of one market has neither, so the quote and its average stand in for them. It does
not know a spot market, a basis or funding: this mark always lies between last price and middle, a real
one can stray further.

Where bars of the real mark price are at hand, the mark made here is led by them: `LedMark`.
"""

from decimal import Decimal

from jumar.exchange.simulated.market.records import MarkBar

AVERAGE_MS = 5_000
"""Time constant of the average of the middle, in milliseconds of path time."""

_PUBLISHED = Decimal("0.00000001")  # the venue publishes eight decimals, off the tick


class MarkPrice:
    """The mark price of one symbol, fed one market state at a time in path order."""

    __slots__ = ("_at_ms", "_average")

    def __init__(self) -> None:
        self._average: Decimal | None = None
        self._at_ms = 0

    def update(self, *, path_ms: int, bid: Decimal, ask: Decimal, last: Decimal) -> Decimal:
        """Take the market at `path_ms` and return the mark price there, with eight decimals.

        The middle enters the average with the weight `dt / (dt + 5000 ms)`: the implicit form of the
        exponential average, chosen because it is exact in decimals on every machine. The first middle is
        the first average.
        """
        middle = (bid + ask) / 2
        if self._average is None:
            self._average = middle
        else:
            elapsed_ms = path_ms - self._at_ms
            self._average += (middle - self._average) * elapsed_ms / (elapsed_ms + AVERAGE_MS)
        self._at_ms = path_ms
        return sorted((last, middle, self._average))[1].quantize(_PUBLISHED)


class LedMark:
    """A made mark price that is moved to where the bars of the real one say it was.

    Promises the bar's open when the bar begins, and that no mark leaves the bar. In between the mark goes as the made
    one does, at the distance that it had when the bar began: the bar says how far the mark went, not how, and a way
    through it that is drawn by dice would part from the contract's price where the real one went with it.
    """

    __slots__ = ("_bar", "_distance", "_made")

    def __init__(self) -> None:
        self._made = MarkPrice()
        self._bar: MarkBar | None = None
        self._distance = Decimal(0)

    def follow(self, bar: MarkBar) -> None:
        """From the bar's first moment on it leads, until its length is over or the next one begins."""
        self._bar = bar
        self._distance = Decimal("NaN")

    def update(self, *, path_ms: int, bid: Decimal, ask: Decimal, last: Decimal) -> Decimal:
        """Take the market at a moment and return the mark price there, with eight decimals.

        A moment that no bar covers has the made mark.
        """
        made = self._made.update(path_ms=path_ms, bid=bid, ask=ask, last=last)
        bar = self._bar
        if bar is None or path_ms >= bar.time_ms + bar.length_ms:
            return made
        if self._distance.is_nan():
            self._distance = bar.open - made
        return min(max(made + self._distance, bar.low), bar.high).quantize(_PUBLISHED)
