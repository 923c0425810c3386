"""What a refusal says, word for word, and the last value on either side of each guard's threshold; long and short."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.planner.pieces import own, trade_of
from tests.unit.planner.saying import told
from tests.worlds import (
    BTC,
    NOW,
    POLICY,
    D,
    decision,
    levels,
    quote,
    seen,
    short_decision,
    world,
)

from jumar.model.account import (
    AccountSettings,
    Balance,
    MarginMode,
    PositionReport,
    SymbolSettings,
)
from jumar.model.command import Refusal
from jumar.model.decision import Action, Decision
from jumar.model.mode import Health, ModeState
from jumar.model.order import OrderState, Side
from jumar.model.policy import Policy
from jumar.model.world import DecisionState, World
from jumar.planner import guards, ladder
from jumar.planner.guards.account import equity_refusals, liquidation_refusals
from jumar.planner.guards.decision import (
    leverage_refusal,
    notional_refusals,
    risk_checks,
    standing_refusals,
)
from jumar.planner.guards.exchange import exchange_state
from jumar.planner.guards.market import mark_near_stop, market_data, prices
from jumar.planner.guards.mode import mode_refusals
from jumar.planner.guards.truth import truth_refusals

LONG, SHORT = Side.BUY, Side.SELL
HOUR_MS = 3_600_000
sides = pytest.mark.parametrize("side", [LONG, SHORT])


def example(side: Side, **changes: object) -> Decision:
    """The decision of the specification's example, or of its mirror."""
    return decision(**changes) if side is LONG else short_decision(**changes)


# the decision by itself


def standing(age_ms: int = 5000, **state: object) -> list[tuple[str, str, str]]:
    """What is said of a decision of an age."""
    known = DecisionState(decision=decision(timestamp_ms=NOW - age_ms))
    return told(standing_refusals(world(decision=replace(known, **state)), POLICY))  # type: ignore[arg-type]  # a test states only what differs


@pytest.mark.rule("G-1", "D-3", "D-7")
def test_what_a_decision_that_is_no_longer_in_force_is_told() -> None:
    """Too old, ahead of time, spent, and what its reader found; several of them in this order."""
    stale = ("stale", "D-3", "decision is 600.1 s old, 600 s are allowed")
    ahead = (
        "decision is 123.4 s ahead of the exchange's clock, 5 s are allowed: "
        "check the clock of the decision system"
    )
    spent = ("spent", "D-7", "decision is spent: its entry filled")
    assert standing(600_100) == [stale]
    assert standing(-123_400) == [("future", "D-3", ahead)]
    assert standing(spent="its entry filled") == [spent]
    found = (("malformed", "sl is missing"), ("conflict", "two contents of one id"))
    assert standing(600_100, spent="its entry filled", refusals=found) == [
        ("malformed", "G-1", "sl is missing"),
        ("conflict", "G-1", "two contents of one id"),
        stale,
        spent,
    ]
    assert standing_refusals(world(decision=None), POLICY) == ()


@pytest.mark.rule("G-1", "D-3")
@pytest.mark.parametrize(
    ("age_ms", "codes"),
    [
        (600_000, []),
        (600_001, ["stale"]),
        (-5000, []),
        (-5001, ["future"]),
    ],
)
def test_a_decision_is_in_force_up_to_the_last_millisecond(age_ms: int, codes: list[str]) -> None:
    """600 s of age and 5 s ahead pass, a millisecond more does not; whoever asks gets the same answer."""
    some = decision(timestamp_ms=NOW - age_ms)
    assert [code for code, _, _ in standing(age_ms)] == codes
    assert guards.is_fresh(some, world(), POLICY) is (not codes)


@pytest.mark.rule("G-2", "D-6")
def test_every_check_that_says_no_is_named() -> None:
    """Those that failed, in their order; a block that is missing is said to be."""
    checks = (("session_ok", False), ("daily_dd_ok", True), ("no_major_news", False))
    assert told(risk_checks(decision(risk_checks=checks))) == [
        ("risk_check_failed", "D-6", "risk_checks say no: session_ok, no_major_news")
    ]
    assert told(risk_checks(decision(risk_checks=None))) == [
        ("risk_checks_missing", "D-6", "the decision has no risk_checks block")
    ]
    assert told(risk_checks(decision())) == []


@pytest.mark.rule("G-7")
@pytest.mark.parametrize(
    ("leverage", "instrument_max", "limit"),
    [
        ("5", None, None),
        ("5.5", None, "5"),
        ("5", 125, None),
        ("6", 125, "5"),
        ("4", 4, None),
        ("5", 4, "4"),
    ],
)
def test_the_stricter_leverage_counts(
    leverage: str, instrument_max: int | None, limit: str | None
) -> None:
    """Five are configured; the instrument may allow less, or say nothing. Exactly the limit passes."""
    refusal = leverage_refusal(decision(leverage=D(leverage)), instrument_max, POLICY)
    words = f"leverage {leverage} is above {limit}"
    assert refusal == (
        None if limit is None else Refusal(code="leverage_too_high", rule="G-7", message=words)
    )


# notional: 0.013 at the band's largest price, 90 786.6 long and 90 900 short


def notional(side: Side, most: str, leverage: int | None = None, **changes: object) -> list[str]:
    """What is said of the example's notional under a limit."""
    policy = replace(POLICY, max_notional_usdt=D(most))
    around = world(decision=DecisionState(decision=example(side)), **changes)
    found = told(notional_refusals(around, policy, trade_of(side), leverage))
    assert all(each[:2] == ("notional_too_high", "G-7") for each in found)
    return [message for _, _, message in found]


@pytest.mark.rule("G-7", "E-3")
@pytest.mark.parametrize(("side", "exact"), [(LONG, "1180.2258"), (SHORT, "1181.7")])
def test_the_planned_notional_is_that_of_the_bands_largest_price(side: Side, exact: str) -> None:
    """No fill inside the band can exceed the limit: exactly the limit passes, a cent less of it does not."""
    less = D(exact) - D("0.01")
    assert notional(side, exact) == []
    assert notional(side, str(less)) == [
        f"notional {exact} is above {less.normalize():f}, max_notional_usdt"
    ]
    assert notional(side, str(less), settings=None) == notional(side, str(less))
    assert notional(side, exact, settings=None) == []
    assert notional(side, str(less), instrument=None) == []


@pytest.mark.rule("G-7", "E-3")
@sides
def test_the_brackets_limit_is_that_of_the_leverage(side: Side) -> None:
    """As the set-up will make it, else as read back; the smaller of both limits is named."""
    cap = D("1180.2258") if side is LONG else D("1181.7")
    small = replace(BTC.brackets[0], max_leverage=3, notional_cap=cap - D("0.01"))
    wide = replace(BTC.brackets[1], max_leverage=2, notional_cap=cap)
    of = replace(BTC, brackets=(small, wide))
    limit = f"{cap - D('0.01'):f}"
    words = f"notional {cap} is above {limit}, the exchange's limit at leverage 3"
    at_two = seen(SymbolSettings(leverage=2, margin_mode=MarginMode.ISOLATED))
    assert notional(side, "5000", instrument=of) == [words]  # three, as read back
    assert notional(side, "5000", instrument=of, settings=at_two) == []
    assert notional(side, "5000", 3, instrument=of, settings=at_two) == [words]
    assert notional(side, "5000", 2, instrument=of) == []
    assert notional(side, "1000", 3, instrument=of) == [
        f"notional {cap} is above 1000, max_notional_usdt"
    ]


@pytest.mark.rule("G-7")
def test_without_a_band_the_notional_is_that_of_the_limit_price() -> None:
    """Stricter limits left no price to enter: what was planned counts. Nothing planned is judged by nothing."""
    trade = trade_of(limit_price=D(90000))
    stricter = replace(POLICY, min_rr=D(20), max_notional_usdt=D(1169))
    assert told(notional_refusals(world(), stricter, trade, None)) == [
        ("notional_too_high", "G-7", "notional 1170 is above 1169, max_notional_usdt")
    ]
    nothing = replace(trade, planned_quantity=D(0))
    assert told(notional_refusals(world(), replace(stricter, max_notional_usdt=D(-1)), nothing, None)) == []  # fmt: skip


# the market


def away(side: Side, price: str, low: str = "90700", high: str = "90900") -> list[str]:
    """What is said while last and mark stand there."""
    base = example(side).levels
    assert base is not None
    some = example(side, levels=replace(base, zone_min=D(low), zone_max=D(high)))
    at = seen(D(price))
    both = told(prices(world(last=at, mark=at), some, POLICY))
    assert told(prices(world(last=at, mark=None), some, POLICY)) == both[:1]
    assert told(prices(world(last=None, mark=at), some, POLICY)) == both[1:]
    assert all(each[:2] == ("price_too_far", "G-4") for each in both)
    return [message for _, _, message in both]


@pytest.mark.rule("G-4")
@pytest.mark.parametrize(
    ("side", "passing", "beyond"), [(LONG, "90380.1", "90380"), (SHORT, "91219.9", "91220")]
)
def test_a_price_at_the_stop_is_beyond_it(side: Side, passing: str, beyond: str) -> None:
    """Exactly at the stop is too far already, a tick before it is not; last and mark are named apart."""
    assert away(side, passing) == []
    assert away(side, beyond) == [
        f"last {beyond} is beyond the stop {beyond}",
        f"mark {beyond} is beyond the stop {beyond}",
    ]


@pytest.mark.rule("G-4")
@pytest.mark.parametrize(
    ("side", "zone", "passing", "beyond", "distance"),
    [
        # 1 % of 100 000 above the zone, for a long, and below it, for a short; stops on the other side
        (LONG, ("98500", "99000"), "100000", "100010", "1.0099"),
        (SHORT, ("91000", "91100"), "90099.1", "90090", "1.0101"),
        # toward the stop, which is further away than the limit
        (LONG, ("101000", "101500"), "100000", "99990", "1.0101"),
        (SHORT, ("88800", "89100"), "90000", "90010", "1.011"),
    ],
)
def test_one_percent_from_the_zone_passes(
    side: Side, zone: tuple[str, str], passing: str, beyond: str, distance: str
) -> None:
    """Measured in percent of the price; the message has price, distance, zone and limit."""
    low, high = zone
    assert away(side, passing, low, high) == []
    padded = f"{D(distance):.4f}"
    assert away(side, beyond, low, high) == [
        f"{name} {beyond} is {padded} % from the zone [{low}, {high}], 1 % is allowed"
        for name in ("last", "mark")
    ]


@pytest.mark.rule("G-4")
def test_a_decision_without_levels_is_far_from_nothing() -> None:
    """A flat decision has no zone, and one without a side none to be beyond."""
    at = seen(D(1))
    around = world(last=at, mark=at)
    assert told(prices(around, decision(levels=None), POLICY)) == []
    assert told(prices(around, decision(action=Action.FLAT), POLICY)) == []


def market(**changes: object) -> list[tuple[str, str, str]]:
    """What is said of the data of a market."""
    return told(market_data(world(**changes), POLICY))


@pytest.mark.rule("G-6")
def test_what_was_never_received_and_what_is_old() -> None:
    """Last price, quote and mark; 5 s pass, a millisecond more does not."""
    names = ("last price", "quote", "mark")
    assert market(last=None, quote=None, mark=None) == [
        ("market_data_stale", "G-6", f"no {name} has been received yet") for name in names
    ]
    ages = {"quote": quote("90820", "90820.1"), "mark": seen(D(90820))}
    for name, part in ages.items():
        assert market(**{name: replace(part, at_ms=NOW - 5000)}) == []
        assert [code for code, _, _ in market(**{name: replace(part, at_ms=NOW - 5001)})] == [
            "market_data_stale"
        ]
        assert market(**{name: replace(part, at_ms=NOW - 123_400)}) == [
            ("market_data_stale", "G-6", f"the {name} is 123.4 s old, 5 s are allowed")
        ]


@pytest.mark.rule("G-5")
@pytest.mark.parametrize(
    ("bid", "ask", "percent"),
    [
        ("99975", "100025", None),  # 50 around 100 000: 0.05 %
        ("99974.9", "100025.1", "0.0502"),
        ("99970", "100030", "0.0600"),
    ],
)
def test_a_spread_of_exactly_the_limit_passes(bid: str, ask: str, percent: str | None) -> None:
    """In percent of the middle, with both prices."""
    words = f"spread {bid} / {ask} is {percent} %, 0.05 % is allowed"
    expected = [] if percent is None else [("spread_too_wide", "G-5", words)]
    assert market(quote=quote(bid, ask)) == expected


@pytest.mark.rule("G-5")
@pytest.mark.parametrize(
    ("mark", "percent"),
    [
        ("100300", None),
        ("100310", "0.3100"),
        ("100300.1", "0.3001"),
        ("99700", None),
        ("99699.9", "0.3001"),
        ("99690", "0.3100"),
    ],
)
def test_a_mark_exactly_at_the_limit_from_last_passes(mark: str, percent: str | None) -> None:
    """In percent of the last price 100 000, above and below it."""
    words = f"mark {mark} and last 100000 are {percent} % apart, 0.3 % is allowed"
    expected = [] if percent is None else [("mark_diverged", "G-5", words)]
    assert market(mark=seen(D(mark)), last=seen(D(100_000))) == expected


@pytest.mark.rule("G-16")
@pytest.mark.parametrize(
    ("side", "passing", "refused", "stop"),
    [(LONG, "90481.66", "90481.65", "90380"), (SHORT, "91118.34", "91118.35", "91220")],
)
def test_mark_must_be_more_than_the_margin_from_the_stop(
    side: Side, passing: str, refused: str, stop: str
) -> None:
    """A quarter of 406.6 is 101.65: exactly that refuses, a cent more passes; beyond the stop it is below zero."""
    trade = trade_of(side)
    assert mark_near_stop(world(mark=seen(D(passing))), POLICY, trade) is None
    for mark, room in (
        (refused, "101.65"),
        (stop, "0"),
        (str(D(stop) - 10 * trade.sign), "-10"),
    ):
        words = f"mark {mark} is {room} from the stop {stop}, more than 101.65 is needed"
        found = mark_near_stop(world(mark=seen(D(mark))), POLICY, trade)
        assert found == Refusal(code="mark_near_stop", rule="G-16", message=words)
    assert mark_near_stop(world(mark=None), POLICY, trade) is None


# modes


def mode_words(**changes: object) -> list[tuple[str, str, str]]:
    """What is said of modes."""
    return told(mode_refusals(world(**changes)))


def kept(code: str, cause: str) -> ModeState:
    """A mode that lasts until somebody has looked."""
    return ladder.state(code, cause, NOW - 1000)


@pytest.mark.rule("G-12", "M-1", "M-6")
def test_what_a_mode_says() -> None:
    """Which mode, by which rule, why, and what ends it; an operator's pause has a code of its own."""
    resume = "`jumar resume` ends it once you have looked"
    assert mode_words() == []
    assert mode_words(draining=True) == [("mode", "G-12", "the engine is being stopped")]
    assert mode_words(mode=kept("emergency_close", "the stop was lost")) == [
        ("mode", "M-1", f"FLATTENING since M-2: the stop was lost; {resume}")
    ]
    for code, mode in (
        ("paused", "NO_ENTRIES"),
        ("all_paused", "NO_ENTRIES"),
        ("flatten", "FLATTENING"),
    ):
        assert mode_words(account_mode=kept(code, "somebody said so")) == [
            ("paused", "M-1", f"{mode} since M-6: somebody said so; {resume}")
        ]


@pytest.mark.rule("G-12", "M-3", "X-7")
def test_what_heals_by_itself_asks_for_nobody() -> None:
    """No word of resuming; another writer has a code of its own; all that holds is told."""
    silent = Health(unanswered_ms=NOW - 10_100)
    words = "NO_ENTRIES: no read was answered for 10.1 s, 10 s are allowed"
    assert mode_words(health=silent) == [("mode", "M-3", words)]
    assert mode_words(health=Health(not_writer="another engine writes here")) == [
        ("not_writer", "X-7", "NO_ENTRIES: another engine writes here")
    ]
    both = mode_words(health=silent, mode=kept("paused", "lunch"), draining=True)
    assert [code for code, _, _ in both] == ["mode", "paused", "mode"]


# truth


@pytest.mark.rule("G-13", "Y-9")
def test_what_was_not_read_and_what_was_read_too_long_ago() -> None:
    """Position and both lists by name; 3 s pass, a millisecond more does not."""
    parts = {
        "position": "position",
        "open_orders": "order list",
        "conditional_orders": "conditional order list",
    }
    for part, name in parts.items():
        value = getattr(world(), part)

        def said(read: object, part: str = part) -> list[tuple[str, str, str]]:
            return told(truth_refusals(world(**{part: read}), POLICY))

        assert said(None) == [("truth_incomplete", "G-13", f"the {name} has not been read yet")]
        assert said(replace(value, at_ms=NOW - 3000)) == []
        assert len(said(replace(value, at_ms=NOW - 3001))) == 1
        words = f"the {name} was read 123.4 s ago, 3 s are allowed"
        assert said(replace(value, at_ms=NOW - 123_400)) == [("truth_incomplete", "G-13", words)]
    assert told(truth_refusals(world(ready=False), POLICY)) == [
        ("truth_incomplete", "Y-9", "the first reconciliation has not completed")
    ]


@pytest.mark.rule("G-13", "X-4")
@pytest.mark.parametrize(
    ("name", "blocks"),
    [("P1", True), ("Q1", True), ("L1", True), ("X1", True), ("E1", False), ("S1", False)],
)
@sides
def test_an_exit_whose_outcome_is_unknown_too_long_keeps_entries_away(
    side: Side, name: str, *, blocks: bool
) -> None:
    """After 800 ms, not at them, and never once it is known; the entry and the stops have rules of their own."""

    def said(age_ms: int, state: OrderState = OrderState.UNKNOWN) -> list[tuple[str, str, str]]:
        order = own(name, side, state=state, journaled_ms=NOW - age_ms, acked_ms=None)
        return told(truth_refusals(world(orders=(order,)), POLICY))

    number = own(name, side).client_id
    words = f"the outcome of {number} is not known for 123.4 s"
    assert said(800) == []
    assert len(said(801)) == (1 if blocks else 0)
    assert said(123_400) == ([("unresolved_order", "G-13", words)] if blocks else [])
    assert said(123_400, OrderState.ENDED) == []


@pytest.mark.rule("G-13", "X-9", "Y-6")
def test_an_order_of_an_earlier_trade_keeps_entries_away() -> None:
    """Until it is proven ended; it is named."""
    stray = own("P1")
    words = f"{stray.client_id} of an earlier trade is not proven ended"
    assert told(truth_refusals(world(strays=(stray,)), POLICY)) == [
        ("unresolved_order", "X-9", words)
    ]


# the exchange


def state_words(*, trade: bool = False, **changes: object) -> list[tuple[str, str, str]]:
    """What is said of the exchange's state, with a trade of ours or without one."""
    return told(exchange_state(world(**changes), POLICY, trade_of() if trade else None))


def account(*, hedge: bool, multi: bool) -> object:
    """How the account is set."""
    settings = AccountSettings(hedge_mode=hedge, multi_assets=multi, can_trade=True)
    return seen(settings)


@pytest.mark.rule("G-15")
def test_what_is_said_of_the_symbol() -> None:
    """Filters that are not known, a status that is none of trading, and how the last day is counted."""
    assert state_words(instrument=None) == [
        ("symbol_not_trading", "G-15", "the filters of the symbol are not known yet")
    ]
    assert state_words(instrument=replace(BTC, status="SETTLING")) == [
        ("symbol_not_trading", "G-15", "BTCUSDT has status SETTLING, not TRADING")
    ]
    ending = replace(BTC, delivery_ms=NOW + 90 * HOUR_MS // 60)
    assert state_words(instrument=ending) == [
        (
            "symbol_delisting",
            "G-15",
            (
                "BTCUSDT is delivered in 1.5 h, positions are closed 1.0 h before: "
                "nothing is begun in its last 25 h"
            ),
        )
    ]


@pytest.mark.rule("G-15", "G-13")
def test_what_is_said_of_the_accounts_modes() -> None:
    """Not read, hedge mode, multi-assets mode, and both; each says what to switch."""
    hedge = (
        "position_mode_hedge",
        "G-15",
        "the account is in hedge mode: switch Binance's position mode to one-way",
    )
    multi = (
        "multi_assets_mode",
        "G-15",
        "the account is in multi-assets mode: switch to single-asset",
    )
    assert state_words(account_settings=None) == [
        ("truth_incomplete", "G-13", "the account's modes have not been read yet")
    ]
    assert state_words(account_settings=account(hedge=True, multi=False)) == [hedge]
    assert state_words(account_settings=account(hedge=False, multi=True)) == [multi]
    assert state_words(account_settings=account(hedge=True, multi=True)) == [hedge, multi]


@pytest.mark.rule("G-15", "Y-2")
@pytest.mark.parametrize(("read", "event"), [("0", "-0.5"), ("-0.5", "0.2"), ("-0.5", None)])
def test_the_largest_position_that_may_be_the_truth_is_told(read: str, event: str | None) -> None:
    """A short counts as a long does; with a trade of ours it is no stranger's."""

    def held(quantity: str, age_ms: int) -> object:
        report = PositionReport(symbol="BTCUSDT", quantity=D(quantity), entry_price=D(90000))
        return seen(report, age_ms)

    around = world(
        position=held(read, 100), position_event=None if event is None else held(event, 200)
    )
    assert told(exchange_state(around, POLICY, None)) == [
        ("foreign_position", "G-15", "there is a position of -0.5 that is not ours")
    ]
    assert told(exchange_state(around, POLICY, trade_of())) == []


@pytest.mark.rule("G-15", "E-4")
def test_what_is_said_of_the_margin_mode() -> None:
    """What could not be set; and, while a trade is open, a mode that a hand changed."""
    assert state_words(setup_error="leverage refused: -4028") == [
        ("margin_mode_mismatch", "G-15", "leverage refused: -4028")
    ]
    for wanted, found in (
        (MarginMode.ISOLATED, MarginMode.CROSSED),
        (MarginMode.CROSSED, MarginMode.ISOLATED),
    ):
        policy = replace(POLICY, margin_mode=wanted)
        around = world(settings=seen(SymbolSettings(leverage=3, margin_mode=found)))
        words = f"the margin mode is no longer {wanted.value.lower()}"
        assert told(exchange_state(around, policy, trade_of())) == [
            ("margin_mode_mismatch", "G-15", words)
        ]
        assert told(exchange_state(around, policy, None)) == []
    assert state_words(trade=True, settings=None) == []


# the account


@pytest.mark.rule("G-8", "G-13")
def test_what_is_said_of_equity() -> None:
    """Not read, and below the least; exactly the least passes."""
    assert told(equity_refusals(world(balance=None), POLICY)) == [
        ("truth_incomplete", "G-13", "the balance has not been read yet")
    ]
    least = replace(POLICY, equity_min_usdt=D("10000.5"))
    assert told(equity_refusals(world(), least)) == [
        ("equity_below_min", "G-8", "equity 10000 is below 10000.5")
    ]
    assert told(equity_refusals(world(), replace(POLICY, equity_min_usdt=D(10000)))) == []


def liquidated(
    side: Side, leverage: int | None, policy: Policy, **changes: object
) -> list[tuple[str, str, str]]:
    """What is said of the example's liquidation."""
    around = world(decision=DecisionState(decision=example(side)), **changes)
    return told(liquidation_refusals(around, policy, trade_of(side), leverage))


WHOLE = replace(POLICY, max_leverage=125, liquidation_buffer_pct=D(100))


@pytest.mark.rule("G-9")
@pytest.mark.parametrize(
    ("side", "entry", "price", "stop"),
    [
        # 0.8 % of margin less 0.04 % of fee; 0.4 % of maintenance
        (LONG, "90786.6", "90458.46", "90380"),
        (SHORT, "90813.4", "91139.03", "91220"),
    ],
)
def test_what_is_said_of_a_liquidation_inside_the_stop(
    side: Side, entry: str, price: str, stop: str
) -> None:
    """The entry, the mode, the leverage, the price, and how far beyond the stop it must be; as set or as read back."""
    words = (
        f"entered at {entry} with isolated margin and leverage 125 it would be liquidated at {price}; "
        f"it must be 406.6 or more beyond the stop {stop}"
    )
    wild = seen(SymbolSettings(leverage=125, margin_mode=MarginMode.ISOLATED))
    crossed = seen(SymbolSettings(leverage=3, margin_mode=MarginMode.CROSSED))
    refused = [("liquidation_inside_stop", "G-9", words)]
    assert liquidated(side, 125, WHOLE) == refused
    assert liquidated(side, None, WHOLE, settings=wild) == refused
    assert liquidated(side, 125, WHOLE, settings=crossed) == refused  # what it will be, counts
    assert liquidated(side, None, WHOLE) == []  # three, as read back
    assert liquidated(side, 3, WHOLE, settings=wild) == []


@pytest.mark.rule("G-9", "G-13")
@sides
def test_what_is_not_read_back_is_not_guessed(side: Side) -> None:
    """Of an entry that rests the settings must be known; without balance, filters or quantity others refuse."""
    words = "margin mode and leverage have not been read back yet"
    assert liquidated(side, None, WHOLE, settings=None) == [("truth_incomplete", "G-13", words)]
    assert liquidated(side, 3, WHOLE, settings=None) == []
    assert liquidated(side, None, WHOLE, settings=None, balance=None) == []
    assert liquidated(side, None, WHOLE, settings=None, instrument=None) == []
    nothing = trade_of(side, planned_quantity=D(0))
    assert told(liquidation_refusals(world(settings=None), WHOLE, nothing, None)) == []
    smallest = trade_of(side, planned_quantity=D("0.001"))
    assert told(liquidation_refusals(world(settings=None), WHOLE, smallest, None)) == [
        ("truth_incomplete", "G-13", words)
    ]


@pytest.mark.rule("G-9")
@pytest.mark.parametrize(
    ("side", "entry", "price", "stop"),
    [
        # 9 USDT less the fee of 0.47 carry 0.013: 656 a coin, of which 363 are maintenance
        (LONG, "90786.6", "90492.58", "90380"),
        (SHORT, "90813.4", "91104.96", "91220"),
    ],
)
def test_a_crossed_position_that_is_partly_there_is_judged_as_if_it_were_not(
    side: Side, entry: str, price: str, stop: str
) -> None:
    """Its profit at the mark and its maintenance margin are taken out again; without a mark the entry stands for it."""
    words = (
        f"entered at {entry} with crossed margin and leverage 20 it would be liquidated at {price}; "
        f"it must be 406.6 or more beyond the stop {stop}"
    )
    sign = 1 if side is LONG else -1
    settings = seen(SymbolSettings(leverage=20, margin_mode=MarginMode.CROSSED))

    def said(quantity: str, profit: str, maintenance: str, mark: str | None) -> object:
        balance = Balance(
            wallet=D(9),
            equity=D(9),
            available=D(9),
            cross_wallet=D(9),
            cross_unrealized=D(profit),
            maintenance=D(maintenance),
        )
        report = PositionReport(
            symbol="BTCUSDT", quantity=D(quantity) * sign, entry_price=D(entry) - 100 * sign
        )
        return liquidated(
            side,
            None,
            WHOLE,
            balance=seen(balance),
            settings=settings,
            position=seen(report),
            mark=None if mark is None else seen(D(mark)),
        )

    refused = [("liquidation_inside_stop", "G-9", words)]
    assert said("0", "0", "0", None) == refused
    there = D("0.01") * D(entry) * D("0.004")
    assert said("0.01", "1", str(there), entry) == refused
    assert said("0.01", "1", str(there), None) == refused
    further = D(entry) + 100 * sign
    there = D("0.01") * further * D("0.004")
    assert said("0.01", "2", str(there), str(further)) == refused


@pytest.mark.rule("G-9")
def test_the_position_may_not_have_been_read() -> None:
    """Then nothing of it is there."""
    settings = seen(SymbolSettings(leverage=3, margin_mode=MarginMode.CROSSED))
    assert liquidated(LONG, None, WHOLE, settings=settings, position=None) == []


# all of them


def everything_wrong() -> World:
    """Every guard but those of the account's standing has something to say."""
    return world(
        decision=DecisionState(decision=decision(risk_checks=None)),
        last=seen(D(92000)),
        mark=seen(D(90380)),
        quote=quote("90000", "91000"),
        draining=True,
        ready=False,
        account_settings=None,
        balance=None,
        position=seen(PositionReport(symbol="BTCUSDT", quantity=D(1), entry_price=D(90000))),
    )


@pytest.mark.rule("G-2", "G-4", "G-5", "G-12", "G-13", "G-15", "G-16", "P-3")
def test_all_guards_are_asked_in_one_order() -> None:
    """The first one is the cause that a cancelled entry is told; a trade of ours adds what its price leads to."""
    common = [
        "risk_checks_missing",
        "price_too_far",
        "price_too_far",
        "spread_too_wide",
        "mark_diverged",
        "mode",
        "truth_incomplete",
        "truth_incomplete",
    ]
    wrong = everything_wrong()
    idle = [each.code for each in guards.market_refusals(wrong, POLICY, None)]
    assert idle == [*common, "foreign_position", "truth_incomplete"]
    small = replace(POLICY, max_notional_usdt=D(1))
    unchecked = trade_of(decision=decision(risk_checks=None))
    resting = [each.code for each in guards.market_refusals(wrong, small, unchecked)]
    assert resting == [*common, "truth_incomplete", "mark_near_stop", "notional_too_high"]


@pytest.mark.rule("G-1", "E-9")
def test_without_a_decision_only_a_trade_is_judged() -> None:
    """Nothing is wanted by none and by a flat one; a trade is judged by the decision that guides it."""
    wrong = everything_wrong()
    flat = DecisionState(decision=decision(action=Action.FLAT, levels=None))
    assert guards.market_refusals(replace(wrong, decision=None), POLICY, None) == ()
    assert guards.market_refusals(replace(wrong, decision=flat), POLICY, None) == ()
    guided = trade_of(guide=decision(risk_checks=None))
    for state in (None, flat):
        around = world(decision=state)
        assert guards.market_refusals(around, POLICY, trade_of()) == ()
        found = guards.market_refusals(around, POLICY, guided)
        assert [each.code for each in found] == ["risk_checks_missing"]
    ended = trade_of(guide=decision(action=Action.FLAT, levels=None))
    assert guards.market_refusals(wrong, POLICY, ended) == ()


@pytest.mark.rule("G-7", "G-9", "G-17")
def test_what_is_planned_is_judged_with_the_leverage_of_its_set_up() -> None:
    """What the symbol is set to by now says nothing of it; of an entry that rests it says all."""
    row = replace(BTC.brackets[0], max_leverage=3, notional_cap=D(100_000))
    around = world(
        instrument=replace(BTC, brackets=(row,)),
        settings=seen(SymbolSettings(leverage=4, margin_mode=MarginMode.ISOLATED)),
    )
    poor = Balance(wallet=D(1), equity=D(1), available=D(1))

    def found(leverage: int | None, policy: Policy = POLICY, around: World = around) -> list[str]:
        refusals = guards.planned_refusals(around, policy, trade_of(), leverage)
        return [each.code for each in refusals]

    assert found(3) == []
    assert found(4) == ["notional_too_high"]
    assert found(None) == ["notional_too_high"]
    wide = replace(WHOLE, liquidation_buffer_pct=D(100_000))
    assert found(3, wide) == ["liquidation_inside_stop"]
    assert found(3, around=replace(around, balance=seen(poor))) == ["max_total_risk"]


@pytest.mark.rule("G-4")
@pytest.mark.parametrize("price", [Decimal(90700), Decimal(90800), Decimal(90900)])
def test_inside_the_zone_no_distance_is_left(price: Decimal) -> None:
    """Both ends belong to it: even a limit of nothing passes there."""
    nothing = replace(POLICY, max_zone_distance_pct=D(0))
    at = seen(price)
    assert told(prices(world(last=at, mark=at), decision(levels=levels()), nothing)) == []
    outside = seen(price + 201)
    assert len(told(prices(world(last=outside, mark=at), decision(), nothing))) == 1
