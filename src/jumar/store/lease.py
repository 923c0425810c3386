"""The lease of the one writer on a PostgreSQL server: a row of owner, epoch and expiry (X-7).

Promises that of all engines on one database one owns the row, that every taking over raises the epoch, and that who
asks in a transaction whether it still owns the row keeps others from taking it until that transaction ends. Time is
the server's: it is the only clock that both engines see. How long the owner may trust its lease it measures itself,
from before it asked, so that its own view ends no later than the server's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from jumar.model.errors import Superseded
from jumar.model.moments import iso
from jumar.ports.clock import new_identity

#: The name of the only row.
_WRITER = "writer"
#: Who owns a lease that was given back.
NOBODY = ""
_NOW_MS = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
_FOUND = text(
    f"SELECT owner, epoch, expires_ms, {_NOW_MS} FROM lease WHERE name = '{_WRITER}' FOR UPDATE"  # noqa: S608 - constants
)
_TAKE = text(
    f"INSERT INTO lease (name, owner, epoch, expires_ms) VALUES ('{_WRITER}', :owner, :epoch, {_NOW_MS} + :ttl_ms) "  # noqa: S608 - constants
    "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expires_ms = excluded.expires_ms"
)
_OWNED = f"name = '{_WRITER}' AND owner = :owner AND epoch = :epoch"
_ASSERT = text(f"SELECT 1 FROM lease WHERE {_OWNED} FOR SHARE")  # noqa: S608 - constants
_RENEW = text(f"UPDATE lease SET expires_ms = {_NOW_MS} + :ttl_ms WHERE {_OWNED}")  # noqa: S608 - constants
_RELEASE = text(f"UPDATE lease SET owner = '{NOBODY}', expires_ms = 0 WHERE {_OWNED}")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms:
    """How long a lease lasts and how long what an earlier owner sent may still arrive.

    Attributes:
        ttl_ms: from one renewal to its expiry.
        recv_window_ms: how long the venue executes a signed request.
    """

    ttl_ms: int = 15_000
    recv_window_ms: int = 3000

    @property
    def renew_s(self) -> float:
        """How often it is renewed: often enough that one that fails can be tried again."""
        return self.ttl_ms / 5000

    @property
    def afterwards_ms(self) -> int:
        """How long after its expiry a request of the owner before may be executed (X-7)."""
        return self.recv_window_ms + 1000


class Lease:
    """One engine's, on one database.

    Args:
        terms: how long it lasts.
        monotonic: seconds that never run backwards, also while this process stands still.
    """

    def __init__(self, terms: LeaseTerms, monotonic: Callable[[], float]) -> None:
        self.terms = terms
        self._monotonic = monotonic
        self._owner = str(UUID(new_identity()))
        self._epoch: int | None = None
        self._until_s = 0.0
        self._renew_at_s = 0.0
        self._entries_at_s = 0.0

    @property
    def taken(self) -> bool:
        """Whether it was taken once and not given back."""
        return self._epoch is not None

    @property
    def expired(self) -> bool:
        """Whether another engine may have taken it by now."""
        return self.taken and self._monotonic() >= self._until_s

    @property
    def due(self) -> bool:
        """Whether it should be renewed."""
        return self.taken and self._monotonic() >= self._renew_at_s

    @property
    def entries_wait_s(self) -> float:
        """For how long what the owner before sent may still arrive, so that nothing may add exposure."""
        return max(self._entries_at_s - self._monotonic(), 0.0)

    def owns(self, owner: str, epoch: int) -> bool:
        """Whether a row is this lease."""
        return (owner, epoch) == (self._owner, self._epoch)

    def take(self, connection: Connection) -> None:
        """Become the owner with the next epoch, whoever is; the caller knows that the owner is gone or its time over.

        Rolled back with the transaction.
        """
        asked_s = self._monotonic()
        row = connection.execute(_FOUND).one_or_none()
        epoch, wait_ms = 1, 0
        if row is not None:
            owner, last, expires_ms, now_ms = row
            epoch = last + 1
            if owner != NOBODY:
                wait_ms = max(expires_ms + self.terms.afterwards_ms - now_ms, 0)
        connection.execute(_TAKE, self._mine(epoch) | {"ttl_ms": self.terms.ttl_ms})
        self._epoch = epoch
        self._held_from(asked_s)
        self._entries_at_s = asked_s + wait_ms / 1000

    def check(self, connection: Connection) -> None:
        """See that it is still owned; until the transaction ends nobody takes it.

        Raises:
            Superseded: it is another engine's.
        """
        if self._epoch is None:
            return
        if connection.execute(_ASSERT, self._mine(self._epoch)).scalar() is None:
            raise self._superseded(connection)

    def renew(self, connection: Connection) -> None:
        """Own it for longer, from the moment at which this was called; valid once the transaction is committed.

        Raises:
            Superseded: it is another engine's.
        """
        if self._epoch is None:
            return
        asked_s = self._monotonic()
        values = self._mine(self._epoch) | {"ttl_ms": self.terms.ttl_ms}
        if connection.execute(_RENEW, values).rowcount != 1:
            raise self._superseded(connection)
        self._held_from(asked_s)

    def release(self, connection: Connection) -> None:
        """Give it back, so that nobody waits for its end; one that is another's stays so."""
        epoch, self._epoch = self._epoch, None
        if epoch is not None:
            connection.execute(_RELEASE, self._mine(epoch))

    def _held_from(self, asked_s: float) -> None:
        self._until_s = asked_s + self.terms.ttl_ms / 1000
        self._renew_at_s = asked_s + self.terms.renew_s

    def _mine(self, epoch: int) -> dict[str, object]:
        return {"owner": self._owner, "epoch": epoch}

    def _superseded(self, connection: Connection) -> Superseded:
        row = connection.execute(_FOUND).one_or_none()
        told = "its lease is gone"
        if row is not None:
            told = f"it has epoch {row[1]}, valid until {iso(row[2])}; ours was {self._epoch}"
        return Superseded(f"another engine has taken over the database: {told}")
