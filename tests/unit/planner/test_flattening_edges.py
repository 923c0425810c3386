"""What closes a position, in the words that are recorded with it (M-2, M-6, G-10, G-15)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import trade_of
from tests.unit.planner.test_flattening import lost, told
from tests.worlds import BTC, NOW, POLICY, D, world

from jumar.model.command import Cause
from jumar.model.mode import Mode
from jumar.model.order import Side
from jumar.model.policy import OnDailyLoss, Policy
from jumar.model.trade import CloseReason
from jumar.model.world import World
from jumar.planner import ladder
from jumar.planner.drawdown import daily_loss
from jumar.planner.flattening import asked_to_flatten, seconds_to_delivery, why_flatten

both_sides = pytest.mark.parametrize("side", list(Side))
ASKED = ladder.state("flatten", "flatten: asked for by 1 person", NOW)


def why(
    found: World, side: Side = Side.BUY, policy: Policy = POLICY, **changes: object
) -> tuple[CloseReason, Cause] | None:
    """Why the example's trade, or its mirror, must be closed."""
    return why_flatten(found, trade_of(side, **changes), policy)


@pytest.mark.rule("M-6", "M-2")
@pytest.mark.parametrize("whose", ["mode", "account_mode"])
def test_an_operators_words_are_the_cause(whose: str) -> None:
    """For the symbol or for the whole account; no longer once it is settled, and no other row of the ladder."""
    found = replace(world(), **{whose: ASKED})  # type: ignore[arg-type]  # either field
    cause = Cause(rule="M-6", text="flatten: asked for by 1 person")
    assert why(found) == (CloseReason.FLATTEN, cause)
    assert asked_to_flatten(found) is ASKED
    for other in (
        replace(ASKED, mode=Mode.NO_ENTRIES),
        replace(ASKED, code="emergency_close"),
        replace(ASKED, code=""),
        None,
    ):
        calm = replace(found, **{whose: other})  # type: ignore[arg-type]  # either field
        assert asked_to_flatten(calm) is None
        assert why(calm) is None


@pytest.mark.rule("M-6")
def test_the_accounts_flatten_is_found_behind_another_mode_of_the_symbol() -> None:
    """Whatever holds for the symbol alone; of two the symbol's own is told."""
    for symbol in (replace(ASKED, mode=Mode.NO_ENTRIES), ladder.state("liquidation", "1", NOW)):
        assert asked_to_flatten(world(mode=symbol, account_mode=ASKED)) is ASKED
    own = replace(ASKED, cause="its own")
    assert asked_to_flatten(world(mode=own, account_mode=ASKED)) is own


@pytest.mark.rule("M-2", "P-9")
@pytest.mark.parametrize(
    ("side", "prices", "words"),
    [
        (Side.BUY, ("90500", "90410.50"), "90410.5 comes before the stop 90380"),
        (Side.BUY, ("80000", "90500", "90380"), "90380 comes before the stop 90380"),
        (Side.BUY, ("90380", "90379.9"), None),
        (Side.BUY, ("90379.9", "90380"), None),
        (Side.BUY, ("90500",), None),
        (Side.SELL, ("91100", "91190.50"), "91190.5 comes before the stop 91220"),
        (Side.SELL, ("91220", "91220.1"), None),
        (Side.SELL, ("91220.1", "91220"), None),
    ],
)
def test_the_newest_liquidation_price_is_told_beside_the_stop(
    side: Side, prices: tuple[str, ...], words: str | None
) -> None:
    """Of the last two readings both must lie at the stop or inside it; what was read before does not matter."""
    found = world(liquidations=told(*(D(price) for price in prices), side=side))
    text = f"the liquidation price {words} in 2 readings: margin or leverage was changed"
    expected = None if words is None else (CloseReason.EMERGENCY, Cause(rule="M-2", text=text))
    assert why(found, side) == expected


@pytest.mark.rule("M-2", "S-3")
def test_the_stop_that_is_told_is_the_one_that_was_moved() -> None:
    """Its ratchet price, not where it began."""
    found = world(liquidations=told(D(90700), D(90700)))
    moved = why(found, ratchet_price=D("90600"))
    assert moved is not None
    assert "the liquidation price 90700 comes before the stop 90600 in" in moved[1].text
    assert why(found, ratchet_price=D("90700.1")) is None


@pytest.mark.rule("G-15", "M-2", "P-9")
@pytest.mark.parametrize(
    ("left_ms", "before_s", "left_s"),
    [
        (3_600_000, 3600, 3600),
        (3_599_001, 3600, 3600),
        (3_599_000, 3600, 3599),
        (3_600_001, 3600, None),
        (60_000, 60, 60),
        (60_001, 60, None),
        (1, 3600, 1),
        (0, 3600, 0),
        (-1, 3600, 0),
        (-1000, 3600, -1),
    ],
)
def test_the_seconds_to_delivery_are_told(left_ms: int, before_s: int, left_s: int | None) -> None:
    """Whole ones, rounded up, beside the setting; after delivery too, as long as something is held."""
    policy = replace(POLICY, delist_close_before_s=before_s)
    found = world(instrument=replace(BTC, delivery_ms=NOW + left_ms))
    words = f"BTCUSDT is delivered in {left_s} s, positions are closed {before_s} s before"
    expected = (CloseReason.FLATTEN, Cause(rule="G-15", text=words))
    assert why(found, policy=policy) == (None if left_s is None else expected)


@pytest.mark.rule("G-15")
def test_without_a_date_there_are_no_seconds() -> None:
    """No filters read yet, or a contract without an end."""
    assert seconds_to_delivery(world(instrument=None)) is None
    assert seconds_to_delivery(world(instrument=replace(BTC, delivery_ms=None))) is None
    assert seconds_to_delivery(world(instrument=replace(BTC, delivery_ms=NOW + 1500))) == 2
    assert why(world(instrument=None)) is None


@pytest.mark.rule("G-10", "M-2")
@both_sides
def test_the_days_loss_is_told_as_the_guard_tells_it(side: Side) -> None:
    """The loss and the limit in per cent; without `on_daily_loss = "close"` it only holds back."""
    calm = world()
    standing = replace(calm.standing, equity=lost("9700"))
    closing = replace(POLICY, on_daily_loss=OnDailyLoss.CLOSE)
    refusal = daily_loss(replace(calm, standing=standing), closing)
    assert refusal is not None
    cause = Cause(rule="G-10", text=refusal.message)
    assert why(replace(calm, standing=standing), side, closing) == (CloseReason.FLATTEN, cause)
    assert why(replace(calm, standing=standing), side) is None
    assert why(calm, side, closing) is None


@pytest.mark.rule("M-2", "M-6", "G-15")
def test_of_several_causes_one_is_told() -> None:
    """An operator's before liquidation, that before delivery, that before the day's loss."""
    closing = replace(POLICY, on_daily_loss=OnDailyLoss.CLOSE)
    calm = world()
    found = replace(
        calm,
        mode=ASKED,
        liquidations=told(D(90700), D(90700)),
        instrument=replace(BTC, delivery_ms=NOW),
        standing=replace(calm.standing, equity=lost("9000")),
    )
    rules = []
    for gone in ({}, {"mode": None}, {"liquidations": ()}, {"instrument": BTC}):
        found = replace(found, **gone)
        told_why = why(found, policy=closing)
        assert told_why is not None
        rules.append(told_why[1].rule)
    assert rules == ["M-6", "M-2", "G-15", "G-10"]
