"""Which prices and which stop a newer decision leaves to a trade (E-9)."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import own, trade_of
from tests.unit.planner.superseding import both, holding, newer
from tests.worlds import BTC, POLICY, D, world

from jumar.model.command import Cause
from jumar.model.order import Side
from jumar.model.policy import MinStopPolicy
from jumar.planner.band import Band, EmptyBand
from jumar.planner.guided import entry_band, tightened_stop
from jumar.planner.moves import Move
from jumar.planner.newer import (
    remainder_ends,
)

# which prices are left


@both
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(
    ("prices", "low", "high"),
    [
        ({}, "90700", "90786.6"),
        ({"zone_min": "90710", "zone_max": "90780"}, "90710", "90780"),
        ({"zone_min": "90600", "zone_max": "90780"}, "90700", "90780"),
        ({"tp1": "91591"}, "90700", "90783.6"),
        ({"tp1": "92000"}, "90700", "90786.6"),
        ({"zone_min": "90786.6", "tp1": "92500"}, "90786.6", "90786.6"),
    ],
)
def test_the_prices_that_owner_and_guide_leave(
    side: Side, prices: dict[str, str], low: str, high: str
) -> None:
    """What both bands have in common, whatever the guide would add."""
    trade = trade_of(side, guide=newer(side, prices))
    band = entry_band(trade, BTC, POLICY)
    assert isinstance(band, Band)
    edges = sorted((mirrored(side, low), mirrored(side, high)))
    assert [band.low, band.high] == edges
    assert band.side is side


@both
@pytest.mark.rule("E-9", "P-3", "R-4")
def test_the_stop_as_it_stands_takes_prices_away(side: Side) -> None:
    """The ratchet at 90 400 counts although the guide's own stop is looser; a ratchet that is looser counts nothing."""
    trade = trade_of(side, guide=newer(side, {"tp1": "92000"}))
    moved_stop = replace(trade, ratchet_price=mirrored(side, "90400"))
    band, plain = entry_band(moved_stop, BTC, POLICY), entry_band(trade, BTC, POLICY)
    assert isinstance(band, Band)
    assert isinstance(plain, Band)
    # 0.35 % from 90 400, for a short from 91 200
    if side is Side.BUY:
        assert (band.low, band.high) == (D("90717.6"), D("90786.6"))
        assert (plain.low, plain.high) == (D(90700), D("90786.6"))
    else:
        assert (band.low, band.high) == (D("90813.4"), D("90881.9"))
        assert (plain.low, plain.high) == (D("90813.4"), D(90900))
    tight = replace(trade, guide=newer(side, {"stop": "90400", "tp1": "92000"}))
    assert entry_band(tight, BTC, POLICY) == band
    # without a guide only the plan counts
    alone = replace(moved_stop, guide=None)
    assert entry_band(alone, BTC, POLICY) == entry_band(trade_of(side), BTC, POLICY)


@both
@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(("tp1", "high"), [("91500", "90753.3"), ("92000", "90786.6")])
def test_a_nearer_target_takes_prices_away_a_farther_one_adds_none(
    side: Side, tp1: str, high: str
) -> None:
    """TP1 as it stands by now, or as it was decided: the nearer counts."""
    band = entry_band(trade_of(side, tp1=mirrored(side, tp1)), BTC, POLICY)
    assert isinstance(band, Band)
    assert (band.high if side is Side.BUY else band.low) == mirrored(side, high)


@pytest.mark.rule("E-9", "P-9")
@pytest.mark.parametrize(
    ("side", "zone", "words"),
    [
        (
            Side.BUY,
            {"zone_min": "90787", "tp1": "92500"},
            "no price is in both bands, [90700, 90786.6] and [90787, 90900]",
        ),
        (
            Side.SELL,
            {"zone_min": "90787", "tp1": "92500"},
            "no price is in both bands, [90813.4, 90900] and [90700, 90813]",
        ),
        (
            Side.BUY,
            {"zone_max": "90699.9", "zone_min": "90698", "stop": "90300"},
            "no price is in both bands, [90700, 90786.6] and [90698, 90699.9]",
        ),
    ],
)
def test_bands_without_a_common_price(side: Side, zone: dict[str, str], words: str) -> None:
    """Both are told, and what is left of the entry is over for it."""
    trade = trade_of(side, guide=newer(side, zone))
    assert entry_band(trade, BTC, POLICY) == EmptyBand(code="rr_below_min", message=words)
    assert remainder_ends(world(), trade, POLICY) == Cause(
        rule="E-9", text=f"the newer decision leaves no price: {words}"
    )


@both
@pytest.mark.rule("E-9", "P-3")
def test_a_guide_whose_own_band_is_empty_leaves_no_price(side: Side) -> None:
    """In the words of the band; nothing is widened for it, as it would be for a plan of its own."""
    widens = replace(POLICY, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK)
    trade = trade_of(side, guide=newer(side, {"stop": "90600", "tp1": "92000"}))
    found = entry_band(trade, BTC, widens)
    assert isinstance(found, EmptyBand)
    assert found.code == "stop_too_close"
    assert entry_band(replace(trade, guide=None), BTC, widens) == entry_band(
        trade_of(side), BTC, POLICY
    )


@both
@pytest.mark.rule("E-9")
def test_what_has_no_plan_has_no_entry(side: Side) -> None:
    """A trade of a decision without levels; and a guide without levels takes nothing away."""
    bare = replace(trade_of(side).decision, levels=None)
    assert entry_band(trade_of(side, decision=bare), BTC, POLICY) == EmptyBand(
        code="rr_below_min", message="a trade without a plan has no entry"
    )
    flat_guide = trade_of(side, guide=newer(side, levels=None))
    assert entry_band(flat_guide, BTC, POLICY) == entry_band(trade_of(side), BTC, POLICY)


@both
@pytest.mark.rule("E-9", "P-9")
@pytest.mark.parametrize(
    ("price", "ends"), [("90700", False), ("90780", False), ("90780.1", True), ("90699.9", True)]
)
def test_a_resting_price_outside_the_guided_band_is_over(
    side: Side, price: str, *, ends: bool
) -> None:
    """Only with a guide, only while filters are known; the ends belong to the band."""
    trade = trade_of(side, guide=newer(side, {"zone_max": "90780"}))
    at = mirrored(side, price)
    found = world(orders=(own("E1", side, price=at),))
    band = "[90700, 90780]" if side is Side.BUY else "[90820, 90900]"
    words = f"what is left of the entry is over: {at} is outside the newer band {band}"
    expected = Cause(rule="E-9", text=words) if ends else None
    assert remainder_ends(found, trade, POLICY) == expected
    assert remainder_ends(found, replace(trade, guide=None), POLICY) is None
    assert remainder_ends(replace(found, instrument=None), trade, POLICY) is None


@both
@pytest.mark.rule("E-9", "R-4")
def test_the_stop_that_a_guide_wishes(side: Side) -> None:
    """Its own stop, told with its time, and not throttled; only of a guide with levels, and once something filled."""
    chosen = newer(side, {"stop": "90500"})
    found, trade, facts = holding(side, chosen)
    guided = replace(trade, guide=chosen)
    stop = mirrored(side, "90500")
    words = f"the stop {stop} of the newer decision of 2025-12-05T10:05:05.000Z"
    assert tightened_stop(found, guided, facts, POLICY) == Move(
        price=stop, cause=Cause(rule="E-9", text=words), throttled=False
    )
    assert tightened_stop(found, trade, facts, POLICY) is None
    assert tightened_stop(found, guided, replace(facts, had_fill=False), POLICY) is None
    bare = replace(trade, guide=replace(chosen, levels=None))
    assert tightened_stop(found, bare, facts, POLICY) is None


@pytest.mark.rule("E-9", "P-3")
@pytest.mark.parametrize(
    ("side", "low", "high"), [(Side.BUY, "90777.8", "90786.6"), (Side.SELL, "90813.4", "90822.1")]
)
def test_the_reward_is_judged_from_the_guides_stop_where_that_is_the_tightest(
    side: Side, low: str, high: str
) -> None:
    """Its nearer target is worth the risk from its nearer stop; the initial stop does not count for it any more."""
    band = entry_band(
        trade_of(side, guide=newer(side, {"stop": "90460", "tp1": "91500"})), BTC, POLICY
    )
    assert isinstance(band, Band)
    assert (band.low, band.high) == (D(low), D(high))
