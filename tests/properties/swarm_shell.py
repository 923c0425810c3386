"""The smallest loop around the real planner: observe, plan, send, against the swarm's venue.

What the engine keeps is kept by the engine's own `SymbolState` and `DecisionDesk`; the `Observer` says what must be
asked. Requests meet the run's faults on their way; every command passes the judge as it leaves.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tests.properties.swarm_chase import amendments_arrive, send_amendment
from tests.properties.swarm_faults import Delivery, Dice, Faults
from tests.properties.swarm_oracles import Judge, PromiseBroken
from tests.properties.swarm_venue import SYMBOL, Venue, VenueOrder, half, rests
from tests.standings import HARMLESS
from tests.worlds import BTC, D, world

from jumar.model import fold
from jumar.model.command import AmendOrder, CancelOrder, Command, PlaceOrder, Plan
from jumar.model.decision import Decision
from jumar.model.journal import StoreIdentity, SymbolMemory
from jumar.model.mode import Mode
from jumar.model.order import TARGET_ROLES, Channel, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import DecisionState, Observed, Quote, Source, World
from jumar.planner import invariants
from jumar.planner.plan import plan
from jumar.planner.summary import summarize
from jumar.planner.sweep import dead_after_ms
from jumar.ports import exchange as port
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.observe import Observer, missed
from jumar.reconciler.state import SymbolState

WAKE_MS = 20


def observer_of(state: SymbolState, policy: Policy) -> Observer:
    """The engine's own observer, asked only what is due: it never reads by itself here."""
    nothing = cast(Any, None)
    return Observer(state=state, policy=policy, exchange=nothing, shared=nothing, clock=nothing)


@dataclass(slots=True, kw_only=True)
class Shell:
    """One engine of one symbol.

    Attributes:
        calm: whether faults are off.
        underway: requests without an answer that reach the venue later, with their time. amending: amendments.
        hidden: parts of the world that nobody knows at this moment.
        modes: the modes that were kept, in their order.
        sent: client ids that the present database knows.
        stores: how many databases the run has used up.
        seen: which paths this run visited, counted.
        log: the last steps, for people.
    """

    venue: Venue
    judge: Judge
    chance: Dice
    faults: Faults
    policy: Policy
    state: SymbolState
    desk: DecisionDesk
    observer: Observer
    now_ms: int
    underway: list[tuple[int, PlaceOrder]] = field(default_factory=list)
    amending: list[tuple[int, AmendOrder]] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    modes: list[Mode] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    stores: int = 1
    calm: bool = True
    step: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=400))

    @classmethod
    def start(
        cls,
        *,
        venue: Venue,
        judge: Judge,
        chance: Dice,
        faults: Faults,
        policy: Policy,
        first: Decision,
    ) -> "Shell":
        """An engine with an empty past that has read everything once."""
        memory = SymbolMemory(symbol=SYMBOL)
        state = SymbolState(account="main", store_id="store 1", memory=memory)
        shell = cls(
            venue=venue,
            judge=judge,
            chance=chance,
            faults=faults,
            policy=policy,
            state=state,
            desk=DecisionDesk(symbol=SYMBOL, ahead_ms=5000, spent=set()),
            observer=observer_of(state, policy),
            now_ms=venue.now_ms,
        )
        shell._furnish()
        shell.decide(first)
        shell.hear_market()
        shell.read()
        return shell

    @property
    def world(self) -> World:
        """The world as the engine has it, less what is hidden at this moment."""
        nothing = dict.fromkeys(self.hidden)
        known = replace(self.state.world(self.now_ms), standing=HARMLESS)
        return replace(known, **nothing)  # type: ignore[arg-type]  # parts by name

    def unlucky(self, probability: float) -> bool:
        """Whether something goes wrong now."""
        return not self.calm and self.chance.random() < probability

    def note(self, words: str) -> None:
        """Remember a step for people."""
        seconds = (self.now_ms - self.judge.started_ms) / 1000
        venue = self.venue
        self.log.append(f"{seconds:8.2f} s  at {venue.price}, holds {venue.position}: {words}")

    def idle(self) -> bool:
        """Whether no trade is open and nothing is left that one would be made of."""
        alive = any(order.alive for order in self.venue.orders.values())
        return self.state.trade is None and self.venue.position == ZERO and not alive

    def decide(self, newer: Decision, refusals: tuple[tuple[str, str], ...] = ()) -> None:
        """A decision comes into force, spent or not."""
        spent = self.desk.why_spent(newer)
        self.desk.state = DecisionState(decision=newer, spent=spent, refusals=refusals)

    # crashes

    def crash(self, *, loses_journal: bool) -> None:
        """The process dies and comes back, with what the store remembers or with an empty store."""
        before = self.state
        self.note("crash" + (", the journal is lost" if loses_journal else ""))
        self.seen["journal lost" if loses_journal else "crash"] += 1
        if loses_journal:
            self.later(6000, read=False)  # longer than a request of the dead process can live
            self.stores += 1
            self.modes.clear()
            self.sent.clear()
            for order in self.venue.orders.values():
                order.believed = False
        memory = SymbolMemory(symbol=SYMBOL) if loses_journal else self._memory(before)
        identity = StoreIdentity(store_id=f"store {self.stores}", fresh=loses_journal)
        decision, self.desk.state = self.desk.state, None
        if loses_journal:
            self.desk = DecisionDesk.restore(memory, identity, self.now_ms, ahead_ms=5000)
        self.state = SymbolState(
            account="main", store_id=identity.store_id, memory=memory, journal_fresh=loses_journal
        )
        self.observer = observer_of(self.state, self.policy)
        self.judge.looked_ms = 0
        self._furnish()
        if decision is not None:
            self.decide(decision.decision, decision.refusals)

    def _memory(self, before: SymbolState) -> SymbolMemory:
        trade = before.trade
        fills = (fill for fill in before.executions.fills.values() if trade is not None)
        return SymbolMemory(
            symbol=SYMBOL,
            trade=trade,
            orders=tuple(before.orders.values()),
            fills=tuple(fills),
            last_end_ms=before.last_end_ms,
            mode=before.mode,
            entry_ids=frozenset(self.sent),
        )

    def _furnish(self) -> None:
        """What every start reads, and what never changes here."""
        given, state = world(), self.state
        state.instrument = replace(
            BTC, multiplier_up=self.faults.band_up, multiplier_down=self.faults.band_down
        )
        state.account_settings, state.settings = given.account_settings, given.settings
        state.balance = given.balance
        state.streaming = True
        state.saw_history(self.venue.history)
        if state.entries_through_ms is not None:
            self.desk.spend_through(state.entries_through_ms)

    # the loop

    def later(self, ms: int, *, read: bool = True) -> None:
        """Time passes: what is underway arrives, the market is heard, truth is read."""
        self.now_ms += ms
        self.venue.now_ms = self.now_ms
        self._arrivals()
        self.hear_market()
        if read:
            self.read()

    def tick(self) -> None:
        """Wake the planner until it has nothing more to send at this moment."""
        wakes = 0
        while commands := self._look():
            wakes += 1
            self.judge.check_wake(wakes, len(commands))
            for command in commands:
                before = self.judge.cover()
                self._send(command)
                self.judge.check_cover(before, command)
            self.later(WAKE_MS, read=self.unlucky(0.1))

    def _look(self) -> list[Command]:
        state = self.state
        state.decision = self.desk.state
        seen = self.world
        planned = plan(seen, self.policy)
        invariants.check(seen, planned, self.policy)
        state.saw_cover(uncovered=planned.uncovered, now_ms=self.now_ms)
        self.seen.update({f"alarm {alarm.rule}" for alarm in planned.alarms})
        self._keep_mode(planned)
        trade = planned.trade
        if trade is None:
            return [approved.command for approved in planned.commands]
        self._adopt(trade, planned)
        for alarm in planned.alarms:
            self.judge.check_alarm(alarm.rule)
        if trade.ended_ms is not None:
            self._end(seen, trade)
            return []
        state.outbox.take()
        return [approved.command for approved in planned.commands]

    def _keep_mode(self, planned: Plan) -> None:
        if planned.mode is None or planned.mode == self.state.mode:
            return
        self.note(f"mode {planned.mode.mode}: {planned.mode.cause}")
        self.modes.append(planned.mode.mode)
        self.seen[f"mode {planned.mode.mode}"] += 1
        self.state.set_mode(planned.mode)

    def _adopt(self, trade: Trade, planned: Plan) -> None:
        """Take over the trade; a new one is judged by what it was made of."""
        state = self.state
        if state.trade is None and trade.adopted:
            self.judge.trade_adopted(trade, planned.adopted)
            self.note(f"adopted {trade.side} {trade.adopted_quantity}: {planned.notes[0]}")
            self.seen["adopted orders" if planned.adopted else "adopted bare"] += 1
        elif state.trade is None and state.decision is not None:
            self.venue.forget()
            self.judge.trade_opened(trade, state.decision.decision)
            self.note(f"opened {trade.side} {trade.planned_quantity}, stop {trade.initial_stop}")
            self.seen[f"opened {trade.side}"] += 1
        elif planned.adopted:
            self.judge.orders_adopted(trade, planned.adopted)
            self.seen["adopted late"] += 1
        if state.trade is not None and trade.closing is not state.trade.closing:
            self.note(f"closing {trade.closing} ({trade.closing_rule})")
            self.judge.check_alarm(trade.closing_rule or "")
            self.seen[f"closed by {trade.closing_rule}"] += 1
        if trade.proven_flat_ms is not None and planned.notes:
            self.seen.update(f"flat by {note.rule}" for note in planned.notes)
        state.set_trade(trade)
        for order in planned.adopted:
            state.adopt(order, self.now_ms)

    def _end(self, seen: World, trade: Trade) -> None:
        """Forget the trade; one that filled or was voided spends its decision, another keeps its attempts."""
        self.judge.trade_ended(trade, len(self.underway))
        summary = summarize(seen, trade)
        reason = "unfilled" if summary is None else trade.closing or "unclosed"
        self.seen[f"ended {reason}"] += 1
        self.note(f"ended, closing {trade.closing}")
        filled_ms = None if summary is None else summary.last_fill_ms
        self.state.end_trade(trade.key, filled_ms=filled_ms, ended_ms=self.world.now_ms)
        self.desk.trade_ended(trade, summary)
        self.state.outbox.take()
        self.venue.forget()

    # sending

    def _send(self, command: Command) -> None:
        match command:
            case PlaceOrder():
                self._place(command)
            case AmendOrder():
                send_amendment(self, command)
            case CancelOrder():
                self._cancel(command)
            case _:
                raise PromiseBroken("E-4", f"a setting that is already as wanted: {command}")

    def delivery(self, role: Role | None) -> Delivery:
        """What becomes of the next request."""
        return (
            Delivery.ANSWERED if self.calm else self.faults.delivery(role, self.step, self.chance)
        )

    def _place(self, command: PlaceOrder) -> None:
        self.judge.check_place(command)
        self._count_placement(command)
        self.sent.add(command.request.client_id)
        request, now = command.request, self.now_ms
        own = command.journaled(now)
        self.state.orders[request.client_id] = own
        delivery = self.delivery(request.role)
        price = request.price or request.trigger_price
        words = f"+ {request.client_id} {request.quantity} at {price}, {delivery}"
        code = None
        if delivery is Delivery.LATE:
            self.underway.append(
                (now + self.chance.randrange(1, self.policy.recv_window_ms), command)
            )
        elif delivery is not Delivery.LOST:
            code = self._execute(command)
        self.note((words if code is None else f"{words}, refused {code}") + f": {command.cause}")
        own = self.state.orders[request.client_id]
        if delivery is not Delivery.ANSWERED:
            self.state.put(own if self.faults.crashes else fold.mark_unknown(own), now)
        elif code is not None:
            self.state.put(fold.end_refused(own, code, "refused", now), now)
        else:
            self.tell(self.venue.orders[request.client_id])

    def _execute(self, command: PlaceOrder) -> int | None:
        """The request reaches the venue; the code of its refusal, None when it is accepted."""
        request = command.request
        code = None if self.calm else self.faults.refusal(request, self.step, self.chance)
        code = None if code is None else self.venue.reason(code, request)
        code = code if code is not None else self.venue.refusal(request)
        if code is not None:
            self.seen[f"refused {request.role.name}"] += 1
            self.seen[f"code {code} for {request.role.name}"] += 1
            return code
        if request.role is Role.ENTRY:
            self.judge.check_one_entry(request.quantity or ZERO)
        order = self.venue.accept(request, command.trade_key)
        self.judge.check_stops_alive()
        if not rests(request):
            self.venue.take(order, half(order.left) if self.unlucky(0.3) else None)
            self.hear_fills()
        return None

    def _arrivals(self) -> None:
        due = [command for at_ms, command in self.underway if at_ms <= self.now_ms]
        self.underway = [late for late in self.underway if late[0] > self.now_ms]
        for command in due:
            code = self._execute(command)
            self.seen["arrived late"] += 1
            self.note(f"{command.request.client_id} arrives late, {code or 'accepted'}")
        amendments_arrive(self)

    def _cancel(self, command: CancelOrder) -> None:
        own = replace(self.state.orders[command.client_id], cancel_sent_ms=self.now_ms)
        self.state.put(own, self.now_ms)
        delivery = self.delivery(None)
        self.note(f"- {command.client_id}, {delivery}: {command.cause}")
        if delivery in {Delivery.LOST, Delivery.LATE}:
            return
        order = self.venue.orders.get(command.client_id)
        alive = order is not None and order.alive
        if order is not None and order.alive and not order.triggered:
            self.venue.cancel(order)
        if delivery is Delivery.ANSWERED:
            self._cancel_answered(own, order, alive=alive)

    def _cancel_answered(self, own: OwnOrder, order: VenueOrder | None, *, alive: bool) -> None:
        """Success tells the end; "unknown order" proves something only of what could not arrive any more."""
        if order is not None and order.alive:
            return  # triggered: its child is executing and cannot be cancelled
        if order is not None and (alive or self.chance.random() < 0.5):
            self._told(order)
            return
        if own.acked_ms is not None or self.now_ms > dead_after_ms(own, self.policy):
            first = own.cancel_unknown_ms or self.now_ms
            self.state.put(replace(own, cancel_unknown_ms=first), self.now_ms)

    # hearing

    def tell(self, order: VenueOrder) -> None:
        """An answer, event or read says how an order stands; one of a lost journal is somebody's."""
        if order.request.client_id in self.state.orders and not self.venue.is_hidden(order):
            self._told(order)

    def _told(self, order: VenueOrder) -> None:
        own = self.state.orders[order.request.client_id]
        if own.unresolved and self.now_ms > own.journaled_ms:
            self.seen["unknown found"] += 1
        self.judge.told(order)
        self.state.saw_order(self.venue.report(order), self.now_ms)

    def hear_fills(self) -> None:
        """Executions are told as they happen; now and then one is not, or the account event beside it."""
        new = self.venue.fills[self.venue.told :]
        self.venue.told = len(self.venue.fills)
        if not new:
            return
        self.judge.check_fills()
        for fill in new:
            if not self.unlucky(0.1):
                self.state.saw_fill(fill)
        if not self.unlucky(0.1):
            report = self.venue.position_report()
            self.state.apply(port.PositionEvent(report=report, at_ms=self.now_ms), self.now_ms)
            self.judge.looked_ms = self.now_ms

    def hear_market(self) -> None:
        """Mark, last and quote of this moment."""
        price = self.venue.price
        quote = Quote(bid=price, ask=price + D("0.1"), bid_quantity=D(5), ask_quantity=D(5))
        at = self.now_ms
        events: Iterable[port.VenueEvent] = (
            port.MarkEvent(symbol=SYMBOL, mark=price, at_ms=at),
            port.LastPriceEvent(symbol=SYMBOL, price=price, at_ms=at),
            port.QuoteEvent(symbol=SYMBOL, quote=quote, at_ms=at),
        )
        for event in events:
            self.state.apply(event, at)

    # reading

    def read(self) -> None:
        """Position, both lists, what must be asked by id, executions that are missing; some reads fail."""
        state, now = self.state, self.now_ms
        if not self.unlucky(0.2):
            read = Observed(value=self.venue.position_report(), at_ms=now, source=Source.REST)
            state.saw_position(read)
            self.judge.looked_ms = now
        for channel in Channel:
            if not self.unlucky(0.2):
                self._read_list(channel)
        for own in list(state.orders.values()):
            if self.observer._must_ask(own, now) and not self.unlucky(0.3):
                self.observer._asked[own.client_id] = now
                self._ask(own)
        if state.trade is not None and self.observer._fills_are_missing(now):
            self._read_fills(state.trade.armed_ms - 1000)
        self.observer._note_ready()

    def _read_list(self, channel: Channel) -> None:
        listed = self.venue.listed(channel)
        for order in listed:
            if order.request.client_id in self.state.orders:
                self.judge.told(order)
        reports = tuple(self.venue.report(order) for order in listed)
        self.state.saw_list(channel, reports, self.now_ms, self.now_ms)

    def _read_fills(self, since_ms: int) -> None:
        may_be_forced = self.observer._may_be_forced(self.now_ms)
        if not self.unlucky(0.3):
            for fill in self.venue.fills:
                if fill.time_ms >= since_ms:
                    self.state.saw_fill(fill)
            self.state.executions.read_ms = self.now_ms
        if may_be_forced and not self.unlucky(0.3):
            self.state.executions.saw_forced((), self.now_ms)

    def _ask(self, own: OwnOrder) -> None:
        order = self.venue.orders.get(own.client_id)
        if order is not None and not self.venue.is_hidden(order):
            self.tell(order)
            read = self.state.orders[own.client_id]
            self.state.put(self.observer._settled(read, self.now_ms, self.now_ms), self.now_ms)
            return
        after = missed(self.state.orders[own.client_id], self.now_ms, self.now_ms)
        self.state.put(after, self.now_ms)
        if after.ended:
            conditional = own.request.channel is Channel.CONDITIONAL
            self.seen["presumed dead" if conditional else "proven absent"] += 1

    # counting

    def _count_placement(self, command: PlaceOrder) -> None:
        request = command.request
        if request.role is Role.ENTRY and command.attempt > 1:
            self.seen["entry again"] += 1
        if request.role in TARGET_ROLES and request.channel is Channel.REGULAR:
            self.seen["reached target sold"] += 1
        if request.role is Role.FULL_EXIT and request.price is not None:
            self.seen["exit in slices"] += 1
        if command.cause.rule == "S-13":
            self.seen["invisible stop replaced"] += 1
        ratchet = self.judge.ratchet.get(command.trade_key)
        if request.role is Role.STOP and ratchet is not None and self.venue.position != ZERO:
            tighter = (request.trigger_price or ZERO) * self.judge.sign > ratchet
            self.seen["stop moved" if tighter else "stop restored"] += 1
            alone = not self.judge.working_stop_rests() and self.judge.backstop_covers()
            self.seen["working stop missing before its backstop"] += alone
