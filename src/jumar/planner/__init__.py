"""Decide. Pure: `plan(world, policy) -> Plan`; no clock, no dice, no I/O, no memory between calls.

Promises: the same world gives the same plan, byte for byte; what protects comes before what cancels, what
reduces before what adds. Does not know how a command is sent or what became of the last one beyond what the
world says. Begin with `plan.py`.
"""
