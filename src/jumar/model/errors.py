"""The exception tree, grouped by what to do.

JumarError
├── ConfigError           do not start: a person must change something (exit code 2)
├── VenueError            a read failed; writes never raise, they return an Outcome
│   ├── VenueUnavailable  back off and ask again: timeout, lost socket, 5xx, rate limit
│   └── VenueRefused      asking again will not help: the venue answered with a code
├── StoreUnavailable      the journal cannot be written: nothing that adds exposure may be sent
│   └── WriterLost        database or lock were replaced under us: another engine may be writing
├── Superseded            another engine has taken over: send nothing more and end (exit code 1)
└── InvariantBroken       the plan contradicts a promise: send nothing of it, keep what rests
"""


class JumarError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(JumarError):
    """The engine cannot start as asked; the message names the field and the fix."""


class VenueError(JumarError):
    """A read from the venue failed."""


class VenueUnavailable(VenueError):  # noqa: N818 - the name says what to do
    """No usable answer; the same question may be asked again after `retry_after_s`, where known."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class VenueRefused(VenueError):  # noqa: N818 - the name says what to do
    """The venue answered with an error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class StoreUnavailable(JumarError):  # noqa: N818 - the name says what to do
    """The store could not be read or written."""


class WriterLost(StoreUnavailable):
    """The database, or its lock, is no longer the one that was opened: another engine may be writing (X-7)."""


class Superseded(JumarError):  # noqa: N818 - the name says what has happened
    """Another engine owns the database, and with it the account's orders: nothing more may be sent (X-7)."""


class InvariantBroken(JumarError):  # noqa: N818 - the name says what to do
    """A plan contradicts a promise."""

    def __init__(self, promise: str, message: str) -> None:
        super().__init__(f"{promise}: {message}")
        self.promise = promise
