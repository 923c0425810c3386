"""The smallest loop around the real planner: plan, journal, send, read, against the swarm's venue.

What it keeps is what the engine keeps: a journal of own orders, fills, the last reads. Requests meet the run's
faults on their way; every command passes the judge as it leaves. Observations are folded by the real `fold`.
"""

from collections import Counter, deque
from dataclasses import dataclass, field, replace

from tests.properties.swarm_faults import Delivery, Dice, Faults
from tests.properties.swarm_oracles import Judge, PromiseBroken
from tests.properties.swarm_venue import Venue, VenueOrder, half, rests
from tests.worlds import D

from jumar.model import fold
from jumar.model.command import CancelOrder, Command, PlaceOrder
from jumar.model.order import TARGET_ROLES, Channel, OrderStatus, OwnOrder, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO
from jumar.model.world import Observed, Quote, Source, World
from jumar.planner import invariants
from jumar.planner.plan import plan
from jumar.planner.sweep import dead_after_ms
from jumar.reconciler.observe import _missed

WAKE_MS = 20


@dataclass(slots=True, kw_only=True)
class Shell:
    """One engine of one symbol.

    Attributes:
        calm: whether faults are off.
        underway: requests without an answer that reach the venue later, with their time.
        seen: which paths this run visited, counted.
        log: the last steps, for people.
    """

    venue: Venue
    judge: Judge
    chance: Dice
    faults: Faults
    policy: Policy
    world: World
    journal: dict[str, OwnOrder] = field(default_factory=dict)
    underway: list[tuple[int, PlaceOrder]] = field(default_factory=list)
    calm: bool = True
    step: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=40))

    def unlucky(self, probability: float) -> bool:
        """Whether something goes wrong now."""
        return not self.calm and self.chance.random() < probability

    def note(self, words: str) -> None:
        """Remember a step for people."""
        seconds = (self.world.now_ms - self.judge.started_ms) / 1000
        venue = self.venue
        self.log.append(f"{seconds:8.2f} s  at {venue.price}, holds {venue.position}: {words}")

    def idle(self) -> bool:
        """Whether no trade is open."""
        return self.world.trade is None

    # the loop

    def later(self, ms: int, *, read: bool = True) -> None:
        """Time passes: what is underway arrives, the market is heard, truth is read."""
        now = self.world.now_ms + ms
        self.venue.now_ms = now
        self.world = replace(self.world, now_ms=now)
        self._arrivals()
        self.hear_market()
        if read:
            self._read()

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
        self._sync()
        planned = plan(self.world, self.policy)
        invariants.check(self.world, planned, self.policy)
        trade = planned.trade
        if trade is not None:
            self._adopt(trade)
        if trade is not None and trade.ended_ms is not None:
            self._end(trade)
            return []
        return [approved.command for approved in planned.commands]

    def _sync(self) -> None:
        trade = self.world.trade
        orders = self.journal.values()
        own = (order for order in orders if trade is None or order.trade_key == trade.key)
        self.world = replace(self.world, orders=tuple(own))

    def _adopt(self, trade: Trade) -> None:
        if self.world.trade is None and self.world.decision is not None:
            self.judge.trade_opened(trade, self.world.decision.decision)
            self.note(f"opened {trade.side} {trade.planned_quantity}, stop {trade.initial_stop}")
            self.seen[f"opened {trade.side}"] += 1
        self.world = replace(self.world, trade=trade)

    def _end(self, trade: Trade) -> None:
        """Forget the trade; one that filled or was voided spends its decision, another keeps its attempts."""
        self.judge.trade_ended(trade.decision.id, len(self.underway))
        filled = any(fill.side is trade.side for fill in self.world.fills)
        self.seen[f"ended {trade.closing or 'unclosed'}" if filled else "ended unfilled"] += 1
        self.note(f"ended, closing {trade.closing}")
        kept = {} if filled else {k: o for k, o in self.journal.items() if o.trade_key == trade.key}
        self.journal = kept
        self.venue.forget()
        state = self.world.decision
        spent = filled or trade.voided is not None
        if spent and state is not None and state.decision.id == trade.decision.id:
            state = replace(state, spent="its trade is over")
        self.world = replace(self.world, trade=None, fills=(), decision=state)

    # sending

    def _send(self, command: Command) -> None:
        match command:
            case PlaceOrder():
                self._place(command)
            case CancelOrder():
                self._cancel(command)
            case _:
                raise PromiseBroken("E-4", f"a setting that is already as wanted: {command}")

    def _delivery(self) -> Delivery:
        return Delivery.ANSWERED if self.calm else self.faults.delivery(self.chance)

    def _place(self, command: PlaceOrder) -> None:
        self.judge.check_place(command)
        self._count_placement(command)
        request, now = command.request, self.world.now_ms
        own = command.journaled(now)
        self.journal[request.client_id] = own
        delivery = self._delivery()
        price = request.price or request.trigger_price
        words = f"+ {request.client_id} {request.quantity} at {price}, {delivery}"
        code = None
        if delivery is Delivery.LATE:
            self.underway.append(
                (now + self.chance.randrange(1, self.policy.recv_window_ms), command)
            )
        elif delivery is not Delivery.LOST:
            code = self._execute(command)
        self.note(words if code is None else f"{words}, refused {code}")
        if delivery is not Delivery.ANSWERED:
            self.journal[request.client_id] = own if self.faults.crashes else fold.mark_unknown(own)
        elif code is not None:
            self.journal[request.client_id] = fold.end_refused(own, code, "refused", now)
        else:
            self.tell(self.venue.orders[request.client_id])

    def _execute(self, command: PlaceOrder) -> int | None:
        """The request reaches the venue; the code of its refusal, None when it is accepted."""
        request = command.request
        code = None if self.calm else self.faults.refusal(request, self.step, self.chance)
        code = code if code is not None else self.venue.refusal(request)
        if code is not None:
            self.seen[f"refused {request.role.name}"] += 1
            return code
        if request.role is Role.ENTRY:
            self.judge.check_one_entry(request.quantity or ZERO)
        order = self.venue.accept(request, command.trade_key)
        if not rests(request):
            self.venue.take(order, half(order.left) if self.unlucky(0.3) else None)
            self.hear_fills()
        return None

    def _arrivals(self) -> None:
        due = [command for at_ms, command in self.underway if at_ms <= self.world.now_ms]
        self.underway = [late for late in self.underway if late[0] > self.world.now_ms]
        for command in due:
            code = self._execute(command)
            self.seen["arrived late"] += 1
            self.note(f"{command.request.client_id} arrives late, {code or 'accepted'}")

    def _cancel(self, command: CancelOrder) -> None:
        own = replace(self.journal[command.client_id], cancel_sent_ms=self.world.now_ms)
        self.journal[command.client_id] = own
        delivery = self._delivery()
        self.note(f"- {command.client_id}, {delivery}: {command.cause.text}")
        if delivery in {Delivery.LOST, Delivery.LATE}:
            return
        order = self.venue.orders.get(command.client_id)
        alive = order is not None and order.alive
        if order is not None and order.alive and not order.triggered:
            order.finish(OrderStatus.CANCELED)
        if delivery is Delivery.ANSWERED:
            self._cancel_answered(own, order, alive=alive)

    def _cancel_answered(self, own: OwnOrder, order: VenueOrder | None, *, alive: bool) -> None:
        """Success tells the end; "unknown order" proves something only of what could not arrive any more."""
        if order is not None and order.alive:
            return  # triggered: its child is executing and cannot be cancelled
        if order is not None and (alive or self.chance.random() < 0.5):
            self.tell(order)
            return
        now = self.world.now_ms
        if own.acked_ms is not None or now > dead_after_ms(own, self.policy):
            first = own.cancel_unknown_ms or now
            self.journal[own.client_id] = replace(own, cancel_unknown_ms=first)

    # hearing

    def tell(self, order: VenueOrder) -> None:
        """An answer, event or read says how an order stands."""
        own = self.journal[order.request.client_id]
        if own.unresolved and self.world.now_ms > own.journaled_ms:
            self.seen["unknown found"] += 1
        self.judge.told(order)
        self.journal[own.client_id] = fold.fold(own, self.venue.report(order), self.world.now_ms)

    def hear_fills(self) -> None:
        """Executions are told as they happen; the account event beside them may be lost."""
        if len(self.venue.fills) == len(self.world.fills):
            return
        self.judge.check_fills()
        self.world = replace(self.world, fills=tuple(self.venue.fills))
        if not self.unlucky(0.1):
            event = self._observed(self.venue.position_report(), Source.STREAM)
            self.world = replace(self.world, position_event=event)

    def hear_market(self) -> None:
        """Mark, last and quote of this moment."""
        price = self.venue.price
        quote = Quote(bid=price, ask=price + D("0.1"), bid_quantity=D(5), ask_quantity=D(5))
        mark = self._observed(price, Source.STREAM)
        self.world = replace(
            self.world, mark=mark, last=mark, quote=self._observed(quote, Source.STREAM)
        )

    def _observed[T](self, value: T, source: Source) -> Observed[T]:
        return Observed(value=value, at_ms=self.world.now_ms, source=source)

    def _read(self) -> None:
        """Ask for every order by id, and for position and lists; under faults some reads fail."""
        for own in list(self.journal.values()):
            if not own.ended and not self.unlucky(0.3):
                self._ask(own)
        if self.unlucky(0.2):
            return
        position = self._observed(self.venue.position_report(), Source.REST)
        nothing = self._observed((), Source.REST)  # the planner only asks for the age of the lists
        self.world = replace(
            self.world, position=position, open_orders=nothing, conditional_orders=nothing
        )

    def _ask(self, own: OwnOrder) -> None:
        order = self.venue.orders.get(own.client_id)
        if order is not None:
            self.tell(order)
            return
        missed = _missed(own, self.world.now_ms)
        self.journal[own.client_id] = missed
        if missed.ended:
            conditional = own.request.channel is Channel.CONDITIONAL
            self.seen["presumed dead" if conditional else "proven absent"] += 1

    # counting

    def _count_placement(self, command: PlaceOrder) -> None:
        request = command.request
        if request.role is Role.ENTRY and command.attempt > 1:
            self.seen["entry again"] += 1
        if request.role in TARGET_ROLES and request.channel is Channel.REGULAR:
            self.seen["reached target sold"] += 1
        ratchet = self.judge.ratchet.get(command.trade_key)
        if request.role is Role.STOP and ratchet is not None and self.venue.position != ZERO:
            tighter = (request.trigger_price or ZERO) * self.judge.sign > ratchet
            self.seen["stop moved" if tighter else "stop restored"] += 1
