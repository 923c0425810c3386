"""The ladder of modes as one table: what leads where, whom it concerns, and how it comes back (M-1).

Promises that every mode but NORMAL has a row here, that the stricter of two always counts, and that the diagram in
docs/concepts/modes.md is made of these rows. Knows nothing of how a cause is found: `modes.py` and `flattening.py`
look for it, people and the engine's shell report the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from jumar.model.command import CancelOrder, Command, PlaceOrder, SetCountdown
from jumar.model.ids import parse_client_id
from jumar.model.mode import Mode, ModeState
from jumar.model.order import PROTECTIVE_ROLES, TARGET_ROLES, Role
from jumar.model.trade import Trade


class Scope(StrEnum):
    """Whom a mode concerns."""

    SYMBOL = "symbol"
    ACCOUNT = "account"


class Back(StrEnum):
    """What ends it."""

    ITSELF = "itself"
    OPERATOR = "operator"
    FLAT = "flat"
    START = "start"


@dataclass(frozen=True, slots=True)
class Rung:
    """One cause and the transition that it makes: a row, its columns in their order.

    Attributes:
        code: its name, for the record; kept with the mode.
        rule: the rule that demands it.
        mode: where it leads, from every mode that is less strict.
        back: what ends it: its cause healing, an operator, the proof of flat (to NO_ENTRIES, which an operator
            ends), or a new start.
        says: the cause in a person's words.
        mild: a person may hear of it later.
    """

    code: str
    rule: str
    mode: Mode
    scope: Scope
    back: Back
    says: str
    mild: bool = field(default=False, kw_only=True)

    @property
    def severity(self) -> str:
        """Of the alert: `warning` or `critical`."""
        return "warning" if self.mild else "critical"

    @property
    def from_modes(self) -> tuple[Mode, ...]:
        """The modes that it leads away from: all that are less strict."""
        return tuple(mode for mode in Mode if mode.strictness < self.mode.strictness)


_NO, _PROTECT, _FLATTEN = Mode.NO_ENTRIES, Mode.PROTECT_ONLY, Mode.FLATTENING
_SYMBOL, _ACCOUNT = Scope.SYMBOL, Scope.ACCOUNT

RUNGS: tuple[Rung, ...] = (
    Rung("unreachable", "M-3", _NO, _SYMBOL, Back.ITSELF, "the exchange does not answer", mild=True),
    Rung("deaf", "M-3", _NO, _SYMBOL, Back.ITSELF, "the stream is silent and reads fail", mild=True),
    Rung("clock_off", "M-3", _NO, _ACCOUNT, Back.ITSELF, "the exchange's time is not known"),
    Rung("unknown_outcomes", "M-3", _NO, _ACCOUNT, Back.ITSELF, "too many lost answers"),
    Rung("unresolved", "M-3", _NO, _SYMBOL, Back.ITSELF, "an order whose fate stays unknown"),
    Rung("invisible_stop", "S-13", _NO, _SYMBOL, Back.ITSELF, "a stop that no list shows"),
    Rung("foreign_order", "Y-7", _NO, _SYMBOL, Back.ITSELF, "somebody else's order rests here", mild=True),
    Rung("entry_storm", "X-8", _NO, _SYMBOL, Back.ITSELF, "too many entry orders in short time", mild=True),
    Rung("not_writer", "X-7", _NO, _ACCOUNT, Back.START, "another engine may use this database"),
    Rung("lease_young", "X-7", _NO, _ACCOUNT, Back.ITSELF, "orders of an engine before this one may be on their way", mild=True),
    Rung("foreign_writer", "X-7", _NO, _SYMBOL, Back.OPERATOR, "somebody else sends orders with our names"),
    Rung("foreign_position", "Y-1", _NO, _SYMBOL, Back.OPERATOR, "somebody else's position"),
    Rung("foreign_size", "Y-3", _NO, _SYMBOL, Back.OPERATOR, "somebody else traded our position"),
    Rung("forced", "Y-3", _NO, _SYMBOL, Back.OPERATOR, "the exchange took part of the position"),
    Rung("tick_failed", "O-4", _NO, _SYMBOL, Back.OPERATOR, "an error inside the engine"),
    Rung("paused", "M-6", _NO, _SYMBOL, Back.OPERATOR, "an operator paused it", mild=True),
    Rung("all_paused", "M-6", _NO, _ACCOUNT, Back.OPERATOR, "an operator paused everything", mild=True),
    Rung("invariant", "M-4", _PROTECT, _SYMBOL, Back.OPERATOR, "a plan contradicted a promise"),
    Rung("unwritable", "M-4", _PROTECT, _ACCOUNT, Back.OPERATOR, "the database cannot be written"),
    Rung("lease_unrenewed", "M-4", _PROTECT, _ACCOUNT, Back.OPERATOR, "another engine may have taken over"),
    Rung("keys_rejected", "M-4", _PROTECT, _ACCOUNT, Back.OPERATOR, "the exchange refuses the keys"),
    Rung("emergency_close", "M-2", _FLATTEN, _SYMBOL, Back.FLAT, "a stop was lost or failed"),
    Rung("liquidation", "M-2", _FLATTEN, _SYMBOL, Back.FLAT, "liquidation would come before the stop"),
    Rung("delisting", "G-15", _FLATTEN, _SYMBOL, Back.FLAT, "the contract is about to end"),
    Rung("daily_loss", "G-10", _FLATTEN, _SYMBOL, Back.FLAT, "the day's loss limit is reached"),
    Rung("flatten", "M-6", _FLATTEN, _SYMBOL, Back.FLAT, "an operator wants everything closed"),
)  # fmt: skip
_BY_CODE = {rung.code: rung for rung in RUNGS}

#: Refusals with the code `paused`: an operator wanted it so, nothing is wrong (G-12).
PAUSES = frozenset({"paused", "all_paused", "flatten"})


def rung(code: str) -> Rung:
    """Return a row by its name.

    Raises:
        KeyError: there is none.
    """
    return _BY_CODE[code]


def state(code: str, cause: str, now_ms: int, *, rule: str | None = None) -> ModeState:
    """Return the mode that a cause leads to; a rule is given where the row knows only that of the transition."""
    row = _BY_CODE[code]
    return ModeState(
        mode=row.mode, rule=rule or row.rule, cause=cause, since_ms=now_ms, code=row.code
    )


def stricter(kept: ModeState | None, found: ModeState) -> ModeState | None:
    """Return what is kept after a cause was found, None where what is kept already is as strict (M-1)."""
    held = Mode.NORMAL if kept is None else kept.mode
    return found if found.mode.strictness > held.strictness else None


def strictest(states: Iterable[ModeState]) -> Mode:
    """The mode that counts."""
    return max(
        (each.mode for each in states), key=lambda mode: mode.strictness, default=Mode.NORMAL
    )


def settled(kept: ModeState) -> ModeState:
    """FLATTENING that has nothing left to do: NO_ENTRIES with the same cause, until an operator resumes (M-2)."""
    return replace(kept, mode=Mode.NO_ENTRIES)


def may_place(mode: Mode, role: Role) -> bool:
    """Whether an order of a role may leave in a mode (M-1); asked by the planner and once more before the socket."""
    if mode is Mode.NORMAL:
        return True
    return role is not Role.ENTRY if mode is Mode.NO_ENTRIES else role in PROTECTIVE_ROLES


def permitted(mode: Mode, commands: Iterable[Command], trade: Trade | None) -> tuple[Command, ...]:
    """Return those of a plan's commands that may leave in a mode (M-1)."""
    return tuple(command for command in commands if _is_permitted(mode, command, trade))


def _is_permitted(mode: Mode, command: Command, trade: Trade | None) -> bool:
    if isinstance(command, PlaceOrder):
        return may_place(mode, command.request.role)
    if isinstance(command, CancelOrder):
        return mode is not Mode.PROTECT_ONLY or not _leaves_a_target(command, trade)
    # the dead man's switch only takes entries back, and must be unset; set-up and amendments serve an entry
    return mode is Mode.NORMAL or isinstance(command, SetCountdown)


def _leaves_a_target(command: CancelOrder, trade: Trade | None) -> bool:
    """PROTECT_ONLY: a resting target stays, unless it keeps a stop or an exit out, or its trade is over."""
    parsed = parse_client_id(command.client_id)
    over = trade is None or trade.closing is not None or trade.proven_flat_ms is not None
    target = parsed is not None and parsed.role in TARGET_ROLES
    return target and not over and command.cause.rule not in {"S-7", "S-8"}


def diagram() -> str:
    """The ladder as a Mermaid state diagram, for docs/concepts/modes.md."""
    lines = ["stateDiagram-v2", "    [*] --> NORMAL"]
    for mode in (_NO, _PROTECT, _FLATTEN):
        codes = [row.code for row in RUNGS if row.mode is mode]
        less = [each for each in Mode if each.strictness < mode.strictness]
        lines += [f"    {each} --> {mode}: {', '.join(codes)}" for each in less]
    lines += [
        f"    {_FLATTEN} --> {_NO}: flat",
        f"    {_PROTECT} --> {Mode.NORMAL}: resume",
        f"    {_NO} --> {Mode.NORMAL}: resume, or healed by itself",
    ]
    return "\n".join(lines)


def table() -> str:
    """The ladder as a Markdown table, for docs/concepts/modes.md."""
    back = {
        Back.ITSELF: "by itself, when the cause is gone",
        Back.OPERATOR: "`jumar resume`",
        Back.FLAT: "by itself to NO_ENTRIES once flat, then `jumar resume`",
        Back.START: "when the engine is started again",
    }
    lines = [
        "| cause | what happened | rule | leads to | concerns | ends | alert |",
        "|---" * 7 + "|",
    ]
    lines += [
        f"| `{row.code}` | {row.says} | {row.rule} | {row.mode} | {row.scope} | {back[row.back]} "
        f"| {row.severity} |"
        for row in RUNGS
    ]
    return "\n".join(lines)
