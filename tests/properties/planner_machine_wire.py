"""What reaches the machine's engine: executions, triggers and hands at the venue, events of them, and reads.

Promises that everything told is the truth of its moment or, where a rule said so, an older truth or nothing. Nothing is
planned or sent here.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.properties.planner_machine_moves import FUNDING_MS, funding_between
from tests.properties.planner_machine_oracles import Witness
from tests.properties.swarm_venue import SYMBOL, Venue, VenueOrder, half
from tests.worlds import D

from jumar.model.account import PositionReport
from jumar.model.funding import FundingPayment
from jumar.model.order import STOP_ROLES, Channel, OwnOrder
from jumar.model.units import ZERO
from jumar.model.world import Observed, Quote, Source
from jumar.ports import exchange as port
from jumar.reconciler.observe import Observer, missed
from jumar.reconciler.state import SymbolState

#: An empty or old position list tells the truth so long after a change at the latest (Y-11).
LAG_MS = 1900


@dataclass(slots=True, kw_only=True)
class Wire:
    """One symbol's venue, and how far it can be seen.

    Attributes:
        blind_until: parts of the truth that cannot be read, `stream` for what is told, `prices` for the market.
        lags_until: until then the position list may answer as before the last change, until it first tells it.
        seen: which paths were visited, counted.
        log: the last steps, for people.
    """

    venue: Venue
    witness: Witness
    now_ms: int
    blind_until: dict[str, int] = field(default_factory=dict)
    lags_until: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=300))
    fundings: list[FundingPayment] = field(default_factory=list)
    state: SymbolState = field(init=False)
    observer: Observer = field(init=False)
    _position: Decimal = ZERO
    _position_before: Decimal = ZERO
    _changed_ms: int = 0
    _position_read: bool = False

    def note(self, words: str) -> None:
        """Remember a step for people."""
        seconds = (self.now_ms - self.witness.started_ms) / 1000
        self.log.append(
            f"{seconds:8.2f} s at {self.venue.price} with {self.venue.position}: {words}"
        )

    def is_blind(self, part: str) -> bool:
        """Whether a part of the truth cannot be had now."""
        return self.now_ms < self.blind_until.get(part, 0)

    # what happens at the venue

    def happened(self, *, theirs: bool) -> None:
        """Something changed at the venue: the witness looks, the stream tells."""
        if self.venue.position != self._position:
            self._position_before, self._position = self._position, self.venue.position
            self._changed_ms, self._position_read = self.now_ms, False
        self.witness.look(theirs=theirs)
        self._hear_fills()

    def trigger(self, *, child: str = "sells all") -> None:
        """What the price has reached triggers: its child sells all, half, waits or is rejected."""
        waiting = [order for order in self.venue.orders.values() if order.alive and order.triggered]
        for order in self.venue.reached():
            order.triggered = True
            self.seen[f"{order.request.role.name} triggered"] += 1
            self.note(f"{order.request.client_id} triggers and {child}")
            if child == "waits":
                self.happened(theirs=True)
                self.tell(order)
                continue
            waiting.append(order)
        for order in waiting:
            if child == "is rejected" and order.request.role in STOP_ROLES:
                self.venue.reject(order)
                self.seen["triggered stop rejected"] += 1
            else:
                self.venue.run(order, whole=child != "sells half")
            self.happened(theirs=True)
            self.tell(order)

    def fill_entry(self, quantity: Decimal, *, told: bool) -> None:
        """Some of the resting entry executes; the order's event may be lost."""
        entry = self.venue.resting_entry()
        if entry is None:
            return
        self.venue.fill(entry, quantity)
        whole = "wholly" if entry.left == ZERO else "partly"
        self.seen[f"entry filled {whole}"] += 1
        self.note(f"{entry.request.client_id} has filled {entry.filled}, told {told}")
        self.happened(theirs=False)
        if told:
            self.tell(entry)

    def person_cancels(self, order: VenueOrder, *, told: bool) -> None:
        """Somebody takes one of our orders away."""
        self.venue.cancel(order)
        self.venue.moved_ms = self.now_ms
        self.seen[f"{order.request.role.name} taken away"] += 1
        self.note(f"a person cancels {order.request.client_id}, told {told}")
        self.happened(theirs=True)
        if told:
            self.tell(order)

    def person_trades(self, quantity: Decimal) -> None:
        """Somebody buys (plus) or sells on the same position."""
        before = self.venue.position
        self.venue.trade_by_hand(quantity)
        after = self.venue.position
        grown = abs(after) > abs(before) and before * after >= ZERO
        name = "turned" if before * after < ZERO else "added" if grown else "reduced"
        self.seen[f"{name} by hand"] += 1
        self.note(f"a person trades {quantity}")
        self.happened(theirs=True)

    # hearing

    def tell(self, order: VenueOrder) -> None:
        """The stream or a read says how an order stands."""
        if order.request.client_id not in self.state.orders or self.venue.is_hidden(order):
            return
        if not self.is_blind("stream"):
            self._told(order)

    def _told(self, order: VenueOrder) -> None:
        self.witness.told(order)
        event = port.OrderEvent(report=self.venue.report(order), at_ms=self.now_ms)
        self.state.apply(event, self.now_ms)

    def _hear_fills(self) -> None:
        new = self.venue.fills[self.venue.told :]
        self.venue.told = len(self.venue.fills)
        if not new:
            return
        if self.is_blind("stream"):
            self.seen["executions not told"] += 1
            return
        for fill in new:
            self.state.saw_fill(fill)
        event = port.PositionEvent(report=self.venue.position_report(), at_ms=self.now_ms)
        self.state.apply(event, self.now_ms)
        self.witness.size_told()

    def hear_market(self) -> None:
        """Mark, last and quote of this moment."""
        if self.is_blind("prices"):
            return
        price, at = self.venue.price, self.now_ms
        quote = Quote(bid=price, ask=price + D("0.1"), bid_quantity=D(5), ask_quantity=D(5))
        events: Iterable[port.VenueEvent] = (
            port.MarkEvent(
                symbol=SYMBOL,
                mark=price,
                at_ms=at,
                next_funding_ms=(at // FUNDING_MS + 1) * FUNDING_MS,
            ),
            port.LastPriceEvent(symbol=SYMBOL, price=price, at_ms=at),
            port.QuoteEvent(symbol=SYMBOL, quote=quote, at_ms=at),
        )
        for event in events:
            self.state.apply(event, at)

    # reading

    def _read(self) -> None:
        """Position, both lists, what must be asked by id, executions that are missing."""
        if not self.is_blind("position"):
            self._read_position()
        for channel in Channel:
            if not self.is_blind(channel.value):
                self._read_list(channel)
        for own in list(self.state.orders.values()):
            if self.observer._must_ask(own, self.now_ms) and not self.is_blind("by id"):
                self.observer._asked[own.client_id] = self.now_ms
                self._ask(own)
        trade = self.state.trade
        missing = trade is not None and self.observer._fills_are_missing(self.now_ms)
        if trade is not None and missing and not self.is_blind("fills"):
            self._read_fills(trade.armed_ms - 1000)
        if self.state.holds and self.state.funding.is_due(self.now_ms):
            self._read_funding()
        self.observer._note_ready()

    def _read_funding(self) -> None:
        """The income history; it fails as executions do."""
        self.state.funding.saw_asked(self.now_ms)
        trade = self.state.trade
        if trade is None or self.is_blind("fills"):
            return
        paid = [each for each in self.fundings if each.time_ms >= trade.armed_ms]
        self.seen["funding read"] += bool(paid)
        self.state.funding.saw(paid, self.now_ms)

    def pay_funding(self, since_ms: int) -> None:
        """What fell due since a moment is paid."""
        held, price = self.venue.position, self.venue.price
        self.fundings += funding_between(since_ms, self.now_ms, held, price)

    def _read_position(self) -> None:
        young = self.now_ms - self._changed_ms < LAG_MS and not self._position_read
        lags = young and self.now_ms < self.lags_until
        size = self._position_before if lags else self.venue.position
        self._position_read = not lags
        self.seen["position read lags"] += size != self.venue.position
        report = PositionReport(symbol=SYMBOL, quantity=size, entry_price=self.venue.price)
        self.state.saw_position(Observed(value=report, at_ms=self.now_ms, source=Source.REST))
        self.witness.read("position", self.now_ms)
        if size == self.venue.position:
            self.witness.size_told()

    def _read_list(self, channel: Channel) -> None:
        listed = self.venue.listed(channel)
        for order in listed:
            if order.request.client_id in self.state.orders:
                self.witness.told(order)
        reports = tuple(self.venue.report(order) for order in listed)
        self.state.saw_list(channel, reports, self.now_ms, self.now_ms)
        self.witness.read(channel.value, self.now_ms)

    def _read_fills(self, since_ms: int) -> None:
        forced = self.observer._may_be_forced(self.now_ms)
        for fill in self.venue.fills:
            if fill.time_ms >= since_ms:
                self.state.saw_fill(fill)
        self.state.executions.read_ms = self.now_ms
        if forced:
            self.state.executions.saw_forced((), self.now_ms)

    def _ask(self, own: OwnOrder) -> None:
        order = self.venue.orders.get(own.client_id)
        if order is not None and not self.venue.is_hidden(order):
            self.seen["unknown found"] += own.unresolved
            self._told(order)
            read = self.state.orders[own.client_id]
            settled = self.observer._settled(read, self.now_ms, self.now_ms)
            self.seen["amendment never came"] += settled is not read
            self.state.put(settled, self.now_ms)
            return
        self.witness.not_found(own.client_id, self.now_ms)
        after = missed(self.state.orders[own.client_id], self.now_ms, self.now_ms)
        self.state.put(after, self.now_ms)
        if after.ended:
            conditional = own.request.channel is Channel.CONDITIONAL
            self.seen["presumed dead" if conditional else "proven absent"] += 1


def half_of(order: VenueOrder) -> Decimal:
    """About half of what an order may still fill."""
    return max(half(order.left), D("0.001"))
