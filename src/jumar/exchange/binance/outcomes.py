"""Replies and what they prove: accepted, rejected or unknown (X-3). Pure.

Rejected takes a 4xx *and* a code whose row says "not executed". Everything that is not a clear answer (silence,
403, 408, every 5xx, a body that cannot be read, an undocumented code) is unknown; the reason of an unknown outcome
names the kind of a server error.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jumar.exchange.binance import errors, translate, wire
from jumar.model.command import AmendRequest
from jumar.model.errors import VenueError, VenueRefused, VenueUnavailable
from jumar.model.order import FINAL_STATUSES, Channel, OrderReport, OrderRequest
from jumar.model.outcome import Accepted, Outcome, Rejected, Unknown

RATE_STATUSES = frozenset({418, 429})
TOO_MANY_REQUESTS = -1003
"""The venue's own code for it, whoever kept the request back: not executed, wait."""

SILENT_STATUSES = frozenset({403, 408})
"""Client errors that prove nothing: a firewall's page and a timeout behind the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with a status; `body` is the result or the error, the same over REST and WebSocket API."""

    status: int
    body: bytes
    retry_after_s: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the venue said yes."""
        return 200 <= self.status < 300

    def error(self) -> wire.ErrorBody | None:
        """Return code and message, None when the body cannot be read."""
        try:
            return wire.decode(self.body, wire.ErrorBody)
        except wire.WireError:
            return None

    def outage(self) -> errors.Outage | None:
        """Return the kind of a server error, None for another status; never fails, whatever the body is."""
        error = self.error()
        if error is not None:
            return errors.outage_of(self.status, code=error.code, text=error.msg)
        try:
            text = wire.decode(self.body, wire.ErrorText).msg
        except wire.WireError:
            text = self.body.decode(errors="replace")
        return errors.outage_of(self.status, text=text)

    def told(self) -> str:
        """Return what the venue said, for people: status, kind of a server error, code and message."""
        error, outage = self.error(), self.outage()
        status = f"HTTP {self.status}" + (f" ({outage.words})" if outage else "")
        if error is None:
            return f"{status} with a body that cannot be read"
        return f"{status}, {error.code}: {error.msg}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Nothing came back; the request may have been executed all the same."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request was kept back for the venue's limits: it never left this machine (W-4)."""

    reason: str
    retry_after_s: float


type Reply = Answer | NoAnswer | NotSent
type Judge = Callable[[bytes], Outcome]


def outcome_of(reply: Reply, judge: Judge) -> Outcome:
    """Return what became of a write; `judge` reads the body of a success."""
    if isinstance(reply, NotSent):
        return Rejected(code=TOO_MANY_REQUESTS, message=f"not sent: {reply.reason}")
    if isinstance(reply, NoAnswer):
        return Unknown(reason=reply.reason)
    if not reply.succeeded:
        return _refusal(reply)
    try:
        return judge(reply.body)
    except wire.WireError as error:
        return Unknown(reason=f"answer cannot be read: {error}")


def _refusal(answer: Answer) -> Outcome:
    status, error = answer.status, answer.error()
    if error is None or not 400 <= status < 500 or status in SILENT_STATUSES:
        return Unknown(reason=answer.told())
    row = errors.row_for(error.code)
    if row.action is errors.Action.SUCCESS:
        return Accepted(already=True)
    # A request beyond the rate limit is turned away before it is read, whatever the code beside it; only a code
    # that itself speaks of an unknown execution outweighs the status.
    turned_away = status in RATE_STATUSES and error.code not in errors.TABLE
    if row.not_executed or turned_away:
        return Rejected(code=error.code, message=error.msg)
    return Unknown(reason=f"{answer.told()} ({row.meaning})", code=error.code)


def read_error(reply: Reply, path: str) -> VenueError | None:
    """Return the error of a failed read, None when the venue said yes."""
    if isinstance(reply, NotSent):
        words = f"{path}: not sent: {reply.reason}"
        return VenueUnavailable(words, retry_after_s=reply.retry_after_s)
    if isinstance(reply, NoAnswer):
        return VenueUnavailable(f"{path}: {reply.reason}")
    if reply.succeeded:
        return None
    error, status = reply.error(), reply.status
    if (
        error is not None
        and 400 <= status < 500
        and status not in RATE_STATUSES | SILENT_STATUSES
        and error.code not in errors.TRANSIENT_CODES
    ):
        return VenueRefused(error.code, f"{path}: {error.msg}")
    return VenueUnavailable(f"{path}: {reply.told()}", retry_after_s=_wait_s(reply))


def _wait_s(answer: Answer) -> float | None:
    """Return the wait that the venue asks for: in its answer, else in its documentation."""
    outage = answer.outage()
    if answer.retry_after_s is not None or outage is None:
        return answer.retry_after_s
    return outage.backoff_s


def placed(request: OrderRequest) -> Judge:
    """Read the echo of a placement. Fields are compared by the caller; another order's echo is no answer."""

    def judge(body: bytes) -> Outcome:
        report = _report(body, request.channel)
        if (report.symbol, report.client_id) != (request.symbol, request.client_id):
            return Unknown(reason=f"the answer names {report.symbol} {report.client_id}")
        return Accepted(report=report)

    return judge


def amended(request: AmendRequest) -> Judge:
    """Read the answer to an amendment: the order as asked, or its end, which the venue may choose instead."""

    def judge(body: bytes) -> Outcome:
        report = _report(body, Channel.REGULAR)
        if (report.symbol, report.client_id) != (request.symbol, request.client_id):
            return Unknown(reason=f"the answer names {report.symbol} {report.client_id}")
        stands = (report.price, report.quantity) == (request.price, request.quantity)
        if report.status not in FINAL_STATUSES and not stands:
            return Unknown(
                reason=f"amendment answered with {report.quantity} at {report.price}, "
                f"asked was {request.quantity} at {request.price}"
            )
        return Accepted(report=report)

    return judge


def cancelled(symbol: str, *, client_id: str | None = None, venue_id: str | None = None) -> Judge:
    """Read the answer to a regular order's cancel: accepted only if it shows the order ended."""

    def judge(body: bytes) -> Outcome:
        report = _report(body, Channel.REGULAR)
        named = report.client_id if venue_id is None else report.venue_id
        if (report.symbol, named) != (symbol, client_id if venue_id is None else venue_id):
            return Unknown(reason=f"the answer names {report.symbol} {named}")
        if report.status not in FINAL_STATUSES:
            return Unknown(reason=f"cancel answered with status {report.status}")
        return Accepted(report=report)

    return judge


def conditional_cancelled(client_id: str) -> Judge:
    """Read the answer to a conditional order's cancel, which carries no order."""

    def judge(body: bytes) -> Outcome:
        done = wire.decode(body, wire.Done)
        if done.code != 200 or done.client_algo_id != client_id:
            return Unknown(reason=f"cancel answered {done.code} for {done.client_algo_id}")
        return Accepted()

    return judge


def leverage_set(symbol: str, leverage: int) -> Judge:
    """Read the answer to a change of leverage."""

    def judge(body: bytes) -> Outcome:
        echo = wire.decode(body, wire.LeverageSet)
        if (echo.symbol, echo.leverage) != (symbol, leverage):
            return Unknown(reason=f"the answer says {echo.symbol} {echo.leverage}x")
        return Accepted()

    return judge


def countdown_set(symbol: str, countdown_ms: int) -> Judge:
    """Read the answer to a countdown."""

    def judge(body: bytes) -> Outcome:
        echo = wire.decode(body, wire.CountdownSet)
        if echo.symbol != symbol or echo.countdown_time != countdown_ms:
            return Unknown(reason=f"the answer says {echo.symbol} {echo.countdown_time} ms")
        return Accepted()

    return judge


def done(body: bytes) -> Outcome:
    """Read `{"code": 200, "msg": "success"}`."""
    answer = wire.decode(body, wire.Done)
    if answer.code != 200:
        return Unknown(reason=f"answered {answer.code}: {answer.msg}")
    return Accepted()


def _report(body: bytes, channel: Channel) -> OrderReport:
    if channel is Channel.CONDITIONAL:
        return translate.conditional_order(wire.decode(body, wire.AlgoOrder))
    return translate.regular_order(wire.decode(body, wire.Order))
