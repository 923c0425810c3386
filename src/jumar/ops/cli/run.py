"""`jumar run`: settings, logs and signals around one engine.

Promises an end within 5 s of SIGINT or SIGTERM, whatever the venue or the disk does: exit code 0, or 3 when it could
not be proven that no entry is left (what is there stays protected and journaled; the next start goes on). A second
signal ends the process at once. What the engine does when it stops is the engine's own promise (M-5).
"""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Protocol

import structlog

from jumar import __version__
from jumar.bootstrap.common import run_async
from jumar.bootstrap.engine import build_dry_engine, build_engine
from jumar.config import Environment, Settings, load_settings
from jumar.model.errors import ConfigError
from jumar.ops.cli.errors import naming
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure
from jumar.reports.wishes import WishObserver

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


def run(config: Path, log_format: LogFormat, *, dry_run: bool, as_json: bool) -> int:
    """Run until told to stop, as an engine that trades or as one that only says what it would send.

    Raises:
        ConfigError: the options, the configuration, the keys or the venue's answer forbid a start.
        VenueUnavailable: the venue does not answer.
        StoreUnavailable: the database cannot be opened.
    """
    if dry_run:
        return run_dry(config, log_format, as_json=as_json)
    if as_json:
        raise ConfigError("--json prints what a dry run would send: add --dry-run, or leave it out")
    return run_engine(config, log_format)


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


def run_dry(config: Path, log_format: LogFormat, *, as_json: bool) -> int:
    """Plan on live data and send nothing until told to stop; each wish is logged, and printed as JSON if asked for.

    Raises:
        ConfigError: the configuration, the keys or the venue's answer forbid a start.
        VenueUnavailable: the venue does not answer.
    """
    settings = load_settings(config, os.environ)
    configure(log_format, secrets=(settings.keys.api_key, settings.keys.api_secret))
    wishes = WishObserver(_Lines() if as_json else None)
    engine = build_dry_engine(settings, (LogObserver(), wishes))
    structlog.get_logger("jumar").warning(
        "DRY RUN: nothing is sent; memory only: the database is neither read nor written, so "
        "decisions from before this start are spent, and outcome.json is left alone"
    )
    with naming(settings.addresses.rest_url):
        return run_async(_until_stopped(engine, settings))


class _Lines:
    """Wishes as JSON lines on stdout; when nobody reads them any more the run is asked to end, once."""

    def __init__(self) -> None:
        self._unread = False

    def __call__(self, wish: dict[str, object]) -> None:
        if self._unread:
            return
        try:
            print(json.dumps(wish, ensure_ascii=False), flush=True)
        except BrokenPipeError:
            self._unread = True
            signal.raise_signal(signal.SIGTERM)


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
    if settings.environment is Environment.LIVE:
        log.warning("LIVE: real money of this account", confirmed=settings.account)
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
