"""The table of error codes: complete, without contradictions, and shown to people as it is."""

import ast
import json
from itertools import chain
from pathlib import Path

import pytest
from tests.unit.binance import samples

from jumar.exchange.binance import errors, outcomes
from jumar.exchange.binance.errors import Action, Outage, Remedy, table
from jumar.exchange.binance.errors.page import page
from jumar.exchange.binance.errors.rows import Group, table_of
from jumar.exchange.binance.outcomes import Answer
from jumar.model.errors import VenueRefused, VenueUnavailable
from jumar.model.outcome import Rejected, Unknown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "errors.md"
COMMAND = "python -m jumar.exchange.binance.errors > docs/reference/errors.md"
ASKED: dict[Action, tuple[int, ...]] = {
    Action.ASK: (
        *(-1000, -1001, -1006, -1007, -1008, -2011, -2012, -2013, -2020, -2022, -2024),
        *(-4116, -4117, -4118, -4130),
    ),
    Action.RETRY: (-1015, -1021, -1125, -4131, -4509, -5028, -5043),
    Action.HALT: (
        *(-1003, -1016, -1022, -1099, -2014, -2015, -2017, -2023, -4087, -4088),
        *(-4105, -4106, -4107, -4109, -4189, -4192, -4400, -4401),
    ),
    Action.SUCCESS: (-4046, -4059, -4171, -5027),
    Action.REFUSE: (
        *(-1102, -1104, -1106, -1111, -1116, -1121, -1122, -1128, -1130, -2010, -2018, -2019),
        *(-2021, -2025, -2026, -2027, -2028, -4003, -4004, -4005, -4013, -4014, -4015, -4016),
        *(-4023, -4024, -4028, -4045, -4047, -4048, -4061, -4062, -4067, -4068, -4120, -4137),
        *(-4138, -4140, -4141, -4142, -4161, -4164, -4167, -4168, -4169, -4170, -4172, -4183),
        *(-4184, -4210, -4211, -4531, -5021, -5022, -5024, -5025, -5026, -5029, -5037, -5038),
        *(-5039, -5040, -5041, -5047),
    ),
}
"""What an execution engine does about each code that it can meet, written down apart from the table."""

PROVES_NOTHING = frozenset(
    {-1000, -1001, -1006, -1007, -1008, -1010, -1013, -1016, -2012, -2020, -4116, -4117}
)
BODIES: tuple[tuple[Outage, bytes], ...] = (
    (
        Outage.EXECUTION_UNKNOWN,
        b'{"code":-1000,"msg":"Unknown error, please check your request or try again later."}',
    ),
    (Outage.EXECUTION_UNKNOWN, b'{"msg":"Unknown error, please check your request."}'),
    (Outage.EXECUTION_UNKNOWN, b'{"code":-1007,"msg":"Timeout waiting for response."}'),
    (Outage.EXECUTION_UNKNOWN, b'{"code":-1006}'),
    (Outage.EXECUTION_UNKNOWN, b'{"code":-99999,"msg":"Request occur unknown error."}'),
    (Outage.EXECUTION_UNKNOWN, b"<html><title>503 Service Unavailable</title></html>"),
    (Outage.EXECUTION_UNKNOWN, b""),
    (Outage.EXECUTION_UNKNOWN, b"\xff\xfe"),
    (Outage.EXECUTION_UNKNOWN, b'{"msg":17}'),
    (Outage.EXECUTION_UNKNOWN, b"[" * 5000),
    (Outage.UNAVAILABLE, b'{"code":-1016,"msg":"Service Unavailable."}'),
    (Outage.UNAVAILABLE, b'{"code":0,"msg":"Service Unavailable."}'),
    (Outage.UNAVAILABLE, b'{"msg":"Service Unavailable."}'),
    (Outage.UNAVAILABLE, b" service unavailable"),
    (Outage.INTERNAL, b'{"code":-1001,"msg":"Internal error; unable to process your request."}'),
    (Outage.INTERNAL, b'{"code":-1001}'),
    (Outage.INTERNAL, b'{"msg":"Internal error; unable to process your request."}'),
    (Outage.THROTTLED, b'{"code":-1008,"msg":"Request throttled by system-level protection."}'),
    (Outage.THROTTLED, b'{"code":-1008,"msg":""}'),
    (Outage.THROTTLED, b'{"msg":"Server is currently overloaded with other requests."}'),
)


def _group(*codes: int) -> Group:
    return Group(action=Action.ASK, not_executed=False, meanings=dict.fromkeys(codes, "words"))


@pytest.mark.rule("W-6")
def test_every_known_code_has_a_row(recorded_payloads: Path) -> None:
    """The union of the codes that a public client library carries and those met by engines is in the table."""
    recorded = json.loads((recorded_payloads / "error_codes.json").read_text())
    known = {int(code) for code in recorded} | set(chain.from_iterable(ASKED.values()))
    assert len(recorded) > 200
    assert sorted(known - errors.TABLE.keys()) == []


@pytest.mark.rule("W-6")
@pytest.mark.parametrize("action", Action)
def test_what_is_done_about_the_codes_an_engine_meets(action: Action) -> None:
    """Each code that an order or a setting can meet has the action written down here."""
    rows = {code: errors.TABLE[code] for code in ASKED[action]}
    assert {code: row.action for code, row in rows.items()} == dict.fromkeys(rows, action)


@pytest.mark.rule("W-6")
def test_a_code_in_two_groups_cannot_be_built() -> None:
    """Two claims about one code are an error that names it and both meanings."""
    assert table_of([_group(-1, -2), _group(-3)]).keys() == {-1, -2, -3}
    with pytest.raises(ValueError, match=r"-2 stands twice: 'words' and 'words'"):
        table_of([_group(-1, -2), _group(-2)])


@pytest.mark.rule("W-6")
def test_no_code_is_written_twice_in_one_group() -> None:
    """A dictionary swallows a repeated key without a word, so that the text of the table is read."""
    for node in ast.walk(ast.parse(Path(table.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            codes = [ast.unparse(key) for key in node.keys if key is not None]
            assert len(codes) == len(set(codes)), f"line {node.lineno}"


@pytest.mark.rule("W-6")
def test_rows_are_sane() -> None:
    """Keys equal their rows, each row says something, and only what excludes an execution claims to."""
    for code, row in errors.TABLE.items():
        assert code == row.code < 0
        assert row.meaning.strip() == row.meaning != ""
        assert "|" not in row.meaning
        if row.action in {Action.RETRY, Action.REFUSE, Action.SUCCESS}:
            # "Send it again" and "never again" would both be guesses if the first might have been executed.
            assert row.not_executed, code
        if row.remedy is Remedy.RELOAD_FILTERS:
            assert row.action is Action.REFUSE, code
        if row.remedy is Remedy.MEASURE_CLOCK:
            assert row.action is Action.RETRY, code
    assert not [code for code in PROVES_NOTHING if errors.TABLE[code].not_executed]
    assert errors.TABLE.keys() >= errors.KEY_CODES | errors.TRANSIENT_CODES
    assert not errors.KEY_CODES & errors.TRANSIENT_CODES


@pytest.mark.rule("W-6", "X-3")
@pytest.mark.parametrize("code", [-1, 0, 1, -1009, -2099, -4599, -99999])
def test_an_unknown_code_is_asked_about(code: int) -> None:
    """A code without a row proves nothing: ask, and an order that got it is unknown."""
    row = errors.row_for(code)
    assert (row.action, row.not_executed, row.remedy) == (Action.ASK, False, None)
    answer = Answer(status=400, body=json.dumps({"code": code, "msg": "m"}).encode())
    assert isinstance(outcomes.outcome_of(answer, outcomes.placed(samples.STOP_REQUEST)), Unknown)


@pytest.mark.rule("X-3")
def test_every_row_decides_the_outcome_of_a_refused_order() -> None:
    """With a client error a row that proves it is a rejection, "so already" a success, anything else unknown."""
    for code, row in errors.TABLE.items():
        answer = Answer(status=400, body=json.dumps({"code": code, "msg": "m"}).encode())
        outcome = outcomes.outcome_of(answer, outcomes.placed(samples.STOP_REQUEST))
        if row.action is Action.SUCCESS:
            assert not isinstance(outcome, Rejected | Unknown), code
        else:
            assert isinstance(outcome, Rejected) is row.not_executed, code
        server = Answer(status=503, body=answer.body)
        outcome = outcomes.outcome_of(server, outcomes.placed(samples.STOP_REQUEST))
        assert isinstance(outcome, Unknown), code


@pytest.mark.rule("X-3")
@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_the_kind_of_a_server_error_is_told(kind: Outage, body: bytes) -> None:
    """All kinds leave an order unknown, and its reason names the kind; odd bodies exclude nothing."""
    for status in (500, 502, 503, 504):
        answer = Answer(status=status, body=body)
        assert answer.outage() is kind
        outcome = outcomes.outcome_of(answer, outcomes.placed(samples.STOP_REQUEST))
        assert isinstance(outcome, Unknown)
        assert outcome.reason.startswith(f"HTTP {status} ({kind.words})")
        assert outcome.reason.isprintable()


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_read_waits_as_the_kind_says(kind: Outage, body: bytes) -> None:
    """A read is unavailable with every kind, with the documented wait; what the answer itself asks for wins."""
    error = outcomes.read_error(Answer(status=503, body=body), "/path")
    assert isinstance(error, VenueUnavailable)
    assert kind.words in str(error)
    assert error.retry_after_s == kind.backoff_s
    told = outcomes.read_error(Answer(status=503, body=body, retry_after_s=7.0), "/path")
    assert isinstance(told, VenueUnavailable)
    assert told.retry_after_s == 7.0


@pytest.mark.parametrize("status", [200, 400, 403, 408, 418, 429])
def test_no_other_answer_is_a_server_error(status: int) -> None:
    """The words of a server error mean nothing with another status."""
    answer = Answer(status=status, body=b'{"code":-1001,"msg":"Internal error; unable to process"}')
    assert answer.outage() is None
    error = outcomes.read_error(Answer(status=404, body=b'{"code":-2013,"msg":"m"}'), "/path")
    assert isinstance(error, VenueRefused)


def test_the_page_shows_the_table_as_it_is() -> None:
    """docs/reference/errors.md is what the table says today."""
    assert PAGE.read_text(encoding="utf-8") == page(), f"the page is stale; run: {COMMAND}"


def test_the_page_has_one_line_per_code() -> None:
    """Every code stands on the page once, with its action and its proof."""
    lines = [line for line in page().splitlines() if line.startswith("| -")]
    cells = [line.strip("| ").split(" | ") for line in lines if line[3].isdigit()]
    shown = {int(code): (action, proof) for code, action, proof, *_ in cells}
    assert len(cells) == len(shown) == len(errors.TABLE)
    assert shown[-2021] == ("refuse", "yes")
    assert shown[-1007] == ("ask", "no")
    assert COMMAND in page()
