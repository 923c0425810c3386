"""G-10 and G-11: drawdown of the day and the week, trades of the day, the pause after a loss."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.standings import equity
from tests.worlds import NOW, POLICY, D, Storyboard, codes, places, world

from jumar.model.account import MarginMode
from jumar.model.command import Plan
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.standing import (
    DAY_MS,
    EquityBase,
    Standing,
    TradeBegun,
    TradeLost,
    day_begin,
    week_begin,
)
from jumar.model.world import World
from jumar.planner.drawdown import TRANSFER_LAG_MS, daily_loss
from jumar.planner.plan import plan

MIDNIGHT = day_begin(NOW)


def base(was: str = "10000", moved: str = "0", lower_age_ms: int | None = 60_000) -> EquityBase:
    """What equity was, what was moved in since, and for how long it has looked lower."""
    return EquityBase(
        equity=D(was),
        at_ms=MIDNIGHT - 30_000,
        transferred=D(moved),
        lower_ms=None if lower_age_ms is None else NOW - lower_age_ms,
    )


def stands(standing: Standing, policy: Policy = POLICY) -> Plan:
    """The plan while the account stands so."""
    return plan(world(standing=standing), policy)


def at(now: str, *, day: EquityBase | None = None, week: EquityBase | None = None) -> Plan:
    """The plan at an equity."""
    return stands(Standing(equity=equity(now, day=day, week=week)))


@pytest.mark.rule("G-8")
def test_equity_of_exactly_the_least_passes() -> None:
    """Below it is refused, with both numbers."""
    least = replace(POLICY, equity_min_usdt=D(10000))
    assert codes(plan(world(), least)) == []
    result = plan(world(), replace(POLICY, equity_min_usdt=D("10000.01")))
    assert codes(result) == ["equity_below_min"]
    assert "10000 is below 10000.01" in result.refusals[0].message


# drawdown


@pytest.mark.rule("G-10")
@pytest.mark.parametrize(
    ("period", "exactly", "beyond"),
    [("day", "9800", "9799.99"), ("week", "9500", "9499.99")],
)
def test_more_than_the_limit_is_refused_and_exactly_the_limit_passes(
    period: str, exactly: str, beyond: str
) -> None:
    """2 % of the day, 5 % of the week: "fell more than"."""
    bases = {"day": base("9000", lower_age_ms=None), "week": base("9000", lower_age_ms=None)}
    bases[period] = base()
    assert codes(at(exactly, day=bases["day"], week=bases["week"])) == []
    result = at(beyond, day=bases["day"], week=bases["week"])
    code = "daily_drawdown" if period == "day" else "weekly_drawdown"
    assert codes(result) == [code]
    assert places(result) == []
    (refusal,) = result.refusals
    assert refusal.rule == "G-10"
    assert beyond in refusal.message
    assert "10000" in refusal.message
    assert "2025-12-04T23:59:30.000Z" in refusal.message


@pytest.mark.rule("G-10")
def test_the_limits_are_the_policys() -> None:
    """A tighter day and a tighter week refuse at what the defaults let pass."""
    told = Standing(equity=equity("9850", day=base(), week=base()))
    assert codes(stands(told)) == []
    assert codes(stands(told, replace(POLICY, daily_drawdown_pct=D("1.4")))) == ["daily_drawdown"]
    weekly = replace(POLICY, weekly_drawdown_pct=D("1.4"))
    assert codes(stands(told, weekly)) == ["weekly_drawdown"]


@pytest.mark.rule("G-10")
@pytest.mark.parametrize(
    ("now", "moved", "refused"),
    [
        ("9000", "-1000", False),  # withdrawn: no loss
        ("9000", "-799.99", True),
        ("9000", "-800", False),
        ("15000", "5500", True),  # paid in: no gain
        ("15000", "5200", False),
    ],
)
def test_a_withdrawal_is_no_loss_and_a_deposit_no_gain(
    now: str, moved: str, *, refused: bool
) -> None:
    """Equity less what was moved in since is compared."""
    told = base(moved=moved)
    result = at(now, day=told, week=replace(told, equity=D(1)))
    assert codes(result) == (["daily_drawdown"] if refused else [])
    if refused:
        message = result.refusals[0].message
        assert f"less {Decimal(moved).normalize():f} moved in" in message
        lost = 10000 + Decimal(moved) - Decimal(now)
        assert f"is {(lost / 100).normalize():f} % below 10000" in message


@pytest.mark.rule("G-10", "G-13")
def test_lower_equity_is_no_loss_before_transfers_were_asked_for() -> None:
    """The entry waits: only a question asked two seconds after it showed tells a loss from a withdrawal."""
    told = equity("9000", day=base(lower_age_ms=10_000), week=base("1"))
    asked = NOW - 10_000 + TRANSFER_LAG_MS
    for transfers_ms, code in ((asked - 1, "truth_incomplete"), (asked, "daily_drawdown")):
        result = stands(Standing(equity=replace(told, transfers_ms=transfers_ms)))
        assert codes(result) == [code]
        assert result.refusals[0].rule == "G-10"
        assert result.entry_wanted is (code == "truth_incomplete")
    unheard = stands(Standing(equity=replace(told, day=base(lower_age_ms=None))))
    assert codes(unheard) == ["truth_incomplete"]
    assert "moved out" in unheard.refusals[0].message


@pytest.mark.rule("G-10", "P-7")
def test_what_is_not_known_of_equity_is_incomplete_truth() -> None:
    """No equity yet, none recorded, or transfers never read: no entry, and it stays wanted."""
    whole = equity()
    for told in (
        None,
        replace(whole, day=None),
        replace(whole, week=None),
        replace(whole, transfers_ms=None),
    ):
        result = stands(Standing(equity=told))
        assert codes(result) == ["truth_incomplete"]
        assert result.entry_wanted


@pytest.mark.rule("G-10", "M-2")
def test_the_days_loss_is_told_only_when_it_is_proven() -> None:
    """What closes positions must be sure: not reached, not asked for, and not known are no loss."""

    def told(**changes: object) -> World:
        found = replace(equity("9799", day=base(), week=base()), **changes)  # type: ignore[arg-type]  # a test states only what differs
        return world(standing=Standing(equity=found))

    refusal = daily_loss(told(), POLICY)
    assert refusal is not None
    assert (refusal.code, refusal.rule) == ("daily_drawdown", "G-10")
    assert daily_loss(told(equity=D(9800)), POLICY) is None
    assert daily_loss(told(transfers_ms=None), POLICY) is None
    assert daily_loss(told(day=base(lower_age_ms=None)), POLICY) is None
    assert daily_loss(told(day=None), POLICY) is None
    assert daily_loss(world(standing=Standing()), POLICY) is None


@pytest.mark.rule("G-10")
def test_a_drawdown_cancels_a_resting_entry_and_keeps_its_stop() -> None:
    """Judged every tick; when it heals, the entry comes back behind the same stop."""
    story = Storyboard(world=world())
    story.run(2)
    fallen = Standing(equity=equity("9700", day=base(), week=base()))
    story.world = replace(story.world, standing=fallen)
    assert codes(story.tick()) == ["daily_drawdown"]
    assert set(story.alive()) == {"S1"}
    story.world = replace(story.world, standing=Standing(equity=equity()))
    story.run(2)
    assert set(story.alive()) == {"E2", "S1"}


# periods


@pytest.mark.rule("G-10")
def test_days_and_weeks_begin_at_midnight_utc_and_on_monday() -> None:
    """2025-12-05 is a Friday; a day and a week begin with their first millisecond."""
    monday = MIDNIGHT - 4 * DAY_MS
    assert MIDNIGHT == 1_764_892_800_000
    assert day_begin(MIDNIGHT) == MIDNIGHT
    assert day_begin(MIDNIGHT - 1) == MIDNIGHT - DAY_MS
    assert day_begin(MIDNIGHT + DAY_MS - 1) == MIDNIGHT
    assert week_begin(NOW) == monday
    assert week_begin(monday) == monday
    assert week_begin(monday - 1) == monday - 7 * DAY_MS
    assert week_begin(monday + 7 * DAY_MS - 1) == monday


# trades of the day


def begun(*ages_ms: int) -> tuple[TradeBegun, ...]:
    """Trades whose first fill is so long ago."""
    return tuple(
        TradeBegun(key=f"key{number}", symbol="ETHUSDT", first_fill_ms=NOW - age)
        for number, age in enumerate(ages_ms)
    )


def counting(trades: tuple[TradeBegun, ...], policy: Policy = POLICY) -> Plan:
    """The plan after these trades."""
    return stands(Standing(equity=equity(), begun=trades), policy)


@pytest.mark.rule("G-11")
def test_three_trades_of_the_day_are_all() -> None:
    """Two pass, three refuse until midnight, whatever the symbol; the limit is the policy's."""
    assert codes(counting(begun(1, 2))) == []
    result = counting(begun(1, 2, 3))
    assert codes(result) == ["max_trades_per_day"]
    assert places(result) == []
    assert result.refusals[0].rule == "G-11"
    assert "3 trades" in result.refusals[0].message
    assert "2025-12-06T00:00:00.000Z" in result.refusals[0].message
    assert codes(counting(begun(1), replace(POLICY, max_trades_per_day=1))) == [
        "max_trades_per_day"
    ]
    assert codes(counting(begun(1, 2, 3), replace(POLICY, max_trades_per_day=4))) == []


@pytest.mark.rule("G-11")
def test_the_day_is_that_of_the_first_fill() -> None:
    """A first fill of the day's first millisecond counts, one a millisecond earlier is yesterday's."""
    since = NOW - MIDNIGHT
    assert codes(counting(begun(1, 2, since))) == ["max_trades_per_day"]
    assert codes(counting(begun(1, 2, since + 1))) == []


@pytest.mark.rule("G-11")
def test_the_trades_own_count_does_not_count() -> None:
    """A partly filled entry is the day's third trade: its remainder goes on resting; a fourth one would not."""
    story = Storyboard(world=world())
    story.run(2)
    story.fill(Role.ENTRY, "0.004", "90786.6")
    own = TradeBegun(key=story.trade.key, symbol="BTCUSDT", first_fill_ms=NOW)
    standing = Standing(equity=equity(), begun=(*begun(1, 2), own))
    story.world = replace(story.world, standing=standing)
    assert codes(story.tick()) == []
    assert "E1" in story.alive()
    others = replace(standing, begun=(*begun(1, 2, 3), own))
    story.world = replace(story.world, standing=others)
    assert codes(story.tick()) == ["max_trades_per_day"]
    assert "E1" not in story.alive()


# the pause after a loss


def pausing(age_ms: int, policy: Policy = POLICY) -> Plan:
    """The plan so long after the end of a trade that lost."""
    lost = TradeLost(key="lost", symbol="ETHUSDT", net=D("-3.25"), ended_ms=NOW - age_ms)
    return stands(Standing(equity=equity(), lost=lost), policy)


@pytest.mark.rule("G-11")
def test_a_loss_is_followed_by_a_pause() -> None:
    """900 s from the end of a trade that lost, on any symbol; the message says when it passes again."""
    result = pausing(899_999)
    assert codes(result) == ["cooldown"]
    assert places(result) == []
    assert result.refusals[0].rule == "G-11"
    for words in ("-3.25", "ETHUSDT", "2025-12-05T10:05:05.001Z"):
        assert words in result.refusals[0].message
    assert codes(pausing(900_000)) == []


@pytest.mark.rule("G-11")
def test_the_pause_is_the_policys() -> None:
    """A longer one goes on, zero is none."""
    assert codes(pausing(900_000, replace(POLICY, cooldown_after_loss_s=901))) == ["cooldown"]
    assert codes(pausing(0, replace(POLICY, cooldown_after_loss_s=0))) == []


@pytest.mark.rule("G-10", "G-11")
def test_limits_of_the_account_hold_in_every_margin_mode() -> None:
    """They do not hang on how a position is carried."""
    crossed = replace(POLICY, margin_mode=MarginMode.CROSSED)
    told = Standing(equity=equity("9000", day=base(), week=base()), begun=begun(1, 2, 3))
    assert {"daily_drawdown", "max_trades_per_day"} <= set(codes(stands(told, crossed)))
