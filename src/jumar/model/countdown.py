"""The venue's countdown: it cancels what rests of a symbol unless it is put off in time (E-7).

Frozen values; standard library only.
"""

from dataclasses import dataclass

#: Why the switch is not used where nobody has asked the venue what it does to stops.
NOT_PROBED = "no probe report says what it does to stops; name one in [account] probe_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown:
    """What was asked of the venue last, in this process.

    Attributes:
        ms: how long it was to run; zero takes it away.
        sent_ms: exchange time at which it was asked.
        until_ms: the latest moment at which one may run out, zero while none can be running.
        accepted: whether the venue said yes.
        refused: what the venue said otherwise, None where it did not refuse.
    """

    ms: int
    sent_ms: int
    until_ms: int
    accepted: bool = False
    refused: str | None = None
