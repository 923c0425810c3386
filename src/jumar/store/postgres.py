"""A journal on a PostgreSQL server: its sessions, who may write, and what is only true of servers.

Promises that a commit is on the server's disk when it returns (`synchronous_commit=on`, a server without fsync is
refused), that no statement and no lost network keeps the writer waiting for long, that a session which was lost is
replaced without a restart of the engine, and that whoever writes owns the lease (X-7). The advisory lock beside it
tells of a living session: an engine whose process ended is followed at once, one that stands still when its lease is over.
Knows nothing of tables.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, NullPool, QueuePool, create_engine
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from jumar.model.errors import ConfigError, JumarError, Superseded, WriterLost
from jumar.model.moments import iso
from jumar.ports.clock import SystemClock
from jumar.ports.store import WriterState
from jumar.store import guard
from jumar.store.database import BUSY_TIMEOUT_MS, unreachable
from jumar.store.lease import Lease, LeaseTerms
from jumar.store.place import PostgresPlace

#: How long a connection may take, s.
CONNECT_TIMEOUT_S = 5
#: How long one statement may take, ms: an engine that waits for its journal does nothing else.
STATEMENT_TIMEOUT_MS = 10_000
# A peer that vanished is noticed after so long, by the client and by the server, whose session holds the lock.
_SILENT_S, _ASK_AGAIN_S, _ASKED_MAX = 5, 2, 3
_KEEPALIVE = {
    "keepalives_idle": _SILENT_S,
    "keepalives_interval": _ASK_AGAIN_S,
    "keepalives_count": _ASKED_MAX,
    "tcp_user_timeout": 10_000,
}
_FORBIDDEN = "42501"


class PostgresWriter:
    """The one writer of a database on a server (see `jumar.store.backends.Writer`)."""

    def __init__(
        self, place: PostgresPlace, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS, terms: LeaseTerms
    ) -> None:
        """Name the database; nothing is opened yet."""
        self._place = place
        self._lease = Lease(terms, SystemClock().monotonic)
        self._busy_timeout_ms = busy_timeout_ms
        self._session: psycopg.Connection | None = None
        self._open = False
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=0,
            # A server that was restarted is noticed before a write, not by it.
            pool_pre_ping=True,
        )

    @property
    def held(self) -> bool:
        """Whether the lock was taken and not given back; each session holds it before it is used."""
        return self._open

    def take(self) -> None:
        """Connect and take the lock.

        Raises:
            ConfigError: another engine holds it, or the server cannot keep a journal.
            StoreUnavailable: the server cannot be reached.
        """
        try:
            with self.engine.connect():
                self._open = True
        except OperationalError as error:
            raise unreachable(self._place, error) from error

    def release(self) -> None:
        """Give the lock back, with the session that holds it."""
        self._open = False
        self.cut()

    def check(self, connection: Connection) -> None:
        """Let no other start migrate at the same time."""
        connection.exec_driver_sql(guard.MIGRATION_LOCK)

    def enter(self, connection: Connection) -> None:
        """Take the lease with the next epoch."""
        self._lease.take(connection)

    def assert_mine(self, connection: Connection) -> None:
        """See that the lease is still ours."""
        self._lease.check(connection)

    def renew(self, connection: Connection) -> None:
        """Own the lease for longer."""
        self._lease.renew(connection)

    @property
    def renewal_due(self) -> bool:
        """Whether the lease should be renewed."""
        return self._lease.due

    @property
    def state(self) -> WriterState:
        """How sure it is that this one alone writes."""
        return WriterState(expired=self._lease.expired, entries_wait_s=self._lease.entries_wait_s)

    def lost(self) -> None:
        """None: a session without the lock is never used, which is told when it is made."""

    def others_commits(self) -> None:
        """None: a server tells no version, so it is asked each time."""

    def close(self) -> None:
        """Give lease and lock back and close the session: a server frees the locks of a closed one a little later."""
        if self._session is not None:
            # A session that is gone holds nothing, and what another engine holds is not ours to give back.
            with suppress(psycopg.Error, SQLAlchemyError, JumarError):
                with self.engine.begin() as connection:
                    self._lease.release(connection)
                guard.release(self._session)
        self.engine.dispose()

    def cut(self) -> None:
        """Close the session as the end of the process would; what was not committed is gone."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def refused(self, error: DatabaseError) -> ConfigError | None:
        """What a person must change when the server does not let this user make or read tables."""
        if getattr(error.orig, "sqlstate", None) != _FORBIDDEN:
            return None
        return ConfigError(
            f"[store] url: {self._place}: {str(error.orig).strip()}: "
            "make this user the owner of the database"
        )

    def _connect(self) -> psycopg.Connection:
        limits = f"-c lock_timeout={self._busy_timeout_ms} {_DURABLE}"
        session = _session(self._place, guard.session_name(), limits)
        try:
            _check_server(self._place, session)
            self._claim(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def _claim(self, session: psycopg.Connection) -> None:
        other = guard.claim(session)
        if other is not None and self._may_follow(session):
            other = guard.claim_from(session, other)
        session.rollback()
        if other is None:
            return
        row = guard.lease_of(session)
        session.rollback()
        if self._open and row is not None and not self._lease.owns(row.owner, row.epoch):
            raise Superseded(f"{self._place}: {other} has taken over; its epoch is {row.epoch}")
        if self._open:
            raise WriterLost(
                f"{self._place} is written by {other} since the connection was lost: "
                "start this engine again once that one has ended"
            )
        lease = "" if row is None else f", whose lease lasts until {iso(row.expires_ms)}"
        raise ConfigError(
            f"[store] url: {self._place} is in use by {other}{lease}: "
            "end that one first, or name another database"
        )

    def _may_follow(self, session: psycopg.Connection) -> bool:
        """Whether the session that holds the lock is an engine's whose lease is over, or our own that was lost."""
        row = guard.lease_of(session)
        if self._open:
            return row is not None and self._lease.owns(row.owner, row.epoch)
        return row is not None and not row.live


_DURABLE = " ".join(
    f"-c {name}={value}"
    for name, value in (
        ("synchronous_commit", "on"),
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", STATEMENT_TIMEOUT_MS),
        ("tcp_keepalives_idle", _SILENT_S),
        ("tcp_keepalives_interval", _ASK_AGAIN_S),
        ("tcp_keepalives_count", _ASKED_MAX),
    )
)


def reader_engine(place: PostgresPlace) -> Engine:
    """Return an engine that cannot write; it may be used while the engine that trades runs, and afterwards."""
    return _plain_engine(place, "jumar reader", "-c default_transaction_read_only=on")


def asking_engine(place: PostgresPlace) -> Engine:
    """Return an engine for what people leave beside the engine that trades."""
    return _plain_engine(place, "jumar request", "-c synchronous_commit=on")


def holder(place: PostgresPlace) -> int | None:
    """Return the process whose engine holds the database, or the server's where that is not told; None when none does.

    Raises:
        StoreUnavailable: the server cannot be asked.
    """
    try:
        with _session(place, "jumar reader", _patience()) as session:
            found = guard.holder(session)
    except psycopg.Error as error:
        raise unreachable(place, error) from error
    if found is None:
        return None
    return found.backend if found.pid is None else found.pid


def _plain_engine(place: PostgresPlace, name: str, options: str) -> Engine:
    def connect() -> psycopg.Connection:
        return _session(place, name, f"{options} {_patience()}")

    # `Any`: SQLAlchemy's protocol of a connection does not quite describe the one of psycopg.
    creator: Callable[[], Any] = connect
    return create_engine("postgresql+psycopg://", creator=creator, poolclass=NullPool)


def _patience() -> str:
    return f"-c lock_timeout={BUSY_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"


def _session(place: PostgresPlace, name: str, options: str) -> psycopg.Connection:
    url = place.url
    parts: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        **url.query,
        "application_name": name,
        "options": options,
        "connect_timeout": CONNECT_TIMEOUT_S,
        **_KEEPALIVE,
    }
    return psycopg.connect("", **{key: value for key, value in parts.items() if value is not None})


def _check_server(place: PostgresPlace, session: psycopg.Connection) -> None:
    """Refuse a server whose commits are not durable, or whose text is not Unicode.

    Raises:
        ConfigError: it cannot keep a journal; the message says what to set.
    """
    for name, wanted, fix in (
        ("fsync", "on", "set fsync = on: without it a commit is lost with the power"),
        ("server_encoding", "UTF8", "make the database with ENCODING 'UTF8'"),
    ):
        row = session.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row != (wanted,):
            found = "nothing" if row is None else row[0]
            raise ConfigError(f"[store] url: {place}: {name} is {found}: {fix}")
