"""What a start remembers of the account: equity around the day's and the week's begin, trades begun, the newest loss."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import NOW, D, decision

from jumar.model.ids import client_id
from jumar.model.journal import (
    AccountMemory,
    EquitySeen,
    FillSeen,
    Intent,
    TradeChanged,
    TradeEnded,
)
from jumar.model.order import Fill, OrderRequest, OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.standing import DAY_MS, TradeBegun, TradeLost, day_begin, week_begin
from jumar.model.trade import Trade, TradeSummary
from jumar.store.account import BACK_MS
from jumar.store.journal import SqlStore
from jumar.store.place import Place

TODAY, WEEK = day_begin(NOW), week_begin(NOW)


@pytest.fixture
async def store(database: Place) -> AsyncIterator[SqlStore]:
    """An open, empty store."""
    opened = SqlStore(database)
    await opened.open()
    yield opened
    await opened.close()


def record(equity: str, at_ms: int) -> EquitySeen:
    """Equity as it was recorded."""
    return EquitySeen(equity=D(equity), wallet=D("1"), at_ms=at_ms)


def trade(key: str, symbol: str = "BTCUSDT", **changes: object) -> Trade:
    """A trade, armed a minute ago."""
    base = Trade(
        key=key,
        symbol=symbol,
        side=Side.BUY,
        decision=decision(symbol=symbol),
        planned_quantity=D("0.013"),
        limit_price=D("90786.6"),
        initial_stop=D(90380),
        tp1=D(91600),
        tp2=None,
        armed_ms=NOW - 60_000,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def summary(key: str, pnl: str, fees: str, first_ms: int) -> TradeSummary:
    """What became of it."""
    return TradeSummary(
        key=key,
        quantity=D("0.013"),
        average_entry=D(90786),
        average_exit=D(90800),
        exit_reason="stop",
        realized_pnl=D(pnl),
        fees=D(fees),
        r_gross=D(0),
        r_net=D(0),
        slippage=None,
        stop_moves=0,
        first_fill_ms=first_ms,
        last_fill_ms=first_ms + 10,
    )


def ended(
    key: str, at_ms: int, pnl: str = "5", fees: str = "1", *, first_ms: int | None = None
) -> TradeEnded:
    """The end of a trade."""
    first_ms = at_ms - 1000 if first_ms is None else first_ms
    return TradeEnded(trade=trade(key, ended_ms=at_ms), summary=summary(key, pnl, fees, first_ms))


async def begun(store: SqlStore) -> dict[str, int]:
    """The first fills that are remembered."""
    memory = await store.load_account(NOW)
    return {each.key: each.first_fill_ms for each in memory.begun}


async def test_an_empty_store_remembers_nothing(store: SqlStore) -> None:
    """A first start."""
    assert await store.load_account(NOW) == AccountMemory()


@pytest.mark.rule("G-10")
async def test_equity_on_either_side_of_day_and_week(store: SqlStore) -> None:
    """The last record before each begin and the first after it, whatever the order of writing; money exactly."""
    rows = [
        record("1", WEEK - 60_000),
        record("2.123456789", WEEK - 1),
        record("3", WEEK),
        record("4", WEEK + 1),
        record("5", TODAY - 1),
        record("6", TODAY + 5),
        record("7", NOW - 1),
    ]
    await store.write(rows[::-1])
    memory = await store.load_account(NOW)
    assert memory.equity == (rows[1], rows[2], rows[4], rows[5])


@pytest.mark.rule("G-10")
async def test_an_empty_account_was_no_equity(store: SqlStore) -> None:
    """Zero in any spelling is passed over; a little is not."""
    rows = [record("0.00000001", TODAY - 3), record("0.00", TODAY - 2), record("0", TODAY - 1)]
    await store.write([*rows, record("0E-8", TODAY), record("9", TODAY + 1)])
    memory = await store.load_account(NOW)
    assert [each.at_ms for each in memory.equity] == [TODAY - 3, TODAY + 1]


@pytest.mark.rule("G-11")
async def test_trades_of_all_symbols_count_from_their_first_fill(store: SqlStore) -> None:
    """Ended ones by their summary, an open one by its fills; armed ones, and older ones, not at all."""
    open_, armed = trade("openopenop"), trade("armedarmed", "ETHUSDT")
    entry = OwnOrder(
        trade_key=open_.key,
        attempt=1,
        request=OrderRequest(
            symbol="BTCUSDT",
            client_id=client_id(key="openopenop", role=Role.ENTRY, attempt=1),
            role=Role.ENTRY,
            side=Side.BUY,
            type=OrderType.LIMIT,
            quantity=D("0.013"),
            price=D(90786),
        ),
        rule="E-2",
        cause="",
        journaled_ms=NOW,
        state=OrderState.OPEN,
    )
    await store.write(
        [
            ended("today", NOW - 5000),
            replace(ended("nofillnofi", NOW - 5000), summary=None),
            ended("old", NOW - BACK_MS - 1, first_ms=NOW - BACK_MS - 5),
            ended("late", NOW - 1000, first_ms=NOW - BACK_MS - 5),
            TradeChanged(trade=open_),
            TradeChanged(trade=armed),
            Intent(order=entry),
            *(_filled(entry, NOW - age) for age in (100, 300, 200)),
        ]
    )
    assert await begun(store) == {"today": NOW - 6000, "openopenop": NOW - 300}
    memory = await store.load_account(NOW)
    assert memory.begun[0] == TradeBegun(
        key="today", symbol="BTCUSDT", first_fill_ms=NOW - 6000
    ) or memory.begun[1] == TradeBegun(key="today", symbol="BTCUSDT", first_fill_ms=NOW - 6000)


def _filled(entry: OwnOrder, at_ms: int) -> FillSeen:
    fill = Fill(
        symbol="BTCUSDT",
        trade_id=at_ms,
        venue_order_id="1",
        client_id=entry.client_id,
        side=Side.BUY,
        price=D(90786),
        quantity=D("0.001"),
        maker=True,
        fee=D(0),
        fee_asset="USDT",
        realized_pnl=D(0),
        time_ms=at_ms,
    )
    return FillSeen(trade_key=entry.trade_key, client_id=entry.client_id, fill=fill)


@pytest.mark.rule("G-11", "Y-1")
async def test_what_was_found_counts_from_its_adoption(store: SqlStore) -> None:
    """Its own first fill is not known; when it ends that stays so."""
    found = trade("foundfound", adopted_price=D(90000), adopted_quantity=D("0.5"))
    await store.write([TradeChanged(trade=found)])
    assert await begun(store) == {"foundfound": NOW - 60_000}
    over = replace(found, ended_ms=NOW)
    await store.write([TradeEnded(trade=over, summary=summary(found.key, "1", "0", NOW - 5))])
    assert await begun(store) == {"foundfound": NOW - 60_000}


@pytest.mark.rule("G-11")
@pytest.mark.parametrize(
    ("pnl", "fees", "net"), [("-1", "0.5", "-1.5"), ("0.4", "0.5", "-0.1"), ("0.5", "0.5", None)]
)
async def test_the_newest_end_of_a_trade_that_lost(
    store: SqlStore, pnl: str, fees: str, net: str | None
) -> None:
    """After fees; one that came out even did not lose; what ended longer ago matters no more."""
    await store.write(
        [
            ended("old", NOW - BACK_MS - 1, "-9"),
            ended("first", NOW - 9000, "-7", "1"),
            ended("last", NOW - 5000, pnl, fees),
            ended("won", NOW - 1000, "3"),
        ]
    )
    memory = await store.load_account(NOW)
    assert memory.lost is not None
    if net is None:
        assert (memory.lost.key, memory.lost.net) == ("first", Decimal(-8))
    else:
        last = TradeLost(key="last", symbol="BTCUSDT", net=D(net), ended_ms=NOW - 5000)
        assert memory.lost == last
    later = await store.load_account(NOW + 2 * DAY_MS)
    assert later.lost is None
