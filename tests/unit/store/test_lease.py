"""The lease on a server's database: one owner, a higher epoch with every follower, and no trust beyond its time (X-7)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine
from tests import postgres
from tests.databases import server

from jumar.model.errors import Superseded
from jumar.store.lease import Lease, LeaseTerms

__all__ = ["server"]

pytestmark = pytest.mark.rule("X-7")

TERMS = LeaseTerms(ttl_ms=15_000, recv_window_ms=3000)


class Watch:
    """Seconds that a test lets go by."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


@pytest.fixture
def database(server: postgres.Server) -> Iterator[Engine]:
    """A migrated database."""
    url = server.fresh(template="blank").replace("postgresql", "postgresql+psycopg", 1)
    engine = create_engine(url)
    yield engine
    engine.dispose()


def ages(connection: Connection, seconds: int) -> None:
    """As if the lease had been renewed so long ago."""
    connection.exec_driver_sql(f"UPDATE lease SET expires_ms = expires_ms - {seconds * 1000}")


def test_every_follower_has_the_next_epoch_and_the_one_before_is_told(database: Engine) -> None:
    """Renewals and writes of the first are refused from then on, and what it gives back is nothing."""
    first, second = Lease(TERMS, Watch()), Lease(TERMS, Watch())
    with database.begin() as connection:
        first.take(connection)
        first.check(connection)
        first.renew(connection)
    with database.begin() as connection:
        second.take(connection)
    for refused in (first.check, first.renew):
        with (
            database.begin() as connection,
            pytest.raises(Superseded, match=r"epoch 2.*ours was 1"),
        ):
            refused(connection)
    with database.begin() as connection:
        first.release(connection)
        second.check(connection)


def test_it_is_trusted_no_longer_than_from_the_question_on(database: Engine) -> None:
    """An answer that takes long makes it shorter; renewed it lasts as long again."""
    watch = Watch()
    lease = Lease(TERMS, watch)
    told = []

    def looks(after_s: float) -> None:
        watch.seconds += after_s
        told.append((lease.due, lease.expired))

    looks(0)
    with database.begin() as connection:
        lease.take(connection)
    for after_s in (2.9, 0.1, 11.9, 0.1):
        looks(after_s)
    with database.begin() as connection:
        lease.renew(connection)
    looks(0)
    no, due, over = (False, False), (True, False), (True, True)
    assert told == [no, no, due, due, over, no]


@pytest.mark.parametrize(
    ("aged_s", "wait_s"), [(0, 19.0), (15, 4.0), (17, 2.0), (19, 0.0), (500, 0.0)]
)
def test_a_follower_adds_nothing_before_what_was_sent_before_is_too_old(
    database: Engine, aged_s: int, wait_s: float
) -> None:
    """Expiry, receive window and a second (X-7); afterwards nothing waits."""
    with database.begin() as connection:
        Lease(TERMS, Watch()).take(connection)
        ages(connection, aged_s)
    watch = Watch()
    following = Lease(TERMS, watch)
    with database.begin() as connection:
        following.take(connection)
    assert following.entries_wait_s == pytest.approx(wait_s, abs=0.5)
    watch.seconds += wait_s + 0.5
    assert following.entries_wait_s == 0


def test_after_one_that_was_given_back_nothing_waits(database: Engine) -> None:
    """An engine that ended in an orderly way has nothing on its way."""
    first, second = Lease(TERMS, Watch()), Lease(TERMS, Watch())
    with database.begin() as connection:
        first.take(connection)
        first.release(connection)
    assert not first.taken
    with database.begin() as connection:
        second.take(connection)
    assert second.entries_wait_s == 0


def test_one_that_was_never_taken_asks_for_nothing(database: Engine) -> None:
    """A store that is not open owns nothing and misses nothing."""
    lease = Lease(TERMS, Watch())
    with database.begin() as connection:
        for nothing in (lease.check, lease.renew, lease.release):
            nothing(connection)
    assert not (lease.expired or lease.due)


def test_who_writes_keeps_others_from_taking_it_until_the_commit(database: Engine) -> None:
    """The row is locked by the transaction that asserts it."""
    first, second = Lease(TERMS, Watch()), Lease(TERMS, Watch())
    with database.begin() as connection:
        first.take(connection)
    with database.connect() as writes, writes.begin(), database.connect() as takes:
        first.check(writes)
        takes.exec_driver_sql("SET lock_timeout = 50")
        with pytest.raises(Exception, match="lock timeout"):
            second.take(takes)
