"""What a running engine finds and did not make, through reads that lie and a store that fails.

What happens around deaths is told in `test_stories_by_hand.py` and `test_stories_lost_database.py`.
"""

from decimal import Decimal

import pytest
from tests.simulation.disks import faulty_disks, refusing
from tests.simulation.storyboard import FLAT, LONG, Scene, scene
from tests.simulation.ways import PROTECT_DEADLINE_MS, armed, held, twice

from jumar.model.journal import Incident, Intent, RequestDone, TradeChanged
from jumar.model.mode import Mode, ModeState
from jumar.model.order import Side
from jumar.model.policy import OrphanPolicy
from jumar.ports.observer import TickReport
from jumar.reconciler.loop import SymbolLoop
from jumar.store import asked, queries, requests

#: What a hand opened was bare before anybody could cover it.
HANDMADE = frozenset({"P-1"})
AT_ONCE_MS = 1000


def loop_of(s: Scene) -> SymbolLoop:
    """The symbol's loop in the running engine: for what cannot be caused from outside."""
    process = s.world.host.process
    assert process is not None
    return process.engine.loops["BTCUSDT"]


def bought_by_hand(s: Scene, quantity: str = "0.010") -> None:
    """Somebody buys, and a stop is there within a second."""
    s.by_hand("BUY", quantity)
    opened_ms = s.now_ms
    s.expect_protected(within_ticks=1)
    assert s.now_ms - opened_ms <= AT_ONCE_MS


# found while running


@pytest.mark.rule("Y-1", "P-6", "O-1")
@twice
def test_a_position_by_hand_wakes_the_engine_and_is_protected_within_a_second(seed: int) -> None:
    """Idle, reading every 30 s: the event alone brings a stop; alarm once; sold by hand it is called manual."""
    with scene(seed) as s:
        s.wait(5)
        bought_by_hand(s)
        assert s.book.stops() == [Decimal("89911.8")]  # 1 % below mark
        s.ticks(3)
        assert len(s.incidents("Y-1")) == 1
        s.by_hand("SELL", "0.010")
        found = s.verdict(but=HANDMADE, bare_ms_max=AT_ONCE_MS)
        assert found.reasons == ["manual"]
        (row,) = queries.trades(s.database)
        assert row.summary is not None
        assert row.summary.quantity == Decimal("0.010")


@pytest.mark.rule("Y-1", "X-6")
@twice
def test_a_position_by_hand_is_counted_once_when_a_part_is_sold(seed: int) -> None:
    """Executions are read again when the hand sells a part: the one that made the position is already in it."""
    with scene(seed) as s:
        s.wait(1)
        bought_by_hand(s)
        s.by_hand("SELL", "0.004")
        s.ticks(6)
        assert not s.incidents("Y-3")
        assert s.book.covered
        s.by_hand("SELL", "0.006")
        s.expect_home()
        (row,) = queries.trades(s.database)
        assert row.summary is not None
        assert row.summary.quantity == Decimal("0.010")
        story = asked.trade_story(s.database, row.trade.key)
        sold = [(each.fill.side, each.fill.quantity) for each in story.fills]
        assert sold == [(Side.SELL, Decimal("0.004")), (Side.SELL, Decimal("0.006"))]
        s.verdict(but=HANDMADE, bare_ms_max=AT_ONCE_MS)


@pytest.mark.rule("Y-1")
@twice
def test_an_orphan_is_closed_where_that_is_the_policy(seed: int) -> None:
    """`orphan_policy` = close: sold at market at once, nothing is left; NO_ENTRIES for a hand's work, no FLATTENING."""
    with scene(seed, orphan_policy=OrphanPolicy.CLOSE) as s:
        s.wait(1)
        s.by_hand("BUY", "0.010")
        opened_ms = s.now_ms
        s.expect_home()
        assert s.book.moves()[-1]["t"] - opened_ms <= AT_ONCE_MS
        s.expect_mode(Mode.NO_ENTRIES)
        assert not [words for words in s.incidents("M-1") if "FLATTENING" in words]
        found = s.verdict(but=HANDMADE, bare_ms_max=AT_ONCE_MS)
        assert found.reasons == ["orphan"]


@pytest.mark.rule("Y-3", "Y-1")
@twice
def test_a_position_turned_round_by_hand_is_protected_on_its_other_side(seed: int) -> None:
    """One sale through zero: the long's trade is over, called manual; the short has its own stop within the deadline."""
    with scene(seed) as s:
        s.wait(1)
        bought_by_hand(s)
        s.by_hand("SELL", "0.025")
        turned_ms = s.now_ms
        s.until("covered", lambda: s.book.covered)
        (stop,) = s.book.resting("S")
        assert (stop["side"], Decimal(stop["quantity"])) == ("BUY", Decimal("0.015"))
        assert stop["t"] - turned_ms <= PROTECT_DEADLINE_MS
        s.ticks(2)
        long, short = (row.summary for row in queries.trades(s.database))
        assert long is not None
        assert (long.exit_reason, long.quantity) == ("manual", Decimal("0.010"))
        assert short is None


@pytest.mark.rule("Y-1", "Y-7", "S-3")
@twice
def test_a_foreign_stop_beside_a_position_by_hand_is_left_alone(seed: int) -> None:
    """A person's full-size stop is tighter than 1 %: ours stands at its price, theirs stays where it is."""
    with scene(seed, engine=False) as s:
        s.by_hand("BUY", "0.010")
        theirs = s.stop_by_hand("SELL", "90500", "0.010")
        s.start()
        s.expect_stop_at("90500")
        s.ticks(3)
        resting = [r["status"] for r in s.book.records if r.get("client_id") == theirs]
        assert resting == ["NEW"]


# reads that lie


@pytest.mark.rule("Y-1", "Y-11")
@twice
def test_a_stale_position_list_after_a_trades_end_is_no_new_position(seed: int) -> None:
    """Within `flat_margin_s` of the last fill the list still shows the old position: no trade is made of it."""
    with scene(seed) as s:
        held(s)
        lie = s.position_list_says("0.013")
        s.price_to("90370")
        ended_ms = s.now_ms
        s.expect_home()
        s.price_to("90820")
        s.decision(LONG)  # what wants to enter has everything read
        s.wait((ended_ms + 1500 - s.now_ms) / 1000)
        assert lie.met > 0
        s.clear_weather()
        s.expect_armed()
        assert not s.incidents("Y-1")
        ended, opened = (row.summary for row in queries.trades(s.database))
        assert (ended is None, opened is None) == (False, True)


@pytest.mark.rule("Y-12", "P-7", "P-1", "Y-9")
@twice
def test_a_history_that_cannot_be_read_keeps_entries_away_but_no_stop(seed: int) -> None:
    """With an empty journal and no history: the position by hand is protected, the decision waits; then all is read."""
    with scene(seed, engine=False) as s:
        s.by_hand("BUY", "0.010")
        history = s.every("GET /fapi/v1/allOrders")
        history.refused(-1000, "the history is being rebuilt", status=503)
        s.start()
        s.decision(LONG, dated_s=4)
        s.expect_recovered()
        s.ticks(3)
        assert history.met >= 2
        assert not s.book.entries()
        s.clear_weather()
        s.by_hand("SELL", "0.010")
        s.expect_home()
        requests.ask(s.database, request="resume", symbol=None, asked_by="test", at_ms=1)
        s.ticks(2)
        s.decision(LONG, dated_s=4.5)
        s.expect_armed(within_s=15)


# a store that fails


@pytest.mark.rule("Y-1", "M-4", "X-2")
@twice
def test_an_adopted_position_is_protected_while_the_store_fails(seed: int) -> None:
    """Neither trade nor intent can be written: the stop goes all the same, and all is journaled once that works."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        s.wait(1)
        disks[0].refuses = refusing(TradeChanged, Intent)
        bought_by_hand(s)
        (stop,) = s.book.resting("S")
        assert queries.journaled_ids(s.database) == ()
        assert disks[0].refused > 0
        disks[0].heal()
        s.until("journaled", lambda: stop["client_id"] in queries.journaled_ids(s.database))
        (key,) = (row.trade.key for row in queries.trades(s.database))
        s.expect_stopped()
        s.start()
        s.expect_recovered()
        assert [row.trade.key for row in queries.trades(s.database)] == [key]
        assert [order["client_id"] for order in s.book.resting("S")] == [stop["client_id"]]


def journaled(s: Scene, name: str) -> bool:
    """Whether the database knows an order of ours."""
    return any(known.endswith(f"-{name}") for known in queries.journaled_ids(s.database))


@pytest.mark.rule("M-4", "P-1", "X-2")
@twice
def test_a_store_that_hangs_holds_up_no_stop(seed: int) -> None:
    """Writes neither end nor fail: a lost stop is back within a second, looks go on, and all is journaled later."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        disks[0].hang()
        s.cancel_stops_by_hand()
        gone_ms = s.now_ms
        stop = s.expect_stop_at("90380")
        assert stop["t"] - gone_ms <= AT_ONCE_MS
        s.ticks(4)
        assert not journaled(s, "S2")
        disks[0].heal()
        s.until("journaled", lambda: journaled(s, "S2"))
        s.ticks(2)
        assert {incident.rule for incident in s.witness.incidents} == {"X-2", "S-7", "P-2"}
        s.expect_stopped()
        s.start()
        s.expect_recovered()
        assert [order["client_id"] for order in s.book.resting("S")] == [stop["client_id"]]


@pytest.mark.rule("M-4", "C-3", "D-5")
@twice
def test_decisions_are_read_while_the_store_hangs(seed: int) -> None:
    """Rubbish whose record cannot be written, then `flat`: the entry goes at once; both are recorded later."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        armed(s)
        disks[0].hang()
        s.rubbish(b"{")
        s.until("alarmed", lambda: any(i.rule == "D-5" for i in s.witness.incidents))
        s.decision(FLAT)
        s.expect_rests("")
        disks[0].heal()
        counts = queries.refusal_counts
        s.until("recorded", lambda: counts(s.database).get("malformed") == 1)
        s.expect_home()


@pytest.mark.rule("X-2", "P-4")
@twice
def test_nothing_that_adds_exposure_leaves_while_the_store_hangs(seed: int) -> None:
    """The stop's intent waits for the disk and the entry for the stop; then both go once, under one id each."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        s.wait(1)
        disks[0].hang()
        s.decision(LONG)
        s.until("a write waits", lambda: disks[0].waiting > 0)
        s.price_to("90815")
        s.wait(2)  # less than the receive window, past which what waited must not be sent
        assert s.book.slots == ""
        assert not [each for each in s.script.sent if each.slot]
        disks[0].heal()
        s.expect_rests("E1 S1")


@pytest.mark.rule("O-4", "M-1")
@twice
def test_requests_that_cannot_be_read_do_not_end_the_engine(seed: int) -> None:
    """Something unforeseen in the table: the position is managed on, and the table is read again."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        disks[0].requests_fail = True
        seen = disks[0].asked
        s.until("asked again", lambda: disks[0].asked >= seen + 2)
        s.cancel_stop_by_hand()
        s.expect_rests("B1 P1 Q1 S2", within_ticks=2)


@pytest.mark.rule("M-1")
@twice
def test_a_request_is_obeyed_once_even_when_its_outcome_cannot_be_written(seed: int) -> None:
    """What was resumed before the next emergency does not clear that one's mode."""
    first = ModeState(mode=Mode.NO_ENTRIES, rule="S-7", cause="the first", since_ms=1)
    second = ModeState(mode=Mode.NO_ENTRIES, rule="S-8", cause="the second", since_ms=2)
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        s.wait(1)
        disks[0].refuses = refusing(RequestDone)
        state = loop_of(s).state
        state.set_mode(first)
        requests.ask(s.database, request="resume", symbol=None, asked_by="test", at_ms=1)
        s.until("resumed", lambda: state.mode is not None and state.mode.mode is Mode.NORMAL)
        state.set_mode(second)
        seen = disks[0].asked
        s.until("asked twice", lambda: disks[0].asked >= seen + 2)
        assert state.mode == second
        assert disks[0].refused >= 2
        disks[0].heal()
        s.until("the request is done", lambda: asked.present(s.database).requests == ())
        assert state.mode == second


@pytest.mark.rule("M-5")
@twice
def test_what_the_last_look_had_to_tell_is_written_before_the_end(seed: int) -> None:
    """An incident of the last moment stands in the database after an orderly stop."""
    with scene(seed) as s:
        s.wait(1)
        loop = loop_of(s)

        class Late:
            """Has something to say when the engine is already stopping."""

            def tick(self, report: TickReport) -> None:
                """Report once the engine drains."""
                if report.world.draining:
                    said = {"symbol": "BTCUSDT", "severity": "info", "rule": "M-5"}
                    loop.state.outbox.add(
                        Incident(**said, message="the last word", at_ms=report.world.now_ms)
                    )

            def incident(self, incident: Incident) -> None:
                """Nothing."""

        loop._observers = (Late(),)
        s.expect_stopped()
        assert s.incidents("M-5") == ["the last word"]


# afterwards


@pytest.mark.rule("P-4", "D-7", "Y-1")
@twice
def test_after_a_position_by_hand_a_newer_decision_enters(seed: int) -> None:
    """The adopted trade's end spends what is not newer; once a person has resumed, a newer decision enters."""
    with scene(seed) as s:
        s.wait(1)
        s.decision(LONG, dated_s=0.1)
        s.by_hand("BUY", "0.010")
        s.expect_protected(within_ticks=1)
        s.wait(1)
        s.by_hand("SELL", "0.010")
        s.expect_home()
        requests.ask(s.database, request="resume", symbol=None, asked_by="test", at_ms=1)
        s.expect_mode(Mode.NORMAL)
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        s.decision(LONG)
        s.expect_armed()


@pytest.mark.rule("Y-3", "H-5", "Q-2")
@twice
def test_what_a_hand_executed_stands_in_the_trades_record(seed: int) -> None:
    """Who asks later finds the execution that ended it, though no order of ours made it."""
    with scene(seed) as s:
        s.wait(1)
        bought_by_hand(s)
        s.by_hand("SELL", "0.010")
        s.expect_home()
        (row,) = queries.trades(s.database)
        story = asked.trade_story(s.database, row.trade.key)
        (sold,) = story.fills
        assert (sold.fill.quantity, sold.fill.side) == (Decimal("0.010"), Side.SELL)
        assert row.entry_fills == 0
