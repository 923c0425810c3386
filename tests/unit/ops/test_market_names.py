"""Whoever looks for a scenario finds it: in the help of both commands and in the documents."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jumar.exchange.simulated.market import SCENARIOS
from jumar.ops.cli.app import app

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("command", [("exchange", "serve"), ("demo",)])
def test_help_names_every_scenario(command: tuple[str, ...]) -> None:
    """The option that takes a market says which ones are drawn."""
    said = "".join(CliRunner().invoke(app, [*command, "--help"]).output.split())
    assert f"synthetic:SCENARIO({','.join(SCENARIOS)})" in said


@pytest.mark.parametrize("page", ["reference/cli.md", "concepts/market-paths.md"])
def test_the_documents_name_every_scenario(page: str) -> None:
    """Each stands there as it is to be typed."""
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [name for name in SCENARIOS if f"`{name}`" not in text] == []
