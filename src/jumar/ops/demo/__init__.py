"""The demo: an exchange, a decision writer and the engine as three processes, watched and judged.

    orchestrate ─► children ─► exchange serve · writer · run --config
         │
         ├► watch   what the exchange and the journal say while it runs
         ├► view    the live picture of it
         └► result  the verdict as one value

Promises that every process it starts is ended by its own id, whatever happens. The verdict is the exchange's, not
the engine's. Begin with `orchestrate.py`.
"""
