"""Streams: addresses, routing, subscriptions, wrapping, and what a client does not get."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from aiohttp import WSCloseCode, WSMsgType
from tests.contract.wire import SYMBOL, Client, exchange, manual, market_order

from jumar.exchange.simulated.core.readings import Readings
from jumar.exchange.simulated.server import connection, keeper
from jumar.exchange.simulated.server.config import ServeConfig
from jumar.exchange.simulated.server.streams import parse_target

#: A connection of the streams and one of the WebSocket API.
BOTH_KINDS = ("/public/ws", "/ws-fapi/v1")


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
    "/public/ws/btcusdt@kline_1m",
    "/market/ws/btcusdt@depth@100ms",
    "/ws/!markPrice@arr@1s",
    "/ws/btcusdt@ticker",
    "/public/ws/BTCUSDT@bookTicker",
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


async def test_the_demo_routing_serves_everything_on_unrouted_paths() -> None:
    """Quotes, marks and user data on one un-routed socket; a wrong route is as silent as in production."""
    async with exchange(ServeConfig(market=manual(), routes="demo")) as client:
        key = await client.listen_key()
        names = "btcusdt@bookTicker/btcusdt@markPrice@1s/btcusdt@kline_1m"
        async with (
            client.stream(f"/stream?streams={names}&listenKey={key}") as listener,
            client.stream("/market/ws/btcusdt@bookTicker") as wrong,
        ):
            await client.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
            wanted = {"bookTicker", "markPriceUpdate", "kline", "ACCOUNT_CONFIG_UPDATE"}
            while wanted:
                wanted.discard((await listener.next())["data"]["e"])
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


async def test_whether_a_user_stream_without_events_hears_any_is_a_reading() -> None:
    """Under `none` an address has to name its events; a socket that does hears them."""
    config = ServeConfig(market=manual(), readings=Readings(user_events_default="none"))
    async with exchange(config) as client:
        key = await client.listen_key()
        async with (
            client.stream(f"/private/ws?listenKey={key}") as plain,
            client.stream(f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE") as named,
        ):
            await client.ok("POST", "order", **market_order("BUY"))
            assert (await named.next())["e"] == "ORDER_TRADE_UPDATE"
            assert await plain.silent()


async def test_what_the_account_trades_is_public_at_once(client: Client) -> None:
    """A market order shows in both streams of trades before the market makes another step."""
    names = "btcusdt@aggTrade/btcusdt@trade"
    async with (
        client.stream(f"/market/stream?streams={names}") as market,
        client.stream(f"/public/stream?streams={names}") as public,
    ):
        await client.ok("POST", "order", **market_order("BUY"))
        trades = [(await listener.next())["data"] for listener in (market, public)]
    assert [trade["e"] for trade in trades] == ["aggTrade", "trade"]
    assert {(trade["q"], trade["m"]) for trade in trades} == {("0.013", False)}
    assert trades[0]["p"] == trades[1]["p"]


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


async def test_one_socket_may_hear_streams_of_many_kinds(client: Client) -> None:
    """SUBSCRIBE on a numbered path; UNSUBSCRIBE ends what it names and nothing else."""
    async with client.stream("/market/ws/7") as listener:
        assert (await listener.ask("LIST_SUBSCRIPTIONS"))["result"] == []
        await listener.ask("SUBSCRIBE", "btcusdt@miniTicker", "btcusdt@kline_5m")
        await listener.until(lambda message: message.get("e") == "24hrMiniTicker")
        await listener.until(lambda message: message.get("e") == "kline")
        await listener.ask("UNSUBSCRIBE", "btcusdt@kline_5m")
        assert (await listener.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@miniTicker"]
        assert client.server._hub.streams == ("btcusdt@miniTicker",)


async def test_messages_are_wrapped_when_asked_for(client: Client) -> None:
    """The property `combined` can be read and set on the socket."""
    async with client.stream("/public/ws/btcusdt@bookTicker") as listener:

        async def ask(method: str, *params: object) -> object:
            await listener.socket.send_json({"method": method, "params": params, "id": "x"})
            return (await listener.until(lambda message: message.get("id") == "x"))["result"]

        assert await ask("GET_PROPERTY", "combined") is False
        assert await ask("SET_PROPERTY", "combined", True) is None
        assert await ask("GET_PROPERTY", "combined") is True
        message = await listener.until(lambda message: "stream" in message)
        assert message["stream"] == "btcusdt@bookTicker"


@pytest.mark.parametrize("path", BOTH_KINDS)
async def test_a_ping_is_answered_and_pings_are_sent(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The client's ping comes back with its payload; the exchange pings, and a pong keeps the socket."""
    monkeypatch.setattr(keeper, "PING_S", 0.02)
    monkeypatch.setattr(keeper, "PONG_S", 0.2)
    url = client.urls["stream"] + path
    async with client.session.ws_connect(url, autoping=False) as socket:
        await socket.ping(b"now")
        seen = set()
        for _ in range(20):
            message = await socket.receive()
            seen.add((message.type, bytes(message.data)))
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
        assert seen == {(WSMsgType.PONG, b"now"), (WSMsgType.PING, b"")}


@pytest.mark.parametrize("path", BOTH_KINDS)
async def test_a_client_that_answers_no_ping_is_dropped(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Silence for too long ends the connection without a good-bye."""
    monkeypatch.setattr(keeper, "PING_S", 0.02)
    monkeypatch.setattr(keeper, "PONG_S", 0.1)
    url = client.urls["stream"] + path
    async with client.session.ws_connect(url, autoping=False) as socket:
        while (message := await socket.receive()).type is WSMsgType.PING:
            pass
        assert message.type in (WSMsgType.CLOSED, WSMsgType.ERROR)


@pytest.mark.parametrize("limits", [True, False])
async def test_a_client_that_talks_too_much_is_sent_away(*, limits: bool) -> None:
    """More than ten messages in a second end the connection where limits are enforced, and only there."""
    async with (
        exchange(ServeConfig(market=manual(), limits=limits)) as client,
        client.stream("/public/ws") as listener,
    ):
        for _ in range(30):
            await listener.socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        answers = 0
        while answers < 30:
            if (await listener.socket.receive()).type is not WSMsgType.TEXT:
                break
            answers += 1
        assert (listener.socket.close_code == WSCloseCode.POLICY_VIOLATION) is limits
        assert (answers == 30) is not limits


async def test_a_connection_hears_so_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where limits are enforced a SUBSCRIBE beyond 1024 streams is refused as a whole."""
    monkeypatch.setattr(connection, "STREAMS_MAX", 2)
    async with (
        exchange(ServeConfig(market=manual(), limits=True)) as client,
        client.stream("/public/ws") as listener,
    ):
        await listener.ask("SUBSCRIBE", "a", "b")
        assert "error" in await listener.ask("SUBSCRIBE", "c")
        assert "error" not in await listener.ask("SUBSCRIBE", "b")
        assert (await listener.ask("LIST_SUBSCRIPTIONS"))["result"] == ["a", "b"]


async def test_a_connection_lives_a_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it is closed with a good-bye, and no longer counted."""
    monkeypatch.setattr(keeper, "LIFE_S", 0.1)
    async with client.stream("/public/ws/btcusdt@depth@500ms") as listener:
        while (message := await listener.socket.receive()).type is WSMsgType.TEXT:
            pass
        assert message.type is WSMsgType.CLOSE
        assert listener.socket.close_code == WSCloseCode.GOING_AWAY
    async with client.stream("/public/ws") as other:
        await other.ask("LIST_SUBSCRIPTIONS")
    assert client.server._hub.streams == ()


async def test_the_websocket_api_lives_a_day(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time it says good-bye, whatever was asked meanwhile."""
    monkeypatch.setattr(keeper, "LIFE_S", 0.1)
    url = client.urls["ws_api"]
    async with client.session.ws_connect(url) as socket:
        await socket.send_str('{"id":1,"method":"session.status"}')
        assert (await socket.receive()).type is WSMsgType.TEXT
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == WSCloseCode.GOING_AWAY


@pytest.mark.parametrize("limits", [True, False])
async def test_the_websocket_api_takes_five_pings_a_second(*, limits: bool) -> None:
    """Where limits are enforced a client that pings without end is sent away, and only there."""
    async with exchange(ServeConfig(market=manual(), limits=limits)) as client:
        url = client.urls["ws_api"]
        async with client.session.ws_connect(url, autoping=False) as socket:
            for _ in range(20):
                await socket.ping()
            answers = 0
            while answers < 20 and (await socket.receive()).type is WSMsgType.PONG:
                answers += 1
        # the pings may fall into two seconds
        assert (answers <= 10) is limits


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


async def test_an_expired_listen_key_is_told_and_replaced(client: Client) -> None:
    """One event names the key, then silence; it cannot be prolonged any more, and the next key is another one."""
    key = await client.listen_key()
    assert await client.listen_key() == key
    async with client.stream(f"/private/ws/{key}") as listener:
        await listener.ask("LIST_SUBSCRIPTIONS")
        client.server._listen_keys._expires_ms = 0
        event = await listener.next()
        assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)
        await client.ok("POST", "leverage", symbol=SYMBOL, leverage="5")
        assert await listener.silent()
    prolonged = await client.send("PUT", "/fapi/v1/listenKey", headers=client.key)
    assert prolonged.code == -1125
    assert await client.listen_key() != key


async def test_quote_and_mark_are_repeated_every_second(client: Client) -> None:
    """The manual market stands still, its streams do not; repeats carry later times."""
    async with client.stream("/public/ws/btcusdt@bookTicker") as quotes:
        times = [(await quotes.next())["T"] for _ in range(2)]
    assert all(900 <= later - earlier <= 5000 for earlier, later in pairwise(times))


async def test_a_client_that_does_not_read_is_dropped(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full queue ends the connection instead of growing without bound; others are not affected."""
    monkeypatch.setattr(connection, "QUEUE_MESSAGES_MAX", 100)
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
    assert parse_target("/stream", "streams=a/b") == (None, True, {"a": None, "b": None})
    assert parse_target("/market/ws/3", "") == ("market", False, {})
    assert parse_target("/private/stream/0", "listenKey=K") == ("private", True, {"K": None})
    assert parse_target("/private/ws", "listenKey=K") == ("private", False, {"K": None})
    both = parse_target("/private/stream", "listenKey=K&events=X/Y&listenKey=L")
    assert both == ("private", True, {"K": frozenset({"X", "Y"}), "L": None})
