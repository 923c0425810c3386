"""The journal: durable on return, exact about what it refuses, and one caller's error is not another's."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from tests.databases import execute, rows

from jumar.model import fold
from jumar.model.amendment import Amendment
from jumar.model.decision import Action, Decision, Levels
from jumar.model.errors import InvariantBroken
from jumar.model.ids import client_id
from jumar.model.journal import (
    AmendIntent,
    DecisionSeen,
    EquitySeen,
    EventSeen,
    FillSeen,
    Incident,
    Intent,
    OrderChanged,
    Record,
    RefusalSeen,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
)
from jumar.model.order import Fill, OrderRequest, OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.store import queries
from jumar.store.journal import SqlStore
from jumar.store.place import Place

SYMBOL = "BTCUSDT"
KEY = "abcdefghij"
DECISION = Decision(
    id="d1",
    symbol=SYMBOL,
    timestamp_ms=1_000,
    action=Action.LONG,
    reason="trend_up",
    levels=Levels(
        zone_min=Decimal(90700),
        zone_max=Decimal(90900),
        stop=Decimal(90380),
        tp1=Decimal(91600),
        tp2=Decimal(92900),
    ),
    notional=Decimal(1200),
    leverage=Decimal(3),
    confidence=Decimal("0.74"),
    risk_checks=(("daily_dd_ok", True),),
)
TRADE = Trade(
    key=KEY,
    symbol=SYMBOL,
    side=Side.BUY,
    decision=DECISION,
    planned_quantity=Decimal("0.013"),
    limit_price=Decimal("90786.6"),
    initial_stop=Decimal(90380),
    tp1=Decimal(91600),
    tp2=Decimal(92900),
    armed_ms=2_000,
)
SUMMARY = TradeSummary(
    key=KEY,
    quantity=Decimal("0.013"),
    average_entry=Decimal("90786.6"),
    average_exit=Decimal(91600),
    exit_reason="tp1",
    realized_pnl=Decimal("10.57"),
    fees=Decimal("0.83"),
    r_gross=Decimal("2.0"),
    r_net=Decimal("1.84"),
    slippage=None,
    stop_moves=1,
    first_fill_ms=3_000,
    last_fill_ms=9_000,
)


def own_order(role: Role, attempt: int, *, key: str = KEY, trigger: str | None = None) -> OwnOrder:
    """An order of ours just before it is sent; a trigger makes it a stop of a long."""
    request = OrderRequest(
        symbol=SYMBOL,
        client_id=client_id(key=key, role=role, attempt=attempt),
        role=role,
        side=Side.BUY if role is Role.ENTRY else Side.SELL,
        type=OrderType.LIMIT if trigger is None else OrderType.STOP_MARKET,
        quantity=Decimal("0.013"),
        trigger_price=None if trigger is None else Decimal(trigger),
        reduce_only=role is not Role.ENTRY,
    )
    return OwnOrder(
        trade_key=key, attempt=attempt, request=request, rule="S-1", cause="why", journaled_ms=5
    )


def stop(attempt: int, trigger: str, *, key: str = KEY, side: Side = Side.SELL) -> Intent:
    """The intent of a working stop."""
    order = own_order(Role.STOP, attempt, key=key, trigger=trigger)
    order = replace(order, request=replace(order.request, side=side))
    sign = 1 if side is Side.SELL else -1
    return Intent(order=order, tightness=Decimal(trigger) * sign)


def confirmed(intent: Intent) -> StopConfirmed:
    """The venue said that this stop rests."""
    return StopConfirmed(
        trade_key=intent.order.trade_key, client_id=intent.order.client_id, at_ms=6
    )


def fill(trade_id: int, *, by: str | None = None) -> Fill:
    """One lot of the entry."""
    return Fill(
        symbol=SYMBOL,
        trade_id=trade_id,
        venue_order_id="77",
        client_id=by,
        side=Side.BUY,
        price=Decimal("90786.6"),
        quantity=Decimal("0.001"),
        maker=True,
        fee=Decimal("0.018"),
        fee_asset="USDT",
        realized_pnl=Decimal(0),
        time_ms=3_000 + trade_id,
    )


def note(text: str) -> EventSeen:
    """A line of the trade's story."""
    return EventSeen(symbol=SYMBOL, trade_key=KEY, rule="S-1", message=text, at_ms=7)


@pytest.fixture
async def store(database: Place) -> AsyncIterator[SqlStore]:
    """An open store that knows one trade."""
    opened = SqlStore(database)
    await opened.open()
    await opened.write([TradeChanged(trade=TRADE)])
    yield opened
    await opened.close()


@pytest.mark.rule("X-2")
async def test_written_is_visible_to_others(store: SqlStore, database: Place) -> None:
    """When `write` returns, another connection reads the intent with role, parameters and cause."""
    await store.write([Intent(order=own_order(Role.ENTRY, 1))])
    columns = "client_id, role, side, type, quantity, state, rule, cause"
    assert rows(database, f"SELECT {columns} FROM orders") == [
        (f"jm-{KEY}-E1", "E", "BUY", "LIMIT", "0.013", "in_flight", "S-1", "why")
    ]


@pytest.mark.rule("X-1")
async def test_one_id_one_order(store: SqlStore) -> None:
    """A second intent of one client id is refused and changes nothing."""
    intent = Intent(order=own_order(Role.ENTRY, 1))
    await store.write([intent])
    with pytest.raises(InvariantBroken, match=r"X-1: jm-abcdefghij-E1 was journaled before"):
        await store.write([note("lost with it"), intent])
    assert queries.events(store._place, KEY) == ()


@pytest.mark.rule("X-2")
async def test_an_order_needs_its_trade(store: SqlStore) -> None:
    """An intent of a trade that was never recorded is refused."""
    with pytest.raises(InvariantBroken, match=r"X-2: .*trade otherother must be recorded"):
        await store.write([Intent(order=own_order(Role.ENTRY, 1, key="otherother"))])


@pytest.mark.rule("X-2")
async def test_only_journaled_orders_change(store: SqlStore) -> None:
    """A change of an order, or a confirmation of a stop, that was never journaled is refused."""
    order = own_order(Role.ENTRY, 1)
    with pytest.raises(InvariantBroken, match=r"X-2.*never journaled"):
        await store.write([OrderChanged(order=order)])
    with pytest.raises(InvariantBroken, match=r"S-3.*never journaled"):
        await store.write([StopConfirmed(trade_key=KEY, client_id=order.client_id, at_ms=1)])


@pytest.mark.rule("X-2", "X-4", "E-5")
async def test_an_amendment_is_journaled_with_its_order(store: SqlStore) -> None:
    """Durable before it is sent, remembered while its outcome is unknown; one of an unknown order is refused."""
    order = own_order(Role.ENTRY, 1)
    asked = Amendment(
        number=1,
        price=Decimal("90780.10"),
        quantity=Decimal("0.013"),
        rule="E-5",
        cause="chase 1",
        timestamp_ms=5,
    )
    amended = fold.ask_amendment(order, asked)
    with pytest.raises(InvariantBroken, match=r"X-2.*never journaled"):
        await store.write([AmendIntent(order=amended)])
    await store.write([Intent(order=order)])
    await store.write([AmendIntent(order=amended)])
    (found,) = (await store.load(SYMBOL)).orders
    assert found == amended
    assert found.amending == asked


@pytest.mark.rule("X-9")
async def test_a_symbol_has_one_open_trade(store: SqlStore) -> None:
    """A second open trade of a symbol is refused until the first one has ended."""
    other = replace(TRADE, key="klmnopqrst")
    with pytest.raises(InvariantBroken, match="X-9: BTCUSDT has another open trade"):
        await store.write([TradeChanged(trade=other)])
    ended = TradeEnded(trade=replace(TRADE, ended_ms=9), summary=None)
    await store.write([ended, TradeChanged(trade=other)])
    assert (await store.load(SYMBOL)).trade == other


async def test_an_end_has_a_time(store: SqlStore) -> None:
    """A trade without the time of its end cannot be recorded as ended."""
    with pytest.raises(InvariantBroken, match="ended without the time"):
        await store.write([TradeEnded(trade=TRADE, summary=SUMMARY)])


@pytest.mark.rule("S-3", "P-2")
async def test_the_database_keeps_the_ratchet(store: SqlStore) -> None:
    """After a stop is confirmed, a looser one is refused with both prices; an equal or tighter one passes."""
    first = stop(1, "90380")
    await store.write([first])
    await store.write([confirmed(first)])
    with pytest.raises(
        InvariantBroken, match=r"S-3: stop jm-\S+-S2 at 90379\.9 is looser .* at 90380$"
    ):
        await store.write([stop(2, "90379.9")])
    await store.write([stop(2, "90380")])
    await store.write([stop(3, "90380.1")])


@pytest.mark.rule("S-3")
async def test_the_ratchet_of_a_short_is_mirrored(store: SqlStore) -> None:
    """For a short a higher stop is the looser one."""
    first = stop(1, "91000", side=Side.BUY)
    await store.write([first, confirmed(first)])
    with pytest.raises(InvariantBroken, match=r"at 91000\.1 is looser .* at 91000$"):
        await store.write([stop(2, "91000.1", side=Side.BUY)])
    await store.write([stop(2, "90999.9", side=Side.BUY)])


@pytest.mark.rule("S-3")
async def test_only_confirmed_stops_of_the_trade_hold(store: SqlStore) -> None:
    """A stop that was never confirmed, and a stop of another trade, hold nothing back."""
    first = stop(1, "90500")
    await store.write([first])
    await store.write([stop(2, "90380")])
    await store.write([confirmed(first)])
    with pytest.raises(InvariantBroken, match="S-3"):
        await store.write([stop(3, "90380")])
    other = replace(TRADE, key="klmnopqrst")
    ended = TradeEnded(trade=replace(TRADE, ended_ms=9), summary=None)
    await store.write([ended, TradeChanged(trade=other), stop(1, "90000", key=other.key)])


@pytest.mark.rule("S-3")
async def test_the_ratchet_compares_numbers_not_letters(store: SqlStore) -> None:
    """99.9 is looser than 100, 100.00000001 tighter than 100.000000001, whatever their letters say."""
    first = stop(1, "100")
    await store.write([first, confirmed(first)])
    with pytest.raises(InvariantBroken, match="S-3"):
        await store.write([stop(2, "99.9")])
    finer = stop(2, "100.00000001")
    await store.write([finer, confirmed(finer)])
    with pytest.raises(InvariantBroken, match="S-3"):
        await store.write([stop(3, "100.000000001")])


@pytest.mark.rule("S-3")
async def test_the_ratchet_survives_a_restart(store: SqlStore, database: Place) -> None:
    """The next process cannot place a looser stop either."""
    first = stop(1, "90500")
    await store.write([first, confirmed(first)])
    await store.close()
    again = SqlStore(database)
    await again.open()
    with pytest.raises(InvariantBroken, match="S-3"):
        await again.write([stop(2, "90499.9")])
    await again.close()


@pytest.mark.rule("S-3")
async def test_a_tightness_must_be_the_trigger(store: SqlStore) -> None:
    """A tightness that is not the signed trigger price cannot smuggle a looser stop past the ratchet."""
    with pytest.raises(InvariantBroken, match=r"S-3.*tightness 99999"):
        await store.write([replace(stop(1, "90380"), tightness=Decimal(99999))])


async def test_a_raw_statement_cannot_loosen_either(store: SqlStore, database: Place) -> None:
    """The constraint is the table's own: a statement that bypasses this package fails too."""
    first = stop(1, "90380")
    await store.write([first])
    with pytest.raises(IntegrityError, match="ratchet"):
        execute(database, "UPDATE stop_moves SET floor = tightness + 1")


@pytest.mark.rule("X-6")
async def test_a_fill_counts_once(store: SqlStore) -> None:
    """The same fill from stream, list and stream again is one fill, and the first record of it stays."""
    entry = own_order(Role.ENTRY, 1)
    await store.write([Intent(order=entry)])
    streamed = FillSeen(trade_key=KEY, client_id=entry.client_id, fill=fill(8, by="x"))
    listed = replace(streamed, fill=fill(8))
    await store.write([streamed, listed])
    await store.write([listed, replace(streamed, fill=fill(7))])
    assert (await store.load(SYMBOL)).fills == (fill(7), fill(8, by="x"))


@pytest.mark.rule("Q-2")
async def test_memory_holds_orders_that_outlive_their_trade(store: SqlStore) -> None:
    """Orders of an ended trade that are not proven ended are remembered, proven ended ones are not."""
    alive, gone = own_order(Role.TP1, 1), own_order(Role.TP2, 1)
    await store.write([Intent(order=alive), Intent(order=gone)])
    gone = replace(gone, state=OrderState.ENDED, ended_ms=8)
    assert (await store.load(SYMBOL)).orders == (alive, own_order(Role.TP2, 1))
    await store.write([OrderChanged(order=gone)])
    assert (await store.load(SYMBOL)).orders == (alive, gone)
    await store.write([TradeEnded(trade=replace(TRADE, ended_ms=9), summary=None)])
    memory = await store.load(SYMBOL)
    assert (memory.trade, memory.orders) == (None, (alive,))
    assert (await store.load("ETHUSDT")).orders == ()


@pytest.mark.rule("D-7")
async def test_memory_knows_what_is_spent(store: SqlStore) -> None:
    """Decisions of trades that filled or were closed, of voided set-ups and those once recorded as spent are spent."""
    closing = replace(TRADE, closing=CloseReason.OPPOSITE, closed_by="d9", ended_ms=9_500)
    voided = replace(
        TRADE, key="klmnopqrst", decision=replace(DECISION, id="d2"), voided="S-6", ended_ms=1
    )
    unfilled = replace(TRADE, key="uvwxyzabcd", decision=replace(DECISION, id="d3"), ended_ms=1)
    of_a_hand = replace(
        unfilled, key="bcdefghijk", decision=replace(DECISION, id="d5"), closing=CloseReason.STOP
    )
    still_open = replace(
        of_a_hand, key="cdefghijkl", decision=replace(DECISION, id="d6"), ended_ms=None
    )
    await store.write(
        [
            TradeEnded(trade=closing, summary=SUMMARY),
            TradeEnded(trade=voided, summary=None),
            TradeEnded(trade=unfilled, summary=None),
            TradeEnded(trade=of_a_hand, summary=None),
            TradeChanged(trade=still_open),
            decision_seen("d4", "spent", timestamp_ms=1),
        ]
    )
    memory = await store.load(SYMBOL)
    assert memory.spent == {"d1", "d2", "d4", "d5"}
    assert (memory.last_end_ms, memory.ended_by) == (9_000, "d9")


def decision_seen(decision_id: str, outcome: str, *, timestamp_ms: int) -> DecisionSeen:
    """A decision file and what was done with it."""
    decision = replace(DECISION, id=decision_id, timestamp_ms=timestamp_ms)
    return DecisionSeen(
        symbol=SYMBOL,
        decision_id=decision_id,
        timestamp_ms=timestamp_ms,
        outcome=outcome,
        reasons=("a reason",),
        raw="{}",
        at_ms=9,
        decision=decision,
    )


@pytest.mark.rule("D-7")
async def test_memory_holds_the_newest_accepted_decision(store: SqlStore) -> None:
    """Newest by its own time; of two with one time the first stays; refused ones do not count."""
    for decision_id, outcome, timestamp_ms in (
        ("old", "accepted", 1),
        ("new", "accepted", 5),
        ("twin", "accepted", 5),
        ("refused", "refused", 9),
        ("older", "accepted", 2),
    ):
        await store.write([decision_seen(decision_id, outcome, timestamp_ms=timestamp_ms)])
    decision = (await store.load(SYMBOL)).decision
    assert decision is not None
    assert decision.id == "new"


@pytest.mark.rule("D-7")
async def test_memory_knows_that_the_newest_accepted_decision_was_superseded(
    store: SqlStore,
) -> None:
    """By a newer one that came after it and was refused or spent; one of its own time or before does not count."""
    for decision_id, outcome, timestamp_ms in (
        ("far", "refused", 99),
        ("old", "accepted", 5),
        ("conflict", "refused", 5),
    ):
        await store.write([decision_seen(decision_id, outcome, timestamp_ms=timestamp_ms)])
    assert (await store.load(SYMBOL)).superseded_ms is None
    await store.write([decision_seen("bad", "refused", timestamp_ms=7)])
    assert (await store.load(SYMBOL)).superseded_ms == 7
    await store.write([decision_seen("good", "accepted", timestamp_ms=8)])
    assert (await store.load(SYMBOL)).superseded_ms is None


@pytest.mark.rule("X-1", "D-7")
async def test_memory_holds_the_orders_of_an_unfilled_set_up_that_may_be_made_again(
    store: SqlStore,
) -> None:
    """Its ids are used up: the next attempt of the same decision goes on counting."""
    entry = own_order(Role.ENTRY, 1)
    await store.write(
        [
            decision_seen(DECISION.id, "accepted", timestamp_ms=DECISION.timestamp_ms),
            TradeChanged(trade=TRADE),
            Intent(order=entry),
            OrderChanged(order=fold.end_canceled(replace(entry, state=OrderState.OPEN), 7)),
            TradeEnded(trade=replace(TRADE, ended_ms=9), summary=None),
        ]
    )
    memory = await store.load(SYMBOL)
    assert memory.trade is None
    assert [order.client_id for order in memory.orders] == [entry.client_id]


async def test_every_record_has_its_table(store: SqlStore, database: Place) -> None:
    """Each kind of record that only tells is one row of its table, with what it said."""
    told: list[Record] = [
        decision_seen("d1", "refused", timestamp_ms=4),
        RefusalSeen(
            symbol=SYMBOL, decision_id="d1", code="stale", rule="G-1", message="old", at_ms=1
        ),
        Incident(symbol=None, severity="critical", rule="S-3", message="looser", at_ms=2),
        EquitySeen(equity=Decimal("1E+2"), wallet=Decimal("99.10"), at_ms=3),
        note("armed"),
    ]
    await store.write(told)
    assert rows(database, "SELECT decision_id, outcome, reasons FROM decisions") == [
        ("d1", "refused", '["a reason"]')
    ]
    assert rows(database, "SELECT code, message FROM refusals") == [("stale", "old")]
    assert rows(database, "SELECT severity, message FROM incidents") == [("critical", "looser")]
    assert rows(database, "SELECT equity, wallet FROM equity") == [("100", "99.10")]
    assert rows(database, "SELECT message FROM events") == [("armed",)]


def test_no_environment_is_needed(tmp_path: Path) -> None:
    """The store opens in an empty environment and folder: migrations travel inside the package."""
    program = "import asyncio, sys; from jumar.store.journal import SqlStore; asyncio.run(SqlStore(sys.argv[1]).open())"
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/jumar.db"]
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
    assert len(rows(tmp_path / "jumar.db", "SELECT version_num FROM alembic_version")) == 1
