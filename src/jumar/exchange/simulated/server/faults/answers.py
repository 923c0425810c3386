"""The answers of an exchange in trouble: what its gateway and the machines before it say instead of an answer.

Texts from Binance's general information and error-code pages for USDⓈ-M futures (see `core/refusal.py`). Pure.
"""

from dataclasses import dataclass, replace
from enum import Enum

from jumar.exchange.simulated.core.exchange import Reply
from jumar.exchange.simulated.core.refusal import TEXTS
from jumar.exchange.simulated.core.usage import Counts

UNKNOWN_ERROR = "Unknown error, please check your request or try again later."
UNAVAILABLE = "Service Unavailable."
PAGE = (
    "<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n<center><h1>{status} {words}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
#: Codes that come with a status of their own; all others with 400.
STATUSES = {
    -1001: 503,
    -1003: 429,
    -1007: 408,
    -1008: 503,
    -1015: 429,
    -2014: 401,
    -2015: 401,
}
_WORDS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Temporarily Unavailable"}


class Cut(Enum):
    """No answer at all.

    Attributes:
        SILENCE: the connection stays open and says nothing.
        CLOSE: it ends in order.
        RESET: it is reset.
    """

    SILENCE = "silence"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """An answer that is no answer of the exchange's: the bytes as they are."""

    status: int
    text: str
    content_type: str


type Outcome = Reply | Garbled | Cut


def unknown(form: str, counts: Counts) -> Reply:
    """The outcome is not known: 408 with -1007, or 503 with the text of its first kind."""
    if form == "408":
        return coded(-1007, counts)
    return Reply(status=503, body={"code": -1000, "msg": UNKNOWN_ERROR}, counts=counts)


def outage(form: str, counts: Counts) -> Reply:
    """The other three kinds of 503: nothing was executed."""
    match form:
        case "internal":
            return coded(-1001, counts)
        case "throttled":
            return coded(-1008, counts)
    return Reply(status=503, body={"msg": UNAVAILABLE}, counts=counts)


def coded(code: int, counts: Counts) -> Reply:
    """A code with its usual text and status."""
    body = {"code": code, "msg": TEXTS[code]}
    return Reply(status=STATUSES[code], body=body, counts=counts)


def retry_after(counts: Counts, ms: int) -> Counts:
    """The same, and the limiter asks to come back after some milliseconds."""
    return replace(counts, retry_after_s=-(-ms // 1000))


def unreadable(form: str, status: int, whole: str) -> Garbled:
    """An answer of this status that cannot be read; `whole` is what it would have been."""
    match form:
        case "html":
            return page(status)
        case "empty":
            return Garbled(status=status, text="", content_type="application/json")
        case "cut":
            half = whole[: len(whole) // 2] or "{"
            return Garbled(status=status, text=half, content_type="application/json")
    return Garbled(status=status, text="upstream said: ok", content_type="text/plain")


def page(status: int) -> Garbled:
    """The page of a machine before the exchange."""
    words = _WORDS.get(status, "Error" if status >= 400 else "OK")
    text = PAGE.format(status=status, words=words)
    return Garbled(status=status, text=text, content_type="text/html")
