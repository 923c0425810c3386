"""The offline check: the same verdict as the tick's, every number real, every fix enough."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.hostile import STRANGE, drawn
from tests.worlds import (
    BTC,
    NOW,
    POLICY,
    D,
    decision,
    levels,
    quote,
    seen,
    short_decision,
    world,
)

from jumar.decisions.decode import decode
from jumar.model.account import Balance, MarginMode
from jumar.model.command import Refusal
from jumar.model.decision import Action, Decision
from jumar.model.policy import Policy
from jumar.model.units import floor_to
from jumar.model.world import DecisionState, World
from jumar.planner.check import Prices, Report, check, with_prices
from jumar.planner.entry import propose
from jumar.planner.judgements import JUDGED, UNJUDGED_CODES, Judgement, Verdict
from jumar.planner.plan import plan


def offline(some: Decision, at_ms: int = NOW) -> World:
    """What is known of the world without an engine: the decision, the filters, the moment."""
    return World(
        now_ms=at_ms,
        account="main",
        store_id="",
        symbol="BTCUSDT",
        ready=False,
        instrument=BTC,
        decision=DecisionState(decision=some),
    )


def checked(some: Decision, policy: Policy = POLICY, **prices: Decimal) -> Report:
    """The check of a decision at some prices; the others are assumed."""
    bare = offline(some)
    return check(with_prices(bare, policy, Prices(**prices))[0], policy)


def refusal(report: Report, code: str) -> Judgement:
    """The one judgement that refuses, with that code."""
    (found,) = report.refused
    assert found.codes == (code,)
    return found


@pytest.mark.rule("D-9", "P-3")
def test_the_example_leads_to_its_order() -> None:
    """Price, quantity, stop, targets and both ratios of the specification's example, and why."""
    report = checked(decision())
    assert report.accepted
    assert report.order is not None
    order = report.order
    assert (order.price, order.quantity, order.stop) == (D("90786.6"), D("0.013"), D(90380))
    assert (order.tp1_quantity, order.tp2_quantity) == (D("0.006"), D("0.007"))
    assert (order.notional, order.leverage) == (D("1180.2258"), 3)
    assert "the zone's middle 90800 is above the band's upper end 90786.6" in order.price_because
    assert order.gross == D("2.0005")
    fees_in, out = D("90786.6") * BTC.maker_fee, BTC.taker_fee
    net = (D("813.4") - fees_in - 91600 * out) / (D("406.6") + fees_in + 90380 * out)
    assert order.net == net.quantize(D("0.0001"))


@pytest.mark.rule("D-9")
def test_without_prices_the_entry_rests_where_it_is_aimed() -> None:
    """The assumed quote makes the clamped middle a price that rests, long and short, and is said."""
    for some in (decision(), short_decision()):
        bare = offline(some)
        priced, assumed = with_prices(bare, POLICY, Prices())
        report = check(priced, POLICY)
        assert report.order is not None
        assert report.order.price == report.order.limit_price
        assert [words.split()[0] for words in assumed] == ["bid", "ask", "last", "mark"]


@pytest.mark.rule("D-9", "E-2")
def test_given_prices_are_kept_and_the_others_follow() -> None:
    """A better market is joined, one outside the band is waited for, and nothing given is assumed."""
    priced, assumed = with_prices(offline(decision()), POLICY, Prices(ask=D("90750.5")))
    assert assumed == ("bid 90750.4", "last 90750.5", "mark 90750.5")
    report = check(priced, POLICY)
    assert report.order is not None
    assert report.order.price == D("90750.4")
    assert "it joins the best bid" in report.order.price_because
    below = checked(decision(), bid=D(90600), ask=D("90600.1"))
    assert below.accepted
    assert below.order is not None
    assert below.order.price is None
    assert "it waits" in below.order.price_because


def tick_wants(some: Decision, policy: Policy) -> bool:
    """Whether the engine's tick wants the entry, in a world where only the decision matters."""
    priced, _ = with_prices(offline(some), policy, Prices())
    rich = Balance(wallet=D(10**15), equity=D(10**15), available=D(10**15))
    whole = world(
        decision=DecisionState(decision=some),
        quote=priced.quote,
        last=priced.last,
        mark=priced.mark,
        balance=seen(rich),
    )
    return plan(whole, policy).entry_wanted


@pytest.mark.rule("D-9")
def test_the_check_and_the_tick_agree() -> None:
    """What is accepted offline is wanted by the tick as soon as the truth is known, and nothing else is."""
    verdicts = []
    for data in (*drawn(11, 800), *STRANGE):
        some = decode(data, account="main", symbols=("BTCUSDT",)).decision
        if some is None or some.levels is None:
            continue
        some = replace(some, timestamp_ms=NOW - 5000)
        report = checked(some)
        assert report.accepted == tick_wants(some, POLICY), data
        verdicts.append(report.accepted)
    assert verdicts.count(True) > 20
    assert verdicts.count(False) > 20


@pytest.mark.rule("D-9", "G-3")
@pytest.mark.parametrize(
    ("some", "code"),
    [
        (decision(levels=levels(tp1=D(91000))), "rr_below_min"),
        (decision(levels=levels(stop=D(90690), tp1=D(91900))), "stop_too_close"),
    ],
)
def test_the_named_level_would_pass(some: Decision, code: str) -> None:
    """The level that the message names is accepted when it is written into the decision."""
    found = refusal(checked(some), code)
    named = dict(re.findall(r"(sl|tp1) ([0-9.]+)(?= would pass| with tp1)", found.text))
    mended = {{"sl": "stop", "tp1": "tp1"}[name]: D(price) for name, price in named.items()}
    assert some.levels is not None
    assert mended
    assert checked(replace(some, levels=replace(some.levels, **mended))).accepted


def numbers(words: str | None) -> list[Decimal]:
    """The numbers of a sentence."""
    return [D(each) for each in re.findall(r"(?<![A-Za-z0-9.])[0-9]+(?:\.[0-9]+)?", words or "")]


@pytest.mark.rule("D-9", "G-4", "G-5", "G-16")
@pytest.mark.parametrize(
    ("last", "mark", "code"),
    [
        (D(92000), D(91810), "price_too_far"),
        (D(89500), D(89700), "price_too_far"),
        (D("90786.6"), D(91200), "mark_diverged"),
        (D("90786.6"), D(90400), "mark_diverged"),
        (D(90500), D(90450), "mark_near_stop"),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_named_price_would_pass_and_the_next_would_not(
    last: Decimal, mark: Decimal, code: str, mirrored: bool
) -> None:
    """Each named end passes, one tick further does not; mirrored around the zone's middle for a short."""
    some, mirror = (short_decision(), D(181600)) if mirrored else (decision(), None)
    if mirror is not None:
        last, mark = mirror - last, mirror - mark

    def refusing(last: Decimal, mark: Decimal) -> Judgement | None:
        refused = checked(some, last=last, mark=mark).refused
        return next((judgement for judgement in refused if code in judgement.codes), None)

    found = refusing(last, mark)
    assert found is not None
    assert found.fix is not None
    ends = numbers(found.fix)
    outward = [D(-1), D(1)] if len(ends) == 2 else [D(-1) if "or more" in found.fix else D(1)]
    for end, way in zip(ends, outward, strict=True):
        beyond = end + way * D("0.1")
        both = code == "price_too_far"
        assert refusing(end if both else last, end) is None
        assert refusing(beyond if both else last, beyond) is not None


@pytest.mark.rule("D-9", "G-5", "G-7")
def test_the_named_spread_leverage_and_notional_would_pass() -> None:
    """Each number that would pass is told and does."""
    wide = refusal(checked(decision(), bid=D(90700), ask=D(90800)), "spread_too_wide")
    spread, middle = numbers(wide.fix)
    half = floor_to(spread / 2, D("0.1"))
    assert checked(decision(), bid=middle - half, ask=middle + half).accepted
    geared = checked(decision(leverage=D(20)))
    high = refusal(geared, "leverage_too_high")
    assert geared.order is not None
    assert geared.order.leverage == numbers(high.fix)[0]
    assert checked(decision(leverage=numbers(high.fix)[0])).accepted
    small = refusal(checked(decision(notional=D(40))), "quantity_too_small")
    assert checked(decision(notional=numbers(small.text)[-1])).accepted
    capped = replace(POLICY, max_notional_usdt=D(40))
    cut = refusal(checked(decision(), capped), "quantity_too_small")
    mended = replace(POLICY, max_notional_usdt=numbers(cut.fix)[0])
    assert checked(decision(), mended).accepted


@pytest.mark.rule("D-9", "D-3")
def test_the_named_moments_would_pass() -> None:
    """A stale and a future decision name the timestamps that would pass at that moment."""
    for age_ms, code in ((600_001, "stale"), (-5001, "future")):
        found = refusal(checked(decision(timestamp_ms=NOW - age_ms)), code)
        assert (
            found.fix == "timestamp_iso from 2025-12-05T09:55:05.000Z to 2025-12-05T10:05:10.000Z"
        )
    for edge in (NOW - 600_000, NOW + 5000):
        assert checked(decision(timestamp_ms=edge)).accepted


@pytest.mark.rule("D-9", "D-3")
def test_a_flat_decision_is_judged_by_its_age() -> None:
    """It has no order and needs no checks, and a stale one is no decision any more."""
    flat = decision(action=Action.FLAT, levels=None, risk_checks=None)
    report = check(offline(flat), POLICY)
    assert (report.accepted, report.band, report.order) == (True, None, None)
    old = check(offline(replace(flat, timestamp_ms=NOW - 600_001)), POLICY)
    assert refusal(old, "stale").rule == "D-3"


@pytest.mark.rule("D-9", "E-3", "G-8")
def test_the_money_that_cuts_nothing_is_named() -> None:
    """With the named equity and margin the quantity stays whole; with a cent less of either it is cut."""
    report = checked(decision())
    (money,) = [each for each in report.judgements if "margin_insufficient" in each.codes]
    assert money.verdict is Verdict.UNKNOWN
    equity, _, available, _ = numbers(money.text)

    def planned(equity: Decimal, available: Decimal) -> Decimal:
        balance = seen(Balance(wallet=equity, equity=equity, available=available))
        trade = propose(world(balance=balance, quote=quote("90820", "90820.1")), POLICY).trade
        assert trade is not None
        return trade.planned_quantity

    assert planned(equity, available) == D("0.013")
    assert planned(equity - D("0.01"), available) == D("0.012")
    assert planned(equity, available - D("0.01")) == D("0.012")


@pytest.mark.rule("D-9")
def test_everything_wrong_is_told_at_once() -> None:
    """The tick stops at the first kind of refusal; the check goes on."""
    bad = decision(
        levels=levels(tp1=D(91000)),
        leverage=D(20),
        risk_checks=(("session_ok", False),),
        timestamp_ms=NOW - 700_000,
    )
    report = checked(bad)
    codes = [code for each in report.refused for code in each.codes]
    assert report.order is None
    assert codes == ["stale", "risk_check_failed", "rr_below_min", "leverage_too_high"]


@pytest.mark.rule("D-9")
def test_what_cannot_be_known_is_not_judged() -> None:
    """Truth, account and journal are named as not judged and never refuse; nothing is in two rows."""
    report = checked(decision())
    unknown = {
        code for each in report.judgements for code in each.codes if each.verdict is Verdict.UNKNOWN
    }
    assert unknown == UNJUDGED_CODES
    assert {"truth_incomplete", "margin_insufficient", "spent", "paused"} <= unknown
    codes = [code for row in JUDGED for code in row.codes] + sorted(UNJUDGED_CODES)
    assert len(codes) == len(set(codes))


@pytest.mark.rule("D-9")
def test_a_refusal_that_no_row_knows_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard that is added later and forgotten here is shown and counts."""
    novel = Refusal(code="novel", rule="G-99", message="a reason of tomorrow")
    monkeypatch.setattr("jumar.planner.guards.market_refusals", lambda *_: (novel,))
    found = refusal(checked(decision()), "novel")
    assert (found.rule, found.text) == ("G-99", "a reason of tomorrow")


@pytest.mark.rule("D-9")
def test_a_check_without_prices_is_an_error() -> None:
    """Nothing is guessed silently."""
    with pytest.raises(ValueError, match="with_prices"):
        check(offline(decision()), POLICY)


@pytest.mark.rule("D-9", "G-9")
@pytest.mark.parametrize("make", [decision, short_decision])
def test_liquidation_is_judged_with_isolated_margin(make: Callable[..., Decision]) -> None:
    """The price and how far it lies beyond the stop; the leverage that is named passes, the next one does not."""
    policy = replace(POLICY, max_leverage=125, liquidation_buffer_pct=D(100))
    refused = refusal(checked(make(leverage=D(125)), policy), "liquidation_inside_stop")
    assert refused.fix is not None
    (named,) = numbers(refused.fix)
    assert checked(make(leverage=named), policy).accepted
    assert not checked(make(leverage=named + 1), policy).accepted
    passed = [
        each
        for each in checked(make(), policy).judgements
        if each.codes == ("liquidation_inside_stop",)
    ]
    assert [each.verdict for each in passed] == [Verdict.PASSED]
    assert "leverage 3" in passed[0].text


@pytest.mark.rule("D-9", "G-9")
def test_liquidation_with_crossed_margin_needs_the_account() -> None:
    """It hangs on the whole account: not judged, and said so."""
    crossed = replace(POLICY, margin_mode=MarginMode.CROSSED)
    (found,) = [
        each
        for each in checked(decision(), crossed).judgements
        if each.codes == ("liquidation_inside_stop",)
    ]
    assert found.verdict is Verdict.UNKNOWN
    assert "crossed" in found.text


@pytest.mark.rule("D-9", "G-17")
def test_the_equity_that_one_trade_needs_is_named() -> None:
    """From so much on the trade alone stays inside the limit of all; the tick agrees."""
    (found,) = [
        each
        for each in checked(decision()).judgements
        if each.codes == ("max_open_positions", "max_total_risk")
    ]
    assert found.verdict is Verdict.UNKNOWN
    (enough,) = [number for number in numbers(found.text) if number > 100]
    policy = replace(POLICY, max_risk_pct=D(10))
    for equity, refuses in ((enough, False), (enough - 1, True)):
        money = Balance(wallet=equity, equity=equity, available=D(10000))
        result = plan(world(balance=seen(money)), policy)
        assert ("max_total_risk" in [r.code for r in result.refusals]) is refuses
