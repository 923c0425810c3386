"""What clients asked for that this exchange does not have: addresses, parameters, methods and streams.

A client often does not say so: it swallows the error, its parameter has no effect, its stream stays silent. Each
unknown thing is told once, when it is met first, and kept with how often it was met, for `GET /sim/unknown`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

type Json = dict[str, str | int]

#: Read before a request reaches its handler, or about the answer's form only.
CREDENTIALS = frozenset({"apiKey", "timestamp", "signature", "recvWindow", "returnRateLimits"})
KEPT_MAX = 1000


class Read(Mapping[str, str]):
    """Parameters that remember which of them were looked at."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._looked_at = set(CREDENTIALS)

    def __getitem__(self, name: str) -> str:
        self._looked_at.add(name)
        return self._values[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As every mapping's, without the exception that would say so: most parameters are not sent."""
        self._looked_at.add(name)
        return self._values.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def ignored(self) -> list[str]:
        """The parameters with a value that nobody looked at, by name."""
        sent = {name for name, value in self._values.items() if value}
        return sorted(sent - self._looked_at)


class Unknown:
    """The list of what was asked for in vain.

    Args:
        tell: gets one line about each thing that is met for the first time.
    """

    def __init__(self, tell: Callable[[str], None] = lambda _line: None) -> None:
        self._tell = tell
        self._times: dict[tuple[str, str, str], int] = {}

    @property
    def rows(self) -> list[Json]:
        """All of it in the order it was met: what it is, its name, by which request or path, how often."""
        return [
            {"what": what, "name": name, "at": at, "times": times}
            for (what, name, at), times in self._times.items()
        ]

    def address(self, method: str, path: str) -> None:
        """A request that this exchange does not have."""
        self._note("address", path, method)

    def parameter(self, name: str, method: str, path: str) -> None:
        """A parameter of an answered request that nobody looked at."""
        self._note("parameter", name, f"{method} {path}")

    def method(self, name: str) -> None:
        """A method that the WebSocket API does not have."""
        self._note("method", name, "/ws-fapi/v1")

    def stream(self, name: str, route: str) -> None:
        """A stream that this exchange does not have, or does not deliver by that route."""
        self._note("stream", name, f"/{route}")

    def _note(self, what: str, name: str, at: str) -> None:
        entry = (what, name, at)
        if entry not in self._times:
            if len(self._times) >= KEPT_MAX:
                return
            self._tell(f"unknown {what} {name!r} of {at}")
            self._times[entry] = 0
        self._times[entry] += 1
