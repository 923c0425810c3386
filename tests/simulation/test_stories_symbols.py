"""Several symbols in one engine, and what one symbol's trouble does to another: nothing (O-3, O-4).

BTCUSDT trades as ever while ETHUSDT has the trouble. Its ticks come when they are due, on the exchange's clock, and
its trade goes home clean.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from tests.engines import EXAMPLE
from tests.simulation.acts import SYMBOL, Looked
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import LONG_ROAD, PROTECT_DEADLINE_MS, twice

from jumar.decisions.decode import decode
from jumar.model.command import Plan
from jumar.model.journal import Record
from jumar.model.mode import Mode
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.plan import plan as real
from jumar.ports.decisions import Received
from jumar.ports.exchange import StreamEvent, VenueEvent
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.execute import Executor
from jumar.reconciler.observe import READS_WAIT_S
from jumar.reconciler.state import SymbolState
from jumar.simulation.host import MortalSource

ETH = "ETHUSDT"
QUIET = Decimal("3101.50")
OF_ETH: dict[str, Any] = {
    **EXAMPLE,
    "entry_zone": [3096, 3104],
    "sl": 3085,
    "tp1": 3130,
    "tp2": 3160,
}
ENTER, TP1, TP2 = "3099.99", "3130", "3160"
HELD = "0.387"
#: Planned again by an audit the planted failure is not there, and another plan comes out.
PLANTED = frozenset({"P-9"})
#: From the end of one tick to the beginning of the next: the loop's interval, and what a tick may be late.
GAP_MS_MAX = 1000 + 50
#: An undisturbed tick reads and sends twice or thrice, 4 to 60 ms each.
TICK_MS_MAX = 400


@contextmanager
def both(seed: int, **policy: Any) -> Iterator[Scene]:
    """An engine that manages BTCUSDT and ETHUSDT."""
    with scene(seed, others={ETH: QUIET}, **policy) as s:
        s.wait(2)
        yield s


def arm_eth(s: Scene) -> None:
    """The entry of ETHUSDT rests behind its stop."""
    with s.on(ETH):
        s.decision(OF_ETH)
        s.expect_armed()


def hold_eth(s: Scene) -> None:
    """A position of ETHUSDT is open behind stops and targets."""
    arm_eth(s)
    with s.on(ETH):
        s.price_to(ENTER)
        s.expect_held(HELD)


def hold_btc(s: Scene) -> None:
    """A position of BTCUSDT is open behind stops and targets."""
    s.decision(LONG)
    s.expect_armed()
    s.price_to(LONG_ROAD.enter)
    s.expect_held()


def home_by_targets(s: Scene) -> None:
    """The position of BTCUSDT goes home by both targets."""
    s.price_to(LONG_ROAD.tp1)
    s.expect_roles("BQS")
    s.price_to(LONG_ROAD.tp2)
    s.until("BTCUSDT is home", lambda: not s.book.roles and not s.book.position)


def eth_home(s: Scene) -> None:
    """The position of ETHUSDT goes home by both targets."""
    with s.on(ETH):
        s.price_to(TP1)
        s.expect_roles("BQS")
        s.price_to(TP2)
        s.until("ETHUSDT is home", lambda: not s.book.roles and not s.book.position)


def ticks(s: Scene, symbol: str, since_ms: int) -> list[Looked]:
    """The ticks of a symbol that began after a moment."""
    own = [tick for tick in s.witness.ticks if tick.report.world.symbol == symbol]
    return [tick for tick in own if tick.began_ms > since_ms]


def assert_punctual(s: Scene, symbol: str, since_ms: int) -> None:
    """Its ticks came when they were due and took no longer than ever."""
    looks = ticks(s, symbol, since_ms)
    assert len(looks) > 3
    gaps = [after.began_ms - before.ended_ms for before, after in pairwise(looks)]
    assert max(gaps) <= GAP_MS_MAX, max(gaps)
    took = [tick.ended_ms - tick.began_ms for tick in looks]
    assert max(took) <= TICK_MS_MAX, max(took)


@pytest.mark.rule("O-3", "P-1", "P-4")
@twice
def test_two_symbols_trade_at_once(seed: int) -> None:
    """Both enter, both are protected, each goes home by its own prices, and no order is the other's."""
    with both(seed) as s:
        began_ms = s.now_ms
        s.decision(LONG)
        s.wait(1)
        arm_eth(s)
        s.expect_armed()
        s.price_to(LONG_ROAD.enter)
        with s.on(ETH):
            assert s.book.roles == "ES"
            s.price_to(ENTER)
            s.expect_held(HELD)
        s.expect_held()
        home_by_targets(s)
        with s.on(ETH):
            assert (s.book.roles, s.book.position) == ("BPQS", Decimal(HELD))
        eth_home(s)
        for symbol in (SYMBOL, ETH):
            assert_punctual(s, symbol, began_ms)
        found = s.verdict("P-1", "P-2", "P-4", "P-5", "P-8")
        assert (found.trades, found.entries, found.gaps) == (2, 2, 0)
        assert found.reasons == ["tp2", "tp2"]


# reads of one symbol

type Trouble = Callable[[Scene], None]


def reads_are_slow(s: Scene) -> None:
    """Whatever is read of the symbol takes 2.5 s to come back."""
    s.every_own("GET *").late(back_s=2.5)


def reads_fail(s: Scene) -> None:
    """Whatever is read of the symbol is answered with a server error."""
    s.every_own("GET *").refused(-1000, "An unknown error occurred.", status=500)


def reads_are_lost(s: Scene) -> None:
    """Whatever is read of the symbol never comes back."""
    s.every_own("GET *").lost()


@pytest.mark.rule("O-3", "W-1", "P-1")
@pytest.mark.parametrize("trouble", [reads_are_slow, reads_fail, reads_are_lost])
@pytest.mark.parametrize("seed", [1])
def test_reads_of_one_symbol_fail(seed: int, trouble: Trouble) -> None:
    """The other enters and goes home meanwhile, on time; the one in trouble stays protected and comes home after it."""
    with both(seed) as s:
        hold_eth(s)
        since_ms = s.now_ms
        with s.on(ETH):
            trouble(s)
        hold_btc(s)
        home_by_targets(s)
        assert_punctual(s, SYMBOL, since_ms)
        with s.on(ETH):
            s.expect_stays_protected(for_s=5)
        s.clear_weather()
        s.wait(3)
        eth_home(s)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.trades) == (0, 2)


@pytest.mark.rule("O-3", "W-1", "S-7")
@twice
def test_a_hanging_read_is_waited_for_once(seed: int) -> None:
    """It delays the tick that sent it; a stop that is lost while it still hangs is restored at once."""
    with both(seed) as s:
        hold_eth(s)
        since_ms = s.now_ms
        with s.on(ETH):
            s.every_own("GET /fapi/v1/openOrders").late(back_s=60)
            s.until("a tick has waited for it", lambda: _has_waited(s, ETH, since_ms))
            s.cancel_stops_by_hand()
            s.until("covered", lambda: s.book.covered, within_s=0.3)
        s.wait(8)
        took = [tick.ended_ms - tick.began_ms for tick in ticks(s, ETH, since_ms)]
        assert max(took) <= READS_WAIT_S * 1000 + TICK_MS_MAX
        assert_punctual(s, SYMBOL, since_ms)
        s.clear_weather()
        s.wait(6)
        eth_home(s)
        s.verdict("P-8", bare_ms_max=300)


def _has_waited(s: Scene, symbol: str, since_ms: int) -> bool:
    return any(t.ended_ms - t.began_ms >= READS_WAIT_S * 1000 for t in ticks(s, symbol, since_ms))


@pytest.mark.rule("O-3", "P-7")
@pytest.mark.parametrize("seed", [1])
def test_the_shared_read_of_positions_is_slow(seed: int) -> None:
    """It is asked once for all; no symbol's tick waits longer than a moment, cover stays, and no entry rests on it."""
    with both(seed) as s:
        hold_eth(s)
        since_ms = s.now_ms
        slow = s.every("GET /fapi/v3/positionRisk")
        slow.late(back_s=4)
        s.decision(LONG)
        s.wait(8)
        s.always("no entry rests", lambda: not s.book.resting("E"), for_s=4)
        for symbol in (SYMBOL, ETH):
            looks = ticks(s, symbol, since_ms)
            took = [tick.ended_ms - tick.began_ms for tick in looks]
            assert max(took) <= READS_WAIT_S * 1000 + TICK_MS_MAX
            waited = [ms for ms in took if ms >= READS_WAIT_S * 1000]
            assert len(waited) <= slow.met + 1, (symbol, took)
        assert slow.met <= 6  # one at a time for both symbols
        with s.on(ETH):
            s.expect_stays_protected(for_s=1)
        s.clear_weather()
        s.expect_armed()
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        home_by_targets(s)
        eth_home(s)
        assert s.verdict("P-1", "P-4", "P-8").gaps == 0


# decisions of one symbol


@pytest.mark.rule("O-3", "D-5", "D-7")
@twice
def test_the_decision_of_one_symbol_is_malformed(seed: int) -> None:
    """It is refused by name for its own symbol; the other's entry rests on and its trade goes home."""
    with both(seed) as s:
        s.decision(LONG)
        s.expect_armed()
        since_ms = s.now_ms
        with s.on(ETH):
            s.decision(OF_ETH, sl="much")
            s.expect_outcome("refused", "malformed")
            s.rubbish(b'{"symbol": "ETHUSDT", "timestamp')
            s.until("told of once", lambda: bool(s.incidents("D-5")))
            assert not s.book.entries()
        assert s.book.roles == "ES"
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        home_by_targets(s)
        assert_punctual(s, SYMBOL, since_ms)
        assert s.verdict("P-1", "P-4", "P-8").trades == 1


# answers of one symbol


@pytest.mark.rule("O-3", "X-3", "X-4", "P-4")
@twice
def test_the_exchange_loses_an_answer_of_one_symbol(seed: int) -> None:
    """The other neither waits for the one that is asked about nor loses anything; both come home once."""
    with both(seed) as s:
        hold_btc(s)
        since_ms = s.now_ms
        with s.on(ETH):
            s.every_own("POST /fapi/v1/order", of="E").answer_lost()
            s.decision(OF_ETH)
            s.until("an entry of ETHUSDT rests", lambda: bool(s.book.resting("E")))
            s.wait(4)
            s.clear_weather()
            s.price_to(ENTER)
            s.expect_held(HELD)
        assert_punctual(s, SYMBOL, since_ms)
        home_by_targets(s)
        eth_home(s)
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.trades, found.entries, found.gaps) == (2, 2, 0)


@pytest.mark.rule("O-3", "S-7", "P-1")
@twice
def test_the_exchange_takes_no_stop_of_one_symbol(seed: int) -> None:
    """While every try for one symbol's lost stop takes its time out, the other moves its own and goes home."""
    with both(seed) as s:
        hold_eth(s)
        hold_btc(s)
        since_ms = s.now_ms
        with s.on(ETH):
            s.every_own("POST /fapi/v1/algoOrder", of="S").lost()
            s.cancel_stop_by_hand()
            assert s.book.covered  # by its backstop, which stands where the stop stood
        home_by_targets(s)
        s.wait(4)
        assert_punctual(s, SYMBOL, since_ms)
        s.clear_weather()
        with s.on(ETH):
            s.until("ETHUSDT has its stop again or is home", lambda: s.book.covered)
            s.price_to("3084")
        s.verdict("P-1", "P-8")


# one symbol's planner


@pytest.mark.rule("O-3", "O-4", "P-1")
@twice
def test_the_planner_fails_for_one_symbol(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contained and alarmed: lost stops are restored; the other trades on, on time."""
    broken: set[str] = set()

    def plan(world: World, policy: Policy) -> Plan:
        if world.symbol in broken:
            raise ZeroDivisionError("planted")
        return real(world, policy)

    monkeypatch.setattr("jumar.planner.safely.plan", plan)
    with both(seed) as s:
        hold_eth(s)
        since_ms = s.now_ms
        broken.add(ETH)
        hold_btc(s)
        with s.on(ETH):
            s.cancel_stops_by_hand()
            s.until("a stop again", lambda: s.book.covered, within_s=3)
            s.expect_stays_protected(for_s=3)
        home_by_targets(s)
        assert_punctual(s, SYMBOL, since_ms)
        assert any("planted" in each for each in s.incidents("O-4"))
        broken.clear()
        s.wait(3)
        with s.on(ETH):
            s.price_to("3084")
            s.until("ETHUSDT is home", lambda: not s.book.roles and not s.book.position)
            s.expect_mode(Mode.NO_ENTRIES)
        s.expect_mode(Mode.NORMAL)
        assert s.verdict("P-4", "P-8", but=PLANTED, bare_ms_max=PROTECT_DEADLINE_MS).entries == 2


# the engine around its symbols


@pytest.mark.rule("O-3", "W-1")
@pytest.mark.parametrize("seed", [1])
def test_an_event_that_one_symbol_stumbles_over(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the stream is back concerns all: the first symbol fails to take it in, the second hears of it and trades on."""
    real = SymbolState.apply

    def apply(self: SymbolState, event: VenueEvent, now_ms: int) -> bool:
        if self.symbol == SYMBOL and isinstance(event, StreamEvent):
            raise ZeroDivisionError("planted")
        return real(self, event, now_ms)

    with both(seed) as s:
        hold_eth(s)
        hold_btc(s)
        monkeypatch.setattr(SymbolState, "apply", apply)
        s.drop_streams(away_s=1)
        s.wait(2)
        eth_home(s)
        home_by_targets(s)
        assert s.verdict("P-1", "P-4", "P-8").gaps == 0


@pytest.mark.rule("O-3", "D-8")
@pytest.mark.parametrize("seed", [1])
def test_a_decision_that_cannot_be_taken_in_holds_back_no_other(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two come in one look at the source; the first makes the engine stumble, the second enters."""
    arrived: list[Received] = []
    real = DecisionDesk.receive

    def poll(_: MortalSource) -> tuple[Received, ...]:
        taken, arrived[:] = tuple(arrived), []
        return taken

    def receive(self: DecisionDesk, received: Received, *rest: Any) -> tuple[Record, ...]:
        if received.symbol == ETH:
            raise ZeroDivisionError("planted")
        return real(self, received, *rest)

    monkeypatch.setattr(MortalSource, "poll", poll)
    monkeypatch.setattr(DecisionDesk, "receive", receive)
    with both(seed) as s:
        with s.on(ETH):
            first = s.decision(OF_ETH)
        written = (first, s.decision(LONG))
        arrived += [decode(each, account="main", symbols=(SYMBOL, ETH)) for each in written]
        s.expect_armed()
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        home_by_targets(s)
        assert s.verdict("P-1", "P-4", "P-8").trades == 1


@pytest.mark.rule("O-3", "M-5")
@pytest.mark.parametrize("seed", [1])
def test_a_symbol_that_cannot_write_its_last_word(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked to stop, the engine takes back the other's entry and its armed stop all the same."""
    real = Executor.flush

    async def flush(self: Executor) -> None:
        if self._state.symbol == ETH and self._state.draining:
            raise ZeroDivisionError("planted")
        await real(self)

    with both(seed) as s:
        s.decision(LONG)
        s.expect_armed()
        monkeypatch.setattr(Executor, "flush", flush)
        s.expect_stopped()
        s.wait(0.1)
        assert s.book.roles == ""
        s.verdict("P-4")
