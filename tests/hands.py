"""What people do past an engine, the ways to a state worth disturbing, and what is asked of the exchange afterwards."""

from decimal import Decimal
from typing import Any

from tests.lives import Cast, Road, fills_kept, fills_seen, stop_triggers

from jumar.store import queries

TICK = Decimal("0.1")


# what people do


async def by_hand(company: Cast, side: str, quantity: str) -> None:
    """Somebody trades at market, past the engine."""
    await company.stage.signed(
        "POST",
        "/fapi/v1/order",
        {
            "symbol": "BTCUSDT",
            "side": side,
            "type": "MARKET",
            "quantity": quantity,
            "newClientOrderId": f"web_{len(await company.stage.ledger())}",
        },
    )


async def rest_by_hand(company: Cast, client_id: str) -> None:
    """Somebody lets a buy order rest far below the price."""
    await company.stage.signed(
        "POST",
        "/fapi/v1/order",
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.010",
            "price": "88000",
            "newClientOrderId": client_id,
        },
    )


async def remove_stops(company: Cast) -> None:
    """Somebody cancels every stop."""
    for name, order in (await company.stage.alive()).items():
        if name[0] in "SB":
            await company.stage.control(
                "cancel", {"symbol": "BTCUSDT", "client_id": order["client_id"]}
            )


def into(road: Road) -> str:
    """The side that adds to the position."""
    return "BUY" if road.sign > 0 else "SELL"


def out_of(road: Road) -> str:
    """The side that takes from it."""
    return "SELL" if road.sign > 0 else "BUY"


# the ways there


async def armed(company: Cast, road: Road) -> None:
    """The entry rests behind its stop."""
    await company.stage.price(road.quiet)
    await company.begin()
    await company.decide(**road.decision)
    await company.until_roles("ES")


async def held(company: Cast, road: Road) -> None:
    """The position is open behind stops and targets."""
    await armed(company, road)
    await company.stage.price(road.enter)
    await company.until_roles("BPQS")


async def runner(company: Cast, road: Road) -> None:
    """TP1 has filled and the stop stands beyond the entry."""
    await held(company, road)
    await company.stage.price(road.tp1)
    await company.until_roles("BQS")
    await company.until(lambda: _beyond(company, road))


async def _beyond(company: Cast, road: Road) -> bool:
    """Whether one working stop rests, and better than the entry."""
    triggers = stop_triggers(await company.stage.alive())
    return len(triggers) == 1 and (triggers[0] - road.average) * road.sign > 0


async def reborn(company: Cast) -> None:
    """The engine dies, its database is lost, it begins again and protects within three ticks."""
    await company.life.kill()
    company.lose_database()
    await company.begin()
    await company.protected_in_three_ticks()


async def cover(company: Cast) -> list[dict[str, Any]]:
    """The working stops and backstops that rest."""
    return [o for name, o in (await company.stage.alive()).items() if name[0] in "SB"]


async def targets(company: Cast) -> Decimal:
    """What the targets that rest would sell together."""
    resting = (await company.stage.alive()).items()
    sizes = [Decimal(order["quantity"]) for name, order in resting if name[0] in "PQ"]
    return sum(sizes, start=Decimal(0))


async def stop_size(company: Cast) -> Decimal:
    """The size of the largest working stop that rests."""
    resting = (await company.stage.alive()).items()
    return max((Decimal(o["quantity"]) for n, o in resting if n[0] == "S"), default=Decimal(0))


def exits(company: Cast) -> list[str]:
    """What closed each filled trade of the newest journal."""
    rows = queries.trades(company.database)
    return [row.summary.exit_reason for row in rows if row.summary is not None]


async def invents_nothing(company: Cast) -> None:
    """Every execution in the journal is one of the exchange's, with its price and quantity."""
    happened = fills_seen(await company.stage.ledger(), hands=True)
    assert fills_kept(company).items() <= happened.items()


async def smaller_than(company: Cast, size: Decimal) -> bool:
    """Whether the position is smaller than that."""
    return abs(await company.stage.position()) < size


async def no_entry(company: Cast) -> bool:
    """Whether no entry of ours rests."""
    return "E" not in await company.roles()
