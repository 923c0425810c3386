"""E-5: an entry that nobody hits follows the touch inside its band, and never otherwise."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import (
    AMEND,
    NOW,
    POLICY,
    D,
    Storyboard,
    amends,
    cancels,
    decision,
    places,
    quote,
    roles,
    short_decision,
    world,
)

from jumar.model import fold
from jumar.model.amendment import AmendmentState
from jumar.model.command import AmendOrder, AmendRequest, Approved, Cause, Plan
from jumar.model.errors import InvariantBroken
from jumar.model.order import OrderStatus, Role, Side
from jumar.model.world import DecisionState
from jumar.planner import invariants
from jumar.planner.approve import approve
from jumar.planner.chase import ASKED_MAX, chases_of

#: Where the entry rests first: the touch, inside the band [90 700, 90 786.6] (short: [90 813.4, 90 900]).
LONG_AT, SHORT_AT = "90760", "90840.1"
both = pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
AFTER_MS = POLICY.chase_after_s * 1000


def resting(side: Side = Side.BUY, **limits: object) -> Storyboard:
    """An entry that has joined the touch."""
    chosen = decision() if side is Side.BUY else short_decision()
    policy = replace(POLICY, **limits)  # type: ignore[arg-type]  # a test states only what differs
    board = Storyboard(world=world(decision=DecisionState(decision=chosen)), policy=policy)
    board.mark("90760" if side is Side.BUY else "90840")
    board.run(2)
    assert board.alive()["E1"].price == D(LONG_AT if side is Side.BUY else SHORT_AT)
    return board


def touch_away(board: Storyboard, by: str) -> Storyboard:
    """The touch moves away from where the entry rested first."""
    long = board.trade.side is Side.BUY
    return board.mark(str(D("90760") + D(by)) if long else str(D("90840") - D(by)))


def entry(board: Storyboard) -> Decimal | None:
    """The confirmed price of the entry that rests."""
    (order,) = (o for o in board.alive().values() if o.role is Role.ENTRY)
    return order.price


@pytest.mark.rule("E-5")
@both
def test_an_unfilled_entry_follows_the_touch(side: Side) -> None:
    """After ten seconds it is asked to stand at the touch, with its total quantity, and then does."""
    board = touch_away(resting(side).later(AFTER_MS), "20")
    result = board.tick()
    (amend,) = amends(result)
    goal = D("90780") if side is Side.BUY else D("90820.1")
    assert (amend.request.price, amend.request.quantity) == (goal, board.trade.planned_quantity)
    assert (amend.request.side, amend.request.number) == (side, 1)
    assert (amend.cause.rule, roles(result)) == ("E-5", ["~E"])
    assert entry(board) == goal
    assert chases_of(board.world) == 1


@pytest.mark.rule("E-5")
@both
@pytest.mark.parametrize(("waited_ms", "chased"), [(AFTER_MS - 1, 0), (AFTER_MS, 1)])
def test_it_waits_first(side: Side, waited_ms: int, chased: int) -> None:
    """Not before `chase_after_s` without a fill, counted from where it came to rest."""
    board = touch_away(resting(side).later(waited_ms), "20")
    assert len(amends(board.tick())) == chased


@pytest.mark.rule("E-5")
def test_each_price_is_given_its_time() -> None:
    """After a chase, and after a fill at its price, the time begins anew."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.tick()
    board.later(AFTER_MS - 1).mark("90786")
    assert amends(board.tick()) == []
    board.fill(Role.ENTRY, "0.004", "90780").later(AFTER_MS - 1).mark("90800")
    board.run(3)
    assert entry(board) == D("90780")
    board.later(1).mark("90800")
    (amend,) = amends(board.tick())
    assert amend.request.price == D("90786.6")
    assert amend.request.quantity == board.trade.planned_quantity


@pytest.mark.rule("E-5")
@both
@pytest.mark.parametrize(("away", "chased"), [("18.1", 0), ("18.2", 1), ("226.9", 1), ("227.2", 0)])
def test_only_a_touch_within_reach_is_followed(side: Side, away: str, chased: int) -> None:
    """From 0.02 % to 0.25 % of the price it rests at; nearer is noise, further is gone."""
    board = touch_away(resting(side).later(AFTER_MS), away)
    assert len(amends(board.tick())) == chased


@pytest.mark.rule("E-5")
def test_the_ends_of_the_reach_belong_to_it() -> None:
    """Exactly `chase_min_pct` and exactly `chase_max_pct` away are followed."""
    for limits in ({"chase_min_pct": D("0.1")}, {"chase_max_pct": D("0.1")}):
        board = resting(Side.BUY, **limits)
        at_ms = board.later(AFTER_MS).world.now_ms
        shown = replace(quote("90850.76", "90851"), at_ms=at_ms)
        board.world = replace(board.world, quote=shown)
        assert len(amends(board.tick())) == 1, limits


@pytest.mark.rule("E-5", "P-3")
@both
def test_it_stays_inside_the_band(side: Side) -> None:
    """The touch beyond the band is followed to its edge, and from there no more."""
    board = touch_away(resting(side).later(AFTER_MS), "60")
    board.tick()
    edge = D("90786.6") if side is Side.BUY else D("90813.4")
    assert entry(board) == edge
    touch_away(board.later(AFTER_MS), "90")
    assert amends(board.tick()) == []


@pytest.mark.rule("E-5")
@both
def test_it_never_turns_back(side: Side) -> None:
    """A touch that comes toward it, or stands with it, is not followed."""
    for by in ("0", "-20", "-30"):
        assert amends(touch_away(resting(side).later(AFTER_MS), by).tick()) == []


@pytest.mark.rule("E-5")
def test_at_most_max_chases() -> None:
    """The chases of all entries of a decision are counted; the last one used, it just rests."""
    board = resting(max_chases=2, chase_min_pct=D("0.001"))
    for by in ("5", "10", "15"):
        touch_away(board.later(AFTER_MS), by).tick()
    assert entry(board) == D("90770")
    board.end(Role.ENTRY, OrderStatus.CANCELED).later(1000)
    board.run(2)
    touch_away(board.later(AFTER_MS), "20")
    assert amends(board.tick()) == []
    assert chases_of(board.world) == 2


@pytest.mark.rule("E-5")
def test_without_chases_nothing_is_amended() -> None:
    """`max_chases = 0` is no chase at all."""
    assert amends(touch_away(resting(max_chases=0).later(AFTER_MS), "20").tick()) == []


@pytest.mark.rule("X-4", "E-5")
def test_while_an_amendment_is_unknown_only_a_cancel_follows() -> None:
    """No second amendment, whatever the touch does; a guard's cancel goes all the same."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.silent.add(AMEND)
    board.tick()
    order = board.alive()["E1"]
    assert order.amending is not None
    assert order.price == D(LONG_AT)
    assert order.prices == {D(LONG_AT), D("90780")}
    touch_away(board.later(AFTER_MS), "26")
    assert board.tick().commands == ()
    board.world = replace(board.world, draining=True)
    assert [c.client_id for c in cancels(board.tick())] == [order.client_id]


@pytest.mark.rule("E-5")
def test_a_refused_amendment_leaves_the_order_as_read() -> None:
    """It is no chase, and is tried again only after the waiting time."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.refuse[AMEND] = -5026
    board.tick()
    assert (entry(board), chases_of(board.world)) == (D(LONG_AT), 0)
    assert amends(touch_away(board.later(AFTER_MS - 1), "20").tick()) == []
    del board.refuse[AMEND]
    (amend,) = amends(touch_away(board.later(1), "20").tick())
    assert amend.request.number == 2
    assert (entry(board), chases_of(board.world)) == (D("90780"), 1)


@pytest.mark.rule("E-5", "X-8")
@pytest.mark.parametrize(("asked", "again"), [(ASKED_MAX - 1, 1), (ASKED_MAX, 0)])
def test_a_venue_that_refuses_is_not_asked_for_ever(asked: int, again: int) -> None:
    """Refused amendments are counted too, up to thirty in one trade."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.refuse[AMEND] = -5026
    board.tick()
    order = board.alive()["E1"]
    board._put(replace(order, amendments=order.amendments * asked))
    board._sync()
    assert len(amends(touch_away(board.later(AFTER_MS), "20").tick())) == again


@pytest.mark.rule("E-5", "E-10")
def test_an_order_cancelled_by_the_venue_instead_is_a_chase_and_over() -> None:
    """The next entry asks for what has not filled, where the chase wanted to be, as far as it does not cross."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.silent.add(AMEND)
    board.fill(Role.ENTRY, "0.004", LONG_AT).later(AFTER_MS)
    touch_away(board, "20").run(2)
    board.end(Role.ENTRY, OrderStatus.CANCELED).later(1000)
    touch_away(board, "15")
    (place,) = places(board.tick())
    assert (place.request.price, place.request.quantity) == (D("90775"), D("0.009"))
    assert chases_of(board.world) == 1


@pytest.mark.rule("E-5")
@pytest.mark.parametrize("bid", ["90785", "90850"])
def test_what_a_chase_has_won_is_kept(bid: str) -> None:
    """An entry that comes after a chased one joins at the price of the chase, not at the zone's middle again."""
    levels = replace(decision().levels, tp1=D(92000))  # type: ignore[type-var]  # the example has levels
    wide = decision(levels=levels)
    board = Storyboard(world=world(decision=DecisionState(decision=wide)))
    board.mark("90820").run(2)
    assert entry(board) == D(90800)
    board.later(AFTER_MS).mark("90830").tick()
    assert entry(board) == D(90830)
    board.end(Role.ENTRY, OrderStatus.CANCELED).later(1000).mark(bid)
    board.run(2)
    assert entry(board) == min(D(90830), D(bid))


@pytest.mark.rule("P-7", "E-5")
def test_nothing_is_amended_on_doubtful_grounds() -> None:
    """Not while the truth is old, an echo differs, a cancel is on its way, the stop is gone, or a lot is not told."""
    due = touch_away(resting().later(AFTER_MS), "20").world
    (stop, first) = (next(o for o in due.orders if o.role is r) for r in (Role.STOP, Role.ENTRY))

    def with_entry(**changes: object) -> Plan:
        changed = replace(first, **changes)  # type: ignore[arg-type]  # a test states only what differs
        return Storyboard(world=replace(due, orders=(stop, changed)), policy=POLICY).tick_only()

    assert len(amends(Storyboard(world=due, policy=POLICY).tick_only())) == 1
    assert amends(with_entry(echo_error="price asked 1, got 2")) == []
    assert amends(with_entry(cancel_sent_ms=due.now_ms - 100)) == []
    assert amends(with_entry(filled_quantity=D("0.001"), updated_ms=due.now_ms)) == []
    unread = replace(due, position=None)
    assert amends(Storyboard(world=unread, policy=POLICY).tick_only()) == []
    bare = replace(due, orders=(fold.end_canceled(stop, due.now_ms), first))
    assert amends(Storyboard(world=bare, policy=POLICY).tick_only()) == []


# the last gates


def asked(board: Storyboard, **changes: object) -> AmendOrder:
    """An amendment of the entry that rests, with what differs."""
    order = board.alive()["E1"]
    base = AmendRequest(
        symbol="BTCUSDT",
        client_id=order.client_id,
        side=order.request.side,
        price=D(90780),
        quantity=order.request.quantity or D(0),
        number=1,
    )
    request = replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs
    return AmendOrder(
        request=request, trade_key=board.trade.key, cause=Cause(rule="E-5", text="chase 1")
    )


def checked(board: Storyboard, *commands: AmendOrder) -> None:
    """The live check of a plan with these amendments."""
    approved = tuple(Approved(command=command) for command in commands)
    plan = Plan(trade=board.trade, commands=approved)
    invariants.check(board.world, plan, board.policy)


@pytest.mark.rule("P-5")
def test_only_entries_can_be_amended() -> None:
    """A command for anything else does not construct."""
    board = resting()
    for role in "SBPQLX":
        with pytest.raises(ValueError, match="only entries"):
            asked(board, client_id=f"jm-{board.trade.key}-{role}1")
    with pytest.raises(ValueError, match="only entries"):
        asked(board, client_id="web_1")


@pytest.mark.rule("P-4", "P-5")
def test_the_planner_approves_no_other_amendment() -> None:
    """Another side, another quantity, an unknown or unsettled order, or an entry that is over: nothing is sent."""
    board = resting()
    approve([asked(board)], board.world, board.trade)
    wrong = [
        asked(board, side=Side.SELL),
        asked(board, quantity=D("0.014")),
        asked(board, client_id=f"jm-{board.trade.key}-E2"),
        replace(asked(board), trade_key="aaaaaaaaaa"),
    ]
    for command in wrong:
        with pytest.raises(InvariantBroken):
            approve([command], board.world, board.trade)
    for over in ({"entry_over": "stale"}, {"voided": "stop_hit_before_entry"}):
        with pytest.raises(InvariantBroken, match="over"):
            approve([asked(board)], board.world, replace(board.trade, **over))  # type: ignore[arg-type]  # a test states only what differs
    with pytest.raises(InvariantBroken):
        approve([asked(board)], board.world, None)
    board.silent.add(AMEND)
    touch_away(board.later(AFTER_MS), "20").tick()
    with pytest.raises(InvariantBroken, match="X-4"):
        approve([asked(board)], board.world, board.trade)


@pytest.mark.rule("P-4")
def test_what_others_filled_counts_against_an_amendment() -> None:
    """An order's total and what earlier entries filled stay within the plan."""
    board = resting()
    order = board.alive()["E1"]
    earlier = fold.end_canceled(
        replace(
            order,
            request=replace(order.request, client_id=f"jm-{board.trade.key}-E9"),
            filled_quantity=D("0.001"),
        ),
        NOW,
    )
    board._put(earlier)
    board._sync()
    with pytest.raises(InvariantBroken, match="exceeds the planned"):
        approve([asked(board)], board.world, board.trade)


@pytest.mark.rule("P-3", "P-4", "P-7")
@both
def test_the_live_check_knows_amendments(side: Side) -> None:
    """One at a time, of the entry that rests, behind a confirmed stop, where P-3 holds, on whole truth."""
    board = resting(side)
    inside = D(90780) if side is Side.BUY else D(90820)
    good = asked(board, price=inside)
    checked(board, good)
    outside = D("90786.7") if side is Side.BUY else D("90813.3")
    near = D("90697.4") if side is Side.BUY else D("90902.4")
    for price in (outside, near):
        with pytest.raises(InvariantBroken, match="P-3"):
            checked(board, asked(board, price=price))
    with pytest.raises(InvariantBroken, match="P-4"):
        checked(board, good, good)
    with pytest.raises(InvariantBroken, match="P-4"):
        checked(board, asked(board, price=inside, quantity=D("0.012")))
    board.world = replace(board.world, position=None)
    with pytest.raises(InvariantBroken, match="P-7"):
        checked(board, good)


@pytest.mark.rule("P-1", "P-4")
def test_the_live_check_wants_a_stop_and_one_entry() -> None:
    """Without a confirmed stop, or without an entry that rests, no amendment passes."""
    board = resting()
    good = asked(board)
    board.end(Role.STOP, OrderStatus.CANCELED)
    with pytest.raises(InvariantBroken, match="P-1"):
        checked(board, good)
    other = resting()
    good = asked(other)
    other.end(Role.ENTRY, OrderStatus.CANCELED)
    with pytest.raises(InvariantBroken, match="P-4"):
        checked(other, good)


# what an observation says


@pytest.mark.rule("S-11", "X-4")
def test_the_price_of_an_observation_tells() -> None:
    """The asked price shown is done; an old one, however late, is no error and takes nothing back."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.silent.add(AMEND)
    before = board.listed("E1")
    board.tick()
    order = board.alive()["E1"]
    late = fold.fold(order, before, board.world.now_ms)
    assert (late.amending, late.echo_error) == (order.amending, None)
    shown = fold.fold(order, replace(before, price=D("90780")), board.world.now_ms)
    assert (shown.price, shown.amending, shown.echo_error) == (D("90780"), None, None)
    again = fold.fold(shown, before, board.world.now_ms)
    assert again.price == D("90780")
    assert again.echo_error is None
    strange = fold.fold(order, replace(before, price=D("90781")), board.world.now_ms)
    assert strange.echo_error is not None


@pytest.mark.rule("X-4")
def test_an_amendment_presumed_absent_may_still_be_shown() -> None:
    """A read may lag: the price proves it later; one that was refused is proven not to be it."""
    board = touch_away(resting().later(AFTER_MS), "20")
    board.silent.add(AMEND)
    report = replace(board.listed("E1"), price=D("90780"))
    board.tick()
    order, now = board.alive()["E1"], board.world.now_ms
    absent = fold.settle_amendment(order, AmendmentState.ABSENT, now)
    assert (absent.price, absent.chases, absent.amending) == (D(LONG_AT), 0, None)
    shown = fold.fold(absent, report, now)
    assert (shown.price, shown.chases) == (D("90780"), 1)
    refused = fold.settle_amendment(order, AmendmentState.REFUSED, now, -5026)
    assert refused.amendments[0].code == -5026
    assert fold.fold(refused, report, now).price == D(LONG_AT)
    assert fold.settle_amendment(shown, AmendmentState.REFUSED, now) is shown
