"""What several commands need: a venue's addresses and keys, a moment as it is written, an event loop."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from jumar.config import Outline, Settings, Venue
from jumar.exchange.binance import Credentials, Endpoints, HostQuota
from jumar.model.errors import ConfigError
from jumar.store import queries
from jumar.store.emergency import EmergencyFile, emergency_file
from jumar.store.journal import SqlStore
from jumar.store.lease import LeaseTerms
from jumar.store.place import Place, parse


def terms_of(of: Settings | Venue) -> dict[str, Any]:
    """The `endpoints` and `credentials` of what speaks to a venue.

    Raises:
        ConfigError: an address or a key that cannot be used.
    """
    addresses, keys = of.addresses, of.keys
    endpoints = Endpoints(
        rest_url=addresses.rest_url,
        stream_url=addresses.stream_url,
        ws_api_url=addresses.ws_api_url,
    )
    credentials = Credentials(key=keys.api_key, secret=keys.api_secret)
    return {"endpoints": endpoints, "credentials": credentials}


def quota_of(settings: Settings) -> HostQuota:
    """What all engines on this machine use of the address that they ask from (W-4)."""
    return HostQuota.of_address(settings.addresses.rest_url)


def journal_of(outline: Outline) -> Place:
    """The database of a configuration; what lies beside one on a server is kept in the configuration's folder.

    Raises:
        ConfigError: the URL names no database.
    """
    return parse(outline.store_url, outline.folder)


def store_of(settings: Settings, database: Place) -> SqlStore:
    """The store of an engine on a database; nothing is opened yet."""
    terms = LeaseTerms(ttl_ms=settings.lease_ttl_s * 1000, recv_window_ms=settings.recv_window_ms)
    return SqlStore(database, terms=terms)


def emergency_of(database: Place) -> EmergencyFile | None:
    """Where what protects is journaled while the database cannot be written (M-4); None where no folder is known."""
    if database.base is None:
        return None
    return emergency_file(database.base, lambda: queries.journaled_ids(database))


def moment(option: str, text: str | None) -> int | None:
    """An ISO time as milliseconds since 1970; without an offset it is UTC.

    Raises:
        ConfigError: it is no time; the message names the option.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        example = "2025-12-05T10:04:50Z"
        raise ConfigError(f"{option}: {text!r} is not a time; write it like {example}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def run_async[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where it is installed (Windows has none)."""
    try:
        from uvloop import new_event_loop  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)
