"""Writing what one symbol's loop has to record: nothing is lost, and a store that fails or hangs holds up no loop.

Promises: one transaction at a time, in the order in which things happened; what could not be written is kept for the
next try, before everything younger; an intent that the store refuses is heard of by whoever wanted to send it.
"""

import asyncio
from collections.abc import Callable

from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import AmendIntent, Intent, Record
from jumar.planner import ladder
from jumar.ports.clock import Clock
from jumar.ports.store import Store
from jumar.reconciler.state import SymbolState

UNJOURNALED = "what was sent could not be journaled: {}"


class Journalist:
    """Writes for one symbol.

    Args:
        state: whose outbox it empties.
        store: where to.
        clock: exchange time.
        say: makes an incident of severity, rule and message.
    """

    def __init__(
        self,
        *,
        state: SymbolState,
        store: Store,
        clock: Clock,
        say: Callable[[str, str, str], None],
    ) -> None:
        self._state = state
        self._store = store
        self._clock = clock
        self._say = say
        self._late: asyncio.Task[tuple[Record, ...]] | None = None

    async def flush(self, wait_s: float) -> None:
        """Write what has collected, waiting no longer; on failure it is kept for the next try, and said aloud."""
        records = self._state.outbox.take()
        if not records:
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
        time, and what it could not write comes back in its place.

        Raises:
            InvariantBroken: the store refuses an intent: it must not be sent.
        """
        if self._late is not None:
            await asyncio.wait({self._late}, timeout=wait_s)
        if self._late is not None:
            return records
        writing = asyncio.create_task(self._unwritten(records))
        try:
            await asyncio.wait({writing}, timeout=wait_s)
        except asyncio.CancelledError:
            writing.cancel()
            raise
        if writing.done():
            return writing.result()
        self._late = writing
        writing.add_done_callback(self._was_late)
        self._say("critical", "X-2", f"the store has not answered for {wait_s} s")
        return None

    def _was_late(self, writing: asyncio.Task[tuple[Record, ...]]) -> None:
        self._late = None
        if writing.cancelled():
            return
        error = writing.exception()
        if error is None:
            self._state.outbox.give_back(writing.result())
            return
        rule = error.promise if isinstance(error, InvariantBroken) else "X-2"
        self._say("critical", rule, UNJOURNALED.format(error))

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
