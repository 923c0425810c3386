"""An event loop in which time jumps, the order of ready callbacks is drawn, and processes die.

Promises: the same seed runs the same callbacks in the same order at the same virtual times; nothing of a killed life
ever runs again (no callback, no timer, no `finally`) while the loop is open; nothing here reads a clock or waits.

Whatever is scheduled belongs to a `Life`, that of the code that scheduled it (a context variable, so that a task keeps
its life wherever its wake-up comes from). Killing a life takes its callbacks away, those of other lives stay. Inside
one callback nothing can stop the code: whoever gives an effect a way into the world looks at `Life.alive` first.

Only what asyncio's tasks, futures and timeouts need is here; there are no sockets, threads, signals or subprocesses.
"""

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from random import Random  # noqa: TID251 - the simulation's dice, with the run's seed
from typing import Any

#: So many callbacks without time going on are a loop that never ends.
STEPS_AT_ONE_MOMENT_MAX = 200_000
_PRUNE_AT = 256
#: A coroutine that goes on waiting in its `finally` is ended so often before it is dropped as it is.
_CLOSE_TRIES = 20


class Stalled(RuntimeError):  # noqa: N818 - names the state
    """Nothing is scheduled any more, or time does not go on."""


class Life:
    """One run of one process of the simulation, from its start to its death.

    Attributes:
        name: the process.
        number: counts the process's lives from 1.
        alive: False from its death on; nothing it does may have an effect then.
    """

    __slots__ = ("_deaths", "_tasks", "alive", "name", "number")

    def __init__(self, name: str, number: int = 1) -> None:
        self.name = name
        self.number = number
        self.alive = True
        self._tasks: list[asyncio.Task[Any]] = []
        self._deaths: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        """Name and number."""
        return f"Life({self.name} {self.number}{'' if self.alive else ', dead'})"

    def on_death(self, callback: Callable[[], None]) -> None:
        """Have something done at the death by the world, as an operating system would; never by the dead code."""
        self._deaths.append(callback)

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Hold a task, so that garbage collection never runs its `finally` after a death."""
        tasks = self._tasks
        tasks.append(task)
        if len(tasks) % _PRUNE_AT == 0:
            self._tasks = [each for each in tasks if not each.done()]

    def die(self) -> None:
        """End; called by the loop."""
        self.alive = False
        for callback in self._deaths:
            callback()

    def unheard(self) -> list[dict[str, Any]]:
        """What tasks raised and nobody has asked for, as asyncio's exception handler is told it."""
        return [
            {"message": "a task's exception was never retrieved", "exception": task.exception()}
            for task in self._tasks
            if task.done() and task._log_traceback  # noqa: SLF001 - no public question
        ]

    def bury(self) -> None:
        """Let go of what still hangs; its `finally` blocks run now, when nobody looks any more."""
        while self._tasks:  # some begin others in their end
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                _close(task)


_LIFE: ContextVar[Life] = ContextVar("life")


class _Handle(asyncio.TimerHandle):
    """One callback of one life."""

    __slots__ = ("life",)

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: "VirtualLoop",
        context: Context,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.life = context.get(_LIFE, loop.world)


class _Task(asyncio.Task[Any]):
    """A task whose place in a set follows from the run, not from where in memory it lies.

    `TaskGroup` cancels what is in a set, `asyncio.wait` returns sets: their order would differ from run to run.
    """

    def __init__(self, coro: Coroutine[Any, Any, Any], number: int, **options: Any) -> None:
        self._number = number  # first: asyncio puts the task into a set of its own
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.AbstractEventLoop):
    """An event loop of its own kind; use `run` and `close`, or asyncio's `run_until_complete`.

    Attributes:
        world: the life of whatever belongs to no process: the exchange, the market, the faults; it never dies.
        steps: how many callbacks have run.
        before_step: asked with the life of each callback before it runs; says whether it runs, and may kill that life.
        errors: what callbacks raised, for whoever runs the loop; complete when it is closed.
    """

    def __init__(self, seed: int | str) -> None:
        self.world = Life("world")
        self.steps = 0
        self.before_step: Callable[[Life], bool] | None = None
        self.errors: list[dict[str, Any]] = []
        self._dice = Random(f"{seed}:loop").random  # noqa: S311 - an order, not a secret
        self._now_s = 0.0
        self._ready: list[_Handle] = []
        self._timers: list[tuple[float, int, _Handle]] = []
        self._numbers = 0
        self._lives: list[Life] = [self.world]
        self._running = self._stopping = self._closed = False
        self._debug = False

    # lives

    @property
    def life(self) -> Life:
        """Whose code runs now."""
        return _LIFE.get(self.world)

    def spawn(self, life: Life, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a life: `work` is its first task, in a context that holds nothing of who starts it."""
        context = Context()
        context.run(_LIFE.set, life)
        self._lives.append(life)
        return self.create_task(work, context=context)

    def kill(self, life: Life) -> None:
        """End a life at once: nothing of it runs any more, nothing of it is told."""
        if life.alive:
            life.die()

    def call_for[*Ts](
        self, life: Life, delay_s: float, callback: Callable[[*Ts], object], *args: *Ts
    ) -> None:
        """Have a callback run as part of a life after a delay; never, when that has ended by then."""
        context = Context()
        context.run(_LIFE.set, life)
        self.call_at(self._now_s + delay_s, callback, *args, context=context)

    # running

    def run(self, *, until_s: float) -> None:
        """Run everything up to a virtual time, what is due then included, and stand there.

        A run in two parts is the same run: where it is interrupted changes nothing.

        Raises:
            Stalled: time does not go on.
        """
        self._run(until_s)

    def run_forever(self) -> None:
        """Run until `stop`.

        Raises:
            Stalled: nothing is scheduled any more, or time does not go on.
        """
        self._run(math.inf)

    def _run(self, until_s: float) -> None:
        self._running, self._stopping = True, False
        try:
            with self._current():
                while not self._stopping and (self._ready or self._advance(until_s)):
                    self._run_moment()
        finally:
            self._running = False

    @contextmanager
    def _current(self) -> Iterator[None]:
        """Be the running loop of this thread for a while."""
        before = asyncio._get_running_loop()  # noqa: SLF001 - documented for event loops
        asyncio._set_running_loop(self)  # noqa: SLF001 - documented for event loops
        try:
            yield
        finally:
            asyncio._set_running_loop(before)  # noqa: SLF001 - documented for event loops

    def _run_moment(self) -> None:
        """Run everything that is ready at this moment, in a drawn order."""
        ready, dice = self._ready, self._dice
        last = self.steps + STEPS_AT_ONE_MOMENT_MAX
        while ready and not self._stopping:
            index = int(dice() * len(ready)) if len(ready) > 1 else 0
            ready[index], ready[-1] = ready[-1], ready[index]
            handle = ready.pop()
            if handle.cancelled() or not handle.life.alive:
                continue
            self.steps += 1
            if self.before_step is not None and not self._survives(handle.life, self.before_step):
                continue
            handle._run()  # noqa: SLF001 - asyncio's own way
            if self.steps > last:
                raise Stalled(f"{STEPS_AT_ONE_MOMENT_MAX} callbacks at {self._now_s:.3f} s")

    def _survives(self, life: Life, before_step: Callable[[Life], bool]) -> bool:
        """Whether a callback of a life runs, whatever is said when that life has just been ended."""
        return before_step(life) and life.alive

    def _advance(self, until_s: float) -> bool:
        """Go on to the next timer and make what is due then ready; when none is due by `until_s`, only go there."""
        timers = self._timers
        while timers and (timers[0][2].cancelled() or not timers[0][2].life.alive):
            heapq.heappop(timers)
        if not timers and until_s == math.inf:
            raise Stalled("nothing is scheduled any more")
        due = bool(timers) and timers[0][0] <= until_s
        self._now_s = max(self._now_s, timers[0][0] if due else until_s)
        while timers and timers[0][0] <= self._now_s:
            self._ready.append(heapq.heappop(timers)[2])
        return due

    def run_until_complete[T](self, future: Awaitable[T]) -> T:
        """Run until a future is done and return its result."""
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return task.result()

    def stop(self) -> None:
        """Return from `run` after the callback that is running."""
        self._stopping = True

    def close(self) -> None:
        """Forget everything; what hangs in tasks ends now, when no effect is possible any more."""
        if self._closed:
            return
        for life in self._lives:
            if life.alive:
                self.errors += life.unheard()
        self._closed = True
        for life in self._lives:
            self.kill(life)
        # Current, for what asks for a loop in its end would else make one of asyncio's own.
        with self._current():
            for life in reversed(self._lives):  # the world last: what is begun now is its own
                life.bury()
        self._lives.clear()
        self._ready.clear()
        self._timers.clear()

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._running

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    # scheduling, as asyncio asks for it

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now_s

    def call_soon[*Ts](
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run a callback at this moment."""
        context = copy_context() if context is None else context  # an empty one is false
        handle = _Handle(self._now_s, callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later[*Ts](
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback after a delay in virtual seconds."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at[*Ts](
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual time; at this moment, when that has come."""
        context = copy_context() if context is None else context
        handle = _Handle(when, callback, args, self, context)
        if when <= self._now_s:
            self._ready.append(handle)
            return handle
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are left out when their time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task[T](
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: Any,
    ) -> "asyncio.Task[T]":
        """Return a task, held by the life that it belongs to."""
        context = copy_context() if context is None else context
        self._numbers += 1
        task = _Task(coro, self._numbers, loop=self, name=name, context=context)  # type: ignore[arg-type]  # typeshed's generator
        context.get(_LIFE, self.world).keep(task)
        return task

    def run_in_executor[T, *Ts](
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        """Run a function at once: there are no threads in virtual time."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - a future carries whatever was raised
            future.set_exception(error)
        return future

    def get_debug(self) -> bool:
        """Never in debug mode."""
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        """Debug mode costs time and changes nothing here."""
        self._debug = enabled

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what a callback raised; that something was left undone at the end is no news."""
        if not self._closed:
            self.errors.append(context)

    async def shutdown_asyncgens(self) -> None:
        """There is nothing to shut down."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's signature
        """There is nothing to shut down."""


def _close(task: "asyncio.Task[Any]") -> None:
    """End a coroutine that will never be resumed."""
    coroutine = None if task.done() else task.get_coro()
    if coroutine is None:
        return
    for _ in range(_CLOSE_TRIES):
        try:
            coroutine.close()
        except RuntimeError:
            continue  # it awaits in its `finally`, which is ended as well
        except BaseException:  # noqa: BLE001 - what a `finally` raises when nothing answers any more says nothing
            return
        return
