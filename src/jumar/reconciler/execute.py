"""The only place from which orders leave: journal, send once, journal what became of it (X-2, X-3).

Promises: the intent is durable before the socket is touched; nothing is ever sent twice; a stop that is looser
than the tightest confirmed one is not sent (S-3, third line of four). Does not decide anything else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from jumar.model import fold
from jumar.model.command import (
    CancelOrder,
    Command,
    PlaceOrder,
    Plan,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import Incident, Intent, Record, cancel_note
from jumar.model.order import EXIT_ROLES, OwnOrder, Role
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.model.policy import Policy
from jumar.planner.sweep import dead_after_ms
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.ports.observer import Executed
from jumar.ports.store import Store
from jumar.reconciler.state import SymbolState

#: The venue refused the numbers: filters have changed, they are read again before the next attempt (W-3).
FILTER_CODES = frozenset({-1111, -1121, -4003, -4004, -4005, -4013, -4014, -4023, -4164})
#: A client id of ours exists already: the earlier attempt is live, so it is read, never sent again (X-4).
DUPLICATE_ID = -4116
UNKNOWN_ORDER = -2011
UNJOURNALED = "what was sent could not be journaled: {}"
#: How long protection waits for the journal, and how long anything else does while there is something to protect.
SLOW_STORE_S, SLOW_INTENT_S = 0.3, 1.0
PROTECTIVE = frozenset({Role.STOP, Role.BACKSTOP, Role.FULL_EXIT})


class Executor:
    """Sends the approved commands of one symbol."""

    def __init__(
        self,
        *,
        state: SymbolState,
        policy: Policy,
        exchange: Exchange,
        store: Store,
        clock: Clock,
        on_incident: Callable[[Incident], None],
        on_filter_error: Callable[[], None],
    ) -> None:
        self._state = state
        self._policy = policy
        self._exchange = exchange
        self._store = store
        self._clock = clock
        self._incident = on_incident
        self._filter_error = on_filter_error
        self._late: asyncio.Task[tuple[Record, ...]] | None = None

    async def run(self, plan: Plan) -> tuple[Executed, ...]:
        """Record the trade, then send the commands in their order; `flush` writes what became of them."""
        if plan.trade is not None:
            self._state.set_trade(plan.trade)
        for order in plan.adopted:
            self._state.adopt(order, self._clock.now_ms())
        executed = []
        for approved in plan.commands:
            outcome = await self._send(approved.command)
            if outcome is not None:
                executed.append(Executed(command=approved.command, outcome=outcome))
        return tuple(executed)

    async def flush(self) -> None:
        """Write what has collected; on failure it is kept for the next try, and said aloud."""
        records = self._state.take_records()
        if not records:
            return
        try:
            self._state.give_back(await self._written(records, SLOW_STORE_S) or ())
        except InvariantBroken as error:
            self._say("critical", error.promise, UNJOURNALED.format(error))

    async def _written(
        self, records: tuple[Record, ...], wait_s: float | None
    ) -> tuple[Record, ...] | None:
        """Write one transaction; return what must be kept, None when it is still underway after `wait_s`.

        A store that hangs must not hold up the loop of a position (M-4): it goes on beside it, one transaction at a
        time, and what it could not write comes back in its place.

        Raises:
            InvariantBroken: the store refuses an intent: it must not be sent.
        """
        if self._late is not None:
            await asyncio.wait({self._late}, timeout=wait_s)
        if self._late is not None:
            return records
        writing = asyncio.create_task(self._unwritten(records))
        try:
            await asyncio.wait({writing}, timeout=wait_s)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        if writing.done():
            return writing.result()
        self._late = writing
        writing.add_done_callback(self._was_late)
        self._say("critical", "X-2", f"the store has not answered for {wait_s} s")
        return None

    def _was_late(self, writing: asyncio.Task[tuple[Record, ...]]) -> None:
        self._late = None
        if writing.cancelled():
            return
        error = writing.exception()
        if error is None:
            self._state.give_back(writing.result())
            return
        rule = error.promise if isinstance(error, InvariantBroken) else "X-2"
        self._say("critical", rule, UNJOURNALED.format(error))

    async def _unwritten(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Write one transaction; return what must be kept for the next try.

        A record that can never be written must not hold back the others: then each goes alone.

        Raises:
            InvariantBroken: the store refuses an intent: it must not be sent.
        """
        try:
            await self._store.write(records)
        except StoreUnavailable as error:
            self._say("critical", "X-2", f"the store cannot be written: {error}")
            return records
        except InvariantBroken as error:
            if len(records) > 1:
                return await self._one_by_one(records)
            if isinstance(records[0], Intent):
                raise
            self._say("critical", error.promise, f"a record was refused: {error}")
        return ()

    async def _one_by_one(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Keep what failed and all after it: later records may lean on earlier ones."""
        for index, record in enumerate(records):
            try:
                if await self._unwritten((record,)):
                    return records[index:]
            except InvariantBroken:
                self._state.give_back(records[index + 1 :])
                raise
        return ()

    async def _send(self, command: Command) -> Outcome | None:
        match command:
            case PlaceOrder():
                return await self._place(command)
            case CancelOrder():
                return await self._cancel(command)
            case SetLeverage() | SetMarginMode():
                return await self._set(command)

    # orders

    async def _place(self, command: PlaceOrder) -> Outcome | None:
        """Journal, send, journal. The timestamp is taken first and never renewed (X-7)."""
        timestamp_ms = self._clock.now_ms()
        if not self._still_right(command):
            return None
        request = command.request
        own = command.journaled(timestamp_ms)
        if not await self._journal(command, own):
            return None
        protective = request.role in PROTECTIVE
        timeout = self._policy.protect_timeout_ms if protective else self._policy.recv_window_ms
        outcome = await self._exchange.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout)
        self._after_place(own.client_id, outcome)
        return outcome

    async def _journal(self, command: PlaceOrder, own: OwnOrder) -> bool:
        """Make the intent durable; a store that fails stops an entry, never what protects a position (M-4)."""
        intent = Intent(order=own, tightness=self._tightness(command))
        protects, exposed = self._protects(own), self._is_exposed()
        wait_s = (SLOW_STORE_S if protects else SLOW_INTENT_S) if exposed else None
        try:
            kept = await self._written((*self._state.take_records(), intent), wait_s)
        except InvariantBroken as error:
            if error.promise == "X-1":
                # The journal knows this id, we do not: it is asked for, and the next attempt has another.
                self._state.orders[own.client_id] = fold.mark_unknown(own)
            raise
        if kept:
            self._state.give_back(kept if protects else kept[:-1])
            if not protects:
                return False
        if kept is None and not protects:
            return self._ends_unsent(own, "its intent was not durable in time")
        if own.role is Role.ENTRY and not self._still_right(command):
            # the armed stop went while the journal was written
            return self._ends_unsent(own, "no armed stop")
        self._state.orders[own.client_id] = own
        return True

    def _ends_unsent(self, own: OwnOrder, why: str) -> bool:
        """An intent that is, or will be, in the journal and never leaves."""
        now = self._clock.now_ms()
        self._state.put(fold.end_absent(own, f"never sent: {why}", now), now)
        return False

    def _protects(self, own: OwnOrder) -> bool:
        """Whether it protects something: before an entry a stop only arms (S-1)."""
        return own.role in PROTECTIVE and self._is_exposed()

    def _is_exposed(self) -> bool:
        """Whether there is, or may be, something to protect."""
        entries = [o for o in self._state.orders.values() if o.role is Role.ENTRY]
        exposed = any(o.alive_or_unknown or o.filled_quantity > 0 for o in entries)
        trade = self._state.trade
        held = trade is not None and trade.adopted_quantity > 0
        return exposed or held or bool(self._state.fills)

    def _tightness(self, command: PlaceOrder) -> Decimal | None:
        trade, trigger = self._state.trade, command.request.trigger_price
        if command.request.role is not Role.STOP or trade is None or trigger is None:
            return None
        return trigger * trade.sign

    def _still_right(self, command: PlaceOrder) -> bool:
        """Look once more at what events may have changed since the plan was made.

        Raises:
            InvariantBroken: a stop looser than the tightest confirmed one (S-3).
        """
        request, orders = command.request, self._state.orders.values()
        stops = [o for o in orders if o.role is Role.STOP and o.trade_key == command.trade_key]
        if request.role is Role.ENTRY:
            exits = any(o.role in EXIT_ROLES and o.filled_quantity > 0 for o in orders)
            return any(stop.confirmed for stop in stops) and not exits
        trade = self._state.trade
        if request.role is Role.STOP and trade is not None and request.trigger_price is not None:
            known = [o.request.trigger_price for o in stops if o.confirmed]
            floor = trade.tightest(trade.ratchet_price, *known)
            if trade.is_tighter(floor, than=request.trigger_price):
                raise InvariantBroken("S-3", f"stop {request.trigger_price} is looser than {floor}")
        return True

    def _after_place(self, client_id: str, outcome: Outcome) -> None:
        now = self._clock.now_ms()
        own = self._state.orders[client_id]
        match outcome:
            case Accepted(report=report):
                own = own if report is None else fold.fold(own, report, now)
            case Rejected(code=code) if code == DUPLICATE_ID:
                own = fold.mark_unknown(own)
            case Rejected(code=code, message=message):
                own = fold.end_refused(own, code, message, now)
                if code in FILTER_CODES:
                    self._filter_error()
            case Unknown():
                own = fold.mark_unknown(own)
        self._state.put(own, now)
        if own.echo_error is not None:
            self._say("critical", "S-11", f"{client_id}: the echo differs: {own.echo_error}")

    async def _cancel(self, command: CancelOrder) -> Outcome | None:
        now = self._clock.now_ms()
        own = self._state.orders.get(command.client_id)
        if own is None or own.ended:
            return None
        if own.cancel_sent_ms is None:
            words = cancel_note(own.client_id, command.cause.text)
            self._state.note(command.cause.rule, words, now)
        self._state.put(replace(own, cancel_sent_ms=now), now)
        timeout = self._policy.protect_timeout_ms
        if command.child_venue_id is not None:
            outcome = await self._exchange.cancel_by_venue_id(
                command.symbol, command.child_venue_id, timeout_ms=timeout
            )
        else:
            outcome = await self._exchange.cancel(
                command.symbol, command.channel, command.client_id, timeout_ms=timeout
            )
        self._after_cancel(command, outcome)
        return outcome

    def _after_cancel(self, command: CancelOrder, outcome: Outcome) -> None:
        now = self._clock.now_ms()
        own = self._state.orders.get(command.client_id)
        if own is None or own.ended:
            return
        match outcome:
            case Accepted(report=None):
                own = fold.end_canceled(own, now)
            case Accepted(report=report) if report is not None:
                own = fold.fold(own, report, now)
            case Rejected(code=code) if code == UNKNOWN_ORDER and self._could_not_arrive(own):
                own = replace(own, cancel_unknown_ms=own.cancel_unknown_ms or now)
            case _:
                pass  # asked again, and cancelled again, until the end is proven (X-4 f)
        self._state.put(own, now)

    def _could_not_arrive(self, own: OwnOrder) -> bool:
        """An order the venue knew, or whose request is too old to be executed any more (X-4 b)."""
        sent = own.cancel_sent_ms or 0
        return own.acked_ms is not None or sent > dead_after_ms(own, self._policy)

    # settings

    async def _set(self, command: SetLeverage | SetMarginMode) -> Outcome:
        """Whatever the answer, the setting is read back; a refusal keeps entries away for a while (E-4)."""
        if isinstance(command, SetLeverage):
            outcome = await self._exchange.set_leverage(command.symbol, command.leverage)
        else:
            outcome = await self._exchange.set_margin_mode(command.symbol, command.mode)
        self._state.note(command.cause.rule, command.cause.text, self._clock.now_ms())
        self._state.settings_due = True
        self._state.settings = None
        if isinstance(outcome, Rejected):
            why = f"{command.cause.text} was refused: {outcome.code} {outcome.message}"
            self._state.setup_failed(why, self._clock.now_ms())
        return outcome

    def _say(self, severity: str, rule: str, message: str) -> None:
        self._incident(
            Incident(
                symbol=self._state.symbol,
                severity=severity,
                rule=rule,
                message=message,
                at_ms=self._clock.now_ms(),
            )
        )
