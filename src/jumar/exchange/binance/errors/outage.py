"""The kinds of server errors (5xx): what the venue says about the request it could not serve. Pure.

Binance's "General Info" (read 2026-09) describes four answers with status 503. By its words three of them are
failures; orders that existed after such an answer were reported all the same, so that for orders every kind is
unknown (X-3) and the kind is told to people. For reads it decides how long to wait.
"""

from enum import Enum

FIRST_STATUS = 500


class Outage(Enum):
    """A kind of server error: its words for people, and the wait before a read is repeated.

    Attributes:
        words: stand in the reason of an unknown outcome.
        backoff_s: the first wait that the documentation names, None where it names none.
    """

    EXECUTION_UNKNOWN = ("execution unknown", None)
    UNAVAILABLE = ("service unavailable", 0.2)
    INTERNAL = ("internal error", None)
    THROTTLED = ("throttled by system protection", 0.2)

    def __init__(self, words: str, backoff_s: float | None) -> None:
        self.words = words
        self.backoff_s = backoff_s


_BY_CODE = {
    -1001: Outage.INTERNAL,
    -1006: Outage.EXECUTION_UNKNOWN,
    -1007: Outage.EXECUTION_UNKNOWN,
    -1008: Outage.THROTTLED,
    -1016: Outage.UNAVAILABLE,
}
_BY_TEXT = (
    ("unknown error, please check", Outage.EXECUTION_UNKNOWN),
    ("service unavailable", Outage.UNAVAILABLE),
    ("internal error; unable to process", Outage.INTERNAL),
    ("request throttled", Outage.THROTTLED),
    ("server is currently overloaded", Outage.THROTTLED),
)


def outage_of(status: int, *, code: int | None = None, text: str = "") -> Outage | None:
    """Return the kind of a server error, None for any other status.

    Args:
        status: of the answer.
        code: the venue's code, None when the body states none.
        text: the venue's message, or the whole body when it is not of the venue's form.
    """
    if status < FIRST_STATUS:
        return None
    named = None if code is None else _BY_CODE.get(code)
    if named is not None:
        return named
    said = text.strip().casefold()
    # A page of a gateway may use the same words; only the venue's own message begins with them. Without known words
    # nothing excludes an execution.
    kinds = (kind for words, kind in _BY_TEXT if said.startswith(words))
    return next(kinds, Outage.EXECUTION_UNKNOWN)
