"""Orders whose fate is open, told by what the venue says of them: ids that are taken, targets, lying reads (X-4)."""

from itertools import pairwise
from typing import Any

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import PROTECT_DEADLINE_MS, armed, held, twice

from jumar.model.ids import client_id, parse_client_id
from jumar.model.mode import Mode
from jumar.model.order import Role

ENTRY, CONDITIONAL = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder"
RETRY_TARGET_MS = 30_000


def name_of(s: Scene, role: Role, attempt: int) -> str:
    """The id that the engine will give to an order of the trade that is being set up."""
    known = parse_client_id(s.book.one("S1")["client_id"])
    assert known is not None
    return client_id(key=known.key, role=role, attempt=attempt)


def sent_at(s: Scene, slot: str, request: str) -> list[int]:
    """When the engine sent such a request about an order."""
    return [each.at_ms for each in s.script.sent if (each.slot, each.request) == (slot, request)]


# an id that is taken


@pytest.mark.rule("X-4", "X-7", "M-1")
@twice
def test_an_entry_id_that_is_somebody_elses_order_is_left_alone(seed: int) -> None:
    """-4116, and the order of that id has other numbers: never cancelled, no entry until an operator resumes."""
    with scene(seed) as s:
        s.wait(1)
        s.next(CONDITIONAL, of="S1").late(back_s=1.0)
        s.script.event_delay_s = 1.0
        s.decision(LONG)
        s.until("the armed stop rests", lambda: bool(s.book.resting("S1")))
        taken = s.rest_by_hand(name_of(s, Role.ENTRY, 1))
        s.expect_mode(Mode.NO_ENTRIES)
        s.wait(10)
        assert taken in s.book.alive, "somebody else's order was cancelled"
        assert not sent_at(s, "E1", "DELETE /fapi/v1/order")
        assert len(sent_at(s, "E1", ENTRY)) == 1
        assert not sent_at(s, "E2", ENTRY)
        (alert,) = [words for words in s.incidents("M-1") if taken in words]
        assert "price asked 90786.60, got 88000" in alert


@pytest.mark.rule("X-4", "X-7")
@twice
def test_the_same_after_a_crash_before_the_answer_was_read(seed: int) -> None:
    """That the id was called taken is journaled: the next life reads the order before it could be cancelled."""
    with scene(seed) as s:
        s.wait(1)
        s.next(CONDITIONAL, of="S1").late(back_s=1.0)
        s.mute_stream()
        s.every("GET /fapi/v1/order", of="E1", needed=False).lost()
        s.decision(LONG)
        s.until("the armed stop rests", lambda: bool(s.book.resting("S1")))
        taken = s.rest_by_hand(name_of(s, Role.ENTRY, 1))
        s.every("GET /fapi/v1/openOrders", needed=False).lost()
        s.until("the entry was sent", lambda: bool(sent_at(s, "E1", ENTRY)))
        s.wait(8)
        s.kill()
        s.clear_weather()
        s.restart()
        s.expect_mode(Mode.NO_ENTRIES)
        s.wait(8)
        assert taken in s.book.alive, "somebody else's order was cancelled"
        assert not sent_at(s, "E1", "DELETE /fapi/v1/order")


@pytest.mark.rule("X-4", "X-7", "S-7", "P-1")
@twice
def test_a_stop_does_not_wait_for_an_id_that_is_taken(seed: int) -> None:
    """-4116 on the stop that restores cover: another id at once, the order that has the first one stays."""
    with scene(seed) as s:
        held(s)
        taken = name_of(s, Role.STOP, 2)
        stop = {"symbol": "BTCUSDT", "algoType": "CONDITIONAL", "side": "SELL"}
        stop |= {"type": "STOP_MARKET", "quantity": "0.005", "triggerPrice": "89000"}
        stop |= {"reduceOnly": "true", "workingType": "MARK_PRICE", "clientAlgoId": taken}
        s.request("POST", "/fapi/v1/algoOrder", stop)
        s.cancel_by_hand("S1")
        gone_ms = s.now_ms
        s.until("another stop rests", lambda: bool(s.book.resting("S3")))
        assert s.book.one("S3")["t"] - gone_ms <= PROTECT_DEADLINE_MS
        s.wait(10)
        assert taken in s.book.alive
        assert not sent_at(s, "S2", "DELETE /fapi/v1/algoOrder")
        s.expect_mode(Mode.NO_ENTRIES)


@pytest.mark.rule("X-4", "S-8", "P-1")
@twice
def test_a_regular_order_with_a_stops_id_is_not_what_the_stop_became(seed: int) -> None:
    """A venue that keeps two lists may take one id in both: an order of the other side was not triggered by ours."""
    with scene(seed) as s:
        held(s)
        s.rest_by_hand(name_of(s, Role.STOP, 1))
        s.wait(10)
        s.expect_position("0.013")
        s.expect_stays_protected(for_s=5)
        assert "S1" in s.book.slots


# targets


@pytest.mark.rule("X-4", "T-2")
@pytest.mark.parametrize("slot", ["P1", "Q1"])
@twice
def test_a_target_that_was_lost_is_tried_again_after_half_a_minute(seed: int, slot: str) -> None:
    """Its absence is presumed, not proven: two of one slot must not both be alive."""
    again = slot[0] + "2"
    with scene(seed) as s:
        s.next(CONDITIONAL, of=slot).lost()
        armed(s)
        s.price_to("90786.5")
        other = "Q1" if slot == "P1" else "P1"
        rest = sorted(["B1", "S1", other, again])
        s.expect_rests(" ".join(rest), within_s=45)
        (first,), (second,) = sent_at(s, slot, CONDITIONAL), sent_at(s, again, CONDITIONAL)
        assert RETRY_TARGET_MS <= second - first <= RETRY_TARGET_MS + 4000
        s.price_to("90370")
        assert s.verdict("P-1", "P-8").gaps == 0


# reads that lie


@pytest.mark.rule("X-4", "X-5", "P-4")
@twice
def test_an_entrys_absence_is_looked_for_everywhere_twice(seed: int) -> None:
    """By id, among open orders, among executions; twice, a second apart; only then another attempt."""
    with scene(seed) as s:
        looks: list[int] = []

        def noted(rows: Any) -> Any:
            looks.append(s.now_ms)
            return rows

        s.every("GET /fapi/v1/userTrades").answered_with(noted)
        s.next(ENTRY, of="E1").lost()
        s.wait(1)
        s.decision(LONG)
        s.expect_rests("E2 S1", within_s=15)
        asked, (second,) = sent_at(s, "E1", "DELETE /fapi/v1/order")[0], sent_at(s, "E2", ENTRY)
        late = [at for at in looks if asked <= at <= second]
        assert len(late) >= 2
        assert late[-1] - late[0] >= 1000


@pytest.mark.rule("P-1", "S-7", "W-1")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_stop_that_was_taken_in_silence_is_back_within_the_deadline(seed: int) -> None:
    """No event told it, and the list had just been read: the next read must still be early enough."""
    with scene(seed) as s:
        held(s)
        s.wait(12)
        looks: list[int] = []

        def noted(rows: Any) -> Any:
            looks.append(s.now_ms)
            return rows

        s.mute_stream()
        s.every("GET /fapi/v1/openAlgoOrders").answered_with(noted)
        s.until("the list is read", lambda: bool(looks))
        s.wait(0.2)
        s.cancel_by_hand("B1", "S1")
        gone_ms = s.now_ms
        s.until("another stop rests", lambda: bool(s.book.resting("S2")))
        assert s.book.one("S2")["t"] - gone_ms <= PROTECT_DEADLINE_MS
        between = [later - earlier for earlier, later in pairwise(looks)]
        assert max(between) <= PROTECT_DEADLINE_MS
