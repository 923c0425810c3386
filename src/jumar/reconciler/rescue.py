"""What protected a position while the store could not be written is taken in before anything is loaded (M-4, X-2).

Promises that nothing is taken in twice, that what the store refuses is kept for a person and told, and that an
emergency log which cannot be used keeps nobody from protecting what is held.
"""

from dataclasses import replace

from jumar.model.errors import InvariantBroken, StoreUnavailable
from jumar.model.journal import ModeChanged, Record, StoreIdentity
from jumar.model.mode import Mode
from jumar.ports.store import EmergencyLog, Rescued, Store

#: Severity and message of what a person should hear once the loops run.
type News = tuple[str, str]


async def take_in(
    log: EmergencyLog, store: Store, identity: StoreIdentity
) -> tuple[StoreIdentity, tuple[News, ...]]:
    """Write what the log holds and the store lacks; return who the store is by then, and what is to be told.

    Raises:
        StoreUnavailable: the store cannot be written; the log keeps what it holds.
    """
    try:
        left = await log.open()
    except StoreUnavailable as error:
        message = f"no emergency file, protection would leave unjournaled on a full disk: {error}"
        return identity, (("critical", message),)
    news, refused = list(_oddities(log, left)), False
    for symbol, records in left.batches:
        try:
            await store.write(records)
        except InvariantBroken as error:
            refused = True
            news.append(("critical", f"{log.name}: the database refused what it held: {error}"))
            continue
        news.append(("warning", f"{len(records)} records of {symbol} were taken in: {log.name}"))
        identity = _with_mode(identity, records)
    news += await _emptied(log, left, keep=refused or left.damage is not None)
    return identity, tuple(news)


def _oddities(log: EmergencyLog, left: Rescued) -> tuple[News, ...]:
    if left.damage is not None:
        return (("critical", f"{log.name} is damaged: {left.damage}; what stood before was used"),)
    if left.torn:
        message = "its last line was never finished and was cut: nothing was sent for it"
        return (("warning", f"{log.name}: {message}"),)
    return ()


def _with_mode(identity: StoreIdentity, records: tuple[Record, ...]) -> StoreIdentity:
    """The account's mode as it was kept there; a pause is not ended by what was kept before it."""
    for record in records:
        if isinstance(record, ModeChanged) and record.symbol is None:
            held = identity.mode is not None and identity.mode.mode is not Mode.NORMAL
            if record.state.mode is not Mode.NORMAL or not held:
                identity = replace(identity, mode=record.state)
    return identity


async def _emptied(log: EmergencyLog, left: Rescued, *, keep: bool) -> tuple[News, ...]:
    try:
        if keep:
            return (("critical", f"kept for a person: {await log.set_aside()}"),)
        for symbol in {symbol for symbol, _ in left.batches} or {""}:
            await log.committed(symbol)
    except StoreUnavailable as error:
        return (("critical", f"it could not be emptied: {error}"),)
    return ()
