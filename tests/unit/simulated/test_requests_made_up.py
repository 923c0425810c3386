"""Ten thousand made-up requests while the market moves: each is answered as the exchange would, and the books hold."""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from random import Random  # noqa: TID251 - every draw comes from the test's seed
from urllib.parse import parse_qsl

import msgspec
import pytest
from tests.unit.simulated.books import CONDITIONAL_ENDS, FOLLOWS, ORDER_ENDS, Books
from tests.unit.simulated.floor import START_MS, Hand, step
from tests.unit.simulated.made_up import KEY, SECRET, WAYS, Asked, Forge

from jumar.exchange.simulated.core.api.params import Params
from jumar.exchange.simulated.core.exchange import Exchange, Reply
from jumar.exchange.simulated.core.parameters import PARAMETERS
from jumar.exchange.simulated.core.readings import ALLOWED, readings_from
from jumar.exchange.simulated.core.refusal import AHEAD, TEXTS
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.core.usage import NO_ORDER, Counts, OrderCount
from jumar.exchange.simulated.judge import judge
from jumar.exchange.simulated.server.auth import Gate, HmacVerifier
from jumar.exchange.simulated.server.gateway import LISTEN_KEY_PATH, Gateway
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.rest import Rest
from jumar.exchange.simulated.server.ws_api import Session, WsApi
from jumar.exchange.simulated.surface.page import EVENTS

USUAL_SEED = 7
SEED = int(os.environ.get("JUMAR_MADE_UP_SEED", USUAL_SEED))
#: What orders must have gone through and the stream must have told, so that nothing below is empty.
VISITED = {
    *(f"order {status}" for status in ("NEW", "PARTIALLY_FILLED", *ORDER_ENDS - {"REJECTED"})),
    *(f"conditional {status}" for status in (*FOLLOWS, *CONDITIONAL_ENDS)),
    *(f"execution {kind}" for kind in ("NEW", "TRADE", "CANCELED", "EXPIRED", "AMENDMENT")),
    "execution CALCULATED",
    *EVENTS.keys() - {"TRADE_LITE", "listenKeyExpired"},  # which the server makes
}
PRICES = {"BTCUSDT": Decimal(90000), "ETHUSDT": Decimal(3000)}
HELD_BACK = (418, 429)  # costs its weight, but is no order
NAMES = {each.name.lower() for rows in PARAMETERS.values() for each in rows}
NAMES |= {"timestamp", "recvwindow", "signature"}
#: What the exchange says beside the table of texts.
BESIDE = (
    re.escape(AHEAD),
    r"Way too many requests; IP banned until \d+\. .*",
    "Param '[a-zA-Z]+' or '[a-zA-Z]+' must be sent, but both were empty/null!",
    "Method .* is invalid",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one story begins with.

    Attributes:
        hurry: all is asked within seconds, of an exchange that holds back whoever asks too much.
        readings: open questions are answered by the dice.
        wild: prices leap, and the leverage is high.
    """

    balance: int = 10_000
    bnb: str = "0"
    hurry: bool = False
    readings: bool = False
    hedge: bool = False
    wild: bool = False


#: One story each with its number of requests; the small accounts are soon used up.
SETTINGS = (
    (Setting(), 1700),
    *[(Setting(balance=100, wild=True), 300)] * 6,
    (Setting(balance=400, hedge=True, wild=True), 600),
    (Setting(bnb="0.05", readings=True), 2600),
    (Setting(hurry=True), 900),
    (Setting(balance=1000, hedge=True), 2400),
)


class Story:
    """An exchange with its gateway, a market that moves and requests that arrive, all by one seed."""

    def __init__(self, seed: int, setting: Setting) -> None:
        self.seed, self.setting, self.turns = seed, setting, 0
        self.dice = Random(seed)
        self.clock = Hand()
        terms = Terms(funding_rate=Decimal("0.0001"), liquidation=True, bnb=Decimal(setting.bnb))
        words = [f"{name}={self.dice.choice(words)}" for name, words in ALLOWED.items()]
        self.exchange = Exchange(
            symbols=tuple(PRICES),
            balance=Decimal(setting.balance),
            account="t",
            now_ms=START_MS,
            terms=terms,
            limits=setting.hurry,
            readings=readings_from(words if setting.readings else []),
        )
        self.books = Books(self.exchange, {"USDT": Decimal(setting.balance), "BNB": terms.bnb})
        gate = Gate({KEY: HmacVerifier(SECRET)})
        gateway = Gateway(self.exchange, gate, ListenKeys(lambda: "listen"), self.clock)
        self.rest, self.ws_api = Rest(gateway), WsApi(gateway)
        self.session = Session(START_MS)
        self.forge = Forge(self.exchange, seed)
        self.seen: Counter[str] = Counter()
        self.banned_until_ms = 0
        self.prices = dict(PRICES)
        for symbol in PRICES:
            self.move(symbol)
        account = self.exchange._engine.account
        if setting.hedge:
            account.set_hedge_mode(on=True)
        for position in account.every() if setting.wild else ():
            position.leverage = 75

    def move(self, symbol: str) -> None:
        """One step of one market; now and then a leap, now and then hours later."""
        leaps = self.dice.random() < (0.2 if self.setting.wild else 0.02)
        home = PRICES[symbol] / self.prices[symbol]
        drift = Decimal(self.dice.gauss(0, 0.03 if leaps else 0.0015)) + (home - 1) / 50
        last = (self.prices[symbol] * (1 + drift)).quantize(Decimal("0.1"))
        self.prices[symbol] = last
        thin = self.dice.choice(("0.001", "0.02", "3"))
        market = step(
            bids=((str(last - 1), thin), (str(last - 2), "500")),
            asks=((str(last + 1), thin), (str(last + 2), "500")),
            last=str(last),
            mark=str(last + self.dice.choice((-1, 0, 2))),
            prints=((str(last - 1), thin), (str(last), thin)),
            symbol=symbol,
        )
        self._wait(
            7_200_000 if leaps and not self.setting.wild else self.dice.choice((1, 50, 400, 900))
        )
        self.exchange.advance(market, self.clock.at_ms)

    def turn(self) -> None:
        """The market may move, then one request arrives; everything is looked at.

        Raises:
            AssertionError: with the seed, the request and the answer.
        """
        self.turns += 1
        if self.dice.random() < 0.4:
            self.move(self.dice.choice(tuple(PRICES)))
        self._wait(self.dice.choice((0, 1, 30)))
        now_ms = self.clock.at_ms
        self.exchange.peek("/fapi/v1/time", {}, now_ms)  # whatever was due by now is done before
        self.books.fresh.clear()
        asked, reply = self.forge.draw(now_ms), None
        try:
            reply = self.answer(asked)
            self.look(asked, reply)
        except Exception as error:
            error.add_note(f"seed {self.seed}, {self.setting}, turn {self.turns}")
            error.add_note(f"{asked} was answered by {reply}")
            raise

    def _wait(self, ms: int) -> None:
        self.clock.at_ms += min(ms, 5) if self.setting.hurry else ms

    def answer(self, asked: Asked) -> Reply:
        """Send a request the way it says."""
        if not asked.frame:
            return self.rest.reply(
                asked.method,
                asked.path,
                query=asked.query,
                body=asked.body,
                api_key=asked.api_key,
            )
        frame = self.ws_api.answer(asked.frame, self.session)
        body = frame["result"] if frame["status"] == 200 else frame["error"]
        assert len(frame) == 4
        weight_1m, orders_1m, orders_10s = (row["count"] for row in frame["rateLimits"])
        route = self.exchange.route(asked.method, asked.path)
        ordered = route is not None and route.orders != NO_ORDER
        counts = Counts(
            weight_1m=weight_1m, orders_1m=orders_1m, orders_10s=orders_10s, ordered=ordered
        )
        return Reply(status=frame["status"], body=body, counts=counts)

    def look(self, asked: Asked, reply: Reply) -> None:
        """The answer has the exchange's shape and words, what was refused changed nothing, and the books hold."""
        assert msgspec.json.encode(reply.body)
        assert (reply.status == 418) >= (self.clock.at_ms < self.banned_until_ms)
        if reply.status == 418:
            self.banned_until_ms = int(reply.body["msg"].split("until ")[1].split(".")[0])
        if reply.status != 200:
            assert 400 <= reply.status < 500
            assert worded(reply.body["code"], reply.body["msg"])
            assert set(self.books.fresh) <= {"refused"}
            self.seen[str(reply.body["code"])] += 1
        elif self.exchange.route(asked.method, asked.path) is None:
            assert asked.path == LISTEN_KEY_PATH
        self.seen[f"{asked.way}: {'answered' if reply.status == 200 else 'refused'}"] += 1
        self.books.check()
        weight, orders = self._cost(asked)
        assert reply.counts.ordered == (orders != NO_ORDER)
        orders = NO_ORDER if reply.status in HELD_BACK else orders
        socket = bool(asked.frame)
        self.books.counted(reply.counts, weight, orders, self.clock.at_ms, socket=socket)

    def _cost(self, asked: Asked) -> tuple[int, OrderCount]:
        """What the table asks for a request: weight and orders; 1 for what it does not know."""
        route = self.exchange.route(asked.method, asked.path)
        if route is None:
            return 1, NO_ORDER
        return route.weight(Params(sent(asked))), route.orders


def sent(asked: Asked) -> dict[str, str]:
    """The parameters of a request as the exchange reads them; none when one of them stands twice."""
    if asked.frame:
        params = json.loads(asked.frame)["params"]
        return {name: str(value) for name, value in params.items()}
    params = dict[str, str]()
    for part in (asked.body, asked.query):
        pairs = parse_qsl(part, keep_blank_values=True)
        if len(pairs) > len(dict(pairs)):
            return {}
        params.update(pairs)
    return params


def worded(code: int, message: str) -> bool:
    """Whether a message is the exchange's for that code, and names a parameter where it names one."""
    pattern = re.escape(TEXTS[code])
    names = re.findall(r"\\\{(\w+)\\\}", pattern)
    for name in names:
        pattern = pattern.replace(f"\\{{{name}\\}}", f"(?P<{name}>.+)")
    found = re.fullmatch(pattern, message, re.DOTALL)
    if found is None:
        return any(re.fullmatch(each, message, re.DOTALL) for each in BESIDE)
    return "name" not in names or found["name"].lower() in NAMES


def test_ten_thousand_requests() -> None:
    """No request whatever ends in anything but an answer, and no answer leaves the books in disorder."""
    seen, visited, kinds = Counter[str](), set[str](), Counter[str]()
    for number, (setting, turns) in enumerate(SETTINGS):
        story = Story(SEED + number, setting)
        for _ in range(turns):
            story.turn()
        if not story.books.two_sided:  # the judge knows one position a symbol only
            judge(story.exchange.ledger.records, until_ms=story.clock.at_ms)
        seen += story.seen
        visited |= story.books.visited
        kinds += Counter(story.books.kinds)
    assert visited == VISITED
    assert kinds["fill"] > 1000 and kinds["money"] > 10
    for way in WAYS:
        assert min(seen[f"{way}: answered"], seen[f"{way}: refused"]) > 5
    codes = {code for code in seen if code.startswith("-")}
    assert len(codes) > 50
    assert {"-1003", "-1015", "-1021", "-1022", "-1101", "-1102", "-1106", "-2019"} <= codes


@pytest.mark.parametrize("number", range(3))
def test_what_books_cannot_overlook(number: int) -> None:
    """A wallet that changed without a word, an order that went without one, a request counted twice."""
    story = Story(USUAL_SEED, Setting())
    engine = story.exchange._engine
    while not engine.orders.open():
        story.turn()
    match number:
        case 0:
            engine.account.wallet += Decimal("0.00000001")
        case 1:
            engine.orders.retire(engine.orders.open()[0])
        case 2:
            story.exchange.count(1, story.clock.at_ms)
    with pytest.raises(AssertionError):
        story.turn()


def test_a_story_can_be_lived_again() -> None:
    """The same seed asks the same and is answered the same."""
    lives = [Story(SEED, Setting()), Story(SEED, Setting())]
    for story in lives:
        for _ in range(200):
            story.turn()
    first, second = (story.exchange.ledger.records for story in lives)
    assert list(first) == list(second)
