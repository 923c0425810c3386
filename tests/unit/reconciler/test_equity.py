"""What equity is compared with, what was moved meanwhile, and when both are asked for (G-10)."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest
from tests.worlds import NOW, D

from jumar.model.account import Balance, Transfer
from jumar.model.errors import VenueUnavailable
from jumar.model.journal import EquitySeen, Record
from jumar.model.policy import Policy
from jumar.model.standing import DAY_MS, AccountEquity, EquityBase, day_begin, week_begin
from jumar.model.world import Observed, Source
from jumar.reconciler.equity import (
    BEFORE_MIDNIGHT_MS,
    LOWER_EVERY_MS,
    MOVED_QUESTIONS,
    RECORD_EVERY_MS,
    RETRY_MS,
    TRANSFERS_EVERY_MS,
    WATCH_S,
    EquityBook,
    EquityWatch,
)

POLICY = Policy(max_notional_usdt=D(5000))
TODAY, WEEK = day_begin(NOW), week_begin(NOW)


def record(equity: str, at_ms: int) -> EquitySeen:
    """Equity as it was recorded."""
    return EquitySeen(equity=D(equity), wallet=D(equity), at_ms=at_ms)


def balance(equity: str, at_ms: int = NOW) -> Observed[Balance]:
    """The account's money as it was read."""
    money = Balance(wallet=D(equity), equity=D(equity), available=D(equity))
    return Observed(value=money, at_ms=at_ms, source=Source.REST)


def moved(amount: str, at_ms: int, name: str = "TRANSFER 1") -> Transfer:
    """Money that was moved."""
    return Transfer(id=name, amount=D(amount), time_ms=at_ms)


def book(*records: EquitySeen, now_ms: int = NOW) -> EquityBook:
    """A book that remembers so much."""
    made = EquityBook(POLICY)
    made.restore(records, now_ms)
    return made


def value(of: EquityBook, equity: str = "10000", at_ms: int = NOW) -> AccountEquity:
    """What the book says at an equity."""
    of.saw_balance(balance(equity, at_ms), at_ms)
    found = of.value()
    assert found is not None
    return found


def bases(of: EquityBook, at_ms: int = NOW) -> tuple[str | None, str | None]:
    """What day and week are compared with."""
    found = value(of, at_ms=at_ms)
    day, week = found.day, found.week
    return (None if day is None else str(day.equity), None if week is None else str(week.equity))


# the base


@pytest.mark.rule("G-10")
def test_the_last_record_before_a_period_is_its_base() -> None:
    """Of several the last one before midnight, and before Monday."""
    known = book(
        record("1", WEEK - DAY_MS),
        record("2", WEEK - 1),
        record("3", WEEK),
        record("4", TODAY - 60_000),
        record("5", TODAY - 1),
        record("6", TODAY),
        record("7", NOW - 1000),
    )
    assert bases(known) == ("5", "2")


@pytest.mark.rule("G-10")
def test_without_one_before_the_first_after_is_the_base() -> None:
    """A first start: what is recorded first is what is compared with, for day and week."""
    known = book()
    assert bases(known) == (None, None)
    known.recorded(record("8", NOW))
    known.recorded(record("9", NOW + 60_000))
    assert bases(known, NOW + 60_000) == ("8", "8")


@pytest.mark.rule("G-10")
def test_a_new_day_begins_with_the_last_record_before_it() -> None:
    """Midnight passes while the engine runs; on Monday the week begins too."""
    known = book(record("8", NOW))
    known.recorded(record("9", TODAY + DAY_MS - 1))
    assert bases(known, TODAY + DAY_MS - 1) == ("8", "8")
    assert bases(known, TODAY + DAY_MS) == ("9", "8")
    monday = WEEK + 7 * DAY_MS
    known.recorded(record("10", monday - 1))
    assert bases(known, monday) == ("10", "10")


@pytest.mark.rule("G-10")
def test_an_empty_account_is_no_base() -> None:
    """Nothing can be lost of nothing: the first record with money is compared with."""
    known = book(record("0", NOW - 5000))
    known.recorded(record("500", NOW))
    assert bases(known) == ("500", "500")


@pytest.mark.rule("G-10")
def test_what_the_income_history_does_not_reach_is_no_base() -> None:
    """A record of months ago cannot be told from money that was moved since."""
    assert bases(book(record("1", NOW - 86 * DAY_MS))) == (None, None)
    assert bases(book(record("1", NOW - 84 * DAY_MS))) == ("1", "1")


# transfers


@pytest.mark.rule("G-10")
def test_each_transfer_since_the_base_counts_once() -> None:
    """What was moved before the base, or at its moment, is in it; a repeated row is the same one."""
    known = book(record("1000", WEEK - 5), record("1100", TODAY - 5))
    rows = (
        moved("7", WEEK - 6, "TRANSFER 1"),
        moved("100", WEEK, "TRANSFER 2"),
        moved("-30", TODAY - 5, "TRANSFER 3"),
        moved("-20", TODAY - 4, "TRANSFER 4"),
    )
    known.saw_transfers(rows, NOW)
    known.saw_transfers(rows[2:], NOW + 1)
    found = value(known)
    assert found.day == EquityBase(equity=D(1100), at_ms=TODAY - 5, transferred=D(-20))
    assert found.week == EquityBase(equity=D(1000), at_ms=WEEK - 5, transferred=D(50))
    assert found.transfers_ms == NOW + 1


@pytest.mark.rule("G-10")
def test_equity_is_lower_from_the_first_balance_that_shows_it() -> None:
    """Without a break; each period by its own limit; what transfers explain is not lower."""
    known = book(record("1000", TODAY - 5))
    known.saw_transfers((), NOW)
    assert value(known, "980").day == EquityBase(equity=D(1000), at_ms=TODAY - 5, transferred=D(0))
    low = value(known, "979", NOW + 1000)
    assert (low.day and low.day.lower_ms, low.week and low.week.lower_ms) == (NOW + 1000, None)
    still = value(known, "940", NOW + 2000)
    assert (still.day and still.day.lower_ms, still.week and still.week.lower_ms) == (
        NOW + 1000,
        NOW + 2000,
    )
    known.saw_transfers((moved("-60", NOW + 900),), NOW + 3000)
    found = known.value()
    assert found is not None
    assert (found.day and found.day.lower_ms, found.week and found.week.lower_ms) == (None, None)
    again = value(known, "900", NOW + 4000)
    assert again.day is not None
    assert again.day.lower_ms == NOW + 4000


def test_an_older_balance_takes_nothing_back() -> None:
    """Two symbols read the balance: the newer one counts."""
    known = book(record("1000", NOW))
    assert value(known, "900", NOW + 10).equity == 900
    assert value(known, "1000", NOW + 9).equity == 900


@pytest.mark.rule("G-10")
def test_transfers_are_asked_for_more_often_while_equity_looks_lower() -> None:
    """Every minute; two seconds after it began to look lower; then every ten seconds."""
    known = book(record("1000", TODAY - 5))
    assert known.transfers_due(NOW)
    known.saw_transfers((), NOW)
    assert not known.transfers_due(NOW + TRANSFERS_EVERY_MS - 1)
    assert known.transfers_due(NOW + TRANSFERS_EVERY_MS)
    known.saw_balance(balance("900", NOW + 1000), NOW + 1000)
    assert not known.transfers_due(NOW + 2999)
    assert known.transfers_due(NOW + 3000)
    known.saw_transfers((), NOW + 3000)
    assert not known.transfers_due(NOW + 3000 + LOWER_EVERY_MS - 1)
    assert known.transfers_due(NOW + 3000 + LOWER_EVERY_MS)


def test_only_what_was_not_read_before_is_asked_for_again() -> None:
    """First since the older base, then with some overlap."""
    known = book(record("1000", WEEK - 5), record("1000", TODAY - 5))
    assert known.transfers_since(NOW) == WEEK - 5
    known.saw_transfers((), NOW)
    assert known.transfers_since(NOW + 60_000) == NOW - 600_000


# the watch


class Hand:
    """A clock moved by hand; whoever sleeps goes on when its time has come."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """The time that was set."""
        return self.at_ms

    def monotonic(self) -> float:
        """The same in seconds."""
        return self.at_ms / 1000

    def set_offset(self, offset_ms: int) -> None:
        """Nothing."""

    async def sleep(self, seconds: float) -> None:
        """Until the time has come."""
        until = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.at_ms + int(seconds * 1000), until))
        await until

    async def pass_by(self, ms: int) -> None:
        """Let time pass in steps of the watch."""
        goal = self.at_ms + ms
        while True:
            for _ in range(10):
                await asyncio.sleep(0)
            if self.at_ms >= goal:
                return
            self.at_ms = min([*(at for at, _ in self._sleepers), goal])
            due = [each for at, each in self._sleepers if at <= self.at_ms]
            self._sleepers = [(at, each) for at, each in self._sleepers if at > self.at_ms]
            for each in due:
                each.set_result(None)


class Bench:
    """A watch with a venue that counts its questions.

    Attributes:
        asked: since when transfers were asked for, each time. away: the venue does not answer.
        rows: what it answers. records: what was written. news: how often somebody was told.
    """

    def __init__(self, at_ms: int = NOW) -> None:
        self.clock = Hand(at_ms)
        self.book = book(now_ms=at_ms)
        self.asked: list[tuple[int, int]] = []
        self.away = False
        self.rows: Iterable[Transfer] = ()
        self.records: list[EquitySeen] = []
        self.news = 0
        self.watch = EquityWatch(
            self.book,
            exchange=self,  # type: ignore[arg-type]  # only transfers are asked of it
            shared=self,  # type: ignore[arg-type]  # only the balance is read
            clock=self.clock,
            write=self._write,
            on_news=self._hear,
        )

    @property
    def balance(self) -> "Bench":
        """The account's balance, of which `get` is asked."""
        return self

    async def get(self, *, max_age_ms: int) -> Observed[Balance]:
        """Read it."""
        assert max_age_ms <= 1000
        if self.away:
            raise VenueUnavailable("away")
        return balance("1000", self.clock.now_ms())

    async def transfers(self, since_ms: int) -> tuple[Transfer, ...]:
        """Read them."""
        self.asked.append((self.clock.now_ms(), since_ms))
        if self.away:
            raise VenueUnavailable("away")
        return tuple(self.rows)

    async def _write(self, records: tuple[Record, ...]) -> None:
        self.records += [each for each in records if isinstance(each, EquitySeen)]

    def _hear(self) -> None:
        self.news += 1

    async def run(self, *ms: int) -> None:
        """Let it run for a while, and then for another one."""
        task = asyncio.create_task(self.watch.run())
        for each in ms:
            await self.clock.pass_by(each)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.rule("G-10")
async def test_equity_is_recorded_every_minute_and_transfers_are_read_at_once() -> None:
    """The first look knows both, and says so once; then each minute again."""
    bench = Bench()
    await bench.run(2 * RECORD_EVERY_MS + 900)
    assert [each.at_ms - NOW for each in bench.records] == [0, 60_000, 120_000]
    assert [at - NOW for at, _ in bench.asked] == [0, 60_000, 120_000]
    assert bench.news == 1
    found = bench.book.value()
    assert found is not None
    assert found.day is not None
    assert found.transfers_ms == NOW + 120_000


@pytest.mark.rule("G-10")
async def test_equity_is_recorded_just_before_and_just_after_midnight() -> None:
    """The base of a day is never a minute old."""
    midnight = TODAY + DAY_MS
    bench = Bench(midnight - 30_000)
    await bench.run(31_000)
    apart = [each.at_ms - midnight for each in bench.records]
    assert apart == [-30_000, -BEFORE_MIDNIGHT_MS, 0]
    found = bench.book.value()
    assert found is not None
    assert found.day is not None
    assert found.day.at_ms == midnight - BEFORE_MIDNIGHT_MS


@pytest.mark.rule("G-10", "W-1")
async def test_an_event_makes_it_ask_sooner_and_more_than_once() -> None:
    """Money seems to have been moved: it is asked for at once and, as it may be listed late, again."""
    bench = Bench()
    task = asyncio.create_task(bench.watch.run())
    await bench.clock.pass_by(10_000)
    bench.watch.moved()
    await bench.clock.pass_by(20_000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    asked = [at - NOW for at, _ in bench.asked]
    assert len(asked) == 1 + MOVED_QUESTIONS
    assert asked[1] - 10_000 <= WATCH_S * 1000
    assert all(b - a >= RETRY_MS for a, b in pairwise(asked[1:]))


async def test_a_venue_that_is_away_is_asked_again_and_stops_nothing() -> None:
    """Nothing is recorded and nothing known meanwhile; afterwards both are."""
    bench = Bench()
    bench.away = True
    task = asyncio.create_task(bench.watch.run())
    await bench.clock.pass_by(9000)
    assert (bench.records, bench.news) == ([], 0)
    assert 3 <= len(bench.asked) <= 9000 // RETRY_MS + 1
    bench.away = False
    await bench.clock.pass_by(3000)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(bench.records) == 1
    assert bench.news == 1
