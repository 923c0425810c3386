"""What people do past the engine: positions made, closed, turned and resized by hand, orders of others.

Real processes, real SQLite, real sockets. Whatever is asserted is asserted of the exchange's own record.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from tests.hands import (
    TICK,
    armed,
    by_hand,
    cover,
    exits,
    held,
    into,
    invents_nothing,
    no_entry,
    out_of,
    rest_by_hand,
    smaller_than,
    stop_size,
    targets,
)
from tests.lives import (
    LONG,
    Cast,
    Road,
    assert_clean,
    both_sides,
    cast,
    enters_no_second_time,
    entries_seen,
    looks,
)

from jumar.store import queries

PROTECT_DEADLINE_MS = 3000
FLAT_MARGIN_MS = 2000


# a position made by hand


@pytest.mark.rule("Y-1", "Y-2", "P-6", "P-8")
@pytest.mark.parametrize("bought_at", ["same", "better", "worse"])
@both_sides
async def test_a_position_made_by_hand_gets_an_emergency_stop(
    tmp_path: Path, road: Road, bought_at: str
) -> None:
    """1 % from mark or entry, whichever is tighter; closed by hand it is swept and called manual."""
    start = Decimal(road.quiet)
    moved = {"same": start, "better": start + 500 * road.sign, "worse": start - 500 * road.sign}
    mark = moved[bought_at]
    async with cast(tmp_path) as company:
        await company.stage.price(road.quiet)
        await by_hand(company, into(road), "0.020")
        await company.stage.price(str(mark))
        await company.begin()
        await company.protected_in_three_ticks()
        stops = await cover(company)
        entry = start + TICK if road.sign > 0 else start
        away = 1 - Decimal("0.01") * road.sign
        expected = max(entry * away, mark * away, key=lambda price: price * road.sign)
        assert any(abs(Decimal(o["trigger"]) - expected) <= 2 * TICK for o in stops), stops
        assert "P" not in await company.roles() and "Q" not in await company.roles()
        await by_hand(company, out_of(road), "0.020")
        await company.until(company.idle)
        assert exits(company) == ["manual"]
        await invents_nothing(company)


@pytest.mark.rule("Y-1", "P-1")
@both_sides
async def test_a_position_made_by_hand_under_a_running_engine_is_covered_in_time(
    tmp_path: Path, road: Road
) -> None:
    """From the hand's fill to the stop at most the protect deadline; the stop closes it."""
    async with cast(tmp_path) as company:
        await company.stage.price(road.quiet)
        await company.begin()
        await company.ticked(2)
        await by_hand(company, into(road), "0.020")
        await company.until(lambda: _has_cover(company))
        bare = [look.t for look in looks(await company.stage.ledger()) if not look.covered]
        covered = next(
            look.t for look in looks(await company.stage.ledger()) if look.position and look.covered
        )
        assert covered - bare[0] <= PROTECT_DEADLINE_MS
        stops = await cover(company)
        await company.stage.price(str(Decimal(stops[0]["trigger"]) - road.sign))
        await company.until(company.idle)
        assert exits(company)[0] in {"stop", "backstop"}


async def _has_cover(company: Cast) -> bool:
    return bool(await cover(company))


@pytest.mark.rule("Y-1", "C-2")
async def test_a_position_by_hand_keeps_decisions_from_entering(tmp_path: Path) -> None:
    """While somebody's position is open no entry is sent; after it is closed and swept a newer decision may enter."""
    async with cast(tmp_path) as company:
        await company.stage.price(LONG.quiet)
        await company.begin()
        await company.ticked(1)
        await by_hand(company, "BUY", "0.020")
        await company.until(lambda: _has_cover(company))
        await company.decide()
        await company.ticked(3)
        assert entries_seen(await company.stage.ledger()) == []
        await by_hand(company, "SELL", "0.020")
        await company.until(company.idle)
        assert exits(company) == ["manual"]


# a position that vanished


@pytest.mark.rule("Y-2", "Y-11", "P-4", "P-8", "X-6")
@both_sides
async def test_a_position_closed_by_hand_while_dead(tmp_path: Path, road: Road) -> None:
    """No stop is cancelled before the proof of flat; then all is swept, called manual, no fill is invented."""
    async with cast(tmp_path) as company:
        await held(company, road)
        await company.life.kill()
        await by_hand(company, out_of(road), "0.013")
        flat_ms = [r["t"] for r in await company.stage.ledger() if r["kind"] == "fill"][-1]
        await company.begin()
        await company.until(company.idle)
        swept = [
            r["t"]
            for r in await company.stage.ledger()
            if r["kind"] == "conditional" and r["status"] == "CANCELED" and r["by"] == "client"
            if r["type"] == "STOP_MARKET"
        ]
        assert min(swept) >= flat_ms + FLAT_MARGIN_MS
        assert exits(company) == ["manual"]
        await invents_nothing(company)
        await enters_no_second_time(company, road)
        await assert_clean(company)
        await result_is_true(company)


async def result_is_true(company: Cast) -> None:
    """The trade's result is the sum of the exchange's own executions."""
    summaries = [r.summary for r in queries.trades(company.database) if r.summary is not None]
    fills = [r for r in await company.stage.ledger() if r["kind"] == "fill"]
    assert sum(s.realized_pnl for s in summaries) == sum(Decimal(f["realized_pnl"]) for f in fills)
    assert sum(s.fees for s in summaries) == sum(Decimal(f["fee"]) for f in fills)


@pytest.mark.rule("Y-2", "Y-11", "P-8")
async def test_a_position_closed_by_hand_under_a_running_engine(tmp_path: Path) -> None:
    """Swept after the proof, called manual, with the exchange's own numbers."""
    async with cast(tmp_path) as company:
        await held(company, LONG)
        await by_hand(company, "SELL", "0.013")
        await company.until(company.idle)
        assert exits(company) == ["manual"]
        await enters_no_second_time(company, LONG)
        await invents_nothing(company)
        await result_is_true(company)
        await assert_clean(company)


@pytest.mark.rule("Y-2", "Y-1", "P-6")
@both_sides
async def test_a_position_turned_round_by_hand_while_dead(tmp_path: Path, road: Road) -> None:
    """The other side: our trade ended, and what is there now is adopted with a stop of its own side."""
    async with cast(tmp_path) as company:
        await held(company, road)
        await company.life.kill()
        await by_hand(company, out_of(road), "0.033")
        await company.begin()
        await company.protected_in_three_ticks()
        assert await company.stage.position() == Decimal("-0.020") * road.sign
        await company.until(lambda: _turned(company, road))
        await by_hand(company, into(road), "0.020")
        await company.until(company.idle)
        assert exits(company) == ["manual", "manual"]
        await invents_nothing(company)


async def _turned(company: Cast, road: Road) -> bool:
    """Whether all that rests closes the new side."""
    resting = (await company.stage.alive()).values()
    return bool(resting) and {o["side"] for o in resting} == {into(road)}


# a size changed by hand

type Change = Callable[[Cast, Road], Awaitable[None]]


async def halved(company: Cast, road: Road) -> None:
    """Somebody sells a part."""
    await by_hand(company, out_of(road), "0.006")


async def raised(company: Cast, road: Road) -> None:
    """Somebody adds to it."""
    await by_hand(company, into(road), "0.010")


async def changed(company: Cast, road: Road, change: Change, *, dead: bool) -> None:
    """The size changes under the engine, or while it is dead and begun again."""
    await held(company, road)
    if dead:
        await company.life.kill()
    await change(company, road)
    if dead:
        await company.begin()
        await company.protected_in_three_ticks()


WHILE = pytest.mark.parametrize("dead", [False, True], ids=["running", "dead"])


@pytest.mark.rule("Y-3", "P-1", "T-2")
@WHILE
@both_sides
async def test_a_part_sold_by_hand_resizes_the_targets(
    tmp_path: Path, road: Road, dead: bool
) -> None:
    """Targets shrink to what is left, cover stays full-size, the rest comes home by the stop."""
    async with cast(tmp_path) as company:
        await changed(company, road, halved, dead=dead)

        async def resized() -> bool:
            return await targets(company) == Decimal("0.007")

        await company.until(resized)
        await company.ticked(2)
        assert await targets(company) == Decimal("0.007")
        assert await stop_size(company) >= Decimal("0.007")
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        assert exits(company) == ["stop"]
        await invents_nothing(company)
        await assert_clean(company)


@pytest.mark.rule("Y-3", "P-1", "T-2", "P-5")
@WHILE
@both_sides
async def test_a_part_added_by_hand_is_covered_and_has_no_target(
    tmp_path: Path, road: Road, dead: bool
) -> None:
    """Cover grows to the whole, targets stay the trade's own; what is left after them comes home by the stop."""
    async with cast(tmp_path) as company:
        await changed(company, road, raised, dead=dead)

        async def covered() -> bool:
            return await stop_size(company) >= Decimal("0.023")

        await company.until(covered)
        await company.ticked(2)
        assert await targets(company) <= Decimal("0.013")
        await company.stage.price(road.tp1)
        await company.until(lambda: smaller_than(company, Decimal("0.023")))
        await company.stage.price(road.tp2)
        await company.until(lambda: _is(company, Decimal("0.010")))
        await company.ticked(2)
        stops = await cover(company)
        assert any(Decimal(o["quantity"] or "1") >= Decimal("0.010") for o in stops)
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        await invents_nothing(company)
        await assert_clean(company)


async def _is(company: Cast, size: Decimal) -> bool:
    return abs(await company.stage.position()) == size


@pytest.mark.rule("Y-3", "G-12")
async def test_a_part_added_by_hand_keeps_the_next_entry_away(tmp_path: Path) -> None:
    """Foreign activity on the symbol: after the trade is home a newer decision does not enter by itself."""
    async with cast(tmp_path) as company:
        await changed(company, LONG, raised, dead=False)

        async def covered() -> bool:
            return await stop_size(company) >= Decimal("0.023")

        await company.until(covered)
        await company.stage.price(LONG.stopped)
        await company.until(company.idle)
        before = entries_seen(await company.stage.ledger())
        await company.stage.price(LONG.quiet)
        await company.decide()
        await company.ticked(4)
        assert entries_seen(await company.stage.ledger()) == before
        refusals = set(company.life.ticks[-1]["refusals"])
        assert refusals & {"mode", "foreign_position", "foreign_size", "paused"}, refusals


@pytest.mark.rule("Y-3", "P-6", "S-2", "S-7")
@both_sides
async def test_a_part_added_by_hand_without_a_backstop_is_covered_in_three_ticks(
    tmp_path: Path, road: Road
) -> None:
    """While nobody was there somebody cancelled the backstop and added: the whole is covered in three ticks."""
    async with cast(tmp_path) as company:
        await held(company, road)
        await company.life.kill()
        backstop = (await company.stage.alive())["B1"]["client_id"]
        await company.stage.control("cancel", {"symbol": "BTCUSDT", "client_id": backstop})
        await raised(company, road)
        await company.begin()
        await company.protected_in_three_ticks()
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        await invents_nothing(company)


@pytest.mark.rule("Y-1", "Y-3", "P-1", "P-4")
@pytest.mark.parametrize("way", ["same", "against"])
@both_sides
async def test_a_hand_trades_while_our_entry_rests(tmp_path: Path, road: Road, way: str) -> None:
    """A position that the resting entry did not make: the entry goes, a stop of its side covers it in time."""
    async with cast(tmp_path) as company:
        await armed(company, road)
        await by_hand(company, into(road) if way == "same" else out_of(road), "0.020")
        since_ms = [r["t"] for r in await company.stage.ledger() if r["kind"] == "position"][-1]

        async def covered() -> bool:
            return [*looks(await company.stage.ledger())][-1].covered

        await company.until(covered)
        covered_ms = next(
            look.t
            for look in looks(await company.stage.ledger())
            if look.t >= since_ms and look.covered
        )
        assert covered_ms - since_ms <= PROTECT_DEADLINE_MS
        await company.until(lambda: no_entry(company))
        await company.ticked(2)
        left = (
            await company.stage.position()
        )  # zero where our decision's side closed what stood against it (C-2)
        if left:
            await by_hand(company, "SELL" if left > 0 else "BUY", str(abs(left)))
        await company.until(company.idle)
        await invents_nothing(company)


@pytest.mark.rule("Y-2", "Y-1", "Y-3", "P-1")
@both_sides
async def test_a_position_turned_round_by_hand_under_a_running_engine(
    tmp_path: Path, road: Road
) -> None:
    """The other side, seen as it happens: covered within the deadline, the old trade ended and swept."""
    async with cast(tmp_path) as company:
        await held(company, road)
        await by_hand(company, out_of(road), "0.033")
        turned_ms = [r["t"] for r in await company.stage.ledger() if r["kind"] == "position"][-1]
        await company.until(lambda: _turned(company, road))
        covered_ms = next(
            look.t
            for look in looks(await company.stage.ledger())
            if look.t > turned_ms and look.covered
        )
        assert covered_ms - turned_ms <= PROTECT_DEADLINE_MS
        await by_hand(company, into(road), "0.020")
        await company.until(company.idle)
        assert exits(company) == ["manual", "manual"]
        await invents_nothing(company)


# orders of others


@pytest.mark.rule("Y-7", "X-7")
@pytest.mark.parametrize("client_id", ["web_1", "jm-aaaaaaaaaa-E1"])
async def test_an_order_of_somebody_else_is_left_alone_and_keeps_entries_away(
    tmp_path: Path, client_id: str
) -> None:
    """With a journal in place an order that it does not know is never cancelled by us, and nothing enters."""
    async with cast(tmp_path) as company:
        await held(company, LONG)
        await company.stage.price(LONG.stopped)
        await company.until(company.idle)
        await company.life.kill()
        await company.stage.price(LONG.quiet)
        await rest_by_hand(company, client_id)
        await company.begin()
        before = entries_seen(await company.stage.ledger())
        await company.decide()
        await company.ticked(4)
        assert entries_seen(await company.stage.ledger()) == before
        mine = [r for r in await company.stage.ledger() if r.get("client_id") == client_id]
        assert [r["status"] for r in mine] == ["NEW"]
        assert company.life.ticks[-1]["refusals"]
