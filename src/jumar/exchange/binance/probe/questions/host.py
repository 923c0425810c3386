"""What the host itself does: fields of an answer, stream addresses, the receive window, the counters of the limiter."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from decimal import Decimal

from jumar.exchange.binance.lanes import Lane
from jumar.exchange.binance.probe.bench import ANSWER_MS, Bench
from jumar.exchange.binance.probe.finding import Finding, Verdict, decided
from jumar.exchange.binance.probe.saying import CannotTellError, Said, said
from jumar.exchange.binance.probe.sizes import FAR
from jumar.exchange.binance.probe.slow import send_late
from jumar.exchange.binance.probe.tap import tapped
from jumar.model.order import OrderRequest, OrderType, Side, TimeInForce, WorkingType

TRIES = 3
ENGINE = -5028
"""The code for a request that is too late where orders are matched."""

CALLS, CALL_WEIGHT = 6, 5
ORDERS, CONDITIONALS, ACCOUNT = "ORDER_TRADE_UPDATE", "ALGO_UPDATE", "ACCOUNT_UPDATE"
QUIET_S = 5.0


async def average_price(bench: Bench) -> Finding:
    """Buy at market with the answer RESULT and look for its average price."""
    answer = (await bench.market(Side.BUY)).need("a market order")
    there = "yes" if "avgPrice" in answer.body else "no"
    return decided("result_avg_price", there, "no", f"status {answer.body.get('status')}")


async def streams(bench: Bench) -> Finding:
    """Open the user stream by every known address at once and see which of them hear what."""
    key, base = await bench.lines.listen_key(), bench.lines.endpoints.stream_url.rstrip("/")
    targets = {
        "/private/ws?listenKey=": f"{base}/private/ws?listenKey={key}",
        "the same once more": f"{base}/private/ws?listenKey={key}",
        "/private/ws?listenKey=&events=": f"{base}/private/ws?listenKey={key}&events={ORDERS}",
        "/private/ws/KEY": f"{base}/private/ws/{key}",
        "/private/stream?listenKey=": f"{base}/private/stream?listenKey={key}",
        "/ws/KEY": f"{base}/ws/{key}",
    }
    async with AsyncExitStack() as stack:
        taps = {
            name: await stack.enter_async_context(tapped(bench.lines.session, url))
            for name, url in targets.items()
        }
        heard = await _provoke(bench, taps)
    bench.note("the events that each address heard", {}, 0, heard)
    whole = [ORDERS, CONDITIONALS, ACCOUNT]
    first, again, narrowed = list(heard.values())[:3]
    value = "; ".join(f"{name} {' '.join(found) or 'nothing'}" for name, found in heard.items())
    if narrowed != [ORDERS] or first != again or first not in ([], whole):
        return Finding(verdict=Verdict.REFUTED, value=value)
    return decided("user_events_default", "all" if first else "none", "all", value)


async def window(bench: Bench) -> Finding:
    """Send orders so slowly that they begin inside their receive window and end outside."""
    price = bench.sizes.below(await bench.mark(), FAR)
    regular = [await send_late(bench, _resting(bench, price)) for _ in range(TRIES)]
    told = f"regular orders: {_words(regular)}"
    if not any(answer.code == ENGINE for answer in regular):
        raise CannotTellError(f"this host never let a late request pass its gateway ({told})")
    late = [await send_late(bench, _waiting(bench, price)) for _ in range(TRIES)]
    told += f"; conditional orders: {_words(late)}"
    if any(answer.code == ENGINE for answer in late):
        return decided("algo_recv_window", "check", "check", told)
    if any(answer.yes for answer in late):
        return decided("algo_recv_window", "ignore", "check", told)
    raise CannotTellError(told)


async def weight(bench: Bench) -> Finding:
    """Spend weight over the WebSocket API and look whether the counter of REST moved."""
    lines = bench.lines
    for _ in range(TRIES):
        before = await _rest_weight(bench)
        for _ in range(CALLS):
            stamp = lines.clock.now_ms()
            reply = await lines.ws_api.request(
                "v2/account.position",
                {},
                timestamp_ms=stamp,
                timeout_ms=ANSWER_MS,
                lane=Lane.READ,
            )
            if reply is None:
                raise CannotTellError("the WebSocket API is not connected")
            said(reply, "v2/account.position").need("a question over the WebSocket API")
        after = await _rest_weight(bench)
        bench.note("the used weight that REST tells", {}, 0, {"before": before, "after": after})
        spent = after - before
        if spent > 0:  # else a new minute began between
            counters = "shared" if spent >= CALLS * CALL_WEIGHT else "separate"
            why = f"REST counted {spent} for {CALLS} calls of weight {CALL_WEIGHT} there"
            return decided("ws_weight", counters, "shared", why)
    raise CannotTellError("the counter of REST began anew each time")


async def _rest_weight(bench: Bench) -> int:
    await bench.get("/fapi/v1/premiumIndex", symbol=bench.symbol)
    weights = bench.lines.budget.rest_weight
    if "1m" not in weights:
        raise CannotTellError("REST does not tell the used weight")
    return weights["1m"]


async def _provoke(bench: Bench, taps: dict[str, set[str]]) -> dict[str, list[str]]:
    """Cause one event of each kind; what each tap heard of them."""
    resting = await bench.limit(Side.BUY, bench.sizes.below(await bench.mark(), FAR))
    resting.need("a resting order")
    await bench.far_stop()
    # not `go_long`, which waits for the probe's own stream: it is what is being asked about
    (await bench.market(Side.BUY)).need("a market order")
    whole = {ORDERS, CONDITIONALS, ACCOUNT}
    await bench.until(lambda: all(whole <= kinds for kinds in taps.values()), QUIET_S)
    order = (ORDERS, CONDITIONALS, ACCOUNT)
    return {name: [kind for kind in order if kind in kinds] for name, kinds in taps.items()}


def _resting(bench: Bench, price: Decimal) -> OrderRequest:
    kind, rests = OrderType.LIMIT, TimeInForce.GTX
    return bench.request(Side.BUY, kind, price=price, time_in_force=rests)


def _waiting(bench: Bench, trigger: Decimal) -> OrderRequest:
    kind, watches = OrderType.STOP_MARKET, WorkingType.MARK_PRICE
    return bench.request(Side.SELL, kind, trigger_price=trigger, working_type=watches)


def _words(answers: Sequence[Said]) -> str:
    return " ".join(answer.word for answer in answers)
