"""Request parameters: text by name, converted on demand; a missing or malformed one is refused by its name.

The exchange prints names of parameters in lower case. Knows nothing of what a parameter is for.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from jumar.exchange.simulated.core.refusal import Refusal

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_INTEGER = re.compile(r"[0-9]{1,18}")


class Params:
    """The parameters of one request."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Whether the parameter was sent with a value."""
        return bool(self._values.get(name))

    def text(self, name: str) -> str:
        """A mandatory parameter.

        Raises:
            Refusal: -1102, when absent or empty.
        """
        value = self._values.get(name)
        if not value:
            raise Refusal(-1102, name=name.lower())
        return value

    def optional(self, name: str) -> str | None:
        """An optional parameter; empty counts as absent."""
        return self._values.get(name) or None

    def decimal(self, name: str) -> Decimal:
        """A mandatory decimal number in plain notation."""
        value = self.text(name)
        if not _DECIMAL.fullmatch(value):
            raise Refusal(-1102, name=name.lower())
        return Decimal(value)

    def integer(self, name: str, default: int | None = None) -> int:
        """An integer not below zero; mandatory without a default."""
        if default is not None and not self.has(name):
            return default
        value = self.text(name)
        if not _INTEGER.fullmatch(value):
            raise Refusal(-1102, name=name.lower())
        return int(value)

    def optional_integer(self, name: str) -> int | None:
        """An optional integer not below zero."""
        return self.integer(name) if self.has(name) else None

    def boolean(self, name: str, *, default: bool | None = None) -> bool:
        """`true` or `false` as text; mandatory without a default."""
        if default is not None and not self.has(name):
            return default
        value = self.text(name).lower()
        if value not in ("true", "false"):
            raise Refusal(-1102, name=name.lower())
        return value == "true"

    def forbid(self, name: str) -> None:
        """Refuse (-1106) a parameter that does not go with the others."""
        if self.has(name):
            raise Refusal(-1106, name=name.lower())
