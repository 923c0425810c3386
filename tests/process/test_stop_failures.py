"""Stops that are removed, refused, lost, forgotten or deaf: restored where they were, or the position is closed.

A real engine and a real wire; what lies between them refuses, loses or forgets as long as a test says so. Whatever
is asserted of orders is asserted of the exchange's own record.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, moment, staged

from jumar.model.mode import Mode
from jumar.model.order import Channel, OrderReport, OrderRequest, Role
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.ports.exchange import Exchange
from jumar.reconciler.state import SymbolState
from jumar.reconciler.supervise import Engine
from jumar.store import requests

#: A short receive window, so that a lost request is dead soon.
QUICK = replace(POLICY, recv_window_ms=500, clock_uncertainty_ms=100)
DEADLINE_MS = POLICY.protect_deadline_s * 1000
STOPS = frozenset({Role.STOP, Role.BACKSTOP})
NO_ROOM = Rejected(code=-4045, message="Reach max stop order limit.")
LOST = Unknown(reason="the answer was lost")


class Venue:
    """A real venue behind faults that a test turns on and off.

    Attributes:
        answers: what the placement of a role gets instead of being sent.
        hidden: client ids that neither the conditional list nor a read by id tells.
        ghosts: what the conditional list and a read by id tell although it is gone.
    """

    def __init__(self, real: Exchange) -> None:
        self._real = real
        self.answers: dict[Role, Outcome] = {}
        self.hidden: set[str] = set()
        self.ghosts: dict[str, OrderReport] = {}
        self.placed: list[tuple[OrderRequest, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send it, unless the test has another answer."""
        self.placed.append((request, timestamp_ms))
        answer = self.answers.get(request.role)
        if answer is not None:
            return answer
        return await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)

    async def cancel(
        self, symbol: str, channel: Channel, client_id: str, *, timeout_ms: int
    ) -> Outcome:
        """Cancel it; what is only a ghost seems to be there."""
        if client_id in self.ghosts:
            return Accepted(report=None)
        return await self._real.cancel(symbol, channel, client_id, timeout_ms=timeout_ms)

    async def open_conditional_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """The list without what is hidden, with what is only a ghost."""
        listed = await self._real.open_conditional_orders(symbol)
        self._seen = {report.client_id: report for report in listed}
        told = tuple(report for report in listed if report.client_id not in self.hidden)
        return (*told, *(g for name, g in self.ghosts.items() if name not in self._seen))

    async def order(self, symbol: str, channel: Channel, client_id: str) -> OrderReport | None:
        """One order, unless it is hidden."""
        if client_id in self.hidden:
            return None
        if client_id in self.ghosts:
            return self.ghosts[client_id]
        return await self._real.order(symbol, channel, client_id)

    async def start(self, symbols: Any, sink: Callable[[Any], None]) -> None:
        """Open the streams; what they tell of a ghost is not heard."""

        def heard(event: Any) -> None:
            report = getattr(event, "report", None)
            if getattr(report, "client_id", None) not in self.ghosts:
                sink(event)

        await self._real.start(symbols, heard)


class Act:
    """One stage with one faulty venue, and what the tests ask of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.venue: Venue | None = None

    async def begin(self) -> Venue:
        """Start an engine behind the faulty venue."""

        def wrap(real: Exchange) -> Exchange:
            self.venue = Venue(real)
            return self.venue

        await self.stage.start_engine(wrap)
        assert self.venue is not None
        return self.venue

    @property
    def engine(self) -> Engine:
        """The running engine."""
        assert self.stage.engine is not None
        return self.stage.engine

    @property
    def state(self) -> SymbolState:
        """What the engine knows of the symbol."""
        return self.engine.loops["BTCUSDT"].state

    async def enter(self) -> dict[str, dict[str, Any]]:
        """Have the example entered and filled."""
        self.stage.decide()
        await self.stage.until_alive("S1", "E1")
        await self.stage.price("90786.5")
        return await self.stage.until_alive("S1", "B1", "P1", "Q1")

    async def remove(self, *orders: dict[str, Any]) -> None:
        """Cancel as a person would."""
        for order in orders:
            body = {"symbol": "BTCUSDT", "client_id": order["client_id"]}
            await self.stage.control("cancel", body)

    async def flat(self) -> bool:
        """Whether the exchange holds no position."""
        return await self.stage.position() == 0

    async def home(self) -> None:
        """Wait until the position is closed, everything is swept and the engine idles."""
        await self.stage.until(self.flat)
        await self.stage.until_alive()

        async def idle() -> bool:
            return self.stage.idle()

        await self.stage.until(idle)

    def alarms(self, rule: str) -> list[str]:
        """The messages of the incidents of one rule."""
        return [i.message for i in self.stage.watcher.incidents if i.rule == rule]

    async def first(self, name: str, status: str = "NEW") -> dict[str, Any]:
        """The first record of an order in some status."""
        return next(r for r in await self.stage.ledger() if _is(r, name) and r["status"] == status)

    async def refused_with(self, *codes: str) -> None:
        """Wait until the newest look refuses the decision in force with one of some codes."""

        async def seen() -> bool:
            ticks = self.stage.watcher.ticks
            return bool(ticks) and any(r.code in codes for r in ticks[-1].plan.refusals)

        await self.stage.until(seen)

    async def mode(self) -> Mode | None:
        """The mode that is kept."""
        return None if self.state.mode is None else self.state.mode.mode


def _is(record: dict[str, Any], name: str) -> bool:
    kind = record["kind"] in {"conditional", "order"} and record.get("parent_algo_id") is None
    return kind and str(record["client_id"]).endswith(f"-{name}")


async def assert_clean(stage: Stage) -> dict[str, Any]:
    """The judge found no promise broken; returns the verdict."""
    verdict = await stage.verdict()
    assert all(verdict["promises"].values()), verdict["violations"]
    return verdict


# removed


@pytest.mark.rule("S-7", "P-1", "P-2")
async def test_stops_removed_by_a_person_are_back_at_once(tmp_path: Path) -> None:
    """Stop and backstop cancelled by hand: both are back at the same price, one critical alarm, an excused gap only."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        await act.begin()
        resting = await act.enter()
        await act.remove(resting["S1"], resting["B1"])
        await stage.until_alive("S2", "B2", "P1", "Q1")
        gone, new = await act.first("S1", "CANCELED"), await act.first("S2")
        assert Decimal(new["trigger"]) == Decimal(resting["S1"]["trigger"])
        assert new["t"] - gone["t"] <= 500
        verdict = await assert_clean(stage)
        assert verdict["unprotected_ms_max"] == 0
        assert verdict["unprotected_excused_ms"] > 0
        told = [i for i in stage.watcher.incidents if i.rule == "S-7"]
        assert [i.severity for i in told] == ["critical"]


@pytest.mark.rule("S-7", "P-2")
async def test_a_stop_at_breakeven_is_restored_there_first(tmp_path: Path) -> None:
    """After TP1: the first stop that is back stands at breakeven, the looser backstop comes after it."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        await act.begin()
        await act.enter()
        await stage.price("91600")

        async def stop() -> dict[str, Any] | None:
            alive = await stage.alive()
            stops = [order for name, order in alive.items() if name.startswith("S")]
            return stops[0] if len(stops) == 1 else None

        async def at_breakeven() -> bool:
            resting = await stop()
            return resting is not None and Decimal(resting["trigger"]) > Decimal("90786.6")

        await stage.until(at_breakeven)
        moved = await stop()
        assert moved is not None
        await act.remove(moved, (await stage.alive())["B1"])

        async def both() -> bool:
            return sorted(name[0] for name in await stage.alive()) == ["B", "Q", "S"]

        await stage.until(both)
        back = await stop()
        assert back is not None
        assert back["trigger"] == moved["trigger"]
        assert back["t"] <= (await act.first("B2"))["t"]
        assert len(act.alarms("S-7")) == 1
        await assert_clean(stage)


# refused


@pytest.mark.rule("S-7")
async def test_targets_give_way_to_a_stop_that_has_no_room(tmp_path: Path) -> None:
    """The venue takes no further conditional order: the targets go, the stop is back, then the targets are."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        venue.answers = dict.fromkeys(STOPS, NO_ROOM)
        await act.remove(resting["S1"], resting["B1"])
        await stage.until_alive()
        venue.answers = {}

        async def restored() -> bool:
            return sorted(name[0] for name in await stage.alive()) == ["B", "P", "Q", "S"]

        await stage.until(restored)
        assert len(act.alarms("S-7")) == 1
        assert act.state.trade is not None
        assert act.state.trade.closing is None
        await assert_clean(stage)


@pytest.mark.rule("S-7", "M-1", "M-2", "P-6", "G-12")
async def test_a_position_whose_stops_are_refused_is_closed_and_the_mode_outlives_a_restart(
    tmp_path: Path,
) -> None:
    """Refused beyond the deadline: FLATTENING, closed at market, NO_ENTRIES until somebody resumes."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        venue.answers = dict.fromkeys(STOPS, NO_ROOM)
        await act.remove(resting["S1"], resting["B1"])
        await act.home()
        gone, closed = await act.first("B1", "CANCELED"), await act.first("X1")
        assert DEADLINE_MS <= closed["t"] - gone["t"] <= DEADLINE_MS + 1000
        modes = [words.split(":")[0] for words in act.alarms("M-1")]
        assert modes == ["mode FLATTENING", "mode NO_ENTRIES"]
        await stage.stop_engine()
        stage.watcher.ticks.clear()
        await stage.price("90820")
        stage.decide(timestamp_iso=moment(6))
        await act.begin()
        await act.refused_with("mode")
        assert await act.mode() is Mode.NO_ENTRIES
        assert await stage.alive() == {}


@pytest.mark.rule("M-1", "G-12")
async def test_a_request_in_the_store_resumes(tmp_path: Path) -> None:
    """NO_ENTRIES refuses a newer decision with the code `mode`; the request that a command left clears it."""
    async with staged(tmp_path, replace(POLICY, protect_deadline_s=1)) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        venue.answers = dict.fromkeys(STOPS, NO_ROOM)
        await act.remove(resting["S1"], resting["B1"])
        await act.home()
        venue.answers = {}
        await stage.price("90820")
        stage.decide(timestamp_iso=moment(4))
        await act.refused_with("mode")
        requests.ask(tmp_path / "jumar.db", request="resume", symbol=None, asked_by="test", at_ms=1)
        await stage.until_alive("S1", "E1")
        assert await act.mode() is Mode.NORMAL


# unknown


@pytest.mark.rule("S-7", "X-4")
async def test_a_position_whose_stops_are_never_heard_of_is_closed(tmp_path: Path) -> None:
    """Every placement of a stop is lost: another is tried, after the deadline the position is closed at market."""
    async with staged(tmp_path, replace(QUICK, protect_deadline_s=1)) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        venue.answers = dict.fromkeys(STOPS, LOST)
        await act.remove(resting["S1"], resting["B1"])
        await stage.until(act.flat)
        gone, closed = await act.first("B1", "CANCELED"), await act.first("X1")
        assert 1000 <= closed["t"] - gone["t"] <= 2000
        await act.home()
        assert await act.mode() is Mode.NO_ENTRIES


# forgotten


@pytest.mark.rule("S-13", "G-12")
async def test_a_stop_that_nobody_tells_any_more_is_replaced_once(tmp_path: Path) -> None:
    """Lists and reads forget it: alarm, one replacement, never closed; seen again it is tidied away."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        name = resting["S1"]["client_id"]
        venue.hidden.add(name)
        both = await stage.until_alive("S1", "S2", "B1", "P1", "Q1")
        assert both["S1"]["trigger"] == both["S2"]["trigger"]
        venue.hidden.clear()
        await stage.until_alive("S2", "B1", "P1", "Q1")
        assert len(act.alarms("S-13")) == 1
        assert not act.alarms("S-7")
        assert act.state.trade is not None
        assert act.state.trade.closing is None
        await assert_clean(stage)


# deaf


@pytest.mark.rule("S-8")
async def test_a_stop_that_does_not_trigger_is_stood_in_for_by_a_market_exit(
    tmp_path: Path,
) -> None:
    """The venue shows stops that do nothing: mark beyond them for `stop_fail_s` closes the position."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()

        async def listed() -> bool:
            return {"S1", "B1"} <= {n.split("-")[-1] for n in getattr(venue, "_seen", {})}

        await stage.until(listed)
        venue.ghosts = {
            name: report
            for name, report in venue._seen.items()
            if name in {resting["S1"]["client_id"], resting["B1"]["client_id"]}
        }
        await act.remove(resting["S1"], resting["B1"])
        await stage.price("90300")
        await stage.until(act.flat)
        closed = await act.first("X1")
        beyond = min(m.at_ms for m in act.state.marks if m.value == Decimal(90300))
        waited = closed["t"] - beyond
        assert POLICY.stop_fail_s * 1000 <= waited <= POLICY.stop_fail_s * 1000 + 1500
        assert act.state.mode is not None
        assert act.state.mode.rule == "S-8"


@pytest.mark.rule("S-8")
async def test_exits_of_unknown_outcome_are_repeated_every_quarter_of_a_second(
    tmp_path: Path,
) -> None:
    """Full exits that nobody answers do not wait for one another: a new id about every 250 ms."""
    async with staged(tmp_path, replace(QUICK, protect_deadline_s=1)) as stage:
        act = Act(stage)
        venue = await act.begin()
        resting = await act.enter()
        venue.answers = {Role.STOP: NO_ROOM, Role.BACKSTOP: NO_ROOM, Role.FULL_EXIT: LOST}
        await act.remove(resting["S1"], resting["B1"])

        def exits() -> list[int]:
            return [at for request, at in venue.placed if request.role is Role.FULL_EXIT]

        async def five() -> bool:
            return len(exits()) >= 5

        await stage.until(five)
        pauses = [b - a for a, b in zip(exits(), exits()[1:], strict=False)]
        assert all(230 <= pause <= 600 for pause in pauses), pauses
        assert sorted(pauses)[len(pauses) // 2] <= 350, pauses
        venue.answers = {}
        await stage.until(act.flat)
