"""What the engine asks of its memory."""

from collections.abc import Sequence
from typing import Protocol

from jumar.model.journal import (
    AccountMemory,
    OperatorRequest,
    Record,
    StoreIdentity,
    SymbolMemory,
)


class Store(Protocol):
    """Durable memory of one account."""

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
            StoreUnavailable: they could not be written; none of them was.
        """
        ...

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for and nobody has done yet, oldest first.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        ...

    async def close(self) -> None:
        """Flush and close."""
        ...
