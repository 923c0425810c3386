"""Broken bytes on every socket: whatever arrives is answered or its connection is ended, and the exchange goes on."""

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random  # noqa: TID251 - every draw comes from the test's seed
from typing import Any

import pytest
from tests.contract.wire import PATIENCE_S, SYMBOL, Client, exchange, limit_order, manual
from tests.unit.simulated.made_up import ODDER

from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.ws_api import METHODS

SEED = 11
PLACE = "POST /fapi/v1/order HTTP/1.1\r\nHost: a\r\n"
TIME = "GET /fapi/v1/time HTTP/1.1\r\nHost: a\r\n"
BIG = "a" * 20_000
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)
#: What is said, and how the answer must begin; without an answer the connection must be closed.
REQUESTS: tuple[tuple[str, str], ...] = (
    ("\x00\x01\x02\x03\r\n\r\n", "HTTP/1.0 400"),
    ("GET\r\n\r\n", "HTTP/1.0 400"),
    ("GET /fapi/v1/time HTTP/9.9\r\n\r\n", "HTTP/1.0 400"),
    ("GET /fapi/v1/time HTTP/1.1\r\n\r\n", "HTTP/1.0 400"),
    ("BREW /fapi/v1/time HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.0 400"),
    (f"{TIME}Host: b\r\n\r\n", "HTTP/1.0 400"),
    (f"{TIME}no colon\r\n\r\n", "HTTP/1.0 400"),
    (f"{TIME}: nothing\r\n\r\n", "HTTP/1.0 400"),
    (f"{TIME}X: {BIG}\r\n\r\n", "HTTP/1.0 400"),
    (f"{TIME}{BIG}: x\r\n\r\n", "HTTP/1.0 400"),
    (f"GET /{BIG} HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.0 400"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.0 400"),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.0 400"),
    (f"{PLACE}Content-Length: -1\r\n\r\n", "HTTP/1.0 400"),
    (f"{PLACE}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.0 400"),
    (f"{PLACE}Content-Length: {'9' * 30}\r\n\r\nab", "HTTP/1.0 400"),
    (f"{PLACE}Transfer-Encoding: gzip\r\n\r\nabc", "HTTP/1.0 400"),
    (f"{PLACE}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.0 400"),
    (f"{PLACE}Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", "HTTP/1.0 400"),
    (f"{PLACE}Content-Length: 100\r\n\r\nabc", ""),
    (f"{PLACE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", ""),
    (PLACE, ""),
    ("", ""),
    (f"{PLACE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 401"),
    (f"{PLACE}Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 401"),
    (f"{PLACE}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}", "HTTP/1.1 401"),
    (f"{PLACE}Content-Type: \x00\r\nContent-Length: 2\r\n\r\n{{}}", "HTTP/1.0 400"),
    (f"{PLACE}Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 401"),
    (f"{PLACE}Content-Length: 4\r\n\r\n\xff\xfe\x00\x01", "HTTP/1.1 401"),
    (f"{PLACE}Content-Length: 2000000\r\n\r\n{'a' * 2_000_000}", "HTTP/1.1 413"),
    (f"{PLACE}Expect: something\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 417"),
    ("GET http://other/fapi/v1/time HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"),
    ("GET /fapi/v1/time HTTP/1.0\r\n\r\n", "HTTP/1.0 200"),
    ("GET /%ff%00 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
    ("GET /fapi/v1/depth?%zz&=&&symbol HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"),
    ("GET /fapi/v1/depth?symbol=a&symbol=a HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"),
    ("HEAD /fapi/v1/time HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
    ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
    ("GET /ws-fapi/v1 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400"),
    ("GET /ws/x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "HTTP/1.1 400"),
    (UPGRADE.format(path="/ws", key="short"), "HTTP/1.1 400"),
    (f"{TIME}X-MBX-APIKEY: \xff\xfe\r\n\r\n", "HTTP/1.1 200"),
    ("POST /fapi/v1/listenKey HTTP/1.1\r\nHost: a\r\nX-MBX-APIKEY: \xe9\r\n\r\n", "HTTP/1.1 401"),
)
MASK = b"\x00\x00\x00\x00"
#: Frames that break the rules of WebSocket.
FRAMES = (
    b"\x83\x80" + MASK,  # a kind of frame that nobody defined
    b"\xf1\x82" + MASK + b"hi",  # reserved bits
    b"\x80\x82" + MASK + b"hi",  # goes on with what was never begun
    b"\x01\x81" + MASK + b"a" + b"\x81\x81" + MASK + b"b",  # begun twice
    b"\x09\x80" + MASK,  # a ping in pieces
    b"\x89\xfe\x00\x80" + MASK + bytes(128),  # a ping too long
    b"\x81\x82" + MASK + b"\xff\xfe",  # no text
    b"\x88\x81" + MASK + b"\x03",  # half a reason for the end
    b"\x88\x82" + MASK + struct.pack(">H", 1),  # a reason that nobody may give
    b"\x81\xff" + struct.pack(">Q", 2**62) + MASK,  # longer than anything
)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market."""
    async with exchange(ServeConfig(market=manual())) as running:
        yield running


@asynccontextmanager
async def connection(
    client: Client,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection."""
    host, _, port = client.urls["rest"].removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def heard(client: Client, said: str, *, ends: bool) -> bytes:
    """The beginning of the answer to raw bytes; nothing when the connection was closed; `ends`: ours ends first.

    Raises:
        TimeoutError: silence.
    """
    async with connection(client) as (reader, writer), asyncio.timeout(PATIENCE_S):
        try:
            writer.write(said.encode("latin1"))
            await writer.drain()
            if ends:
                writer.write_eof()
            return await reader.read(2000)
        except ConnectionError:
            return b""


@pytest.mark.parametrize(("said", "answer"), REQUESTS)
async def test_broken_requests_are_answered(
    client: Client, caplog: pytest.LogCaptureFixture, said: str, answer: str
) -> None:
    """No HTTP, or half of it: an answer in the 400s or the connection's end, one line for people, and life goes on."""
    with caplog.at_level(logging.INFO):
        assert (await heard(client, said, ends=not answer)).startswith(answer.encode())
    assert [record.exc_info for record in caplog.records] == [None] * len(caplog.records)
    assert await client.time() > 0


async def test_requests_torn_and_twisted_are_answered(client: Client) -> None:
    """A good request with bytes lost, doubled and changed: never a failure of the server, never silence."""
    dice, whole = Random(SEED), f"{PLACE}X-MBX-APIKEY: {client.urls['api_key']}\r\n"
    whole += "Content-Length: 21\r\n\r\nsymbol=BTCUSDT&side=x"
    for _ in range(60):
        torn = list(whole)
        for _ in range(dice.randint(1, 6)):
            place = dice.randrange(len(torn))
            torn[place : place + dice.randint(0, 2)] = dice.choice(("", "\x00", "\r", "\xff", "::"))
        said = await heard(client, "".join(torn), ends=True)
        assert said[9:12] < b"500", (torn, said)
    assert await client.time() > 0


@pytest.mark.parametrize("path", ["/ws-fapi/v1", "/public/ws", "/stream"])
@pytest.mark.parametrize("frame", FRAMES)
async def test_broken_frames_end_their_connection(client: Client, path: str, frame: bytes) -> None:
    """What breaks the rules of WebSocket is answered by a close, and others hear nothing of it."""
    async with connection(client) as (reader, writer), asyncio.timeout(PATIENCE_S):
        writer.write(UPGRADE.format(path=path, key=f"{'A' * 22}==").encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.write(frame)
        try:
            said = await reader.read()
        except ConnectionError:
            said = b"\x88"
        assert said[:1] in (b"\x88", b"")
    assert await client.time() > 0


async def test_any_frame_of_the_websocket_api_is_answered_once(client: Client) -> None:
    """Sixty frames of odd things, one answer each, in order."""
    dice, names = Random(SEED), list(METHODS)
    async with client.ws_api() as api:
        for number in range(60):
            params: Any = {dice.choice(list(limit_order("1", "a"))): odd(dice) for _ in range(3)}
            frame: Any = {"id": number, "method": dice.choice(names), "params": params}
            if dice.random() < 0.3:
                frame[dice.choice(("id", "method", "params"))] = odd(dice)
            text = json.dumps(frame)
            if dice.random() < 0.2:
                text = text[: dice.randint(1, len(text))]
            answer = await api.raw(text)
            assert answer["status"] == 200 or answer["error"]["code"] < 0
            assert answer["id"] in (number, frame["id"], None)


async def test_any_control_frame_is_answered_once(client: Client) -> None:
    """Sixty broken SUBSCRIBEs and others: each has a result or an error of the documented codes."""
    dice = Random(SEED)
    words = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
    async with client.stream("/private/stream") as listener:
        for number in range(60):
            frame: Any = {"method": dice.choice(words), "params": [odd(dice)], "id": number}
            spoil = dice.choice(("", "method", "params", "id", "torn"))
            if spoil in frame:
                frame[spoil] = odd(dice)
            text = json.dumps(frame)
            text = text[: dice.randint(1, len(text) - 1)] if spoil == "torn" else text
            if dice.random() < 0.3:
                await listener.socket.send_bytes(text.encode())
            else:
                await listener.socket.send_str(text)
            answer = await listener.next()
            if "result" not in answer:
                assert answer["error"]["code"] in (0, 1, 2, 3)
                assert answer["error"]["msg"]
        assert len(listener.heard) == 60


def odd(dice: Random) -> Any:
    """Anything that JSON can say."""
    things: tuple[Any, ...] = (
        None,
        True,
        -1,
        0.5,
        10**30,
        [],
        {},
        [[1]],
        {"a": {}},
        SYMBOL,
        "btcusdt@depth",
    )
    return dice.choice((*things, *ODDER[:36]))
