"""Breakeven (T-3, C-1): the price to the last digit, its words, and when there is none."""

from dataclasses import replace

import pytest
from tests.unit.planner.following import mirrored
from tests.unit.planner.pieces import BEFORE, ended, held, own, trade_of
from tests.worlds import NOW, POLICY, D, decision, seen, world

from jumar.model.decision import Action
from jumar.model.funding import FundingPayment
from jumar.model.order import OwnOrder, Side
from jumar.model.policy import OnFlat
from jumar.model.trade import Trade
from jumar.model.units import text
from jumar.model.world import DecisionState, World
from jumar.planner.breakeven import (
    after_tp1,
    breakeven_price,
    funding_per_unit,
    on_flat_decision,
)
from jumar.planner.facts import assess

SIDES = pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=["long", "short"])
TIGHTEN = replace(POLICY, on_flat=OnFlat.TIGHTEN)


def bought(side: Side, *orders: OwnOrder, fee: str = "0.234", **changes: object) -> World:
    """0.013 at 90 786.6 (short: 90 813.4) with a fee of 18 a unit."""
    found = held(*orders, side=side, **changes)
    entry = ended(own("E1", side)).client_id
    price = mirrored(side, "90786.6")
    fills = (
        replace(fill, price=price, fee=D(fee)) if fill.client_id == entry else fill
        for fill in found.fills
    )
    return replace(found, fills=tuple(fills))


def paid(amount: str, at_ms: int = NOW - 2000, number: int = 1) -> FundingPayment:
    """What the position paid (negative) or got."""
    return FundingPayment(payment_id=number, amount=D(amount), time_ms=at_ms)


def hit(side: Side, **changes: object) -> World:
    """TP1 has sold 0.006, three and a half seconds ago."""
    return bought(side, own("P1", side, filled_quantity=D("0.006")), fee="0.234", **changes)


def price(found: World, trade: Trade) -> str | None:
    """Breakeven with four decimals."""
    exact = breakeven_price(found, trade, assess(found, trade, POLICY))
    return None if exact is None else str(exact.quantize(D("0.0001")))


def flat(age_ms: int = 1000, **changes: object) -> DecisionState:
    """A flat decision in force."""
    newer = decision(id="flat", action=Action.FLAT, levels=None, timestamp_ms=NOW - age_ms)
    return replace(DecisionState(decision=newer), **changes)  # type: ignore[arg-type]  # by name


@pytest.mark.rule("T-3")
@pytest.mark.parametrize(
    ("side", "fee", "asset", "expected"),
    [
        (Side.BUY, "0", "USDT", "90822.9292"),
        (Side.SELL, "0", "USDT", "90777.0892"),
        (Side.BUY, "0.234", "USDT", "90840.9364"),
        (Side.SELL, "0.234", "USDT", "90759.0964"),
        (Side.BUY, "0.234", "BNB", "90859.2583"),
        (Side.SELL, "0.234", "BNB", "90740.7783"),
    ],
)
def test_breakeven_pays_for_entry_and_exit(side: Side, fee: str, asset: str, expected: str) -> None:
    """What the entry cost, or 0.04 % where that was paid in another asset, and 0.04 % of the exit."""
    found = bought(side, fee=fee)
    told = replace(found, fills=tuple(replace(fill, fee_asset=asset) for fill in found.fills))
    assert price(told, trade_of(side)) == expected


@pytest.mark.rule("T-3")
@SIDES
def test_only_fees_of_the_entry_are_shared_out(side: Side) -> None:
    """What TP1 cost was paid from what it brought."""
    found = hit(side)
    dear = tuple(
        replace(fill, fee=D(9), fee_asset="BNB")
        if fill.client_id == found.orders[1].client_id
        else fill
        for fill in found.fills
    )
    assert price(replace(found, fills=dear), trade_of(side)) == price(bought(side), trade_of(side))


@pytest.mark.rule("T-3")
def test_where_there_is_no_breakeven() -> None:
    """Before the first fill, and without the filters that tell the fees."""
    assert price(world(), trade_of()) is None
    assert price(replace(bought(Side.BUY), instrument=None), trade_of()) is None


FUNDING: list[tuple[tuple[FundingPayment, ...] | None, str | None]] = [
    (None, None),
    ((), "0"),
    ((paid("-1.3", NOW - 4000),), "100"),
    ((paid("1.3", NOW - 4000),), "0"),
    ((paid("-1.3", NOW - 4000, 1), paid("0.65", NOW - 3900, 2)), "50"),
    ((paid("-0.65", NOW - 4000, 1), paid("1.3", NOW - 3900, 2)), "0"),
    ((paid("-0.07"),), "10"),
    ((paid("-1.3", BEFORE),), "0"),
    ((paid("-1.3", BEFORE + 1),), "100"),
]


@pytest.mark.rule("T-3")
@SIDES
@pytest.mark.parametrize(("funding", "unit"), FUNDING)
def test_funding_is_shared_by_what_was_held_at_its_time(
    side: Side, funding: tuple[FundingPayment, ...] | None, unit: str | None
) -> None:
    """0.013 after the entry, 0.007 after TP1, nothing in the moment of the entry itself; received on balance is zero."""
    found = hit(side, funding=funding)
    per_unit = funding_per_unit(found, trade_of(side))
    assert (None if per_unit is None else text(per_unit)) == unit


@pytest.mark.rule("T-3", "Y-1")
@SIDES
def test_an_adopted_position_was_held_before_any_fill(side: Side) -> None:
    """What was found counts with what was bought since."""
    trade = trade_of(side, adopted_price=D(90800), adopted_quantity=D("0.013"))
    early = replace(bought(side), funding=(paid("-1.3", BEFORE),))
    assert funding_per_unit(early, trade) == D(100)
    late = replace(bought(side), funding=(paid("-1.3"),))
    assert funding_per_unit(late, trade) == D(50)
    nothing = trade_of(side.opposite, adopted_price=D(90800), adopted_quantity=D("0.013"))
    assert funding_per_unit(late, nothing) == D(0)


TOLD = [
    (Side.BUY, (), "90840.9364", "54.3364, funding 0"),
    (Side.SELL, (), "90759.0964", "54.3036, funding 0"),
    (Side.BUY, None, "90840.9364", "54.3364, funding not known"),
    (Side.SELL, None, "90759.0964", "54.3036, funding not known"),
    (Side.BUY, (paid("-1.3", NOW - 4000),), "90940.9764", "54.3764, funding 100"),
    (Side.SELL, (paid("-1.3", NOW - 4000),), "90659.1363", "54.2637, funding 100"),
    (Side.BUY, (paid("-0.0001", NOW - 4000),), "90840.9441", "54.3364, funding 0.0077"),
]


@pytest.mark.rule("T-3", "P-9", "S-5")
@pytest.mark.parametrize(("side", "funding", "at", "words"), TOLD)
def test_after_tp1_the_stop_wishes_to_be_at_breakeven(
    side: Side, funding: tuple[FundingPayment, ...] | None, at: str, words: str
) -> None:
    """At once; the cause tells entry, fees and funding a unit, so that the price can be checked by hand."""
    found, trade = hit(side, funding=funding), trade_of(side)
    move = after_tp1(found, trade, assess(found, trade, POLICY), POLICY)
    assert move is not None
    assert str(move.price.quantize(D("0.0001"))) == at
    entry = text(mirrored(side, "90786.6"))
    assert str(move.cause) == (
        f"T-3: breakeven, entry {entry} plus fees {words.split(', ', maxsplit=1)[0]} a unit, {words.split(', ')[1]}, after TP1"
    )
    assert (move.throttled, move.cut) == (False, False)


@pytest.mark.rule("T-3")
def test_before_tp1_and_without_a_price_there_is_no_wish() -> None:
    """TP1 has sold nothing, or the fees are not known."""
    for found in (bought(Side.BUY), replace(hit(Side.BUY), instrument=None)):
        facts = assess(found, trade_of(), POLICY)
        assert after_tp1(found, trade_of(), facts, POLICY) is None


@pytest.mark.rule("C-1", "P-9")
@SIDES
def test_a_flat_decision_tells_the_same_in_its_own_name(side: Side) -> None:
    """Before TP1 too, at once; the cause names the option."""
    found, trade = bought(side, decision=flat()), trade_of(side)
    move = on_flat_decision(found, trade, assess(found, trade, TIGHTEN), TIGHTEN)
    assert move is not None
    entry, fees = ("90786.6", "54.3364") if side is Side.BUY else ("90813.4", "54.3036")
    assert str(move.cause) == (
        f"C-1: breakeven, entry {entry} plus fees {fees} a unit, funding 0, "
        "because of a flat decision, on_flat = tighten"
    )
    assert (move.throttled, text(move.price)[:5]) == (
        False,
        "90840" if side is Side.BUY else "90759",
    )


@pytest.mark.rule("C-1", "D-3", "Y-1")
@pytest.mark.parametrize(
    ("what", "state", "wishes"),
    [
        ("in force", flat(), True),
        ("none", None, False),
        ("refused", flat(refusals=(("conflict", "no"),)), False),
        ("another action", DecisionState(decision=decision()), False),
        ("ten minutes old", flat(600_000), True),
        ("older", flat(600_001), False),
        ("a little ahead", flat(-5000), True),
        ("too far ahead", flat(-5001), False),
        ("adopted since", flat(5000), False),
        ("adopted before", flat(4999), True),
        ("on_flat hold", flat(), False),
        ("on_flat close", flat(), False),
    ],
)
def test_which_flat_decision_tightens(what: str, state: DecisionState | None, wishes: bool) -> None:
    """One in force, neither stale nor from the future, made after an adopted position was found (5 s ago)."""
    trade = trade_of()
    if what.startswith("adopted"):
        trade = replace(trade, adopted_price=D(90800), adopted_quantity=D("0.013"))
    policy = {
        "on_flat hold": replace(POLICY, on_flat=OnFlat.HOLD),
        "on_flat close": replace(POLICY, on_flat=OnFlat.CLOSE),
    }.get(what, TIGHTEN)
    found = bought(Side.BUY, decision=state, mark=seen(D(92000)))
    move = on_flat_decision(found, trade, assess(found, trade, policy), policy)
    assert (move is not None) is wishes
