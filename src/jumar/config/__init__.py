"""Settings: a TOML file and the environment become typed values, or one error that names every problem.

Promises: nothing that starts is half configured; an unknown key, a wrong type or a value outside the allowed
range is refused with the field, the value, the range and the fix; secrets come from the environment or from a
key file that only its owner can read, never from the configuration. Does not know whether an address answers or
a key is right: the venue says so at start.

Read `load.py` first; `limits.py` is the table of every limit, `account.py` the addresses, `keys.py` the secrets;
`venue.py` reads addresses and secrets from options instead of a file.
"""

from jumar.config.account import Environment
from jumar.config.keys import Keys
from jumar.config.load import Outline, Settings, load_outline, load_settings
from jumar.config.venue import Venue, load_venue

__all__ = [
    "Environment",
    "Keys",
    "Outline",
    "Settings",
    "Venue",
    "load_outline",
    "load_settings",
    "load_venue",
]
