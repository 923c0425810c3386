"""The working stop (S-1, S-4, S-7, S-11, S-13): what is placed and in which words, what goes, and what is waited for."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, held, lot, own, position, trade_of
from tests.unit.planner.saying import row, said
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, seen, short_decision, world

from jumar.model.account import AccountSettings
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.policy import Policy
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import World
from jumar.planner.facts import assess
from jumar.planner.stop import (
    NO_ROOM,
    TOO_FAR,
    covered_at_ratchet,
    covering,
    echo_cancels,
    refused_wait_ms,
    stop_commands,
    stop_needs_room,
)

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])
EXIT = {Side.BUY: "SELL", Side.SELL: "BUY"}
#: Told by nobody since: an acknowledged order that two lists lacked.
UNLISTED = (BEFORE + 2000, BEFORE + 4000)
RECENT = NOW - 3000


def made(found: World, trade: Trade | None = None, policy: Policy = POLICY) -> list[str]:
    """What is sent for the working stop of the long example, or of another trade."""
    trade = trade_of() if trade is None else trade
    return said(stop_commands(found, trade, assess(found, trade, policy), policy))


def at(side: Side, name: str, price: str, **changes: object) -> OwnOrder:
    """A stop at a price of the long example, or at its mirror."""
    return own(name, side, trigger_price=mirrored(side, price), **changes)


def gone(name: str, **changes: object) -> OwnOrder:
    """A working stop that ended long ago."""
    return ended(own(name, journaled_ms=NOW - 60_000), **changes)


def invisible(count: int, newest_ms: int = BEFORE) -> tuple[OwnOrder, ...]:
    """So many stops that no list tells any more; the newest was journaled then."""
    last = own(f"S{count}", unlisted=UNLISTED, journaled_ms=newest_ms)
    return (*(own(f"S{n}", unlisted=UNLISTED, journaled_ms=0) for n in range(1, count)), last)


def guided(side: Side = Side.BUY, stop: str = "90500", **changes: object) -> Trade:
    """A newer decision of the same side asks for a tighter stop, which goes at once (E-9)."""
    price = mirrored(side, stop)
    base = levels(stop=price) if side is Side.BUY else short_decision().levels
    assert base is not None
    return trade_of(side, guide=decision(levels=replace(base, stop=price)), **changes)


def settings(*, hedge: bool) -> object:
    """The account's settings as read a moment ago."""
    return seen(AccountSettings(hedge_mode=hedge, multi_assets=False, can_trade=True))


# what should rest


@pytest.mark.rule("S-1", "P-9")
@pytest.mark.parametrize(
    ("side", "words"),
    [
        (
            Side.BUY,
            "+S1 SELL 0.013 STOP_MARKET 90380 GTC | S-1: stop 90380 for 0.013, armed before the entry of 0.013 at 90786.6",
        ),
        (
            Side.SELL,
            "+S1 BUY 0.013 STOP_MARKET 91220 GTC | S-1: stop 91220 for 0.013, armed before the entry of 0.013 at 90813.4",
        ),
    ],
)
def test_the_stop_is_armed_for_the_whole_plan(side: Side, words: str) -> None:
    """Before any fill, at the initial stop, for all that is planned; both numbers of the entry are told."""
    assert made(world(), trade_of(side)) == [words]


@pytest.mark.rule("S-1", "S-9")
@pytest.mark.parametrize("change", [{"entry_over": "it expired"}, {"voided": "the stop was hit"}])
def test_an_entry_that_never_comes_needs_no_stop(change: dict[str, object]) -> None:
    """Over or voided without a fill: nothing is armed; with a fill the position is covered all the same."""
    assert made(world(), trade_of(Side.BUY, **change)) == []
    assert len(made(held(), trade_of(Side.BUY, **change))) == 1


@pytest.mark.rule("S-1", "S-8")
def test_a_trade_that_is_closing_has_its_stops_as_they_are() -> None:
    """None is placed, moved or tidied while the rest is sold."""
    assert made(held(), trade_of(closing=CloseReason.FLAT)) == []


@pytest.mark.rule("S-1")
@pytest.mark.parametrize(
    ("tried", "placed"), [(0, True), (1, True), (2, True), (3, False), (4, False)]
)
def test_the_stop_is_armed_thrice_at_most(tried: int, placed: bool) -> None:
    """The first time, and `max_rearms` (2) more; under a position it is restored however often it was lost."""
    lost = tuple(gone(f"S{number}") for number in range(1, tried + 1))
    assert bool(made(world(orders=lost))) is placed
    assert len(made(held(*lost))) == 1


@pytest.mark.rule("S-1", "X-4")
def test_while_an_armed_stop_is_unknown_no_other_is_sent() -> None:
    """It may rest: its outcome is asked for first."""
    assert made(world(orders=(own("S1", state=OrderState.UNKNOWN, acked_ms=None),))) == []


@pytest.mark.rule("E-4", "S-1")
def test_in_hedge_mode_no_attempt_is_spent() -> None:
    """The venue would refuse the armed stop; settings that are not known keep nothing back; a position is covered."""
    assert made(world(account_settings=settings(hedge=True))) == []
    assert len(made(world(account_settings=settings(hedge=False)))) == 1
    assert len(made(world(account_settings=None))) == 1
    assert len(made(held(account_settings=settings(hedge=True)))) == 1


@pytest.mark.rule("S-7", "P-9", "Y-4")
@SIDES
def test_a_lost_stop_is_restored_at_the_ratchet_price(side: Side) -> None:
    """Where the tightest confirmed stop was, for the position; the cause tells size and price."""
    price = mirrored(side, "90500")
    start = mirrored(side, "90380")
    told = "S-7: no working stop covers 0.013 at the ratchet price"
    found = held(side=side)
    exit_ = EXIT[side]
    assert made(found, trade_of(side)) == [
        f"+S1 {exit_} 0.013 STOP_MARKET {start} GTC | {told} {start}"
    ]
    assert made(found, trade_of(side, ratchet_price=price)) == [
        f"+S1 {exit_} 0.013 STOP_MARKET {price} GTC | {told} {price}"
    ]


@pytest.mark.rule("S-1", "S-4", "P-9")
@pytest.mark.parametrize(
    ("change", "wanted"),
    [({}, "0.013"), ({"entry_over": "expired"}, "0.01"), ({"voided": "hit"}, "0.01")],
)
def test_the_size_is_what_is_held_and_may_still_come(
    change: dict[str, object], wanted: str
) -> None:
    """0.010 of 0.013 bought and the order gone: the plan counts while another attempt may follow, then what is held."""
    entry = ended(own("E1"), filled_quantity=D("0.010"))
    bought = (lot(entry, "0.010", time_ms=BEFORE),)
    small = own("S1", quantity=D("0.009"))
    found = world(orders=(entry, small), fills=bought, position=position("0.010"))
    (line,) = made(found, trade_of(Side.BUY, **change))
    assert line == (
        f"+S2 SELL {wanted} STOP_MARKET 90380 GTC | "
        "S-7: no working stop covers 0.01 at the ratchet price 90380"
    )


@pytest.mark.rule("S-1", "S-4")
@pytest.mark.parametrize(("sold", "wanted"), [(None, "0.013"), ("0.004", "0.009")])
def test_after_an_exit_the_size_is_the_rest_and_what_the_entry_may_add(
    sold: str | None, wanted: str
) -> None:
    """0.010 bought, some of it sold: the plan counts no more, the 0.003 that may fill do."""
    entry = own("E1", filled_quantity=D("0.010"))
    target = own("P1", filled_quantity=D(sold or 0))
    bought = lot(entry, "0.010", time_ms=BEFORE)
    fills = (bought,) if sold is None else (bought, lot(target, sold, "91600", time_ms=BEFORE))
    left = str(D("0.010") - D(sold or 0))
    found = world(orders=(entry, target), fills=fills, position=position(left))
    (line,) = made(found)
    assert line.startswith(f"+S1 SELL {wanted} STOP_MARKET 90380 GTC | S-7: ")


@pytest.mark.rule("S-1", "Y-3")
def test_what_a_hand_added_and_what_may_still_fill_are_covered_together() -> None:
    """0.005 of 0.013 bought, 0.010 by hand: 0.015 are held and 0.008 may come, more than the plan."""
    entry = own("E1", filled_quantity=D("0.005"))
    fills = (lot(entry, "0.005", time_ms=BEFORE), lot(None, "0.010", time_ms=BEFORE))
    found = world(orders=(entry,), fills=fills, position=position("0.015"))
    assert made(found)[0].startswith("+S1 SELL 0.023 STOP_MARKET 90380 GTC | S-7: ")


@pytest.mark.rule("S-1", "S-4")
@pytest.mark.parametrize(
    ("entry_filled", "lines"), [("0.010", ["+S1 SELL 0.003 STOP_MARKET 90380 GTC"]), ("0.013", [])]
)
def test_with_nothing_held_only_an_entry_that_may_fill_has_a_stop(
    entry_filled: str, lines: list[str]
) -> None:
    """All that was bought is sold; what the entry may still add is covered, and nothing where it can add nothing."""
    entry = own("E1", filled_quantity=D(entry_filled))
    target = own("P1", filled_quantity=D(entry_filled))
    fills = (
        lot(entry, entry_filled, time_ms=BEFORE),
        lot(target, entry_filled, "91600", time_ms=BEFORE),
    )
    found = world(orders=(entry, target), fills=fills)
    assert [line.split(" | ")[0] for line in made(found)] == lines
    assert made(replace(found, orders=(ended(entry), target))) == []


@pytest.mark.rule("S-4", "P-9", "Y-4")
def test_a_stop_that_covers_but_not_all_that_may_come_gets_a_larger_one() -> None:
    """0.005 of 0.013 held behind a stop for 0.006: one for the whole plan is asked for in words of S-4."""
    entry = own("E1", filled_quantity=D("0.005"))
    found = world(
        orders=(entry, own("S1", quantity=D("0.006"))),
        fills=(lot(entry, "0.005", time_ms=BEFORE),),
        position=position("0.005"),
    )
    assert made(found) == [
        "+S2 SELL 0.013 STOP_MARKET 90380 GTC | S-4: the working stop at 90380 for 0.013"
    ]


@pytest.mark.rule("S-1", "W-3")
def test_a_size_off_the_step_is_rounded_up() -> None:
    """0.0135 held, step 0.001: 0.014 are covered; without filters the size is sent as it is."""
    trade = trade_of(entry_over="expired")
    found = held(position=position("0.0135"))
    assert made(found, trade)[0].startswith("+S1 SELL 0.014 ")
    assert made(replace(found, instrument=None), trade)[0].startswith("+S1 SELL 0.0135 ")


# too far from mark: S-7


@pytest.mark.rule("S-7", "P-9")
@pytest.mark.parametrize("code", sorted(TOO_FAR))
@pytest.mark.parametrize(
    ("side", "mark", "floor", "nearest"),
    [(Side.BUY, "95000.1", "90380", "90725.1"), (Side.SELL, "87000.1", "91220", "90915.1")],
)
def test_too_far_from_mark_means_the_nearest_allowed_price(
    side: Side, mark: str, floor: str, nearest: str, code: int
) -> None:
    """Nine tenths of the 5 % that the venue allows, rounded tighter; the cause tells both prices."""
    refused = gone("S1", end_code=code)
    found = held(refused, side=side, mark=seen(D(mark)))
    (line,) = made(found, trade_of(side))
    assert line == (
        f"+S2 {EXIT[side]} 0.013 STOP_MARKET {nearest} GTC | S-7: no working stop covers 0.013 at the ratchet price "
        f"{floor}, which the venue refused as too far from mark: {nearest} is the nearest"
    )


@pytest.mark.rule("S-7", "P-2")
@pytest.mark.parametrize("what", ["code", "none", "mark", "filters", "looser", "backstop"])
def test_otherwise_the_ratchet_price_stands(what: str) -> None:
    """Another refusal or none, no mark, no filters, a limit that is looser anyway, or a backstop at that price."""
    refused = gone("S1", end_code=-2010 if what == "code" else -4016)
    backstop = (own("B1"),) if what == "backstop" else ()
    orders = backstop if what == "none" else (refused, *backstop)
    found = held(*orders, mark=seen(D("94600") if what == "looser" else D("95000")))
    found = replace(found, mark=None) if what == "mark" else found
    found = replace(found, instrument=None) if what == "filters" else found
    (line,) = made(found)
    assert " STOP_MARKET 90380 GTC | " in line
    assert line.endswith("at the ratchet price 90380")


# what covers


COVERS: list[tuple[dict[str, object], bool]] = [
    ({}, True),
    ({"quantity": D("0.014")}, True),
    ({"quantity": D("0.012")}, False),
    ({"price": "90380.1"}, True),
    ({"price": "90379.9"}, False),
    ({"unlisted": UNLISTED}, True),
    ({"echo_error": "quantity"}, False),
    ({"state": OrderState.UNKNOWN, "acked_ms": None}, False),
    ({"state": OrderState.TRIGGERED}, False),
    ({"state": OrderState.ENDED}, False),
]


@pytest.mark.rule("S-7", "S-13")
@SIDES
@pytest.mark.parametrize(("changes", "covers"), COVERS)
def test_what_counts_as_cover(side: Side, changes: dict[str, object], covers: bool) -> None:
    """Confirmed, for all that is held, at the ratchet price or tighter; one that no list tells is among them."""
    given = dict(changes)
    price = mirrored(side, str(given.pop("price", "90380")))
    trade = trade_of(side)
    for name in ("S1", "B1"):
        order = own(name, side, trigger_price=price, **given)
        found = held(order, side=side)
        facts = assess(found, trade, POLICY)
        assert covered_at_ratchet(found, trade, facts) is covers
        assert bool(covering(found, trade, facts)) is (covers and name == "S1")


@pytest.mark.rule("S-7", "P-2")
@SIDES
def test_behind_a_moved_stop_the_initial_price_covers_nothing(side: Side) -> None:
    """Looser than the tightest one that was confirmed, a tick is enough; at it, it covers."""
    trade = trade_of(side, ratchet_price=mirrored(side, "90500"))
    for price, covers in (("90499.9", False), ("90500", True)):
        for name in ("S1", "B1"):
            found = held(at(side, name, price), side=side)
            assert covered_at_ratchet(found, trade, assess(found, trade, POLICY)) is covers


@pytest.mark.rule("S-2", "S-7")
def test_a_close_position_backstop_covers_every_size() -> None:
    """It has no quantity: it closes whatever is there."""
    whole = own("B1", quantity=None, close_position=True, reduce_only=False)
    found = held(whole)
    assert covered_at_ratchet(found, trade_of(), assess(found, trade_of(), POLICY))


# what is waited for


@pytest.mark.rule("S-4", "S-7", "X-4")
@pytest.mark.parametrize(
    ("orders", "sent"),
    [
        ((), True),
        ((own("B1"),), True),
        ((own("S1", state=OrderState.UNKNOWN, acked_ms=None),), True),
        ((own("S1", state=OrderState.IN_FLIGHT, acked_ms=None), own("B1")), False),
        ((own("S1", state=OrderState.UNKNOWN, acked_ms=None), own("B1")), False),
    ],
)
def test_missing_cover_waits_for_an_unknown_stop_only_behind_a_backstop(
    orders: tuple[OwnOrder, ...], sent: bool
) -> None:
    """Without any cover another goes at once; where the backstop stands at the price its outcome is asked for first."""
    assert bool(made(held(*orders))) is sent


@pytest.mark.rule("S-7", "W-1")
@pytest.mark.parametrize(("age_ms", "sent"), [(999, False), (1000, True)])
def test_missing_cover_waits_a_second_for_executions_that_are_told_of(
    age_ms: int, sent: bool
) -> None:
    """A report says that more was filled than is itemised: the size is known in a moment."""
    entry = ended(own("E1"), filled_quantity=D("0.013"), ended_ms=None, updated_ms=NOW - age_ms)
    found = world(
        orders=(entry,), fills=(lot(entry, "0.012", time_ms=BEFORE),), position=position("0.013")
    )
    assert bool(made(found)) is sent


@pytest.mark.rule("S-4", "S-6")
@SIDES
def test_a_move_waits_for_an_unknown_stop(side: Side) -> None:
    """The old one covers: the newer decision's stop goes only while no other stop is unresolved."""
    rests = own("S1", side)
    price = mirrored(side, "90500")
    found = held(rests, side=side)
    (line,) = made(found, guided(side))
    assert line.startswith(
        f"+S2 {EXIT[side]} 0.013 STOP_MARKET {price} GTC | E-9: stop {mirrored(side, '90380')} -> {price}: "
    )
    unknown = own("S2", side, state=OrderState.UNKNOWN, acked_ms=None)
    assert made(held(rests, unknown, side=side), guided(side)) == []


PAUSES = [
    ((), {}, 0),
    (("S1",), {}, 0),
    (("S1",), {"end_code": -2010, "age_ms": 0}, 250),
    (("S1",), {"end_code": -2010, "age_ms": 249}, 1),
    (("S1",), {"end_code": -2010, "age_ms": 250}, 0),
    (("S1",), {"end_code": -2010, "age_ms": 600}, 0),
    (("S1",), {"echo_error": "price", "age_ms": 100}, 150),
    (("S1", "B1"), {"end_code": -2010, "age_ms": 249}, 751),
    (("S1", "B1"), {"end_code": -2010, "age_ms": 1000}, 0),
]


@pytest.mark.rule("S-6", "S-7")
@pytest.mark.parametrize(("names", "changes", "pause_ms"), PAUSES)
def test_the_pause_after_a_refused_stop(
    names: tuple[str, ...], changes: dict[str, int], pause_ms: int
) -> None:
    """A quarter of a second while cover is missing, a second behind a backstop at the price, none without a refusal."""
    given: dict[str, object] = {**changes}
    journaled_ms = NOW - int(changes.get("age_ms", 0))
    given.pop("age_ms", None)
    stop = replace(ended(own("S1", journaled_ms=journaled_ms)), **given)  # type: ignore[arg-type]  # by name
    found = held(*(stop if name == "S1" else own(name) for name in names))
    trade = trade_of()
    assert refused_wait_ms(found, trade, assess(found, trade, POLICY)) == pause_ms
    assert bool(made(found)) is (pause_ms == 0)


@pytest.mark.rule("S-1", "S-6")
@pytest.mark.parametrize(("age_ms", "wait_ms"), [(0, 1000), (999, 1), (1000, 0)])
def test_before_a_fill_a_refused_stop_waits_a_second(age_ms: int, wait_ms: int) -> None:
    """Nothing is held, so nothing is missing."""
    refused = ended(own("S1", journaled_ms=NOW - age_ms), end_code=-2010)
    found, trade = world(orders=(refused,)), trade_of()
    assert refused_wait_ms(found, trade, assess(found, trade, POLICY)) == wait_ms
    assert bool(made(found)) is (wait_ms == 0)


@pytest.mark.rule("S-7")
@pytest.mark.parametrize("code", [*sorted(NO_ROOM), -2021])
def test_when_a_stop_needs_room(code: int) -> None:
    """Refused because there are too many orders, while something is held that nothing covers at the price."""
    trade, refused = trade_of(), gone("S2", end_code=code)
    lacks = code in NO_ROOM
    for found, needs in (
        (held(refused), lacks),
        (held(refused, own("B1")), False),
        (held(refused, own("S1")), False),
        (held(), False),
        (world(orders=(refused,)), False),
    ):
        assert stop_needs_room(found, trade, assess(found, trade, POLICY)) is needs


# invisible stops: S-13


@pytest.mark.rule("S-13", "P-9")
def test_a_replacement_names_those_that_no_list_tells() -> None:
    """All of them, and the price of the one more."""
    (line,) = made(held(*invisible(2)))
    names = ", ".join(order.client_id for order in invisible(2))
    assert line == (
        "+S3 SELL 0.013 STOP_MARKET 90380 GTC | "
        f"S-13: no list tells {names} any more: one more at 90380"
    )


@pytest.mark.rule("S-13")
@pytest.mark.parametrize(
    ("count", "newest_age_ms", "sent"),
    [
        (1, 5000, True),
        (3, 5000, True),
        (4, 5000, False),
        (4, 59_999, False),
        (4, 60_000, True),
        (7, 60_000, True),
        (8, 60_000, False),
        (8, 600_000, False),
    ],
)
def test_the_rhythm_of_replacements(count: int, newest_age_ms: int, sent: bool) -> None:
    """Three at once, then one a minute since the newest, eight in all."""
    assert bool(made(held(*invisible(count, NOW - newest_age_ms)))) is sent


@pytest.mark.rule("S-13", "S-4")
def test_an_unknown_replacement_is_waited_for() -> None:
    """It may rest already: no second one goes beside it."""
    unknown = own("S2", state=OrderState.UNKNOWN, acked_ms=None)
    assert made(held(own("S1", unlisted=UNLISTED), unknown)) == []


@pytest.mark.rule("S-13", "S-4")
def test_beside_an_invisible_stop_a_visible_one_is_not_moved() -> None:
    """Where it was stands one that is told of: nothing more is added until the other is found or ended."""
    rests, lost = own("S2"), own("S1", unlisted=UNLISTED)
    assert made(held(lost, rests), guided()) == []
    assert len(made(held(rests), guided())) == 1


# what is tidied: S-4


@pytest.mark.rule("S-4", "P-9", "Y-4")
@SIDES
@pytest.mark.parametrize(
    ("first", "second", "goes", "stays"),
    [
        ("90380", "90380", "S1", "S2"),
        ("90380", "90400", "S1", "S2"),
        ("90400", "90380", "S2", "S1"),
    ],
)
def test_of_two_confirmed_stops_the_tightest_newest_stays(
    side: Side, first: str, second: str, goes: str, stays: str
) -> None:
    """The tighter price first, then the newer attempt; the cause names the one that covers."""
    one = at(side, "S1", first, acked_ms=RECENT)
    two = at(side, "S2", second, acked_ms=RECENT)
    kept = one if stays == "S1" else two
    found = held(one, two, side=side)
    assert made(found, trade_of(side)) == [
        f"-{goes} | S-4: {kept.client_id} is confirmed and covers all"
    ]


@pytest.mark.rule("S-4", "S-13", "P-2", "Y-4")
@SIDES
@pytest.mark.parametrize(
    ("changes", "goes"),
    [
        ({}, True),
        ({"state": OrderState.TRIGGERED}, False),
        ({"unlisted": UNLISTED}, False),
        ({"state": OrderState.UNKNOWN, "acked_ms": None}, True),
        ({"state": OrderState.UNKNOWN, "acked_ms": None, "price": "90400"}, True),
        ({"state": OrderState.UNKNOWN, "acked_ms": None, "price": "90400.1"}, False),
        ({"cancel_sent_ms": NOW - 499}, False),
        ({"cancel_sent_ms": NOW - 500}, True),
    ],
)
def test_which_superfluous_stops_go(side: Side, changes: dict[str, object], goes: bool) -> None:
    """Not one that executes, that no list tells, whose cancel is being answered, or an unknown one that may be tighter."""
    given = dict(changes)
    other = at(side, "S1", str(given.pop("price", "90380")), **given)
    found = held(other, at(side, "S2", "90400", acked_ms=RECENT), side=side)
    assert [line[:3] for line in made(found, trade_of(side))] == (["-S1"] if goes else [])


@pytest.mark.rule("S-4", "P-2", "S-13")
@pytest.mark.parametrize(
    ("acked_ms", "list_age_ms", "unlisted", "goes"),
    [
        (NOW - 3000, None, (), True),
        (NOW - 3001, None, (), False),
        (BEFORE, 3000, (), True),
        (BEFORE, 3001, (), False),
        (NOW - 3000, 4000, (), True),
        (NOW - 3000, None, (NOW - 10,), False),
        (BEFORE, 100, (NOW - 10,), False),
    ],
)
def test_nothing_goes_on_the_strength_of_a_stop_that_was_not_seen_in_three_seconds(
    acked_ms: int, list_age_ms: int | None, unlisted: tuple[int, ...], goes: bool
) -> None:
    """Acknowledged or listed within `max_truth_age_s`, whichever is younger, and not missed since."""
    kept = own("S2", acked_ms=acked_ms, unlisted=unlisted)
    old = own("S1")
    listed = None if list_age_ms is None else seen((row(kept),), list_age_ms)
    found = held(old, kept, conditional_orders=listed)
    assert bool(made(found)) is goes
    foreign = None if list_age_ms is None else seen((row(own("B1")),), list_age_ms)
    if acked_ms == BEFORE:
        assert made(replace(found, conditional_orders=foreign)) == []


@pytest.mark.rule("S-4", "S-11", "Y-4")
@pytest.mark.parametrize(
    ("changes", "placed"),
    [
        ({"echo_error": "price"}, True),
        ({"state": OrderState.TRIGGERED}, True),
        ({"quantity": D("0.012")}, True),
        ({"trigger_price": D("90379.9")}, True),
        ({"quantity": D("0.014")}, False),
        ({"trigger_price": D("90380.1")}, False),
        ({}, False),
    ],
)
def test_which_stop_serves(changes: dict[str, object], placed: bool) -> None:
    """One with an echo as asked, resting, of the size or larger, at the price or tighter: then none is placed."""
    assert bool(made(held(own("S1", Side.BUY, journaled_ms=0, **changes)))) is placed


# room for a better one: S-4


def _partly(*stops: OwnOrder, side: Side = Side.BUY) -> World:
    """0.005 of 0.013 have filled."""
    entry = own("E1", side, filled_quantity=D("0.005"))
    signed = "0.005" if side is Side.BUY else "-0.005"
    bought = (lot(entry, "0.005", time_ms=BEFORE),)
    return world(orders=(entry, *stops), fills=bought, position=position(signed))


@pytest.mark.rule("S-4")
@SIDES
def test_of_three_stops_that_cover_too_little_the_best_stays(side: Side) -> None:
    """They cover what has filled, not what may come: two go, so that the whole one finds a place."""
    stops = [own(f"S{n}", side, quantity=D(f"0.00{n + 4}"), acked_ms=RECENT) for n in range(1, 4)]
    why = f"S-4: {stops[2].client_id} is confirmed and covers all"
    assert made(_partly(*stops, side=side), trade_of(side)) == [f"-S1 | {why}", f"-S2 | {why}"]
    assert [line[:3] for line in made(_partly(*stops[:2], side=side), trade_of(side))] == ["+S3"]


@pytest.mark.rule("S-4")
@SIDES
def test_of_three_that_cover_one_that_covers_all_stays(side: Side) -> None:
    """A newer and tighter one of half the size gives way: the plan may still fill."""
    whole = at(side, "S1", "90380", acked_ms=RECENT)
    small = [at(side, n, "90400", quantity=D("0.006"), acked_ms=RECENT) for n in ("S2", "S3")]
    why = f"S-4: {whole.client_id} is confirmed and covers all"
    found = _partly(whole, *small, side=side)
    assert made(found, guided(side)) == [f"-S2 | {why}", f"-S3 | {why}"]


@pytest.mark.rule("S-4", "Y-3", "P-9")
@SIDES
@pytest.mark.parametrize(
    ("prices", "goes"),
    [
        (("90380", "90380", "90380"), "S1"),
        (("90400", "90380", "90390"), "S2"),
        (("90400", "90400", "90390"), "S3"),
    ],
)
def test_of_three_outgrown_stops_the_loosest_goes(
    side: Side, prices: tuple[str, ...], goes: str
) -> None:
    """A hand made the position 0.020, larger than each of them: one goes, the oldest of equal ones, to make room."""
    stops = [at(side, f"S{n}", price) for n, price in enumerate(prices, 1)]
    signed = "0.020" if side is Side.BUY else "-0.020"
    found = held(*stops, side=side, position=position(signed))
    assert made(found, trade_of(side)) == [f"-{goes} | S-4: 3 stops, none for 0.02: room"]


@pytest.mark.rule("S-4", "S-13", "X-4")
@pytest.mark.parametrize("what", ["two", "one confirmed", "two confirmed", "canceled", "invisible"])
def test_when_no_outgrown_stop_goes(what: str) -> None:
    """Two leave a place; the only confirmed one, one that no list tells and one that is being cancelled stay."""
    unknown: dict[str, object] = {"state": OrderState.UNKNOWN, "acked_ms": None}
    others: dict[str, dict[str, object]] = {
        "two confirmed": unknown,
        "one confirmed": unknown,
        "invisible": {"unlisted": UNLISTED},
    }
    second = unknown if what == "one confirmed" else {}
    stops = [
        own("S1", cancel_sent_ms=NOW - 499 if what == "canceled" else None),
        own("S2", Side.BUY, **second),
        own("S3", Side.BUY, **others.get(what, {})),
    ]
    stops = stops[:2] if what == "two" else stops
    found = held(*stops, position=position("0.020"))
    lines = {"two": ["+S3"], "two confirmed": ["-S1"], "invisible": ["+S4"]}.get(what, [])
    assert [line[:3] for line in made(found)] == lines


# an echo that differs: S-11


@pytest.mark.rule("S-11", "P-2", "P-9")
@SIDES
def test_a_stop_with_a_wrong_echo_goes_once_another_covers(side: Side) -> None:
    """What rests may protect: without cover it stays; the cause tells what differs."""
    wrong, good = own("S1", side, echo_error="quantity 0.012"), own("S2", side)
    trade = trade_of(side)

    def sent(*orders: OwnOrder) -> list[str]:
        found = held(*orders, side=side)
        return said(echo_cancels(found, trade, assess(found, trade, POLICY)))

    line = "-S1 | S-11: echo differs: quantity 0.012"
    assert sent(wrong) == []
    assert sent(good) == []
    assert sent(wrong, good) == [line]
    assert sent(wrong, replace(good, unlisted=(NOW - 10,))) == []
    assert sent(wrong, own("S2", side, quantity=D("0.012"))) == []
    assert sent(replace(wrong, cancel_sent_ms=NOW - 499), good) == []
    assert sent(replace(wrong, cancel_sent_ms=NOW - 500), good) == [line]
    assert sent(own("B1", side, echo_error="x")) == []
    assert sent(own("P1", side, echo_error="x")) == ["-P1 | S-11: echo differs: x"]


@pytest.mark.rule("S-11", "S-1")
def test_before_a_fill_a_stop_with_a_wrong_echo_goes_at_once() -> None:
    """There is nothing that it protects."""
    found, trade = world(orders=(own("S1", echo_error="price"),)), trade_of()
    assert said(echo_cancels(found, trade, assess(found, trade, POLICY))) == [
        "-S1 | S-11: echo differs: price"
    ]


@pytest.mark.rule("S-7")
def test_a_narrower_band_of_the_venue_is_used_as_it_is() -> None:
    """Half as wide: nine tenths of 2.5 % from mark."""
    narrow = replace(BTC, multiplier_down=D("0.975"))
    found = held(gone("S1", end_code=-4024), instrument=narrow, mark=seen(D("95000")))
    assert made(found)[0].startswith("+S2 SELL 0.013 STOP_MARKET 92862.5 GTC | ")
