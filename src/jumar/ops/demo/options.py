"""What a demo is asked to do, and where it keeps its files.

Promises that a run's folder belongs to that run alone: files of an earlier one are never mixed in or overwritten.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from jumar.model.errors import ConfigError
from jumar.ports.clock import new_identity

FLAT_S = 10.0
QUIET_S = 4.0
RESTART_ROOM_S = 5.0
SECONDS_MIN = 2.0
SECONDS_MAX = 86_400.0
SPEED_MAX = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The command line of a demo.

    Attributes:
        seconds: wall time during which decisions are written; `flat_s` of it at the end are flat.
        seed: dice of the market and of the decisions; None until drawn.
        market: `synthetic` or the path of a recorded file, cut by `begin` and `end`.
        speed: path seconds per second; the exchange clock stays the wall clock.
        symbols: none means the exchange's own.
        restarts: how often the engine is killed and started again while it trades.
        state_dir: where logs and database stay; a temporary folder when None.
        json: whether stdout gets one JSON object instead of a summary.
    """

    seconds: float
    seed: int | None
    market: str
    begin: str | None
    end: str | None
    speed: float
    symbols: tuple[str, ...]
    restarts: int
    state_dir: Path | None
    json: bool

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: the message names the option and the fix.
        """
        if not SECONDS_MIN <= self.seconds <= SECONDS_MAX:  # also false for nan
            raise ConfigError(
                f"--seconds: {self.seconds:g} is not between {SECONDS_MIN:g} and {SECONDS_MAX:g}"
            )
        if not 0 < self.speed <= SPEED_MAX or math.isnan(self.speed):
            raise ConfigError(f"--speed: {self.speed:g} is not above 0 and at most {SPEED_MAX:g}")
        if self.seed is not None and self.seed < 0:
            raise ConfigError(f"--seed: {self.seed} is below zero; give a whole number from 0 on")
        if self.restarts < 0:
            raise ConfigError(f"--restarts: {self.restarts} is below zero; give 0 or more")
        if self.restarts * RESTART_ROOM_S > self.trading_s:
            needed_s = self.restarts * RESTART_ROOM_S + QUIET_S + FLAT_S
            raise ConfigError(
                f"--restarts: {self.restarts} need {RESTART_ROOM_S:g} s each; "
                f"use --seconds {needed_s:g} or more"
            )
        if self.market == "manual":
            raise ConfigError("--market: a manual market stands still; use synthetic or a file")
        if self.market != "synthetic" and not Path(self.market).is_file():
            raise ConfigError(f"--market: {self.market} is neither synthetic nor a file")

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
