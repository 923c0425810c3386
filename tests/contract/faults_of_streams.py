"""Scenes of faults on order: events and streams."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
from tests.contract.wire import (
    SYMBOL,
    Client,
    Json,
    Listener,
)
from tests.contract.wire_faults import (
    fault,
    place,
    scene,
    until,
)

from jumar.exchange.simulated.server.faults.kinds import Kind


async def heard(client: Client, work: Callable[[Listener], Awaitable[None]]) -> None:
    """Listen to user events while something is done."""
    key = await client.listen_key()
    async with client.stream(f"/private/ws/{key}") as private:
        await work(private)


def order_event(name: str) -> Callable[[Json], bool]:
    """Whether an event is about an order of that id."""
    return lambda event: event.get("e") == "ORDER_TRADE_UPDATE" and event["o"]["c"] == name


@scene(Kind.DOUBLED_EVENT)
async def doubled_event(client: Client) -> None:
    """The same event twice."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.DOUBLED_EVENT, {"endpoint": "ORDER_TRADE_UPDATE"}, count=1)
        await place(client)
        assert await private.next() == await private.next()

    await heard(client, work)


@scene(Kind.LATE_EVENT)
async def late_event(client: Client) -> None:
    """It comes after the answer, and what follows waits behind it."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.LATE_EVENT, {"role": "entry"}, count=1, delay_ms=300)
        await place(client, "e1")
        await place(client, "e2")
        assert await private.silent()
        names = [(await private.next())["o"]["c"] for _ in range(2)]
        assert names == ["e1", "e2"]

    await heard(client, work)


@scene(Kind.REORDERED_EVENT)
async def reordered_event(client: Client) -> None:
    """The next one passes it; without a next one it comes after a while."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.REORDERED_EVENT, count=2, delay_ms=400)
        await place(client, "e1")
        await place(client, "e2")
        await place(client, "e3")
        names = [(await private.next())["o"]["c"] for _ in range(3)]
        assert names == ["e2", "e1", "e3"]

    await heard(client, work)


@scene(Kind.LOST_EVENT)
async def lost_event(client: Client) -> None:
    """A user event and a market event that never come."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.LOST_EVENT, {"role": "entry", "side": "BUY"}, count=1)
        await place(client, "e1")
        await place(client, "e2")
        assert (await private.next())["o"]["c"] == "e2"

    await heard(client, work)
    async with client.stream(f"/public/ws/{SYMBOL.lower()}@bookTicker") as quotes:
        await fault(client, Kind.LOST_EVENT, {"endpoint": "bookTicker", "symbol": SYMBOL}, count=1)
        await client.price(last="90950")
        await until(lambda: _struck(client, 2))
        await client.price(last="91000")
        assert (await quotes.next())["b"] == "90999.9"


async def _struck(client: Client, number: int) -> bool:
    rows = (await client.send("GET", "/sim/faults")).body["rules"]
    return any(row["id"] == number and row["struck"] for row in rows)


@scene(Kind.SILENT_STREAM)
async def silent_stream(client: Client) -> None:
    """Nothing is told for a while; the connection stays."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.SILENT_STREAM, for_ms=300)
        await place(client, "e1")
        await until(lambda: _over(client))
        await place(client, "e2")
        assert (await private.next())["o"]["c"] == "e2"

    await heard(client, work)
    await fault(client, Kind.SILENT_STREAM, stream="market", for_ms=60_000)
    async with client.stream(f"/market/ws/{SYMBOL.lower()}@markPrice@1s") as marks:
        assert await marks.silent()
        await client.send("DELETE", "/sim/faults")
        await marks.until(lambda event: event.get("e") == "markPriceUpdate")


async def _over(client: Client) -> bool:
    begin = int(next(row["t"] for row in await client.ledger() if row["kind"] == "fault"))
    return await client.time() > begin + 300


@scene(Kind.DROPPED_STREAM)
async def dropped_stream(client: Client) -> None:
    """User streams are cut, market streams stay; and the other way round."""
    key, book = await client.listen_key(), f"/public/ws/{SYMBOL.lower()}@bookTicker"
    async with client.stream(f"/private/ws/{key}") as private, client.stream(book) as public:
        await private.ask("LIST_SUBSCRIPTIONS")
        await public.ask("LIST_SUBSCRIPTIONS")
        await fault(client, Kind.DROPPED_STREAM)
        async with asyncio.timeout(5):
            assert (await private.socket.receive()).type is aiohttp.WSMsgType.CLOSED
        await public.ask("LIST_SUBSCRIPTIONS")
        await fault(client, Kind.DROPPED_STREAM, stream="market")
        async with asyncio.timeout(5):
            while (await public.socket.receive()).type is not aiohttp.WSMsgType.CLOSED:
                pass


@scene(Kind.EXPIRED_LISTEN_KEY)
async def expired_listen_key(client: Client) -> None:
    """The stream is told, and is silent from then on; a new key is another one."""

    async def work(private: Listener) -> None:
        await fault(client, Kind.EXPIRED_LISTEN_KEY)
        await private.until(lambda event: event.get("e") == "listenKeyExpired")

    await heard(client, work)
    answer = await client.send("PUT", "/fapi/v1/listenKey", headers=client.key)
    assert answer.code == -1125
