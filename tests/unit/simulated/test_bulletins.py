"""Streams made at fixed intervals: what is heard when, and that nothing is made for nobody."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulated.floor import SYMBOL, Floor, Hand, at, step

from jumar.exchange.simulated.core import candles
from jumar.exchange.simulated.core.market import MarketStep, Print
from jumar.exchange.simulated.server.bulletins import Bulletins

MINUTE = 60_000


class Board:
    """Listeners by name; keeps what is published."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sent: list[tuple[str, Any]] = []
        self._watchers: list[Callable[[str], None]] = []

    @property
    def streams(self) -> tuple[str, ...]:
        """What somebody hears."""
        return tuple(self.names)

    def wanted(self, stream: str) -> bool:
        """Whether somebody hears it."""
        return stream in self.names

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Tell of new ones."""
        self._watchers.append(watcher)

    def hear(self, stream: str) -> None:
        """Somebody begins to hear."""
        self.names.append(stream)
        for watcher in self._watchers:
            watcher(stream)

    def publish(self, stream: str, event: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Keep."""
        self.sent.append((stream, event))


class Desk:
    """An exchange with its bulletins and a clock by hand."""

    def __init__(self) -> None:
        self.floor, self.clock, self.board = Floor(), Hand(), Board()
        self.bulletins = Bulletins(self.floor.exchange, self.board, self.clock)
        self.floor.exchange.subscribe(self.bulletins.told)

    def move(self, market: MarketStep) -> None:
        """One step of the market now."""
        self.floor.now_ms = self.clock.at_ms
        self.floor.exchange.advance(market, self.clock.at_ms)
        self.bulletins.stepped(market)

    def after(self, ms: int) -> list[Any]:
        """What is sent when so much time has gone by."""
        self.clock.at_ms += ms
        self.board.sent.clear()
        self.bulletins.turn()
        return [event for _, event in self.board.sent]


@pytest.fixture
def desk() -> Desk:
    """Nobody listens yet."""
    desk = Desk()
    desk.clock.at_ms += 10_000 - desk.clock.at_ms % 10_000  # on a round second
    return desk


def traded(price: str) -> MarketStep:
    """A deep market with one public trade of one at its price."""
    done = Print(price=Decimal(price), quantity=Decimal(1), taker_side="BUY")
    return replace(at(price), prints=(done,))


def test_nobody_hears_nothing(desk: Desk) -> None:
    """Without a listener nothing is made, whatever happens."""
    desk.move(traded("90010.0"))
    assert desk.after(10_000) == []


def test_changes_of_the_book_come_at_their_pace_and_join(desk: Desk) -> None:
    """One event every 250 ms at most, each joined to the one before; what was touched is named."""
    desk.board.hear("btcusdt@depth")
    desk.after(0)
    desk.move(step(bids=(("90000.0", "1"),), asks=(("90001.0", "2"),)))
    assert desk.after(200) == []
    (first,) = desk.after(50)
    assert ["90000", "1"] in first["b"]
    assert ["89999.9", "0"] in first["b"]
    assert ["90001", "2"] in first["a"]
    desk.move(step(bids=(("90000.0", "3"),), asks=(("90001.0", "2"),)))
    (second,) = desk.after(250)
    assert (second["pu"], second["b"], second["a"]) == (first["u"], [["90000", "3"]], [])
    assert second["U"] <= desk.floor.ok("GET", "depth", symbol=SYMBOL)["lastUpdateId"]
    assert desk.after(250) == []


def test_a_quiet_market_is_told_from_a_dead_one(desk: Desk) -> None:
    """A step that changes nothing is an event with empty sides."""
    desk.board.hear("btcusdt@depth@100ms")
    desk.after(0)
    market = desk.floor.exchange.step(SYMBOL)
    assert market is not None
    desk.move(market)
    (event,) = desk.after(100)
    assert (event["b"], event["a"]) == ([], [])


def test_partial_books_hold_the_best_levels(desk: Desk) -> None:
    """Five of seven, best first, with ids of their own chain."""
    desk.board.hear("btcusdt@depth5@100ms")
    desk.after(0)
    bids = tuple((f"{90_000 - n}.0", "1") for n in range(7))
    desk.move(step(bids=bids, asks=(("90001.0", "2"),)))
    (event,) = desk.after(100)
    assert [row[0] for row in event["b"]] == ["90000", "89999", "89998", "89997", "89996"]
    assert event["a"] == [["90001", "2"]]
    assert event["e"] == "depthUpdate"
    assert event["u"] > event["pu"]


def test_a_bar_is_closed_before_the_next_begins(desk: Desk) -> None:
    """Open bars with x false as they grow, one with x true when the minute is over."""
    desk.clock.at_ms = candles.opens_ms("1m", desk.clock.at_ms) + MINUTE
    desk.board.hear("btcusdt@kline_1m")
    desk.move(traded("90010.0"))
    (opened,) = desk.after(0)
    assert (opened["k"]["x"], opened["k"]["o"], opened["k"]["n"]) == (False, "90010", 1)
    assert desk.after(250) == []
    desk.move(traded("90020.0"))
    (grown,) = desk.after(250)
    assert (grown["k"]["c"], grown["k"]["f"], grown["k"]["L"]) == ("90020", 1, 2)
    closed, following = desk.after(MINUTE - 500)
    assert (closed["k"]["x"], closed["k"]["t"], closed["k"]["n"]) == (True, opened["k"]["t"], 2)
    assert (following["k"]["x"], following["k"]["t"]) == (False, closed["k"]["T"] + 1)
    assert (following["k"]["o"], following["k"]["f"]) == ("90020", -1)


def test_tickers_come_every_two_seconds_and_in_a_list_every_second(desk: Desk) -> None:
    """The day of one symbol, in short and in full, and of all."""
    desk.move(traded("90100.0"))
    for stream in ("btcusdt@ticker", "btcusdt@miniTicker", "!miniTicker@arr", "!ticker@arr"):
        desk.board.hear(stream)
    full, short, minis, fulls = desk.after(0)
    assert (full["e"], full["c"], full["o"], full["p"]) == ("24hrTicker", "90100", "90000", "100")
    assert (full["F"], full["L"], full["Q"], full["n"]) == (1, 1, "1", 1)
    assert (short["e"], short["h"], short["v"]) == ("24hrMiniTicker", "90100", "1")
    assert (minis, fulls) == ([short], [full])
    assert [type(event) for event in desk.after(1000)] == [list, list]
    assert len(desk.after(1000)) == 4


def test_lists_of_quotes_and_marks(desk: Desk) -> None:
    """Marks as one list, quotes one by one, of the symbols that have a market."""
    desk.board.hear("!markPrice@arr@1s")
    desk.board.hear("!bookTicker")
    marks, quote = desk.after(0)
    assert [(row["s"], row["p"]) for row in marks] == [(SYMBOL, "90000.00000000")]
    assert (quote["e"], quote["s"], quote["b"]) == ("bookTicker", SYMBOL, "89999.9")


def test_trades_one_by_one(desk: Desk) -> None:
    """Each public trade of a step, as it happens."""
    desk.board.hear("btcusdt@trade")
    desk.move(traded("90010.0"))
    ((stream, event),) = desk.board.sent
    assert (stream, event["e"], event["t"]) == ("btcusdt@trade", "trade", 1)
    assert (event["p"], event["q"], event["m"]) == ("90010", "1", False)


def closing(symbol: str, average: str, **fields: str) -> dict[str, Any]:
    """What the user stream says of an order by which the exchange closed a position."""
    row: dict[str, Any] = {
        "s": symbol,
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "1",
        "p": "1",
        "ap": average,
    }
    row |= {"c": "autoclose-5", "X": "FILLED", "l": "1", "z": "1", "T": "5", "t": 0, **fields}
    return {"e": "ORDER_TRADE_UPDATE", "o": row}


def test_the_largest_liquidation_of_a_second_is_public(desk: Desk) -> None:
    """One event per symbol and second, for its own stream and for everybody's."""
    for stream in ("btcusdt@forceOrder", "!forceOrder@arr", "ethusdt@forceOrder"):
        desk.board.hear(stream)
    desk.after(0)
    for event in (
        closing(SYMBOL, "90000"),
        closing(SYMBOL, "90001"),
        closing(SYMBOL, "80000"),
        closing(SYMBOL, "99999", X="PARTIALLY_FILLED"),
        closing(SYMBOL, "99999", c="mine"),
        {"e": "ACCOUNT_UPDATE", "a": {}},
    ):
        desk.bulletins.told(event)
    first, second = desk.after(1000)
    assert first == second
    assert (first["e"], first["o"]["ap"], first["o"]["ps"]) == ("forceOrder", "90001", SYMBOL)
    assert "c" not in first["o"]
    assert desk.after(1000) == []


def test_auto_deleveraging_is_public_too(desk: Desk) -> None:
    """The order by which it took a position is a forced one."""
    desk.board.hear("!forceOrder@arr")
    desk.floor.buy("0.020")
    desk.after(0)
    assert desk.floor.exchange.deleverage(SYMBOL, None, desk.clock.at_ms) == Decimal("0.02")
    (event,) = desk.after(1000)
    assert (event["e"], event["o"]["X"], event["o"]["z"]) == ("forceOrder", "FILLED", "0.02")
    assert (event["o"]["S"], event["o"]["f"]) == ("SELL", "IOC")


def test_a_stream_that_nobody_hears_any_more_is_forgotten(desk: Desk) -> None:
    """Its state goes with its last listener; who comes back begins anew."""
    desk.board.hear("btcusdt@depth")
    desk.board.hear("btcusdt@kline_1m")
    desk.after(0)
    desk.board.names.clear()
    desk.after(50)
    assert (desk.bulletins._chains, desk.bulletins._bars, desk.bulletins._slots) == ({}, {}, {})
    desk.move(at("90500.0"))
    desk.board.hear("btcusdt@depth")
    desk.move(at("90600.0"))
    (event,) = desk.after(500)
    assert ["90500.1", "0"] in event["a"]


def test_unknown_symbols_stay_silent(desk: Desk) -> None:
    """A stream of a symbol that is not traded here, and of one without a market."""
    for symbol in ("xyzusdt", "ethusdt"):
        for kind in ("depth", "kline_1m", "ticker", "depth5"):
            desk.board.hear(f"{symbol}@{kind}")
    assert desk.after(5000) == []
