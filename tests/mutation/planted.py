"""A pytest plugin that runs the tests of one rule against a planner with one condition turned round.

Loaded with `-p tests.mutation.planted` and told by the environment what to do: `JUMAR_MUTANT` holds a `Branch` as JSON.
Without it nothing is changed and only the tests of `JUMAR_RULE` are kept.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType

import pytest
from tests.mutation.branches import Branch, inverted


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from its changed source; never from a compiled file."""

    def __init__(self, name: str, path: str, branch: Branch) -> None:
        super().__init__(name, path)
        self._branch = branch

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # any code object will do
        path = self.get_filename(fullname)
        return compile(inverted(self.get_data(path), self._branch), path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the one module before everybody else does."""

    def __init__(self, branch: Branch) -> None:
        self._branch = branch

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._branch.module:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            raise ImportError(f"{fullname} has no source")
        loader = _Loader(fullname, found.origin, self._branch)
        return importlib.util.spec_from_file_location(
            fullname,
            found.origin,
            loader=loader,
            submodule_search_locations=found.submodule_search_locations,
        )


def _plant() -> None:
    told = os.environ.get("JUMAR_MUTANT")
    if told is None:
        return
    branch = Branch(**json.loads(told))
    if branch.module in sys.modules:
        raise RuntimeError(f"{branch.module} was imported before it could be changed")
    sys.meta_path.insert(0, _Finder(branch))


_plant()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that name the rule."""
    rule = os.environ["JUMAR_RULE"]
    kept = [item for item in items if any(rule in mark.args for mark in item.iter_markers("rule"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
