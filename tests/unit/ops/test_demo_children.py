"""The demo's processes: none is left behind, and one that dies says why."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from jumar.model.errors import ConfigError
from jumar.ops.demo.children import Child, ChildDied, Children

SLEEPER = "import sys, threading\nprint('ready', flush=True)\nthreading.Event().wait()\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Make a module that a child can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(source: str) -> str:
        (tmp_path / "trial_child.py").write_text(source, encoding="utf-8")
        return "trial_child"

    return make


async def ended(child: Child) -> None:
    await child._process.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_process_is_missed_by_nobody(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """A kill that was meant is no complaint, and the next life speaks behind the first."""
    log = tmp_path / "log"
    name = module(SLEEPER)
    async with Children() as children:
        first = await children.start("engine", [name], {}, log)
        await said(log, "ready", 1)
        await children.kill(first)
        assert not alive(first.pid)
        children.check()
        await children.start("engine", [name], {}, log)
        await said(log, "ready", 2)
        children.check()


async def said(log: Path, word: str, times: int) -> None:
    """Wait until a log says something so often."""

    def heard() -> int:
        return log.read_text(encoding="utf-8").count(word)

    while heard() < times:  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(0)


async def test_a_process_whose_parent_is_gone_ends(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """The end of its standard input means that nobody is left who would end it."""
    log = tmp_path / "log"
    async with Children() as children:
        child = await children.start("engine", [module(SLEEPER)], {}, log)
        await said(log, "ready", 1)
        assert child._process.stdin is not None
        child._process.stdin.close()
        await ended(child)
        assert child._process.returncode == -signal.SIGTERM


async def test_an_error_leaves_no_process_behind(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """Whatever ends the block, the processes are gone after it."""
    seen: list[int] = []

    async def breaks() -> None:
        async with Children() as children:
            child = await children.start("sleeper", [module(SLEEPER)], {}, tmp_path / "log")
            seen.append(child.pid)
            assert alive(child.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await breaks()
    assert not alive(seen[0])


async def test_a_child_that_dies_is_reported_with_the_end_of_its_log(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """The message names the process, its status and its last words."""
    async with Children() as children:
        child = await children.start(
            "engine", [module("print('last words')\nraise SystemExit(7)\n")], {}, tmp_path / "log"
        )
        await ended(child)
        with pytest.raises(
            ChildDied, match=r"the engine ended early \(status 7\)[\s\S]*last words"
        ):
            children.check()


async def test_bad_input_of_a_child_is_bad_input_of_the_demo(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """A child that refuses its options speaks for the whole command."""
    source = "print('jumar: --from: no')\nraise SystemExit(2)\n"
    async with Children() as children:
        await ended(await children.start("exchange", [module(source)], {}, tmp_path / "log"))
        with pytest.raises(ConfigError, match=r"^--from: no$"):
            children.check()


async def test_a_child_that_fails_while_ending_is_reported(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    """An engine that could not prove its end must not look like one that could."""
    source = (
        "import signal, sys, threading\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "print('ready', flush=True)\nthreading.Event().wait()\n"
    )
    log = tmp_path / "log"
    async with Children() as children:
        child = await children.start("engine", [module(source)], {}, log)
        while "ready" not in log.read_text(encoding="utf-8"):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0)
        with pytest.raises(ChildDied, match="status 3"):
            await children.end(child)
