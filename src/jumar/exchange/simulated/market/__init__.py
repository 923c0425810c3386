"""Where the simulated exchange's prices come from.

A source yields `MarketStep`s in the order of path time and knows nothing of orders:

- `manual.py`: stands still until a price is set;
- `synthetic.py`: drawn from a seed, endless (`walk.py` moves its price);
- `staged.py`: the same for the named scenarios of `scenarios.py` (`drawn.py` draws book and trades for both);
- `recorded.py`: recorded files (`formats.py` tells what they are, `folder.py` and `companions.py` which belong together,
  `bars.py` draws what happened inside a bar, `book.py` knows the market after each record);
- `live.py`: the present of the real market.

`mark.py` makes the mark price where a source has none, `grid.py` rounds, `fetch.py` gets files of Binance's archive.
`open_market` (`opening.py`) chooses. This package is the one place outside the clock where dice are thrown, always from a given seed.
"""

from jumar.exchange.simulated.market.bars import BarOrder
from jumar.exchange.simulated.market.companions import Companions
from jumar.exchange.simulated.market.live import Link, LiveMarket, NoPricesError
from jumar.exchange.simulated.market.manual import ManualMarket
from jumar.exchange.simulated.market.opening import is_live, is_recorded, open_market
from jumar.exchange.simulated.market.recorded import RecordedMarket
from jumar.exchange.simulated.market.scenarios import SCENARIOS
from jumar.exchange.simulated.market.staged import StagedMarket
from jumar.exchange.simulated.market.synthetic import SyntheticMarket

__all__ = [
    "SCENARIOS",
    "BarOrder",
    "Companions",
    "Link",
    "LiveMarket",
    "ManualMarket",
    "NoPricesError",
    "RecordedMarket",
    "StagedMarket",
    "SyntheticMarket",
    "is_live",
    "is_recorded",
    "open_market",
]
