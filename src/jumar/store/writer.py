"""The one writer: callers hand over records, one thread commits them, many callers share one flush.

Promises that a caller's future is done only when its records are on the disk, that each caller's records are
written together or not at all, that one caller's error is not another's, and that what was handed over is
written even if the caller is cancelled. Records are written in the order in which they were handed over, and in the
transaction that asserts that this engine is the one that writes (X-7).

Grouping needs no timer: while one commit waits for the disk, the next callers queue up and share the next one.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection, Engine

from jumar.model.errors import JumarError
from jumar.model.journal import Record
from jumar.store.apply import apply
from jumar.store.backends import Writer
from jumar.store.database import FATAL, failed, savepoint
from jumar.store.place import Place

GROUP_MAX = 256


class InlineExecutor(Executor):
    """Runs everything at once in the caller's thread, where a thread of its own would be out of place."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` now and return its finished future."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
            future.set_exception(error)
        return future


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    records: tuple[Record, ...]
    done: Future[None]


class GroupWriter:
    """Queues requests and commits them in groups on an executor with one worker."""

    def __init__(self, engine: Engine, place: Place, executor: Executor, right: Writer) -> None:
        self._engine = engine
        self._right = right
        self._place = place
        self._executor = executor
        self._queue: deque[_Request] = deque()
        self._lock = Lock()

    def submit(self, records: Sequence[Record]) -> Future[None]:
        """Queue records; the future is done when they are durable or refused."""
        request = _Request(records=tuple(records), done=Future())
        # A running future cannot be cancelled: from here on the records will be written.
        request.done.set_running_or_notify_cancel()
        with self._lock:
            self._queue.append(request)
        self._executor.submit(self._drain)
        return request.done

    def _take(self) -> list[_Request]:
        with self._lock:
            count = min(len(self._queue), GROUP_MAX)
            return [self._queue.popleft() for _ in range(count)]

    def _drain(self) -> None:
        group = self._take()
        if not group:
            return  # an earlier commit took these requests along
        failures: dict[int, Exception] = {}
        try:
            with self._engine.begin() as connection:
                self._right.assert_mine(connection)
                if len(group) == 1:
                    # Its error takes the whole transaction back: a savepoint would only cost time.
                    _apply_all(connection, group[0].records)
                else:
                    _apply_each(connection, group, failures)
        except Exception as error:  # noqa: BLE001 - nothing was committed: every caller must hear of it
            failures = dict.fromkeys(range(len(group)), error) | failures
        for index, request in enumerate(group):
            self._settle(request, failures.get(index))

    def _settle(self, request: _Request, error: Exception | None) -> None:
        if error is None:
            request.done.set_result(None)
        elif isinstance(error, JumarError):
            request.done.set_exception(error)
        else:
            failure = failed(self._place, error)
            failure.__cause__ = error
            request.done.set_exception(failure)


def _apply_all(connection: Connection, records: tuple[Record, ...]) -> None:
    for record in records:
        apply(connection, record)


def _apply_each(
    connection: Connection, group: list[_Request], failures: dict[int, Exception]
) -> None:
    """Write each caller's records behind a savepoint and note which callers did what wrong."""
    for index, request in enumerate(group):
        try:
            with savepoint(connection):
                _apply_all(connection, request.records)
        except FATAL:
            raise
        except Exception as error:  # noqa: BLE001 - handed to this caller, the others go on
            failures[index] = error
