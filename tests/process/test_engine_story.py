"""The main path over real sockets: a whole engine, the simulated exchange, real SQLite, one event loop.

Every story ends with the judge's word on the exchange's own record. What else may happen on this path is told in
virtual time, in `tests/simulation`.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.engines import Stage, staged


async def armed(stage: Stage) -> None:
    """Start the engine, write the example, wait until the entry rests behind its stop."""
    await stage.start_engine()
    stage.decide()
    await stage.until_alive("S1", "E1")


async def held(stage: Stage) -> None:
    """Have the entry filled and wait until stops and targets rest."""
    await armed(stage)
    await stage.price("90786.5")
    await stage.until_alive("S1", "B1", "P1", "Q1")


async def idle(stage: Stage) -> bool:
    """Whether the engine has no trade and nothing rests."""
    return stage.idle() and not await stage.alive()


async def stop_at(stage: Stage, trigger: str) -> bool:
    """Whether exactly one working stop rests, at that price (marks are published once a second)."""
    stops = [r for name, r in (await stage.alive()).items() if name.startswith("S")]
    return [Decimal(stop["trigger"]) for stop in stops] == [Decimal(trigger)]


def all_held(verdict: dict[str, Any]) -> bool:
    """Whether every promise that was checked was kept, with no unprotected time."""
    kept = all(verdict["promises"].values()) and int(verdict["unprotected_ms_max"]) == 0
    assert kept, verdict
    return kept


@pytest.mark.rule("T-3", "T-4", "P-1", "P-2", "P-5", "P-8")
async def test_home_by_both_targets(tmp_path: Path) -> None:
    """TP1, stop to breakeven, TP2, swept; the judge finds every promise kept."""
    async with staged(tmp_path) as stage:
        await held(stage)
        await stage.price("91600.0")
        await stage.until(lambda: stop_at(stage, "90841.1"))
        assert len(await stage.alive()) == 3
        await stage.price("92900.0")
        await stage.until(lambda: idle(stage))
        verdict = await stage.verdict()
        assert all_held(verdict)
        assert (verdict["exits"]["tp1"], verdict["exits"]["tp2"]) == (1, 1)


@pytest.mark.rule("X-2", "Q-1", "P-4")
async def test_a_restart_with_a_position_goes_on_where_it_was(tmp_path: Path) -> None:
    """Stopped and started again: the same orders rest, nothing is doubled, the trade comes home."""
    async with staged(tmp_path) as stage:
        await held(stage)
        before = await stage.alive()
        await stage.stop_engine()
        assert set(await stage.alive()) == set(before)
        await stage.start_engine()
        await stage.price("91600.0")
        await stage.until(lambda: stop_at(stage, "90841.1"))
        await stage.price("90700.0")
        await stage.until(lambda: idle(stage))
        assert all_held(await stage.verdict())
