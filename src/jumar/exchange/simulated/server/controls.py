"""What a client says on a stream connection: control frames, and what is wrong with those that are none. Pure.

Codes and words are those of Binance's page "Live Subscribing/Unsubscribing to streams"; for lists of something else
than names the words are ours.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
COMBINED = "combined"
LONGEST_ID = 36

type Json = dict[str, Any]
type Number = int | str | None


class Misunderstood(Exception):  # noqa: N818 - the exchange's answer, no fault of the program
    """A frame that is no control.

    Attributes:
        answer: what the client is told.
    """

    def __init__(self, code: int, message: str, number: Number = None) -> None:
        body: Json = {"error": {"code": code, "msg": message}}
        self.answer = body if code == 3 else {**body, "id": number}
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control frame; `number` is echoed with the answer."""

    method: str
    params: list[Any]
    number: Number

    @property
    def names(self) -> list[str]:
        """The streams that are meant.

        Raises:
            Misunderstood: something else than a name stands among them.
        """
        if not all(isinstance(name, str) for name in self.params):
            raise self.invalid("params must be a list of strings")
        return self.params

    def wish(self) -> bool:
        """How `combined`, the only property, shall be.

        Raises:
            Misunderstood: it is another property, or no yes or no.
        """
        if len(self.params) > 2:
            raise self.invalid("too many parameters")
        self._property()
        if len(self.params) < 2 or not isinstance(self.params[1], bool):
            raise Misunderstood(1, "Invalid value type: expected Boolean", self.number)
        return self.params[1]

    def question(self) -> None:
        """Check that `combined` is asked for.

        Raises:
            Misunderstood: it is not, or not alone.
        """
        if len(self.params) > 1:
            raise self.invalid("too many parameters")
        self._property()

    def invalid(self, why: str) -> Misunderstood:
        """The answer to a frame that cannot be obeyed."""
        return Misunderstood(2, f"Invalid request: {why}", self.number)

    def _property(self) -> None:
        name = self.params[0] if self.params else None
        if not isinstance(name, str):
            raise self.invalid("property name must be a string")
        if name != COMBINED:
            raise Misunderstood(0, "Unknown property", self.number)


def parse(text: str | bytes) -> Control:
    """Read one frame.

    Raises:
        Misunderstood: it is no JSON, no object, or not one of the controls.
    """
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Misunderstood(3, "Invalid JSON: expected value") from None
    if not isinstance(frame, dict):
        raise Misunderstood(3, "Invalid JSON: expected an object")
    number, method, params = frame.get("id"), frame.get("method"), frame.get("params")
    if not _is_number(number):
        raise Misunderstood(2, "Invalid request: request ID must be an unsigned integer")
    if method is None:
        raise Misunderstood(2, "Invalid request: missing field `method`", number)
    if method not in METHODS:
        why = f"unknown variant `{method}`, expected one of {', '.join(METHODS)}"
        raise Misunderstood(2, f"Invalid request: {why}", number)
    control = Control(method=method, params=[] if params is None else params, number=number)
    if not isinstance(control.params, list):
        raise control.invalid("params must be a list of strings")
    return control


def _is_number(value: object) -> bool:
    """Whether a frame may be numbered so: the documented whole number, a short text as clients send it, or nothing."""
    if isinstance(value, str):
        return len(value) <= LONGEST_ID
    return value is None or (type(value) is int and 0 <= value < 2**63)
