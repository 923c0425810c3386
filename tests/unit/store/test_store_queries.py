"""What a person and the demo ask the journal, while it is being written and afterwards."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from jumar.model.decision import Action, Decision
from jumar.model.ids import client_id
from jumar.model.journal import (
    EventSeen,
    FillSeen,
    Incident,
    Intent,
    OrderChanged,
    RefusalSeen,
    TradeChanged,
    TradeEnded,
)
from jumar.model.order import Fill, OrderRequest, OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.trade import Trade, TradeSummary
from jumar.store import queries
from jumar.store.journal import SqlStore

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
    """Where the database is; the name needs care in an address."""
    return tmp_path / "a day's #1 journal?.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    """A store that stays open while others ask."""
    opened = SqlStore(f"sqlite:///{str(path).replace('?', '%3F')}")
    await opened.open()
    yield opened
    await opened.close()


async def test_refusals_are_counted_by_code(store: SqlStore, path: Path) -> None:
    """Each recorded refusal counts once under its code."""
    assert queries.refusal_counts(path) == {}
    for code in ("stale", "rr_below_min", "stale"):
        refusal = RefusalSeen(
            symbol="BTCUSDT", decision_id="d", code=code, rule="G-1", message="", at_ms=1
        )
        await store.write([refusal])
    assert queries.refusal_counts(path) == {"rr_below_min": 1, "stale": 2}


async def test_trades_tell_fills_and_ends(store: SqlStore, path: Path) -> None:
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
    assert queries.trades(path) == (
        queries.TradeRow(trade=filled, entry_fills=2, summary=end),
        queries.TradeRow(trade=unfilled, entry_fills=0, summary=None),
        queries.TradeRow(trade=open_one, entry_fills=0, summary=None),
    )


async def test_exits_are_counted_by_reason(store: SqlStore, path: Path) -> None:
    """Each ended trade with a fill counts once under what closed it; others do not count."""
    for index, reason in enumerate(["stop", "tp1", "stop", None]):
        key = "abcdefghi" + "wxyz"[index]
        ended = replace(trade(key, "BTCUSDT", armed_ms=index), ended_ms=9)
        await store.write(
            [TradeEnded(trade=ended, summary=None if reason is None else summary(key, reason))]
        )
    assert queries.exit_counts(path) == {"stop": 2, "tp1": 1}


@pytest.mark.rule("X-4")
async def test_unresolved_intents_are_counted(store: SqlStore, path: Path) -> None:
    """Orders in flight or unknown count; those known to rest, to execute or to have ended do not."""
    await store.write([TradeChanged(trade=trade("aaaaaaaaaa", "BTCUSDT", armed_ms=1))])
    for attempt, state in enumerate(OrderState, start=1):
        one = order("aaaaaaaaaa", Role.ENTRY, attempt)
        await store.write([Intent(order=one), OrderChanged(order=replace(one, state=state))])
    assert queries.unresolved_intents(path) == 2


async def test_a_story_is_told_in_order(store: SqlStore, path: Path) -> None:
    """The events of one trade come in the order in which they were written; incidents stand apart."""
    told = [
        EventSeen(symbol="BTCUSDT", trade_key=key, rule="S-1", message=text, at_ms=at_ms)
        for key, text, at_ms in [("a", "second", 9), ("b", "other", 1), ("a", "first", 8)]
    ]
    incident = Incident(symbol=None, severity="critical", rule="S-3", message="looser", at_ms=2)
    await store.write([*told, incident])
    assert queries.events(path, "a") == (told[0], told[2])
    assert queries.incidents_seen(path) == (incident,)


async def test_a_url_is_as_good_as_a_path(store: SqlStore, tmp_path: Path) -> None:
    """A database may be named as in the configuration."""
    other = SqlStore(f"sqlite:///{tmp_path}/plain.db")
    await other.open()
    assert queries.unresolved_intents(f"sqlite:///{tmp_path}/plain.db") == 0
    assert queries.unresolved_intents(f"{tmp_path}/plain.db") == 0
    await other.close()
    assert queries.unresolved_intents(f"{tmp_path}/plain.db") == 0


async def test_readers_cannot_write(store: SqlStore, path: Path) -> None:
    """The connection that people's questions use refuses to change anything."""
    from jumar.store.database import reader_engine

    engine = reader_engine(path)
    with engine.connect() as connection, pytest.raises(Exception, match="readonly database") as no:
        connection.exec_driver_sql("DELETE FROM meta")
    engine.dispose()
    assert isinstance(no.value.__cause__, sqlite3.OperationalError)
