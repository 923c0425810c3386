"""What a client of the exchange must be able to do: each capability acts through a row and asserts twice.

First what the client's own parsed object says, then what the exchange's ledger says happened.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from tests.peers.row import Foreign, Heard, Quotes, Shown, ShownPrices
from tests.peers.venue import SYMBOL, Venue

from jumar.exchange.simulated.core.instruments import INSTRUMENTS

QUANTITY, PRICE = "0.013", "90000"
REFUSALS = {
    "cancel of nothing": -2011,
    "query of nothing": -2013,
    "stop beyond the market": -2021,
    "reduce of nothing": -2022,
    "post-only that would take": -5022,
}

type Row = Foreign
type Capability = Callable[[Row, Venue], Awaitable[None]]


async def connect(row: Row, venue: Venue) -> None:
    """It reaches the exchange and tells its time."""
    opened = venue.last("opened")
    assert opened["t"] <= await row.time() <= await venue.wire.time()


async def markets(row: Row, venue: Venue) -> None:
    """It knows the contract's grid."""
    market, instrument = await row.market(), INSTRUMENTS[SYMBOL]
    assert (market.tick, market.step) == (instrument.tick_size, instrument.step_size)


async def prices(row: Row, venue: Venue) -> None:
    """It reads quote and last price, and where the client has them a book, bars and the day's summary."""
    step = venue.server.exchange.step(SYMBOL)
    assert step is not None
    expected = ShownPrices(bid=step.bids[0].price, ask=step.asks[0].price, last=step.last)
    assert await row.prices() == expected


async def leverage(row: Row, venue: Venue) -> None:
    """It sets the leverage."""
    assert await row.set_leverage(7) == 7
    assert (await _settings(venue))["leverage"] == 7


async def margin_type(row: Row, venue: Venue) -> None:
    """It isolates the margin."""
    assert await row.set_margin_type()
    assert (await _settings(venue))["marginType"] == "ISOLATED"


async def limit_order(row: Row, venue: Venue) -> None:
    """It places a resting order and reads it back as it stands in the ledger."""
    order = await row.limit(QUANTITY, PRICE)
    assert order == _resting(order.id)
    record = venue.order(order.id)
    assert (record["type"], record["side"], record["status"]) == ("LIMIT", "BUY", "NEW")
    assert (record["price"], record["quantity"], record["by"]) == (PRICE, QUANTITY, "client")


async def modify(row: Row, venue: Venue) -> None:
    """It moves a resting order, which keeps its identity."""
    order_id = await venue.rested()
    order = await row.modify(order_id, "0.014", "90100")
    assert order == _resting(order_id, "90100", "0.014")
    record = venue.order(order_id)
    assert (record["price"], record["quantity"], record["status"]) == ("90100", "0.014", "NEW")


async def cancel(row: Row, venue: Venue) -> None:
    """It cancels a resting order."""
    order_id = await venue.rested()
    order = await row.cancel(order_id)
    assert (order.id, order.status) == (order_id, "CANCELED")
    record = venue.order(order_id)
    assert (record["status"], record["by"]) == ("CANCELED", "client")


async def market_order(row: Row, venue: Venue) -> None:
    """It buys at market and sees the order filled."""
    order = await row.buy(QUANTITY)
    assert (order.side, order.quantity, order.status) == ("BUY", Decimal(QUANTITY), "FILLED")
    fill, position = venue.last("fill", order_id=order.id), venue.last("position")
    assert (fill["quantity"], fill["maker"]) == (QUANTITY, False)
    assert position["quantity"] == QUANTITY


async def stop_market(row: Row, venue: Venue) -> None:
    """It arms a reduce-only stop."""
    await venue.bought()
    _waits(await row.stop(QUANTITY, PRICE), venue, "STOP_MARKET", PRICE)


async def take_profit_market(row: Row, venue: Venue) -> None:
    """It arms a reduce-only target."""
    await venue.bought()
    _waits(await row.target(QUANTITY, "92000"), venue, "TAKE_PROFIT_MARKET", "92000")


async def close_position(row: Row, venue: Venue) -> None:
    """It arms a stop of whatever the position will be."""
    await venue.bought()
    order = await row.close_at(PRICE)
    assert (order.side, order.price, order.quantity) == ("SELL", Decimal(PRICE), None)
    record = venue.conditional(order.id)
    assert (record["close_position"], record["quantity"]) == (True, None)
    assert (record["trigger"], record["status"]) == (PRICE, "NEW")


async def trigger(row: Row, venue: Venue) -> None:
    """Its stop fires, and it finds the order that the stop became, filled."""
    await venue.bought()
    order = await row.stop(QUANTITY, PRICE)
    await venue.moved("89990")
    child = await row.fired(order.id)
    record = venue.conditional(order.id)
    assert (child.id, child.status) == (str(record["child_order_id"]), "FILLED")
    assert (child.side, child.quantity) == ("SELL", Decimal(QUANTITY))
    assert record["status"] == "FINISHED"
    assert venue.order(child.id)["parent_algo_id"] == record["algo_id"]
    assert venue.last("position")["quantity"] == "0"


async def order_lists(row: Row, venue: Venue) -> None:
    """It lists resting orders and waiting conditional orders, each in its own list."""
    resting, waiting = await venue.rested(), await venue.armed()
    assert await row.open_orders() == [resting]
    assert await row.open_conditionals() == [waiting]
    assert venue.order(resting)["status"] == venue.conditional(waiting)["status"] == "NEW"


async def batch(row: Row, venue: Venue) -> None:
    """It places two orders at once, and cancels both at once."""
    prices = ("89000", "89100")
    orders = await row.rest_both(QUANTITY, prices)
    for order, price in zip(orders, prices, strict=True):
        assert order == _resting(order.id, price)
        assert venue.order(order.id)["status"] == "NEW"
    ids = [order.id for order in orders]
    assert [(gone.id, gone.status) for gone in await row.cancel_both(ids)] == [
        (order_id, "CANCELED") for order_id in ids
    ]
    assert {venue.order(order_id)["status"] for order_id in ids} == {"CANCELED"}


async def positions(row: Row, venue: Venue) -> None:
    """It sees the position with its entry price."""
    await venue.bought()
    position, record = await row.position(), venue.last("position")
    assert str(position.quantity) == record["quantity"]
    assert str(position.entry) == record["entry_price"]


async def balance(row: Row, venue: Venue) -> None:
    """It sees what the account is worth: the wallet less the fee, and what is not realized yet."""
    await venue.bought()
    fill, opened = venue.last("fill"), venue.last("opened")
    unrealized = (Decimal(90900) - Decimal(fill["price"])) * Decimal(QUANTITY)
    wallet = Decimal(opened["balance"]) - Decimal(fill["fee"])
    assert await row.balance() == wallet + unrealized


async def history(row: Row, venue: Venue) -> None:
    """It lists the account's executions with their fees."""
    order_id = await venue.bought()
    (trade,) = await row.trades()
    fill = venue.last("fill", order_id=order_id)
    assert trade.order_id == order_id
    assert (str(trade.price), str(trade.quantity)) == (fill["price"], fill["quantity"])
    assert trade.fee == Decimal(fill["fee"])


async def user_stream(row: Row, venue: Venue) -> None:
    """It hears a conditional order, a fill and the position after it."""
    ids: list[str] = []

    async def act() -> None:
        ids.extend([await venue.armed(), await venue.bought()])

    heard: Heard = await row.hear_user(act)
    assert [heard.conditional, heard.order_id] == ids
    assert heard.status == venue.order(ids[1])["status"] == "FILLED"
    assert str(heard.position) == venue.last("position")["quantity"] == QUANTITY


async def market_streams(row: Row, venue: Venue) -> None:
    """It hears quote and mark price, a book and bars."""

    async def act() -> None:
        await venue.moved("90950")

    quotes: Quotes = await row.hear_market(act, Decimal(90950))
    step = venue.server.exchange.step(SYMBOL)
    assert step is not None
    assert quotes == Quotes(bid=step.bids[0].price, ask=step.asks[0].price, mark=step.mark)


async def hedge_mode(row: Row, venue: Venue) -> None:
    """It switches to hedge mode, holds both sides, arms a stop for one of them and closes that one alone."""
    assert await row.hedge()
    for side in ("LONG", "SHORT"):
        order = venue.order((await row.open_side(side, QUANTITY)).id)
        assert (order["position_side"], order["status"]) == (side, "FILLED")
    told = await row.sides()
    for side, amount in (("LONG", QUANTITY), ("SHORT", f"-{QUANTITY}")):
        record = venue.last("position", position_side=side)
        assert (str(told[side].quantity), record["quantity"]) == (amount, amount)
        assert str(told[side].entry) == record["entry_price"]
    stop = venue.conditional((await row.stop_side("LONG", PRICE)).id)
    assert (stop["position_side"], stop["close_position"], stop["status"]) == ("LONG", True, "NEW")
    await row.close_side("LONG", QUANTITY)
    assert venue.conditional(stop["algo_id"])["status"] == "EXPIRED"
    assert (await row.sides()).keys() == {"SHORT"}


async def error_codes(row: Row, venue: Venue) -> None:
    """It learns the code of five refusals, and the ledger has those that would have changed something."""
    assert {what: await row.refused(what) for what in REFUSALS} == REFUSALS
    records = [each for each in venue.server.exchange.ledger.records if each["kind"] == "refused"]
    changing = [code for what, code in REFUSALS.items() if what != "query of nothing"]
    assert [record["code"] for record in records] == changing


def _resting(order_id: str, price: str = PRICE, quantity: str = QUANTITY) -> Shown:
    return Shown(
        id=order_id, side="BUY", price=Decimal(price), quantity=Decimal(quantity), status="NEW"
    )


def _waits(order: Shown, venue: Venue, kind: str, price: str) -> None:
    assert (order.side, order.price) == ("SELL", Decimal(price))
    assert (order.quantity, order.status) == (Decimal(QUANTITY), "NEW")
    record = venue.conditional(order.id)
    assert (record["type"], record["trigger"], record["quantity"]) == (kind, price, QUANTITY)
    assert (record["reduce_only"], record["status"], record["by"]) == (True, "NEW", "client")


async def _settings(venue: Venue) -> dict[str, Any]:
    (row,) = await venue.wire.ok("GET", "symbolConfig", symbol=SYMBOL)
    return dict(row)


#: Every capability, with the function of a row that it needs.
CAPABILITIES: dict[str, tuple[Capability, str]] = {
    "connect": (connect, "time"),
    "markets": (markets, "market"),
    "prices": (prices, "prices"),
    "leverage": (leverage, "set_leverage"),
    "margin type": (margin_type, "set_margin_type"),
    "limit order": (limit_order, "limit"),
    "modify": (modify, "modify"),
    "cancel": (cancel, "cancel"),
    "market order": (market_order, "buy"),
    "stop market": (stop_market, "stop"),
    "take profit market": (take_profit_market, "target"),
    "close position": (close_position, "close_at"),
    "trigger": (trigger, "fired"),
    "order lists": (order_lists, "open_orders"),
    "batch": (batch, "rest_both"),
    "positions": (positions, "position"),
    "balance": (balance, "balance"),
    "history": (history, "trades"),
    "user stream": (user_stream, "hear_user"),
    "market streams": (market_streams, "hear_market"),
    "hedge mode": (hedge_mode, "hedge"),
    "error codes": (error_codes, "refused"),
}
