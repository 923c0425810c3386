"""What the writer of a decision is told in `outcome.json` (D-8)."""

import json
from typing import Any

import pytest
from tests.simulation.storyboard import FLAT, LONG, scene
from tests.simulation.ways import armed, held, twice

from jumar.ports.decisions import Answer, Received
from jumar.store import queries


@pytest.mark.rule("D-8")
@twice
def test_an_outcome_follows_the_guards(seed: int) -> None:
    """Accepted; refused with the code and the numbers while the price is far away; accepted again."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG)
        first = s.expect_outcome("accepted")
        assert first["timestamp_iso"] == s.moment()[:19] + first["timestamp_iso"][19:]
        s.expect_armed()
        s.price_to("92500")
        # The mark is published once a second, the last price at once.
        refused = s.expect_outcome("refused", "price_too_far", "price_too_far")
        assert {reason["rule"] for reason in refused["reasons"]} == {"G-4"}
        assert sorted(reason["message"] for reason in refused["reasons"]) == [
            "last 92500 is 1.7297 % from the zone [90700, 90900], 1 % is allowed",
            "mark 92500 is 1.7297 % from the zone [90700, 90900], 1 % is allowed",
        ]
        assert refused["decision_id"] == first["decision_id"]
        s.price_to("90820")
        s.expect_outcome("accepted")


@pytest.mark.rule("D-8", "D-7")
@twice
def test_an_older_file_is_answered_and_so_is_the_one_that_comes_back(seed: int) -> None:
    """The older file is told `superseded`; when the one in force stands there again it is told `accepted`."""
    with scene(seed) as s:
        s.at("10:05")
        written = s.decision(LONG)
        s.expect_armed()
        s.expect_outcome("accepted")
        s.decision(LONG, timestamp_iso="2025-12-05T10:03:50Z")
        older = s.expect_outcome("superseded", "superseded")
        assert older["timestamp_iso"] == "2025-12-05T10:03:50.000Z"
        s.rewrite(written)
        s.expect_outcome("accepted")
        s.ticks(2)
        s.expect_rests("E1 S1")


@pytest.mark.rule("D-8", "D-7")
@twice
def test_other_content_of_the_same_timestamp_is_a_conflict(seed: int) -> None:
    """The first valid one stays in force, the other is told why it is not."""
    with scene(seed) as s:
        s.at("10:05")
        s.decision(LONG, timestamp_iso="2025-12-05T10:05:00Z")
        first = s.expect_outcome("accepted")
        s.decision(LONG, timestamp_iso="2025-12-05T10:05:00Z", tp1=91700)
        other = s.expect_outcome("refused", "conflict")
        assert other["decision_id"] != first["decision_id"]
        s.expect_rests("E1 S1")


@pytest.mark.rule("D-8", "P-4")
@twice
def test_a_decision_is_spent_after_its_trade(seed: int) -> None:
    """Accepted while its position is open, spent once it is closed; a restart tells the same."""
    with scene(seed) as s:
        held(s)
        assert s.outcome()["outcome"] == "accepted"
        s.price_to("90370")
        s.expect_outcome("spent", "spent")
        s.expect_stopped()
        (s.world.disk.folder / "outcome.json").unlink()
        s.start()
        again = s.expect_outcome("spent", "spent")
        assert again["reasons"][0]["rule"] == "D-7"


@pytest.mark.rule("D-8", "D-4")
@twice
def test_a_malformed_decision_is_told_its_field(seed: int) -> None:
    """Refused with the field, its value and the fix; the entry of the one before it goes."""
    with scene(seed) as s:
        armed(s)
        s.wait(1)
        s.decision(LONG, sl=91500)
        stamp = s.moment()
        refused = s.expect_outcome("refused", "malformed")
        assert refused["timestamp_iso"] == stamp
        assert "sl" in refused["reasons"][0]["message"]
        assert "91500" in refused["reasons"][0]["message"]
        s.expect_rests("")
        assert s.outcome() == refused


@pytest.mark.rule("D-8", "C-3")
@twice
def test_a_flat_decision_is_accepted(seed: int) -> None:
    """It wants nothing, so that nothing is left to refuse; an entry that rests goes."""
    with scene(seed) as s:
        s.wait(1)
        s.decision(FLAT)
        s.expect_outcome("accepted")
        s.decision(LONG)
        s.expect_armed()
        s.wait(1)
        s.decision(FLAT)
        s.expect_rests("")
        s.expect_outcome("accepted")


@pytest.mark.rule("D-5", "D-8")
@twice
def test_a_half_written_file_is_put_aside_and_alerted_once(seed: int) -> None:
    """Refused with the place of the error, a copy in quarantine, one alert however long it stands; then all is well."""
    half = json.dumps(LONG).encode()[:80]
    with scene(seed) as s:
        s.wait(1)
        s.rubbish(half)
        s.ticks(2)
        assert s.outcome()["outcome"] is None
        refused = s.expect_outcome("refused", "malformed")
        assert refused["decision_id"] is None
        s.ticks(4)
        (alert,) = s.incidents("D-5")
        (copy,) = (s.world.disk.folder / "quarantine").iterdir()
        assert copy.read_bytes() == half
        assert copy.name in alert
        assert copy.name in refused["reasons"][0]["message"]
        s.decision(LONG)
        s.expect_outcome("accepted")
        s.expect_armed()


@pytest.mark.rule("D-5", "D-8")
@twice
def test_the_decision_in_force_is_told_of_again_after_rubbish(seed: int) -> None:
    """A half-written file in its place is told off; the same decision written whole is told that it is accepted."""
    with scene(seed) as s:
        s.wait(1)
        written = s.decision(LONG)
        s.expect_armed()
        s.expect_outcome("accepted")
        s.rubbish(b"{")
        s.expect_outcome("refused", "malformed")
        assert s.book.slots == "E1 S1"
        s.rewrite(written)
        s.expect_outcome("accepted")


@pytest.mark.rule("D-5", "D-8")
@twice
def test_an_answer_that_cannot_be_written_stops_nothing(seed: int) -> None:
    """A directory stands where the answer belongs, and nothing can be quarantined: decisions are obeyed all the same."""
    with scene(seed, engine=False) as s:
        (s.world.disk.folder / "outcome.json").mkdir()
        (s.world.disk.folder / "quarantine").write_text("in the way")
        s.start()
        s.wait(1)
        s.rubbish(b"{")
        s.ticks(5)
        s.decision(LONG)
        s.expect_armed()
        s.wait(1)
        s.decision(FLAT)
        s.expect_rests("")
        assert (s.world.disk.folder / "outcome.json").is_dir()


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
@twice
def test_a_source_whose_answers_raise_loses_nothing(seed: int) -> None:
    """Ticks go on without an incident, and what was refused is recorded although it could not be told."""
    with scene(seed) as s:
        s.wait(1)
        process = s.world.host.process
        assert process is not None
        source = process.engine._source = Speechless(process.engine._source)
        process.engine.loops["BTCUSDT"]._on_answer = source.answer
        s.decision(LONG, sl=None)
        s.until("recorded", lambda: "malformed" in queries.refusal_counts(s.database))
        s.decision(LONG)
        s.expect_armed()
        assert source.asked == ["refused", "accepted"]
        assert not s.witness.incidents
