"""Runs a demo in virtual time: exchange, writer and engine in this one process, as fast as it can.

Promises: the same options give the same result, whatever the machine does meanwhile; time goes on only when nobody has
anything left to do at a moment; Ctrl-C ends the run between two moments. What is judged, and how, is as in a demo of
processes.
"""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import structlog

from jumar.bootstrap.serving import ServeOptions, open_course, virtual_demo
from jumar.ops.demo.config import of_virtual_time
from jumar.ops.demo.options import HOME_S, LOOK_S, WHOLE, DemoOptions, Files, files_of
from jumar.ops.demo.progress import Progress
from jumar.ops.demo.restarts import Restarts
from jumar.ops.demo.result import combine, violations
from jumar.ops.demo.view import EXIT_INTERRUPTED, conclude
from jumar.ops.demo.watch import Pictures
from jumar.ops.demo.writer import Writer, WriterOptions
from jumar.ports.clock import Clock, SystemClock
from jumar.reports.formats import LogFormat
from jumar.reports.logs import LogObserver, configure
from jumar.simulation.demo import Course, DemoWorld

#: Fixed, because where a run is looked at is part of its order of events; short, because a person waits for Ctrl-C.
SLICE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One run from its first price to the verdict.

    Attributes:
        options: as it was run, with the length of its path.
        result: see result.py. broken: what the judges found broken.
        virtual_s: how long it lasted. wall_s: how long that took on this machine, the judges included.
    """

    options: DemoOptions
    result: dict[str, Any]
    broken: list[Any]
    virtual_s: float
    wall_s: float


def run_virtual_demo(options: DemoOptions) -> int:
    """Run a demo and return the exit code.

    Raises:
        ConfigError: an option or a recorded file cannot be used.
        NotSettled: the engine could not end in an orderly way.
    """
    options, _ = options.seeded()
    with files_of(options) as files:
        played = play(options, files, name="")
    if played is None:
        return EXIT_INTERRUPTED
    return conclude(played.options, played.result, played.broken)


def play(options: DemoOptions, files: Files, *, name: str) -> Played | None:
    """Run a demo, showing how far it is; None when a person interrupted.

    Args:
        options: with a seed.
        files: of a folder that is empty.
        name: of the run, before each line that is said.

    Raises:
        ConfigError: an option or a recorded file cannot be used.
        NotSettled: the engine could not end in an orderly way.
    """
    options, seed = options.seeded()
    told: list[str] = []
    course = open_course(_prices(options, seed, told.append))
    if options.seconds == WHOLE:
        options = options.lasting(course.measured_s())
    files.config.write_text(of_virtual_time(files, course.symbols), encoding="utf-8")
    progress = Progress(
        SystemClock(),
        seconds=options.seconds,
        begin_ms=course.begin_ms,
        live=not options.json,
        name=name,
    )
    for line in told:
        progress.say(line)
    progress.say(f"seed {seed}, {_duration(options.seconds)} of virtual time")
    world = virtual_demo(course, seed=seed, config=files.config, observers=(LogObserver(),))
    with (
        _logs(files.log("engine"), world.clock),
        world,
        progress,
        _interrupts() as interrupted,
    ):
        run = _Run(options, files, course, world, seed)
        for now_s in run.slices():
            if interrupted():
                progress.say("interrupted")
                return None
            progress.show(now_s, run.pictures.entered)
        verdict, audited = world.judge()
        result = combine(verdict, audited, files.database, restarts=run.restarts.done)
        if interrupted():  # while it was judged
            progress.say("interrupted")
            return None
        progress.say(f"{_duration(run.ended_s)} of virtual time in {progress.wall_s:.1f} s")
    return Played(
        options=options,
        result=result,
        broken=violations(verdict, audited),
        virtual_s=run.ended_s,
        wall_s=progress.wall_s,
    )


class _Run:
    """The course of one run: writer and kills at their moments, then home."""

    def __init__(
        self, options: DemoOptions, files: Files, course: Course, world: DemoWorld, seed: int
    ) -> None:
        self.pictures = Pictures()
        self.restarts = Restarts(options)
        self.ended_s = 0.0
        self._options = options
        self._world = world
        self._writer = Writer(
            WriterOptions(
                symbols=course.symbols,
                decision=files.decision,
                levels=files.levels,
                record=files.decisions,
                seed=seed,
                speed=options.path_speed,
                interval_s=options.interval_s,
                seconds=options.seconds,
                flat_s=options.flat_s,
            ),
            clock=world.clock,
            listen=world.listen,
        )

    def slices(self) -> Iterator[float]:
        """Run bit by bit to the end; each time the virtual seconds that have passed."""
        world, seconds = self._world, self._options.seconds
        world.on_record(self.pictures.apply)
        world.start(self._writer.run())
        self._wait_for_kill()
        while world.now_s < seconds:
            world.run(min(SLICE_S, seconds - world.now_s))
            yield world.now_s
        while not self.pictures.at_rest and world.now_s < seconds + HOME_S:
            world.run(LOOK_S)
            yield world.now_s
        world.stop()
        self.ended_s = world.now_s

    def _wait_for_kill(self) -> None:
        if self.restarts.done < len(self.restarts.kills):
            kill = self.restarts.kills[self.restarts.done]
            self._world.after(max(kill.from_s - self._world.now_s, 0.0), self._look)

    def _look(self) -> None:
        if not self.restarts.due(self._world.now_s, self.pictures.pictures.values()):
            self._world.after(LOOK_S, self._look)
            return
        self._world.restart()
        self.restarts.done += 1
        self._wait_for_kill()


def _prices(options: DemoOptions, seed: int, tell: Callable[[str], None]) -> ServeOptions:
    return ServeOptions(
        market=options.market,
        symbols=options.symbols,
        seed=seed,
        begin=options.begin,
        end=options.end,
        mark=options.mark,
        funding_file=options.funding_file,
        bar_order=options.bar_order,
        tell=tell,
    )


def _duration(seconds: float) -> str:
    """Readable: `51 d 2 h`, `1 h`, `90 s`."""
    if seconds < 3600:
        return f"{seconds:g} s"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if days else f"{hours} h"


@contextmanager
def _logs(path: Path, clock: Clock) -> Iterator[None]:
    """Have everything that is logged stand in one file, with virtual times."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers[:], root.level
    with path.open("a", encoding="utf-8") as stream:
        configure(LogFormat.JSON, stream=stream, now_ms=clock.now_ms)
        try:
            yield
        finally:
            structlog.configure(**before)
            root.handlers[:] = handlers
            root.setLevel(level)
            logging.captureWarnings(capture=False)


@contextmanager
def _interrupts() -> Iterator[Any]:
    """Note SIGINT and SIGTERM instead of obeying them; gives what says whether one came."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
