"""The account section: which venue, at which addresses.

Promises that a configuration reaches real money only when it says so twice: `environment = "live"`, and the account's
name again in `live_confirmed`. An address that belongs to the production venue is refused everywhere else. Does not
know whether anybody answers there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from jumar.config.problems import Problems, listed, named, shown

SECTION = "account"
NAME_LENGTH_MAX = 64


class Environment(StrEnum):
    """Where the engine trades."""

    LIVE = "live"
    DEMO = "demo"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The three doors of a venue, without a path for REST and streams."""

    rest_url: str
    stream_url: str
    ws_api_url: str


LIVE = Addresses(
    rest_url="https://fapi.binance.com",
    stream_url="wss://fstream.binance.com",
    ws_api_url="wss://ws-fapi.binance.com/ws-fapi/v1",
)
"""Binance's production venue, as its documents name it. Nothing here was ever run against it."""

DEMO = Addresses(
    rest_url="https://demo-fapi.binance.com",
    stream_url="wss://demo-fstream.binance.com",
    ws_api_url="wss://testnet.binancefuture.com/ws-fapi/v1",
)
"""Binance's demo exchange: "Important CM-UM Integration Notice" (2026-09) names the first two, the official
connector's constants the third. Nothing here was ever run against them."""

_SCHEMES = {
    "rest_url": ("http", "https"),
    "stream_url": ("ws", "wss"),
    "ws_api_url": ("ws", "wss"),
}
_PRODUCTION = "binance.com"
_DEMO_PREFIX = "demo-"
_OWN_ADDRESSES = {
    Environment.LIVE: (LIVE, "the live venue has its own address; remove it"),
    Environment.DEMO: (
        DEMO,
        'the demo exchange has its own address; remove it, or set environment = "custom"',
    ),
}

KEYS = (
    "name",
    "environment",
    "live_confirmed",
    *_SCHEMES,
    "key_env",
    "secret_env",
    "key_file",
    "probe_report",
)


def read_name(problems: Problems, table: Mapping[str, Any]) -> str:
    """Return the account's name: part of every decision id and order id, so it must never change."""
    where = named(SECTION, "name")
    if "name" not in table:
        problems.add(
            where, 'missing: give the account a name that never changes, like name = "main"'
        )
        return ""
    name = problems.convert(where, table["name"], str)
    if name is not None and not (name.strip() == name and 0 < len(name) <= NAME_LENGTH_MAX):
        advice = f"must be 1 to {NAME_LENGTH_MAX} characters without spaces at the ends"
        problems.add(f"{where} = {shown(name)}", advice)
    return str(name)


def read_environment(problems: Problems, table: Mapping[str, Any]) -> Environment | None:
    """Return the environment, None when it is missing or unknown."""
    where = named(SECTION, "environment")
    if "environment" not in table:
        problems.add(where, f"missing: must be {listed(Environment)}")
        return None
    value = table["environment"]
    if value in tuple(Environment):
        return Environment(value)
    problems.add(f"{where} = {shown(value)}", f"must be {listed(Environment)}")
    return None


def refuse_live(problems: Problems, environment: Environment | None) -> Environment | None:
    """Return the environment unless it is real money, for what must never be tried there."""
    if environment is not Environment.LIVE:
        return environment
    where = named(SECTION, "environment")
    advice = (
        'refused: this must never meet real money; use "demo", or "custom" for a simulated exchange'
    )
    problems.add(f'{where} = "live"', advice)
    return None


def check_confirmed(
    problems: Problems, environment: Environment | None, name: str, table: Mapping[str, Any]
) -> None:
    """Real money takes two deliberate words: the environment, and the account's name once more.

    A confirmation that lies about in a file for another environment would make it one word, so it is refused there.
    """
    where, given = named(SECTION, "live_confirmed"), table.get("live_confirmed")
    if environment is not Environment.LIVE:
        if given is not None and environment is not None:
            advice = f'confirms real money, but environment = "{environment}"; remove it'
            problems.add(where, advice)
        return
    wanted = f"live_confirmed = {shown(name)}" if name else "it, with the account's name"
    if given is None:
        advice = f'missing: environment = "live" trades real money; confirm it with {wanted}'
        problems.add(where, advice)
    elif given != name or not isinstance(given, str):
        advice = f"is not the account's name, letter by letter; to trade real money write {wanted}"
        problems.add(f"{where} = {shown(given)}", advice)


def read_addresses(
    problems: Problems, environment: Environment | None, table: Mapping[str, Any]
) -> Addresses:
    """Return the addresses of the environment; a custom one must state all three."""
    if environment in _OWN_ADDRESSES:
        own, advice = _OWN_ADDRESSES[environment]
        for key in _SCHEMES.keys() & table.keys():
            problems.add(named(SECTION, key), advice)
        return own
    urls = {key: _address(problems, key, table, environment) for key in _SCHEMES}
    return Addresses(**urls)


def _address(
    problems: Problems, key: str, table: Mapping[str, Any], environment: Environment | None
) -> str:
    where, schemes = named(SECTION, key), _SCHEMES[key]
    example = f"{schemes[0]}://127.0.0.1:8080"
    if key not in table:
        if environment is Environment.CUSTOM:
            problems.add(where, f'missing: environment = "custom" needs it, like "{example}"')
        return ""
    url = problems.convert(where, table[key], str)
    if url is None:
        return ""
    if not _is_address(url, schemes):
        advice = f"must be an address that begins with {listed(f'{s}://' for s in schemes)}, like {example}"
        problems.add(f"{where} = {shown(url)}", advice)
    elif _is_production(url):
        advice = (
            'belongs to the production venue, which only environment = "live" reaches; remove it'
        )
        problems.add(f"{where} = {shown(url)}", advice)
    return str(url).rstrip("/")


def _is_address(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and port_is_sane


def _is_production(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    belongs = host == _PRODUCTION or host.endswith(f".{_PRODUCTION}")
    return belongs and not host.startswith(_DEMO_PREFIX)
