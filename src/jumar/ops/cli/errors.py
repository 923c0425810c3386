"""How a command ends when something is wrong: one message on stderr and an exit code, never a traceback.

2: something must be changed before the start. 1: it started and could not go on. Promises that an error nobody
foresaw still names its kind and place, so that it can be reported.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from jumar.model.errors import ConfigError, JumarError, VenueUnavailable

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_UNREAD = 141
"""What a shell reports of a program that SIGPIPE ended."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn errors into a message and an exit code."""
    try:
        with _flushed():
            yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:
        # Whoever read us has seen enough (`jumar trades | head`); nothing can be said to him any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_UNREAD) from None
    except Exception as error:  # noqa: BLE001 - the last line of defence of a command line
        first = _first(error)
        complain(_message(first))
        raise typer.Exit(
            EXIT_BAD_INPUT if isinstance(first, ConfigError) else EXIT_FAILED
        ) from None


@contextmanager
def _flushed() -> Iterator[None]:
    """Have what was printed leave here, where a reader that is gone can still be met."""
    try:
        yield
    finally:
        sys.stdout.flush()


@contextmanager
def naming(place: str) -> Iterator[None]:
    """Say of a venue that does not answer where it was looked for, and what helps.

    Raises:
        VenueUnavailable: as it came, with the place.
    """
    try:
        yield
    except VenueUnavailable as error:
        message = f"{place} does not answer ({error}); check the address, or start again later"
        raise VenueUnavailable(message) from error


def complain(message: str) -> None:
    """Say what is wrong on stderr."""
    print(f"jumar: {message}", file=sys.stderr)


def _first(error: BaseException) -> BaseException:
    """The first error of a group: tasks that run together fail together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _message(error: BaseException) -> str:
    if isinstance(error, JumarError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}: {error}{place}; please report this"
