"""One symbol's loop: observe, plan, check, journal and send, report. Safe to repeat, safe to skip (O-1).

Ticks of one symbol never overlap. Events only wake it early; nothing hangs on having seen one. What goes wrong in
a tick is an incident and stays inside it: the next tick reads the world again.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from jumar.model.command import Plan, Refusal
from jumar.model.errors import InvariantBroken, VenueError
from jumar.model.journal import EventSeen, Incident, RefusalSeen, TradeEnded
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.world import World
from jumar.planner import invariants
from jumar.planner.guards import TRUTH_CODES
from jumar.planner.plan import plan as make_plan
from jumar.planner.summary import summarize
from jumar.ports import observer as observing
from jumar.ports.clock import Clock
from jumar.ports.observer import Executed, TickReport
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.execute import Executor
from jumar.reconciler.observe import Observer
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.loop")

#: Two looks are at least this far apart, however many events come in.
TICK_GAP_S = 0.02


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
    ) -> None:
        self.state = state
        self.desk = desk
        self._policy = policy
        self._observer = observer
        self._executor = executor
        self._clock = clock
        self._observers = observers
        self._wake = asyncio.Event()
        self._entry_wanted = False
        self._refused: frozenset[tuple[str, str]] = frozenset()
        self._ticks = 0

    def wake(self) -> None:
        """Have the loop look at once."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until stopped; then cancel entries and tick until none is alive, for at most 4 s (M-5)."""
        try:
            while not stop.is_set():
                await self._pause(await self._contained_tick())
            await self._drain()
        finally:
            await self._observer.close()

    async def _drain(self) -> None:
        self.state.draining = True
        deadline = self._clock.monotonic() + 4
        while self._clock.monotonic() < deadline:
            pause = await self._contained_tick()
            if not self._has_entry():
                return
            await self._pause(min(pause, 0.25))

    def _has_entry(self) -> bool:
        if self.state.trade is None:
            return False
        alive = [order for order in self.state.orders.values() if order.alive_or_unknown]
        return any(order.role is Role.ENTRY for order in alive) or (
            bool(alive) and not self.state.fills
        )

    async def _pause(self, seconds: float) -> None:
        """Wait for the interval or an event, whichever comes first."""
        await self._clock.sleep(TICK_GAP_S)
        try:
            async with asyncio.timeout(max(seconds - TICK_GAP_S, 0)):
                await self._wake.wait()
        except TimeoutError:
            return  # the interval is over: that is the ordinary case

    async def _contained_tick(self) -> float:
        """Tick; return how long to wait. What a tick raises is an incident, never the end of the loop."""
        try:
            return await self.tick()
        except InvariantBroken as error:
            self._incident("critical", error.promise, f"nothing was sent: {error}")
        except VenueError as error:
            self._incident("warning", "W-1", str(error))
        except Exception as error:  # noqa: BLE001 - nothing may stop the loop of an open position (O-4)
            _log.exception("tick failed", symbol=self.state.symbol)
            self._incident("critical", "O-4", f"tick failed: {type(error).__name__}: {error}")
        return float(self._policy.loop_interval_s)

    async def tick(self) -> float:
        """One pass; returns how many seconds may go by before the next."""
        self._wake.clear()
        self._ticks += 1
        started = self._clock.monotonic()
        news = self.state.decision is not self.desk.state  # what it may want is read for at once
        self.state.decision = self.desk.state
        world = await self._observer.observe(entry_wanted=self._entry_wanted or news)
        plan = make_plan(world, self._policy)
        invariants.check(world, plan, self._policy)
        woken = plan.entry_wanted and not self._entry_wanted
        self._entry_wanted = plan.entry_wanted
        self._note(world, plan, just_wanted=woken)
        executed: tuple[Executed, ...] = ()
        if plan.trade is not None and plan.trade.ended_ms is not None:
            await self._end_trade(world, plan.trade)
            woken = True
        else:
            executed = await self._executor.run(plan)
        self._report(world, plan, executed, started)
        if executed or woken:
            self.wake()
        return self._next(plan)

    def _next(self, plan: Plan) -> float:
        interval = float(self._policy.loop_interval_s)
        return interval if plan.wake_in_ms is None else min(interval, plan.wake_in_ms / 1000)

    async def _end_trade(self, world: World, trade: Trade) -> None:
        """Record the end and what it spends together: a crash between them would free the decision (P-4)."""
        summary = summarize(world, trade)
        self.state.add_record(TradeEnded(trade=trade, summary=summary))
        await self._executor.flush()
        self.state.end_trade(trade.key, filled=summary is not None)
        self.desk.trade_ended(trade, summary)
        self._entry_wanted = True  # the decision in force may want to enter: read for it at once

    # what a person may ask later

    def _note(self, world: World, plan: Plan, *, just_wanted: bool) -> None:
        key = None if plan.trade is None else plan.trade.key
        for note in plan.notes:
            self.state.add_record(
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
            self.state.add_record(
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
        self.state.add_record(incident)
        for observer in self._observers:
            self._tell(observer.incident, incident)

    def _tell[T](self, hear: Callable[[T], None], news: T) -> None:
        try:
            hear(news)
        except Exception:  # noqa: BLE001 - whoever listens is no reason to let go of a position
            _log.exception("observer failed", symbol=self.state.symbol)
