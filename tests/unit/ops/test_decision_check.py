"""`jumar decision`: what a person reads, the exit codes, and three hundred files that must not trip it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hostile import EXAMPLE, HAND_MADE, SHORT, STRANGE, changed, drawn
from typer.testing import CliRunner, Result

from jumar.decisions.schema import schema
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.ops.cli.app import app

GOLDEN = Path(__file__).parent / "golden"
FLAT: dict[str, object] = {
    "action": "flat",
    "entry_zone": [],
    "sl": None,
    "tp1": None,
    "tp2": None,
    "leverage": 0,
}
CONFIG = """
[account]
name = "other"
environment = "custom"
rest_url = "http://127.0.0.1:9"
stream_url = "ws://127.0.0.1:9"
ws_api_url = "ws://127.0.0.1:9"
key_env = "JUMAR_KEY"
secret_env = "JUMAR_SECRET"
[store]
url = "sqlite:///jumar.db"
[decision]
path = "decision.json"
[limits]
max_notional_usdt = 600
min_rr = 2.2
[symbols.BTCUSDT]
[symbols.XRPUSDT]
"""


def check(folder: Path, content: str | bytes, *arguments: str) -> Result:
    """Run `jumar decision check` on a content, without keys in the environment."""
    file = folder / "decision.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    environ = {"JUMAR_KEY": None, "JUMAR_SECRET": None}
    return CliRunner().invoke(app, ["decision", "check", str(file), *arguments], env=environ)


def as_json(folder: Path, content: str, *arguments: str) -> dict[str, Any]:
    """The result for programs."""
    found: dict[str, Any] = json.loads(check(folder, content, "--json", *arguments).stdout)
    return found


CASES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "example": (EXAMPLE, (), 0),
    "reward_too_small": (changed(tp1=91000), (), 2),
    "stop_too_close": (changed(sl=90690, tp1=91900), (), 2),
    "short": (changed(**SHORT), (), 0),
    "flat": (changed(**FLAT), (), 0),
    "stale": (EXAMPLE, ("--at", "2025-12-05T10:20:00Z"), 2),
    "several": (changed(leverage=20, risk_checks=...), ("--last", "92000"), 2),
    "malformed": (changed(sl="x", tp2=..., leverage=0), (), 2),
}


@pytest.mark.rule("D-9")
@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_the_golden_one(tmp_path: Path, name: str) -> None:
    """Word for word what stands in golden/; who changes the words changes the file with them."""
    content, arguments, code = CASES[name]
    result = check(tmp_path, content, *arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.rule("D-9")
def test_the_result_for_programs_says_the_same(tmp_path: Path) -> None:
    """One JSON object: verdict, reasons, guards, band and order, amounts as text."""
    good = as_json(tmp_path, EXAMPLE)
    assert (good["accepted"], good["reasons"], good["errors"]) == (True, [], [])
    assert (good["order"]["price"], good["order"]["quantity"]) == ("90786.6", "0.013")
    assert (good["band"]["low"], good["band"]["high"]) == ("90700", "90786.6")
    assert good["order"]["reward_to_risk_gross"] == "2.0005"
    bad = as_json(tmp_path, changed(tp1=91000))
    assert [reason["code"] for reason in bad["reasons"]] == ["rr_below_min"]
    assert "tp1 91340 would pass" in bad["reasons"][0]["message"]
    assert (bad["order"], bad["band"]) == (None, None)
    broken = as_json(tmp_path, changed(sl="x"))
    assert [error["field"] for error in broken["errors"]] == ["sl"]
    assert broken["accepted"] is False


@pytest.mark.rule("D-9", "W-7")
def test_a_configuration_gives_the_limits_and_needs_no_key(tmp_path: Path) -> None:
    """Account and limits count, unset variables do not; nothing is looked for at the addresses."""
    config = tmp_path / "jumar.toml"
    config.write_text(CONFIG)
    found = as_json(tmp_path, EXAMPLE, "--config", str(config))
    assert found["accepted"] is True
    assert found["order"]["quantity"] == "0.006"
    assert found["order"]["cuts"] == ["quantity cut to max_notional_usdt: 0.006"]
    assert found["band"]["high"] == "90761.2"
    assert found["decision_id"] != as_json(tmp_path, EXAMPLE)["decision_id"]
    assert not any("limits" in words for words in found["assumed"])
    other = check(tmp_path, changed(symbol="ETHUSDT"), "--config", str(config))
    assert other.exit_code == 2
    assert "add [symbols.ETHUSDT] to the config" in other.stdout
    unknown = check(tmp_path, changed(symbol="XRPUSDT"), "--config", str(config))
    assert unknown.exit_code == 2
    assert "symbol = XRPUSDT: its filters are not shipped" in unknown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bid", "many"), "--bid: 'many' must be a number"),
        (("--ask", "-1"), "--ask: '-1' must be above 0"),
        (("--last", "NaN"), "--last: 'NaN' must be a finite number"),
        (("--mark", "1e99"), "--mark: '1e99' must be between"),
        (("--bid", "2", "--ask", "1"), "--bid: 2 must be below --ask 1"),
        (("--at", "yesterday"), "--at: 'yesterday' is not a time"),
        (("--config", "/nowhere/jumar.toml"), "/nowhere/jumar.toml: cannot be read"),
    ],
)
def test_a_bad_option_is_one_message(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """The option is named on stderr, nothing stands on stdout."""
    result = check(tmp_path, EXAMPLE, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize("place", ["absent.json", "."])
def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path, place: str) -> None:
    """An absent file and a folder are said, with the way out."""
    result = CliRunner().invoke(app, ["decision", "check", str(tmp_path / place)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be read" in result.stderr
    assert "name a decision file" in result.stderr


@pytest.mark.rule("D-9")
@pytest.mark.parametrize("symbol", INSTRUMENTS)
def test_every_shipped_symbol_can_be_checked(tmp_path: Path, symbol: str) -> None:
    """Filters, brackets and fees of each pass through the engine's own translation."""
    result = check(tmp_path, changed(symbol=symbol))
    assert result.exit_code in {0, 2}
    assert f"{symbol} long of" in result.stdout


@pytest.mark.rule("D-9")
def test_the_schema_is_printed() -> None:
    """`jumar decision schema` prints it and nothing else."""
    result = CliRunner().invoke(app, ["decision", "schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == schema()


def hostile() -> Iterator[tuple[str, bytes]]:
    """Contents and what their answer must name, nothing where that depends on the dice."""
    yield from HAND_MADE
    yield from (("", data) for data in (*STRANGE, *drawn(3, 240)))


NAMED = re.compile(
    r"refused: (malformed|symbol_not_managed)\n  (\(file\)|[a-z_0-9]+(\.\S+|\[[01]\])?) = "
)
JUDGED = re.compile(r"(accepted|refused: [a-z_, ]+)\n")


@pytest.mark.rule("D-5", "D-9")
def test_no_file_trips_the_check(tmp_path: Path) -> None:
    """Three hundred hostile files: exit code 0 or 2, the field or the position is named, never a traceback."""
    count, unusable, judged = 0, 0, 0
    for named, data in hostile():
        result = check(tmp_path, data)
        assert result.exit_code in {0, 2}, (data[:300], result.output[-500:])
        assert result.stderr == "", (data[:300], result.stderr)
        assert named in result.stdout, (data[:300], result.stdout[:500])
        if NAMED.match(result.stdout):
            unusable += 1
            assert result.exit_code == 2
        else:
            judged += 1
            assert JUDGED.match(result.stdout), result.stdout[:300]
            assert result.stdout.startswith("accepted") == (result.exit_code == 0)
        count += 1
    assert count >= 300
    assert unusable > 100
    assert judged > 30
