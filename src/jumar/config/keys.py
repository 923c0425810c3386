"""The keys: from the environment variables that the configuration names, or from a key file of mode 0600.

Promises that a secret never stands in the configuration, in a message or in the `repr` of a value. Does not
check what the venue thinks of a key.
"""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jumar.config.account import SECTION
from jumar.config.problems import Problems, named

FORBIDDEN = ("api_key", "api_secret", "key", "secret", "private_key", "password")
"""Keys under which people write secrets; they get an answer of their own."""

_MODE_TOO_OPEN = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """An API key and its secret: an HMAC secret, or the text of an Ed25519 private key in PEM."""

    api_key: str
    api_secret: str = field(repr=False)


def read_keys(
    problems: Problems, table: Mapping[str, Any], environ: Mapping[str, str], folder: Path
) -> Keys:
    """Return the keys; a missing or unreadable one is noted and left empty.

    Args:
        problems: where to note them.
        table: the account section.
        environ: the process's environment.
        folder: where a relative `key_file` begins.
    """
    if "key_file" in table:
        for other in ("key_env", "secret_env"):
            if other in table:
                advice = "contradicts key_file; keep one of the two"
                problems.add(named(SECTION, other), advice)
        return _from_file(problems, table["key_file"], folder)
    values = [_from_environment(problems, key, table, environ) for key in ("key_env", "secret_env")]
    return Keys(api_key=values[0], api_secret=values[1])


def _from_environment(
    problems: Problems, key: str, table: Mapping[str, Any], environ: Mapping[str, str]
) -> str:
    where = named(SECTION, key)
    if key not in table:
        advice = "missing: name the environment variable, or use key_file"
        problems.add(where, advice)
        return ""
    variable = problems.convert(where, table[key], str)
    if variable is None:
        return ""
    value = environ.get(variable, "").strip()
    if not value:
        # The name is not repeated when it may be the secret itself, written in the wrong place.
        spelled = f'"{variable}"' if variable.isidentifier() and variable.isupper() else "it names"
        advice = (
            f"the environment variable {spelled} is not set or empty; export it before the start"
        )
        problems.add(where, advice)
    return value


def _from_file(problems: Problems, value: Any, folder: Path) -> Keys:
    where = named(SECTION, "key_file")
    empty = Keys(api_key="", api_secret="")
    name = problems.convert(where, value, str)
    if name is None:
        return empty
    path = folder / name
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.add(where, f"{path} cannot be read: {error.strerror}")
        return empty
    except ValueError:  # its text may be the secret: the parser's message is not repeated
        problems.add(where, f"{path} must hold two lines, api_key and api_secret, each in quotes")
        return empty
    if mode & _MODE_TOO_OPEN:
        advice = f"{path} has mode {mode:04o}: others can read it; run chmod 600 {path}"
        problems.add(where, advice)
    return _content(problems, path, content)


def _content(problems: Problems, path: Path, content: Mapping[str, Any]) -> Keys:
    found: dict[str, str] = {}
    for key in ("api_key", "api_secret"):
        value = content.get(key)
        usable = isinstance(value, str) and value.strip()
        if not usable:
            advice = f"{path} lacks {key}, as text in quotes"
            problems.add(named(SECTION, "key_file"), advice)
        found[key] = str(value).strip() if usable else ""
    return Keys(**found)
