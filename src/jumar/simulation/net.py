"""Sockets in virtual time: what listens and what connects on the virtual loop, without an operating system.

Promises: bytes of one direction arrive in order, after a delay drawn from the seed; a process that dies loses its
connections as an operating system would close them, and none of its own code hears of it. Addresses are literal: there
are no names to resolve. Whoever uses aiohttp on it does so within `seeded`.
"""

import asyncio
import random  # noqa: TID251 - aiohttp's own dice, which are given the run's seed
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from aiohttp import connector

from jumar.simulation.loop import VirtualLoop

type Address = tuple[str, int]

_LATENCY_S = (0.0005, 0.01)
_FIRST_PORT = 40_000
_HIGH_BYTES = 65_536
_LOW_BYTES = 16_384


class Wire(asyncio.Transport):
    """One end of a connection (see `asyncio.Transport`).

    Attributes:
        muted: what this end sends does not arrive, and nobody is told.
    """

    def __init__(self, loop: "NetLoop", local: Address, remote: Address) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": None})
        self.muted = False
        self.peer: Wire = self
        self._loop = loop
        self._life = loop.life
        self.context = copy_context()
        self._protocol: Any = None
        self.coming: deque[bytes | None] = deque()
        self._inbox: deque[bytes | None] = deque()
        self._arrives_s = 0.0
        self._flying = 0
        self._limits = (_HIGH_BYTES, _LOW_BYTES)
        self._told_to_pause = self._reading_paused = self._eof_sent = False
        self._closing = self._lost = False
        self._life.on_death(self._died)

    def attach(self, protocol: asyncio.BaseProtocol) -> None:
        """Give the end to whoever talks on it."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._drain_inbox()

    # asyncio's side: writing

    def write(self, data: Any) -> None:
        """Send bytes; on an end that is closing they are forgotten."""
        content = bytes(data)
        if not content or self._closing or self._eof_sent or not self._life.alive:
            return
        self._flying += len(content)
        if self._flying > self._limits[0] and not self._told_to_pause:
            self._told_to_pause = True
            self._to_protocol("pause_writing")
        self._send(content)

    def can_write_eof(self) -> bool:
        """One direction may end before the other."""
        return True

    def write_eof(self) -> None:
        """Send nothing more."""
        if not self._eof_sent and not self._closing:
            self._eof_sent = True
            self._send(None)

    def get_write_buffer_size(self) -> int:
        """Bytes that the other end has not read."""
        return self._flying

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Low and high, in bytes."""
        return self._limits[1], self._limits[0]

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """How many bytes may be under way before the writer is asked to pause, and to go on."""
        high = (_HIGH_BYTES if low is None else 4 * low) if high is None else high
        self._limits = (high, high // 4 if low is None else low)

    # asyncio's side: reading

    def pause_reading(self) -> None:
        """Leave what arrives where it is."""
        self._reading_paused = True

    def resume_reading(self) -> None:
        """Read on, from what waits."""
        self._reading_paused = False
        self._loop.call_soon(self._drain_inbox, context=self.context)

    def is_reading(self) -> bool:
        """Whether what arrives is read."""
        return not self._reading_paused and not self._closing

    # asyncio's side: the end

    def is_closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._closing

    def close(self) -> None:
        """Send what was written, then the end."""
        if not self._closing:
            self.write_eof()
            self._end(None)

    def abort(self) -> None:
        """End at once; the other end finds a reset connection."""
        if not self._closing:
            self._end(None)
            self.peer.lose(ConnectionResetError("reset by peer"))

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Talk by another protocol from now on, as after an upgrade."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who talks on it."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    # the network's side

    def reset(self) -> None:
        """Break the connection: both ends are told at once, what was under way is gone."""
        for end in (self, self.peer):
            end.lose(ConnectionResetError("connection reset"))

    def lose(self, error: Exception | None) -> None:
        """The connection is gone."""
        if not self._closing:
            self._inbox.clear()
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        self._closing = True
        self._loop.forget(self)
        self._loop.call_soon(self._tell_lost, error, context=self.context)

    def _tell_lost(self, error: Exception | None) -> None:
        if not self._lost and self._protocol is not None:
            self._lost = True
            self._protocol.connection_lost(error)

    def _died(self) -> None:
        """The operating system closes what a dead process had open."""
        if not self._closing:
            self._closing = True
            self._loop.forget(self)
            self.peer.lose(ConnectionResetError("the other process has ended"))

    def _send(self, item: bytes | None) -> None:
        if self.muted:
            return
        # The order of equal times is drawn, so an arrival means only that there is one more to read.
        loop, peer = self._loop, self.peer
        self._arrives_s = max(self._arrives_s, loop.time() + loop.latency_s())
        peer.coming.append(item)
        loop.call_at(self._arrives_s, peer.arrived, context=peer.context)

    def arrived(self) -> None:
        """The oldest of what is under way is here."""
        if self.coming and not self._closing:
            self._inbox.append(self.coming.popleft())
            self._drain_inbox()

    def _drain_inbox(self) -> None:
        while self._inbox and self._protocol is not None and not self._closing:
            if self._reading_paused:
                return
            self._read(self._inbox.popleft())

    def _read(self, item: bytes | None) -> None:
        protocol = self._protocol
        if item is not None:
            self.peer.delivered(len(item))
            protocol.data_received(item)
        elif not protocol.eof_received():
            self.close()

    def delivered(self, size: int) -> None:
        """The other end has read so many bytes."""
        self._flying -= size
        if self._told_to_pause and self._flying <= self._limits[1]:
            self._told_to_pause = False
            self._loop.call_soon(self._to_protocol, "resume_writing", context=self.context)

    def _to_protocol(self, name: str) -> None:
        if self._protocol is not None and not self._lost:
            getattr(self._protocol, name)()


class Listener(asyncio.AbstractServer):
    """Somebody who listens at an address."""

    def __init__(self, loop: "NetLoop", address: Address, make: Callable[[], Any]) -> None:
        self.address = address
        self._loop = loop
        self._life = loop.life
        self.context = copy_context()
        self._make = make

    @property
    def sockets(self) -> "Sequence[Listener]":
        """What tells where it listens."""
        return (self,)

    def getsockname(self) -> Address:
        """Where it listens."""
        return self.address

    def accept(self, wire: Wire) -> None:
        """Take a new connection."""
        wire.attach(self._make())

    def wire(self, remote: Address) -> Wire:
        """The end of a new connection, as one of the listener's own."""
        return self.context.run(Wire, self._loop, self.address, remote)

    def soon(self, wire: Wire) -> None:
        """Have the connection taken, by the listener's own life."""
        self._loop.call_soon(self.accept, wire, context=self.context)

    def close(self) -> None:
        """Listen no more; connections stay."""
        self._loop.listeners.pop(self.address, None)

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

    def get_loop(self) -> "NetLoop":
        """Where it listens."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether it listens."""
        return self._loop.listeners.get(self.address) is self

    async def start_serving(self) -> None:
        """It listens from the beginning."""

    async def serve_forever(self) -> None:
        """Listen until the end of the world."""
        await self._loop.create_future()


class NetLoop(VirtualLoop):
    """A virtual loop with a network of its own.

    Attributes:
        listeners: who listens, by address.
        wires: the ends that are open, in the order in which they were made.
    """

    def __init__(self, seed: int | str) -> None:
        super().__init__(seed)
        self.listeners: dict[Address, Listener] = {}
        self.wires: list[Wire] = []
        self._latency = random.Random(f"{seed}:latency").uniform  # noqa: S311 - no secret
        self._port = _FIRST_PORT
        self._dialled: dict[int, Address] = {}

    def latency_s(self) -> float:
        """How long bytes that are sent now are under way."""
        return self._latency(*_LATENCY_S)

    def forget(self, wire: Wire) -> None:
        """An end is closed."""
        if wire in self.wires:
            self.wires.remove(wire)

    async def create_server(  # type: ignore[override]  # asyncio's has two forms
        self, protocol_factory: Callable[[], Any], host: str, port: int = 0, **_: Any
    ) -> Listener:
        """Listen.

        Raises:
            OSError: somebody else listens there.
        """
        address = (host, port or self._next_port())
        if address in self.listeners:
            raise OSError(f"{host}:{port} is in use")
        listener = self.listeners[address] = Listener(self, address, protocol_factory)
        return listener

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Reach an address; the operating system's socket is only a name here.

        Raises:
            ConnectionRefusedError: nobody listens there.
        """
        await asyncio.sleep(self.latency_s())
        if tuple(address[:2]) not in self.listeners:
            raise ConnectionRefusedError(f"nobody listens at {address}")
        self._dialled[sock.fileno()] = address[:2]

    async def create_connection(  # type: ignore[override]  # asyncio's has two forms
        self, protocol_factory: Callable[[], Any], *_: Any, sock: socket.socket, **__: Any
    ) -> tuple[Wire, Any]:
        """Make the two ends of a connection to where the socket was connected.

        Raises:
            ConnectionRefusedError: nobody listens there any more.
        """
        address = self._dialled.pop(sock.fileno())
        sock.close()
        listener = self.listeners.get(address)
        if listener is None:
            raise ConnectionRefusedError(f"nobody listens at {address}")
        here = ("127.0.0.1", self._next_port())
        near, far = Wire(self, here, address), listener.wire(here)
        near.peer, far.peer = far, near
        self.wires += [near, far]
        protocol = protocol_factory()
        near.attach(protocol)
        listener.soon(far)
        return near, protocol

    def _next_port(self) -> int:
        self._port += 1
        return self._port


@contextmanager
def seeded(loop: NetLoop, seed: int) -> Iterator[None]:
    """Give aiohttp the loop's time and the run's dice (masks of WebSocket frames); afterwards all is as before."""
    state, clock = random.getstate(), vars(connector)["monotonic"]
    random.seed(seed)
    vars(connector)["monotonic"] = loop.time
    try:
        yield
    finally:
        vars(connector)["monotonic"] = clock
        random.setstate(state)
