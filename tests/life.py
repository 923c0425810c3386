"""One process of the engine: started, begun at a point of the story, killed, and what it said.

Starting a process takes as long as the machine likes; beginning to live does not. So they are two things: an
understudy has imported everything and waits, and becomes a life when it is told where to live.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any, Self

from tests.engines import PATIENCE_S

VICTIM = Path(__file__).parent / "process" / "victim.py"


class Life:
    """One process of the engine and what it says."""

    def __init__(
        self, process: asyncio.subprocess.Process, point: str | None, marker: Path, log: Path
    ) -> None:
        self.ticks: list[dict[str, Any]] = []
        self.incidents: list[dict[str, Any]] = []
        self.point = point
        self._process = process
        self._marker = marker
        self._log = log
        self._reader = asyncio.create_task(self._read())

    @property
    def dead(self) -> bool:
        """Whether the process has ended and all that it said is read."""
        return self._process.returncode is not None and self._reader.done()

    @property
    def readable(self) -> list[dict[str, Any]]:
        """The ticks that could read the position."""
        return [tick for tick in self.ticks if tick["position"] is not None]

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off by the kill
            said = json.loads(line)
            (self.incidents if "incident" in said else self.ticks).append(said)
        await self._process.wait()

    async def killed(self) -> None:
        """Wait for its end; fails unless it died of SIGKILL at its very point."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
        assert self._process.returncode == -signal.SIGKILL, self.story()
        assert self._marker.read_text() == (self.point or "").partition("#")[0]

    def freeze(self) -> None:
        """Let it stand still, wherever it is."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def ended(self) -> int:
        """Wait for its end by itself; returns its exit code."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
        assert self._process.returncode is not None
        return self._process.returncode

    async def kill(self) -> None:
        """Kill it from outside, wherever it stands."""
        if self._process.returncode is None:
            self._process.kill()
        await self._reader

    def story(self) -> str:
        """What it said last, for a test that fails."""
        ticks = [json.dumps(tick) for tick in self.ticks[-4:]]
        alarms = [json.dumps(alarm) for alarm in self.incidents[-6:]]
        complaints = self._log.read_text().splitlines()[-8:]
        return "\n".join([f"life of {self.point}:", *ticks, *alarms, *complaints])


class Understudy:
    """A process that has not begun to live."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        assert process.stdout is not None
        self._process = process
        self._log = log
        self._line = asyncio.create_task(process.stdout.readline())

    @classmethod
    async def called(cls, log: Path) -> Self:
        """Start a process that complains into this log."""
        with log.open("w") as complaints:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(VICTIM)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=complaints,
            )
        return cls(process, log)

    async def ready(self) -> None:
        """Wait until it could begin at once."""
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.shield(self._line) == b"ready\n", self._log.read_text()

    def begin(self, config: Path, point: str | None, marker: Path) -> Life:
        """Let it live as this file says, until its point where it has one."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{config}\n".encode())
        self._process.stdin.close()
        return Life(self._process, point, marker, self._log)

    async def dismissed(self) -> None:
        """End it: nobody needs it any more."""
        self._process.kill()
        await self._line
        await self._process.communicate()
