"""Public requests about the book and the past: depth, trades, bars and the rolling day."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.candles import INTERVALS
from jumar.exchange.simulated.core.dialect import history as dialect
from jumar.exchange.simulated.core.dialect.history import PERPETUAL, Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.refusal import Refusal
from jumar.exchange.simulated.core.tape import PublicTrade, Tape
from jumar.exchange.simulated.core.text import ZERO

DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
ROWS = 500
BARS_MAX = 1500
TRADES_MAX = 1000
OLD_TRADES, OLD_TRADES_MAX = 100, 500
FUNDINGS, FUNDINGS_MAX = 100, 1000
HOUR_MS = 3_600_000


def depth_weight(params: Params) -> int:
    """The weight of a `depth` request; of one that will be refused the largest."""
    return DEPTH_WEIGHTS.get(_limit_sent(params), 20)


def klines_weight(params: Params) -> int:
    """The weight of a `klines` request."""
    limit = _limit_sent(params)
    return next((weight for below, weight in ((100, 1), (500, 2), (1001, 5)) if limit < below), 10)


class HistoryApi:
    """What anybody may ask about what is and was in the market."""

    def __init__(self, engine: Engine, tapes: Mapping[str, Tape]) -> None:
        self._engine = engine
        self._tapes = tapes

    def depth(self, params: Params, now_ms: int) -> Json:
        """GET depth (-4021, and -1130 beyond the largest book, as seen live in 2026-09)."""
        step, tape = self._market(params)
        limit = params.integer("limit", ROWS)
        if limit > max(DEPTH_WEIGHTS):
            raise Refusal(-1130, name="limit")
        if limit not in DEPTH_WEIGHTS:
            raise Refusal(-4021, limit=str(limit))
        return dialect.depth(step, tape.snapshot_id, limit, now_ms)

    def klines(self, params: Params, now_ms: int) -> list[Any]:
        """GET klines (-1120, -1130, -1023)."""
        return self._bars(self._market(params)[1], params, now_ms)

    def continuous_klines(self, params: Params, now_ms: int) -> list[Any]:
        """GET continuousKlines (as klines, and -1121, -1130): of the perpetual contract, the only one there is."""
        pair, contract = params.text("pair"), params.text("contractType")
        if pair not in self._tapes:
            raise Refusal(-1121)
        if contract != PERPETUAL:
            raise Refusal(-1130, name="contractType")
        return self._bars(self._tapes[pair], params, now_ms)

    def funding_rates(self, params: Params, _now_ms: int) -> list[Json]:
        """GET fundingRate (-1130, -1023): oldest first; without times the latest ones."""
        symbol, (start_ms, end_ms) = params.optional("symbol"), _times(params)
        limit = _limit(params, FUNDINGS_MAX, FUNDINGS)
        if symbol is not None:
            symbol = instrument_of(self._engine, params).symbol
        rows = [
            dialect.funding(row)
            for row in self._engine.fundings
            if symbol in (None, row.symbol)
            and (start_ms or 0) <= row.due_ms
            and (end_ms is None or row.due_ms <= end_ms)
        ]
        return rows[-limit:] if start_ms is None and end_ms is None else rows[:limit]

    def _bars(self, tape: Tape, params: Params, now_ms: int) -> list[Any]:
        interval = params.text("interval")
        if interval not in INTERVALS:
            raise Refusal(-1120)
        start_ms, end_ms = _times(params)
        bars = tape.bars(
            interval,
            start_ms=start_ms,
            end_ms=now_ms if end_ms is None else min(now_ms, end_ms),
            limit=_limit(params, BARS_MAX),
        )
        return [dialect.kline(bar, close_ms) for close_ms, bar in bars]

    def trades(self, params: Params, _now_ms: int) -> list[Json]:
        """GET trades (-1130)."""
        _, tape = self._market(params)
        return [dialect.recent_trade(trade) for trade in tape.latest(_limit(params, TRADES_MAX))]

    def old_trades(self, params: Params, _now_ms: int) -> list[Json]:
        """GET historicalTrades (-1130): from an id on, or the latest; a key is not asked for."""
        _, tape = self._market(params)
        limit = _limit(params, OLD_TRADES_MAX, OLD_TRADES)
        first_id = params.optional_integer("fromId")
        rows = tape.latest(limit) if first_id is None else tape.since(first_id)[:limit]
        return [dialect.recent_trade(trade) for trade in rows]

    def agg_trades(self, params: Params, _now_ms: int) -> list[Json]:
        """GET aggTrades (-1130, -1023, -1127): from an id, from a time, or the latest."""
        _, tape = self._market(params)
        limit = _limit(params, TRADES_MAX)
        first_id = params.optional_integer("fromId")
        start_ms, end_ms = _times(params)
        if start_ms is not None and end_ms is not None and end_ms - start_ms > HOUR_MS:
            raise Refusal(-1127, hours="1")
        if first_id is None and start_ms is None and end_ms is None:
            return [dialect.agg_trade(trade) for trade in tape.latest(limit)]

        def asked_for(trade: PublicTrade) -> bool:
            return (
                trade.trade_id >= (first_id or 0)
                and trade.time_ms >= (start_ms or 0)
                and (end_ms is None or trade.time_ms <= end_ms)
            )

        found = filter(asked_for, tape.trades())
        if first_id is None and start_ms is None:  # the last ones before an end
            return [dialect.agg_trade(trade) for trade in reversed(list(islice(found, limit)))]
        return [dialect.agg_trade(trade) for trade in list(found)[::-1][:limit]]

    def ticker(self, params: Params, now_ms: int) -> Any:
        """GET ticker/24hr, of one symbol or of all."""
        if params.has("symbol"):
            return self._ticker(*self._market(params), now_ms)
        markets = self._engine.markets
        return [self._ticker(step, self._tapes[symbol], now_ms) for symbol, step in markets.items()]

    def _ticker(self, step: MarketStep, tape: Tape, now_ms: int) -> Json:
        latest = next(tape.trades(), None)
        quantity = ZERO if latest is None else latest.quantity
        return dialect.ticker(step.symbol, tape.day(now_ms), quantity, now_ms)

    def _market(self, params: Params) -> tuple[MarketStep, Tape]:
        step = self._engine.market(instrument_of(self._engine, params).symbol)
        return step, self._tapes[step.symbol]


def _limit(params: Params, most: int, usual: int = ROWS) -> int:
    limit = params.integer("limit", usual)
    if not 1 <= limit <= most:
        raise Refusal(-1130, name="limit")
    return limit


def _limit_sent(params: Params) -> int:
    """The limit as far as it is a number: a weight is counted for refused requests, too."""
    try:
        return params.integer("limit", ROWS)
    except Refusal:
        return BARS_MAX


def _times(params: Params) -> tuple[int | None, int | None]:
    start_ms, end_ms = params.optional_integer("startTime"), params.optional_integer("endTime")
    if start_ms is not None and end_ms is not None and end_ms < start_ms:
        raise Refusal(-1023)
    return start_ms, end_ms
