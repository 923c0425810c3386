"""What a run of many changes came to: the table, the survivors, and when it is not enough."""

import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from tests.mutation import survivors

#: As the tool keeps them; a code that nothing has is one that was never tried.
STATUS = {0: "survived", 1: "killed", 33: "no tests", 36: "timeout", None: "not checked"}
DIFF = """\
--- a
+++ b
 def f(a):
-    return a > 1
+    return a >= 1
"""


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation tool lives in an environment of its own: what is asked of it, made up."""
    stats, changes = ModuleType("mutmut.stats"), ModuleType("mutmut.mutation.diff_apply")
    stats.__dict__["status_by_exit_code"] = STATUS
    changes.__dict__["get_diff_for_mutant"] = lambda _: DIFF
    for name in ("mutmut", "mutmut.mutation"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, stats.__name__, stats)
    monkeypatch.setitem(sys.modules, changes.__name__, changes)


def judged(folder: Path, monkeypatch: pytest.MonkeyPatch, *modules: dict[str, int | None]) -> int:
    """The exit code after a run that left these mutants of the modules a, b, ..."""
    place = folder / "src" / "jumar" / "planner"
    place.mkdir(parents=True)
    for name, codes in zip("abc", modules, strict=False):
        (place / f"{name}.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    found = list(survivors.verdicts(folder))
    monkeypatch.setattr(survivors, "verdicts", lambda: iter(found))
    return survivors.main()


def mutants(module: str, *codes: int | None) -> dict[str, int | None]:
    """So many mutants of one function."""
    return {f"jumar.planner.{module}.x_f__mutmut_{n}": code for n, code in enumerate(codes, 1)}


def test_nine_of_ten_killed_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What never ended counts as killed; the survivor is told with what was put in its place."""
    a, b = mutants("a", *[1] * 7, 36), mutants("b", 1, 0)
    assert judged(tmp_path, monkeypatch, a, b) == 0
    assert capsys.readouterr().out.splitlines() == [
        "b.x_f__mutmut_2: `return a > 1` became `return a >= 1`",
        "| module | mutants | killed | survived | not tried | killed % |",
        "|---|---|---|---|---|---|",
        "| planner/a | 8 | 8 | 0 | 0 | 100.0 |",
        "| planner/b | 2 | 1 | 1 | 0 | 50.0 |",
        "| all | 10 | 9 | 1 | 0 | 90.0 |",
    ]


@pytest.mark.parametrize(
    "codes",
    [[*[1] * 8, 0], [*[1] * 8, 33], [*[1] * 99, None]],
    ids=["survived", "no tests", "untried"],
)
def test_less_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: list[int | None]
) -> None:
    """Eight of nine, one that no test reaches, and one that was never tried."""
    assert judged(tmp_path, monkeypatch, mutants("a", *codes)) == 1


def test_without_mutants_there_is_nothing_to_praise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that made none is told, and fails."""
    assert judged(tmp_path, monkeypatch) == 1
    assert "run `make mutation`" in capsys.readouterr().err


def test_what_was_not_tried_is_a_column_of_its_own() -> None:
    """It is neither killed nor survived."""
    rows = survivors.table({"jumar/planner/a": Counter({"killed": 1, "not checked": 3})})
    assert rows.splitlines()[2] == "| planner/a | 4 | 1 | 0 | 3 | 25.0 |"
