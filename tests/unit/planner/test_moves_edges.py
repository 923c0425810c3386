"""What of a wished move may be sent now (R-4, S-5, S-10): cut, rounded, throttled, and told with its numbers."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import held, own, trade_of
from tests.worlds import NOW, POLICY, D, seen, world

from jumar.model.command import Cause
from jumar.model.order import OwnOrder, Side
from jumar.model.policy import Policy
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.moves import Move, best_move, has_moved, nearest_to_mark

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])


def wish(side: Side, price: str, rule: str = "R-2", *, throttled: bool = True) -> Move:
    """A wish at a price of the long example, or at its mirror."""
    return Move(
        price=mirrored(side, price), cause=Cause(rule=rule, text="a wish"), throttled=throttled
    )


def rested(side: Side, age_ms: int = 60_000, **changes: object) -> OwnOrder:
    """The stop that was confirmed last."""
    return own("S1", side, **{"journaled_ms": NOW - age_ms, **changes})


def best(
    side: Side, found: World, *wishes: Move | None, policy: Policy = POLICY, ratchet: str = "90380"
) -> tuple[str, str] | None:
    """Price and cause of the move that is due, for a trade whose stop is at the ratchet price."""
    trade = trade_of(side, ratchet_price=mirrored(side, ratchet))
    move = best_move(found, trade, policy, wishes)
    return None if move is None else (text(move.price), str(move.cause))


def at_mark(side: Side, mark: str, *stops: OwnOrder) -> World:
    """Mark is there (or at the mirror), these stops rest."""
    return held(*stops, side=side, mark=seen(mirrored(side, mark)))


@pytest.mark.rule("R-4")
@pytest.mark.parametrize(
    ("side", "gap", "nearest"),
    [
        (Side.BUY, "0.1", "91908"),
        (Side.SELL, "0.1", "92092"),
        (Side.BUY, "0.25", "91770"),
        (Side.SELL, "0.25", "92230"),
    ],
)
def test_the_nearest_price_is_mark_less_the_gap(side: Side, gap: str, nearest: str) -> None:
    """Below mark for a long, above it for a short; none without a mark."""
    policy = replace(POLICY, min_stop_gap_pct=D(gap))
    assert nearest_to_mark(world(mark=seen(D(92000))), trade_of(side), policy) == D(nearest)
    assert nearest_to_mark(world(mark=None), trade_of(side), policy) is None


@pytest.mark.rule("S-5")
def test_a_rule_has_moved_once_a_stop_rested_for_it() -> None:
    """Confirmed once, even if it ended since; not one that never came to the venue, nor a backstop."""
    for order, moved in (
        (own("S2", rule="R-3"), True),
        (own("S2", rule="R-3", acked_ms=None), False),
        (own("S2", rule="R-2"), False),
        (own("B1", rule="R-3"), False),
    ):
        assert has_moved(held(own("S1"), order), "R-3") is moved
    assert not has_moved(world(), "R-3")


@pytest.mark.rule("R-4", "P-9")
@SIDES
def test_a_move_tells_both_prices_and_mark(side: Side) -> None:
    """Where the stop is, where it goes, the wish's own words, and mark."""
    price, floor, mark = (mirrored(side, each) for each in ("91000", "90380", "92000"))
    found = at_mark(side, "92000", rested(side))
    assert best(side, found, wish(side, "91000")) == (
        str(price),
        f"R-2: stop {floor} -> {price}: a wish; mark {mark}",
    )


@pytest.mark.rule("R-4", "P-9")
@pytest.mark.parametrize(
    ("side", "price"), [(Side.BUY, "91908"), (Side.SELL, "89689.6")], ids=["long", "short"]
)
def test_a_wish_nearer_than_the_gap_is_cut_and_says_so(side: Side, price: str) -> None:
    """A tick beyond the nearest price is cut to it; the nearest price itself is not."""
    found = held(rested(side), side=side, mark=seen(D(92000 if side is Side.BUY else 89600)))
    tick = D("0.1") * trade_of(side).sign
    at = Cause(rule="R-2", text="a wish")
    cut = best(side, found, Move(price=D(price) + tick, cause=at))
    whole = best(side, found, Move(price=D(price), cause=at))
    assert cut is not None
    assert whole is not None
    assert (cut[0], whole[0]) == (price, price)
    assert cut[1].split(": ")[2].startswith("a wish, as near to mark as the gap allows; mark ")
    assert whole[1].split(": ")[2].startswith("a wish; mark ")


@pytest.mark.rule("S-10", "R-4")
@pytest.mark.parametrize(
    ("side", "mark", "price", "placed"),
    [
        (Side.BUY, "92000", "91000.01", "91000.1"),
        (Side.SELL, "89600", "90600.09", "90600"),
        (Side.BUY, "92000", "91000.1", "91000.1"),
        (Side.SELL, "89600", "90600.1", "90600.1"),
        # the nearest prices are 91 907.9001 and 89 689.5999
        (Side.BUY, "91999.9", "91907.85", "91907.9"),
        (Side.BUY, "91999.95", "91907.93", "91907.9"),
        (Side.SELL, "89599.95", "89689.58", "89689.6"),
        (Side.BUY, "91999.95", "91950", "91907.9"),
        (Side.SELL, "89599.95", "89600", "89689.6"),
    ],
)
def test_a_price_off_the_tick_is_rounded_tighter_unless_that_breaks_the_gap(
    side: Side, mark: str, price: str, placed: str
) -> None:
    """Then one tick looser: no stop comes nearer to mark than the gap."""
    found = held(rested(side), side=side, mark=seen(D(mark)))
    move = Move(price=D(price), cause=Cause(rule="R-2", text="a wish"))
    told = best(side, found, move)
    assert told is not None
    assert told[0] == placed


@pytest.mark.rule("R-4", "P-2")
@SIDES
@pytest.mark.parametrize(
    ("price", "moves"), [("90999.9", False), ("91000", False), ("91000.1", True)]
)
def test_only_a_tighter_price_moves_the_stop(side: Side, price: str, moves: bool) -> None:
    """The price where it is moves nothing; a tick tighter does, where the wish need not wait."""
    found = at_mark(side, "92000", rested(side))
    told = best(side, found, wish(side, price, throttled=False), ratchet="91000")
    assert (told is not None) is moves


@pytest.mark.rule("R-4")
@SIDES
def test_the_tightest_of_those_that_are_due_wins(side: Side) -> None:
    """Whatever their order; a tighter one that must wait keeps no other back; without a wish nothing moves."""
    found = at_mark(side, "92000", rested(side, 1000))
    loose = wish(side, "91000", "T-3", throttled=False)
    tight = wish(side, "91500", "E-9", throttled=False)
    late = wish(side, "91800", "R-2")
    for wishes in ((loose, tight, late), (late, None, tight, loose)):
        told = best(side, found, *wishes)
        assert told is not None
        assert told[0] == str(mirrored(side, "91500"))
        assert told[1].startswith("E-9: ")
    assert best(side, found, late) is None
    assert best(side, found, None) is None
    assert best(side, found) is None


@pytest.mark.rule("S-5")
@SIDES
@pytest.mark.parametrize(
    ("age_ms", "price", "goes"),
    [
        (5000, "91045.5", True),
        (4999, "91045.5", False),
        (5000, "91045.4", False),
        (60_000, "91045.4", False),
    ],
)
def test_a_throttled_move_needs_a_step_and_an_interval(
    side: Side, age_ms: int, price: str, goes: bool
) -> None:
    """0.05 % of 91 000 are 45.5 (of the mirror 90 600, 45.3), and 5 s since the last confirmed stop."""
    found = at_mark(side, "92000", rested(side, age_ms))
    shift = D("0.2") * (side is Side.SELL)
    move = wish(side, str(D(price) - shift))
    assert (best(side, found, move, ratchet="91000") is not None) is goes


@pytest.mark.rule("S-5")
@pytest.mark.parametrize(
    ("interval_s", "step", "goes"), [(10, "0.05", False), (9, "0.05", True), (9, "2", False)]
)
def test_step_and_interval_are_configured(interval_s: int, step: str, goes: bool) -> None:
    """Nine seconds after the last stop, for a step of about 1.1 %."""
    policy = replace(POLICY, stop_interval_s=interval_s, stop_step_pct=D(step))
    found = at_mark(Side.BUY, "92000", rested(Side.BUY, 9000))
    told = best(Side.BUY, found, wish(Side.BUY, "91400"), policy=policy)
    assert (told is not None) is goes


@pytest.mark.rule("S-5")
def test_the_interval_counts_from_every_confirmed_stop() -> None:
    """Also from one that rests no more; a stop that never came to the venue is none."""
    late = own("S2", journaled_ms=NOW - 4000)
    for second, goes in ((late, False), (replace(late, acked_ms=None), True)):
        found = at_mark(Side.BUY, "92000", rested(Side.BUY), second)
        assert (best(Side.BUY, found, wish(Side.BUY, "91400")) is not None) is goes
    assert best(Side.BUY, at_mark(Side.BUY, "92000"), wish(Side.BUY, "91400")) is not None


@pytest.mark.rule("S-5", "R-4")
@SIDES
@pytest.mark.parametrize(
    ("rule", "price", "goes"),
    [("T-3", "91990", False), ("R-2", "91990", True), ("T-3", "91500", True)],
)
def test_a_cut_move_waits_once_a_stop_rested_for_its_rule(
    side: Side, rule: str, price: str, goes: bool
) -> None:
    """It only follows mark then: a second later nothing goes; the first of a rule, and one not cut, go at once."""
    found = at_mark(side, "92000", rested(side, 1000, rule=rule))
    told = best(side, found, wish(side, price, "T-3", throttled=False))
    assert (told is not None) is goes
