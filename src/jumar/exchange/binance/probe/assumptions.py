"""What Jumar assumes about the exchange, and what it does where that is not so. Texts for people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One assumption.

    Attributes:
        number: such as V-1.
        holds: what is assumed, and what that is good for.
        otherwise: what Jumar does, or what its user must set, where it does not hold.
    """

    number: str
    holds: str
    otherwise: str


ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        number="V-1",
        holds="A reduce-only stop rests before there is a position: the stop is armed before the entry is sent.",
        otherwise="No stop can be armed, so nothing is entered; the refusal names the exchange's code.",
    ),
    Assumption(
        number="V-2",
        holds="A stop larger than the position is cut to it: the armed stop covers an entry that has filled in part.",
        otherwise="While an entry has filled in part the backstop behind the armed stop closes the position.",
    ),
    Assumption(
        number="V-3",
        holds="A quantity stop and a closePosition stop rest side by side: one is the other's backstop.",
        otherwise='The backstop is a second full-size quantity stop; set backstop = "quantity" to begin with it.',
    ),
    Assumption(
        number="V-4",
        holds="A closePosition order that fires together with another stop closes and never turns a position.",
        otherwise='Set backstop = "quantity": both stops then only reduce.',
    ),
    Assumption(
        number="V-5",
        holds="Stops that have not fired leave room for targets: stop, backstop and targets rest together.",
        otherwise="The stops come first; a target that is refused does not rest, and the position stays protected.",
    ),
    Assumption(
        number="V-6",
        holds="countdownCancelAll leaves conditional orders alone: it may cancel the entry of a dead engine.",
        otherwise="It is never sent. Jumar sends it only where [account] probe_report names a report that confirms this.",
    ),
)
