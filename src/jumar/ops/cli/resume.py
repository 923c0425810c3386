"""`jumar pause` and `jumar resume`: enter nothing more, and trade again after a mode that only a person may end (M-1, M-6).

Promises to leave a request and nothing else: the engine obeys it at its next tick, or at its next start.
"""

from jumar.model.mode import Mode, ModeState
from jumar.ops.cli.asking import Asked
from jumar.ports.clock import Clock
from jumar.store import asked as store
from jumar.store import requests
from jumar.store.backends import holder
from jumar.store.records import ACCOUNT


def pause(asked: Asked, clock: Clock, *, symbol: str | None) -> None:
    """Leave the request to enter nothing more and say what happens next.

    Raises:
        ConfigError: the database has not the tables of this version.
        StoreUnavailable: it cannot be read or written.
    """
    _ask("pause", asked, clock, symbol)
    _say_next(asked, "pause", "enters nothing more from its next tick on")


def resume(asked: Asked, clock: Clock, *, symbol: str | None) -> None:
    """Leave the request and say what happens next.

    Raises:
        ConfigError: the database has not the tables of this version.
        StoreUnavailable: it cannot be read or written.
    """
    held = _held(asked, account=symbol is None)
    _ask("resume", asked, clock, symbol)
    for name, state in held.items():
        print(f"{name}: {state.mode.value} ({state.rule}: {state.cause})")
    if not held:
        print(f"{', '.join(asked.symbols)}: no mode is kept")
    _say_next(asked, "resume", "clears the mode at its next tick")


def _held(asked: Asked, *, account: bool) -> dict[str, ModeState]:
    """What is kept of the symbols, and of the account where all of it is meant."""
    modes = store.present(asked.database).modes
    names = {name: name for name in asked.symbols} | ({ACCOUNT: "account"} if account else {})
    return {
        names[name]: state
        for name, state in modes.items()
        if name in names and state.mode is not Mode.NORMAL
    }


def _ask(request: str, asked: Asked, clock: Clock, symbol: str | None) -> None:
    requests.ask(
        asked.database,
        request=request,
        symbol=None if symbol is None else symbol.upper(),
        asked_by="cli",
        at_ms=clock.now_ms(),
    )


def _say_next(asked: Asked, request: str, what: str) -> None:
    pid = holder(asked.database)
    if pid is None:
        print(f"asked to {request}; no engine is running: it is obeyed at its next start")
    else:
        print(f"asked to {request}; the engine (process {pid}) {what}")
