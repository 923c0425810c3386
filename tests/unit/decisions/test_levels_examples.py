"""What the documents show of levels is what an engine takes: every example is read as it stands there."""

import json
import re
from pathlib import Path

import pytest
from tests.hostile import EXAMPLE
from tests.unit.decisions.validator import is_valid
from typer.testing import CliRunner

from jumar.decisions.levels import decode_levels
from jumar.decisions.levels_schema import levels_schema
from jumar.ops.cli.app import app

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = DOCS / "reference" / "levels.md"
GUIDE = DOCS / "how-to" / "connect-a-decision-system.md"
BARE = {"symbol": "BTCUSDT", "as_of": "2025-12-05T10:04:00Z", "swings": {}}


def blocks(page: Path, language: str) -> list[str]:
    """The code of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.rule("D-10")
@pytest.mark.parametrize("number", range(3))
def test_the_references_examples_are_read(number: int) -> None:
    """A zone with its own id, a map, several symbols: accepted, and valid by the schema."""
    examples = blocks(REFERENCE, "json")
    assert len(examples) == 3
    found = decode_levels(examples[number].encode(), symbols=("BTCUSDT", "ETHUSDT"))
    assert found
    assert [received.errors for received in found] == [()] * len(found)
    assert is_valid(examples[number], levels_schema())


@pytest.mark.rule("D-10", "D-9")
def test_the_guides_example_binds_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program adds a zone to a file that has none, and the check finds it under the decision's name."""
    monkeypatch.chdir(tmp_path)
    Path("levels.json").write_text(json.dumps(BARE))
    Path("decision.json").write_text(EXAMPLE)
    (program,) = blocks(GUIDE, "python")
    exec(compile(program, GUIDE.name, "exec"), {})
    result = CliRunner().invoke(
        app, ["decision", "check", "decision.json", "--levels", "levels.json"]
    )
    assert result.exit_code == 0, result.output
    assert "cluster_1 is bound to [91500, 91650]" in result.stdout
    assert not Path("levels.json.draft").exists()
