"""What the market says of one symbol: quote, last price, and the mark prices of the last seconds.

Mutable, fed by reads and events; a late word never replaces a newer one (W-1).
"""

from decimal import Decimal

from jumar.model.world import Observed, Quote, newer

#: How long mark prices are kept: long enough to see for how long one has been beyond a stop (S-8).
MARKS_KEPT_MS = 10_000


class Prices:
    """The prices of one symbol.

    Attributes:
        marks: the mark prices of the last seconds by their own time, oldest first; the last one is `mark` (S-8).
        high, low: the extremes of mark since `follow`, None before the first one (R-5).
    """

    def __init__(self) -> None:
        self.quote: Observed[Quote] | None = None
        self.mark: Observed[Decimal] | None = None
        self.last: Observed[Decimal] | None = None
        self.marks: tuple[Observed[Decimal], ...] = ()
        self.high: Decimal | None = None
        self.low: Decimal | None = None

    def follow(self) -> None:
        """Look for the best mark from now on: a position was just taken."""
        self.high = self.low = None if self.mark is None else self.mark.value

    def saw_quote(self, seen: Observed[Quote]) -> None:
        """Take in best bid and ask."""
        self.quote = newer(self.quote, seen)

    def saw_last(self, seen: Observed[Decimal]) -> None:
        """Take in the price of a public trade."""
        self.last = newer(self.last, seen)

    def saw_mark(self, seen: Observed[Decimal]) -> None:
        """Take in a mark price; those of the last seconds are kept by their own time (S-8)."""
        self.mark = newer(self.mark, seen)
        self.high = seen.value if self.high is None else max(self.high, seen.value)
        self.low = seen.value if self.low is None else min(self.low, seen.value)
        others = [mark for mark in self.marks if mark.at_ms != seen.at_ms]
        ordered = sorted([*others, seen], key=lambda mark: mark.at_ms)
        self.marks = tuple(m for m in ordered if m.at_ms > ordered[-1].at_ms - MARKS_KEPT_MS)
