"""What a running engine finds and did not make, through reads that lie and a store that fails.

In one event loop with a real wire and a real database; faults lie between the engine and what it talks to. The
lives of whole processes are told in `test_lost_database.py`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, moment, staged

from jumar.model.account import PositionReport
from jumar.model.errors import StoreUnavailable, VenueUnavailable
from jumar.model.journal import (
    Incident,
    Intent,
    OperatorRequest,
    Record,
    RequestDone,
    TradeChanged,
)
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OrderReport, Side
from jumar.model.policy import OrphanPolicy
from jumar.model.trade import TradeSummary
from jumar.ports.exchange import Exchange
from jumar.ports.store import Store
from jumar.reconciler.loop import SymbolLoop
from jumar.store import asked, queries, requests

DEADLINE_MS = POLICY.protect_deadline_s * 1000


class Venue:
    """A real venue whose reads lie or fail as long as a test says so.

    Attributes:
        held: what the position list says instead of the truth.
        history_fails: whether the order history cannot be read.
    """

    def __init__(self, real: Exchange) -> None:
        self._real = real
        self.held: str | None = None
        self.history_fails = False
        self.lies = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def positions(self) -> Mapping[str, PositionReport]:
        """The positions, or what the test says."""
        told = await self._real.positions()
        if self.held is None:
            return told
        self.lies += 1
        stale = replace(told["BTCUSDT"], quantity=Decimal(self.held), entry_price=Decimal(90786))
        return {**told, "BTCUSDT": stale}

    async def orders_since(self, symbol: str, since_ms: int) -> tuple[OrderReport, ...]:
        """The order history, unless it fails."""
        if self.history_fails:
            raise VenueUnavailable("503: no answer")
        return await self._real.orders_since(symbol, since_ms)


class Disk:
    """A real store that refuses some records while a test says so."""

    def __init__(self, real: Store) -> None:
        self._real = real
        self.refused: tuple[type[Record], ...] = ()
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.requests_fail = False
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Write once the gate is open, unless one of them is refused."""
        self.waiting += not self.gate.is_set()
        await self.gate.wait()
        if any(isinstance(record, self.refused) for record in records):
            raise StoreUnavailable("jumar.db: no space left on the device")
        await self._real.write(records)

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for."""
        self.asked += 1
        if self.requests_fail:
            raise ValueError("a row nobody foresaw")
        return await self._real.requests()


class Act:
    """One stage with one faulty venue and one faulty store."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.venues: list[Venue] = []
        self.disks: list[Disk] = []

    async def begin(self) -> "Act":
        """Start an engine behind both."""

        def wrap(real: Exchange) -> Exchange:
            self.venues.append(Venue(real))
            return self.venues[-1]

        def wrap_store(real: Store) -> Store:
            self.disks.append(Disk(real))
            return self.disks[-1]

        await self.stage.start_engine(wrap, wrap_store=wrap_store)
        return self

    @property
    def venue(self) -> Venue:
        """What the engine takes for the venue."""
        return self.venues[-1]

    @property
    def disk(self) -> Disk:
        """What the engine takes for the store."""
        return self.disks[-1]

    @property
    def loop(self) -> SymbolLoop:
        """The symbol's loop."""
        assert self.stage.engine is not None
        return self.stage.engine.loops["BTCUSDT"]

    async def enter(self) -> dict[str, dict[str, Any]]:
        """Have the example entered and filled."""
        self.stage.decide()
        await self.stage.until_alive("S1", "E1")
        await self.stage.price("90786.5")
        return await self.stage.until_alive("S1", "B1", "P1", "Q1")

    async def by_hand(self, side: str, quantity: str) -> int:
        """Trade at market past the engine; return when it was done, exchange time."""
        order = {"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": quantity}
        order["newClientOrderId"] = f"web_{len(await self.stage.ledger())}"
        await self.stage.signed("POST", "/fapi/v1/order", order)
        moves = [r for r in await self.stage.ledger() if r["kind"] == "position"]
        return int(moves[-1]["t"])

    async def stop_by_hand(self, trigger: str, quantity: str) -> str:
        """Place a reduce-only stop of a long past the engine."""
        name = f"web_stop_{len(await self.stage.ledger())}"
        await self.stage.signed(
            "POST",
            "/fapi/v1/algoOrder",
            {
                "algoType": "CONDITIONAL",
                "symbol": "BTCUSDT",
                "side": "SELL",
                "type": "STOP_MARKET",
                "quantity": quantity,
                "triggerPrice": trigger,
                "workingType": "MARK_PRICE",
                "reduceOnly": "true",
                "clientAlgoId": name,
            },
        )
        return name

    async def stops(self) -> list[dict[str, Any]]:
        """Our working stops that rest."""
        alive = await self.stage.alive()
        return [order for name, order in alive.items() if name.startswith("S")]

    async def until_stop_for(self, quantity: str) -> dict[str, Any]:
        """Wait for one working stop of a size, alone; return it as it was first told."""

        async def alone() -> bool:
            stops = await self.stops()
            return [Decimal(stop["quantity"]) for stop in stops] == [Decimal(quantity)]

        await self.stage.until(alone, seconds=6)
        (stop,) = await self.stops()
        return stop

    async def home(self) -> None:
        """Wait until nothing is held, nothing rests and the engine idles."""

        async def quiet() -> bool:
            flat = await self.stage.position() == 0
            return flat and self.stage.idle() and not await self.stage.alive()

        await self.stage.until(quiet, seconds=8)

    def summaries(self) -> list[TradeSummary | None]:
        """How the trades of the database ended."""
        return [row.summary for row in queries.trades(self.stage.folder / "jumar.db")]

    async def ticks(self, count: int) -> None:
        """Wait until the engine has looked so many times more."""
        after = len(self.stage.watcher.ticks) + count

        async def looked() -> bool:
            return len(self.stage.watcher.ticks) >= after

        await self.stage.until(looked)

    def alarms(self, rule: str) -> list[str]:
        """The messages of the incidents of one rule."""
        return [i.message for i in self.stage.watcher.incidents if i.rule == rule]


# found while running


@pytest.mark.rule("Y-1", "P-6", "O-1")
async def test_a_position_by_hand_wakes_the_engine_and_is_protected_within_a_second(
    tmp_path: Path,
) -> None:
    """Idle, reading every 30 s: the event alone brings a stop; alarm once; sold by hand it is called manual."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        opened_ms = await act.by_hand("BUY", "0.010")
        stop = await act.until_stop_for("0.010")
        assert stop["t"] - opened_ms <= 1000
        assert Decimal(stop["trigger"]) == Decimal("89911.8")  # 1 % below mark
        await act.ticks(3)
        assert len(act.alarms("Y-1")) == 1
        await act.by_hand("SELL", "0.010")
        await act.home()
        (summary,) = act.summaries()
        assert summary is not None
        assert (summary.exit_reason, summary.quantity) == ("manual", Decimal("0.010"))


@pytest.mark.rule("Y-1", "X-6")
async def test_a_position_by_hand_is_counted_once_when_a_part_is_sold(tmp_path: Path) -> None:
    """Executions are read again when the hand sells a part: the one that made the position is already in it."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        await act.by_hand("BUY", "0.010")
        await act.until_stop_for("0.010")
        await act.by_hand("SELL", "0.004")

        async def counted() -> bool:
            world = stage.watcher.ticks[-1].world
            read = world.position
            return bool(world.fills) and read is not None and read.at_ms > world.fills[-1].time_ms

        await stage.until(counted)
        await act.ticks(3)
        fills = stage.watcher.ticks[-1].world.fills
        assert [fill.signed_quantity for fill in fills] == [Decimal("-0.004")]
        assert not act.alarms("Y-3")
        await act.by_hand("SELL", "0.006")
        await act.home()
        (summary,) = act.summaries()
        assert summary is not None
        assert summary.quantity == Decimal("0.010")


@pytest.mark.rule("Y-1")
async def test_an_orphan_is_closed_where_that_is_the_policy(tmp_path: Path) -> None:
    """`orphan_policy` = close: sold at market at once, nothing is left; NO_ENTRIES for a hand's work, no FLATTENING."""
    policy = replace(POLICY, orphan_policy=OrphanPolicy.CLOSE)
    async with staged(tmp_path, policy) as stage:
        act = await Act(stage).begin()
        opened_ms = await act.by_hand("BUY", "0.010")
        await act.home()
        moves = [r for r in await stage.ledger() if r["kind"] == "position"]
        assert moves[-1]["t"] - opened_ms <= 1000
        (summary,) = act.summaries()
        assert summary is not None
        assert summary.exit_reason == "orphan"
        kept = act.loop.state.mode
        assert kept is not None
        assert (kept.mode, kept.rule) == (Mode.NO_ENTRIES, "Y-1")


@pytest.mark.rule("Y-3", "Y-1")
async def test_a_position_turned_round_by_hand_is_protected_on_its_other_side(
    tmp_path: Path,
) -> None:
    """One sale through zero: the long's trade is over, called manual; the short has its own stop within the deadline."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        await act.by_hand("BUY", "0.010")
        await act.until_stop_for("0.010")
        turned_ms = await act.by_hand("SELL", "0.025")
        stop = await act.until_stop_for("0.015")
        assert stop["side"] == "BUY"
        assert stop["t"] - turned_ms <= DEADLINE_MS
        long, short = act.summaries()
        assert long is not None
        assert (long.exit_reason, long.quantity) == ("manual", Decimal("0.010"))
        assert short is None


@pytest.mark.rule("Y-1", "Y-7", "S-3")
async def test_a_foreign_stop_beside_a_position_by_hand_is_left_alone(tmp_path: Path) -> None:
    """A person's full-size stop is tighter than 1 %: ours stands at its price, theirs stays where it is."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        await act.by_hand("BUY", "0.010")
        theirs = await act.stop_by_hand("90500", "0.010")
        await act.begin()
        stop = await act.until_stop_for("0.010")
        assert Decimal(stop["trigger"]) == Decimal(90500)
        await act.ticks(3)
        resting = [r for r in await stage.ledger() if r.get("client_id") == theirs]
        assert [r["status"] for r in resting] == ["NEW"]


# reads that lie


@pytest.mark.rule("Y-11", "P-1")
async def test_a_position_list_that_is_empty_after_a_fill_takes_no_stop_away(
    tmp_path: Path,
) -> None:
    """For seconds the list says zero although fills and the event do not: nothing is cancelled, nothing ends."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        stage.decide()
        await stage.until_alive("S1", "E1")
        act.venue.held = "0"
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        filled_ms = act.loop.state.world(0).fills[-1].time_ms

        async def seconds_later() -> bool:
            return stage.watcher.ticks[-1].world.now_ms >= filled_ms + 3500

        await stage.until(seconds_later)
        assert act.venue.lies > 0
        act.venue.held = None
        await act.ticks(3)
        assert set(await stage.alive()) == {"S1", "B1", "P1", "Q1"}
        trade = act.loop.state.trade
        assert trade is not None
        assert trade.proven_flat_ms is None
        assert all((await stage.verdict())["promises"].values())


@pytest.mark.rule("Y-1", "Y-11")
async def test_a_stale_position_list_after_a_trades_end_is_no_new_position(tmp_path: Path) -> None:
    """Within `flat_margin_s` of the last fill the list still shows the old position: no trade is made of it."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        await act.enter()
        act.venue.held = "0.013"
        await stage.price("90370")
        await act.home()
        ended_ms = act.loop.state.last_end_ms
        assert ended_ms is not None
        await stage.price("90820")
        stage.decide(timestamp_iso=moment(4))  # what wants to enter has everything read

        async def nearly() -> bool:
            return stage.watcher.ticks[-1].world.now_ms >= ended_ms + 1500

        await stage.until(nearly)
        lies, act.venue.held = act.venue.lies, None
        await stage.until_alive("S1", "E1")
        assert lies > 0
        assert not act.alarms("Y-1")
        ended, opened = act.summaries()
        assert (ended is None, opened is None) == (False, True)


@pytest.mark.rule("Y-12", "P-7", "P-1", "Y-9")
async def test_a_history_that_cannot_be_read_keeps_entries_away_but_no_stop(tmp_path: Path) -> None:
    """With an empty journal and no history: the position by hand is protected, the decision waits; then all is read."""
    async with staged(tmp_path) as stage:
        act = Act(stage)
        await act.by_hand("BUY", "0.010")

        def wrap(real: Exchange) -> Exchange:
            act.venues.append(Venue(real))
            act.venue.history_fails = True
            return act.venue

        is_ready = stage._is_ready
        stage._is_ready = act_running(stage)  # type: ignore[method-assign]  # it will not be ready for a while
        await stage.start_engine(wrap)
        stage._is_ready = is_ready  # type: ignore[method-assign]  # back to what it is
        stage.decide()
        await act.until_stop_for("0.010")
        await act.ticks(3)
        assert not act.loop.state.ready
        assert not [name for name in await stage.alive() if name.startswith("E")]
        act.venue.history_fails = False
        await stage.until(is_ready, seconds=5)


def act_running(stage: Stage) -> Any:
    """Whether the engine has looked at all."""

    async def running() -> bool:
        return bool(stage.watcher.ticks)

    return running


# a store that fails


@pytest.mark.rule("Y-1", "M-4", "X-2")
async def test_an_adopted_position_is_protected_while_the_store_fails(tmp_path: Path) -> None:
    """Neither trade nor intent can be written: the stop goes all the same, and all is journaled once that works."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        act.disk.refused = (TradeChanged, Intent)
        opened_ms = await act.by_hand("BUY", "0.010")
        stop = await act.until_stop_for("0.010")
        assert stop["t"] - opened_ms <= 1000
        assert queries.journaled_ids(tmp_path / "jumar.db") == ()
        act.disk.refused = ()

        async def journaled() -> bool:
            return stop["client_id"] in queries.journaled_ids(tmp_path / "jumar.db")

        await stage.until(journaled)
        key = act.loop.state.trade
        await stage.stop_engine()
        await act.begin()
        await act.ticks(2)
        assert act.loop.state.trade is not None
        assert key is not None
        assert act.loop.state.trade.key == key.key
        assert [order["client_id"] for order in await act.stops()] == [stop["client_id"]]


async def journaled(stage: Stage, name: str) -> bool:
    """Whether the database knows an order of ours."""
    ids = queries.journaled_ids(stage.folder / "jumar.db")
    return any(client_id.endswith(f"-{name}") for client_id in ids)


@pytest.mark.rule("M-4", "P-1", "X-2")
async def test_a_store_that_hangs_holds_up_no_stop(tmp_path: Path) -> None:
    """Writes neither end nor fail: a lost stop is back within a second, looks go on, and all is journaled later."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        resting = await act.enter()
        act.disk.gate.clear()
        for name in ("S1", "B1"):
            body = {"symbol": "BTCUSDT", "client_id": resting[name]["client_id"]}
            await stage.control("cancel", body)
        stop = await act.until_stop_for("0.013")
        gone = [r for r in await stage.ledger() if r.get("status") == "CANCELED"]
        assert stop["t"] - gone[0]["t"] <= 1000
        await act.ticks(4)
        assert not await journaled(stage, "S2")
        act.disk.gate.set()
        await stage.until(lambda: journaled(stage, "S2"))
        await act.ticks(2)
        assert {i.rule for i in stage.watcher.incidents} == {"X-2", "S-7"}
        await stage.stop_engine()
        await act.begin()
        await act.ticks(2)
        assert [order["client_id"] for order in await act.stops()] == [stop["client_id"]]


@pytest.mark.rule("M-4", "C-3", "D-5")
async def test_decisions_are_read_while_the_store_hangs(tmp_path: Path) -> None:
    """Rubbish whose record cannot be written, then `flat`: the entry goes at once; both are recorded later."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        stage.decide()
        await stage.until_alive("S1", "E1")
        act.disk.gate.clear()
        (tmp_path / "decision.json").write_text("{")

        async def refused() -> bool:
            return bool(act.alarms("D-5"))

        await stage.until(refused)
        stage.decide(timestamp_iso=moment(4), action="flat", entry_zone=[], sl=None, tp1=None)
        await stage.until_alive()
        act.disk.gate.set()

        async def recorded() -> bool:
            return queries.refusal_counts(tmp_path / "jumar.db").get("malformed") == 1

        await stage.until(recorded)
        await stage.until(lambda: has_ended(act))


async def has_ended(act: Act) -> bool:
    """Whether no trade is open in memory, nor in the database."""
    rows = queries.trades(act.stage.folder / "jumar.db")
    return act.stage.idle() and all(row.trade.ended_ms is not None for row in rows)


@pytest.mark.rule("X-2", "P-4")
async def test_nothing_that_adds_exposure_leaves_while_the_store_hangs(tmp_path: Path) -> None:
    """The stop's intent waits for the disk and the entry for the stop; then both go once, under one id each."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        act.disk.gate.clear()
        stage.decide()

        async def waiting() -> bool:
            return act.disk.waiting > 0

        await stage.until(waiting)
        await stage.price("90815")
        assert await stage.alive() == {}
        act.disk.gate.set()
        await stage.until_alive("S1", "E1")


@pytest.mark.rule("O-4", "M-1")
async def test_requests_that_cannot_be_read_do_not_end_the_engine(tmp_path: Path) -> None:
    """Something unforeseen in the table: the position is managed on, and the table is read again."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        resting = await act.enter()
        act.disk.requests_fail = True
        seen = act.disk.asked

        async def asked_again() -> bool:
            return act.disk.asked >= seen + 2

        await stage.until(asked_again)
        await stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": resting["S1"]["client_id"]}
        )
        await stage.until_alive("S2", "B1", "P1", "Q1")


@pytest.mark.rule("M-1")
async def test_a_request_is_obeyed_once_even_when_its_outcome_cannot_be_written(
    tmp_path: Path,
) -> None:
    """What was resumed before the next emergency does not clear that one's mode."""
    first = ModeState(mode=Mode.NO_ENTRIES, rule="S-7", cause="the first", since_ms=1)
    second = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="the second", since_ms=2)
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        database = tmp_path / "jumar.db"
        act.disk.refused = (RequestDone,)
        act.loop.state.set_mode(first)
        requests.ask(database, request="resume", symbol=None, asked_by="test", at_ms=1)

        async def resumed() -> bool:
            mode = act.loop.state.mode
            return mode is not None and mode.mode is Mode.NORMAL

        await stage.until(resumed)
        act.loop.state.set_mode(second)
        seen = act.disk.asked

        async def asked_twice() -> bool:
            return act.disk.asked >= seen + 2

        await stage.until(asked_twice)
        assert act.loop.state.mode == second
        act.disk.refused = ()

        async def done() -> bool:
            return await act.disk.requests() == ()

        await stage.until(done)
        assert act.loop.state.mode == second


@pytest.mark.rule("M-5")
async def test_what_the_last_look_had_to_tell_is_written_before_the_end(tmp_path: Path) -> None:
    """An incident of the last moment stands in the database after an orderly stop."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()

        class Late:
            """Has something to say when the engine is already stopping."""

            def tick(self, report: Any) -> None:
                """Report once the engine drains."""
                if report.world.draining:
                    act.loop.state.add_record(
                        Incident(
                            symbol="BTCUSDT",
                            severity="info",
                            rule="M-5",
                            message="the last word",
                            at_ms=report.world.now_ms,
                        )
                    )

            def incident(self, incident: Incident) -> None:
                """Nothing."""

        act.loop._observers = (Late(),)
        await stage.stop_engine()
        seen = [i.message for i in asked.incidents_since(tmp_path / "jumar.db", 0)]
        assert seen == ["the last word"]


@pytest.mark.rule("P-4", "D-7", "Y-1")
async def test_after_a_position_by_hand_a_newer_decision_enters(tmp_path: Path) -> None:
    """The adopted trade's end spends what is not newer; once a person has resumed, a newer decision enters."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        await act.by_hand("BUY", "0.010")
        await act.until_stop_for("0.010")
        await act.by_hand("SELL", "0.010")
        await act.home()
        act.loop.resume("test", act.loop.state.last_end_ms or 0)
        stage.decide(timestamp_iso=moment(5))
        await stage.until_alive("S1", "E1")


@pytest.mark.rule("Y-3", "H-5", "Q-2")
async def test_what_a_hand_executed_stands_in_the_trades_record(tmp_path: Path) -> None:
    """Who asks later finds the execution that ended it, though no order of ours made it."""
    async with staged(tmp_path) as stage:
        act = await Act(stage).begin()
        await act.by_hand("BUY", "0.010")
        await act.until_stop_for("0.010")
        await act.by_hand("SELL", "0.010")
        await act.home()
        (row,) = queries.trades(tmp_path / "jumar.db")
        story = asked.trade_story(tmp_path / "jumar.db", row.trade.key)
        (sold,) = story.fills
        assert (sold.fill.quantity, sold.fill.side) == (Decimal("0.010"), Side.SELL)
        assert row.entry_fills == 0
