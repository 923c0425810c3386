"""The demo's decision system: what it decides on which prices, and whether the engine could enter it."""

from decimal import Decimal
from random import Random  # noqa: TID251 - the dice are the subject

import pytest

from jumar.ops.demo.strategy import Flaw, Idea, Quote, SymbolView, written

MINUTE_MS = 60_000
PRICE = Decimal("90800.0")


def quote(minute: float, price: Decimal, at_ms: int | None = None) -> Quote:
    path_ms = minute * MINUTE_MS
    at = round(path_ms / 60) if at_ms is None else at_ms
    return Quote(path_ms=path_ms, at_ms=at, bid=price, ask=price + Decimal("0.1"))


def watching(seed: int, *prices: str) -> SymbolView:
    view = SymbolView(dice=Random(seed))
    for minute, price in enumerate(prices):
        view.see(quote(minute, Decimal(price)))
    return view


def sound_idea(*prices: str) -> tuple[SymbolView, Idea]:
    """The first unflawed idea on these prices, over seeds."""
    for seed in range(100):
        view = watching(seed, *prices)
        idea = view.decide()
        if idea is not None and idea.flaw is None:
            return view, idea
    raise AssertionError("no seed made a sound idea")


@pytest.mark.parametrize(
    ("prices", "sign"), [(("90000.0", "90800.0"), 1), (("91600.0", "90800.0"), -1)]
)
def test_it_follows_the_last_minutes(prices: tuple[str, ...], sign: int) -> None:
    """A clear move makes a decision in its direction."""
    view, idea = sound_idea(*prices)
    assert idea.sign == sign
    assert view.idea == idea


@pytest.mark.rule("E-1")
@pytest.mark.parametrize("prices", [("90000.0", "90800.0"), ("91600.0", "90800.0")])
def test_a_sound_decision_can_be_entered_at_the_zones_middle(prices: tuple[str, ...]) -> None:
    """At the middle of the zone the stop is at least 0.35 % away and TP1 pays at least twice the risk."""
    for seed in range(200):
        idea = watching(seed, *prices).decide()
        if idea is None or idea.flaw is not None:
            continue
        middle = (idea.zone_min + idea.zone_max) / 2
        risk = (middle - idea.stop) * idea.sign
        assert risk / middle >= Decimal("0.0035")
        assert (idea.tp1 - middle) * idea.sign >= 2 * risk
        assert (idea.tp2 - idea.tp1) * idea.sign > 0


@pytest.mark.rule("E-1")
def test_flawed_decisions_come_and_are_flawed() -> None:
    """Each kind of flaw is drawn now and then, and breaks what its name says."""
    found: dict[Flaw, Idea] = {}
    for seed in range(300):
        idea = watching(seed, "90000.0", "90800.0").decide()
        if idea is not None and idea.flaw is not None:
            found[idea.flaw] = idea
    assert set(found) == set(Flaw)
    close = found[Flaw.STOP_TOO_CLOSE]
    assert abs(close.zone_max - close.stop) / close.zone_max < Decimal("0.0035")
    poor = found[Flaw.POOR_REWARD]
    assert poor.tp1 - poor.zone_min < 2 * (poor.zone_min - poor.stop)
    checks = written("BTCUSDT", "now", found[Flaw.RISK_CHECK])["risk_checks"]
    assert checks["no_major_news"] is False


def test_a_running_idea_is_repeated() -> None:
    """Once its price was reached, the side stays until stop or target, whatever the last minutes say.

    Mostly with the levels that it had, so that an engine has no reason to move anything; now and then with fresh ones.
    """
    view, idea = sound_idea("90000.0", "90800.0")
    view.see(quote(2, (idea.zone_min + idea.zone_max) / 2))
    view.see(quote(3, idea.stop + 1))
    stops = []
    for _ in range(200):
        again = view.decide()
        assert again is not None
        assert again.sign == idea.sign
        stops.append(again.stop)
    assert stops.count(idea.stop) > 120
    assert 20 < sum(stop < idea.stop for stop in stops) < 80


def test_an_idea_is_turned_when_the_last_minutes_went_far_against_it() -> None:
    """Before its stop is met the other side is decided; a smaller move against it turns nothing."""
    for against, sign in (("0.0024", 1), ("0.0026", -1)):
        view, idea = sound_idea("90000.0", "90800.0")
        view.see(quote(2, idea.zone_min))
        view.see(quote(23, idea.zone_min))  # the rise is forgotten
        view.see(quote(24, (idea.zone_min * (1 - Decimal(against))).quantize(PRICE)))
        assert view.idea is not None and view.idea.entered
        again = view.decide()
        assert again is not None
        assert again.sign == sign


def test_an_idea_ends_at_its_stop_and_at_its_far_target() -> None:
    """After either the system is free to think again."""
    for end in ("stop", "tp2"):
        view, idea = sound_idea("90000.0", "90800.0")
        view.see(quote(2, idea.zone_min))
        assert view.idea is not None
        view.see(quote(3, getattr(idea, end)))
        assert view.idea is None


def test_an_idea_that_leads_nowhere_is_given_up_by_flat() -> None:
    """After twenty decisions flat is said once, so that a position is closed, then the system thinks again."""
    for interval_ms in (5_000, 300_000):
        view, idea = sound_idea("90000.0", "90800.0")
        view.interval_ms = interval_ms
        patience_ms = 20 * interval_ms
        view.see(quote(2, idea.zone_min, at_ms=idea.since_ms + patience_ms))
        assert view.idea is not None
        view.see(quote(2, idea.zone_min, at_ms=idea.since_ms + patience_ms + 1))
        assert view.decide() is None
        assert view.gave_up is False


def test_the_same_seed_decides_the_same() -> None:
    """A run can be repeated."""
    prices = ("90000.0", "90100.0", "90100.1")
    assert watching(7, *prices).decide() == watching(7, *prices).decide()


def test_flat_is_written_without_levels() -> None:
    """A flat decision has no prices and no size."""
    flat = written("BTCUSDT", "2025-12-05T10:05:00.000Z", None)
    assert flat["action"] == "flat"
    assert flat["entry_zone"] == []
    assert flat["sl"] is flat["tp1"] is flat["tp2"] is None
    assert flat["position_size_usdt"] == 0


def test_every_way_of_trailing_is_decided() -> None:
    """An idea that names a zone trails there and aims far; others trail in any way, or wait for a nearer target."""
    ideas = [watching(seed, "90000.0", "90800.0").decide() for seed in range(100)]
    ways: dict[bool, set[str]] = {True: set(), False: set()}
    for idea in ideas:
        if idea is None or idea.flaw is not None:
            continue
        plan = written("BTCUSDT", "now", idea)["position_management"]
        assert plan["enable_trailing"] is (plan["trail_mode"] != "none")
        ways[idea.names_zone].add(plan["trail_mode"])
        risk = (idea.zone_min + idea.zone_max) / 2 - idea.stop
        far = (idea.tp2 - idea.stop) / risk - 1
        assert abs(far - (Decimal("3.5") if idea.names_zone else Decimal("2.6"))) < Decimal("0.01")
    assert ways == {True: {"structure_plus_liq"}, False: {"structure", "percent", "none"}}
