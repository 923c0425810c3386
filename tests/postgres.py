"""A PostgreSQL server of the tests' own, and a fresh database for whoever asks.

Debian's server, on a socket in a temporary folder, with fsync as in production; started at the first question of a
test worker and ended by its process when the worker ends. It refuses to run as root, so there it runs as nobody.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import create_engine

from jumar.store.migrate import migrate

PORT = 5432
"""Part of the socket's name only: nothing listens on the network."""
_USER = "jumar"
_ENDS_WITHIN_S = 20
_ROOT = 0
_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


def binaries() -> Path | None:
    """Where the newest server on this machine is; None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


@dataclass
class Server:
    """One server; its data and its socket lie in one folder."""

    folder: Path
    tools: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """Where a database of it is."""
        return f"postgresql://{_USER}@/{database}?host={self.folder}&port={PORT}"

    def make(self) -> None:
        """Make its data and a migrated template."""
        if os.geteuid() == _ROOT:
            shutil.chown(self.folder, "nobody", "nogroup")
        self._run(
            "initdb",
            "--no-sync",
            "-D",
            "data",
            "-U",
            _USER,
            "-A",
            "trust",
            "--encoding=UTF8",
            "--locale=C",
        )
        self.start()
        self._ask("CREATE DATABASE blank")
        engine = create_engine(self.url("blank").replace("postgresql", "postgresql+psycopg", 1))
        with engine.begin() as connection:
            migrate(connection)
        engine.dispose()

    def start(self, *settings: str) -> None:
        """Start it with settings like `fsync=off` and wait until it answers."""
        always = ("listen_addresses=", f"unix_socket_directories={self.folder}")
        options = " ".join(f"-c {setting}" for setting in (*always, *settings))
        self._run("pg_ctl", "-D", "data", "-w", "-s", "-l", "log", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """End it by the process that its own file names; `immediate` is a crash."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", "data", "-w", "-s", "-m", how, "stop")

    def fresh(self, *, template: str = "template0", encoding: str = "UTF8") -> str:
        """Make a database and return its URL; of the template `blank` it has the tables already."""
        name = f"test{next(self._numbers)}"
        self._ask(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING '{encoding}'")
        return self.url(name)

    def _ask(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement))

    def _run(self, tool: str, *arguments: str) -> None:
        prefix = _NOBODY if os.geteuid() == _ROOT else ()
        done = subprocess.run(
            [*prefix, str(self.tools / tool), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ENDS_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{tool}: {done.stdout.decode()}")


@contextmanager
def running(tools: Path) -> Iterator[Server]:
    """A server that ends with the block."""
    # Not pytest's own folder: that one is closed to nobody, and a socket's path may be 107 bytes long.
    with tempfile.TemporaryDirectory(prefix="jumar-pg-") as folder:
        server = Server(Path(folder), tools)
        try:
            server.make()
            yield server
        finally:
            server.stop("immediate")  # nothing of it is kept
