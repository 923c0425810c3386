"""What is known of one symbol's dead man's switch at the venue (E-7). No I/O; forgotten over a restart on purpose."""

from jumar.model.command import SetCountdown
from jumar.model.countdown import NOT_PROBED, Countdown
from jumar.model.outcome import Accepted, Outcome, Rejected

#: A request may be on its way for so long before the venue begins to count.
UNDERWAY_MS = 5000


class DeadMan:
    """The countdown as it was asked for, and whether it may be asked for at all.

    Attributes:
        unproven: why it may not be used on this account, None where V-6 is proven.
        asked: what was asked last, None before the first time.
    """

    def __init__(self) -> None:
        self.unproven: str | None = NOT_PROBED
        self.asked: Countdown | None = None

    @property
    def may_run(self) -> bool:
        """Whether a countdown may run out that nobody took away."""
        return self.asked is not None and self.asked.until_ms > 0

    def saw(self, command: SetCountdown, outcome: Outcome, now_ms: int) -> str | None:
        """Take in what became of a request; return what a person may ask for later, None where nothing changed."""
        before, lasts_ms = self.asked, command.countdown_ms
        until_ms = 0 if before is None else before.until_ms
        accepted = isinstance(outcome, Accepted)
        refused = f"{outcome.code} {outcome.message}" if isinstance(outcome, Rejected) else None
        if lasts_ms == 0 and accepted:
            until_ms = 0
        elif lasts_ms > 0 and refused is None:
            until_ms = max(until_ms, now_ms + lasts_ms + UNDERWAY_MS)
        self.asked = Countdown(
            ms=lasts_ms, sent_ms=now_ms, until_ms=until_ms, accepted=accepted, refused=refused
        )
        return _news(before, self.asked, command.cause.text)


def _news(before: Countdown | None, after: Countdown, cause: str) -> str | None:
    """Renewals are no news."""
    if after.refused is not None:
        known = before is not None and before.refused == after.refused
        return None if known else f"the dead man's switch was refused: {after.refused}"
    was_on = before is not None and before.ms > 0 and before.accepted
    is_on = after.ms > 0
    return cause if after.accepted and is_on != was_on else None
