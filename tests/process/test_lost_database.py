"""A lost database: what an engine with an empty journal makes of the position and the orders of its former life.

Real processes, real SQLite, real sockets. Whatever is asserted is asserted of the exchange's own record.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import staged
from tests.hands import (
    TICK,
    armed,
    cover,
    exits,
    held,
    invents_nothing,
    no_entry,
    reborn,
    remove_stops,
    runner,
    smaller_than,
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
    stop_triggers,
)

from jumar.model.errors import VenueUnavailable
from jumar.ports.exchange import Exchange
from jumar.store import queries

#: A decision may be dated a little ahead: a newer one must be further ahead than the one that led to an entry could be.
AHEAD_MS = 4500
#: Where journal and stops are lost together nobody knows the ratchet price any more. (A second start on top takes
#: longer than the deadline that the exchange's judge gives; the three ticks are asked for by themselves.)
FORGOTTEN = frozenset({"P-2"})


# a position


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "X-7", "Y-1", "Y-12", "D-7")
@pytest.mark.parametrize("way", ["stop", "targets"])
@both_sides
async def test_a_position_without_a_journal_keeps_its_orders_and_comes_home_once(
    tmp_path: Path, road: Road, way: str
) -> None:
    """Same orders before and after; home by them; all of the old life swept; its decision never enters again."""
    async with cast(tmp_path) as company:
        await held(company, road)
        before = {name: o["client_id"] for name, o in (await company.stage.alive()).items()}
        await reborn(company)
        resting = {o["client_id"] for o in (await company.stage.alive()).values()}
        assert {before["S1"], before["B1"]} <= resting
        if way == "stop":
            await company.stage.price(road.stopped)
        else:
            await company.stage.price(road.tp1)
            await company.until(lambda: smaller_than(company, Decimal("0.013")))
            await company.stage.price(road.tp2)
        await company.until(company.idle)
        assert exits(company) == ["stop" if way == "stop" else "tp2"]
        await enters_no_second_time(company, road)
        assert queries.refusal_counts(company.database).get("spent", 0) >= 1
        await invents_nothing(company)
        await assert_clean(company)


@pytest.mark.rule("P-2", "P-6", "Y-1", "S-3")
@both_sides
async def test_a_runner_without_a_journal_keeps_its_tight_stop(tmp_path: Path, road: Road) -> None:
    """The stop beyond the entry stays the effective one; the old backstop is no reason to loosen it."""
    async with cast(tmp_path) as company:
        await runner(company, road)
        before = stop_triggers(await company.stage.alive())
        await reborn(company)
        await company.ticked(3)
        assert stop_triggers(await company.stage.alive()) == before
        await company.stage.price(str(before[0] - road.sign))
        await company.until(company.idle)
        assert exits(company) == ["stop"]
        await assert_clean(company)


@pytest.mark.rule("P-2", "P-6", "S-4", "S-7", "Y-1", "Y-4")
async def test_a_stop_lost_after_the_journal_is_restored_where_it_was(tmp_path: Path) -> None:
    """Adopted at the ratchet price of the stop found: when a person cancels that one, it is back there."""
    async with cast(tmp_path) as company:
        await runner(company, LONG)
        before = stop_triggers(await company.stage.alive())
        await reborn(company)
        stops = [o for n, o in (await company.stage.alive()).items() if n.startswith("S")]
        await company.stage.control(
            "cancel", {"symbol": "BTCUSDT", "client_id": stops[0]["client_id"]}
        )

        async def back() -> bool:
            return stop_triggers(await company.stage.alive()) == before

        await company.until(back)
        await company.stage.price(str(before[0] - 1))
        await company.until(company.idle)
        await assert_clean(company)


@pytest.mark.rule("P-6", "Y-1", "Y-4")
@both_sides
async def test_neither_journal_nor_stop(tmp_path: Path, road: Road) -> None:
    """Database and stops are gone together: an emergency stop rests within three ticks, and all comes home."""
    async with cast(tmp_path) as company:
        await held(company, road)
        await company.life.kill()
        await remove_stops(company)
        company.lose_database()
        await company.begin()
        await company.protected_in_three_ticks()
        stops = await cover(company)
        assert [Decimal(o["quantity"] or "0.013") for o in stops] == [Decimal("0.013")] * len(stops)
        await company.stage.price(str(Decimal(stops[0]["trigger"]) - road.sign))
        await company.until(company.idle)
        await assert_clean(company, excused=True, but=FORGOTTEN)


@pytest.mark.rule("P-4", "P-6", "P-8", "Y-1", "Y-12")
@both_sides
async def test_an_entry_that_filled_in_part_is_ended_with_the_journal(
    tmp_path: Path, road: Road
) -> None:
    """The remainder of an adopted entry is cancelled; what had filled stays covered and comes home."""
    async with cast(tmp_path) as company:
        await armed(company, road)
        depth = {"ask_quantity" if road.sign > 0 else "bid_quantity": "0.004"}
        await company.stage.control(
            "price",
            {
                "symbol": "BTCUSDT",
                "last": road.enter,
                "mark": road.enter,
                "bid": road.enter,
                "ask": str(Decimal(road.enter) + TICK),
                **depth,
            },
        )
        await company.until(lambda: _is_open(company))
        await company.life.kill()
        await company.stage.price(road.quiet)
        part = await company.stage.position()
        assert 0 < abs(part) < Decimal("0.013")
        company.lose_database()
        await company.begin()
        await company.protected_in_three_ticks()
        await company.until(lambda: no_entry(company))
        await company.stage.price(road.enter)
        await company.ticked(3)
        assert await company.stage.position() == part
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        await assert_clean(company)


async def _is_open(company: Cast) -> bool:
    return await company.stage.position() != 0


@pytest.mark.rule("P-1", "P-4", "P-6", "P-8", "Y-1")
@pytest.mark.parametrize("point", ["after-commit:TradeChanged", "after-commit:Intent"])
async def test_killed_in_the_middle_of_an_adoption(tmp_path: Path, point: str) -> None:
    """A crash right behind the first record of an adoption: the third life goes on with the same position."""
    async with cast(tmp_path) as company:
        await held(company, LONG)
        await company.life.kill()
        await remove_stops(company)
        company.lose_database()
        second = await company.begin(point)
        await second.killed()
        await company.begin()
        await company.protected_in_three_ticks()
        stops = await cover(company)
        await company.stage.price(str(Decimal(stops[0]["trigger"]) - 1))
        await company.until(company.idle)
        await enters_no_second_time(company, LONG)
        await assert_clean(company, excused=True, but=FORGOTTEN | {"P-1"})


# a set-up


@pytest.mark.rule("P-4", "P-8", "X-7", "Y-1", "Y-12", "D-7")
@both_sides
async def test_a_resting_entry_without_a_journal_is_taken_back(tmp_path: Path, road: Road) -> None:
    """Nothing is left alive and nothing entered by the old decision; a newer one may enter and comes home."""
    async with cast(tmp_path) as company:
        await armed(company, road)
        before = entries_seen(await company.stage.ledger())
        await reborn(company)
        await company.until(company.idle)
        await company.stage.price(road.enter)
        await company.ticked(2)
        assert await company.stage.position() == 0
        assert entries_seen(await company.stage.ledger()) == before
        assert await company.refused("spent")
        await company.stage.price(road.quiet)
        await company.decide(ahead_ms=AHEAD_MS, **road.decision)
        await company.until_roles("ES")
        await company.stage.price(road.enter)
        await company.until_roles("BPQS")
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        await assert_clean(company)


@pytest.mark.rule("P-4", "Y-12", "D-7")
async def test_a_decision_dated_ahead_does_not_enter_a_second_time_without_a_journal(
    tmp_path: Path,
) -> None:
    """Filled and stopped out before its own date, journal lost, begun before that date: it is spent all the same."""
    async with cast(tmp_path) as company:
        await company.stage.price(LONG.quiet)
        await company.begin()
        await company.decide(ahead_ms=AHEAD_MS)
        await company.until_roles("ES")
        await company.stage.price(LONG.stopped)
        await company.until(lambda: _flat_again(company))
        await company.life.kill()
        company.lose_database()
        await company.stage.price(LONG.quiet)
        await company.begin()
        before = entries_seen(await company.stage.ledger())
        await company.until(company.idle)
        await company.ticked(4)
        assert entries_seen(await company.stage.ledger()) == before
        assert await company.refused("spent")
        await assert_clean(company)


async def _flat_again(company: Cast) -> bool:
    filled = any(record["kind"] == "fill" for record in await company.stage.ledger())
    return filled and await company.stage.position() == 0


@pytest.mark.rule("P-1", "P-4", "P-8", "Y-1")
@both_sides
async def test_an_entry_that_fills_after_everything_was_lost(tmp_path: Path, road: Road) -> None:
    """Filled while nobody was there: the armed stop is adopted with the position, nothing else enters."""
    async with cast(tmp_path) as company:
        await armed(company, road)
        await company.life.kill()
        company.lose_database()
        await company.stage.price(road.enter)
        await company.begin()
        await company.protected_in_three_ticks()
        await company.ticked(3)
        await company.stage.price(road.stopped)
        await company.until(company.idle)
        await enters_no_second_time(company, road)
        await invents_nothing(company)
        await assert_clean(company)


@pytest.mark.rule("Y-12", "Y-9")
async def test_no_entry_before_the_exchanges_history_was_read(tmp_path: Path) -> None:
    """With an empty journal the orders of the last days are asked for; while that fails nothing enters."""

    class Forgetful:
        """A real venue whose order history cannot be read for a while."""

        def __init__(self, real: Exchange) -> None:
            self._real = real
            self.asked = 0
            self.answers = False

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        async def orders_since(self, symbol: str, since_ms: int) -> Any:
            """Fail until told otherwise."""
            self.asked += 1
            if not self.answers:
                raise VenueUnavailable("the history is being rebuilt")
            return await self._real.orders_since(symbol, since_ms)

    venues: list[Forgetful] = []

    def wrap(real: Exchange) -> Exchange:
        venues.append(Forgetful(real))
        return venues[0]

    async with staged(tmp_path) as stage:
        stage.decide(timestamp_iso="2025-12-05T10:04:54Z")
        starting = asyncio.create_task(stage.start_engine(wrap))

        async def asked() -> bool:
            return bool(venues) and venues[0].asked >= 3

        await stage.until(asked)
        assert entries_seen(await stage.ledger()) == []
        assert await stage.alive() == {}
        venues[0].answers = True
        await starting
        await stage.until_alive("S1", "E1")
