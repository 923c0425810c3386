"""What should rest on the exchange now, on one page.

    no trade     what must be adopted? -> guards -> band and quantity -> set-up -> open the trade: arm its stop
    a trade      facts -> durable changes -> protect, enter, exit -> sweep when it is over

Level-triggered: every call reads the whole world and says what should be true; it does not matter which event
woke it, or whether one was lost.
"""

from collections.abc import Iterable
from dataclasses import replace

from jumar.model.command import Alarm, Cause, Command, Plan, Refusal
from jumar.model.decision import Action
from jumar.model.order import OwnOrder
from jumar.model.policy import Policy
from jumar.model.trade import Trade
from jumar.model.world import World
from jumar.planner import guards
from jumar.planner.adopt import Adoption, adoption, latecomers, with_latecomers
from jumar.planner.approve import approve
from jumar.planner.backstop import backstop_commands, backstop_wait_ms
from jumar.planner.dead_man import dead_man_commands
from jumar.planner.emergency import EXIT_REPEAT_MS, exit_alarms, exit_commands, exit_wait_ms
from jumar.planner.entry import entry_commands, propose, setup_commands
from jumar.planner.facts import Facts, assess
from jumar.planner.failure import alarms, is_uncovered, with_bare_time
from jumar.planner.foreign import foreign_cancels
from jumar.planner.ladder import permitted, strictest
from jumar.planner.lifecycle import Advance, advance
from jumar.planner.modes import in_force, mode_of, passing, resting_mode
from jumar.planner.position import is_read_as_flat
from jumar.planner.sequence import in_sequence
from jumar.planner.stop import RESTORE_RETRY_MS, echo_cancels, refused_wait_ms, stop_commands
from jumar.planner.storm import calmed
from jumar.planner.sweep import (
    awaits_fills,
    is_over,
    is_swept,
    settle_commands,
    stray_commands,
    sweep_commands,
)
from jumar.planner.targets import target_commands
from jumar.planner.zone_exit import zone_exit


def plan(world: World, policy: Policy) -> Plan:
    """Return what this tick wants: the trade as it must be recorded, and the commands to send.

    Raises:
        InvariantBroken: a step planned something that contradicts a promise; nothing may be sent.
    """
    planned = _plan(world, policy)
    commands = (*planned.commands, *approve(dead_man_commands(world, policy), world, None))
    return replace(planned, commands=commands, passing=passing(world))


def _plan(world: World, policy: Policy) -> Plan:
    if world.trade is None:
        return _without_trade(world, policy)
    late = latecomers(world, world.trade)
    if late:
        return _take_in(world, world.trade, late, policy)
    return _with_trade(world, world.trade, policy)


def _without_trade(world: World, policy: Policy) -> Plan:
    """Adopt what nobody's trade explains (Y-1); else sweep strays and see whether the decision may enter."""
    found = adoption(world, policy)
    if found is not None:
        return _adopt(world, found, policy)
    wanted = _wanted(world, policy)
    flat = is_read_as_flat(world, policy)
    strays = (*stray_commands(world, covered=flat), *foreign_cancels(world, policy))
    commands = (*approve(strays, world, None), *wanted.commands)
    return replace(wanted, commands=commands, mode=wanted.mode or resting_mode(world, policy))


def _adopt(world: World, found: Adoption, policy: Policy) -> Plan:
    """Make a trade of it and protect it in the same tick."""
    taken = {order.client_id for order in found.orders}
    left = tuple(order for order in world.strays if order.client_id not in taken)
    world = replace(world, trade=found.trade, orders=found.orders, fills=(), strays=left)
    adopted = _with_trade(world, found.trade, policy)
    alarm = Alarm(rule=found.note.rule, subject=found.trade.key, text=found.note.text)
    return replace(
        adopted,
        adopted=found.orders,
        notes=(found.note, *adopted.notes),
        alarms=(alarm, *adopted.alarms),
    )


def _take_in(world: World, trade: Trade, late: tuple[OwnOrder, ...], policy: Policy) -> Plan:
    """An adopted trade takes in orders of ours that were listed only later (X-7)."""
    trade = with_latecomers(trade, late)
    world = replace(world, trade=trade, orders=(*world.orders, *late))
    planned = _with_trade(world, trade, policy)
    found = tuple(Cause(rule="X-7", text=f"{order.client_id} was found alive") for order in late)
    return replace(planned, adopted=late, notes=(*found, *planned.notes))


def _wanted(world: World, policy: Policy) -> Plan:
    """Open a trade when the decision wants one and every guard holds (sections 1 to 3)."""
    if world.decision is None or world.decision.decision.action is Action.FLAT:
        return Plan()
    standing = guards.standing_refusals(world, policy)
    if standing:
        return Plan(refusals=standing)
    proposal = propose(world, policy)
    refusals = (*proposal.refusals, *guards.market_refusals(world, policy, None))
    wanted = all(refusal.code in guards.TRUTH_CODES for refusal in refusals)
    if refusals or proposal.trade is None:
        told = refusals if wanted else guards.without_slow_reads(refusals)
        return Plan(refusals=told, entry_wanted=wanted)
    setup = setup_commands(world, policy, proposal.leverage)
    if setup is None or setup:
        return Plan(commands=approve(setup or (), world, None), entry_wanted=True)
    return _open(world, proposal.trade, policy, proposal.notes)


def _open(world: World, trade: Trade, policy: Policy, notes: tuple[Cause, ...]) -> Plan:
    """Arm the new trade; attempts of an earlier, unfilled set-up of the same decision keep their numbers."""
    own = tuple(order for order in world.orders if order.trade_key == trade.key)
    armed = _with_trade(replace(world, trade=trade, orders=own), trade, policy)
    return replace(armed, notes=(*notes, *armed.notes))


def _with_trade(world: World, trade: Trade, policy: Policy) -> Plan:
    """Protect it, let its entry rest while it may, exit, and sweep when it is over (sections 3 to 8)."""
    trade = with_bare_time(world, trade)
    facts = assess(world, trade, policy)
    step = advance(world, trade, facts, policy)
    trade = step.trade
    mode = mode_of(world, trade, facts)
    if is_over(world, trade, facts):
        return replace(_sweep(world, step), mode=mode)
    uncovered = is_uncovered(world, trade, facts)
    # what stops entries from this tick on stops the one that rests in this tick, too
    now = world if mode is None else replace(world, mode=mode)
    force = strictest(in_force(now))
    zone = zone_exit(world, trade, facts, policy, force)
    trade = zone.trade
    refusals = _refusals_of_the_entry(now, trade, policy)
    commands: list[Command] = [
        *stop_commands(world, trade, facts, policy),
        *backstop_commands(world, trade, facts, policy),
        *exit_commands(world, trade, facts, policy),
        *zone.commands,
        *target_commands(world, trade, facts, policy),
        *entry_commands(world, trade, facts, policy, refusals),
        *echo_cancels(world, trade, facts),
        *settle_commands(world, trade, facts, policy),
        *stray_commands(world, covered=not uncovered),
        *foreign_cancels(world, policy),
    ]
    calm = calmed(world, permitted(force, commands, trade))
    return Plan(
        trade=trade,
        commands=approve(in_sequence(_once(calm.commands)), world, trade),
        refusals=(*refusals, *step.refusals),
        entry_wanted=trade.entry_over is None or facts.entry_alive,
        notes=(*step.notes, *zone.notes),
        wake_in_ms=_wake_in_ms(world, trade, facts, uncovered=uncovered),
        alarms=(
            *alarms(world, trade, facts, uncovered=uncovered),
            *exit_alarms(world, trade),
            *calm.alarms,
        ),
        mode=mode,
        uncovered=uncovered,
    )


def _refusals_of_the_entry(world: World, trade: Trade, policy: Policy) -> tuple[Refusal, ...]:
    """Why a resting entry may not stay; without one that could be placed again there is nothing to refuse."""
    if trade.entry_over is not None:
        return ()
    standing = guards.standing_refusals(world, policy)
    return standing or guards.market_refusals(world, policy, trade)


def _sweep(world: World, step: Advance) -> Plan:
    """Cancel by id what is left; the trade ends when the end of every order is proven (X-9)."""
    if is_swept(world) and awaits_fills(world, step.trade):
        return Plan(trade=step.trade, refusals=step.refusals, notes=step.notes)
    if is_swept(world):
        ended = replace(step.trade, ended_ms=world.now_ms)
        return Plan(trade=ended, refusals=step.refusals, notes=step.notes)
    commands = approve(in_sequence(sweep_commands(world)), world, step.trade)
    return Plan(trade=step.trade, commands=commands, refusals=step.refusals, notes=step.notes)


def _once(commands: Iterable[Command]) -> list[Command]:
    """Two steps may want the same cancel; it is sent once, with the first cause."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for command in commands:
        name = (type(command).__name__, getattr(command, "client_id", repr(command)))
        if name not in seen:
            seen.add(name)
            kept.append(command)
    return kept


def _wake_in_ms(world: World, trade: Trade, facts: Facts, *, uncovered: bool) -> int | None:
    """Plan again sooner than the loop's interval while a stop or an exit waits for its next try."""
    if trade.closing is not None and not facts.flat:
        return exit_wait_ms(world) or EXIT_REPEAT_MS
    if not facts.had_fill or facts.cover_size <= 0:
        return None
    waits = [backstop_wait_ms(world), refused_wait_ms(world, trade, facts)]
    if uncovered:
        waits.append(RESTORE_RETRY_MS)
    return min((wait for wait in waits if wait > 0), default=None)
