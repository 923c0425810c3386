"""Moments for people: exchange time in milliseconds to ISO text in UTC, exactly.

Promises that no binary float is passed through. Knows nothing of the present.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at_ms: int) -> str:
    """Return milliseconds since 1970 as `2025-12-05T10:05:05.250Z`."""
    return _moment(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(at_ms: int) -> str:
    """Return the time of day in UTC: `10:05:05`."""
    return _moment(at_ms).strftime("%H:%M:%S")


def _moment(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms)
