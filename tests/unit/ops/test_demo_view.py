"""What a person reads during and after a demo."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from jumar.ops.demo.options import DemoOptions
from jumar.ops.demo.view import View, summary
from jumar.ops.demo.watch import LiveOrder, Picture

OPTIONS = DemoOptions(
    seconds=60,
    seed=7,
    market="synthetic",
    begin=None,
    end=None,
    speed=60,
    symbols=(),
    restarts=0,
    state_dir=None,
    json=False,
)
PICTURE = Picture(
    bid="90800.1",
    mark="90801",
    position="0.013",
    entry_price="90786.6",
    orders={
        ("conditional", 1): LiveOrder(role="S", price="90380", quantity="0.013"),
        ("conditional", 2): LiveOrder(role="P", price="91600", quantity="0.006"),
    },
)
RESULT: dict[str, Any] = {
    "trades": 2,
    "exits": {"tp1": 1, "stop": 0},
    "checks": {"P-1": 3, "P-2": 1, "P-8": 0},
    "promises": {"P-1": True, "P-2": False},
}


def rendered(renderable: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=160).print(renderable)
    return out.getvalue()


def test_plain_lines_say_what_rests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a line every few seconds names position, stop and targets."""
    view = View(OPTIONS, tmp_path / "engine.log", tmp_path / "decision.json")
    with view:
        view.show({"BTCUSDT": PICTURE}, 6.0, "trading")
        view.show({"BTCUSDT": PICTURE}, 7.0, "trading")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for said in ("6 s", "0.013 at 90786.6", "stop 90380", "tp1 91600"):
        assert said in captured.err


@pytest.mark.parametrize("known", [True, False])
def test_the_picture_shows_decision_orders_and_engine(tmp_path: Path, known: bool) -> None:
    """The live picture holds the decision's zone, what rests, and the engine's last lines, as far as there are any."""
    log, decision = tmp_path / "engine.log", tmp_path / "decision.json"
    if known:
        line = {"event": "filled", "level": "info", "timestamp": "2025-12-05T10:05:01Z"}
        log.write_text(f"{json.dumps(line)}\nhalf a li", encoding="utf-8")
        decision.write_text(
            '{"symbol": "BTCUSDT", "action": "long", "entry_zone": [90700, 90900],'
            ' "sl": 90380, "tp1": 91600, "tp2": null}',
            encoding="utf-8",
        )
    view = View(OPTIONS, log, decision)
    shown = rendered(view._picture({"BTCUSDT": PICTURE}, 6.0, "trading"))
    for said in ("seed 7", "BTCUSDT", "90380", "91600", "90786.6"):
        assert said in shown
    for said in ("zone 90700 to 90900", "10:05:01  filled"):
        assert (said in shown) is known
    assert ("no decision yet" in shown) is not known


def test_the_summary_tells_held_broken_and_unchecked_apart() -> None:
    """A promise that was not checked is never shown as held, and a broken one comes with its figures."""
    violation = {"promise": "P-2", "t": 5, "message": "stop widened from 1 to 2"}
    shown = rendered(summary(RESULT, [violation]))
    lines = {
        name: next(x for x in shown.splitlines() if f" {name} " in x) for name in RESULT["checks"]
    }
    assert "held" in lines["P-1"]
    assert "BROKEN" in lines["P-2"]
    assert "not checked" in lines["P-8"]
    assert "stop widened from 1 to 2" in shown
    assert "tp1 1" in shown
