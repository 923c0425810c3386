"""The demo: an exchange, a decision writer and the engine as three processes, watched and judged.

    orchestrate ─► children ─► leash ─► exchange serve · writer · run --config
         │
         ├► watch     what the exchange and the journal say while it runs
         ├► restarts  when the engine is killed and started again
         ├► view      the live picture of it
         └► result    the verdicts as one value

Promises that every process it starts is ended by its own id, whatever happens. The verdict is the exchange's and the
audit's, never the engine's. Begin with `orchestrate.py`.
"""
