"""Which conditions of the planner each rule hangs on, read from its sources.

A rule is named where its id stands as a constant, other than to be compared: where its cause, refusal or alarm is made.
What leads there is the rule's *branch*: the conditions of the statements and expressions around it, and those of the early
returns before it in the same function, whatever they return. Conditions of a rule that is named nowhere so, because it is a way
of computing, are listed by hand.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jumar.model.rules import RULES

PLANNER = Path(__file__).resolve().parents[2] / "src" / "jumar" / "planner"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Branch:
    """One condition of one rule.

    Attributes:
        rule: the rule that hangs on it.
        module: dotted name of the module.
        function: the function that holds it.
        begin, end: byte offsets of the condition in the module's source.
        text: the condition itself.
    """

    rule: str
    module: str
    function: str
    begin: int
    end: int
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.module.removeprefix('jumar.planner.')}.{self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A rule's branch that no cause points to: a fragment that its function holds exactly once as a condition."""

    rule: str
    module: str
    function: str
    text: str


class UnknownBranchError(Exception):
    """A branch listed by hand stands no longer where the list says; mend the list."""


def inverted(source: bytes, branch: Branch) -> bytes:
    """Return the module's source with the branch's condition turned into its opposite."""
    condition = source[branch.begin : branch.end]
    return source[: branch.begin] + b"(not (" + condition + b"))" + source[branch.end :]


def branches(folder: Path = PLANNER, by_hand: Sequence[ByHand] = ()) -> tuple[Branch, ...]:
    """Return the branches of every rule that the planner names, each once.

    Raises:
        UnknownBranchError: one of the list by hand is not found, or found more than once.
    """
    found: set[Branch] = set()
    wanted = list(by_hand)
    for path in sorted(folder.rglob("*.py")):
        module = _Module(path, folder)
        found.update(module.branches())
        for hand in [each for each in wanted if each.module == module.name]:
            found.add(module.by_hand(hand))
            wanted.remove(hand)
    if wanted:
        raise UnknownBranchError(f"{wanted[0].module} does not exist")
    return tuple(sorted(found))


class _Module:
    """One module of the planner, parsed."""

    def __init__(self, path: Path, folder: Path) -> None:
        parts = path.relative_to(folder).with_suffix("").parts
        names = parts[:-1] if parts[-1] == "__init__" else parts
        self.name = ".".join(("jumar", "planner", *names))
        self._lines = path.read_bytes().splitlines(keepends=True)
        self._tree = ast.parse(path.read_bytes())
        self._parents = {
            child: parent
            for parent in ast.walk(self._tree)
            for child in ast.iter_child_nodes(parent)
        }
        self._ids = {
            target.id: found
            for statement in self._tree.body
            if isinstance(statement, ast.Assign) and (found := _id_of(statement.value)) is not None
            for target in statement.targets
            if isinstance(target, ast.Name)
        }

    def branches(self) -> Iterator[Branch]:
        for node in ast.walk(self._tree):
            if (rule := self._rule_of(node)) is not None:
                for condition in self._conditions_above(node):
                    yield self._branch(rule, condition)

    def _rule_of(self, node: ast.AST) -> str | None:
        """The rule that a node names: by its id, or by a constant of the module that holds it."""
        named = self._ids.get(node.id) if isinstance(node, ast.Name) else _id_of(node)
        compared = any(isinstance(each, ast.Compare) for each in self._expressions_above(node))
        return None if compared else named

    def _expressions_above(self, node: ast.AST) -> Iterator[ast.AST]:
        while not isinstance(node, ast.stmt | ast.Module):
            node = self._parents[node]
            yield node

    def by_hand(self, hand: ByHand) -> Branch:
        found = [
            self._branch(hand.rule, node)
            for node in self._all_conditions()
            if ast.unparse(node) == hand.text and self._function_of(node) == hand.function
        ]
        if len(found) != 1:
            place = f"{hand.module}.{hand.function}"
            raise UnknownBranchError(f"{place} holds {len(found)} conditions `{hand.text}`")
        return found[0]

    def _all_conditions(self) -> set[ast.expr]:
        """Whatever may be turned round: tests, filters, comparisons, and the parts of "and" and "or"."""
        found: set[ast.expr] = set()
        for node in ast.walk(self._tree):
            match node:
                case ast.If() | ast.IfExp() | ast.While():
                    found.add(node.test)
                case ast.comprehension():
                    found.update(node.ifs)
                case ast.BoolOp():
                    found.update((node, *node.values))
                case ast.Compare():
                    found.add(node)
                case _:
                    pass
        return found

    def _conditions_above(self, node: ast.AST) -> Iterator[ast.expr]:
        """The conditions around a node up to its function, and of the early ends before it."""
        while not isinstance(node, ast.FunctionDef | ast.Module):
            parent = self._parents[node]
            match parent:
                case ast.If() | ast.IfExp() | ast.While() if node is not parent.test:
                    yield parent.test
                case ast.GeneratorExp() | ast.ListComp() if node is parent.elt:
                    for generator in parent.generators:
                        yield from generator.ifs
                case _:
                    pass
            if isinstance(node, ast.stmt):
                yield from _early_ends(parent, node)
            node = parent

    def _branch(self, rule: str, condition: ast.expr) -> Branch:
        begin = self._offset(condition.lineno, condition.col_offset)
        end = self._offset(condition.end_lineno or 0, condition.end_col_offset or 0)
        return Branch(
            rule=rule,
            module=self.name,
            function=self._function_of(condition),
            begin=begin,
            end=end,
            text=ast.unparse(condition),
        )

    def _offset(self, line: int, column: int) -> int:
        return sum(len(each) for each in self._lines[: line - 1]) + column

    def _function_of(self, node: ast.AST) -> str:
        while not isinstance(node, ast.FunctionDef | ast.Module):
            node = self._parents[node]
        return node.name if isinstance(node, ast.FunctionDef) else ""


def _id_of(node: ast.AST) -> str | None:
    """The rule whose id a constant is."""
    word = node.value if isinstance(node, ast.Constant) else None
    return word if isinstance(word, str) and word in RULES else None


def _early_ends(parent: ast.AST, before: ast.stmt) -> Iterator[ast.expr]:
    """Conditions of the early returns that stand before a statement in its block."""
    for block in (getattr(parent, name, None) for name in ("body", "orelse")):
        if not isinstance(block, list) or before not in block:
            continue
        for statement in block[: block.index(before)]:
            if isinstance(statement, ast.If) and _ends(statement.body):
                yield statement.test


def _ends(block: Sequence[ast.stmt]) -> bool:
    return isinstance(block[-1], ast.Return | ast.Continue | ast.Raise)
