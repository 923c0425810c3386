"""The demo's decision writer: what it hears, when it decides, and that nobody reads half a decision."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jumar.decisions.levels import decode_levels
from jumar.ops.demo.writer import Take, Writer, WriterOptions
from jumar.simulation.clock import VirtualClock
from jumar.simulation.loop import Life, VirtualLoop

BEGIN_MS = 1_746_360_000_000  # 2025-05-04T12:00:00Z


class Room:
    """A writer in virtual time, which hears a quote a second."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.loop = VirtualLoop(1)  # type: ignore[abstract]  # sockets, threads and signals do not exist here
        self.clock = VirtualClock(self.loop, BEGIN_MS)
        self.decision, self.record = folder / "decision.json", folder / "decisions.jsonl"
        self.levels = folder / "levels.json"
        self.quiet = False
        given = {"symbols": ("BTCUSDT",), "seed": 1, "speed": 1, "interval_s": 300, "flat_s": 10}
        self.writer = Writer(
            WriterOptions(
                decision=self.decision,
                levels=self.levels,
                record=self.record,
                **given | options,  # type: ignore[arg-type]  # one helper for all options
            ),
            clock=self.clock,
            listen=self.listen,
        )
        self.loop.spawn(Life("writer"), self.writer.run())

    async def listen(self, take: Take) -> None:
        """A quote of every symbol each second, unless it is quiet."""
        while True:
            for symbol in self.writer._options.symbols:
                at_ms = self.clock.now_ms()
                price = 90_000 + at_ms // 1000 % 7
                data = {"s": symbol, "E": at_ms, "b": f"{price}.0", "a": f"{price}.1"}
                if not self.quiet:
                    take(json.dumps({"stream": "x@bookTicker", "data": data}))
            await self.clock.sleep(1)

    def written(self) -> list[dict[str, Any]]:
        """The writer's record."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]


type Make = Callable[..., Room]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Make a room; what hangs in it ends with the test."""
    rooms: list[Room] = []

    def make(**options: Any) -> Room:
        rooms.append(Room(tmp_path, **options))
        return rooms[-1]

    yield make
    for each in rooms:
        each.loop.close()


def seconds(decision: dict[str, Any]) -> float:
    """When a decision says it was made, since the beginning."""
    moment = datetime.fromisoformat(decision["timestamp_iso"]).astimezone(UTC)
    return moment.timestamp() - BEGIN_MS / 1000


def test_it_looks_decides_at_its_interval_and_ends_flat(room: Make) -> None:
    """A first look of three minutes of the path, one decision an interval, flat every second and a half at the end."""
    here = room(seconds=1000)
    here.loop.run(until_s=1000.5)
    moments = [round(seconds(decision), 1) for decision in here.written()]
    assert moments == [180, 480, 780, *(990 + 1.5 * turn for turn in range(8))][: len(moments)]
    assert len(moments) >= 9
    assert {decision["action"] for decision in here.written()[3:]} == {"flat"}


def test_symbols_take_turns(room: Make) -> None:
    """One file holds one decision: each symbol's comes in its turn."""
    here = room(symbols=("BTCUSDT", "ETHUSDT"), interval_s=5, speed=60, seconds=100)
    here.loop.run(until_s=22)
    symbols = [decision["symbol"] for decision in here.written()]
    assert symbols == ["BTCUSDT", "ETHUSDT", "BTCUSDT", "ETHUSDT"]


def test_what_is_in_the_file_was_recorded_before(room: Make, tmp_path: Path) -> None:
    """The file is the record's last line, whole, and no draft is left."""
    here = room(seconds=1000)
    here.loop.run(until_s=500)
    assert json.loads(here.decision.read_bytes()) == here.written()[-1]
    names = ["decision.json", "decisions.jsonl", "levels.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_levels_come_before_the_decision_that_needs_them(room: Make) -> None:
    """The levels are valid, as old as the decision, and of every symbol that was heard."""
    here = room(symbols=("BTCUSDT", "ETHUSDT"), seconds=1000)
    here.loop.run(until_s=500)
    symbols = ("BTCUSDT", "ETHUSDT")
    received = decode_levels(here.levels.read_bytes(), symbols=symbols)
    assert [(each.symbol, each.errors) for each in received] == [(s, ()) for s in symbols]
    stamp = datetime.fromisoformat(here.written()[-1]["timestamp_iso"])
    assert {each.levels.as_of_ms for each in received if each.levels is not None} == {
        round(stamp.timestamp() * 1000)
    }


def test_without_a_price_it_says_nothing(room: Make) -> None:
    """Exchange time is what prices bring; before the first there is nothing to decide and no time to decide at."""
    here = room(seconds=300)
    here.quiet = True
    here.loop.run(until_s=310)
    assert here.written() == []


def test_an_idea_lives_as_long_as_its_interval_allows(room: Make) -> None:
    """Patience is counted in decisions, so that slow deciders are patient."""
    here = room(interval_s=300, seconds=1000)
    assert here.writer._views["BTCUSDT"].interval_ms == 300_000


@pytest.mark.parametrize(("speed", "first_s"), [(60, 3), (1, 15), (600, 0.3)])
def test_the_first_look_is_short_where_a_person_waits(
    room: Make, speed: float, first_s: float
) -> None:
    """Three minutes of the path, at most one interval."""
    here = room(speed=speed, interval_s=15, seconds=100)
    assert here.writer._options.first_look_s == first_s
