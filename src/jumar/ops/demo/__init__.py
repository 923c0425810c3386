"""The demo: an exchange, a decision writer and the engine, watched and judged.

As three processes, on real sockets and in real time:

    orchestrate ─► children ─► leash ─► exchange serve · writer_process · run --config
         │
         ├► watch     what the exchange and the journal say while it runs
         ├► restarts  when the engine is killed and started again
         ├► view      the live picture of it
         └► result    the verdicts as one value

At `--speed max` in this one process, in virtual time:

    virtual ─► the simulation (exchange and engine) · writer
         └► progress  how far it is; watch, restarts and result are the same

`options.py` is what is asked, `config.py` what the engine is told, `writer.py` and `strategy.py` the decision system.
Promises that every process it starts is ended by its own id, whatever happens. The verdict is the exchange's and the
audit's, never the engine's. Begin with `orchestrate.py`.
"""
