"""Reports: who is told what the engine does. One small file for each kind of listener.

Promises that a report neither blocks nor breaks a tick, and that no secret passes. Does not decide anything.
"""
