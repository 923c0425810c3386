"""A raw client of the simulated exchange: aiohttp, HMAC and nothing of the product's own adapter."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yarl import URL

from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.config import ServeConfig, parse_start
from jumar.exchange.simulated.server.run import SimulatedServer

SYMBOL = "BTCUSDT"
START = "2025-12-05T10:04:50Z"
PATIENCE_S = 40.0

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, decoded body and headers of one HTTP answer."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int:
        """The error code."""
        return int(self.body["code"])


class Listener:
    """One stream connection that keeps everything it hears."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Json] = []

    async def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The next message that is wanted; all on the way are kept."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.next()
                if wanted(message):
                    return message

    async def next(self) -> Json:
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            message: Json = json.loads(await self.socket.receive_str())
        self.heard.append(message)
        return message

    async def ask(self, method: str, *names: str) -> Json:
        """Send a control frame; its answer."""
        await self.socket.send_json({"method": method, "params": names, "id": 7})
        return await self.until(lambda message: message.get("id") == 7)

    async def silent(self) -> bool:
        """Whether nothing but the answer to a question arrives when a question is asked now."""
        before = len(self.heard)
        await self.ask("LIST_SUBSCRIPTIONS")
        return len(self.heard) == before + 1


class Client:
    """Signed requests by hand."""

    def __init__(self, session: aiohttp.ClientSession, server: SimulatedServer) -> None:
        self.session = session
        self.server = server
        self.urls = server.urls

    def sign(self, payload: str) -> str:
        """HMAC-SHA256 of a payload, hexadecimal."""
        secret = self.urls["api_secret"].encode()
        return hmac.new(secret, payload.encode(), hashlib.sha256).hexdigest()

    async def time(self) -> int:
        """The exchange's clock."""
        answer = await self.send("GET", "/fapi/v1/time")
        return int(answer.body["serverTime"])

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One HTTP request, bytes as given."""
        target = self.urls["rest"] + path + (f"?{query}" if query else "")
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        async with self.session.request(
            method, URL(target, encoded=True), data=body, headers={**kind, **(headers or {})}
        ) as response:
            text = await response.text()
            shown = json.loads(text) if response.content_type == "application/json" else text
            return Answer(status=response.status, body=shown, headers=dict(response.headers))

    async def signed(self, method: str, path: str, /, **params: str) -> Answer:
        """One signed request, everything in the query."""
        stamped = {**params, "timestamp": str(await self.time())}
        payload = urlencode(stamped)
        query = f"{payload}&signature={self.sign(payload)}"
        path = path if path.startswith("/") else f"/fapi/v1/{path}"
        return await self.send(method, path, query=query, headers=self.key)

    async def ok(self, method: str, path: str, /, **params: str) -> Any:
        """A signed request that succeeds."""
        answer = await self.signed(method, path, **params)
        assert answer.status == 200, answer.body
        return answer.body

    @property
    def key(self) -> dict[str, str]:
        """The key header."""
        return {"X-MBX-APIKEY": self.urls["api_key"]}

    async def listen_key(self) -> str:
        """A listen key."""
        answer = await self.send("POST", "/fapi/v1/listenKey", headers=self.key)
        return str(answer.body["listenKey"])

    async def price(self, **prices: str) -> Json:
        """Set the manual market."""
        answer = await self.sim("price", {"symbol": SYMBOL, **prices})
        assert answer.status == 200, answer.body
        body: Json = answer.body
        return body

    async def sim(self, name: str, fields: Any) -> Answer:
        """POST to the control surface."""
        body = fields if isinstance(fields, str) else json.dumps(fields)
        return await self.send("POST", f"/sim/{name}", body=body)

    async def ledger(self, after: int = 0) -> list[Json]:
        """The ledger."""
        answer = await self.send("GET", "/sim/ledger", query=f"after={after}")
        return [json.loads(line) for line in answer.body.splitlines() if line]

    async def judge(self) -> Json:
        """The verdict."""
        verdict: Json = (await self.send("GET", "/sim/judge")).body
        return verdict

    @asynccontextmanager
    async def stream(self, target: str) -> AsyncIterator[Listener]:
        """A stream connection."""
        async with self.session.ws_connect(self.urls["stream"] + target) as socket:
            yield Listener(socket)

    @asynccontextmanager
    async def ws_api(self, query: str = "") -> AsyncIterator["Frames"]:
        """A WebSocket API connection."""
        async with self.session.ws_connect(self.urls["ws_api"] + query) as socket:
            yield Frames(socket, self)


class Frames:
    """Frames of the WebSocket API by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, client: Client) -> None:
        self._socket = socket
        self._client = client

    async def raw(self, text: str) -> Json:
        """Send text, read one answer."""
        await self._socket.send_str(text)
        async with asyncio.timeout(PATIENCE_S):
            answer: Json = json.loads(await self._socket.receive_str())
        return answer

    async def plain(self, method: str, /, **params: Any) -> Json:
        """A frame as it is, with a timestamp."""
        stamped = {**params, "timestamp": await self._client.time()}
        return await self.raw(json.dumps({"id": "q", "method": method, "params": stamped}))

    async def signed(self, method: str, /, **params: Any) -> Json:
        """A frame signed with the drawn key."""
        return await self.signed_by(self._client.urls["api_key"], self._client.sign, method, params)

    async def signed_by(
        self, key: str, sign: Callable[[str], str], method: str, params: Mapping[str, Any]
    ) -> Json:
        """A frame signed with a key of the caller's."""
        full = {**params, "apiKey": key, "timestamp": await self._client.time()}
        payload = "&".join(f"{name}={_spell(full[name])}" for name in sorted(full))
        full["signature"] = sign(payload)
        return await self.raw(json.dumps({"id": 5, "method": method, "params": full}))


def _spell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Ed25519Key:
    """A fixed Ed25519 key pair."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

    @property
    def pem(self) -> str:
        """The public key."""
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, payload: str) -> str:
        """A signature, base64."""
        return base64.b64encode(self._key.sign(payload.encode())).decode()


def keyed() -> ServeConfig:
    """A manual market with an Ed25519 key beside the drawn one."""
    return ServeConfig(market=manual(), ed25519_keys={"ed": Ed25519Key().pem})


def manual(*symbols: str, price: str = "90900") -> ManualMarket:
    """A manual market."""
    names = symbols or (SYMBOL,)
    ticks = {symbol: instrument.tick_size for symbol, instrument in INSTRUMENTS.items()}
    return ManualMarket(names, start_prices=dict.fromkeys(names, Decimal(price)), tick_sizes=ticks)


@asynccontextmanager
async def exchange(config: ServeConfig | None = None) -> AsyncIterator[Client]:
    """A running exchange with its client; by default a manual market at 90900 on the spec's day."""
    chosen = config or ServeConfig(market=manual(), start_ms=parse_start(START))
    async with SimulatedServer(chosen) as server, aiohttp.ClientSession() as session:
        yield Client(session, server)


def market_order(side: str, quantity: str = "0.013", **params: str) -> dict[str, str]:
    """Parameters of a market order."""
    return {"symbol": SYMBOL, "side": side, "type": "MARKET", "quantity": quantity, **params}


def limit_order(price: str, client_id: str, **params: str) -> dict[str, str]:
    """Parameters of a post-only buy of 0.013."""
    terms = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.013"}
    return {"symbol": SYMBOL, **terms, "price": price, "newClientOrderId": client_id, **params}


def stop_order(trigger: str, client_id: str, **params: str) -> dict[str, str]:
    """Parameters of a selling mark-price stop; without a quantity it closes the position."""
    size = {"reduceOnly": "true"} if "quantity" in params else {"closePosition": "true"}
    kind = {"algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET"}
    watch = {"triggerPrice": trigger, "workingType": "MARK_PRICE", "clientAlgoId": client_id}
    return {"symbol": SYMBOL, **kind, **watch, **size, **params}
