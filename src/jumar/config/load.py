"""A file becomes settings: sections, keys, limits and their overrides, or one error with every problem.

Promises that relative paths begin at the file's own folder, wherever the engine is started, and that nothing is
read from the environment but the variables that the file names.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jumar.config import account, proof
from jumar.config.account import Addresses, Environment
from jumar.config.keys import FORBIDDEN, Keys, read_keys
from jumar.config.limits import BY_KEY, flattened, make_policy, read_limits
from jumar.config.problems import Problems, named, shown
from jumar.model.countdown import NOT_PROBED
from jumar.model.errors import ConfigError
from jumar.model.policy import Policy

_SECTIONS = ("account", "store", "decision", "levels", "limits", "symbols")
_KEYS_OF = {"account": account.KEYS, "store": ("url",), "decision": ("path",), "levels": ("path",)}
_SYMBOL = re.compile(r"^[A-Z0-9_]{2,40}$")
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgresql+psycopg://")
_SYMBOLS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Everything in the file but the keys: enough to ask the store and to judge a decision.

    Attributes:
        account: the account's name, part of every id.
        store_url: `sqlite:///` and an absolute path, or `postgresql://` and a database of a server.
        folder: that of the file; what lies beside a database on a server is kept there.
        decision_path: the watched file, or a folder that exists: then one file for each symbol.
        policies: the limits of each symbol, in the order of the file.
        no_dead_man: why the venue's dead man's switch may not be used, None where a probe has proven V-6 (E-7).
        levels_path: the watched levels, a file or a folder that exists; None: nobody writes any.
    """

    account: str
    environment: Environment
    addresses: Addresses
    store_url: str
    decision_path: Path
    policies: Mapping[str, Policy]
    levels_path: Path | None = None
    no_dead_man: str | None = NOT_PROBED
    folder: Path | None = None

    @property
    def recv_window_ms(self) -> int:
        """The account-wide receive window: how long a signed request may be underway."""
        return next(iter(self.policies.values())).recv_window_ms

    @property
    def lease_ttl_s(self) -> int:
        """The account-wide time of a lease on a server's database."""
        return next(iter(self.policies.values())).lease_ttl_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Outline):
    """Everything the engine needs to start: the outline and the keys."""

    keys: Keys


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read a configuration.

    Args:
        path: the TOML file.
        environ: the process's environment, for the variables that the file names.

    Raises:
        ConfigError: it cannot be read, or anything in it is wrong; names every problem.
    """
    data = _parse(path)
    problems = Problems(file=path)
    folder = path.resolve().parent
    outline = _outline(problems, data, folder)
    section = data.get("account")
    keys = read_keys(problems, section if isinstance(section, dict) else {}, environ, folder)
    problems.raise_if_any()
    return Settings(keys=keys, **{name: getattr(outline, name) for name in outline.__slots__})


def load_outline(path: Path) -> Outline:
    """Read a configuration without its keys, for what needs none: no environment variable has to be set.

    Raises:
        ConfigError: it cannot be read, or anything in it but the keys is wrong; names every problem.
    """
    data = _parse(path)
    problems = Problems(file=path)
    outline = _outline(problems, data, path.resolve().parent)
    problems.raise_if_any()
    return outline


def _outline(problems: Problems, data: Mapping[str, Any], folder: Path) -> Outline:
    _check_keys(problems, data)
    table = problems.table(data, "account")
    environment = account.read_environment(problems, table)
    name = account.read_name(problems, table)
    account.check_confirmed(problems, environment, name, table)
    addresses = account.read_addresses(problems, environment, table)
    return Outline(
        account=name,
        environment=environment or Environment.CUSTOM,
        addresses=addresses,
        store_url=_store_url(problems, data, folder),
        decision_path=_decision_path(problems, data, folder),
        policies=_policies(problems, data),
        levels_path=_levels_path(problems, data, folder),
        folder=folder,
        no_dead_man=proof.read_no_dead_man(problems, table, addresses, folder),
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}; give --config a file"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not text in UTF-8") from error
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error


def _check_keys(problems: Problems, data: Mapping[str, Any]) -> None:
    """Note every key that nobody reads; limits are judged where they are read."""
    for key, value in data.items():
        is_limit = key in BY_KEY or key == "targets"
        if key not in _SECTIONS and not is_limit:
            problems.unknown("", key, (*_SECTIONS, *BY_KEY))
        known = _KEYS_OF.get(key)
        if known is not None and isinstance(value, dict):
            for inner in value:
                _check_key(problems, key, inner, known)


def _check_key(problems: Problems, section: str, key: str, known: tuple[str, ...]) -> None:
    if key in known:
        return
    if key in FORBIDDEN:
        advice = (
            "a secret never stands in the configuration; use key_env and secret_env, or key_file"
        )
        problems.add(named(section, key), advice)
        return
    homes = [name for name, keys in _KEYS_OF.items() if key in keys]
    homes += ["limits"] if key in BY_KEY else []
    hint = f"it belongs in [{homes[0]}]" if homes else ""
    problems.unknown(section, key, known, hint)


def _store_url(problems: Problems, data: Mapping[str, Any], folder: Path) -> str:
    where = named("store", "url")
    table = problems.table(data, "store")
    if "url" not in table:
        problems.add(where, 'missing: name the database, like "sqlite:///jumar.db"')
        return ""
    url = problems.convert(where, table["url"], str)
    if url is None:
        return ""
    if url.startswith(_POSTGRESQL):
        return _server_url(problems, where, url)
    database = url.removeprefix(_SQLITE)
    if database in (url, "", ":memory:"):
        # The address may hold a password, so it is not repeated.
        advice = f'must be "{_SQLITE}" and a file, or "{_POSTGRESQL[0]}user@host:5432/database"'
        problems.add(where, advice)
    return f"{_SQLITE}{folder / database}"


def _server_url(problems: Problems, where: str, url: str) -> str:
    """The address of a database on a server; it is never repeated, for it may hold a password."""
    try:
        parts = urlsplit(url)
        password, _ = parts.password, parts.port
    except ValueError:
        problems.add(
            where, f'cannot be read; write it like "{_POSTGRESQL[0]}user@host:5432/database"'
        )
        return ""
    if password is not None or "password" in parse_qs(parts.query):
        advice = "holds a password; put it into a pgpass file or the variable PGPASSWORD"
        problems.add(where, f"{advice} and write only the user here")
    elif not parts.path.strip("/") or "/" in parts.path.strip("/"):
        problems.add(where, f'names no database; write "{_POSTGRESQL[0]}user@host:5432/database"')
    return url


def _levels_path(problems: Problems, data: Mapping[str, Any], folder: Path) -> Path | None:
    """The file or folder of levels; the section may be left out, but not be empty."""
    where = named("levels", "path")
    if "levels" not in data:
        return None
    table = problems.table(data, "levels")
    name = problems.convert(where, table["path"], str) if "path" in table else None
    if "path" not in table:
        problems.add(where, 'missing: name the watched file or folder, like "levels.json"')
    if name is None:
        return None
    path = folder / str(name)
    if not path.parent.is_dir():
        advice = f"its folder {path.parent} does not exist; make it"
        problems.add(f"{where} = {shown(name)}", advice)
    return path


def _decision_path(problems: Problems, data: Mapping[str, Any], folder: Path) -> Path:
    where = named("decision", "path")
    table = problems.table(data, "decision")
    if "path" not in table:
        problems.add(where, 'missing: name the watched file, like "decision.json"')
        return folder
    name = problems.convert(where, table["path"], str)
    if name is None:
        return folder
    path = folder / str(name)
    if str(name).endswith("/") and not path.is_dir():
        problems.add(f"{where} = {shown(name)}", f"the folder {path} does not exist; make it")
    elif not path.parent.is_dir():
        problems.add(
            f"{where} = {shown(name)}", f"its folder {path.parent} does not exist; make it"
        )
    return path


def _policies(problems: Problems, data: Mapping[str, Any]) -> dict[str, Policy]:
    shared = _shared_limits(problems, data)
    symbols = problems.table(data, "symbols")
    if not symbols:
        problems.add("[symbols]", "no symbol: add a section like [symbols.BTCUSDT]")
    if len(symbols) > _SYMBOLS_MAX:
        problems.add("[symbols]", f"{len(symbols)} symbols; at most {_SYMBOLS_MAX} in one engine")
    policies: dict[str, Policy] = {}
    for symbol, table in symbols.items():
        section = f"symbols.{symbol}"
        if not _SYMBOL.match(symbol):
            advice = "is not a symbol as the venue spells it"
            problems.add(f"[{section}]", f"{advice}; use capitals, like [symbols.{symbol.upper()}]")
        elif not isinstance(table, dict):
            problems.add(f"[{section}]", f"must be a table, not {shown(table)}")
        else:
            policy = _policy(problems, section, shared, flattened(table))
            if policy is not None:
                policies[symbol] = policy
    return policies


def _shared_limits(problems: Problems, data: Mapping[str, Any]) -> dict[str, Any]:
    """The limits of `[limits]`; at the top of the file they mean the same."""
    top = flattened({k: v for k, v in data.items() if k not in _SECTIONS})
    top = {key: value for key, value in top.items() if key in BY_KEY or key.startswith("targets.")}
    table = flattened(problems.table(data, "limits"))
    for key in top.keys() & table.keys():
        problems.add(key, "stands at the top of the file and in [limits]; keep one")
    found = read_limits(problems, "", top, of_symbol=False)
    found |= read_limits(problems, "limits", table, of_symbol=False)
    if "max_notional_usdt" in top.keys() | table.keys():
        found.setdefault("max_notional_usdt", None)  # given, but wrong: said once, where it stands
    return found


def _policy(
    problems: Problems, section: str, shared: Mapping[str, Any], table: Mapping[str, Any]
) -> Policy | None:
    own = read_limits(problems, section, table, of_symbol=True)
    if "max_notional_usdt" in table:
        own.setdefault("max_notional_usdt", None)
    return make_policy(problems, section, {**shared, **own})
