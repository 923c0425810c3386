"""`jumar run`: settings, logs and signals around one engine.

Promises an end within 5 s of SIGINT or SIGTERM, whatever the venue or the disk does: exit code 0, or 3 when it could
not be proven that no entry is left (what is there stays protected and journaled; the next start goes on). A second
signal ends the process at once. What the engine does when it stops is the engine's own promise (M-5).
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import Protocol

import structlog

from jumar import __version__
from jumar.bootstrap.common import run_async
from jumar.bootstrap.engine import build_engine
from jumar.config import Settings, load_settings
from jumar.ops.cli.errors import naming
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure

#: How long the engine may take to stop, of the 5 s that a process manager is promised.
STOP_S = 4.3
GIVE_UP_S = 0.2
UNPROVEN = 3


class Stoppable(Protocol):
    """What is needed of an engine here."""

    @property
    def settled(self) -> bool:
        """Whether nothing unproven was left behind."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop."""
        ...


def run_engine(config: Path, log_format: LogFormat) -> int:
    """Run until told to stop; return the exit code.

    Raises:
        ConfigError: the configuration, the keys or the venue's answer forbid a start.
        VenueUnavailable: the venue does not answer.
        StoreUnavailable: the database cannot be opened.
    """
    settings = load_settings(config, os.environ)
    configure(log_format, secrets=(settings.keys.api_key, settings.keys.api_secret))
    engine = build_engine(settings, (LogObserver(),))
    with naming(settings.addresses.rest_url):
        return run_async(_until_stopped(engine, settings))


async def _until_stopped(engine: Stoppable, settings: Settings) -> int:
    log = structlog.get_logger("jumar")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(number: signal.Signals) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)  # before it is said, so that a second one is not lost
        log.info("stopping", signal=number.name)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask_to_stop, number)
    log.info(
        "starting",
        version=__version__,
        account=settings.account,
        environment=settings.environment.value,
        symbols=" ".join(settings.policies),
    )
    running = asyncio.create_task(engine.run(stop))
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not await _ended(running):
        log.error(
            "stopped in the middle: nothing answers; what rests at the exchange keeps resting"
        )
        os._exit(UNPROVEN)
    if engine.settled:
        log.info("stopped")
        return 0
    log.warning("stopped, but it is not proven that no entry is left; start again to see to it")
    return UNPROVEN


async def _ended(running: asyncio.Task[None]) -> bool:
    """Wait for the engine's own end, then insist; whatever it raised is raised here."""
    done, _ = await asyncio.wait({running}, timeout=STOP_S)
    if not done:
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=GIVE_UP_S)
    if not done:
        return False
    if not running.cancelled():
        running.result()
    return True
