"""The chase and the order that takes, in their own words and to the millisecond and the tick (E-5, E-6, E-10)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import BEFORE, ended, lot, own, trade_of
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, quote, short_decision, world

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.command import AmendOrder, AmendRequest, CancelOrder, Cause, Command
from jumar.model.order import OrderState, OwnOrder, Role, Side, TimeInForce
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.world import Quote, World
from jumar.planner.band import Band, compute_band
from jumar.planner.chase import (
    chase,
    chases_of,
    joining_price,
    touch_of,
    unfilled_ms,
)
from jumar.planner.entry import entry_commands
from jumar.planner.facts import assess
from jumar.planner.fallback import Taking, fallback_is_spent, give_way, taking_price

both = pytest.mark.parametrize("side", list(Side))
#: So long an entry has rested: a chase is due, and an order that takes.
RESTED_MS = NOW - 111_000
FIRST = {Side.BUY: D(90760), Side.SELL: D(90840)}


def example(side: Side, **changes: object) -> Trade:
    """The trade of a side, armed for a decision that is sure enough to take."""
    made = decision if side is Side.BUY else short_decision
    return trade_of(side, **{"decision": made(confidence=D("0.8")), **changes})


def band_of(trade: Trade, policy: Policy = POLICY) -> Band:
    """[90 700, 90 786.6], for a short [90 813.4, 90 900]."""
    assert trade.decision.levels is not None
    band = compute_band(trade.decision.levels, trade.side, BTC, policy)
    assert isinstance(band, Band)
    return band


def asked(price: str, state: AmendmentState = AmendmentState.DONE, **changes: object) -> Amendment:
    """An amendment of long ago."""
    base = Amendment(
        number=1,
        price=D(price),
        quantity=D("0.013"),
        rule="E-5",
        cause="chase",
        timestamp_ms=BEFORE - 600_000,
        state=state,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test states only what differs


def resting(side: Side, name: str = "E1", **changes: object) -> OwnOrder:
    """An entry that has waited its time at 90 760 (90 840)."""
    since = {"journaled_ms": RESTED_MS, "acked_ms": RESTED_MS, "price": FIRST[side]}
    return own(name, side, **{**since, **changes})


def touching(side: Side, away: str) -> World:
    """The touch so far from where the entry rests first, on the side where the price has gone."""
    price = FIRST[side] + (D(away) if side is Side.BUY else -D(away))
    other = price + D("0.1") if side is Side.BUY else price - D("0.1")
    return world(quote=quote(*(str(each) for each in sorted((price, other)))))


def chased(found: World, order: OwnOrder, policy: Policy = POLICY) -> tuple[Command, ...]:
    """What the chase does with an entry."""
    trade = example(order.request.side)
    beside = [each for each in found.orders if each.client_id != order.client_id]
    return chase(replace(found, orders=(*beside, order)), trade, policy, band_of(trade), order)


# what is counted


@pytest.mark.rule("E-5", "T-4")
def test_chases_of_all_entries_are_counted() -> None:
    """Those that moved an order, are underway, or made the venue cancel; none that had no effect, none of others."""
    states = (AmendmentState.DONE, AmendmentState.REFUSED, AmendmentState.ABSENT)
    first = ended(own("E1", amendments=tuple(asked("90770", state) for state in states)))
    second = own("E2", amendments=(asked("90771"), asked("90772", AmendmentState.ASKED)))
    assert chases_of(world(orders=(first, second))) == 3
    assert chases_of(world(orders=(own("S1"),))) == 0


@pytest.mark.rule("E-5")
def test_how_long_an_entry_has_been_without_a_fill() -> None:
    """Since the last of: acknowledged, asked to move, filled; until now, or until it ended."""
    plain = own("E1", journaled_ms=NOW - 9000, acked_ms=NOW - 8000)
    cases: tuple[tuple[OwnOrder, int], ...] = (
        (plain, 8000),
        (replace(plain, acked_ms=None), 9000),
        (replace(plain, amendments=(asked("90770", timestamp_ms=NOW - 7000),)), 7000),
        (replace(plain, amendments=(asked("90770", timestamp_ms=NOW - 8500),)), 8000),
        (ended(plain, ended_ms=NOW - 1500), 6500),
    )
    for order, expected in cases:
        assert unfilled_ms(world(orders=(order,)), order) == expected
    fills = (lot(plain, "0.001", time_ms=NOW - 3000), lot(plain, "0.001", time_ms=NOW - 2000))
    assert unfilled_ms(world(fills=fills), plain) == 2000
    other = lot(own("E2"), "0.001", time_ms=NOW - 100)
    assert unfilled_ms(world(fills=(*fills, other)), plain) == 2000


# the chase


@pytest.mark.rule("E-5", "P-9")
@pytest.mark.parametrize(
    ("side", "goal", "words"),
    [
        (
            Side.BUY,
            "90780",
            (
                "chase 3 of 5: jm-abcdefghij-E2 90760 -> 90780, unfilled for 111.0 s, the touch 90780 is "
                "0.022 % away, band [90700, 90786.6]"
            ),
        ),
        (
            Side.SELL,
            "90820",
            (
                "chase 3 of 5: jm-abcdefghij-E2 90840 -> 90820, unfilled for 111.0 s, the touch 90820 is "
                "0.022 % away, band [90813.4, 90900]"
            ),
        ),
    ],
)
def test_the_amendment_as_it_is_sent(side: Side, goal: str, words: str) -> None:
    """Its total quantity, its own number, and which chase of how many of the trade it is."""
    before = ended(own("E1", side, amendments=(asked("1"), asked("2"))))
    refused = (asked("90770", AmendmentState.REFUSED),)
    order = resting(side, "E2", amendments=refused, quantity=D("0.008"))
    found = replace(touching(side, "20"), orders=(before,))
    assert chased(found, order) == (
        AmendOrder(
            request=AmendRequest(
                symbol="BTCUSDT",
                client_id="jm-abcdefghij-E2",
                side=side,
                price=D(goal),
                quantity=D("0.008"),
                number=2,
            ),
            trade_key="abcdefghij",
            cause=Cause(rule="E-5", text=words),
        ),
    )


@both
@pytest.mark.rule("E-5", "X-4", "S-11")
def test_what_keeps_an_entry_from_being_amended(side: Side) -> None:
    """Each alone: not confirmed, a cancel or an amendment underway, no price or quantity of its own, no quote."""
    found = touching(side, "20")
    order = resting(side)
    assert len(chased(found, order)) == 1
    underway = asked("90770", AmendmentState.ASKED)
    for other in (
        replace(order, state=OrderState.UNKNOWN),
        replace(order, echo_error="other"),
        replace(order, cancel_sent_ms=BEFORE),
        replace(order, amendments=(underway,)),
        replace(order, request=replace(order.request, price=None)),
        replace(order, request=replace(order.request, quantity=None)),
    ):
        assert chased(found, other) == ()
    assert chased(replace(found, quote=None), order) == ()


@both
@pytest.mark.rule("E-5")
@pytest.mark.parametrize(("chases", "again"), [(4, True), (5, False), (6, False)])
def test_the_last_chase_is_the_last(side: Side, chases: int, *, again: bool) -> None:
    """Five of five are made; what earlier entries used up counts."""
    before = ended(own("E1", side, amendments=tuple(asked("1") for _ in range(chases))))
    found = replace(touching(side, "20"), orders=(before,))
    assert bool(chased(found, resting(side, "E2"))) is again


@both
@pytest.mark.rule("E-5")
@pytest.mark.parametrize(("from_edge", "moves"), [("0.1", True), ("0", False)])
def test_the_last_tick_before_the_edge_is_worth_a_chase(
    side: Side, from_edge: str, *, moves: bool
) -> None:
    """The touch is beyond the band: the entry goes to the edge, however near it is, and not where it stands."""
    edge = D("90786.6") if side is Side.BUY else D("90813.4")
    sign = example(side).sign
    order = resting(side, price=edge - D(from_edge) * sign)
    sent = chased(touching(side, "60"), order)
    assert [each.request.price for each in sent if isinstance(each, AmendOrder)] == (
        [edge] if moves else []
    )


@both
@pytest.mark.rule("E-5", "P-3", "W-3")
def test_no_chase_to_where_the_trade_is_not_worth_it(side: Side) -> None:
    """The edge of the band by the decision's levels, too poor by those that were armed."""
    trade = example(side)
    found, order = touching(side, "26.6"), resting(side)
    found = replace(found, orders=(order,))
    band = band_of(trade)
    assert len(chase(found, trade, POLICY, band, order)) == 1
    poor = replace(trade, tp1=trade.tp1 - 1 * trade.sign)
    assert chase(found, poor, POLICY, band, order) == ()


@both
@pytest.mark.rule("E-5", "E-6", "E-10")
def test_what_becomes_of_an_entry_that_rests(side: Side) -> None:
    """It is chased; once the chases are used up it gives way; of two that may rest the newest is the one."""
    trade, found = example(side), touching(side, "20")
    edge = {"price": D("90780") if side is Side.BUY else D("90820")}
    waited = spent(side)
    settled = replace(
        waited, amendments=tuple(asked(str(edge["price"])) for _ in waited.amendments)
    )
    cases = (
        ((resting(side),), AmendOrder, "jm-abcdefghij-E1"),
        ((resting(side), resting(side, "E2")), AmendOrder, "jm-abcdefghij-E2"),
        ((settled,), CancelOrder, "jm-abcdefghij-E1"),
    )
    for orders, kind, name in cases:
        known = replace(found, orders=(own("S1", side), *orders))
        (sent,) = entry_commands(known, trade, assess(known, trade, POLICY), POLICY, ())
        assert isinstance(sent, AmendOrder | CancelOrder)
        assert type(sent) is kind
        told = sent.request.client_id if isinstance(sent, AmendOrder) else sent.client_id
        assert told == name


@pytest.mark.rule("E-5", "E-6")
def test_which_prices_an_entry_rests_on() -> None:
    """A long rests on the bid, a short on the ask."""
    shown = Quote(bid=D(1), ask=D(2), bid_quantity=D(5), ask_quantity=D(5))
    assert (touch_of(shown, Side.BUY), touch_of(shown, Side.SELL)) == (D(1), D(2))


# the next entry


def joined(side: Side, away: str, *orders: OwnOrder, chosen: Trade | None = None) -> Decimal | None:
    """Where the next post-only entry joins."""
    trade = chosen or example(side)
    found = replace(touching(side, away), orders=orders)
    assert found.quote is not None
    return joining_price(found, trade, band_of(trade), found.quote.value, BTC)


@pytest.mark.rule("E-10", "E-5")
@pytest.mark.parametrize(
    ("side", "zone", "won", "away", "expected"),
    [
        # a narrow way above the zone's middle, 90 725 of [90 700, 90 750]; a short's is 90 875
        (Side.BUY, "90750", "90740", "0", "90740"),
        (Side.BUY, "90750", "90720", "0", "90725"),
        (Side.BUY, "90750", "90750", "0", "90750"),
        (Side.BUY, "90750", "90750.1", "0", "90725"),
        (Side.BUY, "90750", "90740", "-25", "90735"),
        (Side.BUY, "90750", "90740", "-70", None),
        (Side.BUY, "90750", "90740", "-60", "90700"),
        (Side.SELL, "90850", "90860", "0", "90860"),
        (Side.SELL, "90850", "90880", "0", "90875"),
        (Side.SELL, "90850", "90850", "0", "90850"),
        (Side.SELL, "90850", "90849.9", "0", "90875"),
        (Side.SELL, "90850", "90860", "-25", "90865"),
        (Side.SELL, "90850", "90860", "-70", None),
        (Side.SELL, "90850", "90860", "-60", "90900"),
    ],
)
def test_the_next_entry_joins_where_a_chase_had_won_a_place(
    side: Side, zone: str, won: str, away: str, expected: str | None
) -> None:
    """As far as the chase came, no further than the touch, and only inside the band; else as if there was none."""
    base = example(side)
    assert base.decision.levels is not None
    edge = {"zone_max": D(zone)} if side is Side.BUY else {"zone_min": D(zone)}
    plan = replace(
        base, decision=replace(base.decision, levels=replace(base.decision.levels, **edge))
    )
    for state in AmendmentState:
        counts = state in {AmendmentState.DONE, AmendmentState.ASKED}
        before = ended(own("E1", side, amendments=(asked(won, state),)))
        plain = joined(side, away, chosen=plan)
        goal = None if expected is None else D(expected)
        assert joined(side, away, before, chosen=plan) == (goal if counts else plain)


@both
@pytest.mark.rule("E-10")
def test_of_several_chases_the_furthest_counts(side: Side) -> None:
    """Over all entries of the trade, in whichever order."""
    near, far = ("90730", "90740") if side is Side.BUY else ("90870", "90860")
    edge = levels(zone_max=D(90750)) if side is Side.BUY else None
    short = short_decision().levels
    assert short is not None
    narrow = edge or replace(short, zone_min=D(90850))
    plan = example(side, decision=replace(example(side).decision, levels=narrow))
    first = ended(own("E1", side, amendments=(asked(far), asked(near))))
    second = ended(own("E2", side, amendments=(asked(near),)))
    for orders in ((first, second), (second, first)):
        assert joined(side, "0", *orders, chosen=plan) == D(far)


# the order that takes


def spent(side: Side, **changes: object) -> OwnOrder:
    """An entry that has used up all five chases and waited at the last price."""
    five = tuple(asked(str(FIRST[side])) for _ in range(5))
    return replace(resting(side, amendments=five), **changes)  # type: ignore[arg-type]  # as above


def taking(
    found: World, order: OwnOrder, trade: Trade | None = None, policy: Policy = POLICY
) -> Taking | None:
    """The limit of an order that takes after this one."""
    chosen = trade or example(order.request.side)
    known = replace(found, orders=(*found.orders, order))
    return taking_price(known, chosen, policy, band_of(chosen))


@pytest.mark.rule("E-6", "P-9")
@pytest.mark.parametrize(
    ("side", "price", "words"),
    [
        (
            Side.BUY,
            "90786.6",
            (
                "5 chases are used up, unfilled for 111.0 s, confidence 0.8 of 0.75: takes 90760.1 up to "
                "90786.6, band [90700, 90786.6]"
            ),
        ),
        (
            Side.SELL,
            "90813.4",
            (
                "5 chases are used up, unfilled for 111.0 s, confidence 0.8 of 0.75: takes 90839.9 up to "
                "90813.4, band [90813.4, 90900]"
            ),
        ),
    ],
)
def test_an_order_that_takes_says_why(side: Side, price: str, words: str) -> None:
    """And the entry that rests gives way to it with the same words."""
    found, order, trade = touching(side, "0"), spent(side), example(side)
    cause = Cause(rule="E-6", text=words)
    assert taking(found, order) == Taking(price=D(price), cause=cause)
    found = replace(found, orders=(order,))
    assert give_way(found, trade, POLICY, band_of(trade), order) == (
        CancelOrder(
            symbol="BTCUSDT",
            channel=order.request.channel,
            client_id=order.client_id,
            cause=Cause(rule="E-6", text=f"gives way: {words}"),
        ),
    )


@both
@pytest.mark.rule("E-6", "X-4")
def test_nothing_gives_way_while_a_wish_is_underway(side: Side) -> None:
    """An amendment without an answer, or a cancel that was sent just now, is waited for."""
    found, trade = touching(side, "0"), example(side)
    order = spent(side)
    underway = replace(order, amendments=(*order.amendments, asked("90770", AmendmentState.ASKED)))
    for other, gives in (
        (order, True),
        (underway, False),
        (replace(order, cancel_sent_ms=NOW - 499), False),
        (replace(order, cancel_sent_ms=NOW - 500), True),
    ):
        known = replace(found, orders=(other,))
        assert bool(give_way(known, trade, POLICY, band_of(trade), other)) is gives


@both
@pytest.mark.rule("E-6")
def test_what_an_order_that_takes_waits_for(side: Side) -> None:
    """Each alone: filters, quote, an entry before it, its chases, its time at the book, an acknowledgement."""
    found, order = touching(side, "0"), spent(side)
    trade = example(side)
    assert taking(found, order) is not None
    assert taking(replace(found, quote=None), order) is None
    assert taking(replace(found, instrument=None), order) is None
    assert taking_price(found, trade, POLICY, band_of(trade)) is None
    assert taking(found, replace(order, amendments=order.amendments[1:])) is None
    assert taking(found, replace(order, acked_ms=None)) is None
    on_time = replace(order, acked_ms=NOW - 10_000)
    assert taking(found, on_time) is not None
    assert taking(found, replace(on_time, acked_ms=NOW - 9999)) is None


@pytest.mark.rule("E-6", "E-9")
@pytest.mark.parametrize(
    ("owner", "guide", "takes"),
    [
        ("0.75", None, True),
        ("0.7499", None, False),
        ("0.75", "0.75", True),
        ("0.9", "0.7499", False),
        ("0.7499", "0.9", False),
    ],
)
def test_owner_and_guide_must_both_be_sure(owner: str, guide: str | None, *, takes: bool) -> None:
    """The less sure of the two counts."""
    newer = None if guide is None else decision(id="d2", confidence=D(guide))
    trade = trade_of(decision=decision(confidence=D(owner)), guide=newer)
    assert (taking(touching(Side.BUY, "0"), spent(Side.BUY), trade) is not None) is takes


@both
@pytest.mark.rule("E-6")
@pytest.mark.parametrize(
    ("changes", "is_spent"),
    [
        ({}, True),
        ({"state": OrderState.IN_FLIGHT, "acked_ms": None}, True),
        ({"state": OrderState.ENDED}, True),
        ({"state": OrderState.ENDED, "acked_ms": None}, False),
        ({"state": OrderState.ENDED, "acked_ms": None, "end_code": -2019}, True),
        ({"state": OrderState.ENDED, "time_in_force": TimeInForce.GTX}, False),
    ],
)
def test_when_the_one_order_that_takes_is_spent(
    side: Side, changes: dict[str, object], *, is_spent: bool
) -> None:
    """Once it may have come to the book, or was refused; not where it is proven that it never left."""
    order = own("E2", side, **{"time_in_force": TimeInForce.IOC, **changes})
    assert order.role is Role.ENTRY
    assert fallback_is_spent(world(orders=(order,))) is is_spent
    assert fallback_is_spent(world(orders=(spent(side), order))) is is_spent


@pytest.mark.rule("E-6")
@pytest.mark.parametrize(
    ("side", "slippage", "price"),
    [
        # the touch is 90 760.1, for a short 90 839.9
        (Side.BUY, "0.01", "90769.1"),
        (Side.BUY, "0.03", "90786.6"),
        (Side.BUY, "0", "90760.1"),
        (Side.SELL, "0.01", "90830.9"),
        (Side.SELL, "0.03", "90813.4"),
        (Side.SELL, "0", "90839.9"),
    ],
)
def test_how_far_an_order_that_takes_may_reach(side: Side, slippage: str, price: str) -> None:
    """So many percent beyond the touch, rounded toward it, and never beyond the band."""
    policy = replace(POLICY, max_slippage_pct=D(slippage))
    found = taking(touching(side, "0"), spent(side), policy=policy)
    assert found is not None and found.price == D(price)
