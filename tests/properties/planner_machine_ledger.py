"""What the machine's witness keeps account of: what was sent, what arrived, what the engine was told, and when.

Nothing is judged here, and nothing of the planner's or the journal's reckoning is used; only after a crash the journal
says what the engine still knows. `planner_machine_oracles` judges.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tests.properties.swarm_venue import Venue, VenueOrder

from jumar.model.command import PlaceOrder
from jumar.model.decision import Decision
from jumar.model.order import STOP_ROLES, Channel, OrderRequest, OrderState, OwnOrder, Role
from jumar.model.units import ZERO


class Told(StrEnum):
    """What the engine was last told of an order."""

    NOTHING = "nothing"
    RESTS = "rests"
    TRIGGERED = "triggered"
    ENDED = "ended"


_TOLD = {
    OrderState.IN_FLIGHT: Told.NOTHING,
    OrderState.UNKNOWN: Told.NOTHING,
    OrderState.OPEN: Told.RESTS,
    OrderState.TRIGGERED: Told.TRIGGERED,
    OrderState.ENDED: Told.ENDED,
}


@dataclass(slots=True, kw_only=True)
class Sent:
    """One request that left, and what became of it.

    Attributes:
        underway: it has left and has not arrived yet.
        rested: the engine was told once that it rests.
        cancelled_ms: when it was last cancelled, None for never.
        no_cancel_ms: when a cancel first found nothing, of a request that could not arrive any more (X-4 b).
        not_found: when reads by id did not find it since then.
        asked: the price that its newest amendment asked for, None once the engine was told what became of it.
        asked_ms: when that was, zero for never.
    """

    request: OrderRequest
    key: str
    at_ms: int
    told: Told = Told.NOTHING
    underway: bool = False
    rested: bool = False
    cancelled_ms: int | None = None
    no_cancel_ms: int | None = None
    not_found: list[int] = field(default_factory=list)
    asked: Decimal | None = None
    asked_ms: int = 0

    @property
    def proven_absent(self) -> bool:
        """X-4 (b): a cancel and two reads by id, a second apart, found nothing; a conditional one: unseen for 2 s."""
        if self.no_cancel_ms is None:
            return False
        late = [at for at in self.not_found if at >= self.no_cancel_ms]
        if self.request.channel is Channel.CONDITIONAL:
            return bool(late) and late[-1] - self.no_cancel_ms >= 2000
        return len(late) >= 2 and late[-1] - late[0] >= 1000

    @property
    def proven_ended(self) -> bool:
        """Whether the engine can know that it will do nothing any more."""
        return self.told is Told.ENDED or self.proven_absent


@dataclass(slots=True, kw_only=True)
class Setup:
    """A trade as it was when it was opened.

    Attributes:
        sign: plus one for a long.
        ids: the decisions that it has followed: the one it was armed for, those it passed to, those that guided it.
        untouched: nobody has traded since.
        exited: an exit of it has filled, or a stop was triggered, and the engine was told.
        flat_ms: how long its position has been zero with nothing wrong, None while it is not.
        ended: the engine says that it is over.
    """

    decision_id: str
    adopted: bool
    sign: int
    planned: Decimal
    initial_stop: Decimal
    ids: set[str] = field(default_factory=set)
    untouched: bool = True
    exited: bool = False
    traded: bool = False
    flat_ms: int | None = None
    ended: bool = False


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The account of one venue and one engine.

    Attributes:
        ratchet: per trade the tightest working stop that the engine was told to rest, times the sign.
        reads: when each part of the truth was last asked for and answered.
        newest: the newest readable decision, None before the first.
        decisions: every readable one that was the newest once, by its id.
        refused_ms: the time of the newest readable one that was refused.
        size_known: whether the engine was told the true size of the position since it last changed.
        key: of the newest trade.
    """

    venue: Venue
    started_ms: int
    orders: dict[str, Sent] = field(default_factory=dict)
    setups: dict[str, Setup] = field(default_factory=dict)
    ratchet: dict[str, Decimal] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    newest: Decision | None = None
    decisions: dict[str, Decision] = field(default_factory=dict)
    refused_ms: int = 0
    size_known: bool = True
    key: str = ""

    def decided(self, decision: Decision | None, refused_ms: int) -> None:
        """A newer readable decision came; a refused one has only its time."""
        if decision is None:
            self.refused_ms = max(self.refused_ms, refused_ms)
        elif self.newest is None or decision.timestamp_ms > self.newest.timestamp_ms:
            self.newest = decision
            self.decisions[decision.id] = decision

    def process_started(self, journaled: Iterable[OwnOrder]) -> None:
        """A new process knows what was written, and has read nothing."""
        self.reads.clear()
        self.size_known = False
        exited = dict.fromkeys(self.setups, False)
        for own in journaled:
            sent = self.orders.get(own.client_id)
            if sent is not None:
                sent.told = _TOLD[own.state]
                sent.rested = own.acked_ms is not None
            fired = own.role in STOP_ROLES and own.triggered_ms is not None
            sold = own.role is not Role.ENTRY and own.filled_quantity > ZERO
            if own.trade_key in exited:
                exited[own.trade_key] |= fired or sold
        for key, setup in self.setups.items():
            setup.exited = exited[key]
        self.ratchet = {}
        for sent in self.orders.values():
            if sent.rested:
                self._tighten(sent)

    def read(self, part: str, at_ms: int) -> None:
        """A part of the truth was asked for and answered."""
        self.reads[part] = at_ms

    def size_told(self) -> None:
        """The engine was told the true size of the position."""
        self.size_known = True

    def told(self, order: VenueOrder) -> None:
        """The engine was told how an order stands."""
        sent = self.orders.get(order.request.client_id)
        if sent is None:
            return
        if order.request.price == sent.asked:
            sent.asked = None
        if not order.alive:
            sent.told = Told.ENDED
        else:
            sent.told = Told.TRIGGERED if order.triggered else Told.RESTS
        if sent.told is Told.RESTS:
            sent.rested = True
            self._tighten(sent)
        exit_filled = order.filled > ZERO and sent.request.role is not Role.ENTRY
        fired = sent.request.role in STOP_ROLES and sent.told is Told.TRIGGERED
        setup = self.setups.get(sent.key)
        if setup is not None and (exit_filled or fired):
            setup.exited = True

    def _tighten(self, sent: Sent) -> None:
        setup, trigger = self.setups.get(sent.key), sent.request.trigger_price
        if sent.request.role is Role.STOP and setup is not None and trigger is not None:
            signed = trigger * setup.sign
            self.ratchet[sent.key] = max(self.ratchet.get(sent.key, signed), signed)

    def refused(self, name: str) -> None:
        """The engine was told that a placement was not executed."""
        self.orders[name].told = Told.ENDED

    def amendment_refused(self, name: str) -> None:
        """The engine was told that an amendment was not executed."""
        self.orders[name].asked = None

    def not_found(self, name: str, at_ms: int) -> None:
        """A read by id found nothing."""
        if name in self.orders:
            self.orders[name].not_found.append(at_ms)

    def cancel_found_nothing(self, name: str, at_ms: int) -> None:
        """A cancel was answered "unknown order"."""
        sent = self.orders.get(name)
        if sent is not None and sent.no_cancel_ms is None:
            sent.no_cancel_ms = at_ms

    def is_underway(self, command: PlaceOrder) -> None:
        """A request has left and will arrive later."""
        self.orders[command.request.client_id].underway = True

    def arrives(self, command: PlaceOrder) -> None:
        """It is there."""
        self.orders[command.request.client_id].underway = False

    def is_misled(self) -> bool:
        """Whether the engine cannot know better: the size is news, or a stop that it was told of is gone untold."""
        alive = {name for name, order in self.venue.orders.items() if order.alive}
        gone = any(
            sent.told is Told.RESTS and sent.request.role in STOP_ROLES and name not in alive
            for name, sent in self.orders.items()
        )
        return gone or not self.size_known
