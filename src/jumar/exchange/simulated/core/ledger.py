"""The ledger: the append-only record of the truth (docs/reference/ledger.md).

Promises: sequence numbers without a gap, time that never runs backwards, records that nobody changes afterwards.
Older records may be packed away (`shelf.py`). Knows nothing of what a record means; `chronicle.py` writes them.
"""

from collections.abc import Callable

from jumar.exchange.simulated.core.shelf import Packer, Shelf

type Value = str | int | bool | list[str] | None
type Record = dict[str, Value]

SCHEMA = 1


class Ledger:
    """An append-only sequence of records with subscribers.

    Args:
        pack: keeps the older records.
    """

    def __init__(self, pack: Packer | None = None) -> None:
        self._records: Shelf[Record] = Shelf(dict, pack)
        self._subscribers: list[Callable[[Record], None]] = []
        self._last_ms = 0

    @property
    def records(self) -> Shelf[Record]:
        """Every record so far, oldest first; not to be changed."""
        return self._records

    def subscribe(self, subscriber: Callable[[Record], None]) -> None:
        """`subscriber` is called with every further record, in order."""
        self._subscribers.append(subscriber)

    def append(self, kind: str, now_ms: int, **fields: Value) -> Record:
        """Write one record.

        Raises:
            ValueError: `now_ms` lies before the last record's time.
        """
        if now_ms < self._last_ms:
            raise ValueError(f"ledger time runs backwards: {now_ms} after {self._last_ms}")
        self._last_ms = now_ms
        record: Record = {"seq": len(self._records) + 1, "t": now_ms, "kind": kind, **fields}
        self._records.append(record)
        for subscriber in self._subscribers:
            subscriber(record)
        return record
