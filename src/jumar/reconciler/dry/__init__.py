"""A dry run: the whole engine on live data, and nothing leaves.

Promises that no write can reach the venue, twice over: the executor here never calls one, and the exchange here
refuses every one. Nothing is remembered beyond the process and nothing is answered to the decision's writer. What would
follow once the venue confirmed something is not known: a dry run never gets past the first thing that it would send.
"""

from jumar.reconciler.dry.exchange import ExchangeWithoutWrites
from jumar.reconciler.dry.executor import DryExecutor
from jumar.reconciler.dry.memory import SilentSource, StoreOfNothing

__all__ = ["DryExecutor", "ExchangeWithoutWrites", "SilentSource", "StoreOfNothing"]
