"""Bytes that are no HTTP: the sender's fault, told in one line."""

import logging

from aiohttp.http_exceptions import HttpProcessingError

NAME = "jumar.exchange"


class _OneLine(logging.Filter):
    """Takes the traceback from what a sender did wrong; failures of the server keep theirs."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            what = " ".join(str(error.message).split())
            record.msg, record.args = "%s: no HTTP: %s", (record.getMessage(), what)
            record.exc_info = None
        return True


def server_logger() -> logging.Logger:
    """The logger of an HTTP server that anybody may send anything."""
    logger = logging.getLogger(NAME)
    if not any(isinstance(each, _OneLine) for each in logger.filters):
        logger.addFilter(_OneLine())
    return logger
