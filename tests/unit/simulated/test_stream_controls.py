"""What a client of the streams says, and what it is told when it says it wrong."""

import json

import pytest

from jumar.exchange.simulated.server.controls import METHODS, Control, Misunderstood, parse

WRONG = {
    "{": (3, "Invalid JSON"),
    "[1]": (3, "Invalid JSON"),
    "[" * 100_000: (3, "Invalid JSON"),
    '{"method":"SUBSCRIBE","id":-1}': (2, "request ID must be an unsigned integer"),
    '{"method":"SUBSCRIBE","id":1.5}': (2, "request ID must be an unsigned integer"),
    '{"method":"SUBSCRIBE","id":true}': (2, "request ID must be an unsigned integer"),
    '{"method":"SUBSCRIBE","id":99999999999999999999}': (2, "request ID must be"),
    '{"params":[],"id":1}': (2, "missing field `method`"),
    '{"method":"SHOUT","id":1}': (2, "unknown variant `SHOUT`, expected one of SUBSCRIBE, UNSUB"),
    '{"method":{},"id":1}': (2, "unknown variant"),
    '{"method":"SUBSCRIBE","params":"a","id":1}': (2, "list of strings"),
    '{"method":"UNSUBSCRIBE","params":["a",1],"id":1}': (2, "list of strings"),
    '{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}': (2, "too many parameters"),
    '{"method":"SET_PROPERTY","params":[1,true],"id":1}': (2, "property name must be a string"),
    '{"method":"SET_PROPERTY","params":["colour",true],"id":1}': (0, "Unknown property"),
    '{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}': (1, "expected Boolean"),
    '{"method":"SET_PROPERTY","params":["combined"],"id":1}': (1, "expected Boolean"),
    '{"method":"GET_PROPERTY","params":[],"id":1}': (2, "property name must be a string"),
    '{"method":"GET_PROPERTY","params":["colour"],"id":1}': (0, "Unknown property"),
    '{"method":"GET_PROPERTY","params":["combined",1],"id":1}': (2, "too many parameters"),
}


def obey(control: Control) -> None:
    """Read a control as the connection does."""
    match control.method:
        case "SET_PROPERTY":
            assert control.wish() is True
        case "GET_PROPERTY":
            control.question()
        case _:
            assert control.names == control.params


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_in_the_documented_words(text: str) -> None:
    """Code and words by the mistake; the frame's number comes back where there is one."""
    code, words = WRONG[text]
    with pytest.raises(Misunderstood, match=words) as found:
        obey(parse(text))
    answer = found.value.answer
    assert answer["error"]["code"] == code
    assert answer.get("id") == (1 if '"id":1}' in text else None)


@pytest.mark.parametrize("number", [1, "one", None, 2**63 - 1])
@pytest.mark.parametrize("method", METHODS)
def test_controls_are_read(method: str, number: int | str | None) -> None:
    """Every method, numbered by a whole number, a text or not at all, in text and in bytes."""
    params = ["combined", True] if method == "SET_PROPERTY" else ["combined"]
    text = json.dumps({"method": method, "params": params, "id": number})
    control = parse(text)
    assert control == parse(text.encode()) == Control(method=method, params=params, number=number)
    obey(control)


def test_a_subscription_without_streams_is_one_of_none() -> None:
    """`params` may be left out."""
    assert parse('{"method":"SUBSCRIBE","id":1}').names == []
