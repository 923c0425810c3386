"""The store on SQL: opens and migrates the database, remembers, and writes before anything is sent (X-2).

Promises that nothing waits for a disk in the event loop's thread: every statement runs on one worker. A test on a
loop of its own may hand in an executor that runs inline. Knows no venue and takes no time of its own.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from jumar.model.errors import StoreUnavailable, WriterLost
from jumar.model.journal import (
    AccountMemory,
    ModeChanged,
    OperatorRequest,
    Record,
    StoreIdentity,
    SymbolMemory,
)
from jumar.model.mode import Mode, ModeState
from jumar.ports.clock import new_identity
from jumar.ports.store import WriterState
from jumar.store import account, pause, recall, schema
from jumar.store import records as rows
from jumar.store.backends import writer_of
from jumar.store.database import BUSY_TIMEOUT_MS, failed, unavailable
from jumar.store.lease import LeaseTerms
from jumar.store.migrate import migrate
from jumar.store.place import Named, parse, place_of
from jumar.store.writer import GroupWriter

_STORE_ID = "store_id"
_KNOWN = select(schema.meta.c.value).where(schema.meta.c.key == _STORE_ID)
_IDENTIFY = insert(schema.meta)
_JOURNAL = select(schema.orders.c.seq).limit(1)
_REQUESTS = schema.operator_requests.c
_TAKEN_IN = select(_REQUESTS.seq).where(
    _REQUESTS.asked_by == "pause file", _REQUESTS.done_ms == bindparam("left_ms")
)


class SqlStore:
    """Durable memory of one account in one database (see `jumar.ports.store.Store`)."""

    def __init__(
        self,
        database: Named,
        *,
        executor: Executor | None = None,
        new_store_id: Callable[[], str] = new_identity,
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        terms: LeaseTerms | None = None,
    ) -> None:
        """Name the database; nothing is opened yet.

        Args:
            database: a URL as in `[store] url`, the path of an SQLite file, or a place.
            executor: where statements run, one at a time; by default a thread of the store's own.
            new_store_id: draws the identity of a new database.
            busy_timeout_ms: how long a commit waits for another process that writes.
            terms: of the lease on a server's database (X-7); a file's lock lasts as long as its process.

        Raises:
            ConfigError: the URL names no database.
        """
        self._place = parse(database) if isinstance(database, str) else place_of(database)
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="jumar-store")
        self._new_store_id = new_store_id
        self._nothing_asked: object | None = None
        self._right = writer_of(
            self._place, busy_timeout_ms=busy_timeout_ms, terms=terms or LeaseTerms()
        )
        self._engine = self._right.engine
        self._writer = GroupWriter(self._engine, self._place, self._executor, self._right)
        self._closed = False

    async def open(self) -> StoreIdentity:
        """Take the database's lock, make or migrate it and say who it is; the lock is kept until `close` (X-7).

        Raises:
            ConfigError: the file's place or content is not one for our database, or another engine writes to it.
            StoreUnavailable: it cannot be opened.
        """
        return await self._run(self._open)

    def writing(self) -> WriterState:
        """How sure it is that this engine alone writes; asks nobody (X-7)."""
        return self._right.state

    async def renew(self) -> None:
        """Make sure of it again.

        Raises:
            Superseded: another engine has taken over.
            StoreUnavailable: the database cannot be asked.
        """
        await self._run(self._renew)

    async def load(self, symbol: str) -> SymbolMemory:
        """What is known of a symbol, after every write that was called before.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        return await self._run(lambda: self._load(symbol))

    async def load_account(self, now_ms: int) -> AccountMemory:
        """What is known of the account, of the days up to an exchange time, after every write that was called before.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        return await self._run(lambda: self._load_account(now_ms))

    async def requests(self) -> tuple[OperatorRequest, ...]:
        """What people asked for and nobody has done yet, oldest first; renews the lease of a server's database.

        Raises:
            Superseded: another engine has taken over.
            WriterLost: the database or its lock is no longer the one that was opened.
            StoreUnavailable: it cannot be read.
        """
        return await self._run(self._requests)

    async def write(self, records: Sequence[Record]) -> None:
        """Write records as one transaction; on return they are durable. A cancelled call still writes.

        Raises:
            InvariantBroken: the database refused a looser stop, a second intent of one id, a second open trade
                of the symbol or an order that was never journaled (S-3, X-1, X-2, X-9).
            Superseded: another engine has taken over; none of them was written.
            StoreUnavailable: they could not be written, or the store is not open; none of them was.
        """
        if not self._right.held:
            raise StoreUnavailable(
                f"{self._place}: not open, so that another engine may be writing to it"
            )
        try:
            done = self._writer.submit(records)
        except RuntimeError as error:
            raise unavailable(self._place, error) from error
        if done.done():
            done.result()
        else:
            await asyncio.wrap_future(done)
        if any(_resumes(record) for record in records):
            await self._done(self._remove_pause)

    async def close(self) -> None:
        """Let queued writes finish and close; a closed store refuses everything, closing it again does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._done(self._right.close)
            self._executor.shutdown()
        finally:
            self._right.release()

    def abandon(self) -> None:
        """Let go of everything at once, as the end of the process would; nothing is flushed.

        What was committed stays. What was not is rolled back, writes that wait are never made, and their callers
        never hear of it. When this returns the connection is closed and the lock is free, so that another store
        can open the database; this one refuses everything, as a closed one does. It may be called from within a
        write on an executor that runs inline, which then fails; a commit under way in a thread is waited for.
        """
        self._closed = True
        try:
            self._executor.shutdown(cancel_futures=True)
            self._right.cut()
            self._engine.dispose()
        finally:
            self._right.release()

    async def _run[T](self, work: Callable[[], T]) -> T:
        if self._closed:
            raise StoreUnavailable(f"{self._place}: the store is closed")
        return await self._done(work)

    async def _done[T](self, work: Callable[[], T]) -> T:
        try:
            done = self._executor.submit(work)
        except RuntimeError as error:
            raise unavailable(self._place, error) from error
        try:
            return done.result() if done.done() else await asyncio.wrap_future(done)
        except SQLAlchemyError as error:
            raise failed(self._place, error) from error

    def _open(self) -> StoreIdentity:
        self._right.take()
        try:
            return self._migrate()
        except BaseException:
            self._right.close()
            self._right.release()
            raise

    def _migrate(self) -> StoreIdentity:
        try:
            with self._engine.begin() as connection:
                self._right.check(connection)
                migrate(connection)
                self._right.enter(connection)
                return self._identify(connection)
        except DatabaseError as error:
            refused = self._right.refused(error)
            if refused is None:
                raise
            raise refused from error

    def _identify(self, connection: Connection) -> StoreIdentity:
        store_id = connection.execute(_KNOWN).scalar()
        if store_id is None:
            store_id = self._new_store_id()
            connection.execute(_IDENTIFY, {"key": _STORE_ID, "value": store_id})
            left = self._take_in_pause(connection)
            return StoreIdentity(store_id=store_id, fresh=True, mode=left)
        journal = connection.execute(_JOURNAL).scalar()
        mode, left = recall.mode_of(connection, rows.ACCOUNT), self._take_in_pause(connection)
        held = mode is not None and mode.mode is not Mode.NORMAL
        return StoreIdentity(
            store_id=store_id, fresh=journal is None, mode=mode if held else left or mode
        )

    def _requests(self) -> tuple[OperatorRequest, ...]:
        """Ask only when another connection has committed since nobody had asked for anything: only people's do."""
        lost = self._right.lost()
        if lost is not None:
            raise WriterLost(f"{lost}: another engine may be writing; start this one again")
        if self._right.renewal_due:
            self._renew()
        seen = self._right.others_commits()
        if seen is not None and seen == self._nothing_asked:
            return ()
        with self._engine.connect() as connection:
            found = recall.operator_requests(connection)
        self._nothing_asked = None if found else seen
        return found

    def _renew(self) -> None:
        with self._engine.begin() as connection:
            self._right.renew(connection)

    def _take_in_pause(self, connection: Connection) -> ModeState | None:
        """A pause that stands beside the database: the flatten that left it spent every decision before (D-7, M-6)."""
        left = pause.read(self._place.base)
        if left is not None:
            done = {"at_ms": left.since_ms, "done_ms": left.since_ms, "outcome": left.cause}
            values = {"symbol": None, "request": "flatten", "asked_by": "pause file", **done}
            if connection.execute(_TAKEN_IN, {"left_ms": left.since_ms}).scalar() is None:
                connection.execute(insert(schema.operator_requests), values)
        return left

    def _remove_pause(self) -> None:
        base = self._place.base
        if base is None:
            return
        try:
            pause.remove(base)
        except OSError as error:
            place = pause.pause_file(base)
            message = f"{place} cannot be removed ({error.strerror}): the next start is paused"
            raise StoreUnavailable(message) from error

    def _load(self, symbol: str) -> SymbolMemory:
        with self._engine.connect() as connection:
            try:
                return recall.symbol_memory(connection, symbol)
            except (ValueError, KeyError) as error:
                message = f"{self._place}: what is kept of {symbol} cannot be understood: {error}"
                raise StoreUnavailable(message) from error

    def _load_account(self, now_ms: int) -> AccountMemory:
        with self._engine.connect() as connection:
            return account.account_memory(connection, now_ms)


def _resumes(record: Record) -> bool:
    """Whether an operator's resume of the account is among what was written: only that ends a pause."""
    if not isinstance(record, ModeChanged):
        return False
    return record.symbol is None and record.state.mode is Mode.NORMAL
