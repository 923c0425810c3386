"""Public requests: connectivity, time, instruments and prices."""

from collections.abc import Callable
from typing import Any

from jumar.exchange.simulated.core.api.orders import instrument_of
from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.dialect import market as dialect
from jumar.exchange.simulated.core.dialect.market import Json
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.market import MarketStep


class MarketApi:
    """What anybody may ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ping(self, _params: Params, _now_ms: int) -> Json:
        """GET ping."""
        return {}

    def time(self, _params: Params, now_ms: int) -> Json:
        """GET time."""
        return {"serverTime": now_ms}

    def nothing(self, _params: Params, _now_ms: int) -> list[Json]:
        """GET what this exchange does not have: an empty list."""
        return []

    def normal(self, _params: Params, _now_ms: int) -> Json:
        """GET sapi system/status: no maintenance."""
        return {"status": 0, "msg": "normal"}

    def exchange_info(self, _params: Params, now_ms: int) -> Json:
        """GET exchangeInfo. A symbol without a market yet is PENDING_TRADING."""
        rows = [
            (row, symbol in self._engine.markets)
            for symbol, row in self._engine.instruments.items()
        ]
        return dialect.exchange_info(rows, now_ms)

    def premium_index(self, params: Params, now_ms: int) -> Any:
        """GET premiumIndex."""
        rate = self._engine.account.terms.funding_rate
        return self._quotes(params, lambda step: dialect.premium_index(step, rate, now_ms))

    def book_ticker(self, params: Params, now_ms: int) -> Any:
        """GET ticker/bookTicker."""
        tapes = self._engine.tapes
        return self._quotes(
            params,
            lambda step: dialect.book_ticker(step, tapes[step.symbol].final_id, now_ms),
        )

    def price(self, params: Params, now_ms: int) -> Any:
        """GET ticker/price."""
        return self._quotes(params, lambda step: dialect.price(step, now_ms))

    def _quotes(self, params: Params, spell: Callable[[MarketStep], Json]) -> Any:
        if params.has("symbol"):
            return spell(self._engine.market(instrument_of(self._engine, params).symbol))
        return [spell(step) for step in self._engine.markets.values()]
