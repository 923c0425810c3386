"""The demo's processes: started in sessions of their own, watched, ended one by one by their own id.

Promises that no process outlives the `Children` that started it, whatever ends the demo: after a kill they end by
themselves, because each holds the reading end of a pipe whose other end is the demo's (see `leash.py`). A process
that dies early is reported with the end of its log, unless it was `kill` that ended it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from jumar.model.errors import ConfigError, JumarError

TAIL_LINES = 15
END_S = 10.0
LEASH = "jumar.ops.demo.leash"
_BAD_INPUT = 2


class ChildDied(JumarError):  # noqa: N818 - the name says what happened
    """A process of the demo ended before it was asked to."""


class Child:
    """One running process."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    def complaint(self) -> JumarError:
        """Why it ended, from its own words."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        if self._process.returncode == _BAD_INPUT and lines:
            return ConfigError(lines[-1].removeprefix("jumar: "))
        tail = "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
        status = self._process.returncode
        said = f"the end of {self._log.name}:\n{tail}" if lines else "it said nothing"
        return ChildDied(f"the {self.name} ended early (status {status}); {said}")

    async def kill(self) -> None:
        """End it at once, without asking."""
        if self.running:
            self._process.kill()
        await self._process.wait()

    async def end(self) -> int:
        """Ask it to end, and insist after a while; returns its exit status (negative: the signal's number)."""
        if self.running:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), END_S)
            except TimeoutError:
                self._process.kill()
        return await self._process.wait()


class Children:
    """The processes of one run; an async context manager."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    async def start(
        self, name: str, arguments: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> Child:
        """Start a Python module as a process of its own, with everything it says at the end of one log.

        Args:
            name: for messages.
            arguments: after `python -m`.
            environ: added to this process's environment.
            log: where its stdout and stderr go.
        """
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                LEASH,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=out,
                stderr=out,
                env={**os.environ, **environ},
                # A session of its own: Ctrl-C reaches the demo alone, which ends the processes in order.
                start_new_session=True,
            )
        child = Child(name, process, log)
        self._all.append(child)
        return child

    async def kill(self, child: Child) -> None:
        """End a process as a lost machine would, with nothing said before; from then on nobody misses it."""
        self._all.remove(child)
        await child.kill()

    def check(self) -> None:
        """Complain when a process has ended by itself.

        Raises:
            ChildDied: one has.
            ConfigError: one has, because of what it was asked to do.
        """
        for child in self._all:
            if not child.running:
                raise child.complaint()

    async def end(self, *children: Child) -> None:
        """End processes in the given order.

        Raises:
            ChildDied: one did not end in an orderly way.
        """
        for child in children:
            status = await child.end()
            if status not in {0, -signal.SIGTERM}:
                raise child.complaint()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for child in reversed(self._all):
            await child.end()
