"""The machine's engine: the real planner, memory, desk and observer, before a venue whose misbehaviour is told to it.

Nothing is drawn here: what is lost, late, refused, forgotten or not read was said before by a rule of the machine, so
that Hypothesis can leave it out again. Every command passes the witness on its way. The journal is what survives a
crash, which may happen before and after every write and every send.
"""

from dataclasses import dataclass, field, replace

from tests.properties.planner_machine_chase import check_amendment
from tests.properties.planner_machine_journal import Journal
from tests.properties.planner_machine_moves import Mover
from tests.properties.planner_machine_wire import Wire
from tests.properties.swarm_faults import Delivery
from tests.properties.swarm_oracles import PromiseBroken
from tests.properties.swarm_shell import observer_of
from tests.properties.swarm_venue import rests
from tests.standings import HARMLESS
from tests.worlds import BTC, world

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.command import AmendOrder, CancelOrder, Command, PlaceOrder, Plan
from jumar.model.journal import AmendIntent, Intent, StoreIdentity, TradeEnded
from jumar.model.levels import MarketLevels
from jumar.model.mode import Mode, ModeState
from jumar.model.order import TARGET_ROLES, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.standing import Standing
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import World
from jumar.planner import invariants, ladder
from jumar.planner.binding import bind
from jumar.planner.plan import plan
from jumar.planner.summary import summarize
from jumar.ports.decisions import Received
from jumar.reconciler.decide import DecisionDesk
from jumar.reconciler.state import SymbolState

WAKE_MS, TICK_MS, LATE_MS = 20, 1000, 2500
STORE = StoreIdentity(store_id="store", fresh=False)


class Died(Exception):  # noqa: N818 - the name says what happened
    """The process ended here."""


@dataclass(slots=True, kw_only=True)
class Fate:
    """What becomes of the next requests of some roles; None among them stands for cancels.

    Attributes:
        code: the refusal, None where the request or its answer is lost or late.
        left: how many requests it still meets.
    """

    roles: frozenset[Role | None]
    delivery: Delivery
    code: int | None
    left: int


@dataclass(slots=True, kw_only=True)
class Engine(Wire):
    """One symbol's loop.

    Attributes:
        fates: what the next requests meet, oldest first.
        underway: requests that reach the venue later, with their time. amending: amendments that do.
        hidden: parts of the world that nobody knows at the next look.
        dies_in: so many instants until the process ends, None for not soon. An instant is before and after each
            write and each send.
        received: the decision file as it stands.
        standing: how the account stands.
        levels: what the levels file says.
    """

    policy: Policy
    journal: Journal = field(default_factory=Journal)
    fates: list[Fate] = field(default_factory=list)
    underway: list[tuple[int, PlaceOrder]] = field(default_factory=list)
    amending: list[tuple[int, AmendOrder]] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    dies_in: int | None = None
    received: Received | None = None
    standing: Standing = HARMLESS
    levels: MarketLevels | None = None
    desk: DecisionDesk = field(init=False)
    mover: Mover = field(init=False)

    def __post_init__(self) -> None:
        """The first start, with an empty journal."""
        self.mover = Mover(self.witness, self.seen)
        self.boot()

    # lives

    def boot(self) -> None:
        """A start: everything is rebuilt from the journal, the decision file is read again."""
        memory = self.journal.memory()
        self.state = SymbolState(account="main", store_id=STORE.store_id, memory=memory)
        self.observer = observer_of(self.state, self.policy)
        self.desk = DecisionDesk.restore(memory, STORE, self.now_ms, ahead_ms=5000)
        self.dies_in = None
        given, state = world(), self.state
        state.instrument, state.streaming = BTC, True
        state.account_settings, state.settings = given.account_settings, given.settings
        state.balance = given.balance
        state.levels = self.levels
        state.saw_history(self.venue.history)
        self.witness.process_started(self.journal.orders.values())
        if self.received is not None:
            self._read_file(self.received)

    def _account_agrees(self, commands: list[Command]) -> None:
        """While the account stands so that nothing may be entered, no entry is sent (G-10, G-17)."""
        places = [command for command in commands if isinstance(command, PlaceOrder)]
        if self.standing != HARMLESS and any(p.request.role is Role.ENTRY for p in places):
            raise PromiseBroken("G-17", f"an entry while the account stands at {self.standing}")

    def restart(self) -> None:
        """The process is gone, and a new one starts."""
        self.note("restart")
        self.seen["restart with a position"] += self.venue.position != ZERO
        self.seen["restart with an unknown order"] += any(
            own.unresolved for own in self.state.orders.values()
        )
        self.boot()

    def _instant(self) -> None:
        """Somewhere between two instructions."""
        if self.dies_in is None:
            return
        self.dies_in -= 1
        if self.dies_in < 0:
            raise Died

    def deliver(self, received: Received) -> None:
        """The decision file has a new content."""
        self.received = received
        self._read_file(received)

    def _read_file(self, received: Received) -> None:
        decision, now = received.decision, self.now_ms
        found = None if decision is None else bind(decision, self.levels, now, self.policy)
        for record in self.desk.receive(received, now, found):
            self.state.outbox.add(record)

    def write_levels(self, levels: MarketLevels) -> None:
        """The levels file says something else from now on."""
        self.levels = self.state.levels = levels

    def keep(self, code: str) -> None:
        """M-1: what leads to a stricter mode is kept, until an operator looks or everything is flat."""
        kept = ladder.stricter(self.state.mode, ladder.state(code, "for 1 reason", self.now_ms))
        if kept is not None:
            self.state.set_mode(kept)
            self.seen[f"kept {code}"] += 1

    def resume(self) -> None:
        """M-1: an operator looked; an emergency close under way is not ended by that."""
        kept = self.state.mode
        if kept is not None and kept.mode in {Mode.NO_ENTRIES, Mode.PROTECT_ONLY}:
            normal = ModeState(mode=Mode.NORMAL, rule="M-1", cause="resumed", since_ms=self.now_ms)
            self.state.set_mode(normal)
            self.seen["resumed"] += 1

    @property
    def troubled(self) -> bool:
        """Whether anything is wrong now that excuses a delay."""
        ill = any(self.is_blind(part) for part in self.blind_until) or bool(self.hidden)
        orders = self.venue.orders.values()
        odd = any(max(each.hidden_until, each.deaf_until) > self.now_ms for each in orders)
        slow = bool(self.fates or self.underway or self.amending) or self.now_ms < self.lags_until
        return ill or odd or slow or self.dies_in is not None

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self.fates.clear()
        self.blind_until.clear()
        self.hidden, self.lags_until, self.dies_in = frozenset(), 0, None
        self.standing = HARMLESS
        for order in self.venue.orders.values():
            order.hidden_until = order.deaf_until = 0

    def idle(self) -> bool:
        """Whether no trade is open and nothing is left that one would be made of."""
        alive = any(order.alive for order in self.venue.orders.values())
        return self.state.trade is None and self.venue.position == ZERO and not alive

    # the loop

    def pass_time(self, ms: int, *, child: str = "sells all") -> None:
        """Time passes in ticks of the loop; `child` is what becomes of stops and targets that trigger."""
        while ms > 0:
            step = min(ms, TICK_MS)
            self._advance(step)
            self.trigger(child=child)
            self.wake()
            ms -= step

    def sleep(self, ms: int) -> None:
        """Nobody looks for so long."""
        self.seen["nobody looked for ten minutes"] += 1
        self._advance(ms, watched=False)

    def _advance(self, ms: int, *, watched: bool = True) -> None:
        self.now_ms += ms
        self.venue.now_ms = self.now_ms
        self.pay_funding(self.now_ms - ms)
        self.witness.passed(ms, clean=watched and not self.troubled)
        self._arrivals()
        self.hear_market()

    def wake(self) -> None:
        """Look and send until there is nothing more to send at this moment; a death on the way is a restart."""
        try:
            self.hear_market()
            self._read()
            wakes = 0
            while self._look():
                wakes += 1
                self.witness.woken(wakes)
                self._advance(WAKE_MS)
        except Died:
            self.seen["died between two instructions"] += 1
            self.restart()
        finally:
            self.hidden = frozenset()
        self.witness.looked()

    def _look(self) -> bool:
        """One tick: plan, check, record, send, record; whether anything was done."""
        state = self.state
        state.decision = self.desk.state
        nothing = dict.fromkeys(self.hidden)
        known = replace(state.world(self.now_ms), standing=self.standing)
        seen: World = replace(known, **nothing)  # type: ignore[arg-type]  # parts by name
        planned = plan(seen, self.policy)
        invariants.check(seen, planned, self.policy)
        state.saw_cover(uncovered=planned.uncovered, now_ms=self.now_ms)
        self.seen.update({f"alarm {alarm.rule}" for alarm in planned.alarms})
        if planned.mode is not None and planned.mode != state.mode:
            self.note(f"mode {planned.mode.mode}: {planned.mode.cause}")
            self.seen[f"mode {planned.mode.mode}"] += 1
            state.set_mode(planned.mode)
        if planned.trade is not None and planned.trade.ended_ms is not None:
            self._end(seen, planned.trade)
            return True
        if planned.trade is not None:
            self._take_over(planned.trade, planned)
        commands = [approved.command for approved in planned.commands]
        self._account_agrees(commands)
        kept = None if seen.mode is None else seen.mode.mode
        self.witness.planned(commands, mode=kept, now_ms=self.now_ms)
        for command in commands:
            self._send(command)
        self._flush()
        return bool(commands)

    def _flush(self) -> None:
        self._instant()
        self.journal.write(self.state.outbox.take())

    def _take_over(self, trade: Trade, planned: Plan) -> None:
        """Record the trade as it is now; a new one is judged by what it was made of."""
        before = self.state.trade
        if before is None:
            self.witness.opened(trade)
            self.note(f"opened {trade.key} {trade.side} {trade.planned_quantity}")
            self.seen["adopted" if trade.adopted else f"opened {trade.side}"] += 1
        if before is not None and before.guiding.id != trade.guiding.id:
            self.witness.followed(before, trade)
            word = "passed" if before.decision.id != trade.decision.id else "guided"
            self.note(f"{word}: {trade.key} follows {trade.guiding.id}")
            self.seen[word] += 1
        if trade.closing is not None and (before is None or before.closing is None):
            self.note(f"closing {trade.closing} ({trade.closing_rule})")
            self.seen[f"closed by {trade.closing_rule}"] += 1
        if trade.proven_flat_ms is not None and (before is None or before.proven_flat_ms is None):
            self.seen.update(f"flat by {note.rule}" for note in planned.notes)
        self.state.set_trade(trade)
        for order in planned.adopted:
            self.state.adopt(order, self.now_ms)

    def _end(self, seen: World, trade: Trade) -> None:
        """Record the end and what it spends together; an unfilled set-up keeps its attempts."""
        self.witness.ended(trade.key)
        summary = summarize(seen, trade)
        self.seen[
            "ended unfilled" if summary is None else f"ended {trade.closing or 'by itself'}"
        ] += 1
        self.note(f"ended {trade.key}")
        self.state.record_hands(seen.fills)
        self.state.outbox.add(TradeEnded(trade=trade, summary=summary))
        self._flush()
        filled_ms = None if summary is None else summary.last_fill_ms
        self.state.end_trade(trade.key, filled_ms=filled_ms, ended_ms=self.now_ms)
        self.desk.trade_ended(trade, summary)
        self._read()

    # sending

    def _fate(self, role: Role | None) -> Fate | None:
        for fate in self.fates:
            if role in fate.roles:
                fate.left -= 1
                self.fates = [each for each in self.fates if each.left > 0]
                return fate
        return None

    def _send(self, command: Command) -> None:
        before = self.witness.effective()
        match command:
            case PlaceOrder():
                self._place(command)
            case AmendOrder():
                self._amend(command)
            case CancelOrder():
                self._cancel(command)
            case _:
                raise PromiseBroken("E-4", f"a setting that is already as wanted: {command}")
        self.witness.moved(before, command)

    def _place(self, command: PlaceOrder) -> None:
        """Journal, send, journal (X-2)."""
        self._instant()
        own = command.journaled(self.now_ms)
        self.journal.write((*self.state.outbox.take(), Intent(order=own)))
        self.state.orders[own.client_id] = own
        self.witness.sent(command, self.now_ms)
        mark = self.state.prices.mark
        self.mover.sent(
            command,
            self.state.trade,
            self.policy,
            mark=None if mark is None else mark.value,
            levels=self.levels,
        )
        self._instant()
        fate = self._fate(command.request.role)
        delivery = Delivery.ANSWERED if fate is None else fate.delivery
        code = None
        if delivery is Delivery.LATE:
            self.underway.append((self.now_ms + LATE_MS, command))
            self.witness.is_underway(command)
        elif delivery is not Delivery.LOST:
            code = self._execute(command, None if fate is None else fate.code)
        self._note_placed(command, delivery, code)
        self._instant()
        self._answer(own, delivery, code)

    def _note_placed(self, command: PlaceOrder, delivery: Delivery, code: int | None) -> None:
        request = command.request
        words = (
            f"+ {request.client_id} {request.quantity} at {request.price or request.trigger_price}"
        )
        self.note(f"{words}, {delivery if code is None else code}: {command.cause}")
        ratchet = self.witness.ratchet.get(command.trade_key)
        if request.role is Role.STOP and ratchet is not None and self.venue.position != ZERO:
            tighter = (request.trigger_price or ZERO) * self.witness.sign > ratchet
            self.seen["stop moved" if tighter else "stop restored"] += 1
        self.seen["invisible stop replaced"] += command.cause.rule == "S-13"
        self.seen["entry takes"] += command.cause.rule == "E-6"
        self.seen["entry again"] += request.role is Role.ENTRY and command.attempt > 1
        self.seen["reached target sold"] += (
            request.role in TARGET_ROLES and not request.trigger_price
        )
        if code is not None:
            self.seen[f"refused {request.role.name}"] += 1
        elif delivery is not Delivery.ANSWERED:
            self.seen[f"{delivery} {request.role.name}"] += 1

    def _answer(self, own: OwnOrder, delivery: Delivery, code: int | None) -> None:
        state, now = self.state, self.now_ms
        own = state.orders[own.client_id]
        if delivery is not Delivery.ANSWERED:
            state.put(fold.mark_unknown(own), now)
        elif code is not None:
            self.witness.refused(own.client_id)
            state.put(fold.end_refused(own, code, "refused", now), now)
        else:
            self._told(self.venue.orders[own.client_id])

    def _execute(self, command: PlaceOrder, injected: int | None) -> int | None:
        """The request reaches the venue; the code of its refusal, None when it is accepted."""
        request = command.request
        code = None if injected is None else self.venue.reason(injected, request)
        code = self.venue.refusal(request) if code is None else code
        if code is not None:
            return code
        order = self.venue.accept(request, command.trade_key)
        self.witness.accepted(order)
        if not rests(request):
            self.venue.take(order)
        self.happened(theirs=False)
        return None

    def _arrivals(self) -> None:
        due = [command for at_ms, command in self.underway if at_ms <= self.now_ms]
        self.underway = [late for late in self.underway if late[0] > self.now_ms]
        for command in due:
            self.witness.arrives(command)
            code = self._execute(command, None)
            self.seen["arrived late"] += code is None
            self.note(f"{command.request.client_id} arrives late, {code or 'accepted'}")
        moves = [command for at_ms, command in self.amending if at_ms <= self.now_ms]
        self.amending = [late for late in self.amending if late[0] > self.now_ms]
        for move in moves:
            moved = self.venue.amend(move.request)
            self.seen["amendment arrived late"] += moved is not None
            self.seen["ended instead of amended"] += moved is not None and not moved.alive
            self.note(f"an amendment of {move.client_id} arrives late")

    def _amend(self, command: AmendOrder) -> None:
        """Journal, send, journal (X-2); the order's price tells what became of it (X-4 e)."""
        self._instant()
        check_amendment(self.witness, command, self.policy, self.now_ms)
        own = fold.ask_amendment(
            self.state.orders[command.client_id], command.journaled(self.now_ms)
        )
        self.journal.write((*self.state.outbox.take(), AmendIntent(order=own)))
        self.state.orders[own.client_id] = own
        self._instant()
        fate = self._fate(Role.ENTRY)
        delivery = Delivery.ANSWERED if fate is None else fate.delivery
        code = None if fate is None else fate.code
        self.note(f"~ {own.client_id} to {command.request.price}, {delivery}: {command.cause}")
        self.seen[f"amendment {delivery if code is None else 'refused'}"] += 1
        if delivery is Delivery.LATE:
            self.amending.append((self.now_ms + LATE_MS, command))
        elif delivery is not Delivery.LOST and code is None:
            moved = self.venue.amend(command.request)
            self.seen["ended instead of amended"] += moved is not None and not moved.alive
            self.happened(theirs=False)
        self._instant()
        if code is not None:
            self.witness.amendment_refused(own.client_id)
            refused = fold.settle_amendment(own, AmendmentState.REFUSED, self.now_ms, code)
            self.state.put(refused, self.now_ms)
        elif delivery is Delivery.ANSWERED:
            self._told(self.venue.orders[own.client_id])

    def _cancel(self, command: CancelOrder) -> None:
        state, now, name = self.state, self.now_ms, command.client_id
        own = replace(state.orders[name], cancel_sent_ms=now)
        state.put(own, now)
        self.witness.cancelled(name, now)
        fate = self._fate(None)
        delivery = Delivery.ANSWERED if fate is None else fate.delivery
        self.note(f"- {name}, {delivery}: {command.cause}")
        order = self.venue.orders.get(name)
        arrives = delivery in {Delivery.ANSWERED, Delivery.UNANSWERED}
        found = order is not None and order.alive and not order.triggered
        if arrives and order is not None and found:
            self.venue.cancel(order)
            self.happened(theirs=False)
        self._instant()
        if delivery is not Delivery.ANSWERED:
            self.seen["cancel without an answer"] += 1
        elif order is not None and found:
            self._told(order)
        elif order is None or not order.alive:
            self._cancel_found_nothing(own)

    def _cancel_found_nothing(self, own: OwnOrder) -> None:
        """-2011: it proves something only of what the venue knew or what could not arrive any more (X-4 b)."""
        dead_ms = (
            own.journaled_ms + self.policy.recv_window_ms + 1000 + self.policy.clock_uncertainty_ms
        )
        if own.acked_ms is not None or self.now_ms > dead_ms:
            self.witness.cancel_found_nothing(own.client_id, self.now_ms)
            first = own.cancel_unknown_ms or self.now_ms
            self.state.put(replace(own, cancel_unknown_ms=first), self.now_ms)
