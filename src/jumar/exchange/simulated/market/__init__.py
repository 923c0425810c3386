"""Where the simulated exchange's prices come from.

A source yields `MarketStep`s in the order of path time and knows nothing of orders:

- `manual.py`: stands still until a price is set;
- `synthetic.py`: drawn from a seed, endless (`walk.py` moves its price);
- `staged.py`: the same for the named scenarios of `scenarios.py` (`drawn.py` draws book and trades for both);
- `recorded.py`: a recorded file (`formats.py` reads its lines, `bars.py` draws what happened inside a bar).

`mark.py` makes the mark price where a source has none, `grid.py` rounds. `open_market` chooses. This
package is the one place outside the clock where dice are thrown, always from a given seed.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market.formats import recognise
from jumar.exchange.simulated.market.manual import ManualMarket
from jumar.exchange.simulated.market.recorded import RecordedMarket
from jumar.exchange.simulated.market.scenarios import PREFIX, SCENARIOS, scenario_of
from jumar.exchange.simulated.market.staged import StagedMarket
from jumar.exchange.simulated.market.synthetic import SyntheticMarket

__all__ = [
    "SCENARIOS",
    "ManualMarket",
    "RecordedMarket",
    "StagedMarket",
    "SyntheticMarket",
    "is_recorded",
    "open_market",
]


def is_recorded(spec: str) -> bool:
    """Whether `spec` is the path of a file, rather than a market that is drawn or set.

    Raises:
        ValueError: it names a scenario that does not exist (lists those there are), or one without `synthetic:`.
    """
    if spec.startswith(PREFIX):
        scenario_of(spec)
        return False
    if spec in SCENARIOS and not Path(spec).exists():
        raise ValueError(f"--market {spec}: a scenario is drawn; write {PREFIX}{spec}")
    return spec not in {"manual", "synthetic"}


def open_market(
    spec: str,
    *,
    symbols: Sequence[str],
    seed: int,
    tick_sizes: Mapping[str, Decimal],
    start_prices: Mapping[str, Decimal],
    window_from_ms: int | None = None,
    window_to_ms: int | None = None,
) -> MarketSource:
    """Open the market that `spec` names.

    Args:
        spec: `manual`, `synthetic`, `synthetic:` and a scenario's name, or the path of a recorded file.
        symbols: what to trade. A recorded file holds one: none given means the file's, one given must
            be the file's or is what a file that names none is played as.
        seed: dice of drawn markets and of the path inside recorded bars; the others throw none.
        tick_sizes: price step per symbol, in quote currency.
        start_prices: first price per symbol of `manual` and of drawn markets, in quote currency.
        window_from_ms: start of the window of a recorded file, Unix milliseconds, inclusive.
        window_to_ms: its end, exclusive.

    Raises:
        ValueError: bad input; the message names the option and the fix.
    """
    if is_recorded(spec):
        return _open_recorded(
            Path(spec),
            symbols,
            tick_sizes,
            seed=seed,
            window_from_ms=window_from_ms,
            window_to_ms=window_to_ms,
        )
    if window_from_ms is not None or window_to_ms is not None:
        raise ValueError(f"--from and --to cut a recorded file; --market {spec} has no dates")
    _check_symbols(symbols, tick_sizes, start_prices)
    if spec == "manual":
        return ManualMarket(symbols, start_prices=start_prices, tick_sizes=tick_sizes)
    if spec.startswith(PREFIX):
        return StagedMarket(
            spec, symbols, seed=seed, start_prices=start_prices, tick_sizes=tick_sizes
        )
    return SyntheticMarket(symbols, seed=seed, start_prices=start_prices, tick_sizes=tick_sizes)


def _open_recorded(
    path: Path,
    symbols: Sequence[str],
    tick_sizes: Mapping[str, Decimal],
    *,
    seed: int,
    window_from_ms: int | None,
    window_to_ms: int | None,
) -> RecordedMarket:
    named = recognise(path).symbol
    if len(symbols) > 1:
        raise ValueError(f"--symbols names {len(symbols)} symbols; a recorded file holds one")
    if named is not None and symbols and symbols[0] != named:
        raise ValueError(
            f"--symbols names {symbols[0]}, but {path.name} holds {named}; leave it out"
        )
    return RecordedMarket(
        path,
        tick_sizes=tick_sizes,
        symbol=symbols[0] if symbols else None,
        seed=seed,
        window_from_ms=window_from_ms,
        window_to_ms=window_to_ms,
    )


def _check_symbols(
    symbols: Sequence[str], tick_sizes: Mapping[str, Decimal], start_prices: Mapping[str, Decimal]
) -> None:
    if not symbols:
        raise ValueError("--symbols names no symbol; give at least one")
    if len(set(symbols)) != len(symbols):
        raise ValueError(f"--symbols names a symbol twice: {', '.join(symbols)}")
    for symbol in symbols:
        if symbol not in tick_sizes or symbol not in start_prices:
            known = ", ".join(sorted(tick_sizes.keys() & start_prices.keys()))
            raise ValueError(f"--symbols names {symbol}, which is not listed; listed: {known}")
