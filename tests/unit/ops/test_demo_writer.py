"""The demo's decision writer: what it hears, when it decides, and that nobody reads half a decision."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jumar.ops.demo.strategy import Idea
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
        self.quiet = False
        given = {"symbols": ("BTCUSDT",), "seed": 1, "speed": 1, "interval_s": 300, "flat_s": 10}
        self.writer = Writer(
            WriterOptions(
                decision=self.decision,
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


def seconds(decision: dict[str, Any]) -> float:
    """When a decision says it was made, since the beginning."""
    moment = datetime.fromisoformat(decision["timestamp_iso"]).astimezone(UTC)
    return moment.timestamp() - BEGIN_MS / 1000


def test_it_looks_decides_at_its_interval_and_ends_flat(tmp_path: Path) -> None:
    """A first look of three minutes of the path, one decision an interval, flat every second and a half at the end."""
    room = Room(tmp_path, seconds=1000)
    room.loop.run(until_s=1000.5)
    moments = [round(seconds(decision), 1) for decision in room.written()]
    assert moments == [180, 480, 780, *(990 + 1.5 * turn for turn in range(8))][: len(moments)]
    assert len(moments) >= 9
    assert {decision["action"] for decision in room.written()[3:]} == {"flat"}


def test_symbols_take_turns(tmp_path: Path) -> None:
    """One file holds one decision: each symbol's comes in its turn."""
    room = Room(tmp_path, symbols=("BTCUSDT", "ETHUSDT"), interval_s=5, speed=60, seconds=100)
    room.loop.run(until_s=22)
    symbols = [decision["symbol"] for decision in room.written()]
    assert symbols == ["BTCUSDT", "ETHUSDT", "BTCUSDT", "ETHUSDT"]


def test_what_is_in_the_file_was_recorded_before(tmp_path: Path) -> None:
    """The file is the record's last line, whole, and no draft is left."""
    room = Room(tmp_path, seconds=1000)
    room.loop.run(until_s=500)
    assert json.loads(room.decision.read_bytes()) == room.written()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decision.json", "decisions.jsonl"]


def test_without_a_price_it_says_nothing(tmp_path: Path) -> None:
    """Exchange time is what prices bring; before the first there is nothing to decide and no time to decide at."""
    room = Room(tmp_path, seconds=300)
    room.quiet = True
    room.loop.run(until_s=310)
    assert room.written() == []


def test_an_idea_lives_as_long_as_its_interval_allows(tmp_path: Path) -> None:
    """Patience is counted in decisions, so that slow deciders are patient."""
    room = Room(tmp_path, interval_s=300, seconds=1000)
    room.loop.run(until_s=200)
    view = room.writer._views["BTCUSDT"]
    assert view.interval_ms == 300_000
    assert view.idea is None or isinstance(view.idea, Idea)


@pytest.mark.parametrize(("speed", "first_s"), [(60, 3), (1, 15), (600, 0.3)])
def test_the_first_look_is_short_where_a_person_waits(
    tmp_path: Path, speed: float, first_s: float
) -> None:
    """Three minutes of the path, at most one interval."""
    room = Room(tmp_path, speed=speed, interval_s=15, seconds=100)
    assert room.writer._options.first_look_s == first_s
