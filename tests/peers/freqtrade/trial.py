"""freqtrade's exchange class trades on a served exchange; what it returns is compared with the exchange's ledger.

Run by the environment of this folder: `-m tests.peers.freqtrade.trial`, in a folder with the ready file.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from freqtrade.enums import MarginMode, RunMode, TradingMode
from freqtrade.resolvers import ExchangeResolver
from tests.peers.beside import Exchange, Foreign, Record, cents, same

PAIR, QUANTITY, LEVERAGE = "BTC/USDT:USDT", 0.013, 3.0
ORDER_TYPES = {
    "entry": "limit",
    "exit": "limit",
    "stoploss": "market",
    "stoploss_on_exchange": True,
    "stoploss_price_type": "mark",
}
PRICING = {"use_order_book": True, "order_book_top": 1, "price_side": "same"}


def configuration(ready: Record) -> Record:
    """What a user writes into `config.json`: the addresses stand under `exchange.ccxt_config`."""
    futures = {
        f"fapi{access}{suffix}": f"{ready['rest']}/fapi/{version}"
        for access in ("Public", "Private")
        for suffix, version in (("", "v1"), ("V2", "v2"), ("V3", "v3"))
    }
    return {
        "dry_run": False,
        "runmode": RunMode.LIVE,
        "stake_currency": "USDT",
        "timeframe": "5m",
        "trading_mode": TradingMode.FUTURES,
        "margin_mode": MarginMode.ISOLATED,
        "exchange": {
            "name": "binance",
            "key": ready["api_key"],
            "secret": ready["api_secret"],
            "enable_ws": False,
            "pair_whitelist": [PAIR],
            "ccxt_config": {
                "urls": {"api": {**futures, "sapi": f"{ready['rest']}/sapi/v1"}},
                "options": {"fetchMarkets": {"types": ["linear"]}},
            },
        },
        "entry_pricing": PRICING,
        "exit_pricing": PRICING,
        "order_types": ORDER_TYPES,
        "order_time_in_force": {"entry": "GTC", "exit": "GTC"},
        "internals": {},
    }


class Trial:
    """The story of one account."""

    def __init__(self, client: Foreign, exchange: Exchange) -> None:
        self._client = client
        self._exchange = exchange

    def live(self) -> None:
        """Start, rest and cancel an order, enter, be stopped out, take a stop back."""
        self._same_wallet("it starts: the wallet")
        self._resting()
        self._entered()
        stop = self._stopped("90000")
        self._exchange.moved("90500")
        self._same_stop("the price comes near, the stop rests", stop)
        self._triggered(stop)
        self._entered()
        self._taken_back(self._stopped("88000"))
        self._same_wallet("the wallet afterwards")

    def _resting(self) -> None:
        order = self._order("limit", 90000)
        record = self._last_order(order)
        told = (order["status"], cents(order["price"]), str(order["amount"]))
        asked = (_status(record), cents(record["price"]), record["quantity"])
        same("a limit order rests", told, asked)
        order = self._client.cancel_order(order["id"], PAIR)
        same("it is cancelled", order["status"], _status(self._last_order(order)))

    def _entered(self) -> None:
        order = self._client.fetch_order(self._order("market", 90900)["id"], PAIR)
        fill = self._exchange.last("fill", order_id=order["id"])
        told = (order["status"], cents(order["average"]), str(order["filled"]))
        status = _status(self._last_order(order))
        same("it enters, at market", told, (status, cents(fill["price"]), fill["quantity"]))
        (position,) = self._client.fetch_positions()
        record = self._exchange.last("position")
        told = (str(position["contracts"]), cents(position["entryPrice"]), position["side"])
        same("the position", told, (record["quantity"], cents(record["entry_price"]), "long"))

    def _stopped(self, trigger: str) -> Foreign:
        stop = self._client.create_stoploss(
            pair=PAIR,
            amount=QUANTITY,
            stop_price=float(trigger),
            order_types=ORDER_TYPES,
            side="sell",
            leverage=LEVERAGE,
        )
        self._same_stop("its stop rests", stop)
        return stop

    def _triggered(self, stop: Foreign) -> None:
        self._exchange.moved("89990")
        stop = self._client.fetch_stoploss_order(stop["id"], PAIR)
        waiting = self._exchange.last("conditional", algo_id=stop["id"])
        fill = self._exchange.last("fill", order_id=waiting["child_order_id"])
        told = (stop["status"], stop["id_stop"], cents(stop["average"]))
        same("the stop triggers", told, ("closed", str(fill["order_id"]), cents(fill["price"])))
        since = datetime.fromtimestamp(fill["t"] / 1000, UTC)
        (trade,) = self._client.get_trades_for_order(stop["id_stop"], PAIR, since)
        fee = Decimal(str(trade["fee"]["cost"]))
        asked = (str(fill["trade_id"]), Decimal(fill["fee"]))
        same("its execution and its fee", (trade["id"], fee), asked)
        flat = self._exchange.last("position")["quantity"]
        same("the position is closed", (self._client.fetch_positions(), "0"), ([], flat))

    def _taken_back(self, stop: Foreign) -> None:
        self._client.cancel_stoploss_order(stop["id"], PAIR)
        status = self._client.fetch_stoploss_order(stop["id"], PAIR)["status"]
        record = self._exchange.last("conditional", algo_id=stop["id"])
        same("a stop is taken back", status, _status(record))

    def _order(self, kind: str, rate: float) -> Foreign:
        return self._client.create_order(
            pair=PAIR, ordertype=kind, side="buy", amount=QUANTITY, rate=rate, leverage=LEVERAGE
        )

    def _last_order(self, order: Foreign) -> Record:
        return self._exchange.last("order", order_id=order["id"])

    def _same_stop(self, what: str, stop: Foreign) -> None:
        stop = self._client.fetch_stoploss_order(stop["id"], PAIR)
        record = self._exchange.last("conditional", algo_id=stop["id"])
        told = (stop["status"], cents(stop["stopPrice"]), str(stop["amount"]), stop["reduceOnly"])
        terms = (cents(record["trigger"]), record["quantity"], record["reduce_only"])
        same(what, told, (_status(record), *terms))

    def _same_wallet(self, what: str) -> None:
        balance = self._client.get_balances()["USDT"]
        position = self._client.fetch_positions()
        unrealized = sum(Decimal(str(each["unrealizedPnl"])) for each in position)
        wallet = Decimal(str(balance["total"])) - unrealized
        same(what, round(wallet, 6), round(self._exchange.wallet(), 6))


def _status(record: Record) -> str:
    """The status of a record in the client's words."""
    words = {"NEW": "open", "CANCELED": "canceled", "FILLED": "closed"}
    return words[record["status"]]


def main() -> int:
    """Live the story; 0, or an error that says where it ended."""
    ready = json.loads(Path("ready.json").read_text(encoding="utf-8"))
    client = ExchangeResolver.load_exchange(configuration(ready), load_leverage_tiers=True)
    try:
        Trial(client, Exchange(ready["rest"])).live()
    finally:
        client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
