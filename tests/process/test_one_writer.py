"""One writer over real processes: the second is refused, a killed one leaves nothing that must be removed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.engines import staged

from jumar.model.errors import ConfigError
from jumar.store.journal import SqlStore
from jumar.store.lock import holder

WRITER = """
import asyncio, sys
from jumar.model.errors import ConfigError
from jumar.store.journal import SqlStore
async def main():
    store = SqlStore(sys.argv[1])
    try:
        await store.open()
    except ConfigError as error:
        sys.exit(str(error))
    print("open", flush=True)
    sys.stdin.readline()
    await store.close()
asyncio.run(main())
"""


@contextmanager
def writer(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that opens the database and holds it until a line arrives on its stdin."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Its next line, waited for."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.rule("X-7")
async def test_a_second_process_is_refused_by_name_and_a_killed_one_frees(tmp_path: Path) -> None:
    """The refusal names the first process; after kill -9 the next one opens with nothing removed by hand."""
    path = tmp_path / "jumar.db"
    url = f"sqlite:///{path}"
    with writer(url) as first:
        assert said(first) == "open"
        assert holder(path) == first.pid
        with writer(url) as second:
            _, complaint = second.communicate()
            assert second.returncode == 1
            assert f"{path} is in use by process {first.pid} (lock file {path}.lock)" in complaint
        here = SqlStore(url)
        with pytest.raises(ConfigError, match=f"in use by process {first.pid} "):
            await here.open()
        await here.close()
        assert holder(path) == first.pid
        first.kill()
        assert first.wait() == -signal.SIGKILL
    assert (tmp_path / "jumar.db.lock").read_text() == f"{first.pid}\n"
    assert holder(path) is None
    with writer(url) as third:
        assert said(third) == "open"
        assert holder(path) == third.pid
        third.communicate("\n")
        assert third.returncode == 0
    assert holder(path) is None


@pytest.mark.rule("X-7")
async def test_a_second_engine_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """An engine on a database in use does not start and touches nothing; the first enters as if alone."""
    async with staged(tmp_path) as stage:
        with writer(f"sqlite:///{tmp_path / 'jumar.db'}") as other:
            assert said(other) == "open"
            with pytest.raises(ConfigError, match=f"in use by process {other.pid} "):
                await stage.start_engine()
            assert await stage.alive() == {}
            other.communicate("\n")
        await stage.start_engine()
        stage.decide()
        await stage.until_alive("S1", "E1")
