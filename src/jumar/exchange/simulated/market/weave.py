"""Records of a file in the order of time, where the file has two parts of a day interleaved.

Some of Binance's bookTicker files (busy days from December 2023 on) begin with rows of the day's first hours and of its last
minutes in turn, until the latter are used up (binance-public-data, issue 305). Promises rising times, late by a second at
most, or a refusal; holds no more than a window of records, and reads a file a second time only if it is of that kind.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from jumar.exchange.simulated.market.records import Record

LATE_MS_MAX = 1_000
"""Records of one moment stand at most so far apart in a file."""
_WINDOW = 1_000  # records that are looked ahead: the parts take turns row by row


def in_order(read: Callable[[], Iterator[Record]], name: str) -> Iterator[Record]:
    """First what stands in its place, then, from the file's beginning again, what stood too early.

    Args:
        read: the file's records from its beginning.
        name: of the file, for messages.

    Raises:
        ValueError: what stood too early does not belong behind the rest; or what `read` raises.
    """
    begun_ms, has_early = 0, False
    for record, early in _told_apart(read()):
        if early:
            has_early = True
        else:
            begun_ms = _not_before(begun_ms, record, name)
            yield record
    if has_early:
        for record, early in _told_apart(read()):
            if early:
                begun_ms = _not_before(begun_ms, record, name)
                yield record


def _told_apart(records: Iterator[Record]) -> Iterator[tuple[Record, bool]]:
    """Each record, and whether one of the next thousand is more than a second earlier."""
    held: list[Record] = []
    while True:
        fresh = list(islice(records, 2 * _WINDOW - len(held)))
        held += fresh
        early = []
        lowest_ms = held[-1].time_ms if held else 0
        for record in reversed(held):
            early.append(record.time_ms - LATE_MS_MAX > lowest_ms)
            lowest_ms = min(lowest_ms, record.time_ms)
        early.reverse()
        if not fresh:
            yield from zip(held, early, strict=True)
            return
        yield from zip(held[:_WINDOW], early[:_WINDOW], strict=True)
        held = held[_WINDOW:]


def _not_before(begun_ms: int, record: Record, name: str) -> int:
    if record.time_ms < begun_ms - LATE_MS_MAX:
        seconds = (begun_ms - record.time_ms) / 1_000
        raise ValueError(
            f"{name}: a record stands {seconds:.3f} s behind one of a later time; "
            "sort its rows by time, or leave the file out"
        )
    return max(begun_ms, record.time_ms)
