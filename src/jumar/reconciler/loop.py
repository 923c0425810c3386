"""One symbol's loop: observe, plan, check, journal and send, report. Safe to repeat, safe to skip (O-1).

Ticks of one symbol never overlap. Events only wake it early; nothing hangs on having seen one. What goes wrong in
a tick is an incident and stays inside it: the next tick reads the world again.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from jumar.model.command import Plan, Refusal
from jumar.model.errors import InvariantBroken, Superseded, VenueError
from jumar.model.journal import EventSeen, Incident, RefusalSeen, Snapshot, TradeEnded
from jumar.model.mode import Mode
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World, newest
from jumar.planner.guards import TRUTH_CODES
from jumar.planner.safely import plan_or_protect
from jumar.planner.summary import summarize
from jumar.ports import observer as observing
from jumar.ports.clock import Clock
from jumar.ports.decisions import Answer
from jumar.ports.observer import Executed, TickReport
from jumar.reconciler.answer import answer_of
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.execute import Executor
from jumar.reconciler.modes import ModeKeeper
from jumar.reconciler.observe import Observer
from jumar.reconciler.snapshot import grounds, material, snapshot
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.loop")

#: How old the picture of a symbol may be in the store when nothing that matters changes.
PICTURE_EVERY_MS = 5000
#: Two looks are at least this far apart, however many events come in.
TICK_GAP_S = 0.02
#: How long a stopping engine tries to prove that no entry of its is left.
DRAIN_S = 4.0


class SymbolLoop:
    """Runs one symbol."""

    def __init__(
        self,
        *,
        state: SymbolState,
        desk: DecisionDesk,
        policy: Policy,
        observer: Observer,
        executor: Executor,
        clock: Clock,
        observers: Sequence[observing.Observer],
        on_answer: Callable[[Answer], None],
    ) -> None:
        self.state = state
        self.desk = desk
        self._policy = policy
        self._observer = observer
        self._executor = executor
        self._clock = clock
        self._observers = observers
        self.modes = ModeKeeper(state, self.report_incident)
        self._wake = asyncio.Event()
        self._entry_wanted = False
        self._refused: frozenset[tuple[str, str]] = frozenset()
        self._alarms: set[tuple[str, str]] = set()
        self._was_ready = False
        self._answered: object = None
        self._on_answer = on_answer
        self._grounds: object = None
        self._pictured: object = None
        self._pictured_ms = 0
        self._ticks = 0

    def wake(self) -> None:
        """Have the loop look at once."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until stopped; then cancel entries and tick until none is alive, for at most `DRAIN_S` (M-5)."""
        try:
            while not stop.is_set():
                await self._pause(await self._contained_tick())
            await self._drain()
            await self._tell_last()
        finally:
            await self._observer.close()

    @property
    def settled(self) -> bool:
        """Whether no entry is alive or unknown, and no set-up without a fill is left (M-5)."""
        state = self.state
        if any(order.role is Role.ENTRY and not order.ended for order in state.orders.values()):
            return False
        trade = state.trade
        return trade is None or bool(state.executions.fills) or trade.adopted_quantity > 0

    @property
    def flattened(self) -> bool:
        """Whether nothing is held, nothing of ours rests or may, and nothing is being flattened (M-6)."""
        state = self.state
        kept, read, event = state.mode, state.position, state.position_event
        flattening = kept is not None and kept.mode is Mode.FLATTENING
        held = newest(read, event)
        flat = read is not None and held is not None and held.value.quantity == ZERO
        ended = state.trade is None and all(order.ended for order in state.orders.values())
        listed = state.open_orders is not None and state.conditional_orders is not None
        return state.ready and flat and ended and listed and not flattening

    async def confirm(self) -> None:
        """Have position and order lists read now, for somebody who must know."""
        await self._observer.look_again()

    async def _tell_last(self) -> None:
        """Write what the last tick had to tell; what that raises ends no other symbol's loop (O-3)."""
        try:
            await self._executor.flush()
        except Exception:  # noqa: BLE001 - the others may still be cancelling their entries
            _log.exception("the last records were not written", symbol=self.state.symbol)

    async def _drain(self) -> None:
        self.state.draining = True
        deadline = self._clock.monotonic() + DRAIN_S
        while self._clock.monotonic() < deadline:
            pause = await self._contained_tick()
            if self.settled and not self.state.dead_man.may_run:
                return
            await self._pause(min(pause, 0.25))

    async def _pause(self, seconds: float) -> None:
        """Wait for the interval or an event, whichever comes first."""
        await self._clock.sleep(TICK_GAP_S)
        try:
            async with asyncio.timeout(max(seconds - TICK_GAP_S, 0)):
                await self._wake.wait()
        except TimeoutError:
            return  # the interval is over: that is the ordinary case

    async def _contained_tick(self) -> float:
        """Tick; return how long to wait. What a tick raises is an incident, never the end of the loop.

        Raises:
            Superseded: another engine has taken over: the one end that nothing may hold up (X-7).
        """
        try:
            return await self.tick()
        except Superseded:
            raise
        except InvariantBroken as error:
            self._incident("critical", error.promise, f"nothing was sent: {error}")
        except VenueError as error:
            self._incident("warning", "W-1", str(error))
        except Exception as error:  # noqa: BLE001 - nothing may stop the loop of an open position (O-4)
            self.modes.failed(error, self._clock.now_ms())
        return float(self._policy.loop_interval_s)

    async def tick(self) -> float:
        """One pass; returns how many seconds may go by before the next."""
        self._wake.clear()
        self._ticks += 1
        started = self._clock.monotonic()
        news = self.state.decision is not self.desk.state  # what it may want is read for at once
        self.state.decision = self.desk.state
        world = await self._observer.observe(entry_wanted=self._entry_wanted or news)
        if self.state.entries_through_ms is not None:
            # what the exchange's history spends must not be entered by the tick that has just read it (Y-12)
            self.desk.spend_through(self.state.entries_through_ms)
            self.state.decision = self.desk.state
            world = replace(world, decision=self.desk.state)
        plan = self._planned(world)
        self._tell_the_others(world, plan)
        self.state.saw_cover(uncovered=plan.uncovered, now_ms=world.now_ms)
        woken = plan.entry_wanted and not self._entry_wanted
        self._entry_wanted = plan.entry_wanted
        self._note(world, plan, just_wanted=woken)
        executed: tuple[Executed, ...] = ()
        if plan.trade is not None and plan.trade.ended_ms is not None:
            await self._end_trade(world, plan.trade)
            woken = True
        else:
            executed = await self._executor.run(plan)
        self._alarm(plan)
        self._tell(lambda seen: self._answer(seen, plan), world)
        self._tell(self._picture, plan)
        await self._executor.flush()
        self._report(world, plan, executed, started)
        if executed or woken:
            self.wake()
        return self._next(plan)

    def _planned(self, world: World) -> Plan:
        """The plan of this tick; while the planner fails only cover is seen to (O-4, M-4)."""
        plan, failure = plan_or_protect(world, self._policy)
        if failure is None:
            self.modes.follow(plan, world.now_ms)
        else:
            self.modes.failed(failure, world.now_ms)
        return plan

    def _tell_the_others(self, world: World, plan: Plan) -> None:
        """What this symbol holds from now on counts for every other look, before anything is waited for (G-17)."""
        standings = self.state.common.standings
        if standings is not None:
            trade = plan.trade or world.trade
            self._tell(lambda seen: standings.looked(seen, trade, self._policy), world)

    def _next(self, plan: Plan) -> float:
        interval = float(self._policy.loop_interval_s)
        return interval if plan.wake_in_ms is None else min(interval, plan.wake_in_ms / 1000)

    async def _end_trade(self, world: World, trade: Trade) -> None:
        """Record the end and what it spends together: a crash between them would free the decision (P-4)."""
        summary = summarize(world, trade)
        self.state.record_hands(world.fills)
        self.state.outbox.add(TradeEnded(trade=trade, summary=summary))
        await self._executor.flush()
        filled_ms = None if summary is None else summary.last_fill_ms
        self.state.end_trade(trade.key, filled_ms=filled_ms, ended_ms=world.now_ms)
        self.desk.trade_ended(trade, summary)
        if self.state.common.standings is not None:
            self.state.common.standings.ended(trade, summary, world.now_ms)
        self._entry_wanted = True  # the decision in force may want to enter: read for it at once

    def answer(self, answer: Answer | None) -> None:
        """Tell the source what became of what it brought (D-8)."""
        if answer is not None:
            self._tell(self._on_answer, answer)

    def answer_again(self) -> None:
        """Have the next tick answer to the decision in force, even though nothing changed for it."""
        self._answered = None

    # what a person must hear, and may ask later

    def _alarm(self, plan: Plan) -> None:
        """Say each alarm once while it lasts."""
        now = {(alarm.rule, alarm.subject) for alarm in plan.alarms}
        for alarm in plan.alarms:
            if (alarm.rule, alarm.subject) not in self._alarms:
                self._incident(alarm.severity, alarm.rule, alarm.text)
        self._alarms = now

    def _answer(self, world: World, plan: Plan) -> None:
        """D-8: tell the source what became of the decision in force, once per change."""
        answer = answer_of(world, plan)
        if answer is None:
            return
        told = (answer.decision_id, answer.outcome, tuple(each.code for each in answer.reasons))
        if told != self._answered:
            self._answered = told
            self.answer(answer)

    def _picture(self, plan: Plan) -> None:
        """Keep what `jumar status` shows: at once when something that matters changed, else every few seconds.

        As it is after sending, so that it stands in one transaction with what the venue answered.
        """
        world = self.state.world(self._clock.now_ms())
        old = world.now_ms - self._pictured_ms >= PICTURE_EVERY_MS
        stands_on = grounds(world, plan)
        if stands_on == self._grounds and not old:
            return
        self._grounds = stands_on
        content = snapshot(world, plan, self.modes.passing)
        matters = material(content)
        if matters == self._pictured and not old:
            return
        self._pictured, self._pictured_ms = matters, world.now_ms
        encoded = json.dumps(content)
        self.state.outbox.add(Snapshot(symbol=world.symbol, content=encoded, at_ms=world.now_ms))

    def _note(self, world: World, plan: Plan, *, just_wanted: bool) -> None:
        key = None if plan.trade is None else plan.trade.key
        if world.ready and not self._was_ready:
            self._was_ready = True
            self.state.note("Y-9", "ready: the first reconciliation is complete", world.now_ms)
        for note in plan.notes:
            self.state.outbox.add(
                EventSeen(
                    symbol=world.symbol,
                    trade_key=key,
                    rule=note.rule,
                    message=note.text,
                    at_ms=world.now_ms,
                )
            )
        reads_are_coming = just_wanted and all(r.code in TRUTH_CODES for r in plan.refusals)
        self._note_refusals(world, () if reads_are_coming else plan.refusals)

    def _note_refusals(self, world: World, refusals: tuple[Refusal, ...]) -> None:
        """Recorded once per change: a code that begins to refuse, for one decision."""
        state = world.decision
        decision_id = "" if state is None else state.decision.id
        now = frozenset((decision_id, refusal.code) for refusal in refusals)
        recorded = set(self._refused)
        for refusal in refusals:
            if (decision_id, refusal.code) in recorded:
                continue
            recorded.add((decision_id, refusal.code))
            self.state.outbox.add(
                RefusalSeen(
                    symbol=world.symbol,
                    decision_id=decision_id,
                    code=refusal.code,
                    rule=refusal.rule,
                    message=refusal.message,
                    at_ms=world.now_ms,
                )
            )
        self._refused = now

    def _report(
        self, world: World, plan: Plan, executed: tuple[Executed, ...], started: float
    ) -> None:
        seconds = self._clock.monotonic() - started
        report = TickReport(
            tick=self._ticks,
            world=world,
            plan=plan,
            executed=executed,
            duration_ms=int(seconds * 1000),
            overrun=seconds > float(self._policy.loop_interval_s),
        )
        for observer in self._observers:
            self._tell(observer.tick, report)

    def _incident(self, severity: str, rule: str, message: str) -> None:
        incident = Incident(
            symbol=self.state.symbol,
            severity=severity,
            rule=rule,
            message=message,
            at_ms=self._clock.now_ms(),
        )
        self.report_incident(incident)

    def report_incident(self, incident: Incident) -> None:
        """Record an incident and tell the observers."""
        self.state.outbox.add(incident)
        for observer in self._observers:
            self._tell(observer.incident, incident)

    def _tell[T](self, hear: Callable[[T], None], news: T) -> None:
        try:
            hear(news)
        except Exception:  # noqa: BLE001 - whoever listens is no reason to let go of a position
            _log.exception("observer failed", symbol=self.state.symbol)
