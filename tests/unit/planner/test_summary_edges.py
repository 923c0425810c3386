"""What a finished trade was (T-4): every figure of its summary, for a long and for a short, and why it ended."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import BEFORE, ended, lot, own, trade_of
from tests.worlds import NOW, D, world

from jumar.model.amendment import Amendment, AmendmentState
from jumar.model.funding import FundingPayment
from jumar.model.order import Fill, OwnOrder, Side
from jumar.model.trade import CloseReason, TradeSummary
from jumar.model.units import ONE, ZERO
from jumar.model.world import World
from jumar.planner.summary import forced_by, summarize

FUNDING = (
    FundingPayment(payment_id=1, amount=D("-0.30"), time_ms=NOW - 2000),
    FundingPayment(payment_id=2, amount=D("0.05"), time_ms=NOW - 1000),
)


def amended(number: int, state: AmendmentState) -> Amendment:
    """One change of the entry's price."""
    return Amendment(
        number=number,
        price=D(91010),
        quantity=D("0.02"),
        rule="E-5",
        cause="a test",
        timestamp_ms=BEFORE,
        state=state,
    )


def finished(side: Side, **changes: object) -> World:
    """Bought 0.02 around 91 005, half sold at TP1, half by a stop that slipped by ten; mirrored around 91 000."""

    def at(price: str) -> str:
        return price if side is Side.BUY else str(182_000 - Decimal(price))

    chases = (amended(1, AmendmentState.DONE), amended(2, AmendmentState.REFUSED))
    entry = own("E1", side, quantity=D("0.02"), filled_quantity=D("0.02"), amendments=chases)
    first = own("S1", side, trigger_price=D(at("89900")))
    again = own("S2", side, trigger_price=D(at("89900")))
    unsent = own("S3", side, trigger_price=D(at("89950")), acked_ms=None)
    moved = own("S4", side, trigger_price=D(at("90000")))
    orders = (entry, first, again, unsent, moved, own("B1", side), own("P1", side))
    fills = (
        lot(entry, "0.01", at("91000"), fee=D("0.2"), time_ms=NOW - 4000),
        lot(entry, "0.01", at("91010"), fee=D("0.2"), time_ms=NOW - 3900),
        lot(orders[-1], "0.01", at("92005"), fee=D("0.4"), realized_pnl=D(10), time_ms=NOW - 3000),
        lot(moved, "0.01", at("89990"), fee=D("0.4"), realized_pnl=D(-5), time_ms=NOW - 2000),
    )
    given = {"orders": orders, "fills": fills, "funding": FUNDING, **changes}
    return world(**given)


def summary_of(seen: World, side: Side = Side.BUY, **changes: object) -> TradeSummary:
    """The summary of the trade whose initial stop lies 1005 from 91 005; there is one."""
    stop = D(90000) if side is Side.BUY else D(92000)
    given = {"initial_stop": stop, "unprotected_ms": 40, **changes}
    found = summarize(seen, trade_of(side, **given))
    assert found is not None
    return found


@pytest.mark.rule("T-4")
@pytest.mark.parametrize("side", list(Side))
def test_every_figure_of_a_summary(side: Side) -> None:
    """1005 a unit times 0.02 is 20.1 of risk: 5 won are 0.249 R, 3.55 after fees and funding 0.177 R."""
    long = side is Side.BUY
    assert summary_of(finished(side), side) == TradeSummary(
        key="abcdefghij",
        quantity=D("0.02"),
        average_entry=D(91005) if long else D(90995),
        average_exit=D("90997.5") if long else D("91002.5"),
        exit_reason="stop",
        realized_pnl=D(5),
        fees=D("1.2"),
        r_gross=D("0.249"),
        r_net=D("0.177"),
        slippage=D(10),
        stop_moves=1,
        first_fill_ms=NOW - 4000,
        last_fill_ms=NOW - 2000,
        funding=D("-0.25"),
        chases=1,
        unprotected_ms=40,
    )


@pytest.mark.rule("T-4")
def test_funding_that_is_not_known_is_said_so_and_counts_as_none() -> None:
    """Nothing is guessed: 5 less 1.2 of fees are 0.189 R."""
    found = summary_of(finished(Side.BUY, funding=None))
    assert (found.funding, found.r_net) == (None, D("0.189"))


@pytest.mark.rule("T-4")
def test_a_stop_at_the_entry_itself_has_no_multiple() -> None:
    """Without risk nothing can be measured in it: zero, gross and net."""
    found = summary_of(finished(Side.BUY), initial_stop=D(91005))
    assert (found.r_gross, found.r_net) == (ZERO, ZERO)
    assert found.realized_pnl == D(5)


@pytest.mark.rule("T-4", "P-4")
def test_a_trade_without_a_fill_has_no_summary() -> None:
    """A fill is never invented."""
    assert summarize(world(orders=(own("S1"),)), trade_of()) is None


@pytest.mark.rule("T-4", "P-4")
@pytest.mark.parametrize("funding", [None, ()])
def test_what_entries_only_report_counts_at_their_price(funding: tuple[()] | None) -> None:
    """0.013 reported, 0.003 of it told at 90 700: it has traded all the same, from arming until now where no fill says."""
    entry = own("E1", filled_quantity=D("0.013"))
    told = lot(entry, "0.003", "90700", time_ms=NOW - 700)
    some = summary_of(world(orders=(entry,), fills=(told,), funding=funding))
    assert some.quantity == D("0.013")
    assert some.average_entry == (D("0.010") * D("90786.6") + D("0.003") * D(90700)) / D("0.013")
    assert (some.first_fill_ms, some.last_fill_ms) == (NOW - 700, NOW - 700)
    none = summary_of(world(orders=(entry,), fills=(), funding=funding))
    assert (none.quantity, none.average_entry, none.average_exit) == (
        D("0.013"),
        D("90786.6"),
        D("90786.6"),
    )
    assert (none.first_fill_ms, none.last_fill_ms) == (BEFORE, NOW)
    assert (none.exit_reason, none.realized_pnl, none.fees) == ("manual", ZERO, ZERO)


@pytest.mark.rule("T-4", "Y-1")
def test_what_was_adopted_counts_at_the_venues_price() -> None:
    """0.01 found at 90 000 and 0.01 bought at 91 010 since by its entry, whose exits are none of its price."""
    entry, stop = own("E1", filled_quantity=D("0.01")), own("S1", filled_quantity=D("0.02"))
    fills = (lot(entry, "0.01", "91010"), lot(stop, "0.02", "89500"))
    found = summary_of(
        world(orders=(entry, stop), fills=fills),
        adopted_price=D(90000),
        adopted_quantity=D("0.01"),
    )
    assert (found.quantity, found.average_entry, found.average_exit) == (
        D("0.02"),
        D(90505),
        D(89500),
    )


# why it ended


def ended_by(*fills: Fill, orders: tuple[OwnOrder, ...] = (), **changes: object) -> str:
    """The reason of a long that was bought, and sold by these."""
    entry = own("E1", filled_quantity=D("0.013"))
    seen = world(orders=(entry, *orders), fills=(lot(entry, "0.013", time_ms=BEFORE), *fills))
    return summary_of(seen, Side.BUY, **changes).exit_reason


@pytest.mark.rule("T-4")
@pytest.mark.parametrize(
    ("name", "reason"),
    [("S1", "stop"), ("B1", "backstop"), ("P1", "tp1"), ("Q1", "tp2"), ("L1", "liq_zone")],
)
def test_an_exit_names_the_end(name: str, reason: str) -> None:
    """By the role of the order that sold the last lot."""
    order = own(name)
    assert ended_by(lot(order, "0.013"), orders=(order,)) == reason


@pytest.mark.rule("T-4")
@pytest.mark.parametrize(
    ("closing", "reason"), [*((each, each.value) for each in CloseReason), (None, "emergency")]
)
def test_a_full_exit_is_named_by_why_the_trade_was_closing(
    closing: CloseReason | None, reason: str
) -> None:
    """And as an emergency where nothing says why."""
    order = own("X1")
    assert ended_by(lot(order, "0.013"), orders=(order,), closing=closing) == reason


@pytest.mark.rule("T-4")
@pytest.mark.parametrize(
    ("tp1_ms", "stop_ms", "tp1_id", "reason"),
    [
        (NOW - 10, NOW - 20, 1000, "tp1"),
        (NOW - 20, NOW - 10, 3000, "stop"),
        (NOW - 10, NOW - 10, 3000, "tp1"),  # in one millisecond the later execution
        (NOW - 10, NOW - 10, 1000, "stop"),
    ],
)
def test_the_last_lot_names_the_end(tp1_ms: int, stop_ms: int, tp1_id: int, reason: str) -> None:
    """By its own time, then by the number of its execution; not by the order in which they were told."""
    target, stop = own("P1"), own("S1")
    fills = (
        lot(target, "0.006", time_ms=tp1_ms, trade_id=tp1_id),
        lot(stop, "0.007", time_ms=stop_ms, trade_id=2000),
    )
    assert ended_by(*fills, orders=(target, stop)) == reason


VENUES_OWN = [
    ("autoclose-123", "liquidation"),
    ("adl_autoclose", "adl"),
    ("settlement_autoclose-1", "settlement"),
]


@pytest.mark.rule("T-4", "Y-2")
@pytest.mark.parametrize(
    ("client_id", "reason"), [*VENUES_OWN, ("web_1", "manual"), (None, "manual"), ("", "manual")]
)
def test_the_venues_own_names_tell_what_it_forced(client_id: str | None, reason: str) -> None:
    """A liquidation, a deleveraging, a settlement; everything else was a hand."""
    sold = lot(own("S9"), "0.013", client_id=client_id)
    assert ended_by(sold) == reason
    forced = forced_by(world(fills=(sold,)))
    assert forced == (None if reason == "manual" else sold)


@pytest.mark.rule("Y-3", "M-3")
def test_the_newest_forced_execution_is_told() -> None:
    """Of several the last one by time, then by number; an order of ours is never forced, whatever its name."""
    stop = own("S1", client_id="autoclose-ours")
    fills = tuple(
        lot(stop, "0.001", client_id=name, time_ms=at_ms, trade_id=trade_id)
        for name, at_ms, trade_id in (
            ("autoclose-1", NOW - 20, 9),
            ("autoclose-2", NOW - 10, 7),
            ("autoclose-3", NOW - 10, 8),
            ("autoclose-4", NOW - 30, 10),
            ("autoclose-ours", NOW, 11),
        )
    )
    forced = forced_by(world(orders=(stop,), fills=fills))
    assert forced is not None and forced.client_id == "autoclose-3"
    assert forced_by(world(orders=(stop,), fills=fills[-1:])) is None


# slippage and moves


@pytest.mark.rule("T-4", "H-6")
@pytest.mark.parametrize(
    ("side", "price", "slippage"),
    [(Side.BUY, "90377", ONE * 3), (Side.BUY, "90381", -ONE), (Side.SELL, "91223", ONE * 3)],
)
@pytest.mark.parametrize("name", ["S1", "B1"])
def test_slippage_is_how_much_worse_than_its_trigger_a_stop_sold(
    name: str, side: Side, price: str, slippage: Decimal
) -> None:
    """Positive against the trade, of the working stop as of the backstop."""
    entry, stop = own("E1", side, filled_quantity=D("0.013")), own(name, side)
    fills = (lot(entry, "0.013"), lot(stop, "0.013", price))
    found = summary_of(world(orders=(entry, stop), fills=fills), side)
    assert found.slippage == slippage


@pytest.mark.rule("T-4")
def test_without_a_stop_that_sold_there_is_no_slippage() -> None:
    """TP1 sold it all."""
    entry, target = own("E1", filled_quantity=D("0.013")), own("P1")
    fills = (lot(entry, "0.013"), lot(target, "0.013", "91600"))
    assert summary_of(world(orders=(entry, own("S1"), target), fills=fills)).slippage is None


@pytest.mark.rule("T-4", "R-1", "H-6")
@pytest.mark.parametrize(
    ("triggers", "moves"),
    [((), 0), (("90380",), 0), (("90380", "90380"), 0), (("90380", "90500", "90600"), 2)],
)
def test_moves_are_the_prices_at_which_a_stop_rested(triggers: tuple[str, ...], moves: int) -> None:
    """The first is no move, one restored at its price neither; the backstop never moves."""
    entry = own("E1", filled_quantity=D("0.013"))
    stops = tuple(own(f"S{n}", trigger_price=D(each)) for n, each in enumerate(triggers, 1))
    gone = tuple(ended(each) for each in stops)
    backstop = own("B1", trigger_price=D(90000))
    seen = world(orders=(entry, *gone, backstop), fills=(lot(entry, "0.013"),))
    assert summary_of(seen).stop_moves == moves
    never = replace(own("S9"), acked_ms=None)
    assert summary_of(replace(seen, orders=(*seen.orders, never))).stop_moves == moves
