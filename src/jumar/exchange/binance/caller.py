"""What carries a request to the venue and its answer back, whatever the way: HTTP, or a simulation in one process."""

from abc import ABC, abstractmethod
from enum import Enum

from jumar.exchange.binance import wire
from jumar.exchange.binance.lanes import Lane
from jumar.exchange.binance.outcomes import Answer, Reply, read_error
from jumar.exchange.binance.signing import Params
from jumar.model.errors import VenueUnavailable

READ_TIMEOUT_MS = 2000
"""A lost answer costs so much: whoever reads the truth of a position must be able to ask again soon."""


class Security(Enum):
    """What a request carries: nothing, the key alone, or key, timestamp and signature."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


class Caller(ABC):
    """Sends requests, each once; never raises for the network."""

    @abstractmethod
    async def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        security: Security = Security.SIGNED,
        timestamp_ms: int | None = None,
        timeout_ms: int = READ_TIMEOUT_MS,
        lane: Lane = Lane.READ,
    ) -> Reply:
        """Send one request once, or not at all where its lane has no room (W-4).

        `timestamp_ms` is signed, exchange time now when not given.
        """

    async def read[T](
        self,
        path: str,
        params: Params,
        shape: type[T],
        *,
        security: Security = Security.SIGNED,
        timeout_ms: int = READ_TIMEOUT_MS,
        lane: Lane = Lane.READ,
    ) -> T:
        """Ask one question.

        Raises:
            VenueUnavailable: no usable answer, or not asked: its lane has no room.
            VenueRefused: the venue answered with a code.
        """
        reply = await self.call(
            "GET", path, params, security=security, timeout_ms=timeout_ms, lane=lane
        )
        return self.unwrap(reply, path, shape)

    @staticmethod
    def unwrap[T](reply: Reply, path: str, shape: type[T]) -> T:
        """Return the content of a reply; raises as `read` does."""
        error = read_error(reply, path)
        if error is not None:
            raise error
        try:
            return wire.decode(reply.body if isinstance(reply, Answer) else b"", shape)
        except wire.WireError as unreadable:
            raise VenueUnavailable(f"{path}: answer cannot be read: {unreadable}") from None
