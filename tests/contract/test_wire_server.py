"""The server's life: ready file, ports, clock, pace, the end."""

import asyncio
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

import aiohttp
import pytest
from tests.contract.wire import START, SYMBOL, Client, exchange, limit_order, manual, market_order

from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.server.config import PortInUseError, ServeConfig, parse_start
from jumar.exchange.simulated.server.run import SimulatedServer


def base() -> MarketStep:
    """The manual market's first step."""
    return next(manual().steps())


@dataclass(frozen=True)
class Played:
    """A path of given steps."""

    path: tuple[MarketStep, ...]
    symbols: tuple[str, ...] = (SYMBOL,)

    def steps(self) -> Iterator[MarketStep]:
        """The steps."""
        yield from self.path


def marks(*moments: tuple[int, str]) -> Played:
    """A path that moves only the mark: (path_ms, mark)."""
    return Played(tuple(replace(base(), path_ms=ms, mark=Decimal(mark)) for ms, mark in moments))


async def test_the_ready_file_appears_whole_and_private(tmp_path: Path) -> None:
    """Seven fields, addresses that answer, readable by the owner only, no draft left."""
    ready = tmp_path / "ready.json"
    async with exchange(ServeConfig(market=manual(), ready_file=ready)) as client:
        content = json.loads(ready.read_text())
        assert content == client.urls
        hmac = {"api_key", "api_secret"}
        ed25519 = {"ed25519_api_key", "ed25519_private_key"}
        assert content.keys() == {"rest", "stream", "ws_api", *hmac, *ed25519}
        assert content["ws_api"] == content["stream"] + "/ws-fapi/v1"
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        assert _names(tmp_path) == [ready.name]
        assert await client.time() > 0


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def test_given_keys_are_used() -> None:
    """Key and secret from the configuration open the exchange."""
    config = ServeConfig(market=manual(), api_key="k", api_secret="s")
    async with exchange(config) as client:
        assert (client.urls["api_key"], client.urls["api_secret"]) == ("k", "s")
        await client.ok("GET", "accountConfig")


async def test_a_port_in_use_is_one_clear_error() -> None:
    """The second server on a port fails with a message that names the port and the fix."""
    async with exchange() as client:
        port = int(client.urls["rest"].rsplit(":", 1)[1])
        second = SimulatedServer(ServeConfig(market=manual(), port=port))
        with pytest.raises(PortInUseError, match=rf"port: {port} .* is in use; choose another"):
            await second.start()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("speed", 0),
        ("speed", float("nan")),
        ("balance", Decimal(0)),
        ("balance", Decimal("NaN")),
        ("port", 70_000),
        ("symbols", ("ETHUSDT",)),
    ],
)
def test_a_setting_that_cannot_work_is_named(setting: str, value: object) -> None:
    """The message begins with the setting."""
    with pytest.raises(ValueError, match=f"^{setting}: "):
        replace(ServeConfig(market=manual()), **{setting: value})  # type: ignore[arg-type]  # bad on purpose


def test_a_start_is_an_iso_date_and_time() -> None:
    """UTC unless it says otherwise; anything else is refused by name."""
    assert parse_start(START) == parse_start("2025-12-05T10:04:50") == 1_764_929_090_000
    assert parse_start("2025-12-05T11:04:50+01:00") == parse_start(START)
    with pytest.raises(ValueError, match=r"^start: 'yesterday'"):
        parse_start("yesterday")


async def test_the_clock_starts_where_it_is_told() -> None:
    """`start_ms` is the origin of exchange time, in answers, ledger and receive window."""
    async with exchange() as client:
        assert 0 <= await client.time() - parse_start(START) < 10_000
        opened = (await client.ledger())[0]
        assert opened["origin_ms"] == opened["t"]
        assert 0 <= opened["t"] - parse_start(START) < 10_000


async def test_the_path_is_compressed_and_the_clock_is_not() -> None:
    """At speed 60 a minute of path passes in a second of exchange time, in order, nothing skipped."""
    path = marks(*((second * 1000, str(90_000 + second)) for second in range(61)))
    async with exchange(ServeConfig(market=path, speed=60)) as client:
        begun = (await client.ledger())[0]["t"]
        async with client.stream("/market/ws/btcusdt@markPrice@1s") as listener:
            await listener.until(lambda event: event["p"] == "90060.00000000")
        assert 1000 <= await client.time() - begun <= 30_000


async def test_a_late_path_is_worked_off_without_starving_the_sockets() -> None:
    """Fifty thousand steps due at once: requests are answered between them, the order is kept."""
    path = marks(*((number // 1000, str(90_000 + number % 7)) for number in range(50_000)))
    async with exchange(ServeConfig(market=path, speed=1_000)) as client:
        for _ in range(20):
            assert await client.time() > 0
        await client.ok("POST", "order", **market_order("BUY"))


async def test_after_its_end_a_path_repeats_its_last_step() -> None:
    """Quotes go on every second with the last prices, and what rests inside them stays unfilled."""
    async with exchange(ServeConfig(market=marks((0, "90900")))) as client:
        await client.ok("POST", "order", **limit_order("90899.9", "e1"))
        async with client.stream("/public/ws/btcusdt@bookTicker") as listener:
            first, second = await listener.next(), await listener.next()
        assert (first["b"], second["b"]) == ("90899.9", "90899.9")
        assert second["T"] - first["T"] >= 900
        assert len(await client.ok("GET", "openOrders", symbol=SYMBOL)) == 1


async def test_a_path_without_a_beginning_is_refused() -> None:
    """A symbol that never gets a price stops the start with a message, and the port is free again."""
    empty = Played(())
    server = SimulatedServer(ServeConfig(market=empty))
    with pytest.raises(ValueError, match="market: the path has no step for BTCUSDT"):
        await server.start()


class Broken(Played):
    """A path that fails after its first step."""

    def steps(self) -> Iterator[MarketStep]:
        """One step, then an error."""
        yield from islice(self.path, 1)
        raise OSError("line 2: not a number")


async def test_a_path_that_fails_ends_the_server_loudly() -> None:
    """`wait` returns and `stop` raises the path's own error: no frozen market pretends to live."""
    server = SimulatedServer(ServeConfig(market=Broken(marks((0, "90900")).path)))
    await server.start()
    await server.wait()
    with pytest.raises(OSError, match="line 2"):
        await server.stop()


async def test_the_end_is_told_to_clients_and_ledger() -> None:
    """Open sockets are closed, the ledger ends with `serving` off and `closed`."""
    server = SimulatedServer(ServeConfig(market=manual()))
    await server.start()
    async with aiohttp.ClientSession() as session:
        client = Client(session, server)
        async with client.stream("/public/ws/btcusdt@bookTicker") as listener, client.ws_api():
            ended = asyncio.create_task(server.stop())
            while (await listener.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            await ended
            assert listener.socket.close_code == aiohttp.WSCloseCode.GOING_AWAY
    records = server.exchange.ledger.records
    assert [record["kind"] for record in records[-2:]] == ["serving", "closed"]
    assert records[-2]["on"] is False
