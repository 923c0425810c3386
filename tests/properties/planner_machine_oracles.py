"""The witness of the planner's machine: the promises, sentence by sentence, from what the venue saw and the engine was told.

Promises to use nothing of the planner's or the journal's own reckoning, and nothing of the swarm's judge: the account is
its own (`planner_machine_ledger`). `PromiseBroken` names the rule.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.properties.planner_machine_chase import check_worth
from tests.properties.planner_machine_ledger import Ledger, Sent, Setup, Told
from tests.properties.swarm_oracles import PromiseBroken
from tests.properties.swarm_venue import VenueOrder, sign_of

from jumar.model.command import AmendOrder, CancelOrder, Command, PlaceOrder
from jumar.model.decision import Action, Decision
from jumar.model.mode import Mode
from jumar.model.order import OrderRequest, OrderType, Role
from jumar.model.trade import Trade
from jumar.model.units import ZERO

#: `max_age_s`, `max_truth_age_s`, `protect_deadline_s`, `sweep_deadline_s` and recvWindow with its margins, in ms.
MAX_AGE_MS, TRUTH_MS, PROTECT_MS, SWEEP_MS, DEAD_MS = 600_000, 3000, 3000, 5000, 4500
#: A tick, and the time until a stop that nobody reported as gone is missed in a list and asked for by its id.
NOTICE_MS = 3000
#: Y-11: `flat_margin_s`, two reads 2 s apart, and what they wait for.
PROOF_MS = 6000
#: A cancel is repeated after so long at the latest (X-4 f); one just sent is being answered.
CANCEL_MS = 500
WAKES_MAX = 12
STOPS_MAX = 3
NAME = re.compile(r"jm-([a-z2-7]{10})-([ESBPQLX])([1-9][0-9]{0,8})")
#: A triggered stop sells at market: nothing is tighter.
EXECUTING = Decimal("1e9")


@dataclass(slots=True, kw_only=True)
class Witness(Ledger):
    """Watches one venue and one engine.

    Attributes:
        naked_ms: how long a position has had no cover while nothing was wrong, None while it has.
        damaged: somebody else took cover away, and nothing has made up for it yet.
        judged_fills, size: how many executions were judged, and the position that they make.
    """

    now_ms: int = 0
    naked_ms: int | None = None
    damaged: bool = False
    judged_fills: int = 0
    size: Decimal = ZERO

    # trades

    def opened(self, trade: Trade) -> None:
        """X-9, G-15, P-4: after the end of all orders of earlier ones, beside no position, once per decision."""
        known = self.setups.get(trade.key)
        past = [each for each in self.setups.values() if each.traded]
        if any(trade.decision.id in each.ids for each in past) or (known and known.traded):
            raise PromiseBroken("P-4", f"{trade.decision.id} trades a second time")
        if not trade.adopted:
            self._nothing_is_left()
        if not trade.adopted and self.venue.position != ZERO and self.size_known:
            raise PromiseBroken("G-15", f"{trade.key} is armed beside {self.venue.position}")
        self.key = trade.key
        self.setups[trade.key] = Setup(
            decision_id=trade.decision.id,
            adopted=trade.adopted,
            sign=sign_of(trade.side),
            planned=trade.planned_quantity,
            initial_stop=trade.initial_stop,
            ids={trade.decision.id},
        )

    def followed(self, before: Trade, after: Trade) -> None:
        """E-9: only the newest decision of its side is followed; key, plan and initial stop stay as they were."""
        setup, newer = self.setups[after.key], after.guiding
        fixed = ("key", "side", "planned_quantity", "limit_price", "initial_stop")
        changed = [name for name in fixed if getattr(before, name) != getattr(after, name)]
        if changed or self.newest is None or newer.id != self.newest.id:
            raise PromiseBroken("E-9", f"{after.key} follows {newer.id}, {changed} changed")
        if newer.side is not before.side or newer.timestamp_ms <= before.guiding.timestamp_ms:
            raise PromiseBroken("E-9", f"{newer.id} is not newer than {before.guiding.id}")
        passed = after.decision.id != before.decision.id
        if passed and setup.traded and self.size_known:
            raise PromiseBroken("E-9", f"{after.key} passes to {newer.id} after a fill")
        if passed and _plan_of(newer) != _plan_of(before.decision):
            raise PromiseBroken("E-9", f"{after.key} passes to {newer.id}, which has another plan")
        if not passed and not setup.traded:
            raise PromiseBroken("E-9", f"{newer.id} guides {after.key}, and nothing has filled")
        setup.ids.add(newer.id)

    def _nothing_is_left(self) -> None:
        alive = [name for name, order in self.venue.orders.items() if order.alive]
        underway = [name for name, sent in self.orders.items() if sent.underway]
        unproven = [name for name, sent in self.orders.items() if not sent.proven_ended]
        if alive or underway or unproven:
            raise PromiseBroken(
                "X-9", f"armed with {alive} alive, {underway} under way, {unproven} unproven"
            )

    def ended(self, key: str) -> None:
        """X-9, P-1: a trade ends flat, and with the end of each of its orders proven."""
        mine = {name: sent for name, sent in self.orders.items() if sent.key == key}
        left = [name for name, sent in mine.items() if not sent.proven_ended or sent.underway]
        left += [n for n in mine if n in self.venue.orders and self.venue.orders[n].alive]
        if left:
            raise PromiseBroken("X-9", f"{key} ended with {left}")
        setup = self.setups.get(key)
        if setup is None:
            raise PromiseBroken("T-4", f"{key} ends before it was opened")
        setup.ended = True
        if self.venue.position * setup.sign > ZERO and self.size_known:
            raise PromiseBroken("P-1", f"{key} ended with {self.venue.position} held")

    # commands

    def woken(self, wakes: int) -> None:
        """O-1: one look at an unchanging market settles after a few rounds."""
        if wakes > WAKES_MAX:
            raise PromiseBroken("O-1", f"still sending in round {wakes}")

    def planned(self, commands: Sequence[Command], *, mode: Mode | None, now_ms: int) -> None:
        """What leaves together: first what S-1 demands; entries only where all is known (P-7, M-1, D-3, D-7)."""
        self.now_ms = now_ms
        self._entry_goes_first(commands)
        for command in commands:
            placed = isinstance(command, PlaceOrder) and command.request.role is Role.ENTRY
            if isinstance(command, PlaceOrder | AmendOrder) and (
                placed or isinstance(command, AmendOrder)
            ):
                self._may_enter(command, mode)
            if isinstance(command, PlaceOrder) and mode in {Mode.PROTECT_ONLY, Mode.FLATTENING}:
                self._protects(command, mode)

    def _protects(self, command: PlaceOrder, mode: Mode | None) -> None:
        """M-1: from PROTECT_ONLY on only stops and full exits are placed."""
        if command.request.role not in {Role.STOP, Role.BACKSTOP, Role.FULL_EXIT}:
            raise PromiseBroken("M-1", f"{command.request.client_id} in {mode}")

    def _entry_goes_first(self, commands: Sequence[Command]) -> None:
        """S-1, S-9: without an armed stop, or after an exit, it is cancelled in the same tick, before anything else."""
        mine = {name: sent for name, sent in self.orders.items() if sent.key == self.key}
        stops = [s for s in mine.values() if s.request.role is Role.STOP and s.told is Told.RESTS]
        exited = self.key in self.setups and self.setups[self.key].exited
        bare = {
            name
            for name, sent in mine.items()
            if sent.request.role is Role.ENTRY
            and not sent.proven_ended
            and (exited or not stops)
            and (sent.cancelled_ms is None or self.now_ms - sent.cancelled_ms >= CANCEL_MS)
        }
        first = {c.client_id for c in commands[: len(bare)] if isinstance(c, CancelOrder)}
        if bare - first:
            why = "an exit has filled" if exited else "no stop is alive"
            raise PromiseBroken("S-9" if exited else "S-1", f"{bare - first} stays though {why}")

    def _may_enter(self, command: PlaceOrder | AmendOrder, mode: Mode | None) -> None:
        name, setup = command.request.client_id, self.setups[command.trade_key]
        stale = [
            part
            for part in ("position", "regular", "conditional")
            if self.now_ms - self.reads.get(part, 0) > TRUTH_MS
        ]
        if stale:
            raise PromiseBroken("P-7", f"{name} though {stale} were not read")
        if mode not in {None, Mode.NORMAL}:
            raise PromiseBroken("M-1", f"{name} in {mode}")
        newest = self.newest
        if newest is None or newest.id not in setup.ids or self.refused_ms > newest.timestamp_ms:
            raise PromiseBroken("D-7", f"{name} for {setup.decision_id}, newest is {newest}")
        if self.now_ms - newest.timestamp_ms > MAX_AGE_MS:
            raise PromiseBroken("D-3", f"{name} for a stale decision")
        wanted = Action.LONG if setup.sign > 0 else Action.SHORT
        if newest.action is not wanted:
            raise PromiseBroken("P-10", f"{name} on {newest.action}")
        if setup.exited:
            raise PromiseBroken("S-9", f"{name} after an exit has filled or a stop was triggered")

    def cancelled(self, name: str, at_ms: int) -> None:
        """S-4: an old stop goes only when another, for all and no looser, is confirmed."""
        old = self.orders.get(name)
        if old is None:
            return
        old.cancelled_ms = at_ms
        setup = self.setups[old.key]
        coming = self._to_come(old.key) + self._under_way()
        size = max(self.venue.position * setup.sign, ZERO) + coming
        counts = old.request.role is Role.STOP and old.told is Told.RESTS
        if not counts or not ZERO < size <= _size(old.request) or self.is_misled():
            return
        others = (s for s in self.orders.values() if s is not old and s.key == old.key)
        if not any(s.told is Told.RESTS and _replaces(s, old, size, setup) for s in others):
            raise PromiseBroken("S-4", f"{name} goes, and no other is confirmed for {size}")

    def sent(self, command: PlaceOrder, now_ms: int) -> None:
        """What a placement may never be, whatever becomes of it on the way."""
        self.now_ms = now_ms
        request = command.request
        setup = self.setups[command.trade_key]
        self._check_name(command)
        against = sign_of(request.side) != setup.sign
        if request.role is not Role.ENTRY and not (request.only_reduces and against):
            raise PromiseBroken("P-5", f"{request.client_id} could add exposure")
        match request.role:
            case Role.ENTRY:
                self._check_entry(command, setup)
            case Role.STOP:
                self._check_stop(command, setup)
            case Role.BACKSTOP if request.trigger_price != setup.initial_stop:
                raise PromiseBroken("S-2", f"{request.client_id} moved to {request.trigger_price}")
            case Role.TP1 | Role.TP2 if request.trigger_price is not None:
                self._check_target(command, setup)
            case _:
                pass
        sent = Sent(request=request, key=command.trade_key, at_ms=now_ms)
        self.orders[request.client_id] = sent

    def _check_name(self, command: PlaceOrder) -> None:
        """X-1: of account, store, decision, role and attempt; one id, one order."""
        request, setup = command.request, self.setups[command.trade_key]
        parts = NAME.fullmatch(request.client_id)
        if parts is None or len(request.client_id) > 36 or parts[2] != request.role.value:
            raise PromiseBroken("X-1", f"{request.client_id} as {request.role}")
        content = f"main\nstore\n{setup.decision_id}".encode()
        derived = base64.b32encode(hashlib.sha256(content).digest()).decode().lower()[:10]
        if parts[1] != command.trade_key or (not setup.adopted and parts[1] != derived):
            raise PromiseBroken("X-1", f"{request.client_id} of {setup.decision_id}: {derived}")
        if request.client_id in self.orders:
            raise PromiseBroken("X-1", f"{request.client_id} a second time")

    def _check_entry(self, command: PlaceOrder, setup: Setup) -> None:
        """E-10, P-4, S-1: alone, for what is left of the plan, behind a confirmed stop for all of it."""
        request, key = command.request, command.trade_key
        if sign_of(request.side) != setup.sign or request.only_reduces:
            raise PromiseBroken("P-5", f"{request.client_id} on the wrong side")
        entries = {n: s for n, s in self.orders.items() if s.request.role is Role.ENTRY}
        unproven = [name for name, sent in entries.items() if not sent.proven_ended]
        if unproven:
            raise PromiseBroken("E-10", f"{request.client_id} while {unproven} may be alive")
        check_worth(self, request.price, setup)
        bought, quantity = self.bought(key), request.quantity or ZERO
        if bought + quantity > setup.planned:
            raise PromiseBroken("P-4", f"{bought} + {quantity} of {setup.planned} planned")
        stops = (s for s in self.orders.values() if s.key == key and s.request.role is Role.STOP)
        if not any(s.told is Told.RESTS and _size(s.request) >= setup.planned for s in stops):
            raise PromiseBroken("S-1", f"{request.client_id} without a confirmed stop")

    def bought(self, key: str) -> Decimal:
        """What the entries of a trade have bought."""
        mine = self.venue.of_role(Role.ENTRY)
        return sum((order.filled for order in mine if order.trade_key == key), start=ZERO)

    def _check_stop(self, command: PlaceOrder, setup: Setup) -> None:
        """S-3: never looser than one that was confirmed. S-4: for position and rest of the entry; at most three."""
        request, key = command.request, command.trade_key
        trigger = (request.trigger_price or ZERO) * setup.sign
        floor = max(self.ratchet.get(key, trigger), setup.initial_stop * setup.sign)
        if trigger < floor:
            raise PromiseBroken("S-3", f"{request.client_id} at {trigger}, ratchet {floor}")
        needed = max(self.venue.position * setup.sign, ZERO) + self._to_come(key)
        if setup.untouched:
            needed = max(needed, setup.planned)  # it is armed
        if _size(request) < needed and self.size_known:
            raise PromiseBroken("S-4", f"{request.client_id}: {request.quantity} of {needed}")
        stops = [s for s in self.orders.values() if s.key == key and s.request.role is Role.STOP]
        alive = [s for s in stops if not s.proven_ended and not self._is_hidden(s)]
        if len(alive) >= STOPS_MAX:
            raise PromiseBroken("S-4", f"{request.client_id} beside {len(alive)} others")

    def _check_target(self, command: PlaceOrder, setup: Setup) -> None:
        """E-9: where a decision that is followed has it; moved ones pay twice the initial risk from the average entry."""
        request, trigger = command.request, command.request.trigger_price or ZERO
        decided = {
            level
            for name in setup.ids
            if name in self.decisions and (levels := self.decisions[name].levels) is not None
            for level in (levels.tp1, levels.tp2)
        }
        own = self.decisions.get(setup.decision_id)
        first = () if own is None or own.levels is None else (own.levels.tp1, own.levels.tp2)
        if trigger not in decided:
            raise PromiseBroken("P-10", f"{request.client_id} at {trigger}, decided {decided}")
        worth = (
            (trigger - average) * setup.sign >= 2 * (average - setup.initial_stop) * setup.sign
            for average in self._averages(command.trade_key)
        )
        if trigger not in first and not any(worth):
            raise PromiseBroken("E-9", f"{request.client_id} moved to {trigger}: not worth it")

    def _averages(self, key: str) -> list[Decimal]:
        """The average entry after each of a trade's entry executions."""
        names = {n for n, s in self.orders.items() if s.key == key and s.request.role is Role.ENTRY}
        quantity = cost = ZERO
        found = []
        for fill in self.venue.fills:
            if fill.client_id in names:
                quantity, cost = quantity + fill.quantity, cost + fill.quantity * fill.price
                found.append(cost / quantity)
        return found

    def _is_hidden(self, sent: Sent) -> bool:
        """S-13 alone may exceed the number: a stop that nobody tells any more."""
        order = self.venue.orders.get(sent.request.client_id)
        return sent.rested and (order is None or order.hidden_until > 0 or not order.alive)

    def _to_come(self, key: str) -> Decimal:
        """What entries that rest or are under way may still buy."""
        resting = (o.left for o in self.venue.of_role(Role.ENTRY) if o.alive and o.trade_key == key)
        return sum(resting, start=ZERO)

    # the effective stop

    def effective(self) -> tuple[Decimal | None, Decimal | None]:
        """The tightest live stop for the position, and for the position with all that may still be bought."""
        position = self.venue.position
        if position == ZERO and not self.orders:
            return None, None
        sign = self.sign
        held = max(position * sign, ZERO)
        coming = self._to_come(self.key) + self._under_way()
        alone = self._tightest(held, sign) if held > ZERO else None
        return alone, self._tightest(held + coming, sign) if coming > ZERO else None

    def _under_way(self) -> Decimal:
        return sum(
            (
                _size(sent.request)
                for sent in self.orders.values()
                if sent.underway and sent.request.role is Role.ENTRY
            ),
            start=ZERO,
        )

    @property
    def sign(self) -> int:
        """The side of what is held, or of the trade."""
        if self.venue.position != ZERO:
            return 1 if self.venue.position > ZERO else -1
        setup = self.setups.get(self.key)
        return 1 if setup is None else setup.sign

    def _tightest(self, size: Decimal, sign: int) -> Decimal | None:
        triggers = [
            EXECUTING if order.triggered else (order.request.trigger_price or ZERO) * sign
            for order in self.venue.orders.values()
            if order.alive and _covers(order, size) and sign_of(order.request.side) != sign
        ]
        return max(triggers, default=None)

    def moved(self, before: tuple[Decimal | None, Decimal | None], command: object) -> None:
        """P-2, S-1, S-4: no command of ours makes the effective stop looser, or bares an entry that may fill."""
        after = self.effective()
        alone, with_entry = before
        held = self.venue.position != ZERO and not self.is_misled()
        if held and alone is not None and _looser(after[0], alone):
            raise PromiseBroken("P-2", f"{alone} -> {after[0]} by {command}")
        coming = self._to_come(self.key) + self._under_way() > ZERO
        if coming and with_entry is not None and after[1] is None and not self.is_misled():
            raise PromiseBroken("S-1", f"an entry that may fill lost its stop by {command}")

    # the venue

    def accepted(self, order: VenueOrder) -> None:
        """E-10: at most one entry is alive at the venue."""
        entries = [o for o in self.venue.of_role(Role.ENTRY) if o.alive]
        if len(entries) > 1:
            raise PromiseBroken("E-10", f"{[o.request.client_id for o in entries]} are alive")

    def look(self, *, theirs: bool) -> None:
        """Something happened at the venue, by our hand or by somebody else's (P-1, P-4, P-5)."""
        misled = self.is_misled()
        self._judge_fills()
        self._judge_cover(theirs=theirs, misled=misled)

    def _judge_fills(self) -> None:
        for fill in self.venue.fills[self.judged_fills :]:
            before, self.size = self.size, self.size + fill.signed_quantity
            self.size_known = False
            if self.key in self.setups:
                self.setups[self.key].untouched = False
            if fill.client_id is None:
                continue
            sent = self.orders[fill.client_id]
            if sent.request.role is Role.ENTRY:
                self._bought_more(sent)
            elif abs(self.size) > abs(before) or self.size * before < ZERO:
                raise PromiseBroken("P-5", f"{fill.client_id}: {before} -> {self.size}")
        self.judged_fills = len(self.venue.fills)

    def _bought_more(self, sent: Sent) -> None:
        """P-4: within the plan, and one trade per decision."""
        setup = self.setups[sent.key]
        if setup.ended:
            raise PromiseBroken("P-4", f"{sent.key} buys after its end")
        setup.traded = True
        if self.bought(sent.key) > setup.planned:
            raise PromiseBroken("P-4", f"{self.bought(sent.key)} of {setup.planned} bought")

    def _judge_cover(self, *, theirs: bool, misled: bool) -> None:
        """P-1: unprotected time is zero, from the first lot, unless somebody else destroyed the cover."""
        sign = self.sign
        held = max(self.venue.position * sign, ZERO)
        whole = held + self._to_come(self.key) + self._under_way()
        armed = ZERO if self.key not in self.setups else self.setups[self.key].planned
        if theirs:
            self.damaged = True
        if self._tightest(whole or armed, sign) is not None:
            self.damaged = False
        if held == ZERO or self._tightest(held, sign) is not None:
            self.naked_ms = None
        elif self.naked_ms is None:
            if not self.damaged and not misled:
                raise PromiseBroken("P-1", f"{self.venue.position} has no stop")
            self.naked_ms = 0

    # time

    def passed(self, ms: int, *, clean: bool) -> None:
        """Time counts against a deadline only while nothing is wrong."""
        if not clean:
            return
        if self.naked_ms is not None:
            self.naked_ms += ms
        flat = self.venue.position == ZERO
        for key, setup in self.setups.items():
            over = setup.traded and flat and self._to_come(key) == ZERO
            setup.flat_ms = ((setup.flat_ms or 0) + ms) if over else None

    def looked(self) -> None:
        """P-1 (c): restored or closed in time. P-8: what is over is swept in time."""
        if self.naked_ms is not None and self.naked_ms > self._patience_ms():
            raise PromiseBroken("P-1", f"{self.venue.position} naked for {self.naked_ms} ms")
        for name, order in self.venue.orders.items():
            setup = self.setups.get(order.trade_key)
            if not order.alive or setup is None or setup.flat_ms is None:
                continue
            if setup.flat_ms > PROOF_MS + SWEEP_MS:
                raise PromiseBroken("P-8", f"{name} outlives its trade by {setup.flat_ms} ms")

    def _patience_ms(self) -> int:
        """A position that is not our trade's waits for the end of ours: it is adopted afterwards (Y-3, Y-1)."""
        setup = self.setups.get(self.key)
        ours = setup is not None and not setup.ended and setup.sign == self.sign
        return PROTECT_MS + NOTICE_MS + (0 if ours else PROOF_MS + DEAD_MS)

    def at_rest(self) -> None:
        """P-2, S-2, S-4: a position in the calm has one working stop at the ratchet and a backstop, or its stand-in."""
        if self.venue.position == ZERO:
            return
        sign = self.sign
        effective, ratchet = self.effective()[0], self.ratchet.get(self.key)
        if effective is None or (ratchet is not None and effective < ratchet):
            raise PromiseBroken("P-2", f"{effective}, ratchet {ratchet}")
        rest = [o for o in self.venue.orders.values() if o.alive and not o.triggered]
        stops = [o for o in rest if o.request.role is Role.STOP]
        backstops = [o for o in rest if o.request.role is Role.BACKSTOP]
        if len(stops) != 1 or not 1 <= len(backstops) <= 2 or self.setups[self.key].sign != sign:
            names = [order.request.client_id for order in (*stops, *backstops)]
            raise PromiseBroken("S-2", f"one stop and one backstop expected: {names}")


def _plan_of(decision: Decision) -> tuple[object, ...]:
    """What price, stop and quantity follow from; what else is decided does not change them here."""
    levels = decision.levels
    zone = None if levels is None else (levels.zone_min, levels.zone_max, levels.stop, levels.tp1)
    return (decision.action, zone, decision.notional, decision.leverage)


def _size(request: OrderRequest) -> Decimal:
    return request.quantity or ZERO


def _replaces(new: Sent, old: Sent, size: Decimal, setup: Setup) -> bool:
    """Whether a stop is of a size, and no looser than another one."""
    tighter = (new.request.trigger_price or ZERO) - (old.request.trigger_price or ZERO)
    whole = new.request.role is Role.STOP and _size(new.request) >= size
    return whole and tighter * setup.sign >= ZERO


def _covers(order: VenueOrder, size: Decimal) -> bool:
    request = order.request
    whole = request.close_position or _size(request) >= size
    return request.type is OrderType.STOP_MARKET and whole


def _looser(price: Decimal | None, than: Decimal) -> bool:
    return price is None or price < than
