"""Where the machine's stop may go, and when a zone may be sold in: what a witness of prices and levels can say (R, L).

Promises to look at what was sent, at the price that was heard and at the levels that were written; it knows none of
the planner's steps.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.properties.planner_machine_oracles import Witness
from tests.properties.swarm_oracles import PromiseBroken
from tests.worlds import D

from jumar.model.command import PlaceOrder
from jumar.model.decision import Decision, TrailMode
from jumar.model.funding import FundingPayment
from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels, Swing, SwingKind
from jumar.model.order import Role, Side
from jumar.model.policy import OnFlat, Policy
from jumar.model.trade import Trade
from jumar.model.units import ZERO

#: The ways of trailing that each rule belongs to.
MODES = {
    "R-2": {TrailMode.STRUCTURE, TrailMode.STRUCTURE_PLUS_LIQ},
    "R-3": {TrailMode.STRUCTURE_PLUS_LIQ},
    "R-5": {TrailMode.PERCENT},
    "L-2": {TrailMode.STRUCTURE, TrailMode.STRUCTURE_PLUS_LIQ, TrailMode.PERCENT},
}
#: Rules that place a stop where one was, not further on.
STANDING = frozenset({"S-1", "S-4", "S-7", "S-13"})
FRESH_MS = 1_800_000
#: Funding every ten minutes, so that a run meets some.
FUNDING_MS = 600_000
RATE = D("0.0005")
ZONE = "z"


def levels_at(price: Decimal, sign: int, now_ms: int, *, age_ms: int = 0) -> MarketLevels:
    """A swing behind a price and a strong zone ahead of it, as an analyst would find them."""
    kind = SwingKind.LOW if sign > 0 else SwingKind.HIGH
    swing = Swing(
        timeframe="15m",
        kind=kind,
        price=price - 150 * sign,
        time_ms=now_ms - 60_000,
        confirmed=True,
    )
    low, high = sorted((price + 500 * sign, price + 600 * sign))
    zones = (_zone(low, high, "0.8"),)
    return MarketLevels(as_of_ms=now_ms - age_ms, swings=(swing,), zones=zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """How the run's decisions trail.

    Attributes:
        zone: how far beyond the entry's zone the one lies that they name, None where they name none.
        fraction, at_r: `liq_exit_fraction` and `trail_activate_r`.
    """

    mode: TrailMode = TrailMode.NONE
    zone: int | None = None
    fraction: Decimal = D("1.0")  # noqa: RUF009 - an amount does not change
    at_r: Decimal = ZERO

    @property
    def management(self) -> dict[str, Any]:
        """What a decision says of it."""
        return {"trail_mode": self.mode, "liq_tp_zone_id": None if self.zone is None else ZONE}

    def limits(self, policy: Policy) -> Policy:
        """A policy with its limits."""
        return replace(policy, liq_exit_fraction=self.fraction, trail_activate_r=self.at_r)

    def inside(self, decision: Decision, away: int = 40) -> Decimal:
        """A price in the zone, or where it would be."""
        levels = decision.levels
        assert levels is not None
        sign = 1 if decision.side is Side.BUY else -1
        edge = levels.zone_max if sign > 0 else levels.zone_min
        return edge + ((self.zone or 0) + away) * sign

    def levels(self, decision: Decision, now_ms: int) -> MarketLevels:
        """The zone that the first decision names."""
        if self.zone is None:
            return MarketLevels(as_of_ms=now_ms)
        low, high = sorted((self.inside(decision, 0), self.inside(decision, 80)))
        return MarketLevels(as_of_ms=now_ms, zones=(_zone(low, high, "0.5"),))


#: What a run draws from; without a word nothing trails.
PLAIN = Trail()
TRAILS = st.builds(
    Trail,
    mode=st.sampled_from(list(TrailMode)),
    zone=st.sampled_from([None, 200, 1200]),
    fraction=st.sampled_from([D(1), D("0.5")]),
    at_r=st.sampled_from([ZERO, ZERO, D("0.5")]),
)


def _zone(low: Decimal, high: Decimal, strength: str) -> LiquidationZone:
    return LiquidationZone(
        id=ZONE, explicit=False, side=None, low=low, high=high, price=low, strength=D(strength)
    )


def funding_between(
    since_ms: int, now_ms: int, position: Decimal, price: Decimal
) -> Iterator[FundingPayment]:
    """What a position pays at the funding times since a moment; a short pays as well, so that both sides meet it."""
    first = since_ms // FUNDING_MS + 1
    for number in range(first, now_ms // FUNDING_MS + 1):
        if position != ZERO:
            amount = -abs(position) * price * RATE
            yield FundingPayment(payment_id=number, amount=amount, time_ms=number * FUNDING_MS)


@dataclass(slots=True)
class Mover:
    """Judges every stop that moves and every zone exit."""

    witness: Witness
    seen: Counter[str]

    def sent(
        self,
        command: PlaceOrder,
        trade: Trade | None,
        policy: Policy,
        *,
        mark: Decimal | None,
        levels: MarketLevels | None,
    ) -> None:
        """What a placement may not be, by the price that was heard last and the levels that are known."""
        if trade is None:
            return
        role, rule = command.request.role, command.cause.rule
        if role is Role.STOP and rule not in STANDING:
            self.seen[f"stop moved by {rule}"] += 1
            self._gap(command, trade, policy, mark)
            self._permitted(command, trade, policy, levels)
            self._throttled(command, trade, policy)
        if role is Role.ZONE_EXIT:
            self.seen["zone exit"] += 1
            self._zone_exit(command, trade, mark)

    def _gap(self, command: PlaceOrder, trade: Trade, policy: Policy, mark: Decimal | None) -> None:
        """R-4: not nearer to mark than the gap."""
        trigger = command.request.trigger_price
        if mark is None or trigger is None:
            raise PromiseBroken("R-4", f"{command.request.client_id} moves without a mark")
        room = (mark - trigger) * trade.sign
        if room < mark * policy.min_stop_gap_pct / 100:
            raise PromiseBroken("R-4", f"{command.request.client_id} at {trigger}, mark {mark}")

    def _permitted(
        self, command: PlaceOrder, trade: Trade, policy: Policy, levels: MarketLevels | None
    ) -> None:
        """R-1, R-5, C-1: in the way that the decision allows, on levels that are fresh."""
        rule, name, decision = command.cause.rule, command.request.client_id, trade.decision
        hit = self._has_filled(command.trade_key, Role.TP1, Role.ZONE_EXIT)
        if rule in MODES and not (decision.enable_trailing and decision.trail_mode in MODES[rule]):
            raise PromiseBroken("R-1", f"{name} for {rule}, decided was {decision.trail_mode}")
        if rule in {*MODES, "T-3"} and not hit and policy.trail_activate_r == ZERO:
            raise PromiseBroken("R-1", f"{name} for {rule} before TP1")
        old = levels is None or self.witness.now_ms - levels.as_of_ms > FRESH_MS
        if rule in {"R-2", "R-3"} and old:
            raise PromiseBroken("R-5", f"{name} for {rule} without fresh levels")
        if rule == "C-1" and policy.on_flat is not OnFlat.TIGHTEN:
            raise PromiseBroken("C-1", f"{name} tightens, on_flat is {policy.on_flat}")

    def _throttled(self, command: PlaceOrder, trade: Trade, policy: Policy) -> None:
        """S-5: structure and percent move by a step, some time after every stop that rested before."""
        if command.cause.rule not in {"R-2", "R-5"}:
            return
        name, trigger = command.request.client_id, command.request.trigger_price or ZERO
        floor = self.witness.ratchet.get(command.trade_key)
        if floor is not None and trigger * trade.sign - floor < abs(floor) * D("0.0005"):
            raise PromiseBroken("S-5", f"{name} is less than a step from {floor}")
        rested = [
            sent.at_ms
            for sent in self.witness.orders.values()
            if sent.key == command.trade_key and sent.request.role is Role.STOP and sent.rested
        ]
        if rested and self.witness.now_ms - max(rested) < policy.stop_interval_s * 1000:
            raise PromiseBroken("S-5", f"{name} comes too soon")

    def _zone_exit(self, command: PlaceOrder, trade: Trade, mark: Decimal | None) -> None:
        """L-1, X-4 (d): inside the bound zone, in profit, recorded, alone, and once."""
        name, zone, key = command.request.client_id, trade.zone, command.trade_key
        if zone is None or not zone.used:
            raise PromiseBroken("L-1", f"{name}, and {zone} is recorded")
        if mark is None or not zone.low <= mark <= zone.high:
            raise PromiseBroken("L-1", f"{name} at mark {mark}, outside {zone}")
        self._in_profit(name, key, trade, zone)
        alive = [
            other
            for other, sent in self.witness.orders.items()
            if (sent.key, other == name) == (key, False)
            and sent.request.role in {Role.TP1, Role.ZONE_EXIT}
            and not sent.proven_ended
        ]
        if alive:
            raise PromiseBroken("X-4", f"{name} while {alive} may execute")
        if self._has_filled(key, Role.ZONE_EXIT) and self.witness.size_known:
            raise PromiseBroken("L-1", f"{name} is a second exit in one zone")

    def _in_profit(self, name: str, key: str, trade: Trade, zone: BoundZone) -> None:
        entries = {
            other
            for other, sent in self.witness.orders.items()
            if sent.key == key and sent.request.role is Role.ENTRY
        }
        fills = [fill for fill in self.witness.venue.fills if fill.client_id in entries]
        bought = sum((fill.quantity for fill in fills), start=ZERO)
        paid = sum((fill.quantity * fill.price for fill in fills), start=ZERO)
        near = zone.low if trade.sign > ZERO else zone.high
        if bought > ZERO and (near - paid / bought) * trade.sign <= ZERO:
            raise PromiseBroken("L-1", f"{name} in {zone}, which is not in profit")

    def _has_filled(self, key: str, *roles: Role) -> bool:
        orders = self.witness.venue.of_role(*roles)
        return any(order.trade_key == key and order.filled > ZERO for order in orders)
