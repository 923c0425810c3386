"""Files of Binance's public archive."""

from collections.abc import Callable
from pathlib import Path

from jumar.bootstrap.common import run_async
from jumar.exchange.simulated.market.fetch import FetchError, Got, fetch, wanted_from
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.ports.clock import SystemClock


def fetch_market(
    *,
    symbol: str,
    begin: str,
    end: str | None,
    kinds: str,
    into: Path,
    base_url: str | None,
    tell: Callable[[str], None],
) -> list[Got]:
    """Fetch files of Binance's public archive, as the command line says which; `tell` hears how it goes.

    Raises:
        ConfigError: an option that cannot be used; the message names it.
        VenueUnavailable: the archive cannot be reached, or the disk cannot take it.
    """
    try:
        wanted = wanted_from(
            symbol=symbol, begin=begin, end=end, kinds=kinds, into=into, base_url=base_url
        )
        return run_async(fetch(wanted, SystemClock(), tell))
    except ValueError as error:
        raise ConfigError(str(error)) from error
    except FetchError as error:
        raise VenueUnavailable(str(error)) from error
