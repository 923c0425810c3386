"""A market that stands still until somebody sets its price.

Pure. Promises one state per symbol, always valid: every price finite and above zero, the bid below the
ask, bid, ask and last on the tick. A refused change leaves the state as it was. It does not know time
(the server stamps a change when it arrives and repeats quote and mark every second) and it makes no
trades of its own: orders fill against the bid and ask that were set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.market.grid import ceil_to_tick, floor_to_tick, nearest_tick

_DEEP = Decimal(
    1_000_000
)  # base currency: more than any order of a test, so that size never decides


class ManualMarket:
    """One quote, last and mark price per symbol, changed by `set_price`."""

    def __init__(
        self,
        symbols: Sequence[str],
        *,
        start_prices: Mapping[str, Decimal],
        tick_sizes: Mapping[str, Decimal],
    ) -> None:
        self._tick_sizes = {symbol: tick_sizes[symbol] for symbol in symbols}
        self._states = {
            symbol: _initial(symbol, start_prices[symbol], tick_sizes[symbol]) for symbol in symbols
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order they were given."""
        return tuple(self._states)

    def steps(self) -> Iterator[MarketStep]:
        """The present state of each symbol, then the end: what follows comes from `set_price`."""
        yield from tuple(self._states.values())

    def set_price(
        self,
        symbol: str,
        *,
        last: Decimal | None = None,
        mark: Decimal | None = None,
        bid: Decimal | None = None,
        ask: Decimal | None = None,
        bid_quantity: Decimal | None = None,
        ask_quantity: Decimal | None = None,
    ) -> MarketStep:
        """Change what is given, keep what is not, and return the new state.

        A last price alone, without bid and ask, takes the quote with it: one tick below and one above.
        A quantity that is not given is deep (1,000,000 base). `path_ms` of the result is 0.

        Raises:
            ValueError: unknown symbol, nothing given, or a field that makes no market; names the field.
        """
        state = self._state(symbol)
        tick_size = self._tick_sizes[symbol]
        given = {"last": last, "mark": mark, "bid": bid, "ask": ask}
        given |= {"bid_quantity": bid_quantity, "ask_quantity": ask_quantity}
        _check(given, tick_size)
        if last is not None and bid is None and ask is None:
            bid, ask = _around(last, tick_size)
        step = replace(
            state,
            last=state.last if last is None else last,
            mark=state.mark if mark is None else mark,
            bids=(_level(state.bids[0].price if bid is None else bid, bid_quantity),),
            asks=(_level(state.asks[0].price if ask is None else ask, ask_quantity),),
        )
        _check_uncrossed(step)
        self._states[symbol] = step
        return step

    def _state(self, symbol: str) -> MarketStep:
        state = self._states.get(symbol)
        if state is None:
            raise ValueError(
                f"symbol {symbol} is not in this market; known: {', '.join(self._states)}"
            )
        return state


def _initial(symbol: str, price: Decimal, tick_size: Decimal) -> MarketStep:
    _check({"start price": price}, None)
    last = nearest_tick(price, tick_size)
    bid, ask = _around(last, tick_size)
    return MarketStep(
        symbol=symbol,
        path_ms=0,
        bids=(_level(bid, None),),
        asks=(_level(ask, None),),
        last=last,
        mark=last,
    )


def _around(last: Decimal, tick_size: Decimal) -> tuple[Decimal, Decimal]:
    bid = last - tick_size
    if bid <= 0:
        raise ValueError(
            f"last {last} leaves no room for a bid; give one above the tick {tick_size}"
        )
    return bid, last + tick_size


def _level(price: Decimal, quantity: Decimal | None) -> Level:
    return Level(price=price, quantity=_DEEP if quantity is None else quantity)


def _check(given: Mapping[str, Decimal | None], tick_size: Decimal | None) -> None:
    values = {field: value for field, value in given.items() if value is not None}
    if not values:
        raise ValueError("nothing to set; give at least one of last, mark, bid, ask")
    for field, value in values.items():
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{field} {value} is not a finite number above zero")
        if tick_size is not None and field in {"last", "bid", "ask"}:
            _check_tick(field, value, tick_size)


def _check_tick(field: str, value: Decimal, tick_size: Decimal) -> None:
    below = floor_to_tick(value, tick_size)
    if below != value:
        above = ceil_to_tick(value, tick_size)
        raise ValueError(f"{field} {value} is not on the tick {tick_size}; use {below} or {above}")


def _check_uncrossed(step: MarketStep) -> None:
    bid, ask = step.bids[0].price, step.asks[0].price
    if bid >= ask:
        raise ValueError(f"bid {bid} is not below ask {ask}; give both when the market moves")
