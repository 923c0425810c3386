"""The way from a request to the exchange: limits, credentials, listen keys, time. Shared by REST and the WebSocket API.

It holds no sockets. Two clocks are asked, as at the exchange: the gateway's, when the request began to arrive (-1021),
and the engine's, when the whole of it is here (-5028, orders only).
"""

from collections.abc import Mapping
from typing import Any

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.routes import Route, Security
from jumar.exchange.simulated.core.usage import NO_ORDER
from jumar.exchange.simulated.server.auth import DEFAULT_WINDOW_MS, Gate, check_time
from jumar.exchange.simulated.server.faults.requests import RequestFaults
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.unknown import Read, Unknown
from jumar.ports.clock import Clock

LISTEN_KEY_PATH = "/fapi/v1/listenKey"


def check_engine_time(params: Params, route: Route, now_ms: int) -> None:
    """The receive window once more, for what reaches the matching engine.

    Raises:
        Refusal: -5028.
    """
    late_ms = now_ms - params.integer("timestamp")
    if route.timed and late_ms > params.integer("recvWindow", DEFAULT_WINDOW_MS):
        raise Refusal(-5028)


class Gateway:
    """Answers requests, whatever socket they came by.

    Args:
        exchange: what answers in the end.
        gate: checks credentials.
        listen_keys: of the user streams.
        clock: the server's.
        unknown: is told what was asked for in vain, if it is given.

    Attributes:
        faults: what befalls requests by order; whoever has a socket asks it.
    """

    def __init__(
        self,
        exchange: Exchange,
        gate: Gate,
        listen_keys: ListenKeys,
        clock: Clock,
        unknown: Unknown | None = None,
    ) -> None:
        self.exchange = exchange
        self.gate = gate
        self.clock = clock
        self.unknown = unknown
        self.faults: RequestFaults | None = None
        self._listen_keys = listen_keys

    def answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        *,
        api_key: str | None,
        payload: str | None,
        arrived_ms: int | None = None,
    ) -> Reply:
        """Answer one request.

        Args:
            method: HTTP method.
            path: HTTP path.
            params: all parameters as text.
            api_key: the key that was presented.
            payload: what the signature stands for; None when the connection itself is authenticated.
            arrived_ms: exchange time at which the request began to arrive; by default just now.
        """
        now_ms, values = self.clock.now_ms(), Params(params)
        route = self.exchange.route(method, path)
        weight, orders = (route.weight(values), route.orders) if route else (1, NO_ORDER)
        held = self.exchange.held_back(weight, orders, now_ms)
        if held is not None:
            return held
        if path == LISTEN_KEY_PATH:
            return self._listen_key(method, api_key, params, now_ms)
        try:
            if route is not None and route.security is Security.SIGNED:
                self._authenticate(values, api_key, payload, now_ms, arrived_ms)
                check_engine_time(values, route, now_ms)
        except Refusal as refusal:
            return self.exchange.refusal(method, path, params, refusal, now_ms)
        if self.unknown is None:
            return self.exchange.request(method, path, params, now_ms)
        if route is None:
            self.unknown.address(method, path)
        read = Read(params)
        reply = self.exchange.request(method, path, read, now_ms)
        for name in read.ignored if reply.status == 200 else ():
            self.unknown.parameter(name, method, path)
        return reply

    def refuse(self, method: str, path: str, refusal: Refusal) -> Reply:
        """Refuse a request that cannot be read; its weight counts, and whoever is held back is told that instead."""
        now_ms, route = self.clock.now_ms(), self.exchange.route(method, path)
        weight, orders = (route.weight(Params({})), route.orders) if route else (1, NO_ORDER)
        held = self.exchange.held_back(weight, orders, now_ms)
        return held or self.exchange.refusal(method, path, {}, refusal, now_ms)

    def _authenticate(
        self,
        params: Params,
        api_key: str | None,
        payload: str | None,
        now_ms: int,
        arrived_ms: int | None,
    ) -> None:
        at_ms = now_ms if arrived_ms is None else arrived_ms
        if payload is None:
            check_time(params, at_ms)
        else:
            self.gate.check(api_key, params, payload, at_ms)

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
