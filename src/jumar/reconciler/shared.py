"""Reads that hold for all symbols: positions, balance, account modes; asked once, used by every loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from jumar.model.account import AccountSettings, Balance, PositionReport
from jumar.model.world import Observed, Source
from jumar.ports.clock import Clock
from jumar.ports.exchange import Exchange
from jumar.reconciler.pace import Pace


class Cached[T]:
    """One value that several loops may want; a read that is young enough is shared.

    The age counts from the request, in exchange time, so that a slow answer is never taken for a fresh one.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = asyncio.Lock()
        self._seen: Observed[T] | None = None

    @property
    def newest(self) -> T | None:
        """What was read last, whatever its age; None before the first."""
        return None if self._seen is None else self._seen.value

    async def get(self, *, max_age_ms: int) -> Observed[T]:
        """Return a value requested at most `max_age_ms` ago.

        Raises:
            VenueError: the read failed; an older value is not offered in its place.
        """
        wanted_since = self._clock.now_ms() - max_age_ms
        async with self._lock:
            if self._seen is None or self._seen.at_ms < wanted_since:
                asked_ms = self._clock.now_ms()
                value = await self._ask()
                self._seen = Observed(value=value, at_ms=asked_ms, source=Source.REST)
            return self._seen


class SharedReads:
    """The account-wide reads of one engine."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self.positions: Cached[Mapping[str, PositionReport]] = Cached(exchange.positions, clock)
        self.balance: Cached[Balance] = Cached(exchange.balance, clock)
        self.modes: Cached[AccountSettings] = Cached(exchange.account_settings, clock)
        self.pace = Pace(exchange.budget)

    def listed_positions(self) -> Iterable[PositionReport]:
        """The account's positions as the newest list told them, symbols of others included."""
        return (self.positions.newest or {}).values()
