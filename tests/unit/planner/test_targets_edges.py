"""Targets (T-1 … T-5): how what is held is split, what is withdrawn and why, and how a reached target is sold."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.unit.planner.saying import said
from tests.worlds import BTC, NOW, POLICY, D, decision, quote, seen, world

from jumar.model.command import PlaceOrder
from jumar.model.levels import BoundZone
from jumar.model.order import OrderState, OrderType, OwnOrder, Role, Side, TimeInForce, WorkingType
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import World
from jumar.planner.facts import assess
from jumar.planner.slots import WOULD_TRIGGER
from jumar.planner.targets import Wanted, is_reached, target_commands, wanted_targets

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])
EXIT = {Side.BUY: "SELL", Side.SELL: "BUY"}
#: Half of 0.013 goes at TP1, the rest at TP2.
HALVES = {"P": "0.006", "Q": "0.007"}
LONG_AGO = NOW - 60_000


def made(found: World, trade: Trade | None = None, policy: Policy = POLICY) -> list[str]:
    """What is sent for the targets of the long example, or of another trade."""
    trade = trade_of() if trade is None else trade
    return said(target_commands(found, trade, assess(found, trade, policy), policy))


def short_form(lines: Iterable[str]) -> list[str]:
    """The first word of each line: `+P1`, `-Q2`."""
    return [line.split()[0] for line in lines]


def target(name: str, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """A resting target of the size and at the price that is wanted, sent long ago."""
    price = mirrored(side, "91600" if name[0] == "P" else "92900")
    given: dict[str, object] = {
        "quantity": D(HALVES[name[0]]),
        "trigger_price": price,
        "journaled_ms": LONG_AGO,
    }
    return own(name, side, **{**given, **changes})


def would_trigger(name: str, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """A target that the venue refused because its price is reached."""
    code = changes.pop("end_code", -2021)
    return ended(target(name, side, **{"acked_ms": None, **changes}), end_code=code)


def sale(name: str, side: Side = Side.BUY, **changes: object) -> OwnOrder:
    """A limit order that sells a reached target, ended long ago."""
    given: dict[str, object] = {
        "type": OrderType.LIMIT,
        "trigger_price": None,
        "working_type": None,
        "price": D(91000),
        "time_in_force": TimeInForce.IOC,
    }
    return ended(target(name, side, **{**given, **changes}))


def wanted(found: World, trade: Trade) -> tuple[str, str]:
    """How much each target should close."""
    assert found.instrument is not None
    split = wanted_targets(found, trade, assess(found, trade, POLICY), found.instrument)
    assert isinstance(split, Wanted)
    return str(split.tp1.normalize()), str(split.tp2.normalize())


# what is placed: T-1


@pytest.mark.rule("T-1", "P-9")
@SIDES
def test_a_position_gets_both_targets(side: Side) -> None:
    """Half at TP1 and the rest at TP2; each cause tells size, what is held and the price."""
    exit_, tp1, tp2 = EXIT[side], mirrored(side, "91600"), mirrored(side, "92900")
    found = held(own("S1", side), side=side)
    assert made(found, trade_of(side)) == [
        f"+P1 {exit_} 0.006 TAKE_PROFIT_MARKET {tp1} GTC | T-1: TP1 0.006 of 0.013 at {tp1}",
        f"+Q1 {exit_} 0.007 TAKE_PROFIT_MARKET {tp2} GTC | T-1: TP2 0.007 of 0.013 at {tp2}",
    ]


@pytest.mark.rule("T-1")
@pytest.mark.parametrize("kind", list(WorkingType))
def test_the_price_that_triggers_is_configured(kind: WorkingType) -> None:
    """`target_working_type` goes into both orders, which only reduce."""
    found, trade = held(own("S1")), trade_of()
    policy = replace(POLICY, target_working_type=kind)
    placed = target_commands(found, trade, assess(found, trade, policy), policy)
    requests = [command.request for command in placed if isinstance(command, PlaceOrder)]
    assert [(r.working_type, r.reduce_only) for r in requests] == [(kind, True)] * 2


@pytest.mark.rule("T-2")
@pytest.mark.parametrize("what", ["filters", "closing", "no fill", "adopted"])
def test_when_there_are_no_targets(what: str) -> None:
    """Without filters, while closing, before a fill, and for a position that nobody decided targets for."""
    found, trade = held(own("S1")), trade_of()
    assert len(made(found, trade)) == 2
    if what == "filters":
        found = replace(found, instrument=None)
    elif what == "closing":
        trade = replace(trade, closing=CloseReason.FLAT)
    elif what == "no fill":
        found = world(orders=(own("S1"),))
    else:
        trade = replace(trade, adopted_price=D(90786), adopted_quantity=D("0.013"))
        found = replace(found, fills=())
    assert made(found, trade) == []


@pytest.mark.rule("T-1", "Y-2", "W-1")
@pytest.mark.parametrize("what", ["seems gone", "pending"])
def test_when_a_target_is_not_placed_yet(what: str) -> None:
    """The newest look says that nothing is held, or executions are told of that are not itemised."""
    found = held(own("S1"))
    if what == "seems gone":
        found = replace(found, position=position("0"))
    else:
        entry = own("E1", filled_quantity=D("0.013"), updated_ms=NOW - 999)
        fills = (lot(entry, "0.012", time_ms=BEFORE),)
        found = world(orders=(entry, own("S1")), fills=fills, position=position("0.013"))
        told = replace(entry, updated_ms=NOW - 1000)
        assert len(made(replace(found, orders=(told, own("S1"))))) == 2
    assert made(found) == []


@pytest.mark.rule("T-2", "P-1")
@SIDES
@pytest.mark.parametrize(("resting", "placed"), [("0.007", ["+P1"]), ("0.008", [])])
def test_no_more_than_the_position_ever_rests(side: Side, resting: str, placed: list[str]) -> None:
    """A TP2 that is too large goes first; TP1 comes once both together are no more than what is held."""
    found = held(own("S1", side), target("Q1", side, quantity=D(resting)), side=side)
    lines = made(found, trade_of(side))
    gone = [] if resting == "0.007" else ["-Q1"]
    assert short_form(lines) == placed + gone


@pytest.mark.rule("T-2", "P-1")
def test_what_a_target_has_sold_rests_no_more() -> None:
    """TP2 for 0.009 has sold 0.002: 0.007 rest, and with what is held now everything fits."""
    entry = ended(own("E1"), filled_quantity=D("0.015"))
    second = target("Q1", quantity=D("0.009"), filled_quantity=D("0.002"))
    fills = (lot(entry, "0.015", time_ms=BEFORE), lot(second, "0.002", "92900", time_ms=BEFORE))
    found = world(orders=(entry, own("S1"), second), fills=fills, position=position("0.013"))
    assert short_form(made(found)) == ["+P1"]


SPLITS: list[tuple[str, str, str, tuple[str, str]]] = [
    ("0.013", "0.5", "TP2", ("0.006", "0.007")),
    ("0.013", "1", "TP2", ("0.013", "0")),
    ("0.013", "0.05", "TP2", ("0.013", "0")),
    ("0.002", "0.5", "TP2", ("0.001", "0.001")),
    ("0.001", "0.5", "TP2", ("0.001", "0")),
    ("0.013", "0.95", "TP2", ("0.012", "0.001")),
    ("0.0135", "0.5", "TP2", ("0.006", "0.007")),
    ("0.013", "0.5", "trails", ("0.006", "0")),
    ("0.013", "0.5", "goes", ("0.013", "0")),
    ("0.001", "0.5", "trails", ("0.001", "0")),
    ("0.002", "0.5", "trails", ("0.001", "0")),
]


@pytest.mark.rule("T-1")
@SIDES
@pytest.mark.parametrize(("size", "fraction", "rest", "split"), SPLITS)
def test_how_what_is_held_is_split(
    side: Side, size: str, fraction: str, rest: str, split: tuple[str, str]
) -> None:
    """On the step; a part too small for an order goes with the other; without TP2 the rest trails, or all goes."""
    entry = ended(own("E1", side), filled_quantity=D(size))
    signed = size if side is Side.BUY else f"-{size}"
    fills = (lot(entry, size, time_ms=BEFORE),)
    found = world(orders=(entry,), fills=fills, position=position(signed))
    trade = trade_of(side)
    chosen = replace(trade.decision, tp1_fraction=D(fraction), enable_trailing=rest != "goes")
    trade = replace(trade, decision=chosen, tp2=trade.tp2 if rest == "TP2" else None)
    assert wanted(found, trade) == split


@pytest.mark.rule("T-1")
@pytest.mark.parametrize(
    ("least", "step", "split"),
    [
        ("0.006", "0.001", ("0.006", "0.007")),
        ("0.007", "0.001", ("0.013", "0")),
        ("0.001", "0.006", ("0.006", "0.006")),
        ("0.001", "0.007", ("0.007", "0")),
    ],
)
def test_the_least_that_an_order_may_be(least: str, step: str, split: tuple[str, str]) -> None:
    """The venue's least market quantity, or one step where that is larger."""
    filters = replace(BTC, market_min_quantity=D(least), step_size=D(step))
    assert wanted(held(instrument=filters), trade_of()) == split


@pytest.mark.rule("T-1", "Y-3")
def test_targets_are_for_what_we_bought_and_still_hold() -> None:
    """A hand's purchase is not in them, and what was sold without an execution told is not either."""
    more = position("0.020")
    entry = ended(own("E1"), filled_quantity=D("0.013"))
    bought = lot(entry, "0.013", time_ms=BEFORE)
    by_hand = lot(None, "0.007", time_ms=BEFORE)
    found = world(orders=(entry,), fills=(bought, by_hand), position=more)
    assert wanted(found, trade_of()) == ("0.006", "0.007")
    assert wanted(held(position=position("0.009", NOW)), trade_of()) == ("0.004", "0.005")


# after TP1: T-3


@pytest.mark.rule("T-3")
@SIDES
@pytest.mark.parametrize(
    ("second", "trails", "split"),
    [
        (True, True, ("0.004", "0.007")),
        (True, False, ("0.004", "0.007")),
        (False, False, ("0.004", "0.007")),
        (False, True, ("0.004", "0")),
    ],
)
def test_after_its_first_fill_tp1_keeps_its_rest(
    side: Side, second: bool, trails: bool, split: tuple[str, str]
) -> None:
    """0.002 of 0.006 sold: 0.004 rest, TP2 takes what is beyond them, nothing where the rest trails."""
    first = target("P1", side, filled_quantity=D("0.002"))
    found = held(first, side=side, position=position("0.011" if side is Side.BUY else "-0.011"))
    trade = trade_of(side)
    chosen = replace(trade.decision, enable_trailing=trails)
    trade = replace(trade, decision=chosen, tp2=trade.tp2 if second else None)
    assert wanted(found, trade) == split


@pytest.mark.rule("T-3")
def test_tp1_that_is_done_is_never_placed_again() -> None:
    """All of it sold, or its rest cancelled by somebody: TP2 alone is there for what is left."""
    for sold in ("0.006", "0.002"):
        first = ended(target("P1", filled_quantity=D(sold)))
        left = D("0.013") - D(sold)
        found = held(own("S1", quantity=D("0.02")), first, position=position(str(left)))
        assert wanted(found, trade_of()) == ("0", str(left))
        assert short_form(made(found)) == ["+Q1"]


@pytest.mark.rule("T-3", "P-1")
def test_after_tp1_no_target_is_below_nothing() -> None:
    """A hand sold more than TP1 leaves: TP2 is none, not less than none."""
    first = target("P1", filled_quantity=D("0.002"))
    found = held(first, position=position("0.003", NOW))
    assert wanted(found, trade_of()) == ("0.004", "0")


@pytest.mark.rule("T-3", "T-1")
def test_without_a_second_target_what_is_left_is_sold_at_tp1s_price() -> None:
    """It does not trail: the order in TP2's place stands at TP1's price, and is named TP2."""
    first = ended(target("P1", filled_quantity=D("0.006")))
    found = held(own("S1"), first, position=position("0.007"))
    still = decision(enable_trailing=False)
    assert made(found, trade_of(tp2=None, decision=still)) == [
        "+Q1 SELL 0.007 TAKE_PROFIT_MARKET 91600 GTC | T-1: TP2 0.007 of 0.007 at 91600"
    ]


@pytest.mark.rule("L-1", "T-2")
def test_tp1_waits_for_a_zone_exit() -> None:
    """Mark is in the bound zone: TP1 is neither placed nor resized, TP2 is."""
    zone = BoundZone(id="z", low=D(91300), high=D(91400))
    found = held(own("S1"), mark=seen(D(91350)))
    assert short_form(made(found, trade_of(zone=zone))) == ["+Q1"]
    wrong = target("P1", quantity=D("0.003"))
    found = held(own("S1"), wrong, mark=seen(D(91350)))
    assert short_form(made(found, trade_of(zone=zone))) == ["+Q1"]
    assert short_form(made(found, trade_of())) == ["-P1", "+Q1"]


# what is withdrawn: T-2, E-9, S-7


@pytest.mark.rule("T-2", "P-9")
@SIDES
def test_a_target_of_another_size_is_withdrawn(side: Side) -> None:
    """The cause tells what rests and what is wanted; the one of the right size stays."""
    found = held(own("S1", side), target("P1", side, quantity=D("0.004")), side=side)
    assert made(found, trade_of(side))[0] == "-P1 | T-2: TP1 is 0.004, 0.006 is wanted"
    both = held(own("S1", side), target("P1", side), target("Q1", side), side=side)
    assert made(both, trade_of(side)) == []
    large = held(own("S1", side), target("P1", side), target("Q1", side, quantity=D("0.009")))
    large = replace(large, fills=held(side=side).fills, position=held(side=side).position)
    entry = held(side=side).orders[0]
    large = replace(large, orders=(entry, *large.orders[1:]))
    assert made(large, trade_of(side)) == ["-Q1 | T-2: TP2 is 0.009, 0.007 is wanted"]


@pytest.mark.rule("E-9", "T-2", "P-9")
@SIDES
def test_a_target_at_another_price_is_withdrawn(side: Side) -> None:
    """A newer decision moved it: the cause tells both prices, whatever the size."""
    there, wish = mirrored(side, "91700"), mirrored(side, "91600")
    for size in ("0.006", "0.005"):
        wrong = target("P1", side, trigger_price=there, quantity=D(size))
        found = held(own("S1", side), wrong, target("Q1", side), side=side)
        assert made(found, trade_of(side)) == [f"-P1 | E-9: TP1 is at {there}, {wish} is wanted"]


@pytest.mark.rule("T-2", "X-4")
@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"state": OrderState.TRIGGERED}, False),
        ({"state": OrderState.UNKNOWN, "acked_ms": None}, False),
        ({"state": OrderState.IN_FLIGHT, "acked_ms": None}, False),
        ({"cancel_sent_ms": NOW - 499}, False),
        ({"cancel_sent_ms": NOW - 500}, True),
    ],
)
def test_which_target_of_another_size_goes(changes: dict[str, object], goes: bool) -> None:
    """Not one that executes, is unknown, or whose cancel is being answered; the other slot is looked at all the same."""
    wrong = target("P1", Side.BUY, quantity=D("0.004"), **changes)
    found = held(own("S1"), wrong, target("Q1", quantity=D("0.008")))
    assert short_form(made(found)) == (["-P1", "-Q1"] if goes else ["-Q1"])


@pytest.mark.rule("T-2", "X-4")
@pytest.mark.parametrize(
    ("first", "entry"),
    [
        ({"state": OrderState.TRIGGERED}, OrderState.ENDED),
        ({"quantity": D("0.006")}, OrderState.ENDED),
        ({"quantity": D("0.003"), "journaled_ms": NOW}, OrderState.OPEN),
    ],
)
def test_each_order_of_a_target_is_judged_by_itself(
    first: dict[str, object], entry: OrderState
) -> None:
    """Two TP1 came to light: one that stays, or waits, keeps the one that is too large from nothing."""
    found = held(own("S1"), target("P1", Side.BUY, **first), target("P2", quantity=D("0.009")))
    bought = replace(found.orders[0], state=entry)
    lines = made(replace(found, orders=(bought, *found.orders[1:])))
    assert lines == ["-P2 | T-2: TP1 is 0.009, 0.006 is wanted"]


@pytest.mark.rule("T-2")
@pytest.mark.parametrize(
    ("alive", "age_ms", "resting", "goes"),
    [
        (True, 14_999, "0.003", False),
        (True, 15_000, "0.003", True),
        (False, 14_999, "0.003", True),
        (True, 14_999, "0.007", True),
        (True, 14_999, "0.006", False),
    ],
)
def test_while_the_entry_fills_a_target_grows_every_fifteen_seconds(
    alive: bool, age_ms: int, resting: str, goes: bool
) -> None:
    """`target_resize_interval_s`, counted from the target's own placement; one that is too large goes at once."""
    first = target("P1", quantity=D(resting), journaled_ms=NOW - age_ms)
    found = held(own("S1"), first, target("Q1"))
    entry = replace(found.orders[0], state=OrderState.OPEN if alive else OrderState.ENDED)
    found = replace(found, orders=(entry, *found.orders[1:]))
    assert short_form(made(found)) == (["-P1"] if goes else [])


@pytest.mark.rule("E-9", "T-2")
def test_a_moved_target_does_not_wait_while_the_entry_fills() -> None:
    """Its price is wrong: young and too small or not, it goes."""
    first = target("P1", quantity=D("0.003"), trigger_price=D(91700), journaled_ms=NOW)
    found = held(own("S1"), first, target("Q1"))
    entry = replace(found.orders[0], state=OrderState.OPEN)
    found = replace(found, orders=(entry, *found.orders[1:]))
    assert made(found) == ["-P1 | E-9: TP1 is at 91700, 91600 is wanted"]


@pytest.mark.rule("T-2")
def test_what_is_left_of_a_target_counts_not_what_it_was() -> None:
    """0.006 asked, 0.002 sold, 0.004 left and wanted: it stays."""
    first = target("P1", filled_quantity=D("0.002"))
    found = held(own("S1"), first, target("Q1"), position=position("0.011"))
    assert made(found) == []


@pytest.mark.rule("S-7", "P-9")
@SIDES
def test_targets_give_way_to_a_stop_without_room(side: Side) -> None:
    """Both go, with the reason, save one whose cancel is being answered; none is placed."""
    refused = ended(own("S1", side, acked_ms=None, journaled_ms=NOW), end_code=-4045)
    why = "S-7: the stop was refused for want of room: targets give way"
    found = held(refused, target("P1", side), target("Q1", side), side=side)
    assert made(found, trade_of(side)) == [f"-P1 | {why}", f"-Q1 | {why}"]
    sent = target("P1", side, cancel_sent_ms=NOW - 499)
    found = held(refused, sent, target("Q1", side), side=side)
    assert made(found, trade_of(side)) == [f"-Q1 | {why}"]
    assert made(held(refused, side=side), trade_of(side)) == []


# what is waited for


@pytest.mark.rule("T-2", "X-4")
@pytest.mark.parametrize(
    ("changes", "age_ms", "placed"),
    [
        ({}, 999, False),
        ({}, 1000, True),
        ({"end_code": -2010}, 4999, False),
        ({"end_code": -2010}, 5000, True),
        ({"cancel_sent_ms": NOW - 600}, 10, True),
    ],
)
def test_how_soon_a_target_is_placed_again(
    changes: dict[str, object], age_ms: int, placed: bool
) -> None:
    """One that vanished after a second, one that was refused after five, one that we withdrew at once."""
    lost = ended(target("P1", journaled_ms=NOW - age_ms), **changes)
    found = held(own("S1"), lost, target("Q1"))
    assert short_form(made(found)) == (["+P2"] if placed else [])


@pytest.mark.rule("T-2", "X-4")
def test_each_target_waits_for_its_own_refusal() -> None:
    """TP1 was refused a moment ago: TP2 is placed all the same."""
    lost = ended(target("P1", journaled_ms=NOW), end_code=-2010)
    assert short_form(made(held(own("S1"), lost))) == ["+Q1"]


# a reached target: T-5


@pytest.mark.rule("T-5", "P-9")
@pytest.mark.parametrize("code", sorted(WOULD_TRIGGER))
@pytest.mark.parametrize(
    ("side", "price"), [(Side.BUY, "90774.6"), (Side.SELL, "90865.5")], ids=["long", "short"]
)
def test_a_reached_target_is_sold_at_the_touch(side: Side, price: str, code: int) -> None:
    """LIMIT IOC, at most 0.05 % worse than bid or ask, rounded to the better tick; the cause tells the price."""
    refused = would_trigger("P1", side, end_code=code)
    found = held(own("S1", side), refused, target("Q1", side), side=side)
    assert made(found, trade_of(side)) == [
        f"+P2 {EXIT[side]} 0.006 LIMIT {price} IOC | T-5: TP1 is reached: 0.006 at {price} or better"
    ]


@pytest.mark.rule("T-5")
@pytest.mark.parametrize(
    ("side", "bid", "ask", "price"),
    [
        (Side.BUY, "91650.3", "91650.4", "91558.7"),
        (Side.SELL, "89949.6", "89949.7", "90039.6"),
    ],
)
def test_how_much_worse_than_the_touch_is_configured(
    side: Side, bid: str, ask: str, price: str
) -> None:
    """With 0.1 %, from the bid for a long and from the ask for a short."""
    policy = replace(POLICY, max_slippage_pct=D("0.1"))
    found = held(own("S1", side), would_trigger("P1", side), target("Q1", side), side=side)
    found = replace(found, quote=quote(bid, ask))
    (line,) = made(found, trade_of(side), policy)
    assert f" LIMIT {price} IOC | " in line


@pytest.mark.rule("T-5", "P-9")
@SIDES
def test_what_the_first_sale_left_goes_at_market(side: Side) -> None:
    """0.002 of 0.006 sold: the rest at market, then no more whatever is left of it."""
    first = sale("P2", side, filled_quantity=D("0.002"))
    signed = "0.011" if side is Side.BUY else "-0.011"
    found = held(
        own("S1", side),
        would_trigger("P1", side),
        first,
        target("Q1", side),
        side=side,
        position=position(signed),
    )
    assert made(found, trade_of(side)) == [
        f"+P3 {EXIT[side]} 0.004 MARKET | T-5: TP1 was reached, the rest 0.004 at market"
    ]
    last = sale("P3", side, type=OrderType.MARKET, price=None, time_in_force=None)
    found = replace(found, orders=(*found.orders, last))
    assert [line for line in made(found, trade_of(side)) if line.startswith("+P")] == []


@pytest.mark.rule("T-5", "T-3")
@SIDES
def test_tp2_is_sold_like_tp1(side: Side) -> None:
    """Reached, it goes at the touch under its own name."""
    first = ended(target("P1", side, filled_quantity=D("0.006")))
    signed = "0.007" if side is Side.BUY else "-0.007"
    found = held(
        own("S1", side), first, would_trigger("Q1", side), side=side, position=position(signed)
    )
    (line,) = made(found, trade_of(side))
    price = "90774.6" if side is Side.BUY else "90865.5"
    assert line == (
        f"+Q2 {EXIT[side]} 0.007 LIMIT {price} IOC | T-5: TP2 is reached: 0.007 at {price} or better"
    )


@pytest.mark.rule("T-5")
@pytest.mark.parametrize("what", ["no quote", "all sold", "alive"])
def test_when_a_reached_target_is_not_sold(what: str) -> None:
    """Without a touch to sell at, once its quantity is sold, and while a sale of it may still execute."""
    found = held(own("S1"), would_trigger("P1"), target("Q1"))
    if what == "no quote":
        found = replace(found, quote=None)
    else:
        sold = sale("P2", filled_quantity=D("0.006"))
        if what == "alive":
            sold = replace(sold, state=OrderState.UNKNOWN, acked_ms=None)
        left = position("0.007")
        found = held(own("S1"), would_trigger("P1"), sold, target("Q1"), position=left)
    assert made(found) == []


@pytest.mark.rule("T-5", "X-4")
@pytest.mark.parametrize(
    ("changes", "age_ms", "line"),
    [
        ({"end_code": -2010}, 4999, None),
        ({"end_code": -2010}, 5000, "+P3 SELL 0.006 LIMIT 90774.6 IOC"),
        ({}, 999, None),
        ({}, 1000, "+P3 SELL 0.006 LIMIT 90774.6 IOC"),
        ({"acked_ms": BEFORE}, 10, "+P3 SELL 0.006 MARKET"),
    ],
)
def test_a_sale_that_never_came_to_the_book_does_not_count(
    changes: dict[str, object], age_ms: int, line: str | None
) -> None:
    """Refused or absent: the same again after a pause; one that was taken and sold nothing: the rest at market."""
    given: dict[str, object] = {"acked_ms": None, **changes}
    code = given.pop("end_code", None)
    first = replace(sale("P2", journaled_ms=NOW - age_ms, **given), end_code=code)  # type: ignore[arg-type]  # a code
    found = held(own("S1"), would_trigger("P1"), first, target("Q1"))
    assert [each.split(" | ")[0] for each in made(found)] == ([] if line is None else [line])


@pytest.mark.rule("T-5")
def test_no_more_is_sold_than_was_refused_or_is_wanted() -> None:
    """Of several refusals the newest size counts; it is never more than what the target should close now."""
    older = would_trigger("P1", quantity=D("0.002"))
    newest = would_trigger("P2", quantity=D("0.004"))
    found = held(own("S1"), older, newest, target("Q1"))
    assert made(found)[0].startswith("+P3 SELL 0.004 LIMIT ")
    large = would_trigger("P1", quantity=D("0.009"))
    assert made(held(own("S1"), large, target("Q1")))[0].startswith("+P2 SELL 0.006 LIMIT ")


@pytest.mark.rule("T-5", "T-3")
@pytest.mark.parametrize(
    ("orders", "rest"),
    [
        ((would_trigger("P1"), sale("P2", filled_quantity=D("0.002"))), "0.004"),
        (
            (
                would_trigger("P1"),
                sale("P2", filled_quantity=D("0.001")),
                sale("P3", filled_quantity=D("0.001")),
            ),
            "0",
        ),
        (
            (
                would_trigger("P1"),
                sale("P2", acked_ms=None),
                sale("P3", filled_quantity=D("0.002")),
            ),
            "0.004",
        ),
    ],
)
def test_after_two_sales_nothing_of_a_reached_target_is_kept_back(
    orders: tuple[OwnOrder, ...], rest: str
) -> None:
    """What they left goes over to TP2; one sale that came to the book leaves its rest to the second."""
    found = held(*orders, position=position("0.011"))
    assert wanted(found, trade_of()) == (rest, str((D("0.011") - D(rest)).normalize()))


@pytest.mark.rule("T-5")
def test_a_reached_target_sells_its_own_size_once() -> None:
    """TP2 was refused for 0.004 and has sold them: 0.003 more that are held are not sold in its name."""
    first = ended(target("P1", filled_quantity=D("0.006")))
    second = would_trigger("Q1", quantity=D("0.004"))
    sold = sale("Q2", quantity=D("0.004"), filled_quantity=D("0.004"))
    found = held(own("S1"), first, second, sold, position=position("0.003"))
    assert wanted(found, trade_of()) == ("0", "0.003")
    assert made(found) == []


REACHED: list[tuple[dict[str, object], bool]] = [
    ({}, False),
    ({"state": OrderState.TRIGGERED}, True),
    ({"triggered_ms": NOW - 10}, True),
    ({"filled_quantity": D("0.001")}, True),
    ({"end_code": -2021}, True),
    ({"end_code": -4142}, True),
    ({"end_code": -2010}, False),
]


@pytest.mark.rule("T-5", "E-9")
@pytest.mark.parametrize(("changes", "reached"), REACHED)
def test_when_a_target_counts_as_reached(changes: dict[str, object], reached: bool) -> None:
    """By its trigger, by a fill, or because it would have triggered; each target for itself."""
    for name, role, other in (("P1", Role.TP1, Role.TP2), ("Q1", Role.TP2, Role.TP1)):
        found = held(replace(target(name), **changes))  # type: ignore[arg-type]  # by name
        assert is_reached(found, role) is reached
        assert not is_reached(found, other)


@pytest.mark.rule("T-1")
def test_nothing_is_split_below_a_step() -> None:
    """Less than a step is held: no target at all."""
    entry = ended(own("E1"), filled_quantity=D("0.0005"))
    fills = (lot(entry, "0.0005", time_ms=BEFORE),)
    found = world(orders=(entry, own("S1")), fills=fills, position=position("0.0005"))
    assert wanted(found, trade_of()) == ("0", "0")
    assert made(found) == []
