"""Several engines and symbols side by side: nothing is global (O-3)."""

import asyncio
from pathlib import Path

import pytest
from tests.engines import staged


@pytest.mark.rule("O-3")
async def test_two_engines_live_in_one_process(tmp_path: Path) -> None:
    """Two accounts on two exchanges, each with its own database: both enter, neither sees the other."""
    folders = (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        folder.mkdir()
    async with staged(folders[0]) as first, staged(folders[1]) as second:
        await asyncio.gather(first.start_engine(), second.start_engine())
        first.decide()
        second.decide(position_size_usdt=2400)
        one = await first.until_alive("S1", "E1")
        two = await second.until_alive("S1", "E1")
        assert (one["E1"]["quantity"], two["E1"]["quantity"]) == ("0.013", "0.026")
        await first.price("90786.5")
        await first.until_alive("S1", "B1", "P1", "Q1")
        assert set(await second.alive()) == {"S1", "E1"}
