"""The storyboard itself: what must fail fails, and says what was expected, when, and what was there."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.simulation.script import Spell
from tests.simulation.storyboard import LONG, Scene, scene
from tests.simulation.ways import armed, held

from jumar.simulation.line import Request

WRONG: dict[str, Callable[[Scene], object]] = {
    "position 0.014 within 2 ticks": lambda s: s.expect_position("0.014", within_ticks=2),
    "one stop at 90000 within 1.0 s": lambda s: s.expect_stop_at("90000", within_s=1.0),
    "B1 P1 Q1 rests within 1.0 s": lambda s: s.expect_rests("B1 P1 Q1", within_s=1.0),
    "told refused stale within 1.0 s": lambda s: s.expect_outcome("refused", "stale", within_s=1.0),
    "home within 1.0 s": lambda s: s.expect_home(within_s=1.0),
    "dead within 1.0 s": lambda s: s.expect_dead(within_s=1.0),
}


def failure(story: Callable[[Scene], object]) -> AssertionError:
    """How a scenario fails."""

    def told() -> None:
        with scene(7) as s:
            story(s)

    with pytest.raises(AssertionError) as failed:
        told()
    return failed.value


@pytest.mark.parametrize("expected", WRONG)
def test_a_wrong_expectation_tells_the_scenario(expected: str) -> None:
    """What was expected and the virtual time; the seed, what was done, what rests, the ledger's end."""

    def story(s: Scene) -> None:
        held(s)
        WRONG[expected](s)

    error = failure(story)
    assert str(error).startswith(f"expected {expected}; at 2025-12-05T10:04:5")
    (tale,) = error.__notes__
    for part in ("seed 7", "decision {", "position 0.013; resting", "S1 SELL", "fill E1 BUY"):
        assert part in tale


def test_protection_without_a_position_proves_nothing() -> None:
    """A scenario that asks for it before anything filled is wrong."""

    def story(s: Scene) -> None:
        armed(s)
        s.expect_protected()

    assert "a position to protect" in str(failure(story))


def test_a_bare_position_is_noticed() -> None:
    """With nobody there to restore it; a tick of nobody never comes, so that time runs out."""

    def bare(s: Scene) -> None:
        held(s)
        s.kill()
        s.expect_stays_protected(for_s=1.0)
        s.cancel_stops_by_hand()

    def stays(s: Scene) -> None:
        bare(s)
        s.expect_stays_protected(for_s=1.0)

    def comes(s: Scene) -> None:
        bare(s)
        s.expect_protected(within_ticks=1)

    assert "protected for 1.0 s" in str(failure(stays))
    assert "protected within 10.0 s" in str(failure(comes))


def test_a_fault_that_met_nothing_fails_the_scenario() -> None:
    """Otherwise a scenario could pass without what it is about."""

    def story(s: Scene) -> None:
        s.next("POST /fapi/v1/order", of="X").lost()
        armed(s)

    assert "['POST /fapi/v1/order X']" in str(failure(story))


def test_a_verdict_without_checks_fails() -> None:
    """Nothing was entered: no promise about a position can have been kept."""

    def story(s: Scene) -> None:
        armed(s)
        s.expect_stopped()
        s.verdict("P-1")

    assert "never checked: ['P-1']" in str(failure(story))


def test_a_broken_promise_fails_the_verdict() -> None:
    """A position that stays bare past the limit of what is excused: the judge says so."""

    def story(s: Scene) -> None:
        held(s)
        s.kill()
        s.cancel_stops_by_hand()
        s.wait(10)
        s.verdict(home=False)

    assert "'promise': 'P-1'" in str(failure(story))


def test_an_order_that_no_journal_knows_fails_the_verdict() -> None:
    """An id of ours at the exchange without an intent."""

    def story(s: Scene) -> None:
        s.rest_by_hand("jm-aaaaaaaaaa-E1")
        s.verdict(home=False)

    assert "not journaled: {'jm-aaaaaaaaaa-E1'}" in str(failure(story))


def test_a_scenario_of_one_seed_is_always_the_same() -> None:
    """Log, ledger and tick record of two runs are equal; another seed's are not."""
    seen = []
    for seed in (5, 5, 6):
        with scene(seed) as s:
            s.at("10:05")
            s.decision(LONG)
            s.expect_armed()
            s.fill("0.004")
            s.cancel_stop_by_hand()
            s.wait(2)
            s.kill()
            s.restart()
            s.price_to("90370")
            s.expect_home()
            seen.append(s.world.fingerprint())
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_one_symbol_at_home_is_not_all_at_home() -> None:
    """What another symbol holds is not seen by expectations about the first, and yet nobody is at home."""
    with scene(7, others={"ETHUSDT": Decimal("3101.50")}) as s:
        s.wait(1)
        with s.on("ETHUSDT"):
            s.by_hand("BUY", "0.100")
            s.expect_position("0.100")
        s.expect_position("0")
        with pytest.raises(AssertionError, match=r"expected home within 1\.0 s"):
            s.expect_home(within_s=1.0)
        with s.on("ETHUSDT"):
            s.by_hand("SELL", "0.100")
        s.expect_home()


def test_a_fault_of_one_symbol_spares_the_other() -> None:
    """It befalls requests that name its symbol, and none that name another or none."""
    spell = Spell("GET *", "", None, symbol="ETHUSDT")
    asked = {
        symbol: Request("GET", "/fapi/v1/openOrders", {"symbol": symbol})
        for symbol in ("ETHUSDT", "BTCUSDT")
    }
    assert spell.concerns(asked["ETHUSDT"])
    assert not spell.concerns(asked["BTCUSDT"])
    assert not spell.concerns(Request("GET", "/fapi/v3/positionRisk", {}))
