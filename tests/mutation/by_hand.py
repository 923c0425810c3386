"""Conditions of the planner's rules that its sources do not tell: where a rule computes instead of naming itself.

`BY_HAND` lists them, `NO_CONDITION` the rules that have none in the planner, `EQUIVALENT` the conditions that are not turned
round, each with the reason. An entry that fits nothing any more is an error.
"""

from collections.abc import Mapping

from tests.mutation.branches import ByHand

#: By rule: module in `jumar.planner`, function, and the condition as `ast.unparse` writes it.
_BY_HAND: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "D-4": (("band", "round_levels", "side is Side.BUY"),),
    "D-9": (
        ("check", "with_prices", "bid is None and ask is None"),
        ("check", "check", "state is None or instrument is None"),
        ("check", "check", "levels is None or side is None"),
        ("check", "_order_report", "band is None or trade is None"),
    ),
    "D-10": (
        (
            "binding",
            "fresh_levels",
            "levels is None or now_ms - levels.as_of_ms > policy.levels_max_age_s * 1000",
        ),
    ),
    "E-10": (
        ("entry", "entry_commands", "resting"),
        ("chase", "joining_price", "each.state not in WITHOUT_EFFECT"),
        ("chase", "joining_price", "band.low <= worst(each, touch) <= band.high"),
    ),
    "G-2": (
        ("guards.decision", "risk_checks", "decision.risk_checks is None"),
        ("guards.decision", "risk_checks", "not passed"),
        ("guards.decision", "risk_checks", "failed"),
    ),
    "G-3": (
        ("band", "_band", "low <= high"),
        ("band", "_band", "distance_empties and (not reward_empties)"),
        ("entry", "propose", "isinstance(band, EmptyBand)"),
    ),
    "L-3": (
        ("binding", "bind", "named is None or decision.side is None"),
        ("binding", "bind", "fresh is None or found is None"),
        ("binding", "moved", "found is None or levels is None or (not found.explicit)"),
        ("binding", "moved", "goal == zone"),
        ("binding", "handed_over", "zone == old"),
        ("binding", "_of_newer", "zone is None"),
    ),
    "M-1": (
        ("ladder", "stricter", "found.mode.strictness > held.strictness"),
        ("ladder", "may_place", "mode is Mode.NORMAL"),
        ("ladder", "may_place", "mode is Mode.NO_ENTRIES"),
    ),
    "M-2": (
        ("modes", "mode_of", "code is not None"),
        ("modes", "_of_close", "flat_ms is None"),
    ),
    "M-3": (
        ("modes", "_senses", "silent_ms > UNREACHABLE_MS"),
        ("modes", "_senses", "health.unanswered_ms is not None and (not health.hears)"),
        ("modes", "_senses", "health.clock_off_ms > CLOCK_OFF_MS"),
        ("modes", "_outcomes", "now - at_ms < UNKNOWN_WITHIN_MS"),
        ("modes", "_outcomes", "len(lately) >= UNKNOWN_MAX"),
        ("modes", "_outcomes", "order.unresolved and waited_ms > UNRESOLVED_MS"),
        ("guards.mode", "mode_refusals", "state.code in lasting"),
    ),
    "M-6": (
        (
            "flattening",
            "asked_to_flatten",
            "kept is not None and kept.mode is Mode.FLATTENING and (kept.code == 'flatten')",
        ),
        ("flattening", "why_flatten", "asked is not None"),
        ("lifecycle", "_entry_over", "(asked := asked_to_flatten(world)) is not None"),
        ("protector", "protect", "asked"),
    ),
    "O-4": (
        ("protector", "protect", "trade is None"),
        ("protector", "protect", "failed is not None and trade.closing is None"),
        ("protector", "protect", "failed is not None and _may_send(world, Role.FULL_EXIT)"),
        (
            "protector",
            "protect",
            "failed is None and held > ZERO and (not cover) and _may_send(world, Role.STOP)",
        ),
        (
            "protector",
            "_entry_cancels",
            "world.now_ms - (order.cancel_sent_ms or 0) >= AGAIN_MS",
        ),
        (
            "protector",
            "_entry_cancels",
            "order.role is Role.ENTRY",
        ),
    ),
    "R-1": (
        ("trailing", "is_trailing", "not _may_trail(trade)"),
        ("trailing", "is_trailing", "facts.tp1_hit"),
        (
            "trailing",
            "is_trailing",
            "policy.trail_activate_r <= ZERO or best is None or average is None",
        ),
        (
            "trailing",
            "is_trailing",
            "(best - average) * trade.sign >= policy.trail_activate_r * risk",
        ),
        (
            "trailing",
            "_may_trail",
            "trade.decision.enable_trailing and trade.decision.trail_mode is not TrailMode.NONE",
        ),
    ),
    "R-4": (
        ("moves", "nearest_to_mark", "world.mark is None"),
        ("moves", "best_move", "nearest is None or instrument is None"),
        ("moves", "best_move", "trade.is_tighter(move.price, than=floor)"),
        ("moves", "best_move", "best is None"),
    ),
    "S-3": (
        ("approve", "_check_place", "trade.is_tighter(floor, than=request.trigger_price)"),
        ("lifecycle", "_ratchet", "order.acked_ms is not None and order.echo_error is None"),
        ("moves", "best_move", "trade.is_tighter(move.price, than=floor)"),
    ),
    "S-5": (
        ("moves", "best_move", "not _waits(world, move) or _is_large(world, move, floor, policy)"),
        ("moves", "_waits", "move.throttled or (move.cut and has_moved(world, move.cause.rule))"),
        ("moves", "_is_large", "since_journaled(world, order) >= interval_ms"),
        (
            "moves",
            "_is_large",
            "abs(move.price - floor) >= floor * policy.stop_step_pct * PERCENT",
        ),
    ),
    "S-10": (
        ("band", "round_levels", "side is Side.BUY"),
        ("moves", "_rounded", "trade.sign > 0"),
        ("moves", "_rounded", "trade.is_tighter(rounded, than=nearest)"),
    ),
    "S-11": (("lifecycle", "_ratchet", "order.echo_error is None"),),
    "S-13": (("modes", "_orders", "order.role in STOP_ROLES and order.invisible"),),
    "T-4": (
        ("failure", "with_bare_time", "world.bare_ms is None"),
        ("summary", "summarize", "quantity == ZERO"),
        ("sweep", "awaits_fills", "trade.proven_flat_ms is None or trade.adopted"),
        ("sweep", "awaits_fills", "told and (world.funding is not None or _is_held(world))"),
        ("sweep", "awaits_fills", "world.now_ms - trade.proven_flat_ms < FILLS_WAIT_MS"),
        ("plan", "_sweep", "is_swept(world) and awaits_fills(world, step.trade)"),
    ),
    "V-3": (
        ("backstop", "backstop_commands", "beside or policy.backstop is BackstopKind.QUANTITY"),
    ),
    "V-4": (
        ("backstop", "backstop_commands", "beside or policy.backstop is BackstopKind.QUANTITY"),
    ),
    "V-6": (
        (
            "dead_man",
            "dead_man_commands",
            "world.no_dead_man is not None or policy.dead_man_s == 0",
        ),
    ),
    "W-3": (
        ("adopt", "adoption", "world.instrument is None"),
        ("slots", "on_step", "world.instrument is None"),
        (
            "band",
            "is_worth_it",
            "risk >= price * policy.min_stop_pct * PERCENT and reward >= policy.min_rr * risk",
        ),
    ),
    "W-5": (("guards.portfolio", "_conditional", "left < CONDITIONAL_ORDERS_OF_A_TRADE"),),
    "X-1": (
        (
            "invariants",
            "_ids_are_new",
            "client_id in known or planned.count(client_id) > 1",
        ),
    ),
    "X-7": (
        ("adopt", "latecomers", "not trade.adopted"),
        ("adopt", "latecomers", "found.report.client_id not in known"),
        ("adopt", "_ours", "lost or report.client_id in strays"),
        ("modes", "_senses", "health.not_writer is not None"),
        ("modes", "_senses", "health.lease_wait_ms > 0"),
        ("plan", "_plan", "late"),
    ),
    "X-8": (("modes", "_orders", "storm is not None"),),
    "X-9": (
        ("plan", "_with_trade", "is_over(world, trade, facts)"),
        ("slots", "may_cancel", "order.ended"),
        ("sweep", "sweep_commands", "may_cancel(world, order)"),
    ),
    "Y-1": (
        ("lifecycle", "_held_against", "held is not None and against"),
        ("modes", "_foreign", "trade.adopted_quantity > ZERO and (not ours)"),
    ),
    "Y-3": (
        ("modes", "_foreign", "(forced := forced_by(world)) is not None"),
        ("modes", "_foreign", "facts.foreign_size > ZERO"),
        ("modes", "_foreign", "facts.flat and facts.oversold > ZERO"),
    ),
    "Y-6": (
        (
            "sweep",
            "stray_commands",
            "may_cancel(world, order) and (covered or order.role not in STOP_ROLES)",
        ),
    ),
    "Y-7": (
        ("foreign", "foreign_orders", "parse_client_id(report.client_id) is None"),
        (
            "foreign",
            "foreign_cancels",
            "policy.foreign_orders is not ForeignOrders.CANCEL",
        ),
        (
            "foreign",
            "foreign_cancels",
            "flat or not (report.reduce_only or report.close_position)",
        ),
        ("modes", "_orders", "strange"),
    ),
    "H-6": (("summary", "_stop_moves", "order.acked_ms is not None"),),
    "P-6": (
        ("approve", "_check_zone_exit", "trade.zone is None or not trade.zone.used"),
        ("sweep", "settle_commands", "order.unresolved"),
    ),
    "P-8": (
        ("plan", "_with_trade", "is_over(world, trade, facts)"),
        ("sweep", "sweep_commands", "may_cancel(world, order)"),
    ),
    "W-2": (("modes", "_senses", "health.clock_off_ms > CLOCK_OFF_MS"),),
    "X-3": (("sweep", "dead_after_ms", "order.timestamp_ms is not None"),),
    "X-6": (
        ("facts", "filled_by", "fill.client_id == name"),
        ("facts", "_fills_pending", "order.filled_quantity > filled_by(world, order)"),
    ),
    "Y-2": (("facts", "_vanished", "read.at_ms - first_ms >= TWO_READS_MS and asked >= first_ms"),),
    "Y-4": (
        ("stop", "stop_commands", "_fits(order, wanted, trade)"),
        ("stop", "stop_commands", "confirmed"),
        ("stop", "_fits", "not trade.is_tighter(wanted.trigger, than=trigger)"),
        ("stop", "_fits", "(order.request.quantity or ZERO) >= wanted.quantity"),
        ("stop", "_tidy", "order is not keep"),
    ),
    "Y-5": (
        (
            "targets",
            "target_commands",
            "not facts.seems_gone and resting + target.quantity <= facts.own_remaining",
        ),
        ("targets", "wanted_targets", "facts.tp1_hit"),
        ("targets", "_place", "target.role is Role.TP1 and facts.tp1_hit"),
    ),
    "Y-8": (
        ("sweep", "settle_commands", "order.unresolved"),
        ("sweep", "settle_commands", "world.now_ms > dead_after_ms(order, policy)"),
    ),
    "Y-11": (
        ("facts", "_flat", "_an_event_says_held(world, trade, policy)"),
        ("facts", "_flat", "by_fills <= ZERO and last_fill_ms is not None"),
    ),
    "Y-12": (("lifecycle", "_spent", "own and state is not None"),),
}
BY_HAND = tuple(
    ByHand(rule=rule, module=f"jumar.planner.{module}", function=function, text=text)
    for rule, rows in _BY_HAND.items()
    for module, function, text in rows
)

#: Due rules of the planner that hang on no condition there, each with the reason.
NO_CONDITION: Mapping[str, str] = {
    "M-4": "the planner only obeys the mode: what brings it about is seen by whoever writes, plans and hears the exchange",
    "W-1": "what a stream tells and what a read tells meet in the world: the planner sees no difference but age",
    "W-4": "lanes and counts are the adapter's; the planner hears of them as refusals and as G-14's budget",
    "X-5": "an order without an outcome leaves no entry slot free, and the guards call it truth_incomplete (G-13)",
    "P-9": "every command, refusal and note is made with its cause, whatever the condition that leads to it",
}

#: A condition that is not turned round for a rule: the rule, its place, and the condition itself.
type Key = tuple[str, str, str]

#: What changes nothing that anybody could see when it is turned round.
EQUIVALENT: Mapping[Key, str] = {}
