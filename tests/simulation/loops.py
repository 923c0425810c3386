"""Loops and lives for tests of the instrument, and what remembers who ran."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from jumar.simulation.loop import Life, VirtualLoop

SEEDS = range(40)


@contextmanager
def virtual(seed: int | str = 1) -> Iterator[VirtualLoop]:
    """A loop that is closed at the end."""
    loop = VirtualLoop(seed)  # type: ignore[abstract]  # sockets, threads and signals do not exist here
    try:
        yield loop
    finally:
        loop.close()


def lived[T](work: Callable[[], Coroutine[Any, Any, T]], seed: int | str = 1) -> T:
    """What one coroutine comes to on a loop of its own."""
    with virtual(seed) as loop:
        return loop.run_until_complete(work())


def born(loop: VirtualLoop, work: Coroutine[Any, Any, Any], number: int = 1) -> Life:
    """A life that has begun with this work."""
    life = Life("engine", number)
    loop.spawn(life, work)
    return life


async def forever() -> None:
    """Wait for what never comes."""
    await asyncio.get_running_loop().create_future()
