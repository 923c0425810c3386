"""A trade's life as lines: when, which rule, what happened with the numbers, and why (H-5).

Promises that a price stands in a line as a stop or a target only when the venue confirmed it; what was only wished
is called so (H-6). Pure: from the journal's values to text.

Begin with `life.py`.
"""
