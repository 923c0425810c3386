"""A copy of the engine's sources with one bug planted in it, and runs of the swarm on such a copy.

Promises that nothing outside the copy changes, that a patch which does not apply exactly as it stands is an error, and
that a run which did not use the copy is one too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCES = ROOT / "src"
_MEMORY = Path("/dev/shm")


class PatchError(Exception):
    """A patch does not apply: the lines that it changes are not what they were."""


class TrialError(Exception):
    """A run of the swarm ended without a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of some seeds.

    Attributes:
        seed: the first one whose run reported failures, None when all were clean.
        tried: how many were lived.
        cpu_s: processor time of all of them.
        failures: of that first one.
    """

    seed: int | None
    tried: int
    cpu_s: float
    failures: tuple[str, ...]


@contextmanager
def copied(patch: Path | None = None, sources: Path = SOURCES) -> Iterator[Path]:
    """A copy of the sources, in memory where there is such a place, with one patch applied; gone afterwards.

    Args:
        patch: with paths from the repository's root (`a/src/…`).
        sources: what is copied.

    Raises:
        PatchError: the patch does not apply.
    """
    place = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="jumar-planted-", dir=place) as folder:
        copy = Path(folder) / "src"
        shutil.copytree(sources, copy, ignore=shutil.ignore_patterns("__pycache__"))
        if patch is not None:
            _apply(patch, copy)
        yield copy


def _apply(patch: Path, copy: Path) -> None:
    # A repository around the folder would make git look for the files elsewhere.
    apart = {**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.parent.parent)}
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(patch)],
        cwd=copy.parent,
        env=apart,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PatchError(
            f"{patch.name} does not apply any more; plant the same mistake in the code as it is now:\n{done.stderr}"
        )


def tried(copy: Path, base: int, count: int, *, path: Path | None = None) -> Verdict:
    """Live the seeds `base`, `base + 1` … on a copy, in a process of its own, until one reports failures.

    Args:
        copy: the sources to use.
        base: the first seed.
        count: how many at most.
        path: where the process looks for the engine; by default the copy.

    Raises:
        TrialError: it ended without a verdict, or did not use the copy.
    """
    done = subprocess.run(
        [sys.executable, "-P", str(HERE / "trial.py"), str(copy), str(base), str(count)],
        cwd=copy.parent,
        env={**os.environ, "PYTHONPATH": str(path or copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise TrialError(f"seeds from {base}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    return Verdict(**{**said, "failures": tuple(said["failures"])})
