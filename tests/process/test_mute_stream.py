"""A user stream that is up and says nothing costs time, never correctness (W-1, section 11)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.engines import Stage, staged

from jumar.ports.exchange import Exchange, OrderEvent, PositionEvent, VenueEvent


class Mute:
    """A real venue whose stream loses every word on orders and positions."""

    def __init__(self, real: Exchange) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def start(self, symbols: Sequence[str], sink: Callable[[VenueEvent], None]) -> None:
        """Open the streams, pass on prices only."""

        def spoken(event: VenueEvent) -> None:
            if not isinstance(event, OrderEvent | PositionEvent):
                sink(event)

        await self._real.start(symbols, spoken)


def is_mute(stage: Stage) -> bool:
    """Whether the engine has noticed."""
    assert stage.engine is not None
    state = stage.engine.loops["BTCUSDT"].state
    return state.is_mute(stage.watcher.ticks[-1].world.now_ms)


@pytest.mark.rule("Y-11", "X-6", "P-1")
async def test_a_whole_trade_without_a_single_order_event(tmp_path: Path) -> None:
    """Fills, triggers and the end are found by reading; the judge finds every promise kept."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(Mute)
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")

        async def noticed() -> bool:
            return is_mute(stage)

        await stage.until(noticed)
        await stage.price("90370.0")

        async def home() -> bool:
            return stage.idle() and not await stage.alive()

        await stage.until(home)
        verdict = await stage.verdict()
        assert all(verdict["promises"].values()), verdict
        assert verdict["unprotected_ms_max"] == 0
