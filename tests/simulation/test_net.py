"""Sockets in virtual time: bytes arrive in order, ends die as an operating system would end them, aiohttp lives on it."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from random import Random  # noqa: TID251 - the path's dice, with the run's seed
from typing import Any

import pytest

from jumar.exchange.binance.adapter import BinanceExchange
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.signing import Credentials
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.ports.exchange import MarkEvent, QuoteEvent, StreamEvent
from jumar.simulation.clock import VirtualClock
from jumar.simulation.loop import Life
from jumar.simulation.net import NetLoop, Wire, seeded
from jumar.simulation.path import RestlessMarket
from jumar.simulation.world import ORIGIN_MS

SYMBOL = "BTCUSDT"
HOST = "127.0.0.1"
type Told = list[tuple[float, str]]


def net(seed: int = 1) -> NetLoop:
    """A loop with a network."""
    return NetLoop(seed)  # type: ignore[abstract]  # what it has no use for is left out


class Ear(asyncio.Protocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.lost: list[Exception | None] = []
        self.paused: list[bool] = []
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Wire)
        self.wire = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def eof_received(self) -> bool:
        self.ended = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def pause_writing(self) -> None:
        self.paused.append(True)

    def resume_writing(self) -> None:
        self.paused.append(False)


class Named:
    """Stands for the operating system's socket, which is only a name."""

    def fileno(self) -> int:
        return 3

    def close(self) -> None:
        """Nothing is open."""


async def dial(loop: NetLoop, port: int) -> Ear:
    """Connect as aiohttp does."""
    name: Any = Named()
    await loop.sock_connect(name, (HOST, port))
    _, ear = await loop.create_connection(Ear, sock=name)
    assert isinstance(ear, Ear)
    return ear


def pair(loop: NetLoop, near_life: Life) -> tuple[Ear, Ear]:
    """Two connected ends; the far one is the world's."""
    far: list[Ear] = []
    near: list[Ear] = []

    def made() -> Ear:
        far.append(Ear())
        return far[-1]

    async def connect() -> None:
        near.append(await dial(loop, 80))

    loop.run_until_complete(loop.create_server(made, HOST, 80))
    loop.spawn(near_life, connect())
    loop.run(until_s=1.0)
    return near[0], far[0]


@pytest.mark.parametrize("seed", range(5))
def test_bytes_arrive_in_order_whatever_the_dice_say(seed: int) -> None:
    """Two hundred writes are read as they were written."""
    loop = net(seed)
    near, far = pair(loop, Life("client"))
    for number in range(200):
        near.wire.write(bytes([number]))
    assert not far.heard
    loop.run(until_s=2.0)
    assert far.heard == bytes(range(200))
    loop.close()


def test_who_closes_has_said_all_and_the_other_end_is_told_once() -> None:
    """What was written before a close arrives, then the end."""
    loop = net()
    near, far = pair(loop, Life("client"))
    near.wire.write(b"last words")
    near.wire.close()
    loop.run(until_s=2.0)
    assert far.heard == b"last words"
    assert far.ended
    assert far.lost == near.lost == [None]
    assert loop.wires == []
    loop.close()


def test_a_reset_is_told_to_both_and_what_was_under_way_is_gone() -> None:
    """Both ends hear of a reset connection and nothing else."""
    loop = net()
    near, far = pair(loop, Life("client"))
    near.wire.write(b"lost")
    near.wire.reset()
    loop.run(until_s=2.0)
    assert not far.heard
    assert [type(error) for error in (*near.lost, *far.lost)] == [ConnectionResetError] * 2
    loop.close()


def test_a_dead_process_hears_nothing_and_the_other_end_finds_a_reset_connection() -> None:
    """As an operating system closes what a killed process had open."""
    loop, life = net(), Life("client")
    near, far = pair(loop, life)
    loop.kill(life)
    near.wire.write(b"from beyond")
    loop.run(until_s=2.0)
    assert not near.lost
    assert not far.heard
    assert [type(error) for error in far.lost] == [ConnectionResetError]
    loop.close()


def test_a_muted_end_is_not_heard_and_nobody_is_told() -> None:
    """A silent connection looks like one on which nothing is said."""
    loop = net()
    near, far = pair(loop, Life("client"))
    near.wire.muted = True
    near.wire.write(b"unheard")
    loop.run(until_s=60.0)
    assert not far.heard
    assert not far.lost
    assert not near.lost
    loop.close()


def test_a_writer_is_held_back_until_the_reader_reads() -> None:
    """The writer is asked to pause, then to go on, once each."""
    loop = net()
    near, far = pair(loop, Life("client"))
    far.wire.pause_reading()
    near.wire.write(bytes(100_000))
    loop.run(until_s=2.0)
    assert (near.paused, len(far.heard)) == ([True], 0)
    far.wire.resume_reading()
    loop.run(until_s=3.0)
    assert (near.paused, len(far.heard)) == ([True, False], 100_000)
    loop.close()


def test_where_nobody_listens_the_connection_is_refused() -> None:
    """A wrong port is told at once."""
    loop = net()
    with pytest.raises(ConnectionRefusedError):
        loop.run_until_complete(dial(loop, 81))
    loop.close()


type Story = Callable[[NetLoop, BinanceExchange, SimulatedServer], Coroutine[Any, Any, None]]


def live(seed: int, seconds: float, story: Story) -> Told:
    """One run of the adapter against the server; returns what the adapter was told and when."""
    loop = net(seed)
    told: Told = []
    market = RestlessMarket(SYMBOL, dice=Random(seed), start_price=Decimal(90_000))
    clock = VirtualClock(loop, ORIGIN_MS)

    def sink(event: object) -> None:
        told.append((loop.time(), repr(event)))

    async def run() -> None:
        key, secret = "k" * 64, "s" * 64
        config = ServeConfig(market=market, clock=clock, api_key=key, api_secret=secret)
        async with SimulatedServer(config) as server:
            urls = server.urls
            exchange = BinanceExchange(
                endpoints=Endpoints(
                    rest_url=urls["rest"], stream_url=urls["stream"], ws_api_url=urls["ws_api"]
                ),
                credentials=Credentials(key=key, secret=secret),
                clock=VirtualClock(loop, ORIGIN_MS, ahead_ms=400),
            )
            await exchange.start((SYMBOL,), sink)
            await asyncio.sleep(seconds / 2)
            await story(loop, exchange, server)
            await asyncio.sleep(seconds / 2)
            await exchange.close()

    try:
        with seeded(loop, seed):
            loop.run_until_complete(run())
    finally:
        loop.close()
    assert loop.errors == []
    return told


async def calm(loop: NetLoop, exchange: BinanceExchange, server: SimulatedServer) -> None:
    """Nothing happens."""


async def broken(loop: NetLoop, exchange: BinanceExchange, server: SimulatedServer) -> None:
    """Every connection breaks."""
    for wire in list(loop.wires):
        wire.reset()


def streams(told: Told) -> list[str]:
    """What was told of streams."""
    return [words for _, words in told if words.startswith(StreamEvent.__name__)]


@pytest.mark.parametrize("seed", range(3))
def test_the_real_adapter_talks_to_the_real_server_twice_the_same(seed: int) -> None:
    """Requests and streams, without an operating system's socket; the seed decides everything."""
    first = live(seed, 120.0, calm)
    assert len(first) > 200
    assert live(seed, 120.0, calm) == first
    assert live(seed + 100, 120.0, calm) != first


def test_broken_connections_come_back() -> None:
    """Who listens is told that the user stream is gone, then that it is back; prices come again."""
    told = live(1, 60.0, broken)
    up, down, again, end = streams(told)
    assert ["connected=True" in words for words in (up, down, again, end)] == [True, False] * 2
    assert "closed by us" not in down
    late = [words for at_s, words in told if at_s > 50.0]
    assert any(words.startswith(QuoteEvent.__name__) for words in late)
    assert any(words.startswith(MarkEvent.__name__) for words in late)
