"""The demo's decision writer: best bid and ask in, `levels.json` and `decision.json` out.

Promises that a file is always whole (written beside and renamed), that its times are the exchange's, and that
every decision stands in `decisions.jsonl`, the writer's own record, before anybody can read it. It holds no key, sees
no order and talks to nobody else. For the last seconds of the run it decides flat. How it hears prices and whose
time passes are given: `writer_process.py` listens on a socket, in virtual time the simulation speaks to it.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - the demo's dice, with the run's seed
from typing import Any

import msgspec

from jumar.ops.demo.chart import Chart
from jumar.ops.demo.strategy import Idea, Quote, SymbolView, written
from jumar.ports.clock import Clock

FIRST_LOOK_PATH_S = 180
FLAT_EVERY_S = 1.5
SAMPLE_MS = 50

type Take = Callable[[str], None]
#: Hears frames of the exchange's combined stream and hands each on, until cancelled.
type Listen = Callable[[Take], Coroutine[Any, Any, None]]

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


_decode = msgspec.json.Decoder(_Frame).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterOptions:
    """What the writer is started with.

    Attributes:
        decision, levels: the files that the engine watches. record: where every decision is kept, one a line.
        speed: path seconds per second: the writer keeps time by the path.
        interval_s: between two decisions.
        seconds: how long the run lasts; `flat_s` of it at its end are flat.
    """

    symbols: tuple[str, ...]
    decision: Path
    levels: Path
    record: Path
    seed: int
    speed: float
    interval_s: float
    seconds: float
    flat_s: float

    @property
    def first_look_s(self) -> float:
        """How long it watches before its first decision."""
        return min(FIRST_LOOK_PATH_S / self.speed, self.interval_s)


class Writer:
    """Watches, decides, writes.

    Args:
        clock: gives durations and waits; exchange time is what the prices bring.
        listen: hears prices.
    """

    def __init__(self, options: WriterOptions, *, clock: Clock, listen: Listen) -> None:
        self._options = options
        self._clock = clock
        self._listen = listen
        self._views = {
            symbol: SymbolView(
                dice=Random(f"{options.seed}:{symbol}"),  # noqa: S311 - a demo, not a secret
                interval_ms=options.interval_s * 1000,
            )
            for symbol in options.symbols
        }
        self._charts = {symbol: Chart(options.speed) for symbol in options.symbols}
        self._first_ms: int | None = None
        self._last_ms = 0
        self._last_heard_s = 0.0

    async def run(self) -> None:
        """Watch and decide until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(self._hear))
            group.create_task(self._decide())

    def _hear(self, frame: str) -> None:
        ticker = _decode(frame).data
        if self._first_ms is None:
            self._first_ms = ticker.E
        self._last_ms, self._last_heard_s = ticker.E, self._clock.monotonic()
        view = self._views[ticker.s]
        if view.history and ticker.E - view.history[-1].at_ms < SAMPLE_MS:
            return
        path_ms = (ticker.E - self._first_ms) * self._options.speed
        quote = Quote(path_ms=path_ms, at_ms=ticker.E, bid=ticker.b, ask=ticker.a)
        view.see(quote)
        self._charts[ticker.s].see(quote)

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
        self._write_levels(stamp)
        zone_id = None
        if idea is not None and idea.names_zone:
            zone_id = self._charts[symbol].zone_ahead(self._views[symbol].history[-1], idea)
        content: dict[str, Any] = written(symbol, stamp, idea, zone_id)
        text = _encode(content)
        with self._options.record.open("ab") as record:
            record.write(text + b"\n")
        _replace(self._options.decision, text)
        flaw = f" (flawed: {idea.flaw})" if idea is not None and idea.flaw else ""
        log.info("%s %s %s%s", stamp, symbol, content["action"], flaw)

    def _write_levels(self, stamp: str) -> None:
        """The levels of every symbol whose price was heard; they come before the decision that names one."""
        blocks = {
            symbol: self._charts[symbol].levels(view.history[-1], stamp)
            for symbol, view in self._views.items()
            if view.history
        }
        _replace(self._options.levels, _encode({"as_of": stamp, "symbols": blocks}))


def _replace(path: Path, text: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(text)
    draft.replace(path)
