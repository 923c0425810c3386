"""What a check tells of prices, band and order: every figure and every sentence, long and short, at the edges."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import ended, held, lot, own
from tests.unit.planner.test_check import checked, offline
from tests.unit.planner.test_judgements_edges import example
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, short_decision, world

from jumar.model.account import Balance
from jumar.model.decision import Action, Decision
from jumar.model.order import Side
from jumar.model.policy import MinStopPolicy
from jumar.model.units import text
from jumar.model.world import DecisionState, Observed, Source, World
from jumar.planner.check import BandReport, EntryReport, Prices, check, with_prices

LONG, SHORT = Side.BUY, Side.SELL
EDGE = "the zone's edge"
#: Where the example's middle is clamped to, and why.
HIGH = (
    "the zone's middle 90800 is above the band's upper end 90786.6, "
    "where reward to risk is 2.0005 and the stop 0.4479 % away"
)
LOW = (
    "the zone's middle 90800 is below the band's lower end 90813.4, "
    "where reward to risk is 2.0005 and the stop 0.4477 % away"
)
sides = pytest.mark.parametrize("side", [LONG, SHORT])


# prices


def priced(some: Decision, **known: str) -> tuple[tuple[str, str, str, str], tuple[str, ...]]:
    """Bid, ask, last and mark as text, and what was assumed of them."""
    given = Prices(**{name: D(price) for name, price in known.items()})
    around, assumed = with_prices(offline(some), POLICY, given)
    assert around.quote is not None
    assert around.last is not None
    assert around.mark is not None
    quote = around.quote.value
    values = (quote.bid, quote.ask, around.last.value, around.mark.value)
    told = [text(value) for value in values]
    return (told[0], told[1], told[2], told[3]), assumed


@pytest.mark.rule("D-9")
@pytest.mark.parametrize(
    ("known", "long", "short"),
    [
        # nothing is known: where the entry would rest, on its own side of the book
        ({}, "90786.6 90786.7 90786.6 90786.6", "90813.3 90813.4 90813.4 90813.4"),
        ({"bid": "90750.5"}, "90750.5 90750.6 90750.5 90750.5", None),
        ({"ask": "90750.5"}, "90750.4 90750.5 90750.5 90750.5", None),
        # the middle of both, down to the tick
        ({"bid": "90750", "ask": "90750.5"}, "90750 90750.5 90750.2 90750.2", None),
        ({"last": "90750.55"}, "90750.5 90750.6 90750.55 90750.55", "90750.4 90750.5 90750.55 90750.55"),
        ({"mark": "90750.55"}, "90750.5 90750.6 90750.5 90750.55", "90750.4 90750.5 90750.5 90750.55"),
        # last before mark, mark before a side of the book
        ({"last": "1000", "mark": "2000"}, "1000 1000.1 1000 2000", "999.9 1000 1000 2000"),
        ({"mark": "2000", "bid": "3000"}, "3000 3000.1 2000 2000", None),
        ({"mark": "2000", "ask": "3000"}, "2999.9 3000 2000 2000", None),
        ({"last": "1000", "bid": "3000"}, "3000 3000.1 1000 1000", None),
        # the book's middle before last and mark, but what is given stays
        ({"bid": "3000", "ask": "3001", "mark": "2000"}, "3000 3001 3000.5 2000", None),
        ({"bid": "3", "ask": "4", "last": "1", "mark": "2"}, "3 4 1 2", None),
        # never below one tick
        ({"mark": "0.05"}, "0.1 0.2 0.1 0.05", "0.1 0.2 0.1 0.05"),
        ({"ask": "0.1"}, "0.1 0.1 0.1 0.1", None),
        ({"ask": "0.3"}, "0.2 0.3 0.3 0.3", None),
    ],
)  # fmt: skip
@sides
def test_what_is_not_known_follows_from_what_is(
    side: Side, known: dict[str, str], long: str, short: str | None
) -> None:
    """Each assumed price stands at the best one known; only an assumed book depends on the side; all are named."""
    prices = (long if side is LONG or short is None else short).split()
    found, assumed = priced(example(side), **known)
    assert list(found) == prices
    names = ("bid", "ask", "last", "mark")
    expected = [f"{n} {p}" for n, p in zip(names, prices, strict=True) if n not in known]
    assert list(assumed) == expected


@pytest.mark.rule("D-9")
def test_where_nothing_can_rest_the_zones_middle_is_assumed() -> None:
    """Down to the tick for both sides; without a zone there is nothing but a tick."""
    empty = levels(tp1=D(91000), zone_max=D("90900.1"))
    assert priced(decision(levels=empty))[0] == ("90800", "90800.1", "90800", "90800")
    short = replace(empty, stop=D(91220), tp1=D(90600))
    found, _ = priced(short_decision(levels=short))
    assert found == ("90799.9", "90800", "90800", "90800")
    assert priced(decision(action=Action.FLAT, levels=None))[0] == ("0.1", "0.2", "0.1", "0.1")


@pytest.mark.rule("D-9")
def test_assumed_prices_are_of_this_moment() -> None:
    """As fresh as a stream would tell them, with no size in the book; without filters nothing is assumed."""
    around, _ = with_prices(offline(decision()), POLICY, Prices())
    for part in (around.quote, around.last, around.mark):
        assert part is not None
        assert (part.at_ms, part.source) == (NOW, Source.STREAM)
    assert around.quote is not None
    assert {around.quote.value.bid_quantity, around.quote.value.ask_quantity} == {D(0)}
    bare = replace(offline(decision()), instrument=None)
    assert with_prices(bare, POLICY, Prices(last=D(90800))) == (bare, ())
    idle = replace(offline(decision()), decision=None)
    found, assumed = with_prices(idle, POLICY, Prices(last=D(90800)))
    assert found.quote is not None
    assert (found.quote.value.bid, found.quote.value.ask) == (D(90800), D("90800.1"))
    assert assumed == ("bid 90800", "ask 90800.1", "mark 90800")
    _, assumed = with_prices(idle, POLICY, Prices())
    assert assumed == ("bid 0.1", "ask 0.2", "last 0.1", "mark 0.1")


def lacking(around: World, part: str) -> World:
    """The same without a part of it."""
    changes: dict[str, object] = {part: None}
    return replace(around, **changes)  # type: ignore[arg-type]  # a test states only what differs


@pytest.mark.rule("D-9")
@pytest.mark.parametrize("part", ["quote", "last", "mark"])
def test_a_check_says_which_prices_it_needs(part: str) -> None:
    """Quote, mark and last price; and of any decision its symbol's filters."""
    whole, _ = with_prices(offline(decision()), POLICY, Prices())
    with pytest.raises(ValueError, match=r"^a check needs a quote, a mark and a last price: see with_prices$"):  # fmt: skip
        check(lacking(whole, part), POLICY)
    for missing in ("decision", "instrument"):
        with pytest.raises(ValueError, match=r"^a check needs a decision and the filters of its symbol$"):  # fmt: skip
            check(lacking(whole, missing), POLICY)


# the band


@pytest.mark.rule("D-9", "E-1")
@pytest.mark.parametrize(
    ("side", "zone", "band"),
    [
        (LONG, {}, ("90700", "90786.6", EDGE, "at 90786.7 reward to risk is 1.9997, 2 needed")),
        (SHORT, {}, ("90813.4", "90900", "at 90813.3 reward to risk is 1.9997, 2 needed", EDGE)),
        # all of the zone can be entered
        (LONG, {"zone_max": "90786.6"}, ("90700", "90786.6", EDGE, EDGE)),
        (SHORT, {"zone_min": "90813.4"}, ("90813.4", "90900", EDGE, EDGE)),
        # 316.7 of 316.739 and 318.8 of 318.854: too little never reads as enough
        (
            LONG,
            {"zone_min": "90400", "zone_max": "90500", "stop": "90180"},
            ("90496.8", "90500", "at 90496.7 the stop is 0.3499 % away, 0.35 % needed", EDGE),
        ),
        (
            SHORT,
            {"zone_min": "91100", "zone_max": "91200", "stop": "91420"},
            ("91100", "91101.1", EDGE, "at 91101.2 the stop is 0.3499 % away, 0.35 % needed"),
        ),
        # 20 000 of 10 000.1
        (
            LONG,
            {"zone_min": "89990", "zone_max": "90100", "stop": "80000", "tp1": "110000.1"},
            ("89990", "90000", EDGE, "at 90000.1 reward to risk is 1.9999, 2 needed"),
        ),
        (
            SHORT,
            {"zone_min": "89900", "zone_max": "90010", "stop": "100000", "tp1": "69999.9"},
            ("90000", "90010", "at 89999.9 reward to risk is 1.9999, 2 needed", EDGE),
        ),
    ],
)
def test_what_bounds_the_enterable_prices(
    side: Side, zone: dict[str, str], band: tuple[str, str, str, str]
) -> None:
    """Either end is the zone's own, or the next tick is told with what it would lack."""
    some = example(side, tp2=None, **{name: D(price) for name, price in zone.items()})
    low, high, low_because, high_because = band
    assert checked(some).band == BandReport(
        low=D(low), high=D(high), low_because=low_because, high_because=high_because
    )


@pytest.mark.rule("D-9", "G-3")
@sides
def test_without_an_enterable_price_there_is_neither_band_nor_order(side: Side) -> None:
    """What is refused for its levels has nothing to be placed."""
    report = checked(example(side, tp1=D(91000) if side is LONG else D(90600)))
    assert (report.band, report.order, report.accepted) == (None, None, False)


# the order


@pytest.mark.rule("D-9", "E-2", "E-3", "T-1", "P-3")
def test_the_whole_order_of_the_example() -> None:
    """Every figure of it; 406.6 of risk with 54.3093 of fees: 0.013 lose 5.9918."""
    report = checked(decision())
    assert report.order == EntryReport(
        side=LONG,
        price=D("90786.6"),
        price_because=HIGH,
        limit_price=D("90786.6"),
        quantity=D("0.013"),
        quantity_because="1200 / 90786.6, the band's worst price, floored to the step 0.001",
        notional=D("1180.2258"),
        leverage=3,
        margin=D("393.4086"),
        stop=D(90380),
        stop_pct=D("0.4479"),
        tp1=D(91600),
        tp1_quantity=D("0.006"),
        tp2=D(92900),
        tp2_quantity=D("0.007"),
        gross=D("2.0005"),
        net=D("1.6459"),
        loss=D("5.99182116"),
        cuts=(),
    )
    assert (report.decision, report.now_ms, report.instrument) == (decision(), NOW, BTC)
    assert report.policy == POLICY


@pytest.mark.rule("D-9", "E-2", "E-3", "T-1", "P-3")
def test_the_whole_order_of_the_mirrored_example() -> None:
    """As the long one, from the band's bottom: 0.013 lose 5.9963."""
    order = checked(short_decision(leverage=D(5))).order
    assert order == EntryReport(
        side=SHORT,
        price=D("90813.4"),
        price_because=LOW,
        limit_price=D("90813.4"),
        quantity=D("0.013"),
        quantity_because="1200 / 90813.4, the band's worst price, floored to the step 0.001",
        notional=D("1180.5742"),
        leverage=5,
        margin=D("236.11484"),
        stop=D(91220),
        stop_pct=D("0.4477"),
        tp1=D(90000),
        tp1_quantity=D("0.006"),
        tp2=D(88700),
        tp2_quantity=D("0.007"),
        gross=D("2.0005"),
        net=D("1.6460"),
        loss=D("5.99625884"),
        cuts=(),
    )


@pytest.mark.rule("D-9", "T-1")
@pytest.mark.parametrize(
    ("notional", "first", "second"),
    [("100", "0.001", "0"), ("182", "0.001", "0.001"), ("300", "0.001", "0.002")],
)
@sides
def test_how_a_full_fill_would_be_split(side: Side, notional: str, first: str, second: str) -> None:
    """Half to the first target, down to the step, the rest to the second; one step goes to the first alone."""
    order = checked(example(side, notional=D(notional))).order
    assert order is not None
    assert (order.tp1_quantity, order.tp2_quantity) == (D(first), D(second))
    assert order.quantity == D(first) + D(second)
    single = checked(example(side, notional=D(notional), tp2=None)).order
    assert single is not None
    assert single.tp2 is None
    assert single.tp2_quantity == 0


@pytest.mark.rule("D-9", "E-3", "E-1")
@pytest.mark.parametrize(
    ("side", "stop", "tp1", "widened"),
    [(LONG, "90690", "91900", "90581.8"), (SHORT, "90910", "89700", "91017.5")],
)
def test_what_made_the_order_smaller_is_told(side: Side, stop: str, tp1: str, widened: str) -> None:
    """Each cap with what it leaves, and a stop that was moved, with both prices."""
    policy = replace(
        POLICY, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK, max_notional_usdt=D(1000)
    )
    order = checked(example(side, stop=D(stop), tp1=D(tp1)), policy).order
    assert order is not None
    assert (order.quantity, order.stop) == (D("0.008"), D(widened))
    assert order.cuts == (
        "quantity cut to max_notional_usdt: 0.011",
        "quantity cut to widen_and_shrink: 0.008",
        f"stop widened from {stop} to {widened}",
    )


@pytest.mark.rule("D-9", "E-2")
@pytest.mark.parametrize(
    ("side", "bid", "price", "because"),
    [
        (LONG, "90786.6", "90786.6", HIGH),
        (LONG, "90786.5", "90786.5", f"{HIGH}; there it would cross, so it joins the best bid"),
        (LONG, "90700", "90700", f"{HIGH}; there it would cross, so it joins the best bid"),
        (
            LONG,
            "90699.9",
            None,
            f"{HIGH}; there it would cross, and the best bid 90699.9 is outside the band: it waits",
        ),
        (SHORT, "90813.3", "90813.4", LOW),
        (SHORT, "90813.4", "90813.5", f"{LOW}; there it would cross, so it joins the best ask"),
        (SHORT, "90899.9", "90900", f"{LOW}; there it would cross, so it joins the best ask"),
        (
            SHORT,
            "90900",
            None,
            f"{LOW}; there it would cross, and the best ask 90900.1 is outside the band: it waits",
        ),
    ],
)
def test_why_the_order_would_rest_where_it_does(
    side: Side, bid: str, price: str | None, because: str
) -> None:
    """At its own price while that rests; else at the touch, as long as that lies inside the band."""
    order = checked(example(side), bid=D(bid), ask=D(bid) + D("0.1")).order
    assert order is not None
    assert order.price == (None if price is None else D(price))
    assert order.price_because == because
    assert order.limit_price == (D("90786.6") if side is LONG else D("90813.4"))


@pytest.mark.rule("D-9", "E-2")
@pytest.mark.parametrize(
    ("side", "zone", "price", "because"),
    [
        (LONG, {"zone_max": "90700.2"}, "90700.1", "the zone's middle"),
        (SHORT, {"zone_min": "90899.8"}, "90899.9", "the zone's middle"),
        # exactly the band's end is no reason to speak of it
        (LONG, {"zone_max": "90873.2"}, "90786.6", "the zone's middle"),
        (SHORT, {"zone_min": "90726.8"}, "90813.4", "the zone's middle"),
        (
            LONG,
            {"zone_min": "90400", "zone_max": "90593.6", "stop": "90180"},
            "90496.8",
            "the zone's middle",
        ),
        (
            LONG,
            {"zone_max": "90700.1"},
            "90700",
            "the zone's middle 90700.05, rounded to the tick toward more reward",
        ),
        (
            SHORT,
            {"zone_min": "90899.9"},
            "90900",
            "the zone's middle 90899.95, rounded to the tick toward more reward",
        ),
        # the stop's distance moves a long up, and a short down
        (
            LONG,
            {"zone_min": "90400", "zone_max": "90500", "stop": "90180"},
            "90496.8",
            (
                "the zone's middle 90450 is below the band's lower end 90496.8, "
                "where reward to risk is 3.4823 and the stop 0.3501 % away"
            ),
        ),
        (
            SHORT,
            {"zone_min": "91100", "zone_max": "91200", "stop": "91420"},
            "91101.1",
            (
                "the zone's middle 91150 is above the band's upper end 91101.1, "
                "where reward to risk is 3.4528 and the stop 0.3501 % away"
            ),
        ),
    ],
)
def test_why_the_order_is_aimed_where_it_is(
    side: Side, zone: dict[str, str], price: str, because: str
) -> None:
    """The zone's middle, or the end of the band that it was moved to, with what would be had there."""
    some = example(side, **{name: D(each) for name, each in zone.items()})
    order = checked(some).order
    assert order is not None
    assert (order.limit_price, order.price_because) == (D(price), because)
    assert order.price == order.limit_price


# what a check does not look at


@pytest.mark.rule("D-9")
@sides
def test_the_account_and_what_it_holds_change_nothing(side: Side) -> None:
    """A poor account cuts nothing here, and a trade that is open has no part in the targets' split."""
    state = DecisionState(decision=example(side))
    money = Balance(wallet=D(1), equity=D(1), available=D(1))

    def order(around: World) -> EntryReport | None:
        given, _ = with_prices(replace(around, decision=state), POLICY, Prices())
        return check(given, POLICY).order

    alone = order(offline(example(side)))
    assert alone is not None
    assert order(world(balance=Observed(value=money, at_ms=NOW, source=Source.REST))) == alone
    assert order(held(side=side, fills=(lot(None, "0.013"),))) == alone
    assert order(held(ended(own("P1", side), filled_quantity=D("0.006")), side=side)) == alone


@pytest.mark.rule("D-9", "G-7")
@sides
def test_a_leverage_that_is_refused_does_not_hide_the_order(side: Side) -> None:
    """The order is told with the highest one that is allowed, by configuration or brackets."""
    order = checked(example(side, leverage=D(20))).order
    assert order is not None
    assert (order.leverage, order.margin) == (5, order.notional / 5)
    wild = replace(POLICY, max_leverage=125, max_notional_usdt=D(10**6))
    big = checked(example(side, leverage=D(125), notional=D(50_001)), wild).order
    assert big is not None
    assert big.leverage == 100
