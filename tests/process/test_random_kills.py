"""Killed from outside at seeded moments while the price moves and decisions come: twenty deaths, then the judges.

The seed fixes prices, decisions and how much may happen before each death; where exactly the process stands when it
dies is the machine's, and every outcome must be clean.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - every draw comes from the test's seed
from typing import Any

import pytest
from tests.lives import LONG, SHORT, Cast, assert_clean, cast, entries_seen

DEATHS = 10
MIDDLE = Decimal(90800)
LOWEST, HIGHEST = Decimal(90250), Decimal(91350)


@dataclass
class Weather:
    """Prices and decisions, all drawn from one seed."""

    chance: Random
    price: Decimal = field(default=MIDDLE)

    def next_price(self) -> str:
        """A step that is drawn back to the middle, or now and then a jump to either end."""
        if self.chance.random() < 0.08:
            self.price = self.chance.choice((LOWEST, HIGHEST))
        else:
            pull = (MIDDLE - self.price) / 10
            self.price += pull + self.chance.randint(-50, 50)
        return str(self.price.quantize(Decimal("0.1")))

    def next_decision(self) -> dict[str, Any]:
        """Long or short, now and then flat."""
        flat = {"action": "flat", "entry_zone": []}
        return self.chance.choice((LONG.decision, LONG.decision, SHORT.decision, flat))


async def live_and_die(company: Cast, weather: Weather) -> None:
    """One life under this weather, which ends after some ticks or some changes at the exchange."""
    life = await company.begin()
    await company.foresee()
    ticks = weather.chance.randint(1, 10)
    changes = weather.chance.randint(1, 20)
    changed = len(await company.stage.ledger()) + changes
    while len(life.ticks) < ticks and len(await company.stage.ledger()) < changed:
        seen = len(life.ticks)
        await company.stage.price(weather.next_price())
        if life.ticks[-1]["trade"] is None or weather.chance.random() < 0.1:
            await company.decide(**weather.next_decision())

        async def looked(seen: int = seen) -> bool:
            return len(life.ticks) > seen or len(await company.stage.ledger()) >= changed

        await company.until(looked)
    await life.kill()


async def come_home(company: Cast) -> None:
    """A last life: entries withdrawn, the price through the stop of whatever is open."""
    await company.begin()
    await company.protected_in_three_ticks()
    await company.decide(action="flat", entry_zone=[])

    async def settled() -> bool:
        return "E" not in await company.roles()

    await company.until(settled)
    position = await company.stage.position()
    if position:
        await company.stage.price(str(LOWEST if position > 0 else HIGHEST))
    await company.until(company.idle)


@pytest.mark.rule("P-1", "P-2", "P-4", "P-6", "P-8", "X-2", "X-9")
@pytest.mark.parametrize("seed", [1, 2])
async def test_ten_deaths(tmp_path: Path, seed: int) -> None:
    """Ten deaths of one journal: nothing naked, doubled, left over or unknown to it."""
    weather = Weather(Random(seed))
    async with cast(tmp_path) as company:
        for _ in range(DEATHS):
            await live_and_die(company, weather)
        await come_home(company)
        assert entries_seen(await company.stage.ledger())
        await assert_clean(company)
