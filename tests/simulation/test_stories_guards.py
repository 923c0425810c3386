"""Refusal by each guard: with no entry yet nothing is sent; beginning to fail while the entry rests, the entry goes.

One row for every code of section 2. What makes a guard fail happens to the exchange, the wire, the account or the
decision, never to the engine; what follows is asked of the exchange's record, of the database and of `outcome.json`.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from tests.simulation.storyboard import FLAT, LONG, Scene, scene

from jumar.planner.guards.truth import TRUTH_CODES
from jumar.planner.judgements import JUDGED, UNJUDGED
from jumar.store import requests

ETH = "ETHUSDT"
MARKET_EVENTS = frozenset({"bookTicker", "markPriceUpdate", "aggTrade"})
PRICES = ("/fapi/v1/ticker/bookTicker", "/fapi/v1/premiumIndex", "/fapi/v1/ticker/price")
NOTHING: Mapping[str, Any] = MappingProxyType({})

type Act = Callable[[Scene], object]


@dataclass(frozen=True, kw_only=True)
class Row:
    """How one guard is made to fail.

    Attributes:
        before: with no entry yet; None: only the decision itself fails it. during: while the entry rests.
        never_before, never_during: why it cannot fail then.
        policy, decision, dated_s: what differs from the scenario's own. others: further symbols.
        outcome: what the decision's writer reads. untold: there is no file any more that an answer belongs to.
        left: the roles that rest after the entry went: its armed stop, or nothing once the decision is out of force.
        asleep: the engine is started by `before`.
        heal: what must end before the judges can be asked.
    """

    before: Act | None = None
    during: Act | None = None
    never_before: str = ""
    never_during: str = ""
    policy: Mapping[str, Any] = field(default=NOTHING)
    decision: Mapping[str, Any] = field(default=NOTHING)
    dated_s: float = 0.0
    others: Mapping[str, Decimal] = field(default_factory=dict)
    outcome: str = "refused"
    untold: bool = False
    left: str = "S"
    asleep: bool = False
    heal: Act = lambda _: None


# what people and markets do


def then(*acts: Act) -> Act:
    """One after the other."""

    def act(s: Scene) -> None:
        for each in acts:
            each(s)

    return act


def shows(s: Scene, *, bid: str, ask: str, last: str = "90820", mark: str = "90820") -> None:
    """The market shows exactly this."""
    step = s.market.set_price(
        s.symbol, last=Decimal(last), mark=Decimal(mark), bid=Decimal(bid), ask=Decimal(ask)
    )
    s.do(lambda: s.world.venue.set_market(step))


def trades_and_loses(s: Scene) -> None:
    """A first decision enters and is stopped out; the price is back."""
    s.decision(LONG)
    s.expect_armed()
    s.price_to("90786.5")
    s.expect_held()
    s.price_to("90370", over_s=1)
    s.expect_home()
    s.price_to("90820")
    s.wait(1)


def loses_with_a_part(s: Scene) -> None:
    """A third of the entry fills and is under water, before the mark comes near its stop."""
    s.fill("0.004")
    s.expect_position("0.004")
    s.price_to("90790", mark="90600")


def prices_stop(s: Scene) -> None:
    """Neither streams nor reads tell prices any more."""
    s.script.mute = MARKET_EVENTS
    for path in PRICES:
        s.every(f"GET {path}", needed=False).lost()
    s.wait(6)


def positions_cannot_be_read(s: Scene) -> None:
    """The position list does not answer."""
    s.every("GET /fapi/v3/positionRisk").lost()
    s.wait(4)


def targets_get_no_answer(s: Scene) -> None:
    """A part fills, and what becomes of its target is not known."""
    s.every("POST /fapi/v1/algoOrder", of="P").lost()
    s.every("GET /fapi/v1/algoOrder", of="P", needed=False).lost()
    s.fill("0.004")
    s.expect_position("0.004")


def account_says(**changed: bool) -> Act:
    """The account's configuration reads differently from now on, and is read again within a minute."""

    def act(s: Scene) -> None:
        s.every("GET /fapi/v1/accountConfig").answered_with(lambda body: {**body, **changed})
        s.wait(62)

    return act


def instrument_says(**changed: Any) -> Act:
    """The engine starts on filters that read differently."""

    def act(s: Scene) -> None:
        def change(body: dict[str, Any]) -> dict[str, Any]:
            return {**body, "symbols": [{**row, **changed} for row in body["symbols"]]}

        s.every("GET /fapi/v1/exchangeInfo").answered_with(change)
        s.start()
        s.wait(1)

    return act


def set_to_crossed(s: Scene) -> None:
    """The symbol's margin mode reads as crossed within a minute, whoever changed it."""
    s.every("GET /fapi/v1/symbolConfig").answered_with(
        lambda rows: [{**row, "marginType": "CROSSED"} for row in rows]
    )
    s.wait(62)


def leverage_by_hand(s: Scene) -> None:
    """Somebody raises the leverage."""
    s.request("POST", "/fapi/v1/leverage", {"symbol": s.symbol, "leverage": "100"})


def weight_is_used_up(s: Scene) -> None:
    """Somebody behind the same address asks a lot: until the minute is over little is left."""
    if s.now_ms % 60_000 > 30_000 or not s.book.roles:
        s.at("10:06:05")
    s.do(lambda: s.world.venue.core.count(2300, s.now_ms))
    s.wait(1)


def somebody_holds_ether(s: Scene) -> None:
    """A position on the other symbol that the engine finds and protects."""
    with s.on(ETH):
        s.by_hand("BUY", "0.1")
        s.expect_protected(within_ticks=4)


def ether_is_sold(s: Scene) -> None:
    """The position on the other symbol, if there is one, is closed again."""
    with s.on(ETH):
        if s.book.position:
            s.by_hand("SELL", "0.1")


def asks(s: Scene) -> None:
    """An operator asks for a pause."""
    requests.ask(s.database, request="pause", symbol=None, asked_by="cli", at_ms=s.now_ms)
    s.wait(2)


def second_of_one_time(s: Scene) -> None:
    """The first decision of this moment may not enter; the one that follows is another one of the same moment."""
    stamp = s.moment()
    s.decision(LONG, timestamp_iso=stamp, risk_checks=None)
    s.expect_outcome("refused", "risk_checks_missing")
    s.decision(LONG, timestamp_iso=stamp)


def superseded_by_rubbish(s: Scene) -> None:
    """A newer decision that is none, and a restart at which its file is gone."""
    s.decision(LONG)
    s.expect_armed()
    s.wait(1)
    s.decision(LONG, sl=99999)
    s.expect_rests("")
    s.kill()
    s.world.disk.decision.unlink()
    s.restart(after_s=1)


RISKY = {"daily_drawdown_pct": Decimal("0.005"), "weekly_drawdown_pct": Decimal(40)}
RISKY_WEEK = {"daily_drawdown_pct": Decimal(20), "weekly_drawdown_pct": Decimal("0.005")}
WITH_ETH = {ETH: Decimal(3000)}

TABLE: dict[str, Row] = {
    "stale": Row(dated_s=-660, during=lambda s: s.wait(10), left=""),
    "future": Row(dated_s=10, never_during="time only goes on"),
    "malformed": Row(
        decision={"sl": 99999},
        during=lambda s: s.decision(LONG, sl=99999),
        left="",
    ),
    "spent": Row(
        before=trades_and_loses,
        outcome="spent",
        never_during="an entry that rests spends nothing; its fill and end do",
    ),
    "superseded": Row(
        before=superseded_by_rubbish,
        untold=True,
        never_during="what supersedes has a code of its own while the engine runs",
    ),
    "conflict": Row(
        before=second_of_one_time,
        never_during="the first of two stays in force: its entry goes on resting",
    ),
    "symbol_not_managed": Row(
        decision={"symbol": "XRPUSDT"}, never_during="it concerns no symbol that has an entry"
    ),
    "risk_check_failed": Row(
        decision={"risk_checks": {**LONG["risk_checks"], "session_ok": False}},
        never_during="a decision's checks do not change; a newer decision is a newer trade",
    ),
    "risk_checks_missing": Row(decision={"risk_checks": None}, never_during="as above"),
    "stop_too_close": Row(
        decision={"sl": 90690, "tp1": 91900}, never_during="the band of a trade does not change"
    ),
    "rr_below_min": Row(decision={"tp1": 91000}, never_during="as above"),
    "price_too_far": Row(
        before=lambda s: s.price_to("92000"), during=lambda s: s.price_to("92000")
    ),
    "spread_too_wide": Row(
        before=lambda s: shows(s, bid="90800", ask="90860"),
        during=lambda s: shows(s, bid="90800", ask="90860"),
    ),
    "mark_diverged": Row(
        before=lambda s: s.price_to("90820", mark="91120"),
        during=lambda s: s.price_to("90820", mark="91120"),
    ),
    "market_data_stale": Row(
        before=prices_stop, during=prices_stop, heal=lambda s: s.clear_weather()
    ),
    "leverage_too_high": Row(
        decision={"leverage": 6}, never_during="the decision's own number; a hand's is G-9"
    ),
    "notional_too_low": Row(
        before=lambda s: s.do(
            lambda: s.world.venue.core.interference.refit(s.symbol, min_notional=Decimal(500))
        ),
        asleep=True,
        decision={"position_size_usdt": 300},
        never_during="resting orders stay as they are when filters change (W-3)",
    ),
    "quantity_too_small": Row(
        decision={"position_size_usdt": 50}, never_during="the planned quantity does not change"
    ),
    "margin_insufficient": Row(
        before=then(lambda s: s.transfer("-9990"), lambda s: s.wait(4)),
        policy={"max_risk_pct": Decimal(10), "max_total_risk_pct": Decimal(20)},
        never_during="its own margin is reserved by the exchange already",
    ),
    "equity_below_min": Row(
        before=then(lambda s: s.transfer("-2000"), lambda s: s.wait(4)),
        during=lambda s: s.transfer("-2000"),
        policy={"equity_min_usdt": Decimal(9000)},
    ),
    "liquidation_inside_stop": Row(
        decision={"leverage": 100},
        during=leverage_by_hand,
        policy={"max_leverage": 100, "liquidation_buffer_pct": Decimal(100)},
    ),
    "daily_drawdown": Row(
        before=trades_and_loses, during=loses_with_a_part, policy=RISKY, left="BPQS"
    ),
    "weekly_drawdown": Row(
        before=trades_and_loses, during=loses_with_a_part, policy=RISKY_WEEK, left="BPQS"
    ),
    "max_trades_per_day": Row(
        before=trades_and_loses,
        policy={"max_trades_per_day": 1},
        during=somebody_holds_ether,
        others=WITH_ETH,
        heal=ether_is_sold,
    ),
    "cooldown": Row(
        before=trades_and_loses,
        policy={"cooldown_after_loss_s": 900},
        during=then(somebody_holds_ether, ether_is_sold),
        others=WITH_ETH,
    ),
    "mode": Row(
        before=lambda s: s.rest_by_hand(),
        during=lambda s: s.rest_by_hand(),
    ),
    "paused": Row(before=asks, during=asks),
    "truth_incomplete": Row(
        before=positions_cannot_be_read,
        during=positions_cannot_be_read,
        heal=lambda s: s.clear_weather(),
    ),
    "unresolved_order": Row(
        never_before="an order of an open trade keeps the next entry away by itself",
        during=targets_get_no_answer,
        left="BQS",
        heal=lambda s: s.clear_weather(),
    ),
    "order_budget_low": Row(before=weight_is_used_up, during=weight_is_used_up),
    "symbol_not_trading": Row(
        before=instrument_says(status="SETTLING"),
        asleep=True,
        never_during="filters are read again after a quarter of an hour, longer than a decision is fresh",
    ),
    "symbol_delisting": Row(
        before=instrument_says(deliveryDate=1_764_929_090_000 + 24 * 3_600_000),
        asleep=True,
        never_during="as above",
    ),
    "position_mode_hedge": Row(
        before=account_says(dualSidePosition=True),
        during=account_says(dualSidePosition=True),
        heal=lambda s: s.clear_weather(),
    ),
    "multi_assets_mode": Row(
        before=account_says(multiAssetsMargin=True),
        during=account_says(multiAssetsMargin=True),
        heal=lambda s: s.clear_weather(),
    ),
    "margin_mode_mismatch": Row(
        before=lambda s: s.every("POST /fapi/v1/marginType").refused(-4047, "Margin type"),
        during=set_to_crossed,
        heal=lambda s: s.clear_weather(),
    ),
    "stop_not_placeable": Row(
        before=lambda s: s.every("POST /fapi/v1/algoOrder", of="S").refused(-4045, "Reach max"),
        never_during="the stop of a resting entry is there; one that goes is S-1",
    ),
    "mark_near_stop": Row(
        before=lambda s: s.price_to("90790", mark="90530"),
        during=lambda s: s.price_to("90790", mark="90530"),
        policy={"arm_margin_pct": Decimal(40)},
    ),
    "max_open_positions": Row(
        before=somebody_holds_ether,
        during=somebody_holds_ether,
        policy={"max_open_positions": 1},
        others=WITH_ETH,
        heal=ether_is_sold,
    ),
    "max_total_risk": Row(
        before=somebody_holds_ether,
        during=somebody_holds_ether,
        policy={"max_total_risk_pct": Decimal("0.07")},
        others=WITH_ETH,
        heal=ether_is_sold,
    ),
}
#: Codes that no scenario of one engine in virtual time can show, and where each is shown instead.
ELSEWHERE = {
    "notional_too_high": "needs other limits at a restart: unit/planner/test_guards_decision.py",
    "not_writer": "needs a second process at the database: the modes' own tests",
    "foreign_position": "lasts for the moment before Y-1 adopts it: unit/planner/test_guards.py",
}


def test_the_table_is_complete() -> None:
    """A code of section 2 without a row fails here, and so does a row that shows nothing."""
    codes = {code for row in JUDGED for code in row.codes}
    codes |= {code for _, unjudged, _ in UNJUDGED for code in unjudged}
    assert TABLE.keys() | ELSEWHERE.keys() == codes
    assert not TABLE.keys() & ELSEWHERE.keys()
    for code, row in TABLE.items():
        assert (row.during is None) == bool(row.never_during), code
        shown = bool(row.before or row.decision or row.dated_s)
        assert shown != bool(row.never_before), code


BEFORE = [code for code, row in TABLE.items() if not row.never_before]
DURING = [code for code, row in TABLE.items() if row.during]


def recorded(s: Scene, code: str) -> int:
    """How often a refusal with that code was recorded for one and the same decision."""
    counted = "select count(*) from refusals where code = ? group by decision_id"
    with closing(sqlite3.connect(s.database)) as database:
        return max((int(row[0]) for row in database.execute(counted, (code,))), default=0)


def reasons(s: Scene) -> list[str]:
    """The codes that the decision's writer reads."""
    return [reason["code"] for reason in s.outcome()["reasons"]]


def goes_home(s: Scene, row: Row) -> None:
    """What was in the way is over, nothing is wanted any more, and every judge is asked."""
    row.heal(s)
    s.price_to("90820")
    s.decision(FLAT)
    if s.book.position:
        s.price_to("90370")
    # what a hand holds is bare until the engine has heard of it
    by_hand = {"but": frozenset({"P-1"}), "bare_ms_max": 1000} if row.others else {}
    s.verdict(**by_hand)


@pytest.mark.rule(
    "G-1",
    "G-2",
    "G-3",
    "G-4",
    "G-5",
    "G-6",
    "G-7",
    "G-8",
    "G-9",
    "G-10",
    "G-11",
    "G-12",
    "G-13",
    "G-14",
    "G-15",
    "G-16",
    "G-17",
    "D-8",
    "P-7",
)
@pytest.mark.parametrize("code", BEFORE)
def test_refused_with_no_entry_yet(code: str) -> None:
    """Nothing of it reaches the exchange; it is recorded once, and the decision's writer reads why."""
    row = TABLE[code]
    with scene(1, engine=not row.asleep, others=row.others, **row.policy) as s:
        s.at("10:05")
        if row.before is not None:
            row.before(s)
        if row.asleep and not s.alive:
            s.start()
        s.at("10:06:10" if not row.dated_s else "10:16:10")
        rested = s.book.slots
        if code not in {"spent", "superseded", "conflict"}:
            s.decision(LONG, dated_s=row.dated_s, **row.decision)
        s.until("recorded", lambda: recorded(s, code) > 0)
        if code not in TRUTH_CODES and not row.untold:
            s.until(f"told {code}", lambda: code in reasons(s))
            assert s.outcome()["outcome"] == row.outcome
        s.expect_no_entry()
        assert s.book.slots == rested
        assert recorded(s, code) == 1
        goes_home(s, row)


@pytest.mark.rule(
    "G-1",
    "G-2",
    "G-3",
    "G-4",
    "G-5",
    "G-6",
    "G-7",
    "G-8",
    "G-9",
    "G-10",
    "G-11",
    "G-12",
    "G-13",
    "G-14",
    "G-15",
    "G-16",
    "G-17",
    "S-1",
    "D-8",
)
@pytest.mark.parametrize("code", DURING)
def test_refused_while_the_entry_rests(code: str) -> None:
    """The entry is cancelled, once recorded; its armed stop stays as long as the decision is in force."""
    row = TABLE[code]
    assert row.during is not None
    aged_s = -590 if code == "stale" else 0
    with scene(1, others=row.others, **row.policy) as s:
        s.at("10:15:00" if aged_s else "10:05:00")
        s.decision(LONG, dated_s=aged_s)
        s.expect_armed()
        row.during(s)
        s.until("no entry rests", lambda: not s.book.resting("E"))
        s.until("recorded", lambda: recorded(s, code) > 0)
        s.until(f"{row.left or 'nothing'} is left", lambda: s.book.roles == row.left)
        if code not in TRUTH_CODES and not s.book.position:
            s.until(f"told {code}", lambda: code in reasons(s))
        s.expect_no_entry()
        assert recorded(s, code) == 1
        goes_home(s, row)
