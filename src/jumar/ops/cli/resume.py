"""`jumar resume`: ask the engine to trade again after a mode that only a person may end (M-1).

Promises to leave a request and nothing else: the engine obeys it at its next tick, or at its next start.
"""

from jumar.model.mode import Mode
from jumar.ops.cli.asking import Asked
from jumar.ports.clock import Clock
from jumar.store import asked as store
from jumar.store import requests
from jumar.store.lock import holder


def resume(asked: Asked, clock: Clock, *, symbol: str | None) -> None:
    """Leave the request and say what happens next.

    Raises:
        ConfigError: the database has not the tables of this version.
        StoreUnavailable: it cannot be read or written.
    """
    held = {
        name: state
        for name, state in store.present(asked.database).modes.items()
        if name in asked.symbols and state.mode is not Mode.NORMAL
    }
    requests.ask(
        asked.database,
        request="resume",
        symbol=None if symbol is None else symbol.upper(),
        asked_by="cli",
        at_ms=clock.now_ms(),
    )
    for name, state in held.items():
        print(f"{name}: {state.mode.value} ({state.rule}: {state.cause})")
    if not held:
        print(f"{', '.join(asked.symbols)}: no mode is kept")
    pid = holder(asked.database)
    if pid is None:
        print("asked to resume; no engine is running: it is obeyed at its next start")
    else:
        print(f"asked to resume; the engine (process {pid}) clears the mode at its next tick")
