"""What people ask for (`pause`, `resume`, `flatten`) becomes modes: one request, one outcome in words (M-6).

Promises that asking twice changes nothing that asking once did not, and says so. Knows no store: who obeys writes
the outcome and the modes in one transaction.
"""

from collections.abc import Mapping

from jumar.model.journal import ModeChanged, OperatorRequest, Record
from jumar.model.mode import Mode
from jumar.planner import ladder
from jumar.reconciler.account import AccountState
from jumar.reconciler.loop import SymbolLoop
from jumar.reconciler.modes import normal, resumed_words


def obey(
    request: OperatorRequest, loops: Mapping[str, SymbolLoop], common: AccountState, now_ms: int
) -> tuple[str, tuple[Record, ...]]:
    """Do what was asked; return the outcome in words, and the modes as they are now kept."""
    named = request.symbol
    concerned = [loop for symbol, loop in loops.items() if named is None or named == symbol]
    if request.request not in {"pause", "resume", "flatten"}:
        return f"unknown request {request.request!r}", ()
    if not concerned:
        return f"{named} is not managed here", ()
    said = [] if named is not None else [_account(request, common, now_ms)]
    spent: list[Record] = []
    if request.request == "flatten":
        spent = [record for loop in concerned for record in loop.desk.flatten(now_ms)]
    if request.request != "pause" or named is not None:
        said += [_symbol(request, loop, now_ms) for loop in concerned]
    if request.request == "resume" and named is not None and _is_held(common):
        said.append("the account itself is still held; `jumar resume` without --symbol ends that")
    for loop in concerned:
        loop.wake()
    return "; ".join(word for word in said if word), (*spent, *_kept(named, concerned, common))


def _symbol(request: OperatorRequest, loop: SymbolLoop, now_ms: int) -> str:
    match request.request:
        case "pause":
            return loop.modes.pause(request.asked_by, now_ms)
        case "flatten":
            return loop.modes.flatten(request.asked_by, now_ms)
        case _:
            return loop.modes.resume(request.asked_by, now_ms)


def _account(request: OperatorRequest, common: AccountState, now_ms: int) -> str:
    """What concerns every symbol, those to come included: a flatten of all leaves a pause of all."""
    kept, who = common.mode, request.asked_by
    if request.request == "resume":
        if kept is None or kept.mode is Mode.NORMAL:
            return ""
        common.keep(normal(resumed_words(who, kept), now_ms))
        return f"account: {resumed_words(who, kept)}"
    words = f"paused by {who}" if request.request == "pause" else f"flattened by {who}"
    if common.found(ladder.state("all_paused", words, now_ms)) is None and kept is not None:
        return f"account: is {kept.mode.value} ({kept.cause}) already"
    return "account: paused"


def _is_held(common: AccountState) -> bool:
    return common.mode is not None and common.mode.mode is not Mode.NORMAL


def _kept(named: str | None, loops: list[SymbolLoop], common: AccountState) -> tuple[Record, ...]:
    states = [(loop.state.symbol, loop.state.mode) for loop in loops]
    changed = [ModeChanged(symbol=name, state=state) for name, state in states if state is not None]
    if named is None and common.mode is not None:
        changed.append(ModeChanged(symbol=None, state=common.mode))
    return tuple(changed)
