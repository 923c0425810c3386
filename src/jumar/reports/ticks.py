"""The tick record's form: lines of JSON from which a tick can be planned again, and back (H-4).

Promises that a world reads back exactly as it was written, and that equal plans are equal bytes: money is its own
text, fields stand in one order, every command carries its kind. Pure but for `read`; knows nothing of when a tick
is worth a line. What the lines mean is in docs/reference/audit.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from jumar.model.command import (
    AmendOrder,
    CancelOrder,
    Command,
    PlaceOrder,
    Plan,
    SetCountdown,
    SetLeverage,
    SetMarginMode,
)
from jumar.model.errors import JumarError
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.world import World

_KINDS: dict[type[Any], str] = {
    PlaceOrder: "place",
    AmendOrder: "amend",
    CancelOrder: "cancel",
    SetMarginMode: "set_margin_mode",
    SetLeverage: "set_leverage",
    SetCountdown: "set_countdown",
}


class TickRecordError(JumarError):
    """A line of the tick record cannot be understood; the message names the file and the line."""


class StartLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="start"):
    """Stands first in every file and at every start of the engine.

    Attributes:
        continued: the file goes on where the one before it was full; false when an engine has started.
        file: counts the files of a record from 1; a record whose first file is a later one lost its beginning.
        policies: the limits of each symbol, with which its ticks were planned.
        at_ms: exchange time of the tick that follows.
    """

    version: str
    account: str
    continued: bool
    file: int
    policies: dict[str, Policy]
    at_ms: int


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is read back of a plan; its commands stay the bytes that were written."""

    trade: Trade | None
    commands: msgspec.Raw


class TickLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tick"):
    """One tick: what was observed and what was planned from it.

    Attributes:
        tick: counts per symbol and start of the engine from 1.
        duration_ms: how long the whole tick took, its reads and what it sent included.
    """

    symbol: str
    tick: int
    now_ms: int
    duration_ms: int
    world: msgspec.Raw
    plan: PlanLine


type Line = StartLine | TickLine

# Deterministic: a set is written in order, so that the same world is the same bytes in every process.
_encode = msgspec.json.Encoder(decimal_format="string", order="deterministic").encode
_lines = msgspec.json.Decoder(StartLine | TickLine)
_worlds = msgspec.json.Decoder(World)
_commands = msgspec.json.Decoder(list[dict[str, Any]])


def encode_world(world: World) -> bytes:
    """Return a world as JSON; `decode_world` gives back an equal one."""
    return _encode(world)


def decode_world(raw: bytes | msgspec.Raw) -> World:
    """Return the world that was recorded.

    Raises:
        TickRecordError: it has not the form of this version's worlds.
    """
    try:
        return _worlds.decode(raw)
    except msgspec.MsgspecError as error:
        raise TickRecordError(f"a recorded world cannot be read: {error}") from error


def encode_commands(plan: Plan) -> bytes:
    """Return the commands of a plan as JSON, each an object of one key, its kind: the bytes that P-9 compares."""
    return _encode([_tagged(approved.command) for approved in plan.commands])


def encode_plan(plan: Plan) -> bytes:
    """Return a whole plan as JSON."""
    values = {field.name: getattr(plan, field.name) for field in fields(plan)}
    return _encode({**values, "commands": msgspec.Raw(encode_commands(plan))})


def _tagged(command: Command) -> dict[str, Command]:
    return {_KINDS[type(command)]: command}


def placements(raw: bytes | msgspec.Raw) -> Iterator[Mapping[str, Any]]:
    """The `PlaceOrder` commands among recorded ones, as plain values."""
    return _of_kind(raw, _KINDS[PlaceOrder])


def amendments(raw: bytes | msgspec.Raw) -> Iterator[Mapping[str, Any]]:
    """The `AmendOrder` commands among recorded ones, as plain values."""
    return _of_kind(raw, _KINDS[AmendOrder])


def _of_kind(raw: bytes | msgspec.Raw, kind: str) -> Iterator[Mapping[str, Any]]:
    for tagged in _commands.decode(raw):
        if kind in tagged:
            yield tagged[kind]


def encode_start(
    *,
    version: str,
    account: str,
    policies: Mapping[str, Policy],
    at_ms: int,
    file: int,
    continued: bool,
) -> bytes:
    """Return a start line, without its line end."""
    return _encode(
        StartLine(
            version=version,
            account=account,
            continued=continued,
            file=file,
            policies=dict(policies),
            at_ms=at_ms,
        )
    )


def encode_tick(*, tick: int, duration_ms: int, world: World, plan: Plan) -> bytes:
    """Return a tick line, without its line end."""
    return _encode(
        {
            "kind": "tick",
            "symbol": world.symbol,
            "tick": tick,
            "now_ms": world.now_ms,
            "duration_ms": duration_ms,
            "world": msgspec.Raw(encode_world(world)),
            "plan": msgspec.Raw(encode_plan(plan)),
        }
    )


def record_file(database: Path) -> Path:
    """Return the file of a database's tick record that is being written."""
    return database.with_name(f"{database.name}.ticks.jsonl")


def older_file(database: Path, number: int) -> Path:
    """Return the name that file `number` of the record has when it is full."""
    return database.with_name(f"{database.name}.ticks.{number}.jsonl")


def older_files(database: Path) -> Mapping[int, Path]:
    """The full files of a record that are still kept, by number, oldest first."""
    prefix, suffix = f"{database.name}.ticks.", ".jsonl"
    found = {}
    for path in database.parent.glob(f"{prefix}*{suffix}"):
        number = path.name.removeprefix(prefix).removesuffix(suffix)
        if number.isdecimal():
            found[int(number)] = path
    return dict(sorted(found.items()))


def record_files(database: Path) -> tuple[Path, ...]:
    """Every file of a database's tick record, in the order in which they were written."""
    newest = record_file(database)
    return (*older_files(database).values(), *((newest,) if newest.exists() else ()))


def read(files: Sequence[Path]) -> Iterator[Line]:
    """The lines of a record. A line that is no JSON was torn by a full disk or a lost machine and is left out.

    Raises:
        TickRecordError: a file cannot be opened, or a whole line has not the form of this version.
    """
    for path in files:
        try:
            with path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    line = _line(raw, path, number)
                    if line is not None:
                        yield line
        except OSError as error:
            raise TickRecordError(f"{path}: {error.strerror or error}") from error


def _line(raw: bytes, path: Path, number: int) -> Line | None:
    try:
        line: Line = _lines.decode(raw)
    except msgspec.ValidationError as error:
        raise TickRecordError(f"{path}, line {number}: {error}") from error
    except msgspec.DecodeError:
        return None
    return line
