"""ACCOUNT_UPDATE for what is no execution: funding, insurance, margin that was moved, BNB that paid a fee.

Which rows such an event has follows Binance's page "Event: Balance and Position Update" (read 2026-09): funding of a
crossed position shows the balance only, everything else the position too. Knows nothing of why money moves.
"""

from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.account import ASSET, BNB, Account
from jumar.exchange.simulated.core.text import text

type Event = dict[str, Any]


def moved(update: Event, reason: str, amount: Decimal, *, isolated: bool) -> Event:
    """The update of an execution made into one of another reason; `amount` changed the balance."""
    (position,) = update["a"]["P"]
    balance = {**update["a"]["B"][0], "bc": text(amount)}
    rows = [] if reason == "FUNDING_FEE" and not isolated else [position]
    body: Event = {"m": reason, "B": [balance], "P": rows}
    if reason == "FUNDING_FEE":
        body["S"] = position["s"]
    return {**update, "a": body}


def transferred(account: Account, amount: Decimal, now_ms: int) -> Event:
    """The update of USDT that the account's owner moved in (above zero) or out: no position is in it."""
    balance = {
        "a": ASSET,
        "wb": text(account.wallet),
        "cw": text(account.cross_wallet),
        "bc": text(amount),
    }
    body = {"m": "DEPOSIT" if amount > 0 else "WITHDRAW", "B": [balance], "P": []}
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": body}


def bnb_row(wallet: Decimal) -> Event:
    """The balance row of the BNB wallet, for an execution whose fee was paid from it."""
    return {"a": BNB, "wb": text(wallet), "cw": text(wallet), "bc": "0"}
