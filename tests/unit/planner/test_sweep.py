"""Ends: when a trade is over, what its sweep cancels, and how an order without an answer is settled (X-4, X-9)."""

from dataclasses import replace

import pytest
from tests.unit.planner.pieces import BEFORE, KEY, ended, held, lot, own, position, trade_of
from tests.worlds import NOW, POLICY, D, world

from jumar.model.command import Cause
from jumar.model.order import OrderState, OwnOrder, Side
from jumar.model.world import World
from jumar.planner.facts import assess
from jumar.planner.sweep import (
    awaits_fills,
    dead_after_ms,
    is_over,
    is_swept,
    request_dead_ms,
    settle_commands,
    stray_commands,
    sweep_commands,
)

#: After this an answer can no longer come: 3 s receive window, 1 s, and the doubt of the clock.
LIFE_MS = POLICY.recv_window_ms + 1000 + POLICY.clock_uncertainty_ms


def over(found: World, **changes: object) -> bool:
    """Whether nothing of the trade is needed any more."""
    trade = trade_of(Side.BUY, **changes)
    return is_over(found, trade, assess(found, trade, POLICY))


@pytest.mark.rule("X-9", "Y-9")
def test_an_unfilled_set_up_is_over_when_it_was_given_up_and_read() -> None:
    """Voided or ended, its entry proven ended, the position read once: any of these missing, it goes on."""
    done = world(orders=(ended(own("E1")), own("S1")))
    assert not over(done)
    assert over(done, entry_over="expired")
    assert over(done, voided="armed stop gone")
    assert not over(replace(done, position=None), entry_over="expired")
    assert not over(replace(done, orders=(own("E1"), own("S1"))), entry_over="expired")


@pytest.mark.rule("X-9", "Y-11")
def test_a_filled_trade_is_over_when_it_is_proven_flat_and_still_is() -> None:
    """Recorded as flat, and flat as seen now."""
    flat = held(ended(own("X1"), filled_quantity=D("0.013")), position=position("0", NOW))
    assert over(flat, proven_flat_ms=NOW)
    assert not over(flat)
    assert not over(held(), proven_flat_ms=NOW)
    assert not over(held(), entry_over="expired")


@pytest.mark.rule("X-9", "P-8")
def test_a_sweep_cancels_by_id_whatever_is_not_proven_ended() -> None:
    """Every role, with the words why; what ended is left, and one whose cancel is being answered too."""
    orders = (
        own("S1"),
        ended(own("E1")),
        own("P1", state=OrderState.UNKNOWN),
        own("Q1", cancel_sent_ms=NOW - 499),
        own("B1", cancel_sent_ms=NOW - 500),
    )
    made = sweep_commands(world(orders=orders))
    assert [each.client_id for each in made] == [f"jm-{KEY}-{name}" for name in ("S1", "P1", "B1")]  # type: ignore[union-attr]  # cancels
    assert {each.cause for each in made} == {Cause(rule="X-9", text="the trade is over")}
    assert not is_swept(world(orders=orders))
    assert is_swept(world(orders=tuple(ended(each) for each in orders)))


@pytest.mark.rule("Y-6", "X-9")
@pytest.mark.parametrize(("covered", "names"), [(True, ["S7", "P7"]), (False, ["P7"])])
def test_strays_go_and_stops_among_them_only_where_another_covers(
    covered: bool, names: list[str]
) -> None:
    """A stray stop may be the one that protects; those just asked to go are not asked again."""
    strays = (own("S7"), own("P7"), own("Q7", cancel_sent_ms=NOW - 1), ended(own("X7")))
    made = stray_commands(world(strays=strays), covered=covered)
    assert [each.client_id for each in made] == [f"jm-{KEY}-{name}" for name in names]  # type: ignore[union-attr]  # cancels
    assert {each.cause for each in made} == {
        Cause(rule="Y-6", text="an order of ours that fits no open trade")
    }


# what the summary still waits for


def sold(**changes: object) -> World:
    """Bought and sold again, all of it told, nothing held any more, funding known."""
    exit_ = ended(own("X1"), filled_quantity=D("0.013"))
    return replace(held(exit_, position=position("0", NOW)), **changes)  # type: ignore[arg-type]  # by name


@pytest.mark.rule("T-4", "Y-2")
@pytest.mark.parametrize(("flat_ms", "waits"), [(NOW - 9_999, True), (NOW - 10_000, False)])
def test_what_has_not_been_told_is_waited_for_ten_seconds(flat_ms: int, waits: bool) -> None:
    """Executions that orders report, funding, and a hand's purchase; with all of them there is no wait."""
    trade = trade_of(proven_flat_ms=flat_ms)
    assert not awaits_fills(sold(), trade)
    assert awaits_fills(sold(funding=None), trade) is waits
    assert awaits_fills(sold(fills=sold().fills[:1]), trade) is waits
    assert awaits_fills(sold(fills=sold().fills[1:]), trade) is waits


@pytest.mark.rule("T-4", "Y-1")
def test_nothing_is_waited_for_before_the_proof_or_for_what_was_adopted() -> None:
    """An adopted position's executions lie before it; what is not flat is not summarised yet."""
    found = sold(funding=None)
    assert not awaits_fills(found, trade_of())
    assert not awaits_fills(
        found, trade_of(proven_flat_ms=NOW, adopted_price=D(90000), adopted_quantity=D("0.013"))
    )


@pytest.mark.rule("T-4", "Y-3")
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("read", "waits"), [("0", True), (None, True), ("0.001", False)])
def test_more_sold_than_bought_is_a_hands_purchase_yet_to_be_told(
    side: Side, read: str | None, waits: bool
) -> None:
    """0.014 sold of 0.013 and nothing held: somebody had added; held on the other side it is no purchase."""
    exit_ = ended(own("X1", side), filled_quantity=D("0.013"))
    found = held(exit_, side=side, position=None if read is None else position(read, NOW))
    more = replace(found, fills=(*found.fills, lot(exit_, "0.001")))
    assert awaits_fills(more, trade_of(side, proven_flat_ms=NOW)) is waits
    assert not awaits_fills(found, trade_of(side, proven_flat_ms=NOW))


# settling


@pytest.mark.rule("X-4", "X-3")
def test_a_request_is_dead_when_its_receive_window_is_over() -> None:
    """Signed timestamp, receive window, a second, and the doubt of the clock; without a timestamp the journal's time."""
    assert request_dead_ms(NOW, POLICY) == NOW + LIFE_MS
    assert dead_after_ms(own("S1", timestamp_ms=NOW - 7), POLICY) == NOW - 7 + LIFE_MS
    assert dead_after_ms(own("S1"), POLICY) == BEFORE + LIFE_MS


def lost(name: str, ago_ms: int = LIFE_MS + 1, **changes: object) -> OwnOrder:
    """An order without an answer, sent so long ago."""
    given = {"state": OrderState.UNKNOWN, "timestamp_ms": NOW - ago_ms, **changes}
    return own(name, **given)  # type: ignore[arg-type]  # by name


def settled(found: World) -> list[str]:
    """Which orders are cancelled because nobody answered."""
    trade = trade_of()
    made = settle_commands(found, trade, assess(found, trade, POLICY), POLICY)
    assert {each.cause for each in made} <= {
        Cause(rule="X-4", text="outcome unknown after its receive window")
    }
    return [each.client_id.split("-")[-1] for each in made]  # type: ignore[union-attr]  # cancels


@pytest.mark.rule("X-4")
@pytest.mark.parametrize("state", [OrderState.UNKNOWN, OrderState.IN_FLIGHT])
def test_an_order_without_an_answer_is_cancelled_when_its_request_is_dead(
    state: OrderState,
) -> None:
    """A millisecond after, not at it; not again within half a second; one that was answered not at all."""
    assert settled(world(orders=(lost("E1", LIFE_MS, state=state),))) == []
    assert settled(world(orders=(lost("E1", state=state),))) == ["E1"]
    assert settled(world(orders=(lost("E1", state=state, cancel_sent_ms=NOW - 499),))) == []
    assert settled(world(orders=(own("E1"), ended(own("P1")), lost("S1", state=state)))) == ["S1"]


@pytest.mark.rule("X-4", "P-1")
def test_a_stop_of_a_position_is_cancelled_only_after_it_was_asked_for_and_another_covers() -> None:
    """A read by id that missed it after its request was dead; a target of the position needs neither."""
    dead_ms = NOW - 1
    unasked = lost("S2")
    asked_early = lost("S2", misses=(dead_ms,))
    asked = lost("S2", misses=(dead_ms + 1,))
    assert settled(held(unasked)) == []
    assert settled(held(own("S1"), unasked)) == []
    assert settled(held(own("S1"), asked_early)) == []
    assert settled(held(own("S1"), asked)) == ["S2"]
    assert settled(held(asked)) == []
    assert settled(held(lost("P1"))) == ["P1"]
    assert settled(world(orders=(unasked,))) == ["S2"]  # nothing is held


@pytest.mark.rule("X-4", "S-4")
def test_of_as_many_as_may_rest_the_oldest_lost_one_gives_way() -> None:
    """Three without an answer, none covers: the oldest that two reads missed goes, so that a new one may be tried."""
    dead_ms = NOW - 1
    twice, once = (dead_ms + 1, dead_ms + 1), (dead_ms + 1,)
    names = ("S1", "S2", "S3")
    assert POLICY.stops_alive_max == 3
    three = [lost(name, misses=twice) for name in names]
    assert settled(held(*three)) == ["S1"]
    assert settled(held(*three[:2])) == []
    assert settled(held(lost("S1", misses=once), *three[1:])) == ["S2"]
    assert settled(held(*(lost(name, misses=once) for name in names))) == []
    small = own("S1", quantity=D("0.001"))  # it was answered, and covers too little
    assert settled(held(small, *three[1:])) == ["S2"]
