"""Jumar: a safety-first execution engine for Binance USDⓈ-M futures.

The flow in ten lines:

    decision.json -> decisions -> World -> planner.plan(world, policy) -> Plan      (pure)
                                    ^                                      |
                 events, REST truth |                                      v
                 exchange <- send <- journal <- reconciler.execute <- Approved commands

`planner/plan.py` says what should rest on the exchange now, `reconciler/loop.py` when it is asked,
`reconciler/execute.py` how a command leaves. `bootstrap` is the only place that names concrete things.
"""

__version__ = "0.1.0"
