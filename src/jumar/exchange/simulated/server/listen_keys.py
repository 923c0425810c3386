"""Listen keys: one per account, valid for an hour, extended by a PUT, shared by everybody who asks.

As published (Binance USDⓈ-M user data streams): a second POST returns the same key and prolongs it; a DELETE closes
it for all. Holds no sockets.
"""

from collections.abc import Callable

from jumar.exchange.simulated.core.refusal import Refusal

LIFE_MS = 3_600_000


class ListenKeys:
    """The account's listen key.

    Args:
        draw: makes a new, unguessable key.
    """

    def __init__(self, draw: Callable[[], str]) -> None:
        self._draw = draw
        self._key: str | None = None
        self._expires_ms = 0

    def start(self, now_ms: int) -> str:
        """The valid key, or a new one; prolonged."""
        if self._key is None or now_ms >= self._expires_ms:
            self._key = self._draw()
        self._expires_ms = now_ms + LIFE_MS
        return self._key

    def extend(self, now_ms: int) -> str:
        """Prolong the key.

        Raises:
            Refusal: -1125, there is none.
        """
        if self._key is None or now_ms >= self._expires_ms:
            raise Refusal(-1125)
        self._expires_ms = now_ms + LIFE_MS
        return self._key

    def stop(self) -> None:
        """End the key for everybody; nothing happens without one."""
        self._key = None

    def run_out(self, now_ms: int) -> bool:
        """Have the key's time be over now; says whether there was one."""
        if self._key is None or now_ms >= self._expires_ms:
            return False
        self._expires_ms = now_ms
        return True

    def expired(self, now_ms: int) -> str | None:
        """The key that has just run out, told once."""
        if self._key is None or now_ms < self._expires_ms:
            return None
        key, self._key = self._key, None
        return key

    def valid(self, key: str, now_ms: int) -> bool:
        """Whether events go out under `key`."""
        return key == self._key and now_ms < self._expires_ms
