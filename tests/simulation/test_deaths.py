"""Lives that are ended: nothing of a dead one runs while the loop is open, whatever it left lying about.

Method: a life leaves every kind of thing that could still go off, each of which would leave a scar. It is killed, memory
is swept, everything that it waited for happens, another life begins; there must be no scar. That the things can leave
scars is seen where they live on, and at the loop's end.
"""

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from tests.simulation.loops import SEEDS, born, forever, virtual

from jumar.simulation.loop import Life, Stalled, VirtualLoop

MEMORY: ContextVar[str] = ContextVar("memory", default="empty")


@pytest.fixture(autouse=True, scope="module")
def small_sweeps() -> Iterator[None]:
    """What is in memory before these tests is left out of their sweeps, which are quick then."""
    gc.freeze()
    yield
    gc.unfreeze()


class Scars:
    """What a dead life did; and the futures of the world that it waits for."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.found: list[str] = []
        self.loop = loop
        self.future: asyncio.Future[str] = loop.create_future()
        self.event = asyncio.Event()
        self.thread: Future[str] = Future()

    def mark(self, *words: object) -> None:
        """Leave a scar."""
        self.found.append(" ".join(map(str, words)))

    def wake(self) -> None:
        """Everything that somebody may be waiting for happens."""
        if not self.future.done():
            self.future.set_result("done")
            self.thread.set_result("done")
        self.event.set()


class Finalised:
    """Leaves a scar when memory is swept."""

    def __init__(self, scars: Scars) -> None:
        self.scars = scars
        self.self = self  # a ring: only the sweep finds it

    def __del__(self) -> None:
        self.scars.mark("__del__")


async def _finally(scars: Scars) -> None:
    try:
        await forever()
    finally:
        scars.mark("finally")


async def _except(scars: Scars) -> None:
    try:
        await forever()
    except BaseException:
        scars.mark("except")
        raise


@asynccontextmanager
async def _entered(scars: Scars) -> AsyncIterator[None]:
    try:
        yield
    finally:
        scars.mark("context manager")


async def _async_with(scars: Scars) -> None:
    async with _entered(scars):
        await forever()


async def _generate(scars: Scars) -> AsyncIterator[int]:
    try:
        while True:
            yield 1
    finally:
        scars.mark("generator")


async def _async_for(scars: Scars) -> None:
    async for _ in _generate(scars):
        await forever()


async def _group(scars: Scars) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_finally(scars))
        group.create_task(_sleeper(scars))


async def _sleeper(scars: Scars) -> None:
    await asyncio.sleep(3)
    scars.mark("slept")


async def _spinner(scars: Scars) -> None:
    while True:
        await asyncio.sleep(0.5)
        if not scars.loop.time() < 2:
            scars.mark("spun")


async def _deadline(scars: Scars) -> None:
    try:
        async with asyncio.timeout(4):
            await forever()
    except TimeoutError:
        scars.mark("timeout")


async def _done_callback(scars: Scars) -> None:
    task = asyncio.ensure_future(forever())
    task.add_done_callback(lambda _: scars.mark("task's callback"))
    scars.future.add_done_callback(lambda _: scars.mark("future's callback"))
    await task


async def _future(scars: Scars) -> None:
    scars.mark("future", await scars.future)


async def _event(scars: Scars) -> None:
    await scars.event.wait()
    scars.mark("event")


async def _thread(scars: Scars) -> None:
    await asyncio.wrap_future(scars.thread)
    scars.mark("thread")


async def _gathered(scars: Scars) -> None:
    await asyncio.gather(asyncio.wait({scars.future}), asyncio.shield(scars.future))
    scars.mark("gather")


async def _callbacks(scars: Scars) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(2.5, scars.mark, "call_later")
    loop.call_at(3.5, scars.mark, "call_at")
    loop.call_later(1.5, loop.call_soon, scars.mark, "call_soon")
    await forever()


async def _weakly(scars: Scars) -> None:
    kept = Finalised(scars)
    weakref.finalize(kept, scars.mark, "weakref").atexit = False
    try:
        await forever()
    finally:
        del kept


async def _unheard(scars: Scars) -> None:
    """A task that is held by nobody but what it waits for."""
    asyncio.ensure_future(_finally(scars))  # noqa: RUF006 - that is the case
    await forever()


WAYS = (
    *(_finally, _except, _async_with, _async_for, _group, _sleeper, _spinner, _deadline),
    *(_done_callback, _future, _event, _thread, _gathered, _callbacks, _weakly, _unheard),
)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_dead_life_runs(way: Callable[[Scars], Coroutine[Any, Any, None]]) -> None:
    """No block, callback, timer, woken task or finaliser of a killed life runs while the loop is open."""
    for seed in range(5):
        with virtual(seed) as loop:
            scars = Scars(loop)
            life = born(loop, way(scars))
            loop.run(until_s=1)
            assert scars.found == []
            loop.kill(life)
            gc.collect()
            later = born(loop, _sleeper(Scars(loop)), 2)
            loop.call_for(later, 0.5, scars.wake)
            loop.run(until_s=20)
            gc.collect()
            assert scars.found == []
            assert loop.errors == []


@pytest.mark.parametrize("way", WAYS)
def test_what_lives_leaves_scars(way: Callable[[Scars], Coroutine[Any, Any, None]]) -> None:
    """Each of these ways does leave a scar when the life is not killed, or at the latest when the loop ends."""
    with virtual() as loop:
        scars = Scars(loop)
        born(loop, way(scars))
        loop.run(until_s=1)
        loop.call_for(loop.world, 0.5, scars.wake)
        loop.run(until_s=20)
    gc.collect()
    assert scars.found


def _siblings(seed: int) -> tuple[int, int]:
    """How many of four siblings ran when their life was killed in the moment in which they wake, and how many ever."""
    ran: list[float] = []
    at_death: list[int] = []
    with virtual(seed) as loop:

        async def sibling() -> None:
            await asyncio.sleep(1)
            ran.append(loop.time())

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(sibling())

        def kill() -> None:
            at_death.append(len(ran))
            loop.kill(life)

        life = born(loop, work())
        loop.call_at(1, kill)
        loop.run(until_s=9)
    return at_death[0], len(ran)


def test_a_kill_takes_what_was_ready() -> None:
    """Of tasks that wake in the moment of the kill those run that are drawn before it, and no other."""
    found = [_siblings(seed) for seed in range(60)]
    assert all(at_death == ever for at_death, ever in found)
    assert {ever for _, ever in found} == {0, 1, 2, 3, 4}


def _suicide(seed: int) -> list[str]:
    """The steps of a life that ends itself while a sibling waits."""
    steps: list[str] = []
    with virtual(seed) as loop:

        async def sibling() -> None:
            await asyncio.sleep(1.5)
            steps.append("sibling")

        async def work() -> None:
            task = asyncio.ensure_future(sibling())
            await asyncio.sleep(1)
            loop.kill(life)
            steps.append("to the next wait")
            await asyncio.sleep(0)
            steps.append("further")
            await task

        life = born(loop, work())
        loop.run(until_s=9)
    return steps


def test_a_life_that_kills_itself_comes_no_further() -> None:
    """The callback in which a life ends runs to its next wait; nothing after that, of it or of its siblings."""
    assert all(_suicide(seed) == ["to the next wait"] for seed in SEEDS)


def _killed_before(nth: int) -> tuple[int, int]:
    """How many steps a life had taken when it was killed before its nth callback, and how many it took at all."""
    steps: list[int] = []
    at_death: list[int] = []

    async def work() -> None:
        for number in range(10):
            steps.append(number)
            await asyncio.sleep(1)

    with virtual() as loop:
        life, left = born(loop, work()), [nth]

        def before(about_to_run: Life) -> bool:
            left[0] -= about_to_run is life
            if left[0] < 0 and life.alive:
                at_death.append(len(steps))
                loop.kill(life)
            return True

        loop.before_step = before
        loop.run(until_s=20)
    return at_death[0], len(steps)


def test_a_kill_before_a_step_stops_that_step() -> None:
    """Whoever ends a life when asked whether its callback runs has ended that callback too, whatever they answer."""
    found = [_killed_before(nth) for nth in range(15)]
    assert all(at_death == ever for at_death, ever in found)
    assert len(set(found)) > 5


def test_the_timers_of_the_dead_move_no_time() -> None:
    """Time does not go on to a moment for which only dead lives had something planned."""
    with virtual() as loop:
        life = born(loop, asyncio.sleep(5))
        loop.run(until_s=1)
        loop.kill(life)
        with pytest.raises(Stalled, match="nothing is scheduled"):
            loop.run_forever()
        assert loop.time() == 1


def test_other_lives_go_on() -> None:
    """A kill takes nothing from another life or from the world, not even what they wait for together."""
    ran: list[str] = []
    with virtual() as loop:
        shared: asyncio.Future[None] = loop.create_future()

        async def wait(name: str) -> None:
            await shared
            ran.append(name)

        first = born(loop, wait("first"), 1)
        born(loop, wait("second"), 2)
        loop.create_task(wait("world"))
        loop.run(until_s=1)
        loop.kill(first)
        loop.call_later(1, shared.set_result, None)
        loop.run(until_s=5)
    assert sorted(ran) == ["second", "world"]


def test_a_new_life_remembers_nothing() -> None:
    """A life begins with an empty context, also when another one, or the dead one's last callback, begins it."""
    seen: list[str] = []

    async def second() -> None:
        seen.append(MEMORY.get())

    with virtual() as loop:

        async def first() -> None:
            MEMORY.set("of the first life")
            loop.kill(life)
            born(loop, second(), 2)

        life = born(loop, first())
        loop.run(until_s=1)
    assert seen == ["empty"]


def test_an_answer_is_for_the_life_that_asked() -> None:
    """What is to happen in a life does not happen once that has ended, and never in the next one."""
    heard: list[str] = []
    with virtual() as loop:
        first = born(loop, forever(), 1)
        loop.call_for(first, 2, heard.append, "first")
        loop.call_for(first, 0.5, heard.append, "in time")
        loop.run(until_s=1)
        loop.kill(first)
        second = born(loop, forever(), 2)
        loop.call_for(first, 1, heard.append, "to the dead")
        loop.call_for(second, 3, heard.append, "second")
        loop.run(until_s=9)
    assert heard == ["in time", "second"]


def test_the_dead_are_told_of_once() -> None:
    """What the world does at a death happens at once, once, and before anything else runs."""
    told: list[float] = []
    with virtual() as loop:
        life = born(loop, forever())
        life.on_death(lambda: told.append(loop.time()))
        loop.run(until_s=3)
        loop.kill(life)
        assert told == [3]
        loop.kill(life)
        loop.run(until_s=5)
    assert told == [3]


def test_what_broke_in_a_dead_life_is_nobodys() -> None:
    """A task that broke in the moment of its life's death is no error of the run: nobody was there to hear it."""
    with virtual() as loop:

        async def work() -> None:
            await asyncio.sleep(1)
            loop.kill(life)
            raise ValueError("on its own ruins")

        life = born(loop, work())
        loop.run(until_s=5)
        gc.collect()
        assert loop.errors == []
    gc.collect()
    assert loop.errors == []


def test_the_end_of_a_loop_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hanging tasks do at the loop's end, it ends, and nobody hears of it afterwards."""
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    ended: list[str] = []

    async def stubborn() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            try:
                await forever()
            finally:
                await asyncio.sleep(1)
                ended.append("slept in its end")

    async def loud() -> None:
        try:
            await forever()
        finally:
            ended.append("loud")
            raise OSError("in its end")

    async def restless() -> None:
        try:
            await forever()
        finally:
            asyncio.get_running_loop().call_soon(ended.append, "never")
            asyncio.ensure_future(last())  # noqa: RUF006 - nobody is left to hold it
            ended.append("restless")

    async def last() -> None:
        try:
            await forever()
        finally:
            ended.append("last")

    with virtual() as loop:
        lives = [born(loop, work()) for work in (stubborn, loud, restless, last)]
        loop.create_task(restless())
        loop.run(until_s=1)
        loop.kill(lives[1])
    del lives
    gc.collect()
    assert sorted(ended) == ["last", "loud", "restless", "restless"]
    assert complaints == []
    assert loop.errors == []
