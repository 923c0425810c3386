"""What Binance's documents leave open, answered to Jumar's disadvantage: what it falls back to (V-1 … V-6).

The swarm lives under every answer, drawn by its seeds. Here stands what each one changes.
"""

from decimal import Decimal

import pytest
from tests.lives import Road
from tests.simulation.storyboard import LONG, scene
from tests.simulation.ways import armed, both_sides, held, out_of, twice

from jumar.exchange.simulated.core.exchange import Reply
from jumar.model.policy import BackstopKind
from jumar.simulation.line import Request
from jumar.simulation.venue import Venue


@pytest.mark.rule("V-1", "S-1")
@twice
def test_without_reduce_only_stops_nothing_is_entered(seed: int) -> None:
    """An exchange that refuses to arm the stop gets no entry; the refusal names its code."""
    with scene(seed, readings=["algo_reduce_only=-1106"]) as s:
        s.wait(1)
        s.decision(LONG)
        s.expect_outcome("spent", "spent", within_s=20)
        said = [r for tick in s.witness.ticks for r in tick.report.plan.refusals]
        (reason,) = {r.message for r in said if r.code == "stop_not_placeable"}
        assert "-1106" in reason
        assert s.book.entries() == []
        s.verdict("P-9")


@pytest.mark.rule("V-2", "P-1")
@both_sides
def test_where_an_oversized_stop_is_rejected_the_backstop_closes(seed: int, road: Road) -> None:
    """A part has filled: the armed stop is larger than the position and fails, the backstop behind it does not."""
    with scene(seed, readings=["oversize_stop=reject"]) as s:
        armed(s, road)
        s.fill("0.005")
        s.expect_roles("BEPQS")
        s.price_to(road.quiet, mark=road.stopped)
        s.expect_flat(within_s=5)
        assert [r["status"] for r in s.book.told("S", "REJECTED")] == ["REJECTED"]
        closing = {str(fill["client_id"]).rpartition("-")[2][0] for fill in s.book.fills()[1:]}
        assert closing == {"B"}
        s.verdict("P-1", "P-4")


@pytest.mark.rule("V-3", "S-2")
@both_sides
def test_where_no_quantity_stop_rests_beside_close_position_a_second_one_backs(
    seed: int, road: Road
) -> None:
    """The refused closePosition order is stood in for by a full-size quantity stop at the same price."""
    with scene(seed, readings=["quantity_stop_beside_closeposition=reject"]) as s:
        held(s, road)
        (backstop,), (stop,) = s.book.resting("B"), s.book.resting("S")
        assert Decimal(backstop["quantity"]) >= Decimal("0.013")
        assert backstop["trigger"] == stop["trigger"]
        s.price_to(road.stopped)
        s.verdict("P-1", "P-2")


@pytest.mark.rule("V-4", "S-2", "P-5")
@both_sides
def test_where_close_position_may_reverse_the_backstop_has_a_quantity(
    seed: int, road: Road
) -> None:
    """Both stops fire in one step of the price: the position is closed once and never turned."""
    reading = "closeposition_may_reverse=yes"
    with scene(seed, readings=[reading], backstop=BackstopKind.QUANTITY) as s:
        held(s, road)
        s.price_to(road.stopped)
        s.expect_flat(within_s=5)
        assert {f["side"] for f in s.book.fills()[1:]} == {out_of(road)}
        assert sum(Decimal(f["quantity"]) for f in s.book.fills()[1:]) == Decimal("0.013")
        s.verdict("P-1", "P-5")


@pytest.mark.rule("V-5", "T-1")
@both_sides
def test_targets_rest_where_reduce_only_orders_are_counted_together(seed: int, road: Road) -> None:
    """Untriggered conditional orders use no capacity: stop, backstop and both targets rest, whatever the rule for the rest."""
    with scene(seed, readings=["reduce_only_total=reject"]) as s:
        held(s, road)
        s.expect_roles("BPQS")
        s.price_to(road.tp1)
        s.expect_roles("BQS")
        s.expect_roles("BQS")
        s.price_to(s.book.stops()[0] - road.sign)
        s.verdict("P-1", "P-2")


@pytest.mark.rule("V-6", "P-1")
@pytest.mark.parametrize("takes_stops", ["no", "yes"])
@both_sides
def test_no_countdown_takes_a_stop_because_none_is_armed(
    seed: int, road: Road, takes_stops: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a countdown would take, the stops that were placed rest until one of them closes the position."""
    asked: set[str] = set()
    execute = Venue.execute

    def listened(venue: Venue, request: Request) -> Reply:
        asked.add(request.path)
        return execute(venue, request)

    monkeypatch.setattr(Venue, "execute", listened)
    with scene(seed, readings=[f"countdown_cancels_conditional={takes_stops}"]) as s:
        held(s, road)
        stops = [s.book.one(role)["client_id"] for role in ("B", "S")]
        s.always(
            "the same stops rest",
            lambda: [s.book.one(role)["client_id"] for role in ("B", "S")] == stops,
            for_s=90,
        )
        s.price_to(road.stopped)
        s.expect_flat(within_s=5)
        assert "/fapi/v1/algoOrder" in asked
        assert "/fapi/v1/countdownCancelAll" not in asked
        s.verdict("P-1", "P-4")
