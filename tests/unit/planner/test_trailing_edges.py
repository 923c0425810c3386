"""Each reason to move the working stop (R-1 … R-5, L-2): the exact wish, its words, and when there is none."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import held, own, trade_of
from tests.unit.planner.test_trailing import swing, zone
from tests.worlds import NOW, POLICY, D, seen

from jumar.model.decision import TrailMode
from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels, Swing
from jumar.model.order import OwnOrder, Side
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.facts import assess
from jumar.planner.moves import Move
from jumar.planner.trailing import (
    Candidate,
    after_zone_exit,
    is_trailing,
    liquidation,
    percent,
    structure,
)

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])
MARK = {Side.BUY: "92000", Side.SELL: "89600"}


def trailing(side: Side, mode: TrailMode, **changes: object) -> Trade:
    """The example's trade, whose decision trails in this way."""
    base = trade_of(side, **changes)
    return replace(base, decision=replace(base.decision, trail_mode=mode))


def beyond(side: Side, *orders: OwnOrder, **changes: object) -> World:
    """TP1 has sold 0.006, mark is at 92 000 (short: 89 600)."""
    first = own("P1", side, filled_quantity=D("0.006"))
    return held(first, *orders, side=side, **{"mark": seen(D(MARK[side])), **changes})


def levels(*swings: Swing, zones: tuple[LiquidationZone, ...] = (), age_s: int = 0) -> MarketLevels:
    """What the levels file says."""
    return MarketLevels(as_of_ms=NOW - age_s * 1000, swings=swings, zones=zones)


def wish(
    candidate: Candidate, found: World, trade: Trade, policy: Policy = POLICY
) -> tuple[str, str, bool] | None:
    """Price, cause and whether it is throttled."""
    move = candidate(found, trade, assess(found, trade, policy), policy)
    if move is None:
        return None
    assert isinstance(move, Move)
    assert not move.cut
    return text(move.price), str(move.cause), move.throttled


# behind a swing, by R-2


@pytest.mark.rule("R-2", "P-9")
@pytest.mark.parametrize(
    ("side", "price", "stop", "kind"),
    [(Side.BUY, "91400", "91354.3", "low"), (Side.SELL, "90200", "90245.1", "high")],
)
@pytest.mark.parametrize("mode", [TrailMode.STRUCTURE, TrailMode.STRUCTURE_PLUS_LIQ])
def test_structure_tells_timeframe_swing_and_buffer(
    side: Side, price: str, stop: str, kind: str, mode: TrailMode
) -> None:
    """The buffer beyond the swing, never at once: it waits for a step and the interval."""
    found = beyond(side, levels=levels(swing(price, side)))
    words = f"R-2: 15m swing {kind} {price}, 0.05 % beyond it"
    assert wish(structure, found, trailing(side, mode)) == (stop, words, True)
    assert wish(structure, replace(found, mark=None), trailing(side, mode)) is None


@pytest.mark.rule("R-2")
@SIDES
def test_the_buffer_beyond_a_swing_is_configured(side: Side) -> None:
    """0.2 % of 91 400 are 182.8; of 90 200, 180.4."""
    price, stop = ("91400", "91217.2") if side is Side.BUY else ("90200", "90380.4")
    found = beyond(side, levels=levels(swing(price, side)))
    policy = replace(POLICY, structure_buffer_pct=D("0.2"))
    told = wish(structure, found, trailing(side, TrailMode.STRUCTURE), policy)
    assert told is not None
    assert told[0] == stop
    assert told[1].endswith(", 0.2 % beyond it")


@pytest.mark.rule("R-2", "R-1", "D-10")
@pytest.mark.parametrize("what", ["no levels", "stale", "mode", "not yet", "no swing"])
def test_when_structure_wishes_nothing(what: str) -> None:
    """Without fresh levels, in another mode, before trailing has begun, and without a swing behind mark."""
    found = beyond(Side.BUY, levels=levels(swing("91400", Side.BUY)))
    trade = trailing(Side.BUY, TrailMode.STRUCTURE)
    if what == "no levels":
        found = replace(found, levels=None)
    elif what == "stale":
        found = replace(found, levels=levels(swing("91400", Side.BUY), age_s=1801))
    elif what == "mode":
        trade = trailing(Side.BUY, TrailMode.PERCENT)
    elif what == "not yet":
        found = held(mark=seen(D(92000)), levels=found.levels)
    else:
        found = replace(found, levels=levels(swing("92000", Side.BUY)))
    assert wish(structure, found, trade) is None


# near zones, by R-3 and L-2


@pytest.mark.rule("R-3", "P-9")
@SIDES
def test_near_a_zone_the_distance_is_told(side: Side) -> None:
    """0.3 % behind mark, the distance in percent of mark with four decimals; inside the zone it is zero."""
    stop = "91724" if side is Side.BUY else "89868.8"
    for edges, away in (
        (("92500", "92600"), "0.5435" if side is Side.BUY else "0.5580"),
        (("91990", "92010"), "0.0000"),
        (("91950", "92000"), "0.0000"),
    ):
        low, high = sorted(mirrored(side, edge) for edge in edges)
        found = beyond(side, levels=levels(zones=(zone(str(low), str(high)),)))
        words = f"R-3: mark is {away} % from the zone z: 0.3 % behind mark"
        trade = trailing(side, TrailMode.STRUCTURE_PLUS_LIQ)
        found = replace(found, mark=seen(mirrored(side, "92000")))
        assert wish(liquidation, found, trade) == (stop, words, False)


@pytest.mark.rule("R-3")
@SIDES
def test_the_zone_that_is_bound_comes_before_a_nearer_one(side: Side) -> None:
    """Near enough, it is named, wherever it lies; too far away, the nearest strong one ahead is."""
    near = zone(*(str(e) for e in sorted((mirrored(side, "92100"), mirrored(side, "92200")))))
    found = beyond(side, levels=levels(zones=(near,)))
    base = trailing(side, TrailMode.STRUCTURE_PLUS_LIQ)
    for edge, name in (("91500", "mine"), ("92500", "mine"), ("94000", "z"), ("90000", "z")):
        low, high = sorted((mirrored(side, edge), mirrored(side, edge)))
        told = wish(
            liquidation, found, replace(base, zone=BoundZone(id="mine", low=low, high=high))
        )
        assert told is not None
        assert f" % from the zone {name}: " in told[1]


@pytest.mark.rule("R-3")
@SIDES
def test_of_several_zones_ahead_the_nearest_strong_one_counts(side: Side) -> None:
    """Neither the first nor the strongest; one behind mark and a weak one are passed over."""
    given = {
        "behind": ("91900", "91950", "1"),
        "weak": ("92050", "92060", "0.59"),
        "far": ("92500", "92600", "1"),
        "near": ("92200", "92300", "0.6"),
    }
    zones = []
    for name, (*edges, strength) in given.items():
        low, high = sorted(mirrored(side, edge) for edge in edges)
        zones.append(zone(str(low), str(high), strength, name))
    found = beyond(side, levels=levels(zones=tuple(zones)))
    told = wish(liquidation, found, trailing(side, TrailMode.STRUCTURE_PLUS_LIQ))
    assert told is not None
    assert " % from the zone near: " in told[1]


@pytest.mark.rule("R-3", "R-1", "D-10")
@pytest.mark.parametrize("what", ["no levels", "mode", "no mark", "not yet", "none near"])
def test_when_no_zone_hurries_the_stop(what: str) -> None:
    """Without levels, in another mode, without a mark, before trailing has begun, and with nothing near."""
    given = levels(zones=(zone("92500", "92600"),))
    found = beyond(Side.BUY, levels=given)
    trade = trailing(Side.BUY, TrailMode.STRUCTURE_PLUS_LIQ)
    if what == "no levels":
        found = replace(found, levels=None)
    elif what == "mode":
        trade = trailing(Side.BUY, TrailMode.STRUCTURE)
    elif what == "no mark":
        found = replace(found, mark=None)
    elif what == "not yet":
        found = held(mark=seen(D(92000)), levels=given)
    else:
        found = replace(found, levels=levels(zones=(zone("93000", "93100"),)))
    assert wish(liquidation, found, trade) is None


@pytest.mark.rule("L-2", "P-9")
@SIDES
@pytest.mark.parametrize("used", [True, False])
def test_what_a_zone_exit_left_trails_behind_mark(side: Side, used: bool) -> None:
    """The zone is named while it is the one that was used; another one that was bound since is not."""
    stop = "91724" if side is Side.BUY else "89868.8"
    bound = BoundZone(id="z", low=D(1), high=D(2), used=used)
    trade = trailing(side, TrailMode.STRUCTURE, zone=bound)
    sold = own("L1", side, filled_quantity=D("0.002"))
    where = "the zone z" if used else "a zone that was replaced"
    words = f"L-2: after the exit in {where}: 0.3 % behind mark"
    assert wish(after_zone_exit, beyond(side, sold), trade) == (stop, words, False)
    unbound = wish(after_zone_exit, beyond(side, sold), replace(trade, zone=None))
    assert unbound is not None
    assert unbound[1] == "L-2: after the exit in a zone that was replaced: 0.3 % behind mark"
    alone = wish(after_zone_exit, beyond(side), trade)
    assert (alone is not None) is used


@pytest.mark.rule("L-2", "R-1")
@pytest.mark.parametrize("what", ["nothing sold", "mode", "not enabled", "no mark"])
def test_when_a_used_zone_moves_no_stop(what: str) -> None:
    """Before anything was sold, where the decision does not trail, and without a mark."""
    trade = trailing(
        Side.BUY, TrailMode.STRUCTURE, zone=BoundZone(id="z", low=D(1), high=D(2), used=True)
    )
    found = beyond(Side.BUY)
    if what == "nothing sold":
        found = held(mark=found.mark)
    elif what == "mode":
        trade = replace(trade, decision=replace(trade.decision, trail_mode=TrailMode.NONE))
    elif what == "not enabled":
        trade = replace(trade, decision=replace(trade.decision, enable_trailing=False))
    else:
        found = replace(found, mark=None)
    assert wish(after_zone_exit, found, trade) is None


@pytest.mark.rule("S-5", "R-3", "L-2")
@SIDES
@pytest.mark.parametrize("rule", ["R-3", "L-2"])
@pytest.mark.parametrize(
    ("by", "acked_ms", "throttled"), [("same", NOW, True), ("same", None, False), ("T-3", 1, False)]
)
def test_only_the_first_confirmed_move_of_a_rule_goes_at_once(
    side: Side, rule: str, by: str, acked_ms: int | None, throttled: bool
) -> None:
    """After a stop rested for that rule the next ones wait; one refused, or of another rule, changes nothing."""
    given = levels(zones=(zone("1", "999999"),))
    moved = own("S2", side, rule=rule if by == "same" else by, acked_ms=acked_ms)
    bound = BoundZone(id="z", low=D(1), high=D(999_999), used=rule == "L-2")
    trade = trailing(side, TrailMode.STRUCTURE_PLUS_LIQ, zone=bound)
    candidate = liquidation if rule == "R-3" else after_zone_exit
    told = wish(candidate, beyond(side, moved, levels=given), trade)
    assert told is not None
    assert told[2] is throttled


@pytest.mark.rule("R-3", "L-2")
@SIDES
def test_how_far_behind_mark_is_configured(side: Side) -> None:
    """With 1 % instead of 0.3 %, in price and words."""
    policy = replace(POLICY, liq_trail_pct=D(1))
    trade = trailing(
        side, TrailMode.STRUCTURE, zone=BoundZone(id="z", low=D(1), high=D(2), used=True)
    )
    told = wish(after_zone_exit, beyond(side), trade, policy)
    stop = "91080" if side is Side.BUY else "90496"
    assert told == (stop, "L-2: after the exit in the zone z: 1 % behind mark", False)


# behind the best mark, by R-5


@pytest.mark.rule("R-5", "P-9")
@SIDES
def test_percent_tells_the_best_mark(side: Side) -> None:
    """0.5 % behind it, throttled; without a best mark, in another mode, or before it begins: nothing."""
    best, stop = ("92400", "91938") if side is Side.BUY else ("89200", "89646")
    found = beyond(side, best_mark=D(best))
    trade = trailing(side, TrailMode.PERCENT)
    assert wish(percent, found, trade) == (stop, f"R-5: 0.5 % behind the best mark {best}", True)
    assert wish(percent, replace(found, best_mark=None), trade) is None
    assert wish(percent, found, trailing(side, TrailMode.STRUCTURE)) is None
    assert wish(percent, held(side=side, best_mark=D(best)), trade) is None


# when it begins, by R-1


@pytest.mark.rule("R-1")
@SIDES
@pytest.mark.parametrize(
    ("at_r", "best", "begins"),
    [
        ("0", "95000", False),
        ("1", "91193.2", True),
        ("1", "91193.1", False),
        ("2", "91599.8", True),
        ("2", "91599.7", False),
        ("0.5", "90989.9", True),
        ("0.5", "90989.8", False),
        ("0.5", None, False),
        ("0.5", "90000", False),
    ],
)
def test_before_tp1_it_begins_at_so_many_r(
    side: Side, at_r: str, best: str | None, begins: bool
) -> None:
    """One R is 406.6: from the entry 90 786.6 to the stop 90 380, whatever the ratchet has reached since."""
    price = None if best is None else mirrored(side, best)
    found = held(side=side, best_mark=price)
    entry = (replace(fill, price=mirrored(side, "90786.6")) for fill in found.fills)
    found = replace(found, fills=tuple(entry))
    trade = replace(trailing(side, TrailMode.PERCENT), ratchet_price=mirrored(side, "90700"))
    policy = replace(POLICY, trail_activate_r=D(at_r))
    assert is_trailing(found, trade, assess(found, trade, policy), policy) is begins


@pytest.mark.rule("R-1")
def test_before_a_fill_nothing_begins() -> None:
    """There is no entry to count from, whatever the best mark."""
    policy = replace(POLICY, trail_activate_r=D(1))
    found = replace(held(), orders=(), fills=(), best_mark=D(99_000))
    trade = trailing(Side.BUY, TrailMode.PERCENT)
    facts = assess(found, trade, policy)
    assert facts.average_entry is None
    assert not is_trailing(found, trade, facts, policy)


@pytest.mark.rule("R-1")
@pytest.mark.parametrize("mode", list(TrailMode))
@pytest.mark.parametrize("enabled", [True, False])
def test_after_tp1_it_has_begun_where_the_decision_trails(mode: TrailMode, enabled: bool) -> None:
    """In every mode but `none`, and only where it is enabled."""
    trade = trailing(Side.BUY, mode)
    trade = replace(trade, decision=replace(trade.decision, enable_trailing=enabled))
    found = beyond(Side.BUY)
    begun = is_trailing(found, trade, assess(found, trade, POLICY), POLICY)
    assert begun is (enabled and mode is not TrailMode.NONE)
