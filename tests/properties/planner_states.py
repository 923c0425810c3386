"""The small state space of one symbol, enumerated: what is held, what rests, what was decided, what has been read.

`every_state()` names each combination that can exist, `LEFT_OUT` says in a sentence why the others are not among them;
the world that the planner sees in one is built by `planner_states_world`. The planner itself is not known here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import product

from tests.worlds import D

from jumar.model.mode import Mode
from jumar.model.order import Side
from jumar.model.units import ZERO

PLANNED, PART, ADDED, TURNED = D("0.013"), D("0.006"), D("0.005"), D("0.004")
ENTRY, INITIAL, MOVED, MARK = D("90786.6"), D("90380"), D("90500"), D("90820")
#: Prices of a short are those of a long, mirrored here.
MIRROR = D(90800)


class Held(StrEnum):
    """What the exchange holds on the trade's side."""

    NOTHING = "nothing held"
    PART = "part of the plan held"
    WHOLE = "the whole plan held"
    MORE = "more held than ours"
    TURNED = "the other side held"
    UNREAD = "position never read"


class Stop(StrEnum):
    """The working stop."""

    NONE = "no stop"
    RATCHET = "stop confirmed at the ratchet"
    LOOSER = "stop confirmed but looser than the ratchet"
    UNKNOWN = "stop unknown"
    ENDED = "stop ended"
    INVISIBLE = "stop invisible"


class Backstop(StrEnum):
    """The closePosition stop behind it."""

    NONE = "no backstop"
    CONFIRMED = "backstop confirmed"
    UNKNOWN = "backstop unknown"


class Entry(StrEnum):
    """The entry order, as it was last reported."""

    NONE = "no entry"
    UNKNOWN = "entry unknown"
    RESTING = "entry resting"
    PART = "entry part filled"
    FILLED = "entry filled"
    ENDED = "entry cancelled"


class Asked(StrEnum):
    """The decision in force."""

    NOTHING = "no decision file"
    SAME = "own decision"
    STALE = "own decision stale"
    FLAT = "newer flat"
    OPPOSITE = "newer opposite"
    REFUSED = "newer refused"


class Unread(StrEnum):
    """The part of the snapshot that is missing."""

    NOTHING = "all read"
    POSITION = "no position read"
    REGULAR = "no order list"
    CONDITIONAL = "no conditional list"
    PRICES = "no prices"
    SETTINGS = "no settings"


#: What each entry order reports as filled; a cancelled one tells the truth at its end.
REPORTED = {
    Entry.NONE: ZERO,
    Entry.UNKNOWN: ZERO,
    Entry.RESTING: ZERO,
    Entry.PART: PART,
    Entry.FILLED: PLANNED,
    Entry.ENDED: ZERO,
}
ALIVE_OR_UNKNOWN = frozenset({Entry.UNKNOWN, Entry.RESTING, Entry.PART})


@dataclass(frozen=True, kw_only=True)
class State:
    """One combination; quantities are in base currency, positive on the trade's side.

    What follows from it is worked out once: every sentence asks for it.
    """

    side: Side
    held: Held
    stop: Stop
    backstop: Backstop
    entry: Entry
    mode: Mode
    asked: Asked
    unread: Unread

    def __str__(self) -> str:
        """One line for people."""
        parts = (self.held, self.stop, self.backstop, self.entry, self.asked, self.unread)
        return " · ".join(["long" if self.sign > 0 else "short", *parts, self.mode])

    @cached_property
    def sign(self) -> int:
        """Plus one for a long."""
        return 1 if self.side is Side.BUY else -1

    @cached_property
    def has_trade(self) -> bool:
        """Whether the journal knows a trade; without one a position is nobody's."""
        orders = (self.entry, self.stop, self.backstop)
        return orders != (Entry.NONE, Stop.NONE, Backstop.NONE)

    @cached_property
    def adopted(self) -> bool:
        """Whether the trade was made of a position that was found (Y-1)."""
        found = self.entry is Entry.NONE and self.held not in {Held.NOTHING, Held.UNREAD}
        return self.has_trade and found

    @cached_property
    def bought(self) -> Decimal:
        """What our entry bought, or what was found."""
        reported = REPORTED[self.entry]
        match self.held:
            case Held.NOTHING | Held.UNREAD:
                return reported
            case Held.WHOLE:
                return PLANNED
            case _:
                return max(PART, reported)

    @cached_property
    def size(self) -> Decimal:
        """What is held in truth, negative on the other side."""
        match self.held:
            case Held.NOTHING:
                return ZERO
            case Held.PART:
                return PART
            case Held.WHOLE:
                return PLANNED
            case Held.MORE:
                return self.bought + ADDED
            case Held.TURNED:
                return -TURNED
            case Held.UNREAD:
                return self.bought

    @cached_property
    def by_hand(self) -> Decimal:
        """What somebody else bought, negative when sold; without a trade nobody keeps account of it."""
        return self.size - self.bought if self.has_trade else ZERO

    @cached_property
    def ever_held(self) -> bool:
        """Whether anything was ever bought."""
        return self.bought > ZERO

    @cached_property
    def may_fill(self) -> Decimal:
        """What an entry that is alive or unknown may still buy."""
        return PLANNED - self.bought if self.entry in ALIVE_OR_UNKNOWN else ZERO

    @cached_property
    def ratchet(self) -> Decimal:
        """The tightest stop ever confirmed, or the initial one."""
        return mirrored(MOVED if self.stop is Stop.LOOSER else INITIAL, self.side)

    @cached_property
    def stop_size(self) -> Decimal:
        """The quantity of the working stop: of the plan, or of what was found."""
        return self.bought if self.adopted else PLANNED

    @cached_property
    def is_covered(self) -> bool:
        """Whether a confirmed stop of at least the position's size rests, at whatever price."""
        seen_stop = self.stop in {Stop.RATCHET, Stop.LOOSER, Stop.INVISIBLE}
        return self.backstop is Backstop.CONFIRMED or (seen_stop and self.stop_size >= self.size)

    @cached_property
    def is_covered_at_ratchet(self) -> bool:
        """The same at the ratchet price."""
        if self.stop is Stop.LOOSER:
            return False
        return self.is_covered


LEFT_OUT: tuple[tuple[str, Callable[[State], bool]], ...] = (
    (
        "a backstop follows the first fill (S-2)",
        lambda s: s.backstop is not Backstop.NONE and not s.ever_held,
    ),
    (
        "an entry leaves behind a confirmed stop, and the journal forgets no order (S-1, X-1)",
        lambda s: s.stop is Stop.NONE and s.entry is not Entry.NONE,
    ),
    (
        "before the first fill no stop moves (S-1)",
        lambda s: s.stop is Stop.LOOSER and not s.ever_held,
    ),
    (
        "FLATTENING is the emergency close of a position (M-2)",
        lambda s: s.mode is Mode.FLATTENING and not s.ever_held,
    ),
    (
        "FLATTENING is over before its trade is (M-1)",
        lambda s: s.mode is Mode.FLATTENING and not s.has_trade,
    ),
    (
        "an entry that bought the whole plan ended as filled, not as cancelled",
        lambda s: s.entry is Entry.ENDED and s.held is Held.WHOLE,
    ),
    (
        "a position that was never read is not missing twice",
        lambda s: s.held is Held.UNREAD and s.unread is Unread.POSITION,
    ),
    (
        "what is missing forbids an entry already: NO_ENTRIES beside it adds nothing",
        lambda s: s.mode is Mode.NO_ENTRIES and s.unread is not Unread.NOTHING,
    ),
    (
        "what PROTECT_ONLY takes away it takes with everything read",
        lambda s: s.mode is Mode.PROTECT_ONLY and s.unread is not Unread.NOTHING,
    ),
)


def why_left_out(state: State) -> str | None:
    """The sentence that leaves a combination out, None for one that is looked at."""
    return next((why for why, fits in LEFT_OUT if fits(state)), None)


def every_combination(
    side: Side = Side.BUY, *, held: Iterable[Held] = Held, unread: Iterable[Unread] = Unread
) -> Iterator[State]:
    """All combinations with some kinds of position and snapshot."""
    kinds = product(held, Stop, Backstop, Entry, Mode, Asked, unread)
    for each, stop, backstop, entry, mode, asked, missing in kinds:
        yield State(
            side=side,
            held=each,
            stop=stop,
            backstop=backstop,
            entry=entry,
            mode=mode,
            asked=asked,
            unread=missing,
        )


def every_state(
    side: Side = Side.BUY, *, held: Iterable[Held] = Held, unread: Iterable[Unread] = Unread
) -> Iterator[State]:
    """All of them that are looked at."""
    combinations = every_combination(side, held=held, unread=unread)
    return (state for state in combinations if why_left_out(state) is None)


def mirrored(price: Decimal, side: Side) -> Decimal:
    """A long's price as the short of the same story has it."""
    return price if side is Side.BUY else 2 * MIRROR - price
