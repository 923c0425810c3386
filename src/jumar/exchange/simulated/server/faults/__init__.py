"""Faults on order: what the simulated exchange does wrong when it is told to.

    kinds ─► rule ─► register (dice, counts, ledger) ─► requests  what befalls a request and its answer
      subject (what is struck) ┘                     ├► views     lists and positions that do not tell the truth
                                                     ├► events    what befalls the streams
                                                     └► moments   people, prices, symbols (`market.py` moves prices)

`faults.py` puts them together, `control.py` is their face on the control surface. Promises that each rule has dice of
its own, so that the same rules and the same requests give the same faults; that every fault leaves a record in the
ledger; that a request costs nothing while no rule waits for one. It never decides what is true: the core does.
"""
