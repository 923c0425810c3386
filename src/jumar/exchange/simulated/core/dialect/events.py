"""User-stream events: orders and their executions, balances and positions, settings, margin calls, the end of a key.

Shapes follow Binance's USDⓈ-M user-data-stream pages (read 2026-09) and recorded events; a field that records show
only in some states (`N` and `n` with an execution, `ap`, `aq`, `act` not while TRIGGERING) appears only there.
"""

from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.account import ASSET, Account
from jumar.exchange.simulated.core.conditional import Conditional, ConditionalStatus
from jumar.exchange.simulated.core.orders import Order, Trade
from jumar.exchange.simulated.core.position import Position
from jumar.exchange.simulated.core.text import text

type Event = dict[str, Any]


def order_update(
    order: Order,
    execution: str,
    notionals: tuple[Decimal, Decimal],
    now_ms: int,
    trade: Trade | None = None,
    *,
    modify_id: int | None = None,
) -> Event:
    """ORDER_TRADE_UPDATE; `notionals` are those of the symbol's open bids and asks."""
    body: Event = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.value,
        "o": order.type.value,
        "f": order.time_in_force.value,
        "q": text(order.quantity),
        "p": text(order.price),
        "ap": text(order.average),
        "sp": text(order.trigger),
        "x": execution,
        "X": order.status.value,
        "i": order.order_id,
        **({} if modify_id is None else {"M": str(modify_id)}),
        "l": text(trade.quantity) if trade else "0",
        "z": text(order.filled),
        "L": text(trade.price) if trade else "0",
        **({"N": trade.fee_asset, "n": text(trade.fee)} if trade else {}),
        "T": now_ms,
        "t": trade.trade_id if trade else 0,
        "b": text(notionals[0]),
        "a": text(notionals[1]),
        "m": trade.maker if trade else False,
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.orig_type or order.type.value,
        "ps": order.position_side.value,
        "cp": order.close_position,
        **_trailing(order),
        "rp": text(trade.realized) if trade else "0",
        "pP": order.price_protect,
        "si": 0,
        "ss": 0,
        "V": order.self_trade_prevention.value,
        "pm": order.price_match,
        "gtd": order.good_till_ms,
        "er": order.expiry.value,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": now_ms, "o": body}


def account_update(account: Account, position: Position, mark: Decimal, now_ms: int) -> Event:
    """ACCOUNT_UPDATE after an execution: the wallet and the one changed position."""
    balance = {
        "a": ASSET,
        "wb": text(account.wallet),
        "cw": text(account.cross_wallet),
        "bc": "0",
    }
    row = {
        "s": position.symbol,
        "pa": text(position.quantity),
        "ep": text(position.entry_price),
        "bep": text(position.break_even),
        "cr": text(position.realized),
        "up": text(position.unrealized(mark)),
        "mt": "isolated" if position.isolated else "cross",
        "iw": text(position.isolated_wallet),
        "ps": position.side.value,
    }
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "a": {"m": "ORDER", "B": [balance], "P": [row]},
    }


def algo_update(order: Conditional, now_ms: int) -> Event:
    """ALGO_UPDATE at every change of a conditional order's status."""
    body: Event = {
        "caid": order.client_id,
        "aid": order.algo_id,
        "at": "CONDITIONAL",
        "o": order.type.value,
        "s": order.symbol,
        "S": order.side.value,
        "ps": order.position_side.value,
        "f": order.time_in_force.value,
        "q": "0" if order.quantity is None else text(order.quantity),
        "X": order.status.value,
        "ai": "" if order.child_order_id is None else str(order.child_order_id),
        **_actual(order),
        "tp": text(order.trigger),
        "p": text(order.price),
        "V": order.self_trade_prevention.value,
        "wt": order.working_type.value,
        "pm": order.price_match,
        "cp": order.close_position,
        "pP": order.price_protect,
        "R": order.reduce_only,
        "tt": order.triggered_ms,
        "gtd": order.good_till_ms,
    }
    if order.trails:
        body["ia"] = order.active
    if order.reason:
        body["rm"] = order.reason
    return {"e": "ALGO_UPDATE", "T": now_ms, "E": now_ms, "o": body}


def leverage_update(symbol: str, leverage: int, now_ms: int) -> Event:
    """ACCOUNT_CONFIG_UPDATE after a change of leverage."""
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "ac": {"s": symbol, "l": leverage},
    }


def margin_call_row(position: Position, mark: Decimal, needed: Decimal) -> Event:
    """One position of a MARGIN_CALL, which must have a margin of `needed`."""
    return {
        "s": position.symbol,
        "ps": position.side.value,
        "pa": text(position.quantity),
        "mt": "ISOLATED" if position.isolated else "CROSSED",
        "iw": text(position.isolated_wallet),
        "mp": text(mark),
        "up": text(position.unrealized(mark)),
        "mm": text(needed),
    }


def margin_call(rows: list[Event], cross_wallet: Decimal | None, now_ms: int) -> Event:
    """MARGIN_CALL; the cross wallet is told of crossed positions only."""
    wallet = {} if cross_wallet is None else {"cw": text(cross_wallet)}
    return {"e": "MARGIN_CALL", "E": now_ms, **wallet, "p": rows}


def trade_lite(update: Event) -> Event:
    """TRADE_LITE, the short form of the ORDER_TRADE_UPDATE of an execution."""
    names = ("s", "q", "p", "m", "c", "S", "L", "l", "t", "i")
    told = {name: update["o"][name] for name in names}
    return {"e": "TRADE_LITE", "E": update["E"], "T": update["T"], **told}


def listen_key_expired(listen_key: str, now_ms: int) -> Event:
    """The last event of a user stream whose key has ended."""
    return {"e": "listenKeyExpired", "E": now_ms, "listenKey": listen_key}


def _trailing(order: Order) -> Event:
    if not order.callback_rate:
        return {}
    return {"AP": text(order.activate_price), "cr": text(order.callback_rate)}


def _actual(order: Conditional) -> Event:
    if order.status is ConditionalStatus.TRIGGERING:
        return {}
    actual_type = order.type.child.value if order.child_order_id is not None else "0"
    return {"ap": text(order.average), "aq": text(order.executed), "act": actual_type}
