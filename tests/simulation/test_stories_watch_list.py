"""Stops that were presumed dead and turn out to be alive: known for a day, over trades and restarts (X-4 c, X-9)."""

import pytest
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import LONG_ROAD, armed

from jumar.model.ids import client_id, parse_client_id
from jumar.model.order import Role

CONDITIONAL, CANCEL = "POST /fapi/v1/algoOrder", "DELETE /fapi/v1/algoOrder"
HOUR_S = 3600
SEEN_TO_GONE_MS = 3000


def presumed_dead(s: Scene) -> dict[str, str]:
    """A trade whose first stop nobody ever found has come to its end; returns what that stop asked for."""
    s.next(CONDITIONAL, of="S1").lost()
    armed(s)
    known = parse_client_id(s.book.one("S2")["client_id"])
    assert known is not None
    stop = {"symbol": "BTCUSDT", "algoType": "CONDITIONAL", "side": "SELL"}
    stop |= {"type": "STOP_MARKET", "reduceOnly": "true", "workingType": "MARK_PRICE"}
    stop |= {"quantity": s.book.one("S2")["quantity"], "triggerPrice": s.book.one("S2")["trigger"]}
    stop["clientAlgoId"] = client_id(key=known.key, role=Role.STOP, attempt=1)
    s.until("the lost stop was given up", lambda: bool(_cancels(s)), within_s=15)
    s.price_to(LONG_ROAD.enter)
    s.expect_position("0.013")
    s.price_to("90370")
    s.expect_home(within_s=30)
    return stop


def _cancels(s: Scene) -> list[int]:
    return [each.at_ms for each in s.script.sent if (each.request, each.slot) == (CANCEL, "S1")]


@pytest.mark.rule("X-4", "X-9", "Y-6")
@pytest.mark.parametrize(("seed", "dies"), [(1, False), (2, True)])
def test_it_is_cancelled_an_hour_later_beside_the_present_trade(seed: int, *, dies: bool) -> None:
    """What it was for has ended long ago; the orders of the trade that is open stay as they are."""
    with scene(seed) as s:
        stop = presumed_dead(s)
        if dies:
            s.kill()
        s.wait(HOUR_S)
        if dies:
            s.start()
        s.price_to(LONG_ROAD.quiet)
        s.wait(1)
        s.decision(LONG, id="another")
        s.expect_armed()
        s.price_to(LONG_ROAD.enter)
        s.expect_held()
        present = set(s.book.alive)
        s.request("POST", "/fapi/v1/algoOrder", stop)
        name, seen_ms = stop["clientAlgoId"], s.now_ms
        s.until("the lost stop is there", lambda: name in s.book.alive)
        s.until("it is gone", lambda: name not in s.book.alive)
        assert s.now_ms - seen_ms <= SEEN_TO_GONE_MS
        s.wait(2)
        assert set(s.book.alive) == present
        s.price_to("90370")
        s.expect_home(within_s=30)
        # Not the whole verdict: the venue's judge counts what came to rest after its trade as an orphan.
        assert s.world.judge()["unprotected_ms_max"] == 0
