"""Levels on their way in: what reaches the worlds, what is refused, and what the decision in force makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

import pytest
from tests.worlds import NOW, POLICY, decision

from jumar.model.decision import FieldError
from jumar.model.journal import (
    DecisionSeen,
    EventSeen,
    Incident,
    Record,
    StoreIdentity,
    SymbolMemory,
    ZoneBound,
)
from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels, Swing, SwingKind
from jumar.planner.binding import bind
from jumar.ports.decisions import Received
from jumar.ports.levels import LevelsReceived
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.levels import LevelsFeed
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.state import SymbolState

D = Decimal
WRONG = FieldError(field="as_of", value="x", message="must be a time", rule="D-10")
NAMED = decision(liq_tp_zone_id="cluster_1")
BOUND = BoundZone(id="cluster_1", low=D(91500), high=D(91650))


def zone(low: int = 91500, high: int = 91650, *, explicit: bool = False) -> LiquidationZone:
    """The strongest zone."""
    return LiquidationZone(
        id="cluster_1",
        explicit=explicit,
        side=None,
        low=D(low),
        high=D(high),
        price=D(low),
        strength=D("0.8"),
    )


def levels(*zones: LiquidationZone, at_ms: int = 0) -> MarketLevels:
    """Levels of some milliseconds after `NOW`."""
    swing = Swing(
        timeframe="15m", kind=SwingKind.LOW, price=D(90560), time_ms=NOW - 900_000, confirmed=True
    )
    return MarketLevels(as_of_ms=NOW + at_ms, swings=(swing,), zones=zones)


def brought(found: MarketLevels | None, symbol: str | None = "BTCUSDT") -> LevelsReceived:
    """What a source brings; no levels are refused ones."""
    return LevelsReceived(symbol=symbol, levels=found, errors=() if found else (WRONG,))


@dataclass
class Source:
    """A source that brings what it is told to, or fails."""

    news: tuple[LevelsReceived, ...] = ()
    fails: bool = False

    def poll(self) -> tuple[LevelsReceived, ...]:
        """What is new, once."""
        if self.fails:
            raise RuntimeError("a fault of ours")
        news, self.news = self.news, ()
        return news


@dataclass
class Loop:
    """What the feed sees of a symbol's loop."""

    state: SymbolState
    desk: DecisionDesk
    incidents: list[Incident] = field(default_factory=list)
    woken: int = 0

    def report_incident(self, incident: Incident) -> None:
        """Hear of one."""
        self.incidents.append(incident)

    def wake(self) -> None:
        """Be woken."""
        self.woken += 1


class Bench:
    """Two symbols' loops and the feed before them."""

    def __init__(self) -> None:
        self.source = Source()
        self.loops = {symbol: self._loop(symbol) for symbol in ("BTCUSDT", "ETHUSDT")}
        self.feed = LevelsFeed(self.source, dict.fromkeys(self.loops, POLICY))

    def _loop(self, symbol: str) -> Loop:
        memory = SymbolMemory(symbol=symbol)
        identity = StoreIdentity(store_id="s", fresh=False)
        return Loop(
            state=SymbolState(account="main", store_id="s", memory=memory),
            desk=DecisionDesk.restore(memory, identity, NOW, ahead_ms=5000),
        )

    def brings(self, *news: LevelsReceived) -> Loop:
        """Poll once; returns the first symbol's loop."""
        self.source.news = news
        self.feed.poll(cast("Mapping[str, SymbolLoop]", self.loops), NOW)
        return self.loops["BTCUSDT"]

    def told(self) -> list[str]:
        """What the first symbol's journal hears of D-10."""
        waiting = self.loops["BTCUSDT"].state.outbox.take()
        return [r.message for r in waiting if isinstance(r, EventSeen) and r.rule == "D-10"]


@pytest.mark.rule("D-10")
def test_each_symbol_gets_its_own() -> None:
    """What is new wakes its symbol and is told; the other knows nothing of it."""
    bench = Bench()
    found = levels(zone())
    btc = bench.brings(brought(found))
    assert btc.state.world(NOW).levels == found
    assert bench.loops["ETHUSDT"].state.world(NOW).levels is None
    assert (btc.woken, bench.loops["ETHUSDT"].woken) == (1, 0)
    bench.brings(brought(levels(), "ETHUSDT"))
    assert bench.loops["ETHUSDT"].state.levels == levels()
    assert (btc.woken, btc.state.levels) == (1, found)
    (line,) = bench.told()
    assert line == (
        "levels of 2025-12-05T10:05:05.000Z: 1 swings (last confirmed: 15m low 90560), "
        "1 zones (cluster_1 [91500, 91650] 0.8)"
    )


@pytest.mark.rule("D-10")
def test_the_same_again_is_no_news() -> None:
    """Only a newer date is taken in without a word: the journal tells changes."""
    bench = Bench()
    bench.brings(brought(levels(zone())))
    bench.told()
    btc = bench.brings(brought(levels(zone(), at_ms=1)))
    assert btc.state.levels == levels(zone(), at_ms=1)
    assert bench.told() == []


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(("at_ms", "replaces"), [(-1, False), (0, True), (1, True)])
def test_an_older_content_never_replaces_a_newer_one(at_ms: int, *, replaces: bool) -> None:
    """Files that are written out of order; one of the same moment is a correction."""
    bench = Bench()
    bench.brings(brought(levels(zone())))
    other = levels(zone(92300, 92450), at_ms=at_ms)
    btc = bench.brings(brought(other))
    assert (btc.state.levels == other) is replaces
    assert ("are ignored" in bench.told()[-1]) is not replaces
    assert not btc.incidents


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(("at_ms", "accepted"), [(5000, True), (5001, False)])
def test_levels_from_the_future_are_refused(at_ms: int, *, accepted: bool) -> None:
    """`future_skew_s` and not a millisecond more; the message says how much it is and what to do."""
    bench = Bench()
    btc = bench.brings(brought(levels(at_ms=at_ms)))
    assert (btc.state.levels is not None) is accepted
    assert len(btc.incidents) == int(not accepted)
    if not accepted:
        assert "5.001 s ahead of the exchange's time, at most 5 s" in btc.incidents[0].message


@pytest.mark.rule("D-5", "D-10")
def test_a_refusal_is_recorded_each_time_and_alerted_once() -> None:
    """Until good levels have come again; the last valid ones stand."""
    bench = Bench()
    found = levels(zone())
    bench.brings(brought(found))
    bench.told()
    btc = bench.loops["BTCUSDT"]
    for _ in range(3):
        bench.brings(brought(None))
    assert btc.state.levels == found
    assert bench.told() == ["levels refused: as_of = x: must be a time (D-10)"] * 3
    assert [incident.rule for incident in btc.incidents] == ["D-10"]
    bench.brings(brought(levels(at_ms=1)), brought(None))
    assert len(btc.incidents) == 2


@pytest.mark.rule("D-5", "D-10")
def test_a_file_that_is_nobodys_is_told_by_the_first_symbol() -> None:
    """Once, and nothing changes."""
    bench = Bench()
    btc = bench.brings(brought(None, None))
    assert [incident.symbol for incident in btc.incidents] == [None]
    assert not bench.loops["ETHUSDT"].incidents
    assert len(bench.told()) == 1


@pytest.mark.rule("D-5")
def test_a_source_that_fails_stops_nothing() -> None:
    """Neither does an engine without one."""
    bench = Bench()
    bench.source.fails = True
    bench.brings()
    LevelsFeed(None, {}).poll({}, NOW)
    assert bench.loops["BTCUSDT"].state.levels is None


# the decision in force


def accept(desk: DecisionDesk, known: MarketLevels | None) -> tuple[Record, ...]:
    """A decision that names a zone comes while these levels are known."""
    received = Received(raw="{}", symbol="BTCUSDT", timestamp_ms=NAMED.timestamp_ms, decision=NAMED)
    return desk.receive(received, NOW, bind(NAMED, known, NOW, POLICY))


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("known", [levels(zone()), None])
def test_the_zone_is_recorded_with_the_decision(known: MarketLevels | None) -> None:
    """Bound or not, and why, in the same transaction."""
    desk = Bench().loops["BTCUSDT"].desk
    seen, told = accept(desk, known)
    assert isinstance(seen, DecisionSeen)
    assert isinstance(told, EventSeen)
    expected = None if known is None else BOUND
    assert desk.state is not None
    assert (seen.outcome, seen.zone, desk.state.zone) == ("accepted", expected, expected)
    assert told.rule == "L-3"
    assert ("stays unbound" in told.message) is (known is None)


@pytest.mark.rule("L-3")
def test_explicit_ids_move_the_zone_of_the_decision_in_force() -> None:
    """Recorded, so that a restart changes nothing; derived names move nothing."""
    bench = Bench()
    loop = bench.loops["BTCUSDT"]
    accept(loop.desk, levels(zone()))
    bench.brings(brought(levels(zone(92300, 92450))))
    assert loop.desk.state is not None
    assert loop.desk.state.zone == BOUND
    loop.state.outbox.take()
    bench.brings(brought(levels(zone(91900, 91950, explicit=True), at_ms=1)))
    moved = BoundZone(id="cluster_1", low=D(91900), high=D(91950), explicit=True)
    assert loop.desk.state.zone == moved
    assert ZoneBound(decision_id=NAMED.id, zone=moved) in loop.state.outbox.take()
    memory = SymbolMemory(symbol="BTCUSDT", decision=NAMED, zone=moved)
    identity = StoreIdentity(store_id="s", fresh=False)
    restored = DecisionDesk.restore(memory, identity, NOW, ahead_ms=5000)
    assert restored.state is not None
    assert restored.state.zone == moved


@pytest.mark.rule("L-3")
def test_a_spent_decision_binds_nothing() -> None:
    """It cannot enter any more; nothing is said of its zone."""
    desk = Bench().loops["BTCUSDT"].desk
    desk.spent.add(NAMED.id)
    (seen,) = accept(desk, levels(zone()))
    assert isinstance(seen, DecisionSeen)
    assert (seen.outcome, seen.zone) == ("spent", None)
    assert desk.saw_levels(levels(zone(explicit=True)), NOW, POLICY) == ()
