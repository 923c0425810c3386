"""The simulated exchange on real sockets: REST, WebSocket API, streams and the control surface.

Begin with `run.py`. Decisions are taken in `core/`; here are credentials, connections, the pace and the clock.
"""
