"""The account's equity over time: what it was when day and week began, and what was moved in and out since (G-10).

`EquityBook` remembers and compares, without I/O. `EquityWatch` feeds it: it records equity every minute and just before
and after midnight UTC, and asks the venue's income history for transfers: that survives a restart and a lost event,
events only make it ask sooner. Whether lower equity is a loss is decided by the planner.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from jumar.model.account import Balance, Transfer
from jumar.model.errors import VenueError
from jumar.model.journal import EquitySeen, Record
from jumar.model.policy import Policy
from jumar.model.standing import (
    DAY_MS,
    AccountEquity,
    EquityBase,
    day_begin,
    week_begin,
)
from jumar.model.units import ZERO
from jumar.model.world import Observed
from jumar.planner.drawdown import TRANSFER_LAG_MS, is_lower
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.reconciler.shared import SharedReads

_log = structlog.get_logger("jumar.equity")

RECORD_EVERY_MS = 60_000
#: Equity is recorded this long before midnight and as soon after it.
BEFORE_MIDNIGHT_MS = 1000
BALANCE_AGE_MS = 1000
#: Between questions for transfers: normally, while equity looks lower, and after one that was not answered.
TRANSFERS_EVERY_MS, LOWER_EVERY_MS, RETRY_MS = 60_000, 10_000, 2000
#: After an event that tells of moved money, so many questions.
MOVED_QUESTIONS = 3
#: A transfer may be listed a little late: so much of what was read is read again.
OVERLAP_MS = 10 * 60_000
#: The venue's income history reaches back three months: an older record cannot be compared with.
BASE_AGE_MS_MAX = 85 * DAY_MS
WATCH_S = 0.5


@dataclass(slots=True)
class _Period:
    """A day or a week: when it began, the record that it is compared with, and since when equity looks lower."""

    begin_of: Callable[[int], int]
    limit_pct: Decimal
    begin_ms: int = 0
    base: EquitySeen | None = None
    lower_ms: int | None = None


class EquityBook:
    """What is known of one account's equity.

    Args:
        policy: of any symbol: its limits on the account are the same for all.
    """

    def __init__(self, policy: Policy) -> None:
        self._day = _Period(day_begin, policy.daily_drawdown_pct)
        self._week = _Period(week_begin, policy.weekly_drawdown_pct)
        self._recorded: EquitySeen | None = None
        self._balance: Observed[Balance] | None = None
        self._transfers: dict[str, Transfer] = {}
        self.transfers_ms: int | None = None

    def restore(self, records: Iterable[EquitySeen], now_ms: int) -> None:
        """Take in what the store remembers: of both periods the last record before and the first after their begin."""
        for record in sorted(records, key=lambda each: each.at_ms):
            if now_ms - record.at_ms <= BASE_AGE_MS_MAX:
                self.recorded(record)
        self._roll(now_ms)

    def recorded(self, record: EquitySeen) -> None:
        """Equity was recorded; nothing can be compared with an account that was empty."""
        self._roll(record.at_ms)
        if record.equity <= ZERO:
            return
        for period in (self._day, self._week):
            if period.base is None:
                period.base = record
        self._recorded = record

    def saw_balance(self, seen: Observed[Balance] | None, now_ms: int) -> None:
        """Take in a balance read; what a newer one said is not taken back."""
        self._roll(now_ms)
        if seen is None or (self._balance is not None and seen.at_ms <= self._balance.at_ms):
            return
        self._balance = seen
        self._compare()

    def saw_transfers(self, found: Iterable[Transfer], asked_ms: int) -> None:
        """Take in what was moved; a transfer counts once, and no longer than a base is older than it."""
        oldest = self._oldest_ms()
        known = (*self._transfers.values(), *found)
        self._transfers = {each.id: each for each in known if each.time_ms > oldest}
        self.transfers_ms = asked_ms
        self._compare()

    def transfers_since(self, now_ms: int) -> int:
        """From when on transfers must be asked for: of all that the bases need, what was not read before."""
        oldest = self._oldest_ms(default=now_ms - OVERLAP_MS)
        return oldest if self.transfers_ms is None else max(oldest, self.transfers_ms - OVERLAP_MS)

    def _oldest_ms(self, default: int = 0) -> int:
        """When the older of both bases was recorded."""
        bases = (self._day.base, self._week.base)
        return min((base.at_ms for base in bases if base is not None), default=default)

    def transfers_due(self, now_ms: int) -> bool:
        """Whether to ask for transfers again: now and then, and sooner while equity looks lower."""
        asked = self.transfers_ms
        if asked is None:
            return True
        lower = [p.lower_ms for p in (self._day, self._week) if p.lower_ms is not None]
        unproven = any(asked < since + TRANSFER_LAG_MS <= now_ms for since in lower)
        return unproven or now_ms - asked >= (LOWER_EVERY_MS if lower else TRANSFERS_EVERY_MS)

    def value(self) -> AccountEquity | None:
        """Return it as one frozen value, None before the first balance."""
        seen = self._balance
        if seen is None:
            return None
        return AccountEquity(
            equity=seen.value.equity,
            at_ms=seen.at_ms,
            day=self._base(self._day),
            week=self._base(self._week),
            transfers_ms=self.transfers_ms,
        )

    def _base(self, period: _Period) -> EquityBase | None:
        record = period.base
        if record is None:
            return None
        moved = (each.amount for each in self._transfers.values() if each.time_ms > record.at_ms)
        return EquityBase(
            equity=record.equity,
            at_ms=record.at_ms,
            transferred=sum(moved, start=ZERO),
            lower_ms=period.lower_ms,
        )

    def _compare(self) -> None:
        seen = self._balance
        for period in (self._day, self._week):
            base = self._base(period)
            lower = (
                seen is not None
                and base is not None
                and is_lower(seen.value.equity, base, period.limit_pct)
            )
            if not lower or seen is None:
                period.lower_ms = None
            elif period.lower_ms is None:
                period.lower_ms = seen.at_ms

    def _roll(self, now_ms: int) -> None:
        """A new day or week begins with the last record before it."""
        for period in (self._day, self._week):
            begin_ms = period.begin_of(now_ms)
            if begin_ms > period.begin_ms:
                period.begin_ms, period.lower_ms = begin_ms, None
                period.base = self._recorded


class EquityWatch:
    """Feeds one account's book; a helper task of the engine."""

    def __init__(
        self,
        book: EquityBook,
        *,
        exchange: Exchange,
        shared: SharedReads,
        clock: Clock,
        write: Callable[[tuple[Record, ...]], Awaitable[None]],
        on_news: Callable[[], None],
    ) -> None:
        self._book = book
        self._exchange = exchange
        self._shared = shared
        self._clock = clock
        self._write = write
        self._on_news = on_news
        self._recorded_ms: int | None = None
        self._asked_ms: int | None = None
        self._moved = 0

    def moved(self) -> None:
        """Money seems to have been moved: ask at the next looks, for it may be listed a little later."""
        self._moved = MOVED_QUESTIONS

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            now, answered = self._clock.now_ms(), True
            if self._record_is_due(now):
                answered = await self._contained(self._record(now))
            if self._transfers_are_due(now):
                answered &= await self._contained(self._ask_for_transfers(now))
            await self._clock.sleep(WATCH_S if answered else RETRY_MS / 1000)

    @staticmethod
    async def _contained(work: Awaitable[None]) -> bool:
        """Do it; a read that failed is tried again soon, and stops nothing (O-4)."""
        try:
            await work
        except VenueError as error:
            _log.warning("the account's money cannot be read", error=str(error))
        except Exception:  # noqa: BLE001 - nothing here may stop the loops (O-4)
            _log.exception("the account's money cannot be read")
        else:
            return True
        return False

    def _transfers_are_due(self, now: int) -> bool:
        if self._asked_ms is not None and now - self._asked_ms < RETRY_MS:
            return False
        return self._moved > 0 or self._book.transfers_due(now)

    async def _ask_for_transfers(self, now: int) -> None:
        self._asked_ms = now
        first = self._book.transfers_ms is None
        found = await self._exchange.transfers(self._book.transfers_since(now))
        self._moved = max(self._moved - 1, 0)
        self._book.saw_transfers(found, now)
        if first:
            self._on_news()

    def _record_is_due(self, now: int) -> bool:
        before = self._recorded_ms
        if before is None or now - before >= RECORD_EVERY_MS or day_begin(now) > before:
            return True
        eve = day_begin(now) + DAY_MS - BEFORE_MIDNIGHT_MS
        return before < eve <= now

    async def _record(self, now: int) -> None:
        seen = await self._shared.balance.get(max_age_ms=BALANCE_AGE_MS)
        value = seen.value
        record = EquitySeen(equity=value.equity, wallet=value.wallet, at_ms=seen.at_ms)
        self._recorded_ms = now
        self._book.recorded(record)
        self._book.saw_balance(seen, now)
        await self._write((record,))
