"""Turning conditions round: which belong to a rule, what the inversion looks like, and how it is planted.

Method: a made-up planner of one module in a folder of the test, and tables made up likewise.
"""

import os
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from tests.mutation import rules
from tests.mutation.branches import Branch, ByHand, UnknownBranchError, branches, inverted
from tests.mutation.planted import Trial, plant

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
OWN = "S-2"


class Broken(Exception):
    pass
"""
#: A function's body, and the conditions of S-1 in it.
BODIES = [
    ("if a:\n    return cause('S-1')", {"a"}),
    ("if a:\n    return None\nreturn cause(rule='S-1')", {"a"}),
    ("if a:\n    if b:\n        return cause('S-1')\nreturn None", {"a", "b"}),
    ("if a:\n    say('é')\nreturn cause('S-1')", set()),
    ("if a:\n    return 1\nelse:\n    return cause('S-1')", {"a"}),
    ("for x in a:\n    if b:\n        continue\n    cause('S-1')", {"b"}),
    ("if a:\n    raise Broken\ncause('S-1')", {"a"}),
    ("return [cause('S-1') for x in a if x > b]", {"x > b"}),
    ("return any(cause('S-1') for x in a if x if b)", {"x", "b"}),
    ("return cause('S-1' if a else 'S-3')", {"a"}),
    ("while a:\n    cause('S-1')", {"a"}),
    ("rule = 'S-1' if a else None\nreturn cause(rule)", {"a"}),
    ("if a:\n    return cause('S-3')\nif b:\n    return cause('S-1')", {"a", "b"}),
    ("if a:\n    return cause('S-1')\nif b:\n    return cause('S-3')", {"a"}),
    ("if a == 'S-1':\n    return b", set()),
    ("if a:\n    return b in {'S-1', 'S-3'}", set()),
    ("if a:\n    return cause('S-99')", set()),
]


def indented(text: str) -> str:
    """The body of a function."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def planner(folder: Path, body: str, name: str = "made.py") -> Path:
    """Write a planner of one module with one function."""
    (folder / name).write_text(f"{HEAD}\n\ndef told(a, b):\n{indented(body)}", encoding="utf-8")
    return folder


def found(folder: Path, rule: str = "S-1") -> set[str]:
    """The conditions of a rule."""
    return {branch.text for branch in branches(folder) if branch.rule == rule}


def by_hand(text: str, *, module: str = "made", function: str = "told") -> ByHand:
    """An entry of a list by hand."""
    return ByHand(rule="S-3", module=f"jumar.planner.{module}", function=function, text=text)


def branch(rule: str = "S-1", text: str = "a") -> Branch:
    """A branch of a made-up planner."""
    return Branch(
        rule=rule, module="jumar.planner.made", function="told", begin=0, end=1, text=text
    )


@pytest.mark.parametrize(("body", "conditions"), BODIES)
def test_what_leads_to_a_rule_is_its_branch(
    tmp_path: Path, body: str, conditions: set[str]
) -> None:
    """Conditions around the id and of the early ends before it are its own; what comes later, and comparisons, not."""
    assert found(planner(tmp_path, body)) == conditions


def test_a_constant_of_the_module_names_its_rule(tmp_path: Path) -> None:
    """A module that writes its rule once at the head is read like one that repeats it."""
    assert found(planner(tmp_path, "if a:\n    return cause(rule=OWN)"), "S-2") == {"a"}


def test_each_branch_knows_its_place(tmp_path: Path) -> None:
    """Module, function and the very bytes of the condition, behind letters of several bytes too."""
    planner(tmp_path, "x = 'é'; y = cause('S-1') if a and b else 'ü'")
    (only,) = branches(tmp_path)
    source = (tmp_path / "made.py").read_bytes()
    assert (only.module, only.function, only.place) == ("jumar.planner.made", "told", "made.told")
    assert source[only.begin : only.end] == b"a and b"
    assert b"cause('S-1') if (not (a and b)) else" in inverted(source, only)


def test_a_package_is_named_without_its_file(tmp_path: Path) -> None:
    """What a folder's own file holds belongs to the folder's name."""
    (tmp_path / "guards").mkdir()
    planner(tmp_path / "guards", "if a:\n    return cause('S-1')", "__init__.py")
    (only,) = branches(tmp_path)
    assert only.module == "jumar.planner.guards"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("if a:\n    return b", "a"),
        ("return 1 if a else b", "a"),
        ("return [x for x in a if x]", "x"),
        ("return a > b", "a > b"),
        ("return a and b", "a and b"),
        ("return a and b", "b"),
        ("while b:\n    pass", "b"),
    ],
)
def test_a_condition_can_be_listed_by_hand(tmp_path: Path, body: str, text: str) -> None:
    """Whatever is a condition is found by its words, once."""
    (only,) = branches(planner(tmp_path, body), [by_hand(text)])
    assert (only.rule, only.text) == ("S-3", text)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (by_hand("c"), "jumar.planner.made.told holds 0 conditions `c`"),
        (by_hand("a"), "jumar.planner.made.told holds 2 conditions `a`"),
        (by_hand("b", function="other"), "jumar.planner.made.other holds 0 conditions `b`"),
        (by_hand("b", module="gone"), "jumar.planner.gone does not exist"),
    ],
)
def test_a_list_that_fits_no_more_is_an_error(tmp_path: Path, entry: ByHand, says: str) -> None:
    """An entry must mean exactly one condition."""
    planner(tmp_path, "if a:\n    return b\nif a and b:\n    return 1")
    with pytest.raises(UnknownBranchError, match=f"^{says}$"):
        branches(tmp_path, [entry])


def test_what_is_planted_is_in_force_wherever_the_function_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that was imported before, and one inside a wrapper, are changed as well; what stands beside is not."""
    name = "made_up_planner_of_a_test"
    body = "if a:\n    return [x for x in (1, 2) if x > b]\nreturn 'S-1'"
    planner(tmp_path, body, f"{name}.py")
    beside = "\n\nfrom functools import cache\nkept = cache(told)\n\ndef other(a):\n    return a\n"
    with (tmp_path / f"{name}.py").open("a") as file:
        file.write(beside)
    monkeypatch.syspath_prepend(tmp_path)
    module = import_module(name)
    told, kept, other = module.told, module.kept, module.other
    assert (told(a=False, b=1), kept(a=True, b=1)) == ("S-1", [2])
    (only,) = branches(tmp_path)
    plant(replace(only, module=name))
    assert (told(a=True, b=1), kept(a=False, b=1)) == ("S-1", [2])
    assert other(a=True)
    with pytest.raises(LookupError, match="told: no function holds `7`"):
        plant(replace(only, module=name, begin=6, end=11, text="7"))
    del sys.modules[name]


def test_the_tables_must_fit_the_branches() -> None:
    """A due rule without a branch or a reason, a reason that is none, and an equivalent that is none are each named."""
    one = branch()
    key = rules.key(one)
    assert key == ("S-1", "made.told", "a")
    assert rules.complaints([one], ["S-1", "S-2"], {"S-2": "it adds up"}, {key: "why"}) == []
    (bare,) = rules.complaints([one], ["S-1", "S-2"], {}, {})
    assert bare.startswith("S-2 is due and names no condition")
    (needless,) = rules.complaints([one], ["S-1"], {"S-1": "it adds up"}, {})
    assert needless == "S-1 is said to hang on no condition and hangs on one"
    (stale,) = rules.complaints([one], ["S-1"], {}, {("S-1", "made.told", "b"): "why"})
    assert stale == "S-1: made.told: `b` is said to be without effect and does not exist"


def test_the_table_counts_by_rule() -> None:
    """How many branches of a rule there are, and how many inversions a test noticed."""
    trials = [
        Trial(branch=branch(), noticed="tests/x.py::test_y", why="", seconds=1.0),
        Trial(branch=branch(text="b"), noticed=None, why="all pass", seconds=1.0),
        Trial(branch=branch("R-1"), noticed="tests/x.py::test_y", why="", seconds=1.0),
    ]
    assert list(rules.table(trials))[2:] == ["| R-1 | 1 | 1 |", "| S-1 | 2 | 1 |"]


def test_every_due_rule_of_the_planner_has_a_branch_or_a_reason() -> None:
    """The lists by hand fit the planner as it is."""
    assert len(rules.found()) > len(rules.planned_rules())


@pytest.mark.parametrize(
    ("rule", "says"), [("P-9", "is made with its cause"), ("S-99", "it is none of the planner's")]
)
def test_a_rule_without_a_branch_cannot_be_asked_for(
    capsys: pytest.CaptureFixture[str], rule: str, says: str
) -> None:
    """Nothing is run; what is wrong is told, and the exit code says that nothing was judged."""
    assert rules.main([rule]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"{rule} hangs on no condition of the planner: ")
    assert says in told.err
    assert not told.out


#: What the session's options need; no other plugin.
PLUGINS = "xdist.plugin,pytest_timeout"
MADE = """\
def told(a, b):
    if a:
        return None
    if b or b:
        return "S-1"
    return "S-2" if b else None
"""
TESTS = """\
import pytest
from made_up import told

@pytest.mark.rule("S-1")
def test_first():
    assert told(False, True) == "S-1" and told(True, True) is None

@pytest.mark.rule("S-2")
def test_second():
    assert told(False, False) != "S-1"
"""
DRIVER = """\
import sys
from dataclasses import replace
from pathlib import Path

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
from tests.mutation.branches import branches
from tests.mutation.rules import tried_in

chosen = [replace(each, module="made_up") for each in branches(folder)]
try:
    for trial in sorted(tried_in([str(folder)], chosen, 2), key=lambda each: each.branch):
        branch = trial.branch
        print("tried", branch.rule, branch.text, (trial.noticed or trial.why).rpartition("::")[2])
except RuntimeError as error:
    print("broken", error)
"""


def tried(folder: Path, tests: str) -> list[str]:
    """What a session says of the made-up planner."""
    (folder / "made_up.py").write_text(MADE)
    (folder / "test_made_up.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": PLUGINS},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert not done.returncode, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("tried", "broken"))]


def test_a_session_tells_what_was_noticed_and_what_was_not(tmp_path: Path) -> None:
    """Only tests of the branch's rule are asked; one trial leaves nothing behind for the next."""
    assert tried(tmp_path, TESTS) == [
        "tried S-1 a test_first",
        "tried S-1 b or b test_first",
        "tried S-2 a all pass",
        "tried S-2 b or b test_second",
        "tried S-2 b all pass",
    ]


def test_a_session_without_a_test_of_the_rule_says_so(tmp_path: Path) -> None:
    """Nothing can be noticed then."""
    said = tried(tmp_path, TESTS.replace("S-2", "S-3"))
    assert said[2:] == [f"tried S-2 {each} no test names it" for each in ("a", "b or b", "b")]


def test_a_test_that_fails_by_itself_judges_nothing(tmp_path: Path) -> None:
    """It would notice everything."""
    (said,) = tried(tmp_path, TESTS.replace("is None", "is not None"))
    assert said.startswith("broken fails before anything is turned round: ")
    assert "test_made_up.py::test_first" in said
