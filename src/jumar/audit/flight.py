"""One pass over the tick record: each tick planned again, and what the other checks need of it kept.

Promises that a record of any length is read line by line. The world in a tick is what the engine had seen; that it
was the truth is not assumed here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from jumar import __version__
from jumar.audit.text import EvidenceError
from jumar.audit.truth import why_not_known
from jumar.audit.verdict import Findings
from jumar.model.errors import InvariantBroken
from jumar.model.levels import BoundZone
from jumar.model.order import Role
from jumar.model.policy import Policy
from jumar.model.world import World
from jumar.planner.safely import plan_or_protect
from jumar.reports import ticks
from jumar.reports.ticks import StartLine, TickLine, TickRecordError

FIRST_TICKS = 3
#: How far the engine's clock may be corrected at a start: requests are accepted up to 1 s ahead of the exchange's clock.
CORRECTED_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What is kept of a tick.

    Attributes:
        end_ms: exchange time by which all it sent was answered.
        held: signed base currency, as read.
        key: of the trade it saw or opened, None without one. adopted: that trade was found, not made.
    """

    now_ms: int
    end_ms: int
    held: Decimal
    key: str | None
    adopted: bool


@dataclass(slots=True, kw_only=True)
class Life:
    """One start of the engine, for one symbol.

    Attributes:
        first_ms: exchange time of its first recorded tick.
        readable: its first ticks in which the position had been read.
    """

    first_ms: int
    readable: list[Tick] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEntry:
    """An entry, or its amendment, among a recorded tick's commands; `unknown`: what of the truth was missing then."""

    client_id: str
    now_ms: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentZoneExit:
    """A zone exit among a recorded tick's commands: where mark stood, and the zone as it was bound and recorded then."""

    mark: Decimal
    zone: BoundZone


@dataclass(slots=True)
class Flight:
    """What the record says.

    Attributes:
        since_ms: exchange time before which ticks may be lost to rotation; zero when the record is whole.
        policies: the latest limits of each symbol. tick_sizes: quote currency, as in the newest world.
        entries: sent entries by client id. amendments: by client id and price asked for.
        zone_exits: by client id.
        lives: of each symbol, in order. moments: its recorded ticks as (exchange time, number of the life).
    """

    since_ms: int = 0
    policies: dict[str, Policy] = field(default_factory=dict)
    tick_sizes: dict[str, Decimal] = field(default_factory=dict)
    entries: dict[str, SentEntry] = field(default_factory=dict)
    amendments: dict[tuple[str, Decimal | None], SentEntry] = field(default_factory=dict)
    zone_exits: dict[str, SentZoneExit] = field(default_factory=dict)
    lives: dict[str, list[Life]] = field(default_factory=lambda: defaultdict(list))
    moments: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def cut_short(self, symbol: str, t: int) -> bool:
        """Whether the engine may have ended, before it could record it, in the tick that was running at `t`.

        Args:
            symbol: whose ticks.
            t: by the engine's clock, as the ticks are: what was journaled after the last recorded tick of a life, and
                before the first of the next. Between two lives that clock may have been corrected.
        """
        moments = self.moments.get(symbol, [])
        return any(
            ended_ms <= t <= begun_ms + CORRECTED_MS
            for (ended_ms, life), (begun_ms, next_life) in pairwise([*moments, (t, 0)])
            if life != next_life
        )


class FlightReader:
    """Reads a record and judges that its ticks plan again to the same commands (P-9).

    Attributes:
        flight: what the files read so far say.
    """

    def __init__(self, findings: Findings) -> None:
        self.flight = Flight()
        self._findings = findings
        self._version: str | None = None
        self._life = 0
        self._fresh: set[str] = set()

    def read(self, files: Sequence[Path]) -> Flight:
        """Read the next files, oldest first; returns what all of them say.

        Raises:
            EvidenceError: they cannot be read.
        """
        try:
            for line in ticks.read(files):
                match line:
                    case StartLine():
                        self._start(line)
                    case TickLine():
                        self._tick(line)
        except TickRecordError as error:
            raise EvidenceError(str(error)) from error
        return self.flight

    def _start(self, line: StartLine) -> None:
        if self._version is None and (line.file > 1 or line.continued):
            self.flight.since_ms = line.at_ms
        self._version = line.version
        self.flight.policies.update(line.policies)
        if not line.continued:
            self._life += 1
            self._fresh = set(line.policies)

    def _tick(self, line: TickLine) -> None:
        policy = self.flight.policies.get(line.symbol)
        if policy is None:
            raise EvidenceError(
                f"the tick record has no limits for {line.symbol} before its tick {line.tick}"
            )
        world = ticks.decode_world(line.world)
        self._replay(line, world, policy)
        self._entries(line, world, policy)
        self._live(line, world)
        if world.instrument is not None:
            self.flight.tick_sizes[line.symbol] = world.instrument.tick_size

    def _replay(self, line: TickLine, world: World, policy: Policy) -> None:
        if self._version != __version__:
            return  # another version may plan otherwise
        self._findings.check("P-9")
        try:
            again = ticks.encode_commands(plan_or_protect(world, policy)[0])
        except InvariantBroken as error:
            again = str(error).encode()
        recorded = bytes(line.plan.commands)
        if again != recorded:
            self._findings.broken(
                "P-9",
                t=line.now_ms,
                what=f"tick {line.symbol}-{line.tick}",
                message=f"planned again it gives {_short(again)}, recorded was {_short(recorded)}",
            )

    def _entries(self, line: TickLine, world: World, policy: Policy) -> None:
        for order in ticks.placements(line.plan.commands):
            request = order["request"]
            if request["role"] == Role.ZONE_EXIT.value:
                self._zone_exit(line, world, request["client_id"])
            if request["role"] != Role.ENTRY.value:
                continue
            self.flight.entries[request["client_id"]] = _sent(line, world, policy, request)
        for order in ticks.amendments(line.plan.commands):
            request = order["request"]
            asked = (request["client_id"], Decimal(request["price"]))
            self.flight.amendments[asked] = _sent(line, world, policy, request)

    def _zone_exit(self, line: TickLine, world: World, client_id: str) -> None:
        zone = None if line.plan.trade is None else line.plan.trade.zone
        if zone is not None and world.mark is not None:
            self.flight.zone_exits[client_id] = SentZoneExit(mark=world.mark.value, zone=zone)

    def _live(self, line: TickLine, world: World) -> None:
        flight, symbol = self.flight, line.symbol
        if symbol in self._fresh:
            self._fresh.discard(symbol)
            flight.lives[symbol].append(Life(first_ms=line.now_ms))
        flight.moments[symbol].append((line.now_ms, self._life))
        life = flight.lives[symbol][-1] if flight.lives[symbol] else None
        if life is None or world.position is None or len(life.readable) == FIRST_TICKS:
            return
        trade = world.trade or line.plan.trade
        life.readable.append(
            Tick(
                now_ms=line.now_ms,
                end_ms=line.now_ms + line.duration_ms,
                held=world.position.value.quantity,
                key=None if trade is None else trade.key,
                adopted=trade is not None and trade.adopted,
            )
        )


def _sent(line: TickLine, world: World, policy: Policy, request: Mapping[str, Any]) -> SentEntry:
    return SentEntry(
        client_id=request["client_id"],
        now_ms=line.now_ms,
        unknown=tuple(why_not_known(world, policy)),
    )


def _short(raw: bytes) -> str:
    text = raw.decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
