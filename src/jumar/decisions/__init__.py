"""Sources: where decisions come from and how their text becomes a `Decision`.

Promises that no input raises, that numbers never pass through a binary float, and that a refusal names field,
value and fix. Knows nothing of time (freshness is the planner's) or of what a decision leads to.
Begin with `decode.py`.
"""
