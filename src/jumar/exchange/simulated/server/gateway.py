"""The way from a request to the exchange: credentials, listen keys, time. Shared by REST and the WebSocket API.

It holds no sockets. A request's time is taken here, once, after the whole request has arrived.
"""

from collections.abc import Mapping
from typing import Any

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.routes import Security
from jumar.exchange.simulated.server.auth import Gate, check_time
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.ports.clock import Clock

LISTEN_KEY_PATH = "/fapi/v1/listenKey"


class Gateway:
    """Answers requests, whatever socket they came by."""

    def __init__(
        self, exchange: Exchange, gate: Gate, listen_keys: ListenKeys, clock: Clock
    ) -> None:
        self.exchange = exchange
        self.gate = gate
        self.clock = clock
        self._listen_keys = listen_keys

    def answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        api_key: str | None,
        payload: str | None,
    ) -> Reply:
        """Answer one request.

        Args:
            method: HTTP method.
            path: HTTP path.
            params: all parameters as text.
            api_key: the key that was presented.
            payload: what the signature stands for; None when the connection itself is authenticated.
        """
        now_ms = self.clock.now_ms()
        if path == LISTEN_KEY_PATH:
            return self._listen_key(method, api_key, params, now_ms)
        route = self.exchange.route(method, path)
        try:
            if route is not None and route.security is Security.SIGNED:
                self._authenticate(params, api_key, payload, now_ms)
        except Refusal as refusal:
            return self.exchange.refusal(method, path, params, refusal, now_ms)
        return self.exchange.request(method, path, params, now_ms)

    def _authenticate(
        self, params: Mapping[str, str], api_key: str | None, payload: str | None, now_ms: int
    ) -> None:
        if payload is None:
            check_time(Params(params), now_ms)
        else:
            self.gate.check(api_key, Params(params), payload, now_ms)

    def _listen_key(
        self, method: str, api_key: str | None, params: Mapping[str, str], now_ms: int
    ) -> Reply:
        try:
            self.gate.verifier(api_key)
            body = self._keep(method, now_ms)
        except Refusal as refusal:
            return self.exchange.refusal(method, LISTEN_KEY_PATH, params, refusal, now_ms)
        return Reply(status=200, body=body, counts=self.exchange.count(1, now_ms))

    def _keep(self, method: str, now_ms: int) -> dict[str, Any]:
        match method:
            case "POST":
                return {"listenKey": self._listen_keys.start(now_ms)}
            case "PUT":
                return {"listenKey": self._listen_keys.extend(now_ms)}
            case "DELETE":
                self._listen_keys.stop()
                return {}
            case _:
                raise Refusal(-5000, path=LISTEN_KEY_PATH, method=method, status=404)
