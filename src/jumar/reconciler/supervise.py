"""The engine of one account: one loop per symbol, one place where decisions come in, nothing global (O-3)."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import structlog

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import (
    EquitySeen,
    Incident,
    OperatorRequest,
    Record,
    RequestDone,
    StoreIdentity,
    SymbolMemory,
)
from jumar.model.policy import Policy
from jumar.ports import observer as observing
from jumar.ports.clock import Clock
from jumar.ports.decisions import POLLS_PER_TICK, DecisionSource, Received
from jumar.ports.exchange import (
    BalanceEvent,
    Exchange,
    OrderEvent,
    PositionEvent,
    StreamEvent,
    VenueEvent,
)
from jumar.ports.store import Store
from jumar.reconciler.answer import answer_on_arrival
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.execute import Executor
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.observe import Observer
from jumar.reconciler.shared import SharedReads
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.engine")

EQUITY_EVERY_S = 60.0
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
    ) -> None:
        self._account = account
        self._policies = dict(policies)
        self._exchange = exchange
        self._store = store
        self._source = source
        self._clock = clock
        self._observers = tuple(observers)
        self._shared = SharedReads(exchange, clock)
        self._known = False
        self.loops: dict[str, SymbolLoop] = {}

    @property
    def settled(self) -> bool:
        """Whether it is proven that no entry is left that could still fill, and no set-up without a fill (M-5)."""
        return self._known and all(loop.settled for loop in self.loops.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Start, run every symbol's loop, and on `stop` cancel entries and leave positions protected (M-5).

        What could not be proven until the end is told by `settled`.

        Raises:
            ConfigError: the store or the venue cannot be used as configured.
            VenueUnavailable: the venue does not answer at start.
            StoreUnavailable: the store does not answer at start.
        """
        identity = await self._store.open()
        try:
            memories = [await self._store.load(symbol) for symbol in self._policies]
            self._build(identity, memories)
            self._known = True
            try:
                if await _before(stop, self._start(memories)):
                    self._open_desks(identity, memories)
                    await self._run_loops(stop)
            finally:
                await self._exchange.close()
        finally:
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
            )
            self.loops[memory.symbol] = self._loop(state, self._policies[memory.symbol])

    def _loop(self, state: SymbolState, policy: Policy) -> SymbolLoop:
        observer = Observer(
            state=state,
            policy=policy,
            exchange=self._exchange,
            shared=self._shared,
            clock=self._clock,
        )
        executor = Executor(
            state=state,
            policy=policy,
            exchange=self._exchange,
            store=self._store,
            clock=self._clock,
            on_incident=self._report_incident,
            on_filter_error=observer.refresh_instrument,
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

    async def _run_loops(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._poll_decisions()),
                group.create_task(self._record_equity()),
                group.create_task(self._obey_requests()),
            ]
            loops = [group.create_task(loop.run(stop)) for loop in self.loops.values()]
            waker = group.create_task(self._wake_on(stop))
            await asyncio.wait(loops)
            for helper in (*helpers, waker):
                helper.cancel()

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        for loop in self.loops.values():
            loop.wake()

    # events in

    def _sink(self, event: VenueEvent) -> None:
        """Route one stream event; called by the venue, never blocks."""
        now = self._clock.now_ms()
        for loop in self._concerned(event):
            if loop.state.apply(event, now):
                loop.wake()

    def _concerned(self, event: VenueEvent) -> Sequence[SymbolLoop]:
        match event:
            case OrderEvent(report=report) | PositionEvent(report=report):
                symbol = report.symbol
            case StreamEvent() | BalanceEvent():
                return tuple(self.loops.values())
            case _:
                symbol = event.symbol
        loop = self.loops.get(symbol)
        return () if loop is None else (loop,)

    # decisions in

    async def _poll_decisions(self) -> None:
        interval = min(float(policy.loop_interval_s) for policy in self._policies.values())
        while True:
            try:
                for received in self._source.poll():
                    self._receive(received)
            except Exception:  # noqa: BLE001 - no input may stop the loops (D-5)
                _log.exception("decisions could not be read")
            await self._clock.sleep(interval / POLLS_PER_TICK)

    def _receive(self, received: Received) -> None:
        loop = self.loops.get(received.symbol or "")
        if loop is None:
            loop = next(
                iter(self.loops.values())
            )  # a file nobody's is recorded once, enters nowhere
        now = self._clock.now_ms()
        records = loop.desk.receive(received, now)
        for error in received.errors:
            _log.warning("decision refused", symbol=received.symbol, error=str(error))
        if received.quarantine is not None:
            self._alert_quarantine(received, now)
        loop.answer(answer_on_arrival(records))
        if not records:
            loop.answer_again()  # the decision in force came back in the place of one that was answered
        for record in records:
            loop.state.add_record(
                record
            )  # a store that fails or hangs keeps no later file from being read
        loop.wake()

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
        """Operator actions are data: what a command left in the store is obeyed here.

        Once: that its outcome cannot be written is no reason to do it again, when everything may be different.
        """
        obeyed: dict[int, RequestDone] = {}
        while True:
            try:
                for request in await self._store.requests():
                    if request.seq not in obeyed:
                        obeyed[request.seq] = self._obey(request)
                    await self._write((obeyed[request.seq],))
            except StoreUnavailable as error:
                _log.error("operator requests cannot be read", error=str(error))
            except Exception:  # noqa: BLE001 - no request may stop the loops (O-4)
                _log.exception("operator requests cannot be obeyed")
            await self._clock.sleep(REQUESTS_EVERY_S)

    def _obey(self, request: OperatorRequest) -> RequestDone:
        now = self._clock.now_ms()
        loops = [
            loop
            for symbol, loop in self.loops.items()
            if request.symbol is None or request.symbol == symbol
        ]
        if request.request != "resume":
            outcome = f"unknown request {request.request!r}"
        elif not loops:
            outcome = f"{request.symbol} is not managed here"
        else:
            outcome = "; ".join(loop.resume(request.asked_by, now) for loop in loops)
        _log.warning("operator request", request=request.request, outcome=outcome)
        return RequestDone(seq=request.seq, outcome=outcome, at_ms=now)

    async def _record_equity(self) -> None:
        while True:
            for loop in self.loops.values():
                balance = loop.state.balance
                if balance is not None:
                    value = balance.value
                    seen = EquitySeen(equity=value.equity, wallet=value.wallet, at_ms=balance.at_ms)
                    await self._write((seen,))
                    break
            await self._clock.sleep(EQUITY_EVERY_S)

    async def _write(self, records: tuple[Record, ...]) -> None:
        if not records:
            return
        try:
            await self._store.write(records)
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
