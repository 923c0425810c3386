"""Every guard of section 2 as a row: what an offline check can say about it, with the numbers.

Promises that a verdict is never worked out here: a guard passed when `guards` and `propose` refused nothing with its
codes. What only a running engine knows (truth, account, journal, mode) is said to be unjudged, never guessed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from jumar.model.account import MarginMode
from jumar.model.command import Refusal
from jumar.model.decision import Decision, Levels
from jumar.model.instrument import Instrument
from jumar.model.moments import iso
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import ONE, PERCENT, ZERO, ceil_to, percent_of, text
from jumar.model.world import Quote, World
from jumar.planner.band import Band
from jumar.planner.holding import loss_at_stop
from jumar.planner.margin import Planned, isolated_margin, liquidation_price


class Verdict(StrEnum):
    """What a check can say about a guard."""

    PASSED = "passed"
    REFUSED = "refused"
    UNKNOWN = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One guard, judged.

    Attributes:
        rule: its id in section 2.
        codes: the refusals it can give; of a refused one only those it gave.
        text: the numbers, or why it cannot be judged.
        fix: the number that would pass, None where the text already names it.
    """

    rule: str
    codes: tuple[str, ...]
    verdict: Verdict
    text: str
    fix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the words about a guard may look at.

    Attributes:
        band, trade: None when no price of the zone can be entered.
        leverage_max: the stricter of configuration and instrument.
    """

    world: World
    policy: Policy
    decision: Decision
    levels: Levels
    side: Side
    instrument: Instrument
    quote: Quote
    mark: Decimal
    last: Decimal
    band: Band | None
    trade: Trade | None
    leverage_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A guard that can be judged: its codes, its numbers, and what would pass.

    Attributes:
        words: None where it cannot be judged in this case. unjudged: why not.
    """

    rule: str
    codes: tuple[str, ...]
    words: Callable[[Case], str | None]
    fix: Callable[[Case], str | None] = lambda _: None
    unjudged: str = "no price of the zone can be entered, so there is nothing to judge"


def judge(case: Case, refusals: Iterable[Refusal]) -> tuple[Judgement, ...]:
    """Return one judgement for every guard; a refusal that no row knows gets a row of its own."""
    open_ = [refusal for refusal in refusals if refusal.code not in UNJUDGED_CODES]
    known = {code for row in JUDGED for code in row.codes}
    strange = [
        Judgement(rule=each.rule, codes=(each.code,), verdict=Verdict.REFUSED, text=each.message)
        for each in open_
        if each.code not in known
    ]
    judged = [_judged(row, case, [r for r in open_ if r.code in row.codes]) for row in JUDGED]
    unjudged = [
        Judgement(rule=rule, codes=codes, verdict=Verdict.UNKNOWN, text=words(case))
        for rule, codes, words in UNJUDGED
    ]
    return (*strange, *judged, *unjudged)


def _judged(row: Row, case: Case, refused: list[Refusal]) -> Judgement:
    if refused:
        return Judgement(
            rule=row.rule,
            codes=tuple(dict.fromkeys(refusal.code for refusal in refused)),
            verdict=Verdict.REFUSED,
            text="; ".join(refusal.message for refusal in refused),
            fix=row.fix(case),
        )
    words = row.words(case)
    verdict = Verdict.UNKNOWN if words is None else Verdict.PASSED
    return Judgement(
        rule=row.rule,
        codes=row.codes,
        verdict=verdict,
        text=row.unjudged if words is None else words,
    )


# what passed, and what would


def _age(case: Case) -> str:
    age = (case.world.now_ms - case.decision.timestamp_ms) / 1000
    policy = case.policy
    return f"{age:.1f} s old, {policy.max_age_s} s allowed, {policy.future_skew_s} s ahead allowed"


def _age_fix(case: Case) -> str | None:
    now_ms, policy = case.world.now_ms, case.policy
    try:
        oldest = iso(now_ms - policy.max_age_s * 1000)
        newest = iso(now_ms + policy.future_skew_s * 1000)
    except OverflowError:
        return None  # beyond the calendar
    return f"timestamp_iso from {oldest} to {newest}"


def _checks(case: Case) -> str:
    names = [name for name, _ in case.decision.risk_checks or ()]
    return f"{len(names)} of {len(names)} true: {', '.join(names)}"


def _checks_fix(case: Case) -> str:
    failed = [name for name, passed in case.decision.risk_checks or () if not passed]
    return (
        f"true for {', '.join(failed)}" if failed else "a risk_checks block with every check true"
    )


def _band(case: Case) -> str | None:
    if case.band is None:
        return None
    low, high = text(case.band.low), text(case.band.high)
    floors = f"{text(case.policy.min_stop_pct)} % to the stop, {text(case.policy.min_rr)} times the risk to tp1"
    return f"[{low}, {high}] can be entered: at least {floors}"


def _distance(case: Case) -> str:
    zone = f"[{text(case.levels.zone_min)}, {text(case.levels.zone_max)}]"
    parts = []
    for name, price in (("last", case.last), ("mark", case.mark)):
        outside = max(case.levels.zone_min - price, price - case.levels.zone_max, Decimal(0))
        parts.append(f"{name} {text(price)} is {text(percent_of(outside, price))} %")
    limit = text(case.policy.max_zone_distance_pct)
    return f"{' and '.join(parts)} from the zone {zone}, {limit} % allowed"


def _distance_fix(case: Case) -> str:
    levels, instrument = case.levels, case.instrument
    share = case.policy.max_zone_distance_pct * PERCENT
    low = instrument.ceil_price(levels.zone_min / (ONE + share))
    high = instrument.floor_price(levels.zone_max / (ONE - share))
    if case.side is Side.BUY:
        low = max(low, instrument.floor_price(levels.stop) + instrument.tick_size)
    else:
        high = min(high, instrument.ceil_price(levels.stop) - instrument.tick_size)
    return f"last and mark from {text(low)} to {text(high)}"


def _spread(case: Case) -> str:
    quote = case.quote
    spread = text(percent_of(quote.ask - quote.bid, quote.mid))
    limit = text(case.policy.max_spread_pct)
    return f"{text(quote.bid)} / {text(quote.ask)} is {spread} %, {limit} % allowed"


def _spread_fix(case: Case) -> str:
    widest = case.instrument.floor_price(case.quote.mid * case.policy.max_spread_pct * PERCENT)
    return f"a spread of {text(widest)} around {text(case.quote.mid)}"


def _divergence(case: Case) -> str:
    apart = text(percent_of(abs(case.mark - case.last), case.last))
    limit = text(case.policy.max_mark_divergence_pct)
    return (
        f"mark {text(case.mark)} and last {text(case.last)} are {apart} % apart, {limit} % allowed"
    )


def _divergence_fix(case: Case) -> str:
    share = case.policy.max_mark_divergence_pct * PERCENT
    low = case.instrument.ceil_price(case.last * (ONE - share))
    high = case.instrument.floor_price(case.last * (ONE + share))
    return f"mark from {text(low)} to {text(high)}"


def _leverage(case: Case) -> str:
    return f"{text(case.decision.leverage)}, {case.leverage_max} allowed"


def _quantity(case: Case) -> str | None:
    if case.band is None or case.trade is None:
        return None
    instrument, quantity = case.instrument, case.trade.planned_quantity
    smallest = max(instrument.min_quantity, instrument.market_min_quantity)
    notional = text(quantity * case.band.low)
    least = text(instrument.min_notional)
    return (
        f"{text(quantity)}, at least {text(smallest)}; worth {notional} or more, at least {least}"
    )


def _quantity_fix(case: Case) -> str | None:
    """For a quantity that a small `max_notional_usdt` cut; otherwise the message names the size."""
    if case.band is None or case.policy.max_notional_usdt >= case.decision.notional:
        return None
    instrument = case.instrument
    enough = ceil_to(instrument.min_notional / case.band.low, instrument.step_size)
    smallest = max(instrument.min_quantity, instrument.market_min_quantity, enough)
    return f"max_notional_usdt of {text(smallest * case.band.high)}"


def _near_stop(case: Case) -> str | None:
    if case.trade is None:
        return None
    room = (case.mark - case.trade.initial_stop) * case.trade.sign
    needed = case.trade.stop_distance * case.policy.arm_margin_pct * PERCENT
    return f"mark is {text(room)} from the stop, more than {text(needed)} needed"


def _near_stop_fix(case: Case) -> str | None:
    if case.trade is None:
        return None
    needed = case.trade.stop_distance * case.policy.arm_margin_pct * PERCENT
    edge = case.trade.initial_stop + needed * case.trade.sign
    if case.side is Side.BUY:
        return (
            f"mark of {text(case.instrument.floor_price(edge) + case.instrument.tick_size)} or more"
        )
    return f"mark of {text(case.instrument.ceil_price(edge) - case.instrument.tick_size)} or less"


def _liquidation(case: Case) -> str | None:
    """With isolated margin the account does not matter; crossed, all of it does."""
    band, trade = case.band, case.trade
    isolated = case.policy.margin_mode is MarginMode.ISOLATED
    if band is None or trade is None or not isolated or not trade.planned_quantity:
        return None
    leverage = _leverage_used(case)
    price, beyond = _beyond_stop(case, band, trade, leverage)
    if price is None:
        return f"never liquidated with isolated margin and leverage {leverage}"
    needed = _liquidation_buffer(case, band, trade)
    return (
        f"liquidation at {text(price.quantize(case.instrument.tick_size))} with isolated margin and leverage {leverage}, "
        f"{text(beyond.quantize(case.instrument.tick_size))} beyond the stop, {text(needed)} needed"
    )


def _liquidation_fix(case: Case) -> str | None:
    """The highest leverage that would pass."""
    band, trade = case.band, case.trade
    if band is None or trade is None:
        return None
    needed = _liquidation_buffer(case, band, trade)
    for leverage in range(_leverage_used(case) - 1, 0, -1):
        price, beyond = _beyond_stop(case, band, trade, leverage)
        if price is None or beyond >= needed:
            return f"leverage {leverage}"
    return None


def _beyond_stop(
    case: Case, band: Band, trade: Trade, leverage: int
) -> tuple[Decimal | None, Decimal]:
    """The liquidation price with isolated margin, and how far it lies beyond the stop."""
    planned = Planned(side=case.side, quantity=trade.planned_quantity, entry=band.worst)
    margin = isolated_margin(planned, leverage, case.instrument.taker_fee)
    price = liquidation_price(planned, margin, case.instrument.brackets)
    return price, ZERO if price is None else (trade.initial_stop - price) * trade.sign


def _liquidation_buffer(case: Case, band: Band, trade: Trade) -> Decimal:
    share = case.policy.liquidation_buffer_pct * PERCENT
    return abs(band.worst - trade.initial_stop) * share


def _leverage_used(case: Case) -> int:
    return max(int(min(case.decision.leverage, Decimal(case.leverage_max))), 1)


def _total_risk(case: Case) -> str:
    """How much equity this trade alone needs to stay inside the limit of all positions."""
    if case.band is None or case.trade is None:
        return "needs the other positions"
    loss = loss_at_stop(case.world, case.trade, case.trade.planned_quantity, case.band.worst)
    equity = loss / (case.policy.max_total_risk_pct * PERCENT)
    return (
        f"needs the other positions; this one alone from {_up(equity)} of equity "
        f"(max_total_risk {text(case.policy.max_total_risk_pct)} %)"
    )


def _money(case: Case) -> str:
    if case.band is None or case.trade is None:
        return "the account's balance is not known here"
    worst, stop, quantity = case.band.worst, case.trade.initial_stop, case.trade.planned_quantity
    loss = quantity * (abs(worst - stop) + stop * case.instrument.taker_fee)
    equity = loss / (case.policy.max_risk_pct * PERCENT)
    reserve = ONE + case.policy.margin_reserve_pct * PERCENT
    leverage = _leverage_used(case)
    margin = quantity * case.band.high / leverage * reserve
    return (
        f"uncut from {_up(equity)} of equity (max_risk_pct {text(case.policy.max_risk_pct)} %) "
        f"and {_up(margin)} available ({text(case.policy.margin_reserve_pct)} % reserve included)"
    )


def _up(amount: Decimal) -> str:
    return text(ceil_to(amount, PERCENT))


def _says(words: str) -> Callable[[Case], str]:
    return lambda _: words


JUDGED: tuple[Row, ...] = (
    Row(rule="G-1", codes=("malformed", "symbol_not_managed"), words=_says("every field could be read")),
    Row(rule="G-1", codes=("stale", "future"), words=_age, fix=_age_fix),
    Row(rule="G-2", codes=("risk_check_failed", "risk_checks_missing"), words=_checks, fix=_checks_fix),
    Row(rule="G-3", codes=("stop_too_close", "rr_below_min"), words=_band),
    Row(rule="G-4", codes=("price_too_far",), words=_distance, fix=_distance_fix),
    Row(rule="G-5", codes=("spread_too_wide",), words=_spread, fix=_spread_fix),
    Row(rule="G-5", codes=("mark_diverged",), words=_divergence, fix=_divergence_fix),
    Row(
        rule="G-7",
        codes=("leverage_too_high",),
        words=_leverage,
        fix=lambda case: f"leverage {case.leverage_max}",
    ),
    Row(
        rule="G-7",
        codes=("notional_too_high", "notional_too_low", "quantity_too_small"),
        words=_quantity,
        fix=_quantity_fix,
    ),
    Row(
        rule="G-9",
        codes=("liquidation_inside_stop",),
        words=_liquidation,
        fix=_liquidation_fix,
        unjudged="needs a price to enter at and, with crossed margin, the account",
    ),
    Row(rule="G-16", codes=("mark_near_stop",), words=_near_stop, fix=_near_stop_fix),
)  # fmt: skip

UNJUDGED: tuple[tuple[str, tuple[str, ...], Callable[[Case], str]], ...] = (
    ("G-1", ("spent", "superseded", "conflict"), _says("only the engine's journal knows")),
    ("G-6", ("market_data_stale",), _says("prices here are given or assumed, not received")),
    ("G-8", ("margin_insufficient", "equity_below_min"), _money),
    (
        "G-10",
        ("daily_drawdown", "weekly_drawdown"),
        _says("needs the account's equity over time and what was moved in and out"),
    ),
    ("G-11", ("max_trades_per_day", "cooldown"), _says("only the engine's journal knows")),
    ("G-12", ("mode", "paused", "not_writer"), _says("only the running engine knows")),
    (
        "G-13",
        ("truth_incomplete", "unresolved_order"),
        _says("needs position and order lists as read from the exchange"),
    ),
    ("G-14", ("order_budget_low",), _says("needs the exchange's own counts")),
    (
        "G-15",
        (
            "symbol_not_trading",
            "symbol_delisting",
            "position_mode_hedge",
            "margin_mode_mismatch",
            "multi_assets_mode",
            "foreign_position",
        ),
        _says("needs the exchange; filters and brackets here are a shipped table"),
    ),
    ("G-16", ("stop_not_placeable",), _says("known when the stop is armed")),
    ("G-17", ("max_open_positions", "max_total_risk"), _total_risk),
)
UNJUDGED_CODES = frozenset(code for _, codes, _ in UNJUDGED for code in codes)
