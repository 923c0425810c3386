"""Taking back: own orders by their ids, then the position the orders made, until two looks in a row find nothing.

Promises to touch no order of anybody else's and no position larger than a probe can have made; what stays is named.
"""

from decimal import Decimal

from jumar.exchange.binance.probe.bench import PREFIX, Bench
from jumar.exchange.binance.probe.ear import ENDED
from jumar.exchange.binance.probe.saying import CannotTellError, Json
from jumar.model.order import Side
from jumar.model.units import text

ROUNDS = 40
PAUSE_S, LONG_PAUSE_S = 0.5, 3.0
"""Between two looks; the long one where the exchange gave no clear answer, a limiter's included."""

LARGEST = 4
"""No question ever holds more than so many smallest sizes."""

NOT_FOUND = -2013


async def clean(bench: Bench) -> list[str]:
    """Take everything back; returns what could not be, in words, empty when all is clean."""
    left, clean_looks = ["nothing could be read"], 0
    for _ in range(ROUNDS):
        pause_s = PAUSE_S
        try:
            left = await _round(bench)
        except CannotTellError as error:
            left, pause_s = [unclear(error)], LONG_PAUSE_S
        clean_looks = 0 if left else clean_looks + 1
        if clean_looks == 2:
            return []
        await bench.pause(pause_s)
    return left


def unclear(error: CannotTellError) -> str:
    """What is left, where it is not known."""
    return f"unknown, because the exchange gave no clear answer ({error})"


async def strangers(bench: Bench) -> list[str]:
    """Orders on the symbol that no probe placed, in words; raises `CannotTellError`."""
    rows = [*await bench.open_orders(), *await bench.open_conditionals()]
    return [f"order {_name(row)}" for row in rows if not _name(row).startswith(PREFIX)]


async def _round(bench: Bench) -> list[str]:
    """Look once, take back what is seen; returns what was seen."""
    if bench.counting:
        values: dict[str, str | int] = {"symbol": bench.symbol, "countdownTime": 0}
        answer = await bench.ask("POST", "/fapi/v1/countdownCancelAll", values)
        bench.counting = not answer.yes
    seen = await _orders(bench)
    if not seen:  # a resting reduce-only order may keep a close out
        seen = await _position(bench)
    return seen


async def _orders(bench: Bench) -> list[str]:
    seen = []
    for row in await bench.open_orders():
        if _name(row).startswith(PREFIX):
            seen.append(f"order {_name(row)}")
            await bench.cancel(_name(row))
    for row in await bench.open_conditionals():
        if _name(row).startswith(PREFIX):
            seen.append(f"conditional order {_name(row)}")
            await bench.cancel_conditional(_name(row))
    return seen or await _underway(bench)


async def _underway(bench: Bench) -> list[str]:
    """Conditional orders that are in no list and have not ended either: they have just fired."""
    seen = []
    for client_id in bench.placed:
        if bench.ear.status(client_id) in ENDED:
            continue
        answer = await bench.ask("GET", "/fapi/v1/algoOrder", {"clientAlgoId": client_id})
        if answer.code == NOT_FOUND or (answer.yes and answer.body["algoStatus"] in ENDED):
            continue
        seen.append(f"conditional order {client_id}")
    return seen


async def _position(bench: Bench) -> list[str]:
    held = await bench.position()
    if not held:
        # What REST says may be older than what the stream told.
        return [f"a position of {text(bench.ear.held)} {bench.symbol}"] if bench.ear.held else []
    seen = [f"a position of {text(held)} {bench.symbol}"]
    if abs(held) <= LARGEST * bench.sizes.smallest:
        await _close(bench, held)
    return seen


async def _close(bench: Bench, held: Decimal) -> None:
    values = {
        "symbol": bench.symbol,
        "side": (Side.SELL if held > 0 else Side.BUY).value,
        "type": "MARKET",
        "quantity": text(abs(held)),
        "reduceOnly": "true",
        "newClientOrderId": bench.new_id(),
        "newOrderRespType": "RESULT",
    }
    await bench.ask("POST", "/fapi/v1/order", values)


def _name(row: Json) -> str:
    return str(row.get("clientOrderId") or row.get("clientAlgoId"))
