"""What somebody does past the engine besides trading: orders cancelled and placed, margin, leverage, modes, money.

With `test_stories_by_hand.py` these are the stories behind docs/concepts/what-if-i-touch-it.md.
"""

from decimal import Decimal

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import LONG_ROAD, Road, armed, both_sides, held, signed, twice

from jumar.model.mode import Mode
from jumar.store import requests

SYMBOL = "BTCUSDT"


def statuses(s: Scene, client_id: str) -> list[str]:
    """What became of an order."""
    own = [r for r in s.book.records if r.get("client_id") == client_id]
    return [r["status"] for r in own if "status" in r]


def refused(s: Scene, path: str, **params: str) -> int:
    """Somebody asks for a change that the exchange refuses; returns its code."""
    reply = s.world.venue.core.request("POST", path, params, s.now_ms)
    assert reply.status == 400, reply.body
    return int(reply.body["code"])


def set_at(s: Scene) -> tuple[int, str]:
    """Leverage and margin mode as the exchange has them."""
    reply = s.world.venue.core.request("GET", "/fapi/v1/symbolConfig", {}, s.now_ms)
    (row,) = [row for row in reply.body if row["symbol"] == SYMBOL]
    return int(row["leverage"]), str(row["marginType"])


def sends_nothing(s: Scene, *, for_ticks: int = 5) -> None:
    """Nothing is sent and nothing is alarmed."""
    sent, alarms = len(s.script.sent), len(s.witness.incidents)
    s.ticks(for_ticks)
    assert len(s.script.sent) == sent, s.script.sent[sent:]
    assert len(s.witness.incidents) == alarms, s.witness.incidents[alarms:]


def home(s: Scene) -> None:
    """The position goes home by both targets, and the price is back where the next one may begin."""
    s.price_to(LONG_ROAD.tp1)
    s.expect_roles("BQS")
    s.price_to(LONG_ROAD.tp2)
    s.expect_home()
    s.price_to(LONG_ROAD.quiet)


# our orders


@pytest.mark.rule("S-7", "Y-7", "P-2")
@pytest.mark.parametrize(("trigger", "reason"), [("90500", "manual"), ("90300", "stop")])
@pytest.mark.parametrize("seed", [1])
def test_a_stop_moved_by_hand(seed: int, trigger: str, reason: str) -> None:
    """Ours is back where it was and the hand's stays; the tighter one closes the position, all of ours is swept."""
    with scene(seed) as s:
        held(s)
        s.cancel_stop_by_hand()
        name = s.stop_by_hand("SELL", trigger, "0.013")
        s.expect_stop_at("90380", within_ticks=2)
        s.ticks(3)
        assert statuses(s, name) == ["NEW"]
        assert s.book.stops() == [Decimal(90380)]
        s.price_to(Decimal(trigger) - 10 if reason == "manual" else "90370")
        s.expect_home()
        if reason == "stop":
            assert statuses(s, name)[-1] == "NEW"
            s.request("DELETE", "/fapi/v1/algoOrder", {"symbol": SYMBOL, "clientAlgoId": name})
        found = s.verdict("P-1", "P-2", "P-8")
        assert found.reasons[0] in {reason, "backstop" if reason == "stop" else reason}


@pytest.mark.rule("E-10", "S-1")
@both_sides
def test_our_entry_cancelled_by_hand(seed: int, road: Road) -> None:
    """The decision still wants it: it rests again behind an armed stop."""
    with scene(seed) as s:
        armed(s, road)
        s.cancel_by_hand("E")
        s.until("an entry again", lambda: bool(s.book.resting("E2")), within_ticks=3)
        assert s.book.size("S") >= s.book.size("E")
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.price_to(road.stopped)
        assert s.verdict("P-1", "P-4", "P-8").trades == 1


@pytest.mark.rule("T-2", "Y-5")
@twice
def test_our_target_cancelled_by_hand(seed: int) -> None:
    """It is placed again where it was, for what it was."""
    with scene(seed) as s:
        held(s)
        before = s.book.one("P1")
        s.cancel_by_hand("P")
        s.expect_rests("B1 P2 Q1 S1", within_ticks=2)
        again = s.book.one("P2")
        assert (again["trigger"], again["quantity"]) == (before["trigger"], before["quantity"])
        home(s)
        s.verdict("P-1", "P-8")


# orders of somebody else


@pytest.mark.rule("Y-7", "G-12")
@twice
def test_an_order_placed_by_hand_keeps_entries_away_while_it_rests(seed: int) -> None:
    """It is left alone; once it is gone the decision enters, and nobody has to resume."""
    with scene(seed) as s:
        s.wait(1)
        name = s.rest_by_hand()
        s.wait(1)
        s.decision(LONG)
        s.expect_outcome("refused", "mode")
        s.expect_no_entry()
        assert statuses(s, name) == ["NEW"]
        s.request("DELETE", "/fapi/v1/order", {"symbol": SYMBOL, "origClientOrderId": name})
        s.expect_armed(within_s=31)
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        home(s)
        s.verdict("P-1", "P-4", "P-8")


@pytest.mark.rule("Y-7")
@twice
def test_an_order_placed_by_hand_beside_a_position(seed: int) -> None:
    """Neither it nor any order of ours is touched; the trade goes home."""
    with scene(seed) as s:
        held(s)
        before, name = s.book.slots, s.rest_by_hand()
        s.ticks(4)
        assert s.book.slots == f"{before} {name}"
        home(s)
        assert statuses(s, name) == ["NEW"]


# sizes


@pytest.mark.rule("Y-3", "M-1", "G-12")
@twice
def test_after_a_part_was_added_a_person_resumes(seed: int) -> None:
    """What was added keeps entries away beyond the trade's end, until `jumar resume`."""
    with scene(seed) as s:
        held(s)
        s.by_hand("BUY", "0.010")
        s.until("a stop for all", lambda: s.book.size("S") >= Decimal("0.023"))
        s.price_to(LONG_ROAD.stopped)
        s.expect_home()
        s.price_to(LONG_ROAD.quiet)
        s.wait(901)  # the pause after a loss
        s.decision(LONG)
        s.expect_outcome("refused", "mode")
        s.do(
            lambda: requests.ask(
                s.database, request="resume", symbol=None, asked_by="test", at_ms=s.now_ms
            )
        )
        s.expect_armed()
        s.expect_mode(Mode.NORMAL)


@pytest.mark.rule("Y-2", "D-7")
@twice
def test_after_a_close_by_hand_the_next_decision_enters(seed: int) -> None:
    """Closing it all needs no resume: the decision is spent, a newer one enters when its guards hold."""
    with scene(seed) as s:
        held(s)
        s.price_to("91000")
        s.by_hand("SELL", "0.013")
        s.expect_home(within_s=6)
        s.price_to(LONG_ROAD.quiet)
        s.expect_outcome("spent", "spent")
        s.expect_mode(Mode.NORMAL)
        s.decision(LONG)
        s.expect_armed()


# margin, leverage, modes, money


@pytest.mark.rule("G-9")
@both_sides
def test_margin_added_by_hand(seed: int, road: Road) -> None:
    """Liquidation moves away: nothing is sent, nothing alarmed, the trade goes home."""
    with scene(seed) as s:
        held(s, road)
        s.wait(1)
        s.request(
            "POST", "/fapi/v1/positionMargin", {"symbol": SYMBOL, "amount": "50", "type": "1"}
        )
        sends_nothing(s)
        s.price_to(road.stopped)
        s.verdict("P-1", "P-8")


@pytest.mark.rule("E-4")
@twice
def test_leverage_raised_a_little_under_a_position(seed: int) -> None:
    """Liquidation stays beyond the stop: nothing is sent; the next entry sets the leverage back first."""
    with scene(seed) as s:
        held(s)
        s.wait(1)
        s.request("POST", "/fapi/v1/leverage", {"symbol": SYMBOL, "leverage": "10"})
        sends_nothing(s)
        home(s)
        assert set_at(s)[0] == 10
        s.decision(LONG)
        s.expect_armed()
        assert set_at(s)[0] == 3


@pytest.mark.rule("E-4")
@twice
def test_margin_mode_changed_by_hand(seed: int) -> None:
    """Under a position the exchange refuses it; when flat the next entry sets it back before its stop."""
    change = {"symbol": SYMBOL, "marginType": "CROSSED"}
    with scene(seed) as s:
        held(s)
        assert refused(s, "/fapi/v1/marginType", **change) in {-4047, -4048}
        home(s)
        s.request("POST", "/fapi/v1/marginType", change)
        assert set_at(s)[1] == "CROSSED"
        s.wait(61)
        s.decision(LONG)
        s.expect_armed()
        assert set_at(s)[1] == "ISOLATED"


@pytest.mark.rule("G-15", "E-4")
@twice
def test_hedge_mode_switched_on_by_hand(seed: int) -> None:
    """Under a position the exchange refuses it; when flat nothing enters until it is switched back by hand."""
    with scene(seed) as s:
        held(s)
        assert refused(s, "/fapi/v1/positionSide/dual", dualSidePosition="true") in {-4067, -4068}
        home(s)
        s.request("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"})
        s.wait(61)
        s.decision(LONG)
        s.expect_outcome("refused", "position_mode_hedge")
        s.expect_no_entry()
        s.request("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "false"})
        s.wait(61)
        s.expect_armed()


@pytest.mark.rule("G-15")
@twice
def test_hedge_mode_switched_on_right_before_a_decision(seed: int) -> None:
    """The first refused stop makes the engine look: the decision is told why, and is not spent by it."""
    with scene(seed) as s:
        s.wait(2)
        s.request("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"})
        s.decision(LONG)
        s.expect_outcome("refused", "position_mode_hedge", within_s=3)
        s.expect_no_entry()
        assert len(s.book.told("S", "REJECTED")) == 0
        s.request("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "false"})
        s.wait(61)
        s.expect_armed()


@pytest.mark.rule("G-10")
@twice
def test_money_moved_out_by_hand(seed: int) -> None:
    """Half of it leaves: the position keeps its orders, and what left counts as no loss when the next one enters."""
    with scene(seed) as s:
        held(s)
        before = s.book.slots
        core = s.world.venue.core
        s.do(lambda: core.transfer(Decimal(-5000), s.now_ms))
        s.ticks(5)
        assert s.book.slots == before
        home(s)
        s.wait(61)
        s.decision(LONG)
        s.expect_armed()
