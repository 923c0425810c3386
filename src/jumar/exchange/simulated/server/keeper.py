"""Keeps one WebSocket alive, and ends it: pings, pongs that must come, a day of life, a pace of messages.

Both kinds of connection have the same rules (general info of the streams and of the WebSocket API, 2026-09): a ping every
three minutes, the end after ten minutes without a pong or after 24 hours. An unasked pong counts for nothing.
"""

from collections.abc import Callable

from aiohttp import WSCloseCode, web

from jumar.ports.clock import Clock

PING_S = 180.0
PONG_S = 600.0
LIFE_S = 86_400.0


class Keeper:
    """Watches over one socket that does not answer pings by itself.

    Args:
        drop: resets the connection.
        most: how many messages a second are allowed; None for any number.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        clock: Clock,
        drop: Callable[[], None],
        most: int | None = None,
    ) -> None:
        self._socket = socket
        self._clock = clock
        self._drop = drop
        self._most = most
        self._answered_s = clock.monotonic()
        self._asked = False
        self._second, self._messages = 0, 0

    def pong(self) -> None:
        """The client has answered; only what was asked for counts."""
        if self._asked:
            self._answered_s = self._clock.monotonic()
            self._asked = False

    async def run(self) -> None:
        """Ping; end what is not answered for too long, and what is a day old."""
        began_s = self._clock.monotonic()
        while (left_s := began_s + LIFE_S - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(PING_S, left_s))
            if self._clock.monotonic() - self._answered_s > PONG_S:
                self._drop()
                return
            self._asked = True
            await self._socket.ping()
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def crowded(self) -> bool:
        """Count one message of the client's; whether it was one too many, and the connection is closed."""
        if self._most is None:
            return False
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        if self._messages <= self._most:
            return False
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Too many requests")
        return True
