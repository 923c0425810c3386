"""A position that nobody's trade explains, or orders of ours that no journal knows: a trade is made of them (Y-1).

Promises: live stops are kept and never loosened; without one an emergency stop is wanted that does not lie through
the mark. Nothing is adopted on a read that may be older than the end of the last trade. An adopted trade has no
entry and no targets but those found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from jumar.model.account import PositionReport
from jumar.model.command import Cause
from jumar.model.decision import Action, Decision
from jumar.model.ids import ParsedId, parse_client_id, trade_key
from jumar.model.order import (
    STOP_ROLES,
    OrderReport,
    OrderRequest,
    OrderState,
    OrderType,
    OwnOrder,
    Role,
    Side,
    TimeInForce,
    WorkingType,
)
from jumar.model.policy import OrphanPolicy, Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ONE, PERCENT, ZERO, text
from jumar.model.world import Observed, World
from jumar.planner.facts import by_role
from jumar.planner.position import position_of_nobody

#: How long the order lists and mark are waited for before a position is adopted without them.
PATIENCE_MS = 2000
RULE = "Y-1"
OVER = "adopted: no entry of ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A trade made of what was found, the orders that belong to it, and why."""

    trade: Trade
    orders: tuple[OwnOrder, ...]
    note: Cause


def adoption(world: World, policy: Policy) -> Adoption | None:
    """Return what must be adopted, None when all is explained or not enough has been read yet."""
    held = position_of_nobody(world, policy)
    if held is None:
        return None
    ours = _ours(world)
    if held.value.quantity == ZERO and not ours:
        return None
    if world.instrument is None:
        return None  # no price or quantity of ours could be valid (W-3)
    if _lists_are_missing(world) or (world.mark is None and held.value.quantity != ZERO):
        since = world.position_since_ms
        if since is None or world.now_ms - since < PATIENCE_MS:
            return None
    side = _side(held.value, ours)
    fitting = [found for found in ours if _fits(found, side)]
    if held.value.quantity == ZERO and not fitting:
        return None
    trade = _trade(world, policy, held, side, fitting)
    orders = tuple(_own(world, trade, found, n) for n, found in _numbered(fitting))
    words = _story(trade, abs(held.value.quantity), fitting)
    return Adoption(trade=trade, orders=orders, note=Cause(rule=RULE, text=words))


def latecomers(world: World, trade: Trade) -> tuple[OwnOrder, ...]:
    """Return the orders of ours that were listed only after their position was adopted (X-7).

    They belong to it all the same: an entry of a lost journal must be cancelled, whenever it is seen.
    """
    if not trade.adopted:
        return ()
    known = {order.client_id for order in world.orders}
    late = [found for found in _ours(world) if found.report.client_id not in known]
    fitting = [found for found in late if _fits(found, trade.side)]
    return tuple(
        _own(world, trade, found, len(by_role(world, found.parsed.role)) + n)
        for n, found in _numbered(fitting)
    )


def with_latecomers(trade: Trade, late: Sequence[OwnOrder]) -> Trade:
    """Return the trade with orders that were found late: what their entries had filled was adopted already."""
    entries = [order for order in late if order.role is Role.ENTRY]
    planned = sum((order.request.quantity or ZERO for order in entries), start=ZERO)
    filled = sum((order.filled_quantity for order in entries), start=ZERO)
    return replace(
        trade,
        planned_quantity=trade.planned_quantity + planned,
        adopted_quantity=max(trade.adopted_quantity - filled, ZERO),
    )


def _lists_are_missing(world: World) -> bool:
    return world.open_orders is None or world.conditional_orders is None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An order on the exchange whose client id is one of ours."""

    report: OrderReport
    parsed: ParsedId

    @property
    def only_reduces(self) -> bool:
        return self.report.reduce_only or self.report.close_position

    @property
    def for_side(self) -> Side:
        """The side of the position it belongs to."""
        entry = self.parsed.role is Role.ENTRY
        return self.report.side if entry else self.report.side.opposite


def _ours(world: World) -> list[_Found]:
    """Orders with our prefix that are ours to take: strays of the journal, and after its loss those of no trade it knows.

    Any others are a foreign writer's (X-7); and those of a trade that ended were proven ended.
    """
    strays = {order.client_id for order in world.strays}
    found = []
    for seen in (world.open_orders, world.conditional_orders):
        for report in () if seen is None else seen.value:
            parsed = parse_client_id(report.client_id)
            if parsed is None:
                continue
            lost = world.journal_fresh and parsed.key not in world.known_keys
            if lost or report.client_id in strays:
                found.append(_Found(report=report, parsed=parsed))
    return found


def _side(position: PositionReport, ours: Sequence[_Found]) -> Side:
    if position.quantity != ZERO:
        return Side.BUY if position.quantity > ZERO else Side.SELL
    return ours[0].for_side


def _fits(found: _Found, side: Side) -> bool:
    """Whether it belongs to a position of that side, and is what its name says."""
    entry = found.parsed.role is Role.ENTRY
    known = found.report.type in {each.value for each in OrderType}
    return known and found.for_side is side and entry is not found.only_reduces


def _trade(
    world: World,
    policy: Policy,
    held: Observed[PositionReport],
    side: Side,
    fitting: Sequence[_Found],
) -> Trade:
    sign = ONE if side is Side.BUY else -ONE
    size = abs(held.value.quantity)
    entries = [found.report for found in fitting if found.parsed.role is Role.ENTRY]
    filled = sum((report.filled_quantity for report in entries), start=ZERO)
    stops = _full_size_stops(world, side, size)
    tightest = max(stops, key=lambda price: price * sign, default=None)
    backstops = [each.report for each in fitting if each.parsed.role is Role.BACKSTOP]
    initial = next((each.trigger_price for each in backstops), tightest)
    if initial is None:
        initial = _emergency_stop(world, policy, held.value, sign)
    key = trade_key(
        account=world.account,
        store_id=world.store_id,
        decision_id=f"{RULE} {world.symbol} {held.at_ms}",
    )
    closing = policy.orphan_policy is OrphanPolicy.CLOSE and size > ZERO
    return Trade(
        key=key,
        symbol=world.symbol,
        side=side,
        decision=_nobodys(world, side, key, held.at_ms),
        planned_quantity=sum((report.quantity or ZERO for report in entries), start=ZERO),
        limit_price=held.value.entry_price,
        initial_stop=initial,
        tp1=ZERO,
        tp2=None,
        armed_ms=held.at_ms,
        ratchet_price=tightest,
        closing=CloseReason.ORPHAN if closing else None,
        closing_rule=RULE if closing else None,
        entry_over=OVER,
        adopted_price=held.value.entry_price,
        adopted_quantity=max(size - filled, ZERO),
    )


def _full_size_stops(world: World, side: Side, size: Decimal) -> list[Decimal]:
    """The triggers of all live stops, whoever's, that cover the whole position."""
    listed = () if world.conditional_orders is None else world.conditional_orders.value
    return [
        report.trigger_price
        for report in listed
        if report.type == OrderType.STOP_MARKET
        and report.side is side.opposite
        and report.trigger_price is not None
        and (report.close_position or (report.reduce_only and (report.quantity or ZERO) >= size))
    ]


def _emergency_stop(
    world: World, policy: Policy, position: PositionReport, sign: Decimal
) -> Decimal:
    """`orphan_stop_pct` from mark or entry, whichever is tighter and not through the mark."""
    away = ONE - policy.orphan_stop_pct * PERCENT * sign
    mark = None if world.mark is None else world.mark.value
    bases = [position.entry_price] if mark is None else [position.entry_price, mark]
    prices = [base * away for base in bases]
    allowed = [price for price in prices if mark is None or (mark - price) * sign > ZERO]
    price = max(allowed, key=lambda price: price * sign)  # the one from the mark always lies there
    instrument = world.instrument
    if instrument is None:
        return price
    return instrument.floor_price(price) if sign > ZERO else instrument.ceil_price(price)


def _nobodys(world: World, side: Side, key: str, at_ms: int) -> Decision:
    """Nobody's decision: it says which side is held and wants nothing."""
    return Decision(
        id=f"adopted-{key}",
        symbol=world.symbol,
        timestamp_ms=at_ms,
        action=Action.LONG if side is Side.BUY else Action.SHORT,
        reason="adopted position",
        levels=None,
        notional=ZERO,
        leverage=ONE,
        confidence=ZERO,
        risk_checks=None,
    )


def _numbered(fitting: Sequence[_Found]) -> list[tuple[int, _Found]]:
    """Attempts are counted anew within each role: the names of several lives may share theirs."""
    counts: dict[Role, int] = {}
    numbered = []
    for found in sorted(fitting, key=lambda each: (each.parsed.role, each.report.client_id)):
        role = found.parsed.role
        counts[role] = counts.get(role, 0) + 1
        numbered.append((counts[role], found))
    return numbered


def _own(world: World, trade: Trade, found: _Found, attempt: int) -> OwnOrder:
    report, role = found.report, found.parsed.role
    request = OrderRequest(
        symbol=world.symbol,
        client_id=report.client_id,
        role=role,
        side=report.side,
        type=OrderType(report.type),
        quantity=None if report.close_position else report.quantity,
        price=report.price,
        trigger_price=report.trigger_price,
        time_in_force=_word(TimeInForce, report.time_in_force),
        reduce_only=report.reduce_only and not report.close_position,
        close_position=report.close_position,
        working_type=_word(WorkingType, report.working_type),
    )
    return OwnOrder(
        trade_key=trade.key,
        attempt=attempt,
        request=request,
        rule=RULE,
        cause="found alive on the exchange",
        journaled_ms=world.now_ms,
        state=OrderState.OPEN,
        venue_id=report.venue_id,
        acked_ms=world.now_ms,
        updated_ms=report.updated_ms,
        filled_quantity=report.filled_quantity,
    )


def _word[T: (TimeInForce, WorkingType)](kind: type[T], word: str | None) -> T | None:
    return kind(word) if word in {each.value for each in kind} else None


def _story(trade: Trade, size: Decimal, fitting: Sequence[_Found]) -> str:
    names = ", ".join(found.report.client_id for found in fitting) or "no order of ours"
    if size == ZERO:
        return f"found {names} that no trade explains, and no position: they go"
    side = "long" if trade.side is Side.BUY else "short"
    kept = any(found.parsed.role in STOP_ROLES for found in fitting)
    stop = "its stop is kept" if kept else "it gets one"
    what = f"{side} {text(size)} at {text(trade.limit_price)}"
    price = text(trade.tightest(trade.ratchet_price))
    return f"found {what} that no trade explains, with {names}; stop {price}: {stop}"
