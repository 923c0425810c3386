"""The rules that stand, their dice and their counts; the one place where it is decided that a fault happens.

Promises that each rule throws dice of its own, made of its seed and its kind alone and thrown only for what is in its
scope, so that the same rules and the same requests give the same faults; and that each strike is in the ledger.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - the faults' dice, with each rule's seed
from typing import Any

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.server.faults.kinds import Kind, Place
from jumar.exchange.simulated.server.faults.rule import Rule
from jumar.exchange.simulated.server.faults.subject import Ask, Subject
from jumar.ports.clock import Clock

_KEPT_MAX = 1000

type Json = dict[str, Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Standing:
    """A rule that was set.

    Attributes:
        number: its id.
        due_ms: when it begins, or is tried next at a moment of its own.
        tried, struck: how often there was something in its scope, and how often it struck.
        lasting: until when what it did lasts, by what it did it to (a symbol, a client id, or nothing in particular);
            below zero: until when it has decided to do nothing to it.
    """

    number: int
    rule: Rule
    dice: Random
    due_ms: int
    tried: int = 0
    struck: int = 0
    lasting: dict[str, int] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.rule.count is not None and self.struck >= self.rule.count

    def lasts(self, what: str, now_ms: int) -> bool:
        """Whether something that it did is still so."""
        return self.lasting.get(what, 0) > now_ms

    def last(self, what: str, until_ms: int, now_ms: int) -> None:
        """Have something that it did last until a time; what is long over is forgotten some day."""
        if len(self.lasting) >= _KEPT_MAX:
            kept = {each: until for each, until in self.lasting.items() if abs(until) > now_ms}
            self.lasting = kept
        self.lasting[what] = until_ms

    @property
    def row(self) -> Json:
        """Itself for people."""
        return {"id": self.number, **self.rule.fields, "tried": self.tried, "struck": self.struck}


class Register:
    """All rules, by number."""

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._standing: dict[int, Standing] = {}
        self._numbers = 0

    @property
    def standing(self) -> list[Standing]:
        """Every rule, spent ones too, in the order they were set."""
        return list(self._standing.values())

    @property
    def now_ms(self) -> int:
        """Exchange time."""
        return self._clock.now_ms()

    def add(self, rules: Iterable[Rule]) -> list[Standing]:
        """Set rules."""
        return [self._add(rule) for rule in rules]

    def remove(self, number: int) -> Standing | None:
        """Take a rule away; None if there is none of that number."""
        return self._standing.pop(number, None)

    def of(self, *kinds: Kind) -> list[Standing]:
        """The rules of some kinds."""
        return [each for each in self._standing.values() if each.rule.kind in kinds]

    def at(self, place: Place) -> list[Standing]:
        """The rules that are tried at a place, that have begun and may still strike."""
        now_ms = self.now_ms
        return [
            each
            for each in self._standing.values()
            if each.rule.place is place and not each.spent and now_ms >= each.due_ms
        ]

    def throws(self, standing: Standing) -> bool:
        """Try a rule on something in its scope; says whether the dice are for it."""
        standing.tried += 1
        probability = standing.rule.probability
        return probability >= 1 or standing.dice.random() < probability

    def strike(
        self,
        standing: Standing,
        subject: Subject | None = None,
        *,
        ask: Ask | None = None,
        event: str | None = None,
    ) -> None:
        """Note that a rule has struck, and what."""
        standing.struck += 1
        if subject is None and ask is not None:
            subject = ask.subjects[0]
        about = subject or Subject()
        self._exchange.injected(
            self.now_ms
            if event is None
            else None,  # events are told amid the change that they tell
            rule=standing.number,
            fault=standing.rule.kind.value,
            method=ask.method if ask else None,
            path=ask.path if ask else None,
            event=event,
            symbol=about.symbol,
            client_id=about.client_id,
        )

    def _add(self, rule: Rule) -> Standing:
        self._numbers += 1
        standing = Standing(
            number=self._numbers,
            rule=rule,
            dice=Random(f"{rule.seed}:{rule.kind}"),  # noqa: S311 - a simulation, not a secret
            due_ms=self.now_ms + rule.after_ms,
        )
        self._standing[standing.number] = standing
        return standing
