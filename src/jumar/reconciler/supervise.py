"""The engine of one account: one loop per symbol, one place where decisions come in, nothing global (O-3)."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog

from jumar.model.countdown import NOT_PROBED
from jumar.model.errors import ConfigError, StoreUnavailable, Superseded, WriterLost
from jumar.model.journal import (
    Incident,
    OperatorRequest,
    Record,
    RequestDone,
    StoreIdentity,
    SymbolMemory,
)
from jumar.model.policy import Policy
from jumar.planner.binding import Binding, bind
from jumar.ports import observer as observing
from jumar.ports.clock import Clock
from jumar.ports.decisions import POLLS_PER_TICK, DecisionSource, Received
from jumar.ports.exchange import (
    BalanceEvent,
    ClockEvent,
    Exchange,
    OrderEvent,
    PositionEvent,
    StreamEvent,
    VenueEvent,
)
from jumar.ports.levels import LevelsSource
from jumar.ports.store import EmergencyLog, Store
from jumar.reconciler.account import AccountState
from jumar.reconciler.answer import answer_on_arrival
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.equity import EquityBook, EquityWatch
from jumar.reconciler.execute import Executor
from jumar.reconciler.levels import LevelsFeed
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.observe import Observer
from jumar.reconciler.requests import obey
from jumar.reconciler.rescue import News, take_in
from jumar.reconciler.shared import SharedReads
from jumar.reconciler.standing import Standings
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.engine")

REQUESTS_EVERY_S = 1.0


class Engine:
    """Runs one account until it is told to stop."""

    def __init__(
        self,
        *,
        account: str,
        policies: Mapping[str, Policy],
        exchange: Exchange,
        store: Store,
        source: DecisionSource,
        clock: Clock,
        observers: Sequence[observing.Observer] = (),
        make_executor: type[Executor] = Executor,
        levels: LevelsSource | None = None,
        no_dead_man: str | None = NOT_PROBED,
        emergency: EmergencyLog | None = None,
    ) -> None:
        self._account = account
        self._policies = dict(policies)
        self._exchange = exchange
        self._store = store
        self._source = source
        self._clock = clock
        self._observers = tuple(observers)
        self._make_executor = make_executor
        self._levels = LevelsFeed(levels, self._policies)
        self._no_dead_man = no_dead_man
        self._emergency = emergency
        self._rescued: tuple[News, ...] = ()
        self._shared = SharedReads(exchange, clock)
        self._common = AccountState()
        self._common.writing = store.writing
        book = EquityBook(next(iter(self._policies.values())))
        self._common.standings = self._standings = Standings(
            symbols=self._policies,
            equity=book,
            budget=exchange.budget,
            positions=self._shared.listed_positions,
        )
        self._watch = EquityWatch(
            book,
            exchange=exchange,
            shared=self._shared,
            clock=clock,
            write=self._write,
            on_news=self._wake_all,
        )
        self._obeyed: dict[int, tuple[Record, ...]] = {}
        self._known = False
        self.loops: dict[str, SymbolLoop] = {}

    @property
    def settled(self) -> bool:
        """Whether it is proven that no entry is left that could still fill, and no set-up without a fill (M-5)."""
        return self._known and all(loop.settled for loop in self.loops.values())

    @property
    def flattened(self) -> bool:
        """Whether nothing is held, nothing of ours rests and no symbol is being flattened, as far as was read (M-6)."""
        return self._known and all(loop.flattened for loop in self.loops.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Start, run every symbol's loop, and on `stop` cancel entries and leave positions protected (M-5).

        What could not be proven until the end is told by `settled`.

        Raises:
            ConfigError: the store or the venue cannot be used as configured.
            VenueUnavailable: the venue does not answer at start.
            Superseded: another engine has taken over the database (X-7); nothing was cancelled or closed.
            StoreUnavailable: the store does not answer at start.
        """
        identity = await self._store.open()
        try:
            if self._emergency is not None:
                identity, self._rescued = await take_in(self._emergency, self._store, identity)
            memories = [await self._store.load(symbol) for symbol in self._policies]
            self._common.mode = identity.mode
            self._build(identity, memories)
            self._known = True
            try:
                if await _before(stop, self._start(memories)):
                    now = self._clock.now_ms()
                    self._standings.restore(await self._store.load_account(now), now)
                    self._open_desks(identity, memories)
                    await self._obey_what_was_asked()  # before anything is entered
                    await self._run_loops(stop)
            finally:
                await self._exchange.close()
        finally:
            if self._emergency is not None:
                await self._emergency.close()
            await self._store.close()

    async def _start(self, memories: Sequence[SymbolMemory]) -> None:
        await self._exchange.start(tuple(self._policies), self._sink)
        await self._assert_usable(memories)

    async def _assert_usable(self, memories: Sequence[SymbolMemory]) -> None:
        """E-4: an account that cannot enter is refused at start; with a trade open it is managed all the same."""
        if any(memory.trade is not None for memory in memories):
            return
        settings = await self._exchange.account_settings()
        name = f"[account] {self._account}"
        if settings.hedge_mode:
            raise ConfigError(
                f"{name}: position mode is hedge, Jumar needs one-way; "
                "switch it in Binance's futures preferences while no position or order is open"
            )
        if not settings.can_trade:
            raise ConfigError(f"{name}: Binance says canTrade = false; ask Binance what blocks it")

    def _build(self, identity: StoreIdentity, memories: Sequence[SymbolMemory]) -> None:
        for memory in memories:
            state = SymbolState(
                account=self._account,
                store_id=identity.store_id,
                memory=memory,
                journal_fresh=identity.fresh,
                common=self._common,
            )
            state.dead_man.unproven = self._no_dead_man
            self.loops[memory.symbol] = self._loop(state, self._policies[memory.symbol])

    def _loop(self, state: SymbolState, policy: Policy) -> SymbolLoop:
        observer = Observer(
            state=state,
            policy=policy,
            exchange=self._exchange,
            shared=self._shared,
            clock=self._clock,
        )
        executor = self._make_executor(
            state=state,
            policy=policy,
            exchange=self._exchange,
            store=self._store,
            clock=self._clock,
            on_incident=self._report_incident,
            on_filter_error=observer.refresh_instrument,
            emergency=self._emergency,
        )
        return SymbolLoop(
            state=state,
            desk=DecisionDesk(symbol=state.symbol, ahead_ms=_ahead_ms(policy), spent=set()),
            policy=policy,
            observer=observer,
            executor=executor,
            clock=self._clock,
            observers=self._observers,
            on_answer=self._source.answer,
        )

    def _report_incident(self, incident: Incident) -> None:
        loop = self.loops.get(incident.symbol or "")
        if loop is not None:
            loop.report_incident(incident)

    def _open_desks(self, identity: StoreIdentity, memories: Sequence[SymbolMemory]) -> None:
        """Only now is the exchange's clock known, by which older decisions are spent (D-7)."""
        start_ms = self._clock.now_ms()
        for memory in memories:
            ahead_ms = _ahead_ms(self._policies[memory.symbol])
            desk = DecisionDesk.restore(memory, identity, start_ms, ahead_ms=ahead_ms)
            loop = self.loops[memory.symbol]
            loop.desk = desk
            loop.state.note("Y-9", _started(memory, identity), start_ms)
        for severity, message in self._rescued:
            self._report_incident(
                Incident(
                    symbol=next(iter(self.loops)),
                    severity=severity,
                    rule="M-4",
                    message=message,
                    at_ms=start_ms,
                )
            )

    async def _run_loops(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._poll_decisions()),
                group.create_task(self._watch.run()),
                group.create_task(self._obey_requests()),
            ]
            loops = [group.create_task(loop.run(stop)) for loop in self.loops.values()]
            waker = group.create_task(self._wake_on(stop))
            await asyncio.wait(loops)
            for helper in (*helpers, waker):
                helper.cancel()

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake_all()

    def _wake_all(self) -> None:
        for loop in self.loops.values():
            loop.wake()

    # events in

    def _sink(self, event: VenueEvent) -> None:
        """Route one stream event; called by the venue, never blocks."""
        now = self._clock.now_ms()
        if isinstance(event, BalanceEvent) and not event.traded:
            self._watch.moved()
        for loop in self._concerned(event):
            try:
                wakes = loop.state.apply(event, now)
            except Exception:  # noqa: BLE001 - what one symbol stumbles over the others must still hear (O-3)
                _log.exception("an event was not understood", symbol=loop.state.symbol)
                wakes = True  # the next look reads the truth
            if wakes:
                loop.wake()

    def _concerned(self, event: VenueEvent) -> Sequence[SymbolLoop]:
        match event:
            case OrderEvent(report=report) | PositionEvent(report=report):
                symbol = report.symbol
            case StreamEvent() | BalanceEvent() | ClockEvent():
                return tuple(self.loops.values())
            case _:
                symbol = event.symbol
        loop = self.loops.get(symbol)
        return () if loop is None else (loop,)

    # decisions in

    async def _poll_decisions(self) -> None:
        interval = min(float(policy.loop_interval_s) for policy in self._policies.values())
        while True:
            # first, so that a decision finds the levels that were written just before it (L-3)
            self._levels.poll(self.loops, self._clock.now_ms())
            try:
                for received in self._source.poll():
                    self._take(received)
            except Exception:  # noqa: BLE001 - no input may stop the loops (D-5)
                _log.exception("decisions could not be read")
            await self._clock.sleep(interval / POLLS_PER_TICK)

    def _take(self, received: Received) -> None:
        """Take in one content; one that cannot be taken in keeps no other from coming in (O-3)."""
        try:
            self._receive(received)
        except Exception:  # noqa: BLE001 - no input may stop the loops, nor another symbol's input (D-5)
            _log.exception("a decision could not be taken in", symbol=received.symbol)

    def _receive(self, received: Received) -> None:
        loop = self.loops.get(received.symbol or "")
        if loop is None:
            loop = next(
                iter(self.loops.values())
            )  # a file nobody's is recorded once, enters nowhere
        now = self._clock.now_ms()
        records = loop.desk.receive(received, now, self._bound(received, loop.state, now))
        for error in received.errors:
            _log.warning("decision refused", symbol=received.symbol, error=str(error))
        if received.quarantine is not None:
            self._alert_quarantine(received, now)
        loop.answer(answer_on_arrival(records))
        if not records:
            loop.answer_again()  # the decision in force came back in the place of one that was answered
        for record in records:
            loop.state.outbox.add(
                record
            )  # a store that fails or hangs keeps no later file from being read
        loop.wake()

    def _bound(self, received: Received, state: SymbolState, now_ms: int) -> Binding | None:
        """The zone that the decision names, by the levels in force when it comes (L-3)."""
        if received.decision is None:
            return None
        return bind(received.decision, state.levels, now_ms, self._policies[state.symbol])

    def _alert_quarantine(self, received: Received, now_ms: int) -> None:
        """D-5: a file that is no decision is alerted once; the reason names the copy."""
        why = "; ".join(str(error) for error in received.errors)
        incident = Incident(
            symbol=received.symbol,
            severity="warning",
            rule="D-5",
            message=f"not a decision: {why}",
            at_ms=now_ms,
        )
        loop = self.loops.get(received.symbol or "") or next(iter(self.loops.values()))
        loop.report_incident(incident)

    # people's requests in

    async def _obey_requests(self) -> None:
        """Operator actions are data: what a command left in the store is obeyed here."""
        while True:
            try:
                await self._obey_what_was_asked()
                self._saw_writer(None)
            except Superseded:
                raise  # whatever is still sent would be the orders of a second engine
            except WriterLost as error:
                self._saw_writer(str(error))
            except StoreUnavailable as error:
                _log.error("operator requests cannot be read", error=str(error))
                self._saw_unrenewed(str(error))
            except Exception:  # noqa: BLE001 - no request may stop the loops (O-4)
                _log.exception("operator requests cannot be obeyed")
            await self._clock.sleep(REQUESTS_EVERY_S)

    async def _obey_what_was_asked(self) -> None:
        """Obey each request once: that its outcome cannot be written is no reason to do it again.

        The modes it led to stand in the transaction of its outcome: a crash loses both or none.

        Raises:
            StoreUnavailable: the requests cannot be read.
        """
        for request in await self._store.requests():
            if request.seq not in self._obeyed:
                self._obeyed[request.seq] = self._obey(request)
            await self._write(self._obeyed[request.seq])

    def _obey(self, request: OperatorRequest) -> tuple[Record, ...]:
        now = self._clock.now_ms()
        outcome, records = obey(request, self.loops, self._common, now)
        _log.warning("operator request", request=request.request, outcome=outcome)
        return (*records, RequestDone(seq=request.seq, outcome=outcome, at_ms=now))

    def _saw_writer(self, not_writer: str | None) -> None:
        """X-7: where the database or its lock was replaced another engine may write: nothing adds exposure."""
        if not_writer != self._common.not_writer:
            self._common.not_writer = not_writer
            for loop in self.loops.values():
                loop.wake()

    def _saw_unrenewed(self, why: str) -> None:
        """M-4: what keeps other engines out is renewed with every look at the requests, or not at all."""
        state = next(iter(self.loops.values())).state
        state.set_account_mode(self._common.saw_unrenewed(why, self._clock.now_ms()))

    async def _write(self, records: tuple[Record, ...]) -> None:
        if not records:
            return
        try:
            await self._store.write(records)
        except Superseded:
            raise
        except StoreUnavailable as error:
            _log.error("the store cannot be written", error=str(error))
        except Exception:  # noqa: BLE001 - nothing that is only told may stop the loops (O-4)
            _log.exception("records were refused")


async def _before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do some work unless a stop comes first; say whether it was done."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def _ahead_ms(policy: Policy) -> int:
    """How far ahead of exchange time a decision may be dated (D-3)."""
    return policy.future_skew_s * 1000


def _started(memory: SymbolMemory, identity: StoreIdentity) -> str:
    """What a start begins with, for the record."""
    journal = "an empty journal" if identity.fresh else "its journal"
    trade = "no open trade" if memory.trade is None else f"trade {memory.trade.key} open"
    return f"started with {journal}, {trade}"
