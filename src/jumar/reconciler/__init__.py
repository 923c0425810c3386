"""Act. The imperative shell around the planner; the only asyncio of the core.

`supervise.py` starts one loop per symbol, `loop.py` is one pass (observe, plan, check, execute, report),
`observe.py` reads what is due, `state.py` remembers what was seen, `execute.py` is the only place from which
orders leave.
"""
