"""The simulated exchange without sockets, clock or dice: orders, conditional orders, one account, the ledger.

Every entry point takes `now_ms`, milliseconds of exchange time. Begin with `exchange.py`.
"""
