"""Guards: why an entry is refused. Each has a code, its rule, and a message with the numbers (section 2).

All are evaluated every tick, so that a resting entry is cancelled when one begins to fail. Each judges as if the
trade's own entry, position and margin were not there. A decision that is no longer in force (G-1) is answered
with that alone: what the market looks like no longer matters to it.
"""

from collections.abc import Iterator
from decimal import Decimal

from jumar.model.account import MarginMode
from jumar.model.command import Refusal
from jumar.model.decision import Action, Decision
from jumar.model.ids import parse_client_id
from jumar.model.mode import Mode
from jumar.model.order import STOP_ROLES, TARGET_ROLES, Role
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import PERCENT, ZERO, percent_of, text
from jumar.model.world import World
from jumar.planner.approve import refuse
from jumar.planner.position import told_positions

#: Guards that only say "not read yet": an entry is still wanted, so the books are read every tick (section 11).
TRUTH_CODES = frozenset({"truth_incomplete", "unresolved_order"})
#: Unknown orders that keep an entry away. The entry itself is not judged by its own outcome: it is settled by
#: X-4, and while it is alive or unknown there is no second one; stops have rules of their own.
_BLOCKING = TARGET_ROLES | {Role.ZONE_EXIT, Role.FULL_EXIT}


def standing_refusals(world: World, policy: Policy) -> tuple[Refusal, ...]:
    """Judge the decision by itself: is it in force, fresh, unspent (G-1)?"""
    state = world.decision
    if state is None:
        return ()
    refusals = [refuse(code, "G-1", message) for code, message in state.refusals]
    age_ms = world.now_ms - state.decision.timestamp_ms
    if age_ms > policy.max_age_s * 1000:
        refusals.append(
            refuse(
                "stale",
                "D-3",
                f"decision is {age_ms / 1000:.1f} s old, {policy.max_age_s} s are allowed",
            )
        )
    if age_ms < -policy.future_skew_s * 1000:
        refusals.append(
            refuse(
                "future",
                "D-3",
                f"decision is {-age_ms / 1000:.1f} s ahead of the exchange's clock, "
                f"{policy.future_skew_s} s are allowed: check the clock of the decision system",
            )
        )
    if state.spent is not None:
        refusals.append(refuse("spent", "D-7", f"decision is spent: {state.spent}"))
    return tuple(refusals)


def is_fresh(decision: Decision, world: World, policy: Policy) -> bool:
    """Whether a decision is neither stale nor from the future (D-3)."""
    age_ms = world.now_ms - decision.timestamp_ms
    return -policy.future_skew_s * 1000 <= age_ms <= policy.max_age_s * 1000


def market_refusals(world: World, policy: Policy, own: Trade | None) -> tuple[Refusal, ...]:
    """Judge everything else that does not need the planned quantity: checks, market, truth, account, stop."""
    state = world.decision
    decision = own.decision if own is not None else None if state is None else state.decision
    if decision is None or decision.action is Action.FLAT:
        return ()
    return (
        *_risk_checks(decision),
        *_prices(world, decision, policy),
        *_market_data(world, policy),
        *_mode(world),
        *_truth(world, policy),
        *_exchange_state(world, policy, own),
        *_mark_near_stop(world, policy, own),
        *_equity(world, policy),
    )


def _risk_checks(decision: Decision) -> Iterator[Refusal]:
    if decision.risk_checks is None:
        yield refuse("risk_checks_missing", "D-6", "the decision has no risk_checks block")
        return
    failed = [name for name, passed in decision.risk_checks if not passed]
    if failed:
        yield refuse("risk_check_failed", "D-6", f"risk_checks say no: {', '.join(failed)}")


def _prices(world: World, decision: Decision, policy: Policy) -> Iterator[Refusal]:
    """G-4: neither last nor mark may be far from the zone or beyond the stop."""
    levels, side = decision.levels, decision.side
    if levels is None or side is None:
        return
    for name, seen in (("last", world.last), ("mark", world.mark)):
        if seen is None:
            continue
        price = seen.value
        distance = max(levels.zone_min - price, price - levels.zone_max, ZERO)
        limit = price * policy.max_zone_distance_pct * PERCENT
        beyond = price <= levels.stop if decision.action is Action.LONG else price >= levels.stop
        if beyond:
            yield refuse(
                "price_too_far",
                "G-4",
                f"{name} {text(price)} is beyond the stop {text(levels.stop)}",
            )
        elif distance > limit:
            yield refuse(
                "price_too_far",
                "G-4",
                f"{name} {text(price)} is {percent_of(distance, price)} % from the zone "
                f"[{text(levels.zone_min)}, {text(levels.zone_max)}], "
                f"{text(policy.max_zone_distance_pct)} % is allowed",
            )


def _market_data(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-5 and G-6: fresh quote and mark, a tight spread, mark near last."""
    if world.last is None:
        yield refuse("market_data_stale", "G-6", "no last price has been received yet")
    for name, seen in (("quote", world.quote), ("mark", world.mark)):
        if seen is None:
            yield refuse("market_data_stale", "G-6", f"no {name} has been received yet")
        elif world.now_ms - seen.at_ms > policy.max_quote_age_s * 1000:
            age = (world.now_ms - seen.at_ms) / 1000
            yield refuse(
                "market_data_stale",
                "G-6",
                f"the {name} is {age:.1f} s old, {policy.max_quote_age_s} s are allowed",
            )
    if world.quote is not None:
        quote = world.quote.value
        spread = percent_of(quote.ask - quote.bid, quote.mid)
        if quote.ask - quote.bid > quote.mid * policy.max_spread_pct * PERCENT:
            yield refuse(
                "spread_too_wide",
                "G-5",
                f"spread {text(quote.bid)} / {text(quote.ask)} is {spread} %, "
                f"{text(policy.max_spread_pct)} % is allowed",
            )
    if world.mark is not None and world.last is not None:
        mark, last = world.mark.value, world.last.value
        divergence = percent_of(abs(mark - last), last)
        if abs(mark - last) > last * policy.max_mark_divergence_pct * PERCENT:
            yield refuse(
                "mark_diverged",
                "G-5",
                f"mark {text(mark)} and last {text(last)} are {divergence} % apart, "
                f"{text(policy.max_mark_divergence_pct)} % is allowed",
            )


def _mode(world: World) -> Iterator[Refusal]:
    """G-12: the mode that is kept, and what holds entries back only while it lasts (M-1, M-3)."""
    if world.draining:
        yield refuse("mode", "G-12", "the engine is being stopped")
    kept = world.mode
    if kept is not None and kept.mode is not Mode.NORMAL:
        name = kept.mode.value
        words = (
            f"{name} since {kept.rule}: {kept.cause}; `jumar resume` ends it once you have looked"
        )
        yield refuse("mode", "M-1", words)
    for order in world.orders:
        if order.role in STOP_ROLES and order.invisible:
            words = f"NO_ENTRIES: the stop {order.client_id} is invisible"
            yield refuse("mode", "S-13", words)
    for seen in (world.open_orders, world.conditional_orders):
        for report in () if seen is None else seen.value:
            if parse_client_id(report.client_id) is None:
                words = f"NO_ENTRIES: an order of somebody else rests here, {report.client_id}"
                yield refuse("mode", "Y-7", words)


def _truth(world: World, policy: Policy) -> Iterator[Refusal]:
    """G-13: both lists and the position read lately, nothing of ours unresolved."""
    limit = policy.max_truth_age_s * 1000
    if not world.ready:
        yield refuse("truth_incomplete", "Y-9", "the first reconciliation has not completed")
    parts = (
        ("position", world.position),
        ("order list", world.open_orders),
        ("conditional order list", world.conditional_orders),
    )
    for name, seen in parts:
        if seen is None:
            yield refuse("truth_incomplete", "G-13", f"the {name} has not been read yet")
        elif world.now_ms - seen.at_ms > limit:
            yield refuse(
                "truth_incomplete",
                "G-13",
                f"the {name} was read {(world.now_ms - seen.at_ms) / 1000:.1f} s ago, "
                f"{policy.max_truth_age_s} s are allowed",
            )
    for order in world.orders:
        waited = world.now_ms - order.journaled_ms
        if order.role in _BLOCKING and order.unresolved and waited > policy.protect_timeout_ms:
            yield refuse(
                "unresolved_order",
                "G-13",
                f"the outcome of {order.client_id} is not known for {waited / 1000:.1f} s",
            )
    for order in world.strays:
        words = f"{order.client_id} of an earlier trade is not proven ended"
        yield refuse("unresolved_order", "X-9", words)


def _exchange_state(world: World, policy: Policy, own: Trade | None) -> Iterator[Refusal]:
    instrument, account = world.instrument, world.account_settings
    if instrument is None:
        yield refuse("symbol_not_trading", "G-15", "the filters of the symbol are not known yet")
    elif instrument.status != "TRADING":
        yield refuse(
            "symbol_not_trading",
            "G-15",
            f"{world.symbol} has status {instrument.status}, not TRADING",
        )
    if account is None:
        yield refuse("truth_incomplete", "G-13", "the account's modes have not been read yet")
    elif account.value.hedge_mode:
        yield refuse(
            "position_mode_hedge",
            "G-15",
            "the account is in hedge mode: switch Binance's position mode to one-way",
        )
    if account is not None and account.value.multi_assets:
        yield refuse(
            "multi_assets_mode",
            "G-15",
            "the account is in multi-assets mode: switch to single-asset",
        )
    if own is None and (held := _held(world, policy)) != ZERO:
        yield refuse(
            "foreign_position", "G-15", f"there is a position of {text(held)} that is not ours"
        )
    if world.setup_error is not None:
        yield refuse("margin_mode_mismatch", "G-15", world.setup_error)
    settings = world.settings
    if (
        own is not None
        and settings is not None
        and settings.value.margin_mode != policy.margin_mode
    ):
        wanted = "isolated" if policy.margin_mode is MarginMode.ISOLATED else "crossed"
        yield refuse("margin_mode_mismatch", "G-15", f"the margin mode is no longer {wanted}")


def _held(world: World, policy: Policy) -> Decimal:
    """The largest position that any source tells that may be the truth."""
    told = (seen.value.quantity for seen in told_positions(world, policy))
    return max(told, key=abs, default=ZERO)


def _mark_near_stop(world: World, policy: Policy, own: Trade | None) -> Iterator[Refusal]:
    """G-16 for a resting entry; before arming `entry.open_trade` asks with the planned numbers."""
    if own is not None:
        refusal = mark_near_stop(world, policy, own)
        if refusal is not None:
            yield refusal


def mark_near_stop(world: World, policy: Policy, trade: Trade) -> Refusal | None:
    """G-16: mark must be further from the stop than `arm_margin` of |limit price - initial stop|."""
    if world.mark is None:
        return None
    room = (world.mark.value - trade.initial_stop) * trade.sign
    needed = trade.stop_distance * policy.arm_margin_pct * PERCENT
    if room > needed:
        return None
    return refuse(
        "mark_near_stop",
        "G-16",
        f"mark {text(world.mark.value)} is {text(room)} from the stop {text(trade.initial_stop)}, "
        f"more than {text(needed)} is needed",
    )


def _equity(world: World, policy: Policy) -> Iterator[Refusal]:
    if world.balance is None:
        yield refuse("truth_incomplete", "G-13", "the balance has not been read yet")
    elif world.balance.value.equity < policy.equity_min_usdt:
        yield refuse(
            "equity_below_min",
            "G-8",
            f"equity {text(world.balance.value.equity)} is below {text(policy.equity_min_usdt)}",
        )


def leverage_refusal(
    decision: Decision, instrument_max: int | None, policy: Policy
) -> Refusal | None:
    """G-7: the decision's leverage against the configured and the instrument's limit, the stricter counts."""
    limit = (
        policy.max_leverage if instrument_max is None else min(policy.max_leverage, instrument_max)
    )
    if decision.leverage <= Decimal(limit):
        return None
    return refuse(
        "leverage_too_high", "G-7", f"leverage {text(decision.leverage)} is above {limit}"
    )
