"""Whatever is asked and whatever the market does: money is conserved, every order ends once, stream and REST agree."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.simulated.floor import SYMBOL, Floor, step
from tests.unit.simulated.hedged import SidingFloor

from jumar.exchange.simulated.core.readings import ALLOWED
from jumar.exchange.simulated.core.terms import PLAIN_TERMS, USUAL_TERMS, Terms

type Json = dict[str, Any]
type Act = tuple[str, str, int, int, int]

OTHER = "ETHUSDT"
HOUR_MS = 3_600_000
UNIT = Decimal("0.00000001")
#: Middle price, price of one place and smallest useful quantity.
SCALES = {
    SYMBOL: (Decimal(90000), Decimal("90.3"), Decimal("0.001")),
    OTHER: (Decimal(3000), Decimal("3.07"), Decimal("0.021")),
}
#: Wallet at the start and what holds for the account; the small one is soon used up.
ACCOUNTS = {
    "plain": ("10000", PLAIN_TERMS),
    "usual": ("10000", USUAL_TERMS),
    "small": ("200", USUAL_TERMS),
    "fees in BNB": (
        "10000",
        Terms(bnb=Decimal("0.002"), liquidation=True, funding_rate=Decimal("-0.0003")),
    ),
}
READINGS = (
    "",
    *(f"{name}={word}" for name, words in ALLOWED.items() for word in words[1:]),
    *(f"{name}=15" for name in ("closeposition_expiry_ms", "gte_lag_ms", "triggering_ms")),
)
KINDS = (
    *("limit", "limit", "limit", "market", "exit", "stop", "close", "trail"),
    *("modify", "cancel", "margin", "leverage", "adl", "step", "step", "step"),
)
LIVES = ("GTC", "IOC", "FOK", "GTX", "GTD")
MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
STOPS = ("STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT")
ACTS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from((SYMBOL, OTHER)),
        st.integers(0, 7),
        st.integers(-9, 9),
        st.integers(1, 9),
    ),
    min_size=12,
    max_size=50,
)


@dataclass(frozen=True, slots=True)
class Story:
    """What is done, on which account, under which reading, and whether in hedge mode."""

    acts: list[Act]
    account: str
    reading: str = ""
    hedged: bool = False


STORIES = st.builds(Story, ACTS, st.sampled_from(tuple(ACCOUNTS)), st.sampled_from(READINGS))

#: Field of the stream and of the query that must say the same.
ORDER = {
    "c": "clientOrderId",
    "S": "side",
    "o": "type",
    "f": "timeInForce",
    "q": "origQty",
    "p": "price",
    "sp": "stopPrice",
    "X": "status",
    "z": "executedQty",
    "T": "updateTime",
    "R": "reduceOnly",
    "wt": "workingType",
    "ot": "origType",
    "cp": "closePosition",
    "pP": "priceProtect",
    "V": "selfTradePreventionMode",
    "pm": "priceMatch",
    "gtd": "goodTillDate",
    "ps": "positionSide",
    "ap": "avgPrice",
}
CONDITIONAL = {
    "caid": "clientAlgoId",
    "at": "algoType",
    "o": "orderType",
    "s": "symbol",
    "S": "side",
    "f": "timeInForce",
    "q": "quantity",
    "X": "algoStatus",
    "ai": "actualOrderId",
    "p": "price",
    "V": "selfTradePreventionMode",
    "wt": "workingType",
    "pm": "priceMatch",
    "cp": "closePosition",
    "pP": "priceProtect",
    "R": "reduceOnly",
    "tt": "triggerTime",
    "gtd": "goodTillDate",
    "ps": "positionSide",
    "ap": "actualPrice",
    "aq": "actualQty",
    "tp": "triggerPrice",
}
POSITION = {
    "pa": "positionAmt",
    "ep": "entryPrice",
    "bep": "breakEvenPrice",
    "iw": "isolatedWallet",
}
ORDER_ENDS = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}
CONDITIONAL_ENDS = {"FINISHED", "CANCELED", "EXPIRED", "REJECTED"}


@dataclass
class Folded:
    """The account as somebody knows it who only reads the user stream: the last word about each thing."""

    orders: dict[int, Json] = field(default_factory=dict)
    conditionals: dict[int, Json] = field(default_factory=dict)
    positions: dict[tuple[str, str], Json] = field(default_factory=dict)
    wallets: dict[str, Json] = field(default_factory=dict)
    leverage: dict[str, int] = field(default_factory=dict)
    lives: dict[tuple[str, int], list[str]] = field(default_factory=lambda: defaultdict(list))
    traded: Counter[str] = field(default_factory=Counter[str])
    called: list[Json] = field(default_factory=list)

    def add(self, event: Json) -> None:
        """Take one event in."""
        match event["e"]:
            case "ORDER_TRADE_UPDATE":
                order = event["o"]
                self.orders[order["i"]] = order
                self.lives["order", order["i"]].append(order["X"])
            case "ALGO_UPDATE":
                order = event["o"]
                known = self.conditionals.get(order["aid"], {})
                self.conditionals[order["aid"]] = {**known, **order}
                self.lives["conditional", order["aid"]].append(order["X"])
            case "ACCOUNT_UPDATE":
                self.wallets |= {row["a"]: row for row in event["a"]["B"]}
                self.positions |= {(row["s"], row["ps"]): row for row in event["a"]["P"]}
            case "ACCOUNT_CONFIG_UPDATE":
                self.leverage[event["ac"]["s"]] = event["ac"]["l"]
            case "MARGIN_CALL":
                self.called.append(event)
            case unknown:
                raise AssertionError(unknown)


def market(floor: Floor, symbol: str, place: int, size: int, *, ms: int = 10) -> None:
    """Move a market: a thin best level on either side, more behind it, one print."""
    middle, unit, quantity = SCALES[symbol]
    last, thin = middle + unit * place, str(quantity * size)
    floor.advance(
        step(
            bids=((str(last - 1), thin), (str(last - 2), "500")),
            asks=((str(last + 1), thin), (str(last + 2), "500")),
            last=str(last),
            mark=str(last),
            prints=((str(last - 1), thin),),
            symbol=symbol,
        ),
        ms=ms,
    )


def place(floor: Floor, what: Act) -> None:
    """Send one order of some kind; a refusal is an answer too."""
    kind, symbol, choice, distance, size = what
    middle, unit, smallest = SCALES[symbol]
    base = {"symbol": symbol, "side": ("BUY", "SELL")[choice % 2]}
    price, quantity = str(middle + unit * distance), str(smallest * size)
    life = LIVES[size % 5]
    till = {"goodTillDate": str(floor.now_ms + 700_000)} if life == "GTD" else {}
    limit = {**base, "type": "LIMIT", "price": price, "quantity": quantity}
    fired = {**base, "algoType": "CONDITIONAL", "triggerPrice": price}
    stop = STOPS[choice // 2]
    own = {"quantity": quantity, "price": price if stop in {"STOP", "TAKE_PROFIT"} else ""}
    match kind:
        case "limit":
            mode = MODES[choice // 2]
            limit |= {"timeInForce": life, "selfTradePreventionMode": mode, **till}
            floor.request("POST", "order", **limit)
        case "exit":
            floor.request("POST", "order", **limit, timeInForce="GTC", reduceOnly="true")
        case "market":
            floor.request("POST", "order", **base, type="MARKET", quantity=quantity)
        case "stop":
            floor.request("POST", "algoOrder", **fired, **own, type=stop)
        case "close":
            floor.request(
                "POST", "algoOrder", **fired, type=STOPS[choice // 2 % 2], closePosition="true"
            )
        case _:
            trail = {"type": "TRAILING_STOP_MARKET", "callbackRate": "0.5", "quantity": quantity}
            floor.request("POST", "algoOrder", **{**fired, **trail, "triggerPrice": ""})


def act(floor: Floor, what: Act) -> None:
    """Do one thing."""
    kind, symbol, choice, distance, size = what
    middle, unit, smallest = SCALES[symbol]
    match kind:
        case "step":
            market(floor, symbol, distance * (choice + 1), size, ms=10 if choice else 2 * HOUR_MS)
        case "modify" | "cancel":
            method = "PUT" if kind == "modify" else "DELETE"
            for row in floor.ok("GET", "openOrders", symbol=symbol)[:1]:
                wish = {"quantity": str(smallest * size), "price": str(middle + unit * distance)}
                named = {"symbol": symbol, "side": row["side"], "orderId": str(row["orderId"])}
                floor.request(method, "order", **named, **wish)
        case "margin":
            kinds = {"type": str(1 + choice % 2), "amount": str(size)}
            floor.request("POST", "positionMargin", symbol=symbol, **kinds)
        case "leverage":
            floor.request("POST", "leverage", symbol=symbol, leverage=str(size * 4))
        case "adl":
            floor.exchange.deleverage(symbol, smallest * size if choice else None, floor.now_ms)
        case _:
            place(floor, what)


def played(story: Story) -> Floor:
    """A floor on which all was done, and on which nothing is on its way any more."""
    balance, terms = ACCOUNTS[story.account]
    kind = SidingFloor if story.hedged else Floor
    floor = kind(balance=balance, terms=terms, reading=story.reading)
    for symbol in SCALES:
        market(floor, symbol, 0, 9)
    for each in story.acts:
        act(floor, each)
    floor.now_ms += 1000
    floor.ok("GET", "time")
    return floor


def folded(floor: Floor) -> Folded:
    """All events of the stream, taken together."""
    known = Folded()
    for event in floor.events:
        known.add(event)
    return known


def told(value: Any) -> Any:
    """Numbers in texts by their value: a query pads what has not executed with zeros."""
    try:
        return Decimal(value) if isinstance(value, str) and value else value
    except ArithmeticError:
        return value


def same(stream: Json, query: Json, names: dict[str, str]) -> None:
    """Every field that both know is the same."""
    for ours, theirs in names.items():
        if ours in stream:
            assert told(stream[ours]) == told(query[theirs]), (ours, stream, query)


def agree(floor: Floor) -> Folded:
    """Stream and queries tell the same; what the stream told."""
    known = folded(floor)
    agree_on_orders(floor, known)
    agree_on_money(floor, known)
    return known


def agree_on_orders(floor: Floor, known: Folded) -> None:
    """Orders and conditional orders are the same by stream and by query, and none is missing on a side."""
    rows = [
        row
        for symbol in SCALES
        for row in floor.ok("GET", "allOrders", symbol=symbol, limit="1000")
    ]
    assert {row["orderId"] for row in rows} == known.orders.keys()
    for row in rows:
        same(known.orders[row["orderId"]], row, ORDER)
    alive = {number for number, order in known.orders.items() if order["X"] not in ORDER_ENDS}
    assert {row["orderId"] for row in floor.ok("GET", "openOrders")} == alive
    rows = [
        row
        for symbol in SCALES
        for row in floor.ok("GET", "allAlgoOrders", symbol=symbol, limit="1000")
    ]
    assert {row["algoId"] for row in rows} == known.conditionals.keys()
    for row in rows:
        order = dict(known.conditionals[row["algoId"]])
        if order["o"] == "TRAILING_STOP_MARKET" and order["X"] == "NEW":
            del order["tp"]  # it follows the price, without an event for each move
        same(order, row, CONDITIONAL)
        if order["ai"]:
            child = known.orders[int(order["ai"])]
            assert (child["s"], child["S"]) == (order["s"], order["S"])
            if order["X"] == "FINISHED":
                assert (child["z"], child["ap"]) == (order["aq"], order["ap"])
    waiting = {number for number, order in known.conditionals.items() if order["X"] == "NEW"}
    assert {row["algoId"] for row in floor.ok("GET", "openAlgoOrders")} == waiting


def agree_on_money(floor: Floor, known: Folded) -> None:
    """Positions, settings and balances are the same by stream and by query."""
    for symbol in SCALES:
        for row in floor.ok("GET", "/fapi/v2/positionRisk", symbol=symbol):
            place = symbol, row["positionSide"]
            if place in known.positions:
                same(known.positions[place], row, POSITION)
            else:
                assert Decimal(row["positionAmt"]) == 0
            if Decimal(row["positionAmt"]):
                assert known.positions[place]["mt"] == row["marginType"]
            if symbol in known.leverage:
                assert str(known.leverage[symbol]) == row["leverage"]
    for row in floor.ok("GET", "/fapi/v3/balance"):
        if row["asset"] in known.wallets:
            same(known.wallets[row["asset"]], row, {"wb": "balance", "cw": "crossWalletBalance"})


@settings(max_examples=80, derandomize=True)
@given(story=STORIES)
def test_the_stream_tells_what_rest_tells(story: Story) -> None:
    """Events taken together are the orders, positions and balances that queries answer."""
    agree(played(story))


@settings(max_examples=80, derandomize=True)
@given(story=STORIES)
def test_every_order_ends_exactly_once(story: Story) -> None:
    """An order begins as NEW, ends in one terminal state, and nothing is heard of it afterwards."""
    floor = played(story)
    for symbol in SCALES:
        floor.ok("DELETE", "allOpenOrders", symbol=symbol)
        floor.ok("DELETE", "algoOpenOrders", symbol=symbol)
    known = folded(floor)
    for (kind, number), states in known.lives.items():
        ends = ORDER_ENDS if kind == "order" else CONDITIONAL_ENDS
        assert states[0] == "NEW", (kind, number, states)
        assert [state in ends for state in states] == [False] * (len(states) - 1) + [True], states
    agree_on_orders(floor, known)


def trades_of(floor: Floor) -> dict[str, list[Json]]:
    """The account's trades by symbol."""
    return {s: floor.ok("GET", "userTrades", symbol=s, limit="1000") for s in SCALES}


def signed(trade: Json) -> Decimal:
    """The quantity of a trade, sold below zero."""
    return Decimal(trade["qty"]) * (1 if trade["side"] == "BUY" else -1)


@settings(max_examples=80, derandomize=True)
@given(story=STORIES)
def test_money_is_conserved_to_the_last_digit(story: Story) -> None:
    """Every wallet is its beginning and its income, and the income is what the trades earned and cost."""
    conserved(played(story), story)


def conserved(floor: Floor, story: Story) -> None:
    """No digit of money appears or is lost."""
    income, by_kind = Counter[str](), Counter[tuple[str, str]]()
    for row in floor.ok("GET", "income", limit="1000"):
        income[row["asset"]] += Decimal(row["income"])  # type: ignore[assignment]  # sums of Decimal
        by_kind[row["incomeType"], row["asset"]] += Decimal(row["income"])  # type: ignore[assignment]  # as above
    balance, terms = ACCOUNTS[story.account]
    begun = {"USDT": Decimal(balance), "BNB": terms.bnb}
    for row in floor.ok("GET", "/fapi/v3/balance"):
        assert Decimal(row["balance"]) == begun[row["asset"]] + income[row["asset"]]
    trades = [trade for rows in trades_of(floor).values() for trade in rows]
    earned = sum((Decimal(trade["realizedPnl"]) for trade in trades), Decimal(0))
    assert by_kind["REALIZED_PNL", "USDT"] == earned
    for asset in begun:
        paid = [Decimal(t["commission"]) for t in trades if t["commissionAsset"] == asset]
        assert by_kind["COMMISSION", asset] == -sum(paid, Decimal(0))
    (usdt, *_) = floor.ok("GET", "/fapi/v3/balance")
    own = [Decimal(row["isolatedWallet"]) for row in floor.ok("GET", "/fapi/v2/positionRisk")]
    assert Decimal(usdt["balance"]) == Decimal(usdt["crossWalletBalance"]) + sum(own, Decimal(0))


def since_flat(trades: list[Json]) -> list[Json] | None:
    """The trades of the present position; None when it began by turning another."""
    held, life = Decimal(0), list[Json]()
    turned = False
    for trade in trades:
        after = held + signed(trade)
        turned = held * after < 0 or (turned and after != 0)
        held, life = after, [*life, trade] if after else []
    return None if turned else life


@settings(max_examples=80, derandomize=True)
@given(story=STORIES)
def test_the_break_even_price_is_the_entry_with_what_was_paid(story: Story) -> None:
    """Of a position that began flat it is the entry, moved by fees less profits for each piece still held."""
    assume(not ACCOUNTS[story.account][1].bnb)  # fees in BNB have another value
    floor = played(story)
    for symbol, trades in trades_of(floor).items():
        life = since_flat(trades)
        (row,) = floor.ok("GET", "/fapi/v2/positionRisk", symbol=symbol)
        if life:
            paid = [Decimal(trade["commission"]) - Decimal(trade["realizedPnl"]) for trade in life]
            held = sum((signed(trade) for trade in life), Decimal(0))
            expected = Decimal(row["entryPrice"]) + sum(paid, Decimal(0)) / held
            assert abs(Decimal(row["breakEvenPrice"]) - expected) <= UNIT


@settings(max_examples=80, derandomize=True)
@given(story=STORIES)
def test_positions_and_profits_are_those_of_the_fills(story: Story) -> None:
    """A position is the sum of its fills; profit and what is still open are the cash that the fills moved."""
    floor = played(story)
    explained(floor)
    for symbol, trades in trades_of(floor).items():
        assert sum((signed(trade) for trade in trades), Decimal(0)) == floor.exchange.position(
            symbol
        )


def explained(floor: Floor) -> None:
    """Every position is what the fills of its own make of it."""
    trades_by = trades_of(floor)
    for row in floor.ok("GET", "/fapi/v2/positionRisk"):
        symbol, side = row["symbol"], row["positionSide"]
        trades = [trade for trade in trades_by[symbol] if trade["positionSide"] == side]
        held = sum((signed(trade) for trade in trades), Decimal(0))
        assert Decimal(row["positionAmt"]) == held
        told_fills = [
            Decimal(event["o"]["l"]) * (1 if event["o"]["S"] == "BUY" else -1)
            for event in floor.events
            if event["e"] == "ORDER_TRADE_UPDATE"
            and (event["o"]["s"], event["o"]["ps"]) == (symbol, side)
        ]
        assert sum(told_fills, Decimal(0)) == held
        cash = -sum((signed(trade) * Decimal(trade["price"]) for trade in trades), Decimal(0))
        earned = sum((Decimal(trade["realizedPnl"]) for trade in trades), Decimal(0))
        largest = sum((abs(signed(trade)) for trade in trades), Decimal(1))
        # The entry price is kept to eight decimals: each fill may lose half a unit a piece.
        allowed = UNIT * largest * len(trades)
        assert abs(cash + held * Decimal(row["entryPrice"]) - earned) <= allowed


@pytest.mark.parametrize("account", ["plain", "usual", "fees in BNB"])
def test_the_acts_reach_what_they_are_meant_to_reach(account: str) -> None:
    """A story of every act trades, fires, expires and, where it may, pays funding, so that nothing above is empty."""
    acts: list[Act] = [
        ("market", SYMBOL, 0, 0, 9),
        ("market", OTHER, 1, 0, 9),
        ("limit", OTHER, 0, -2, 5),
        ("stop", SYMBOL, 1, -3, 2),
        ("close", OTHER, 0, 8, 2),
        ("trail", SYMBOL, 1, 0, 1),
        ("margin", SYMBOL, 0, 0, 5),
        ("exit", OTHER, 0, -5, 3),
        ("step", OTHER, 1, -2, 9),
        *(("step", SYMBOL, 0, 0, 9) for _ in range(5)),
        ("step", SYMBOL, 1, -3, 9),
        ("adl", OTHER, 0, 0, 1),
    ]
    floor = played(Story(acts, account))
    known = folded(floor)
    assert {order["X"] for order in known.orders.values()} >= {"FILLED", "EXPIRED"}
    assert {order["X"] for order in known.conditionals.values()} >= {"FINISHED", "EXPIRED"}
    kinds = {row["incomeType"] for row in floor.ok("GET", "income", limit="1000")}
    terms = ACCOUNTS[account][1]
    assert ("FUNDING_FEE" in kinds) == bool(terms.funding_rate)
    assert kinds >= {"REALIZED_PNL", "COMMISSION"}
    assert ("BNB" in known.wallets) == bool(terms.bnb)


#: How the resting seller and the buyer who meets it end.
MET = {
    "NONE": ["FILLED", "FILLED"],
    "EXPIRE_TAKER": ["NEW", "EXPIRED_IN_MATCH"],
    "EXPIRE_MAKER": ["EXPIRED_IN_MATCH", "FILLED"],
    "EXPIRE_BOTH": ["EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"],
}


@pytest.mark.parametrize("mode", MODES)
def test_orders_of_the_account_meet(mode: str) -> None:
    """A story in which two orders of the account meet, under each mode, and stream and queries still agree."""
    sells: Act = ("limit", SYMBOL, 1, 0, 5)
    buys: Act = ("limit", SYMBOL, 2 * MODES.index(mode), 1, 5)
    floor = played(Story([sells, buys], "plain"))
    known = agree(floor)
    assert [order["X"] for order in known.orders.values()] == MET[mode]


@pytest.mark.parametrize("symbol", SCALES)
def test_the_small_account_is_liquidated(symbol: str) -> None:
    """A story may end in a liquidation, isolated or crossed, and stream and queries still agree."""
    fall: list[Act] = [("step", symbol, choice, -9, 9) for choice in range(1, 8)]
    leverage: Act = ("leverage", symbol, 0, 0, 9)
    floor = played(Story([leverage, *[("market", symbol, 0, 0, 9)] * 5, *fall], "small"))
    known = agree(floor)
    assert any(order["x"] == "CALCULATED" for order in known.orders.values())
    assert known.called
