"""The last gate of the planner: what is never approved, in the words of the promise that it would break, and what is."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import KEY, ended, lot, own, trade_of
from tests.unit.planner.test_invariants import amended, cancelled, placed
from tests.worlds import NOW, D, world

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.command import Approved, Command, SetLeverage
from jumar.model.errors import InvariantBroken
from jumar.model.levels import BoundZone
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import World
from jumar.planner.approve import approve, refuse

both_sides = pytest.mark.parametrize("side", list(Side))
NO_TRADE = f"P-5: jm-{KEY}-%s belongs to no open trade"
NO_ENTRY = f"P-5: jm-{KEY}-E1 is no entry of the open trade"
AT_REST = f"X-4: jm-{KEY}-E1 is not known to rest as read"
OTHER = f"P-4: jm-{KEY}-E1 would become another order"
SECOND = "P-4: an entry is alive or unknown: a second one is never sent"
ENTRY_OVER = "P-4: the entry of this trade is over"


def stopped(command: Command, seen: World, trade: Trade | None) -> str | None:
    """Why a command is not approved, None where it is."""
    try:
        approved = approve([command], seen, trade)
    except InvariantBroken as error:
        return str(error)
    assert approved == (Approved(command=command),)
    return None


def asked(number: int = 1, state: AmendmentState = AmendmentState.ASKED) -> Amendment:
    """A change of the entry's price."""
    return Amendment(
        number=number,
        price=D(90790),
        quantity=D("0.013"),
        rule="E-5",
        cause="a test",
        timestamp_ms=NOW,
        state=state,
    )


# whose it is


@pytest.mark.rule("P-5", "P-9")
@pytest.mark.parametrize("name", ["E1", "S1", "B1", "P1", "Q1", "L1", "X1"])
@both_sides
def test_no_order_is_placed_without_its_own_trade(name: str, side: Side) -> None:
    """Neither without a trade nor for another one, whatever the order is for; it is named."""
    command = placed(own(name, side))
    assert stopped(command, world(), None) == NO_TRADE % name
    other = trade_of(side, key="otherother")
    assert stopped(command, world(), other) == NO_TRADE % name


@pytest.mark.rule("P-5")
@pytest.mark.parametrize("name", ["S1", "B1", "P1", "Q1", "X1"])
@both_sides
def test_an_exit_leaves_only_when_the_venue_keeps_it_from_adding(name: str, side: Side) -> None:
    """Reduce-only or closePosition; one that got around its own check is stopped here."""
    command = placed(own(name, side))
    assert stopped(command, world(), trade_of(side)) is None
    whole = replace(command.request, reduce_only=False, close_position=True, quantity=None)
    assert stopped(replace(command, request=whole), world(), trade_of(side)) is None
    open_ended = replace(command.request, reduce_only=False)
    object.__setattr__(command, "request", open_ended)
    words = f"P-5: jm-{KEY}-{name} could open a position"
    assert stopped(command, world(), trade_of(side)) == words


@pytest.mark.rule("P-9", "P-5")
def test_what_places_nothing_needs_no_trade_and_the_order_of_a_plan_stays() -> None:
    """Cancels and settings pass; each command is approved in its place."""
    settings = SetLeverage(symbol="BTCUSDT", leverage=2, cause=placed(own("S1")).cause)
    commands = (cancelled(own("E1")), settings, cancelled(own("S1")))
    assert [each.command for each in approve(commands, world(), None)] == list(commands)
    assert approve((), world(), None) == ()


@pytest.mark.rule("G-12")
def test_a_refusal_is_a_code_a_rule_and_words() -> None:
    """As they were given."""
    refusal = refuse("mode", "G-12", "the engine is being stopped")
    assert (refusal.code, refusal.rule, refusal.message) == (
        "mode",
        "G-12",
        "the engine is being stopped",
    )


# stops


@pytest.mark.rule("P-2", "S-3")
@pytest.mark.parametrize(
    ("side", "ratchet", "trigger", "words"),
    [
        (Side.BUY, None, "90380", None),
        (Side.BUY, None, "90379.90", "P-2: stop at 90379.9 is looser than 90380"),
        (Side.BUY, "90500.10", "90500.1", None),
        (Side.BUY, "90500.10", "90500.2", None),
        (Side.BUY, "90500.10", "90500.0", "P-2: stop at 90500 is looser than 90500.1"),
        (Side.BUY, "90000", "90379.9", "P-2: stop at 90379.9 is looser than 90380"),
        (Side.SELL, None, "91220", None),
        (Side.SELL, None, "91220.1", "P-2: stop at 91220.1 is looser than 91220"),
        (Side.SELL, "91100", "91100", None),
        (Side.SELL, "91100", "91099.9", None),
        (Side.SELL, "91100", "91100.1", "P-2: stop at 91100.1 is looser than 91100"),
    ],
)
def test_a_working_stop_is_never_looser_than_the_ratchet(
    side: Side, ratchet: str | None, trigger: str, words: str | None
) -> None:
    """At the tightest of initial stop and ratchet price or tighter; a tick looser is stopped, with both prices."""
    trade = trade_of(side, ratchet_price=None if ratchet is None else D(ratchet))
    command = placed(own("S2", side, trigger_price=D(trigger)))
    assert stopped(command, world(), trade) == words


@pytest.mark.rule("S-2", "P-2")
@both_sides
def test_a_backstop_stays_behind_a_stop_that_has_moved(side: Side) -> None:
    """It rests at the initial stop; only the working stop is held to the ratchet."""
    trade = trade_of(side)
    moved = replace(trade, ratchet_price=trade.initial_stop + 100 * trade.sign)
    assert stopped(placed(own("B1", side)), world(), moved) is None


# the zone's exit

_ZONE = BoundZone(id="z1", low=D(91000), high=D(91100), used=True)
_UNRECORDED = f"L-1: jm-{KEY}-L1 is not recorded as the zone's exit"
_MAY_EXECUTE = "L-1: TP1 or an earlier zone exit may still execute"


@pytest.mark.rule("L-1", "P-6")
@pytest.mark.parametrize(
    ("zone", "words"),
    [(None, _UNRECORDED), (replace(_ZONE, used=False), _UNRECORDED), (_ZONE, None)],
    ids=["no zone", "not yet recorded", "recorded"],
)
@both_sides
def test_a_zone_exit_is_recorded_before_it_leaves(
    zone: BoundZone | None, words: str | None, side: Side
) -> None:
    """A trade without a zone, or whose zone was not marked as used, makes none."""
    command = placed(own("L1", side))
    assert stopped(command, world(), trade_of(side, zone=zone)) == words


@pytest.mark.rule("L-1", "X-4")
@pytest.mark.parametrize("name", ["P1", "L1"])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (OrderState.IN_FLIGHT, _MAY_EXECUTE),
        (OrderState.UNKNOWN, _MAY_EXECUTE),
        (OrderState.OPEN, _MAY_EXECUTE),
        (OrderState.TRIGGERED, _MAY_EXECUTE),
        (OrderState.ENDED, None),
    ],
)
def test_a_zone_exit_waits_for_tp1_and_for_an_earlier_one(
    name: str, state: OrderState, words: str | None
) -> None:
    """Only a proven end makes room for it; stops and TP2 may rest beside it."""
    beside = (own("E1"), own("S1"), own("B1"), own("Q1"), own(name, state=state))
    seen = world(orders=beside)
    assert stopped(placed(own("L2")), seen, trade_of(zone=_ZONE)) == words


# one entry, and never more than planned


@pytest.mark.rule("P-4", "X-4")
@pytest.mark.parametrize("state", list(OrderState))
@both_sides
def test_a_second_entry_waits_for_the_proven_end_of_the_first(
    state: OrderState, side: Side
) -> None:
    """Alive or unknown in any way, the next one is never sent; stops do not keep it out."""
    seen = world(orders=(own("E1", side, state=state), own("S1", side)))
    words = None if state is OrderState.ENDED else SECOND
    assert stopped(placed(own("E2", side)), seen, trade_of(side)) == words


@pytest.mark.rule("P-4", "C-2", "S-9")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"closing": CloseReason.OPPOSITE}, ENTRY_OVER),
        ({"entry_over": "expired"}, ENTRY_OVER),
        ({"voided": "armed stop gone"}, ENTRY_OVER),
    ],
)
@both_sides
def test_an_entry_that_is_over_is_neither_placed_nor_re_priced(
    changes: dict[str, object], words: str | None, side: Side
) -> None:
    """A trade that closes, whose entry has ended for good, or that was voided, gets none."""
    trade = trade_of(side, **changes)
    assert stopped(placed(own("E1", side)), world(), trade) == words
    resting = world(orders=(own("E1", side),))
    assert stopped(amended(own("E1", side)), resting, trade) == words


@pytest.mark.rule("P-4")
@pytest.mark.parametrize(
    ("filled", "wanted", "words"),
    [
        ("0", "0.013", None),
        ("0", "0.014", "P-4: entry of 0.014 with 0 filled exceeds the planned 0.013"),
        ("0.004", "0.009", None),
        ("0.004", "0.010", "P-4: entry of 0.010 with 0.004 filled exceeds the planned 0.013"),
    ],
)
@both_sides
def test_entries_never_exceed_what_was_planned(
    filled: str, wanted: str, words: str | None, side: Side
) -> None:
    """What earlier attempts bought, by their report or by fills, and this one: at most 0.013."""
    first = ended(own("E1", side), filled_quantity=Decimal(filled))
    command = placed(own("E2", side, quantity=D(wanted)))
    assert stopped(command, world(orders=(first,)), trade_of(side)) == words
    if filled != "0":
        told = world(orders=(ended(own("E1", side)),), fills=(lot(own("E1", side), filled),))
        assert stopped(command, told, trade_of(side)) == words


@pytest.mark.rule("P-4")
def test_what_exits_sold_leaves_no_room_for_more() -> None:
    """0.004 bought and sold again are bought all the same."""
    orders = (
        ended(own("E1"), filled_quantity=D("0.004")),
        ended(own("P1"), filled_quantity=D("0.004")),
    )
    seen = world(orders=orders)
    words = "P-4: entry of 0.010 with 0.004 filled exceeds the planned 0.013"
    assert stopped(placed(own("E2", quantity=D("0.010"))), seen, trade_of()) == words


@pytest.mark.rule("P-4")
def test_an_entry_states_its_quantity() -> None:
    """One without could be of any size."""
    words = "P-4: entry of None with 0 filled exceeds the planned 0.013"
    assert stopped(placed(own("E1", quantity=None)), world(), trade_of()) == words


# re-pricing


@pytest.mark.rule("E-5", "P-5")
@pytest.mark.parametrize(
    ("orders", "trade"),
    [
        ((own("E1"),), None),
        ((own("E1"),), trade_of(key="otherother")),
        ((own("E2"),), trade_of()),
        ((), trade_of()),
    ],
    ids=["no trade", "another trade", "another entry", "no entry"],
)
def test_only_an_entry_of_the_open_trade_is_re_priced(
    orders: tuple[OwnOrder, ...], trade: Trade | None
) -> None:
    """Its journal knows that very order."""
    assert stopped(amended(own("E1")), world(orders=orders), trade) == NO_ENTRY


@pytest.mark.rule("E-5", "X-4")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"state": OrderState.UNKNOWN}, AT_REST),
        ({"state": OrderState.ENDED}, AT_REST),
        ({"echo_error": "price 1 for 2"}, AT_REST),
        ({"amendments": (asked(),)}, AT_REST),
        ({"amendments": (asked(1, AmendmentState.DONE),)}, None),
    ],
    ids=["rests", "unknown", "ended", "wrong echo", "being re-priced", "re-priced"],
)
def test_an_entry_is_re_priced_only_while_it_rests_as_read(
    changes: dict[str, object], words: str | None
) -> None:
    """Confirmed, its echo right, and nothing else asked of it."""
    entry = own("E1", **changes)  # type: ignore[arg-type]  # a test states only what differs
    assert stopped(amended(entry), world(orders=(own("S1"), entry)), trade_of()) == words


@pytest.mark.rule("E-5", "P-4")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"price": D(1)}, None),  # only the price may move
        ({"side": Side.SELL}, OTHER),
        ({"quantity": D("0.012")}, OTHER),
        ({"quantity": D("0.014")}, OTHER),
    ],
)
def test_a_re_priced_entry_stays_the_same_order(
    changes: dict[str, object], words: str | None
) -> None:
    """Side and total quantity are its own."""
    command = amended(own("E1"), **changes)  # type: ignore[arg-type]  # a test states only what differs
    assert stopped(command, world(orders=(own("E1"),)), trade_of()) == words


@pytest.mark.rule("E-5", "P-4")
@pytest.mark.parametrize(
    ("by_others", "own_filled", "words"),
    [
        ("0.004", "0", None),
        ("0.004", "0.002", None),  # its own part is in its total
        ("0.005", "0", "P-4: 0.009 with 0.005 filled by others exceeds the planned 0.013"),
        ("0.005", "0.002", "P-4: 0.009 with 0.005 filled by others exceeds the planned 0.013"),
    ],
)
@both_sides
def test_a_re_priced_entry_stays_within_the_plan(
    by_others: str, own_filled: str, words: str | None, side: Side
) -> None:
    """What other attempts bought and all of this one: at most 0.013."""
    other = ended(own("E1", side), filled_quantity=Decimal(by_others))
    entry = own("E2", side, quantity=D("0.009"), filled_quantity=Decimal(own_filled))
    command = amended(entry, quantity=D("0.009"))
    assert stopped(command, world(orders=(other, entry)), trade_of(side)) == words
