"""Entries that chase: the order follows the touch under one id, and what may go wrong with an amendment on its way."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import pytest
from tests.simulation.acts import LOT, SYMBOL, TICK
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.test_every_point import mortal
from tests.simulation.ways import LONG_ROAD, SHORT_ROAD, Road, signed, twice

from jumar.exchange.simulated.core.market import Print
from jumar.model.amendment import AmendmentState
from jumar.model.order import OwnOrder
from jumar.store import asked, queries

AMEND = "PUT /fapi/v1/order"
PLACE = "POST /fapi/v1/order"
#: Chases may follow smaller steps than by default: the example's band is narrow.
NEAR = Decimal("0.005")
SURE = 0.8
#: Every so many points of a way are one test.
SHARES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Where the price stands first, and where it drifts away to; each inside the band."""

    road: Road
    start: str
    steps: tuple[str, ...]

    def touch(self, last: str) -> Decimal:
        """The best price on the entry's side when the price is there."""
        return Decimal(last) if self.road.sign > 0 else Decimal(last) + TICK


UP = Drift(road=LONG_ROAD, start="90760", steps=("90768", "90776", "90784"))
DOWN = Drift(road=SHORT_ROAD, start="90840", steps=("90832", "90824", "90816"))
both_drifts = pytest.mark.parametrize(
    ("drift", "seed"), [pytest.param(UP, 1, id="long"), pytest.param(DOWN, 2, id="short")]
)


def rests(s: Scene, drift: Drift = UP, **decision: object) -> None:
    """The entry has joined the touch behind its stop."""
    s.price_to(drift.start)
    s.wait(1)
    s.decision(LONG, **{**drift.road.decision, **decision})
    s.expect_armed()
    expect_entry_at(s, drift.touch(drift.start))


def expect_entry_at(s: Scene, price: Decimal, *, within_s: float = 13.0) -> None:
    """The one entry rests there, for the whole plan."""

    def there() -> bool:
        entries = s.book.resting("E")
        return [Decimal(each["price"]) for each in entries] == [price]

    s.until(f"the entry at {price}", there, within_s=within_s)


def sent(s: Scene, request: str, slot: str = "E") -> list[int]:
    """When requests about an entry left."""
    return [
        each.at_ms
        for each in s.script.sent
        if each.request == request and each.slot.startswith(slot)
    ]


def journaled(s: Scene) -> tuple[OwnOrder, ...]:
    """The orders of the one trade, as the database keeps them."""
    (row,) = queries.trades(s.database)
    return asked.trade_story(s.database, row.trade.key).orders


def states(s: Scene) -> list[AmendmentState]:
    """What became of the amendments of all entries."""
    return [each.state for order in journaled(s) for each in order.amendments]


def unknown(s: Scene) -> list[str]:
    """The orders with an amendment whose fate is not known."""
    return [order.client_id for order in journaled(s) if order.amending is not None]


def fills_whole(s: Scene, drift: Drift = UP) -> None:
    """The price comes through the entry: all of it is held."""
    s.price_to(drift.road.enter if drift is DOWN else "90700")
    s.expect_held(signed(drift.road, "0.013"))


@pytest.mark.rule("E-5", "E-8", "P-1", "P-3", "P-4", "T-4")
@both_drifts
def test_a_slow_entry_follows_the_drift(drift: Drift, seed: int) -> None:
    """One order, three prices, protected from its first lot; the last price fills the rest of the plan."""
    with scene(seed, chase_min_pct=NEAR) as s:
        rests(s, drift)
        for step in drift.steps[:2]:
            s.price_to(step, over_s=2)
            expect_entry_at(s, drift.touch(step))
        s.fill("0.004")
        s.expect_protected(within_ticks=1)
        s.price_to(drift.steps[2], over_s=2)
        expect_entry_at(s, drift.touch(drift.steps[2]))
        assert s.book.one("E1")["quantity"] == "0.013"
        assert s.book.entries() == [s.book.one("E1")["client_id"]]
        moments = sent(s, AMEND)
        assert all(later - earlier >= 10_000 for earlier, later in pairwise(moments))
        s.price_to("90700" if drift is UP else "90900")
        s.expect_held(signed(drift.road, "0.013"))
        s.until("told", lambda: states(s) == [AmendmentState.DONE] * 3)
        s.price_to(drift.road.stopped)
        found = s.verdict("P-1", "P-3", "P-4", "P-7", "P-9", "P-10")
        assert (found.gaps, found.entries) == (0, 1)
        assert found.checks["P-3"] == 4


@pytest.mark.rule("E-5", "E-10", "P-4")
@twice
def test_the_venue_ends_the_order_instead(seed: int) -> None:
    """The price comes back while the amendment is on its way: cancelled, counted, and a new entry joins."""
    with scene(seed) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        s.next(AMEND).late(there_s=0.8)
        s.until("the amendment is on its way", lambda: bool(sent(s, AMEND)), within_s=13)
        s.price_to("90779.9")
        s.expect_rests("E2 S1", within_s=5)
        expect_entry_at(s, Decimal("90779.9"))
        assert [each["status"] for each in s.book.told("E1")][-1] == "CANCELED"
        fills_whole(s)
        s.price_to("90370")
        found = s.verdict("P-1", "P-3", "P-4")
        assert (found.gaps, found.entries) == (0, 2)
        (row,) = queries.trades(s.database)
        assert row.summary is not None
        assert row.summary.chases == 1


@pytest.mark.rule("X-4", "E-5")
@pytest.mark.parametrize("muted", [False, True])
@twice
def test_an_executed_amendment_whose_answer_is_lost(seed: int, *, muted: bool) -> None:
    """The event tells; without it a read by id does: the price rests, and is asked for once."""
    with scene(seed) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        if muted:
            s.mute_stream()
        s.next(AMEND).answer_lost()
        expect_entry_at(s, Decimal(90780))
        s.until("told", lambda: states(s) == [AmendmentState.DONE], within_s=6)
        s.clear_weather()
        s.wait(12)
        assert len(sent(s, AMEND)) == 1
        fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-4").entries == 1


@pytest.mark.rule("X-4", "E-5")
@twice
def test_a_lost_amendment_is_followed_by_another_only_when_it_is_dead(seed: int) -> None:
    """It never came: while its fate is unknown nothing follows; then the order stands as read, and chases again."""
    with scene(seed) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        s.next(AMEND).lost()
        s.until("asked", lambda: bool(sent(s, AMEND)), within_s=13)
        s.wait(4)
        assert states(s) == [AmendmentState.ASKED]
        s.until("dead", lambda: states(s) == [AmendmentState.ABSENT], within_s=4)
        expect_entry_at(s, Decimal(90780))
        first, second = sent(s, AMEND)
        assert second - first >= 10_000
        s.until("told", lambda: states(s) == [AmendmentState.ABSENT, AmendmentState.DONE])
        fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-4", "P-9").entries == 1


@pytest.mark.rule("X-4", "E-5")
@twice
def test_an_unknown_amendment_does_not_keep_a_cancel_back(seed: int) -> None:
    """The decision goes stale meanwhile: the entry is cancelled at once, whatever became of its price."""
    with scene(seed, max_age_s=20) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        s.every(AMEND).lost()
        s.until("asked", lambda: bool(sent(s, AMEND)), within_s=13)
        s.decision({**LONG, "risk_checks": {"news_ok": False}})
        s.expect_rests("", within_s=5)
        s.verdict("P-9")


@pytest.mark.rule("X-2", "X-4", "P-6", "E-5")
@pytest.mark.parametrize("when", ["before", "after"])
@twice
def test_a_crash_around_the_sending_of_an_amendment(seed: int, when: str) -> None:
    """Journaled, then dead, before the socket or after: the next life finds at which price the order rests, and goes on.

    It may take the entry back before it has read everything, and place it again: where the chase wanted to be.
    """
    with scene(seed) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        s.dies(f"{when} {AMEND}")
        s.expect_dead(within_s=13)
        assert states(s) == [AmendmentState.ASKED]
        s.restart()
        s.ticks(4)
        expect_entry_at(s, Decimal(90780), within_s=20)
        s.until("nothing unknown", lambda: not unknown(s), within_s=8)
        fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-4", "P-9").gaps == 0


@pytest.mark.rule("E-5")
@twice
def test_a_refused_amendment_leaves_the_order_where_it_is(seed: int) -> None:
    """The venue says no: the order stands as read, is asked for again ten seconds later, and it is no chase."""
    with scene(seed) as s:
        rests(s)
        s.price_to("90780", over_s=2)
        s.next(AMEND).refused(-5026, "Exceed maximum modify order limit.")
        s.until("refused", lambda: states(s) == [AmendmentState.REFUSED], within_s=13)
        assert Decimal(s.book.one("E1")["price"]) == Decimal(90760)
        expect_entry_at(s, Decimal(90780))
        fills_whole(s)
        s.price_to("90370")
        s.verdict("P-1", "P-4")
        (row,) = queries.trades(s.database)
        assert row.summary is not None
        assert row.summary.chases == 1


# the fallback


def used_up(s: Scene, *, confidence: float) -> None:
    """The one chase is used up, and the entry at the touch waits."""
    rests(s, confidence=confidence)
    s.price_to("90780", over_s=2)
    expect_entry_at(s, Decimal(90780))


def thin_ask(s: Scene, quantity: str) -> None:
    """Only so much is offered at the ask, and the next offers are far away."""
    last = Decimal(90780)

    def show() -> None:
        step = s.market.set_price(
            SYMBOL, last=last, mark=last, bid=last, ask=last + TICK, ask_quantity=Decimal(quantity)
        )
        thin = replace(
            step, asks=step.asks[:1], prints=(Print(price=last, quantity=LOT, taker_side="SELL"),)
        )
        s.world.venue.set_market(thin)

    s.note(f"{quantity} at the ask")
    s.do(show)


@pytest.mark.rule("E-6", "E-8", "P-1", "P-3", "P-4")
@twice
def test_the_fallback_takes_what_there_is(seed: int) -> None:
    """The entry gives way, one order takes part of the plan and ends; the rest goes on resting, protected throughout."""
    with scene(seed, max_chases=1) as s:
        used_up(s, confidence=SURE)
        thin_ask(s, "0.005")
        s.until("taken", lambda: bool(s.book.told("E2")), within_s=13)
        s.expect_position("0.005")
        s.expect_protected(within_ticks=1)
        taking = s.book.told("E2")[0]
        assert (taking["time_in_force"], taking["type"], taking["price"]) == (
            "IOC",
            "LIMIT",
            "90786.6",
        )
        assert s.book.told("E2")[-1]["status"] == "EXPIRED"
        s.until("the rest", lambda: bool(s.book.resting("E3")), within_s=5)
        rest = s.book.one("E3")
        assert (rest["time_in_force"], rest["quantity"]) == ("GTX", "0.008")
        s.wait(25)
        assert len(s.book.entries()) == 3
        fills_whole(s)
        s.price_to("90370")
        found = s.verdict("P-1", "P-3", "P-4", "P-7", "P-9", "P-10")
        assert (found.gaps, found.entries) == (0, 3)


@pytest.mark.rule("E-6", "E-10")
@twice
def test_the_ask_leaves_the_band_before_the_fallback(seed: int) -> None:
    """While the entry is being cancelled the ask goes beyond the band: nothing takes, an order rests again."""
    with scene(seed, max_chases=1) as s:
        used_up(s, confidence=SURE)
        s.next("DELETE /fapi/v1/order", of="E").late(back_s=0.6)
        s.script.mute = frozenset({"ORDER_TRADE_UPDATE"})
        s.until("cancelled", lambda: not s.book.resting("E"), within_s=13)
        s.price_to("90790")
        s.script.mute = frozenset()
        expect_entry_at(s, Decimal("90786.6"), within_s=8)
        assert {each["time_in_force"] for each in s.book.told("E")} == {"GTX"}
        fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-3", "P-4").gaps == 0


@pytest.mark.rule("E-6")
@twice
def test_without_confidence_the_entry_just_rests(seed: int) -> None:
    """Chases used up, and the decision is not sure enough: nothing more is sent about it."""
    with scene(seed, max_chases=1) as s:
        used_up(s, confidence=0.74)
        before = len(s.script.sent)
        s.wait(40)
        assert [each for each in s.script.sent[before:] if each.slot.startswith("E")] == []
        assert s.book.slots == "E1 S1"
        fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-4").entries == 1


@pytest.mark.rule("E-6", "X-4", "P-4", "P-6")
@pytest.mark.parametrize("when", ["before", "after"])
@twice
def test_a_crash_around_the_fallback(seed: int, when: str) -> None:
    """Dead before or after it was sent: what it took is covered at once, and the plan is never exceeded."""
    with scene(seed, max_chases=1) as s:
        used_up(s, confidence=SURE)
        s.until("cancelled", lambda: not s.book.resting("E"), within_s=13)
        s.dies(f"{when} {PLACE}")
        s.expect_dead()
        s.restart()
        if when == "after":
            s.expect_recovered()
            s.expect_held("0.013", within_s=15)
        else:
            s.until("in again", lambda: bool(s.book.resting("E") or s.book.position), within_s=20)
            fills_whole(s)
        s.price_to("90370")
        assert s.verdict("P-1", "P-4").gaps == 0


# killed anywhere


def chased_and_taken(s: Scene) -> None:
    """A chase, the order that takes, and out through the stop: at the same times in every run."""
    s.price_to("90760")
    s.at("10:05:00")
    s.decision(LONG, confidence=SURE)
    s.at("10:05:02")
    s.price_to("90780")
    s.at("10:05:09")
    s.price_to("90700")
    s.at("10:05:13")
    s.price_to("90370")
    s.wait(1)


def quick() -> AbstractContextManager[Scene]:
    """One chase after one second, then the order that takes."""
    return scene(1, chase_after_s=1, max_chases=1)


@pytest.mark.rule("P-3", "P-4", "P-6", "X-2", "X-4", "E-5", "E-6")
@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_every_point_of_a_chase(share: int) -> None:
    """Wherever it dies: the plan is never exceeded, no price leaves the band, nothing is bare or left over."""
    with quick() as s, mortal(s, 0) as points:
        chased_and_taken(s)
    assert {f"{when} {AMEND}" for when in ("before", "after")} <= {_bare(each) for each in points}
    assert len(s.book.entries()) == 2
    for last in range(1 + share, len(points) + 1, SHARES):
        with quick() as again:
            with mortal(again, last) as walked:
                chased_and_taken(again)
            again.note(f"was killed {walked[last - 1]}, point {last}")
            found = again.verdict("P-9")
            assert (found.gaps, found.trades) == (0, bool(again.book.fills()))


def _bare(point: str) -> str:
    """A point's name without what tells it from others of its kind."""
    return point.split("+", maxsplit=1)[0]
