"""Reading a decision: what is accepted, and how each hostile file is refused by the name of its field."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from jumar.decisions.decode import decode
from jumar.model.decision import Action, Levels, TrailMode
from jumar.ports.decisions import Received

EXAMPLE = """
{"symbol": "BTCUSDT", "timestamp_iso": "2025-12-05T10:05:00Z", "action": "long", "reason": "trend_up",
 "entry_zone": [90700, 90900], "sl": 90380, "tp1": 91600, "tp2": 92900,
 "risk_level": 2, "position_size_usdt": 1200, "leverage": 3, "confidence": 0.74,
 "risk_checks": {"daily_dd_ok": true, "weekly_dd_ok": true, "max_trades_per_day_ok": true, "session_ok": true, "no_major_news": true},
 "position_management": {"tp1_fraction": 0.5, "enable_trailing": true, "trail_mode": "structure_plus_liq", "liq_tp_zone_id": "cluster_1"}}
"""
TEN_O_FIVE_MS = 1_764_929_100_000


def read(text: str | bytes) -> Received:
    """Decode for the account `main` that manages two symbols."""
    data = text if isinstance(text, bytes) else text.encode()
    return decode(data, account="main", symbols=("BTCUSDT", "ETHUSDT"))


def changed(**fields: object) -> Received:
    """The example with some fields replaced; `...` removes one."""
    content = json.loads(EXAMPLE) | fields
    return read(json.dumps({name: value for name, value in content.items() if value is not ...}))


def patched(old: str, new: str) -> Received:
    """The example's text with one piece replaced, for what `json.dumps` would not write."""
    assert old in EXAMPLE
    return read(EXAMPLE.replace(old, new, 1))


@pytest.mark.rule("D-1", "D-4")
def test_the_specifications_example() -> None:
    """The example of the specification is accepted with every field, numbers exact."""
    received = read(EXAMPLE)
    decision = received.decision
    assert (received.errors, received.code, received.raw) == ((), None, EXAMPLE)
    assert decision is not None
    assert decision.levels == Levels(
        zone_min=Decimal(90700),
        zone_max=Decimal(90900),
        stop=Decimal(90380),
        tp1=Decimal(91600),
        tp2=Decimal(92900),
    )
    assert (decision.symbol, decision.timestamp_ms) == ("BTCUSDT", TEN_O_FIVE_MS)
    assert (decision.action, decision.reason) == (Action.LONG, "trend_up")
    assert (decision.notional, decision.leverage) == (Decimal(1200), Decimal(3))
    assert (decision.confidence, decision.risk_level) == (Decimal("0.74"), 2)
    assert decision.risk_checks is not None
    assert dict(decision.risk_checks)["no_major_news"] is True
    assert len(decision.risk_checks) == 5
    assert (decision.tp1_fraction, decision.enable_trailing) == (Decimal("0.5"), True)
    assert decision.trail_mode is TrailMode.STRUCTURE_PLUS_LIQ
    assert decision.liq_tp_zone_id == "cluster_1"


@pytest.mark.rule("D-1")
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", "0.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ('"0.74"', "0.74"),
        ("7.4e-1", "0.74"),
        ('"+.74"', "0.74"),
        ("1", "1"),
        ("0e99", "0"),
        ("-0.0", "0"),
        ("0.74" + "0" * 40, "0.74"),
    ],
)
def test_numbers_are_exact(written: str, value: str) -> None:
    """A number is what its digits say, as a number or as text, never what a binary float would make of it."""
    decision = patched("0.74", written).decision
    assert decision is not None
    assert decision.confidence == Decimal(value)


@pytest.mark.rule("D-1")
@pytest.mark.parametrize(
    "levels",
    [
        {"entry_zone": [], "sl": None, "tp1": None, "tp2": None},
        {"entry_zone": None, "sl": 0, "tp1": "0", "tp2": 1},
        {"entry_zone": ..., "sl": ..., "tp1": ..., "tp2": ..., "position_management": ...},
    ],
)
@pytest.mark.parametrize("amount", [0, None, ..., "0"])
def test_a_flat_decision_needs_no_levels(levels: dict[str, object], amount: object) -> None:
    """A flat decision is accepted with an empty zone, null prices, zero size and leverage."""
    received = changed(
        action="flat", position_size_usdt=amount, leverage=amount, confidence=amount, **levels
    )
    assert received.errors == ()
    assert received.decision is not None
    assert received.decision.action is Action.FLAT
    assert received.decision.levels is None
    assert received.decision.side is None


@pytest.mark.rule("D-1")
def test_flat_decisions_of_one_meaning_share_an_id() -> None:
    """What a flat decision's unused prices are makes no other decision of it."""
    bare = changed(action="flat", entry_zone=[], sl=None, tp1=None, tp2=None)
    full = changed(action="flat")
    assert bare.decision is not None
    assert full.decision is not None
    assert bare.decision.id == full.decision.id


@pytest.mark.rule("D-4")
def test_a_short_is_mirrored() -> None:
    """A short has its stop above and its targets below the zone."""
    short = changed(action="short", sl=91220, tp1=90000, tp2=88700)
    assert short.errors == ()
    assert [error.field for error in changed(action="short").errors] == ["sl", "tp1", "tp2"]


@pytest.mark.rule("D-1", "D-4")
def test_what_may_be_left_out() -> None:
    """A second target may be null; reason, risk level, checks and management may be left out."""
    decision = changed(
        tp2=None, reason=..., risk_level=..., risk_checks=..., position_management=...
    ).decision
    assert decision is not None
    assert decision.levels is not None
    assert decision.levels.tp2 is None
    assert (decision.reason, decision.risk_level, decision.risk_checks) == ("", None, None)
    assert (decision.tp1_fraction, decision.enable_trailing) == (Decimal("0.5"), False)
    assert (decision.trail_mode, decision.liq_tp_zone_id) == (TrailMode.NONE, None)


@pytest.mark.rule("D-1")
def test_unknown_fields_are_recorded_and_ignored() -> None:
    """A field nobody knows changes nothing but the raw text, whatever it holds."""
    strange = patched('"sl"', '"weather": {"a": NaN, "a": [1e999999]}, "sl"')
    assert strange.decision == read(EXAMPLE).decision
    assert '"weather": {"a": NaN' in strange.raw


@pytest.mark.rule("D-6")
def test_a_false_check_is_read_not_judged() -> None:
    """A false check stands in the decision, for the guard; a missing or empty block reads as missing."""
    decision = changed(risk_checks={"session_ok": False, "a": True}).decision
    assert decision is not None
    assert decision.risk_checks == (("a", True), ("session_ok", False))
    for missing in (changed(risk_checks=None), changed(risk_checks=...), changed(risk_checks={})):
        assert missing.decision is not None
        assert missing.decision.risk_checks is None


@pytest.mark.rule("D-2")
@pytest.mark.parametrize(
    "change",
    [
        {"reason": "other"},
        {"risk_level": 5},
        {"comment": "unknown"},
        {"timestamp_iso": "2025-12-05T11:05:00+01:00"},
        {"timestamp_iso": "2025-12-05T10:05Z"},
        {"sl": "90380.00"},
    ],
)
def test_what_does_not_matter_keeps_the_id(change: dict[str, object]) -> None:
    """Reason, risk level, unknown fields and other spellings of one moment or number keep the id."""
    one, other = read(EXAMPLE).decision, changed(**change).decision
    assert one is not None
    assert other is not None
    assert one.id == other.id


@pytest.mark.rule("D-2")
@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "ETHUSDT"},
        {"timestamp_iso": "2025-12-05T10:05:00.001Z"},
        {"action": "flat"},
        {"entry_zone": [90700, 90900.1]},
        {"entry_zone": [90699.9, 90900]},
        {"sl": 90380.1},
        {"tp1": 91600.1},
        {"tp2": 92900.1},
        {"tp2": None},
        {"position_size_usdt": 1200.5},
        {"leverage": 2},
        {"confidence": 0.75},
        {"risk_checks": {"daily_dd_ok": True}},
        {"risk_checks": None},
        {"position_management": {"tp1_fraction": 0.4}},
        {"position_management": {"enable_trailing": True}},
        {"position_management": {"trail_mode": "percent"}},
        {"position_management": {"liq_tp_zone_id": "cluster_2"}},
    ],
)
def test_what_matters_changes_the_id(change: dict[str, object]) -> None:
    """Every field that execution depends on is part of the id."""
    one, other = read(EXAMPLE).decision, changed(**change).decision
    assert one is not None
    assert other is not None
    assert one.id != other.id


@pytest.mark.rule("D-2")
def test_accounts_have_ids_of_their_own() -> None:
    """The same decision for another account has another id."""
    mine = read(EXAMPLE).decision
    theirs = decode(EXAMPLE.encode(), account="other", symbols=("BTCUSDT",)).decision
    assert mine is not None
    assert theirs is not None
    assert mine.id != theirs.id


HOSTILE: list[tuple[str, Callable[[], Received]]] = [
    # not JSON, or no object
    ("(file)", lambda: read(b"")),
    ("(file)", lambda: read(b"  \n ")),
    ("(file)", lambda: read(EXAMPLE[:200])),
    ("(file)", lambda: read("[]")),
    ("(file)", lambda: read("null")),
    ("(file)", lambda: read("12")),
    ("(file)", lambda: read(b"\xff\xfe{\x00}\x00")),
    ("(file)", lambda: read(b'{"symbol": "BTC\xc3')),
    ("(file)", lambda: read(b"[" * 200_000)),
    ("(file)", lambda: read(b'{"a":' * 100_000)),
    ("(file)", lambda: read(b" " * 1_048_577)),
    ("(file)", lambda: read(EXAMPLE + "x")),
    ("(file)", lambda: patched("90380", "0x1")),
    ("(file)", lambda: patched("90380", "090380")),
    ("(file)", lambda: patched("90380,", "90380,,")),
    # symbol and time
    ("symbol", lambda: changed(symbol=...)),
    ("symbol", lambda: changed(symbol=None)),
    ("symbol", lambda: changed(symbol=7)),
    ("symbol", lambda: changed(symbol="")),
    ("symbol", lambda: changed(symbol="B" * 65)),
    ("symbol", lambda: changed(symbol="BTC\nUSDT")),
    ("symbol", lambda: changed(symbol="\ud800")),
    ("symbol", lambda: changed(symbol=["BTCUSDT"])),
    ("timestamp_iso", lambda: changed(timestamp_iso=...)),
    ("timestamp_iso", lambda: changed(timestamp_iso=1764929100000)),
    ("timestamp_iso", lambda: changed(timestamp_iso="2025-12-05T10:05:00")),
    ("timestamp_iso", lambda: changed(timestamp_iso="2025-12-05")),
    ("timestamp_iso", lambda: changed(timestamp_iso="yesterday")),
    ("timestamp_iso", lambda: changed(timestamp_iso="2025-13-05T10:05:00Z")),
    ("timestamp_iso", lambda: changed(timestamp_iso="2025-02-30T10:05:00Z")),
    ("timestamp_iso", lambda: changed(timestamp_iso="0000-01-01T00:00:00Z")),
    ("timestamp_iso", lambda: changed(timestamp_iso="2025-12-05T10:05:00+99:00")),
    ("timestamp_iso", lambda: changed(timestamp_iso="0001-01-01T00:00:00+14:00")),
    ("timestamp_iso", lambda: changed(timestamp_iso="9999-12-31T23:59:59-14:00")),
    # action
    ("action", lambda: changed(action=...)),
    ("action", lambda: changed(action="LONG")),
    ("action", lambda: changed(action="buy")),
    ("action", lambda: changed(action=None)),
    ("action", lambda: changed(action=1)),
    # levels
    ("entry_zone", lambda: changed(entry_zone=...)),
    ("entry_zone", lambda: changed(entry_zone=[])),
    ("entry_zone", lambda: changed(entry_zone=[90700])),
    ("entry_zone", lambda: changed(entry_zone=[90700, 90800, 90900])),
    ("entry_zone", lambda: changed(entry_zone={"min": 90700, "max": 90900})),
    ("entry_zone", lambda: changed(entry_zone=[90900, 90700])),
    ("entry_zone[0]", lambda: changed(entry_zone=[None, 90900])),
    ("entry_zone[1]", lambda: changed(entry_zone=[90700, "high"])),
    ("entry_zone[0]", lambda: changed(entry_zone=[0, 90900])),
    ("entry_zone[1]", lambda: patched("[90700, 90900]", "[90700, Infinity]")),
    ("sl", lambda: changed(sl=...)),
    ("sl", lambda: changed(sl=None)),
    ("sl", lambda: changed(sl=True)),
    ("sl", lambda: changed(sl=-1)),
    ("sl", lambda: changed(sl=[90380])),
    ("sl", lambda: changed(sl=90700)),
    ("sl", lambda: changed(sl=90950)),
    ("sl", lambda: changed(sl="90_380")),
    ("sl", lambda: changed(sl="90,380")),
    ("sl", lambda: changed(sl=" 90380")),
    ("sl", lambda: changed(sl="٩٠٣٨٠")),
    ("sl", lambda: changed(sl="")),
    ("sl", lambda: changed(sl="sNaN")),
    ("sl", lambda: patched("90380", "NaN")),
    ("sl", lambda: patched("90380", "-Infinity")),
    ("sl", lambda: patched("90380", "1e999999")),
    ("sl", lambda: patched("90380", "1e-999999999")),
    ("sl", lambda: patched("90380", "1e99999999999999999999")),
    ("sl", lambda: patched("90380", "9" * 5_000)),
    ("sl", lambda: patched("90380", "9" * 900_000)),
    ("sl", lambda: patched("90380", "90380." + "1" * 40)),
    ("sl", lambda: patched('"sl": 90380', '"sl": 90380, "sl": 90100')),
    ("tp1", lambda: changed(tp1=None)),
    ("tp1", lambda: changed(tp1=90900)),
    ("tp2", lambda: changed(tp2=...)),
    ("tp2", lambda: changed(tp2=91599.9)),
    ("tp2", lambda: changed(tp2=0)),
    ("tp2", lambda: changed(tp2=False)),
    ("sl", lambda: changed(action="flat", sl="none")),
    ("entry_zone", lambda: changed(action="flat", entry_zone=[1])),
    # amounts
    ("position_size_usdt", lambda: changed(position_size_usdt=...)),
    ("position_size_usdt", lambda: changed(position_size_usdt=0)),
    ("position_size_usdt", lambda: changed(position_size_usdt=-1200)),
    ("position_size_usdt", lambda: changed(position_size_usdt="1200 USDT")),
    ("position_size_usdt", lambda: changed(action="flat", position_size_usdt=-1)),
    ("leverage", lambda: changed(leverage=0)),
    ("leverage", lambda: changed(leverage=0.9)),
    ("leverage", lambda: changed(leverage="3x")),
    ("leverage", lambda: changed(leverage=None)),
    ("confidence", lambda: changed(confidence=...)),
    ("confidence", lambda: changed(confidence=1.01)),
    ("confidence", lambda: changed(confidence=-0.1)),
    ("confidence", lambda: changed(confidence="high")),
    # blocks
    ("risk_checks", lambda: changed(risk_checks=True)),
    ("risk_checks", lambda: changed(risk_checks=["daily_dd_ok"])),
    ("risk_checks", lambda: changed(risk_checks={str(n): True for n in range(33)})),
    ("risk_checks", lambda: changed(risk_checks={"x" * 65: True})),
    ("risk_checks.session_ok", lambda: changed(risk_checks={"session_ok": "true"})),
    ("risk_checks.session_ok", lambda: changed(risk_checks={"session_ok": 1})),
    ("risk_checks.session_ok", lambda: changed(risk_checks={"session_ok": None})),
    (
        "risk_checks.session_ok",
        lambda: patched('"session_ok": true', '"session_ok": false, "session_ok": true'),
    ),
    ("position_management", lambda: changed(position_management="default")),
    *(
        (
            f"position_management.{name}",
            lambda name=name, value=value: changed(position_management={name: value}),
        )
        for name, value in [
            ("tp1_fraction", 0),
            ("tp1_fraction", 1.1),
            ("tp1_fraction", "half"),
            ("enable_trailing", "yes"),
            ("enable_trailing", 1),
            ("trail_mode", "atr"),
            ("trail_mode", 3),
            ("liq_tp_zone_id", 1),
            ("liq_tp_zone_id", "a\x1b[2J"),
            ("liq_tp_zone_id", "\udfff"),
        ]
    ),
    ("reason", lambda: changed(reason=["trend"])),
    ("risk_level", lambda: changed(risk_level=2.5)),
    ("risk_level", lambda: changed(risk_level="high")),
]


@pytest.mark.rule("D-4", "D-1")
@pytest.mark.parametrize(("field", "hostile"), HOSTILE)
def test_a_hostile_file_is_refused_by_name(field: str, hostile: Callable[[], Received]) -> None:
    """Each is refused with one error that names exactly the wrong field, its value and the fix in one line."""
    received = hostile()
    assert (received.decision, received.code) == (None, "malformed")
    assert [error.field for error in received.errors] == [field]
    error = received.errors[0]
    assert error.rule in {"D-1", "D-4", "D-5", "D-6"}
    assert error.message
    assert len(str(error)) < 300
    assert str(error).isprintable()
    assert len(received.raw) <= 16 * 1024
    received.raw.encode()


@pytest.mark.rule("D-5")
def test_a_parse_error_says_where() -> None:
    """A content that is not JSON is refused with line and column."""
    error = read('{"symbol": "BTCUSDT",\n "sl": }').errors[0]
    assert str(error) == '(file) = "}": is not JSON at line 2, column 8: Expecting value (D-5)'


@pytest.mark.rule("D-5")
@pytest.mark.parametrize("text", ['{"action": ', '{"action":\n \n'])
def test_a_file_that_breaks_off_says_so(text: str) -> None:
    """A writer that is not done yet leaves nothing to show at the place of the error."""
    error = read(text).errors[0]
    assert str(error).startswith("(file) = (the file ends): is not JSON at line ")


@pytest.mark.rule("D-4")
def test_all_errors_are_told_at_once() -> None:
    """One reading names everything that is wrong, so that one repair is enough."""
    received = changed(action="up", sl="x", tp2=..., leverage=0, risk_checks={"a": 1})
    fields = [error.field for error in received.errors]
    assert fields == ["action", "sl", "tp2", "leverage", "risk_checks.a"]
    assert str(received.errors[1]) == 'sl = "x": must be a number, such as 90380.5 (D-1)'


@pytest.mark.rule("D-4")
def test_a_symbol_not_configured_is_not_managed() -> None:
    """A symbol that is not configured has a code of its own, wins over other errors, and the fix is named."""
    received = changed(symbol="SOLUSDT", sl="x")
    assert (received.decision, received.code) == (None, "symbol_not_managed")
    assert "[symbols.SOLUSDT]" in str(received.errors[-1])
    assert "BTCUSDT, ETHUSDT" in str(received.errors[-1])
    assert "write BTCUSDT" in str(changed(symbol="btcusdt").errors[0])


@pytest.mark.rule("D-7")
@pytest.mark.parametrize(
    ("change", "symbol", "timestamp_ms"),
    [
        ({"sl": 99999}, "BTCUSDT", TEN_O_FIVE_MS),
        ({"sl": 99999, "timestamp_iso": "soon"}, "BTCUSDT", None),
        ({"symbol": 5}, None, TEN_O_FIVE_MS),
        ({"symbol": "SOLUSDT"}, "SOLUSDT", TEN_O_FIVE_MS),
        ({"symbol": [], "timestamp_iso": {}}, None, None),
    ],
)
def test_a_refused_file_tells_whose_it_was(
    change: dict[str, object], symbol: str | None, timestamp_ms: int | None
) -> None:
    """Symbol and time of a refused file are told as far as they can be read: it still supersedes."""
    received = changed(**change)
    assert received.decision is None
    assert (received.symbol, received.timestamp_ms) == (symbol, timestamp_ms)


@pytest.mark.rule("D-7")
@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1970-01-01T00:00:00.0019999Z", 1),
        ("1970-01-01 01:00:00+0100", 0),
        ("1970-01-01t00:00z", 0),
        ("1969-12-31T23:59:59.999-00:00", -1),
        ("2025-12-05T10:05:00,5Z", TEN_O_FIVE_MS + 500),
    ],
)
def test_times_become_milliseconds(written: str, moment: int) -> None:
    """Every usual spelling of a moment with a zone is read to the millisecond."""
    assert changed(timestamp_iso=written).timestamp_ms == moment


def test_a_byte_order_mark_is_no_error() -> None:
    """A UTF-8 file that begins with a byte order mark, as some systems write it, is read."""
    assert read(b"\xef\xbb\xbf" + EXAMPLE.encode()).decision == read(EXAMPLE).decision


def test_a_reason_cannot_speak_to_the_terminal() -> None:
    """Control characters and broken text of a reason are blanked, and a long one is cut."""
    decision = changed(reason="up\x1b[2J\ud800" + "x" * 1_000).decision
    assert decision is not None
    assert decision.reason.startswith("up [2J x")
    assert len(decision.reason) == 500


@pytest.mark.rule("R-1", "D-4")
@pytest.mark.parametrize("mode", list(TrailMode))
def test_the_ways_of_trailing_are_read(mode: TrailMode) -> None:
    """Each of the four by its name; without one nothing trails."""
    decision = changed(position_management={"trail_mode": mode.value}).decision
    assert decision is not None
    assert decision.trail_mode is mode
    silent = changed(position_management={}).decision
    assert silent is not None
    assert silent.trail_mode is TrailMode.NONE


@pytest.mark.rule("R-1", "D-4")
@pytest.mark.parametrize("mode", ["atr", "Structure", "", 3])
def test_other_ways_of_trailing_are_refused(mode: object) -> None:
    """By field and value, with those that are known."""
    received = changed(position_management={"trail_mode": mode})
    assert received.decision is None
    (error,) = received.errors
    assert "trail_mode" in error.field
    assert "structure_plus_liq" in error.message
