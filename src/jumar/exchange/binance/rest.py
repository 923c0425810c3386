"""Requests over HTTP, each sent once.

Promises one reply per call within its timeout, never an exception from the network, and no text that shows a
query string: exceptions of the HTTP library carry URLs, so only their type is told. Retries nothing, and keeps
the library from doing so.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace

import aiohttp
from yarl import URL

from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import READ_TIMEOUT_MS, Caller, Security
from jumar.exchange.binance.lanes import WRONG_WEIGHT_PATHS, Lane, cost_of
from jumar.exchange.binance.outcomes import Answer, NoAnswer, Reply
from jumar.exchange.binance.signing import Params, Signer
from jumar.ports.clock import Clock

CONNECTIONS_MAX = 48
QUESTIONS_MAX = 32
"""Of the connections: questions that get no answer must leave some to what protects. Sockets use four."""


def open_session() -> aiohttp.ClientSession:
    """Return a session that never sends anything twice and keeps no cookies."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, connect=None),
    )
    # aiohttp resends GET, PUT and DELETE when a connection breaks. A second DELETE would answer "unknown order"
    # for a cancel that worked; there is no public switch.
    session._retry_connection = False  # noqa: SLF001 - no public switch, see above
    return session


def describe(error: BaseException) -> str:
    """Name a network error without anything it carries."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"handshake answered with HTTP {error.status}"
    return type(error).__name__


class Rest(Caller):
    """Signed and unsigned requests to one host.

    Attributes:
        session: set while the adapter is open.
    """

    def __init__(
        self,
        *,
        base_url: str,
        signer: Signer,
        clock: Clock,
        recv_window_ms: int,
        budget: Budget,
        on_code: Callable[[int], None],
    ) -> None:
        self.session: aiohttp.ClientSession | None = None
        self._base_url = base_url.rstrip("/")
        self._signer = signer
        self._clock = clock
        self._recv_window_ms = recv_window_ms
        self._budget = budget
        self._on_code = on_code
        self._questions = asyncio.Semaphore(QUESTIONS_MAX)

    async def call(
        self,
        method: str,
        path: str,
        params: Params,
        *,
        security: Security = Security.SIGNED,
        timestamp_ms: int | None = None,
        timeout_ms: int = READ_TIMEOUT_MS,
        lane: Lane = Lane.READ,
    ) -> Reply:
        """Send one request once, or not at all where its lane has no room (W-4).

        `timestamp_ms` is signed, exchange time now when not given.
        """
        if self.session is None or self.session.closed:
            return NoAnswer(reason="not sent: the adapter is closed")
        kept_back = self._budget.admit(lane, cost_of(method, path), self._clock.now_ms())
        if kept_back is not None:
            return kept_back
        query = self._query(params, security, timestamp_ms)
        url = URL(f"{self._base_url}{path}{'?' if query else ''}{query}", encoded=True)
        headers = {} if security is Security.NONE else {"X-MBX-APIKEY": self._signer.api_key}
        waits = method == "GET" and lane is not Lane.EXIT
        try:
            async with (
                asyncio.timeout(timeout_ms / 1000),
                self._questions if waits else nullcontext(),
            ):
                return await self._exchange(self.session, method, url, headers)
        except TimeoutError:
            return NoAnswer(reason=f"no answer within {timeout_ms} ms")
        except (aiohttp.ClientError, OSError) as error:
            return NoAnswer(reason=f"connection failed: {describe(error)}")

    async def _exchange(
        self, session: aiohttp.ClientSession, method: str, url: URL, headers: Mapping[str, str]
    ) -> Answer:
        asked_ms = self._clock.now_ms()
        async with session.request(method, url, headers=headers, allow_redirects=False) as response:
            body = await response.read()
        if url.path not in WRONG_WEIGHT_PATHS:
            self._budget.read_headers(response.headers, self._clock.now_ms(), asked_ms=asked_ms)
        answer = Answer(status=response.status, body=body)
        return self._heed(answer, response.headers)

    def _heed(self, answer: Answer, headers: Mapping[str, str]) -> Answer:
        """Note what an answer says about the clock, the filters and how long to be silent."""
        error = None if answer.succeeded else answer.error()
        if error is not None:
            self._on_code(error.code)
        wait_s = self._budget.heard(
            answer.status, error, self._clock.now_ms(), _retry_after_s(headers)
        )
        return answer if wait_s is None else replace(answer, retry_after_s=wait_s)

    def _query(self, params: Params, security: Security, timestamp_ms: int | None) -> str:
        if security is not Security.SIGNED:
            return "&".join(f"{name}={value}" for name, value in params.items())
        stamp = self._clock.now_ms() if timestamp_ms is None else timestamp_ms
        return self._signer.signed_query(
            {**params, "recvWindow": self._recv_window_ms, "timestamp": stamp}
        )


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdecimal() else None
