"""Where the working stop goes after TP1: structure, liquidation zones, percent, throttled, never nearer than the gap."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import NOW, POLICY, D, Storyboard, opened, places, roles

from jumar.model.command import Cause
from jumar.model.decision import TrailMode
from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels, Swing, SwingKind
from jumar.model.order import Role, Side
from jumar.model.policy import Policy
from jumar.planner import trailing
from jumar.planner.facts import assess
from jumar.planner.moves import Move, best_move

BOTH = pytest.mark.parametrize("side", list(Side))
#: The initial stops, entries and breakevens of the example, long and short.
STOPS = {Side.BUY: D(90380), Side.SELL: D(91220)}
ENTRIES = {Side.BUY: D("90786.6"), Side.SELL: D("90813.4")}
BREAKEVENS = {Side.BUY: D("90841.1"), Side.SELL: D("90758.9")}
#: Mark well beyond TP1.
FAR = {Side.BUY: "92000", Side.SELL: "89600"}


def sign(side: Side) -> Decimal:
    """Plus one for a long."""
    return D(1) if side is Side.BUY else D(-1)


def with_mode(story: Storyboard, mode: TrailMode, *, enabled: bool = True) -> Storyboard:
    """The trade's decision trails in this way."""
    decision = replace(story.trade.decision, trail_mode=mode, enable_trailing=enabled)
    story.world = replace(story.world, trade=replace(story.trade, decision=decision))
    return story


def before_tp1(
    side: Side = Side.BUY,
    mode: TrailMode = TrailMode.STRUCTURE_PLUS_LIQ,
    policy: Policy = POLICY,
    *,
    enabled: bool = True,
) -> Storyboard:
    """A position with its stops and targets, nothing hit."""
    return with_mode(opened(side, policy), mode, enabled=enabled).later(1000)


def after_tp1(
    side: Side = Side.BUY,
    mode: TrailMode = TrailMode.STRUCTURE_PLUS_LIQ,
    policy: Policy = POLICY,
    *,
    enabled: bool = True,
) -> Storyboard:
    """TP1 has filled, the stop rests at breakeven, and the price has gone on."""
    story = before_tp1(side, mode, policy, enabled=enabled)
    tp1 = "91600" if side is Side.BUY else "90000"
    story.mark(tp1).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", tp1)
    story.run(3)
    assert story.trade.ratchet_price == BREAKEVENS[side]
    return story.later(6000).mark(FAR[side])


def swing(
    price: str, side: Side, *, age_s: int = 60, confirmed: bool = True, timeframe: str = "15m"
) -> Swing:
    """A low of a long, a high of a short."""
    kind = SwingKind.LOW if side is Side.BUY else SwingKind.HIGH
    at_ms = NOW - age_s * 1000
    return Swing(timeframe=timeframe, kind=kind, price=D(price), time_ms=at_ms, confirmed=confirmed)


def zone(low: str, high: str, strength: str = "0.6", name: str = "z") -> LiquidationZone:
    """A liquidation zone."""
    return LiquidationZone(
        id=name,
        explicit=True,
        side=None,
        low=D(low),
        high=D(high),
        price=D(low),
        strength=D(strength),
    )


def sees(
    story: Storyboard,
    *swings: Swing,
    zones: tuple[LiquidationZone, ...] = (),
    age_s: int = 0,
) -> Storyboard:
    """The levels file says this."""
    at_ms = story.world.now_ms - age_s * 1000
    levels = MarketLevels(as_of_ms=at_ms, swings=swings, zones=zones)
    story.world = replace(story.world, levels=levels)
    return story


def moved(story: Storyboard) -> tuple[str, Decimal] | None:
    """Rule and price of the stop that the next tick places, None where it holds."""
    placed = [place for place in places(story.tick()) if place.request.role is Role.STOP]
    if not placed:
        return None
    (stop,) = placed
    assert stop.request.trigger_price is not None
    return stop.cause.rule, stop.request.trigger_price


# behind the structure


@pytest.mark.rule("R-2", "R-1")
@pytest.mark.parametrize(
    ("side", "price", "stop"), [(Side.BUY, "91400", "91354.3"), (Side.SELL, "90200", "90245.1")]
)
def test_the_stop_goes_beyond_the_last_confirmed_swing(side: Side, price: str, stop: str) -> None:
    """0.05 % beyond it, with the swing in the cause."""
    story = sees(after_tp1(side), swing(price, side))
    (place,) = places(story.tick())
    assert (place.cause.rule, place.request.trigger_price) == ("R-2", D(stop))
    assert f"swing {'low' if side is Side.BUY else 'high'} {price}" in place.cause.text
    assert f"-> {stop}" in place.cause.text
    assert place.cause.text.endswith(f"; mark {FAR[side]}")


@pytest.mark.rule("R-2")
@BOTH
def test_the_newest_swing_counts_not_the_tightest(side: Side) -> None:
    """An older, tighter one is left alone."""
    tight, newest = ("91500", "91400") if side is Side.BUY else ("90100", "90200")
    story = sees(after_tp1(side), swing(newest, side, age_s=60), swing(tight, side, age_s=900))
    found = moved(story)
    assert found is not None
    assert found[1] == (D("91354.3") if side is Side.BUY else D("90245.1"))


@pytest.mark.rule("R-2")
@BOTH
@pytest.mark.parametrize("what", ["unconfirmed", "timeframe", "kind"])
def test_other_swings_move_nothing(side: Side, what: str) -> None:
    """Not yet confirmed, of another timeframe, or turned the other way."""
    price = "91400" if side is Side.BUY else "90200"
    wrong = {
        "unconfirmed": swing(price, side, confirmed=False),
        "timeframe": swing(price, side, timeframe="5m"),
        "kind": swing(price, side.opposite),
    }
    assert moved(sees(after_tp1(side), wrong[what])) is None


@pytest.mark.rule("R-2", "R-4")
@pytest.mark.parametrize(
    ("side", "price", "counts"),
    [
        (Side.BUY, "91908", True),
        (Side.BUY, "91908.1", False),
        (Side.SELL, "89689.6", True),
        (Side.SELL, "89689.5", False),
    ],
)
def test_a_swing_nearer_than_the_gap_is_passed_over(side: Side, price: str, counts: bool) -> None:
    """It lies behind mark by at least 0.1 %, or the one before it counts."""
    older = ("91400", "91354.3") if side is Side.BUY else ("90200", "90245.1")
    story = sees(after_tp1(side), swing(price, side, age_s=1), swing(older[0], side, age_s=900))
    found = moved(story)
    assert found is not None
    assert (found[1] != D(older[1])) is counts


@pytest.mark.rule("R-2", "P-2")
@BOTH
def test_a_looser_swing_moves_nothing(side: Side) -> None:
    """The stop only gets tighter."""
    price = "90700" if side is Side.BUY else "90900"
    assert moved(sees(after_tp1(side), swing(price, side))) is None


# when it begins


@pytest.mark.rule("R-1")
@BOTH
@pytest.mark.parametrize("mode", list(TrailMode))
def test_before_tp1_nothing_trails(side: Side, mode: TrailMode) -> None:
    """Not in any mode, as long as nothing else is set."""
    story = before_tp1(side, mode).mark(FAR[side])
    story.world = replace(story.world, best_mark=D(FAR[side]))
    price = "91400" if side is Side.BUY else "90200"
    assert moved(sees(story, swing(price, side))) is None


@pytest.mark.rule("R-1")
@BOTH
@pytest.mark.parametrize("mode", list(TrailMode))
def test_without_permission_nothing_trails(side: Side, mode: TrailMode) -> None:
    """`enable_trailing` is false: the stop stays at breakeven."""
    story = after_tp1(side, mode, enabled=False)
    story.world = replace(story.world, best_mark=D(FAR[side]))
    price = "91400" if side is Side.BUY else "90200"
    assert moved(sees(story, swing(price, side))) is None


@pytest.mark.rule("R-1")
@pytest.mark.parametrize(
    ("mode", "rule"),
    [
        (TrailMode.STRUCTURE_PLUS_LIQ, "R-2"),
        (TrailMode.STRUCTURE, "R-2"),
        (TrailMode.PERCENT, "R-5"),
        (TrailMode.NONE, None),
    ],
)
def test_the_mode_says_what_trails(mode: TrailMode, rule: str | None) -> None:
    """Structure in two of them, percent in one, nothing in the last."""
    story = sees(after_tp1(mode=mode), swing("91600", Side.BUY))
    story.world = replace(story.world, best_mark=D(92000))
    found = moved(story)
    assert (None if found is None else found[0]) == rule


@pytest.mark.rule("R-1")
@BOTH
@pytest.mark.parametrize(
    ("at_r", "short_by", "trails"), [("0", "0", False), ("1", "0", True), ("1", "0.1", False)]
)
def test_trailing_begins_at_so_many_r(side: Side, at_r: str, short_by: str, trails: bool) -> None:
    """With `trail_activate_r` set: at the tick where the best gain reaches it, before TP1."""
    policy = replace(POLICY, trail_activate_r=D(at_r), trail_pct=D("0.3"))
    story = before_tp1(side, TrailMode.PERCENT, policy).later(6000)
    risk = abs(ENTRIES[side] - STOPS[side])
    best = ENTRIES[side] + sign(side) * (risk - D(short_by))
    story.world = replace(story.world, best_mark=best)
    assert (moved(story.mark(str(best))) is not None) is trails


# near liquidation zones


@pytest.mark.rule("R-3", "R-1")
@pytest.mark.parametrize(
    ("side", "low", "high", "stop"),
    [(Side.BUY, "92500", "92600", "91724"), (Side.SELL, "89000", "89100", "89868.8")],
)
def test_near_a_strong_zone_ahead_the_stop_accelerates(
    side: Side, low: str, high: str, stop: str
) -> None:
    """0.3 % behind mark, with the zone and its distance in the cause."""
    story = sees(after_tp1(side), zones=(zone(low, high),))
    (place,) = places(story.tick())
    assert (place.cause.rule, place.request.trigger_price) == ("R-3", D(stop))
    assert "from the zone z" in place.cause.text


@pytest.mark.rule("R-3")
@BOTH
@pytest.mark.parametrize(
    ("distance", "strength", "near"),
    [
        ("920", "0.6", True),
        ("920.1", "0.6", False),
        ("0", "0.6", True),
        ("10", "0.59", False),
        ("10", "1", True),
        ("-10", "0.6", True),
        ("-100", "0.6", True),
        ("-100.1", "0.6", False),
    ],
)
def test_what_counts_as_near(side: Side, distance: str, strength: str, near: bool) -> None:
    """1 % of mark to the near edge, strength 0.6, and not yet passed through; the edges count."""
    mark = D(92000)
    story = after_tp1(side).mark(str(mark))
    edge = mark + sign(side) * D(distance)
    low, high = sorted((edge, edge + sign(side) * 100))
    facts = assess(story.world, story.trade, story.policy)
    sees(story, zones=(zone(str(low), str(high), strength),))
    found = trailing.liquidation(story.world, story.trade, facts, story.policy)
    assert (found is not None) is near


@pytest.mark.rule("R-3", "L-3")
@BOTH
def test_the_bound_zone_needs_no_strength_and_may_lie_behind(side: Side) -> None:
    """Within 1 % of mark on either side; the levels file need not tell it any more."""
    story = after_tp1(side)
    mark = D(FAR[side])
    for away, near in ((D("0.01"), True), (D("0.0101"), False)):
        for way in (1, -1):
            edge = mark * (1 + away * way)
            low, high = sorted((edge, edge + way * 50))
            bound = BoundZone(id="mine", low=low, high=high)
            trade = replace(story.trade, zone=bound)
            world = sees(story).world
            facts = assess(world, trade, story.policy)
            found = trailing.liquidation(world, trade, facts, story.policy)
            assert (found is not None) is near
            assert found is None or "zone mine" in found.cause.text


@pytest.mark.rule("R-3")
@BOTH
@pytest.mark.parametrize(("distance", "near"), [("460", True), ("460.1", False)])
def test_how_near_is_configured(side: Side, distance: str, near: bool) -> None:
    """`liq_near_pct` 0.5 of 92 000 are 460."""
    story = after_tp1(side, policy=replace(POLICY, liq_near_pct=D("0.5"))).mark("92000")
    edge = D(92000) + sign(side) * D(distance)
    low, high = sorted((edge, edge + sign(side) * 100))
    sees(story, zones=(zone(str(low), str(high)),))
    facts = assess(story.world, story.trade, story.policy)
    found = trailing.liquidation(story.world, story.trade, facts, story.policy)
    assert (found is not None) is near


@pytest.mark.rule("R-3")
def test_the_nearest_of_the_zones_ahead_is_named() -> None:
    """The strongest is not the one that mark meets first."""
    story = sees(
        after_tp1(),
        zones=(zone("92700", "92800", "0.9", "far"), zone("92100", "92200", "0.7", "near")),
    )
    (place,) = places(story.tick())
    assert "the zone near" in place.cause.text


@pytest.mark.rule("R-3")
def test_structure_alone_knows_no_zones() -> None:
    """Mode `structure`: a strong zone ahead changes nothing."""
    story = sees(after_tp1(mode=TrailMode.STRUCTURE), zones=(zone("92500", "92600"),))
    assert moved(story) is None


@pytest.mark.rule("R-4", "R-3", "R-2")
@BOTH
def test_the_tightest_wish_wins(side: Side) -> None:
    """Structure behind, zone in front: the zone's is tighter; with structure tighter it is structure's."""
    ahead = zone("92500", "92600") if side is Side.BUY else zone("89000", "89100")
    loose, tight = ("91400", "91900") if side is Side.BUY else ("90200", "89700")
    assert (moved(sees(after_tp1(side), swing(loose, side), zones=(ahead,))) or ("",))[0] == "R-3"
    assert (moved(sees(after_tp1(side), swing(tight, side), zones=(ahead,))) or ("",))[0] == "R-2"


@pytest.mark.rule("L-2")
@BOTH
def test_what_a_zone_exit_left_trails_even_without_levels(side: Side) -> None:
    """From the exit on, 0.3 % behind mark, in every mode but `none`, and only where trailing is enabled."""
    stop = D("91724") if side is Side.BUY else D("89868.8")
    used = BoundZone(id="z", low=D(1), high=D(2), used=True)
    for mode in TrailMode:
        for enabled in (True, False):
            story = after_tp1(side, mode, enabled=enabled)
            story.world = replace(story.world, trade=replace(story.trade, zone=used))
            goes = enabled and mode is not TrailMode.NONE
            assert moved(story) == (("L-2", stop) if goes else None)


@pytest.mark.rule("L-2", "E-9")
@BOTH
def test_what_a_zone_exit_left_trails_on_under_a_newer_zone(side: Side) -> None:
    """A newer decision brought another zone, or none: the exit was made all the same."""
    stop = D("91724") if side is Side.BUY else D("89868.8")
    ahead = D(999_000) if side is Side.BUY else D(1)
    for zone_ in (BoundZone(id="other", low=ahead, high=ahead), None):
        story = after_tp1(side, TrailMode.NONE if zone_ is None else TrailMode.STRUCTURE)
        first = next(iter(story.journal.values()))
        request = replace(first.request, role=Role.ZONE_EXIT)
        sold = replace(first, request=request, filled_quantity=D("0.006"))
        left = (*(o for o in story.world.orders if o is not first), first, sold)
        traded = replace(story.trade, zone=zone_)
        story.world = replace(story.world, trade=traded)
        assert moved(story) is None
        story.world = replace(story.world, orders=left)
        assert moved(story) == (None if zone_ is None else ("L-2", stop))


# percent, and what is missing: R-5


@pytest.mark.rule("R-5")
@BOTH
def test_percent_follows_the_best_mark(side: Side) -> None:
    """0.5 % behind the best mark, wherever mark is now."""
    story = after_tp1(side, TrailMode.PERCENT)
    story.world = replace(story.world, best_mark=D(FAR[side]))
    back = "91800" if side is Side.BUY else "89800"
    stop = D(91540) if side is Side.BUY else D(90048)
    assert moved(story.mark(back)) == ("R-5", stop)


@pytest.mark.rule("R-5", "P-2")
@BOTH
def test_after_a_restart_the_ratchet_holds(side: Side) -> None:
    """The best mark is not known any more, then a worse one: the stop stays where it was."""
    story = after_tp1(side, TrailMode.PERCENT)
    story.world = replace(story.world, best_mark=D(FAR[side]))
    story.run(2)
    held = story.trade.ratchet_price
    story.world = replace(story.world, best_mark=None)
    assert moved(story.later(6000)) is None
    worse = "91800" if side is Side.BUY else "89800"
    story.world = replace(story.world, best_mark=D(worse))
    assert moved(story.later(6000)) is None
    assert story.trade.ratchet_price == held


@pytest.mark.rule("R-5", "D-10")
@BOTH
@pytest.mark.parametrize(("age_s", "moves"), [(1800, True), (1801, False)])
def test_stale_levels_hold_the_stop(side: Side, age_s: int, moves: bool) -> None:
    """Older than `levels_max_age_s`: neither structure nor zones move it; without any it is the same."""
    ahead = zone("92500", "92600") if side is Side.BUY else zone("89000", "89100")
    price = "91400" if side is Side.BUY else "90200"
    for story in (
        sees(after_tp1(side), swing(price, side), age_s=age_s),
        sees(after_tp1(side), zones=(ahead,), age_s=age_s),
    ):
        assert (moved(story) is not None) is moves
    assert moved(after_tp1(side)) is None


# the gap: R-4, S-10


@pytest.mark.rule("R-4", "S-10")
@pytest.mark.parametrize(
    ("side", "best", "stop"), [(Side.BUY, "92500", "91908"), (Side.SELL, "89100", "89689.6")]
)
def test_no_move_comes_nearer_than_the_gap(side: Side, best: str, stop: str) -> None:
    """Mark fell back from its best: the stop is cut to 0.1 % from mark, and says so."""
    story = after_tp1(side, TrailMode.PERCENT)
    story.world = replace(story.world, best_mark=D(best))
    (place,) = places(story.tick())
    assert place.request.trigger_price == D(stop)
    assert "as near to mark as the gap allows" in place.cause.text


@pytest.mark.rule("S-10")
@BOTH
def test_a_moved_stop_is_rounded_tighter(side: Side) -> None:
    """Off the tick: up for a long, down for a short."""
    story = after_tp1(side, TrailMode.PERCENT)
    story.world = replace(story.world, best_mark=D("91900.7") if side is Side.BUY else D("89700.3"))
    found = moved(story)
    # 91 441.1965 and 90 148.8015
    assert found == ("R-5", D("91441.2") if side is Side.BUY else D("90148.8"))


# how often (S-5)


@pytest.mark.rule("S-5")
@BOTH
@pytest.mark.parametrize(("since_ms", "moves"), [(4999, False), (5000, True)])
def test_two_moves_are_five_seconds_apart(side: Side, since_ms: int, moves: bool) -> None:
    """A large step waits for the interval since the last stop."""
    first, second = ("91400", "91700") if side is Side.BUY else ("90200", "89900")
    story = sees(after_tp1(side), swing(first, side, age_s=900))
    assert moved(story) is not None
    story.run(2)
    sees(story.later(since_ms), swing(second, side))
    assert (moved(story) is not None) is moves


@pytest.mark.rule("S-5")
@BOTH
@pytest.mark.parametrize(("more", "moves"), [("0.1", True), ("0", True), ("-0.1", False)])
def test_a_move_is_a_step(side: Side, more: str, moves: bool) -> None:
    """At least 0.05 % of improvement, however long ago the last one was."""
    story = after_tp1(side, TrailMode.PERCENT, replace(POLICY, trail_pct=D(1)))
    at = BREAKEVENS[side]
    step = (at * D("0.0005")).quantize(D("0.1"), rounding="ROUND_CEILING")
    goal = at + sign(side) * (step + D(more))
    story.world = replace(story.world, best_mark=goal / (1 - sign(side) * D("0.01")))
    assert (moved(story.later(60_000)) is not None) is moves


@pytest.mark.rule("S-5", "T-3")
@BOTH
def test_breakeven_is_not_throttled(side: Side) -> None:
    """TP1 fills right after a structure move, half a tick better than breakeven or not: it goes at once."""
    policy = replace(POLICY, trail_activate_r=D("0.1"))
    story = before_tp1(side, policy=policy).later(6000)
    mark = "91500" if side is Side.BUY else "90100"
    story.mark(mark)
    story.world = replace(story.world, best_mark=D(mark))
    near = "90870" if side is Side.BUY else "90730"
    sees(story, swing(near, side))
    assert (moved(story) or ("",))[0] == "R-2"
    story.run(2)
    story.later(100).trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600" if side is Side.BUY else "90000")
    found = moved(story)
    assert found == ("T-3", BREAKEVENS[side])


@pytest.mark.rule("S-5", "R-4")
def test_a_throttled_wish_keeps_no_other_back() -> None:
    """Structure would be tighter but must wait: breakeven, which need not, goes at once."""
    story = before_tp1(policy=replace(POLICY, trail_activate_r=D("0.1"))).mark("91500").later(6000)
    story.world = replace(story.world, best_mark=D(91500))
    sees(story, swing("90800", Side.BUY, age_s=900))
    assert (moved(story) or ("",))[0] == "R-2"
    story.run(2)
    sees(story.later(100), swing("91300", Side.BUY))
    story.trigger(Role.TP1)
    story.fill(Role.TP1, "0.006", "91600")
    assert moved(story) == ("T-3", BREAKEVENS[Side.BUY])
    story.run(2)
    assert (moved(story.later(5000)) or ("",))[0] == "R-2"


@pytest.mark.rule("S-5", "R-3")
@BOTH
def test_the_first_move_near_a_zone_goes_at_once_the_next_ones_follow(side: Side) -> None:
    """Right after another move; after it mark is followed in steps, not at every look."""
    ahead = zone("92800", "92900") if side is Side.BUY else zone("88700", "88800")
    price = "91400" if side is Side.BUY else "90200"
    story = sees(after_tp1(side), swing(price, side))
    assert (moved(story) or ("",))[0] == "R-2"
    story.run(2)
    sees(story.later(100), swing(price, side), zones=(ahead,))
    assert (moved(story) or ("",))[0] == "R-3"
    story.run(2)
    further = "92300" if side is Side.BUY else "89300"
    story.later(4000).mark(further)
    assert moved(sees(story, zones=(ahead,))) is None
    story.later(1000).mark(further)
    assert (moved(sees(story, zones=(ahead,))) or ("",))[0] == "R-3"


@pytest.mark.rule("S-5", "T-3")
@BOTH
def test_breakeven_out_of_reach_is_followed_in_steps(side: Side) -> None:
    """The first step toward it at once, the next ones throttled, the last one where it is reached at once."""
    story = before_tp1(side)
    story.trigger(Role.TP1)
    near, nearer, there = (
        ("90700", "90800", "91600") if side is Side.BUY else ("90900", "90800", "90000")
    )
    story.fill(Role.TP1, "0.006", "91600" if side is Side.BUY else "90000").mark(near)
    assert (moved(story) or ("",))[0] == "T-3"
    story.run(2)
    assert moved(story.later(4000).mark(nearer)) is None
    assert moved(story.mark(there)) == ("T-3", BREAKEVENS[side])


@pytest.mark.rule("S-4", "S-6")
@BOTH
def test_a_refused_move_is_planned_again_and_the_old_stop_stays(side: Side) -> None:
    """-2021 for a trailing move: nothing is taken away, a second later it is tried at the gap again."""
    price = "91400" if side is Side.BUY else "90200"
    story = sees(after_tp1(side), swing(price, side))
    story.refuse[Role.STOP] = -2021
    assert roles(story.tick()) == ["+S"]
    assert (story.run(3), story.trade.ratchet_price) == ([], BREAKEVENS[side])
    story.refuse.clear()
    assert story.later(1000).run(2) == ["+S", "-S"]


@pytest.mark.rule("S-4")
def test_a_restart_in_the_middle_of_a_move_ends_it() -> None:
    """The new stop's outcome was lost with the process: it is asked for first, then it counts; the old one goes last."""
    story = sees(after_tp1(), swing("91400", Side.BUY))
    story.silent.add(Role.STOP)
    assert roles(story.tick()) == ["+S"]
    story.silent.clear()
    story.world = replace(story.world, best_mark=None, levels=None)
    assert story.run(2) == []
    story.lists(story.listed("S3"), story.listed("S2"), story.listed("B1"), story.listed("Q1"))
    assert story.run(2) == ["-S"]
    assert "S2" not in story.alive()
    assert story.trade.ratchet_price == D("91354.3")


@pytest.mark.rule("S-5")
@BOTH
@pytest.mark.parametrize(("beyond", "goes"), [("45.4", True), ("45.3", False)])
def test_a_step_of_exactly_the_least_goes(side: Side, beyond: str, goes: bool) -> None:
    """0.05 % of 90 800 are 45.4."""
    story = opened(side)
    trade = replace(story.trade, ratchet_price=D(90800))
    price = D(90800) + sign(side) * D(beyond)
    wish = Move(price=price, cause=Cause(rule="R-2", text="a wish"))
    seen = story.later(10_000).mark(FAR[side]).world
    found = best_move(seen, trade, POLICY, [None, wish])
    assert (found is not None) is goes
    free = best_move(seen, trade, POLICY, [replace(wish, throttled=False)])
    assert free is not None
    assert free.price == price


@pytest.mark.rule("R-4")
@pytest.mark.parametrize("missing", ["mark", "instrument"])
def test_without_mark_or_filters_nothing_moves(missing: str) -> None:
    """Neither the gap nor the tick is known: the stop holds."""
    story = sees(after_tp1(), swing("91400", Side.BUY), zones=(zone("92500", "92600"),))
    blind = replace(story.world, **{missing: None, "best_mark": None})  # type: ignore[arg-type]  # by name
    wish = Move(price=D(91000), cause=Cause(rule="R-2", text="a wish"))
    assert best_move(blind, story.trade, POLICY, [wish]) is None
    facts = assess(blind, story.trade, POLICY)
    wishes = [each(blind, story.trade, facts, POLICY) for each in trailing.CANDIDATES]
    assert best_move(blind, story.trade, POLICY, wishes) is None


def test_every_candidate_is_asked() -> None:
    """The list is the whole of it: no reason to move a stop stands elsewhere."""
    names = [candidate.__name__ for candidate in trailing.CANDIDATES]
    assert len(names) == len(set(names))
    assert {"structure", "liquidation", "after_zone_exit", "percent", "after_tp1"} <= set(names)
