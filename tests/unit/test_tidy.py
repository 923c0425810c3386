"""The repository checks its own style: what reviewers would otherwise have to remember.

Method: each check takes one parsed file and returns what is wrong with it, with the fix. Every check is shown a
planted fault first, so that a check that sees nothing is noticed.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
DOCSTRING_MIN = 20

type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file; `place` is its path from the root."""

    place: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text)

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        """Line and text of each comment."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def _read(*patterns: str) -> list[Source]:
    paths = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return [
        Source(place=str(path.relative_to(ROOT)), text=path.read_text(encoding="utf-8"))
        for path in paths
    ]


PRODUCT = _read("src/**/*.py")
TESTS = _read("tests/**/*.py")
DOCS = _read("docs/**/*.md", "docs/**/*.toml", "*.md", "Makefile", "pyproject.toml", ".ci/*")


def undocumented(source: Source) -> list[str]:
    """Modules, public classes and public functions without a docstring."""
    wrong = []
    if len(ast.get_docstring(source.tree) or "") < DOCSTRING_MIN:
        wrong.append("module: say in its docstring what it promises and what it does not know")
    for name, node in _public(source.tree.body, ""):
        if not ast.get_docstring(node):
            wrong.append(f"{name} (line {node.lineno}): give it a docstring")
    return wrong


def _public(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        if not isinstance(node, Definition.__value__) or node.name.startswith("_"):
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body, f"{prefix}{node.name}.")


def asserting(source: Source) -> list[str]:
    """`assert` in the product: `python -O` strips it."""
    nodes = ast.walk(source.tree)
    return [f"line {n.lineno}: raise instead" for n in nodes if isinstance(n, ast.Assert)]


def leftovers(source: Source) -> list[str]:
    """Marks of unfinished work."""
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    return [
        f"line {number}: finish it or take it out"
        for number, line in enumerate(source.text.splitlines(), 1)
        if marks.search(line)
    ]


def workplace(source: Source) -> list[str]:
    """Words that only make sense on the machine where this was written."""
    words = re.compile(r"/wo" + r"rk/|shared/do" + r"cs|\bBINA" + r"NCE \d")
    return [
        f"line {number}: name the public source instead"
        for number, line in enumerate(source.text.splitlines(), 1)
        if words.search(line)
    ]


def unreasoned(source: Source) -> list[str]:
    """Silenced checks without a code or a reason."""
    fine = re.compile(
        r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S.{4,}|# type: ignore\[[a-z-]+(, ?[a-z-]+)*\]  # \S.{4,}"
    )
    return [
        f"line {number}: write `{text}` with a code and a reason"
        for number, text in source.comments
        if re.match(r"# (noqa|type: ignore)", text) and not fine.match(text)
    ]


def too_long(source: Source) -> list[str]:
    """Files and functions past the limit; docstrings do not count for functions."""
    wrong = []
    lines = len(source.text.splitlines())
    if lines > FILE_LINES_MAX:
        wrong.append(f"{lines} lines, at most {FILE_LINES_MAX}: ask what it mixes")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = _size(node)
            if size > FUNCTION_LINES_MAX:
                wrong.append(f"{node.name}: {size} lines, at most {FUNCTION_LINES_MAX}")
    return wrong


def _size(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = node.body[0] if ast.get_docstring(node) else None
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    if docstring is None:
        return whole
    return whole - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def approving(source: Source) -> list[str]:
    """`Approved(` outside the planner's approval: the ticket to the socket is made in one place."""
    if source.place == "src/jumar/planner/approve.py":
        return []
    return [f"line {line}: only planner/approve.py approves" for line in _calls(source, "Approved")]


SENDING = ("place", "amend", "cancel", "cancel_by_venue_id", "set_leverage", "set_margin_mode")
VENUES = "src/jumar/exchange/"


def sending(source: Source) -> list[str]:
    """The port's writes outside the executor: orders leave from one place."""
    if source.place == "src/jumar/reconciler/execute.py" or source.place.startswith(VENUES):
        return []
    return [
        f"line {line}: only reconciler/execute.py sends"
        for name in SENDING
        for line in _calls(source, name, with_arguments=True)
    ]


def _calls(source: Source, name: str, *, with_arguments: bool = False) -> Iterator[int]:
    """Lines that call a name; a call without arguments (a task's `cancel()`) may be left out."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or (with_arguments and not (node.args or node.keywords)):
            continue
        called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        plain = isinstance(called, ast.Name) and called.id == name and not with_arguments
        if plain or (isinstance(called, ast.Attribute) and called.attr == name):
            yield node.lineno


type Check = Callable[[Source], list[str]]
OF_PRODUCT: tuple[Check, ...] = (undocumented, asserting, leftovers, workplace, unreasoned, too_long, approving, sending)  # fmt: skip
OF_TESTS: tuple[Check, ...] = (leftovers, workplace, unreasoned)
OF_DOCS: tuple[Check, ...] = (leftovers, workplace)


def _complaints(check: Check, sources: list[Source]) -> list[str]:
    return [f"{source.place}: {wrong}" for source in sources for wrong in check(source)]


@pytest.mark.parametrize("check", OF_PRODUCT, ids=lambda check: check.__name__)
def test_the_product_is_tidy(check: Check) -> None:
    """No file of the product breaks a rule of style."""
    complaints = _complaints(check, PRODUCT)
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("check", OF_TESTS, ids=lambda check: check.__name__)
def test_the_tests_are_tidy(check: Check) -> None:
    """Tests carry no leftovers and silence nothing without a reason."""
    sources = [source for source in TESTS if source.place != "tests/conftest.py"]
    complaints = _complaints(check, sources)
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("check", OF_DOCS, ids=lambda check: check.__name__)
def test_the_documents_are_tidy(check: Check) -> None:
    """Documents speak of the project only."""
    complaints = _complaints(check, DOCS)
    assert not complaints, "\n".join(complaints)


def test_every_test_says_what_it_shows() -> None:
    """Each test has a sentence that states the behaviour."""
    silent = [
        f"{source.place}: {node.name}"
        for source in TESTS
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)


PLANTED: tuple[tuple[Check, str], ...] = (
    (undocumented, '"""Long enough to say something."""\ndef public(): ...\n'),
    (undocumented, "x = 1\n"),
    (undocumented, '"""Long enough to say something."""\nclass A:\n    """A."""\n    def b(self): ...\n'),
    (asserting, "assert 1\n"),
    (leftovers, "# TO" + "DO later\n"),
    (workplace, "# see /wo" + "rk/x\n"),
    (workplace, "# see BINA" + "NCE 2.4\n"),
    (unreasoned, "x = 1  # no" + "qa\n"),
    (unreasoned, "x = 1  # no" + "qa: TID251\n"),
    (unreasoned, "x = 1  # type: ig" + "nore[misc]\n"),
    (too_long, "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
    (too_long, "x = 1\n" * (FILE_LINES_MAX + 1)),
    (approving, "Approved(command=1)\n"),
    (approving, "command.Approved[int](command=1)\n"),
    (sending, "exchange.place(request)\n"),
    (sending, "self._exchange.cancel(symbol, channel)\n"),
)  # fmt: skip


@pytest.mark.parametrize(("check", "text"), PLANTED)
def test_each_check_sees_a_planted_fault(check: Check, text: str) -> None:
    """A check that notices nothing would let everything pass."""
    assert check(Source(place="src/jumar/trial.py", text=text))


HONEST = '''"""Says what it promises and what it does not know."""

def public() -> None:
    """Stops a task."""
    task.cancel()
    x = clock()  # noqa: TID251 - the door itself
    y = wire()  # type: ignore[misc]  # the library has no types
'''


@pytest.mark.parametrize("check", OF_PRODUCT, ids=lambda check: check.__name__)
def test_no_check_complains_about_an_honest_file(check: Check) -> None:
    """What is as it should be passes."""
    assert check(Source(place="src/jumar/trial.py", text=HONEST)) == []
