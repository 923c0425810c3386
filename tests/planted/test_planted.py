"""Bugs planted in the engine one by one: the swarm convicts each that is due, at a seed that the sound engine lives clean.

The search for such seeds is `make planted`; here each known one is lived once on a copy of the sources. A seed changes
its meaning with the swarm: after a change there, `make planted ARGS="--keep"` finds new ones.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.planted.bugs import BUGS, Bug, known_seeds
from tests.planted.copies import SOURCES, PatchError, TrialError, copied, tried
from tests.planted.hunt import Catch, hunt, table

from jumar.simulation.faults import FaultPlan
from jumar.simulation.swarm import live

DUE = [bug for bug in BUGS if bug.undue is None]
CALM_SEED = 1


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """The engine's own log would tell every fault of every run."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**before)


def seed_of(bug: Bug) -> int:
    """The seed that convicts it."""
    seed = known_seeds().get(bug.name)
    assert seed is not None, f'{bug.name} has no known seed: make planted ARGS="{bug.name} --keep"'
    return seed


@pytest.mark.parametrize("bug", DUE, ids=lambda bug: bug.name)
def test_each_due_bug_is_convicted_by_its_seed(bug: Bug) -> None:
    """With the bug in it the engine breaks something at that seed; without it, nothing."""
    seed = seed_of(bug)
    with copied(bug.patch) as planted:
        verdict = tried(planted, seed, 1)
    again = f'make planted ARGS="{bug.name} --keep" finds another seed'
    assert verdict.failures, f"seed {seed} does not notice: {bug.mistake}; {again}"
    sound = live(FaultPlan.drawn(seed)).failures
    assert not sound, f"seed {seed} convicts the engine without the bug: {sound[0]}"


def test_each_bug_has_one_patch_and_each_patch_is_listed() -> None:
    """Nothing on the list is without its patch, and no patch lies here unlisted."""
    patches = {path.stem for path in Path(__file__).parent.glob("*.patch")}
    assert patches == {bug.name for bug in BUGS}
    assert len(BUGS) == len(patches)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_patch_applies_and_is_a_program(bug: Bug) -> None:
    """Every patch still fits the engine as it is, changes it, and what comes out can be compiled."""
    with copied(bug.patch) as planted:
        changed = [
            path
            for path in sorted(planted.rglob("*.py"))
            if path.read_bytes() != (SOURCES / path.relative_to(planted)).read_bytes()
        ]
        assert changed
        for path in changed:
            compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_a_patch_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    """A patch whose lines are gone is never taken for a planted bug."""
    spoiled = tmp_path / "spoiled.patch"
    text = BUGS[0].patch.read_text(encoding="utf-8")
    spoiled.write_text(text.replace("cancels: list[CancelOrder]", "cancels: list[Cancel]"))
    with pytest.raises(PatchError, match=r"spoiled.patch does not apply any more"), copied(spoiled):
        pytest.fail("the copy was made all the same")


def test_a_run_that_did_not_use_the_copy_is_an_error() -> None:
    """A verdict on another engine than the one with the bug would be worthless."""
    with copied() as copy, pytest.raises(TrialError, match="was to be tried, imported was"):
        tried(copy, CALM_SEED, 1, path=SOURCES)


def test_the_hunt_tells_what_it_did_not_find() -> None:
    """A bug that no seed convicts stands in the table as due and not found."""
    bug = DUE[0]
    caught = hunt(bug, 0, 0)
    assert caught == Catch(bug=bug, verdict=caught.verdict)
    assert caught.verdict.seed is None
    assert "| not found | 0 | 0.0 | **due, and not found** |" in table([caught])
