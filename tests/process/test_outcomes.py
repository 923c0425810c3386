"""What the writer of a decision is told in `outcome.json`, from a whole engine on a real wire (D-8)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engines import EXAMPLE, Stage, moment, staged

from jumar.ports.decisions import Answer, Received
from jumar.store import queries

FLAT: dict[str, Any] = {
    "action": "flat",
    "entry_zone": [],
    "sl": None,
    "tp1": None,
    "tp2": None,
    "position_size_usdt": 0,
    "leverage": 0,
}


def told(folder: Path) -> dict[str, Any]:
    """What stands beside the decision now."""
    try:
        answer: dict[str, Any] = json.loads((folder / "outcome.json").read_text())
    except FileNotFoundError:
        return {"outcome": None, "reasons": []}
    return answer


def codes(answer: dict[str, Any]) -> list[str]:
    """The codes of its reasons."""
    return [reason["code"] for reason in answer["reasons"]]


async def until_told(stage: Stage, outcome: str, *expected: str) -> dict[str, Any]:
    """Wait for an outcome with exactly these codes."""

    async def holds() -> bool:
        answer = told(stage.folder)
        return (answer["outcome"], codes(answer)) == (outcome, list(expected))

    try:
        await stage.until(holds, seconds=5)
    except AssertionError as error:
        raise AssertionError(f"told {told(stage.folder)}\n{error}") from None
    return told(stage.folder)


def ticks_later(stage: Stage, count: int) -> Callable[[], Awaitable[bool]]:
    """Whether the engine has looked so many times more."""
    after = len(stage.watcher.ticks) + count

    async def holds() -> bool:
        return len(stage.watcher.ticks) >= after

    return holds


@pytest.mark.rule("D-8")
async def test_an_outcome_follows_the_guards(tmp_path: Path) -> None:
    """Accepted; refused with the code and the numbers while the price is far away; accepted again."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        first = await until_told(stage, "accepted")
        assert first["timestamp_iso"] == "2025-12-05T10:04:52.000Z"
        await stage.until_alive("S1", "E1")
        await stage.price("92500")
        # The last price is that of the last trade, and nobody trades here.
        refused = await until_told(stage, "refused", "price_too_far", "mark_diverged")
        far = refused["reasons"][0]
        assert far["rule"] == "G-4"
        assert far["message"].startswith("mark 92500 is 1.7297 % from the zone [90700, 90900]")
        assert refused["decision_id"] == first["decision_id"]
        await stage.price("90820")
        await until_told(stage, "accepted")


@pytest.mark.rule("D-8", "D-7")
async def test_an_older_file_is_answered_and_so_is_the_one_that_comes_back(tmp_path: Path) -> None:
    """The older file is told `superseded`; when the one in force stands there again it is told `accepted`."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await until_told(stage, "accepted")
        stage.decide(timestamp_iso=moment(-60))
        older = await until_told(stage, "superseded", "superseded")
        assert older["timestamp_iso"] == "2025-12-05T10:03:50.000Z"
        stage.decide()
        await until_told(stage, "accepted")
        assert set(await stage.alive()) == {"S1", "E1"}


@pytest.mark.rule("D-8", "D-7")
async def test_other_content_of_the_same_timestamp_is_a_conflict(tmp_path: Path) -> None:
    """The first valid one stays in force, the other is told why it is not."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        first = await until_told(stage, "accepted")
        stage.decide(tp1=91700)
        other = await until_told(stage, "refused", "conflict")
        assert other["decision_id"] != first["decision_id"]
        await stage.until_alive("S1", "E1")


@pytest.mark.rule("D-8", "P-4")
async def test_a_decision_is_spent_after_its_trade(tmp_path: Path) -> None:
    """Accepted while its position is open, spent once it is closed; a restart tells the same."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await stage.until_alive("S1", "E1")
        await stage.price("90786.5")
        await stage.until_alive("S1", "B1", "P1", "Q1")
        assert told(tmp_path)["outcome"] == "accepted"
        await stage.price("90370")
        await until_told(stage, "spent", "spent")
        await stage.stop_engine()
        (tmp_path / "outcome.json").unlink()
        await stage.start_engine()
        again = await until_told(stage, "spent", "spent")
        assert again["reasons"][0]["rule"] == "D-7"


@pytest.mark.rule("D-8", "D-4")
async def test_a_malformed_decision_is_told_its_field(tmp_path: Path) -> None:
    """Refused with the field, its value and the fix; the entry of the one before it goes."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await stage.until_alive("S1", "E1")
        stage.decide(timestamp_iso=moment(3), sl=91500)
        refused = await until_told(stage, "refused", "malformed")
        assert refused["timestamp_iso"] == "2025-12-05T10:04:53.000Z"
        assert "sl" in refused["reasons"][0]["message"]
        assert "91500" in refused["reasons"][0]["message"]
        await stage.until_alive()
        assert told(tmp_path) == refused


@pytest.mark.rule("D-8", "C-3")
async def test_a_flat_decision_is_accepted(tmp_path: Path) -> None:
    """It wants nothing, so that nothing is left to refuse."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide(**FLAT)
        await until_told(stage, "accepted")
        assert await stage.alive() == {}


@pytest.mark.rule("D-5", "D-8")
async def test_a_half_written_file_is_put_aside_and_alerted_once(tmp_path: Path) -> None:
    """Refused with the place of the error, a copy in quarantine, one alert however long it stands; then all is well."""
    half = json.dumps(EXAMPLE)[:80]
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        (tmp_path / "decision.json").write_text(half)
        refused = await until_told(stage, "refused", "malformed")
        assert refused["decision_id"] is None
        await stage.until(ticks_later(stage, 4))
        alerts = [i for i in stage.watcher.incidents if i.rule == "D-5"]
        assert len(alerts) == 1
        (copy,) = (tmp_path / "quarantine").iterdir()
        assert copy.read_text() == half
        assert copy.name in alerts[0].message
        assert copy.name in refused["reasons"][0]["message"]
        stage.decide()
        await until_told(stage, "accepted")
        await stage.until_alive("S1", "E1")


@pytest.mark.rule("D-5", "D-8")
async def test_the_decision_in_force_is_told_of_again_after_rubbish(tmp_path: Path) -> None:
    """A half-written file in its place is told off; the same decision written whole is told that it is accepted."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        stage.decide()
        await until_told(stage, "accepted")
        (tmp_path / "decision.json").write_text("{")
        await until_told(stage, "refused", "malformed")
        assert set(await stage.alive()) == {"S1", "E1"}
        stage.decide()
        await until_told(stage, "accepted")


@pytest.mark.rule("D-5", "D-8")
async def test_an_answer_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """A directory stands where the answer belongs, and nothing can be quarantined: decisions are obeyed all the same."""
    async with staged(tmp_path) as stage:
        (tmp_path / "outcome.json").mkdir()
        (tmp_path / "quarantine").write_text("in the way")
        await stage.start_engine()
        (tmp_path / "decision.json").write_text("{")
        await stage.until(ticks_later(stage, 5))
        stage.decide()
        await stage.until_alive("S1", "E1")
        stage.decide(timestamp_iso=moment(3), **FLAT)
        await stage.until_alive()
        assert (tmp_path / "outcome.json").is_dir()


class Speechless:
    """A source whose answers raise, which it promised not to do."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.asked: list[str] = []

    def poll(self) -> tuple[Received, ...]:
        """What is new."""
        news: tuple[Received, ...] = self._real.poll()
        return news

    def answer(self, answer: Answer) -> None:
        """Raise."""
        self.asked.append(answer.outcome)
        raise RuntimeError("nobody listens")


@pytest.mark.rule("D-5", "D-8", "O-4")
async def test_a_source_whose_answers_raise_loses_nothing(tmp_path: Path) -> None:
    """Ticks go on without an incident, and what was refused is recorded although it could not be told."""
    async with staged(tmp_path) as stage:
        await stage.start_engine()
        engine = stage.engine
        assert engine is not None
        source = engine._source = Speechless(engine._source)
        engine.loops["BTCUSDT"]._on_answer = source.answer
        stage.decide(sl=None)

        async def recorded() -> bool:
            return "malformed" in queries.refusal_counts(tmp_path / "jumar.db")

        await stage.until(recorded, seconds=5)
        stage.decide(timestamp_iso=moment(4))
        await stage.until_alive("S1", "E1")

        async def answered() -> bool:
            return source.asked == ["refused", "accepted"]

        await stage.until(answered, seconds=5)
        assert not stage.watcher.incidents
