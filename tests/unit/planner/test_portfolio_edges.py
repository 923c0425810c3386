"""What is said of the account's trades, drawdown, positions, orders and risk, word for word and at each threshold."""

from dataclasses import replace

import pytest
from tests.standings import equity
from tests.unit.planner.pieces import trade_of
from tests.unit.planner.saying import told
from tests.unit.planner.test_guards_account import base, begun
from tests.unit.planner.test_guards_portfolio import held
from tests.worlds import BTC, NOW, POLICY, D, decision, seen, short_decision, world

from jumar.model.account import Balance
from jumar.model.command import Refusal
from jumar.model.order import Side
from jumar.model.policy import Policy
from jumar.model.standing import (
    Counter,
    EquityBase,
    Standing,
    TradeBegun,
    TradeLost,
    VenueBudget,
)
from jumar.model.world import DecisionState
from jumar.planner.drawdown import daily_loss, drawdown_refusals
from jumar.planner.guards.account import trade_refusals
from jumar.planner.guards.portfolio import budget_refusals, position_refusals, risk_refusals

LONG, SHORT = Side.BUY, Side.SELL


def account(**parts: object) -> Standing:
    """An account that stands well but for this."""
    return replace(Standing(equity=equity()), **parts)  # type: ignore[arg-type]  # a test states only what differs


# drawdown


def fallen(
    now: str, *, day: EquityBase | None = None, week: EquityBase | None = None
) -> list[tuple[str, str, str]]:
    """What is said of an equity."""
    standing = Standing(equity=equity(now, day=day, week=week))
    return told(drawdown_refusals(world(standing=standing), POLICY))


@pytest.mark.rule("G-10")
def test_what_is_said_of_a_drawdown() -> None:
    """Equity, what was moved in, by how much it fell below what and when, and the limit: of the day and of the week."""
    since = "10000 of 2025-12-04T23:59:30.000Z"
    day = ("daily_drawdown", "G-10", f"equity 9700 is 3 % below {since}, 2 % is allowed")
    assert fallen("9700", day=base(), week=base()) == [day]
    assert fallen("9400", day=base(), week=base()) == [
        ("daily_drawdown", "G-10", f"equity 9400 is 6 % below {since}, 2 % is allowed"),
        ("weekly_drawdown", "G-10", f"equity 9400 is 6 % below {since}, 5 % is allowed"),
    ]
    words = f"equity 9700 less 100.5 moved in is 4.005 % below {since}, 2 % is allowed"
    assert fallen("9700", day=base(moved="100.5"), week=base()) == [
        ("daily_drawdown", "G-10", words)
    ]
    words = f"equity 9000 less -700 moved in is 3 % below {since}, 2 % is allowed"
    assert fallen("9000", day=base(moved="-700"), week=base("1")) == [
        ("daily_drawdown", "G-10", words)
    ]


@pytest.mark.rule("G-10", "G-13")
def test_what_is_said_while_a_loss_is_not_proven() -> None:
    """The same figures, and that it is being asked; the week is judged although the day waits."""
    since = "10000 of 2025-12-04T23:59:30.000Z"
    asked = "whether that money was moved out is being asked"
    assert fallen("9400", day=base(lower_age_ms=None), week=base()) == [
        (
            "truth_incomplete",
            "G-10",
            f"equity 9400 is 6 % below {since}, 2 % is allowed; {asked}",
        ),
        ("weekly_drawdown", "G-10", f"equity 9400 is 6 % below {since}, 5 % is allowed"),
    ]
    assert fallen("9400", day=base("9400"), week=base(lower_age_ms=None)) == [
        (
            "truth_incomplete",
            "G-10",
            f"equity 9400 is 6 % below {since}, 5 % is allowed; {asked}",
        )
    ]


@pytest.mark.rule("G-10", "P-7")
def test_what_is_said_while_equity_or_transfers_are_not_known() -> None:
    """One sentence for each, and nothing else is judged before."""
    whole = equity("5000", day=base(), week=base())
    unknown = ("truth_incomplete", "G-10", "the account's equity has not been recorded yet")
    unread = (
        "truth_incomplete",
        "G-10",
        "what was moved into and out of the account has not been read yet",
    )
    for found, words in (
        (None, unknown),
        (replace(whole, day=None), unknown),
        (replace(whole, week=None), unknown),
        (replace(whole, transfers_ms=None), unread),
    ):
        around = world(standing=Standing(equity=found))
        assert told(drawdown_refusals(around, POLICY)) == [words]


@pytest.mark.rule("G-10", "M-2")
def test_the_days_loss_that_closes_is_told_with_its_figures() -> None:
    """The same sentence as the refusal's; exactly the limit is no loss."""
    standing = Standing(equity=equity("9799.99", day=base(), week=base()))
    words = "equity 9799.99 is 2.0001 % below 10000 of 2025-12-04T23:59:30.000Z, 2 % is allowed"
    found = daily_loss(world(standing=standing), POLICY)
    assert found == Refusal(code="daily_drawdown", rule="G-10", message=words)


# trades


@pytest.mark.rule("G-11")
def test_what_is_said_of_the_trades_of_the_day_and_of_the_pause() -> None:
    """How many, how many may be, and when it passes again; both at once."""
    lost = TradeLost(key="k9", symbol="ETHUSDT", net=D("-3.250"), ended_ms=NOW - 100_000)
    standing = account(begun=begun(1, 2, 3, 4), lost=lost)
    many = (
        "max_trades_per_day",
        "G-11",
        "4 trades began this UTC day, 3 are allowed: passes again at 2025-12-06T00:00:00.000Z",
    )
    pause = (
        "cooldown",
        "G-11",
        (
            "trade k9 (ETHUSDT) ended at 2025-12-05T10:03:25.000Z with -3.25 after fees: "
            "passes again at 2025-12-05T10:18:25.000Z"
        ),
    )
    assert told(trade_refusals(world(standing=standing), POLICY, None)) == [many, pause]
    unlost = replace(standing, lost=None)
    assert told(trade_refusals(world(standing=unlost), POLICY, None)) == [many]
    calm = replace(standing, begun=begun(1, 2))
    assert told(trade_refusals(world(standing=calm), POLICY, None)) == [pause]


@pytest.mark.rule("G-11")
def test_a_trade_does_not_count_itself() -> None:
    """Of three trades of the day one is this one: two others are fewer than three; a strange key is another's."""
    own = TradeBegun(key=trade_of().key, symbol="BTCUSDT", first_fill_ms=NOW)
    around = world(standing=account(begun=(*begun(1, 2), own)))
    assert told(trade_refusals(around, POLICY, trade_of())) == []
    assert len(told(trade_refusals(around, POLICY, trade_of(key="another000")))) == 1
    assert len(told(trade_refusals(around, POLICY, None))) == 1


# what the venue still lets us send


def counter(used: int, limit: int | None = 1200, name: str = "1m") -> Counter:
    """What was used of a limit in this minute."""
    return Counter(name=name, window_ms=60_000, used=used, limit=limit, at_ms=NOW)


def budget_words(policy: Policy = POLICY, **parts: object) -> list[tuple[str, str, str]]:
    """What is said of the venue's counts."""
    return told(budget_refusals(world(standing=account(**parts)), policy, None))


@pytest.mark.rule("G-14", "W-4")
def test_what_is_said_of_the_venues_counts() -> None:
    """Each window that is short, what is left of what, and what one more trade may need."""
    budget = VenueBudget(
        orders=(counter(1181), counter(285, 300, "10s"), counter(0)),
        reads=(counter(2231, 2400),),
        silent_until_ms=NOW + 5000,
    )
    assert budget_words(budget=budget) == [
        (
            "order_budget_low",
            "G-14",
            "the exchange wants to hear nothing until 2025-12-05T10:05:10.000Z",
        ),
        (
            "order_budget_low",
            "G-14",
            "19 of 1200 orders are left in this window of 1m, protecting one more trade may need 20",
        ),
        (
            "order_budget_low",
            "G-14",
            "15 of 300 orders are left in this window of 10s, protecting one more trade may need 20",
        ),
        (
            "order_budget_low",
            "G-14",
            (
                "169 of 2400 request weight are left in this window of 1m, "
                "protecting one more trade may need 170"
            ),
        ),
    ]
    often = VenueBudget(reads=(counter(2400 - 450, 2400),))  # a look a second: 60 * 7 and 30
    assert budget_words(replace(POLICY, reconcile_open_s=1), budget=often) == []
    # a look every 3 s is twenty a minute, every 7 s eight: 8 * 7 and 30
    slow = replace(POLICY, reconcile_open_s=7)
    enough = VenueBudget(reads=(counter(2400 - 86, 2400),))
    assert budget_words(slow, budget=enough) == []
    less = VenueBudget(reads=(counter(2400 - 85, 2400),))
    assert [words for _, _, words in budget_words(slow, budget=less)] == [
        "85 of 2400 request weight are left in this window of 1m, protecting one more trade may need 86"
    ]


@pytest.mark.rule("G-14", "W-5")
def test_what_is_said_of_conditional_orders() -> None:
    """What the others have or reserve is taken off the two hundred."""
    others = (held("ETHUSDT", conditional=190), held("SOLUSDT", conditional=5))
    words = "5 of 200 conditional orders are left, a trade reserves 6"
    assert budget_words(others=others) == [("order_budget_low", "G-14", words)]
    assert budget_words(others=others[:1]) == []


# positions and their risk


@pytest.mark.rule("G-17", "P-7")
def test_what_is_said_of_the_other_positions() -> None:
    """Which were not read, which are open, and how many may be."""
    standing = account(
        unseen=("XRPUSDT", "ADAUSDT"),
        others=(held("ETHUSDT"), held("SOLUSDT", occupied=False), held("BNBUSDT")),
        outside=("DOGEUSDT",),
    )
    assert told(position_refusals(world(standing=standing), POLICY)) == [
        ("truth_incomplete", "G-17", "what XRPUSDT, ADAUSDT holds has not been read yet"),
        (
            "max_open_positions",
            "G-17",
            (
                "3 positions are open or on their way (ETHUSDT, BNBUSDT, DOGEUSDT), "
                "3 are allowed with this one"
            ),
        ),
    ]


def risk_words(side: Side = LONG, **changes: object) -> list[tuple[str, str, str]]:
    """What is said of the loss at all stops with the example's."""
    chosen = decision() if side is LONG else short_decision()
    around = world(decision=DecisionState(decision=chosen), **changes)
    return told(risk_refusals(around, POLICY, trade_of(side)))


@pytest.mark.rule("G-17")
@pytest.mark.parametrize(
    ("side", "own"),
    # 0.013 times 406.6 and the fee of 36.152 or 36.488 at the stop: 5.755776 or 5.760144
    [(LONG, "5.755776"), (SHORT, "5.760144")],
)
def test_what_is_said_of_the_loss_at_all_stops(side: Side, own: str) -> None:
    """All of it and this one's share to the cent, in percent of equity; exactly 3 % passes."""
    rest = D(300) - D(own)
    others = account(others=(held("ETHUSDT", "100"), held("SOLUSDT", str(rest - 100))))
    assert risk_words(side, standing=others) == []
    more = account(others=(*others.others, held("BNBUSDT", "100.001")))
    assert risk_words(side, standing=more) == [
        (
            "max_total_risk",
            "G-17",
            "400 would be lost at all stops (5.76 at this one's), 4 % of equity 10000, 3 % is allowed",
        )
    ]
    flat = account(others=(*others.others, held("BNBUSDT", "100", occupied=False)))
    assert risk_words(side, standing=flat) == []


@pytest.mark.rule("G-17")
@pytest.mark.parametrize(
    ("money", "share"), [("0", "more than all"), ("-1", "more than all"), ("1", "575.5776 %")]
)
def test_what_is_said_of_an_account_with_next_to_nothing(money: str, share: str) -> None:
    """No share of nothing, nor of less, is named."""
    nothing = seen(Balance(wallet=D(money), equity=D(money), available=D(100)))
    words = (
        f"5.76 would be lost at all stops (5.76 at this one's), {share} of equity {money}, "
        "3 % is allowed"
    )
    assert risk_words(balance=nothing) == [("max_total_risk", "G-17", words)]
    assert risk_words(balance=None) == []


@pytest.mark.rule("G-17")
def test_what_is_said_of_a_risk_that_is_not_known() -> None:
    """Which positions have no confirmed stop; those that are flat have no need of one."""
    unknown = (held("ETHUSDT", None), held("SOLUSDT", "299"), held("BNBUSDT", None))
    words = (
        "what ETHUSDT, BNBUSDT may lose is not known, no stop of it is confirmed: "
        "all together may lose 3 % of equity"
    )
    assert risk_words(standing=account(others=unknown)) == [("max_total_risk", "G-17", words)]
    flat = account(others=(held("ETHUSDT", None, occupied=False),))
    assert risk_words(standing=flat) == []


@pytest.mark.rule("G-17")
def test_a_stop_that_moved_beyond_the_entry_leaves_nothing_to_lose() -> None:
    """The example's own risk is then zero, however little equity there is; without filters no fee is known."""
    poor = seen(Balance(wallet=D(1), equity=D(1), available=D(1)))
    for side, price in ((LONG, "90900"), (SHORT, "90700")):
        trade = trade_of(side, ratchet_price=D(price))
        assert told(risk_refusals(world(balance=poor), POLICY, trade)) == []
    bare = world(balance=poor, instrument=None)
    words = (
        "5.29 would be lost at all stops (5.29 at this one's), 528.58 % of equity 1, 3 % is allowed"
    )
    assert told(risk_refusals(bare, POLICY, trade_of())) == [("max_total_risk", "G-17", words)]
    free = world(balance=poor, instrument=replace(BTC, taker_fee=D(0)))
    assert told(risk_refusals(free, POLICY, trade_of())) == [("max_total_risk", "G-17", words)]
