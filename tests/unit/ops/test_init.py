"""A folder to start from: usable as it is, and never written over anything."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jumar.config import Environment, load_outline, load_settings
from jumar.config.limits import LIMITS
from jumar.decisions.decode import decode
from jumar.model.policy import Policy
from jumar.ops.cli.app import app
from jumar.ops.cli.init import configuration

FILES = ("jumar.toml", "decision.example.json", ".env.example")


def init(folder: Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["init", str(folder)])


def test_what_it_writes_can_be_used(tmp_path: Path) -> None:
    """The configuration loads once the keys are set, with every default; the next steps are printed."""
    folder = tmp_path / "new" / "bot"
    result = init(folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all((folder / name).is_file() for name in FILES)
    settings = load_settings(folder / "jumar.toml", {"JUMAR_KEY": "k", "JUMAR_SECRET": "s"})
    assert settings.environment is Environment.DEMO
    (policy,) = settings.policies.values()
    assert policy == Policy(max_notional_usdt=policy.max_notional_usdt)
    assert load_outline(folder / "jumar.toml").policies == settings.policies
    for step in ("1. ", "2. ", "3. jumar run --config"):
        assert step in result.stdout


def test_every_limit_stands_there_with_its_default(tmp_path: Path) -> None:
    """Uncommented, all of them load and change nothing: names, values and ranges are the engine's own."""
    text = re.sub(r"^# (?=[a-z_.]+ = )", "", configuration(), flags=re.MULTILINE)
    assert {limit.key for limit in LIMITS} <= set(
        re.findall(r"^([a-z0-9_.]+) += ", text, re.MULTILINE)
    )
    path = tmp_path / "jumar.toml"
    path.write_text(text)
    (policy,) = load_outline(path).policies.values()
    assert policy == Policy(max_notional_usdt=policy.max_notional_usdt)


def test_it_says_what_real_money_takes_and_confirms_nothing(tmp_path: Path) -> None:
    """Both lines are named with the warning; the file itself knows no confirmation."""
    init(tmp_path)
    text = (tmp_path / "jumar.toml").read_text()
    assert 'environment = "live" and live_confirmed = "main"' in text
    assert "nothing here was ever run against Binance" in text
    assert "live_confirmed" not in tomllib.loads(text)["account"]


def test_the_example_is_a_decision_but_not_the_watched_file(tmp_path: Path) -> None:
    """It can be read as one and passes the check; an engine started here would not find it."""
    init(tmp_path)
    received = decode(
        (tmp_path / "decision.example.json").read_bytes(), account="main", symbols=("BTCUSDT",)
    )
    assert not received.errors and received.decision is not None
    config = ["--config", str(tmp_path / "jumar.toml")]
    check = ["decision", "check", str(tmp_path / "decision.example.json"), *config]
    assert CliRunner().invoke(app, check).exit_code == 0
    watched = tomllib.loads((tmp_path / "jumar.toml").read_text())["decision"]["path"]
    assert not (tmp_path / watched).exists()


def test_only_names_of_keys_are_written(tmp_path: Path) -> None:
    """The variables stand there empty, under the names that the configuration uses."""
    init(tmp_path)
    lines = (tmp_path / ".env.example").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["JUMAR_KEY=", "JUMAR_SECRET="]
    account = tomllib.loads((tmp_path / "jumar.toml").read_text())["account"]
    assert (account["key_env"], account["secret_env"]) == ("JUMAR_KEY", "JUMAR_SECRET")


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """A file that is there stays as it is, is named, and nothing else is written."""
    (tmp_path / name).write_text("mine")
    result = init(tmp_path)
    assert result.exit_code == 2
    assert f"{tmp_path / name} exists and is not overwritten" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_place_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    """A file where the folder should be: exit code 2 and its name."""
    (tmp_path / "file").write_text("")
    result = init(tmp_path / "file")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert json.dumps(str(tmp_path))[1:-1] in result.stderr
