"""closePosition orders: when they may be placed, when they go, and what may rest beside them."""

from jumar.exchange.binance.probe.bench import SETTLED_S, Bench
from jumar.exchange.binance.probe.finding import Finding, Verdict, decided, measured
from jumar.exchange.binance.probe.saying import CannotTellError, Json
from jumar.exchange.binance.probe.sizes import FAR
from jumar.model.order import OrderType, Side

EXPIRES_S = 60.0
BESIDE = -4130


async def expiry(bench: Bench) -> Finding:
    """Close the position under a closePosition stop and time the stop's end."""
    await bench.go_long()
    stop = await bench.closing_stop()
    closed = await bench.trade(Side.SELL, reduce_only=True)
    if not await bench.until(lambda: bench.ear.status(stop.client_id) == "EXPIRED", EXPIRES_S):
        if await bench.waits(stop.client_id, note=True):
            raise CannotTellError(f"the stop still waited {EXPIRES_S:.0f} s after flat")
        raise CannotTellError("the stop went without an EXPIRED event")
    event: Json = bench.ear.conditional(stop.client_id)[-1]
    return measured("closeposition_expiry_ms", max(event["T"] - closed["T"], 0))


async def reopening(bench: Bench) -> Finding:
    """Close and open again at once, and look whether the old closePosition stop is still there."""
    await bench.go_long()
    stop = await bench.closing_stop()
    await bench.trade(Side.SELL, reduce_only=True)
    await bench.go_long()
    gone = await bench.until(lambda: bench.ear.status(stop.client_id) == "EXPIRED", SETTLED_S)
    waits = await bench.waits(stop.client_id, note=True)
    if waits == gone:
        raise CannotTellError("the list of open orders and the stream disagree about the stop")
    return Finding(verdict=Verdict.FOUND, value="the old stop " + ("stays" if waits else "goes"))


async def lag(bench: Bench) -> Finding:
    """Place a closePosition stop right after the fill, again and again until it is taken."""
    trigger = bench.sizes.below(await bench.mark(), FAR)
    filled = await bench.go_long()
    answer, refusals = await bench.insist(trigger)
    taken = answer.need("a closePosition stop after the fill").body["createTime"] - filled["T"]
    why = f"taken {taken} ms after the fill, after {refusals} refusals"
    return measured("gte_lag_ms", taken if refusals else 0, why)


async def matrix(bench: Bench) -> Finding:
    """Try every pair of a closePosition stop and what might rest beside it."""
    trigger = bench.sizes.below(await bench.mark(), FAR)
    await bench.go_long()
    first = await bench.closing_stop()
    twin = await bench.stop(trigger - bench.sizes.tick, sizes=0)
    if twin.yes:
        (await bench.cancel_conditional(twin.client_id)).need("a cancel")
    target = bench.sizes.above(await bench.mark(), FAR)
    profit = await bench.stop(target, sizes=0, kind=OrderType.TAKE_PROFIT_MARKET)
    beside = await bench.any_stop(trigger)
    (await bench.cancel_conditional(first.client_id)).need("a cancel")
    if not beside.yes:
        (await bench.any_stop(trigger)).need("a quantity stop alone")
    reverse = await bench.stop(trigger, sizes=0)
    for answer in (beside, reverse):
        if answer.code != BESIDE:
            answer.need("a stop beside another")
    why = (
        f"beside a closePosition stop: a second one {twin.word}, a closePosition take profit {profit.word}, "
        f"a quantity stop {beside.word}; a closePosition stop beside a quantity stop {reverse.word}"
    )
    strict = BESIDE in (beside.code, reverse.code)
    reading = "quantity_stop_beside_closeposition"
    return decided(reading, "reject" if strict else "accept", "accept", why)
