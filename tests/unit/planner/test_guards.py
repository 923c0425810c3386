"""Every guard of the first stage: its code, the numbers in its message, and the world in which it holds."""

from dataclasses import replace

import pytest
from tests.worlds import (
    BTC,
    NOW,
    POLICY,
    D,
    Storyboard,
    codes,
    decision,
    levels,
    places,
    quote,
    roles,
    seen,
    world,
)

from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
)
from jumar.model.command import Plan
from jumar.model.decision import Action
from jumar.model.order import Role
from jumar.model.world import DecisionState
from jumar.planner.plan import plan


def refused(**changes: object) -> Plan:
    """The plan of a world in which nothing is armed."""
    result = plan(world(**changes), POLICY)
    assert places(result) == []
    return result


def of(**changes: object) -> dict[str, object]:
    """A world whose decision differs from the example."""
    return {"decision": DecisionState(decision=decision(**changes))}


def message(result: Plan, code: str) -> str:
    """The message of a refusal."""
    return next(refusal.message for refusal in result.refusals if refusal.code == code)


def test_in_the_example_world_every_guard_holds() -> None:
    """The world the other tests differ from refuses nothing."""
    result = plan(world(), POLICY)
    assert codes(result) == []
    assert roles(result) == ["+S"]


@pytest.mark.rule("G-1", "D-3")
def test_stale_and_future_decisions() -> None:
    """601 s old is stale, 600 s is not; 6 s ahead is from the future, 5 s is not."""
    assert codes(refused(**of(timestamp_ms=NOW - 601_000))) == ["stale"]
    assert "601.0 s" in message(refused(**of(timestamp_ms=NOW - 601_000)), "stale")
    assert codes(plan(world(**of(timestamp_ms=NOW - 600_000)), POLICY)) == []
    assert codes(refused(**of(timestamp_ms=NOW + 6_000))) == ["future"]
    assert codes(plan(world(**of(timestamp_ms=NOW + 5_000)), POLICY)) == []


@pytest.mark.rule("G-1", "D-7")
def test_a_refused_newer_decision_keeps_the_older_one_from_entering() -> None:
    """A malformed newer file supersedes: its code is the refusal."""
    state = DecisionState(decision=decision(), refusals=(("malformed", "sl is missing"),))
    assert codes(refused(decision=state)) == ["malformed"]


@pytest.mark.rule("G-2", "D-6")
def test_risk_checks() -> None:
    """A false check is named; a missing block is refused by itself."""
    checks = (("daily_dd_ok", True), ("no_major_news", False))
    result = refused(**of(risk_checks=checks))
    assert codes(result) == ["risk_check_failed"]
    assert "no_major_news" in message(result, "risk_check_failed")
    assert codes(refused(**of(risk_checks=None))) == ["risk_checks_missing"]


@pytest.mark.rule("G-3", "E-1")
def test_empty_bands() -> None:
    """Too close a stop and too little reward have their own codes."""
    assert "stop_too_close" in codes(refused(**of(levels=levels(stop=D(90690), tp1=D(91900)))))
    assert "rr_below_min" in codes(refused(**of(levels=levels(tp1=D(91000)))))


@pytest.mark.rule("G-4")
def test_price_too_far() -> None:
    """Last or mark more than 1 % away, or beyond the stop."""
    far = refused(mark=seen(D(92000)))
    assert codes(far) == ["price_too_far", "mark_diverged"]
    assert "mark 92000" in message(far, "price_too_far")
    below = refused(mark=seen(D(90300)), last=seen(D(90300)))
    assert "beyond the stop" in message(below, "price_too_far")


@pytest.mark.rule("G-5")
def test_spread_and_divergence() -> None:
    """A spread above 0.05 % and mark 0.3 % from last are refused with the numbers."""
    wide = refused(quote=quote("90800", "90850"))
    assert codes(wide) == ["spread_too_wide"]
    assert "0.0551" in message(wide, "spread_too_wide")
    assert "mark_diverged" in codes(refused(mark=seen(D(91120)), last=seen(D(90820))))
    bare = quote("90820", "90865.43")  # 0.05001 %: not rounded away before it is compared
    assert codes(refused(quote=bare)) == ["spread_too_wide"]


@pytest.mark.rule("G-6")
def test_stale_market_data() -> None:
    """A quote or mark older than 5 s, or none at all."""
    assert codes(refused(quote=replace(quote("90820", "90820.1"), at_ms=NOW - 5100))) == [
        "market_data_stale"
    ]
    assert "no mark" in message(refused(mark=None), "market_data_stale")
    assert "no last price" in message(refused(last=None), "market_data_stale")


@pytest.mark.rule("G-7")
def test_sizes_and_leverage() -> None:
    """Too much leverage, too small a quantity, too small a notional."""
    assert codes(refused(**of(leverage=D(6)))) == ["leverage_too_high"]
    small = refused(**of(notional=D(50)))
    assert codes(small) == ["quantity_too_small"]
    assert "position_size_usdt of 90.7866 would pass" in message(small, "quantity_too_small")
    tight = replace(BTC, min_notional=D(500))
    assert codes(refused(instrument=tight, **of(notional=D(300)))) == ["notional_too_low"]


@pytest.mark.rule("G-8")
def test_margin_and_equity() -> None:
    """Too little margin for the smallest order, or equity below the floor."""
    poor = Balance(wallet=D(10000), equity=D(10000), available=D(10))
    assert codes(refused(balance=seen(poor))) == ["margin_insufficient"]
    low = plan(world(), replace(POLICY, equity_min_usdt=D(20000)))
    assert codes(low) == ["equity_below_min"]


@pytest.mark.rule("G-13")
@pytest.mark.parametrize("part", ["position", "open_orders", "conditional_orders"])
def test_incomplete_truth(part: str) -> None:
    """Each of position and both lists must have been read within 3 s; the entry stays wanted."""
    old = replace(getattr(world(), part), at_ms=NOW - 3100)
    for value in (old, None):
        result = refused(**{part: value})
        assert codes(result) == ["truth_incomplete"]
        assert result.entry_wanted


@pytest.mark.rule("G-13")
def test_beside_another_reason_old_reads_are_not_one() -> None:
    """While something else refuses, nothing is read every tick: that would come and go for ever and hide the reason."""
    old = replace(world().position, at_ms=NOW - 3100)  # type: ignore[type-var]  # it was read
    crossed = {**of(risk_checks=None), "position": old}
    assert "truth_incomplete" not in codes(refused(**crossed))
    assert codes(refused(**crossed))
    assert not refused(**crossed).entry_wanted
    assert "truth_incomplete" in codes(refused(**crossed, ready=False))


@pytest.mark.rule("G-13")
def test_an_unresolved_target_keeps_the_entry_away() -> None:
    """A target whose outcome is unknown for longer than its time-out refuses the remainder."""
    story = Storyboard(world=world())
    story.run(2)
    story.silent.add(Role.TP1)
    story.fill(Role.ENTRY, "0.004", "90786.6").tick()
    assert codes(story.later(1000).tick()) == ["unresolved_order"]
    assert "E1" not in story.alive()


@pytest.mark.rule("G-15")
def test_exchange_state_that_does_not_permit() -> None:
    """Not trading, hedge mode, multi-assets mode, settings that cannot be set."""
    assert codes(refused(instrument=replace(BTC, status="SETTLING"))) == ["symbol_not_trading"]
    hedge = AccountSettings(hedge_mode=True, multi_assets=False, can_trade=True)
    assert codes(refused(account_settings=seen(hedge))) == ["position_mode_hedge"]
    multi = AccountSettings(hedge_mode=False, multi_assets=True, can_trade=True)
    assert codes(refused(account_settings=seen(multi))) == ["multi_assets_mode"]
    assert codes(refused(setup_error="leverage refused: -4028")) == ["margin_mode_mismatch"]


@pytest.mark.rule("G-15", "Y-1")
def test_a_position_that_may_not_be_adopted_yet_keeps_entries_away() -> None:
    """Right after a trade's end a read may be older than the end: nothing is adopted, and nothing enters."""
    held = PositionReport(symbol="BTCUSDT", quantity=D("0.5"), entry_price=D(90000))
    result = refused(position=seen(held), last_end_ms=NOW - 1000)
    assert codes(result) == ["foreign_position"]
    assert result.trade is None
    assert plan(world(position=seen(held), last_end_ms=NOW - 2100), POLICY).trade is not None


@pytest.mark.rule("G-15")
def test_a_margin_mode_changed_by_hand_cancels_the_entry() -> None:
    """While the entry rests the mode must stay what was read back."""
    story = Storyboard(world=world())
    story.run(2)
    crossed = SymbolSettings(leverage=3, margin_mode=MarginMode.CROSSED)
    story.world = replace(story.world, settings=seen(crossed))
    assert roles(story.tick()) == ["-E"]


@pytest.mark.rule("G-16", "S-1")
def test_mark_near_the_stop() -> None:
    """Mark within 25 % of the distance: not armed; while the entry rests: cancelled, stop kept."""
    near = {
        "mark": seen(D(90480)),
        "last": seen(D(90700)),
        "quote": quote("90699.9", "90700"),
    }
    assert "mark_near_stop" in codes(refused(**near))
    story = Storyboard(world=world())
    story.run(2)
    story.world = replace(story.world, mark=seen(D("90481.6")), last=seen(D(90700)))
    assert roles(story.tick()) == ["-E"]
    story.world = replace(story.world, mark=seen(D("90481.7")))
    assert story.run(2) == ["+E"]
    assert "S1" in story.alive()


def test_a_flat_decision_is_judged_by_no_guard() -> None:
    """It wants nothing, so nothing refuses it."""
    assert codes(refused(**of(action=Action.FLAT, levels=None))) == []
