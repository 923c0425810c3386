"""What a conditional order does when the price has come: its child, the order of events, its size, its protection."""

from decimal import Decimal

from jumar.exchange.binance.probe.baits import fire, fire_stop, fire_unsettled, settle
from jumar.exchange.binance.probe.bench import Bench
from jumar.exchange.binance.probe.finding import Finding, Verdict, decided, measured
from jumar.exchange.binance.probe.saying import CannotTellError, Json, Said
from jumar.exchange.binance.probe.sizes import NEAR
from jumar.model.units import ZERO, text

TRIALS = 3
"""So often two stops are fired at once: one trial proves little of a race."""

APART_S = 60.0
LOOKS = 3
"""In so many looks in a row a protected order must be seen to wait."""


async def child_id(bench: Bench) -> Finding:
    """Have a stop fire and look whose client id its order carries."""
    client_id = await fire_stop(bench)
    child = await _child(bench, client_id)
    carried = str(child["o"]["c"])
    values = {"symbol": bench.symbol, "origClientOrderId": client_id}
    asked = await bench.ask("GET", "/fapi/v1/order", values, note=True)
    found = "found" if asked.yes else asked.word
    why = f"the child is {carried!r}; asked for by the stop's id: {found}"
    return decided("child_client_id", "same" if carried == client_id else "own", "same", why)


async def event_order(bench: Bench) -> Finding:
    """Have a stop fire and look which came first: the news of it, or the fill."""
    client_id = await fire_stop(bench)
    await _child(bench, client_id)
    ear = bench.ear
    news = next((e for e in ear.conditional(client_id) if e["o"]["X"] == "TRIGGERED"), None)
    fill = next((e for e in ear.child(client_id) if e["o"]["x"] == "TRADE"), None)
    if news is None or fill is None:
        missing = "TRIGGERED" if news is None else "the fill"
        raise CannotTellError(f"{missing} was not heard of")
    first = "algo_first" if ear.place_of(news) < ear.place_of(fill) else "trade_first"
    return decided("event_order", first, "algo_first")


async def triggering(bench: Bench) -> Finding:
    """Have a stop fire and time the way from TRIGGERING to TRIGGERED; try to cancel it meanwhile."""
    client_id = await fire_unsettled(bench)
    cancel = await bench.cancel_conditional(client_id)
    await settle(bench, client_id)
    times = {e["o"]["X"]: e["T"] for e in reversed(bench.ear.conditional(client_id))}
    if "TRIGGERING" not in times or "TRIGGERED" not in times:
        raise CannotTellError(f"heard only of {', '.join(reversed(times))}")
    why = f"a cancel after it fired: {cancel.word}"
    return measured("triggering_ms", times["TRIGGERED"] - times["TRIGGERING"], why)


async def oversize(bench: Bench) -> Finding:
    """Have a reduce-only stop of twice the position fire."""
    await bench.go_long()

    async def lay(trigger: Decimal) -> list[Said]:
        return [await bench.stop(trigger, sizes=2)]

    client_id = await fire(bench, lay)
    status = await settle(bench, client_id)
    held = await bench.position(note=True)
    if held < ZERO:
        verdict, value = Verdict.REFUTED, f"it turned the position to {text(held)}"
        return Finding(verdict=verdict, value=value)
    if status == "REJECTED":
        reason = bench.ear.conditional(client_id)[-1]["o"].get("rm", "")
        return decided("oversize_stop", "reject", "trim", f"reason {reason!r}")
    if status == "FINISHED" and not held:
        return decided("oversize_stop", "trim", "trim")
    raise CannotTellError(f"the stop ended {status} and {text(held)} is held")


async def reversal(bench: Bench) -> Finding:
    """Have a quantity stop and a closePosition stop fire at one price, several times."""
    why = f"{TRIALS} trials; what did not happen in them may still happen in another"
    for number in range(1, TRIALS + 1):
        if not await _turned(bench):
            continue
        why = f"in trial {number} of {TRIALS}"
        return decided("closeposition_may_reverse", "yes", "no", why)
    return decided("closeposition_may_reverse", "no", "no", why)


async def protection(bench: Bench) -> Finding:
    """Rest a price-protected stop near the mark and see what it does if mark and last are far apart then."""
    if not bench.sizes.protect:
        raise CannotTellError("the symbol has no triggerProtect")
    await bench.go_long()
    trigger = bench.sizes.below(await bench.mark(), NEAR)
    laid = (await bench.any_stop(trigger, changed={"priceProtect": "true"})).need(
        "a protected stop"
    )
    clock, looks, apart = bench.lines.clock, 0, False
    began = clock.monotonic()
    while clock.monotonic() - began < APART_S and looks < LOOKS:
        mark, last = await bench.mark(), await bench.last()
        far = abs(mark - last) > bench.sizes.protect * mark
        apart = apart or far
        status = bench.ear.status(laid.client_id)
        if status == "EXPIRED" and apart:
            return decided("priceprotect", "expire", "wait", f"mark {mark}, last {last}")
        if status not in ("", "NEW"):
            break
        looks = looks + 1 if far and mark <= trigger else 0
        await bench.pause(1.0)
    if looks == LOOKS and await bench.waits(laid.client_id, note=True):
        return decided("priceprotect", "wait", "wait", "it waits while mark and last are far apart")
    limit = f"{text(bench.sizes.protect * 100)} %"
    raise CannotTellError(f"mark and last were never more than {limit} apart at the trigger")


async def _child(bench: Bench, client_id: str) -> Json:
    """The last event of the order that a fired stop became."""

    def filled() -> Json | None:
        heard = bench.ear.child(client_id)
        return heard[-1] if heard and heard[-1]["o"]["X"] == "FILLED" else None

    event = await bench.until(filled)
    if event is None:
        status = bench.ear.status(client_id)
        raise CannotTellError(f"the stop ended {status} and no fill of its order was heard of")
    return event


async def _turned(bench: Bench) -> bool:
    """One trial; whether the position was turned."""
    await bench.go_long()

    async def lay(trigger: Decimal) -> list[Said]:
        quantity = await bench.stop(trigger)
        return [quantity, (await bench.insist(trigger))[0]] if quantity.yes else [quantity]

    client_id = await fire(bench, lay)
    await settle(bench, client_id)
    other = bench.placed[-1]
    await settle(bench, other)
    held = await bench.position(note=True)
    if held > ZERO:
        raise CannotTellError(f"two stops fired and {text(held)} is still held")
    return held < ZERO
