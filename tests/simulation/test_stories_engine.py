"""The engine's ordinary ways: starting, stopping, being refused, being written nonsense to, losing an answer."""

from decimal import Decimal

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import armed, held, twice

from jumar.model.errors import ConfigError

ENTRY, CONDITIONAL = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder"


@pytest.mark.rule("S-1", "E-2", "P-1")
@twice
def test_the_armed_stop_is_confirmed_before_the_example_rests(seed: int) -> None:
    """The stop at 90380 first; then the entry at 90786.6, post-only, quantity 0.013."""
    with scene(seed) as s:
        armed(s)
        acts = [r for r in s.book.records if r["kind"] in {"conditional", "order"}]
        assert [(a["kind"], a["status"]) for a in acts] == [
            ("conditional", "NEW"),
            ("order", "NEW"),
        ]
        stop, entry = acts
        assert Decimal(stop["trigger"]) == Decimal(90380)
        assert (stop["reduce_only"], stop["working_type"]) == (True, "MARK_PRICE")
        assert Decimal(entry["price"]) == Decimal("90786.6")
        assert Decimal(entry["quantity"]) == Decimal("0.013")
        assert entry["time_in_force"] == "GTX"


# starting and stopping


@pytest.mark.rule("X-2", "Q-1", "P-4")
@twice
def test_a_restart_with_a_position_goes_on_where_it_was(seed: int) -> None:
    """Stopped and started again: the same orders rest, nothing is doubled, the trade comes home."""
    with scene(seed) as s:
        held(s)
        before = set(s.book.alive)
        s.expect_stopped()
        assert set(s.book.alive) == before
        s.start()
        s.expect_recovered()
        assert set(s.book.alive) == before
        s.price_to("91600")
        s.expect_stop_at("90841.1")
        s.price_to("90700")
        found = s.verdict("P-1", "P-2", "P-6", "P-8")
        assert (found.gaps, found.exits) == (0, {"tp1": 1, "stop": 1})


@pytest.mark.rule("E-7", "M-5")
@twice
def test_stopping_the_engine_takes_back_an_unfilled_entry(seed: int) -> None:
    """Entry cancelled, then the armed stop; nothing rests afterwards."""
    with scene(seed) as s:
        armed(s)
        s.expect_stopped()
        assert s.book.slots == ""
        (entry,), (stop,) = s.book.told("E", "CANCELED"), s.book.told("S", "CANCELED")
        assert entry["seq"] < stop["seq"]


@pytest.mark.rule("X-1", "X-2", "D-7")
@twice
def test_a_set_up_taken_back_at_a_stop_is_made_again_under_new_ids(seed: int) -> None:
    """An entry that ended unfilled spends nothing: after a restart the same decision arms S2 and E2."""
    with scene(seed) as s:
        armed(s)
        s.expect_stopped()
        s.start()
        s.expect_rests("E2 S2")


@pytest.mark.rule("D-7")
@twice
def test_a_decision_older_than_the_first_start_is_spent(seed: int) -> None:
    """With an empty journal a file that was there before never enters."""
    with scene(seed, engine=False) as s:
        s.wait(1)
        s.decision(LONG, dated_s=-1)
        s.start()
        s.expect_outcome("spent", "spent")
        s.expect_no_entry()
        assert s.book.slots == ""


@pytest.mark.rule("E-4", "G-15")
@twice
def test_hedge_mode_is_refused_at_the_start_with_the_fix(seed: int) -> None:
    """One message that names the account and what to change; nothing was sent."""
    with scene(seed, engine=False) as s:
        s.request("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"})
        s.start()
        with pytest.raises(ConfigError, match=r"\[account\] main: position mode is hedge.*one-way"):
            s.wait(5)
        assert s.script.sent == []


@pytest.mark.rule("E-4")
@twice
def test_an_account_that_may_not_trade_is_refused_at_the_start(seed: int) -> None:
    """Said at once, instead of by refused stops later."""
    with scene(seed, engine=False) as s:
        s.every("GET /fapi/v1/accountConfig").answered_with(
            lambda told: {**told, "canTrade": False}
        )
        s.start()
        with pytest.raises(ConfigError, match="canTrade = false"):
            s.wait(5)
        assert s.script.sent == []


# nonsense


@pytest.mark.rule("D-4", "D-7", "P-1")
@pytest.mark.parametrize(
    "content",
    [
        "{half a file",
        "[]",
        '{"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:04:54Z", "action": "long"}',
        '{"symbol": "DOGEUSDT", "timestamp_iso": "2025-12-05T10:04:54Z", "action": "flat"}',
    ],
    ids=["half", "list", "incomplete", "doge"],
)
def test_a_bad_file_never_touches_a_position(content: str) -> None:
    """Half-written, no object, incomplete, a symbol of nobody: the position keeps every order."""
    with scene(3) as s:
        held(s)
        before = set(s.book.alive)
        s.rubbish(content.encode())
        s.ticks(6)
        assert set(s.book.alive) == before
        assert s.outcome()["outcome"] == "refused"
        assert {incident.rule for incident in s.witness.incidents} <= {"D-5"}


# lost answers


def entries_sent(s: Scene) -> list[str]:
    """The slots of the entries that left, oldest first."""
    return [each.slot for each in s.script.sent if each.request == ENTRY]


@pytest.mark.rule("X-3", "X-4", "P-4", "E-10")
@pytest.mark.parametrize("role", ["E", "S"])
@twice
def test_a_lost_answer_is_found_and_nothing_is_sent_twice(seed: int, role: str) -> None:
    """The order exists although nobody said so: it is accepted as it is, no second one is sent."""
    with scene(seed) as s:
        s.next(ENTRY if role == "E" else CONDITIONAL, of=role).answer_lost()
        armed(s)
        s.wait(8)
        s.expect_rests("E1 S1")
        assert [each.slot for each in s.script.sent if each.slot] == ["S1", "E1"]


@pytest.mark.rule("X-4", "X-1")
@twice
def test_a_request_that_never_arrived_is_proven_absent_before_a_new_id(seed: int) -> None:
    """Past its receive window: cancelled by id, unknown to the venue, twice not found; only then E2."""
    with scene(seed) as s:
        s.next(ENTRY, of="E").lost()
        s.wait(1)
        s.decision(LONG)
        s.expect_rests("E2 S1", within_s=15)
        first, second = (e.at_ms for e in s.script.sent if e.request == ENTRY)
        asked = next(e.at_ms for e in s.script.sent if e.request == "DELETE /fapi/v1/order")
        # The receive window, a second, and what the clock may be off; then two reads a second apart.
        assert asked - first >= 3000 + 1000 + 500
        assert second - asked >= 1000
        refused = [r for r in s.book.records if r["kind"] == "refused"]
        assert any(r["code"] == -2011 for r in refused)


@pytest.mark.rule("S-4", "X-4")
@twice
def test_a_backstop_that_never_arrived_is_presumed_dead_and_placed_again(seed: int) -> None:
    """A conditional order's absence is not proven, only presumed: after the cancel by id another rests."""
    with scene(seed) as s:
        s.next(CONDITIONAL, of="B").lost()
        armed(s)
        s.price_to("90786.5")
        s.expect_rests("B2 P1 Q1 S1", within_s=15)
        cancelled = [e.request for e in s.script.sent if e.slot == "B1"]
        assert cancelled[:2] == [CONDITIONAL, "DELETE /fapi/v1/algoOrder"]
        s.price_to("90370")
        assert s.verdict("P-1", "P-8").gaps == 0


# a mute stream


@pytest.mark.rule("Y-11", "X-6", "P-1", "W-1")
@twice
def test_a_whole_trade_without_a_single_order_event(seed: int) -> None:
    """Fills, triggers and the end are found by reading; the judge finds every promise kept."""
    with scene(seed) as s:
        s.mute_stream()
        held(s)
        s.wait(10)
        s.price_to("90370")
        found = s.verdict("P-1", "P-4", "P-8")
        assert (found.gaps, found.exits, found.reasons) == (0, {"stop": 1}, ["stop"])
