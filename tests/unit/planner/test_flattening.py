"""What closes a position although nobody decided so: operator, liquidation price, delivery date, the day's loss (M-2)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import BTC, NOW, POLICY, D, Storyboard, opened, roles, world

from jumar.model.account import Liquidation
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Role, Side
from jumar.model.policy import OnDailyLoss, Policy
from jumar.model.standing import AccountEquity, EquityBase
from jumar.model.trade import CloseReason
from jumar.model.world import Observed, Source
from jumar.planner import ladder
from jumar.planner.plan import plan

both_sides = pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
HOUR_MS = 3_600_000


def asked_for(code: str = "flatten") -> ModeState:
    """A mode that leads to flattening, since a moment ago."""
    return ladder.state(code, "asked for by 1 person", NOW)


def mode(story: Storyboard) -> Mode:
    """The mode that the story is in."""
    return Mode.NORMAL if story.world.mode is None else story.world.mode.mode


def told(
    *prices: Decimal, side: Side = Side.BUY, since_ms: int = NOW + 1
) -> tuple[Observed[Liquidation], ...]:
    """Readings of the liquidation price, a second apart."""
    return tuple(
        Observed(
            value=Liquidation(side=side, price=price),
            at_ms=since_ms + 1000 * number,
            source=Source.REST,
        )
        for number, price in enumerate(prices)
    )


# an operator


@pytest.mark.rule("M-6", "M-2", "M-1", "P-5")
@both_sides
def test_an_operators_flatten_closes_sweeps_and_stays_out(side: Side) -> None:
    """Reduce-only at market; no stop goes before the proof of flat; then NO_ENTRIES with the same cause."""
    story = opened(side).later(1000)
    story.world = replace(story.world, mode=asked_for())
    stops = {name for name in story.alive() if name[0] in "SB"}
    assert roles(story.tick()) == ["+X"]
    assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.FLATTEN, "M-6")
    assert stops <= set(story.alive())
    story.later(300).fill(Role.FULL_EXIT, "0.013", "90700")
    story.run(3)
    assert story.world.trade is None and not story.alive()
    assert mode(story) is Mode.NO_ENTRIES
    assert story.world.mode is not None and story.world.mode.code == "flatten"
    assert [refusal.code for refusal in story.tick().refusals] == ["paused"]


@pytest.mark.rule("M-6", "E-7")
def test_an_operators_flatten_takes_back_an_unfilled_entry() -> None:
    """Entry first, then the armed stop; the set-up is over and nothing is armed again."""
    story = Storyboard(world=world())
    story.run(2)
    story.world = replace(story.world, mode=asked_for())
    assert roles(story.tick()) == ["-E"]
    assert story.trade.entry_over is not None and "asked for" in story.trade.entry_over
    assert story.run(3) == ["-S"]
    assert story.world.trade is None and mode(story) is Mode.NO_ENTRIES


@pytest.mark.rule("M-6", "Y-1")
@both_sides
def test_an_operators_flatten_closes_what_was_opened_by_hand(side: Side) -> None:
    """Adopted and sold in the same look, whatever `orphan_policy` says."""
    quantity = "0.020" if side is Side.BUY else "-0.020"
    story = Storyboard(world=world(decision=None, mode=asked_for())).reads(quantity)
    words = story.run(2)
    assert "+X" in words and story.trade.closing is CloseReason.FLATTEN


@pytest.mark.rule("M-1", "M-6")
def test_flattening_is_not_over_before_the_position_was_read() -> None:
    """After a start nothing is known yet: the mode stays until flat is read and no stray rests."""
    unread = world(decision=None, mode=asked_for(), position=None, ready=False)
    assert plan(unread, POLICY).mode is None
    held = Storyboard(world=world(decision=None, mode=asked_for(), open_orders=None))
    assert plan(replace(held.world, ready=False), POLICY).mode is None
    done = plan(world(decision=None, mode=asked_for()), POLICY).mode
    assert done is not None and (done.mode, done.code) == (Mode.NO_ENTRIES, "flatten")


@pytest.mark.rule("M-1")
def test_another_flattening_does_not_close_a_position_that_comes_later() -> None:
    """An emergency of an earlier trade is no reason to close what somebody opens now."""
    story = Storyboard(world=world(decision=None, mode=asked_for("emergency_close")))
    story.reads("0.020").tick()
    assert story.trade.closing is None


# liquidation


@pytest.mark.rule("M-2")
@both_sides
@pytest.mark.parametrize(("beyond", "closes"), [(0, True), (1, True), (-1, False)])
def test_a_liquidation_price_inside_the_stop_closes(side: Side, beyond: int, closes: bool) -> None:
    """At the stop, or between it and the market, in two readings; a tick beyond the stop it may stay."""
    story = opened(side).later(1000)
    stop = story.trade.initial_stop
    price = stop + D("0.1") * beyond * story.trade.sign
    story.world = replace(story.world, liquidations=told(price, price, side=side))
    assert ("+X" in roles(story.tick())) is closes
    assert mode(story) is (Mode.FLATTENING if closes else Mode.NORMAL)
    if closes:
        assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.EMERGENCY, "M-2")
        assert story.world.mode is not None and story.world.mode.code == "liquidation"


@pytest.mark.rule("M-2")
def test_one_reading_of_a_liquidation_price_is_not_enough() -> None:
    """A single strange answer closes nothing; neither does one that is refuted by the next."""
    story = opened().later(1000)
    inside, outside = D(90500), D(80000)
    for prices in [(inside,), (inside, outside), (outside, inside), ()]:
        story.world = replace(story.world, liquidations=told(*prices))
        assert story.tick().commands == ()


@pytest.mark.rule("M-2", "S-3")
def test_the_liquidation_price_is_judged_by_the_stop_as_it_was_moved() -> None:
    """A tighter stop makes room: what lies inside the initial stop may lie beyond the present one."""
    story = opened().later(1000)
    prices = told(D(90400), D(90400))
    moved = replace(story.trade, ratchet_price=D(90600))
    story.world = replace(story.world, trade=moved, liquidations=prices)
    assert story.trade.initial_stop < D(90400)
    assert story.tick().trade is not None and story.trade.closing is None


@pytest.mark.rule("M-2")
@both_sides
def test_the_liquidation_price_of_an_earlier_position_is_not_this_ones(side: Side) -> None:
    """Turned within a tick, no read saw it flat: what was told of the other side, or before it was armed, does not count."""
    story = opened(side).later(1000)
    inside = story.trade.initial_stop + D(10) * story.trade.sign
    armed = story.trade.armed_ms
    for readings in (
        told(inside, inside, side=side.opposite),
        told(inside, inside, side=side, since_ms=armed - 2000),
        told(inside, inside, side=side, since_ms=armed - 1000),
        (*told(inside, side=side.opposite), *told(inside, side=side)),
    ):
        story.world = replace(story.world, liquidations=readings)
        assert story.tick().commands == ()
    story.world = replace(
        story.world, liquidations=told(inside, inside, side=side, since_ms=armed + 1)
    )
    assert "+X" in roles(story.tick())


# the contract ends


@pytest.mark.rule("M-2", "G-15")
@both_sides
@pytest.mark.parametrize(("left_ms", "closes"), [(HOUR_MS, True), (HOUR_MS + 1000, False)])
def test_a_position_is_closed_before_delivery(side: Side, left_ms: int, closes: bool) -> None:
    """`delist_close_before_s` before the contract ends, to the second."""
    story = opened(side).later(1000)
    ends_ms = story.world.now_ms + left_ms
    story.world = replace(story.world, instrument=replace(BTC, delivery_ms=ends_ms))
    assert ("+X" in roles(story.tick())) is closes
    if closes:
        assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.FLATTEN, "G-15")
        assert story.world.mode is not None and story.world.mode.code == "delisting"


@pytest.mark.rule("M-2", "G-15")
def test_a_contract_whose_end_nobody_states_is_not_closed() -> None:
    """None is far ahead."""
    story = opened().later(1000)
    story.world = replace(story.world, instrument=replace(BTC, delivery_ms=None))
    assert "+X" not in roles(story.tick())


# the day's loss


def lost(equity: str) -> AccountEquity:
    """The account's equity now; 10 000 at the beginning of the day and the week, and no transfers."""
    base = EquityBase(equity=D(10000), at_ms=NOW - HOUR_MS, transferred=D(0), lower_ms=NOW - 9000)
    return AccountEquity(equity=D(equity), at_ms=NOW, day=base, week=base, transfers_ms=NOW)


@pytest.mark.rule("M-2", "G-10")
@both_sides
@pytest.mark.parametrize(
    ("wish", "equity", "closes"),
    [
        (OnDailyLoss.CLOSE, "9799", True),
        (OnDailyLoss.CLOSE, "9800", False),
        (OnDailyLoss.HOLD, "9000", False),
    ],
)
def test_the_days_loss_closes_only_where_that_is_wanted(
    side: Side, wish: OnDailyLoss, equity: str, closes: bool
) -> None:
    """More than 2 % with `on_daily_loss = "close"`; exactly 2 %, or with "hold", the position stays managed."""
    story = opened(side, replace(POLICY, on_daily_loss=wish)).later(1000)
    standing = replace(story.world.standing, equity=lost(equity))
    story.world = replace(story.world, standing=standing)
    assert ("+X" in roles(story.tick())) is closes
    assert mode(story) is (Mode.FLATTENING if closes else Mode.NORMAL)
    if closes:
        assert (story.trade.closing, story.trade.closing_rule) == (CloseReason.FLATTEN, "G-10")


# a restart in the middle, and what an emergency leaves


@pytest.mark.rule("M-2", "P-6", "M-1")
@pytest.mark.parametrize(
    "cause", ["liquidation", "delivery", "loss", "operator"], ids=lambda name: name
)
def test_a_close_goes_on_after_a_restart_though_its_cause_is_forgotten(cause: str) -> None:
    """What is durable is the trade that closes: mode and exits follow from it alone."""
    causes: dict[str, Callable[[Storyboard], None]] = {
        "liquidation": _liquidated,
        "delivery": _delivered,
        "loss": _lost,
        "operator": _asked,
    }
    story = opened(policy=_closing_policy()).later(1000)
    story.refuse[Role.FULL_EXIT] = -1111
    causes[cause](story)
    assert "+X" in roles(story.tick())
    story.refuse.clear()
    calm = world()
    story.world = replace(
        story.world,
        mode=None,
        liquidations=(),
        instrument=BTC,
        standing=calm.standing,
    )
    story.later(1000)
    assert "+X" in roles(story.tick())
    assert mode(story) is Mode.FLATTENING


def _closing_policy() -> Policy:
    return replace(POLICY, on_daily_loss=OnDailyLoss.CLOSE)


def _liquidated(story: Storyboard) -> None:
    story.world = replace(story.world, liquidations=told(D(90700), D(90700)))


def _delivered(story: Storyboard) -> None:
    soon = replace(BTC, delivery_ms=story.world.now_ms + 1000)
    story.world = replace(story.world, instrument=soon)


def _lost(story: Storyboard) -> None:
    standing = replace(story.world.standing, equity=lost("9000"))
    story.world = replace(story.world, standing=standing)


def _asked(story: Storyboard) -> None:
    story.world = replace(story.world, mode=asked_for())


@pytest.mark.rule("M-1", "M-2")
def test_a_stricter_mode_is_not_forgotten_by_the_end_of_a_close() -> None:
    """A mode as strict as the one that a finished close would leave stays as it is."""
    story = opened().later(1000)
    story.world = replace(story.world, mode=asked_for("invariant"))
    done = replace(
        story.trade, closing=CloseReason.EMERGENCY, closing_rule="S-7", proven_flat_ms=NOW
    )
    story.world = replace(story.world, trade=done)
    assert plan(story.world, POLICY).mode is None
