"""What a reply proves: the total classification of answers to writes and reads."""

import json
from typing import Any

import pytest
from tests.unit.binance.samples import ALGO_PLACED, ENTRY_REQUEST, ORDER_ANSWER, STOP_REQUEST

from jumar.exchange.binance import errors, outcomes
from jumar.exchange.binance.outcomes import Answer, NoAnswer
from jumar.model.errors import VenueRefused, VenueUnavailable
from jumar.model.order import OrderStatus
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown

CANCEL = outcomes.cancelled("BTCUSDT", client_id="jm-abcdefghij-E1")


def _error(status: int, code: int, msg: str = "text") -> Answer:
    return Answer(status=status, body=json.dumps({"code": code, "msg": msg}).encode())


def _ok(body: Any) -> Answer:
    return Answer(status=200, body=json.dumps(body).encode())


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(
    "reply",
    [
        NoAnswer(reason="no answer within 800 ms"),
        NoAnswer(reason="connection reset"),
        _error(503, -1000, "Unknown error, please check your request or try again later."),
        _error(503, -1016, "Service Unavailable."),
        _error(503, -1001, "Internal error; unable to process your request. Please try again."),
        _error(503, -1008, "Request throttled by system-level protection."),
        _error(500, -1000),
        _error(502, -2019),
        _error(504, -1007),
        _error(403, -2015),
        _error(408, -1007),
        _error(400, -1000),
        _error(400, -1001),
        _error(400, -1006),
        _error(400, -1007),
        _error(400, -1008),
        _error(429, -1008),
        _error(400, -4116),
        _error(400, -99999),
        Answer(status=400, body=b"<html>"),
        Answer(status=429, body=b""),
        Answer(status=301, body=b""),
        Answer(status=301, body=b'{"code":-2019,"msg":"m"}'),
        Answer(status=200, body=b""),
        Answer(status=200, body=b"\xff"),
        Answer(status=200, body=b'{"code":-2019,"msg":"Margin is insufficient."}'),
        Answer(status=0, body=b""),
    ],
    ids=str,
)
def test_everything_that_is_no_clear_answer_is_unknown(reply: outcomes.Reply) -> None:
    """Silence, firewalls, timeouts, server errors, unclear codes and unreadable bodies prove nothing."""
    outcome = outcomes.outcome_of(reply, outcomes.placed(STOP_REQUEST))
    assert isinstance(outcome, Unknown)
    assert outcome.reason


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, -2019),
        (400, -2021),
        (400, -2022),
        (400, -1021),
        (400, -5028),
        (400, -5022),
        (400, -4509),
        (400, -4130),
        (400, -2011),
        (401, -2015),
        (429, -1015),
        (429, -1003),
        (418, -1003),
        (429, -99999),
    ],
)
def test_a_client_error_that_says_not_executed_is_a_rejection(status: int, code: int) -> None:
    """A 4xx with a code whose row excludes an execution is rejected, with the venue's words."""
    outcome = outcomes.outcome_of(_error(status, code, "words"), outcomes.placed(STOP_REQUEST))
    assert outcome == Rejected(code=code, message="words")


@pytest.mark.rule("X-3")
def test_set_already_is_success() -> None:
    """-4046 on a setting means that it is as wished."""
    assert outcomes.outcome_of(_error(400, -4046), outcomes.done) == Accepted(already=True)


def _status(outcome: Outcome) -> OrderStatus | None:
    return outcome.report.status if isinstance(outcome, Accepted) and outcome.report else None


@pytest.mark.rule("X-3")
def test_an_echo_is_accepted_and_kept() -> None:
    """The echo of a placement comes back as the report, for both lists."""
    regular = outcomes.outcome_of(_ok(ORDER_ANSWER), outcomes.placed(ENTRY_REQUEST))
    conditional = outcomes.outcome_of(_ok(ALGO_PLACED), outcomes.placed(STOP_REQUEST))
    assert _status(regular) is OrderStatus.NEW
    assert _status(conditional) is OrderStatus.NEW


@pytest.mark.rule("X-3")
def test_the_echo_of_another_order_is_no_answer() -> None:
    """An answer that names another id or symbol proves nothing about ours."""
    for other in ({"clientOrderId": "web_1"}, {"symbol": "ETHUSDT"}):
        answer = _ok(ORDER_ANSWER | other)
        assert isinstance(outcomes.outcome_of(answer, outcomes.placed(ENTRY_REQUEST)), Unknown)
        assert isinstance(outcomes.outcome_of(answer, CANCEL), Unknown)


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(
    ("word", "accepted"), [("CANCELED", True), ("FILLED", True), ("NEW", False)]
)
def test_a_cancel_is_accepted_only_when_the_end_is_shown(word: str, *, accepted: bool) -> None:
    """A cancel whose echo still rests is unknown."""
    outcome = outcomes.outcome_of(_ok(ORDER_ANSWER | {"status": word}), CANCEL)
    assert isinstance(outcome, Accepted) is accepted


@pytest.mark.rule("X-3")
def test_a_child_is_cancelled_by_its_number() -> None:
    """The answer to a cancel by number must show that number."""
    answer = _ok(ORDER_ANSWER | {"status": "CANCELED", "clientOrderId": "anything"})
    right = outcomes.cancelled("BTCUSDT", venue_id="22542179")
    wrong = outcomes.cancelled("BTCUSDT", venue_id="1")
    assert isinstance(outcomes.outcome_of(answer, right), Accepted)
    assert isinstance(outcomes.outcome_of(answer, wrong), Unknown)


@pytest.mark.rule("X-3")
def test_a_conditional_cancel_is_accepted_by_its_code_in_text() -> None:
    """The venue writes the code of this one answer as text; another code or id proves nothing."""
    sample = {
        "algoId": 2146760,
        "clientAlgoId": "jm-abcdefghij-S1",
        "code": "200",
        "msg": "success",
    }
    judge = outcomes.conditional_cancelled("jm-abcdefghij-S1")
    assert outcomes.outcome_of(_ok(sample), judge) == Accepted()
    for other in ({"code": "500"}, {"clientAlgoId": "web_1"}):
        assert isinstance(outcomes.outcome_of(_ok(sample | other), judge), Unknown)


def test_settings_are_accepted_by_their_echo() -> None:
    """Leverage must be echoed; the margin mode is acknowledged with code 200."""
    leverage = outcomes.leverage_set("BTCUSDT", 21)
    echo = {"leverage": 21, "maxNotionalValue": "1000000", "symbol": "BTCUSDT"}
    assert outcomes.outcome_of(_ok(echo), leverage) == Accepted()
    assert isinstance(outcomes.outcome_of(_ok(echo | {"leverage": 20}), leverage), Unknown)
    assert outcomes.outcome_of(_ok({"code": 200, "msg": "success"}), outcomes.done) == Accepted()
    assert isinstance(outcomes.outcome_of(_ok({"code": 1}), outcomes.done), Unknown)


@pytest.mark.parametrize(
    "reply",
    [
        NoAnswer(reason="reset"),
        _error(503, -1000),
        _error(403, -2015),
        _error(408, -1007),
        _error(400, -1021),
        _error(429, -1003),
        _error(418, -1003),
        _error(429, -99999),
        Answer(status=404, body=b"<html>"),
        Answer(status=302, body=b'{"code":1}'),
    ],
    ids=str,
)
def test_a_read_without_a_usable_answer_may_be_asked_again(reply: outcomes.Reply) -> None:
    """Silence, server errors, limits and clocks are for a later attempt."""
    assert isinstance(outcomes.read_error(reply, "/path"), VenueUnavailable)


@pytest.mark.parametrize("code", [-2013, -2015, -1121, -99999])
def test_a_read_refused_with_a_code_keeps_the_code(code: int) -> None:
    """Any other 4xx with a code is for the caller to understand."""
    error = outcomes.read_error(_error(400, code), "/path")
    assert isinstance(error, VenueRefused)
    assert error.code == code


@pytest.mark.parametrize(
    ("text", "until_ms"),
    [
        ("Way too many requests; IP banned until 1732320000000.", 1732320000000),
        ("Too many requests.", None),
        ("until 12", None),
    ],
)
def test_the_end_of_a_ban_is_read_from_its_text(text: str, until_ms: int | None) -> None:
    """The -1003 text names the moment in milliseconds, or nothing is known."""
    assert errors.banned_until_ms(text) == until_ms


@pytest.mark.rule("W-3")
@pytest.mark.parametrize("code", [-1111, -4014, -4023, -4164, -4005, -4211])
def test_filter_errors_ask_for_fresh_filters(code: int) -> None:
    """A code that speaks of a filter reloads them."""
    assert errors.row_for(code).remedy is errors.Remedy.RELOAD_FILTERS


@pytest.mark.rule("W-2")
@pytest.mark.parametrize("code", [-1021, -5028])
def test_clock_errors_ask_for_a_measurement(code: int) -> None:
    """A code that speaks of the timestamp measures the clock again."""
    assert errors.row_for(code).remedy is errors.Remedy.MEASURE_CLOCK
