"""G-12: the modes that hold entries back (M-1, M-3), and why, in words that say what ends them."""

from collections.abc import Iterator

from jumar.model.command import Refusal
from jumar.model.mode import ModeState
from jumar.model.world import World
from jumar.planner import ladder
from jumar.planner.approve import refuse
from jumar.planner.modes import in_force, passing


def mode_refusals(world: World) -> Iterator[Refusal]:
    """Refuse while any mode but NORMAL holds, once for each cause."""
    if world.draining:
        yield refuse("mode", "G-12", "the engine is being stopped")
    lasting = {state.code for state in passing(world)}
    for state in in_force(world):
        name = state.mode.value
        if state.code in lasting:
            yield refuse(_code(state), state.rule, f"{name}: {state.cause}")
        else:
            words = f"{name} since {state.rule}: {state.cause}; `jumar resume` ends it once you have looked"
            yield refuse(_code(state), "M-1", words)


def _code(state: ModeState) -> str:
    """What an operator asked for and what another writer forbids have names of their own."""
    if state.code in ladder.PAUSES:
        return "paused"
    return "not_writer" if state.code == "not_writer" else "mode"
