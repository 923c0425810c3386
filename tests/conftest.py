"""What all tests share: recorded data, the rules that tests name, and an honest summary.

Recorded market data and payloads are found through `JUMAR_RECORDED_DATA` (the folder that holds `data` and
`payloads`); this file alone knows the default. A test without them is skipped with the reason; with `CI=true` or
`JUMAR_REQUIRE=recorded` a skip fails the session. The summary counts skips and shows the time of each suite.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
DEFAULT_RECORDED = TESTS.parent.parent / "shared"
#: Suites with real sockets: run serially in one worker, so that load never decides what they see.
SOCKETS = frozenset({"contract", "peers", "process"})
_RULES = pytest.StashKey[dict[str, list[str]]]()
_seconds: dict[str, float] = defaultdict(float)


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded market data."""
    return _recorded("data")


@pytest.fixture(scope="session")
def recorded_payloads() -> Path:
    """The folder of recorded exchange payloads."""
    return _recorded("payloads")


@pytest.fixture(scope="session", autouse=True)
def _runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What engines share on a machine is kept with what tests leave behind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        yield


@pytest.fixture
def collected_rules(pytestconfig: pytest.Config) -> Mapping[str, list[str]]:
    """Which tests name which rule, over the whole suite."""
    rules = pytestconfig.stash[_RULES]
    return dict(rules)


def _recorded(name: str) -> Path:
    folder = Path(os.environ.get("JUMAR_RECORDED_DATA") or DEFAULT_RECORDED) / name
    if not folder.is_dir():
        pytest.skip(f"recorded {name} not found in {folder}; set JUMAR_RECORDED_DATA")
    return folder


def _skips_are_failures() -> bool:
    return os.environ.get("CI") == "true" or os.environ.get("JUMAR_REQUIRE") == "recorded"


def _collects_everything(config: pytest.Config) -> bool:
    """Whether this run sees every test, so that a missing rule is really missing."""
    whole = {"", ".", "tests"}
    asked = {arg.removeprefix(str(TESTS.parent)).strip("/") for arg in config.args}
    narrowed = config.getoption("ignore") or config.getoption("ignore_glob")
    return asked <= whole and not narrowed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note the rules that tests name, before anything is deselected; suites with real sockets share one worker."""
    for item in items:
        if _suite(item.nodeid) in SOCKETS:
            item.add_marker(pytest.mark.xdist_group("sockets"))
    rules: dict[str, list[str]] = defaultdict(list)
    for item in items:
        for marker in item.iter_markers("rule"):
            for rule in marker.args:
                rules[rule].append(item.nodeid)
    config.stash[_RULES] = rules
    if not _collects_everything(config):
        partial = [item for item in items if "collected_rules" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in partial]
        config.hook.pytest_deselected(items=partial)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of each suite; with several workers the reports of all come together here."""
    _seconds[_suite(report.nodeid)] += report.duration


def _suite(nodeid: str) -> str:
    parts = Path(nodeid.partition("::")[0]).parts
    return parts[1] if len(parts) > 2 else "other"


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", [])) if reporter else 0


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session for a skip where everything must run."""
    if _skips_are_failures() and _skipped(session.config) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how much was skipped and where the time went."""
    skipped = _skipped(config)
    verdict = ": a failure here (CI or JUMAR_REQUIRE is set)" if skipped else ""
    terminalreporter.section("summary of the suites")
    for suite, seconds in sorted(_seconds.items()):
        terminalreporter.write_line(f"{suite:<12} {seconds:7.1f} s")
    terminalreporter.write_line(f"skipped: {skipped}{verdict if _skips_are_failures() else ''}")
