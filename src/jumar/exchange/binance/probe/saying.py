"""What the exchange said to one request, and the exception of whoever cannot go on for want of an answer. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from jumar.exchange.binance.outcomes import RATE_STATUSES, SILENT_STATUSES, NoAnswer, NotSent, Reply

type Json = dict[str, Any]


class CannotTellError(Exception):
    """A question ends without an answer; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A clear answer: yes with a body, or no with a code.

    Attributes:
        code: the error code, 0 when the request was accepted.
        client_id: the id of the order it was about, empty for other requests.
    """

    code: int
    body: Any
    client_id: str = ""

    @property
    def yes(self) -> bool:
        """Whether it was accepted."""
        return self.code == 0

    @property
    def word(self) -> str:
        """`accepted`, or the code."""
        return "accepted" if self.yes else str(self.code)

    def need(self, what: str) -> "Said":
        """Itself.

        Raises:
            CannotTellError: it was refused; the text names what was wanted and the refusal.
        """
        if self.yes:
            return self
        told = self.body.get("msg", "") if isinstance(self.body, dict) else ""
        raise CannotTellError(f"{what} was refused: {self.code} {told}".rstrip())


def said(reply: Reply, request: str, client_id: str = "") -> Said:
    """Read a reply.

    Raises:
        CannotTellError: no answer, a server's fault, a limiter, or a body that cannot be read.
    """
    if isinstance(reply, NoAnswer | NotSent):
        raise CannotTellError(f"{request}: {reply.reason}")
    if reply.status in RATE_STATUSES | SILENT_STATUSES or reply.status >= 500:
        raise CannotTellError(f"{request}: {reply.told()}")
    try:
        body = msgspec.json.decode(reply.body)
    except msgspec.DecodeError:
        raise CannotTellError(f"{request}: {reply.told()}") from None
    if reply.succeeded:
        return Said(code=0, body=body, client_id=client_id)
    error = reply.error()
    if error is None:
        raise CannotTellError(f"{request}: {reply.told()}")
    return Said(code=error.code, body=body, client_id=client_id)
