"""Which zone a decision means, and what may move it: only explicit ids and newer decisions (L-3)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import NOW, POLICY, decision, short_decision, world

from jumar.model.levels import BoundZone, LiquidationZone, MarketLevels
from jumar.model.trade import Trade
from jumar.model.world import DecisionState
from jumar.planner.binding import Binding, bind, follow_levels, fresh_levels, handed_over, moved
from jumar.planner.entry import propose

D = Decimal
AGE_MS = POLICY.levels_max_age_s * 1000
BOUND = BoundZone(id="cluster_1", low=D(91500), high=D(91650))
NAMED = decision(liq_tp_zone_id="cluster_1")


def zone(low: int = 91500, high: int = 91650, **changes: object) -> LiquidationZone:
    """A derived zone, the strongest."""
    base = LiquidationZone(
        id="cluster_1",
        explicit=False,
        side=None,
        low=D(low),
        high=D(high),
        price=D(low),
        strength=D(1),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def levels(*zones: LiquidationZone, age_ms: int = 0) -> MarketLevels:
    """Levels of so long ago."""
    return MarketLevels(as_of_ms=NOW - age_ms, zones=zones)


def opened(zone: BoundZone | None, **changes: object) -> Trade:
    """The trade of a decision that named a zone, as it is opened."""
    found = propose(world(decision=DecisionState(decision=NAMED, zone=zone)), POLICY).trade
    assert found is not None
    return replace(found, **changes)  # type: ignore[arg-type]  # a test states only what differs


def words(binding: Binding | None) -> str:
    """What a binding says."""
    assert binding is not None
    assert binding.cause.rule == "L-3"
    return binding.cause.text


# in force


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(("age_ms", "fresh"), [(-5000, True), (AGE_MS, True), (AGE_MS + 1, False)])
def test_how_old_levels_may_be(age_ms: int, *, fresh: bool) -> None:
    """`levels_max_age_s` and not a millisecond more; none are none."""
    found = levels(age_ms=age_ms)
    assert fresh_levels(found, NOW, POLICY) == (found if fresh else None)
    assert fresh_levels(None, NOW, POLICY) is None


# at acceptance


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("named", [NAMED, short_decision(liq_tp_zone_id="cluster_1")])
@pytest.mark.parametrize("explicit", [True, False])
def test_a_named_zone_is_bound_as_it_is_now(named: object, *, explicit: bool) -> None:
    """Its prices are taken over, by its own id or by a rank, for a long and for a short."""
    assert isinstance(named, type(NAMED))
    found = bind(named, levels(zone(explicit=explicit), age_ms=AGE_MS), NOW, POLICY)
    assert found is not None
    assert found.zone == replace(BOUND, explicit=explicit)
    assert "cluster_1 is bound to [91500, 91650], by the levels of 2025-12-05T09:35:05" in words(
        found
    )


@pytest.mark.rule("L-3")
@pytest.mark.parametrize(
    ("known", "why"),
    [
        (None, "no levels have come yet"),
        (levels(zone(), age_ms=AGE_MS + 1), "the levels of 2025-12-05T09:35:04.999Z are too old"),
        (levels(zone(id="cluster_2"), zone(id="x")), "name cluster_2, x"),
        (levels(), "name no zone"),
    ],
)
def test_a_zone_that_is_not_found_stays_unbound(known: MarketLevels | None, why: str) -> None:
    """Why is said: nothing is guessed from what is too old or missing."""
    found = bind(NAMED, known, NOW, POLICY)
    assert found is not None
    assert found.zone is None
    assert words(found).startswith("liquidation zone cluster_1 stays unbound: ")
    assert words(found).endswith(why)


@pytest.mark.rule("L-3")
def test_what_names_no_zone_binds_none() -> None:
    """A decision without a name, and a flat one, leave nothing to say."""
    flat = decision(action=type(NAMED.action).FLAT, levels=None, liq_tp_zone_id="cluster_1")
    for each in (decision(), flat):
        assert bind(each, levels(zone()), NOW, POLICY) is None


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("zone", [BOUND, None])
def test_the_trade_takes_the_zone_over(zone: BoundZone | None) -> None:
    """As it was bound when the decision came, whatever the levels say when it enters."""
    assert opened(zone).zone == zone


# afterwards


@pytest.mark.rule("L-3")
def test_derived_names_move_nothing() -> None:
    """Neither a bound zone, nor do they bind one that was not found."""
    for before in (None, BOUND, replace(BOUND, explicit=True)):
        assert moved("cluster_1", before, levels(zone(92300, 92450))) is None


@pytest.mark.rule("L-3")
@pytest.mark.parametrize("used", [True, False])
def test_an_explicit_id_moves_the_zone(*, used: bool) -> None:
    """And an exit already made stays made."""
    found = moved("cluster_1", replace(BOUND, used=used), levels(zone(92300, 92450, explicit=True)))
    assert found is not None
    goal = BoundZone(id="cluster_1", low=D(92300), high=D(92450), used=used, explicit=True)
    assert found.zone == goal
    assert words(found).endswith("; it was [91500, 91650]")
    assert moved("cluster_1", goal, levels(zone(92300, 92450, explicit=True))) is None


@pytest.mark.rule("L-3")
def test_an_explicit_id_binds_later() -> None:
    """A zone that was not found when the decision came is bound by its own id."""
    found = moved("above", None, levels(zone(id="above", explicit=True)))
    assert found is not None
    assert found.zone == BoundZone(id="above", low=D(91500), high=D(91650), explicit=True)
    assert words(found).endswith("; it was unbound")


@pytest.mark.rule("L-3")
def test_what_an_explicit_file_does_not_name_stays() -> None:
    """Another zone's id, no levels, no name: nothing moves."""
    other = levels(zone(id="other", explicit=True))
    assert moved("cluster_1", BOUND, other) is None
    assert moved("cluster_1", BOUND, None) is None
    assert moved(None, None, other) is None


@pytest.mark.rule("L-3", "D-10")
@pytest.mark.parametrize(("age_ms", "moves"), [(AGE_MS, True), (AGE_MS + 1, False)])
def test_only_fresh_levels_move_an_open_trades_zone(age_ms: int, *, moves: bool) -> None:
    """What is too old is ignored."""
    known = levels(zone(92300, 92450, explicit=True), age_ms=age_ms)
    held = opened(BOUND)
    after, notes = follow_levels(replace(world(), levels=known), held, POLICY)
    assert (after.zone != BOUND, len(notes)) == (moves, int(moves))
    assert replace(after, zone=BOUND) == held


@pytest.mark.rule("L-3", "E-9")
def test_a_guiding_decisions_name_counts() -> None:
    """A newer decision that guides the trade says which id its zone goes by."""
    known = levels(zone(92300, 92450, id="far", explicit=True))
    held = opened(None, guide=decision(id="d2", liq_tp_zone_id="far"))
    after, _ = follow_levels(replace(world(), levels=known), held, POLICY)
    assert after.zone == BoundZone(id="far", low=D(92300), high=D(92450), explicit=True)


# a newer decision

FAR = BoundZone(id="cluster_1", low=D(92300), high=D(92450))


def newer(found: BoundZone | None, name: str | None = "cluster_1") -> DecisionState:
    """A newer decision, accepted."""
    return DecisionState(decision=decision(id="d2", liq_tp_zone_id=name), zone=found)


@pytest.mark.rule("L-3", "E-9")
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, newer(FAR), FAR),
        (BOUND, newer(FAR), FAR),
        (BOUND, newer(None), BOUND),
        (BOUND, newer(None, "other"), None),
        (BOUND, newer(None, None), None),
        (None, newer(None), None),
        (None, newer(None, None), None),
    ],
)
def test_a_newer_decision_brings_its_own_zone(
    old: BoundZone | None, new: DecisionState, expected: BoundZone | None
) -> None:
    """One that names none leaves none; one whose zone was not found keeps what the same name meant before."""
    held = opened(old)
    after, notes = handed_over(held, new)
    assert after == replace(held, zone=expected)
    assert len(notes) == int(old != expected)
    if expected is None and notes:
        assert "liquidation zone is bound no more" in notes[0].text


@pytest.mark.rule("L-3", "E-9")
@pytest.mark.parametrize(
    ("low", "high", "same"),
    [(91650, 91700, True), (91651, 91700, False), (91400, 91500, True), (91400, 91499, False)],
)
def test_an_exit_already_made_is_not_repeated(low: int, high: int, *, same: bool) -> None:
    """A used zone stays used while the newer one has a price in common; a rank alone says nothing."""
    held = opened(replace(BOUND, used=True))
    new = replace(BOUND, low=D(low), high=D(high))
    after, _ = handed_over(held, newer(new))
    assert after.zone == replace(new, used=same)


@pytest.mark.rule("L-3", "E-9")
@pytest.mark.parametrize("between", [newer(None, None), newer(FAR)])
def test_an_exit_is_remembered_when_its_zone_goes(between: DecisionState) -> None:
    """Bound to none or to another for a while, then bound to it again: it has had its exit, under whatever rank."""
    gone, _ = handed_over(opened(replace(BOUND, used=True)), between)
    assert gone.left_zones == (replace(BOUND, used=True),)
    again, _ = handed_over(gone, newer(replace(BOUND, id="cluster_3"), "cluster_3"))
    assert again.zone == replace(BOUND, id="cluster_3", used=True)
    assert handed_over(gone, newer(FAR))[0].zone == FAR


@pytest.mark.rule("L-3", "E-9")
@pytest.mark.parametrize("new", [newer(None, None), newer(FAR)])
def test_a_zone_without_an_exit_leaves_nothing_behind(new: DecisionState) -> None:
    """Only exits are remembered."""
    assert handed_over(opened(BOUND), new)[0].left_zones == ()


@pytest.mark.rule("L-3", "E-9")
@pytest.mark.parametrize(("old_id", "new_id", "same"), [("a", "a", True), ("a", "b", False)])
def test_one_explicit_id_is_one_zone(old_id: str, new_id: str, *, same: bool) -> None:
    """Wherever it lies by now."""
    used = replace(BOUND, id=old_id, explicit=True, used=True)
    held = opened(used)
    after, _ = handed_over(held, newer(replace(FAR, id=new_id, explicit=True), new_id))
    assert after.zone is not None
    assert after.zone.used is same


@pytest.mark.rule("L-3", "E-9")
def test_an_unused_zone_stays_unused() -> None:
    """What was not sold in is open to be sold in."""
    held = opened(BOUND)
    after, notes = handed_over(held, newer(BOUND))
    assert (after, notes) == (held, ())


# any number of files

named_zones = st.builds(
    zone,
    low=st.integers(91000, 91500),
    high=st.integers(91501, 92000),
    id=st.sampled_from(["cluster_1", "cluster_2"]),
    explicit=st.booleans(),
)


@pytest.mark.rule("L-3")
@given(
    files=st.lists(
        st.tuples(st.lists(named_zones, max_size=2), st.integers(-5000, 2 * AGE_MS)), max_size=8
    ),
    used=st.booleans(),
)
def test_only_explicit_ids_ever_move_it(
    files: list[tuple[list[LiquidationZone], int]], *, used: bool
) -> None:
    """Whatever files come: it stands where the last fresh one with its explicit id put it, else where it was bound."""
    held = opened(replace(BOUND, used=used))
    low, high = BOUND.low, BOUND.high
    for zones, age_ms in files:
        known = levels(*zones, age_ms=age_ms)
        first = next((each for each in zones if each.id == "cluster_1"), None)
        if first is not None and first.explicit and age_ms <= AGE_MS:
            low, high = first.low, first.high
        held, _ = follow_levels(replace(world(), levels=known), held, POLICY)
        assert held.zone is not None
        assert (held.zone.low, held.zone.high, held.zone.used) == (low, high, used)
