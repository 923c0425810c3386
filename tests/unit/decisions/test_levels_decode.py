"""Reading levels: both shapes, every field, and how each hostile content is refused by the name of its field."""

import json
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jumar.decisions.levels import ERRORS_MAX, SWINGS_MAX, ZONES_MAX, decode_levels
from jumar.model.levels import LiquidationZone, MarketLevels, Swing, SwingKind
from jumar.model.order import Side
from jumar.ports.levels import LevelsReceived

D = Decimal
AS_OF_MS = 1_764_929_040_000  # 2025-12-05T10:04:00Z
SWING: dict[str, Any] = {"price": 90560.1, "time": "2025-12-05T09:15:00Z", "confirmed": True}
ZONE: dict[str, Any] = {
    "id": "above",
    "side": "short",
    "zone": [91500, 91650],
    "price": 91570,
    "strength": 0.82,
}
MAPPED = {name: value for name, value in ZONE.items() if name != "id"}
EXAMPLE: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "as_of": "2025-12-05T10:04:00Z",
    "swings": {
        "15m": {"lows": [SWING], "highs": [{**SWING, "price": "91020", "confirmed": False}]}
    },
    "liquidation_zones": [ZONE],
}


def read(content: object, *, name: str | None = None) -> tuple[LevelsReceived, ...]:
    """Decode for an engine that manages two symbols."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return decode_levels(data, symbols=("BTCUSDT", "ETHUSDT"), name=name)


def only(content: object, **how: Any) -> MarketLevels:
    """The levels of a content that is accepted."""
    (received,) = read(content, **how)
    assert (received.errors, received.symbol) == ((), "BTCUSDT")
    assert received.levels is not None
    return received.levels


def errors_of(content: object, **how: Any) -> dict[str, tuple[str, str]]:
    """Message and rule of every error of a content that is refused, by field."""
    (received,) = read(content, **how)
    assert received.levels is None
    assert received.errors
    return {error.field: (error.message, error.rule) for error in received.errors}


def without(content: dict[str, Any], name: str) -> dict[str, Any]:
    """A content without one field."""
    return {key: value for key, value in content.items() if key != name}


def with_swing(**changes: Any) -> dict[str, Any]:
    """The example with another swing low; `...` removes a field."""
    swing = {k: v for k, v in {**SWING, **changes}.items() if v is not ...}
    return EXAMPLE | {"swings": {"15m": {"lows": [swing]}}}


def with_zone(**changes: Any) -> dict[str, Any]:
    """The example with another zone; `...` removes a field."""
    return EXAMPLE | {
        "liquidation_zones": [{k: v for k, v in {**ZONE, **changes}.items() if v is not ...}]
    }


# what is accepted


@pytest.mark.rule("D-10")
def test_every_field_of_the_example() -> None:
    """Swings by time, zones with their own ids, the moment they were made."""
    low = Swing(
        timeframe="15m",
        kind=SwingKind.LOW,
        price=D("90560.1"),
        time_ms=AS_OF_MS - 49 * 60_000,
        confirmed=True,
    )
    high = Swing(
        timeframe="15m",
        kind=SwingKind.HIGH,
        price=D(91020),
        time_ms=AS_OF_MS - 49 * 60_000,
        confirmed=False,
    )
    zone = LiquidationZone(
        id="above",
        explicit=True,
        side=Side.SELL,
        low=D(91500),
        high=D(91650),
        price=D(91570),
        strength=D("0.82"),
    )
    levels = only(EXAMPLE)
    assert levels == MarketLevels(as_of_ms=AS_OF_MS, swings=(high, low), zones=(zone,))
    assert levels.zone("above") == zone
    assert levels.zone("cluster_1") is None


@pytest.mark.rule("D-1", "D-10")
def test_numbers_keep_their_digits() -> None:
    """Neither a number nor text passes through a binary float."""
    written = b"""{"symbol": "BTCUSDT", "as_of": "2025-12-05T10:04:00Z", "liquidation_zones":
        [{"id": "z", "zone": [90000.123456789012345678, "90001.1"], "strength": 0.1}]}"""
    (zone,) = only(written).zones
    assert (str(zone.low), str(zone.high), str(zone.strength)) == (
        "90000.123456789012345678",
        "90001.1",
        "0.1",
    )


@pytest.mark.rule("D-10")
@pytest.mark.parametrize("nested", [True, False])
def test_a_liquidation_map_names_its_zones_by_strength(*, nested: bool) -> None:
    """Over both lists, strongest first, from 1; the map has a field of its own or is the whole content."""
    lists = {
        "below_price": [{**MAPPED, "zone": [89000, 89100], "price": 89050, "strength": 0.5}],
        "above_price": [
            {**MAPPED, "zone": [91500, 91650], "strength": 0.4},
            {**MAPPED, "zone": [92000, 92100], "price": 92050, "strength": 0.9},
        ],
    }
    base = without(EXAMPLE, "liquidation_zones")
    levels = only(base | ({"liquidation_map": lists} if nested else lists))
    assert [(zone.id, zone.low, zone.explicit) for zone in levels.zones] == [
        ("cluster_1", D(92000), False),
        ("cluster_2", D(89000), False),
        ("cluster_3", D(91500), False),
    ]


@pytest.mark.rule("D-10")
def test_equal_strengths_are_told_apart_by_price() -> None:
    """The lower zone comes first, then the one that ends lower: the order of the file names nothing."""
    zones = [
        {"zone": [91000, 91200], "strength": "0.5"},
        {"zone": [90000, 90900], "strength": 0.50},
        {"zone": [91000, 91100], "strength": 0.5},
    ]
    base = without(EXAMPLE, "liquidation_zones")
    expected = [
        ("cluster_1", D(90000), D(90900)),
        ("cluster_2", D(91000), D(91100)),
        ("cluster_3", D(91000), D(91200)),
    ]
    for order in permutations(zones):
        halves = {"below_price": order[:1], "above_price": order[1:]}
        levels = only(base | {"liquidation_map": halves})
        assert [(zone.id, zone.low, zone.high) for zone in levels.zones] == expected


@pytest.mark.rule("D-10")
def test_what_may_be_left_out() -> None:
    """Swings, zones, a side, a price (it is the middle then); null is left out, unknown fields are ignored."""
    bare = {"symbol": "BTCUSDT", "as_of": "2025-12-05T10:04:00Z", "source": "x", "swings": None}
    assert only(bare) == MarketLevels(as_of_ms=AS_OF_MS)
    (zone,) = only(with_zone(side=None, price=..., comment="new")).zones
    assert (zone.side, zone.price) == (None, D(91575))
    assert only(EXAMPLE | {"swings": {"1h": {"lows": []}}, "liquidation_zones": []}).swings == ()


@pytest.mark.rule("D-10")
def test_the_edges_of_what_is_allowed() -> None:
    """A zone of one price, strengths 0 and 1, a swing of the very moment; one that nothing confirms may be younger."""
    for strength in (0, 1):
        (zone,) = only(with_zone(zone=[91500, 91500], strength=strength)).zones
        assert (zone.low, zone.high, zone.strength) == (D(91500), D(91500), D(strength))
    assert only(with_swing(time=EXAMPLE["as_of"])).swings[0].time_ms == AS_OF_MS
    younger = with_swing(time="2025-12-05T10:09:00Z", confirmed=False)
    assert only(younger).swings[0].time_ms > AS_OF_MS


@pytest.mark.rule("D-10")
def test_whose_symbol_it_is() -> None:
    """As written; else as the file is named; else the only one that is managed; another's is ignored."""
    nameless = without(EXAMPLE, "symbol")
    assert errors_of(nameless).keys() == {"symbol"}
    assert only(nameless, name="BTCUSDT").as_of_ms == AS_OF_MS
    (received,) = decode_levels(json.dumps(nameless).encode(), symbols=("BTCUSDT",))
    assert received.symbol == "BTCUSDT"
    assert read(EXAMPLE | {"symbol": "SOLUSDT"}) == ()
    other = errors_of(EXAMPLE, name="ETHUSDT")
    assert other["symbol"] == ("must be ETHUSDT, as the file is named, or left out", "D-10")


@pytest.mark.rule("D-10")
def test_several_symbols_in_one_file() -> None:
    """Each block stands for itself: its own `as_of` or the file's, and its own errors; others' are ignored."""
    block = without(without(EXAMPLE, "symbol"), "as_of")
    later = {**block, "as_of": "2025-12-05T10:05:00Z"}
    whole = {"as_of": EXAMPLE["as_of"], "symbols": {"BTCUSDT": block, "ETHUSDT": later, "X": 7}}
    btc, eth = read(whole)
    assert btc.levels == only(EXAMPLE)
    assert eth.levels is not None
    assert (eth.symbol, eth.levels.as_of_ms) == ("ETHUSDT", AS_OF_MS + 60_000)
    wrong = {"as_of": EXAMPLE["as_of"], "symbols": {"BTCUSDT": [], "ETHUSDT": block}}
    btc, eth = read(wrong)
    assert [error.field for error in btc.errors] == ["symbols.BTCUSDT"]
    assert eth.levels is not None
    btc, eth = read({"symbols": {"BTCUSDT": {**block, "swings": 1}, "ETHUSDT": None}})
    assert [error.field for error in btc.errors] == ["as_of", "symbols.BTCUSDT.swings"]
    assert [error.field for error in eth.errors] == ["symbols.ETHUSDT"]
    assert errors_of({"symbols": ["BTCUSDT"]}).keys() == {"symbols"}


@pytest.mark.rule("D-10")
def test_what_is_kept_of_very_many() -> None:
    """The newest swings of each kind and timeframe, the strongest zones."""
    swings = [
        {**SWING, "time": f"2025-12-04T{n // 60:02}:{n % 60:02}:00Z", "price": 90000 + n}
        for n in range(SWINGS_MAX + 7)
    ]
    zones = [{**ZONE, "id": f"z{n}", "strength": n / 1000} for n in range(ZONES_MAX + 3)]
    content = {"swings": {"15m": {"lows": swings[::-1], "highs": swings}}}
    levels = only(EXAMPLE | content | {"liquidation_zones": zones})
    assert len(levels.swings) == 2 * SWINGS_MAX
    assert min(swing.price for swing in levels.swings) == 90007
    assert [swing.time_ms for swing in levels.swings] == sorted(s.time_ms for s in levels.swings)
    assert [levels.zones[0].id, levels.zones[-1].id] == [f"z{ZONES_MAX + 2}", "z3"]


# what is refused


LOW, FIRST = "swings.15m.lows[0]", "liquidation_zones[0]"


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(
    ("content", "field", "says"),
    [
        (with_swing(price=...), f"{LOW}.price", "must be above 0"),
        (with_swing(price=0), f"{LOW}.price", "must be above 0"),
        (with_swing(price=-90560), f"{LOW}.price", "must be above 0"),
        (with_swing(time=...), f"{LOW}.time", "ISO 8601"),
        (with_swing(time="2025-12-05T09:15:00"), f"{LOW}.time", "has no zone"),
        (with_swing(time=1764926100000), f"{LOW}.time", "ISO 8601"),
        (with_swing(time="2025-12-05T10:04:00.001Z"), f"{LOW}.time", "not be after as_of"),
        (with_swing(confirmed=...), f"{LOW}.confirmed", "must be true or false"),
        (with_swing(confirmed="yes"), f"{LOW}.confirmed", "must be true or false"),
        (with_zone(id=...), f"{FIRST}.id", "without names use liquidation_map"),
        (with_zone(id=7), f"{FIRST}.id", "must be a word"),
        (with_zone(zone=...), f"{FIRST}.zone", "must be two prices"),
        (with_zone(zone=[91500]), f"{FIRST}.zone", "must be two prices"),
        (with_zone(zone=[91650, 91500]), f"{FIRST}.zone", "write [91500, 91650]"),
        (with_zone(zone=[0, 91500]), f"{FIRST}.zone[0]", "must be above 0"),
        (with_zone(price=-1), f"{FIRST}.price", "must be above 0"),
        (with_zone(strength=...), f"{FIRST}.strength", "must be between 0 and 1"),
        (with_zone(strength=-0.01), f"{FIRST}.strength", "must be between 0 and 1"),
        (with_zone(strength=1.01), f"{FIRST}.strength", "must be between 0 and 1"),
        (with_zone(side="buy"), f"{FIRST}.side", "must be long or short"),
        (
            EXAMPLE | {"swings": {"7m" * 999: {}}},
            "swings",
            "has no such timeframe: name one of 1m, 3m",
        ),
        (EXAMPLE | {"swings": []}, "swings", "must be an object"),
        (EXAMPLE | {"swings": {"15m": []}}, "swings.15m", "must be an object"),
        (EXAMPLE | {"swings": {"15m": {"lows": {}}}}, "swings.15m.lows", "must be a list"),
        (EXAMPLE | {"swings": {"15m": {"lows": [1]}}}, LOW, "must be an object"),
        (EXAMPLE | {"liquidation_zones": [ZONE, ZONE]}, "liquidation_zones[1].id", "second time"),
        (
            EXAMPLE | {"liquidation_map": {"above_price": [MAPPED]}},
            "liquidation_zones",
            "must be left out beside a liquidation_map",
        ),
        (EXAMPLE | {"liquidation_map": []}, "liquidation_map", "must be an object"),
        (EXAMPLE | {"symbol": 7}, "symbol", "must be the name of a symbol"),
        (without(EXAMPLE, "as_of"), "as_of", "ISO 8601"),
        (EXAMPLE | {"as_of": "1970-01-01T00:00:01Z"}, f"{LOW}.time", "not be after as_of"),
        (EXAMPLE | {"as_of": "2025-12-05T10:04:00"}, "as_of", "has no zone"),
        ([EXAMPLE], "(file)", "must be a JSON object"),
    ],
)
def test_a_wrong_field_is_named(content: object, field: str, says: str) -> None:
    """One wrong entry refuses all of it: nothing is dropped without a word, nothing guessed."""
    found = errors_of(content)
    assert found.keys() == {field}
    message, rule = found[field]
    assert len(message) < 200
    assert says in message
    assert rule in {"D-10", "D-1"}


@pytest.mark.rule("D-1", "D-10")
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", '"x"', "true", "1e99", "[]"])
def test_what_is_no_amount_is_refused(number: str) -> None:
    """Not finite, not a number, out of every range."""
    text = json.dumps(with_zone(strength="HERE")).replace('"HERE"', number)
    found = errors_of(text.encode())
    assert found[f"{FIRST}.strength"][1] in {"D-1", "D-10"}


@pytest.mark.rule("D-10")
def test_every_error_is_told_at_once() -> None:
    """A writer mends its file in one go."""
    content = with_zone(strength=2, zone=[2, 1]) | {"as_of": "now", "swings": {"7m": {}}}
    assert errors_of(content).keys() == {
        "as_of",
        "swings",
        f"{FIRST}.strength",
        f"{FIRST}.zone",
    }


@pytest.mark.rule("D-10")
@pytest.mark.parametrize(("wrong", "told"), [(ERRORS_MAX, 0), (ERRORS_MAX + 3, 3)])
def test_very_many_errors_are_counted(wrong: int, told: int) -> None:
    """A file that is wrong everywhere fills no journal: the first ones are named, the rest is a number."""
    swings = [{**SWING, "price": 0}] * wrong
    (received,) = read(EXAMPLE | {"swings": {"15m": {"lows": swings}}})
    assert received.errors[ERRORS_MAX - 1].field == f"swings.15m.lows[{ERRORS_MAX - 1}].price"
    rest = [str(error) for error in received.errors[ERRORS_MAX:]]
    assert rest == [f"(file) = ({told} more): are wrong as well (D-10)"][: bool(told)]


@pytest.mark.rule("D-5", "D-10")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"as_of": "2025',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b" " * 10_000_000,
        b'{"as_of": 1, "as_of": 2, "symbol": "BTCUSDT"}',
    ],
)
def test_no_bytes_raise(data: bytes) -> None:
    """Half written, not text, nested without end, ten megabytes, contradicting itself: refused, by name."""
    assert errors_of(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "symbol",
                    "as_of",
                    "swings",
                    "15m",
                    "lows",
                    "liquidation_zones",
                    "id",
                    "zone",
                    "symbols",
                    "BTCUSDT",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(content=JSON)
def test_no_content_raises(content: object) -> None:
    """Whatever is written there is either levels or an error that names a field."""
    for received in read(content):
        assert (received.levels is None) is bool(received.errors)
