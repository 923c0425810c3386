"""Records on their way to the store: collected while a tick looks and sends, flushed together."""

from collections.abc import Iterable

from jumar.model.journal import OrderChanged, Record, Snapshot


class Outbox:
    """What must be written with the next flush, in the order in which it happened."""

    def __init__(self) -> None:
        self._waiting: list[Record] = []

    def add(self, record: Record) -> None:
        """Have a record written with the next flush."""
        self._waiting.append(record)

    def take(self) -> tuple[Record, ...]:
        """Hand over what must be written: of each order the newest state only, and the newest picture."""
        newest = {
            _subject(record): index
            for index, record in enumerate(self._waiting)
            if _subject(record) is not None
        }
        records = tuple(
            record
            for index, record in enumerate(self._waiting)
            if newest.get(_subject(record), index) == index
        )
        self._waiting.clear()
        return records

    def give_back(self, records: Iterable[Record]) -> None:
        """Keep records that could not be written for the next try, before everything younger."""
        self._waiting[:0] = records


def _subject(record: Record) -> str | None:
    """What a record tells the present state of, so that a later one makes it superfluous; None where each counts."""
    if isinstance(record, OrderChanged):
        return record.order.client_id
    return "the picture" if isinstance(record, Snapshot) else None
