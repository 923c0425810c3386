"""A levels file's bytes become what was received: levels of each symbol, or every reason why not (D-10).

Promises that no input raises and that nothing is guessed: one wrong entry refuses all levels of its symbol, for with
a zone left out the others would change their names, and with a swing left out an older one would be the last. Unknown
fields are ignored. How old the levels are, or how far ahead, needs a clock and is judged elsewhere.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from decimal import Decimal

from jumar.decisions.fields import Reader, is_word, timestamp_from
from jumar.decisions.parse import WHOLE, JsonObject, Unparsed, parse, shown
from jumar.decisions.shape import ABOVE_ZERO, CONFIDENCE
from jumar.model.decision import FieldError
from jumar.model.levels import TIMEFRAMES, LiquidationZone, MarketLevels, Swing, SwingKind
from jumar.model.order import Side
from jumar.model.units import ZERO, text
from jumar.ports.levels import LevelsReceived

RULE = "D-10"
#: Of more lows or highs of one timeframe the newest are kept, of more zones the strongest.
SWINGS_MAX = 50
ZONES_MAX = 100
#: A writer that is wrong everywhere is told so many places: what is refused is written down and alerted.
ERRORS_MAX = 20
KINDS = {"lows": SwingKind.LOW, "highs": SwingKind.HIGH}
SIDES = {"long": Side.BUY, "short": Side.SELL}
ZONES, MAP = "liquidation_zones", "liquidation_map"
MAPPED = ("below_price", "above_price")


def decode_levels(
    data: bytes, *, symbols: Collection[str], name: str | None = None
) -> tuple[LevelsReceived, ...]:
    """Read one levels file; never raises.

    Args:
        data: the file's bytes.
        symbols: the configured symbols; levels of others are ignored.
        name: the symbol that the file's own name says, if it says one.
    """
    parsed = parse(data)
    if isinstance(parsed, Unparsed):
        return (nobodys(parsed.error, name),)
    return interpret_levels(parsed.value, symbols=symbols, name=name)


def nobodys(error: FieldError, name: str | None = None) -> LevelsReceived:
    """Return what was received when nothing of it could be read."""
    return LevelsReceived(symbol=name, levels=None, errors=(error,))


def interpret_levels(
    value: object, *, symbols: Collection[str], name: str | None = None
) -> tuple[LevelsReceived, ...]:
    """Return what a parsed content says of each symbol, or everything that is wrong with it."""
    if not isinstance(value, JsonObject):
        message = "must be a JSON object: {…}"
        wrong = FieldError(field=WHOLE, value=shown(value), message=message, rule=RULE)
        return (nobodys(wrong, name),)
    reader = Reader(value, [], rule=RULE)
    if "symbols" in value and name is None:
        return _several(reader, symbols)
    symbol = _symbol(reader, symbols, name)
    if symbol is None:
        return (LevelsReceived(symbol=name, levels=None, errors=tuple(reader.errors)),)
    return (_of(symbol, reader, reader),) if symbol in symbols else ()


def _several(reader: Reader, symbols: Collection[str]) -> tuple[LevelsReceived, ...]:
    """Read `symbols`: by symbol, each block for itself, so that one that is wrong takes no other with it."""
    blocks = reader.content["symbols"]
    if not isinstance(blocks, JsonObject):
        reader.refuse("symbols", 'must be an object by symbol: {"BTCUSDT": {…}}')
        return (nobodys(reader.errors[0]),)
    managed = [symbol for symbol in blocks if symbol in symbols]
    return tuple(_block(symbol, blocks, reader.content) for symbol in managed)


def _block(symbol: str, blocks: JsonObject, whole: JsonObject) -> LevelsReceived:
    """Read one symbol's block; one that does not say when it was made goes by the file's `as_of`."""
    reader = Reader(blocks, [], "symbols.", rule=RULE)
    content = reader.block(symbol)
    if content is None:
        if not reader.errors:
            reader.refuse(symbol, "must be an object, or left out")
        return LevelsReceived(symbol=symbol, levels=None, errors=tuple(reader.errors))
    dated = content if content.given("as_of") else Reader(whole, reader.errors, rule=RULE)
    return _of(symbol, content, dated)


def _symbol(reader: Reader, symbols: Collection[str], name: str | None) -> str | None:
    """The symbol as written; without one the file's name says it, or there is but one."""
    said = name or (next(iter(symbols)) if len(symbols) == 1 else None)
    if said is not None and not reader.given("symbol"):
        return said
    written = reader.content.get("symbol")
    if not is_word(written):
        reader.refuse("symbol", "must be the name of a symbol, such as BTCUSDT")
        return None
    if name is not None and written != name:
        reader.refuse("symbol", f"must be {name}, as the file is named, or left out")
        return None
    return str(written)


def _of(symbol: str, reader: Reader, dated: Reader) -> LevelsReceived:
    """Read everything of one symbol; the result counts only when no error was found."""
    as_of_ms = _moment(dated, "as_of")
    swings = sorted(_swings(reader, as_of_ms), key=lambda s: (s.time_ms, s.timeframe, s.kind))
    zones = _zones(reader)
    if reader.errors:
        return LevelsReceived(symbol=symbol, levels=None, errors=_first(reader.errors))
    levels = MarketLevels(as_of_ms=as_of_ms, swings=tuple(swings), zones=zones)
    return LevelsReceived(symbol=symbol, levels=levels)


def _first(errors: list[FieldError]) -> tuple[FieldError, ...]:
    more = len(errors) - ERRORS_MAX
    if more <= 0:
        return tuple(errors)
    rest = FieldError(field=WHOLE, value=f"({more} more)", message="are wrong as well", rule=RULE)
    return (*errors[:ERRORS_MAX], rest)


def _moment(reader: Reader, name: str) -> int:
    moment = timestamp_from(reader.content.get(name))
    if isinstance(moment, str):
        reader.refuse(name, moment)
        return 0
    return moment


# swings


def _swings(reader: Reader, as_of_ms: int) -> Iterator[Swing]:
    """Read `swings`: `lows` and `highs` by timeframe."""
    frames = reader.block("swings")
    if frames is None:
        return
    for timeframe in frames.content:
        if timeframe not in TIMEFRAMES:
            known = ", ".join(TIMEFRAMES)
            reader.refuse_value("swings", timeframe, f"has no such timeframe: name one of {known}")
        elif (of_frame := frames.block(timeframe)) is not None:
            yield from _of_frame(of_frame, timeframe, as_of_ms)


def _of_frame(reader: Reader, timeframe: str, as_of_ms: int) -> Iterator[Swing]:
    for field, kind in KINDS.items():
        found = [_swing(each, timeframe, kind, as_of_ms) for each in reader.items(field)]
        yield from sorted(found, key=lambda swing: (swing.time_ms, swing.price))[-SWINGS_MAX:]


def _swing(reader: Reader, timeframe: str, kind: SwingKind, as_of_ms: int) -> Swing:
    if not isinstance(reader.content.get("confirmed"), bool):
        reader.refuse("confirmed", "must be true or false")
    swing = Swing(
        timeframe=timeframe,
        kind=kind,
        price=reader.number("price", ABOVE_ZERO),
        time_ms=_moment(reader, "time"),
        confirmed=reader.content.get("confirmed") is True,
    )
    if swing.confirmed and swing.time_ms > as_of_ms > 0:
        reader.refuse("time", "must not be after as_of: nothing can have confirmed it yet")
    return swing


# liquidation zones


def _zones(reader: Reader) -> tuple[LiquidationZone, ...]:
    """Read the zones with their own ids, or a map whose zones get their names here; strongest first."""
    listed, mapped = reader.items(ZONES), tuple(_mapped(reader))
    if listed and mapped:
        message = f"must be left out beside a {MAP}: which of them are the same is not known"
        reader.refuse(ZONES, message)
        return ()
    zones = [_zone(each, explicit=bool(listed)) for each in listed or mapped]
    _refuse_doubles(listed, zones)
    # A tie is settled by the prices, so that the order of the file names nothing.
    zones.sort(key=lambda z: (-z.strength, z.low, z.high, z.price, z.id))
    if not listed:
        zones = [replace(zone, id=f"cluster_{rank}") for rank, zone in enumerate(zones, 1)]
    return tuple(zones[:ZONES_MAX])


def _mapped(reader: Reader) -> Iterator[Reader]:
    """The entries of a liquidation map, which has a field of its own or is the whole content."""
    inner = reader.block(MAP)
    for holder in (reader, inner):
        if holder is not None:
            for name in MAPPED:
                yield from holder.items(name)


def _zone(reader: Reader, *, explicit: bool) -> LiquidationZone:
    zone_id = reader.word("id") if explicit else None
    if explicit and not reader.given("id"):
        reader.refuse("id", f"must be a name that stays the zone's own; without names use {MAP}")
    low, high = _bounds(reader)
    return LiquidationZone(
        id=zone_id or "",
        explicit=explicit,
        side=_side(reader),
        low=low,
        high=high,
        price=reader.number("price", ABOVE_ZERO, default=(low + high) / 2),
        strength=reader.number("strength", CONFIDENCE),
    )


def _bounds(reader: Reader) -> tuple[Decimal, Decimal]:
    zone = reader.content.get("zone")
    if not isinstance(zone, list) or len(zone) != 2:
        reader.refuse("zone", "must be two prices: [min, max]")
        return ZERO, ZERO
    before = len(reader.errors)
    low, high = (
        reader.as_number(f"zone[{index}]", price, ABOVE_ZERO) for index, price in enumerate(zone)
    )
    if len(reader.errors) == before and low > high:
        reader.refuse("zone", f"must be [min, max]: write [{text(high)}, {text(low)}]")
    return low, high


def _side(reader: Reader) -> Side | None:
    """Whose positions would be liquidated, None where it is not told."""
    if not reader.given("side"):
        return None
    value = reader.content["side"]
    side = SIDES.get(value.lower()) if type(value) is str else None
    if side is None:
        reader.refuse("side", "must be long or short (whose positions are liquidated), or left out")
    return side


def _refuse_doubles(listed: tuple[Reader, ...], zones: list[LiquidationZone]) -> None:
    seen: set[str] = set()
    for reader, zone in zip(listed, zones, strict=False):
        if zone.id and zone.id in seen:
            reader.refuse("id", "must be one zone's own: it stands here for the second time")
        seen.add(zone.id)
