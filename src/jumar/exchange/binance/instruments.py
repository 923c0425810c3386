"""Filters, brackets and fees of the managed symbols, kept fresh (W-3).

Promises values not older than `AGE_MS_MAX`, and a new read after any error that speaks of a filter. Fees are read
once a start: they weigh twenty times as much and change rarely. No position waits for them: while they cannot be
had, the highest regular ones count.
"""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import structlog
from msgspec import Raw

from jumar.exchange.binance import translate, wire
from jumar.exchange.binance.budget import Budget
from jumar.exchange.binance.caller import Caller, Security
from jumar.exchange.binance.lanes import Lane
from jumar.model.errors import ConfigError, VenueUnavailable
from jumar.model.instrument import Instrument
from jumar.ports.clock import Clock

AGE_MS_MAX = 10 * 60 * 1000
FEES_AT_ONCE = 5
FEES_AGAIN_MS = 60_000
REGULAR_FEES = ("0.0002", "0.0005")
"""Maker and taker of a regular user without discounts (Binance's fee schedule of USDⓈ-M futures, 2026-09)."""

INFO_TIMEOUT_MS = 5000
"""exchangeInfo lists every contract: some hundred times as much as any other answer."""

log = structlog.get_logger(__name__)


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
            all_fees = len(self._fees) == len(self._symbols)
            self._read_ms = now_ms if all_fees else now_ms - AGE_MS_MAX + FEES_AGAIN_MS
        return self._known

    async def _load(self) -> dict[str, Instrument]:
        info = await self._caller.read(
            "/fapi/v1/exchangeInfo",
            {},
            wire.ExchangeInfo,
            security=Security.NONE,
            timeout_ms=INFO_TIMEOUT_MS,
            lane=self._lane,
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
        await self._learn_fees()
        known = await asyncio.gather(*(self._one(listed[symbol]) for symbol in self._symbols))
        return dict(zip(self._symbols, known, strict=True))

    @property
    def _lane(self) -> Lane:
        """Without a first answer nothing can be protected; later ones are questions like others."""
        return Lane.READ if self._known else Lane.CANCEL

    async def _one(self, info: wire.SymbolInfo) -> Instrument:
        query = {"symbol": info.symbol}
        answer = await self._caller.read("/fapi/v1/leverageBracket", query, Raw, lane=self._lane)
        fees = self._fees.get(info.symbol, _regular_fees(info.symbol))
        try:
            brackets = _brackets(bytes(answer), info.symbol)
            return translate.instrument(info, brackets, fees)
        except wire.WireError as error:
            raise VenueUnavailable(f"instrument {info.symbol}: {error}") from None

    async def _learn_fees(self) -> None:
        """Read the fees of some symbols that have none yet, so that a start of many leaves weight for their orders."""
        unknown = [symbol for symbol in self._symbols if symbol not in self._fees]
        for symbol in unknown[:FEES_AT_ONCE]:
            try:
                self._fees[symbol] = await self._caller.read(
                    "/fapi/v1/commissionRate", {"symbol": symbol}, wire.CommissionRate
                )
            except VenueUnavailable as error:
                log.warning("fees_not_read", symbol=symbol, error=str(error), counted=REGULAR_FEES)


def _regular_fees(symbol: str) -> wire.CommissionRate:
    maker, taker = REGULAR_FEES
    return wire.CommissionRate(
        symbol=symbol,
        maker_commission_rate=Decimal(maker),
        taker_commission_rate=Decimal(taker),
    )


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
