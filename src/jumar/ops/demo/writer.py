"""The demo's decision writer, a process of its own: public streams in, `decision.json` out.

Promises that the file is always whole (written beside and renamed), that its times are the exchange's, and that
every decision stands in `decisions.jsonl`, the writer's own record, before anybody can read it. It holds no key, sees
no order and talks to nobody else. For the last seconds of the run it decides flat.
"""

import argparse
import asyncio
import logging
import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - the demo's dice, with the run's seed
from typing import Any

import aiohttp
import msgspec

from jumar.ops.demo.strategy import Idea, Quote, SymbolView, written
from jumar.ports.clock import SystemClock

DECIDE_EVERY_PATH_S = 300
DECIDE_EVERY_S = (5.0, 15.0)
FIRST_LOOK_PATH_S = 180
FLAT_EVERY_S = 1.5
SAMPLE_MS = 50
RETRY_S = 0.5

log = logging.getLogger("writer")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Ticker(msgspec.Struct, frozen=True):
    """bookTicker, as the venue spells it."""

    s: str
    E: int
    b: Decimal
    a: Decimal


class _Frame(msgspec.Struct, frozen=True):
    """A message of a combined stream."""

    data: _Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterOptions:
    """What the writer is started with.

    Attributes:
        stream: address of the exchange's streams.
        decision: the file that the engine watches. record: where every decision is kept, one a line.
        seconds: how long the run lasts; `flat_s` of it at its end are flat.
        speed: path seconds per second: the writer keeps time by the path.
    """

    stream: str
    symbols: tuple[str, ...]
    decision: Path
    record: Path
    seed: int
    speed: float
    seconds: float
    flat_s: float

    @property
    def interval_s(self) -> float:
        """Five minutes of the path, but never so short that nothing could be done with a decision."""
        shortest, longest = DECIDE_EVERY_S
        return min(max(DECIDE_EVERY_PATH_S / self.speed, shortest), longest)

    @property
    def first_look_s(self) -> float:
        """How long it watches before its first decision."""
        return min(FIRST_LOOK_PATH_S / self.speed, self.interval_s)


class Writer:
    """Watches, decides, writes."""

    def __init__(self, options: WriterOptions) -> None:
        self._options = options
        self._clock = SystemClock()
        self._views = {
            symbol: SymbolView(dice=Random(f"{options.seed}:{symbol}"))  # noqa: S311 - a demo, not a secret
            for symbol in options.symbols
        }
        self._first_ms: int | None = None
        self._last_ms = 0
        self._last_heard_s = 0.0

    async def run(self) -> None:
        """Watch and decide until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._decide())

    async def _listen(self) -> None:
        names = "/".join(f"{symbol.lower()}@bookTicker" for symbol in self._views)
        url = f"{self._options.stream}/public/stream?streams={names}"
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.ws_connect(url) as socket:
                        async for message in socket:
                            if message.type is aiohttp.WSMsgType.TEXT:
                                self._see(msgspec.json.decode(message.data, type=_Frame).data)
                except aiohttp.ClientError as error:
                    log.warning("stream lost: %s", error)
                await self._clock.sleep(RETRY_S)

    def _see(self, ticker: _Ticker) -> None:
        if self._first_ms is None:
            self._first_ms = ticker.E
        self._last_ms, self._last_heard_s = ticker.E, self._clock.monotonic()
        view = self._views[ticker.s]
        if view.history and ticker.E - view.history[-1].at_ms < SAMPLE_MS:
            return
        path_ms = (ticker.E - self._first_ms) * self._options.speed
        view.see(Quote(path_ms=path_ms, at_ms=ticker.E, bid=ticker.b, ask=ticker.a))

    async def _decide(self) -> None:
        options, symbols = self._options, tuple(self._views)
        began_s = self._clock.monotonic()
        flat_from_s = began_s + options.seconds - options.flat_s
        await self._clock.sleep(min(options.first_look_s, flat_from_s - began_s))
        turn = 0
        while self._clock.monotonic() < flat_from_s:
            symbol = symbols[turn % len(symbols)]
            if self._views[symbol].history:
                self._write(symbol, self._views[symbol].decide())
            turn += 1
            left_s = flat_from_s - self._clock.monotonic()
            await self._clock.sleep(max(min(options.interval_s, left_s), 0))
        while True:
            self._write(symbols[turn % len(symbols)], None)
            turn += 1
            await self._clock.sleep(FLAT_EVERY_S)

    def _write(self, symbol: str, idea: Idea | None) -> None:
        if not self._last_ms:  # nothing heard yet: the exchange's time is not known
            return
        heard_ms = (self._clock.monotonic() - self._last_heard_s) * 1000
        moment = datetime.fromtimestamp((self._last_ms + heard_ms) / 1000, UTC)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content: dict[str, Any] = written(symbol, stamp, idea)
        path = self._options.decision
        draft = path.with_suffix(".draft")
        text = _encode(content)
        with self._options.record.open("ab") as record:
            record.write(text + b"\n")
        draft.write_bytes(text)
        draft.replace(path)
        flaw = f" (flawed: {idea.flaw})" if idea is not None and idea.flaw else ""
        log.info("%s %s %s%s", stamp, symbol, content["action"], flaw)


def _options() -> WriterOptions:
    parser = argparse.ArgumentParser(prog="jumar.ops.demo.writer")
    parser.add_argument("--stream", required=True)
    parser.add_argument("--symbols", required=True, type=lambda text: tuple(text.split(",")))
    for name in ("--decision", "--record"):
        parser.add_argument(name, required=True, type=Path)
    parser.add_argument("--seed", required=True, type=int)
    for name in ("--speed", "--seconds", "--flat-s"):
        parser.add_argument(name, required=True, type=float)
    return WriterOptions(**vars(parser.parse_args()))


async def _main() -> None:
    running = asyncio.ensure_future(Writer(_options()).run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled() and running.exception() is not None:
        raise SystemExit(f"writer: {running.exception()}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(_main())
