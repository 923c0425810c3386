"""A decision judged offline: every guard, the band, the order it would lead to (D-9).

Promises that every verdict comes from the same functions that the engine's tick calls, and that a decision which is
accepted here is refused by the tick only for what `judgements.UNJUDGED` names. Prices that nobody gave are assumed
where the entry would rest, and said to be. Knows no account: the balance is taken to be large enough, and how large
that is stands in G-8.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from jumar.model.account import Balance
from jumar.model.command import Refusal
from jumar.model.decision import Decision, Levels
from jumar.model.instrument import Instrument
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, percent_of, text
from jumar.model.world import Observed, Quote, Source, World
from jumar.planner import guards
from jumar.planner.band import Band, EmptyBand, compute_band, entry_price
from jumar.planner.entry import Proposal, propose
from jumar.planner.facts import assess
from jumar.planner.judgements import Case, Judgement, Verdict, judge
from jumar.planner.targets import wanted_targets

_BOUNDLESS = Decimal(10) ** 15
_RATIO = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What is known of the market, quote currency; None is assumed."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    mark: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BandReport:
    """The enterable prices, and what bounds them."""

    low: Decimal
    high: Decimal
    low_because: str
    high_because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReport:
    """The order that would be placed, and the protection around it.

    Attributes:
        price: the limit price now, None while nothing may rest; `limit_price` is the one aimed at.
        margin: quote currency at that leverage, without the reserve.
        stop_pct: distance of the stop from the limit price, percent of it.
        tp1_quantity, tp2_quantity: after a full fill; zero means no such order.
        gross, net: reward to risk to TP1; net of the entry's maker fee and the exit's taker fee.
        loss: at the stop after a full fill, quote currency, fees included.
        cuts: what made the quantity smaller, or moved the stop.
    """

    side: Side
    price: Decimal | None
    price_because: str
    limit_price: Decimal
    quantity: Decimal
    quantity_because: str
    notional: Decimal
    leverage: int
    margin: Decimal
    stop: Decimal
    stop_pct: Decimal
    tp1: Decimal
    tp1_quantity: Decimal
    tp2: Decimal | None
    tp2_quantity: Decimal
    gross: Decimal
    net: Decimal
    loss: Decimal
    cuts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found; a flat decision has neither band nor order, and only its age to be judged by."""

    decision: Decision
    now_ms: int
    judgements: tuple[Judgement, ...]
    band: BandReport | None
    order: EntryReport | None
    instrument: Instrument
    policy: Policy

    @property
    def accepted(self) -> bool:
        """Whether nothing that can be judged here refuses it."""
        return not self.refused

    @property
    def refused(self) -> tuple[Judgement, ...]:
        """The guards that refuse."""
        return tuple(each for each in self.judgements if each.verdict is Verdict.REFUSED)


def with_prices(world: World, policy: Policy, known: Prices) -> tuple[World, tuple[str, ...]]:
    """Return a world with every price, and in words those that were assumed.

    What is not known is put at the best price known; with none, where the entry would rest: the zone's middle
    clamped into the band.
    """
    instrument = world.instrument
    if instrument is None:
        return world, ()
    tick = instrument.tick_size
    anchor = _anchor(world, policy, known, instrument)
    bid, ask = known.bid, known.ask
    if bid is None and ask is None:
        rests_on_bid = world.decision is None or world.decision.decision.side is not Side.SELL
        bid = anchor if rests_on_bid else max(anchor - tick, tick)
    bid = bid if bid is not None else max((ask or anchor) - tick, tick)
    ask = ask if ask is not None else bid + tick
    last = known.last if known.last is not None else anchor
    mark = known.mark if known.mark is not None else last
    values = {"bid": bid, "ask": ask, "last": last, "mark": mark}
    given = {"bid": known.bid, "ask": known.ask, "last": known.last, "mark": known.mark}
    assumed = tuple(f"{name} {text(values[name])}" for name in values if given[name] is None)
    quote = Quote(bid=bid, ask=ask, bid_quantity=ZERO, ask_quantity=ZERO)
    priced = replace(
        world,
        quote=_now(world, quote),
        last=_now(world, last),
        mark=_now(world, mark),
    )
    return priced, assumed


def _anchor(world: World, policy: Policy, known: Prices, instrument: Instrument) -> Decimal:
    if known.bid is not None and known.ask is not None:
        return instrument.floor_price((known.bid + known.ask) / 2)
    for price in (known.last, known.mark, known.bid, known.ask):
        if price is not None:
            return max(instrument.floor_price(price), instrument.tick_size)
    trade = _afforded(world, policy).trade
    if trade is not None:
        return trade.limit_price
    levels = None if world.decision is None else world.decision.decision.levels
    middle = ZERO if levels is None else (levels.zone_min + levels.zone_max) / 2
    return max(instrument.floor_price(middle), instrument.tick_size)


def _now[T](world: World, value: T) -> Observed[T]:
    return Observed(value=value, at_ms=world.now_ms, source=Source.STREAM)


def _afforded(world: World, policy: Policy) -> Proposal:
    """Propose as if the balance cut nothing and the leverage were allowed; both are judged apart."""
    state, instrument = world.decision, world.instrument
    if state is not None and instrument is not None:
        allowed = Decimal(_leverage_max(state.decision, instrument, policy))
        decision = replace(state.decision, leverage=min(state.decision.leverage, allowed))
        world = replace(world, decision=replace(state, decision=decision))
    rich = Balance(wallet=_BOUNDLESS, equity=_BOUNDLESS, available=_BOUNDLESS)
    balance = Observed(value=rich, at_ms=world.now_ms, source=Source.REST)
    return propose(replace(world, balance=balance), policy)


def _leverage_max(decision: Decision, instrument: Instrument, policy: Policy) -> int:
    highest = instrument.leverage_for(decision.notional)
    return min(policy.max_leverage, highest or policy.max_leverage)


def check(world: World, policy: Policy) -> Report:
    """Judge the world's decision by every guard that needs no account; the rest is named as not judged.

    Args:
        world: with decision, instrument and prices (see `with_prices`); whatever else it holds is not looked at.
        policy: the symbol's limits.

    Raises:
        ValueError: the world lacks its decision, its instrument or a price.
    """
    state, instrument = world.decision, world.instrument
    if state is None or instrument is None:
        raise ValueError("a check needs a decision and the filters of its symbol")
    decision, levels, side = state.decision, state.decision.levels, state.decision.side
    if levels is None or side is None:
        return Report(
            decision=decision,
            now_ms=world.now_ms,
            judgements=tuple(
                Judgement(rule=r.rule, codes=(r.code,), verdict=Verdict.REFUSED, text=r.message)
                for r in guards.standing_refusals(world, policy)
            ),
            band=None,
            order=None,
            instrument=instrument,
            policy=policy,
        )
    proposal = _afforded(world, policy)
    band = compute_band(levels, side, instrument, policy)
    case = _case(
        world,
        policy,
        instrument=instrument,
        levels=levels,
        side=side,
        band=band,
        proposal=proposal,
    )
    return Report(
        decision=decision,
        now_ms=world.now_ms,
        judgements=judge(case, _refusals(world, policy, proposal, instrument)),
        band=_band_report(band, instrument, policy) if isinstance(band, Band) else None,
        order=_order_report(case, proposal),
        instrument=instrument,
        policy=policy,
    )


def _refusals(
    world: World, policy: Policy, proposal: Proposal, instrument: Instrument
) -> tuple[Refusal, ...]:
    """All of them at once: the tick stops at the first kind, a person wants to mend everything together."""
    decision = None if world.decision is None else world.decision.decision
    found = [*guards.standing_refusals(world, policy), *proposal.refusals]
    if decision is not None:
        limit = instrument.leverage_for(decision.notional)
        leverage = guards.leverage_refusal(decision, limit, policy)
        found += [leverage] if leverage is not None else []
    found += guards.market_refusals(world, policy, None)
    return tuple(dict.fromkeys(found))


def _case(
    world: World,
    policy: Policy,
    *,
    instrument: Instrument,
    levels: Levels,
    side: Side,
    band: Band | EmptyBand,
    proposal: Proposal,
) -> Case:
    if world.decision is None or world.quote is None or world.mark is None or world.last is None:
        raise ValueError("a check needs a quote, a mark and a last price: see with_prices")
    decision = world.decision.decision
    return Case(
        world=world,
        policy=policy,
        decision=decision,
        levels=levels,
        side=side,
        instrument=instrument,
        quote=world.quote.value,
        mark=world.mark.value,
        last=world.last.value,
        band=band if isinstance(band, Band) else None,
        trade=proposal.trade,
        leverage_max=_leverage_max(decision, instrument, policy),
    )


def _band_report(band: Band, instrument: Instrument, policy: Policy) -> BandReport:
    edge = "the zone's edge"
    low = high = edge
    is_long = band.side is Side.BUY
    if band.low != band.levels.zone_min:
        beyond = band.low - instrument.tick_size
        low = _too_close(band, beyond, policy) if is_long else _too_little(band, beyond, policy)
    if band.high != band.levels.zone_max:
        beyond = band.high + instrument.tick_size
        high = _too_little(band, beyond, policy) if is_long else _too_close(band, beyond, policy)
    return BandReport(low=band.low, high=band.high, low_because=low, high_because=high)


def _too_close(band: Band, price: Decimal, policy: Policy) -> str:
    away = _rounded_down(abs(price - band.levels.stop) / price / PERCENT)
    return f"at {text(price)} the stop is {away} % away, {text(policy.min_stop_pct)} % needed"


def _too_little(band: Band, price: Decimal, policy: Policy) -> str:
    ratio = abs(band.levels.tp1 - price) / abs(price - band.levels.stop)
    return (
        f"at {text(price)} reward to risk is {_rounded_down(ratio)}, {text(policy.min_rr)} needed"
    )


def _rounded_down(value: Decimal) -> str:
    """What is too little must not read as enough."""
    return text(value.quantize(_RATIO, rounding=ROUND_FLOOR))


def _order_report(case: Case, proposal: Proposal) -> EntryReport | None:
    band, trade = case.band, proposal.trade
    if band is None or trade is None:
        return None
    quantity, limit = trade.planned_quantity, trade.limit_price
    price = entry_price(band, case.quote, case.instrument)
    first, second = _targets(case, trade)
    gross, net, risk = _reward(trade, case.instrument)
    notional = quantity * limit
    return EntryReport(
        side=trade.side,
        price=price,
        price_because=_price_because(band, case, trade, gross, price),
        limit_price=limit,
        quantity=quantity,
        quantity_because=(
            f"{text(case.decision.notional)} / {text(band.worst)}, the band's worst price, "
            f"floored to the step {text(case.instrument.step_size)}"
        ),
        notional=notional,
        leverage=proposal.leverage,
        margin=notional / proposal.leverage,
        stop=trade.initial_stop,
        stop_pct=percent_of(trade.stop_distance, limit),
        tp1=trade.tp1,
        tp1_quantity=first,
        tp2=trade.tp2,
        tp2_quantity=second,
        gross=gross,
        net=net,
        loss=quantity * risk,
        cuts=tuple(note.text for note in proposal.notes),
    )


def _targets(case: Case, trade: Trade) -> tuple[Decimal, Decimal]:
    """How a full fill would be split (T-1)."""
    quantity = trade.planned_quantity
    facts = assess(replace(case.world, orders=(), fills=()), trade, case.policy)
    filled = replace(facts, entered=quantity, own_remaining=quantity)
    wanted = wanted_targets(case.world, trade, filled, case.instrument)
    return wanted.tp1, wanted.tp2


def _reward(trade: Trade, instrument: Instrument) -> tuple[Decimal, Decimal, Decimal]:
    """Reward to risk gross and net, and the net risk of one unit: maker in, taker out."""
    entry, stop, target = trade.limit_price, trade.initial_stop, trade.tp1
    reward, risk = (target - entry) * trade.sign, trade.stop_distance
    paid = entry * instrument.maker_fee
    net_risk = risk + paid + stop * instrument.taker_fee
    net_reward = reward - paid - target * instrument.taker_fee
    return (reward / risk).quantize(_RATIO), (net_reward / net_risk).quantize(_RATIO), net_risk


def _price_because(
    band: Band, case: Case, trade: Trade, gross: Decimal, price: Decimal | None
) -> str:
    limit, middle = trade.limit_price, (band.levels.zone_min + band.levels.zone_max) / 2
    away = text(percent_of(trade.stop_distance, limit))
    there = f"where reward to risk is {text(gross)} and the stop {away} % away"
    if middle > band.high:
        words = f"the zone's middle {text(middle)} is above the band's upper end {text(band.high)}, {there}"
    elif middle < band.low:
        words = f"the zone's middle {text(middle)} is below the band's lower end {text(band.low)}, {there}"
    elif middle != limit:
        words = f"the zone's middle {text(middle)}, rounded to the tick toward more reward"
    else:
        words = "the zone's middle"
    is_long = band.side is Side.BUY
    touch, name = (case.quote.bid, "bid") if is_long else (case.quote.ask, "ask")
    if price is None:
        return f"{words}; there it would cross, and the best {name} {text(touch)} is outside the band: it waits"
    if price != limit:
        return f"{words}; there it would cross, so it joins the best {name}"
    return words
