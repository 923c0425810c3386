"""What an entry of the present decision would be, figure by figure, and its set-up (E-1 … E-4, G-7, G-8)."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import trade_of
from tests.worlds import BTC, NOW, POLICY, D, decision, levels, seen, short_decision, world

from jumar.model.account import Balance, MarginMode, SymbolSettings
from jumar.model.command import (
    Cause,
    Command,
    Refusal,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.decision import Action, Decision, Levels
from jumar.model.ids import trade_key
from jumar.model.instrument import Instrument, LeverageBracket
from jumar.model.levels import BoundZone
from jumar.model.order import (
    Side,
)
from jumar.model.policy import MinStopPolicy
from jumar.model.world import DecisionState, World
from jumar.planner.approve import refuse
from jumar.planner.entry import (
    Proposal,
    propose,
    setup_commands,
)

both = pytest.mark.parametrize("side", list(Side))
KEY_OF_D1 = trade_key(account="main", store_id="store", decision_id="d1")
NONE_PROPOSED = Proposal(trade=None, leverage=0, refusals=())


def decided(side: Side = Side.BUY, **changes: object) -> Decision:
    """The example of a side."""
    return decision(**changes) if side is Side.BUY else short_decision(**changes)


def at(chosen: Decision, **changes: object) -> World:
    """The idle world with this decision in force."""
    return world(**{"decision": DecisionState(decision=chosen), **changes})


def money(available: str, equity: str = "10000") -> object:
    """A balance as read."""
    return seen(Balance(wallet=D(equity), equity=D(equity), available=D(available)))


def with_filters(filters: dict[str, Decimal]) -> Instrument:
    """The example's instrument with other filters."""
    return replace(BTC, **filters)  # type: ignore[arg-type]  # a test states only what differs


# what is proposed


@pytest.mark.rule("E-1", "G-13")
@pytest.mark.parametrize(
    "found",
    [
        world(decision=None),
        world(instrument=None),
        at(decision(action=Action.FLAT, levels=None)),
        at(decision(action=Action.FLAT)),
    ],
    ids=["no decision", "no filters", "flat", "flat with levels"],
)
def test_without_a_side_levels_or_filters_nothing_is_proposed(found: World) -> None:
    """And nothing is refused: there is nothing that could be entered."""
    assert propose(found, POLICY) == NONE_PROPOSED


@both
@pytest.mark.rule("E-2", "E-3", "S-10")
def test_the_example_as_it_is_proposed(side: Side) -> None:
    """1200 over the worst price, floored; the zone's middle clamped into the band; nothing cut, nothing refused."""
    chosen = decided(side)
    assert propose(at(chosen), POLICY) == Proposal(
        trade=trade_of(side, key=KEY_OF_D1, decision=chosen, armed_ms=NOW), leverage=3, refusals=()
    )


@both
@pytest.mark.rule("L-3")
def test_the_zone_of_the_decision_goes_with_the_proposal(side: Side) -> None:
    """As it was bound when the decision came, with its prices in a note."""
    zone = BoundZone(id="cluster_1", low=D(91500), high=D(91650))
    chosen = decided(side, liq_tp_zone_id="cluster_1")
    found = propose(world(decision=DecisionState(decision=chosen, zone=zone)), POLICY)
    assert found.trade is not None and found.trade.zone == zone
    words = "liquidation zone cluster_1 is bound to [91500, 91650], as its decision has it"
    assert found.notes == (Cause(rule="L-3", text=words),)


@pytest.mark.rule("E-1")
@pytest.mark.parametrize(
    ("side", "tp1", "words"),
    [
        (
            Side.BUY,
            "91000",
            (
                "at the zone's best price 90700 the reward to tp1 91000 is 0.93 times the risk to sl 90380, "
                "at least 2 is needed: tp1 91340 would pass"
            ),
        ),
        (
            Side.SELL,
            "90600",
            (
                "at the zone's best price 90900 the reward to tp1 90600 is 0.93 times the risk to sl 91220, "
                "at least 2 is needed: tp1 90260 would pass"
            ),
        ),
    ],
)
def test_an_empty_band_is_refused_with_its_numbers(side: Side, tp1: str, words: str) -> None:
    """No price of the zone is worth its risk: nothing is planned, and what would pass is said."""
    base = decided(side)
    assert base.levels is not None
    found = propose(at(replace(base, levels=replace(base.levels, tp1=D(tp1)))), POLICY)
    assert found == replace(
        NONE_PROPOSED, refusals=(Refusal(code="rr_below_min", rule="E-1", message=words),)
    )


@pytest.mark.rule("G-7")
@pytest.mark.parametrize(
    ("leverage", "brackets_allow", "words"),
    [
        ("5", 125, None),
        ("5.1", 125, "leverage 5.1 is above 5"),
        ("3.1", 3, "leverage 3.1 is above 3"),
    ],
)
def test_leverage_beyond_the_limit_or_the_brackets_is_refused(
    leverage: str, brackets_allow: int, words: str | None
) -> None:
    """The configured limit, or what the venue allows for the size of the decision, whichever is lower."""
    lowest, *others = BTC.brackets
    brackets = (replace(lowest, max_leverage=brackets_allow), *others)
    found = propose(
        at(decision(leverage=D(leverage)), instrument=replace(BTC, brackets=brackets)), POLICY
    )
    refusal = () if words is None else (refuse("leverage_too_high", "G-7", words),)
    assert found.refusals == refusal
    assert (found.trade is None, found.leverage) == ((True, 0) if refusal else (False, 5))


@pytest.mark.rule("G-7")
def test_the_brackets_are_asked_for_the_size_of_the_decision() -> None:
    """1200 lie in the first bracket, where 4 is allowed; the second would allow 3 only."""
    first = LeverageBracket(
        bracket=1,
        max_leverage=4,
        notional_floor=D(0),
        notional_cap=D(1200),
        maintenance_margin_rate=D("0.004"),
        cumulative=D(0),
    )
    second = replace(first, bracket=2, max_leverage=3, notional_floor=D(1200), notional_cap=D(9000))
    instrument = replace(BTC, brackets=(first, second))
    four = decision(leverage=D(4))
    assert propose(at(four, instrument=instrument), POLICY).refusals == ()
    beyond = propose(at(replace(four, notional=D(1201)), instrument=instrument), POLICY)
    assert [each.message for each in beyond.refusals] == ["leverage 4 is above 3"]


@pytest.mark.rule("E-4", "G-7")
@pytest.mark.parametrize(("written", "used"), [("3.9", 3), ("1", 1), ("0.5", 1)])
def test_leverage_is_floored_and_never_below_one(written: str, used: int) -> None:
    """Whole numbers are what the venue takes."""
    chosen = decision(leverage=D(written))
    assert propose(at(chosen), POLICY).leverage == used
    unread = propose(at(chosen, balance=None), POLICY)
    assert unread == Proposal(trade=None, leverage=used, refusals=())


@both
@pytest.mark.rule("E-3", "P-9")
def test_every_cut_is_told(side: Side) -> None:
    """By the configured notional, by risk of equity, and by what is available, each with what it leaves."""
    policy = replace(POLICY, max_notional_usdt=D(1000), max_risk_pct=D("0.04"))
    found = propose(at(decided(side), balance=money("310")), policy)
    assert found.trade is not None and found.trade.planned_quantity == D("0.009")
    assert [f"{note.rule} {note.text}" for note in found.notes] == [
        "E-3 quantity cut to max_notional_usdt: 0.011",
        "E-3 quantity cut to max_risk_pct: 0.009",
        "E-3 quantity cut to margin: 0.009",
    ]


@pytest.mark.rule("E-1", "E-3")
def test_a_widened_stop_is_told() -> None:
    """`widen_and_shrink` moves the stop to 0.35 % below the zone's top, and says from where."""
    policy = replace(POLICY, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK)
    near = levels(stop=D(90600), tp1=D(92000))
    found = propose(at(decision(levels=near)), policy)
    assert found.trade is not None and found.trade.initial_stop == D("90581.8")
    assert found.notes[-1] == Cause(rule="E-1", text="stop widened from 90600 to 90581.8")
    assert [note.rule for note in found.notes] == ["E-3", "E-1"]


@pytest.mark.rule("E-2", "S-10")
@pytest.mark.parametrize(
    ("side", "prices", "limit"),
    [
        # the middle lies in the band
        (Side.BUY, {"tp1": "92000"}, "90800"),
        (Side.SELL, {"tp1": "89600"}, "90800"),
        # between two ticks: toward more reward
        (Side.BUY, {"zone_max": "90700.1"}, "90700"),
        (Side.SELL, {"zone_min": "90899.9"}, "90900"),
        # below what the stop's distance leaves, above it for a short
        (Side.BUY, {"tp1": "92000", "stop": "90500"}, "90817.9"),
        (Side.SELL, {"tp1": "89600", "stop": "91100"}, "90782.2"),
    ],
)
def test_where_the_entry_is_planned(side: Side, prices: dict[str, str], limit: str) -> None:
    """The middle of the zone, clamped into the band and rounded away from the risk."""
    base = decided(side)
    assert base.levels is not None
    changed: Levels = replace(base.levels, **{name: D(price) for name, price in prices.items()})
    found = propose(at(replace(base, levels=changed)), POLICY)
    assert found.trade is not None and found.trade.limit_price == D(limit)


@pytest.mark.rule("G-16", "G-9", "G-7")
def test_what_follows_from_the_plan_is_judged_with_it() -> None:
    """Mark next to the stop, and brackets that do not carry the size at the decision's leverage."""
    near = propose(at(decision(), mark=seen(D(90400))), POLICY)
    words = "mark 90400 is 20 from the stop 90380, more than 101.65 is needed"
    assert near.refusals == (Refusal(code="mark_near_stop", rule="G-16", message=words),)
    assert near.trade is not None
    # settings as read say 100 and would be liquidated before the stop; the set-up will make it 3
    wild = seen(SymbolSettings(leverage=125, margin_mode=MarginMode.ISOLATED))
    assert propose(at(decision(), settings=wild), POLICY).refusals == ()


# too small


@pytest.mark.rule("G-7", "G-8", "P-9")
@pytest.mark.parametrize(
    ("side", "notional", "changes", "expected"),
    [
        (
            Side.BUY,
            "90",
            {},
            (
                "quantity_too_small G-7 quantity 0 is below the minimum 0.001: "
                "position_size_usdt of 90.7866 would pass"
            ),
        ),
        (
            Side.SELL,
            "1200",
            {"min_quantity": "0.014"},
            (
                "quantity_too_small G-7 quantity 0.013 is below the minimum 0.014: "
                "position_size_usdt of 1271.3876 would pass"
            ),
        ),
        (
            Side.BUY,
            "1200",
            {"market_min_quantity": "0.014"},
            (
                "quantity_too_small G-7 quantity 0.013 is below the minimum 0.014: "
                "position_size_usdt of 1271.0124 would pass"
            ),
        ),
        (
            Side.BUY,
            "1200",
            {"max_notional_usdt": "1000", "min_quantity": "0.012"},
            "quantity_too_small G-7 quantity 0.011 after the cut by max_notional_usdt is below the minimum 0.012",
        ),
        (
            Side.BUY,
            "182",
            {"min_notional": "200"},
            (
                "notional_too_low G-7 notional 181.4 is below the minimum 200: "
                "position_size_usdt of 272.3598 would pass"
            ),
        ),
        (
            Side.BUY,
            "91",
            {"min_notional": "100"},
            (
                "notional_too_low G-7 notional 90.7 is below the minimum 100: "
                "position_size_usdt of 181.5732 would pass"
            ),
        ),
        (
            Side.SELL,
            "182",
            {"min_notional": "200"},
            (
                "notional_too_low G-7 notional 181.6268 is below the minimum 200: "
                "position_size_usdt of 272.4402 would pass"
            ),
        ),
        (
            Side.BUY,
            "1200",
            {"max_notional_usdt": "190", "min_notional": "200"},
            "notional_too_low G-7 notional 181.4 after the cut by max_notional_usdt is below the minimum 200",
        ),
        (
            Side.BUY,
            "1200",
            {"min_notional": "200", "available": "67.5"},
            "margin_insufficient G-8 available 67.5 carries 0.002, at least 272.3598 of notional is needed",
        ),
        (
            Side.SELL,
            "1200",
            {"available": "33"},
            "margin_insufficient G-8 available 33 carries 0, at least 90.8134 of notional is needed",
        ),
    ],
)
def test_what_is_too_small_is_refused_with_what_would_pass(
    side: Side, notional: str, changes: dict[str, str], expected: str
) -> None:
    """Below a quantity or a notional of the venue: by the decision's own size, by a limit, or for want of margin."""
    values = {name: D(value) for name, value in changes.items()}
    available = values.pop("available", D(10000))
    limits = {name: values.pop(name) for name in ("max_notional_usdt",) if name in values}
    found = propose(
        at(
            decided(side, notional=D(notional)),
            instrument=with_filters(values),
            balance=money(str(available)),
        ),
        replace(POLICY, **limits),  # type: ignore[arg-type]  # a test states only what differs
    )
    assert [f"{r.code} {r.rule} {r.message}" for r in found.refusals] == [expected]
    assert found.trade is not None


@pytest.mark.rule("G-7")
@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"min_quantity": D("0.013")}, True),
        ({"market_min_quantity": D("0.013")}, True),
        # 0.013 at the band's lowest price
        ({"min_notional": D("1179.1")}, True),
        ({"min_notional": D("1179.2")}, False),
    ],
)
def test_exactly_the_minimum_passes(filters: dict[str, Decimal], *, passes: bool) -> None:
    """The venue's minimum belongs to what may be sent."""
    found = propose(at(decision(), instrument=with_filters(filters)), POLICY)
    assert (found.refusals == ()) is passes


# set-up


@pytest.mark.rule("E-4")
def test_set_up_asks_for_what_differs_and_nothing_else() -> None:
    """Margin mode first, then leverage; each says from what to what."""
    mode = SetMarginMode(
        symbol="BTCUSDT",
        mode=MarginMode.ISOLATED,
        cause=Cause(rule="E-4", text="margin mode CROSSED -> ISOLATED"),
    )
    leverage = SetLeverage(
        symbol="BTCUSDT", leverage=3, cause=Cause(rule="E-4", text="leverage 20 -> 3")
    )
    cases: tuple[tuple[int, MarginMode, tuple[Command, ...]], ...] = (
        (3, MarginMode.ISOLATED, ()),
        (3, MarginMode.CROSSED, (mode,)),
        (20, MarginMode.ISOLATED, (leverage,)),
        (20, MarginMode.CROSSED, (mode, leverage)),
    )
    for now, margin, expected in cases:
        found = world(settings=seen(SymbolSettings(leverage=now, margin_mode=margin)))
        assert setup_commands(found, POLICY, 3) == expected
    assert setup_commands(world(settings=None), POLICY, 3) is None
