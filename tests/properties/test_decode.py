"""For all inputs: the same content has the same id, and no bytes make the reader raise."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jumar.decisions.decode import decode
from jumar.model.decision import Decision

SYMBOLS = ("BTCUSDT",)
FIELDS = [
    "symbol",
    "timestamp_iso",
    "action",
    "reason",
    "entry_zone",
    "sl",
    "tp1",
    "tp2",
    "risk_level",
    "position_size_usdt",
    "leverage",
    "confidence",
    "risk_checks",
    "position_management",
]

prices = st.integers(100, 10**9).map(lambda cents: Decimal(cents) / 100)


@st.composite
def contents(draw: st.DrawFn) -> dict[str, object]:
    """A decision of right shape and geometry, numbers as `Decimal`."""
    stop, low, high, tp1, tp2 = sorted(draw(st.lists(prices, min_size=5, max_size=5, unique=True)))
    return {
        "symbol": "BTCUSDT",
        "timestamp_iso": "2025-12-05T10:05:00Z",
        "action": "long",
        "entry_zone": [low, high],
        "sl": stop,
        "tp1": tp1,
        "tp2": draw(st.sampled_from([tp2, None])),
        "position_size_usdt": draw(prices),
        "leverage": Decimal(draw(st.integers(1, 20))),
        "confidence": draw(st.sampled_from([Decimal(0), Decimal("0.74"), Decimal(1)])),
        "risk_checks": {"daily_dd_ok": draw(st.booleans()), "session_ok": True},
        "position_management": {
            "tp1_fraction": Decimal(draw(st.integers(1, 100))) / 100,
            "enable_trailing": draw(st.booleans()),
            "trail_mode": draw(st.sampled_from(["percent", "none"])),
        },
    }


def number(draw: st.DrawFn, value: Decimal) -> str:
    """One of the ways to write a number."""
    plain = format(value, "f")
    return draw(
        st.sampled_from(
            [
                plain,
                f'"{plain}"',
                plain + ("00" if "." in plain else ".00"),
                f"{value.scaleb(3):f}e-3",
                f"{value.scaleb(-2):f}E2",
                f'"+{plain}"',
            ]
        )
    )


def spelled(draw: st.DrawFn, value: object) -> str:
    """One of the ways to write a JSON value: numbers, key order and blanks are free."""
    blank = draw(st.sampled_from(["", " ", "\n\t "]))
    match value:
        case Decimal():
            return number(draw, value)
        case dict():
            items = draw(st.permutations(list(value.items())))
            pairs = (f'"{key}"{blank}:{blank}{spelled(draw, item)}' for key, item in items)
            return "{" + blank + f",{blank}".join(pairs) + blank + "}"
        case list():
            return "[" + f"{blank},".join(spelled(draw, item) for item in value) + "]"
        case _:
            return json.dumps(value)


@st.composite
def twins(draw: st.DrawFn) -> tuple[str, str]:
    """One content in two spellings, with what does not matter differing freely."""
    content = draw(contents())
    other = content | {"reason": draw(st.text(max_size=5)), "weather": draw(st.floats())}
    return spelled(draw, content), spelled(draw, other)


def accepted(text: str, account: str = "main") -> Decision:
    """The decision of an accepted text."""
    received = decode(text.encode("utf-8", "surrogatepass"), account=account, symbols=SYMBOLS)
    assert received.errors == ()
    assert received.decision is not None
    return received.decision


@pytest.mark.rule("D-2", "D-1")
@given(twins())
def test_one_content_has_one_id(texts: tuple[str, str]) -> None:
    """Whatever the spacing, key order and spelling of numbers: same content, same id, equal values."""
    one, other = accepted(texts[0]), accepted(texts[1])
    assert one.id == other.id
    assert (one.levels, one.notional, one.leverage) == (
        other.levels,
        other.notional,
        other.leverage,
    )
    assert one.risk_checks == other.risk_checks


@pytest.mark.rule("D-2")
@given(contents(), contents())
def test_other_content_has_another_id(one: dict[str, object], other: dict[str, object]) -> None:
    """Two decisions share an id exactly when their contents are equal."""
    ids = [accepted(json.dumps(content, default=str)).id for content in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A right file with a few bytes replaced by any."""
    data = bytearray(json.dumps(draw(contents()), default=str).encode())
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


@pytest.mark.rule("D-1", "D-4")
@given(st.binary() | damaged())
def test_no_bytes_raise(data: bytes) -> None:
    """Any bytes are either accepted or refused with a reason that can be stored and shown."""
    received = decode(data, account="main", symbols=SYMBOLS)
    assert (received.decision is None) == bool(received.errors)
    assert (received.code is None) == (received.errors == ())
    received.raw.encode()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["long", "flat", "BTCUSDT", "2025-12-05T10:05:00Z", "1e999999", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.rule("D-4")
@given(st.dictionaries(st.sampled_from(FIELDS), values), contents())
def test_no_json_raises(fields: dict[str, object], right: dict[str, object]) -> None:
    """Right fields mixed with any JSON values are accepted or refused by the name of a wrong field."""
    data = json.dumps(right | fields, default=str).encode()
    received = decode(data, account="main", symbols=SYMBOLS)
    assert (received.decision is None) == bool(received.errors)
    for error in received.errors:
        assert error.field.split(".")[0].split("[")[0] in FIELDS
        assert str(error).isprintable()


@given(contents(), st.integers(0))
def test_a_cut_file_never_raises(content: dict[str, object], cut: int) -> None:
    """A file that was cut anywhere is refused as no JSON, never half understood."""
    data = json.dumps(content, default=str).encode()
    received = decode(data[: cut % len(data)], account="main", symbols=SYMBOLS)
    assert [error.field for error in received.errors] == ["(file)"]
