"""Binance USDⓈ-M futures behind the exchange port.

Begin with `adapter.py`. `params` and `translate` are the two directions of the wire, `outcomes` and `errors` say
what a reply proves.
"""

from jumar.exchange.binance.adapter import BinanceExchange
from jumar.exchange.binance.endpoints import Endpoints
from jumar.exchange.binance.host_quota import HostQuota
from jumar.exchange.binance.signing import Credentials

__all__ = ["BinanceExchange", "Credentials", "Endpoints", "HostQuota"]
