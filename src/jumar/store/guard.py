"""Who writes a database on a PostgreSQL server: an advisory lock of the very session that writes (X-7).

Promises that of all engines on one database one holds the lock, that the server frees it with the session, and that
nothing can be committed by a session without it: a connection that was lost takes its lock with it, and the next one
is used only once it holds the lock again. Looking who holds it takes nothing. The lock tells that a session lives; how
long its engine may be trusted to, the lease tells (`jumar.store.lease`).

Not a lock of a second connection: between asking that one and committing on the other, it could be gone.
"""

import os
import re
import socket
from dataclasses import dataclass

import psycopg

#: "Jumar" in front: advisory locks of a database are shared with whatever else uses it.
_CLASS = 0x4A554D52
_WRITER, _MIGRATION = 1, 2
_NAME = re.compile(r"^jumar engine (?P<pid>\d+) on (?P<host>.+)$")
_NAME_LENGTH_MAX = 63
_HOLDER = """
SELECT l.pid, a.application_name
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


_LEASE = """
SELECT owner, epoch, expires_ms,
       owner <> '' AND expires_ms > EXTRACT(EPOCH FROM clock_timestamp()) * 1000
FROM lease
"""
#: A session that was told to end does so at its next step.
_ENDS_AFTER_TURNS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """Who owned the database last.

    Attributes:
        owner: empty for one that was given back.
        live: whether it has not expired yet by the server's clock.
    """

    owner: str
    epoch: int
    expires_ms: int
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock.

    Attributes:
        backend: the server's process of that session.
        pid: the engine's process, None when its name does not tell.
        host: the machine of that process.
        name: by which the server knows the session.
    """

    name: str
    backend: int
    pid: int | None
    host: str | None

    def __str__(self) -> str:
        if self.pid is None:
            return f"another session (server process {self.backend})"
        return f"process {self.pid} on {self.host} (server process {self.backend})"


def session_name() -> str:
    """Return by which name the server knows the session of this process's engine."""
    return f"jumar engine {os.getpid()} on {socket.gethostname()}"[:_NAME_LENGTH_MAX]


def claim(session: psycopg.Connection) -> Holder | None:
    """Take the lock for a session; None when it is taken, else who holds it.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    # The holder may leave between the two questions: then the lock is asked for again.
    while True:
        taken = session.execute("SELECT pg_try_advisory_lock(%s, %s)", (_CLASS, _WRITER)).fetchone()
        if taken == (True,):
            return None
        found = holder(session)
        if found is not None:
            return found


def claim_from(session: psycopg.Connection, other: Holder) -> Holder | None:
    """End the session that holds the lock and take it; None when it is taken, else who holds it.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    try:
        session.execute("SELECT pg_terminate_backend(%s)", (other.backend,))
    except psycopg.errors.InsufficientPrivilege:
        session.rollback()
        return other
    left: Holder | None = other
    for _ in range(_ENDS_AFTER_TURNS):
        left = claim(session)
        if left is None or left.backend != other.backend:
            break
        session.execute("SELECT pg_sleep(0.05)")
    return left


def lease_of(session: psycopg.Connection) -> LeaseRow | None:
    """Return the lease as it stands in the session's database; None where nobody ever took one.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    if session.execute("SELECT to_regclass('lease')").fetchone() == (None,):
        return None
    row = session.execute(_LEASE).fetchone()
    if row is None:
        return None
    return LeaseRow(owner=row[0], epoch=row[1], expires_ms=row[2], live=row[3])


def release(session: psycopg.Connection) -> None:
    """Give the lock of a session back; when it returns, another one may take it.

    Raises:
        psycopg.Error: the session is gone, and its lock with it.
    """
    session.execute("SELECT pg_advisory_unlock(%s, %s)", (_CLASS, _WRITER))
    session.commit()


def holder(session: psycopg.Connection) -> Holder | None:
    """Return who holds the lock of the session's database; None when nobody does.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    row = session.execute(_HOLDER, (_CLASS, _WRITER)).fetchone()
    if row is None:
        return None
    named = _NAME.match(row[1] or "")
    return Holder(
        name=row[1] or "",
        backend=row[0],
        pid=None if named is None else int(named["pid"]),
        host=None if named is None else named["host"],
    )


#: Held to the end of a transaction that migrates, so that two starts migrate one after the other.
MIGRATION_LOCK = f"SELECT pg_advisory_xact_lock({_CLASS}, {_MIGRATION})"
