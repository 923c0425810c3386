"""One writer for one database: the lock, who holds it, and every way in which it is given back."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jumar.model.errors import ConfigError, StoreUnavailable
from jumar.model.journal import Incident
from jumar.store import asked, lock
from jumar.store.journal import SqlStore
from jumar.store.lock import WriterLock, holder, lock_file
from jumar.store.writer import InlineExecutor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "jumar.db"


def gone() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.rule("X-7")
async def test_two_stores_of_one_process_exclude_each_other(path: Path) -> None:
    """The second is refused with the first's process and file; once the first is closed it may open."""
    first, second = SqlStore(f"sqlite:///{path}"), SqlStore(f"sqlite:///{path}")
    await first.open()
    with pytest.raises(ConfigError) as caught:
        await second.open()
    assert str(caught.value) == (
        f"[store] url: {path} is in use by process {os.getpid()} (lock file {path}.lock): "
        "end that one first, or name another database"
    )
    await first.close()
    await second.open()
    assert holder(path) == os.getpid()
    await second.close()
    assert holder(path) is None


@pytest.mark.rule("X-7")
async def test_the_lock_is_taken_before_anything_is_written(tmp_path: Path, path: Path) -> None:
    """A refused store has not even made the database: only the lock file is there."""
    taken = WriterLock(path)
    taken.take()
    store = SqlStore(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="in use by process"):
        await store.open()
    assert names(tmp_path) == ["jumar.db.lock"]
    await store.close()
    assert holder(path) == os.getpid()
    taken.release()


@pytest.mark.rule("X-7")
async def test_a_failed_open_gives_the_lock_back(path: Path) -> None:
    """A database that is refused is nobody's, and nothing can be written through the store that failed."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    store = SqlStore(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match="another program"):
        await store.open()
    assert holder(path) is None
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.write([])
    await store.close()


@pytest.mark.rule("X-7")
async def test_without_the_lock_nothing_is_written(path: Path) -> None:
    """Before opening and after closing a store writes nothing, whatever runs its statements."""
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor())
    told = [Incident(symbol=None, severity="info", rule="X-7", message="x", at_ms=1)]
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.write(told)
    await store.open()
    await store.close()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.write(told)
    assert asked.incidents_since(path, 0) == ()


@pytest.mark.rule("X-7")
async def test_opening_again_keeps_the_lock(path: Path) -> None:
    """One store that is opened twice holds the lock once and frees it with one close."""
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.open()
    assert holder(path) == os.getpid()
    await store.close()
    assert holder(path) is None


@pytest.mark.rule("X-7")
def test_every_name_of_a_database_leads_to_one_lock(tmp_path: Path, path: Path) -> None:
    """A link to the database, a link to its folder and a detour share the lock of the file itself."""
    (tmp_path / "link.db").symlink_to(path)
    (tmp_path / "folder").symlink_to(tmp_path)
    (tmp_path / "sub").mkdir()
    names = (
        tmp_path / "link.db",
        tmp_path / "folder" / "jumar.db",
        tmp_path / "sub/../jumar.db",
    )
    taken = WriterLock(path)
    taken.take()
    for name in names:
        assert lock_file(name) == lock_file(path)
        assert holder(name) == os.getpid()
        with pytest.raises(ConfigError, match="in use"):
            WriterLock(name).take()
    taken.release()


@pytest.mark.rule("X-7")
def test_other_databases_are_other_locks(tmp_path: Path) -> None:
    """Two databases in one folder are held side by side."""
    locks = [WriterLock(tmp_path / name) for name in ("one.db", "two.db", "one")]
    for each in locks:
        each.take()
    for each in locks:
        assert each.held
        each.release()


@pytest.mark.rule("X-7")
@pytest.mark.parametrize("text", ["", "4711\n", "not a number"])
def test_the_holder_is_told_by_the_lock_not_by_the_file(path: Path, text: str) -> None:
    """A file that a killed process left behind names nobody, and does not keep the next one out."""
    assert holder(path) is None
    lock_file(path).write_text(text)
    assert holder(path) is None
    taken = WriterLock(path)
    taken.take()
    assert holder(path) == os.getpid()
    assert lock_file(path).read_text() == f"{os.getpid()}\n"
    taken.release()
    assert holder(path) is None
    assert lock_file(path).exists()


@pytest.mark.rule("X-7")
def test_looking_takes_nothing(path: Path) -> None:
    """While one thread keeps asking who holds it, the lock is taken and given back a thousand times."""
    ended = threading.Event()
    seen: set[int | None] = set()

    def look() -> None:
        while not ended.is_set():
            seen.add(holder(path))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        taken = WriterLock(path)
        for _ in range(1_000):
            taken.take()
            taken.release()
    finally:
        ended.set()
        looking.join()
    assert seen <= {None, os.getpid()}


@pytest.mark.rule("X-7")
def test_an_id_not_yet_written_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between taking the lock and writing its id, a dead process's id is not told as the holder's."""
    lock_file(path).write_text(f"{gone()}\n")
    late = threading.Timer(0, lambda: None)

    def write_late(file: int, pid: int) -> None:
        nonlocal late
        late = threading.Timer(0.002, lambda: os.pwrite(file, f"{pid}\n".encode().ljust(16), 0))
        late.start()

    monkeypatch.setattr(lock, "_write_pid", write_late)
    monkeypatch.setattr(lock, "_LOOKS", 1_000_000)
    taken = WriterLock(path)
    taken.take()
    assert holder(path) == os.getpid()
    late.join()
    taken.release()


@pytest.mark.rule("X-7")
def test_a_process_that_cannot_be_seen_is_believed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder in another container is no process here: its id is told all the same, an empty file is an error."""
    hidden = gone()
    monkeypatch.setattr(lock, "_write_pid", lambda file, _: os.pwrite(file, b"%d\n" % hidden, 0))
    taken = WriterLock(path)
    taken.take()
    assert holder(path) == hidden
    lock_file(path).write_text("")
    with pytest.raises(StoreUnavailable, match="by whom it does not say"):
        holder(path)
    with pytest.raises(ConfigError, match="in use by another process"):
        WriterLock(path).take()
    taken.release()


@pytest.mark.rule("X-7")
def test_a_lock_file_that_cannot_be_used_is_named(path: Path) -> None:
    """Something else in the lock file's place is told with its name and the fix."""
    lock_file(path).mkdir()
    with pytest.raises(ConfigError, match=r"\[store\] url: the lock file .*jumar\.db\.lock cannot"):
        WriterLock(path).take()


@pytest.mark.rule("X-7")
def test_a_system_without_such_locks_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without flock the start is refused with the way out, never made without a lock."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(ConfigError, match="run on Linux or macOS"):
        WriterLock(path).take()
