"""Building a book from a snapshot and changes: the published recipe, followed to the letter, never finds a hole."""

from decimal import Decimal
from random import Random  # noqa: TID251 - dice with the test's seed

import pytest
from tests.unit.simulated.floor import step

from jumar.exchange.simulated.core.book import Chain, Change
from jumar.exchange.simulated.core.market import Level, MarketStep
from jumar.exchange.simulated.core.tape import Tape

type Side = dict[Decimal, Decimal]


def drawn(dice: Random) -> MarketStep:
    """A book of up to four levels a side around 100; often the same as before."""
    middle = dice.choice([100, 100, 101])
    bids = sorted({middle - dice.randint(1, 5) for _ in range(4)}, reverse=True)
    asks = sorted({middle + dice.randint(0, 5) for _ in range(4)})
    return step(
        bids=tuple((str(price), str(dice.randint(1, 3))) for price in bids),
        asks=tuple((str(price), str(dice.randint(1, 3))) for price in asks),
    )


def sides(market: MarketStep) -> tuple[Side, Side]:
    """The book as a client holds it."""
    return (
        {level.price: level.quantity for level in market.bids},
        {level.price: level.quantity for level in market.asks},
    )


class Follower:
    """A client that follows the recipe and fails loudly where it says to begin again."""

    def __init__(self) -> None:
        self.buffered: list[Change] = []
        self.book: tuple[Side, Side] | None = None
        self.last_id: int | None = None
        self.snapshot_id = 0

    def snapshot(self, update_id: int, market: MarketStep) -> None:
        """Take a snapshot, then what was buffered."""
        self.snapshot_id, self.book = update_id, sides(market)
        waiting, self.buffered = self.buffered, []
        for change in waiting:
            self.hear(change)

    def hear(self, change: Change) -> None:
        """Buffer before the snapshot; afterwards drop what is older, check, apply."""
        if self.book is None:
            self.buffered.append(change)
            return
        if change.final_id < self.snapshot_id and self.last_id is None:
            return
        if self.last_id is None:
            assert change.first_id <= self.snapshot_id <= change.final_id
        else:
            assert change.previous_id == self.last_id
        self.last_id = change.final_id
        for side, levels in zip(self.book, (change.bids, change.asks), strict=True):
            for level in levels:
                if level.quantity:
                    side[level.price] = level.quantity
                else:
                    side.pop(level.price, None)


@pytest.mark.parametrize("seed", range(40))
def test_a_client_that_follows_the_recipe_has_the_servers_book(seed: int) -> None:
    """Clients that join and take their snapshot at any moment all end with exactly the book."""
    dice, tape = Random(seed), Tape()
    market = drawn(dice)
    tape.add(market, 0)
    chain = Chain(tape, market)
    followers: list[Follower] = []
    for number in range(200):
        match dice.choice(["step", "step", "publish", "join", "snapshot"]):
            case "step":
                market = drawn(dice)
                tape.add(market, number)
                chain.note(market)
            case "publish":
                change = chain.advance()
                for follower in followers if change else ():
                    assert change is not None
                    follower.hear(change)
            case "join":
                followers.append(Follower())
            case "snapshot":
                for follower in followers:
                    if follower.book is None and dice.random() < 0.5:
                        follower.snapshot(tape.snapshot_id, market)
    for _ in range(2):  # whoever has just come needs an event of its own
        market = drawn(dice)
        tape.add(market, 1000)
        chain.note(market)
        change = chain.advance()
        assert change is not None
        for follower in followers:
            follower.hear(change)
    joined = [follower for follower in followers if follower.book is not None]
    assert joined
    assert all(follower.book == sides(market) for follower in joined)


def test_an_event_names_what_changed_and_nothing_else() -> None:
    """New and changed levels with their quantity, gone ones with zero; ids join to the event before."""
    tape = Tape()
    before = step(bids=(("99", "1"), ("98", "2")), asks=(("101", "1"),))
    tape.add(before, 0)
    chain = Chain(tape, before)
    after = step(bids=(("99", "1"), ("97", "3")), asks=(("101", "4"),))
    tape.add(after, 1)
    chain.note(after)
    change = chain.advance()
    assert change is not None
    assert change.bids == (
        Level(price=Decimal(97), quantity=Decimal(3)),
        Level(price=Decimal(98), quantity=Decimal(0)),
    )
    assert change.asks == (Level(price=Decimal(101), quantity=Decimal(4)),)
    assert (change.previous_id, change.first_id, change.final_id) == (2, 3, 4)
    assert chain.advance() is None


def test_a_level_that_came_back_is_named() -> None:
    """A snapshot taken in between has the other quantity: the event must put it right."""
    tape, market = Tape(), step(bids=(("99", "1"),))
    tape.add(market, 0)
    chain = Chain(tape, market)
    for number, quantity in enumerate(("5", "1"), start=1):
        market = step(bids=(("99", quantity),))
        tape.add(market, number)
        chain.note(market)
    change = chain.advance()
    assert change is not None
    assert change.bids == (Level(price=Decimal(99), quantity=Decimal(1)),)


def test_a_snapshot_falls_inside_the_next_event() -> None:
    """Also when the market has stood still since the last event: no client waits for ever."""
    tape, market = Tape(), step()
    tape.add(market, 0)
    chain = Chain(tape, market)
    for number in range(1, 5):
        snapshot_id = tape.snapshot_id
        tape.add(market, number)
        change = chain.advance()
        assert change is not None
        assert change.first_id <= snapshot_id <= change.final_id
