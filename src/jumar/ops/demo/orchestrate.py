"""Runs a demo from the first process to the verdict.

Promises: what was started is ended, also after Ctrl-C or an error; the exit code is 0 only when every promise that
was checked held; with `--json` stdout gets one object and nothing else.
"""

import asyncio
import json
import signal
from dataclasses import dataclass
from typing import Any

import aiohttp

from jumar.bootstrap.engine import audit
from jumar.model.errors import VenueUnavailable
from jumar.ops.demo.children import Child, Children
from jumar.ops.demo.config import KEY_ENV, SECRET_ENV, of_processes
from jumar.ops.demo.options import HOME_S, LOOK_S, DemoOptions, Files, files_of
from jumar.ops.demo.restarts import Restarts
from jumar.ops.demo.result import combine, violations
from jumar.ops.demo.view import EXIT_INTERRUPTED, View, conclude
from jumar.ops.demo.watch import Watch
from jumar.ports.clock import SystemClock

READY_S = 30.0


def run_demo(options: DemoOptions) -> int:
    """Run a demo and return the exit code.

    Raises:
        ConfigError: an option cannot be used.
        ChildDied: a process ended early.
        VenueUnavailable: the exchange stopped answering.
    """
    options, _ = options.seeded()
    with files_of(options) as files:
        demo = _Demo(options, files)
        truth = asyncio.run(demo.run())
        if truth is None:
            return EXIT_INTERRUPTED
        verdict = truth.verdict
        audited = audit(truth.ledger, files.decisions, files.database, verdict["gaps"])
        result = combine(verdict, audited, files.database, restarts=demo.restarts)
    return conclude(options, result, violations(verdict, audited))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Truth:
    """What the exchange has at the end: its judge's verdict and its ledger."""

    verdict: dict[str, Any]
    ledger: list[dict[str, Any]]


class _Demo:
    """One run."""

    def __init__(self, options: DemoOptions, files: Files) -> None:
        self._options = options
        self._files = files
        self._clock = SystemClock()
        self._interrupted = asyncio.Event()
        self._view = View(options, files.log("engine"), files.decision)
        self._restarts = Restarts(options)

    @property
    def restarts(self) -> int:
        """How often the engine was killed and started again."""
        return self._restarts.done

    async def run(self) -> _Truth | None:
        """What the exchange has at the end, None when a person interrupted."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted.set)
        self._view.say(f"seed {self._options.seed}")
        async with Children() as children:
            exchange = await self._start_exchange(children)
            ready = await self._ready(children)
            async with aiohttp.ClientSession() as session:
                watch = Watch(session, ready["rest"])
                symbols = await watch.symbols()
                self._files.config.write_text(
                    of_processes(ready, self._files, symbols), encoding="utf-8"
                )
                engine = await self._start_engine(children, ready)
                writer = await self._start_writer(children, ready, symbols)
                with self._view:
                    engine = await self._look_on(children, watch, engine, ready)
                if self._interrupted.is_set():
                    self._view.say("interrupted: ending the processes")
                    return None
                await children.end(engine, writer)
                truth = _Truth(verdict=await watch.verdict(), ledger=await watch.ledger())
            await children.end(exchange)
            return truth

    async def _look_on(
        self, children: Children, watch: Watch, engine: Child, ready: dict[str, str]
    ) -> Child:
        """Until the time is over and everything came home, or the patience for that is over.

        Kills the engine and starts it again when that is due; returns the engine that runs last.
        """
        began_s = self._clock.monotonic()
        seconds = self._options.seconds
        while not self._interrupted.is_set():
            children.check()
            await watch.refresh()
            elapsed_s = self._clock.monotonic() - began_s
            late = elapsed_s >= seconds
            if late and (watch.at_rest or elapsed_s >= seconds + HOME_S):
                break
            if self._restarts.due(elapsed_s, watch.pictures.values()):
                await children.kill(engine)
                engine = await self._start_engine(children, ready)
                self._restarts.done += 1
                self._view.say(f"{elapsed_s:4.0f} s  the engine was killed and started again")
            closing = elapsed_s >= seconds - self._options.flat_s
            phase = "waiting for flat" if late else "closing" if closing else "trading"
            self._view.show(watch.pictures, elapsed_s, phase)
            await self._clock.sleep(LOOK_S)
        return engine

    async def _start_exchange(self, children: Children) -> Child:
        options = self._options
        arguments = ["jumar", "exchange", "serve", "--port", "0"]
        arguments += ["--ready-file", str(self._files.ready), "--market", options.market]
        arguments += ["--speed", str(options.speed), "--seed", str(options.seed)]
        # The clock is the wall's while the path runs faster: limits and funding would meet it at random.
        arguments += ["--limits", "off", "--funding", "0"]
        optional = {
            "--from": options.begin,
            "--to": options.end,
            "--mark": options.mark,
            "--funding-file": options.funding_file,
            "--bar-order": options.bar_order,
            "--symbols": ",".join(options.symbols),
            "--faults": options.faults,
        }
        for name, value in optional.items():
            arguments += [name, str(value)] if value else []
        return await children.start("exchange", arguments, {}, self._files.log("exchange"))

    async def _ready(self, children: Children) -> dict[str, str]:
        began_s = self._clock.monotonic()
        while not self._files.ready.exists():
            children.check()
            if self._clock.monotonic() - began_s > READY_S:
                raise VenueUnavailable(f"the exchange was not ready within {READY_S:g} s")
            await self._clock.sleep(0.05)
        ready: dict[str, str] = json.loads(self._files.ready.read_bytes())
        return ready

    async def _start_engine(self, children: Children, ready: dict[str, str]) -> Child:
        keys = {KEY_ENV: ready["api_key"], SECRET_ENV: ready["api_secret"]}
        arguments = ["jumar", "run", "--config", str(self._files.config), "--log-format", "json"]
        return await children.start("engine", arguments, keys, self._files.log("engine"))

    async def _start_writer(
        self, children: Children, ready: dict[str, str], symbols: tuple[str, ...]
    ) -> Child:
        options = self._options
        arguments = ["jumar.ops.demo.writer_process", "--stream", ready["stream"]]
        arguments += ["--symbols", ",".join(symbols), "--decision", str(self._files.decision)]
        arguments += ["--levels", str(self._files.levels), "--record", str(self._files.decisions)]
        arguments += ["--seed", str(options.seed), "--speed", str(options.speed)]
        arguments += ["--interval-s", str(options.interval_s)]
        arguments += ["--seconds", str(options.seconds), "--flat-s", str(options.flat_s)]
        return await children.start("writer", arguments, {}, self._files.log("writer"))
