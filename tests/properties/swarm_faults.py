"""What goes wrong in one run of the swarm: every probability and every choice is drawn from its seed."""

import random  # noqa: TID251 - this is the seeded door of the swarm
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tests.worlds import BTC

from jumar.model.order import EXIT_ROLES, STOP_ROLES, OrderRequest, Role

#: Refusals that mean "not executed": would trigger, no position yet, closePosition exists, post-only would
#: take, not reducing, precision, reduce-only conflict, too many conditional orders.
CODES = (-2021, -4509, -4130, -5022, -2022, -1111, -4118, -4045)
#: Too many conditional orders, too many orders, trigger too far from mark.
STOP_CODES = (-4045, -1015, -4211)
#: Outside the price band, blocked by reduce-only orders, halted.
EXIT_CODES = (-4131, -4118, -4141, -1016)
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
        overloaded: the role whose requests get no answer in those steps, if any ("-1008", overload).
        hands: whether a person trades on the same position; `flips`: also to the other side of it.
        crashes: whether an unanswered order stays journaled as in flight, as a crash leaves it, and the process
            dies now and then; `amnesia`: whether it loses its journal once.
        forgetful: whether the venue forgets stops for a while; `deaf`: whether a stop may sleep through its price.
        fragile: whether a triggered stop may be rejected.
        band_up, band_down: the price multipliers of the instrument.
    """

    unanswered: float
    late: bool
    refused: float
    refused_roles: frozenset[Role]
    pinned: Mapping[Role, int | None]
    pinned_from: int
    pinned_until: int
    overloaded: Role | None
    hands: bool
    flips: bool
    crashes: bool
    amnesia: bool
    forgetful: bool
    deaf: bool
    fragile: bool
    band_up: Decimal
    band_down: Decimal

    @classmethod
    def draw(cls, chance: Dice) -> "Faults":
        """Most runs have few kinds of faults, so that each kind is also seen alone."""
        start = chance.randrange(20)
        narrow = chance.random() < 0.2
        hands = chance.random() < 0.25
        return cls(
            unanswered=chance.choice([0, 0, 0.1, 0.4]),
            late=chance.random() < 0.3,
            refused=chance.choice([0, 0, 0.1, 0.3, 1.0]),
            refused_roles=frozenset(role for role in Role if chance.random() < 0.4),
            pinned={role: chance.choice([*_codes(role), *[None] * 10]) for role in Role},
            pinned_from=start,
            pinned_until=start + chance.randrange(40),
            overloaded=chance.choice([*Role, *[None] * 10]),
            hands=hands,
            flips=hands and chance.random() < 0.5,
            crashes=chance.random() < 0.25,
            amnesia=chance.random() < 0.15,
            forgetful=chance.random() < 0.2,
            deaf=chance.random() < 0.15,
            fragile=chance.random() < 0.2,
            band_up=Decimal("1.004") if narrow else BTC.multiplier_up,
            band_down=Decimal("0.996") if narrow else BTC.multiplier_down,
        )

    def refusal(self, request: OrderRequest, step: int, chance: Dice) -> int | None:
        """The code with which a placement is refused for no reason of its own, None when it is not."""
        pinned = self.pinned[request.role]
        if self._in_window(step) and pinned is not None:
            return pinned
        if request.role in self.refused_roles and chance.random() < self.refused:
            return chance.choice(_codes(request.role))
        return None

    def delivery(self, role: Role | None, step: int, chance: Dice) -> Delivery:
        """What becomes of one request; a cancel has no role."""
        overloaded = role is not None and role is self.overloaded and self._in_window(step)
        if not overloaded and chance.random() >= self.unanswered:
            return Delivery.ANSWERED
        fates = [Delivery.UNANSWERED, Delivery.LOST] + ([Delivery.LATE] if self.late else [])
        return chance.choice(fates)

    def _in_window(self, step: int) -> bool:
        return self.pinned_from <= step < self.pinned_until


def _codes(role: Role) -> tuple[int, ...]:
    if role in STOP_ROLES:
        return (*CODES, *STOP_CODES)
    return (*CODES, *EXIT_CODES) if role in EXIT_ROLES else CODES
