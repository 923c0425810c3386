"""The suite's own habits: skips are counted, and fail where everything must run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TRIAL = '''
def test_needs_data(recorded_data):
    """Looks at the data."""

def test_needs_rules(collected_rules):
    """Looks at the rules."""
'''


def run(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    tests = folder / "tests"
    (tests / "unit").mkdir(parents=True)
    shutil.copy(CONFTEST, tests / "conftest.py")
    (tests / "unit" / "test_trial.py").write_text(TRIAL, encoding="utf-8")
    clean = {k: v for k, v in os.environ.items() if k not in {"CI", "JUMAR_REQUIRE"}}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args],
        cwd=folder,
        env=clean | {"JUMAR_RECORDED_DATA": str(folder / "absent")} | environ,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_skip_is_counted_and_passes(tmp_path: Path) -> None:
    """On a machine without recorded data the suite passes and says what it left out."""
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
    assert "skipped: 1" in result.stdout
    assert "unit" in result.stdout


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"JUMAR_REQUIRE": "recorded"}])
def test_a_skip_fails_where_everything_must_run(tmp_path: Path, environ: dict[str, str]) -> None:
    """In CI a missing folder cannot make the suite green."""
    result = run(tmp_path, **environ)
    assert result.returncode == 1, result.stdout
    assert "skipped: 1: a failure here" in result.stdout


def test_a_part_of_the_suite_does_not_judge_rules(tmp_path: Path) -> None:
    """When one file is asked for, the check over all rules is left out, not failed."""
    result = run(tmp_path, "tests/unit/test_trial.py")
    assert result.returncode == 0, result.stdout
    assert "1 deselected" in result.stdout
