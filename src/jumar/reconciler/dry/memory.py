"""What a dry run has in place of a database and of the way back to the decision's writer: nothing.

Promises that no file is opened, so that an engine on the same database goes on undisturbed. What people ask for through
the database is not heard, and the writer of a decision is answered by the engine that trades, not by this.
"""

from collections.abc import Sequence

from jumar.model.journal import (
    AccountMemory,
    OperatorRequest,
    Record,
    StoreIdentity,
    SymbolMemory,
)
from jumar.ports.decisions import Answer, DecisionSource, Received
from jumar.ports.store import SOLE_WRITER, WriterState

STORE_ID = "d" * 32
"""The identity of no database: ids of orders that a dry run would send are not those of any engine."""


class StoreOfNothing:
    """Remembers nothing (see `jumar.ports.store.Store`): every start is one with an empty journal."""

    def writing(self) -> WriterState:
        """Nothing is shared with anybody."""
        return SOLE_WRITER

    async def renew(self) -> None:
        """There is nothing to renew."""

    async def open(self) -> StoreIdentity:
        """Say that it is new."""
        return StoreIdentity(store_id=STORE_ID, fresh=True)

    async def load(self, symbol: str) -> SymbolMemory:
        """Nothing is known of a symbol."""
        return SymbolMemory(symbol=symbol)

    async def load_account(self, now_ms: int) -> AccountMemory:  # noqa: ARG002 - of no day
        """Nothing is known of the account."""
        return AccountMemory()

    async def write(self, records: Sequence[Record]) -> None:
        """Forget them."""

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """Nobody asks for anything."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""


class SilentSource:
    """Decisions that nobody is answered for (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(self, source: DecisionSource) -> None:
        self._source = source

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll."""
        return self._source.poll()

    def answer(self, answer: Answer) -> None:
        """Keep it: `outcome.json` is the word of the engine that trades."""
