"""What a person and the demo ask the journal, while it is being written and afterwards."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from jumar.model.decision import Action, Decision
from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.ids import client_id
from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    FillSeen,
    Incident,
    Intent,
    ModeChanged,
    OrderChanged,
    RefusalSeen,
    RequestDone,
    Snapshot,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
)
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Fill, OrderRequest, OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.trade import Trade, TradeSummary
from jumar.store import asked, queries, requests, sqlite
from jumar.store.backends import reader_engine
from jumar.store.journal import SqlStore
from jumar.store.place import Place

DECISION = Decision(
    id="d1",
    symbol="BTCUSDT",
    timestamp_ms=1,
    action=Action.LONG,
    reason="",
    levels=None,
    notional=Decimal(1200),
    leverage=Decimal(3),
    confidence=Decimal(1),
    risk_checks=None,
)


def trade(key: str, symbol: str, *, armed_ms: int) -> Trade:
    """A trade that was just armed."""
    return Trade(
        key=key,
        symbol=symbol,
        side=Side.BUY,
        decision=DECISION,
        planned_quantity=Decimal("0.013"),
        limit_price=Decimal("90786.6"),
        initial_stop=Decimal(90380),
        tp1=Decimal(91600),
        tp2=None,
        armed_ms=armed_ms,
    )


def summary(key: str, exit_reason: str) -> TradeSummary:
    """How a trade ended."""
    return TradeSummary(
        key=key,
        quantity=Decimal("0.013"),
        average_entry=Decimal("90786.6"),
        average_exit=Decimal(91600),
        exit_reason=exit_reason,
        realized_pnl=Decimal("10.57"),
        fees=Decimal("0.83"),
        r_gross=Decimal(2),
        r_net=Decimal("1.84"),
        slippage=Decimal("0.1"),
        stop_moves=0,
        first_fill_ms=3,
        last_fill_ms=9,
    )


def order(key: str, role: Role, attempt: int) -> OwnOrder:
    """An order of a trade, in flight."""
    request = OrderRequest(
        symbol="BTCUSDT",
        client_id=client_id(key=key, role=role, attempt=attempt),
        role=role,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal(1),
    )
    return OwnOrder(
        trade_key=key, attempt=attempt, request=request, rule="", cause="", journaled_ms=1
    )


def fill(of: OwnOrder, trade_id: int) -> FillSeen:
    """One execution of an order."""
    seen = Fill(
        symbol="BTCUSDT",
        trade_id=trade_id,
        venue_order_id="7",
        client_id=None,
        side=of.request.side,
        price=Decimal(1),
        quantity=Decimal(1),
        maker=True,
        fee=Decimal(0),
        fee_asset="USDT",
        realized_pnl=Decimal(0),
        time_ms=trade_id,
    )
    return FillSeen(trade_key=of.trade_key, client_id=of.client_id, fill=seen)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is; the name needs care in an address."""
    return tmp_path / "a day's #1 journal?.db"


@pytest.fixture
async def filed(path: Path) -> AsyncIterator[SqlStore]:
    """A store in that file."""
    opened = SqlStore(f"sqlite:///{str(path).replace('?', '%3F')}")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Place) -> AsyncIterator[SqlStore]:
    """A store that stays open while others ask."""
    opened = SqlStore(database)
    await opened.open()
    yield opened
    await opened.close()


async def test_refusals_are_counted_by_code(store: SqlStore, database: Place) -> None:
    """Each recorded refusal counts once under its code."""
    assert queries.refusal_counts(database) == {}
    for code in ("stale", "rr_below_min", "stale"):
        refusal = RefusalSeen(
            symbol="BTCUSDT", decision_id="d", code=code, rule="G-1", message="", at_ms=1
        )
        await store.write([refusal])
    assert queries.refusal_counts(database) == {"rr_below_min": 1, "stale": 2}


async def test_trades_tell_fills_and_ends(store: SqlStore, database: Place) -> None:
    """Trades come oldest first, with the executions of their entries only, and a summary once ended with a fill."""
    open_one, filled, unfilled = (
        trade("aaaaaaaaaa", "BTCUSDT", armed_ms=3),
        trade("bbbbbbbbbb", "ETHUSDT", armed_ms=1),
        trade("cccccccccc", "BNBUSDT", armed_ms=2),
    )
    await store.write([TradeChanged(trade=each) for each in (open_one, filled, unfilled)])
    entry, exit_order = order(filled.key, Role.ENTRY, 1), order(filled.key, Role.TP1, 1)
    await store.write([Intent(order=entry), Intent(order=exit_order)])
    await store.write([fill(entry, 1), fill(entry, 2), fill(exit_order, 3)])
    filled, unfilled = replace(filled, ended_ms=10), replace(unfilled, ended_ms=11)
    end = summary(filled.key, "tp1")
    await store.write([TradeEnded(trade=filled, summary=end)])
    await store.write([TradeEnded(trade=unfilled, summary=None)])
    assert queries.trades(database) == (
        queries.TradeRow(trade=filled, entry_fills=2, summary=end),
        queries.TradeRow(trade=unfilled, entry_fills=0, summary=None),
        queries.TradeRow(trade=open_one, entry_fills=0, summary=None),
    )


async def test_exits_are_counted_by_reason(store: SqlStore, database: Place) -> None:
    """Each ended trade with a fill counts once under what closed it; others do not count."""
    for index, reason in enumerate(["stop", "tp1", "stop", None]):
        key = "abcdefghi" + "wxyz"[index]
        ended = replace(trade(key, "BTCUSDT", armed_ms=index), ended_ms=9)
        await store.write(
            [TradeEnded(trade=ended, summary=None if reason is None else summary(key, reason))]
        )
    assert queries.exit_counts(database) == {"stop": 2, "tp1": 1}


@pytest.mark.rule("X-4")
async def test_unresolved_intents_are_counted(store: SqlStore, database: Place) -> None:
    """Orders in flight or unknown count; those known to rest, to execute or to have ended do not."""
    await store.write([TradeChanged(trade=trade("aaaaaaaaaa", "BTCUSDT", armed_ms=1))])
    for attempt, state in enumerate(OrderState, start=1):
        one = order("aaaaaaaaaa", Role.ENTRY, attempt)
        await store.write([Intent(order=one), OrderChanged(order=replace(one, state=state))])
    assert queries.unresolved_intents(database) == 2


async def test_a_story_is_told_in_order(store: SqlStore, database: Place) -> None:
    """The events of one trade come in the order in which they were written; incidents stand apart."""
    told = [
        EventSeen(symbol="BTCUSDT", trade_key=key, rule="S-1", message=text, at_ms=at_ms)
        for key, text, at_ms in [("a", "second", 9), ("b", "other", 1), ("a", "first", 8)]
    ]
    incident = Incident(symbol=None, severity="critical", rule="S-3", message="looser", at_ms=2)
    await store.write([*told, incident])
    assert queries.events(database, "a") == (told[0], told[2])
    assert asked.incidents_since(database, 0) == (incident,)


async def test_a_url_is_as_good_as_a_path(tmp_path: Path) -> None:
    """A database may be named as in the configuration."""
    other = SqlStore(f"sqlite:///{tmp_path}/plain.db")
    await other.open()
    assert queries.unresolved_intents(f"sqlite:///{tmp_path}/plain.db") == 0
    assert queries.unresolved_intents(f"{tmp_path}/plain.db") == 0
    await other.close()
    assert queries.unresolved_intents(f"{tmp_path}/plain.db") == 0


async def test_readers_cannot_write(store: SqlStore, database: Place) -> None:
    """The connection that people's questions use refuses to change anything."""
    engine = reader_engine(database)
    refused = pytest.raises(DBAPIError, match=r"readonly database|read-only transaction")
    with engine.connect() as connection, refused:
        connection.exec_driver_sql("DELETE FROM meta")
    engine.dispose()


async def test_trades_may_be_chosen(store: SqlStore, database: Place) -> None:
    """By symbol, by the newest, and by what is open or had its last fill since."""
    names = {"aaaaaaaaaa": "BTCUSDT", "bbbbbbbbbb": "ETHUSDT", "cccccccccc": "BNBUSDT"}
    for at_ms, (key, symbol) in enumerate(names.items(), start=1):
        await store.write([TradeChanged(trade=trade(key, symbol, armed_ms=at_ms))])
    ended = replace(trade("aaaaaaaaaa", "BTCUSDT", armed_ms=1), ended_ms=10)
    await store.write([TradeEnded(trade=ended, summary=summary("aaaaaaaaaa", "stop"))])

    def keys(**chosen: Any) -> list[str]:
        return [row.trade.key[0] for row in queries.trades(database, **chosen)]

    assert keys() == ["a", "b", "c"]
    assert keys(symbol="ETHUSDT") == ["b"]
    assert keys(last=2) == ["b", "c"]
    assert keys(since_ms=9) == ["a", "b", "c"]
    assert keys(since_ms=10) == ["b", "c"]


async def test_the_present_is_what_was_written_last(store: SqlStore, database: Place) -> None:
    """One picture and one mode per symbol, the newest; requests until they are done."""
    state = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="closed", since_ms=4)
    old, new = (Snapshot(symbol="BTCUSDT", content="{}", at_ms=at_ms) for at_ms in (1, 2))
    await store.write([old, new, ModeChanged(symbol="BTCUSDT", state=state)])
    for symbol in ("BTCUSDT", None):
        requests.ask(database, request="resume", symbol=symbol, asked_by="cli", at_ms=5)
    await store.write([RequestDone(seq=1, outcome="resumed", at_ms=6)])
    now = asked.present(database)
    assert now.snapshots == {"BTCUSDT": new}
    assert now.modes == {"BTCUSDT": state}
    assert [(each.seq, each.symbol) for each in now.requests] == [(2, None)]
    assert await store.requests() == now.requests


async def test_incidents_may_be_asked_from_a_time_on(store: SqlStore, database: Place) -> None:
    """The moment itself is included."""
    early, late = (
        Incident(symbol=None, severity="info", rule="S-3", message="", at_ms=at_ms)
        for at_ms in (1, 2)
    )
    await store.write([early, late])
    assert asked.incidents_since(database, 2) == (late,)


async def test_a_word_means_a_trade(store: SqlStore, database: Place) -> None:
    """A key, its beginning, an order's id or `last`; several when it is too short, none when nothing fits."""
    for at_ms, key in enumerate(["aaaaaaaaaa", "aabbbbbbbb", "cccccccccc"], start=1):
        await store.write([TradeChanged(trade=trade(key, f"S{at_ms}", armed_ms=at_ms))])
    await store.write([Intent(order=order("aabbbbbbbb", Role.ENTRY, 1))])
    for word, meant in {
        "last": ("cccccccccc",),
        "aaaaaaaaaa": ("aaaaaaaaaa",),
        "aab": ("aabbbbbbbb",),
        "jm-aabbbbbbbb-E1": ("aabbbbbbbb",),
        "aa": ("aabbbbbbbb", "aaaaaaaaaa"),
        "a%": (),
        "jm-aabbbbbbbb-E2": (),
        "": (),
    }.items():
        assert asked.keys_meant(database, word) == meant, word
    assert asked.trade_keys(database) == ("cccccccccc", "aabbbbbbbb", "aaaaaaaaaa")


async def test_a_story_holds_everything_of_its_trade_and_nothing_else(
    store: SqlStore, database: Place
) -> None:
    """Orders, fills, confirmations, decisions, refusals, events and incidents, each in its order."""
    mine, other = (
        trade("aaaaaaaaaa", "BTCUSDT", armed_ms=100),
        trade("b" * 10, "ETHUSDT", armed_ms=1),
    )
    stop = replace(order(mine.key, Role.STOP, 1), journaled_ms=101)
    request = replace(stop.request, side=Side.SELL, trigger_price=Decimal(90380))
    stop, entry = (
        replace(stop, request=request),
        replace(order(mine.key, Role.ENTRY, 1), journaled_ms=102),
    )
    own = DecisionSeen(
        symbol="BTCUSDT",
        decision_id="d1",
        timestamp_ms=1,
        outcome="accepted",
        reasons=("fine",),
        raw="{}",
        at_ms=90,
        decision=DECISION,
    )
    refusal = RefusalSeen(
        symbol="BTCUSDT", decision_id="d1", code="stale", rule="D-3", message="", at_ms=95
    )
    event = EventSeen(symbol="BTCUSDT", trade_key=mine.key, rule="E-3", message="cut", at_ms=100)
    incident = Incident(symbol=None, severity="info", rule="W-1", message="", at_ms=150)
    await store.write([own, refusal, TradeChanged(trade=mine), TradeChanged(trade=other)])
    await store.write([Intent(order=stop, tightness=Decimal(90380)), Intent(order=entry)])
    await store.write([StopConfirmed(trade_key=mine.key, client_id=stop.client_id, at_ms=136)])
    fills = [fill(entry, 140), fill(entry, 141)]
    await store.write([*fills, event, incident])
    before, after, elsewhere = (
        replace(own, decision_id="d0", at_ms=80),
        replace(own, decision_id="d2", at_ms=9_000),
        replace(own, symbol="ETHUSDT", at_ms=120),
    )
    late = replace(refusal, code="spent", at_ms=201)
    await store.write([before, after, elsewhere, replace(incident, at_ms=89), late])
    ended = replace(mine, ended_ms=200)
    await store.write([TradeEnded(trade=ended, summary=None)])
    assert asked.trade_story(database, mine.key) == asked.TradeStory(
        row=queries.TradeRow(trade=ended, entry_fills=2, summary=None),
        orders=(stop, entry),
        fills=tuple(fills),
        confirmed_ms={stop.client_id: 136},
        decisions=(own,),
        refusals=(refusal,),
        events=(event,),
        incidents=(incident,),
    )
    assert asked.entry_fills(database, mine.key) == tuple(fills)
    with pytest.raises(KeyError):
        asked.trade_story(database, "nothing")
    first = replace(before, timestamp_ms=70)
    await store.write([first, TradeChanged(trade=replace(mine, origin_ms=70))])
    assert first in asked.trade_story(database, mine.key).decisions  # it passed on (E-9)


def test_a_request_is_left_only_in_a_database_of_ours(tmp_path: Path) -> None:
    """Neither made nor migrated: a missing one and another program's are refused and stay as they are."""
    missing, foreign = tmp_path / "missing.db", tmp_path / "cats.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    connection.close()
    before = foreign.read_bytes()
    for database, said in ((missing, "there is no database"), (foreign, "not a database of this")):
        with pytest.raises(ConfigError, match=said):
            requests.ask(database, request="resume", symbol=None, asked_by="cli", at_ms=1)
    assert not missing.exists()
    assert foreign.read_bytes() == before


async def test_a_request_waits_for_the_writer_and_says_when_it_waited_in_vain(
    filed: SqlStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that never ends: after the busy time-out the file and the reason are named."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="database is locked"):
        requests.ask(path, request="resume", symbol=None, asked_by="cli", at_ms=1)
    holder.execute("ROLLBACK")
    holder.close()
    requests.ask(path, request="resume", symbol=None, asked_by="cli", at_ms=1)
    assert len(asked.present(path).requests) == 1
