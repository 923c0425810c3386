"""Turns the condition of every planner rule round, one at a time, and runs only the tests that name the rule.

`python -m tests.mutation.rules [S-4 R-2 …] [--jobs N]`: each inversion must make one of them fail. Prints one line for each that
nobody noticed, then a table. Exit code 1 when a branch could be turned round unnoticed, 2 when nothing can be judged: a test that
fails by itself, a due planner rule without a branch, an entry of `by_hand.py` that fits nothing any more.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import ForkContext

import pytest
from tests import rules
from tests.mutation.branches import Branch, UnknownBranchError, branches
from tests.mutation.by_hand import BY_HAND, EQUIVALENT, NO_CONDITION, Key
from tests.mutation.planted import Session, Trial

from jumar.ports.clock import SystemClock

#: Suites that need neither sockets nor processes; the second are asked for what the first did not notice.
SUITES = (
    ("tests/unit/planner", "tests/unit/reconciler", "tests/unit/decisions", "tests/unit/model"),
    ("tests/simulation", "tests/properties"),
)
#: How long one test may take: more than elsewhere, for it may share the machine with other trials.
TEST_S = 300


def key(branch: Branch) -> Key:
    """What a branch is called in the tables of `by_hand.py`."""
    return branch.rule, branch.place, branch.text


def complaints(
    found: Sequence[Branch],
    planned: Sequence[str],
    reasons: Mapping[str, str],
    equivalent: Mapping[Key, str],
) -> list[str]:
    """Return what is wrong with the branches and the tables beside them, one sentence each; empty when all is well.

    `planned` are the due rules that are the planner's, `reasons` those of them that hang on no condition.
    """
    named, keys = {branch.rule for branch in found}, {key(branch) for branch in found}
    said = [
        f"{rule} is due and names no condition of the planner: list one by hand, or say why there is none"
        for rule in planned
        if rule not in named and rule not in reasons
    ]
    said += [
        f"{rule} is said to hang on no condition and hangs on one"
        for rule in reasons
        if rule in named
    ]
    said += [
        f"{rule}: {place}: `{text}` is said to be without effect and does not exist"
        for rule, place, text in equivalent
        if (rule, place, text) not in keys
    ]
    return said


def planned_rules() -> tuple[str, ...]:
    """Return the due rules that the planner's sources or its own tests name."""
    due, _ = rules.lists((rules.ROOT / rules.LISTS).read_text(encoding="utf-8"))
    places = rules.places_of_rules(rules.ROOT / "src" / "jumar")
    tests = rules.tests_of_rules(rules.ROOT / "tests")
    return tuple(
        rule
        for rule in due
        if any(place.file.startswith("planner/") for place in places.get(rule, ()))
        or any(file.startswith("tests/unit/planner/") for file in tests.get(rule, ()))
    )


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """The rules as Markdown: how many branches each has, and how many inversions were noticed."""
    by_rule: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_rule[trial.branch.rule].append(trial)
    yield "| rule | branches | noticed |"
    yield "|---|---|---|"
    for rule, each in sorted(by_rule.items()):
        noticed = sum(trial.noticed is not None for trial in each)
        yield f"| {rule} | {len(each)} | {noticed} |"


def found() -> tuple[Branch, ...]:
    """All branches.

    Raises:
        RuntimeError: they and the tables beside them do not fit each other.
    """
    known = branches(by_hand=BY_HAND)
    wrong = complaints(known, planned_rules(), NO_CONDITION, EQUIVALENT)
    if wrong:
        raise RuntimeError("\n".join(wrong))
    return known


def _of(known: Sequence[Branch], named: Sequence[str]) -> list[Branch]:
    """The branches of the rules that are named, all without a name.

    Raises:
        RuntimeError: one of them has none.
    """
    for rule in named:
        if rule not in {branch.rule for branch in known}:
            why = NO_CONDITION.get(rule, "it is none of the planner's rules")
            raise RuntimeError(f"{rule} hangs on no condition of the planner: {why}")
    return [branch for branch in known if not named or branch.rule in named]


def _tell(trial: Trial) -> None:
    words = f"{trial.seconds:6.1f} s {trial.branch.rule} {trial.branch.place}"
    print(f"{words}: {trial.noticed or trial.why}", file=sys.stderr, flush=True)


def _tried(chosen: Sequence[Branch], jobs: int) -> Iterator[Trial]:
    """Try the branches, in the second suites only what the first did not notice.

    Raises:
        RuntimeError: the tests cannot judge anything.
    """
    left, trials = list(chosen), list[Trial]()
    for suites in SUITES:
        # each in a process of its own: pytest cannot collect twice in one
        with ProcessPoolExecutor(1, mp_context=ForkContext()) as pool:
            trials = pool.submit(tried_in, suites, left, jobs).result() if left else []
        noticed = [trial for trial in trials if trial.noticed is not None]
        yield from noticed
        left = [trial.branch for trial in trials if trial.noticed is None]
    yield from (trial for trial in trials if trial.noticed is None)


def tried_in(suites: Sequence[str], chosen: Sequence[Branch], jobs: int) -> list[Trial]:
    """Try the branches with the tests of some suites, in this process and forks of it.

    Raises:
        RuntimeError: a test fails by itself, or cannot be collected.
    """
    trials: list[Trial] = []

    def told(trial: Trial) -> None:
        trials.append(trial)
        _tell(trial)

    session = Session(chosen, jobs, told)
    words = ["-n0", "-q", "-s", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    words.append(f"--timeout={TEST_S}")
    code = pytest.main([*words, *(str(rules.ROOT / suite) for suite in suites)], plugins=[session])
    if session.broken is not None:
        raise RuntimeError(f"fails before anything is turned round: {session.broken}")
    if len(trials) != len(chosen):
        raise RuntimeError(f"pytest ended with code {code}")
    return trials


def main(arguments: Sequence[str]) -> int:
    """Try all, or the rules that are named; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.rules", description=__doc__)
    parser.add_argument("rules", nargs="*", help="only these, such as S-4")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(arguments)
    clock = SystemClock()
    begun = clock.monotonic()
    try:
        wanted = _of(found(), asked.rules)
        chosen = [each for each in wanted if key(each) not in EQUIVALENT]
        trials = list(_tried(chosen, asked.jobs))
    except (RuntimeError, UnknownBranchError) as error:
        print(error, file=sys.stderr)
        return 2
    unnoticed = [trial for trial in trials if trial.noticed is None]
    for trial in unnoticed:
        rule, place, condition = key(trial.branch)
        print(f"{rule}: {place}: `{condition}`: {trial.why}")
    print("\n".join(table(trials)))
    told = {branch.rule for branch in chosen}
    print(
        f"{len(trials)} branches of {len(told)} rules, {len(unnoticed)} turned round unnoticed, "
        f"{len(wanted) - len(chosen)} without effect not tried; {clock.monotonic() - begun:.0f} s"
    )
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
