"""May a client id be used again, and do both kinds of orders share their ids?"""

from jumar.exchange.binance.probe.baits import fire_stop
from jumar.exchange.binance.probe.bench import Bench
from jumar.exchange.binance.probe.finding import Finding, both, decided
from jumar.exchange.binance.probe.saying import CannotTellError, Said
from jumar.exchange.binance.probe.sizes import FAR
from jumar.model.order import Side

DUPLICATE = -4116


async def regular(bench: Bench) -> Finding:
    """Use an id again while its order is open, after its cancel, and after its execution."""
    price = bench.sizes.below(await bench.mark(), FAR)
    client_id = (await bench.limit(Side.BUY, price)).need("a resting order").client_id
    is_open = await bench.limit(Side.BUY, price, client_id=client_id)
    (await bench.cancel(client_id)).need("a cancel")
    cancelled = await bench.limit(Side.BUY, price, client_id=client_id)
    told = await _told(bench, client_id, cancelled)
    executed_id = bench.new_id()
    await bench.trade(Side.BUY, client_id=executed_id)
    executed = await bench.market(Side.BUY, client_id=executed_id)
    why = f"open: {is_open.word}, cancelled: {cancelled.word}, executed: {executed.word}"
    return both(decided("dup_id_after_fill", _taken(executed), "accept", why), told)


async def _told(bench: Bench, client_id: str, second: Said) -> Finding | None:
    """Which of two orders of one id a query tells; None when there was no second one."""
    if not second.yes:
        return None
    row = await bench.get(
        "/fapi/v1/order", note=True, symbol=bench.symbol, origClientOrderId=client_id
    )
    newest = row["orderId"] == second.body["orderId"]
    return decided("reused_id_query", "newest" if newest else "oldest", "newest")


async def conditional(bench: Bench) -> Finding:
    """Use a conditional order's id again while it waits, after its cancel, and after its execution."""
    trigger = bench.sizes.below(await bench.mark(), FAR)
    client_id = (await bench.any_stop(trigger)).need("a conditional order").client_id
    waiting = await _again(bench, client_id)
    (await bench.cancel_conditional(client_id)).need("a cancel")
    cancelled = await _again(bench, client_id)
    await bench.cancel_conditional(client_id)
    why = f"cancelled: {cancelled.word}, executed: {await _executed(bench)}"
    if waiting.yes:
        raise CannotTellError(f"a second order with the id of a waiting one was accepted; {why}")
    return decided("dup_algo_id", str(waiting.code), str(DUPLICATE), why)


async def namespace(bench: Bench) -> Finding:
    """Give a conditional order the id of an open regular one."""
    price = bench.sizes.below(await bench.mark(), FAR)
    client_id = (await bench.limit(Side.BUY, price)).need("a resting order").client_id
    answer = await _again(bench, client_id)
    if not answer.yes and answer.code != DUPLICATE:
        answer.need("a conditional order with an open order's id")
    return decided("id_namespace", "separate" if answer.yes else "shared", "separate")


async def _again(bench: Bench, client_id: str) -> Said:
    trigger = bench.sizes.below(await bench.mark(), FAR)
    return await bench.any_stop(trigger, client_id=client_id)


async def _executed(bench: Bench) -> str:
    """What becomes of the id of an order that executed; the words say why when none did."""
    try:
        client_id = await fire_stop(bench)
    except CannotTellError as error:
        return f"not asked, {error}"
    return (await _again(bench, client_id)).word


def _taken(answer: Said) -> str:
    if not answer.yes and answer.code != DUPLICATE:
        answer.need("an order with an executed order's id")
    return "accept" if answer.yes else "reject"
