"""What a server is started with, and what can go wrong at the start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypedDict

from jumar.exchange.simulated.core.market import MarketSource
from jumar.exchange.simulated.core.readings import Readings
from jumar.exchange.simulated.core.terms import Terms
from jumar.exchange.simulated.server.faults.rule import Rule
from jumar.ports.clock import Clock, SystemClock

BALANCE = Decimal(10000)
type Routes = Literal["production", "demo"]


class PortInUseError(Exception):
    """Another program listens on the port that was asked for."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port: {port} on {host} is in use; choose another, or 0 for any free port"
        )


class Ready(TypedDict):
    """The content of the ready file: where the exchange answers and with which keys.

    `api_secret` is for HMAC-SHA256; `ed25519_private_key` (PEM, PKCS#8) belongs to `ed25519_api_key`.
    """

    rest: str
    stream: str
    ws_api: str
    api_key: str
    api_secret: str
    ed25519_api_key: str
    ed25519_private_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """Settings of one server.

    Attributes:
        market: where prices come from.
        symbols: what can be traded; by default the market's.
        host, port: where to listen; port 0 lets the system choose.
        ready_file: written, atomically and readable by its owner only, once the server answers.
        speed: path milliseconds per exchange millisecond; the exchange clock is never compressed.
        start_ms: exchange time at the start, milliseconds since 1970; by default the wall clock's.
        balance: the account's wallet in USDT.
        account: the account's name, in the ledger and as `accountAlias`.
        api_key, api_secret: drawn when absent.
        ed25519_keys: further API keys with their public keys (PEM).
        routes: what un-routed stream paths deliver: public streams only, as in production, or everything, as on the
            demo host.
        clock: the machine's clock.
        limits: hold back whoever exceeds the request limits; else they are only counted.
        terms: what the account pays and what may befall it.
        readings: what is chosen where the documents leave a choice.
        tell: gets one line about each thing that clients ask for in vain.
        faults: what goes wrong by order, from the start.
    """

    market: MarketSource
    symbols: tuple[str, ...] | None = None
    host: str = "127.0.0.1"
    port: int = 0
    ready_file: Path | None = None
    speed: float = 1.0
    start_ms: int | None = None
    balance: Decimal = BALANCE
    account: str = "simulated"
    api_key: str | None = None
    api_secret: str | None = None
    ed25519_keys: dict[str, str] = field(default_factory=dict)
    routes: Routes = "production"
    clock: Clock = field(default_factory=SystemClock)
    limits: bool = False
    terms: Terms = field(default_factory=Terms)
    readings: Readings = field(default_factory=Readings)
    tell: Callable[[str], None] = lambda _line: None
    faults: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: the message names the setting and the fix.
        """
        if not self.speed > 0:
            raise ValueError(f"speed: {self.speed} is not above zero; 1 is real time")
        if not self.balance.is_finite() or self.balance <= 0:
            raise ValueError(f"balance: {self.balance} is not above zero; give USDT, e.g. 10000")
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port: {self.port} is not between 0 and 65535")
        missing = set(self.symbols or ()) - set(self.market.symbols)
        if missing:
            raise ValueError(
                f"symbols: the market has no {', '.join(sorted(missing))}; "
                f"it has {', '.join(self.market.symbols)}"
            )


def parse_start(text: str) -> int:
    """An ISO date and time as milliseconds since 1970; without an offset it is UTC.

    Raises:
        ValueError: not an ISO date and time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"start: {text!r} is not an ISO date and time; e.g. 2025-12-05T10:04:50Z"
        ) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)
