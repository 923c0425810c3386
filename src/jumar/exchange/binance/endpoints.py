"""Where one environment of Binance USDⓈ-M futures answers."""

from dataclasses import dataclass

from jumar.model.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The three addresses of one environment.

    Attributes:
        rest_url: such as `https://fapi.binance.com`.
        stream_url: such as `wss://fstream.binance.com`, without the routed path.
        ws_api_url: such as `wss://ws-fapi.binance.com/ws-fapi/v1`.

    Raises:
        ConfigError: an address with another scheme.
    """

    rest_url: str
    stream_url: str
    ws_api_url: str

    def __post_init__(self) -> None:
        """Refuse what cannot be an address."""
        _check_scheme("rest_url", self.rest_url, ("http", "https"))
        _check_scheme("stream_url", self.stream_url, ("ws", "wss"))
        _check_scheme("ws_api_url", self.ws_api_url, ("ws", "wss"))


def _check_scheme(name: str, url: str, schemes: tuple[str, ...]) -> None:
    scheme, _, rest = url.partition("://")
    if scheme not in schemes or not rest.strip("/"):
        raise ConfigError(f"{name}: {url!r} is not an address that begins with {schemes[-1]}://")
