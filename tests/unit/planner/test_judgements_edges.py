"""The sentence and the fix of every guard that a check judges offline: passed, refused and not judged, long and short."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.test_check import checked
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, seen, short_decision, world

from jumar.model.account import MarginMode
from jumar.model.decision import Action, Decision
from jumar.model.instrument import Instrument
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.world import DecisionState
from jumar.planner.check import Prices, Report, check, with_prices
from jumar.planner.judgements import Judgement, Verdict

LONG, SHORT = Side.BUY, Side.SELL
PASSED, REFUSED, UNKNOWN = Verdict.PASSED, Verdict.REFUSED, Verdict.UNKNOWN
NOTHING = "no price of the zone can be entered, so there is nothing to judge"
sides = pytest.mark.parametrize("side", [LONG, SHORT])


def example(side: Side, **changes: object) -> Decision:
    """The decision of the specification's example, or its mirror; changes to levels go into them."""
    some = decision() if side is LONG else short_decision()
    assert some.levels is not None
    own = {name: changes.pop(name) for name in ("zone_min", "zone_max", "stop", "tp1", "tp2") if name in changes}  # fmt: skip
    inner = replace(some.levels, **own)  # type: ignore[arg-type]  # a test states only what differs
    return replace(some, **{"levels": inner, **changes})  # type: ignore[arg-type]  # a test states only what differs


def row(report: Report, code: str) -> tuple[Verdict, str, str | None]:
    """Verdict, text and fix of the one judgement that knows a code."""
    (found,) = [each for each in report.judgements if code in each.codes]
    return found.verdict, found.text, found.fix


def on(instrument: Instrument, some: Decision, policy: Policy = POLICY) -> Report:
    """The check on another instrument, with all prices assumed."""
    around = world(
        instrument=instrument,
        decision=DecisionState(decision=some),
        quote=None,
        last=None,
        mark=None,
    )
    return check(with_prices(around, policy, Prices())[0], policy)


LONG_ROWS = (
    ("G-1", ("malformed", "symbol_not_managed"), PASSED, "every field could be read"),
    ("G-1", ("stale", "future"), PASSED, "5.0 s old, 600 s allowed, 5 s ahead allowed"),
    (
        "G-2",
        ("risk_check_failed", "risk_checks_missing"),
        PASSED,
        (
            "5 of 5 true: daily_dd_ok, weekly_dd_ok, max_trades_per_day_ok, session_ok, "
            "no_major_news"
        ),
    ),
    (
        "G-3",
        ("stop_too_close", "rr_below_min"),
        PASSED,
        "[90700, 90786.6] can be entered: at least 0.35 % to the stop, 2 times the risk to tp1",
    ),
    (
        "G-4",
        ("price_too_far",),
        PASSED,
        ("last 90786.6 is 0 % and mark 90786.6 is 0 % from the zone [90700, 90900], 1 % allowed"),
    ),
    ("G-5", ("spread_too_wide",), PASSED, "90786.6 / 90786.7 is 0.0001 %, 0.05 % allowed"),
    (
        "G-5",
        ("mark_diverged",),
        PASSED,
        "mark 90786.6 and last 90786.6 are 0 % apart, 0.3 % allowed",
    ),
    ("G-7", ("leverage_too_high",), PASSED, "3, 5 allowed"),
    (
        "G-7",
        ("notional_too_high", "notional_too_low", "quantity_too_small"),
        PASSED,
        "0.013, at least 0.001; worth 1179.1 or more, at least 50",
    ),
    (
        "G-9",
        ("liquidation_inside_stop",),
        PASSED,
        (
            "liquidation at 60803.93 with isolated margin and leverage 3, "
            "29576.07 beyond the stop, 101.65 needed"
        ),
    ),
    (
        "G-16",
        ("mark_near_stop",),
        PASSED,
        "mark is 406.6 from the stop, more than 101.65 needed",
    ),
    ("G-1", ("spent", "superseded", "conflict"), UNKNOWN, "only the engine's journal knows"),
    (
        "G-6",
        ("market_data_stale",),
        UNKNOWN,
        "prices here are given or assumed, not received",
    ),
    (
        "G-8",
        ("margin_insufficient", "equity_below_min"),
        UNKNOWN,
        (
            "uncut from 575.58 of equity (max_risk_pct 1 %) and 432.75 available "
            "(10 % reserve included)"
        ),
    ),
    (
        "G-10",
        ("daily_drawdown", "weekly_drawdown"),
        UNKNOWN,
        "needs the account's equity over time and what was moved in and out",
    ),
    ("G-11", ("max_trades_per_day", "cooldown"), UNKNOWN, "only the engine's journal knows"),
    ("G-12", ("mode", "paused", "not_writer"), UNKNOWN, "only the running engine knows"),
    (
        "G-13",
        ("truth_incomplete", "unresolved_order"),
        UNKNOWN,
        "needs position and order lists as read from the exchange",
    ),
    ("G-14", ("order_budget_low",), UNKNOWN, "needs the exchange's own counts"),
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
        UNKNOWN,
        "needs the exchange; filters and brackets here are a shipped table",
    ),
    ("G-16", ("stop_not_placeable",), UNKNOWN, "known when the stop is armed"),
    (
        "G-17",
        ("max_open_positions", "max_total_risk"),
        UNKNOWN,
        ("needs the other positions; this one alone from 191.86 of equity (max_total_risk 3 %)"),
    ),
)


@pytest.mark.rule("D-9")
def test_every_guard_of_the_example_in_its_row() -> None:
    """The whole page that a person reads of a good decision: rule, codes, verdict and words; nothing to mend."""
    expected = tuple(
        Judgement(rule=rule, codes=codes, verdict=verdict, text=words)
        for rule, codes, verdict, words in LONG_ROWS
    )
    assert checked(decision()).judgements == expected


@pytest.mark.rule("D-9", "G-3", "G-7", "G-8", "G-9", "G-17")
def test_the_rows_of_the_mirrored_example() -> None:
    """A short has its own prices: what is worth least is at the band's bottom, the margin is of its top."""
    report = checked(short_decision())
    expected = {
        "rr_below_min": (
            PASSED,
            "[90813.4, 90900] can be entered: at least 0.35 % to the stop, 2 times the risk to tp1",
        ),
        "spread_too_wide": (PASSED, "90813.3 / 90813.4 is 0.0001 %, 0.05 % allowed"),
        "quantity_too_small": (
            PASSED,
            "0.013, at least 0.001; worth 1180.5742 or more, at least 50",
        ),
        "liquidation_inside_stop": (
            PASSED,
            (
                "liquidation at 120565.94 with isolated margin and leverage 3, "
                "29345.94 beyond the stop, 101.65 needed"
            ),
        ),
        "mark_near_stop": (PASSED, "mark is 406.6 from the stop, more than 101.65 needed"),
        "margin_insufficient": (
            UNKNOWN,
            (
                "uncut from 576.02 of equity (max_risk_pct 1 %) and 433.29 available "
                "(10 % reserve included)"
            ),
        ),
        "max_total_risk": (
            UNKNOWN,
            (
                "needs the other positions; this one alone from 192.01 of equity "
                "(max_total_risk 3 %)"
            ),
        ),
    }
    for code, (verdict, words) in expected.items():
        assert row(report, code) == (verdict, words, None)


@pytest.mark.rule("D-9", "G-8", "G-17")
def test_other_limits_need_other_money() -> None:
    """Half the share of risk needs twice the equity, a third of the leverage three times the margin."""
    policy = replace(
        POLICY,
        max_risk_pct=D("0.5"),
        margin_reserve_pct=D(20),
        max_total_risk_pct=D("1.5"),
    )
    report = checked(decision(leverage=D(1)), policy)
    assert row(report, "margin_insufficient")[1] == (
        "uncut from 1151.16 of equity (max_risk_pct 0.5 %) and 1416.28 available "
        "(20 % reserve included)"
    )
    assert row(report, "max_total_risk")[1] == (
        "needs the other positions; this one alone from 383.72 of equity (max_total_risk 1.5 %)"
    )


@pytest.mark.rule("D-9", "G-3")
@sides
def test_without_an_enterable_price_nothing_that_follows_from_one_is_judged(side: Side) -> None:
    """Quantity, liquidation, the distance to the stop, and the money: each says why not."""
    tp1 = D(91000) if side is LONG else D(90600)
    report = checked(example(side, tp1=tp1))
    assert row(report, "rr_below_min")[0] is REFUSED
    assert row(report, "quantity_too_small") == (UNKNOWN, NOTHING, None)
    assert row(report, "mark_near_stop") == (UNKNOWN, NOTHING, None)
    assert row(report, "liquidation_inside_stop") == (
        UNKNOWN,
        "needs a price to enter at and, with crossed margin, the account",
        None,
    )
    assert row(report, "margin_insufficient") == (
        UNKNOWN,
        "the account's balance is not known here",
        None,
    )
    assert row(report, "max_total_risk") == (UNKNOWN, "needs the other positions", None)
    assert row(report, "price_too_far")[0] is PASSED
    assert row(report, "leverage_too_high") == (PASSED, "3, 5 allowed", None)


@pytest.mark.rule("D-9", "G-1", "G-2")
def test_time_and_checks_that_would_pass() -> None:
    """The moments from which to which a decision is in force, and which checks must become true."""
    fix = "timestamp_iso from 2025-12-05T09:55:05.000Z to 2025-12-05T10:05:10.000Z"
    report = checked(decision(timestamp_ms=NOW - 700_000, risk_checks=None))
    assert row(report, "stale") == (REFUSED, "decision is 700.0 s old, 600 s are allowed", fix)
    assert row(report, "risk_checks_missing") == (
        REFUSED,
        "the decision has no risk_checks block",
        "a risk_checks block with every check true",
    )
    checks = (("session_ok", False), ("daily_dd_ok", True), ("no_major_news", False))
    assert row(checked(decision(risk_checks=checks)), "risk_check_failed") == (
        REFUSED,
        "risk_checks say no: session_ok, no_major_news",
        "true for session_ok, no_major_news",
    )
    middling = checked(decision(timestamp_ms=NOW - 123_400))
    assert row(middling, "stale")[1] == "123.4 s old, 600 s allowed, 5 s ahead allowed"
    young = checked(decision(timestamp_ms=NOW + 1500))
    assert row(young, "stale")[1] == "-1.5 s old, 600 s allowed, 5 s ahead allowed"


@pytest.mark.rule("D-9", "D-3")
def test_a_limit_beyond_the_calendar_names_no_moment() -> None:
    """So old a decision may be that no date can be written: refused all the same, without a fix."""
    endless = replace(POLICY, max_age_s=10**12)
    verdict, _, fix = row(checked(decision(timestamp_ms=NOW + 6000), endless), "future")
    assert (verdict, fix) == (REFUSED, None)


# prices


@pytest.mark.rule("D-9", "G-4")
@pytest.mark.parametrize(
    ("side", "last", "mark", "text", "fix"),
    [
        (
            LONG,
            "92000",
            "91800",
            "last 92000 is 1.1957 % from the zone [90700, 90900], 1 % is allowed",
            "last and mark from 90380.1 to 91818.1",
        ),
        (
            LONG,
            "90380",
            "90380",
            "last 90380 is beyond the stop 90380; mark 90380 is beyond the stop 90380",
            "last and mark from 90380.1 to 91818.1",
        ),
        (
            SHORT,
            "89600",
            "89802",
            "last 89600 is 1.2277 % from the zone [90700, 90900], 1 % is allowed",
            "last and mark from 89802 to 91219.9",
        ),
        (
            SHORT,
            "91220",
            "91220",
            "last 91220 is beyond the stop 91220; mark 91220 is beyond the stop 91220",
            "last and mark from 89802 to 91219.9",
        ),
    ],
)
def test_prices_that_would_be_near_enough(
    side: Side, last: str, mark: str, text: str, fix: str
) -> None:
    """One percent of the zone, and never at the stop: both ends on the tick, whichever price is wrong."""
    report = checked(example(side), last=D(last), mark=D(mark))
    assert row(report, "price_too_far") == (REFUSED, text, fix)


@pytest.mark.rule("D-9", "G-4")
@pytest.mark.parametrize(
    ("side", "stop", "tp1", "fix"),
    [
        (LONG, "89000", "96000", "last and mark from 89802 to 91818.1"),
        (LONG, "90380.05", "91600", "last and mark from 90380.1 to 91818.1"),
        (SHORT, "92600", "85000", "last and mark from 89802 to 91818.1"),
        (SHORT, "91219.95", "90000", "last and mark from 89802 to 91219.9"),
    ],
)
def test_a_far_stop_leaves_the_zones_percent_and_one_off_the_tick_its_own_side(
    side: Side, stop: str, tp1: str, fix: str
) -> None:
    """The stricter of zone and stop is named; a stop between two ticks leaves the tick toward the zone."""
    far = D(94000) if side is LONG else D(88000)
    report = checked(example(side, stop=D(stop), tp1=D(tp1), tp2=None), last=far, mark=far)
    assert row(report, "price_too_far")[2] == fix


@pytest.mark.rule("D-9", "G-4", "G-5")
@sides
def test_the_distances_that_pass_are_told(side: Side) -> None:
    """Above and below the zone, in percent of each price, and how far mark is from last in percent of last."""
    report = checked(example(side), last=D(91000), mark=D(90900))
    assert row(report, "price_too_far")[1] == (
        "last 91000 is 0.1099 % and mark 90900 is 0 % from the zone [90700, 90900], 1 % allowed"
    )
    assert row(report, "mark_diverged")[1] == (
        "mark 90900 and last 91000 are 0.1099 % apart, 0.3 % allowed"
    )
    report = checked(example(side), last=D(90700), mark=D(90600))
    assert row(report, "price_too_far")[1] == (
        "last 90700 is 0 % and mark 90600 is 0.1104 % from the zone [90700, 90900], 1 % allowed"
    )
    assert row(report, "mark_diverged")[1] == (
        "mark 90600 and last 90700 are 0.1103 % apart, 0.3 % allowed"
    )


@pytest.mark.rule("D-9", "G-5")
def test_the_spread_and_the_mark_that_would_pass() -> None:
    """On the tick, inward: 45.3 of 45.38 around the middle, and 0.3 % of last to either side of it."""
    report = checked(decision(), bid=D(90700), ask=D(90800))
    assert row(report, "spread_too_wide") == (
        REFUSED,
        "spread 90700 / 90800 is 0.1102 %, 0.05 % is allowed",
        "a spread of 45.3 around 90750",
    )
    passing = checked(decision(), bid=D(90780), ask=D(90790))
    assert row(passing, "spread_too_wide")[1] == "90780 / 90790 is 0.011 %, 0.05 % allowed"
    report = checked(decision(), last=D("90786.6"), mark=D(91100))
    assert row(report, "mark_diverged") == (
        REFUSED,
        "mark 91100 and last 90786.6 are 0.3452 % apart, 0.3 % is allowed",
        "mark from 90514.3 to 91058.9",
    )


@pytest.mark.rule("D-9", "G-16")
@pytest.mark.parametrize(
    ("side", "last", "mark", "words", "fix"),
    [
        (LONG, "90500", "90450", "mark 90450 is 70 from the stop 90380", "mark of 90481.7 or more"),
        (SHORT, "91100", "91150", "mark 91150 is 70 from the stop 91220", "mark of 91118.3 or less"),
    ],
)  # fmt: skip
def test_the_mark_that_would_be_far_enough_from_the_stop(
    side: Side, last: str, mark: str, words: str, fix: str
) -> None:
    """The first tick beyond a quarter of the distance, 101.65."""
    report = checked(example(side), last=D(last), mark=D(mark))
    assert row(report, "mark_near_stop") == (
        REFUSED,
        f"{words}, more than 101.65 is needed",
        fix,
    )
    passing = checked(example(side), last=D(90800), mark=D(90800))
    assert row(passing, "mark_near_stop")[1] == (
        "mark is 420 from the stop, more than 101.65 needed"
    )


@pytest.mark.rule("D-9", "G-16")
@pytest.mark.parametrize(
    ("side", "share", "fix"),
    [(LONG, "50", "mark of 90583.4 or more"), (SHORT, "50", "mark of 91016.6 or less")],
)
def test_a_mark_exactly_at_the_margin_would_not_pass(side: Side, share: str, fix: str) -> None:
    """Half the distance, 203.3, lies on the tick: the tick beyond it is named."""
    policy = replace(POLICY, arm_margin_pct=D(share))
    near = D(90400) if side is LONG else D(91200)
    assert row(checked(example(side), policy, last=near, mark=near), "mark_near_stop")[2] == fix


# quantity and leverage


@pytest.mark.rule("D-9", "G-7")
def test_the_leverage_that_would_pass() -> None:
    """The stricter of what is configured and what the brackets allow for the size; they allow none beyond the last."""
    wild = replace(POLICY, max_leverage=125, max_notional_usdt=D(10**6))
    big = {"notional": D(50_001)}
    for policy, some, words, fix in (
        (POLICY, decision(leverage=D(6)), "leverage 6 is above 5", "leverage 5"),
        (wild, decision(leverage=D(126)), "leverage 126 is above 125", "leverage 125"),
        (wild, decision(leverage=D(101), **big), "leverage 101 is above 100", "leverage 100"),
    ):
        assert row(checked(some, policy), "leverage_too_high") == (REFUSED, words, fix)
    for policy, some, words in (
        (wild, decision(leverage=D(100), **big), "100, 100 allowed"),
        (wild, decision(leverage=D(101), notional=D(50_000)), "101, 125 allowed"),
        (wild, decision(leverage=D(3), notional=D(700_000)), "3, 125 allowed"),
        (POLICY, decision(leverage=D("2.5")), "2.5, 5 allowed"),
    ):
        assert row(checked(some, policy), "leverage_too_high") == (PASSED, words, None)


@pytest.mark.rule("D-9", "G-7", "G-9")
@pytest.mark.parametrize(("leverage", "used"), [("2.5", 2), ("0.5", 1), ("1", 1)])
def test_a_leverage_between_two_is_the_lower_and_never_less_than_one(
    leverage: str, used: int
) -> None:
    """Margin and liquidation are told for the whole number that would be set."""
    report = checked(decision(leverage=D(leverage)))
    assert (
        f"with isolated margin and leverage {used}, " in row(report, "liquidation_inside_stop")[1]
    )
    assert report.order is not None
    assert report.order.leverage == used


@pytest.mark.rule("D-9", "G-7")
@pytest.mark.parametrize(
    ("changes", "long", "short"),
    [
        # one step of the band's largest price
        ({}, "90.7866", "90.9"),
        # the market orders of stops need three
        ({"market_min_quantity": D("0.003")}, "272.3598", "272.7"),
        ({"min_quantity": D("0.002")}, "181.5732", "181.8"),
        # a hundred USDT at the band's smallest price are 0.002 on the step
        ({"min_notional": D(100)}, "181.5732", "181.8"),
    ],
)
@sides
def test_the_configured_size_that_would_pass(
    side: Side, changes: dict[str, object], long: str, short: str
) -> None:
    """Where the limit of the configuration made the quantity too small, and only there."""
    of = replace(BTC, **changes)  # type: ignore[arg-type]  # a test states only what differs
    capped = replace(POLICY, max_notional_usdt=D(40))
    words = long if side is LONG else short
    (found,) = on(of, example(side), capped).refused
    assert (found.rule, found.fix) == ("G-7", f"max_notional_usdt of {words}")
    enough = replace(POLICY, max_notional_usdt=D(words))
    assert on(of, example(side), enough).accepted
    less = replace(POLICY, max_notional_usdt=D(words) - D("0.0001"))
    assert [each.rule for each in on(of, example(side), less).refused] == ["G-7"]


@pytest.mark.rule("D-9", "G-7")
@sides
def test_a_size_that_the_decision_itself_made_too_small_is_the_decisions_to_mend(
    side: Side,
) -> None:
    """The message names the size; at a configured limit of exactly that size nothing was cut."""
    price = "90.7866" if side is LONG else "90.8134"
    words = f"quantity 0 is below the minimum 0.001: position_size_usdt of {price} would pass"
    small = example(side, notional=D(40))
    assert row(checked(small), "quantity_too_small") == (REFUSED, words, None)
    exactly = replace(POLICY, max_notional_usdt=D(40))
    assert row(checked(small, exactly), "quantity_too_small")[2] is None


@pytest.mark.rule("D-9", "G-7")
def test_the_larger_of_two_minima_is_told() -> None:
    """Limit orders and market orders have one each; what the quantity is worth is counted at the lowest price."""
    low = replace(BTC, min_notional=D("5.50"))
    two = D("0.002")
    for of in (replace(low, min_quantity=two), replace(low, market_min_quantity=two)):
        words = row(on(of, decision()), "quantity_too_small")[1]
        assert words == "0.013, at least 0.002; worth 1179.1 or more, at least 5.5"


# liquidation: without fees and maintenance a margin of one part in L is lost after that part of the price


FREE = replace(
    BTC,
    brackets=(replace(BTC.brackets[0], maintenance_margin_rate=Decimal(0)),),
    taker_fee=Decimal(0),
)


def round_example(side: Side, leverage: int) -> Decision:
    """Worst price 100 000, stop 1000 away, a target far enough for the whole zone."""
    far = {"tp2": None, "leverage": D(leverage), "notional": D(1000)}
    if side is LONG:
        return example(side, zone_min=D(99900), zone_max=D(100_000), stop=D(99000), tp1=D(103_000), **far)  # fmt: skip
    return example(side, zone_min=D(100_000), zone_max=D(100_100), stop=D(101_000), tp1=D(97000), **far)  # fmt: skip


def risky(side: Side, leverage: int, buffer: str) -> tuple[Verdict, str, str | None]:
    """What is said of the liquidation of that position."""
    policy = replace(POLICY, max_leverage=125, liquidation_buffer_pct=D(buffer))
    return row(on(FREE, round_example(side, leverage), policy), "liquidation_inside_stop")


@pytest.mark.rule("D-9", "G-9")
@pytest.mark.parametrize(("side", "price"), [(LONG, "98000"), (SHORT, "102000")])
def test_the_highest_leverage_that_would_pass_is_named(side: Side, price: str) -> None:
    """At 50 liquidation comes 1000 beyond the stop, exactly what is needed; any higher leverage is sent back to it."""
    assert risky(side, 50, "100") == (
        PASSED,
        (
            f"liquidation at {price} with isolated margin and leverage 50, "
            "1000 beyond the stop, 1000 needed"
        ),
        None,
    )
    for leverage in (51, 52, 125):
        verdict, _, fix = risky(side, leverage, "100")
        assert (verdict, fix) == (REFUSED, "leverage 50")


@pytest.mark.rule("D-9", "G-9")
def test_where_only_a_position_that_cannot_be_liquidated_would_pass() -> None:
    """A long that is wholly paid has no liquidation price; a short always has one, and no leverage is named."""
    never = "never liquidated with isolated margin and leverage 1"
    assert risky(LONG, 1, "25") == (PASSED, never, None)
    assert risky(LONG, 5, "10000")[::2] == (REFUSED, "leverage 1")
    assert risky(SHORT, 5, "10000")[::2] == (REFUSED, None)
    assert risky(SHORT, 5, "9900")[::2] == (REFUSED, "leverage 1")
    assert risky(SHORT, 1, "10000")[::2] == (REFUSED, None)


@pytest.mark.rule("D-9", "G-9")
@sides
def test_without_a_quantity_or_isolated_margin_liquidation_is_not_judged(side: Side) -> None:
    """Nothing planned cannot be liquidated, and crossed margin hangs on the whole account."""
    unjudged = "needs a price to enter at and, with crossed margin, the account"
    capped = replace(POLICY, max_notional_usdt=D(40))
    crossed = replace(POLICY, margin_mode=MarginMode.CROSSED)
    for policy in (capped, crossed):
        report = checked(example(side), policy)
        assert row(report, "liquidation_inside_stop") == (UNKNOWN, unjudged, None)


# the page as a whole


@pytest.mark.rule("D-9")
def test_several_refusals_of_one_guard_share_its_row() -> None:
    """Only the codes that it gave, each once, and their sentences one after the other."""
    report = checked(decision(), last=D(92000), mark=D(92000))
    (found,) = [each for each in report.judgements if each.rule == "G-4"]
    assert found.codes == ("price_too_far",)
    assert found.text == (
        "last 92000 is 1.1957 % from the zone [90700, 90900], 1 % is allowed; "
        "mark 92000 is 1.1957 % from the zone [90700, 90900], 1 % is allowed"
    )
    assert report.refused == (found,)


@pytest.mark.rule("D-9", "D-3")
@pytest.mark.parametrize("make", [decision, short_decision])
def test_a_flat_decision_is_told_its_age_alone(make: Callable[..., Decision]) -> None:
    """One row for each refusal of it, none where it is in force, and no prices are needed."""
    flat = make(action=Action.FLAT, levels=None, timestamp_ms=NOW - 700_000)
    state = DecisionState(decision=flat, spent="it was obeyed")
    report = check(world(decision=state, quote=None, mark=None, last=None), POLICY)
    assert report.judgements == (
        Judgement(
            rule="D-3",
            codes=("stale",),
            verdict=REFUSED,
            text="decision is 700.0 s old, 600 s are allowed",
        ),
        Judgement(
            rule="D-7", codes=("spent",), verdict=REFUSED, text="decision is spent: it was obeyed"
        ),
    )
    assert (report.band, report.order, report.accepted) == (None, None, False)
    assert (report.decision, report.now_ms) == (flat, NOW)
    assert (report.instrument, report.policy) == (BTC, POLICY)
    young = replace(state, decision=replace(flat, timestamp_ms=NOW), spent=None)
    assert check(world(decision=young), POLICY).judgements == ()


@pytest.mark.rule("D-9")
def test_nothing_but_decision_filters_and_prices_is_looked_at() -> None:
    """A drained, poor and unread engine gets the same page: it is said to be unknown, never judged."""
    whole = check(world(), POLICY)
    bare = world(
        draining=True,
        ready=False,
        balance=None,
        account_settings=None,
        settings=None,
        position=None,
        open_orders=None,
        conditional_orders=None,
        setup_error="leverage refused: -4028",
    )
    found = check(bare, POLICY)
    assert found == whole
    assert found.accepted
    old = replace(bare, mark=replace(seen(D(90820)), at_ms=NOW - 60_000))
    assert check(old, POLICY) == whole


@pytest.mark.rule("D-9", "G-4")
def test_a_zone_of_the_example_is_told_with_its_own_edges() -> None:
    """Whatever the band leaves of it: the distance is that to the decision's zone, as it was written."""
    some = decision(levels=levels(zone_min=D("90700.05"), zone_max=D("90900.05")))
    assert "from the zone [90700.05, 90900.05], 1 % allowed" in row(checked(some), "price_too_far")[1]  # fmt: skip
