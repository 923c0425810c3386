"""Databases that fail, hang or refuse as long as a storyboard says so; behind them is the real one."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from tests.simulation.storyboard import Scene

from jumar.model.errors import StoreUnavailable
from jumar.model.journal import OperatorRequest, Record
from jumar.ports.store import Store


class Disk:
    """A real store that refuses some records, and hangs, while a storyboard says so.

    Attributes:
        refuses: which records it refuses, with everything that stands in one transaction with them.
        gate: no write comes through while it is closed.
        waiting: how many writes found it closed.
        refused: how many transactions were refused.
        asked: how often people's requests were read.
    """

    def __init__(self, real: Store) -> None:
        self._real = real
        self.refuses: Callable[[Record], bool] = lambda _: False
        self.error: Exception = StoreUnavailable("jumar.db: no space left on the device")
        self.requests_fail = False
        self.waiting = self.refused = self.asked = 0
        self._gate = asyncio.Event()
        self._gate.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def write(self, records: Sequence[Record]) -> None:
        """Write once the gate is open, unless one of them is refused."""
        self.waiting += not self._gate.is_set()
        await self._gate.wait()
        if any(self.refuses(record) for record in records):
            self.refused += 1
            raise self.error
        await self._real.write(records)

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for."""
        self.asked += 1
        if self.requests_fail:
            raise ValueError("a row nobody foresaw")
        return await self._real.requests()

    def hang(self) -> None:
        """Writes neither end nor fail from now on."""
        self._gate.clear()

    def heal(self) -> None:
        """Everything works again."""
        self._gate.set()
        self.refuses = lambda _: False
        self.requests_fail = False


def faulty_disks(s: Scene) -> list[Disk]:
    """Put a faulty disk under every life that begins from now on; the newest is the last."""
    disks: list[Disk] = []

    def wrap(real: Store) -> Store:
        disks.append(Disk(real))
        return disks[-1]

    s.world.host.wrap_store = wrap
    return disks


def refusing(*kinds: type[Record]) -> Callable[[Record], bool]:
    """Says of a record whether it is of one of these kinds."""
    return lambda record: isinstance(record, kinds)
