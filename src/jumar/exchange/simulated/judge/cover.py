"""P-1: whenever the position is not zero, one order covers all of it.

Promises: an interval counts from the record that left the position bare to the record that covered or ended it,
and is excused only for what others did (`Excuse`). An interval of no length counts only when a client's command
stands at one of its ends: two commands are two causes, whereas the records of one cause share their time.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jumar.exchange.simulated.judge.replay import Clock, Step
from jumar.exchange.simulated.judge.state import ZERO, AnyOrder, Book, Conditional, Order
from jumar.exchange.simulated.judge.verdict import Verdicts

PROTECT_DEADLINE_MS = 3_000


class Excuse(StrEnum):
    """Why a bare interval is not the client's doing: the cases (a), (b) and (c) of P-1."""

    ARMED_STOP_GONE = "the armed stop was consumed or removed by others while the entry rested"
    STOP_INCOMPLETE = "a triggered stop ended with the position not zero"
    STOP_REMOVED = "a stop was removed by the exchange or a fault"


@dataclass(slots=True, kw_only=True)
class _Gap:
    """An interval in which nothing covers.

    Attributes:
        entry: for (a), the entry whose end starts the deadline.
        due_from: serving milliseconds at which the deadline started; None while it has not.
        by_client: a client's command opened it.
    """

    t: int
    seq: int
    client_id: str
    excuse: Excuse | None
    entry: Order | None
    due_from: int | None
    by_client: bool


@dataclass(slots=True, kw_only=True)
class _Watch:
    """One symbol.

    Attributes:
        armed: per entry in the book, whether a stop covers all that it may still become.
        disarmed: the entries in the book whose cover others took away.
        paused: the last gap, and the full exit that ended it.
    """

    gap: _Gap | None = None
    armed: dict[int, bool] = field(default_factory=dict)
    disarmed: set[int] = field(default_factory=set)
    paused: tuple[_Gap, Order] | None = None


class CoverWatch:
    """Measures the bare intervals of every symbol."""

    def __init__(self, verdicts: Verdicts, clock: Clock) -> None:
        self._verdicts = verdicts
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._longest_ms = 0
        self._excused_ms = 0
        self._gaps: list[dict[str, Any]] = []

    def see(self, step: Step) -> None:
        """Take one change into account."""
        watch = self._watches.get(step.book.symbol)
        if watch is None:
            watch = self._watches[step.book.symbol] = _Watch()
        if step.fill is not None and step.fill.opened is not None:
            self._verdicts.check("P-1")
        self._cover(watch, step)
        if watch.armed or step.book.entries:
            self._arm(watch, step)

    def finish(self) -> None:
        """Close what is still open at the time of the clock."""
        for symbol, watch in self._watches.items():
            if watch.gap is not None:
                self._close(watch.gap, symbol, by_client=False)

    def figures(self) -> dict[str, Any]:
        """The longest unexcused interval and the sum of the excused ones in milliseconds; the number of both, and each."""
        return {
            "unprotected_ms_max": self._longest_ms,
            "unprotected_excused_ms": self._excused_ms,
            "cover_gap_events": len(self._gaps),
            "gaps": sorted(self._gaps, key=lambda gap: (gap["from_ms"], gap["symbol"])),
        }

    def _cover(self, watch: _Watch, step: Step) -> None:
        book = step.book
        stops = book.full_size_stops() if book.position else []
        exit_ = book.covering_exit() if book.position and not stops else None
        bare = bool(book.position) and not stops and exit_ is None
        if bare and watch.gap is None:
            watch.gap = self._open(watch, step)
        elif watch.gap is not None and not bare:
            self._close(watch.gap, book.symbol, by_client=step.by_client)
            watch.paused = None if exit_ is None else (watch.gap, exit_)
            watch.gap = None
        if watch.gap is not None:
            self._start_deadline(watch.gap)

    def _open(self, watch: _Watch, step: Step) -> _Gap:
        excuse, entry = _excuse(watch, step)
        gap = _Gap(
            t=step.t,
            seq=step.seq,
            client_id=step.order.owner.client_id,
            excuse=excuse,
            entry=entry,
            due_from=self._clock.served if excuse is Excuse.STOP_REMOVED else None,
            by_client=step.by_client,
        )
        if excuse is None and not step.by_client:
            self._resume(watch, gap, step.order)
        return gap

    def _resume(self, watch: _Watch, gap: _Gap, order: AnyOrder) -> None:
        """Let a gap that a full exit could not end go on under its excuse, the time spent so far included."""
        if watch.paused is None or watch.paused[1] is not order:
            return
        before = watch.paused[0]
        gap.excuse, gap.entry, gap.due_from = before.excuse, before.entry, before.due_from

    def _start_deadline(self, gap: _Gap) -> None:
        if gap.due_from is None and gap.entry is not None and not gap.entry.alive:
            gap.due_from = self._clock.served

    def _close(self, gap: _Gap, symbol: str, *, by_client: bool) -> None:
        length = self._clock.now - gap.t
        if length == 0 and not (gap.by_client or by_client):
            return
        excused = gap.excuse is not None
        self._gaps.append(
            {"symbol": symbol, "from_ms": gap.t, "to_ms": self._clock.now, "excused": excused}
        )
        if gap.excuse is None:
            self._longest_ms = max(self._longest_ms, length)
            self._broken(gap, symbol, f"bare for {length} ms, until {self._clock.now}")
            return
        self._excused_ms += length
        spent = 0 if gap.due_from is None else self._clock.served - gap.due_from
        if spent > PROTECT_DEADLINE_MS:
            self._broken(
                gap,
                symbol,
                f"bare for {length} ms, until {self._clock.now}: excused because {gap.excuse}, "
                f"but for {PROTECT_DEADLINE_MS} ms of serving, not {spent}",
            )

    def _broken(self, gap: _Gap, symbol: str, message: str) -> None:
        self._verdicts.broken(
            "P-1", t=gap.t, seq=gap.seq, symbol=symbol, client_id=gap.client_id, message=message
        )

    def _arm(self, watch: _Watch, step: Step) -> None:
        """Keep, for every entry in the book, whether a stop covers what it may become, and who took it away."""
        book = step.book
        for number in watch.armed.keys() - book.entries.keys():
            del watch.armed[number]
            watch.disarmed.discard(number)
        for number, entry in book.entries.items():
            was, now = watch.armed.get(number, False), _armed(book, entry)
            watch.armed[number] = now
            if now:
                watch.disarmed.discard(number)
            elif was and step.fill is None and not step.by_client:
                watch.disarmed.add(number)


def _armed(book: Book, entry: Order) -> bool:
    """Whether a stop with a quantity covers the position as it is when all of the entry has filled."""
    size = entry.left + max(book.position * entry.sign, ZERO)
    return any(
        stop.covers(size, entry.sign) for stop in book.stops.values() if not stop.close_position
    )


def _excuse(watch: _Watch, step: Step) -> tuple[Excuse | None, Order | None]:
    """Name what left the position bare, if it was not the client's doing."""
    order = step.order
    if step.fill is not None:
        entry = step.fill.order
        if entry.number in watch.disarmed:
            return Excuse.ARMED_STOP_GONE, entry
        return None, None
    stop = order.owner
    if step.by_client or not step.ended or not isinstance(stop, Conditional) or not stop.is_stop:
        return None, None
    if stop.triggered:
        return Excuse.STOP_INCOMPLETE, None
    return Excuse.STOP_REMOVED, None
