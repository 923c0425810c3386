"""Streams: addresses, routing, subscriptions, wrapping, and what a client does not get."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from aiohttp import WSMsgType
from tests.contract.wire import SYMBOL, Client, exchange, market_order

from jumar.exchange.simulated.server import streams
from jumar.exchange.simulated.server.streams import parse_target


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A manual market at 90900."""
    async with exchange() as running:
        yield running


@pytest.mark.parametrize("target", ["/public/ws/btcusdt@bookTicker", "/ws/btcusdt@bookTicker"])
async def test_best_bid_and_ask_arrive_on_public_and_unrouted_paths(
    client: Client, target: str
) -> None:
    """A price that was set arrives as a raw bookTicker."""
    async with client.stream(target) as listener:
        await client.price(bid="90800.0", ask="90800.1")
        event = await listener.until(lambda message: message["b"] == "90800")
    assert (event["e"], event["s"], event["a"], event["st"]) == ("bookTicker", SYMBOL, "90800.1", 1)


async def test_combined_streams_are_wrapped_with_their_names(client: Client) -> None:
    """Several streams on one socket, each message under its name."""
    names = "btcusdt@markPrice@1s/btcusdt@aggTrade"
    async with client.stream(f"/market/stream?streams={names}") as listener:
        message = await listener.next()
    assert message["stream"] == "btcusdt@markPrice@1s"
    assert (message["data"]["e"], message["data"]["p"]) == ("markPriceUpdate", "90900.00000000")


WRONG = (
    "/market/ws/btcusdt@bookTicker",
    "/public/ws/btcusdt@markPrice@1s",
    "/ws/btcusdt@markPrice@1s",
    "/private/ws/no-such-key",
    "/public/ws/btcusdt@nonsense",
)


async def test_a_wrong_route_connects_and_stays_silent(client: Client) -> None:
    """The handshake proves nothing: nothing arrives there, though others are served meanwhile."""
    async with (
        AsyncExitStack() as stack,
        client.stream("/market/ws/btcusdt@markPrice@1s") as marks,
        client.stream("/public/ws/btcusdt@bookTicker") as quotes,
    ):
        wrong = [await stack.enter_async_context(client.stream(target)) for target in WRONG]
        await client.price(last="90850.0", mark="90850.0")
        await quotes.until(lambda message: message["e"] == "bookTicker")
        await marks.until(lambda message: message["p"] == "90850.00000000")
        assert [await listener.silent() for listener in wrong] == [True] * len(WRONG)


async def test_user_data_stays_off_unrouted_paths(client: Client) -> None:
    """A listen key on /ws is accepted and silent; on /private it speaks."""
    key = await client.listen_key()
    async with client.stream(f"/ws/{key}") as wrong, client.stream(f"/private/ws/{key}") as right:
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
        event = await right.next()
        assert (event["e"], event["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": SYMBOL, "l": 5})
        assert await wrong.silent()


async def test_a_listen_key_in_the_query_may_choose_its_events(client: Client) -> None:
    """`events=` narrows what is pushed under the key that precedes it."""
    key = await client.listen_key()
    target = f"/private/stream?listenKey={key}&events=ORDER_TRADE_UPDATE"
    async with client.stream(target) as listener:
        await client.ok("POST", "order", **market_order("BUY"))
        first, second = await listener.next(), await listener.next()
        assert await listener.silent()
    assert {first["stream"], second["stream"]} == {key}
    assert [first["data"]["o"]["X"], second["data"]["o"]["X"]] == ["NEW", "FILLED"]


async def test_subscriptions_can_be_changed_on_the_socket(client: Client) -> None:
    """SUBSCRIBE, LIST_SUBSCRIPTIONS and UNSUBSCRIBE, a listen key included."""
    key = await client.listen_key()
    async with client.stream("/private/ws") as listener:
        assert await listener.ask("SUBSCRIBE", key) == {"result": None, "id": 7}
        assert (await listener.ask("LIST_SUBSCRIPTIONS"))["result"] == [key]
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
        assert (await listener.next())["e"] == "ACCOUNT_CONFIG_UPDATE"
        await listener.ask("UNSUBSCRIBE", key)
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="6")
        assert await listener.silent()


async def test_a_bad_control_frame_is_answered_and_forgotten(client: Client) -> None:
    """No JSON and an unknown method are errors; the socket lives on."""
    async with client.stream("/public/ws") as listener:
        await listener.socket.send_str("{")
        assert (await listener.next())["error"]["code"] == 3
        assert (await listener.ask("SHOUT"))["error"]["code"] == 2
        assert await listener.silent()


async def test_a_deleted_listen_key_falls_silent_for_everybody(client: Client) -> None:
    """Two sockets on one key hear the same; after DELETE neither hears anything."""
    key = await client.listen_key()
    async with (
        client.stream(f"/private/ws/{key}") as one,
        client.stream(f"/private/ws/{key}") as two,
    ):
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
        assert await one.next() == await two.next()
        await client.send("DELETE", "/fapi/v1/listenKey", headers=client.key)
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="6")
        assert await one.silent()
        assert await two.silent()


async def test_quote_and_mark_are_repeated_every_second(client: Client) -> None:
    """The manual market stands still, its streams do not; repeats carry later times."""
    async with client.stream("/public/ws/btcusdt@bookTicker") as quotes:
        times = [(await quotes.next())["T"] for _ in range(2)]
    assert all(900 <= later - earlier <= 5000 for earlier, later in pairwise(times))


async def test_a_client_that_does_not_read_is_dropped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue ends the connection instead of growing without bound; others are not affected."""
    monkeypatch.setattr(streams, "QUEUE_MESSAGES_MAX", 100)
    key = await client.listen_key()
    async with client.stream(f"/private/ws/{key}") as listener:
        await listener.ask("LIST_SUBSCRIPTIONS")
        hub = client.server._hub
        for number in range(101):
            hub.publish_user({"e": "TEST", "n": number})
        message = await listener.socket.receive()
        assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR, WSMsgType.CLOSE)
    assert await client.time() > 0


def test_addresses_name_route_form_and_streams() -> None:
    """Paths and queries as documented, in all their forms."""
    assert parse_target("/public/ws/a/b", "") == ("public", False, {"a": None, "b": None})
    assert parse_target("/stream", "streams=a/b") == ("public", True, {"a": None, "b": None})
    assert parse_target("/private/ws", "listenKey=K") == ("private", False, {"K": None})
    both = parse_target("/private/stream", "listenKey=K&events=X/Y&listenKey=L")
    assert both == ("private", True, {"K": frozenset({"X", "Y"}), "L": None})
