"""The engine of one account: one loop per symbol, one place where decisions come in, nothing global (O-3)."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import EquitySeen, Incident, Record, StoreIdentity, SymbolMemory
from jumar.model.policy import Policy
from jumar.ports import observer as observing
from jumar.ports.clock import Clock
from jumar.ports.decisions import DecisionSource, Received
from jumar.ports.exchange import (
    BalanceEvent,
    Exchange,
    OrderEvent,
    PositionEvent,
    StreamEvent,
    VenueEvent,
)
from jumar.ports.store import Store
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.execute import Executor
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.observe import Observer
from jumar.reconciler.shared import SharedReads
from jumar.reconciler.state import SymbolState

_log = structlog.get_logger("jumar.engine")

EQUITY_EVERY_S = 60.0


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
        self.loops: dict[str, SymbolLoop] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Start, run every symbol's loop, and on `stop` cancel entries and leave positions protected (M-5).

        Raises:
            ConfigError: the store or the venue cannot be used as configured.
            VenueUnavailable: the venue does not answer at start.
            StoreUnavailable: the store does not answer at start.
        """
        identity = await self._store.open()
        try:
            memories = [await self._store.load(symbol) for symbol in self._policies]
            self._build(identity, memories)
            await self._exchange.start(tuple(self._policies), self._sink)
            try:
                await self._assert_usable(memories)
                self._open_desks(identity, memories)
                await self._run_loops(stop)
            finally:
                await self._exchange.close()
        finally:
            await self._store.close()

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
            state = SymbolState(account=self._account, store_id=identity.store_id, memory=memory)
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
            desk=DecisionDesk(symbol=state.symbol, spent=set()),
            policy=policy,
            observer=observer,
            executor=executor,
            clock=self._clock,
            observers=self._observers,
        )

    def _report_incident(self, incident: Incident) -> None:
        loop = self.loops.get(incident.symbol or "")
        if loop is not None:
            loop.report_incident(incident)

    def _open_desks(self, identity: StoreIdentity, memories: Sequence[SymbolMemory]) -> None:
        """Only now is the exchange's clock known, by which older decisions are spent (D-7)."""
        start_ms = self._clock.now_ms()
        for memory in memories:
            desk = DecisionDesk.restore(memory, identity, start_ms)
            self.loops[memory.symbol].desk = desk

    async def _run_loops(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._poll_decisions()),
                group.create_task(self._record_equity()),
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
                    await self._receive(received)
            except Exception:  # noqa: BLE001 - no input may stop the loops (D-5)
                _log.exception("decisions could not be read")
            await self._clock.sleep(interval / 2)

    async def _receive(self, received: Received) -> None:
        loop = self.loops.get(received.symbol or "")
        if loop is None:
            loop = next(
                iter(self.loops.values())
            )  # a file nobody's is recorded once, enters nowhere
        records = loop.desk.receive(received, self._clock.now_ms())
        for error in received.errors:
            _log.warning("decision refused", symbol=received.symbol, error=str(error))
        await self._write(records)
        loop.wake()

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
