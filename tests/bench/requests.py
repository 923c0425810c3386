"""Requests a second over the WebSocket API and REST, beside those of a server that does nothing.

A request is one placement or one cancel; a pair is both. All are signed before the clock starts, with timestamps a
millisecond apart and the longest receive window. The server is a process of its own, on a core of its own where the
machine allows that; its processor time is the kernel's figure for that process.
"""

import hashlib
import hmac
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.bench.figures import Figure, Findings, quantile
from tests.bench.load import Pair, Timed, play, ws_frame
from tests.bench.memory import resident

from jumar.bootstrap.common import run_async
from jumar.ports.clock import SystemClock

LANES = 8
RESTING = 20
WINDOW_MS = 60_000
WARM_PAIRS = 300
SERVE = ("-m", "jumar", "exchange", "serve", "--limits", "off", "--symbols", "BTCUSDT")
FLOOR = ("-m", "tests.bench.floor")
RATE, CPU = "requests/s", "server µs/request"
AIMS = {"WebSocket API": 2000, "REST": 1000}


class Server:
    """A server in a process of its own."""

    def __init__(self, pid: int, ready: dict[str, Any]) -> None:
        self._pid = pid
        self.ready = ready

    def cpu_s(self) -> float:
        """The processor time it has used, seconds; zero where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """The memory it occupies, MB; zero where the system does not tell."""
        return resident(self._pid) / 1e6


@contextmanager
def pinned() -> Iterator[int | None]:
    """Keep this process on the last core; the core that is left for a server, None without such a choice."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        yield None
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield min(cores)
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def served(command: tuple[str, ...], core: int | None) -> Iterator[Server]:
    """Start a server, wait until it answers, end it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        option = ("--ready-file", str(ready)) if "serve" in command else (str(ready),)
        words = Path(folder) / "words"  # what it prints is nobody's, unless it does not start
        with words.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command, *option], stdout=file, stderr=file
            )
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            deadline_s = perf_counter() + 30
            while not ready.exists():
                if process.poll() is not None or perf_counter() > deadline_s:
                    raise RuntimeError(f"{' '.join(command)} did not start: {words.read_text()}")
                select.select([], [], [], 0.02)
            yield Server(process.pid, json.loads(ready.read_text()))
        finally:
            process.terminate()
            process.wait(timeout=20)


class Signer:
    """Makes signed requests for one server; each has a timestamp of its own."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self._key = ready["api_key"]
        self._secret = ready["api_secret"].encode()
        self._ready = ready
        self._time_ms = SystemClock().now_ms() - 30_000
        self._number = 0

    def pairs(self, count: int, *, ws: bool) -> list[Pair]:
        """So many pairs of requests."""
        return [self._pair(ws=ws) for _ in range(count)]

    def rest_order(self) -> None:
        """Place one resting order that stays."""
        params = self._signed(self._placed(f"rest-{self._number}"))
        self._number += 1
        self._call("POST", f"/fapi/v1/order?{params}")

    def listen_key(self) -> str:
        """A key of the user stream."""
        return str(self._call("POST", "/fapi/v1/listenKey")["listenKey"])

    def _call(self, method: str, target: str) -> Any:
        headers = {"X-MBX-APIKEY": self._key}
        request = Request(self._ready["rest"] + target, method=method, headers=headers)
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def _pair(self, *, ws: bool) -> Pair:
        self._number += 1
        client_id = f"bench-{self._number}"
        placed = self._placed(client_id)
        cancelled = {"symbol": "BTCUSDT", "origClientOrderId": client_id}
        if ws:
            return Pair(self._frame("order.place", placed), self._frame("order.cancel", cancelled))
        return Pair(self._http("POST", placed), self._http("DELETE", cancelled))

    def _placed(self, client_id: str) -> dict[str, str]:
        return {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.002",
            "price": f"{80_000 + self._number % 1000}.1",
            "newClientOrderId": client_id,
        }

    def _stamped(self, params: dict[str, str]) -> dict[str, str]:
        # spread over the window's first half minute: none is too old at the end, none lies ahead
        self._time_ms += 1
        stamp_ms = min(self._time_ms, SystemClock().now_ms())
        return {**params, "recvWindow": str(WINDOW_MS), "timestamp": str(stamp_ms)}

    def _signature(self, payload: str) -> str:
        return hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()

    def _signed(self, params: dict[str, str]) -> str:
        payload = urlencode(self._stamped(params))
        return f"{payload}&signature={self._signature(payload)}"

    def _frame(self, method: str, params: dict[str, str]) -> bytes:
        stamped = {**self._stamped(params), "apiKey": self._key}
        payload = "&".join(f"{name}={value}" for name, value in sorted(stamped.items()))
        stamped["signature"] = self._signature(payload)
        frame = {"id": f"r{self._number}", "method": method, "params": stamped}
        return ws_frame(json.dumps(frame).encode())

    def _http(self, method: str, params: dict[str, str]) -> bytes:
        host = self._ready["rest"].partition("//")[2]
        head = f"{method} /fapi/v1/order?{self._signed(params)} HTTP/1.1"
        return f"{head}\r\nHost: {host}\r\nX-MBX-APIKEY: {self._key}\r\n\r\n".encode()


def bench(findings: Findings, pairs: int, lanes: int = LANES) -> None:
    """Measure both ways, each beside the server that does nothing."""
    with pinned() as core:
        placed = "server and generator on cores of their own" if core is not None else "not pinned"
        findings.note(
            f"Requests: place and cancel of a resting LIMIT order, {lanes} under way, {RESTING} more "
            f"orders resting, ledger on, limits off, {placed}"
        )
        floors: dict[str, dict[str, float | int]] = {}
        with served(FLOOR, core) as server:
            for way in AIMS:
                figure = floors[way] = _measured(server, way, pairs, lanes)
                findings.add(Figure(name=f"a server that does nothing, {way}", values=figure))
        with served(SERVE, core) as server:
            signer = Signer(server.ready)
            for _ in range(RESTING):
                signer.rest_order()
            for way, aim in AIMS.items():
                for heard in (False, True):
                    _add(findings, server, way, (pairs, lanes, aim), floors, heard=heard)


def _add(
    findings: Findings,
    server: Server,
    way: str,
    size: tuple[int, int, int],
    floors: dict[str, dict[str, float | int]],
    *,
    heard: bool,
) -> None:
    pairs, lanes, aim = size
    figure = _measured(server, way, pairs, lanes, heard=heard)
    rate = figure[RATE]
    findings.add(
        Figure(
            name=f"{way}, a user stream heard" if heard else way,
            values={
                **figure,
                "of a server that does nothing": round(rate / floors[way][RATE], 3),
                "times its processor time": round(figure[CPU] / max(1, floors[way][CPU]), 1),
            },
            aim="" if heard else f"at least {aim:,} requests/s",
            reached=None if heard else rate >= aim,
        )
    )


def _measured(
    server: Server, way: str, pairs: int, lanes: int, *, heard: bool = False
) -> dict[str, float | int]:
    ws = way != "REST"
    signer = Signer(server.ready)
    ear = None
    if heard:
        ear = f"{server.ready['stream']}/private/ws/{signer.listen_key()}"
    url = server.ready["ws_api"] if ws else server.ready["rest"]
    run_async(play(url, signer.pairs(WARM_PAIRS, ws=ws), lanes))
    requests = signer.pairs(pairs, ws=ws)
    cpu_s = server.cpu_s()
    timed: Timed = run_async(play(url, requests, lanes, ear))
    cpu_s = server.cpu_s() - cpu_s
    return {
        RATE: round(2 * pairs / timed.seconds),
        "pairs/s": round(pairs / timed.seconds),
        "place p50 ms": round(1000 * quantile(timed.place_s, 0.5), 2),
        "p99 ms": round(1000 * quantile(timed.place_s, 0.99), 2),
        "cancel p50 ms": round(1000 * quantile(timed.cancel_s, 0.5), 2),
        "cancel p99 ms": round(1000 * quantile(timed.cancel_s, 0.99), 2),
        CPU: round(1e6 * cpu_s / (2 * pairs)),
        "server MB": round(server.resident_mb(), 1),
        **({"events heard": timed.events} if heard else {}),
    }
