"""The seeded loop: what is ready runs in a drawn order, and time jumps and never goes back."""

import asyncio
import gc
import itertools
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context, ContextVar
from random import Random  # noqa: TID251 - the tests' own dice, with fixed seeds
from typing import Any

import pytest
from tests.simulation.loops import SEEDS, born, forever, lived, virtual

from jumar.simulation import loop as module
from jumar.simulation.loop import Life, Stalled, VirtualLoop

YEAR_S = 365 * 86_400.0
NAMES = "abcdefgh"
PLACE: ContextVar[str] = ContextVar("place", default="unset")


def _soon(seed: int, names: str = NAMES) -> str:
    """The order in which callbacks run that become ready together."""
    order: list[str] = []
    with virtual(seed) as loop:
        for name in names:
            loop.call_soon(order.append, name)
        loop.run(until_s=1)
    return "".join(order)


def _timed(seed: int, names: str = NAMES) -> str:
    """The order in which timers run that are due together."""
    order: list[str] = []
    with virtual(seed) as loop:
        for name in names:
            loop.call_at(1.0, order.append, name)
        loop.run(until_s=1)
    return "".join(order)


def _bustle(loop: VirtualLoop, log: list[tuple[float, int]], workers: int = 6) -> None:
    """Workers that wait, wake each other and start others, and log each step that they do."""
    events = [asyncio.Event() for _ in range(workers)]

    async def work(number: int) -> None:
        dice = Random(number)
        for _ in range(8):
            log.append((loop.time(), number))
            await asyncio.sleep(dice.choice((0, 0, 0.5, 1.0)))
            events[(number + 1) % workers].set()
            await events[number].wait()
            events[number].clear()

    for number in range(workers):
        loop.create_task(work(number))


def _log_of(seed: int, *, parts: int = 1) -> list[tuple[float, int]]:
    log: list[tuple[float, int]] = []
    with virtual(seed) as loop:
        _bustle(loop, log)
        for part in range(parts):
            loop.run(until_s=10 * (part + 1) / parts)
    return log


@pytest.mark.parametrize("order_of", [_soon, _timed])
def test_one_seed_is_one_order(order_of: Callable[[int], str]) -> None:
    """A seed gives the same order each time, and seeds differ from each other."""
    once = [order_of(seed) for seed in SEEDS]
    assert once == [order_of(seed) for seed in SEEDS]
    assert len(set(once)) > len(SEEDS) * 0.9


@pytest.mark.parametrize("order_of", [_soon, _timed])
def test_every_order_is_drawn(order_of: Callable[[int, str], str]) -> None:
    """Of three callbacks that are ready together each of the six orders comes about as often."""
    found = Counter(order_of(seed, "abc") for seed in range(600))
    assert set(found) == {"".join(order) for order in itertools.permutations("abc")}
    assert min(found.values()) > 60


def test_what_becomes_ready_may_overtake() -> None:
    """A callback may run before one that was ready earlier, and a timer due now before both."""
    first = set()
    for seed in SEEDS:
        order: list[str] = []
        with virtual(seed) as loop:
            loop.call_soon(order.append, "earlier")
            loop.call_later(0, order.append, "timer")
            loop.call_soon(order.append, "later")
            loop.run(until_s=0)
        first.add(order[0])
    assert first == {"earlier", "timer", "later"}


def test_whole_runs_follow_from_the_seed() -> None:
    """Tasks that wait for each other take the same steps at the same times; another seed takes others."""
    assert _log_of(3) == _log_of(3)
    assert len({tuple(_log_of(seed)) for seed in range(10)}) == 10


def test_an_interruption_changes_nothing() -> None:
    """A run in many parts is the run in one: to look at it does not move it."""
    assert _log_of(4, parts=1) == _log_of(4, parts=20) == _log_of(4, parts=7)


def test_a_run_ends_when_all_that_is_due_has_run() -> None:
    """What is due at the end of a run, and what that schedules at once, belongs to it; what comes later does not."""
    for seed in SEEDS:
        order: list[str] = []
        with virtual(seed) as loop:
            loop.call_at(5, loop.call_soon, order.append, "at the end")
            loop.call_at(5.001, order.append, "later")
            loop.run(until_s=5)
            assert order == ["at the end"]
            assert loop.time() == 5
            loop.run(until_s=6)
            assert order == ["at the end", "later"]


def test_a_run_that_was_stopped_leaves_no_end_behind() -> None:
    """A run that something ended early does not end the next one early."""
    with virtual() as loop:
        loop.call_at(1, loop.stop)
        loop.run(until_s=5)
        assert loop.time() == 1
        loop.run(until_s=9)
        assert loop.time() == 9


def test_time_jumps() -> None:
    """A year passes without waiting, and exactly."""

    async def wait() -> float:
        await asyncio.sleep(YEAR_S)
        return asyncio.get_running_loop().time()

    assert lived(wait) == YEAR_S


def test_time_never_goes_back() -> None:
    """Callbacks see times that never fall, though timers are set in no order and some in the past."""
    dice, seen = Random(7), list[float]()
    with virtual() as loop:

        def look(left: int) -> None:
            seen.append(loop.time())
            if left:
                loop.call_at(loop.time() + dice.uniform(-5, 5), look, left - 1)
                loop.call_later(dice.uniform(-1, 3), look, left - 1)

        for _ in range(5):
            loop.call_at(dice.uniform(0, 10), look, 6)
        loop.run(until_s=100)
    assert len(seen) == 5 * (2**7 - 1)
    assert seen == sorted(seen)


def test_a_cancelled_timer_moves_no_time() -> None:
    """A timer that was cancelled neither runs nor lets time go on to it."""
    with virtual() as loop:
        loop.call_later(5, pytest.fail).cancel()
        loop.call_soon(pytest.fail).cancel()
        with pytest.raises(Stalled, match="nothing is scheduled"):
            loop.run_forever()
        assert (loop.time(), loop.steps, loop.errors) == (0, 0, [])


def test_a_run_to_the_past_goes_nowhere() -> None:
    """A run up to a time that is over runs nothing that is not due, and time stands."""
    with virtual() as loop:
        loop.run(until_s=5)
        loop.call_later(1, pytest.fail)
        loop.run(until_s=3)
        assert loop.time() == 5


def test_a_run_gives_the_thread_back() -> None:
    """Whoever runs such a loop within a loop of asyncio's own finds their own one running afterwards."""

    async def main() -> tuple[object, object]:
        outer = asyncio.get_running_loop()
        inner = lived(_running)
        assert isinstance(inner, VirtualLoop)
        return outer, asyncio.get_running_loop()

    before, after = asyncio.run(main())
    assert before is after


async def _running() -> object:
    return asyncio.get_running_loop()


# as on a real loop: each program comes to the same on both


async def _timeouts() -> object:
    said: list[object] = []
    try:
        async with asyncio.timeout(0.001):
            await forever()
    except TimeoutError:
        said.append("over")
    async with asyncio.timeout(60) as calm:
        await asyncio.sleep(0)
    said.append(calm.expired())
    try:
        await asyncio.wait_for(forever(), 0.001)
    except TimeoutError:
        said.append("over")
    return said


async def _waits() -> object:
    never = asyncio.ensure_future(forever())
    soon = asyncio.ensure_future(asyncio.sleep(0.001, "soon"))
    done, pending = await asyncio.wait({never, soon}, return_when=asyncio.FIRST_COMPLETED)
    late_done, late_pending = await asyncio.wait({never}, timeout=0.001)
    never.cancel()
    await asyncio.wait({never})
    return (
        [task.result() for task in done],
        pending == late_pending == {never},
        late_done,
        never.cancelled(),
    )


async def _gathers() -> object:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("broken")

    found = await asyncio.gather(
        asyncio.sleep(0.002, "a"), asyncio.sleep(0, "b"), fail(), return_exceptions=True
    )
    try:
        await asyncio.gather(forever(), fail())
    except KeyError as error:
        return [str(each) for each in found], str(error)
    return None


async def _groups() -> object:
    ends: Counter[str] = Counter()

    async def sibling() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            ends["cancelled"] += 1
            raise

    async def fail() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("one of them")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(sibling())
            group.create_task(fail())
    except* ValueError as error:
        ends[str(error.exceptions[0])] += 1
    async with asyncio.TaskGroup() as group:
        calm = [group.create_task(asyncio.sleep(0, each)) for each in "ab"]
    return ends, [task.result() for task in calm]


async def _locks() -> object:
    lock, inside, seen = asyncio.Lock(), list[int](), set[int]()

    async def enter(number: int) -> None:
        async with lock:
            inside.append(number)
            seen.add(len(inside))
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(enter(number) for number in range(5)))
    return seen, inside, lock.locked()


async def _events() -> object:
    event, count = asyncio.Event(), Counter[str]()
    queue: asyncio.Queue[int] = asyncio.Queue(2)

    async def wait() -> None:
        await event.wait()
        count["woken"] += 1

    async def feed() -> None:
        for number in range(5):
            await queue.put(number)

    waiters = [asyncio.ensure_future(wait()) for _ in range(3)]
    feeding = asyncio.ensure_future(feed())
    fed = [await queue.get() for _ in range(5)]
    before = count["woken"]
    event.set()
    await asyncio.gather(feeding, *waiters)
    return before, count, fed


async def _threads() -> object:
    PLACE.set("outside")

    def work(number: int) -> tuple[int, str]:
        if number < 0:
            raise ValueError("negative")
        return number + 1, PLACE.get()

    found = await asyncio.to_thread(work, 1)
    loop = asyncio.get_running_loop()
    other = (await loop.run_in_executor(None, work, 2))[0]
    try:
        await asyncio.to_thread(work, -1)
    except ValueError as error:
        return found, other, str(error)
    return None


async def _wrapped() -> object:
    loop = asyncio.get_running_loop()
    good, bad = Future[str](), Future[str]()
    loop.call_later(0.001, good.set_result, "done elsewhere")
    loop.call_later(0.001, bad.set_exception, OSError("no disk"))
    found = await asyncio.wrap_future(good)
    try:
        await asyncio.wrap_future(bad)
    except OSError as error:
        return found, str(error), await asyncio.wrap_future(good)
    return None


async def _shields() -> object:
    inner = asyncio.ensure_future(asyncio.sleep(0.003, "kept"))
    outer = asyncio.ensure_future(_shielded(inner))
    await asyncio.sleep(0)
    outer.cancel("enough")
    said = await asyncio.gather(outer, return_exceptions=True)
    return [type(each) for each in said], await inner


async def _shielded(inner: asyncio.Future[str]) -> str:
    return await asyncio.shield(inner)


@pytest.mark.parametrize(
    "program",
    [_timeouts, _waits, _gathers, _groups, _locks, _events, _threads, _wrapped, _shields],
)
def test_asyncio_works_as_on_a_real_loop(program: Callable[[], Any]) -> None:
    """What asyncio offers comes to the same on this loop, in whatever order it draws, as on asyncio's own."""
    expected = asyncio.run(program())
    assert expected is not None
    for seed in SEEDS:
        assert lived(program, seed) == expected


def test_threads_are_inline() -> None:
    """Work for a thread is done when it is handed over: nothing runs beside the loop."""
    done: list[str] = []

    async def work() -> BaseException | None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, done.append, "at once")
        assert done == ["at once"]
        await future
        return loop.run_in_executor(None, _raise, "in a thread").exception()

    assert str(lived(work)) == "in a thread"


# a world that does not go on


def test_a_stalled_world_says_so() -> None:
    """Waiting for what nothing will bring raises instead of hanging."""
    with virtual() as loop, pytest.raises(Stalled, match="nothing is scheduled"):
        loop.run_until_complete(forever())


def _chain_of_callbacks(loop: VirtualLoop) -> None:
    loop.call_soon(_chain_of_callbacks, loop)


def _chain_of_timers(loop: VirtualLoop) -> None:
    loop.call_later(0, _chain_of_timers, loop)


def _chain_of_crumbs(loop: VirtualLoop) -> None:
    loop.call_later(1e-30, _chain_of_crumbs, loop)


def _task_that_never_waits(loop: VirtualLoop) -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    loop.create_task(spin())


@pytest.mark.parametrize(
    "begin", [_chain_of_callbacks, _chain_of_timers, _chain_of_crumbs, _task_that_never_waits]
)
def test_an_endless_moment_says_so(
    begin: Callable[[VirtualLoop], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that never lets time go on raises, whatever it is made of."""
    monkeypatch.setattr(module, "STEPS_AT_ONE_MOMENT_MAX", 1000)
    with virtual() as loop:
        loop.call_at(1.0, begin, loop)
        with pytest.raises(Stalled, match=r"1000 callbacks at 1\.000 s"):
            loop.run(until_s=5)


def test_many_steps_are_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is for one moment: any number of steps may be taken while time goes on."""
    monkeypatch.setattr(module, "STEPS_AT_ONE_MOMENT_MAX", 10)
    ticks: list[float] = []
    with virtual() as loop:

        def tick() -> None:
            ticks.append(loop.time())
            loop.call_later(0.01, tick)

        tick()
        loop.run(until_s=10)
    assert len(ticks) > 900


# what is kept, and what is told


def test_what_a_callback_raises_is_kept() -> None:
    """An error in a callback ends nothing and is told to whoever runs the loop."""
    done: list[str] = []
    with virtual() as loop:
        loop.call_soon(_raise, "in a callback")
        loop.call_later(1, done.append, "later")
        loop.run(until_s=2)
        assert [str(each["exception"]) for each in loop.errors] == ["in a callback"]
    assert done == ["later"]


def _raise(words: str) -> None:
    raise ValueError(words)


def test_a_task_that_broke_in_silence_is_told_of() -> None:
    """What a task raised and nobody asked for is among the errors when the loop is closed; what was heard is not."""

    async def fail(words: str) -> None:
        raise ValueError(words)

    async def main() -> None:
        heard = asyncio.ensure_future(fail("heard"))
        await asyncio.wait({heard})
        assert str(heard.exception()) == "heard"

    with virtual() as loop:
        silent = loop.create_task(fail("in silence"))
        loop.run_until_complete(main())
    assert [str(each["exception"]) for each in loop.errors] == ["in silence"]
    assert silent.done()


def test_an_empty_context_is_a_context() -> None:
    """What is scheduled with an empty context belongs to the world, not to the life that schedules it."""
    lives: list[str] = []
    with virtual() as loop:

        def before(life: Life) -> bool:
            lives.append(life.name)
            return True

        loop.before_step = before

        async def work() -> None:
            loop.call_soon(lambda: None, context=Context())
            loop.call_later(1, lambda: None, context=Context())
            loop.create_task(asyncio.sleep(0), context=Context())

        born(loop, work())
        loop.run(until_s=2)
    assert lives == ["engine", *["world"] * 4]


def _abort_order(seed: int) -> tuple[list[int], object]:
    """In which order the members of a group end that is given up; and what must stay where it is in memory."""
    order: list[int] = []

    async def member(number: int) -> None:
        try:
            await forever()
        finally:
            order.append(number)

    async def main() -> object:
        tasks: list[asyncio.Task[None]] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks += [group.create_task(member(number)) for number in range(12)]
                await asyncio.sleep(0.001)
                _raise("given up")
        except* ValueError:
            order.append(-1)
        return tasks

    return order, lived(main, seed)


def test_order_does_not_hang_on_memory() -> None:
    """A group that is given up cancels its members in the same order wherever they lie in memory."""
    kept = [_abort_order(5) for _ in range(6)]
    assert len({tuple(order) for order, _ in kept}) == 1
    assert len(kept[0][0]) == 13


def test_a_long_life_holds_only_what_it_does() -> None:
    """Tasks that are done are let go of, however many a life makes."""
    with virtual() as loop:

        async def work() -> None:
            for _ in range(5000):
                await loop.create_task(asyncio.sleep(0.001))

        life = born(loop, work())
        loop.run(until_s=10)
        assert len(life._tasks) < 600


def test_closed_loops_are_free() -> None:
    """Two hundred loops with lives that hung, died and ended leave nothing behind."""

    def one(seed: int) -> "weakref.ref[VirtualLoop]":
        with virtual(seed) as loop:
            _bustle(loop, [])
            loop.kill(born(loop, forever()))
            born(loop, forever(), 2)
            loop.run(until_s=5)
            return weakref.ref(loop)

    loops = [one(seed) for seed in range(200)]
    gc.collect()
    assert not any(loop() for loop in loops)


def test_a_name_says_who_lives() -> None:
    """A life tells its name, its number and whether it has ended."""
    life = Life("engine", 2)
    assert repr(life) == "Life(engine 2)"
    life.die()
    assert repr(life) == "Life(engine 2, dead)"
