"""Modes in words: what holds entries back while it lasts, and which mode a trade leads to and leaves (M-1, M-2, M-3)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.unit.planner.test_passing import stranger
from tests.worlds import NOW, POLICY, D, seen, world

from jumar.model.mode import Health, Mode, ModeState
from jumar.model.order import OrderState, Side
from jumar.model.trade import CloseReason, Trade
from jumar.model.world import Source, World
from jumar.planner import ladder
from jumar.planner.facts import assess
from jumar.planner.modes import in_force, mode_of, passing, resting_mode
from jumar.planner.plan import plan

both_sides = pytest.mark.parametrize("side", list(Side))


def told(found: World) -> list[tuple[str, str]]:
    """Each passing mode by its code and words; all hold since now and let everything but entries through."""
    states = passing(found)
    assert all(each.since_ms == NOW for each in states)
    assert all(each.mode is Mode.NO_ENTRIES for each in states)
    assert all(each.rule == ladder.rung(each.code).rule for each in states)
    return [(each.code, each.cause) for each in states]


# what passes


@pytest.mark.rule("M-3", "P-9")
@pytest.mark.parametrize(
    ("silent_ms", "hears", "words"),
    [
        (10_001, True, ("unreachable", "no read was answered for 10.0 s, 10 s are allowed")),
        (12_340, True, ("unreachable", "no read was answered for 12.3 s, 10 s are allowed")),
        (12_340, False, ("unreachable", "no read was answered for 12.3 s, 10 s are allowed")),
        (10_000, False, ("deaf", "the stream is silent and the last read failed, 10.0 s ago")),
        (60_000, True, ("unreachable", "no read was answered for 60.0 s, 10 s are allowed")),
        (9955, False, ("deaf", "the stream is silent and the last read failed, 10.0 s ago")),
        (1500, False, ("deaf", "the stream is silent and the last read failed, 1.5 s ago")),
        (0, False, ("deaf", "the stream is silent and the last read failed, 0.0 s ago")),
        (10_000, True, None),
    ],
)
def test_an_exchange_that_does_not_answer_is_told_with_the_seconds(
    silent_ms: int, hears: bool, words: tuple[str, str] | None
) -> None:
    """The longer silence has the stronger words; one that answers is never silent."""
    health = Health(unanswered_ms=NOW - silent_ms, hears=hears)
    assert told(world(health=health)) == ([] if words is None else [words])
    assert told(world(health=Health(hears=hears))) == []


@pytest.mark.rule("M-3", "W-2", "X-7")
def test_a_clock_that_is_off_and_a_strange_writer_are_told() -> None:
    """Both at once, with the numbers and the reason as it was found."""
    health = Health(clock_off_ms=1234, not_writer="jumar.db was replaced")
    assert told(world(health=health)) == [
        ("clock_off", "exchange time may be off by 1234 ms, 1000 ms are allowed"),
        ("not_writer", "jumar.db was replaced"),
    ]


@pytest.mark.rule("M-3")
@pytest.mark.parametrize(
    ("ages_ms", "count"),
    [
        ((0, 0, 0), 3),
        ((299_999, 299_999, 299_999, 0), 4),
        ((400_000, 300_000, 3, 2, 1), 3),
        ((400_000, 300_000, 2, 1), None),
    ],
)
def test_lost_answers_are_counted(ages_ms: tuple[int, ...], count: int | None) -> None:
    """Those of the last five minutes."""
    health = Health(unknown_ms=tuple(NOW - age for age in ages_ms))
    words = f"{count} requests with an unknown outcome within 5 minutes"
    assert told(world(health=health)) == ([] if count is None else [("unknown_outcomes", words)])


@pytest.mark.rule("M-3", "X-5", "P-9")
@pytest.mark.parametrize("state", [OrderState.IN_FLIGHT, OrderState.UNKNOWN])
@pytest.mark.parametrize("whose", ["orders", "strays"])
def test_an_order_whose_fate_stays_unknown_is_named(whose: str, state: OrderState) -> None:
    """The first one, with the seconds; what is acknowledged or ended is known however old."""
    known = (own("S1", journaled_ms=0), ended(own("E1", journaled_ms=0)))
    lost = (
        own("E2", state=state, journaled_ms=NOW - 60_000),
        own("P1", state=state, journaled_ms=NOW - 75_520),
        own("Q1", state=state, journaled_ms=NOW - 90_000),
    )
    found = world(**{whose: (*known, *lost)})
    words = f"the outcome of jm-{KEY}-P1 is not known for 76 s"
    assert told(found) == [("unresolved", words)]
    assert told(world(**{whose: (*known, lost[0])})) == []


@pytest.mark.rule("S-13", "M-3")
@pytest.mark.parametrize("letter", ["S", "B"])
def test_an_invisible_stop_is_named_once(letter: str) -> None:
    """The first of them; an entry or a target that nobody shows is another matter."""
    unlisted = {"unlisted": (BEFORE + 2000, BEFORE + 4000), "acked_ms": BEFORE}
    lost = [own(f"{letter}{number}", **unlisted) for number in (2, 3)]  # type: ignore[arg-type]  # by name
    others = [own("E1", **unlisted), own("P1", **unlisted), own("S1")]  # type: ignore[arg-type]  # by name
    assert all(each.invisible for each in (*lost, *others[:2]))
    words = f"the stop jm-{KEY}-{letter}2 is invisible"
    assert told(world(orders=(*others, *lost))) == [("invisible_stop", words)]
    assert told(world(orders=tuple(others))) == []
    beside = told(world(orders=tuple(lost), open_orders=seen((stranger("a"),))))
    assert [code for code, _ in beside] == ["invisible_stop", "foreign_order"]


@pytest.mark.rule("Y-7", "X-8")
def test_strangers_and_a_storm_are_told_together() -> None:
    """At most three orders of somebody else are named, from both lists."""
    six = tuple(ended(own(f"E{number}", journaled_ms=NOW)) for number in range(1, 7))
    found = world(
        trade=trade_of(),
        orders=six,
        open_orders=seen((stranger("a"), stranger("b"))),
        conditional_orders=seen((stranger("c"), stranger("d"))),
    )
    assert told(found) == [
        ("entry_storm", "6 entry orders within a minute, 6 are allowed"),
        ("foreign_order", "an order of somebody else rests here, a, b, c"),
    ]
    one = world(open_orders=None, conditional_orders=seen((stranger("c"),)))
    assert told(one) == [("foreign_order", "an order of somebody else rests here, c")]


@pytest.mark.rule("M-1", "M-3")
def test_all_that_holds_is_told_in_its_order() -> None:
    """Symbol, account, senses, answers, orders; NORMAL is no mode that holds."""
    kept, account = ladder.state("paused", "1", NOW), ladder.state("all_paused", "2", NOW)
    found = world(
        mode=kept,
        account_mode=account,
        health=Health(clock_off_ms=1001, unknown_ms=(NOW, NOW, NOW)),
        open_orders=seen((stranger("a"),)),
    )
    codes = ["paused", "all_paused", "clock_off", "unknown_outcomes", "foreign_order"]
    assert [each.code for each in in_force(found)] == codes
    normal = replace(kept, mode=Mode.NORMAL)
    assert in_force(world(mode=normal, account_mode=account)) == (account,)
    assert in_force(world(mode=kept, account_mode=normal)) == (kept,)


# where a close leads


def leads(found: World, trade: Trade, **facts: object) -> ModeState | None:
    """The mode that a trade leads to; facts may be stated."""
    given = replace(assess(found, trade, POLICY), **facts)  # type: ignore[arg-type]  # a test states only what differs
    return mode_of(found, trade, given)


_LOST = ("emergency_close", "a stop was lost or failed")


@pytest.mark.rule("M-2", "M-1", "P-9")
@pytest.mark.parametrize(
    ("rule", "code", "says"),
    [
        ("S-6", *_LOST),
        ("S-7", *_LOST),
        ("S-8", *_LOST),
        ("M-2", "liquidation", "liquidation would come before the stop"),
        ("G-15", "delisting", "the contract is about to end"),
        ("G-10", "daily_loss", "the day's loss limit is reached"),
        ("M-6", "flatten", "an operator wants everything closed"),
    ],
)
@both_sides
def test_a_close_leads_to_flattening_and_then_to_no_entries(
    side: Side, rule: str, code: str, says: str
) -> None:
    """With the rule that demanded it, what happened, and the trade; once flat the cause stays and entries stay away."""
    trade = trade_of(side, closing=CloseReason.EMERGENCY, closing_rule=rule)
    state = ModeState(
        mode=Mode.FLATTENING,
        rule=rule,
        cause=f"{says}: trade {KEY} is closed ({rule})",
        since_ms=NOW,
        code=code,
    )
    found = held(side=side)
    assert leads(found, trade) == state
    flat = replace(trade, proven_flat_ms=NOW - 10)
    assert leads(found, flat) == replace(state, mode=Mode.NO_ENTRIES)


@pytest.mark.rule("M-2", "M-1", "C-1", "C-2")
@pytest.mark.parametrize("rule", ["S-9", "C-1", "C-2", "Y-1", None])
def test_any_other_close_leads_nowhere(rule: str | None) -> None:
    """A stop-out, a decision's wish, an orphan."""
    trade = trade_of(closing=CloseReason.STOP, closing_rule=rule)
    assert leads(held(), trade) is None
    assert leads(held(), replace(trade, proven_flat_ms=NOW)) is None


def kept_in(mode: Mode, since_ms: int = BEFORE) -> ModeState:
    """A mode that is kept."""
    return ModeState(mode=mode, rule="O-4", cause="a cause", since_ms=since_ms, code="tick_failed")


@pytest.mark.rule("M-1", "M-2")
@pytest.mark.parametrize(
    ("mode", "while_held", "once_flat"),
    [
        (Mode.NORMAL, Mode.FLATTENING, Mode.NO_ENTRIES),
        (Mode.NO_ENTRIES, Mode.FLATTENING, None),
        (Mode.PROTECT_ONLY, Mode.FLATTENING, None),
        (Mode.FLATTENING, None, Mode.NO_ENTRIES),
    ],
)
def test_a_close_makes_no_mode_milder(
    mode: Mode, while_held: Mode | None, once_flat: Mode | None
) -> None:
    """FLATTENING is stricter than all that is kept; what it leaves is stricter than NORMAL alone."""
    trade = trade_of(closing=CloseReason.EMERGENCY, closing_rule="S-7")
    found = held(mode=kept_in(mode))
    flat = replace(trade, proven_flat_ms=NOW)
    for each, expected in ((trade, while_held), (flat, once_flat)):
        state = leads(found, each)
        assert (None if state is None else state.mode) is expected


@pytest.mark.rule("M-1", "M-2")
def test_once_flat_the_mode_that_was_kept_keeps_its_cause() -> None:
    """FLATTENING as it was recorded becomes NO_ENTRIES with the same words and the same beginning."""
    trade = trade_of(closing=CloseReason.EMERGENCY, closing_rule="S-7", proven_flat_ms=NOW)
    kept = kept_in(Mode.FLATTENING)
    assert leads(held(mode=kept), trade) == replace(kept, mode=Mode.NO_ENTRIES)


@pytest.mark.rule("M-1", "M-2")
@pytest.mark.parametrize(("since_ms", "holds"), [(-1, True), (0, False), (1, False)])
def test_an_operator_who_looked_after_the_proof_of_flat_is_believed(
    since_ms: int, holds: bool
) -> None:
    """From that very millisecond on; a NORMAL from before it says nothing of this close."""
    trade = trade_of(closing=CloseReason.EMERGENCY, closing_rule="S-7", proven_flat_ms=NOW - 100)
    state = leads(held(mode=kept_in(Mode.NORMAL, NOW - 100 + since_ms)), trade)
    assert (state is not None) is holds


# somebody else's hand


def by_the_venue(name: str = "autoclose-1") -> World:
    """The venue itself sold 0.005 of the position."""
    found = held()
    forced = lot(None, "0.005", side=Side.SELL, client_id=name)
    return replace(found, fills=(*found.fills, forced))


@pytest.mark.rule("Y-3", "Y-2", "M-3", "P-9")
def test_what_the_venue_took_is_told() -> None:
    """Its order's name, how much, and of which trade."""
    expected = ladder.state("forced", f"autoclose-1 took 0.005 of trade {KEY}", NOW)
    assert leads(by_the_venue(), trade_of()) == expected
    assert (expected.rule, expected.mode) == ("Y-3", Mode.NO_ENTRIES)
    assert leads(by_the_venue("web_1"), trade_of()) is None


@pytest.mark.rule("Y-1", "M-3", "P-9")
def test_a_position_that_no_order_of_ours_explains_is_told() -> None:
    """How much was found; orders of a lost journal explain theirs, and a trade that was adopted empty has none."""
    trade = trade_of(adopted_quantity=D("0.020"), adopted_price=D(90000), entry_over="adopted")
    words = "a position of 0.02 that no order of ours explains was found"
    found = held(own("S2"))
    assert leads(found, trade) == ladder.state("foreign_position", words, NOW)
    explained = replace(found, orders=(*found.orders, own("S3", rule="Y-1")))
    assert leads(explained, trade) is None
    assert leads(found, replace(trade, adopted_quantity=D(0))) is None
    least = leads(found, replace(trade, adopted_quantity=D("0.001")))
    assert least is not None and "a position of 0.001 that" in least.cause


@pytest.mark.rule("Y-3", "M-3", "P-9")
@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"foreign_size": D("0.0050")},
            f"foreign_size: 0.005 were added to trade {KEY} by hand",
        ),
        (
            {"oversold": D("0.0070"), "flat": True},
            f"0.007 more was sold than trade {KEY} bought: a hand was there",
        ),
        ({"oversold": D("0.007"), "flat": False}, None),
        ({"oversold": D(0), "flat": True}, None),
        ({}, None),
    ],
)
@both_sides
def test_a_hand_that_traded_our_position_is_told(
    side: Side, facts: dict[str, object], words: str | None
) -> None:
    """Added while it is held, or sold beyond it, once it is proven flat."""
    expected = None if words is None else ladder.state("foreign_size", words, NOW)
    assert leads(held(side=side), trade_of(side), **facts) == expected


@pytest.mark.rule("M-1", "Y-3")
@pytest.mark.parametrize(
    ("kept", "is_told"),
    [
        (None, True),
        (kept_in(Mode.NORMAL, BEFORE - 1), True),
        (kept_in(Mode.NORMAL, BEFORE), False),
        (kept_in(Mode.NORMAL, BEFORE + 1), False),
        (kept_in(Mode.NO_ENTRIES, BEFORE - 1), False),
        (kept_in(Mode.PROTECT_ONLY, BEFORE - 1), False),
        (kept_in(Mode.FLATTENING, BEFORE - 1), False),
    ],
)
def test_a_hand_is_told_once_for_a_trade(kept: ModeState | None, is_told: bool) -> None:
    """An operator who made it NORMAL since the trade was armed has looked; a mode that is kept stays."""
    found = replace(by_the_venue(), mode=kept)
    assert (leads(found, trade_of()) is not None) is is_told


@pytest.mark.rule("M-2", "Y-3")
def test_a_close_counts_more_than_a_hand() -> None:
    """Both hold: the stricter one is kept."""
    trade = trade_of(closing=CloseReason.EMERGENCY, closing_rule="S-8")
    state = leads(by_the_venue(), trade)
    assert state is not None
    assert (state.code, state.mode) == ("emergency_close", Mode.FLATTENING)


# without a trade


@pytest.mark.rule("M-1", "M-2", "Y-6")
@pytest.mark.parametrize(
    ("changes", "is_over"),
    [
        ({}, True),
        ({"ready": False}, False),
        ({"position": position("0.001")}, False),
        ({"position": position("-0.001")}, False),
        ({"position": None}, False),
        ({"strays": (own("S1"),)}, False),
    ],
)
def test_flattening_is_over_when_nothing_is_left(changes: dict[str, object], is_over: bool) -> None:
    """Reconciled, read as flat, and no order of ours left over: NO_ENTRIES with the same cause."""
    kept = kept_in(Mode.FLATTENING)
    state = resting_mode(world(mode=kept, **changes), POLICY)
    assert state == (replace(kept, mode=Mode.NO_ENTRIES) if is_over else None)
    for mode in (Mode.NORMAL, Mode.NO_ENTRIES, Mode.PROTECT_ONLY):
        assert resting_mode(world(mode=kept_in(mode), **changes), POLICY) is None
    assert resting_mode(world(**changes), POLICY) is None


@pytest.mark.rule("M-1", "Y-11")
@pytest.mark.parametrize(("apart_ms", "is_over"), [(1999, False), (2000, True)])
def test_flattening_is_not_over_while_the_stream_says_held(apart_ms: int, is_over: bool) -> None:
    """A list that was asked within two seconds of the event may be the older news."""
    event = replace(position("0.013", NOW - 100 - apart_ms), source=Source.STREAM)
    found = world(
        decision=None,
        mode=kept_in(Mode.FLATTENING),
        position_event=event,
        last_end_ms=event.at_ms + 1,
    )
    assert (resting_mode(found, POLICY) is not None) is is_over
    assert (plan(found, POLICY).mode is not None) is is_over
