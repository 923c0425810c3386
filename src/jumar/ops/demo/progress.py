"""How far a run in virtual time is: one line that stands on a terminal, a line every few seconds elsewhere.

Promises to look at the machine's clock and at the caller's figures only, and to hold nobody up. Decides nothing.
"""

from datetime import UTC, datetime
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from jumar.ports.clock import Clock

LIVE_EVERY_S = 0.25
PLAIN_EVERY_S = 5.0


class Progress:
    """Shows one run; a context manager.

    Args:
        clock: the machine's.
        seconds: how long the run lasts, virtual.
        begin_ms: exchange time of its beginning.
        live: whether a line that changes is wanted, where there is a terminal for it.
        name: what is said before each line.
    """

    def __init__(
        self, clock: Clock, *, seconds: float, begin_ms: int, live: bool, name: str = ""
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._begin_ms = begin_ms
        self._name = name
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        if live and self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._began_s = self._said_s = clock.monotonic()

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def wall_s(self) -> float:
        """Seconds of this machine since the beginning."""
        return self._clock.monotonic() - self._began_s

    def say(self, message: str) -> None:
        """Say one thing."""
        self._console.print(f"{self._name}{message}", markup=False, soft_wrap=True)

    def show(self, now_s: float, trades: int) -> None:
        """Show how far it is, when that was last shown a while ago.

        Args:
            now_s: virtual seconds since the beginning.
            trades: how many positions were opened so far.
        """
        at_s = self._clock.monotonic()
        every_s = PLAIN_EVERY_S if self._live is None else LIVE_EVERY_S
        if at_s - self._said_s < every_s:
            return
        self._said_s = at_s
        line = self.line(now_s, trades)
        if self._live is None:
            self.say(line)
        else:
            self._live.update(Text(f"{self._name}{line}"), refresh=True)

    def line(self, now_s: float, trades: int) -> str:
        """Percent of the path, virtual date, trades, and how many virtual seconds pass in one of this machine's."""
        share = min(now_s / self._seconds, 1)
        moment = datetime.fromtimestamp(self._begin_ms / 1000 + now_s, UTC)
        pace = now_s / max(self.wall_s, 0.001)
        return (
            f"{share:4.0%}  {moment:%Y-%m-%d %H:%M}  {trades} trades  {pace:,.0f} times real time"
        )
