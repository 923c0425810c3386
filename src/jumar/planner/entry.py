"""The entry: opening a trade, set-up, and the one entry order (E-1 … E-5, E-8, E-10, G-7, G-8)."""

from dataclasses import dataclass
from decimal import Decimal

from jumar.model.command import Cause, Command, Refusal, SetLeverage, SetMarginMode
from jumar.model.decision import Action, Decision
from jumar.model.ids import trade_key
from jumar.model.instrument import Instrument
from jumar.model.order import OrderStatus, OwnOrder, Role, TimeInForce
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, ceil_to, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.band import Band, EmptyBand, compute_band, is_worth_it, size
from jumar.planner.binding import taken_over
from jumar.planner.chase import chase, joining_price
from jumar.planner.facts import Facts
from jumar.planner.fallback import give_way, taking_price
from jumar.planner.guards import leverage_refusal, planned_refusals
from jumar.planner.guided import entry_band
from jumar.planner.slots import alive, attempts, cancel, last, may_cancel, regular, since_journaled

#: After a refused entry (post-only would have taken) the next attempt waits for another look at the market.
RETRY_AFTER_REFUSAL_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What an entry of the present decision would be; `refusals` say why it may not."""

    trade: Trade | None
    leverage: int
    refusals: tuple[Refusal, ...]
    notes: tuple[Cause, ...] = ()


def propose(world: World, policy: Policy) -> Proposal:
    """Compute band, leverage, price and quantity of the present decision (G-3, G-7, G-8, G-9, G-16, G-17)."""
    state, instrument = world.decision, world.instrument
    if state is None or instrument is None or state.decision.levels is None:
        return Proposal(trade=None, leverage=0, refusals=())
    decision = state.decision
    side = decision.side
    if side is None:
        return Proposal(trade=None, leverage=0, refusals=())
    band = compute_band(state.decision.levels, side, instrument, policy)
    if isinstance(band, EmptyBand):
        refusal = refuse(band.code, "E-1", band.message)
        return Proposal(trade=None, leverage=0, refusals=(refusal,))
    refusal_ = leverage_refusal(decision, instrument.leverage_for(decision.notional), policy)
    if refusal_ is not None:
        return Proposal(trade=None, leverage=0, refusals=(refusal_,))
    return _sized(world, policy, decision, band, instrument)


def _sized(
    world: World, policy: Policy, decision: Decision, band: Band, instrument: Instrument
) -> Proposal:
    leverage = max(int(decision.leverage), 1)
    if world.balance is None:
        return Proposal(trade=None, leverage=leverage, refusals=())
    sizing = size(
        band,
        notional=decision.notional,
        leverage=leverage,
        equity=world.balance.value.equity,
        available=world.balance.value.available,
        instrument=instrument,
        policy=policy,
    )
    refusal = _too_small(sizing.quantity, sizing.binding, band, instrument, world)
    trade = _trade(world, decision, band, sizing.quantity, instrument)
    small = () if refusal is None else (refusal,)
    refusals = (*small, *planned_refusals(world, policy, trade, leverage))
    notes = [Cause(rule="E-3", text=f"quantity cut to {cut}") for cut in sizing.cuts]
    if band.widened_from is not None:
        words = f"stop widened from {text(band.widened_from)} to {text(band.levels.stop)}"
        notes.append(Cause(rule="E-1", text=words))
    if trade.zone is not None:
        notes.append(taken_over(trade.zone))
    return Proposal(trade=trade, leverage=leverage, refusals=refusals, notes=tuple(notes))


def _too_small(
    quantity: Decimal, binding: str, band: Band, instrument: Instrument, world: World
) -> Refusal | None:
    minimum = max(instrument.min_quantity, instrument.market_min_quantity)
    notional = quantity * band.low
    if quantity >= minimum and notional >= instrument.min_notional:
        return None
    enough = ceil_to(instrument.min_notional / band.low, instrument.step_size)
    needed = max(minimum, enough) * band.worst
    if binding == "margin" and world.balance is not None:
        return refuse(
            "margin_insufficient",
            "G-8",
            f"available {text(world.balance.value.available)} carries {text(quantity)}, "
            f"at least {text(needed)} of notional is needed",
        )
    uncut = binding == "decision"
    why = "" if uncut else f" after the cut by {binding}"
    fix = f": position_size_usdt of {text(needed)} would pass" if uncut else ""
    if quantity < minimum:
        return refuse(
            "quantity_too_small",
            "G-7",
            f"quantity {text(quantity)}{why} is below the minimum {text(minimum)}{fix}",
        )
    return refuse(
        "notional_too_low",
        "G-7",
        f"notional {text(notional)}{why} is below the minimum {text(instrument.min_notional)}{fix}",
    )


def _trade(
    world: World, decision: Decision, band: Band, quantity: Decimal, instrument: Instrument
) -> Trade:
    side = band.side
    middle = (band.levels.zone_min + band.levels.zone_max) / 2
    clamped = min(max(middle, band.low), band.high)
    round_price = (
        instrument.floor_price if decision.action is Action.LONG else instrument.ceil_price
    )
    return Trade(
        key=trade_key(account=world.account, store_id=world.store_id, decision_id=decision.id),
        symbol=world.symbol,
        side=side,
        decision=decision,
        planned_quantity=quantity,
        limit_price=round_price(clamped),
        initial_stop=band.levels.stop,
        tp1=band.levels.tp1,
        tp2=band.levels.tp2,
        armed_ms=world.now_ms,
        zone=None if world.decision is None else world.decision.zone,
    )


def setup_commands(world: World, policy: Policy, leverage: int) -> tuple[Command, ...] | None:
    """Return what must be set before arming, an empty tuple when all is as wanted, None while unread (E-4)."""
    if world.settings is None:
        return None
    settings = world.settings.value
    commands: list[Command] = []
    if settings.margin_mode != policy.margin_mode:
        cause = Cause(
            rule="E-4", text=f"margin mode {settings.margin_mode} -> {policy.margin_mode}"
        )
        commands.append(SetMarginMode(symbol=world.symbol, mode=policy.margin_mode, cause=cause))
    if settings.leverage != leverage:
        cause = Cause(rule="E-4", text=f"leverage {settings.leverage} -> {leverage}")
        commands.append(SetLeverage(symbol=world.symbol, leverage=leverage, cause=cause))
    return tuple(commands)


def entry_commands(
    world: World, trade: Trade, facts: Facts, policy: Policy, refusals: tuple[Refusal, ...]
) -> tuple[Command, ...]:
    """Cancel the entry when it may not be alive; let it follow the touch; place it when none is (E-5 … E-10, S-1)."""
    reason = _why_not(world, trade, facts, refusals)
    resting = alive(world, Role.ENTRY)
    if reason is not None:
        return tuple(cancel(order, reason) for order in resting if may_cancel(world, order))
    band = _band(world, trade, policy)
    if band is None or not armed_stop_confirmed(world, trade, facts) or facts.fills_pending:
        return ()
    if facts.cover_size > facts.entered:
        return ()  # more is held than our fills explain: the armed stop could be too small for the rest
    if resting:
        (order,) = resting[-1:]
        return chase(world, trade, policy, band, order) or give_way(
            world, trade, policy, band, order
        )
    return _place(world, trade, facts, policy, band)


def _band(world: World, trade: Trade, policy: Policy) -> Band | None:
    """The prices that the trade may be entered at, None while they are not known or none is left."""
    instrument = world.instrument
    if instrument is None:
        return None
    band = entry_band(trade, instrument, policy)
    return None if isinstance(band, EmptyBand) else band


def armed_stop_confirmed(world: World, trade: Trade, facts: Facts) -> bool:
    """Whether a confirmed stop for the whole planned quantity rests at the initial stop or tighter (S-1)."""
    needed = max(trade.planned_quantity, facts.cover_size)
    return any(
        order.confirmed
        and (order.request.quantity or ZERO) >= needed
        and order.request.trigger_price is not None
        and not trade.is_tighter(trade.initial_stop, than=order.request.trigger_price)
        for order in attempts(world, Role.STOP)
    )


def _why_not(
    world: World, trade: Trade, facts: Facts, refusals: tuple[Refusal, ...]
) -> Cause | None:
    """Why no entry may be alive now, None when one may."""
    presumed_alive = any(order.confirmed for order in attempts(world, Role.STOP))
    if not presumed_alive:
        return Cause(rule="S-1", text="no armed stop is confirmed alive")
    if trade.closing is not None:
        return Cause(rule="S-9", text=f"the trade is closing: {trade.closing}")
    if trade.voided is not None:
        return Cause(rule="S-1", text=f"the set-up is void: {trade.voided}")
    if trade.entry_over is not None:
        return Cause(rule="E-7", text=f"the entry is over: {trade.entry_over}")
    if facts.exit_filled:
        return Cause(rule="S-9", text="an exit has filled")
    if refusals:
        first = refusals[0]
        return Cause(rule=first.rule, text=f"{first.code}: {first.message}")
    return None


def _place(
    world: World, trade: Trade, facts: Facts, policy: Policy, band: Band
) -> tuple[Command, ...]:
    instrument = world.instrument
    if instrument is None or world.quote is None:
        return ()
    quantity = instrument.floor_quantity(trade.planned_quantity - facts.entered)
    previous = last(world, Role.ENTRY)
    if previous is not None and _just_refused(world, previous):
        return ()
    taking = taking_price(world, trade, policy, band)
    price = joining_price(world, trade, band, world.quote.value, instrument)
    price = price if taking is None else taking.price
    if price is None or quantity < instrument.min_quantity:
        return ()
    if quantity * price < instrument.min_notional or not is_worth_it(price, trade, policy):
        return ()
    joins = Cause(rule="E-2", text=_words(trade, band, quantity, price))
    command = regular(
        world,
        trade,
        Role.ENTRY,
        quantity=quantity,
        side=trade.side,
        cause=joins if taking is None else taking.cause,
        price=price,
        time_in_force=TimeInForce.GTX if taking is None else TimeInForce.IOC,
    )
    return (command,)


def _words(trade: Trade, band: Band, quantity: Decimal, price: Decimal) -> str:
    share = abs(price - trade.initial_stop) / price / PERCENT
    return (
        f"entry {text(quantity)} at {text(price)}, band [{text(band.low)}, {text(band.high)}], "
        f"stop {text(trade.initial_stop)} is {text(share.quantize(Decimal('0.001')))} % away"
    )


def _just_refused(world: World, newest: OwnOrder) -> bool:
    refused = newest.end_code is not None or newest.end_status in {
        OrderStatus.REJECTED,
        OrderStatus.EXPIRED,
    }
    return refused and since_journaled(world, newest) < RETRY_AFTER_REFUSAL_MS


def entry_orders_used_up(world: World, policy: Policy) -> bool:
    """E-5: at most `max_entry_orders` per decision, post-only refusals included."""
    tried = attempts(world, Role.ENTRY)
    return len(tried) >= policy.max_entry_orders and all(order.ended for order in tried)
