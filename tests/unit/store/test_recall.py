"""What a start remembers: modes, requests, adopted trades and their orders, as they were written."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.databases import execute, rows

from jumar.model.decision import Action, Decision
from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.ids import client_id
from jumar.model.journal import (
    Intent,
    ModeChanged,
    OrderAdopted,
    OrderChanged,
    Record,
    RequestDone,
    Snapshot,
    StopConfirmed,
    TradeChanged,
    TradeEnded,
)
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderRequest, OrderState, OrderType, OwnOrder, Role, Side
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.store import requests
from jumar.store.journal import SqlStore
from jumar.store.place import Place

SYMBOL = "BTCUSDT"
OLD, NEW = "oldoldoldo", "newnewnewn"
NOBODYS = Decision(
    id=f"adopted-{NEW}",
    symbol=SYMBOL,
    timestamp_ms=1_000,
    action=Action.LONG,
    reason="adopted position",
    levels=None,
    notional=Decimal(0),
    leverage=Decimal(1),
    confidence=Decimal(0),
    risk_checks=None,
)
ADOPTED = Trade(
    key=NEW,
    symbol=SYMBOL,
    side=Side.BUY,
    decision=NOBODYS,
    planned_quantity=Decimal(0),
    limit_price=Decimal(90800),
    initial_stop=Decimal(89900),
    tp1=Decimal(0),
    tp2=None,
    armed_ms=2_000,
    closing=CloseReason.ORPHAN,
    closing_rule="Y-1",
    entry_over="adopted: no entry of ours",
    adopted_price=Decimal(90800),
    adopted_quantity=Decimal("0.010"),
)
FLATTENING = ModeState(mode=Mode.FLATTENING, rule="S-7", cause="no stop for 3.1 s", since_ms=7)


def order(role: Role, attempt: int, *, key: str = OLD, trigger: str | None = None) -> OwnOrder:
    """An order that was found alive; a trigger makes it a stop of a long."""
    request = OrderRequest(
        symbol=SYMBOL,
        client_id=client_id(key=key, role=role, attempt=attempt),
        role=role,
        side=Side.SELL,
        type=OrderType.LIMIT if trigger is None else OrderType.STOP_MARKET,
        quantity=Decimal("0.010"),
        trigger_price=None if trigger is None else Decimal(trigger),
        reduce_only=True,
    )
    return OwnOrder(
        trade_key=NEW,
        attempt=attempt,
        request=request,
        rule="Y-1",
        cause="found alive on the exchange",
        journaled_ms=5,
        state=OrderState.OPEN,
        acked_ms=5,
    )


def taken(found: OwnOrder) -> list[Record]:
    """What adopting an order writes; a stop is confirmed by being there."""
    trigger = found.request.trigger_price
    adopted = OrderAdopted(order=found, tightness=trigger)
    if trigger is None:
        return [adopted]
    confirmed = StopConfirmed(trade_key=found.trade_key, client_id=found.client_id, at_ms=6)
    return [adopted, confirmed]


def asked(found: OwnOrder) -> Intent:
    """The intent of a working stop."""
    assert found.request.trigger_price is not None
    return Intent(order=found, tightness=found.request.trigger_price)


@pytest.fixture
async def store(database: Place) -> AsyncIterator[SqlStore]:
    """An open, empty store."""
    opened = SqlStore(database)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.rule("Y-1", "Q-1")
async def test_an_adopted_trade_is_remembered_with_its_orders(store: SqlStore) -> None:
    """In the order in which the engine writes them: the trade, its orders, the first intent; equal when read."""
    stop, target = order(Role.STOP, 1, trigger="90380"), order(Role.TP1, 1)
    placed = order(Role.STOP, 2, key=NEW, trigger="90400")
    await store.write([TradeChanged(trade=ADOPTED), *taken(stop), *taken(target), asked(placed)])
    memory = await store.load(SYMBOL)
    assert memory.trade == ADOPTED
    assert memory.orders == (stop, target, placed)


@pytest.mark.rule("Y-1", "S-3")
async def test_stops_found_in_any_order_are_adopted(store: SqlStore) -> None:
    """The tighter one first (S10 sorts before S9): the looser one rests already, it is no move of ours."""
    tight, loose = order(Role.STOP, 10, trigger="90700"), order(Role.STOP, 9, trigger="90380")
    await store.write([TradeChanged(trade=ADOPTED), *taken(tight), *taken(loose)])
    memory = await store.load(SYMBOL)
    assert {each.client_id for each in memory.orders} == {tight.client_id, loose.client_id}


@pytest.mark.rule("S-3", "Y-1")
async def test_no_stop_looser_than_an_adopted_one_is_journaled(store: SqlStore) -> None:
    """What was found and confirmed is the floor of everything that is asked for later."""
    found = order(Role.STOP, 1, trigger="90700")
    await store.write([TradeChanged(trade=ADOPTED), *taken(found)])
    with pytest.raises(InvariantBroken) as broken:
        await store.write([asked(order(Role.STOP, 2, key=NEW, trigger="90699.9"))])
    assert broken.value.promise == "S-3"
    await store.write([asked(order(Role.STOP, 2, key=NEW, trigger="90700"))])


@pytest.mark.rule("Y-1", "X-9")
async def test_an_order_passes_from_an_ended_trade_to_the_adopted_one(store: SqlStore) -> None:
    """Its attempt is counted anew, its old floor holds nothing back, and changes of it are taken."""
    earlier = replace(ADOPTED, key=OLD, adopted_price=None, adopted_quantity=Decimal(0))
    left = replace(order(Role.STOP, 3, trigger="90380"), trade_key=OLD)
    await store.write([TradeChanged(trade=earlier), asked(left)])
    await store.write([TradeEnded(trade=replace(earlier, ended_ms=9), summary=None)])
    found = replace(left, trade_key=NEW, attempt=1)
    await store.write([TradeChanged(trade=ADOPTED), *taken(found)])
    await store.write([OrderChanged(order=replace(found, cancel_sent_ms=11))])
    memory = await store.load(SYMBOL)
    assert memory.orders == (replace(found, cancel_sent_ms=11),)


@pytest.mark.rule("Y-1", "X-2")
async def test_an_order_cannot_be_adopted_before_its_trade(store: SqlStore) -> None:
    """The records of an adoption have one order; the wrong one writes nothing."""
    found = order(Role.TP1, 1)
    with pytest.raises(InvariantBroken, match="must be recorded before"):
        await store.write([*taken(found), TradeChanged(trade=ADOPTED)])
    assert (await store.load(SYMBOL)).trade is None


@pytest.mark.rule("Y-1", "X-1")
async def test_an_adopted_order_that_can_never_be_written_is_no_unavailable_store(
    store: SqlStore,
) -> None:
    """Two ids under one attempt: refused for good, so that the records after it are not held back for ever."""
    first, second = order(Role.TP1, 1), order(Role.TP1, 1, key=NEW)
    await store.write([TradeChanged(trade=ADOPTED), *taken(first)])
    with pytest.raises(InvariantBroken):
        await store.write(taken(second))


@pytest.mark.rule("M-1", "Q-1")
async def test_a_mode_and_the_trade_it_follows_from_are_one_transaction(store: SqlStore) -> None:
    """Neither is written when the other cannot be; both are remembered, the newest mode of the symbol."""
    lost = OrderChanged(order=order(Role.STOP, 1, trigger="90380"))
    with pytest.raises(InvariantBroken):
        await store.write(
            [ModeChanged(symbol=SYMBOL, state=FLATTENING), TradeChanged(trade=ADOPTED), lost]
        )
    memory = await store.load(SYMBOL)
    assert (memory.mode, memory.trade) == (None, None)
    after = replace(FLATTENING, mode=Mode.NO_ENTRIES)
    await store.write([ModeChanged(symbol=SYMBOL, state=FLATTENING), TradeChanged(trade=ADOPTED)])
    await store.write([ModeChanged(symbol=SYMBOL, state=after)])
    memory = await store.load(SYMBOL)
    assert (memory.mode, memory.trade) == (after, ADOPTED)
    assert (await store.load("ETHUSDT")).mode is None


@pytest.mark.rule("Q-1")
async def test_a_mode_that_cannot_be_understood_is_told_by_name(
    store: SqlStore, database: Place
) -> None:
    """A row of another version stops the start with the database's name, not with a traceback."""
    await store.write([ModeChanged(symbol=SYMBOL, state=FLATTENING)])
    execute(database, "UPDATE modes SET mode = 'asleep'")
    with pytest.raises(StoreUnavailable, match=f"^{re.escape(str(database))}: what is kept"):
        await store.load(SYMBOL)


@pytest.mark.rule("Q-2")
async def test_requests_are_told_until_they_are_done(store: SqlStore, database: Place) -> None:
    """Oldest first, each until its outcome is written; one that was never asked for changes nothing."""
    for symbol in (None, SYMBOL):
        requests.ask(database, request="resume", symbol=symbol, asked_by="cli", at_ms=1)
    first, second = await store.requests()
    assert (first.symbol, second.symbol) == (None, SYMBOL)
    await store.write([RequestDone(seq=first.seq, outcome="resumed", at_ms=2)])
    await store.write([RequestDone(seq=999, outcome="nobody asked", at_ms=2)])
    assert await store.requests() == (second,)


@pytest.mark.rule("Q-2")
async def test_of_a_symbols_pictures_one_row_is_kept(store: SqlStore, database: Place) -> None:
    """The newest; a thousand ticks leave one row."""
    for n in range(3):
        await store.write([Snapshot(symbol=SYMBOL, content=f'{{"n": {n}}}', at_ms=n)])
    assert rows(database, "SELECT symbol, content, at_ms FROM snapshots") == [
        (SYMBOL, '{"n": 2}', 2)
    ]


@pytest.mark.rule("D-7", "Y-1")
async def test_an_adopted_trades_end_spends_what_is_not_newer(store: SqlStore) -> None:
    """Its last execution is the end that the next decision must be newer than."""
    summary = TradeSummary(
        key=NEW,
        quantity=Decimal("0.010"),
        average_entry=Decimal(90800),
        average_exit=Decimal(90900),
        exit_reason="manual",
        realized_pnl=Decimal(1),
        fees=Decimal(0),
        r_gross=Decimal(0),
        r_net=Decimal(0),
        slippage=None,
        stop_moves=0,
        first_fill_ms=2_000,
        last_fill_ms=9_000,
    )
    await store.write([TradeChanged(trade=ADOPTED)])
    await store.write([TradeEnded(trade=replace(ADOPTED, ended_ms=9_500), summary=summary)])
    memory = await store.load(SYMBOL)
    assert (memory.trade, memory.last_end_ms, memory.ended_by) == (None, 9_000, None)
    assert memory.spent == {NOBODYS.id}


@pytest.mark.rule("E-9", "P-4", "D-7")
@pytest.mark.parametrize(
    ("end", "spent"),
    [
        ({"voided": "stop_hit_before_entry"}, {NOBODYS.id, "guide"}),
        ({"closing": CloseReason.OPPOSITE}, {NOBODYS.id, "guide"}),
        ({}, set()),
    ],
)
async def test_what_guided_a_trade_is_spent_with_it(
    store: SqlStore, end: dict[str, object], spent: set[str]
) -> None:
    """Whatever its own time; a set-up that ended unfilled spends neither."""
    guide = replace(NOBODYS, id="guide", timestamp_ms=99_000)
    trade = replace(ADOPTED, closing=None, closing_rule=None, guide=guide, origin_ms=500)
    await store.write([TradeChanged(trade=trade)])
    assert (await store.load(SYMBOL)).trade == trade
    over = replace(trade, ended_ms=9_500, **end)  # type: ignore[arg-type]  # a test states only what differs
    await store.write([TradeEnded(trade=over, summary=None)])
    assert (await store.load(SYMBOL)).spent == spent


@pytest.mark.rule("Y-12")
async def test_every_entry_of_the_journal_is_remembered(store: SqlStore) -> None:
    """Of trades that ended, too: the exchange's history is compared with them."""
    entry = order(Role.ENTRY, 1, key=NEW)
    await store.write([TradeChanged(trade=ADOPTED), Intent(order=entry)])
    ended = replace(entry, state=OrderState.ENDED)
    await store.write([OrderChanged(order=ended)])
    await store.write([TradeEnded(trade=replace(ADOPTED, ended_ms=9), summary=None)])
    assert (await store.load(SYMBOL)).entry_ids == {entry.client_id}
