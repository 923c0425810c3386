"""Decision files that somebody could write by mistake or by malice: a hand-made list and a seeded generator."""

import json
from collections.abc import Iterator
from random import Random  # noqa: TID251 - seeded: the same files at every run

EXAMPLE = """
{"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:05:00Z", "action": "long", "reason": "trend_up",
 "entry_zone": [90700, 90900], "sl": 90380, "tp1": 91600, "tp2": 92900,
 "risk_level": 2, "position_size_usdt": 1200, "leverage": 3, "confidence": 0.74,
 "risk_checks": {"daily_dd_ok": true, "weekly_dd_ok": true, "max_trades_per_day_ok": true, "session_ok": true, "no_major_news": true},
 "position_management": {"tp1_fraction": 0.5, "enable_trailing": true, "trail_mode": "structure_plus_liq", "liq_tp_zone_id": "cluster_1"}}
"""
SHORT: dict[str, object] = {
    "action": "short",
    "entry_zone": [90700, 90900],
    "sl": 91220,
    "tp1": 90000,
    "tp2": 88700,
}
_NUMBERS = ("sl", "tp1", "tp2", "position_size_usdt", "leverage", "confidence", "risk_level")
_FIELDS = (*_NUMBERS, "symbol", "timestamp_iso", "action", "entry_zone", "reason", "risk_checks")
_FIELDS_ALL = (*_FIELDS, "position_management")


def changed(**fields: object) -> str:
    """The example with some fields replaced; `...` removes one."""
    content = json.loads(EXAMPLE) | fields
    return json.dumps({name: value for name, value in content.items() if value is not ...})


def patched(old: str, new: str) -> bytes:
    """The example's text with one piece replaced, for what `json.dumps` would not write."""
    return EXAMPLE.replace(old, new, 1).encode(errors="surrogatepass")


#: A content and the name, or the position, that the answer must contain.
HAND_MADE: tuple[tuple[str, bytes], ...] = (
    ("(empty)", b""),
    ("(empty)", b" \r\n\t"),
    ("(file)", b"\x00"),
    ("line 1, column 1", b"\x00" * 4096),
    ("byte 0xff at position 0", EXAMPLE.encode("utf-16")),
    ("(file)", EXAMPLE.encode("utf-16-le")),
    ("(file)", EXAMPLE.encode("utf-32")),
    ("position 7", b'{"sl": \xed\xa0\x80}'),
    ("byte 0xc3 at position 15", b'{"symbol": "BTC\xc3'),
    ("(too large)", b"[" + b"1," * 1_000_000 + b"1]"),
    ("(too large)", EXAMPLE.encode() + b" " * 1_100_000),
    ("(file)", b"[" * 200_000),
    ("(file)", b'{"a":' * 100_000),
    ("(file)", b"[]"),
    ("(file)", b"null"),
    ("(file)", b"1764929100"),
    ("(file)", b'"long"'),
    ("line 2, column", EXAMPLE.strip()[:150].encode()),
    ("line 7, column 1", EXAMPLE.encode() + b"x"),
    ("line 1, column 1", b"symbol: BTCUSDT\naction: long\n"),
    ("line 1, column 1", b"<decision/>"),
    ("column", b"{'symbol': 'BTCUSDT'}"),
    ("sl", patched("90380", "NaN")),
    ("sl", patched("90380", "Infinity")),
    ("sl", patched("90380", "-Infinity")),
    ("sl", patched("90380", "1e999")),
    ("sl", patched("90380", "1e-999999999")),
    ("sl", patched("90380", "9" * 5000)),
    ("sl", patched("90380", "9" * 900_000)),
    ("sl", patched("90380", "-90380")),
    ("sl", patched("90380", "true")),
    ("sl", patched("90380", "[90380]")),
    ("sl", patched("90380", '"90,380"')),
    ("sl", patched("90380", '"٩٠٣٨٠"')),
    ("sl", patched("90380", '"\\ud800"')),
    ("sl", patched('"sl": 90380', '"sl": 90380, "sl": 90100')),
    ("line 3, column", patched("90380", "0x16104")),
    ("line 3, column", patched("90380", "090380")),
    ("entry_zone", patched("[90700, 90900]", "[90700, 90800, 90900]")),
    ("entry_zone", patched("[90700, 90900]", "[]")),
    ("entry_zone[1]", patched("[90700, 90900]", "[90700, NaN]")),
    ("entry_zone", patched("[90700, 90900]", "[90900, 90700]")),
    ("entry_zone", patched("[90700, 90900]", '{"min": 90700, "max": 90900}')),
    ("entry_zone", patched("[90700, 90900]", '"90700-90900"')),
    ("tp2", patched(', "tp2": 92900', "")),
    ("position_size_usdt", patched("1200", "0")),
    ("position_size_usdt", patched("1200", "-1e14")),
    ("leverage", patched('"leverage": 3', '"leverage": false')),
    ("confidence", patched("0.74", "74")),
    ("risk_level", patched('"risk_level": 2', '"risk_level": 1e300')),
    ("risk_checks.session_ok", patched('"session_ok": true', '"session_ok": 1')),
    ("risk_checks", changed(risk_checks={str(n): True for n in range(99)}).encode()),
    ("position_management.trail_mode", patched("structure_plus_liq", "atr")),
    ("position_management.tp1_fraction", patched('"tp1_fraction": 0.5', '"tp1_fraction": 50')),
    ("symbol", patched('"BTCUSDT"', '"btc\\u0000usdt"')),
    ("symbol", patched('"BTCUSDT"', '"../../etc/passwd"')),
    ("symbol", patched('"BTCUSDT"', '"XRPUSDT"')),
    ("action", patched('"long"', '"LONG"')),
    *(
        ("timestamp_iso", patched("2025-12-05T10:05:00Z", moment))
        for moment in (
            *("1764929100", "2025-12-05", "05.12.2025 10:05", "2025-12-05T10:05:00", "now"),
            *("2025-02-30T10:05:00Z", "2025-12-05T25:00:00Z", "2025-12-05T10:05:00+99:00"),
            *("20251205T100500Z", "2025-W49-5T10:05:00Z", "-2025-12-05T10:05:00Z", "Z"),
            *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "٢٠٢٥-12-05T10:05:00Z"),
        )
    ),
)
#: Readable and strange: to be judged, not to be stumbled over.
STRANGE: tuple[bytes, ...] = (
    b"\xef\xbb\xbf" + EXAMPLE.encode(),
    changed(timestamp_iso="9999-12-31T23:59:59.999Z").encode(),
    changed(timestamp_iso="0001-01-01T00:00:00Z").encode(),
    changed(symbol="DOGEUSDT", entry_zone=[1e-17, 2e-17], sl=1e-18, tp1=1e-16, tp2=None).encode(),
    changed(entry_zone=[9e14, "9.1e14"], sl=1e-18, tp1="9.9e14", tp2=None).encode(),
    changed(entry_zone=[1e-18, 1e-18], sl=1e-18 / 2, tp1=9e14, tp2=None).encode(),
    changed(**SHORT | {"sl": 9e14, "entry_zone": [1e-17, 9e13], "tp1": 1e-18, "tp2": None}).encode(),
    changed(**SHORT | {"entry_zone": [0.01, 0.02], "sl": 9e14, "tp1": 0.009, "tp2": 0.001}).encode(),
    changed(position_size_usdt="1e-18", leverage="1e14").encode(),
    changed(position_size_usdt="9e14").encode(),
    changed(entry_zone=["90700.000000000000000001", "90700.000000000000000002"]).encode(),
    changed(entry_zone=[90700.01, 90700.09]).encode(),
    changed(action="flat", entry_zone=[], sl=None, tp1=None, tp2=None, leverage=0).encode(),
    changed(weather={"a": [float("nan"), "\ud800"]}).encode(),
    changed(reason="\x1b[2J\u202e" * 5000).encode(),
)  # fmt: skip


def drawn(seed: int, count: int) -> Iterator[bytes]:
    """Mutations of a good decision, the same for the same seed."""
    dice = Random(seed)
    for _ in range(count):
        yield _one(dice)


def _one(dice: Random) -> bytes:
    content = json.loads(changed(**SHORT) if dice.random() < 0.4 else EXAMPLE)
    for _ in range(dice.randint(1, 3)):
        field = dice.choice(_FIELDS_ALL)
        if dice.random() < 0.1:
            content.pop(field, None)
        elif field in _NUMBERS and dice.random() < 0.6:
            content[field] = _number(dice)
        elif field == "entry_zone" and dice.random() < 0.6:
            content[field] = [_number(dice) for _ in range(dice.choice((1, 2, 2, 2, 3)))]
        else:
            content[field] = _value(dice)
    data = json.dumps(content).encode()
    if dice.random() < 0.15:
        place = dice.randrange(len(data))
        broken = (data[:place], data[:place] + dice.randbytes(2) + data[place + 2 :])
        data = dice.choice(broken)
    return data


def _number(dice: Random) -> object:
    price = round(dice.uniform(89000, 93000), dice.randint(0, 4))
    return dice.choice(
        (price, str(price), -price, price * 10 ** dice.randint(-20, 20), 0, 1, "1e14")
    )


def _value(dice: Random) -> object:
    return dice.choice(
        (
            None,
            True,
            -1,
            0.5,
            "",
            "long",
            "flat",
            "NaN",
            [],
            {},
            [[1]],
            {"a": None},
            1e308,
            "x" * 99,
        )
    )
