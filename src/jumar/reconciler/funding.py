"""What the open trade's position has paid at funding times, and whether that is known (T-3, T-4).

Mutable, fed by reads of the venue's income history and by the mark stream, which tells the next funding time. A
payment is listed a little after its time: it is asked for then, and again until it is there. Nothing waits for it.
"""

from collections.abc import Iterable

from jumar.model.funding import FundingPayment

#: How long after a funding time its payment is asked for first, and how long between two questions.
FIRST_ASK_MS, ASK_AGAIN_MS = 5_000, 30_000
#: How long a payment is expected to be listed; without one by then nothing was paid.
LISTED_WITHIN_MS = 300_000
#: How far a payment's own time may be before the funding time that it belongs to, and our clock behind the venue's.
EARLY_MS = 60_000
#: The venue's shortest time between two fundings: for so long a reading holds while the next time is not known.
SHORTEST_MS = 3_600_000


class FundingBook:
    """The funding of one symbol.

    Attributes:
        next_ms: the next funding time as the venue tells it, None while it is not known.
    """

    def __init__(self) -> None:
        self.next_ms: int | None = None
        self._passed_ms: int | None = None
        self._payments: dict[int, FundingPayment] = {}
        self._complete_ms: int | None = None
        self._asked_ms: int | None = None

    def begin(self, at_ms: int) -> None:
        """A trade got its position: what was paid before is not its own.

        Nothing has been paid since unless a funding time passed meanwhile, or may have: then it is read.
        """
        self._payments.clear()
        passed = self._passed_ms is not None and self._passed_ms >= at_ms
        self._complete_ms = None if passed or self.next_ms is None else at_ms
        self._asked_ms = None
        self._passed_ms = self._passed_ms if passed else None

    def saw_next(self, next_ms: int | None, now_ms: int) -> None:
        """Take in the next funding time; the one that it takes the place of has passed, by the venue's own clock."""
        replaced = self.next_ms is not None and next_ms is not None and next_ms > self.next_ms
        self._turn(now_ms + EARLY_MS if replaced else now_ms)
        if next_ms is not None and next_ms > now_ms:
            self.next_ms = next_ms

    def saw_asked(self, asked_ms: int) -> None:
        """The payments are being asked for."""
        self._asked_ms = asked_ms

    def saw(self, payments: Iterable[FundingPayment], asked_ms: int) -> None:
        """Take in all payments of the trade so far; one that was told before counts once."""
        self._payments |= {payment.payment_id: payment for payment in payments}
        self._complete_ms = asked_ms

    def present(self, now_ms: int) -> tuple[FundingPayment, ...] | None:
        """Return the payments of the trade, oldest first; None while they are not known."""
        self._turn(now_ms)
        if not self._is_known(now_ms):
            return None
        return tuple(
            sorted(self._payments.values(), key=lambda each: (each.time_ms, each.payment_id))
        )

    def is_due(self, now_ms: int) -> bool:
        """Whether the payments should be asked for now."""
        self._turn(now_ms)
        if self._is_known(now_ms):
            return False
        since_ms = 0 if self._passed_ms is None else self._passed_ms + FIRST_ASK_MS
        asked_ms = self._asked_ms
        return now_ms >= since_ms and (
            asked_ms is None or asked_ms < since_ms or now_ms - asked_ms >= ASK_AGAIN_MS
        )

    def _turn(self, now_ms: int) -> None:
        if self.next_ms is not None and now_ms >= self.next_ms:
            self._passed_ms, self.next_ms = self.next_ms, None

    def _is_known(self, now_ms: int) -> bool:
        """Whether everything was read, the payment of the last funding time among it, or waited for long enough."""
        complete_ms, passed_ms = self._complete_ms, self._passed_ms
        if complete_ms is None or (self.next_ms is None and now_ms - complete_ms >= SHORTEST_MS):
            return False
        if passed_ms is None:
            return True
        listed = any(each.time_ms >= passed_ms - EARLY_MS for each in self._payments.values())
        return complete_ms >= passed_ms and (listed or complete_ms >= passed_ms + LISTED_WITHIN_MS)
