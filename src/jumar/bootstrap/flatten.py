"""`flatten` without a running engine: an engine of its own, on the same journal, that only comes home (M-6).

Promises that a database which cannot be opened stops nothing: then positions and orders are found on the exchange
alone, and the pause stands in a file beside the database. Decides nothing about how positions are closed.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from jumar.bootstrap.common import emergency_of, journal_of, quota_of, run_async, store_of, terms_of
from jumar.config import Settings
from jumar.decisions.silence import NoDecisions
from jumar.exchange.binance import BinanceExchange
from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.ports.clock import Clock, SystemClock
from jumar.ports.observer import Observer
from jumar.reconciler.flatten import Confirmed, Flattening
from jumar.reconciler.supervise import Engine
from jumar.reports.recorder import TickRecorder
from jumar.store import pause, requests
from jumar.store.backends import holder
from jumar.store.journal import SqlStore
from jumar.store.lock import WriterLock
from jumar.store.place import Place, SqlitePlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a flatten.

    Attributes:
        confirmed: what the exchange says, one row a symbol.
        done: all is proven flat and swept.
        paused: whether a pause was left that the next start reads.
    """

    confirmed: tuple[Confirmed, ...]
    done: bool
    paused: bool


def flatten(
    settings: Settings,
    *,
    symbol: str | None,
    asked_by: str,
    wait_s: float,
    observers: Sequence[Observer],
    tell: Callable[[str], None],
) -> Outcome:
    """Cancel entries, close positions, sweep; leave a pause behind.

    Args:
        settings: with the keys.
        symbol: None for all that are configured.
        asked_by: for the record.
        wait_s: how long it may take.
        observers: who hears of ticks and incidents.
        tell: says at once what a person must know before the end.

    Raises:
        ConfigError: keys refused, or an engine holds the database.
        VenueUnavailable: the venue does not answer.
    """
    chosen = settings.policies if symbol is None else {symbol: settings.policies[symbol]}
    settings, clock = replace(settings, policies=chosen), SystemClock()
    with ExitStack() as leftovers:
        database, paused = _ask(settings, symbol, asked_by, clock, tell, leftovers)
        engine = _engine(settings, database, clock, observers)
        flattening = Flattening(engine, clock)
        run_async(flattening.run(wait_s=wait_s))
        configured = journal_of(settings)
        if database != configured and paused:
            # only now is the exchange's clock known, by which decisions are spent
            _leave_pause(configured, asked_by, clock)
    confirmed = tuple(flattening.confirmed.values())
    return Outcome(confirmed=confirmed, done=flattening.done, paused=paused)


def _ask(  # noqa: PLR0917 - private, and each is a thing of its own
    settings: Settings,
    symbol: str | None,
    asked_by: str,
    clock: Clock,
    tell: Callable[[str], None],
    leftovers: ExitStack,
) -> tuple[Place, bool]:
    """Leave the request in the journal, or in an empty one where that cannot be opened; say where, and if paused."""
    database = journal_of(settings)
    why = _why_unusable(database)
    paused = True
    if why is not None:
        tell(f"the database cannot be used ({why}): going by the exchange alone")
        why_not = _leave_pause(database, asked_by, clock)
        paused = why_not is None
        tell(why_not or f"a pause stands in {_pause_of(database)} until `jumar resume`")
        _keep_engines_out(database, tell, leftovers)
        folder = leftovers.enter_context(tempfile.TemporaryDirectory(prefix="jumar-flatten-"))
        database = SqlitePlace(Path(folder) / "jumar.db")
        _why_unusable(database)  # makes it
    requests.ask(
        database, request="flatten", symbol=symbol, asked_by=asked_by, at_ms=clock.now_ms()
    )
    return database, paused


def _why_unusable(database: Place) -> str | None:
    """Open the database as an engine would, and close it; why that is not possible, None where it is.

    Raises:
        ConfigError: an engine holds it.
    """
    try:
        asyncio.run(_open(database))
    except (ConfigError, StoreUnavailable) as error:
        if _is_held(database):
            raise
        return str(error)
    return None


async def _open(database: Place) -> None:
    store = SqlStore(database)
    try:
        await store.open()
    finally:
        await store.close()


def _is_held(database: Place) -> bool:
    """Whether an engine holds a database; of a server that does not answer nothing is known, and nothing can be written."""
    try:
        return holder(database) is not None
    except StoreUnavailable:
        return False


def _pause_of(database: Place) -> Path | None:
    return None if database.base is None else pause.pause_file(database.base)


def _leave_pause(database: Place, asked_by: str, clock: Clock) -> str | None:
    """Leave a pause beside the database; why that is not possible, None where it stands."""
    cause = f"flattened by {asked_by} while the database could not be used"
    if database.base is None:
        return "NO PAUSE COULD BE LEFT: no folder is known for it; start no engine"
    try:
        pause.leave(database.base, cause=cause, at_ms=clock.now_ms())
    except OSError as error:
        place = pause.pause_file(database.base)
        return (
            f"NO PAUSE COULD BE LEFT: {place} cannot be written ({error.strerror}); start no engine"
        )
    return None


def _keep_engines_out(database: Place, tell: Callable[[str], None], leftovers: ExitStack) -> None:
    """Of a file by its lock; a server that cannot be used keeps every engine out by itself."""
    if not isinstance(database, SqlitePlace):
        tell("start no engine meanwhile")
        return
    lock = WriterLock(database.file)
    try:
        lock.take()
    except ConfigError as error:
        if _is_held(database):
            raise
        tell(f"{error}; start no engine meanwhile")
        return
    leftovers.callback(lock.release)


def _engine(
    settings: Settings, database: Place, clock: SystemClock, observers: Sequence[Observer]
) -> Engine:
    exchange = BinanceExchange(
        **terms_of(settings),
        clock=clock,
        recv_window_ms=settings.recv_window_ms,
        host_quota=quota_of(settings),
    )
    recorders = (
        ()
        if database.base is None
        else (TickRecorder(database.base, account=settings.account, policies=settings.policies),)
    )
    return Engine(
        account=settings.account,
        policies=settings.policies,
        exchange=exchange,
        store=store_of(settings, database),
        emergency=emergency_of(database),
        source=NoDecisions(),
        clock=clock,
        observers=(*observers, *recorders),
    )
