"""A dry run's exchange, store and source: every read passes, no write leaves, nothing is kept or answered."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from jumar.model.account import AccountSettings, MarginMode, SymbolSettings
from jumar.model.outcome import Rejected
from jumar.ports.decisions import Answer, DecisionSource
from jumar.ports.exchange import Exchange
from jumar.reconciler.dry import ExchangeWithoutWrites, SilentSource, StoreOfNothing

SYMBOL = "BTCUSDT"
#: What of the port only looks. Whatever is not named here must be refused.
READS = {
    "start",
    "close",
    "instruments",
    "account_settings",
    "symbol_settings",
    "balance",
    "positions",
    "open_orders",
    "open_conditional_orders",
    "order",
    "fills",
    "orders_since",
    "forced_orders",
    "funding",
    "transfers",
    "budget",
    "quote",
    "mark",
    "last",
}


@dataclass
class Asked:
    """Answers everything and remembers what it was asked for."""

    answers: Mapping[str, object] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        async def answer(*_: object, **__: object) -> object:
            self.calls.append(name)
            return self.answers.get(name)

        return answer


def methods() -> dict[str, inspect.Signature]:
    """Every method of the exchange port."""
    found = inspect.getmembers(Exchange, inspect.isfunction)
    return {name: inspect.signature(each) for name, each in found if not name.startswith("_")}


def without_writes(asked: Asked) -> ExchangeWithoutWrites:
    """The wrapper around it."""
    return ExchangeWithoutWrites(cast("Exchange", asked))


async def call(wrapped: ExchangeWithoutWrites, name: str) -> object:
    """Call a method of the port with something in every place."""
    parameters = [p for p in methods()[name].parameters.values() if p.name != "self"]
    places = [SYMBOL for p in parameters if p.kind is not p.KEYWORD_ONLY]
    words = {p.name: 1 for p in parameters if p.kind is p.KEYWORD_ONLY}
    told = getattr(wrapped, name)(*places, **words)
    return await told if inspect.isawaitable(told) else told


@pytest.mark.rule("H-1")
@pytest.mark.parametrize("name", sorted(methods().keys() - READS))
async def test_no_write_of_the_port_reaches_the_venue(name: str) -> None:
    """Whatever the port has or will have beside its reads is refused before the venue hears of it."""
    asked = Asked()
    outcome = await call(without_writes(asked), name)
    assert isinstance(outcome, Rejected)
    assert "nothing is sent" in outcome.message
    assert asked.calls == []


@pytest.mark.rule("H-1")
@pytest.mark.parametrize("name", sorted(READS - {"account_settings", "symbol_settings"}))
async def test_every_read_passes(name: str) -> None:
    """The venue is asked once, and its answer is the answer."""
    asked = Asked({name: object()})
    assert await call(without_writes(asked), name) in {asked.answers[name], None}
    assert asked.calls == [name]


async def test_a_setting_is_read_back_as_supposed() -> None:
    """What the plan would have set counts as set, for its symbol and nothing else."""
    real = SymbolSettings(leverage=20, margin_mode=MarginMode.CROSSED)
    wrapped = without_writes(Asked({"symbol_settings": real}))
    wrapped.suppose(SYMBOL, leverage=3)
    assert await wrapped.symbol_settings("ETHUSDT") == real
    assert (await wrapped.symbol_settings(SYMBOL)).leverage == 3
    assert (await wrapped.symbol_settings(SYMBOL)).margin_mode is MarginMode.CROSSED
    wrapped.suppose(SYMBOL, margin_mode=MarginMode.ISOLATED)
    assert await wrapped.symbol_settings(SYMBOL) == SymbolSettings(
        leverage=3, margin_mode=MarginMode.ISOLATED
    )


async def test_a_key_that_may_only_read_is_enough() -> None:
    """Hedge mode stays hedge mode, but that trading is not permitted is no reason to refuse to look."""
    real = AccountSettings(hedge_mode=True, multi_assets=False, can_trade=False)
    told = await without_writes(Asked({"account_settings": real})).account_settings()
    assert (told.hedge_mode, told.can_trade) == (True, True)


async def test_a_store_of_nothing_remembers_nothing() -> None:
    """Every start is one with an empty journal; what is written is forgotten."""
    store = StoreOfNothing()
    identity = await store.open()
    await store.write([])
    memory = await store.load(SYMBOL)
    assert identity.fresh
    assert (memory.trade, memory.orders, memory.decision) == (None, (), None)
    assert await store.requests() == ()
    await store.close()


def test_a_silent_source_answers_nobody() -> None:
    """Decisions come in; the answer stays the trading engine's."""

    class Source:
        """Fails when it is answered."""

        polled = False

        def poll(self) -> tuple[object, ...]:
            self.polled = True
            return ()

        def answer(self, answer: Answer) -> None:
            raise AssertionError(answer)

    source = Source()
    silent = SilentSource(cast("DecisionSource", source))
    assert (silent.poll(), source.polled) == ((), True)
    silent.answer(
        Answer(
            symbol=SYMBOL,
            decision_id=None,
            timestamp_ms=None,
            outcome="refused",
            reasons=(),
            at_ms=1,
        )
    )
