"""A failing plan made small: kinds of faults are taken away one by one as long as the run still fails."""

from collections.abc import Callable

from jumar.simulation.faults import FaultPlan


def shrunk(plan: FaultPlan, fails: Callable[[FaultPlan], bool]) -> FaultPlan:
    """Return a plan of the same seed that still fails and does not without any one of its kinds.

    Args:
        plan: one that fails.
        fails: lives a plan; says whether that fails.
    """
    smaller = plan
    again = True
    while again:
        again = False
        for fault in tuple(smaller.strengths):
            candidate = smaller.without(fault)
            if fails(candidate):
                smaller, again = candidate, True
    return smaller
