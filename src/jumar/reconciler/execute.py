"""The only place from which orders leave: journal, send once, journal what became of it (X-2, X-3).

Promises: the intent is durable before the socket is touched; nothing is ever sent twice; a stop that is looser
than the tightest confirmed one is not sent (S-3, third line of four); nothing leaves an engine that another one has
followed (X-7). Does not decide anything else.

Every request carries the time at which its command was taken up, before it was asked whether this engine still owns
the database. A process that stood still in between sends late, with that old time, and the venue refuses it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.command import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    Plan,
    SetCountdown,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import AmendIntent, Incident, Intent, cancel_note
from jumar.model.mode import Mode
from jumar.model.order import (
    DUPLICATE_ID,
    EXIT_ROLES,
    PROTECTIVE_ROLES,
    OrderRequest,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
)
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown
from jumar.model.policy import Policy
from jumar.planner import ladder
from jumar.planner.sweep import dead_after_ms
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.ports.observer import Executed
from jumar.ports.store import EmergencyLog, Store
from jumar.reconciler.journaling import Journalist
from jumar.reconciler.state import SymbolState

#: The venue refused the numbers: filters have changed, they are read again before the next attempt (W-3).
FILTER_CODES = frozenset({-1111, -1121, -4003, -4004, -4005, -4013, -4014, -4023, -4164})
UNKNOWN_ORDER = -2011
#: A cancelled order of somebody else may be listed for a while.
FOREIGN_AGAIN_MS = 2000
#: How long the first command after a pause waits until it is known whether this engine still owns the database.
FIRST_RENEWAL_S = 2.0
#: How long protection waits for the journal, and how long anything else does while there is something to protect.
SLOW_STORE_S, SLOW_INTENT_S = 0.3, 1.0


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
        emergency: EmergencyLog | None = None,
    ) -> None:
        self._state = state
        self._policy = policy
        self._exchange = exchange
        self._clock = clock
        self._incident = on_incident
        self._filter_error = on_filter_error
        self._store = store
        self._unrenewed = False
        self._foreign_ms: dict[str, int] = {}
        self._journalist = Journalist(
            state=state, store=store, clock=clock, say=self._say, emergency=emergency
        )

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
                self._heard(approved.command, outcome)
                executed.append(Executed(command=approved.command, outcome=outcome))
        return tuple(executed)

    def _heard(self, command: Command, outcome: Outcome) -> None:
        """M-3, M-4: lost answers are counted, and refused keys concern the whole account.

        Cancels are repeated until their end is proven, so that one silence would count many times.
        """
        common, now = self._state.common, self._clock.now_ms()
        match outcome:
            case Unknown(code=code) if isinstance(command, PlaceOrder | AmendOrder):
                if code != DUPLICATE_ID:
                    common.saw_unknown(now)
            case Rejected(code=code, message=message):
                self._state.set_account_mode(common.saw_refusal(code, message, now))
            case _:
                pass

    async def flush(self) -> None:
        """Write what has collected; on failure it is kept for the next try, and said aloud."""
        await self._journalist.flush(SLOW_STORE_S)

    async def _send(self, command: Command) -> Outcome | None:
        """Send one command as of now: the time is taken first and never renewed (X-7).

        Raises:
            Superseded: another engine has taken over.
        """
        taken_ms = self._clock.now_ms()
        await self._hold()
        match command:
            case PlaceOrder():
                return await self._place(command, taken_ms)
            case AmendOrder():
                return await self._amend(command, taken_ms)
            case CancelOrder():
                return await self._cancel(command, taken_ms)
            case SetCountdown():
                return await self._count_down(command, taken_ms)
            case SetLeverage() | SetMarginMode():
                return await self._set(command, taken_ms)

    async def _hold(self) -> None:
        """Ask whether the lease is still ours where its time is over: this process may have stood still (X-7).

        Where nobody can be asked what only reduces goes on: a second protector does no harm, a missing one does.

        Raises:
            Superseded: it is not.
        """
        if not self._store.writing().expired:
            self._unrenewed = False
            return
        wait_s = SLOW_STORE_S if self._unrenewed else FIRST_RENEWAL_S
        try:
            async with asyncio.timeout(wait_s):
                await self._store.renew()
        except (StoreUnavailable, TimeoutError) as error:
            self._unrenewed = True
            why = str(error) or f"no answer for {wait_s} s"
            common, now = self._state.common, self._clock.now_ms()
            self._state.set_account_mode(common.saw_unrenewed(why, now))

    def _writer_allows(self, role: Role) -> bool:
        """Whether an order of a role may leave an engine that owns the database as surely, and as long, as this one."""
        writing = self._store.writing()
        if writing.expired:
            return ladder.may_place(Mode.PROTECT_ONLY, role)
        return not writing.entries_wait_s or ladder.may_place(Mode.NO_ENTRIES, role)

    # orders

    async def _place(self, command: PlaceOrder, timestamp_ms: int) -> Outcome | None:
        """Journal, send, journal."""
        if not self._still_right(command):
            return None
        request = command.request
        own = command.journaled(timestamp_ms)
        if not await self._journal(command, own):
            return None
        await self._hold()
        protective = request.role in PROTECTIVE_ROLES
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
            kept = await self._journalist.written((*self._state.outbox.take(), intent), wait_s)
        except InvariantBroken as error:
            if error.promise == "X-1":
                # The journal knows this id, we do not: it is asked for, and the next attempt has another.
                self._state.orders[own.client_id] = fold.mark_unknown(own)
            raise
        if kept:
            self._state.outbox.give_back(kept if protects else kept[:-1])
            if not protects:
                return False
        if kept is None and not protects:
            return self._ends_unsent(own, "its intent was not durable in time")
        if own.role is Role.ENTRY and not self._still_right(command):
            # the armed stop, or the touch, went while the journal was written
            return self._ends_unsent(own, "the armed stop or the touch went")
        self._state.orders[own.client_id] = own
        return True

    def _ends_unsent(self, own: OwnOrder, why: str) -> bool:
        """An intent that is, or will be, in the journal and never leaves."""
        now = self._clock.now_ms()
        self._state.put(fold.end_absent(own, f"never sent: {why}", now), now)
        return False

    def _protects(self, own: OwnOrder) -> bool:
        """Whether it protects something: before an entry a stop only arms (S-1)."""
        return own.role in PROTECTIVE_ROLES and self._is_exposed()

    def _is_exposed(self) -> bool:
        """Whether there is, or may be, something to protect."""
        entries = [o for o in self._state.orders.values() if o.role is Role.ENTRY]
        exposed = any(o.alive_or_unknown or o.filled_quantity > 0 for o in entries)
        trade = self._state.trade
        held = trade is not None and trade.adopted_quantity > 0
        return exposed or held or bool(self._state.executions.fills)

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
        request, trade = command.request, self._state.trade
        if not self._writer_allows(request.role):
            return False
        if not ladder.may_place(self._state.kept_mode, request.role):
            return False
        if request.role is Role.ENTRY:
            return self._may_enter(command.trade_key) and self._is_in_reach(request)
        if request.role is Role.STOP and trade is not None and request.trigger_price is not None:
            stops = self._stops(command.trade_key)
            known = [o.request.trigger_price for o in stops if o.confirmed]
            floor = trade.tightest(trade.ratchet_price, *known)
            if trade.is_tighter(floor, than=request.trigger_price):
                raise InvariantBroken("S-3", f"stop {request.trigger_price} is looser than {floor}")
        return True

    def _stops(self, trade_key: str) -> list[OwnOrder]:
        orders = self._state.orders.values()
        return [o for o in orders if o.role is Role.STOP and o.trade_key == trade_key]

    def _may_enter(self, trade_key: str) -> bool:
        """Whether an armed stop is confirmed and nothing of the trade has sold yet (S-1, S-9)."""
        orders = self._state.orders.values()
        exits = any(o.role in EXIT_ROLES and o.filled_quantity > 0 for o in orders)
        armed = any(stop.confirmed for stop in self._stops(trade_key))
        return armed and not exits and ladder.may_place(self._state.kept_mode, Role.ENTRY)

    def _is_in_reach(self, request: OrderRequest) -> bool:
        """An entry that takes is sent only while the other side's touch lies within its limit (E-6)."""
        if request.time_in_force is not TimeInForce.IOC or request.price is None:
            return True
        return self._takes(request.side, request.price)

    def _takes(self, side: Side, price: Decimal) -> bool:
        """Whether a limit price meets the other side's touch as last seen; not known is no."""
        quote = self._state.prices.quote
        if quote is None:
            return False
        return price >= quote.value.ask if side is Side.BUY else price <= quote.value.bid

    # amendments

    async def _amend(self, command: AmendOrder, timestamp_ms: int) -> Outcome | None:
        """Journal the price that is asked for, send it once, journal what became of it (E-5, X-2, X-4 e)."""
        if not self._may_amend(command):
            return None
        asked = fold.ask_amendment(
            self._state.orders[command.client_id], command.journaled(timestamp_ms)
        )
        self._state.orders[command.client_id] = asked
        if not await self._journal_amendment(command, asked) or not self._may_amend(command):
            self._settle_amendment(command, AmendmentState.ABSENT)
            return None
        outcome = await self._exchange.amend(
            command.request,
            timestamp_ms=timestamp_ms,
            timeout_ms=self._policy.recv_window_ms,
        )
        self._after_amend(command, outcome)
        return outcome

    def _may_amend(self, command: AmendOrder) -> bool:
        """Look once more: it rests as planned, no cancel follows it, its stop stands, and it would not take."""
        request = command.request
        if not ladder.may_place(self._state.kept_mode, Role.ENTRY):
            return False
        if not self._writer_allows(Role.ENTRY):
            return False
        own = self._state.orders.get(command.client_id)
        rests = own is not None and own.confirmed and own.cancel_sent_ms is None
        takes = self._takes(request.side, request.price)
        return rests and not takes and self._may_enter(command.trade_key)

    async def _journal_amendment(self, command: AmendOrder, asked: OwnOrder) -> bool:
        """Make the intent durable; what is not in time is not sent: an amendment never protects (M-4)."""
        wait_s = SLOW_INTENT_S if self._is_exposed() else None
        try:
            intent = AmendIntent(order=asked)
            kept = await self._journalist.written((*self._state.outbox.take(), intent), wait_s)
        except InvariantBroken:
            self._settle_amendment(command, AmendmentState.ABSENT)
            raise
        if kept:
            self._state.outbox.give_back(kept[:-1])
        return kept is not None and not kept

    def _after_amend(self, command: AmendOrder, outcome: Outcome) -> None:
        """The order as the venue shows it tells whether it stands as asked or has ended instead."""
        now = self._clock.now_ms()
        match outcome:
            case Accepted(report=None):
                self._settle_amendment(command, AmendmentState.DONE)
            case Accepted(report=report) if report is not None:
                own = self._state.orders[command.client_id]
                self._state.put(fold.fold(own, report, now), now)
            case Rejected(code=code):
                self._settle_amendment(command, AmendmentState.REFUSED, code)
                if code in FILTER_CODES:
                    self._filter_error()
            case _:
                pass  # the order's price will tell (X-4 e)

    def _settle_amendment(
        self, command: AmendOrder, state: AmendmentState, code: int | None = None
    ) -> None:
        now = self._clock.now_ms()
        own = self._state.orders[command.client_id]
        self._state.put(fold.settle_amendment(own, state, now, code), now)

    def _after_place(self, client_id: str, outcome: Outcome) -> None:
        now = self._clock.now_ms()
        own = self._state.orders[client_id]
        match outcome:
            case Accepted(report=report):
                own = own if report is None else fold.fold(own, report, now)
            case Rejected(code=code, message=message):
                own = fold.end_refused(own, code, message, now)
                if code in FILTER_CODES:
                    self._filter_error()
            case Unknown(code=code) if code == DUPLICATE_ID:
                own = fold.mark_duplicate(own, now)
            case Unknown():
                own = fold.mark_unknown(own)
        self._state.put(own, now)
        if own.echo_error is not None:
            self._say("critical", "S-11", f"{client_id}: the echo differs: {own.echo_error}")

    async def _cancel(self, command: CancelOrder, now: int) -> Outcome | None:
        if command.foreign:
            return await self._cancel_foreign(command, now)
        own = self._state.orders.get(command.client_id)
        if own is None or own.ended or own.duplicate:
            return None
        if own.cancel_sent_ms is None:
            words = cancel_note(own.client_id, command.cause.text)
            self._state.note(command.cause.rule, words, now)
        self._state.put(replace(own, cancel_sent_ms=now), now)
        timeout = self._policy.protect_timeout_ms
        if command.child_venue_id is not None:
            outcome = await self._exchange.cancel_by_venue_id(
                command.symbol, command.child_venue_id, timestamp_ms=now, timeout_ms=timeout
            )
        else:
            outcome = await self._exchange.cancel(
                command.symbol,
                command.channel,
                command.client_id,
                timestamp_ms=now,
                timeout_ms=timeout,
            )
        self._after_cancel(command, outcome)
        return outcome

    async def _cancel_foreign(self, command: CancelOrder, now: int) -> Outcome | None:
        """Y-7: somebody else's order, cancelled because the configuration wants it; asked again while it is listed."""
        if now - self._foreign_ms.get(command.client_id, 0) < FOREIGN_AGAIN_MS:
            return None
        self._foreign_ms[command.client_id] = now
        self._state.note(command.cause.rule, command.cause.text, now)
        return await self._exchange.cancel(
            command.symbol,
            command.channel,
            command.client_id,
            timestamp_ms=now,
            timeout_ms=self._policy.protect_timeout_ms,
        )

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

    async def _count_down(self, command: SetCountdown, timestamp_ms: int) -> Outcome:
        """Put the venue's countdown off, or take it away (E-7); an answer is waited for no longer than protection's."""
        outcome = await self._exchange.set_countdown(
            command.symbol,
            command.countdown_ms,
            timestamp_ms=timestamp_ms,
            timeout_ms=self._policy.protect_timeout_ms,
        )
        now = self._clock.now_ms()
        news = self._state.dead_man.saw(command, outcome, now)
        if news is not None:
            self._state.note(command.cause.rule, news, now)
        return outcome

    async def _set(self, command: SetLeverage | SetMarginMode, now: int) -> Outcome:
        """Whatever the answer, the setting is read back; a refusal keeps entries away for a while (E-4)."""
        if isinstance(command, SetLeverage):
            outcome = await self._exchange.set_leverage(
                command.symbol, command.leverage, timestamp_ms=now
            )
        else:
            outcome = await self._exchange.set_margin_mode(
                command.symbol, command.mode, timestamp_ms=now
            )
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
