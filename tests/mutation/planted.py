"""Turns conditions of the planner round inside one test session, each in a process of its own.

The tests are collected once; every trial is a fork of that session in which the code of one function is replaced, and in which
the tests that name its rule run, the quickest first, until one fails. Nothing is written to the sources, and nothing a trial does
reaches the next one. Before the first trial all tests run once against the planner as it is: a test that fails on its own would
notice everything.
"""

import gc
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkProcess
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from tests.mutation.branches import Branch, inverted

from jumar.ports.clock import SystemClock

#: How long the tests of one rule may take altogether; each test has its own limit, too.
TRIAL_S, ALL_S = 1200, 3600
_FORK = ForkContext()
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one inversion.

    Attributes:
        noticed: the test that failed, None when all passed.
        why: what to say where nobody noticed.
        seconds: how long it took, of the wall.
    """

    branch: Branch
    noticed: str | None
    why: str
    seconds: float


@dataclass(slots=True)
class _Run:
    """Tests running in a fork of this process; it sends the name of the first that fails, or how long each took."""

    process: ForkProcess
    answers: Connection
    begun: float = field(default_factory=_CLOCK.monotonic)


def plant(branch: Branch) -> None:
    """Replace the code of the function that holds the branch, wherever that function is referred to.

    Raises:
        LookupError: no living function holds the condition.
    """
    path = importlib.import_module(branch.module).__file__ or ""
    source = Path(path).read_bytes()
    before = _codes(compile(source, path, "exec"))
    after = _codes(compile(inverted(source, branch), path, "exec"))
    changed = {name: code for name, code in after.items() if code != before[name]}
    found = 0
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename == path:
            code = changed.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if code is not None:
                each.__code__ = code
                found += 1
    if not found:
        raise LookupError(f"{branch.place}: no function holds `{branch.text}`")


def _codes(code: CodeType) -> Mapping[tuple[str, int], CodeType]:
    """All code inside a module's, by name and line."""
    found: dict[tuple[str, int], CodeType] = {}
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found[each.co_qualname, each.co_firstlineno] = each
            found |= _codes(each)
    return found


class Session:
    """A pytest plugin that tries branches instead of running the tests that were collected."""

    def __init__(
        self, chosen: Sequence[Branch], jobs: int, told: Callable[[Trial], object]
    ) -> None:
        self.broken: str | None = None
        self._chosen = chosen
        self._jobs = jobs
        self._told = told
        self._items: dict[str, list[pytest.Item]] = {branch.rule: [] for branch in chosen}
        self._failed: str | None = None
        self._seconds: dict[str, float] = {}

    def pytest_configure(self) -> None:
        """Let random tests look at the same examples in every trial, and be content with the first failure."""
        from hypothesis import Phase, settings  # pytest wants to be there first, to rewrite it

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", derandomize=True, database=None, phases=phases)
        settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the tests that name one of the rules."""
        for item in items:
            for rule in {rule for mark in item.iter_markers("rule") for rule in mark.args}:
                if rule in self._items:
                    self._items[rule].append(item)
        kept = {item for named in self._items.values() for item in named}
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the failure, and how long each test takes."""
        if report.failed and self._failed is None:
            self._failed = report.nodeid
        spent = self._seconds.get(report.nodeid, 0.0)
        self._seconds[report.nodeid] = spent + report.duration

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Try every branch."""
        if session.testsfailed:
            return None
        made = pytest.TempPathFactory.from_config(session.config, _ispytest=True)
        session.config._tmp_path_factory = made  # type: ignore[attr-defined]  # all forks share one folder
        made.getbasetemp()
        whole = self._begin(session.items, None)
        told = whole.answers.recv() if whole.answers.poll(ALL_S) else "they never end"
        if isinstance(told, str):
            self.broken = told
            return True
        for items in self._items.values():
            items.sort(key=lambda item: told[item.nodeid])
        for trial in self._trials():
            self._told(trial)
        return True

    def _trials(self) -> Iterator[Trial]:
        waiting, running = list(reversed(self._chosen)), dict[Connection, tuple[Branch, _Run]]()
        while waiting or running:
            while waiting and len(running) < self._jobs:
                branch = waiting.pop()
                run = self._begin(self._items[branch.rule], branch)
                running[run.answers] = branch, run
            ready = wait(list(running), timeout=1)
            for answers, (branch, run) in list(running.items()):
                late = _CLOCK.monotonic() - run.begun > TRIAL_S
                if answers in ready or late:
                    del running[answers]
                    yield self._ended(branch, run, late=answers not in ready)

    def _ended(self, branch: Branch, run: _Run, *, late: bool) -> Trial:
        noticed, why = None, f"no verdict within {TRIAL_S} s"
        try:
            told = None if late else run.answers.recv()
        except EOFError:
            why = "the process died"
        else:
            noticed = told if isinstance(told, str) else None
            why = why if late else "all pass" if self._items[branch.rule] else "no test names it"
        run.process.kill()
        run.process.join()
        seconds = _CLOCK.monotonic() - run.begun
        return Trial(branch=branch, noticed=noticed, why=why, seconds=seconds)

    def _begin(self, items: Sequence[pytest.Item], branch: Branch | None) -> _Run:
        answers, mine = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=self._live, args=(items, branch, mine), daemon=True)
        process.start()
        mine.close()
        return _Run(process=process, answers=answers)

    def _live(self, items: Sequence[pytest.Item], branch: Branch | None, mine: Connection) -> None:
        """In the fork: run until the first failure, and tell it."""
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        if branch is not None:
            plant(branch)
        self._seconds = {}
        for item, following in zip(items, [*items[1:], None], strict=False):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed is not None:
                break
        mine.send(self._failed or self._seconds)
        mine.close()
        os._exit(0)
