"""What a demo is asked to do, and where it keeps its files.

Promises that a run's folder belongs to that run alone: files of an earlier one are never mixed in or overwritten.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jumar.bootstrap.serving import is_recorded_market
from jumar.model.errors import ConfigError
from jumar.ports.clock import new_identity

FLAT_S = 10.0
QUIET_S = 4.0
HOME_S = 10.0
"""So long after the last decision everything may take to come home."""
LOOK_S = 0.25
RESTART_ROOM_S = 5.0
SECONDS_MIN = 2.0
SECONDS_MAX = 86_400.0
VIRTUAL_SECONDS_MAX = 366 * 86_400.0
SPEED_MAX = 1000.0
MAX = math.inf
"""The speed of a demo in virtual time, in which nobody waits."""
WHOLE = math.inf
"""The seconds of a demo that plays a recorded file to its end."""
SECONDS = 60.0
VIRTUAL_SECONDS = 3600.0
DECIDE_EVERY_PATH_S = 300.0
DECIDE_EVERY_S = (5.0, 15.0)
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_MEMORY_FREE_MIN = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The command line of a demo.

    Attributes:
        seconds: during which decisions are written, `flat_s` of them at the end flat: of wall time, at `MAX` of
            virtual time; `WHOLE` until the file is measured that is to be played to its end.
        seed: dice of the market and of the decisions; None until drawn.
        market: `synthetic`, `synthetic:` and a scenario's name, or the path of a recorded file or folder, cut by `begin` and
            `end`.
        mark, funding_file: recorded mark prices and funding rates beside a recorded file.
        bar_order: which extreme of a recorded bar comes first: `drawn`, `low-first` or `high-first`.
        speed: path seconds per second, the exchange clock being the wall clock; at `MAX` everything runs in virtual
            time, whose seconds are the path's.
        symbols: none means the exchange's own.
        restarts: how often the engine is killed and started again while it trades.
        state_dir: where logs and database stay; a temporary folder when None.
        json: whether stdout gets one JSON object instead of a summary.
        faults: a file of faults on order, for the exchange.
    """

    seconds: float
    seed: int | None
    market: str
    begin: str | None
    end: str | None
    mark: Path | None = None
    funding_file: Path | None = None
    bar_order: str = "drawn"
    speed: float
    symbols: tuple[str, ...]
    restarts: int
    state_dir: Path | None
    json: bool
    faults: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: the message names the option and the fix.
        """
        self._check_time()
        if self.seed is not None and self.seed < 0:
            raise ConfigError(f"--seed: {self.seed} is below zero; give a whole number from 0 on")
        if self.restarts < 0:
            raise ConfigError(f"--restarts: {self.restarts} is below zero; give 0 or more")
        if self.restarts and self.restarts * RESTART_ROOM_S > self.trading_s:
            needed_s = self.restarts * RESTART_ROOM_S + QUIET_S + FLAT_S
            raise ConfigError(
                f"--restarts: {self.restarts} need {RESTART_ROOM_S:g} s each; "
                f"use --seconds {needed_s:g} or more"
            )
        if self.virtual and self.faults is not None:
            raise ConfigError("--faults: not in virtual time; choose a --speed that is a number")
        if self.market == "manual":
            raise ConfigError("--market: a manual market stands still; use synthetic or a file")
        if self.recorded and not Path(self.market).exists():
            raise ConfigError(f"--market: {self.market} is neither synthetic nor a file or folder")

    def _check_time(self) -> None:
        if not (self.virtual or 0 < self.speed <= SPEED_MAX):  # false for nan, too
            said = f"is not above 0 and at most {SPEED_MAX:g}, or max"
            raise ConfigError(f"--speed: {self.speed:g} {said}")
        if self.virtual and self.recorded and self.seconds == WHOLE:
            return
        most = VIRTUAL_SECONDS_MAX if self.virtual else SECONDS_MAX
        if not SECONDS_MIN <= self.seconds <= most:
            said = f"is not between {SECONDS_MIN:.0f} and {most:.0f}"
            raise ConfigError(f"--seconds: {self.seconds:g} {said}")

    @property
    def virtual(self) -> bool:
        """Whether it runs in virtual time."""
        return self.speed == MAX

    @property
    def recorded(self) -> bool:
        """Whether a recorded file is played."""
        return is_recorded_market(self.market)

    @property
    def path_speed(self) -> float:
        """Path seconds per second of the exchange's clock."""
        return 1.0 if self.virtual else self.speed

    @property
    def interval_s(self) -> float:
        """Between two decisions: five minutes of the path; where somebody waits, neither too short to act nor too long."""
        if self.virtual:
            return DECIDE_EVERY_PATH_S
        shortest, longest = DECIDE_EVERY_S
        return min(max(DECIDE_EVERY_PATH_S / self.speed, shortest), longest)

    @property
    def flat_s(self) -> float:
        """The last seconds, in which flat is decided; half of a run that is shorter than two of them."""
        return min(FLAT_S, self.seconds / 2)

    @property
    def trading_s(self) -> float:
        """The seconds in which the engine may be killed: after the first few, before the flat ones."""
        return self.seconds - self.flat_s - QUIET_S

    def seeded(self) -> tuple["DemoOptions", int]:
        """Return the options with a seed, drawn when none was given, and the seed."""
        seed = int(new_identity()[:6], 16) if self.seed is None else self.seed
        return replace(self, seed=seed), seed

    def lasting(self, path_s: float) -> "DemoOptions":
        """Return the options with the length of the path in place of `WHOLE`.

        Raises:
            ConfigError: it is too short for what is asked.
        """
        return replace(self, seconds=max(path_s, SECONDS_MIN))


def speed_of(text: str) -> float:
    """Return the speed that a command line names: a number, or `MAX` for `max`.

    Raises:
        ConfigError: it is neither.
    """
    if text.strip().lower() == "max":
        return MAX
    try:
        speed = float(text)
    except ValueError:
        speed = MAX
    if math.isinf(speed):
        raise ConfigError(f"--speed: {text!r} is neither a number nor max")
    return speed


def seconds_of(seconds: float | None, speed: float, market: str) -> float:
    """Return how long to trade when the command line may not say so: see `--seconds` in docs/reference/cli.md."""
    if seconds is not None:
        return seconds
    if speed != MAX:
        return SECONDS
    return WHOLE if is_recorded_market(market) else VIRTUAL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one run."""

    folder: Path

    @property
    def ready(self) -> Path:
        """Written by the exchange once it answers."""
        return self.folder / "exchange.json"

    @property
    def config(self) -> Path:
        """The engine's configuration."""
        return self.folder / "jumar.toml"

    @property
    def decision(self) -> Path:
        """Written by the decision writer, read by the engine."""
        return self.folder / "decision.json"

    @property
    def levels(self) -> Path:
        """Swings and liquidation zones, written by the decision writer, read by the engine."""
        return self.folder / "levels.json"

    @property
    def decisions(self) -> Path:
        """The writer's own record: every decision as it was written, one a line."""
        return self.folder / "decisions.jsonl"

    @property
    def database(self) -> Path:
        """The engine's journal."""
        return self.folder / "jumar.db"

    def log(self, name: str) -> Path:
        """What a process says."""
        return self.folder / f"{name}.log"

    def claim(self) -> None:
        """Make the folder.

        Raises:
            ConfigError: it cannot be made, or holds an earlier run.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"--state-dir: {self.folder}: {error.strerror}") from error
        for path in (self.database, self.config, self.ready):
            if path.exists():
                raise ConfigError(
                    f"--state-dir: {self.folder} holds an earlier run ({path.name}); name a new folder"
                )


@contextmanager
def files_of(options: DemoOptions) -> Iterator[Files]:
    """The folder of a run: the one that was asked for, or one that is removed at the end.

    In virtual time that is in memory where there is room: the engine waits for its disk at every commit.

    Raises:
        ConfigError: the folder cannot be made, or holds an earlier run.
    """
    if options.state_dir is not None:
        files = Files(folder=options.state_dir.resolve())
        files.claim()
        yield files
        return
    place = _MEMORY if options.virtual and _roomy(_MEMORY) else None
    with tempfile.TemporaryDirectory(prefix="jumar-demo-", dir=place) as folder:
        yield Files(folder=Path(folder))


def _roomy(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free >= _MEMORY_FREE_MIN
