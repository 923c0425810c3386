"""What the loops of one account share beside its reads: the account's mode, and how well venue and disk serve it (M-1, M-3).

Mutable, owned by one event loop, no I/O. What is kept of it becomes records of whichever symbol noticed it.
"""

from collections import deque
from collections.abc import Callable

from jumar.model.journal import ModeChanged
from jumar.model.mode import Health, ModeState
from jumar.planner import ladder
from jumar.planner.modes import UNKNOWN_MAX, UNKNOWN_WITHIN_MS
from jumar.ports.store import SOLE_WRITER, WriterState
from jumar.reconciler.standing import Standings

#: The venue refuses the keys themselves: format, permission or address, signature (M-4).
KEY_CODES = frozenset({-2014, -2015, -1022})


class AccountState:
    """One account, as all its symbols see it.

    Attributes:
        mode: what is kept of M-1 for the account, None for NORMAL.
        clock_off_ms: how far exchange time may be off after the last measurement.
        not_writer: why another engine may be writing to the database, None while it is ours alone (X-7).
        writing: how sure it is that this engine alone writes to the database.
        standings: what its symbols know of each other; None for one that stands alone.
    """

    def __init__(self, mode: ModeState | None = None) -> None:
        self.mode = mode
        self.clock_off_ms = 0
        self.not_writer: str | None = None
        self.writing: Callable[[], WriterState] = lambda: SOLE_WRITER
        self.standings: Standings | None = None
        self._news: ModeState | None = None
        self._unknown_ms: deque[int] = deque(maxlen=UNKNOWN_MAX)

    def health(self, *, unanswered_ms: int | None, hears: bool, now_ms: int) -> Health:
        """Return what a look at one symbol may know of it."""
        return Health(
            unanswered_ms=unanswered_ms,
            hears=hears,
            unknown_ms=tuple(at for at in self._unknown_ms if now_ms - at < UNKNOWN_WITHIN_MS),
            clock_off_ms=self.clock_off_ms,
            not_writer=self.not_writer,
            lease_wait_ms=round(self.writing().entries_wait_s * 1000),
        )

    def saw_unknown(self, now_ms: int) -> None:
        """A request ended with an unknown outcome."""
        self._unknown_ms.append(now_ms)

    def saw_refusal(self, code: int, message: str, now_ms: int) -> ModeChanged | None:
        """The venue refused something; where it refuses the keys only protection may still leave (M-4)."""
        if code not in KEY_CODES:
            return None
        words = f"the exchange refuses the keys ({code}: {message})"
        return self.found(ladder.state("keys_rejected", words, now_ms))

    def saw_unrenewed(self, why: str, now_ms: int) -> ModeChanged | None:
        """The lease could not be renewed: from its expiry on only protection may leave (M-4, X-7)."""
        if not self.writing().expired:
            return None
        words = f"the lease of the database is over and cannot be renewed: {why}"
        return self.found(ladder.state("lease_unrenewed", words, now_ms))

    def take_news(self) -> ModeState | None:
        """Return a mode of the account that nobody has been alerted of yet, once."""
        news, self._news = self._news, None
        return news

    def found(self, state: ModeState) -> ModeChanged | None:
        """Keep a stricter mode; return what must be recorded, None where what is kept is as strict."""
        kept = ladder.stricter(self.mode, state)
        return None if kept is None else self.keep(kept)

    def keep(self, state: ModeState) -> ModeChanged:
        """Keep a mode from now on; return what must be recorded."""
        self.mode = self._news = state
        return ModeChanged(symbol=None, state=state)
