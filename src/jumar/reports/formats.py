"""Who reads the log lines; apart from `logs.py` so that the command line's help need not import a logger."""

from enum import StrEnum


class LogFormat(StrEnum):
    """The form of a log line."""

    CONSOLE = "console"
    JSON = "json"
