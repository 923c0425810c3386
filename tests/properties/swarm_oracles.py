"""The judges of the swarm: the promises, told from the venue's truth alone.

They see commands as they leave, executions as they happen and what was told to the engine; they use nothing of
the planner's own reckoning. `PromiseBroken` names the rule.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from tests.properties.swarm_venue import Venue, VenueOrder, rests, sign_of

from jumar.model.command import AmendOrder, PlaceOrder
from jumar.model.decision import Action, Decision
from jumar.model.mode import Mode, ModeState
from jumar.model.order import (
    STOP_ROLES,
    TARGET_ROLES,
    Fill,
    OrderRequest,
    OrderType,
    OwnOrder,
    Role,
)
from jumar.model.trade import Trade
from jumar.model.units import ZERO

#: S-13: so many stops may be alive or invisible beside the backstop and its stand-in.
STOPS_MAX = 8 + 2
#: Older truth than this keeps an entry away (G-13); a hand that traded later cannot be known.
TRUTH_MS = 4000
#: A position read is believed when it was asked so long after the last execution (Y-11).
READ_MARGIN_MS = 2000
#: How long an execution of nobody's order of ours may take to be counted.
HAND_MS = 4000
WAKES_MAX = 12
COMMANDS_MAX = 12
CLIENT_ID = re.compile(r"jm-([a-z2-7]{10})-([ESBPQLX])[1-9][0-9]*")
#: A triggered stop sells at market: no resting stop is tighter.
EXECUTING = Decimal("1e9")


class PromiseBroken(AssertionError):  # noqa: N818 - the name says what happened
    """A promise was broken: the rule, and what the venue saw."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(f"{rule}: {words}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How well the position, and with it what the resting entry may add, is covered.

    Prices times the sign of the trade, so that more is tighter; None is no full-size stop.
    """

    position: Decimal | None
    with_entry: Decimal | None


@dataclass(slots=True, kw_only=True)
class Judge:
    """Watches one venue through all trades of a run.

    Attributes:
        key, sign, planned: the first word about the trade: the most that may be bought in never changes.
        ids: every client order id that was ever sent.
        ratchet: per trade the tightest working stop the engine was ever told to rest, times the sign.
        traded: decisions whose trade had a fill and ended.
        looked_ms: when the present process last learned the position, zero for never.
        size_before: the position as told by the executions judged so far, signed.
    """

    venue: Venue
    started_ms: int
    key: str = ""
    sign: int = 1
    planned: Decimal = ZERO
    ids: set[str] = field(default_factory=set)
    ratchet: dict[str, Decimal] = field(default_factory=dict)
    traded: set[str] = field(default_factory=set)
    judged_fills: int = 0
    size_before: Decimal = ZERO
    looked_ms: int = 0

    # trades

    def trade_opened(self, trade: Trade, decision: Decision) -> None:
        """A trade follows the decision in force, and no decision trades twice (P-4, P-5)."""
        sign = sign_of(trade.side)
        if decision.action is not (Action.LONG if sign > 0 else Action.SHORT):
            raise PromiseBroken("P-5", f"a trade of side {trade.side} on {decision.action}")
        if decision.id in self.traded:
            raise PromiseBroken("P-4", f"decision {decision.id} trades a second time")
        known = self.venue.now_ms - self.venue.moved_ms > TRUTH_MS
        if self.venue.position != ZERO and known:
            raise PromiseBroken("P-4", f"opened beside a position of {self.venue.position}")
        self.key, self.sign, self.planned = trade.key, sign, trade.planned_quantity
        self.judged_fills = 0

    def trade_adopted(self, trade: Trade, orders: tuple[OwnOrder, ...]) -> None:
        """Something is adopted only where there is something: a position, or orders of ours alive (Y-1)."""
        alive = [name for name, order in self.venue.orders.items() if order.alive]
        if self.venue.position == ZERO and not alive and not self._just_moved():
            raise PromiseBroken("Y-1", "adopted where nothing is")
        held = self.venue.position * sign_of(trade.side)
        if held < ZERO and not self._just_moved():
            raise PromiseBroken("Y-1", f"adopted as {trade.side}, held is {self.venue.position}")
        self.key, self.sign, self.planned = trade.key, sign_of(trade.side), trade.planned_quantity
        self.orders_adopted(trade, orders)

    def orders_adopted(self, trade: Trade, orders: tuple[OwnOrder, ...]) -> None:
        """Orders of a lost journal belong to the trade from now on."""
        for order in orders:
            found = self.venue.orders.get(order.client_id)
            if found is not None:
                found.trade_key = trade.key
                self.told(found)

    def _just_moved(self) -> bool:
        """Whether position or orders changed without us so lately that the engine may not know it yet."""
        return self.venue.now_ms - self.venue.moved_ms <= TRUTH_MS

    def trade_ended(self, trade: Trade, underway: int) -> None:
        """It ends flat, and nothing of it is left or still on its way (P-8, X-9)."""
        own = [order for order in self.venue.orders.values() if order.trade_key == trade.key]
        alive = [order.request.client_id for order in own if order.alive]
        if self.venue.position * sign_of(trade.side) > ZERO and not self._just_moved():
            raise PromiseBroken("P-1", f"ended with a position of {self.venue.position}")
        if alive or underway:
            raise PromiseBroken("X-9", f"ended with {alive} alive, {underway} on their way")
        if any(order.filled > ZERO for order in own if order.request.role is Role.ENTRY):
            self.traded |= {trade.decision.id, trade.guiding.id}
        self.judged_fills = 0

    def check_home(self, mode: ModeState | None, modes: list[Mode]) -> None:
        """M-2: FLATTENING is over when all is flat, and what follows it is NO_ENTRIES."""
        followed = [after for before, after in pairwise(modes) if before is Mode.FLATTENING]
        if any(after is not Mode.NO_ENTRIES for after in followed):
            raise PromiseBroken("M-2", f"FLATTENING was followed by {followed}")
        if mode is not None and mode.mode is Mode.FLATTENING:
            raise PromiseBroken("M-2", f"still {mode.mode} at home: {mode.cause}")
        alive = [name for name, order in self.venue.orders.items() if order.alive]
        if alive:
            raise PromiseBroken("P-8", f"home, and {alive} rest")

    # commands

    def check_wake(self, wakes: int, commands: int) -> None:
        """One look at an unchanging market settles after a few rounds of few commands (O-1)."""
        if wakes > WAKES_MAX or commands > COMMANDS_MAX:
            raise PromiseBroken("O-1", f"hot loop: {commands} commands in round {wakes}")

    def check_place(self, command: PlaceOrder) -> None:
        """What a placement may never be, whatever becomes of it on the way."""
        request = command.request
        self._check_id(request)
        if request.quantity is not None and request.quantity <= ZERO:
            raise PromiseBroken("W-3", f"{request.client_id} for {request.quantity}")
        if request.role is Role.ENTRY:
            self._check_entry(request)
            return
        if not request.only_reduces or sign_of(request.side) == self.sign:
            raise PromiseBroken("P-5", f"{request.client_id} could add exposure")
        if request.role is Role.STOP:
            self._check_ratchet(request)
            self._check_size(request)
        if request.role in TARGET_ROLES:
            self._check_target(request)

    def _check_id(self, request: OrderRequest) -> None:
        """X-1: of the pattern, its letter the role, never used before."""
        parts = CLIENT_ID.fullmatch(request.client_id)
        if parts is None or parts[1] != self.key or parts[2] != request.role.value:
            raise PromiseBroken("X-1", f"{request.client_id} as {request.role}")
        if request.client_id in self.ids:
            raise PromiseBroken("X-1", f"{request.client_id} a second time")
        self.ids.add(request.client_id)

    def _check_entry(self, request: OrderRequest) -> None:
        """P-4 and S-1: alone, within the plan, behind a full-size stop that the engine may believe in."""
        quantity = request.quantity or ZERO
        if sign_of(request.side) != self.sign:
            raise PromiseBroken("P-5", f"{request.client_id} on the wrong side")
        self.check_one_entry(quantity)
        size = max(self.by_orders(), ZERO) + quantity
        stops = self.venue.of_role(Role.STOP)
        if not any(stop.believed and _covers(stop, size) for stop in stops):
            raise PromiseBroken("S-1", f"{request.client_id} without a stop for {size}")

    def check_one_entry(self, quantity: Decimal) -> None:
        """P-4: at most one entry alive, and all entries together within the plan."""
        entries = [o for o in self.venue.of_role(Role.ENTRY) if o.trade_key == self.key]
        if any(entry.alive for entry in entries):
            raise PromiseBroken("P-4", "two entries alive")
        filled = sum((entry.filled for entry in entries), start=ZERO)
        if filled + quantity > self.planned:
            raise PromiseBroken("P-4", f"{filled} + {quantity} of {self.planned} planned")

    def check_amend(self, command: AmendOrder) -> None:
        """E-5, P-4: an amendment moves the price of an entry of the trade, and nothing else."""
        asked, order = command.request, self.venue.orders.get(command.client_id)
        if command.trade_key != self.key or order is None or order.trade_key != self.key:
            raise PromiseBroken("P-5", f"{asked.client_id} is no order of the trade")
        request = order.request
        if request.role is not Role.ENTRY or asked.side is not request.side:
            raise PromiseBroken("P-5", f"{asked.client_id} is amended as {asked.side}")
        if asked.quantity != request.quantity:
            raise PromiseBroken("P-4", f"{asked.client_id} is resized to {asked.quantity}")
        stops = self.venue.of_role(Role.STOP)
        if not any(stop.believed and _covers(stop, asked.quantity) for stop in stops):
            raise PromiseBroken("S-1", f"{asked.client_id} amended without a stop for it")

    def _check_ratchet(self, request: OrderRequest) -> None:
        """S-3 and P-2: no working stop looser than one that was ever told to rest."""
        trigger = (request.trigger_price or ZERO) * self.sign
        known = self.ratchet.get(self.key)
        if known is not None and trigger < known:
            raise PromiseBroken("S-3", f"{request.client_id} at {trigger}, ratchet {known}")

    def _check_size(self, request: OrderRequest) -> None:
        """S-4: a working stop covers the position and what a resting entry may add, an armed one the plan.

        The entry of a lost journal counts from when it was found.
        """
        entry = self.venue.resting_entry()
        left = entry.left if entry is not None and entry.trade_key == self.key else ZERO
        size = (ZERO if self.hand_is_new() else self.held) + left
        needed = size if self.venue.fills else self.planned
        if (request.quantity or ZERO) < needed:
            raise PromiseBroken("S-4", f"{request.client_id}: {request.quantity} of {needed}")

    def _check_target(self, request: OrderRequest) -> None:
        """T-2 and T-3: targets sell at most the position, and TP1 does not come back after a fill."""
        targets = self.venue.of_role(*TARGET_ROLES)
        resting = sum((order.left for order in targets if order.alive), start=ZERO)
        if resting + (request.quantity or ZERO) > self.held and not self.hand_is_new():
            raise PromiseBroken("T-2", f"{request.client_id}: more than {self.venue.position}")
        hit = any(order.filled > ZERO for order in self.venue.of_role(Role.TP1))
        if hit and request.role is Role.TP1 and rests(request):
            raise PromiseBroken("T-3", f"{request.client_id} after TP1 filled")

    @property
    def held(self) -> Decimal:
        """What is held on the trade's side, base currency."""
        return max(self.venue.position * self.sign, ZERO)

    def by_orders(self) -> Decimal:
        """What our orders alone would hold."""
        ours = (fill.signed_quantity for fill in self.venue.fills if fill.client_id is not None)
        return sum(ours, start=ZERO) * self.sign

    def hand_is_new(self) -> bool:
        """Whether a person traded so lately that the engine may not know it yet."""
        times = [fill.time_ms for fill in self.venue.fills if fill.client_id is None]
        if self.venue.vanished_ms > 0 and self.looked_ms < self.venue.moved_ms + READ_MARGIN_MS:
            return True  # what no execution explains is only known from a look after the last one
        return bool(times) and max(times) >= min(self.venue.now_ms - HAND_MS, self.looked_ms)

    def cover(self) -> Cover:
        """How well the position is covered at this moment."""
        entry = self.venue.resting_entry()
        size = self.held
        return Cover(
            position=self._effective_stop(size) if size > ZERO else None,
            with_entry=self._effective_stop(size + entry.left) if entry is not None else None,
        )

    def check_cover(self, before: Cover, command: object) -> None:
        """P-2 and P-1: no command of ours loosens the effective stop, or bares an entry that rests."""
        after = self.cover()
        if self.hand_is_new():
            return
        held = self.held > ZERO
        if held and before.position is not None and _looser(after.position, before.position):
            raise PromiseBroken("P-2", f"{before.position} -> {after.position} by {command}")
        resting = self.venue.resting_entry() is not None
        if resting and before.with_entry is not None and after.with_entry is None:
            raise PromiseBroken("P-1", f"a resting entry lost its stop by {command}")

    def check_alarm(self, rule: str) -> None:
        """S-7 and S-6 (c): no emergency while a backstop that the engine knows rests at the ratchet price."""
        if rule in {"S-6", "S-7"} and self.backstop_covers():
            raise PromiseBroken(rule, "though a backstop rests at the ratchet price")

    def backstop_covers(self) -> bool:
        """Whether a backstop of the trade is known to rest, no looser than any stop ever told to rest."""
        known = self.ratchet.get(self.key)
        return any(
            order.believed
            and order.alive
            and not order.triggered
            and order.request.close_position
            and order.trade_key == self.key
            and (known is None or (order.request.trigger_price or ZERO) * self.sign >= known)
            for order in self.venue.of_role(Role.BACKSTOP)
        )

    def working_stop_rests(self) -> bool:
        """Whether any working stop of the trade rests."""
        stops = self.venue.of_role(Role.STOP)
        return any(o.alive and not o.triggered and o.trade_key == self.key for o in stops)

    def check_stops_alive(self) -> None:
        """S-13: never more than eight stops alive, however many are invisible."""
        alive = [order for order in self.venue.of_role(*STOP_ROLES) if order.alive]
        if len(alive) > STOPS_MAX:
            raise PromiseBroken("S-13", f"{len(alive)} stops are alive")

    def _effective_stop(self, size: Decimal) -> Decimal | None:
        stops = [
            EXECUTING if order.triggered else (order.request.trigger_price or ZERO) * self.sign
            for order in self.venue.orders.values()
            if order.alive and _covers(order, size)
        ]
        return max(stops, default=None)

    # events

    def told(self, order: VenueOrder) -> None:
        """The engine was told how an order stands: from now on it may believe it, and must not undercut it."""
        order.believed = order.alive and not order.triggered
        trigger = order.request.trigger_price
        if order.request.role is Role.STOP and order.believed and trigger is not None:
            signed = trigger * self.sign
            self.ratchet[order.trade_key] = max(self.ratchet.get(order.trade_key, signed), signed)

    def check_fills(self) -> None:
        """P-5: of our orders only entries add, and nothing reverses."""
        for fill in self.venue.fills[self.judged_fills :]:
            self._check_fill(fill)
        self.judged_fills = len(self.venue.fills)

    def _check_fill(self, fill: Fill) -> None:
        before = self.size_before
        self.size_before = before + fill.signed_quantity
        if fill.client_id is None:
            return
        if abs(self.size_before) > abs(before) and "-E" not in fill.client_id:
            raise PromiseBroken("P-5", f"{fill.client_id} added {fill.signed_quantity}")
        if self.size_before * before < ZERO and "-E" not in fill.client_id:
            raise PromiseBroken("P-5", f"{fill.client_id} reversed to {self.size_before}")

    # the calm after the faults

    def check_calm_tick(self) -> None:
        """P-1: with an obedient venue a position without a full-size stop does not last."""
        if self.venue.position != ZERO and self.cover().position is None:
            raise PromiseBroken("P-1", f"{self.venue.position} naked before an obedient venue")

    def check_calm(self) -> None:
        """P-1, P-2, S-2, T-2: what rests beside a position once all is settled."""
        if self.venue.position == ZERO:
            return
        effective, ratchet = self.cover().position, self.ratchet.get(self.key)
        if effective is None or (ratchet is not None and _looser(effective, ratchet)):
            raise PromiseBroken("P-2", f"{effective}, ratchet {ratchet}")
        rest = [o for o in self.venue.orders.values() if o.alive and not o.triggered]
        stops = [o for o in rest if o.request.type is OrderType.STOP_MARKET]
        working = [o for o in stops if o.request.role is Role.STOP]
        if len(working) != 1 or not 1 <= len(stops) - len(working) <= 2:
            names = [order.request.client_id for order in stops]
            raise PromiseBroken("S-2", f"one working stop and a backstop expected: {names}")
        targets = sum((o.left for o in rest if o.request.role in TARGET_ROLES), start=ZERO)
        if targets > abs(self.venue.position):
            raise PromiseBroken("T-2", f"targets for {targets} of {self.venue.position}")


def _covers(order: VenueOrder, size: Decimal) -> bool:
    """Whether it is a stop of at least a size: its own quantity, or closePosition."""
    request = order.request
    whole = request.close_position or (request.quantity or ZERO) >= size
    return request.type is OrderType.STOP_MARKET and whole


def _looser(price: Decimal | None, than: Decimal) -> bool:
    return price is None or price < than
