"""What the requests that cancel everything do to conditional orders."""

from jumar.exchange.binance.probe.bench import Bench
from jumar.exchange.binance.probe.cleaning import strangers
from jumar.exchange.binance.probe.finding import Finding, decided
from jumar.exchange.binance.probe.saying import CannotTellError, Said
from jumar.exchange.binance.probe.sizes import FAR
from jumar.model.order import Side

COUNTDOWN_MS = 2000
WATCH_S = 3.0
"""How long a conditional order is watched after the regular one has gone."""


async def countdown(bench: Bench) -> Finding:
    """Let a countdown of two seconds run out over one order of each kind."""
    regular, waiting = await _both(bench)
    values: dict[str, str | int] = {"symbol": bench.symbol, "countdownTime": COUNTDOWN_MS}
    bench.counting = True
    (await bench.ask("POST", "/fapi/v1/countdownCancelAll", values)).need("countdownCancelAll")
    gone = await _taken_too(bench, regular, waiting)
    return decided("countdown_cancels_conditional", "yes" if gone else "no", "no")


async def cancel_all(bench: Bench) -> Finding:
    """Send allOpenOrders over one order of each kind."""
    regular, waiting = await _both(bench)
    if found := await strangers(bench):
        raise CannotTellError(f"somebody else has orders on {bench.symbol}: {', '.join(found)}")
    answer = await bench.ask("DELETE", "/fapi/v1/allOpenOrders", {"symbol": bench.symbol})
    answer.need("allOpenOrders")
    gone = await _taken_too(bench, regular, waiting)
    return decided("allopenorders_cancels_conditional", "yes" if gone else "no", "no")


async def _both(bench: Bench) -> tuple[str, str]:
    """One order of each kind, far from the market."""
    price = bench.sizes.below(await bench.mark(), FAR)
    regular: Said = (await bench.limit(Side.BUY, price)).need("a resting order")
    return regular.client_id, (await bench.far_stop()).client_id


async def _taken_too(bench: Bench, regular: str, waiting: str) -> bool:
    """Wait until the regular order has gone; whether the conditional one went with it."""
    if await bench.until(lambda: bench.ear.ended(regular)) is None:
        raise CannotTellError("the regular order was not cancelled either")
    bench.counting = False
    await bench.until(lambda: bench.ear.status(waiting) == "CANCELED", WATCH_S)
    return not await bench.waits(waiting, note=True)
