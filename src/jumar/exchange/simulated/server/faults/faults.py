"""Faults on order, put together: the rules and everything that is done by them.

Promises that while no rule is set nothing of this is on any request's, event's or step's way.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from jumar.exchange.simulated.core.exchange import Exchange
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.market import ManualMarket
from jumar.exchange.simulated.server.faults.events import EventFaults
from jumar.exchange.simulated.server.faults.kinds import EVENTS, Kind, Place
from jumar.exchange.simulated.server.faults.market import Displacement
from jumar.exchange.simulated.server.faults.moments import Hands, Moments
from jumar.exchange.simulated.server.faults.register import Json, Register
from jumar.exchange.simulated.server.faults.requests import RequestFaults
from jumar.exchange.simulated.server.faults.rule import Rule, RuleError
from jumar.exchange.simulated.server.faults.views import Views
from jumar.exchange.simulated.server.gateway import LISTEN_KEY_PATH
from jumar.exchange.simulated.server.listen_keys import ListenKeys
from jumar.exchange.simulated.server.pacer import Pacer
from jumar.exchange.simulated.server.streams import Hub
from jumar.exchange.simulated.server.ws_api import METHODS
from jumar.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What faults reach of a server."""

    exchange: Exchange
    clock: Clock
    hub: Hub
    listen_keys: ListenKeys
    pacer: Pacer
    manual: ManualMarket | None


class Faults:
    """All faults of one server.

    Attributes:
        requests: what befalls requests.
        stepping: whether steps of the market must come here.
    """

    def __init__(self, of: Machinery) -> None:
        self.stepping = False
        self._of = of
        self._register = Register(of.exchange, of.clock)
        self._views = Views(self._register, of.exchange)
        self.requests = RequestFaults(self._register, of.exchange, self._views, of.clock)
        self._events = EventFaults(self._register, of.clock)
        self._displacement = Displacement()
        hands = Hands(
            streams=of.hub,
            expire_key=lambda: of.listen_keys.run_out(of.clock.now_ms()),
            again=of.pacer.again,
            jump=self._jump,
        )
        self._moments = Moments(self._register, of.exchange, of.clock, self._displacement, hands)

    @property
    def rows(self) -> list[Json]:
        """Every rule, with how often it was tried and struck."""
        return [each.row for each in self._register.standing]

    def check(self, rules: Iterable[Rule]) -> None:
        """Refuse what makes no sense on this exchange.

        Raises:
            RuleError: the message names the rule and the field.
        """
        for rule in rules:
            wrong = self._wrong(rule)
            if wrong is not None:
                raise RuleError(rule.origin + wrong)

    def add(self, rules: Iterable[Rule]) -> list[Json]:
        """Set rules; what is due at once happens now."""
        added = self._register.add(rules)
        self._changed()
        self._views.look()
        self._moments.turn()
        return [each.row for each in added]

    def remove(self, number: int | None) -> list[int]:
        """Take a rule away, or all of them, and what lasts of them; the ids of those that stood."""
        numbers = [each.number for each in self._register.standing if number in (None, each.number)]
        for each in numbers:
            gone = self._register.remove(each)
            if gone is not None:
                self._moments.end(gone)
        self._changed()
        return numbers

    def step(self, step: MarketStep) -> MarketStep:
        """A market step as it is seen; to be called before it is applied."""
        return self._displacement.shifted(step, self._of.clock.now_ms())

    def stepped(self) -> None:
        """To be called after a market step was applied."""
        self._views.look()

    async def run(self) -> None:
        """Work for ever."""
        await self._moments.run()

    def close(self) -> None:
        """Forget what is on its way."""
        self._events.close()

    def _changed(self) -> None:
        """Stand where a rule is tried, and nowhere else."""
        places = {each.rule.place for each in self._register.standing}
        kinds = {each.rule.kind for each in self._register.standing}
        self.requests.active = bool(places & {Place.REQUEST, Place.VIEW} or kinds & {Kind.HALTED})
        self.stepping = bool(kinds & {Kind.MARK_DIP, Kind.PRICE_GAP, Kind.LAGGING_POSITION})
        events = Place.EVENT in places or Kind.SILENT_STREAM in kinds or self._events.busy
        self._of.hub.disturb = self._events.carry if events else None

    def _jump(self, symbol: str, by: Decimal) -> bool:
        """Move a market whose prices are set by hand; says whether it is one."""
        manual, step = self._of.manual, self._of.exchange.step(symbol)
        if manual is None or step is None:
            return False
        bid, ask = step.bids[0], step.asks[0]
        moved = manual.set_price(
            symbol,
            last=step.last + by,
            mark=step.mark + by,
            bid=bid.price + by,
            ask=ask.price + by,
            bid_quantity=bid.quantity,
            ask_quantity=ask.quantity,
        )
        self._of.pacer.apply(moved)
        return True

    def _wrong(self, rule: Rule) -> str | None:
        """What makes no sense on this exchange."""
        symbol, endpoint = rule.scope.get("symbol"), rule.scope.get("endpoint")
        known = self._of.exchange.symbols
        if symbol is not None and symbol not in known:
            return f"scope.symbol: {symbol!r} is not traded here; choose among {', '.join(known)}"
        if rule.kind is Kind.CHANGED_FILTERS:
            return self._wrong_filters(rule, known if symbol is None else (symbol,))
        if endpoint is None:
            return None
        return _wrong_event(endpoint) if rule.place is Place.EVENT else self._wrong_path(endpoint)

    def _wrong_path(self, named: str) -> str | None:
        path = named.rpartition(" ")[2]
        if named in METHODS or path == LISTEN_KEY_PATH or self._of.exchange.serves(path):
            return None
        return (
            f"scope.endpoint: {named!r} is no path of this exchange, and no method of its WebSocket API; "
            "write it like /fapi/v1/order, DELETE /fapi/v1/order or order.place"
        )

    def _wrong_filters(self, rule: Rule, symbols: tuple[str, ...]) -> str | None:
        for symbol in symbols:
            instrument = self._of.exchange.instrument(symbol)
            for name in ("tick_size", "step_size"):
                now, new = getattr(instrument, name, None), rule.decimal(name)
                if now and new and new % now:
                    return f"{name}: {new} is not a whole multiple of {symbol}'s {now}"
        return None


def _wrong_event(named: str) -> str | None:
    if named in EVENTS:
        return None
    return f"scope.endpoint: {named!r} is no event; choose among {', '.join(EVENTS)}"
