"""Write the error table as a page: `python -m jumar.exchange.binance.errors > docs/reference/errors.md`."""

import sys

from jumar.exchange.binance.errors.page import page

sys.stdout.write(page())
