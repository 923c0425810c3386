"""Filters, brackets and fees of the managed symbols, kept fresh (W-3).

Promises values not older than `AGE_MS_MAX`, and a new read after any error that speaks of a filter. Fees are read
once a start: they weigh twenty times as much and change rarely.
"""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Raw

from jumar.exchange.binance import translate, wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import Caller, Security
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.model.instrument import Instrument
from jumar.ports.clock import Clock

AGE_MS_MAX = 10 * 60 * 1000
INFO_TIMEOUT_MS = 5000
"""exchangeInfo lists every contract: some hundred times as much as any other answer."""


class InstrumentBook:
    """The instruments of one start."""

    def __init__(
        self, caller: Caller, clock: Clock, symbols: Sequence[str], counters: Budget
    ) -> None:
        self._caller = caller
        self._clock = clock
        self._symbols = tuple(symbols)
        self._counters = counters
        self._fees: dict[str, wire.CommissionRate] = {}
        self._known: dict[str, Instrument] = {}
        self._read_ms: int | None = None

    def invalidate(self) -> None:
        """Read again at the next question."""
        self._read_ms = None

    async def current(self) -> Mapping[str, Instrument]:
        """Return all instruments, read anew when they are old or doubted, and with them the request limits.

        Raises:
            ConfigError: at the first read, a symbol that the venue does not list.
            VenueUnavailable, VenueRefused: as a read.
        """
        now_ms = self._clock.now_ms()
        if self._read_ms is None or now_ms - self._read_ms > AGE_MS_MAX:
            self._known = await self._load()
            self._read_ms = now_ms
        return self._known

    async def _load(self) -> dict[str, Instrument]:
        info = await self._caller.read(
            "/fapi/v1/exchangeInfo",
            {},
            wire.ExchangeInfo,
            security=Security.NONE,
            timeout_ms=INFO_TIMEOUT_MS,
        )
        self._counters.read_limits(info.rate_limits or ())
        listed = {row.symbol: row for row in info.symbols}
        missing = [symbol for symbol in self._symbols if symbol not in listed]
        if missing and not self._known:
            raise ConfigError(
                f"symbols: the venue does not list {', '.join(missing)}; "
                "use names such as BTCUSDT, and only contracts of this venue"
            )
        if missing:
            raise VenueUnavailable(f"exchangeInfo does not list {', '.join(missing)} any more")
        known = await asyncio.gather(*(self._one(listed[symbol]) for symbol in self._symbols))
        return dict(zip(self._symbols, known, strict=True))

    async def _one(self, info: wire.SymbolInfo) -> Instrument:
        query = {"symbol": info.symbol}
        answer = await self._caller.read("/fapi/v1/leverageBracket", query, Raw)
        if info.symbol not in self._fees:
            self._fees[info.symbol] = await self._caller.read(
                "/fapi/v1/commissionRate", query, wire.CommissionRate
            )
        try:
            brackets = _brackets(bytes(answer), info.symbol)
            return translate.instrument(info, brackets, self._fees[info.symbol])
        except wire.WireError as error:
            raise VenueUnavailable(f"instrument {info.symbol}: {error}") from None


def _brackets(payload: bytes, symbol: str) -> wire.SymbolBrackets:
    """Read a list or a bare object: the venue's page shows both (Binance USDⓈ-M "Notional Bracket", 2026-09)."""
    if payload.lstrip().startswith(b"["):
        rows = wire.decode(payload, list[wire.SymbolBrackets])
    else:
        rows = [wire.decode(payload, wire.SymbolBrackets)]
    for row in rows:
        if row.symbol == symbol:
            return row
    raise wire.WireError(f"leverageBracket: no row for {symbol}")
