"""Lost answers: an unknown outcome is asked for, settled by id, and never sent again (X-3, X-4)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.engines import POLICY, Stage, staged

from jumar.model.order import OrderRequest, Role
from jumar.model.outcome import Outcome, Unknown
from jumar.ports.exchange import Exchange

#: A short receive window, so that a lost request is dead soon.
QUICK = replace(POLICY, recv_window_ms=500, clock_uncertainty_ms=100)


class Lossy:
    """A real venue behind a wire that loses the answers, or the requests, of one role once."""

    def __init__(self, real: Exchange, role: Role, *, request_too: bool) -> None:
        self._real = real
        self._role: Role | None = role
        self._request_too = request_too

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send, unless the request is lost too; then forget the answer."""
        if request.role is not self._role:
            return await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)
        self._role = None
        if not self._request_too:
            await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)
        return Unknown(reason="the answer was lost")


def losing(role: Role, *, request_too: bool) -> Callable[[Exchange], Exchange]:
    """A wrapper for `Stage.start_engine`."""
    return lambda real: Lossy(real, role, request_too=request_too)


def entries(records: list[dict[str, Any]]) -> list[str]:
    """The ids of all entry orders the exchange has seen."""
    seen = {
        r["client_id"] for r in records if r["kind"] == "order" and "-E" in (r["client_id"] or "")
    }
    return sorted(name.split("-")[-1] for name in seen)


async def ended(stage: Stage, name: str) -> bool:
    """Whether one of our orders is proven ended in the engine's journal."""
    engine = stage.engine
    assert engine is not None
    orders = engine.loops["BTCUSDT"].state.orders.values()
    return any(order.client_id.endswith(name) and order.ended for order in orders)


@pytest.mark.rule("X-3", "X-4", "P-4", "E-10")
@pytest.mark.parametrize("role", [Role.ENTRY, Role.STOP])
async def test_a_lost_answer_is_found_and_nothing_is_sent_twice(tmp_path: Path, role: Role) -> None:
    """The order exists although nobody said so: it is accepted as it is, no second one is sent."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(losing(role, request_too=False))
        stage.decide()
        await stage.until_alive("S1", "E1")
        assert entries(await stage.ledger()) == ["E1"]


@pytest.mark.rule("X-4", "P-4")
async def test_a_lost_answer_to_an_entry_that_filled_is_covered_and_never_repeated(
    tmp_path: Path,
) -> None:
    """Filled while its outcome was unknown: stops and targets rest, the entry is not sent again."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(losing(Role.ENTRY, request_too=False))
        stage.decide()

        async def entered() -> bool:
            return entries(await stage.ledger()) == ["E1"]

        await stage.until(entered)
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        verdict = await stage.verdict()
        assert all(verdict["promises"].values())
        assert entries(await stage.ledger()) == ["E1"]


@pytest.mark.rule("X-4", "X-1")
async def test_a_request_that_never_arrived_is_proven_absent_before_a_new_id(
    tmp_path: Path,
) -> None:
    """Past its receive window: cancelled by id, unknown to the venue, twice not found; only then E2."""
    async with staged(tmp_path, QUICK) as stage:
        await stage.start_engine(losing(Role.ENTRY, request_too=True))
        stage.decide()
        await stage.until_alive("S1", "E2")
        assert entries(await stage.ledger()) == ["E2"]
        refused = [r for r in await stage.ledger() if r["kind"] == "refused"]
        assert any(r["code"] == -2011 for r in refused)
        assert await ended(stage, "-E1")


@pytest.mark.rule("S-4", "X-4")
async def test_a_backstop_that_never_arrived_is_presumed_dead_and_placed_again(
    tmp_path: Path,
) -> None:
    """A conditional order's absence is not proven, only presumed: after the cancel by id another rests."""
    async with staged(tmp_path, QUICK) as stage:
        await stage.start_engine(losing(Role.BACKSTOP, request_too=True))
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B2", "P1", "Q1")
        assert all((await stage.verdict())["promises"].values())
