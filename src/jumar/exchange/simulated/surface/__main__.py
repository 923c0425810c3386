"""Write the surface as a page: `python -m jumar.exchange.simulated.surface > docs/reference/surface.md`."""

import sys

from jumar.exchange.simulated.surface.page import page

sys.stdout.write(page())
