"""The probe report in the account section: what it proves of the dead man's switch, and on which host."""

import json
from pathlib import Path
from typing import Any

import pytest

from jumar.config.account import DEMO
from jumar.config.problems import Problems
from jumar.config.proof import read_no_dead_man
from jumar.model.countdown import NOT_PROBED

REPORT: dict[str, Any] = {
    "schema": 1,
    "rest_url": DEMO.rest_url,
    "ended": "2026-09-01T10:00:00+00:00",
    "assumptions": [
        {"assumption": "V-5", "verdict": "refuted"},
        {"assumption": "V-6", "verdict": "confirmed"},
    ],
}


def read(folder: Path, content: str | None) -> tuple[str | None, list[str]]:
    """Why there is none, and what is wrong with the configuration."""
    problems = Problems(file=folder / "jumar.toml")
    table = {} if content is None else {"probe_report": "report.json"}
    if content is not None and content != "absent":
        (folder / "report.json").write_text(content)
    return read_no_dead_man(problems, table, DEMO, folder), problems.found


@pytest.mark.rule("E-7")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"rest_url": DEMO.rest_url + "/"}, None),
        (
            {"rest_url": "https://fapi.example"},
            "the probe report is of fapi.example, not of demo-fapi.binance.com",
        ),
        ({"rest_url": 3}, "the probe report is of no host, not of demo-fapi.binance.com"),
        (
            {"assumptions": [{"assumption": "V-6", "verdict": "refuted"}]},
            "the probe report of 2026-09-01T10:00:00+00:00 says of V-6: refuted",
        ),
        (
            {"assumptions": [{"assumption": "V-6", "verdict": "not asked"}]},
            "the probe report of 2026-09-01T10:00:00+00:00 says of V-6: not asked",
        ),
        ({"assumptions": []}, "the probe report does not answer V-6"),
        ({"assumptions": None}, "the probe report does not answer V-6"),
        ({"assumptions": ["V-6"]}, "the probe report does not answer V-6"),
    ],
)
def test_only_a_confirmed_answer_of_this_host_counts(
    tmp_path: Path, changes: dict[str, object], reason: str | None
) -> None:
    """Everything else is a reason in words, and no mistake in the file."""
    assert read(tmp_path, json.dumps(REPORT | changes)) == (reason, [])


@pytest.mark.rule("E-7")
def test_without_a_report_there_is_no_dead_mans_switch(tmp_path: Path) -> None:
    """The reason names the key to set."""
    assert read(tmp_path, None) == (NOT_PROBED, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("absent", "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is no report of this version"),
        ('{"schema": 2}', "is no report of this version"),
    ],
)
def test_a_file_that_is_no_report_is_a_mistake(tmp_path: Path, content: str, said: str) -> None:
    """It names the field and the fix."""
    reason, found = read(tmp_path, content)
    assert reason == NOT_PROBED
    (problem,) = found
    assert '[account] probe_report = "report.json"' in problem
    assert said in problem
    assert "name a report that jumar exchange probe wrote" in problem
