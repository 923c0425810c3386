"""Reduce-only orders that rest: without a position, in one-way mode at all, and together beyond the position."""

from jumar.exchange.binance.probe.bench import FLAG_REFUSED, NO_POSITION, Bench
from jumar.exchange.binance.probe.finding import Finding, Verdict, decided
from jumar.exchange.binance.probe.saying import CannotTellError
from jumar.exchange.binance.probe.sizes import FAR
from jumar.model.order import Side

RESTS_S = 70.0
"""A stop on the demo exchange was once reported to go by itself after 53 s."""

FULL = (-2022, -4118)
"""The codes for a reduce-only order for which the position has no room."""

NOT_FLAT = (*FULL, FLAG_REFUSED, NO_POSITION, -2026)
"""The codes that may mean: not without a position."""

KNOCKED_S = 3.0
MAY_FILL = 25
"""The most orders that are placed to reach a limit of orders."""


async def flag(bench: Bench) -> Finding:
    """Place a reduce-only stop over a position."""
    await bench.go_long()
    answer = await bench.stop(bench.sizes.below(await bench.mark(), FAR))
    if answer.code != FLAG_REFUSED:
        answer.need("a reduce-only stop over a position")
    return decided("algo_reduce_only", "accept" if answer.yes else str(FLAG_REFUSED), "accept")


async def without_position(bench: Bench) -> Finding:
    """Place a reduce-only stop while flat and see whether it stays."""
    answer = await bench.stop(bench.sizes.below(await bench.mark(), FAR))
    if answer.code in NOT_FLAT:
        return Finding(verdict=Verdict.REFUTED, value=f"refused with {answer.code}")
    answer.need("a reduce-only stop while flat")
    gone = await bench.until(lambda: bench.ear.status(answer.client_id) not in ("", "NEW"), RESTS_S)
    if bench.fired(answer.client_id):
        raise CannotTellError("the price came to the stop while it was watched")
    if gone or not await bench.waits(answer.client_id, note=True):
        status = bench.ear.status(answer.client_id)
        return Finding(verdict=Verdict.REFUTED, value="taken, then removed", why=f"status {status}")
    value = f"it rests for {RESTS_S:.0f} s at least"
    return Finding(verdict=Verdict.CONFIRMED, value=value)


async def capacity(bench: Bench) -> Finding:
    """Rest a full-size stop and a closePosition stop, then a reduce-only limit order of full size."""
    await bench.go_long()
    await bench.far_stop()
    beside = await bench.stop(bench.sizes.below(await bench.mark(), 2 * FAR), sizes=0)
    answer = await bench.limit(
        Side.SELL, bench.sizes.above(await bench.mark(), FAR), reduce_only=True
    )
    why = f"beside a full-size stop and a closePosition stop ({beside.word})"
    if answer.yes:
        return Finding(verdict=Verdict.CONFIRMED, value="a full-size target rests", why=why)
    if answer.code not in FULL:
        answer.need("a reduce-only limit order")
    return Finding(verdict=Verdict.REFUTED, value=f"refused with {answer.code}", why=why)


async def total(bench: Bench) -> Finding:
    """Rest a reduce-only limit order of full size, then a second one at a better price."""
    await bench.go_long()
    mark = await bench.mark()
    first = await bench.limit(Side.SELL, bench.sizes.above(mark, FAR), reduce_only=True)
    first.need("a reduce-only limit order")
    second = await bench.limit(Side.SELL, bench.sizes.above(mark, FAR / 2), reduce_only=True)
    if second.code in FULL:
        return decided("reduce_only_total", "reject", "knock_out", f"the second is {second.code}")
    second.need("a second reduce-only limit order")
    ended = await bench.until(lambda: bench.ear.ended(first.client_id), KNOCKED_S)
    if ended is None:
        return decided("reduce_only_total", "rest", "knock_out", "both rest")
    why = f"the first is {ended['o']['X']} with er {ended['o'].get('er')}"
    return decided("reduce_only_total", "knock_out", "knock_out", why)


async def position_row(bench: Bench) -> Finding:
    """Read the positions while flat, then once more with a conditional order waiting."""
    path = "/fapi/v3/positionRisk"
    if await bench.get(path, note=True, symbol=bench.symbol):
        raise CannotTellError("this host has a row for a symbol on which there is nothing")
    await bench.far_stop()
    rows = await bench.get(path, note=True, symbol=bench.symbol)
    return decided("conditional_position_row", "yes" if rows else "no", "no")


async def order_limit(bench: Bench) -> Finding:
    """Rest a conditional order and as many regular ones as the symbol takes, if those are few."""
    limit = bench.sizes.orders_max
    if limit is None or limit > MAY_FILL:
        known = "no limit is listed" if limit is None else f"the limit is {limit} orders"
        raise CannotTellError(f"{known}: a probe places no more than {MAY_FILL}")
    await bench.far_stop()
    price = bench.sizes.below(await bench.mark(), FAR)
    taken = 0
    while taken < limit and (await bench.limit(Side.BUY, price)).yes:
        taken += 1
    counts = "no" if taken == limit else "yes"
    why = f"{taken} of {limit} regular orders were taken beside one conditional order"
    return decided("conditional_counts_as_order", counts, "no", why)
