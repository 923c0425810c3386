"""Which market a command line means, and every way to ask for none.

Promises that bad input is refused with a message that names the option and the fix, before anything is played.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.market.bars import BarOrder
from jumar.exchange.simulated.market.companions import Companions
from jumar.exchange.simulated.market.folder import Tell
from jumar.exchange.simulated.market.formats import recognise
from jumar.exchange.simulated.market.live import Link, LiveMarket
from jumar.exchange.simulated.market.manual import ManualMarket
from jumar.exchange.simulated.market.recorded import RecordedMarket
from jumar.exchange.simulated.market.scenarios import PREFIX, SCENARIOS, scenario_of
from jumar.exchange.simulated.market.staged import StagedMarket
from jumar.exchange.simulated.market.synthetic import SyntheticMarket

_LIVE = "live"


def _unheard(_: str) -> None:
    return


def is_recorded(spec: str) -> bool:
    """Whether `spec` is the path of a file or folder, rather than a market that is drawn or set.

    Raises:
        ValueError: it names a scenario that does not exist (lists those there are), or one without `synthetic:`.
    """
    if spec.startswith(PREFIX):
        scenario_of(spec)
        return False
    if spec in SCENARIOS and not Path(spec).exists():
        raise ValueError(f"--market {spec}: a scenario is drawn; write {PREFIX}{spec}")
    return spec not in {"manual", "synthetic"} and not is_live(spec)


def is_live(spec: str) -> bool:
    """Whether `spec` is the present of the real market: `live`, or `live:` and symbols."""
    return spec == _LIVE or spec.startswith(f"{_LIVE}:")


def open_market(
    spec: str,
    *,
    symbols: Sequence[str],
    usual_symbols: Sequence[str] = (),
    seed: int,
    tick_sizes: Mapping[str, Decimal],
    start_prices: Mapping[str, Decimal],
    bar_order: BarOrder = BarOrder.DRAWN,
    window_from_ms: int | None = None,
    window_to_ms: int | None = None,
    companions: Companions | None = None,
    link: Link | None = None,
    tell: Tell = _unheard,
) -> MarketSource:
    """Open the market that `spec` names.

    Args:
        spec: `manual`, `synthetic`, `synthetic:` and a scenario's name, `live` or `live:` and symbols, or the path of a
            recorded file or of a folder of them.
        symbols: what to trade. A recorded file holds one: none given means the file's, one given must
            be the file's or is what a file that names none is played as. Of a folder: what to play.
        usual_symbols: what to trade in a market of no symbols of its own, when none are given.
        seed: dice of drawn markets and of the path inside recorded bars; the others throw none.
        bar_order: which extreme of a recorded bar comes first.
        tick_sizes: price step per symbol, in quote currency.
        start_prices: first price per symbol of `manual` and of drawn markets, in quote currency.
        window_from_ms: start of the window of a recorded file, Unix milliseconds, inclusive.
        window_to_ms: its end, exclusive.
        companions: mark prices and funding rates beside a recorded file.
        link: how to reach the real market; without it there is no `live`.
        tell: hears what a person should know of the files.

    Raises:
        ValueError: bad input; the message names the option and the fix.
    """
    if is_recorded(spec):
        path = Path(spec)
        if not path.is_dir():
            _check_file(path, symbols)
        return RecordedMarket(
            path,
            tick_sizes=tick_sizes,
            symbols=symbols,
            seed=seed,
            bar_order=bar_order,
            window_from_ms=window_from_ms,
            window_to_ms=window_to_ms,
            companions=companions,
            tell=tell,
        )
    if window_from_ms is not None or window_to_ms is not None:
        raise ValueError(f"--from and --to cut a recorded file; --market {spec} has no dates")
    if bar_order is not BarOrder.DRAWN:
        raise ValueError(f"--bar-order goes with recorded bars; --market {spec} has none")
    if companions is not None and companions != Companions():
        raise ValueError(
            f"--mark and --funding-file go with a recorded file; --market {spec} has no dates"
        )
    symbols = symbols or usual_symbols
    if is_live(spec):
        if link is None:
            raise ValueError("--market live: virtual time cannot follow it; use --speed 1")
        return _open_live(spec, symbols, tick_sizes, link)
    _check_symbols(symbols, tick_sizes, start_prices)
    if spec == "manual":
        return ManualMarket(symbols, start_prices=start_prices, tick_sizes=tick_sizes)
    if spec.startswith(PREFIX):
        return StagedMarket(
            spec, symbols, seed=seed, start_prices=start_prices, tick_sizes=tick_sizes
        )
    return SyntheticMarket(symbols, seed=seed, start_prices=start_prices, tick_sizes=tick_sizes)


def _open_live(
    spec: str, symbols: Sequence[str], tick_sizes: Mapping[str, Decimal], link: Link
) -> LiveMarket:
    """The market that follows the real one; nothing is connected yet."""
    words = spec.removeprefix(_LIVE).removeprefix(":").split(",")
    chosen = tuple(word.strip().upper() for word in words if word.strip()) or tuple(symbols)
    _check_symbols(chosen, tick_sizes, tick_sizes)
    return LiveMarket(chosen, tick_sizes=tick_sizes, link=link)


def _check_file(path: Path, symbols: Sequence[str]) -> None:
    named = recognise(path).symbol
    if len(symbols) > 1:
        raise ValueError(f"--symbols names {len(symbols)} symbols; a recorded file holds one")
    if named is not None and symbols and symbols[0] != named:
        raise ValueError(
            f"--symbols names {symbols[0]}, but {path.name} holds {named}; leave it out"
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
