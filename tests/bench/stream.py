"""The recorded raw stream through the exchange in process, beside merely reading the file.

Processor time is what counts; the wall's is shown beside it. Twenty orders rest far from the market meanwhile, so that
every step has to look at them and none is filled.
"""

import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time

from tests.bench.figures import Figure, Findings

from jumar.bootstrap.serving import START_PRICES
from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.instruments import INSTRUMENTS
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import SyntheticMarket
from jumar.exchange.simulated.market.recorded import RecordedMarket
from jumar.exchange.simulated.server.config import BALANCE

FILE = "usdm_BTCUSDT_rawstream_20240808T2354Z.jsonl.gz"
SYMBOL = "BTCUSDT"
RESTING = 20
SEED = 1
AIM_S = 10.0


def bench(findings: Findings, data: Path) -> None:
    """Measure with the recorded file, or with a drawn path where it is missing."""
    path = data / FILE
    findings.note(f"Raw stream: in process, {RESTING} orders resting, ledger on")
    if not path.is_file():
        findings.note(
            f"  {FILE} not found in {data}; set JUMAR_RECORDED_DATA. A drawn path instead:"
        )
        findings.add(_drawn())
        return
    began_s = perf_counter()
    with gzip.open(path, "rb") as file:
        frames = sum(1 for _ in file)
    lines_s = perf_counter() - began_s
    market = RecordedMarket(path, tick_sizes=_tick_sizes())
    began_s = perf_counter()
    read = sum(1 for _ in market.steps())
    read_s = perf_counter() - began_s
    findings.add(
        Figure(
            name="reading the file",
            values={"frames": frames, "s": read_s, "s, lines alone": lines_s, "steps": read},
        )
    )
    wall_s, cpu_s, steps = _played(market.steps(), market.origin_ms)
    findings.add(
        Figure(
            name="through the exchange",
            values={
                "s": wall_s,
                "processor s": cpu_s,
                "steps/s": round(steps / wall_s),
                "times reading": wall_s / read_s,
            },
            aim=f"at most {AIM_S:.0f} s",
            reached=wall_s <= AIM_S,
        )
    )


def _tick_sizes() -> dict[str, Decimal]:
    return {symbol: row.tick_size for symbol, row in INSTRUMENTS.items()}


def _drawn(steps: int = 50_000) -> Figure:
    market = SyntheticMarket(
        [SYMBOL], seed=SEED, start_prices=START_PRICES, tick_sizes=_tick_sizes()
    )
    path = (step for step, _ in zip(market.steps(), range(steps), strict=False))
    wall_s, cpu_s, played = _played(path, 0)
    values = {"s": wall_s, "processor s": cpu_s, "steps/s": round(played / wall_s)}
    return Figure(name="through the exchange", values=values)


def _played(steps: Iterator[MarketStep], origin_ms: int) -> tuple[float, float, int]:
    """Wall seconds, processor seconds, and how many steps there were."""
    exchange = Exchange(symbols=[SYMBOL], balance=BALANCE, account="bench", now_ms=origin_ms)
    wall_s, cpu_s = perf_counter(), process_time()
    first = next(steps)
    exchange.advance(first, origin_ms + first.path_ms)
    for number in range(RESTING):
        _rest(exchange, first, number, origin_ms)
    count = 1
    for step in steps:
        exchange.advance(step, origin_ms + step.path_ms)
        count += 1
    return perf_counter() - wall_s, process_time() - cpu_s, count


def _rest(exchange: Exchange, step: MarketStep, number: int, now_ms: int) -> None:
    """A bid or an ask, a few percent away from the market."""
    buys = number % 2 == 0
    price = round(step.last * (97 - number) / 100 if buys else step.last * (103 + number) / 100)
    params = {
        "symbol": SYMBOL,
        "side": "BUY" if buys else "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.002",
        "price": str(price),
    }
    reply = exchange.request("POST", "/fapi/v1/order", params, now_ms)
    if reply.status != 200:
        raise RuntimeError(f"an order was refused: {reply.body}")
