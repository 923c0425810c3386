"""A whole engine whose only purpose is to come home: it runs until everything is flat and swept, then stops (M-6).

Promises to use the engine's own way out and no other: the same reads, planner and executor, with the same journal
before each send. Who asked, and for which symbols, stands in the store's requests; the engine obeys them first.
"""

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from jumar.model.ids import parse_client_id
from jumar.model.units import ZERO
from jumar.ports.clock import Clock
from jumar.reconciler.state import SymbolState
from jumar.reconciler.supervise import Engine

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What the exchange's last answers say of one symbol.

    Attributes:
        before, now: position in base currency at the first and at the last read, None while unread.
        read_ms: when the last read was asked, exchange time.
        ours, others: how many orders rest by the last lists, None while unread.
    """

    symbol: str
    before: Decimal | None
    now: Decimal | None
    read_ms: int | None
    ours: int | None
    others: int | None


class Flattening:
    """One flatten with an engine of its own.

    Attributes:
        confirmed: by symbol, as of the last look.
        done: whether all is proven flat and swept.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.done = False
        self.confirmed: dict[str, Confirmed] = {}

    async def run(self, *, wait_s: float) -> None:
        """Run the engine until all is flat, at most so long; then let it stop in its orderly way.

        Raises:
            ConfigError, VenueUnavailable, StoreUnavailable: as the engine's start does.
        """
        stop = asyncio.Event()
        running = asyncio.create_task(self._engine.run(stop))
        deadline = self._clock.monotonic() + wait_s
        try:
            while not (running.done() or self.done or self._clock.monotonic() > deadline):
                await self._clock.sleep(LOOK_EVERY_S)
                await self._look()
        finally:
            stop.set()
            await running

    async def _look(self) -> None:
        """What is proven flat is read once more: reported is what the exchange says, not what follows from it."""
        loops = self._engine.loops
        if self._engine.flattened:
            await asyncio.gather(*(loop.confirm() for loop in loops.values()))
        for symbol, loop in loops.items():
            seen = self.confirmed.get(symbol)
            self.confirmed[symbol] = _confirmed(loop.state, None if seen is None else seen.before)
        nothing_held = all(each.now == ZERO for each in self.confirmed.values())
        self.done = self._engine.flattened and nothing_held


def _confirmed(state: SymbolState, before: Decimal | None) -> Confirmed:
    read = state.position
    now = None if read is None else read.value.quantity
    lists = [seen.value for seen in (state.open_orders, state.conditional_orders) if seen]
    names = [report.client_id for reports in lists for report in reports]
    ended = {order.client_id for order in state.orders.values() if order.ended}
    ours = [name for name in names if parse_client_id(name) is not None and name not in ended]
    others = [name for name in names if parse_client_id(name) is None]
    listed = len(lists) == 2
    return Confirmed(
        symbol=state.symbol,
        before=now if before is None else before,
        now=now,
        read_ms=None if read is None else read.at_ms,
        ours=len(ours) if listed else None,
        others=len(others) if listed else None,
    )
