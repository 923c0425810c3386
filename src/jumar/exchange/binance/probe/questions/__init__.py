"""The questions, grouped by what they are about; each function asks one and returns what it found.

Every one of them begins flat, without orders, and may end anywhere: what it did is taken back by whoever asked it.
"""
