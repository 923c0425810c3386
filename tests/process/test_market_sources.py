"""Fetching and following as a person starts them: real processes against hosts on loopback."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession, web
from tests.contract.hosting import hosted
from tests.contract.wire import manual
from tests.unit.simulated.archives import DAY, TRADES_HEADER, TREE, pack, trade

from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer

SECONDS = 40
NAME = f"BTCUSDT-aggTrades-{DAY}"


@asynccontextmanager
async def command(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `jumar`; what still runs at the end is ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "jumar",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(seen: Callable[[], bool]) -> None:
    """Wait for a state."""
    while not seen():  # noqa: ASYNC110 - the state is another process's
        await asyncio.sleep(0.02)


async def test_a_day_is_fetched_once(tmp_path: Path) -> None:
    """One line a file on stderr, one object on stdout; what was not published makes the exit code 1."""
    place = f"{TREE}/aggTrades/BTCUSDT"
    pack(tmp_path / "host", NAME, [TRADES_HEADER, trade(0, "60000.0")], tree=place)

    async def serve(request: web.Request) -> web.StreamResponse:
        path = tmp_path / "host" / request.match_info["place"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    async with hosted("/{place:.*}", serve) as host:
        words = ["market", "fetch", "--symbol", "BTCUSDT", "--from", DAY, "--json"]
        words += ["--into", str(tmp_path / "into"), "--base-url", f"http://{host}"]
        async with command(*words, "--kinds", "aggTrades") as process:
            said, lines = await process.communicate()
        assert (process.returncode, json.loads(said)["outcomes"]) == (0, {"fetched": 1})
        assert lines.decode().startswith(f"{NAME}.zip [aggTrades]: fetched and verified (")
        assert (tmp_path / "into" / place / f"{NAME}.zip.CHECKSUM").is_file()
        async with command(*words) as process:
            said, lines = await process.communicate()
    assert (process.returncode, json.loads(said)["outcomes"]) == (1, {"kept": 1, "missing": 1})
    assert "[markPriceKlines]: missing: not published" in lines.decode()


async def test_a_served_exchange_follows_another_host(tmp_path: Path) -> None:
    """`--market live --live-url` answers with the other exchange's prices, says when it is gone, and ends in order."""
    ready = tmp_path / "ready.json"
    real = SimulatedServer(ServeConfig(market=manual("BTCUSDT", "ETHUSDT")))
    await real.start()
    words = ["exchange", "serve", "--market", "live:BTCUSDT,ETHUSDT", "--ready-file", str(ready)]
    async with (
        command(*words, "--live-url", real.urls["stream"]) as process,
        ClientSession() as session,
    ):
        await until(ready.exists)
        url = f"{json.loads(ready.read_bytes())['rest']}/fapi/v1/ticker/bookTicker"
        async with session.get(url) as answer:
            rows = await answer.json()
        assert [(row["symbol"], row["bidPrice"]) for row in rows] == [
            ("BTCUSDT", "90899.9"),
            ("ETHUSDT", "90899.99"),
        ]
        await real.stop()
        assert process.stderr is not None
        told = b""
        while b"the market stands still" not in told:
            told = await process.stderr.readline()
        process.terminate()
        assert await process.wait() == 0
