"""The stop after TP1, in virtual time: structure, liquidation zones, percent, funding; deaths in the middle of a move.

The example's position is entered at 90 786.6 (short: 90 813.4) with 0.013; TP1 takes 0.006 and the stop goes to
breakeven, 90 841.1 (90 758.9). What rests is asked of the exchange's own record.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

import pytest
from tests.simulation.acts import TICK
from tests.simulation.storyboard import FLAT, LONG, SEEDS, Scene, scene
from tests.simulation.ways import LONG_ROAD, Road, both_sides, signed

from jumar.model.order import Role
from jumar.model.policy import OnFlat
from jumar.model.trade import TradeSummary
from jumar.store import asked, queries

seeds = pytest.mark.parametrize("seed", SEEDS)
BREAKEVEN = {1: "90841.1", -1: "90758.9"}


def runs(s: Scene, road: Road = LONG_ROAD, **management: Any) -> None:
    """The position is open, TP1 has filled and the stop rests at breakeven."""
    s.price_to(road.quiet)
    s.wait(1)
    plan = {**LONG["position_management"], "liq_tp_zone_id": None, **management}
    s.decision(LONG, **road.decision, position_management=plan)
    s.expect_armed()
    s.price_to(road.enter)
    s.expect_held(signed(road, "0.013"))
    s.price_to(road.tp1)
    s.expect_stop_at(BREAKEVEN[road.sign])


def swings(road: Road, price: str, *, confirmed: bool = True, timeframe: str = "15m") -> Any:
    """Levels of one swing behind the price."""
    row = {"price": price, "time": "2025-12-05T10:00:00Z", "confirmed": confirmed}
    return {"swings": {timeframe: {"lows" if road.sign > 0 else "highs": [row]}}}


def zone(low: str, high: str) -> dict[str, Any]:
    """Levels of one strong zone."""
    return {"liquidation_zones": [{"id": "z", "zone": [low, high], "strength": "0.8"}]}


def causes(s: Scene) -> list[str]:
    """The rules of the stops that were confirmed, oldest first."""
    story = asked.trade_story(s.database, queries.trades(s.database)[0].trade.key)
    rules = [o.rule for o in story.orders if o.role is Role.STOP and o.acked_ms is not None]
    return [rule for rule, _ in groupby(rules)]


def summary(s: Scene) -> TradeSummary:
    """What the journal says of the trade that has ended."""
    found = queries.trades(s.database)[0].summary
    assert found is not None
    return found


@pytest.mark.rule("R-1", "R-2", "R-3", "R-4", "T-3", "T-4", "S-3", "S-4", "P-1", "P-2")
@both_sides
def test_the_stop_climbs_and_is_hit_in_profit(seed: int, road: Road) -> None:
    """Breakeven, behind the swing, close behind mark before the zone, and out: every move with its cause."""
    long = road.sign > 0
    with scene(seed) as s:
        runs(s, road)
        behind, ahead = ("91400", ("92850", "92880")) if long else ("90200", ("88720", "88750"))
        s.levels({**swings(road, behind), **zone(*ahead)})
        s.wait(5)
        s.price_to("91900" if long else "89700")
        s.expect_stop_at("91354.3" if long else "90245.1")
        s.price_to("92700" if long else "88900")
        s.expect_stop_at("92421.9" if long else "89166.7")
        assert causes(s) == ["S-1", "T-3", "R-2", "R-3"]
        s.price_to("92410" if long else "89180")
        found = s.verdict("P-1", "P-2", "P-8", "P-9")
        assert (found.exits, found.reasons, found.gaps) == ({"tp1": 1, "stop": 1}, ["stop"], 0)
        assert found.pnl > 10
        told = summary(s)
        # four where mark was heard of after the fill: the first step to breakeven is cut to the gap then
        assert told.stop_moves in {3, 4}
        assert (told.unprotected_ms, told.funding) == (0, Decimal(0))
        assert told.r_net < told.r_gross


@pytest.mark.rule("R-2", "R-5")
@seeds
@pytest.mark.parametrize("what", ["unconfirmed", "timeframe", "stale"])
def test_levels_that_move_nothing(seed: int, what: str) -> None:
    """A swing nobody confirmed, one of another timeframe, and levels that are too old: the stop holds."""
    with scene(seed) as s:
        runs(s)
        dated_s = -1801.0 if what == "stale" else 0.0
        timeframe = "5m" if what == "timeframe" else "15m"
        content = swings(LONG_ROAD, "91400", confirmed=what != "unconfirmed", timeframe=timeframe)
        s.levels(content, dated_s=dated_s)
        s.wait(5)
        s.price_to("91900")
        s.always("at breakeven", lambda: s.book.stops() == [Decimal("90841.1")], for_s=8)
        s.price_to("90830")
        assert s.verdict("P-1", "P-2").reasons == ["stop"]


@pytest.mark.rule("R-5")
def test_levels_that_grow_old_hold_the_stop_where_it_is() -> None:
    """Fresh at first, the stop moves; half an hour later a better price moves it no more, and it is never loosened."""
    with scene(1, levels_max_age_s=20) as s:
        runs(s)
        s.levels({**swings(LONG_ROAD, "91400"), **zone("92850", "92880")})
        s.wait(5)
        s.price_to("91900")
        s.expect_stop_at("91354.3")
        s.wait(21)
        s.price_to("92700")
        s.always("held", lambda: s.book.stops() == [Decimal("91354.3")], for_s=6)
        s.price_to("91340")
        assert s.verdict("P-2").reasons == ["stop"]


@pytest.mark.rule("R-5", "S-5", "R-4")
@both_sides
def test_percent_follows_the_best_mark_in_steps(seed: int, road: Road) -> None:
    """A steady climb: few moves, five seconds apart, each tighter; half a percent behind the best at the end."""
    long = road.sign > 0
    with scene(seed) as s:
        runs(s, road, trail_mode="percent")
        s.price_to("92400" if long else "89200", over_s=30)
        stop = Decimal(91938) if long else Decimal(89646)
        s.expect_stop_at(str(stop))
        moved = [r["t"] for r in s.book.told("S", "NEW")]
        steps = [later - earlier for earlier, later in pairwise(moved)][-4:]
        assert min(steps) >= 4990
        assert causes(s) == ["S-1", "T-3", "R-5"]
        s.price_to("92200" if long else "89400")
        s.always("held", lambda: s.book.stops() == [stop], for_s=6)
        s.price_to("91930" if long else "89655")
        assert s.verdict("P-1", "P-2").reasons == ["stop"]


@pytest.mark.rule("R-5", "P-6", "P-2")
@seeds
def test_a_restart_keeps_the_ratchet_and_trails_on(seed: int) -> None:
    """The best mark is forgotten, the stop is not: it moves again only where the new life sees better prices."""
    with scene(seed) as s:
        runs(s, trail_mode="percent")
        s.wait(5)
        s.price_to("92400")
        s.expect_stop_at("91938")
        s.kill()
        s.price_to("92100")
        s.restart(after_s=2)
        s.expect_recovered()
        s.always("held", lambda: s.book.stops() == [Decimal(91938)], for_s=6)
        s.price_to("92600")
        s.expect_stop_at("92137")
        s.price_to("92130")
        assert s.verdict("P-2", "P-6").reasons == ["stop"]


@pytest.mark.rule("R-1")
@seeds
def test_trailing_may_begin_at_one_r(seed: int) -> None:
    """`trail_activate_r` 1, R is 406.6: at 91 193.2 the swing counts, before TP1."""
    with scene(seed, trail_activate_r=Decimal(1)) as s:
        s.wait(1)
        s.decision(
            LONG, position_management={**LONG["position_management"], "liq_tp_zone_id": None}
        )
        s.expect_armed()
        s.price_to("90786.5")
        s.expect_held()
        s.levels(swings(LONG_ROAD, "90900"))
        s.wait(5)
        s.price_to("91193.1")
        s.always("where it was", lambda: s.book.stops() == [Decimal(90380)], for_s=3)
        s.price_to("91193.2")
        s.expect_stop_at("90854.6")
        s.expect_roles("BPQS")
        s.price_to("90850")
        found = s.verdict("P-1", "P-2")
        assert (found.exits, found.gaps) == ({"stop": 1}, 0)


@pytest.mark.rule("P-1", "P-2", "P-6", "S-3", "S-4")
@seeds
@pytest.mark.parametrize("point", ["before POST", "after POST", "before DELETE", "after DELETE"])
def test_killed_during_a_trailing_move(seed: int, point: str) -> None:
    """At any step between the new stop and the old one's cancel: one stop at the better price afterwards."""
    with scene(seed) as s:
        runs(s)
        s.expect_roles("BQS")
        s.wait(5)
        s.ticks(1)
        s.dies(f"{point} /fapi/v1/algoOrder")
        s.levels(swings(LONG_ROAD, "91400"))
        s.price_to("91900")
        s.expect_dead()
        s.restart(after_s=2)
        s.expect_protected(within_ticks=1)
        s.expect_stop_at("91354.3", within_s=20)
        s.ticks(3)
        s.price_to("91340")
        found = s.verdict("P-1", "P-2", "P-6", "P-8")
        assert (found.gaps, found.exits) == (0, {"tp1": 1, "stop": 1})


@pytest.mark.rule("S-6", "S-4", "P-2")
@seeds
def test_a_move_that_would_trigger_is_dropped(seed: int) -> None:
    """-2021 for a trailing stop: the old one stays, and the next try goes through."""
    with scene(seed) as s:
        runs(s)
        s.wait(5)
        s.next("POST /fapi/v1/algoOrder", of="S").refused(-2021, "Order would immediately trigger.")
        s.levels(swings(LONG_ROAD, "91400"))
        s.price_to("91900")
        s.expect_stop_at("91354.3")
        s.price_to("91340")
        found = s.verdict("P-1", "P-2")
        assert (found.gaps, found.reasons) == (0, ["stop"])


@pytest.mark.rule("C-1", "P-2", "P-5")
@both_sides
def test_flat_tightens_and_sells_nothing(seed: int, road: Road) -> None:
    """At a loss as near as the gap allows, then breakeven; the targets rest, and the stop ends it."""
    long = road.sign > 0
    with scene(seed, on_flat=OnFlat.TIGHTEN) as s:
        s.price_to(road.quiet)
        s.wait(1)
        s.decision(LONG, **road.decision)
        s.expect_armed()
        s.price_to(road.enter)
        s.expect_held(signed(road, "0.013"))
        s.price_to("90600" if long else "91000")
        s.decision(FLAT)
        s.expect_stop_at("90509.4" if long else "91091.0")
        s.price_to("91300" if long else "90300")
        s.expect_stop_at(BREAKEVEN[road.sign])
        s.expect_roles("BPQS")
        assert causes(s) == ["S-1", "C-1"]
        s.price_to("90830" if long else "90770")
        found = s.verdict("P-1", "P-2", "P-5")
        assert (found.exits, found.reasons) == ({"stop": 1}, ["stop"])


@pytest.mark.rule("T-3", "T-4")
@both_sides
@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
def test_a_funding_minute_moves_breakeven(seed: int, road: Road, dies: bool) -> None:
    """0.1 % is paid for what is left at 16:00: the stop goes so much further, over a restart too, and it is summed."""
    long = road.sign > 0
    with scene(seed, engine=False) as s:
        s.at("15:58:50")
        s.start()
        s.wait(2)
        runs(s, road, trail_mode="none")
        s.at("15:59:58")
        funded(s, Decimal(road.tp1), Decimal("0.001") * road.sign)
        if dies:
            s.kill()
        s.at("16:00:01")
        s.price_to(road.tp1)
        if dies:
            s.restart(after_s=1)
        # 91.6 a unit are paid at 91 600; 90.0 at 90 000; and the taker fee on it
        s.expect_stop_at("90932.8" if long else "90668.9", within_s=60)
        s.price_to("90920" if long else "90680")
        found = s.verdict("P-1", "P-2")
        assert found.reasons == ["stop"]
        told = summary(s)
        assert told.funding == (Decimal("-0.6412") if long else Decimal("-0.63"))
        assert told.net == told.realized_pnl - told.fees + told.funding


@pytest.mark.rule("T-3")
def test_funding_that_cannot_be_read_costs_nothing_but_its_part() -> None:
    """The income history fails: the stop stays at breakeven with fees, protection goes on, the end is not held up."""
    with scene(1, engine=False) as s:
        s.at("15:58:50")
        s.start()
        s.wait(2)
        runs(s, trail_mode="none")
        s.every("GET /fapi/v1/income").refused(-1001, "disconnected", status=503)
        s.at("15:59:58")
        funded(s, Decimal(91600), Decimal("0.001"))
        s.at("16:00:01")
        s.price_to("91600")
        s.always("at breakeven", lambda: s.book.stops() == [Decimal("90841.1")], for_s=12)
        s.price_to("90830")
        assert s.verdict("P-1", "P-2").reasons == ["stop"]
        assert summary(s).funding is None


def funded(s: Scene, price: Decimal, rate: Decimal) -> None:
    """The next funding has this rate."""
    s.note(f"funding rate {rate}")
    step = s.market.set_price(s.symbol, last=price, mark=price, bid=price, ask=price + TICK)
    s.do(lambda: s.world.venue.set_market(replace(step, funding_rate=rate)))
