"""What the engine asks of its memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jumar.model.journal import (
    AccountMemory,
    OperatorRequest,
    Record,
    StoreIdentity,
    SymbolMemory,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterState:
    """How sure it is that this engine alone writes (X-7).

    Attributes:
        expired: whether another engine may have taken over, because the lease was not renewed in time.
        entries_wait_s: for how long what an earlier engine sent may still arrive.
    """

    expired: bool = False
    entries_wait_s: float = 0.0


#: Of a store that no other process can ever take over.
SOLE_WRITER = WriterState()


class Store(Protocol):
    """Durable memory of one account."""

    def writing(self) -> WriterState:
        """How sure it is that this engine alone writes; asks nobody."""
        ...

    async def renew(self) -> None:
        """Make sure of it again, after a pause as well.

        Raises:
            Superseded: another engine has taken over.
            StoreUnavailable: nobody can be asked.
        """
        ...

    async def open(self) -> StoreIdentity:
        """Make or migrate the database and say who it is.

        Raises:
            ConfigError: a wrong URL, or a database that another engine holds.
            StoreUnavailable: it cannot be opened.
        """
        ...

    async def load(self, symbol: str) -> SymbolMemory:
        """What is known of a symbol.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        ...

    async def load_account(self, now_ms: int) -> AccountMemory:
        """What is known of the account, of the days up to an exchange time.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        ...

    async def write(self, records: Sequence[Record]) -> None:
        """Write records as one transaction; on return they are durable.

        Raises:
            InvariantBroken: the database refused a looser stop or a second intent of one id (S-3, X-1).
            Superseded: another engine has taken over (X-7); none of them was written.
            StoreUnavailable: they could not be written; none of them was.
        """
        ...

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for and nobody has done yet, oldest first; renews what keeps other engines out.

        Raises:
            Superseded: another engine has taken over.
            StoreUnavailable: it cannot be read.
        """
        ...

    async def close(self) -> None:
        """Flush and close."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """What an earlier life left in the emergency log.

    Attributes:
        batches: symbol and records, in order, of what the database lacks; each belongs into one transaction.
        torn: whether the last batch was never finished: nothing was sent for it.
        damage: what cannot be read of it, None where everything can.
    """

    batches: tuple[tuple[str, tuple[Record, ...]], ...] = ()
    torn: bool = False
    damage: str | None = None


class EmergencyLog(Protocol):
    """Where the intents of protective orders are durable while the store cannot be written (M-4)."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def open(self) -> Rescued:
        """Make ready what a full disk must not refuse later, and read what was left; after the store was opened.

        Raises:
            StoreUnavailable: it cannot be made or read.
        """
        ...

    async def write(self, symbol: str, records: Sequence[Record]) -> None:
        """Write what the store could not, an intent last; on return it is durable. What is only told is left out.

        Raises:
            StoreUnavailable: it is not durable, or was not in time.
        """
        ...

    async def committed(self, symbol: str) -> None:
        """Hear that all that was written for a symbol stands in the store; once that holds for all it is emptied.

        Raises:
            StoreUnavailable: it could not be emptied; what it holds does no harm.
        """
        ...

    async def set_aside(self) -> str:
        """Keep what it holds for a person, begin an empty one, and return where it was put.

        Raises:
            StoreUnavailable: it could not be done.
        """
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
