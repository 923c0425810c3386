"""One writer for one database: an exclusive lock on a file beside it, which names the process that holds it (X-7).

Promises that of all engines on one database, in one process or in many, one holds the lock; that the operating
system frees it with the process, however that ends; and that looking who holds it keeps nobody from taking it.
The file `<database>.lock` stays where it is when nobody holds it: whether it is held is the lock's word, never the
file's. Knows nothing of SQLite.

`flock`, because it belongs to one opening of the file: POSIX record locks would let two engines of one process in,
and would be lost when any reader in that process closes the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from jumar.model.errors import ConfigError, StoreUnavailable

# Whoever looks holds a shared lock for some microseconds; so often a look is repeated before it is given up.
_LOOKS = 1_000
# A start must not fail because somebody who looks was put aside by the system in the middle of it: this takes
# some tenths of a second.
_STARTS = 200_000
_PID_LENGTH_MAX = 32


def lock_file(database: Path) -> Path:
    """Return the lock file of a database; every symbolic link to the database leads to the same one."""
    place = database.resolve()
    return place.with_name(f"{place.name}.lock")


class WriterLock:
    """The right to write to one database, once taken until released or until the process ends."""

    def __init__(self, database: Path) -> None:
        """Name the database; nothing is taken yet."""
        self._database = database
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def take(self) -> None:
        """Take the lock and write this process's id into its file; a lock that is held stays held.

        Raises:
            ConfigError: another engine holds it (the message names its process), its file cannot be written, or
                the system has no such locks.
        """
        if self.held:
            return
        flock, place = _flock(), lock_file(self._database)
        try:
            file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unwritable(place, error) from error
        try:
            self._claim(flock, file, place)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def lost(self) -> str | None:
        """Why the lock no longer keeps others out, None while it does: its file was removed or replaced (X-7)."""
        if self._file is None:
            return "the lock is not held"
        place = lock_file(self._database)
        try:
            named, ours = place.stat(), os.fstat(self._file)
        except OSError as error:
            return f"the lock file {place} cannot be found ({error.strerror})"
        same = (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
        return None if same else f"the lock file {place} was replaced"

    def release(self) -> None:
        """Give the lock back; one that is not held stays so."""
        if self._file is None:
            return
        file, self._file = self._file, None
        os.close(file)

    def _claim(self, flock: ModuleType, file: int, place: Path) -> None:
        try:
            taken = _exclusive(flock, file)
            if taken:
                _write_pid(file, os.getpid())
        except OSError as error:
            raise _unwritable(place, error) from error
        if not taken:
            pid = _held_by(flock, file)
            owner = "another process" if pid is None else f"process {pid}"
            raise ConfigError(
                f"[store] url: {self._database} is in use by {owner} (lock file {place}): "
                "end that one first, or name another database"
            )


def holder(database: Path) -> int | None:
    """Return the id of the process whose engine holds a database's lock; None when none does.

    Raises:
        ConfigError: the system has no such locks.
        StoreUnavailable: the lock file cannot be read, or it is held and names nobody.
    """
    flock, place = _flock(), lock_file(database)
    try:
        with _opened(place) as file:
            for _ in range(_LOOKS):
                if _shared(flock, file):
                    return None
                pid = _held_by(flock, file)
                if pid is not None:
                    return pid
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreUnavailable(f"{place}: {error.strerror or error}") from error
    raise StoreUnavailable(f"{place}: held, but by whom it does not say")


@contextmanager
def _opened(place: Path) -> Iterator[int]:
    file = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def _exclusive(flock: ModuleType, file: int) -> bool:
    """Take the lock unless an engine holds it; those who only look at it are waited for."""
    for _ in range(_STARTS):
        if _try(flock, file, flock.LOCK_EX):
            return True
        if not _shared(flock, file):
            return False
        os.sched_yield()
    return False


def _shared(flock: ModuleType, file: int) -> bool:
    """Whether no engine holds the lock: only then is a shared one granted, which is given back at once."""
    if not _try(flock, file, flock.LOCK_SH):
        return False
    flock.flock(file, flock.LOCK_UN)
    return True


def _try(flock: ModuleType, file: int, kind: int) -> bool:
    try:
        flock.flock(file, kind | flock.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held_by(flock: ModuleType, file: int) -> int | None:
    """The process that wrote itself into a held lock's file; None when the lock was freed meanwhile.

    A killed process leaves its id behind, and between taking the lock and writing the id the next one has not yet
    replaced it: an id that belongs to no running process is therefore read again. What still stands after that is
    believed, for the processes of another container cannot be seen from here.
    """
    pid: int | None = None
    for _ in range(_LOOKS):
        text = os.pread(file, _PID_LENGTH_MAX, 0).strip()
        pid = int(text) if text.isdigit() else None
        if pid is not None and _runs(pid):
            return pid
        if _shared(flock, file):
            return None
        os.sched_yield()
    return pid


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _write_pid(file: int, pid: int) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, f"{pid}\n".encode(), 0)


def _unwritable(place: Path, error: OSError) -> ConfigError:
    said = error.strerror or error
    return ConfigError(
        f"[store] url: the lock file {place} cannot be written ({said}): "
        "give this user the right to, or name another database"
    )


def _flock() -> ModuleType:
    """The system's file locks.

    Raises:
        ConfigError: it has none.
    """
    try:
        import fcntl  # noqa: PLC0415 - absent on Windows
    except ImportError as error:
        raise ConfigError(
            "[store] url: SQLite needs flock, which this system has not; run on Linux or macOS"
        ) from error
    return fcntl
