"""Orders near the mark that wait to be reached: the price cannot be moved, so they are laid anew where it goes.

Promises an end: after `LAPS` laps without a trigger the question is given up.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from jumar.exchange.binance.probe.bench import SETTLED_S, Bench
from jumar.exchange.binance.probe.ear import ENDED
from jumar.exchange.binance.probe.saying import CannotTellError, Said
from jumar.exchange.binance.probe.sizes import NEAR

LAPS, LAP_S = 6, 15.0
PASSED_S = 1.0
IMMEDIATELY = -2021
"""The price went past the trigger before the order arrived."""

type Lay = Callable[[Decimal], Awaitable[list[Said]]]


async def fire(bench: Bench, lay: Lay) -> str:
    """Lay orders below the mark until the first of them fires; returns its id.

    Raises:
        CannotTellError: one was refused, or the price did not come.
    """
    for _ in range(LAPS):
        trigger = bench.sizes.below(await bench.mark(), NEAR)
        laid = await lay(trigger)
        if any(each.code == IMMEDIATELY for each in laid):
            await _withdraw(bench, laid)
            await bench.pause(PASSED_S)
            continue
        for each in laid:
            each.need("the order that should fire")
        first = laid[0].client_id
        if await _fires(bench, first, LAP_S):
            return first
        if not await _withdraw(bench, laid) and await _fires(bench, first, SETTLED_S):
            return first
    laps = f"{LAPS} times for up to {LAP_S:.0f} s"
    raise CannotTellError(f"the price did not move to a stop that was laid {laps}")


async def settle(bench: Bench, client_id: str) -> str:
    """Wait for the end of an order that fired; returns its last status.

    Raises:
        CannotTellError: it did not end.
    """
    if not await bench.until(lambda: bench.ear.status(client_id) in ENDED):
        raise CannotTellError(f"an order fired and did not end within {SETTLED_S:.0f} s")
    return bench.ear.status(client_id)


async def fire_stop(bench: Bench) -> str:
    """Buy the smallest size and have a stop fire on it; returns the stop's id once it has ended.

    Raises:
        CannotTellError: as `fire` and `settle`.
    """
    client_id = await fire_unsettled(bench)
    await settle(bench, client_id)
    return client_id


async def fire_unsettled(bench: Bench) -> str:
    """As `fire_stop`, but without waiting for the end."""
    await bench.go_long()

    async def lay(trigger: Decimal) -> list[Said]:
        return [await bench.any_stop(trigger)]

    return await fire(bench, lay)


async def _fires(bench: Bench, client_id: str, within_s: float) -> bool:
    return await bench.until(lambda: bench.fired(client_id), within_s)


async def _withdraw(bench: Bench, laid: list[Said]) -> bool:
    """Cancel what was laid; whether all of it could be."""
    answers = [await bench.cancel_conditional(each.client_id) for each in laid if each.yes]
    return all(answer.yes for answer in answers)
