"""The last look at a plan before anything is sent: each promise that it would break, and the plans that keep it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import KEY, ended, lot, own, trade_of
from tests.worlds import NOW, POLICY, D, world

from jumar.model.command import (
    AmendOrder,
    AmendRequest,
    Approved,
    CancelOrder,
    Cause,
    Command,
    PlaceOrder,
    Plan,
)
from jumar.model.errors import InvariantBroken
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.trade import Trade
from jumar.model.world import World
from jumar.planner import invariants

CAUSE = Cause(rule="S-1", text="a test")
EDGE = D(100_000)


def placed(order: OwnOrder) -> PlaceOrder:
    """The command that would place it."""
    return PlaceOrder(request=order.request, trade_key=KEY, attempt=order.attempt, cause=CAUSE)


def amended(order: OwnOrder, price: str = "90780", **changes: object) -> AmendOrder:
    """The command that would re-price it."""
    request = AmendRequest(
        symbol="BTCUSDT",
        client_id=order.client_id,
        side=order.request.side,
        price=D(price),
        quantity=D("0.013"),
        number=1,
    )
    changed = replace(request, **changes)  # type: ignore[arg-type]  # a test states only what differs
    return AmendOrder(request=changed, trade_key=KEY, cause=CAUSE)


def cancelled(order: OwnOrder) -> CancelOrder:
    """The command that would cancel it."""
    return CancelOrder(
        symbol="BTCUSDT",
        channel=order.request.channel,
        client_id=order.client_id,
        cause=CAUSE,
    )


def broken(seen: World, trade: Trade | None, *commands: Command) -> str | None:
    """The promise that a plan of these commands breaks and the words for it, None where it keeps all."""
    plan = Plan(trade=trade, commands=tuple(Approved(command=each) for each in commands))
    try:
        invariants.check(seen, plan, POLICY)
    except InvariantBroken as error:
        return str(error)
    return None


def armed(*orders: OwnOrder, side: Side = Side.BUY, **changes: object) -> World:
    """A world whose armed stop rests, beside other orders."""
    return world(**{"orders": (own("S1", side), *orders), **changes})


# exits only reduce, ids are new


@pytest.mark.rule("P-5")
def test_an_exit_that_could_add_is_broken_even_where_it_exists() -> None:
    """A command got around its own check: the plan is stopped all the same."""
    exit_ = placed(own("X1"))
    assert broken(world(), trade_of(), exit_) is None
    object.__setattr__(exit_, "request", replace(exit_.request, reduce_only=False))
    assert broken(world(), trade_of(), exit_) == f"P-5: jm-{KEY}-X1 could add exposure"
    object.__setattr__(exit_, "request", replace(exit_.request, close_position=True))
    assert broken(world(), trade_of(), exit_) is None


@pytest.mark.rule("P-4", "X-1")
def test_an_id_is_never_used_again() -> None:
    """Not one of the journal, ended or not, and not twice in a plan."""
    words = f"P-4: jm-{KEY}-S1 was used before"
    stop, other = placed(own("S1")), placed(own("S2"))
    assert broken(world(), trade_of(), stop, other) is None
    assert broken(world(orders=(ended(own("S1")),)), trade_of(), other, stop) == words
    assert broken(world(), trade_of(), stop, other, stop) == words


# entries


@pytest.mark.rule("P-4", "P-1", "S-1")
@pytest.mark.parametrize("side", list(Side))
def test_one_entry_behind_a_confirmed_stop_keeps_every_promise(side: Side) -> None:
    """The example's entry, long and short."""
    assert broken(armed(side=side), trade_of(side), placed(own("E1", side))) is None


@pytest.mark.rule("P-4")
def test_two_entries_in_one_plan_are_one_too_many() -> None:
    """Whatever their size; an entry beside an amendment too, and one without a trade."""
    half, other = own("E1", quantity=D("0.001")), own("E2", quantity=D("0.001"))
    assert broken(armed(), trade_of(), placed(half), placed(other)) == (
        "P-4: 2 entries in one plan"
    )
    assert broken(armed(half), trade_of(), amended(half), placed(other)) == (
        "P-4: 2 entries in one plan"
    )
    assert broken(armed(), None, placed(half)) == "P-3: an entry without a trade or a limit price"


@pytest.mark.rule("P-1", "S-1")
@pytest.mark.parametrize(
    "orders",
    [
        (),
        (own("S1", state=OrderState.IN_FLIGHT),),
        (own("S1", state=OrderState.UNKNOWN),),
        (own("S1", echo_error="trigger_price"),),
        (ended(own("S1")),),
        (own("B1"),),
    ],
    ids=["none", "in flight", "unknown", "other echo", "ended", "backstop"],
)
def test_no_entry_without_a_confirmed_armed_stop(orders: tuple[OwnOrder, ...]) -> None:
    """Nothing else will do: not one that is being sent, not the backstop."""
    assert broken(world(orders=orders), trade_of(), placed(own("E1"))) == (
        "P-1: an entry without a confirmed armed stop"
    )
    entry = own("E1")
    assert broken(world(orders=(*orders, entry)), trade_of(), amended(entry)) == (
        "P-1: an entry is amended without a confirmed armed stop"
    )


@pytest.mark.rule("P-4")
@pytest.mark.parametrize(
    ("quantity", "words"),
    [("0.008", None), ("0.009", "P-4: 0.014 is more than planned")],
)
def test_what_has_filled_and_what_is_asked_stay_within_the_plan(
    quantity: str, words: str | None
) -> None:
    """0.005 of 0.013 have filled in two lots; what a hand bought or a stop sold is no entry."""
    first = ended(own("E1"))
    fills = (lot(first, "0.002"), lot(first, "0.003"), lot(None, "0.1"), lot(own("S1"), "0.001"))
    seen = armed(first, fills=fills)
    assert broken(seen, trade_of(), placed(own("E2", quantity=D(quantity)))) == words


@pytest.mark.rule("P-7")
@pytest.mark.parametrize("part", ["position", "open_orders", "conditional_orders"])
@pytest.mark.parametrize("kind", ["place", "amend"])
def test_no_entry_on_truth_that_is_missing_or_too_old(part: str, kind: str) -> None:
    """Position and both lists: exactly the allowed age will do, a millisecond more or no read at all will not."""
    entry = own("E1")
    command: Command = placed(entry) if kind == "place" else amended(entry)
    known = armed() if kind == "place" else armed(entry)
    oldest = NOW - POLICY.max_truth_age_s * 1000
    words = "P-7: an entry on incomplete truth"
    for at_ms, expected in ((oldest, None), (oldest - 1, words)):
        aged = {part: replace(getattr(known, part), at_ms=at_ms)}
        assert broken(replace(known, **aged), trade_of(), command) == expected
    missing: dict[str, object] = {part: None}
    assert broken(replace(known, **missing), trade_of(), command) == words  # type: ignore[arg-type]  # by name


@pytest.mark.rule("P-3")
@pytest.mark.parametrize("kind", ["place", "amend"])
@pytest.mark.parametrize(
    ("side", "stop", "tp1", "words"),
    [
        (Side.BUY, "99650", "100700", None),
        (Side.BUY, "99650.1", "100700", "P-3: at 100000 the risk is 349.9, the reward 700"),
        (Side.BUY, "99650", "100699.9", "P-3: at 100000 the risk is 350, the reward 699.9"),
        (Side.SELL, "100350", "99300", None),
        (Side.SELL, "100349.9", "99300", "P-3: at 100000 the risk is 349.9, the reward 700"),
        (Side.SELL, "100350", "99300.1", "P-3: at 100000 the risk is 350, the reward 699.9"),
    ],
)
def test_distance_and_reward_hold_at_every_limit_price(
    kind: str, side: Side, stop: str, tp1: str, words: str | None
) -> None:
    """0.35 % of 100 000 is 350, twice that to TP1 700: exactly so is enough, a tick less is not."""
    trade = trade_of(side, initial_stop=D(stop), tp1=D(tp1))
    entry = own("E1", side, price=EDGE)
    if kind == "place":
        assert broken(armed(side=side), trade, placed(entry)) == words
    else:
        seen = armed(own("E1", side), side=side)
        assert broken(seen, trade, amended(own("E1", side), "100000")) == words


@pytest.mark.rule("P-3")
def test_an_entry_without_a_limit_price_is_none() -> None:
    """At market nothing is bounded."""
    assert broken(armed(), trade_of(), placed(own("E1", price=None))) == (
        "P-3: an entry without a trade or a limit price"
    )


# amendments


@pytest.mark.rule("P-4", "E-5")
def test_one_amendment_of_the_one_entry_keeps_every_promise() -> None:
    """It moves the price alone; ended entries beside it do not count."""
    entry = own("E2")
    assert broken(armed(ended(own("E1")), entry), trade_of(), amended(entry)) is None


@pytest.mark.rule("P-4", "E-5")
def test_amendments_of_anything_but_the_one_entry_are_broken() -> None:
    """Two of them, one of an order that has ended, one while two entries rest."""
    first, second = own("E1"), own("E2")
    twice = broken(armed(first), trade_of(), amended(first), amended(first, "90790"))
    assert twice == "P-3: at 90790 the risk is 410, the reward 810"
    twice = broken(armed(first), trade_of(), amended(first), amended(first, "90770"))
    assert twice == "P-4: 2 amendments, 1 entries rest"
    gone = broken(armed(ended(first)), trade_of(), amended(first))
    assert gone == "P-4: 1 amendments, 0 entries rest"
    both = broken(armed(first, second), trade_of(), amended(first))
    assert both == "P-4: 1 amendments, 2 entries rest"
    other = broken(armed(second), trade_of(), amended(first))
    assert other == "P-4: 1 amendments, 1 entries rest"


@pytest.mark.rule("P-4", "E-5")
@pytest.mark.parametrize("changes", [{"side": Side.SELL}, {"quantity": D("0.012")}])
def test_an_amendment_leaves_side_and_quantity(changes: dict[str, object]) -> None:
    """What would become another order is none."""
    entry = own("E1")
    assert broken(armed(entry), trade_of(), amended(entry, **changes)) == (  # type: ignore[arg-type]  # either
        f"P-4: jm-{KEY}-E1 would become another order"
    )


# stops of a position


def held(side: Side, *orders: OwnOrder, quantity: str = "0.013") -> World:
    """An entry has filled, and these rest."""
    entry = ended(own("E1", side))
    return world(orders=(entry, *orders), fills=(lot(entry, quantity),))


@pytest.mark.rule("P-1", "P-2", "S-4")
@pytest.mark.parametrize(
    ("side", "tight", "wide"), [(Side.BUY, 90500, 90380), (Side.SELL, 91100, 91220)]
)
def test_no_cancel_leaves_a_position_with_a_looser_stop(side: Side, tight: int, wide: int) -> None:
    """The wider of two may go, the tighter may not, and neither may both."""
    first, moved = own("S1", side, trigger_price=D(wide)), own("S2", side, trigger_price=D(tight))
    seen = held(side, first, moved)
    words = f"P-1: the tightest stop of the position, at {tight}, would go"
    assert broken(seen, trade_of(side), cancelled(first)) is None
    assert broken(seen, trade_of(side), cancelled(moved)) == words
    assert broken(seen, trade_of(side), cancelled(first), cancelled(moved)) == words
    assert broken(seen, trade_of(side), cancelled(own("P1", side))) is None


@pytest.mark.rule("P-1", "S-4")
@pytest.mark.parametrize(
    ("quantity", "kept"), [("0.013", True), ("0.012", False)], ids=["the whole", "less"]
)
def test_only_a_stop_of_the_whole_size_stands_for_another(quantity: str, kept: bool) -> None:
    """At the same price one of exactly the position will do, one a step smaller will not."""
    first, other = own("S1"), own("S2", quantity=D(quantity))
    words = broken(held(Side.BUY, first, other), trade_of(), cancelled(first))
    assert (words is None) is kept


@pytest.mark.rule("P-1")
def test_a_stop_that_covers_too_little_may_go() -> None:
    """It was never the effective stop: what rests after it is what rested before."""
    small = own("S1", quantity=D("0.012"))
    assert broken(held(Side.BUY, small), trade_of(), cancelled(small)) is None


@pytest.mark.rule("P-1", "X-9")
@pytest.mark.parametrize(
    ("seen", "trade"),
    [
        (world(orders=(own("S1"),)), trade_of()),
        (held(Side.BUY, own("S1")), trade_of(proven_flat_ms=NOW)),
        (held(Side.BUY, own("S1")), None),
        (
            world(
                orders=(own("E1"), own("S1")), fills=(lot(own("E1"), "0.01"), lot(own("S1"), "0.01"))
            ),
            trade_of(),
        ),
    ],
    ids=["never filled", "proven flat", "no trade", "sold"],
)  # fmt: skip
def test_without_a_position_of_its_own_a_stop_may_go(seen: World, trade: Trade | None) -> None:
    """Armed stops of a set-up that ended, and all of a trade that is proven flat."""
    assert broken(seen, trade, cancelled(own("S1"))) is None


@pytest.mark.rule("P-1")
def test_a_short_is_a_position_too() -> None:
    """Its size is what was sold: the one stop of it may not go."""
    stop = own("S1", Side.SELL)
    words = broken(held(Side.SELL, stop), trade_of(Side.SELL), cancelled(stop))
    assert words == "P-1: the tightest stop of the position, at 91220, would go"


@pytest.mark.rule("P-1", "S-4")
def test_among_several_the_tightest_is_found_wherever_it_stands() -> None:
    """The price decides, not the order in which they were placed."""
    prices: tuple[Decimal, ...] = (D(90400), D(90500), D(90450))
    stops = [own(f"S{n}", trigger_price=each) for n, each in enumerate(prices, 1)]
    seen = held(Side.BUY, *stops)
    assert broken(seen, trade_of(), cancelled(stops[0]), cancelled(stops[2])) is None
    assert broken(seen, trade_of(), cancelled(stops[1])) is not None
