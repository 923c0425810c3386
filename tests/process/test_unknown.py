"""A lost answer over real sockets: an unknown outcome is asked for and never sent again (X-3, X-4).

What else an unknown outcome may lead to is told in virtual time, in `tests/simulation`.
"""

from pathlib import Path
from typing import Any

import pytest
from tests.engines import staged

from jumar.model.order import OrderRequest, Role
from jumar.model.outcome import Outcome, Unknown
from jumar.ports.exchange import Exchange


class Lossy:
    """A real venue behind a wire that loses the answer to one role once."""

    def __init__(self, real: Exchange, role: Role) -> None:
        self._real = real
        self._role: Role | None = role

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def place(self, request: OrderRequest, *, timestamp_ms: int, timeout_ms: int) -> Outcome:
        """Send, then forget the answer."""
        if request.role is not self._role:
            return await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)
        self._role = None
        await self._real.place(request, timestamp_ms=timestamp_ms, timeout_ms=timeout_ms)
        return Unknown(reason="the answer was lost")


def entries(records: list[dict[str, Any]]) -> list[str]:
    """The ids of all entry orders the exchange has seen."""
    seen = {
        r["client_id"] for r in records if r["kind"] == "order" and "-E" in (r["client_id"] or "")
    }
    return sorted(name.split("-")[-1] for name in seen)


@pytest.mark.rule("X-3", "X-4", "P-4", "E-10")
@pytest.mark.parametrize("role", [Role.ENTRY, Role.STOP])
async def test_a_lost_answer_is_found_and_nothing_is_sent_twice(tmp_path: Path, role: Role) -> None:
    """The order exists although nobody said so: it is accepted as it is, no second one is sent."""
    async with staged(tmp_path) as stage:
        await stage.start_engine(lambda real: Lossy(real, role))
        stage.decide()
        await stage.until_alive("S1", "E1")
        assert entries(await stage.ledger()) == ["E1"]
