"""A watched folder: one decision file for each symbol, named after it, and the answer beside each (D-8).

    BTCUSDT.json  BTCUSDT.outcome.json  ETHUSDT.json  ETHUSDT.outcome.json  quarantine/

Promises that `poll` and `answer` never raise, that a file is read for the symbol it is named after and for no other,
and that what is named otherwise is left alone and said once. Each file is watched as a single one is (`file.py`).
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from jumar.decisions.beside import QUARANTINE
from jumar.decisions.decode import MALFORMED
from jumar.decisions.file import FileDecisions
from jumar.model.decision import FieldError
from jumar.ports.decisions import Answer, Received

#: Polls between two looks at what else lies in the folder.
LOOK_EVERY_POLLS = 20
#: So many names are said; more is a folder that is used for something else.
SAID_MAX = 20
_OTHERS = (".outcome.json", ".levels.json")

_log = structlog.get_logger("jumar.decisions")


class FolderDecisions:
    """The decisions that somebody writes to one folder (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(
        self, path: Path, *, account: str, symbols: Collection[str], polls_per_tick: int = 1
    ) -> None:
        """Watch `path`; the other arguments are those of `FileDecisions`."""
        self._path = path
        self._files = {
            symbol: FileDecisions(
                path / f"{symbol}.json",
                account=account,
                symbols=symbols,
                polls_per_tick=polls_per_tick,
            )
            for symbol in sorted(symbols)
        }
        self._polls = 0
        self._said: set[str] = set()

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll: at most one content of each symbol."""
        if self._polls % LOOK_EVERY_POLLS == 0:
            self._look_around()
        self._polls += 1
        return tuple(
            _of(symbol, received)
            for symbol, file in self._files.items()
            for received in file.poll()
        )

    def answer(self, answer: Answer) -> None:
        """Write what was done beside the symbol's file."""
        file = self._files.get(answer.symbol or "")
        if file is not None:
            file.answer(answer)

    def _look_around(self) -> None:
        """Say each name once that is nobody's here: a decision in it would wait for ever."""
        for name in self._strangers():
            if name not in self._said and len(self._said) < SAID_MAX:
                self._said.add(name)
                wanted = f"a decision belongs in {' or '.join(f'{s}.json' for s in self._files)}"
                _log.warning("left alone", folder=str(self._path), name=name, why=wanted)

    def _strangers(self) -> Iterator[str]:
        try:
            names = sorted(entry.name for entry in self._path.iterdir())
        except OSError:
            return  # that the folder is gone or closed is no decision of any symbol
        ours = {f"{symbol}.json" for symbol in self._files} | {QUARANTINE, "levels.json"}
        for name in names:
            if name not in ours and not name.startswith(".") and not name.endswith(_OTHERS):
                yield name


def _of(symbol: str, received: Received) -> Received:
    """What a file says of the symbol that it is named after; what names another one is no decision of either."""
    if received.symbol == symbol:
        return received
    if received.symbol is None:
        return replace(received, symbol=symbol)
    message = f"must be {symbol}, as the file is named: write it to {received.symbol}.json"
    error = FieldError(field="symbol", value=received.symbol, message=message, rule="D-8")
    return replace(
        received, symbol=symbol, timestamp_ms=None, decision=None, errors=(error,), code=MALFORMED
    )
