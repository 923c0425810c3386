"""What is written is what is read: model values to rows and back, pure and through a database."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.decision import Action, Decision, Levels, TrailMode
from jumar.model.errors import InvariantBroken
from jumar.model.ids import client_id
from jumar.model.journal import (
    DecisionSeen,
    FillSeen,
    Intent,
    OrderChanged,
    Record,
    SymbolMemory,
    TradeChanged,
    TradeEnded,
    ZoneBound,
)
from jumar.model.levels import BoundZone
from jumar.model.order import (
    Fill,
    OrderRequest,
    OrderState,
    OrderStatus,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.trade import CloseReason, Trade, TradeSummary
from jumar.store import records
from jumar.store.journal import SqlStore
from jumar.store.writer import InlineExecutor

SYMBOL = "BTCUSDT"
KEY = "abcdefghij"

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 2**53)
counts = st.integers(0, 10**6)
amounts = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=None
)
prices = st.decimals(min_value="0.0000001", max_value=10**8, places=7)


def maybe[T](strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """None, or a value of the strategy."""
    return st.none() | strategy


levels = st.builds(
    Levels, zone_min=prices, zone_max=prices, stop=prices, tp1=prices, tp2=maybe(prices)
)
decisions = st.builds(
    Decision,
    id=words,
    symbol=st.just(SYMBOL),
    timestamp_ms=times,
    action=st.sampled_from(Action),
    reason=words,
    levels=maybe(levels),
    notional=amounts,
    leverage=amounts,
    confidence=amounts,
    risk_checks=maybe(st.lists(st.tuples(words, st.booleans()), max_size=5).map(tuple)),
    tp1_fraction=amounts,
    enable_trailing=st.booleans(),
    trail_mode=st.sampled_from(TrailMode),
    liq_tp_zone_id=maybe(words),
    risk_level=maybe(st.integers(-5, 5)),
)
zones = st.builds(
    BoundZone, id=words, low=prices, high=prices, used=st.booleans(), explicit=st.booleans()
)
trades = st.builds(
    Trade,
    key=st.just(KEY),
    symbol=st.just(SYMBOL),
    side=st.sampled_from(Side),
    decision=decisions,
    planned_quantity=prices,
    limit_price=prices,
    initial_stop=prices,
    tp1=prices,
    tp2=maybe(prices),
    armed_ms=times,
    ratchet_price=maybe(prices),
    closing=maybe(st.sampled_from(CloseReason)),
    closed_by=maybe(words),
    entry_over=maybe(words),
    voided=maybe(words),
    proven_flat_ms=maybe(times),
    zone=maybe(zones),
    left_zones=st.lists(zones, max_size=2).map(tuple),
    origin_ms=maybe(times),
    guide=maybe(decisions),
    unprotected_ms=counts,
)
requests = st.builds(
    OrderRequest,
    symbol=st.just(SYMBOL),
    client_id=st.just(client_id(key=KEY, role=Role.TP1, attempt=3)),
    role=st.just(Role.TP1),
    side=st.sampled_from(Side),
    type=st.sampled_from(OrderType),
    quantity=maybe(prices),
    price=maybe(prices),
    trigger_price=maybe(prices),
    time_in_force=maybe(st.sampled_from(TimeInForce)),
    reduce_only=st.booleans(),
    close_position=st.booleans(),
    working_type=maybe(st.sampled_from(WorkingType)),
)
amendments = st.builds(
    Amendment,
    number=st.integers(1, 30),
    price=prices,
    quantity=prices,
    rule=words,
    cause=words,
    timestamp_ms=times,
    state=st.sampled_from(AmendmentState),
    code=maybe(st.integers(-9999, -1000)),
    told_ms=maybe(times),
)
orders = st.builds(
    OwnOrder,
    trade_key=st.just(KEY),
    attempt=st.just(3),
    request=requests,
    rule=words,
    cause=words,
    journaled_ms=times,
    timestamp_ms=maybe(times),
    state=st.sampled_from(OrderState),
    venue_id=maybe(words),
    child_venue_id=maybe(words),
    acked_ms=maybe(times),
    updated_ms=times,
    filled_quantity=prices,
    end_status=maybe(st.sampled_from(OrderStatus)),
    end_code=maybe(st.integers(-9999, -1000)),
    end_reason=maybe(words),
    ended_ms=maybe(times),
    triggered_ms=maybe(times),
    echo_error=maybe(words),
    cancel_sent_ms=maybe(times),
    cancel_unknown_ms=maybe(times),
    misses=st.lists(times, max_size=4).map(tuple),
    amendments=st.lists(amendments, max_size=3).map(tuple),
)
fills = st.builds(
    Fill,
    symbol=st.just(SYMBOL),
    trade_id=st.integers(1, 2**53),
    venue_order_id=words,
    client_id=maybe(words),
    side=st.sampled_from(Side),
    price=prices,
    quantity=prices,
    maker=st.booleans(),
    fee=amounts,
    fee_asset=words,
    realized_pnl=amounts,
    time_ms=times,
)
summaries = st.builds(
    TradeSummary,
    key=st.just(KEY),
    quantity=prices,
    average_entry=prices,
    average_exit=prices,
    exit_reason=st.sampled_from(["tp1", "tp2", "stop", "flat"]),
    realized_pnl=amounts,
    fees=amounts,
    r_gross=amounts,
    r_net=amounts,
    slippage=maybe(amounts),
    stop_moves=counts,
    first_fill_ms=times,
    last_fill_ms=times,
    funding=maybe(amounts),
    chases=counts,
    unprotected_ms=counts,
)


@given(decisions)
def test_a_decision_survives_its_text(decision: Decision) -> None:
    """A decision read from its canonical text equals the one that was written."""
    assert records.decision_from(records.decision_text(decision)) == decision


@given(trades, orders, fills)
def test_rows_are_inverse(trade: Trade, order: OwnOrder, fill: Fill) -> None:
    """A trade, an order and a fill read from their rows equal what the rows were made of."""
    seen = FillSeen(trade_key=KEY, client_id="x", fill=fill)
    assert records.trade_from(records.trade_values(trade)) == trade
    assert records.order_from(records.order_values(order)) == order
    assert records.fill_from(records.fill_values(seen)) == fill


@given(trades, summaries)
def test_a_summary_survives_its_row(trade: Trade, summary: TradeSummary) -> None:
    """The summary read from an ended trade's row equals the one written; without one there is none."""
    row = records.trade_values(trade) | records.summary_values(summary)
    assert records.summary_from(row) == summary
    assert records.summary_from(row | {"exit_reason": None}) is None
    older = row | {"funding": None, "chases": None, "unprotected_ms": None}
    found = records.summary_from(older)
    assert found == replace(summary, funding=None, chases=0, unprotected_ms=0)


def _followed(trade: Trade) -> frozenset[str]:
    """The decisions that a trade spends: its own, and the one that guided it (E-9)."""
    return frozenset({trade.decision.id, trade.guiding.id})


@pytest.mark.rule("Q-2")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(trades, orders, orders, st.lists(fills, max_size=4, unique_by=lambda f: f.trade_id))
def test_a_symbol_is_restored_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    trade: Trade,
    first: OwnOrder,
    later: OwnOrder,
    seen: list[Fill],
) -> None:
    """Another start reads the trade, its order, its fills and its decision as they were last written."""
    last = OwnOrder(
        **{name: getattr(later, name) for name in later.__slots__}
        | {name: getattr(first, name) for name in ("request", "rule", "cause", "journaled_ms")}
    )
    written: list[Record] = [
        TradeChanged(trade=trade),
        Intent(order=first),
        OrderChanged(order=last),
        *(FillSeen(trade_key=KEY, client_id=first.client_id, fill=fill) for fill in seen),
        _accepted(trade.decision),
    ]
    memory = _written_and_read(tmp_path_factory.mktemp("store") / "jumar.db", written)
    assert memory == SymbolMemory(
        symbol=SYMBOL,
        trade=trade,
        orders=(last,),
        fills=tuple(sorted(seen, key=lambda fill: fill.trade_id)),
        decision=trade.decision,
        spent=frozenset() if trade.voided is None else _followed(trade),
    )


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(trades, summaries, times)
def test_an_ended_trade_leaves_its_end(
    tmp_path_factory: pytest.TempPathFactory, trade: Trade, summary: TradeSummary, ended_ms: int
) -> None:
    """After a filled trade ended nothing of it is open, its decision is spent and its last fill is known."""
    values = {name: getattr(trade, name) for name in trade.__slots__}
    ended = Trade(**values | {"ended_ms": ended_ms})
    written: list[Record] = [
        TradeChanged(trade=trade),
        TradeEnded(trade=ended, summary=summary),
    ]
    memory = _written_and_read(tmp_path_factory.mktemp("store") / "jumar.db", written)
    assert memory == SymbolMemory(
        symbol=SYMBOL,
        last_end_ms=summary.last_fill_ms,
        ended_by=trade.closed_by if trade.closing is CloseReason.OPPOSITE else None,
        spent=_followed(trade),
    )


@pytest.mark.rule("S-3")
@given(amounts, amounts)
def test_scaling_keeps_the_order(one: Decimal, other: Decimal) -> None:
    """Two stop prices compare as integers exactly as they compare as decimals, or are refused."""
    try:
        scaled = records.scaled(one), records.scaled(other)
    except InvariantBroken as refused:
        assert refused.promise == "S-3"  # noqa: PT017 - a refusal is one of the two right answers
        return
    assert (scaled[0] < scaled[1], scaled[0] == scaled[1]) == (one < other, one == other)


@pytest.mark.rule("S-3")
@pytest.mark.parametrize("price", ["0.00000000001", "-1E-11", "922337203.6854775808", "1E+30"])
def test_what_cannot_be_compared_is_refused(price: str) -> None:
    """A stop finer than ten decimals or beyond 64 bits is refused instead of being rounded."""
    with pytest.raises(InvariantBroken, match=r"S-3.*cannot compare"):
        records.scaled(Decimal(price))


def test_venue_prices_fit_the_scale() -> None:
    """The finest and the largest stop prices of the venue are compared exactly."""
    assert records.scaled(Decimal("0.0000001")) == 1_000
    assert records.scaled(Decimal("-922337203.6854775807")) == -(2**63 - 1)


@pytest.mark.rule("L-3")
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(decisions, maybe(zones), maybe(zones))
def test_a_bound_zone_is_remembered_with_its_decision(
    tmp_path_factory: pytest.TempPathFactory,
    decision: Decision,
    bound: BoundZone | None,
    moved: BoundZone | None,
) -> None:
    """As it was bound when the decision was accepted, and as it was moved since."""
    for later, expected in ((None, bound), (ZoneBound(decision_id=decision.id, zone=moved), moved)):
        written: list[Record] = [replace(_accepted(decision), zone=bound)]
        written += [] if later is None else [later]
        memory = _written_and_read(tmp_path_factory.mktemp("store") / "jumar.db", written)
        assert (memory.decision, memory.zone) == (decision, expected)


def _accepted(decision: Decision) -> DecisionSeen:
    return DecisionSeen(
        symbol=decision.symbol,
        decision_id=decision.id,
        timestamp_ms=decision.timestamp_ms,
        outcome="accepted",
        reasons=(),
        raw="{}",
        at_ms=1,
        decision=decision,
    )


def _written_and_read(path: Path, written: Sequence[Record]) -> SymbolMemory:
    async def write() -> None:
        store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor())
        await store.open()
        await store.write(written)
        await store.close()

    async def read() -> SymbolMemory:
        store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor())
        await store.open()
        memory = await store.load(SYMBOL)
        await store.close()
        return memory

    asyncio.run(write())
    return asyncio.run(read())
