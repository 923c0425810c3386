"""A database that cannot be written while a position is open: what protects leaves, and is durable before it does.

What the ladder makes of it, and what is written once the database works again, is told in `test_stories_modes.py` and
`test_stories_recovery.py` too; here processes die in between, and the emergency file is what remains.
"""

import pytest
from tests.simulation.disks import Disk, faulty_disks
from tests.simulation.storyboard import Scene, scene
from tests.simulation.ways import held, twice

from jumar.model.journal import Intent
from jumar.simulation.host import RamFile
from jumar.store import asked, queries
from jumar.store.emergency import Content, read
from jumar.store.records import ACCOUNT

AT_ONCE_MS = 1000
#: What a hand took away was bare before anybody could cover it.
HANDMADE = frozenset({"P-1"})


class FullFile(RamFile):
    """An emergency file that cannot be written while a storyboard says so."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    def write(self, at: int, content: bytes) -> None:
        """Write, unless nothing can be."""
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(at, content)


def left(s: Scene) -> Content:
    """What the emergency file holds."""
    medium = s.world.host.emergency
    assert isinstance(medium, RamFile)
    return read(bytes(medium.content))


def in_file(s: Scene) -> list[str]:
    """The client ids whose intents are durable in the emergency file."""
    return [
        record.order.client_id
        for _, batch in left(s).batches
        for record in batch
        if isinstance(record, Intent)
    ]


def journaled(s: Scene) -> list[str]:
    """The client ids whose intents are durable in the database."""
    return list(queries.journaled_ids(s.database))


def stop_of(s: Scene) -> str:
    """The client id of the one working stop."""
    (stop,) = s.book.resting("S")
    return str(stop["client_id"])


def said(s: Scene, words: str) -> int:
    """How many incidents had these words."""
    return sum(words in incident.message for incident in s.witness.incidents)


def fails(disk: Disk) -> None:
    """Nothing can be written any more."""
    disk.refuses = lambda _: True


def hangs(disk: Disk) -> None:
    """No write ends any more."""
    disk.hang()


def trouble(s: Scene, disk: Disk, how: object) -> str:
    """A position is held, the disk is in trouble, a hand takes every stop; returns the new stop's id."""
    held(s)
    assert callable(how)
    how(disk)
    s.cancel_stops_by_hand()
    gone_ms = s.now_ms
    s.expect_stop_at("90380")
    assert s.now_ms - gone_ms <= AT_ONCE_MS
    return stop_of(s)


@pytest.mark.rule("M-4", "X-2", "P-1", "P-4")
@pytest.mark.parametrize("how", [fails, hangs])
@twice
def test_what_protects_is_durable_before_it_leaves_and_known_after_a_crash(
    seed: int, how: object
) -> None:
    """A stop is restored while the database fails or hangs; the next life takes it in and sends no second one."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        stop = trouble(s, disks[0], how)
        assert stop in in_file(s) and stop not in journaled(s)
        s.kill()
        before = in_file(s)
        disks.clear()
        s.restart()
        s.expect_recovered()
        assert stop_of(s) == stop
        assert set(before) <= set(journaled(s))
        assert len(journaled(s)) == len(set(journaled(s)))
        assert not left(s).batches
        assert said(s, "were taken in") == 1
        s.price_to("90370")
        found = s.verdict("P-8", bare_ms_max=3000, but=HANDMADE)
        assert found.reasons == ["stop"]


@pytest.mark.rule("M-4", "X-2")
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
@twice
def test_a_death_around_the_emergency_write_loses_no_protection(
    seed: int, when: str, nth: int
) -> None:
    """An order leaves only when it is durable: after a death before it there is none, after one behind it it is known."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        fails(disks[0])
        s.dies(f"{when} emergency write", nth=nth)
        s.cancel_stops_by_hand()
        s.expect_dead()
        durable = in_file(s)
        assert len(durable) == (nth if when == "after" else nth - 1)
        s.restart()
        s.expect_recovered()
        assert set(durable) <= set(journaled(s))
        s.until("one of each", lambda: s.book.roles == "BPQS", within_s=20)
        s.price_to("90370")
        s.verdict("P-8", bare_ms_max=10_000, but=HANDMADE)


@pytest.mark.rule("M-4", "X-2")
@twice
def test_once_the_database_works_again_all_is_in_it_and_the_file_is_empty(seed: int) -> None:
    """The file is emptied after the commit only, and a start on it then finds nothing to take in."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        stop = trouble(s, disks[0], fails)
        s.ticks(2)
        assert stop in in_file(s)
        disks[0].heal()
        s.until("journaled", lambda: stop in journaled(s))
        s.until("emptied", lambda: not left(s).batches)
        s.kill()
        s.restart()
        s.expect_recovered()
        assert stop_of(s) == stop
        assert said(s, "were taken in") == 0


@pytest.mark.rule("M-4", "X-2")
@twice
def test_a_death_between_commit_and_emptying_takes_nothing_in_twice(seed: int) -> None:
    """The file still holds what the database has, and the trade has gone on since: nothing of it goes back."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        stop = trouble(s, disks[0], fails)
        s.ticks(1)
        medium = s.world.host.emergency
        assert isinstance(medium, RamFile)
        kept = bytes(medium.content)
        disks[0].heal()
        s.until("journaled", lambda: stop in journaled(s))
        s.price_to("90370")
        s.expect_home()
        s.kill()
        medium.content[:] = kept  # as if the emptying had never reached the disk
        rows = queries.trades(s.database)
        s.restart()
        s.ticks(3)
        assert queries.trades(s.database) == rows
        assert said(s, "were taken in") == said(s, "refused what it held") == 0
        assert not left(s).batches


@pytest.mark.rule("M-4", "P-1")
@twice
def test_where_the_emergency_file_fails_too_protection_leaves_all_the_same(seed: int) -> None:
    """The one exception: no record anywhere, told as critical; a crash then finds the stop at the exchange."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        full = FullFile()
        s.world.host.emergency = full
        s.start()
        full.full = True
        stop = trouble(s, disks[0], fails)
        assert not in_file(s)
        assert said(s, "neither store nor emergency file can be written") >= 1
        assert all(
            i.severity == "critical" for i in s.witness.incidents if "neither store" in i.message
        )
        s.kill()
        full.full = False
        s.restart()
        s.expect_recovered()
        assert stop in {order["client_id"] for order in s.book.resting("S")}
        s.price_to("90370")
        s.expect_flat()


@pytest.mark.rule("M-4", "M-1")
@twice
def test_protect_only_of_a_failing_disk_outlives_the_crash(seed: int) -> None:
    """The mode stands in the emergency file with the orders, and in the database after the next start."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        fails(disks[0])
        s.ticks(2)
        s.cancel_stops_by_hand()
        s.expect_stop_at("90380")
        s.kill()
        s.restart()
        s.expect_recovered()
        state = asked.present(s.database).modes[ACCOUNT]
        assert (state.mode.value, state.code) == ("PROTECT_ONLY", "unwritable")
        s.cancel_by_hand("Q")
        s.ticks(4)
        assert not s.book.resting("Q")


@pytest.mark.rule("M-4", "X-2")
@twice
def test_a_damaged_emergency_file_is_told_kept_and_used_as_far_as_it_goes(seed: int) -> None:
    """What stands before the damage is taken in; the file is set aside, and the stop at the exchange is never lost."""
    with scene(seed, engine=False) as s:
        disks = faulty_disks(s)
        s.start()
        held(s)
        fails(disks[0])
        s.cancel_stops_by_hand()
        s.expect_rests("B2 P1 Q1 S2")
        s.kill()
        medium = s.world.host.emergency
        assert isinstance(medium, RamFile)
        first, second = in_file(s)
        end = medium.content.index(b"\n") + 1
        medium.content[end + 40] ^= 1
        medium.content += b"00000010 00000000 more\n"
        s.restart()
        s.expect_recovered()
        assert first in journaled(s)
        assert second not in journaled(s)[: journaled(s).index(first) + 1]
        assert said(s, "is damaged") == said(s, "kept for a person") == 1
        assert len(medium.aside) == 1
        assert s.book.covered
