"""`jumar run`: settings, logs and signals around one engine.

Promises an orderly end on SIGINT or SIGTERM: the engine is asked to stop and the exit code is 0. A second signal
ends the process at once. What the engine does when it stops is the engine's own promise.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from jumar import __version__
from jumar.bootstrap import build_engine, run_async
from jumar.config import Settings, load_settings
from jumar.model.errors import VenueUnavailable
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure


def run_engine(config: Path, log_format: LogFormat) -> None:
    """Run until told to stop.

    Raises:
        ConfigError: the configuration, the keys or the venue's answer forbid a start.
        VenueUnavailable: the venue does not answer.
        StoreUnavailable: the database cannot be opened.
    """
    settings = load_settings(config, os.environ)
    configure(log_format, secrets=(settings.keys.api_key, settings.keys.api_secret))
    engine = build_engine(settings, (LogObserver(),))
    try:
        run_async(_until_stopped(engine.run, settings))
    except VenueUnavailable as error:
        place = settings.addresses.rest_url
        message = f"{place} does not answer ({error}); check the address, or start again later"
        raise VenueUnavailable(message) from error


async def _until_stopped(
    engine: Callable[[asyncio.Event], Awaitable[None]], settings: Settings
) -> None:
    log = structlog.get_logger("jumar")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(each)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask_to_stop, number)
    log.info(
        "starting",
        version=__version__,
        account=settings.account,
        environment=settings.environment.value,
        symbols=" ".join(settings.policies),
    )
    await engine(stop)
    log.info("stopped")
