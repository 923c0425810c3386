"""Writing what one symbol's loop has to record: nothing is lost, and a store that fails or hangs holds up no loop.

Promises: one transaction at a time, in the order in which things happened; what could not be written is kept for the
next try, before everything younger; an intent that the store refuses is heard of by whoever wanted to send it. What
protects a position is durable before it leaves even then, in the emergency log; only where that fails too it leaves
without (M-4).
"""

import asyncio
from collections.abc import Callable

from jumar.model.errors import InvariantBroken, StoreUnavailable, Superseded
from jumar.model.journal import AmendIntent, Intent, ModeChanged, Record
from jumar.model.order import PROTECTIVE_ROLES
from jumar.planner import ladder
from jumar.ports.clock import Clock
from jumar.ports.store import EmergencyLog, Store
from jumar.reconciler.state import SymbolState

UNJOURNALED = "what was sent could not be journaled: {}"


class Journalist:
    """Writes for one symbol.

    Args:
        state: whose outbox it empties.
        store: where to.
        clock: exchange time.
        say: makes an incident of severity, rule and message.
        emergency: where protective orders are journaled while the store cannot be written; None for nowhere.
    """

    def __init__(
        self,
        *,
        state: SymbolState,
        store: Store,
        clock: Clock,
        say: Callable[[str, str, str], None],
        emergency: EmergencyLog | None = None,
    ) -> None:
        self._state = state
        self._store = store
        self._clock = clock
        self._say = say
        self._emergency = emergency
        self._late: asyncio.Task[tuple[Record, ...]] | None = None
        #: What the late task is writing.
        self._underway: tuple[Record, ...] = ()
        #: What stands in the emergency log and not yet in the store, by identity.
        self._rescued: dict[int, Record] = {}

    async def flush(self, wait_s: float) -> None:
        """Write what has collected, waiting no longer; on failure it is kept for the next try, and said aloud."""
        records = self._state.outbox.take()
        if not records and self._late is None:
            return
        try:
            self._state.outbox.give_back(await self.written(records, wait_s) or ())
        except InvariantBroken as error:
            self._say("critical", error.promise, UNJOURNALED.format(error))

    async def written(
        self, records: tuple[Record, ...], wait_s: float | None
    ) -> tuple[Record, ...] | None:
        """Write one transaction; return what must be kept, None when it is still underway after `wait_s`.

        A store that hangs must not hold up the loop of a position (M-4): it goes on beside it, one transaction at a
        time, and what it could not write comes back in its place. An order that protects what is exposed (only then
        a last intent has a `wait_s`) is durable in the emergency log when the store did not write it.

        Raises:
            InvariantBroken: the store refuses an intent: it must not be sent.
            Superseded: another engine has taken over: nothing must be sent (X-7).
        """
        kept = await self._tried(records, wait_s)
        if kept is None or kept:
            missing = (*self._underway, *(kept or ()))
            if wait_s is not None and _protects(missing) and id(missing[-1]) not in self._rescued:
                await self._rescue(missing)
        elif self._rescued:
            await self._no_longer_needed()
        return kept

    async def _tried(
        self, records: tuple[Record, ...], wait_s: float | None
    ) -> tuple[Record, ...] | None:
        if self._late is not None:
            await asyncio.wait({self._late}, timeout=wait_s)
            if not self._late.done():
                return records
            records = (*self._came_back(self._late), *records)
            if not records:
                return ()
        writing = asyncio.create_task(self._unwritten(records))
        try:
            await asyncio.wait({writing}, timeout=wait_s)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        if writing.done():
            return writing.result()
        self._late, self._underway = writing, records
        self._say("critical", "X-2", f"the store has not answered for {wait_s} s")
        return None

    def _came_back(self, writing: asyncio.Task[tuple[Record, ...]]) -> tuple[Record, ...]:
        """What a late transaction could not write: older than everything that waits by now."""
        self._late, self._underway = None, ()
        if writing.cancelled():
            return ()
        error = writing.exception()
        if error is None:
            return writing.result()
        if isinstance(error, Superseded):
            raise error
        rule = error.promise if isinstance(error, InvariantBroken) else "X-2"
        self._say("critical", rule, UNJOURNALED.format(error))
        return ()

    async def _rescue(self, records: tuple[Record, ...]) -> None:
        """Have an intent durable beside the store, after what must precede it; where that fails too it leaves all the same.

        That is the one exception from "durable before the socket is touched": a position without its stop is worse
        than an order which the next start finds at the exchange and takes over (Y-1, X-4).
        """
        if self._emergency is None:
            return
        waiting = self._state.outbox.take()
        self._state.outbox.give_back(waiting)
        modes = (record for record in waiting if isinstance(record, ModeChanged))
        missing = [each for each in (*modes, *records) if id(each) not in self._rescued]
        try:
            await self._emergency.write(self._state.symbol, missing)
        except StoreUnavailable as error:
            words = f"neither store nor emergency file can be written, protection leaves: {error}"
            self._say("critical", "M-4", words)
            return
        self._rescued |= {id(each): each for each in missing}

    async def _no_longer_needed(self) -> None:
        """All of it stands in the store now."""
        self._rescued.clear()
        if self._emergency is None:
            return
        try:
            await self._emergency.committed(self._state.symbol)
        except StoreUnavailable as error:
            self._say("warning", "M-4", f"the emergency file could not be emptied: {error}")

    async def _unwritten(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Write one transaction; return what must be kept for the next try.

        A record that can never be written must not hold back the others: then each goes alone.

        Raises:
            InvariantBroken: the store refuses an intent: it must not be sent.
        """
        try:
            await self._store.write(records)
        except StoreUnavailable as error:
            self._say("critical", "X-2", f"the store cannot be written: {error}")
            unwritable = ladder.state("unwritable", str(error), self._clock.now_ms())
            self._state.set_account_mode(self._state.common.found(unwritable))
            return records
        except InvariantBroken as error:
            if len(records) > 1:
                return await self._one_by_one(records)
            if isinstance(records[0], Intent | AmendIntent):
                raise
            self._say("critical", error.promise, f"a record was refused: {error}")
        return ()

    async def _one_by_one(self, records: tuple[Record, ...]) -> tuple[Record, ...]:
        """Keep what failed and all after it: later records may lean on earlier ones."""
        for index, record in enumerate(records):
            try:
                if await self._unwritten((record,)):
                    return records[index:]
            except InvariantBroken:
                self._state.outbox.give_back(records[index + 1 :])
                raise
        return ()


def _protects(records: tuple[Record, ...]) -> bool:
    """Whether the last of some records is the intent of an order that protects."""
    if not records or not isinstance(records[-1], Intent):
        return False
    return records[-1].order.role in PROTECTIVE_ROLES
