"""`--market live`: a served exchange that follows another one, which stands for the real market."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.contract.hosting import hosted
from tests.contract.wire import PATIENCE_S, SYMBOL, Client, manual, market_order
from typer.testing import CliRunner

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.market import Link, LiveMarket, NoPricesError, live
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.run import SimulatedServer
from jumar.ops.cli.app import app
from jumar.ports.clock import SystemClock

TICKS = {symbol: row.tick_size for symbol, row in INSTRUMENTS.items()}
RATE = Decimal("0.00042")


def follower(url: str, told: list[str], *, silence_s: float = 5.0) -> LiveMarket:
    """A market that follows an address."""
    link = Link(clock=SystemClock(), tell=told.append, url=url, silence_s=silence_s)
    return LiveMarket((SYMBOL,), tick_sizes=TICKS, link=link)


async def until(seen: Callable[[], bool]) -> None:
    """Wait for a state."""
    async with asyncio.timeout(PATIENCE_S):
        while not seen():  # noqa: ASYNC110 - the state is a server's, which sets no event
            await asyncio.sleep(0.01)


def real_config(port: int = 0) -> ServeConfig:
    """The exchange that stands for the real market."""
    return ServeConfig(market=manual(), port=port, terms=Terms(funding_rate=RATE))


@asynccontextmanager
async def follows(real: SimulatedServer, told: list[str]) -> AsyncIterator[Client]:
    """An exchange that follows another."""
    config = ServeConfig(market=follower(real.urls["stream"], told))
    async with SimulatedServer(config) as server, aiohttp.ClientSession() as session:
        yield Client(session, server)


def present(client: Client) -> MarketStep:
    """The market of an exchange now."""
    step = client.server.exchange.step(SYMBOL)
    assert step is not None
    return step


async def test_quote_mark_trades_and_rate_follow() -> None:
    """Whatever the real market says arrives: prices at once, the mark within its second, its funding rate, its trades."""
    told: list[str] = []
    async with (
        SimulatedServer(real_config()) as real,
        aiohttp.ClientSession() as session,
        follows(real, told) as paper,
    ):
        source = Client(session, real)
        assert present(paper).bids[0].price == Decimal("90899.9")
        await source.price(bid="91000.0", ask="91000.2", mark="91005.55", bid_quantity="1.5")
        await until(lambda: present(paper).asks[0].price == Decimal("91000.2"))
        await until(lambda: present(paper).mark == Decimal("91005.55"))
        assert (present(paper).bids[0].quantity, present(paper).funding_rate) == (
            Decimal("1.5"),
            RATE,
        )
        row = (await paper.send("GET", "/fapi/v1/premiumIndex", query=f"symbol={SYMBOL}")).body
        assert (row["markPrice"], row["lastFundingRate"]) == ("91005.55000000", "0.00042000")
        assert told == []


async def test_orders_are_filled_at_the_real_price_and_move_nothing_there() -> None:
    """A market order on paper takes the followed ask; the real market knows nothing of it."""
    async with (
        SimulatedServer(real_config()) as real,
        aiohttp.ClientSession() as session,
        follows(real, []) as paper,
    ):
        await Client(session, real).price(last="92000.0")
        await until(lambda: present(paper).asks[0].price == Decimal("92000.1"))
        placed = await paper.ok("POST", "order", **market_order("BUY"))
        order = await paper.ok("GET", "order", symbol=SYMBOL, orderId=str(placed["orderId"]))
        assert (order["status"], Decimal(order["avgPrice"])) == ("FILLED", Decimal("92000.1"))
        assert real.exchange.position(SYMBOL) == 0


async def test_a_real_market_that_goes_and_comes_is_told_and_followed_again() -> None:
    """While it is gone the last prices stand and nothing is invented; once it is back, its prices count."""
    told: list[str] = []
    real = SimulatedServer(real_config())
    await real.start()
    port = int(real.urls["rest"].rsplit(":", 1)[1])
    async with follows(real, told) as paper:
        before = present(paper)
        await real.stop()
        await until(lambda: len(told) == 2)
        assert all("the market stands still until they come" in line for line in told)
        assert {re.findall(r"no (public|market) prices", line)[0] for line in told} == {
            "public",
            "market",
        }
        answer = await paper.send("GET", "/fapi/v1/ticker/bookTicker", query=f"symbol={SYMBOL}")
        assert answer.body["bidPrice"] == "90899.9"
        state = (await paper.send("GET", "/sim/market")).body
        assert (state["live"], state["symbols"]) == (True, [SYMBOL])
        assert set(state["silent_s"]) == {"public", "market"}
        assert (present(paper).bids, present(paper).mark) == (before.bids, before.mark)
        async with SimulatedServer(real_config(port)) as again, aiohttp.ClientSession() as session:
            await Client(session, again).price(bid="80000.0", ask="80000.1", mark="80000.0")
            await until(lambda: present(paper).mark == Decimal(80000))
            await until(lambda: present(paper).bids[0].price == Decimal(80000))
            await until(lambda: len(told) == 4)
            assert (await paper.send("GET", "/sim/market")).body["silent_s"] == {}
    assert all(re.search(r"prices have come again after \d+\.\d s", line) for line in told[2:4]), (
        told
    )


class Voice:
    """A host of the streams' paths that says what a test has it say."""

    def __init__(self) -> None:
        self.url = ""
        self.sockets: dict[str, list[web.WebSocketResponse]] = {"public": [], "market": []}

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Keep a connection open."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[request.match_info["part"]].append(socket)
        async for _ in socket:
            pass
        return socket

    async def say(self, part: str, **data: Any) -> None:
        """Send one frame on the newest connection of a part."""
        await until(lambda: bool(self.sockets[part]))
        await self.sockets[part][-1].send_json({"stream": "s", "data": {"s": SYMBOL, **data}})

    async def quote(self, bid: str, ask: str) -> None:
        """A bookTicker frame."""
        await self.say("public", e="bookTicker", T=1_700_000_000_000, b=bid, B="1", a=ask, A="1")

    async def mark(self, price: str) -> None:
        """A markPriceUpdate frame."""
        await self.say("market", e="markPriceUpdate", E=1_700_000_000_000, p=price, r="0.0001", T=1)


@pytest.fixture
async def voice() -> AsyncIterator[Voice]:
    """Such a host."""
    served = Voice()
    async with hosted("/{part:public|market}/stream", served.handle) as place:
        served.url = f"ws://{place}"
        yield served


@asynccontextmanager
async def hearing(market: LiveMarket, voice: Voice) -> AsyncIterator[list[MarketStep]]:
    """A market that began, and its further steps."""
    steps: list[MarketStep] = []
    begun = asyncio.create_task(market.begin())
    await voice.quote("100.0", "100.1")
    await voice.mark("100.05")
    await begun
    following = asyncio.create_task(market.follow(steps.append))
    await asyncio.sleep(0)
    try:
        yield steps
    finally:
        following.cancel()
        await market.close()


async def test_trades_are_prints_and_the_last_price(voice: Voice) -> None:
    """Price, size and taker of an aggTrade; until the first one the bid is the last price."""
    market = follower(voice.url, [])
    async with hearing(market, voice) as steps:
        (begin,) = market.steps()
        assert (begin.last, begin.mark) == (Decimal("100.0"), Decimal("100.05"))
        await voice.say("market", e="aggTrade", T=1_700_000_000_500, p="100.1", q="2", m=False)
        await until(lambda: bool(steps))
        (done,) = steps[0].prints
        assert (steps[0].last, done.quantity, done.taker_side) == (
            Decimal("100.1"),
            Decimal(2),
            "BUY",
        )
        assert steps[0].path_ms == 500


async def test_levels_behind_the_best_come_from_the_depth(voice: Voice) -> None:
    """The quote knows the best prices better; what it has passed is gone, what it has not reached stays."""
    async with hearing(follower(voice.url, []), voice) as steps:
        bids = [["100.0", "1"], ["99.9", "7"], ["99.8", "9"]]
        asks = [["100.1", "1"], ["100.2", "3"]]
        await voice.say("public", e="depthUpdate", T=1_700_000_000_100, b=bids, a=asks)
        await voice.quote("99.9", "100.0")
        await until(lambda: len(steps) == 2)
        seen = [[(each.price, int(each.quantity)) for each in steps[-1].bids]]
        seen.append([(each.price, int(each.quantity)) for each in steps[-1].asks])
        assert seen == [
            [(Decimal("99.9"), 1), (Decimal("99.8"), 9)],
            [(Decimal("100.0"), 1), (Decimal("100.1"), 1), (Decimal("100.2"), 3)],
        ]


async def test_silence_is_an_end_too(voice: Voice) -> None:
    """A connection that stays open and says nothing is given up, told once, and made anew."""
    told: list[str] = []
    async with hearing(follower(voice.url, told, silence_s=0.2), voice) as steps:
        await until(lambda: len(voice.sockets["public"]) >= 3)
        assert len([line for line in told if "no public prices" in line]) == 1
        assert "nothing was said for 0.2 s" in told[0]
        await voice.quote("101.0", "101.1")
        await until(lambda: bool(steps))
        assert steps[-1].bids[0].price == Decimal("101.0")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            {"e": "bookTicker", "T": 1, "b": "2", "B": "1", "a": "1", "A": "1"},
            "bid 2 is not below ask 1",
        ),
        ({"e": "bookTicker", "T": 1, "b": "x", "B": "1", "a": "1", "A": "1"}, "Invalid decimal"),
        ({"e": "news"}, "Invalid value 'news'"),
    ],
)
async def test_a_frame_that_cannot_be_read_is_no_price(
    voice: Voice, frame: dict[str, Any], said: str
) -> None:
    """It is told, the connection is made anew, and nothing of it reaches the market."""
    told: list[str] = []
    async with hearing(follower(voice.url, told), voice) as steps:
        await voice.say("public", **frame)
        await until(lambda: len(voice.sockets["public"]) == 2)
        assert "a frame cannot be read: " in told[0]
        assert said in told[0]
        assert steps == []


async def test_what_fails_behind_the_market_is_no_bad_frame(voice: Voice) -> None:
    """A fault of the exchange's own ends following loudly, instead of looking like a lost connection."""
    market = follower(voice.url, [])

    def fails(_: MarketStep) -> None:
        raise ValueError("a fault")

    begun = asyncio.create_task(market.begin())
    await voice.quote("100.0", "100.1")
    await voice.mark("100.05")
    await begun
    following = asyncio.create_task(market.follow(fails))
    await asyncio.sleep(0)
    await voice.quote("100.1", "100.2")
    with pytest.raises(ValueError, match="a fault"):
        await asyncio.wait_for(following, PATIENCE_S)
    await market.close()


async def test_no_real_market_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start, and leaves nothing behind."""
    monkeypatch.setattr(live, "BEGIN_S", 0.1)
    server = SimulatedServer(ServeConfig(market=follower("ws://127.0.0.1:1", [])))
    before = asyncio.all_tasks()
    with pytest.raises(
        NoPricesError, match=r"no prices of BTCUSDT from ws://127\.0\.0\.1:1 within"
    ):
        await server.start()
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exchange serve --market live --speed 2", "--market live is now, at its own pace"),
        (
            "exchange serve --market live --start 2025-01-01",
            "--market live is now, at its own pace",
        ),
        ("exchange serve --market live --from 2025-01-01", "--from and --to cut a recorded file"),
        ("exchange serve --market live:LUNAUSDT", "--symbols names LUNAUSDT, which is not listed"),
        (
            "exchange serve --market live --live-url http://x",
            "--live-url: 'http://x' is no stream address",
        ),
        ("exchange serve --live-url ws://x", "--live-url: it goes with --market live"),
        ("demo --market live --speed max", "--market live: virtual time cannot follow it"),
    ],
)
def test_what_a_live_market_cannot_do_is_told(command: str, said: str) -> None:
    """It has one pace and no dates; exit code 2 before anything is connected."""
    result = CliRunner().invoke(app, command.split())
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
