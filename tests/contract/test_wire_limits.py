"""Limits as a client meets them: headers, 429, 418, and the way back."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.contract.wire import PATIENCE_S, Answer, Client, exchange, limit_order, manual

from jumar.exchange.simulated.core.readings import Readings
from jumar.exchange.simulated.core.usage import FIRST_BAN_MS, PATIENCE
from jumar.exchange.simulated.server.config import ServeConfig

PAUSE_S = 0.02  # the processor is for the one who is waited for
HEAVY = "positionSide/dual"  # weighs 30: eighty of them are a minute's allowance


async def exhaust(client: Client) -> Answer:
    """Ask until held back; the first answer of that kind."""
    for _ in range(200):
        answer = await client.signed("GET", HEAVY)
        if answer.status != 200:
            return answer
    raise AssertionError("never held back")


async def test_every_answer_tells_the_used_weight_and_orders_their_counts() -> None:
    """Reads, refusals and unknown paths tell the weight; orders, refused ones too, also both order counts."""
    async with exchange() as client:
        used = "X-MBX-USED-WEIGHT-1M"
        first = await client.send("GET", "/fapi/v1/ping")
        then = await client.send("GET", "/fapi/v1/nothing")
        assert int(then.headers[used]) > int(first.headers[used])
        assert "X-MBX-ORDER-COUNT-1M" not in then.headers
        order = limit_order("90000.0", "e1")
        for count, wanted in ((1, 200), (2, 400)):
            answer = await client.signed("POST", "order", **order)
            assert answer.status == wanted
            counts = [answer.headers[f"X-MBX-ORDER-COUNT-{span}"] for span in ("10S", "1M")]
            assert counts == [str(count)] * 2


@pytest.mark.parametrize("word", ["shared", "separate"])
async def test_whether_the_web_socket_api_has_a_weight_of_its_own_is_a_reading(word: str) -> None:
    """What is asked there, refused there or ends a session moves the counter of REST, or does not; orders always count."""
    config = ServeConfig(market=manual(), readings=Readings(ws_weight=word), limits=True)
    async with exchange(config) as client, client.ws_api() as frames:
        before = await _used(client)
        first = await frames.signed("v2/account.position")
        await frames.plain("session.status")
        await frames.plain("no.such.method")
        await frames.signed("order.place", **limit_order("90000.0", "e1", timeInForce="GTC"))
        then = await frames.signed("v2/account.position")
        rows = [{row["interval"]: row["count"] for row in a["rateLimits"]} for a in (first, then)]
        told = then["rateLimits"][0]["count"] - first["rateLimits"][0]["count"]
        assert told >= 2 + 1 + 5, rows
        # each look at REST costs what it costs itself: `premiumIndex` once, and the times that the client asked for
        moved = await _used(client) - before
        answer = await client.signed("POST", "order", **limit_order("90000.0", "e2"))
        assert answer.headers["X-MBX-ORDER-COUNT-1M"] == "2"
        assert (moved > told) == (word == "shared")


async def _used(client: Client) -> int:
    return int((await client.send("GET", "/fapi/v1/ping")).headers["X-MBX-USED-WEIGHT-1M"])


async def test_who_exceeds_the_weight_is_held_back_and_then_banned() -> None:
    """429 with -1003 and Retry-After, 418 with the time of the ban's end; nothing is executed meanwhile."""
    async with exchange(ServeConfig(market=manual(), limits=True)) as client:
        now_ms = await client.time()
        held = await exhaust(client)
        assert (held.status, held.code) == (429, -1003)
        assert 1 <= int(held.headers["Retry-After"]) <= 60
        assert int(held.headers["X-MBX-USED-WEIGHT-1M"]) > 2400
        answers = [await client.send("GET", "/fapi/v1/premiumIndex") for _ in range(2 * PATIENCE)]
        banned = answers[-1]
        assert (banned.status, banned.code) == (418, -1003)
        until_ms = int(banned.body["msg"].partition("IP banned until ")[2].partition(".")[0])
        assert now_ms + FIRST_BAN_MS <= until_ms <= now_ms + FIRST_BAN_MS + 60_000
        assert 60 < int(banned.headers["Retry-After"]) <= 120
        keys = await client.send("POST", "/fapi/v1/listenKey", headers=client.key)
        assert keys.status == 418
        async with client.ws_api() as api:
            frame = await api.raw('{"id": 1, "method": "session.status"}')
            assert (frame["status"], frame["error"]["code"]) == (418, -1003)


async def test_by_default_nobody_is_held_back() -> None:
    """What Jumar's own runs rely on: counted, told, never refused."""
    async with exchange() as client:
        answers = [await client.signed("GET", HEAVY) for _ in range(85)]
        assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("limits", ["on", "off"])
async def test_the_command_has_limits_and_says_when_they_are_off(
    tmp_path: Path, limits: str
) -> None:
    """By `--limits` the 61st request of weight 40 is 429 or answered; `off` is one line on stdout."""
    ready = tmp_path / "ready.json"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jumar", "exchange", "serve", "--market", "manual"),
        *("--limits", limits, "--ready-file", str(ready)),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while not ready.exists():
            assert process.returncode is None
            await asyncio.sleep(PAUSE_S)
        url = json.loads(ready.read_bytes())["rest"] + "/fapi/v1/ticker/24hr"
        statuses = []
        for _ in range(61):
            async with session.get(url) as response:
                statuses.append(response.status)
        process.send_signal(signal.SIGTERM)
        said, _ = await process.communicate()
    assert set(statuses[:-1]) == {200}
    assert statuses[-1] == (429 if limits == "on" else 200)
    assert process.returncode == 0
    assert said.decode().startswith("limits: off") is (limits == "off")
    assert said.decode().count("\n") == (limits == "off")
