"""Exits in the bound zone (L-1): when one is due, exactly what is sent for it, and every word of it."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.unit.planner.saying import said
from tests.worlds import BTC, NOW, POLICY, D, seen

from jumar.model.levels import BoundZone
from jumar.model.mode import Mode
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import text
from jumar.model.world import World
from jumar.planner.facts import assess
from jumar.planner.zone import is_pending
from jumar.planner.zone_exit import zone_exit

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])
EXIT = {Side.BUY: "SELL", Side.SELL: "BUY"}


def bound(side: Side = Side.BUY, *, used: bool = False, **changes: object) -> Trade:
    """The zone from 91 300 to 91 400 is bound (short: from 90 200 to 90 300)."""
    low, high = sorted((mirrored(side, "91300"), mirrored(side, "91400")))
    zone = BoundZone(id="z", low=low, high=high, used=used)
    return trade_of(side, **{"zone": zone, **changes})


def inside(side: Side, *orders: OwnOrder, mark: str = "91350", **changes: object) -> World:
    """0.013 are held, mark is in the zone."""
    given: dict[str, object] = {"mark": seen(mirrored(side, mark)), **changes}
    return held(own("S1", side), *orders, side=side, **given)


def due(found: World, trade: Trade, policy: Policy = POLICY) -> bool:
    """Whether a zone exit is under way or should be made."""
    return is_pending(found, trade, assess(found, trade, policy), policy)


def target(name: str, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """TP1 or TP2 as it rests."""
    quantity = D("0.006") if name[0] == "P" else D("0.007")
    return own(name, side, **{"quantity": quantity, **changes})


def done(
    found: World, trade: Trade, policy: Policy = POLICY, mode: Mode = Mode.NORMAL
) -> tuple[list[str], list[str], bool]:
    """What is sent, what is noted, and whether the zone is used now."""
    made = zone_exit(found, trade, assess(found, trade, policy), policy, mode)
    used = made.trade.zone is not None and made.trade.zone.used
    assert replace(made.trade, zone=trade.zone) == trade
    return said(made.commands), [str(note) for note in made.notes], used


# when one is due


@pytest.mark.rule("L-1")
@SIDES
@pytest.mark.parametrize(
    ("mark", "age_ms", "is_due"),
    [
        ("91300", 100, True),
        ("91299.9", 100, False),
        ("91400", 100, True),
        ("91400.1", 100, False),
        ("91350", 5000, True),
        ("91350", 5001, False),
    ],
)
def test_a_fresh_mark_inside_the_zone_makes_an_exit_due(
    side: Side, mark: str, age_ms: int, is_due: bool
) -> None:
    """Both edges are inside; a mark older than `max_quote_age_s` says nothing."""
    found = replace(inside(side), mark=seen(mirrored(side, mark), age_ms))
    assert due(found, bound(side)) is is_due


@pytest.mark.rule("L-1")
@pytest.mark.parametrize(
    "what",
    ["no zone", "closing", "adopted", "draining", "nothing held", "seems gone", "no mark", "flat"],
)
def test_when_no_exit_is_due(what: str) -> None:
    """Each of these alone keeps it back."""
    found, trade = inside(Side.BUY), bound()
    assert due(found, trade)
    if what == "no zone":
        trade = replace(trade, zone=None)
    elif what == "closing":
        trade = replace(trade, closing=CloseReason.FLAT)
    elif what == "adopted":
        trade = replace(trade, adopted_price=D(90786), adopted_quantity=D(0))
    elif what == "draining":
        found = replace(found, draining=True)
    elif what == "nothing held":
        # ours is sold, what is left was bought by hand
        sold = own("X1", filled_quantity=D("0.013"))
        found = inside(Side.BUY, sold, position=position("0.005"))
        found = replace(found, fills=(*found.fills, lot(None, "0.005", time_ms=BEFORE)))
    elif what == "seems gone":
        found = replace(found, position=position("0"))
    elif what == "flat":
        sold = own("X1", filled_quantity=D("0.013"))
        found = inside(Side.BUY, sold, position=position("0", NOW - 1000))
    else:
        found = replace(found, mark=None)
    assert not due(found, trade)


@pytest.mark.rule("L-1", "L-3")
@SIDES
def test_a_zone_that_was_left_with_its_exit_made_has_no_other(side: Side) -> None:
    """Whatever became of a later one's exit, and however the zone is written now."""
    before = bound(side, used=True).zone
    assert before is not None
    again = bound(side, used=True, left_zones=(replace(before, id="then"),))
    unfilled = ended(own("L1", side), journaled_ms=NOW - 60_000)
    assert due(inside(side, unfilled), bound(side, used=True))
    assert not due(inside(side, unfilled), again)
    far = replace(before, low=before.low * 2, high=before.high * 2)
    assert due(inside(side), bound(side, left_zones=(far,)))


@pytest.mark.rule("L-1", "X-4")
@pytest.mark.parametrize("state", [OrderState.IN_FLIGHT, OrderState.UNKNOWN, OrderState.OPEN])
def test_an_exit_that_may_execute_is_pending_wherever_mark_is(state: OrderState) -> None:
    """TP1 is not placed meanwhile, whatever else has changed."""
    sent = own("L1", state=state, acked_ms=None)
    assert due(inside(Side.BUY, sent, mark="90000", draining=True), bound(zone=None))
    assert not due(inside(Side.BUY, ended(sent), mark="90000"), bound())


@pytest.mark.rule("L-1")
@pytest.mark.parametrize(
    ("side", "edge", "is_due"),
    [
        (Side.BUY, "90840.9363", False),
        (Side.BUY, "90840.9364", True),
        (Side.SELL, "90759.0964", False),
        (Side.SELL, "90759.0963", True),
    ],
)
def test_all_of_the_zone_is_in_profit(side: Side, edge: str, is_due: bool) -> None:
    """Breakeven of the entry with 18 a unit in fees is 90 840.93637… (short: 90 759.09636…): the zone begins beyond."""
    found = inside(side)
    fills = (replace(fill, price=mirrored(side, "90786.6"), fee=D("0.234")) for fill in found.fills)
    found = replace(found, fills=tuple(fills))
    low, high = sorted((D(edge), mirrored(side, "92000")))
    assert due(found, bound(side, zone=BoundZone(id="z", low=low, high=high))) is is_due


@pytest.mark.rule("L-1")
def test_without_a_breakeven_no_exit_is_due() -> None:
    """The fees are not known: nobody can tell whether the zone is in profit."""
    assert not due(replace(inside(Side.BUY), instrument=None), bound())


@pytest.mark.rule("L-1", "X-4")
@pytest.mark.parametrize(
    ("used", "orders", "is_due"),
    [
        (False, (), True),
        (True, (), True),
        (True, (target("P1", filled_quantity=D("0.002")),), False),
        (False, (target("P1", filled_quantity=D("0.002")),), True),
        (True, (ended(own("L1", journaled_ms=NOW - 29_999)),), False),
        (True, (ended(own("L1", journaled_ms=NOW - 30_000)),), True),
        (True, (ended(own("L1", journaled_ms=0, filled_quantity=D("0.001"))),), False),
        (False, (ended(own("L1", journaled_ms=NOW, filled_quantity=D("0.001"))),), True),
    ],
)
def test_a_zone_has_one_exit(used: bool, orders: tuple[OwnOrder, ...], is_due: bool) -> None:
    """Its own, or TP1 that executed while it was cancelled; one that sold nothing may be tried after 30 s."""
    assert due(inside(Side.BUY, *orders), bound(used=used)) is is_due


@pytest.mark.rule("L-1", "W-1")
def test_an_execution_of_an_exit_counts_though_its_report_is_missing() -> None:
    """The fill was told, the order's event was not."""
    exit_ = ended(own("L1", journaled_ms=0))
    found = inside(Side.BUY, exit_)
    found = replace(found, fills=(*found.fills, lot(exit_, "0.002", "91350", time_ms=BEFORE)))
    assert not due(found, bound(used=True))


@pytest.mark.rule("L-1", "T-5")
@pytest.mark.parametrize(
    ("code", "orders", "is_due"),
    [
        (-2021, (), False),
        (-4142, (), False),
        (-2010, (), True),
        (-2021, (target("P2", filled_quantity=D("0.002")),), True),
    ],
)
def test_a_tp1_that_is_sold_because_it_is_reached_is_the_exit(
    code: int, orders: tuple[OwnOrder, ...], is_due: bool
) -> None:
    """Until it has sold something: then what is left may go in the zone."""
    refused = ended(target("P1", acked_ms=None), end_code=code)
    assert due(inside(Side.BUY, refused, *orders), bound()) is is_due


# what is sent


@pytest.mark.rule("L-1", "P-9")
@SIDES
def test_tp1_gives_way_first(side: Side) -> None:
    """It is cancelled, the use is recorded and noted once, with mark and zone."""
    low, high = bound(side).zone.low, bound(side).zone.high  # type: ignore[union-attr]  # it is bound
    mark = text(mirrored(side, "91350"))
    words = f"L-1: mark {mark} is inside the zone z [{low}, {high}]: its exit takes TP1's place"
    found = inside(side, target("P1", side), target("Q1", side))
    assert done(found, bound(side)) == ([f"-P1 | {words}"], [words], True)
    assert done(found, bound(side, used=True)) == ([f"-P1 | {words}"], [], True)


@pytest.mark.rule("L-1", "X-4")
@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({"state": OrderState.TRIGGERED}, False),
        ({"cancel_sent_ms": NOW - 499}, False),
        ({"cancel_sent_ms": NOW - 500}, True),
        ({"state": OrderState.UNKNOWN, "acked_ms": None}, True),
    ],
)
def test_a_tp1_that_may_execute_is_waited_for(changes: dict[str, object], goes: bool) -> None:
    """Nothing is sold beside it; one that executes, or whose cancel is being answered, is not cancelled again."""
    sent, _, used = done(inside(Side.BUY, target("P1", Side.BUY, **changes)), bound())
    assert [line.split(" | ")[0] for line in sent] == (["-P1"] if goes else [])
    assert used


@pytest.mark.rule("L-1", "P-9")
@SIDES
def test_in_tp1s_place_its_quantity_goes_at_market(side: Side) -> None:
    """Half of what is held; the cause tells mark, zone and both sizes."""
    zone = bound(side).zone
    assert zone is not None
    words = (
        f"L-1: mark {text(mirrored(side, '91350'))} is inside the zone z [{zone.low}, {zone.high}]: "
        "0.006 of 0.013 at market, in TP1's place"
    )
    line = f"+L1 {EXIT[side]} 0.006 MARKET | {words}"
    assert done(inside(side), bound(side)) == ([line], [words], True)
    assert done(inside(side), bound(side, used=True)) == ([line], [], True)


@pytest.mark.rule("L-1", "P-9")
@SIDES
@pytest.mark.parametrize(
    ("fraction", "size"), [("1", "0.007"), ("0.5", "0.003"), ("0.15", "0.001")]
)
def test_after_tp1_its_share_goes(side: Side, fraction: str, size: str) -> None:
    """`liq_exit_fraction` of 0.007, down to the step; the cause tells the share."""
    policy = replace(POLICY, liq_exit_fraction=D(fraction))
    signed = "0.007" if side is Side.BUY else "-0.007"
    first = ended(target("P1", side, filled_quantity=D("0.006")))
    found = inside(side, first, position=position(signed))
    told = tuple(
        replace(fill, price=mirrored(side, "91200")) if fill.client_id == first.client_id else fill
        for fill in found.fills
    )
    (line,), (note,), used = done(replace(found, fills=told), bound(side), policy)
    assert line.startswith(f"+L1 {EXIT[side]} {size} MARKET | L-1: mark ")
    assert note.endswith(f": {size} of 0.007 at market, {fraction} of what is left after TP1")
    assert used


@pytest.mark.rule("L-1")
def test_less_than_a_step_is_left_alone() -> None:
    """A tenth of 0.007 after TP1: nothing is sent and the zone is not used; nor where TP1 would have nothing."""
    policy = replace(POLICY, liq_exit_fraction=D("0.1"))
    first = ended(target("P1", filled_quantity=D("0.006")))
    found = inside(Side.BUY, first, position=position("0.007"))
    fills = tuple(replace(fill, price=D(90786)) for fill in found.fills)
    assert done(replace(found, fills=fills), bound(), policy) == ([], [], False)


@pytest.mark.rule("L-1")
@pytest.mark.parametrize(("most", "size"), [("0.0065", "0.006"), ("0.0045", "0.004")])
def test_no_more_than_a_market_order_may_hold(most: str, size: str) -> None:
    """The venue's largest market quantity, down to the step."""
    filters = replace(BTC, market_max_quantity=D(most))
    (line,), _, _ = done(inside(Side.BUY, instrument=filters), bound())
    assert line.startswith(f"+L1 SELL {size} MARKET | ")


@pytest.mark.rule("L-1", "M-1")
@pytest.mark.parametrize("what", ["no zone", "no filters", "not due", *Mode])
def test_when_the_trade_stays_as_it_is(what: str) -> None:
    """Without a zone, without filters, outside the zone, and in every mode that only protects."""
    found, trade = inside(Side.BUY), bound()
    mode = what if isinstance(what, Mode) else Mode.NORMAL
    if what == "no zone":
        trade = replace(trade, zone=None)
    elif what == "no filters":
        found = replace(found, instrument=None)
    elif what == "not due":
        found = replace(found, mark=seen(D(91200)))
    goes = what in {Mode.NORMAL, Mode.NO_ENTRIES}
    sent, notes, used = done(found, trade, mode=mode)
    assert (len(sent), len(notes), used) == ((1, 1, True) if goes else (0, 0, False))


@pytest.mark.rule("L-1", "X-4", "W-1")
@pytest.mark.parametrize("what", ["TP2 executes", "an exit is unknown", "fills are told of"])
def test_while_something_may_still_be_sold_nothing_is_sent(what: str) -> None:
    """What is left is not known then; the zone is used only when its exit is sent."""
    if what == "TP2 executes":
        found = inside(Side.BUY, target("Q1", state=OrderState.TRIGGERED))
    elif what == "an exit is unknown":
        found = inside(Side.BUY, own("L1", state=OrderState.UNKNOWN, acked_ms=None))
    else:
        found = inside(Side.BUY)
        entry = replace(found.orders[0], filled_quantity=D("0.014"), updated_ms=NOW - 999)
        found = replace(found, orders=(entry, *found.orders[1:]))
    assert done(found, bound()) == ([], [], False)
    assert len(done(inside(Side.BUY, target("Q1")), bound())[0]) == 1


@pytest.mark.rule("L-1", "P-9")
def test_without_a_mark_the_words_leave_it_out() -> None:
    """An earlier exit is still unknown and TP1 came to light beside it: it gives way all the same."""
    exit_ = own("L1", state=OrderState.UNKNOWN, acked_ms=None)
    found = replace(inside(Side.BUY, exit_, target("P1")), mark=None)
    words = "L-1: mark is inside the zone z [91300, 91400]: its exit takes TP1's place"
    assert done(found, bound()) == ([f"-P1 | {words}"], [words], True)


# TP1 that went as far


@pytest.mark.rule("L-1", "P-9")
@SIDES
@pytest.mark.parametrize(
    ("at", "was_exit"),
    [("91299.9", False), ("91300", True), ("91350", True), ("91600", True)],
)
def test_tp1_that_executed_as_far_as_the_zone_was_its_exit(
    side: Side, at: str, was_exit: bool
) -> None:
    """At the near edge or beyond it, wherever mark is now; nothing is sent, and the note tells the price."""
    first = target("P1", side, filled_quantity=D("0.002"))
    found = inside(side, first, mark="91000")
    told = tuple(
        replace(fill, price=mirrored(side, at)) if fill.client_id == first.client_id else fill
        for fill in found.fills
    )
    found, trade = replace(found, fills=told), bound(side)
    assert trade.zone is not None
    price = text(mirrored(side, at))
    zone = f"z [{trade.zone.low}, {trade.zone.high}]"
    note = f"L-1: TP1 executed at {price}, as far as the zone {zone}: that was its exit"
    assert done(found, trade) == (([], [note], True) if was_exit else ([], [], False))
    assert done(found, bound(side, used=True)) == ([], [], True)


@pytest.mark.rule("L-1")
@SIDES
def test_of_several_executions_the_first_one_that_far_is_told(side: Side) -> None:
    """Those before the zone do not count, nor does an execution of another order."""
    first, second = target("P1", side), target("Q1", side)
    found = inside(side, first, second, mark="91000")
    prices = ("91250", "91310", "91390")
    fills = [lot(first, "0.002", str(mirrored(side, price)), time_ms=BEFORE) for price in prices]
    _, notes, used = done(replace(found, fills=(*found.fills, *fills)), bound(side))
    assert used
    assert notes[0].startswith(f"L-1: TP1 executed at {mirrored(side, '91310')}, as far ")
    other = lot(second, "0.002", str(mirrored(side, "91350")), time_ms=BEFORE)
    assert done(replace(found, fills=(*found.fills, other)), bound(side)) == ([], [], False)
