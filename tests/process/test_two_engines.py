"""Several engines and symbols side by side: nothing is global (O-3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.engines import Stage, staged


@asynccontextmanager
async def two_engines(folder: Path) -> AsyncIterator[tuple[Stage, Stage]]:
    """Two accounts on two exchanges, each with its own engine and database, in one loop."""
    folders = (folder / "a", folder / "b")
    for each in folders:
        each.mkdir()
    async with staged(folders[0]) as first, staged(folders[1]) as second:
        await asyncio.gather(first.start_engine(), second.start_engine())
        yield first, second


@pytest.mark.rule("O-3")
async def test_two_engines_live_in_one_process(tmp_path: Path) -> None:
    """Two accounts on two exchanges, each with its own database: both enter, neither sees the other."""
    async with two_engines(tmp_path) as (first, second):
        first.decide()
        second.decide(position_size_usdt=2400)
        one = await first.until_alive("S1", "E1")
        two = await second.until_alive("S1", "E1")
        assert (one["E1"]["quantity"], two["E1"]["quantity"]) == ("0.013", "0.026")
        await first.price("90786.5")
        await first.until_alive("S1", "B1", "P1", "Q1")
        assert set(await second.alive()) == {"S1", "E1"}


@pytest.mark.rule("O-3", "P-1")
async def test_an_exchange_that_falls_silent_is_the_trouble_of_one_account(tmp_path: Path) -> None:
    """In one loop: the first account's exchange answers nothing any more, the second one's trade enters and goes home."""
    async with two_engines(tmp_path) as (first, second):
        first.decide()
        await first.until_alive("S1", "E1")
        await first.price("90786.5")
        held = await first.until_alive("S1", "B1", "P1", "Q1")
        await first.control("faults", [{"kind": "lost_request"}])
        second.decide()
        await second.until_alive("S1", "E1")
        await second.price("90786.5")
        await second.until_alive("S1", "B1", "P1", "Q1")
        await second.price("90370")
        await second.until_alive()
        assert all((await second.verdict())["promises"].values())
        assert set(await first.alive()) == set(held)
