"""What the symbols of one account know of each other: counted once, over all symbols, and never looked at too early."""

from dataclasses import replace

import pytest
from tests.unit.store.test_account_memory import summary, trade
from tests.worlds import NOW, POLICY, D, Storyboard, opened, seen, world

from jumar.model.account import PositionReport
from jumar.model.journal import AccountMemory, EquitySeen
from jumar.model.order import Role
from jumar.model.standing import DAY_MS, Standing, TradeBegun, TradeLost, VenueBudget
from jumar.reconciler.equity import EquityBook
from jumar.reconciler.standing import Standings

BUDGET = VenueBudget(silent_until_ms=7)


def standings(
    *positions: PositionReport, symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")
) -> Standings:
    """Of an account with two symbols."""
    return Standings(
        symbols=symbols,
        equity=EquityBook(POLICY),
        budget=lambda: BUDGET,
        positions=lambda: positions,
    )


def of(book: Standings, symbol: str = "ETHUSDT", now_ms: int = NOW) -> Standing:
    """How the account stands, seen from a symbol."""
    return book.of(symbol, None, now_ms)


@pytest.mark.rule("G-17")
def test_a_symbol_is_unseen_until_its_position_was_read() -> None:
    """Right after a start nobody knows what it holds; a read, or its trade, tells."""
    book = standings()
    assert of(book).unseen == ("BTCUSDT",)
    book.looked(world(position=None), None, POLICY)
    assert of(book).unseen == ("BTCUSDT",)
    book.looked(world(), None, POLICY)
    assert of(book).unseen == ()
    assert [each.occupied for each in of(book).others] == [False]
    assert of(book, "BTCUSDT").unseen == ("ETHUSDT",)
    restarted = standings()
    board = opened()
    restarted.looked(replace(board.world, position=None), board.trade, POLICY)
    assert [each.occupied for each in of(restarted).others] == [True]


@pytest.mark.rule("G-17")
def test_the_trade_that_a_look_has_just_armed_counts() -> None:
    """Before anything was sent: the next symbol that looks finds the place taken."""
    book, story = standings(), Storyboard(world=world())
    armed = story.tick()
    assert armed.trade is not None
    book.looked(world(), armed.trade, POLICY)
    (holding,) = of(book).others
    assert (holding.symbol, holding.occupied, holding.conditional) == ("BTCUSDT", True, 6)
    assert of(book, "BTCUSDT").others == ()


@pytest.mark.rule("G-17")
def test_a_trade_that_ended_gives_its_place_free() -> None:
    """With the look that ends it."""
    book, board = standings(), opened()
    book.looked(board.world, board.trade, POLICY)
    over = replace(board.trade, ended_ms=NOW)
    flat = seen(PositionReport(symbol="BTCUSDT", quantity=D(0), entry_price=D(0)))
    ended = replace(board.world, position=flat, position_event=None)
    book.looked(ended, over, POLICY)
    assert [each.occupied for each in of(book).others] == [False]


@pytest.mark.rule("G-17")
def test_positions_of_symbols_that_are_not_managed() -> None:
    """As the account's list tells them; flat ones and our own are none."""
    rows = [("XRPUSDT", "-3"), ("ADAUSDT", "1"), ("BNBUSDT", "0"), ("BTCUSDT", "1")]
    reports = [PositionReport(symbol=s, quantity=D(q), entry_price=D(1)) for s, q in rows]
    assert of(standings(*reports)).outside == ("ADAUSDT", "XRPUSDT")


def test_a_single_symbol_is_not_told_about() -> None:
    """Nobody asks what it holds."""
    book = standings(symbols=("BTCUSDT",))
    book.looked(world(), None, POLICY)
    assert of(book, "BTCUSDT").others == ()
    assert of(book, "BTCUSDT").unseen == ()
    assert of(book, "BTCUSDT").budget == BUDGET


@pytest.mark.rule("G-11")
def test_a_trade_begins_with_its_first_fill_and_is_counted_once() -> None:
    """Armed it is none; the first fill's time stays, whatever is told later, by any symbol."""
    book, story = standings(), Storyboard(world=world())
    story.run(2)
    book.looked(story.world, story.trade, POLICY)
    assert of(book).begun == ()
    story.fill(Role.ENTRY, "0.004", "90786.6")
    book.looked(story.world, story.trade, POLICY)
    story.later(5000).fill(Role.ENTRY, "0.004", "90786.6")
    book.looked(story.world, story.trade, POLICY)
    only = TradeBegun(key=story.trade.key, symbol="BTCUSDT", first_fill_ms=NOW)
    assert of(book).begun == (only,)
    assert of(book, "BTCUSDT").begun == (only,)
    over = replace(story.trade, ended_ms=NOW + 9000)
    book.ended(over, summary(over.key, "1", "0", NOW + 4000), NOW + 9000)
    assert of(book).begun == (only,)


@pytest.mark.rule("G-11")
def test_a_fill_that_is_only_reported_counts_from_now() -> None:
    """The order says that something filled, the execution is not told yet."""
    book, story = standings(), Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6")
    book.looked(replace(story.world, fills=()), story.trade, POLICY)
    assert [each.first_fill_ms for each in of(book).begun] == [story.world.now_ms]


@pytest.mark.rule("G-11", "Y-1")
def test_an_adopted_position_counts_from_its_adoption() -> None:
    """As after a restart."""
    book = standings()
    found = trade("foundfound", adopted_price=D(90000), adopted_quantity=D("0.5"))
    book.looked(world(), found, POLICY)
    assert [each.first_fill_ms for each in of(book).begun] == [found.armed_ms]


@pytest.mark.rule("G-11")
def test_only_trades_that_lost_after_fees_are_losses() -> None:
    """The newest end counts; without a fill, or even, nothing was lost."""
    book = standings()
    book.ended(trade("nofillnofi", ended_ms=NOW), None, NOW)
    book.ended(trade("even", ended_ms=NOW), summary("even", "1", "1", NOW), NOW)
    assert of(book).lost is None
    assert [each.key for each in of(book).begun] == ["even"]
    book.ended(trade("last", "ETHUSDT", ended_ms=NOW + 5), summary("last", "1", "1.5", NOW), NOW)
    newest = TradeLost(key="last", symbol="ETHUSDT", net=D("-0.5"), ended_ms=NOW + 5)
    assert of(book).lost == newest
    book.ended(trade("before", ended_ms=NOW + 4), summary("before", "-9", "0", NOW), NOW)
    assert of(book).lost == newest


@pytest.mark.rule("G-10", "G-11")
def test_what_the_store_remembers_is_taken_in() -> None:
    """Equity, trades begun, the newest loss."""
    book = standings()
    begun = TradeBegun(key="a", symbol="ETHUSDT", first_fill_ms=NOW - 5)
    lost = TradeLost(key="a", symbol="ETHUSDT", net=D(-1), ended_ms=NOW - 3)
    record = EquitySeen(equity=D(900), wallet=D(900), at_ms=NOW - 60_000)
    book.restore(AccountMemory(equity=(record,), begun=(begun,), lost=lost), NOW)
    known = book.of("BTCUSDT", world().balance, NOW)
    assert (known.begun, known.lost) == ((begun,), lost)
    assert known.equity is not None
    assert known.equity.day is not None
    assert known.equity.day.equity == 900


def test_trades_of_the_day_before_yesterday_are_forgotten() -> None:
    """The account's memory does not grow."""
    book = standings()
    for number in range(3):
        key = f"key{number}"
        at_ms = NOW + number * DAY_MS
        book.ended(trade(key, ended_ms=at_ms), summary(key, "1", "0", at_ms), at_ms)
    assert [each.key for each in of(book).begun] == ["key1", "key2"]


@pytest.mark.rule("O-4", "P-7")
def test_what_fails_leaves_the_standing_unknown() -> None:
    """An error here must not end a tick; an unknown standing refuses entries."""

    def broken() -> VenueBudget:
        raise RuntimeError("a bug")

    book = Standings(
        symbols=("BTCUSDT",), equity=EquityBook(POLICY), budget=broken, positions=lambda: ()
    )
    assert of(book, "BTCUSDT") == Standing()
