"""Nouns. Frozen values from the standard library only: no I/O, no clock, no opinion on what to do.

Money is `Decimal`, time is integer milliseconds of exchange time. Begin with `world.py` (what was observed)
and `command.py` (what may be sent).
"""
