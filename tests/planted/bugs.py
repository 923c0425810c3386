"""The list of planted bugs: what each mistake is, and whether the swarm is expected to notice it.

A bug is a patch beside this file, named like it, for the engine's own sources; the patch begins with the mistake in
the words of whoever would make it. `seeds.json` holds a seed that convicts each due one: it changes its meaning
whenever the swarm changes, and `make planted ARGS="--keep"` finds new ones.
"""

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEEDS = HERE / "seeds.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One planted bug.

    Attributes:
        name: of its patch.
        mistake: in one line.
        undue: why no judge of the swarm notices it yet; None where one must.
    """

    name: str
    mistake: str
    undue: str | None = None

    @property
    def patch(self) -> Path:
        """The change that plants it."""
        return HERE / f"{self.name}.patch"


_NO_JUDGE = "no judge of the swarm looks at it: "

BUGS = (
    Bug(name="cancel-then-place", mistake="cancel-then-place when moving a stop"),
    Bug(name="new-id-after-unknown", mistake="resend with a new id after an unknown outcome"),
    Bug(name="same-id-after-fill", mistake="resend with the same id after the fill"),
    Bug(name="one-list", mistake="asking only the regular order list"),
    Bug(name="one-list-believed", mistake="asking only the regular order list, and believing it"),
    Bug(name="first-not-found", mistake='believing the first "not found"'),
    Bug(name="journal-after-send", mistake="journal after send"),
    Bug(
        name="stop-of-filled-size",
        mistake="armed stop sized from what has filled instead of from the plan",
    ),
    Bug(
        name="entry-after-stop",
        mistake="entry remainder left after the stop triggered",
        undue=f"{_NO_JUDGE}that an entry ends with its first exit (S-9)",
    ),
    Bug(
        name="tp1-again",
        mistake="TP1 re-added after it filled",
        undue=f"{_NO_JUDGE}how much TP1 sold of a trade (T-3)",
    ),
    Bug(
        name="breakeven-without-side",
        mistake="breakeven computed without the side",
        undue=f"{_NO_JUDGE}where the stop rests after TP1 (T-3)",
    ),
    Bug(
        name="rounded-looser",
        mistake="rounding a later stop looser",
        undue=f"{_NO_JUDGE}the last tick of a stop that moved (S-10)",
    ),
    Bug(
        name="stale-enters",
        mistake="stale decision still entering",
        undue="no decision of the swarm is older than ten minutes",
    ),
    Bug(
        name="ratchet-forgotten",
        mistake="ratchet not persisted over a restart",
        undue="stops move once in a trade: a lost ratchet price is the initial one nearly always",
    ),
    Bug(
        name="fills-twice",
        mistake="fills counted twice when stream and REST both deliver them",
        undue=f"{_NO_JUDGE}that targets are not larger than the position (T-2)",
    ),
    Bug(
        name="stop-on-last",
        mistake="stop on last price instead of mark price",
        undue=f"{_NO_JUDGE}which price a stop watches (S-11)",
    ),
    Bug(name="one-flat-read", mistake="sweep on one flat read"),
    Bug(
        name="close-on-refused-move",
        mistake="closing on a refused stop move",
        undue=f"{_NO_JUDGE}whether a stop rested when a position was closed (S-6)",
    ),
    Bug(
        name="entry-after-tp1",
        mistake="entry remainder alive after TP1",
        undue=f"{_NO_JUDGE}that an entry ends with its first exit (S-9)",
    ),
    Bug(
        name="older-decision",
        mistake="re-entry by an older decision",
        undue="no file of the swarm is older than the one before it",
    ),
    Bug(name="cancel-before-close", mistake="cancel before close"),
    Bug(name="sweep-by-list", mistake="sweep by list instead of by id"),
)


def known_seeds() -> dict[str, int]:
    """A seed that convicts each bug, by its name."""
    return dict(json.loads(SEEDS.read_text(encoding="utf-8")))


def keep(found: dict[str, int]) -> None:
    """Write down seeds that convict; those of other bugs stay."""
    seeds = known_seeds() | found
    text = json.dumps({bug.name: seeds[bug.name] for bug in BUGS if bug.name in seeds}, indent=4)
    SEEDS.write_text(f"{text}\n", encoding="utf-8")
