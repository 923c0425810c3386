"""One watched decision file (see `watch.py` for when a content is told).

Promises that `poll` and `answer` never raise. An absent file is no decision.
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import structlog

from jumar.decisions.beside import outcome_path, write_answer
from jumar.decisions.decode import interpret, unreadable
from jumar.decisions.parse import kept
from jumar.decisions.watch import Broken, WatchedFile, words_of
from jumar.ports.decisions import Answer, Received

_log = structlog.get_logger("jumar.decisions")


class FileDecisions:
    """The decisions that somebody writes to one file (see `jumar.ports.decisions.DecisionSource`)."""

    def __init__(
        self, path: Path, *, account: str, symbols: Collection[str], polls_per_tick: int = 1
    ) -> None:
        """Watch `path`; `account` and `symbols` are the configured ones.

        Args:
            path: the file.
            account: part of every decision's id.
            symbols: decisions for others are refused.
            polls_per_tick: how often the engine looks within one tick.
        """
        self._path = path
        self._account = account
        self._symbols = frozenset(symbols)
        self._watched = WatchedFile(path, polls_per_tick=polls_per_tick)
        self._answers_fail = False

    def poll(self) -> tuple[Received, ...]:
        """What is new since the last poll: nothing, or one content."""
        news = self._watched.poll()
        if news is None:
            return ()
        if isinstance(news, Broken):
            received = unreadable(news.error, raw=kept(news.data))
            return (replace(received, quarantine=news.quarantine),)
        raw = kept(news.data)
        return (interpret(news.value, raw=raw, account=self._account, symbols=self._symbols),)

    def answer(self, answer: Answer) -> None:
        """Write what was done beside the file (D-8); the first of several failures in a row is logged."""
        try:
            write_answer(self._path, answer)
        except (OSError, ValueError) as error:
            if not self._answers_fail:
                place = str(outcome_path(self._path))
                _log.warning("the answer cannot be written", path=place, error=words_of(error))
            self._answers_fail = True
        else:
            self._answers_fail = False
