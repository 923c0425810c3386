"""What goes wrong in one run of the swarm: every probability and every choice is drawn from its seed."""

import random  # noqa: TID251 - this is the seeded door of the swarm
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from jumar.model.order import OrderRequest, Role

#: Refusals that mean "not executed": would trigger, no position yet, closePosition exists, post-only would
#: take, not reducing, precision, reduce-only conflict, too many conditional orders.
CODES = (-2021, -4509, -4130, -5022, -2022, -1111, -4118, -4045)
#: Parts of the world that a run may lose for one tick.
PARTS = ("quote", "mark", "last", "balance", "account_settings", "settings", "instrument")

type Dice = random.Random


def dice(seed: int) -> Dice:
    """All chance of one run."""
    return random.Random(seed)


class Delivery(StrEnum):
    """What becomes of a request: answered, or its answer, itself, or its punctuality lost."""

    ANSWERED = "answered"
    UNANSWERED = "executed, no answer"
    LATE = "executed later, no answer"
    LOST = "never arrives"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """One run's portion of bad luck.

    Attributes:
        unanswered: probability that a request gets no answer.
        late: whether some of those arrive within their receive window instead of at once or never.
        refused: probability that a placement of one of `refused_roles` is refused with any code.
        pinned: the one code that each role gets from step `pinned_from` until `pinned_until`, if any.
        hands: whether a person trades on the same position.
        crashes: whether an unanswered order stays journaled as in flight, as a crash leaves it.
    """

    unanswered: float
    late: bool
    refused: float
    refused_roles: frozenset[Role]
    pinned: Mapping[Role, int | None]
    pinned_from: int
    pinned_until: int
    hands: bool
    crashes: bool

    @classmethod
    def draw(cls, chance: Dice) -> "Faults":
        """Most runs have few kinds of faults, so that each kind is also seen alone."""
        start = chance.randrange(20)
        return cls(
            unanswered=chance.choice([0, 0, 0.1, 0.4]),
            late=chance.random() < 0.3,
            refused=chance.choice([0, 0, 0.1, 0.3, 1.0]),
            refused_roles=frozenset(role for role in Role if chance.random() < 0.4),
            pinned={role: chance.choice([*CODES, *[None] * 8]) for role in Role},
            pinned_from=start,
            pinned_until=start + chance.randrange(40),
            hands=chance.random() < 0.2,
            crashes=chance.random() < 0.2,
        )

    def refusal(self, request: OrderRequest, step: int, chance: Dice) -> int | None:
        """The code with which a placement is refused for no reason of its own, None when it is not."""
        pinned = self.pinned[request.role]
        if self.pinned_from <= step < self.pinned_until and pinned is not None:
            return pinned
        if request.role in self.refused_roles and chance.random() < self.refused:
            return chance.choice(CODES)
        return None

    def delivery(self, chance: Dice) -> Delivery:
        """What becomes of one request."""
        if chance.random() >= self.unanswered:
            return Delivery.ANSWERED
        fates = [Delivery.UNANSWERED, Delivery.LOST] + ([Delivery.LATE] if self.late else [])
        return chance.choice(fates)
