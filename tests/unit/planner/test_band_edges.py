"""Band, price and quantity at their edges: what a person reads, both sides, exactly on and one tick beyond."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import trade_of
from tests.worlds import BTC, POLICY, D, quote

from jumar.model.decision import Levels
from jumar.model.order import Side
from jumar.model.policy import MinStopPolicy, Policy
from jumar.planner.band import Band, EmptyBand, Sizing, compute_band, entry_price, is_worth_it, size

LONG, SHORT = Side.BUY, Side.SELL


def zone(stop: str, tp1: str, low: str = "90700", high: str = "90900") -> Levels:
    """The example's zone, or another one, with a stop and a first target."""
    return Levels(zone_min=D(low), zone_max=D(high), stop=D(stop), tp1=D(tp1), tp2=None)


def band_of(levels: Levels, side: Side, policy: Policy = POLICY) -> Band | EmptyBand:
    """The band on BTCUSDT."""
    return compute_band(levels, side, BTC, policy)


@pytest.mark.rule("E-1", "G-3", "P-3")
@pytest.mark.parametrize(
    ("side", "levels", "code", "message"),
    [
        (
            LONG,
            zone("90380", "91000"),
            "rr_below_min",
            (
                "at the zone's best price 90700 the reward to tp1 91000 is 0.93 times the risk to sl 90380, "
                "at least 2 is needed: tp1 91340 would pass"
            ),
        ),
        (
            SHORT,
            zone("91220", "90600"),
            "rr_below_min",
            (
                "at the zone's best price 90900 the reward to tp1 90600 is 0.93 times the risk to sl 91220, "
                "at least 2 is needed: tp1 90260 would pass"
            ),
        ),
        (
            LONG,
            zone("90380", "91339.9"),
            "rr_below_min",
            (
                "at the zone's best price 90700 the reward to tp1 91339.9 is 1.99 times the risk to sl 90380, "
                "at least 2 is needed: tp1 91340 would pass"
            ),
        ),
        (
            SHORT,
            zone("91220", "90260.1"),
            "rr_below_min",
            (
                "at the zone's best price 90900 the reward to tp1 90260.1 is 1.99 times the risk to sl 91220, "
                "at least 2 is needed: tp1 90260 would pass"
            ),
        ),
        (
            # the stop's distance leaves no better price than 90817.9, still inside the zone
            LONG,
            zone("90500", "91000"),
            "rr_below_min",
            (
                "at the zone's best price 90817.9 the reward to tp1 91000 is 0.57 times the risk to sl 90500, "
                "at least 2 is needed: tp1 91453.7 would pass"
            ),
        ),
        (
            SHORT,
            zone("91100", "90600"),
            "rr_below_min",
            (
                "at the zone's best price 90782.2 the reward to tp1 90600 is 0.57 times the risk to sl 91100, "
                "at least 2 is needed: tp1 90146.6 would pass"
            ),
        ),
        (
            # both are missing: the reward is judged at the first price beyond the zone with room for the stop
            LONG,
            zone("90690", "90719.9"),
            "rr_below_min",
            (
                "at the nearest price with room for the stop 91008.6 the reward to tp1 90719.9 is -0.91 times "
                "the risk to sl 90690, at least 2 is needed: tp1 91645.8 would pass with a zone that reaches 91008.6"
            ),
        ),
        (
            SHORT,
            zone("90910", "90880.1"),
            "rr_below_min",
            (
                "at the nearest price with room for the stop 90592.9 the reward to tp1 90880.1 is -0.91 times "
                "the risk to sl 90910, at least 2 is needed: tp1 89958.7 would pass with a zone that reaches 90592.9"
            ),
        ),
        (
            LONG,
            zone("90690", "91900"),
            "stop_too_close",
            (
                "sl 90690 is 0.231 % from the zone's far edge 90900, at least 0.35 % is needed: "
                "sl 90581.8 would pass"
            ),
        ),
        (
            SHORT,
            zone("90910", "89700"),
            "stop_too_close",
            (
                "sl 90910 is 0.2315 % from the zone's far edge 90700, at least 0.35 % is needed: "
                "sl 91017.5 would pass"
            ),
        ),
        (
            # 0.349967 % away: rounded it would read as enough
            LONG,
            zone("298950.1", "310000", "299900", "300000"),
            "stop_too_close",
            (
                "sl 298950.1 is 0.3499 % from the zone's far edge 300000, at least 0.35 % is needed: "
                "sl 298950 would pass"
            ),
        ),
        (
            LONG,
            zone("90690", "91300"),
            "stop_too_close",
            (
                "sl 90690 is 0.231 % from the zone's far edge 90900, at least 0.35 % is needed: "
                "sl 90581.8 with tp1 91536.4 would pass"
            ),
        ),
        (
            SHORT,
            zone("90910", "90300"),
            "stop_too_close",
            (
                "sl 90910 is 0.2315 % from the zone's far edge 90700, at least 0.35 % is needed: "
                "sl 91017.5 with tp1 90065 would pass"
            ),
        ),
    ],
)
def test_what_a_person_reads_of_an_empty_band(
    side: Side, levels: Levels, code: str, message: str
) -> None:
    """Where, how much, what is needed and what would pass; a figure that is too small never reads as enough."""
    assert band_of(levels, side) == EmptyBand(code=code, message=message)


@pytest.mark.rule("E-1", "G-3")
@pytest.mark.parametrize(
    ("side", "tp1", "code"),
    [
        (LONG, "90720", "stop_too_close"),  # the reward alone leaves 90700 of the zone
        (LONG, "90719.9", "rr_below_min"),  # and now nothing
        (SHORT, "90880", "stop_too_close"),
        (SHORT, "90880.1", "rr_below_min"),
    ],
)
def test_only_the_stop_is_to_blame_where_the_reward_leaves_a_price(
    side: Side, tp1: str, code: str
) -> None:
    """`stop_too_close` is said while some price of the zone has reward enough, the last one included."""
    empty = band_of(zone("90690" if side is LONG else "90910", tp1), side)
    assert isinstance(empty, EmptyBand)
    assert empty.code == code


@pytest.mark.rule("E-1", "D-4")
@pytest.mark.parametrize(
    ("side", "stop", "tp1"), [(LONG, "90380", "91600"), (SHORT, "91220", "90000")]
)
def test_a_zone_of_one_price_is_a_zone_and_one_between_two_ticks_is_none(
    side: Side, stop: str, tp1: str
) -> None:
    """The edge that is entered alone makes a band of one price; between 90700.0 and 90700.1 there is none."""
    edge = "90700" if side is LONG else "90900"
    one = band_of(zone(stop, tp1, edge, edge), side)
    assert isinstance(one, Band)
    assert (one.low, one.high) == (D(edge), D(edge))
    none = band_of(zone(stop, tp1, "90700.01", "90700.09"), side)
    assert none == EmptyBand(code="rr_below_min", message="no price of the zone lies on the tick")


@pytest.mark.rule("E-1")
@pytest.mark.parametrize(
    ("side", "stop", "tp1", "message"),
    [
        (
            LONG,
            "90690",
            "91300",
            (
                "at the zone's best price 90900 the reward to tp1 91300 is 1.25 times the risk to sl 90581.8, "
                "at least 2 is needed: tp1 91536.4 would pass"
            ),
        ),
        (
            SHORT,
            "90910",
            "90300",
            (
                "at the zone's best price 90700 the reward to tp1 90300 is 1.25 times the risk to sl 91017.5, "
                "at least 2 is needed: tp1 90065 would pass"
            ),
        ),
    ],
)
def test_widening_that_breaks_the_reward_is_refused_for_the_reward(
    side: Side, stop: str, tp1: str, message: str
) -> None:
    """The widened stop is 0.35 % away, and to it the reward no longer suffices: nothing is entered."""
    policy = replace(POLICY, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK)
    empty = band_of(zone(stop, tp1), side, policy)
    assert empty == EmptyBand(code="rr_below_min", message=message)


@pytest.mark.rule("E-1")
def test_widening_for_a_short_goes_up() -> None:
    """0.35 % above the zone's bottom 90700 is 91017.45: 91017.5, and only the bottom can be entered."""
    policy = replace(POLICY, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK)
    band = band_of(zone("90910", "89700"), SHORT, policy)
    assert isinstance(band, Band)
    assert (band.low, band.high) == (D(90700), D(90700))
    assert (band.levels.stop, band.widened_from) == (D("91017.5"), D(90910))


@pytest.mark.rule("E-1", "G-3")
@pytest.mark.parametrize(
    ("side", "stop", "near", "passing", "fixed"),
    [
        # 90 700 and 2.3335 times 320.1, or 90 900 less as much: 91 446.9533... and 90 153.0466...
        (LONG, "90379.9", "91446.9", "91447", "90379.9"),
        (SHORT, "91220.1", "90153.1", "90153", "91220.1"),
        # the stop too close: 90 900 and 2.3335 times 318.2 of the stop that would pass, 90 700 less 317.5
        (LONG, "90690", "91642.5", "91642.6", "90581.8"),
        (SHORT, "90910", "89959.2", "89959.1", "91017.5"),
    ],
)
def test_the_target_that_would_pass_is_the_first_one_on_the_tick(
    side: Side, stop: str, near: str, passing: str, fixed: str
) -> None:
    """With a ratio that leaves the tick it is rounded away from the entry: it passes, and a tick nearer does not."""
    policy = replace(POLICY, min_rr=D("2.3335"))
    empty = band_of(zone(stop, near), side, policy)
    assert isinstance(empty, EmptyBand)
    assert f"tp1 {passing} would pass" in empty.message
    assert isinstance(band_of(zone(fixed, passing), side, policy), Band)
    assert isinstance(band_of(zone(fixed, near), side, policy), EmptyBand)


@pytest.mark.rule("P-3", "W-3")
@pytest.mark.parametrize(
    ("side", "stop", "tp1", "worth"),
    [
        (LONG, "99650", "100700", True),
        (LONG, "99650.1", "100700", False),  # 349.9 of 350 away
        (LONG, "99650", "100699.9", False),  # 699.9 of 700 won
        (SHORT, "100350", "99300", True),
        (SHORT, "100349.9", "99300", False),
        (SHORT, "100350", "99300.1", False),
    ],
)
def test_a_price_is_worth_it_from_exactly_the_floors_on(
    side: Side, stop: str, tp1: str, worth: bool
) -> None:
    """At 100 000: 0.35 % to the stop and twice that to TP1, for the levels the trade was armed with."""
    trade = trade_of(side, initial_stop=D(stop), tp1=D(tp1))
    assert is_worth_it(D(100_000), trade, POLICY) is worth


# the price


@pytest.mark.rule("E-2")
@pytest.mark.parametrize(
    ("side", "bid", "ask", "price"),
    [
        (LONG, "90800", "90800.1", "90800"),  # the middle does not cross
        (LONG, "90799.9", "90800", "90799.9"),  # it would meet the ask: the bid is joined
        (LONG, "90700", "90700.1", "90700"),  # the band's last price
        (LONG, "90699.9", "90700", None),  # the bid lies below the band
        (SHORT, "90799.9", "90800", "90800"),
        (SHORT, "90800", "90800.1", "90800.1"),  # it would meet the bid: the ask is joined
        (SHORT, "90850", "90850.1", "90850.1"),
        (SHORT, "90899.9", "90900", "90900"),
        (SHORT, "90900", "90900.1", None),
    ],
)
def test_a_price_that_would_meet_the_other_side_joins_its_own(
    side: Side, bid: str, ask: str, price: str | None
) -> None:
    """The zone's middle 90800 rests where it may; exactly at the other side's touch it would take."""
    levels = zone("90000", "93000") if side is LONG else zone("91600", "88600")
    band = band_of(levels, side)
    assert isinstance(band, Band)
    found = entry_price(band, quote(bid, ask).value, BTC)
    assert found == (None if price is None else D(price))


@pytest.mark.rule("E-2")
@pytest.mark.parametrize(("side", "price"), [(LONG, "90799.9"), (SHORT, "90800.0")])
def test_a_middle_between_two_ticks_goes_toward_more_reward(side: Side, price: str) -> None:
    """The middle of [90700, 90899.9] is 90799.95: down for a long, up for a short."""
    levels = zone("90000", "93000", high="90899.9") if side is LONG else zone(
        "91600", "88600", high="90899.9"
    )  # fmt: skip
    band = band_of(levels, side)
    assert isinstance(band, Band)
    touch = quote("90880", "90880.1") if side is LONG else quote("90720", "90720.1")
    assert entry_price(band, touch.value, BTC) == D(price)


# the quantity: worst price 90 000, stop 3000 away; the short's largest price is 92 000


def sized(side: Side, widened_from: Decimal | None = None, **changes: object) -> Sizing:
    """The size of one coin's worth, 90 000 USDT, where nothing cuts."""
    if side is LONG:
        low, high, stop = D(88000), D(90000), D(87000)
    else:
        low, high, stop = D(90000), D(92000), D(93000)
    band = Band(
        low=low,
        high=high,
        side=side,
        widened_from=widened_from,
        levels=Levels(zone_min=low, zone_max=high, stop=stop, tp1=D(99000), tp2=None),
    )
    given = {
        "notional": D(90000),
        "leverage": 3,
        "equity": D(10_000_000),
        "available": D(10_000_000),
        "instrument": BTC,
        "policy": replace(POLICY, max_notional_usdt=D(200_000)),
    }
    return size(band, **{**given, **changes})  # type: ignore[arg-type]  # a test states only what differs


LARGE = {"notional": D(1_000_000), "policy": replace(POLICY, max_notional_usdt=D(2_000_000))}


@pytest.mark.rule("E-3")
@pytest.mark.parametrize(
    ("changes", "binding", "long", "short"),
    [
        # 45 000 USDT over the largest price of the band
        ({"policy": replace(POLICY, max_notional_usdt=D(45000))}, "max_notional_usdt", "0.5", "0.489"),
        # 1000 USDT over 3000 and the fee at the stop
        ({"equity": D(100_000)}, "max_risk_pct", "0.329", "0.329"),
        (
            {"equity": D(100_000), "policy": replace(POLICY, max_notional_usdt=D(200_000), max_risk_pct=D(2))},
            "max_risk_pct",
            "0.659",
            "0.658",
        ),
        ({"available": D(16500)}, "margin", "0.5", "0.489"),  # times 3, a tenth in reserve
        ({"available": D(-5)}, "margin", "0", "0"),
        ({**LARGE, "leverage": 101}, "bracket", "0.555", "0.543"),  # the first bracket's 50 000
        ({**LARGE, "leverage": 125}, "bracket", "0.555", "0.543"),
        ({**LARGE, "leverage": 100}, "bracket", "6.666", "6.521"),  # the second allows it: 600 000
        ({**LARGE, "leverage": 126}, "bracket", "0", "0"),  # none does
        ({"instrument": replace(BTC, max_quantity=D("0.4"))}, "lot_size", "0.4", "0.4"),
        ({"instrument": replace(BTC, market_max_quantity=D("0.3"))}, "lot_size", "0.3", "0.3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", list(Side))
def test_what_each_cap_leaves(
    side: Side, changes: dict[str, object], binding: str, long: str, short: str
) -> None:
    """The quantity, the cap that decided it, and the words that say so."""
    expected = long if side is LONG else short
    found = sized(side, **changes)  # type: ignore[arg-type]  # a test states only what differs
    assert (found.quantity, found.binding) == (D(expected), binding)
    assert found.cuts == (f"{binding}: {expected}",)


@pytest.mark.rule("E-3", "E-1")
@pytest.mark.parametrize("side", list(Side))
def test_a_widened_stop_shrinks_the_size_to_the_decisions_own_loss(side: Side) -> None:
    """The decision's stop was 2000 away, the widened one is 3000: two thirds of the quantity remain."""
    found = sized(side, D(88000) if side is LONG else D(92000))
    assert (found.quantity, found.binding) == (D("0.666"), "widen_and_shrink")
    assert found.cuts == ("widen_and_shrink: 0.666",)


@pytest.mark.rule("E-3")
def test_the_smallest_cap_decides_and_every_one_that_cut_is_told() -> None:
    """45 000 USDT allow 0.5, a hundredth of the equity 0.329: both are named, the second decides."""
    policy = replace(POLICY, max_notional_usdt=D(45000))
    found = sized(LONG, policy=policy, equity=D(100_000))
    assert (found.quantity, found.binding) == (D("0.329"), "max_risk_pct")
    assert found.cuts == ("max_notional_usdt: 0.5", "max_risk_pct: 0.329")


@pytest.mark.rule("E-3")
def test_a_size_exactly_at_a_cap_is_not_cut() -> None:
    """90 000 USDT wanted, 90 000 allowed: the decision decides, nothing is said."""
    found = sized(LONG, policy=replace(POLICY, max_notional_usdt=D(90000)))
    assert found == Sizing(quantity=D(1), cuts=(), binding="decision")
