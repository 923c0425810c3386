"""A venue given on the command line instead of in a file: the same rules, in the words of the options.

Promises what the account section of a file promises: no address of real money, no secret in a message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jumar.config import account
from jumar.config.account import Addresses, Environment
from jumar.config.keys import Keys, read_keys
from jumar.config.problems import Problems, named
from jumar.model.errors import ConfigError

_FIELD = re.compile(re.escape(named(account.SECTION, "")) + r"(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where one account answers, and its keys."""

    environment: Environment
    addresses: Addresses
    keys: Keys


def load_venue(given: Mapping[str, str | None], environ: Mapping[str, str]) -> Venue:
    """Read options that are named as in the account section; what is None was not given.

    Args:
        given: environment, addresses, and the names of the variables that hold the keys.
        environ: the process's environment.

    Raises:
        ConfigError: anything is missing or wrong; names every problem by its option.
    """
    table = {name: value for name, value in given.items() if value is not None}
    problems = Problems(file=Path())
    environment = account.refuse_live(problems, account.read_environment(problems, table))
    addresses = account.read_addresses(problems, environment, table)
    keys = read_keys(problems, table, environ, Path())
    if problems.found:
        raise ConfigError("\n".join(_FIELD.sub(_as_option, problem) for problem in problems.found))
    return Venue(environment=environment or Environment.CUSTOM, addresses=addresses, keys=keys)


def _as_option(field: re.Match[str]) -> str:
    return "--" + field[1].replace("_", "-")
