"""Exits in the bound liquidation zone, in virtual time: one a zone, whatever is lost, late or dead (L-1, L-2)."""

from decimal import Decimal
from typing import Any

import pytest
from tests.simulation.storyboard import LONG, SEEDS, Scene, scene
from tests.simulation.ways import LONG_ROAD, Road, both_sides, signed

from jumar.model.levels import BoundZone
from jumar.store import queries

seeds = pytest.mark.parametrize("seed", SEEDS)
#: A zone on the way to TP1, and one beyond it, for a long and for a short.
NEAR = {1: ("91300", "91400"), -1: ("90200", "90300")}
BEYOND = {1: ("92000", "92200"), -1: ("89400", "89600")}
IN_NEAR = {1: "91350", -1: "90250"}
IN_BEYOND = {1: "92100", -1: "89500"}
BREAKEVEN = {1: "90841.1", -1: "90758.9"}


def held(s: Scene, zone: tuple[str, str], road: Road = LONG_ROAD, **management: Any) -> None:
    """The position is open with both targets, and the decision's zone is bound."""
    content = {"id": "mine", "zone": list(zone), "strength": "0.7"}
    s.price_to(road.quiet)
    s.wait(1)
    s.levels({"liquidation_zones": [content]})
    s.wait(1)
    plan = {**LONG["position_management"], "liq_tp_zone_id": "mine", **management}
    s.decision(LONG, **road.decision, position_management=plan)
    s.expect_armed()
    s.price_to(road.enter)
    s.expect_held(signed(road, "0.013"))
    assert bound(s) is not None
    s.wait(1)


def bound(s: Scene) -> BoundZone | None:
    """The zone as the database has it."""
    return queries.trades(s.database)[0].trade.zone


def zone_exits(s: Scene) -> list[str]:
    """The quantities of the zone exits that the exchange accepted."""
    return [record["quantity"] for record in s.book.told("L", "NEW")]


def ends(s: Scene, road: Road, *checked: str) -> Any:
    """The price comes back through the stop, wherever it is; everything is judged."""
    s.price_to(road.enter, over_s=2)
    found = s.verdict("P-1", "P-2", "P-5", "P-8", "P-9", *checked)
    assert found.gaps == 0
    return found


@pytest.mark.rule("L-1", "L-2", "T-3", "P-1", "P-5", "P-9")
@both_sides
def test_before_tp1_the_zone_exit_is_tp1(seed: int, road: Road) -> None:
    """TP1 is withdrawn, its quantity goes at market in the zone; the rest trails close behind mark and is stopped."""
    with scene(seed) as s:
        held(s, NEAR[road.sign], road)
        s.price_to(IN_NEAR[road.sign])
        s.expect_position(signed(road, "0.007"))
        s.expect_roles("BQS")
        assert zone_exits(s) == ["0.006"]
        zone = bound(s)
        assert zone is not None
        assert zone.used
        # 0.3 % behind 91 350 and 90 250
        s.expect_stop_at("91076.0" if road.sign > 0 else "90520.7")
        s.wait(3)
        assert zone_exits(s) == ["0.006"]
        found = ends(s, road)
        assert (found.exits, found.reasons) == ({"liq_zone": 1, "stop": 1}, ["stop"])


@pytest.mark.rule("L-1", "L-3", "E-9", "P-4")
@both_sides
def test_a_zone_that_is_named_again_has_had_its_exit(seed: int, road: Road) -> None:
    """A newer decision names none, the next one names it again, the engine dies between: what is left is not sold there."""
    with scene(seed) as s:
        held(s, NEAR[road.sign], road)
        s.price_to(IN_NEAR[road.sign])
        s.expect_position(signed(road, "0.007"))
        plan = LONG["position_management"]
        s.decision(LONG, **road.decision, position_management=plan)
        s.until("no zone is bound", lambda: bound(s) is None)
        s.kill()
        s.restart(after_s=2)
        s.wait(4)
        s.decision(LONG, **road.decision, position_management={**plan, "liq_tp_zone_id": "mine"})
        s.until("bound again", lambda: bound(s) is not None)
        s.wait(40)
        assert zone_exits(s) == ["0.006"]
        s.expect_position(signed(road, "0.007"))
        found = ends(s, road, "P-4", "P-10")
        assert (found.exits, found.reasons) == ({"liq_zone": 1, "stop": 1}, ["stop"])


@pytest.mark.rule("L-1", "P-1", "P-9")
@both_sides
def test_after_tp1_the_zone_takes_the_rest(seed: int, road: Road) -> None:
    """TP1 at its price, then the zone beyond it: everything is sold there, and swept."""
    with scene(seed) as s:
        held(s, BEYOND[road.sign], road)
        s.price_to(road.tp1)
        s.expect_roles("BQS")
        s.price_to(IN_BEYOND[road.sign])
        s.expect_flat()
        assert zone_exits(s) == ["0.007"]
        found = s.verdict("P-1", "P-2", "P-5", "P-8", "P-9")
        assert (found.exits, found.reasons) == ({"tp1": 1, "liq_zone": 1}, ["liq_zone"])
        assert found.gaps == 0


@pytest.mark.rule("L-1", "L-2", "T-2")
@both_sides
def test_after_tp1_half_of_the_rest(seed: int, road: Road) -> None:
    """`liq_exit_fraction` 0.5: TP2 is resized to what is left, and no second exit follows in the zone."""
    with scene(seed, liq_exit_fraction=Decimal("0.5")) as s:
        held(s, BEYOND[road.sign], road)
        s.price_to(road.tp1)
        s.expect_roles("BQS")
        s.wait(6)
        s.price_to(IN_BEYOND[road.sign])
        s.expect_position(signed(road, "0.004"))
        s.until("TP2 follows", lambda: s.book.size("Q") == Decimal("0.004"))
        s.expect_stop_at("91823.7" if road.sign > 0 else "89768.5")
        s.price_to(road.tp1, over_s=1)
        found = s.verdict("P-1", "P-2", "P-5")
        assert found.exits == {"tp1": 1, "liq_zone": 1, "stop": 1}
        assert zone_exits(s) == ["0.003"]


@pytest.mark.rule("L-1", "T-3")
@seeds
def test_tp1_executes_in_the_moment_the_zone_is_entered(seed: int) -> None:
    """Both lie at one price: whoever is first, exactly one of them sells, and the rest is not sold with it."""
    with scene(seed) as s:
        held(s, ("91550", "91700"))
        s.price_to("91600")
        s.expect_position("0.007")
        s.wait(4)
        s.expect_position("0.007")
        zone = bound(s)
        assert zone is not None
        assert zone.used
        found = ends(s, LONG_ROAD)
        assert found.exits in ({"tp1": 1, "stop": 1}, {"liq_zone": 1, "stop": 1})


@pytest.mark.rule("L-1", "T-3", "X-4")
@seeds
def test_tp1_executes_while_its_cancel_is_on_its_way(seed: int) -> None:
    """The zone is entered, the cancel of TP1 is slow, and TP1 triggers meanwhile: that was the exit."""
    with scene(seed) as s:
        held(s, NEAR[1])
        s.next("DELETE /fapi/v1/algoOrder", of="P").late(there_s=0.6)
        s.price_to("91350")
        while s.script.sent[-1].slot != "P1":  # the cancel leaves; nothing else tells of it
            s.wait(0.01)
        s.price_to("91600")
        s.expect_position("0.007")
        s.price_to("91380")
        s.wait(8)
        s.expect_position("0.007")
        assert zone_exits(s) == []
        found = ends(s, LONG_ROAD)
        assert found.exits == {"tp1": 1, "stop": 1}


@pytest.mark.rule("L-1", "X-4")
@seeds
@pytest.mark.parametrize("executed", [True, False])
def test_the_cancel_of_tp1_is_lost(seed: int, executed: bool) -> None:
    """Nothing is sent until TP1's end is known; then its quantity goes, once."""
    with scene(seed) as s:
        held(s, NEAR[1])
        spell = s.next("DELETE /fapi/v1/algoOrder", of="P", times=2)
        spell.unknown(executed=executed)
        s.price_to("91350")
        s.expect_position("0.007", within_s=20)
        s.wait(5)
        assert zone_exits(s) == ["0.006"]
        found = ends(s, LONG_ROAD)
        assert found.exits == {"liq_zone": 1, "stop": 1}


@pytest.mark.rule("L-1", "X-4", "P-4")
@seeds
@pytest.mark.parametrize("executed", [True, False])
def test_the_answer_to_the_zone_exit_is_lost(seed: int, executed: bool) -> None:
    """It is asked for and settled; one that executed is never repeated, one that never was only after half a minute."""
    with scene(seed) as s:
        held(s, NEAR[1], trail_mode="none")
        s.next("POST /fapi/v1/order", of="L").unknown(executed=executed)
        s.price_to("91350")
        if executed:
            s.expect_position("0.007")
            s.wait(40)
            assert zone_exits(s) == ["0.006"]
        else:
            s.wait(20)
            s.expect_position("0.013")
            s.expect_position("0.007", within_s=30)
            assert zone_exits(s) == ["0.006"]
        s.expect_roles("BQS")
        found = ends(s, LONG_ROAD)
        assert found.exits == {"liq_zone": 1, "stop": 1}


@pytest.mark.rule("L-1", "P-6", "P-1")
@seeds
@pytest.mark.parametrize(
    "point",
    [
        "before DELETE /fapi/v1/algoOrder",
        "after DELETE /fapi/v1/algoOrder",
        "before POST /fapi/v1/order",
        "after POST /fapi/v1/order",
    ],
)
def test_killed_in_the_middle_of_a_zone_exit(seed: int, point: str) -> None:
    """At any step: the next life ends with exactly one exit of TP1's size, the position covered all along."""
    with scene(seed) as s:
        held(s, NEAR[1], trail_mode="none")
        s.dies(point)
        s.price_to("91350")
        s.expect_dead()
        s.restart(after_s=2)
        s.expect_recovered()
        s.expect_position("0.007", within_s=60)
        s.wait(35)
        s.expect_position("0.007")
        s.expect_roles("BQS")
        found = ends(s, LONG_ROAD, "P-6")
        assert found.exits == {"liq_zone": 1, "stop": 1}
        assert zone_exits(s) == ["0.006"]


@pytest.mark.rule("L-1", "T-2")
@seeds
def test_a_refused_zone_exit_gives_tp1_back(seed: int) -> None:
    """-2022 says that nothing was sold: TP1 rests again, and half a minute later the exit is tried once more."""
    with scene(seed) as s:
        held(s, NEAR[1], trail_mode="none")
        s.next("POST /fapi/v1/order", of="L").refused(-2022, "ReduceOnly Order is rejected.")
        s.price_to("91350")
        s.until("TP1 rests again", lambda: s.book.slots == "B1 P2 Q1 S1")
        s.expect_position("0.007", within_s=40)
        found = ends(s, LONG_ROAD)
        assert found.exits == {"liq_zone": 1, "stop": 1}


@pytest.mark.rule("L-1")
def test_a_zone_that_is_not_in_profit_is_left_alone() -> None:
    """It begins between entry and breakeven: mark runs through it, and TP1 stays."""
    with scene(1) as s:
        held(s, ("90800", "90900"))
        s.price_to("90850")
        s.always("TP1 rests", lambda: s.book.roles == "BPQS", for_s=4)
        s.price_to("90370")
        assert s.verdict("P-1").reasons == ["stop"]
