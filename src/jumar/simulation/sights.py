"""The rare paths that a run walked, counted: a path that no run ever walks proves nothing about it.

Everything is told from the exchange's ledger, the points of death, the faults and the engine's database and incidents.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jumar.model.journal import Incident
from jumar.simulation.mishaps import START_S, Mishaps
from jumar.simulation.storm import Storm
from jumar.simulation.world import World
from jumar.store import queries

_ROLES = {
    "E": "entry",
    "S": "stop",
    "B": "backstop",
    "P": "target",
    "Q": "target",
    "L": "zone exit",
    "X": "full exit",
}
_STOPS = frozenset({"stop", "backstop"})


def sights(
    world: World, incidents: Iterable[Incident], mishaps: Mishaps, storm: Storm
) -> Counter[str]:
    """What was seen in a run."""
    records = world.venue.core.ledger.records
    seen = Counter[str]()
    seen.update(_at_the_exchange(records))
    seen.update(_unknown(records, storm))
    seen.update(_while_dead(world, records, mishaps))
    seen.update(f"killed {point.split('+')[0]}" for point in mishaps.kills)
    seen.update(f"incident {incident.rule}" for incident in incidents)
    seen.update(_in_the_database(world))
    return seen


def _role(client_id: object) -> str:
    """What an order of ours is for, by its client id."""
    return _ROLES.get(str(client_id).rpartition("-")[2][:1], "order")


def _at_the_exchange(records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    held, prices = False, dict[str, str]()
    for record in records:
        role = _role(record.get("client_id"))
        if record["kind"] == "order" and role == "entry":
            price = prices.setdefault(record["client_id"], record["price"])
            if record["price"] != price:
                yield "entry re-priced"
                prices[record["client_id"]] = record["price"]
        match record["kind"]:
            case "position":
                held = record["quantity"] != "0"
            case "fill":
                yield f"{role} executed"
            case "order" if record["status"] == "PARTIALLY_FILLED" and role == "entry":
                yield "entry filled in part"
            case "conditional" if record["status"] == "REJECTED":
                yield f"{role} rejected at its trigger"
            case "conditional" if record["by"] == "fault" and held and role in _STOPS:
                yield f"{role} of a position taken away"
            case "conditional" if record["by"] == "fault" and not held and role == "stop":
                yield "armed stop taken away"
            case "refused":
                yield f"{role} refused with {record['code']}"


def _unknown(records: Sequence[Mapping[str, Any]], storm: Storm) -> Iterator[str]:
    """Requests whose outcome the engine did not hear: what had become of them."""
    accepted = {
        record["client_id"] for record in records if record["kind"] in {"order", "conditional"}
    }
    filled = {record["client_id"] for record in records if record["kind"] == "fill"}
    for fault, request in storm.befell:
        client_id, role = request.client_id, _role(request.client_id)
        if request.method == "DELETE":
            yield f"{fault}: cancel"
        elif client_id in filled:
            yield f"{fault}: {role} that executed"
        elif client_id in accepted:
            yield f"{fault}: {role} that was accepted"
        elif client_id is not None:
            yield f"{fault}: {role} that never was"


def _while_dead(
    world: World, records: Sequence[Mapping[str, Any]], mishaps: Mishaps
) -> Iterator[str]:
    spans = [(each.from_s, each.to_s - START_S) for each in mishaps.dead]
    for record in records:
        if record["kind"] == "fill":
            at_s = world.clock.seconds(record["t"])
            if any(begin <= at_s < end for begin, end in spans):
                yield f"{_role(record['client_id'])} executed while no engine ran"


def _in_the_database(world: World) -> Iterator[str]:
    for row in queries.trades(world.disk.database):
        yield "short trade" if row.trade.sign < 0 else "long trade"
        if row.trade.closing is not None:
            yield f"closed: {row.trade.closing}"
    for (role, rule), count in queries.order_causes(world.disk.database).items():
        yield from [f"{_ROLES[role]} for {rule}"] * count
    for rule, count in queries.event_causes(world.disk.database).items():
        yield from [f"told of {rule}"] * count
    for code, count in queries.refusal_counts(world.disk.database).items():
        yield from [f"decision refused: {code}"] * count
