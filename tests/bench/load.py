"""A load generator that costs little: ready-made bytes out, answers counted and timed, nothing else.

A client library would be slower than the server it is to measure. So this one speaks just enough HTTP and WebSocket
for answers of a known kind: a content length, text frames that are neither masked nor in parts. Each lane has one
order at a time: it places, waits for the answer, cancels, waits for the answer.
"""

import asyncio
import base64
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple, cast
from urllib.parse import urlsplit


class Pair(NamedTuple):
    """The two requests of one order, as they go over the wire."""

    place: bytes
    cancel: bytes


class Load:
    """What all lanes share: the pairs still to be sent, and how long every answer took (seconds).

    Attributes:
        unasked: how many messages came that answer nothing.
        open: set once a connection stands.
    """

    def __init__(self, pairs: list[Pair]) -> None:
        self._pairs: Iterator[Pair] = iter(pairs)
        self._lanes = 0
        self.place_s: list[float] = []
        self.cancel_s: list[float] = []
        self.unasked = 0
        self.open = asyncio.Event()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next_pair(self) -> Pair | None:
        """The next order of a lane; None when there is no more."""
        return next(self._pairs, None)

    def begin(self, lanes: int) -> None:
        """So many lanes are about to start."""
        self._lanes += lanes

    def end(self) -> None:
        """A lane has nothing more to do."""
        self._lanes -= 1
        if not self._lanes and not self.done.done():
            self.done.set_result(None)

    def fail(self, why: str) -> None:
        """Give up: an answer was not what it must be."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class _Client(asyncio.Protocol, ABC):
    """One connection; answers come in the order of the requests."""

    def __init__(self, load: Load, lanes: int, greeting: bytes = b"") -> None:
        self._load = load
        self._lanes = lanes
        self._greeting = greeting
        self._buffer = bytearray()
        self._waiting: deque[tuple[float, Pair, bool]] = deque()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if self._greeting:
            self._transport.write(self._greeting)
        else:
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.fail(f"the server closed a connection: {exc}")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._greeting:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 101"):
                self._load.fail(f"no WebSocket: {bytes(self._buffer[:200])!r}")
                return
            self._greeting = b""
            del self._buffer[: end + 4]
            self._start()
        self._take_answers()

    @abstractmethod
    def _take_answers(self) -> None:
        """Take whole answers out of the buffer."""

    def _start(self) -> None:
        self._load.open.set()
        for _ in range(self._lanes):
            self._place()

    def _place(self) -> None:
        pair = self._load.next_pair()
        if pair is None:
            self._load.end()
        else:
            self._send(pair, cancels=False)

    def _send(self, pair: Pair, *, cancels: bool) -> None:
        self._waiting.append((perf_counter(), pair, cancels))
        cast("asyncio.Transport", self._transport).write(pair.cancel if cancels else pair.place)

    def _answered(self, answer: bytes, *, good: bool) -> None:
        if not good:
            self._load.fail(f"refused: {answer[:300]!r}")
            return
        if not self._waiting:
            self._load.unasked += 1  # a stream's event
            return
        sent_s, pair, cancels = self._waiting.popleft()
        taken_s = perf_counter() - sent_s
        if cancels:
            self._load.cancel_s.append(taken_s)
            self._place()
        else:
            self._load.place_s.append(taken_s)
            self._send(pair, cancels=True)


class HttpClient(_Client):
    """One keep-alive connection with one request under way."""

    def _take_answers(self) -> None:
        buffer = self._buffer
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(buffer[:end])
            at = head.lower().index(b"content-length:") + 15
            length = int(head[at:].partition(b"\r\n")[0])
            if len(buffer) < end + 4 + length:
                return
            body = bytes(buffer[end + 4 : end + 4 + length])
            del buffer[: end + 4 + length]
            self._answered(body, good=head.startswith(b"HTTP/1.1 200"))


class WsClient(_Client):
    """One WebSocket connection with several requests under way."""

    def _take_answers(self) -> None:
        buffer = self._buffer
        while len(buffer) >= 4:
            length, begins = buffer[1], 2
            if length == 126:
                length, begins = int.from_bytes(buffer[2:4], "big"), 4
            if len(buffer) < begins + length:
                return
            body = bytes(buffer[begins : begins + length])
            del buffer[: begins + length]
            self._answered(body, good=not self._waiting or b'"status":200' in body)


def ws_frame(payload: bytes) -> bytes:
    """A text frame of a client; its mask is zero, which leaves the payload as it is."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + payload


def ws_greeting(url: str) -> bytes:
    """The request that opens a WebSocket."""
    parts = urlsplit(url)
    lines = (
        f"GET {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


class Timed(NamedTuple):
    """How long a load took, each answer of it (seconds, from the shortest), and how many events were heard meanwhile."""

    seconds: float
    place_s: list[float]
    cancel_s: list[float]
    events: int


async def play(url: str, pairs: list[Pair], lanes: int, ear: str | None = None) -> Timed:
    """Send all pairs to a server: over one connection for `ws:`, over one for each lane for `http:`.

    Args:
        url: where to.
        pairs: what to send.
        lanes: how many requests are under way at a time.
        ear: a stream's address that somebody listens to meanwhile.
    """
    loop, load, silent = asyncio.get_running_loop(), Load(pairs), Load([])
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    if ear is not None:
        await loop.create_connection(lambda: WsClient(silent, 0, ws_greeting(ear)), host, port)
        await silent.open.wait()
    load.begin(lanes)
    began_s = perf_counter()
    if parts.scheme == "ws":
        await loop.create_connection(lambda: WsClient(load, lanes, ws_greeting(url)), host, port)
    else:
        for _ in range(lanes):
            await loop.create_connection(lambda: HttpClient(load, 1), host, port)
    await load.done
    seconds = perf_counter() - began_s
    return Timed(seconds, sorted(load.place_s), sorted(load.cancel_s), silent.unasked)
