"""What became of something we sent: three answers, never two (X-3)."""

from dataclasses import dataclass

from jumar.model.order import OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The venue did it; `report` is its echo, None for settings.

    Attributes:
        already: the venue said that it was so before ("no need to change"), which is success.
    """

    report: OrderReport | None = None
    already: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The venue answered with a code whose meaning is "not executed"."""

    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Perhaps it was executed, perhaps not: resolved by asking, never by guessing.

    Attributes:
        code: the venue's code, where one came that does not tell; None for silence.
    """

    reason: str
    code: int | None = None


type Outcome = Accepted | Rejected | Unknown
