"""Whatever comes over the wire: values, events, or a wire error; nothing else ever escapes."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.binance import samples

from jumar.exchange.binance import events, frames, outcomes, translate, wire
from jumar.model.order import Channel
from jumar.model.outcome import Accepted, Rejected, Unknown

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["NaN", "-Infinity", "1e999999", "-0", "", "0x1", "\u0661", "SELL", "-1"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)
READS: tuple[tuple[Any, Any, Callable[[Any], object]], ...] = (
    (samples.ORDER_READ, wire.Order, translate.regular_order),
    (samples.ALGO_READ, wire.AlgoOrder, translate.conditional_order),
    (samples.USER_TRADE, wire.UserTrade, translate.fill),
    (samples.BOOK_TICKER, wire.BookTicker, translate.quote),
    (samples.ACCOUNT, wire.Account, lambda row: translate.balance(row, "USDT")),
    (samples.ACCOUNT_CONFIG, wire.AccountConfig, translate.account_settings),
    (samples.POSITION, wire.PositionRow, lambda row: translate.positions([row], ["BTCUSDT"])),
    (
        samples.SYMBOL_CONFIG,
        wire.SymbolConfig,
        lambda row: translate.symbol_settings([row], "BTCUSDT"),
    ),
)
JUDGES = (
    outcomes.placed(samples.ENTRY_REQUEST),
    outcomes.placed(samples.STOP_REQUEST),
    outcomes.cancelled("BTCUSDT", client_id=samples.ENTRY_ID),
    outcomes.conditional_cancelled(samples.STOP_ID),
    outcomes.leverage_set("BTCUSDT", 5),
    outcomes.done,
)


def _mangle(draw: Callable[[st.SearchStrategy[Any]], Any], value: Any) -> Any:
    """Change one part of a JSON value: another value, or nothing."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    copy: Any = value.copy()
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    if draw(st.integers(0, 4)) == 0:
        del copy[key]
    else:
        copy[key] = _mangle(draw, value[key])
    return copy


@st.composite
def mangled_frames(draw: st.DrawFn) -> str:
    """An event with one part broken, perhaps cut short."""
    text = json.dumps(_mangle(draw, draw(st.sampled_from(samples.EVENTS))))
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


@st.composite
def mangled_reads(draw: st.DrawFn) -> tuple[str, Any, Callable[[Any], object]]:
    """An answer with one part broken, its shape and its translation."""
    sample, shape, translation = draw(st.sampled_from(READS))
    return json.dumps(_mangle(draw, sample)), shape, translation


@given(mangled_frames())
def test_a_mangled_frame_gives_events_or_a_wire_error(frame: str) -> None:
    """No broken frame raises anything but WireError."""
    with contextlib.suppress(wire.WireError):
        message = frames.decode_frame(frame)
        found = () if message is None else events.events_of(message, "USDT")
        assert isinstance(found, tuple)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_json_give_a_wire_error(payload: bytes) -> None:
    """Arbitrary bytes are unreadable, never fatal."""
    with contextlib.suppress(wire.WireError):
        frames.decode_frame(payload)


def test_deep_nesting_gives_a_wire_error() -> None:
    """A payload nested beyond all sense is unreadable, never fatal."""
    for payload in ("[" * 100_000, '{"data":' * 100_000, '{"e":"aggTrade","x":' + "[" * 100_000):
        with contextlib.suppress(wire.WireError):
            assert frames.decode_frame(payload) is None


@given(mangled_reads())
def test_a_mangled_answer_gives_a_value_or_a_wire_error(
    case: tuple[str, Any, Callable[[Any], object]],
) -> None:
    """No broken answer to a read raises anything but WireError."""
    text, shape, translation = case
    with contextlib.suppress(wire.WireError):
        assert translation(wire.decode(text, shape)) is not None


@given(status=st.integers(0, 999), body=st.binary(max_size=40), judge=st.sampled_from(JUDGES))
def test_every_answer_to_a_write_has_an_outcome(
    status: int, body: bytes, judge: outcomes.Judge
) -> None:
    """Whatever a server answers, a write ends in one of the three outcomes; junk is never accepted."""
    outcome = outcomes.outcome_of(outcomes.Answer(status=status, body=body), judge)
    assert isinstance(outcome, Accepted | Rejected | Unknown)
    assert not isinstance(outcome, Accepted)


@given(st.data())
def test_a_mangled_echo_has_an_outcome(data: st.DataObject) -> None:
    """A broken echo is unknown; one that still reads names our order."""
    judge, sample, client_id = data.draw(
        st.sampled_from(
            [
                (JUDGES[0], samples.ORDER_ANSWER, samples.ENTRY_ID),
                (JUDGES[1], samples.ALGO_PLACED, samples.STOP_ID),
            ]
        )
    )
    body = json.dumps(_mangle(data.draw, sample)).encode()
    outcome = outcomes.outcome_of(outcomes.Answer(status=200, body=body), judge)
    if isinstance(outcome, Accepted):
        assert outcome.report is not None
        assert outcome.report.client_id == client_id
        assert outcome.report.channel in Channel
    else:
        assert isinstance(outcome, Unknown)
