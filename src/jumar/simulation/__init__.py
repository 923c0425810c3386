"""Virtual time: the whole engine against the simulated exchange in one process, from one seed.

    loop    ready callbacks in a seeded order, a clock that jumps, processes that can be killed
    clock   the engine's clock on it, with an offset and a drift
    line    the way of requests and events between an engine and the exchange, and what may happen on it
    venue   the exchange port in process: the adapter's requests, the exchange's own answers, no socket
    host    one engine, killed and started again; its disk outlives it
    world   one market, one exchange, one engine, one decision system
    demo    a world for `jumar demo --speed max`: prices of any length, audited while it runs

Begin with `world.py`. A composition root beside `bootstrap`: it may name every concrete part.
"""
