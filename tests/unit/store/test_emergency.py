"""The emergency file: lines that are whole, torn or damaged, and what a database lacks of them (M-4, X-2)."""

import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.journals import held, records
from tests.unit.store.test_store_records import fills, orders, trades

from jumar.model.errors import StoreUnavailable
from jumar.model.journal import (
    EventSeen,
    FillSeen,
    Intent,
    ModeChanged,
    OrderChanged,
    Record,
    StopConfirmed,
    StoreIdentity,
    TradeChanged,
)
from jumar.model.mode import Mode, ModeState
from jumar.model.order import OwnOrder
from jumar.reconciler.rescue import take_in
from jumar.simulation.host import RamFile
from jumar.store import emergency, queries
from jumar.store.emergency import (
    RESERVED_BYTES,
    EmergencyFile,
    ReservedFile,
    emergency_file,
    lacking,
    line_of,
    read,
)
from jumar.store.journal import SqlStore
from jumar.store.writer import InlineExecutor

SYMBOL, OTHER = "BTCUSDT", "ETHUSDT"
MODE = ModeState(mode=Mode.PROTECT_ONLY, rule="M-4", cause="disk", since_ms=7, code="unwritable")
NOTE = EventSeen(symbol=SYMBOL, trade_key="k", rule="S-1", message="told", at_ms=1)


def journal() -> tuple[Record, ...]:
    """What a trade writes until it is held."""
    return tuple(records(held()))


def intents() -> list[Intent]:
    """The intents of it, in order."""
    return [record for record in journal() if isinstance(record, Intent)]


def ids(batches: Sequence[tuple[str, Sequence[Record]]]) -> list[str]:
    """The client ids of the intents in some batches."""
    found = [r for _, batch in batches for r in batch if isinstance(r, Intent)]
    return [record.order.client_id for record in found]


def lines(*batches: Sequence[Record]) -> bytes:
    """A file with these batches of one symbol."""
    content, checksum = b"", 0
    for batch in batches:
        line, checksum = line_of(SYMBOL, batch, checksum)
        content += line
    return content


def log(medium: emergency.Medium, *journaled: str) -> EmergencyFile:
    """An emergency file beside a database that knows these orders."""
    return EmergencyFile(
        medium, name="the file", journaled=lambda: journaled, executor=InlineExecutor()
    )


# lines


@pytest.mark.rule("M-4", "X-2")
@settings(max_examples=50)
@given(order=orders, fill=fills, trade=trades)
def test_what_is_written_is_what_is_read(order: OwnOrder, fill: object, trade: object) -> None:
    """Every kind that is kept comes back equal, amounts to their last digit."""
    batch = (
        TradeChanged(trade=trade),  # type: ignore[arg-type]  # the strategy's type is not told
        Intent(order=order, tightness=None),
        OrderChanged(order=order),
        StopConfirmed(trade_key="k", client_id="c", at_ms=1),
        FillSeen(trade_key="k", client_id="c", fill=fill),  # type: ignore[arg-type]  # as above
        ModeChanged(symbol=None, state=MODE),
    )
    found = read(lines(batch) + bytes(100))
    assert found.batches == [(SYMBOL, batch)]
    assert (found.torn, found.damage) == (False, None)


@pytest.mark.rule("M-4")
def test_a_file_cut_anywhere_gives_every_whole_line_and_tells_the_torn_one() -> None:
    """However much of the last line reached the disk: the first one counts, the rest is cut, nothing is damaged."""
    first, second = intents()[:2]
    one, both = lines([first]), lines([first], [second])
    for end in range(len(one), len(both)):
        found = read(both[:end] + bytes(64))
        assert ids(found.batches) == [first.order.client_id]
        assert found.end == len(one)
        assert (found.torn, found.damage) == (end > len(one), None), end


@pytest.mark.rule("M-4")
def test_damage_in_the_middle_is_told_and_hides_nothing_before_it() -> None:
    """A bit turned anywhere in the second of three lines, or the line lost altogether."""
    batches = [[intent] for intent in intents()[:3]]
    one, two, whole = lines(*batches[:1]), lines(*batches[:2]), lines(*batches)
    for at in range(len(one), len(two), 7):
        turned = bytearray(whole)
        turned[at] ^= 1
        found = read(bytes(turned))
        assert found.damage is not None, at
        assert len(found.batches) == 1
    lost = read(one + bytes(len(two) - len(one)) + whole[len(two) :])
    assert lost.damage is not None
    assert len(lost.batches) == 1
    swapped = read(one + whole[len(two) :] + whole[len(one) : len(two)])
    assert swapped.damage is not None


# what a database lacks


@pytest.mark.rule("M-4", "X-2")
def test_only_what_comes_after_the_last_known_intent_of_a_symbol_is_lacking() -> None:
    """Each symbol by itself; a line that was written late and once more with the next counts once."""
    one, two, three = intents()[:3]
    changed = OrderChanged(order=replace(one.order, venue_id="7"))
    batches = ((SYMBOL, (one,)), (OTHER, (three,)), (SYMBOL, (one, changed, two)))
    assert lacking(batches, ()) == (
        (SYMBOL, (one,)),
        (SYMBOL, (changed, two)),
        (OTHER, (three,)),
    )
    assert lacking(batches, {one.order.client_id}) == (
        (SYMBOL, (changed, two)),
        (OTHER, (three,)),
    )
    assert lacking(batches, {two.order.client_id}) == ((OTHER, (three,)),)
    assert lacking(batches, set(ids(batches))) == ()


# the file


@pytest.mark.rule("M-4", "X-2")
async def test_its_room_is_reserved_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """Blocks stand on the disk before the first write, which then needs none; no write waits in the loop's thread."""
    threads: list[str] = []

    class Watched(ReservedFile):
        """Tells in which thread it writes."""

        def write(self, at: int, content: bytes) -> None:
            """Write."""
            threads.append(threading.current_thread().name)
            super().write(at, content)

    path = tmp_path / "jumar.db.emergency"
    one = EmergencyFile(Watched(path), name=str(path), journaled=tuple)
    assert (await one.open()).batches == ()
    before = path.stat()
    assert stat.S_IMODE(before.st_mode) == 0o600
    assert before.st_size == RESERVED_BYTES <= before.st_blocks * 512
    await one.write(SYMBOL, [NOTE, *intents()[:2]])
    assert path.stat().st_blocks == before.st_blocks
    assert [name.startswith("jumar-emergency") for name in threads] == [True]
    await one.close()
    again = emergency_file(tmp_path / "jumar.db", tuple)
    assert ids((await again.open()).batches) == ids([(SYMBOL, intents()[:2])])
    assert ids((await again.open()).batches) == ids([(SYMBOL, intents()[:2])])
    await again.committed(SYMBOL)
    assert not path.read_bytes().strip(b"\0")
    assert path.stat().st_size == RESERVED_BYTES
    await again.close()


@pytest.mark.rule("M-4")
async def test_it_is_emptied_only_when_no_symbol_needs_it(tmp_path: Path) -> None:
    """What one symbol has in the database may still stand beside what another has not."""
    medium = RamFile()
    one = log(medium)
    await one.open()
    await one.write(SYMBOL, intents()[:1])
    await one.write(OTHER, intents()[1:2])
    await one.committed(SYMBOL)
    assert len(read(bytes(medium.content)).batches) == 2
    await one.committed(OTHER)
    assert read(bytes(medium.content)).batches == []
    await one.write(SYMBOL, intents()[:1])
    assert len(read(bytes(medium.content)).batches) == 1


class Half(RamFile):
    """Writes half and fails while it is told to."""

    broken = False

    def write(self, at: int, content: bytes) -> None:
        """Write, or fail in the middle."""
        super().write(at, content[: len(content) // 2] if self.broken else content)
        if self.broken:
            raise OSError(5, "Input/output error")


@pytest.mark.rule("M-4")
async def test_what_failed_halfway_is_written_over() -> None:
    """A long line that failed leaves nothing behind a short one that follows; the failure is heard of."""
    medium = Half()
    one = log(medium)
    await one.open()
    medium.broken = True
    with pytest.raises(StoreUnavailable, match=r"the file: .*Input/output error"):
        await one.write(SYMBOL, intents())
    medium.broken = False
    await one.write(SYMBOL, intents()[:1])
    found = read(bytes(medium.content))
    assert (ids(found.batches), found.damage, found.torn) == (
        ids([(SYMBOL, intents()[:1])]),
        None,
        False,
    )


@pytest.mark.rule("M-4", "P-1")
async def test_a_disk_that_hangs_is_waited_for_no_longer_than_protection_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The write is given up, and may still come through later."""
    gate = threading.Event()

    class Hanging(RamFile):
        """Hangs until it is let go."""

        def write(self, at: int, content: bytes) -> None:
            """Write, some day."""
            gate.wait(30)
            super().write(at, content)

    monkeypatch.setattr(emergency, "PATIENCE_S", 0.01)
    medium = Hanging()
    one = EmergencyFile(medium, name="the file", journaled=tuple)
    await one.open()
    with pytest.raises(StoreUnavailable, match="no answer within"):
        await one.write(SYMBOL, intents()[:1])
    gate.set()
    assert len((await one.open()).batches) == 1
    await one.close()


@pytest.mark.rule("M-4")
async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Its name and the reason stand in the error; a link in its place is not followed."""
    (tmp_path / "jumar.db.emergency").symlink_to(tmp_path / "elsewhere")
    one = emergency_file(tmp_path / "jumar.db", tuple)
    with pytest.raises(StoreUnavailable, match=r"jumar\.db\.emergency: "):
        await one.open()
    assert not (tmp_path / "elsewhere").exists()
    await one.close()


# taking in


async def taken(path: Path, medium: RamFile) -> tuple[StoreIdentity, tuple[tuple[str, str], ...]]:
    """A start on a database and an emergency file."""
    store = SqlStore(f"sqlite:///{path}", executor=InlineExecutor())
    identity = await store.open()
    file = EmergencyFile(
        medium,
        name="the file",
        journaled=lambda: queries.journaled_ids(path),
        executor=InlineExecutor(),
    )
    try:
        return await take_in(file, store, identity)
    finally:
        await store.close()


@pytest.mark.rule("M-4", "X-2", "X-6")
async def test_what_the_database_lacks_is_taken_in_once_however_often_it_is_read(
    tmp_path: Path,
) -> None:
    """Intents, outcomes, fills and confirmations; the file put back as it was changes nothing; the mode counts."""
    path, medium = tmp_path / "jumar.db", RamFile()
    life = [record for record in journal() if not isinstance(record, EventSeen)]
    keep = [r for r in life if type(r).__name__ in emergency._KINDS]
    last = max(n for n, record in enumerate(keep) if isinstance(record, Intent))
    content = lines([ModeChanged(symbol=None, state=MODE), *keep[: last + 1]])
    medium.content[:] = content
    identity, news = await taken(path, medium)
    assert identity.mode == MODE
    assert [severity for severity, _ in news] == ["warning"]
    assert not bytes(medium.content).strip(b"\0")
    before = (queries.trades(path), queries.journaled_ids(path))
    assert set(before[1]) == set(ids([(SYMBOL, keep)]))
    medium.content[:] = content
    assert (await taken(path, medium))[1] == ()
    assert (queries.trades(path), queries.journaled_ids(path)) == before
    assert not bytes(medium.content).strip(b"\0")


@pytest.mark.rule("M-4")
async def test_what_the_database_refuses_is_told_and_kept_for_a_person(tmp_path: Path) -> None:
    """An order whose trade is in no database any more: the rest is taken in, the file is set aside."""
    medium = RamFile()
    medium.content[:] = lines([intents()[0]])
    _, news = await taken(tmp_path / "jumar.db", medium)
    assert [severity for severity, _ in news] == ["critical", "critical"]
    assert "must be recorded before its orders" in news[0][1]
    assert len(medium.aside) == 1


@pytest.mark.rule("M-4")
async def test_a_database_that_cannot_be_written_ends_the_start_and_the_file_stays() -> None:
    """Nothing is emptied before it is committed."""

    class Full:
        """A store that cannot be written."""

        async def write(self, records: Sequence[Record]) -> None:
            """Fail."""
            raise StoreUnavailable("jumar.db: no space left on the device")

    medium = RamFile()
    medium.content[:] = content = lines([intents()[0]])
    identity = StoreIdentity(store_id="s", fresh=True)
    with pytest.raises(StoreUnavailable, match="no space left"):
        await take_in(log(medium), Full(), identity)  # type: ignore[arg-type]  # only writes are asked for
    assert bytes(medium.content) == content


@pytest.mark.rule("M-4")
async def test_a_torn_line_is_told_and_cut(tmp_path: Path) -> None:
    """Nothing was sent for it, and the next line begins in its place."""
    medium = RamFile()
    medium.content[:] = lines([intents()[0]])[:-30]
    _, news = await taken(tmp_path / "jumar.db", medium)
    assert [severity for severity, _ in news] == ["warning"]
    assert "never finished" in news[0][1]
    assert not bytes(medium.content).strip(b"\0")
